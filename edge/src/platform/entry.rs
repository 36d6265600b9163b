//! The entry function: glue between the runtime's event and the pipeline.

use wardgate_shared::problem::PROBLEM_MEDIA_TYPE;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Request, Response};
use worker::Env;
use worker::worker_sys::Context;

use crate::answer::OwnAnswer;
use crate::gateway::{handle, handle_misconfigured};
use crate::outside::Outside as _;
use crate::request::Incoming;

use super::isolate::{Isolate, isolate};
use super::outside::Runtime;
use super::tasks;

/// Answers a request, which is `task` from now on: with a `Response` or a promise of one. `packed` is what `describe` in
/// `bridge.js` says of it.
///
/// # Errors
/// When the platform cannot make an answer at all.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports what is public")]
pub fn begin(
    task: u32,
    packed: String,
    request: Request,
    env: Env,
    context: Context,
) -> Result<JsValue, JsValue> {
    let gateway = isolate(&env);
    let outside = Runtime::new(request, env, context);
    tasks::run(
        task,
        Box::pin(async move {
            let answer = answer(&packed, gateway, &outside).await;
            answer
                .or_else(|_| outside.respond(&last_resort()))
                .map(JsValue::from)
        }),
    )
}

async fn answer(packed: &str, gateway: Isolate, outside: &Runtime) -> Result<Response, JsValue> {
    let request = Incoming::unpack(packed).ok_or(JsValue::UNDEFINED)?;
    match gateway {
        Ok(gateway) => handle(&gateway, outside, &request).await,
        Err(faults) => handle_misconfigured(&faults, outside, &request),
    }
}

/// The answer that is left when nothing else works. Fixed, so that no cause is in it.
fn last_resort() -> OwnAnswer {
    OwnAnswer::new(500)
        .with("access-control-allow-origin", "*")
        .with("cache-control", "no-store")
        .with_body(
            PROBLEM_MEDIA_TYPE,
            r#"{"type":"about:blank","title":"Internal Server Error","status":500}"#,
        )
}
