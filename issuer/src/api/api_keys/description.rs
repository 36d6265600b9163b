//! What the operations on API keys take and give.

use serde_json::json;

use crate::api::description::{administration, id, list, with_members};
use crate::openapi::schema::{
    always, choice, instant, named, number, object, or_null, sometimes, text, texts,
};
use crate::openapi::{Content, Description, Operation, Tag};

use super::PATH;

const ONE: &str = "/v1/api-keys/{id}";

/// Adds them.
pub fn describe(all: &mut Description) {
    schemas(all);
    all.add(list(
        Operation::get(PATH, "listApiKeys", Tag::ApiKeys, "List API keys"),
        "ApiKey",
    ));
    all.add(
        with_members(administration(Operation::post(PATH, "createApiKey", Tag::ApiKeys, "Make an API key")))
            .note(
                "A key acts for itself, so it has `system/` scopes and scopes of your own; others are left out, and so is what you \
                 may not give. The secret is in this answer and in no other. At the edge the key goes into the header `X-API-Key` \
                 and the secret into `X-API-Secret`.",
            )
            .json(
                named("NewApiKey"),
                json!({
                    "name": "EHR Integration", "scopes": ["system/*.read", "observation.write"],
                    "expires_at": "2030-12-31T23:59:59Z",
                }),
            )
            .answer(201, "The key; Location says where it is", Content::Json(named("ApiKey"))),
    );
    let one = |operation| {
        administration(operation).in_path("id", id("key", "apikey-0000000000Yx3mBv1pQk7RzT0aLw9s"))
    };
    let shown =
        |operation| one(operation).answer(200, "The key as it is then", Content::Json(named("ApiKey")));
    all.add(shown(Operation::get(
        ONE,
        "getApiKey",
        Tag::ApiKeys,
        "Show an API key",
    )));
    all.add(
        with_members(shown(Operation::post(
            "/v1/api-keys/{id}/rotate",
            "rotateApiKey",
            Tag::ApiKeys,
            "Give an API key a new secret",
        )))
        .json(named("ApiKeyRotation"), json!({ "overlap_seconds": 3600 })),
    );
    all.add(
        one(Operation::delete(
            ONE,
            "revokeApiKey",
            Tag::ApiKeys,
            "Revoke an API key",
        ))
        .note("Its tokens are revoked with it. The key stays in the list.")
        .answer(204, "It is revoked", Content::Nothing)
        .refuses(422, "It is revoked already"),
    );
}

fn schemas(all: &mut Description) {
    all.name(
        "ApiKey",
        object(
            "An API key",
            [
                always(
                    "id",
                    text(
                        "What administrators and the audit trail name it by",
                        "apikey-0000000000Yx3mBv1pQk7RzT0aLw9s",
                    ),
                ),
                always(
                    "api_key",
                    text("X-API-Key; no secret", "zs_api_live_abc123def456…"),
                ),
                sometimes(
                    "api_secret",
                    text(
                        "X-API-Secret, where it was made just now",
                        "zs_secret_xyz789uvw012…",
                    ),
                ),
                always("name", text("What it is for", "EHR Integration")),
                always(
                    "scopes",
                    texts("What it may do", &["system/*.read", "observation.write"]),
                ),
                sometimes(
                    "left_out_scopes",
                    texts("What it was to do and may not", &["patient/*.read"]),
                ),
                always(
                    "state",
                    choice("What has become of it", &["active", "expired", "revoked"]),
                ),
                always("created_at", instant("When it was made")),
                always(
                    "expires_at",
                    or_null(instant("From when on it is of no use; null for never")),
                ),
                always(
                    "last_used_at",
                    or_null(instant("When it was last exchanged for a token")),
                ),
                always(
                    "previous_secret_until",
                    or_null(instant("Until when the secret before the last rotation is taken")),
                ),
            ],
        ),
    );
    all.name(
        "NewApiKey",
        object(
            "An API key to be made",
            [
                always("name", text("What it is for: 1 to 200 bytes", "EHR Integration")),
                always(
                    "scopes",
                    texts("What it is to do", &["system/*.read", "observation.write"]),
                ),
                sometimes(
                    "expires_at",
                    or_null(instant("From when on it is of no use; never, without")),
                ),
            ],
        ),
    );
    all.name(
        "ApiKeyRotation",
        object(
            "A rotation",
            [sometimes(
                "overlap_seconds",
                number(
                    "For how many seconds more the present secret is taken: 0 to 2592000",
                    3600,
                ),
            )],
        ),
    );
}
