//! Clients in the console.

use http::StatusCode;

use super::{ADMINISTRATOR, HOSTILE, READER, add, administrator, at, clinic, is_harmless, role, send};
use crate::domain::audit_event::AuditAction;
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::domain::digest::SecretDigest;
use crate::web::testing::{APP, Answer, SERVICE, WEB};

const NEW: &str = "/admin/new-client";

/// What a lawful form holds.
const PORTAL: [(&str, &str); 7] = [
    ("client_id", "portal"),
    ("client_name", "Patient portal"),
    ("token_endpoint_auth_method", "client_secret_basic"),
    ("grant_types", "authorization_code"),
    (
        "redirect_uris",
        "https://portal.example/cb\r\nhttps://portal.example/other",
    ),
    ("scope", "openid  patient/*.rs\r\nlaunch/patient"),
    ("metadata", "{\"logo_uri\": \"https://portal.example/logo.png\"}"),
];

fn changed<'a>(name: &str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    PORTAL
        .iter()
        .map(|(own, old)| if *own == name { (*own, value) } else { (*own, *old) })
        .collect()
}

/// The secret that a page shows.
#[track_caller]
pub(super) fn shown_secret(page: &Answer, beginning: &str) -> String {
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    let marker = format!("<code class=\"secret\">{beginning}");
    let (_, rest) = page
        .body
        .split_once(&marker)
        .unwrap_or_else(|| panic!("no secret: {page:?}"));
    format!("{beginning}{}", rest.split_once('<').unwrap().0)
}

#[tokio::test]
async fn a_client_is_registered_and_its_secret_shown_once() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    let page = send(&browser, NEW, NEW, &PORTAL).await;
    let secret = shown_secret(&page, "wgsec_");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let client = clinic.issuer.store().client("portal").await.unwrap().unwrap();
    assert_eq!(
        client.authentication,
        ClientAuthentication::Secret(SecretDigest::of(&secret))
    );
    assert_eq!(client.grant_types, [GrantType::AuthorizationCode]);
    assert_eq!(client.redirect_uris.len(), 2);
    assert_eq!(client.scope.to_string(), "openid patient/*.rs launch/patient");
    assert_eq!(
        client.metadata.logo_uri.as_deref(),
        Some("https://portal.example/logo.png")
    );
    assert!(client.pkce_required && !client.registered_itself);
    let line = clinic.last_audit().await;
    assert_eq!(
        (line.action, line.object_id.as_deref()),
        (AuditAction::ClientRegistration, Some("portal"))
    );
    assert_eq!(line.method.as_deref(), Some("console"));
    let person = clinic
        .issuer
        .store()
        .user_by_email(ADMINISTRATOR)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(line.actor_id, Some(person.id));
    for path in [
        "/admin/clients",
        "/admin/clients/portal",
        "/admin/clients/portal/change",
    ] {
        let page = browser.get(path).await;
        assert!(page.body.contains("Patient portal"), "{path}: {page:?}");
        assert!(!page.body.contains(&secret), "{path}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_beside_its_field_and_nothing_is_lost() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    for (name, value, field) in [
        ("client_id", "por tal", "client_id"),
        ("client_id", "wardgate-issuer", "client_id"),
        ("client_id", APP, "client_id"),
        ("client_name", "x\u{202e}y", "client_name"),
        (
            "token_endpoint_auth_method",
            "password",
            "token_endpoint_auth_method",
        ),
        ("grant_types", "implicit", "grant_types"),
        ("redirect_uris", "http://portal.example/cb", "redirect_uris"),
        ("scope", "", "scope"),
        ("scope", "openid \"", "scope"),
        ("scope", "openid __launches", "scope"),
        ("metadata", "[]", "metadata"),
        ("metadata", "{\"scope\": \"openid\"}", "metadata"),
        ("metadata", "{\"logo_url\": \"x\"}", "metadata"),
        ("metadata", "{\"logo_uri\": \"javascript:1\"}", "metadata"),
        ("metadata", "{\"require_pkce\": \"yes\"}", "metadata"),
    ] {
        let page = send(&browser, NEW, NEW, &changed(name, value)).await;
        assert_eq!(page.status, StatusCode::OK, "{name}={value}: {page:?}");
        assert!(page.body.contains("<title>Error: "), "{name}={value}: {page:?}");
        assert!(
            page.body.contains(&format!("<a href=\"#{field}\">")),
            "{name}={value}: {page:?}"
        );
        assert!(page.body.contains("Patient portal") || name == "client_name");
        let kept = page.body.contains("value=\"portal\"") || name == "client_id";
        assert!(kept, "{name}={value}: {page:?}");
    }
    assert_eq!(clinic.issuer.store().client("portal").await.unwrap(), None);
}

#[tokio::test]
async fn a_client_is_changed_and_keeps_its_secret() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    let secret = shown_secret(&send(&browser, NEW, NEW, &PORTAL).await, "wgsec_");
    let path = "/admin/clients/portal/change";
    let page = browser.get(path).await;
    assert!(
        page.body
            .contains("https://portal.example/cb\nhttps://portal.example/other"),
        "{page:?}"
    );
    let mut fields = changed("client_name", "Portal");
    fields.retain(|(name, _)| !["client_id", "metadata"].contains(name));
    fields.push(("metadata", "{\"require_pkce\": false}"));
    let answer = send(&browser, path, path, &fields).await;
    assert_eq!(answer.location(), "/admin/clients/portal?done=changed");
    assert!(
        browser
            .get(answer.location())
            .await
            .body
            .contains("It is changed.")
    );
    let client = clinic.issuer.store().client("portal").await.unwrap().unwrap();
    assert_eq!((client.name.as_str(), client.metadata.logo_uri), ("Portal", None));
    assert_eq!(
        client.authentication,
        ClientAuthentication::Secret(SecretDigest::of(&secret))
    );
    assert!(!client.pkce_required);
    // Another way to prove itself: the old secret is over, and a new one is shown on the way back.
    let mut public = fields.clone();
    public.retain(|(name, _)| !["token_endpoint_auth_method", "metadata"].contains(name));
    public.push(("token_endpoint_auth_method", "none"));
    assert_eq!(
        send(&browser, path, path, &public).await.status,
        StatusCode::SEE_OTHER
    );
    assert!(
        clinic
            .issuer
            .store()
            .client("portal")
            .await
            .unwrap()
            .unwrap()
            .is_public()
    );
    let another = shown_secret(&send(&browser, path, path, &fields).await, "wgsec_");
    assert_ne!(another, secret);
}

#[tokio::test]
async fn a_new_secret_and_a_removal_are_asked_for_first() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    send(&browser, NEW, NEW, &PORTAL).await;
    let path = "/admin/clients/portal/secret";
    let secret = shown_secret(&send(&browser, path, path, &[]).await, "wgsec_");
    let client = clinic.issuer.store().client("portal").await.unwrap().unwrap();
    assert_eq!(
        client.authentication,
        ClientAuthentication::Secret(SecretDigest::of(&secret))
    );
    assert_eq!(
        clinic.last_audit().await.action,
        AuditAction::ClientSecretRotation
    );

    let path = "/admin/clients/portal/remove";
    assert!(browser.get(path).await.body.contains("This cannot be undone"));
    let answer = send(&browser, path, path, &[]).await;
    assert_eq!(answer.location(), "/admin/clients?done=removed");
    assert_eq!(clinic.issuer.store().client("portal").await.unwrap(), None);
    assert_eq!(
        browser.get("/admin/clients/portal").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        browser.get("/admin/clients/portal/remove").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_client_without_a_secret_gets_none() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    let path = "/admin/clients/app/secret";
    let page = send(&browser, path, path, &[]).await;
    assert!(page.body.contains("the client has no secret"), "{page:?}");
    assert!(
        clinic
            .issuer
            .store()
            .client(APP)
            .await
            .unwrap()
            .unwrap()
            .is_public()
    );
}

#[tokio::test]
async fn nobody_takes_over_a_client_that_may_have_more_than_they() {
    let clinic = clinic().await;
    let role = role(
        &clinic,
        "openid patient/*.rs __administration.read __administration.write",
    )
    .await;
    add(&clinic, READER, role).await;
    let browser = at(&clinic, READER).await;
    let before = clinic.issuer.store().client(WEB).await.unwrap();
    let page = send(
        &browser,
        "/admin/clients/web/secret",
        "/admin/clients/web/secret",
        &[],
    )
    .await;
    assert!(page.body.contains("scopes that you may not give"), "{page:?}");
    let path = "/admin/clients/web/change";
    let fields = [
        ("client_name", "Mine"),
        ("token_endpoint_auth_method", "none"),
        ("grant_types", "authorization_code"),
        ("redirect_uris", "https://evil.example/cb"),
        ("scope", "openid"),
    ];
    let page = send(&browser, path, path, &fields).await;
    assert!(page.body.contains("scopes that you may not give"), "{page:?}");
    assert_eq!(clinic.issuer.store().client(WEB).await.unwrap(), before);
    let page = send(&browser, NEW, NEW, &changed("scope", "openid user/*.rs")).await;
    assert!(
        page.body.contains("you may not give the scope user/*.rs"),
        "{page:?}"
    );
    let service = [
        ("client_id", "mine"),
        ("grant_types", "client_credentials"),
        ("token_endpoint_auth_method", "client_secret_basic"),
        ("scope", "system/*.rs"),
    ];
    let page = send(&browser, NEW, NEW, &service).await;
    assert!(
        page.body.contains("you may not give the scope system/*.rs"),
        "{page:?}"
    );
    assert_eq!(clinic.issuer.store().client("mine").await.unwrap(), None);
    // The full administrator may: a service does what people of that role could do.
    let page = send(&administrator(&clinic).await, NEW, NEW, &service).await;
    shown_secret(&page, "wgsec_");
    assert!(clinic.issuer.store().client(SERVICE).await.unwrap().is_some());
}

#[tokio::test]
async fn nobody_with_a_limit_gets_a_service_without_one_in_the_console() {
    let clinic = clinic().await;
    let scope = "__administration.read __administration.write";
    let role = role(&clinic, &format!("openid patient/*.rs {scope}")).await;
    add(&clinic, READER, role).await;
    let (limited, full) = (at(&clinic, READER).await, administrator(&clinic).await);
    let service = [
        ("client_id", "mine"),
        ("grant_types", "client_credentials"),
        ("token_endpoint_auth_method", "client_secret_basic"),
        ("scope", scope),
    ];
    let page = send(&limited, NEW, NEW, &service).await;
    let refusal = "you may not give the scope __administration.read";
    assert!(page.body.contains(refusal), "{page:?}");
    assert_eq!(clinic.issuer.store().client("mine").await.unwrap(), None);
    shown_secret(&send(&full, NEW, NEW, &service).await, "wgsec_");
    let before = clinic.issuer.store().client("mine").await.unwrap();
    for path in ["/admin/clients/mine/secret", "/admin/clients/mine/change"] {
        let page = send(&limited, path, path, &service).await;
        assert!(page.body.contains("scopes that you may not give"), "{page:?}");
    }
    assert_eq!(clinic.issuer.store().client("mine").await.unwrap(), before);

    let key = [("name", "Mine"), ("scope", scope)];
    let new = "/admin/new-api-key";
    let page = send(&limited, new, new, &key).await;
    assert!(
        page.body.contains("none of these scopes can be given"),
        "{page:?}"
    );
    shown_secret(&send(&full, new, new, &key).await, "zs_secret_");
    let key = clinic.issuer.store().api_keys(None, 1).await.unwrap().remove(0);
    assert_eq!(key.scope.to_string(), scope);
    let page = format!("/admin/api-keys/{}", key.id);
    let rotate = format!("{page}/rotate");
    let answer = send(&limited, &page, &rotate, &[("overlap_seconds", "0")]).await;
    assert!(answer.body.contains("more than you may give"), "{answer:?}");
}

#[tokio::test]
async fn hostile_names_stay_text_and_strange_ids_have_a_page() {
    let clinic = clinic().await;
    let mut client = clinic.issuer.store().client(APP).await.unwrap().unwrap();
    client.client_id = String::from("a/b?c#d%2F\"><script>");
    client.name = HOSTILE.into();
    clinic.issuer.add_client(client).await;
    let browser = administrator(&clinic).await;
    is_harmless(&browser.get("/admin/clients").await);
    let page = "/admin/clients/a%2Fb%3Fc%23d%252F%22%3E%3Cscript%3E";
    assert!(
        browser
            .get("/admin/clients")
            .await
            .body
            .contains(&format!("href=\"{page}\""))
    );
    for action in ["", "/change", "/remove", "/secret"] {
        is_harmless(&browser.get(&format!("{page}{action}")).await);
    }
    let path = format!("{page}/remove");
    assert_eq!(
        send(&browser, &path, &path, &[]).await.location(),
        "/admin/clients?done=removed"
    );
}
