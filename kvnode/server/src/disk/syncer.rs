//! Has the disk keep what was written while the writer goes on writing. With `everysec` nobody waits for a sync, so a slow
//! disk must not make the writer leave in this process's memory what was confirmed long ago.

use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::Builder;
use std::time::Instant;

pub(super) struct Syncer {
    asked: SyncSender<(File, Reached)>,
    done: Receiver<io::Result<Reached>>,
    /// When the oldest byte of the sync that is under way was written.
    under_way: Option<Instant>,
}

/// How far a file was written when it was given to be synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) segment: u64,
    pub(super) offset: u64,
    /// In bytes of records since the start.
    pub(super) position: u64,
}

impl Syncer {
    pub(super) fn start() -> io::Result<Self> {
        let (asked, asking) = sync_channel::<(File, Reached)>(1);
        let (telling, done) = sync_channel(1);
        Builder::new().name("kvnode-sync".to_owned()).spawn(move || {
            while let Ok((file, reached)) = asking.recv() {
                // The writer has closed the log when nobody listens, and synced it itself.
                if telling.send(file.sync_data().map(|()| reached)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { asked, done, under_way: None })
    }

    pub(super) fn under_way(&self) -> Option<Instant> {
        self.under_way
    }

    /// One at a time.
    pub(super) fn ask(&mut self, file: File, reached: Reached, oldest: Instant) {
        debug_assert!(self.under_way.is_none(), "a sync is under way");
        self.under_way = Some(oldest);
        self.asked.try_send((file, reached)).expect("the thread waits for the next file");
    }

    /// The sync that has come to its end since this was asked last.
    pub(super) fn finished(&mut self) -> io::Result<Option<Reached>> {
        match self.done.try_recv() {
            Ok(result) => {
                self.under_way = None;
                result.map(Some)
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => Ok(None),
        }
    }
}
