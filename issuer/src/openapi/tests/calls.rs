//! Every operation is called with its own examples, and every answer is as its schema says.

mod clinic;

use http::StatusCode;
use serde_json::{Value, json};

use crate::domain::client::GrantType;
use crate::domain::role::CARE_TEAM_USER;
use crate::endpoints::launches;
use crate::openapi::{Access, Operation, description, example};
use crate::testing::ISSUER;
use crate::web::testing::{APP, PASSWORD, PATIENT, PHYSICIAN, VERIFIER, app_request, web_request};

use clinic::{Caller, WITHOUT_QUERY};

/// Replaces members of an example by what is real.
fn with<'a>(members: &'a [(&'a str, &'a str)]) -> impl Fn(&mut Value) + 'a {
    move |body| {
        for (name, value) in members {
            body[*name] = (*value).into();
        }
    }
}

fn as_it_is(_: &mut Value) {}

fn text(answer: &Value, member: &str) -> String {
    answer[member]
        .as_str()
        .unwrap_or_else(|| panic!("{member}: {answer}"))
        .into()
}

/// The operations of administrators; each part makes what it then shows, changes and removes.
async fn administrate(caller: &mut Caller) {
    caller
        .call("createOrganization", &[], as_it_is, StatusCode::CREATED)
        .await;
    let organization = [("id", "org-abc123")];
    for id in ["listOrganizations", "getOrganization", "changeOrganization"] {
        caller.call(id, &organization, as_it_is, StatusCode::OK).await;
    }
    caller
        .call(
            "removeOrganization",
            &organization,
            as_it_is,
            StatusCode::NO_CONTENT,
        )
        .await;

    let role = caller
        .call("createRole", &[], as_it_is, StatusCode::CREATED)
        .await;
    let role = text(&role, "id");
    let role = [("id", role.as_str())];
    for id in ["listRoles", "getRole", "changeRole"] {
        caller.call(id, &role, as_it_is, StatusCode::OK).await;
    }
    caller
        .call("removeRole", &role, as_it_is, StatusCode::NO_CONTENT)
        .await;

    let user = caller
        .call("createUser", &[], as_it_is, StatusCode::CREATED)
        .await;
    assert_eq!(user["roleId"], CARE_TEAM_USER);
    let user = text(&user, "id");
    let person = [("id", user.as_str())];
    for id in ["listUsers", "getUser", "changeUser", "inviteUser", "listFactors"] {
        caller.call(id, &person, as_it_is, StatusCode::OK).await;
    }
    for id in ["deactivateUser", "reactivateUser"] {
        caller.call(id, &person, as_it_is, StatusCode::OK).await;
    }
    caller
        .call("resetFactors", &person, as_it_is, StatusCode::NO_CONTENT)
        .await;

    caller
        .call("createClient", &[], as_it_is, StatusCode::CREATED)
        .await;
    let client = [("id", "ward-round")];
    for id in ["listClients", "getClient", "changeClient", "rotateClientSecret"] {
        caller.call(id, &client, as_it_is, StatusCode::OK).await;
    }
    caller
        .call("removeClient", &client, as_it_is, StatusCode::NO_CONTENT)
        .await;

    let browser = caller.clinic.browser();
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    let sessions = caller
        .call("listSessions", &WITHOUT_QUERY, as_it_is, StatusCode::OK)
        .await;
    let sessions = sessions["data"].as_array().unwrap();
    let session = sessions.first().unwrap();
    let (session, owner) = (text(session, "id"), text(session, "userId"));
    caller
        .call(
            "endSession",
            &[("id", &session)],
            as_it_is,
            StatusCode::NO_CONTENT,
        )
        .await;
    caller
        .call(
            "endSessions",
            &[("filter[userId]", &owner)],
            as_it_is,
            StatusCode::NO_CONTENT,
        )
        .await;
    caller
        .call("listAuditEvents", &[], as_it_is, StatusCode::OK)
        .await;
    caller
        .call("listSigningKeys", &WITHOUT_QUERY, as_it_is, StatusCode::OK)
        .await;
    // Of an algorithm that no token of this test is signed with.
    let made = caller
        .call(
            "rotateSigningKey",
            &[],
            with(&[("algorithm", "EdDSA")]),
            StatusCode::CREATED,
        )
        .await;
    let key = text(&made, "id");
    let key = [("id", key.as_str())];
    caller.call("getSigningKey", &key, as_it_is, StatusCode::OK).await;
    caller
        .call("revokeSigningKey", &key, as_it_is, StatusCode::NO_CONTENT)
        .await;
}

async fn connect(caller: &mut Caller) {
    let provider = caller.provider.issuer.clone();
    let settings = [("issuer", provider.as_str())];
    let made = caller
        .call("createSsoConnection", &[], with(&settings), StatusCode::CREATED)
        .await;
    let connection = text(&made, "id");
    let one = [("id", connection.as_str())];
    caller
        .call("addSsoDomain", &one, as_it_is, StatusCode::CREATED)
        .await;
    for id in [
        "listSsoConnections",
        "getSsoConnection",
        "changeSsoConnection",
        "attestMfa",
        "enableSsoConnection",
        "disableSsoConnection",
        "explainSignIn",
    ] {
        caller.call(id, &one, as_it_is, StatusCode::OK).await;
    }
    let of_domain = [("id", connection.as_str()), ("domain", "hospital.example")];
    // Nobody publishes that record; where there is no network, nobody can be asked.
    let answer = caller.answer("verifySsoDomain", &of_domain, as_it_is).await;
    assert!([409, 502].contains(&answer.status.as_u16()), "{answer:?}");
    caller
        .call("overrideSsoDomain", &of_domain, as_it_is, StatusCode::OK)
        .await;
    caller
        .call("removeSsoDomain", &of_domain, as_it_is, StatusCode::NO_CONTENT)
        .await;
    // Nobody is linked yet.
    let physician = caller
        .clinic
        .issuer
        .store()
        .user_by_email(PHYSICIAN)
        .await
        .unwrap()
        .unwrap();
    let link = [("id", connection.as_str()), ("userId", physician.id.as_str())];
    caller
        .call("removeSsoLink", &link, as_it_is, StatusCode::NOT_FOUND)
        .await;
    caller
        .call("removeSsoConnection", &one, as_it_is, StatusCode::NO_CONTENT)
        .await;
}

async fn get_tokens(caller: &mut Caller) {
    let app = [
        ("client_id", APP),
        ("redirect_uri", crate::web::testing::APP_REDIRECT),
    ];
    let code = caller
        .clinic
        .code(
            "openid offline_access profile fhirUser launch/patient patient/*.rs",
            PATIENT,
        )
        .await;
    let code = [("code", code.as_str()), ("code_verifier", VERIFIER)];
    let tokens = caller
        .named(
            "token",
            "authorization_code",
            with(&[&app[..], &code[..]].concat()),
        )
        .await;
    caller.persons_token = text(&tokens, "access_token");
    let refresh = text(&tokens, "refresh_token");
    let refreshed = caller
        .named(
            "token",
            "refresh_token",
            with(&[("client_id", APP), ("refresh_token", &refresh)]),
        )
        .await;
    let service = caller.service.clone();
    let service = [
        ("client_id", service.0.as_str()),
        ("client_secret", service.1.as_str()),
    ];
    for id in ["token", "tokenAlias"] {
        caller.named(id, "client_credentials", with(&service)).await;
    }
    caller
        .named_json("tokenByJson", "client_credentials", with(&service))
        .await;
    let key = caller
        .call("createApiKey", &[], as_it_is, StatusCode::CREATED)
        .await;
    let (id, text_of, secret) = (text(&key, "id"), text(&key, "api_key"), text(&key, "api_secret"));
    let pair = [
        ("client_id", text_of.as_str()),
        ("client_secret", secret.as_str()),
    ];
    caller.named("token", "api_key", with(&pair)).await;
    for operation in ["listApiKeys", "getApiKey", "rotateApiKey"] {
        caller
            .call(operation, &[("id", &id)], as_it_is, StatusCode::OK)
            .await;
    }
    caller
        .call("revokeApiKey", &[("id", &id)], as_it_is, StatusCode::NO_CONTENT)
        .await;

    let device = caller
        .call("authorizeDevice", &[], as_it_is, StatusCode::OK)
        .await;
    let waiting = text(&device, "device_code");
    let answer = caller
        .answer_named("token", "device_code", with(&[("device_code", &waiting)]))
        .await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "authorization_pending");

    let now = caller.clinic.issuer.now();
    let claims = caller.provider.id_claims(clinic::OUR_ID_THERE, PHYSICIAN, now);
    let id_token = caller.provider.sign(&claims);
    caller
        .named("token", "token_exchange", with(&[("subject_token", &id_token)]))
        .await;
    let claims = caller.provider.assertion_claims(ISSUER, PHYSICIAN, now);
    let assertion = caller.provider.sign(&claims);
    caller
        .named("token", "jwt_bearer", with(&[("assertion", &assertion)]))
        .await;

    let access = text(&refreshed, "access_token");
    let about = [service[0], service[1], ("token", access.as_str())];
    caller.call("introspect", &[], with(&about), StatusCode::OK).await;
    let own = caller.admin_token.clone();
    let admin = caller.admin.clone();
    let about = [
        ("client_id", admin.0.as_str()),
        ("client_secret", admin.1.as_str()),
        ("token", own.as_str()),
    ];
    let told = caller.call("introspect", &[], with(&about), StatusCode::OK).await;
    assert_eq!(told["active"], true);
    for id in ["getUserInfo", "postUserInfo"] {
        caller
            .call(id, &[], with(&[("access_token", "")]), StatusCode::OK)
            .await;
    }
    let given_back = [("client_id", APP), ("token", refresh.as_str())];
    caller
        .call("revoke", &[], with(&given_back), StatusCode::OK)
        .await;
}

async fn sign_people_in(caller: &mut Caller) {
    let request = app_request("openid");
    for id in ["authorize", "authorizeAlias"] {
        caller.call(id, &request, as_it_is, StatusCode::SEE_OTHER).await;
    }
    for id in ["authorizeByForm", "authorizeAliasByForm"] {
        caller.call(id, &[], with(&request), StatusCode::SEE_OTHER).await;
    }
    let web_secret = caller.clinic.web_secret.clone();
    let pushed = [
        &web_request("openid")[..],
        &[("client_secret", web_secret.as_str())],
    ]
    .concat();
    caller
        .call(
            "pushAuthorizationRequest",
            &[],
            with(&pushed),
            StatusCode::CREATED,
        )
        .await;
    caller
        .call(
            "endSessionOfBrowser",
            &[("client_id", APP)],
            as_it_is,
            StatusCode::SEE_OTHER,
        )
        .await;
    caller
        .call(
            "endSessionByForm",
            &[],
            with(&[("client_id", APP)]),
            StatusCode::SEE_OTHER,
        )
        .await;
}

async fn register(caller: &mut Caller) {
    let made = caller.call("register", &[], as_it_is, StatusCode::CREATED).await;
    caller.registration_token = text(&made, "registration_access_token");
    let client_id = text(&made, "client_id");
    let one = [("client_id", client_id.as_str())];
    caller
        .call("getRegistration", &one, as_it_is, StatusCode::OK)
        .await;
    caller
        .call("replaceRegistration", &one, with(&one), StatusCode::OK)
        .await;
    caller
        .call("endRegistration", &one, as_it_is, StatusCode::NO_CONTENT)
        .await;
}

async fn read_documents(caller: &mut Caller) {
    for id in [
        "getOpenIdConfiguration",
        "getAuthorizationServerMetadata",
        "getSmartConfiguration",
        "getKeys",
        "isLive",
        "isReady",
        "getOpenApi",
    ] {
        caller.call(id, &[], as_it_is, StatusCode::OK).await;
    }
    let lists = caller.call("getStatusLists", &[], as_it_is, StatusCode::OK).await;
    let list = lists["status_lists"][0]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap();
    let answer = caller.answer("getStatusList", &[("list", list)], as_it_is).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let answer = caller
        .answer(
            "getStatusList",
            &[("list", list), ("time", "1800000000")],
            as_it_is,
        )
        .await;
    assert_eq!(answer.status, StatusCode::NOT_IMPLEMENTED, "{answer:?}");
    let launch = [("client_id", clinic::LAUNCHED)];
    caller
        .call("createLaunch", &[], with(&launch), StatusCode::CREATED)
        .await;
}

#[tokio::test]
async fn every_operation_takes_its_example_and_answers_as_described() {
    let mut caller = Caller::open().await;
    get_tokens(&mut caller).await;
    sign_people_in(&mut caller).await;
    administrate(&mut caller).await;
    connect(&mut caller).await;
    register(&mut caller).await;
    read_documents(&mut caller).await;
    let all = description().operations;
    let missing: Vec<&str> = all
        .iter()
        .map(|operation| operation.id)
        .filter(|id| !caller.called.contains(*id))
        .collect();
    assert!(missing.is_empty(), "never called: {missing:?}");
    assert!(GrantType::ALL.len() == 6 && launches::SCOPE == "__launches");
}

#[tokio::test]
async fn every_refusal_is_as_described() {
    let mut caller = Caller::open().await;
    let is_refused = |operation: &Operation, status: StatusCode| {
        assert!(status.is_client_error(), "{} answers {status}", operation.id);
    };
    for operation in description().operations {
        if operation.access.takes_token() {
            for token in ["", "not-a-token"] {
                caller.admin_token = token.into();
                caller.persons_token = token.into();
                let answer = caller.answer_without_client(operation.id).await;
                is_refused(&operation, answer.status);
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", operation.id);
            }
        }
        if operation.access == Access::Client {
            let answer = caller.answer(operation.id, &[], |body| *body = json!({})).await;
            is_refused(&operation, answer.status);
        }
    }
    caller.admin_token = caller.fresh_admin_token().await;
    for operation in description().operations {
        let is_json = operation
            .body
            .as_ref()
            .is_some_and(|body| body.media_types == ["application/json"]);
        if is_json && matches!(operation.access, Access::Token(_)) {
            let answer = caller
                .answer(operation.id, &[], |body| {
                    *body = json!({ "nobody-knows-this": 1 });
                })
                .await;
            is_refused(&operation, answer.status);
        }
    }
}

#[test]
fn every_example_is_as_its_schema_says() {
    let all = description();
    for operation in &all.operations {
        for (name, body) in operation.body.iter().flat_map(|body| {
            let schema = &body.schema;
            body.examples
                .iter()
                .map(move |(name, example)| (name, (schema, example)))
        }) {
            let faults = super::checker::faults(body.1, body.0, &all.schemas);
            assert!(faults.is_empty(), "{} {name}: {faults:?}", operation.id);
        }
    }
    for (name, schema) in &all.schemas {
        let faults = super::checker::faults(&example(schema, &all.schemas), schema, &all.schemas);
        assert!(faults.is_empty(), "{name}: {faults:?}");
    }
}
