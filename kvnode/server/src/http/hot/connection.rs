//! A connection while it goes the short way: read, answer all that is there, write, and so on, until it ends or something
//! comes that is for the general way.

use std::future::poll_fn;
use std::io;
use std::mem::{self, MaybeUninit};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{self, Sleep, sleep_until, timeout_at};

use super::Hot;
use super::head::{self, Begin};
use super::respond::respond;

/// What is read at once, and the most that a request for this way may have.
const READ_BYTES: usize = 8 * 1024;

/// Answers that are collected before they are written, however many requests came at once.
const ANSWERS_BYTES_MAX: usize = 64 * 1024;

/// A body of this size or more is written from where it is; copying a smaller one costs less than a write of its own.
const COPIED_BYTES_MAX: usize = 16 * 1024;

/// Kept of each buffer while nothing comes. Thousands of clients may be silent at once.
const KEPT_BYTES_MAX: usize = 1024;

/// The rest of a request comes at once, or the client is slow; the general way knows how long to wait for those.
const REST_WAIT: Duration = Duration::from_millis(200);

/// How a connection leaves this way.
#[derive(Debug)]
pub(crate) enum Left {
    /// It is over.
    Ended,
    /// It goes on in the general way.
    General {
        /// What that is to read first.
        read: Vec<u8>,
        /// Whether a request has begun.
        begun: bool,
    },
}

/// Serves until the connection leaves this way.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    from: IpAddr,
    hot: &Hot,
) -> io::Result<Left> {
    let last_used = hot.shared.clock.instant();
    Connection { stream, hot, from, input: Vec::new(), output: Vec::new(), last_used, begun: false }.serve().await
}

struct Connection<'h, S> {
    stream: &'h mut S,
    hot: &'h Hot,
    from: IpAddr,
    input: Vec<u8>,
    output: Vec<u8>,
    last_used: Instant,
    begun: bool,
}

/// What is left of the input when all that is whole was answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Nothing,
    Part,
    General,
}

enum Next {
    Bytes(usize),
    /// The node drains.
    Drain,
    /// It is time to look for how long nothing has come.
    Silence,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<'_, S> {
    async fn serve(mut self) -> io::Result<Left> {
        let clock = &self.hot.shared.clock;
        let silence_max = self.hot.shared.settings.timeouts.next_head;
        let mut watch = Watch {
            drain: pin!(self.hot.shared.drain_begun()),
            silence: pin!(sleep_until((self.last_used + silence_max).into())),
            is_watching: false,
            was_used: false,
        };
        loop {
            match self.next(&mut watch).await? {
                Next::Bytes(0) => return Ok(Left::Ended),
                Next::Bytes(_) => {}
                Next::Drain => return Ok(self.left()),
                Next::Silence => {
                    let end = self.last_used + silence_max;
                    if self.hot.shared.clock.instant() >= end {
                        return Ok(Left::Ended);
                    }
                    watch.silence.as_mut().reset(end.into());
                    continue;
                }
            }
            self.begun = true;
            let mut rest_due = None;
            while match self.answer_all().await? {
                Rest::General => return Ok(self.left()),
                Rest::Nothing => false,
                Rest::Part => true,
            } {
                let more = poll_fn(|context| self.poll_read(context));
                // An end in the middle of a request is for the general way, too.
                let due = *rest_due.get_or_insert_with(|| time::Instant::from_std(clock.instant()) + REST_WAIT);
                let bytes = timeout_at(due, more).await.unwrap_or(Ok(0))?;
                if bytes == 0 {
                    return Ok(self.left());
                }
            }
            self.rest();
            watch.was_used = true;
        }
    }

    fn left(self) -> Left {
        Left::General { read: self.input, begun: self.begun }
    }

    /// Nothing may come for a long time.
    fn rest(&mut self) {
        self.last_used = self.hot.shared.clock.instant();
        for buffer in [&mut self.input, &mut self.output] {
            if buffer.capacity() > KEPT_BYTES_MAX {
                *buffer = Vec::new();
            }
        }
    }

    async fn next(&mut self, watch: &mut Watch<'_, impl Future<Output = ()>>) -> io::Result<Next> {
        poll_fn(|context| {
            if let Poll::Ready(bytes) = self.poll_read(context) {
                return Poll::Ready(Ok(Next::Bytes(bytes?)));
            }
            let draining = self.hot.shared.is_draining();
            watch.poll(context, draining, self.last_used).map(Ok)
        })
        .await
    }

    /// Adds what has come to the input. It is read into memory that is needed only here, so that a connection has none
    /// while it waits.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut memory = [MaybeUninit::uninit(); READ_BYTES];
        let mut buffer = ReadBuf::uninit(&mut memory);
        let read = Pin::new(&mut *self.stream).poll_read(context, &mut buffer);
        read.map_ok(|()| {
            self.input.extend_from_slice(buffer.filled());
            buffer.filled().len()
        })
    }

    /// Answers every request that is there whole, in their order.
    async fn answer_all(&mut self) -> io::Result<Rest> {
        let mut input = mem::take(&mut self.input);
        let mut at = 0;
        let rest = loop {
            let arrived = &input[at..];
            let head = match head::read(arrived) {
                _ if arrived.is_empty() => break Rest::Nothing,
                Begin::Hot(head) if head.body.end <= arrived.len() => head,
                Begin::Hot(_) | Begin::Incomplete if arrived.len() < READ_BYTES => break Rest::Part,
                _ => break Rest::General,
            };
            let Some(named) = self.hot.paths.key(head.path) else { break Rest::General };
            at += head.body.end;
            let body = Bytes::copy_from_slice(&arrived[head.body.clone()]);
            let answer = respond(self.hot, self.from, head, named, body).await;
            let node = self.hot.shared.settings.name.as_str();
            answer.write_head(&mut self.output, node, self.hot.shared.clock.now());
            let body = answer.body;
            if body.len() < COPIED_BYTES_MAX {
                self.output.extend_from_slice(&body);
            } else {
                self.write().await?;
                self.stream.write_all(&body).await?;
            }
            if self.output.len() >= ANSWERS_BYTES_MAX {
                self.write().await?;
            }
        };
        self.write().await?;
        input.drain(..at);
        self.input = input;
        Ok(rest)
    }

    async fn write(&mut self) -> io::Result<()> {
        if !self.output.is_empty() {
            self.stream.write_all(&self.output).await?;
            self.stream.flush().await?;
            self.output.clear();
        }
        Ok(())
    }
}

/// What can end the wait for a request. Looking at it costs as much as a good part of a request, so that is done only
/// when the connection was woken for nothing else.
struct Watch<'w, D> {
    drain: Pin<&'w mut D>,
    silence: Pin<&'w mut Sleep>,
    /// Both have seen the task that waits, and will wake it.
    is_watching: bool,
    /// Since the last look.
    was_used: bool,
}

impl<D: Future<Output = ()>> Watch<'_, D> {
    fn poll(&mut self, context: &mut Context<'_>, draining: bool, now: Instant) -> Poll<Next> {
        // A request may have come together with one of the two, of which the wake is then used up.
        let is_over = draining || self.silence.deadline() <= time::Instant::from_std(now);
        if mem::take(&mut self.was_used) && self.is_watching && !is_over {
            return Poll::Pending;
        }
        self.is_watching = false;
        if self.drain.as_mut().poll(context).is_ready() {
            return Poll::Ready(Next::Drain);
        }
        if self.silence.as_mut().poll(context).is_ready() {
            return Poll::Ready(Next::Silence);
        }
        self.is_watching = true;
        Poll::Pending
    }
}
