//! Roles and organizations by the API.

use http::{Method, StatusCode};
use serde_json::json;

use super::{Office, READ_AND_WRITE, is_problem, own_role};
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::role::{BUILDER_ADMIN, CARE_TEAM_USER, PATIENT};
use crate::testing::START;

#[tokio::test]
async fn a_role_is_found_by_its_name_as_in_the_example() {
    let office = Office::open().await;
    let body = office
        .get("/auth/roles?filter[name]=Builder%20Admin")
        .await
        .json();
    let data = body["data"].as_array().unwrap();
    assert_eq!(data.len(), 1, "{body}");
    assert_eq!(data[0]["id"], BUILDER_ADMIN);
    assert_eq!(data[0]["name"], "Builder Admin");
    assert_eq!(data[0]["builtIn"], true);
    assert_eq!(data[0]["secondFactor"], "offered");
    assert!(data[0]["scope"].as_str().unwrap().contains(READ_AND_WRITE));
    assert_eq!(body["page"], json!({ "next": null, "size": 50 }));
    // Every letter counts.
    let body = office
        .get("/auth/roles?filter[name]=builder%20admin")
        .await
        .json();
    assert_eq!(body["data"], json!([]));
}

#[tokio::test]
async fn built_in_roles_are_there_and_stay() {
    let office = Office::open().await;
    for id in [BUILDER_ADMIN, CARE_TEAM_USER, PATIENT] {
        let path = format!("/auth/roles/{id}");
        let role = office.get(&path).await.json();
        assert_eq!(
            (role["id"].as_str(), role["builtIn"].as_bool()),
            (Some(id), Some(true))
        );
        is_problem(&office.delete(&path).await, StatusCode::CONFLICT);
        is_problem(
            &office.patch(&path, &json!({ "name": "Other" })).await,
            StatusCode::CONFLICT,
        );
        let answer = office.patch(&path, &json!({ "secondFactor": "required" })).await;
        assert_eq!(answer.json()["secondFactor"], "required");
        assert_eq!(answer.json()["name"], role["name"]);
    }
}

#[tokio::test]
async fn a_role_is_made_changed_and_removed() {
    let office = Office::open().await;
    let id = office.role("Front desk", "openid user/Appointment.cruds").await;
    let path = format!("/auth/roles/{id}");
    let event = office.clinic.last_audit().await;
    assert_eq!(
        (event.action, event.object_id.as_deref()),
        (AuditAction::RoleCreation, Some(id.as_str()))
    );
    let answer = office
        .patch(&path, &json!({ "name": "Reception", "scope": "" }))
        .await
        .json();
    assert_eq!(
        (answer["name"].as_str(), answer["scope"].as_str()),
        (Some("Reception"), Some(""))
    );
    office.person("rita@example.org", &id).await;
    is_problem(&office.delete(&path).await, StatusCode::CONFLICT);
    let rita = office
        .clinic
        .issuer
        .store()
        .user_by_email("rita@example.org")
        .await
        .unwrap()
        .unwrap();
    office
        .patch(&format!("/auth/users/{}", rita.id), &json!({ "roleId": PATIENT }))
        .await;
    assert_eq!(office.delete(&path).await.status, StatusCode::NO_CONTENT);
    is_problem(&office.get(&path).await, StatusCode::NOT_FOUND);
    is_problem(&office.delete(&path).await, StatusCode::NOT_FOUND);
    is_problem(&office.patch(&path, &json!({})).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn refuses_roles_that_cannot_be() {
    let office = Office::open().await;
    for (body, fields) in [
        (json!({}), &["name", "scope"][..]),
        (
            json!({ "name": "", "scope": "system/*.read" }),
            &["name", "scope"],
        ),
        (json!({ "name": "A", "scope": "patient/*.sr" }), &["scope"]),
        (json!({ "name": "A", "scope": "a  b" }), &["scope"]),
        (json!({ "name": "A", "scope": null }), &["scope"]),
        (
            json!({ "name": "A", "scope": "a", "secondFactor": "never" }),
            &["secondFactor"],
        ),
        (
            json!({ "name": "A", "scope": "a", "builtIn": true }),
            &["builtIn"],
        ),
    ] {
        let answer = office.post("/auth/roles", &body).await;
        assert_eq!(
            is_problem(&answer, StatusCode::UNPROCESSABLE_ENTITY),
            fields,
            "{body}"
        );
    }
    let answer = office
        .post("/auth/roles", &json!({ "name": "Patient", "scope": "openid" }))
        .await;
    assert_eq!(is_problem(&answer, StatusCode::CONFLICT), ["name"]);
    let id = office.role("Own", "openid").await;
    let answer = office
        .patch(&format!("/auth/roles/{id}"), &json!({ "name": "Patient" }))
        .await;
    assert_eq!(is_problem(&answer, StatusCode::CONFLICT), ["name"]);
    is_problem(
        &office.get("/auth/roles?filter[id]=x").await,
        StatusCode::BAD_REQUEST,
    );
    is_problem(
        &office.get(&format!("/auth/roles/{id}?x=1")).await,
        StatusCode::BAD_REQUEST,
    );
}

#[tokio::test]
async fn nobody_makes_or_widens_a_role_beyond_their_own() {
    let office = Office::open().await;
    let clerk = office
        .role("Clerk", &format!("openid patient/*.rs {READ_AND_WRITE}"))
        .await;
    office.person("clerk@example.org", &clerk).await;
    let token = office.token_of("clerk@example.org").await;
    let beyond = json!({ "name": "Wide", "scope": "patient/*.cruds" });
    let answer = office
        .call(&token, Method::POST, "/auth/roles", Some(&beyond))
        .await;
    is_problem(&answer, StatusCode::FORBIDDEN);
    for (role, change) in [
        (clerk.as_str(), json!({ "scope": "openid user/*.rs" })),
        (BUILDER_ADMIN, json!({ "scope": "openid" })),
        (BUILDER_ADMIN, json!({ "secondFactor": "offered" })),
    ] {
        let answer = office
            .call(
                &token,
                Method::PATCH,
                &format!("/auth/roles/{role}"),
                Some(&change),
            )
            .await;
        is_problem(&answer, StatusCode::FORBIDDEN);
    }
    let within = json!({ "name": "Narrow", "scope": "patient/Observation.read" });
    let answer = office
        .call(&token, Method::POST, "/auth/roles", Some(&within))
        .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
}

#[tokio::test]
async fn nobody_removes_a_role_beyond_their_own() {
    let office = Office::open().await;
    let clerk = office.role("Clerk", &format!("openid {READ_AND_WRITE}")).await;
    office.person("clerk@example.org", &clerk).await;
    let token = office.token_of("clerk@example.org").await;
    let role = own_role("wide", "user/*.rs");
    let audit = AuditEvent::new(START, AuditAction::RoleCreation, AuditOutcome::Success);
    let _ = office
        .clinic
        .issuer
        .store()
        .insert_role(role, audit)
        .await
        .unwrap();
    let answer = office
        .call(&token, Method::DELETE, "/auth/roles/role-wide", None)
        .await;
    is_problem(&answer, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_organization_is_entered_changed_and_removed() {
    let office = Office::open().await;
    let body = json!({ "id": "clinic-1", "name": "First Clinic", "secondFactor": "required" });
    let answer = office.post("/auth/organizations", &body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let path = "/auth/organizations/clinic-1";
    assert_eq!(answer.header("location"), Some(path));
    let mut made = body.clone();
    made["createdAt"] = "2027-01-15T08:00:00Z".into();
    assert_eq!(office.get(path).await.json(), made);
    let answer = office.post("/auth/organizations", &body).await;
    assert_eq!(is_problem(&answer, StatusCode::CONFLICT), ["id"]);
    made["name"] = "Clinic One".into();
    assert_eq!(
        office.patch(path, &json!({ "name": "Clinic One" })).await.json(),
        made
    );
    let listed = office
        .get("/auth/organizations?filter[name]=Clinic%20One")
        .await
        .json();
    assert_eq!(listed["data"], json!([made]));
    for change in [json!({ "id": "clinic-2" }), json!({ "name": "" })] {
        is_problem(
            &office.patch(path, &change).await,
            StatusCode::UNPROCESSABLE_ENTITY,
        );
    }
    let person =
        json!({ "email": "o@example.org", "name": "O", "roleId": PATIENT, "organizationId": "clinic-1" });
    let person = office.post("/auth/users", &person).await.json();
    is_problem(&office.delete(path).await, StatusCode::CONFLICT);
    let person = format!("/auth/users/{}", person["id"].as_str().unwrap());
    office.patch(&person, &json!({ "organizationId": null })).await;
    assert_eq!(office.delete(path).await.status, StatusCode::NO_CONTENT);
    is_problem(&office.delete(path).await, StatusCode::NOT_FOUND);
    is_problem(&office.get(path).await, StatusCode::NOT_FOUND);
}
