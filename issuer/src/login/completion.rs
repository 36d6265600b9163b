//! What happens once a person has proved who they are: the one way to a session.
//!
//! After the first proof, [`proceed`] decides whether that is enough: see [`demand`]. If it is not,
//! the sign-in waits, under a cookie of its own that opens nothing, for the second. [`complete`] ends it. The session gets a new
//! secret each time, and takes the place of the one that the browser had.

use std::net::IpAddr;

use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::digest::SecretDigest;
use crate::domain::factor::{FactorKind, FactorUse};
use crate::domain::remembered_device::RememberedDevice;
use crate::domain::session::{AuthenticationMethod, Session};
use crate::domain::sign_in::{Completed, Completion, DeviceChange, SIGN_IN_SECONDS, SignInProgress};
use crate::domain::user::User;
use crate::domain::user_agent::UserAgent;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::cookies::Cookie;
use crate::notices::News;
use crate::rng;
use crate::state::AppState;
use crate::tokens::opaque::OpaqueSecret;

use super::destination::Destination;
use super::second_factor::demand::{self, Missing, Standing};
use super::second_factor::devices;
use super::second_factor::ongoing::Ongoing;

/// Who the person is, and by what they have proved it in this sign-in.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The person; they may sign in.
    pub user: User,
    /// By what, the first step first.
    pub methods: Vec<AuthenticationMethod>,
    /// When the last step was done; at another provider, when that authenticated them.
    pub at: Timestamp,
    /// The hash of the password that was right, if one was. Nothing comes of it once the person has another.
    pub password: Option<Secret<String>>,
}

/// The browser that signs in.
#[derive(Clone, Copy, Debug)]
pub struct Browser<'a> {
    /// The headers of its request.
    pub headers: &'a HeaderMap,
    /// Its address.
    pub address: Option<IpAddr>,
}

impl Browser<'_> {
    /// What it calls itself.
    pub fn user_agent(&self) -> Option<UserAgent> {
        let value = self.headers.get(header::USER_AGENT)?;
        UserAgent::clean(&String::from_utf8_lossy(value.as_bytes()))
    }
}

/// Goes on after the first step of the sign-in: with a session and to its destination, or to the page of the second factor.
///
/// # Errors
/// When the store cannot answer.
pub async fn proceed(
    state: &AppState,
    browser: Browser<'_>,
    proof: Proof,
    destination: &Destination,
) -> Result<Response, PageError> {
    let request = destination.pending().map(|pending| &pending.request);
    let is_strong = demand::is_strong(&proof.methods);
    let device = devices::recognise(state, browser, &proof.user.id, state.now()).await?;
    let standing = Standing {
        user: &proof.user,
        methods: &proof.methods,
        factor_at: if is_strong {
            Some(proof.at)
        } else {
            device.as_ref().map(|device| device.last_factor_at)
        },
        wanted: request.and_then(|request| request.requested_context.as_ref()),
        factor_after: request
            .and_then(|request| request.authenticated_after)
            .filter(|_| !is_strong),
    };
    match demand::missing(state, standing).await? {
        Missing::SecondFactor => wait(state, browser, proof, destination, "/login/mfa").await,
        Missing::Enrolment => wait(state, browser, proof, destination, "/login/mfa/enrol").await,
        // The authorization endpoint says so to the client.
        Missing::Nothing | Missing::UnreachableContext => {
            let offers = is_offered(state, &proof).await?;
            let path = if offers {
                destination.path_to("/login/mfa/enrol")
            } else {
                destination.path()
            };
            let Some(begun) = begin(state, browser, proof, device, destination).await? else {
                return Ok(redirect::to_own_page(&destination.path_to("/login"))?);
            };
            let mut response = redirect::to_own_page(&path)?;
            begun.attach(&mut response);
            Ok(response)
        }
    }
}

/// Whether somebody who needs no second factor is to be offered one.
async fn is_offered(state: &AppState, proof: &Proof) -> Result<bool, InternalError> {
    if !state.config().second_factor.offer || proof.methods != [AuthenticationMethod::Password] {
        return Ok(false);
    }
    let store = state.store();
    Ok(store.factors(&proof.user.id).await?.is_empty() && !store.has_declined_factor(&proof.user.id).await?)
}

/// Keeps the sign-in until its second factor comes, and asks for that on `page`.
async fn wait(
    state: &AppState,
    browser: Browser<'_>,
    proof: Proof,
    destination: &Destination,
    page: &str,
) -> Result<Response, PageError> {
    let public_url = &state.config().server.public_url;
    let secret = OpaqueSecret::SignIn.generate().map_err(InternalError::from)?;
    let sign_in = SignInProgress {
        digest: secret.digest,
        user_id: proof.user.id,
        methods: proof.methods,
        authenticated_at: proof.at,
        request: destination.pending().map(|pending| pending.request.digest),
        expires_at: state.now().plus(SIGN_IN_SECONDS),
    };
    let replaces = unfinished_in(state, browser);
    let is_begun = state
        .store()
        .begin_sign_in(sign_in, proof.password, replaces)
        .await
        .map_err(InternalError::from)?;
    if !is_begun {
        return Ok(redirect::to_own_page(&destination.path_to("/login"))?);
    }
    let mut response = redirect::to_own_page(&destination.path_to(page))?;
    let cookie = Cookie::SignIn
        .set(secret.value.expose(), public_url)
        .map_err(InternalError::from)?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// A session that has begun: the cookies that the browser is to get.
#[derive(Debug)]
#[must_use]
pub struct Begun(Vec<HeaderValue>);

impl Begun {
    /// Gives the browser its cookies.
    pub fn attach(self, response: &mut Response) {
        for cookie in self.0 {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
}

/// Begins a session by the first proof alone; `None` when the proof counts no more. A sign-in that somebody left unfinished in this
/// browser is over: what the pages of the second factor then show is this session's.
async fn begin(
    state: &AppState,
    browser: Browser<'_>,
    proof: Proof,
    device: Option<RememberedDevice>,
    destination: &Destination,
) -> Result<Option<Begun>, PageError> {
    // Another provider may have authenticated the person a while ago; the session begins now.
    let now = state.now();
    let mut audit = event(AuditAction::SignIn, &proof.user, browser, destination, now);
    if let Some(method) = proof.methods.last() {
        audit = audit.with_method(method.as_str());
    }
    let factor_at = if demand::is_strong(&proof.methods) {
        Some(proof.at)
    } else {
        device.as_ref().map(|device| device.last_factor_at)
    };
    let session = NewSession {
        user_id: proof.user.id,
        authenticated_at: proof.at,
        methods: proof.methods,
        request: destination.pending().map(|pending| pending.request.digest),
        factor_at,
        factor_request: None,
        expires_at: now.plus(state.config().sessions.absolute_seconds),
    };
    let (session, cookie) = session.with_new_secret(state, browser, now)?;
    let completion = Completion {
        session,
        replaces: session_in(state, browser),
        sign_in: None,
        used: None,
        enrols: false,
        recovery_codes: Vec::new(),
        abandons: unfinished_in(state, browser),
        password: proof.password,
        device: device.map_or(DeviceChange::None, |device| DeviceChange::Seen { id: device.id }),
        notice: None,
        audit: vec![audit],
    };
    match store(state, completion, now).await? {
        Completed::Begun => {
            let over = Cookie::SignIn.clear(&state.config().server.public_url);
            Ok(Some(Begun(vec![cookie, over.map_err(InternalError::from)?])))
        }
        Completed::SignInGone => Ok(None),
        Completed::FactorSpent => Err(InternalError::Dangling("a sign-in without a second factor").into()),
    }
}

/// A second factor that was given.
#[derive(Debug)]
pub struct Given {
    /// What is consumed.
    pub used: FactorUse,
    /// By what the person has proved who they are.
    pub method: AuthenticationMethod,
    /// Whether the factor was set up just now.
    pub enrols: bool,
    /// The digests of recovery codes, for somebody who gets some.
    pub recovery_codes: Vec<SecretDigest>,
    /// Whether the browser is to be remembered.
    pub remember: bool,
}

impl Given {
    /// What the person is told of by mail.
    fn news(&self) -> Option<News> {
        match &self.used {
            FactorUse::RecoveryCode { .. } => Some(News::RecoveryCodeUsed),
            FactorUse::OneTimePassword { .. } | FactorUse::Checked { .. } | FactorUse::SentCode { .. } => {
                FactorKind::of_method(self.method)
                    .filter(|_| self.enrols)
                    .map(News::FactorAdded)
            }
        }
    }
}

/// Ends a sign-in, or strengthens a session, by a second factor: its consumption and the session that comes of it are one change.
///
/// # Errors
/// When the store cannot answer. Inside the `Ok`: why there is no session.
pub async fn complete(
    state: &AppState,
    browser: Browser<'_>,
    ongoing: &Ongoing,
    given: Given,
    destination: &Destination,
) -> Result<Result<Begun, Completed>, PageError> {
    let now = state.now();
    let public_url = &state.config().server.public_url;
    let user = ongoing.user();
    let record = |action| event(action, user, browser, destination, now).with_method(given.method.as_str());
    let mut audit = vec![if given.enrols {
        record(AuditAction::FactorEnrolment)
    } else {
        record(AuditAction::SecondFactor)
    }];
    if !given.recovery_codes.is_empty() {
        audit.push(event(AuditAction::RecoveryCodes, user, browser, destination, now));
    }
    let pending = destination.pending().map(|pending| pending.request.digest);
    let mut methods = ongoing.methods().to_vec();
    if !methods.contains(&given.method) {
        methods.push(given.method);
    }
    let (session, sign_in) = match ongoing {
        Ongoing::SignIn { sign_in, .. } => {
            audit.push(record(AuditAction::SignIn));
            let session = NewSession {
                user_id: user.id.clone(),
                // What another provider did does not become newer by what is done here.
                authenticated_at: if demand::came_by_single_sign_on(&sign_in.methods) {
                    sign_in.authenticated_at
                } else {
                    now
                },
                methods,
                // What was shown for one request does not make the session a fresh one for another.
                request: sign_in.request.filter(|request| pending == Some(*request)),
                factor_at: Some(now),
                factor_request: pending,
                expires_at: now.plus(state.config().sessions.absolute_seconds),
            };
            (session, Some(sign_in.digest))
        }
        Ongoing::Session(held) => {
            let session = NewSession {
                user_id: user.id.clone(),
                authenticated_at: held.session.authenticated_at,
                methods,
                request: held.session.request,
                factor_at: Some(now),
                factor_request: pending,
                expires_at: held.session.expires_at,
            };
            (session, None)
        }
    };
    let (session, cookie) = session.with_new_secret(state, browser, now)?;
    let (device, device_cookie) = devices::change(state, browser, &user.id, given.remember, now)?;
    let replaces = match ongoing {
        Ongoing::SignIn { .. } => session_in(state, browser),
        Ongoing::Session(held) => Some(held.session.digest),
    };
    let completion = Completion {
        session,
        replaces,
        sign_in,
        notice: match given.news() {
            Some(news) => state.notices().of(user, news, now)?,
            None => None,
        },
        abandons: None,
        password: None,
        used: Some(given.used),
        enrols: given.enrols,
        recovery_codes: given.recovery_codes,
        device,
        audit,
    };
    match store(state, completion, now).await? {
        Completed::Begun => {
            let mut cookies = vec![cookie];
            if sign_in.is_some() {
                cookies.push(Cookie::SignIn.clear(public_url).map_err(InternalError::from)?);
            }
            cookies.extend(device_cookie);
            Ok(Ok(Begun(cookies)))
        }
        gone @ (Completed::FactorSpent | Completed::SignInGone) => Ok(Err(gone)),
    }
}

async fn store(state: &AppState, completion: Completion, now: Timestamp) -> Result<Completed, InternalError> {
    Ok(state.store().complete_sign_in(completion, now).await?)
}

fn event(
    action: AuditAction,
    user: &User,
    browser: Browser<'_>,
    destination: &Destination,
    now: Timestamp,
) -> AuditEvent {
    let event = AuditEvent::new(now, action, AuditOutcome::Success)
        .with_user(&*user.id)
        .with_ip_address(browser.address);
    match destination.pending() {
        Some(pending) => event.with_client(&*pending.client.client_id),
        None => event,
    }
}

/// The sign-in that is unfinished in the browser, whoever's it is.
pub(super) fn unfinished_in(state: &AppState, browser: Browser<'_>) -> Option<SecretDigest> {
    Cookie::SignIn
        .read(browser.headers, &state.config().server.public_url)
        .map(SecretDigest::of)
}

/// The session that the browser's cookie names, in whatever state.
fn session_in(state: &AppState, browser: Browser<'_>) -> Option<SecretDigest> {
    Cookie::Session
        .read(browser.headers, &state.config().server.public_url)
        .map(SecretDigest::of)
}

/// What a session will say.
struct NewSession {
    user_id: String,
    authenticated_at: Timestamp,
    methods: Vec<AuthenticationMethod>,
    request: Option<SecretDigest>,
    factor_at: Option<Timestamp>,
    factor_request: Option<SecretDigest>,
    expires_at: Timestamp,
}

impl NewSession {
    /// The session under a secret that nobody knows yet, and the cookie that holds it.
    fn with_new_secret(
        self,
        state: &AppState,
        browser: Browser<'_>,
        now: Timestamp,
    ) -> Result<(Session, HeaderValue), InternalError> {
        let secret = OpaqueSecret::Session.generate()?;
        let cookie = Cookie::Session.set(secret.value.expose(), &state.config().server.public_url)?;
        let session = Session {
            digest: secret.digest,
            id: rng::identifier("session-")?,
            user_id: self.user_id,
            authenticated_at: self.authenticated_at,
            methods: self.methods,
            last_seen_at: now,
            request: self.request,
            user_agent: browser.user_agent(),
            ip_address: browser.address,
            second_factor_at: self.factor_at,
            factor_request: self.factor_request,
            device_id: None,
            expires_at: self.expires_at,
        };
        Ok((session, cookie))
    }
}
