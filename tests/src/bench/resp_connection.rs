//! One connection in Redis' protocol for what is no measurement: keys are written through it before, and questions
//! asked. It waits for every answer, and every answer must be the expected one.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use kvtenant_tests::clock;

use super::redis_benchmark::key;

/// A server answers in milliseconds, also while its tables grow.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Commands that are sent before their answers are read. Their answers fit into a socket's buffer, so that a server
/// which waits for us to read and we who wait for it to read cannot stand facing each other.
pub(crate) const PIPELINE: usize = 500;

#[derive(Debug)]
pub(crate) struct RespConnection {
    stream: BufReader<TcpStream>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Text(String),
    Integer(i64),
    Bytes(Vec<u8>),
    Nothing,
}

/// Which keys are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys {
    pub(crate) count: usize,
    pub(crate) value_bytes: usize,
    pub(crate) expire_after: Option<Duration>,
}

impl RespConnection {
    pub(crate) fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        stream.set_write_timeout(Some(ANSWER_WITHIN))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    pub(crate) fn ask(&mut self, words: &[&str]) -> Result<Reply> {
        let mut request = Vec::new();
        write_command(&mut request, words);
        self.stream.get_mut().write_all(&request)?;
        read_reply(&mut self.stream).with_context(|| format!("{} was not answered as it should be", words.join(" ")))
    }

    /// Writes all keys; that the server then has as many, and the last one's value, is seen to.
    pub(crate) fn fill(&mut self, keys: Keys) -> Result<()> {
        let mut request = Vec::new();
        for first in (0..keys.count).step_by(PIPELINE) {
            ensure!(!clock::interrupted(), "interrupted while writing keys");
            let last = keys.count.min(first + PIPELINE);
            request.clear();
            (first..last).for_each(|number| keys.write(&mut request, number));
            self.stream.get_mut().write_all(&request)?;
            for number in first..last {
                let reply = read_reply(&mut self.stream).with_context(|| format!("key {number} was refused"))?;
                ensure!(reply == Reply::Text("OK".to_owned()), "key {number} was answered with {reply:?}");
            }
        }
        let held = self.ask(&["DBSIZE"])?;
        let wanted = Reply::Integer(i64::try_from(keys.count)?);
        ensure!(held == wanted, "{} keys were written, but the server says it has {held:?}", keys.count);
        let last = keys.count.saturating_sub(1);
        let value = self.ask(&["GET", &key(last)])?;
        ensure!(value == Reply::Bytes(keys.value(last).into_bytes()), "key {last} has another value: {value:?}");
        Ok(())
    }
}

impl Keys {
    fn value(&self, number: usize) -> String {
        format!("{number:0bytes$}", bytes = self.value_bytes)
    }

    fn write(&self, request: &mut Vec<u8>, number: usize) {
        let (key, value) = (key(number), self.value(number));
        match self.expire_after {
            None => write_command(request, &["SET", &key, &value]),
            Some(after) => write_command(request, &["SET", &key, &value, "EX", &after.as_secs().to_string()]),
        }
    }
}

pub(crate) fn write_command(request: &mut Vec<u8>, words: &[&str]) {
    request.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        request.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
}

/// Of the replies there are, those that our questions can have.
fn read_reply(stream: &mut impl BufRead) -> Result<Reply> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let line = line.strip_suffix("\r\n").context("the connection ended within a reply")?;
    match line.split_at_checked(1) {
        Some(("+", text)) => Ok(Reply::Text(text.to_owned())),
        Some((":", number)) => Ok(Reply::Integer(number.parse()?)),
        Some(("$", "-1")) => Ok(Reply::Nothing),
        Some(("$", length)) => {
            let mut bytes = vec![0; length.parse::<usize>()? + 2];
            stream.read_exact(&mut bytes)?;
            bytes.truncate(bytes.len() - 2);
            Ok(Reply::Bytes(bytes))
        }
        Some(("-", sentence)) => bail!("the server says: {sentence}"),
        _ => bail!("this is no reply: {line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_read_by_their_kind() {
        let mut stream: &[u8] = b"+OK\r\n:7\r\n$3\r\na\r\n\r\n$-1\r\n";
        assert_eq!(read_reply(&mut stream).unwrap(), Reply::Text("OK".into()));
        assert_eq!(read_reply(&mut stream).unwrap(), Reply::Integer(7));
        assert_eq!(read_reply(&mut stream).unwrap(), Reply::Bytes(b"a\r\n".to_vec()));
        assert_eq!(read_reply(&mut stream).unwrap(), Reply::Nothing);
        assert!(stream.is_empty());
    }

    #[test]
    fn an_error_a_stranger_and_an_end_are_no_replies() {
        let said = |mut stream: &[u8]| read_reply(&mut stream).unwrap_err().to_string();
        assert_eq!(said(b"-ERR no\r\n"), "the server says: ERR no");
        assert_eq!(said(b"HTTP/1.1 400 Bad Request\r\n"), "this is no reply: HTTP/1.1 400 Bad Request");
        assert_eq!(said(b"+O"), "the connection ended within a reply");
        assert_eq!(said(b""), "the connection ended within a reply");
    }

    #[test]
    fn a_key_is_written_with_its_end_when_it_has_one() {
        let mut request = Vec::new();
        Keys { count: 1, value_bytes: 2, expire_after: Some(Duration::from_secs(60)) }.write(&mut request, 1);
        let wanted = "*5\r\n$3\r\nSET\r\n$20\r\nbench:k:000000000001\r\n$2\r\n01\r\n$2\r\nEX\r\n$2\r\n60\r\n";
        assert_eq!(String::from_utf8(request).unwrap(), wanted);
    }
}
