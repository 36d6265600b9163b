//! Proofs, good and bad; vectors of RFC 9449.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::format;

use base64ct::{Base64UrlUnpadded, Encoding};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    ALGORITHMS, LONGEST_AGE_SECONDS, LONGEST_LEAD_SECONDS, MAXIMUM_PROOF_BYTES, ProofError, ProofRequest,
    UnverifiedProof, VerifiedProof, VerifyProofError, is_same_target, is_thumbprint, verify,
};
use crate::jwk::{JwkError, PublicJwk};
use crate::jwt::test_keys::{TestKey, TestVerifyingKey, ready};
use crate::jwt::{JwtError, SignatureAlgorithm, SigningKey};
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const URL: &str = "https://api.example/fhir/Patient";
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const TOKEN_HASH: &str = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";

/// RFC 9449 section 4.1, figure 1: for the token endpoint.
const RFC_TOKEN_REQUEST: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
/// RFC 9449 section 7.1, figure 12: for a resource, with the token [`TOKEN`].
const RFC_RESOURCE_REQUEST: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";

fn key() -> TestKey {
    TestKey::generate(SignatureAlgorithm::ES256, "own")
}

/// The public half as a client writes it into a header.
fn jwk(key: &TestKey) -> Value {
    let mut jwk = key.public().to_json();
    for member in ["kid", "alg", "use"] {
        jwk.as_object_mut().unwrap().remove(member);
    }
    jwk
}

fn header(key: &TestKey) -> Value {
    json!({ "typ": "dpop+jwt", "alg": key.algorithm().name(), "jwk": jwk(key) })
}

fn claims() -> Value {
    json!({
        "jti": "e1j3V_bKic8-LAEB", "htm": "GET", "htu": URL, "iat": NOW.seconds(), "ath": TOKEN_HASH,
    })
}

/// A list of members with some changed: `null` removes one.
fn with(mut members: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.as_object_mut().unwrap().remove(name);
        } else {
            members[name] = value.clone();
        }
    }
    members
}

fn sign(key: &TestKey, header: &str, claims: &str) -> String {
    let encode = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", Base64UrlUnpadded::encode_string(&signature))
}

fn make(key: &TestKey, header: &Value, claims: &Value) -> String {
    sign(key, &header.to_string(), &claims.to_string())
}

async fn import(
    key: PublicJwk,
    algorithm: SignatureAlgorithm,
) -> Result<Option<TestVerifyingKey>, &'static str> {
    Ok(Some(TestVerifyingKey {
        key,
        algorithm,
        broken: false,
    }))
}

fn check_at(
    text: &str,
    request: &ProofRequest<'_>,
    now: Timestamp,
) -> Result<VerifiedProof, VerifyProofError<&'static str>> {
    let proof = UnverifiedProof::parse(text)?;
    ready(verify(&proof, import, request, now))
}

fn check(text: &str) -> Result<VerifiedProof, VerifyProofError<&'static str>> {
    let request = ProofRequest {
        method: "GET",
        url: URL,
        access_token: Some(TOKEN),
    };
    check_at(text, &request, NOW)
}

#[track_caller]
fn refused(text: &str) -> ProofError {
    match check(text) {
        Err(VerifyProofError::Refused(error)) => error,
        outcome => panic!("{outcome:?}"),
    }
}

#[test]
fn the_proofs_of_rfc_9449_hold() {
    let token_request = ProofRequest {
        method: "POST",
        url: "https://server.example.com/token",
        access_token: None,
    };
    let at = Timestamp::from_seconds(1_562_262_616);
    let proof = check_at(RFC_TOKEN_REQUEST, &token_request, at).unwrap();
    assert_eq!(proof.id(), "-BwC3ESc6acc2lTc");
    assert_eq!(proof.thumbprint(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    assert!(is_thumbprint(proof.thumbprint()));
    let resource_request = ProofRequest {
        method: "GET",
        url: "https://resource.example.org/protectedresource",
        access_token: Some(TOKEN),
    };
    let again = check_at(RFC_RESOURCE_REQUEST, &resource_request, at).unwrap();
    assert!(again.is_by(proof.thumbprint()));
}

#[test]
fn accepts_proofs_of_every_algorithm_that_metadata_names() {
    for algorithm in ALGORITHMS {
        let key = TestKey::generate(algorithm, "own");
        let proof = check(&make(&key, &header(&key), &claims())).unwrap();
        assert_eq!(proof.thumbprint(), key.public().thumbprint());
        assert_eq!(proof.nonce(), None);
        assert_eq!(proof.refused_from(), NOW.plus(LONGEST_AGE_SECONDS));
    }
}

// FAPI-45, FAPI-47
#[test]
fn further_members_say_nothing() {
    let key = key();
    let header = with(
        header(&key),
        &json!({ "kid": "k", "typ": "application/DPoP+JWT", "x-more": {} }),
    );
    let claims = with(
        claims(),
        &json!({ "nbf": NOW.seconds() + 50, "exp": NOW.seconds() - 50, "nonce": "n", "cnf": {}, "more": [1] }),
    );
    let proof = check(&make(&key, &header, &claims)).unwrap();
    assert_eq!(proof.nonce(), Some("n"));
}

// FAPI-46
#[test]
fn every_member_of_the_header_must_be_right() {
    let key = key();
    let rsa = TestKey::generate(SignatureAlgorithm::RS256, "rsa");
    for (changes, expected) in [
        (json!({ "typ": null }), ProofError::Type),
        (json!({ "typ": "JWT" }), ProofError::Type),
        (json!({ "typ": "at+jwt" }), ProofError::Type),
        (json!({ "alg": null }), ProofError::Form(JwtError::Malformed)),
        (json!({ "alg": "none" }), ProofError::Algorithm),
        (json!({ "alg": "HS256" }), ProofError::Algorithm),
        (json!({ "alg": "ES384" }), ProofError::Signature),
        (json!({ "alg": "EdDSA" }), ProofError::AnotherAlgorithm),
        (json!({ "jwk": null }), ProofError::NoKey),
        (json!({ "jwk": 1 }), ProofError::Key(JwkError::Malformed)),
        (json!({ "jwk": {} }), ProofError::Key(JwkError::Malformed)),
        (
            json!({ "jwk": { "kty": "oct", "k": "AAAA" } }),
            ProofError::Key(JwkError::NotPublic),
        ),
        (
            json!({ "jwk": { "kty": "XX" } }),
            ProofError::Key(JwkError::Unsupported),
        ),
        (
            json!({ "crit": ["b64"] }),
            ProofError::Form(JwtError::CriticalHeader),
        ),
    ] {
        let text = make(&key, &with(header(&key), &changes), &claims());
        assert_eq!(refused(&text), expected, "{changes}");
    }
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
        let mut header = header(&key);
        header["jwk"][member] = "AAAA".into();
        let text = make(&key, &header, &claims());
        assert_eq!(refused(&text), ProofError::Key(JwkError::NotPublic), "{member}");
    }
    let mut ambiguous = header(&key);
    ambiguous["jwk"]["alg"] = "ES384".into();
    assert_eq!(
        refused(&make(&key, &ambiguous, &claims())),
        ProofError::Key(JwkError::Unsupported)
    );
    assert_eq!(
        refused(&make(&rsa, &header(&rsa), &claims())),
        ProofError::Algorithm,
        "RS256"
    );
}

// FAPI-46
#[test]
fn every_claim_must_be_right() {
    let key = key();
    let malformed = ProofError::Form(JwtError::Malformed);
    for (changes, expected) in [
        (json!({ "jti": null }), ProofError::NoId),
        (json!({ "jti": "" }), ProofError::NoId),
        (json!({ "jti": 1 }), malformed),
        (json!({ "htm": null }), ProofError::NoMethod),
        (json!({ "htm": "POST" }), ProofError::Method),
        (json!({ "htm": "get" }), ProofError::Method),
        (json!({ "htu": null }), ProofError::NoTarget),
        (json!({ "htu": "https://api.example/fhir" }), ProofError::Target),
        (json!({ "iat": null }), ProofError::NoIssueTime),
        (json!({ "iat": "now" }), malformed),
        (json!({ "iat": NOW.seconds() - 3600 }), ProofError::TooOld),
        (json!({ "iat": NOW.seconds() + 3600 }), ProofError::TooEarly),
        (json!({ "ath": null }), ProofError::NoTokenHash),
        (json!({ "ath": TOKEN }), ProofError::TokenHash),
        (json!({ "ath": "" }), ProofError::TokenHash),
    ] {
        let text = make(&key, &header(&key), &with(claims(), &changes));
        assert_eq!(refused(&text), expected, "{changes}");
    }
}

// FAPI-46
#[test]
fn refuses_what_is_no_proof_and_what_another_key_signed() {
    let (key, other) = (key(), key());
    for text in ["", "x", "a.b", "a.b.c", "e30.e30.", "e30.e30.AAAA.AAAA"] {
        assert!(matches!(refused(text), ProofError::Form(_)), "{text}");
    }
    let long = with(claims(), &json!({ "more": "x".repeat(MAXIMUM_PROOF_BYTES) }));
    assert_eq!(
        refused(&make(&key, &header(&key), &long)),
        ProofError::Form(JwtError::TooLong)
    );
    assert_eq!(
        refused(&make(&other, &header(&key), &claims())),
        ProofError::Signature
    );
    let text = make(&key, &header(&key), &claims());
    let (input, _) = text.rsplit_once('.').unwrap();
    assert_eq!(refused(&format!("{input}.")), ProofError::Signature);
}

#[test]
fn refuses_repeated_members_in_header_claims_and_key() {
    let key = key();
    let (good_header, good_claims) = (header(&key).to_string(), claims().to_string());
    let twice = |text: &str, more: &str| format!("{{{more},{}", text.strip_prefix('{').unwrap());
    let in_key = good_header.replace("\"kty\":", "\"kty\":\"EC\",\"kty\":");
    assert_ne!(in_key, good_header);
    for (header, claims) in [
        (twice(&good_header, r#""typ":"dpop+jwt""#), good_claims.clone()),
        (good_header.clone(), twice(&good_claims, r#""htm":"GET""#)),
        (in_key, good_claims.clone()),
    ] {
        assert_eq!(
            refused(&sign(&key, &header, &claims)),
            ProofError::Form(JwtError::DuplicateMember)
        );
    }
}

#[test]
fn a_key_that_cannot_be_imported_or_checked_is_never_accepted() {
    let key = key();
    let text = make(&key, &header(&key), &claims());
    let proof = UnverifiedProof::parse(&text).unwrap();
    let request = ProofRequest {
        method: "GET",
        url: URL,
        access_token: Some(TOKEN),
    };
    let not_taken = async |_, _| Ok::<Option<TestVerifyingKey>, _>(None);
    let outcome = ready(verify(&proof, not_taken, &request, NOW)).map(|_| ());
    assert_eq!(
        outcome,
        Err(VerifyProofError::Refused(ProofError::Key(JwkError::Malformed)))
    );
    let unable = async |_, _| Err::<Option<TestVerifyingKey>, _>("cannot import");
    let outcome = ready(verify(&proof, unable, &request, NOW)).map(|_| ());
    assert_eq!(outcome, Err(VerifyProofError::Undecided("cannot import")));
    let broken = async |key, algorithm| {
        Ok(Some(TestVerifyingKey {
            key,
            algorithm,
            broken: true,
        }))
    };
    let outcome = ready(verify(&proof, broken, &request, NOW)).map(|_| ());
    assert_eq!(outcome, Err(VerifyProofError::Undecided("told to fail")));
}

// FAPI-47
#[test]
fn query_fragment_case_and_default_port_of_a_target_do_not_count() {
    for url in [
        "https://api.example/fhir/Patient",
        "https://api.example/fhir/Patient?name=x",
        "https://api.example/fhir/Patient#top",
        "https://api.example/fhir/Patient?#",
        "HTTPS://API.Example/fhir/Patient",
        "https://api.example:443/fhir/Patient",
        "https://api.example:/fhir/Patient",
        "https://api.example:0443/fhir/Patient",
        "https://api.example/fhir/%50atient",
    ] {
        assert!(is_same_target(url, URL), "{url}");
    }
    assert!(is_same_target("https://api.example", "https://api.example/"));
    assert!(is_same_target("http://[::1]:80/a%2fb", "HTTP://[::1]/a%2Fb"));
    for url in [
        "",
        "https://",
        "https:///fhir/Patient",
        "//api.example/fhir/Patient",
        "/fhir/Patient",
        "http://api.example/fhir/Patient",
        "http://api.example:443/fhir/Patient",
        "https://api.example:8443/fhir/Patient",
        "https://api.example:x/fhir/Patient",
        "https://api.example:99999/fhir/Patient",
        "https://api.example.evil/fhir/Patient",
        "https://user@api.example/fhir/Patient",
        "https://api.example/fhir/patient",
        "https://api.example/fhir/Patient/",
        "https://api.example/fhir%2FPatient",
        "https://api.example/fhir/Patient%",
        "https://api.example/fhir/ Patient",
        "https://api.ex\u{e4}mple/fhir/Patient",
        "ftp://api.example/fhir/Patient",
    ] {
        assert!(!is_same_target(url, URL), "{url}");
    }
    assert!(!is_same_target("nonsense", "nonsense"));
}

#[test]
fn a_thumbprint_is_43_characters_of_base64url() {
    assert!(is_thumbprint("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"));
    for text in [
        "",
        "x",
        "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4",
        "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I=",
        "0ZcOCORZNYy+DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
        "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4J",
    ] {
        assert!(!is_thumbprint(text), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = UnverifiedProof::parse(&text);
        let _ = is_same_target(&text, URL);
        let _ = is_thumbprint(&text);
    }

    #[test]
    fn no_header_or_claims_panic(header in ".{0,80}", claims in ".{0,80}", signature in prop::collection::vec(any::<u8>(), 0..100)) {
        let encode = Base64UrlUnpadded::encode_string;
        let text = format!("{}.{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()), encode(&signature));
        let _ = check(&text);
    }

    // FAPI-45
    #[test]
    fn a_proof_is_accepted_exactly_within_its_time(
        lead in prop_oneof![-200_i64..200, Just(-10), Just(8), Just(-3600), Just(3600)]
    ) {
        let key = key();
        let text = make(&key, &header(&key), &with(claims(), &json!({ "iat": NOW.seconds() + lead })));
        let accepted = -LONGEST_AGE_SECONDS < lead && lead <= LONGEST_LEAD_SECONDS;
        prop_assert_eq!(check(&text).is_ok(), accepted);
    }

    #[test]
    fn a_target_is_the_same_as_itself_and_whatever_is_after_it_does_not_count(
        host in "[a-z]{1,8}(\\.[a-z]{1,8}){0,2}", port in prop::option::of(1_u16..), path in "(/[a-zA-Z0-9._~-]{0,6}){0,4}",
        rest in "[?#][ -~]{0,10}",
    ) {
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let url = format!("https://{host}{port}{path}");
        prop_assert!(is_same_target(&url, &url));
        let rest: Vec<char> = rest.chars().filter(|character| *character != ' ').collect();
        let longer = format!("HTTPS://{}{port}{path}{}", host.to_uppercase(), rest.iter().collect::<String>());
        prop_assert!(is_same_target(&url, &longer));
        let other = format!("{url}x");
        prop_assert!(!is_same_target(&url, &other) || path.is_empty());
    }
}
