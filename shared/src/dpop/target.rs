//! `htu`: which URL a proof was made for.

use alloc::format;
use alloc::string::String;
use core::fmt::Write;

/// Whether two http(s) URLs name one target (RFC 9449 section 4.3): query and fragment do not count, and both are normalised
/// by syntax and scheme first (RFC 3986 sections 6.2.2 and 6.2.3). Scheme and host lose their case, the default port and an
/// empty path go, and percent-encoding is written in one way. What is no such URL is the same as nothing.
///
/// Dot segments stay: a URL that has them is not one that anybody serves.
pub fn is_same_target(one: &str, other: &str) -> bool {
    match (normalised(one), normalised(other)) {
        (Some(one), Some(other)) => one == other,
        (_, _) => false,
    }
}

fn normalised(url: &str) -> Option<String> {
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let target = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = target.split_once("://")?;
    let (scheme, default_port) = if scheme.eq_ignore_ascii_case("https") {
        ("https", 443)
    } else if scheme.eq_ignore_ascii_case("http") {
        ("http", 80)
    } else {
        return None;
    };
    let (authority, path) = match rest.find('/') {
        Some(start) => rest.split_at_checked(start)?,
        None => (rest, "/"),
    };
    let (host, port) = split_port(authority)?;
    let port: Option<u16> = if port.is_empty() {
        None
    } else {
        Some(port.parse().ok()?)
    };
    let port = match port {
        Some(port) if port != default_port => format!(":{port}"),
        Some(_) | None => String::new(),
    };
    let host = host.to_ascii_lowercase();
    Some(format!("{scheme}://{host}{port}{}", escaped_alike(path)?))
}

/// Host and port of an authority without user information; the port may be empty.
fn split_port(authority: &str) -> Option<(&str, &str)> {
    if authority.contains('@') {
        return None;
    }
    let (host, port) = match authority.rfind(']') {
        // An IPv6 literal has colons of its own.
        Some(end) => {
            let (host, rest) = authority.split_at_checked(end.saturating_add(1))?;
            (
                host,
                if rest.is_empty() {
                    ""
                } else {
                    rest.strip_prefix(':')?
                },
            )
        }
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    (!host.is_empty() && digits).then_some((host, port))
}

/// A path whose percent-encoding is normal: unreserved characters stand for themselves, digits are in upper case.
fn escaped_alike(path: &str) -> Option<String> {
    let mut normal = String::with_capacity(path.len());
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            normal.push(character);
            continue;
        }
        let mut digit = || characters.next().and_then(|digit| digit.to_digit(16));
        let value = digit()?.saturating_mul(16).saturating_add(digit()?);
        match char::from_u32(value) {
            Some(plain) if plain.is_ascii_alphanumeric() || matches!(plain, '-' | '.' | '_' | '~') => {
                normal.push(plain);
            }
            // Writing to a `String` cannot fail.
            Some(_) | None => {
                let _ = write!(normal, "%{value:02X}");
            }
        }
    }
    Some(normal)
}
