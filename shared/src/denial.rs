//! Refusing tokens by whose they are and when they were issued: all of a subject, of a client or of an API key, or all that a key
//! signed, from before an instant.
//!
//! A status list revokes tokens one by one, at places that were given to them. A denial needs no place, so it reaches tokens that nobody
//! listed, and costs 25 bytes however many there are. An issuer says its denials in the claim `deny_before` of its status list tokens
//! (the draft leaves room for claims of others); names stand in it as hashes, so that a list tells nobody who was locked out.

use alloc::string::String;
use alloc::vec::Vec;

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use crate::time::Timestamp;

/// How many denials an issuer may have at a time: 34 kB in a list.
pub const MAXIMUM_ISSUER_DENIALS: usize = 1024;

/// A denial in bytes: kind, hash, instant.
pub const DENIAL_BYTES: usize = 1 + 16 + 8;

/// Whose tokens are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DenyKind {
    /// A subject's: the claim `sub`.
    Subject,
    /// A client's: the claim `client_id`.
    Client,
    /// Those an API key was exchanged for: the claim `api_key_id`.
    ApiKey,
    /// Those that a key signed: the header's `kid`.
    SigningKey,
}

impl DenyKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Subject, Self::Client, Self::ApiKey, Self::SigningKey];

    /// The kind's number in bytes.
    pub const fn number(self) -> u8 {
        match self {
            Self::Subject => 1,
            Self::Client => 2,
            Self::ApiKey => 3,
            Self::SigningKey => 4,
        }
    }

    /// The kind of a number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Subject),
            2 => Some(Self::Client),
            3 => Some(Self::ApiKey),
            4 => Some(Self::SigningKey),
            _ => None,
        }
    }

    /// The beginning of the hash by which a name of this kind is known: of the kind's number, the issuer and the name, between which
    /// stands what can stand in neither.
    pub fn id_hash(self, issuer: &str, name: &str) -> [u8; 16] {
        let mut hash = Sha256::new();
        hash.update([self.number()]);
        hash.update(issuer);
        hash.update([0]);
        hash.update(name);
        let digest: [u8; 32] = hash.finalize().into();
        let (first, _) = digest.split_first_chunk().unwrap_or((&[0; 16], &[]));
        *first
    }
}

/// Tokens from before an instant are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenyBefore {
    /// What is meant.
    pub kind: DenyKind,
    /// The beginning of the hash of its name: [`DenyKind::id_hash`].
    pub id_hash: [u8; 16],
    /// The earliest `iat` that is accepted.
    pub not_before: Timestamp,
}

impl DenyBefore {
    /// The denial of all that `name` of `issuer` got before `not_before`.
    pub fn of(kind: DenyKind, issuer: &str, name: &str, not_before: Timestamp) -> Self {
        Self {
            kind,
            id_hash: kind.id_hash(issuer, name),
            not_before,
        }
    }

    /// In bytes.
    pub fn to_bytes(self) -> [u8; DENIAL_BYTES] {
        let mut bytes = [0; DENIAL_BYTES];
        let parts = core::iter::once(self.kind.number())
            .chain(self.id_hash)
            .chain(self.not_before.seconds().to_be_bytes());
        for (place, byte) in bytes.iter_mut().zip(parts) {
            *place = byte;
        }
        bytes
    }

    /// Read from bytes; `None` for a kind that is not known.
    pub fn from_bytes(bytes: &[u8; DENIAL_BYTES]) -> Option<Self> {
        let (&[number], rest) = bytes.split_first_chunk()?;
        let (id_hash, rest) = rest.split_first_chunk()?;
        let (seconds, _) = rest.split_first_chunk()?;
        Some(Self {
            kind: DenyKind::from_number(number)?,
            id_hash: *id_hash,
            not_before: Timestamp::from_seconds(i64::from_be_bytes(*seconds)),
        })
    }
}

/// Why a claim `deny_before` cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the claim deny_before does not hold denials")]
pub struct DenialFault;

/// The claim's value: the denials in bytes, one behind the other, in base64url.
pub fn encode(denials: &[DenyBefore]) -> String {
    let bytes: Vec<u8> = denials.iter().flat_map(|denial| denial.to_bytes()).collect();
    Base64UrlUnpadded::encode_string(&bytes)
}

/// Reads the claim's value. A kind that is not known may deny anything, so a list with one is not one that can be used.
///
/// # Errors
/// [`DenialFault`].
pub fn decode(text: &str) -> Result<Vec<DenyBefore>, DenialFault> {
    // Base64 takes four characters for three bytes.
    if text.len() > MAXIMUM_ISSUER_DENIALS * DENIAL_BYTES * 4 / 3 + 4 {
        return Err(DenialFault);
    }
    let bytes = Base64UrlUnpadded::decode_vec(text).map_err(|_| DenialFault)?;
    let (chunks, rest) = bytes.as_chunks::<DENIAL_BYTES>();
    if !rest.is_empty() {
        return Err(DenialFault);
    }
    let denials = chunks.iter().map(DenyBefore::from_bytes);
    denials.collect::<Option<_>>().ok_or(DenialFault)
}

/// The names under which a token can be denied, as hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenNames([Option<[u8; 16]>; 4]);

impl TokenNames {
    /// Those of a token of `issuer`.
    pub fn of(
        issuer: &str,
        subject: &str,
        client_id: &str,
        api_key_id: Option<&str>,
        key_id: Option<&str>,
    ) -> Self {
        let names = [Some(subject), Some(client_id), api_key_id, key_id];
        let mut hashes = [None; 4];
        for ((hash, kind), name) in hashes.iter_mut().zip(DenyKind::ALL).zip(names) {
            *hash = name.map(|name| kind.id_hash(issuer, name));
        }
        Self(hashes)
    }

    fn has(&self, denial: &DenyBefore) -> bool {
        let mut of_kinds = DenyKind::ALL.iter().zip(&self.0);
        of_kinds.any(|(kind, hash)| *kind == denial.kind && *hash == Some(denial.id_hash))
    }
}

/// Adds a denial to others: of those of one name the strictest stays, and beyond `most` the one that was added first goes.
pub fn merge(denials: &mut Vec<DenyBefore>, added: DenyBefore, most: usize) {
    let same = |one: &&mut DenyBefore| one.kind == added.kind && one.id_hash == added.id_hash;
    if let Some(known) = denials.iter_mut().find(same) {
        known.not_before = known.not_before.max(added.not_before);
        return;
    }
    if denials.len() >= most {
        denials.remove(0);
    }
    denials.push(added);
}

/// How many denials are kept that others told.
const MAXIMUM_HEARD: usize = 256;

/// For how long, in seconds: by then the lists say it, or it is over.
const HEARD_SECONDS: i64 = 3_600;

/// Denials that others told, before a list said so.
#[derive(Debug, Default)]
pub struct Heard {
    denials: Vec<DenyBefore>,
    forgotten_at: Option<Timestamp>,
}

impl Heard {
    /// Takes what was told at `now`.
    pub fn hear(&mut self, denials: &[DenyBefore], now: Timestamp) {
        for denial in denials {
            merge(&mut self.denials, *denial, MAXIMUM_HEARD);
            self.forgotten_at = Some(now.plus(HEARD_SECONDS));
        }
    }

    /// Whether a token is denied at `now`, as far as others told.
    pub fn deny(&self, names: &TokenNames, issued_at: Option<Timestamp>, now: Timestamp) -> bool {
        self.forgotten_at.is_some_and(|end| now < end) && deny(&self.denials, names, issued_at)
    }

    /// Whether nothing was told lately, or nothing at all.
    pub fn is_empty(&self) -> bool {
        self.denials.is_empty()
    }
}

/// Whether one of them denies a token. One that does not say when it was issued is from before any instant.
fn deny(denials: &[DenyBefore], names: &TokenNames, issued_at: Option<Timestamp>) -> bool {
    denials
        .iter()
        .any(|denial| names.has(denial) && issued_at.is_none_or(|issued_at| issued_at < denial.not_before))
}

/// The denials of one issuer, as of the newest list that was seen.
#[derive(Debug, Default)]
pub struct Denials {
    as_of: Option<Timestamp>,
    denials: Vec<DenyBefore>,
}

impl Denials {
    /// Takes what a list said that was signed at `issued_at`. What an older list said, one from a cache on the way perhaps, takes nothing
    /// back.
    pub fn learn(&mut self, issued_at: Timestamp, denials: Vec<DenyBefore>) {
        if self.as_of.is_none_or(|as_of| as_of <= issued_at) {
            *self = Self {
                as_of: Some(issued_at),
                denials,
            };
        }
    }

    /// Whether there are none, as on most days.
    pub fn is_empty(&self) -> bool {
        self.denials.is_empty()
    }

    /// Whether a token is denied.
    pub fn deny(&self, names: &TokenNames, issued_at: Option<Timestamp>) -> bool {
        deny(&self.denials, names, issued_at)
    }

    /// Those that mean one of these names, whenever its token was issued.
    pub fn meaning(&self, names: &TokenNames) -> Vec<DenyBefore> {
        let denials = self.denials.iter();
        denials.filter(|denial| names.has(denial)).copied().collect()
    }
}

#[cfg(test)]
mod tests;
