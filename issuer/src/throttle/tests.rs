use std::net::IpAddr;

use proptest::prelude::*;
use wardgate_shared::time::Timestamp;

use super::{Call, Caller, MAXIMUM_ENTRIES, Outcome, Throttle, Throttled};
use crate::config::LimitsConfig;

const NOON: Timestamp = Timestamp::from_seconds(1_700_000_000);
const HOSPITAL: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));
const ELSEWHERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 1)));
const LIMITS: LimitsConfig = LimitsConfig {
    failures_per_minute: 60,
    client_requests_per_minute: 600,
    public_client_requests_per_minute: 120,
};

fn call(caller: Caller, network: Option<IpAddr>) -> Call {
    Call {
        endpoint: "/oauth2/token",
        network,
        caller,
    }
}

fn proved(name: &str) -> Caller {
    Caller::WithProof(name.into())
}

fn named(name: &str) -> Caller {
    Caller::NameOnly(name.into())
}

/// A throttle with a full bucket of failures for [`HOSPITAL`], and how often that was to be recorded.
fn flooded() -> (Throttle, usize) {
    let throttle = Throttle::new(LIMITS);
    let mut recorded = 0;
    for number in 0..LIMITS.failures_per_minute {
        let guess = call(proved(&format!("guess-{number}")), HOSPITAL);
        assert_eq!(throttle.admit(&guess, NOON), Ok(()), "{number}");
        recorded += usize::from(throttle.count(&guess, Outcome::Failure, NOON));
    }
    (throttle, recorded)
}

#[test]
fn a_flood_of_failures_is_turned_away_and_recorded_once() {
    let (throttle, recorded) = flooded();
    assert_eq!(recorded, 1);
    let wait = Throttled {
        retry_after_seconds: 1,
    };
    for caller in [proved("x"), named("x"), Caller::Nameless] {
        assert_eq!(throttle.admit(&call(caller.clone(), HOSPITAL), NOON), Err(wait));
        assert_eq!(throttle.admit(&call(caller, ELSEWHERE), NOON), Ok(()));
    }
    assert!(throttle.is_flooding(HOSPITAL, NOON) && !throttle.is_flooding(ELSEWHERE, NOON));
    // One place a second; the flood is not recorded anew until half of it has drained.
    let guess = call(proved("x"), HOSPITAL);
    for second in 1..10 {
        let now = NOON.plus(second);
        assert_eq!(throttle.admit(&guess, now), Ok(()));
        assert!(!throttle.count(&guess, Outcome::Failure, now));
        assert_eq!(throttle.admit(&guess, now), Err(wait));
    }
    assert!(!throttle.is_flooding(HOSPITAL, NOON.plus(9 + 30)));
}

#[test]
fn a_client_that_proved_itself_there_is_let_through_a_flood_from_its_own_address() {
    let throttle = Throttle::new(LIMITS);
    let lab = call(proved("lab"), HOSPITAL);
    assert!(!throttle.count(&lab, Outcome::Success, NOON));
    for _ in 0..LIMITS.failures_per_minute {
        throttle.count(&call(proved("guess"), HOSPITAL), Outcome::Failure, NOON);
    }
    // Somebody behind the address claims to be the client: it is not held back by their failures either.
    for _ in 0..1000 {
        throttle.count(&lab, Outcome::Failure, NOON);
    }
    assert_eq!(throttle.admit(&lab, NOON), Ok(()));
    assert!(throttle.is_flooding(HOSPITAL, NOON));
    assert!(
        throttle.admit(&call(named("lab"), HOSPITAL), NOON).is_err(),
        "without proof"
    );
    assert!(throttle.admit(&call(proved("other"), HOSPITAL), NOON).is_err());
    let flood_a_day_later = NOON.plus(86_400);
    for _ in 0..LIMITS.failures_per_minute {
        throttle.count(
            &call(proved("guess"), HOSPITAL),
            Outcome::Failure,
            flood_a_day_later,
        );
    }
    assert!(
        throttle.admit(&lab, flood_a_day_later).is_err(),
        "not seen for a day"
    );
}

#[test]
fn an_app_without_proof_has_failures_of_its_own_where_it_got_through() {
    let (throttle, _) = flooded();
    let app = call(named("app"), HOSPITAL);
    assert!(throttle.admit(&app, NOON).is_err());
    throttle.count(&app, Outcome::Success, NOON);
    assert_eq!(throttle.admit(&app, NOON), Ok(()));
    for _ in 0..LIMITS.failures_per_minute {
        throttle.count(&app, Outcome::Failure, NOON);
    }
    assert!(throttle.admit(&app, NOON).is_err());
}

#[test]
fn requests_of_one_client_are_bounded_and_those_of_another_are_not_held_back() {
    let throttle = Throttle::new(LIMITS);
    let busy = call(proved("busy"), HOSPITAL);
    let mut recorded = 0;
    for _ in 0..LIMITS.client_requests_per_minute {
        assert_eq!(throttle.admit(&busy, NOON), Ok(()));
        recorded += usize::from(throttle.count(&busy, Outcome::Success, NOON));
    }
    assert_eq!(recorded, 1);
    // From wherever it calls, and at no other endpoint.
    assert!(throttle.admit(&busy, NOON).is_err());
    assert!(throttle.admit(&call(proved("busy"), ELSEWHERE), NOON).is_err());
    assert!(throttle.admit(&call(proved("busy"), None), NOON).is_err());
    let elsewhere = Call {
        endpoint: "/oauth2/par",
        ..busy.clone()
    };
    assert_eq!(throttle.admit(&elsewhere, NOON), Ok(()));
    assert_eq!(throttle.admit(&call(proved("calm"), HOSPITAL), NOON), Ok(()));
    assert_eq!(throttle.admit(&busy, NOON.plus(1)), Ok(()));
}

#[test]
fn strangers_cannot_use_up_what_a_client_may() {
    let throttle = Throttle::new(LIMITS);
    // With a name that anybody knows, and no proof: elsewhere it counts for nothing.
    for _ in 0..1000 {
        throttle.count(&call(named("app"), ELSEWHERE), Outcome::Success, NOON);
        throttle.count(&call(proved("lab"), ELSEWHERE), Outcome::Failure, NOON);
    }
    assert!(throttle.admit(&call(named("app"), ELSEWHERE), NOON).is_err());
    assert_eq!(throttle.admit(&call(named("app"), HOSPITAL), NOON), Ok(()));
    assert_eq!(throttle.admit(&call(proved("lab"), HOSPITAL), NOON), Ok(()));
}

#[test]
fn an_address_that_all_share_says_nothing_and_zero_is_no_limit() {
    let (shared, none) = (Throttle::new(LIMITS), Throttle::new(LimitsConfig::NONE));
    for _ in 0..10_000 {
        for caller in [named("app"), Caller::Nameless] {
            shared.count(&call(caller.clone(), None), Outcome::Success, NOON);
            shared.count(&call(caller, None), Outcome::Failure, NOON);
        }
        for outcome in [Outcome::Success, Outcome::Failure] {
            none.count(&call(proved("x"), HOSPITAL), outcome, NOON);
            none.count(&call(Caller::Nameless, HOSPITAL), outcome, NOON);
        }
    }
    for caller in [named("app"), Caller::Nameless] {
        assert_eq!(shared.admit(&call(caller.clone(), None), NOON), Ok(()));
        assert_eq!(none.admit(&call(caller, HOSPITAL), NOON), Ok(()));
    }
    assert_eq!(none.admit(&call(proved("x"), HOSPITAL), NOON), Ok(()));
    assert!(!shared.is_flooding(None, NOON) && !none.is_flooding(HOSPITAL, NOON));
}

#[test]
fn the_counters_are_bounded_and_keep_what_is_full() {
    let (throttle, _) = flooded();
    let many = u32::try_from(MAXIMUM_ENTRIES).unwrap() + 10;
    for number in 0..many {
        let network = Some(IpAddr::from(
            (0x2001_0db8_u128 << 96 | u128::from(number) << 64).to_be_bytes(),
        ));
        throttle.count(&call(named("app"), network), Outcome::Failure, NOON);
        throttle.count(&call(named("app"), network), Outcome::Success, NOON);
    }
    let counters = throttle.counters();
    let sizes = [
        counters.failures.len(),
        counters.successes.len(),
        counters.known.len(),
    ];
    drop(counters);
    assert!(sizes.iter().all(|size| *size <= MAXIMUM_ENTRIES), "{sizes:?}");
    assert!(throttle.admit(&call(proved("x"), HOSPITAL), NOON).is_err());
}

proptest! {
    /// Whatever the limit and the times: in no minute more than twice the limit is let through, and after the wait that was
    /// told there is room.
    #[test]
    fn a_bucket_keeps_its_bound_and_its_word(per_minute in 1_u32..200, pauses in prop::collection::vec(0_i64..4, 1..400)) {
        let mut bucket = super::Bucket::empty(NOON);
        let mut now = NOON;
        let mut let_through = Vec::new();
        for pause in pauses {
            now = now.plus(pause);
            match bucket.wait(per_minute, now) {
                0 => {
                    bucket.add(per_minute, now);
                    let_through.push(now);
                }
                wait => {
                    prop_assert_eq!(bucket.wait(per_minute, now.plus(wait)), 0);
                    prop_assert!(bucket.wait(per_minute, now.plus(wait - 1)) > 0);
                }
            }
            let in_a_minute = let_through.iter().filter(|then| now.since(**then) < 60).count();
            prop_assert!(in_a_minute <= usize::try_from(per_minute).unwrap() * 2);
        }
    }
}
