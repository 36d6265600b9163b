//! `/login/mfa`: the page that asks for a second factor, or for a recovery code in place of a lost one.
//!
//! The page says nothing that somebody who has shown the first proof does not know of their own account. What they answer is
//! judged in [`answer`](super::answer). A code is sent to a telephone when its person asks for it, not when the page is shown.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};

use crate::domain::authentication_context::{AuthenticationContext, RequestedContext};
use crate::domain::factor::{Factor, FactorKind};
use crate::domain::passkey::Passkey;
use crate::domain::session::AuthenticationMethod;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::{
    ClientAddress, Form, FormError, Parameters, SameOrigin, SignedIn, distinguishing_address,
};
use crate::login::completion::Browser;
use crate::login::destination::Destination;
use crate::login::form_token::FormPurpose;
use crate::login::throttle::SignInThrottle;
use crate::passkeys::{Binding, Offer};
use crate::state::AppState;
use crate::views::{FactorWay, OtherWay, SecondFactorPage, page_with_card, page_with_passkeys};

use super::answer::Answer;
use super::ongoing::Ongoing;
use super::telephone::{Telephone, Wait};
use super::{demand, is_usable};

/// Where the page is.
pub const PATH: &str = "/login/mfa";

const NO_CODE: &str = "Please fill in the code.";

/// Shows the page. What the person signs in for stands in the query, and in `use` the factor that they want to give.
pub async fn get(
    State(state): State<AppState>,
    SignedIn(session): SignedIn,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes()).map_err(FormError::from)?;
    let destination = Destination::read(&state, &parameters).await?;
    let Some(ongoing) = Ongoing::find(&state, &headers, session).await? else {
        return Ok(redirect::to_own_page(&destination.path_to("/login"))?);
    };
    let challenge = Challenge::load(&state, &ongoing, &destination).await?;
    if !challenge.has_factors && matches!(ongoing, Ongoing::Session(_)) {
        return Ok(redirect::to_own_page(&destination.path())?);
    }
    let wanted = parameters.single("use").map_err(|_| PageError::Field)?;
    let way = challenge.way(wanted);
    challenge.show(way, true, None, StatusCode::OK).await
}

/// Takes the answer, or the wish `send` for a code.
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
    ongoing.check_token(&state, FormPurpose::SecondFactor, token)?;
    let challenge = Challenge::load(&state, &ongoing, &destination).await?;
    let named = field("use")?.ok_or(PageError::Field)?;
    let way = challenge.way(Some(named));
    if way.map(Way::id) != Some(named) {
        return Err(PageError::Field);
    }
    if field("send")?.is_some() {
        return challenge.send(way, address).await;
    }
    let answer = Answer {
        challenge: &challenge,
        way,
        remember: field("remember")?.is_some(),
        ceremony: field("ceremony")?.unwrap_or_default(),
        browser: Browser {
            headers: &headers,
            address,
        },
    };
    if way.map(Way::method) == Some(AuthenticationMethod::Passkey) {
        let credential = field("credential")?.ok_or(PageError::Field)?;
        return answer.take(&throttle, credential).await;
    }
    let Some(code) = field("code")? else {
        let status = StatusCode::BAD_REQUEST;
        return challenge.show(way, answer.remember, Some(NO_CODE), status).await;
    };
    answer.take(&throttle, code).await
}

/// What somebody can give.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way<'a> {
    Factor(&'a Factor),
    Recovery,
}

impl<'a> Way<'a> {
    /// What the field `use` says.
    pub(super) fn id(self) -> &'a str {
        match self {
            Self::Factor(factor) => &factor.id,
            Self::Recovery => "recovery",
        }
    }

    pub(super) const fn method(self) -> AuthenticationMethod {
        match self {
            Self::Factor(factor) => factor.kind.method(),
            Self::Recovery => AuthenticationMethod::RecoveryCode,
        }
    }
}

/// What somebody is asked for.
pub(super) struct Challenge<'a> {
    pub(super) state: &'a AppState,
    pub(super) ongoing: &'a Ongoing,
    pub(super) destination: &'a Destination,
    /// Those that do what the request wants; the one last used first.
    factors: Vec<Factor>,
    /// The person's passkeys, when they may use one.
    passkeys: Vec<Passkey>,
    /// Whether the person has any.
    has_factors: bool,
    recovers: bool,
}

impl<'a> Challenge<'a> {
    async fn load(
        state: &'a AppState,
        ongoing: &'a Ongoing,
        destination: &'a Destination,
    ) -> Result<Self, InternalError> {
        let user_id = &ongoing.user().id;
        let mut factors = state.store().factors(user_id).await?;
        let has_factors = !factors.is_empty();
        factors.retain(|factor| is_usable(state, factor.kind));
        let methods = ongoing.methods();
        let wanted = destination
            .pending()
            .and_then(|pending| pending.request.requested_context.as_ref())
            .filter(|wanted| !wanted.is_met_by(AuthenticationContext::reached_by(methods)))
            // Where nothing reaches it, whatever the person has is asked for all the same.
            .filter(|wanted| {
                factors
                    .iter()
                    .any(|factor| demand::fits(factor.kind, methods, wanted))
            });
        if let Some(wanted) = wanted {
            factors.retain(|factor| demand::fits(factor.kind, methods, wanted));
        }
        factors.sort_by_key(|factor| std::cmp::Reverse(factor.last_used_at));
        // The browser offers whichever passkey it finds, so that they are one way together.
        let mut has_passkey = false;
        factors.retain(|factor| {
            factor.kind != FactorKind::Passkey || !std::mem::replace(&mut has_passkey, true)
        });
        let passkeys = if has_passkey {
            state.store().passkeys_of(user_id).await?
        } else {
            Vec::new()
        };
        let recovers = wanted.is_none_or(|wanted| recovery_reaches(methods, wanted))
            && state.store().unused_recovery_codes(user_id).await? > 0;
        Ok(Self {
            state,
            ongoing,
            destination,
            factors,
            passkeys,
            has_factors,
            recovers,
        })
    }

    /// The way of this name; the best one, when it names none.
    fn way(&self, named: Option<&str>) -> Option<Way<'_>> {
        let all = || {
            let recovery = self.recovers.then_some(Way::Recovery);
            self.factors.iter().map(Way::Factor).chain(recovery)
        };
        all().find(|way| named == Some(way.id())).or_else(|| all().next())
    }

    pub(super) async fn show(
        &self,
        way: Option<Way<'_>>,
        remember: bool,
        problem: Option<&str>,
        status: StatusCode,
    ) -> Result<Response, PageError> {
        let recovery = self.recovers.then_some(Way::Recovery);
        let others: Vec<OtherWay<'_>> = self
            .factors
            .iter()
            .map(Way::Factor)
            .chain(recovery)
            .filter(|other| way.map(Way::id) != Some(other.id()))
            .map(|other| OtherWay {
                name: match other {
                    Way::Factor(factor) => Some(factor.name.as_str()),
                    Way::Recovery => None,
                },
                path: self.path_of(other),
            })
            .collect();
        let carried = self.destination.field();
        let card = self.destination.client_card();
        let token = self.ongoing.form_token(self.state, FormPurpose::SecondFactor);
        let start = self.destination.path_to("/login");
        let offer = self.offer(way)?;
        let telephone = self.telephone(way)?;
        let hint = telephone.as_ref().map(Telephone::hint).unwrap_or_default();
        let template = SecondFactorPage {
            client_name: self.destination.client_name(),
            card,
            carried: carried.as_ref().map(|(name, value)| (*name, value.as_str())),
            start: &start,
            form_token: &token,
            user_email: &self.ongoing.user().email,
            way: match (way, &offer, &telephone) {
                (Some(Way::Factor(_)), Some(offer), _) => FactorWay::Passkey {
                    options: &offer.options,
                    ceremony: &offer.ceremony,
                },
                (Some(Way::Factor(_)), None, Some(telephone)) => FactorWay::Telephone {
                    hint: &hint,
                    awaits_code: telephone.awaits_code().await?,
                },
                (Some(Way::Factor(factor)), None, None) => FactorWay::App { name: &factor.name },
                (Some(Way::Recovery), _, _) => FactorWay::Recovery,
                (None, _, _) => FactorWay::None,
            },
            way_id: way.map(Way::id).unwrap_or_default(),
            others: &others,
            remember,
            problem,
        };
        let targets = self.destination.form_targets();
        let page = if offer.is_some() {
            page_with_passkeys(&template, &targets, &card)?
        } else {
            page_with_card(&template, &targets, &card)?
        };
        Ok((status, page).into_response())
    }

    /// The ceremony for this way, if it is by passkey.
    fn offer(&self, way: Option<Way<'_>>) -> Result<Option<Offer>, InternalError> {
        if way.map(Way::method) != Some(AuthenticationMethod::Passkey) {
            return Ok(None);
        }
        let binding = Binding::SecondFactor(self.ongoing.secret());
        let passkeys = self.state.passkeys();
        Ok(passkeys.begin_use(&self.passkeys, &binding, self.state.now())?)
    }

    /// The telephone to which a code can be sent, if the way is one.
    pub(super) fn telephone<'b>(
        &'b self,
        way: Option<Way<'b>>,
    ) -> Result<Option<Telephone<'b>>, InternalError> {
        match way {
            Some(Way::Factor(factor)) if factor.kind == FactorKind::Sms => {
                Telephone::open(self.state, self.ongoing, factor).map(Some)
            }
            Some(Way::Factor(_) | Way::Recovery) | None => Ok(None),
        }
    }

    /// Has a code sent, and asks for it.
    async fn send(&self, way: Option<Way<'_>>, address: Option<IpAddr>) -> Result<Response, PageError> {
        let (Some(way), Some(telephone)) = (way, self.telephone(way)?) else {
            return Err(PageError::Field);
        };
        let sending = telephone.send(None, address).await?;
        let Some(wait) = Wait::of(sending) else {
            return Ok(redirect::to_own_page(&self.path_of(way))?);
        };
        let status = StatusCode::TOO_MANY_REQUESTS;
        let page = self.show(Some(way), true, Some(&wait.words()), status).await?;
        Ok(wait.told(page))
    }

    /// Where the page asks for that.
    fn path_of(&self, way: Way<'_>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some((name, value)) = self.destination.field() {
            query.append_pair(name, &value);
        }
        format!("{PATH}?{}", query.append_pair("use", way.id()).finish())
    }
}

fn recovery_reaches(methods: &[AuthenticationMethod], wanted: &RequestedContext) -> bool {
    let together = [methods, &[AuthenticationMethod::RecoveryCode]].concat();
    wanted.is_met_by(AuthenticationContext::reached_by(&together))
}

/// The address by which guesses are counted: one that all visitors share says nothing about this one.
pub(super) fn network_of(state: &AppState, address: Option<IpAddr>) -> Option<IpAddr> {
    distinguishing_address(address, &state.config().server)
}
