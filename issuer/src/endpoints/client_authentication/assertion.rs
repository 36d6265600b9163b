//! `private_key_jwt`: the client signs an assertion with its own key (RFC 7523 section 2.2, OpenID Connect Core section 9,
//! SMART App Launch "Client Authentication: Asymmetric").
//!
//! The order: form, client, key, signature and what it covers, single use. Until the signature holds, every refusal that
//! depends on the client looks the same; after it the caller is known to hold the key, and is told what is wrong.
//!
//! Left out on purpose: keys that the assertion brings or points to. A `jku` header may only repeat the registered URL.

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

use crate::config::Config;
use crate::domain::client::{Client, ClientAuthentication, ClientKeys, Rules};
use crate::error::internal::InternalError;
use crate::keys::{NotVerified, verify_with_any};
use crate::outbound::WantedKey;
use crate::state::AppState;
use crate::store::Insertion;

/// The one `client_assertion_type` (RFC 7523 section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The furthest that `exp` may lie ahead, in seconds (SMART-32).
const LONGEST_LIFE_SECONDS: i64 = 300;
/// How far a client's clock may be off, in seconds: above the 8 and below the 60 of FAPI-33.
const SKEW_SECONDS: i64 = 30;
/// The endpoints at which clients authenticate. Their URLs are accepted as `aud` beside the issuer's own: clients name
/// the token endpoint (OIDC-02), the issuer (OIDC-91) or the endpoint they call, and an assertion works once wherever.
const ENDPOINTS: [&str; 7] = [
    "/oauth2/token",
    "/oauth/token",
    "/auth/token",
    "/oauth2/revoke",
    "/oauth2/introspect",
    "/oauth2/par",
    "/oauth2/device_authorization",
];

/// What is wrong with an assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssertionFault {
    /// `client_assertion_type` is missing or not the one that is known (SMART-66).
    Type,
    /// `client_assertion` is missing.
    Missing,
    /// No compact JWT, an algorithm that is not accepted, or claims of the wrong form.
    Malformed(JwtError),
    /// The claims have no `iss`, or cannot be read so far as to find it.
    NoIssuer,
    /// `client_id` names another client than the assertion.
    AnotherClient,
    /// There is no such client, or it authenticates in another way.
    Client,
    /// `jku` is not the client's registered URL (SMART-33).
    KeySetUrl,
    /// The client's key set cannot be had or read now.
    KeySetUnavailable,
    /// No registered key fits `kid` and `alg`.
    Key,
    /// The signature does not verify.
    Signature,
    /// The key fits, but the client is not to sign with this algorithm.
    Algorithm,
    /// `sub` is not the client.
    Subject,
    /// `aud` is not this issuer.
    Audience,
    /// `aud` is not this issuer alone, as a string, which the client must say (FAPI-34).
    AudienceNotIssuer,
    /// `exp`, `nbf` or `iat` does not fit the present.
    Times(JwtError),
    /// `exp` lies more than five minutes ahead.
    LivesTooLong,
    /// `jti` is missing or empty.
    NoId,
    /// The assertion was used before.
    Replayed,
}

impl AssertionFault {
    /// The reason for the client's developers; the same for everything that depends on an unproved client.
    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::Type => {
                "client_assertion_type must be urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            }
            Self::Missing => "client_assertion is missing",
            Self::Malformed(_) => {
                "The client assertion is not a JWT of the accepted form, signed with an accepted algorithm"
            }
            Self::NoIssuer => {
                "The client assertion has no iss, which must be the client_id, or its times are malformed"
            }
            Self::AnotherClient => "client_id is not the iss of the client assertion",
            Self::Client | Self::KeySetUrl | Self::KeySetUnavailable | Self::Key | Self::Signature => {
                "The client is unknown, or none of its registered keys verifies the client assertion"
            }
            Self::Algorithm => "The client must sign its assertions with another algorithm",
            Self::Subject => "sub of the client assertion must be the client_id, as iss is",
            Self::Audience => "aud of the client assertion must be the issuer or its token endpoint",
            Self::AudienceNotIssuer => {
                "aud of the client assertion must be the issuer of this server's metadata, as a string"
            }
            Self::Times(_) => "The client assertion has no exp, has expired, or is not valid yet",
            Self::LivesTooLong => "exp of the client assertion must be at most 5 minutes ahead",
            Self::NoId => "The client assertion has no jti",
            Self::Replayed => "The client assertion was used before: each needs a jti of its own",
        }
    }

    /// The reason for the audit trail.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Type => "unsupported_client_assertion_type",
            Self::Missing => "no_client_assertion",
            Self::Malformed(_) => "malformed_client_assertion",
            Self::NoIssuer => "client_assertion_without_issuer",
            Self::AnotherClient => "client_assertion_of_another_client",
            Self::Client => "client_authentication_failed",
            Self::KeySetUrl => "client_assertion_key_set_url",
            Self::KeySetUnavailable => "client_keys_unavailable",
            Self::Key => "client_assertion_key_unknown",
            Self::Signature => "client_assertion_signature",
            Self::Algorithm => "client_assertion_algorithm",
            Self::Subject => "client_assertion_subject",
            Self::Audience | Self::AudienceNotIssuer => "client_assertion_audience",
            Self::Times(_) => "client_assertion_times",
            Self::LivesTooLong => "client_assertion_lives_too_long",
            Self::NoId => "client_assertion_without_id",
            Self::Replayed => "client_assertion_replayed",
        }
    }

    /// The fault behind a rule of JWTs that was broken.
    const fn of(error: JwtError) -> Self {
        match error {
            JwtError::TooLong
            | JwtError::Malformed
            | JwtError::DuplicateMember
            | JwtError::UnsupportedAlgorithm
            | JwtError::CriticalHeader
            | JwtError::WrongType => Self::Malformed(error),
            JwtError::UnknownKey | JwtError::AlgorithmMismatch => Self::Key,
            JwtError::InvalidSignature => Self::Signature,
            JwtError::WrongIssuer => Self::AnotherClient,
            JwtError::WrongAudience => Self::Audience,
            JwtError::NoExpiry
            | JwtError::NoIssueTime
            | JwtError::Expired
            | JwtError::NotYetValid
            | JwtError::IssuedInFuture => Self::Times(error),
            JwtError::LivesTooLong => Self::LivesTooLong,
        }
    }
}

/// The claims that count (RFC 7523 section 3); times are read with the JWT.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "WireClaims")]
struct AssertionClaims {
    issuer: String,
    subject: Option<String>,
    audiences: Audiences,
    /// Whether `aud` is a string and no array.
    audience_is_one_string: bool,
    id: Option<String>,
}

/// The claims as they are written.
#[derive(Deserialize)]
struct WireClaims {
    #[serde(rename = "iss")]
    issuer: String,
    #[serde(rename = "sub")]
    subject: Option<String>,
    #[serde(rename = "aud")]
    audience: WireAudience,
    #[serde(rename = "jti")]
    id: Option<String>,
}

/// RFC 7519 section 4.1.3.
#[derive(Deserialize)]
#[serde(untagged)]
enum WireAudience {
    One(String),
    Many(Vec<String>),
}

impl From<WireClaims> for AssertionClaims {
    fn from(wire: WireClaims) -> Self {
        let (audience_is_one_string, audiences) = match wire.audience {
            WireAudience::One(audience) => (true, vec![audience]),
            WireAudience::Many(audiences) => (false, audiences),
        };
        Self {
            issuer: wire.issuer,
            subject: wire.subject,
            audiences: Audiences::new(audiences),
            audience_is_one_string,
            id: wire.id,
        }
    }
}

impl RegisteredClaims for AssertionClaims {
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

/// An assertion of which nothing is known to be true.
#[derive(Debug)]
pub(super) struct Assertion<'a> {
    jwt: UnverifiedJwt<'a>,
    /// `iss`: whose keys are to be asked.
    client_id: String,
}

impl<'a> Assertion<'a> {
    /// The client that the assertion says it is from, unverified.
    pub(super) fn claimed_client_id(&self) -> &str {
        &self.client_id
    }

    /// Reads the parameters of a request. `client_id` is that of the body, which may be absent (SMART-30).
    ///
    /// # Errors
    /// [`AssertionFault`].
    pub(super) fn read(
        assertion_type: Option<&str>,
        assertion: Option<&'a str>,
        client_id: Option<&str>,
    ) -> Result<Self, AssertionFault> {
        if assertion_type != Some(ASSERTION_TYPE) {
            return Err(AssertionFault::Type);
        }
        let text = assertion.ok_or(AssertionFault::Missing)?;
        let jwt = UnverifiedJwt::parse(text, MAXIMUM_JWT_BYTES).map_err(AssertionFault::of)?;
        let issuer = jwt.issuer_hint().ok_or(AssertionFault::NoIssuer)?;
        if client_id.is_some_and(|named| named != issuer) {
            return Err(AssertionFault::AnotherClient);
        }
        Ok(Self {
            jwt,
            client_id: issuer,
        })
    }
}

/// Verifies and uses up an assertion, and gives the client that signed it.
///
/// # Errors
/// Inside the `Ok`: [`AssertionFault`]. Outside: what the store could not answer.
pub(super) async fn verify(
    state: &AppState,
    assertion: &Assertion<'_>,
    now: Timestamp,
) -> Result<Result<Client, AssertionFault>, InternalError> {
    let Some(client) = state.store().client(&assertion.client_id).await? else {
        return Ok(Err(AssertionFault::Client));
    };
    let ClientAuthentication::PrivateKeyJwt { keys } = &client.authentication else {
        return Ok(Err(AssertionFault::Client));
    };
    let rules = state.rules(&client);
    let verified = match check(state, assertion, keys, &rules, now).await {
        Ok(verified) => verified,
        Err(fault) => return Ok(Err(fault)),
    };
    let Some(id) = verified.claims().id.as_deref().filter(|id| !id.is_empty()) else {
        return Ok(Err(AssertionFault::NoId));
    };
    // From this instant on it is refused for its age, so the row may go.
    let refused_from = verified.expires_at().plus(SKEW_SECONDS);
    let consumed = state
        .store()
        .consume_client_assertion(&client.client_id, id, refused_from)
        .await?;
    Ok(match consumed {
        Insertion::Inserted => Ok(client),
        Insertion::AlreadyExists => Err(AssertionFault::Replayed),
    })
}

/// Everything that can be said of an assertion but whether it was used before.
async fn check(
    state: &AppState,
    assertion: &Assertion<'_>,
    keys: &ClientKeys,
    rules: &Rules,
    now: Timestamp,
) -> Result<VerifiedJwt<AssertionClaims>, AssertionFault> {
    let key_set = key_set(state, assertion, keys, now).await?;
    let accepted = accepted_audiences(state.config(), rules);
    let policy = Policy {
        // `JWT` mostly, sometimes nothing: the parameter says what it is.
        token_type: None,
        issuer: Cow::Borrowed(&assertion.client_id),
        audiences: Cow::Borrowed(&accepted),
        skew_seconds: SKEW_SECONDS,
        // `iat` is not required (SMART-31), so the life is counted from now.
        maximum_lifetime_seconds: None,
    };
    let verified = verify_with_any::<AssertionClaims>(&assertion.jwt, &key_set, &policy, now).await;
    let verified = match verified.map_err(AssertionFault::from) {
        Err(AssertionFault::Audience) if rules.requires_issuer_as_audience => {
            return Err(AssertionFault::AudienceNotIssuer);
        }
        outcome => outcome?,
    };
    // Only now is the caller known to hold a key, so that it may be told what is wrong.
    if rules.requires_issuer_as_audience && !verified.claims().audience_is_one_string {
        return Err(AssertionFault::AudienceNotIssuer);
    }
    if !rules.accepts_assertion_by(assertion.jwt.algorithm()) {
        return Err(AssertionFault::Algorithm);
    }
    if verified.claims().subject.as_deref() != Some(&*assertion.client_id) {
        return Err(AssertionFault::Subject);
    }
    // A client whose clock is ahead sends an `exp` that is further ahead.
    if verified.expires_at().since(now) > LONGEST_LIFE_SECONDS.saturating_add(SKEW_SECONDS) {
        return Err(AssertionFault::LivesTooLong);
    }
    Ok(verified)
}

async fn key_set(
    state: &AppState,
    assertion: &Assertion<'_>,
    keys: &ClientKeys,
    now: Timestamp,
) -> Result<Arc<JwkSet>, AssertionFault> {
    let named = assertion.jwt.key_set_url();
    match keys {
        ClientKeys::Inline(keys) if named.is_none() => Ok(Arc::new(keys.clone())),
        ClientKeys::Url(url) if named.is_none_or(|named| named == url) => {
            let wanted = WantedKey {
                key_id: assertion.jwt.key_id(),
                algorithm: assertion.jwt.algorithm(),
            };
            state.key_sets().key_set(url, wanted, now).await.map_err(|error| {
                let client_id = assertion.client_id.as_str();
                tracing::warn!(client_id, %error, "the key set of a client could not be fetched");
                AssertionFault::KeySetUnavailable
            })
        }
        ClientKeys::Inline(_) | ClientKeys::Url(_) => Err(AssertionFault::KeySetUrl),
    }
}

impl From<NotVerified> for AssertionFault {
    fn from(error: NotVerified) -> Self {
        match error {
            NotVerified::NoKey => Self::Key,
            NotVerified::Signature => Self::Signature,
            NotVerified::Refused(error) => Self::of(error),
        }
    }
}

/// The audiences by which a client with these rules may call this issuer.
fn accepted_audiences(config: &Config, rules: &Rules) -> Vec<String> {
    let url = &config.server.public_url;
    let endpoints = ENDPOINTS.into_iter().map(|path| url.join(path));
    let endpoints = endpoints.filter(|_| !rules.requires_issuer_as_audience);
    std::iter::once(url.as_str().into()).chain(endpoints).collect()
}

#[cfg(test)]
mod tests;
