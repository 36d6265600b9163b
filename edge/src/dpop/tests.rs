//! Bound tokens and their proofs through the whole pipeline, with real signatures.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardgate_shared::jwt::SigningKey as _;

use super::nonce;
use crate::testing::{IssuerKey, Reply, World, claims, config_with};
use wardgate_shared::time::Timestamp;

const PATH: &str = "/fhir/Patient/1";
const SECRET: &str = "a secret of thirty-two characters";

/// Somebody with a key, and a token that is bound to it.
struct Holder {
    world: World,
    key: IssuerKey,
    token: String,
}

impl Holder {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(settings: &[(&str, &str)]) -> Self {
        let world = World::with(config_with(settings));
        let key = IssuerKey::new("own", 9);
        let token = world.token(bound_to(&key));
        Self { world, key, token }
    }

    /// The claims of a proof that is right in every respect, to be spoilt one by one.
    fn claims(&self, id: &str) -> Value {
        json!({
            "jti": id,
            "htm": "GET",
            "htu": format!("https://edge.example{PATH}"),
            "iat": self.world.seconds(),
            "ath": hash(&self.token),
        })
    }

    fn proof(&self, id: &str) -> String {
        self.proof_of(&self.claims(id))
    }

    fn proof_of(&self, claims: &Value) -> String {
        proof(&self.key, &header(&self.key), claims)
    }

    fn send(&self, proof: &str) -> Reply {
        send(&self.world, &self.token, proof)
    }

    /// Refused with this reason, status and code, and nothing forwarded.
    #[track_caller]
    fn refuses(&self, proof: &str, reason: &str, code: &str) {
        let before = self.world.forwarded().len();
        let reply = self.send(proof);
        assert_eq!(self.world.last_line()["reason"], reason, "{reply:?}");
        assert_eq!(reply.status(), 401);
        let challenge = reply.header("www-authenticate").unwrap();
        let (_, dpop) = challenge.split_once("DPoP realm=\"fhir\", ").unwrap();
        assert!(dpop.starts_with(&format!("error=\"{code}\", ")), "{challenge}");
        assert!(dpop.ends_with("algs=\"PS256 ES256 ES384 EdDSA\""), "{challenge}");
        assert_eq!(self.world.forwarded().len(), before);
    }
}

fn bound_to(key: &IssuerKey) -> Value {
    let mut claims = serde_json::to_value(claims()).unwrap();
    claims["cnf"] = json!({ "jkt": key.thumbprint() });
    claims
}

fn hash(token: &str) -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(token))
}

fn header(key: &IssuerKey) -> Value {
    json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": key.public() })
}

fn proof(key: &IssuerKey, header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = Base64UrlUnpadded::encode_string(&key.sign(message.as_bytes()).unwrap());
    format!("{message}.{signature}")
}

fn send(world: &World, token: &str, proof: &str) -> Reply {
    let authorization = format!("DPoP {token}");
    world.send("GET", PATH, &[("authorization", &authorization), ("dpop", proof)])
}

#[test]
fn a_bound_token_passes_with_its_proof_which_goes_no_further() {
    let holder = Holder::new();
    assert_eq!(holder.send(&holder.proof("a")), Reply::Upstream(200));
    let forwarded = holder.world.forwarded();
    assert_eq!(forwarded[0].removed, ["authorization", "dpop"]);
    assert_eq!(holder.world.checks(), 2, "the token's signature, and the proof's");
    assert_eq!(holder.send(&holder.proof("b")), Reply::Upstream(200));
    assert_eq!(holder.world.checks(), 3, "the token is known, the proof never is");
}

// FAPI-46
#[test]
fn a_bound_token_is_no_bearer_token_whether_it_is_known_or_not() {
    let holder = Holder::new();
    for id in ["a", "b"] {
        let reply = holder.world.get(PATH, &holder.token);
        assert_eq!(holder.world.last_line()["reason"], "token_unproved");
        let challenge = reply.header("www-authenticate").unwrap();
        assert!(
            challenge.starts_with("Bearer realm=\"fhir\", error=\"invalid_token\", "),
            "{challenge}"
        );
        assert!(challenge.contains(", DPoP realm=\"fhir\", "), "{challenge}");
        assert_eq!(holder.send(&holder.proof(id)).status(), 200);
    }
}

#[test]
fn a_bearer_token_does_not_become_a_bound_one_by_a_proof() {
    let holder = Holder::new();
    let token = holder.world.token(claims());
    let mut said = holder.claims("a");
    said["ath"] = hash(&token).into();
    let reply = send(&holder.world, &token, &holder.proof_of(&said));
    assert_eq!(reply.status(), 401);
    assert_eq!(holder.world.last_line()["reason"], "token_not_bound");
    assert_eq!(holder.world.get(PATH, &token).status(), 200);
}

// FAPI-46
#[test]
fn the_proof_of_another_key_opens_nothing() {
    let holder = Holder::new();
    let thief = IssuerKey::new("thief", 7);
    let forged = proof(&thief, &header(&thief), &holder.claims("a"));
    holder.refuses(&forged, "token_other_key", "invalid_token");
    assert_eq!(holder.send(&holder.proof("b")).status(), 200);
    holder.refuses(&forged, "token_other_key", "invalid_token");
}

// FAPI-46
#[test]
fn refuses_every_proof_that_breaks_a_rule_before_any_signature_is_checked() {
    let holder = Holder::new();
    assert_eq!(holder.send(&holder.proof("first")).status(), 200);
    let checks = holder.world.checks();
    let now = holder.world.seconds();
    for (member, value, reason) in [
        ("htm", json!("POST"), "proof_method"),
        ("htm", json!(null), "proof_method"),
        (
            "htu",
            json!("https://edge.example/fhir/Patient/2"),
            "proof_target",
        ),
        ("htu", json!("https://fhir.example/r4/Patient/1"), "proof_target"),
        ("htu", json!(null), "proof_target"),
        ("iat", json!(now - 120), "proof_time"),
        ("iat", json!(now + 31), "proof_time"),
        ("iat", json!(now - 3_600), "proof_time"),
        ("iat", json!("now"), "proof_malformed"),
        ("ath", json!(hash("another token")), "proof_token_hash"),
        ("ath", json!(null), "proof_token_hash"),
        ("jti", json!(""), "proof_id"),
        ("jti", json!(null), "proof_id"),
        ("jti", json!(7), "proof_malformed"),
    ] {
        let mut claims = holder.claims("a");
        claims[member] = value;
        if claims[member].is_null() {
            claims.as_object_mut().unwrap().remove(member);
        }
        holder.refuses(&holder.proof_of(&claims), reason, "invalid_dpop_proof");
    }
    for (member, value, reason) in [
        ("typ", json!("JWT"), "proof_type"),
        ("typ", json!(null), "proof_type"),
        ("alg", json!("none"), "proof_algorithm"),
        ("alg", json!("RS256"), "proof_algorithm"),
        ("alg", json!("ES256"), "proof_algorithm"),
        ("jwk", json!(null), "proof_key"),
        ("jwk", json!({ "kty": "oct", "k": "AAAA" }), "proof_key"),
    ] {
        let mut spoilt = header(&holder.key);
        spoilt[member] = value;
        let text = proof(&holder.key, &spoilt, &holder.claims("a"));
        holder.refuses(&text, reason, "invalid_dpop_proof");
    }
    let mut private = header(&holder.key);
    private["jwk"]["d"] = "AAAA".into();
    let text = proof(&holder.key, &private, &holder.claims("a"));
    holder.refuses(&text, "proof_key", "invalid_dpop_proof");
    for text in ["", "x", "a.b.c", &"A".repeat(7_000)] {
        holder.refuses(text, "proof_malformed", "invalid_dpop_proof");
    }
    let two = format!("{}, {}", holder.proof("b"), holder.proof("c"));
    holder.refuses(&two, "proof_several", "invalid_dpop_proof");
    let authorization = format!("DPoP {}", holder.token);
    let none = holder
        .world
        .send("GET", PATH, &[("authorization", &authorization)]);
    assert_eq!(holder.world.last_line()["reason"], "proof_missing");
    assert_eq!(none.status(), 401);
    assert_eq!(
        holder.world.checks(),
        checks,
        "nothing was checked that costs much"
    );
    assert_eq!(holder.world.asked(), 2, "and nobody was asked");
}

#[test]
fn refuses_a_proof_that_its_key_has_not_signed() {
    let holder = Holder::new();
    let thief = IssuerKey::new("thief", 7);
    let forged = proof(&thief, &header(&holder.key), &holder.claims("a"));
    holder.refuses(&forged, "proof_signature", "invalid_dpop_proof");
    assert_eq!(
        holder.send(&holder.proof("a")).status(),
        200,
        "a forged proof uses nobody's jti up"
    );
}

// FAPI-45, FAPI-47
#[test]
fn takes_a_proof_however_its_url_is_written_and_whatever_else_it_says() {
    let holder = Holder::new();
    for (number, (member, value)) in [
        ("htu", json!("HTTPS://Edge.Example:443/fhir/Patient/1")),
        ("htu", json!("https://edge.example/fhir/Patient/1?a=b#c")),
        ("htu", json!("https://edge.example/fhir/%50atient/1")),
        ("iat", json!(holder.world.seconds() - 10)),
        ("iat", json!(holder.world.seconds() + 8)),
        ("nbf", json!(holder.world.seconds() + 60)),
        ("exp", json!(1)),
        ("nonce", json!("of somebody else")),
        ("other", json!({})),
    ]
    .into_iter()
    .enumerate()
    {
        let mut claims = holder.claims(&number.to_string());
        claims[member] = value;
        assert_eq!(
            holder.send(&holder.proof_of(&claims)),
            Reply::Upstream(200),
            "{claims}"
        );
    }
}

#[test]
fn a_proof_opens_one_request_in_whichever_isolate() {
    let holder = Holder::new();
    let proof = holder.proof("a");
    assert_eq!(holder.send(&proof).status(), 200);
    let asked = holder.world.asked();
    holder.refuses(&proof, "proof_used", "invalid_dpop_proof");
    assert_eq!(holder.world.asked(), asked, "an isolate knows its own");
    let elsewhere = holder.world.another_isolate();
    assert_eq!(send(&elsewhere, &holder.token, &proof).status(), 401);
    assert_eq!(elsewhere.last_line()["reason"], "proof_used");
    assert_eq!(holder.world.forwarded().len(), 1);
    // Another holder's proof of the same jti is another proof.
    let other = Holder {
        key: IssuerKey::new("other", 3),
        token: holder.world.token(bound_to(&IssuerKey::new("other", 3))),
        world: holder.world.clone(),
    };
    assert_eq!(other.send(&other.proof("a")).status(), 200);
}

#[test]
fn nothing_passes_while_nobody_knows_which_proofs_were_used() {
    let holder = Holder::new();
    holder.world.coordinators_answer(false);
    let reply = holder.send(&holder.proof("a"));
    assert_eq!((reply.status(), reply.header("retry-after")), (503, Some("1")));
    assert_eq!(reply.header("www-authenticate"), None);
    assert_eq!(holder.world.last_line()["reason"], "proof_unknown");
    assert_eq!(holder.world.last_line()["outcome"], "undecided");
    assert!(holder.world.forwarded().is_empty());
}

#[test]
fn an_isolate_goes_by_what_it_has_seen_itself_where_that_is_configured() {
    let limits = r#"[{"name":"default","limit":9,"on_failure":"local","local_share":9}]"#;
    let holder = Holder::with(&[("WARDGATE_DPOP_ON_FAILURE", "local"), ("WARDGATE_LIMITS", limits)]);
    let before = holder.proof("before");
    assert_eq!(holder.send(&before).status(), 200);
    holder.world.coordinators_answer(false);
    let during = holder.proof("during");
    assert_eq!(holder.send(&during).status(), 200);
    for proof in [&before, &during] {
        holder.refuses(proof, "proof_used", "invalid_dpop_proof");
    }
}

// FAPI-48
#[test]
fn a_proof_needs_a_nonce_where_one_is_required() {
    let settings = [
        ("WARDGATE_DPOP_NONCE", "required"),
        ("WARDGATE_DPOP_NONCE_SECRET", SECRET),
    ];
    let holder = Holder::with(&settings);
    let first = holder.send(&holder.proof("a"));
    holder.refuses(&holder.proof("b"), "proof_nonce", "use_dpop_nonce");
    let given = first.header("dpop-nonce").unwrap().to_owned();
    let now = Timestamp::from_seconds(holder.world.seconds());
    assert_eq!(
        Some(&given),
        nonce::current(&holder.world.gateway.config, now).as_ref()
    );
    let with_nonce = |id: &str| {
        let mut claims = holder.claims(id);
        claims["nonce"] = given.as_str().into();
        holder.proof_of(&claims)
    };
    assert_eq!(holder.send(&with_nonce("c")), Reply::Upstream(200));
    let forwarded = holder.world.forwarded();
    assert!(
        forwarded[0]
            .set_on_answer
            .contains(&("dpop-nonce", given.clone()))
    );
    // A proof without its nonce is not used up by being refused.
    holder.world.advance(2 * nonce::SLOT_SECONDS);
    let token = holder.world.token(bound_to(&holder.key));
    let holder = Holder { token, ..holder };
    let mut claims = holder.claims("d");
    claims["nonce"] = given.as_str().into();
    holder.refuses(&holder.proof_of(&claims), "proof_nonce", "use_dpop_nonce");
    // Whoever brings no proof and means to bring none is told nothing of nonces.
    let bearer = holder.world.get(PATH, &holder.world.token(claims_of_service()));
    assert_eq!(bearer, Reply::Upstream(200));
    let forwarded = holder.world.forwarded();
    assert!(
        forwarded[1]
            .set_on_answer
            .iter()
            .all(|(name, _)| *name != "dpop-nonce")
    );
}

fn claims_of_service() -> Value {
    serde_json::to_value(claims()).unwrap()
}

#[test]
fn an_api_may_want_bound_tokens_alone() {
    let holder = Holder::with(&[("WARDGATE_DPOP", "required")]);
    let reply = holder.world.get(PATH, &holder.world.token(claims()));
    assert_eq!(reply.status(), 401);
    assert_eq!(holder.world.last_line()["reason"], "token_not_bound");
    let challenge = reply.header("www-authenticate").unwrap();
    assert!(
        challenge.starts_with("DPoP realm=\"fhir\", error=\"invalid_token\""),
        "{challenge}"
    );
    assert!(!challenge.contains("Bearer"), "{challenge}");
    assert_eq!(holder.send(&holder.proof("a")).status(), 200);
    let metadata = holder
        .world
        .send("GET", "/.well-known/oauth-protected-resource/fhir", &[]);
    let metadata: Value = serde_json::from_str(metadata.body()).unwrap();
    assert_eq!(metadata["dpop_bound_access_tokens_required"], true);
}

#[test]
fn metadata_names_what_proofs_may_be_signed_with() {
    let world = World::new();
    let metadata = world.send("GET", "/.well-known/oauth-protected-resource/fhir", &[]);
    let metadata: Value = serde_json::from_str(metadata.body()).unwrap();
    assert_eq!(
        metadata["dpop_signing_alg_values_supported"],
        json!(["PS256", "ES256", "ES384", "EdDSA"])
    );
    assert_eq!(metadata.get("dpop_bound_access_tokens_required"), None);
}

#[test]
fn a_request_that_could_not_be_checked_is_refused_by_nobody() {
    let holder = Holder::new();
    assert_eq!(holder.send(&holder.proof("a")).status(), 200);
    holder.world.checks_work(false);
    let reply = holder.send(&holder.proof("b"));
    assert_eq!(reply.status(), 503);
    assert!(holder.world.log_text().contains("signature_unchecked"));
    holder.world.checks_work(true);
    holder.world.imports_work(false);
    holder.refuses(&holder.proof("b"), "proof_key", "invalid_dpop_proof");
}

#[test]
fn an_explanation_has_the_steps_and_uses_no_proof_up() {
    let holder = Holder::with(&[("WARDGATE_EXPLAIN", "on-public")]);
    let proof = holder.proof("a");
    let authorization = format!("DPoP {}", holder.token);
    let headers = [
        ("authorization", authorization.as_str()),
        ("dpop", &proof),
        ("x-wardgate-explain", "1"),
    ];
    let explained = holder.world.send("GET", PATH, &headers);
    let explained: Value = serde_json::from_str(explained.body()).unwrap();
    assert_eq!(explained["decision"], "allow");
    let steps: Vec<&str> = explained["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert!(
        steps.contains(&"proof") && steps.contains(&"possession"),
        "{steps:?}"
    );
    assert_eq!(holder.send(&proof).status(), 200);
    holder.refuses(&proof, "proof_used", "invalid_dpop_proof");
}

#[test]
fn an_old_proof_is_refused_as_configured() {
    let holder = Holder::with(&[("WARDGATE_DPOP_SECONDS", "20")]);
    for (age, status) in [(19, 200), (20, 401)] {
        let mut claims = holder.claims(&age.to_string());
        claims["iat"] = (holder.world.seconds() - age).into();
        assert_eq!(holder.send(&holder.proof_of(&claims)).status(), status);
    }
}
