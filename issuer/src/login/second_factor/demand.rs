//! Whether a sign-in, or a session, still lacks something before it is good enough: the rule of the second factor.
//!
//! Whoever has a second factor is asked for it. It is asked for again when it was given too long ago, or when nobody was seen for
//! too long since (`[second_factor]`), in a session as well as in a browser that is remembered. A request can want more: an
//! `acr` that was not reached in this very sign-in, or a `max_age` that the last factor does not meet.
//!
//! Another identity provider's word stands for a second factor of ours, since its connection attests that it asks for one.

use wardgate_shared::time::Timestamp;

use crate::domain::authentication_context::{AuthenticationContext, RequestedContext};
use crate::domain::factor::FactorKind;
use crate::domain::role::SecondFactorPolicy;
use crate::domain::session::{AuthenticationMethod, Session};
use crate::domain::user::User;
use crate::endpoints::authorize::pending::PendingRequest;
use crate::error::internal::InternalError;
use crate::state::AppState;

use super::is_usable;

/// What is lacking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Nothing.
    Nothing,
    /// A second factor has to be given.
    SecondFactor,
    /// The person must have a second factor, and has to set one up.
    Enrolment,
    /// The request insists on an `acr` that this person cannot reach.
    UnreachableContext,
}

/// How far somebody is authenticated.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// Who.
    pub user: &'a User,
    /// By what, in this sign-in.
    pub methods: &'a [AuthenticationMethod],
    /// When a second factor was last given that may still count here.
    pub factor_at: Option<Timestamp>,
    /// What the request wants.
    pub wanted: Option<&'a RequestedContext>,
    /// A factor given before this instant does not count for the request.
    pub factor_after: Option<Timestamp>,
}

/// What somebody lacks who stands so.
///
/// # Errors
/// When the store cannot answer.
pub async fn missing(state: &AppState, standing: Standing<'_>) -> Result<Missing, InternalError> {
    let config = &state.config().second_factor;
    let factors = state.store().factors(&standing.user.id).await?;
    let reached = AuthenticationContext::reached_by(standing.methods);
    if let Some(wanted) = standing.wanted
        && !wanted.is_met_by(reached)
    {
        if factors
            .iter()
            .any(|factor| fits(factor.kind, standing.methods, wanted))
        {
            return Ok(Missing::SecondFactor);
        }
        if wanted.essential {
            // Whoever has no factor can set one up now.
            let reachable = FactorKind::ALL
                .into_iter()
                .any(|kind| is_usable(state, kind) && fits(kind, standing.methods, wanted));
            return Ok(if reachable && factors.is_empty() {
                Missing::Enrolment
            } else {
                Missing::UnreachableContext
            });
        }
    }
    let required = is_required(state, standing.user).await?;
    if came_by_single_sign_on(standing.methods) && !(required && config.after_single_sign_on) {
        return Ok(Missing::Nothing);
    }
    if factors.is_empty() {
        return Ok(if required {
            Missing::Enrolment
        } else {
            Missing::Nothing
        });
    }
    let now = state.now();
    let counts = |at: Timestamp| {
        now.since(at) < config.lifetime.interval_seconds
            && standing.factor_after.is_none_or(|after| at >= after)
    };
    Ok(if standing.factor_at.is_some_and(counts) {
        Missing::Nothing
    } else {
        Missing::SecondFactor
    })
}

/// What the session lacks for this request.
///
/// # Errors
/// When the store cannot answer.
pub async fn missing_in_session(
    state: &AppState,
    user: &User,
    session: &Session,
    pending: Option<&PendingRequest>,
) -> Result<Missing, InternalError> {
    let request = pending.map(|pending| &pending.request);
    let digest = request.map(|request| request.digest);
    let signed_in_for_it = digest.is_some() && session.request == digest;
    let asked_for_it = signed_in_for_it || (digest.is_some() && session.factor_request == digest);
    let standing = Standing {
        user,
        methods: &session.methods,
        factor_at: session.second_factor_at,
        // A wish is tried once, an insistence until it is met.
        wanted: request
            .and_then(|request| request.requested_context.as_ref())
            .filter(|wanted| wanted.essential || !asked_for_it),
        factor_after: request
            .and_then(|request| request.authenticated_after)
            .filter(|_| !asked_for_it),
    };
    missing(state, standing).await
}

/// Whether a factor of this kind, given now, makes somebody who did `methods` what the request wants.
pub fn fits(kind: FactorKind, methods: &[AuthenticationMethod], wanted: &RequestedContext) -> bool {
    wanted
        .any_of
        .iter()
        .any(|context| kind.reaches(methods, *context))
}

/// Whether this person must have a second factor: because the configuration, their role or their organization says so.
///
/// # Errors
/// When the store cannot answer.
pub async fn is_required(state: &AppState, user: &User) -> Result<bool, InternalError> {
    let role = user.role.as_ref().map(|role| role.second_factor);
    if state.config().second_factor.required || role == Some(SecondFactorPolicy::Required) {
        return Ok(true);
    }
    let Some(organization) = &user.organization_id else {
        return Ok(false);
    };
    let organization = state.store().organization(organization).await?;
    Ok(organization.is_some_and(|organization| organization.second_factor == SecondFactorPolicy::Required))
}

/// Whether these methods need no second factor beside them.
pub fn is_strong(methods: &[AuthenticationMethod]) -> bool {
    AuthenticationContext::reached_by(methods)
        .is_some_and(|reached| reached >= AuthenticationContext::MultiFactor)
}

/// Whether another identity provider had a part in it.
pub fn came_by_single_sign_on(methods: &[AuthenticationMethod]) -> bool {
    methods.iter().any(|method| {
        matches!(
            method,
            AuthenticationMethod::SingleSignOn | AuthenticationMethod::MultiFactorSingleSignOn
        )
    })
}
