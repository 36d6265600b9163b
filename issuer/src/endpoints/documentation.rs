//! `/docs/errors`: the error codes, and `/docs/errors/{code}`: a page for each, with what happened, why that can be, and what
//! to do next. The `error_uri` of every refusal points at one of them unless it is configured otherwise: the issuer's at
//! the page, the edge's, which knows only a base, at the entry of the list that leads there.

mod table;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use wardgate_shared::oauth_error::OAuthErrorCode;

use crate::config::Config;
use crate::error::page::PageError;
use crate::state::AppState;
use crate::views::documentation::{ErrorCodePage, ErrorCodesPage};
use crate::views::{FormTargets, page};

use table::{CODES, explain};

/// Where the list is.
pub const ERRORS_PATH: &str = "/docs/errors";

/// Shows the list.
pub async fn errors() -> Result<Response, PageError> {
    let entries = CODES.map(explain);
    Ok(page(&ErrorCodesPage { entries: &entries }, &FormTargets::none())?)
}

/// Shows the page of a code.
pub async fn error(
    State(state): State<AppState>,
    code: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let Path(name) = code.map_err(|_| PageError::NotFound)?;
    let code = CODES.into_iter().find(|code| code.as_str() == name);
    let entry = explain(code.ok_or(PageError::NotFound)?);
    let template = ErrorCodePage {
        entry: &entry,
        issuer: state.config().server.public_url.as_str(),
    };
    Ok(page(&template, &FormTargets::none())?)
}

/// The address that explains `code`: its page here, or what the configured base makes of it.
pub fn error_uri(config: &Config, code: OAuthErrorCode) -> String {
    let (base, own) = (
        &config.documentation.error_uri,
        config.server.public_url.join(ERRORS_PATH),
    );
    if *base == own {
        format!("{own}/{code}")
    } else {
        wardgate_shared::error_uri::error_uri(base, code.as_str())
    }
}

#[cfg(test)]
mod tests;
