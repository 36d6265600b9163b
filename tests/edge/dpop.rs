//! Tokens that are bound to a key, and their proofs, in the real `workerd` with its WebCrypto and its Durable Objects.

use serde_json::{Value, json};
use tokio::task::JoinSet;
use wardgate_tests::clock::now;
use wardgate_tests::edge::{Edge, PUBLIC_URL};
use wardgate_tests::forge::{DpopProof, with_broken_signature};
use wardgate_tests::http::{Answer, send};
use wardgate_tests::keys::{Algorithm, SigningKey};
use wardgate_tests::worker::Coordinators;

use crate::expect::{assert_fhir_refusal, assert_nothing_forwarded};

const PATH: &str = "/fhir/Patient/1";

/// Somebody with a key of this kind, and a token of the edge's issuer that is bound to it.
fn holder(edge: &Edge, algorithm: Algorithm) -> (SigningKey, String) {
    let key = SigningKey::of_stranger(algorithm, "own");
    let bound = json!({ "jkt": key.thumbprint() });
    let token = edge.claims().with("cnf", bound).sign(&edge.key);
    (key, token)
}

/// A proof that is right in every respect.
fn proof(key: &SigningKey, token: &str) -> DpopProof {
    DpopProof::new(key, "GET", &format!("{PUBLIC_URL}{PATH}"), token)
}

async fn present(edge: &Edge, token: &str, proof: &str) -> Answer {
    send(request(edge, token).header("dpop", proof)).await
}

/// A request that needs a proof yet.
fn request(edge: &Edge, token: &str) -> reqwest::RequestBuilder {
    edge.request("GET", PATH)
        .header("authorization", format!("DPoP {token}"))
}

/// 401 with this code in the DPoP challenge.
#[track_caller]
fn assert_refused(answer: &Answer, code: &str) {
    assert_fhir_refusal(answer, 401, "login");
    let challenge = answer.header("www-authenticate").expect("a challenge");
    assert!(
        challenge.starts_with("Bearer realm=\"fhir\", resource_metadata="),
        "{challenge}"
    );
    assert!(
        challenge.contains(&format!(", DPoP realm=\"fhir\", error=\"{code}\", ")),
        "{challenge}"
    );
    assert!(
        challenge.ends_with(", algs=\"PS256 ES256 ES384 EdDSA\""),
        "{challenge}"
    );
}

// FAPI-47, FAPI-51
#[tokio::test]
async fn bound_tokens_pass_with_a_proof_of_every_algorithm() {
    let edge = Edge::start().await;
    for algorithm in [
        Algorithm::Ps256,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::EdDsa,
    ] {
        let (key, token) = holder(&edge, algorithm);
        let first = present(&edge, &token, &proof(&key, &token).sign()).await;
        assert_eq!(first.status, 200, "{algorithm:?}: {}", first.text());
        let known = present(&edge, &token, &proof(&key, &token).sign()).await;
        assert_eq!(known.status, 200, "{algorithm:?}: {}", known.text());
        let request = edge.request("GET", &format!("{PATH}?_format=json"));
        let request = request.header("authorization", format!("dpop {token}"));
        let answer = send(request.header("DPoP", proof(&key, &token).sign())).await;
        assert_eq!(
            answer.status, 200,
            "any letter case, and the query does not count"
        );
    }
    for received in edge.upstream.received() {
        assert_eq!(received.headers.one("dpop"), None, "the proof is for the gateway");
        assert_eq!(received.headers.one("authorization"), None);
    }
}

// FAPI-46
#[tokio::test]
async fn every_wrong_proof_is_refused() {
    let edge = Edge::start().await;
    let (key, token) = holder(&edge, Algorithm::Es256);
    let (thief, _) = holder(&edge, Algorithm::Es256);
    let good = || proof(&key, &token);
    let mut private = key.jwk();
    private["d"] = "AAAA".into();
    let proofs = [
        good().with("htm", "POST"),
        good().with("htu", format!("{}{PATH}", edge.worker.url())),
        good().with("htu", format!("{PUBLIC_URL}/fhir/Patient/2")),
        good().with("iat", now() - 3_600),
        good().with("iat", now() + 3_600),
        good().with("ath", "x"),
        good().without("htm"),
        good().without("htu"),
        good().without("iat"),
        good().without("ath"),
        good().without("jti"),
        good().with_header("typ", "JWT"),
        good().with_header("alg", "none"),
        good().with_header("alg", "RS256"),
        good().with_header("alg", "ES384"),
        good().with_header("jwk", Value::Null),
        good().with_header("jwk", private),
        good().with_header("jwk", thief.jwk()),
    ];
    let mut texts: Vec<String> = proofs.iter().map(DpopProof::sign).collect();
    // The last one is of another key than the token's, for which there is another code.
    let of_thief = texts.pop().expect("one");
    texts.push(with_broken_signature(&good().sign()));
    texts.push(format!("{}, {}", good().sign(), good().sign()));
    texts.extend([
        String::new(),
        "x".to_owned(),
        "a.b.c".to_owned(),
        "A".repeat(7_000),
    ]);
    for text in texts {
        assert_refused(&present(&edge, &token, &text).await, "invalid_dpop_proof");
    }
    assert_refused(&present(&edge, &token, &of_thief).await, "invalid_token");
    assert_refused(
        &present(&edge, &token, &proof(&thief, &token).sign()).await,
        "invalid_token",
    );
    assert_refused(&send(request(&edge, &token)).await, "invalid_dpop_proof");
    let as_bearer = edge.get_with(PATH, &token).await;
    assert_fhir_refusal(&as_bearer, 401, "login");
    let unbound = edge.token();
    assert_refused(
        &present(&edge, &unbound, &proof(&key, &unbound).sign()).await,
        "invalid_token",
    );
    assert_nothing_forwarded(&edge);
    // None of this used anything up, and the token is good.
    assert_eq!(present(&edge, &token, &good().sign()).await.status, 200);
    assert_fhir_refusal(&edge.get_with(PATH, &token).await, 401, "login");
}

#[tokio::test]
async fn of_many_uses_of_one_proof_at_once_one_reaches_the_fhir_server() {
    let edge = Edge::start().await;
    let (key, token) = holder(&edge, Algorithm::Es256);
    for _ in 0..5 {
        let before = edge.upstream.received().len();
        let text = proof(&key, &token).sign();
        let mut requests = JoinSet::new();
        for _ in 0..20 {
            requests.spawn(send(request(&edge, &token).header("dpop", &text)));
        }
        let answers = requests.join_all().await;
        let passed = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(passed, 1);
        for refused in answers.iter().filter(|answer| answer.status != 200) {
            assert_refused(refused, "invalid_dpop_proof");
        }
        assert_eq!(edge.upstream.received().len(), before + 1);
    }
}

#[tokio::test]
async fn a_used_proof_is_remembered_where_no_isolate_was() {
    let edge = Edge::start().await;
    let (key, token) = holder(&edge, Algorithm::EdDsa);
    let text = proof(&key, &token).sign();
    assert_eq!(present(&edge, &token, &text).await.status, 200);
    // The process ends without warning: what remembers is on disk.
    let edge = edge.restarted().await;
    assert_refused(&present(&edge, &token, &text).await, "invalid_dpop_proof");
    assert_eq!(
        present(&edge, &token, &proof(&key, &token).sign()).await.status,
        200
    );
}

#[tokio::test]
async fn without_its_memory_a_proof_is_not_decided_about_unless_the_configuration_says_so() {
    const UNLIMITED: (&str, &str) = ("WARDGATE_LIMITED_BY", "none");
    const LOCAL: (&str, &str) = ("WARDGATE_DPOP_ON_FAILURE", "local");
    for coordinators in [
        Coordinators::Absent,
        Coordinators::Silent,
        Coordinators::Broken,
        Coordinators::Failing,
        Coordinators::Nonsense,
        Coordinators::Redirecting,
    ] {
        let edge = Edge::start_with_coordinators(&[UNLIMITED], coordinators).await;
        let (key, token) = holder(&edge, Algorithm::Es256);
        let answer = present(&edge, &token, &proof(&key, &token).sign()).await;
        assert_fhir_refusal(&answer, 503, "transient");
        assert_eq!(answer.header("retry-after"), Some("1"), "{coordinators:?}");
        assert_nothing_forwarded(&edge);
        assert_eq!(
            edge.get_with(PATH, &edge.token()).await.status,
            200,
            "others are not concerned"
        );
    }
    let edge = Edge::start_with_coordinators(&[UNLIMITED, LOCAL], Coordinators::Broken).await;
    let (key, token) = holder(&edge, Algorithm::Es256);
    let text = proof(&key, &token).sign();
    assert_eq!(present(&edge, &token, &text).await.status, 200);
    assert_refused(&present(&edge, &token, &text).await, "invalid_dpop_proof");
}

// FAPI-48
#[tokio::test]
async fn a_nonce_is_asked_for_given_and_taken_where_it_is_required() {
    let edge = Edge::start_with(&[
        ("WARDGATE_DPOP_NONCE", "required"),
        ("WARDGATE_DPOP_NONCE_SECRET", "a secret of thirty-two characters"),
    ])
    .await;
    let (key, token) = holder(&edge, Algorithm::Es256);
    let asked = present(&edge, &token, &proof(&key, &token).sign()).await;
    assert_refused(&asked, "use_dpop_nonce");
    let nonce = asked.header("dpop-nonce").expect("one nonce").to_owned();
    let exposed = asked.header("access-control-expose-headers").expect("exposed");
    assert!(exposed.contains("DPoP-Nonce"), "{exposed}");
    let with_nonce = proof(&key, &token).with("nonce", nonce.as_str()).sign();
    let edge = edge.restarted().await;
    let answer = present(&edge, &token, &with_nonce).await;
    assert_eq!(answer.status, 200, "another isolate takes it: {}", answer.text());
    assert_eq!(answer.header("dpop-nonce"), Some(nonce.as_str()));
    let other = proof(&key, &token).with("nonce", "another").sign();
    assert_refused(&present(&edge, &token, &other).await, "use_dpop_nonce");
    let without = Edge::start_with(&[("WARDGATE_DPOP_NONCE", "required")]).await;
    assert_eq!(without.get(PATH).await.status, 503, "a nonce needs a secret");
}
