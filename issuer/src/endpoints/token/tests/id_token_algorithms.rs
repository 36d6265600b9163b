//! What ID tokens are signed with, and that each of them is taken back as a hint.

use http::StatusCode;
use wardgate_shared::claims::access_token_hash;
use wardgate_shared::jwt::{SignatureAlgorithm, UnverifiedJwt};

use crate::keys::ID_TOKEN_ALGORITHMS;
use crate::web::testing::{Clinic, PATIENT, WEB, WEB_REDIRECT, WEB_SIGNED_OUT, changed, form, web_request};

fn algorithm(token: &serde_json::Value) -> SignatureAlgorithm {
    UnverifiedJwt::parse(token.as_str().unwrap(), 8192)
        .unwrap()
        .algorithm()
}

// OIDC-03, OIDC-63
#[tokio::test]
async fn an_id_token_is_signed_as_its_client_registered_it_and_taken_back_as_a_hint() {
    for registered in ID_TOKEN_ALGORITHMS {
        let clinic = Clinic::with_web_client(|client| {
            client.metadata.id_token_signed_response_alg = Some(registered);
        })
        .await;
        let browser = clinic.browser();
        let code = browser
            .authorize(&web_request("openid"), PATIENT)
            .await
            .sent("code")
            .unwrap();
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", WEB_REDIRECT),
            ("client_id", WEB),
            ("client_secret", &*clinic.web_secret),
        ];
        let tokens = clinic.token(&fields).await.json();
        let id_token = &tokens["id_token"];
        assert_eq!(algorithm(id_token), registered);
        assert_eq!(algorithm(&tokens["access_token"]), SignatureAlgorithm::ES256);
        let claims = clinic.id_claims(id_token, WEB).await.into_claims();
        let hash = access_token_hash(registered, tokens["access_token"].as_str().unwrap());
        assert_eq!(claims.access_token_hash, Some(hash));

        let jwks = clinic.browser().get("/.well-known/jwks.json").await.json();
        let header = UnverifiedJwt::parse(id_token.as_str().unwrap(), 8192).unwrap();
        let key_id = header.key_id().unwrap();
        let published = jwks["keys"].as_array().unwrap().iter();
        let keys: Vec<_> = published.filter(|key| key["kid"] == key_id).collect();
        assert_eq!(keys.len(), 1);
        assert_eq!(
            (&keys[0]["alg"], &keys[0]["use"]),
            (&registered.name().into(), &"sig".into())
        );

        let hint = id_token.as_str().unwrap();
        let again = changed(
            web_request("openid"),
            &[("id_token_hint", Some(hint)), ("prompt", Some("none"))],
        );
        let answer = browser.get(&format!("/oauth2/authorize?{}", form(&again))).await;
        assert!(answer.sent("code").is_some(), "{registered}: {answer:?}");
        let logout = [
            ("id_token_hint", hint),
            ("post_logout_redirect_uri", WEB_SIGNED_OUT),
        ];
        let answer = browser.get(&format!("/oauth2/logout?{}", form(&logout))).await;
        assert_eq!(answer.location(), WEB_SIGNED_OUT, "{registered}");
    }
}

#[tokio::test]
async fn an_access_token_is_no_hint_whatever_it_is_signed_with() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens("openid", PATIENT).await;
    let hint = tokens["access_token"].as_str().unwrap();
    let answer = clinic
        .browser()
        .get(&format!("/oauth2/logout?{}", form(&[("id_token_hint", hint)])))
        .await;
    answer.is_error_page(StatusCode::BAD_REQUEST);
}
