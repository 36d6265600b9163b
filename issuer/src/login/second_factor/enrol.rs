//! `/login/mfa/enrol`: the page on which somebody chooses a second factor to set up, because one is offered, required or wanted.
//!
//! Who has one already can add another only in a session in which they have just given it: else a stolen password would be
//! enough to add a thief's.

use std::net::IpAddr;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
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
use super::{challenge, enrol_passkey, enrol_sms, enrol_totp, is_usable};

/// Where the page is.
pub const PATH: &str = "/login/mfa/enrol";

/// What an authenticator app is called until its person calls it something else.
const APP_NAME: &str = "Authenticator app";
/// What is offered, the most resistant first.
pub const OFFERED: [FactorKind; 3] = [FactorKind::Passkey, FactorKind::Totp, FactorKind::Sms];
pub(super) const FULL: &str = "You have as many second factors as one can have. Please remove one first.";

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
        (Some(kind), None) => match may_enrol(&state, Some(ongoing), &destination).await? {
            Ok(ongoing) => begin(&state, &ongoing, &destination, kind).await,
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

/// Leads to where a factor of this kind is set up. Whoever calls this knows that the person may add one.
///
/// # Errors
/// [`PageError::Field`] for a kind that cannot be used here. When the store cannot answer, or there is no randomness.
pub async fn begin(
    state: &AppState,
    ongoing: &Ongoing,
    destination: &Destination,
    kind: FactorKind,
) -> Result<Response, PageError> {
    if !is_usable(state, kind) {
        return Err(PageError::Field);
    }
    match kind {
        FactorKind::Totp => {
            let id = new_id()?;
            let seed = Seed::generate()?.seal(state.sealer(), &id)?;
            let factor = unconfirmed(state, ongoing, kind, id, APP_NAME.into(), Some(seed));
            let path = path_of(enrol_totp::PATH, destination, &factor.id);
            let inserted = state.store().insert_factor(factor, None).await;
            match inserted.map_err(InternalError::from)? {
                Insertion::Inserted => Ok(redirect::to_own_page(&path)?),
                Insertion::AlreadyExists => {
                    show(state, ongoing, destination, Some(FULL), StatusCode::BAD_REQUEST).await
                }
            }
        }
        FactorKind::Sms => Ok(redirect::to_own_page(&destination.path_to(enrol_sms::PATH))?),
        FactorKind::Passkey => Ok(redirect::to_own_page(&destination.path_to(enrol_passkey::PATH))?),
    }
}

/// Records that somebody did not get a factor of this kind, and why.
///
/// # Errors
/// When the store cannot answer.
pub(super) async fn record_failure(
    state: &AppState,
    ongoing: &Ongoing,
    kind: FactorKind,
    address: Option<IpAddr>,
    reason: &'static str,
) -> Result<(), InternalError> {
    let event = AuditEvent::new(state.now(), AuditAction::FactorEnrolment, AuditOutcome::Failure)
        .with_user(&*ongoing.user().id)
        .with_ip_address(address)
        .with_method(kind.method().as_str())
        .with_reason(reason);
    Ok(state.store().record(event).await?)
}

/// An id for a factor.
pub(super) fn new_id() -> Result<String, InternalError> {
    Ok(rng::identifier("factor-")?)
}

/// A factor that its person has yet to use for the first time.
pub(super) fn unconfirmed(
    state: &AppState,
    ongoing: &Ongoing,
    kind: FactorKind,
    id: String,
    name: String,
    sealed: Option<Vec<u8>>,
) -> Factor {
    Factor {
        id,
        user_id: ongoing.user().id.clone(),
        kind,
        name,
        sealed,
        detail: None,
        created_at: state.now(),
        confirmed_at: None,
        last_used_at: None,
        last_step: None,
    }
}

/// The factor of this kind that the field `factor` names, if it is the person's and not confirmed.
///
/// # Errors
/// [`PageError::Field`] when the field is there twice. When the store cannot answer.
pub(super) async fn named(
    state: &AppState,
    ongoing: &Ongoing,
    kind: FactorKind,
    parameters: &Parameters,
) -> Result<Option<Factor>, PageError> {
    let Some(id) = parameters.single("factor").map_err(|_| PageError::Field)? else {
        return Ok(None);
    };
    let found = state
        .store()
        .factor(&ongoing.user().id, id)
        .await
        .map_err(InternalError::from)?;
    Ok(found.filter(|factor| factor.kind == kind && factor.confirmed_at.is_none()))
}

/// Where the page `page` shows the factor of this id.
pub(super) fn path_of(page: &str, destination: &Destination, factor_id: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some((name, value)) = destination.field() {
        query.append_pair(name, &value);
    }
    format!("{page}?{}", query.append_pair("factor", factor_id).finish())
}

/// The kinds that somebody can set up here: where a request insists on what only some reach, those.
fn offers(state: &AppState, ongoing: &Ongoing, destination: &Destination) -> Vec<FactorKind> {
    let usable = || OFFERED.into_iter().filter(|kind| is_usable(state, *kind));
    let wanted = destination
        .pending()
        .and_then(|pending| pending.request.requested_context.as_ref())
        .filter(|wanted| wanted.essential);
    let reaching: Vec<FactorKind> = usable()
        .filter(|kind| wanted.is_none_or(|wanted| demand::fits(*kind, ongoing.methods(), wanted)))
        .collect();
    if reaching.is_empty() {
        return usable().collect();
    }
    reaching
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
    let offers = offers(state, ongoing, destination);
    let template = EnrolmentPage {
        offers: &offers,
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
