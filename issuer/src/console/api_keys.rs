//! `/admin/api-keys`: the credentials of integrations.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use wardgate_shared::scope::ScopeSet;

use crate::administration::api_keys::{self as service, ApiKeyError, NewApiKey};
use crate::domain::api_key::ApiKey;
use crate::error::page::PageError;
use crate::extract::{FormError, Parameters};
use crate::state::AppState;
use crate::views::console::{
    ApiKeyEntry, ApiKeyFormPage, ApiKeyPage, ApiKeysPage, ConfirmPage, FieldFault, FormState, Question,
    SecretOf, SecretPage, ShownSecret,
};

use super::instant::{self, NO_INSTANT};
use super::{Administrator, PAGE_SIZE, Submission, done, links, segment, show};

const LIST: &str = "/admin/api-keys";
const NEW: &str = "/admin/new-api-key";
const NO_SCOPES: &str = "These are no scopes, separated by spaces.";
const NO_NUMBER: &str = "This is no number of seconds.";
/// How long the secret before a rotation goes on where nobody says otherwise: a day.
const OVERLAP_SECONDS: &str = "86400";

/// Where the page of a key is.
fn path_of(id: &str) -> String {
    format!("{LIST}/{}", segment(id))
}

/// Shows the list.
pub(super) async fn list(
    State(state): State<AppState>,
    administrator: Administrator,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let query = Parameters::parse(query.unwrap_or_default().as_bytes()).map_err(FormError::from)?;
    let after = query.single("after").map_err(|_| PageError::Field)?;
    let mut keys = service::list(&state, after, PAGE_SIZE.saturating_add(1)).await?;
    let has_more = keys.len() > PAGE_SIZE;
    keys.truncate(PAGE_SIZE);
    let now = state.now();
    let entries: Vec<ApiKeyEntry<'_>> = keys.iter().map(|key| ApiKeyEntry::of(key, now)).collect();
    let last = entries.last().filter(|_| has_more).map(|key| key.id);
    show(&ApiKeysPage {
        frame: administrator.frame(),
        keys: &entries,
        pages: links(LIST, &[], after, last),
    })
}

/// The key that the path names.
async fn named(state: &AppState, id: Result<Path<String>, PathRejection>) -> Result<ApiKey, PageError> {
    let Ok(Path(id)) = id else {
        return Err(PageError::NotFound);
    };
    match service::get(state, &id).await {
        Ok(key) => Ok(key),
        Err(ApiKeyError::Internal(error)) => Err(error.into()),
        Err(_) => Err(PageError::NotFound),
    }
}

/// Shows one.
pub(super) async fn get(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let key = named(&state, id).await?;
    let rotation = format!("{}/rotate", path_of(&key.id));
    let form = administrator
        .form(&state, &rotation)
        .with("overlap_seconds", OVERLAP_SECONDS);
    show_key(&state, &administrator, &key, &form)
}

fn show_key(
    state: &AppState,
    administrator: &Administrator,
    key: &ApiKey,
    form: &FormState,
) -> Result<Response, PageError> {
    show(&ApiKeyPage {
        frame: administrator.frame(),
        key: &ApiKeyEntry::of(key, state.now()),
        form,
    })
}

/// Shows the form for a new key.
pub(super) async fn new(
    State(state): State<AppState>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    show(&ApiKeyFormPage {
        frame: administrator.frame(),
        form: &administrator.form(&state, NEW),
    })
}

/// Makes a key and shows its secret.
pub(super) async fn create(
    State(state): State<AppState>,
    submission: Submission,
) -> Result<Response, PageError> {
    let administrator = &submission.administrator;
    let made = match requested(&submission)? {
        Ok(new) => {
            let outcome = service::create(&state, &administrator.actor, new).await;
            submission.recorded(&state, outcome).await?.map_err(fault)
        }
        Err(fault) => {
            submission.record_fault(&state).await?;
            Err(Ok(fault))
        }
    };
    match made {
        Ok(made) => show(&SecretPage {
            frame: administrator.frame(),
            shown: ShownSecret {
                what: SecretOf::NewApiKey,
                name: &made.key.key,
                secret: made.secret.expose(),
                previous_until: None,
                left_out: &made.left_out.to_string(),
                back: &path_of(&made.key.id),
            },
        }),
        Err(fault) => show(&ApiKeyFormPage {
            frame: administrator.frame(),
            form: &submission.again(&state, &["name", "scope", "expires_at"], vec![fault?]),
        }),
    }
}

/// What the form says, or what is wrong with it.
fn requested(submission: &Submission) -> Result<Result<NewApiKey, FieldFault>, PageError> {
    let wrong = |field: &str, text: &str| {
        Ok(Err(FieldFault {
            field: field.into(),
            text: text.into(),
        }))
    };
    let words: Vec<&str> = submission.field("scope")?.split_whitespace().collect();
    let Ok(scope) = ScopeSet::parse(&words.join(" ")) else {
        return wrong("scope", NO_SCOPES);
    };
    let expires_at = match submission.field("expires_at")? {
        "" => None,
        text => match instant::parse(text) {
            Some(instant) => Some(instant),
            None => return wrong("expires_at", NO_INSTANT),
        },
    };
    Ok(Ok(NewApiKey {
        name: submission.field("name")?.into(),
        scope,
        expires_at,
    }))
}

/// Gives a key a new secret and shows it.
pub(super) async fn rotate(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let key = named(&state, id).await?;
    let administrator = &submission.administrator;
    let rotated = if let Ok(seconds) = submission.field("overlap_seconds")?.parse() {
        let outcome = service::rotate(&state, &administrator.actor, &key.id, seconds).await;
        submission.recorded(&state, outcome).await?.map_err(fault)
    } else {
        submission.record_fault(&state).await?;
        Err(Ok(FieldFault {
            field: "overlap_seconds".into(),
            text: NO_NUMBER.into(),
        }))
    };
    match rotated {
        Ok(rotated) => show(&SecretPage {
            frame: administrator.frame(),
            shown: ShownSecret {
                what: SecretOf::ApiKey,
                name: &rotated.key.key,
                secret: rotated.secret.expose(),
                previous_until: ApiKeyEntry::of(&rotated.key, state.now()).previous_until,
                left_out: "",
                back: &path_of(&rotated.key.id),
            },
        }),
        Err(fault) => {
            let form = submission.again(&state, &["overlap_seconds"], vec![fault?]);
            show_key(&state, administrator, &key, &form)
        }
    }
}

/// Asks whether a key is to be revoked.
pub(super) async fn ask_revoke(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let key = named(&state, id).await?;
    show(&ConfirmPage {
        frame: administrator.frame(),
        question: Question::RevokeApiKey,
        name: &key.name,
        form: &administrator.form(&state, administrator.path()),
        action: administrator.path(),
        back: &path_of(&key.id),
    })
}

/// Revokes a key.
pub(super) async fn revoke(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let key = named(&state, id).await?;
    let path = path_of(&key.id);
    let outcome = service::revoke(&state, &submission.administrator.actor, &key.id).await;
    match submission.recorded(&state, outcome).await? {
        Ok(()) => done(&path, "revoked"),
        Err(ApiKeyError::Internal(error)) => Err(error.into()),
        Err(_) => done(&path, "gone"),
    }
}

/// What an error says, beside the field that it is about.
fn fault(error: ApiKeyError) -> Result<FieldFault, PageError> {
    let field = match &error {
        ApiKeyError::Name => "name",
        ApiKeyError::NothingOfScope | ApiKeyError::ScopeTooLong => "scope",
        ApiKeyError::Expiry => "expires_at",
        ApiKeyError::Overlap => "overlap_seconds",
        ApiKeyError::NotFound | ApiKeyError::NotYours | ApiKeyError::NotActive | ApiKeyError::Internal(_) => {
            ""
        }
    };
    match error {
        ApiKeyError::Internal(error) => Err(error.into()),
        other => Ok(FieldFault {
            field: field.into(),
            text: other.to_string(),
        }),
    }
}
