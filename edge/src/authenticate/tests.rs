//! Tokens and keys, with real signatures against a scripted issuer.

use std::rc::Rc;

use serde_json::{Value, json};
use wardgate_shared::jwt::JwtError;
use wardgate_shared::status_list::{StatusBits, StatusList};

use super::{Holder, TokenError, authenticate};
use crate::error::Refusal;
use crate::explain::Trail;
use crate::log::FetchFailure;
use crate::testing::{IssuerKey, NOW, World, block_on, config_with, incoming};

fn claims() -> Value {
    json!({
        "iss": "https://issuer.example",
        "sub": "service",
        "aud": ["https://edge.example/fhir"],
        "jti": "t-1",
        "client_id": "service",
        "scope": "system/*.read",
    })
}

fn with(member: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[member] = value;
    claims
}

fn check(world: &World, token: &str) -> Result<Rc<Holder>, Refusal> {
    let api = &world.gateway.config.apis[0];
    let trail = &mut Trail::of(&world.gateway.config, &incoming("GET", "/fhir", &[]));
    block_on(authenticate(&world.gateway, world, api, token, trail))
}

fn refusal(world: &World, token: &str) -> Refusal {
    check(world, token).unwrap_err()
}

#[test]
fn gives_the_claims_of_a_good_token() {
    let world = World::new();
    let verified = check(&world, &world.token(claims())).unwrap();
    assert_eq!(verified.claims().subject, "service");
    assert_eq!(verified.expires_at().seconds(), NOW + 300);
}

#[test]
fn takes_a_token_that_names_its_place_in_a_status_list() {
    let world = World::new();
    let uri = "https://issuer.example/oauth2/status/1";
    let status = json!({ "status_list": { "idx": 412, "uri": uri } });
    let list = StatusList::all_valid(StatusBits::One, 1000).compress();
    let list = json!({ "iss": "https://issuer.example", "sub": uri, "status_list": list });
    let list = world.token_of_type(world.key(), "statuslist+jwt", list);
    world.document_at(uri, Ok(list.into_bytes()));
    let verified = check(&world, &world.token(with("status", status))).unwrap();
    let place = verified
        .claims()
        .status
        .clone()
        .and_then(|status| status.status_list);
    assert_eq!(place.map(|place| place.index), Some(412));
}

#[test]
fn imports_a_key_once() {
    let world = World::new();
    for _ in 0..3 {
        assert!(check(&world, &world.token(claims())).is_ok());
    }
    assert_eq!((world.fetched().len(), world.imports()), (1, 1));
}

#[test]
fn refuses_what_the_policy_forbids() {
    let world = World::new();
    for (claims, error) in [
        (with("iss", json!("https://other.example")), JwtError::WrongIssuer),
        (
            with("aud", json!("https://edge.example")),
            JwtError::WrongAudience,
        ),
    ] {
        assert_eq!(
            refusal(&world, &world.token(claims)),
            TokenError::Jwt(error).into()
        );
    }
    let token = world.token(claims());
    world.advance(300 + 29);
    assert!(check(&world, &token).is_ok(), "the skew is 30 seconds");
    world.advance(1);
    assert_eq!(refusal(&world, &token), TokenError::Jwt(JwtError::Expired).into());
}

#[test]
fn refuses_a_token_that_is_bound_to_a_key() {
    let world = World::new();
    for confirmation in [json!({ "jkt": "x" }), json!({}), json!("x"), json!(false)] {
        let token = world.token(with("cnf", confirmation));
        assert_eq!(refusal(&world, &token), TokenError::Bound.into());
    }
}

#[test]
fn refuses_what_is_no_token_without_asking_the_issuer() {
    let world = World::new();
    for token in ["x", "a.b.c", &"a".repeat(9_000)] {
        assert!(
            matches!(refusal(&world, token), Refusal::Token(TokenError::Jwt(_))),
            "{token}"
        );
    }
    assert!(world.fetched().is_empty());
}

#[test]
fn refuses_a_stranger_s_signature_and_key() {
    let world = World::new();
    let stranger = world.token_by(&IssuerKey::new("key-1", 9), claims());
    assert_eq!(
        refusal(&world, &stranger),
        TokenError::Jwt(JwtError::InvalidSignature).into()
    );
    let unknown = world.token_by(&IssuerKey::new("key-2", 9), claims());
    assert_eq!(
        refusal(&world, &unknown),
        TokenError::Jwt(JwtError::UnknownKey).into()
    );
    assert_eq!(world.fetched().len(), 1);
}

#[test]
fn finds_a_key_that_was_published_since() {
    let world = World::new();
    assert!(check(&world, &world.token(claims())).is_ok());
    let new = IssuerKey::new("key-2", 2);
    world.issuer_publishes(&[&new]);
    world.advance(30);
    assert!(check(&world, &world.token_by(&new, claims())).is_ok());
    assert_eq!(
        refusal(&world, &world.token(claims())),
        TokenError::Jwt(JwtError::UnknownKey).into(),
        "the key that left the set is gone"
    );
    assert_eq!(world.fetched().len(), 2);
}

#[test]
fn is_undecided_without_keys_and_asks_once_a_cooldown() {
    for failure in [
        FetchFailure::Unreachable,
        FetchFailure::Timeout,
        FetchFailure::Status(500),
        FetchFailure::TooLarge,
    ] {
        let world = World::new();
        world.issuer_says(Err(failure));
        let token = world.token(claims());
        assert_eq!(
            refusal(&world, &token),
            Refusal::Undecided {
                retry_after_seconds: 30
            }
        );
        world.advance(10);
        assert_eq!(
            refusal(&world, &token),
            Refusal::Undecided {
                retry_after_seconds: 20
            }
        );
        assert_eq!(world.fetched().len(), 1);
        assert_eq!(world.last_line()["reason"], "keys_unreachable");
    }
}

#[test]
fn is_undecided_when_the_keys_are_no_key_set() {
    let world = World::new();
    world.issuer_says(Ok(b"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}"));
    assert!(matches!(
        refusal(&world, &world.token(claims())),
        Refusal::Undecided { .. }
    ));
    assert_eq!(world.last_line()["reason"], "keys_malformed");
}

#[test]
fn is_undecided_when_the_library_takes_no_key_or_checks_no_signature() {
    let world = World::new();
    world.imports_work(false);
    assert!(matches!(
        refusal(&world, &world.token(claims())),
        Refusal::Undecided { .. }
    ));
    assert_eq!(world.last_line()["reason"], "key_import_failed");
    world.imports_work(true);
    world.checks_work(false);
    assert!(matches!(
        refusal(&world, &world.token(claims())),
        Refusal::Undecided { .. }
    ));
    assert_eq!(world.last_line()["reason"], "signature_unchecked");
    world.checks_work(true);
    assert!(check(&world, &world.token(claims())).is_ok());
}

#[test]
fn stale_keys_serve_while_they_are_renewed_beside() {
    let world = World::new();
    assert!(check(&world, &world.token(claims())).is_ok());
    world.advance(300);
    assert!(check(&world, &world.token(claims())).is_ok());
    assert_eq!(world.fetched().len(), 1, "the request did not wait for it");
    world.run_background();
    assert_eq!(world.fetched().len(), 2);
    world.advance(299);
    assert!(check(&world, &world.token(claims())).is_ok());
    world.run_background();
    assert_eq!(world.fetched().len(), 2, "fresh again");
}

#[test]
fn whoever_finds_a_fetch_running_waits_for_its_outcome() {
    let world = World::new();
    // Another request has begun, and its fetch goes on beside.
    let other = crate::jwks::load(&world.gateway.issuers[0], &world);
    drop(crate::outside::Outside::in_background(&world, other));
    assert!(check(&world, &world.token(claims())).is_ok());
    assert_eq!(world.fetched().len(), 1);
}

#[test]
fn whoever_finds_an_abandoned_fetch_takes_over() {
    let world = World::new();
    drop(crate::jwks::load(&world.gateway.issuers[0], &world));
    assert!(check(&world, &world.token(claims())).is_ok());
    assert_eq!(world.fetched().len(), 1);
}

#[test]
fn a_token_that_is_known_needs_no_signature_checked_again() {
    let world = World::new();
    let token = world.token(claims());
    for _ in 0..3 {
        assert_eq!(check(&world, &token).unwrap().claims().subject, "service");
    }
    assert_eq!(world.checks(), 1);
    let mut other = token.clone();
    other.push('A');
    assert!(check(&world, &other).is_err(), "the whole token counts");
    world.advance(300 + 30);
    assert_eq!(refusal(&world, &token), TokenError::Jwt(JwtError::Expired).into());
}

#[test]
fn a_known_token_falls_with_the_key_that_signed_it() {
    let world = World::new();
    let token = world.token(claims());
    assert!(check(&world, &token).is_ok());
    let other = IssuerKey::new("key-2", 2);
    world.issuer_publishes(&[&other]);
    world.advance(300);
    // Stale keys serve once more, while new ones are fetched beside.
    let long = world.token(claims());
    assert!(check(&world, &long).is_ok());
    world.run_background();
    assert_eq!(
        refusal(&world, &long),
        TokenError::Jwt(JwtError::UnknownKey).into()
    );
}

#[test]
fn a_known_token_is_not_decided_about_without_keys() {
    let world = World::with(config_with(&[
        ("WARDGATE_JWKS_FRESH_SECONDS", "10"),
        ("WARDGATE_JWKS_STALE_SECONDS", "10"),
    ]));
    let token = world.token(claims());
    assert!(check(&world, &token).is_ok());
    world.issuer_says(Err(FetchFailure::Timeout));
    world.advance(15);
    assert!(check(&world, &token).is_ok());
    world.advance(5);
    assert!(matches!(refusal(&world, &token), Refusal::Undecided { .. }));
}

#[test]
fn a_clock_that_went_back_makes_a_token_known_no_more() {
    let world = World::new();
    let token = world.token(claims());
    assert!(check(&world, &token).is_ok());
    world.advance(-10);
    assert!(check(&world, &token).is_ok(), "within the skew");
    assert_eq!(world.checks(), 2);
    world.advance(-100);
    assert_eq!(
        refusal(&world, &token),
        TokenError::Jwt(JwtError::IssuedInFuture).into()
    );
}
