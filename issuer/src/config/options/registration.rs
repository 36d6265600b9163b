//! The keys of the sections `registration` and `api_keys`: how programs get credentials.

use super::{ConfigOption, option};

pub(super) const OPTIONS: &[ConfigOption] = &[
    option(
        "registration.mode",
        Some("\"off\""),
        "off, token or open",
        "Who may register clients at `/oauth2/register` (RFC 7591): nobody, who has a token made by \
         `wardgate client registration-token add`, or anybody.",
    ),
    option(
        "registration.scope",
        Some(
            "\"openid profile email fhirUser launch launch/patient offline_access online_access patient/*.rs\"",
        ),
        "scopes, separated by spaces",
        "The most that a client may be granted which registered itself without such a token.",
    ),
    option(
        "registration.grant_types",
        Some("[\"authorization_code\", \"refresh_token\"]"),
        "list of grant types",
        "The grant types for which a client may register itself without such a token. With client_credentials, strangers \
         get what `registration.scope` has for clients that act for themselves.",
    ),
    option(
        "registration.require_pkce",
        Some("true"),
        "true or false",
        "Whether clients that registered themselves and have a secret or keys must use PKCE all the same. Public clients \
         always must. Certification plans of OpenID Connect need false.",
    ),
    option(
        "registration.unused_limit",
        Some("1000"),
        "clients, 1 to 1000000",
        "How many clients that registered without such a token may wait for their first token at once; further ones have to \
         try again later.",
    ),
    option(
        "registration.unused_seconds",
        Some("604800"),
        "seconds, 3600 to 31536000",
        "How long a client that registered itself may be without a token before it is deleted.",
    ),
    option(
        "api_keys.prefix",
        Some("\"zs\""),
        "1 to 16 lower case letters and digits",
        "The word that keys and secrets begin with: `zs_api_live_…`, `zs_secret_…`. Those of another stop working.",
    ),
    option(
        "api_keys.token_seconds",
        Some("300"),
        "seconds, 60 to 3600",
        "How long an access token lives that an API key and its secret are exchanged for. It never outlives the key.",
    ),
];
