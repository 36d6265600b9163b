//! What the world reaches the issuer by: sockets, connections, TLS, and the end of all three.
//!
//! HTTP/1.1 and HTTP/2 (RFC 9112, RFC 9113) over plain connections or TLS 1.2 and 1.3 (RFC 8446, RFC 9325). Nothing that a peer
//! sends or leaves unsent is trusted: how many connections there are, how long each part of a request takes and how large it is
//! is bounded here, by section `connections` of the configuration, before the router sees a request. What requests mean
//! is the router's affair.
//!
//! Start with [`Server::run`]; [`connection`] follows one connection from its first byte to its last.

mod acme;
mod activity;
mod admission;
mod answer;
pub mod certificate;
mod connection;
mod monitored;
pub mod open_files;
mod paced_body;
pub mod redirect;
mod refusal;
mod service_manager;
pub mod signals;
mod stop;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub use admission::Admission;
pub use service_manager::ServiceManager;
pub use signals::SignalError;
pub use stop::{Stage, Stop, StopSignals};
pub use tls::{Reload, Tls, TlsError};

use crate::config::ConnectionsConfig;
use connection::Connections;

/// How long accepting rests when the machine has no room for another connection.
const PAUSE: Duration = Duration::from_millis(100);
/// How often it is told how many connections were refused, if any were.
const TELL: Duration = Duration::from_secs(10);

/// A socket, and what answers those who come to it.
#[derive(Debug)]
pub struct Server {
    /// The socket.
    pub listener: TcpListener,
    /// What answers requests.
    pub app: Router,
    /// What connections are held to.
    pub limits: ConnectionsConfig,
    /// Who may connect; the same for all sockets.
    pub admission: Arc<Admission>,
    /// TLS; none where it is plain HTTP.
    pub tls: Option<Tls>,
}

impl Server {
    /// Serves until it is time to stop; then takes no more connections, lets requests under way finish for `grace`, and ends what is
    /// left. Tells whether all of them finished.
    pub async fn run(self, stop: Stop, grace: Duration) -> bool {
        let Self {
            listener,
            app,
            limits,
            admission,
            tls,
        } = self;
        let connections = Connections::new(app, limits, tls, stop.clone());
        let mut under_way = JoinSet::new();
        let mut tell = tokio::time::interval(TELL);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => match admission.admit(peer.ip()) {
                        Ok(slot) => { under_way.spawn(connections.clone().serve(stream, peer, slot)); }
                        Err(refused) => { under_way.spawn(refusal::refuse(stream, refused, connections.speaks_tls(), admission.leave())); }
                    },
                    Err(error) => pause_after(&error).await,
                },
                Some(_) = under_way.join_next(), if !under_way.is_empty() => {}
                _ = tell.tick() => admission.tell_of_refusals(),
                () = stop.reached(Stage::Stopping) => break,
            }
        }
        drop(listener);
        let finished = tokio::select! {
            () = async { while under_way.join_next().await.is_some() {} } => true,
            () = tokio::time::sleep(grace) => under_way.is_empty(),
            () = stop.reached(Stage::AtOnce) => under_way.is_empty(),
        };
        under_way.shutdown().await;
        finished
    }
}

/// Rests after an error that is the machine's, such as too many open files. An error of the one connection is nothing.
async fn pause_after(error: &std::io::Error) {
    use std::io::ErrorKind;
    let is_of_the_peer = matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    );
    if !is_of_the_peer {
        tracing::error!(%error, "no connection can be accepted");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Opens a socket.
///
/// # Errors
/// A sentence for people.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address)
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => format!("{address} is taken: another program listens there"),
            std::io::ErrorKind::AddrNotAvailable => {
                format!("{address} cannot be listened on: this machine has no such address")
            }
            std::io::ErrorKind::PermissionDenied => format!(
                "{address} cannot be listened on: ports below 1024 need a right that this process does not have \
                 (AmbientCapabilities=CAP_NET_BIND_SERVICE in a systemd unit)"
            ),
            _ => format!("{address} cannot be listened on: {error}"),
        })
}
