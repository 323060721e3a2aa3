//! Cuts well-formed JSON text into the elements or members of its outermost array or object, without looking deeper
//! than brackets and quotes. It never recurses; on text that is not well-formed its pieces mean nothing, but it ends.

use super::name::Name;

const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(SPACE)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    String,
    Number,
    /// `true`, `false` or `null`
    Word,
}

pub(super) fn kind(text: &str) -> Kind {
    match text.trim_start_matches(SPACE).bytes().next() {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::String,
        Some(b'-' | b'0'..=b'9') => Kind::Number,
        _ => Kind::Word,
    }
}

/// How many arrays and objects lie within each other: 0 for a number, 1 for `[]`.
pub(super) fn nesting(text: &str) -> usize {
    let mut scanner = Scanner::new(text);
    scanner.skip_space();
    scanner.skip_value()
}

/// The text of an array or object, cut at its brackets.
#[derive(Debug)]
pub(super) struct Bracketed<'t> {
    pub(super) before: &'t str,
    /// All elements or members with what is between them.
    pub(super) body: &'t str,
    /// White space between the last of them and the closing bracket.
    pub(super) tail: &'t str,
    pub(super) after: &'t str,
}

impl<'t> Bracketed<'t> {
    pub(super) fn cut(text: &'t str) -> Self {
        let from_bracket = text.trim_start_matches(SPACE);
        let (before, _) = text.split_at(text.len() - from_bracket.len());
        let bare = from_bracket.trim_end_matches(SPACE);
        let (_, after) = from_bracket.split_at(bare.len());
        let inside = bare.get(1..bare.len().saturating_sub(1)).unwrap_or_default();
        let body = inside.trim_end_matches(SPACE);
        let (_, tail) = inside.split_at(body.len());
        Self { before, body, tail, after }
    }
}

/// The elements of an array's body, each with the white space around it.
pub(super) fn elements(body: &str) -> impl Iterator<Item = &str> {
    let mut scanner = Scanner::new(body);
    let mut more = !body.is_empty();
    std::iter::from_fn(move || {
        more.then(|| {
            let element = scanner.take_value();
            more = scanner.skip_if(b',');
            element
        })
    })
}

/// The members of an object's body: the name up to the value, and the value with the white space after it.
pub(super) fn members(body: &str) -> impl Iterator<Item = (Name<'_>, &str)> {
    let mut scanner = Scanner::new(body);
    let mut more = !body.is_empty();
    std::iter::from_fn(move || {
        more.then(|| {
            let name = Name::written(scanner.take_name());
            let value = scanner.take_value();
            more = scanner.skip_if(b',');
            (name, value)
        })
    })
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take_value(&mut self) -> &'t str {
        let start = self.at;
        self.skip_space();
        self.skip_value();
        self.skip_space();
        &self.text[start..self.at]
    }

    fn take_name(&mut self) -> &'t str {
        let start = self.at;
        self.skip_space();
        self.skip_value();
        self.skip_space();
        self.skip_if(b':');
        self.skip_space();
        &self.text[start..self.at]
    }

    fn skip_if(&mut self, wanted: u8) -> bool {
        let there = self.peek() == Some(wanted);
        self.at += usize::from(there);
        there
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Gives the nesting of the value it passed.
    fn skip_value(&mut self) -> usize {
        match self.peek() {
            Some(b'"') => {
                self.skip_string();
                0
            }
            Some(b'[' | b'{') => self.skip_brackets(),
            _ => {
                self.skip_word();
                0
            }
        }
    }

    fn skip_brackets(&mut self) -> usize {
        let (mut depth, mut deepest) = (0_usize, 0);
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.skip_string();
                    continue;
                }
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            deepest = deepest.max(depth);
            if depth == 0 {
                break;
            }
        }
        deepest
    }

    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return;
            }
        }
        // A backslash at the end of text that is not well-formed would lead beyond it.
        self.at = self.text.len();
    }

    fn skip_word(&mut self) {
        while let Some(byte) = self.peek()
            && !matches!(byte, b',' | b':' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r')
        {
            self.at += 1;
        }
    }
}
