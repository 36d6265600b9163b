//! What the operations on connections to identity providers take and give.

use serde_json::{Value, json};

use crate::api::description::{administration, id, with_members};
use crate::openapi::schema::{
    always, choice, flag, instant, list_of, named, object, or_null, page_of, sometimes, text, texts,
};
use crate::openapi::{Content, Description, Operation, Place, Tag};

use super::PATH;

const ONE: &str = "/auth/sso-connections/{id}";
const EXAMPLE: &str = "sso-Yx3mBv1pQk7RzT0aLw9sEg";

/// Adds them.
pub fn describe(all: &mut Description) {
    schemas(all);
    connections(all);
    turns(all);
    domains(all);
    all.add(
        administration(Operation::get(
            "/auth/sso/explain",
            "explainSignIn",
            Tag::SingleSignOn,
            "Say what happens with an address",
        ))
        .parameter(
            Place::Query,
            "email",
            text("The address that is typed", "sam@hospital.example"),
            true,
        )
        .answer(200, "Each step", Content::Json(named("SignInExplanation")))
        .refuses(422, "email is missing"),
    );
}

fn one(operation: Operation) -> Operation {
    administration(operation).in_path("id", id("connection", EXAMPLE))
}

fn shown(operation: Operation) -> Operation {
    one(operation).answer(
        200,
        "The connection as it is then",
        Content::Json(named("SsoConnection")),
    )
}

fn connections(all: &mut Description) {
    let create = Operation::post(
        PATH,
        "createSsoConnection",
        Tag::SingleSignOn,
        "Connect an identity provider",
    );
    all.add(
        administration(Operation::get(
            PATH,
            "listSsoConnections",
            Tag::SingleSignOn,
            "List connections",
        ))
        .answer(
            200,
            "All of them: there are few",
            Content::Json(page_of("SsoConnection")),
        ),
    );
    all.add(
        with_members(administration(create))
            .note("The provider is asked for its metadata at once. Nobody is sent there before the connection is attested and enabled.")
            .json(
                named("SsoConnectionSettings"),
                json!({
                    "name": "Example Hospital", "issuer": "https://id.hospital.example", "clientId": "wardgate",
                    "clientSecret": "a-secret-of-the-provider", "unknownPeople": "create",
                    "defaultRoleId": "role-care-team-user",
                    "roleRules": [{ "claim": "groups", "value": "nurses", "roleId": "role-care-team-user" }],
                }),
            )
            .answer(201, "The connection; Location says where it is", Content::Json(named("SsoConnection"))),
    );
    all.add(shown(Operation::get(
        ONE,
        "getSsoConnection",
        Tag::SingleSignOn,
        "Show a connection",
    )));
    all.add(
        with_members(shown(Operation::patch(
            ONE,
            "changeSsoConnection",
            Tag::SingleSignOn,
            "Change a connection",
        )))
        .note("The provider is asked anew. With another issuer it has to be attested and enabled anew.")
        .json(
            named("SsoConnectionSettings"),
            json!({ "name": "Example Hospital North" }),
        ),
    );
    all.add(
        one(Operation::delete(
            ONE,
            "removeSsoConnection",
            Tag::SingleSignOn,
            "Remove a connection",
        ))
        .note("Its people sign in with passwords from then on.")
        .answer(204, "It is gone", Content::Nothing),
    );
}

fn turns(all: &mut Description) {
    all.add(
        shown(Operation::post(
            "/auth/sso-connections/{id}/attest-mfa",
            "attestMfa",
            Tag::SingleSignOn,
            "Attest that the provider asks everybody for more than one factor",
        ))
        .note("Your word is recorded with your name."),
    );
    all.add(
        shown(Operation::post(
            "/auth/sso-connections/{id}/enable",
            "enableSsoConnection",
            Tag::SingleSignOn,
            "Let people be sent to the provider",
        ))
        .refuses(409, "It is not attested"),
    );
    all.add(
        shown(Operation::post(
            "/auth/sso-connections/{id}/disable",
            "disableSsoConnection",
            Tag::SingleSignOn,
            "Send nobody to the provider any more",
        ))
        .note("Sessions that are there stay."),
    );
    all.add(
        one(Operation::delete(
            "/auth/sso-connections/{id}/links/{userId}",
            "removeSsoLink",
            Tag::SingleSignOn,
            "Forget who a person is at the provider",
        ))
        .note("Their next sign-in there links them anew.")
        .in_path("userId", id("account", "user-Yx3mBv1pQk7RzT0aLw9sEg"))
        .answer(204, "It is forgotten", Content::Nothing),
    );
}

fn domains(all: &mut Description) {
    let of_domain = |operation| one(operation).in_path("domain", text("The domain", "hospital.example"));
    let proved = |operation| {
        of_domain(operation).answer(200, "The domain as it is then", Content::Json(named("SsoDomain")))
    };
    all.add(
        with_members(one(Operation::post(
            "/auth/sso-connections/{id}/domains",
            "addSsoDomain",
            Tag::SingleSignOn,
            "Claim a domain for a connection",
        )))
        .json(named("NewSsoDomain"), json!({ "domain": "hospital.example" }))
        .answer(
            201,
            "The domain, and the record to publish",
            Content::Json(named("SsoDomain")),
        ),
    );
    all.add(
        of_domain(Operation::delete(
            "/auth/sso-connections/{id}/domains/{domain}",
            "removeSsoDomain",
            Tag::SingleSignOn,
            "Take a domain from a connection",
        ))
        .answer(204, "It is taken", Content::Nothing),
    );
    all.add(
        proved(Operation::post(
            "/auth/sso-connections/{id}/domains/{domain}/verify",
            "verifySsoDomain",
            Tag::SingleSignOn,
            "Look for the TXT record of a domain",
        ))
        .refuses(409, "The record is not there")
        .refuses(502, "The name servers cannot be asked"),
    );
    all.add(
        proved(Operation::post(
            "/auth/sso-connections/{id}/domains/{domain}/override",
            "overrideSsoDomain",
            Tag::SingleSignOn,
            "Answer for a domain yourself",
        ))
        .note("Your word is recorded with your name."),
    );
}

fn schemas(all: &mut Description) {
    let shown = [
        always("id", text("Its id", EXAMPLE)),
        always(
            "hasClientSecret",
            flag("Whether there is a secret, which is never shown", true),
        ),
        always(
            "redirectUri",
            text(
                "What to register at the provider",
                "http://localhost:8788/login/sso/callback",
            ),
        ),
        always(
            "mfaAttestedAt",
            or_null(instant(
                "When somebody attested that the provider asks for two factors",
            )),
        ),
        always(
            "mfaAttestedBy",
            or_null(text("Who", "user-Yx3mBv1pQk7RzT0aLw9sEg")),
        ),
        always("enabled", flag("Whether people are sent there", false)),
        always("checkedAt", instant("When the provider was last asked")),
        always("createdAt", instant("When it was made")),
        always(
            "domains",
            list_of("The domains whose people it signs in", named("SsoDomain")),
        ),
    ];
    let own = settings().into_iter().map(|(name, schema)| always(name, schema));
    all.name(
        "SsoConnection",
        object("A connection to an identity provider", own.chain(shown)),
    );
    let besides = [
        sometimes(
            "tenantId",
            text(
                "With the preset entra_id, instead of the issuer",
                "contoso.example",
            ),
        ),
        sometimes(
            "region",
            text("With the preset cognito, instead of the issuer", "eu-west-1"),
        ),
        sometimes(
            "userPoolId",
            text("With the preset cognito", "eu-west-1_AbCdEf123"),
        ),
        sometimes(
            "clientSecret",
            text("Our secret there", "a-secret-of-the-provider"),
        ),
    ];
    let own = settings()
        .into_iter()
        .map(|(name, schema)| sometimes(name, schema));
    all.name(
        "SsoConnectionSettings",
        object("What is said of a connection", own.chain(besides)),
    );
    schemas_of_domains(all);
}

/// What is said of a connection, and shown of it.
fn settings() -> [(&'static str, Value); 12] {
    let for_role = object(
        "Whoever has this value in this claim gets this role",
        [
            always("claim", text("A claim of the provider's ID tokens", "groups")),
            always("value", text("A value of it", "nurses")),
            always(
                "roleId",
                text("The id or name of the role", "role-care-team-user"),
            ),
        ],
    );
    let methods = ["client_secret_basic", "client_secret_post", "none"];
    let presets = ["generic", "google", "entra_id", "cognito"];
    [
        ("name", text("What it is called, unique", "Example Hospital")),
        ("preset", choice("Whose provider it is", &presets)),
        (
            "issuer",
            text("The provider's issuer", "https://id.hospital.example"),
        ),
        ("clientId", text("What we are registered as there", "wardgate")),
        (
            "clientAuthentication",
            choice("How we prove who we are there", &methods),
        ),
        (
            "scopes",
            texts("What is asked for", &["openid", "email", "profile"]),
        ),
        (
            "requiredAmr",
            texts("Values of amr of which one must be there", &[]),
        ),
        (
            "requiredAcr",
            texts("Values of acr of which one must be there", &[]),
        ),
        (
            "unknownPeople",
            choice("What becomes of people without an account", &["refuse", "create"]),
        ),
        (
            "defaultRoleId",
            or_null(text(
                "The role of people whom no rule gives one",
                "role-care-team-user",
            )),
        ),
        ("roleRules", list_of("Who gets which role", for_role)),
        (
            "grantsAdministration",
            flag("Whether its rules may make administrators", false),
        ),
    ]
}

fn schemas_of_domains(all: &mut Description) {
    all.name(
        "SsoDomain",
        object(
            "A domain of a connection",
            [
                always("domain", text("The domain", "hospital.example")),
                always(
                    "recordName",
                    text(
                        "The name of the TXT record that its owner publishes",
                        "_wardgate.hospital.example",
                    ),
                ),
                always(
                    "recordValue",
                    text("What the record says", "wardgate-verification=…"),
                ),
                always("verifiedAt", or_null(instant("Since when it is proved"))),
                always(
                    "verifiedBy",
                    or_null(choice("By what", &["dns", "administrator"])),
                ),
                always("createdAt", instant("When it was claimed")),
            ],
        ),
    );
    all.name(
        "NewSsoDomain",
        object(
            "A domain to be claimed",
            [always("domain", text("The domain", "hospital.example"))],
        ),
    );
    let step = "the domain hospital.example belongs to no connection";
    all.name(
        "SignInExplanation",
        object(
            "What happens with an address",
            [
                always("wayIn", text("How its person signs in", "password")),
                always("connectionId", or_null(text("By which connection", EXAMPLE))),
                always("steps", texts("What is looked at, one after another", &[step])),
            ],
        ),
    );
}
