//! Redirect URIs: what may be registered, and what a request may name.
//!
//! A request's `redirect_uri` must be a registered one, character by character (RFC 9700 section 4.1.3, OIDC-21). The one
//! exception is the port of a loopback IP literal, which a native app learns only when it starts (RFC 8252 section 7.3).

use alloc::string::String;
use core::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The longest redirect URI that may be registered, in bytes.
pub const MAXIMUM_REDIRECT_URI_BYTES: usize = 2048;

/// Characters that stand for themselves in a query value (RFC 3986 section 2.3); everything else is escaped.
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Why a redirect URI may not be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// Longer than [`MAXIMUM_REDIRECT_URI_BYTES`].
    #[error("the redirect URI is too long")]
    TooLong,
    /// Not an absolute URI of RFC 3986: no scheme, a character that must be escaped, a wildcard, or no host.
    #[error("the redirect URI is not an absolute URI")]
    NotAbsolute,
    /// It has a fragment (RFC 6749 section 3.1.2, OIDC-83).
    #[error("the redirect URI has a fragment")]
    Fragment,
    /// It has user information, which browsers show as if it were the host.
    #[error("the redirect URI has user information")]
    UserInformation,
    /// `http` for a host that is not this machine; such a code could be read on its way.
    #[error("the redirect URI is http and its host is not a loopback address")]
    InsecureScheme,
    /// A scheme that runs code or names no app (`javascript:`, `data:`, …), or a private-use scheme without a full stop
    /// (RFC 8252 section 7.1).
    #[error("the redirect URI's scheme is not allowed")]
    ForbiddenScheme,
}

/// A redirect URI as registered for a client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RegisteredRedirectUri(String);

impl RegisteredRedirectUri {
    /// Checks a URI for registration.
    ///
    /// # Errors
    /// [`RedirectUriError`].
    pub fn parse(text: &str) -> Result<Self, RedirectUriError> {
        if text.len() > MAXIMUM_REDIRECT_URI_BYTES {
            return Err(RedirectUriError::TooLong);
        }
        if text.contains('#') {
            return Err(RedirectUriError::Fragment);
        }
        let lawful = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()+,;=%".contains(&byte);
        if !text.bytes().all(lawful) || !percent_escapes_are_whole(text) {
            return Err(RedirectUriError::NotAbsolute);
        }
        let (scheme, rest) = text.split_once(':').ok_or(RedirectUriError::NotAbsolute)?;
        let mut letters = scheme.bytes();
        if !letters.next().is_some_and(|first| first.is_ascii_alphabetic())
            || !letters.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        {
            return Err(RedirectUriError::NotAbsolute);
        }
        match scheme {
            "https" => {
                web_host(rest)?;
            }
            "http" => {
                if !is_loopback(web_host(rest)?.0) {
                    return Err(RedirectUriError::InsecureScheme);
                }
            }
            private if private.contains('.') && private.bytes().all(|byte| !byte.is_ascii_uppercase()) => {}
            _ => return Err(RedirectUriError::ForbiddenScheme),
        }
        Ok(Self(text.into()))
    }

    /// The URI as registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The place to redirect to when a request presents `presented`, or `None` when that is not this URI.
    pub fn accept(&self, presented: &str) -> Option<RedirectTarget> {
        let exact = presented == self.0;
        (exact || self.is_same_loopback(presented)).then(|| RedirectTarget(presented.into()))
    }

    /// The target for a client that has one URI and presents none (RFC 6749 section 3.1.2.3).
    pub fn as_target(&self) -> RedirectTarget {
        RedirectTarget(self.0.clone())
    }

    /// Whether `presented` differs in nothing but the port of a loopback IP literal.
    fn is_same_loopback(&self, presented: &str) -> bool {
        let split = |uri: &str| -> Option<(String, String)> {
            let rest = uri.strip_prefix("http:")?;
            let (host, port) = web_host(rest).ok()?;
            let ip_literal = matches!(host, "127.0.0.1" | "[::1]");
            if !ip_literal || !port.bytes().all(|byte| byte.is_ascii_digit()) || port.len() > 5 {
                return None;
            }
            let authority_bytes = rest
                .strip_prefix("//")?
                .find(['/', '?'])
                .unwrap_or(rest.len().checked_sub(2)?);
            let path = rest.strip_prefix("//")?.get(authority_bytes..)?;
            Some((host.into(), path.into()))
        };
        match (split(&self.0), split(presented)) {
            (Some(own), Some(other)) => own == other,
            _ => false,
        }
    }
}

/// A place that a browser may be sent to: it can only come from a registered redirect URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectTarget(String);

impl RedirectTarget {
    /// The URI as the request named it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URI with `parameters` added to its query; what the query already holds stays (RFC 6749 section 4.1.2).
    pub fn with_parameters<'a>(&self, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
        let mut location = self.0.clone();
        let mut separator = match location.split_once('?') {
            None => "?",
            Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
            Some(_) => "&",
        };
        for (name, value) in parameters {
            location.push_str(separator);
            location.extend(utf8_percent_encode(name, QUERY_VALUE));
            location.push('=');
            location.extend(utf8_percent_encode(value, QUERY_VALUE));
            separator = "&";
        }
        location
    }
}

impl fmt::Display for RedirectTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Host and port of what follows `http:` or `https:`.
fn web_host(rest: &str) -> Result<(&str, &str), RedirectUriError> {
    let hierarchy = rest.strip_prefix("//").ok_or(RedirectUriError::NotAbsolute)?;
    let authority = hierarchy.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(RedirectUriError::UserInformation);
    }
    let (host, port) = match authority.rfind(']') {
        Some(end) => {
            let (host, port) = authority
                .split_at_checked(end.saturating_add(1))
                .unwrap_or((authority, ""));
            (host, port.strip_prefix(':').unwrap_or(port))
        }
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    if host.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(RedirectUriError::NotAbsolute);
    }
    Ok((host, port))
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

fn percent_escapes_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let mut digits = after.bytes();
        let mut is_digit = || digits.next().is_some_and(|byte| byte.is_ascii_hexdigit());
        is_digit() && is_digit()
    })
}

#[cfg(test)]
mod tests;
