//! The address a request came from, for the audit trail and for throttling.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use http::HeaderMap;
use http::request::Parts;

use crate::config::ServerConfig;
use crate::state::AppState;

/// The client's address; none when the server does not know its peer.
///
/// It is the peer of the connection. Only when that is a configured proxy, `X-Forwarded-For` is read from the right: each
/// entry was added by the hop to its right, so entries are believed as long as that hop is a configured proxy too.
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
            client_address(peer, &parts.headers, &state.config().server).to_canonical()
        })))
    }
}

/// The address, unless it is one that all visitors share (this machine, a proxy) and so says nothing about this one.
pub fn distinguishing_address(address: Option<IpAddr>, server: &ServerConfig) -> Option<IpAddr> {
    address.filter(|address| !address.is_loopback() && !server.trusts_proxy(*address))
}

fn client_address(peer: IpAddr, headers: &HeaderMap, server: &ServerConfig) -> IpAddr {
    let mut client = peer;
    let values: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let mut entries = values.iter().rev().flat_map(|value| value.rsplit(','));
    while server.trusts_proxy(client) {
        // A proxy that names nobody, or nothing that is an address, is itself the last hop known.
        match entries.next().and_then(address_of) {
            Some(previous) => client = previous,
            None => break,
        }
    }
    client
}

/// The address of an entry. Some proxies write the port too, and IPv6 addresses in brackets.
fn address_of(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    if let Ok(address) = entry.parse() {
        return Some(address);
    }
    if let Ok(socket) = entry.parse::<SocketAddr>() {
        return Some(socket.ip());
    }
    let bracketed = entry.strip_prefix('[')?.strip_suffix(']')?;
    bracketed.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use http::HeaderMap;

    use super::client_address;
    use crate::config::{IpNetwork, PublicUrl, ServerConfig};

    fn server(proxies: &[&str]) -> ServerConfig {
        ServerConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            public_url: PublicUrl::parse("https://id.example.org").unwrap(),
            trusted_proxies: proxies
                .iter()
                .map(|proxy| IpNetwork::parse(proxy).unwrap())
                .collect(),
            shutdown_seconds: 1,
        }
    }

    #[track_caller]
    fn finds(peer: &str, forwarded: &[&str], proxies: &[&str], expected: &str) {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let found = client_address(peer.parse().unwrap(), &headers, &server(proxies));
        assert_eq!(found, expected.parse::<IpAddr>().unwrap());
    }

    #[test]
    fn believes_the_connection_when_there_is_no_proxy() {
        finds("203.0.113.9", &[], &[], "203.0.113.9");
        finds("203.0.113.9", &["198.51.100.1"], &[], "203.0.113.9");
        finds("203.0.113.9", &["198.51.100.1"], &["10.0.0.0/8"], "203.0.113.9");
    }

    #[test]
    fn takes_the_rightmost_address_that_is_no_proxy() {
        let proxies = ["10.0.0.0/8"];
        finds("10.0.0.1", &["198.51.100.1"], &proxies, "198.51.100.1");
        finds(
            "10.0.0.1",
            &["192.0.2.66, 198.51.100.1, 10.0.0.2"],
            &proxies,
            "198.51.100.1",
        );
        finds(
            "10.0.0.1",
            &["192.0.2.66", "198.51.100.1", "10.0.0.2"],
            &proxies,
            "198.51.100.1",
        );
        finds("::ffff:10.0.0.1", &["2001:db8::7"], &proxies, "2001:db8::7");
    }

    #[test]
    fn reads_entries_with_ports_and_brackets() {
        let proxies = ["10.0.0.0/8", "fd00::/8"];
        for (entry, expected) in [
            ("198.51.100.1:4711", "198.51.100.1"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("198.51.100.1:4711, [fd00::2]:80, 10.0.0.2:80", "198.51.100.1"),
        ] {
            finds("10.0.0.1", &[entry], &proxies, expected);
        }
        for entry in [
            "198.51.100.1:",
            "198.51.100.1:port",
            "[198.51.100.1]",
            "[2001:db8::7",
            "2001:db8::7]:1",
        ] {
            finds("10.0.0.1", &[entry], &proxies, "10.0.0.1");
        }
    }

    #[test]
    fn stops_at_what_is_no_address() {
        let proxies = ["10.0.0.0/8"];
        finds("10.0.0.1", &[], &proxies, "10.0.0.1");
        finds("10.0.0.1", &["unknown"], &proxies, "10.0.0.1");
        finds("10.0.0.1", &["198.51.100.1, , 10.0.0.2"], &proxies, "10.0.0.2");
        finds("10.0.0.1", &["10.0.0.3"], &proxies, "10.0.0.3");
    }
}
