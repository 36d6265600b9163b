//! From a provider's ID token to a person there (OpenID Connect Core section 3.1.3.7).
//!
//! Everything about the token that does not depend on our accounts is decided here, the address that counts included; see
//! [`Preset`] for what differs between providers.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value};
use wardgate_shared::jwt::{Audiences, Policy, RegisteredClaims, UnverifiedJwt, deserialized};
use wardgate_shared::secret::constant_time_eq;
use wardgate_shared::time::Timestamp;

use crate::domain::single_sign_on::{Attempt, Connection, DomainName, Preset, domain_of, entra_tenant};
use crate::domain::user::normalize_email;
use crate::keys::verify_with_any;
use crate::outbound::WantedKey;
use crate::state::AppState;

use super::fault::SsoFault;

/// How far a provider's clock may be off, in seconds.
const SKEW_SECONDS: i64 = 30;
/// How long ago an ID token may have been issued, in seconds: it was fetched just now.
const LONGEST_AGE_SECONDS: i64 = 300;
/// The longest ID token, in bytes: some name hundreds of groups.
const MAXIMUM_ID_TOKEN_BYTES: usize = 32 * 1024;

/// The claims; times are read with the JWT.
#[derive(Clone, Debug, Deserialize)]
struct IdTokenClaims {
    #[serde(rename = "iss")]
    issuer: String,
    #[serde(rename = "sub")]
    subject: Option<String>,
    #[serde(rename = "aud")]
    audiences: Audiences,
    #[serde(rename = "azp")]
    authorized_party: Option<String>,
    nonce: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl RegisteredClaims for IdTokenClaims {
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

/// A person at a provider.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// `sub`, 1 to 255 bytes.
    pub(super) subject: String,
    /// The address that counts as theirs, as addresses are compared.
    pub(super) email: String,
    /// `auth_time`, where it is said; never after now.
    pub(super) authenticated_at: Option<Timestamp>,
    /// Whether the provider said that it asked for more than one factor.
    pub(super) is_multi_factor: bool,
    /// Every other claim.
    pub(super) claims: Map<String, Value>,
}

/// Verifies the ID token that came for `attempt`. `domains` are the verified ones of the connection.
///
/// # Errors
/// [`SsoFault`].
pub(super) async fn verify(
    state: &AppState,
    connection: &Connection,
    domains: &[DomainName],
    attempt: &Attempt,
    text: &str,
) -> Result<Identity, SsoFault> {
    let (settings, now) = (&connection.settings, state.now());
    let unverified = UnverifiedJwt::parse(text, MAXIMUM_ID_TOKEN_BYTES)?;
    // Mostly `JWT`, sometimes nothing. Anything else is another kind of token, perhaps signed with the same key.
    if !unverified
        .token_type()
        .is_none_or(|name| name.eq_ignore_ascii_case("JWT"))
    {
        return Err(SsoFault::TokenType);
    }
    let wanted = WantedKey {
        key_id: unverified.key_id(),
        algorithm: unverified.algorithm(),
    };
    let keys = state
        .key_sets()
        .key_set(&connection.provider.jwks_uri, wanted, now)
        .await;
    let keys = keys.map_err(|error| {
        tracing::warn!(connection = connection.id, %error, "the key set of a provider could not be fetched");
        SsoFault::Unavailable
    })?;
    let audiences = [settings.client_id.clone()];
    let policy = Policy {
        token_type: None,
        issuer: Cow::Borrowed(settings.issuer.as_str()),
        audiences: Cow::Borrowed(audiences.as_slice()),
        skew_seconds: SKEW_SECONDS,
        maximum_lifetime_seconds: None,
    };
    // A provider that says no algorithm with a key means the usual one of its type.
    let keys = keys.as_ref().clone().bound();
    let verified = verify_with_any::<IdTokenClaims>(&unverified, &keys, &policy, now).await?;
    let issued_at = verified.issued_at().ok_or(SsoFault::Times)?;
    if now.since(issued_at) > LONGEST_AGE_SECONDS.saturating_add(SKEW_SECONDS) {
        return Err(SsoFault::Times);
    }
    let claims = verified.into_claims();
    check_parties(&claims, &settings.client_id)?;
    let nonce = claims.nonce.as_deref().unwrap_or_default();
    if !constant_time_eq(nonce.as_bytes(), attempt.nonce.as_bytes()) {
        return Err(SsoFault::Nonce);
    }
    let subject = claims
        .subject
        .filter(|subject| (1..=255).contains(&subject.len()))
        .ok_or(SsoFault::Subject)?;
    let email = email(connection, domains, &claims.others)?;
    let authenticated_at = authentication_time(&claims.others, attempt.fresh_after, now)?;
    let is_multi_factor = strength(connection, &claims.others)?;
    Ok(Identity {
        subject,
        email,
        authenticated_at,
        is_multi_factor,
        claims: claims.others,
    })
}

/// Whom else the token is for holds it too, and could bring it here: it has to say that it was made for us.
fn check_parties(claims: &IdTokenClaims, client_id: &str) -> Result<(), SsoFault> {
    let for_us_alone = || claims.audiences.iter().all(|audience| audience == client_id);
    let is_ours = claims
        .authorized_party
        .as_deref()
        .map_or_else(for_us_alone, |party| party == client_id);
    if is_ours { Ok(()) } else { Err(SsoFault::Audience) }
}

/// The address that counts, which is of one of `domains`.
fn email(
    connection: &Connection,
    domains: &[DomainName],
    claims: &Map<String, Value>,
) -> Result<String, SsoFault> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let written = match connection.settings.preset {
        Preset::EntraId => {
            let tenant = entra_tenant(&connection.settings.issuer);
            if tenant.is_none() || text("tid") != tenant {
                return Err(SsoFault::Tenant);
            }
            // A guest's address is another organization's, whatever it looks like.
            let is_guest = claims.get("acct").is_some_and(|acct| is_number(acct, 1))
                || text("preferred_username").is_some_and(|name| name.contains("#EXT#"));
            if is_guest {
                return Err(SsoFault::Guest);
            }
            text("email").or_else(|| text("preferred_username"))
        }
        Preset::Google => {
            let hosted = text("hd").and_then(DomainName::parse);
            if !hosted.is_some_and(|hosted| domains.contains(&hosted)) {
                return Err(SsoFault::HostedDomain);
            }
            text("email")
        }
        Preset::Generic | Preset::Cognito => text("email"),
    };
    let written = written
        .filter(|text| text.len() <= 254)
        .ok_or(SsoFault::NoEmail)?;
    // Other letters have no lower case that every program agrees on, and a domain with a dot at its end is another address.
    let written = written.trim();
    if !written.is_ascii() || written.ends_with('.') {
        return Err(SsoFault::NoEmail);
    }
    let domain = domain_of(written).ok_or(SsoFault::NoEmail)?;
    let is_verified = match connection.settings.preset {
        // That the domain is the connection's own is asked below, and the tenant was asked above.
        Preset::EntraId => true,
        Preset::Generic | Preset::Google | Preset::Cognito => {
            claims.get("email_verified").is_some_and(is_true)
        }
    };
    if !is_verified {
        return Err(SsoFault::EmailNotVerified);
    }
    if !domains.contains(&domain) {
        return Err(SsoFault::ForeignDomain);
    }
    Ok(normalize_email(written))
}

/// A truth value (OpenID Connect Core section 5.1); some providers write it as a text.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => *truth,
        Value::String(text) => text == "true",
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

fn is_number(value: &Value, number: i64) -> bool {
    value.as_i64() == Some(number) || value.as_str() == Some(number.to_string().as_str())
}

/// `auth_time`, which has to be said and be late enough where that was asked (section 3.1.2.1, `max_age`).
fn authentication_time(
    claims: &Map<String, Value>,
    fresh_after: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Timestamp>, SsoFault> {
    let said = claims
        .get("auth_time")
        .and_then(Value::as_i64)
        .map(Timestamp::from_seconds);
    if let Some(after) = fresh_after
        && said.is_none_or(|said| said.plus(SKEW_SECONDS) < after)
    {
        return Err(SsoFault::NotFresh);
    }
    Ok(said.map(|said| said.min(now)))
}

/// Whether it was by more than one factor, for a token that shows what the connection requires.
fn strength(connection: &Connection, claims: &Map<String, Value>) -> Result<bool, SsoFault> {
    let amr: Vec<String> = match claims.get("amr") {
        Some(Value::Array(values)) => values
            .iter()
            .filter_map(Value::as_str)
            .map(String::from)
            .collect(),
        Some(Value::String(value)) => vec![value.clone()],
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
    };
    let acr = claims.get("acr").and_then(Value::as_str);
    let settings = &connection.settings;
    if !settings.is_satisfied_by(&amr, acr) {
        return Err(SsoFault::NotStrong);
    }
    Ok(amr.iter().any(|value| value == "mfa") || acr.is_some_and(|acr| settings.is_required_acr(acr)))
}
