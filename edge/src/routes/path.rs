//! Paths of APIs that are not FHIR: any, as long as it can be read in one way only.
//!
//! FHIR paths have a grammar of their own in [`wardgate_shared::scope`]. Of others only the characters are known (RFC 3986
//! section 3.3). A rule compares the bytes as they are and as they are forwarded, so whatever the server behind could fold
//! into other bytes is refused: dot and empty segments, backslashes, `;` parameters, and encoded characters that need no
//! encoding or would mean something without it.

use percent_encoding::percent_decode_str;

/// Longest path that is looked at, in bytes, counted after the prefix.
const MAXIMUM_PATH_BYTES: usize = 2_048;

/// Whether `below`, the path after the prefix, means the same to every reader. A slash at its end is allowed.
pub(super) fn is_unambiguous(below: &str) -> bool {
    let segments = below.strip_prefix('/').unwrap_or(below);
    let segments = segments.strip_suffix('/').unwrap_or(segments);
    below.len() <= MAXIMUM_PATH_BYTES
        && (below.len() <= 1
            || segments
                .split('/')
                .all(|segment| !matches!(segment, "" | "." | "..")))
        && has_plain_characters(below)
        && percent_decode_str(below).decode_utf8().is_ok()
}

fn has_plain_characters(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fine = match byte {
            b'%' => encoded(bytes.next(), bytes.next()).is_some_and(needs_encoding),
            _ => byte.is_ascii_alphanumeric() || b"/-._~:@!$&'()*+,=".contains(&byte),
        };
        if !fine {
            return false;
        }
    }
    true
}

/// The byte of two hexadecimal digits.
fn encoded(first: Option<u8>, second: Option<u8>) -> Option<u8> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    u8::try_from(digit(first)?.checked_mul(16)?.checked_add(digit(second)?)?).ok()
}

/// Whether a byte cannot stand for itself and means nothing to whoever decodes it too early.
fn needs_encoding(byte: u8) -> bool {
    byte >= 0x80 || b" \"<>[]^`{|}".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::is_unambiguous;

    #[test]
    fn paths_of_one_reading_pass() {
        for path in [
            "",
            "/",
            "/reports",
            "/reports/",
            "/reports/2026-01/a.b~c_d",
            "/a:b@c!$&'()*+,=",
            "/name%20with%20spaces",
            "/Z%C3%BCrich",
            "/...",
        ] {
            assert!(is_unambiguous(path), "{path}");
        }
    }

    #[test]
    fn whatever_could_be_read_in_another_way_does_not() {
        for path in [
            "//",
            "/a//b",
            "/a//",
            "/.",
            "/a/..",
            "/a/../b",
            "/a/./b",
            "/a/%2e%2e/b",
            "/a/%2E/b",
            "/a%2Fb",
            "/a%2fb",
            "/a%5Cb",
            "/a\\b",
            "/a;b",
            "/a%3Bb",
            "/%61dmin",
            "/a%252Fb",
            "/a%00",
            "/a%0A",
            "/a%7F",
            "/a%3F",
            "/a%23",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a%+f",
            "/a%C0%AFb",
            "/a%FF",
            "/a b",
            "/a#b",
            "/a?b",
            "/ä",
            "/a\tb",
            &"/a".repeat(2_000),
        ] {
            assert!(!is_unambiguous(path), "{path}");
        }
    }

    proptest! {
        /// What passes keeps its segments when it is decoded once more or not at all.
        #[test]
        fn decoding_changes_no_segment(path in "(/[a-z.%0-9A-F;\\\\ ]{0,8}){1,4}") {
            if is_unambiguous(&path) {
                let decoded = percent_encoding::percent_decode_str(&path).decode_utf8().unwrap();
                prop_assert_eq!(decoded.split('/').count(), path.split('/').count());
                prop_assert!(!decoded.split('/').any(|segment| matches!(segment, "." | "..")));
                prop_assert!(!decoded.contains(['\\', ';', '%', '?', '#']));
            }
        }
    }
}
