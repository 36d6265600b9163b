//! `wardgate user add-totp`: gives a person an authenticator app whose seed exists already, because they come from another system
//! or because a test needs one.
//!
//! Whoever holds the seed can give the person's second factor, so the command reads it from standard input and prints nothing of it.

use clap::Args;
use wardgate_shared::time::Timestamp;

use crate::administration::{Actor, factors};
use crate::cli::{Failure, opened, output, secret_input};
use crate::config::Config;
use crate::domain::factor::Factor;
use crate::domain::user::normalize_email;
use crate::keys::MasterKey;
use crate::login::second_factor::totp::Seed;
use crate::notices::Notices;

const EXAMPLES: &str = "\
Example:
  wardgate user add-totp --email ada@example.org --secret-stdin <seed.txt

The seed is Base32 text of at least 26 letters (128 bits), as apps show it: JBSW Y3DP EHPK 3PXP …
People set up their own app under /account/factors; this is for seeds that exist already.";

/// Arguments of `user add-totp`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct AddTotp {
    /// The address they sign in with
    #[arg(long)]
    email: String,
    /// What they will know it by
    #[arg(long, default_value = "Authenticator app")]
    name: String,
    /// Read the seed from standard input instead of asking for it
    #[arg(long)]
    secret_stdin: bool,
}

impl AddTotp {
    pub(in crate::cli) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let name = Factor::lawful_name(&self.name)
            .ok_or_else(|| Failure::Usage("--name must be at most 60 letters".into()))?;
        let text = if self.secret_stdin {
            secret_input::from_stdin("seed")?
        } else {
            secret_input::from_terminal("seed", "--secret-stdin")?
        };
        let seed = Seed::parse(text.expose()).ok_or_else(|| {
            Failure::Usage(
                "the seed must be Base32 text of 26 to 102 letters, as authenticator apps show it".into(),
            )
        })?;
        let store = opened::store(config, now)?;
        let sealer = MasterKey::load(&config.keys.master_key)?.sealer();
        let email = normalize_email(&self.email);
        let user = store.user_by_email(&email).await?;
        let user = user.ok_or_else(|| Failure::NotFound(format!("there is no account for {email}")))?;
        let notices = Notices::new(config, &sealer);
        let added = factors::add_app(
            &store,
            notices,
            &sealer,
            &Actor::operator(),
            &user,
            (&seed, name),
            now,
        )
        .await?;
        store.close().await;
        if !added {
            return Err(Failure::AlreadyExists(format!(
                "{email} has as many second factors as one can have"
            )));
        }
        output::result(&format!(
            "gave {email} an authenticator app, which is asked for from now on"
        ))
    }
}
