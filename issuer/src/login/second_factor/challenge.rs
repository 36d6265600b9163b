//! `/login/mfa`: the page that asks for a second factor, or for a recovery code in place of a lost one.
//!
//! Wrong answers are counted by account and network, and end the sign-in when there are too many. The page says nothing that
//! somebody who has shown the first proof does not know of their own account.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::authentication_context::{AuthenticationContext, RequestedContext};
use crate::domain::factor::{Factor, FactorKind, FactorUse};
use crate::domain::passkey::Passkey;
use crate::domain::recovery_code;
use crate::domain::session::AuthenticationMethod;
use crate::domain::sign_in::Completed;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::{
    ClientAddress, Form, FormError, Parameters, SameOrigin, SignedIn, distinguishing_address,
};
use crate::login::completion::{self, Browser, Given};
use crate::login::destination::Destination;
use crate::login::form_token::FormPurpose;
use crate::login::passkey;
use crate::login::throttle::{SignInThrottle, Throttled};
use crate::passkeys::{Binding, Offer};
use crate::state::AppState;
use crate::views::{FactorWay, OtherWay, SecondFactorPage, page_with_card, page_with_passkeys};

use super::demand;
use super::ongoing::Ongoing;
use super::totp::Seed;

/// Where the page is.
pub const PATH: &str = "/login/mfa";

const WRONG: &str = "This code is not right. Please type the one that is shown now.";
const USED: &str = "This code was used already. Please wait for the next one.";
const WRONG_RECOVERY: &str = "This is none of your recovery codes, or it was used already.";
const NO_CODE: &str = "Please fill in the code.";
const TOO_MANY: &str = "There were too many wrong codes. Please wait a moment and try again.";

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
    challenge.show(way, true, None, StatusCode::OK)
}

/// Takes the answer.
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
        return challenge.show(way, answer.remember, Some(NO_CODE), StatusCode::BAD_REQUEST);
    };
    answer.take(&throttle, code).await
}

/// What somebody can give.
#[derive(Clone, Copy, Debug)]
enum Way<'a> {
    Factor(&'a Factor),
    Recovery,
}

impl<'a> Way<'a> {
    /// What the field `use` says.
    fn id(self) -> &'a str {
        match self {
            Self::Factor(factor) => &factor.id,
            Self::Recovery => "recovery",
        }
    }

    const fn method(self) -> AuthenticationMethod {
        match self {
            Self::Factor(factor) => factor.kind.method(),
            Self::Recovery => AuthenticationMethod::RecoveryCode,
        }
    }
}

/// What somebody is asked for.
struct Challenge<'a> {
    state: &'a AppState,
    ongoing: &'a Ongoing,
    destination: &'a Destination,
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
            .filter(|wanted| factors.iter().any(|factor| demand::fits(factor, methods, wanted)));
        if let Some(wanted) = wanted {
            factors.retain(|factor| demand::fits(factor, methods, wanted));
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

    fn show(
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
        let template = SecondFactorPage {
            client_name: self.destination.client_name(),
            card,
            carried: carried.as_ref().map(|(name, value)| (*name, value.as_str())),
            start: &start,
            form_token: &token,
            user_email: &self.ongoing.user().email,
            way: match (way, &offer) {
                (Some(Way::Factor(_)), Some(offer)) => FactorWay::Passkey {
                    options: &offer.options,
                    ceremony: &offer.ceremony,
                },
                (Some(Way::Factor(factor)), None) => FactorWay::App { name: &factor.name },
                (Some(Way::Recovery), _) => FactorWay::Recovery,
                (None, _) => FactorWay::None,
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

    /// Where the page asks for that.
    fn path_of(&self, way: Way<'_>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some((name, value)) = self.destination.field() {
            query.append_pair(name, &value);
        }
        format!("{PATH}?{}", query.append_pair("use", way.id()).finish())
    }
}

/// Whether this page can ask for factors of this kind.
fn is_usable(state: &AppState, kind: FactorKind) -> bool {
    match kind {
        FactorKind::Passkey => state.passkeys().are_possible(),
        FactorKind::Totp => true,
        FactorKind::Sms => false,
    }
}

fn recovery_reaches(methods: &[AuthenticationMethod], wanted: &RequestedContext) -> bool {
    let together = [methods, &[AuthenticationMethod::RecoveryCode]].concat();
    wanted.is_met_by(AuthenticationContext::reached_by(&together))
}

/// An answer that was sent.
struct Answer<'a> {
    challenge: &'a Challenge<'a>,
    way: Option<Way<'a>>,
    remember: bool,
    /// Of a passkey: the sealed ceremony.
    ceremony: &'a str,
    browser: Browser<'a>,
}

/// Why an answer is none: what the person reads, and what is recorded.
struct Refused {
    problem: &'static str,
    reason: &'static str,
}

impl Answer<'_> {
    async fn take(&self, throttle: &Arc<SignInThrottle>, code: &str) -> Result<Response, PageError> {
        let state = self.challenge.state;
        let user = self.challenge.ongoing.user();
        let network = network_of(state, self.browser.address);
        let attempt = match throttle.begin_factor(&user.id, network, state.now()) {
            Ok(attempt) => attempt,
            Err(throttled) => return self.wait(throttled).await,
        };
        let refused = match self.check(code).await? {
            Ok(proof) => {
                let given = Given {
                    used: proof,
                    method: self.way.map_or(AuthenticationMethod::RecoveryCode, Way::method),
                    enrols: false,
                    recovery_codes: Vec::new(),
                    remember: self.remember,
                };
                let destination = self.challenge.destination;
                let completed =
                    completion::complete(state, self.browser, self.challenge.ongoing, given, destination)
                        .await?;
                match completed {
                    Ok(begun) => {
                        attempt.matched();
                        let mut response = redirect::to_own_page(&destination.path())?;
                        begun.attach(&mut response);
                        return Ok(response);
                    }
                    Err(Completed::SignInGone) => {
                        return Ok(redirect::to_own_page(&destination.path_to("/login"))?);
                    }
                    Err(Completed::FactorSpent | Completed::Begun) => Refused {
                        problem: match self.way {
                            Some(Way::Factor(_)) => USED,
                            Some(Way::Recovery) | None => WRONG_RECOVERY,
                        },
                        reason: "code_used",
                    },
                }
            }
            Err(refused) => refused,
        };
        attempt.mismatched(state.now());
        if let Ongoing::SignIn { sign_in, .. } = self.challenge.ongoing {
            let counted = state.store().count_wrong_answer(&sign_in.digest).await;
            counted.map_err(InternalError::from)?;
        }
        self.record(refused.reason).await?;
        self.show(refused.problem, StatusCode::BAD_REQUEST)
    }

    /// What the code is good for.
    async fn check(&self, code: &str) -> Result<Result<FactorUse, Refused>, InternalError> {
        let (state, user) = (self.challenge.state, self.challenge.ongoing.user());
        let wrong = |problem| {
            Err(Refused {
                problem,
                reason: "wrong_code",
            })
        };
        match self.way {
            Some(Way::Factor(factor)) if factor.kind == FactorKind::Passkey => {
                let binding = Binding::SecondFactor(self.challenge.ongoing.secret());
                let answer = (self.ceremony, code);
                let verified = passkey::verify(state, &binding, Some(&user.id), answer, state.now());
                Ok(match verified.await? {
                    Ok((_, passkey)) => Ok(FactorUse::Checked {
                        factor_id: passkey.factor_id,
                    }),
                    Err(refused) => Err(Refused {
                        problem: refused.words().0,
                        reason: refused.reason(),
                    }),
                })
            }
            Some(Way::Factor(factor)) => {
                let seed = Seed::open(state.sealer(), factor)?;
                Ok(match seed.step_of(code, state.now()) {
                    Some(step) => Ok(FactorUse::OneTimePassword {
                        factor_id: factor.id.clone(),
                        step,
                    }),
                    None => wrong(WRONG),
                })
            }
            Some(Way::Recovery) | None => {
                let Some(digest) = recovery_code::digest(code) else {
                    return Ok(wrong(WRONG_RECOVERY));
                };
                Ok(if state.store().has_recovery_code(&user.id, &digest).await? {
                    Ok(FactorUse::RecoveryCode { digest })
                } else {
                    wrong(WRONG_RECOVERY)
                })
            }
        }
    }

    async fn wait(&self, throttled: Throttled) -> Result<Response, PageError> {
        if throttled.is_news {
            self.record("throttled").await?;
        }
        let mut response = self.show(TOO_MANY, StatusCode::TOO_MANY_REQUESTS)?;
        let seconds = HeaderValue::from(throttled.retry_after_seconds);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
        Ok(response)
    }

    fn show(&self, problem: &str, status: StatusCode) -> Result<Response, PageError> {
        self.challenge
            .show(self.way, self.remember, Some(problem), status)
    }

    async fn record(&self, reason: &'static str) -> Result<(), InternalError> {
        let state = self.challenge.state;
        let mut event = AuditEvent::new(state.now(), AuditAction::SecondFactor, AuditOutcome::Failure)
            .with_user(&*self.challenge.ongoing.user().id)
            .with_ip_address(self.browser.address)
            .with_reason(reason);
        if let Some(way) = self.way {
            event = event.with_method(way.method().as_str());
        }
        if let Some(pending) = self.challenge.destination.pending() {
            event = event.with_client(&*pending.client.client_id);
        }
        Ok(state.store().record(event).await?)
    }
}

/// The address by which guesses are counted: one that all visitors share says nothing about this one.
pub(super) fn network_of(state: &AppState, address: Option<IpAddr>) -> Option<IpAddr> {
    distinguishing_address(address, &state.config().server)
}
