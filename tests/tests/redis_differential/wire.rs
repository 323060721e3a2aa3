//! Replies as they came: nothing of their bytes is lost or made equal by reading them.

use std::fmt;
use std::io::{self, BufRead, ErrorKind, Read};

/// A reply that is nested deeper is none.
const DEPTH_MAX: usize = 32;

/// Far beyond what any command here answers with.
const LENGTH_MAX: usize = 64 << 20;

/// One reply, in either version of the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The first byte, which says what it is.
    pub(crate) kind: u8,
    /// What follows it on the first line: a text, a number, a length.
    pub(crate) line: Vec<u8>,
    /// What a length announced.
    pub(crate) body: Vec<u8>,
    /// What a count announced; of a map, keys and values in turns.
    pub(crate) items: Vec<Reply>,
}

/// What comes back for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Reply(Reply),
    /// The server closed the connection.
    Closed,
    /// It neither answered nor closed within the time that is given to it.
    Silence,
    /// Bytes that are no reply.
    Nonsense(String),
}

impl Reply {
    pub(crate) fn is_error(&self) -> bool {
        matches!(self.kind, b'-' | b'!')
    }

    pub(crate) fn is_null(&self) -> bool {
        self.kind == b'_' || (matches!(self.kind, b'$' | b'*') && self.line == b"-1")
    }

    pub(crate) fn integer(&self) -> Option<i64> {
        if self.kind == b':' { std::str::from_utf8(&self.line).ok()?.parse().ok() } else { None }
    }

    /// The bytes that it was.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(self.kind);
        out.extend_from_slice(&self.line);
        out.extend_from_slice(b"\r\n");
        if self.has_body() {
            out.extend_from_slice(&self.body);
            out.extend_from_slice(b"\r\n");
        }
        self.items.iter().for_each(|item| item.write(out));
    }

    fn has_body(&self) -> bool {
        matches!(self.kind, b'$' | b'!' | b'=') && self.line != b"-1"
    }
}

/// Reads whatever comes next.
pub(crate) fn read(stream: &mut impl BufRead) -> Answer {
    match reply(stream, 0) {
        Ok(reply) => Answer::Reply(reply),
        Err(error) => match error.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Answer::Closed,
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Answer::Silence,
            _ => Answer::Nonsense(error.to_string()),
        },
    }
}

fn reply(stream: &mut impl BufRead, depth: usize) -> io::Result<Reply> {
    let line = line(stream)?;
    let (&kind, line) = line.split_first().ok_or_else(|| nonsense("an empty line"))?;
    let mut reply = Reply { kind, line: line.to_vec(), body: Vec::new(), items: Vec::new() };
    match kind {
        b'+' | b'-' | b':' | b'_' | b',' | b'#' | b'(' => {}
        b'$' | b'!' | b'=' => {
            if reply.has_body() {
                reply.body = body(stream, length(line)?)?;
            }
        }
        b'*' | b'~' | b'>' | b'%' if depth < DEPTH_MAX => {
            let count = if line == b"-1" { 0 } else { length(line)? };
            let count = if kind == b'%' { 2 * count } else { count };
            for _ in 0..count {
                reply.items.push(self::reply(stream, depth + 1)?);
            }
        }
        _ => return Err(nonsense(&format!("{:?}", String::from_utf8_lossy(&[&[kind], line].concat())))),
    }
    Ok(reply)
}

fn line(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    line.strip_suffix(b"\r\n").map(<[u8]>::to_vec).ok_or_else(|| nonsense("a line without its end"))
}

fn length(line: &[u8]) -> io::Result<usize> {
    let length = std::str::from_utf8(line).ok().and_then(|text| text.parse().ok());
    length.filter(|length| *length <= LENGTH_MAX).ok_or_else(|| nonsense("a length that is none"))
}

fn body(stream: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut body = vec![0; length + 2];
    stream.read_exact(&mut body)?;
    if body.split_off(length) != b"\r\n" {
        return Err(nonsense("a length that is not the body's"));
    }
    Ok(body)
}

fn nonsense(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

impl fmt::Display for Answer {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply(reply) => {
                let mut bytes = Vec::new();
                reply.write(&mut bytes);
                write!(to, "{}", bytes.escape_ascii())
            }
            Self::Closed => to.write_str("(closes the connection)"),
            Self::Silence => to.write_str("(does not answer)"),
            Self::Nonsense(what) => write!(to, "(sends what is no reply: {what})"),
        }
    }
}

#[test]
fn a_reply_is_read_and_written_as_the_same_bytes() {
    for bytes in [
        "+OK\r\n",
        "-ERR no\r\n",
        ":-7\r\n",
        "$3\r\na\r\n\r\n",
        "$0\r\n\r\n",
        "$-1\r\n",
        "*-1\r\n",
        "_\r\n",
        "*2\r\n$1\r\na\r\n*1\r\n:1\r\n",
        "%1\r\n$1\r\na\r\n,1.5\r\n",
        "~1\r\n#t\r\n",
        ">1\r\n=5\r\ntxt:a\r\n",
    ] {
        let mut stream = bytes.as_bytes();
        let Answer::Reply(reply) = read(&mut stream) else { panic!("{bytes:?} is not read") };
        assert!(stream.is_empty());
        let mut written = Vec::new();
        reply.write(&mut written);
        assert_eq!(written, bytes.as_bytes());
    }
}

#[test]
fn an_end_and_nonsense_are_no_replies() {
    assert_eq!(read(&mut b"".as_slice()), Answer::Closed);
    assert_eq!(read(&mut b"$5\r\nab".as_slice()), Answer::Closed);
    assert!(matches!(read(&mut b"HTTP/1.1 400 Bad Request\r\n".as_slice()), Answer::Nonsense(_)));
    assert!(matches!(read(&mut b"$1\r\nabc\r\n".as_slice()), Answer::Nonsense(_)));
}
