//! Doing what was decided: the last part of the pipeline, and the only one that reaches the server behind.

use std::rc::Rc;

use crate::answer::OwnAnswer;
use crate::capabilities::{self, SmartEndpoints};
use crate::config::{Api, Config};
use crate::error::Refusal;
use crate::headers;
use crate::outside::Outside;
use crate::proxy::forward::{Authority, Forward, judge, prepare};
use crate::request::Incoming;
use crate::routes::below_prefix;
use crate::well_known;

use super::confined::send_confined;
use super::{Gateway, Verdict};

/// What the pipeline ends with when nothing was refused.
pub(super) enum Answer<R> {
    /// An answer of the edge's own.
    Own(OwnAnswer),
    /// The server's, and its status.
    Forwarded(u16, R),
}

/// Does what was decided.
pub(super) async fn perform<O: Outside>(
    gateway: &Rc<Gateway<O::Key>>,
    outside: &O,
    request: &Incoming<'_>,
    verdict: Verdict<'_>,
) -> Result<Answer<O::Response>, Refusal> {
    match verdict {
        Verdict::Own(answer) => Ok(Answer::Own(answer)),
        Verdict::SmartConfiguration(api) => {
            well_known::smart_configuration(gateway.first_issuer(api)?, outside)
                .await
                .map(Answer::Own)
        }
        Verdict::Capabilities(api, forward) => capabilities(gateway, outside, request, api, &forward).await,
        Verdict::Forward(mut forward, _, confinement) => {
            send_confined(outside, request, &mut forward, confinement.as_ref()).await
        }
    }
}

/// What the FHIR server can do, and in addition where tokens for it come from.
async fn capabilities<O: Outside>(
    gateway: &Rc<Gateway<O::Key>>,
    outside: &O,
    request: &Incoming<'_>,
    api: &Api,
    forward: &Forward<'_>,
) -> Result<Answer<O::Response>, Refusal> {
    let (status, response) = send(outside, forward).await?;
    if (request.method, status) != ("GET", 200) {
        return Ok(Answer::Forwarded(status, response));
    }
    let (milliseconds, bytes) = (
        api.upstream_timeout_milliseconds,
        capabilities::MAXIMUM_STATEMENT_BYTES,
    );
    let read = outside.read_json(&response, milliseconds, bytes).await;
    let Some(statement) = read.map_err(Refusal::Upstream)? else {
        return Ok(Answer::Forwarded(status, response));
    };
    // While the issuer cannot be asked, the FHIR server is still described, and nobody's addresses are shown.
    let endpoints = match well_known::smart_document(gateway.first_issuer(api)?, outside).await {
        Ok(document) => SmartEndpoints::of_document(&document),
        Err(_) => SmartEndpoints::default(),
    };
    let written = capabilities::with_security(&statement, &endpoints, &api.upstream, &api.resource);
    let body = written.map_or(statement, String::into_bytes);
    let response = outside
        .with_body(response, &body)
        .map_err(|_| Refusal::Internal)?;
    Ok(Answer::Forwarded(status, response))
}

/// The request as it would be sent on.
pub(super) fn prepared<'a>(
    config: &Config,
    api: &Api,
    request: &Incoming<'a>,
    authority: Authority<'_>,
    always: &[(&'static str, String)],
) -> Result<Forward<'a>, Refusal> {
    let request_id = always
        .iter()
        .find(|(name, _)| *name == headers::REQUEST_ID)
        .map_or("", |(_, id)| id);
    let below = below_prefix(&api.prefix, request.path).ok_or(Refusal::Internal)?;
    Ok(prepare(
        config,
        api,
        request,
        below,
        authority,
        request_id,
        always.to_vec(),
    ))
}

/// The server's answer, when it is one that may be passed on.
pub(super) async fn send<O: Outside>(
    outside: &O,
    forward: &Forward<'_>,
) -> Result<(u16, O::Response), Refusal> {
    let (status, response) = outside.forward(forward).await.map_err(Refusal::Upstream)?;
    match judge(status) {
        Ok(()) => Ok((status, response)),
        Err(failure) => {
            outside.discard(response);
            Err(Refusal::Upstream(failure))
        }
    }
}
