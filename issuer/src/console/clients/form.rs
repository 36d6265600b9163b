//! The form in which a client is registered or changed: fields for what every client has, and a JSON object for the rest.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Map, Value};

use crate::administration::clients::{self as service, SavedClient};
use crate::domain::client::GrantType;
use crate::error::page::PageError;
use crate::registration::{Document, MetadataFault};
use crate::state::AppState;
use crate::views::console::{
    Choice, ClientFormPage, FieldFault, FormState, SecretOf, SecretPage, ShownSecret,
};

use super::{Administrator, Submission, done, fault, named, path_of, show};

const NEW: &str = "/admin/new-client";
const NO_OBJECT: &str = "This is no JSON object whose members have distinct names.";
const HAS_A_FIELD: &str = "This member has a field of its own above.";

/// The members that have a field of their own.
const FIELDS: [&str; 6] = [
    "client_id",
    "client_name",
    "token_endpoint_auth_method",
    "grant_types",
    "redirect_uris",
    "scope",
];
/// The fields of the form.
const ALL_FIELDS: [&str; 7] = [
    "client_id",
    "client_name",
    "token_endpoint_auth_method",
    "grant_types",
    "redirect_uris",
    "scope",
    "metadata",
];
/// What is not changed here, or follows from the rest.
const FOLLOWS: [&str; 1] = ["response_types"];

fn methods() -> [Choice; 4] {
    [
        Choice::new("client_secret_basic", "By a secret (client_secret_basic)"),
        Choice::new("client_secret_post", "By a secret (client_secret_post)"),
        Choice::new("private_key_jwt", "By its own key (private_key_jwt)"),
        Choice::new("none", "Not at all: a public client (none)"),
    ]
}

fn grants() -> Vec<Choice> {
    GrantType::ALL
        .map(|grant_type| Choice::new(grant_type.as_str(), grant_type.as_str()))
        .into()
}

/// Shows the form for a new client.
pub(in crate::console) async fn new(
    State(state): State<AppState>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let form = administrator
        .form(&state, NEW)
        .with("grant_types", GrantType::AuthorizationCode.as_str())
        .with("grant_types", GrantType::RefreshToken.as_str());
    show_form(&administrator, &form, None)
}

/// Registers a client.
pub(in crate::console) async fn create(
    State(state): State<AppState>,
    submission: Submission,
) -> Result<Response, PageError> {
    let saved = match document(&submission)? {
        Ok(document) => {
            let outcome = service::create(&state, &submission.administrator.actor, &document).await;
            submission.recorded(&state, outcome).await?.map_err(fault)
        }
        Err(fault) => {
            submission.record_fault(&state).await?;
            Err(Ok(fault))
        }
    };
    match saved {
        Ok(saved) => show_saved(&submission.administrator, &saved, SecretOf::NewClient),
        Err(fault) => {
            let form = submission.again(&state, &ALL_FIELDS, vec![fault?]);
            show_form(&submission.administrator, &form, None)
        }
    }
}

/// Shows the form with what a client has.
pub(in crate::console) async fn edit(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let client = named(&state, id).await?;
    let mut form = administrator.form(&state, administrator.path());
    let mut rest = Map::new();
    for (name, value) in service::describe(&client) {
        match (&value, name.as_str()) {
            (_, name) if FOLLOWS.contains(&name) => {}
            (Value::Array(values), "grant_types") => {
                for value in values.iter().filter_map(Value::as_str) {
                    form = form.with("grant_types", value);
                }
            }
            (Value::Array(values), "redirect_uris") => {
                let lines: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
                form = form.with("redirect_uris", lines.join("\n"));
            }
            (Value::String(text), name) if FIELDS.contains(&name) => form = form.with(name, text),
            (Value::Array(values), _) if values.is_empty() => {}
            _ => {
                rest.insert(name, value);
            }
        }
    }
    let text = serde_json::to_string_pretty(&rest).unwrap_or_default();
    show_form(&administrator, &form.with("metadata", text), Some(&client.name))
}

/// Changes a client.
pub(in crate::console) async fn change(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let client = named(&state, id).await?;
    let saved = match document(&submission)? {
        Ok(document) => {
            let actor = &submission.administrator.actor;
            let outcome = service::change(&state, actor, client.clone(), &document).await;
            submission.recorded(&state, outcome).await?.map_err(fault)
        }
        Err(fault) => {
            submission.record_fault(&state).await?;
            Err(Ok(fault))
        }
    };
    match saved {
        Ok(saved) => show_saved(&submission.administrator, &saved, SecretOf::Client),
        Err(fault) => {
            let form = submission.again(&state, &ALL_FIELDS, vec![fault?]);
            show_form(&submission.administrator, &form, Some(&client.name))
        }
    }
}

fn show_form(
    administrator: &Administrator,
    form: &FormState,
    name: Option<&str>,
) -> Result<Response, PageError> {
    show(&ClientFormPage {
        frame: administrator.frame(),
        form,
        action: administrator.path(),
        is_new: name.is_none(),
        name: name.unwrap_or_default(),
        methods: &methods(),
        grants: &grants(),
    })
}

/// Goes to the client's page; where it has a secret now that it had not before, shows that first.
fn show_saved(
    administrator: &Administrator,
    saved: &SavedClient,
    what: SecretOf,
) -> Result<Response, PageError> {
    let path = path_of(&saved.client.client_id);
    match &saved.secret {
        Some(secret) => show(&SecretPage {
            frame: administrator.frame(),
            shown: ShownSecret {
                what,
                name: &saved.client.client_id,
                secret: secret.expose(),
                previous_until: None,
                left_out: "",
                back: &path,
            },
        }),
        None => done(&path, "changed"),
    }
}

/// What the form says, as a document of client metadata; or what is wrong with the form itself.
fn document(submission: &Submission) -> Result<Result<Document, FieldFault>, PageError> {
    let wrong = |text: &str| {
        Ok(Err(FieldFault {
            field: "metadata".into(),
            text: text.into(),
        }))
    };
    let mut members = match submission.field("metadata")? {
        "" => Map::new(),
        text => match Document::parse(text.as_bytes()) {
            Ok(document) => document.into_members(),
            Err(_) => return wrong(NO_OBJECT),
        },
    };
    if FIELDS.iter().any(|name| members.contains_key(*name)) {
        return wrong(HAS_A_FIELD);
    }
    for name in ["client_id", "client_name", "token_endpoint_auth_method"] {
        members.insert(name.into(), submission.field(name)?.into());
    }
    members.insert("grant_types".into(), submission.values("grant_types").collect());
    let scope: Vec<&str> = submission.field("scope")?.split_whitespace().collect();
    members.insert("scope".into(), scope.join(" ").into());
    let uris = submission.field("redirect_uris")?.lines().map(str::trim);
    members.insert(
        "redirect_uris".into(),
        uris.filter(|uri| !uri.is_empty()).collect(),
    );
    Ok(Ok(Document::of(members)))
}

/// The field beside which a fault is shown.
pub(crate) fn field_of(fault: MetadataFault) -> &'static str {
    match fault {
        MetadataFault::Name => "client_name",
        MetadataFault::RedirectUri(_)
        | MetadataFault::NoRedirectUri
        | MetadataFault::InsecureWebApplication
        | MetadataFault::RedirectUriWithoutCode => "redirect_uris",
        MetadataFault::NoGrantType
        | MetadataFault::GrantTypeNotAllowed
        | MetadataFault::PublicWithClientCredentials
        | MetadataFault::RefreshWithoutPerson => "grant_types",
        MetadataFault::MalformedScope
        | MetadataFault::NothingOfScope
        | MetadataFault::RefreshScopeWithoutGrant => "scope",
        MetadataFault::NoKeys => "token_endpoint_auth_method",
        MetadataFault::Type(name)
        | MetadataFault::TooLong(name)
        | MetadataFault::Unsupported(name)
        | MetadataFault::NeverDone(name)
        | MetadataFault::PageUrl(name)
        | MetadataFault::CalledUrl(name) => FIELDS
            .into_iter()
            .find(|field| *field == name)
            .unwrap_or("metadata"),
        MetadataFault::NotAnObject
        | MetadataFault::SoftwareStatement
        | MetadataFault::PostLogoutRedirectUri(_)
        | MetadataFault::PostLogoutWithoutCode
        | MetadataFault::ResponseTypes
        | MetadataFault::TwoKeySets
        | MetadataFault::Keys
        | MetadataFault::AlgorithmWithoutKeys
        | MetadataFault::NoSecret
        | MetadataFault::PublicWithoutPkce
        | MetadataFault::Profile(_)
        | MetadataFault::PushWithoutCode
        | MetadataFault::LogoutSessionWithoutUrl
        | MetadataFault::NoSector
        | MetadataFault::SectorUnavailable
        | MetadataFault::SectorMismatch => "metadata",
    }
}
