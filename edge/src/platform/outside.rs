//! The world around a request, as the Workers runtime gives it.

use std::rc::Rc;

use js_sys::Uint8Array;
use wardgate_shared::jwk::PublicJwk;
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::time::Timestamp;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Request, Response};
use worker::Env;
use worker::worker_sys::Context;

use crate::answer::OwnAnswer;
use crate::body::BodyError;
use crate::error::UpstreamFailure;
use crate::log::FetchFailure;
use crate::outside::Outside;
use crate::proxy::Forward;

use super::keys::WebCryptoKey;
use super::{bridge, clock, tasks};

/// Far longer than it takes to inflate the largest document that is taken.
const INFLATE_MILLISECONDS: u32 = 10_000;

/// The longest that work beside requests takes: documents of an issuer are fetched with a shorter time limit, one or two of them.
const BACKGROUND_MILLISECONDS: u32 = 60_000;

/// One request and its context.
#[derive(Clone)]
pub(super) struct Runtime(Rc<Event>);

struct Event {
    request: Request,
    env: Env,
    context: Context,
}

impl Runtime {
    pub(super) fn new(request: Request, env: Env, context: Context) -> Self {
        Self(Rc::new(Event {
            request,
            env,
            context,
        }))
    }
}

impl Outside for Runtime {
    type Key = WebCryptoKey;
    type Response = Response;
    type Failure = JsValue;

    fn now(&self) -> Timestamp {
        clock::now()
    }

    fn now_milliseconds(&self) -> u64 {
        clock::milliseconds()
    }

    fn random_bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the edge's one source of random bytes"
        )]
        let filled = getrandom::fill(&mut bytes);
        // The bytes name a request in logs and protect nothing; a name that is not unique is better than no answer.
        let _ = filled;
        bytes
    }

    async fn pause(&self, milliseconds: u32) {
        drop(tasks::settled(bridge::pause(milliseconds), milliseconds).await);
    }

    async fn fetch_document(
        &self,
        url: &str,
        timeout_milliseconds: u32,
        maximum_bytes: u32,
    ) -> Result<Vec<u8>, FetchFailure> {
        let asked = bridge::fetch_document(url, timeout_milliseconds, maximum_bytes);
        fetched(tasks::settled(asked, timeout_milliseconds).await)
    }

    async fn post_form(
        &self,
        url: &str,
        form: &str,
        timeout_milliseconds: u32,
        maximum_bytes: u32,
    ) -> Result<(u16, Vec<u8>), FetchFailure> {
        let posted = bridge::post_form(url, form, timeout_milliseconds, maximum_bytes);
        let bytes = fetched(tasks::settled(posted, timeout_milliseconds).await)?;
        match bytes.split_at_checked(2) {
            Some(([high, low], body)) => Ok((u16::from_be_bytes([*high, *low]), body.to_vec())),
            Some(_) | None => Err(FetchFailure::Unreachable),
        }
    }

    async fn inflate(&self, packed: &[u8], maximum_bytes: u32) -> Option<Vec<u8>> {
        let inflated = tasks::settled(bridge::inflate(packed, maximum_bytes), INFLATE_MILLISECONDS).await;
        inflated
            .ok()?
            .dyn_into::<Uint8Array>()
            .ok()
            .map(|bytes| bytes.to_vec())
    }

    async fn ask_coordinator(
        &self,
        name: &str,
        question: &[u8],
        timeout_milliseconds: u32,
    ) -> Option<Vec<u8>> {
        let asked = bridge::ask_coordinator(self.0.env.as_ref(), name, question, timeout_milliseconds);
        let answer = tasks::settled(asked, timeout_milliseconds).await.ok()?;
        Some(answer.dyn_into::<Uint8Array>().ok()?.to_vec())
    }

    async fn ask_platform_limit(&self, binding: &str, key: &str, timeout_milliseconds: u32) -> Option<bool> {
        let asked = bridge::ask_platform_limit(self.0.env.as_ref(), binding, key, timeout_milliseconds);
        match tasks::settled(asked, timeout_milliseconds).await.ok()?.as_f64() {
            Some(2.0) => Some(true),
            Some(3.0) => Some(false),
            Some(_) | None => None,
        }
    }

    async fn import_key(
        &self,
        jwk: &PublicJwk,
        algorithm: SignatureAlgorithm,
    ) -> Result<WebCryptoKey, JsValue> {
        WebCryptoKey::import(jwk, algorithm).await
    }

    fn in_background(&self, work: impl Future<Output = ()> + 'static) -> impl Future<Output = ()> {
        let promise = tasks::spawn(Box::pin(async move {
            work.await;
            Ok(JsValue::UNDEFINED)
        }));
        // A context that takes nothing more is that of a request that is over, and so is the work.
        drop(self.0.context.wait_until(&promise));
        async move { drop(tasks::settled(promise, BACKGROUND_MILLISECONDS).await) }
    }

    async fn forward(&self, forward: &Forward<'_>) -> Result<(u16, Response), UpstreamFailure> {
        let sent = bridge::forward(&self.0.request, &packed_plan(forward));
        let outcome = tasks::settled(sent, forward.timeout_milliseconds).await;
        let outcome = outcome.map_err(|_| UpstreamFailure::Unreachable)?;
        match outcome.dyn_into::<Response>() {
            Ok(response) => Ok((response.status(), response)),
            Err(number) if number.as_f64() == Some(1.0) => Err(UpstreamFailure::Timeout),
            Err(_) => Err(UpstreamFailure::Unreachable),
        }
    }

    async fn read_request(
        &self,
        timeout_milliseconds: u32,
        maximum_bytes: u32,
    ) -> Result<Vec<u8>, BodyError> {
        let read = bridge::read_request(&self.0.request, timeout_milliseconds, maximum_bytes);
        let outcome = tasks::settled(read, timeout_milliseconds).await;
        let outcome = outcome.map_err(|_| BodyError::Unreadable)?;
        match outcome.dyn_into::<Uint8Array>() {
            Ok(bytes) => Ok(bytes.to_vec()),
            Err(number) => Err(match number.as_f64() {
                Some(1.0) => BodyError::TooSlow,
                Some(2.0) => BodyError::TooLarge,
                Some(_) | None => BodyError::Unreadable,
            }),
        }
    }

    async fn read_json(
        &self,
        response: &Response,
        timeout_milliseconds: u32,
        maximum_bytes: u32,
    ) -> Result<Option<Vec<u8>>, UpstreamFailure> {
        let read = bridge::read_json(response, timeout_milliseconds, maximum_bytes);
        let outcome = tasks::settled(read, timeout_milliseconds).await;
        let outcome = outcome.map_err(|_| UpstreamFailure::Unreadable)?;
        if outcome.is_null() {
            return Ok(None);
        }
        match outcome.dyn_into::<Uint8Array>() {
            Ok(bytes) => Ok(Some(bytes.to_vec())),
            Err(number) if number.as_f64() == Some(1.0) => Err(UpstreamFailure::Timeout),
            Err(_) => Err(UpstreamFailure::Unreadable),
        }
    }

    fn with_body(&self, response: Response, body: &[u8]) -> Result<Response, JsValue> {
        bridge::with_body(&response, body)
    }

    fn with_read_body(&self, response: Response) -> Result<Response, JsValue> {
        bridge::with_read_body(&self.0.request, &response)
    }

    fn etag(&self, response: &Response) -> Option<String> {
        bridge::etag(response).ok().flatten()
    }

    fn discard(&self, response: Response) {
        // A body that cannot be let go of is the runtime's to clean up.
        drop(bridge::discard(&response));
    }

    fn respond(&self, answer: &OwnAnswer) -> Result<Response, JsValue> {
        let headers: Vec<String> = answer
            .headers
            .iter()
            .map(|(name, value)| format!("{name}\n{value}"))
            .collect();
        bridge::respond(&self.0.request, answer.status, &headers.join("\n"), &answer.body)
    }

    fn write_data_point(&self, binding: &str, words: &[&str], milliseconds: u32) {
        bridge::write_data_point(self.0.env.as_ref(), binding, &words.join("\n"), milliseconds);
    }

    fn log(&self, line: &str) {
        bridge::log(line);
    }
}

/// What a fetch brought: bytes, or a number that says why not.
fn fetched(outcome: Result<JsValue, JsValue>) -> Result<Vec<u8>, FetchFailure> {
    let outcome = outcome.map_err(|_| FetchFailure::Unreachable)?;
    match outcome.dyn_into::<Uint8Array>() {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(number) => Err(match number.as_f64() {
            Some(1.0) => FetchFailure::Timeout,
            Some(2.0) => FetchFailure::TooLarge,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a status is a small whole number, and the cast saturates"
            )]
            Some(status) if status >= 100.0 => FetchFailure::Status(status as u16),
            Some(_) | None => FetchFailure::Unreachable,
        }),
    }
}

/// The plan in the form that `bridge.js` reads.
fn packed_plan(forward: &Forward<'_>) -> String {
    let Forward {
        url,
        method,
        is_head: _,
        form,
        timeout_milliseconds,
        remove,
        set,
        set_on_answer,
        location_from,
        location_to,
    } = forward;
    let mut plan = format!("{url}\n{timeout_milliseconds}\n{location_from}\n{location_to}");
    for (sign, value) in [("\n=", *method), ("\n&", form.as_deref())] {
        if let Some(value) = value {
            plan.push_str(sign);
            plan.push_str(value);
        }
    }
    for name in remove {
        plan.push_str("\n-");
        plan.push_str(name);
    }
    for (sign, headers) in [("\n+", set), ("\n>", set_on_answer)] {
        for (name, value) in headers {
            plan.push_str(sign);
            plan.push_str(name);
            plan.push(' ');
            plan.push_str(value);
        }
    }
    plan
}
