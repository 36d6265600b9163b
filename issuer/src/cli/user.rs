//! `wardgate user add`: makes an account. Lists and changes are in `list` and `change`, what ends things for people, and
//! takes that back, in `ending`.

mod add_totp;
mod change;
mod ending;
mod invitation;
mod list;
mod local_sign_in;
mod profile;
pub(super) mod role;

use std::path::PathBuf;

use clap::Args;
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use crate::administration::users::{self, NewUser};
use crate::administration::{Actor, AdministrationError};
use crate::config::Config;
use crate::domain::message::Channel;
use crate::domain::user::User;
use crate::messages;
use crate::password::Passwords;
use crate::password::policy::Owner;

pub(super) use add_totp::AddTotp;
pub(super) use change::ChangeUser;
pub(super) use list::ListUsers;
pub(super) use local_sign_in::AllowLocalSignIn;
pub(super) use profile::SetProfile;

use super::{Failure, opened, output, secret_input};

pub(super) use ending::{DeactivateUser, ReactivateUser, ResetFactors, SignOutUser};
pub(super) use invitation::InviteUser;

const EXAMPLES: &str = "\
Examples:
  wardgate user add --email ada@example.org --name \"Ada Ito\" --fhir-user Practitioner/123
  generate-password | wardgate user add --email ada@example.org --name \"Ada Ito\" --password-stdin --json";

/// Arguments of `user add`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct AddUser {
    /// The address they sign in with
    #[arg(long)]
    email: String,
    /// What they are called
    #[arg(long)]
    name: String,
    /// Read the password from standard input instead of asking for it
    #[arg(long)]
    password_stdin: bool,
    /// Send them a link by which they set their password, instead of setting one here
    #[arg(long, conflicts_with = "password_stdin")]
    invite: bool,
    /// With --invite: print the link instead of sending it by mail
    #[arg(long, requires = "invite")]
    print_link: bool,
    /// Their own FHIR resource, such as Practitioner/123 or Patient/123
    #[arg(long, value_name = "TYPE/ID")]
    fhir_user: Option<String>,
    /// The id of their Practitioner resource; by default the one of --fhir-user, if that is a Practitioner
    #[arg(long, value_name = "ID")]
    practitioner_id: Option<String>,
    /// The id of the organization they act for
    #[arg(long, value_name = "ID")]
    organization_id: Option<String>,
    /// The name of their role; without one nothing limits what they can be granted, except that they are no administrators
    #[arg(long)]
    role: Option<String>,
    /// What they are: builder (who works with it) or patient; by default what --fhir-user says
    #[arg(long, value_name = "TYPE")]
    user_type: Option<String>,
    /// A JSON file with what else is known of them, in the words of OpenID Connect Core section 5.1: given_name, birthdate,
    /// phone_number, address, …
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// Print the account as JSON
    #[arg(long)]
    json: bool,
}

impl AddUser {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let mut new = self.account(now)?;
        // What is wrong with the arguments is said before a password is asked for.
        let checked = new.check(&Actor::operator(), now)?;
        let store = opened::store(config, now)?;
        if let Some(name) = &self.role {
            new.role_id = Some(role::named(&store, name).await?.id);
        }
        let exists = || Failure::AlreadyExists(format!("there is an account for {} already", checked.email));
        // Asking for a password in vain would be unkind; the insertion below decides.
        if store.user_by_email(&checked.email).await?.is_some() {
            return Err(exists());
        }
        new.password_hash = self.password_of(&checked, config).await?;
        let created = users::create(&store, &Actor::operator(), new, now).await;
        let user = match created {
            Ok(user) => user,
            Err(AdministrationError::Taken(_)) => return Err(exists()),
            Err(error) => return Err(error.into()),
        };
        if self.invite {
            let said = invitation::invite(&store, config, &user, self.print_link, now).await?;
            output::result(&said)?;
        }
        store.close().await;
        if self.json {
            let mut document = list::document(&user);
            if let Some(members) = document.as_object_mut() {
                members.insert(
                    "profile".into(),
                    serde_json::to_value(&user.profile).unwrap_or_default(),
                );
            }
            return output::json(&document);
        }
        output::result(&format!("made the account {} for {}", user.id, user.email))
    }

    /// The hash of the password that whoever types the command chooses for `user`; none for an invitation.
    async fn password_of(&self, user: &User, config: &Config) -> Result<Option<Secret<String>>, Failure> {
        let password = match (self.invite, self.password_stdin) {
            (true, _) => {
                if !self.print_link && !messages::are_sent(config, Channel::Mail) {
                    return Err(Failure::Usage(String::from(
                        "no mail is sent here: configure [mail], or use --print-link",
                    )));
                }
                return Ok(None);
            }
            (false, true) => secret_input::from_stdin("password")?,
            (false, false) => secret_input::from_terminal("password", "--password-stdin")?,
        };
        let owner = Owner {
            email: &user.email,
            name: &user.name,
        };
        let passwords = Passwords::new(&config.passwords)?;
        Ok(Some(passwords.hash_chosen(password, owner).await?))
    }

    /// The account as the arguments say it, without role and password.
    fn account(&self, now: Timestamp) -> Result<NewUser, Failure> {
        Ok(NewUser {
            email: Some(self.email.clone()),
            name: Some(self.name.clone()),
            user_type: self.user_type.clone(),
            role_id: None,
            organization_id: self.organization_id.clone(),
            fhir_user: self.fhir_user.clone(),
            practitioner_id: self.practitioner_id.clone(),
            profile: profile::read(self.profile.as_deref(), now).map_err(Failure::Usage)?,
            password_hash: None,
        })
    }
}

#[cfg(test)]
mod tests;
