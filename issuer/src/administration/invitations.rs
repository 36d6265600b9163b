//! Invitations: people whose account an administrator made get a link by which they set a password.
//!
//! The account is stored first and the link with its mail after it, each with its audit event. Where the second fails the
//! account stays, whoever made it is told so, and [`send`] tries again. A new link takes the place of the one before.

use crate::account_links::{LinkMaker, Made, Way};
use crate::domain::account_link::LinkPurpose;
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::message::Channel;
use crate::domain::role;
use crate::domain::user::User;
use crate::error::internal::InternalError;
use crate::messages;
use crate::single_sign_on::home_realm;
use crate::state::AppState;

use super::users::{self, Invitation, NewUser};
use super::{Actor, AdministrationError, FieldFault};

/// How many invitations a person gets in an hour.
const AT_MOST: u32 = 10;

/// What became of the invitation of somebody whose account was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invited {
    /// None was wanted.
    No,
    /// It is on its way.
    Queued,
    /// It could not be sent. The account is there, and [`send`] tries again.
    Failed,
}

/// Whether somebody of this address is to be invited, where `wanted` may say so. When it says nothing: wherever mail can be
/// sent, except people whose domain signs in at a provider, who need no password.
///
/// # Errors
/// When the store cannot answer. Inside the `Ok`: one is wanted, and no mail can be sent.
pub async fn of_wish(
    state: &AppState,
    wanted: Option<bool>,
    email: Option<&str>,
) -> Result<Result<Invitation, FieldFault>, AdministrationError> {
    let signs_in_elsewhere = match (wanted, email) {
        (None, Some(email)) => home_realm::connection_for(state, email).await?.is_some(),
        (Some(_), _) | (None, None) => false,
    };
    let wanted = wanted.or_else(|| signs_in_elsewhere.then_some(false));
    let can_send_mail = messages::are_sent(state.config(), Channel::Mail);
    Ok(Invitation::from_wish(wanted, can_send_mail))
}

/// Makes an account, and invites its person where that is wanted.
///
/// # Errors
/// [`AdministrationError`], where there is no account; `Taken` names `email`.
pub async fn create(
    state: &AppState,
    actor: &Actor,
    new: NewUser,
    invitation: Invitation,
) -> Result<(User, Invited), AdministrationError> {
    let user = users::create(state.store(), actor, new, state.now()).await?;
    let invited = match invitation {
        Invitation::None => Invited::No,
        Invitation::Send => match make(state, actor, &user).await {
            Ok(Made::Mailed { .. }) => Invited::Queued,
            Ok(Made::ToHandOver { .. } | Made::CannotBeMailed | Made::Refused) => Invited::Failed,
            Err(failure) => {
                failure.log();
                Invited::Failed
            }
        },
    };
    Ok((user, invited))
}

/// Invites the person of this id, once more where they were before.
///
/// # Errors
/// [`AdministrationError`].
pub async fn send(state: &AppState, actor: &Actor, id: &str) -> Result<User, AdministrationError> {
    let user = users::get(state.store(), id).await?;
    check_authority(state, actor, &user).await?;
    let invalid = |field, detail| Err(AdministrationError::Invalid(vec![FieldFault::new(field, detail)]));
    match make(state, actor, &user).await? {
        Made::Mailed { .. } => Ok(user),
        Made::ToHandOver { .. } | Made::CannotBeMailed => invalid(
            "email",
            "cannot be written to: mail is not configured here, or not for such an address",
        ),
        Made::Refused => invalid(
            "active",
            "must be true, and there may be ten invitations in an hour at most",
        ),
    }
}

async fn make(state: &AppState, actor: &Actor, user: &User) -> Result<Made, InternalError> {
    let audit = actor
        .audit(AuditAction::Invitation, AuditOutcome::Success, state.now())
        .with_user(&*user.id);
    LinkMaker::of(state)
        .make(user, LinkPurpose::Invitation, Way::Mail, Some(AT_MOST), audit)
        .await
}

/// Refuses a person who could not give this one what they have, as for every change of an account.
async fn check_authority(state: &AppState, actor: &Actor, user: &User) -> Result<(), AdministrationError> {
    let Some(giver) = &actor.user_id else {
        return Ok(());
    };
    if *giver == user.id {
        return Ok(());
    }
    let giver = state.store().user(giver).await?.filter(User::is_active);
    let ceiling = user.role.as_ref().and_then(|role| role.ceiling.as_ref());
    match giver.and_then(|giver| giver.role) {
        Some(own) if role::is_within(ceiling, &own) => Ok(()),
        Some(_) | None => Err(AdministrationError::BeyondOwnRole),
    }
}
