//! Clients, API keys and the audit trail by the API.

use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::administration::Actor;
use crate::administration::clients::{self, ClientError};
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::client::{Client, ClientAuthentication};
use crate::domain::digest::SecretDigest;
use crate::domain::registration::{Admission, NewRegistration};
use crate::registration::Document;
use crate::store::Registration;
use crate::web::testing::{Answer, Browser, Clinic, WEB, basic};

const SCOPE: &str = "__administration.read __administration.write system/*.rs openid patient/*.rs";

/// A clinic, and a program with a token for its administration.
async fn clinic() -> (Clinic, Browser, String) {
    let clinic = Clinic::open().await;
    let (_, secret) = clinic.issuer.add_service_client("tool", SCOPE).await;
    let browser = clinic.browser();
    let credentials = basic("tool", &secret);
    let fields = [("grant_type", "client_credentials")];
    let headers = [("authorization", credentials.as_str())];
    let answer = browser.post_with("/oauth2/token", &fields, &headers).await;
    let token = answer.json()["access_token"].as_str().unwrap().into();
    (clinic, browser, token)
}

async fn call(browser: &Browser, token: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    let mut request = Browser::request(method, path);
    if !token.is_empty() {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request: Request<axum::body::Body> = match body {
        Some(body) => request
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.to_string().into())
            .unwrap(),
        None => request.body(axum::body::Body::empty()).unwrap(),
    };
    browser.send(request).await
}

#[track_caller]
fn faults(answer: &Answer, status: StatusCode) -> Vec<String> {
    assert_eq!(answer.status, status, "{answer:?}");
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    let Some(errors) = problem["errors"].as_array() else {
        return Vec::new();
    };
    errors
        .iter()
        .map(|error| error["field"].as_str().unwrap_or_default().into())
        .collect()
}

#[tokio::test]
async fn a_key_is_made_as_the_documents_show_it() {
    let (clinic, browser, token) = clinic().await;
    let body = json!({
        "name": "EHR Integration",
        "scopes": ["patient/*.read", "system/Observation.rs"],
        "expires_at": "2027-12-31T23:59:59Z",
    });
    let answer = call(&browser, &token, Method::POST, "/v1/api-keys", Some(body)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let made = answer.json();
    assert_eq!(made["scopes"], json!(["system/Observation.rs"]));
    assert_eq!(made["left_out_scopes"], json!(["patient/*.read"]));
    assert_eq!(made["expires_at"], "2027-12-31T23:59:59Z");
    assert!(made["api_key"].as_str().unwrap().starts_with("zs_api_live_"));
    let secret = made["api_secret"].as_str().unwrap();
    assert!(secret.starts_with("zs_secret_"));
    let path = answer.header("location").unwrap().to_owned();
    let shown = call(&browser, &token, Method::GET, &path, None).await;
    assert!(
        !shown.body.contains(secret) && shown.json()["state"] == "active",
        "{shown:?}"
    );
    let list = call(&browser, &token, Method::GET, "/v1/api-keys?page[size]=1", None).await;
    assert!(!list.body.contains(secret), "{list:?}");
    assert_eq!(list.json()["data"].as_array().unwrap().len(), 1);

    let rotate = format!("{path}/rotate");
    let answer = call(
        &browser,
        &token,
        Method::POST,
        &rotate,
        Some(json!({"overlap_seconds": 60})),
    )
    .await;
    let rotated = answer.json();
    assert_eq!(rotated["previous_secret_until"], "2027-01-15T08:01:00Z");
    let key = clinic.issuer.store().api_keys(None, 1).await.unwrap().remove(0);
    let now = clinic.issuer.now();
    for secret in [secret, rotated["api_secret"].as_str().unwrap()] {
        assert!(key.accepts(&SecretDigest::of(secret), now));
    }
    let gone = call(&browser, &token, Method::DELETE, &path, None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(clinic.last_audit().await.action, AuditAction::ApiKeyRevocation);
    let again = call(&browser, &token, Method::POST, &rotate, Some(json!({}))).await;
    assert_eq!(faults(&again, StatusCode::UNPROCESSABLE_ENTITY), ["state"]);
}

#[tokio::test]
async fn every_fault_of_a_key_is_told() {
    let (clinic, browser, token) = clinic().await;
    for (body, fields) in [
        (
            json!({"name": "x", "scopes": [], "expires_at": "tomorrow"}),
            vec!["scopes", "expires_at"],
        ),
        (
            json!({"name": 1, "scopes": "x", "color": 1}),
            vec!["name", "scopes", "color"],
        ),
        (
            json!({"name": "x", "scopes": ["system/*.rs system/*.c"]}),
            vec!["scopes"],
        ),
        (json!({"name": "", "scopes": ["system/*.rs"]}), vec!["name"]),
        (json!({"name": "x", "scopes": ["system/*.cruds"]}), vec!["scopes"]),
        (
            json!({"name": "x", "scopes": ["system/*.rs"], "expires_at": "2020-01-01T00:00:00Z"}),
            vec!["expires_at"],
        ),
    ] {
        let answer = call(&browser, &token, Method::POST, "/v1/api-keys", Some(body.clone())).await;
        assert_eq!(
            faults(&answer, StatusCode::UNPROCESSABLE_ENTITY),
            fields,
            "{body}"
        );
    }
    assert_eq!(clinic.issuer.store().api_keys(None, 1).await.unwrap(), []);
    for path in ["/v1/api-keys/nothing", "/v1/clients/nothing"] {
        let answer = call(&browser, &token, Method::GET, path, None).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_client_is_registered_changed_and_removed() {
    let (clinic, browser, token) = clinic().await;
    let body = json!({
        "client_id": "portal", "client_name": "Portal", "redirect_uris": ["https://portal.example/cb"],
        "scope": "openid patient/*.rs",
    });
    let answer = call(&browser, &token, Method::POST, "/v1/clients", Some(body.clone())).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let secret = answer.json()["client_secret"].as_str().unwrap().to_owned();
    let again = call(&browser, &token, Method::POST, "/v1/clients", Some(body)).await;
    assert_eq!(faults(&again, StatusCode::CONFLICT), ["client_id"]);

    let patch = json!({"client_name": "Patient portal", "logo_uri": "https://portal.example/logo.png"});
    let answer = call(&browser, &token, Method::PATCH, "/v1/clients/portal", Some(patch)).await;
    let changed = answer.json();
    assert_eq!(changed["client_name"], "Patient portal");
    assert_eq!(changed["redirect_uris"], json!(["https://portal.example/cb"]));
    assert_eq!(changed.get("client_secret"), None);
    let answer = call(
        &browser,
        &token,
        Method::PATCH,
        "/v1/clients/portal",
        Some(json!({"logo_uri": null})),
    )
    .await;
    assert_eq!(answer.json().get("logo_uri"), None);

    let answer = call(&browser, &token, Method::POST, "/v1/clients/portal/secret", None).await;
    assert_ne!(answer.json()["client_secret"], secret);
    let gone = call(&browser, &token, Method::DELETE, "/v1/clients/portal", None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(clinic.issuer.store().client("portal").await.unwrap(), None);
}

#[tokio::test]
async fn what_is_wrong_with_a_client_names_its_member() {
    let (_, browser, token) = clinic().await;
    for (change, field) in [
        (
            json!({"redirect_uris": ["http://portal.example/cb"]}),
            "redirect_uris",
        ),
        (json!({"logo_url": "https://portal.example/"}), "logo_url"),
        (json!({"default_max_age": "x"}), "default_max_age"),
        (json!({"client_id": "other"}), "client_id"),
    ] {
        let answer = call(
            &browser,
            &token,
            Method::PATCH,
            "/v1/clients/service",
            Some(change.clone()),
        )
        .await;
        // The service may have more than the tool may give, which is looked at before the rest.
        if answer.status != StatusCode::FORBIDDEN {
            assert_eq!(
                faults(&answer, StatusCode::UNPROCESSABLE_ENTITY),
                [field],
                "{change}"
            );
        }
        let mut body = json!({
            "client_name": "x", "redirect_uris": ["https://portal.example/cb"], "scope": "openid",
        });
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let answer = call(&browser, &token, Method::POST, "/v1/clients", Some(body)).await;
        if field != "client_id" {
            assert_eq!(
                faults(&answer, StatusCode::UNPROCESSABLE_ENTITY),
                [field],
                "{change}"
            );
        }
    }
    let body = json!({"client_name": "x", "grant_types": ["client_credentials"], "scope": "system/*.cruds"});
    let answer = call(&browser, &token, Method::POST, "/v1/clients", Some(body)).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer:?}");
}

#[tokio::test]
async fn the_audit_trail_is_searched_page_by_page() {
    let (_, browser, token) = clinic().await;
    let mut path = String::from("/v1/audit-events?filter[action]=token_request&page[size]=1");
    let page = call(&browser, &token, Method::GET, &path, None).await.json();
    assert_eq!(page["data"][0]["clientId"], "tool");
    assert_eq!(page["data"][0]["at"], "2027-01-15T08:00:00Z");
    let mut lines = 0;
    path = "/v1/audit-events?page[size]=2".into();
    loop {
        let page = call(&browser, &token, Method::GET, &path, None).await.json();
        lines += page["data"].as_array().unwrap().len();
        match page["page"]["next"].as_str() {
            Some(next) => path = format!("/v1/audit-events?page[size]=2&page[after]={next}"),
            None => break,
        }
    }
    let whole = call(
        &browser,
        &token,
        Method::GET,
        "/v1/audit-events?page[size]=200",
        None,
    )
    .await
    .json();
    assert_eq!(lines, whole["data"].as_array().unwrap().len());
    for (query, fields) in [
        (
            "filter[action]=dance&filter[from]=yesterday",
            vec!["filter[action]", "filter[from]"],
        ),
        ("filter[ipAddress]=x", vec!["filter[ipAddress]"]),
        ("filter[colour]=red", vec!["filter[colour]"]),
        ("page[after]=MTph", vec!["page[after]"]),
    ] {
        let answer = call(
            &browser,
            &token,
            Method::GET,
            &format!("/v1/audit-events?{query}"),
            None,
        )
        .await;
        assert_eq!(faults(&answer, StatusCode::BAD_REQUEST), fields, "{query}");
    }
}

#[tokio::test]
async fn nobody_comes_in_without_a_token_of_the_right_scope() {
    let (clinic, browser, _) = clinic().await;
    let (_, secret) = clinic
        .issuer
        .add_service_client("reader", "__administration.read")
        .await;
    let credentials = basic("reader", &secret);
    let fields = [("grant_type", "client_credentials")];
    let headers = [("authorization", credentials.as_str())];
    let answer = browser.post_with("/oauth2/token", &fields, &headers).await.json();
    let reader = answer["access_token"].as_str().unwrap();
    for path in ["/v1/audit-events", "/v1/clients", "/v1/api-keys"] {
        let answer = call(&browser, "", Method::GET, path, None).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        let answer = call(&browser, reader, Method::GET, path, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    for (method, path) in [
        (Method::POST, "/v1/clients"),
        (Method::PATCH, "/v1/clients/app"),
        (Method::DELETE, "/v1/clients/app"),
        (Method::POST, "/v1/clients/web/secret"),
        (Method::POST, "/v1/api-keys"),
        (Method::POST, "/v1/api-keys/x/rotate"),
        (Method::DELETE, "/v1/api-keys/x"),
    ] {
        let answer = call(&browser, reader, method, path, Some(json!({}))).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}: {answer:?}");
    }
    assert!(clinic.issuer.store().client("app").await.unwrap().is_some());
}

#[tokio::test]
async fn the_location_of_a_client_leads_to_it_whatever_its_id() {
    let (_, browser, token) = clinic().await;
    for client_id in ["plain", "a/b?c#d%2F", "..", "urn:app:1"] {
        let body = json!({
            "client_id": client_id, "client_name": "Portal", "redirect_uris": ["https://portal.example/cb"],
            "scope": "openid patient/*.rs",
        });
        let answer = call(&browser, &token, Method::POST, "/v1/clients", Some(body)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        let shown = call(
            &browser,
            &token,
            Method::GET,
            answer.header("location").unwrap(),
            None,
        )
        .await;
        assert_eq!(shown.status, StatusCode::OK, "{client_id}: {shown:?}");
        assert_eq!(shown.json()["client_id"], client_id);
    }
}

#[tokio::test]
async fn a_secret_that_was_replaced_does_not_come_back_with_a_change_of_the_client() {
    let clinic = Clinic::open().await;
    let (state, operator) = (&clinic.issuer.state, Actor::operator());
    let looked_at = clients::get(state, WEB).await.unwrap();
    let secret = clients::rotate_secret(state, &operator, WEB).await.unwrap();
    let mut members = clients::describe(&looked_at);
    members.remove("response_types");
    let document = Document::of(members);
    let late = clients::change(state, &operator, looked_at, &document).await;
    assert!(matches!(late, Err(ClientError::ChangedMeanwhile)), "{late:?}");
    let present = clients::get(state, WEB).await.unwrap();
    let rotated = ClientAuthentication::Secret(SecretDigest::of(secret.expose()));
    assert_eq!(present.authentication, rotated);
    // Looked at again, it is changed, and keeps the new one.
    let changed = clients::change(state, &operator, present, &document)
        .await
        .unwrap();
    assert!(changed.secret.is_none());
    assert_eq!(clients::get(state, WEB).await.unwrap().authentication, rotated);
}

#[tokio::test]
async fn a_client_that_changes_itself_keeps_the_secret_that_an_administrator_gave_it_meanwhile() {
    let clinic = Clinic::open().await;
    let (store, now) = (clinic.issuer.store(), clinic.issuer.now());
    let audit = |action| AuditEvent::new(now, action, AuditOutcome::Success);
    let before = Client {
        client_id: "own".into(),
        ..store.client(WEB).await.unwrap().unwrap()
    };
    let access_token = SecretDigest::of("access");
    let new = NewRegistration {
        client: before.clone(),
        access_token,
        unused_until: now.plus(60),
        admission: Admission::Open { limit: 10 },
    };
    let registered = store
        .register_client(new, now, audit(AuditAction::ClientRegistration))
        .await;
    assert_eq!(registered, Ok(Registration::Registered));
    let fresh = SecretDigest::of("fresh");
    let rotation = audit(AuditAction::ClientSecretRotation);
    assert_eq!(store.rotate_client_secret("own", fresh, rotation).await, Ok(true));
    let late = Client {
        name: "Other".into(),
        ..before
    };
    let change = audit(AuditAction::ClientUpdate);
    assert_eq!(
        store.update_managed_client(late, access_token, change).await,
        Ok(true)
    );
    let changed = store.client("own").await.unwrap().unwrap();
    assert_eq!(
        (changed.name.as_str(), changed.authentication),
        ("Other", ClientAuthentication::Secret(fresh))
    );
}
