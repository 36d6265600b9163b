//! Proofs that were used: a memory in which each is used once, and the messages by which isolates ask the one who has it.
//!
//! A proof is remembered by the SHA-256 hash of its `jti`, in the memory of its key, for as long as it could be accepted. A
//! memory holds [`MAXIMUM_PROOFS`] at most: one that is full of proofs that could still be accepted takes none, so that
//! whoever asks has to refuse; forgetting one would let it be used again.
//!
//! Both ends of the messages are Wardgate's. The parsers are strict all the same.

use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use crate::time::Timestamp;

/// How many proofs of one key are remembered at a time.
pub const MAXIMUM_PROOFS: usize = 16_384;

/// For how many seconds a proof is remembered beyond the instant from which it is refused: so far may the clock of whoever judges
/// it be behind the memory's.
pub const GUARD_SECONDS: i64 = 60;

/// How long a question is, in bytes.
pub const QUESTION_BYTES: usize = 41;

/// The first byte of the question. Questions about rate limits begin with another one ([`crate::quota`]).
const QUESTION: u8 = 0x10;

/// One use of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofUse {
    /// The hash of its `jti`.
    pub id_hash: [u8; 32],
    /// The instant from which it is refused for its age.
    pub refused_from: Timestamp,
}

impl ProofUse {
    /// The use of a proof with this `jti`.
    pub fn new(id: &str, refused_from: Timestamp) -> Self {
        Self {
            id_hash: Sha256::digest(id.as_bytes()).into(),
            refused_from,
        }
    }

    /// The question whether this is its first use, which makes it used.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(QUESTION_BYTES);
        bytes.push(QUESTION);
        bytes.extend_from_slice(&self.id_hash);
        bytes.extend_from_slice(&self.refused_from.seconds().to_be_bytes());
        bytes
    }

    /// Reads a question; `None` for anything else.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[QUESTION])?;
        let (id_hash, rest) = rest.split_first_chunk::<32>()?;
        let seconds = i64::from_be_bytes(rest.try_into().ok()?);
        Some(Self {
            id_hash: *id_hash,
            refused_from: Timestamp::from_seconds(seconds),
        })
    }
}

/// What became of a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the first one.
    First,
    /// The proof was used before.
    Again,
    /// There is no room to remember it.
    Full,
}

impl Verdict {
    /// The answer to a question.
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Again => 2,
            Self::Full => 3,
        }
    }

    /// Reads an answer; `None` for anything else.
    pub const fn parse(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [1] => Some(Self::First),
            [2] => Some(Self::Again),
            [3] => Some(Self::Full),
            _ => None,
        }
    }
}

/// The proofs that were used, in the order of their hashes.
#[derive(Clone, Debug, Default)]
pub struct UsedProofs(Vec<ProofUse>);

impl UsedProofs {
    /// Uses a proof, unless it was used or there is no room.
    pub fn use_once(&mut self, used: ProofUse) -> Verdict {
        let place = self
            .0
            .partition_point(|other| other.id_hash.as_slice() < used.id_hash.as_slice());
        if self
            .0
            .get(place)
            .is_some_and(|other| other.id_hash == used.id_hash)
        {
            return Verdict::Again;
        }
        if self.is_full() {
            return Verdict::Full;
        }
        self.0.insert(place, used);
        Verdict::First
    }

    /// Whether there is room for no further proof.
    pub const fn is_full(&self) -> bool {
        self.0.len() >= MAXIMUM_PROOFS
    }

    /// Forgets the proofs that nobody accepts any more at `now`, and gives the hashes of their names, one behind the other.
    pub fn sweep(&mut self, now: Timestamp) -> Vec<u8> {
        let mut swept = Vec::new();
        self.0.retain(|used| {
            let is_over = now >= used.refused_from.plus(GUARD_SECONDS);
            if is_over {
                swept.extend_from_slice(&used.id_hash);
            }
            !is_over
        });
        swept
    }

    /// The earliest instant at which [`sweep`](Self::sweep) leaves nothing; `None` when there is nothing.
    pub fn empty_from(&self) -> Option<Timestamp> {
        let mut latest: Option<Timestamp> = None;
        for used in &self.0 {
            let until = used.refused_from.plus(GUARD_SECONDS);
            if latest.is_none_or(|latest| until > latest) {
                latest = Some(until);
            }
        }
        latest
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{GUARD_SECONDS, MAXIMUM_PROOFS, ProofUse, UsedProofs, Verdict};
    use crate::time::Timestamp;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    #[test]
    fn a_proof_is_used_once_until_it_could_not_be_accepted() {
        let mut used = UsedProofs::default();
        let proof = ProofUse::new("a", NOW.plus(120));
        assert_eq!(used.use_once(proof), Verdict::First);
        assert_eq!(used.use_once(ProofUse::new("b", NOW)), Verdict::First);
        assert_eq!(used.use_once(proof), Verdict::Again);
        let later = ProofUse::new("a", NOW.plus(500));
        assert_eq!(
            used.use_once(later),
            Verdict::Again,
            "a jti is no other one for its iat"
        );
        assert_eq!(used.empty_from(), Some(NOW.plus(120 + GUARD_SECONDS)));
        assert!(used.sweep(NOW.plus(GUARD_SECONDS - 1)).is_empty());
        assert_eq!(
            used.sweep(NOW.plus(GUARD_SECONDS)),
            ProofUse::new("b", NOW).id_hash
        );
        assert_eq!(used.use_once(proof), Verdict::Again);
        assert_eq!(used.sweep(NOW.plus(120 + GUARD_SECONDS)), proof.id_hash);
        assert_eq!(used.empty_from(), None);
    }

    #[test]
    fn what_is_full_forgets_nothing_that_could_be_accepted() {
        let mut used = UsedProofs::default();
        for number in 0..MAXIMUM_PROOFS {
            let proof = ProofUse::new(&std::format!("{number}"), NOW.plus(120));
            assert_eq!(used.use_once(proof), Verdict::First);
        }
        let further = ProofUse::new("further", NOW.plus(120));
        assert_eq!(used.use_once(further), Verdict::Full);
        assert_eq!(used.use_once(ProofUse::new("0", NOW.plus(120))), Verdict::Again);
        assert_eq!(
            used.sweep(NOW.plus(120 + GUARD_SECONDS)).len(),
            32 * MAXIMUM_PROOFS
        );
        assert_eq!(used.use_once(further), Verdict::First);
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for verdict in [Verdict::First, Verdict::Again, Verdict::Full] {
            assert_eq!(Verdict::parse(&[verdict.to_byte()]), Some(verdict));
        }
        for bytes in [&[][..], &[0], &[4], &[1, 1], b"nonsense"] {
            assert_eq!(Verdict::parse(bytes), None);
        }
    }

    proptest! {
        #[test]
        fn a_question_is_read_as_it_was_written(id in ".{0,40}", seconds in any::<i64>()) {
            let question = ProofUse::new(&id, Timestamp::from_seconds(seconds));
            prop_assert_eq!(ProofUse::parse(&question.to_bytes()), Some(question));
        }

        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Some(question) = ProofUse::parse(&bytes) {
                prop_assert_eq!(question.to_bytes(), bytes);
            }
        }
    }
}
