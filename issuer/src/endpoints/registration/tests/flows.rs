//! What clients that registered themselves can do, and what people see of them.

use http::StatusCode;
use serde_json::{Value, json};
use wardgate_shared::jwt::SignatureAlgorithm;

use super::{app, changed, open, registered};
use crate::testing::{DocumentServer, Signer, key_set};
use crate::web::testing::{Answer, Clinic, PATIENT, basic, form};

fn text<'a>(document: &'a Value, member: &str) -> &'a str {
    document[member].as_str().unwrap()
}

/// The authorization request of a client, with these parameters beside.
async fn authorize(clinic: &Clinic, client: &Value, more: &[(&str, &str)]) -> Answer {
    let mut query = vec![
        ("response_type", "code"),
        ("client_id", text(client, "client_id")),
        ("scope", "openid"),
        ("state", "xyz123"),
    ];
    query.extend_from_slice(more);
    clinic
        .browser()
        .get(&format!("/oauth2/authorize?{}", form(&query)))
        .await
}

/// The code that a client gets at `redirect_uri`.
async fn code(clinic: &Clinic, client: &Value, redirect_uri: &str, scope: &str) -> Answer {
    let query = [
        ("response_type", "code"),
        ("client_id", text(client, "client_id")),
        ("scope", scope),
        ("state", "xyz123"),
        ("redirect_uri", redirect_uri),
    ];
    clinic.browser().authorize(&query, PATIENT).await
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Calls the token endpoint with an assertion.
async fn with_assertion(clinic: &Clinic, signer: &Signer, client: &Value, fields: &[(&str, &str)]) -> Answer {
    let assertion = signer.assertion(text(client, "client_id"), clinic.issuer.now());
    let mut fields = fields.to_vec();
    fields.extend([
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion.as_str()),
    ]);
    clinic.token(&fields).await
}

#[tokio::test]
async fn a_client_with_a_secret_gets_tokens_by_either_way_of_presenting_it() {
    let clinic = Clinic::with_config(open).await;
    let client = registered(&clinic, &app()).await;
    let (id, secret) = (text(&client, "client_id"), text(&client, "client_secret"));
    let redirect_uri = "https://dyn.example/cb";
    let fields = |code: String| {
        [
            ("grant_type", String::from("authorization_code")),
            ("code", code),
            ("redirect_uri", redirect_uri.into()),
        ]
    };
    let first = fields(
        code(&clinic, &client, redirect_uri, "openid")
            .await
            .sent("code")
            .unwrap(),
    );
    let first: Vec<_> = first
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let answer = clinic
        .browser()
        .post_with("/oauth2/token", &first, &[("authorization", &basic(id, secret))])
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let second = fields(
        code(&clinic, &client, redirect_uri, "openid")
            .await
            .sent("code")
            .unwrap(),
    );
    let mut second: Vec<_> = second
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    second.extend([("client_id", id), ("client_secret", secret)]);
    let answer = clinic.token(&second).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

#[tokio::test]
async fn a_client_must_use_pkce_unless_the_configuration_says_otherwise() {
    let clinic = Clinic::with_config(|config| {
        open(config);
        config.registration.require_pkce = true;
    })
    .await;
    let client = registered(&clinic, &app()).await;
    let answer = authorize(&clinic, &client, &[("redirect_uri", "https://dyn.example/cb")]).await;
    answer.is_error_redirect("https://dyn.example/cb", "invalid_request", Some("xyz123"));
}

// OIDC-22
#[tokio::test]
async fn a_query_that_is_not_the_registered_one_gets_a_page() {
    let clinic = Clinic::with_config(open).await;
    let plain = registered(&clinic, &app()).await;
    let answer = authorize(
        &clinic,
        &plain,
        &[("redirect_uri", "https://dyn.example/cb?foo=bar")],
    )
    .await;
    answer.is_error_page(StatusCode::BAD_REQUEST);
    let with_query = changed(
        app(),
        json!({ "redirect_uris": ["https://dyn.example/cb?bar=foo"] }),
    );
    let client = registered(&clinic, &with_query).await;
    for other in [
        "https://dyn.example/cb",
        "https://dyn.example/cb?bar=bar",
        "https://dyn.example/cb?bar=foo&a=b",
    ] {
        let answer = authorize(&clinic, &client, &[("redirect_uri", other)]).await;
        answer.is_error_page(StatusCode::BAD_REQUEST);
    }
}

// OIDC-23
#[tokio::test]
async fn a_registered_query_survives_beside_the_answer() {
    let clinic = Clinic::with_config(open).await;
    let uri = "https://dyn.example/cb?dummy1=lorem&dummy2=ipsum";
    let client = registered(&clinic, &changed(app(), json!({ "redirect_uris": [uri] }))).await;
    let answer = code(&clinic, &client, uri, "openid").await;
    assert!(answer.location().starts_with(&format!("{uri}&")), "{answer:?}");
    assert!(answer.sent("code").is_some());
    assert_eq!(answer.sent("state").as_deref(), Some("xyz123"));
    assert_eq!(answer.sent("dummy1").as_deref(), Some("lorem"));
}

// OIDC-24
#[tokio::test]
async fn of_two_redirect_uris_the_request_must_name_one() {
    let clinic = Clinic::with_config(open).await;
    let two = json!({ "redirect_uris": ["https://dyn.example/cb", "https://dyn.example/cb2"] });
    let client = registered(&clinic, &changed(app(), two)).await;
    authorize(&clinic, &client, &[])
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
}

// SMART-16
#[tokio::test]
async fn an_app_on_this_machine_registers_its_uri_whole_and_it_is_compared_exactly() {
    let clinic = Clinic::with_config(open).await;
    let uri = "http://localhost:4567/custom/smart/redirect";
    let launch = "http://localhost:4567/custom/smart/launch";
    let members = json!({ "redirect_uris": [uri], "launch_uri": launch });
    let client = registered(&clinic, &changed(app(), members)).await;
    assert_eq!(client["application_type"], "native");
    assert_eq!(client["launch_uri"], launch);
    assert!(code(&clinic, &client, uri, "openid").await.sent("code").is_some());
    for other in [
        "http://localhost:4567/custom/smart",
        "http://localhost:4568/custom/smart/redirect",
    ] {
        let answer = authorize(&clinic, &client, &[("redirect_uri", other)]).await;
        answer.is_error_page(StatusCode::BAD_REQUEST);
    }
}

// OIDC-85, OIDC-87
#[tokio::test]
async fn keys_at_a_url_are_fetched_and_a_rotated_one_works() {
    let clinic = Clinic::with_config(open).await;
    let server = DocumentServer::start().await;
    let (old, new) = (
        Signer::new(SignatureAlgorithm::RS256, Some("old")),
        Signer::new(SignatureAlgorithm::RS256, Some("new")),
    );
    server.answer(200, &[], key_set(&[&old]).to_json().to_string());
    let members = json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "RS256",
        "jwks_uri": server.url,
        "grant_types": ["authorization_code", "refresh_token"],
    });
    let client = registered(&clinic, &changed(app(), members)).await;
    assert_eq!(client["jwks_uri"], server.url);
    assert!(client.get("client_secret").is_none());
    let redirect_uri = "https://dyn.example/cb";
    let answer = code(&clinic, &client, redirect_uri, "openid offline_access").await;
    let code = answer.sent("code").unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", redirect_uri),
    ];
    let answer = with_assertion(&clinic, &old, &client, &fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let tokens = answer.json();

    server.answer(200, &[], key_set(&[&new]).to_json().to_string());
    clinic.issuer.advance(60);
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", text(&tokens, "refresh_token")),
    ];
    let answer = with_assertion(&clinic, &new, &client, &fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

// OIDC-84
#[tokio::test]
async fn people_see_logo_and_terms_of_a_client_and_that_nobody_vouches_for_them() {
    let clinic = Clinic::with_config(open).await;
    let members = json!({
        "logo_uri": "https://cdn.example/logo.png",
        "policy_uri": "https://dyn.example/policy",
        "tos_uri": "https://dyn.example/terms",
        "contacts": ["ops@dyn.example"],
    });
    let client = registered(&clinic, &changed(app(), members)).await;
    let browser = clinic.browser();
    let query = [
        ("response_type", "code"),
        ("client_id", text(&client, "client_id")),
        ("scope", "openid"),
        ("redirect_uri", "https://dyn.example/cb"),
    ];
    let answer = browser.get(&format!("/oauth2/authorize?{}", form(&query))).await;
    let login = String::from(answer.location());
    let sign_in = browser.get(&login).await;
    let answer = browser
        .sign_in(&login, PATIENT, crate::web::testing::PASSWORD)
        .await;
    let answer = browser.get(answer.location()).await;
    let consent = browser.get(answer.location()).await;
    for page in [sign_in, consent] {
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        for shown in [
            r#"<img class="logo" src="https://cdn.example/logo.png" alt="Logo of Dyn" referrerpolicy="no-referrer""#,
            r#"<a href="https://dyn.example/policy""#,
            r#"<a href="https://dyn.example/terms""#,
            "This app registered itself",
        ] {
            assert!(page.body.contains(shown), "{shown}: {page:?}");
        }
        assert!(!page.body.contains("ops@dyn.example"));
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            policy.contains("; img-src https://cdn.example; form-action "),
            "{policy}"
        );
    }
}

#[tokio::test]
async fn a_client_of_the_operator_without_logo_lets_no_picture_be_loaded() {
    let clinic = Clinic::open().await;
    let query = crate::web::testing::app_request("openid");
    let answer = clinic
        .browser()
        .get(&format!("/oauth2/authorize?{}", form(&query)))
        .await;
    let page = clinic.browser().get(answer.location()).await;
    assert!(
        !page
            .header("content-security-policy")
            .unwrap()
            .contains("img-src")
    );
    assert!(!page.body.contains("<img") && !page.body.contains("registered itself"));
}

#[tokio::test]
async fn a_client_that_had_a_token_is_not_deleted_for_want_of_use() {
    let clinic = Clinic::with_config(|config| {
        open(config);
        config.registration.unused_limit = 1;
    })
    .await;
    let client = registered(&clinic, &app()).await;
    let redirect_uri = "https://dyn.example/cb";
    let code = code(&clinic, &client, redirect_uri, "openid")
        .await
        .sent("code")
        .unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", redirect_uri),
        ("client_id", text(&client, "client_id")),
        ("client_secret", text(&client, "client_secret")),
    ];
    assert_eq!(clinic.token(&fields).await.status, StatusCode::OK);
    // It is in use, so there is room for the next one.
    let unused = registered(&clinic, &app()).await;
    clinic
        .issuer
        .advance(clinic.issuer.state.config().registration.unused_seconds);
    let store = clinic.issuer.store();
    store.purge_expired(clinic.issuer.now()).await.unwrap();
    assert!(store.client(text(&client, "client_id")).await.unwrap().is_some());
    assert!(store.client(text(&unused, "client_id")).await.unwrap().is_none());
}
