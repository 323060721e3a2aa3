//! The data folder: who it belongs to, and that nobody else has it.
//!
//! ```text
//! DIR/lock                     locked by the process that runs on it, whose number it holds
//! DIR/identity                 node, tenant, incarnation, how the log ended
//! DIR/log/0000000012.snapshot  the whole store, as it was when segment 12 began or later
//! DIR/log/0000000012.log       what has happened since, segment by segment
//! ```

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::files;
use super::identity::{Identity, NodeId, Tail};
use super::segment::{self, Inventory};

const LOCK: &str = "lock";
const IDENTITY: &str = "identity";
const LOG: &str = "log";

/// No identity is longer; a longer file is something else.
const IDENTITY_BYTES_MAX: u64 = 4096;

#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    identity: Identity,
    /// The system gives it back when the process ends, however it does.
    _lock: File,
}

/// Why a data folder cannot be used.
#[derive(Debug, Error)]
pub enum FolderError {
    #[error("The data folder {} cannot be used: {reason}; give another --data-dir, or the rights to this one.", path.display())]
    Unusable { path: PathBuf, reason: io::Error },
    #[error(
        "The data folder {} is in use by another kvnode (process {owner}); end that one, or give another --data-dir.",
        path.display()
    )]
    InUse { path: PathBuf, owner: String },
    #[error("The data folder {} belongs to the tenant '{owner}'; give another --data-dir.", path.display())]
    OtherTenant { path: PathBuf, owner: String },
    #[error(
        "The identity of the data folder {path} is damaged: {reason}; 'kvnode ctl check --data-dir {path}' tells what is \
         there, and --recover skip-damaged goes on with what its log says of it.",
        path = path.display()
    )]
    Identity { path: PathBuf, reason: String },
    #[error(
        "The data folder {} holds data of --persistence everysec or always, which a start without would leave out; \
         start with one of them, or give another --data-dir.",
        path.display()
    )]
    HoldsData { path: PathBuf },
}

impl Folder {
    /// Takes the folder for this process and raises its incarnation. A folder that is not there is made.
    pub(super) fn open(path: &Path, tenant: &str, mend: bool) -> Result<Self, FolderError> {
        let unusable = |reason| FolderError::Unusable { path: path.to_owned(), reason };
        fs::create_dir_all(path.join(LOG)).map_err(unusable)?;
        let lock = lock(path)?;
        let identity = match read_identity(path) {
            Ok(Some(identity)) => identity,
            Ok(None) if !has_log(path).map_err(unusable)? => first_identity(tenant),
            Ok(None) | Err(FolderError::Identity { .. }) if mend => mended_identity(path, tenant).map_err(unusable)?,
            Ok(None) => {
                return Err(FolderError::Identity { path: path.to_owned(), reason: "it is missing".to_owned() });
            }
            Err(error) => return Err(error),
        };
        if identity.tenant != tenant {
            return Err(FolderError::OtherTenant { path: path.to_owned(), owner: identity.tenant });
        }
        let mut folder = Self { path: path.to_owned(), identity, _lock: lock };
        folder.identity.incarnation += 1;
        folder.write_identity().map_err(unusable)?;
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(super) fn log(&self) -> PathBuf {
        log(&self.path)
    }

    /// Notes how the log ends.
    pub(super) fn set_tail(&mut self, tail: Tail) -> io::Result<()> {
        self.identity.tail = tail;
        self.write_identity()
    }

    fn write_identity(&self) -> io::Result<()> {
        files::write_whole(&self.path.join(IDENTITY), self.identity.text().as_bytes())
    }
}

pub(super) fn log(path: &Path) -> PathBuf {
    path.join(LOG)
}

pub(super) fn lock(path: &Path) -> Result<File, FolderError> {
    let unusable = |reason| FolderError::Unusable { path: path.to_owned(), reason };
    let options = File::options().read(true).write(true).create(true).truncate(false).open(path.join(LOCK));
    let mut file = options.map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            // Whoever has it may not have said so yet.
            let _ = file.read_to_string(&mut owner);
            return Err(FolderError::InUse { path: path.to_owned(), owner: owner.trim().to_owned() });
        }
        Err(TryLockError::Error(error)) => return Err(unusable(error)),
    }
    file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(unusable)?;
    Ok(file)
}

/// None if there is none.
pub(super) fn read_identity(path: &Path) -> Result<Option<Identity>, FolderError> {
    let damaged = |reason: &str| FolderError::Identity { path: path.to_owned(), reason: reason.to_owned() };
    let mut text = Vec::new();
    let read = File::open(path.join(IDENTITY)).and_then(|file| file.take(IDENTITY_BYTES_MAX).read_to_end(&mut text));
    match read {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(reason) => return Err(FolderError::Unusable { path: path.to_owned(), reason }),
    }
    let text = String::from_utf8(text).map_err(|_| damaged("it is no text"))?;
    Identity::read(&text).map(Some).map_err(damaged)
}

fn has_log(path: &Path) -> io::Result<bool> {
    Inventory::take(&log(path)).map(|inventory| !inventory.is_empty())
}

fn first_identity(tenant: &str) -> Identity {
    Identity { node: NodeId::draw(), tenant: tenant.to_owned(), incarnation: 0, tail: Tail::None }
}

/// What the files of the log say of the folder they were written in. How the log ended nobody knows.
fn mended_identity(path: &Path, tenant: &str) -> io::Result<Identity> {
    let mut identity = first_identity(tenant);
    for file in Inventory::take(&log(path))?.files() {
        if let Ok(header) = segment::read_header(&file.path) {
            identity.node = header.node;
            identity.incarnation = identity.incarnation.max(header.incarnation);
            identity.tail = Tail::Open { segment: file.number, boot: String::from("-") };
        }
    }
    Ok(identity)
}
