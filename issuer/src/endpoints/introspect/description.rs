//! What introspection takes and gives.

use serde_json::json;

use crate::openapi::schema::{
    always, anything, flag, named, number, object, open_object, sometimes, text, texts,
};
use crate::openapi::{Access, Content, Description, Operation, Refusals, Tag};

/// Adds it.
pub fn describe(all: &mut Description) {
    let request = open_object(
        "A token to be asked about",
        [
            always(
                "token",
                text("An access or refresh token", "ACCESS_OR_REFRESH_TOKEN"),
            ),
            sometimes("token_type_hint", text("Where to look first", "access_token")),
            sometimes("client_id", text("The client", "SERVICE_CLIENT_ID")),
            sometimes("client_secret", text("Its secret", "SERVICE_CLIENT_SECRET")),
        ],
    );
    let answer = object(
        "What a token is worth: of one that is not good only that",
        [
            always("active", flag("Whether it is good", true)),
            sometimes("client_id", text("Whose it is", "test_client_zs_his")),
            sometimes("scope", text("What it permits", "patient/*.read")),
            sometimes("exp", number("Until when, in seconds since 1970", 1_800_003_600)),
            sometimes("iat", number("Since when", 1_800_000_000)),
            sometimes("sub", text("Whom it speaks for", "user-Yx3mBv1pQk7RzT0aLw9sEg")),
            sometimes("iss", text("Who issued it", "http://localhost:8788")),
            sometimes(
                "aud",
                texts("Which APIs it is for", &["http://localhost:8787/fhir"]),
            ),
            sometimes("token_type", text("How an access token is sent", "Bearer")),
            sometimes("cnf", anything("The key that it is bound to")),
            sometimes("jti", text("Its name", "at-Yx3mBv1pQk7RzT0aLw9sEg")),
            sometimes("patient", text("The patient in context", "patient-11111")),
            sometimes("encounter", text("The encounter in context", "encounter-22222")),
            sometimes("fhirContext", anything("Other resources in context")),
            sometimes(
                "need_patient_banner",
                flag("Whether the app must show who the patient is", true),
            ),
            sometimes(
                "smart_style_url",
                text("How the app is to look", "https://ehr.example.org/style.json"),
            ),
            sometimes(
                "intent",
                text("What the app was opened for", "reconcile-medications"),
            ),
            sometimes("tenant", text("For whom", "north")),
            sometimes(
                "fhirUser",
                text("The person's own FHIR resource", "Patient/patient-11111"),
            ),
            sometimes("act", anything("Who acts for the subject")),
        ],
    );
    all.name("Introspection", answer);
    all.add(
        Operation::post("/oauth2/introspect", "introspect", Tag::Tokens, "Ask what a token is worth (RFC 7662)")
            .note(
                "A confidential client is told about its own tokens; whoever has an access token of the scope `introspect`, about the \
                 access tokens of every client.",
            )
            .access(Access::ClientOrToken(super::SCOPE))
            .refusals(Refusals::OAuth)
            .form(
                request,
                vec![(
                    "example",
                    json!({
                        "token": "ACCESS_OR_REFRESH_TOKEN", "client_id": "SERVICE_CLIENT_ID",
                        "client_secret": "SERVICE_CLIENT_SECRET",
                    }),
                )],
            )
            .answer(200, "What it is worth", Content::Json(named("Introspection")))
            .refuses(400, "token is missing, or a parameter is repeated")
            .refuses(401, "Nobody has proved who they are"),
    );
}
