//! What health says.

use crate::openapi::schema::{always, choice, named, object};
use crate::openapi::{Content, Description, Operation, Refusals, Tag};

/// Adds it.
pub fn describe(all: &mut Description) {
    all.name(
        "Health",
        object(
            "Health",
            [always("status", choice("How it is", &["ok", "unavailable"]))],
        ),
    );
    let health = || Content::Json(named("Health"));
    all.add(
        Operation::get("/health/live", "isLive", Tag::Health, "Whether the process runs")
            .refusals(Refusals::Pages)
            .answer(200, "It does", health()),
    );
    all.add(
        Operation::get(
            "/health/ready",
            "isReady",
            Tag::Health,
            "Whether requests can be answered",
        )
        .note("The store reads and writes, and every algorithm has a key that may sign now.")
        .refusals(Refusals::Pages)
        .answer(200, "They can", health())
        .answer(503, "They cannot", health()),
    );
}
