//! The instruments that parts of the issuer keep for themselves. Clones of an instrument are the same instrument.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Unit;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::message::Channel;
use crate::domain::session::AuthenticationMethod;

use super::registrar::Registrar;

/// Labels with values from fixed lists.
pub type Labels<const N: usize> = [(&'static str, &'static str); N];
/// Counters that differ in their labels.
pub type Counters<const N: usize> = Family<Labels<N>, Counter>;
/// Histograms that differ in their labels.
pub type Durations<const N: usize> = Family<Labels<N>, Histogram, fn() -> Histogram>;

/// Requests: from a document in memory to the longest time that an answer may take.
pub(super) fn request_seconds() -> Histogram {
    Histogram::new([
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    ])
}

/// Work of the disk and of the processor: from a tenth of a millisecond to the longest wait.
fn work_seconds() -> Histogram {
    Histogram::new([
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ])
}

/// A line of the audit trail that was committed, as far as it is counted.
#[derive(Clone, Debug)]
pub struct CountedLine {
    /// What happened.
    pub action: AuditAction,
    /// Whether it was done.
    pub outcome: AuditOutcome,
    /// By what means, for those actions that are counted by it.
    pub method: Option<String>,
}

/// The store's.
#[derive(Clone, Debug)]
pub struct StoreInstruments {
    /// Writes that wait, as of the last look.
    pub queue_depth: Gauge,
    /// How long a write waited for its transaction to begin.
    pub wait: Histogram,
    /// How long a transaction took, the disk included.
    pub commit: Histogram,
    /// How many writes shared a transaction.
    pub batch: Histogram,
    /// Transactions that were not committed.
    pub failures: Counter,
    audit_events: Counters<2>,
    sign_ins: Counters<2>,
    second_factors: Counters<2>,
    messages: Counters<2>,
    logout_notices: Counters<1>,
}

impl Default for StoreInstruments {
    fn default() -> Self {
        Self {
            queue_depth: Gauge::default(),
            wait: work_seconds(),
            commit: work_seconds(),
            batch: Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0]),
            failures: Counter::default(),
            audit_events: Family::default(),
            sign_ins: Family::default(),
            second_factors: Family::default(),
            messages: Family::default(),
            logout_notices: Family::default(),
        }
    }
}

impl StoreInstruments {
    /// Counts a line of the audit trail, after its commit.
    pub fn count(&self, line: &CountedLine) {
        let outcome = ("outcome", line.outcome.as_str());
        let labels = [("action", line.action.as_str()), outcome];
        self.audit_events.get_or_create(&labels).inc();
        let name = line.method.as_deref().unwrap_or_default();
        let way = || AuthenticationMethod::from_name(name).map_or("other", AuthenticationMethod::as_str);
        match line.action {
            AuditAction::SignIn => {
                self.sign_ins.get_or_create(&[("method", way()), outcome]).inc();
            }
            AuditAction::SecondFactor => {
                let labels = [("method", way()), outcome];
                self.second_factors.get_or_create(&labels).inc();
            }
            AuditAction::Message => {
                let channel = Channel::from_name(name).map_or("other", Channel::as_str);
                self.messages
                    .get_or_create(&[("channel", channel), outcome])
                    .inc();
            }
            AuditAction::BackchannelLogout => {
                self.logout_notices.get_or_create(&[outcome]).inc();
            }
            _ => {}
        }
    }

    pub(super) fn register(&self, registrar: &mut Registrar<'_>) {
        registrar.add(
            "writer_queue_depth",
            "",
            "Writes that wait for the database",
            &self.queue_depth,
        );
        registrar.add_in(
            "writer_wait",
            Unit::Seconds,
            "",
            "How long a write waited for its transaction to begin",
            &self.wait,
        );
        registrar.add_in(
            "writer_commit",
            Unit::Seconds,
            "",
            "How long a transaction took, with the disk",
            &self.commit,
        );
        registrar.add(
            "writer_batch_size",
            "",
            "How many writes shared a transaction",
            &self.batch,
        );
        registrar.add(
            "writer_failures",
            "",
            "Transactions that were not committed; everything in them was answered with an error",
            &self.failures,
        );
        registrar.add(
            "audit_events",
            "action, outcome",
            "Lines that were added to the audit trail and committed",
            &self.audit_events,
        );
        registrar.add(
            "sign_ins",
            "method, outcome",
            "Sign-ins and attempts as the audit trail has them; `method` is pwd, passkey, sso …",
            &self.sign_ins,
        );
        registrar.add(
            "second_factors",
            "method, outcome",
            "Second factors that were given, or tried; `method` is otp, sms, passkey, recovery_code",
            &self.second_factors,
        );
        registrar.add(
            "messages",
            "channel, outcome",
            "Mails and short messages that were sent, or given up",
            &self.messages,
        );
        registrar.add(
            "logout_notices",
            "outcome",
            "Clients that were told of the end of a session, or could not be",
            &self.logout_notices,
        );
    }
}

/// The password hasher's.
#[derive(Clone, Debug)]
pub struct PasswordInstruments {
    /// Computations that wait for their turn.
    pub waiting: Gauge,
    /// Computations under way.
    pub running: Gauge,
    /// How long a computation waited.
    pub wait: Histogram,
    /// How long a computation took.
    pub time: Histogram,
    /// Computations that waited in vain.
    pub refusals: Counter,
}

impl Default for PasswordInstruments {
    fn default() -> Self {
        Self {
            waiting: Gauge::default(),
            running: Gauge::default(),
            wait: work_seconds(),
            time: work_seconds(),
            refusals: Counter::default(),
        }
    }
}

impl PasswordInstruments {
    pub(super) fn register(&self, registrar: &mut Registrar<'_>) {
        registrar.add(
            "argon2_queue_depth",
            "",
            "Computations that wait for their turn",
            &self.waiting,
        );
        registrar.add("argon2_running", "", "Computations under way", &self.running);
        registrar.add_in(
            "argon2_wait",
            Unit::Seconds,
            "",
            "How long a computation waited for its turn",
            &self.wait,
        );
        registrar.add_in(
            "argon2_duration",
            Unit::Seconds,
            "",
            "How long a computation took",
            &self.time,
        );
        registrar.add(
            "argon2_refusals",
            "",
            "Computations that waited in vain; the person was told to come back",
            &self.refusals,
        );
    }
}

/// A gauge that is one higher as long as this lives.
#[derive(Debug)]
pub struct OneMore(Gauge);

impl OneMore {
    /// Raises `gauge`.
    pub fn of(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for OneMore {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The HTTP client's.
#[derive(Clone, Debug)]
pub struct OutboundInstruments {
    calls: Counters<2>,
    time: Durations<1>,
}

impl Default for OutboundInstruments {
    fn default() -> Self {
        Self {
            calls: Family::default(),
            time: Family::new_with_constructor(request_seconds),
        }
    }
}

impl OutboundInstruments {
    /// Counts a call of this kind.
    pub fn count(&self, kind: &'static str, outcome: &'static str, took: Duration) {
        self.calls
            .get_or_create(&[("kind", kind), ("outcome", outcome)])
            .inc();
        self.time
            .get_or_create(&[("kind", kind)])
            .observe(took.as_secs_f64());
    }

    pub(super) fn register(&self, registrar: &mut Registrar<'_>) {
        registrar.add(
            "outbound_requests",
            "kind, outcome",
            "Calls to others; `kind` is document, fhir, form, short_message or token, `outcome` is success, refused_url, unreachable, \
             status, too_large or client",
            &self.calls,
        );
        registrar.add_in(
            "outbound_request_duration",
            Unit::Seconds,
            "kind",
            "How long calls to others took",
            &self.time,
        );
    }
}
