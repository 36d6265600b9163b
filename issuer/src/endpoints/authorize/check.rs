//! What an authorization request must be, in the order in which it is looked at.
//!
//! The first two steps decide where an answer may go. Until both hold, a refusal is a page and nothing is sent anywhere
//! (RFC 6749 section 4.1.2.1, OIDC-21); from then on a refusal travels to the client.

use wardgate_shared::dpop::{VerifiedProof, is_thumbprint};
use wardgate_shared::pkce::CodeChallenge;
use wardgate_shared::redirect_uri::RedirectTarget;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

use crate::domain::authentication_context::RequestedContext;
use crate::domain::authorization_request::{AuthorizationRequest, REQUEST_LIFETIME_SECONDS, ResponseMode};
use crate::domain::client::{Client, GrantType, Rules};
use crate::domain::launch::{Launch, RequestContext};
use crate::domain::person_claim::AskedClaims;
use crate::endpoints::resources::{self, UnknownResource};
use crate::error::dpop::ProofRefusal;
use crate::error::internal::InternalError;
use crate::extract::Parameters;
use crate::state::AppState;
use crate::tokens::granting;
use crate::tokens::opaque::OpaqueSecret;
use crate::tokens::{own, subjects};

use super::claims_parameter::ClaimsParameter;
use super::launched::{self, Asked, LookedUp};
use super::pending::PendingRequest;
use super::prompt::Prompt;
use super::refusal::{AuthorizationError, Refusal, UntrustedRequest};

/// The longest `state` and `nonce` that are kept, in bytes (FAPI-07 sends up to 1000).
const MAXIMUM_OPAQUE_BYTES: usize = 2048;
/// The longest `login_hint` that is shown, in bytes.
const MAXIMUM_HINT_BYTES: usize = 254;

/// A request that holds, and whether it may show a page.
#[derive(Debug)]
pub struct CheckedRequest {
    client: Client,
    target: RedirectTarget,
    response_mode: ResponseMode,
    redirect_uri_given: bool,
    scope: ScopeSet,
    state: Option<String>,
    nonce: Option<String>,
    challenge: Option<CodeChallenge>,
    dpop_jkt: Option<String>,
    audiences: Vec<String>,
    authenticated_after: Option<Timestamp>,
    consent_forced: bool,
    login_hint: Option<String>,
    claims: AskedClaims,
    hinted_user_id: Option<String>,
    requested_context: Option<RequestedContext>,
    launch: Option<Launch>,
    prompt_none: bool,
    expires_at: Timestamp,
}

/// How a request arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Through the browser.
    Browser,
    /// From the client itself (RFC 9126).
    Pushed,
}

impl CheckedRequest {
    /// Binds the code to the key of a proof that came with the request (RFC 9449 section 10.1).
    ///
    /// # Errors
    /// When `dpop_jkt` names another key.
    pub fn bind_to_key(&mut self, proof: &VerifiedProof) -> Result<(), ProofRefusal> {
        if self.dpop_jkt.as_deref().is_some_and(|named| !proof.is_by(named)) {
            return Err(ProofRefusal::AnotherKey);
        }
        self.dpop_jkt = Some(proof.thumbprint().into());
        Ok(())
    }

    /// The request under a new identifier, ready to be stored. `pushed_until` is when its `request_uri` dies, if it has one.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn into_pending(self, pushed_until: Option<Timestamp>) -> Result<PendingRequest, InternalError> {
        let id = OpaqueSecret::AuthorizationRequest.generate()?;
        let (launch, launched) = self.launch.map(|launch| (launch.digest, launch.context)).unzip();
        let request = AuthorizationRequest {
            digest: id.digest,
            client_id: self.client.client_id.clone(),
            redirect_target: self.target,
            response_mode: self.response_mode,
            redirect_uri_given: self.redirect_uri_given,
            scope: self.scope,
            state: self.state,
            nonce: self.nonce,
            challenge: self.challenge,
            dpop_jkt: self.dpop_jkt,
            audiences: self.audiences,
            authenticated_after: self.authenticated_after,
            consent_forced: self.consent_forced,
            prompt_none: self.prompt_none,
            login_hint: self.login_hint,
            claims: self.claims,
            hinted_user_id: self.hinted_user_id,
            requested_context: self.requested_context,
            pushed_until,
            launch,
            context: RequestContext {
                launched,
                chosen: None,
            },
            expires_at: pushed_until.unwrap_or(self.expires_at),
        };
        Ok(PendingRequest::new(id.value, request, self.client))
    }
}

/// Checks a request that came through the browser.
///
/// # Errors
/// Inside the `Ok`: the [`Refusal`]. Outside: what the store could not answer.
pub async fn check(
    state: &AppState,
    parameters: &Parameters,
    now: Timestamp,
) -> Result<Result<CheckedRequest, Refusal>, InternalError> {
    // 1. Who asks.
    let page = |error, client_id| Ok(Err(Refusal::Page { error, client_id }));
    let Ok(Some(client_id)) = parameters.single("client_id") else {
        return page(UntrustedRequest::NoClient, None);
    };
    let Some(client) = state.store().client(client_id).await? else {
        return page(UntrustedRequest::UnknownClient, None);
    };
    check_of(client, Arrival::Browser, state, parameters, now).await
}

/// Checks the request of a client that is known.
///
/// # Errors
/// Inside the `Ok`: the [`Refusal`]. Outside: what the store could not answer.
pub async fn check_of(
    client: Client,
    arrival: Arrival,
    state: &AppState,
    parameters: &Parameters,
    now: Timestamp,
) -> Result<Result<CheckedRequest, Refusal>, InternalError> {
    let page = |error, client: &Client| {
        let client_id = Some(client.client_id.clone());
        Ok(Err(Refusal::Page { error, client_id }))
    };
    // 2. Where the answer may go. A pushed request has to say it (FAPI-13).
    let redirect_uri = match (parameters.single("redirect_uri"), arrival) {
        (Err(_), _) | (Ok(None), Arrival::Pushed) => return page(UntrustedRequest::NoRedirectUri, &client),
        (Ok(redirect_uri), Arrival::Browser | Arrival::Pushed) => redirect_uri,
    };
    let Some(target) = client.redirect_target(redirect_uri) else {
        let error = match redirect_uri {
            Some(_) => UntrustedRequest::UnregisteredRedirectUri,
            None => UntrustedRequest::NoRedirectUri,
        };
        return page(error, &client);
    };
    let rules = state.rules(&client);
    if !rules.accepts_redirect(target.as_str()) {
        return page(UntrustedRequest::InsecureRedirectUri, &client);
    }
    // 3. By what means; a refusal takes the same one, whatever it is for (OIDC-76).
    let asked_mode = parameters.single("response_mode").ok().flatten();
    let response_mode = asked_mode
        .and_then(ResponseMode::from_name)
        .unwrap_or(ResponseMode::Query);
    // 4. Everything else.
    let trusted = TrustedRequest {
        state,
        parameters,
        client: &client,
        rules,
        arrival,
        now,
    };
    let checked = match trusted.check() {
        Ok(rest) => trusted.looked_up(&rest).await?.map(|found| (rest, found)),
        Err(error) => Err(error),
    };
    Ok(match checked {
        Ok((
            rest,
            LookedUp {
                hinted_user_id,
                launch,
            },
        )) => Ok(CheckedRequest {
            target,
            response_mode,
            redirect_uri_given: redirect_uri.is_some(),
            scope: rest.scope,
            state: rest.state,
            nonce: rest.nonce,
            challenge: rest.challenge,
            dpop_jkt: rest.dpop_jkt,
            audiences: rest.audiences,
            authenticated_after: rest.prompt.authenticated_after,
            consent_forced: rest.prompt.consent,
            prompt_none: rest.prompt.none,
            login_hint: rest.login_hint,
            claims: rest.claims.asked,
            hinted_user_id,
            requested_context: rest.requested_context,
            launch,
            expires_at: now.plus(REQUEST_LIFETIME_SECONDS),
            client,
        }),
        Err(error) => {
            let state = parameters.single("state").ok().flatten().map(String::from);
            Err(Refusal::Redirect {
                target,
                mode: response_mode,
                state,
                client_id: client.client_id,
                error,
            })
        }
    })
}

/// A request whose client and redirect URI hold.
struct TrustedRequest<'a> {
    state: &'a AppState,
    parameters: &'a Parameters,
    client: &'a Client,
    rules: Rules,
    arrival: Arrival,
    now: Timestamp,
}

/// What the rest of the request says.
struct Rest {
    scope: ScopeSet,
    state: Option<String>,
    nonce: Option<String>,
    challenge: Option<CodeChallenge>,
    dpop_jkt: Option<String>,
    audiences: Vec<String>,
    prompt: Prompt,
    claims: ClaimsParameter,
    requested_context: Option<RequestedContext>,
    login_hint: Option<String>,
}

impl<'a> TrustedRequest<'a> {
    /// The order of the checks.
    fn check(&self) -> Result<Rest, AuthorizationError> {
        self.parameters
            .refuse_repeated(&resources::REPEATABLE)
            .map_err(|_| AuthorizationError::Repeated)?;
        self.check_request_objects()?;
        self.check_arrival()?;
        self.check_grant_type()?;
        self.check_response()?;
        let scope = self.scope()?;
        let challenge = self.challenge()?;
        let dpop_jkt = self.dpop_jkt()?;
        let audiences = self.audiences()?;
        let prompt = Prompt::read(
            self.parameter("prompt"),
            self.parameter("max_age"),
            self.client.metadata.default_max_age,
            self.now,
        )?;
        let claims = self.claims(&scope)?;
        let registered = &self.client.metadata.default_acr_values;
        let requested_context = claims.context_or(self.parameter("acr_values"), registered);
        let (state, nonce) = (self.opaque("state")?, self.opaque("nonce")?);
        Ok(Rest {
            scope,
            state,
            nonce,
            challenge,
            dpop_jkt,
            audiences,
            prompt,
            claims,
            requested_context,
            login_hint: self.login_hint(),
        })
    }

    /// A parameter's value; repeated ones were refused before.
    fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters.all(name).next()
    }

    fn check_request_objects(&self) -> Result<(), AuthorizationError> {
        if self.parameter("request").is_some() {
            return Err(AuthorizationError::RequestObject);
        }
        self.parameter("request_uri")
            .map_or(Ok(()), |_| Err(AuthorizationError::RequestUri))
    }

    fn check_arrival(&self) -> Result<(), AuthorizationError> {
        match self.arrival {
            Arrival::Browser if self.rules.requires_push => Err(AuthorizationError::NotPushed),
            Arrival::Browser | Arrival::Pushed => Ok(()),
        }
    }

    fn check_grant_type(&self) -> Result<(), AuthorizationError> {
        let allowed = self.client.allows(GrantType::AuthorizationCode);
        if allowed {
            Ok(())
        } else {
            Err(AuthorizationError::GrantNotAllowed)
        }
    }

    fn check_response(&self) -> Result<(), AuthorizationError> {
        match self.parameter("response_type") {
            Some("code") => {}
            Some(_) => return Err(AuthorizationError::UnsupportedResponseType),
            None => return Err(AuthorizationError::NoResponseType),
        }
        match self.parameter("response_mode") {
            Some(name) if ResponseMode::from_name(name).is_none() => {
                Err(AuthorizationError::UnsupportedResponseMode)
            }
            Some(_) | None => Ok(()),
        }
    }

    fn scope(&self) -> Result<ScopeSet, AuthorizationError> {
        let text = self.parameter("scope").ok_or(AuthorizationError::NoScope)?;
        let requested = ScopeSet::parse(text).map_err(|_| AuthorizationError::MalformedScope)?;
        let mut grantable = granting::for_request(&requested, self.client);
        if self.parameter("launch").is_none() {
            // There is no launch whose context it could mean.
            let others = grantable.iter().filter(|token| token.as_str() != "launch");
            grantable = others.cloned().collect();
        }
        if grantable.is_empty() {
            Err(AuthorizationError::NothingToGrant)
        } else if !granting::fits_into_a_token(&grantable) {
            Err(AuthorizationError::ScopeTooLong)
        } else {
            Ok(grantable)
        }
    }

    /// A challenge that is sent is always held to. Without one, a lone `code_challenge_method` says nothing, and is
    /// ignored where the client need not use PKCE.
    fn challenge(&self) -> Result<Option<CodeChallenge>, AuthorizationError> {
        match self.parameter("code_challenge") {
            Some(challenge) => CodeChallenge::parse(challenge, self.parameter("code_challenge_method"))
                .map(Some)
                .map_err(AuthorizationError::Challenge),
            None if self.rules.requires_pkce => Err(AuthorizationError::NoChallenge),
            None => Ok(None),
        }
    }

    /// The key that the code is to be bound to (RFC 9449 section 10).
    fn dpop_jkt(&self) -> Result<Option<String>, AuthorizationError> {
        match self.parameter("dpop_jkt") {
            Some(thumbprint) if !is_thumbprint(thumbprint) => Err(AuthorizationError::Thumbprint),
            thumbprint => Ok(thumbprint.map(String::from)),
        }
    }

    fn audiences(&self) -> Result<Vec<String>, AuthorizationError> {
        resources::requested(self.state.config(), self.parameters).map_err(|error| match error {
            UnknownResource::FhirBase => AuthorizationError::UnknownFhirBase,
            UnknownResource::Target => AuthorizationError::UnknownTarget,
        })
    }

    /// `claims`, which says something in OpenID Connect requests only. `ui_locales`, `claims_locales` and `display` change
    /// nothing, since pages are in one language and fit every window. Claims of scopes that the client is not registered for are left out: what it can be
    /// granted at most holds for single claims too.
    fn claims(&self, scope: &ScopeSet) -> Result<ClaimsParameter, AuthorizationError> {
        let text = self.parameter("claims").filter(|_| scope.contains("openid"));
        let claims = text.map_or_else(|| Ok(ClaimsParameter::default()), ClaimsParameter::parse);
        let mut claims = claims.map_err(AuthorizationError::Claims)?;
        claims.asked.keep_within(&self.client.scope);
        Ok(claims)
    }

    fn opaque(&self, name: &str) -> Result<Option<String>, AuthorizationError> {
        match self.parameter(name) {
            Some(value) if value.len() > MAXIMUM_OPAQUE_BYTES || value.chars().any(char::is_control) => {
                Err(AuthorizationError::OpaqueValue)
            }
            value => Ok(value.map(String::from)),
        }
    }

    /// The launch is looked up last: it is the one thing that a guess could try.
    async fn looked_up(&self, rest: &Rest) -> Result<Result<LookedUp, AuthorizationError>, InternalError> {
        let hinted_user_id = match self.hinted_user_id(rest.claims.subject.as_deref()).await? {
            Ok(hinted_user_id) => hinted_user_id,
            Err(error) => return Ok(Err(error)),
        };
        let asked = Asked {
            launch: self.parameter("launch"),
            client_id: &self.client.client_id,
            scope: &rest.scope,
            audiences: &rest.audiences,
        };
        launched::look_up(self.state, asked, hinted_user_id, self.now).await
    }

    /// Whom the request is about: the subject of an ID token of ours for this client, expired or not (OIDC-41), or the
    /// `sub` that `claims` asks for. Nobody, when there is no such person or the two contradict each other.
    async fn hinted_user_id(
        &self,
        claimed_subject: Option<&str>,
    ) -> Result<Result<Option<String>, AuthorizationError>, InternalError> {
        let hinted = match self.parameter("id_token_hint") {
            None => None,
            Some(text) => match own::id_token(self.state, text, self.now).await? {
                Some((user_id, client)) if client.client_id == self.client.client_id => Some(user_id),
                Some(_) | None => return Ok(Err(AuthorizationError::IdTokenHint)),
            },
        };
        let Some(subject) = claimed_subject else {
            return Ok(Ok(hinted));
        };
        let claimed = subjects::account_named_by(self.state, self.client, subject).await?;
        let agree = claimed.filter(|claimed| hinted.as_ref().is_none_or(|hinted| hinted == claimed));
        Ok(Ok(Some(agree.unwrap_or_default())))
    }

    /// A hint is only ever shown, so one that cannot be is dropped.
    fn login_hint(&self) -> Option<String> {
        let hint = self.parameter("login_hint")?;
        let showable = hint.len() <= MAXIMUM_HINT_BYTES && !hint.chars().any(char::is_control);
        showable.then(|| hint.into())
    }
}
