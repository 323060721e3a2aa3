//! What a change makes of a value, byte by byte and in wider numbers than the core's.

use kvnode_core::patch::Patch;
use kvnode_core::store::change::{ChangeError, NewValue};
use kvnode_core::store::fraction::Fraction;
use kvnode_core::store::limits::{InputError, Limits};
use kvnode_core::store::value::{Kind, Value};

use super::known::Content;

/// The content to be stored, or the error. Words of a JSON parser within it are left empty.
pub(super) fn changed(
    change: &NewValue<'_>,
    before: Option<&Content>,
    limits: &Limits,
) -> Result<Content, ChangeError> {
    let kind = before.map_or(Kind::Bytes, |before| before.kind);
    let content = before.map_or(&[][..], |before| &before.bytes);
    let bytes = match change {
        NewValue::Set(value) => return Ok(Content::of(value)),
        NewValue::Keep => content.to_vec(),
        NewValue::Append(bytes) => content.iter().chain(bytes.iter()).copied().collect(),
        NewValue::Overwrite { offset, bytes } => {
            let end = *offset as u128 + bytes.len() as u128;
            fits(end, limits)?;
            let byte_at = |at: usize| match at.checked_sub(*offset).and_then(|within| bytes.get(within)) {
                Some(written) => *written,
                None => content.get(at).copied().unwrap_or(0),
            };
            (0..content.len().max(offset + bytes.len())).map(byte_at).collect()
        }
        NewValue::AddInteger(number) => {
            let present = before.map_or(Some(0), |_| integer(content)).ok_or(ChangeError::NotAnInteger)?;
            let sum = present + i128::from(*number);
            if !in_range(sum) {
                return Err(ChangeError::Overflow);
            }
            sum.to_string().into_bytes()
        }
        // The sums are tested against Redis; here it is whether one is made, and of what.
        NewValue::AddFraction(number) => {
            let present = before.map_or(Some(Fraction::ZERO), |_| Fraction::parse(content));
            let sum = present.ok_or(ChangeError::NotAFloat)?.plus(*number).ok_or(ChangeError::NotFinite)?;
            sum.to_string().into_bytes()
        }
        NewValue::Patch(patch) => return patched(patch, before, limits),
    };
    fits(bytes.len() as u128, limits)?;
    if kind == Kind::Json {
        is_json(&bytes, limits)?;
    }
    Ok(Content { kind, bytes })
}

/// What patches make of text is tested against other programs; here it is whether one is applied, and to what.
fn patched(patch: &Patch<'_>, before: Option<&Content>, limits: &Limits) -> Result<Content, ChangeError> {
    let text = |content: &Content| {
        let text = String::from_utf8_lossy(&content.bytes).trim().to_owned();
        is_json(&content.bytes, limits).map_err(|_| ChangeError::NotJson { reason: String::new() })?;
        Ok::<_, ChangeError>(text)
    };
    let stored = before.map(text).transpose()?;
    let bytes = patch.apply(stored.as_deref(), &limits.of_patches())?.into_bytes();
    Ok(Content { kind: Kind::Json, bytes })
}

fn is_json(bytes: &[u8], limits: &Limits) -> Result<(), ChangeError> {
    let malformed = ChangeError::NoLongerJson { reason: String::new() };
    match std::str::from_utf8(bytes).map(|text| Value::json(text, limits)) {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(InputError::JsonMalformed { .. })) | Err(_) => Err(malformed),
        Ok(Err(error)) => Err(ChangeError::Limit(error)),
    }
}

fn fits(bytes: u128, limits: &Limits) -> Result<(), ChangeError> {
    if bytes <= limits.value_bytes_max as u128 {
        return Ok(());
    }
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    Err(ChangeError::Limit(InputError::ValueTooLarge { bytes, max: limits.value_bytes_max }))
}

/// Only as a machine would write it: without plus, blanks or leading zeros.
fn integer(content: &[u8]) -> Option<i128> {
    let text = std::str::from_utf8(content).ok()?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.len() < 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = digits.starts_with('0') && text != "0";
    let number: i128 = text.parse().ok().filter(|_| plain && !leading_zero)?;
    in_range(number).then_some(number)
}

fn in_range(number: i128) -> bool {
    i64::try_from(number).is_ok()
}
