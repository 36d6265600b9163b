//! A world in which time stands still until it is moved, the issuer says what it is told to say, and the FHIR server
//! writes down what it gets. Signatures are real (Ed25519).

mod outside;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use serde::Serialize;
use wardgate_shared::dpop::used::UsedProofs;
use wardgate_shared::jwt::sign;
use wardgate_shared::quota::Coordinator;

use crate::body::BodyError;
use crate::config::Config;
use crate::error::UpstreamFailure;
use crate::gateway::{Gateway, handle};
use crate::log::FetchFailure;
use crate::outside::Outside;

use super::keys::{IssuerKey, TestKey, key_set};
use super::reply::Reply;
use super::{config, incoming};

/// The time at which a world begins, in seconds.
pub(crate) const NOW: i64 = 1_800_000_000;

/// What reached the FHIR server.
#[derive(Clone, Debug)]
pub(crate) struct Forwarded {
    pub(crate) url: String,
    pub(crate) removed: Vec<String>,
    pub(crate) set: Vec<(&'static str, String)>,
    pub(crate) set_on_answer: Vec<(&'static str, String)>,
    pub(crate) method: Option<&'static str>,
    pub(crate) form: Option<String>,
}

/// What is found at an address.
type Document = Result<Vec<u8>, FetchFailure>;

/// Something that runs beside requests.
type Work = Rc<RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>>>;

struct Inner {
    now: Cell<i64>,
    key: IssuerKey,
    document: RefCell<Document>,
    documents: RefCell<Vec<(String, Document)>>,
    exchange: RefCell<Result<(u16, String), FetchFailure>>,
    posted: RefCell<Vec<(String, String)>>,
    fetched: RefCell<Vec<String>>,
    background: RefCell<Vec<Work>>,
    pauses: Cell<u32>,
    imports: Cell<u32>,
    import_works: Cell<bool>,
    verify_works: Rc<Cell<bool>>,
    checks: Rc<Cell<u32>>,
    upstream: Cell<Result<u16, UpstreamFailure>>,
    /// What is answered next: status, version and body.
    script: RefCell<VecDeque<(u16, Option<String>, String)>>,
    etag: RefCell<Option<String>>,
    statement: RefCell<Result<Option<Vec<u8>>, UpstreamFailure>>,
    body: RefCell<Result<Vec<u8>, BodyError>>,
    bodies_read: Cell<u32>,
    forwarded: RefCell<Vec<Forwarded>>,
    discarded: Cell<u32>,
    lines: RefCell<Vec<String>>,
    coordinators: RefCell<BTreeMap<String, Coordinator>>,
    used_proofs: RefCell<BTreeMap<String, UsedProofs>>,
    coordinators_answer: Cell<bool>,
    asked: Cell<u32>,
    platform_limit: Cell<Option<u32>>,
    platform_asked: RefCell<Vec<String>>,
    data_points: RefCell<Vec<String>>,
    random: Cell<u8>,
}

/// The world, and the gateway in it.
#[derive(Clone)]
pub(crate) struct World {
    inner: Rc<Inner>,
    pub(crate) gateway: Rc<Gateway<TestKey>>,
}

impl World {
    /// A world whose issuer publishes one key and whose FHIR server answers 200.
    pub(crate) fn new() -> Self {
        Self::with(config())
    }

    /// The same with another configuration.
    pub(crate) fn with(config: Config) -> Self {
        let key = IssuerKey::new("key-1", 1);
        let inner = Inner {
            now: Cell::new(NOW),
            document: RefCell::new(Ok(key_set(&[&key]))),
            documents: RefCell::default(),
            exchange: RefCell::new(Err(FetchFailure::Unreachable)),
            posted: RefCell::default(),
            key,
            fetched: RefCell::default(),
            background: RefCell::default(),
            pauses: Cell::new(0),
            imports: Cell::new(0),
            import_works: Cell::new(true),
            verify_works: Rc::new(Cell::new(true)),
            checks: Rc::default(),
            upstream: Cell::new(Ok(200)),
            script: RefCell::default(),
            etag: RefCell::default(),
            statement: RefCell::new(Ok(None)),
            body: RefCell::new(Ok(Vec::new())),
            bodies_read: Cell::new(0),
            forwarded: RefCell::default(),
            discarded: Cell::new(0),
            lines: RefCell::default(),
            coordinators: RefCell::default(),
            used_proofs: RefCell::default(),
            coordinators_answer: Cell::new(true),
            asked: Cell::new(0),
            platform_limit: Cell::new(None),
            platform_asked: RefCell::default(),
            data_points: RefCell::default(),
            random: Cell::new(0xAB),
        };
        Self {
            inner: Rc::new(inner),
            gateway: Rc::new(Gateway::new(config)),
        }
    }

    /// The time, in seconds.
    pub(crate) fn seconds(&self) -> i64 {
        self.inner.now.get()
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, seconds: i64) {
        self.inner.now.set(self.inner.now.get() + seconds);
    }

    /// What the issuer answers from now on, whatever it is asked for.
    pub(crate) fn issuer_says(&self, document: Result<&[u8], FetchFailure>) {
        *self.inner.document.borrow_mut() = document.map(<[u8]>::to_vec);
    }

    /// What is found at this address from now on, whatever the issuer answers elsewhere.
    pub(crate) fn found_at(&self, url: &str, keys: Result<&[&IssuerKey], FetchFailure>) {
        self.document_at(url, keys.map(key_set));
    }

    /// The same for any document.
    pub(crate) fn document_at(&self, url: &str, document: Result<Vec<u8>, FetchFailure>) {
        self.inner.documents.borrow_mut().push((url.to_owned(), document));
    }

    /// What the issuer answers to forms from now on.
    pub(crate) fn exchange_says(&self, answer: Result<(u16, &str), FetchFailure>) {
        *self.inner.exchange.borrow_mut() = answer.map(|(status, body)| (status, body.to_owned()));
    }

    /// The forms that were sent so far, each with its address.
    pub(crate) fn posted(&self) -> Vec<(String, String)> {
        self.inner.posted.borrow().clone()
    }

    /// The key with which the issuer signs.
    pub(crate) fn key(&self) -> &IssuerKey {
        &self.inner.key
    }

    /// How many signatures were checked.
    pub(crate) fn checks(&self) -> u32 {
        self.inner.checks.get()
    }

    /// The issuer publishes these keys from now on.
    pub(crate) fn issuer_publishes(&self, keys: &[&IssuerKey]) {
        self.issuer_says(Ok(&key_set(keys)));
    }

    /// What the FHIR server answers from now on.
    pub(crate) fn upstream_says(&self, answer: Result<u16, UpstreamFailure>) {
        self.inner.upstream.set(answer);
    }

    /// What stands in the bodies of the FHIR server's answers from now on; none that is JSON for `None`.
    pub(crate) fn upstream_writes(&self, body: Result<Option<&str>, UpstreamFailure>) {
        let bytes = body.map(|body| body.map(|text| text.as_bytes().to_vec()));
        *self.inner.statement.borrow_mut() = bytes;
    }

    /// What the FHIR server answers to the next requests, one after the other: status, version, and a body of JSON.
    pub(crate) fn upstream_answers(&self, answers: &[(u16, Option<&str>, &str)]) {
        let owned = answers
            .iter()
            .map(|(status, etag, body)| (*status, etag.map(str::to_owned), (*body).to_owned()));
        *self.inner.script.borrow_mut() = owned.collect();
    }

    /// What stands in the bodies of requests from now on.
    pub(crate) fn clients_write(&self, body: Result<&str, BodyError>) {
        *self.inner.body.borrow_mut() = body.map(|text| text.as_bytes().to_vec());
    }

    /// How many bodies of requests were read.
    pub(crate) fn bodies_read(&self) -> u32 {
        self.inner.bodies_read.get()
    }

    /// Whether keys can be imported from now on.
    pub(crate) fn imports_work(&self, works: bool) {
        self.inner.import_works.set(works);
    }

    /// Whether signatures can be checked from now on.
    pub(crate) fn checks_work(&self, works: bool) {
        self.inner.verify_works.set(works);
    }

    /// Another isolate in the same world.
    pub(crate) fn another_isolate(&self) -> Self {
        Self {
            inner: Rc::clone(&self.inner),
            gateway: Rc::new(Gateway::new(self.gateway.config.clone())),
        }
    }

    /// Whether coordinators answer from now on.
    pub(crate) fn coordinators_answer(&self, answer: bool) {
        self.inner.coordinators_answer.set(answer);
    }

    /// How often coordinators were asked.
    pub(crate) fn asked(&self) -> u32 {
        self.inner.asked.get()
    }

    /// How many requests of each network the platform admits from now on; `None` when it does not answer.
    pub(crate) fn platform_admits(&self, requests: Option<u32>) {
        self.inner.platform_limit.set(requests);
    }

    /// How often the platform was asked.
    pub(crate) fn platform_asked(&self) -> usize {
        self.inner.platform_asked.borrow().len()
    }

    /// The data points so far: the binding, the words and the number of each.
    pub(crate) fn data_points(&self) -> Vec<String> {
        self.inner.data_points.borrow().clone()
    }

    /// The addresses fetched from the issuer so far.
    pub(crate) fn fetched(&self) -> Vec<String> {
        self.inner.fetched.borrow().clone()
    }

    /// How many keys were imported.
    pub(crate) fn imports(&self) -> u32 {
        self.inner.imports.get()
    }

    /// How many answers of the FHIR server were let go of.
    pub(crate) fn discarded(&self) -> u32 {
        self.inner.discarded.get()
    }

    /// What reached the FHIR server so far.
    pub(crate) fn forwarded(&self) -> Vec<Forwarded> {
        self.inner.forwarded.borrow().clone()
    }

    /// The log's last line, as JSON.
    pub(crate) fn last_line(&self) -> serde_json::Value {
        serde_json::from_str(self.inner.lines.borrow().last().unwrap()).unwrap()
    }

    /// The whole log.
    pub(crate) fn log_text(&self) -> String {
        self.inner.lines.borrow().join("\n")
    }

    /// A token of these claims, valid for five minutes, by the issuer's key.
    pub(crate) fn token(&self, claims: impl Serialize) -> String {
        self.token_by(&self.inner.key, claims)
    }

    /// The same by another key.
    pub(crate) fn token_by(&self, key: &IssuerKey, claims: impl Serialize) -> String {
        self.token_of_type(key, "at+jwt", claims)
    }

    /// The same of another `typ`.
    pub(crate) fn token_of_type(
        &self,
        key: &IssuerKey,
        token_type: &'static str,
        claims: impl Serialize,
    ) -> String {
        let now = self.now();
        sign(key, token_type, claims, now, now.plus(300)).unwrap()
    }

    /// The answer to a request.
    pub(crate) fn send(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Reply {
        block_on(handle(&self.gateway, self, &incoming(method, target, headers))).unwrap()
    }

    /// The answer to a GET with this bearer token.
    pub(crate) fn get(&self, target: &str, token: &str) -> Reply {
        self.send("GET", target, &[("authorization", &format!("Bearer {token}"))])
    }

    /// Lets what runs beside the requests go on.
    pub(crate) fn run_background(&self) {
        let works: Vec<Work> = self.inner.background.borrow().clone();
        for work in works {
            poll_work(&work, &mut Context::from_waker(Waker::noop()));
        }
    }
}

fn poll_work(work: &Work, context: &mut Context<'_>) -> bool {
    let mut slot = work.borrow_mut();
    let done = slot
        .as_mut()
        .is_none_or(|future| future.as_mut().poll(context).is_ready());
    if done {
        *slot = None;
    }
    done
}

/// Runs a future to its end. Nothing here waits for anything real.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..100_000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
    panic!("a future that never ends");
}
