//! How long a fetched document may be kept: `Cache-Control` (RFC 9111 section 5.2.2), within bounds.

use http::{HeaderMap, header};

/// Kept for so long when the answer says nothing, in seconds.
const UNSAID_SECONDS: i64 = 300;
/// Kept for no longer, whatever the answer says, in seconds: a withdrawn key is gone after this time.
const LONGEST_SECONDS: i64 = 3600;

/// For how many seconds an answer with these headers may be used: no longer than it allows (SMART-34).
pub(super) fn seconds(headers: &HeaderMap) -> i64 {
    let mut said = None;
    for value in headers.get_all(header::CACHE_CONTROL) {
        // What cannot be read allows nothing.
        let Ok(text) = value.to_str() else { return 0 };
        for directive in text.split(',') {
            let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
            let name = name.trim();
            if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
                return 0;
            }
            if name.eq_ignore_ascii_case("max-age") {
                let own = argument.trim().trim_matches('"').parse().unwrap_or(0_i64).max(0);
                said = Some(said.map_or(own, |other: i64| other.min(own)));
            }
        }
    }
    let age = headers
        .get(header::AGE)
        .and_then(|age| age.to_str().ok()?.trim().parse::<i64>().ok())
        .map_or(0, |age| age.max(0));
    said.map_or(UNSAID_SECONDS, |said| said.saturating_sub(age))
        .clamp(0, LONGEST_SECONDS)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};

    use super::{LONGEST_SECONDS, UNSAID_SECONDS, seconds};

    fn of(values: &[&str]) -> i64 {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::CACHE_CONTROL, HeaderValue::from_str(value).unwrap());
        }
        seconds(&headers)
    }

    // SMART-34
    #[test]
    fn a_key_set_is_kept_no_longer_than_its_headers_allow() {
        assert_eq!(of(&["max-age=60"]), 60);
        assert_eq!(of(&["public, Max-Age = 60, must-revalidate"]), 60);
        assert_eq!(of(&["max-age=\"60\""]), 60);
        assert_eq!(of(&["max-age=60", "max-age=30"]), 30);
        for nothing in ["no-store", "max-age=60, No-Cache", "max-age=-1", "max-age=soon"] {
            assert_eq!(of(&[nothing]), 0, "{nothing}");
        }
    }

    #[test]
    fn silence_and_eternity_have_bounds() {
        assert_eq!(of(&[]), UNSAID_SECONDS);
        assert_eq!(of(&["public"]), UNSAID_SECONDS);
        assert_eq!(of(&["max-age=99999999"]), LONGEST_SECONDS);
        assert_eq!(of(&["max-age=99999999999999999999999"]), 0);
    }

    #[test]
    fn time_spent_in_other_caches_counts() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=60"));
        headers.insert(header::AGE, HeaderValue::from_static("50"));
        assert_eq!(seconds(&headers), 10);
        headers.insert(header::AGE, HeaderValue::from_static("500"));
        assert_eq!(seconds(&headers), 0);
    }
}
