//! What the operations on signing keys take and give.

use serde_json::json;

use crate::api::description::{administration, id, with_members};
use crate::openapi::schema::{always, choice, instant, named, object, or_null, page_of, sometimes, text};
use crate::openapi::{Content, Description, Operation, Tag};

use super::PATH;

const ONE: &str = "/v1/signing-keys/{id}";
const KEY_ID: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

/// Adds them.
pub fn describe(all: &mut Description) {
    schemas(all);
    all.add(
        administration(Operation::get(
            PATH,
            "listSigningKeys",
            Tag::SigningKeys,
            "List signing keys",
        ))
        .note("All of them: those that wait, sign, or are published until their last token is over.")
        .answer(
            200,
            "The keys, newest first",
            Content::Json(page_of("SigningKey")),
        ),
    );
    all.add(
        with_members(administration(Operation::post(
            PATH,
            "rotateSigningKey",
            Tag::SigningKeys,
            "Make a successor",
        )))
        .note("It is published at once and signs after keys.publish_lead_seconds; its predecessor signs until then.")
        .json(named("SigningKeyRotation"), json!({ "algorithm": "ES256" }))
        .answer(
            201,
            "The new key; Location says where it is",
            Content::Json(named("SigningKey")),
        ),
    );
    let one = |operation| administration(operation).in_path("id", id("key: its kid", KEY_ID));
    all.add(
        one(Operation::get(
            ONE,
            "getSigningKey",
            Tag::SigningKeys,
            "Show a signing key",
        ))
        .answer(200, "The key", Content::Json(named("SigningKey"))),
    );
    all.add(
        one(Operation::delete(
            ONE,
            "revokeSigningKey",
            Tag::SigningKeys,
            "Revoke a signing key",
        ))
        .note("For a key that others may know: what it signed is refused, here at once and at the edge within the time of a status list. Another key signs.")
        .answer(204, "It is over", Content::Nothing)
        .refuses(409, "The keys were changed meanwhile"),
    );
}

fn schemas(all: &mut Description) {
    let algorithm = || text("What it signs with", "ES256");
    all.name(
        "SigningKey",
        object(
            "A signing key, without its private half",
            [
                always("id", text("Its kid", KEY_ID)),
                always("algorithm", algorithm()),
                always(
                    "phase",
                    choice(
                        "Where it is in its life",
                        &["waiting", "signing", "retired", "gone"],
                    ),
                ),
                always("createdAt", instant("Since when it is published")),
                always("signsFrom", instant("From when it signs")),
                always(
                    "signsUntil",
                    or_null(instant("Until when; null until it has a successor")),
                ),
                always(
                    "publishedUntil",
                    or_null(instant("Until when it is published after that")),
                ),
                always(
                    "successorDueAt",
                    or_null(instant("When its successor is made; null without a schedule")),
                ),
            ],
        ),
    );
    all.name(
        "SigningKeyRotation",
        object(
            "Which key gets a successor",
            [sometimes(
                "algorithm",
                text("One in use; the one of access tokens where it is absent", "ES256"),
            )],
        ),
    );
}
