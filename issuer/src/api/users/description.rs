//! What the operations on accounts and their second factors take and give.

use serde_json::json;

use crate::api::description::{administration, id, list, with_members};
use crate::openapi::schema::{
    always, choice, flag, instant, named, object, or_null, page_of, sometimes, text,
};
use crate::openapi::{Content, Description, Operation, Tag};

use super::PATH;

const ONE: &str = "/auth/users/{id}";
const FACTORS: &str = "/auth/users/{id}/factors";

/// Adds them.
pub fn describe(all: &mut Description) {
    schemas(all);
    all.add(
        list(
            Operation::get(PATH, "listUsers", Tag::Users, "List accounts"),
            "User",
        )
        .in_query("filter[name]", text("Exactly this name", "Amina Rahman"))
        .in_query("filter[email]", text("Exactly this address", "amina@example.org"))
        .in_query(
            "filter[roleId]",
            text("People with this role", "role-care-team-user"),
        )
        .in_query(
            "filter[organizationId]",
            text("People who act for this organization", "org-abc123"),
        )
        .in_query(
            "filter[active]",
            choice("Open or closed accounts only", &["true", "false"]),
        ),
    );
    all.add(
        with_members(administration(Operation::post(PATH, "createUser", Tag::Users, "Make an account")))
            .note(
                "The person sets a password by the link of an invitation (`invite`), or signs in by their organization's identity \
                 provider. Nobody gives a role that allows more than they have themselves.",
            )
            .json(
                named("NewUser"),
                json!({
                    "email": "noor@example.org", "name": "Noor Haque", "userType": "builder", "roleId": "role-care-team-user",
                }),
            )
            .answer(201, "The account; Location says where it is", Content::Json(named("User"))),
    );
    all.add(one(Operation::get(ONE, "getUser", Tag::Users, "Show an account")));
    all.add(
        with_members(one(Operation::patch(
            ONE,
            "changeUser",
            Tag::Users,
            "Change an account",
        )))
        .note("A JSON merge patch (RFC 7396): what is absent stays, what is null goes.")
        .json(
            named("UserChange"),
            json!({ "name": "Noor A. Haque", "practitionerId": "practitioner-67890" }),
        ),
    );
    all.add(
        one(Operation::post(
            "/auth/users/{id}/deactivate",
            "deactivateUser",
            Tag::Users,
            "Close an account",
        ))
        .note("Sessions, grants and tokens of the person end with it. An account that is closed stays so.")
        .refuses(409, "It is the last administrator's"),
    );
    all.add(
        one(Operation::post(
            "/auth/users/{id}/reactivate",
            "reactivateUser",
            Tag::Users,
            "Open a closed account",
        ))
        .note("Nothing that ended when it was closed comes back."),
    );
    all.add(
        one(Operation::post(
            "/auth/users/{id}/invite",
            "inviteUser",
            Tag::Users,
            "Send an invitation, once more where there was one",
        ))
        .refuses(409, "The person has a password already")
        .refuses(422, "No mail can be sent, or the person signs in elsewhere"),
    );
    factors(all);
}

fn one(operation: Operation) -> Operation {
    administration(operation)
        .in_path("id", id("account", "user-Yx3mBv1pQk7RzT0aLw9sEg"))
        .answer(200, "The account as it is then", Content::Json(named("User")))
}

fn factors(all: &mut Description) {
    let of_person =
        |operation| administration(operation).in_path("id", id("account", "user-Yx3mBv1pQk7RzT0aLw9sEg"));
    all.add(
        of_person(Operation::get(
            FACTORS,
            "listFactors",
            Tag::Users,
            "List a person's second factors",
        ))
        .note("Seeds, numbers and keys are never shown.")
        .answer(200, "All of them", Content::Json(page_of("Factor"))),
    );
    all.add(
        of_person(Operation::delete(FACTORS, "resetFactors", Tag::Users, "End a person's second factors"))
            .note("For somebody who has lost them. Recovery codes, remembered devices and sessions end too; the person is told by mail.")
            .answer(204, "They are gone", Content::Nothing),
    );
}

fn schemas(all: &mut Description) {
    let user_type = || {
        choice(
            "builder for staff and developers, patient for people who are treated",
            &["builder", "patient"],
        )
    };
    let fhir_user = || {
        text(
            "Their own FHIR resource, relative to the FHIR base",
            "Practitioner/practitioner-67890",
        )
    };
    let practitioner = || {
        text(
            "The id of their Practitioner resource, for the claim practitioner_id",
            "practitioner-67890",
        )
    };
    let organization = || text("The id of the organization they act for", "org-abc123");
    let email = || text("Their address, by which they sign in", "noor@example.org");
    let name = || text("Their name: 1 to 200 bytes", "Noor Haque");
    let role = || text("The id of their role", "role-care-team-user");
    all.name(
        "User",
        object(
            "An account",
            [
                always(
                    "id",
                    text(
                        "What tokens name the person by, as sub",
                        "user-Yx3mBv1pQk7RzT0aLw9sEg",
                    ),
                ),
                always("email", email()),
                always("name", name()),
                always("userType", user_type()),
                always("roleId", or_null(role())),
                always("organizationId", or_null(organization())),
                always("fhirUser", or_null(fhir_user())),
                always("practitionerId", or_null(practitioner())),
                always("active", flag("Whether the person may sign in", true)),
                always("createdAt", instant("When it was made")),
                sometimes(
                    "invitation",
                    choice(
                        "What became of an invitation that was asked for just now",
                        &["queued", "failed"],
                    ),
                ),
            ],
        ),
    );
    all.name(
        "NewUser",
        object(
            "An account to be made",
            [
                always("email", email()),
                always("name", name()),
                always("roleId", role()),
                sometimes("userType", or_null(user_type())),
                sometimes("organizationId", or_null(organization())),
                sometimes("fhirUser", or_null(fhir_user())),
                sometimes("practitionerId", or_null(practitioner())),
                sometimes(
                    "invite",
                    flag("Whether to send a link by which the person sets a password", true),
                ),
            ],
        ),
    );
    all.name(
        "UserChange",
        object(
            "What changes of an account",
            [
                sometimes("email", email()),
                sometimes("name", name()),
                sometimes("userType", user_type()),
                sometimes("roleId", role()),
                sometimes("organizationId", or_null(organization())),
                sometimes("fhirUser", or_null(fhir_user())),
                sometimes("practitionerId", or_null(practitioner())),
            ],
        ),
    );
    all.name(
        "Factor",
        object(
            "A second factor",
            [
                always("id", text("Its id", "factor-Yx3mBv1pQk7RzT0aLw9sEg")),
                always("kind", choice("What it is", &["totp", "sms", "passkey"])),
                always("name", text("What the person calls it", "Authenticator app")),
                always("createdAt", instant("When it was set up")),
                always("lastUsedAt", or_null(instant("When it was last used"))),
            ],
        ),
    );
}
