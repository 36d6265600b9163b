//! Tokens that say something: access tokens (RFC 9068) and ID tokens (OpenID Connect Core section 2).

use serde::Serialize;
use serde_json::{Map, Value};
use wardgate_shared::claims::{
    ACCESS_TOKEN_TYPE, AccessClaims, ID_TOKEN_TYPE, IdClaims, LaunchContext, Status, StatusListReference,
    access_token_hash, bound_to,
};
use wardgate_shared::dpop::VerifiedProof;
use wardgate_shared::jwt::{Audiences, SignatureAlgorithm};
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use crate::config::{Config, Resource};
use crate::domain::authentication_context::AuthenticationContext;
use crate::domain::grant::{AccessTokenRecord, Grant};
use crate::domain::person_claim::{PersonClaim, told};
use crate::domain::proof_use::ProofUse;
use crate::domain::session::{authentication_method_references, session_id_for};
use crate::domain::user::User;
use crate::error::InternalError;
use crate::rng;
use crate::state::AppState;

use super::{confirmation, status_lists};

/// The `client_id` of the issuer's own tokens. No client can be registered under it.
pub const OWN_CLIENT_ID: &str = "wardgate-issuer";

/// In whose name an access token speaks.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// A person's, by their grant.
    Person {
        /// The grant.
        grant: &'a Grant,
        /// The person.
        user: &'a User,
    },
    /// The client's own.
    Client,
    /// An API key's own; `client_id` is its id.
    ApiKey {
        /// When the token ends at the latest: with the key, or with the secret that it was exchanged for.
        ends_at: Option<Timestamp>,
    },
}

/// What an access token is to say.
#[derive(Clone, Copy, Debug)]
pub struct AccessTokenFacts<'a> {
    /// In whose name.
    pub subject: Subject<'a>,
    /// `client_id`.
    pub client_id: &'a str,
    /// What it permits.
    pub scope: &'a ScopeSet,
    /// The resources it is for.
    pub audiences: &'a [String],
    /// What it is signed with.
    pub algorithm: SignatureAlgorithm,
    /// The proof of the request: the token is bound to its key, and storing the token uses it up.
    pub proof: Option<&'a VerifiedProof>,
}

/// An access token, signed, with the record that lets it be revoked.
#[derive(Debug)]
pub struct SignedAccessToken {
    /// The token in compact form.
    pub value: Secret<String>,
    /// `token_type`.
    pub token_type: &'static str,
    /// What the store keeps of it.
    pub record: AccessTokenRecord,
    /// How long it lives, in seconds.
    pub lifetime_seconds: i64,
}

/// Signs an access token that lives from `now` as long as the configuration says. Nothing is stored.
///
/// # Errors
/// When there is no key that may sign, or no randomness.
pub fn access_token(
    state: &AppState,
    facts: AccessTokenFacts<'_>,
    now: Timestamp,
) -> Result<SignedAccessToken, InternalError> {
    let config = state.config();
    let token_id = rng::dated_identifier("at-", now)?;
    let mut claims = claims_of(state, &facts, token_id.clone());
    let (lifetime_seconds, grant_id, user_id) = match facts.subject {
        Subject::Client => (config.tokens.client_credentials_seconds, None, None),
        Subject::ApiKey { ends_at } => {
            claims.api_key_id = Some(facts.client_id.into());
            let longest = config.api_keys.token_seconds;
            let left = ends_at.map_or(longest, |end| end.since(now));
            (left.min(longest), None, None)
        }
        Subject::Person { grant, user } => {
            claims.subject.clone_from(&grant.subject);
            claims.practitioner_id.clone_from(&user.practitioner_id);
            claims.organization_id.clone_from(&user.organization_id);
            claims.launch_context.clone_from(&grant.launch_context);
            if facts.scope.contains("fhirUser") {
                claims.fhir_user = fhir_user_reference(config, user, facts.audiences);
            }
            claims.authentication_context = context_name(grant);
            claims.authentication_methods = method_names(grant);
            claims.authenticated_at = Some(grant.authenticated_at);
            let (grant_id, user_id) = (Some(grant.id.clone()), Some(user.id.clone()));
            (config.tokens.access_token_seconds, grant_id, user_id)
        }
    };
    let expires_at = now.plus(lifetime_seconds);
    let status = state.status_places().next(expires_at, now)?;
    let reference = StatusListReference {
        index: status.index.into(),
        uri: status_lists::uri(&config.server.public_url, &status.list.id),
    };
    claims.status = Some(Status {
        status_list: Some(reference),
    });
    let token_type = confirmation::token_type(&claims);
    let value = sign(state, facts.algorithm, claims, now, expires_at)?;
    let client_id = facts.client_id.into();
    let record = AccessTokenRecord {
        token_id,
        client_id,
        grant_id,
        user_id,
        status,
        expires_at,
        revoked_at: None,
        proof: facts.proof.map(ProofUse::of),
    };
    Ok(SignedAccessToken {
        value,
        token_type,
        record,
        lifetime_seconds,
    })
}

/// Signs an access token for the issuer's own requests, which lives as long as those of services. It names no place in a
/// status list: nobody else ever holds it, nothing is stored of it, and a list is published with the first token that is.
///
/// # Errors
/// When there is no key that may sign, or no randomness.
pub fn own_access_token(
    state: &AppState,
    scope: &ScopeSet,
    audience: &str,
    now: Timestamp,
) -> Result<Secret<String>, InternalError> {
    let config = state.config();
    let facts = AccessTokenFacts {
        subject: Subject::Client,
        client_id: OWN_CLIENT_ID,
        scope,
        audiences: &[audience.to_owned()],
        algorithm: config
            .security
            .profile
            .access_token_algorithm(config.keys.algorithm),
        proof: None,
    };
    let claims = claims_of(state, &facts, rng::dated_identifier("at-", now)?);
    let expires_at = now.plus(config.tokens.client_credentials_seconds);
    sign(state, facts.algorithm, claims, now, expires_at)
}

/// What a token of these facts says of the client, the scope and the resources: the client speaks for itself.
fn claims_of(state: &AppState, facts: &AccessTokenFacts<'_>, token_id: String) -> AccessClaims {
    AccessClaims {
        issuer: state.config().server.public_url.as_str().into(),
        subject: facts.client_id.into(),
        audiences: Audiences::new(facts.audiences.to_vec()),
        token_id,
        client_id: facts.client_id.into(),
        scope: facts.scope.to_string(),
        practitioner_id: None,
        organization_id: None,
        launch_context: LaunchContext::default(),
        fhir_user: None,
        actor: None,
        confirmation: facts.proof.map(|proof| bound_to(proof.thumbprint())),
        authentication_context: None,
        authentication_methods: Vec::new(),
        authenticated_at: None,
        status: None,
        api_key_id: None,
    }
}

/// Signs the claims of an access token. Where `algorithm` is the configured one, RS256 stands in until its first key may
/// sign.
///
/// # Errors
/// When there is no key that may sign.
pub(super) fn sign(
    state: &AppState,
    algorithm: SignatureAlgorithm,
    claims: AccessClaims,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<Secret<String>, InternalError> {
    let keys = state.keys();
    let value = if algorithm == state.config().keys.algorithm {
        keys.sign(ACCESS_TOKEN_TYPE, claims, now, expires_at, now)
    } else {
        keys.sign_with(algorithm, ACCESS_TOKEN_TYPE, claims, now, expires_at, now)
    };
    Ok(Secret::new(value?))
}

/// Signs an ID token for the holder of `grant` with `algorithm`, whatever access tokens are signed with.
///
/// # Errors
/// When there is no key of that algorithm that may sign.
pub fn id_token(
    state: &AppState,
    algorithm: SignatureAlgorithm,
    grant: &Grant,
    user: &User,
    access_token: &Secret<String>,
    now: Timestamp,
) -> Result<Secret<String>, InternalError> {
    let config = state.config();
    let fhir_user = fhir_user_reference(config, user, &grant.audiences);
    let is_asked = |claim| grant.claims.id_token.contains(&claim);
    let asked = told(user, None, is_asked);
    let claims = IdClaims {
        issuer: config.server.public_url.as_str().into(),
        subject: grant.subject.clone(),
        audiences: Audiences::new(vec![grant.client_id.clone()]),
        nonce: grant.nonce.clone(),
        authenticated_at: Some(grant.authenticated_at),
        authentication_context: context_name(grant),
        authentication_methods: method_names(grant),
        session_id: session_id(state, grant),
        access_token_hash: Some(access_token_hash(algorithm, access_token.expose())),
        fhir_user: fhir_user.filter(|_| grant.scope.contains("fhirUser") || is_asked(PersonClaim::FhirUser)),
        asked,
    };
    let expires_at = now.plus(config.tokens.id_token_seconds);
    let signed = state
        .keys()
        .sign_with(algorithm, ID_TOKEN_TYPE, claims, now, expires_at, now)?;
    Ok(Secret::new(signed))
}

/// `sid` of the grant's ID tokens: the same in each, however often it is refreshed.
fn session_id(state: &AppState, grant: &Grant) -> Option<String> {
    let id = grant.session_id.as_deref()?;
    Some(session_id_for(state.session_name_key(), &grant.client_id, id))
}

fn method_names(grant: &Grant) -> Vec<String> {
    authentication_method_references(&grant.methods)
        .into_iter()
        .map(String::from)
        .collect()
}

/// `acr`: what really happened, whatever was asked for.
fn context_name(grant: &Grant) -> Option<String> {
    AuthenticationContext::reached_by(&grant.methods).map(|context| context.as_str().into())
}

/// `typ` of a signed userinfo answer: apart from ID tokens, so that none is taken for one (RFC 8725 section 3.11).
const USER_INFO_TYPE: &str = "userinfo+jwt";

/// What a signed userinfo answer says (OpenID Connect Core section 5.3.2).
#[derive(Serialize)]
struct UserInfoClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    #[serde(flatten)]
    members: Map<String, Value>,
}

/// Signs the userinfo answer for a client that registered `algorithm`; it is good as long as an ID token.
///
/// # Errors
/// When there is no key of this algorithm that may sign.
pub fn user_info(
    state: &AppState,
    algorithm: SignatureAlgorithm,
    client_id: &str,
    members: Map<String, Value>,
    now: Timestamp,
) -> Result<Secret<String>, InternalError> {
    let config = state.config();
    let claims = UserInfoClaims {
        iss: config.server.public_url.as_str(),
        aud: client_id,
        members,
    };
    let expires_at = now.plus(config.tokens.id_token_seconds);
    let signed = state
        .keys()
        .sign_with(algorithm, USER_INFO_TYPE, claims, now, expires_at, now)?;
    Ok(Secret::new(signed))
}

/// `fhirUser`: absolute when one of the audiences goes by the URL of a FHIR base (SMART-53), else
/// relative to whatever base the resource server knows.
pub fn fhir_user_reference(config: &Config, user: &User, audiences: &[String]) -> Option<String> {
    let reference = user.fhir_user.as_deref()?;
    if reference.contains("://") {
        return Some(reference.into());
    }
    let base = audiences
        .iter()
        .filter_map(|audience| config.resource(audience))
        .filter(|resource| resource.fhir)
        .find_map(Resource::url);
    Some(match base {
        Some(base) => format!("{}/{reference}", base.trim_end_matches('/')),
        None => reference.into(),
    })
}
