//! Works the queue of messages off beside the requests: a few at a time, each by one task alone.
//!
//! What does not go out is tried again, with growing pauses, until it goes out, is refused for good, or expires. What a stop of the
//! process leaves is found at its next start.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::message::OutgoingMessage;
use crate::error::InternalError;
use crate::state::AppState;

use super::{DeliveryError, open};

/// How many messages go out at once.
const AT_ONCE: usize = 8;
/// How often the queue is looked at when nothing was queued here: for what is to be tried again, and for other processes.
const LOOK: Duration = Duration::from_secs(5);

/// What is being sent.
pub struct Deliveries {
    state: AppState,
    under_way: JoinSet<()>,
}

impl Deliveries {
    /// Nothing yet.
    pub fn new(state: AppState) -> Self {
        Self {
            state,
            under_way: JoinSet::new(),
        }
    }

    /// Sends what is due, until `stop`; then finishes what is under way.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut look = tokio::time::interval(LOOK);
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                () = self.state.store().message_was_queued() => {}
                _ = look.tick() => {}
                Some(_) = self.under_way.join_next() => {}
            }
            if let Err(error) = self.begin_due().await {
                tracing::error!(%error, "the queue of messages could not be read");
            }
        }
        while self.under_way.join_next().await.is_some() {}
    }

    /// Sends everything that is due now.
    ///
    /// # Errors
    /// When the queue cannot be read.
    #[cfg(test)]
    pub(crate) async fn deliver_due(&mut self) -> Result<(), InternalError> {
        loop {
            self.begin_due().await?;
            if self.under_way.join_next().await.is_none() {
                return Ok(());
            }
        }
    }

    /// Begins to send what is due, as far as there is room.
    async fn begin_due(&mut self) -> Result<(), InternalError> {
        let room = AT_ONCE.saturating_sub(self.under_way.len());
        if room == 0 {
            return Ok(());
        }
        let now = self.state.now();
        for message in self.state.store().claim_messages(room, now).await? {
            let state = self.state.clone();
            self.under_way.spawn(async move {
                if let Err(error) = deliver(&state, &message).await {
                    tracing::error!(%error, message = message.id, "what became of a message was not noted");
                }
            });
        }
        Ok(())
    }
}

/// Tries one message. What fails for now stays in the queue.
async fn deliver(state: &AppState, message: &OutgoingMessage) -> Result<(), InternalError> {
    let Ok(content) = open(state.sealer(), &message.id, &message.sealed) else {
        return finish(state, message, Err("unreadable")).await;
    };
    match state.messages().deliver(&message.id, content, state.now()).await {
        Ok(()) => finish(state, message, Ok(())).await,
        Err(error) => {
            tracing::warn!(
                %error,
                message = message.id,
                channel = message.channel.as_str(),
                attempt = message.attempts,
                "a message did not go out"
            );
            match error {
                DeliveryError::Refused(_) => finish(state, message, Err("refused")).await,
                DeliveryError::Temporary(_) => Ok(()),
            }
        }
    }
}

async fn finish(
    state: &AppState,
    message: &OutgoingMessage,
    outcome: Result<(), &'static str>,
) -> Result<(), InternalError> {
    let audit = |outcome| {
        let mut audit = AuditEvent::new(state.now(), AuditAction::Message, outcome);
        audit.user_id.clone_from(&message.user_id);
        audit.with_method(message.channel.as_str())
    };
    let audit = match outcome {
        Ok(()) => audit(AuditOutcome::Success),
        Err(reason) => audit(AuditOutcome::Failure).with_reason(reason),
    };
    Ok(state.store().finish_message(&message.id, audit).await?)
}
