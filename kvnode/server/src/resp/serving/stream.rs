//! The bytes of a connection as they travel: plain, or within TLS. Neither ever waits.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::{ServerConfig, ServerConnection};

/// What is encrypted at once: a record of TLS. What was encrypted and not taken is held beside the answers, so it has to
/// be little.
const RECORD_BYTES_MAX: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Stream {
    socket: TcpStream,
    tls: Option<Box<ServerConnection>>,
}

impl Stream {
    pub(super) fn plain(socket: TcpStream) -> Self {
        Self { socket, tls: None }
    }

    pub(super) fn within_tls(socket: TcpStream, config: &Arc<ServerConfig>) -> io::Result<Self> {
        let tls = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
        Ok(Self { socket, tls: Some(Box::new(tls)) })
    }

    pub(super) fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    /// Whether what was read last may not be all there is, however little it was.
    pub(super) fn holds_back(&self) -> bool {
        self.tls.is_some()
    }

    /// Whether it is still to be agreed on how to encrypt.
    pub(super) fn is_shaking_hands(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }

    /// Nothing of what was written is still here.
    pub(super) fn is_flushed(&self) -> bool {
        self.tls.as_ref().is_none_or(|tls| !tls.wants_write())
    }

    /// As much as the socket takes of what is encrypted already.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        while tls.wants_write() {
            if tls.write_tls(&mut self.socket)? == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }

    /// Says that nothing more will come, as far as the socket takes it.
    pub(super) fn say_goodbye(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            // Whoever does not take it sees the end of the connection in its place.
            let _ = self.flush();
        }
    }
}

impl Read for Stream {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(tls) = &mut self.tls else { return self.socket.read(room) };
            match tls.reader().read(room) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // A client that closes without a word of TLS is as gone as one with it.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                done => return done,
            }
            if tls.read_tls(&mut self.socket)? == 0 {
                return Ok(0);
            }
            let processed = tls.process_new_packets();
            // The handshake answers, and so does what is wrong: the client should be told what it was.
            match self.flush() {
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                _ => processed.map_err(io::Error::other)?,
            };
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.flush()?;
        let Some(tls) = &mut self.tls else { return self.socket.write(bytes) };
        let written = tls.writer().write(&bytes[..bytes.len().min(RECORD_BYTES_MAX)])?;
        match self.flush() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(written),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::flush(self)
    }
}
