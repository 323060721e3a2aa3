//! Why a patch was not read or not applied, one sentence for each way. After any of them the value is as it was.

use thiserror::Error;

use super::operation::OPERATIONS_MAX;
use super::work::STEPS_MAX;

/// Operations are counted from 1. Pointers are shown as the patch wrote them, long ones by their beginning.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PatchError {
    #[error("The patch is not UTF-8: the bytes from position {position} (counted from 0) are no character.")]
    NotUtf8 { position: usize },
    #[error("The patch is no JSON: {reason}.")]
    NotJson { reason: String },
    #[error("The patch nests arrays and objects more than {max} deep.")]
    TooDeep { max: usize },
    #[error("The patch is null, which has nothing to merge; send an object, or DELETE the key.")]
    NullBody,
    #[error("The patch is JSON but no JSON Patch: {reason}.")]
    NotOperations { reason: String },
    #[error("The patch has more than {OPERATIONS_MAX} operations; send them in several patches.")]
    TooManyOperations,
    #[error("Operation {operation}: '{pointer}' is no JSON pointer to a value: {reason}.")]
    BadPointer { operation: usize, pointer: String, reason: String },
    #[error("Operation {operation} finds nothing to work on at '{pointer}': {reason}.")]
    NoTarget { operation: usize, pointer: String, reason: &'static str },
    #[error("Operation {operation} moves '{pointer}' into a part of itself; copy it, or move it elsewhere.")]
    MoveIntoItself { operation: usize, pointer: String },
    #[error("Operation {operation}: the test of '{pointer}' failed, so nothing was changed.")]
    TestFailed { operation: usize, pointer: String },
    #[error("A JSON Patch changes a value that is there, and this key has none; PUT one first.")]
    Absent,
    #[error("Operation {operation} would nest arrays and objects more than {max} deep.")]
    ResultTooDeep { operation: usize, max: usize },
    #[error("The patched value would have {bytes} bytes; at most {max} are allowed.")]
    ResultTooLarge { bytes: usize, max: usize },
    #[error("Operation {operation} makes the patch copy more than {max} bytes in all, the most a value may have.")]
    CopiesTooLarge { operation: usize, max: usize },
    #[error("The patch takes more than {STEPS_MAX} steps on this value; send fewer operations at a time, or PUT it.")]
    TooMuchWork,
}

impl PatchError {
    /// The variant's name, as it appears in the member `code` of an error body.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotUtf8 { .. } => "NotUtf8",
            Self::NotJson { .. } => "NotJson",
            Self::TooDeep { .. } => "TooDeep",
            Self::NullBody => "NullBody",
            Self::NotOperations { .. } => "NotOperations",
            Self::TooManyOperations => "TooManyOperations",
            Self::BadPointer { .. } => "BadPointer",
            Self::NoTarget { .. } => "NoTarget",
            Self::MoveIntoItself { .. } => "MoveIntoItself",
            Self::TestFailed { .. } => "TestFailed",
            Self::Absent => "Absent",
            Self::ResultTooDeep { .. } => "ResultTooDeep",
            Self::ResultTooLarge { .. } => "ResultTooLarge",
            Self::CopiesTooLarge { .. } => "CopiesTooLarge",
            Self::TooMuchWork => "TooMuchWork",
        }
    }
}
