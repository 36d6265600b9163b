//! One connection, from its first byte to its last.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::config::ConnectionsConfig;

use super::activity::{Activity, End, Watch};
use super::admission::Slot;
use super::answer::answer;
use super::monitored::Monitored;
use super::stop::{Stage, Stop};
use super::tls::Tls;

/// How long a peer may take to see that its connection ends.
const FAREWELL: Duration = Duration::from_secs(1);
/// How many requests an HTTP/2 connection may take back before they were looked at, and how many faults of its own it may have us
/// answer by a reset ("rapid reset", CVE-2023-44487).
const UNSEEN_RESETS: usize = 20;
const OWN_RESETS: usize = 200;
/// What hyper counts by itself, without an allocation for each request.
const USUAL_HEADER_COUNT: usize = 100;

/// Serves connections. Clones share everything.
#[derive(Clone)]
pub(super) struct Connections(Arc<Parts>);

struct Parts {
    app: Router,
    limits: ConnectionsConfig,
    tls: Option<Tls>,
    stop: Stop,
    http: Builder<TokioExecutor>,
}

impl Connections {
    /// Connections that `app` answers.
    pub(super) fn new(app: Router, limits: ConnectionsConfig, tls: Option<Tls>, stop: Stop) -> Self {
        Self(Arc::new(Parts {
            app,
            limits,
            tls,
            stop,
            http: http(&limits),
        }))
    }

    /// Whether the first thing that is said is a handshake.
    pub(super) fn speaks_tls(&self) -> bool {
        self.0.tls.is_some()
    }

    /// Serves one connection until it ends, and gives its place back.
    pub(super) async fn serve(self, stream: TcpStream, peer: SocketAddr, slot: Slot) {
        // Answers are short: waiting to send them together with others only makes them late.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        match &self.0.tls {
            None => self.converse(stream, peer).await,
            Some(tls) => {
                let handshake = tokio::time::timeout(self.0.limits.handshake, tls.accept(stream));
                let secured = tokio::select! {
                    secured = handshake => secured,
                    () = self.0.stop.reached(Stage::Stopping) => return,
                };
                match secured {
                    Ok(Ok(stream)) => self.converse(stream, peer).await,
                    Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
                }
            }
        }
        drop(slot);
    }

    async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        &self,
        stream: S,
        peer: SocketAddr,
    ) {
        let Parts {
            app,
            limits,
            stop,
            http,
            tls: _,
        } = self.0.as_ref();
        let activity = Arc::new(Activity::default());
        let service = service_fn(|request| answer(app.clone(), request, peer, *limits, activity.clone()));
        let io = TokioIo::new(Monitored::new(stream, activity.clone()));
        let mut connection = std::pin::pin!(http.serve_connection(io, service));
        let mut watch = Watch::new(limits);
        let mut looks = tokio::time::interval(watch.step());
        looks.tick().await;
        let why = loop {
            tokio::select! {
                outcome = connection.as_mut() => {
                    if let Err(error) = outcome {
                        tracing::debug!(%peer, %error, "a connection failed");
                    }
                    return;
                }
                _ = looks.tick() => if let Some(end) = watch.look(&activity) { break Some(end); },
                () = activity.told.notified() => if activity.taken_back() > limits.resets {
                    tracing::warn!(%peer, "a connection took back too many requests");
                    return;
                },
                () = stop.reached(Stage::Stopping) => break None,
            }
        };
        connection.as_mut().graceful_shutdown();
        match why {
            Some(end @ (End::Idle | End::SlowHeaders | End::SlowRequest)) => {
                tracing::debug!(%peer, ?end, "a connection was ended");
            }
            // What was begun is finished, in its time; the server ends it when its own is over.
            None => {
                while activity.is_busy() {
                    tokio::select! {
                        _ = connection.as_mut() => return,
                        _ = looks.tick() => if watch.look(&activity).is_some() { break; },
                    }
                }
            }
        }
        // The connection is over in either case.
        let _ = tokio::time::timeout(FAREWELL, connection).await;
    }
}

fn http(limits: &ConnectionsConfig) -> Builder<TokioExecutor> {
    let header_bytes = usize::try_from(limits.header_bytes).unwrap_or(usize::MAX);
    let mut http = Builder::new(TokioExecutor::new());
    let mut http1 = http.http1();
    // The watch looks after time, for HTTP/2 too.
    http1
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(header_bytes);
    if limits.header_count != USUAL_HEADER_COUNT {
        http1.max_headers(limits.header_count);
    }
    http.http2()
        .timer(TokioTimer::new())
        .max_header_list_size(limits.header_bytes)
        .max_concurrent_streams(limits.streams)
        .max_pending_accept_reset_streams(UNSEEN_RESETS)
        .max_local_error_reset_streams(OWN_RESETS);
    http
}
