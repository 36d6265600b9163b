//! Who calls, where an access token says so: at userinfo and introspection (RFC 6750 section 2, RFC 9449 section 7).
//!
//! A token that is bound to a key is good only with the scheme `DPoP` and a proof made with that key for this request and
//! this token; a bearer token only without that scheme. There is no way down from the one to the other.

use http::{HeaderMap, HeaderValue, header};
use wardgate_shared::claims::Binding;

use crate::domain::proof_use::ProofUse;
use crate::error::bearer::BearerError;
use crate::error::dpop::ProofRefusal;
use crate::error::internal::InternalError;
use crate::extract::{Parameters, RequestTarget};
use crate::state::AppState;
use crate::store::Insertion;
use crate::tokens::own::{self, LiveAccessToken};

use super::dpop;

/// How an access token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `Authorization: Bearer`, or the form.
    Bearer,
    /// `Authorization: DPoP`, with a proof beside it.
    Dpop,
}

impl Scheme {
    /// The scheme of a value of `Authorization`, in any letter case (FAPI-51); `None` when it is one that carries no access
    /// token.
    pub fn of(value: &HeaderValue) -> Option<Self> {
        let name = value.as_bytes().split(|byte| *byte == b' ').next()?;
        if name.eq_ignore_ascii_case(b"Bearer") {
            Some(Self::Bearer)
        } else if name.eq_ignore_ascii_case(b"DPoP") {
            Some(Self::Dpop)
        } else {
            None
        }
    }
}

/// The living access token of a request that has `scope`. It comes in the `Authorization` header, or in the form that is
/// given here; the query is never looked at (RFC 9700 section 4.3.2). A proof that comes with it is used up.
///
/// # Errors
/// Inside the `Ok`: [`BearerError`]. Outside: what the store could not answer.
pub async fn authenticate(
    state: &AppState,
    target: &RequestTarget,
    headers: &HeaderMap,
    form: Option<&Parameters>,
    scope: &'static str,
) -> Result<Result<LiveAccessToken, BearerError>, InternalError> {
    let (scheme, text) = match present(headers, form) {
        Ok(presented) => presented,
        Err(error) => return Ok(Err(error)),
    };
    let now = state.now();
    let Some(live) = own::live_access_token(state, text, now).await? else {
        return Ok(Err(BearerError::InvalidToken));
    };
    let claims = live.token.claims();
    let proof = match (scheme, claims.binding()) {
        (Scheme::Bearer, Binding::Nothing) => None,
        (Scheme::Bearer, Binding::Key(_) | Binding::NotUnderstood) => return Ok(Err(BearerError::Bound)),
        (Scheme::Dpop, Binding::Nothing | Binding::NotUnderstood) => {
            return Ok(Err(BearerError::AnotherKey));
        }
        (Scheme::Dpop, Binding::Key(thumbprint)) => {
            match dpop::presented(state, headers, target, Some(text), now).await {
                Ok(Some(proof)) if proof.is_by(thumbprint) => Some(proof),
                Ok(Some(_)) => return Ok(Err(BearerError::AnotherKey)),
                Ok(None) => return Ok(Err(BearerError::Proof(ProofRefusal::Missing))),
                Err(refusal) => return Ok(Err(BearerError::Proof(refusal))),
            }
        }
    };
    if claims.scope.split(' ').all(|own| own != scope) {
        return Ok(Err(BearerError::InsufficientScope(scope)));
    }
    let Some(proof) = proof else {
        return Ok(Ok(live));
    };
    let consumed = state.store().consume_dpop_proof(ProofUse::of(&proof)).await?;
    Ok(match consumed {
        Insertion::Inserted => Ok(live),
        Insertion::AlreadyExists => Err(BearerError::Proof(ProofRefusal::Replayed)),
    })
}

/// The one token that a request carries, in its `Authorization` header or in a form.
///
/// # Errors
/// [`BearerError`].
pub(super) fn present<'a>(
    headers: &'a HeaderMap,
    form: Option<&'a Parameters>,
) -> Result<(Scheme, &'a str), BearerError> {
    let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
    let authorization = authorizations.next();
    let in_form = match form {
        Some(form) => form.single("access_token").map_err(|_| BearerError::Malformed)?,
        None => None,
    };
    match (authorization, authorizations.next(), in_form) {
        (None, None, None) => Err(BearerError::NoToken),
        (None, None, Some(token)) => Ok((Scheme::Bearer, token)),
        (Some(authorization), None, None) => {
            let scheme = Scheme::of(authorization).ok_or(BearerError::Malformed)?;
            let text = authorization.to_str().map_err(|_| BearerError::Malformed)?;
            let (_, token) = text.split_once(' ').ok_or(BearerError::Malformed)?;
            Ok((scheme, token.trim_matches(' ')))
        }
        (_, _, _) => Err(BearerError::Malformed),
    }
}
