//! What a connection makes of any bytes: the same commands in whatever pieces they come, each of them found or refused,
//! and options that are read or refused. The first byte says whether it is a stranger's connection.

use super::commands;
use super::glob::Pattern;
use super::options::expiry::Form;
use super::options::{client, command_list, expire, getex, hello, number, scan, set};
use super::reply::{Protocol, Writer};
use super::request::{Arena, Arguments, Bounds, Parsed, ProtocolError, Reader};

type Words = Vec<Vec<u8>>;

/// What a connection gives: its commands, and whether and why it broke.
type Heard = (Vec<Words>, Option<ProtocolError>);

/// Small enough for inputs to go beyond them.
const BOUNDS: Bounds =
    Bounds { arguments_max: 1024, bulk_bytes_max: 64 * 1024, command_bytes_max: 256 * 1024, authenticated: true };

pub(crate) fn check(bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let bounds = if first % 2 == 0 { BOUNDS } else { BOUNDS.for_strangers() };
    let whole = hear([bytes], &bounds, understand);
    assert_eq!(hear(bytes.chunks(1), &bounds, |_| ()), whole);
    let (before, behind) = bytes.split_at(usize::from(*first).min(bytes.len()));
    assert_eq!(hear([before, behind], &bounds, |_| ()), whole);
}

/// Reads like a connection: pieces arrive, all commands in the buffer are taken, what was read is dropped.
pub(super) fn hear<'p>(
    pieces: impl IntoIterator<Item = &'p [u8]>,
    bounds: &Bounds,
    mut each: impl FnMut(Arguments<'_>),
) -> Heard {
    let (mut reader, mut arena, mut buffer, mut commands) = (Reader::new(), Arena::new(), Vec::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        let mut start = 0;
        loop {
            match reader.read(&buffer, start, bounds, &mut arena) {
                Parsed::Complete(request) => {
                    assert!(request.end() > start && request.end() <= buffer.len());
                    start = request.end();
                    let arguments = arena.arguments(&request, &buffer);
                    if !request.is_empty() {
                        each(arguments);
                        commands.push(arguments.iter().map(<[u8]>::to_vec).collect());
                    }
                }
                Parsed::Incomplete { more } => {
                    assert!(more > 0);
                    break;
                }
                Parsed::Broken(error) => return (commands, Some(error)),
            }
        }
        arena.clear();
        buffer.drain(..start);
    }
    (commands, None)
}

/// A sentence is sent as one line, or the client would read its rest as the next answer.
fn sentence(message: &[u8]) {
    let mut line = Vec::new();
    Writer::new(&mut line, Protocol::Resp2).error(message);
    let ends = line.iter().filter(|&&byte| byte == b'\n' || byte == b'\r').count();
    assert!(ends == 2 && line.ends_with(b"\r\n"), "{:?}", String::from_utf8_lossy(&line));
}

/// The command and everything that could be its options.
fn understand(arguments: Arguments<'_>) {
    if let Err(refusal) = commands::find(arguments)
        && let Some(message) = refusal.message()
    {
        sentence(&message);
    }
    let options = arguments.from(1);
    let first = arguments.get(1).unwrap_or_default();
    let second = arguments.get(2).unwrap_or_default();
    let refusals = [
        set::parse(arguments.from(3)).err(),
        getex::parse(arguments.from(2)).err(),
        expire::parse(Form::Seconds, arguments.from(2), "expire").err(),
        expire::parse(Form::AtMilliseconds, arguments.from(2), "pexpireat").err(),
        scan::parse(options).err(),
        hello::parse(options).err(),
        hello::credentials(options).err(),
        command_list::parse(arguments.from(2)).err(),
        client::list(arguments.from(2)).err(),
        client::kill(arguments.from(2)).err(),
        client::name(second).err(),
        client::attribute(second, arguments.get(3).unwrap_or_default()).err(),
        client::reply_mode(second).err(),
        client::switch(second).err(),
        number::integer(first).err(),
        number::decrement(first).err(),
    ];
    for refusal in refusals.into_iter().flatten() {
        sentence(&refusal.message());
    }
    Pattern::new(first, second.len()).matches(second);
    if let Some(number) = number::parse(first) {
        assert_eq!(number.to_string().as_bytes(), first, "a number has one spelling");
    }
}
