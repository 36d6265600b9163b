//! People's second factors: which they have, and the reset for somebody who has lost them all.

use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::factor::{Factor, FactorKind};
use crate::domain::user::User;
use crate::keys::Sealer;
use crate::login::second_factor::totp::Seed;
use crate::notices::{News, Notices};
use crate::rng;
use crate::store::{Insertion, Store};

use super::{Actor, AdministrationError};

/// The confirmed factors of a person, the oldest first.
///
/// # Errors
/// [`AdministrationError::NotFound`], or the store cannot answer.
pub async fn list(store: &Store, user_id: &str) -> Result<Vec<Factor>, AdministrationError> {
    let user = store.user(user_id).await?;
    let user = user.ok_or(AdministrationError::NotFound)?;
    Ok(store.factors(&user.id).await?)
}

/// Gives a person an authenticator app, by its seed and name, as if they had set it up; a mail tells them. Says whether it was
/// stored: not when they have as many factors as one may have.
///
/// # Errors
/// When the store cannot answer, or there is no randomness.
pub async fn add_app(
    store: &Store,
    notices: Notices<'_>,
    sealer: &Sealer,
    actor: &Actor,
    user: &User,
    (seed, name): (&Seed, &str),
    now: Timestamp,
) -> Result<bool, AdministrationError> {
    let id = rng::identifier("factor-")?;
    let factor = Factor {
        sealed: Some(seed.seal(sealer, &id)?),
        id,
        user_id: user.id.clone(),
        kind: FactorKind::Totp,
        name: name.into(),
        detail: None,
        created_at: now,
        confirmed_at: Some(now),
        last_used_at: None,
        last_step: None,
    };
    let audit = actor
        .audit(AuditAction::FactorEnrolment, AuditOutcome::Success, now)
        .with_user(&*user.id);
    let notice = notices.of(user, News::FactorAdded(FactorKind::Totp), now)?;
    let inserted = store.insert_factor(factor, Some((audit, notice))).await?;
    Ok(inserted == Insertion::Inserted)
}

/// Ends every factor of a person, their recovery codes, remembered browsers, unfinished sign-ins and sessions. Whoever then knows
/// the password can set up a factor of their own: be sure who asked. A mail tells the person. Says how many factors there were.
///
/// Nobody resets their own: a token or a session in the wrong hands would take away the very factor that protects its person.
///
/// # Errors
/// [`AdministrationError::NotFound`], [`AdministrationError::OwnFactors`], [`AdministrationError::BeyondOwnRole`], or the store
/// cannot answer.
pub async fn reset(
    store: &Store,
    notices: Notices<'_>,
    actor: &Actor,
    user_id: &str,
    now: Timestamp,
) -> Result<u32, AdministrationError> {
    let user = store.user(user_id).await?;
    let user = user.ok_or(AdministrationError::NotFound)?;
    if actor.user_id.as_ref() == Some(&user.id) {
        return Err(AdministrationError::OwnFactors);
    }
    let notice = notices.of(&user, News::FactorsReset, now)?;
    let audit = actor
        .audit(AuditAction::FactorReset, AuditOutcome::Success, now)
        .with_user(user_id);
    let reset = store
        .reset_factors(user_id, actor.user_id.clone(), notice, audit)
        .await?;
    reset.map_err(|refused| AdministrationError::refused(refused, "id"))
}
