//! The platform's limit, in a world whose platform admits as many of a network as it is told to.

use crate::testing::{Reply, World, claims, config_with};

const ADDRESS: (&str, &str) = ("cf-connecting-ip", "192.0.2.7");

/// A world whose platform admits so many requests of each network.
fn world(limit: Option<u32>) -> World {
    let world = World::with(config_with(&[
        ("WARDGATE_UNVERIFIED_LIMIT", "UNVERIFIED"),
        ("WARDGATE_CLIENT_ADDRESS", "cloudflare"),
    ]));
    world.platform_admits(limit);
    world
}

fn get(world: &World, address: (&str, &str), token: Option<&str>) -> Reply {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![address];
    headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
    world.send("GET", "/fhir/Patient/1", &headers)
}

#[test]
fn a_flood_without_credentials_ends_at_the_platform() {
    let world = world(Some(2));
    for status in [401, 401, 429, 429] {
        let reply = get(&world, ADDRESS, None);
        assert_eq!(reply.status(), status);
        let retry_after = (status == 429).then_some("60");
        assert_eq!(reply.header("retry-after"), retry_after);
    }
    assert_eq!(world.last_line()["reason"], "limit_unverified");
    assert_eq!(world.last_line()["outcome"], "deny");
    let elsewhere = ("cf-connecting-ip", "192.0.2.8");
    assert_eq!(get(&world, elsewhere, None).status(), 401, "another network");
}

#[test]
fn a_flood_of_invented_tokens_costs_no_signature_and_no_key_beyond_the_limit() {
    let world = world(Some(2));
    let good = world.token(claims());
    for (tokens, status) in [(0..2, 401), (2..40, 429)] {
        for number in tokens {
            let token = format!("{good}{number}");
            assert_eq!(get(&world, ADDRESS, Some(&token)).status(), status);
        }
    }
    assert!(world.checks() <= 2, "{}", world.checks());
    let malformed = get(&world, ADDRESS, Some("x"));
    assert_eq!(malformed.status(), 429, "it is not even read");
}

#[test]
fn a_token_that_was_verified_passes_whatever_its_network_does() {
    let world = world(Some(1));
    let token = world.token(claims());
    assert_eq!(get(&world, ADDRESS, Some(&token)).status(), 200);
    assert_eq!(get(&world, ADDRESS, None).status(), 429);
    for _ in 0..5 {
        assert_eq!(get(&world, ADDRESS, Some(&token)).status(), 200);
    }
    assert_eq!(world.checks(), 1);
    assert_eq!(get(&world, ADDRESS, None).status(), 429);
}

#[test]
fn open_documents_that_others_have_to_answer_are_counted_and_own_ones_are_not() {
    let world = world(Some(0));
    for (path, status) in [
        ("/fhir/metadata", 429),
        ("/fhir/.well-known/smart-configuration", 429),
        ("/health", 200),
        ("/.well-known/oauth-protected-resource/fhir", 200),
    ] {
        assert_eq!(world.send("GET", path, &[ADDRESS]).status(), status, "{path}");
    }
    let preflight = [
        ADDRESS,
        ("origin", "https://app.example"),
        ("access-control-request-method", "GET"),
    ];
    assert_eq!(world.send("OPTIONS", "/fhir/Patient", &preflight).status(), 204);
    assert!(world.forwarded().is_empty());
    assert!(world.fetched().is_empty());
}

#[test]
fn a_platform_that_does_not_answer_admits_everybody() {
    let world = world(None);
    for _ in 0..5 {
        assert_eq!(get(&world, ADDRESS, None).status(), 401);
    }
    assert_eq!(get(&world, ADDRESS, Some(&world.token(claims()))).status(), 200);
}

#[test]
fn nobody_is_asked_where_no_limit_is_named() {
    let world = World::new();
    world.platform_admits(Some(0));
    assert_eq!(get(&world, ADDRESS, None).status(), 401);
    assert_eq!(world.platform_asked(), 0);
}
