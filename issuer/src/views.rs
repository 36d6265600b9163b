//! The pages: typed contexts for the templates in `templates/`, and the headers that go with them.
//!
//! Plain HTML that works without scripts; one page has one, see [`form_post`]. Everything that a template prints is escaped by askama. Each page names, by
//! its Content-Security-Policy, where its forms may lead.

mod account;
mod account_factors;
mod client_card;
pub mod console;
pub mod documentation;
mod form_post;
mod form_targets;
mod moment;
pub mod outbox;
mod passkeys;
pub mod passwords;
mod problem_field;
mod scope_words;
mod second_factor;
mod single_sign_on;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, header};

use crate::error::InternalError;
use crate::fhir::{PatientQuery, Summary};
use crate::login::passkey;

pub use account::{AccountFrame, AccountPage, AppEntry, AppsPage, SessionEntry, SessionsPage};
pub use account_factors::{DeviceEntry, DevicesPage, FactorEntry, FactorsPage};
pub use client_card::ClientCard;
pub use form_post::form_post;
pub use form_targets::FormTargets;
pub(crate) use form_targets::web_origin;
pub use moment::Moment;
pub use passkeys::{AddPasskeyPage, PasskeyForm, page_with_passkeys};
pub use problem_field::ProblemField;
pub use scope_words::{Permission, RecordInContext, claim_permissions, permissions};
pub use second_factor::{
    AppEnrolmentPage, EnrolmentPage, FactorWay, OtherWay, QrPicture, RecoveryCodesPage, SecondFactorPage,
    SentCodePage, TelephonePage,
};
pub use single_sign_on::{ProviderProblemPage, local_path, provider_problem};

/// The sign-in form.
#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage<'a> {
    /// The app that asked, when one did.
    pub client_name: Option<&'a str>,
    /// What else is shown of it.
    pub card: ClientCard<'a>,
    /// What the person signs in for: the field that carries it on, name and value.
    pub carried: Option<(&'a str, &'a str)>,
    /// Where to begin anew with another address.
    pub start: &'a str,
    /// Ties the form to the browser.
    pub form_token: &'a str,
    /// What the address field holds.
    pub email: &'a str,
    /// Whether the address is known and the password is asked for.
    pub asks_password: bool,
    /// Whether the person wants to sign in here even if their organization has a provider.
    pub local: bool,
    /// Why the last attempt failed.
    pub problem: Option<&'a str>,
    /// The other way: a passkey.
    pub passkey: Option<PasskeyForm<'a>>,
}

impl SignInPage<'_> {
    /// Whether the problem is about the field that the form asks for, and not about a passkey.
    pub fn is_about_field(&self) -> bool {
        self.problem
            .is_some_and(|problem| !passkey::is_own_problem(problem))
    }
}

/// The consent form.
#[derive(Debug, Template)]
#[template(path = "consent.html")]
pub struct ConsentPage<'a> {
    /// The app that asks.
    pub client_name: &'a str,
    /// What else is shown of it.
    pub card: ClientCard<'a>,
    /// What it would get, in plain words.
    pub permissions: &'a [Permission],
    /// Whose record it is about, unless it is the person's own.
    pub patient: Option<&'a str>,
    /// Which visit it is about.
    pub encounter: Option<&'a str>,
    /// Whether the person chose both and may choose again.
    pub chosen: bool,
    /// The APIs at which it would get it, where there could be a doubt.
    pub resources: &'a [&'a str],
    /// Where the answer is sent.
    pub destination: &'a str,
    /// The authorization request.
    pub request: &'a str,
    /// Ties the form to session and request.
    pub form_token: &'a str,
    /// Who is signed in.
    pub user_name: &'a str,
    /// Their address.
    pub user_email: &'a str,
}

/// The search for a patient.
#[derive(Debug, Template)]
#[template(path = "select_patient.html")]
pub struct SelectPatientPage<'a> {
    /// The app that asks.
    pub client_name: &'a str,
    /// What the fields hold.
    pub query: &'a PatientQuery,
    /// Who was found, once somebody was looked for.
    pub found: Option<&'a [Summary]>,
    /// The authorization request.
    pub request: &'a str,
    /// Ties the forms to session and request.
    pub form_token: &'a str,
    /// Why nobody is chosen yet.
    pub problem: Option<&'a str>,
    /// Who is signed in.
    pub user_name: &'a str,
    /// Their address.
    pub user_email: &'a str,
}

/// The list of a patient's encounters.
#[derive(Debug, Template)]
#[template(path = "select_encounter.html")]
pub struct SelectEncounterPage<'a> {
    /// The app that asks.
    pub client_name: &'a str,
    /// The patient, where they were chosen.
    pub patient: Option<&'a str>,
    /// The encounters, where the FHIR server told them.
    pub found: Option<&'a [Summary]>,
    /// The authorization request.
    pub request: &'a str,
    /// Ties the form to session and request.
    pub form_token: &'a str,
    /// Why none is chosen yet.
    pub problem: Option<&'a str>,
    /// Who is signed in.
    pub user_name: &'a str,
    /// Their address.
    pub user_email: &'a str,
}

/// The form for the code that a device shows.
#[derive(Debug, Template)]
#[template(path = "device_code.html")]
pub struct DeviceCodePage<'a> {
    /// What the field holds.
    pub user_code: &'a str,
    /// Ties the form to the session.
    pub form_token: &'a str,
    /// Why the last code led nowhere.
    pub problem: Option<&'a str>,
    /// Who is signed in.
    pub user_name: &'a str,
    /// Their address.
    pub user_email: &'a str,
}

/// The consent form for a device.
#[derive(Debug, Template)]
#[template(path = "device_consent.html")]
pub struct DeviceConsentPage<'a> {
    /// The app that asks.
    pub client_name: &'a str,
    /// What else is shown of it.
    pub card: ClientCard<'a>,
    /// What it would get, in plain words.
    pub permissions: &'a [Permission],
    /// The resources it is for, where they need naming.
    pub resources: &'a [&'a str],
    /// What the device shows.
    pub user_code: &'a str,
    /// Ties the form to session and code.
    pub form_token: &'a str,
    /// Who is signed in.
    pub user_name: &'a str,
    /// Their address.
    pub user_email: &'a str,
}

/// What became of the answer for a device.
#[derive(Debug, Template)]
#[template(path = "device_done.html")]
pub struct DeviceDonePage<'a> {
    /// The app that asked.
    pub client_name: &'a str,
    /// Whether it was allowed.
    pub allowed: bool,
}

/// An error, for a person.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage<'a> {
    /// What happened.
    pub happened: &'a str,
    /// What to do.
    pub advice: &'a str,
}

/// The front page.
#[derive(Debug, Template)]
#[template(path = "landing.html")]
pub struct LandingPage<'a> {
    /// The issuer's URL.
    pub issuer: &'a str,
    /// Who is signed in.
    pub user_name: Option<&'a str>,
    /// Whether that person may look at the console.
    pub administers: bool,
}

/// The sign-out form, or the news that nobody is signed in.
#[derive(Debug, Template)]
#[template(path = "sign_out.html")]
pub struct SignOutPage<'a> {
    /// The form, while somebody is signed in.
    pub form: Option<SignOutForm<'a>>,
    /// The organization at whose provider this browser's person signed in, and can sign out.
    pub provider: Option<&'a str>,
    /// The app that asked them to sign out.
    pub onward: Option<OnwardLink<'a>>,
}

/// The way on to an app that asked its person to sign out.
#[derive(Clone, Copy, Debug)]
pub struct OnwardLink<'a> {
    /// The app.
    pub client_name: &'a str,
    /// Where it wants them to go.
    pub url: &'a str,
    /// The same, sealed, for the way by the provider; empty where that cannot carry it.
    pub sealed: &'a str,
}

/// What the sign-out form holds.
#[derive(Clone, Copy, Debug)]
pub struct SignOutForm<'a> {
    /// Who is signed in.
    pub user_name: &'a str,
    /// Ties the form to the session.
    pub form_token: &'a str,
}

/// The question of a client's logout request.
#[derive(Debug, Template)]
#[template(path = "end_session.html")]
pub struct EndSessionPage<'a> {
    /// The app that asks, when it is known.
    pub client_name: Option<&'a str>,
    /// Who is signed in.
    pub user_name: &'a str,
    /// Ties the form to the session.
    pub form_token: &'a str,
    /// The request itself, sent along with the answer: names and values.
    pub fields: &'a [(&'a str, &'a str)],
}

/// Renders a page whose forms may lead to `targets` only.
///
/// # Errors
/// When the template cannot be rendered, or the policy cannot be a header.
pub fn page(template: &impl Template, targets: &FormTargets) -> Result<Response, InternalError> {
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
    );
    with_policy(template, &policy)
}

/// Renders a page that shows `card`: pictures may come from where its logo is.
///
/// # Errors
/// As [`page`].
pub fn page_with_card(
    template: &impl Template,
    targets: &FormTargets,
    card: &ClientCard<'_>,
) -> Result<Response, InternalError> {
    let images = card.image_directive();
    let policy = format!(
        "default-src 'none'; style-src 'self'; {images}form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
    );
    with_policy(template, &policy)
}

/// Renders a page on which, besides, the one script may run that `source` names by its digest.
fn page_with_script(
    template: &impl Template,
    targets: &FormTargets,
    source: &str,
) -> Result<Response, InternalError> {
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src {source}; form-action {targets}; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    with_policy(template, &policy)
}

fn with_policy(template: &impl Template, policy: &str) -> Result<Response, InternalError> {
    let mut response = Html(template.render()?).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_str(policy)?);
    Ok(response)
}

#[cfg(test)]
mod tests;
