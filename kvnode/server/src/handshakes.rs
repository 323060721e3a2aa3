//! The first words of an encrypted connection, within bounds: a handshake is work and memory for someone who has not
//! yet shown anything.

use std::io;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::tls::Tls;

/// Handshakes under way at once, each with some forty kilobytes of buffers. The others wait for a turn.
const HANDSHAKES_MAX: usize = 1024;

#[derive(Debug)]
pub(crate) struct Handshakes(Semaphore);

#[derive(Debug, Error)]
pub(crate) enum HandshakeError {
    #[error("the client did not finish within {} seconds", .0.as_secs_f64())]
    TooSlow(Duration),
    #[error(transparent)]
    Failed(#[from] io::Error),
}

impl Default for Handshakes {
    fn default() -> Self {
        Self(Semaphore::new(HANDSHAKES_MAX))
    }
}

impl Handshakes {
    pub(crate) async fn with(
        &self,
        tls: &Tls,
        stream: TcpStream,
        time_max: Duration,
    ) -> Result<TlsStream<TcpStream>, HandshakeError> {
        let handshake = async {
            let _turn = self.0.acquire().await.expect("the semaphore is never closed");
            TlsAcceptor::from(tls.server().clone()).accept(stream).await
        };
        match timeout(time_max, handshake).await {
            Ok(done) => Ok(done?),
            Err(_) => Err(HandshakeError::TooSlow(time_max)),
        }
    }
}
