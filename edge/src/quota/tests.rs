//! Counting, in a world whose coordinators are real and whose clock is moved.

use std::rc::Rc;

use wardgate_shared::quota::Policy;

use super::{Account, Quotas, kept};
use crate::config::{ClientAddress, LimitPolicy};
use crate::testing::{Reply, World, claims, config_with};

/// A world with these limits, which its API names.
fn world(limits: &str, names: &str) -> World {
    World::with(config_with(&[
        ("WARDGATE_LIMITS", limits),
        ("WARDGATE_LIMITED_BY", names),
        ("WARDGATE_CLIENT_ADDRESS", "cloudflare"),
    ]))
}

fn get(world: &World) -> Reply {
    world.get("/fhir/Patient/1", &world.token(claims()))
}

/// What the client was told under this name, whoever answered.
fn told(world: &World, reply: &Reply, name: &str) -> Option<String> {
    match reply {
        Reply::Own(_) => reply.header(name).map(str::to_owned),
        Reply::Upstream(_) => world
            .forwarded()
            .last()?
            .set_on_answer
            .iter()
            .find(|(own, _)| *own == name)
            .map(|(_, value)| value.clone()),
    }
}

fn remaining(world: &World, reply: &Reply) -> Option<String> {
    told(world, reply, "x-ratelimit-remaining")
}

#[test]
fn a_thousand_a_minute_for_each_subject_is_the_default_and_costs_few_questions() {
    let world = World::new();
    for left in (0..1_000).rev() {
        let reply = get(&world);
        assert_eq!(reply.status(), 200);
        assert_eq!(remaining(&world, &reply), Some(left.to_string()));
        world.run_background();
    }
    assert!(world.asked() <= 20, "at most 2 %: {}", world.asked());
    let asked = world.asked();
    for _ in 0..500 {
        assert_eq!(get(&world).status(), 429);
    }
    assert_eq!(world.asked(), asked, "above the limit nobody is asked");
    assert_eq!(world.last_line()["reason"], "limit_reached");
    world.advance(60);
    assert_eq!(get(&world).status(), 200);
}

#[test]
fn two_isolates_share_one_limit() {
    let one = world(r#"[{"name":"default","limit":50}]"#, "default");
    let other = one.another_isolate();
    let mut admitted = 0;
    for _ in 0..60 {
        for isolate in [&one, &other] {
            admitted += u32::from(get(isolate).status() == 200);
            isolate.run_background();
        }
    }
    assert_eq!(admitted, 50);
}

#[test]
fn a_request_that_one_limit_refuses_costs_the_others_nothing() {
    let limits = r#"[{"name":"wide","limit":10,"counts":"client"},{"name":"narrow","limit":2}]"#;
    let world = world(limits, "wide narrow");
    for _ in 0..2 {
        assert_eq!(get(&world).status(), 200);
    }
    for _ in 0..5 {
        let refused = get(&world);
        assert_eq!(refused.status(), 429);
        assert_eq!(
            told(&world, &refused, "ratelimit")
                .as_deref()
                .and_then(|value| value.split(';').nth(1).map(str::to_owned)),
            Some("r=8".to_owned()),
            "the wide one"
        );
        assert_eq!(remaining(&world, &refused).as_deref(), Some("0"), "the tightest");
        assert!(refused.header("retry-after").is_some());
    }
}

#[test]
fn networks_are_counted_before_credentials_and_told_beside_the_rest() {
    let limits = r#"[{"name":"network","limit":3,"counts":"network"}]"#;
    let world = world(limits, "network default");
    let address = ("cf-connecting-ip", "192.0.2.7");
    let first = world.send("GET", "/fhir/Patient/1", &[address]);
    assert_eq!(
        (first.status(), first.header("x-ratelimit-remaining")),
        (401, Some("2"))
    );
    let bearer = format!("Bearer {}", world.token(claims()));
    let headers = [address, ("authorization", bearer.as_str())];
    let reply = world.send("GET", "/fhir/Patient/1", &headers);
    let policies = told(&world, &reply, "ratelimit-policy");
    assert_eq!(
        policies.as_deref(),
        Some("\"network\";q=3;w=60, \"default\";q=1000;w=60")
    );
    assert_eq!(world.send("GET", "/fhir/Patient/1", &headers).status(), 200);
    assert_eq!(world.send("GET", "/fhir/Patient/1", &headers).status(), 429);
    let elsewhere = [("cf-connecting-ip", "192.0.2.8"), headers[1]];
    assert_eq!(world.send("GET", "/fhir/Patient/1", &elsewhere).status(), 200);
}

#[test]
fn a_lease_ends_when_the_configuration_says_so() {
    let asked_again = |lease: &str| {
        let world = world(
            &format!(r#"[{{"name":"default","limit":1000{lease}}}]"#),
            "default",
        );
        assert_eq!(get(&world).status(), 200);
        world.run_background();
        let asked = world.asked();
        world.advance(5);
        assert_eq!(get(&world).status(), 200);
        world.asked() > asked
    };
    assert!(asked_again(r#","lease_seconds":5"#));
    assert!(!asked_again(r#","lease_seconds":30"#));
    assert!(!asked_again(""));
}

#[test]
fn a_client_names_no_network_where_its_address_is_not_known() {
    let mut config = config_with(&[
        (
            "WARDGATE_LIMITS",
            r#"[{"name":"network","limit":1,"counts":"network"}]"#,
        ),
        ("WARDGATE_LIMITED_BY", "network"),
        ("WARDGATE_CLIENT_ADDRESS", "cloudflare"),
    ]);
    // No configuration says so; were there one, nobody would have a count of their own.
    config.client_address = ClientAddress::Unknown;
    let world = World::with(config);
    for (address, status) in [("192.0.2.7", 401), ("192.0.2.8", 429)] {
        let reply = world.send("GET", "/fhir/Patient/1", &[("cf-connecting-ip", address)]);
        assert_eq!(reply.status(), status, "{address}");
    }
}

#[test]
fn open_documents_are_not_counted() {
    let world = World::new();
    let _ = world.send("GET", "/health", &[]);
    let _ = world.send("GET", "/fhir/metadata", &[]);
    let _ = world.send("GET", "/.well-known/oauth-protected-resource/fhir", &[]);
    assert_eq!(world.asked(), 0);
}

#[test]
fn undecided_while_coordinators_are_silent_and_soon_without_asking() {
    let world = World::new();
    world.coordinators_answer(false);
    for _ in 0..10 {
        let refused = get(&world);
        assert_eq!(
            (refused.status(), refused.header("retry-after")),
            (503, Some("1"))
        );
    }
    assert_eq!(world.asked(), 3);
    assert_eq!(world.last_line()["reason"], "limit_unknown");
    assert!(world.forwarded().is_empty());
    world.coordinators_answer(true);
    world.advance(1);
    let reply = get(&world);
    // The answers that were not taken cost nothing: their units are given back.
    assert_eq!(remaining(&world, &reply).as_deref(), Some("999"));
}

#[test]
fn a_lease_in_hand_is_spent_while_coordinators_are_silent() {
    let world = World::new();
    let _ = get(&world);
    world.coordinators_answer(false);
    for _ in 0..10 {
        assert_eq!(get(&world).status(), 200);
    }
}

#[test]
fn what_is_kept_is_bounded_and_what_was_used_last_stays() {
    let quotas = Rc::new(Quotas::default());
    let limit = LimitPolicy::default_limit();
    let policy = Policy::new(1_000_000, 60).unwrap();
    let account = |number: usize| Account {
        limit: &limit,
        name: number.to_string(),
        known: Vec::new(),
    };
    let most = kept::SETS * kept::ACCOUNTS_OF_A_SET;
    for number in 0..10 * most {
        quotas.with(&account(number + 1), |_| ());
        quotas.with(&account(0), |entry| {
            // One after another, as long as nobody forgets.
            let admitted = entry.local.take(policy, u32::MAX, 0).unwrap();
            assert_eq!(
                u64::from(admitted.remaining),
                u64::from(policy.limit()) - number as u64 - 1
            );
        });
    }
    assert_eq!(quotas.len(), most);
}

#[test]
fn without_chance_no_identity_and_no_question() {
    let quotas = Quotas::default();
    assert!(quotas.may_ask(0, || [0; 16]).is_none());
    let first = quotas.may_ask(0, || [7; 16]).unwrap();
    let second = quotas.may_ask(0, || [8; 16]).unwrap();
    assert_eq!(first.0, second.0, "an identity is drawn once");
    assert_ne!(first.1, second.1);
}
