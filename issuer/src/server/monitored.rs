//! A stream that tells when bytes come, and is closed so that the peer can read what it was told last.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::activity::Activity;

/// How long, and how much, of what the peer still sends is read and thrown away before a connection is closed.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 1024 * 1024;

/// A stream under an [`Activity`].
#[derive(Debug)]
pub(super) struct Monitored<S> {
    stream: S,
    activity: Arc<Activity>,
    closing: Option<Closing>,
}

#[derive(Debug)]
struct Closing {
    time: Pin<Box<Sleep>>,
    read: usize,
}

impl<S> Monitored<S> {
    /// `stream`, telling `activity`.
    pub(super) const fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self {
            stream,
            activity,
            closing: None,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Monitored<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let outcome = ready!(Pin::new(&mut this.stream).poll_read(context, buffer));
        if buffer.filled().len() > before {
            this.activity.hear();
        }
        Poll::Ready(outcome)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Monitored<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    /// Closes. A socket that is closed with unread bytes takes back what was written last, such as the reason for which a body was
    /// not read; so they are read first, within bounds.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.closing.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            if !this.activity.is_unread() {
                return Poll::Ready(Ok(()));
            }
        }
        let closing = this.closing.get_or_insert_with(|| Closing {
            time: Box::pin(tokio::time::sleep(LINGER)),
            read: 0,
        });
        let mut unread = [0; 4096];
        loop {
            if closing.time.as_mut().poll(context).is_ready() || closing.read > LINGER_BYTES {
                return Poll::Ready(Ok(()));
            }
            let mut buffer = ReadBuf::new(&mut unread);
            match ready!(Pin::new(&mut this.stream).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {
                    closing.read = closing.read.saturating_add(buffer.filled().len());
                }
                // Gone, in whatever way.
                Ok(()) | Err(_) => return Poll::Ready(Ok(())),
            }
        }
    }
}
