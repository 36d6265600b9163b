//! What the issuer counts and measures of itself, for Prometheus (OpenMetrics 1.0 text).
//!
//! Each part keeps its own instruments ([`instruments`]), which cost it some atomic additions; here they get their names and are
//! written out. What is only looked at when somebody asks is in [`observed`]. Labels take values of fixed lists alone: a route's
//! template, a method of HTTP, an error code. Nothing that a request brings becomes a label, so that there are few of them, and
//! none says anything about a person, a client or a patient.

pub mod instruments;
pub mod layer;
pub mod listener;
mod observed;
mod process;
mod registrar;

use std::borrow::Cow;
use std::sync::Arc;

use http::StatusCode;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use wardgate_shared::oauth_error::OAuthErrorCode;
use wardgate_shared::time::Timestamp;

use crate::outbound::Outbound;
use crate::password::Passwords;
use crate::state::AppState;
use crate::store::Store;

use instruments::{Counters, request_seconds};
use observed::Observed;
use registrar::Registrar;
pub use registrar::{Described, documentation};

/// The media type of the text.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Labels of a request: endpoint, method, and what became of it where that is told.
type RequestLabels<const N: usize> = [(&'static str, Cow<'static, str>); N];
/// How long requests take, by endpoint and method.
type RequestDurations = Family<RequestLabels<2>, Histogram, fn() -> Histogram>;

/// All instruments under their names. Clones share them.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    described: Vec<Described>,
    requests: Family<RequestLabels<3>, Counter>,
    request_seconds: RequestDurations,
    requests_in_flight: Gauge,
    rate_limit_refusals: Family<RequestLabels<1>, Counter>,
    token_requests: Counters<2>,
    snapshots: Counters<1>,
    observed: Observed,
}

impl Metrics {
    /// The instruments of these parts, and those of the web side.
    pub fn new(store: &Store, passwords: &Passwords, outbound: &Outbound) -> Self {
        let mut registry = Registry::default();
        let mut registrar = Registrar::new(&mut registry);
        let requests = Family::default();
        let request_seconds: RequestDurations = Family::new_with_constructor(request_seconds);
        let requests_in_flight = Gauge::default();
        let rate_limit_refusals = Family::default();
        let token_requests = Counters::default();
        let snapshots = Counters::default();
        registrar.add(
            "http_requests",
            "endpoint, method, status",
            "Requests that were answered; `status` is the class, such as 2xx",
            &requests,
        );
        registrar.add_in(
            "http_request_duration",
            Unit::Seconds,
            "endpoint, method",
            "How long answers took",
            &request_seconds,
        );
        registrar.add(
            "http_requests_in_flight",
            "",
            "Requests under way",
            &requests_in_flight,
        );
        registrar.add(
            "rate_limit_refusals",
            "endpoint",
            "Requests that were answered 429: too many of a client, or too many guesses",
            &rate_limit_refusals,
        );
        registrar.add(
            "token_requests",
            "grant_type, outcome",
            "Token requests that were answered; `outcome` is success or the OAuth error code",
            &token_requests,
        );
        registrar.add(
            "snapshots",
            "outcome",
            "Scheduled copies of the database that were made, or failed",
            &snapshots,
        );
        store.instruments().register(&mut registrar);
        passwords.instruments().register(&mut registrar);
        outbound.instruments().register(&mut registrar);
        let observed = Observed::default();
        observed.register(&mut registrar);
        let described = registrar.finish();
        Self(Arc::new(Inner {
            registry,
            described,
            requests,
            request_seconds,
            requests_in_flight,
            rate_limit_refusals,
            token_requests,
            snapshots,
            observed,
        }))
    }

    /// What there is, in the order of the text.
    pub fn described(&self) -> &[Described] {
        &self.0.described
    }

    /// Counts a token request that named this grant type and was answered so.
    pub fn token_request(
        &self,
        grant_type: &'static str,
        refused_with: Option<OAuthErrorCode>,
        status: StatusCode,
    ) {
        let outcome = match refused_with {
            Some(code) => code.as_str(),
            None if status.is_success() => "success",
            None => "server_error",
        };
        let labels = [("grant_type", grant_type), ("outcome", outcome)];
        self.0.token_requests.get_or_create(&labels).inc();
    }

    /// Counts a scheduled copy of the database.
    pub fn snapshot(&self, is_made: bool) {
        let outcome = if is_made { "success" } else { "failure" };
        self.0.snapshots.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// Notes when the certificate that this issuer shows by itself expires; there is nothing to note where a proxy speaks TLS.
    pub fn certificate_expires(&self, at: Timestamp) {
        self.0.observed.certificate_expires(at.seconds());
    }

    /// Everything as text, after a look at what is only looked at now. What cannot be looked at keeps its last value.
    pub async fn text(&self, state: &AppState) -> String {
        self.0.observed.look(state).await;
        let mut text = String::with_capacity(64 * 1024);
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.0.registry);
        text
    }
}

#[cfg(test)]
mod tests;
