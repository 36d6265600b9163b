//! The issuer's signing keys: loaded from the store, unsealed, published, chosen and used.
//!
//! A key's life is told by [`StoredSigningKey`](crate::domain::signing_key::StoredSigningKey): published from its
//! making, signing from `signs_from`, still published until the last token it signed has expired. The keys of a fresh
//! database sign at once, since no cache can have missed them; later ones wait for the configured lead. Keys of
//! [`ID_TOKEN_ALGORITHMS`] always exist beside that of the configured algorithm: ID tokens are signed as their client
//! registered it, RS256 where it registered nothing (SMART-51, OIDC-63).
//!
//! Trusted on entry: the master key. Left out on purpose: hardware keys, and keys brought from elsewhere.

mod foreign;
mod master;
mod native;
mod ring;
mod rotation;
mod sealer;
mod sealers;

pub use foreign::{NotVerified, verify_with_any};
pub use master::{MasterKey, MasterKeyError};
pub use native::{CryptoFailure, NativeSigningKey, NativeVerifyingKey};
pub use ring::{ID_TOKEN_ALGORITHMS, KeyError, KeyRing, signing_algorithms};
pub use sealer::{SealBroken, Sealer};
pub use sealers::{SealedKind, Sealers};
