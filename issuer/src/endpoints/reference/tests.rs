use http::StatusCode;
use serde_json::Value;

use super::client::{self, ID, SCOPE};
use super::spans;
use crate::domain::audit_event::AuditAction;
use crate::domain::client::SecurityProfile;
use crate::domain::role::BUILDER_ADMIN;
use crate::domain::user::User;
use crate::openapi::description;
use crate::testing::{ISSUER, user};
use crate::web::testing::{Browser, Clinic, PASSWORD, PHYSICIAN, VERIFIER, app_request, changed};

async fn clinic(try_it: bool) -> Clinic {
    let clinic = Clinic::with_config(|config| config.documentation.try_it = try_it).await;
    client::bring_in_step(&clinic.issuer.state).await.unwrap();
    clinic
}

#[tokio::test]
async fn the_page_shows_every_operation_and_reads_without_scripts() {
    for try_it in [false, true] {
        let clinic = clinic(try_it).await;
        let page = clinic.browser().get("/docs").await;
        assert_eq!(page.status, StatusCode::OK);
        for operation in description().operations {
            assert!(
                page.body.contains(&format!("<details id=\"{}\"", operation.id)),
                "{}",
                operation.id
            );
        }
        assert_eq!(page.body.contains("/static/reference.js"), try_it);
        assert_eq!(page.body.contains("<form"), try_it);
        let policy = page.header("content-security-policy").unwrap();
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        assert!(
            policy.contains("script-src 'self'; connect-src 'self'; form-action 'none'"),
            "{policy}"
        );
        // What a policy without unsafe-inline would refuse, and what would leave this origin.
        for refused in ["style=", "onclick=", "<style", "src=\"http"] {
            assert!(!page.body.contains(refused), "{refused}");
        }
    }
    let clinic = clinic(false).await;
    let script = clinic.browser().get("/static/reference.js").await;
    assert_eq!(
        script.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    assert!(!script.body.contains("eval(") && !script.body.contains("innerHTML"));
}

#[tokio::test]
async fn the_pages_own_client_comes_and_goes_with_the_configuration() {
    let clinic = clinic(true).await;
    let store = clinic.issuer.store();
    let made = store.client(ID).await.unwrap().unwrap();
    assert!(made.is_public() && made.pkce_required);
    assert_eq!(made.redirect_uris.len(), 1);
    assert_eq!(made.redirect_uris[0].as_str(), format!("{ISSUER}/docs"));
    assert_eq!(clinic.last_audit().await.action, AuditAction::ClientRegistration);
    // Once is enough.
    let before = store.audit_events(100).await.unwrap().len();
    client::bring_in_step(&clinic.issuer.state).await.unwrap();
    assert_eq!(store.audit_events(100).await.unwrap().len(), before);
    let off = Clinic::open().await;
    assert!(off.issuer.store().client(ID).await.unwrap().is_none());
    off.issuer.add_client(made).await;
    client::bring_in_step(&off.issuer.state).await.unwrap();
    assert!(off.issuer.store().client(ID).await.unwrap().is_none());
    assert_eq!(off.last_audit().await.action, AuditAction::ClientDeletion);
}

#[tokio::test]
async fn under_fapi_nobody_is_offered_what_cannot_work() {
    let clinic = Clinic::with_config(|config| {
        config.documentation.try_it = true;
        config.security.profile = SecurityProfile::Fapi2;
    })
    .await;
    client::bring_in_step(&clinic.issuer.state).await.unwrap();
    assert!(clinic.issuer.store().client(ID).await.unwrap().is_none());
    assert!(!clinic.browser().get("/docs").await.body.contains("<form"));
}

/// The scope of the token that this person gets by the page.
async fn granted(clinic: &Clinic, email: &str) -> String {
    let page = format!("{ISSUER}/docs");
    let request = changed(
        app_request(SCOPE),
        &[("client_id", Some(ID)), ("redirect_uri", Some(&page))],
    );
    let answer = clinic.browser().authorize(&request, email).await;
    let code = answer
        .sent("code")
        .unwrap_or_else(|| panic!("no code: {answer:?}"));
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", page.as_str()),
        ("client_id", ID),
        ("code_verifier", VERIFIER),
    ];
    let tokens: Value = clinic.token(&fields).await.json();
    tokens["scope"].as_str().unwrap().into()
}

#[tokio::test]
async fn nobody_gets_more_by_the_page_than_their_role_allows() {
    let clinic = clinic(true).await;
    let scope = granted(&clinic, PHYSICIAN).await;
    assert!(
        scope.contains("openid") && !scope.contains("__administration"),
        "{scope}"
    );
    let role = clinic.issuer.store().role(BUILDER_ADMIN).await.unwrap();
    let passwords = clinic.issuer.state.passwords();
    let hash = passwords
        .hash(wardgate_shared::secret::Secret::new(PASSWORD.into()))
        .await
        .unwrap();
    let administrator = User {
        role,
        password_hash: Some(hash),
        organization_id: None,
        ..user("root@example.org")
    };
    clinic.issuer.insert_user(administrator).await;
    let scope = granted(&clinic, "root@example.org").await;
    assert!(scope.contains("__administration.write"), "{scope}");
}

#[tokio::test]
async fn nobody_else_registers_under_the_pages_name() {
    let clinic = Clinic::open().await;
    let (_, secret) = clinic
        .issuer
        .add_service_client("tool", "__administration.read __administration.write system/*.rs")
        .await;
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", "tool"),
        ("client_secret", &secret),
    ];
    let token = clinic.token(&fields).await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = format!(
        r#"{{"client_id":"{ID}","client_name":"x","grant_types":["client_credentials"],"scope":"system/*.rs"}}"#
    );
    let request = Browser::request(http::Method::POST, "/v1/clients")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(axum::body::Body::from(body))
        .unwrap();
    let answer = clinic.browser().send(request).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer:?}");
    assert!(answer.body.contains("client_id"));
}

#[test]
fn code_stands_between_backticks() {
    let pieces: Vec<(bool, String)> = spans("a `b` c")
        .into_iter()
        .map(|span| (span.is_code, span.text))
        .collect();
    assert_eq!(
        pieces,
        [(false, "a ".into()), (true, "b".into()), (false, " c".into())]
    );
    assert!(spans("").is_empty());
}
