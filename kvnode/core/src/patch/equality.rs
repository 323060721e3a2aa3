//! Equality of JSON values as RFC 6902, section 4.6, has it: strings by their characters, numbers by their numerical
//! value, arrays in order, objects without order (of members with the same name the last one counts).

use std::collections::BTreeMap;

use super::PatchError;
use super::name::compare;
use super::number::same_number;
use super::scan::{Bracketed, Kind, elements, kind, members, trimmed};
use super::work::Work;

/// Goes as deep as the shallower of the two nests, and one of them comes from a patch whose depth was checked.
pub(super) fn equal(one: &str, other: &str, work: &mut Work) -> Result<bool, PatchError> {
    work.spend(one.len() + other.len())?;
    let (one, other) = (trimmed(one), trimmed(other));
    if one == other {
        return Ok(true);
    }
    match (kind(one), kind(other)) {
        (Kind::Object, Kind::Object) => equal_objects(one, other, work),
        (Kind::Array, Kind::Array) => equal_arrays(one, other, work),
        (Kind::String, Kind::String) => Ok(compare(one, other).is_eq()),
        (Kind::Number, Kind::Number) => Ok(same_number(one, other)),
        // Of different kinds, or words that were not equal as text.
        _ => Ok(false),
    }
}

fn equal_arrays(one: &str, other: &str, work: &mut Work) -> Result<bool, PatchError> {
    let mut ones = elements(Bracketed::cut(one).body);
    let mut others = elements(Bracketed::cut(other).body);
    loop {
        match (ones.next(), others.next()) {
            (None, None) => return Ok(true),
            (Some(one), Some(other)) if equal(one, other, work)? => {}
            _ => return Ok(false),
        }
    }
}

fn equal_objects(one: &str, other: &str, work: &mut Work) -> Result<bool, PatchError> {
    let mut others = BTreeMap::new();
    for (name, value) in members(Bracketed::cut(other).body) {
        work.spend(name.search_steps(others.len()))?;
        others.insert(name, Counterpart { value, found: None });
    }
    for (name, value) in members(Bracketed::cut(one).body) {
        work.spend(name.search_steps(others.len()))?;
        let Some(counterpart) = others.get_mut(&name) else { return Ok(false) };
        counterpart.found = Some(value);
    }
    for Counterpart { value, found } in others.into_values() {
        let Some(found) = found else { return Ok(false) };
        if !equal(found, value, work)? {
            return Ok(false);
        }
    }
    Ok(true)
}

struct Counterpart<'t> {
    value: &'t str,
    found: Option<&'t str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A patch of few bytes can ask for it a thousand times.
    #[test]
    fn comparing_is_paid_for_by_all_that_has_to_be_read() {
        let long_one = format!("1.{}", "0".repeat(1000));
        let padded = format!("{}1", " ".repeat(1000));
        let nested = format!("[[[{}]]]", vec!["1.0"; 300].join(","));
        let (short_array, many_names) = (nested.replace(".0", ""), r#"{"a":1,"b":2,"c":3}"#);
        for (one, other, least) in [
            (long_one.as_str(), "1", 1000),
            (&padded, "1", 1000),
            (&nested, &short_array, 3 * nested.len()),
            (many_names, r#"{"c":3,"b":2,"a":1}"#, 2 * many_names.len()),
        ] {
            assert_eq!(equal(one, other, &mut Work::of(least)), Err(PatchError::TooMuchWork), "{one}");
            assert_eq!(equal(one, other, &mut Work::default()), Ok(true), "{one}");
        }
    }
}
