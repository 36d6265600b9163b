//! What the audit trail takes and gives.

use serde_json::Value;

use crate::api::description::list;
use crate::openapi::schema::{
    always, anything, choice, instant, list_of, number, object, or_null, sometimes, text,
};
use crate::openapi::{Description, Operation, Tag};

/// Adds it.
pub fn describe(all: &mut Description) {
    let optional = |what, example| or_null(text(what, example));
    all.name(
        "AuditEvent",
        object(
            "A line of the audit trail",
            [
                always("id", number("Its number: later lines have higher ones", 42)),
                always("at", instant("When")),
                always("action", text("What was done", "token_request")),
                always("outcome", choice("How it ended", &["success", "failure"])),
                always(
                    "userId",
                    optional("The person it is about", "user-Yx3mBv1pQk7RzT0aLw9sEg"),
                ),
                always(
                    "actorId",
                    optional(
                        "The person who did it, where that is another",
                        "user-Yx3mBv1pQk7RzT0aLw9sEg",
                    ),
                ),
                always("clientId", optional("The client", "test_client_zs_his")),
                always("objectId", optional("What it was done to", "role-care-team-user")),
                always("ipAddress", optional("From where", "192.0.2.7")),
                always("method", optional("How", "authorization_code")),
                always("reason", optional("Why, in a word", "unknown_client")),
                always("changes", or_null(list_of("What was changed", change()))),
                always("digest", optional("Its digest in the chain", "sha256:…")),
            ],
        ),
    );
    all.add(
        list(
            Operation::get("/v1/audit-events", "listAuditEvents", Tag::Audit, "Search the audit trail, the newest line first"),
            "AuditEvent",
        )
        .note(
            "A page may be empty though page.next leads on: one search looks at so many lines only. Reading is not recorded.",
        )
        .in_query("filter[userId]", text("About this person", "user-Yx3mBv1pQk7RzT0aLw9sEg"))
        .in_query("filter[clientId]", text("By this client", "test_client_zs_his"))
        .in_query("filter[action]", text("Of this action", "token_request"))
        .in_query("filter[outcome]", choice("With this outcome", &["success", "failure"]))
        .in_query("filter[from]", instant("At this instant or later"))
        .in_query("filter[until]", instant("Before this instant"))
        .in_query("filter[ipAddress]", text("From this address", "192.0.2.7"))
        .in_query("filter[objectId]", text("Done to this", "role-care-team-user"))
        .in_query("filter[reason]", text("For this reason", "unknown_client")),
    );
}

fn change() -> Value {
    object(
        "One thing that was changed",
        [
            always("kind", text("What kind of thing it is", "role")),
            always("id", text("Its id", "role-care-team-user")),
            sometimes(
                "before",
                anything("The members that differ, as they were; null where it was made"),
            ),
            sometimes("after", anything("The same as they are; null where it is gone")),
        ],
    )
}
