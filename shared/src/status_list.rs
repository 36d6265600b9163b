//! The statuses of many tokens in a few bits each (draft-ietf-oauth-status-list, section 4).
//!
//! A list is an array of 1, 2, 4 or 8 bits a token, lowest bits first, compressed with DEFLATE in the ZLIB format (RFC
//! 1950, RFC 1951) and written in base64url. What comes from the network may claim any size when unpacked, so whoever
//! unpacks says how large it may become.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use base64ct::{Base64UrlUnpadded, Encoding};
use miniz_oxide::{deflate, inflate};
use serde::{Deserialize, Serialize};

/// How hard to compress: zlib's usual level. A list is packed seldom and fetched often.
const COMPRESSION_LEVEL: u8 = 6;

/// What a list says of one token (section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenStatus {
    /// 0: the token holds, as far as the list goes.
    Valid,
    /// 1: it is revoked, for ever.
    Invalid,
    /// 2: it does not hold for now.
    Suspended,
    /// Some other value, which applications define. Whoever does not know it must not take the token for valid.
    Other(u8),
}

impl TokenStatus {
    /// The status of this number.
    pub const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Valid,
            1 => Self::Invalid,
            2 => Self::Suspended,
            other => Self::Other(other),
        }
    }

    /// Its number in a list.
    pub const fn number(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Invalid => 1,
            Self::Suspended => 2,
            Self::Other(number) => number,
        }
    }
}

/// How many bits a status takes: 1, 2, 4 or 8, so that none straddles two bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum StatusBits {
    /// Valid or invalid.
    One,
    /// Four statuses.
    Two,
    /// Sixteen statuses.
    Four,
    /// 256 statuses.
    Eight,
}

impl StatusBits {
    /// The number of bits.
    pub const fn count(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// The largest number that fits.
    pub const fn largest(self) -> u8 {
        u8::MAX >> (8 - self.count())
    }

    /// Which byte holds the status of this index, and how far up in it.
    fn place(self, index: u64) -> Option<(usize, u8)> {
        let per_byte = u64::from(8 / self.count());
        let byte = usize::try_from(index / per_byte).ok()?;
        let within = u8::try_from(index % per_byte).ok()?;
        Some((byte, within * self.count()))
    }
}

impl TryFrom<u8> for StatusBits {
    type Error = StatusListError;

    fn try_from(count: u8) -> Result<Self, StatusListError> {
        match count {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            4 => Ok(Self::Four),
            8 => Ok(Self::Eight),
            _ => Err(StatusListError::Bits),
        }
    }
}

impl From<StatusBits> for u8 {
    fn from(bits: StatusBits) -> Self {
        bits.count()
    }
}

/// Why a list cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatusListError {
    /// A status does not take 1, 2, 4 or 8 bits.
    #[error("a status takes 1, 2, 4 or 8 bits")]
    Bits,
    /// `lst` is not base64url without padding.
    #[error("the list is not base64url")]
    Encoding,
    /// What `lst` encodes is not a whole ZLIB stream.
    #[error("the list is not a ZLIB stream")]
    Compression,
    /// Unpacked it would be larger than the reader allows.
    #[error("the list is too large")]
    TooLarge,
}

/// A list as it stands in a status list token: the object `status_list` (section 4.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompressedStatusList {
    /// `bits`: how many a status takes.
    pub bits: StatusBits,
    /// `lst`: the statuses, compressed, in base64url.
    #[serde(rename = "lst")]
    pub list: String,
}

/// A list that can be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusList {
    bits: StatusBits,
    bytes: Vec<u8>,
}

impl StatusList {
    /// A list in which `entries` tokens, rounded up to whole bytes, are all valid.
    pub fn all_valid(bits: StatusBits, entries: u32) -> Self {
        let per_byte = 8 / u32::from(bits.count());
        let bytes = usize::try_from(entries.div_ceil(per_byte)).unwrap_or(usize::MAX);
        Self {
            bits,
            bytes: vec![0; bytes],
        }
    }

    /// How many statuses it holds.
    pub fn entries(&self) -> u64 {
        u64::try_from(self.bytes.len())
            .unwrap_or(u64::MAX)
            .saturating_mul(u64::from(8 / self.bits.count()))
    }

    /// The status of this index; `None` beyond the end, where a token must be refused (section 8.3).
    pub fn get(&self, index: u64) -> Option<TokenStatus> {
        let (byte, shift) = self.bits.place(index)?;
        let byte = self.bytes.get(byte)?;
        Some(TokenStatus::from_number((byte >> shift) & self.bits.largest()))
    }

    /// Sets the status of this index. `false`, and nothing is changed, beyond the end or when the number needs more bits.
    #[must_use]
    pub fn set(&mut self, index: u64, status: TokenStatus) -> bool {
        let (number, largest) = (status.number(), self.bits.largest());
        let Some((byte, shift)) = self.bits.place(index) else {
            return false;
        };
        let Some(byte) = self.bytes.get_mut(byte).filter(|_| number <= largest) else {
            return false;
        };
        *byte = (*byte & !(largest << shift)) | (number << shift);
        true
    }

    /// The list for a token.
    pub fn compress(&self) -> CompressedStatusList {
        let packed = deflate::compress_to_vec_zlib(&self.bytes, COMPRESSION_LEVEL);
        CompressedStatusList {
            bits: self.bits,
            list: Base64UrlUnpadded::encode_string(&packed),
        }
    }

    /// Reads the list of a token whose signature holds, or not yet: nothing is trusted. It may unpack to `maximum_bytes`
    /// bytes, and no more memory than that is taken for it.
    ///
    /// # Errors
    /// [`StatusListError`].
    pub fn decompress(
        compressed: &CompressedStatusList,
        maximum_bytes: usize,
    ) -> Result<Self, StatusListError> {
        let packed = compressed.packed(maximum_bytes)?;
        let bytes = inflate::decompress_to_vec_zlib_with_limit(&packed, maximum_bytes).map_err(|error| {
            if error.status == inflate::TINFLStatus::HasMoreOutput {
                StatusListError::TooLarge
            } else {
                StatusListError::Compression
            }
        })?;
        Ok(Self::unpacked(compressed.bits, bytes))
    }

    /// The list of these bytes, for whoever unpacks [`CompressedStatusList::packed`] by other means.
    pub const fn unpacked(bits: StatusBits, bytes: Vec<u8>) -> Self {
        Self { bits, bytes }
    }
}

impl CompressedStatusList {
    /// The ZLIB stream of a list that may unpack to `maximum_bytes` bytes.
    ///
    /// # Errors
    /// [`StatusListError::TooLarge`] for one that unpacks to more in any case, [`StatusListError::Encoding`].
    pub fn packed(&self, maximum_bytes: usize) -> Result<Vec<u8>, StatusListError> {
        // Data that does not compress grows by a few bytes in each block; base64 adds a third.
        let longest = maximum_bytes.saturating_mul(2).saturating_add(64);
        if self.list.len() > longest {
            return Err(StatusListError::TooLarge);
        }
        Base64UrlUnpadded::decode_vec(&self.list).map_err(|_| StatusListError::Encoding)
    }
}

#[cfg(test)]
mod tests;
