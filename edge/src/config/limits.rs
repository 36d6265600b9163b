//! Limits: how many requests one of whom may make in a window of time.
//!
//! A limit is described once, by name, and holds for every API that names it; what two APIs count under one name is
//! counted together. An API that says nothing of limits is held to the one named `default`.

use super::members::Members;
use super::values::{Faults, Values, objects};
use super::variables;

/// The name of the limit that holds unless an API says otherwise.
pub const DEFAULT_LIMIT: &str = "default";

/// A limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitPolicy {
    /// Its name: lower case letters, digits and hyphens.
    pub name: String,
    /// Who has a count of its own.
    pub counts: Counted,
    /// How many requests are admitted in a window.
    pub limit: u32,
    /// The length of a window, in seconds.
    pub window_seconds: u32,
    /// The longest time for which an isolate is leased requests, in seconds: at most the window.
    pub lease_seconds: u32,
    /// What happens while the coordinator cannot be asked.
    pub on_failure: OnFailure,
    /// How long a request waits for the coordinator, in milliseconds.
    pub timeout_milliseconds: u32,
}

/// Who has a count of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// `iss` and `sub` of the token.
    Subject,
    /// `iss` and `client_id` of the token.
    Client,
    /// The API key: `iss` and `api_key_id` of the token. Requests without one are not counted.
    ApiKey,
    /// The network that the request comes from, before any credential is looked at.
    Network,
}

/// What happens while the coordinator cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Nothing is admitted: 503.
    Closed,
    /// Each isolate admits a share of its own in a window, and counts for itself.
    Local {
        /// How many requests that is, at least 1 and at most the limit.
        share: u32,
    },
}

/// The longest window, in seconds: a day.
const LONGEST_WINDOW_SECONDS: u32 = 86_400;
/// The largest limit.
const LARGEST_LIMIT: u32 = 1_000_000_000;

impl LimitPolicy {
    /// The limit that holds where none is configured: 1,000 requests a minute for each subject.
    pub fn default_limit() -> Self {
        Self {
            name: DEFAULT_LIMIT.to_owned(),
            counts: Counted::Subject,
            limit: 1_000,
            window_seconds: 60,
            lease_seconds: 60,
            on_failure: OnFailure::Closed,
            timeout_milliseconds: 150,
        }
    }

    fn read(mut members: Members, faults: &mut Faults) -> Self {
        let name = name(&mut members, faults);
        let counts = match members.choice("counts", &["subject", "client", "api_key", "network"], 0, faults) {
            0 => Counted::Subject,
            1 => Counted::Client,
            2 => Counted::ApiKey,
            _ => Counted::Network,
        };
        let limit = members.number("limit", (1, LARGEST_LIMIT), None, faults);
        let window_seconds = members.number("window_seconds", (1, LONGEST_WINDOW_SECONDS), Some(60), faults);
        let lease_seconds =
            members.number("lease_seconds", (1, window_seconds), Some(window_seconds), faults);
        let on_failure = if members.choice("on_failure", &["closed", "local"], 0, faults) == 0 {
            OnFailure::Closed
        } else {
            OnFailure::Local {
                share: members.number("local_share", (1, limit), None, faults),
            }
        };
        let timeout_milliseconds = members.number("timeout_milliseconds", (10, 5_000), Some(150), faults);
        members.refuse_the_rest(faults);
        Self {
            name,
            counts,
            limit,
            window_seconds,
            lease_seconds,
            on_failure,
            timeout_milliseconds,
        }
    }
}

/// The limits of the list, and the default one unless the list has one of that name.
pub(super) fn read(values: &Values, faults: &mut Faults) -> Vec<LimitPolicy> {
    let mut limits: Vec<LimitPolicy> = Vec::new();
    for members in objects(values, variables::LIMITS, faults).unwrap_or_default() {
        let place = members.place("name");
        let limit = LimitPolicy::read(members, faults);
        if limits.iter().any(|other| other.name == limit.name) {
            faults.add(&place, "is the name of another limit");
        }
        limits.push(limit);
    }
    if limits.iter().all(|limit| limit.name != DEFAULT_LIMIT) {
        limits.push(LimitPolicy::default_limit());
    }
    limits
}

/// The member `name`: what can stand in a log, a header and a challenge.
pub(super) fn name(members: &mut Members, faults: &mut Faults) -> String {
    let name = members.text("name", faults);
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.len() > 40 || !name.bytes().all(fine) {
        members.fault(
            "name",
            "must be at most 40 lower case letters, digits and hyphens",
            faults,
        );
    }
    name
}
