//! The outbox of development: messages are kept in memory and shown, instead of being sent.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use wardgate_shared::time::Timestamp;

use crate::domain::message::Channel;

/// How many messages are kept; the oldest go first.
const MAXIMUM_MESSAGES: usize = 200;

/// The newest messages.
#[derive(Default)]
pub struct Outbox(Mutex<VecDeque<Shown>>);

/// A message that was not sent but is shown.
#[derive(Clone)]
pub struct Shown {
    /// Its id.
    pub id: String,
    /// How it would have gone.
    pub channel: Channel,
    /// The address or number.
    pub to: String,
    /// The subject of a mail.
    pub subject: Option<String>,
    /// What it says.
    pub text: String,
    /// What a mail says in HTML.
    pub html: Option<String>,
    /// When it would have been sent.
    pub at: Timestamp,
}

impl Outbox {
    /// Everything that is kept, newest first.
    pub fn messages(&self) -> Vec<Shown> {
        let messages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        messages.iter().cloned().collect()
    }

    pub(super) fn put(&self, message: Shown) {
        let mut messages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        messages.push_front(message);
        messages.truncate(MAXIMUM_MESSAGES);
    }
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Outbox").finish_non_exhaustive()
    }
}
