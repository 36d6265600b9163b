//! Freshness, rests and bounds, by example and by property.

use proptest::prelude::*;
use wardgate_shared::time::Timestamp;

use super::{Permission, Refresh, RefreshSettings, Standing};

const SETTINGS: RefreshSettings = RefreshSettings {
    fresh_seconds: 300,
    stale_seconds: 3_600,
    cooldown_seconds: 30,
    attempt_seconds: 4,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_000_000 + seconds)
}

fn fetched_at(seconds: i64) -> Refresh {
    let mut refresh = Refresh::new(SETTINGS);
    let started = refresh.start(at(seconds));
    assert!(refresh.succeed(started));
    refresh
}

#[test]
fn a_document_is_absent_then_fresh_then_stale_then_absent() {
    assert_eq!(Refresh::new(SETTINGS).standing(at(0)), Standing::Absent);
    let refresh = fetched_at(0);
    for (second, standing) in [
        (0, Standing::Fresh),
        (299, Standing::Fresh),
        (300, Standing::Stale),
        (3_899, Standing::Stale),
        (3_900, Standing::Absent),
    ] {
        assert_eq!(refresh.standing(at(second)), standing, "after {second} s");
    }
}

#[test]
fn a_running_attempt_keeps_others_away_until_it_counts_as_abandoned() {
    let mut refresh = Refresh::new(SETTINGS);
    let _ = refresh.start(at(0));
    assert_eq!(refresh.may_renew(at(0)), Permission::Running);
    assert_eq!(refresh.may_renew(at(3)), Permission::Running);
    assert_eq!(refresh.may_renew(at(4)), Permission::Granted);
}

#[test]
fn a_failure_is_followed_by_a_rest_that_says_how_long_it_lasts() {
    let mut refresh = fetched_at(0);
    let started = refresh.start(at(400));
    refresh.fail(started, at(403));
    assert_eq!(
        refresh.may_renew(at(403)),
        Permission::CoolingDown { seconds: 30 }
    );
    assert_eq!(
        refresh.may_search(at(432)),
        Permission::CoolingDown { seconds: 1 }
    );
    assert_eq!(refresh.may_renew(at(433)), Permission::Granted);
    assert_eq!(refresh.standing(at(433)), Standing::Stale, "what was there stays");
}

#[test]
fn a_success_is_followed_by_a_rest_for_searches_only() {
    let refresh = fetched_at(0);
    assert_eq!(refresh.may_search(at(29)), Permission::JustFetched);
    assert_eq!(refresh.may_search(at(30)), Permission::Granted);
    assert_eq!(refresh.may_renew(at(0)), Permission::Granted);
}

#[test]
fn an_attempt_that_was_taken_over_decides_nothing_when_it_ends_late() {
    let mut refresh = Refresh::new(SETTINGS);
    let slow = refresh.start(at(0));
    let quick = refresh.start(at(10));
    assert!(refresh.succeed(quick));
    assert!(
        !refresh.succeed(slow),
        "an older document does not replace a newer one"
    );
    assert_eq!(refresh.standing(at(309)), Standing::Fresh);
    refresh.fail(slow, at(20));
    assert_eq!(refresh.may_renew(at(20)), Permission::Granted);
}

#[test]
fn a_clock_that_goes_back_blocks_nothing() {
    let mut refresh = fetched_at(0);
    assert_eq!(refresh.standing(at(-10)), Standing::Stale);
    assert_eq!(refresh.may_search(at(-10)), Permission::Granted);
    let _ = refresh.start(at(0));
    assert_eq!(refresh.may_renew(at(-10)), Permission::Granted);
}

#[test]
fn a_document_fetched_after_the_clock_went_back_is_taken_and_followed_by_a_rest() {
    let mut refresh = fetched_at(0);
    let before = refresh.start(at(1));
    let after = refresh.start(at(-1_000));
    assert!(
        refresh.succeed(after),
        "it is the newer one, whatever the clock says"
    );
    assert_eq!(refresh.standing(at(-999)), Standing::Fresh);
    assert_eq!(refresh.may_search(at(-999)), Permission::JustFetched);
    assert_eq!(refresh.may_search(at(-971)), Permission::JustFetched);
    assert_eq!(refresh.may_search(at(-970)), Permission::Granted);
    assert!(!refresh.succeed(before), "an older one is still older");
    let failing = refresh.start(at(-700));
    refresh.fail(failing, at(-699));
    assert_eq!(
        refresh.may_renew(at(-698)),
        Permission::CoolingDown { seconds: 29 }
    );
}

proptest! {
    /// Whatever searches come whenever: attempts that searches cause are a cool-down apart.
    #[test]
    fn searches_cause_at_most_one_attempt_per_cooldown(
        gaps in prop::collection::vec(0_i64..8, 1..400),
        outcomes in prop::collection::vec(any::<bool>(), 400),
    ) {
        let mut refresh = Refresh::new(SETTINGS);
        let (mut now, mut attempts) = (0, Vec::new());
        for (gap, succeeds) in gaps.into_iter().zip(outcomes) {
            now += gap;
            if refresh.may_search(at(now)) == Permission::Granted {
                attempts.push(now);
                let started = refresh.start(at(now));
                if succeeds { refresh.succeed(started); } else { refresh.fail(started, at(now)); }
            }
        }
        prop_assert!(attempts.windows(2).all(|pair| pair[1] - pair[0] >= SETTINGS.cooldown_seconds));
    }

    /// While the issuer is down, requests for a document that is absent or stale reach it once a cool-down.
    #[test]
    fn an_issuer_that_is_down_is_asked_once_per_cooldown(gaps in prop::collection::vec(0_i64..8, 1..400)) {
        let mut refresh = Refresh::new(SETTINGS);
        let (mut now, mut attempts) = (0, 0);
        for gap in gaps {
            now += gap;
            if refresh.may_renew(at(now)) == Permission::Granted {
                attempts += 1;
                let started = refresh.start(at(now));
                refresh.fail(started, at(now));
            }
        }
        prop_assert!(attempts <= 1 + now / SETTINGS.cooldown_seconds);
    }

    /// No document is ever used beyond its bound, whatever failed in between.
    #[test]
    fn a_document_is_never_used_beyond_the_stale_bound(events in prop::collection::vec((0_i64..900, 0_u8..4), 1..80)) {
        let mut refresh = Refresh::new(SETTINGS);
        let (mut now, mut begun, mut newest) = (0, None, None);
        for (gap, event) in events {
            now += gap;
            match (event, begun) {
                (0, _) => begun = Some((now, refresh.start(at(now)))),
                (1, Some((since, started))) => { refresh.succeed(started); newest = newest.max(Some(since)); }
                (2, Some((_, started))) => refresh.fail(started, at(now)),
                _ => {}
            }
            let usable = refresh.standing(at(now)) != Standing::Absent;
            prop_assert_eq!(usable, newest.is_some_and(|fetched| now - fetched < 3_900));
        }
    }
}
