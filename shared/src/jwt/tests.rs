use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use std::format;

use base64ct::{Base64UrlUnpadded, Encoding};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::jwk::PublicJwk;
use crate::time::Timestamp;

use super::test_keys::{TestKey, TestVerifyingKey, ready};
use super::{
    Audiences, JwtError, MAXIMUM_JWT_BYTES, Policy, RegisteredClaims, SignError, SignatureAlgorithm,
    SigningKey, UnverifiedJwt, VerifiedJwt, VerifyError, VerifyingKey, deserialized, sign, verify,
};

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct TestClaims {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    aud: Audiences,
}

impl RegisteredClaims for TestClaims {
    fn of_members(members: Map<String, Value>) -> Option<Self> {
        deserialized(members)
    }

    fn issuer(&self) -> &str {
        &self.iss
    }
    fn audiences(&self) -> &Audiences {
        &self.aud
    }
}

fn policy() -> Policy<'static> {
    Policy {
        token_type: Some(Cow::Borrowed("at+jwt")),
        issuer: Cow::Borrowed("https://issuer.example"),
        audiences: Cow::Owned(vec!["https://api.example/fhir".to_string()]),
        skew_seconds: 30,
        maximum_lifetime_seconds: Some(3600),
    }
}

/// A token over any header and claims, signed truly.
fn forge(key: &TestKey, header: &Value, claims: &Value) -> String {
    forge_text(key, &header.to_string(), &claims.to_string())
}

fn forge_text(key: &TestKey, header: &str, claims: &str) -> String {
    let encode = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", Base64UrlUnpadded::encode_string(&signature))
}

fn good_header() -> Value {
    json!({"alg": "ES256", "kid": "a", "typ": "at+jwt"})
}

fn good_claims() -> Value {
    json!({
        "iss": "https://issuer.example", "aud": ["https://api.example/fhir"],
        "exp": NOW.seconds() + 600, "iat": NOW.seconds(),
    })
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

#[track_caller]
fn check(key: &TestKey, text: &str) -> Result<VerifiedJwt<TestClaims>, JwtError> {
    check_under(key, text, &policy())
}

#[track_caller]
fn check_under(key: &TestKey, text: &str, policy: &Policy<'_>) -> Result<VerifiedJwt<TestClaims>, JwtError> {
    let jwt = UnverifiedJwt::parse(text, MAXIMUM_JWT_BYTES)?;
    match ready(verify(&jwt, &key.verifying(), policy, NOW)) {
        Ok(verified) => Ok(verified),
        Err(VerifyError::Refused(error)) => Err(error),
        Err(VerifyError::Undecided(reason)) => panic!("undecided: {reason}"),
    }
}

fn es256() -> TestKey {
    TestKey::generate(SignatureAlgorithm::ES256, "a")
}

#[test]
fn every_algorithm_verifies_what_it_signed_and_nothing_else() {
    for algorithm in SignatureAlgorithm::ALL {
        let key = TestKey::generate(algorithm, "a");
        let claims = TestClaims {
            iss: "https://issuer.example".into(),
            aud: Audiences::new(vec!["https://api.example/fhir".into()]),
        };
        let text = sign(&key, "at+jwt", claims.clone(), NOW, NOW.plus(60)).unwrap();
        let verified = check(&key, &text).unwrap();
        assert_eq!(verified.claims(), &claims, "{algorithm}");
        assert_eq!(verified.expires_at(), NOW.plus(60));
        assert_eq!(verified.issued_at(), Some(NOW));
        assert_eq!(verified.key_id(), Some("a"));

        let another = TestKey::generate(algorithm, "a");
        assert_eq!(
            check(&another, &text).unwrap_err(),
            JwtError::InvalidSignature,
            "{algorithm}"
        );

        // One bit of each part: header and claims no longer fit the signature, or are no longer what they were.
        let (input, signature) = text.rsplit_once('.').unwrap();
        let mut bytes = Base64UrlUnpadded::decode_vec(signature).unwrap();
        for index in [0, bytes.len() / 2, bytes.len() - 1] {
            bytes[index] ^= 1;
            let mangled = format!("{input}.{}", Base64UrlUnpadded::encode_string(&bytes));
            assert_eq!(
                check(&key, &mangled).unwrap_err(),
                JwtError::InvalidSignature,
                "{algorithm} byte {index}"
            );
            bytes[index] ^= 1;
        }
        for length in [0, bytes.len() - 1, bytes.len() + 1] {
            bytes.resize(length, 0);
            let mangled = format!("{input}.{}", Base64UrlUnpadded::encode_string(&bytes));
            assert_eq!(
                check(&key, &mangled).unwrap_err(),
                JwtError::InvalidSignature,
                "{algorithm} {length} bytes"
            );
        }
    }
}

#[test]
fn the_audience_hint_is_what_the_token_says_and_nothing_when_it_says_none() {
    let key = es256();
    let hint = |audience: Value| {
        let text = forge(&key, &good_header(), &with(good_claims(), "aud", audience));
        UnverifiedJwt::parse(&text, MAXIMUM_JWT_BYTES)
            .unwrap()
            .audience_hint()
    };
    assert_eq!(hint(json!("app")), ["app"]);
    assert_eq!(hint(json!(["app", "web"])), ["app", "web"]);
    assert!(hint(json!(7)).is_empty() && hint(Value::Null).is_empty());
}

#[test]
fn the_client_hint_is_what_the_token_says_and_nothing_when_it_says_none() {
    let key = es256();
    let hint = |client: Value| {
        let text = forge(&key, &good_header(), &with(good_claims(), "client_id", client));
        UnverifiedJwt::parse(&text, MAXIMUM_JWT_BYTES)
            .unwrap()
            .client_id_hint()
    };
    assert_eq!(hint(json!("app")).as_deref(), Some("app"));
    assert!(hint(json!(7)).is_none() && hint(Value::Null).is_none());
}

#[test]
fn a_signature_does_not_hold_for_other_claims() {
    let key = es256();
    let text = forge(&key, &good_header(), &good_claims());
    let other = forge(&key, &good_header(), &with(good_claims(), "sub", json!("root")));
    let (input, _) = other.rsplit_once('.').unwrap();
    let (_, signature) = text.rsplit_once('.').unwrap();
    assert_eq!(
        check(&key, &format!("{input}.{signature}")).unwrap_err(),
        JwtError::InvalidSignature
    );
}

#[test]
fn refuses_unsigned_and_symmetric_tokens() {
    // RFC 7519 section 6.1, and section 3.1 (HS256).
    let payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let unsecured = format!("eyJhbGciOiJub25lIn0.{payload}.");
    let hmac = format!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{payload}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
    let key = es256();
    for text in [&unsecured, &hmac] {
        assert_eq!(check(&key, text).unwrap_err(), JwtError::UnsupportedAlgorithm);
    }
    for name in [
        "none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "es256", "ES512", "ES256K", "RSA1_5", "",
    ] {
        let text = forge(&key, &with(good_header(), "alg", json!(name)), &good_claims());
        assert_eq!(
            check(&key, &text).unwrap_err(),
            JwtError::UnsupportedAlgorithm,
            "{name}"
        );
    }
}

#[test]
fn the_header_does_not_choose_the_algorithm() {
    let key = TestKey::generate(SignatureAlgorithm::RS256, "a");
    for name in ["RS384", "PS256"] {
        let text = forge(&key, &with(good_header(), "alg", json!(name)), &good_claims());
        assert_eq!(
            check(&key, &text).unwrap_err(),
            JwtError::AlgorithmMismatch,
            "{name}"
        );
    }
}

#[test]
fn refuses_critical_header_parameters() {
    let key = es256();
    for crit in [json!(["exp"]), json!(["b64"]), json!([]), json!("x"), Value::Null] {
        let text = forge(&key, &with(good_header(), "crit", crit.clone()), &good_claims());
        assert_eq!(
            check(&key, &text).unwrap_err(),
            JwtError::CriticalHeader,
            "{crit}"
        );
    }
}

#[test]
fn refuses_header_parameters_of_another_type() {
    let key = es256();
    for name in ["alg", "kid", "typ", "jku"] {
        for value in [json!(1), json!(["a"]), json!({}), json!(true)] {
            let text = forge(&key, &with(good_header(), name, value), &good_claims());
            assert_eq!(check(&key, &text).unwrap_err(), JwtError::Malformed, "{name}");
        }
    }
}

#[test]
fn refuses_content_that_is_not_claims() {
    let key = es256();
    for content_type in [json!("JWT"), json!("cbor"), json!(""), json!(1)] {
        let text = forge(
            &key,
            &with(good_header(), "cty", content_type.clone()),
            &good_claims(),
        );
        assert_eq!(
            check(&key, &text).unwrap_err(),
            JwtError::Malformed,
            "{content_type}"
        );
    }
    for content_type in [json!("json"), json!("JSON"), Value::Null] {
        let text = forge(&key, &with(good_header(), "cty", content_type), &good_claims());
        assert!(check(&key, &text).is_ok());
    }
}

#[test]
fn times_may_have_fractions_and_nothing_else_than_a_number_is_one() {
    let key = es256();
    let whole = NOW.seconds();
    let with_expiry = |expiry: &str| {
        format!(
            r#"{{"iss":"https://issuer.example","aud":"https://api.example/fhir","iat":{whole},"exp":{expiry}}}"#
        )
    };
    for (expiry, error) in [
        (format!("{}.9", whole + 60), None),
        (format!("{}e-1", (whole + 60) * 10), None),
        (format!("{}.9", whole - 30), Some(JwtError::Expired)),
        (format!("\"{}\"", whole + 60), Some(JwtError::Malformed)),
        ("null".to_string(), Some(JwtError::Malformed)),
        ("true".to_string(), Some(JwtError::Malformed)),
    ] {
        let text = forge_text(&key, &good_header().to_string(), &with_expiry(&expiry));
        assert_eq!(check(&key, &text).err(), error, "{expiry}");
    }
}

#[test]
fn keys_named_by_the_token_are_ignored() {
    let (key, attacker) = (es256(), es256());
    let header = with(good_header(), "jwk", attacker.public().to_json());
    let header = with(header, "jku", json!("https://attacker.example/keys"));
    assert_eq!(
        check(&key, &forge(&attacker, &header, &good_claims())).unwrap_err(),
        JwtError::InvalidSignature
    );
    assert!(check(&key, &forge(&key, &header, &good_claims())).is_ok());
}

#[test]
fn refuses_repeated_members_in_header_and_claims() {
    let key = es256();
    let header = good_header().to_string();
    let claims = good_claims().to_string();
    let repeated_claims = claims.replacen('{', r#"{"iss":"https://other.example","#, 1);
    assert_eq!(
        check(&key, &forge_text(&key, &header, &repeated_claims)).unwrap_err(),
        JwtError::DuplicateMember
    );
    let repeated_header = header.replacen('{', r#"{"alg":"none","#, 1);
    assert_eq!(
        check(&key, &forge_text(&key, &repeated_header, &claims)).unwrap_err(),
        JwtError::DuplicateMember
    );
    let nested = claims.replacen('{', r#"{"act":{"sub":"a","sub":"b"},"#, 1);
    assert_eq!(
        check(&key, &forge_text(&key, &header, &nested)).unwrap_err(),
        JwtError::DuplicateMember
    );
}

#[test]
fn refuses_texts_that_are_no_compact_jwt() {
    let key = es256();
    let text = forge(&key, &good_header(), &good_claims());
    let parts: Vec<&str> = text.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else {
        panic!("three parts")
    };
    let cases = [
        String::new(),
        ".".into(),
        "..".into(),
        (*header).into(),
        format!("{header}.{claims}"),
        format!("{text}."),
        format!("{text}.{signature}"),
        format!("{header}=.{claims}.{signature}"),
        format!("{header}.{claims}.{signature}="),
        format!(" {text}"),
        format!("{text}\n"),
        format!("{header}.{}.{signature}", Base64UrlUnpadded::encode_string(b"[]")),
        format!(
            "{header}.{}.{signature}",
            Base64UrlUnpadded::encode_string(b"\xff")
        ),
        format!(
            "{}.{claims}.{signature}",
            Base64UrlUnpadded::encode_string(b"\"ES256\"")
        ),
        format!("{header}.{}.{signature}", claims.replace(|_: char| true, "+")),
        "ä.ö.ü".into(),
    ];
    for case in cases {
        assert_eq!(check(&key, &case).unwrap_err(), JwtError::Malformed, "{case}");
    }
}

#[test]
fn refuses_members_of_the_wrong_type() {
    let key = es256();
    for (name, value) in [
        ("exp", json!("soon")),
        ("exp", json!(1e300)),
        ("exp", Value::Null),
        ("nbf", json!({})),
        ("iat", json!([1])),
        ("aud", json!(7)),
        ("aud", json!([1])),
        ("iss", json!(["https://issuer.example"])),
    ] {
        let text = forge(&key, &good_header(), &with(good_claims(), name, value.clone()));
        assert_eq!(
            check(&key, &text).unwrap_err(),
            JwtError::Malformed,
            "{name}: {value}"
        );
    }
    for (name, value) in [("alg", json!(1)), ("kid", json!(1)), ("typ", json!([]))] {
        let text = forge(&key, &with(good_header(), name, value.clone()), &good_claims());
        assert_eq!(
            check(&key, &text).unwrap_err(),
            JwtError::Malformed,
            "{name}: {value}"
        );
    }
}

#[test]
fn refuses_a_token_above_the_size_limit_before_looking_at_it() {
    let long = "a".repeat(MAXIMUM_JWT_BYTES + 1);
    assert_eq!(
        UnverifiedJwt::parse(&long, MAXIMUM_JWT_BYTES).unwrap_err(),
        JwtError::TooLong
    );
    let text = forge(&es256(), &good_header(), &good_claims());
    assert!(UnverifiedJwt::parse(&text, text.len()).is_ok());
    assert_eq!(
        UnverifiedJwt::parse(&text, text.len() - 1).unwrap_err(),
        JwtError::TooLong
    );
}

#[test]
fn the_type_must_be_the_one_asked_for() {
    let key = es256();
    for accepted in ["at+jwt", "AT+JWT", "application/at+jwt", "APPLICATION/at+JWT"] {
        let text = forge(&key, &with(good_header(), "typ", json!(accepted)), &good_claims());
        assert!(check(&key, &text).is_ok(), "{accepted}");
    }
    for refused in [
        "JWT",
        "id+jwt",
        "logout+jwt",
        "",
        "at+jwt ",
        "application/application/at+jwt",
        "text/at+jwt",
    ] {
        let text = forge(&key, &with(good_header(), "typ", json!(refused)), &good_claims());
        assert_eq!(check(&key, &text).unwrap_err(), JwtError::WrongType, "{refused}");
    }
    let untyped = forge(&key, &without(good_header(), "typ"), &good_claims());
    assert_eq!(check(&key, &untyped).unwrap_err(), JwtError::WrongType);
    assert!(
        check_under(
            &key,
            &untyped,
            &Policy {
                token_type: None,
                ..policy()
            }
        )
        .is_ok()
    );
}

#[test]
fn issuer_and_audience_are_compared_to_the_character() {
    let key = es256();
    for issuer in [
        "https://issuer.example/",
        "https://ISSUER.example",
        "http://issuer.example",
        "",
        "joe",
    ] {
        let text = forge(&key, &good_header(), &with(good_claims(), "iss", json!(issuer)));
        assert_eq!(check(&key, &text).unwrap_err(), JwtError::WrongIssuer, "{issuer}");
    }
    let anonymous = forge(&key, &good_header(), &without(good_claims(), "iss"));
    assert_eq!(check(&key, &anonymous).unwrap_err(), JwtError::WrongIssuer);

    for audience in [
        json!("https://api.example/fhir"),
        json!(["x", "https://api.example/fhir"]),
    ] {
        let text = forge(
            &key,
            &good_header(),
            &with(good_claims(), "aud", audience.clone()),
        );
        assert!(check(&key, &text).is_ok(), "{audience}");
    }
    for audience in [json!("https://api.example/fhir/"), json!([]), json!("")] {
        let text = forge(
            &key,
            &good_header(),
            &with(good_claims(), "aud", audience.clone()),
        );
        assert_eq!(
            check(&key, &text).unwrap_err(),
            JwtError::WrongAudience,
            "{audience}"
        );
    }
    let unaddressed = forge(&key, &good_header(), &without(good_claims(), "aud"));
    assert_eq!(check(&key, &unaddressed).unwrap_err(), JwtError::WrongAudience);
}

#[test]
fn times_are_held_to_one_skew() {
    let key = es256();
    let at = |name: &str, offset: i64| {
        let claims = with(good_claims(), name, json!(NOW.seconds() + offset));
        check(&key, &forge(&key, &good_header(), &claims)).map(|_| ())
    };
    assert_eq!(at("exp", -29), Ok(()));
    assert_eq!(at("exp", -30), Err(JwtError::Expired));
    assert_eq!(at("exp", -31), Err(JwtError::Expired));
    assert_eq!(at("nbf", 30), Ok(()));
    assert_eq!(at("nbf", 31), Err(JwtError::NotYetValid));
    assert_eq!(at("iat", 30), Ok(()));
    assert_eq!(at("iat", 31), Err(JwtError::IssuedInFuture));
    assert_eq!(at("exp", 3600), Ok(()));
    assert_eq!(at("exp", 3601), Err(JwtError::LivesTooLong));

    let eternal = forge(&key, &good_header(), &without(good_claims(), "exp"));
    assert_eq!(check(&key, &eternal).unwrap_err(), JwtError::NoExpiry);
    let ageless = forge(&key, &good_header(), &without(good_claims(), "iat"));
    assert_eq!(check(&key, &ageless).unwrap_err(), JwtError::NoIssueTime);
}

#[test]
fn extreme_times_neither_overflow_nor_pass() {
    let key = es256();
    // chrono's first and last representable seconds.
    for (name, value, error) in [
        ("exp", -8_334_601_228_800_i64, JwtError::Expired),
        ("exp", 8_210_266_876_799, JwtError::LivesTooLong),
        ("nbf", 8_210_266_876_799, JwtError::NotYetValid),
        ("iat", 8_210_266_876_799, JwtError::IssuedInFuture),
        ("iat", -8_334_601_228_800, JwtError::LivesTooLong),
    ] {
        let text = forge(&key, &good_header(), &with(good_claims(), name, json!(value)));
        assert_eq!(check(&key, &text).unwrap_err(), error, "{name}: {value}");
    }
    for value in [
        json!(8_334_601_228_801_i64),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e20),
        json!(-1e20),
    ] {
        let text = forge(&key, &good_header(), &with(good_claims(), "exp", value.clone()));
        assert_eq!(check(&key, &text).unwrap_err(), JwtError::Malformed, "{value}");
    }
    let early = forge(
        &key,
        &good_header(),
        &with(good_claims(), "nbf", json!(-8_334_601_228_800_i64)),
    );
    assert!(check(&key, &early).is_ok());
}

#[test]
fn a_kept_token_expires_when_its_time_comes() {
    let key = es256();
    let verified = check(&key, &forge(&key, &good_header(), &good_claims())).unwrap();
    assert_eq!(verified.check_times(&policy(), NOW.plus(629)), Ok(()));
    assert_eq!(
        verified.check_times(&policy(), NOW.plus(630)),
        Err(JwtError::Expired)
    );
}

#[test]
fn a_key_that_cannot_check_decides_nothing() {
    let key = es256();
    let text = forge(&key, &good_header(), &good_claims());
    let jwt = UnverifiedJwt::parse(&text, MAXIMUM_JWT_BYTES).unwrap();
    let broken = TestVerifyingKey {
        broken: true,
        ..key.verifying()
    };
    let outcome = ready(verify::<TestClaims, _>(&jwt, &broken, &policy(), NOW));
    assert_eq!(outcome.map(|_| ()), Err(VerifyError::Undecided("told to fail")));
}

#[test]
fn a_key_that_cannot_sign_makes_no_token() {
    let mut key = es256();
    key.fails = true;
    assert!(matches!(
        sign(&key, "JWT", json!({}), NOW, NOW),
        Err(SignError::Key("told to fail"))
    ));
    assert!(matches!(
        sign(&es256(), "JWT", json!([]), NOW, NOW),
        Err(SignError::Claims)
    ));
    let never = Timestamp::from_seconds(i64::MAX);
    assert!(matches!(
        sign(&es256(), "JWT", json!({}), NOW, never),
        Err(SignError::Claims)
    ));
}

/// Checks a signature of the RFCs with the key printed beside it, and that one changed byte breaks it.
#[track_caller]
fn check_vector(key: &Value, algorithm: SignatureAlgorithm, token: &str) {
    let key = PublicJwk::parse(key.to_string().as_bytes()).unwrap();
    let key = TestVerifyingKey {
        key,
        algorithm,
        broken: false,
    };
    let (input, signature) = token.rsplit_once('.').unwrap();
    let mut signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
    assert_eq!(
        ready(key.verify_signature(input.as_bytes(), &signature)),
        Ok(true)
    );
    signature[10] ^= 0x80;
    assert_eq!(
        ready(key.verify_signature(input.as_bytes(), &signature)),
        Ok(false)
    );
}

#[test]
fn signature_of_rfc_7515_appendix_a2_holds() {
    let key = json!({
        "kty": "RSA", "e": "AQAB",
        "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    });
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    check_vector(&key, SignatureAlgorithm::RS256, token);
}

#[test]
fn signature_of_rfc_7515_appendix_a3_holds() {
    let key = json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    check_vector(&key, SignatureAlgorithm::ES256, token);
}

#[test]
fn signature_of_rfc_8037_appendix_a4_holds() {
    let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    check_vector(&key, SignatureAlgorithm::EdDSA, token);
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = UnverifiedJwt::parse(&text, MAXIMUM_JWT_BYTES);
    }

    #[test]
    fn no_header_or_claims_panic(header in ".{0,60}", claims in ".{0,60}", signature in prop::collection::vec(any::<u8>(), 0..100)) {
        let encode = Base64UrlUnpadded::encode_string;
        let text = format!("{}.{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()), encode(&signature));
        if let Ok(jwt) = UnverifiedJwt::parse(&text, MAXIMUM_JWT_BYTES) {
            let _ = (jwt.issuer_hint(), jwt.audience_hint());
        }
    }

    #[test]
    fn a_token_is_accepted_exactly_within_its_times(
        exp in -10_000_i64..10_000, nbf in -10_000_i64..10_000, iat in -10_000_i64..10_000, skew in -5_i64..120
    ) {
        let policy = Policy { skew_seconds: skew, maximum_lifetime_seconds: None, ..policy() };
        let skew = skew.max(0);
        let accepted = policy.check_times(Some(NOW.plus(exp)), Some(NOW.plus(nbf)), Some(NOW.plus(iat)), NOW).is_ok();
        prop_assert_eq!(accepted, exp > -skew && nbf <= skew && iat <= skew);
    }
}

#[test]
fn shows_the_key_set_url_of_the_header_and_nothing_else_for_it() {
    let key = TestKey::generate(SignatureAlgorithm::ES256, "a");
    let with = |jku: Value| {
        let mut header = good_header();
        header["jku"] = jku;
        forge(&key, &header, &good_claims())
    };
    let text = with(json!("https://client.example/jwks.json"));
    let jwt = UnverifiedJwt::parse(&text, MAXIMUM_JWT_BYTES).unwrap();
    assert_eq!(jwt.key_set_url(), Some("https://client.example/jwks.json"));
    let text = forge(&key, &good_header(), &good_claims());
    let jwt = UnverifiedJwt::parse(&text, MAXIMUM_JWT_BYTES).unwrap();
    assert_eq!(jwt.key_set_url(), None);
    let refused = UnverifiedJwt::parse(&with(json!(5)), MAXIMUM_JWT_BYTES).map(|_| ());
    assert_eq!(refused, Err(JwtError::Malformed));
}
