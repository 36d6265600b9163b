//! What revocation takes and gives.

use serde_json::json;

use crate::openapi::schema::{always, choice, open_object, sometimes, text};
use crate::openapi::{Access, Content, Description, Operation, Refusals, Tag};

/// Adds it.
pub fn describe(all: &mut Description) {
    let request = open_object(
        "A token to be given back",
        [
            always(
                "token",
                text("An access or refresh token", "ACCESS_OR_REFRESH_TOKEN"),
            ),
            sometimes(
                "token_type_hint",
                choice("Where to look first", &["refresh_token", "access_token"]),
            ),
            sometimes("client_id", text("The client", "test_client_zs_his")),
            sometimes("client_secret", text("Its secret", "SERVICE_CLIENT_SECRET")),
        ],
    );
    all.add(
        Operation::post("/oauth2/revoke", "revoke", Tag::Tokens, "Give a token back (RFC 7009)")
            .note(
                "A refresh token takes with it everything that was granted with it. A token that is unknown or over counts as given \
                 back.",
            )
            .access(Access::Client)
            .refusals(Refusals::OAuth)
            .form(
                request,
                vec![("example", json!({ "token": "ACCESS_OR_REFRESH_TOKEN", "client_id": "test_client_zs_his" }))],
            )
            .answer(200, "It is given back", Content::Nothing)
            .refuses(400, "token is missing, or it is another client's")
            .refuses(401, "The client has not proved who it is"),
    );
}
