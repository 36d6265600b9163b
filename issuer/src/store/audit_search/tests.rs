//! What a search finds, in which order, and how much it looks at.

use std::borrow::Cow;

use rusqlite::{Connection, named_params};
use wardgate_shared::time::Timestamp;

use super::{EVERY_LINE, FAILURES, search};
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::audit_search::{AuditFilter, AuditFindings, AuditPlace};
use crate::store::{audit_events, migrations};
use crate::testing::START;

fn trail(events: &[AuditEvent]) -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    migrations::apply(&mut connection, START).unwrap();
    for event in events {
        audit_events::insert(&connection, event).unwrap();
    }
    connection
}

fn event(second: i64, action: AuditAction, outcome: AuditOutcome) -> AuditEvent {
    AuditEvent::new(START.plus(second), action, outcome)
}

/// A line every second: sign-ins of `ada` from one address, refused ones from another, and token requests of `app`.
fn busy_trail() -> Vec<AuditEvent> {
    (0..60)
        .map(|second| match second % 3 {
            0 => event(second, AuditAction::SignIn, AuditOutcome::Success)
                .with_user("user-ada")
                .with_ip_address(Some("192.0.2.1".parse().unwrap())),
            1 => AuditEvent {
                reason: Some(Cow::Borrowed("wrong_password")),
                ..event(second, AuditAction::SignIn, AuditOutcome::Failure)
                    .with_ip_address(Some("2001:db8::7".parse().unwrap()))
            },
            _ => event(second, AuditAction::TokenRequest, AuditOutcome::Success).with_client("app"),
        })
        .collect()
}

fn seconds(found: &AuditFindings) -> Vec<i64> {
    found
        .events
        .iter()
        .map(|line| line.event.at.since(START))
        .collect()
}

#[track_caller]
fn finds(filter: &AuditFilter, expected: &[i64]) {
    let found = search(&trail(&busy_trail()), filter, None, 4, 1000).unwrap();
    assert_eq!(seconds(&found), expected, "{filter:?}");
}

#[test]
fn every_filter_narrows_and_the_newest_come_first() {
    let none = AuditFilter::default();
    finds(&none, &[59, 58, 57, 56]);
    finds(
        &AuditFilter {
            user_id: Some("user-ada".into()),
            ..none.clone()
        },
        &[57, 54, 51, 48],
    );
    finds(
        &AuditFilter {
            user_id: Some("user-ad".into()),
            ..none.clone()
        },
        &[],
    );
    finds(
        &AuditFilter {
            client_id: Some("app".into()),
            ..none.clone()
        },
        &[59, 56, 53, 50],
    );
    finds(
        &AuditFilter {
            action: Some(AuditAction::SignIn),
            ..none.clone()
        },
        &[58, 57, 55, 54],
    );
    finds(
        &AuditFilter {
            outcome: Some(AuditOutcome::Failure),
            ..none.clone()
        },
        &[58, 55, 52, 49],
    );
    finds(
        &AuditFilter {
            outcome: Some(AuditOutcome::Success),
            ..none.clone()
        },
        &[59, 57, 56, 54],
    );
    finds(
        &AuditFilter {
            reason: Some("password".into()),
            ..none.clone()
        },
        &[58, 55, 52, 49],
    );
    finds(
        &AuditFilter {
            reason: Some("%".into()),
            ..none.clone()
        },
        &[],
    );
    finds(
        &AuditFilter {
            ip_address: Some("2001:DB8::0:7".parse().unwrap()),
            ..none.clone()
        },
        &[58, 55, 52, 49],
    );
    finds(
        &AuditFilter {
            from: Some(START.plus(10)),
            until: Some(START.plus(13)),
            ..none.clone()
        },
        &[12, 11, 10],
    );
    finds(
        &AuditFilter {
            user_id: Some("user-ada".into()),
            outcome: Some(AuditOutcome::Failure),
            ..none
        },
        &[],
    );
}

#[test]
fn pages_follow_one_another_without_gaps_and_doubles_even_within_a_second() {
    let events: Vec<AuditEvent> = (0..25)
        .map(|line| {
            event(line / 10, AuditAction::SignIn, AuditOutcome::Success).with_user(format!("user-{line}"))
        })
        .collect();
    let connection = trail(&events);
    let (mut seen, mut place) = (Vec::new(), None);
    loop {
        let found = search(&connection, &AuditFilter::default(), place, 7, 1000).unwrap();
        seen.extend(
            found
                .events
                .iter()
                .map(|line| line.event.user_id.clone().unwrap()),
        );
        place = found.next;
        if place.is_none() {
            break;
        }
    }
    let expected: Vec<String> = (0..25).rev().map(|line| format!("user-{line}")).collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_search_looks_at_so_many_lines_and_says_where_it_goes_on() {
    let connection = trail(&busy_trail());
    let filter = AuditFilter {
        from: Some(START.plus(5)),
        user_id: Some("nobody".into()),
        ..AuditFilter::default()
    };
    let mut place = None;
    for ended_at in [Some(40), Some(20), None] {
        let found = search(&connection, &filter, place, 4, 20).unwrap();
        assert_eq!(found.events, []);
        assert_eq!(
            found.next.map(|place| place.at),
            ended_at.map(|second| START.plus(second))
        );
        place = found.next;
    }
    let all = search(
        &connection,
        &AuditFilter::default(),
        Some(AuditPlace { at: START, id: 1 }),
        4,
        20,
    )
    .unwrap();
    assert_eq!(
        all,
        AuditFindings {
            events: Vec::new(),
            next: None
        }
    );
}

#[test]
fn a_place_beyond_all_time_is_lawful() {
    let place = AuditPlace {
        at: Timestamp::from_seconds(i64::MAX),
        id: i64::MAX,
    };
    let found = search(&trail(&busy_trail()), &AuditFilter::default(), Some(place), 1, 10).unwrap();
    assert_eq!(seconds(&found), [59]);
}

#[test]
fn both_statements_go_along_an_index_and_sort_nothing() {
    let connection = trail(&[]);
    for (statement, index) in [
        (EVERY_LINE.search, "audit_events_by_time"),
        (EVERY_LINE.last, "audit_events_by_time"),
        (FAILURES.search, "audit_failures_by_time"),
        (FAILURES.last, "audit_failures_by_time"),
    ] {
        let mut plan = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {statement}"))
            .unwrap();
        let steps: Vec<String> = plan
            .query_map(named_params! {":at": 0}, |row| row.get("detail"))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let steps = steps.join("; ");
        assert!(
            steps.contains(index) && !steps.contains("TEMP B-TREE"),
            "{statement}: {steps}"
        );
    }
}
