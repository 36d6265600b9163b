//! What the status lists take and give.

use crate::openapi::schema::{always, named, object, text, texts};
use crate::openapi::{Content, Description, Operation, Tag};

/// Adds them.
pub fn describe(all: &mut Description) {
    let lists = object(
        "Which lists there are",
        [always(
            "status_lists",
            texts("Their addresses", &["http://localhost:8788/oauth2/status/1"]),
        )],
    );
    all.name("StatusLists", lists);
    all.add(
        Operation::get(
            "/oauth2/status",
            "getStatusLists",
            Tag::Tokens,
            "Which status lists there are",
        )
        .answer(200, "The lists", Content::Json(named("StatusLists"))),
    );
    all.add(
        Operation::get(
            "/oauth2/status/{list}",
            "getStatusList",
            Tag::Tokens,
            "Which access tokens were revoked (draft-ietf-oauth-status-list)",
        )
        .in_path("list", text("The id of the list", "1"))
        .in_query(
            "time",
            text("How a list stood at some time, which is not kept", "1800000000"),
        )
        .answer(
            200,
            "The list, as a signed JWT",
            Content::Text("application/statuslist+jwt"),
        )
        .answer(304, "You have it already (If-None-Match)", Content::Nothing)
        .refuses(404, "There is no such list, or every token in it has expired")
        .refuses(501, "time was named"),
    );
}
