//! `/login/mfa/enrol/totp`: the page on which an authenticator app takes over its seed, and shows by a code that it has it.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use qrcode::{Color, EcLevel, QrCode};

use crate::domain::factor::{Factor, FactorKind, FactorUse};
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::{ClientAddress, Form, FormError, Parameters, SameOrigin, SignedIn};
use crate::login::completion::Browser;
use crate::login::destination::Destination;
use crate::login::form_token::FormPurpose;
use crate::login::throttle::SignInThrottle;
use crate::state::AppState;
use crate::views::{AppEnrolmentPage, ProblemField, QrPicture, page};

use super::challenge::network_of;
use super::confirmation::{self, Working};
use super::enrol;
use super::ongoing::Ongoing;
use super::totp::{Seed, in_groups};

/// Where the page is.
pub const PATH: &str = "/login/mfa/enrol/totp";

const WRONG: &str = "This code is not right. Please type the one that the app shows now; and check that the clock of your \
                     telephone is right.";
const USED: &str = "This code was used already. Please wait for the next one.";
const NO_CODE: &str = "Please fill in the code that the app shows.";
const BAD_NAME: &str = "Please choose a shorter name, of at most 60 letters.";
const TOO_MANY: &str = "There were too many wrong codes. Please wait a moment and try again.";

/// Shows the seed.
pub async fn get(
    State(state): State<AppState>,
    SignedIn(session): SignedIn,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes()).map_err(FormError::from)?;
    let destination = Destination::read(&state, &parameters).await?;
    let ongoing = Ongoing::find(&state, &headers, session).await?;
    let enrolment = match Enrolment::load(&state, ongoing, &destination, &parameters).await? {
        Ok(enrolment) => enrolment,
        Err(path) => return Ok(redirect::to_own_page(&path)?),
    };
    let shown = Shown {
        name: &enrolment.factor.name,
        remember: true,
        problem: None,
        about: ProblemField::Form,
    };
    enrolment.show(&shown, StatusCode::OK)
}

/// Takes the code.
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
    let enrolment = match Enrolment::load(&state, Some(ongoing), &destination, &parameters).await? {
        Ok(enrolment) => enrolment,
        Err(path) => return Ok(redirect::to_own_page(&path)?),
    };
    let typed_name = field("name")?;
    let shown = Shown {
        name: typed_name.unwrap_or(&enrolment.factor.name),
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
        enrolment.show(&shown, StatusCode::BAD_REQUEST)
    };
    let Some(name) = Factor::lawful_name(shown.name) else {
        return again(BAD_NAME, ProblemField::Name);
    };
    let Some(code) = field("code")? else {
        return again(NO_CODE, ProblemField::Code);
    };
    let browser = Browser {
        headers: &headers,
        address,
    };
    enrolment
        .confirm(&throttle, browser, code, name, shown.remember)
        .await
}

/// What the form shows.
#[derive(Clone, Copy)]
struct Shown<'a> {
    name: &'a str,
    remember: bool,
    problem: Option<&'a str>,
    about: ProblemField,
}

/// An app that is being set up.
struct Enrolment<'a> {
    state: &'a AppState,
    destination: &'a Destination,
    ongoing: Ongoing,
    factor: Factor,
    seed: Seed,
}

impl<'a> Enrolment<'a> {
    /// The app that the field `factor` names, or where its person has to go.
    async fn load(
        state: &'a AppState,
        ongoing: Option<Ongoing>,
        destination: &'a Destination,
        parameters: &Parameters,
    ) -> Result<Result<Self, String>, PageError> {
        let ongoing = match enrol::may_enrol(state, ongoing, destination).await? {
            Ok(ongoing) => ongoing,
            Err(path) => return Ok(Err(path)),
        };
        let Some(factor) = enrol::named(state, &ongoing, FactorKind::Totp, parameters).await? else {
            return Ok(Err(destination.path_to(enrol::PATH)));
        };
        let seed = Seed::open(state.sealer(), &factor)?;
        Ok(Ok(Self {
            state,
            destination,
            ongoing,
            factor,
            seed,
        }))
    }

    fn show(&self, shown: &Shown<'_>, status: StatusCode) -> Result<Response, PageError> {
        let public_url = &self.state.config().server.public_url;
        let link = self
            .seed
            .link(public_url, &self.ongoing.user().email)
            .ok_or(InternalError::Dangling("the link of an authenticator app"))?;
        let carried = self.destination.field();
        let back = self.destination.path_to(enrol::PATH);
        let template = AppEnrolmentPage {
            carried: carried.as_ref().map(|(name, value)| (*name, value.as_str())),
            form_token: &self.ongoing.form_token(self.state, FormPurpose::FactorEnrolment),
            factor: &self.factor.id,
            picture: &picture(&link)?,
            link: &link,
            seed: &in_groups(&self.seed.text()),
            name: shown.name,
            remember: shown.remember,
            back: &back,
            problem: shown.problem,
            about: shown.about,
        };
        Ok((status, page(&template, &self.destination.form_targets())?).into_response())
    }

    async fn confirm(
        &self,
        throttle: &Arc<SignInThrottle>,
        browser: Browser<'_>,
        code: &str,
        name: &str,
        remember: bool,
    ) -> Result<Response, PageError> {
        let (state, user) = (self.state, self.ongoing.user());
        let again = |problem, status| {
            let shown = Shown {
                name,
                remember,
                problem: Some(problem),
                about: match status {
                    // Waiting helps, and no other code does.
                    StatusCode::TOO_MANY_REQUESTS => ProblemField::Form,
                    _ => ProblemField::Code,
                },
            };
            self.show(&shown, status)
        };
        let record =
            |reason| enrol::record_failure(state, &self.ongoing, FactorKind::Totp, browser.address, reason);
        let network = network_of(state, browser.address);
        let attempt = match throttle.begin_factor(&user.id, network, state.now()) {
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
        let Some(step) = self.seed.step_of(code, state.now()) else {
            attempt.mismatched(state.now());
            record("wrong_code").await?;
            return again(WRONG, StatusCode::BAD_REQUEST);
        };
        // A seed whose page somebody else saw guesses nothing: a right code does not start the counters anew.
        drop(attempt);
        let working = Working {
            factor: &self.factor,
            used: FactorUse::OneTimePassword {
                factor_id: self.factor.id.clone(),
                step,
            },
            name,
            remember,
        };
        let done = confirmation::confirm(state, browser, &self.ongoing, working, self.destination).await?;
        if let Some(response) = done {
            return Ok(response);
        }
        record("code_used").await?;
        again(USED, StatusCode::BAD_REQUEST)
    }
}

/// The link as a picture that a telephone reads.
fn picture(link: &str) -> Result<QrPicture, InternalError> {
    let code = QrCode::with_error_correction_level(link, EcLevel::M)
        .map_err(|_| InternalError::Dangling("the picture of an authenticator app's link"))?;
    let width = code.width();
    let mut squares = String::new();
    for (position, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let (row, column) = (
                position.checked_div(width).unwrap_or_default(),
                position.checked_rem(width).unwrap_or_default(),
            );
            // Writing to a `String` cannot fail.
            let _ = write!(squares, "M{column} {row}h1v1h-1z");
        }
    }
    Ok(QrPicture { width, squares })
}
