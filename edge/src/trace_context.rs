//! Trace context (W3C Trace Context): the headers `traceparent` and `tracestate` by which the parts of one request's way find one
//! another.
//!
//! They pass to the server behind as they came, when they are well formed, and not at all when they are not: a server that
//! tripped over one would do so at a stranger's word. The edge begins no trace and is no part of one, so that it changes
//! nothing in them and makes none where there is none; its own name of a request is `X-Request-Id`. The trace's id stands in
//! the log.
//!
//! Trusted on entry: nothing. A trace id is chosen by the client; it joins lines of a log and proves nothing.

use crate::request::Headers;

/// The header that names the trace.
pub const TRACEPARENT: &str = "traceparent";
/// The header that carries what tracing systems add.
pub const TRACESTATE: &str = "tracestate";

/// The longest `tracestate` that passes (section 3.3.1.5 asks for so much at least), in bytes.
const LONGEST_STATE: usize = 512;
/// How many members a `tracestate` can have (section 3.3.1.1).
const MOST_MEMBERS: usize = 32;

/// The id of the trace that a request is part of, if its `traceparent` is well formed (section 3.2).
pub fn trace_id<'a>(headers: &Headers<'a>) -> Option<&'a str> {
    let parent = headers.get(TRACEPARENT)?;
    let mut parts = parent.split('-');
    let version = hexadecimal(parts.next()?, 2)?;
    let trace_id = not_zero(hexadecimal(parts.next()?, 32)?)?;
    not_zero(hexadecimal(parts.next()?, 16)?)?;
    hexadecimal(parts.next()?, 2)?;
    // Later versions may have more parts; this one has not, and 255 is none.
    let is_whole = match version {
        "00" => parts.next().is_none(),
        "ff" => false,
        _ => parent.len() <= LONGEST_STATE,
    };
    is_whole.then_some(trace_id)
}

/// Whether a header of this name, in lower case, is one of these two and must not pass.
pub fn drops(headers: &Headers<'_>, name: &str) -> bool {
    match name {
        TRACEPARENT => trace_id(headers).is_none(),
        // Without its parent a state means nothing.
        TRACESTATE => {
            trace_id(headers).is_none() || !headers.get(TRACESTATE).is_some_and(is_well_formed_state)
        }
        _ => false,
    }
}

fn hexadecimal(part: &str, length: usize) -> Option<&str> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (part.len() == length && part.bytes().all(is_digit)).then_some(part)
}

fn not_zero(part: &str) -> Option<&str> {
    part.bytes().any(|byte| byte != b'0').then_some(part)
}

/// Members `key=value`, separated by commas; some may be empty (section 3.3.1).
fn is_well_formed_state(state: &str) -> bool {
    let is_member = |member: &str| {
        let member = member.trim_matches([' ', '\t']);
        member.is_empty()
            || member.split_once('=').is_some_and(|(key, value)| {
                let of_key =
                    |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/@".contains(&byte);
                let of_value = |byte: u8| (0x20..0x7F).contains(&byte) && byte != b'=';
                !key.is_empty() && !value.is_empty() && key.bytes().all(of_key) && value.bytes().all(of_value)
            })
    };
    state.len() <= LONGEST_STATE
        && state.split(',').take(MOST_MEMBERS.saturating_add(1)).count() <= MOST_MEMBERS
        && state.split(',').all(is_member)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{drops, trace_id};
    use crate::request::Headers;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    /// All but the version.
    const REST: &str = "-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_well_formed_parent_names_its_trace() {
        for parent in [PARENT, &PARENT.replace("00-4", "cc-4"), &format!("01{REST}-more")] {
            let headers = Headers::new(vec![("traceparent", parent)]);
            assert_eq!(trace_id(&headers), Some(TRACE), "{parent}");
            assert!(!drops(&headers, "traceparent"));
        }
    }

    #[test]
    fn a_malformed_parent_is_dropped_and_its_state_with_it() {
        for parent in [
            "",
            "00",
            TRACE,
            &PARENT.to_uppercase(),
            &format!("{PARENT}-more"),
            &format!("ff{REST}"),
            &format!("0{REST}"),
            &format!("{PARENT}, {PARENT}"),
            &format!(" {PARENT}"),
            &PARENT.replace("-01", "-0g"),
            &PARENT.replace("-01", ""),
            &PARENT.replace("00f067aa0ba902b7", "0000000000000000"),
            &PARENT.replace(TRACE, "00000000000000000000000000000000"),
            &PARENT.replace(TRACE, "é".repeat(16).as_str()),
            &format!("01{REST}-{}", "x".repeat(600)),
        ] {
            let headers = Headers::new(vec![("traceparent", parent), ("tracestate", "a=1")]);
            assert_eq!(trace_id(&headers), None, "{parent}");
            assert!(drops(&headers, "traceparent"), "{parent}");
            assert!(drops(&headers, "tracestate"), "{parent}");
            assert!(!drops(&headers, "accept"));
        }
    }

    #[test]
    fn a_state_passes_beside_its_parent_when_it_is_one() {
        let many = |count: usize| vec!["a=1"; count].join(",");
        for (state, passes) in [
            ("a=1", true),
            ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", true),
            ("fw529a3039@dt=FfAe, b/c_d-e*=x y", true),
            ("a=1,,b=2", true),
            (many(32).as_str(), true),
            (many(33).as_str(), false),
            ("a", false),
            ("=1", false),
            ("A=1", false),
            ("a=b=c", false),
            ("a=é", false),
            ("a=\u{1}", false),
            (&format!("a={}", "x".repeat(600)), false),
        ] {
            let headers = Headers::new(vec![("traceparent", PARENT), ("tracestate", state)]);
            assert_eq!(!drops(&headers, "tracestate"), passes, "{state}");
            assert!(!drops(&headers, "traceparent"));
        }
        let alone = Headers::new(vec![("tracestate", "a=1")]);
        assert!(drops(&alone, "tracestate"));
    }

    proptest! {
        #[test]
        fn whatever_names_a_trace_is_hexadecimal(parent in "[0-9a-g-]{50,60}|\\PC*", state in "\\PC*") {
            let headers = Headers::new(vec![("traceparent", &parent), ("tracestate", &state)]);
            if let Some(id) = trace_id(&headers) {
                prop_assert_eq!(id.len(), 32);
                prop_assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()));
            } else {
                prop_assert!(drops(&headers, "tracestate"));
            }
        }
    }
}
