//! Bound tokens at userinfo and introspection (RFC 9449 section 7).

use http::{Method, StatusCode};
use serde_json::{Value, json};
use wardgate_shared::jwt::SignatureAlgorithm;

use super::{
    USERINFO, bound_tokens, bound_tokens_of_web, own_token, prove, text, token_with, userinfo, userinfo_with,
};
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::domain::digest::SecretDigest;
use crate::testing::{ISSUER, Prover, client};
use crate::web::testing::{Answer, Clinic, PATIENT};

/// A clinic with a bound token, its key, and what a good proof says.
struct Bound {
    clinic: Clinic,
    key: Prover,
    token: String,
}

impl Bound {
    async fn open() -> Self {
        let clinic = Clinic::open().await;
        let key = Prover::new();
        let tokens = bound_tokens(&clinic, &key, "openid").await;
        let token = text(&tokens, "access_token").into();
        Self { clinic, key, token }
    }

    fn claims(&self) -> Value {
        Prover::claims_for("GET", USERINFO, &self.token, self.clinic.issuer.now())
    }

    fn proof(&self) -> String {
        self.key.claiming(&self.claims())
    }

    async fn call(&self, proof: &str) -> Answer {
        userinfo_with(&self.clinic, &self.token, proof).await
    }
}

/// Asserts a 401 with this error in a challenge of the scheme, and the other scheme offered beside it.
#[track_caller]
fn is_challenged(answer: &Answer, scheme: &str, code: &str) {
    answer.is_oauth_error(StatusCode::UNAUTHORIZED, code);
    let challenges: Vec<&str> = answer
        .headers
        .get_all("www-authenticate")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    assert_eq!(challenges.len(), 2, "{answer:?}");
    let start = format!(r#"{scheme} realm="wardgate", error="{code}""#);
    assert!(challenges[0].starts_with(&start), "{answer:?}");
    let dpop = challenges.iter().find(|challenge| challenge.starts_with("DPoP "));
    assert!(
        dpop.unwrap().ends_with(r#"algs="PS256 ES256 ES384 EdDSA""#),
        "{answer:?}"
    );
    assert!(
        challenges
            .iter()
            .any(|challenge| challenge.starts_with("Bearer "))
    );
}

// FAPI-50, FAPI-51
#[tokio::test]
async fn a_bound_token_opens_userinfo_with_a_proof_and_the_scheme_in_any_letter_case() {
    let bound = Bound::open().await;
    for scheme in ["DPoP", "dpop", "DPOP", "dPoP"] {
        let authorization = format!("{scheme} {}", bound.token);
        let proof = bound.proof();
        let headers = [
            ("authorization", &*authorization),
            ("dpop", &*proof),
            ("accept", "application/json, */*"),
        ];
        let answer = userinfo(&bound.clinic, Method::GET, &headers).await;
        assert_eq!(answer.status, StatusCode::OK, "{scheme} {answer:?}");
    }
    let claims = Prover::claims_for("POST", USERINFO, &bound.token, bound.clinic.issuer.now());
    let authorization = format!("DPoP {}", bound.token);
    let proof = bound.key.claiming(&claims);
    let headers = [("authorization", &*authorization), ("dpop", &*proof)];
    let answer = userinfo(&bound.clinic, Method::POST, &headers).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

// FAPI-45, FAPI-47
#[tokio::test]
async fn what_does_not_count_in_a_proof_does_no_harm() {
    let bound = Bound::open().await;
    let now = bound.clinic.issuer.now().seconds();
    for change in [
        json!({ "htu": format!("{ISSUER}{USERINFO}?a=b#c") }),
        json!({ "htu": format!("HTTPS://ID.Example.ORG{USERINFO}") }),
        json!({ "htu": format!("{ISSUER}:443{USERINFO}") }),
        json!({ "iat": now - 10 }),
        json!({ "iat": now + 8 }),
        json!({ "nbf": now, "exp": now + 60, "more": { "a": [1] } }),
        json!({ "nonce": "of some other server" }),
    ] {
        let mut claims = bound.claims();
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let mut header = bound.key.header();
        header["more"] = json!({});
        let answer = bound.call(&bound.key.sign(&header, &claims)).await;
        assert_eq!(answer.status, StatusCode::OK, "{change} {answer:?}");
    }
}

// FAPI-46
#[tokio::test]
async fn a_proof_that_is_not_good_opens_nothing() {
    let bound = Bound::open().await;
    let key = &bound.key;
    let mut bad = vec![
        String::from("x"),
        String::from("e30.e30.e30"),
        bound.token.clone(),
    ];
    for member in ["jti", "htm", "htu", "iat", "ath"] {
        let mut claims = bound.claims();
        claims.as_object_mut().unwrap().remove(member);
        bad.push(key.claiming(&claims));
    }
    let now = bound.clinic.issuer.now().seconds();
    for (member, value) in [
        ("htm", json!("POST")),
        ("htu", json!("https://id.example.org/oauth2/token")),
        ("htu", json!("https://evil.example/oauth2/userinfo")),
        ("ath", json!("fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo")),
        ("iat", json!(now - 3600)),
        ("iat", json!(now + 3600)),
    ] {
        let mut claims = bound.claims();
        claims[member] = value;
        bad.push(key.claiming(&claims));
    }
    for member in ["typ", "alg", "jwk"] {
        let mut header = key.header();
        header.as_object_mut().unwrap().remove(member);
        bad.push(key.sign(&header, &bound.claims()));
    }
    for (member, value) in [
        ("typ", json!("JWT")),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
    ] {
        let mut header = key.header();
        header[member] = value;
        bad.push(key.sign(&header, &bound.claims()));
    }
    let mut private = key.header();
    private["jwk"]["d"] = "AAAA".into();
    bad.push(key.sign(&private, &bound.claims()));
    bad.push(Prover::new().sign(&key.header(), &bound.claims()));
    bad.push(Prover::with(SignatureAlgorithm::RS256).claiming(&bound.claims()));
    for proof in bad {
        is_challenged(&bound.call(&proof).await, "DPoP", "invalid_dpop_proof");
    }
    assert_eq!(bound.call(&bound.proof()).await.status, StatusCode::OK);
}

// FAPI-46, FAPI-57
#[tokio::test]
async fn a_proof_of_another_key_opens_nothing() {
    let bound = Bound::open().await;
    let other = Prover::new();
    is_challenged(
        &bound.call(&other.claiming(&bound.claims())).await,
        "DPoP",
        "invalid_token",
    );
    let others = bound_tokens_of_web(&bound.clinic, &other).await;
    let token = text(&others, "access_token");
    let now = bound.clinic.issuer.now();
    let answer = userinfo_with(&bound.clinic, token, &bound.key.call("GET", USERINFO, token, now)).await;
    is_challenged(&answer, "DPoP", "invalid_token");
}

// FAPI-46
#[tokio::test]
async fn a_bound_token_without_one_proof_opens_nothing() {
    let bound = Bound::open().await;
    let clinic = &bound.clinic;
    let authorization = format!("DPoP {}", bound.token);
    let only_token = [("authorization", &*authorization)];
    let answer = userinfo(clinic, Method::GET, &only_token).await;
    is_challenged(&answer, "DPoP", "invalid_dpop_proof");
    let (one, two) = (bound.proof(), bound.proof());
    let twice = [("authorization", &*authorization), ("dpop", &one), ("dpop", &two)];
    let answer = userinfo(clinic, Method::GET, &twice).await;
    is_challenged(&answer, "DPoP", "invalid_dpop_proof");
}

// FAPI-46
#[tokio::test]
async fn a_bound_token_is_no_bearer_token_in_header_or_form() {
    let bound = Bound::open().await;
    let authorization = format!("Bearer {}", bound.token);
    let proof = bound.proof();
    for headers in [
        vec![("authorization", &*authorization)],
        vec![("authorization", &*authorization), ("dpop", &*proof)],
    ] {
        let answer = userinfo(&bound.clinic, Method::GET, &headers).await;
        is_challenged(&answer, "Bearer", "invalid_token");
    }
    let now = bound.clinic.issuer.now();
    let proof = bound.key.call("POST", USERINFO, &bound.token, now);
    let fields = [("access_token", &*bound.token)];
    let answer = bound
        .clinic
        .browser()
        .post_with(USERINFO, &fields, &[("dpop", &proof)])
        .await;
    is_challenged(&answer, "Bearer", "invalid_token");
}

// FAPI-50
#[tokio::test]
async fn a_bound_token_in_the_query_is_none() {
    let bound = Bound::open().await;
    let answer = bound
        .clinic
        .browser()
        .get(&format!("{USERINFO}?access_token={}", bound.token))
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let offered = answer.headers.get_all("www-authenticate");
    let offered: Vec<&str> = offered.iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(
        offered,
        [
            r#"Bearer realm="wardgate""#,
            r#"DPoP realm="wardgate", algs="PS256 ES256 ES384 EdDSA""#
        ]
    );
}

#[tokio::test]
async fn a_bearer_token_gains_nothing_by_a_proof() {
    let bound = Bound::open().await;
    let tokens = bound.clinic.tokens("openid", PATIENT).await;
    let token = text(&tokens, "access_token");
    let proof = bound.key.call("GET", USERINFO, token, bound.clinic.issuer.now());
    let answer = userinfo_with(&bound.clinic, token, &proof).await;
    is_challenged(&answer, "DPoP", "invalid_token");
}

#[tokio::test]
async fn a_dead_token_with_a_good_proof_is_a_dead_token() {
    let bound = Bound::open().await;
    bound.clinic.issuer.advance(3600);
    is_challenged(&bound.call(&bound.proof()).await, "DPoP", "invalid_token");
}

#[tokio::test]
async fn a_resource_server_introspects_with_a_bound_token_too() {
    let clinic = Clinic::open().await;
    let path = "/oauth2/introspect";
    let mut server = client(
        "resource-server",
        ClientAuthentication::Secret(SecretDigest::of("secret")),
        &[GrantType::ClientCredentials],
        &[],
        "introspect",
    );
    server.metadata.dpop_bound_access_tokens = true;
    clinic.issuer.add_client(server).await;
    let key = Prover::new();
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", "resource-server"),
        ("client_secret", "secret"),
    ];
    let tokens = prove(&clinic, &fields, &key).await.json();
    let token = text(&tokens, "access_token");
    let bearer = format!("Bearer {token}");
    let asked = [("token", token)];
    let answer = clinic
        .browser()
        .post_with(path, &asked, &[("authorization", &bearer)])
        .await;
    is_challenged(&answer, "Bearer", "invalid_token");
    let authorization = format!("DPoP {token}");
    let proof = key.call("POST", path, token, clinic.issuer.now());
    let headers = [("authorization", &*authorization), ("dpop", &*proof)];
    let answer = clinic.browser().post_with(path, &asked, &headers).await;
    assert_eq!(answer.json()["cnf"]["jkt"], key.thumbprint());
    let proof = key.call("POST", path, token, clinic.issuer.now());
    let fields = own_token(&clinic);
    let refused = token_with(&clinic, &fields, &[&proof]).await;
    refused.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_dpop_proof");
}
