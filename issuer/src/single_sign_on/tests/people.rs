//! Whose account a provider opens, who gets one, and who signs in without it.

use http::StatusCode;
use serde_json::json;

use super::{DOMAIN, PATIENT, Realm, allow_loopback, connect, settings};
use crate::account_links::{LinkMaker, Made, Way};
use crate::domain::account_link::LinkPurpose;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::role::{BUILDER_ADMIN, CARE_TEAM_USER as CARE_TEAM, PATIENT as PATIENTS};
use crate::domain::single_sign_on::{RoleRule, UnknownPeople};
use crate::domain::user::User;
use crate::testing::{FakeProvider, ISSUER, START, user};
use crate::web::testing::{Answer, Clinic, PASSWORD};

/// What follows when somebody arrives as this address under this subject.
async fn arrive_as(realm: &Realm, email: &str, subject: &str) -> Answer {
    let traveller = realm.travel(email).await;
    let mut claims = realm.claims(&traveller, email);
    claims["sub"] = subject.into();
    claims["name"] = "Nora New".into();
    realm.arrive(&traveller, &claims).await
}

async fn reason(realm: &Realm) -> Option<String> {
    realm.clinic.last_audit().await.reason.map(Into::into)
}

#[tokio::test]
async fn unknown_and_closed_accounts_get_the_same_page() {
    let realm = Realm::open().await;
    let gone = User {
        deactivated_at: Some(START),
        ..user("gone@example.org")
    };
    realm.clinic.issuer.insert_user(gone).await;
    let unknown = arrive_as(&realm, "nobody@example.org", "1").await;
    assert_eq!(reason(&realm).await.as_deref(), Some("unknown_account"));
    let closed = arrive_as(&realm, "gone@example.org", "2").await;
    assert_eq!(reason(&realm).await.as_deref(), Some("deactivated_account"));
    assert_eq!((unknown.status, unknown.body), (closed.status, closed.body));
}

#[tokio::test]
async fn a_person_whose_account_is_closed_later_stays_out() {
    let realm = Realm::open().await;
    assert_eq!(arrive_as(&realm, PATIENT, "1").await.location(), "/");
    let store = realm.clinic.issuer.store();
    let person = store.user_by_email(PATIENT).await.unwrap().unwrap();
    let audit = realm.audit(AuditAction::UserDeactivation);
    let closed = store.deactivate_user(&person.id, None, audit).await.unwrap();
    assert_eq!(closed, Ok(true));
    assert_eq!(
        arrive_as(&realm, PATIENT, "1").await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(reason(&realm).await.as_deref(), Some("deactivated_account"));
}

#[tokio::test]
async fn an_address_that_was_given_to_another_person_opens_nothing() {
    let realm = Realm::open().await;
    assert_eq!(arrive_as(&realm, PATIENT, "the first").await.location(), "/");
    assert_eq!(
        arrive_as(&realm, PATIENT, "the next").await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        reason(&realm).await.as_deref(),
        Some("sso_linked_to_another_subject")
    );
    // Until an administrator has looked at it.
    let store = realm.clinic.issuer.store();
    let person = store.user_by_email(PATIENT).await.unwrap().unwrap();
    let audit = realm.audit(AuditAction::SsoLink);
    assert!(store.delete_sso_link(&person.id, &realm.id, audit).await.unwrap());
    assert_eq!(arrive_as(&realm, PATIENT, "the next").await.location(), "/");
}

#[tokio::test]
async fn somebody_who_moved_to_another_organization_is_no_longer_the_first_ones() {
    let realm = Realm::open().await;
    let created = User {
        email: "moved@example.com".into(),
        ..user("moved@example.org")
    };
    let linked = realm.clinic.issuer.insert_user(user("mover@example.org")).await;
    assert_eq!(arrive_as(&realm, "mover@example.org", "1").await.location(), "/");
    // The same subject, linked with an account whose address is elsewhere.
    let store = realm.clinic.issuer.store();
    let audit = realm.audit(AuditAction::SsoLink);
    assert!(store.delete_sso_link(&linked.id, &realm.id, audit).await.unwrap());
    realm.clinic.issuer.insert_user(created).await;
    super::add_domain(&realm.clinic, &realm.id, "example.com").await;
    assert_eq!(arrive_as(&realm, "moved@example.com", "1").await.location(), "/");
    let audit = realm.audit(AuditAction::SsoDomainChange);
    let domain = crate::domain::single_sign_on::DomainName::parse("example.com").unwrap();
    let _ = store.delete_sso_domain(&realm.id, &domain, audit).await.unwrap();
    assert_eq!(
        arrive_as(&realm, PATIENT, "1").await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(reason(&realm).await.as_deref(), Some("sso_email_domain"));
}

#[tokio::test]
async fn strangers_get_an_account_where_the_connection_says_so() {
    let realm = Realm::with(|settings| {
        settings.unknown_people = UnknownPeople::Create;
        settings.default_role = Some(PATIENTS.into());
    })
    .await;
    assert_eq!(arrive_as(&realm, "New@example.org", "1").await.location(), "/");
    let store = realm.clinic.issuer.store();
    let made = store.user_by_email("new@example.org").await.unwrap().unwrap();
    assert_eq!(
        (
            made.name.as_str(),
            made.role.as_ref().map(|role| role.id.as_str())
        ),
        ("Nora New", Some(PATIENTS))
    );
    assert!(made.password_hash.is_none());
    let actions: Vec<AuditAction> = store
        .audit_events(3)
        .await
        .unwrap()
        .iter()
        .map(|event| event.action)
        .collect();
    assert_eq!(
        actions,
        [
            AuditAction::SignIn,
            AuditAction::SsoLink,
            AuditAction::UserCreation
        ]
    );
    assert_eq!(arrive_as(&realm, "New@example.org", "1").await.location(), "/");
    assert_eq!(store.sso_links_of(&made.id).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_first_sign_ins_at_once_one_makes_the_account() {
    let realm =
        std::sync::Arc::new(Realm::with(|settings| settings.unknown_people = UnknownPeople::Create).await);
    // The token of the last traveller is given for every code, so each has to have the same nonce: the store is raced.
    let store = realm.clinic.issuer.store().clone();
    let (id, audit) = (realm.id.clone(), realm.audit(AuditAction::SignIn));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, id, audit) = (store.clone(), id.clone(), audit.clone());
        tasks.spawn(async move {
            let identity = crate::store::ProvidedIdentity {
                connection_id: id,
                subject: "1".into(),
                email: "new@example.org".into(),
                role_id: None,
                grants_administration: false,
                new_account: Some(user("new@example.org")),
            };
            match store.provided_account(identity, audit).await.unwrap() {
                crate::store::ProvidedAccount::Person(user) => user.id,
                other => panic!("{other:?}"),
            }
        });
    }
    let mut ids = tasks.join_all().await;
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
}

fn rule(value: &str, role: &str) -> RoleRule {
    RoleRule {
        claim: "groups".into(),
        value: value.into(),
        role: role.into(),
    }
}

/// Lets the patient arrive with these groups, and gives the role they have then.
async fn role_after(realm: &Realm, groups: serde_json::Value) -> Option<String> {
    let traveller = realm.travel(PATIENT).await;
    let mut claims = realm.claims(&traveller, PATIENT);
    claims["groups"] = groups;
    assert_eq!(realm.arrive(&traveller, &claims).await.location(), "/");
    let person = realm
        .clinic
        .issuer
        .store()
        .user_by_email(PATIENT)
        .await
        .unwrap()
        .unwrap();
    person.role.map(|role| role.id)
}

#[tokio::test]
async fn claims_give_roles_at_each_sign_in() {
    let realm = Realm::with(|settings| {
        settings.role_rules = vec![rule("physicians", CARE_TEAM)];
        settings.default_role = Some(PATIENTS.into());
    })
    .await;
    for (groups, role) in [
        (json!(["staff", "physicians"]), CARE_TEAM),
        (json!([]), PATIENTS),
        (json!("physicians"), CARE_TEAM),
    ] {
        assert_eq!(role_after(&realm, groups).await.as_deref(), Some(role));
        let changes = realm.clinic.issuer.store().audit_events(3).await.unwrap();
        let change = changes
            .iter()
            .find(|event| event.action == AuditAction::UserChange)
            .unwrap();
        assert!(change.user_id.is_some());
        assert_eq!(change.method.as_deref(), Some("sso"));
    }
}

#[tokio::test]
async fn a_connection_makes_and_unmakes_administrators_only_where_that_was_said() {
    let rules = |settings: &mut crate::domain::single_sign_on::ConnectionSettings| {
        settings.role_rules = vec![rule("admins", BUILDER_ADMIN)];
        settings.default_role = Some(PATIENTS.into());
    };
    let realm = Realm::with(rules).await;
    assert_eq!(role_after(&realm, json!([])).await.as_deref(), Some(PATIENTS));
    assert_eq!(
        role_after(&realm, json!("admins")).await.as_deref(),
        Some(PATIENTS)
    );
    let may = Realm::with(|settings| {
        rules(settings);
        settings.grants_administration = true;
    })
    .await;
    let another = User {
        role: may.clinic.issuer.store().role(BUILDER_ADMIN).await.unwrap(),
        ..user("another@example.com")
    };
    may.clinic.issuer.insert_user(another).await;
    assert_eq!(
        role_after(&may, json!("admins")).await.as_deref(),
        Some(BUILDER_ADMIN)
    );
    assert_eq!(role_after(&may, json!([])).await.as_deref(), Some(PATIENTS));

    // An administrator who was made here stays one.
    let administrator = User {
        role: realm.clinic.issuer.store().role(BUILDER_ADMIN).await.unwrap(),
        ..user("admin@example.org")
    };
    realm.clinic.issuer.insert_user(administrator).await;
    assert_eq!(arrive_as(&realm, "admin@example.org", "1").await.location(), "/");
    let found = realm
        .clinic
        .issuer
        .store()
        .user_by_email("admin@example.org")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.role.unwrap().id, BUILDER_ADMIN);
}

#[tokio::test]
async fn a_sign_in_does_not_unmake_the_last_administrator() {
    let realm = Realm::with(|settings| {
        settings.role_rules = vec![rule("admins", BUILDER_ADMIN)];
        settings.default_role = Some(PATIENTS.into());
        settings.grants_administration = true;
    })
    .await;
    assert_eq!(
        role_after(&realm, json!("admins")).await.as_deref(),
        Some(BUILDER_ADMIN)
    );
    assert_eq!(
        role_after(&realm, json!([])).await.as_deref(),
        Some(BUILDER_ADMIN)
    );
    let lines = realm.clinic.issuer.store().audit_events(3).await.unwrap();
    let kept = lines
        .iter()
        .find(|line| line.action == AuditAction::UserChange)
        .unwrap();
    assert_eq!(
        (kept.outcome, kept.reason.as_deref()),
        (AuditOutcome::Failure, Some("last_administrator"))
    );
    assert!(kept.user_id.is_some());
}

#[tokio::test]
async fn strangers_for_whom_no_role_follows_get_no_account() {
    for default_role in [None, Some("role-that-is-gone"), Some(BUILDER_ADMIN)] {
        let realm = Realm::with(|settings| {
            settings.unknown_people = UnknownPeople::Create;
            settings.role_rules = vec![rule("physicians", CARE_TEAM)];
            settings.default_role = default_role.map(String::from);
        })
        .await;
        let answer = arrive_as(&realm, "new@example.org", "1").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{default_role:?}");
        assert_eq!(reason(&realm).await.as_deref(), Some("sso_without_role"));
        let store = realm.clinic.issuer.store();
        assert!(store.user_by_email("new@example.org").await.unwrap().is_none());
        // Whoever has an account goes on as before.
        assert_eq!(arrive_as(&realm, PATIENT, "2").await.location(), "/");
    }
}

#[tokio::test]
async fn nobody_passes_by_the_provider_by_how_they_write_their_address() {
    let realm = Realm::open().await;
    for email in [
        "gr\u{e4}ce@example.org",
        "grace@example.org.",
        "\u{4e2d}@EXAMPLE.ORG",
    ] {
        realm.clinic.issuer.insert_user(user(&email.to_lowercase())).await;
        let browser = realm.clinic.browser();
        let sent = realm.typed(&browser, "/login", email).await;
        assert!(sent.location().contains("/authorize?"), "{email}: {sent:?}");
    }
}

#[tokio::test]
async fn without_rules_and_for_people_who_can_do_without_the_provider_a_role_stays_as_it_is() {
    let realm = Realm::with(|settings| settings.default_role = Some(PATIENTS.into())).await;
    assert_eq!(role_after(&realm, json!([])).await, None);
    let realm = Realm::with(|settings| settings.role_rules = vec![rule("physicians", CARE_TEAM)]).await;
    let store = realm.clinic.issuer.store();
    let person = store.user_by_email(PATIENT).await.unwrap().unwrap();
    let audit = realm.audit(AuditAction::UserChange);
    assert!(store.set_local_sign_in(&person.id, true, audit).await.unwrap());
    assert_eq!(role_after(&realm, json!("physicians")).await, None);
}

#[tokio::test]
async fn one_person_may_come_by_several_connections() {
    let realm = Realm::open().await;
    assert_eq!(arrive_as(&realm, PATIENT, "1").await.location(), "/");
    let second = FakeProvider::start().await;
    let mut other = settings(&second.issuer);
    other.name = "Another".into();
    let audit = realm.audit(AuditAction::SsoDomainChange);
    let domain = crate::domain::single_sign_on::DomainName::parse(DOMAIN).unwrap();
    let store = realm.clinic.issuer.store();
    let _ = store.delete_sso_domain(&realm.id, &domain, audit).await.unwrap();
    let id = connect(&realm.clinic, other, DOMAIN).await;
    let person = store.user_by_email(PATIENT).await.unwrap().unwrap();
    let realm = Realm {
        clinic: realm.clinic,
        provider: second,
        id,
    };
    assert_eq!(arrive_as(&realm, PATIENT, "1").await.location(), "/");
    let links = realm
        .clinic
        .issuer
        .store()
        .sso_links_of(&person.id)
        .await
        .unwrap();
    assert_eq!(links.len(), 2);
}

#[tokio::test]
async fn where_people_sign_in_by_a_provider_their_passwords_open_nothing() {
    let realm = Realm::open().await;
    let mut pages = Vec::new();
    for (email, password, why) in [
        (PATIENT, PASSWORD, "sso_required"),
        (PATIENT, "wrong", "wrong_password"),
        ("nobody@example.org", PASSWORD, "unknown_account"),
    ] {
        for page in ["/login", "/login?local=1"] {
            let browser = realm.clinic.browser();
            let token = browser.get(page).await.field("form_token");
            let fields = [
                ("form_token", token.as_str()),
                ("email", email),
                ("password", password),
                ("local", "1"),
            ];
            let answer = browser.post("/login", &fields).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
            assert_eq!(reason(&realm).await.as_deref(), Some(why));
            pages.push(
                answer
                    .body
                    .replace(email, "ADDRESS")
                    .replace(&answer.field("form_token"), "TOKEN"),
            );
        }
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "{pages:?}");
}

#[tokio::test]
async fn forgetting_a_password_tells_nothing_of_providers() {
    let clinic = Clinic::with_config(|config| {
        allow_loopback(config);
        config.development.outbox = true;
    })
    .await;
    let asked = async |email: &str| {
        let browser = clinic.browser();
        let token = browser.get("/password/forgot").await.field("form_token");
        let fields = [("form_token", token.as_str()), ("email", email)];
        let answer = browser.post("/password/forgot", &fields).await;
        let location = answer.header("location").unwrap_or_default().to_owned();
        (
            answer.status,
            location,
            answer.body.replace(email, "ADDRESS").replace(&token, "TOKEN"),
        )
    };
    let before = asked(PATIENT).await;
    let provider = FakeProvider::start().await;
    connect(&clinic, settings(&provider.issuer), DOMAIN).await;
    assert_eq!(
        asked(PATIENT).await,
        before,
        "the answer tells nothing of providers"
    );
    assert_eq!(asked("nobody@example.org").await, before);
}

#[tokio::test]
async fn a_password_that_is_set_by_a_link_opens_nothing_where_people_sign_in_by_a_provider() {
    let clinic = Clinic::with_config(|config| {
        allow_loopback(config);
        config.development.outbox = true;
    })
    .await;
    let provider = FakeProvider::start().await;
    connect(&clinic, settings(&provider.issuer), DOMAIN).await;
    let state = &clinic.issuer.state;
    let person = state.store().user_by_email(PATIENT).await.unwrap().unwrap();
    let audit = AuditEvent::new(state.now(), AuditAction::Invitation, AuditOutcome::Success);
    let made = LinkMaker::of(state)
        .make(&person, LinkPurpose::Reset, Way::HandOver, None, audit)
        .await
        .unwrap();
    let Made::ToHandOver { link, .. } = made else {
        panic!("{made:?}");
    };
    let browser = clinic.browser();
    let page = browser.get(link.expose().strip_prefix(ISSUER).unwrap()).await;
    let (form_token, token) = (page.field("form_token"), page.field("token"));
    let password = "Sturdy-oak-7";
    let fields = [
        ("form_token", form_token.as_str()),
        ("token", &token),
        ("new_password", password),
    ];
    assert_eq!(
        browser.post("/password/reset", &fields).await.status,
        StatusCode::SEE_OTHER
    );
    let browser = clinic.browser();
    let token = browser.get("/login?local=1").await.field("form_token");
    let fields = [
        ("form_token", token.as_str()),
        ("email", PATIENT),
        ("password", password),
        ("local", "1"),
    ];
    let answer = browser.post("/login", &fields).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
    assert_eq!(clinic.last_audit().await.reason.as_deref(), Some("sso_required"));
}

#[tokio::test]
async fn who_may_sign_in_without_the_provider_does_so_at_a_page_of_its_own() {
    let realm = Realm::open().await;
    let store = realm.clinic.issuer.store();
    let person = store.user_by_email(PATIENT).await.unwrap().unwrap();
    let audit = realm.audit(AuditAction::UserChange);
    assert!(store.set_local_sign_in(&person.id, true, audit).await.unwrap());
    // The usual page sends them off like everybody.
    assert_eq!(realm.travel(PATIENT).await.sent.status, StatusCode::SEE_OTHER);
    // The other one asks everybody for a password, and tells nothing.
    let browser = realm.clinic.browser();
    for email in [PATIENT, "nobody@example.org"] {
        let answer = realm.typed(&browser, "/login?local=1", email).await;
        assert!(
            answer.body.contains("name=\"password\"") && answer.body.contains("name=\"local\""),
            "{answer:?}"
        );
        assert!(answer.body.contains("href=\"/login?local=1\""), "{answer:?}");
    }
    let page = realm.typed(&browser, "/login?local=1", PATIENT).await;
    let token = page.field("form_token");
    let fields = [
        ("form_token", token.as_str()),
        ("email", PATIENT),
        ("password", PASSWORD),
        ("step", "password"),
        ("local", "1"),
    ];
    assert_eq!(browser.post("/login", &fields).await.location(), "/");
}

#[tokio::test]
async fn nobody_without_a_password_is_offered_a_new_one() {
    let realm = Realm::with(|settings| {
        settings.unknown_people = UnknownPeople::Create;
        settings.default_role = Some(PATIENTS.into());
    })
    .await;
    for (email, offered) in [(PATIENT, true), ("nora@example.org", false)] {
        let traveller = realm.travel(email).await;
        let mut claims = realm.claims(&traveller, email);
        claims["name"] = "Nora New".into();
        assert_eq!(realm.arrive(&traveller, &claims).await.location(), "/");
        let page = traveller.browser.get("/account").await;
        assert!(page.body.contains("<h1>Your account</h1>"), "{page:?}");
        assert_eq!(page.body.contains("Choose a new one."), offered, "{page:?}");
    }
}
