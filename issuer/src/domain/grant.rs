//! What a person, or an administrator in the client's case, has given a client; the root of all tokens made from it.

use wardgate_shared::claims::LaunchContext;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

use super::digest::SecretDigest;
use super::launch::LaunchParameters;
use super::person_claim::AskedClaims;
use super::proof_use::ProofUse;
use super::session::AuthenticationMethod;
use super::status_list::StatusListEntry;

/// A grant to a client in a person's name. Ending it ends every token made from it.
#[derive(Clone, Debug)]
pub struct Grant {
    /// `grant-` and 22 random characters.
    pub id: String,
    /// Who holds it.
    pub client_id: String,
    /// In whose name.
    pub user_id: String,
    /// What the client is told they are called: `sub` of every token made from it.
    pub subject: String,
    /// What was granted, in the client's spelling.
    pub scope: ScopeSet,
    /// The claims that the client asked for one by one.
    pub claims: AskedClaims,
    /// The resources the access tokens name in `aud`.
    pub audiences: Vec<String>,
    /// The patient and encounter in context.
    pub launch_context: LaunchContext,
    /// What else the launch says.
    pub launch_parameters: LaunchParameters,
    /// When the person was authenticated: `auth_time`.
    pub authenticated_at: Timestamp,
    /// How: `amr`.
    pub methods: Vec<AuthenticationMethod>,
    /// `nonce` of the authorization request.
    pub nonce: Option<String>,
    /// The session in which it was given; see [`Grant::ends_with_session`].
    pub session: Option<SecretDigest>,
    /// The id of that session, which its ID tokens are to name; see [`super::session::session_id_for`].
    pub session_id: Option<String>,
    /// When it was given.
    pub created_at: Timestamp,
    /// Since when it is over.
    pub ended_at: Option<Timestamp>,
}

impl Grant {
    /// Whether it ends when the person's session does. Only `offline_access` outlasts the session; `online_access` says
    /// the same as neither (SMART App Launch 2.2, "Scopes for requesting a refresh token").
    pub fn ends_with_session(&self) -> bool {
        !self.scope.contains("offline_access")
    }
}

/// One refresh token of a grant. The tokens of a grant form a family: each is exchanged for the next, and one of them at
/// most is neither exchanged nor replaced.
#[derive(Clone, Debug)]
pub struct RefreshToken {
    /// The digest of the token.
    pub digest: SecretDigest,
    /// The grant it belongs to.
    pub grant_id: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it dies unused.
    pub expires_at: Timestamp,
    /// When it was exchanged for its successor.
    pub rotated_at: Option<Timestamp>,
    /// When another was given in its place, before it was used.
    pub replaced_at: Option<Timestamp>,
    /// The thumbprint of the key whose DPoP proof an exchange must carry. Tokens of confidential clients have none: they are
    /// bound to their client (RFC 9449 section 5).
    pub dpop_jkt: Option<String>,
}

impl RefreshToken {
    /// Whether another token of its family counts now. Whoever presents it may be a client that asks again, or a thief;
    /// the store tells them apart.
    pub const fn is_superseded(&self) -> bool {
        self.rotated_at.is_some() || self.replaced_at.is_some()
    }
}

/// The record of an access token, so that it can be revoked by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessTokenRecord {
    /// `jti`: `at-`, the time of its making and 128 random bits.
    pub token_id: String,
    /// The client it was issued to.
    pub client_id: String,
    /// The grant it was made from; none when the client acts for itself.
    pub grant_id: Option<String>,
    /// The person in whose name it speaks; none when the client acts for itself.
    pub user_id: Option<String>,
    /// `status`: the bit that says whether it was revoked.
    pub status: StatusListEntry,
    /// `exp`; the record is dropped after it.
    pub expires_at: Timestamp,
    /// Since when it is revoked.
    pub revoked_at: Option<Timestamp>,
    /// The use of the DPoP proof that it was asked for with: used up when the record is stored, and not kept in it.
    pub proof: Option<ProofUse>,
}
