//! JSON Web Keys (RFC 7517, RFC 8037): public ones only, strong ones only.
//!
//! Parsing decides what a key may be used for, so that a key that exists is a key that may be trusted with the
//! algorithms it [`permits`](PublicJwk::permits). Left out on purpose: private and symmetric keys (a set that holds one
//! is refused whole: whoever published it has lost that key), `x5c` and `x5u`.

mod public;
mod set;
mod thumbprint;

pub use public::{KeyMaterial, PublicJwk};
pub use set::{JwkSet, MAXIMUM_KEYS};

/// Why a key, or a set of keys, is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum JwkError {
    /// Not a JSON object of the form that RFC 7517 gives, or a repeated member name.
    #[error("not a JSON Web Key")]
    Malformed,
    /// The key's type, curve or algorithm is not one this code uses. A set passes over such keys.
    #[error("the key's type is not supported")]
    Unsupported,
    /// The key is meant for something else than signatures (`use`, `key_ops`). A set passes over such keys.
    #[error("the key is not meant for signatures")]
    NotForSignatures,
    /// The key carries private or symmetric members.
    #[error("the key is not public")]
    NotPublic,
    /// An RSA modulus below 2048 bits or above 8192, or an exponent that is even or below 65537.
    #[error("the key is too weak")]
    Weak,
    /// A coordinate or an Ed25519 key of the wrong length for its curve.
    #[error("the key's values do not fit its curve")]
    WrongLength,
    /// Two keys of a set share `kid` and algorithm family, so that `kid` does not say which is meant.
    #[error("two keys have the same kid")]
    DuplicateKeyId,
    /// A set of more than [`MAXIMUM_KEYS`] keys.
    #[error("too many keys")]
    TooMany,
}

#[cfg(test)]
mod tests;
