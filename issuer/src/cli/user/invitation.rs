//! `wardgate user invite`: a person gets a link by which they set their password.

use clap::Args;
use wardgate_shared::time::Timestamp;

use crate::account_links::{LinkMaker, Made, Way};
use crate::cli::{Failure, opened, output};
use crate::config::Config;
use crate::domain::account_link::LinkPurpose;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::instant;
use crate::domain::user::{User, normalize_email};
use crate::keys::MasterKey;
use crate::store::Store;

/// Arguments of `user invite`.
#[derive(Debug, Args)]
pub(in crate::cli) struct InviteUser {
    /// The address they sign in with
    #[arg(long)]
    email: String,
    /// Print the link instead of sending it by mail; whoever reads it can set the password
    #[arg(long)]
    print_link: bool,
}

impl InviteUser {
    pub(in crate::cli) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let store = opened::store(config, now)?;
        let email = normalize_email(&self.email);
        let Some(user) = store.user_by_email(&email).await? else {
            return Err(Failure::NotFound(format!("there is no account for {email}")));
        };
        let said = invite(&store, config, &user, self.print_link, now).await?;
        store.close().await;
        output::result(&said)
    }
}

/// Makes an invitation, and gives what is to be said of it: the server sends the mail.
pub(super) async fn invite(
    store: &Store,
    config: &Config,
    user: &User,
    print_link: bool,
    now: Timestamp,
) -> Result<String, Failure> {
    let sealer = MasterKey::load(&config.keys.master_key)?.sealer();
    let audit = AuditEvent::new(now, AuditAction::Invitation, AuditOutcome::Success)
        .with_user(&*user.id)
        .with_method("cli");
    let maker = LinkMaker {
        store,
        config,
        sealer: &sealer,
    };
    let way = if print_link { Way::HandOver } else { Way::Mail };
    let made = maker
        .make(user, LinkPurpose::Invitation, way, None, audit)
        .await?;
    match made {
        Made::Mailed { expires_at } => Ok(format!(
            "an invitation for {} is queued; the running issuer sends it. Its link works until {}",
            user.email,
            instant::rfc3339(expires_at)
        )),
        Made::ToHandOver { link, expires_at } => Ok(format!(
            "{}\nhand this link to {} by a safe way: it works once, until {}",
            link.expose(),
            user.email,
            instant::rfc3339(expires_at)
        )),
        Made::CannotBeMailed => Err(Failure::Usage(format!(
            "no mail can be sent to {}: configure [mail], or use --print-link",
            user.email
        ))),
        Made::Refused => Err(Failure::Usage(format!("the account of {} is closed", user.email))),
    }
}
