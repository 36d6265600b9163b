//! The search of the audit trail in the console.

use std::borrow::Cow;

use http::StatusCode;

use super::{ADMINISTRATOR, HOSTILE, administrator, clinic, is_harmless};
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::web::testing::{Clinic, PATIENT};

async fn record(clinic: &Clinic, event: AuditEvent) {
    clinic.issuer.store().record(event).await.unwrap();
}

fn event(clinic: &Clinic, action: AuditAction) -> AuditEvent {
    AuditEvent::new(clinic.issuer.now(), action, AuditOutcome::Success)
}

#[tokio::test]
async fn filters_narrow_what_is_shown() {
    let clinic = clinic().await;
    clinic.browser().sign_in("/login", PATIENT, "wrong").await;
    record(
        &clinic,
        event(&clinic, AuditAction::Launch).with_client("other-app"),
    )
    .await;
    let browser = administrator(&clinic).await;
    for (query, shown, hidden) in [
        (
            "action=launch",
            "<code>other-app</code>",
            "<code>wrong_password</code>",
        ),
        (
            "outcome=failure",
            "<code>wrong_password</code>",
            "<code>other-app</code>",
        ),
        (
            "client=other-app",
            "<code>launch</code>",
            "<code>wrong_password</code>",
        ),
        (
            "reason=wrong",
            "<code>wrong_password</code>",
            "<code>other-app</code>",
        ),
        (
            "user=pat%40example.org",
            "<code>wrong_password</code>",
            "<code>other-app</code>",
        ),
        ("from=2027-01-15&until=2027-01-15", "Nothing was found", "<table>"),
    ] {
        let page = browser.get(&format!("/admin/audit?{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}: {page:?}");
        assert!(page.body.contains(shown), "{query}: no {shown} in {page:?}");
        assert!(!page.body.contains(hidden), "{query}: {hidden} in {page:?}");
    }
}

#[tokio::test]
async fn pages_lead_on_and_back_to_the_first_with_the_same_filters() {
    let clinic = clinic().await;
    for line in 0..120 {
        record(
            &clinic,
            event(&clinic, AuditAction::Launch).with_client(format!("app-{line}")),
        )
        .await;
    }
    let browser = administrator(&clinic).await;
    let (mut path, mut seen) = (String::from("/admin/audit?action=launch"), 0);
    loop {
        let page = browser.get(&path).await;
        seen += page.body.matches("<code>launch</code>").count();
        let Some((before, _)) = page.body.split_once("\" rel=\"next\"") else {
            assert!(
                page.body
                    .contains("href=\"/admin/audit?action=launch\">First page"),
                "{page:?}"
            );
            break;
        };
        path = before
            .rsplit_once("href=\"")
            .unwrap()
            .1
            .replace("&#38;", "&")
            .replace("&amp;", "&");
        assert!(path.starts_with("/admin/audit?action=launch&after="), "{path}");
    }
    assert_eq!(seen, 120);
}

#[tokio::test]
async fn what_cannot_be_searched_for_is_said_beside_its_field() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    for (query, fault) in [
        ("user=nobody%40example.org", "user-fault"),
        ("action=dance", "action-fault"),
        ("outcome=maybe", "outcome-fault"),
        ("from=yesterday", "from-fault"),
        ("until=2027-13-01", "until-fault"),
        ("ip=1.2.3", "ip-fault"),
    ] {
        let page = browser.get(&format!("/admin/audit?{query}")).await;
        assert!(
            page.body.contains(&format!("id=\"{fault}\"")),
            "{query}: {page:?}"
        );
        assert!(
            page.body.contains("<title>Error: ") && page.body.contains("role=\"alert\""),
            "{query}"
        );
        assert!(!page.body.contains("<table>"), "{query}");
    }
    for query in ["after=x", "user=a&user=b"] {
        let answer = browser.get(&format!("/admin/audit?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn looking_is_not_recorded_and_hostile_values_stay_text() {
    let clinic = clinic().await;
    let hostile = AuditEvent {
        reason: Some(Cow::Borrowed(HOSTILE)),
        ..event(&clinic, AuditAction::Launch)
            .with_user(HOSTILE)
            .with_client(HOSTILE)
            .with_object(HOSTILE)
    };
    record(&clinic, hostile).await;
    let browser = administrator(&clinic).await;
    let before = clinic.issuer.store().audit_events(1000).await.unwrap().len();
    is_harmless(&browser.get("/admin/audit").await);
    let typed = form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect::<String>();
    is_harmless(
        &browser
            .get(&format!("/admin/audit?reason={typed}&user={typed}"))
            .await,
    );
    assert_eq!(
        clinic.issuer.store().audit_events(1000).await.unwrap().len(),
        before
    );
}

#[tokio::test]
async fn what_an_administrator_did_is_found_by_their_address() {
    let clinic = clinic().await;
    let person = clinic
        .issuer
        .store()
        .user_by_email(ADMINISTRATOR)
        .await
        .unwrap()
        .unwrap();
    record(
        &clinic,
        event(&clinic, AuditAction::RoleChange)
            .with_actor(Some(person.id))
            .with_object("role-7"),
    )
    .await;
    let browser = administrator(&clinic).await;
    let page = browser
        .get("/admin/audit?user=admin%40example.org&object=role-7")
        .await;
    assert!(page.body.contains("<code>role_change</code>"), "{page:?}");
}
