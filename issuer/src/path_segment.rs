//! Texts as one segment of a path (RFC 3986 section 3.3).

/// `text` as one segment: everything but letters, digits, `-`, `_` and `~` is escaped, dots too, so that no segment is `.` or
/// `..`.
pub fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => String::from(char::from(byte)),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn nothing_of_a_segment_means_anything_in_a_path() {
        assert_eq!(encode("client-a_b~1"), "client-a_b~1");
        assert_eq!(encode("../a?b#c%d"), "%2E%2E%2Fa%3Fb%23c%25d");
        assert_eq!(encode("\u{e4}"), "%C3%A4");
    }
}
