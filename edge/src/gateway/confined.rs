//! Sending a request that is held to a patient: what is there is looked at before it is changed, and an answer before it is
//! given away.
//!
//! Clients are told the same of what is not there and of what is not the patient's, so that ids cannot be tried out. An
//! answer that is judged is held in memory as a whole, within a bound; nothing of it has left before it was judged.

use wardgate_shared::scope::compartment::Expected;

use crate::compartment::{Confinement, MAXIMUM_ANSWER_BYTES, Withheld, Work};
use crate::error::Refusal;
use crate::outside::Outside;
use crate::proxy::Forward;
use crate::request::Incoming;

use super::perform::{Answer, send};

/// Sends the request; as far as the patient's compartment permits, where it is held to one.
pub(super) async fn send_confined<O: Outside>(
    outside: &O,
    request: &Incoming<'_>,
    forward: &mut Forward<'_>,
    confinement: Option<&Confinement>,
) -> Result<Answer<O::Response>, Refusal> {
    let reading;
    let looked_at = confinement.and_then(|confinement| match &confinement.work {
        Work::Nothing => None,
        Work::Answer(expected) => Some((confinement, expected.clone(), false)),
        Work::Existing(resource_type) => Some((confinement, Expected::Resource(*resource_type), true)),
    });
    if let Some((confinement, expected, writes)) = looked_at {
        let question = if writes {
            reading = forward.reading_the_same();
            &reading
        } else {
            &*forward
        };
        let (status, response) = judged(outside, question, confinement, &expected).await?;
        // What the server refuses to show it refuses for a reason of its own.
        if !writes || status >= 400 {
            return Ok(Answer::Forwarded(status, response));
        }
        let version = outside.etag(&response);
        outside.discard(response);
        let version = version.ok_or(Refusal::Withheld(Withheld::NoVersion))?;
        hold_version(forward, request.headers.get("if-match"), version)?;
    }
    let (status, response) = send(outside, forward).await?;
    Ok(Answer::Forwarded(status, response))
}

/// Lets the write act on the version that was looked at, and on no other.
fn hold_version(forward: &mut Forward<'_>, wanted: Option<&str>, version: String) -> Result<(), Refusal> {
    // Versions are compared weakly, since FHIR writes them so (R4 section 3.1.0.5).
    match wanted {
        Some(wanted) if wanted.trim() != "*" && opaque(wanted) != opaque(&version) => {
            return Err(Refusal::Withheld(Withheld::OtherVersion));
        }
        Some(_) | None => forward.set.push(("if-match", version)),
    }
    Ok(())
}

fn opaque(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// The server's answer, when it may be given away: the bytes that were judged, or a refusal of the server's own.
async fn judged<O: Outside>(
    outside: &O,
    forward: &Forward<'_>,
    confinement: &Confinement,
    expected: &Expected,
) -> Result<(u16, O::Response), Refusal> {
    let (status, response) = send(outside, forward).await?;
    let reads_one = matches!(expected, Expected::Resource(_) | Expected::History(_));
    let withheld = match status {
        200..=299 => None,
        404 | 410 if reads_one => Some(Withheld::NotThere),
        400.. => return Ok((status, response)),
        // Such as 304 to a question that had no condition.
        _ => Some(Withheld::Unreadable),
    };
    if let Some(withheld) = withheld {
        outside.discard(response);
        return Err(Refusal::Withheld(withheld));
    }
    let read = outside.read_json(&response, forward.timeout_milliseconds, MAXIMUM_ANSWER_BYTES);
    let verdict = match read.await {
        Ok(Some(body)) => confinement.judge(&body, expected),
        Ok(None) => Err(Refusal::Withheld(Withheld::Unreadable)),
        Err(failure) => Err(Refusal::Upstream(failure)),
    };
    if let Err(refusal) = verdict {
        outside.discard(response);
        return Err(refusal);
    }
    let response = outside.with_read_body(response).map_err(|_| Refusal::Internal)?;
    Ok((status, response))
}
