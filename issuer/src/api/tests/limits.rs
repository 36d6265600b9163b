//! What an administrator with a limit cannot get around: by a service, by an organization, by being the last one.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Office, READ_AND_WRITE, ROOT, is_problem};
use crate::domain::role::CARE_TEAM_USER;
use crate::web::testing::Answer;

const CLERK: &str = "clerk@example.org";

/// Makes somebody whose role names both scopes of administration and little else, and gives their id and token.
async fn clerk(office: &Office) -> (String, String) {
    let role = office
        .role("Clerk", &format!("openid patient/*.rs {READ_AND_WRITE}"))
        .await;
    let clerk = office.person(CLERK, &role).await;
    (clerk.id, office.token_of(CLERK).await)
}

/// Asserts that this is refused as beyond the caller's own role, and recorded so.
async fn is_beyond(office: &Office, answer: &Answer) {
    is_problem(answer, StatusCode::FORBIDDEN);
    let line = office.clinic.last_audit().await;
    assert_eq!(line.reason.as_deref(), Some("beyond_own_role"));
}

#[tokio::test]
async fn nobody_with_a_limit_gets_a_service_without_one() {
    let office = Office::open().await;
    let (_, token) = clerk(&office).await;
    let call = async |method, path: &str, body: Value| office.call(&token, method, path, Some(&body)).await;
    let service = json!({
        "client_id": "mine", "client_name": "Mine", "grant_types": ["client_credentials"], "scope": READ_AND_WRITE,
    });
    is_beyond(&office, &call(Method::POST, "/v1/clients", service.clone()).await).await;
    // An app in which people administrate stays within the role of each: they may make one, but no service of it.
    let app = json!({
        "client_id": "app-of-clerks", "client_name": "App", "redirect_uris": ["https://clerks.example/cb"],
        "scope": format!("openid {READ_AND_WRITE}"),
    });
    let answer = call(Method::POST, "/v1/clients", app).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let change = json!({ "grant_types": ["authorization_code", "client_credentials"] });
    is_beyond(
        &office,
        &call(Method::PATCH, "/v1/clients/app-of-clerks", change).await,
    )
    .await;
    // A service that is there is not taken over.
    is_beyond(
        &office,
        &call(Method::POST, "/v1/clients/program/secret", Value::Null).await,
    )
    .await;
    let change = json!({ "client_name": "Mine" });
    is_beyond(&office, &call(Method::PATCH, "/v1/clients/program", change).await).await;

    // The same for an API key.
    let key = json!({ "name": "Mine", "scopes": ["__administration.read", "__administration.write"] });
    let answer = call(Method::POST, "/v1/api-keys", key.clone()).await;
    assert_eq!(is_problem(&answer, StatusCode::UNPROCESSABLE_ENTITY), ["scopes"]);

    // Whoever has no limit may.
    let root = office.token_of(ROOT).await;
    let made = office.call(&root, Method::POST, "/v1/api-keys", Some(&key)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    assert_eq!(made.json()["scopes"], key["scopes"]);
    let rotate = format!("{}/rotate", made.header("location").unwrap());
    is_beyond(&office, &call(Method::POST, &rotate, json!({})).await).await;
    let made = office
        .call(&root, Method::POST, "/v1/clients", Some(&service))
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let rotated = office
        .call(&root, Method::POST, "/v1/clients/program/secret", None)
        .await;
    assert_eq!(rotated.status, StatusCode::OK, "{rotated:?}");
}

#[tokio::test]
async fn nobody_with_a_limit_lifts_what_an_organization_asks_of_its_people() {
    let office = Office::open().await;
    let (clerk, token) = clerk(&office).await;
    for (id, policy) in [
        ("strict", "required"),
        ("as-strict", "required"),
        ("lax", "offered"),
    ] {
        let body = json!({ "id": id, "name": id, "secondFactor": policy });
        let answer = office.post("/auth/organizations", &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    }
    let narrow = office.role("Narrow", "openid patient/*.rs").await;
    let person = office.person("person@example.org", &narrow).await;
    let paths = [
        format!("/auth/users/{clerk}"),
        format!("/auth/users/{}", person.id),
    ];
    for path in &paths {
        let answer = office.patch(path, &json!({ "organizationId": "strict" })).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        for elsewhere in [json!("lax"), Value::Null] {
            let change = json!({ "organizationId": elsewhere });
            let answer = office.call(&token, Method::PATCH, path, Some(&change)).await;
            is_beyond(&office, &answer).await;
        }
        // Nothing is lifted by this.
        let change = json!({ "organizationId": "as-strict" });
        let answer = office.call(&token, Method::PATCH, path, Some(&change)).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    let lower = json!({ "secondFactor": "offered" });
    let strict = "/auth/organizations/strict";
    is_beyond(
        &office,
        &office.call(&token, Method::PATCH, strict, Some(&lower)).await,
    )
    .await;
    is_beyond(&office, &office.call(&token, Method::DELETE, strict, None).await).await;
    let rename = json!({ "name": "Strict indeed", "secondFactor": "required" });
    let answer = office.call(&token, Method::PATCH, strict, Some(&rename)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let lax = "/auth/organizations/lax";
    let answer = office.call(&token, Method::DELETE, lax, None).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");

    let root = office.token_of(ROOT).await;
    let change = json!({ "organizationId": null });
    let answer = office.call(&root, Method::PATCH, &paths[1], Some(&change)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let answer = office.call(&root, Method::PATCH, strict, Some(&lower)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

#[tokio::test]
async fn somebody_with_a_limit_does_not_stand_in_for_the_last_administrator() {
    let office = Office::open().await;
    clerk(&office).await;
    let store = office.clinic.issuer.store();
    let root = store.user_by_email(ROOT).await.unwrap().unwrap();
    let path = format!("/auth/users/{}", root.id);
    let demote = json!({ "roleId": CARE_TEAM_USER });
    is_problem(&office.patch(&path, &demote).await, StatusCode::CONFLICT);
    let close = format!("{path}/deactivate");
    is_problem(&office.post(&close, &json!({})).await, StatusCode::CONFLICT);
    // A role of their own, of everything that the built-in one has, will do.
    let scope = office.get("/auth/roles/role-builder-admin").await.json()["scope"].clone();
    let role = office.role("Everything", scope.as_str().unwrap()).await;
    office.person("second@example.org", &role).await;
    let change = json!({ "scope": format!("openid {READ_AND_WRITE}") });
    let path = format!("/auth/roles/{role}");
    assert_eq!(office.post(&close, &json!({})).await.status, StatusCode::OK);
    is_problem(&office.patch(&path, &change).await, StatusCode::CONFLICT);
}

#[tokio::test]
async fn refuses_an_address_with_a_dot_at_its_end() {
    let office = Office::open().await;
    let body = json!({ "email": "ada@example.org.", "name": "Ada", "roleId": CARE_TEAM_USER });
    let answer = office.post("/auth/users", &body).await;
    assert_eq!(is_problem(&answer, StatusCode::UNPROCESSABLE_ENTITY), ["email"]);
}
