//! `wardgate sso add-domain`, `verify-domain`, `remove-domain` and `unlink`.

use clap::Args;
use serde_json::{Value, json};
use wardgate_shared::time::Timestamp;

use crate::administration::{Actor, sso_connections};
use crate::cli::{Failure, output};
use crate::domain::instant;
use crate::domain::single_sign_on::ConnectionDomain;
use crate::outbound::Dns;

use super::Opened;

/// A domain of a connection.
#[derive(Debug, Args)]
struct NamedDomain {
    /// The connection's name or id
    connection: String,
    /// The domain, such as clinic.example
    domain: String,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `sso add-domain`.
#[derive(Debug, Args)]
pub(in crate::cli) struct AddDomain {
    #[command(flatten)]
    named: NamedDomain,
}

impl AddDomain {
    pub(super) async fn run(&self, open: &Opened<'_>, now: Timestamp) -> Result<(), Failure> {
        let NamedDomain {
            connection,
            domain,
            json,
        } = &self.named;
        let claimed =
            sso_connections::add_domain(&open.store, &Actor::operator(), connection, domain, now).await?;
        if *json {
            return output::json(&describe(&claimed));
        }
        output::result(&format!(
            "claimed {}; it is not used until it is verified\n  TXT record to publish at {}:\n    {}\n  then: wardgate sso \
             verify-domain {connection:?} {}",
            claimed.domain,
            claimed.record_name(),
            claimed.token,
            claimed.domain
        ))
    }
}

/// Arguments of `sso verify-domain`.
#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyDomain {
    #[command(flatten)]
    named: NamedDomain,
    /// Do not look for the TXT record: you answer for it that the domain is this organization's
    #[arg(long)]
    r#override: bool,
}

impl VerifyDomain {
    pub(super) async fn run(&self, open: &Opened<'_>, now: Timestamp) -> Result<(), Failure> {
        let NamedDomain {
            connection,
            domain,
            json,
        } = &self.named;
        let (store, operator) = (&open.store, Actor::operator());
        let verified = if self.r#override {
            sso_connections::override_domain(store, &operator, connection, domain, now).await?
        } else {
            let dns = Dns::of_machine();
            sso_connections::verify_domain(store, &dns, &operator, connection, domain, now).await?
        };
        if *json {
            return output::json(&describe(&verified));
        }
        output::result(&format!("verified {}", verified.domain))
    }
}

/// Arguments of `sso remove-domain`.
#[derive(Debug, Args)]
pub(in crate::cli) struct RemoveDomain {
    /// The connection's name or id
    connection: String,
    /// The domain
    domain: String,
}

impl RemoveDomain {
    pub(super) async fn run(&self, open: &Opened<'_>, now: Timestamp) -> Result<(), Failure> {
        let operator = Actor::operator();
        sso_connections::remove_domain(&open.store, &operator, &self.connection, &self.domain, now).await?;
        output::result(&format!("removed {}", self.domain))
    }
}

/// Arguments of `sso unlink`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Unlink {
    /// The connection's name or id
    connection: String,
    /// The address of the person's account here
    email: String,
}

impl Unlink {
    pub(super) async fn run(&self, open: &Opened<'_>, now: Timestamp) -> Result<(), Failure> {
        let operator = Actor::operator();
        sso_connections::unlink(&open.store, &operator, &self.connection, &self.email, now).await?;
        output::result("forgotten; their next sign-in there links them anew")
    }
}

pub(super) fn describe(domain: &ConnectionDomain) -> Value {
    json!({
        "domain": domain.domain.as_str(),
        "verified_at": domain.verified.map(|(at, _)| instant::rfc3339(at)),
        "verified_by": domain.verified.map(|(_, by)| by.as_str()),
        "record_name": domain.record_name(),
        "record_text": domain.token,
    })
}
