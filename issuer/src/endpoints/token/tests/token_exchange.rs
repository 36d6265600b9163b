//! ID tokens of a trusted issuer become access tokens.

use base64ct::{Base64UrlUnpadded, Encoding};
use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use wardgate_shared::jwt::SignatureAlgorithm;

use axum::body::Body;

use super::partner::{
    ACCESS_TOKEN, AGENT, EXCHANGE, ID_TOKEN, OUR_ID_THERE, Partner, SCOPE, SECOND_RESOURCE, SEED_AUDIENCE,
    ZUS,
};
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::client::{ClientAuthentication, GrantType, SecurityProfile};
use crate::domain::role::BUILDER_ADMIN;
use crate::domain::user::User;
use crate::testing::{AUDIENCE, ISSUER, START, Signer, client, key_set, user};
use crate::web::testing::{APP, Browser, PATIENT, PHYSICIAN};

#[tokio::test]
async fn an_id_token_of_a_trusted_issuer_becomes_an_access_token() {
    let partner = Partner::open().await;
    let answer = partner.exchange(&partner.id_token(PHYSICIAN), &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(body["issued_token_type"], ACCESS_TOKEN);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 3600);
    assert_eq!(body["scope"], "openid profile email fhirUser user/*.rs");
    assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none());
    let clinic = &partner.clinic;
    let physician = clinic
        .issuer
        .store()
        .user_by_email(PHYSICIAN)
        .await
        .unwrap()
        .unwrap();
    let claims = clinic.access_claims(&body["access_token"]).await.into_claims();
    assert_eq!(claims.subject, physician.id);
    assert_eq!(claims.client_id, ZUS);
    assert_eq!(claims.audiences.iter().collect::<Vec<_>>(), [AUDIENCE]);
    assert_eq!(claims.authenticated_at, Some(START.minus(60)));
    assert!(claims.authentication_methods.is_empty() && claims.actor.is_none());
    assert!(clinic.is_live(&body["access_token"]).await);
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome),
        (AuditAction::TokenRequest, AuditOutcome::Success)
    );
    assert_eq!(event.user_id.as_deref(), Some(physician.id.as_str()));
    assert_eq!(event.client_id.as_deref(), Some(ZUS));
    assert_eq!(event.method.as_deref(), Some(EXCHANGE));
}

#[tokio::test]
async fn a_patient_comes_with_their_own_record() {
    let partner = Partner::open().await;
    let answer = partner.exchange(&partner.id_token(PATIENT), &[]).await.json();
    assert_eq!(answer["patient"], "7");
    let scope = answer["scope"].as_str().unwrap();
    assert!(
        scope.contains("launch/patient") && scope.contains("patient/*.rs"),
        "{scope}"
    );
    let claims = partner
        .clinic
        .access_claims(&answer["access_token"])
        .await
        .into_claims();
    assert_eq!(claims.launch_context.patient_id.as_deref(), Some("7"));
}

#[tokio::test]
async fn scope_and_resource_are_those_of_the_request() {
    let partner = Partner::open().await;
    let more = [
        ("scope", "user/Patient.r system/*.rs"),
        ("resource", SECOND_RESOURCE),
    ];
    let answer = partner.exchange(&partner.id_token(PHYSICIAN), &more).await.json();
    assert_eq!(answer["scope"], "user/Patient.r");
    let id_token = partner.id_token(PHYSICIAN);
    let refused = partner
        .exchange(&id_token, &[("audience", "https://elsewhere.example")])
        .await;
    partner
        .is_refused(&refused, "invalid_target", "invalid_target")
        .await;
    let refused = partner.exchange(&id_token, &[("scope", "system/*.rs")]).await;
    partner
        .is_refused(&refused, "invalid_scope", "invalid_scope")
        .await;
    let refused = partner.exchange(&id_token, &[("scope", "a  b")]).await;
    partner
        .is_refused(&refused, "invalid_scope", "malformed_scope")
        .await;
}

#[tokio::test]
async fn a_refresh_token_comes_when_offline_access_is_asked_for_by_name() {
    let partner = Partner::open().await;
    let id_token = partner.id_token(PHYSICIAN);
    let online = partner
        .exchange(&id_token, &[("scope", "user/*.rs online_access")])
        .await
        .json();
    assert_eq!(online["scope"], "user/*.rs");
    assert!(online.get("refresh_token").is_none());
    let offline = partner
        .exchange(&id_token, &[("scope", "user/*.rs offline_access")])
        .await
        .json();
    let refreshed = partner
        .clinic
        .token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", offline["refresh_token"].as_str().unwrap()),
            ("client_id", ZUS),
        ])
        .await;
    assert_eq!(refreshed.status, StatusCode::OK, "{refreshed:?}");
    assert!(partner.clinic.is_live(&refreshed.json()["access_token"]).await);
}

/// The body of the seed's examples, in the order in which they name its members.
fn seed_members(id_token: &str) -> [(&'static str, String); 5] {
    [
        ("grant_type", EXCHANGE.into()),
        ("audience", SEED_AUDIENCE.into()),
        ("requested_token_type", ACCESS_TOKEN.into()),
        ("subject_token", id_token.into()),
        ("subject_token_type", ID_TOKEN.into()),
    ]
}

#[tokio::test]
async fn what_the_seeds_python_example_sends_is_answered() {
    let partner = Partner::open().await;
    // json.dumps puts a space after every comma and colon.
    let members: Vec<String> = seed_members(&partner.id_token(PHYSICIAN))
        .iter()
        .map(|(name, value)| format!("\"{name}\": \"{value}\""))
        .collect();
    let headers = [
        ("user-agent", "python-requests/2.32.3"),
        ("accept-encoding", "gzip, deflate"),
        ("accept", "*/*"),
        ("content-type", "application/json"),
    ];
    let answer = partner
        .send(&headers, format!("{{{}}}", members.join(", ")))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let body = answer.json();
    assert_eq!(body["issued_token_type"], ACCESS_TOKEN);
    let claims = partner
        .clinic
        .access_claims(&body["access_token"])
        .await
        .into_claims();
    assert_eq!(claims.client_id, ZUS, "the issuer says for which client");
    assert_eq!(claims.audiences.iter().collect::<Vec<_>>(), [AUDIENCE]);
}

#[tokio::test]
async fn what_the_seeds_javascript_example_sends_is_answered() {
    let partner = Partner::open().await;
    let browser = partner.clinic.browser();
    let preflight = Browser::request(Method::OPTIONS, "/auth/token")
        .header("origin", "https://zus.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    let preflight = browser.send(preflight.body(Body::empty()).unwrap()).await;
    assert_eq!(
        preflight.header("access-control-allow-origin"),
        Some("https://zus.example")
    );
    assert!(
        preflight
            .header("access-control-allow-headers")
            .unwrap()
            .contains("content-type")
    );
    // JSON.stringify puts no spaces.
    let members: Vec<String> = seed_members(&partner.id_token(PHYSICIAN))
        .iter()
        .map(|(name, value)| format!("\"{name}\":\"{value}\""))
        .collect();
    let headers = [
        ("origin", "https://zus.example"),
        ("accept", "application/json"),
        ("content-type", "application/json"),
    ];
    let answer = partner.send(&headers, format!("{{{}}}", members.join(","))).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://zus.example")
    );
    assert!(partner.clinic.is_live(&answer.json()["access_token"]).await);
}

#[tokio::test]
async fn an_id_token_may_come_again_for_some_minutes_and_no_longer() {
    let partner = Partner::open().await;
    let id_token = partner.id_token(PHYSICIAN);
    for _ in 0..2 {
        assert_eq!(partner.exchange(&id_token, &[]).await.status, StatusCode::OK);
    }
    partner.clinic.issuer.advance(330);
    assert_eq!(partner.exchange(&id_token, &[]).await.status, StatusCode::OK);
    partner.clinic.issuer.advance(1);
    let answer = partner.exchange(&id_token, &[]).await;
    partner
        .is_refused(&answer, "invalid_grant", "foreign_token_too_old")
        .await;
}

#[tokio::test]
async fn every_claim_of_an_id_token_must_be_right() {
    let partner = Partner::open().await;
    let now = START.seconds();
    for (changes, reason) in [
        (
            json!({ "iss": "https://idp.example" }),
            "foreign_issuer_not_trusted",
        ),
        (json!({ "iss": ISSUER }), "foreign_issuer_not_trusted"),
        (
            json!({ "iss": format!("{}/", partner.provider.issuer) }),
            "foreign_issuer_not_trusted",
        ),
        (json!({ "iss": 5 }), "malformed_foreign_token"),
        (json!({ "iss": null }), "malformed_foreign_token"),
        (json!({ "aud": "somebody-else" }), "foreign_token_audience"),
        (json!({ "aud": ISSUER }), "foreign_token_audience"),
        (json!({ "aud": [] }), "foreign_token_audience"),
        (json!({ "aud": null }), "malformed_foreign_token"),
        (
            json!({ "aud": [OUR_ID_THERE, "other"], "azp": "other" }),
            "foreign_token_authorized_party",
        ),
        (
            json!({ "aud": [OUR_ID_THERE, "other"] }),
            "foreign_token_authorized_party",
        ),
        (json!({ "exp": now - 31 }), "foreign_token_times"),
        (json!({ "exp": null }), "foreign_token_times"),
        (json!({ "nbf": now + 31 }), "foreign_token_times"),
        (json!({ "iat": now + 31 }), "foreign_token_times"),
        (json!({ "iat": null }), "foreign_token_times"),
        (json!({ "iat": now - 331 }), "foreign_token_too_old"),
        (json!({ "email": null }), "foreign_token_without_email"),
        (json!({ "email": "ada" }), "foreign_token_without_email"),
        (
            json!({ "email": "ad\u{e4}@example.org" }),
            "foreign_token_without_email",
        ),
        (json!({ "email": 5 }), "malformed_foreign_token"),
        (json!({ "email_verified": false }), "foreign_email_not_verified"),
        (json!({ "email_verified": null }), "foreign_email_not_verified"),
        (json!({ "email_verified": "false" }), "foreign_email_not_verified"),
        (json!({ "email_verified": 1 }), "foreign_email_not_verified"),
        (json!({ "email": "nobody@example.org" }), "no_account"),
    ] {
        let mut claims = partner.claims(PHYSICIAN);
        let members = claims.as_object_mut().unwrap();
        for (name, value) in changes.as_object().unwrap() {
            // `null` takes a member away.
            members.remove(name);
            if !value.is_null() {
                members.insert(name.clone(), value.clone());
            }
        }
        let answer = partner.exchange(&partner.provider.sign(&claims), &[]).await;
        partner.is_refused(&answer, "invalid_grant", reason).await;
    }
    for changes in [
        json!({ "aud": ["other", "second-id"], "azp": "second-id" }),
        json!({ "aud": [OUR_ID_THERE, "second-id"] }),
        json!({ "email": " ADA@Example.ORG " }),
        json!({ "email_verified": "true" }),
        json!({ "auth_time": "soon" }),
    ] {
        let mut claims = partner.claims(PHYSICIAN);
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let answer = partner.exchange(&partner.provider.sign(&claims), &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{changes}: {answer:?}");
    }
}

fn encoded(part: &Value) -> String {
    Base64UrlUnpadded::encode_string(part.to_string().as_bytes())
}

#[tokio::test]
async fn a_signature_of_the_issuer_itself_is_needed() {
    let partner = Partner::open().await;
    let claims = partner.claims(PHYSICIAN);
    let good = partner.provider.sign(&claims);
    let stranger = Signer::new(SignatureAlgorithm::ES256, Some("idp-1"));
    let unknown = Signer::new(SignatureAlgorithm::ES256, Some("idp-2"));
    let with_header = |changes: Value| {
        let mut header = partner.provider.signer.header();
        for (name, value) in changes.as_object().unwrap() {
            header[name] = value.clone();
        }
        partner.provider.signer.sign(&header, &claims)
    };
    let (head, _) = good.rsplit_once('.').unwrap();
    for (token, reason) in [
        (format!("{head}.{}", "A".repeat(86)), "foreign_token_signature"),
        (
            stranger.sign(&stranger.header(), &claims),
            "foreign_token_signature",
        ),
        (unknown.sign(&unknown.header(), &claims), "foreign_key_unknown"),
        (with_header(json!({ "alg": "HS256" })), "malformed_foreign_token"),
        (with_header(json!({ "alg": "EdDSA" })), "foreign_key_unknown"),
        (with_header(json!({ "typ": "at+jwt" })), "foreign_token_type"),
        (with_header(json!({ "typ": "logout+jwt" })), "foreign_token_type"),
        (with_header(json!({ "crit": ["x"] })), "malformed_foreign_token"),
        (String::from("not.a.token"), "malformed_foreign_token"),
        (String::from("x"), "malformed_foreign_token"),
        ("a".repeat(9000), "malformed_foreign_token"),
    ] {
        let answer = partner.exchange(&token, &[]).await;
        partner.is_refused(&answer, "invalid_grant", reason).await;
    }
    assert_eq!(partner.exchange(&good, &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_unsigned_token_is_refused() {
    let partner = Partner::open().await;
    let claims = partner.claims(PHYSICIAN);
    let unsigned = format!("{}.{}.", encoded(&json!({ "alg": "none" })), encoded(&claims));
    let answer = partner.exchange(&unsigned, &[]).await;
    partner
        .is_refused(&answer, "invalid_grant", "malformed_foreign_token")
        .await;
    let good = partner.provider.sign(&claims);
    let (head, _) = good.rsplit_once('.').unwrap();
    let answer = partner.exchange(&format!("{head}."), &[]).await;
    partner
        .is_refused(&answer, "invalid_grant", "foreign_token_signature")
        .await;
}

#[tokio::test]
async fn nothing_is_told_of_accounts() {
    let partner = Partner::with(|trusted| trusted.email_domains = vec!["example.org".into()]).await;
    let former = User {
        deactivated_at: Some(START),
        ..user("former@example.org")
    };
    partner.clinic.issuer.insert_user(former).await;
    partner
        .clinic
        .issuer
        .insert_user(user("ada@elsewhere.example"))
        .await;
    let mut descriptions = Vec::new();
    for (email, reason) in [
        ("nobody@example.org", "no_account"),
        ("former@example.org", "account_deactivated"),
        ("ada@elsewhere.example", "foreign_email_domain"),
        ("nobody@elsewhere.example", "foreign_email_domain"),
    ] {
        let answer = partner.exchange(&partner.id_token(email), &[]).await;
        descriptions.push(partner.is_refused(&answer, "invalid_grant", reason).await);
    }
    descriptions.dedup();
    assert_eq!(descriptions.len(), 1, "{descriptions:?}");
    let answer = partner.exchange(&partner.id_token(PHYSICIAN), &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

#[tokio::test]
async fn an_issuer_that_cannot_be_asked_decides_nothing() {
    type Change = fn(&Partner);
    let changes: [(Change, &str); 9] = [
        (
            |partner| partner.provider.discovery(500, &[], ""),
            "foreign_issuer_not_discovered",
        ),
        (
            |partner| {
                let document =
                    json!({ "issuer": "https://idp.example", "jwks_uri": partner.provider.issuer });
                partner.provider.discovery(200, &[], &document.to_string());
            },
            "foreign_issuer_not_discovered",
        ),
        (
            |partner| {
                let target = format!("{}/jwks", partner.provider.issuer);
                partner.provider.discovery(302, &[("location", &target)], "");
            },
            "foreign_issuer_not_discovered",
        ),
        (
            |partner| partner.provider.discovery(200, &[], "<html>"),
            "foreign_issuer_not_discovered",
        ),
        (
            |partner| {
                let issuer = &partner.provider.issuer;
                let document = json!({ "issuer": issuer, "jwks_uri": "http://192.0.2.1/jwks" });
                partner.provider.discovery(200, &[], &document.to_string());
            },
            "foreign_issuer_not_discovered",
        ),
        (
            |partner| partner.provider.keys(200, &[], "{\"keys\":{}}"),
            "foreign_keys_unavailable",
        ),
        (
            |partner| {
                let secret = "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}";
                partner.provider.keys(200, &[], secret);
            },
            "foreign_keys_unavailable",
        ),
        (
            |partner| partner.provider.keys(503, &[], ""),
            "foreign_keys_unavailable",
        ),
        (
            |partner| {
                let target = format!("{}/elsewhere", partner.provider.issuer);
                partner.provider.keys(301, &[("location", &target)], "");
            },
            "foreign_keys_unavailable",
        ),
    ];
    for (change, reason) in changes {
        let partner = Partner::open().await;
        change(&partner);
        let answer = partner.exchange(&partner.id_token(PHYSICIAN), &[]).await;
        answer.is_oauth_error(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable");
        assert!(answer.header("retry-after").is_some());
        assert_eq!(partner.clinic.last_audit().await.reason.as_deref(), Some(reason));
        partner.provider.recover();
        partner.clinic.issuer.advance(10);
        let answer = partner.exchange(&partner.id_token(PHYSICIAN), &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{reason}: {answer:?}");
    }
}

#[tokio::test]
async fn an_issuer_that_cannot_be_asked_fills_no_audit_trail() {
    type Change = fn(&Partner);
    let changes: [Change; 2] = [
        |partner| partner.provider.discovery(500, &[], ""),
        |partner| partner.provider.keys(503, &[], ""),
    ];
    for change in changes {
        let partner = Partner::open().await;
        change(&partner);
        let id_token = partner.id_token(PHYSICIAN);
        let store = partner.clinic.issuer.store();
        let before = store.audit_events(1000).await.unwrap().len();
        for _ in 0..5 {
            let answer = partner.exchange(&id_token, &[]).await;
            answer.is_oauth_error(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable");
        }
        let after = store.audit_events(1000).await.unwrap().len();
        assert_eq!(after, before + 1, "a line for the attempt, none for the pause");
    }
}

#[tokio::test]
async fn a_strangers_tokens_make_nobody_fetch_anything() {
    let partner = Partner::open().await;
    let mut claims = partner.claims(PHYSICIAN);
    claims["iss"] = "https://idp.example".into();
    for _ in 0..3 {
        partner.exchange(&partner.provider.sign(&claims), &[]).await;
    }
    assert_eq!(partner.provider.asked(), 0);
    let invented = Signer::new(SignatureAlgorithm::ES256, Some("invented"));
    for _ in 0..3 {
        let token = invented.sign(&invented.header(), &partner.claims(PHYSICIAN));
        partner.exchange(&token, &[]).await;
    }
    assert_eq!(partner.provider.asked(), 2, "metadata and keys, each once");
}

#[tokio::test]
async fn a_rotated_key_is_found_and_a_configured_key_set_needs_no_discovery() {
    let mut partner =
        Partner::with(|trusted| trusted.jwks_uri = Some(format!("{}/jwks", trusted.issuer))).await;
    assert_eq!(
        partner.exchange(&partner.id_token(PHYSICIAN), &[]).await.status,
        StatusCode::OK
    );
    assert_eq!(partner.provider.discoveries(), 0);
    partner.provider.signer = Signer::new(SignatureAlgorithm::RS256, Some("idp-2"));
    let keys = key_set(&[&partner.provider.signer]).to_json().to_string();
    partner.provider.keys(200, &[], &keys);
    partner.clinic.issuer.advance(10);
    let answer = partner.exchange(&partner.id_token(PHYSICIAN), &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

#[tokio::test]
async fn an_issuer_is_trusted_for_what_it_is_named_for() {
    let partner = Partner::with(|trusted| trusted.id_tokens = false).await;
    let answer = partner.exchange(&partner.id_token(PHYSICIAN), &[]).await;
    partner
        .is_refused(&answer, "invalid_grant", "foreign_issuer_not_trusted")
        .await;
}

#[tokio::test]
async fn a_request_without_a_client_is_for_the_issuers_public_client_or_for_nobody() {
    let grants = [GrantType::TokenExchange];
    let mut held = client("held", ClientAuthentication::Public, &grants, &[], SCOPE);
    held.metadata.profile = SecurityProfile::Fapi2;
    for client_id in [None, Some("unknown"), Some(AGENT), Some("held")] {
        let partner = Partner::with(|trusted| trusted.client_id = client_id.map(String::from)).await;
        partner.clinic.issuer.add_client(held.clone()).await;
        let fields = [
            ("grant_type", EXCHANGE),
            ("subject_token", &partner.id_token(PHYSICIAN)),
            ("subject_token_type", ID_TOKEN),
        ];
        let answer = partner.clinic.token(&fields).await;
        answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
        let event = partner.clinic.last_audit().await;
        assert_eq!(event.reason.as_deref(), Some("no_client_authentication"));
    }
    let partner = Partner::open().await;
    for subject_token in [
        "x",
        &partner.provider.sign(&json!({ "iss": "https://idp.example" })),
    ] {
        let fields = [
            ("grant_type", EXCHANGE),
            ("subject_token", subject_token),
            ("subject_token_type", ID_TOKEN),
        ];
        let answer = partner.clinic.token(&fields).await;
        answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
}

#[tokio::test]
async fn a_client_must_be_registered_for_it() {
    let partner = Partner::open().await;
    let fields = [
        ("grant_type", EXCHANGE),
        ("subject_token", &partner.id_token(PHYSICIAN)),
        ("subject_token_type", ID_TOKEN),
        ("client_id", APP),
    ];
    let answer = partner.clinic.token(&fields).await;
    partner
        .is_refused(&answer, "unauthorized_client", "unauthorized_client")
        .await;
}

#[tokio::test]
async fn what_cannot_be_exchanged_is_named() {
    let partner = Partner::open().await;
    let id_token = partner.id_token(PHYSICIAN);
    let refresh = "urn:ietf:params:oauth:token-type:refresh_token";
    let good = [
        ("grant_type", EXCHANGE),
        ("client_id", ZUS),
        ("subject_token", id_token.as_str()),
        ("subject_token_type", ID_TOKEN),
    ];
    for (name, value, reason) in [
        ("subject_token", None, "missing_parameter"),
        ("subject_token_type", None, "missing_parameter"),
        (
            "subject_token_type",
            Some("id_token"),
            "unsupported_subject_token_type",
        ),
        (
            "subject_token_type",
            Some(refresh),
            "unsupported_subject_token_type",
        ),
        (
            "subject_token_type",
            Some("urn:ietf:params:oauth:token-type:saml2"),
            "unsupported_subject_token_type",
        ),
        (
            "requested_token_type",
            Some(refresh),
            "unsupported_requested_token_type",
        ),
        (
            "requested_token_type",
            Some(ID_TOKEN),
            "unsupported_requested_token_type",
        ),
        ("actor_token", Some("x"), "actor_token"),
        ("actor_token_type", Some(ACCESS_TOKEN), "actor_token"),
    ] {
        let fields = crate::web::testing::changed(good.to_vec(), &[(name, value)]);
        let answer = partner.clinic.token(&fields).await;
        partner.is_refused(&answer, "invalid_request", reason).await;
    }
    let jwt = "urn:ietf:params:oauth:token-type:jwt";
    let fields = crate::web::testing::changed(good.to_vec(), &[("subject_token_type", Some(jwt))]);
    assert_eq!(partner.clinic.token(&fields).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_alias_takes_forms_and_json_and_nothing_else() {
    let partner = Partner::open().await;
    let json = "application/json; charset=utf-8";
    let members: serde_json::Map<String, Value> = seed_members(&partner.id_token(PHYSICIAN))
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let good = Value::Object(members.clone()).to_string();
    let answer = partner.send(&[("content-type", json)], good.clone()).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let fields: Vec<(&str, &str)> = members
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let answer = partner.clinic.browser().post("/auth/token", &fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    for content_type in [None, Some("text/plain"), Some("application/ld+json")] {
        let headers: Vec<(&str, &str)> = content_type
            .iter()
            .map(|value| ("content-type", *value))
            .collect();
        let answer = partner.send(&headers, good.clone()).await;
        answer.is_oauth_error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid_request");
        let event = partner.clinic.last_audit().await;
        assert_eq!(event.reason.as_deref(), Some("malformed_request"));
    }
    let twice = [
        ("content-type", "application/json"),
        ("content-type", "application/json"),
    ];
    let answer = partner.send(&twice, good.clone()).await;
    answer.is_oauth_error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid_request");
    for body in [
        String::new(),
        String::from("[]"),
        good.replace("\"audience\"", "\"grant_type\""),
        good.replacen('{', "{\"scope\":[\"openid\"],", 1),
        good.replacen('{', "{\"scope\":{\"a\":\"b\"},", 1),
        good.replacen('{', "{\"x\":1,", 1),
        format!("{good}x"),
    ] {
        let answer = partner.send_json(body).await;
        partner
            .is_refused(&answer, "invalid_request", "malformed_request")
            .await;
    }
    let long = good.replacen('{', &format!("{{\"x\":\"{}\",", "a".repeat(64 * 1024)), 1);
    let answer = partner.send_json(long).await;
    answer.is_oauth_error(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request");
    let get = Browser::request(Method::GET, "/auth/token")
        .body(Body::empty())
        .unwrap();
    let answer = partner.clinic.browser().send(get).await;
    answer.is_oauth_error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request");
}

#[tokio::test]
async fn json_serves_every_grant_and_every_way_to_authenticate() {
    let partner = Partner::open().await;
    let body = json!({
        "grant_type": "client_credentials",
        "client_id": crate::web::testing::SERVICE,
        "client_secret": partner.clinic.service_secret,
        "scope": "system/*.read",
    });
    let answer = partner.send_json(body.to_string()).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert!(answer.json().get("issued_token_type").is_none());
}

#[tokio::test]
async fn an_administrators_exchanged_token_finds_a_role_by_its_name_as_in_the_example() {
    let partner = Partner::open().await;
    let issuer = &partner.clinic.issuer;
    let role = issuer.store().role(BUILDER_ADMIN).await.unwrap();
    let administrator = User {
        role,
        ..user("boss@example.org")
    };
    issuer.insert_user(administrator).await;
    let grants = [GrantType::AuthorizationCode, GrantType::TokenExchange];
    let redirects = ["https://desk.example/cb"];
    let scope = "openid __administration.read";
    let desk = client("desk", ClientAuthentication::Public, &grants, &redirects, scope);
    issuer.add_client(desk).await;
    for (email, granted, status) in [
        ("boss@example.org", scope, StatusCode::OK),
        (PHYSICIAN, "openid", StatusCode::FORBIDDEN),
    ] {
        let id_token = partner.id_token(email);
        let fields = [
            ("grant_type", EXCHANGE),
            ("subject_token", id_token.as_str()),
            ("subject_token_type", ID_TOKEN),
            ("client_id", "desk"),
        ];
        let tokens = partner.clinic.token(&fields).await.json();
        assert_eq!(tokens["scope"], granted, "{email}");
        let authorization = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
        let request = Browser::request(Method::GET, "/auth/roles?filter[name]=Builder%20Admin")
            .header(header::AUTHORIZATION, authorization)
            .body(Body::empty())
            .unwrap();
        let answer = partner.clinic.browser().send(request).await;
        assert_eq!(answer.status, status, "{answer:?}");
        if status == StatusCode::OK {
            assert_eq!(answer.json()["data"][0]["id"], BUILDER_ADMIN);
        }
    }
}
