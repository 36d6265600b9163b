//! What is sent to a person, and how often that is tried.

use wardgate_shared::time::Timestamp;

/// How it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// As mail.
    Mail,
    /// As a short message to a telephone.
    Sms,
}

impl Channel {
    /// The name in the store, in the audit trail and in the outbox.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Sms => "sms",
        }
    }

    /// The channel of this name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Mail, Self::Sms]
            .into_iter()
            .find(|channel| channel.as_str() == name)
    }

    /// How long the issuer waits after each attempt, in seconds, the last again and again until the message expires. Each is
    /// longer than an attempt may take: whoever tries it next is alone with it.
    const fn pauses_seconds(self) -> &'static [i64] {
        match self {
            Self::Mail => &[60, 120, 300, 900, 3600],
            Self::Sms => &[10, 20, 40, 60],
        }
    }

    /// When to try again after the attempt of this number began, in seconds from then.
    pub fn pause_seconds(self, attempt: u32) -> i64 {
        let pauses = self.pauses_seconds();
        let number = usize::try_from(attempt).unwrap_or(usize::MAX).saturating_sub(1);
        pauses.get(number).or(pauses.last()).copied().unwrap_or_default()
    }
}

/// A message for the queue.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// `message-` and random characters.
    pub id: String,
    /// How it goes.
    pub channel: Channel,
    /// Whom it is for, by `sub`.
    pub user_id: Option<String>,
    /// Address and content, sealed for a row of this id.
    pub sealed: Vec<u8>,
    /// When it was written: it is due at once.
    pub created_at: Timestamp,
    /// When it is not worth sending any more.
    pub expires_at: Timestamp,
}

/// A message that somebody took off the queue to send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingMessage {
    /// Its id.
    pub id: String,
    /// How it goes.
    pub channel: Channel,
    /// Whom it is for, by `sub`.
    pub user_id: Option<String>,
    /// Address and content, sealed for a row of this id.
    pub sealed: Vec<u8>,
    /// How often it was tried, this time included.
    pub attempts: u32,
}

#[cfg(test)]
mod tests {
    use super::Channel;

    #[test]
    fn every_channel_is_found_by_its_name() {
        for channel in [Channel::Mail, Channel::Sms] {
            assert_eq!(Channel::from_name(channel.as_str()), Some(channel));
        }
        assert_eq!(Channel::from_name("fax"), None);
    }

    #[test]
    fn mail_is_tried_for_hours_and_a_code_for_minutes() {
        let begun = |channel: Channel, attempts| -> i64 {
            (1..=attempts).map(|attempt| channel.pause_seconds(attempt)).sum()
        };
        assert_eq!(begun(Channel::Mail, 5), 4980);
        assert_eq!(begun(Channel::Mail, 7), 4980 + 2 * 3600);
        assert_eq!(begun(Channel::Sms, 4), 130);
        assert_eq!(Channel::Sms.pause_seconds(u32::MAX), 60);
    }
}
