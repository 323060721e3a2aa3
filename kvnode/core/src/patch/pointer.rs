//! JSON pointers, RFC 6901, as they stand in a patch: read once, into names and indices that can be looked up.

use super::PatchError;
use super::name::{Name, characters, push_character};

/// Characters of a pointer that an error shows; it can have as many as a body has room for.
const SHOWN_CHARACTERS: usize = 80;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pointer<'t> {
    written: &'t str,
    pub(super) tokens: Vec<Token>,
}

/// One part of a pointer. Whether it is a name or an index depends on what it meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// The name as a member of an object would be written, `"name":`, in the one way in which this crate writes it.
    written: String,
    pub(super) index: Option<Index>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Index {
    At(usize),
    /// `-`, the place behind the last element.
    End,
}

impl<'t> Pointer<'t> {
    /// `written` is a string of the patch. A pointer of more tokens than a value may nest can find nothing; it is
    /// refused here, before its tokens take more memory than the patch did.
    pub(super) fn parse(written: &'t str, operation: usize, depth_max: usize) -> Result<Self, PatchError> {
        let mut pointer = Self { written, tokens: Vec::new() };
        let bad = |pointer: &Self, reason: String| {
            Err(PatchError::BadPointer { operation, pointer: pointer.shown(), reason })
        };
        let mut open: Option<String> = None;
        let mut rest = characters(written);
        while let Some(character) = rest.next() {
            match (char::from_u32(character), &mut open) {
                (Some('/'), _) => {
                    pointer.tokens.extend(open.replace(String::new()).as_deref().map(Token::new));
                    if pointer.tokens.len() >= depth_max {
                        return bad(&pointer, format!("it has more than {depth_max} parts, and no value nests deeper"));
                    }
                }
                (_, None) => return bad(&pointer, "it does not begin with '/'".to_owned()),
                (Some('~'), Some(token)) => match rest.next().and_then(char::from_u32) {
                    Some('0') => token.push('~'),
                    Some('1') => token.push('/'),
                    _ => return bad(&pointer, "after '~' only 0 (for '~') and 1 (for '/') have a meaning".to_owned()),
                },
                (_, Some(token)) => push_character(token, character),
            }
        }
        pointer.tokens.extend(open.as_deref().map(Token::new));
        Ok(pointer)
    }

    pub(super) fn starts_with(&self, other: &Pointer<'_>) -> bool {
        self.tokens.starts_with(&other.tokens)
    }

    /// As the patch wrote it, if that is short.
    pub(super) fn shown(&self) -> String {
        let inside = self.written.get(1..self.written.len() - 1).unwrap_or_default();
        match inside.char_indices().nth(SHOWN_CHARACTERS) {
            Some((end, _)) => format!("{}…", &inside[..end]),
            None => inside.to_owned(),
        }
    }
}

impl Token {
    fn new(escaped: &str) -> Self {
        let index = index(escaped);
        Self { written: format!("\"{escaped}\":"), index }
    }

    pub(super) fn name(&self) -> Name<'_> {
        Name::written(&self.written)
    }
}

fn index(token: &str) -> Option<Index> {
    let digits = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = token.len() > 1 && token.starts_with('0');
    match token {
        "-" => Some(Index::End),
        // Digits that are too large for an integer name a place that no array has.
        _ if digits && !leading_zero => Some(Index::At(token.parse().unwrap_or(usize::MAX))),
        _ => None,
    }
}
