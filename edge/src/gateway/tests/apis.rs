//! Several issuers and several APIs behind one gateway: who is asked for what, and who is believed where.

use serde_json::{Value, json};

use crate::config::Config;
use crate::log::FetchFailure;
use crate::testing::{IssuerKey, Reply, World, config_with};

const OWN: &str = "https://issuer.example";
const PARTNER: &str = "https://partner.example";
const PARTNER_KEYS: &str = "https://partner.example/.well-known/jwks.json";

/// The FHIR API, which trusts its own issuer; reports, which trust both; billing, which trusts the partner alone.
fn config() -> Config {
    let apis = json!([
        {
            "name": "reports",
            "prefix": "/reports",
            "upstream": "https://reports.example/v2",
            "kind": "plain",
            "issuers": [OWN, PARTNER],
            "audiences": ["reports"],
            "token_types": ["at+jwt", "JWT"],
            "open": ["/status"],
            "require": [
                { "path": "/", "methods": ["GET"], "scopes": ["reports.read"] },
                { "path": "/", "methods": ["POST"], "scopes": ["reports.read", "reports.write"] },
                { "path": "/audit", "scopes": [], "claims": { "roles": "auditor" } },
            ],
        },
        {
            "name": "billing",
            "prefix": "/fhir/billing",
            "upstream": "https://billing.example",
            "kind": "plain",
            "issuers": [PARTNER],
            "audiences": ["billing"],
            "require": [{ "path": "/", "scopes": ["bill"] }],
        },
    ]);
    config_with(&[
        ("WARDGATE_ISSUERS", &json!([{ "issuer": PARTNER }]).to_string()),
        ("WARDGATE_APIS", &apis.to_string()),
    ])
}

/// The world with both issuers, and the partner's key, which has the name of the own issuer's.
fn world() -> (World, IssuerKey) {
    let world = World::with(config());
    let partner = IssuerKey::new("key-1", 2);
    world.found_at(PARTNER_KEYS, Ok(&[&partner]));
    (world, partner)
}

fn claims(issuer: &str, audience: &str, scope: &str) -> Value {
    json!({
        "iss": issuer, "sub": "service", "aud": audience, "jti": "t-1", "client_id": "service", "scope": scope,
        "roles": ["auditor", "clerk"],
    })
}

#[test]
fn each_api_believes_its_own_issuers() {
    let (world, partner) = world();
    let own_token = |audience, scope| world.token(claims(OWN, audience, scope));
    let partner_token = |audience, scope| world.token_by(&partner, claims(PARTNER, audience, scope));
    for (target, token, status) in [
        ("/reports/1", own_token("reports", "reports.read"), 200),
        ("/reports/1", partner_token("reports", "reports.read"), 200),
        ("/fhir/billing/1", partner_token("billing", "bill"), 200),
        ("/fhir/billing/1", own_token("billing", "bill"), 401),
        (
            "/fhir/Patient",
            partner_token("https://edge.example/fhir", "system/*.read"),
            401,
        ),
        (
            "/fhir/Patient",
            own_token("https://edge.example/fhir", "system/*.read"),
            200,
        ),
        ("/reports/1", own_token("billing", "reports.read"), 401),
        (
            "/reports/1",
            partner_token("https://edge.example/fhir", "reports.read"),
            401,
        ),
    ] {
        assert_eq!(world.get(target, &token).status(), status, "{target}");
    }
    let urls: Vec<String> = world
        .forwarded()
        .into_iter()
        .map(|forwarded| forwarded.url)
        .collect();
    assert_eq!(
        urls,
        [
            "https://reports.example/v2/1",
            "https://reports.example/v2/1",
            "https://billing.example/1",
            "https://fhir.example/r4/Patient",
        ]
    );
}

#[test]
fn an_issuer_cannot_speak_for_another() {
    let (world, partner) = world();
    // Signed by the partner, in the name of the other issuer, with a key of the same name.
    let forged = world.token_by(&partner, claims(OWN, "reports", "reports.read"));
    assert_eq!(world.get("/reports/1", &forged).status(), 401);
    assert_eq!(world.last_line()["reason"], "token_signature");
    let forged = world.token(claims(PARTNER, "reports", "reports.read"));
    assert_eq!(world.get("/reports/1", &forged).status(), 401);
    assert_eq!(world.last_line()["reason"], "token_signature");
    assert!(world.forwarded().is_empty());
}

#[test]
fn nobody_is_asked_for_the_keys_of_a_stranger() {
    let (world, partner) = world();
    for issuer in [
        json!("https://stranger.example"),
        json!(""),
        json!(null),
        json!(["https://issuer.example"]),
    ] {
        let mut claims = claims(OWN, "reports", "reports.read");
        claims["iss"] = issuer;
        let token = world.token_by(&partner, claims);
        assert_eq!(world.get("/reports/1", &token).status(), 401);
        assert_eq!(world.last_line()["reason"], "token_issuer");
    }
    assert!(world.fetched().is_empty());
}

#[test]
fn an_issuer_that_is_down_does_not_hinder_the_other() {
    let (world, partner) = world();
    world.issuer_says(Err(FetchFailure::Unreachable));
    let own = world.token(claims(OWN, "reports", "reports.read"));
    let others = world.token_by(&partner, claims(PARTNER, "reports", "reports.read"));
    for _ in 0..2 {
        assert_eq!(world.get("/reports/1", &own).status(), 503);
        assert_eq!(world.get("/reports/1", &others).status(), 200);
    }
    let incident = world.log_text();
    assert!(
        incident.contains("\"reason\":\"keys_unreachable\",\"issuer\":\"https://issuer.example\""),
        "{incident}"
    );
    assert_eq!(world.fetched().len(), 2, "one fetch each, and then a rest");
}

#[test]
fn a_rule_asks_for_all_its_scopes_and_names_them() {
    let (world, _) = world();
    let bearer = |scope| format!("Bearer {}", world.token(claims(OWN, "reports", scope)));
    let reads = bearer("reports.read");
    let refused = world.send("POST", "/reports/1", &[("authorization", &reads)]);
    assert_eq!(refused.status(), 403);
    assert_eq!(
        refused.header("www-authenticate"),
        Some(
            "Bearer realm=\"reports\", error=\"insufficient_scope\", error_description=\"The token does not have the \
             scopes that this needs\", scope=\"reports.read reports.write\", \
             resource_metadata=\"https://edge.example/.well-known/oauth-protected-resource/reports\""
        )
    );
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    assert_eq!(world.last_line()["reason"], "rule_scope");
    let writes = bearer("reports.write reports.read");
    assert_eq!(
        world.send("POST", "/reports/1", &[("authorization", &writes)]),
        Reply::Upstream(200)
    );
    let forwarded = world.forwarded();
    assert!(
        forwarded[0]
            .set
            .contains(&("x-wardgate-access-level", "rule".into()))
    );
    assert!(
        forwarded[0]
            .set
            .contains(&("x-wardgate-authorized-by", "reports.read reports.write".into()))
    );
}

#[test]
fn a_rule_asks_for_claims() {
    let (world, partner) = world();
    let mut said = claims(PARTNER, "reports", "");
    assert_eq!(
        world.get("/reports/audit/1", &world.token_by(&partner, said.clone())),
        Reply::Upstream(200)
    );
    said["roles"] = json!("clerk");
    let refused = world.get("/reports/audit/1", &world.token_by(&partner, said));
    assert_eq!(refused.status(), 403);
    assert!(
        !refused.header("www-authenticate").unwrap().contains(" scope="),
        "no scope would help"
    );
    assert_eq!(world.last_line()["reason"], "rule_claim");
}

#[test]
fn what_no_rule_covers_is_refused_to_everyone_alike() {
    let (world, _) = world();
    for (method, target, status) in [
        ("DELETE", "/reports/1", 405),
        ("PURGE", "/reports/1", 405),
        ("GET", "/reports/Audit", 404),
        ("GET", "/reports/../fhir/Patient", 400),
        ("GET", "/reports/%2e%2e/x", 400),
        ("GET", "/reports//1", 400),
        ("GET", "/reports/1;x", 400),
        ("GET", "/reports/1?access_token=x", 400),
        ("GET", "/reportsx", 404),
    ] {
        assert_eq!(
            world.send(method, target, &[]).status(),
            status,
            "{method} {target}"
        );
    }
    let other = world.send("DELETE", "/reports/1", &[]);
    assert_eq!(other.header("allow"), Some("GET, POST"));
    let overridden = world.send("POST", "/reports/1", &[("x-http-method-override", "DELETE")]);
    assert_eq!(overridden.status(), 400);
    assert!(world.forwarded().is_empty());
}

#[test]
fn open_paths_need_no_token_and_carry_no_identity() {
    let (world, _) = world();
    let headers = [("x-wardgate-subject", "root"), ("authorization", "Bearer x")];
    assert_eq!(
        world.send("GET", "/reports/status/now", &headers),
        Reply::Upstream(200)
    );
    let forwarded = world.forwarded();
    assert_eq!(forwarded[0].url, "https://reports.example/v2/status/now");
    assert_eq!(forwarded[0].removed, ["x-wardgate-subject", "authorization"]);
    assert!(
        forwarded[0]
            .set
            .iter()
            .all(|(name, _)| !name.starts_with("x-wardgate-"))
    );
    assert_eq!(world.send("POST", "/reports/status", &[]).status(), 401);
}

#[test]
fn a_token_of_an_accepted_type_alone_is_taken() {
    let (world, partner) = world();
    let typed = |kind: &'static str, audience: &str, scope: &str| {
        world.token_of_type(&partner, kind, claims(PARTNER, audience, scope))
    };
    for (kind, status) in [
        ("at+jwt", 200),
        ("JWT", 200),
        ("application/at+jwt", 200),
        ("logout+jwt", 401),
    ] {
        assert_eq!(
            world
                .get("/reports/1", &typed(kind, "reports", "reports.read"))
                .status(),
            status,
            "{kind}"
        );
    }
    assert_eq!(
        world
            .get("/fhir/billing/1", &typed("JWT", "billing", "bill"))
            .status(),
        401,
        "types are accepted per API"
    );
}

#[test]
fn a_plain_api_takes_what_other_issuers_call_otherwise() {
    let (world, partner) = world();
    let said = json!({ "iss": PARTNER, "aud": ["reports"], "azp": "app", "scp": ["reports.read", "x"] });
    assert_eq!(
        world.get("/reports/1", &world.token_by(&partner, &said)),
        Reply::Upstream(200)
    );
    let set = world.forwarded().remove(0).set;
    assert!(set.contains(&("x-wardgate-subject", "app".into())));
    assert!(set.contains(&("x-wardgate-client", "app".into())));
    assert!(set.contains(&("x-wardgate-scope", "reports.read x".into())));
    assert!(
        set.iter().all(|(name, _)| *name != "x-wardgate-token-id"),
        "what is not said is not told"
    );
    for (member, value) in [
        ("cnf", json!({ "jkt": "x" })),
        ("sub", json!(1)),
        ("scope", json!(["reports.read"])),
    ] {
        let mut said = said.clone();
        said[member] = value;
        assert_eq!(
            world.get("/reports/1", &world.token_by(&partner, &said)).status(),
            401,
            "{member}"
        );
    }
    let anonymous = json!({ "iss": PARTNER, "aud": ["reports"], "scope": "reports.read" });
    assert_eq!(
        world
            .get("/reports/1", &world.token_by(&partner, &anonymous))
            .status(),
        401
    );
}

#[test]
fn each_api_has_metadata_of_its_own() {
    let (world, _) = world();
    let metadata = |path: &str| {
        let target = format!("/.well-known/oauth-protected-resource{path}");
        match world.send("GET", &target, &[]) {
            Reply::Own(answer) if answer.status == 200 => {
                serde_json::from_str::<Value>(&answer.body).unwrap()
            }
            other => json!(other.status()),
        }
    };
    assert_eq!(
        metadata("/reports"),
        json!({
            "resource": "https://edge.example/reports",
            "authorization_servers": [OWN, PARTNER],
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": ["PS256", "ES256", "ES384", "EdDSA"],
            "scopes_supported": ["reports.read", "reports.write"],
        })
    );
    assert_eq!(metadata("/fhir")["authorization_servers"], json!([OWN]));
    assert_eq!(
        metadata("/fhir/billing")["resource"],
        "https://edge.example/fhir/billing"
    );
    assert_eq!(metadata(""), 404, "there is no one resource to describe");
    assert_eq!(metadata("/other"), 404);
}

#[test]
fn the_log_names_the_api() {
    let (world, _) = world();
    world.send("GET", "/reports/1", &[]);
    assert_eq!(
        (&world.last_line()["api"], &world.last_line()["route"]),
        (&json!("reports"), &json!("plain"))
    );
}
