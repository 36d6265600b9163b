//! What a launch takes and gives.

use serde_json::json;

use crate::openapi::schema::{always, flag, instant, list_of, named, object, open_object, sometimes, text};
use crate::openapi::{Access, Content, Description, Operation, Tag};

/// Adds it.
pub fn describe(all: &mut Description) {
    let item = open_object(
        "A resource in context (SMART App Launch)",
        [
            sometimes(
                "reference",
                text("It, relative to the FHIR base", "ImagingStudy/imaging-1"),
            ),
            sometimes("role", text("What part it plays", "launch")),
        ],
    );
    let request = object(
        "What an EHR says",
        [
            always("client_id", text("The app", "test_client_zs_his")),
            sometimes(
                "aud",
                text(
                    "The FHIR base; the first one without",
                    "http://localhost:8787/fhir",
                ),
            ),
            sometimes(
                "user",
                text(
                    "The only person who may use the launch, by sub or address",
                    "farid@example.org",
                ),
            ),
            sometimes("patient", text("The patient in context", "patient-22222")),
            sometimes("encounter", text("The encounter in context", "encounter-22222")),
            sometimes("fhirContext", list_of("Other resources in context", item)),
            sometimes(
                "intent",
                text("What the app is opened for", "reconcile-medications"),
            ),
            sometimes(
                "need_patient_banner",
                flag("Whether the app must show who the patient is", true),
            ),
            sometimes(
                "smart_style_url",
                text("How the app is to look", "https://ehr.example.org/style.json"),
            ),
            sometimes("tenant", text("For whom", "north")),
        ],
    );
    let launched = object(
        "A launch",
        [
            always("launch", text("The value for the app", "wg_launch_…")),
            always(
                "launch_url",
                text(
                    "Where to send the browser",
                    "http://localhost:3000/launch?iss=…&launch=…",
                ),
            ),
            always("expires_at", instant("Until when the app may come back with it")),
        ],
    );
    all.name("LaunchRequest", request);
    all.name("Launch", launched);
    all.add(
        Operation::post("/v1/launches", "createLaunch", Tag::Launches, "Launch an app in a context (SMART App Launch)")
            .note("For a client that acts for itself; what it says about patient and person is believed.")
            .access(Access::Token(super::SCOPE))
            .json(
                named("LaunchRequest"),
                json!({ "client_id": "test_client_zs_his", "patient": "patient-22222", "intent": "reconcile-medications" }),
            )
            .answer(201, "The launch", Content::Json(named("Launch")))
            .refuses(400, "The body is not JSON of this form")
            .refuses(401, "There is no access token, or not a good one")
            .refuses(403, "The access token is a person's, or lacks the scope __launches")
            .refuses(415, "The body is not application/json")
            .refuses(422, "The app cannot be launched like this"),
    );
}
