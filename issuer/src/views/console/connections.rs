//! Connections to identity providers in the console.

use askama::Template;

use crate::administration::sso_connections::{Explanation, WayIn};
use crate::domain::single_sign_on::{
    Connection, ConnectionDomain, DomainVerification, Preset, UnknownPeople,
};
use crate::views::Moment;

use super::{Choice, ConsoleFrame, FormState};

/// A domain in a list, or on its page.
#[derive(Clone, Debug)]
pub struct DomainEntry<'a> {
    /// The domain.
    pub name: &'a str,
    /// Its page.
    pub path: String,
    /// Where its owner publishes the record.
    pub record_name: String,
    /// What the record says.
    pub record_text: &'a str,
    /// Since when it is verified, and how.
    pub verified: Option<(Moment, DomainVerification)>,
}

impl<'a> DomainEntry<'a> {
    /// What a page shows of `domain`, whose page is at `path`.
    pub fn of(domain: &'a ConnectionDomain, path: String) -> Self {
        Self {
            name: domain.domain.as_str(),
            path,
            record_name: domain.record_name(),
            record_text: &domain.token,
            verified: domain.verified.map(|(at, by)| (Moment::at(at), by)),
        }
    }
}

/// A connection in a list, or on its page. Never its secret.
#[derive(Clone, Debug)]
pub struct ConnectionEntry<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its page.
    pub path: String,
    /// What people know it by.
    pub name: &'a str,
    /// What kind of provider it is.
    pub preset: Preset,
    /// The issuer's URL.
    pub issuer: &'a str,
    /// By what name the provider knows this issuer.
    pub client_id: &'a str,
    /// How the issuer authenticates there.
    pub method: &'static str,
    /// What is asked for.
    pub scopes: String,
    /// The values of `amr` and `acr` of which one is required.
    pub required: String,
    /// What becomes of people without an account.
    pub unknown_people: UnknownPeople,
    /// Whether it may make administrators.
    pub grants_administration: bool,
    /// Since when, and on whose word, the provider asks for more than one factor.
    pub attested: Option<(Moment, &'a str)>,
    /// Whether people are sent there.
    pub enabled: bool,
    /// When the provider was last asked what it says of itself.
    pub checked: Moment,
    /// When it was made.
    pub created: Moment,
    /// Its domains.
    pub domains: Vec<DomainEntry<'a>>,
}

impl<'a> ConnectionEntry<'a> {
    /// What a page shows of `connection`, whose page is at `path`.
    pub fn of(connection: &'a Connection, path: String, domains: Vec<DomainEntry<'a>>) -> Self {
        let settings = &connection.settings;
        let attestation = connection.mfa_attestation.as_ref();
        Self {
            id: &connection.id,
            path,
            name: &settings.name,
            preset: settings.preset,
            issuer: &settings.issuer,
            client_id: &settings.client_id,
            method: settings.credential.method(),
            scopes: settings.scopes.join(" "),
            required: [&*settings.required_amr, &*settings.required_acr]
                .concat()
                .join(" "),
            unknown_people: settings.unknown_people,
            grants_administration: settings.grants_administration,
            attested: attestation.map(|word| (Moment::at(word.at), &*word.by)),
            enabled: connection.enabled,
            checked: Moment::at(connection.checked_at),
            created: Moment::at(connection.created_at),
            domains,
        }
    }

    /// Whether one of its domains is verified.
    pub fn has_verified_domain(&self) -> bool {
        self.domains.iter().any(|domain| domain.verified.is_some())
    }

    /// Whether nothing is left to do before its people are sent to the provider.
    pub fn is_at_work(&self) -> bool {
        self.enabled && self.has_verified_domain()
    }
}

/// The list of connections.
#[derive(Debug, Template)]
#[template(path = "console/connections.html")]
pub struct ConnectionsPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// The connections.
    pub connections: &'a [ConnectionEntry<'a>],
}

/// One connection.
#[derive(Debug, Template)]
#[template(path = "console/connection.html")]
pub struct ConnectionPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// The form for another domain.
    pub form: &'a FormState,
    /// Where that leads.
    pub domains_path: &'a str,
    /// The connection.
    pub connection: &'a ConnectionEntry<'a>,
    /// What the role is called of people whom no rule fits.
    pub default_role: Option<&'a str>,
    /// Its rules for roles, each as people write it.
    pub role_rules: &'a [String],
    /// The redirect URI to register at the provider.
    pub redirect_uri: &'a str,
    /// Where the provider may send people who signed out there.
    pub sign_out_uri: &'a str,
}

/// The form for a connection.
#[derive(Debug, Template)]
#[template(path = "console/connection_form.html")]
pub struct ConnectionFormPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// The form.
    pub form: &'a FormState,
    /// Where it leads.
    pub action: &'a str,
    /// The name of the connection; none for a new one.
    pub name: Option<&'a str>,
    /// The redirect URI to register at the provider.
    pub redirect_uri: &'a str,
    /// The kinds of providers.
    pub presets: &'a [Choice],
    /// The ways to authenticate there.
    pub methods: &'a [Choice],
    /// What may become of people without an account.
    pub policies: &'a [Choice],
    /// The roles to choose from.
    pub roles: &'a [Choice],
}

/// A domain of a connection.
#[derive(Debug, Template)]
#[template(path = "console/domain.html")]
pub struct DomainPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// The form that has the record looked for.
    pub form: &'a FormState,
    /// What the connection is called.
    pub connection: &'a str,
    /// Its page.
    pub back: &'a str,
    /// The domain.
    pub domain: &'a DomainEntry<'a>,
}

/// The form that forgets who somebody is at a provider.
#[derive(Debug, Template)]
#[template(path = "console/unlink.html")]
pub struct UnlinkPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// The form.
    pub form: &'a FormState,
    /// Where it leads.
    pub action: &'a str,
    /// What the connection is called.
    pub name: &'a str,
    /// Its page.
    pub back: &'a str,
}

/// What would happen with an address.
#[derive(Debug, Template)]
#[template(path = "console/explain.html")]
pub struct ExplainPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// The form that asks.
    pub form: &'a FormState,
    /// The answer, once something is asked.
    pub explanation: Option<&'a Explanation>,
    /// The page of the connection that would be used.
    pub connection_path: Option<String>,
}
