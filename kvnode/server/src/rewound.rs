//! A stream of which some was read already, and is to be read again by somebody else.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

#[derive(Debug)]
pub(crate) struct Rewound<S> {
    read: Vec<u8>,
    /// How much of it was read again.
    at: usize,
    stream: S,
}

impl<S> Rewound<S> {
    pub(crate) fn new(read: Vec<u8>, stream: S) -> Self {
        Self { read, at: 0, stream }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewound<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let left = &self.read[self.at..];
        if left.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, into);
        }
        let bytes = left.len().min(into.remaining());
        into.put_slice(&left[..bytes]);
        self.at += bytes;
        if self.at == self.read.len() {
            (self.read, self.at) = (Vec::new(), 0);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewound<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn what_was_read_is_read_again_and_then_the_rest() {
        for buffer in [1, 2, 3, 100] {
            let mut stream = Rewound::new(b"hello".to_vec(), &b" world"[..]);
            let mut text = Vec::new();
            let mut bytes = vec![0; buffer];
            loop {
                match stream.read(&mut bytes).await.expect("a slice can be read") {
                    0 => break,
                    count => text.extend_from_slice(&bytes[..count]),
                }
            }
            assert_eq!(text, b"hello world");
        }
    }
}
