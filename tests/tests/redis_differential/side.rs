//! One of the two servers, and the connections to it: those that the steps use, and one that looks after the keys.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::step::{Words, array};
use crate::wire::{self, Answer};

/// Connections that steps are spread over; a second one is needed to change what the first one watches.
pub(crate) const CONNECTIONS: usize = 2;

/// A server answers in milliseconds. One that is silent for so long will stay so.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What a socket takes in without the other end reading. More is written beside the reading, so that a server that
/// waits for us and we who wait for it do not stand facing each other.
const WRITTEN_AT_ONCE_BYTES: usize = 32 << 10;

#[derive(Debug)]
pub(crate) struct Side {
    address: SocketAddr,
    connections: Vec<Connection>,
    keeper: Connection,
}

#[derive(Debug)]
struct Connection {
    stream: BufReader<TcpStream>,
}

impl Side {
    /// With connections as new, and no keys.
    pub(crate) fn open(address: SocketAddr) -> Result<Self> {
        let connections = (0..CONNECTIONS).map(|_| Connection::open(address)).collect::<Result<_>>()?;
        let mut side = Self { address, connections, keeper: Connection::open(address)? };
        let answer = side.keeper.exchange(&array(&[b"FLUSHALL".to_vec()]), 1)?;
        ensure!(is_ok(&answer), "FLUSHALL was answered with {}", answer[0]);
        Ok(side)
    }

    /// Sends `bytes` on a connection and reads so many answers, fewer when the connection ends.
    pub(crate) fn exchange(&mut self, connection: usize, bytes: &[u8], answers: usize) -> Result<Vec<Answer>> {
        self.connections[connection].exchange(bytes, answers)
    }

    /// Puts a new connection in the place of one that has ended.
    pub(crate) fn reopen(&mut self, connection: usize) -> Result<()> {
        self.connections[connection] = Connection::open(self.address)?;
        Ok(())
    }

    /// Asks for each key, so that those whose time is over are gone and not only due.
    pub(crate) fn touch(&mut self, keys: &[Vec<u8>]) -> Result<()> {
        let requests: Vec<u8> = keys.iter().flat_map(|key| array(&[b"EXISTS".to_vec(), key.clone()])).collect();
        self.keeper.exchange(&requests, keys.len())?;
        Ok(())
    }

    /// A question outside of the steps.
    pub(crate) fn ask(&mut self, words: &Words) -> Result<Answer> {
        let mut answers = self.keeper.exchange(&array(words), 1)?;
        answers.pop().context("one answer was read")
    }
}

impl Connection {
    fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("nothing listens at {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        stream.set_write_timeout(Some(ANSWER_WITHIN))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    fn exchange(&mut self, bytes: &[u8], answers: usize) -> Result<Vec<Answer>> {
        let mut writer = self.stream.get_ref().try_clone()?;
        if bytes.len() <= WRITTEN_AT_ONCE_BYTES {
            // A server that has closed the connection is found out by reading.
            let _ = writer.write_all(bytes);
            return Ok(self.read(answers));
        }
        Ok(thread::scope(|scope| {
            scope.spawn(|| writer.write_all(bytes));
            let answers = self.read(answers);
            if answers.iter().any(|answer| !matches!(answer, Answer::Reply(_))) {
                // Nobody takes the rest any more.
                let _ = self.stream.get_ref().shutdown(std::net::Shutdown::Both);
            }
            answers
        }))
    }

    /// Reads until as many came, or something that is no reply.
    fn read(&mut self, answers: usize) -> Vec<Answer> {
        let mut read = Vec::with_capacity(answers);
        while read.len() < answers {
            let answer = wire::read(&mut self.stream);
            let goes_on = matches!(answer, Answer::Reply(_));
            read.push(answer);
            if !goes_on {
                break;
            }
        }
        read
    }
}

fn is_ok(answers: &[Answer]) -> bool {
    matches!(answers, [Answer::Reply(reply)] if reply.kind == b'+' && reply.line == b"OK")
}
