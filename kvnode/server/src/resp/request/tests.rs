//! What single inputs give. The sentences are those a redis-server 7.0.15 answered to the same bytes.

use super::sample::{BOUNDS, encode};
use super::*;

type Words = Vec<Vec<u8>>;

/// All commands of these bytes, arriving at once, and the error they end with if they do.
fn all(bytes: &[u8], bounds: &Bounds) -> (Vec<Words>, Option<String>) {
    let (mut reader, mut arena, mut start, mut commands) = (Reader::new(), Arena::new(), 0, Vec::new());
    loop {
        match reader.read(bytes, start, bounds, &mut arena) {
            Parsed::Complete(request) => {
                assert!(request.end() > start && request.end() <= bytes.len());
                start = request.end();
                commands.push(arena.arguments(&request, bytes).iter().map(<[u8]>::to_vec).collect());
            }
            Parsed::Incomplete { more } => {
                assert!(more > 0);
                return (commands, None);
            }
            Parsed::Broken(error) => {
                let message = error.message().iter().map(|&byte| char::from(byte)).collect();
                return (commands, Some(message));
            }
        }
    }
}

fn broken(bytes: &[u8], bounds: &Bounds) -> Option<String> {
    all(bytes, bounds).1.map(|message| {
        let after = message.strip_prefix("ERR Protocol error: ").expect("Redis begins them all so");
        after.to_owned()
    })
}

fn words(bytes: &[u8]) -> Words {
    let (mut commands, error) = all(bytes, &BOUNDS);
    assert_eq!((commands.len(), error), (1, None), "{}", bytes.escape_ascii());
    commands.remove(0)
}

#[test]
fn arrays_of_bulk_strings_are_commands() {
    assert_eq!(words(b"*1\r\n$4\r\nPING\r\n"), [b"PING"]);
    assert_eq!(words(b"*2\r\n$0\r\n\r\n$3\r\n\r\n\xff\r\n"), [b"".to_vec(), b"\r\n\xff".to_vec()]);
}

#[test]
fn line_ends_are_counted_and_not_looked_at_as_redis_does() {
    assert_eq!(words(b"*1\rX$4\rYPINGXY"), [b"PING"]);
}

#[test]
fn nothing_is_asked_by_empty_arrays_and_blank_lines() {
    for nothing in ["*0\r\n", "*-1\r\n", "*-5\r\n", "\n", "\r\n", "  \t \r\n"] {
        assert_eq!(words(nothing.as_bytes()), Words::new(), "{nothing:?}");
    }
}

#[test]
fn wrong_headers_are_refused_in_redis_words() {
    let cases: &[(&[u8], &str)] = &[
        (b"*x\r\n", "invalid multibulk length"),
        (b"*\r\n", "invalid multibulk length"),
        (b"*+1\r\n", "invalid multibulk length"),
        (b"*01\r\n", "invalid multibulk length"),
        (b"*-0\r\n", "invalid multibulk length"),
        (b"* 1\r\n", "invalid multibulk length"),
        (b"*1 \r\n", "invalid multibulk length"),
        (b"*2147483648\r\n", "invalid multibulk length"),
        (b"*9223372036854775808\r\n", "invalid multibulk length"),
        (b"*-9223372036854775809\r\n", "invalid multibulk length"),
        (b"*1\r\nPING\r\n", "expected '$', got 'P'"),
        (b"*1\r\n:4\r\nPING\r\n", "expected '$', got ':'"),
        (b"*1\r\n\xff\r\n", "expected '$', got '\u{ff}'"),
        (b"*1\r\n\r\n", "expected '$', got '\r'"),
        (b"*1\r\n$-1\r\n", "invalid bulk length"),
        (b"*1\r\n$x\r\n", "invalid bulk length"),
        (b"*1\r\n$\r\n", "invalid bulk length"),
        (b"*1\r\n$04\r\nPING\r\n", "invalid bulk length"),
        (b"*1\r\n$+4\r\nPING\r\n", "invalid bulk length"),
        (b"*1\r\n$536870913\r\n", "invalid bulk length"),
        (b"*1\r\n$99999999999999999999\r\n", "invalid bulk length"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(broken(bytes, &BOUNDS).as_deref(), Some(*expected), "{}", bytes.escape_ascii());
    }
}

#[test]
fn half_a_line_may_still_become_a_whole_one() {
    let halves: [&[u8]; 9] =
        [b"*", b"*1", b"*1\r", b"*x", b"*1\r\n", b"*1\r\nx", b"*1\r\nx\r", b"*1\r\n$536870912\r\n", b"ECHO \"a\\"];
    for bytes in halves {
        assert_eq!(all(bytes, &BOUNDS), (vec![], None), "{}", bytes.escape_ascii());
    }
}

#[test]
fn lines_without_an_end_are_refused_after_64_kib() {
    let cases = [("*", "1", "too big mbulk count string"), ("", "a", "too big inline request")];
    for (before, filling, expected) in cases {
        let line = format!("{before}{}", filling.repeat(LINE_BYTES_MAX - before.len()));
        assert_eq!(broken(line.as_bytes(), &BOUNDS), None);
        assert_eq!(broken(format!("{line}{filling}").as_bytes(), &BOUNDS).as_deref(), Some(expected));
    }
    let line = format!("*1\r\n${}", "1".repeat(LINE_BYTES_MAX - 1));
    assert_eq!(broken(line.as_bytes(), &BOUNDS), None);
    assert_eq!(broken(format!("{line}1").as_bytes(), &BOUNDS).as_deref(), Some("too big bulk count string"));
    assert_eq!(words(format!("ECHO {}\r\n", "a".repeat(LINE_BYTES_MAX - 7)).as_bytes()).len(), 2);
}

#[test]
fn strangers_may_send_little() {
    let bounds = BOUNDS.for_strangers();
    assert_eq!(broken(b"*10\r\n", &bounds), None);
    assert_eq!(broken(b"*11\r\n", &bounds).as_deref(), Some("unauthenticated multibulk length"));
    assert_eq!(broken(b"*1\r\n$16384\r\n", &bounds), None);
    assert_eq!(broken(b"*1\r\n$16385\r\n", &bounds).as_deref(), Some("unauthenticated bulk length"));
    assert_eq!(broken(b"*2147483648\r\n", &bounds).as_deref(), Some("invalid multibulk length"));
    assert_eq!(broken(b"*1\r\n$536870913\r\n", &bounds).as_deref(), Some("invalid bulk length"));
}

#[test]
fn a_command_is_refused_before_it_outgrows_its_bound() {
    let bounds = Bounds::for_values_of(1000);
    let most = bounds.command_bytes_max;
    let value = vec![b'v'; bounds.bulk_bytes_max as usize];
    let few = encode(&[&value; 15]);
    assert_eq!(all(&few, &bounds).0.len(), 1);
    let many = encode(&[&value; 17]);
    let expected = format!("too big request, a command may have {most} bytes; send it in parts");
    assert_eq!(broken(&many[..few.len() + value.len() + 40], &bounds), Some(expected), "before the last has arrived");
}

#[test]
fn what_is_announced_takes_no_memory_before_it_arrives() {
    let mut arena = Arena::new();
    let mut reader = Reader::new();
    let announced = b"*1048576\r\n$3\r\nDEL\r\n$536870000\r\nk";
    assert_eq!(reader.read(announced, 0, &BOUNDS, &mut arena), Parsed::Incomplete { more: 536_870_001 });
    assert!(arena.spans.capacity() + reader.spans.capacity() < 64);
}

#[test]
fn inline_words_are_quoted_as_redis_quotes() {
    let cases: &[(&[u8], &[&[u8]])] = &[
        (b"PING\n", &[b"PING"]),
        (b"  PING  \r\n", &[b"PING"]),
        (b"PING\r\r\n", &[b"PING"]),
        (b"ECHO\ta\r\n", &[b"ECHO", b"a"]),
        (b"ECHO a\rb\n", &[b"ECHO", b"a", b"b"]),
        (b"ECHO a\x0bb\r\n", &[b"ECHO", b"a\x0bb"]),
        (b"ECHO \x0ba\x0c\r\n", &[b"ECHO", b"a\x0c"]),
        (b"ECHO a\\nb\r\n", &[b"ECHO", b"a\\nb"]),
        (b"ECHO \"a b\"\r\n", &[b"ECHO", b"a b"]),
        (b"ECHO \"\" ''\r\n", &[b"ECHO", b"", b""]),
        (b"ECHO a\"b\"\r\n", &[b"ECHO", b"ab"]),
        (b"ECHO \"a\r\"\n", &[b"ECHO", b"a\r"]),
        (b"ECHO \"a\"\r\"b\"\n", &[b"ECHO", b"a", b"b"]),
        (b"ECHO \"a\\x41\\n\\r\\t\\b\\a\\q\\\"\\\\\"\r\n", &[b"ECHO", b"aA\n\r\t\x08\x07q\"\\"]),
        (b"ECHO \"\\xzz\\x4\\xfF\"\r\n", &[b"ECHO", b"xzzx4\xff"]),
        (b"ECHO 'a\\'b\\n'\r\n", &[b"ECHO", b"a'b\\n"]),
    ];
    for (line, expected) in cases {
        assert_eq!(words(line), *expected, "{}", line.escape_ascii());
    }
}

#[test]
fn unbalanced_quotes_are_refused() {
    for line in ["\"abc", "'abc", "\"a\"b", "'a'b", "a'b'c", "a\"b", "\"a\\", "'a\\'"] {
        let line = format!("ECHO {line}\r\n");
        assert_eq!(broken(line.as_bytes(), &BOUNDS).as_deref(), Some("unbalanced quotes in request"), "{line:?}");
    }
}

#[test]
fn a_refused_line_leaves_nothing_behind_in_the_arena() {
    let mut arena = Arena::new();
    assert!(matches!(Reader::new().read(b"a b 'c\n", 0, &BOUNDS, &mut arena), Parsed::Broken(_)));
    assert!(matches!(Reader::new().read(b"*2\r\n$1\r\na\r\nx\r\n", 0, &BOUNDS, &mut arena), Parsed::Broken(_)));
    assert_eq!((arena.spans.len(), arena.unquoted.len()), (0, 0));
}

/// Counted in headers, not in time: resuming must not begin at the beginning.
#[test]
fn a_command_of_many_small_arguments_is_walked_once_however_it_arrives() {
    const PIECE_BYTES: usize = 1000;
    let bytes = encode(&vec!["k"; 100_000]);
    let (mut reader, mut arena) = (Reader::new(), Arena::new());
    let mut walked_to = 0;
    for end in (PIECE_BYTES..bytes.len()).step_by(PIECE_BYTES) {
        assert!(matches!(reader.read(&bytes[..end], 0, &BOUNDS, &mut arena), Parsed::Incomplete { .. }));
        assert!(reader.unfinished.at > walked_to && reader.unfinished.at + PIECE_BYTES > end, "keeps its place");
        assert!(arena.spans.is_empty(), "the caller may empty the arena between reads");
        walked_to = reader.unfinished.at;
    }
    let Parsed::Complete(request) = reader.read(&bytes, 0, &BOUNDS, &mut arena) else { panic!("all has arrived") };
    assert!(arena.arguments(&request, &bytes).iter().all(|argument| argument == b"k"));
    assert_eq!(arena.arguments(&request, &bytes).len(), 100_000);
    assert!(reader.spans.capacity() <= SPANS_KEPT_MAX);
}

#[test]
fn a_large_value_is_not_looked_at_before_all_of_it_can_be_there() {
    let bytes = encode(&["SET".as_bytes(), b"k", &vec![b'v'; 1_000_000]]);
    let (mut reader, mut arena) = (Reader::new(), Arena::new());
    assert!(matches!(reader.read(&bytes[..100], 0, &BOUNDS, &mut arena), Parsed::Incomplete { .. }));
    let before = reader.unfinished.at;
    for end in [101, 5000, 999_999, bytes.len() - 1] {
        let more = bytes.len() - end;
        assert_eq!(reader.read(&bytes[..end], 0, &BOUNDS, &mut arena), Parsed::Incomplete { more });
        assert_eq!(reader.unfinished.at, before);
    }
    assert!(matches!(reader.read(&bytes, 0, &BOUNDS, &mut arena), Parsed::Complete(_)));
}

#[test]
fn an_arena_that_served_a_giant_gives_its_memory_back() {
    let bytes = encode(&vec!["k"; 100_000]);
    let mut arena = Arena::new();
    assert!(matches!(Reader::new().read(&bytes, 0, &BOUNDS, &mut arena), Parsed::Complete(_)));
    arena.clear();
    assert!(arena.spans.capacity() <= SPANS_KEPT_MAX);
}
