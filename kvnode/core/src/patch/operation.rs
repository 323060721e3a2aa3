//! The operations of a JSON Patch, RFC 6902, read from its text. A document that breaks a rule of form is refused as a
//! whole before any value is looked at.

use super::PatchError;
use super::PatchLimits;
use super::name::decoded;
use super::pointer::Pointer;
use super::scan::{Bracketed, Kind, elements, kind, members, trimmed};

/// An operation can cost a pass over the whole value while a partition is locked, so that their number has to be
/// bounded apart from their size; editors and controllers send a few dozen at most.
pub const OPERATIONS_MAX: usize = 1000;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operation<'t> {
    /// Counted from 1, as errors tell it.
    pub(super) number: usize,
    pub(super) path: Pointer<'t>,
    pub(super) action: Action<'t>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action<'t> {
    Add(&'t str),
    Remove,
    Replace(&'t str),
    Move { from: Pointer<'t> },
    Copy { from: Pointer<'t> },
    Test(&'t str),
}

pub(super) fn parse_all<'t>(text: &'t str, limits: &PatchLimits) -> Result<Vec<Operation<'t>>, PatchError> {
    if kind(text) != Kind::Array {
        return Err(PatchError::NotOperations { reason: "it is not an array of operations".to_owned() });
    }
    let body = Bracketed::cut(text).body;
    if elements(body).nth(OPERATIONS_MAX).is_some() {
        return Err(PatchError::TooManyOperations);
    }
    (1..).zip(elements(body)).map(|(number, text)| Operation::parse(text, number, limits)).collect()
}

impl<'t> Operation<'t> {
    fn parse(text: &'t str, number: usize, limits: &PatchLimits) -> Result<Self, PatchError> {
        let fields = Fields::read(text, number)?;
        let pointer = |name, field| -> Result<Pointer<'t>, PatchError> {
            Pointer::parse(fields.string(name, field)?, number, limits.depth_max)
        };
        let from = || pointer("from", fields.from);
        let value = || fields.required("value", fields.value);
        let action = match decoded(fields.string("op", fields.op)?).as_deref() {
            Some("add") => Action::Add(value()?),
            Some("remove") => Action::Remove,
            Some("replace") => Action::Replace(value()?),
            Some("move") => Action::Move { from: from()? },
            Some("copy") => Action::Copy { from: from()? },
            Some("test") => Action::Test(value()?),
            _ => return Err(fields.fault("is none of add, remove, replace, move, copy and test")),
        };
        Ok(Self { number, path: pointer("path", fields.path)?, action })
    }
}

/// The members of an operation that have a meaning, as text; others are to be ignored.
#[derive(Default)]
struct Fields<'t> {
    number: usize,
    op: Option<&'t str>,
    path: Option<&'t str>,
    from: Option<&'t str>,
    value: Option<&'t str>,
}

impl<'t> Fields<'t> {
    fn read(text: &'t str, number: usize) -> Result<Self, PatchError> {
        let mut fields = Self { number, ..Self::default() };
        if kind(text) != Kind::Object {
            return Err(fields.fault("is no object"));
        }
        for (name, value) in members(Bracketed::cut(trimmed(text)).body) {
            let field = match decoded(name.as_written()).as_deref() {
                Some("op") => &mut fields.op,
                Some("path") => &mut fields.path,
                Some("from") => &mut fields.from,
                Some("value") => &mut fields.value,
                _ => continue,
            };
            if field.replace(trimmed(value)).is_some() {
                // Which of the two is meant is a guess that could destroy data.
                return Err(fields.fault("has the same member twice"));
            }
        }
        Ok(fields)
    }

    fn required(&self, name: &str, field: Option<&'t str>) -> Result<&'t str, PatchError> {
        field.ok_or_else(|| self.fault(&format!("has no member '{name}'")))
    }

    fn string(&self, name: &str, field: Option<&'t str>) -> Result<&'t str, PatchError> {
        let text = self.required(name, field)?;
        if kind(text) != Kind::String {
            return Err(self.fault(&format!("has a member '{name}' that is no string")));
        }
        Ok(text)
    }

    fn fault(&self, what: &str) -> PatchError {
        PatchError::NotOperations { reason: format!("operation {} {what}", self.number) }
    }
}
