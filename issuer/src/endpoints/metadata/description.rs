//! What the documents under `/.well-known/` say.

use crate::openapi::schema::{
    Member, always, flag, list_of, named, object, open_object, sometimes, text, texts,
};
use crate::openapi::{Content, Description, Operation, Refusals, Tag};

/// Adds them.
pub fn describe(all: &mut Description) {
    all.name(
        "AuthorizationServer",
        object(
            "What this server can do (OpenID Connect Discovery, RFC 8414)",
            common().into_iter().chain(of_server()),
        ),
    );
    all.name(
        "SmartConfiguration",
        object(
            "What this server can do, for SMART apps",
            common().into_iter().chain([always(
                "capabilities",
                texts("What can be relied on", &["launch-ehr", "permission-v2"]),
            )]),
        ),
    );
    let key = open_object(
        "A public key (RFC 7517)",
        [
            always("kty", text("Its kind", "RSA")),
            always("kid", text("Its name", "key-2027-01")),
            always("alg", text("What it signs", "RS256")),
            always("use", text("What it is for", "sig")),
        ],
    );
    all.name(
        "Keys",
        object("Public keys", [always("keys", list_of("The keys", key))]),
    );
    let document = |path, id, summary, schema| {
        Operation::get(path, id, Tag::Discovery, summary)
            .refusals(Refusals::Pages)
            .answer(200, "The document", Content::Json(named(schema)))
    };
    all.add(document(
        "/.well-known/openid-configuration",
        "getOpenIdConfiguration",
        "What this server can do (OpenID Connect Discovery)",
        "AuthorizationServer",
    ));
    all.add(document(
        "/.well-known/oauth-authorization-server",
        "getAuthorizationServerMetadata",
        "The same (RFC 8414)",
        "AuthorizationServer",
    ));
    all.add(document(
        "/.well-known/smart-configuration",
        "getSmartConfiguration",
        "What this server can do (SMART App Launch)",
        "SmartConfiguration",
    ));
    all.add(document(
        "/.well-known/jwks.json",
        "getKeys",
        "The public keys that verify tokens (RFC 7517)",
        "Keys",
    ));
}

fn address(name: &'static str, path: &str) -> Member {
    always(name, text("An address", &format!("http://localhost:8788{path}")))
}

fn list(name: &'static str, example: &str) -> Member {
    always(name, texts("What is supported", &[example]))
}

fn common() -> Vec<Member> {
    vec![
        address("issuer", ""),
        address("authorization_endpoint", "/oauth2/authorize"),
        address("token_endpoint", "/oauth2/token"),
        address("revocation_endpoint", "/oauth2/revoke"),
        address("introspection_endpoint", "/oauth2/introspect"),
        sometimes(
            "registration_endpoint",
            text(
                "An address, where clients may register themselves",
                "http://localhost:8788/oauth2/register",
            ),
        ),
        address("jwks_uri", "/.well-known/jwks.json"),
        list("scopes_supported", "patient/*.rs"),
        list("response_types_supported", "code"),
        list("grant_types_supported", "authorization_code"),
        list("token_endpoint_auth_methods_supported", "client_secret_basic"),
        list("token_endpoint_auth_signing_alg_values_supported", "ES256"),
        list("code_challenge_methods_supported", "S256"),
    ]
}

fn of_server() -> Vec<Member> {
    let is = |name| always(name, flag("Whether this is so", true));
    vec![
        list(
            "revocation_endpoint_auth_methods_supported",
            "client_secret_basic",
        ),
        list("revocation_endpoint_auth_signing_alg_values_supported", "ES256"),
        list("introspection_endpoint_auth_methods_supported", "Bearer"),
        address("userinfo_endpoint", "/oauth2/userinfo"),
        address("end_session_endpoint", "/oauth2/logout"),
        is("backchannel_logout_supported"),
        is("backchannel_logout_session_supported"),
        address("device_authorization_endpoint", "/oauth2/device_authorization"),
        address("pushed_authorization_request_endpoint", "/oauth2/par"),
        address("status_list_aggregation_endpoint", "/oauth2/status"),
        is("require_pushed_authorization_requests"),
        list("response_modes_supported", "query"),
        list("subject_types_supported", "public"),
        list("id_token_signing_alg_values_supported", "RS256"),
        list("userinfo_signing_alg_values_supported", "RS256"),
        list("claim_types_supported", "normal"),
        list("claims_supported", "sub"),
        is("claims_parameter_supported"),
        list("acr_values_supported", "urn:wardgate:acr:mfa"),
        list("display_values_supported", "page"),
        list("ui_locales_supported", "en"),
        list("dpop_signing_alg_values_supported", "ES256"),
        is("request_parameter_supported"),
        is("request_uri_parameter_supported"),
        is("authorization_response_iss_parameter_supported"),
        always(
            "service_documentation",
            text("A page for developers", "http://localhost:8788/docs"),
        ),
    ]
}
