//! Assertions that are refused, and why.

use base64ct::{Base64UrlUnpadded, Encoding};
use http::StatusCode;
use serde_json::{Value, json};
use wardgate_shared::jwt::SignatureAlgorithm;

use super::{ASSERTION_TYPE, BACKEND, Backend, SCOPE, backend, inline, is_invalid_client, present};
use crate::domain::audit_event::AuditOutcome;
use crate::testing::{ISSUER, START, Signer, assertion_claims};
use crate::web::testing::{APP, Clinic, SERVICE, basic};

/// A change of the claims, and the word under which the refusal is in the audit trail.
type Fault = (&'static str, Option<Value>, &'static str);

// SMART-32, FAPI-31
#[tokio::test]
async fn every_claim_must_be_right() {
    let backend = Backend::open().await;
    let faults: [Fault; 22] = [
        ("exp", None, "client_assertion_times"),
        ("exp", Some(json!(START.seconds() - 30)), "client_assertion_times"),
        (
            "exp",
            Some(json!(START.seconds() - 300)),
            "client_assertion_times",
        ),
        (
            "exp",
            Some(json!(START.seconds() + 331)),
            "client_assertion_lives_too_long",
        ),
        ("exp", Some(json!(i64::MAX)), "malformed_client_assertion"),
        ("exp", Some(json!("soon")), "malformed_client_assertion"),
        ("aud", None, "malformed_client_assertion"),
        (
            "aud",
            Some(json!("https://other.example/token")),
            "client_assertion_audience",
        ),
        (
            "aud",
            Some(json!(format!("{ISSUER}/"))),
            "client_assertion_audience",
        ),
        (
            "aud",
            Some(json!(["https://other.example"])),
            "client_assertion_audience",
        ),
        ("aud", Some(json!([])), "client_assertion_audience"),
        ("aud", Some(json!(5)), "malformed_client_assertion"),
        ("sub", None, "client_assertion_subject"),
        ("sub", Some(json!(SERVICE)), "client_assertion_subject"),
        ("sub", Some(json!("")), "client_assertion_subject"),
        ("iss", None, "client_assertion_without_issuer"),
        ("iss", Some(json!(SERVICE)), "client_authentication_failed"),
        ("iss", Some(json!("nobody")), "client_authentication_failed"),
        ("iss", Some(json!([BACKEND])), "client_assertion_without_issuer"),
        ("jti", None, "client_assertion_without_id"),
        ("jti", Some(json!("")), "client_assertion_without_id"),
        ("jti", Some(json!(7)), "malformed_client_assertion"),
    ];
    for (claim, value, reason) in faults {
        let mut claims = backend.claims();
        match value.clone() {
            Some(value) => claims[claim] = value,
            None => drop(claims.as_object_mut().unwrap().remove(claim)),
        }
        is_invalid_client(&backend.claiming(&claims).await);
        let event = backend.clinic.last_audit().await;
        assert_eq!(event.outcome, AuditOutcome::Failure);
        assert_eq!(event.reason.as_deref(), Some(reason), "{claim}: {value:?}");
    }
}

// SMART-32: the limit is five minutes and what clocks may differ.
#[tokio::test]
async fn five_minutes_pass_and_so_does_a_clock_that_is_a_little_ahead() {
    let backend = Backend::open().await;
    for (seconds, status) in [
        (1, 200),
        (300, 200),
        (330, 200),
        (331, 401),
        (3600, 401),
        (-29, 200),
        (-30, 401),
    ] {
        let mut claims = backend.claims();
        claims["exp"] = (START.seconds() + seconds).into();
        let answer = backend.claiming(&claims).await;
        assert_eq!(answer.status, status, "{seconds}: {answer:?}");
    }
}

// SMART-66
#[tokio::test]
async fn an_unknown_assertion_type_is_refused() {
    let backend = Backend::open().await;
    let assertion = backend.assertion();
    for kind in [
        "not_an_assertion_type",
        "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
        "URN:ietf:params:oauth:client-assertion-type:jwt-bearer",
    ] {
        let answer = backend
            .clinic
            .token(&[
                ("grant_type", "client_credentials"),
                ("scope", SCOPE),
                ("client_assertion_type", kind),
                ("client_assertion", &assertion),
            ])
            .await;
        is_invalid_client(&answer);
    }
    let still_good = present(&backend.clinic, &assertion, &[]).await;
    assert_eq!(still_good.status, StatusCode::OK, "a refusal uses nothing up");
}

// SMART-64
#[tokio::test]
async fn an_unknown_grant_type_with_a_good_assertion_is_a_bad_request() {
    let backend = Backend::open().await;
    let answer = backend
        .clinic
        .token(&[
            ("grant_type", "not_a_grant_type"),
            ("scope", SCOPE),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &backend.assertion()),
        ])
        .await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "unsupported_grant_type");
}

// SMART-65
#[tokio::test]
async fn scopes_beyond_the_registered_ones_are_not_granted() {
    let Backend { clinic, signer } = Backend::open().await;
    let mut narrow = backend("narrow", inline(&[&signer]));
    narrow.scope = wardgate_shared::scope::ScopeSet::parse("system/Observation.rs").unwrap();
    clinic.issuer.add_client(narrow).await;
    let assertion = signer.assertion("narrow", START);
    let fields = |scope| {
        [
            ("grant_type", "client_credentials"),
            ("scope", scope),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &*assertion),
        ]
    };
    let answer = clinic.token(&fields("system/Patient.rs")).await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_scope");
}

// FAPI-30
#[tokio::test]
async fn an_absent_assertion_is_refused() {
    let backend = Backend::open().await;
    let grant = ("grant_type", "client_credentials");
    for fields in [
        vec![grant],
        vec![grant, ("client_id", BACKEND)],
        vec![grant, ("client_assertion_type", ASSERTION_TYPE)],
        vec![grant, ("client_assertion", "x.y.z")],
        vec![
            grant,
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", ""),
        ],
    ] {
        is_invalid_client(&backend.clinic.token(&fields).await);
    }
}

// FAPI-32
#[tokio::test]
async fn a_key_for_one_algorithm_is_good_for_no_other() {
    let clinic = Clinic::open().await;
    let signer = Signer::new(SignatureAlgorithm::PS256, Some("k"));
    clinic
        .issuer
        .add_client(backend(BACKEND, inline(&[&signer])))
        .await;
    let weaker = Signer::new(SignatureAlgorithm::RS256, Some("k"));
    is_invalid_client(&present(&clinic, &weaker.assertion(BACKEND, START), &[]).await);
    let mut header = signer.header();
    for algorithm in ["RS256", "RS384", "ES256", "HS256", "none", "None", ""] {
        header["alg"] = algorithm.into();
        let assertion = signer.sign(&header, &assertion_claims(BACKEND, START));
        is_invalid_client(&present(&clinic, &assertion, &[]).await);
    }
}

#[tokio::test]
async fn a_signature_of_another_key_is_refused() {
    let backend = Backend::open().await;
    let thief = Signer::new(SignatureAlgorithm::ES384, Some("key-1"));
    is_invalid_client(&present(&backend.clinic, &thief.assertion(BACKEND, START), &[]).await);
    let event = backend.clinic.last_audit().await;
    assert_eq!(event.reason.as_deref(), Some("client_assertion_signature"));

    let assertion = backend.assertion();
    let (input, signature) = assertion.rsplit_once('.').unwrap();
    let (header, _) = input.split_once('.').unwrap();
    let mut claims = backend.claims();
    claims["jti"] = "another".into();
    let claims = Base64UrlUnpadded::encode_string(claims.to_string().as_bytes());
    for altered in [
        format!("{header}.{claims}.{signature}"),
        format!("{input}."),
        format!("{input}.{}", "A".repeat(128)),
        String::from(input),
    ] {
        is_invalid_client(&present(&backend.clinic, &altered, &[]).await);
    }
    assert_eq!(
        present(&backend.clinic, &assertion, &[]).await.status,
        StatusCode::OK
    );
}

// SMART-32
#[tokio::test]
async fn a_kid_that_no_key_has_is_refused() {
    let backend = Backend::open().await;
    for key_id in ["key-2", "", "KEY-1"] {
        let mut header = backend.signer.header();
        header["kid"] = key_id.into();
        let assertion = backend.signer.sign(&header, &backend.claims());
        is_invalid_client(&present(&backend.clinic, &assertion, &[]).await);
        let event = backend.clinic.last_audit().await;
        assert_eq!(event.reason.as_deref(), Some("client_assertion_key_unknown"));
    }
}

#[tokio::test]
async fn an_assertion_brings_no_key_of_its_own() {
    let backend = Backend::open().await;
    let thief = Signer::new(SignatureAlgorithm::ES384, Some("thief"));
    let mut header = thief.header();
    header["jwk"] = thief.public().to_json();
    let assertion = thief.sign(&header, &backend.claims());
    is_invalid_client(&present(&backend.clinic, &assertion, &[]).await);
}

#[tokio::test]
async fn a_client_authenticates_in_its_own_way_only() {
    let Backend { clinic, signer } = Backend::open().await;
    for client_id in [SERVICE, APP] {
        is_invalid_client(&present(&clinic, &signer.assertion(client_id, START), &[]).await);
    }
    let grant = ("grant_type", "client_credentials");
    let by_secret = [grant, ("client_id", BACKEND), ("client_secret", "x")];
    is_invalid_client(&clinic.token(&by_secret).await);
    is_invalid_client(&clinic.token(&[grant, ("client_id", BACKEND)]).await);
}

#[tokio::test]
async fn an_assertion_beside_another_proof_is_a_bad_request() {
    let backend = Backend::open().await;
    let assertion = backend.assertion();
    let answer = present(&backend.clinic, &assertion, &[("client_secret", "x")]).await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
    let answer = present(&backend.clinic, &assertion, &[("client_assertion", &assertion)]).await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", &*assertion),
    ];
    let authorization = basic(BACKEND, "x");
    let headers = [("authorization", authorization.as_str())];
    let answer = backend
        .clinic
        .browser()
        .post_with("/oauth2/token", &fields, &headers)
        .await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
}

#[tokio::test]
async fn unknown_clients_wrong_keys_and_wrong_signatures_are_told_apart_by_nobody() {
    let Backend { clinic, signer } = Backend::open().await;
    let thief = Signer::new(SignatureAlgorithm::ES384, Some("key-1"));
    let nameless = Signer::new(SignatureAlgorithm::ES384, Some("key-2"));
    let mut bodies = Vec::new();
    for assertion in [
        thief.assertion(BACKEND, START),
        nameless.assertion(BACKEND, START),
        signer.assertion("nobody", START),
        signer.assertion(SERVICE, START),
        signer.assertion(APP, START),
    ] {
        bodies.push(present(&clinic, &assertion, &[]).await.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
}

// SMART-33
#[tokio::test]
async fn a_key_set_url_in_the_header_of_a_client_with_inline_keys_is_refused() {
    let backend = Backend::open().await;
    for url in [json!("https://backend.example/jwks.json"), json!(""), json!(5)] {
        let mut header = backend.signer.header();
        header["jku"] = url;
        let assertion = backend.signer.sign(&header, &backend.claims());
        is_invalid_client(&present(&backend.clinic, &assertion, &[]).await);
    }
}

// FAPI-32
#[tokio::test]
async fn a_client_registered_for_one_algorithm_may_use_no_other() {
    let clinic = Clinic::open().await;
    let rsa = Signer::new(SignatureAlgorithm::RS256, None);
    let elliptic = Signer::new(SignatureAlgorithm::ES256, None);
    let mut client = backend(BACKEND, inline(&[&rsa, &elliptic]));
    client.metadata.token_endpoint_auth_signing_alg = Some(SignatureAlgorithm::ES256);
    clinic.issuer.add_client(client).await;
    let description = is_invalid_client(&present(&clinic, &rsa.assertion(BACKEND, START), &[]).await);
    assert!(description.contains("another algorithm"), "{description}");
    let answer = present(&clinic, &elliptic.assertion(BACKEND, START), &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}
