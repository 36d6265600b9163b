//! API keys: credentials of integrations that act for themselves, as a client with `client_credentials` does.
//!
//! What a key and its secret look like is said in [`wardgate_shared::api_key`]. The secret is stored as a digest; after a
//! rotation the one of before is taken until a given instant, so that an integration can change over.

use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

use super::digest::SecretDigest;

/// An API key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// `apikey-` and 30 random characters: what administrators and the audit trail name it by. Keys sort by their age.
    pub id: String,
    /// `X-API-Key`. No secret.
    pub key: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scope: ScopeSet,
    /// The digest of its secret.
    pub secret: SecretDigest,
    /// The secret before the last rotation.
    pub previous: Option<PreviousSecret>,
    /// Who made it: the `sub` of a person or the id of a client; none for the operator of the machine.
    pub created_by: Option<String>,
    /// When.
    pub created_at: Timestamp,
    /// From when on it is of no use.
    pub expires_at: Option<Timestamp>,
    /// When it was last exchanged for a token, roughly.
    pub last_used_at: Option<Timestamp>,
    /// Since when it is revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A secret that was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreviousSecret {
    /// Its digest.
    pub digest: SecretDigest,
    /// Until when it is taken.
    pub until: Timestamp,
}

/// What may become of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeyState {
    /// It works.
    Active,
    /// Its time is over.
    Expired,
    /// Somebody ended it.
    Revoked,
}

/// Why a secret does not prove a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeyRefusal {
    /// It is none of this key's.
    WrongSecret,
    /// It was replaced, and its overlap is over.
    Replaced,
    /// The key is expired.
    Expired,
    /// The key is revoked.
    Revoked,
}

impl ApiKeyState {
    /// The word for it in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl ApiKey {
    /// What has become of it at `now`.
    pub fn state(&self, now: Timestamp) -> ApiKeyState {
        if self.revoked_at.is_some() {
            ApiKeyState::Revoked
        } else if self.expires_at.is_some_and(|end| end <= now) {
            ApiKeyState::Expired
        } else {
            ApiKeyState::Active
        }
    }

    /// Whether the secret of this digest proves the key at `now`; compared in constant time.
    pub fn accepts(&self, presented: &SecretDigest, now: Timestamp) -> bool {
        self.prove(presented, now).is_ok()
    }

    /// Until when the secret of this digest proves the key, if it does at `now`; `None` inside when neither the key nor the
    /// secret has an end. Compared in constant time.
    ///
    /// # Errors
    /// [`ApiKeyRefusal`]. Whoever has no secret of the key learns nothing of what became of it.
    pub fn prove(
        &self,
        presented: &SecretDigest,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, ApiKeyRefusal> {
        let is_present = self.secret == *presented;
        let replaced = self
            .previous
            .filter(|previous| previous.digest == *presented && !is_present);
        if !is_present && replaced.is_none() {
            return Err(ApiKeyRefusal::WrongSecret);
        }
        match self.state(now) {
            ApiKeyState::Revoked => return Err(ApiKeyRefusal::Revoked),
            ApiKeyState::Expired => return Err(ApiKeyRefusal::Expired),
            ApiKeyState::Active => {}
        }
        let secret_ends = replaced.map(|previous| previous.until);
        if secret_ends.is_some_and(|end| end <= now) {
            return Err(ApiKeyRefusal::Replaced);
        }
        Ok([self.expires_at, secret_ends].into_iter().flatten().min())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::START;

    fn key() -> ApiKey {
        ApiKey {
            id: "apikey-1".into(),
            key: "zs_api_live_x".into(),
            name: "EHR Integration".into(),
            scope: ScopeSet::parse("system/*.rs").unwrap(),
            secret: SecretDigest::of("new"),
            previous: Some(PreviousSecret {
                digest: SecretDigest::of("old"),
                until: START.plus(60),
            }),
            created_by: None,
            created_at: START,
            expires_at: Some(START.plus(100)),
            last_used_at: None,
            revoked_at: None,
        }
    }

    #[test]
    fn the_secret_of_before_is_taken_until_its_time() {
        let (new, old) = (SecretDigest::of("new"), SecretDigest::of("old"));
        assert!(key().accepts(&new, START.plus(59)) && key().accepts(&old, START.plus(59)));
        assert!(key().accepts(&new, START.plus(60)) && !key().accepts(&old, START.plus(60)));
        assert!(!key().accepts(&SecretDigest::of("other"), START));
    }

    #[test]
    fn a_proof_ends_with_the_key_and_with_its_secret() {
        let (new, old) = (SecretDigest::of("new"), SecretDigest::of("old"));
        assert_eq!(key().prove(&new, START), Ok(Some(START.plus(100))));
        assert_eq!(key().prove(&old, START), Ok(Some(START.plus(60))));
        assert_eq!(key().prove(&old, START.plus(60)), Err(ApiKeyRefusal::Replaced));
        assert_eq!(key().prove(&new, START.plus(100)), Err(ApiKeyRefusal::Expired));
        let revoked = ApiKey {
            revoked_at: Some(START),
            ..key()
        };
        assert_eq!(revoked.prove(&new, START), Err(ApiKeyRefusal::Revoked));
        let other = SecretDigest::of("other");
        assert_eq!(revoked.prove(&other, START), Err(ApiKeyRefusal::WrongSecret));
    }

    #[test]
    fn an_expired_or_revoked_key_takes_no_secret() {
        let new = SecretDigest::of("new");
        assert!(!key().accepts(&new, START.plus(100)));
        assert_eq!(key().state(START.plus(100)), ApiKeyState::Expired);
        let revoked = ApiKey {
            revoked_at: Some(START),
            ..key()
        };
        assert!(!revoked.accepts(&new, START));
        assert_eq!(revoked.state(START.plus(100)), ApiKeyState::Revoked);
        let lasting = ApiKey {
            expires_at: None,
            ..key()
        };
        assert!(lasting.accepts(&new, START.plus(1_000_000_000)));
    }
}
