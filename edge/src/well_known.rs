//! The documents that tell clients where to go. They need no token.
//!
//! The protected resource's metadata (RFC 9728) is made from the configuration. The SMART configuration is the
//! issuer's own document, fetched and kept like its keys and shown unchanged: what a deployment can do is the issuer's
//! to say, and two authors of one document disagree some day.

use std::rc::Rc;

use serde::Serialize;
use wardgate_shared::dpop;
use wardgate_shared::json;
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::time::Timestamp;

use crate::answer::OwnAnswer;
use crate::config::{Api, ApiKind};
use crate::error::Refusal;
use crate::issuers::Issuer;
use crate::jwks::{self, MAXIMUM_DOCUMENT_BYTES};
use crate::log::Incident;
use crate::outside::Outside;
use crate::refresh::{Permission, Refresh, RefreshSettings, Standing};

/// When to ask a Worker again whose configuration is wrong, in seconds. Only a new deployment mends it.
pub const MISCONFIGURED_RETRY_AFTER: &str = "60";

/// How long clients may keep one of these documents, in seconds.
const MAXIMUM_AGE: &str = "max-age=300";

/// The metadata of the protected resource (RFC 9728 section 2).
pub fn protected_resource_metadata(api: &Api) -> OwnAnswer {
    #[derive(Serialize)]
    struct Metadata<'a> {
        resource: &'a str,
        authorization_servers: &'a [String],
        bearer_methods_supported: [&'static str; 1],
        dpop_signing_alg_values_supported: [&'static str; dpop::ALGORITHMS.len()],
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        dpop_bound_access_tokens_required: bool,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        scopes_supported: Vec<&'a String>,
    }
    let mut metadata = Metadata {
        resource: &api.resource,
        authorization_servers: &api.issuers,
        bearer_methods_supported: ["header"],
        dpop_signing_alg_values_supported: dpop::ALGORITHMS.map(SignatureAlgorithm::name),
        dpop_bound_access_tokens_required: api.requires_dpop,
        scopes_supported: Vec::new(),
    };
    if let ApiKind::Plain(rules) = &api.kind {
        for scope in rules.require.iter().flat_map(|rule| &rule.scopes) {
            if !metadata.scopes_supported.contains(&scope) {
                metadata.scopes_supported.push(scope);
            }
        }
    }
    // Strings always serialise.
    document(serde_json::to_string(&metadata).unwrap_or_default())
}

/// The health of the Worker itself. It says nothing about issuer and FHIR server, which have their own.
pub fn health(is_configured: bool) -> OwnAnswer {
    let answer = if is_configured {
        OwnAnswer::new(200).with_body("application/json", r#"{"status":"ok"}"#)
    } else {
        OwnAnswer::new(503)
            .with("retry-after", MISCONFIGURED_RETRY_AFTER)
            .with_body("application/json", r#"{"status":"misconfigured"}"#)
    };
    answer.with("cache-control", "no-store")
}

fn document(body: String) -> OwnAnswer {
    OwnAnswer::new(200)
        .with("cache-control", MAXIMUM_AGE)
        .with_body("application/json", body)
}

/// A document of the issuer's that is kept.
#[derive(Debug)]
pub struct KeptDocument {
    refresh: Refresh,
    text: Option<Rc<str>>,
}

impl KeptDocument {
    /// None yet.
    pub const fn new(settings: RefreshSettings) -> Self {
        Self {
            refresh: Refresh::new(settings),
            text: None,
        }
    }

    /// The document, if it may be used at `now`, and whether to fetch it, beside or before.
    fn look_up(&self, now: Timestamp) -> (Option<Rc<str>>, Permission) {
        match self.refresh.standing(now) {
            Standing::Fresh => (self.text.clone(), Permission::JustFetched),
            Standing::Stale => (self.text.clone(), self.refresh.may_renew(now)),
            Standing::Absent => (None, self.refresh.may_renew(now)),
        }
    }
}

/// The SMART configuration (SMART App Launch 2.2, "Conformance").
///
/// # Errors
/// [`Refusal::Undecided`] when there is none to show.
pub async fn smart_configuration<O: Outside>(
    issuer: &Rc<Issuer<O::Key>>,
    outside: &O,
) -> Result<OwnAnswer, Refusal> {
    let text = smart_document(issuer, outside).await?;
    Ok(document(text.to_string()))
}

/// The text of the SMART configuration.
///
/// # Errors
/// [`Refusal::Undecided`] when it cannot be had.
pub async fn smart_document<O: Outside>(
    issuer: &Rc<Issuer<O::Key>>,
    outside: &O,
) -> Result<Rc<str>, Refusal> {
    for _ in 0..jwks::waiting_turns(issuer.timeout_milliseconds) {
        let (text, permission) = issuer.smart_configuration.borrow().look_up(outside.now());
        match (text, permission) {
            (Some(text), Permission::Granted) => {
                drop(outside.in_background(load(issuer, outside)));
                return Ok(text);
            }
            (Some(text), _) => return Ok(text),
            (None, Permission::Granted) => outside.in_background(load(issuer, outside)).await,
            (None, Permission::Running) => outside.pause(jwks::PAUSE_MILLISECONDS).await,
            (None, Permission::CoolingDown { seconds }) => {
                return Err(Refusal::Undecided {
                    retry_after_seconds: seconds,
                });
            }
            (None, Permission::JustFetched) => break,
        }
    }
    Err(Refusal::Undecided {
        retry_after_seconds: 1,
    })
}

fn load<O: Outside>(issuer: &Rc<Issuer<O::Key>>, outside: &O) -> impl Future<Output = ()> + 'static {
    let (issuer, outside) = (Rc::clone(issuer), outside.clone());
    let started = issuer
        .smart_configuration
        .borrow_mut()
        .refresh
        .start(outside.now());
    async move {
        let fetched = outside
            .fetch_document(
                &issuer.trusted.smart_configuration_url,
                issuer.timeout_milliseconds,
                MAXIMUM_DOCUMENT_BYTES,
            )
            .await;
        let text = fetched
            .map_err(Incident::SmartConfigurationUnreachable)
            .and_then(|bytes| {
                let text = json::check_object(&bytes)
                    .ok()
                    .and_then(|()| String::from_utf8(bytes).ok());
                text.ok_or(Incident::SmartConfigurationMalformed)
            });
        let mut kept = issuer.smart_configuration.borrow_mut();
        match text {
            Ok(text) => {
                if kept.refresh.succeed(started) {
                    kept.text = Some(text.into());
                }
            }
            Err(incident) => {
                kept.refresh.fail(started, outside.now());
                outside.log(&incident.line(&issuer.trusted.issuer));
            }
        }
    }
}
