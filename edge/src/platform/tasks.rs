//! Runs the pipeline: a task computes until it needs something outside, and JavaScript waits for that.
//!
//! JavaScript calls [`begin`] with a request. Computing as far as it can, the pipeline ends there or at a [`settled`], which
//! hands the promise that it waits for to `drive` in `tasks.js`; that calls [`resume`] with what has become of the promise. So there is
//! no queue of wakers beside the runtime's own, no closure for each thing that is waited for, and a task is always continued within its
//! own request. A task waits for one thing at a time, and tasks do not wait for each other but by way of a promise.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::waiting::Waiting;

use super::clock;

/// What a task does, and what comes of it.
pub(super) type Work = Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>>;

/// Between a task that is computing and what called it.
#[derive(Default)]
enum Exchange {
    #[default]
    Empty,
    /// What it waits for, and for how many milliseconds at most.
    Asked(Promise, u32),
    /// What has become of that.
    Settled(Result<JsValue, JsValue>),
}

/// How far a task has come.
enum Step {
    Done(Result<JsValue, JsValue>),
    Waits(Promise),
}

thread_local! {
    static WAITING: RefCell<Waiting<Work>> = RefCell::default();
    static EXCHANGE: Cell<Exchange> = const { Cell::new(Exchange::Empty) };
}

#[wasm_bindgen(raw_module = "./tasks.js")]
extern "C" {
    /// A number that no task has had, not even before the module was made anew.
    #[wasm_bindgen(js_name = nextTask)]
    fn next_task() -> u32;

    /// Waits, and resumes the task until it is done. Resolves to what comes of it.
    fn drive(task: u32, asked: &Promise) -> Promise;
}

/// What becomes of a promise that is settled within so many milliseconds.
pub(super) fn settled(
    promise: Promise,
    limit_milliseconds: u32,
) -> impl Future<Output = Result<JsValue, JsValue>> {
    Settled(Some((promise, limit_milliseconds)))
}

struct Settled(Option<(Promise, u32)>);

impl Future for Settled {
    type Output = Result<JsValue, JsValue>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some((promise, limit)) = self.0.take() {
            EXCHANGE.set(Exchange::Asked(promise, limit));
            return Poll::Pending;
        }
        match EXCHANGE.take() {
            Exchange::Settled(outcome) => Poll::Ready(outcome),
            other => {
                EXCHANGE.set(other);
                Poll::Pending
            }
        }
    }
}

/// Runs a task that has a number. Gives what comes of it at once, or a promise of it.
pub(super) fn run(task: u32, work: Work) -> Result<JsValue, JsValue> {
    match step(task, work, Exchange::Empty) {
        Step::Done(outcome) => outcome,
        Step::Waits(promise) => Ok(drive(task, &promise).into()),
    }
}

/// Runs a task beside the one that calls this, which is computing: it begins when that one waits or is done.
pub(super) fn spawn(work: Work) -> Promise {
    let task = next_task();
    WAITING.with_borrow_mut(|waiting| waiting.put(task, work, 0, clock::milliseconds));
    drive(task, &Promise::resolve(&JsValue::UNDEFINED))
}

/// Goes on with a task. Gives what comes of it, or the next promise to wait for.
///
/// # Errors
/// What the task ends with, or that it was let go of.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is public")]
pub fn resume(task: u32, value: JsValue, is_fulfilled: bool) -> Result<JsValue, JsValue> {
    let work = WAITING.with_borrow_mut(|waiting| waiting.take(task));
    let work = work.ok_or_else(|| JsValue::from_str("this task is not waiting any more"))?;
    let settled = if is_fulfilled { Ok(value) } else { Err(value) };
    match step(task, work, Exchange::Settled(settled)) {
        Step::Done(outcome) => outcome,
        Step::Waits(promise) => Ok(promise.into()),
    }
}

fn step(task: u32, mut work: Work, exchange: Exchange) -> Step {
    let before = EXCHANGE.replace(exchange);
    // Nobody is woken: whoever is asked for something calls `resume`.
    let polled = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    match (polled, EXCHANGE.replace(before)) {
        (Poll::Ready(outcome), _) => Step::Done(outcome),
        (Poll::Pending, Exchange::Asked(promise, limit)) => {
            WAITING.with_borrow_mut(|waiting| waiting.put(task, work, limit, clock::milliseconds));
            Step::Waits(promise)
        }
        (Poll::Pending, Exchange::Empty | Exchange::Settled(_)) => {
            Step::Done(Err(JsValue::from_str("this task waits for nothing")))
        }
    }
}
