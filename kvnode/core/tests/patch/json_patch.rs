//! JSON Patch beyond the examples of its RFC: pointers, equality, all or nothing, and the sentence of each refusal.

use kvnode_core::patch::{Patch, PatchError, PatchKind};

use crate::fixture::{LIMITS, code, operate, patched};

fn test_of(stored: &str, path: &str, value: &str) -> bool {
    match operate(stored, &format!(r#"[{{"op":"test","path":"{path}","value":{value}}}]"#)) {
        Ok(text) => {
            assert_eq!(text, stored, "a test changes nothing");
            true
        }
        Err(PatchError::TestFailed { .. }) => false,
        Err(other) => panic!("{path}: {other}"),
    }
}

/// R4
#[test]
fn the_pointers_of_rfc_6901_find_what_its_section_5_says() {
    let stored = r#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}"#;
    for (path, value) in [
        ("", stored),
        ("/foo", r#"["bar","baz"]"#),
        ("/foo/0", r#""bar""#),
        ("/", "0"),
        ("/a~1b", "1"),
        ("/c%d", "2"),
        ("/e^f", "3"),
        ("/g|h", "4"),
        (r"/i\\j", "5"),
        (r#"/k\"l"#, "6"),
        ("/ ", "7"),
        ("/m~0n", "8"),
        (r"\/a\u007e1b", "1"),
        (r"/\u0066oo/\u0031", r#""baz""#),
    ] {
        assert!(test_of(stored, path, value), "{path}");
    }
}

#[test]
fn names_are_compared_by_their_characters_even_halves_of_surrogate_pairs() {
    let stored = r#"{"\u0061\ud83d\ude00":1,"\ud800":2,"é":3}"#;
    assert!(test_of(stored, "/a😀", "1"));
    assert!(test_of(stored, r"/\uD800", "2"));
    assert!(test_of(stored, r"/\u00e9", "3"));
    let added = operate("{}", r#"[{"op":"add","path":"/\ud800~1\n\"\u007f","value":1}]"#).expect("a name");
    assert!(test_of(&added, r"/\ud800~1\u000a\u0022\u007F", "1"), "{added}");
}

#[test]
fn a_pointer_that_is_none_is_refused_before_the_value_is_looked_at() {
    for path in ["a", " /a", "/~", "/~2", "/a~", "~0"] {
        let body = format!(r#"[{{"op":"remove","path":"{path}"}}]"#);
        let error = Patch::parse(PatchKind::Operations, body.as_bytes(), &LIMITS).expect_err("no pointer");
        assert_eq!(error.code(), "BadPointer", "{path}");
    }
}

#[test]
fn what_a_pointer_does_not_find_is_named() {
    let stored = r#"{"list":[1,2],"text":"t"}"#;
    for (operation, reason) in [
        (r#""op":"remove","path":"/none""#, "the object has no member of this name"),
        (r#""op":"remove","path":"/list/2""#, "the array ends before this index"),
        (r#""op":"add","path":"/list/3","value":0"#, "the array ends before this index"),
        (r#""op":"remove","path":"/list/99999999999999999999999""#, "the array ends before this index"),
        (
            r#""op":"replace","path":"/list/-","value":0"#,
            "'-' is the place behind the last element, where nothing is yet",
        ),
        (
            r#""op":"add","path":"/list/01","value":0"#,
            "an array has indices (0, 1, 2 …, without leading zeros), not names",
        ),
        (
            r#""op":"add","path":"/list/+1","value":0"#,
            "an array has indices (0, 1, 2 …, without leading zeros), not names",
        ),
        (
            r#""op":"test","path":"/list/","value":0"#,
            "an array has indices (0, 1, 2 …, without leading zeros), not names",
        ),
        (
            r#""op":"add","path":"/text/a","value":0"#,
            "something on the way is neither array nor object, so that nothing is below it",
        ),
        (r#""op":"remove","path":"""#, "a key has a value; the whole of it goes by DELETE"),
        (r#""op":"copy","from":"/none","path":"/a""#, "the object has no member of this name"),
        (r#""op":"move","from":"/none","path":"/none""#, "the object has no member of this name"),
    ] {
        match operate(stored, &format!("[{{{operation}}}]")) {
            Err(PatchError::NoTarget { reason: given, .. }) => assert_eq!(given, reason, "{operation}"),
            other => panic!("{operation}: {other:?}"),
        }
    }
}

/// R4
#[test]
fn a_test_compares_numbers_exactly_strings_by_characters_and_objects_without_order() {
    let stored = r#"{"n":1,"big":123456789012345678901234567890,"s":"a\/","o":{"x":[1,2],"y":null},"d":{"k":1,"k":2}}"#;
    for (path, value) in [
        ("/n", "1.0"),
        ("/n", "10e-1"),
        ("/big", "12345678901234567890123456789.0e1"),
        ("/s", r#""\u0061/""#),
        ("/o", r#"{ "y" : null, "x" : [ 1.0, 2 ] }"#),
        ("/d", r#"{"k":2}"#),
        ("/d", r#"{"k":0,"k":2.0}"#),
    ] {
        assert!(test_of(stored, path, value), "{path} {value}");
    }
    for (path, value) in [
        ("/n", "\"1\""),
        ("/n", "true"),
        ("/n", "1e999999999"),
        ("/big", "123456789012345678901234567891"),
        ("/s", r#""A/""#),
        ("/o", r#"{"x":[2,1],"y":null}"#),
        ("/o", r#"{"x":[1,2,3],"y":null}"#),
        ("/o", r#"{"x":[1],"y":null}"#),
        ("/o", r#"{"x":[1,2]}"#),
        ("/o", r#"{"x":[1,2],"y":null,"z":0}"#),
        ("/o", r#"{"x":[1,2],"y":false}"#),
        ("/d", r#"{"k":1}"#),
        ("/d", "[]"),
    ] {
        assert!(!test_of(stored, path, value), "{path} {value}");
    }
}

/// R4
#[test]
fn all_operations_happen_or_none_and_each_sees_what_those_before_it_did() {
    let stored = r#"{"a":{"b":1}}"#;
    let steps = r#"[
        {"op":"add","path":"/list","value":[]},
        {"op":"add","path":"/list/-","value":"last"},
        {"op":"add","path":"/list/0","value":"first"},
        {"op":"move","from":"/a/b","path":"/list/1"},
        {"op":"remove","path":"/a"},
        {"op":"copy","from":"/list","path":"/twin"},
        {"op":"replace","path":"/list/1","value":2},
        {"op":"test","path":"","value":{"twin":["first",1,"last"],"list":["first",2,"last"]}}
    ]"#;
    let all = operate(stored, steps);
    assert_eq!(all.as_deref(), Ok(r#"{"list":["first",2,"last"],"twin":["first",1,"last"]}"#));
    let failing = steps.replace(r#"["first",2,"last"]"#, "0");
    assert_eq!(
        operate(stored, &failing),
        Err(PatchError::TestFailed { operation: 8, pointer: String::new() }),
        "there is no text, so nothing can be stored"
    );
}

#[test]
fn the_whole_value_can_be_replaced_by_another_or_by_a_part_of_itself() {
    let stored = r#"{"a":{"b":[1]}}"#;
    assert_eq!(operate(stored, r#"[{"op":"add","path":"","value":1.0}]"#).as_deref(), Ok("1.0"));
    assert_eq!(operate(stored, r#"[{"op":"replace","path":"","value":[]}]"#).as_deref(), Ok("[]"));
    assert_eq!(operate(stored, r#"[{"op":"move","from":"/a","path":""}]"#).as_deref(), Ok(r#"{"b":[1]}"#));
    assert_eq!(operate(stored, r#"[{"op":"copy","from":"/a/b","path":""}]"#).as_deref(), Ok("[1]"));
    assert_eq!(operate(stored, r#"[{"op":"move","from":"","path":""}]"#).as_deref(), Ok(stored));
    let nested = operate(stored, r#"[{"op":"copy","from":"","path":"/a/c"}]"#);
    assert_eq!(nested.as_deref(), Ok(r#"{"a":{"b":[1],"c":{"a":{"b":[1]}}}}"#));
}

#[test]
fn nothing_moves_into_a_part_of_itself() {
    for (from, path) in [("", "/a"), ("/a", "/a/b"), ("/a", "/a/0")] {
        let body = format!(r#"[{{"op":"move","from":"{from}","path":"{path}"}}]"#);
        assert_eq!(code(&operate(r#"{"a":{}}"#, &body)), "MoveIntoItself");
    }
    let beside = operate(r#"{"a":1}"#, r#"[{"op":"move","from":"/a","path":"/aa"}]"#);
    assert_eq!(beside.as_deref(), Ok(r#"{"aa":1}"#), "a longer name is no part of a shorter one");
}

#[test]
fn operations_change_the_last_of_duplicates_and_remove_them_all() {
    let stored = r#"{"a":1,"b":0,"\u0061":2}"#;
    let replaced = operate(stored, r#"[{"op":"replace","path":"/a","value":3}]"#);
    assert_eq!(replaced.as_deref(), Ok(r#"{"a":1,"b":0,"\u0061":3}"#));
    assert_eq!(operate(stored, r#"[{"op":"remove","path":"/a"}]"#).as_deref(), Ok(r#"{"b":0}"#));
    assert_eq!(operate(stored, r#"[{"op":"move","from":"/a","path":"/c"}]"#).as_deref(), Ok(r#"{"b":0,"c":2}"#));
}

#[test]
fn duplicates_are_treated_alike_when_look_ups_have_become_many() {
    let stored = r#"{"a":1,"b":0,"\u0061":2}"#;
    let looks = r#"{"op":"test","path":"/b","value":0},"#.repeat(50);
    let replaced = operate(stored, &format!(r#"[{looks}{{"op":"replace","path":"/a","value":3}}]"#));
    assert_eq!(replaced.as_deref(), Ok(r#"{"a":1,"b":0,"\u0061":3}"#));
    let renewed = format!(
        r#"[{looks}{{"op":"remove","path":"/a"}},{{"op":"add","path":"/a","value":4}},{looks}{{"op":"add","path":"/a","value":5}}]"#
    );
    assert_eq!(operate(stored, &renewed).as_deref(), Ok(r#"{"b":0,"a":5}"#));
    let gone = format!(r#"[{looks}{{"op":"remove","path":"/a"}},{{"op":"test","path":"/a","value":1}}]"#);
    assert_eq!(code(&operate(stored, &gone)), "NoTarget");
}

#[test]
fn a_document_that_is_no_list_of_operations_is_told_why() {
    for (body, reason) in [
        ("{}", "it is not an array of operations"),
        ("[1]", "operation 1 is no object"),
        (r#"[{"op":"test","path":"","value":{}},{}]"#, "operation 2 has no member 'op'"),
        (r#"[{"op":"add","value":1}]"#, "operation 1 has no member 'path'"),
        (r#"[{"op":"add","path":"/a"}]"#, "operation 1 has no member 'value'"),
        (r#"[{"op":"move","path":"/a"}]"#, "operation 1 has no member 'from'"),
        (r#"[{"op":"remove","path":1}]"#, "operation 1 has a member 'path' that is no string"),
        (r#"[{"op":null,"path":""}]"#, "operation 1 has a member 'op' that is no string"),
        (r#"[{"op":"Add","path":"","value":1}]"#, "operation 1 is none of add, remove, replace, move, copy and test"),
        (r#"[{"op":"remove","path":"/a","p\u0061th":"/b"}]"#, "operation 1 has the same member twice"),
    ] {
        let expected = PatchError::NotOperations { reason: reason.to_owned() };
        assert_eq!(operate("{}", body), Err(expected), "{body}");
    }
}

#[test]
fn names_of_operations_may_be_escaped_and_none_at_all_changes_nothing() {
    let escaped = operate("{}", r#"[{"\u006fp":"\u0061dd","path":"/a","value":1}]"#);
    assert_eq!(escaped.as_deref(), Ok(r#"{"a":1}"#));
    assert_eq!(operate("{ }", " [ ] ").as_deref(), Ok("{ }"));
}

/// R4
#[test]
fn an_absent_key_is_left_to_the_caller() {
    assert_eq!(patched(PatchKind::Operations, None, "[]"), Err(PatchError::Absent));
}

#[test]
fn refusals_are_sentences_that_say_where() {
    let sentence = |stored, body| operate(stored, body).expect_err("refused").to_string();
    assert_eq!(
        sentence("{}", r#"[{"op":"test","path":"","value":{}},{"op":"remove","path":"/a"}]"#),
        "Operation 2 finds nothing to work on at '/a': the object has no member of this name."
    );
    assert_eq!(
        sentence("1", r#"[{"op":"test","path":"","value":2}]"#),
        "Operation 1: the test of '' failed, so nothing was changed."
    );
    let not_utf8 = Patch::parse(PatchKind::Merge, b"{\"a\":\xFF}", &LIMITS).expect_err("no UTF-8");
    assert_eq!(not_utf8, PatchError::NotUtf8 { position: 5 });
    let no_json = Patch::parse(PatchKind::Merge, b"{\"a\":1,}", &LIMITS).expect_err("no JSON").to_string();
    assert!(no_json.starts_with("The patch is no JSON: ") && no_json.ends_with(" at line 1 column 8."), "{no_json}");
}
