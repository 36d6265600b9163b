//! How a client is told where it stands.
//!
//! | header | says |
//! |---|---|
//! | `X-RateLimit-Limit`, `-Remaining`, `-Reset` | of the tightest policy: requests a window, requests left, when the window ends in seconds since the Unix epoch |
//! | `RateLimit-Policy` | of each policy: quota `q` and window `w` in seconds |
//! | `RateLimit` | of each policy: requests left `r`, seconds until the window ends `t` |
//! | `Retry-After` | with a refusal only: seconds until every policy that refuses would admit again |
//!
//! The draft's two are lists of Strings with parameters (draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4; RFC
//! 9651 section 3.3.3). `X-RateLimit-Reset` has no standard; an instant is what it is here.

use alloc::string::{String, ToString};
use core::fmt::Write as _;

use super::policy::Standing;

/// The longest name of a policy.
const MAXIMUM_NAME_BYTES: usize = 64;

/// Whether a policy may have this name: letters, digits, `-` and `_`, so that it can stand in a header as it is.
pub fn is_policy_name(name: &str) -> bool {
    let lawful = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=MAXIMUM_NAME_BYTES).contains(&name.len()) && name.bytes().all(lawful)
}

/// One policy's part of the headers.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The policy's name, for which [`is_policy_name`] holds.
    pub name: &'a str,
    /// Where the client stands.
    pub standing: Standing,
    /// Whether this policy refuses the request.
    pub refused: bool,
}

/// The headers of an answer, by their names in lower case.
pub type QuotaHeaders = alloc::vec::Vec<(&'static str, String)>;

/// The headers for these policies; none when there are no policies.
pub fn quota_headers(policies: &[Told<'_>]) -> QuotaHeaders {
    let mut headers = QuotaHeaders::new();
    // A policy that refuses is tighter than one with nothing left; among equals the one that lasts longest.
    let tightest = policies.iter().min_by_key(|told| {
        let Standing { remaining, reset, .. } = told.standing;
        (!told.refused, remaining, core::cmp::Reverse(reset))
    });
    let Some(tightest) = tightest.map(|told| told.standing) else {
        return headers;
    };
    put(&mut headers, "x-ratelimit-limit", tightest.limit.into());
    put(&mut headers, "x-ratelimit-remaining", tightest.remaining.into());
    put(&mut headers, "x-ratelimit-reset", tightest.reset.seconds());

    let (mut quotas, mut standings) = (String::new(), String::new());
    for Told { name, standing, .. } in policies {
        put_item(
            &mut quotas,
            name,
            ('q', standing.limit),
            ('w', standing.window_seconds),
        );
        put_item(
            &mut standings,
            name,
            ('r', standing.remaining),
            ('t', standing.reset_in_seconds),
        );
    }
    headers.push(("ratelimit-policy", quotas));
    headers.push(("ratelimit", standings));

    let refusing = policies.iter().filter(|told| told.refused);
    if let Some(seconds) = refusing.map(|told| told.standing.reset_in_seconds).max() {
        put(&mut headers, "retry-after", seconds.max(1).into());
    }
    headers
}

fn put(headers: &mut QuotaHeaders, name: &'static str, number: i64) {
    headers.push((name, number.to_string()));
}

/// One more item of a list: a string and two parameters.
fn put_item(list: &mut String, name: &str, first: (char, u32), second: (char, u32)) {
    let separator = if list.is_empty() { "" } else { ", " };
    // Writing to a String cannot fail.
    let _ = write!(
        list,
        "{separator}\"{name}\";{}={};{}={}",
        first.0, first.1, second.0, second.1
    );
}
