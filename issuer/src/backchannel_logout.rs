//! Telling clients that a session is over (OpenID Connect Back-Channel Logout 1.0).
//!
//! The transaction that ends a session queues a notification for each client that has an ID token of it. [`Deliveries`] works
//! the queue off beside the requests, so that nobody's logout waits for a client: a few at a time, and one at a time for
//! one client, so that a slow client keeps nobody waiting but itself. A token is signed when it is sent. What a client did not
//! take is tried again, and given up after some minutes; what a stop of the process leaves is found at its next start.
//!
//! The clients' URLs are those of their registration, reached through [`crate::outbound`]. Nothing of an answer is trusted, or
//! read, but its status.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use wardgate_shared::claims::{LOGOUT_TOKEN_TYPE, LogoutClaims, LogoutEvents};
use wardgate_shared::jwt::Audiences;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::client::Client;
use crate::domain::logout_notification::LogoutNotification;
use crate::domain::session::session_id_for;
use crate::error::InternalError;
use crate::outbound::FetchError;
use crate::rng;
use crate::state::AppState;
use crate::tokens::subjects;

/// How many clients are told at once.
const AT_ONCE: usize = 16;
/// How often the queue is looked at when nothing was queued here: for what is to be tried again, and for other processes.
const LOOK: Duration = Duration::from_secs(5);
/// `exp` of a logout token, in seconds from `iat`: two minutes, as section 2.4 advises.
const LOGOUT_TOKEN_SECONDS: i64 = 120;

/// What is being delivered.
pub struct Deliveries {
    state: AppState,
    under_way: JoinSet<()>,
    /// The client of each task: it is sent one at a time.
    clients: HashMap<Id, String>,
}

impl Deliveries {
    /// Nothing yet.
    pub fn new(state: AppState) -> Self {
        Self {
            state,
            under_way: JoinSet::new(),
            clients: HashMap::new(),
        }
    }

    /// Delivers what is due, until `stop`; then finishes what is under way.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut look = tokio::time::interval(LOOK);
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                () = self.state.store().logout_was_queued() => {}
                _ = look.tick() => {}
                Some(ended) = self.under_way.join_next_with_id() => self.forget(ended),
            }
            if let Err(error) = self.begin_due().await {
                tracing::error!(%error, "the queue of logout tokens could not be read");
            }
        }
        while let Some(ended) = self.under_way.join_next_with_id().await {
            self.forget(ended);
        }
    }

    /// Delivers everything that is due now.
    ///
    /// # Errors
    /// When the queue cannot be read.
    #[cfg(test)]
    pub(crate) async fn deliver_due(&mut self) -> Result<(), InternalError> {
        loop {
            self.begin_due().await?;
            match self.under_way.join_next_with_id().await {
                Some(ended) => self.forget(ended),
                None => return Ok(()),
            }
        }
    }

    /// Begins to deliver what is due, as far as there is room.
    async fn begin_due(&mut self) -> Result<(), InternalError> {
        let room = AT_ONCE.saturating_sub(self.under_way.len());
        if room == 0 {
            return Ok(());
        }
        let busy: Vec<String> = self.clients.values().cloned().collect();
        let now = self.state.now();
        let due = self
            .state
            .store()
            .claim_logout_notifications(&busy, room, now)
            .await?;
        for notification in due {
            let (state, client_id) = (self.state.clone(), notification.client_id.clone());
            let task = self.under_way.spawn(async move {
                if let Err(error) = deliver(&state, &notification).await {
                    tracing::error!(%error, client_id = notification.client_id, "a logout token was not made or noted");
                }
            });
            self.clients.insert(task.id(), client_id);
        }
        Ok(())
    }

    fn forget(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => error.id(),
        };
        self.clients.remove(&id);
    }
}

/// Tries one notification. What fails stays in the queue, unless this was the last attempt.
async fn deliver(state: &AppState, notification: &LogoutNotification) -> Result<(), InternalError> {
    let Some(client) = state.store().client(&notification.client_id).await? else {
        // What was queued for it went with it.
        return Ok(());
    };
    let Some(uri) = &client.metadata.backchannel_logout_uri else {
        return finish(state, notification, Err("no_backchannel_logout_uri")).await;
    };
    if notification.is_exhausted() {
        return finish(state, notification, Err("abandoned")).await;
    }
    let token = logout_token(state, &client, notification).await?;
    match state.outbound().post_form(uri, &[("logout_token", &token)]).await {
        Ok(()) => finish(state, notification, Ok(())).await,
        Err(error) => {
            tracing::warn!(
                %error,
                client_id = client.client_id,
                attempt = notification.attempts,
                "a logout token was not taken"
            );
            if notification.is_last_attempt() {
                finish(state, notification, Err(reason(&error))).await
            } else {
                Ok(())
            }
        }
    }
}

/// The reason for the audit trail.
const fn reason(error: &FetchError) -> &'static str {
    match error {
        FetchError::Url(_) => "url_not_permitted",
        FetchError::Client(_) | FetchError::Unreachable(_) => "unreachable",
        FetchError::Status(_) | FetchError::TooLarge => "refused_by_client",
    }
}

async fn finish(
    state: &AppState,
    notification: &LogoutNotification,
    outcome: Result<(), &'static str>,
) -> Result<(), InternalError> {
    let audit = |outcome| {
        AuditEvent::new(state.now(), AuditAction::BackchannelLogout, outcome)
            .with_user(&*notification.user_id)
            .with_client(&*notification.client_id)
    };
    let audit = match outcome {
        Ok(()) => audit(AuditOutcome::Success),
        Err(reason) => audit(AuditOutcome::Failure).with_reason(reason),
    };
    state
        .store()
        .finish_logout_notification(notification.id, audit)
        .await?;
    Ok(())
}

/// A logout token for `client` (section 2.4), signed as its ID tokens are.
async fn logout_token(
    state: &AppState,
    client: &Client,
    notification: &LogoutNotification,
) -> Result<String, InternalError> {
    let now = state.now();
    let claims = LogoutClaims {
        issuer: state.config().server.public_url.as_str().into(),
        subject: subjects::subject(state, client, &notification.user_id).await?,
        audiences: Audiences::new(vec![client.client_id.clone()]),
        token_id: rng::identifier("lt-")?,
        session_id: session_id_for(
            state.session_name_key(),
            &client.client_id,
            &notification.session_id,
        ),
        events: LogoutEvents::default(),
    };
    Ok(state.keys().sign_with(
        state.rules(client).id_token_algorithm,
        LOGOUT_TOKEN_TYPE,
        claims,
        now,
        now.plus(LOGOUT_TOKEN_SECONDS),
        now,
    )?)
}

#[cfg(test)]
mod tests;
