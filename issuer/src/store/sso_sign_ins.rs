//! Sign-ins by an identity provider: browsers on their way there, whose account the answer opens, and what signing out takes.

use rusqlite::{Connection as Database, params};
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::digest::SecretDigest;
use crate::domain::single_sign_on::{Attempt, Connection, DomainName, Link, ProviderSignIn, domain_of};
use crate::domain::user::User;

use super::{Store, StoreError, accounts, audit_events, roles, sql, sso_connections, users};

/// Whom a provider says that it has authenticated, for one connection.
#[derive(Clone, Debug)]
pub struct ProvidedIdentity {
    /// The connection.
    pub connection_id: String,
    /// `sub`.
    pub subject: String,
    /// The address, which counts as the person's own.
    pub email: String,
    /// The id of the role that follows from the claims, where one does.
    pub role_id: Option<String>,
    /// Whether the connection may make and unmake administrators.
    pub grants_administration: bool,
    /// The account to make if there is none; none where strangers are turned away.
    pub new_account: Option<User>,
}

/// Whose account it is, or why it is nobody's.
#[derive(Clone, Debug)]
pub enum ProvidedAccount {
    /// This active person's, linked from now on.
    Person(Box<User>),
    /// The address is of no domain that was verified for the connection, or its account is.
    ForeignDomain,
    /// There is none, and none was to be made.
    None,
    /// It is closed.
    Deactivated(String),
    /// It is linked with somebody else at the same provider: the address was given to another person there.
    AnotherSubject(String),
}

impl Store {
    /// Keeps a browser's way to a provider.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_sso_attempt(&self, attempt: Attempt) -> Result<(), StoreError> {
        self.write(move |database| {
            sql::change(
                database,
                "INSERT INTO sso_attempts (digest, browser_digest, connection_id, nonce, fresh_after, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    attempt.digest.as_bytes(),
                    attempt.browser.as_bytes(),
                    attempt.connection_id,
                    attempt.nonce,
                    sql::optional_seconds(attempt.fresh_after),
                    attempt.expires_at.seconds(),
                ],
            )
            .map(drop)
        })
        .await
    }

    /// Consumes the way of this browser, with its connection; `None` when there is none, or it was consumed, has expired, is
    /// another browser's, or its connection is disabled.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn consume_sso_attempt(
        &self,
        digest: &SecretDigest,
        browser: &SecretDigest,
        now: Timestamp,
    ) -> Result<Option<(Attempt, Connection)>, StoreError> {
        let (digest, browser) = (*digest, *browser);
        self.write(move |database| {
            let update = "UPDATE sso_attempts SET consumed_at = ?3
                          WHERE digest = ?1 AND browser_digest = ?2 AND consumed_at IS NULL AND expires_at > ?3
                              AND connection_id IN (SELECT id FROM sso_connections WHERE enabled = 1)
                          RETURNING *";
            let parameters = params![digest.as_bytes(), browser.as_bytes(), now.seconds()];
            let attempt = sql::first(database, update, parameters, |row| {
                Ok(Attempt {
                    digest: sql::digest(row, "digest")?,
                    browser: sql::digest(row, "browser_digest")?,
                    connection_id: row.get("connection_id")?,
                    nonce: row.get("nonce")?,
                    fresh_after: sql::optional_instant(row, "fresh_after")?,
                    expires_at: sql::instant(row, "expires_at")?,
                })
            })?;
            let Some(attempt) = attempt else {
                return Ok(None);
            };
            let query = "SELECT * FROM sso_connections WHERE id = ?1";
            let connection = sql::first(database, query, [&attempt.connection_id], sso_connections::from_row)?;
            Ok(connection.map(|connection| (attempt, connection)))
        })
        .await
    }

    /// Finds whose account an identity opens: of the linked person, else of the person with that address, who is linked; else
    /// the new one, which is made. Gives it the role that follows, unless nobody would be left who may administrate. `audit` is the line of the sign-in, from which those
    /// of link, account and role are made.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn provided_account(
        &self,
        identity: ProvidedIdentity,
        audit: AuditEvent,
    ) -> Result<ProvidedAccount, StoreError> {
        self.write(move |database| {
            let found = match find_account(database, &identity, &audit)? {
                ProvidedAccount::Person(user) => user,
                other => return Ok(other),
            };
            let mark = "UPDATE sso_links SET last_used_at = ?3 WHERE connection_id = ?1 AND subject = ?2";
            let parameters = params![identity.connection_id, identity.subject, audit.at.seconds()];
            sql::change(database, mark, parameters)?;
            if let Some(role_id) = &identity.role_id {
                // Somebody who may administrate is left, whatever a provider says.
                if ends_administration(database, &found, role_id)? {
                    let kept = AuditEvent {
                        outcome: AuditOutcome::Failure,
                        ..line(&audit, AuditAction::UserChange, &found.id).with_reason("last_administrator")
                    };
                    audit_events::insert(database, &kept)?;
                    return Ok(ProvidedAccount::Person(found));
                }
                // Whoever can sign in without the provider is not at its mercy, nor is an administrator unless it may make
                // administrators.
                let update = "UPDATE users SET role_id = ?2
                              WHERE id = ?1 AND role_id IS NOT ?2 AND local_sign_in = 0 AND (?3 OR NOT EXISTS
                                  (SELECT 1 FROM roles r
                                   WHERE r.id = users.role_id AND instr(r.scope, '__administration.') > 0))";
                let parameters = params![found.id, role_id, identity.grants_administration];
                if sql::change(database, update, parameters)? > 0 {
                    audit_events::insert(database, &line(&audit, AuditAction::UserChange, &found.id))?;
                }
            }
            let user = users::find(database, &found.id)?.ok_or(StoreError::Conflict)?;
            Ok(ProvidedAccount::Person(Box::new(user)))
        })
        .await
    }

    /// Keeps what signing out at the provider takes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_provider_sign_in(&self, sign_in: ProviderSignIn) -> Result<(), StoreError> {
        self.write(move |database| {
            sql::change(
                database,
                "INSERT OR REPLACE INTO sso_sign_ins (browser_digest, connection_id, user_id, id_token, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    sign_in.browser.as_bytes(),
                    sign_in.connection_id,
                    sign_in.user_id,
                    sign_in.sealed_id_token.expose(),
                    sign_in.expires_at.seconds(),
                ],
            )
            .map(drop)
        })
        .await
    }

    /// The connection by which somebody signed in with this browser; of the person of this id, where one is given.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn provider_of_browser(
        &self,
        browser: &SecretDigest,
        user_id: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<Connection>, StoreError> {
        let (browser, user_id) = (*browser, user_id.map(String::from));
        self.read(move |database| {
            sql::first(
                database,
                "SELECT c.* FROM sso_sign_ins s JOIN sso_connections c ON c.id = s.connection_id
                 WHERE s.browser_digest = ?1 AND s.expires_at > ?2 AND (?3 IS NULL OR s.user_id = ?3)",
                params![browser.as_bytes(), now.seconds(), user_id],
                sso_connections::from_row,
            )
        })
        .await
    }

    /// Takes what signing out at the provider takes: once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_provider_sign_in(
        &self,
        browser: &SecretDigest,
        now: Timestamp,
    ) -> Result<Option<ProviderSignIn>, StoreError> {
        let browser = *browser;
        self.write(move |database| {
            let delete = "DELETE FROM sso_sign_ins WHERE browser_digest = ?1 AND expires_at > ?2 RETURNING *";
            sql::first(
                database,
                delete,
                params![browser.as_bytes(), now.seconds()],
                |row| {
                    Ok(ProviderSignIn {
                        browser: sql::digest(row, "browser_digest")?,
                        connection_id: row.get("connection_id")?,
                        user_id: row.get("user_id")?,
                        sealed_id_token: Secret::new(row.get("id_token")?),
                        expires_at: sql::instant(row, "expires_at")?,
                    })
                },
            )
        })
        .await
    }

    /// Who a person is at which provider.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sso_links_of(&self, user_id: &str) -> Result<Vec<Link>, StoreError> {
        let user_id = String::from(user_id);
        self.read(move |database| {
            let query = "SELECT * FROM sso_links WHERE user_id = ?1 ORDER BY created_at, connection_id";
            sql::all(database, query, [user_id], |row| {
                Ok(Link {
                    connection_id: row.get("connection_id")?,
                    subject: row.get("subject")?,
                    user_id: row.get("user_id")?,
                    created_at: sql::instant(row, "created_at")?,
                    last_used_at: sql::instant(row, "last_used_at")?,
                })
            })
        })
        .await
    }

    /// Forgets who a person is at a connection's provider. Says whether that was known; only then is `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_sso_link(
        &self,
        user_id: &str,
        connection_id: &str,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let (user_id, connection_id) = (String::from(user_id), String::from(connection_id));
        self.write(move |database| {
            let delete = "DELETE FROM sso_links WHERE user_id = ?1 AND connection_id = ?2";
            let found = sql::change(database, delete, [&user_id, &connection_id])? > 0;
            if found {
                audit_events::insert(database, &audit)?;
            }
            Ok(found)
        })
        .await
    }

    /// Whether a person may sign in with a password although their domain has a connection.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn may_sign_in_locally(&self, user_id: &str) -> Result<bool, StoreError> {
        let user_id = String::from(user_id);
        self.look_up(move |database| {
            let query = "SELECT 1 FROM users WHERE id = ?1 AND local_sign_in = 1";
            Ok(sql::first(database, query, [&user_id], |_| Ok(()))?.is_some())
        })
        .await
    }

    /// Settles whether a person may sign in with a password although their domain has a connection. Says whether there is such a
    /// person; only then is `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_local_sign_in(
        &self,
        user_id: &str,
        allowed: bool,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let user_id = String::from(user_id);
        self.write(move |database| {
            let update = "UPDATE users SET local_sign_in = ?2 WHERE id = ?1";
            let found = sql::change(database, update, params![user_id, allowed])? > 0;
            if found {
                audit_events::insert(database, &audit)?;
            }
            Ok(found)
        })
        .await
    }
}

fn find_account(
    database: &Database,
    identity: &ProvidedIdentity,
    audit: &AuditEvent,
) -> Result<ProvidedAccount, StoreError> {
    let is_within = |email: &str| match domain_of(email) {
        Some(domain) => is_verified(database, &identity.connection_id, &domain),
        None => Ok(false),
    };
    if !is_within(&identity.email)? {
        return Ok(ProvidedAccount::ForeignDomain);
    }
    let query = "SELECT u.* FROM sso_links l JOIN people u ON u.id = l.user_id
                 WHERE l.connection_id = ?1 AND l.subject = ?2";
    let subject = [&identity.connection_id, &identity.subject];
    if let Some(user) = sql::first(database, query, subject, users::from_row)? {
        // Somebody who moved to another organization is not this one's to sign in any more.
        if !is_within(&user.email)? {
            return Ok(ProvidedAccount::ForeignDomain);
        }
        return Ok(open(user));
    }
    let query = "SELECT * FROM people WHERE email = ?1";
    let by_address = sql::first(database, query, [&identity.email], users::from_row)?;
    let user = match (by_address, &identity.new_account) {
        (Some(user), _) => user,
        (None, None) => return Ok(ProvidedAccount::None),
        (None, Some(new)) => {
            users::insert(database, new)?;
            audit_events::insert(database, &line(audit, AuditAction::UserCreation, &new.id))?;
            new.clone()
        }
    };
    if !user.is_active() {
        return Ok(ProvidedAccount::Deactivated(user.id));
    }
    let link = "INSERT INTO sso_links (connection_id, subject, user_id, created_at, last_used_at)
                VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT DO NOTHING";
    let parameters = params![
        identity.connection_id,
        identity.subject,
        user.id,
        audit.at.seconds()
    ];
    if sql::change(database, link, parameters)? == 0 {
        return Ok(ProvidedAccount::AnotherSubject(user.id));
    }
    audit_events::insert(database, &line(audit, AuditAction::SsoLink, &user.id))?;
    Ok(ProvidedAccount::Person(Box::new(user)))
}

/// Whether nobody would be left who may administrate without a limit, if `user` had the role of this id.
fn ends_administration(database: &Database, user: &User, role_id: &str) -> Result<bool, StoreError> {
    let goes_on = roles::administers_all(database, roles::find(database, role_id)?.as_ref())?;
    Ok(!goes_on && accounts::is_last_administrator(database, user)?)
}

fn open(user: User) -> ProvidedAccount {
    if user.is_active() {
        ProvidedAccount::Person(Box::new(user))
    } else {
        ProvidedAccount::Deactivated(user.id)
    }
}

fn is_verified(database: &Database, connection_id: &str, domain: &DomainName) -> Result<bool, StoreError> {
    let query =
        "SELECT 1 FROM sso_domains WHERE connection_id = ?1 AND domain = ?2 AND verified_at IS NOT NULL";
    Ok(sql::first(database, query, [connection_id, domain.as_str()], |_| Ok(()))?.is_some())
}

/// The line of a change that came with a sign-in.
fn line(audit: &AuditEvent, action: AuditAction, user_id: &str) -> AuditEvent {
    AuditEvent {
        action,
        outcome: AuditOutcome::Success,
        user_id: Some(user_id.into()),
        ..audit.clone()
    }
}
