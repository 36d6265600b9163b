//! The Durable Object that counts for one limit and one of those who are counted, or remembers the used proofs of one key: storage,
//! clock and messages around [`wardgate_shared::quota::Coordinator`] and [`wardgate_shared::dpop::used`]. Which of the two one is
//! follows from its name, and so do the questions it is asked.
//!
//! A question stands in the path of a request, so that no body has to be waited for; a question that makes no sense is
//! answered with nothing. What is stored is durable before the answer leaves: the runtime holds back what a Durable Object sends until
//! its writes are. The class is found in the Worker's module by its name, which `wrangler.toml` names as well.

use std::cell::RefCell;
use std::rc::Rc;

use wardgate_shared::dpop::used::{ProofUse, QUESTION_BYTES, UsedProofs, Verdict};
use wardgate_shared::quota::{Coordinator, LeaseReply, LeaseRequest, Reservation};
use wardgate_shared::time::Timestamp;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Request, Response};

use super::{bridge, clock, tasks};

/// After so many milliseconds what was reserved ahead and not granted is given up in storage, so that a coordinator that
/// is put to sleep loses nothing.
const REST_MILLISECONDS: u32 = 1_000;

/// For how long a window's count is kept after its end, in milliseconds: a clock that goes back by less opens no window
/// again.
const KEPT_MILLISECONDS: u64 = 3_600_000;

/// The Durable Object.
#[wasm_bindgen]
#[derive(Debug)]
pub struct RateLimits(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The object's state: its storage.
    state: JsValue,
    /// Made at the first question, which says the policy.
    coordinator: RefCell<Option<Coordinator>>,
    /// Read from storage at the first proof.
    proofs: RefCell<Option<UsedProofs>>,
}

#[wasm_bindgen]
impl RateLimits {
    /// Called by the runtime.
    #[wasm_bindgen(constructor)]
    pub fn new(state: JsValue) -> Self {
        let (coordinator, proofs) = Default::default();
        Self(Rc::new(Inner {
            state,
            coordinator,
            proofs,
        }))
    }

    /// Answers a question.
    ///
    /// # Errors
    /// When the runtime cannot make an answer.
    pub fn fetch(&self, request: &Request) -> Result<Response, JsValue> {
        let question = bridge::question_of(request)?;
        if let Some(used) = ProofUse::parse(&question) {
            let verdict = self.0.use_once(used)?;
            return bridge::answer_with(&[verdict.to_byte()]);
        }
        let question = LeaseRequest::parse(&question).ok();
        let reply = question.and_then(|question| self.0.answer(&question));
        bridge::answer_with(&reply.map(|reply| reply.to_bytes()).unwrap_or_default())
    }

    /// The window is long over: forgets it. Proofs are forgotten when nobody accepts them any more.
    ///
    /// # Errors
    /// When storage does not work.
    pub fn alarm(&self) -> Result<(), JsValue> {
        if self.0.sweep()? {
            return Ok(());
        }
        *self.0.coordinator.borrow_mut() = None;
        bridge::forget(&self.0.state)
    }
}

impl Inner {
    /// The answer, unless the question is about another policy or storage does not work.
    fn answer(self: &Rc<Self>, question: &LeaseRequest) -> Option<LeaseReply> {
        let mut slot = self.coordinator.borrow_mut();
        if slot.is_none() {
            let stored = bridge::stored(&self.state).ok()?;
            // Bytes that are no reservation must not count as an empty one.
            let stored = stored.map(|bytes| Reservation::from_bytes(&bytes).ok_or(()));
            *slot = Some(Coordinator::new(question.policy, stored.transpose().ok()?));
        }
        let coordinator = slot.as_mut()?;
        let handled = coordinator.handle(question, clock::milliseconds()).ok()?;
        if let Some(reservation) = handled.store {
            let ends_at = coordinator.ends_at().saturating_add(KEPT_MILLISECONDS);
            if self.store(reservation, ends_at).is_err() {
                // What is not stored was not granted; whoever comes next begins with what storage says.
                *slot = None;
                return None;
            }
            let inner = Rc::clone(self);
            drop(tasks::spawn(Box::pin(async move {
                drop(tasks::settled(bridge::pause(REST_MILLISECONDS), REST_MILLISECONDS).await);
                inner.rest();
                Ok(JsValue::UNDEFINED)
            })));
        }
        Some(handled.reply)
    }

    /// Uses a proof. Whatever storage does not take was not used, and has no answer.
    fn use_once(&self, used: ProofUse) -> Result<Verdict, JsValue> {
        let mut slot = self.proofs.borrow_mut();
        let proofs = match &mut *slot {
            Some(proofs) => proofs,
            empty => empty.insert(restored(&bridge::stored_proofs(&self.state)?)),
        };
        if proofs.is_full() {
            bridge::forget_proofs(&self.state, &proofs.sweep(clock::now()))?;
        }
        let wakes = proofs.empty_from();
        let verdict = proofs.use_once(used);
        if verdict == Verdict::First {
            // One alarm at a time: the first proof sets it, and it sets the next.
            let alarm = if wakes.is_none() {
                proofs.empty_from()
            } else {
                None
            };
            let stored = bridge::store_proof(&self.state, &used.to_bytes(), milliseconds(alarm));
            if stored.is_err() {
                *slot = None;
            }
            stored?;
        }
        Ok(verdict)
    }

    /// Forgets the proofs that nobody accepts any more; whether others are left.
    fn sweep(&self) -> Result<bool, JsValue> {
        let mut proofs = restored(&bridge::stored_proofs(&self.state)?);
        bridge::forget_proofs(&self.state, &proofs.sweep(clock::now()))?;
        let alarm = proofs.empty_from();
        if alarm.is_some() {
            bridge::set_alarm(&self.state, milliseconds(alarm))?;
        }
        *self.proofs.borrow_mut() = None;
        Ok(alarm.is_some())
    }

    fn rest(&self) {
        let mut slot = self.coordinator.borrow_mut();
        if let Some(coordinator) = slot.as_mut()
            && let Some(reservation) = coordinator.rest()
            && self
                .store(
                    reservation,
                    coordinator.ends_at().saturating_add(KEPT_MILLISECONDS),
                )
                .is_err()
        {
            *slot = None;
        }
    }

    fn store(&self, reservation: Reservation, ends_at: u64) -> Result<(), JsValue> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a time in milliseconds is far below 2^53"
        )]
        bridge::store(&self.state, &reservation.to_bytes(), ends_at as f64)
    }
}

/// What was stored: questions, one behind the other.
fn restored(stored: &[u8]) -> UsedProofs {
    let mut proofs = UsedProofs::default();
    for used in stored.chunks(QUESTION_BYTES).filter_map(ProofUse::parse) {
        proofs.use_once(used);
    }
    proofs
}

/// The time of an alarm; 0 for none.
#[expect(
    clippy::cast_precision_loss,
    reason = "a time in milliseconds is far below 2^53"
)]
fn milliseconds(time: Option<Timestamp>) -> f64 {
    time.map_or(0.0, |time| time.seconds().saturating_mul(1_000) as f64)
}
