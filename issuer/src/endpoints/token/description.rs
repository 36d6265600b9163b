//! What the token endpoint and its aliases take and give.

use serde_json::{Value, json};

use crate::openapi::schema::{
    always, anything, choice, flag, named, number, object, open_object, sometimes, text,
};
use crate::openapi::{Access, Content, Description, Operation, Place, Refusals, Tag};

const NOTE: &str = "One address for every grant type. A client proves who it is by HTTP Basic, by `client_secret` in the body, by a signed \
    `client_assertion` (RFC 7523), or, as a public client, names itself by `client_id`. An API key is exchanged as a client is, with \
    the key as `client_id`. With a DPoP proof the access token is bound to its key.";

/// Adds them.
pub fn describe(all: &mut Description) {
    all.name("TokenRequest", request());
    all.name("TokenResponse", response());
    let form: &[&str] = &["application/x-www-form-urlencoded"];
    let both: &[&str] = &["application/x-www-form-urlencoded", "application/json"];
    all.add(
        operation(
            "/oauth2/token",
            "token",
            "Get tokens (RFC 6749 section 3.2)",
            form,
        )
        .note(NOTE),
    );
    all.add(operation(
        "/oauth/token",
        "tokenAlias",
        "The same, under another name",
        form,
    ));
    all.add(
        operation("/auth/token", "tokenByJson", "The same, which takes JSON too", both).note(
            "The parameters may be the members of a JSON object. A token of a trusted issuer can be exchanged without a \
             `client_id`, where the configuration says whose it is.",
        ),
    );
}

fn operation(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    media_types: &'static [&'static str],
) -> Operation {
    Operation::post(path, id, Tag::Tokens, summary)
        .access(Access::Client)
        .refusals(Refusals::OAuth)
        .parameter(Place::Header, "DPoP", proof(), false)
        .body(media_types, named("TokenRequest"), examples())
        .answer(200, "The tokens", Content::Json(named("TokenResponse")))
        .refuses(
            400,
            "The request or the grant is not good; use_dpop_nonce asks for another proof",
        )
        .refuses(401, "The client has not proved who it is")
        .refuses(429, "Too many requests: Retry-After says when to come again")
}

/// The header of a DPoP proof.
pub fn proof() -> Value {
    text(
        "A DPoP proof (RFC 9449): a JWT that the client's key signed for this one request",
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7…",
    )
}

fn examples() -> Vec<(&'static str, Value)> {
    vec![
        (
            "authorization_code",
            json!({
                "grant_type": "authorization_code", "code": "AUTH_CODE_RECEIVED", "client_id": "test_client_zs_his",
                "redirect_uri": "https://app.com/callback",
                "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            }),
        ),
        (
            "refresh_token",
            json!({ "grant_type": "refresh_token", "refresh_token": "REFRESH_TOKEN", "client_id": "test_client_zs_his" }),
        ),
        (
            "client_credentials",
            json!({
                "grant_type": "client_credentials", "client_id": "SERVICE_CLIENT_ID", "client_secret": "SERVICE_CLIENT_SECRET",
                "scope": "system/*.read",
            }),
        ),
        (
            "api_key",
            json!({ "grant_type": "client_credentials", "client_id": "X_API_KEY", "client_secret": "X_API_SECRET" }),
        ),
        (
            "device_code",
            json!({
                "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "DEVICE_CODE",
                "client_id": "bedside-monitor",
            }),
        ),
        (
            "token_exchange",
            json!({
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "client_id": "my-partner",
                "subject_token": "ID_TOKEN", "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
                "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
            }),
        ),
        (
            "jwt_bearer",
            json!({
                "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "client_id": "my-partner",
                "assertion": "ASSERTION", "scope": "user/*.read",
            }),
        ),
    ]
}

fn request() -> Value {
    let grants = [
        "authorization_code",
        "client_credentials",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ];
    let token_type = |what| text(what, "urn:ietf:params:oauth:token-type:id_token");
    open_object(
        "A token request; other parameters are ignored",
        [
            always("grant_type", choice("What is offered for the tokens", &grants)),
            sometimes(
                "client_id",
                text("The client, or an API key", "test_client_zs_his"),
            ),
            sometimes("client_secret", text("Its secret", "SERVICE_CLIENT_SECRET")),
            sometimes(
                "client_assertion_type",
                choice(
                    "Beside client_assertion",
                    &["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"],
                ),
            ),
            sometimes(
                "client_assertion",
                text(
                    "A JWT by which the client proves who it is",
                    "eyJhbGciOiJFUzI1NiJ9…",
                ),
            ),
            sometimes("code", text("The authorization code", "AUTH_CODE_RECEIVED")),
            sometimes(
                "redirect_uri",
                text("Where the code was sent", "https://app.com/callback"),
            ),
            sometimes(
                "code_verifier",
                text(
                    "What the code_challenge was made of (RFC 7636)",
                    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
                ),
            ),
            sometimes("refresh_token", text("The refresh token", "REFRESH_TOKEN")),
            sometimes("device_code", text("The device code (RFC 8628)", "DEVICE_CODE")),
            sometimes(
                "subject_token",
                text("The token to be exchanged (RFC 8693)", "ID_TOKEN"),
            ),
            sometimes("subject_token_type", token_type("What it is")),
            sometimes("requested_token_type", token_type("What is wanted for it")),
            sometimes(
                "assertion",
                text("An assertion of a trusted issuer (RFC 7523)", "ASSERTION"),
            ),
            sometimes(
                "scope",
                text("What is asked for, separated by spaces", "system/*.read"),
            ),
            sometimes(
                "resource",
                text(
                    "The API that the token is for (RFC 8707); may be repeated",
                    "http://localhost:8787/fhir",
                ),
            ),
            sometimes(
                "audience",
                text("The same under another name", "http://localhost:8787/fhir"),
            ),
        ],
    )
}

fn response() -> Value {
    let text_or = |what, example| text(what, example);
    object(
        "Tokens (RFC 6749 section 5.1), and the launch context of SMART beside them",
        [
            always(
                "access_token",
                text_or(
                    "The access token, a JWT (RFC 9068)",
                    "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJSUzI1NiJ9…",
                ),
            ),
            always("token_type", choice("How it is sent", &["Bearer", "DPoP"])),
            always("expires_in", number("For how many seconds it is good", 3600)),
            always(
                "scope",
                text_or("What was granted", "openid launch/patient patient/*.read"),
            ),
            sometimes(
                "refresh_token",
                text_or("Gets the next ones; works once", "wg_refresh_…"),
            ),
            sometimes("id_token", text_or("Says who signed in", "eyJhbGciOiJSUzI1NiJ9…")),
            sometimes(
                "issued_token_type",
                text_or(
                    "After an exchange",
                    "urn:ietf:params:oauth:token-type:access_token",
                ),
            ),
            sometimes("patient", text_or("The patient in context", "patient-11111")),
            sometimes(
                "encounter",
                text_or("The encounter in context", "encounter-22222"),
            ),
            sometimes("fhirContext", anything("Other resources in context")),
            sometimes(
                "need_patient_banner",
                flag("Whether the app must show who the patient is", true),
            ),
            sometimes(
                "smart_style_url",
                text_or("How the app is to look", "https://ehr.example.org/style.json"),
            ),
            sometimes(
                "intent",
                text_or("What the app was opened for", "reconcile-medications"),
            ),
            sometimes("tenant", text_or("For whom", "north")),
        ],
    )
}
