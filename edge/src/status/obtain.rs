//! From a token's claim `status` to a verdict, by way of the cache.

use std::borrow::Cow;
use std::rc::Rc;

use wardgate_shared::claims::{STATUS_LIST_TYPE, Status, StatusListClaims, StatusListReference};
use wardgate_shared::denial::{self, Denials, DenyBefore, TokenNames};
use wardgate_shared::jwt::{Policy, UnverifiedJwt, verify};
use wardgate_shared::status_list::{StatusList, TokenStatus};
use wardgate_shared::time::Timestamp;

use crate::authenticate::TokenError;
use crate::error::Refusal;
use crate::issuers::Issuer;
use crate::jwks::{self, PAUSE_MILLISECONDS, waiting_turns};
use crate::log::{FetchFailure, Incident};
use crate::outside::Outside;

use super::cache::Lookup;

/// The largest list token that is read, in bytes: a list of a million tokens, a tenth of them revoked, takes about 105 kB.
const MAXIMUM_DOCUMENT_BYTES: u32 = 320 * 1024;

/// What a list may unpack to, in bytes: a million tokens of one bit, twice.
const MAXIMUM_LIST_BYTES: u32 = 256 * 1024;

/// Refuses a token that was revoked.
///
/// # Errors
/// [`Refusal::Token`] with [`TokenError::Revoked`] when it was, or with [`TokenError::Status`] when its status is told in a way that is
/// not accepted here; [`Refusal::Undecided`] when it cannot be known now.
pub async fn check<O: Outside>(
    issuer: &Rc<Issuer<O::Key>>,
    outside: &O,
    status: Option<&Status>,
) -> Result<(), Refusal> {
    let Some(status) = status else {
        // An issuer that publishes no statuses revokes nothing before it expires.
        return Ok(());
    };
    let place = status
        .status_list
        .as_ref()
        .filter(|place| issuer.trusted.publishes_status_list(&place.uri))
        .ok_or(TokenError::Status)?;
    match look_up(issuer, outside, place).await? {
        Some(TokenStatus::Valid) => Ok(()),
        Some(TokenStatus::Invalid | TokenStatus::Suspended | TokenStatus::Other(_)) | None => {
            Err(TokenError::Revoked.into())
        }
    }
}

async fn look_up<O: Outside>(
    issuer: &Rc<Issuer<O::Key>>,
    outside: &O,
    place: &StatusListReference,
) -> Result<Option<TokenStatus>, Refusal> {
    for _ in 0..waiting_turns(issuer.timeout_milliseconds) {
        let lookup = issuer
            .status_lists
            .borrow_mut()
            .look_up(&place.uri, place.index, outside.now());
        match lookup {
            Lookup::Status { status, renew } => {
                if renew {
                    drop(outside.in_background(load(issuer, outside, &place.uri)));
                }
                return Ok(status);
            }
            // Beside the request, so that a client that hangs up does not leave the others waiting.
            Lookup::Fetch => outside.in_background(load(issuer, outside, &place.uri)).await,
            Lookup::Wait => outside.pause(PAUSE_MILLISECONDS).await,
            Lookup::Unavailable { retry_after_seconds } => {
                return Err(Refusal::Undecided { retry_after_seconds });
            }
        }
    }
    Err(Refusal::Undecided {
        retry_after_seconds: 1,
    })
}

/// Fetches a list once and notes what came of it. The attempt is noted as begun before this returns.
fn load<O: Outside>(
    issuer: &Rc<Issuer<O::Key>>,
    outside: &O,
    uri: &str,
) -> impl Future<Output = ()> + 'static {
    let (issuer, outside, uri) = (Rc::clone(issuer), outside.clone(), uri.to_owned());
    let started_at = outside.now();
    let started = issuer.status_lists.borrow_mut().start(&uri, started_at);
    async move {
        match fetch(&issuer, &outside, &uri).await {
            Ok(fetched) => {
                issuer
                    .denials
                    .borrow_mut()
                    .learn(fetched.issued_at, fetched.denials);
                issuer.status_lists.borrow_mut().accept(
                    &uri,
                    started,
                    fetched.list,
                    started_at,
                    fetched.due_at.since(started_at),
                    fetched.expires_at,
                );
            }
            Err(incident) => {
                let now = outside.now();
                issuer.status_lists.borrow_mut().fail(&uri, started, now);
                outside.log(&incident.line(&issuer.trusted.issuer));
            }
        }
    }
}

struct Fetched {
    list: StatusList,
    issued_at: Timestamp,
    denials: Vec<DenyBefore>,
    due_at: Timestamp,
    expires_at: Timestamp,
}

/// The list at `uri`, verified: of the type, of this issuer, about itself, signed by one of the issuer's keys.
async fn fetch<O: Outside>(issuer: &Rc<Issuer<O::Key>>, outside: &O, uri: &str) -> Result<Fetched, Incident> {
    let milliseconds = issuer.timeout_milliseconds;
    let fetched = outside
        .fetch_document(uri, milliseconds, MAXIMUM_DOCUMENT_BYTES)
        .await;
    let bytes = fetched.map_err(Incident::StatusListUnreachable)?;
    let malformed = || Incident::StatusListMalformed;
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed())?.trim();
    let unverified = UnverifiedJwt::parse(text, text.len()).map_err(|_| malformed())?;
    let key = jwks::obtain(issuer, outside, unverified.key_id(), unverified.algorithm());
    let key = key
        .await
        .map_err(|_| Incident::StatusListUnreachable(FetchFailure::Unreachable))?;
    let policy = Policy {
        token_type: Some(Cow::Borrowed(STATUS_LIST_TYPE)),
        issuer: Cow::Borrowed(&issuer.trusted.issuer),
        audiences: Cow::Borrowed(&[]),
        skew_seconds: issuer.clock_skew_seconds,
        maximum_lifetime_seconds: None,
    };
    let now = outside.now();
    let verified = verify::<StatusListClaims, O::Key>(&unverified, &key, &policy, now).await;
    let verified = verified.map_err(|_| malformed())?;
    let (issued_at, expires_at) = (verified.issued_at().unwrap_or(now), verified.expires_at());
    let claims = verified.into_claims();
    if claims.uri != uri {
        return Err(malformed());
    }
    let denials =
        denial::decode(claims.deny_before.as_deref().unwrap_or_default()).map_err(|_| malformed())?;
    // A key that is denied speaks for its thief: nothing that it signed counts, this list included.
    let signer = TokenNames::of(&claims.issuer, "", "", None, unverified.key_id());
    let mut denied = Denials::default();
    denied.learn(issued_at, denials.clone());
    if denied.deny(&signer, Some(issued_at)) {
        return Err(malformed());
    }
    let compressed = claims.status_list;
    let most = usize::try_from(MAXIMUM_LIST_BYTES).unwrap_or(usize::MAX);
    let packed = compressed.packed(most).map_err(|_| malformed())?;
    let bytes = outside.inflate(&packed, MAXIMUM_LIST_BYTES).await;
    let list = StatusList::unpacked(compressed.bits, bytes.ok_or_else(malformed)?);
    let time_to_live = claims.time_to_live_seconds.map_or(i64::MAX, i64::from);
    Ok(Fetched {
        list,
        issued_at,
        denials,
        due_at: issued_at.plus(time_to_live),
        expires_at: expires_at.plus(issuer.clock_skew_seconds),
    })
}
