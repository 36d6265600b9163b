//! What a device authorization takes and gives.

use serde_json::json;

use crate::openapi::schema::{always, named, number, object, open_object, sometimes, text};
use crate::openapi::{Access, Content, Description, Operation, Refusals, Tag};

/// Adds it.
pub fn describe(all: &mut Description) {
    let request = open_object(
        "What a device asks for",
        [
            always(
                "scope",
                text("What is asked for, separated by spaces", "openid patient/*.rs"),
            ),
            sometimes("client_id", text("The client", "bedside-monitor")),
            sometimes("client_secret", text("Its secret", "SERVICE_CLIENT_SECRET")),
            sometimes(
                "resource",
                text(
                    "An API that the token is for (RFC 8707)",
                    "http://localhost:8787/fhir",
                ),
            ),
            sometimes(
                "audience",
                text("The same under another name", "http://localhost:8787/fhir"),
            ),
        ],
    );
    let codes = object(
        "The two codes (RFC 8628 section 3.2)",
        [
            always(
                "device_code",
                text("For the device, at the token endpoint", "wg_device_…"),
            ),
            always("user_code", text("For the person, on the page", "WDJB-MJHT")),
            always(
                "verification_uri",
                text("The page", "http://localhost:8788/device"),
            ),
            always(
                "verification_uri_complete",
                text(
                    "The same with the code, for a QR code",
                    "http://localhost:8788/device?user_code=WDJB-MJHT",
                ),
            ),
            always(
                "expires_in",
                number("For how many seconds the codes are good", 600),
            ),
            always(
                "interval",
                number("How many seconds to wait between two token requests", 5),
            ),
        ],
    );
    all.name("DeviceCodes", codes);
    all.add(
        Operation::post(
            "/oauth2/device_authorization",
            "authorizeDevice",
            Tag::SignIn,
            "Begin to connect a device without a browser (RFC 8628)",
        )
        .access(Access::Client)
        .refusals(Refusals::OAuth)
        .form(
            request,
            vec![(
                "example",
                json!({ "client_id": "bedside-monitor", "scope": "openid patient/*.rs" }),
            )],
        )
        .answer(200, "The codes", Content::Json(named("DeviceCodes")))
        .refuses(400, "The client may not, or asks for nothing that can be granted")
        .refuses(401, "The client has not proved who it is"),
    );
}
