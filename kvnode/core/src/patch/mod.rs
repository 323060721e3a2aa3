//! The three kinds of PATCH, on exact JSON text: what a patch does not touch keeps every character, so that big
//! integers, the order of members, duplicates and white space survive. A patch is read and checked before anything is
//! locked ([`Patch::parse`]); applying it either gives the whole new text or changes nothing.
//!
//! ```text
//! body ──▶ Patch::parse ──▶ Patch ─┐
//! stored text ─────────────────────┴─▶ apply: open only the arrays and objects on the way ──▶ new text
//! ```
//!
//! A replaced member keeps its place and its name as it was written; an added one goes to the end. Of members with the
//! same name the last one counts: it is the one found and changed. Removing a name removes all members that have it,
//! because a shadowed one would otherwise come to light.

mod document;
mod equality;
mod error;
mod merge;
mod name;
mod number;
mod object;
mod operation;
mod pointer;
mod scan;
mod shallow;
mod tree;
mod work;

pub use error::PatchError;
pub use operation::OPERATIONS_MAX;
pub use work::STEPS_MAX;

use document::Document;
use merge::Merge;
use operation::Operation;
use serde_json::value::RawValue;
use shallow::Shallow;
use tree::Node;
use work::Work;

/// A JSON Patch holds its values within an array of operations: that much deeper than the value it makes.
const OPERATIONS_NESTING: usize = 2;

/// How the body of a PATCH is to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    /// `application/json`: the members of the body replace or add members, one level deep; null is stored.
    Shallow,
    /// `application/merge-patch+json`, RFC 7396: merges at every level; null removes.
    Merge,
    /// `application/json-patch+json`, RFC 6902: a list of operations, all of them or none.
    Operations,
}

/// What the result of a patch, and the patch itself, may measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatchLimits {
    pub bytes_max: usize,
    /// Arrays and objects within each other. Recursion in here goes as deep as this, and no deeper.
    pub depth_max: usize,
}

/// A body that was read and found good; it can be applied to any value.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch<'t>(Form<'t>);

#[derive(Clone, Debug, PartialEq)]
enum Form<'t> {
    Shallow(Shallow<'t>),
    Merge(Merge<'t>),
    Operations(Vec<Operation<'t>>),
}

impl<'t> Patch<'t> {
    pub fn parse(kind: PatchKind, body: &'t [u8], limits: &PatchLimits) -> Result<Self, PatchError> {
        let text = str::from_utf8(body).map_err(|error| PatchError::NotUtf8 { position: error.valid_up_to() })?;
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|error| PatchError::NotJson { reason: error.to_string() })?;
        let text = raw.get();
        let envelope = if kind == PatchKind::Operations { OPERATIONS_NESTING } else { 0 };
        if scan::nesting(text) > limits.depth_max + envelope {
            return Err(PatchError::TooDeep { max: limits.depth_max + envelope });
        }
        Ok(Self(match kind {
            PatchKind::Shallow => Form::Shallow(Shallow::parse(text)?),
            PatchKind::Merge => Form::Merge(Merge::parse(text, &mut Work::default())?),
            PatchKind::Operations => Form::Operations(operation::parse_all(text, limits)?),
        }))
    }

    /// The new text of a value. `stored` has to be well-formed JSON within the limit of depth, as every stored value
    /// was found to be when it was written: it is not checked again, because this runs under the lock of a partition.
    pub fn apply(&self, stored: Option<&str>, limits: &PatchLimits) -> Result<String, PatchError> {
        let mut work = Work::default();
        let root = match &self.0 {
            Form::Shallow(shallow) => shallow.apply(stored, &mut work)?,
            Form::Merge(merge) => {
                let mut root = Node::of(stored);
                merge.apply(&mut root, &mut work)?;
                root
            }
            Form::Operations(operations) => {
                let stored = stored.ok_or(PatchError::Absent)?;
                let mut document = Document::new(stored, *limits, work);
                operations.iter().try_for_each(|operation| document.run(operation))?;
                document.into_root()
            }
        };
        let bytes = root.bytes();
        if bytes > limits.bytes_max {
            return Err(PatchError::ResultTooLarge { bytes, max: limits.bytes_max });
        }
        Ok(root.to_text(bytes))
    }
}
