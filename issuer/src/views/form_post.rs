//! The page of `response_mode=form_post`: a form that submits itself (OAuth 2.0 Form Post Response Mode).
//!
//! The only page with a script. The script is a constant, and the page's policy names its digest, so nothing that a
//! template prints could ever run. Without scripts there is a button (OIDC-77).

use askama::Template;
use axum::response::Response;
use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};
use wardgate_shared::redirect_uri::RedirectTarget;

use crate::error::InternalError;

use super::form_targets::FormTargets;
use super::page_with_script;

/// Sends the page's only form.
const SCRIPT: &str = "document.forms[0].submit();";

/// The page.
#[derive(Debug, Template)]
#[template(path = "form_post.html")]
pub(super) struct FormPostPage<'a> {
    pub(super) action: &'a str,
    pub(super) fields: &'a [(&'a str, &'a str)],
    script: &'static str,
}

impl<'a> FormPostPage<'a> {
    pub(super) const fn new(action: &'a str, fields: &'a [(&'a str, &'a str)]) -> Self {
        Self {
            action,
            fields,
            script: SCRIPT,
        }
    }
}

/// The page that sends `fields` to `target`.
///
/// # Errors
/// When the template cannot be rendered, or the policy cannot be a header.
pub fn form_post(target: &RedirectTarget, fields: &[(&str, &str)]) -> Result<Response, InternalError> {
    let digest = Base64::encode_string(&Sha256::digest(SCRIPT));
    page_with_script(
        &FormPostPage::new(target.as_str(), fields),
        &FormTargets::client(target),
        &format!("'sha256-{digest}'"),
    )
}
