//! Accounts by the API.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Office, READ_AND_WRITE, ROOT, is_problem};
use crate::domain::audit_event::AuditAction;
use crate::domain::role::{BUILDER_ADMIN, CARE_TEAM_USER, PATIENT as PATIENT_ROLE};
use crate::domain::user::normalize_email;
use crate::web::testing::PHYSICIAN;

fn nurse() -> Value {
    json!({
        "email": " Nora@Example.org ",
        "name": "Nora Nurse",
        "userType": "builder",
        "roleId": CARE_TEAM_USER,
        "organizationId": "clinic-1",
        "fhirUser": "Practitioner/p-9",
    })
}

async fn with_organization() -> Office {
    let office = Office::open().await;
    let answer = office
        .post(
            "/auth/organizations",
            &json!({ "id": "clinic-1", "name": "First Clinic" }),
        )
        .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    office
}

#[tokio::test]
async fn an_account_is_made_shown_changed_closed_and_opened() {
    let office = with_organization().await;
    let answer = office.post("/auth/users", &nurse()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let made = answer.json();
    let id = made["id"].as_str().unwrap();
    let path = format!("/auth/users/{id}");
    assert_eq!(answer.header("location"), Some(path.as_str()));
    assert_eq!(
        made,
        json!({
            "id": id,
            "email": "nora@example.org",
            "name": "Nora Nurse",
            "userType": "builder",
            "roleId": CARE_TEAM_USER,
            "organizationId": "clinic-1",
            "fhirUser": "Practitioner/p-9",
            "practitionerId": "p-9",
            "active": true,
            "createdAt": "2027-01-15T08:00:00Z",
        })
    );
    let event = office.clinic.last_audit().await;
    assert_eq!(event.action, AuditAction::UserCreation);
    assert_eq!(
        (event.user_id.as_deref(), event.method.as_deref()),
        (Some(id), Some("api"))
    );
    assert_eq!(
        (event.client_id.as_deref(), event.actor_id),
        (Some("program"), None)
    );
    assert_eq!(office.get(&path).await.json(), made);

    let change = json!({ "name": "Nora Nightingale", "organizationId": null, "email": "nora@other.example" });
    let changed = office.patch(&path, &change).await.json();
    let mut expected = made.clone();
    expected["name"] = "Nora Nightingale".into();
    expected["organizationId"] = Value::Null;
    expected["email"] = "nora@other.example".into();
    assert_eq!(changed, expected);
    assert_eq!(office.get(&path).await.json(), expected);

    for _ in 0..2 {
        let answer = office.post(&format!("{path}/deactivate"), &json!({})).await;
        assert_eq!(answer.json()["active"], false);
    }
    for _ in 0..2 {
        let answer = office.post(&format!("{path}/reactivate"), &json!({})).await;
        assert_eq!(answer.json()["active"], true);
    }
    let events = office.clinic.issuer.store().audit_events(20).await.unwrap();
    for action in [
        AuditAction::UserChange,
        AuditAction::UserDeactivation,
        AuditAction::UserReactivation,
    ] {
        let count = events.iter().filter(|event| event.action == action).count();
        assert_eq!(count, 1, "{action:?}");
    }
}

#[tokio::test]
async fn an_address_that_changes_is_verified_no_more() {
    let office = Office::open().await;
    let store = office.clinic.issuer.store();
    let email = normalize_email(crate::web::testing::PATIENT);
    let patient = store.user_by_email(&email).await.unwrap().unwrap();
    assert!(patient.profile.email_verified);
    let path = format!("/auth/users/{}", patient.id);
    office
        .patch(&path, &json!({ "email": email, "name": "Pat" }))
        .await;
    assert!(
        store
            .user(&patient.id)
            .await
            .unwrap()
            .unwrap()
            .profile
            .email_verified
    );
    office.patch(&path, &json!({ "email": "new@example.org" })).await;
    assert!(
        !store
            .user(&patient.id)
            .await
            .unwrap()
            .unwrap()
            .profile
            .email_verified
    );
}

#[tokio::test]
async fn every_fault_of_a_request_is_named() {
    let office = with_organization().await;
    let answer = office.post("/auth/users", &json!({})).await;
    assert_eq!(
        is_problem(&answer, StatusCode::UNPROCESSABLE_ENTITY),
        ["email", "name", "roleId"]
    );
    let body = json!({
        "email": "nobody", "name": 5, "userType": "admin", "roleId": CARE_TEAM_USER, "organizationId": "a/b",
        "fhirUser": "Device/1", "practitionerId": "", "invite": "yes", "password": "x",
    });
    let mut fields = is_problem(
        &office.post("/auth/users", &body).await,
        StatusCode::UNPROCESSABLE_ENTITY,
    );
    fields.sort();
    assert_eq!(
        fields,
        [
            "email",
            "fhirUser",
            "invite",
            "name",
            "organizationId",
            "password",
            "practitionerId",
            "userType"
        ]
    );
    for (member, value) in [("roleId", "role-nobody"), ("organizationId", "clinic-2")] {
        let mut body = nurse();
        body[member] = value.into();
        let answer = office.post("/auth/users", &body).await;
        assert_eq!(is_problem(&answer, StatusCode::UNPROCESSABLE_ENTITY), [member]);
    }
    let event = office.clinic.last_audit().await;
    assert_eq!(event.reason.as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn refuses_changes_that_cannot_be() {
    let office = with_organization().await;
    let made = office.post("/auth/users", &nurse()).await.json();
    let path = format!("/auth/users/{}", made["id"].as_str().unwrap());
    for (change, field) in [
        (json!({ "roleId": null }), "roleId"),
        (json!({ "name": null }), "name"),
        (json!({ "id": "user-2" }), "id"),
        (json!({ "active": false }), "active"),
        (json!({ "fhirUser": "x" }), "fhirUser"),
        (json!({ "organizationId": "clinic-2" }), "organizationId"),
    ] {
        let answer = office.patch(&path, &change).await;
        assert_eq!(
            is_problem(&answer, StatusCode::UNPROCESSABLE_ENTITY),
            [field],
            "{change}"
        );
    }
    for change in [
        json!({ "email": PHYSICIAN }),
        json!({ "email": " ADA@example.org" }),
    ] {
        let answer = office.patch(&path, &change).await;
        assert_eq!(is_problem(&answer, StatusCode::CONFLICT), ["email"]);
    }
    assert_eq!(office.get(&path).await.json(), made);
    is_problem(&office.patch(&path, &json!([])).await, StatusCode::BAD_REQUEST);
    is_problem(
        &office.get("/auth/users/user-nobody").await,
        StatusCode::NOT_FOUND,
    );
    is_problem(&office.get("/auth/users/%FF").await, StatusCode::NOT_FOUND);
    is_problem(
        &office.patch("/auth/users/user-nobody", &json!({})).await,
        StatusCode::NOT_FOUND,
    );
    is_problem(
        &office
            .post("/auth/users/user-nobody/deactivate", &json!({}))
            .await,
        StatusCode::NOT_FOUND,
    );
}

#[tokio::test]
async fn refuses_an_address_that_is_taken() {
    let office = with_organization().await;
    assert_eq!(
        office.post("/auth/users", &nurse()).await.status,
        StatusCode::CREATED
    );
    let answer = office.post("/auth/users", &nurse()).await;
    assert_eq!(is_problem(&answer, StatusCode::CONFLICT), ["email"]);
}

#[tokio::test]
async fn refuses_an_invitation_where_no_mail_is_sent() {
    let office = with_organization().await;
    let mut body = nurse();
    body["invite"] = true.into();
    let answer = office.post("/auth/users", &body).await;
    assert_eq!(is_problem(&answer, StatusCode::UNPROCESSABLE_ENTITY), ["invite"]);
    body["invite"] = false.into();
    assert_eq!(
        office.post("/auth/users", &body).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn whoever_gets_an_account_is_invited_where_mail_is_sent_and_can_be_once_more() {
    let office = Office::with_config(|config| config.development.outbox = true).await;
    let mut body = nurse();
    body["organizationId"] = Value::Null;
    let answer = office.post("/auth/users", &body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let made = answer.json();
    assert_eq!(made["invitation"], "queued");
    let event = office.clinic.last_audit().await;
    assert_eq!(event.action, AuditAction::Invitation);
    assert_eq!(event.user_id.as_deref(), made["id"].as_str());
    let path = format!("/auth/users/{}", made["id"].as_str().unwrap());
    assert_eq!(office.get(&path).await.json().get("invitation"), None);
    let again = office.post(&format!("{path}/invite"), &json!({})).await;
    assert_eq!(again.status, StatusCode::OK, "{again:?}");

    office.post(&format!("{path}/deactivate"), &json!({})).await;
    let answer = office.post(&format!("{path}/invite"), &json!({})).await;
    assert_eq!(is_problem(&answer, StatusCode::UNPROCESSABLE_ENTITY), ["active"]);
    let answer = office.post("/auth/users/nobody/invite", &json!({})).await;
    is_problem(&answer, StatusCode::NOT_FOUND);

    body["email"] = "other@example.org".into();
    body["invite"] = false.into();
    let made = office.post("/auth/users", &body).await.json();
    assert_eq!(made.get("invitation"), None);
    assert_eq!(office.clinic.last_audit().await.action, AuditAction::UserCreation);
}

#[tokio::test]
async fn refuses_to_invite_again_where_no_mail_is_sent() {
    let office = with_organization().await;
    let made = office.post("/auth/users", &nurse()).await.json();
    let path = format!("/auth/users/{}/invite", made["id"].as_str().unwrap());
    let answer = office.post(&path, &json!({})).await;
    assert_eq!(is_problem(&answer, StatusCode::UNPROCESSABLE_ENTITY), ["email"]);
}

#[tokio::test]
async fn nobody_invites_or_connects_beyond_their_own_role() {
    let office = Office::with_config(|config| config.development.outbox = true).await;
    let role = office
        .role("Front desk", &format!("openid user/*.rs {READ_AND_WRITE}"))
        .await;
    office.person("desk@example.org", &role).await;
    let second = office.person("second@example.org", BUILDER_ADMIN).await;
    let token = office.token_of("desk@example.org").await;
    for path in [
        format!("/auth/users/{}/invite", second.id),
        String::from("/auth/sso-connections"),
        String::from("/auth/sso-connections/x/enable"),
        String::from("/auth/sso-connections/x/domains/example.org/override"),
    ] {
        let answer = office.call(&token, Method::POST, &path, Some(&json!({}))).await;
        is_problem(&answer, StatusCode::FORBIDDEN);
        let event = office.clinic.last_audit().await;
        assert_eq!(event.reason.as_deref(), Some("beyond_own_role"), "{path}");
    }
}

#[tokio::test]
async fn filters_show_exactly_what_they_say() {
    let office = with_organization().await;
    office.post("/auth/users", &nurse()).await;
    let emails = async |query: &str| -> Vec<String> {
        let answer = office.get(&format!("/auth/users?{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let body = answer.json();
        let data = body["data"].as_array().unwrap().iter();
        data.map(|user| user["email"].as_str().unwrap().into()).collect()
    };
    assert_eq!(
        emails("filter[email]=NORA@example.org").await,
        ["nora@example.org"]
    );
    assert_eq!(emails("filter[name]=Nora%20Nurse").await, ["nora@example.org"]);
    assert!(emails("filter[name]=Nora").await.is_empty());
    assert_eq!(emails(&format!("filter[roleId]={BUILDER_ADMIN}")).await, [ROOT]);
    assert_eq!(
        emails("filter[organizationId]=clinic-1").await,
        ["nora@example.org"]
    );
    assert!(emails("filter[active]=false").await.is_empty());
    assert_eq!(emails("filter[active]=true").await.len(), 4);
    assert_eq!(emails("").await.len(), 4);
    for query in [
        "filter[id]=x",
        "filter[active]=1",
        "page[size]=500",
        "sort=name",
        "email=x",
    ] {
        is_problem(
            &office.get(&format!("/auth/users?{query}")).await,
            StatusCode::BAD_REQUEST,
        );
    }
}

#[tokio::test]
async fn pages_show_everybody_once_whoever_comes_meanwhile() {
    let office = with_organization().await;
    let make = async |number: usize| {
        let mut body = nurse();
        body["email"] = format!("n{number}@example.org").into();
        let answer = office.post("/auth/users", &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        String::from(answer.json()["id"].as_str().unwrap())
    };
    let mut before = Vec::new();
    for number in 0..5 {
        before.push(make(number).await);
        office.clinic.issuer.advance(i64::try_from(number % 2).unwrap());
    }
    let mut seen: Vec<String> = Vec::new();
    let mut path = String::from("/auth/users?page[size]=2&filter[organizationId]=clinic-1");
    for number in 5.. {
        let answer = office.get(&path).await.json();
        assert_eq!(answer["page"]["size"], 2);
        let data = answer["data"].as_array().unwrap();
        assert!(data.len() <= 2);
        seen.extend(data.iter().map(|user| String::from(user["id"].as_str().unwrap())));
        let Some(next) = answer["page"]["next"].as_str() else {
            break;
        };
        path = format!("/auth/users?page[size]=2&filter[organizationId]=clinic-1&page[after]={next}");
        // Somebody comes in the same second, and somebody who was shown is changed.
        if number < 7 {
            make(number).await;
            office
                .patch(&format!("/auth/users/{}", seen[0]), &json!({ "name": "Another" }))
                .await;
        }
    }
    for id in &before {
        assert_eq!(seen.iter().filter(|own| *own == id).count(), 1);
    }
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), seen.len());
}

#[tokio::test]
async fn nobody_gives_or_takes_over_more_than_they_have() {
    let office = Office::open().await;
    let clerk_scope = format!("openid patient/*.rs {READ_AND_WRITE}");
    let role = office.role("Clerk", &clerk_scope).await;
    let clerk = office.person("clerk@example.org", &role).await;
    let token = office.token_of("clerk@example.org").await;
    let store = office.clinic.issuer.store();
    let root = store.user_by_email(ROOT).await.unwrap().unwrap();
    let body = |role: &str| json!({ "email": "new@example.org", "name": "New", "roleId": role });
    for role in [BUILDER_ADMIN, CARE_TEAM_USER, PATIENT_ROLE] {
        let answer = office
            .call(&token, Method::POST, "/auth/users", Some(&body(role)))
            .await;
        is_problem(&answer, StatusCode::FORBIDDEN);
        let own = format!("/auth/users/{}", clerk.id);
        let answer = office
            .call(&token, Method::PATCH, &own, Some(&json!({ "roleId": role })))
            .await;
        is_problem(&answer, StatusCode::FORBIDDEN);
    }
    let above = format!("/auth/users/{}", root.id);
    let answer = office
        .call(
            &token,
            Method::PATCH,
            &above,
            Some(&json!({ "email": "mine@example.org" })),
        )
        .await;
    is_problem(&answer, StatusCode::FORBIDDEN);
    for end in ["deactivate", "reactivate"] {
        let answer = office
            .call(&token, Method::POST, &format!("{above}/{end}"), None)
            .await;
        is_problem(&answer, StatusCode::FORBIDDEN);
    }
    // People without a role, or with one without a ceiling, have more than the clerk too.
    let roleless = store.user_by_email(PHYSICIAN).await.unwrap().unwrap();
    let path = format!("/auth/users/{}", roleless.id);
    let answer = office
        .call(&token, Method::PATCH, &path, Some(&json!({ "name": "X" })))
        .await;
    is_problem(&answer, StatusCode::FORBIDDEN);
    let event = office.clinic.last_audit().await;
    assert_eq!(event.reason.as_deref(), Some("beyond_own_role"));
    assert_eq!(event.actor_id.as_deref(), Some(clerk.id.as_str()));

    let answer = office
        .call(&token, Method::POST, "/auth/users", Some(&body(&role)))
        .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let own = office
        .call(
            &token,
            Method::PATCH,
            &format!("/auth/users/{}", clerk.id),
            Some(&json!({ "name": "C" })),
        )
        .await;
    assert_eq!(own.status, StatusCode::OK, "{own:?}");
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let office = Office::open().await;
    let root = office
        .clinic
        .issuer
        .store()
        .user_by_email(ROOT)
        .await
        .unwrap()
        .unwrap();
    let path = format!("/auth/users/{}", root.id);
    let demote = json!({ "roleId": CARE_TEAM_USER });
    is_problem(
        &office.post(&format!("{path}/deactivate"), &json!({})).await,
        StatusCode::CONFLICT,
    );
    is_problem(&office.patch(&path, &demote).await, StatusCode::CONFLICT);
    let builder_admin = format!("/auth/roles/{BUILDER_ADMIN}");
    is_problem(
        &office.patch(&builder_admin, &json!({ "scope": "openid" })).await,
        StatusCode::CONFLICT,
    );
    // Somebody who cannot sign in is no administrator.
    let second = office.person("second@example.org", BUILDER_ADMIN).await;
    let second = format!("/auth/users/{}", second.id);
    assert_eq!(
        office
            .post(&format!("{second}/deactivate"), &json!({}))
            .await
            .status,
        StatusCode::OK
    );
    is_problem(&office.patch(&path, &demote).await, StatusCode::CONFLICT);
    assert_eq!(
        office
            .post(&format!("{second}/reactivate"), &json!({}))
            .await
            .status,
        StatusCode::OK
    );
    assert_eq!(office.patch(&path, &demote).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_administrators_who_end_one_another_one_is_left() {
    for round in 0..8 {
        let office = Office::open().await;
        let store = office.clinic.issuer.store();
        let root = store.user_by_email(ROOT).await.unwrap().unwrap();
        let second = office.person("second@example.org", BUILDER_ADMIN).await;
        let close = async |id: &str| {
            office
                .post(&format!("/auth/users/{id}/deactivate"), &json!({}))
                .await
        };
        let demote = async |id: &str| {
            office
                .patch(&format!("/auth/users/{id}"), &json!({ "roleId": CARE_TEAM_USER }))
                .await
        };
        let statuses = if round % 2 == 0 {
            let (one, other) = tokio::join!(close(&root.id), close(&second.id));
            [one.status, other.status]
        } else {
            let (one, other) = tokio::join!(close(&root.id), demote(&second.id));
            [one.status, other.status]
        };
        let done = statuses
            .iter()
            .filter(|status| **status == StatusCode::OK)
            .count();
        let refused = statuses
            .iter()
            .filter(|status| **status == StatusCode::CONFLICT)
            .count();
        assert_eq!((done, refused), (1, 1), "{statuses:?}");
    }
}
