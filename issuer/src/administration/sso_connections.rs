//! Connections to identity providers, and the domains whose people they sign in.
//!
//! A connection is made disabled. Its provider is asked what it says of itself, and a connection that contradicts that is not
//! stored. It can be enabled once somebody has attested that the provider asks everybody for more than one factor. Nobody is
//! sent there before a domain is verified: by a TXT record that its owner publishes, or on an administrator's word.
//! The client secret is sealed and never shown again.

mod error;
mod explain;
mod request;

use wardgate_shared::time::Timestamp;

use crate::config::OutboundConfig;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::single_sign_on::{
    Connection, ConnectionDomain, ConnectionSettings, DomainName, DomainVerification, MfaAttestation,
};
use crate::domain::user::normalize_email;
use crate::keys::Sealer;
use crate::outbound::{Dns, Outbound};
use crate::rng;
use crate::single_sign_on::departure::REFRESH_SECONDS;
use crate::single_sign_on::discovery;
use crate::state::AppState;
use crate::store::{ConnectionChange, Insertion, Store};

use super::Actor;

pub use error::ConnectionError;
pub use explain::{Explanation, WayIn, explain};
pub use request::ConnectionRequest;

/// How the TXT record of a domain begins.
const TOKEN_PREFIX: &str = "wardgate-domain-verification=";

/// What these services work with.
#[derive(Clone, Copy, Debug)]
pub struct Tools<'a> {
    /// The store.
    pub store: &'a Store,
    /// The HTTP client.
    pub outbound: &'a Outbound,
    /// What it may reach.
    pub outbound_config: &'a OutboundConfig,
    /// What seals client secrets.
    pub sealer: &'a Sealer,
}

impl<'a> Tools<'a> {
    /// Those of the running issuer.
    pub fn of(state: &'a AppState) -> Self {
        Self {
            store: state.store(),
            outbound: state.outbound(),
            outbound_config: &state.config().outbound,
            sealer: state.sealer(),
        }
    }
}

/// Makes a connection, disabled.
///
/// # Errors
/// [`ConnectionError`].
pub async fn create(
    tools: Tools<'_>,
    actor: &Actor,
    request: &ConnectionRequest,
    now: Timestamp,
) -> Result<Connection, ConnectionError> {
    check_authority(tools.store, actor).await?;
    let id = rng::identifier("sso-")?;
    let settings = request.settings(tools, &id, None).await?;
    let provider = discovery::discover(tools.outbound, tools.outbound_config, &settings).await?;
    let connection = Connection {
        id,
        settings,
        provider,
        checked_at: now,
        refresh_at: now.plus(REFRESH_SECONDS),
        mfa_attestation: None,
        enabled: false,
        created_at: now,
    };
    let audit = audit(actor, AuditAction::SsoConnectionCreation, &connection.id, now);
    match tools
        .store
        .insert_sso_connection(connection.clone(), audit)
        .await?
    {
        Insertion::Inserted => Ok(connection),
        Insertion::AlreadyExists => Err(ConnectionError::Taken("name")),
    }
}

/// Every connection, by name.
///
/// # Errors
/// When the store cannot answer.
pub async fn list(store: &Store) -> Result<Vec<Connection>, ConnectionError> {
    Ok(store.sso_connections().await?)
}

/// The connection of this id or name, with its domains.
///
/// # Errors
/// [`ConnectionError::NotFound`], or the store cannot answer.
pub async fn get(store: &Store, id: &str) -> Result<(Connection, Vec<ConnectionDomain>), ConnectionError> {
    let connection = store.sso_connection(id).await?.ok_or(ConnectionError::NotFound)?;
    let domains = store.sso_domains(Some(&connection.id)).await?;
    Ok((connection, domains))
}

/// Changes a connection; what the request leaves out stays. With another issuer it has to be attested and enabled anew.
///
/// # Errors
/// [`ConnectionError`].
pub async fn change(
    tools: Tools<'_>,
    actor: &Actor,
    id: &str,
    request: &ConnectionRequest,
    now: Timestamp,
) -> Result<Connection, ConnectionError> {
    let before = managed(tools.store, actor, id).await?;
    let settings: ConnectionSettings = request
        .settings(tools, &before.id, Some(&before.settings))
        .await?;
    let provider = discovery::discover(tools.outbound, tools.outbound_config, &settings).await?;
    let audit = audit(actor, AuditAction::SsoConnectionChange, &before.id, now);
    let changed = tools
        .store
        .change_sso_connection(&before.id, settings, (provider, now), audit)
        .await?;
    done(changed, "name")?;
    Ok(get(tools.store, &before.id).await?.0)
}

/// Removes a connection with its domains and links. Its people sign in with passwords from then on.
///
/// # Errors
/// [`ConnectionError`].
pub async fn remove(store: &Store, actor: &Actor, id: &str, now: Timestamp) -> Result<(), ConnectionError> {
    let connection = managed(store, actor, id).await?;
    let audit = audit(actor, AuditAction::SsoConnectionDeletion, &connection.id, now);
    if store.delete_sso_connection(&connection.id, audit).await? {
        Ok(())
    } else {
        Err(ConnectionError::NotFound)
    }
}

/// Records the actor's word that the provider asks everybody for more than one factor.
///
/// # Errors
/// [`ConnectionError`].
pub async fn attest_mfa(
    store: &Store,
    actor: &Actor,
    id: &str,
    now: Timestamp,
) -> Result<Connection, ConnectionError> {
    let connection = managed(store, actor, id).await?;
    let by = actor.user_id.clone().or_else(|| actor.client_id.clone());
    let attestation = MfaAttestation {
        at: now,
        by: by.unwrap_or_else(|| actor.means.as_str().into()),
    };
    let audit =
        audit(actor, AuditAction::SsoConnectionChange, &connection.id, now).with_reason("mfa_attested");
    done(
        store.attest_sso_mfa(&connection.id, attestation, audit).await?,
        "id",
    )?;
    Ok(get(store, &connection.id).await?.0)
}

/// Lets the people of the connection's verified domains be sent to its provider.
///
/// # Errors
/// [`ConnectionError`]; [`ConnectionError::NotAttested`] before [`attest_mfa`].
pub async fn enable(
    store: &Store,
    actor: &Actor,
    id: &str,
    now: Timestamp,
) -> Result<Connection, ConnectionError> {
    let connection = managed(store, actor, id).await?;
    let audit = audit(actor, AuditAction::SsoConnectionChange, &connection.id, now).with_reason("enabled");
    done(store.enable_sso_connection(&connection.id, audit).await?, "id")?;
    Ok(get(store, &connection.id).await?.0)
}

/// Sends nobody to the provider any more. Sessions that are there stay.
///
/// # Errors
/// [`ConnectionError`].
pub async fn disable(
    store: &Store,
    actor: &Actor,
    id: &str,
    now: Timestamp,
) -> Result<Connection, ConnectionError> {
    let connection = managed(store, actor, id).await?;
    let audit = audit(actor, AuditAction::SsoConnectionChange, &connection.id, now).with_reason("disabled");
    done(store.disable_sso_connection(&connection.id, audit).await?, "id")?;
    Ok(get(store, &connection.id).await?.0)
}

/// Claims a domain for a connection. The answer says what its owner has to publish.
///
/// # Errors
/// [`ConnectionError`]; `Taken` when the connection claims it already.
pub async fn add_domain(
    store: &Store,
    actor: &Actor,
    id: &str,
    domain: &str,
    now: Timestamp,
) -> Result<ConnectionDomain, ConnectionError> {
    let connection = managed(store, actor, id).await?;
    let claimed = ConnectionDomain {
        connection_id: connection.id.clone(),
        domain: domain_name(domain)?,
        token: rng::identifier(TOKEN_PREFIX)?,
        verified: None,
        created_at: now,
    };
    let audit = audit(actor, AuditAction::SsoDomainChange, &connection.id, now).with_reason("claimed");
    match store.insert_sso_domain(claimed.clone(), audit).await? {
        Insertion::Inserted => Ok(claimed),
        Insertion::AlreadyExists => Err(ConnectionError::Taken("domain")),
    }
}

/// Takes a domain from a connection.
///
/// # Errors
/// [`ConnectionError`].
pub async fn remove_domain(
    store: &Store,
    actor: &Actor,
    id: &str,
    domain: &str,
    now: Timestamp,
) -> Result<(), ConnectionError> {
    let (connection, claimed) = claimed(store, actor, id, domain).await?;
    let audit = audit(actor, AuditAction::SsoDomainChange, &connection.id, now).with_reason("removed");
    let removed = store
        .delete_sso_domain(&connection.id, &claimed.domain, audit)
        .await?;
    done(removed, "domain")
}

/// Gives a domain to the connection that claims it, if the TXT record of its owner says so.
///
/// # Errors
/// [`ConnectionError`]; [`ConnectionError::NoRecord`] when it does not; `Taken` when another connection has it.
pub async fn verify_domain(
    store: &Store,
    dns: &Dns,
    actor: &Actor,
    id: &str,
    domain: &str,
    now: Timestamp,
) -> Result<ConnectionDomain, ConnectionError> {
    let (connection, claimed) = claimed(store, actor, id, domain).await?;
    let texts = dns.texts(&claimed.record_name()).await?;
    if !texts.iter().any(|text| text.trim() == claimed.token) {
        let refused = AuditEvent {
            outcome: AuditOutcome::Failure,
            ..audit(actor, AuditAction::SsoDomainChange, &connection.id, now).with_reason("no_record")
        };
        store.record(refused).await?;
        return Err(ConnectionError::NoRecord {
            name: claimed.record_name(),
            token: claimed.token,
            found: texts.len(),
        });
    }
    verified(store, actor, &connection, &claimed, DomainVerification::Dns, now).await
}

/// Gives a domain to the connection that claims it on the actor's word alone.
///
/// # Errors
/// [`ConnectionError`]; `Taken` when another connection has it.
pub async fn override_domain(
    store: &Store,
    actor: &Actor,
    id: &str,
    domain: &str,
    now: Timestamp,
) -> Result<ConnectionDomain, ConnectionError> {
    let (connection, claimed) = claimed(store, actor, id, domain).await?;
    let by = DomainVerification::Administrator;
    verified(store, actor, &connection, &claimed, by, now).await
}

/// Forgets who a person is at a connection's provider: their next sign-in there links them anew.
///
/// # Errors
/// [`ConnectionError`].
pub async fn unlink(
    store: &Store,
    actor: &Actor,
    id: &str,
    email: &str,
    now: Timestamp,
) -> Result<(), ConnectionError> {
    let connection = managed(store, actor, id).await?;
    let user = store.user_by_email(&normalize_email(email)).await?;
    let user = user.ok_or(ConnectionError::NotFound)?;
    forget(store, actor, &connection, &user.id, now).await
}

/// As [`unlink`], for the person of the id `user_id`.
///
/// # Errors
/// [`ConnectionError`].
pub async fn unlink_user(
    store: &Store,
    actor: &Actor,
    id: &str,
    user_id: &str,
    now: Timestamp,
) -> Result<(), ConnectionError> {
    let connection = managed(store, actor, id).await?;
    forget(store, actor, &connection, user_id, now).await
}

async fn forget(
    store: &Store,
    actor: &Actor,
    connection: &Connection,
    user_id: &str,
    now: Timestamp,
) -> Result<(), ConnectionError> {
    let audit = audit(actor, AuditAction::SsoLink, &connection.id, now)
        .with_user(user_id)
        .with_reason("removed");
    if store.delete_sso_link(user_id, &connection.id, audit).await? {
        Ok(())
    } else {
        Err(ConnectionError::NotFound)
    }
}

async fn verified(
    store: &Store,
    actor: &Actor,
    connection: &Connection,
    claimed: &ConnectionDomain,
    by: DomainVerification,
    now: Timestamp,
) -> Result<ConnectionDomain, ConnectionError> {
    let audit = audit(actor, AuditAction::SsoDomainChange, &connection.id, now).with_reason(match by {
        DomainVerification::Dns => "verified_by_dns",
        DomainVerification::Administrator => "verified_by_administrator",
    });
    let changed = store
        .verify_sso_domain(&connection.id, &claimed.domain, by, audit)
        .await?;
    done(changed, "domain")?;
    Ok(ConnectionDomain {
        verified: Some((now, by)),
        ..claimed.clone()
    })
}

/// The connection of this id or name, if `actor` may change it.
async fn managed(store: &Store, actor: &Actor, id: &str) -> Result<Connection, ConnectionError> {
    check_authority(store, actor).await?;
    Ok(get(store, id).await?.0)
}

/// Refuses administrators with a limit: whoever decides what a provider is believed
/// decides who everybody is, administrators included.
async fn check_authority(store: &Store, actor: &Actor) -> Result<(), ConnectionError> {
    if store.is_unlimited_administrator(actor.user_id.as_deref()).await? {
        Ok(())
    } else {
        Err(ConnectionError::BeyondOwnRole)
    }
}

async fn claimed(
    store: &Store,
    actor: &Actor,
    id: &str,
    domain: &str,
) -> Result<(Connection, ConnectionDomain), ConnectionError> {
    check_authority(store, actor).await?;
    let (connection, domains) = get(store, id).await?;
    let name = domain_name(domain)?;
    let claimed = domains.into_iter().find(|own| own.domain == name);
    Ok((connection, claimed.ok_or(ConnectionError::NotFound)?))
}

fn domain_name(text: &str) -> Result<DomainName, ConnectionError> {
    DomainName::parse(text)
        .ok_or_else(|| ConnectionError::invalid("domain", "must be a domain such as clinic.example"))
}

fn done(change: ConnectionChange, unique: &'static str) -> Result<(), ConnectionError> {
    match change {
        ConnectionChange::Done => Ok(()),
        ConnectionChange::Unknown => Err(ConnectionError::NotFound),
        ConnectionChange::Taken => Err(ConnectionError::Taken(unique)),
        ConnectionChange::NotAttested => Err(ConnectionError::NotAttested),
    }
}

fn audit(actor: &Actor, action: AuditAction, connection_id: &str, now: Timestamp) -> AuditEvent {
    actor
        .audit(action, AuditOutcome::Success, now)
        .with_object(connection_id)
}

#[cfg(test)]
mod tests;
