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

/// Sends the request as far as the patient's compartment permits.
pub(super) async fn send_confined<O: Outside>(
    outside: &O,
    request: &Incoming<'_>,
    mut forward: Forward<'_>,
    confinement: &Confinement,
) -> Result<Answer<O::Response>, Refusal> {
    match &confinement.work {
        Work::Nothing => {}
        Work::Answer(expected) => return judged(outside, &forward, confinement, expected).await,
        Work::Existing(resource_type) => {
            let current = forward.reading_the_same();
            let expected = Expected::Resource(*resource_type);
            let (status, current) = judged_response(outside, &current, confinement, &expected).await?;
            if status >= 400 {
                // The server's own reason for not showing it.
                return Ok(Answer::Forwarded(status, current));
            }
            let version = outside.etag(&current);
            outside.discard(current);
            let version = version.ok_or(Refusal::Withheld(Withheld::NoVersion))?;
            hold_version(&mut forward, request.headers.get("if-match"), version)?;
        }
    }
    let (status, response) = send(outside, &forward).await?;
    Ok(Answer::Forwarded(status, response))
}

/// Lets the write act on the version that was looked at, and on no other.
fn hold_version(forward: &mut Forward<'_>, wanted: Option<&str>, version: String) -> Result<(), Refusal> {
    // Versions are compared weakly, since FHIR writes them so (R4 section 3.1.0.5).
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    match wanted {
        Some(wanted) if wanted.trim() != "*" && opaque(wanted) != opaque(&version) => {
            return Err(Refusal::Withheld(Withheld::OtherVersion));
        }
        Some(_) | None => forward.set.push(("if-match", version)),
    }
    Ok(())
}

async fn judged<O: Outside>(
    outside: &O,
    forward: &Forward<'_>,
    confinement: &Confinement,
    expected: &Expected,
) -> Result<Answer<O::Response>, Refusal> {
    let (status, response) = judged_response(outside, forward, confinement, expected).await?;
    Ok(Answer::Forwarded(status, response))
}

/// The server's answer, when it may be given away: the bytes that were judged, or a refusal of the server's own.
async fn judged_response<O: Outside>(
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
