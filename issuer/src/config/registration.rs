//! Section `registration`: who may register clients over the network, and with how much (RFC 7591).

use wardgate_shared::scope::ScopeSet;

use crate::domain::client::GrantType;
use crate::domain::registration::Ceiling;

use super::reader::Reader;

/// Who may register clients over the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationMode {
    /// Nobody. Clients that registered before go on working.
    Off,
    /// Who has an initial access token.
    Token,
    /// Anybody.
    Open,
}

/// Dynamic client registration.
#[derive(Clone, Debug)]
pub struct RegistrationConfig {
    /// Who may.
    pub mode: RegistrationMode,
    /// The most that clients may ask for which come without an initial access token.
    pub ceiling: Ceiling,
    /// Whether clients that can prove who they are must use PKCE all the same.
    pub require_pkce: bool,
    /// How many clients that came without an initial access token may wait for their first token at once.
    pub unused_limit: u32,
    /// How long a client may be without a token before it is deleted, in seconds.
    pub unused_seconds: i64,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<RegistrationConfig> {
    let mode = reader.parsed("registration.mode", |name| match name {
        "off" => Ok(RegistrationMode::Off),
        "token" => Ok(RegistrationMode::Token),
        "open" => Ok(RegistrationMode::Open),
        _ => Err("must be off, token or open"),
    });
    let scope = reader.parsed("registration.scope", ScopeSet::parse);
    let grant_types = reader.list("registration.grant_types", |name| {
        GrantType::from_name(name).ok_or("must be a grant type of the server's metadata")
    });
    let require_pkce = reader.flag("registration.require_pkce");
    let unused_limit = reader.number("registration.unused_limit", 1..=1_000_000, "clients");
    let unused_seconds = reader.number("registration.unused_seconds", 3600..=31_536_000, "seconds");
    Some(RegistrationConfig {
        mode: mode?,
        ceiling: Ceiling {
            scope: scope?,
            grant_types: grant_types?,
        },
        require_pkce: require_pkce?,
        unused_limit: unused_limit?.try_into().ok()?,
        unused_seconds: unused_seconds?,
    })
}
