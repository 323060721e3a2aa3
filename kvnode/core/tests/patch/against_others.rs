//! Random values and patches: the results have to be those of another implementation, and JSON whatever happens.

use kvnode_core::patch::PatchKind;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::fixture::{merge, operate, patched};

const NAMES: &str = "[abc0/~]{1,2}";

/// Small integers, because others round numbers, and no names twice, because others drop them.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        3 => (-3..4_i64).prop_map(Value::from),
        2 => "[a\"\\\\/ é\n]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(NAMES, inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_layout() -> impl Strategy<Value = fn(&Value) -> String> {
    prop_oneof![
        Just((|value| value.to_string()) as fn(&Value) -> String),
        Just((|value| format!("{value:#}")) as fn(&Value) -> String),
    ]
}

/// Each pointer into a value, beginning with the one to all of it.
fn pointers(value: &Value) -> Vec<String> {
    let below = |(token, value): (String, &Value)| -> Vec<String> {
        pointers(value).into_iter().map(|rest| format!("/{token}{rest}")).collect()
    };
    let mut all = vec![String::new()];
    match value {
        Value::Array(elements) => {
            all.extend(elements.iter().enumerate().flat_map(|(index, value)| below((index.to_string(), value))));
        }
        Value::Object(members) => {
            let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
            all.extend(members.iter().flat_map(|(name, value)| below((escaped(name), value))));
        }
        _ => {}
    }
    all
}

/// A place that was in the value before the first operation, or one that is perhaps new.
#[derive(Clone, Debug)]
struct Place {
    known: Index,
    below: Option<String>,
}

impl Place {
    fn pointer(&self, known: &[String]) -> String {
        format!("{}{}", self.known.get(known), self.below.as_deref().unwrap_or_default())
    }
}

fn any_place() -> impl Strategy<Value = Place> {
    let below = prop::option::weighted(0.4, "/(a|b|0|1|2|-|01|~0|~1|)");
    (any::<Index>(), below).prop_map(|(known, below)| Place { known, below })
}

#[derive(Clone, Debug)]
struct Step {
    op: &'static str,
    path: Place,
    from: Place,
    /// What is really there, if that is to be expected by a test.
    truthful: bool,
    value: Value,
}

fn any_step() -> impl Strategy<Value = Step> {
    let op = prop::sample::select(vec!["add", "add", "remove", "replace", "move", "copy", "test"]);
    (op, any_place(), any_place(), prop::bool::weighted(0.8), any_value())
        .prop_map(|(op, path, from, truthful, value)| Step { op, path, from, truthful, value })
}

impl Step {
    fn operation(&self, stored: &Value, known: &[String]) -> Value {
        let (path, from) = (self.path.pointer(known), self.from.pointer(known));
        let there = stored.pointer(&path).filter(|_| self.op == "test" && self.truthful);
        let value = there.unwrap_or(&self.value);
        match self.op {
            "move" | "copy" => json!({"op": self.op, "from": from, "path": path}),
            "remove" => json!({"op": "remove", "path": path}),
            op => json!({"op": op, "path": path, "value": value}),
        }
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("a patched value is JSON")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// R4
    #[test]
    fn a_merge_gives_what_the_other_implementation_gives(
        stored in any_value(),
        patch in any_value(),
        layout in any_layout(),
    ) {
        let mut expected = stored.clone();
        json_patch::merge(&mut expected, &patch);
        let merged = merge(&layout(&stored), &layout(&patch)).expect("every value can be merged");
        prop_assert_eq!(parsed(&merged), expected);
    }

    /// R4
    #[test]
    fn operations_succeed_and_fail_as_those_of_the_other_implementation(
        stored in any_value(),
        steps in prop::collection::vec(any_step(), 1..5),
        layout in any_layout(),
    ) {
        let known = pointers(&stored);
        let operations: Vec<Value> = steps.iter().map(|step| step.operation(&stored, &known)).collect();
        // A value moved to where it is: the RFC has nothing against it, the other implementation has.
        prop_assume!(!operations.contains(&json!({"op": "move", "from": "", "path": ""})));
        let operations = Value::from(operations);
        let others: json_patch::Patch = serde_json::from_value(operations.clone()).expect("operations");
        let mut expected = stored.clone();
        // The variant that undoes nothing: the other one cannot undo a move of a member to where its parent was.
        let succeeds = json_patch::patch_unsafe(&mut expected, &others);
        match operate(&layout(&stored), &layout(&operations)) {
            Ok(text) => {
                prop_assert!(succeeds.is_ok(), "{succeeds:?} but {text}");
                prop_assert_eq!(parsed(&text), expected);
            }
            Err(error) => prop_assert!(succeeds.is_err(), "{error} but {expected}"),
        }
    }

    #[test]
    fn looking_at_everything_changes_no_character(stored in any_value(), layout in any_layout()) {
        let tests: Vec<Value> = pointers(&stored)
            .into_iter()
            .map(|path| json!({"op": "test", "path": path, "value": stored.pointer(&path)}))
            .collect();
        let text = layout(&stored);
        prop_assert_eq!(operate(&text, &Value::from(tests).to_string()), Ok(text));
    }

    #[test]
    fn a_stored_text_that_is_no_json_is_no_reason_to_panic(
        stored in "[\\[\\]{}\",:\\\\ué1 ]{0,24}",
        step in any_step(),
        patch in any_value(),
    ) {
        let operation = step.operation(&patch, &pointers(&patch));
        for (kind, body) in [
            (PatchKind::Shallow, json!({"a": patch.clone()})),
            (PatchKind::Merge, patch),
            (PatchKind::Operations, Value::from(vec![operation])),
        ] {
            // What it answers means nothing; that it answers is the test.
            let _ = patched(kind, Some(&stored), &body.to_string());
        }
    }
}
