//! A set of public keys (RFC 7517 section 5).

use alloc::vec::Vec;

use serde_json::Value;

use crate::json;
use crate::jwt::SignatureAlgorithm;

use super::JwkError;
use super::public::PublicJwk;

/// The most keys a set may hold.
pub const MAXIMUM_KEYS: usize = 64;

/// Keys of one issuer or client. Keys that are not usable here were passed over; those that are left are distinct by
/// `kid` and algorithm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JwkSet {
    keys: Vec<PublicJwk>,
}

impl JwkSet {
    /// Reads a set from its JSON text.
    ///
    /// Keys of an unknown type or algorithm, and keys for other uses than signatures, are passed over (RFC 7517 section
    /// 5). Everything else that is wrong with a key condemns the set, because a set that is wrong in one place is no
    /// set to trust in another.
    ///
    /// # Errors
    /// [`JwkError`] except `Unsupported` and `NotForSignatures`.
    pub fn parse(text: &[u8]) -> Result<Self, JwkError> {
        let members = json::parse_object(text).map_err(|_| JwkError::Malformed)?;
        let Some(Value::Array(values)) = members.get("keys") else {
            return Err(JwkError::Malformed);
        };
        if values.len() > MAXIMUM_KEYS {
            return Err(JwkError::TooMany);
        }
        let mut keys = Vec::with_capacity(values.len());
        for value in values {
            match PublicJwk::from_value(value) {
                Ok(key) => keys.push(key),
                Err(JwkError::Unsupported | JwkError::NotForSignatures) => {}
                Err(error) => return Err(error),
            }
        }
        Self::new(keys)
    }

    /// A set of these keys.
    ///
    /// # Errors
    /// [`JwkError::TooMany`] or [`JwkError::DuplicateKeyId`].
    pub fn new(keys: Vec<PublicJwk>) -> Result<Self, JwkError> {
        if keys.len() > MAXIMUM_KEYS {
            return Err(JwkError::TooMany);
        }
        let ambiguous = keys.iter().enumerate().any(|(index, key)| {
            key.key_id().is_some()
                && keys.iter().skip(index.saturating_add(1)).any(|other| {
                    other.key_id() == key.key_id()
                        && SignatureAlgorithm::ALL
                            .iter()
                            .any(|one| key.permits(*one) && other.permits(*one))
                })
        });
        if ambiguous {
            Err(JwkError::DuplicateKeyId)
        } else {
            Ok(Self { keys })
        }
    }

    /// The keys in the set's order.
    pub fn iter(&self) -> impl Iterator<Item = &PublicJwk> {
        self.keys.iter()
    }

    /// The one key for a signature of `algorithm` whose header says `key_id`.
    ///
    /// With a `kid`: the key of that `kid`, if it permits the algorithm. Without: the only key that permits the
    /// algorithm, since choosing among several would be trying them. A key without `kid` is found only that way.
    ///
    /// A key without `alg` is found for every algorithm of its type, as the keys of clients are, which register a key
    /// and not an algorithm. Who wants an issuer's keys looks in the set that [`JwkSet::bound`] gives.
    pub fn find(&self, key_id: Option<&str>, algorithm: SignatureAlgorithm) -> Option<&PublicJwk> {
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| key.permits(algorithm) && key_id.is_none_or(|wanted| key.key_id() == Some(wanted)));
        let found = fitting.next()?;
        fitting.next().is_none().then_some(found)
    }

    /// The same set, each key [bound](PublicJwk::bound) to one algorithm.
    #[must_use]
    pub fn bound(self) -> Self {
        Self {
            keys: self.keys.into_iter().map(PublicJwk::bound).collect(),
        }
    }

    /// The keys that a signature of `algorithm` whose header says `key_id` may have been made with.
    ///
    /// With a `kid`: the one key of that `kid`, as [`find`](Self::find). Without: every key that permits the algorithm, for
    /// senders that name none of their keys; the first that verifies is the one.
    pub fn candidates(
        &self,
        key_id: Option<&str>,
        algorithm: SignatureAlgorithm,
    ) -> impl Iterator<Item = &PublicJwk> {
        // Parsing made `kid` and algorithm unique, so with a `kid` there is one at most.
        self.keys.iter().filter(move |key| {
            key.permits(algorithm) && key_id.is_none_or(|wanted| key.key_id() == Some(wanted))
        })
    }

    /// The set as a JSON document.
    pub fn to_json(&self) -> Value {
        serde_json::json!({ "keys": self.keys.iter().map(PublicJwk::to_json).collect::<Vec<_>>() })
    }
}
