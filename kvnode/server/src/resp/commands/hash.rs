//! Names to commands in a few instructions: the name becomes one number whatever its case, and a table made by the
//! compiler says which command has that number.

use super::table::{Name, SPECS, Spec};

/// Fifteen bytes and a mark for the length fill 128 bits. The longest name without a container has eleven.
const NAME_BYTES_MAX: usize = 15;

/// About four places a name, so that nearly every name is found where it is looked for first.
const PLACES: usize = 256;

/// Bits of the golden ratio; any odd number that mixes would do.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// A folded name is never zero, so zero marks a free place.
static TABLE: [(u128, Name); PLACES] = table();

#[inline]
pub(super) fn find(name: &[u8]) -> Option<Name> {
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let folded = fold(name);
    let mut place = place(folded);
    loop {
        match TABLE[place] {
            (0, _) => return None,
            (found, name) if found == folded => return Some(name),
            _ => place = (place + 1) % PLACES,
        }
    }
}

/// Its bytes in small letters behind a one, without which `\0get` and `get` would be the same.
const fn fold(name: &[u8]) -> u128 {
    let mut folded = 1;
    let mut index = 0;
    while index < name.len() {
        folded = folded << 8 | name[index].to_ascii_lowercase() as u128;
        index += 1;
    }
    folded
}

#[expect(clippy::cast_possible_truncation, reason = "both halves are used, and then the topmost byte")]
const fn place(folded: u128) -> usize {
    (((folded as u64) ^ ((folded >> 64) as u64).rotate_left(32)).wrapping_mul(MIX) >> 56) as usize
}

const fn table() -> [(u128, Name); PLACES] {
    let mut table = [(0, Name::Get); PLACES];
    let mut index = 0;
    while index < SPECS.len() {
        let Spec { name, text, .. } = &SPECS[index];
        if !is_subcommand(text) {
            let folded = fold(text.as_bytes());
            let mut place = place(folded);
            while table[place].0 != 0 {
                place = (place + 1) % PLACES;
            }
            table[place] = (folded, *name);
        }
        index += 1;
    }
    table
}

const fn is_subcommand(text: &str) -> bool {
    let mut index = 0;
    while index < text.len() {
        if text.as_bytes()[index] == b'|' {
            return true;
        }
        index += 1;
    }
    assert!(text.len() <= NAME_BYTES_MAX, "the name is too long for the table");
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case_and_soon() {
        for spec in Name::all().filter(|spec| spec.parts().is_none()) {
            assert_eq!(find(spec.text.as_bytes()), Some(spec.name));
            assert_eq!(find(spec.text.to_ascii_uppercase().as_bytes()), Some(spec.name));
            let folded = fold(spec.text.as_bytes());
            let steps = (0..PLACES).position(|step| TABLE[(place(folded) + step) % PLACES].0 == folded);
            assert!(steps.is_some_and(|steps| steps <= 4), "{} is {steps:?} places away", spec.text);
        }
    }

    #[test]
    fn nothing_else_is_found() {
        let long = "get".repeat(100);
        for name in ["", "ge", "gett", "get\0", "\0get", "client|id", "gët", &long, "\x01get", "[et"] {
            assert_eq!(find(name.as_bytes()), None, "{name:?}");
        }
    }
}
