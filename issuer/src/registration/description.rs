//! A client in the words of RFC 7591 section 2 and OpenID Connect Dynamic Client Registration section 2.

use serde_json::{Map, Value, json};
use wardgate_shared::redirect_uri::RegisteredRedirectUri;

use crate::domain::client::{Client, ClientAuthentication, ClientKeys, GrantType};

/// Everything that `client` is registered with, without its secret.
pub fn describe(client: &Client) -> Map<String, Value> {
    let (method, keys) = match &client.authentication {
        ClientAuthentication::Public => ("none", None),
        // client_secret_post works as well; the registered word is the default of RFC 7591 unless the metadata has another.
        ClientAuthentication::Secret(_) => ("client_secret_basic", None),
        ClientAuthentication::PrivateKeyJwt { keys } => ("private_key_jwt", Some(keys)),
    };
    let uris = |uris: &[RegisteredRedirectUri]| -> Value {
        uris.iter().map(RegisteredRedirectUri::as_str).collect()
    };
    let grant_types = client.grant_types.iter().map(|grant_type| grant_type.as_str());
    let response_types = client.allows(GrantType::AuthorizationCode).then_some("code");
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.into(), value);
    put("client_id", json!(client.client_id));
    put("client_name", json!(client.name));
    put("token_endpoint_auth_method", json!(method));
    put("grant_types", grant_types.collect());
    put("response_types", response_types.into_iter().collect());
    put("redirect_uris", uris(&client.redirect_uris));
    put(
        "post_logout_redirect_uris",
        uris(&client.post_logout_redirect_uris),
    );
    put("scope", json!(client.scope.to_string()));
    put(
        "require_pushed_authorization_requests",
        json!(client.push_required),
    );
    put("client_id_issued_at", json!(client.created_at.seconds()));
    match keys {
        Some(ClientKeys::Inline(keys)) => put("jwks", keys.to_json()),
        Some(ClientKeys::Url(url)) => put("jwks_uri", json!(url)),
        None => None,
    };
    if let Ok(Value::Object(metadata)) = serde_json::to_value(&client.metadata) {
        members.extend(metadata);
    }
    members
}
