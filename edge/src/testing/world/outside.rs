//! The world as the gateway sees it.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::Poll;

use wardgate_shared::dpop::used::ProofUse;
use wardgate_shared::jwk::{KeyMaterial, PublicJwk};
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::quota::{Coordinator, LeaseRequest};
use wardgate_shared::time::Timestamp;

use super::{Forwarded, Work, World, poll_work};
use crate::answer::OwnAnswer;
use crate::body::BodyError;
use crate::error::UpstreamFailure;
use crate::log::FetchFailure;
use crate::outside::Outside;
use crate::proxy::Forward;
use crate::testing::keys::TestKey;
use crate::testing::reply::Reply;

impl Outside for World {
    type Key = TestKey;
    type Response = Reply;
    type Failure = ();

    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.inner.now.get())
    }

    fn now_milliseconds(&self) -> u64 {
        u64::try_from(self.inner.now.get()).unwrap() * 1_000
    }

    fn random_bytes(&self) -> [u8; 16] {
        let next = self.inner.random.get();
        self.inner.random.set(next.wrapping_add(1));
        [next; 16]
    }

    async fn ask_coordinator(
        &self,
        name: &str,
        question: &[u8],
        _timeout_milliseconds: u32,
    ) -> Option<Vec<u8>> {
        self.inner.asked.set(self.inner.asked.get() + 1);
        if let Some(proof) = ProofUse::parse(question) {
            let mut memories = self.inner.used_proofs.borrow_mut();
            let verdict = memories.entry(name.to_owned()).or_default().use_once(proof);
            let answers = self.inner.coordinators_answer.get();
            return answers.then(|| vec![verdict.to_byte()]);
        }
        let question = LeaseRequest::parse(question).unwrap();
        let mut coordinators = self.inner.coordinators.borrow_mut();
        let coordinator = coordinators
            .entry(name.to_owned())
            .or_insert_with(|| Coordinator::new(question.policy, None));
        let handled = coordinator.handle(&question, self.now_milliseconds()).unwrap();
        self.inner
            .coordinators_answer
            .get()
            .then(|| handled.reply.to_bytes())
    }

    /// Every pause lets the others go on, and fifty make a second.
    async fn pause(&self, _milliseconds: u32) {
        self.run_background();
        self.inner.pauses.set(self.inner.pauses.get() + 1);
        if self.inner.pauses.get().is_multiple_of(50) {
            self.advance(1);
        }
    }

    async fn fetch_document(
        &self,
        url: &str,
        _timeout_milliseconds: u32,
        maximum_bytes: u32,
    ) -> Result<Vec<u8>, FetchFailure> {
        self.inner.fetched.borrow_mut().push(url.to_owned());
        let documents = self.inner.documents.borrow();
        let elsewhere = documents.iter().rev().find(|(address, _)| address == url);
        let document = elsewhere.map_or_else(
            || self.inner.document.borrow().clone(),
            |(_, document)| document.clone(),
        )?;
        if document.len() > usize::try_from(maximum_bytes).unwrap() {
            return Err(FetchFailure::TooLarge);
        }
        Ok(document)
    }

    /// Takes a turn, in which others may come with the same.
    async fn post_form(
        &self,
        url: &str,
        form: &str,
        _timeout_milliseconds: u32,
        maximum_bytes: u32,
    ) -> Result<(u16, Vec<u8>), FetchFailure> {
        let posted = (url.to_owned(), form.to_owned());
        self.inner.posted.borrow_mut().push(posted);
        std::future::ready(()).await;
        let (status, body) = self.inner.exchange.borrow().clone()?;
        if body.len() > usize::try_from(maximum_bytes).unwrap() {
            return Err(FetchFailure::TooLarge);
        }
        Ok((status, body.into_bytes()))
    }

    async fn inflate(&self, packed: &[u8], maximum_bytes: u32) -> Option<Vec<u8>> {
        let most = usize::try_from(maximum_bytes).unwrap();
        miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(packed, most).ok()
    }

    async fn ask_platform_limit(&self, binding: &str, key: &str, _timeout: u32) -> Option<bool> {
        let mut asked = self.inner.platform_asked.borrow_mut();
        asked.push(format!("{binding} {key}"));
        let of_key = asked.iter().filter(|one| Some(*one) == asked.last()).count();
        let limit = self.inner.platform_limit.get()?;
        Some(of_key <= usize::try_from(limit).unwrap())
    }

    async fn import_key(&self, jwk: &PublicJwk, algorithm: SignatureAlgorithm) -> Result<TestKey, ()> {
        self.inner.imports.set(self.inner.imports.get() + 1);
        match jwk.material() {
            KeyMaterial::Ed25519 { x } if self.inner.import_works.get() => Ok(TestKey {
                public: x.clone(),
                algorithm,
                works: Rc::clone(&self.inner.verify_works),
                checks: Rc::clone(&self.inner.checks),
            }),
            _ => Err(()),
        }
    }

    fn in_background(&self, work: impl Future<Output = ()> + 'static) -> impl Future<Output = ()> {
        let work: Work = Rc::new(RefCell::new(Some(Box::pin(work))));
        self.inner.background.borrow_mut().push(Rc::clone(&work));
        std::future::poll_fn(move |context| {
            if poll_work(&work, context) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
    }

    async fn forward(&self, forward: &Forward<'_>) -> Result<(u16, Reply), UpstreamFailure> {
        self.inner.forwarded.borrow_mut().push(Forwarded {
            url: forward.url.clone(),
            removed: forward.remove.iter().map(|name| (*name).to_owned()).collect(),
            set: forward.set.clone(),
            set_on_answer: forward.set_on_answer.clone(),
            method: forward.method,
            form: forward.form.clone(),
        });
        if let Some((status, etag, body)) = self.inner.script.borrow_mut().pop_front() {
            self.inner.upstream.set(Ok(status));
            *self.inner.etag.borrow_mut() = etag;
            *self.inner.statement.borrow_mut() = Ok(Some(body.into_bytes()));
        }
        self.inner
            .upstream
            .get()
            .map(|status| (status, Reply::Upstream(status)))
    }

    async fn read_request(
        &self,
        _timeout_milliseconds: u32,
        maximum_bytes: u32,
    ) -> Result<Vec<u8>, BodyError> {
        self.inner.bodies_read.set(self.inner.bodies_read.get() + 1);
        let body = self.inner.body.borrow().clone()?;
        if u32::try_from(body.len()).is_ok_and(|length| length <= maximum_bytes) {
            Ok(body)
        } else {
            Err(BodyError::TooLarge)
        }
    }

    async fn read_json(
        &self,
        _response: &Reply,
        _timeout_milliseconds: u32,
        _maximum_bytes: u32,
    ) -> Result<Option<Vec<u8>>, UpstreamFailure> {
        self.inner.statement.borrow().clone()
    }

    fn with_body(&self, _response: Reply, body: &[u8]) -> Result<Reply, ()> {
        let body = String::from_utf8(body.to_vec()).map_err(|_| ())?;
        Ok(Reply::Own(
            OwnAnswer::new(200).with_body("application/fhir+json", body),
        ))
    }

    fn with_read_body(&self, response: Reply) -> Result<Reply, ()> {
        Ok(response)
    }

    fn etag(&self, _response: &Reply) -> Option<String> {
        self.inner.etag.borrow().clone()
    }

    fn discard(&self, _response: Reply) {
        self.inner.discarded.set(self.inner.discarded.get() + 1);
    }

    fn respond(&self, answer: &OwnAnswer) -> Result<Reply, ()> {
        Ok(Reply::Own(answer.clone()))
    }

    fn write_data_point(&self, binding: &str, words: &[&str], milliseconds: u32) {
        let point = format!("{binding} {} {milliseconds}", words.join(" "));
        self.inner.data_points.borrow_mut().push(point);
    }

    fn log(&self, line: &str) {
        self.inner.lines.borrow_mut().push(line.to_owned());
    }
}
