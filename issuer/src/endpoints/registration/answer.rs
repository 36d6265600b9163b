//! What a client is told of its registration (RFC 7591 section 3.2.1, RFC 7592 section 3).

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

use crate::config::Config;
use crate::domain::client::{Client, GrantType};
use crate::registration::describe;

/// What only the client itself is told.
pub(super) struct Secrets<'a> {
    /// Its secret, when it was made just now: it is stored as a digest only.
    pub(super) client_secret: Option<&'a str>,
    /// Its registration access token: made just now, or the one that it presented.
    pub(super) access_token: &'a str,
}

/// Where a client manages its registration. Its identifier has URL-safe characters only.
fn configuration_uri(config: &Config, client: &Client) -> String {
    let path = format!("/oauth2/register/{}", client.client_id);
    config.server.public_url.join(&path)
}

/// The whole registration as it stands, defaults included.
pub(super) fn document(
    config: &Config,
    status: StatusCode,
    client: &Client,
    secrets: &Secrets<'_>,
) -> Response {
    let mut members = describe(client);
    if client.allows(GrantType::AuthorizationCode) {
        let algorithm = client.rules(config.security.profile).id_token_algorithm;
        for (name, default) in [
            ("subject_type", "public"),
            ("id_token_signed_response_alg", algorithm.name()),
        ] {
            members.entry(name).or_insert_with(|| json!(default));
        }
    }
    if let Some(secret) = secrets.client_secret {
        members.insert("client_secret".into(), json!(secret));
        // It never does.
        members.insert("client_secret_expires_at".into(), json!(0));
    }
    members.insert("registration_access_token".into(), json!(secrets.access_token));
    members.insert(
        "registration_client_uri".into(),
        json!(configuration_uri(config, client)),
    );
    (status, Json(members)).into_response()
}
