//! Tokens whose claims, type or form must not pass, each wrong in one respect, and their nearest neighbours that must.
//!
//! RFC 6750 section 3, RFC 7519, RFC 8725 and RFC 9068 section 4.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Value, json};
use wardgate_tests::clock::now;
use wardgate_tests::edge::{AUDIENCE, Edge};
use wardgate_tests::forge::{access_header, sign_text};

use crate::expect::{assert_challenge, assert_fhir_refusal, assert_nothing_forwarded, assert_token_refused};
use crate::tokens::{MALFORMED, PATH, accepts, claim_values, header_values, refuses};

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
    refuses(MALFORMED, |edge| {
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
            format!("{header}..{signature}"),
            format!(".{claims}.{signature}"),
            format!("{token}.{signature}"),
            format!("{token}."),
            format!(".{token}"),
            format!("{header}.{claims}.{signature}="),
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
    refuses(MALFORMED, |edge| {
        let header = access_header(&edge.key).to_string();
        let deep = format!("{}{}", "[".repeat(2000), "]".repeat(2000));
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
async fn refuses_another_issuer() {
    refuses("The token was issued by someone else", |edge| {
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

// SMART-74
#[tokio::test]
async fn refuses_another_audience() {
    refuses("The token is meant for another audience", |edge| {
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
    refuses("The token has the wrong type", |edge| {
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

// SMART-74
#[tokio::test]
async fn refuses_an_expired_token() {
    let edge = Edge::start().await;
    for (issued, expires) in [(now() - 7200, now() - 3600), (now(), 0), (-10, -1)] {
        let token = edge
            .claims()
            .with("iat", issued)
            .with("exp", expires)
            .sign(&edge.key);
        let answer = edge.get_with(PATH, &token).await;
        assert_fhir_refusal(&answer, 401, "expired");
        assert_token_refused(&edge, &answer, &token);
    }
}

#[tokio::test]
async fn refuses_a_token_without_a_proper_expiry() {
    refuses("The token has no expiry", |edge| {
        let wrong = [
            json!((now() + 300).to_string()),
            json!(null),
            json!([now() + 300]),
        ];
        let mut tokens = claim_values(edge, "exp", wrong);
        tokens.push(edge.claims().without("exp").sign(&edge.key));
        // Beyond every integer and every float, or no JSON at all.
        let claims = edge.claims().with("exp", "here").0.to_string();
        let header = access_header(&edge.key).to_string();
        for number in [
            "1e400",
            "-1e400",
            "99999999999999999999999999",
            "NaN",
            "Infinity",
            "0x7fffffff",
        ] {
            tokens.push(sign_text(&edge.key, &header, &claims.replace("\"here\"", number)));
        }
        tokens
    })
    .await;
}

#[tokio::test]
async fn refuses_a_token_that_is_not_yet_valid() {
    refuses("The token is not valid yet", |edge| {
        claim_values(edge, "nbf", [json!(now() + 3600), json!("soon")])
    })
    .await;
}

#[tokio::test]
async fn refuses_a_token_from_the_future() {
    refuses("The token was issued in the future", |edge| {
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
    refuses("The token repeats a member name", |edge| {
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
async fn refuses_a_token_bound_to_a_key() {
    refuses(
        "The token is bound to a key in a way that is not accepted here",
        |edge| {
            let thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
            let and_more = json!({ "jkt": thumbprint, "x5t#S256": thumbprint });
            claim_values(
                edge,
                "cnf",
                [json!({ "x5t#S256": thumbprint }), json!({}), and_more],
            )
        },
    )
    .await;
    refuses(
        "The token is bound to a key: it needs Authorization: DPoP and a proof",
        |edge| {
            let bound = json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" });
            claim_values(edge, "cnf", [bound])
        },
    )
    .await;
}

#[tokio::test]
async fn refuses_a_token_that_is_too_long() {
    refuses("The token is too long", |edge| {
        claim_values(edge, "padding", [json!("x".repeat(8 * 1024))])
    })
    .await;
}

#[tokio::test]
async fn refuses_a_token_without_the_claims_of_an_access_token() {
    refuses(MALFORMED, |edge| {
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
