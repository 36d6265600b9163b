//! `/oauth2/logout`: a client's person signs out (OpenID Connect RP-Initiated Logout 1.0).
//!
//! An ID token of ours in `id_token_hint`, expired or not, says which client asks and about whom. If that is who is signed
//! in, the session ends at once; otherwise the person is asked. Only such a hint lets the browser go on to the client, and
//! only to a URI that is registered for this, character by character. A POST comes from the client's site without our
//! cookies, so it goes on as a GET, like an authorization request.
//!
//! Whoever signed in by their organization's provider may still be signed in there. They see a page that says so before they
//! go on to the client, and can sign out there too.

mod description;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, header};
use wardgate_shared::redirect_uri::RedirectTarget;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::client::Client;
use crate::domain::single_sign_on::Connection;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::cookies::Cookie;
use crate::extract::{BrowserSession, ClientAddress, Form, FormError, Parameters, SameOrigin, SignedIn};
use crate::login::form_token::{FormPurpose, form_token, is_form_token};
use crate::single_sign_on::sign_out::{self, Onward};
use crate::state::AppState;
use crate::tokens::own;
use crate::views::{EndSessionPage, FormTargets, OnwardLink, SignOutPage, page};

pub use description::describe;

/// Where the endpoint is.
const PATH: &str = "/oauth2/logout";
/// What a request is made of; everything else (`logout_hint`, `ui_locales`) is ignored.
const PARAMETERS: [&str; 4] = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"];
/// The longest `state` that is given back, in bytes.
const MAXIMUM_STATE_BYTES: usize = 2048;

/// Why a request does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LogoutError {
    Repeated,
    Hint,
    AnotherClient,
    RedirectUri,
    OpaqueState,
}

impl LogoutError {
    /// The reason for the person who sees the page.
    const fn description(self) -> &'static str {
        match self {
            Self::Repeated => "The app asked to sign you out in a way that cannot be read.",
            Self::Hint => "The app asked to sign you out with an ID token that was not issued here.",
            Self::AnotherClient => "The app asked to sign you out with an ID token of another app.",
            Self::RedirectUri => {
                "The address to which the app wants you to go after signing out is not registered for it."
            }
            Self::OpaqueState => "The app asked to sign you out with a state that is too long.",
        }
    }

    /// The reason for the audit trail.
    const fn reason(self) -> &'static str {
        match self {
            Self::Repeated => "repeated_parameter",
            Self::Hint => "invalid_id_token_hint",
            Self::AnotherClient => "token_of_another_client",
            Self::RedirectUri => "unregistered_redirect_uri",
            Self::OpaqueState => "invalid_state",
        }
    }
}

/// A request that holds.
struct LogoutRequest {
    /// Who asks, and about whom; none without a hint.
    hint: Option<Hint>,
    /// Where the browser goes on.
    target: Option<RedirectTarget>,
    state: Option<String>,
}

struct Hint {
    user_id: String,
    client: Client,
}

impl LogoutRequest {
    async fn read(
        state: &AppState,
        parameters: &Parameters,
    ) -> Result<Result<Self, LogoutError>, InternalError> {
        if parameters.refuse_repeated(&[]).is_err() {
            return Ok(Err(LogoutError::Repeated));
        }
        let parameter = |name| parameters.all(name).next();
        let hint = match parameter("id_token_hint") {
            Some(text) => match own::id_token(state, text, state.now()).await? {
                Some((user_id, client)) => Some(Hint { user_id, client }),
                None => return Ok(Err(LogoutError::Hint)),
            },
            None => None,
        };
        Ok(Self::assemble(
            hint,
            parameter("client_id"),
            parameter("post_logout_redirect_uri"),
            parameter("state"),
        ))
    }

    fn assemble(
        hint: Option<Hint>,
        client_id: Option<&str>,
        redirect_uri: Option<&str>,
        state: Option<&str>,
    ) -> Result<Self, LogoutError> {
        if state.is_some_and(|text| text.len() > MAXIMUM_STATE_BYTES || text.chars().any(char::is_control)) {
            return Err(LogoutError::OpaqueState);
        }
        let target = match (&hint, redirect_uri) {
            (Some(hint), _) if client_id.is_some_and(|named| named != hint.client.client_id) => {
                return Err(LogoutError::AnotherClient);
            }
            (Some(hint), Some(uri)) => {
                let target = hint.client.post_logout_target(uri);
                Some(target.ok_or(LogoutError::RedirectUri)?)
            }
            // Without a hint anybody may have made the link: the browser goes nowhere (OUT-06).
            (None, _) | (Some(_), None) => None,
        };
        Ok(Self {
            hint,
            target,
            state: state.map(String::from),
        })
    }

    /// Where the person may sign out besides, before they go on to the client.
    async fn provider(
        &self,
        state: &AppState,
        headers: &HeaderMap,
    ) -> Result<Option<Connection>, InternalError> {
        match (&self.hint, &self.target) {
            (Some(hint), Some(_)) => sign_out::offered(state, headers, Some(&hint.user_id)).await,
            // The page that follows offers it by itself.
            (None, _) | (Some(_), None) => Ok(None),
        }
    }

    /// What the browser gets when nobody is signed in any more. Takes the cookie as well.
    async fn finish(&self, state: &AppState, headers: &HeaderMap) -> Result<Response, InternalError> {
        let provider = self.provider(state, headers).await?;
        let mut response = match (&self.target, &self.hint, &provider) {
            (Some(target), Some(hint), Some(provider)) => self.offer(state, target, hint, provider)?,
            (Some(target), _, _) => redirect::after_logout(target, self.state.as_deref())?,
            (None, _, _) => redirect::to_own_page("/logout")?,
        };
        let cookie = Cookie::Session.clear(&state.config().server.public_url)?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
        Ok(response)
    }

    /// The page on which the person can sign out at their provider too, or go on to the client.
    fn offer(
        &self,
        state: &AppState,
        target: &RedirectTarget,
        hint: &Hint,
        provider: &Connection,
    ) -> Result<Response, InternalError> {
        let onward = Onward {
            client_id: hint.client.client_id.clone(),
            redirect_uri: target.as_str().into(),
            state: self.state.clone(),
        };
        let template = SignOutPage {
            form: None,
            provider: Some(&provider.settings.name),
            onward: Some(OnwardLink {
                client_name: &hint.client.name,
                url: &target.with_parameters(self.state.as_deref().map(|state| ("state", state))),
                sealed: &onward.seal(state.sealer())?,
            }),
        };
        let endpoint = sign_out::endpoint(provider).unwrap_or_default();
        page(&template, &FormTargets::server(&endpoint).and_client(target))
    }
}

/// A request in the query.
pub async fn get(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    SignedIn(session): SignedIn,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let visit = Visit {
        state: &state,
        address,
    };
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes()).map_err(FormError::from)?;
    let request = visit.read(&parameters).await?;
    let Some(session) = session else {
        return Ok(request.finish(&state, &headers).await?);
    };
    let is_about_them = |hint: &Hint| hint.user_id == session.user.id;
    if request.hint.as_ref().is_some_and(is_about_them) {
        visit.end(&session, &request).await?;
        return Ok(request.finish(&state, &headers).await?);
    }
    let token = form_token(state.form_key(), session.secret.expose(), FormPurpose::SignOut);
    let fields: Vec<(&str, &str)> = known(&parameters).collect();
    let template = EndSessionPage {
        client_name: request.hint.as_ref().map(|hint| hint.client.name.as_str()),
        user_name: &session.user.name,
        form_token: &token,
        fields: &fields,
    };
    let targets = request
        .target
        .as_ref()
        .map_or_else(FormTargets::own, FormTargets::client);
    Ok(page(&template, &targets)?)
}

/// The same request as a form. It is checked here, so that what goes on in the query is of known size.
pub async fn post(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let visit = Visit {
        state: &state,
        address,
    };
    let Form(parameters) = form?;
    let request = visit.read(&parameters).await?;
    // Without a hint, only the fact that somebody asks is of use.
    let of_use = known(&parameters).filter(|_| request.hint.is_some());
    Ok(redirect::to_own_page_with(PATH, of_use)?)
}

/// The parameters that make a request.
fn known(parameters: &Parameters) -> impl Iterator<Item = (&str, &str)> {
    PARAMETERS
        .into_iter()
        .filter_map(|name| parameters.all(name).next().map(|value| (name, value)))
}

/// The person's yes to the page that [`get`] shows.
pub async fn confirm(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    _: SameOrigin,
    SignedIn(session): SignedIn,
    headers: HeaderMap,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let visit = Visit {
        state: &state,
        address,
    };
    let Form(parameters) = form?;
    let request = visit.read(&parameters).await?;
    if let Some(session) = session {
        let token = parameters.all("form_token").next().unwrap_or_default();
        let purpose = FormPurpose::SignOut;
        if !is_form_token(state.form_key(), session.secret.expose(), purpose, token) {
            return Err(PageError::StaleForm);
        }
        visit.end(&session, &request).await?;
    }
    if request.provider(&state, &headers).await?.is_some() {
        // The page is not the answer to a form, so that it can be loaded again.
        return Ok(redirect::to_own_page_with(PATH, known(&parameters))?);
    }
    Ok(request.finish(&state, &headers).await?)
}

/// One visit to the endpoint.
struct Visit<'a> {
    state: &'a AppState,
    address: Option<std::net::IpAddr>,
}

impl Visit<'_> {
    fn audit(&self, outcome: AuditOutcome) -> AuditEvent {
        AuditEvent::new(self.state.now(), AuditAction::SignOut, outcome).with_ip_address(self.address)
    }

    async fn read(&self, parameters: &Parameters) -> Result<LogoutRequest, PageError> {
        let refused = match LogoutRequest::read(self.state, parameters).await? {
            Ok(request) => return Ok(request),
            Err(error) => error,
        };
        let event = self.audit(AuditOutcome::Failure).with_reason(refused.reason());
        let recorded = self.state.store().record(event).await;
        recorded.map_err(InternalError::from)?;
        Err(PageError::UntrustedRequest(refused.description()))
    }

    /// Ends the session, and with it what was granted for its length.
    async fn end(&self, session: &BrowserSession, request: &LogoutRequest) -> Result<(), InternalError> {
        let mut event = self.audit(AuditOutcome::Success).with_user(&*session.user.id);
        if let Some(hint) = &request.hint {
            event = event.with_client(&*hint.client.client_id);
        }
        self.state
            .store()
            .end_session(&session.session.digest, event)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
