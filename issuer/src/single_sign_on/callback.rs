//! `/login/sso/callback`: where providers send browsers back to (OpenID Connect Core section 3.1.2.5).
//!
//! The order: the attempt of this browser, consumed before anything is asked of anybody; who answers (RFC 9207), and
//! whether with an error; the code; the ID token; the account. Each refusal is a page with a way back, and a line of the audit
//! trail.

use std::net::IpAddr;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::HeaderMap;
use wardgate_shared::secret::Secret;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::digest::SecretDigest;
use crate::domain::session::AuthenticationMethod;
use crate::domain::single_sign_on::{Attempt, Connection, DomainName, ProviderSignIn};
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::extract::cookies::Cookie;
use crate::extract::{ClientAddress, FormError, Parameters};
use crate::login::completion::{self, Browser, Proof};
use crate::login::destination::Destination;
use crate::state::AppState;
use crate::tokens::opaque::OpaqueSecret;
use crate::views::provider_problem;

use super::fault::SsoFault;
use super::{account, code, departure, id_token};

/// The longest code that is redeemed, in bytes.
const MAXIMUM_CODE_BYTES: usize = 4096;

/// Takes a provider's answer.
pub async fn get(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes()).map_err(FormError::from)?;
    let Some(arrival) = Arrival::find(&state, &parameters, &headers).await? else {
        let event = refusal(&state, SsoFault::Attempt, None, address, None);
        state.record_refusal(event).await.map_err(InternalError::from)?;
        return Ok(provider_problem(SsoFault::Attempt, None, &Destination::Home)?);
    };
    let carried = Parameters::parse(arrival.cookie.as_bytes()).map_err(FormError::from)?;
    let destination = Destination::read(&state, &carried).await?;
    match arrival.sign_in(&state, &parameters, address).await? {
        Ok(proof) => {
            let browser = Browser {
                headers: &headers,
                address,
            };
            completion::proceed(&state, browser, proof, &destination).await
        }
        Err((fault, user_id)) => {
            let event = refusal(&state, fault, Some(&arrival.connection.id), address, user_id);
            state.store().record(event).await.map_err(InternalError::from)?;
            let name = arrival.connection.settings.name.as_str();
            Ok(provider_problem(fault, Some(name), &destination)?)
        }
    }
}

/// The line of the audit trail for a sign-in by a provider that ended here; `connection` is its id.
pub fn refusal(
    state: &AppState,
    fault: SsoFault,
    connection: Option<&str>,
    address: Option<IpAddr>,
    user_id: Option<String>,
) -> AuditEvent {
    let event = AuditEvent::new(state.now(), AuditAction::SignIn, AuditOutcome::Failure)
        .with_method(AuthenticationMethod::SingleSignOn.as_str())
        .with_reason(fault.reason())
        .with_ip_address(address);
    let event = match connection {
        Some(id) => event.with_object(id),
        None => event,
    };
    match user_id {
        Some(user_id) => event.with_user(user_id),
        None => event,
    }
}

/// An answer to an attempt of this browser, consumed.
struct Arrival {
    /// The cookie's value.
    cookie: String,
    /// `state`.
    value: Secret<String>,
    attempt: Attempt,
    connection: Connection,
}

impl Arrival {
    async fn find(
        state: &AppState,
        parameters: &Parameters,
        headers: &HeaderMap,
    ) -> Result<Option<Self>, InternalError> {
        let cookie = Cookie::Provider.read(headers, &state.config().server.public_url);
        let value = parameters
            .single("state")
            .ok()
            .flatten()
            .filter(|value| OpaqueSecret::ProviderState.is_shape_of(value));
        let (Some(cookie), Some(value)) = (cookie, value) else {
            return Ok(None);
        };
        let (digest, browser) = (SecretDigest::of(value), SecretDigest::of(cookie));
        let consumed = state
            .store()
            .consume_sso_attempt(&digest, &browser, state.now())
            .await?;
        Ok(consumed.map(|(attempt, connection)| Self {
            cookie: cookie.into(),
            value: Secret::new(value.into()),
            attempt,
            connection,
        }))
    }

    /// Finds out who the person is.
    async fn sign_in(
        &self,
        state: &AppState,
        parameters: &Parameters,
        address: Option<IpAddr>,
    ) -> Result<Result<Proof, (SsoFault, Option<String>)>, InternalError> {
        let code = match self.code(parameters) {
            Ok(code) => code,
            Err(fault) => return Ok(Err((fault, None))),
        };
        let verifier = departure::code_verifier(state, self.value.expose());
        let id_token = match code::redeem(state, &self.connection, code, &verifier).await {
            Ok(id_token) => id_token,
            Err(fault) => return Ok(Err((fault, None))),
        };
        let domains = self.domains(state).await?;
        let identity = id_token::verify(
            state,
            &self.connection,
            &domains,
            &self.attempt,
            id_token.expose(),
        )
        .await;
        let identity = match identity {
            Ok(identity) => identity,
            Err(fault) => return Ok(Err((fault, None))),
        };
        let method = if identity.is_multi_factor {
            AuthenticationMethod::MultiFactorSingleSignOn
        } else {
            AuthenticationMethod::SingleSignOn
        };
        let now = state.now();
        let audit = AuditEvent::new(now, AuditAction::SignIn, AuditOutcome::Success)
            .with_method(method.as_str())
            .with_object(&*self.connection.id)
            .with_ip_address(address);
        let user = match account::find(state, &self.connection, &identity, audit).await? {
            Ok(user) => user,
            Err(refused) => return Ok(Err(refused)),
        };
        let sealed = state.sealer().seal(
            id_token.expose().as_bytes(),
            &ProviderSignIn::id_token_context(&user.id),
        )?;
        let sign_in = ProviderSignIn {
            browser: self.attempt.browser,
            connection_id: self.connection.id.clone(),
            user_id: user.id.clone(),
            sealed_id_token: Secret::new(sealed),
            expires_at: now.plus(state.config().sessions.absolute_seconds),
        };
        state.store().keep_provider_sign_in(sign_in).await?;
        Ok(Ok(Proof {
            user,
            methods: vec![method],
            at: identity.authenticated_at.unwrap_or(now),
            password: None,
        }))
    }

    /// The code, from whom it was asked.
    fn code<'a>(&self, parameters: &'a Parameters) -> Result<&'a str, SsoFault> {
        let single = |name| parameters.single(name).map_err(|_| SsoFault::Malformed);
        let is_from = match single("iss")? {
            Some(issuer) => issuer == self.connection.settings.issuer,
            None => !self.connection.provider.names_itself,
        };
        if !is_from {
            return Err(SsoFault::MixedUp);
        }
        match single("error")? {
            None => {}
            Some("access_denied") => return Err(SsoFault::Declined),
            Some("temporarily_unavailable" | "server_error") => return Err(SsoFault::Unavailable),
            Some(error) => {
                let error: String = error.chars().take(64).collect();
                tracing::warn!(
                    connection = self.connection.id,
                    ?error,
                    "a provider answered with an error"
                );
                return Err(SsoFault::ProviderError);
            }
        }
        single("code")?
            .filter(|code| code.len() <= MAXIMUM_CODE_BYTES)
            .ok_or(SsoFault::Malformed)
    }

    /// The domains that were verified for the connection.
    async fn domains(&self, state: &AppState) -> Result<Vec<DomainName>, InternalError> {
        let all = state.store().sso_domains(Some(&self.connection.id)).await?;
        let verified = all.into_iter().filter(|domain| domain.verified.is_some());
        Ok(verified.map(|domain| domain.domain).collect())
    }
}
