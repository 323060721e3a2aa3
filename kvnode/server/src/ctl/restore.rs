//! `kvnode ctl restore`

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use bytes::Bytes;
use clap::Args;
use futures::{StreamExt, stream};
use http::{Method, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use indicatif::ProgressBar;
use serde::Deserialize;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::client::{Client, Sent, escaped, refusal, whole};
use super::failure::Failure;
use super::progress;
use crate::dump::{Passed, Reader};

const AFTER_HELP: &str = "\
Examples:
  kvnode ctl restore backup.ndjson
  zstd -d < backup.ndjson.zst | kvnode ctl restore -

What is as new as in the dump, or newer, stays as it is, and nothing is deleted; to do it twice is the same as to do it \
once. A dump that is cut off or damaged is taken as far as it is whole; the exit code is 1 then.";

/// Read and sent at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Chunks that are read ahead of being sent.
const CHUNKS_AHEAD: usize = 2;

/// Take back what a dump holds
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Restore {
    /// The dump; - is standard input
    file: PathBuf,

    /// The tenant that the dump is of, if it is another than the node's
    #[arg(long, value_name = "TENANT")]
    from: Option<String>,
}

#[derive(Deserialize)]
struct Tally {
    restored: u64,
    kept: u64,
    expired: u64,
}

impl Restore {
    pub(super) async fn run(self, client: &mut Client, out: &mut impl Write) -> Result<(), Failure> {
        let unreadable = |error: &dyn std::fmt::Display| {
            Failure::wrong_use(format!("The dump {} cannot be read: {error}.", self.file.display()))
        };
        let source = open(&self.file).map_err(|error| unreadable(&error))?;
        let bar = progress::bar("restoring", "entries");
        let sent = Arc::new(AtomicU64::new(0));
        let (body, failed) = body(source, &bar, &sent);
        let path = match &self.from {
            Some(tenant) => format!("/admin/restore?from={}", escaped(tenant)),
            None => "/admin/restore".to_owned(),
        };
        let headers = [(header::CONTENT_TYPE, "application/x-ndjson")];
        let moved = || sent.load(Ordering::Relaxed);
        let answer = client.send_long(Method::POST, &path, &headers, body, moved).await;
        bar.finish_and_clear();
        let answer = match (answer, failed.get()) {
            (_, Some(error)) => return Err(unreadable(error)),
            (answer, None) => answer?,
        };
        if !answer.status().is_success() {
            return Err(refusal(client.url(), answer).await);
        }
        let text = whole(client.url(), answer.into_body()).await?;
        let Tally { restored, kept, expired } = client.read(&text)?;
        writeln!(out, "{restored} restored, {kept} kept as they were, {expired} expired")?;
        Ok(())
    }
}

type Source = Box<dyn Read + Send>;

fn open(path: &Path) -> io::Result<Source> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin()));
    }
    Ok(Box::new(File::open(path)?))
}

/// What is read from the source, on its way to the node; and why it could not be read to its end, if it could not.
fn body(source: Source, bar: &ProgressBar, sent: &Arc<AtomicU64>) -> (Sent, Arc<OnceLock<io::Error>>) {
    let (sender, mut receiver): (_, Receiver<io::Result<Vec<u8>>>) = channel(CHUNKS_AHEAD);
    let failed = Arc::new(OnceLock::new());
    let failure = Arc::clone(&failed);
    // Nobody waits for this thread: a terminal or a pipe may never say anything again.
    thread::spawn(move || pump(source, &sender, &failure));
    let (sent, mut seen) = (Arc::clone(sent), Seen { header: Some(Vec::new()), lines: 0, bar: bar.clone() });
    let chunks = stream::poll_fn(move |context| receiver.poll_recv(context)).map(move |chunk| {
        let chunk = chunk?;
        seen.note(&chunk);
        sent.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        Ok(Frame::data(Bytes::from(chunk)))
    });
    (BodyExt::boxed(StreamBody::new(chunks)), failed)
}

/// Reads until there is nothing more, or nobody wants it.
fn pump(mut source: Source, sender: &Sender<io::Result<Vec<u8>>>, failure: &OnceLock<io::Error>) {
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        let read = match source.read(&mut chunk) {
            Ok(0) => return,
            Ok(length) => {
                chunk.truncate(length);
                Ok(chunk)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let kind = error.kind();
                // There is one pump, which fails once.
                let _ = failure.set(error);
                // The node must not take what was read for all there is.
                Err(kind.into())
            }
        };
        let failed = read.is_err();
        if sender.blocking_send(read).is_err() || failed {
            return;
        }
    }
}

/// What the bar is told.
struct Seen {
    /// The beginning of the first line, until that was looked at.
    header: Option<Vec<u8>>,
    lines: u64,
    bar: ProgressBar,
}

impl Seen {
    fn note(&mut self, chunk: &[u8]) {
        let end = chunk.iter().position(|&byte| byte == b'\n');
        if let Some(mut header) = self.header.take() {
            header.extend_from_slice(&chunk[..end.unwrap_or(chunk.len())]);
            if end.is_none() && header.len() < CHUNK_BYTES {
                self.header = Some(header);
            } else if let Ok(Passed::Header(header)) = Reader::default().pass(&header) {
                self.bar.set_length(header.entries);
            }
        }
        self.lines += chunk.iter().map(|&byte| u64::from(byte == b'\n')).sum::<u64>();
        // The first line is no entry.
        self.bar.set_position(self.lines.saturating_sub(1));
    }
}
