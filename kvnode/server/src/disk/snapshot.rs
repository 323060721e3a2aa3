//! Keeps the log from growing for ever: writes down the whole store, partition by partition, and removes the segments that
//! this makes needless. What changes meanwhile stands in the log behind the snapshot's number, so nothing has to stop for
//! it; a record that is in both is applied twice, in the right order.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Weak};

use kvnode_core::store::slot::{PARTITIONS, PartitionNumber};

use super::files::{self, UNFINISHED};
use super::frame::{HEADER_BYTES, Header, Kind, length_of, number_frame, place};
use super::identity::NodeId;
use super::log::Log;
use super::segment::{FileHeader, FileKind, Inventory, path_of};

/// Written to the disk at once, so that requests of others get their turn between.
const WRITE_BYTES: usize = 1 << 20;

/// Gives every record of a partition, as of one moment. The partition is locked while it does.
pub(super) type Contents = Arc<dyn Fn(PartitionNumber, &mut dyn FnMut(&[u8])) + Send + Sync>;

/// The wish for a snapshot that replaces everything before a segment. It is held until that is written or has failed.
pub(super) struct Wish {
    number: u64,
    /// Gone when it is over, however that ends.
    under_way: Arc<()>,
}

pub(super) struct Snapshots {
    pub(super) log: Arc<Log>,
    pub(super) folder: PathBuf,
    pub(super) node: NodeId,
    pub(super) incarnation: u64,
    pub(super) contents: Contents,
}

impl Wish {
    pub(super) fn new(number: u64) -> Self {
        Self { number, under_way: Arc::new(()) }
    }

    /// For whoever wants to know when it is over.
    pub(super) fn under_way(&self) -> Weak<()> {
        Arc::downgrade(&self.under_way)
    }
}

impl Snapshots {
    /// Until nobody asks any more.
    pub(super) fn run(&self, asked: &Receiver<Wish>) {
        while let Ok(Wish { number, under_way: _over_at_the_end }) = asked.recv() {
            match self.take(number) {
                Ok(()) => {}
                // The node ends; what is not finished is written another time.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    tracing::warn!(%error, number, "a snapshot could not be written; the log goes on without");
                }
            }
        }
    }

    fn take(&self, number: u64) -> io::Result<()> {
        let path = path_of(&self.folder, FileKind::Snapshot, number);
        let unfinished = path.with_added_extension(UNFINISHED);
        let written = self.write(number, &unfinished).and_then(|bytes| {
            files::finish(&unfinished, &path)?;
            Ok(bytes)
        });
        let bytes = match written {
            Ok(bytes) => bytes,
            Err(error) => {
                files::remove(&unfinished)?;
                return Err(error);
            }
        };
        let removed = remove_needless(&self.folder)?;
        let figures = self.log.figures();
        figures.snapshot_bytes.store(bytes, Ordering::Relaxed);
        figures.sealed_bytes.fetch_sub(removed, Ordering::Relaxed);
        tracing::info!(number, bytes, removed_bytes = removed, "the log begins with a new snapshot");
        Ok(())
    }

    fn write(&self, number: u64, path: &Path) -> io::Result<u64> {
        let header =
            FileHeader { kind: FileKind::Snapshot, number, node: self.node, incarnation: self.incarnation }.bytes();
        let mut file = BufWriter::with_capacity(WRITE_BYTES, File::create(path)?);
        file.write_all(&header)?;
        let (mut offset, mut records) = (header.len() as u64, 0);
        let mut frames = Vec::new();
        for partition in 0..=u8::MAX {
            if self.log.is_closing() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            frames.clear();
            (self.contents)(PartitionNumber::new(partition), &mut |record| {
                frames.extend_from_slice(&Header::of_record(partition, record).unplaced());
                frames.extend_from_slice(record);
            });
            let mut rest = &mut frames[..];
            while !rest.is_empty() {
                let (frame, behind) = rest.split_at_mut(length_of(rest));
                place(&mut frame[..HEADER_BYTES], number, offset);
                offset += frame.len() as u64;
                records += 1;
                rest = behind;
            }
            file.write_all(&frames)?;
        }
        let seal = number_frame(Kind::Seal, records, number, offset);
        file.write_all(&seal)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        // What the snapshot holds must not be ahead of the log: a crash could otherwise take back half of it.
        if !self.log.wait_until_durable(self.log.end()) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        Ok(offset + seal.len() as u64)
    }
}

/// Removes what the newest snapshot has made needless, the newest first: should this be broken off, what is left is the
/// beginning of a log and no gap in it. Gives back how many bytes of segments are gone.
pub(super) fn remove_needless(folder: &Path) -> io::Result<u64> {
    let inventory = Inventory::take(folder)?;
    let (needless, needed) = inventory.split();
    let mut bytes = 0;
    for file in needless.iter().rev() {
        files::remove(&file.path)?;
        bytes += if file.kind == FileKind::Segment { file.length } else { 0 };
    }
    if let Some(first) = needed.first().filter(|_| !needless.is_empty()) {
        files::sync_folder_of(&first.path)?;
    }
    Ok(bytes)
}

const _: () = assert!(PARTITIONS == 1 + u8::MAX as usize, "partitions are numbered by bytes");
