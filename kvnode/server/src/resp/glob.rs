//! Patterns of KEYS, SCAN, CONFIG GET and COMMAND LIST: `*`, `?`, `[a-z]`, `[^a-z]`, `\` before a letter that is meant
//! as it is. A pattern is read once and then tried on many texts; one try costs at most the pattern's length times the
//! text's, whatever the pattern, because only the last star is ever tried again.

/// One bit for each byte there is.
type ByteSet = [u64; 4];

#[derive(Debug)]
pub struct Pattern {
    parts: Option<Vec<Part>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Any number of bytes.
    Star,
    /// Any single byte.
    Any,
    This(u8),
    OneOf(ByteSet),
}

impl Pattern {
    /// For texts of at most so many bytes. A pattern that asks for more bytes than that matches none of them, and is
    /// not kept, so that a pattern of a megabyte costs no more than a short one.
    pub fn new(mut pattern: &[u8], text_bytes_max: usize) -> Self {
        let mut parts = Vec::new();
        let mut bytes = 0;
        while let Some((part, rest)) = part(pattern) {
            pattern = rest;
            if part == Part::Star {
                if parts.last() != Some(&Part::Star) {
                    parts.push(part);
                }
                continue;
            }
            bytes += 1;
            if bytes > text_bytes_max {
                return Self { parts: None };
            }
            parts.push(part);
        }
        Self { parts: Some(parts) }
    }

    /// For names, in which case does not matter. The text must be in small letters.
    pub fn of_names(pattern: &[u8], text_bytes_max: usize) -> Self {
        Self::new(&pattern.to_ascii_lowercase(), text_bytes_max)
    }

    pub fn matches(&self, text: &[u8]) -> bool {
        let Some(parts) = &self.parts else { return false };
        let (mut part, mut place) = (0, 0);
        // Where to go on after the last star, and the first byte that it has not been tried to swallow.
        let mut again = None;
        loop {
            match (parts.get(part), text.get(place)) {
                (Some(Part::Star), _) => {
                    again = Some((part + 1, place + 1));
                    part += 1;
                    continue;
                }
                (None, None) => return true,
                (Some(one), Some(&byte)) if one.takes(byte) => {
                    part += 1;
                    place += 1;
                    continue;
                }
                _ => {}
            }
            match again {
                Some((after_star, next)) if next <= text.len() => {
                    again = Some((after_star, next + 1));
                    (part, place) = (after_star, next);
                }
                _ => return false,
            }
        }
    }
}

impl Part {
    fn takes(&self, byte: u8) -> bool {
        match self {
            Self::Star => false,
            Self::Any => true,
            Self::This(this) => *this == byte,
            Self::OneOf(set) => set[usize::from(byte / 64)] & (1 << (byte % 64)) != 0,
        }
    }
}

/// The first part of a pattern, and the rest.
fn part(pattern: &[u8]) -> Option<(Part, &[u8])> {
    Some(match pattern {
        [] => return None,
        [b'*', rest @ ..] => (Part::Star, rest),
        [b'?', rest @ ..] => (Part::Any, rest),
        [b'[', b'^', rest @ ..] => {
            let (set, rest) = byte_set(rest);
            (Part::OneOf(set.map(|bits| !bits)), rest)
        }
        [b'[', rest @ ..] => {
            let (set, rest) = byte_set(rest);
            (Part::OneOf(set), rest)
        }
        // A backslash with nothing behind it means itself.
        [b'\\', byte, rest @ ..] | [byte, rest @ ..] => (Part::This(*byte), rest),
    })
}

/// What stands between brackets; without a closing one it ends with the pattern, as in Redis.
fn byte_set(mut inside: &[u8]) -> (ByteSet, &[u8]) {
    let mut set = ByteSet::default();
    loop {
        let (range, rest) = match inside {
            [] => return (set, inside),
            [b'\\', byte, rest @ ..] => (*byte..=*byte, rest),
            [b']', rest @ ..] => return (set, rest),
            [first, b'-', last, rest @ ..] => (*first.min(last)..=*first.max(last), rest),
            [byte, rest @ ..] => (*byte..=*byte, rest),
        };
        for byte in range {
            set[usize::from(byte / 64)] |= 1 << (byte % 64);
        }
        inside = rest;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT_BYTES_MAX: usize = 256;

    fn matches(pattern: &[u8], text: &[u8]) -> bool {
        Pattern::new(pattern, TEXT_BYTES_MAX).matches(text)
    }

    /// Each line was asked of redis-server 7.0.15: `SET <text> x` and `KEYS <pattern>` on an otherwise empty server.
    /// The first lines were thought of, the others drawn from the letters that mean something.
    #[test]
    fn patterns_match_what_they_match_in_redis() {
        let mut lines = 0;
        for line in include_str!("glob_redis_7_0.txt").lines().filter(|line| !line.starts_with('#')) {
            let [answer, pattern, text] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line:?}") };
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), answer == "yes", "{line}");
            lines += 1;
        }
        assert!(lines > 200, "{lines} lines");
    }

    #[test]
    fn patterns_and_texts_are_bytes() {
        assert!(matches(b"a?c", b"a\xffc"));
        assert!(matches(b"[\x80-\xff]", b"\xfe"));
        assert!(matches(b"\xfe*", b"\xfe\x00\xff"));
        assert!(!matches("?".as_bytes(), "é".as_bytes()));
        assert!(matches(b"", b"") && matches(b"***", b"") && !matches(b"", b"a"));
    }

    #[test]
    fn case_matters_in_keys_but_not_in_names() {
        assert!(!matches(b"GET*", b"getex"));
        for pattern in ["GET*", "gEt[A-F]x", "*X"] {
            assert!(Pattern::of_names(pattern.as_bytes(), TEXT_BYTES_MAX).matches(b"getex"), "{pattern}");
        }
    }

    /// With a recursion into each star this would take longer than there is time.
    #[test]
    fn a_hostile_pattern_is_tried_in_reasonable_time() {
        let text = [b'a'; TEXT_BYTES_MAX];
        for pattern in ["*a".repeat(100) + "*b", "a*".repeat(200) + "b", "*?".repeat(250) + "b"] {
            assert!(!matches(pattern.as_bytes(), &text));
        }
        assert!(matches(("*a".repeat(100) + "*").as_bytes(), &text));
    }

    #[test]
    fn a_giant_pattern_is_not_kept() {
        let pattern = Pattern::new(&b"[a-z]".repeat(1_000_000), TEXT_BYTES_MAX);
        assert!(pattern.parts.is_none() && !pattern.matches(b"a"));
        let stars = Pattern::new(&b"*".repeat(1_000_000), TEXT_BYTES_MAX);
        assert_eq!(stars.parts, Some(vec![Part::Star]));
    }

    /// What a pattern means, said as simply as it can be said.
    fn means(parts: &[Part], text: &[u8]) -> bool {
        match (parts, text) {
            ([], text) => text.is_empty(),
            ([Part::Star, after @ ..], text) => (0..=text.len()).any(|place| means(after, &text[place..])),
            ([part, after @ ..], [byte, rest @ ..]) => part.takes(*byte) && means(after, rest),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn trying_only_the_last_star_again_is_enough(pattern in "[ab?*]{0,8}", text in "[ab]{0,10}") {
            let pattern = Pattern::new(pattern.as_bytes(), TEXT_BYTES_MAX);
            let meant = means(pattern.parts.as_deref().unwrap_or_default(), text.as_bytes());
            prop_assert_eq!(pattern.matches(text.as_bytes()), meant);
        }

        #[test]
        fn nothing_makes_it_panic(pattern: Vec<u8>, text: Vec<u8>) {
            matches(&pattern, &text);
        }

        #[test]
        fn every_text_matches_itself_behind_backslashes(text: Vec<u8>) {
            let pattern: Vec<u8> = text.iter().flat_map(|&byte| [b'\\', byte]).collect();
            prop_assert!(matches(&pattern, &text));
        }
    }
}
