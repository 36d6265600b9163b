//! Tokens that must not pass, each wrong in one respect, and their nearest neighbours that must.
//!
//! RFC 6750 section 3, RFC 7519, RFC 8725 and RFC 9068 section 4.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Value, json};
use wardgate_tests::clock::now;
use wardgate_tests::edge::{AUDIENCE, Edge};
use wardgate_tests::forge::{access_header, compact, sign_hs256, sign_text, with_broken_signature};
use wardgate_tests::keys::{Algorithm, SigningKey};

use crate::expect::{assert_challenge, assert_fhir_refusal, assert_nothing_forwarded, assert_token_refused};

const PATH: &str = "/fhir/Patient/1";

/// Every token that `forge` makes is refused with `invalid_token`.
async fn refuses(forge: impl FnOnce(&Edge) -> Vec<String>) {
    let edge = Edge::start().await;
    for token in forge(&edge) {
        let answer = edge.get_with(PATH, &token).await;
        assert_token_refused(&edge, &answer, &token);
    }
    // The Worker refuses these tokens and not everything.
    assert_eq!(edge.get_with(PATH, &edge.token()).await.status, 200);
}

/// Every token that `forge` makes passes.
async fn accepts(forge: impl FnOnce(&Edge) -> Vec<String>) {
    let edge = Edge::start().await;
    let tokens = forge(&edge);
    for token in &tokens {
        let answer = edge.get_with(PATH, token).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(edge.upstream.received().len(), tokens.len());
}

fn claim_values(edge: &Edge, member: &str, values: impl IntoIterator<Item = Value>) -> Vec<String> {
    values
        .into_iter()
        .map(|value| edge.claims().with(member, value).sign(&edge.key))
        .collect()
}

fn header_values(edge: &Edge, member: &str, values: impl IntoIterator<Item = Value>) -> Vec<String> {
    let forge = |value| {
        let mut header = access_header(&edge.key);
        header[member] = value;
        edge.claims().sign_with_header(&edge.key, &header)
    };
    values.into_iter().map(forge).collect()
}

#[tokio::test]
async fn asks_for_a_token_without_naming_an_error_when_there_is_none() {
    let edge = Edge::start().await;
    for (method, path) in [
        ("GET", PATH),
        ("HEAD", PATH),
        ("PUT", PATH),
        ("PATCH", PATH),
        ("DELETE", PATH),
        ("POST", "/fhir/Patient"),
        ("POST", "/fhir"),
        ("GET", "/fhir/Patient/1/$everything"),
    ] {
        let answer = wardgate_tests::http::send(edge.request(method, path)).await;
        if method == "HEAD" {
            assert_eq!((answer.status, answer.body.len()), (401, 0));
            assert_challenge(&answer, None);
            continue;
        }
        assert_fhir_refusal(&answer, 401, "login");
        assert_challenge(&answer, None);
    }
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn refuses_what_is_no_compact_jwt() {
    refuses(|edge| {
        let token = edge.token();
        let parts: Vec<&str> = token.split('.').collect();
        let (header, claims, signature) = (parts[0], parts[1], parts[2]);
        let encode = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
        vec![
            "x".to_owned(),
            "..".to_owned(),
            "a.b.c".to_owned(),
            header.to_owned(),
            format!("{header}.{claims}"),
            format!("{header}.{claims}."),
            format!("{header}..{signature}"),
            format!(".{claims}.{signature}"),
            format!("{token}.{signature}"),
            format!("{token}."),
            format!(".{token}"),
            format!("{header}.{claims}.{signature}="),
            format!("{header}.{claims}.{signature}A"),
            format!("{}.{claims}.{signature}", encode("[]")),
            format!("{}.{claims}.{signature}", encode("{\"alg\":\"RS256\"")),
            format!("{}.{claims}.{signature}", encode("null")),
            format!("{header}.{}.{signature}", encode("\"claims\"")),
            format!("{header}.{}.{signature}", encode("")),
        ]
    })
    .await;
}

#[tokio::test]
async fn refuses_claims_that_are_signed_but_no_json_object() {
    refuses(|edge| {
        let header = access_header(&edge.key).to_string();
        let deep = format!("{}{}", "[".repeat(4000), "]".repeat(4000));
        [
            "",
            "[]",
            "1",
            "\"x\"",
            "{}{}",
            "{\"iss\":}",
            "\u{feff}{}",
            deep.as_str(),
        ]
        .into_iter()
        .map(|claims| sign_text(&edge.key, &header, claims))
        .collect()
    })
    .await;
}

#[tokio::test]
async fn refuses_a_signature_that_does_not_verify() {
    refuses(|edge| {
        let token = edge.token();
        let (message, _) = token.rsplit_once('.').expect("a compact JWT");
        let other = edge.claims().with("jti", "token-2").sign(&edge.key);
        let (_, others_signature) = other.rsplit_once('.').expect("a compact JWT");
        let zeros = Base64UrlUnpadded::encode_string(&[0; 256]);
        let short = Base64UrlUnpadded::encode_string(&[1; 64]);
        vec![
            with_broken_signature(&token),
            format!("{message}.{others_signature}"),
            format!("{message}.{zeros}"),
            format!("{message}.{short}"),
        ]
    })
    .await;
}

#[tokio::test]
async fn refuses_a_broken_signature_of_every_algorithm() {
    let edge = Edge::start().await;
    let keys = Algorithm::ALL.map(|algorithm| SigningKey::new(algorithm, algorithm.name()));
    edge.issuer.publish(&keys.each_ref());
    for key in &keys {
        let token = edge.claims().sign(key);
        let (message, signature) = token.rsplit_once('.').expect("a compact JWT");
        let zeros = Base64UrlUnpadded::encode_string(&vec![0; signature.len() * 3 / 4]);
        for token in [
            with_broken_signature(&token),
            format!("{message}.{zeros}"),
            format!("{message}.AAAA"),
        ] {
            let answer = edge.get_with(PATH, &token).await;
            assert_token_refused(&edge, &answer, &token);
        }
    }
}

#[tokio::test]
async fn accepts_every_algorithm_of_the_list() {
    let edge = Edge::start().await;
    let keys = Algorithm::ALL.map(|algorithm| SigningKey::new(algorithm, algorithm.name()));
    edge.issuer.publish(&keys.each_ref());
    for key in &keys {
        let answer = edge.get_with(PATH, &edge.claims().sign(key)).await;
        assert_eq!(answer.status, 200, "{}: {}", key.algorithm.name(), answer.text());
    }
    assert_eq!(edge.issuer.key_requests(), 1);
}

#[tokio::test]
async fn refuses_alg_none_in_every_spelling() {
    refuses(|edge| {
        let claims = edge.claims().0.to_string();
        let mut tokens = Vec::new();
        for name in ["none", "None", "NONE", "nOnE", ""] {
            let header = json!({ "alg": name, "typ": "at+jwt", "kid": edge.key.kid }).to_string();
            tokens.push(compact(&header, &claims, |_| Vec::new()));
            tokens.push(sign_text(&edge.key, &header, &claims));
        }
        tokens.push(compact(r#"{"typ":"at+jwt"}"#, &claims, |_| Vec::new()));
        tokens
    })
    .await;
}

#[tokio::test]
async fn refuses_hs256_signed_with_the_public_key() {
    refuses(|edge| {
        let claims = edge.claims().0.to_string();
        let jwk = edge.key.jwk();
        let modulus = jwk["n"].as_str().expect("an RSA key").to_owned();
        let pem = edge.key.public_pem();
        let secrets = [
            pem.clone().into_bytes(),
            pem.trim_end().as_bytes().to_vec(),
            jwk.to_string().into_bytes(),
            Base64UrlUnpadded::decode_vec(&modulus).expect("base64url"),
            modulus.into_bytes(),
            Vec::new(),
        ];
        let header = json!({ "alg": "HS256", "typ": "at+jwt", "kid": edge.key.kid }).to_string();
        secrets
            .iter()
            .map(|secret| sign_hs256(secret, &header, &claims))
            .collect()
    })
    .await;
}

#[tokio::test]
async fn refuses_an_algorithm_that_is_not_the_keys_own() {
    // The numbers fit all three RSA algorithms, but the issuer says `"alg": "RS256"`.
    refuses(|edge| {
        [Algorithm::Rs384, Algorithm::Ps256]
            .into_iter()
            .map(|algorithm| edge.claims().sign(&edge.key.renamed(algorithm, &edge.key.kid)))
            .collect()
    })
    .await;
}

#[tokio::test]
async fn refuses_algorithms_outside_the_list() {
    refuses(|edge| {
        let names = [
            "RS512",
            "ES256K",
            "ES512",
            "PS512",
            "HS384",
            "rs256",
            "RS256 ",
            "Ed25519ph",
            "RSA-OAEP",
        ];
        let mut tokens = header_values(edge, "alg", names.map(Value::from));
        tokens.extend(header_values(
            edge,
            "alg",
            [json!(null), json!(["RS256"]), json!({ "a": 1 }), json!(256)],
        ));
        tokens
    })
    .await;
}

#[tokio::test]
async fn refuses_a_key_of_another_type_than_the_algorithm() {
    refuses(|edge| {
        let stranger = SigningKey::new(Algorithm::Es256, &edge.key.kid);
        vec![edge.claims().sign(&stranger)]
    })
    .await;
}

#[tokio::test]
async fn refuses_a_stranger_who_uses_the_issuers_kid() {
    refuses(|edge| {
        vec![
            edge.claims()
                .sign(&SigningKey::of_stranger(Algorithm::Rs256, &edge.key.kid)),
        ]
    })
    .await;
}

#[tokio::test]
async fn refuses_an_unknown_key() {
    refuses(|edge| {
        ["key-2", "", "KEY-1", "key-1 ", "../key-1", "key-1' or '1'='1"]
            .into_iter()
            .map(|kid| edge.claims().sign(&edge.key.renamed(Algorithm::Rs256, kid)))
            .collect()
    })
    .await;
}

#[tokio::test]
async fn refuses_a_kid_that_is_no_string() {
    refuses(|edge| header_values(edge, "kid", [json!(1), json!(["key-1"]), json!({})])).await;
}

#[tokio::test]
async fn never_takes_a_key_from_the_token() {
    let edge = Edge::start().await;
    let stranger = SigningKey::of_stranger(Algorithm::Rs256, "key-1");
    let elsewhere = format!("{}/stranger.json", edge.issuer.url);
    for (member, value) in [
        ("jwk", stranger.jwk()),
        ("jku", json!(elsewhere)),
        ("x5u", json!(elsewhere)),
        ("x5c", json!(["MIIB"])),
        ("kid", json!(elsewhere)),
    ] {
        let mut header = access_header(&stranger);
        header[member] = value;
        let token = edge.claims().sign_with_header(&stranger, &header);
        let answer = edge.get_with(PATH, &token).await;
        assert_token_refused(&edge, &answer, &token);
    }
    assert_eq!(edge.issuer.requests_for("/stranger.json"), 0);
}

#[tokio::test]
async fn refuses_another_issuer() {
    refuses(|edge| {
        let own = edge.issuer.url.clone();
        let others = [
            json!("https://issuer.example"),
            json!(format!("{own}/")),
            json!(format!("{own}/other")),
            json!(own.to_uppercase()),
            json!(""),
            json!([own]),
            json!(null),
        ];
        let mut tokens = claim_values(edge, "iss", others);
        tokens.push(edge.claims().without("iss").sign(&edge.key));
        tokens
    })
    .await;
}

#[tokio::test]
async fn refuses_another_audience() {
    refuses(|edge| {
        let others = [
            json!("https://other.example"),
            json!([]),
            json!(""),
            json!([format!("{AUDIENCE}/")]),
            json!([format!("{AUDIENCE}/Patient")]),
            json!(["https://edge.example"]),
            json!({ "0": AUDIENCE }),
            json!([[AUDIENCE]]),
            json!([AUDIENCE, 1]),
            json!(null),
        ];
        let mut tokens = claim_values(edge, "aud", others);
        tokens.push(edge.claims().without("aud").sign(&edge.key));
        tokens
    })
    .await;
}

#[tokio::test]
async fn accepts_the_audience_as_a_string_or_among_others() {
    accepts(|edge| {
        claim_values(
            edge,
            "aud",
            [
                json!(AUDIENCE),
                json!([AUDIENCE]),
                json!(["https://other.example", AUDIENCE]),
            ],
        )
    })
    .await;
}

#[tokio::test]
async fn refuses_another_type_of_token() {
    refuses(|edge| {
        let types = [
            "JWT",
            "id+jwt",
            "dpop+jwt",
            "logout+jwt",
            "statuslist+jwt",
            "at",
            "",
            "at+jwt; x",
            "text/at+jwt",
        ];
        let mut tokens = header_values(edge, "typ", types.map(Value::from));
        tokens.extend(header_values(edge, "typ", [json!(["at+jwt"]), json!(null)]));
        let without = json!({ "alg": "RS256", "kid": edge.key.kid });
        tokens.push(edge.claims().sign_with_header(&edge.key, &without));
        tokens
    })
    .await;
}

#[tokio::test]
async fn accepts_the_type_in_any_case_and_as_a_media_type() {
    accepts(|edge| {
        header_values(
            edge,
            "typ",
            ["AT+JWT", "application/at+jwt", "Application/At+Jwt"].map(Value::from),
        )
    })
    .await;
}

#[tokio::test]
async fn refuses_an_expired_token() {
    let edge = Edge::start().await;
    let token = edge
        .claims()
        .with("iat", now() - 7200)
        .with("exp", now() - 3600)
        .sign(&edge.key);
    let answer = edge.get_with(PATH, &token).await;
    assert_fhir_refusal(&answer, 401, "expired");
    assert_token_refused(&edge, &answer, &token);
}

#[tokio::test]
async fn refuses_a_token_without_a_proper_expiry() {
    refuses(|edge| {
        let wrong = [
            json!((now() + 300).to_string()),
            json!(null),
            json!(-1),
            json!(0),
            json!([now() + 300]),
        ];
        let mut tokens = claim_values(edge, "exp", wrong);
        tokens.push(edge.claims().without("exp").sign(&edge.key));
        // Beyond every integer and every float.
        let claims = edge.claims().0.to_string();
        let exp = edge.claims().0["exp"].to_string();
        let header = access_header(&edge.key).to_string();
        for number in [
            "1e400",
            "-1e400",
            "99999999999999999999999999",
            "NaN",
            "Infinity",
            "0x7fffffff",
        ] {
            tokens.push(sign_text(&edge.key, &header, &claims.replace(&exp, number)));
        }
        tokens
    })
    .await;
}

#[tokio::test]
async fn refuses_a_token_that_is_not_yet_valid() {
    refuses(|edge| claim_values(edge, "nbf", [json!(now() + 3600), json!("soon")])).await;
}

#[tokio::test]
async fn refuses_a_token_from_the_future() {
    refuses(|edge| {
        vec![
            edge.claims()
                .with("iat", now() + 3600)
                .with("exp", now() + 7200)
                .sign(&edge.key),
        ]
    })
    .await;
}

#[tokio::test]
async fn tolerates_a_clock_that_is_off_by_less_than_the_skew_and_no_more() {
    let edge = Edge::start_with(&[("WARDGATE_CLOCK_SKEW_SECONDS", "50")]).await;
    let within = [
        edge.claims().with("exp", now() - 20),
        edge.claims().with("nbf", now() + 20),
        edge.claims().with("iat", now() + 20),
    ];
    for claims in within {
        let answer = edge.get_with(PATH, &claims.sign(&edge.key)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    edge.upstream.forget();
    // Far enough outside that a slow machine cannot bring them in.
    let beyond = [
        edge.claims().with("exp", now() - 60),
        edge.claims().with("nbf", now() + 300),
        edge.claims().with("iat", now() + 300),
    ];
    for claims in beyond {
        let token = claims.sign(&edge.key);
        let answer = edge.get_with(PATH, &token).await;
        assert_token_refused(&edge, &answer, &token);
    }
}

#[tokio::test]
async fn refuses_repeated_members() {
    refuses(|edge| {
        let header = access_header(&edge.key).to_string();
        let claims = edge.claims().0.to_string();
        let first_member = |text: &str, member: &str| text.replacen('{', &format!("{{{member},"), 1);
        vec![
            sign_text(&edge.key, &first_member(&header, r#""alg":"none""#), &claims),
            sign_text(&edge.key, &first_member(&header, r#""kid":"other""#), &claims),
            sign_text(&edge.key, &first_member(&header, r#""typ":"JWT""#), &claims),
            sign_text(
                &edge.key,
                &header,
                &first_member(&claims, r#""scope":"system/*.cruds""#),
            ),
            sign_text(
                &edge.key,
                &header,
                &first_member(&claims, r#""iss":"https://other.example""#),
            ),
            // The same name, spelt with an escape.
            sign_text(
                &edge.key,
                &header,
                &first_member(&claims, r#""\u0073cope":"system/*.cruds""#),
            ),
            sign_text(&edge.key, &header, &first_member(&claims, r#""x":{"a":1,"a":2}"#)),
        ]
    })
    .await;
}

#[tokio::test]
async fn refuses_critical_headers() {
    refuses(|edge| {
        header_values(
            edge,
            "crit",
            [
                json!(["b64"]),
                json!(["exp"]),
                json!([]),
                json!(null),
                json!("exp"),
            ],
        )
    })
    .await;
}

#[tokio::test]
async fn refuses_a_token_bound_to_a_key() {
    refuses(|edge| {
        claim_values(
            edge,
            "cnf",
            [
                json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }),
                json!({}),
            ],
        )
    })
    .await;
}

#[tokio::test]
async fn refuses_a_token_that_is_too_long() {
    refuses(|edge| claim_values(edge, "padding", [json!("x".repeat(8 * 1024))])).await;
}

#[tokio::test]
async fn refuses_a_token_without_the_claims_of_an_access_token() {
    refuses(|edge| {
        let mut tokens: Vec<String> = ["sub", "client_id", "jti"]
            .into_iter()
            .map(|member| edge.claims().without(member).sign(&edge.key))
            .collect();
        tokens.extend(claim_values(edge, "sub", [json!(1), json!(null)]));
        tokens.extend(claim_values(edge, "scope", [json!(["system/*.cruds"]), json!(1)]));
        tokens.extend(claim_values(
            edge,
            "launch_context",
            [json!("123"), json!({ "patient_id": 5 })],
        ));
        tokens
    })
    .await;
}

#[tokio::test]
async fn finds_the_only_fitting_key_for_a_token_without_kid() {
    let edge = Edge::start().await;
    let other = SigningKey::new(Algorithm::Es256, "key-2");
    edge.issuer.publish(&[&edge.key, &other]);
    let header = json!({ "alg": "RS256", "typ": "at+jwt" });
    let answer = edge
        .get_with(PATH, &edge.claims().sign_with_header(&edge.key, &header))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn refuses_a_token_without_kid_when_several_keys_fit() {
    let edge = Edge::start().await;
    let keys = ["a", "b"].map(|kid| SigningKey::new(Algorithm::Es256, kid));
    edge.issuer.publish(&keys.each_ref());
    let header = json!({ "alg": "ES256", "typ": "at+jwt" });
    let token = edge.claims().sign_with_header(&keys[0], &header);
    let answer = edge.get_with(PATH, &token).await;
    assert_token_refused(&edge, &answer, &token);
}
