//! Revocation, against a scripted issuer with real signatures.

use serde_json::{Value, json};
use wardgate_shared::denial::{self, DenyBefore, DenyKind};
use wardgate_shared::status_list::{StatusBits, StatusList, TokenStatus};
use wardgate_shared::time::Timestamp;

use crate::authenticate::TokenError;
use crate::error::Refusal;
use crate::log::FetchFailure;
use crate::testing::{IssuerKey, World, claims, config_with};

const LIST: &str = "https://issuer.example/oauth2/status/1";

/// A token whose place in the list at `uri` is `index`.
fn token_at(world: &World, uri: &str, index: u64) -> String {
    let mut claims = serde_json::to_value(claims()).unwrap();
    claims["jti"] = json!(format!("t-{index}"));
    claims["status"] = json!({ "status_list": { "idx": index, "uri": uri } });
    world.token(claims)
}

/// What a list says in which these places are revoked.
fn list(uri: &str, revoked: &[u64]) -> Value {
    let mut list = StatusList::all_valid(StatusBits::One, 64);
    for index in revoked {
        assert!(list.set(*index, TokenStatus::Invalid));
    }
    json!({ "iss": "https://issuer.example", "sub": uri, "ttl": 30, "status_list": list.compress() })
}

/// The issuer publishes a list at [`LIST`] in which these are revoked.
fn publish(world: &World, revoked: &[u64]) {
    publish_claims(world, "statuslist+jwt", &list(LIST, revoked));
}

fn publish_claims(world: &World, token_type: &'static str, claims: &Value) {
    let token = world.token_of_type(world.key(), token_type, claims);
    world.document_at(LIST, Ok(token.into_bytes()));
}

fn status_of(world: &World, token: &str) -> u16 {
    world.get("/fhir/Patient", token).status()
}

fn fetches_of_the_list(world: &World) -> usize {
    world.fetched().iter().filter(|url| *url == LIST).count()
}

#[test]
fn a_revoked_token_is_refused_and_its_neighbours_are_not() {
    let world = World::new();
    publish(&world, &[3]);
    for (index, status) in [(2, 200), (3, 401), (4, 200)] {
        assert_eq!(
            status_of(&world, &token_at(&world, LIST, index)),
            status,
            "{index}"
        );
    }
    assert_eq!(world.last_line()["outcome"], "allow");
    assert_eq!(fetches_of_the_list(&world), 1, "one list for all of them");
    status_of(&world, &token_at(&world, LIST, 3));
    assert_eq!(world.last_line()["reason"], "token_revoked");
}

#[test]
fn whoever_stands_beyond_the_end_or_is_suspended_is_refused() {
    let world = World::new();
    let mut suspended = StatusList::all_valid(StatusBits::Two, 64);
    assert!(suspended.set(1, TokenStatus::Suspended) && suspended.set(2, TokenStatus::Other(3)));
    let mut claims = list(LIST, &[]);
    claims["status_list"] = json!(suspended.compress());
    publish_claims(&world, "statuslist+jwt", &claims);
    for (index, status) in [
        (0, 200),
        (1, 401),
        (2, 401),
        (63, 200),
        (64, 401),
        (u64::MAX, 401),
    ] {
        assert_eq!(
            status_of(&world, &token_at(&world, LIST, index)),
            status,
            "{index}"
        );
    }
}

#[test]
fn a_revocation_counts_within_the_time_that_is_stated() {
    let world = World::new();
    publish(&world, &[]);
    let token = token_at(&world, LIST, 7);
    assert_eq!(status_of(&world, &token), 200);
    publish(&world, &[7]);
    world.advance(14);
    assert_eq!(status_of(&world, &token), 200);
    assert_eq!(fetches_of_the_list(&world), 1);
    // In the second half of its time it is fetched beside the request, which need not wait.
    world.advance(1);
    assert_eq!(status_of(&world, &token), 200);
    world.run_background();
    assert_eq!(status_of(&world, &token), 401);
    assert_eq!(fetches_of_the_list(&world), 2);

    // Nobody asked for a while: the request waits for the list.
    let world = World::new();
    publish(&world, &[]);
    assert_eq!(status_of(&world, &token), 200);
    publish(&world, &[7]);
    world.advance(30);
    assert_eq!(status_of(&world, &token), 401);
}

#[test]
fn a_stated_time_of_a_second_is_kept_as_well() {
    let world = World::with(config_with(&[("WARDGATE_STATUS_FRESH_SECONDS", "1")]));
    publish(&world, &[]);
    let token = token_at(&world, LIST, 7);
    assert_eq!(status_of(&world, &token), 200);
    publish(&world, &[7]);
    world.advance(1);
    assert_eq!(status_of(&world, &token), 401);
}

#[test]
fn while_the_issuer_is_away_the_list_serves_until_its_bound_and_then_nothing_is_decided() {
    let world = World::new();
    publish(&world, &[3]);
    let (good, revoked) = (token_at(&world, LIST, 2), token_at(&world, LIST, 3));
    assert_eq!(status_of(&world, &good), 200);
    world.document_at(LIST, Err(FetchFailure::Timeout));
    world.advance(200);
    assert_eq!(
        (status_of(&world, &good), status_of(&world, &revoked)),
        (200, 401)
    );
    assert_eq!(
        fetches_of_the_list(&world),
        2,
        "it is tried again, and not for each request"
    );
    assert!(
        world
            .log_text()
            .contains("\"reason\":\"status_list_unreachable\"")
    );
    world.advance(99);
    assert_eq!(status_of(&world, &good), 200);
    world.advance(1);
    let fresh = token_at(&world, LIST, 2);
    let answer = world.get("/fhir/Patient", &fresh);
    assert_eq!(answer.status(), 503);
    let wait: i64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=5).contains(&wait), "{wait}");
    publish(&world, &[3]);
    world.advance(5);
    assert_eq!(status_of(&world, &fresh), 200);
}

#[test]
fn a_list_is_taken_only_from_the_tokens_own_issuer_and_about_itself() {
    let wrong: [fn(&World); 8] = [
        |world| publish_claims(world, "at+jwt", &list(LIST, &[])),
        |world| {
            let other = list("https://issuer.example/oauth2/status/2", &[]);
            publish_claims(world, "statuslist+jwt", &other);
        },
        |world| {
            let mut claims = list(LIST, &[]);
            claims["iss"] = json!("https://other.example");
            publish_claims(world, "statuslist+jwt", &claims);
        },
        |world| {
            let other = IssuerKey::new("key-1", 9);
            let token = world.token_of_type(&other, "statuslist+jwt", list(LIST, &[]));
            world.document_at(LIST, Ok(token.into_bytes()));
        },
        |world| {
            let mut claims = list(LIST, &[]);
            claims["status_list"]["lst"] = json!("AAAA");
            publish_claims(world, "statuslist+jwt", &claims);
        },
        |world| world.document_at(LIST, Ok(b"not a token".to_vec())),
        |world| world.document_at(LIST, Ok(vec![b'x'; 400 * 1024])),
        |world| world.document_at(LIST, Err(FetchFailure::Status(302))),
    ];
    for (number, wrong) in wrong.into_iter().enumerate() {
        let world = World::new();
        wrong(&world);
        let token = token_at(&world, LIST, 0);
        assert_eq!(status_of(&world, &token), 503, "{number}");
        assert!(world.log_text().contains("\"reason\":\"status_list_"), "{number}");
        assert_eq!(status_of(&world, &token), 503, "{number}");
        assert_eq!(fetches_of_the_list(&world), 1, "{number}: not for each request");
    }
}

#[test]
fn only_addresses_of_the_issuer_are_fetched() {
    let world = World::new();
    publish(&world, &[]);
    for uri in [
        "https://other.example/status/1",
        "https://issuer.example.evil.example/1",
        "https://issuer.example@evil.example/1",
        "https://issuer.example/../status",
        "https://issuer.example/a b",
        "http://issuer.example/status/1",
        "",
    ] {
        let answer = world.get("/fhir/Patient", &token_at(&world, uri, 0));
        assert_eq!(answer.status(), 401, "{uri}");
        assert_eq!(world.last_line()["reason"], "token_status", "{uri}");
    }
    let mut claims = serde_json::to_value(claims()).unwrap();
    claims["status"] = json!({});
    assert_eq!(
        status_of(&world, &world.token(claims)),
        401,
        "another mechanism is not understood"
    );
    assert!(world.fetched().iter().all(|url| url.ends_with("/jwks.json")));
    let refusal: Refusal = TokenError::Status.into();
    assert_eq!(refusal.status(), 401);
}

#[test]
fn few_lists_are_kept_and_the_one_in_use_stays() {
    let world = World::new();
    publish(&world, &[]);
    let token = token_at(&world, LIST, 0);
    assert_eq!(status_of(&world, &token), 200);
    for number in 0..40 {
        let uri = format!("https://issuer.example/oauth2/status/{}", 100 + number);
        let other = world.token_of_type(world.key(), "statuslist+jwt", list(&uri, &[]));
        world.document_at(&uri, Ok(other.into_bytes()));
        assert_eq!(status_of(&world, &token_at(&world, &uri, 0)), 200);
        assert_eq!(status_of(&world, &token), 200);
    }
    assert_eq!(fetches_of_the_list(&world), 1);
}

/// A list in which nothing is revoked and that denies these, signed with this key.
fn publish_denials(world: &World, key: &IssuerKey, denials: &[DenyBefore]) {
    let mut claims = list(LIST, &[]);
    claims["deny_before"] = json!(denial::encode(denials));
    let token = world.token_of_type(key, "statuslist+jwt", &claims);
    world.document_at(LIST, Ok(token.into_bytes()));
}

fn deny(kind: DenyKind, name: &str, not_before: i64) -> DenyBefore {
    let not_before = Timestamp::from_seconds(not_before);
    DenyBefore::of(kind, "https://issuer.example", name, not_before)
}

#[test]
fn a_subject_a_client_an_api_key_and_a_signing_key_are_denied_with_all_their_tokens() {
    let now = World::new().seconds();
    let of = claims();
    for (kind, name) in [
        (DenyKind::Subject, of.subject.as_str()),
        (DenyKind::Client, &of.client_id),
        (DenyKind::ApiKey, "key-1"),
        (DenyKind::SigningKey, "key-1"),
    ] {
        let (world, next) = (World::new(), IssuerKey::new("key-2", 2));
        world.issuer_publishes(&[world.key(), &next]);
        publish(&world, &[]);
        let mut own = serde_json::to_value(claims()).unwrap();
        own["api_key_id"] = json!("key-1");
        // One that no list names, and one that the list calls valid.
        let unlisted = world.token(own.clone());
        own["status"] = json!({ "status_list": { "idx": 4, "uri": LIST } });
        let listed = world.token(own);
        assert_eq!(
            (status_of(&world, &listed), status_of(&world, &unlisted)),
            (200, 200)
        );
        publish_denials(&world, &next, &[deny(kind, name, now + 1)]);
        world.advance(30);
        assert_eq!(status_of(&world, &listed), 401, "{kind:?}");
        assert_eq!(world.last_line()["reason"], "token_revoked");
        assert_eq!(status_of(&world, &unlisted), 401, "{kind:?}, in no list");
        // From another time or of another name nobody is denied.
        publish_denials(
            &world,
            &next,
            &[deny(kind, name, now), deny(kind, "other", now + 9)],
        );
        world.advance(30);
        assert_eq!(status_of(&world, &listed), 200, "{kind:?}");
    }
}

#[test]
fn a_list_that_is_signed_with_a_key_it_denies_is_not_believed() {
    let world = World::new();
    let token = token_at(&world, LIST, 1);
    publish_denials(
        &world,
        world.key(),
        &[deny(DenyKind::SigningKey, "key-1", i64::MAX)],
    );
    assert_eq!(status_of(&world, &token), 503);
}

#[test]
fn denials_that_cannot_be_read_make_the_list_unusable() {
    for denials in [json!("no denials!"), json!(7), json!("AA")] {
        let world = World::new();
        let mut claims = list(LIST, &[]);
        claims["deny_before"] = denials;
        publish_claims(&world, "statuslist+jwt", &claims);
        assert_eq!(status_of(&world, &token_at(&world, LIST, 1)), 503);
    }
}

#[test]
fn an_isolate_that_saw_no_list_hears_of_a_denial_with_its_next_lease() {
    let limits = r#"[{"name":"default","limit":50,"lease_seconds":2}]"#;
    let one = World::with(config_with(&[("WARDGATE_LIMITS", limits)]));
    let other = one.another_isolate();
    let before = one.token(claims());
    assert_eq!((status_of(&one, &before), status_of(&other, &before)), (200, 200));

    let end = one.seconds() + 1;
    one.advance(3);
    publish_denials(
        &one,
        one.key(),
        &[deny(DenyKind::Subject, &claims().subject, end)],
    );
    // The leases are over, so each isolate asks. Whoever is admitted by one with a newer token brings it what that one knows.
    assert_eq!(status_of(&one, &token_at(&one, LIST, 1)), 200);
    assert_eq!(status_of(&one, &before), 401);
    assert_eq!(status_of(&other, &before), 200, "it asks with this");
    assert_eq!(status_of(&other, &before), 401);
    let newer = other.token(claims());
    assert_eq!(status_of(&other, &newer), 200);
    assert_eq!(fetches_of_the_list(&one), 1);
}
