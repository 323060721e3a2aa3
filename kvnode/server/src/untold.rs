//! Why a command cannot be answered with its outcome. A store that is kept in memory alone always can; one that is kept on
//! a disk has to have read it first, needs room on it, and waits for it.

use thiserror::Error;

#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum Untold {
    #[error("The node is still reading its data: it is recovering, {done} of {total} MiB are done. Try again.")]
    Recovering { done: u64, total: u64 },
    #[error("The disk is full, so nothing can be written, and nothing was done. Give it room, and writes go on.")]
    DiskFull,
    #[error("The disk is behind and takes no more writes at the moment, so nothing was done. Try again.")]
    DiskBehind,
    #[error("The disk did not confirm in time what this answer rests on; a write may still take effect.")]
    Unconfirmed,
    #[error(
        "The key was given to another node meanwhile, and this one does not know what became of it: it may take effect."
    )]
    Unknown,
    #[error("This node holds only a part of the keys, and does not gather those of the others.")]
    OnlyAPart,
}
