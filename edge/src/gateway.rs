//! The pipeline: the way of every request, on one page.
//!
//! Each step takes what the step before it has established, so that none can be left out: a [`Route`] comes before
//! credentials, a [`Credential`] before claims, verified claims before a [`Permit`](crate::authorize::Permit), and only with a permit is a guarded
//! request forwarded. Everything that can be refused is refused with a [`Refusal`]; the end of [`handle`] is the one
//! place where refusals become answers. Deciding and doing are two functions, so that a decision can be had without
//! its effects.
//!
//! Trusted on entry: the configuration. Not trusted: the request, the issuer's documents before they are checked, the
//! FHIR server's headers.

mod confined;
mod perform;

use std::cell::RefCell;
use std::rc::Rc;

use wardgate_shared::quota::{Told, quota_headers};

use crate::answer::OwnAnswer;
use crate::api_keys::{self, cache::ExchangeCache};
use crate::authenticate::authenticate;
use crate::authorize::authorize;
use crate::body;
use crate::compartment::{Confined, Confinement, confine};
use crate::config::{Api, Config, ConfigFault, CorsOrigins};
use crate::cors;
use crate::credentials::{self, Credential};
use crate::dpop;
use crate::error::Refusal;
use crate::explain::Trail;
use crate::headers;
use crate::issuers::Issuer;
use crate::log::{Decision, subject_hash};
use crate::metrics::{self, Counters};
use crate::outside::Outside;
use crate::proxy::forward::Forward;
use crate::quota::{self, Account, Quotas};
use crate::request::Incoming;
use crate::routes::{self, Asked, Route};
use crate::token_cache::TokenCache;
use crate::trace_context;
use crate::unverified;
use crate::well_known;

use perform::{Answer, perform, prepared};

/// What an isolate keeps between requests; `K` is a key that verifies.
#[derive(Debug)]
pub struct Gateway<K> {
    /// The settings.
    pub config: Config,
    /// The issuers and what is kept of each.
    pub issuers: Vec<Rc<Issuer<K>>>,
    /// Tokens that were verified. Borrowed for moments only, never across an `await`.
    pub tokens: RefCell<TokenCache>,
    /// What was leased to this isolate.
    pub quotas: Rc<Quotas>,
    /// Which proofs were seen.
    pub proofs: dpop::used::Proofs,
    /// What became of requests. Borrowed for moments only.
    pub counters: RefCell<Counters>,
    /// What API keys were exchanged for. Borrowed for moments only, likewise.
    pub api_keys: RefCell<ExchangeCache>,
}

impl<K: Clone> Gateway<K> {
    /// A gateway that has fetched nothing yet.
    pub fn new(config: Config) -> Self {
        Self {
            issuers: Issuer::all(&config),
            tokens: RefCell::default(),
            quotas: Rc::default(),
            proofs: dpop::used::Proofs::default(),
            counters: RefCell::default(),
            api_keys: RefCell::default(),
            config,
        }
    }
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
    decision.trace_id = trace_context::trace_id(&request.headers);
    let started = metrics::started(gateway, outside);

    let trail = Trail::of(&gateway.config, request);
    let outcome = respond_to(gateway, outside, request, trail, &mut always, &mut decision).await;
    let answer = match outcome {
        Ok(Answer::Forwarded(status, response)) => {
            decision.status = status;
            metrics::record(gateway, outside, &decision, started);
            return Ok(response);
        }
        Ok(Answer::Own(answer)) => answer,
        Err(refusal) => {
            (decision.outcome, decision.reason) = (refusal.outcome(), Some(refusal.reason()));
            refusal.answer(Some(&gateway.config), request)
        }
    };
    decision.status = answer.status;
    metrics::record(gateway, outside, &decision, started);
    outside.respond(&completed(answer, always))
}

/// Counts, decides and does. What the count says goes into the headers of the answer, whatever becomes of the request.
async fn respond_to<'a, O: Outside>(
    gateway: &'a Rc<Gateway<O::Key>>,
    outside: &O,
    request: &Incoming<'a>,
    mut trail: Trail,
    always: &mut Vec<(&'static str, String)>,
    decision: &mut Decision<'a>,
) -> Result<Answer<O::Response>, Refusal> {
    let (config, mut told) = (&gateway.config, Vec::new());
    if !trail.is_followed()
        && !cors::is_preflight(request)
        && let Some(api) = config.api_of(request.path)
    {
        always.extend(dpop::nonce_header(gateway, outside, api, request));
        unverified::admit(gateway, outside, api, request).await?;
        let networks = quota::network_accounts(config, api, request);
        count(gateway, outside, &networks, &mut told, always).await?;
    }
    let verdict = decide(gateway, outside, request, always, decision, &mut trail).await;
    if trail.is_followed() {
        let answer = trail.answer(decision.outcome, verdict.as_ref().err());
        decision.outcome = "explained";
        return Ok(Answer::Own(answer));
    }
    let mut verdict = verdict?;
    if let Verdict::Forward(forward, accounts, _) = &mut verdict {
        count(gateway, outside, accounts, &mut told, always).await?;
        forward.set_on_answer.clone_from(always);
    }
    perform(gateway, outside, request, verdict).await
}

/// Counts a request, and puts what its client is told by this and earlier counts into the headers of the answer.
async fn count<'a, O: Outside>(
    gateway: &Gateway<O::Key>,
    outside: &O,
    accounts: &[Account<'a>],
    told: &mut Vec<Told<'a>>,
    always: &mut Vec<(&'static str, String)>,
) -> Result<(), Refusal> {
    if accounts.is_empty() {
        return Ok(());
    }
    let counted = quota::count(&gateway.quotas, outside, accounts, told).await;
    for (name, value) in quota_headers(told) {
        always.retain(|(other, _)| *other != name);
        always.push((name, value));
    }
    counted
}

/// What is to be done with a request that was not refused.
enum Verdict<'a> {
    /// Answer it so.
    Own(OwnAnswer),
    /// Show the SMART configuration of the API's issuer.
    SmartConfiguration(&'a Api),
    /// Ask the FHIR server what it can do, and say beside it where tokens come from.
    Capabilities(&'a Api, Forward<'a>),
    /// Send it on, once it is counted, and hold it to a patient, if it has to be.
    Forward(Forward<'a>, Vec<Account<'a>>, Option<Confinement>),
}

/// The order of steps. Nothing is sent to the server behind here, and nothing is counted.
async fn decide<'a, O: Outside>(
    gateway: &'a Rc<Gateway<O::Key>>,
    outside: &O,
    request: &Incoming<'a>,
    always: &[(&'static str, String)],
    decision: &mut Decision<'a>,
    trail: &mut Trail,
) -> Result<Verdict<'a>, Refusal> {
    let config = &gateway.config;

    // 1. What is addressed? Ambiguous paths and unknown methods end here.
    trail.step("route");
    let route = routes::route(config, request)?;
    decision.route = Some(route.name());
    trail.found("route", route.name());

    // 2. What is open needs no look at credentials.
    let (api, asked) = match route {
        Route::Preflight => return Ok(Verdict::Own(cors::preflight())),
        Route::Health => return Ok(Verdict::Own(well_known::health(true))),
        Route::Counters => return Ok(Verdict::Own(gateway.counters.borrow().page())),
        Route::ProtectedResourceMetadata(api) => {
            return Ok(Verdict::Own(well_known::protected_resource_metadata(api)));
        }
        Route::SmartConfiguration(api) => return Ok(Verdict::SmartConfiguration(api)),
        Route::Capabilities(api) => {
            let forward = prepared(config, api, request, None, always)?;
            return Ok(Verdict::Capabilities(api, forward.without_conditions()));
        }
        Route::Open(api) => {
            let forward = prepared(config, api, request, None, always)?;
            return Ok(Verdict::Forward(forward, Vec::new(), None));
        }
        Route::Guarded(api, asked) => (api, asked),
    };
    decision.api = Some(&api.name);
    trail.found("api", &api.name);
    trail.found("rule", asked.rule_name());

    // 3. Exactly one credential.
    trail.step("credential");
    let credential = credentials::present(request, config.takes_api_keys(api))?;

    // 4. Who is it? Each kind of credential ends in verified claims: an API key by way of the token it is exchanged for,
    //    a DPoP-bound token with its proof. Revocation is looked up where the claims are verified.
    let holder = match credential {
        Credential::Bearer(token) => authenticate(gateway, outside, api, token, trail).await?,
        Credential::Dpop(token) => {
            dpop::authenticate_bound(gateway, outside, api, request, token, trail).await?
        }
        Credential::ApiKey { key, secret } => {
            api_keys::authenticate_key(gateway, outside, api, key, secret, trail).await?
        }
    };
    let claims = holder.claims();
    let subject = subject_hash(&claims.issuer, &claims.subject);
    let known = gateway.denials_meaning(api, &holder);
    let accounts = quota::accounts(config, api, claims, &subject, &known);
    decision.subject = Some(subject);

    // 5. May they? Without a scope or a rule that permits it, nothing is. Some requests say in their body what they ask for.
    trail.step("authorization");
    let body = match &asked {
        Asked::Fhir(fhir) => body::read(config, outside, api, fhir, &request.headers).await?,
        Asked::Plain(_) => None,
    };
    let permit = authorize(api, &holder, &asked, request, body.as_ref())?;
    (decision.outcome, decision.access_level) = ("allow", Some(permit.access_level));
    trail.found("access_level", permit.access_level);
    trail.found("authorized_by", &permit.authorized_by);

    // 6. Does it stay with the patient, where a patient's scopes alone permit it?
    let mut forward = prepared(config, api, request, Some((claims, &permit)), always)?;
    let confined = Confined {
        config,
        api,
        claims,
        permit: &permit,
        asked: &asked,
        request,
        body: body.as_ref(),
    };
    let confinement = confine(outside, confined, &mut forward).await?;
    if let Some(confinement) = &confinement {
        trail.found("patient_compartment", confinement.name());
    }

    // 7. What would be counted and sent.
    trail.step("forward");
    trail.found("limits", &api.limits.join(", "));
    trail.found_forward(api, request, &asked, &forward);
    Ok(Verdict::Forward(forward, accounts, confinement))
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
