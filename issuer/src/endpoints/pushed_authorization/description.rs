//! What a pushed authorization request takes and gives.

use crate::endpoints::authorize;
use crate::endpoints::token::proof;
use crate::openapi::schema::{always, named, number, object, text};
use crate::openapi::{Access, Content, Description, Operation, Place, Refusals, Tag};

/// Adds it.
pub fn describe(all: &mut Description) {
    let pushed = object(
        "What the browser carries instead of the request",
        [
            always(
                "request_uri",
                text("The value of request_uri", "urn:ietf:params:oauth:request_uri:…"),
            ),
            always("expires_in", number("For how many seconds it is good", 60)),
        ],
    );
    all.name("PushedRequest", pushed);
    all.add(
        Operation::post(
            "/oauth2/par",
            "pushAuthorizationRequest",
            Tag::SignIn,
            "Send an authorization request ahead (RFC 9126)",
        )
        .note("The client proves who it is as at the token endpoint. A DPoP proof binds the code to its key.")
        .access(Access::Client)
        .refusals(Refusals::OAuth)
        .parameter(Place::Header, "DPoP", proof(), false)
        .form(
            named("AuthorizationRequest"),
            vec![("example", authorize::example())],
        )
        .answer(201, "It is kept", Content::Json(named("PushedRequest")))
        .refuses(400, "The request is not good")
        .refuses(401, "The client has not proved who it is"),
    );
}
