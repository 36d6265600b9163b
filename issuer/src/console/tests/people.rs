//! Users, roles, organizations and sessions in the console.

use http::StatusCode;
use wardgate_shared::scope::ScopeSet;

use super::{ADMINISTRATOR, HOSTILE, READER, add, administrator, at, clinic, is_harmless, role, send};
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::factor::{Factor, FactorKind};
use crate::domain::role::{BUILDER_ADMIN, CARE_TEAM_USER, Role, SecondFactorPolicy};
use crate::domain::user::User;
use crate::store::Insertion;
use crate::testing::START;
use crate::web::testing::{Clinic, PATIENT};

const NEW: &str = "/admin/new-user";
const GRACE: [(&str, &str); 7] = [
    ("email", "Grace@example.org"),
    ("name", "Grace Nurse"),
    ("userType", "builder"),
    ("roleId", CARE_TEAM_USER),
    ("organizationId", ""),
    ("fhirUser", "Practitioner/9"),
    ("practitionerId", ""),
];

async fn person(clinic: &Clinic, email: &str) -> User {
    clinic.issuer.store().user_by_email(email).await.unwrap().unwrap()
}

fn changed<'a>(name: &str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    GRACE
        .iter()
        .map(|(own, old)| if *own == name { (*own, value) } else { (*own, *old) })
        .collect()
}

#[tokio::test]
async fn an_account_is_made_changed_closed_and_opened_again() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    let answer = send(&browser, NEW, NEW, &GRACE).await;
    let grace = person(&clinic, "grace@example.org").await;
    let page = format!("/admin/users/{}", grace.id);
    assert_eq!(answer.location(), format!("{page}?done=created"));
    assert_eq!(grace.practitioner_id.as_deref(), Some("9"));
    let line = clinic.last_audit().await;
    assert_eq!(
        (line.action, line.method.as_deref()),
        (AuditAction::UserCreation, Some("console"))
    );
    assert_eq!(line.actor_id, Some(person(&clinic, ADMINISTRATOR).await.id));
    assert!(browser.get(answer.location()).await.body.contains("It is made."));

    let path = format!("{page}/change");
    assert!(
        browser
            .get(&path)
            .await
            .body
            .contains("value=\"grace@example.org\"")
    );
    let answer = send(&browser, &path, &path, &changed("name", "Grace Head Nurse")).await;
    assert_eq!(answer.location(), format!("{page}?done=changed"));
    assert_eq!(
        person(&clinic, "grace@example.org").await.name,
        "Grace Head Nurse"
    );

    for (verb, is_active) in [("deactivate", false), ("reactivate", true)] {
        let path = format!("{page}/{verb}");
        assert_eq!(
            send(&browser, &path, &path, &[]).await.status,
            StatusCode::SEE_OTHER
        );
        assert_eq!(person(&clinic, "grace@example.org").await.is_active(), is_active);
    }
    for (query, is_found) in [
        ("person=grace%40example.org", true),
        ("person=Grace+Head+Nurse", true),
        ("person=nobody%40example.org", false),
        ("role=role-care-team-user&state=active", true),
        ("state=deactivated", false),
    ] {
        let list = browser.get(&format!("/admin/users?{query}")).await;
        assert_eq!(
            list.body.contains("Grace Head Nurse</a>"),
            is_found,
            "{query}: {list:?}"
        );
    }
}

#[tokio::test]
async fn whoever_has_no_role_still_has_none_after_a_change_of_name() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    let patient = person(&clinic, PATIENT).await;
    assert!(patient.role.is_none());
    let path = format!("/admin/users/{}/change", patient.id);
    let page = browser.get(&path).await;
    assert!(
        page.body.contains("<option value=\"\" selected>none</option>"),
        "{page:?}"
    );
    let fields = [
        ("email", PATIENT),
        ("name", "Another Name"),
        ("userType", "patient"),
        ("roleId", ""),
        ("organizationId", ""),
        ("fhirUser", "Patient/patient-11111"),
        ("practitionerId", ""),
    ];
    let answer = send(&browser, &path, &path, &fields).await;
    assert!(answer.location().ends_with("done=changed"), "{answer:?}");
    let changed = person(&clinic, PATIENT).await;
    assert_eq!(changed.name, "Another Name");
    assert!(changed.role.is_none());
}

#[tokio::test]
async fn with_many_roles_the_form_shows_the_one_that_somebody_has() {
    let clinic = clinic().await;
    let of_number = |number: usize| Role {
        id: format!("role-{number}"),
        name: format!("Own {number:03}"),
        built_in: false,
        ceiling: Some(ScopeSet::parse("openid").unwrap()),
        second_factor: SecondFactorPolicy::Offered,
        created_at: START.plus(i64::try_from(number).unwrap()),
    };
    for number in 0..210 {
        let audit = AuditEvent::new(START, AuditAction::RoleCreation, AuditOutcome::Success);
        let inserted = clinic.issuer.store().insert_role(of_number(number), audit).await;
        assert_eq!(inserted, Ok(Insertion::Inserted));
    }
    let last = add(&clinic, "last@example.org", of_number(209)).await;
    let browser = administrator(&clinic).await;
    let page = browser.get(&format!("/admin/users/{}/change", last.id)).await;
    let option = "<option value=\"role-209\" selected>Own 209</option>";
    assert!(page.body.contains(option), "{page:?}");
    assert!(!page.body.contains(">none</option>"), "{page:?}");
    let page = browser.get("/admin/new-connection").await;
    assert!(page.body.contains("<option value=\"role-209\">"), "{page:?}");
}

#[tokio::test]
async fn what_is_wrong_with_an_account_is_said_beside_its_field() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    for (name, value) in [
        ("email", "grace"),
        ("email", PATIENT),
        ("name", ""),
        ("userType", "robot"),
        ("roleId", "role-none"),
        ("organizationId", "none"),
        ("fhirUser", "Device/1"),
        ("practitionerId", "a b"),
    ] {
        let page = send(&browser, NEW, NEW, &changed(name, value)).await;
        assert_eq!(page.status, StatusCode::OK, "{name}={value}: {page:?}");
        assert!(
            page.body.contains(&format!("id=\"{name}-fault\"")),
            "{name}={value}: {page:?}"
        );
        let label = page
            .body
            .split(&format!("<label for=\"{name}\">"))
            .nth(1)
            .unwrap();
        let label = label.split_once('<').unwrap().0;
        assert!(
            page.body.contains(&format!("<a href=\"#{name}\">{label}: ")),
            "{name}: {page:?}"
        );
    }
    assert!(
        clinic
            .issuer
            .store()
            .user_by_email("grace@example.org")
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn nobody_makes_anybody_more_than_they_are_and_somebody_stays() {
    let clinic = clinic().await;
    let small = role(&clinic, "openid __administration.read __administration.write").await;
    add(&clinic, READER, small.clone()).await;
    let browser = at(&clinic, READER).await;
    let page = send(&browser, NEW, NEW, &changed("roleId", BUILDER_ADMIN)).await;
    assert!(page.body.contains("Your own role does not allow"), "{page:?}");
    let own = format!("/admin/users/{}/change", person(&clinic, READER).await.id);
    let fields = [
        ("email", READER),
        ("name", "Reader"),
        ("userType", "builder"),
        ("roleId", BUILDER_ADMIN),
    ];
    let page = send(&browser, &own, &own, &fields).await;
    assert!(page.body.contains("Your own role does not allow"), "{page:?}");
    let path = format!("/admin/roles/{}/change", small.id);
    let fields = [
        ("name", &*small.name),
        ("scope", "openid user/*.cruds __administration.write"),
        ("secondFactor", "offered"),
    ];
    let page = send(&browser, &path, &path, &fields).await;
    assert!(page.body.contains("Your own role does not allow"), "{page:?}");
    let path = format!(
        "/admin/users/{}/deactivate",
        person(&clinic, ADMINISTRATOR).await.id
    );
    send(&browser, &path, &path, &[]).await;
    assert!(person(&clinic, ADMINISTRATOR).await.is_active());
    assert_eq!(
        person(&clinic, READER).await.role.map(|role| role.id),
        Some(small.id)
    );
}

#[tokio::test]
async fn roles_and_organizations_are_kept() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    for (new, list, first, second) in [
        (
            "/admin/new-role",
            "/admin/roles",
            [
                ("name", "Triage"),
                ("scope", "openid\r\npatient/*.rs"),
                ("secondFactor", "offered"),
            ],
            [
                ("name", "Triage nurse"),
                ("scope", "openid"),
                ("secondFactor", "required"),
            ],
        ),
        (
            "/admin/new-organization",
            "/admin/organizations",
            [
                ("id", "clinic-1"),
                ("name", "First clinic"),
                ("secondFactor", "offered"),
            ],
            [
                ("id", ""),
                ("name", "The first clinic"),
                ("secondFactor", "required"),
            ],
        ),
    ] {
        let answer = send(&browser, new, new, &first).await;
        assert_eq!(answer.location(), format!("{list}?done=created"));
        let page = browser.get(list).await;
        let (_, own) = page
            .body
            .split_once(if list.ends_with("roles") {
                ">Triage"
            } else {
                ">First clinic"
            })
            .unwrap();
        let (_, rest) = own.split_once("<code>").unwrap();
        let path = format!("{list}/{}/change", rest.split_once('<').unwrap().0);
        assert_eq!(
            send(&browser, &path, &path, &second).await.location(),
            format!("{list}?done=changed")
        );
        assert!(browser.get(list).await.body.contains(second[1].1) || list.ends_with("roles"));
        let page = send(&browser, new, new, &[("name", ""), ("secondFactor", "maybe")]).await;
        assert!(page.body.contains("id=\"name-fault\"") && page.body.contains("id=\"secondFactor-fault\""));
        let path = path.replace("/change", "/remove");
        assert_eq!(
            send(&browser, &path, &path, &[]).await.location(),
            format!("{list}?done=removed")
        );
    }
    let path = "/admin/roles/role-builder-admin/remove";
    let page = send(&browser, path, path, &[]).await;
    assert!(page.body.contains("built-in role"), "{page:?}");
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let clinic = clinic().await;
    let patients = at(&clinic, PATIENT).await;
    let browser = administrator(&clinic).await;
    let id = person(&clinic, PATIENT).await.id;
    let list = browser.get(&format!("/admin/sessions?user={id}")).await;
    let (_, rest) = list.body.split_once("href=\"/admin/sessions/").unwrap();
    let path = format!("/admin/sessions/{}", rest.split_once('"').unwrap().0);
    let asked = browser.get(&path).await;
    assert!(asked.body.contains(PATIENT), "{asked:?}");
    assert_eq!(
        send(&browser, &path, &path, &[]).await.location(),
        "/admin/sessions?done=signed-out"
    );
    assert_eq!(patients.get("/account").await.status, StatusCode::SEE_OTHER);
    let again = [("form_token", &*asked.field("form_token"))];
    for answer in [browser.get(&path).await, browser.post(&path, &again).await] {
        assert_eq!(answer.location(), "/admin/sessions?done=gone");
    }

    let patients = at(&clinic, PATIENT).await;
    let path = format!("/admin/users/{id}/sign-out");
    assert_eq!(
        send(&browser, &path, &path, &[]).await.location(),
        format!("/admin/users/{id}?done=signed-out")
    );
    assert_eq!(patients.get("/account").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn hostile_names_of_people_and_roles_stay_text() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    send(&browser, NEW, NEW, &changed("name", HOSTILE)).await;
    let id = person(&clinic, "grace@example.org").await.id;
    is_harmless(&browser.get("/admin/users").await);
    for page in ["", "/change", "/deactivate", "/sign-out"] {
        is_harmless(&browser.get(&format!("/admin/users/{id}{page}")).await);
    }
    send(
        &browser,
        "/admin/new-role",
        "/admin/new-role",
        &[
            ("name", HOSTILE),
            ("scope", "openid"),
            ("secondFactor", "offered"),
        ],
    )
    .await;
    is_harmless(&browser.get("/admin/roles").await);
    let organization = [("id", "o-1"), ("name", HOSTILE), ("secondFactor", "offered")];
    send(
        &browser,
        "/admin/new-organization",
        "/admin/new-organization",
        &organization,
    )
    .await;
    is_harmless(&browser.get("/admin/organizations").await);
    is_harmless(&browser.get("/admin/organizations/o-1/change").await);
    is_harmless(&browser.get("/admin/organizations/o-1/remove").await);
}

/// Gives the person a confirmed factor of this name.
async fn with_factor(clinic: &Clinic, user: &User, name: &str) {
    let factor = Factor {
        id: format!("factor-{}", user.id),
        user_id: user.id.clone(),
        kind: FactorKind::Totp,
        name: name.into(),
        sealed: Some(vec![7; 40]),
        detail: None,
        created_at: clinic.issuer.now(),
        confirmed_at: Some(clinic.issuer.now()),
        last_used_at: None,
        last_step: None,
    };
    let _ = clinic.issuer.store().insert_factor(factor, None).await.unwrap();
}

#[tokio::test]
async fn second_factors_are_listed_and_reset_with_all_that_stood_on_them() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    let theirs = at(&clinic, PATIENT).await;
    let patient = person(&clinic, PATIENT).await;
    let page = format!("/admin/users/{}", patient.id);
    let reset = format!("{page}/reset-factors");
    let shown = browser.get(&page).await;
    assert!(
        shown.body.contains("They have none.") && !shown.body.contains(&reset),
        "{shown:?}"
    );
    with_factor(&clinic, &patient, HOSTILE).await;
    let shown = browser.get(&page).await;
    assert!(
        shown.body.contains("authenticator app") && shown.body.contains(&reset),
        "{shown:?}"
    );
    is_harmless(&shown);
    let asked = browser.get(&reset).await;
    assert!(asked.body.contains("be sure who asked"), "{asked:?}");

    let answer = send(&browser, &reset, &reset, &[]).await;
    assert_eq!(answer.location(), format!("{page}?done=factors-reset"));
    let line = clinic.last_audit().await;
    assert_eq!(
        (line.action, line.method.as_deref(), line.user_id.as_deref()),
        (AuditAction::FactorReset, Some("console"), Some(&*patient.id))
    );
    assert_eq!(line.actor_id, Some(person(&clinic, ADMINISTRATOR).await.id));
    assert!(browser.get(&page).await.body.contains("They have none."));
    assert!(theirs.get("/account").await.location().starts_with("/login"));
}

#[tokio::test]
async fn nobody_resets_the_second_factors_of_somebody_greater() {
    let clinic = clinic().await;
    let lesser = role(&clinic, "openid __administration.read __administration.write").await;
    add(&clinic, "lesser@example.org", lesser).await;
    let greater = person(&clinic, ADMINISTRATOR).await;
    let lesser = at(&clinic, "lesser@example.org").await;
    with_factor(&clinic, &greater, "Telephone").await;
    let path = format!("/admin/users/{}/reset-factors", greater.id);
    let refused = send(&lesser, &path, &path, &[]).await;
    assert!(refused.body.contains("Your own role"), "{refused:?}");
    assert_eq!(clinic.issuer.store().factors(&greater.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn nobody_resets_their_own_second_factors() {
    let clinic = clinic().await;
    let browser = administrator(&clinic).await;
    let own = person(&clinic, ADMINISTRATOR).await;
    let path = format!("/admin/users/{}/reset-factors", own.id);
    let refused = send(&browser, &path, &path, &[]).await;
    assert!(refused.body.contains("/account/factors"), "{refused:?}");
    assert_eq!(
        browser.get("/admin/users").await.status,
        StatusCode::OK,
        "still signed in"
    );
}
