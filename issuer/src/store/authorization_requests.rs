//! Authorization requests that wait for their person, and how they end.

use rusqlite::{Connection, Row, params};
use wardgate_shared::pkce::CodeChallenge;
use wardgate_shared::redirect_uri::RegisteredRedirectUri;
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::authentication_context::{AuthenticationContext, RequestedContext};
use crate::domain::authorization_code::AuthorizationCode;
use crate::domain::authorization_request::{AuthorizationRequest, ResponseMode};
use crate::domain::consent::Consent;
use crate::domain::digest::SecretDigest;
use crate::domain::proof_use::ProofUse;

use super::{
    Approval, Store, StoreError, audit_events, authorization_codes, consents, dpop_proofs, launches, sql,
};

const TABLE: &str = "authorization_requests";
/// The reason of a [`crate::domain::audit_event::AuditAction::Replay`] event.
const LAUNCH_SPENT: &str = "launch_replayed";

impl Store {
    /// Keeps a checked request until its person has decided.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_authorization_request(
        &self,
        request: AuthorizationRequest,
    ) -> Result<(), StoreError> {
        self.write(move |connection| insert(connection, &request)).await
    }

    /// Keeps a request that its client pushed (RFC 9126), and uses up the DPoP proof that came with it.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::ProofReplayed`] when the proof was used before: nothing is stored then.
    pub async fn push_authorization_request(
        &self,
        request: AuthorizationRequest,
        proof: Option<ProofUse>,
        audit: AuditEvent,
    ) -> Result<(), StoreError> {
        self.write(move |connection| {
            dpop_proofs::consume(connection, proof.as_ref())?;
            insert(connection, &request)?;
            audit_events::insert(connection, &audit)
        })
        .await
    }

    /// The request that `client_id` pushed, while its `request_uri` may be used. From now on its person has until
    /// `expires_at`. A visit consumes nothing (FAPI-16).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn visit_pushed_request(
        &self,
        digest: &SecretDigest,
        client_id: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Option<AuthorizationRequest>, StoreError> {
        let (digest, client_id) = (*digest, String::from(client_id));
        self.write(move |connection| {
            sql::first(
                connection,
                "UPDATE authorization_requests SET expires_at = max(expires_at, ?4)
                 WHERE digest = ?1 AND client_id = ?2 AND pushed_until > ?3 RETURNING *",
                params![digest.as_bytes(), client_id, now.seconds(), expires_at.seconds()],
                from_row,
            )
        })
        .await
    }

    /// The waiting request of this digest, unless it has expired.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn authorization_request(
        &self,
        digest: &SecretDigest,
        now: Timestamp,
    ) -> Result<Option<AuthorizationRequest>, StoreError> {
        let digest = *digest;
        self.read(move |connection| {
            let query = "SELECT * FROM authorization_requests WHERE digest = ?1 AND expires_at > ?2";
            sql::first(
                connection,
                query,
                params![digest.as_bytes(), now.seconds()],
                from_row,
            )
        })
        .await
    }

    /// Ends a request with a code: consumes it, spends the launch that it came with, and stores the code, its dormant
    /// grant and the remembered consent. Nothing of it is stored unless the answer is [`Approval::Approved`]; a spent launch
    /// is recorded as a replay.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn approve_authorization(
        &self,
        request: &SecretDigest,
        code: AuthorizationCode,
        consent: Option<Consent>,
        audit: Vec<AuditEvent>,
        now: Timestamp,
    ) -> Result<Approval, StoreError> {
        let request = *request;
        self.write(move |connection| {
            let launch = sql::first(
                connection,
                "SELECT launch_digest FROM authorization_requests WHERE digest = ?1",
                params![request.as_bytes()],
                |row| sql::optional_digest(row, "launch_digest"),
            )?;
            if !consume(connection, &request, now)? {
                return Ok(Approval::RequestGone);
            }
            if let Some(launch) = launch.flatten()
                && !launches::consume(connection, &launch, &code.grant.client_id, now)?
            {
                for event in &audit {
                    audit_events::insert(connection, &audit_events::replay(event, LAUNCH_SPENT))?;
                }
                return Ok(Approval::LaunchSpent);
            }
            authorization_codes::insert(connection, &code)?;
            if let Some(consent) = consent {
                consents::remember(connection, &consent)?;
            }
            audit
                .iter()
                .try_for_each(|event| audit_events::insert(connection, event))?;
            Ok(Approval::Approved)
        })
        .await
    }

    /// Ends a request without a code. `false` when it was gone already; `audit` is not recorded then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn deny_authorization(
        &self,
        request: &SecretDigest,
        audit: AuditEvent,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let request = *request;
        self.write(move |connection| {
            let consumed = consume(connection, &request, now)?;
            if consumed {
                audit_events::insert(connection, &audit)?;
            }
            Ok(consumed)
        })
        .await
    }
}

fn insert(connection: &Connection, request: &AuthorizationRequest) -> Result<(), StoreError> {
    let requested = request.requested_context.as_ref();
    sql::change(
        connection,
        "INSERT INTO authorization_requests
             (digest, client_id, redirect_uri, redirect_uri_given, scope, state, nonce, challenge, audiences,
              authenticated_after, consent_forced, login_hint, expires_at, hinted_user_id, response_mode,
              prompt_none, pushed_until, launch_digest, context, dpop_jkt, claims, acr_values, acr_essential)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
        params![
            request.digest.as_bytes(),
            request.client_id,
            request.redirect_target.as_str(),
            request.redirect_uri_given,
            request.scope.to_string(),
            request.state,
            request.nonce,
            request.challenge.as_ref().map(CodeChallenge::encoded),
            sql::to_list(&request.audiences)?,
            sql::optional_seconds(request.authenticated_after),
            request.consent_forced,
            request.login_hint,
            request.expires_at.seconds(),
            request.hinted_user_id,
            request.response_mode.as_str(),
            request.prompt_none,
            sql::optional_seconds(request.pushed_until),
            request.launch.as_ref().map(|digest| digest.as_bytes().as_slice()),
            sql::to_json(&request.context)?,
            request.dpop_jkt,
            sql::to_json(&request.claims)?,
            requested.map(|context| sql::to_list(context.any_of.iter().map(|level| level.as_str()))).transpose()?,
            requested.is_some_and(|context| context.essential),
        ],
    )?;
    Ok(())
}

/// Takes a request away. Of several attempts one succeeds.
fn consume(connection: &Connection, digest: &SecretDigest, now: Timestamp) -> Result<bool, StoreError> {
    let delete = "DELETE FROM authorization_requests WHERE digest = ?1 AND expires_at > ?2";
    Ok(sql::change(connection, delete, params![digest.as_bytes(), now.seconds()])? > 0)
}

fn from_row(row: &Row<'_>) -> Result<AuthorizationRequest, StoreError> {
    let redirect_uri: String = row.get("redirect_uri")?;
    Ok(AuthorizationRequest {
        digest: sql::digest(row, "digest")?,
        client_id: row.get("client_id")?,
        // What was accepted against a registered URI keeps the rules of registered ones.
        redirect_target: RegisteredRedirectUri::parse(&redirect_uri)
            .map_err(|_| StoreError::Corrupt(TABLE))?
            .as_target(),
        response_mode: ResponseMode::from_name(&row.get::<_, String>("response_mode")?)
            .ok_or(StoreError::Corrupt(TABLE))?,
        redirect_uri_given: row.get("redirect_uri_given")?,
        scope: sql::scope(row, TABLE)?,
        state: row.get("state")?,
        nonce: row.get("nonce")?,
        challenge: sql::challenge(row, TABLE)?,
        dpop_jkt: row.get("dpop_jkt")?,
        audiences: sql::list(row, "audiences", TABLE, Some::<String>)?,
        authenticated_after: sql::optional_instant(row, "authenticated_after")?,
        consent_forced: row.get("consent_forced")?,
        prompt_none: row.get("prompt_none")?,
        login_hint: row.get("login_hint")?,
        pushed_until: sql::optional_instant(row, "pushed_until")?,
        claims: sql::json(row, "claims", TABLE)?,
        hinted_user_id: row.get("hinted_user_id")?,
        requested_context: requested_context(row)?,
        launch: sql::optional_digest(row, "launch_digest")?,
        context: sql::json(row, "context", TABLE)?,
        expires_at: sql::instant(row, "expires_at")?,
    })
}

fn requested_context(row: &Row<'_>) -> Result<Option<RequestedContext>, StoreError> {
    if row.get::<_, Option<String>>("acr_values")?.is_none() {
        return Ok(None);
    }
    Ok(Some(RequestedContext {
        any_of: sql::list(row, "acr_values", TABLE, |name: String| {
            AuthenticationContext::from_name(&name)
        })?,
        essential: row.get("acr_essential")?,
    }))
}
