//! Pages that ask before something is lost, and that show what is shown once.

use askama::Template;

use crate::views::Moment;

use super::{ConsoleFrame, FormState};

/// What is asked before it is done. The words are in the template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Remove a client.
    RemoveClient,
    /// Give a client a new secret.
    RotateClientSecret,
    /// Revoke an API key.
    RevokeApiKey,
    /// Close an account.
    DeactivateUser,
    /// Open an account again.
    ReactivateUser,
    /// Send an invitation.
    InviteUser,
    /// End all sessions of a person.
    EndSessions,
    /// End one session.
    EndSession,
    /// Remove a role.
    RemoveRole,
    /// Remove an organization.
    RemoveOrganization,
    /// End all second factors of a person.
    ResetFactors,
    /// Attest that a provider asks everybody for more than one factor.
    AttestConnection,
    /// Send people to a provider.
    EnableConnection,
    /// Send nobody there any more.
    DisableConnection,
    /// Remove a connection to a provider.
    RemoveConnection,
    /// Take a domain for an organization's without its record.
    OverrideDomain,
    /// Take a domain from a connection.
    RemoveDomain,
}

impl Question {
    /// Whether somebody loses something by a yes.
    pub const fn is_loss(self) -> bool {
        match self {
            Self::RemoveClient
            | Self::RotateClientSecret
            | Self::RevokeApiKey
            | Self::DeactivateUser
            | Self::EndSessions
            | Self::EndSession
            | Self::RemoveRole
            | Self::RemoveOrganization
            | Self::ResetFactors
            | Self::DisableConnection
            | Self::RemoveConnection
            | Self::RemoveDomain => true,
            Self::ReactivateUser
            | Self::InviteUser
            | Self::AttestConnection
            | Self::EnableConnection
            | Self::OverrideDomain => false,
        }
    }
}

/// The question whether something that cannot be undone is meant.
#[derive(Debug, Template)]
#[template(path = "console/confirm.html")]
pub struct ConfirmPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// What is asked.
    pub question: Question,
    /// What it is about.
    pub name: &'a str,
    /// The form, which only says yes.
    pub form: &'a FormState,
    /// Where it leads.
    pub action: &'a str,
    /// Where no leads.
    pub back: &'a str,
}

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretOf {
    /// A client that was just registered.
    NewClient,
    /// A client.
    Client,
    /// An API key that was just made.
    NewApiKey,
    /// An API key.
    ApiKey,
}

/// A secret that is shown this once.
#[derive(Clone, Copy, Debug)]
pub struct ShownSecret<'a> {
    /// What it is for.
    pub what: SecretOf,
    /// What goes with it: `client_id`, or the key.
    pub name: &'a str,
    /// The secret.
    pub secret: &'a str,
    /// Until when the one of before works.
    pub previous_until: Option<Moment>,
    /// Scopes that were asked for and not given.
    pub left_out: &'a str,
    /// Where to go on.
    pub back: &'a str,
}

/// The page that shows a secret.
#[derive(Debug, Template)]
#[template(path = "console/secret.html")]
pub struct SecretPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// What is shown.
    pub shown: ShownSecret<'a>,
}
