//! The console as a browser meets it: who is let in, what its forms ask for, and what it shows of hostile values.

mod api_keys;
mod audit;
mod clients;
mod connections;
mod people;

use http::StatusCode;
use wardgate_shared::scope::ScopeSet;

use super::PAGES;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::role::{BUILDER_ADMIN, Role, SecondFactorPolicy};
use crate::domain::user::User;
use crate::store::Insertion;
use crate::testing::{START, user};
use crate::web::testing::{Answer, Browser, Clinic, PASSWORD, PATIENT, PHYSICIAN};

pub(super) const ADMINISTRATOR: &str = "admin@example.org";
pub(super) const READER: &str = "reader@example.org";
/// What no page may show as anything but text.
pub(super) const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror='x'>";

/// A clinic with somebody of the built-in role for administrators.
pub(super) async fn clinic() -> Clinic {
    let clinic = Clinic::open().await;
    let role = clinic.issuer.store().role(BUILDER_ADMIN).await.unwrap().unwrap();
    add(&clinic, ADMINISTRATOR, role).await;
    clinic
}

/// A role of the clinic's own.
pub(super) async fn role(clinic: &Clinic, ceiling: &str) -> Role {
    let role = Role {
        id: format!("role-{}", ceiling.len()),
        name: format!("Role with {ceiling}"),
        built_in: false,
        ceiling: Some(ScopeSet::parse(ceiling).unwrap()),
        second_factor: SecondFactorPolicy::Offered,
        created_at: START,
    };
    let audit = AuditEvent::new(START, AuditAction::RoleCreation, AuditOutcome::Success);
    let inserted = clinic.issuer.store().insert_role(role.clone(), audit).await;
    assert_eq!(inserted.unwrap(), Insertion::Inserted);
    role
}

/// Somebody of this role.
pub(super) async fn add(clinic: &Clinic, email: &str, role: Role) -> User {
    let hash = clinic
        .issuer
        .state
        .passwords()
        .hash(String::from(PASSWORD).into())
        .await
        .unwrap();
    clinic
        .issuer
        .insert_user(User {
            password_hash: Some(hash),
            role: Some(role),
            name: format!("Person {email}"),
            ..user(email)
        })
        .await
}

/// A browser in which this person has signed in.
pub(super) async fn at(clinic: &Clinic, email: &str) -> Browser {
    let browser = clinic.browser();
    browser.sign_in("/login", email, PASSWORD).await;
    browser
}

/// The administrator's browser.
pub(super) async fn administrator(clinic: &Clinic) -> Browser {
    at(clinic, ADMINISTRATOR).await
}

/// Sends the form that `page` shows to `action`, with these fields.
pub(super) async fn send(browser: &Browser, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
    let shown = browser.get(page).await;
    assert_eq!(shown.status, StatusCode::OK, "{shown:?}");
    let token = shown.field("form_token");
    browser
        .post(action, &[&[("form_token", token.as_str())], fields].concat())
        .await
}

/// Asserts that a page is whole and holds the hostile text as text.
#[track_caller]
pub(super) fn is_harmless(page: &Answer) {
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    for forbidden in ["<script", "<img", "onerror='", "style=\""] {
        assert!(!page.body.contains(forbidden), "{forbidden} in {page:?}");
    }
    assert!(
        page.body.contains("&#60;script") || page.body.contains("&lt;script"),
        "{page:?}"
    );
    assert_eq!(page.body.matches("<h1>").count(), 1);
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'self'; form-action 'self'"),
        "{policy}"
    );
}

/// Every path of the console.
fn paths() -> Vec<String> {
    PAGES
        .iter()
        .map(|page| {
            page.path
                .replace("{id}", "app")
                .replace("{domain}", "clinic.example")
        })
        .collect()
}

/// Every answer of the page at `path` to this browser, to each method that the page takes.
async fn answers(browser: &Browser, path: &str) -> Vec<Answer> {
    let answers = [
        browser.get(path).await,
        browser.post(path, &[("name", "x")]).await,
    ];
    let taken: Vec<Answer> = answers
        .into_iter()
        .filter(|answer| answer.status != StatusCode::METHOD_NOT_ALLOWED)
        .collect();
    assert!(!taken.is_empty(), "{path}");
    taken
}

#[tokio::test]
async fn every_page_is_closed_to_whoever_is_no_administrator() {
    let clinic = clinic().await;
    let stranger = clinic.browser();
    let missing = clinic.browser().get("/nothing-here").await;
    let mut insiders = Vec::new();
    for email in [PATIENT, PHYSICIAN] {
        insiders.push(at(&clinic, email).await);
    }
    let lines = clinic.issuer.store().audit_events(1000).await.unwrap().len();
    for path in paths() {
        for answer in answers(&stranger, &path).await {
            assert!(
                answer.location().starts_with("/login?next=admin"),
                "{path}: {answer:?}"
            );
        }
        for browser in &insiders {
            for answer in answers(browser, &path).await {
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {answer:?}");
                assert_eq!(answer.body, missing.body, "{path}");
            }
        }
    }
    assert_eq!(
        clinic.issuer.store().audit_events(1000).await.unwrap().len(),
        lines
    );
}

#[tokio::test]
async fn no_page_takes_a_form_without_its_token_or_from_another_site() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    // A lawful token, of another page.
    let token = browser.get("/admin/new-client").await.field("form_token");
    let lines = clinic.issuer.store().audit_events(1000).await.unwrap().len();
    for path in paths() {
        let takes_forms = browser.post(&path, &[]).await.status != StatusCode::METHOD_NOT_ALLOWED;
        if !takes_forms {
            continue;
        }
        let mut forged = vec![("form_token", "AAAA")];
        let refused = browser.post(&path, &forged).await.status;
        assert_eq!(refused, StatusCode::BAD_REQUEST, "{path}");
        if path != "/admin/new-client" {
            forged = vec![("form_token", token.as_str())];
            let refused = browser.post(&path, &forged).await.status;
            assert_eq!(refused, StatusCode::BAD_REQUEST, "{path}");
        }
        let foreign = [("sec-fetch-site", "cross-site")];
        let refused = browser.post_with(&path, &forged, &foreign).await.status;
        assert_eq!(refused, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(
        clinic.issuer.store().audit_events(1000).await.unwrap().len(),
        lines
    );
}

#[tokio::test]
async fn whoever_may_only_read_sees_no_form_and_changes_nothing() {
    let clinic = clinic().await;
    let role = role(&clinic, "openid __administration.read").await;
    add(&clinic, READER, role).await;
    let reader = at(&clinic, READER).await;
    let list = reader.get("/admin/clients").await;
    assert_eq!(list.status, StatusCode::OK);
    assert!(!list.body.contains("/admin/new-client"));
    let page = reader.get("/admin/clients/app").await;
    assert!(!page.body.contains("/change") && !page.body.contains("/remove"));
    for path in paths() {
        let answer = reader.post(&path, &[("form_token", "x")]).await;
        if answer.status == StatusCode::METHOD_NOT_ALLOWED {
            continue;
        }
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}: {answer:?}");
    }
    for path in [
        "/admin/new-client",
        "/admin/new-api-key",
        "/admin/clients/app/remove",
    ] {
        assert_eq!(reader.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn the_console_asks_to_sign_in_again_after_its_time_and_leads_back() {
    let clinic = Clinic::with_config(|config| {
        config.sessions.idle_seconds = 100_000;
        config.sessions.absolute_seconds = 100_000;
    })
    .await;
    let role = clinic.issuer.store().role(BUILDER_ADMIN).await.unwrap().unwrap();
    add(&clinic, ADMINISTRATOR, role).await;
    let browser = administrator(&clinic).await;
    clinic.issuer.advance(14_399);
    assert_eq!(browser.get("/admin/audit").await.status, StatusCode::OK);
    clinic.issuer.advance(1);
    let answer = browser.get("/admin/audit").await;
    assert_eq!(answer.sent("next").as_deref(), Some("admin/audit"));
    // Their account is open all the same.
    assert_eq!(browser.get("/account").await.status, StatusCode::OK);
    let page = browser.get(answer.location()).await;
    let fields = [
        ("form_token", &*page.field("form_token")),
        ("next", &*page.field("next")),
        ("email", ADMINISTRATOR),
        ("password", PASSWORD),
    ];
    assert_eq!(browser.post("/login", &fields).await.location(), "/admin/audit");
    assert_eq!(browser.get("/admin/audit").await.status, StatusCode::OK);
}

#[tokio::test]
async fn whoever_stops_being_an_administrator_is_out_at_once() {
    let clinic = clinic().await;
    let role = clinic.issuer.store().role(BUILDER_ADMIN).await.unwrap().unwrap();
    add(&clinic, "another@example.org", role).await;
    let browser = administrator(&clinic).await;
    assert_eq!(browser.get("/admin").await.status, StatusCode::OK);
    let person = clinic
        .issuer
        .store()
        .user_by_email(ADMINISTRATOR)
        .await
        .unwrap()
        .unwrap();
    let audit = AuditEvent::new(START, AuditAction::UserDeactivation, AuditOutcome::Success);
    assert!(
        clinic
            .issuer
            .store()
            .deactivate_user(&person.id, None, audit)
            .await
            .unwrap()
            .unwrap()
    );
    assert!(browser.get("/admin").await.location().starts_with("/login"));
}

#[tokio::test]
async fn the_overview_counts_and_shows_what_was_refused_last() {
    let clinic = clinic().await;
    clinic.browser().sign_in("/login", PATIENT, "wrong").await;
    let page = administrator(&clinic).await.get("/admin").await;
    assert_eq!(page.status, StatusCode::OK);
    for shown in [
        "<dd>3</dd>",
        "<code>sign_in</code>",
        "aria-current=\"page\"",
        "Skip to the content",
    ] {
        assert!(page.body.contains(shown), "{shown}: {page:?}");
    }
}

#[tokio::test]
async fn the_front_page_leads_administrators_and_nobody_else_here() {
    let clinic = clinic().await;
    for (email, leads) in [(ADMINISTRATOR, true), (PHYSICIAN, false)] {
        let page = at(&clinic, email).await.get("/").await;
        assert!(page.body.contains("href=\"/account\""), "{page:?}");
        assert_eq!(page.body.contains("href=\"/admin\""), leads, "{email}");
    }
}

#[tokio::test]
async fn an_administrator_invites_on_creation_and_again() {
    let clinic = Clinic::with_config(|config| config.development.outbox = true).await;
    let role = clinic.issuer.store().role(BUILDER_ADMIN).await.unwrap().unwrap();
    add(&clinic, ADMINISTRATOR, role).await;
    let browser = administrator(&clinic).await;
    let new = "/admin/new-user";
    let fields = [
        ("email", "nora@example.org"),
        ("name", "Nora"),
        ("userType", "builder"),
        ("roleId", "role-care-team-user"),
        ("invite", "yes"),
    ];
    let made = send(&browser, new, new, &fields).await;
    assert!(made.location().ends_with("?done=invited"), "{made:?}");
    assert_eq!(clinic.last_audit().await.action, AuditAction::Invitation);
    let path = made.location().replace("?done=invited", "/invite");
    let again = send(&browser, &path, &path, &[]).await;
    assert!(again.location().ends_with("?done=invited"), "{again:?}");
    assert_eq!(clinic.last_audit().await.action, AuditAction::Invitation);
}

#[tokio::test]
async fn every_link_of_the_lists_leads_to_a_page() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    for list in [
        "/admin",
        "/admin/users",
        "/admin/roles",
        "/admin/organizations",
        "/admin/connections",
        "/admin/clients",
        "/admin/api-keys",
    ] {
        let page = browser.get(list).await;
        for link in page.body.split("href=\"/admin").skip(1) {
            let path = format!("/admin{}", link.split('"').next().unwrap()).replace("&amp;", "&");
            assert_eq!(browser.get(&path).await.status, StatusCode::OK, "{list}: {path}");
        }
    }
}

#[tokio::test]
async fn the_console_asks_for_the_second_factor_that_a_session_lacks() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    assert_eq!(browser.get("/admin/users").await.status, StatusCode::OK);
    // From now on the person has one, which was never given in this session.
    let state = &clinic.issuer.state;
    let user = state.store().user_by_email(ADMINISTRATOR).await.unwrap().unwrap();
    let seed = crate::login::second_factor::totp::Seed::generate().unwrap();
    let actor = crate::administration::Actor::operator();
    let added = crate::administration::factors::add_app(
        state.store(),
        state.notices(),
        state.sealer(),
        &actor,
        &user,
        (&seed, "App"),
        clinic.issuer.now(),
    );
    assert!(added.await.unwrap());
    let asked = browser.get("/admin/users").await;
    assert_eq!(asked.location(), "/login/mfa?next=admin%2Fusers");
    let changed = browser.post("/admin/new-user", &[("form_token", "x")]).await;
    assert!(
        changed.location().starts_with("/login/mfa?next=admin"),
        "{changed:?}"
    );
}

#[tokio::test]
async fn what_is_refused_is_recorded_as_by_the_api() {
    let clinic = clinic().await;
    let clerk = role(&clinic, "openid __administration.read __administration.write").await;
    let clerk = add(&clinic, READER, clerk).await;
    let (browser, limited) = (administrator(&clinic).await, at(&clinic, READER).await);
    let store = clinic.issuer.store();
    let admin = store.user_by_email(ADMINISTRATOR).await.unwrap().unwrap();
    let close = format!("/admin/users/{}/deactivate", admin.id);
    let secret = "/admin/clients/web/secret";
    for (browser, page, fields, reason, who) in [
        (&limited, secret, &[][..], "beyond_own_role", &clerk),
        (
            &browser,
            "/admin/new-role",
            &[
                ("name", "Patient"),
                ("scope", "openid"),
                ("secondFactor", "offered"),
            ],
            "taken",
            &admin,
        ),
        (
            &browser,
            "/admin/new-organization",
            &[("id", "a b")],
            "invalid_request",
            &admin,
        ),
        (&browser, &close, &[], "last_administrator", &admin),
        (
            &browser,
            "/admin/new-user",
            &[("email", "x")],
            "invalid_request",
            &admin,
        ),
        (
            &browser,
            "/admin/new-client",
            &[("metadata", "no object")],
            "malformed_request",
            &admin,
        ),
        (
            &browser,
            "/admin/new-client",
            &[("client_id", "a b")],
            "invalid_request",
            &admin,
        ),
        (
            &browser,
            "/admin/new-api-key",
            &[("scope", "\"")],
            "malformed_request",
            &admin,
        ),
        (
            &browser,
            "/admin/new-api-key",
            &[("scope", "system/*.rs")],
            "invalid_request",
            &admin,
        ),
        (
            &browser,
            "/admin/new-connection",
            &[("roleRules", "x")],
            "malformed_request",
            &admin,
        ),
        (
            &browser,
            "/admin/new-connection",
            &[("preset", "other")],
            "invalid_request",
            &admin,
        ),
    ] {
        let before = store.audit_events(1000).await.unwrap().len();
        let answer = send(browser, page, page, fields).await;
        assert_eq!(answer.status, StatusCode::OK, "{page}: {answer:?}");
        assert_eq!(
            store.audit_events(1000).await.unwrap().len(),
            before + 1,
            "{page}"
        );
        let line = clinic.last_audit().await;
        assert_eq!(
            (line.action, line.outcome, line.reason.as_deref()),
            (AuditAction::Administration, AuditOutcome::Failure, Some(reason)),
            "{page}"
        );
        assert_eq!(line.method.as_deref(), Some("console"));
        assert_eq!(line.actor_id.as_ref(), Some(&who.id), "{page}");
    }
}
