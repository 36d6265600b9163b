//! The first administrator: an account without a password, and a link by which to set one.
//!
//! As long as no administrator has a password, running `init` again makes a new link, and the one before is over. After that
//! administrators make administrators.

use wardgate_shared::time::Timestamp;

use crate::account_links::{LinkMaker, Made, Way};
use crate::cli::{Failure, output};
use crate::config::Config;
use crate::domain::account_link::LinkPurpose;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::role::{BUILDER_ADMIN, Role};
use crate::domain::user::{Profile, User, UserType, normalize_email};
use crate::keys::Sealer;
use crate::messages::Mail;
use crate::rng;
use crate::store::{Insertion, Store};

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
    let audit = AuditEvent::new(now, AuditAction::Invitation, AuditOutcome::Success)
        .with_user(&*user.id)
        .with_method("cli");
    let maker = LinkMaker {
        store,
        config,
        sealer,
    };
    let purpose = LinkPurpose::FirstAdministrator;
    match maker.make(&user, purpose, Way::HandOver, None, audit).await? {
        Made::ToHandOver { link, expires_at } => output::result(&format!(
            "set the password of the administrator {email} here, once, until {}, while `wardgate serve` runs:\n{}",
            output::date(expires_at),
            link.expose()
        )),
        Made::Mailed { .. } | Made::CannotBeMailed | Made::Refused => {
            Err(Failure::Other(format!("no link could be made for {email}")))
        }
    }
}

async fn make(store: &Store, email: &str, now: Timestamp) -> Result<User, Failure> {
    let role: Option<Role> = store.role(BUILDER_ADMIN).await?;
    let user = User {
        id: rng::identifier("user-")?,
        email: email.into(),
        name: NAME.into(),
        password_hash: None,
        user_type: UserType::Builder,
        role,
        fhir_user: None,
        practitioner_id: None,
        organization_id: None,
        profile: Profile::default(),
        created_at: now,
        deactivated_at: None,
    };
    let audit = AuditEvent::new(now, AuditAction::UserCreation, AuditOutcome::Success)
        .with_user(&*user.id)
        .with_method("cli");
    match store.insert_user(user.clone(), audit).await? {
        Insertion::Inserted => {
            output::result(&format!("made the administrator {email}"))?;
            Ok(user)
        }
        Insertion::AlreadyExists => Err(Failure::AlreadyExists(format!(
            "there is an account for {email} already, and it is no administrator's"
        ))),
    }
}
