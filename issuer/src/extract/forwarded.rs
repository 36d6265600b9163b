//! What proxies say of a request: the address it came from, and by which scheme.
//!
//! It is said in `X-Forwarded-For` and `X-Forwarded-Proto`, or in `Forwarded` (RFC 7239); the configuration says which of the two the
//! proxies write. Each hop adds itself at the right. So the list is read from there, and an entry counts as long as the hop that
//! added it is a trusted proxy: what stands further left was sent by somebody else.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName, header};

use crate::config::{ProxyHeaders, ServerConfig};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The last address that is known for certain.
    pub address: IpAddr,
    /// Whether a trusted proxy says that it took the request by http.
    pub is_http: bool,
}

impl Origin {
    /// The origin of a request that `peer` sent with these headers.
    pub fn of(peer: IpAddr, headers: &HeaderMap, server: &ServerConfig) -> Self {
        if !server.trusts_proxy(peer) {
            return Self {
                address: peer,
                is_http: false,
            };
        }
        match server.proxy_headers {
            ProxyHeaders::XForwarded => Self {
                address: walk(
                    peer,
                    server,
                    values(headers, &X_FORWARDED_FOR)
                        .flat_map(|value| value.rsplit(','))
                        .map(address_of),
                ),
                is_http: x_forwarded_proto(headers).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http")),
            },
            ProxyHeaders::Forwarded => {
                let mut is_http = false;
                let elements: Vec<Element> = values(headers, &header::FORWARDED).flat_map(elements).collect();
                let hops = elements.into_iter().map(|element| {
                    is_http = element
                        .proto
                        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http"));
                    element.node.as_deref().and_then(address_of)
                });
                let address = walk(peer, server, hops);
                Self { address, is_http }
            }
        }
    }
}

/// Goes from hop to hop while they are trusted. A proxy that names nobody, or nothing that is an address, is itself the last hop known.
fn walk(peer: IpAddr, server: &ServerConfig, mut hops: impl Iterator<Item = Option<IpAddr>>) -> IpAddr {
    let mut client = peer;
    while server.trusts_proxy(client) {
        match hops.next().flatten() {
            Some(previous) => client = previous,
            None => break,
        }
    }
    client
}

/// The values of a header that may come more than once, the last first.
fn values<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values: Vec<&str> = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    values.into_iter().rev()
}

/// The scheme by which the request came to the first of the proxies.
fn x_forwarded_proto(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(X_FORWARDED_PROTO)?.to_str().ok()?;
    value.split(',').next().map(str::trim)
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

/// One hop of `Forwarded`: what it says of the one before.
#[derive(Debug, Default, PartialEq, Eq)]
struct Element {
    node: Option<String>,
    proto: Option<String>,
}

/// The elements of a `Forwarded` value, the last first. A quote that does not end makes the element in which it began say nothing:
/// a client cannot have what a proxy adds taken for a part of its own text.
fn elements(value: &str) -> Vec<Element> {
    let mut elements: Vec<Element> = split(value, ',').iter().map(|text| element(text)).collect();
    elements.reverse();
    elements
}

fn element(text: &str) -> Element {
    let mut element = Element::default();
    for pair in split(text, ';') {
        let Some((name, value)) = pair.split_once('=') else {
            continue;
        };
        let Some(value) = unquoted(value.trim()) else {
            return Element::default();
        };
        let name = name.trim();
        if name.eq_ignore_ascii_case("for") {
            element.node = Some(value);
        } else if name.eq_ignore_ascii_case("proto") {
            element.proto = Some(value);
        }
    }
    element
}

/// The parts of `text` between separators that are not inside quotes.
fn split(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut is_quoted, mut is_escaped) = (false, false);
    for character in text.chars() {
        if character == separator && !is_quoted {
            parts.push(String::new());
            continue;
        }
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts
}

/// A token, or what a quoted string says (RFC 9110 section 5.6.4).
fn unquoted(value: &str) -> Option<String> {
    let Some(rest) = value.strip_prefix('"') else {
        return (!value.contains('"')).then(|| value.into());
    };
    let mut said = String::new();
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => return characters.next().is_none().then_some(said),
            '\\' => said.push(characters.next()?),
            character => said.push(character),
        }
    }
}

#[cfg(test)]
mod tests;
