//! Who signed, with what: algorithms, keys and the ways to be confused about them (RFC 7515, RFC 8725 section 2).

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Value, json};
use wardgate_tests::edge::Edge;
use wardgate_tests::fake_issuer::JwksAnswer;
use wardgate_tests::forge::{access_header, compact, sign_hs256, sign_text, with_broken_signature};
use wardgate_tests::keys::{Algorithm, SigningKey};

use crate::expect::assert_token_refused;
use crate::tokens::{MALFORMED, PATH, header_values, refuses};

// SMART-74
#[tokio::test]
async fn refuses_a_signature_that_does_not_verify() {
    refuses("The token's signature is invalid", |edge| {
        let token = edge.token();
        let (message, _) = token.rsplit_once('.').expect("a compact JWT");
        let other = edge.claims().with("jti", "token-2").sign(&edge.key);
        let (_, others_signature) = other.rsplit_once('.').expect("a compact JWT");
        let zeros = Base64UrlUnpadded::encode_string(&[0; 256]);
        let short = Base64UrlUnpadded::encode_string(&[1; 64]);
        vec![
            with_broken_signature(&token),
            format!("{message}."),
            format!("{token}A"),
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
    refuses("The token's algorithm is not accepted", |edge| {
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
    refuses("The token's algorithm is not accepted", |edge| {
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
    refuses("The token was signed with an unknown key", |edge| {
        [Algorithm::Rs384, Algorithm::Ps256]
            .into_iter()
            .map(|algorithm| edge.claims().sign(&edge.key.renamed(algorithm, &edge.key.kid)))
            .collect()
    })
    .await;
}

#[tokio::test]
async fn a_key_without_algorithm_has_its_types_usual_one_and_no_other() {
    for (usual, others) in [
        (Algorithm::Rs256, &[Algorithm::Rs384, Algorithm::Ps256][..]),
        (Algorithm::Es256, &[]),
        (Algorithm::Es384, &[]),
        (Algorithm::EdDsa, &[]),
    ] {
        let edge = Edge::start().await;
        let key = SigningKey::new(usual, "silent");
        let mut jwk = key.jwk();
        jwk.as_object_mut().expect("an object").remove("alg");
        edge.issuer
            .answer_keys_with(JwksAnswer::Document(json!({ "keys": [jwk] })));
        for other in others {
            let token = edge.claims().sign(&key.renamed(*other, &key.kid));
            let answer = edge.get_with(PATH, &token).await;
            assert_token_refused(&edge, &answer, &token);
        }
        let answer = edge.get_with(PATH, &edge.claims().sign(&key)).await;
        assert_eq!(answer.status, 200, "{}: {}", usual.name(), answer.text());
    }
}

#[tokio::test]
async fn refuses_algorithms_outside_the_list() {
    refuses("The token's algorithm is not accepted", |edge| {
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
    refuses("The token was signed with an unknown key", |edge| {
        let stranger = SigningKey::new(Algorithm::Es256, &edge.key.kid);
        vec![edge.claims().sign(&stranger)]
    })
    .await;
}

#[tokio::test]
async fn refuses_a_stranger_who_uses_the_issuers_kid() {
    refuses("The token's signature is invalid", |edge| {
        vec![
            edge.claims()
                .sign(&SigningKey::of_stranger(Algorithm::Rs256, &edge.key.kid)),
        ]
    })
    .await;
}

#[tokio::test]
async fn refuses_an_unknown_key() {
    refuses("The token was signed with an unknown key", |edge| {
        ["key-2", "", "KEY-1", "key-1 ", "../key-1", "key-1' or '1'='1"]
            .into_iter()
            .map(|kid| edge.claims().sign(&edge.key.renamed(Algorithm::Rs256, kid)))
            .collect()
    })
    .await;
}

#[tokio::test]
async fn refuses_a_kid_that_is_no_string() {
    refuses(MALFORMED, |edge| {
        header_values(edge, "kid", [json!(1), json!(["key-1"]), json!({})])
    })
    .await;
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
async fn refuses_critical_headers() {
    refuses(
        "The token has a critical header parameter that is not understood",
        |edge| {
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
        },
    )
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
