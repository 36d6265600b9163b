//! What the operations on clients take and give: members of RFC 7591 and its neighbours.

use serde_json::{Value, json};

use crate::api::description::{administration, id, list, with_members};
use crate::openapi::schema::{
    Member, always, anything, choice, flag, instant, named, number, object, sometimes, text, texts,
};
use crate::openapi::{Content, Description, Operation, Tag};

use super::PATH;

const ONE: &str = "/v1/clients/{id}";
const EXAMPLE: &str = "ward-round";

/// Adds them.
pub fn describe(all: &mut Description) {
    schemas(all);
    all.add(list(
        Operation::get(PATH, "listClients", Tag::Clients, "List clients"),
        "Client",
    ));
    all.add(
        with_members(administration(Operation::post(PATH, "createClient", Tag::Clients, "Register a client")))
            .note(
                "A client that is to prove itself by a secret gets one, shown in this answer and in no other. Nobody registers \
                 a client for more than they may have themselves.",
            )
            .json(
                named("ClientMetadata"),
                json!({
                    "client_id": EXAMPLE, "client_name": "Ward Round", "token_endpoint_auth_method": "client_secret_basic",
                    "grant_types": ["client_credentials"], "scope": "system/*.rs",
                }),
            )
            .answer(201, "The client; Location says where it is", Content::Json(named("Client"))),
    );
    let one = |operation| administration(operation).in_path("id", id("client", EXAMPLE));
    let shown =
        |operation| one(operation).answer(200, "The client as it is then", Content::Json(named("Client")));
    all.add(shown(Operation::get(
        ONE,
        "getClient",
        Tag::Clients,
        "Show a client",
    )));
    all.add(
        with_members(shown(Operation::patch(ONE, "changeClient", Tag::Clients, "Change a client")))
            .note("A JSON merge patch (RFC 7396): what is absent stays, what is null goes. The client_id stays as it is.")
            .json(named("ClientMetadata"), json!({ "client_name": "Ward Round 2" })),
    );
    all.add(
        one(Operation::delete(
            ONE,
            "removeClient",
            Tag::Clients,
            "Remove a client",
        ))
        .note("Every grant and token that it had is over.")
        .answer(204, "It is gone", Content::Nothing),
    );
    all.add(
        one(Operation::post(
            "/v1/clients/{id}/secret",
            "rotateClientSecret",
            Tag::Clients,
            "Give a client a new secret",
        ))
        .note("The one of before is over at once.")
        .answer(200, "The secret, this once", Content::Json(named("ClientSecret")))
        .refuses(422, "The client proves itself otherwise"),
    );
}

/// What can be registered of a client, by whoever registers it.
pub fn metadata() -> Vec<Member> {
    let algorithm = |what| text(what, "RS256");
    let uri = |what| text(what, "https://app.example.org/about");
    vec![
        sometimes(
            "client_id",
            text("What it is named by; made where nothing is said", EXAMPLE),
        ),
        sometimes(
            "client_name",
            text("What people read on the consent page", "Ward Round"),
        ),
        sometimes(
            "token_endpoint_auth_method",
            choice(
                "How it proves who it is",
                &[
                    "client_secret_basic",
                    "client_secret_post",
                    "private_key_jwt",
                    "none",
                ],
            ),
        ),
        sometimes(
            "grant_types",
            texts(
                "How it may ask for tokens",
                &["authorization_code", "refresh_token"],
            ),
        ),
        sometimes(
            "response_types",
            texts("What it asks authorizations for: code", &["code"]),
        ),
        sometimes(
            "redirect_uris",
            texts("Where its codes may go", &["https://app.example.org/callback"]),
        ),
        sometimes(
            "post_logout_redirect_uris",
            texts(
                "Where its people may go once they have signed out",
                &["https://app.example.org/signed-out"],
            ),
        ),
        sometimes("scope", text("The most it can be granted", "openid patient/*.rs")),
        sometimes(
            "require_pushed_authorization_requests",
            flag("Whether its authorization requests must be pushed", false),
        ),
        sometimes(
            "require_pkce",
            flag("Whether a confidential client must use PKCE", true),
        ),
        sometimes("jwks", anything("Its public keys, as a JWK Set")),
        sometimes(
            "jwks_uri",
            text("Where its public keys are", "https://app.example.org/jwks.json"),
        ),
        sometimes(
            "profile",
            choice("The rules that it is held to", &["standard", "fapi2"]),
        ),
        sometimes(
            "refresh_token_grace_seconds",
            number("How long a rotated refresh token still works, in seconds", 30),
        ),
        sometimes(
            "launch_uri",
            text("Where an EHR starts it", "https://app.example.org/launch"),
        ),
        sometimes(
            "application_type",
            choice("What kind of application it is", &["web", "native"]),
        ),
        sometimes(
            "dpop_bound_access_tokens",
            flag("Whether its access tokens are bound to a key", false),
        ),
        sometimes(
            "id_token_signed_response_alg",
            algorithm("What its ID tokens are signed with"),
        ),
        sometimes(
            "userinfo_signed_response_alg",
            algorithm("What its userinfo answers are signed with"),
        ),
        sometimes(
            "token_endpoint_auth_signing_alg",
            algorithm("What its assertions must be signed with"),
        ),
        sometimes(
            "subject_type",
            choice("Which sub it is told", &["public", "pairwise"]),
        ),
        sometimes(
            "sector_identifier_uri",
            text(
                "A document of redirect URIs whose host is its sector",
                "https://app.example.org/sector.json",
            ),
        ),
        sometimes(
            "backchannel_logout_uri",
            text(
                "Where it hears that a session is over",
                "https://app.example.org/logout",
            ),
        ),
        sometimes(
            "backchannel_logout_session_required",
            flag("Whether it needs sid for that", true),
        ),
        sometimes(
            "default_max_age",
            number("max_age of requests that name none, in seconds", 3600),
        ),
        sometimes(
            "require_auth_time",
            flag("Whether its ID tokens must say when the person signed in", true),
        ),
        sometimes(
            "default_acr_values",
            texts("acr_values of requests that name none", &[]),
        ),
        sometimes(
            "initiate_login_uri",
            uri("Where somebody else can have it start a sign-in"),
        ),
        sometimes("logo_uri", uri("A picture that people know it by")),
        sometimes("client_uri", uri("Its own page")),
        sometimes("policy_uri", uri("What it does with people's data")),
        sometimes("tos_uri", uri("Its terms of service")),
        sometimes("contacts", texts("Who answers for it", &["ops@app.example.org"])),
        sometimes(
            "software_id",
            text("The software it is an instance of", "ward-round"),
        ),
        sometimes("software_version", text("The version of that software", "2.1")),
    ]
}

fn schemas(all: &mut Description) {
    all.name(
        "ClientMetadata",
        removable(object("What is registered of a client", metadata())),
    );
    let secret = || text("Its secret, where it was made just now", "wg_secret_…");
    let shown = [
        always("created_at", instant("When it was registered")),
        always(
            "registered_itself",
            flag("Whether it registered itself (RFC 7591)", false),
        ),
        sometimes(
            "client_id_issued_at",
            number("The same, in seconds since 1970", 1_800_000_000),
        ),
        sometimes("client_secret", secret()),
    ];
    all.name("Client", object("A client", metadata().into_iter().chain(shown)));
    all.name(
        "ClientSecret",
        object(
            "A new secret",
            [
                always("client_id", text("Whose it is", EXAMPLE)),
                always("client_secret", secret()),
            ],
        ),
    );
}

/// The same object, whose members may be `null` besides: that removes them.
fn removable(mut schema: Value) -> Value {
    let members = schema.get_mut("properties").and_then(Value::as_object_mut);
    for member in members.into_iter().flat_map(serde_json::Map::values_mut) {
        *member = crate::openapi::schema::or_null(member.take());
    }
    schema
}
