//! A socket that notes what passes: when bytes came, when writing stalled, when all was flushed.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

use super::activity::Activity;

// After a refused body the client may still be sending. So much of it is read and thrown away, for so long.
pub(super) const LINGER: Duration = Duration::from_secs(2);
pub(super) const LINGER_BYTES: usize = 4 * 1024 * 1024;

pub(super) struct Watched<S> {
    inner: S,
    activity: Arc<Activity>,
    linger: Linger,
}

enum Linger {
    NotYet,
    Reading { left: usize, until: Pin<Box<Sleep>> },
    Done,
}

impl<S> Watched<S> {
    pub(super) fn new(inner: S, activity: Arc<Activity>) -> Self {
        Self {
            inner,
            activity,
            linger: Linger::NotYet,
        }
    }

    fn note_write(&self, outcome: &Poll<io::Result<usize>>) {
        match outcome {
            Poll::Pending => self.activity.write_blocked(),
            Poll::Ready(_) => self.activity.write_moved(),
        }
    }
}

impl<S: AsyncRead + Unpin> Watched<S> {
    /// Reads what still comes until the client closes, or enough was read, or it took long enough.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match &mut self.linger {
                Linger::Done => return Poll::Ready(()),
                Linger::NotYet => {
                    self.linger = if self.activity.must_linger() {
                        Linger::Reading {
                            left: LINGER_BYTES,
                            until: Box::pin(tokio::time::sleep(LINGER)),
                        }
                    } else {
                        Linger::Done
                    };
                }
                Linger::Reading { left, until } => {
                    let mut scratch = [0_u8; 4096];
                    let mut buffer = ReadBuf::new(&mut scratch);
                    let is_over = match Pin::new(&mut self.inner).poll_read(cx, &mut buffer) {
                        Poll::Pending => {
                            ready!(until.as_mut().poll(cx));
                            true
                        }
                        Poll::Ready(Err(_)) => true,
                        Poll::Ready(Ok(())) => {
                            let count = buffer.filled().len();
                            *left = left.saturating_sub(count);
                            count == 0 || *left == 0
                        }
                    };
                    if is_over {
                        self.linger = Linger::Done;
                    }
                }
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.inner).poll_read(cx, buffer);
        let count = buffer.filled().len() - before;
        if count > 0 && !self.activity.bytes_came(count) {
            let flood = "the client sends hardly anything that is a request";
            return Poll::Ready(Err(io::Error::other(flood)));
        }
        outcome
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.note_write(&outcome);
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.note_write(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.inner).poll_flush(cx);
        match &outcome {
            Poll::Pending => self.activity.write_blocked(),
            Poll::Ready(Ok(())) => {
                self.activity.write_moved();
                self.activity.flushed();
            }
            Poll::Ready(Err(_)) => {}
        }
        outcome
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if matches!(self.linger, Linger::NotYet) {
            ready!(Pin::new(&mut self.inner).poll_shutdown(cx))?;
        }
        ready!(self.poll_linger(cx));
        Poll::Ready(Ok(()))
    }
}
