//! Bodies made to cost more than they weigh. Each has to end in its own refusal, within bounded memory and time.

use kvnode_core::patch::{OPERATIONS_MAX, Patch, PatchError, PatchKind};

use crate::fixture::{LIMITS, code, merge, operate, patched, shallow};

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

fn operations(operation: &str, count: usize) -> String {
    format!("[{}]", vec![operation; count].join(","))
}

#[test]
fn a_patch_that_nests_128_deep_is_good_and_one_that_nests_deeper_is_not() {
    for kind in [PatchKind::Shallow, PatchKind::Merge] {
        assert_eq!(patched(kind, None, &nested(128)), Ok(nested(128)));
        for depth in [129, 10_000, 500_000] {
            assert_eq!(patched(kind, None, &nested(depth)), Err(PatchError::TooDeep { max: 128 }));
        }
    }
    let objects = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    assert_eq!(merge("{}", &objects), Err(PatchError::TooDeep { max: 128 }));
    let replace = |depth| format!(r#"[{{"op":"replace","path":"","value":{}}}]"#, nested(depth));
    assert_eq!(operate("1", &replace(128)), Ok(nested(128)));
    assert_eq!(code(&operate("1", &replace(129))), "TooDeep");
    assert_eq!(code(&operate("1", &nested(10_000))), "TooDeep");
}

#[test]
fn a_merge_at_the_deepest_level_is_done() {
    let wrap = |inside: &str| format!("{}{inside}{}", r#"{"a":"#.repeat(127), "}".repeat(127));
    let merged = merge(&wrap(r#"{"b":1}"#), &wrap(r#"{"c":2}"#));
    assert_eq!(merged, Ok(wrap(r#"{"b":1,"c":2}"#)));
}

#[test]
fn operations_cannot_nest_a_value_deeper_than_one_may_be_sent() {
    let stored = format!("[{}]", nested(126));
    assert!(operate(&stored, r#"[{"op":"add","path":"/0/0","value":[]}]"#).is_ok());
    let deepest = format!("{}/-", "/0".repeat(126));
    let within = |value: &str| format!(r#"[{{"op":"add","path":"{deepest}","value":{value}}}]"#);
    assert!(operate(&stored, &within("[]")).is_ok(), "128 deep");
    let deeper = operate(&stored, &within("[[]]"));
    assert_eq!(deeper, Err(PatchError::ResultTooDeep { operation: 1, max: 128 }));
    let inside = format!("{}/-", "/0".repeat(99));
    let copy = format!(r#"[{{"op":"copy","from":"","path":"{inside}"}}]"#);
    assert_eq!(operate(&nested(100), &copy), Err(PatchError::ResultTooDeep { operation: 1, max: 128 }));
    let look = format!(r#"{{"op":"test","path":"{}","value":[]}}"#, "/0".repeat(99));
    let copy_opened = copy.replacen('[', &format!("[{look},"), 1);
    assert_eq!(operate(&nested(100), &copy_opened), Err(PatchError::ResultTooDeep { operation: 2, max: 128 }));
    let twins = format!("[{0},{0}]", nested(100));
    let r#move = format!(r#"[{{"op":"move","from":"/1","path":"/0{inside}"}}]"#);
    assert_eq!(operate(&twins, &r#move), Err(PatchError::ResultTooDeep { operation: 1, max: 128 }));
}

#[test]
fn copies_that_double_the_value_forty_times_are_stopped_while_they_are_small() {
    let doubling = operations(r#"{"op":"copy","from":"","path":"/-"}"#, 40);
    assert_eq!(code(&operate(r#"["0123456789"]"#, &doubling)), "CopiesTooLarge");
    let beside: Vec<String> = (0..40)
        .flat_map(|round| {
            [
                format!(r#"{{"op":"add","path":"/{}","value":[]}}"#, round + 1),
                format!(r#"{{"op":"copy","from":"/{round}","path":"/{}/-"}}"#, round + 1),
                format!(r#"{{"op":"copy","from":"/{round}","path":"/{}/-"}}"#, round + 1),
            ]
        })
        .collect();
    let beside = format!("[{}]", beside.join(","));
    assert_eq!(code(&operate(r#"["0123456789"]"#, &beside)), "CopiesTooLarge");
}

#[test]
fn a_result_of_the_largest_size_is_good_and_one_byte_more_is_not() {
    let fill = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - r#"{"a":""}"#.len()));
    assert_eq!(shallow("{}", &fill(LIMITS.bytes_max)).map(|text| text.len()), Ok(LIMITS.bytes_max));
    let larger = Err(PatchError::ResultTooLarge { bytes: LIMITS.bytes_max + 1, max: LIMITS.bytes_max });
    assert_eq!(shallow("{}", &fill(LIMITS.bytes_max + 1)), larger);
    assert_eq!(merge(&fill(LIMITS.bytes_max - 5), r#"{"b":1}"#), larger);
    assert_eq!(operate(&fill(LIMITS.bytes_max - 5), r#"[{"op":"add","path":"/b","value":1}]"#), larger);
}

#[test]
fn operations_beyond_the_bound_are_refused_before_any_is_read() {
    let test = r#"{"op":"test","path":"","value":1}"#;
    assert_eq!(operate("1", &operations(test, OPERATIONS_MAX)).as_deref(), Ok("1"));
    assert_eq!(operate("1", &operations(test, OPERATIONS_MAX + 1)), Err(PatchError::TooManyOperations));
    assert_eq!(operate("1", &operations("0", 100_000)), Err(PatchError::TooManyOperations));
}

#[test]
fn a_pointer_of_a_mebibyte_is_refused_or_finds_nothing() {
    let parts = "/".repeat(1 << 20);
    let remove = |path: &str| format!(r#"[{{"op":"remove","path":"{path}"}}]"#);
    let error = operate("{}", &remove(&parts)).expect_err("too many parts");
    assert_eq!(error.code(), "BadPointer");
    assert!(error.to_string().len() < 300, "the sentence shows the beginning only: {error}");
    let name = format!("/{}", "n".repeat(1 << 20));
    let error = operate(r#"{"n":1}"#, &remove(&name)).expect_err("no such member");
    assert_eq!(error.code(), "NoTarget");
    assert!(error.to_string().len() < 300);
}

/// `STEPS_MAX` is the bound.
#[test]
fn removing_from_the_front_of_a_large_array_again_and_again_is_stopped() {
    let head = r#"{"op":"remove","path":"/0"}"#;
    assert_eq!(operate("[]", &operations(head, 10_000)), Err(PatchError::TooManyOperations));
    let array = |length: usize| format!("[{}]", vec!["1"; length].join(","));
    assert_eq!(operate(&array(1_000_000), &operations(head, 1000)), Err(PatchError::TooMuchWork));
    assert_eq!(operate(&array(10_000), &operations(head, 1000)), Ok(array(9000)));
}

/// `STEPS_MAX` is the bound.
#[test]
fn moving_through_a_large_array_again_and_again_is_stopped() {
    let stored = format!("[{}]", vec!["1"; 1_000_000].join(","));
    let body = operations(r#"{"op":"move","from":"/0","path":"/999999"}"#, 500);
    assert_eq!(operate(&stored, &body), Err(PatchError::TooMuchWork));
}

#[test]
fn many_members_merged_into_many_are_found_in_sorted_names() {
    let object = |from: usize, value: u8| {
        let members: Vec<String> = (from..from + 100_000).map(|number| format!("\"{number}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    };
    let merged = merge(&object(0, 1), &object(50_000, 2)).expect("within the bound of steps");
    assert_eq!(merged.matches(":1").count(), 50_000);
    assert_eq!(merged.matches(":2").count(), 100_000);
    assert_eq!(shallow(&object(0, 1), &object(50_000, 2)), Ok(merged));
    let nulls = object(0, 1).replace(":1", ":null");
    assert_eq!(merge(&object(0, 1), &nulls).as_deref(), Ok("{}"));
}

#[test]
fn a_hundred_thousand_duplicates_are_removed_at_once() {
    let stored = format!("{{{}}}", vec![r#""a":1"#; 100_000].join(","));
    assert_eq!(merge(&stored, r#"{"a":null}"#).as_deref(), Ok("{}"));
    assert_eq!(operate(&stored, r#"[{"op":"remove","path":"/a"}]"#).as_deref(), Ok("{}"));
}

#[test]
fn numbers_with_exponents_beyond_reason_are_compared_and_kept() {
    let stored = "[1e999999999,1e-999999999]";
    let tests = r#"[{"op":"test","path":"/0","value":10e999999998},{"op":"test","path":"/1","value":0.1e-999999998}]"#;
    assert_eq!(operate(stored, tests).as_deref(), Ok(stored));
    let digits = "9".repeat(500_000);
    let stored = format!("1e{digits}");
    let tests = format!(r#"[{{"op":"test","path":"","value":1.0E+{digits}}}]"#);
    assert_eq!(operate(&stored, &tests), Ok(stored));
}

#[test]
fn a_patch_that_is_no_json_is_refused_whatever_its_kind() {
    for kind in [PatchKind::Shallow, PatchKind::Merge, PatchKind::Operations] {
        for body in ["", " ", "{", "[1,]", "01", "{\"a\":1}}", "\"\t\"", "NaN", "{'a':1}", "\u{feff}{}"] {
            let error = Patch::parse(kind, body.as_bytes(), &LIMITS).expect_err("no JSON");
            assert_eq!(error.code(), "NotJson", "{body:?}");
        }
    }
}
