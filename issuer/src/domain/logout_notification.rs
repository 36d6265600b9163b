//! What a client is to be told of a session that is over, and how often that is tried.

/// How long the issuer waits after each attempt but the last, in seconds; longer than an attempt may take.
const PAUSES_SECONDS: [i64; 4] = [10, 60, 180, 360];
/// When an attempt counts as abandoned by a process that ended meanwhile, in seconds.
const ABANDONED_SECONDS: i64 = 60;

/// A logout token that is still to be delivered (Back-Channel Logout 1.0 section 2.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutNotification {
    /// Its place in the queue.
    pub id: i64,
    /// Who is to hear of it.
    pub client_id: String,
    /// Whose session it was.
    pub user_id: String,
    /// The session's own id; see [`super::session::session_id_for`].
    pub session_id: String,
    /// How often it was tried, this time included.
    pub attempts: u32,
}

impl LogoutNotification {
    /// When to try again after the attempt of this number began, in seconds from then; after the last, when to find that its
    /// process did not live to say how it went.
    pub fn pause_seconds(attempt: u32) -> i64 {
        let number = usize::try_from(attempt).unwrap_or(usize::MAX);
        PAUSES_SECONDS
            .get(number.saturating_sub(1))
            .copied()
            .unwrap_or(ABANDONED_SECONDS)
    }

    /// Whether this attempt is the last.
    pub fn is_last_attempt(&self) -> bool {
        usize::try_from(self.attempts).is_ok_and(|attempts| attempts > PAUSES_SECONDS.len())
    }

    /// Whether the last attempt is over already.
    pub fn is_exhausted(&self) -> bool {
        usize::try_from(self.attempts).is_ok_and(|attempts| attempts > PAUSES_SECONDS.len().saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_attempts_spread_over_ten_minutes() {
        let notification = |attempts| LogoutNotification {
            id: 1,
            client_id: "app".into(),
            user_id: "user-1".into(),
            session_id: "session-1".into(),
            attempts,
        };
        let last = (1..10)
            .find(|attempt| notification(*attempt).is_last_attempt())
            .unwrap();
        assert_eq!(last, 5);
        assert!(!notification(last).is_exhausted() && notification(last + 1).is_exhausted());
        let seconds: i64 = (1..last).map(LogoutNotification::pause_seconds).sum();
        assert_eq!(seconds, 610);
    }
}
