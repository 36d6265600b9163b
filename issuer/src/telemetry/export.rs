//! Sending spans to the collector: OTLP over HTTP in JSON, some at a time.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use reqwest::{Certificate, Client, Identity, redirect};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::config::TelemetryConfig;

use super::collect::{AttributeValue, Collector, EndedSpan};
use super::context::hex;

/// Spans that may wait; further ones are dropped.
const QUEUE: usize = 4096;
/// Spans in one request.
const LARGEST_BATCH: usize = 256;
/// How long spans wait for others to be sent with.
const PAUSE: Duration = Duration::from_secs(2);
/// Failures in a row between two lines in the log.
const FAILURES_A_LINE: u32 = 30;

/// SPAN_KIND_INTERNAL, SPAN_KIND_SERVER and SPAN_KIND_CLIENT of opentelemetry-proto.
const INTERNAL: u8 = 1;
const SERVER: u8 = 2;
const CLIENT: u8 = 3;
/// STATUS_CODE_ERROR.
const ERROR: u8 = 2;

/// The task that sends.
#[derive(Debug)]
pub struct Exporter {
    task: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl Exporter {
    /// Begins to send to the collector of `config`, and gives the layer that feeds it. Must be called within a runtime.
    ///
    /// # Errors
    /// A sentence, when the HTTP client cannot be made.
    pub fn start(config: &TelemetryConfig) -> Result<(Self, Collector), String> {
        let client = client(config)?;
        let (queue, spans) = mpsc::channel(QUEUE);
        let (stop, stopped) = oneshot::channel();
        let sender = Sender {
            client,
            url: config.traces_url.clone(),
            resource: resource(config),
            failures: 0,
        };
        let exporter = Self {
            task: tokio::spawn(sender.run(spans, stopped)),
            stop,
        };
        Ok((exporter, Collector::new(queue, config.sampling)))
    }

    /// Sends what waits, as far as that is quick, and stops.
    pub async fn finish(self) {
        let _ = self.stop.send(());
        let task = self.task;
        let abort = task.abort_handle();
        if tokio::time::timeout(PAUSE, task).await.is_err() {
            abort.abort();
        }
    }
}

/// The HTTP client of the exporter alone: with the collector's headers, and to no other place.
fn client(config: &TelemetryConfig) -> Result<Client, String> {
    let refused = |error: reqwest::Error| format!("traces cannot be sent: {error}");
    let mut headers = HeaderMap::new();
    for (name, text) in &config.headers {
        let mut value = HeaderValue::from_str(text.expose())
            .map_err(|_| format!("a value of the header {name} in telemetry.headers is none"))?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    let mut builder = Client::builder()
        .user_agent(concat!("Wardgate/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .timeout(config.timeout);
    if !config.tls.authorities.is_empty() {
        let authorities = config.tls.authorities.iter();
        let authorities: Result<Vec<_>, _> = authorities.map(|der| Certificate::from_der(der)).collect();
        builder = builder.tls_certs_only(authorities.map_err(refused)?);
    }
    if let Some(pem) = &config.tls.identity {
        let identity = Identity::from_pem(pem.expose().as_bytes()).map_err(refused)?;
        builder = builder.identity(identity);
    }
    builder.build().map_err(refused)
}

struct Sender {
    client: Client,
    url: String,
    /// What describes this service, in OTLP's form.
    resource: Value,
    failures: u32,
}

impl Sender {
    async fn run(mut self, mut spans: mpsc::Receiver<EndedSpan>, mut stopped: oneshot::Receiver<()>) {
        let mut pause = tokio::time::interval(PAUSE);
        let mut batch = Vec::with_capacity(LARGEST_BATCH);
        let mut is_stopping = false;
        while !is_stopping {
            let is_due = tokio::select! {
                span = spans.recv() => if let Some(span) = span {
                    batch.push(span);
                    batch.len() >= LARGEST_BATCH
                } else {
                    is_stopping = true;
                    true
                },
                _ = pause.tick() => true,
                _ = &mut stopped => {
                    is_stopping = true;
                    while batch.len() < LARGEST_BATCH && let Ok(span) = spans.try_recv() {
                        batch.push(span);
                    }
                    true
                }
            };
            if is_due && !batch.is_empty() {
                self.send(&batch).await;
                batch.clear();
            }
        }
    }

    /// Sends a batch. What cannot be sent is lost: it would only make the next one late.
    async fn send(&mut self, batch: &[EndedSpan]) {
        let request = self
            .client
            .post(&self.url)
            .header(header::CONTENT_TYPE, "application/json")
            .body(document(&self.resource, batch).to_string());
        let problem = match request.send().await {
            Ok(response) if response.status().is_success() => {
                self.failures = 0;
                return;
            }
            Ok(response) => format!("the answer has status {}", response.status()),
            Err(error) if error.is_timeout() => String::from("no answer in time"),
            Err(_) => String::from("no connection"),
        };
        if self.failures.is_multiple_of(FAILURES_A_LINE) {
            tracing::warn!(problem, spans = batch.len(), "the collector takes no traces");
        }
        self.failures = self.failures.wrapping_add(1);
    }
}

/// What describes this service.
fn resource(config: &TelemetryConfig) -> Value {
    let mut own = vec![("service.name", config.service_name.as_str())];
    // No name twice.
    if !config
        .resource_attributes
        .iter()
        .any(|(name, _)| name == "service.version")
    {
        own.push(("service.version", env!("CARGO_PKG_VERSION")));
    }
    let given = config.resource_attributes.iter();
    let given = given.map(|(name, value)| (name.as_str(), value.as_str()));
    let attributes: Vec<Value> = own
        .into_iter()
        .chain(given)
        .map(|(name, value)| json!({"key": name, "value": {"stringValue": value}}))
        .collect();
    json!({"attributes": attributes})
}

/// `ExportTraceServiceRequest` in JSON: names in hexadecimal, 64-bit numbers as texts.
pub fn document(resource: &Value, batch: &[EndedSpan]) -> Value {
    json!({"resourceSpans": [{
        "resource": resource,
        "scopeSpans": [{
            "scope": {"name": "wardgate", "version": env!("CARGO_PKG_VERSION")},
            "spans": batch.iter().map(span).collect::<Vec<_>>(),
        }],
    }]})
}

fn span(span: &EndedSpan) -> Value {
    let attributes: Vec<Value> = span
        .attributes
        .iter()
        .map(|(key, value)| {
            let value = match value {
                AttributeValue::Text(text) => json!({"stringValue": text}),
                AttributeValue::Number(number) => json!({"intValue": number.to_string()}),
            };
            json!({"key": key, "value": value})
        })
        .collect();
    let (kind, name) = match span.name {
        "request" => (SERVER, request_name(span)),
        "outbound" => (CLIENT, span.name.into()),
        _ => (INTERNAL, span.name.into()),
    };
    let mut told = json!({
        "traceId": hex(&span.trace.0),
        "spanId": hex(&span.span.0),
        "name": name,
        "kind": kind,
        "startTimeUnixNano": span.began.to_string(),
        "endTimeUnixNano": span.ended.to_string(),
        "attributes": attributes,
        "status": if is_error(span) { json!({"code": ERROR}) } else { json!({}) },
    });
    if let (Some(parent), Some(members)) = (span.parent, told.as_object_mut()) {
        members.insert("parentSpanId".into(), hex(&parent.0).into());
    }
    told
}

/// `{method} {route}`, as the conventions for HTTP name such a span.
fn request_name(span: &EndedSpan) -> String {
    let text = |wanted: &str| {
        span.attributes.iter().find_map(|(key, value)| match value {
            AttributeValue::Text(text) if *key == wanted => Some(text.as_str()),
            AttributeValue::Text(_) | AttributeValue::Number(_) => None,
        })
    };
    let method = text("http.request.method").unwrap_or("HTTP");
    match text("http.route") {
        Some(route) => format!("{method} {route}"),
        None => method.into(),
    }
}

/// For a server, an answer of 500 and above is an error; a call to others is one unless it succeeded.
fn is_error(span: &EndedSpan) -> bool {
    span.attributes.iter().any(|(key, value)| match (*key, value) {
        ("http.response.status_code", AttributeValue::Number(status)) => *status >= 500,
        ("wardgate.outcome", AttributeValue::Text(outcome)) => outcome != "success",
        _ => false,
    })
}
