//! The body of a request, which has to come at a pace.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::BoxError;
use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use crate::config::ConnectionsConfig;

use super::activity::Activity;

/// Why a body ends before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// It comes too slowly.
    #[error("the body comes too slowly")]
    TooSlow,
    /// The connection failed.
    #[error("the body broke off")]
    Connection(#[source] BoxError),
}

/// Whether the body was too slow; read when the request is answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Lateness(Arc<AtomicBool>);

impl Lateness {
    /// Whether it was.
    pub(super) fn is_late(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A body that fails when it is slower than the configuration lets it be.
#[derive(Debug)]
pub(super) struct PacedBody<B: Body> {
    body: B,
    activity: Arc<Activity>,
    first: Duration,
    bytes_per_second: u32,
    /// Made when the body first has to be waited for; what came before counts nothing.
    deadline: Option<Pin<Box<Sleep>>>,
    lateness: Lateness,
    has_ended: bool,
}

impl<B: Body> PacedBody<B> {
    /// `body`, held to `limits`.
    pub(super) fn new(
        body: B,
        limits: &ConnectionsConfig,
        activity: Arc<Activity>,
        lateness: Lateness,
    ) -> Self {
        Self {
            body,
            activity,
            first: limits.body,
            bytes_per_second: limits.body_bytes_per_second,
            deadline: None,
            lateness,
            has_ended: false,
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for PacedBody<B>
where
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                if let (Some(bytes), Some(deadline)) = (frame.data_ref(), this.deadline.as_mut()) {
                    let bytes = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                    let more = Duration::from_secs(1).saturating_mul(bytes) / this.bytes_per_second.max(1);
                    let due = deadline.deadline();
                    deadline.as_mut().reset(due.checked_add(more).unwrap_or(due));
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(BodyError::Connection(error.into())))),
            Poll::Ready(None) => {
                this.has_ended = true;
                Poll::Ready(None)
            }
            Poll::Pending => {
                let first = this.first;
                let deadline = this
                    .deadline
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(first)));
                match deadline.as_mut().poll(context) {
                    Poll::Ready(()) => {
                        this.lateness.0.store(true, Ordering::Release);
                        Poll::Ready(Some(Err(BodyError::TooSlow)))
                    }
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B: Body> Drop for PacedBody<B> {
    fn drop(&mut self) {
        if !self.has_ended && !self.body.is_end_stream() {
            self.activity.leave_unread();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::time::Duration;

    use axum::body::Bytes;
    use http_body::{Body, Frame};
    use http_body_util::BodyExt;
    use tokio::sync::mpsc;

    use super::{BodyError, Lateness, PacedBody};
    use crate::config::ConnectionsConfig;
    use crate::server::activity::Activity;

    /// A body of pieces that come when they are sent.
    struct Pieces(mpsc::Receiver<Bytes>);

    impl Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            context: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.0
                .poll_recv(context)
                .map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
        }
    }

    /// Reads a body whose pieces come so many milliseconds after one another: 2 seconds are free, then 10 bytes have to come a second.
    async fn read(pieces: &[(u64, usize)]) -> (Result<usize, BodyError>, bool, bool) {
        let limits = ConnectionsConfig {
            maximum: 1,
            maximum_per_address: 1,
            handshake: Duration::from_secs(1),
            header: Duration::from_secs(1),
            idle: Duration::from_secs(1),
            body: Duration::from_secs(2),
            body_bytes_per_second: 10,
            request: Duration::from_secs(1),
            header_bytes: 8192,
            header_count: 100,
            streams: 1,
            resets: 1,
        };
        let (send, receive) = mpsc::channel(1);
        let pieces = pieces.to_vec();
        tokio::spawn(async move {
            for (after, bytes) in pieces {
                tokio::time::sleep(Duration::from_millis(after)).await;
                if send.send(Bytes::from(vec![0; bytes])).await.is_err() {
                    break;
                }
            }
        });
        let (activity, lateness) = (Arc::new(Activity::default()), Lateness::default());
        let body = PacedBody::new(Pieces(receive), &limits, activity.clone(), lateness.clone());
        let read = body.collect().await.map(|collected| collected.to_bytes().len());
        (read, lateness.is_late(), activity.is_unread())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_keeps_the_pace_is_taken() {
        for pieces in [
            &[][..],
            &[(1900, 1)],
            &[(1000, 20), (2000, 20), (2000, 20)],
            // What came early may be rested upon.
            &[(1, 100), (11_000, 1)],
        ] {
            let bytes = pieces.iter().map(|(_, bytes)| bytes).sum();
            let (read, is_late, is_unread) = read(pieces).await;
            assert_eq!(
                (read.unwrap(), is_late, is_unread),
                (bytes, false, false),
                "{pieces:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_or_drips_is_given_up() {
        let drip = vec![(500, 1); 100];
        for pieces in [&[(2100, 1)][..], &[(1000, 10), (2100, 1)], &drip] {
            let (read, is_late, is_unread) = read(pieces).await;
            assert!(matches!(read, Err(BodyError::TooSlow)), "{pieces:?}");
            assert!(is_late && is_unread);
        }
    }
}
