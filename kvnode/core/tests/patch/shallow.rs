//! The merge of `application/json`, which is ours: one level deep.

use kvnode_core::patch::{PatchError, PatchKind};

use crate::fixture::{patched, shallow};

/// R4
#[test]
fn members_replace_or_add_members_one_level_deep_and_null_is_stored() {
    for (stored, body, result) in [
        (r#"{"a":1,"b":2}"#, r#"{"a":3}"#, r#"{"a":3,"b":2}"#),
        (r#"{"a":1}"#, r#"{"b":2}"#, r#"{"a":1,"b":2}"#),
        (r#"{"a":1}"#, r#"{"a":null}"#, r#"{"a":null}"#),
        (r#"{"a":{"x":1,"y":2}}"#, r#"{"a":{"x":3}}"#, r#"{"a":{"x":3}}"#),
        (r#"{"a":1}"#, "{}", r#"{"a":1}"#),
        ("{}", r#"{"a":1}"#, r#"{"a":1}"#),
        (r#"{"a":1}"#, r#"{"\u0061":2}"#, r#"{"a":2}"#),
        (r#"{"a":1,"a":2}"#, r#"{"a":3}"#, r#"{"a":1,"a":3}"#),
        (r#"{"b":0}"#, r#"{"a":1,"b":9,"a":2}"#, r#"{"b":9,"a":2}"#),
    ] {
        assert_eq!(shallow(stored, body).as_deref(), Ok(result), "{stored} with {body}");
    }
}

/// R4
#[test]
fn whatever_is_no_object_on_either_side_is_replaced_by_the_body_as_it_is_written() {
    for (stored, body) in [
        (r#"{"a":1}"#, "[ 1, 2 ]"),
        (r#"{"a":1}"#, "\"text\""),
        (r#"{"a":1}"#, "1.10"),
        ("[1]", r#"{ "a" : null , "a" : 2 }"#),
        ("null", r#"{"a":1}"#),
        ("7", "false"),
    ] {
        assert_eq!(shallow(stored, body).as_deref(), Ok(body));
        assert_eq!(patched(PatchKind::Shallow, None, body).as_deref(), Ok(body), "an absent key is created");
    }
}

/// R4
#[test]
fn a_body_of_null_is_refused_whatever_is_stored() {
    assert_eq!(shallow(r#"{"a":1}"#, " null "), Err(PatchError::NullBody));
    assert_eq!(patched(PatchKind::Shallow, None, "null"), Err(PatchError::NullBody));
}
