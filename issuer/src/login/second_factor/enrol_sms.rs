//! `/login/mfa/enrol/sms`: the page on which somebody names a telephone, and shows by a code that messages reach it.
//!
//! The number is stored sealed, and shown by its last two digits only.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::domain::factor::{Factor, FactorKind};
use crate::domain::phone_number::PhoneNumber;
use crate::domain::sent_code::{CodeSending, CodeTrial};
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::{ClientAddress, Form, FormError, Parameters, SameOrigin, SignedIn};
use crate::login::completion::Browser;
use crate::login::destination::Destination;
use crate::login::form_token::FormPurpose;
use crate::login::throttle::SignInThrottle;
use crate::state::AppState;
use crate::views::{ProblemField, SentCodePage, TelephonePage, page};

use super::challenge::network_of;
use super::confirmation::{self, Working};
use super::enrol::{self, FULL};
use super::is_usable;
use super::ongoing::Ongoing;
use super::telephone::{Telephone, Wait, seal};

/// Where the page is.
pub const PATH: &str = "/login/mfa/enrol/sms";

const BAD_NUMBER: &str =
    "Please write the number with a plus sign and the country code, as in +1 555 010 0199.";
const WRONG: &str = "This code is not right. Please type the one from the last message that we sent.";
const GONE: &str = "There is no code that still counts. Please have a new one sent.";
const NO_CODE: &str = "Please fill in the code from the message.";
const BAD_NAME: &str = "Please choose a shorter name, of at most 60 letters.";
const TOO_MANY: &str = "There were too many wrong codes. Please wait a moment and try again.";

/// Asks for the number; or for the code, when the query names a telephone to which one was sent.
pub async fn get(
    State(state): State<AppState>,
    SignedIn(session): SignedIn,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes()).map_err(FormError::from)?;
    let destination = Destination::read(&state, &parameters).await?;
    let ongoing = Ongoing::find(&state, &headers, session).await?;
    let enrolment = match Enrolment::load(&state, ongoing, &destination).await? {
        Ok(enrolment) => enrolment,
        Err(path) => return Ok(redirect::to_own_page(&path)?),
    };
    match enrol::named(&state, &enrolment.ongoing, FactorKind::Sms, &parameters).await? {
        Some(factor) => enrolment.ask_for_code(&factor, &Shown::of(&factor), StatusCode::OK),
        None => enrolment.ask_for_number("", None, StatusCode::OK),
    }
}

/// Takes the number `phone`; or, for the telephone that `factor` names, the code, or the wish `send` for another.
pub async fn post(
    State(state): State<AppState>,
    State(throttle): State<Arc<SignInThrottle>>,
    ClientAddress(address): ClientAddress,
    _: SameOrigin,
    SignedIn(session): SignedIn,
    headers: HeaderMap,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let Form(parameters) = form?;
    let field = |name| parameters.single(name).map_err(|_| PageError::Field);
    let destination = Destination::read(&state, &parameters).await?;
    let Some(ongoing) = Ongoing::find(&state, &headers, session).await? else {
        return Ok(redirect::to_own_page(&destination.path_to("/login"))?);
    };
    let token = field("form_token")?.unwrap_or_default();
    ongoing.check_token(&state, FormPurpose::FactorEnrolment, token)?;
    let enrolment = match Enrolment::load(&state, Some(ongoing), &destination).await? {
        Ok(enrolment) => enrolment,
        Err(path) => return Ok(redirect::to_own_page(&path)?),
    };
    let browser = Browser {
        headers: &headers,
        address,
    };
    if field("factor")?.is_none() {
        return enrolment
            .begin(browser, field("phone")?.unwrap_or_default())
            .await;
    }
    let Some(factor) = enrol::named(&state, &enrolment.ongoing, FactorKind::Sms, &parameters).await? else {
        // Another took its place, or it was confirmed before.
        return Ok(redirect::to_own_page(&destination.path_to(enrol::PATH))?);
    };
    if field("send")?.is_some() {
        return enrolment.send(&factor, browser).await;
    }
    let shown = Shown {
        name: field("name")?.unwrap_or(&factor.name),
        remember: field("remember")?.is_some(),
        problem: None,
        about: ProblemField::Form,
    };
    let again = |problem, about| {
        let problem = Some(problem);
        let shown = Shown {
            problem,
            about,
            ..shown
        };
        enrolment.ask_for_code(&factor, &shown, StatusCode::BAD_REQUEST)
    };
    if Factor::lawful_name(shown.name).is_none() {
        return again(BAD_NAME, ProblemField::Name);
    }
    let Some(code) = field("code")? else {
        return again(NO_CODE, ProblemField::Code);
    };
    enrolment.confirm(&throttle, browser, &factor, code, shown).await
}

/// What the form for the code shows.
#[derive(Clone, Copy)]
struct Shown<'a> {
    name: &'a str,
    remember: bool,
    problem: Option<&'a str>,
    about: ProblemField,
}

impl<'a> Shown<'a> {
    fn of(factor: &'a Factor) -> Self {
        Self {
            name: &factor.name,
            remember: true,
            problem: None,
            about: ProblemField::Form,
        }
    }
}

/// Somebody who sets up a telephone.
struct Enrolment<'a> {
    state: &'a AppState,
    destination: &'a Destination,
    ongoing: Ongoing,
}

impl<'a> Enrolment<'a> {
    /// Who it is, or where they have to go.
    async fn load(
        state: &'a AppState,
        ongoing: Option<Ongoing>,
        destination: &'a Destination,
    ) -> Result<Result<Self, String>, PageError> {
        if !is_usable(state, FactorKind::Sms) {
            return Ok(Err(destination.path_to(enrol::PATH)));
        }
        let ongoing = enrol::may_enrol(state, ongoing, destination).await?;
        Ok(ongoing.map(|ongoing| Self {
            state,
            destination,
            ongoing,
        }))
    }

    /// Sends the number a code, and keeps it as a telephone to be confirmed.
    async fn begin(&self, browser: Browser<'_>, typed: &str) -> Result<Response, PageError> {
        let Ok(number) = PhoneNumber::parse(typed) else {
            return self.ask_for_number(typed, Some(BAD_NUMBER), StatusCode::BAD_REQUEST);
        };
        let id = enrol::new_id()?;
        let sealed = seal(&number, self.state.sealer(), &id).map_err(InternalError::from)?;
        let name = format!("Telephone {}", number.hint());
        let factor = enrol::unconfirmed(self.state, &self.ongoing, FactorKind::Sms, id, name, Some(sealed));
        let telephone = Telephone::open(self.state, &self.ongoing, &factor)?;
        let sending = telephone.send(Some(factor.clone()), browser.address).await?;
        if sending == CodeSending::NoRoom {
            return self.ask_for_number(typed, Some(FULL), StatusCode::BAD_REQUEST);
        }
        match Wait::of(sending) {
            None => Ok(redirect::to_own_page(&self.path_of(&factor))?),
            Some(wait) => {
                let status = StatusCode::TOO_MANY_REQUESTS;
                Ok(wait.told(self.ask_for_number(typed, Some(&wait.words()), status)?))
            }
        }
    }

    /// Sends another code.
    async fn send(&self, factor: &Factor, browser: Browser<'_>) -> Result<Response, PageError> {
        let telephone = Telephone::open(self.state, &self.ongoing, factor)?;
        match Wait::of(telephone.send(None, browser.address).await?) {
            None => Ok(redirect::to_own_page(&self.path_of(factor))?),
            Some(wait) => {
                let words = wait.words();
                let shown = Shown {
                    problem: Some(&words),
                    ..Shown::of(factor)
                };
                Ok(wait.told(self.ask_for_code(factor, &shown, StatusCode::TOO_MANY_REQUESTS)?))
            }
        }
    }

    async fn confirm(
        &self,
        throttle: &Arc<SignInThrottle>,
        browser: Browser<'_>,
        factor: &Factor,
        code: &str,
        shown: Shown<'_>,
    ) -> Result<Response, PageError> {
        let again = |problem, status| {
            let shown = Shown {
                problem: Some(problem),
                about: match status {
                    // Waiting helps, and no other code does.
                    StatusCode::TOO_MANY_REQUESTS => ProblemField::Form,
                    _ => ProblemField::Code,
                },
                ..shown
            };
            self.ask_for_code(factor, &shown, status)
        };
        let (state, user_id) = (self.state, &self.ongoing.user().id);
        let record =
            |reason| enrol::record_failure(state, &self.ongoing, FactorKind::Sms, browser.address, reason);
        let network = network_of(state, browser.address);
        let attempt = match throttle.begin_factor(user_id, network, state.now()) {
            Ok(attempt) => attempt,
            Err(throttled) => {
                if throttled.is_news {
                    record("throttled").await?;
                }
                let mut response = again(TOO_MANY, StatusCode::TOO_MANY_REQUESTS)?;
                let seconds = HeaderValue::from(throttled.retry_after_seconds);
                response.headers_mut().insert(header::RETRY_AFTER, seconds);
                return Ok(response);
            }
        };
        let telephone = Telephone::open(state, &self.ongoing, factor)?;
        let used = match telephone.check(code).await? {
            Ok(used) => used,
            Err(trial) => {
                attempt.mismatched(state.now());
                let (problem, reason) = match trial {
                    CodeTrial::Gone => (GONE, "code_gone"),
                    CodeTrial::Wrong | CodeTrial::Right => (WRONG, "wrong_code"),
                };
                record(reason).await?;
                return again(problem, StatusCode::BAD_REQUEST);
            }
        };
        // Whoever names a telephone of their own guesses nothing: a right code does not start the counters anew.
        drop(attempt);
        let working = Working {
            factor,
            used,
            name: Factor::lawful_name(shown.name).unwrap_or(&factor.name),
            remember: shown.remember,
        };
        let done = confirmation::confirm(state, browser, &self.ongoing, working, self.destination).await?;
        if let Some(response) = done {
            return Ok(response);
        }
        record("code_used").await?;
        again(GONE, StatusCode::BAD_REQUEST)
    }

    fn path_of(&self, factor: &Factor) -> String {
        enrol::path_of(PATH, self.destination, &factor.id)
    }

    fn ask_for_number(
        &self,
        typed: &str,
        problem: Option<&str>,
        status: StatusCode,
    ) -> Result<Response, PageError> {
        let carried = self.destination.field();
        let template = TelephonePage {
            carried: carried.as_ref().map(|(name, value)| (*name, value.as_str())),
            form_token: &self.ongoing.form_token(self.state, FormPurpose::FactorEnrolment),
            phone: typed,
            back: &self.destination.path_to(enrol::PATH),
            problem,
        };
        Ok((status, page(&template, &self.destination.form_targets())?).into_response())
    }

    fn ask_for_code(
        &self,
        factor: &Factor,
        shown: &Shown<'_>,
        status: StatusCode,
    ) -> Result<Response, PageError> {
        let carried = self.destination.field();
        let telephone = Telephone::open(self.state, &self.ongoing, factor)?;
        let template = SentCodePage {
            carried: carried.as_ref().map(|(name, value)| (*name, value.as_str())),
            form_token: &self.ongoing.form_token(self.state, FormPurpose::FactorEnrolment),
            factor: &factor.id,
            hint: &telephone.hint(),
            minutes: Telephone::MINUTES,
            name: shown.name,
            remember: shown.remember,
            other_number: &self.destination.path_to(PATH),
            problem: shown.problem,
            about: shown.about,
        };
        Ok((status, page(&template, &self.destination.form_targets())?).into_response())
    }
}
