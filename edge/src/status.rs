//! Whether a verified token was revoked: Token Status List (draft-ietf-oauth-status-list).
//!
//! The issuer publishes the statuses of many tokens in one signed list. A list is fetched when a token first names it, verified with
//! the keys of the token's own issuer, and kept for all tokens that name it. Only addresses under the issuer's
//! [`status_lists`](crate::config::TrustedIssuer::status_lists) are fetched: a signed token must not steer requests.
//!
//! While the issuer can be reached, no list in use is older than its `ttl`, or [`Config::status`](crate::config::Config::status)'s
//! `fresh_seconds` if that is less: in the second half of that time it is fetched beside a request, after it the request waits for the
//! fetch. While the issuer cannot be reached, the list in hand serves until it expires or is `maximum_age_seconds` old, and
//! then nothing is decided. A token that names a place beyond the list's end is refused, like one whose status is
//! anything but valid.
//!
//! A list also says whose tokens are denied altogether ([`wardgate_shared::denial`]): that holds for all tokens of its issuer, those
//! included that no list names, from the moment when any of the issuer's lists was fetched.

mod cache;
mod obtain;

pub use cache::{Lookup, StatusLists, StatusSettings};
pub use obtain::check;

#[cfg(test)]
mod tests;
