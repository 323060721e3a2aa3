//! How a write makes the new value: given as it is, or computed from the present one. Each rule stands here once, and
//! every protocol that has it uses this one.

use std::borrow::Cow;

use thiserror::Error;

use super::fraction::Fraction;
use super::limits::{InputError, Limits};
use super::value::{Kind, Value, check_size};
use crate::patch::{Patch, PatchError};

#[derive(Clone, Debug, PartialEq)]
pub enum NewValue<'v> {
    Set(Value<'v>),
    /// The present value stays; for writes that change other things. An absent one is made as empty bytes.
    Keep,
    /// The present content with these bytes behind it.
    Append(Cow<'v, [u8]>),
    /// The present content with these bytes written over it from `offset` on; zeros fill what lies between.
    Overwrite {
        offset: usize,
        bytes: Cow<'v, [u8]>,
    },
    /// The present number plus this one; an absent one counts as zero.
    AddInteger(i64),
    AddFraction(Fraction),
    /// The present JSON with this patch applied; what comes out is JSON, whatever kind it was stored as.
    Patch(Patch<'v>),
}

/// Why a new value could not be made of the present one.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ChangeError {
    #[error("The value is not an integer or out of range.")]
    NotAnInteger,
    #[error("The increment or decrement would overflow.")]
    Overflow,
    #[error("The value is not a valid float.")]
    NotAFloat,
    #[error("The increment would produce NaN or Infinity.")]
    NotFinite,
    #[error("The value is JSON, and what the change makes of it is not: {reason}.")]
    NoLongerJson { reason: String },
    #[error("The value is no JSON, so it cannot be patched: {reason}.")]
    NotJson { reason: String },
    #[error(transparent)]
    Patch(#[from] PatchError),
    #[error(transparent)]
    Limit(#[from] InputError),
}

/// What is there now.
#[derive(Clone, Copy, Debug)]
pub struct Present<'p> {
    pub kind: Kind,
    pub content: &'p [u8],
}

impl NewValue<'_> {
    /// The value to store. What is made of the present one is checked as if it had been given.
    pub fn apply<'r>(&'r self, present: Option<Present<'_>>, limits: &Limits) -> Result<Value<'r>, ChangeError> {
        let kind = present.map_or(Kind::Bytes, |present| present.kind);
        let content = present.map_or(&[][..], |present| present.content);
        let computed = match self {
            Self::Set(value) => return Ok(Value::stored(value.kind(), value.content())),
            Self::Keep => return Ok(Value::stored(kind, content.to_vec())),
            Self::Patch(patch) => return patched(patch, present, limits),
            Self::Append(bytes) => {
                check_size(content.len() + bytes.len(), limits)?;
                [content, bytes].concat()
            }
            Self::Overwrite { offset, bytes } => overwritten(content, *offset, bytes, limits)?,
            Self::AddInteger(number) => {
                let before = present.map_or(Ok(0), |_| integer(content))?;
                before.checked_add(*number).ok_or(ChangeError::Overflow)?.to_string().into_bytes()
            }
            Self::AddFraction(number) => {
                let before = present.map_or(Some(Fraction::ZERO), |_| Fraction::parse(content));
                let sum = before.ok_or(ChangeError::NotAFloat)?.plus(*number).ok_or(ChangeError::NotFinite)?;
                sum.to_string().into_bytes()
            }
        };
        if kind == Kind::Json {
            // What was written through HTTP must be readable there for ever.
            json_text(&computed, limits, |reason| ChangeError::NoLongerJson { reason })?;
        }
        Ok(Value::stored(kind, computed))
    }
}

fn overwritten(content: &[u8], offset: usize, bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, ChangeError> {
    let end = offset.saturating_add(bytes.len());
    check_size(end, limits)?;
    let mut written = content.to_vec();
    written.resize(content.len().max(end), 0);
    written[offset..end].copy_from_slice(bytes);
    Ok(written)
}

/// An integer as it is written without any freedom: no plus, no blanks, no leading zero.
fn integer(content: &[u8]) -> Result<i64, ChangeError> {
    let text = std::str::from_utf8(content).map_err(|_| ChangeError::NotAnInteger)?;
    let number: i64 = text.parse().map_err(|_| ChangeError::NotAnInteger)?;
    if number.to_string() == text { Ok(number) } else { Err(ChangeError::NotAnInteger) }
}

fn patched(patch: &Patch<'_>, present: Option<Present<'_>>, limits: &Limits) -> Result<Value<'static>, ChangeError> {
    let stored = match present {
        None => None,
        Some(Present { kind: Kind::Json, content }) => {
            Some(std::str::from_utf8(content).expect("JSON was text when it was stored"))
        }
        Some(Present { kind: Kind::Bytes, content }) => {
            Some(json_text(content, limits, |reason| ChangeError::NotJson { reason })?)
        }
    };
    let text = patch.apply(stored, &limits.of_patches())?;
    Ok(Value::stored(Kind::Json, text.into_bytes()))
}

/// The text of JSON without the white space around it, if it is any.
fn json_text<'t>(
    content: &'t [u8],
    limits: &Limits,
    refused: fn(String) -> ChangeError,
) -> Result<&'t str, ChangeError> {
    let text = std::str::from_utf8(content).map_err(|error| refused(error.to_string()))?;
    match Value::json(text, limits) {
        Ok(_) => Ok(text.trim_ascii()),
        Err(InputError::JsonMalformed { reason }) => Err(refused(reason)),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::PatchKind;

    fn changed(change: &NewValue<'_>, kind: Kind, content: &str) -> Result<String, ChangeError> {
        let present = Present { kind, content: content.as_bytes() };
        let value = change.apply(Some(present), &Limits::default())?;
        assert_eq!(value.kind(), kind, "the kind is kept");
        Ok(String::from_utf8(value.content().to_vec()).expect("text"))
    }

    #[test]
    fn numbers_are_added_to_integers_and_to_nothing_else() {
        let add = NewValue::AddInteger;
        assert_eq!(changed(&add(5), Kind::Json, "10"), Ok("15".into()));
        assert_eq!(changed(&add(-11), Kind::Bytes, "10"), Ok("-1".into()));
        for text in ["", "+1", " 1", "1 ", "01", "-0", "1.0", "a", "9223372036854775808"] {
            assert_eq!(changed(&add(1), Kind::Bytes, text), Err(ChangeError::NotAnInteger), "{text:?}");
        }
        assert_eq!(changed(&add(1), Kind::Bytes, "9223372036854775807"), Err(ChangeError::Overflow));
        let three = add(3);
        let absent = three.apply(None, &Limits::default()).expect("zero plus three");
        assert_eq!((absent.kind(), absent.content()), (Kind::Bytes, &b"3"[..]));
    }

    #[test]
    fn bytes_are_written_over_and_zeros_fill_the_gap() {
        let over = |offset| NewValue::Overwrite { offset, bytes: Cow::Borrowed(b"xy") };
        assert_eq!(changed(&over(1), Kind::Bytes, "abcd"), Ok("axyd".into()));
        assert_eq!(changed(&over(3), Kind::Bytes, "abcd"), Ok("abcxy".into()));
        assert_eq!(changed(&over(3), Kind::Bytes, "a"), Ok("a\0\0xy".into()));
        assert!(matches!(changed(&over(usize::MAX), Kind::Bytes, "a"), Err(ChangeError::Limit(_))));
        assert!(matches!(changed(&over(2 << 20), Kind::Bytes, "a"), Err(ChangeError::Limit(_))));
    }

    #[test]
    fn json_stays_json_or_the_write_is_refused() {
        let append = |bytes: &'static str| NewValue::Append(Cow::Borrowed(bytes.as_bytes()));
        assert_eq!(changed(&append("0"), Kind::Json, "1"), Ok("10".into()));
        assert!(matches!(changed(&append("x"), Kind::Json, "1"), Err(ChangeError::NoLongerJson { .. })));
        assert_eq!(changed(&append("x"), Kind::Bytes, "1"), Ok("1x".into()));
    }

    fn patched_as(kind: PatchKind, body: &str, present: Option<Present<'_>>) -> Result<String, ChangeError> {
        let limits = Limits::default();
        let patch = Patch::parse(kind, body.as_bytes(), &limits.of_patches()).expect("a good patch");
        let change = NewValue::Patch(patch);
        let value = change.apply(present, &limits)?;
        assert_eq!(value.kind(), Kind::Json, "what a patch makes is JSON");
        Ok(String::from_utf8(value.content().to_vec()).expect("text"))
    }

    #[test]
    fn a_patch_takes_json_of_either_kind_and_nothing_else() {
        let patched =
            |kind, content: &'static [u8]| patched_as(PatchKind::Merge, r#"{"b":2}"#, Some(Present { kind, content }));
        assert_eq!(patched(Kind::Json, br#"{"a":1}"#), Ok(r#"{"a":1,"b":2}"#.into()));
        assert_eq!(patched(Kind::Bytes, b" {\"a\":1}\n"), Ok(r#"{"a":1,"b":2}"#.into()));
        for content in [&b""[..], b"hello", b"\xff", b"{\"a\":}"] {
            assert!(matches!(patched(Kind::Bytes, content), Err(ChangeError::NotJson { .. })), "{content:?}");
        }
    }

    #[test]
    fn two_patches_make_an_absent_value_and_the_third_finds_none() {
        assert_eq!(patched_as(PatchKind::Shallow, r#"{"a":null}"#, None), Ok(r#"{"a":null}"#.into()));
        assert_eq!(patched_as(PatchKind::Merge, r#"{"a":null,"b":1}"#, None), Ok(r#"{"b":1}"#.into()));
        let add = r#"[{"op":"add","path":"/a","value":1}]"#;
        assert_eq!(patched_as(PatchKind::Operations, add, None), Err(ChangeError::Patch(PatchError::Absent)));
    }
}
