//! What an authorization request is made of, however it comes.

use serde_json::{Value, json};

use crate::openapi::schema::{Member, always, choice, number, open_object, sometimes, text};
use crate::openapi::{Content, Description, Operation, Place, Refusals, Tag};

const NOTE: &str = "A client sends the person's browser here. The person signs in, chooses a patient where that is asked for, and \
    allows; the browser then goes on to `redirect_uri` with `code`, `state` and `iss`, or with `error`. A request that names no \
    known client or redirect URI is answered with a page and goes nowhere.";

/// Adds the endpoint and its alias.
pub fn describe(all: &mut Description) {
    all.name("AuthorizationRequest", request());
    for (path, get, post) in [
        ("/oauth2/authorize", "authorize", "authorizeByForm"),
        ("/authorize", "authorizeAlias", "authorizeAliasByForm"),
    ] {
        let by_query = Operation::get(
            path,
            get,
            Tag::SignIn,
            "Ask a person to sign in and allow (RFC 6749 section 3.1)",
        );
        let by_query = members().into_iter().fold(by_query, |operation, member| {
            let (name, schema, required) = member.into_parts();
            operation.parameter(Place::Query, name, schema, required)
        });
        all.add(answers(by_query.note(NOTE)));
        all.add(answers(
            Operation::post(path, post, Tag::SignIn, "The same, with the parameters in a form").form(
                crate::openapi::schema::named("AuthorizationRequest"),
                vec![("example", example())],
            ),
        ));
    }
}

fn answers(operation: Operation) -> Operation {
    operation
        .refusals(Refusals::Pages)
        .answer(
            303,
            "The browser goes on: to the sign-in page, or to the redirect URI with an error",
            Content::Nothing,
        )
        .answer(
            400,
            "A page that says why the browser goes nowhere",
            Content::Page,
        )
}

/// The parameters, of which a request by PKCE and a code is made.
fn members() -> Vec<Member> {
    vec![
        always("response_type", choice("What is wanted", &["code"])),
        always("client_id", text("The client", "test_client_zs_his")),
        sometimes(
            "redirect_uri",
            text(
                "Where the code goes: a registered address",
                "https://app.com/callback",
            ),
        ),
        always(
            "scope",
            text(
                "What is asked for, separated by spaces",
                "launch/patient patient/*.read",
            ),
        ),
        sometimes("state", text("Comes back with the code", "xyz123")),
        sometimes(
            "code_challenge",
            text(
                "The hash of a code_verifier (RFC 7636)",
                "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            ),
        ),
        sometimes("code_challenge_method", choice("How it was made", &["S256"])),
        sometimes(
            "aud",
            text("The FHIR base (SMART App Launch)", "http://localhost:8787/fhir"),
        ),
        sometimes("launch", text("What the EHR gave the app", "wg_launch_…")),
        sometimes("nonce", text("Comes back in the ID token", "n-0S6_WzA2Mj")),
        sometimes(
            "response_mode",
            choice("How the answer comes back", &["query", "form_post"]),
        ),
        sometimes("prompt", text("none, login, consent or select_account", "login")),
        sometimes(
            "max_age",
            number("How many seconds ago the person may have signed in at most", 3600),
        ),
        sometimes(
            "login_hint",
            text("Who will sign in, probably", "amina@example.org"),
        ),
        sometimes(
            "id_token_hint",
            text(
                "An ID token of the person who is to sign in",
                "eyJhbGciOiJSUzI1NiJ9…",
            ),
        ),
        sometimes(
            "acr_values",
            text("How well the person must have signed in", "urn:wardgate:acr:mfa"),
        ),
        sometimes(
            "claims",
            text(
                "Claims that are asked for by name, as JSON",
                "{\"id_token\":{\"email\":null}}",
            ),
        ),
        sometimes(
            "resource",
            text(
                "An API that the token is for (RFC 8707); may be repeated",
                "http://localhost:8787/fhir",
            ),
        ),
        sometimes(
            "audience",
            text("The same under another name", "http://localhost:8787/fhir"),
        ),
        sometimes(
            "dpop_jkt",
            text(
                "The thumbprint of the key that the code is bound to",
                "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
            ),
        ),
        sometimes(
            "request_uri",
            text(
                "What a pushed request was answered",
                "urn:ietf:params:oauth:request_uri:…",
            ),
        ),
    ]
}

fn request() -> Value {
    open_object(
        "An authorization request; other parameters are ignored",
        members(),
    )
}

/// A request that works with the client of the test environment.
pub fn example() -> Value {
    json!({
        "response_type": "code", "client_id": "test_client_zs_his", "redirect_uri": "https://app.com/callback",
        "scope": "launch/patient patient/*.read", "state": "xyz123",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
    })
}
