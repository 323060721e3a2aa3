//! How long one client may hold what others need. Nobody sets these: they stand together as a value so that a test need
//! not wait for a minute to see a connection end.

use std::time::Duration;

/// Two round trips and some mathematics; a client on the slowest of lines needs a tenth of it.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Longer than the 60 s for which common proxies keep their idle connections, so that it is they who close first.
const NEXT_HEAD: Duration = Duration::from_secs(75);

/// A client on a slow line sends two mebibytes in this time; one that takes longer holds room others wait for.
const BODY: Duration = Duration::from_secs(30);

/// More than a body may take and a wait for room and for the disk together, so that each of them is refused in words of
/// its own, and only what nobody thought of ends here.
const REQUEST: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From a connection to an encrypted one, the wait for a turn included.
    pub handshake: Duration,
    /// From the end of one request to the end of the next one's head: so long a connection may be idle or slow.
    pub next_head: Duration,
    /// For the body of a request, once somebody reads it.
    pub body: Duration,
    /// From the head of a request to the head of its answer.
    pub request: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { handshake: HANDSHAKE, next_head: NEXT_HEAD, body: BODY, request: REQUEST }
    }
}
