//! Each proof once (RFC 9449 section 11.1): the memory of an isolate, and behind it the coordinator of the proof's key.
//!
//! The coordinator is a Durable Object, which runs once and decides one question after the other, so that of any number of requests with
//! one proof a single one passes, whichever isolates they reach. Its name is made of the thumbprint: no two holders wait for
//! one another, and nobody can fill another one's memory. An isolate asks it about each proof, but for those that it has seen
//! itself.
//!
//! While the coordinator does not answer, the configuration decides: nothing passes, or each isolate goes by what it has seen
//! itself, so that a proof could pass once in each of them while it is young.

use std::cell::{Cell, RefCell};

use wardgate_shared::dpop::VerifiedProof;
use wardgate_shared::dpop::used::{ProofUse, UsedProofs, Verdict};
use wardgate_shared::quota::Breaker;

use super::ProofFault;
use crate::config::dpop::OnFailure;
use crate::gateway::Gateway;
use crate::outside::Outside;

/// How long a request waits for the coordinator, in milliseconds.
const TIMEOUT_MILLISECONDS: u32 = 500;

/// When to try again while the coordinator does not answer, in seconds.
pub const RETRY_AFTER: &str = "1";

/// What an isolate remembers of proofs. Borrowed for moments only, never across an `await`.
#[derive(Debug, Default)]
pub struct Proofs {
    seen: RefCell<UsedProofs>,
    breaker: Cell<Breaker>,
}

/// Uses a proof.
///
/// # Errors
/// [`ProofFault::Used`], [`ProofFault::Unknown`].
pub async fn use_once<O: Outside>(
    gateway: &Gateway<O::Key>,
    outside: &O,
    proof: &VerifiedProof,
) -> Result<(), ProofFault> {
    // A thumbprint is 43 characters long, so that the two need nothing between them.
    let name = [proof.thumbprint(), proof.id()].concat();
    let used = ProofUse::new(&name, proof.refused_from());
    let here = gateway.proofs.see(used, outside);
    if here == Verdict::Again {
        return Err(ProofFault::Used);
    }
    match ask(&gateway.proofs, outside, proof, used).await {
        Some(Verdict::First) => Ok(()),
        Some(Verdict::Again) => Err(ProofFault::Used),
        Some(Verdict::Full) => Err(ProofFault::Unknown),
        None => match (gateway.config.dpop.on_failure, here) {
            (OnFailure::Local, Verdict::First) => Ok(()),
            (OnFailure::Local | OnFailure::Closed, _) => Err(ProofFault::Unknown),
        },
    }
}

impl Proofs {
    fn see<O: Outside>(&self, used: ProofUse, outside: &O) -> Verdict {
        let mut seen = self.seen.borrow_mut();
        if seen.is_full() {
            seen.sweep(outside.now());
        }
        seen.use_once(used)
    }
}

/// Asks the coordinator of the proof's key, unless none is asked just now.
async fn ask<O: Outside>(
    proofs: &Proofs,
    outside: &O,
    proof: &VerifiedProof,
    used: ProofUse,
) -> Option<Verdict> {
    let mut breaker = proofs.breaker.get();
    let may_ask = breaker.may_ask(outside.now_milliseconds());
    proofs.breaker.set(breaker);
    if !may_ask {
        return None;
    }
    let name = ["dpop/", proof.thumbprint()].concat();
    let answer = outside
        .ask_coordinator(&name, &used.to_bytes(), TIMEOUT_MILLISECONDS)
        .await;
    let verdict = answer.and_then(|bytes| Verdict::parse(&bytes));
    let mut breaker = proofs.breaker.get();
    if verdict.is_some() {
        breaker.succeeded();
    } else {
        breaker.failed(outside.now_milliseconds());
    }
    proofs.breaker.set(breaker);
    verdict
}
