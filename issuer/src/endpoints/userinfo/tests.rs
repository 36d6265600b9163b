use axum::body::Body;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use wardgate_shared::jwt::{SignatureAlgorithm, UnverifiedJwt};

use crate::domain::client::{ClientAuthentication, GrantType};
use crate::domain::digest::SecretDigest;
use crate::testing::{ISSUER, client, full_profile};
use crate::web::testing::{
    APP, Answer, Browser, Clinic, PATIENT, PHYSICIAN, SERVICE, VERIFIER, app_request, changed, form,
};

const PATH: &str = "/oauth2/userinfo";

fn bearer(tokens: &Value) -> String {
    format!("Bearer {}", tokens["access_token"].as_str().unwrap())
}

async fn call(clinic: &Clinic, method: Method, authorizations: &[&str]) -> Answer {
    let request = authorizations
        .iter()
        .fold(Browser::request(method, PATH), |request, value| {
            request.header("authorization", *value)
        });
    clinic.browser().send(request.body(Body::empty()).unwrap()).await
}

// OIDC-68
#[tokio::test]
async fn answers_get_and_post_with_the_header_and_post_with_the_form() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens("openid", PATIENT).await;
    let subject = clinic
        .id_claims(&tokens["id_token"], APP)
        .await
        .into_claims()
        .subject;
    let fields = [("access_token", tokens["access_token"].as_str().unwrap())];
    for answer in [
        call(&clinic, Method::GET, &[&bearer(&tokens)]).await,
        call(&clinic, Method::POST, &[&bearer(&tokens)]).await,
        clinic
            .browser()
            .post_with(PATH, &[], &[("authorization", &bearer(&tokens))])
            .await,
        clinic.browser().post(PATH, &fields).await,
    ] {
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(answer.json(), json!({"sub": subject}));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

// OIDC-66, OIDC-69
#[tokio::test]
async fn scopes_open_what_the_account_holds_here_and_not_in_the_id_token() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens("openid profile email fhirUser", PHYSICIAN).await;
    assert_eq!(tokens["scope"], "openid profile email fhirUser");
    let id = clinic.id_claims(&tokens["id_token"], APP).await.into_claims();
    let answer = call(&clinic, Method::GET, &[&bearer(&tokens)]).await;
    assert_eq!(
        answer.json(),
        json!({
            "sub": id.subject,
            "name": "Ada Physician",
            "email": PHYSICIAN,
            "email_verified": false,
            "fhirUser": "https://api.example.org/fhir/Practitioner/prac-1",
        })
    );
    let claims = serde_json::to_value(&id).unwrap();
    for absent in ["name", "email", "email_verified"] {
        assert!(claims.get(absent).is_none(), "{absent}");
    }
    let tokens = clinic.tokens("openid email", PATIENT).await;
    let told = call(&clinic, Method::GET, &[&bearer(&tokens)]).await.json();
    assert_eq!((&told["email"], told.get("name")), (&json!(PATIENT), None));
}

// OIDC-69
#[tokio::test]
async fn each_scope_opens_its_claims_and_all_together_all_of_them() {
    let clinic = Clinic::open().await;
    let mut profile = full_profile();
    let members = profile.as_object_mut().unwrap();
    members.insert("name".into(), json!("Pat Patient"));
    members.insert("email".into(), json!(PATIENT));
    let (email, phone) = (
        &["email", "email_verified"][..],
        &["phone_number", "phone_number_verified"][..],
    );
    let others: Vec<&str> = [email, phone, &["address"]].concat();
    let own: Vec<&str> = profile
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .filter(|name| !others.contains(name))
        .collect();
    assert_eq!(own.len(), 14);
    let all: Vec<&str> = [&own[..], &others].concat();
    for (scope, names) in [
        ("openid profile", &own[..]),
        ("openid email", email),
        ("openid phone", phone),
        ("openid address", &["address"]),
        ("openid profile email address phone", &all),
    ] {
        let tokens = clinic.tokens(scope, PATIENT).await;
        assert_eq!(tokens["scope"], scope);
        let mut told = call(&clinic, Method::GET, &[&bearer(&tokens)]).await.json();
        let told = told.as_object_mut().unwrap();
        let id = clinic.id_claims(&tokens["id_token"], APP).await.into_claims();
        assert_eq!(told.remove("sub"), Some(json!(id.subject)));
        let expected: serde_json::Map<_, _> = names
            .iter()
            .map(|name| ((*name).into(), profile[*name].clone()))
            .collect();
        assert_eq!(*told, expected, "{scope}");
        // OIDC-66
        assert!(id.asked.is_empty(), "{scope}");
    }
}

#[tokio::test]
async fn nothing_is_told_that_is_not_known() {
    let clinic = Clinic::open().await;
    let tokens = clinic
        .tokens("openid profile email address phone", PHYSICIAN)
        .await;
    let mut told = call(&clinic, Method::GET, &[&bearer(&tokens)]).await.json();
    told.as_object_mut().unwrap().remove("sub");
    let known = json!({"name": "Ada Physician", "email": PHYSICIAN, "email_verified": false});
    assert_eq!(told, known);
}

// OIDC-88
#[tokio::test]
async fn a_client_that_registered_it_gets_a_signed_answer() {
    let clinic = Clinic::open().await;
    let grants = [GrantType::AuthorizationCode];
    let redirect = "https://signed.example/cb";
    let mut registered = client(
        "signed",
        ClientAuthentication::Public,
        &grants,
        &[redirect],
        "openid email",
    );
    registered.metadata.userinfo_signed_response_alg = Some(SignatureAlgorithm::RS256);
    clinic.issuer.add_client(registered).await;
    let changes = [
        ("client_id", Some("signed")),
        ("redirect_uri", Some(redirect)),
        ("nonce", Some("n-1")),
    ];
    let answer = clinic
        .browser()
        .authorize(&changed(app_request("openid email"), &changes), PATIENT)
        .await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*answer.sent("code").unwrap()),
        ("redirect_uri", redirect),
        ("client_id", "signed"),
        ("code_verifier", VERIFIER),
    ];
    let tokens = clinic.token(&fields).await.json();
    let answer = call(&clinic, Method::GET, &[&bearer(&tokens)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/jwt"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let unverified = UnverifiedJwt::parse(&answer.body, 8192).unwrap();
    assert_eq!(unverified.algorithm(), SignatureAlgorithm::RS256);
    let told: Value = clinic.user_info_claims(&answer.body, "signed").await;
    let id = clinic
        .id_claims(&tokens["id_token"], "signed")
        .await
        .into_claims();
    let expected = json!({
        "iss": ISSUER,
        "aud": ["signed"],
        "sub": id.subject,
        "email": PATIENT,
        "email_verified": true,
    });
    assert_eq!(told, expected);
    // It is no ID token, and cannot stand for one.
    let hint = changed(
        app_request("openid"),
        &[changes[0], changes[1], ("id_token_hint", Some(&answer.body))],
    );
    let answer = clinic
        .browser()
        .get(&format!("/oauth2/authorize?{}", form(&hint)))
        .await;
    answer.is_error_redirect(redirect, "invalid_request", Some("xyz123"));
}

#[tokio::test]
async fn without_a_token_the_challenge_names_no_error() {
    let clinic = Clinic::open().await;
    for method in [Method::GET, Method::POST] {
        let answer = call(&clinic, method, &[]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(
            answer.header("www-authenticate"),
            Some(r#"Bearer realm="wardgate""#)
        );
        assert_eq!(answer.body, "");
    }
    // A token in the query is none.
    let tokens = clinic.tokens("openid", PATIENT).await;
    let token = tokens["access_token"].as_str().unwrap();
    let answer = clinic
        .browser()
        .get(&format!("{PATH}?access_token={token}"))
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_that_is_not_good_is_refused() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens("openid offline_access", PATIENT).await;
    let id_token = format!("Bearer {}", tokens["id_token"].as_str().unwrap());
    let refresh_token = format!("Bearer {}", tokens["refresh_token"].as_str().unwrap());
    let invalid = |answer: Answer| {
        answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_token");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with(r#"Bearer realm="wardgate", error="invalid_token""#));
    };
    for authorization in ["Bearer x", &id_token, &refresh_token] {
        invalid(call(&clinic, Method::GET, &[authorization]).await);
    }
    let fields = [
        ("token", tokens["access_token"].as_str().unwrap()),
        ("client_id", APP),
    ];
    clinic.browser().post("/oauth2/revoke", &fields).await;
    invalid(call(&clinic, Method::GET, &[&bearer(&tokens)]).await);
    let tokens = clinic.tokens("openid", PATIENT).await;
    clinic.issuer.advance(3600);
    invalid(call(&clinic, Method::GET, &[&bearer(&tokens)]).await);
}

#[tokio::test]
async fn two_tokens_or_another_scheme_are_refused() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens("openid", PATIENT).await;
    let header = bearer(&tokens);
    let token = tokens["access_token"].as_str().unwrap();
    let refused = |answer: Answer| {
        answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.contains(r#"error="invalid_request""#));
    };
    refused(call(&clinic, Method::GET, &[&header, &header]).await);
    refused(call(&clinic, Method::GET, &["Basic eDp5"]).await);
    refused(call(&clinic, Method::GET, &["Bearer"]).await);
    let fields = [("access_token", token)];
    let with_header = [("authorization", &*header)];
    refused(clinic.browser().post_with(PATH, &fields, &with_header).await);
    let fields = [("access_token", token), ("access_token", token)];
    refused(clinic.browser().post(PATH, &fields).await);
}

#[tokio::test]
async fn a_token_without_openid_has_too_little_scope() {
    let clinic = Clinic::open().await;
    let refused = |answer: Answer| {
        answer.is_oauth_error(StatusCode::FORBIDDEN, "insufficient_scope");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.contains(r#"scope="openid""#));
    };
    let tokens = clinic.tokens("patient/*.read", PATIENT).await;
    refused(call(&clinic, Method::GET, &[&bearer(&tokens)]).await);
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", SERVICE),
        ("client_secret", &*clinic.service_secret),
    ];
    let tokens = clinic.token(&fields).await.json();
    refused(call(&clinic, Method::GET, &[&bearer(&tokens)]).await);
}

#[tokio::test]
async fn other_methods_are_refused_in_the_form_of_the_endpoint() {
    let clinic = Clinic::open().await;
    let answer = call(&clinic, Method::PUT, &[]).await;
    answer.is_oauth_error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request");
}

#[tokio::test]
async fn what_a_client_asked_for_by_name_is_told_to_no_other_that_exchanged_its_token() {
    let clinic = Clinic::open().await;
    let secret = ClientAuthentication::Secret(SecretDigest::of("agent-secret"));
    let agent = client("agent", secret, &[GrantType::TokenExchange], &[], "openid email");
    clinic.issuer.add_client(agent).await;
    let claims = r#"{"userinfo":{"name":null}}"#;
    let request = changed(app_request("openid email"), &[("claims", Some(claims))]);
    let answer = clinic.browser().authorize(&request, PHYSICIAN).await;
    let tokens = clinic.redeem(&answer.sent("code").unwrap()).await.json();
    let told = call(&clinic, Method::GET, &[&bearer(&tokens)]).await.json();
    assert_eq!(told["name"], "Ada Physician");
    let exchanged = clinic
        .token(&[
            ("grant_type", GrantType::TokenExchange.as_str()),
            ("subject_token", tokens["access_token"].as_str().unwrap()),
            (
                "subject_token_type",
                "urn:ietf:params:oauth:token-type:access_token",
            ),
            ("client_id", "agent"),
            ("client_secret", "agent-secret"),
        ])
        .await;
    assert_eq!(exchanged.status, StatusCode::OK, "{exchanged:?}");
    let told = call(&clinic, Method::GET, &[&bearer(&exchanged.json())]).await;
    let told = told.json();
    assert_eq!((&told["email"], told.get("name")), (&json!(PHYSICIAN), None));
}
