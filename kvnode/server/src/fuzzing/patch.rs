//! The three kinds of PATCH: the first byte chooses one, the first line behind it is what is stored (nothing, if it is no
//! JSON), and the rest is the body.

use kvnode_core::patch::{Patch, PatchKind};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::value::Value;
use serde_json::value::RawValue;

pub(super) fn check(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let kind = [PatchKind::Shallow, PatchKind::Merge, PatchKind::Operations][usize::from(kind % 3)];
    let line_end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    let (stored, body) = rest.split_at(line_end);
    let limits = Limits::default();
    let stored = std::str::from_utf8(stored).ok().filter(|text| Value::json(text, &limits).is_ok());
    let Ok(patch) = Patch::parse(kind, body.get(1..).unwrap_or_default(), &limits.of_patches()) else { return };
    let Ok(changed) = patch.apply(stored, &limits.of_patches()) else { return };
    let read: Result<&RawValue, _> = serde_json::from_str(&changed);
    assert!(read.is_ok(), "{changed:?} is no JSON");
    assert!(changed.len() <= limits.of_patches().bytes_max);
    assert!(Value::json(&changed, &limits).is_ok(), "{changed:?} could not have been stored");
    if kind != PatchKind::Operations {
        let again = patch.apply(Some(&changed), &limits.of_patches()).expect("what was done can be done again");
        assert_eq!(without_blanks(&again), without_blanks(&changed), "once more changes nothing");
    }
}

/// JSON without what stands between its tokens.
fn without_blanks(json: &str) -> String {
    let (mut within_text, mut escaped) = (false, false);
    json.chars()
        .filter(|&char| {
            let kept = within_text || !char.is_ascii_whitespace();
            within_text ^= char == '"' && !escaped;
            escaped = within_text && char == '\\' && !escaped;
            kept
        })
        .collect()
}
