//! `/openapi.json`: what programs can call here, as OpenAPI 3.1 describes it.
//!
//! Every endpoint describes itself, beside its code, by a function `describe` that adds its operations and schemas to a
//! [`Description`]; [`description`] calls them all. The reference page at `/docs` is made from the same value. A test asks
//! the router for every route it has: each is described here, or is a page for people ([`is_page`]).

mod example;
mod operation;
pub mod schema;
mod tag;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use serde_json::{Map, Value, json};

use crate::api;
use crate::config::{Config, PublicUrl};
use crate::domain::role::{ADMINISTRATION_READ, ADMINISTRATION_WRITE};
use crate::endpoints::{
    authorize, device_authorization, end_session, health, introspect, launches, metadata,
    pushed_authorization, registration, revoke, status_list, token, userinfo,
};
use crate::state::AppState;

pub use example::example;
pub use operation::{Access, Answer, Body, Content, Operation, Parameter, Place, Refusals};
pub use tag::Tag;

use schema::{always, choice, list_of, object, sometimes, text};

/// Where the document is.
pub const PATH: &str = "/openapi.json";

/// What the whole is about, in paragraphs; code stands between backticks.
pub const INTRODUCTION: &str = "Wardgate issues and checks the tokens that open FHIR servers and other APIs: OAuth 2.0, OpenID Connect \
    and SMART App Launch, and an API for administrators.\n\nRefusals of the protocol's endpoints are the JSON objects of RFC 6749, \
    with `error`, `error_description` and `error_uri`; those of all others are problem documents (RFC 9457). Whoever calls too \
    often is told 429 with `Retry-After`. Every answer carries `x-request-id`, by which the operator finds it in the log. A \
    method that an address does not take is answered 405 with `Allow`; every `GET` is answered for `HEAD` too.\n\nNot described \
    here are the pages that people see: signing in, allowing, their account, the console, documentation, and the style \
    sheet and scripts of these.";

/// All that can be called, and the schemas that are named.
#[derive(Debug, Default)]
pub struct Description {
    /// The operations, in the order of the reference page.
    pub operations: Vec<Operation>,
    /// The named schemas.
    pub schemas: Map<String, Value>,
}

impl Description {
    /// Adds an operation.
    pub fn add(&mut self, operation: Operation) {
        self.operations.push(operation);
    }

    /// Names a schema.
    pub fn name(&mut self, name: &str, schema: Value) {
        self.schemas.insert(name.into(), schema);
    }
}

/// Everything.
pub fn description() -> Description {
    let mut all = Description::default();
    all.name("OAuthError", oauth_error());
    all.name("Problem", problem());
    token::describe(&mut all);
    revoke::describe(&mut all);
    introspect::describe(&mut all);
    authorize::describe(&mut all);
    pushed_authorization::describe(&mut all);
    device_authorization::describe(&mut all);
    userinfo::describe(&mut all);
    end_session::describe(&mut all);
    metadata::describe(&mut all);
    status_list::describe(&mut all);
    registration::describe(&mut all);
    launches::describe(&mut all);
    api::describe(&mut all);
    health::describe(&mut all);
    describe(&mut all);
    all
}

/// Whether the route `path` leads to a page for people, or to what a page is made of. The rule: whatever is visited with a
/// browser and answered in HTML is a page, but for the two endpoints at which a client sends the browser in.
pub fn is_page(path: &str) -> bool {
    const WHOLE: [&str; 6] = [
        "/",
        "/consent",
        "/device",
        "/select-patient",
        "/oauth2/authorize/continue",
        "/oauth2/logout/confirm",
    ];
    const ROOTS: [&str; 8] = [
        "/account",
        "/admin",
        "/dev",
        "/docs",
        "/login",
        "/logout",
        "/password",
        "/static",
    ];
    let below = |root: &&'static str| {
        path.strip_prefix(*root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    WHOLE.contains(&path) || ROOTS.iter().any(below)
}

/// `/openapi.json`: for everybody, from any origin.
pub async fn get(State(state): State<AppState>) -> Response {
    let headers = [
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=300"),
        ),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    (headers, Json(document(state.config()))).into_response()
}

/// The document.
pub fn document(config: &Config) -> Value {
    let all = description();
    let tags: Vec<Value> = Tag::ALL
        .iter()
        .map(|tag| json!({ "name": tag.as_str(), "description": tag.description() }))
        .collect();
    let mut paths: Map<String, Value> = Map::new();
    for operation in &all.operations {
        let item = paths.entry(operation.path).or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            item.insert(operation.method.to_lowercase(), operation.document(&all.schemas));
        }
    }
    let url = &config.server.public_url;
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Wardgate",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Tokens for FHIR and other APIs",
            "description": INTRODUCTION,
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": url.as_str() }],
        "externalDocs": { "description": "The error codes", "url": url.join("/docs/errors") },
        "tags": tags,
        "paths": paths,
        "components": { "schemas": all.schemas, "securitySchemes": security_schemes(url) },
    })
}

/// Every way to prove who calls. DPoP has no type of its own in OpenAPI, so it is said in words.
fn security_schemes(url: &PublicUrl) -> Value {
    let scopes = json!({
        "openid": "Sign a person in",
        ADMINISTRATION_READ: "Look at what administrators see",
        ADMINISTRATION_WRITE: "Change what administrators change",
        launches::SCOPE: "Launch apps, as an EHR",
        introspect::SCOPE: "Ask what tokens are worth, as an API",
    });
    let token_url = url.join("/oauth2/token");
    json!({
        "oauth2": {
            "type": "oauth2",
            "description": "An access token. People's apps use the authorization code flow with PKCE (RFC 7636): \
                `code_challenge_method=S256` is the only method, and public clients must use it. Programs that act for \
                themselves use client credentials.",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": url.join("/oauth2/authorize"),
                    "tokenUrl": token_url,
                    "refreshUrl": token_url,
                    "scopes": scopes,
                },
                "clientCredentials": { "tokenUrl": token_url, "scopes": scopes },
            },
        },
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT (RFC 9068)",
            "description": "`Authorization: Bearer` and the access token (RFC 6750), for tokens that are bound to no key.",
        },
        "dpop": {
            "type": "http",
            "scheme": "DPoP",
            "description": "`Authorization: DPoP` and the access token, for tokens that are bound to a key (RFC 9449). Beside it the \
                header `DPoP` holds a proof, a JWT that the key signed for this one request: `typ` is `dpop+jwt`, `jwk` the \
                public key, `htm` and `htu` the request's method and URL, `iat` the present time, `jti` new each time, `ath` the \
                hash of the access token, and `nonce` the value of the last `DPoP-Nonce` that an answer brought.",
        },
        "clientBasic": {
            "type": "http",
            "scheme": "basic",
            "description": "`client_secret_basic`: the client's id and secret, each form-encoded first (RFC 6749 section 2.3.1). A \
                client may instead send `client_id` and `client_secret` in the body, or a signed `client_assertion` (RFC 7523).",
        },
        "registrationToken": {
            "type": "http",
            "scheme": "bearer",
            "description": "To register: an initial access token that an administrator gave out (RFC 7591 section 3). To manage a \
                registration: the `registration_access_token` that came with it (RFC 7592).",
        },
    })
}

/// RFC 6749 section 5.2.
fn oauth_error() -> Value {
    object(
        "A refusal in the words of OAuth (RFC 6749 section 5.2)",
        [
            always("error", text("What is wrong, as a code", "invalid_request")),
            always(
                "error_description",
                text("What is wrong with this request", "grant_type is missing"),
            ),
            always(
                "error_uri",
                text(
                    "A page that says what to do about it",
                    "http://localhost:8788/docs/errors/invalid_request",
                ),
            ),
        ],
    )
}

/// RFC 9457, with the extension `errors`.
fn problem() -> Value {
    let fault = object(
        "A fault of one member",
        [
            always("field", text("Which member or parameter", "email")),
            always("detail", text("What is wrong with it", "is missing")),
        ],
    );
    object(
        "A refusal as a problem document (RFC 9457)",
        [
            always("type", text("The kind of problem, as a URI", "about:blank")),
            always(
                "title",
                text("The kind of problem in words", "This cannot be done"),
            ),
            always("status", schema::number("The HTTP status", 422)),
            sometimes(
                "detail",
                text(
                    "What is wrong with this request",
                    "Some members cannot be as they are",
                ),
            ),
            sometimes("errors", list_of("Every fault of the request together", fault)),
        ],
    )
}

fn describe(all: &mut Description) {
    let document = object(
        "An OpenAPI document",
        [
            always("openapi", choice("The version of OpenAPI", &["3.1.0"])),
            always("info", schema::anything("What is described")),
            always("servers", schema::anything("Where it is")),
            always(
                "externalDocs",
                schema::anything("Where the error codes are explained"),
            ),
            always("tags", schema::anything("The parts")),
            always("paths", schema::anything("The operations, path by path")),
            always(
                "components",
                schema::anything("The named schemas, and the ways to prove who calls"),
            ),
        ],
    );
    all.add(
        Operation::get(PATH, "getOpenApi", Tag::Discovery, "This description")
            .refusals(Refusals::Pages)
            .answer(200, "The description, as OpenAPI 3.1", Content::Json(document)),
    );
}

#[cfg(test)]
mod tests;
