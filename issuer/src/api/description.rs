//! What all operations of the API have in common, for [`crate::openapi`].

use serde_json::Value;

use crate::domain::role::{ADMINISTRATION_READ, ADMINISTRATION_WRITE};
use crate::openapi::schema::{number, page_of, text};
use crate::openapi::{Access, Content, Description, Operation};

use super::{
    api_keys, audit_events, clients, organizations, roles, sessions, signing_keys, sso_connections, users,
};

/// Describes the whole API.
pub fn describe(all: &mut Description) {
    users::describe(all);
    roles::describe(all);
    organizations::describe(all);
    sso_connections::describe(all);
    clients::describe(all);
    api_keys::describe(all);
    sessions::describe(all);
    signing_keys::describe(all);
    audit_events::describe(all);
}

/// An operation for administrators: one that looks needs another scope than one that changes.
pub(super) fn administration(operation: Operation) -> Operation {
    let scope = if operation.method == "GET" {
        ADMINISTRATION_READ
    } else {
        ADMINISTRATION_WRITE
    };
    let is_of_one = operation.path.contains('{');
    let operation = operation
        .access(Access::Token(scope))
        .refuses(400, "The query, or the form of the body, cannot be as it is")
        .refuses(
            401,
            "There is no access token, or not a good one: WWW-Authenticate says why",
        )
        .refuses(
            403,
            "The access token, or the role of its person, does not permit this",
        );
    if is_of_one {
        operation.refuses(404, "There is no such thing")
    } else {
        operation
    }
}

/// The list of a named schema, page by page.
pub(super) fn list(operation: Operation, name: &str) -> Operation {
    administration(operation)
        .in_query("page[size]", number("How many entries at most: 1 to 200", 50))
        .in_query(
            "page[after]",
            text("What page.next of the page before says", "MTgwMDAwMDAwMDo0Mg"),
        )
        .answer(200, "A page of the list", Content::Json(page_of(name)))
}

/// What an operation with a body refuses beside the rest.
pub(super) fn with_members(operation: Operation) -> Operation {
    operation
        .refuses(409, "It is taken already, or was changed meanwhile")
        .refuses(415, "The body is not application/json")
        .refuses(422, "Members cannot be as they are: errors names all of them")
}

/// An id in a path.
pub(super) fn id(what: &str, example: &str) -> Value {
    text(&format!("The id of the {what}"), example)
}
