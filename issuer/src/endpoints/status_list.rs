//! `/oauth2/status/{list}`: which access tokens were revoked (draft-ietf-oauth-status-list section 8), and `/oauth2/status`:
//! which lists there are (section 9.3).
//!
//! For everybody, from any origin: a list says nothing to whoever does not hold a token that is in it. What a list said in
//! the past is not kept, which the answer to the parameter `time` says (section 8.4).

mod description;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use wardgate_shared::claims::STATUS_LIST_MEDIA_TYPE;
use wardgate_shared::problem::{PROBLEM_MEDIA_TYPE, Problem};

use crate::error::internal::{InternalError, RETRY_AFTER_SECONDS};
use crate::state::AppState;
use crate::tokens::status_lists::{self, PublishedStatusList};

pub use description::describe;

/// Why there is no list in the answer.
#[derive(Debug)]
pub enum StatusListError {
    /// There is no such list, or it died with its last token.
    Unknown,
    /// It was asked how a list stood at some time.
    History,
    /// The issuer itself failed.
    Internal(InternalError),
}

impl From<InternalError> for StatusListError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

impl IntoResponse for StatusListError {
    fn into_response(self) -> Response {
        match self {
            Self::Unknown => problem(
                StatusCode::NOT_FOUND,
                "Unknown status list",
                "There is no such list, or every token in it has expired",
            ),
            Self::History => problem(
                StatusCode::NOT_IMPLEMENTED,
                "No history",
                "Only the present list is given: leave the parameter time out",
            ),
            Self::Internal(error) => {
                error.log();
                let detail = "The server cannot answer at the moment";
                let mut response = problem(error.status(), "Not available", detail);
                let headers = response.headers_mut();
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
                response
            }
        }
    }
}

fn problem(status: StatusCode, title: &'static str, detail: &'static str) -> Response {
    let body = Problem {
        kind: "about:blank".into(),
        title: title.into(),
        status: status.as_u16(),
        detail: Some(detail.into()),
    };
    let headers = [
        (header::CONTENT_TYPE, PROBLEM_MEDIA_TYPE),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (status, headers, Json(body).into_response().into_body()).into_response()
}

/// Gives a list, or says that the caller has it already.
pub async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, StatusListError> {
    let mut parameters = form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes());
    if parameters.any(|(name, _)| name == "time") {
        return Err(StatusListError::History);
    }
    let now = state.now();
    let list = state.status_lists().get(&state, &id, now).await?;
    let list = list.ok_or(StatusListError::Unknown)?;
    let common = [
        (header::CACHE_CONTROL, caching(list.fresh_until.since(now))?),
        (header::ETAG, list.entity_tag.clone()),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    if is_known(&headers, &list) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let kind = [(
        header::CONTENT_TYPE,
        HeaderValue::from_static(STATUS_LIST_MEDIA_TYPE),
    )];
    Ok((common, kind, list.token.clone()).into_response())
}

fn caching(seconds: i64) -> Result<HeaderValue, InternalError> {
    Ok(HeaderValue::from_str(&format!(
        "public, max-age={}",
        seconds.max(0)
    ))?)
}

/// Whether the caller holds exactly this list (RFC 9110 section 13.1.2).
fn is_known(headers: &HeaderMap, list: &PublishedStatusList) -> bool {
    let Ok(tag) = list.entity_tag.to_str() else {
        return false;
    };
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[derive(Serialize)]
struct Aggregation {
    status_lists: Vec<String>,
}

/// Names all lists, for verifiers that fetch them ahead of the tokens.
pub async fn all(State(state): State<AppState>) -> Result<Response, StatusListError> {
    let ids = state.store().status_lists(state.now()).await;
    let ids = ids.map_err(InternalError::from)?;
    let public_url = &state.config().server.public_url;
    let aggregation = Aggregation {
        status_lists: ids.iter().map(|id| status_lists::uri(public_url, id)).collect(),
    };
    let seconds = i64::from(state.config().tokens.status_list_seconds);
    let headers = [
        (header::CACHE_CONTROL, caching(seconds)?),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    Ok((headers, Json(aggregation)).into_response())
}

#[cfg(test)]
mod tests;
