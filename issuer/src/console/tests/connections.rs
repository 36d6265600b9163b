//! Connections to identity providers in the console.

use http::StatusCode;

use super::{HOSTILE, READER, add, administrator, at, is_harmless, role, send};
use crate::administration::sso_connections::ConnectionError;
use crate::console::connections::fault;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::role::{BUILDER_ADMIN, CARE_TEAM_USER};
use crate::domain::single_sign_on::{Connection, RoleRule};
use crate::store::{ProvidedAccount, ProvidedIdentity};
use crate::testing::{FakeProvider, START};
use crate::web::testing::{Answer, Browser, Clinic, PATIENT, changed};

const NEW: &str = "/admin/new-connection";
const SECRET: &str = "the-client-secret";

/// A clinic, a provider, and an administrator's browser.
struct Office {
    clinic: Clinic,
    provider: FakeProvider,
    browser: Browser,
}

impl Office {
    async fn open() -> Self {
        let clinic = Clinic::with_config(|config| config.outbound.allow_loopback_http = true).await;
        let role = clinic.issuer.store().role(BUILDER_ADMIN).await.unwrap().unwrap();
        add(&clinic, super::ADMINISTRATOR, role).await;
        let browser = administrator(&clinic).await;
        Self {
            clinic,
            provider: FakeProvider::start().await,
            browser,
        }
    }

    fn fields(&self) -> Vec<(&str, &str)> {
        vec![
            ("name", "Example Clinic"),
            ("preset", "generic"),
            ("issuer", &self.provider.issuer),
            ("clientId", "wardgate"),
            ("clientSecret", SECRET),
            ("scopes", "openid email profile"),
            ("requiredAmr", ""),
            ("unknownPeople", "create"),
            ("defaultRoleId", CARE_TEAM_USER),
            (
                "roleRules",
                "groups=nurses:Care Team User\r\n\r\ncognito:groups=a=b:Patient\r\n",
            ),
        ]
    }

    async fn send(&self, page: &str, fields: &[(&str, &str)]) -> Answer {
        send(&self.browser, page, page, fields).await
    }

    async fn connections(&self) -> Vec<Connection> {
        self.clinic.issuer.store().sso_connections().await.unwrap()
    }

    /// Makes the connection, and gives its page.
    async fn connected(&self) -> String {
        let answer = self.send(NEW, &self.fields()).await;
        let id = self.connections().await.remove(0).id;
        let page = format!("/admin/connections/{id}");
        assert_eq!(answer.location(), format!("{page}?done=connected"));
        page
    }

    /// Claims a domain, and gives its page.
    async fn claimed(&self, page: &str, domain: &str) -> String {
        let shown = format!("{page}/domains");
        let answer = send(&self.browser, page, &shown, &[("domain", domain)]).await;
        assert!(answer.location().ends_with("?done=claimed"), "{answer:?}");
        answer.location().replace("?done=claimed", "")
    }

    /// The way in of an address, as the page explains it.
    async fn explained(&self, email: &str) -> String {
        let page = self
            .browser
            .get(&format!("/admin/explain-sign-in?email={email}"))
            .await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        page.body
    }
}

#[tokio::test]
async fn a_connection_is_made_attested_enabled_changed_and_removed_and_its_secret_never_shown() {
    let office = Office::open().await;
    let page = office.connected().await;
    let made = office.connections().await.remove(0);
    let rule = |claim: &str, value: &str, role: &str| RoleRule {
        claim: claim.into(),
        value: value.into(),
        role: role.into(),
    };
    let rules = [
        rule("groups", "nurses", CARE_TEAM_USER),
        rule("cognito:groups", "a=b", "role-patient"),
    ];
    assert_eq!(made.settings.role_rules, rules);
    assert_eq!(made.settings.credential.method(), "client_secret_basic");
    let line = office.clinic.last_audit().await;
    assert_eq!(
        (line.action, line.method.as_deref(), line.object_id.as_ref()),
        (
            AuditAction::SsoConnectionCreation,
            Some("console"),
            Some(&made.id)
        )
    );
    let shown = office.browser.get(&page).await;
    for text in [
        "Nobody is sent there yet.",
        "nobody has attested it",
        "/login/sso/callback</code>",
        "<code>groups=nurses:Care Team User</code>",
        &*office.provider.issuer,
    ] {
        assert!(shown.body.contains(text), "{text}: {shown:?}");
    }
    assert!(
        !shown.body.contains("/enable\""),
        "not before it is attested: {shown:?}"
    );

    // Somebody who types the address all the same is told why not.
    let early = office.send(&format!("{page}/enable"), &[]).await;
    assert!(early.body.contains("nobody has attested"), "{early:?}");
    for (turn, word) in [
        ("attest", "attested"),
        ("enable", "enabled"),
        ("disable", "disabled"),
    ] {
        let answer = office.send(&format!("{page}/{turn}"), &[]).await;
        assert_eq!(answer.location(), format!("{page}?done={word}"));
        let is_enabled = office.connections().await.remove(0).enabled;
        assert_eq!(is_enabled, turn == "enable", "{turn}");
    }

    let form = office.browser.get(&format!("{page}/change")).await;
    assert!(form.body.contains("cognito:groups=a=b:Patient"), "{form:?}");
    // What the form shows of the rules, sent back, changes none of them; an empty secret leaves the one that is there.
    let fields = changed(
        office.fields(),
        &[
            ("name", Some("Example Hospital")),
            ("clientSecret", None),
            ("requiredAmr", Some("mfa hwk")),
            ("unknownPeople", Some("refuse")),
            ("defaultRoleId", None),
            ("clientAuthentication", Some("client_secret_post")),
        ],
    );
    let answer = office.send(&format!("{page}/change"), &fields).await;
    assert_eq!(answer.location(), format!("{page}?done=changed"));
    let after = office.connections().await.remove(0).settings;
    assert_eq!(
        (after.name.as_str(), after.default_role),
        ("Example Hospital", None)
    );
    assert_eq!(
        (after.role_rules, after.required_amr),
        (rules.into(), vec!["mfa".into(), "hwk".into()])
    );
    assert_eq!(after.credential.method(), "client_secret_post");
    let list = office.browser.get("/admin/connections").await;
    for answer in [&shown, &form, &list] {
        assert!(!answer.body.contains(SECRET), "{answer:?}");
    }

    let answer = office.send(&format!("{page}/remove"), &[]).await;
    assert_eq!(answer.location(), "/admin/connections?done=removed");
    assert!(office.connections().await.is_empty());
    assert_eq!(office.browser.get(&page).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_domain_is_claimed_taken_on_an_administrators_word_and_given_up() {
    let office = Office::open().await;
    let page = office.connected().await;
    let domain = office.claimed(&page, "Clinic.Example").await;
    let shown = office.browser.get(&domain).await;
    for text in ["_wardgate.clinic.example", "wardgate-domain-verification="] {
        assert!(shown.body.contains(text), "{text}: {shown:?}");
    }
    let again = send(
        &office.browser,
        &page,
        &format!("{page}/domains"),
        &[("domain", "clinic.example")],
    )
    .await;
    assert!(again.body.contains("id=\"domain-fault\""), "{again:?}");
    let wrong = send(
        &office.browser,
        &page,
        &format!("{page}/domains"),
        &[("domain", "no domain")],
    )
    .await;
    assert!(wrong.body.contains("value=\"no domain\""), "{wrong:?}");
    assert!(
        office
            .explained("nurse@clinic.example")
            .await
            .contains("not verified")
    );

    let answer = office.send(&format!("{domain}/override"), &[]).await;
    assert_eq!(answer.location(), format!("{domain}?done=verified"));
    let line = office.clinic.last_audit().await;
    assert_eq!(
        (line.action, line.reason.as_deref(), line.method.as_deref()),
        (
            AuditAction::SsoDomainChange,
            Some("verified_by_administrator"),
            Some("console")
        )
    );
    let shown = office.browser.get(&domain).await;
    assert!(!shown.body.contains("/verify\""), "{shown:?}");
    for turn in ["attest", "enable"] {
        office.send(&format!("{page}/{turn}"), &[]).await;
    }
    let explained = office.explained("nurse@clinic.example").await;
    assert!(
        explained.contains("They sign in at the identity provider"),
        "{explained}"
    );
    assert!(explained.contains(&format!("href=\"{page}\"")), "{explained}");

    let answer = office.send(&format!("{domain}/remove"), &[]).await;
    assert_eq!(answer.location(), format!("{page}?done=removed"));
    for gone in [
        &domain,
        &format!("{domain}/override"),
        &format!("{page}/domains/other.example"),
    ] {
        assert_eq!(
            office.browser.get(gone).await.status,
            StatusCode::NOT_FOUND,
            "{gone}"
        );
    }
    assert!(
        office
            .explained("nurse@clinic.example")
            .await
            .contains("They sign in with a password")
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_connection_is_said_beside_its_field_and_the_secret_is_not_repeated() {
    let office = Office::open().await;
    for (field, changes) in [
        ("name", vec![("name", None)]),
        ("preset", vec![("preset", Some("other"))]),
        ("issuer", vec![("issuer", None)]),
        ("issuer", vec![("issuer", Some("https://unreachable.invalid"))]),
        (
            "issuer",
            vec![("tenantId", Some("72f988bf-86f1-41af-91ab-2d7cd011db47"))],
        ),
        ("issuer", vec![("preset", Some("google"))]),
        ("tenantId", vec![("issuer", None), ("tenantId", Some("x"))]),
        ("userPoolId", vec![("region", Some("eu-west-1"))]),
        ("clientId", vec![("clientId", None)]),
        (
            "clientAuthentication",
            vec![("clientAuthentication", Some("none"))],
        ),
        ("scopes", vec![("scopes", Some("email"))]),
        ("requiredAmr", vec![("requiredAmr", Some("größe"))]),
        ("unknownPeople", vec![("unknownPeople", Some("ask"))]),
        ("defaultRoleId", vec![("defaultRoleId", Some(BUILDER_ADMIN))]),
        ("roleRules", vec![("roleRules", Some("groups"))]),
        ("roleRules", vec![("roleRules", Some("groups=x:No such role"))]),
        ("roleRules", vec![("roleRules", Some("groups=x:Builder Admin"))]),
    ] {
        let page = office.send(NEW, &changed(office.fields(), &changes)).await;
        let beside = format!("id=\"{field}-fault\"");
        assert!(page.body.contains(&beside), "{changes:?}: {page:?}");
        assert!(!page.body.contains(SECRET), "{page:?}");
    }
    assert!(office.connections().await.is_empty());
    let fields = changed(
        office.fields(),
        &[
            ("roleRules", Some("groups=x:Builder Admin")),
            ("grantsAdministration", Some("yes")),
        ],
    );
    assert!(
        office
            .send(NEW, &fields)
            .await
            .location()
            .ends_with("?done=connected")
    );
    let page = office.send(NEW, &office.fields()).await;
    assert!(
        page.body.contains("id=\"name-fault\""),
        "the name is taken: {page:?}"
    );
}

#[tokio::test]
async fn nobody_connects_a_provider_beyond_their_own_role_in_the_console() {
    let office = Office::open().await;
    let page = office.connected().await;
    let lesser = role(
        &office.clinic,
        "openid __administration.read __administration.write",
    )
    .await;
    add(&office.clinic, "lesser@example.org", lesser).await;
    let browser = at(&office.clinic, "lesser@example.org").await;
    let refused = send(
        &browser,
        NEW,
        NEW,
        &changed(office.fields(), &[("name", Some("Mine"))]),
    )
    .await;
    assert!(refused.body.contains("your own role"), "{refused:?}");
    for turn in ["attest", "remove"] {
        let path = format!("{page}/{turn}");
        let refused = send(&browser, &path, &path, &[]).await;
        assert!(refused.body.contains("your own role"), "{refused:?}");
    }
    assert_eq!(office.connections().await.len(), 1);
    assert!(office.connections().await.remove(0).mfa_attestation.is_none());
}

#[tokio::test]
async fn whoever_may_only_read_sees_connections_without_forms() {
    let office = Office::open().await;
    let page = office.connected().await;
    let domain = office.claimed(&page, "clinic.example").await;
    let reading = role(&office.clinic, "openid __administration.read").await;
    add(&office.clinic, READER, reading).await;
    let reader = at(&office.clinic, READER).await;
    for path in ["/admin/connections", &page, &domain] {
        let shown = reader.get(path).await;
        assert_eq!(shown.status, StatusCode::OK, "{path}");
        for absent in ["<form", "/change\"", "/remove\"", "new-connection"] {
            assert!(!shown.body.contains(absent), "{absent} on {path}: {shown:?}");
        }
    }
    let explained = reader
        .get("/admin/explain-sign-in?email=x%40clinic.example")
        .await;
    assert!(
        explained.body.contains("They sign in with a password"),
        "{explained:?}"
    );
    for path in [
        NEW,
        &format!("{page}/change"),
        &format!("{page}/unlink"),
        &format!("{domain}/override"),
    ] {
        assert_eq!(reader.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn hostile_values_of_connections_stay_text() {
    let office = Office::open().await;
    let rules = format!("{HOSTILE}={HOSTILE}:Care Team User");
    let fields = changed(
        office.fields(),
        &[
            ("name", Some(HOSTILE)),
            ("clientId", Some(HOSTILE)),
            ("roleRules", Some(&rules)),
        ],
    );
    let made = office.send(NEW, &fields).await;
    let page = made.location().replace("?done=connected", "");
    let domain = office.claimed(&page, "clinic.example").await;
    for path in [
        "/admin/connections",
        &page,
        &domain,
        &format!("{page}/change"),
        &format!("{page}/unlink"),
        &format!("{page}/remove"),
    ] {
        is_harmless(&office.browser.get(path).await);
    }
    let query = crate::web::testing::form(&[("email", HOSTILE)]);
    is_harmless(
        &office
            .browser
            .get(&format!("/admin/explain-sign-in?{query}"))
            .await,
    );
}

#[tokio::test]
async fn who_somebody_is_at_a_provider_is_forgotten_where_it_is_known() {
    let office = Office::open().await;
    let page = office.connected().await;
    let domain = office.claimed(&page, "example.org").await;
    office.send(&format!("{domain}/override"), &[]).await;
    let unlink = format!("{page}/unlink");
    for email in [PATIENT, "nobody@example.org", ""] {
        let answer = office.send(&unlink, &[("email", email)]).await;
        assert!(answer.body.contains("id=\"email-fault\""), "{email}: {answer:?}");
    }
    let store = office.clinic.issuer.store();
    let identity = ProvidedIdentity {
        connection_id: office.connections().await.remove(0).id,
        subject: "a subject".into(),
        email: PATIENT.into(),
        role_id: None,
        grants_administration: false,
        new_account: None,
    };
    let audit = AuditEvent::new(START, AuditAction::SignIn, AuditOutcome::Success);
    let linked = store.provided_account(identity, audit).await.unwrap();
    let ProvidedAccount::Person(person) = linked else {
        panic!("{linked:?}");
    };
    assert_eq!(store.sso_links_of(&person.id).await.unwrap().len(), 1);
    let answer = office.send(&unlink, &[("email", PATIENT)]).await;
    assert_eq!(answer.location(), format!("{page}?done=unlinked"));
    assert_eq!(store.sso_links_of(&person.id).await.unwrap(), []);
    let line = office.clinic.last_audit().await;
    assert_eq!(
        (line.action, line.reason.as_deref(), line.user_id.as_deref()),
        (AuditAction::SsoLink, Some("removed"), Some(&*person.id))
    );
}

#[test]
fn a_record_that_is_not_there_is_no_mistake_of_a_field() {
    let missing = ConnectionError::NoRecord {
        name: "_wardgate.clinic.example".into(),
        token: "wardgate-domain-verification=x".into(),
        found: 2,
    };
    let shown = fault(missing).unwrap();
    assert!(
        shown.field.is_empty() && shown.text.contains("_wardgate.clinic.example"),
        "{shown:?}"
    );
    assert!(fault(ConnectionError::NotFound).is_err());
}
