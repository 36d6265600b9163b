//! `grant_type=urn:ietf:params:oauth:grant-type:token-exchange`: one token becomes another (RFC 8693).
//!
//! What can be exchanged: an ID token of a trusted issuer (`id_token`, or `jwt`), and an access token of this issuer in a
//! person's name, which becomes a narrower one. What comes of it is an access token, always.
//!
//! Left out on purpose: `actor_token`. The actor is the client that authenticates.

mod own_token;

use axum::response::Response;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::secret::Secret;

use crate::config::AccountMatch;
use crate::domain::client::GrantType;
use crate::extract::Parameters;

use super::Exchange;
use super::direct_grant::DirectGrant;
use super::error::TokenError;
use super::foreign_token::{self, Purpose, account};

const METHOD: &str = GrantType::TokenExchange.as_str();
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// A token to be exchanged (RFC 8693 section 2.1).
pub(super) struct ExchangeRequest {
    subject_token: Secret<String>,
    kind: SubjectTokenKind,
}

#[derive(Clone, Copy)]
enum SubjectTokenKind {
    /// Signed by a trusted issuer.
    Foreign,
    /// Signed here.
    Own,
}

/// Why a token cannot be exchanged. All are `invalid_request` (RFC 8693 section 2.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExchangeRefusal {
    /// `actor_token` or `actor_token_type` came.
    ActorToken,
    /// `subject_token_type` is none that can be exchanged.
    SubjectTokenType,
    /// `requested_token_type` is none that can be had.
    RequestedTokenType,
    /// The access token was not issued here, has expired, or is revoked, or its person may not sign in.
    SubjectToken,
    /// The access token is a client's own.
    ClientsOwn,
    /// The access token is bound to a key.
    Bound,
    /// The access token was issued to another client, and this one cannot prove who it is.
    AnotherClient,
    /// Too many have acted already.
    TooManyActors,
}

impl ExchangeRefusal {
    /// The reason for the client's developers.
    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::ActorToken => "actor_token is not supported: the actor is the client that authenticates",
            Self::SubjectTokenType => {
                "subject_token_type must be access_token, id_token or jwt, each after \
                 urn:ietf:params:oauth:token-type:"
            }
            Self::RequestedTokenType => {
                "requested_token_type must be urn:ietf:params:oauth:token-type:access_token"
            }
            Self::SubjectToken => {
                "subject_token is not an access token of this server, has expired, or is revoked"
            }
            Self::ClientsOwn => {
                "subject_token speaks for no person: ask for a narrower token by client_credentials"
            }
            Self::Bound => "subject_token is bound to a key and cannot be exchanged",
            Self::AnotherClient => {
                "subject_token was issued to another client: only a client that authenticates can exchange it"
            }
            Self::TooManyActors => "subject_token was exchanged too often",
        }
    }

    /// The reason for the audit trail.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::ActorToken => "actor_token",
            Self::SubjectTokenType => "unsupported_subject_token_type",
            Self::RequestedTokenType => "unsupported_requested_token_type",
            Self::SubjectToken => "invalid_subject_token",
            Self::ClientsOwn => "subject_token_of_no_person",
            Self::Bound => "subject_token_bound",
            Self::AnotherClient => "subject_token_of_another_client",
            Self::TooManyActors => "too_many_actors",
        }
    }
}

impl ExchangeRequest {
    pub(super) fn read(parameters: &Parameters) -> Result<Self, TokenError> {
        let parameter = |name| parameters.all(name).next();
        let text = parameter("subject_token").ok_or(TokenError::Missing("subject_token is missing"))?;
        let kind = parameter("subject_token_type");
        let kind = kind.ok_or(TokenError::Missing("subject_token_type is missing"))?;
        if parameter("actor_token").is_some() || parameter("actor_token_type").is_some() {
            return Err(TokenError::Exchange(ExchangeRefusal::ActorToken));
        }
        if parameter("requested_token_type").is_some_and(|requested| requested != ACCESS_TOKEN) {
            return Err(TokenError::Exchange(ExchangeRefusal::RequestedTokenType));
        }
        let kind = match kind {
            ID_TOKEN | JWT => SubjectTokenKind::Foreign,
            ACCESS_TOKEN => SubjectTokenKind::Own,
            _ => return Err(TokenError::Exchange(ExchangeRefusal::SubjectTokenType)),
        };
        Ok(Self {
            subject_token: Secret::new(text.into()),
            kind,
        })
    }
}

/// Exchanges a token.
pub(super) async fn exchange(
    exchange: &Exchange<'_>,
    request: ExchangeRequest,
    scope: Option<ScopeSet>,
) -> Result<Response, TokenError> {
    match request.kind {
        SubjectTokenKind::Foreign => id_token(exchange, &request.subject_token, scope).await,
        SubjectTokenKind::Own => own_token::exchange(exchange, &request.subject_token, scope).await,
    }
}

/// Exchanges a trusted issuer's ID token. The person is found by their verified address, whatever assertions of the same
/// issuer are matched by.
async fn id_token(
    exchange: &Exchange<'_>,
    text: &Secret<String>,
    scope: Option<ScopeSet>,
) -> Result<Response, TokenError> {
    let (state, now) = (exchange.state, exchange.now);
    let token = foreign_token::verify(state, text.expose(), Purpose::IdToken, now)
        .await
        .map_err(TokenError::Foreign)?;
    let user = account::find(state, &token, AccountMatch::Email)
        .await?
        .map_err(TokenError::Foreign)?;
    let grant = DirectGrant {
        user,
        authenticated_at: token.authenticated_at(now),
        scope,
        assertion: None,
        method: METHOD,
        issued_token_type: Some(ACCESS_TOKEN),
    };
    grant.issue(exchange).await
}
