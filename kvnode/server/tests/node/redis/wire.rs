//! A client that knows nothing: bytes go out, bytes are expected.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use crate::in_process::TestNode;

/// Longer than anything here takes on a busy machine; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// In which nothing comes, if nothing is to come.
const SILENCE: Duration = Duration::from_millis(150);

pub(crate) struct Wire(TcpStream);

impl Wire {
    pub(crate) fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the node listens");
        stream.set_nodelay(true).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a connection");
        stream.set_write_timeout(Some(PATIENCE)).expect("a connection");
        Self(stream)
    }

    pub(crate) fn plain(node: &TestNode) -> Self {
        Self::to(node.resp_addresses.plain.expect("the plain port is open"))
    }

    pub(crate) fn cluster(node: &TestNode) -> Self {
        Self::to(node.resp_addresses.cluster.expect("the cluster port is open"))
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the node reads");
    }

    /// Fails unless exactly these bytes come next.
    pub(crate) fn expect(&mut self, expected: &[u8], about: &str) {
        let mut found = vec![0; expected.len()];
        let mut read = 0;
        while read < found.len() {
            match self.0.read(&mut found[read..]) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) => panic!("{about}: {error} after {}", shown(&found[..read])),
            }
            if !expected.starts_with(&found[..read]) {
                break;
            }
        }
        assert!(found[..read] == *expected, "{about}: {} and not {}", shown(&found[..read]), shown(expected));
    }

    /// A line as people type it, and all of its answer.
    pub(crate) fn ask(&mut self, line: &str, answer: &str) {
        self.send(format!("{line}\r\n").as_bytes());
        self.expect(answer.as_bytes(), line);
    }

    /// Words that need not be text, sent as programs send them.
    pub(crate) fn ask_words(&mut self, words: &[&[u8]], answer: &[u8]) {
        self.send(&encode(words));
        self.expect(answer, &format!("{words:?}"));
    }

    /// The next line of an answer.
    pub(crate) fn line(&mut self) -> String {
        let mut line = Vec::new();
        let mut byte = [0];
        while !line.ends_with(b"\r\n") {
            self.0.read_exact(&mut byte).expect("a line");
            line.push(byte[0]);
        }
        String::from_utf8_lossy(&line[..line.len() - 2]).into_owned()
    }

    /// The content of an answer that is a bulk string.
    pub(crate) fn bulk(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n").as_bytes());
        let header = self.line();
        let length = header.strip_prefix('$').unwrap_or_else(|| panic!("{header:?} is no bulk string"));
        let mut content = vec![0; length.parse::<usize>().expect("a length") + 2];
        self.0.read_exact(&mut content).expect("as much as was announced");
        content.truncate(content.len() - 2);
        String::from_utf8(content).expect("text")
    }

    pub(crate) fn finish_sending(&mut self) {
        self.0.shutdown(Shutdown::Write).expect("a connection");
    }

    /// Fails unless the node closes the connection without another byte.
    pub(crate) fn expect_end(&mut self, about: &str) {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => assert!(rest.is_empty(), "{about}: {}", shown(&rest)),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{about}: {error}"),
        }
    }

    /// Everything up to the end of the connection, be it a hard one.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("no end: {error}"),
            _ => rest,
        }
    }

    /// Fails if anything comes.
    pub(crate) fn expect_silence(&mut self, about: &str) {
        self.0.set_read_timeout(Some(SILENCE)).expect("a connection");
        let mut byte = [0];
        let read = self.0.read(&mut byte);
        self.0.set_read_timeout(Some(PATIENCE)).expect("a connection");
        let kind = read.map_err(|error| error.kind());
        assert!(matches!(kind, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)), "{about}: {kind:?} {byte:?}");
    }

    /// How much the node and the kernel take while nobody reads the answers.
    pub(crate) fn send_until_blocked(&mut self, bytes: &[u8], bytes_max: usize) -> usize {
        self.0.set_write_timeout(Some(SILENCE * 10)).expect("a connection");
        let mut sent = 0;
        while sent < bytes_max {
            match self.0.write(&bytes[sent % bytes.len()..]) {
                Ok(written) => sent += written,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
                Err(error) => panic!("{error} after {sent} bytes"),
            }
        }
        self.0.set_write_timeout(Some(PATIENCE)).expect("a connection");
        sent
    }
}

pub(crate) fn encode(words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

fn shown(bytes: &[u8]) -> String {
    const SHOWN_MAX: usize = 300;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN_MAX)]).into_owned();
    format!("{} bytes {text:?}", bytes.len())
}
