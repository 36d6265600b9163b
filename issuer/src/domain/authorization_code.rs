//! Authorization codes (RFC 6749 section 4.1.2): single use, a minute long, bound to all that was agreed.

use wardgate_shared::pkce::CodeChallenge;
use wardgate_shared::time::Timestamp;

use super::digest::SecretDigest;
use super::grant::Grant;

/// How long a code may be redeemed, in seconds (FAPI-35, SMART-22).
pub const CODE_LIFETIME_SECONDS: i64 = 60;

/// A code and the grant it stands for. The grant is stored with the code and comes to life when the code is redeemed.
#[derive(Clone, Debug)]
pub struct AuthorizationCode {
    /// The digest of the code.
    pub digest: SecretDigest,
    /// What the code is worth, and to which client.
    pub grant: Grant,
    /// The `redirect_uri` that the token request must repeat.
    pub redirect_uri: String,
    /// Whether it may be left out there, because the authorization request left it out.
    pub redirect_uri_given: bool,
    /// The challenge whose verifier the token request must show.
    pub challenge: Option<CodeChallenge>,
    /// The thumbprint of the key whose DPoP proof the token request must carry (RFC 9449 section 10).
    pub dpop_jkt: Option<String>,
    /// When it dies.
    pub expires_at: Timestamp,
}

/// What became of an attempt to redeem a code. Decided in the same transaction that marks the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeRedemption {
    /// This attempt, and no other, redeemed the code.
    Redeemed,
    /// The code was redeemed or spent before; everything issued from it is revoked now (RFC 6749 section 4.1.2).
    Replayed,
    /// There is no such code, or it has expired.
    Dead,
}
