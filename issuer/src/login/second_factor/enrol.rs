//! `/login/mfa/enrol`: the page on which somebody chooses a second factor to set up, because one is offered, required or wanted.
//!
//! Who has one already can add another only in a session in which they have just given it: else a stolen password would be
//! enough to add a thief's.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};

use crate::domain::factor::{Factor, FactorKind};
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::{Form, FormError, Parameters, SameOrigin, SignedIn};
use crate::login::destination::Destination;
use crate::login::form_token::FormPurpose;
use crate::login::reauthentication;
use crate::rng;
use crate::state::AppState;
use crate::store::Insertion;
use crate::views::{EnrolmentPage, page_with_card};

use super::demand::{self, Missing};
use super::ongoing::Ongoing;
use super::totp::Seed;
use super::{challenge, enrol_totp};

/// Where the page is.
pub const PATH: &str = "/login/mfa/enrol";

/// What an authenticator app is called until its person calls it something else.
const APP_NAME: &str = "Authenticator app";
const FULL: &str = "You have as many second factors as one can have. Please remove one first.";

/// Shows the choice.
pub async fn get(
    State(state): State<AppState>,
    SignedIn(session): SignedIn,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes()).map_err(FormError::from)?;
    let destination = Destination::read(&state, &parameters).await?;
    let ongoing = Ongoing::find(&state, &headers, session).await?;
    match may_enrol(&state, ongoing, &destination).await? {
        Ok(ongoing) => show(&state, &ongoing, &destination, None, StatusCode::OK).await,
        Err(path) => Ok(redirect::to_own_page(&path)?),
    }
}

/// Takes the choice: `kind`, or `later` as `decision`.
pub async fn post(
    State(state): State<AppState>,
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
    match (field("kind")?.and_then(FactorKind::from_name), field("decision")?) {
        (None, Some("later")) => later(&state, &ongoing, &destination).await,
        (Some(FactorKind::Totp), None) => match may_enrol(&state, Some(ongoing), &destination).await? {
            Ok(ongoing) => begin_app(&state, &ongoing, &destination).await,
            Err(path) => Ok(redirect::to_own_page(&path)?),
        },
        (_, _) => Err(PageError::Field),
    }
}

/// Who is to set up a factor, or where they have to go first.
///
/// # Errors
/// When the store cannot answer.
pub(super) async fn may_enrol(
    state: &AppState,
    ongoing: Option<Ongoing>,
    destination: &Destination,
) -> Result<Result<Ongoing, String>, InternalError> {
    let detour = match &ongoing {
        None => Some(destination.path_to("/login")),
        Some(Ongoing::SignIn { user, .. }) => {
            let has_one = !state.store().factors(&user.id).await?.is_empty();
            has_one.then(|| destination.path_to(challenge::PATH))
        }
        Some(Ongoing::Session(session)) => reauthentication::detour(state, session, destination).await?,
    };
    Ok(match (ongoing, detour) {
        (Some(ongoing), None) => Ok(ongoing),
        (_, detour) => Err(detour.unwrap_or_else(|| destination.path_to("/login"))),
    })
}

/// Somebody does not want a factor now: they are not offered one again, unless they need one.
async fn later(
    state: &AppState,
    ongoing: &Ongoing,
    destination: &Destination,
) -> Result<Response, PageError> {
    if may_skip(state, ongoing, destination).await? {
        let declined = state
            .store()
            .decline_factor(&ongoing.user().id, state.now())
            .await;
        declined.map_err(InternalError::from)?;
        return Ok(redirect::to_own_page(&destination.path())?);
    }
    Err(PageError::Field)
}

/// Whether somebody may go on without a factor: who has a session, and for whom it is good enough.
async fn may_skip(
    state: &AppState,
    ongoing: &Ongoing,
    destination: &Destination,
) -> Result<bool, InternalError> {
    let Ongoing::Session(session) = ongoing else {
        return Ok(false);
    };
    let missing =
        demand::missing_in_session(state, &session.user, &session.session, destination.pending()).await?;
    Ok(missing != Missing::Enrolment)
}

/// Makes a seed, and goes on to where the app takes it over. Whoever calls this knows that the person may add a factor.
///
/// # Errors
/// When the store cannot answer, or there is no randomness.
pub async fn begin_app(
    state: &AppState,
    ongoing: &Ongoing,
    destination: &Destination,
) -> Result<Response, PageError> {
    let id = rng::identifier("factor-").map_err(InternalError::from)?;
    let factor = Factor {
        sealed: Some(Seed::generate()?.seal(state.sealer(), &id)?),
        user_id: ongoing.user().id.clone(),
        kind: FactorKind::Totp,
        name: APP_NAME.into(),
        detail: None,
        created_at: state.now(),
        confirmed_at: None,
        last_used_at: None,
        last_step: None,
        id,
    };
    let path = enrol_totp::path(destination, &factor.id);
    let inserted = state.store().insert_factor(factor, None).await;
    match inserted.map_err(InternalError::from)? {
        Insertion::Inserted => Ok(redirect::to_own_page(&path)?),
        Insertion::AlreadyExists => {
            show(state, ongoing, destination, Some(FULL), StatusCode::BAD_REQUEST).await
        }
    }
}

async fn show(
    state: &AppState,
    ongoing: &Ongoing,
    destination: &Destination,
    problem: Option<&str>,
    status: StatusCode,
) -> Result<Response, PageError> {
    let user_id = &ongoing.user().id;
    let has_one = !state
        .store()
        .factors(user_id)
        .await
        .map_err(InternalError::from)?
        .is_empty();
    let carried = destination.field();
    let card = destination.client_card();
    let token = ongoing.form_token(state, FormPurpose::FactorEnrolment);
    let template = EnrolmentPage {
        client_name: destination.client_name(),
        card,
        carried: carried.as_ref().map(|(name, value)| (*name, value.as_str())),
        form_token: &token,
        user_email: &ongoing.user().email,
        may_skip: !has_one && may_skip(state, ongoing, destination).await?,
        has_one,
        problem,
    };
    let targets = destination.form_targets();
    Ok((status, page_with_card(&template, &targets, &card)?).into_response())
}
