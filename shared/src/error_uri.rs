//! Where `error_uri` of a refusal points (RFC 6749 section 5.2): a configured base and the error code.
//!
//! A base without fragment gets the code as its fragment; one that has a fragment names a place of its own and is used as
//! it is.

use alloc::format;
use alloc::string::String;

/// What a base must be, as the second half of a sentence.
pub const MUST_BE: &str = "must be an https or http URL of RFC 3986 characters, without a slash at the end";

/// Whether `text` can be a base: see [`MUST_BE`]. A fragment is allowed.
pub fn is_error_uri_base(text: &str) -> bool {
    let Some(rest) = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
    else {
        return false;
    };
    let mut fragments = 0_u32;
    let mut bytes = rest.bytes();
    while let Some(byte) = bytes.next() {
        let lawful = match byte {
            b'%' => [bytes.next(), bytes.next()]
                .iter()
                .all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit())),
            b'#' => {
                fragments = fragments.saturating_add(1);
                fragments == 1
            }
            // Unreserved characters and the other delimiters (RFC 3986 section 2).
            _ => byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=".contains(&byte),
        };
        if !lawful {
            return false;
        }
    }
    let has_host = !rest.is_empty() && !rest.starts_with(['/', '?', '#']);
    has_host && (fragments == 1 || !rest.ends_with('/'))
}

/// The `error_uri` for `code`.
pub fn error_uri(base: &str, code: &str) -> String {
    if base.contains('#') {
        base.into()
    } else {
        format!("{base}#{code}")
    }
}

#[cfg(test)]
mod tests {
    use super::{error_uri, is_error_uri_base};

    #[test]
    fn the_code_is_the_fragment_unless_there_is_one() {
        assert_eq!(
            error_uri("https://a.example/e", "invalid_scope"),
            "https://a.example/e#invalid_scope"
        );
        assert_eq!(
            error_uri("https://a.example/e#here", "invalid_scope"),
            "https://a.example/e#here"
        );
    }

    #[test]
    fn accepts_urls_of_lawful_characters_only() {
        for text in [
            "https://a.example",
            "http://[::1]:80/e?x=%C3%A4&y='z'",
            "https://a.example/#e",
            "https://a/#/x/",
        ] {
            assert!(is_error_uri_base(text), "{text}");
        }
        for text in [
            "",
            "a.example",
            "ftp://a.example",
            "https://",
            "https:///e",
            "https://#e",
            "https://a.example/",
            "https://a b",
            "https://a/\"",
            "https://a/\\",
            "https://a/<e>",
            "https://a/{e}",
            "https://a/^",
            "https://a/|",
            "https://a/`",
            "https://a/ä",
            "https://a/%zz",
            "https://a/%4",
            "https://a#b#c",
        ] {
            assert!(!is_error_uri_base(text), "{text}");
        }
    }
}
