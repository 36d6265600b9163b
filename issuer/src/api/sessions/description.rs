//! What the operations on sessions take and give.

use crate::api::description::{administration, id, list};
use crate::openapi::schema::{always, instant, object, or_null, text, texts};
use crate::openapi::{Content, Description, Operation, Place, Tag};

const PATH: &str = "/v1/sessions";

/// Adds them.
pub fn describe(all: &mut Description) {
    all.name(
        "Session",
        object(
            "A session",
            [
                always("id", text("Its id", "session-Yx3mBv1pQk7RzT0aLw9sEg")),
                always("userId", text("Who is signed in", "user-Yx3mBv1pQk7RzT0aLw9sEg")),
                always("authenticatedAt", instant("When the person signed in")),
                always("lastSeenAt", instant("When the browser was last seen")),
                always("expiresAt", instant("When it ends at the latest")),
                always("methods", texts("How the person signed in", &["pwd", "otp"])),
                always(
                    "userAgent",
                    or_null(text("The browser, as it calls itself", "Mozilla/5.0")),
                ),
                always("ipAddress", or_null(text("From where", "192.0.2.7"))),
            ],
        ),
    );
    let user = || text("One person's", "user-Yx3mBv1pQk7RzT0aLw9sEg");
    all.add(
        list(
            Operation::get(PATH, "listSessions", Tag::Sessions, "List living sessions"),
            "Session",
        )
        .in_query("filter[userId]", user()),
    );
    all.add(
        administration(Operation::delete(
            PATH,
            "endSessions",
            Tag::Sessions,
            "End all sessions of a person",
        ))
        .note("The apps they were signed in to are told (OpenID Connect Back-Channel Logout).")
        .parameter(Place::Query, "filter[userId]", user(), true)
        .answer(204, "They are over", Content::Nothing)
        .refuses(404, "There is no such person"),
    );
    all.add(
        administration(Operation::delete(
            "/v1/sessions/{id}",
            "endSession",
            Tag::Sessions,
            "End a session",
        ))
        .in_path("id", id("session", "session-Yx3mBv1pQk7RzT0aLw9sEg"))
        .answer(204, "It is over", Content::Nothing),
    );
}
