//! Bodies within bounds, of requests and of answers: so many bytes for one, so many for all together, so much time.
//! Without them a few slow or large transfers could take the memory that the data needs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::problem::Problem;

/// What may surround a value in its envelope: 50 tags of 100 characters for name and value, each character escaped to
/// twelve bytes at worst, and some white space.
pub(super) const ENVELOPE_BYTES_MAX: usize = 160 * 1024;

/// Bodies up to this size are taken without asking for room: they are no larger than a connection's own buffers.
pub(super) const SMALL_BODY_BYTES: usize = 4 * 1024;

/// All larger bodies together may take this part of the memory limit, which leaves more than as much again for the
/// rest of the process (the limit is four fifths of the memory).
const PART_OF_MEMORY: u64 = 8;

/// As long as a client may wait for any answer that says "not now".
const ROOM_WAIT_MAX: Duration = Duration::from_secs(5);

/// The semaphore counts in this unit, because it cannot count as far as bytes go.
const PERMIT_BYTES: usize = 1024;

#[derive(Debug)]
pub(crate) struct BodyBudget {
    room: Arc<Semaphore>,
    /// All of the room, in permits.
    whole: AtomicUsize,
    body_bytes_max: AtomicUsize,
    time_max: Duration,
}

/// A body, and the room it takes until it is dropped.
#[derive(Debug)]
pub(super) struct ReadBody {
    pub(super) bytes: Bytes,
    pub(super) room: Room,
}

/// Part of the memory that bodies may take, given back when it is dropped. Small bodies have none and need none.
#[derive(Debug)]
pub(super) struct Room {
    permit: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

/// What is sent, and the room it takes until the client has it.
#[derive(Debug)]
struct Roomed {
    bytes: Vec<u8>,
    _room: Room,
}

impl Default for Room {
    fn default() -> Self {
        Self { permit: None, bytes: SMALL_BODY_BYTES }
    }
}

impl Room {
    /// What fits into it.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that keep the room until they are sent.
    pub(super) fn holding(self, bytes: Vec<u8>) -> Bytes {
        match self.permit {
            None => Bytes::from(bytes),
            Some(_) => Bytes::from_owner(Roomed { bytes, _room: self }),
        }
    }

    /// A body that does.
    pub(super) fn body(self, bytes: Vec<u8>) -> Body {
        Body::from(self.holding(bytes))
    }
}

impl AsRef<[u8]> for Roomed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl BodyBudget {
    pub(crate) fn new(memory_limit: u64, value_bytes_max: usize, time_max: Duration) -> Self {
        let part = usize::try_from(memory_limit / PART_OF_MEMORY).unwrap_or(usize::MAX);
        let room = (part / PERMIT_BYTES).min(Semaphore::MAX_PERMITS);
        let budget = Self {
            room: Arc::new(Semaphore::new(room)),
            whole: AtomicUsize::new(room),
            body_bytes_max: AtomicUsize::new(0),
            time_max,
        };
        budget.allow_values_of(value_bytes_max);
        budget
    }

    /// Two of the largest bodies always fit, or one slow upload would stop all others. Room that was once needed stays.
    /// Called by one thread at a time.
    pub(crate) fn allow_values_of(&self, value_bytes_max: usize) {
        let body_bytes_max = value_bytes_max + ENVELOPE_BYTES_MAX;
        let needed = (2 * body_bytes_max).div_ceil(PERMIT_BYTES);
        let before = self.whole.fetch_max(needed, Ordering::Relaxed);
        self.room.add_permits(needed.saturating_sub(before));
        self.body_bytes_max.store(body_bytes_max, Ordering::Relaxed);
    }

    fn body_bytes_max(&self) -> usize {
        self.body_bytes_max.load(Ordering::Relaxed)
    }

    /// For how long nothing may arrive of a body that has no other end.
    pub(super) fn silence_max(&self) -> Duration {
        self.time_max
    }

    pub(super) async fn read(&self, headers: &HeaderMap, body: Body) -> Result<ReadBody, Problem> {
        let announced = announced_bytes(headers);
        let body_bytes_max = self.body_bytes_max();
        if announced.is_some_and(|bytes| bytes > body_bytes_max as u64) {
            return Err(too_large(body_bytes_max));
        }
        let bytes = announced.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(body_bytes_max);
        let room = if bytes > SMALL_BODY_BYTES { self.room_for(bytes).await? } else { Room::default() };
        let reading = Limited::new(body, body_bytes_max).collect();
        match timeout(self.time_max, reading).await {
            Ok(Ok(collected)) => Ok(ReadBody { bytes: collected.to_bytes(), room }),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(body_bytes_max)),
            Ok(Err(error)) => {
                Err(Problem::malformed("BodyIncomplete", format!("The body did not arrive whole: {error}.")))
            }
            Err(_) => {
                let sentence = format!("The body did not arrive within {} seconds.", self.time_max.as_secs_f64());
                Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "BodyTooSlow", sentence))
            }
        }
    }

    /// What would need more room than there is gets all of it, and must do with that.
    pub(super) async fn room_for(&self, bytes: usize) -> Result<Room, Problem> {
        let permits =
            u32::try_from(bytes.div_ceil(PERMIT_BYTES).min(self.whole.load(Ordering::Relaxed))).unwrap_or(u32::MAX);
        if let Ok(permit) = timeout(ROOM_WAIT_MAX, Arc::clone(&self.room).acquire_many_owned(permits)).await {
            let permit = permit.expect("the semaphore is never closed");
            return Ok(Room { permit: Some(permit), bytes });
        }
        Err(Problem::busy())
    }
}

fn too_large(body_bytes_max: usize) -> Problem {
    let sentence = format!("The body is too large; at most {body_bytes_max} bytes are read.");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "BodyTooLarge", sentence)
}

fn announced_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
