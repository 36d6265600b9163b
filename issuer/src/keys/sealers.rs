//! Everything that seals under one master key, by what it seals.

use super::master::MasterKey;
use super::sealer::Sealer;

/// Which of the keys that are derived from a master key seals something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedKind {
    /// The one for signing keys.
    SigningKey,
    /// The one for everything else.
    Secret,
}

/// What seals under one master key.
#[derive(Clone, Debug)]
pub struct Sealers {
    signing_keys: Sealer,
    secrets: Sealer,
}

impl Sealers {
    /// Those of this key.
    pub fn of(master_key: &MasterKey) -> Self {
        Self {
            signing_keys: master_key.signing_keys(),
            secrets: master_key.sealer(),
        }
    }

    /// The one for this kind of secret.
    pub const fn for_kind(&self, kind: SealedKind) -> &Sealer {
        match kind {
            SealedKind::SigningKey => &self.signing_keys,
            SealedKind::Secret => &self.secrets,
        }
    }
}
