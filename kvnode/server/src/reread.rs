//! Reads the config file and the files of secrets again when they change, and says in the log what that changed. Files
//! that are wrong change nothing: the node goes on with what it has, and says what is wrong.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::logging;
use crate::settings::Settings;
use crate::shared::Shared;

/// Kubernetes brings a changed ConfigMap within a minute or so; a person who edits a file waits for this.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// In metrics: a file that is wrong can raise an alert.
const TASK: &str = "file_reread";

/// Tells one content of a file from another without reading it. A link is followed, because Kubernetes exchanges the
/// folder that holds all files of a volume by moving a link.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Traits {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

/// All files, as they were at one moment; what cannot be seen has no traits.
type Look = Vec<(PathBuf, Option<Traits>)>;

/// Runs for ever.
pub(crate) async fn reread_files(shared: Arc<Shared>) {
    let mut rereading = Rereading { newest: shared.settings.clone(), read: Look::new(), seen: Look::new() };
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let node = Arc::clone(&shared);
        // A disk that hangs must not keep the probes of this thread waiting.
        let turn = tokio::task::spawn_blocking(move || {
            rereading.turn(&node);
            rereading
        });
        rereading = turn.await.expect("a panic ends the process");
    }
}

struct Rereading {
    /// The last settings that were in order.
    newest: Settings,
    /// The files as they were when they were last read.
    read: Look,
    /// The files as they were at the last look.
    seen: Look,
}

impl Rereading {
    /// What was just written may be half written, so a change is read when two looks in a row agree about it.
    fn turn(&mut self, shared: &Shared) {
        let now = look(self.newest.files());
        if now != self.read && now == self.seen {
            self.read.clone_from(&now);
            self.reread(shared);
        }
        self.seen = now;
    }

    fn reread(&mut self, shared: &Shared) {
        let tenant_id = shared.settings.tenant.as_str();
        let newer = match self.newest.again() {
            Ok(newer) => newer,
            Err(error) => {
                shared.metrics.task(TASK, "error");
                tracing::warn!(tenant_id, reason = %error, "changed files are not taken over");
                return;
            }
        };
        shared.metrics.task(TASK, "success");
        let changes = shared.settings.changes(&self.newest, &newer);
        let level = newer.live.now().log_level;
        // A level that was told over /admin/log-levels stays until the file names another one.
        if level != self.newest.live.now().log_level {
            logging::set_level(level);
        }
        // Last, because the first settings share their snapshot with the node.
        shared.take_over(&newer);
        for change in &changes.taken_over {
            tracing::info!(tenant_id, setting = change.setting, from = change.from, to = change.to, "setting changed");
        }
        for secret in &changes.secrets {
            tracing::info!(tenant_id, secret, "secret changed");
        }
        for change in &changes.not_at_run_time {
            tracing::warn!(
                tenant_id,
                setting = change.setting,
                from = change.from,
                to = change.to,
                "setting cannot change while the node runs; start it again"
            );
        }
        self.newest = newer;
    }
}

fn look(files: &[PathBuf]) -> Look {
    let traits = |path: &PathBuf| {
        let found = fs::metadata(path).ok()?;
        Some(Traits {
            device: found.dev(),
            inode: found.ino(),
            bytes: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
        })
    };
    files.iter().map(|path| (path.clone(), traits(path))).collect()
}
