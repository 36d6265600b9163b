//! The entry function: glue between the runtime's event and the pipeline.

use wardgate_shared::problem::PROBLEM_MEDIA_TYPE;
use wasm_bindgen::JsValue;
use web_sys::{Request, Response};
use worker::{Context, Env, event};

use crate::answer::OwnAnswer;
use crate::gateway::{handle, handle_misconfigured};
use crate::outside::Outside as _;
use crate::request::Incoming;

use super::bridge;
use super::isolate::{Isolate, isolate};
use super::outside::Runtime;

/// Answers a request.
#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    let packed = bridge::describe(&request);
    let gateway = isolate(&env);
    let outside = Runtime::new(request, env, context);
    let answer = match packed {
        Ok(packed) => answer(&packed, gateway, &outside).await,
        Err(error) => Err(error),
    };
    answer
        .or_else(|_| outside.respond(&last_resort()))
        .map_err(Into::into)
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
