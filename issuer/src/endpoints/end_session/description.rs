//! What signing out by a client takes and gives.

use serde_json::json;

use crate::openapi::schema::{named, open_object, sometimes, text};
use crate::openapi::{Content, Description, Operation, Refusals, Tag};

/// Adds it.
pub fn describe(all: &mut Description) {
    let members = || {
        [
            sometimes(
                "id_token_hint",
                text(
                    "An ID token of the client, expired or not",
                    "eyJhbGciOiJSUzI1NiJ9…",
                ),
            ),
            sometimes("client_id", text("The client", "test_client_zs_his")),
            sometimes(
                "post_logout_redirect_uri",
                text(
                    "Where the person goes then: a registered address",
                    "https://app.example.org/signed-out",
                ),
            ),
            sometimes("state", text("Comes along", "xyz123")),
        ]
    };
    all.name("LogoutRequest", open_object("A request to sign out", members()));
    let answered = |operation: Operation| {
        operation
            .refusals(Refusals::Pages)
            .answer(
                200,
                "A page that asks the person, or says that they are signed out",
                Content::Page,
            )
            .answer(303, "The browser goes on", Content::Nothing)
            .answer(
                400,
                "A page that says why the browser goes nowhere",
                Content::Page,
            )
    };
    let by_query = Operation::get(
        super::PATH,
        "endSessionOfBrowser",
        Tag::SignIn,
        "Sign a person out (OpenID Connect RP-Initiated Logout)",
    );
    let by_query = members().into_iter().fold(by_query, |operation, member| {
        let (name, schema, _) = member.into_parts();
        operation.in_query(name, schema)
    });
    all.add(answered(by_query.note(
        "With an ID token of the person who is signed in here the session ends at once; otherwise the person is asked.",
    )));
    all.add(answered(
        Operation::post(
            super::PATH,
            "endSessionByForm",
            Tag::SignIn,
            "The same, with the parameters in a form",
        )
        .form(
            named("LogoutRequest"),
            vec![(
                "example",
                json!({ "client_id": "test_client_zs_his", "state": "xyz123" }),
            )],
        ),
    ));
}
