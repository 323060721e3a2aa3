//! What an entry holds: JSON kept as the very text the client sent, or bytes. The text is never parsed into numbers
//! and maps and written again, because that would change big integers, the order of members and duplicates.

use std::borrow::Cow;
use std::fmt;

use serde_json::value::RawValue;

use super::limits::{InputError, JSON_DEPTH_MAX, Limits};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Json,
    Bytes,
}

/// A value fit to be stored. The kind it was written as is part of it. It borrows the bytes of the request it came with;
/// `Value<'static>` owns them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Value<'v> {
    kind: Kind,
    content: Cow<'v, [u8]>,
}

impl<'v> Value<'v> {
    /// Takes text that may or may not be JSON.
    pub fn json(text: &'v str, limits: &Limits) -> Result<Self, InputError> {
        check_size(text.len(), limits)?;
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|error| InputError::JsonMalformed { reason: error.to_string() })?;
        Self::raw_json(raw, limits)
    }

    /// Takes a value that serde found well-formed while it read something around it, and so need not read again.
    pub fn raw_json(raw: &'v RawValue, limits: &Limits) -> Result<Self, InputError> {
        let text = raw.get();
        check_size(text.len(), limits)?;
        check_depth(text)?;
        Ok(Self { kind: Kind::Json, content: Cow::Borrowed(text.as_bytes()) })
    }

    pub fn bytes(bytes: &'v [u8], limits: &Limits) -> Result<Self, InputError> {
        check_size(bytes.len(), limits)?;
        Ok(Self { kind: Kind::Bytes, content: Cow::Borrowed(bytes) })
    }

    /// A value that was checked when it was stored, or made by the store itself.
    pub(super) fn stored(kind: Kind, content: impl Into<Cow<'v, [u8]>>) -> Self {
        Self { kind, content: content.into() }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The text or bytes as they were written.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    pub fn into_owned(self) -> Value<'static> {
        Value { kind: self.kind, content: Cow::Owned(self.content.into_owned()) }
    }
}

/// Short, because a value can have two mebibytes and ends up in traces and failed assertions.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_MAX: usize = 40;
        let content = self.content();
        let shown = String::from_utf8_lossy(&content[..content.len().min(SHOWN_MAX)]);
        let kind = if self.kind == Kind::Json { "json" } else { "bytes" };
        let more = if content.len() > SHOWN_MAX { "…" } else { "" };
        write!(formatter, "{kind}({} bytes: {shown}{more})", content.len())
    }
}

/// Whether bytes of unknown origin are JSON as a value keeps it. Their number is not looked at: limits may have been
/// other ones when they were stored.
pub(super) fn is_sound_json(content: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(content) else { return false };
    serde_json::from_str::<&RawValue>(text).is_ok() && check_depth(text).is_ok()
}

pub(super) fn check_size(bytes: usize, limits: &Limits) -> Result<(), InputError> {
    if bytes > limits.value_bytes_max {
        return Err(InputError::ValueTooLarge { bytes, max: limits.value_bytes_max });
    }
    Ok(())
}

/// Counts brackets outside strings. The text is known to be well-formed, so brackets close in order.
fn check_depth(text: &str) -> Result<(), InputError> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for byte in text.bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            _ => {}
        }
        if depth > JSON_DEPTH_MAX {
            return Err(InputError::JsonTooDeep);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Result<Value<'_>, InputError> {
        Value::json(text, &Limits::default())
    }

    #[test]
    fn json_is_kept_character_for_character() {
        for text in [
            "123456789012345678901234567890.000",
            r#"{"b":1,"a":2,"b":3}"#,
            "[ 1,\n\t2 ]",
            r#""\u00e9\ud800""#,
            "-0",
            "1E400",
            "null",
        ] {
            assert_eq!(json(text).expect("JSON").content(), text.as_bytes());
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", "hello", "{", "[1,]", "01", "'a'", "{\"a\":1}}", "\"\t\"", "NaN"] {
            assert!(matches!(json(text), Err(InputError::JsonMalformed { .. })), "{text:?}");
        }
    }

    #[test]
    fn nesting_of_128_is_good_and_of_129_is_not() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(json(&nested(128)).is_ok());
        assert_eq!(json(&nested(129)), Err(InputError::JsonTooDeep));
        assert_eq!(json(&nested(1_000_000)), Err(InputError::JsonTooDeep));
    }

    #[test]
    fn brackets_within_strings_do_not_nest() {
        let text = format!(r#"["{}","\"{}"]"#, "[".repeat(500), "{".repeat(500));
        assert!(json(&text).is_ok());
    }

    /// C91
    #[test]
    fn a_value_of_two_mebibytes_is_good_and_one_byte_more_is_not() {
        let limits = Limits::default();
        let text = format!("\"{}\"", "x".repeat(limits.value_bytes_max - 2));
        assert!(json(&text).is_ok());
        let larger = format!("\"{}\"", "x".repeat(limits.value_bytes_max - 1));
        assert_eq!(json(&larger), Err(InputError::ValueTooLarge { bytes: 2_097_153, max: 2_097_152 }));
        assert!(Value::bytes(&vec![0; limits.value_bytes_max], &limits).is_ok());
        assert!(Value::bytes(&vec![0; limits.value_bytes_max + 1], &limits).is_err());
    }
}
