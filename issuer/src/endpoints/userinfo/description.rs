//! What userinfo takes and gives.

use serde_json::json;

use crate::openapi::schema::{always, anything, flag, named, number, object, open_object, sometimes, text};
use crate::openapi::{Access, Content, Description, Operation, Refusals, Tag};

const PATH: &str = "/oauth2/userinfo";

/// Adds it.
pub fn describe(all: &mut Description) {
    let claims = object(
        "Who the person is, as far as the token's scopes open it",
        [
            always("sub", text("The person", "user-Yx3mBv1pQk7RzT0aLw9sEg")),
            sometimes("name", text("Their name", "Amina Rahman")),
            sometimes("given_name", text("Their given name", "Amina")),
            sometimes("family_name", text("Their family name", "Rahman")),
            sometimes("middle_name", text("Their middle name", "Sultana")),
            sometimes("nickname", text("What they are called", "Mina")),
            sometimes("preferred_username", text("The user name they prefer", "amina")),
            sometimes(
                "profile",
                text("Their profile page", "https://example.org/people/amina"),
            ),
            sometimes(
                "picture",
                text("Their picture", "https://example.org/people/amina.png"),
            ),
            sometimes("website", text("Their website", "https://example.org/amina")),
            sometimes("gender", text("Their gender", "female")),
            sometimes("birthdate", text("Their day of birth", "1985-02-28")),
            sometimes("zoneinfo", text("Their time zone", "Asia/Dhaka")),
            sometimes("locale", text("Their language", "en-GB")),
            sometimes(
                "updated_at",
                number(
                    "When any of it last changed, in seconds since 1970",
                    1_800_000_000,
                ),
            ),
            sometimes("email", text("Their address", "amina@example.org")),
            sometimes(
                "email_verified",
                flag("Whether the operator says that it is theirs", true),
            ),
            sometimes("phone_number", text("Their telephone", "+8801712345678")),
            sometimes(
                "phone_number_verified",
                flag("Whether the operator says that it is theirs", true),
            ),
            sometimes("address", anything("Where they live, as a JSON object")),
            sometimes(
                "fhirUser",
                text(
                    "Their own FHIR resource",
                    "http://localhost:8787/fhir/Patient/patient-11111",
                ),
            ),
        ],
    );
    all.name("UserInfo", claims);
    let answered = |operation: Operation| {
        operation
            .access(Access::Token(super::SCOPE))
            .refusals(Refusals::OAuth)
            .answer(
                200,
                "The claims; a signed JWT for clients that registered for that",
                Content::Json(named("UserInfo")),
            )
            .refuses(400, "There are several access tokens, or a malformed one")
            .refuses(
                401,
                "There is no access token (then without a body), or not a good one",
            )
            .refuses(403, "The access token lacks the scope openid")
    };
    all.add(answered(Operation::get(
        PATH,
        "getUserInfo",
        Tag::SignIn,
        "Who the person is (OpenID Connect Core section 5.3)",
    )));
    let form = open_object(
        "The token, where it is not in the header",
        [sometimes(
            "access_token",
            text("The access token", "ACCESS_TOKEN"),
        )],
    );
    all.add(answered(
        Operation::post(
            PATH,
            "postUserInfo",
            Tag::SignIn,
            "The same, where the token may be in a form",
        )
        .form(form, vec![("example", json!({ "access_token": "ACCESS_TOKEN" }))]),
    ));
}
