//! Passkeys on pages: the form that a script takes to the browser, and the page that adds one.

use askama::Template;
use axum::response::Response;

use crate::error::InternalError;
use crate::passkeys::Offer;

use super::{ClientCard, FormTargets, with_policy};

/// A form by which a passkey is used. It is hidden until the script shows it.
#[derive(Clone, Copy, Debug)]
pub struct PasskeyForm<'a> {
    /// Where it is sent.
    pub action: &'a str,
    /// What its button says.
    pub button: &'a str,
    /// What the browser is asked.
    pub options: &'a str,
    /// The sealed state of the ceremony.
    pub ceremony: &'a str,
    /// Whether the browser may offer passkeys in the page's e-mail field, too.
    pub conditional: bool,
}

/// The page on which a passkey is added.
#[derive(Debug, Template)]
#[template(path = "enrolment_passkey.html")]
pub struct AddPasskeyPage<'a> {
    /// What the person signs in for: the field that carries it on, name and value.
    pub carried: Option<(&'a str, &'a str)>,
    /// The ceremony; none where there can be no passkeys.
    pub passkey: Option<&'a Offer>,
    /// What it will be called.
    pub name: &'a str,
    /// Ties the form to the browser.
    pub form_token: &'a str,
    /// Whether the box is ticked by which the browser is remembered.
    pub remember: bool,
    /// The way back to the choice.
    pub back: &'a str,
    /// Why the last attempt failed.
    pub problem: Option<&'a str>,
}

/// Renders a page that shows `card`, as [`super::page_with_card`] does, on which the issuer's own script may run.
///
/// # Errors
/// As [`super::page`].
pub fn page_with_passkeys(
    template: &impl Template,
    targets: &FormTargets,
    card: &ClientCard<'_>,
) -> Result<Response, InternalError> {
    let images = card.image_directive();
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; {images}form-action {targets}; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    with_policy(template, &policy)
}
