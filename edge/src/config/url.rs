//! URLs in the configuration: written so that no parser has anything left to change.
//!
//! The runtime parses a URL by the WHATWG rules before it connects, and normalises on the way. A decision about a
//! path is worth nothing when the path then changes, so only URLs that those rules leave alone are accepted, and
//! every URL made from them and a checked path is its own normal form.

/// Why a configured URL is refused. The text never repeats the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    /// Neither `https://` nor `http://` at the start.
    #[error("must be an absolute URL that begins with https://")]
    Scheme,
    /// `http` to a host that is not this machine.
    #[error("must use https; http is accepted for localhost, 127.0.0.1 and [::1] only")]
    Insecure,
    /// User name or password before the host.
    #[error("must not contain a user name or a password")]
    UserInfo,
    /// A host that is empty, not in lower case, or holds other characters than a name or an address has.
    #[error("must have a host in lower case, of letters, digits, hyphens and full stops")]
    Host,
    /// A port that is no number from 1 to 65535 or that is the scheme's own.
    #[error("must have a port between 1 and 65535 that is not the default one, or none")]
    Port,
    /// A path with an empty or dotted segment, or a character that would have to be encoded.
    #[error("must have a path without empty segments, '.', '..' and characters that need encoding")]
    Path,
    /// A `?` or a `#`.
    #[error("must not contain '?' or '#'")]
    QueryOrFragment,
}

/// Where a checked URL's path begins, as an index into it; equal to its length when there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathStart(pub usize);

/// Checks `text` and says where its path begins.
///
/// # Errors
/// [`UrlFault`]: the first rule that the URL breaks.
pub fn check(text: &str) -> Result<PathStart, UrlFault> {
    if text.contains(['?', '#']) {
        return Err(UrlFault::QueryOrFragment);
    }
    let (secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err(UrlFault::Scheme),
    };
    let (authority, path) = rest
        .find('/')
        .and_then(|at| rest.split_at_checked(at))
        .unwrap_or((rest, ""));
    if authority.contains('@') {
        return Err(UrlFault::UserInfo);
    }
    let (host, port) = split_port(authority);
    check_host(host)?;
    if let Some(port) = port {
        let default = if secure { "443" } else { "80" };
        let in_range = port.parse::<u16>().is_ok_and(|number| number > 0);
        if !in_range
            || port == default
            || !port.bytes().all(|byte| byte.is_ascii_digit())
            || port.starts_with('0')
        {
            return Err(UrlFault::Port);
        }
    }
    if !secure && !matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
        return Err(UrlFault::Insecure);
    }
    check_path(path)?;
    Ok(PathStart(text.len().saturating_sub(path.len())))
}

/// Checks an absolute path: empty, or `/` followed by segments that are neither empty (but for the last) nor dotted, of
/// unreserved characters and `:@!$'()*+,=~`.
///
/// # Errors
/// [`UrlFault::Path`].
pub fn check_path(path: &str) -> Result<(), UrlFault> {
    let Some(segments) = path.strip_prefix('/') else {
        return if path.is_empty() {
            Ok(())
        } else {
            Err(UrlFault::Path)
        };
    };
    let trimmed = segments.strip_suffix('/').unwrap_or(segments);
    let fine = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:@!$'()*+,=".contains(&byte))
    };
    if segments.is_empty() || trimmed.split('/').all(fine) {
        Ok(())
    } else {
        Err(UrlFault::Path)
    }
}

/// `host:port`, where the host may be an address in brackets.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn check_host(host: &str) -> Result<(), UrlFault> {
    let name = || {
        host.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte))
            && !host.split('.').any(str::is_empty)
    };
    // Only the loopback address of IPv6: its normal form is not for this code to decide.
    if host == "[::1]" || name() {
        Ok(())
    } else {
        Err(UrlFault::Host)
    }
}

#[cfg(test)]
mod tests {
    use super::{PathStart, UrlFault, check, check_path};

    #[test]
    fn accepts_https_and_loopback_http_in_normal_form() {
        for (url, path) in [
            ("https://issuer.example", ""),
            ("https://issuer.example/", "/"),
            ("https://issuer.example:8443/tenants/a", "/tenants/a"),
            ("http://localhost:8788", ""),
            ("http://127.0.0.1/fhir", "/fhir"),
            ("http://[::1]:8789/fhir/", "/fhir/"),
        ] {
            assert_eq!(check(url), Ok(PathStart(url.len() - path.len())), "{url}");
        }
    }

    #[test]
    fn refuses_each_departure_with_its_reason() {
        for (url, fault) in [
            ("", UrlFault::Scheme),
            ("ftp://issuer.example", UrlFault::Scheme),
            ("HTTPS://issuer.example", UrlFault::Scheme),
            ("issuer.example", UrlFault::Scheme),
            ("http://issuer.example", UrlFault::Insecure),
            ("http://localhost.evil.example", UrlFault::Insecure),
            ("http://127.0.0.2", UrlFault::Insecure),
            ("https://user:password@issuer.example", UrlFault::UserInfo),
            ("https://", UrlFault::Host),
            ("https:///path", UrlFault::Host),
            ("https://Issuer.example", UrlFault::Host),
            ("https://issuer..example", UrlFault::Host),
            ("https://iss\u{fc}r.example", UrlFault::Host),
            ("https://issuer.example\\@evil.example", UrlFault::UserInfo),
            ("https://issuer.example\\evil", UrlFault::Host),
            ("https://[::2]", UrlFault::Host),
            ("https://issuer.example:", UrlFault::Port),
            ("https://issuer.example:0", UrlFault::Port),
            ("https://issuer.example:443", UrlFault::Port),
            ("http://localhost:80", UrlFault::Port),
            ("https://issuer.example:65536", UrlFault::Port),
            ("https://issuer.example:+8", UrlFault::Port),
            ("https://issuer.example:08443", UrlFault::Port),
            ("https://issuer.example/a//b", UrlFault::Path),
            ("https://issuer.example/a/../b", UrlFault::Path),
            ("https://issuer.example/%61", UrlFault::Path),
            ("https://issuer.example/a b", UrlFault::Path),
            ("https://issuer.example/a;b", UrlFault::Path),
            ("https://issuer.example/a?b", UrlFault::QueryOrFragment),
            ("https://issuer.example#b", UrlFault::QueryOrFragment),
        ] {
            assert_eq!(check(url), Err(fault), "{url}");
        }
    }

    #[test]
    fn checks_a_path_of_its_own() {
        for path in ["", "/", "/fhir", "/api/r4", "/fhir/"] {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
        for path in ["fhir", "//", "/./a", "/a//", "/a/%2e"] {
            assert_eq!(check_path(path), Err(UrlFault::Path), "{path}");
        }
    }
}
