//! Access tokens made from other access tokens (RFC 8693).

use wardgate_shared::claims::{AccessClaims, Actor, Status, StatusListReference, bound_to};
use wardgate_shared::dpop::VerifiedProof;
use wardgate_shared::jwt::{Audiences, SignatureAlgorithm, VerifiedJwt};
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

use crate::domain::grant::AccessTokenRecord;
use crate::domain::proof_use::ProofUse;
use crate::error::InternalError;
use crate::rng;
use crate::state::AppState;

use super::signed::{self, SignedAccessToken};
use super::{confirmation, status_lists};

/// The most actors that a token names: a chain of calls, not a cycle.
pub const MOST_ACTORS: usize = 4;

/// `act` of a token that the client `client_id` gets for one that says `claims`: the client, and who acted before it. A client
/// that narrows what it got by an exchange itself is not named twice.
pub fn actor(claims: &AccessClaims, client_id: &str) -> Actor {
    match &claims.actor {
        Some(latest) if latest.subject.as_deref() == Some(client_id) => latest.clone(),
        earlier => Actor {
            subject: Some(client_id.into()),
            earlier: earlier.clone().map(Box::new),
        },
    }
}

/// In what a token differs from the one that it is made of.
#[derive(Debug)]
pub struct ExchangeFacts<'a> {
    /// `sub`: the person as the client knows them ([`super::subjects`]).
    pub subject: String,
    /// Their account.
    pub user_id: String,
    /// Who acts by it.
    pub actor: Actor,
    /// What it permits.
    pub scope: &'a ScopeSet,
    /// The resources it is for.
    pub audiences: &'a [String],
    /// What it is signed with.
    pub algorithm: SignatureAlgorithm,
    /// The proof of the request: the token is bound to its key, and storing the token uses it up.
    pub proof: Option<&'a VerifiedProof>,
}

/// Signs a token that says what `subject` says, but for these facts. It lives as long as the configuration says, and no
/// longer than `subject`. Nothing is stored; the record names no grant yet, which
/// [`crate::store::Store::exchange_access_token`] adds.
///
/// # Errors
/// When there is no key that may sign, or no randomness.
pub fn access_token(
    state: &AppState,
    subject: &VerifiedJwt<AccessClaims>,
    facts: ExchangeFacts<'_>,
    now: Timestamp,
) -> Result<SignedAccessToken, InternalError> {
    let ExchangeFacts {
        subject: name,
        user_id,
        actor,
        scope,
        audiences,
        algorithm,
        proof,
    } = facts;
    let old = subject.claims();
    let token_id = rng::dated_identifier("at-", now)?;
    let client_id = actor.subject.clone().unwrap_or_default();
    let fhir_user = old.fhir_user.clone().filter(|_| scope.contains("fhirUser"));
    let longest = state.config().tokens.access_token_seconds;
    let lifetime_seconds = subject.expires_at().since(now).min(longest);
    let expires_at = now.plus(lifetime_seconds);
    let status = state.status_places().next(expires_at, now)?;
    let reference = StatusListReference {
        index: status.index.into(),
        uri: status_lists::uri(&state.config().server.public_url, &status.list.id),
    };
    let claims = AccessClaims {
        issuer: old.issuer.clone(),
        subject: name,
        audiences: Audiences::new(audiences.to_vec()),
        token_id: token_id.clone(),
        client_id: client_id.clone(),
        scope: scope.to_string(),
        practitioner_id: old.practitioner_id.clone(),
        organization_id: old.organization_id.clone(),
        launch_context: old.launch_context.clone(),
        fhir_user,
        confirmation: proof.map(|proof| bound_to(proof.thumbprint())),
        actor: Some(actor),
        authentication_context: old.authentication_context.clone(),
        authentication_methods: old.authentication_methods.clone(),
        authenticated_at: old.authenticated_at,
        // A place of its own: it can be revoked by itself.
        status: Some(Status {
            status_list: Some(reference),
        }),
        api_key_id: None,
    };
    let token_type = confirmation::token_type(&claims);
    let value = signed::sign(state, algorithm, claims, now, expires_at)?;
    Ok(SignedAccessToken {
        value,
        token_type,
        record: AccessTokenRecord {
            token_id,
            client_id,
            grant_id: None,
            user_id: Some(user_id),
            status,
            expires_at,
            revoked_at: None,
            proof: proof.map(ProofUse::of),
        },
        lifetime_seconds,
    })
}
