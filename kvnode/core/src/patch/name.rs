//! Strings of JSON text, compared by the characters they stand for: `"a"` and `"\u0061"` are the same name. Nothing is
//! decoded into memory for it, and a surrogate without its other half, which JSON text may have, equals only itself.

use std::cmp::Ordering;
use std::iter::FusedIterator;
use std::str::Chars;

use super::scan::trimmed;

/// Stands for an escape that is none; well-formed text has no such thing.
const REPLACEMENT: u32 = char::REPLACEMENT_CHARACTER as u32;

/// A member's name as it is written, with the white space before it and the colon behind it. Only what stands between
/// its quotes counts when names are compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'t>(&'t str);

impl<'t> Name<'t> {
    pub(super) fn written(text: &'t str) -> Self {
        Self(text)
    }

    /// Without the white space around it, which meant something only where the name stood.
    pub(super) fn trimmed(self) -> Self {
        Self(trimmed(self.0))
    }

    pub(super) fn as_written(self) -> &'t str {
        self.0
    }

    /// What it costs to find this name among sorted ones: it is compared with a logarithm of them.
    pub(super) fn search_steps(self, names: usize) -> usize {
        self.0.len() * (names.checked_ilog2().unwrap_or(0) as usize + 1)
    }
}

impl PartialEq for Name<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Name<'_> {}

impl PartialOrd for Name<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self.0, other.0)
    }
}

/// Orders the strings that two texts begin with by their characters.
pub(super) fn compare(one: &str, other: &str) -> Ordering {
    let (one, other) = (inside(one), inside(other));
    let is_plain = |byte: u8| !matches!(byte, b'"' | b'\\');
    let alike = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other && is_plain(*one)).count();
    match (one.as_bytes().get(alike), other.as_bytes().get(alike)) {
        // UTF-8 orders bytes as it orders characters.
        (Some(one), Some(other)) if is_plain(*one) && is_plain(*other) => one.cmp(other),
        // A quote or a backslash is a character of its own, so that both texts can be cut here.
        _ => Characters::within(&one[alike..]).cmp(Characters::within(&other[alike..])),
    }
}

/// The characters of the string that the text begins with.
pub(super) fn characters(text: &str) -> Characters<'_> {
    Characters::within(inside(text))
}

/// What follows the opening quote.
fn inside(text: &str) -> &str {
    text.split_once('"').map_or("", |(_, inside)| inside)
}

/// The string that the text begins with; nothing if it holds half a surrogate pair.
pub(super) fn decoded(text: &str) -> Option<String> {
    characters(text).map(char::from_u32).collect()
}

/// Writes one character of a string as JSON text.
pub(super) fn push_character(out: &mut String, character: u32) {
    match char::from_u32(character) {
        Some('"') => out.push_str("\\\""),
        Some('\\') => out.push_str("\\\\"),
        Some(plain) if !plain.is_ascii_control() => out.push(plain),
        // Half a pair, or a control character; both have four digits at most.
        _ => out.extend(['\\', 'u'].into_iter().chain(four_digits_of(character))),
    }
}

fn four_digits_of(unit: u32) -> impl Iterator<Item = char> {
    [12, 8, 4, 0].into_iter().filter_map(move |shift| char::from_digit((unit >> shift) & 0xF, 16))
}

/// Code points, or halves of a surrogate pair that stand alone.
#[derive(Clone, Debug)]
pub(super) struct Characters<'t> {
    rest: Chars<'t>,
}

impl Iterator for Characters<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        match self.rest.next()? {
            '"' => {
                self.rest = "".chars();
                None
            }
            '\\' => Some(self.escape()),
            plain => Some(u32::from(plain)),
        }
    }
}

impl FusedIterator for Characters<'_> {}

impl<'t> Characters<'t> {
    fn within(inside: &'t str) -> Self {
        Self { rest: inside.chars() }
    }

    fn escape(&mut self) -> u32 {
        match self.rest.next() {
            Some('u') => self.unicode(),
            Some('b') => 0x08,
            Some('t') => 0x09,
            Some('n') => 0x0A,
            Some('f') => 0x0C,
            Some('r') => 0x0D,
            Some(itself) => u32::from(itself),
            None => REPLACEMENT,
        }
    }

    fn unicode(&mut self) -> u32 {
        let first = self.four_digits();
        if !(0xD800..0xDC00).contains(&first) {
            return first;
        }
        let mut ahead = self.clone();
        if ahead.rest.next() == Some('\\') && ahead.rest.next() == Some('u') {
            let second = ahead.four_digits();
            if (0xDC00..0xE000).contains(&second) {
                *self = ahead;
                return 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
            }
        }
        first
    }

    fn four_digits(&mut self) -> u32 {
        let Some((digits, rest)) = self.rest.as_str().split_at_checked(4) else { return REPLACEMENT };
        self.rest = rest.chars();
        u32::from_str_radix(digits, 16).unwrap_or(REPLACEMENT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_equal_when_their_characters_are() {
        for (one, other) in [
            (r#""a""#, r#""\u0061""#),
            (r#"  "/" : "#, r#""\/":"#),
            (r#""\n\t\r\b\f""#, r#""\u000a\u0009\u000D\u0008\u000c""#),
            (r#""😀""#, r#""\ud83d\uDE00""#),
            (r#""\"\\""#, r#""\u0022\u005c""#),
            (r#""\ud800""#, r#""\uD800""#),
        ] {
            assert_eq!(Name::written(one), Name::written(other));
        }
    }

    #[test]
    fn names_differ_when_their_characters_do() {
        for (one, other) in [
            (r#""a""#, r#""A""#),
            (r#""a""#, r#""a ""#),
            (r#""a""#, r#""ab""#),
            (r#""\ud800""#, r#""\ud801""#),
            (r#""\ud83d""#, r#""\ud83d\ude00""#),
            (r#""é""#, "\"e\u{301}\""),
        ] {
            assert_ne!(Name::written(one), Name::written(other));
        }
    }

    #[test]
    fn what_is_written_reads_as_the_same_characters() {
        let text = r#""a\"\\\u0000\n\ud800é😀\/""#;
        let mut out = String::from("\"");
        characters(text).for_each(|character| push_character(&mut out, character));
        out.push('"');
        assert_eq!(Name::written(&out), Name::written(text));
        assert!(serde_json::from_str::<&serde_json::value::RawValue>(&out).is_ok(), "{out}");
    }
}
