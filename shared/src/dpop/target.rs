//! `htu`: which URL a proof was made for.

use alloc::string::String;

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
        ("https", "443")
    } else if scheme.eq_ignore_ascii_case("http") {
        ("http", "80")
    } else {
        return None;
    };
    let (authority, path) = match rest.find('/') {
        Some(start) => rest.split_at_checked(start)?,
        None => (rest, "/"),
    };
    let (host, port) = split_port(authority)?;
    let port = port.trim_start_matches('0');
    let mut normal = String::from(scheme);
    normal.push_str("://");
    normal.push_str(host);
    normal.make_ascii_lowercase();
    if !port.is_empty() && port != default_port {
        normal.push(':');
        normal.push_str(port);
    }
    push_escaped_alike(&mut normal, path)?;
    Some(normal)
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
fn push_escaped_alike(normal: &mut String, path: &str) -> Option<()> {
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            normal.push(char::from(byte));
            continue;
        }
        let digits = [
            bytes.next()?.to_ascii_uppercase(),
            bytes.next()?.to_ascii_uppercase(),
        ];
        let mut value = 0_u8;
        for digit in digits {
            let digit = match digit {
                b'0'..=b'9' => digit.wrapping_sub(b'0'),
                b'A'..=b'F' => digit.wrapping_sub(b'A').wrapping_add(10),
                _ => return None,
            };
            value = value.wrapping_mul(16).wrapping_add(digit);
        }
        if value.is_ascii_alphanumeric() || b"-._~".contains(&value) {
            normal.push(char::from(value));
        } else {
            normal.push('%');
            normal.extend(digits.map(char::from));
        }
    }
    Some(())
}
