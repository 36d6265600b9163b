//! The Durable Object that counts for one limit and one of those who are counted: storage, clock and messages around
//! [`wardgate_shared::quota::Coordinator`].
//!
//! A question stands in the path of a request, so that no body has to be waited for; a question that makes no sense is
//! answered with nothing. What is stored is durable before the answer leaves: the runtime holds back what a Durable Object sends until
//! its writes are. The class is found in the Worker's module by its name, which `wrangler.toml` names as well.

use std::cell::RefCell;
use std::rc::Rc;

use wardgate_shared::quota::{Coordinator, LeaseReply, LeaseRequest, Reservation};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Request, Response};

use super::{bridge, clock};

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
}

#[wasm_bindgen]
impl RateLimits {
    /// Called by the runtime.
    #[wasm_bindgen(constructor)]
    pub fn new(state: JsValue) -> Self {
        let coordinator = RefCell::default();
        Self(Rc::new(Inner { state, coordinator }))
    }

    /// Answers a question.
    ///
    /// # Errors
    /// When the runtime cannot make an answer.
    pub fn fetch(&self, request: &Request) -> Result<Response, JsValue> {
        let question = LeaseRequest::parse(&bridge::question_of(request)?).ok();
        let reply = question.and_then(|question| self.0.answer(&question));
        bridge::answer_with(&reply.map(|reply| reply.to_bytes()).unwrap_or_default())
    }

    /// The window is long over: forgets it.
    ///
    /// # Errors
    /// When storage does not work.
    pub fn alarm(&self) -> Result<(), JsValue> {
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
            spawn_local(async move {
                drop(JsFuture::from(bridge::pause(REST_MILLISECONDS)).await);
                inner.rest();
            });
        }
        Some(handled.reply)
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
