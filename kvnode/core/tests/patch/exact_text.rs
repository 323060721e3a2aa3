//! What a patch does not touch keeps every character.

use crate::fixture::{merge, operate, shallow};

const ODD: &str = r#"{"big":123456789012345678901234567890,"far":1e400,"nil":-0,"dot":1.10,"z":1,"a":[ 1 , 2 ],"dup":1,"dup":{ "x" :1},"esc":"\u0061\/","n":0}"#;

#[test]
fn numbers_order_duplicates_escapes_and_space_survive_a_change_beside_them() {
    let expected = ODD.replace(r#""n":0"#, r#""n":9.0"#);
    assert_eq!(shallow(ODD, r#"{"n":9.0}"#).as_deref(), Ok(expected.as_str()));
    assert_eq!(merge(ODD, r#"{"n":9.0}"#).as_deref(), Ok(expected.as_str()));
    let replaced = operate(ODD, r#"[{"op":"replace","path":"/n","value":9.0}]"#);
    assert_eq!(replaced.as_deref(), Ok(expected.as_str()));
}

#[test]
fn looking_into_a_value_changes_no_character_of_it() {
    let stored = "{\n  \"a\" : [ 1 ,\t{ } , [ ] ],\r\n  \"b\":{ \"c\" : -0 , \"c\":1 }\n}";
    let looks = r#"[
        {"op":"test","path":"/a/0","value":1.0},
        {"op":"test","path":"/a/1","value":{}},
        {"op":"test","path":"/b/c","value":1},
        {"op":"move","from":"/b/c","path":"/b/c"}
    ]"#;
    assert_eq!(operate(stored, looks).as_deref(), Ok(stored));
    assert_eq!(merge(stored, r#"{"b":{}}"#).as_deref(), Ok(stored));
    assert_eq!(merge(stored, r#"{"none":null}"#).as_deref(), Ok(stored));
    assert_eq!(shallow(stored, "{}").as_deref(), Ok(stored));
}

#[test]
fn white_space_beside_a_change_survives_it() {
    let stored = "{\n  \"a\": 1,\n  \"b\": [ 1, 2 ]\n}";
    assert_eq!(merge(stored, r#"{"a":2}"#).as_deref(), Ok("{\n  \"a\": 2,\n  \"b\": [ 1, 2 ]\n}"));
    let appended = operate(stored, r#"[{"op":"add","path":"/b/-","value":3}]"#);
    assert_eq!(appended.as_deref(), Ok("{\n  \"a\": 1,\n  \"b\": [ 1, 2,3 ]\n}"));
    let removed = operate(stored, r#"[{"op":"remove","path":"/a"}]"#);
    assert_eq!(removed.as_deref(), Ok("{\n  \"b\": [ 1, 2 ]\n}"));
}

#[test]
fn moved_and_copied_values_keep_their_text_and_new_names_their_escapes() {
    let stored = r#"{"a": 1.10 ,"b":[ 12345678901234567890.0 , 2 ]}"#;
    let copied =
        operate(stored, r#"[{"op":"copy","from":"/b/0","path":"/c"},{"op":"move","from":"/a","path":"/b/0"}]"#);
    assert_eq!(copied.as_deref(), Ok(r#"{"b":[1.10, 12345678901234567890.0 , 2 ],"c":12345678901234567890.0}"#));
    let opened = operate(
        r#"{"a": [ 1.0 ] ,"b":0}"#,
        r#"[{"op":"test","path":"/a/0","value":1},{"op":"copy","from":"/a","path":"/c"}]"#,
    );
    assert_eq!(opened.as_deref(), Ok(r#"{"a": [ 1.0 ] ,"b":0,"c":[ 1.0 ]}"#));
    assert_eq!(merge("{}", r#"{"\u0061\/":1}"#).as_deref(), Ok(r#"{"\u0061\/":1}"#));
}

#[test]
fn a_replaced_member_keeps_its_place_and_an_added_one_goes_to_the_end() {
    let stored = r#"{"z":1,"m":2,"a":3}"#;
    assert_eq!(merge(stored, r#"{"b":5,"m":4}"#).as_deref(), Ok(r#"{"z":1,"m":4,"a":3,"b":5}"#));
    let added = operate(stored, r#"[{"op":"add","path":"/m","value":4},{"op":"add","path":"/b","value":5}]"#);
    assert_eq!(added.as_deref(), Ok(r#"{"z":1,"m":4,"a":3,"b":5}"#));
    let renewed = operate(stored, r#"[{"op":"remove","path":"/z"},{"op":"add","path":"/z","value":1}]"#);
    assert_eq!(renewed.as_deref(), Ok(r#"{"m":2,"a":3,"z":1}"#), "what was removed and added again is new");
}
