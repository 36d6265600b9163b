//! The headers, as clients read them.

use std::string::String;
use std::vec::Vec;

use crate::quota::{Standing, Told, is_policy_name, quota_headers};
use crate::time::Timestamp;

fn told(name: &str, limit: u32, remaining: u32, window_seconds: u32, reset_in_seconds: u32) -> Told<'_> {
    Told {
        name,
        standing: Standing {
            limit,
            remaining,
            window_seconds,
            reset: Timestamp::from_seconds(1_706_238_780 + i64::from(reset_in_seconds)),
            reset_in_seconds,
        },
        refused: false,
    }
}

fn value(policies: &[Told<'_>], name: &str) -> Option<String> {
    let mut found = quota_headers(policies)
        .into_iter()
        .filter(|(own, _)| *own == name);
    found.next().map(|(_, value)| value)
}

#[test]
fn one_policy_is_told_in_all_three_families() {
    let headers = quota_headers(&[told("subject", 1_000, 999, 60, 20)]);
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    assert_eq!(
        headers,
        [
            ("x-ratelimit-limit", "1000"),
            ("x-ratelimit-remaining", "999"),
            ("x-ratelimit-reset", "1706238800"),
            ("ratelimit-policy", "\"subject\";q=1000;w=60"),
            ("ratelimit", "\"subject\";r=999;t=20"),
        ]
    );
}

#[test]
fn of_several_policies_the_tightest_is_shown_and_all_are_told() {
    let policies = [
        told("day", 50_000, 400, 86_400, 7_000),
        told("burst", 100, 99, 1, 1),
    ];
    assert_eq!(value(&policies, "x-ratelimit-limit").as_deref(), Some("100"));
    assert_eq!(value(&policies, "x-ratelimit-remaining").as_deref(), Some("99"));
    assert_eq!(
        value(&policies, "ratelimit-policy").as_deref(),
        Some("\"day\";q=50000;w=86400, \"burst\";q=100;w=1")
    );
    assert_eq!(
        value(&policies, "ratelimit").as_deref(),
        Some("\"day\";r=400;t=7000, \"burst\";r=99;t=1")
    );
    assert_eq!(value(&policies, "retry-after"), None);
}

#[test]
fn a_refusal_says_to_wait_until_every_policy_that_refuses_admits_again() {
    let mut policies = [
        told("a", 5, 0, 60, 7),
        told("b", 5, 0, 600, 70),
        told("c", 5, 0, 6_000, 700),
    ];
    (policies[0].refused, policies[1].refused) = (true, true);
    assert_eq!(value(&policies, "retry-after").as_deref(), Some("70"));
    assert_eq!(
        value(&policies, "x-ratelimit-reset").as_deref(),
        Some("1706238850"),
        "the tightest is the one that refuses longest"
    );
}

#[test]
fn without_policies_nothing_is_told() {
    assert!(quota_headers(&[]).is_empty());
}

#[test]
fn names_are_such_that_they_can_stand_in_a_header() {
    for name in ["subject", "per-minute", "A_1", &"x".repeat(64)] {
        assert!(is_policy_name(name), "{name}");
    }
    for name in ["", "a b", "a\"b", "a\\b", "ä", "a,b", "a\n", &"x".repeat(65)] {
        assert!(!is_policy_name(name), "{name}");
    }
}
