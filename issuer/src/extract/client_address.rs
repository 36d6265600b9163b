//! The address a request came from, for the audit trail and for throttling.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use http::request::Parts;

use crate::config::ServerConfig;
use crate::state::AppState;

use super::forwarded::Origin;

/// The client's address; none when the server does not know its peer.
///
/// It is the peer of the connection, or what trusted proxies say; see [`Origin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub Option<IpAddr>);

impl<S> FromRequestParts<S> for ClientAddress
where
    S: Send + Sync,
    AppState: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let state = AppState::from_ref(state);
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(peer)| peer.ip());
        Ok(Self(peer.map(|peer| {
            Origin::of(peer, &parts.headers, &state.config().server)
                .address
                .to_canonical()
        })))
    }
}

/// The address, unless it is one that all visitors share (this machine, a proxy) and so says nothing about this one.
pub fn distinguishing_address(address: Option<IpAddr>, server: &ServerConfig) -> Option<IpAddr> {
    address.filter(|address| !address.is_loopback() && !server.trusts_proxy(*address))
}
