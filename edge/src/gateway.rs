//! The pipeline: the way of every request, on one page.
//!
//! Each step takes what the step before it has established, so that none can be left out: a [`Route`] comes before
//! credentials, a [`Credential`] before claims, verified claims before a [`Permit`](crate::authorize::Permit), and only with a permit is a guarded
//! request forwarded. Everything that can be refused is refused with a [`Refusal`]; the end of [`handle`] is the one
//! place where refusals become answers.
//!
//! Trusted on entry: the configuration. Not trusted: the request, the issuer's documents before they are checked, the
//! FHIR server's headers.

use std::cell::RefCell;
use std::rc::Rc;

use wardgate_shared::jwk::PublicJwk;
use wardgate_shared::jwt::{SignatureAlgorithm, VerifyingKey};
use wardgate_shared::time::Timestamp;

use crate::answer::OwnAnswer;
use crate::authenticate::authenticate;
use crate::authorize::authorize;
use crate::capabilities::{self, SmartEndpoints};
use crate::config::{Config, ConfigFault, CorsOrigins};
use crate::cors;
use crate::credentials::{self, Credential};
use crate::error::{Refusal, UpstreamFailure};
use crate::headers;
use crate::jwks::KeyCache;
use crate::log::{Decision, FetchFailure, subject_hash};
use crate::proxy::forward::{Authority, Forward, judge, prepare};
use crate::request::Incoming;
use crate::routes::{self, Route, below_prefix};
use crate::well_known::{self, KeptDocument};

/// What an isolate keeps between requests; `K` is a key that verifies.
#[derive(Debug)]
pub struct Gateway<K> {
    /// The settings.
    pub config: Config,
    /// The issuer's keys. Borrowed for moments only, never across an `await`.
    pub keys: RefCell<KeyCache<K>>,
    /// The issuer's SMART configuration, likewise.
    pub smart_configuration: RefCell<KeptDocument>,
}

impl<K: Clone> Gateway<K> {
    /// A gateway that has fetched nothing yet.
    pub fn new(config: Config) -> Self {
        Self {
            keys: RefCell::new(KeyCache::new(config.refresh)),
            smart_configuration: RefCell::new(KeptDocument::new(config.refresh)),
            config,
        }
    }
}

/// The world around one request. The platform implements it, and so do the tests.
pub trait Outside: Clone + 'static {
    /// A key that verifies.
    type Key: VerifyingKey + Clone + 'static;
    /// An answer in the platform's form, its body included.
    type Response;
    /// Why the platform could not make or send something. Nothing of it reaches the client.
    type Failure;

    /// The time.
    fn now(&self) -> Timestamp;
    /// Unpredictable bytes.
    fn random_bytes(&self) -> [u8; 16];
    /// Waits.
    fn pause(&self, milliseconds: u32) -> impl Future<Output = ()>;
    /// Fetches a document by GET, without following redirects.
    fn fetch_document(
        &self,
        url: &str,
        timeout_milliseconds: u32,
    ) -> impl Future<Output = Result<Vec<u8>, FetchFailure>>;
    /// Makes a published key one that verifies.
    fn import_key(
        &self,
        jwk: &PublicJwk,
        algorithm: SignatureAlgorithm,
    ) -> impl Future<Output = Result<Self::Key, Self::Failure>>;
    /// Starts `work` so that it goes on when the request is over. What is given ends with it and need not be awaited.
    fn in_background(&self, work: impl Future<Output = ()> + 'static) -> impl Future<Output = ()>;
    /// Sends the request to the FHIR server and gives the status and the answer, its headers edited.
    fn forward(
        &self,
        forward: &Forward<'_>,
    ) -> impl Future<Output = Result<(u16, Self::Response), UpstreamFailure>>;
    /// Reads the body of an answer if it is JSON, up to a number of bytes. `None` for another media type, whose body is left.
    fn read_json(
        &self,
        response: &Self::Response,
        timeout_milliseconds: u32,
        maximum_bytes: u32,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, UpstreamFailure>>;
    /// An answer with this body in the place of the one that was read, without the headers that spoke of that one.
    ///
    /// # Errors
    /// The platform's own.
    fn with_body(&self, response: Self::Response, body: &[u8]) -> Result<Self::Response, Self::Failure>;
    /// Lets go of an answer that is not passed on.
    fn discard(&self, response: Self::Response);
    /// Makes an answer, and lets go of what has not been read of the request's body.
    ///
    /// # Errors
    /// The platform's own.
    fn respond(&self, answer: &OwnAnswer) -> Result<Self::Response, Self::Failure>;
    /// Writes a line to the log.
    fn log(&self, line: &str);
}

/// Answers a request.
///
/// # Errors
/// When the platform cannot make an answer at all.
pub async fn handle<O: Outside>(
    gateway: &Rc<Gateway<O::Key>>,
    outside: &O,
    request: &Incoming<'_>,
) -> Result<O::Response, O::Failure> {
    let request_id = headers::request_id(request, || outside.random_bytes());
    let mut always = cors::headers(&gateway.config.cors_origins, request);
    always.push((headers::REQUEST_ID, request_id.clone()));
    let mut decision = Decision::new(&request_id);

    let answer = match pipeline(gateway, outside, request, &always, &mut decision).await {
        Ok(Answer::Forwarded(status, response)) => {
            decision.status = status;
            outside.log(&decision.line());
            return Ok(response);
        }
        Ok(Answer::Own(answer)) => answer,
        Err(refusal) => {
            (decision.outcome, decision.reason) = (refusal.outcome(), Some(refusal.reason()));
            refusal.answer(Some(&gateway.config), request)
        }
    };
    decision.status = answer.status;
    outside.log(&decision.line());
    outside.respond(&completed(answer, always))
}

/// The order of steps.
async fn pipeline<O: Outside>(
    gateway: &Rc<Gateway<O::Key>>,
    outside: &O,
    request: &Incoming<'_>,
    always: &[(&'static str, String)],
    decision: &mut Decision<'_>,
) -> Result<Answer<O::Response>, Refusal> {
    let config = &gateway.config;

    // 1. What is addressed? Ambiguous paths and unknown methods end here.
    let route = routes::route(config, request)?;
    decision.route = Some(route.name());

    // 2. What is open is answered without a look at credentials.
    let fhir = match route {
        Route::Preflight => return Ok(Answer::Own(cors::preflight())),
        Route::Health => return Ok(Answer::Own(well_known::health(true))),
        Route::ProtectedResourceMetadata => {
            return Ok(Answer::Own(well_known::protected_resource_metadata(config)));
        }
        Route::SmartConfiguration => {
            return well_known::smart_configuration(gateway, outside)
                .await
                .map(Answer::Own);
        }
        Route::Capabilities => return capabilities(gateway, outside, request, always).await,
        Route::Fhir(fhir) => fhir,
    };

    // 3. Exactly one credential. (A limit for addresses that fail again and again stands before this step.)
    let credential = credentials::present(request)?;

    // 4. Who is it? Each kind of credential ends in verified claims: an API key by way of the token it is exchanged for,
    //    a DPoP-bound token with its proof. Revocation is looked up where the claims are verified.
    let verified = match credential {
        Credential::Bearer(token) => authenticate(gateway, outside, token).await?,
    };
    let claims = verified.claims();
    decision.subject = Some(subject_hash(&claims.issuer, &claims.subject));

    // 5. May they? Without a scope that permits it, nothing is.
    let permit = authorize(config, claims, &fhir)?;
    (decision.outcome, decision.access_level) = ("allow", Some(permit.access_level));

    // 6. (The quota of the subject and the client is debited here: what is refused above costs nobody's quota.)

    // 7. Forward.
    pass_on(config, outside, request, Some((claims, &permit)), always).await
}

/// What the pipeline ends with when nothing was refused.
enum Answer<R> {
    Own(OwnAnswer),
    Forwarded(u16, R),
}

/// What the FHIR server can do, and in addition where tokens for it come from.
async fn capabilities<O: Outside>(
    gateway: &Rc<Gateway<O::Key>>,
    outside: &O,
    request: &Incoming<'_>,
    always: &[(&'static str, String)],
) -> Result<Answer<O::Response>, Refusal> {
    let config = &gateway.config;
    let forward = prepared(config, request, None, always)?.without_conditions();
    let (status, response) = send(outside, &forward).await?;
    if (request.method, status) != ("GET", 200) {
        return Ok(Answer::Forwarded(status, response));
    }
    let (milliseconds, bytes) = (
        config.upstream_timeout_milliseconds,
        capabilities::MAXIMUM_STATEMENT_BYTES,
    );
    let read = outside.read_json(&response, milliseconds, bytes).await;
    let Some(statement) = read.map_err(Refusal::Upstream)? else {
        return Ok(Answer::Forwarded(status, response));
    };
    // While the issuer cannot be asked, the FHIR server is still described, and nobody's addresses are shown.
    let endpoints = match well_known::smart_document(gateway, outside).await {
        Ok(document) => SmartEndpoints::of_document(&document),
        Err(_) => SmartEndpoints::default(),
    };
    let written = capabilities::with_security(&statement, &endpoints, &config.upstream, &config.resource());
    let body = written.map_or(statement, String::into_bytes);
    let response = outside
        .with_body(response, &body)
        .map_err(|_| Refusal::Internal)?;
    Ok(Answer::Forwarded(status, response))
}

async fn pass_on<O: Outside>(
    config: &Config,
    outside: &O,
    request: &Incoming<'_>,
    authority: Authority<'_>,
    always: &[(&'static str, String)],
) -> Result<Answer<O::Response>, Refusal> {
    let forward = prepared(config, request, authority, always)?;
    let (status, response) = send(outside, &forward).await?;
    Ok(Answer::Forwarded(status, response))
}

fn prepared<'a>(
    config: &Config,
    request: &Incoming<'a>,
    authority: Authority<'_>,
    always: &[(&'static str, String)],
) -> Result<Forward<'a>, Refusal> {
    let request_id = always
        .iter()
        .find(|(name, _)| *name == headers::REQUEST_ID)
        .map_or("", |(_, id)| id);
    let below = below_prefix(&config.prefix, request.path).ok_or(Refusal::Internal)?;
    Ok(prepare(
        config,
        request,
        below,
        authority,
        request_id,
        always.to_vec(),
    ))
}

/// The FHIR server's answer, when it is one that may be passed on.
async fn send<O: Outside>(outside: &O, forward: &Forward<'_>) -> Result<(u16, O::Response), Refusal> {
    let (status, response) = outside.forward(forward).await.map_err(Refusal::Upstream)?;
    match judge(status) {
        Ok(()) => Ok((status, response)),
        Err(failure) => {
            outside.discard(response);
            Err(Refusal::Upstream(failure))
        }
    }
}

/// Answers a request to a Worker whose configuration is wrong: everything is refused, so that nobody takes it for one
/// that works. Which origins may read that is not known, so any may; the answers say nothing of anybody.
///
/// # Errors
/// When the platform cannot make an answer at all.
pub fn handle_misconfigured<O: Outside>(
    faults: &[ConfigFault],
    outside: &O,
    request: &Incoming<'_>,
) -> Result<O::Response, O::Failure> {
    let request_id = headers::request_id(request, || outside.random_bytes());
    let mut always = cors::headers(&CorsOrigins::Any, request);
    always.push((headers::REQUEST_ID, request_id.clone()));
    let mut decision = Decision::new(&request_id);
    let answer = if cors::is_preflight(request) {
        cors::preflight()
    } else if request.path == routes::HEALTH {
        well_known::health(false)
    } else {
        let refusal = Refusal::Misconfigured(faults.to_vec());
        (decision.outcome, decision.reason) = (refusal.outcome(), Some(refusal.reason()));
        refusal.answer(None, request)
    };
    decision.status = answer.status;
    outside.log(&decision.line());
    outside.respond(&completed(answer, always))
}

/// The answer with the headers that every answer has. Values of one name are joined.
fn completed(mut answer: OwnAnswer, always: Vec<(&'static str, String)>) -> OwnAnswer {
    for (name, value) in always {
        match answer.headers.iter_mut().find(|(own, _)| *own == name) {
            Some((_, own)) => *own = format!("{own}, {value}"),
            None => answer.headers.push((name, value)),
        }
    }
    answer
}

#[cfg(test)]
mod tests;
