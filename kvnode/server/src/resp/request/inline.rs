//! A command typed as a line, for people with a terminal and for probes: words between blanks, quoted as Redis
//! quotes. The words are copied, because a quoted one is not in the buffer as it is meant.

use std::ops::Range;

use super::arena::{Arena, Source, Span};
use super::error::ProtocolError;

/// What C calls white space. The vertical tab and the form feed part no words, but may stand around them.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// Puts the words of a line into the arena, or nothing when the quotes do not match.
pub(super) fn split(line: &[u8], arena: &mut Arena) -> Result<(Source, Range<usize>), ProtocolError> {
    let (start, first) = (arena.unquoted.len(), arena.spans.len());
    let mut rest = after_space(line);
    while !rest.is_empty() {
        let begun = arena.unquoted.len();
        match word(rest, &mut arena.unquoted) {
            Ok(after) => rest = after_space(after),
            Err(error) => {
                arena.spans.truncate(first);
                arena.unquoted.truncate(start);
                return Err(error);
            }
        }
        arena.spans.push(Span::new(begun - start, arena.unquoted.len() - begun));
    }
    Ok((Source::Unquoted { start }, first..arena.spans.len()))
}

fn after_space(line: &[u8]) -> &[u8] {
    let blanks = line.iter().take_while(|&&byte| is_space(byte)).count();
    &line[blanks..]
}

/// Writes one word without its quotes; gives what comes after it.
fn word<'l>(mut rest: &'l [u8], unquoted: &mut Vec<u8>) -> Result<&'l [u8], ProtocolError> {
    loop {
        match rest {
            [] | [b' ' | b'\t' | b'\n' | b'\r', ..] => return Ok(rest),
            [b'"', quoted @ ..] => return double_quoted(quoted, unquoted),
            [b'\'', quoted @ ..] => return single_quoted(quoted, unquoted),
            [byte, after @ ..] => {
                unquoted.push(*byte);
                rest = after;
            }
        }
    }
}

fn double_quoted<'l>(mut rest: &'l [u8], unquoted: &mut Vec<u8>) -> Result<&'l [u8], ProtocolError> {
    loop {
        let (byte, after) = match rest {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'"', after @ ..] => return closed(after),
            [b'\\', b'x', high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                (hex_digit(*high) << 4 | hex_digit(*low), after)
            }
            [b'\\', escaped, after @ ..] => (escape(*escaped), after),
            [byte, after @ ..] => (*byte, after),
        };
        unquoted.push(byte);
        rest = after;
    }
}

fn single_quoted<'l>(mut rest: &'l [u8], unquoted: &mut Vec<u8>) -> Result<&'l [u8], ProtocolError> {
    loop {
        let (byte, after) = match rest {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'\'', after @ ..] => return closed(after),
            [b'\\', b'\'', after @ ..] => (b'\'', after),
            [byte, after @ ..] => (*byte, after),
        };
        unquoted.push(byte);
        rest = after;
    }
}

/// A closing quote ends the word: letters right behind it are a mistake and not the word's second half.
fn closed(after: &[u8]) -> Result<&[u8], ProtocolError> {
    match after.first() {
        Some(&byte) if !is_space(byte) => Err(ProtocolError::UnbalancedQuotes),
        _ => Ok(after),
    }
}

const fn escape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

const fn hex_digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        _ => byte - b'A' + 10,
    }
}
