//! Who holds the token: RFC 9068 access tokens, verified against the keys of an issuer that the API trusts.
//!
//! Where an API trusts several issuers, the token's `iss` says whose keys are asked, before anything is known to be true:
//! it chooses among those issuers and nothing else, and is then verified like every other claim.
//! One call of [`wardgate_shared::jwt::verify`] stands between the text and its claims. A check that could not be made
//! is no verdict on the token: it ends in [`Refusal::Undecided`], which is answered 503. What was verified is kept
//! ([`crate::token_cache`]); whether it is bound to a key that was proved ([`crate::dpop`]) and whether it was revoked
//! ([`crate::status`]) is looked at each time.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::rc::Rc;

use serde_json::{Map, Value};
use wardgate_shared::claims::{AccessClaims, Binding};
use wardgate_shared::denial::TokenNames;
use wardgate_shared::jwt::{
    JwtError, MAXIMUM_JWT_BYTES, Policy, UnverifiedJwt, VerifyError, is_type, verify,
};
use wardgate_shared::secret::constant_time_eq;
use wardgate_shared::time::Timestamp;

use crate::config::{Api, Config};
use crate::error::Refusal;
use crate::explain::Trail;
use crate::gateway::Gateway;
use crate::issuers::Issuer;
use crate::jwks::{self, KeyError};
use crate::log::Incident;
use crate::outside::Outside;
use crate::status;
use crate::token_cache::Entry;

mod claims;

use claims::SignedClaims;

/// The holder of a token that was verified. Made by [`authenticate`] alone.
#[derive(Clone, Debug)]
pub struct Holder {
    claims: AccessClaims,
    values: Map<String, Value>,
    expires_at: Timestamp,
    issued_at: Option<Timestamp>,
    /// The key that signed, if the token names it.
    key_id: Option<Box<str>>,
    /// Made when an issuer denies anybody at all.
    names: OnceCell<TokenNames>,
}

impl Holder {
    /// What the token says. Towards an API that is not FHIR a text is empty that the token does not say.
    pub const fn claims(&self) -> &AccessClaims {
        &self.claims
    }

    /// All claims as they are, for the rules of an API that is not FHIR; none towards a FHIR API.
    pub const fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// The names under which it can be denied ([`wardgate_shared::denial`]).
    pub fn names(&self) -> &TokenNames {
        let claims = &self.claims;
        self.names.get_or_init(|| {
            TokenNames::of(
                &claims.issuer,
                &claims.subject,
                &claims.client_id,
                claims.api_key_id.as_deref(),
                self.key_id.as_deref(),
            )
        })
    }

    /// When the token ends.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// Why a token is refused: 401 `invalid_token`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The token breaks a rule of its kind.
    #[error(transparent)]
    Jwt(#[from] JwtError),
    /// The token is bound to a key of its holder (`cnf`, RFC 7800), and how to check that is not understood here. Taking
    /// it as a bearer token would undo the binding.
    #[error("The token is bound to a key in a way that is not accepted here")]
    Bound,
    /// The token is bound to a key, and came as a bearer token.
    #[error("The token is bound to a key: it needs Authorization: DPoP and a proof")]
    Unproved,
    /// The token is bound to another key than the one that made the proof.
    #[error("The token is bound to another key than that of the DPoP proof")]
    OtherKey,
    /// The token is bound to no key, and came with a proof or to an API that wants one.
    #[error("The token is not bound to a key, which is needed here")]
    NotBound,
    /// The API key or its secret is not of the form that it must have.
    #[error("The API key or its secret is mistyped or cut off")]
    ApiKeyMistyped,
    /// The issuer does not exchange the API key and its secret for a token.
    #[error("The API key is unknown, revoked or expired, or its secret is wrong")]
    ApiKeyRefused,
    /// Its issuer revoked it, or does not know it.
    #[error("The token was revoked")]
    Revoked,
    /// Whether it was revoked is told in a way, or at an address, that is not accepted here.
    #[error("The status of the token is told in a way that is not accepted here")]
    Status,
}

/// When to try again after a failure that has no time of its own, in seconds.
pub const RETRY_AFTER_SECONDS: i64 = 5;

/// Verifies a bearer token for `api` and gives what it says.
///
/// # Errors
/// [`Refusal::Token`] when the token is refused, [`Refusal::Undecided`] when nothing can be said about it.
pub async fn authenticate<O: Outside>(
    gateway: &Rc<Gateway<O::Key>>,
    outside: &O,
    api: &Api,
    token: &str,
    trail: &mut Trail,
) -> Result<Rc<Holder>, Refusal> {
    trail.found("kind", "bearer");
    authenticate_presented(gateway, outside, api, token, None, trail).await
}

/// Verifies an access token for `api` and gives what it says, for whoever will see to it that the key of the thumbprint
/// `proved` has signed a proof; `None` for a bearer token.
///
/// # Errors
/// As [`authenticate`].
pub async fn authenticate_presented<O: Outside>(
    gateway: &Rc<Gateway<O::Key>>,
    outside: &O,
    api: &Api,
    token: &str,
    proved: Option<&str>,
    trail: &mut Trail,
) -> Result<Rc<Holder>, Refusal> {
    trail.step("issuer");
    // Whoever asks for an explanation is shown every step.
    let known = (!trail.is_followed())
        .then(|| known(gateway, outside, api, token))
        .flatten();
    let (holder, issuer) = match known {
        Some(known) => known,
        None => verified(gateway, outside, api, token, trail).await?,
    };
    check_binding(api, &holder.claims, proved)?;
    trail.step("status");
    status::check(issuer, outside, holder.claims.status.as_ref()).await?;
    let (denials, heard) = (issuer.denials.borrow(), gateway.quotas.heard());
    if (!denials.is_empty() && denials.deny(holder.names(), holder.issued_at))
        || (!heard.is_empty() && heard.deny(holder.names(), holder.issued_at, outside.now()))
    {
        return Err(TokenError::Revoked.into());
    }
    drop((denials, heard));
    Ok(holder)
}

/// Whether the token may be presented in this way. A bound token without a proof would undo the binding, and a proof for a
/// token that asks for none proves nothing (RFC 9449 sections 7.1 and 7.2).
fn check_binding(api: &Api, claims: &AccessClaims, proved: Option<&str>) -> Result<(), TokenError> {
    match (claims.binding(), proved) {
        (Binding::Nothing, None) if !api.requires_dpop => Ok(()),
        (Binding::Nothing, _) => Err(TokenError::NotBound),
        (Binding::Key(key), Some(proved)) if constant_time_eq(key.as_bytes(), proved.as_bytes()) => Ok(()),
        (Binding::Key(_), Some(_)) => Err(TokenError::OtherKey),
        (Binding::Key(_), None) => Err(TokenError::Unproved),
        (Binding::NotUnderstood, _) => Err(TokenError::Bound),
    }
}

/// Who holds a token, and whose it is.
type Known<'a, O> = (Rc<Holder>, &'a Rc<Issuer<<O as Outside>::Key>>);

/// What is known of a token that was verified a moment ago, if it still counts.
fn known<'a, O: Outside>(
    gateway: &'a Gateway<O::Key>,
    outside: &O,
    api: &Api,
    token: &str,
) -> Option<Known<'a, O>> {
    let entry = gateway.tokens.borrow_mut().get(token, &api.name)?;
    let issuer = gateway.issuers.get(entry.issuer)?;
    let now = outside.now();
    let expires_at = entry.holder.expires_at.plus(gateway.config.clock_skew_seconds);
    // What was valid when it was verified is not yet valid at no later time; a clock that went back may say otherwise.
    let is_timely = (entry.verified_at..expires_at).contains(&now);
    let renew = issuer.keys.borrow().vouches_for(entry.key_generation, now);
    let Some(renew) = renew.filter(|_| is_timely) else {
        gateway.tokens.borrow_mut().remove(token);
        return None;
    };
    if renew {
        drop(outside.in_background(jwks::load(issuer, outside)));
    }
    Some((entry.holder, issuer))
}

/// Verifies a token, and keeps what it says.
async fn verified<'a, O: Outside>(
    gateway: &'a Rc<Gateway<O::Key>>,
    outside: &O,
    api: &Api,
    token: &str,
    trail: &mut Trail,
) -> Result<Known<'a, O>, Refusal> {
    let unverified = UnverifiedJwt::parse(token, MAXIMUM_JWT_BYTES).map_err(TokenError::Jwt)?;
    let issuer = issuer(gateway, api, &unverified)?;
    trail.found("issuer", &issuer.trusted.issuer);
    trail.step("key");
    trail.found("algorithm", unverified.algorithm().name());
    let policy = policy(&gateway.config, api, &issuer.trusted.issuer, &unverified);
    let key = jwks::obtain(issuer, outside, unverified.key_id(), unverified.algorithm()).await?;
    // Before the check: should the keys change while it runs, the entry counts for those before.
    let key_generation = issuer.keys.borrow().generation();
    trail.step("token");
    trail.found("checks", "signature, typ, iss, aud, exp, nbf, iat, cnf");
    let now = outside.now();
    let verified = verify::<SignedClaims, O::Key>(&unverified, &key, &policy, now).await;
    let verified = verified.map_err(|error| match error {
        VerifyError::Refused(error) => Refusal::Token(TokenError::Jwt(error)),
        VerifyError::Undecided(_) => {
            outside.log(&Incident::SignatureUnchecked.line(&issuer.trusted.issuer));
            Refusal::Undecided {
                retry_after_seconds: RETRY_AFTER_SECONDS,
            }
        }
    })?;
    let (expires_at, issued_at) = (verified.expires_at(), verified.issued_at());
    let signed = verified.into_claims();
    let said = if api.is_fhir() {
        signed.of_access_token().map(|claims| (claims, Map::new()))
    } else {
        signed.of_any_token()
    };
    let (claims, values) = said.ok_or(TokenError::Jwt(JwtError::Malformed))?;
    let holder = Rc::new(Holder {
        claims,
        values,
        expires_at,
        issued_at,
        key_id: unverified.key_id().map(Box::from),
        names: OnceCell::new(),
    });
    let place = gateway.issuers.iter().position(|one| Rc::ptr_eq(one, issuer));
    let entry = Entry {
        holder: Rc::clone(&holder),
        api: api.name.as_str().into(),
        issuer: place.ok_or(Refusal::Internal)?,
        key_generation,
        verified_at: now,
    };
    gateway.tokens.borrow_mut().insert(token, entry);
    Ok((holder, issuer))
}

/// Whose keys the token is verified with: the one issuer that the API trusts, or the one among several that the token
/// names. Nobody is asked for the keys of a stranger.
fn issuer<'a, K>(
    gateway: &'a Gateway<K>,
    api: &Api,
    unverified: &UnverifiedJwt<'_>,
) -> Result<&'a Rc<Issuer<K>>, Refusal> {
    if api.issuers.len() == 1 {
        return gateway.first_issuer(api);
    }
    unverified
        .issuer_hint()
        .and_then(|iss| gateway.issuer_for(api, &iss))
        .ok_or(Refusal::Token(TokenError::Jwt(JwtError::WrongIssuer)))
}

/// What an access token of this issuer must say towards this API. Of several accepted types it is the one that the token
/// claims to be, if it claims one of them.
fn policy<'a>(config: &Config, api: &'a Api, issuer: &'a str, unverified: &UnverifiedJwt<'_>) -> Policy<'a> {
    let said = unverified.token_type().unwrap_or_default();
    let accepted = api.token_types.iter().find(|accepted| is_type(said, accepted));
    let token_type = accepted.or_else(|| api.token_types.first());
    Policy {
        token_type: Some(Cow::Borrowed(token_type.map_or("", String::as_str))),
        issuer: Cow::Borrowed(issuer),
        audiences: Cow::Borrowed(&api.audiences),
        skew_seconds: config.clock_skew_seconds,
        maximum_lifetime_seconds: Some(config.maximum_token_lifetime_seconds),
    }
}

impl From<KeyError> for Refusal {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Unknown => Self::Token(TokenError::Jwt(JwtError::UnknownKey)),
            KeyError::Unavailable { retry_after_seconds } => Self::Undecided { retry_after_seconds },
            KeyError::Unusable => Self::Undecided {
                retry_after_seconds: RETRY_AFTER_SECONDS,
            },
        }
    }
}

#[cfg(test)]
mod tests;
