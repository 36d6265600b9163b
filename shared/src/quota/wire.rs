//! What holders and coordinators send one another: numbers of fixed lengths, highest byte first, behind a version byte.
//!
//! Both ends are Wardgate's, and whoever can write these messages can already admit requests. The parsers are strict all
//! the same: a message that is not exactly one, or says what cannot be, is no message.

use alloc::vec::Vec;

use super::policy::{Policy, PolicyError};
use crate::denial::{DENIAL_BYTES, DenyBefore};
use crate::time::Timestamp;

/// How many grants a question may settle.
pub const MAXIMUM_SETTLED: usize = 16;

/// How many refusals of older tokens a reply may carry.
pub const MAXIMUM_DENIALS: usize = 32;

/// How many refusals of older tokens a question may carry.
pub const MAXIMUM_KNOWN: usize = 8;

/// The first byte of every message.
const VERSION: u8 = 2;

/// Who asks: 16 unpredictable bytes that an isolate draws once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HolderId(pub [u8; 16]);

/// A holder's question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRequest {
    /// The policy that is asked about.
    pub policy: Policy,
    /// Who asks.
    pub holder: HolderId,
    /// The question's number, used once by its holder.
    pub sequence: u32,
    /// Whether a request waits to be admitted.
    pub need: bool,
    /// How many more units the holder would like to be leased.
    pub wish: u32,
    /// What it will never spend of earlier grants, [`MAXIMUM_SETTLED`] at most.
    pub settled: Vec<Settled>,
    /// What the asker knows to be refused of those who are counted, [`MAXIMUM_KNOWN`] at most.
    pub known: Vec<DenyBefore>,
}

/// What a holder will never spend of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The number of the question that was answered with the grant.
    pub sequence: u32,
    /// Units, or [`Settled::ALL`].
    pub left: u32,
}

impl Settled {
    /// The whole grant, however large: its reply was not taken and will not be.
    pub const ALL: u32 = u32::MAX;
}

/// A coordinator's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseReply {
    /// The question's number.
    pub sequence: u32,
    /// Whether the request that waits is admitted.
    pub admitted: bool,
    /// Units leased for later requests.
    pub units: u32,
    /// Units that the coordinator has left.
    pub pool: u32,
    /// When the window ends, by the coordinator's clock.
    pub window_end: Timestamp,
    /// How long the units may be spent, counted from before the question was sent.
    pub lease_milliseconds: u32,
    /// How long the window lasts yet: no less than the lease.
    pub reset_milliseconds: u32,
    /// Older tokens that are refused, as any who asked knew, [`MAXIMUM_DENIALS`] at most.
    pub deny_before: Vec<DenyBefore>,
}

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The first byte names no version that is known.
    #[error("unknown version")]
    Version,
    /// The message ends too early or too late.
    #[error("wrong length")]
    Length,
    /// A truth value is neither 0 nor 1.
    #[error("neither true nor false")]
    Flag,
    /// There is no such policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A list is longer than it may be.
    #[error("too many entries")]
    TooMany,
    /// There is no such kind of denial.
    #[error("unknown kind")]
    Kind,
    /// The lease outlasts its window.
    #[error("the lease outlasts the window")]
    Lease,
}

impl LeaseRequest {
    /// The bytes to send. Entries beyond [`MAXIMUM_SETTLED`] and [`MAXIMUM_KNOWN`] are left out.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        bytes.push(VERSION);
        put(&mut bytes, self.policy.limit());
        put(&mut bytes, self.policy.window_seconds());
        put(&mut bytes, self.policy.lease_seconds());
        bytes.extend_from_slice(&self.holder.0);
        put(&mut bytes, self.sequence);
        bytes.push(u8::from(self.need));
        put(&mut bytes, self.wish);
        put_count(&mut bytes, self.settled.len().min(MAXIMUM_SETTLED));
        for settled in self.settled.iter().take(MAXIMUM_SETTLED) {
            put(&mut bytes, settled.sequence);
            put(&mut bytes, settled.left);
        }
        put_denials(&mut bytes, &self.known, MAXIMUM_KNOWN);
        bytes
    }

    /// Reads a question.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes)?;
        let policy = Policy::new(reader.number()?, reader.number()?)?.with_leases_of(reader.number()?)?;
        let holder = HolderId(*reader.bytes()?);
        let (sequence, need, wish) = (reader.number()?, reader.flag()?, reader.number()?);
        let settled = reader.list(MAXIMUM_SETTLED, |reader| {
            Ok(Settled {
                sequence: reader.number()?,
                left: reader.number()?,
            })
        })?;
        let known = reader.denials(MAXIMUM_KNOWN)?;
        reader.end()?;
        Ok(Self {
            policy,
            holder,
            sequence,
            need,
            wish,
            settled,
            known,
        })
    }
}

impl LeaseReply {
    /// The bytes to send. Entries beyond [`MAXIMUM_DENIALS`] are left out.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        bytes.push(VERSION);
        put(&mut bytes, self.sequence);
        bytes.push(u8::from(self.admitted));
        put(&mut bytes, self.units);
        put(&mut bytes, self.pool);
        bytes.extend_from_slice(&self.window_end.seconds().to_be_bytes());
        put(&mut bytes, self.lease_milliseconds);
        put(&mut bytes, self.reset_milliseconds);
        put_denials(&mut bytes, &self.deny_before, MAXIMUM_DENIALS);
        bytes
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes)?;
        let (sequence, admitted, units, pool) = (
            reader.number()?,
            reader.flag()?,
            reader.number()?,
            reader.number()?,
        );
        let window_end = reader.timestamp()?;
        let (lease_milliseconds, reset_milliseconds) = (reader.number()?, reader.number()?);
        if lease_milliseconds > reset_milliseconds {
            return Err(WireError::Lease);
        }
        let deny_before = reader.denials(MAXIMUM_DENIALS)?;
        reader.end()?;
        Ok(Self {
            sequence,
            admitted,
            units,
            pool,
            window_end,
            lease_milliseconds,
            reset_milliseconds,
            deny_before,
        })
    }
}

fn put(bytes: &mut Vec<u8>, number: u32) {
    bytes.extend_from_slice(&number.to_be_bytes());
}

/// The length of a list, which is far below 256.
fn put_count(bytes: &mut Vec<u8>, count: usize) {
    bytes.push(u8::try_from(count).unwrap_or(u8::MAX));
}

fn put_denials(bytes: &mut Vec<u8>, denials: &[DenyBefore], most: usize) {
    put_count(bytes, denials.len().min(most));
    for denial in denials.iter().take(most) {
        bytes.extend_from_slice(&denial.to_bytes());
    }
}

/// What has not been read yet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Self(bytes);
        match reader.bytes()? {
            [VERSION] => Ok(reader),
            [_] => Err(WireError::Version),
        }
    }

    fn bytes<const N: usize>(&mut self) -> Result<&'a [u8; N], WireError> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(WireError::Length)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn number(&mut self) -> Result<u32, WireError> {
        self.bytes().map(|bytes| u32::from_be_bytes(*bytes))
    }

    fn timestamp(&mut self) -> Result<Timestamp, WireError> {
        self.bytes()
            .map(|bytes| Timestamp::from_seconds(i64::from_be_bytes(*bytes)))
    }

    fn flag(&mut self) -> Result<bool, WireError> {
        match self.bytes()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [_] => Err(WireError::Flag),
        }
    }

    fn list<T>(
        &mut self,
        longest: usize,
        read: impl Fn(&mut Self) -> Result<T, WireError>,
    ) -> Result<Vec<T>, WireError> {
        let [count] = *self.bytes()?;
        if usize::from(count) > longest {
            return Err(WireError::TooMany);
        }
        (0..count).map(|_| read(self)).collect()
    }

    fn denials(&mut self, most: usize) -> Result<Vec<DenyBefore>, WireError> {
        self.list(most, |reader| {
            DenyBefore::from_bytes(reader.bytes::<DENIAL_BYTES>()?).ok_or(WireError::Kind)
        })
    }

    fn end(self) -> Result<(), WireError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(WireError::Length)
        }
    }
}
