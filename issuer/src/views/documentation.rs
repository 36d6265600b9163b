//! Pages for developers: the error codes, and the API reference, on which the issuer's own script may call the issuer.

use askama::Template;
use axum::response::Response;

use crate::error::InternalError;

use super::with_policy;

/// The list of error codes.
#[derive(Debug, Template)]
#[template(path = "error_codes.html")]
pub struct ErrorCodesPage<'a> {
    /// One entry a code.
    pub entries: &'a [ErrorExplanation],
}

/// The page of an error code.
#[derive(Debug, Template)]
#[template(path = "error_code.html")]
pub struct ErrorCodePage<'a> {
    /// The code, explained.
    pub entry: &'a ErrorExplanation,
    /// This issuer.
    pub issuer: &'a str,
}

/// One error code, explained.
#[derive(Clone, Copy, Debug)]
pub struct ErrorExplanation {
    /// The code.
    pub code: &'static str,
    /// What happened.
    pub happened: &'static str,
    /// Why that can be.
    pub why: &'static [&'static str],
    /// What to do next.
    pub next: &'static [&'static str],
    /// Where it is defined.
    pub specification: &'static str,
}

/// The API reference.
#[derive(Debug, Template)]
#[template(path = "reference.html")]
pub struct ReferencePage<'a> {
    /// This issuer.
    pub issuer: &'a str,
    /// What it is about, in paragraphs.
    pub introduction: &'a [Vec<Span>],
    /// How a person signs in on the page, where that is on.
    pub signing_in: Option<SigningIn<'a>>,
    /// The parts.
    pub parts: &'a [Part],
}

/// What the script asks for when a person signs in.
#[derive(Clone, Copy, Debug)]
pub struct SigningIn<'a> {
    /// The page's own client.
    pub client_id: &'a str,
    /// What it asks for.
    pub scope: &'a str,
}

/// A piece of a text: code, or words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Whether it is code.
    pub is_code: bool,
    /// It.
    pub text: String,
}

/// A part of the reference.
#[derive(Debug)]
pub struct Part {
    /// Its anchor.
    pub anchor: String,
    /// Its title.
    pub title: &'static str,
    /// What it is about.
    pub description: &'static str,
    /// Its operations.
    pub operations: Vec<OperationEntry>,
}

/// An operation.
#[derive(Debug)]
pub struct OperationEntry {
    /// Its name, which is its anchor.
    pub id: &'static str,
    /// Its method.
    pub method: &'static str,
    /// Its path.
    pub path: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// What else is to be known.
    pub note: Vec<Span>,
    /// Who may.
    pub access: String,
    /// Its parameters.
    pub parameters: Vec<ParameterEntry>,
    /// Its body.
    pub body: Option<BodyEntry>,
    /// Its answers.
    pub answers: Vec<AnswerEntry>,
    /// Whether it can be tried here: not what a browser itself is sent to.
    pub can_be_tried: bool,
    /// Whether the access token goes with it.
    pub takes_token: bool,
}

/// A parameter.
#[derive(Debug)]
pub struct ParameterEntry {
    /// Its name.
    pub name: &'static str,
    /// Where it stands.
    pub place: &'static str,
    /// What kind of value it has.
    pub kind: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it says.
    pub description: String,
    /// An example of it.
    pub example: String,
}

/// A body.
#[derive(Debug)]
pub struct BodyEntry {
    /// Its media types.
    pub media_types: String,
    /// The one in which it is sent here.
    pub media_type: &'static str,
    /// Its members.
    pub members: Vec<MemberEntry>,
    /// Its examples, name and text.
    pub examples: Vec<(&'static str, String)>,
}

/// A member of a body.
#[derive(Debug)]
pub struct MemberEntry {
    /// Its name.
    pub name: String,
    /// What kind of value it has.
    pub kind: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it says.
    pub description: String,
}

/// An answer.
#[derive(Debug)]
pub struct AnswerEntry {
    /// Its status, in words.
    pub status: String,
    /// When it comes.
    pub description: &'static str,
    /// What its body is.
    pub kind: &'static str,
    /// An example of its body.
    pub example: Option<String>,
}

/// Renders the reference. Its script may run, and may call this origin and no other.
///
/// # Errors
/// When the template cannot be rendered.
pub fn reference_page(template: &ReferencePage<'_>) -> Result<Response, InternalError> {
    with_policy(
        template,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; \
         frame-ancestors 'none'",
    )
}
