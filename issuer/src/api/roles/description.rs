//! What the operations on roles take and give.

use serde_json::json;

use crate::api::description::{administration, id, list, with_members};
use crate::openapi::schema::{always, choice, flag, instant, named, object, or_null, sometimes, text};
use crate::openapi::{Content, Description, Operation, Tag};

use super::PATH;

const ONE: &str = "/auth/roles/{id}";

/// Adds them.
pub fn describe(all: &mut Description) {
    schemas(all);
    all.add(
        list(
            Operation::get(PATH, "listRoles", Tag::Roles, "List roles"),
            "Role",
        )
        .in_query("filter[name]", text("Exactly this name", "Builder Admin")),
    );
    all.add(
        with_members(administration(Operation::post(
            PATH,
            "createRole",
            Tag::Roles,
            "Make a role",
        )))
        .note("Nobody makes a role that allows more than their own.")
        .json(
            named("NewRole"),
            json!({ "name": "Night Shift", "scope": "openid user/*.rs", "secondFactor": "required" }),
        )
        .answer(
            201,
            "The role; Location says where it is",
            Content::Json(named("Role")),
        ),
    );
    let one = |operation| administration(operation).in_path("id", id("role", "role-care-team-user"));
    let shown =
        |operation| one(operation).answer(200, "The role as it is then", Content::Json(named("Role")));
    all.add(shown(Operation::get(ONE, "getRole", Tag::Roles, "Show a role")));
    all.add(
        with_members(shown(Operation::patch(ONE, "changeRole", Tag::Roles, "Change a role")))
            .note("What it allows less is gone from every grant at its next refresh. Built-in roles keep their names.")
            .json(named("RoleChange"), json!({ "secondFactor": "offered" })),
    );
    all.add(
        one(Operation::delete(ONE, "removeRole", Tag::Roles, "Remove a role"))
            .answer(204, "It is gone", Content::Nothing)
            .refuses(409, "Somebody has it, or it came with the program"),
    );
}

fn schemas(all: &mut Description) {
    let name = || text("What it is called: 1 to 200 bytes, unique", "Night Shift");
    let scope = || {
        text(
            "The most that its people can be granted: scopes, separated by spaces",
            "openid user/*.rs",
        )
    };
    let factor = || {
        choice(
            "Whether its people must have a second factor, or may",
            &["required", "offered"],
        )
    };
    all.name(
        "Role",
        object(
            "A role",
            [
                always("id", text("Its id", "role-Yx3mBv1pQk7RzT0aLw9sEg")),
                always("name", name()),
                always("builtIn", flag("Whether it came with the program", false)),
                always("scope", or_null(scope())),
                always("secondFactor", factor()),
                always("createdAt", instant("When it was made")),
            ],
        ),
    );
    all.name(
        "NewRole",
        object(
            "A role to be made",
            [
                always("name", name()),
                always("scope", scope()),
                sometimes("secondFactor", factor()),
            ],
        ),
    );
    all.name(
        "RoleChange",
        object(
            "What changes of a role",
            [
                sometimes("name", name()),
                sometimes("scope", scope()),
                sometimes("secondFactor", factor()),
            ],
        ),
    );
}
