//! What dynamic registration takes and gives.

use serde_json::{Value, json};

use crate::api::clients::metadata;
use crate::openapi::schema::{always, named, number, object, sometimes, text};
use crate::openapi::{Access, Content, Description, Operation, Refusals, Tag};

const ONE: &str = "/oauth2/register/{client_id}";

/// Adds it.
pub fn describe(all: &mut Description) {
    let told = [
        always(
            "registration_access_token",
            text("Opens the registration", "wg_registration_…"),
        ),
        always(
            "registration_client_uri",
            text(
                "Where the registration is",
                "http://localhost:8788/oauth2/register/client-Yx3mBv1pQk7RzT0aLw9sEg",
            ),
        ),
        always(
            "client_id_issued_at",
            number("When it was registered, in seconds since 1970", 1_800_000_000),
        ),
        sometimes(
            "client_secret",
            text("Its secret, when it was made just now", "wg_secret_…"),
        ),
        sometimes("client_secret_expires_at", number("0: never", 0)),
    ];
    all.name(
        "Registration",
        object(
            "A registration, defaults included (RFC 7591 section 3.2.1)",
            metadata().into_iter().chain(told),
        ),
    );
    all.name(
        "RegistrationRequest",
        object("What a client wants to be registered with", of_client()),
    );
    let operation = |operation: Operation| {
        operation
            .access(Access::RegistrationToken)
            .refusals(Refusals::OAuth)
            .refuses(401, "There is no token for this, or not a good one")
    };
    let one = |own: Operation| {
        operation(own).in_path("client_id", text("The client", "client-Yx3mBv1pQk7RzT0aLw9sEg"))
    };
    all.add(
        operation(Operation::post(
            "/oauth2/register",
            "register",
            Tag::Registration,
            "Register a client (RFC 7591)",
        ))
        .note("Off unless `registration.mode` of the configuration says otherwise.")
        .json(named("RegistrationRequest"), example("Heart Diary"))
        .answer(201, "The client", Content::Json(named("Registration")))
        .refuses(400, "The client cannot be registered like this")
        .refuses(404, "Clients do not register themselves here"),
    );
    all.add(
        one(Operation::get(
            ONE,
            "getRegistration",
            Tag::Registration,
            "Show a registration (RFC 7592)",
        ))
        .answer(200, "The client", Content::Json(named("Registration"))),
    );
    all.add(
        one(Operation::put(ONE, "replaceRegistration", Tag::Registration, "Replace a registration (RFC 7592)"))
            .note("Whole: a member that is absent is as if it had never been registered. client_id must be the client's own.")
            .json(named("RegistrationRequest"), {
                let mut body = example("Heart Diary 2");
                if let Some(members) = body.as_object_mut() {
                    members.insert("client_id".into(), "client-Yx3mBv1pQk7RzT0aLw9sEg".into());
                }
                body
            })
            .answer(200, "The client", Content::Json(named("Registration")))
            .refuses(400, "The client cannot be registered like this"),
    );
    all.add(
        one(Operation::delete(
            ONE,
            "endRegistration",
            Tag::Registration,
            "End a registration (RFC 7592)",
        ))
        .note("The client, and everything that was issued to it, is gone.")
        .answer(204, "It is gone", Content::Nothing),
    );
}

fn of_client() -> Vec<crate::openapi::schema::Member> {
    let mut members = metadata();
    members.push(sometimes(
        "client_secret",
        text("Its secret, when it replaces its registration", "wg_secret_…"),
    ));
    members
}

fn example(name: &str) -> Value {
    json!({
        "client_name": name, "redirect_uris": ["https://app.example.org/callback"], "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"], "scope": "openid patient/*.rs",
    })
}
