//! The functions of `bridge.js`, by their types.

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Request, Response};

#[wasm_bindgen(raw_module = "./bridge.js")]
extern "C" {
    /// The variables whose names begin with `namespace`, of each its name, its kind and its value, separated by
    /// the character 0.
    #[wasm_bindgen(catch)]
    pub(super) fn variables(env: &JsValue, namespace: &str) -> Result<String, JsValue>;

    /// Whether something with this method is bound under this name.
    pub(super) fn binds(env: &JsValue, name: &str, method: &str) -> bool;

    /// An answer with these headers (name and value in turn) and this body.
    #[wasm_bindgen(catch)]
    pub(super) fn respond(
        request: &Request,
        status: u16,
        packed_headers: &str,
        body: &str,
    ) -> Result<Response, JsValue>;

    /// Lets go of an answer's body.
    #[wasm_bindgen(catch)]
    pub(super) fn discard(response: &Response) -> Result<(), JsValue>;

    /// Says which headers of upstream answers do not pass, and whether a cache of the platform's has to be told to keep nothing.
    #[wasm_bindgen(js_name = setUp)]
    pub(super) fn set_up(packed_names: &str, bypasses_cache: bool);

    /// Sends the request to the FHIR server. Resolves to a `Response` or to a number.
    pub(super) fn forward(request: &Request, plan: &str) -> Promise;

    /// Resolves to a `Uint8Array` or to a number.
    #[wasm_bindgen(js_name = readRequest)]
    pub(super) fn read_request(request: &Request, milliseconds: u32, maximum_bytes: u32) -> Promise;

    /// Resolves to a `Uint8Array`, to null or to a number.
    #[wasm_bindgen(js_name = readJson)]
    pub(super) fn read_json(response: &Response, milliseconds: u32, maximum_bytes: u32) -> Promise;

    /// The answer with another body. The bytes are copied before this returns.
    #[wasm_bindgen(catch, js_name = withBody)]
    pub(super) fn with_body(response: &Response, body: &[u8]) -> Result<Response, JsValue>;

    /// The answer with the body that was read of it, and without it for `HEAD`.
    #[wasm_bindgen(catch, js_name = withReadBody)]
    pub(super) fn with_read_body(request: &Request, response: &Response) -> Result<Response, JsValue>;

    /// The version of what was answered, if it is said.
    #[wasm_bindgen(catch)]
    pub(super) fn etag(response: &Response) -> Result<Option<String>, JsValue>;

    /// Resolves to a `Uint8Array` or to a number.
    #[wasm_bindgen(js_name = fetchDocument)]
    pub(super) fn fetch_document(url: &str, milliseconds: u32, maximum_bytes: u32) -> Promise;

    /// Resolves to a `Uint8Array`, which begins with the two bytes of the status, or to a number.
    #[wasm_bindgen(js_name = postForm)]
    pub(super) fn post_form(url: &str, form: &str, milliseconds: u32, maximum_bytes: u32) -> Promise;

    /// Resolves to a `Uint8Array` or to a number. The bytes are copied before this returns.
    pub(super) fn inflate(packed: &[u8], maximum_bytes: u32) -> Promise;

    /// Asks the coordinator of this name. Resolves to a `Uint8Array` or to a number. The bytes are
    /// copied before this returns.
    #[wasm_bindgen(js_name = askCoordinator)]
    pub(super) fn ask_coordinator(env: &JsValue, name: &str, question: &[u8], milliseconds: u32) -> Promise;

    /// Asks a limit of the platform's. Resolves to 2 (admitted), 3 (refused), or another number.
    #[wasm_bindgen(js_name = askPlatformLimit)]
    pub(super) fn ask_platform_limit(env: &JsValue, name: &str, key: &str, milliseconds: u32) -> Promise;

    /// Adds a data point to a dataset.
    #[wasm_bindgen(js_name = writeDataPoint)]
    pub(super) fn write_data_point(env: &JsValue, name: &str, packed_words: &str, milliseconds: u32);

    /// The bytes of a question to a coordinator.
    #[wasm_bindgen(catch, js_name = questionOf)]
    pub(super) fn question_of(request: &Request) -> Result<Vec<u8>, JsValue>;

    /// The response with an answer of a coordinator, or with none. The bytes are copied before this returns.
    #[wasm_bindgen(catch, js_name = answerWith)]
    pub(super) fn answer_with(answer: &[u8]) -> Result<Response, JsValue>;

    /// What a coordinator stored, if it did.
    #[wasm_bindgen(catch)]
    pub(super) fn stored(state: &JsValue) -> Result<Option<Vec<u8>>, JsValue>;

    /// Stores what a coordinator has to keep until then. The bytes are copied before this returns.
    #[wasm_bindgen(catch)]
    pub(super) fn store(state: &JsValue, reservation: &[u8], until: f64) -> Result<(), JsValue>;

    /// Forgets what a coordinator stored.
    #[wasm_bindgen(catch)]
    pub(super) fn forget(state: &JsValue) -> Result<(), JsValue>;

    /// The proofs that a coordinator stored, one behind the other, in the order of their hashes.
    #[wasm_bindgen(catch, js_name = storedProofs)]
    pub(super) fn stored_proofs(state: &JsValue) -> Result<Vec<u8>, JsValue>;

    /// Stores a proof, and sets an alarm unless that is 0. The bytes are copied before this returns.
    #[wasm_bindgen(catch, js_name = storeProof)]
    pub(super) fn store_proof(state: &JsValue, proof: &[u8], alarm: f64) -> Result<(), JsValue>;

    /// Forgets the proofs of these hashes, which stand one behind the other.
    #[wasm_bindgen(catch, js_name = forgetProofs)]
    pub(super) fn forget_proofs(state: &JsValue, hashes: &[u8]) -> Result<(), JsValue>;

    /// Sets the alarm of a coordinator.
    #[wasm_bindgen(catch, js_name = setAlarm)]
    pub(super) fn set_alarm(state: &JsValue, milliseconds: f64) -> Result<(), JsValue>;

    /// Resolves to what [`verify`] takes.
    #[wasm_bindgen(js_name = importKey)]
    pub(super) fn import_key(jwk: &str, algorithm: &str) -> Promise;

    /// Resolves to 1 (holds), 0 (does not hold) or 2 (not known). The bytes are copied before this returns.
    pub(super) fn verify(imported: &JsValue, signature: &[u8], message: &[u8]) -> Promise;

    /// Resolves after a while.
    pub(super) fn pause(milliseconds: u32) -> Promise;

    /// Writes a line to the Worker's log.
    pub(super) fn log(line: &str);
}
