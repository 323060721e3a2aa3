//! The table of RFC 7396, Appendix A, and what it leaves open.

use kvnode_core::patch::PatchKind;

use crate::fixture::{merge, patched};

/// R4
#[test]
fn the_table_of_appendix_a_holds() {
    for (original, patch, result) in [
        (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
        (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
        (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
        (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
        (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
        (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
        (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
        (r#"{"a":"foo"}"#, "null", "null"),
        (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
        (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
        ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
        ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
    ] {
        assert_eq!(merge(original, patch).as_deref(), Ok(result), "{original} with {patch}");
    }
}

/// R4
#[test]
fn an_absent_key_is_created_without_the_members_that_are_null() {
    let created = patched(PatchKind::Merge, None, r#"{ "a": 1.0, "b": null, "c": {"d": null, "e": [null]} }"#);
    assert_eq!(created.as_deref(), Ok(r#"{"a":1.0,"c":{"e":[null]}}"#));
    assert_eq!(patched(PatchKind::Merge, None, " [ 1 ] ").as_deref(), Ok("[ 1 ]"));
}

#[test]
fn of_members_with_the_same_name_only_the_last_is_what_the_patch_says() {
    assert_eq!(merge("{}", r#"{"a":{"b":1},"a":{"c":2}}"#).as_deref(), Ok(r#"{"a":{"c":2}}"#));
    assert_eq!(merge(r#"{"a":1}"#, r#"{"a":null,"\u0061":2}"#).as_deref(), Ok(r#"{"a":2}"#));
    assert_eq!(merge(r#"{"a":1}"#, r#"{"a":2,"a":null}"#).as_deref(), Ok("{}"));
}

#[test]
fn a_merge_changes_the_last_of_stored_duplicates_and_removes_them_all() {
    let stored = r#"{"a":{"x":1},"b":0,"a":{"y":2}}"#;
    assert_eq!(merge(stored, r#"{"a":{"z":3}}"#).as_deref(), Ok(r#"{"a":{"x":1},"b":0,"a":{"y":2,"z":3}}"#));
    assert_eq!(merge(stored, r#"{"a":null}"#).as_deref(), Ok(r#"{"b":0}"#));
}
