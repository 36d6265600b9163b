//! `wardgate user add`: makes an account. What ends things for people is in `ending`.

mod ending;
mod invitation;

mod local_sign_in;
mod profile;
mod role;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use wardgate_shared::scope::FhirUser;
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use crate::config::Config;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::message::Channel;
use crate::domain::user::{User, UserType, normalize_email};
use crate::messages;
use crate::password::Passwords;
use crate::password::policy::Owner;
use crate::rng;
use crate::store::Insertion;

pub(super) use local_sign_in::AllowLocalSignIn;
pub(super) use profile::SetProfile;

use super::{Failure, opened, output, secret_input};

pub(super) use ending::{DeactivateUser, SignOutUser};
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
        let mut user = self.user(now).map_err(Failure::Usage)?;
        let store = opened::store(config, now)?;
        let exists = || Failure::AlreadyExists(format!("there is an account for {} already", user.email));
        if let Some(name) = &self.role {
            user.role = Some(role::named(&store, name).await?);
        }
        // Asking for a password in vain would be unkind; the insertion below decides.
        if store.user_by_email(&user.email).await?.is_some() {
            return Err(exists());
        }
        user.password_hash = self.password_of(&user, config).await?;
        let audit = AuditEvent::new(now, AuditAction::UserCreation, AuditOutcome::Success)
            .with_user(&user.id)
            .with_method("cli");
        let inserted = store.insert_user(user.clone(), audit).await?;
        let invited = match inserted {
            Insertion::Inserted if self.invite => {
                Some(invitation::invite(&store, config, &user, self.print_link, now).await?)
            }
            Insertion::Inserted | Insertion::AlreadyExists => None,
        };
        store.close().await;
        if let Some(said) = invited {
            output::result(&said)?;
        }
        match inserted {
            Insertion::Inserted if self.json => output::json(&json!({
                "id": user.id,
                "email": user.email,
                "name": user.name,
                "user_type": user.user_type.as_str(),
                "role": user.role.as_ref().map(|role| &role.name),
                "fhir_user": user.fhir_user,
                "practitioner_id": user.practitioner_id,
                "organization_id": user.organization_id,
                "profile": user.profile,
            })),
            Insertion::Inserted => {
                output::result(&format!("made the account {} for {}", user.id, user.email))
            }
            Insertion::AlreadyExists => Err(Failure::AlreadyExists(format!(
                "there is an account for {} already",
                user.email
            ))),
        }
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

    /// The account without its password, or what is wrong with the arguments.
    fn user(&self, now: Timestamp) -> Result<User, String> {
        let email = normalize_email(&self.email);
        let lawful = email.len() <= 254
            && !email.contains(|character: char| character.is_whitespace() || character.is_control())
            && email.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty() && !domain.is_empty() && !domain.contains('@')
            });
        if !lawful {
            return Err(String::from("--email must be an address such as ada@example.org"));
        }
        let name = self.name.trim();
        if name.is_empty() || name.len() > 200 || name.contains(char::is_control) {
            return Err(String::from("--name must be 1 to 200 bytes of text"));
        }
        let fhir_user = self
            .fhir_user
            .as_deref()
            .map(|claim| (claim, FhirUser::from_claim(claim, "")));
        if let Some((_, None)) = fhir_user {
            return Err(String::from(
                "--fhir-user must be Patient, Person, Practitioner, PractitionerRole or RelatedPerson, a slash and an id",
            ));
        }
        for (flag, id) in [
            ("--practitioner-id", &self.practitioner_id),
            ("--organization-id", &self.organization_id),
        ] {
            if id.as_deref().is_some_and(|id| !is_fhir_id(id)) {
                return Err(format!("{flag} must be 1 to 64 characters from A-Z a-z 0-9 - ."));
            }
        }
        let user_type = match self.user_type.as_deref().map(UserType::from_name) {
            Some(None) => return Err(String::from("--user-type must be builder or patient")),
            Some(Some(named)) => named,
            None => UserType::of(self.fhir_user.as_deref()),
        };
        let own_practitioner = self
            .fhir_user
            .as_deref()
            .and_then(|claim| claim.strip_prefix("Practitioner/"))
            .map(String::from);
        Ok(User {
            id: rng::identifier("user-").map_err(|error| error.to_string())?,
            email,
            name: name.into(),
            password_hash: None,
            user_type,
            role: None,
            fhir_user: self.fhir_user.clone(),
            practitioner_id: self.practitioner_id.clone().or(own_practitioner),
            organization_id: self.organization_id.clone(),
            profile: profile::read(self.profile.as_deref(), now)?,
            created_at: now,
            deactivated_at: None,
        })
    }
}

/// FHIR's data type `id`.
fn is_fhir_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

#[cfg(test)]
mod tests;
