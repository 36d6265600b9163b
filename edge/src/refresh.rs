//! When a document of the issuer's is fetched again: stale-while-revalidate and stale-if-error (RFC 5861) with a bound,
//! and a rest after every attempt that something outside could otherwise provoke at will.
//!
//! A pure state machine: `now` is an argument, and whoever calls [`Refresh::start`] does the fetching. There is no
//! shared future to wait for, since on this platform a request must never await what another request began: it may be
//! cancelled with that request. Whoever finds a fetch running looks again a little later, and after
//! [`RefreshSettings::attempt_seconds`] takes over.

use wardgate_shared::time::Timestamp;

/// The four spans that govern a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshSettings {
    /// How long a document is used without asking again.
    pub fresh_seconds: i64,
    /// How much longer it may be used while it cannot be fetched.
    pub stale_seconds: i64,
    /// Shortest time between attempts that follow a failure or that a request provoked.
    pub cooldown_seconds: i64,
    /// After this time an attempt that has not ended counts as abandoned.
    pub attempt_seconds: i64,
}

/// How good the document in hand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As good as new.
    Fresh,
    /// To be used, and to be fetched again beside.
    Stale,
    /// There is none, or it is too old to be used.
    Absent,
}

/// Whether an attempt may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Begin one.
    Granted,
    /// One is running.
    Running,
    /// The last one succeeded so recently that another would learn nothing.
    JustFetched,
    /// The last one failed; try again after this many seconds.
    CoolingDown {
        /// At least 1.
        seconds: i64,
    },
}

/// The history of one document's fetches, as far as it matters.
#[derive(Clone, Copy, Debug)]
pub struct Refresh {
    settings: RefreshSettings,
    /// The attempt that brought the document in hand.
    brought_by: Option<Started>,
    last_attempt: Option<Attempt>,
    /// How many attempts began.
    attempts: u64,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    started: Started,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    Running,
    Succeeded,
    Failed { at: Timestamp },
}

impl Refresh {
    /// A document that was never fetched.
    pub const fn new(settings: RefreshSettings) -> Self {
        Self {
            settings,
            brought_by: None,
            last_attempt: None,
            attempts: 0,
        }
    }

    /// How good the document in hand is at `now`.
    pub fn standing(&self, now: Timestamp) -> Standing {
        let RefreshSettings {
            fresh_seconds,
            stale_seconds,
            ..
        } = self.settings;
        match self.brought_by.map(|attempt| now.since(attempt.at)) {
            // A clock that went back says nothing of the age; asking again is the careful answer.
            Some(age) if age < 0 => Standing::Stale,
            Some(age) if age < fresh_seconds => Standing::Fresh,
            Some(age) if age < fresh_seconds.saturating_add(stale_seconds) => Standing::Stale,
            None | Some(_) => Standing::Absent,
        }
    }

    /// Whether a document that has become stale or is absent may be fetched at `now`.
    pub fn may_renew(&self, now: Timestamp) -> Permission {
        match self.permission(now) {
            Permission::JustFetched => Permission::Granted,
            other => other,
        }
    }

    /// Whether a fresh document may be fetched at `now` because a request asks for something it does not contain.
    pub fn may_search(&self, now: Timestamp) -> Permission {
        self.permission(now)
    }

    fn permission(&self, now: Timestamp) -> Permission {
        let Some(Attempt { started, outcome }) = self.last_attempt else {
            return Permission::Granted;
        };
        match outcome {
            Outcome::Running if within(now, started.at, self.settings.attempt_seconds).is_some() => {
                Permission::Running
            }
            Outcome::Succeeded if within(now, started.at, self.settings.cooldown_seconds).is_some() => {
                Permission::JustFetched
            }
            Outcome::Failed { at } => match within(now, at, self.settings.cooldown_seconds) {
                Some(seconds) => Permission::CoolingDown { seconds },
                None => Permission::Granted,
            },
            Outcome::Running | Outcome::Succeeded => Permission::Granted,
        }
    }

    /// Notes that an attempt begins at `now`. What it gives is handed back when the attempt ends.
    pub const fn start(&mut self, now: Timestamp) -> Started {
        self.attempts = self.attempts.saturating_add(1);
        let started = Started {
            number: self.attempts,
            at: now,
        };
        self.last_attempt = Some(Attempt {
            started,
            outcome: Outcome::Running,
        });
        started
    }

    /// Notes that an attempt brought a document. Its age counts from the attempt's beginning, since what the issuer sent
    /// may be as old as that. Says whether the document is newer than the one in hand, and so to be used; the attempts'
    /// order tells, since a clock can go back.
    pub fn succeed(&mut self, started: Started) -> bool {
        let newer = self
            .brought_by
            .is_none_or(|attempt| attempt.number <= started.number);
        if newer {
            self.brought_by = Some(started);
        }
        self.conclude(started, Outcome::Succeeded);
        newer
    }

    /// Notes that an attempt brought nothing, at `now`.
    pub fn fail(&mut self, started: Started, now: Timestamp) {
        self.conclude(started, Outcome::Failed { at: now });
    }

    /// An attempt that was taken over while it ran no longer decides anything.
    fn conclude(&mut self, started: Started, outcome: Outcome) {
        if let Some(attempt) = &mut self.last_attempt
            && attempt.started == started
        {
            attempt.outcome = outcome;
        }
    }
}

/// An attempt that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an attempt that is never concluded blocks the next one for a while"]
pub struct Started {
    number: u64,
    at: Timestamp,
}

/// The seconds left of `span` since `instant`, if it is not over. A clock that went back ends every span, lest it never
/// end.
fn within(now: Timestamp, instant: Timestamp, span: i64) -> Option<i64> {
    let elapsed = now.since(instant);
    (0..span).contains(&elapsed).then(|| span.saturating_sub(elapsed))
}

#[cfg(test)]
mod tests;
