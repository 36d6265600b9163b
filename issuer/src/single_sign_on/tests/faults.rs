//! Providers that lie, err, or are not there.

use base64ct::{Base64UrlUnpadded, Encoding};
use http::StatusCode;
use serde_json::json;
use wardgate_shared::jwt::SignatureAlgorithm;

use super::{CLIENT_ID, PATIENT, Realm};
use crate::testing::{Signer, key_set};

// OIDC-62
#[tokio::test]
async fn an_id_token_of_another_sign_in_provider_or_client_is_refused() {
    let realm = Realm::open().await;
    realm
        .refuses(|claims| claims["nonce"] = "another".into(), "sso_token_nonce")
        .await;
    realm
        .refuses(
            |claims| drop(claims.as_object_mut().unwrap().remove("nonce")),
            "sso_token_nonce",
        )
        .await;
    realm
        .refuses(
            |claims| claims["iss"] = "https://evil.example".into(),
            "sso_token_issuer",
        )
        .await;
    realm
        .refuses(
            |claims| claims["aud"] = "somebody-else".into(),
            "sso_token_audience",
        )
        .await;
    realm
        .refuses(|claims| claims["aud"] = json!([]), "sso_token_audience")
        .await;
    realm
        .refuses(
            |claims| claims["aud"] = json!([CLIENT_ID, "somebody-else"]),
            "sso_token_audience",
        )
        .await;
    realm
        .refuses(
            |claims| claims["azp"] = "somebody-else".into(),
            "sso_token_audience",
        )
        .await;
}

#[tokio::test]
async fn an_id_token_for_others_too_says_that_it_was_made_for_us() {
    let realm = Realm::open().await;
    let traveller = realm.travel(PATIENT).await;
    let mut claims = realm.claims(&traveller, PATIENT);
    claims["aud"] = json!([CLIENT_ID, "somebody-else"]);
    claims["azp"] = CLIENT_ID.into();
    assert_eq!(realm.arrive(&traveller, &claims).await.location(), "/");
}

#[tokio::test]
async fn an_id_token_that_is_not_of_this_moment_is_refused() {
    let realm = Realm::open().await;
    let now = realm.clinic.issuer.now();
    for (claim, value) in [
        ("exp", Some(now.minus(31).seconds())),
        ("exp", None),
        ("iat", None),
        ("iat", Some(now.minus(331).seconds())),
        ("iat", Some(now.plus(31).seconds())),
        ("nbf", Some(now.plus(31).seconds())),
    ] {
        let change = |claims: &mut serde_json::Value| match value {
            Some(value) => claims[claim] = value.into(),
            None => drop(claims.as_object_mut().unwrap().remove(claim)),
        };
        realm.refuses(change, "sso_token_times").await;
    }
}

#[tokio::test]
async fn a_person_without_a_subject_or_an_address_of_their_own_is_refused() {
    let realm = Realm::open().await;
    let without = |name: &'static str| {
        move |claims: &mut serde_json::Value| drop(claims.as_object_mut().unwrap().remove(name))
    };
    realm.refuses(without("sub"), "sso_token_without_subject").await;
    realm
        .refuses(|claims| claims["sub"] = "".into(), "sso_token_without_subject")
        .await;
    realm.refuses(without("email"), "sso_without_email").await;
    realm
        .refuses(|claims| claims["email"] = "pat".into(), "sso_without_email")
        .await;
    realm
        .refuses(
            |claims| claims["email"] = "p\u{e4}t@example.org".into(),
            "sso_without_email",
        )
        .await;
    realm
        .refuses(without("email_verified"), "sso_email_not_verified")
        .await;
    for unverified in [
        json!(false),
        json!("false"),
        json!(1),
        json!(null),
        json!(["true"]),
    ] {
        realm
            .refuses(
                |claims| claims["email_verified"] = unverified,
                "sso_email_not_verified",
            )
            .await;
    }
}

#[tokio::test]
async fn a_provider_names_nobody_outside_its_domains() {
    let realm = Realm::open().await;
    realm
        .clinic
        .issuer
        .add_user("boss@elsewhere.example", "correct horse battery")
        .await;
    for foreign in [
        "boss@elsewhere.example",
        "pat@sub.example.org",
        "pat@example.org.evil.example",
    ] {
        realm
            .refuses(|claims| claims["email"] = foreign.into(), "sso_email_domain")
            .await;
    }
}

// OIDC-87
#[tokio::test]
async fn a_rotated_key_is_fetched_once_and_an_unknown_one_opens_nothing() {
    let realm = Realm::open().await;
    let traveller = realm.travel(PATIENT).await;
    let claims = realm.claims(&traveller, PATIENT);
    assert_eq!(realm.arrive(&traveller, &claims).await.location(), "/");
    // Beyond the time in which a set is not fetched twice.
    realm.clinic.issuer.advance(11);
    let rotated = Signer::new(SignatureAlgorithm::ES256, Some("idp-2"));
    realm
        .provider
        .keys(200, &[], &key_set(&[&rotated]).to_json().to_string());
    let before = realm.provider.asked();
    let traveller = realm.travel(PATIENT).await;
    realm.gives(&rotated.sign(&rotated.header(), &realm.claims(&traveller, PATIENT)));
    assert_eq!(realm.come_back(&traveller, &[]).await.location(), "/");
    assert_eq!(realm.provider.asked() - before, 2, "the code and the keys");

    // The withdrawn key, and one that was never published, also under the published name.
    realm.refuses(|_| (), "sso_key_unknown").await;
    let traveller = realm.travel(PATIENT).await;
    let forged = Signer::new(SignatureAlgorithm::ES256, Some("idp-2"));
    realm.gives(&forged.sign(&forged.header(), &realm.claims(&traveller, PATIENT)));
    let answer = realm.come_back(&traveller, &[]).await;
    realm.is_refused(
        &traveller,
        &answer,
        &realm.clinic.last_audit().await,
        "sso_token_signature",
    );
}

#[tokio::test]
async fn unsigned_and_symmetrically_signed_tokens_are_refused() {
    let realm = Realm::open().await;
    let encode = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    for (header, signature) in [
        (r#"{"alg":"none"}"#, String::new()),
        (r#"{"alg":"none","typ":"JWT"}"#, encode("x")),
        (
            r#"{"alg":"HS256","typ":"JWT"}"#,
            encode("01234567890123456789012345678901"),
        ),
    ] {
        let traveller = realm.travel(PATIENT).await;
        let claims = realm.claims(&traveller, PATIENT).to_string();
        realm.gives(&format!("{}.{}.{signature}", encode(header), encode(&claims)));
        let answer = realm.come_back(&traveller, &[]).await;
        realm.is_refused(
            &traveller,
            &answer,
            &realm.clinic.last_audit().await,
            "sso_token_malformed",
        );
    }
}

#[tokio::test]
async fn another_kind_of_token_is_no_id_token() {
    let realm = Realm::open().await;
    let traveller = realm.travel(PATIENT).await;
    let mut header = realm.provider.signer.header();
    header["typ"] = "at+jwt".into();
    realm.gives(
        &realm
            .provider
            .signer
            .sign(&header, &realm.claims(&traveller, PATIENT)),
    );
    let answer = realm.come_back(&traveller, &[]).await;
    realm.is_refused(
        &traveller,
        &answer,
        &realm.clinic.last_audit().await,
        "sso_token_type",
    );
}

#[tokio::test]
async fn a_refused_code_and_an_answer_that_is_none_end_the_sign_in() {
    let realm = Realm::open().await;
    for (status, body, reason) in [
        (400, r#"{"error":"invalid_grant"}"#, "sso_code_refused"),
        (401, r#"{"error":"invalid_client"}"#, "sso_code_refused"),
        (200, r#"{"access_token":"x"}"#, "sso_token_malformed"),
        (200, r#"{"id_token":"x"}"#, "sso_token_malformed"),
        (
            200,
            r#"{"id_token":"a.b.c","id_token":"a.b.c"}"#,
            "sso_provider_unavailable",
        ),
        (200, "<html>", "sso_provider_unavailable"),
        (200, "", "sso_provider_unavailable"),
        (400, "garbage", "sso_provider_unavailable"),
        (500, "{}", "sso_provider_unavailable"),
        (502, "<html>", "sso_provider_unavailable"),
        (302, "", "sso_provider_unavailable"),
    ] {
        let traveller = realm.travel(PATIENT).await;
        realm.provider.token(status, body);
        let answer = realm.come_back(&traveller, &[]).await;
        realm.is_refused(&traveller, &answer, &realm.clinic.last_audit().await, reason);
    }
}

#[tokio::test]
async fn a_huge_answer_is_not_read_to_its_end() {
    let realm = Realm::open().await;
    let traveller = realm.travel(PATIENT).await;
    realm
        .provider
        .token(200, &format!("{{\"id_token\":\"{}\"}}", "x".repeat(200_000)));
    let answer = realm.come_back(&traveller, &[]).await;
    realm.is_refused(
        &traveller,
        &answer,
        &realm.clinic.last_audit().await,
        "sso_provider_unavailable",
    );
}

#[tokio::test]
async fn without_its_keys_nothing_a_provider_says_is_believed() {
    let realm = Realm::open().await;
    realm.provider.keys(503, &[], "");
    let traveller = realm.travel(PATIENT).await;
    let claims = realm.claims(&traveller, PATIENT);
    let answer = realm.arrive(&traveller, &claims).await;
    realm.is_refused(
        &traveller,
        &answer,
        &realm.clinic.last_audit().await,
        "sso_provider_unavailable",
    );
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_provider_that_is_down_is_a_clear_page() {
    let realm = Realm::open().await;
    let traveller = realm.travel(PATIENT).await;
    realm.provider.stop();
    let answer = realm.come_back(&traveller, &[]).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), Some("60"));
    assert!(
        answer.body.contains("cannot be reached") && answer.body.contains("Example Clinic"),
        "{answer:?}"
    );
    assert!(answer.body.contains("href=\"/login?local=1\""), "{answer:?}");
    realm.is_refused(
        &traveller,
        &answer,
        &realm.clinic.last_audit().await,
        "sso_provider_unavailable",
    );
    // What was known of it serves for a day, then nobody is sent into the void.
    realm.clinic.issuer.advance(3601);
    assert_eq!(realm.travel(PATIENT).await.sent.status, StatusCode::SEE_OTHER);
    realm.clinic.issuer.advance(86_400);
    let browser = realm.clinic.browser();
    let answer = realm.typed(&browser, "/login", PATIENT).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    let event = realm.clinic.last_audit().await;
    assert_eq!(event.reason.as_deref(), Some("sso_provider_unavailable"));
}

#[tokio::test]
async fn what_a_provider_says_of_itself_is_looked_at_again_after_an_hour() {
    let realm = Realm::open().await;
    let mut document = realm.provider.document();
    document["authorization_endpoint"] = format!("{}/moved?tenant=1", realm.provider.issuer).into();
    realm.provider.discovery(200, &[], &document.to_string());
    assert!(
        realm
            .travel(PATIENT)
            .await
            .sent
            .location()
            .contains("/authorize?")
    );
    realm.clinic.issuer.advance(3600);
    let before = realm.provider.discoveries();
    assert!(
        realm
            .travel(PATIENT)
            .await
            .sent
            .location()
            .contains("/moved?tenant=1&response_type=")
    );
    realm.travel(PATIENT).await;
    assert_eq!(realm.provider.discoveries() - before, 1);
}

#[tokio::test]
async fn a_connection_may_be_held_to_amr_and_acr() {
    let strict = |settings: &mut crate::domain::single_sign_on::ConnectionSettings| {
        settings.required_amr = vec!["hwk".into()];
        settings.required_acr = vec!["gold".into()];
    };
    let realm = Realm::with(strict).await;
    realm.refuses(|_| (), "sso_too_weak").await;
    realm
        .refuses(|claims| claims["amr"] = json!(["pwd"]), "sso_too_weak")
        .await;
    realm
        .refuses(|claims| claims["acr"] = "silver".into(), "sso_too_weak")
        .await;
    for (claim, value, method) in [
        ("amr", json!(["hwk"]), "sso"),
        ("amr", json!(["hwk", "mfa"]), "sso_mfa"),
        ("acr", json!("gold"), "sso_mfa"),
    ] {
        let traveller = realm.travel(PATIENT).await;
        let mut claims = realm.claims(&traveller, PATIENT);
        claims[claim] = value;
        assert_eq!(realm.arrive(&traveller, &claims).await.location(), "/");
        assert_eq!(realm.clinic.last_audit().await.method.as_deref(), Some(method));
    }
}

#[tokio::test]
async fn a_fresh_sign_in_that_was_asked_for_has_to_be_confirmed() {
    use crate::web::testing::{app_request, changed, form};
    let realm = Realm::open().await;
    let now = realm.clinic.issuer.now();
    for (seconds_ago, is_fresh) in [
        (Some(0), true),
        (Some(29), true),
        (Some(60), false),
        (None, false),
    ] {
        let browser = realm.clinic.browser();
        let request = changed(app_request("openid"), &[("prompt", Some("login"))]);
        let start = browser
            .get(&format!("/oauth2/authorize?{}", form(&request)))
            .await;
        let sent = realm.typed(&browser, start.location(), PATIENT).await;
        let traveller = super::Traveller::of(browser, sent);
        let mut claims = realm.claims(&traveller, PATIENT);
        match seconds_ago {
            Some(seconds) => claims["auth_time"] = now.minus(seconds).seconds().into(),
            None => drop(claims.as_object_mut().unwrap().remove("auth_time")),
        }
        let answer = realm.arrive(&traveller, &claims).await;
        if is_fresh {
            let next = traveller.browser.get(answer.location()).await;
            assert!(next.location().starts_with("/consent"), "{next:?}");
        } else {
            realm.is_refused(
                &traveller,
                &answer,
                &realm.clinic.last_audit().await,
                "sso_not_fresh",
            );
        }
    }
}

#[tokio::test]
async fn a_recent_sign_in_that_a_page_wants_has_to_be_confirmed() {
    let realm = Realm::open().await;
    let page = "/login?next=account%2Ffactors";
    let limit = realm
        .clinic
        .issuer
        .state
        .config()
        .second_factor
        .reauthenticate_seconds;
    for seconds_ago in [Some(30 * 86_400), Some(limit + 60), None] {
        let traveller = realm.travel_from(page, PATIENT).await;
        let mut claims = realm.claims(&traveller, PATIENT);
        match seconds_ago {
            Some(seconds) => claims["auth_time"] = realm.clinic.issuer.now().minus(seconds).seconds().into(),
            None => drop(claims.as_object_mut().unwrap().remove("auth_time")),
        }
        let answer = realm.arrive(&traveller, &claims).await;
        assert_eq!(
            answer.status,
            StatusCode::FORBIDDEN,
            "no way back to the provider by itself"
        );
        assert!(
            answer.body.contains("did not confirm that yours is recent"),
            "{answer:?}"
        );
        let event = realm.clinic.last_audit().await;
        realm.is_refused(&traveller, &answer, &event, "sso_not_fresh");
    }
    let traveller = realm.travel_from(page, PATIENT).await;
    let mut claims = realm.claims(&traveller, PATIENT);
    claims["auth_time"] = realm.clinic.issuer.now().minus(limit - 60).seconds().into();
    let answer = realm.arrive(&traveller, &claims).await;
    assert_eq!(answer.location(), "/account/factors");
    let shown = traveller.browser.get(answer.location()).await;
    assert_eq!(shown.status, StatusCode::OK, "{shown:?}");
}
