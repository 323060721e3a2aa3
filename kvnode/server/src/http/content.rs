//! A response body of a few pieces in a row. Its length is known, so the answer has a Content-Length and no chunks.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// Head, value, tail.
const PIECES_MAX: usize = 3;

#[derive(Debug)]
pub(super) struct Spliced {
    pieces: [Bytes; PIECES_MAX],
    next: usize,
}

impl Spliced {
    pub(super) fn new<const N: usize>(pieces: [Bytes; N]) -> Self {
        const { assert!(N <= PIECES_MAX) };
        let mut all = [const { Bytes::new() }; PIECES_MAX];
        for (place, piece) in all.iter_mut().zip(pieces) {
            *place = piece;
        }
        Self { pieces: all, next: 0 }
    }

    fn left(&self) -> u64 {
        self.pieces[self.next..].iter().map(|piece| piece.len() as u64).sum()
    }
}

impl Body for Spliced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        while self.next < PIECES_MAX {
            let next = self.next;
            self.next += 1;
            let piece = std::mem::take(&mut self.pieces[next]);
            if !piece.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left())
    }
}

impl IntoResponse for Spliced {
    fn into_response(self) -> Response {
        Response::new(axum::body::Body::new(self))
    }
}
