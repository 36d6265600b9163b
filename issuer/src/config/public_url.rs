//! The issuer's own URL: what stands in `iss`, so it is compared character by character everywhere (RFC 8414 section 2,
//! OpenID Connect Discovery section 3).

use std::fmt;

/// An origin: scheme, host and perhaps a port; nothing after that, not even a slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

/// Why a text is not fit to be the issuer's URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicUrlError {
    /// Neither `https://` nor `http://`, in lower case.
    #[error("must start with https:// (or http:// on this machine)")]
    Scheme,
    /// No host, or characters that no host has.
    #[error("must name a host in lower case, with an optional port, as in https://id.example.org")]
    Host,
    /// Something follows the host: the issuer serves at the root of its origin.
    #[error("must end after the host and port: no path, query, fragment or slash at the end")]
    Trailing,
    /// `http` for a host that is not this machine; tokens and passwords could be read on their way.
    #[error("must be https, since the host is not this machine (localhost, 127.0.0.1 or [::1])")]
    Insecure,
}

impl PublicUrl {
    /// Reads the URL.
    ///
    /// # Errors
    /// [`PublicUrlError`].
    pub fn parse(text: &str) -> Result<Self, PublicUrlError> {
        let (secure, authority) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(authority), _) => (true, authority),
            (None, Some(authority)) => (false, authority),
            (None, None) => return Err(PublicUrlError::Scheme),
        };
        if authority.contains(['/', '?', '#']) {
            return Err(PublicUrlError::Trailing);
        }
        let (host, port) = split_port(authority).ok_or(PublicUrlError::Host)?;
        let port_is_lawful = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number > 0));
        if !host_is_lawful(host) || !port_is_lawful {
            return Err(PublicUrlError::Host);
        }
        if !secure && !is_loopback(host) {
            return Err(PublicUrlError::Insecure);
        }
        Ok(Self(text.into()))
    }

    /// The URL as configured.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether cookies may be `Secure` and carry the `__Host-` prefix.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Whether its host is this machine itself.
    pub fn is_this_machine(&self) -> bool {
        let authority = self.0.split_once("://").map_or("", |(_, authority)| authority);
        split_port(authority).is_some_and(|(host, _)| is_loopback(host))
    }

    /// Its host, without a port and without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        let authority = self.0.split_once("://").map_or("", |(_, authority)| authority);
        let host = split_port(authority).map_or(authority, |(host, _)| host);
        host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The URL of `path`, which starts with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Host (with brackets for IPv6) and port; `None` when what follows the bracket is not a port.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    match authority.find(']') {
        Some(bracket) => {
            let (host, rest) = authority.split_at_checked(bracket.saturating_add(1))?;
            match rest.strip_prefix(':') {
                Some(port) => Some((host, Some(port))),
                None => rest.is_empty().then_some((host, None)),
            }
        }
        None => Some(match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }),
    }
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

fn host_is_lawful(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let in_name =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    !host.is_empty() && host.bytes().all(in_name)
}

#[cfg(test)]
mod tests {
    use super::{PublicUrl, PublicUrlError};

    #[test]
    fn accepts_https_origins_and_this_machine_by_http() {
        for text in [
            "https://id.example.org",
            "https://id.example.org:8443",
            "https://[2001:db8::1]",
            "http://localhost:8788",
            "http://127.0.0.1:1",
            "http://[::1]:8788",
        ] {
            let url = PublicUrl::parse(text).unwrap();
            assert_eq!(url.as_str(), text);
            assert_eq!(url.is_https(), text.starts_with("https"));
            assert_eq!(url.is_this_machine(), text.starts_with("http:"), "{text}");
        }
    }

    #[test]
    fn refuses_what_could_not_be_compared_or_trusted() {
        for (text, error) in [
            ("id.example.org", PublicUrlError::Scheme),
            ("HTTPS://id.example.org", PublicUrlError::Scheme),
            ("https://id.example.org/", PublicUrlError::Trailing),
            ("https://id.example.org/auth", PublicUrlError::Trailing),
            ("https://id.example.org?x", PublicUrlError::Trailing),
            ("https://id.example.org#x", PublicUrlError::Trailing),
            ("https://", PublicUrlError::Host),
            ("https://ID.example.org", PublicUrlError::Host),
            ("https://user@id.example.org", PublicUrlError::Host),
            ("https://id.example.org:", PublicUrlError::Host),
            ("https://id.example.org:0", PublicUrlError::Host),
            ("https://id.example.org:65536", PublicUrlError::Host),
            ("https://[::1]x", PublicUrlError::Host),
            ("https://[x]", PublicUrlError::Host),
            ("http://id.example.org", PublicUrlError::Insecure),
            ("http://localhost.example.org", PublicUrlError::Insecure),
        ] {
            assert_eq!(PublicUrl::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn joins_paths() {
        assert_eq!(
            PublicUrl::parse("https://a.example")
                .unwrap()
                .join("/oauth2/token"),
            "https://a.example/oauth2/token"
        );
    }
}
