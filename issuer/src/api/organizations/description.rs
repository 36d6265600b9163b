//! What the operations on organizations take and give.

use serde_json::json;

use crate::api::description::{administration, id, list, with_members};
use crate::openapi::schema::{always, choice, instant, named, object, sometimes, text};
use crate::openapi::{Content, Description, Operation, Tag};

use super::PATH;

const ONE: &str = "/auth/organizations/{id}";

/// Adds them.
pub fn describe(all: &mut Description) {
    schemas(all);
    all.add(
        list(
            Operation::get(
                PATH,
                "listOrganizations",
                Tag::Organizations,
                "List organizations",
            ),
            "Organization",
        )
        .in_query("filter[name]", text("Exactly this name", "Example Clinic")),
    );
    all.add(
        with_members(administration(Operation::post(
            PATH,
            "createOrganization",
            Tag::Organizations,
            "Enter an organization",
        )))
        .json(
            named("NewOrganization"),
            json!({ "id": "org-abc123", "name": "Example Clinic" }),
        )
        .answer(
            201,
            "The organization; Location says where it is",
            Content::Json(named("Organization")),
        ),
    );
    let one = |operation| administration(operation).in_path("id", id("organization", "org-abc123"));
    let shown = |operation| {
        one(operation).answer(
            200,
            "The organization as it is then",
            Content::Json(named("Organization")),
        )
    };
    all.add(shown(Operation::get(
        ONE,
        "getOrganization",
        Tag::Organizations,
        "Show an organization",
    )));
    all.add(
        with_members(shown(Operation::patch(
            ONE,
            "changeOrganization",
            Tag::Organizations,
            "Change an organization",
        )))
        .note("The id never changes.")
        .json(named("OrganizationChange"), json!({ "secondFactor": "required" })),
    );
    all.add(
        one(Operation::delete(
            ONE,
            "removeOrganization",
            Tag::Organizations,
            "Remove an organization",
        ))
        .answer(204, "It is gone", Content::Nothing)
        .refuses(409, "Somebody acts for it"),
    );
}

fn schemas(all: &mut Description) {
    let own_id = || {
        text(
            "The id of its FHIR resource, for the claim organization_id",
            "org-abc123",
        )
    };
    let name = || text("What it is called: 1 to 200 bytes, unique", "Example Clinic");
    let factor = || {
        choice(
            "Whether its people must have a second factor, or may",
            &["required", "offered"],
        )
    };
    all.name(
        "Organization",
        object(
            "An organization",
            [
                always("id", own_id()),
                always("name", name()),
                always("secondFactor", factor()),
                always("createdAt", instant("When it was entered")),
            ],
        ),
    );
    all.name(
        "NewOrganization",
        object(
            "An organization to be entered",
            [
                always("id", own_id()),
                always("name", name()),
                sometimes("secondFactor", factor()),
            ],
        ),
    );
    all.name(
        "OrganizationChange",
        object(
            "What changes of an organization",
            [sometimes("name", name()), sometimes("secondFactor", factor())],
        ),
    );
}
