//! Reading a request's body within bounds: so many bytes for one body, so many for all bodies together, so much time.
//! Without them a few slow or large uploads could take the memory that the data needs.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::problem::Problem;

/// What may surround a value in its envelope: 50 tags of 100 characters for name and value, each character escaped to
/// twelve bytes at worst, and some white space.
const ENVELOPE_BYTES_MAX: usize = 160 * 1024;

/// Bodies up to this size are read without asking for room: they are no larger than a connection's own buffers.
const SMALL_BODY_BYTES: usize = 4 * 1024;

/// All larger bodies together may take this part of the memory limit, which leaves more than as much again for the
/// rest of the process (the limit is four fifths of the memory).
const PART_OF_MEMORY: u64 = 8;

/// A client on a slow line sends two mebibytes in this time; one that takes longer holds room others wait for.
const BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// As long as a client may wait for any answer that says "not now".
const ROOM_WAIT_MAX: Duration = Duration::from_secs(5);

/// The semaphore counts in this unit, because it cannot count as far as bytes go.
const PERMIT_BYTES: usize = 1024;

#[derive(Debug)]
pub(crate) struct BodyBudget {
    room: Semaphore,
    body_bytes_max: usize,
}

/// A body, and the room it takes until it is dropped.
#[derive(Debug)]
pub(super) struct ReadBody<'b> {
    pub(super) bytes: Bytes,
    _room: Option<SemaphorePermit<'b>>,
}

impl BodyBudget {
    pub(crate) fn new(memory_limit: u64, value_bytes_max: usize) -> Self {
        let body_bytes_max = value_bytes_max + ENVELOPE_BYTES_MAX;
        let part = usize::try_from(memory_limit / PART_OF_MEMORY).unwrap_or(usize::MAX);
        // Two of the largest bodies always fit, or one slow upload would stop all others.
        let room = (part.max(2 * body_bytes_max) / PERMIT_BYTES).min(Semaphore::MAX_PERMITS);
        Self { room: Semaphore::new(room), body_bytes_max }
    }

    pub(super) async fn read(&self, headers: &HeaderMap, body: Body) -> Result<ReadBody<'_>, Problem> {
        let announced = announced_bytes(headers);
        if announced.is_some_and(|bytes| bytes > self.body_bytes_max as u64) {
            return Err(self.too_large());
        }
        let bytes = announced.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(self.body_bytes_max);
        let room = if bytes > SMALL_BODY_BYTES { Some(self.room_for(bytes).await?) } else { None };
        let reading = Limited::new(body, self.body_bytes_max).collect();
        match timeout(BODY_TIME_MAX, reading).await {
            Ok(Ok(collected)) => Ok(ReadBody { bytes: collected.to_bytes(), _room: room }),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(self.too_large()),
            Ok(Err(error)) => {
                Err(Problem::malformed("BodyIncomplete", format!("The body did not arrive whole: {error}.")))
            }
            Err(_) => {
                let sentence = format!("The body did not arrive within {} seconds.", BODY_TIME_MAX.as_secs());
                Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "BodyTooSlow", sentence))
            }
        }
    }

    async fn room_for(&self, bytes: usize) -> Result<SemaphorePermit<'_>, Problem> {
        let permits = u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX);
        if let Ok(permit) = timeout(ROOM_WAIT_MAX, self.room.acquire_many(permits)).await {
            return Ok(permit.expect("the semaphore is never closed"));
        }
        let sentence = "Too many large bodies are being received at once; nothing was written, try again.";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", sentence);
        Err(problem.with_header(header::RETRY_AFTER, "1"))
    }

    fn too_large(&self) -> Problem {
        let sentence = format!("The body is too large; at most {} bytes are read.", self.body_bytes_max);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "BodyTooLarge", sentence)
    }
}

fn announced_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
