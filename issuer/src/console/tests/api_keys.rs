//! API keys in the console.

use http::StatusCode;
use wardgate_shared::time::Timestamp;

use super::clients::shown_secret;
use super::{HOSTILE, READER, add, administrator, at, clinic, is_harmless, role, send};
use crate::domain::api_key::ApiKey;
use crate::domain::audit_event::AuditAction;
use crate::domain::digest::SecretDigest;
use crate::web::testing::Clinic;

const NEW: &str = "/admin/new-api-key";
const EHR: [(&str, &str); 3] = [
    ("name", "EHR Integration"),
    ("scope", "patient/*.read observation.write\r\nsystem/Patient.rs"),
    ("expires_at", "2027-12-31 23:59:59"),
];

async fn keys(clinic: &Clinic) -> Vec<ApiKey> {
    clinic.issuer.store().api_keys(None, 100).await.unwrap()
}

#[tokio::test]
async fn a_key_is_made_with_what_it_can_have_and_its_secret_shown_once() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    let page = send(&browser, NEW, NEW, &EHR).await;
    let secret = shown_secret(&page, "zs_secret_");
    let key = shown_secret(&page, "zs_api_live_");
    assert!(page.body.contains("<code>patient/*.read</code>"), "{page:?}");
    let stored = keys(&clinic).await.remove(0);
    assert_eq!(
        (stored.key.as_str(), stored.name.as_str()),
        (key.as_str(), "EHR Integration")
    );
    assert_eq!(stored.scope.to_string(), "observation.write system/Patient.rs");
    assert_eq!(stored.expires_at.map(Timestamp::seconds), Some(1_830_297_599));
    assert!(stored.accepts(&SecretDigest::of(&secret), clinic.issuer.now()));
    let line = clinic.last_audit().await;
    assert_eq!(
        (line.action, line.object_id.as_ref()),
        (AuditAction::ApiKeyCreation, Some(&stored.id))
    );
    assert_eq!(line.actor_id, stored.created_by);
    for path in ["/admin/api-keys".into(), format!("/admin/api-keys/{}", stored.id)] {
        let page = browser.get(&path).await;
        assert!(
            page.body.contains(&key) && !page.body.contains(&secret),
            "{path}: {page:?}"
        );
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_beside_its_field() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    for (name, value) in [
        ("name", ""),
        ("name", &*"x".repeat(201)),
        ("scope", ""),
        ("scope", "\""),
        ("scope", "patient/*.read openid"),
        ("scope", "__launches"),
        ("expires_at", "tomorrow"),
        ("expires_at", "2020-01-01"),
    ] {
        let fields: Vec<(&str, &str)> = EHR
            .iter()
            .map(|(own, old)| if *own == name { (*own, value) } else { (*own, *old) })
            .collect();
        let page = send(&browser, NEW, NEW, &fields).await;
        assert!(
            page.body.contains(&format!("id=\"{name}-fault\"")),
            "{name}={value}: {page:?}"
        );
    }
    assert_eq!(keys(&clinic).await, []);
}

#[tokio::test]
async fn a_secret_is_replaced_with_an_overlap_and_a_key_revoked() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    let old = shown_secret(&send(&browser, NEW, NEW, &EHR).await, "zs_secret_");
    let id = keys(&clinic).await.remove(0).id;
    let page = format!("/admin/api-keys/{id}");
    let rotate = format!("{page}/rotate");
    for overlap in ["", "-1", "x", "2592001"] {
        let answer = send(&browser, &page, &rotate, &[("overlap_seconds", overlap)]).await;
        assert!(
            answer.body.contains("overlap_seconds-fault"),
            "{overlap}: {answer:?}"
        );
    }
    let answer = send(&browser, &page, &rotate, &[("overlap_seconds", "60")]).await;
    let new = shown_secret(&answer, "zs_secret_");
    let (old, new) = (SecretDigest::of(&old), SecretDigest::of(&new));
    let now = clinic.issuer.now();
    let key = keys(&clinic).await.remove(0);
    assert!(key.accepts(&old, now.plus(59)) && key.accepts(&new, now.plus(59)));
    assert!(!key.accepts(&old, now.plus(60)) && key.accepts(&new, now.plus(60)));
    assert_eq!(clinic.last_audit().await.action, AuditAction::ApiKeyRotation);

    let revoke = format!("{page}/revoke");
    assert!(browser.get(&revoke).await.body.contains("This cannot be undone"));
    assert_eq!(
        send(&browser, &revoke, &revoke, &[]).await.location(),
        format!("{page}?done=revoked")
    );
    assert_eq!(clinic.last_audit().await.action, AuditAction::ApiKeyRevocation);
    assert_eq!(
        send(&browser, &revoke, &revoke, &[]).await.location(),
        format!("{page}?done=gone")
    );
    assert_eq!(clinic.last_audit().await.action, AuditAction::Administration);
    let shown = browser.get(&page).await;
    assert!(
        shown.body.contains("<dd>revoked</dd>") && !shown.body.contains("<form"),
        "{shown:?}"
    );
    let key = keys(&clinic).await.remove(0);
    assert!(!key.accepts(&new, now));
}

#[tokio::test]
async fn nobody_gets_by_a_key_what_they_may_not_give() {
    let clinic = clinic().await;
    let role = role(
        &clinic,
        "openid user/Patient.rs __administration.read __administration.write",
    )
    .await;
    add(&clinic, READER, role).await;
    let browser = at(&clinic, READER).await;
    let fields = [
        ("name", "Mine"),
        ("scope", "system/*.cruds system/Patient.rs api:x observation.read"),
    ];
    let page = send(&browser, NEW, NEW, &fields).await;
    shown_secret(&page, "zs_secret_");
    assert_eq!(
        keys(&clinic).await.remove(0).scope.to_string(),
        "system/Patient.rs"
    );
    // A key that may do more: they may end it, and not take it over.
    send(
        &administrator(&clinic).await,
        NEW,
        NEW,
        &[("name", "Big"), ("scope", "system/*.cruds")],
    )
    .await;
    let named = |keys: Vec<ApiKey>| keys.into_iter().find(|key| key.name == "Big").unwrap();
    let big = named(keys(&clinic).await);
    let page = format!("/admin/api-keys/{}", big.id);
    let answer = send(
        &browser,
        &page,
        &format!("{page}/rotate"),
        &[("overlap_seconds", "0")],
    )
    .await;
    assert!(answer.body.contains("more than you may give"), "{answer:?}");
    assert_eq!(named(keys(&clinic).await).secret, big.secret);
    let revoke = format!("{page}/revoke");
    assert_eq!(
        send(&browser, &revoke, &revoke, &[]).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn hostile_names_stay_text() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    let page = send(
        &browser,
        NEW,
        NEW,
        &[
            ("name", HOSTILE),
            ("scope", "system/*.rs"),
            ("expires_at", HOSTILE),
        ],
    )
    .await;
    is_harmless(&page);
    send(&browser, NEW, NEW, &[("name", HOSTILE), ("scope", "system/*.rs")]).await;
    let id = keys(&clinic).await.remove(0).id;
    for path in [
        "/admin/api-keys".into(),
        format!("/admin/api-keys/{id}"),
        format!("/admin/api-keys/{id}/revoke"),
    ] {
        is_harmless(&browser.get(&path).await);
    }
}

#[tokio::test]
async fn the_list_has_pages() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    let token = browser.get(NEW).await.field("form_token");
    for number in 0..51 {
        let name = format!("Key {number}.");
        let fields = [
            ("form_token", token.as_str()),
            ("name", &name),
            ("scope", "system/*.rs"),
        ];
        assert_eq!(browser.post(NEW, &fields).await.status, StatusCode::OK);
    }
    let page = browser.get("/admin/api-keys").await;
    assert_eq!(page.body.matches(">Key ").count(), 50);
    let (before, _) = page.body.split_once("\" rel=\"next\"").unwrap();
    let next = browser.get(before.rsplit_once("href=\"").unwrap().1).await;
    assert_eq!(next.body.matches(">Key ").count(), 1, "{next:?}");
    assert!(next.body.contains("First page"));
}
