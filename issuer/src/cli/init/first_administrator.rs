//! The first administrator: an account without a password, and a link by which to set one.
//!
//! As long as no administrator has a password, running `init` again makes a new link, and the one before is over. After that
//! administrators make administrators.

use wardgate_shared::time::Timestamp;

use crate::account_links::{LinkMaker, Made, Way};
use crate::administration::users::{self, NewUser};
use crate::administration::{Actor, AdministrationError};
use crate::cli::{Failure, output};
use crate::config::Config;
use crate::domain::account_link::LinkPurpose;
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::instant;
use crate::domain::role::BUILDER_ADMIN;
use crate::domain::user::{User, normalize_email};
use crate::keys::Sealer;
use crate::messages::Mail;
use crate::store::Store;

/// What they are called until they say otherwise.
const NAME: &str = "Administrator";

/// Whether an administrator can have this address.
pub(super) fn check(email: &str) -> Result<(), Failure> {
    Mail::is_address(&normalize_email(email)).map_err(|_| {
        Failure::Usage(String::from(
            "--admin-email must be an address such as ada@example.org",
        ))
    })
}

/// Makes the administrator of this address, if there is none with a password yet, and prints a link.
pub(super) async fn provide(
    store: &Store,
    config: &Config,
    sealer: &Sealer,
    email: Option<&str>,
    now: Timestamp,
) -> Result<(), Failure> {
    let mut administrators = store.people_of_role(BUILDER_ADMIN).await?;
    administrators.retain(User::is_active);
    if administrators.iter().any(|user| user.password_hash.is_some()) {
        return output::result("an administrator is there");
    }
    let Some(email) = email.map(normalize_email) else {
        return output::result(
            "no administrator can sign in yet: `wardgate init --admin-email ada@example.org` makes one, and prints a link by \
             which they set their password",
        );
    };
    let user = match administrators.into_iter().find(|user| user.email == email) {
        Some(user) => user,
        None => make(store, &email, now).await?,
    };
    let audit = Actor::operator()
        .audit(AuditAction::Invitation, AuditOutcome::Success, now)
        .with_user(&*user.id);
    let maker = LinkMaker {
        store,
        config,
        sealer,
    };
    let purpose = LinkPurpose::FirstAdministrator;
    match maker.make(&user, purpose, Way::HandOver, None, audit).await? {
        Made::ToHandOver { link, expires_at } => output::result(&format!(
            "set the password of the administrator {email} here, once, until {}, while `wardgate serve` runs:\n{}",
            instant::rfc3339(expires_at),
            link.expose()
        )),
        Made::Mailed { .. } | Made::CannotBeMailed | Made::Refused => {
            Err(Failure::Other(format!("no link could be made for {email}")))
        }
    }
}

async fn make(store: &Store, email: &str, now: Timestamp) -> Result<User, Failure> {
    let new = NewUser {
        email: Some(email.into()),
        name: Some(NAME.into()),
        role_id: Some(BUILDER_ADMIN.into()),
        ..NewUser::default()
    };
    match users::create(store, &Actor::operator(), new, now).await {
        Ok(user) => {
            output::result(&format!("made the administrator {email}"))?;
            Ok(user)
        }
        Err(AdministrationError::Taken(_)) => Err(Failure::AlreadyExists(format!(
            "there is an account for {email} already, and it is no administrator's"
        ))),
        Err(error) => Err(error.into()),
    }
}
