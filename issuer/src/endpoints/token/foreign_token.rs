//! Tokens that others signed: ID tokens to be exchanged (RFC 8693, OpenID Connect Core section 3.1.3.7) and assertions as
//! authorization grants (RFC 7523 sections 2.1 and 3).
//!
//! The order: form, issuer, key, signature and what it covers, then the person. Only configured issuers are ever asked for
//! keys, at URLs that the configuration or their own discovery document names; keys that a token brings are not looked at.
//!
//! Decided here, where the specifications leave a choice: an ID token may come more than once, since the answer to it may
//! get lost, but only for a few minutes after it was issued; an assertion comes once.

pub(super) mod account;
mod fault;

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};
use wardgate_shared::jwk::JwkSet;
use wardgate_shared::jwt::{
    Audiences, JwtError, MAXIMUM_JWT_BYTES, Policy, RegisteredClaims, UnverifiedJwt, VerifiedJwt,
    deserialized,
};
use wardgate_shared::time::Timestamp;

use crate::config::{Config, TrustedIssuer};
use crate::keys::{NotVerified, verify_with_any};
use crate::outbound::{DiscoveryError, KeySetError, WantedKey};
use crate::state::AppState;

pub(super) use fault::ForeignTokenFault;

/// How far another issuer's clock may be off, in seconds.
pub(super) const SKEW_SECONDS: i64 = 30;
/// The furthest that `exp` of an assertion may lie ahead, in seconds.
const LONGEST_ASSERTION_SECONDS: i64 = 300;
/// Our URLs that an assertion may name in `aud`, beside the issuer's own (RFC 7523 section 3).
const TOKEN_ENDPOINTS: [&str; 3] = ["/oauth2/token", "/oauth/token", "/auth/token"];

/// What a token is presented as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A subject token: the ID token of a person who signed in there.
    IdToken,
    /// An assertion about a person.
    Assertion,
}

impl Purpose {
    const fn is_open_to(self, issuer: &TrustedIssuer) -> bool {
        match self {
            Self::IdToken => issuer.id_tokens,
            Self::Assertion => issuer.assertions,
        }
    }
}

/// The claims that count; times are read with the JWT.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ForeignClaims {
    #[serde(rename = "iss")]
    issuer: String,
    #[serde(rename = "sub")]
    subject: Option<String>,
    #[serde(rename = "aud")]
    audiences: Audiences,
    #[serde(rename = "azp")]
    authorized_party: Option<String>,
    #[serde(rename = "jti")]
    id: Option<String>,
    email: Option<String>,
    /// A boolean (OpenID Connect Core section 5.1); some providers write it as a text.
    email_verified: Option<Value>,
    auth_time: Option<Value>,
}

impl RegisteredClaims for ForeignClaims {
    fn of_members(members: Map<String, Value>) -> Option<Self> {
        deserialized(members)
    }

    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn audiences(&self) -> &Audiences {
        &self.audiences
    }
}

/// A token that a trusted issuer signed for us, about somebody.
#[derive(Debug)]
pub(super) struct ForeignToken<'a> {
    /// Who signed it.
    pub(super) issuer: &'a TrustedIssuer,
    token: VerifiedJwt<ForeignClaims>,
}

impl ForeignToken<'_> {
    const fn claims(&self) -> &ForeignClaims {
        self.token.claims()
    }

    /// `jti`; never empty in an assertion.
    pub(super) fn id(&self) -> Option<&str> {
        self.claims().id.as_deref().filter(|id| !id.is_empty())
    }

    /// From when on it is refused for its age.
    pub(super) const fn refused_from(&self) -> Timestamp {
        self.token.expires_at().plus(SKEW_SECONDS)
    }

    /// When the person was authenticated there: `auth_time`, else when the token was issued, and never after `now`.
    pub(super) fn authenticated_at(&self, now: Timestamp) -> Timestamp {
        let said = self.claims().auth_time.as_ref().and_then(Value::as_i64);
        let at = said.map(Timestamp::from_seconds).or(self.token.issued_at());
        at.map_or(now, |at| at.min(now))
    }
}

/// Verifies a token, all but the person.
///
/// # Errors
/// [`ForeignTokenFault`].
pub(super) async fn verify<'a>(
    state: &'a AppState,
    text: &str,
    purpose: Purpose,
    now: Timestamp,
) -> Result<ForeignToken<'a>, ForeignTokenFault> {
    let unverified = UnverifiedJwt::parse(text, MAXIMUM_JWT_BYTES).map_err(ForeignTokenFault::of)?;
    // Mostly `JWT`, sometimes nothing. Anything else is another kind of token, perhaps signed with the same key.
    let is_plain = unverified
        .token_type()
        .is_none_or(|name| name.eq_ignore_ascii_case("JWT"));
    if !is_plain {
        return Err(ForeignTokenFault::Type);
    }
    let issuer = unverified
        .issuer_hint()
        .ok_or(ForeignTokenFault::Malformed(JwtError::Malformed))?;
    let issuer = state
        .config()
        .trusted_issuer(&issuer)
        .filter(|issuer| purpose.is_open_to(issuer))
        .ok_or(ForeignTokenFault::Issuer)?;
    let keys = key_set(state, issuer, &unverified, now).await?;
    let audiences = match purpose {
        Purpose::IdToken => Cow::Borrowed(issuer.audiences.as_slice()),
        Purpose::Assertion => Cow::Owned(own_names(state.config())),
    };
    let policy = Policy {
        token_type: None,
        issuer: Cow::Borrowed(&issuer.issuer),
        audiences,
        skew_seconds: SKEW_SECONDS,
        maximum_lifetime_seconds: None,
    };
    let token = verify_with_any(&unverified, &keys, &policy, now).await?;
    let token = ForeignToken { issuer, token };
    match purpose {
        Purpose::IdToken => check_id_token(&token, now)?,
        Purpose::Assertion => check_assertion(&token, now)?,
    }
    Ok(token)
}

fn check_id_token(token: &ForeignToken<'_>, now: Timestamp) -> Result<(), ForeignTokenFault> {
    let is_own = |name: &str| token.issuer.audiences.iter().any(|own| own == name);
    let for_us_alone = || token.claims().audiences.iter().all(is_own);
    // Whom else it is for holds it too, and could bring it here: it has to say that it was made for us.
    if !token
        .claims()
        .authorized_party
        .as_deref()
        .map_or_else(for_us_alone, is_own)
    {
        return Err(ForeignTokenFault::AuthorizedParty);
    }
    let issued_at = token.token.issued_at();
    let issued_at = issued_at.ok_or(ForeignTokenFault::Times(JwtError::NoIssueTime))?;
    if now.since(issued_at) > token.issuer.longest_age_seconds.saturating_add(SKEW_SECONDS) {
        return Err(ForeignTokenFault::TooOld);
    }
    Ok(())
}

fn check_assertion(token: &ForeignToken<'_>, now: Timestamp) -> Result<(), ForeignTokenFault> {
    // An issuer whose clock is ahead sends an `exp` that is further ahead.
    let longest = LONGEST_ASSERTION_SECONDS.saturating_add(SKEW_SECONDS);
    if token.token.expires_at().since(now) > longest {
        return Err(ForeignTokenFault::LivesTooLong);
    }
    if token.claims().subject.as_deref().is_none_or(str::is_empty) {
        return Err(ForeignTokenFault::NoSubject);
    }
    if token.id().is_none() {
        return Err(ForeignTokenFault::NoId);
    }
    Ok(())
}

async fn key_set(
    state: &AppState,
    issuer: &TrustedIssuer,
    jwt: &UnverifiedJwt<'_>,
    now: Timestamp,
) -> Result<JwkSet, ForeignTokenFault> {
    let name = issuer.issuer.as_str();
    let url: Arc<str> = match &issuer.jwks_uri {
        Some(url) => url.as_str().into(),
        None => match state.providers().key_set_url(name, now).await {
            Ok(url) => url,
            Err(DiscoveryError::Pausing) => return Err(ForeignTokenFault::Pausing),
            Err(error) => {
                tracing::warn!(issuer = name, %error, "a trusted issuer could not be discovered");
                return Err(ForeignTokenFault::Discovery);
            }
        },
    };
    let wanted = WantedKey {
        key_id: jwt.key_id(),
        algorithm: jwt.algorithm(),
    };
    match state.key_sets().key_set(&url, wanted, now).await {
        // A provider that says no algorithm with a key means the usual one of its type.
        Ok(keys) => Ok(keys.as_ref().clone().bound()),
        Err(KeySetError::Pausing) => Err(ForeignTokenFault::Pausing),
        Err(error) => {
            tracing::warn!(issuer = name, %error, "the key set of a trusted issuer could not be fetched");
            Err(ForeignTokenFault::KeySet)
        }
    }
}

impl From<NotVerified> for ForeignTokenFault {
    fn from(error: NotVerified) -> Self {
        match error {
            NotVerified::NoKey => Self::Key,
            NotVerified::Signature => Self::Signature,
            NotVerified::Refused(error) => Self::of(error),
        }
    }
}

/// What others may call this issuer in `aud` of an assertion.
fn own_names(config: &Config) -> Vec<String> {
    let url = &config.server.public_url;
    let endpoints = TOKEN_ENDPOINTS.into_iter().map(|path| url.join(path));
    std::iter::once(url.as_str().into()).chain(endpoints).collect()
}
