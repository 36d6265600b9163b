//! What happens on a connection, in numbers that cost a request next to nothing, and when nothing has happened for too long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::config::ConnectionsConfig;

/// How many steps the shortest limit has.
const STEPS: u32 = 4;

/// What happens on one connection.
#[derive(Debug, Default)]
pub(super) struct Activity {
    /// Requests whose headers came.
    begun: AtomicU64,
    /// Requests that are not done, by the parity of the era in which they began.
    under_way: [AtomicUsize; 2],
    era: AtomicUsize,
    /// Bytes came since the last request began, or since all were done.
    heard: AtomicBool,
    is_http2: AtomicBool,
    taken_back: AtomicUsize,
    /// Told when a request is taken back.
    pub(super) told: Notify,
    /// The peer is not done with sending: the body of a request was not read to its end.
    unread: AtomicBool,
}

impl Activity {
    /// Bytes came.
    pub(super) fn hear(&self) {
        // Looked at first: a write takes the cache line from whoever else looks.
        if !self.heard.load(Ordering::Relaxed) {
            self.heard.store(true, Ordering::Relaxed);
        }
    }

    /// A request began; it is under way until what is given back is dropped.
    pub(super) fn begin(self: &Arc<Self>, is_http2: bool) -> UnderWay {
        let era = self.era.load(Ordering::Acquire) & 1;
        if let Some(count) = self.under_way.get(era) {
            count.fetch_add(1, Ordering::AcqRel);
        }
        self.begun.fetch_add(1, Ordering::AcqRel);
        self.heard.store(false, Ordering::Relaxed);
        if is_http2 {
            self.is_http2.store(true, Ordering::Relaxed);
        }
        UnderWay {
            activity: self.clone(),
            era,
            is_answered: false,
        }
    }

    /// How many requests were taken back before they were answered.
    pub(super) fn taken_back(&self) -> usize {
        self.taken_back.load(Ordering::Acquire)
    }

    /// The body of a request was left before its end.
    pub(super) fn leave_unread(&self) {
        self.unread.store(true, Ordering::Release);
    }

    /// Whether the peer may still be sending what nobody reads.
    pub(super) fn is_unread(&self) -> bool {
        self.unread.load(Ordering::Acquire)
    }

    /// Whether a request is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.under_way() > 0
    }

    fn under_way(&self) -> usize {
        let counts = self.under_way.iter().map(|count| count.load(Ordering::Acquire));
        counts.fold(0, usize::saturating_add)
    }

    /// Begins the next era. Tells whether requests are still under way that were when the era before this one ended.
    fn turn(&self) -> bool {
        let next = self.era.load(Ordering::Acquire).wrapping_add(1);
        let is_stuck = self
            .under_way
            .get(next & 1)
            .is_some_and(|count| count.load(Ordering::Acquire) > 0);
        self.era.store(next, Ordering::Release);
        is_stuck
    }
}

/// One request.
#[derive(Debug)]
pub(super) struct UnderWay {
    activity: Arc<Activity>,
    era: usize,
    is_answered: bool,
}

impl UnderWay {
    /// There is an answer, which may still have to be sent.
    pub(super) fn answered(mut self) -> Self {
        self.is_answered = true;
        self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(count) = self.activity.under_way.get(self.era) {
            count.fetch_sub(1, Ordering::AcqRel);
        }
        if !self.is_answered {
            self.activity.taken_back.fetch_add(1, Ordering::AcqRel);
            self.activity.told.notify_one();
        }
    }
}

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// There was no request for as long as there may be none.
    Idle,
    /// A request began and its headers did not end.
    SlowHeaders,
    /// A request was not done in its time.
    SlowRequest,
}

/// Looks at a connection from time to time.
#[derive(Debug)]
pub(super) struct Watch {
    step: Duration,
    header_steps: u32,
    idle_steps: u32,
    request_steps: u32,
    begun: u64,
    without_request: u32,
    since_heard: u32,
    in_era: u32,
}

impl Watch {
    /// A watch over a new connection.
    pub(super) fn new(limits: &ConnectionsConfig) -> Self {
        let step = limits.header.min(limits.idle).min(limits.request) / STEPS;
        let steps = |limit: Duration| {
            let steps = limit.as_millis().div_ceil(step.as_millis().max(1));
            u32::try_from(steps).unwrap_or(u32::MAX)
        };
        Self {
            step,
            header_steps: steps(limits.header),
            idle_steps: steps(limits.idle),
            request_steps: steps(limits.request),
            begun: 0,
            without_request: 0,
            since_heard: 0,
            in_era: 0,
        }
    }

    /// How long to wait from one look to the next.
    pub(super) const fn step(&self) -> Duration {
        self.step
    }

    /// Looks. Tells why the connection ends, where it does.
    pub(super) fn look(&mut self, activity: &Activity) -> Option<End> {
        let begun = activity.begun.load(Ordering::Acquire);
        if activity.is_busy() {
            (self.without_request, self.since_heard) = (0, 0);
            self.begun = begun;
            self.in_era = self.in_era.saturating_add(1);
            let is_over = self.in_era >= self.request_steps;
            if is_over {
                self.in_era = 0;
            }
            return (is_over && activity.turn()).then_some(End::SlowRequest);
        }
        if begun != self.begun {
            self.begun = begun;
            (self.without_request, self.since_heard) = (0, 0);
            return None;
        }
        self.without_request = self.without_request.saturating_add(1);
        // HTTP/2 says other things than requests between requests.
        let is_partial = activity.heard.load(Ordering::Relaxed) && !activity.is_http2.load(Ordering::Relaxed);
        if is_partial {
            self.since_heard = self.since_heard.saturating_add(1);
        }
        let is_new = begun == 0;
        if self.since_heard > self.header_steps || (is_new && self.without_request > self.header_steps) {
            Some(End::SlowHeaders)
        } else if self.without_request > self.idle_steps {
            Some(End::Idle)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{Activity, End, Watch};
    use crate::config::ConnectionsConfig;

    /// Steps of a second: headers have 4, idle connections 8, requests 12.
    fn watch() -> Watch {
        Watch::new(&ConnectionsConfig {
            maximum: 1,
            maximum_per_address: 1,
            handshake: Duration::from_secs(1),
            header: Duration::from_secs(4),
            idle: Duration::from_secs(8),
            body: Duration::from_secs(1),
            body_bytes_per_second: 1,
            request: Duration::from_secs(12),
            header_bytes: 8192,
            header_count: 100,
            streams: 1,
            resets: 1,
        })
    }

    /// After how many looks the connection ends, and why.
    fn looks(watch: &mut Watch, activity: &Activity) -> (usize, End) {
        (1..100)
            .find_map(|look| watch.look(activity).map(|end| (look, end)))
            .unwrap()
    }

    #[test]
    fn a_connection_without_a_request_ends_when_headers_are_due() {
        assert_eq!(looks(&mut watch(), &Activity::default()), (5, End::SlowHeaders));
    }

    #[test]
    fn between_requests_there_is_more_time_until_the_next_one_begins() {
        let (activity, mut watch) = (Arc::new(Activity::default()), watch());
        drop(activity.begin(false).answered());
        assert_eq!(looks(&mut watch, &activity), (10, End::Idle));

        drop(activity.begin(false).answered());
        assert_eq!(watch.look(&activity), None);
        activity.hear();
        assert_eq!(looks(&mut watch, &activity), (5, End::SlowHeaders));

        // Pings and windows are no headers.
        drop(activity.begin(true).answered());
        assert_eq!(watch.look(&activity), None);
        activity.hear();
        assert_eq!(looks(&mut watch, &activity), (9, End::Idle));
    }

    #[test]
    fn a_request_has_its_time_and_at_most_twice_that() {
        for looks_before in 0..12 {
            let (activity, mut watch) = (Arc::new(Activity::default()), watch());
            let other = activity.begin(true);
            for _ in 0..looks_before {
                assert_eq!(watch.look(&activity), None);
            }
            let slow = activity.begin(true);
            drop(other.answered());
            let (looks, end) = looks(&mut watch, &activity);
            assert_eq!(end, End::SlowRequest);
            assert!((12..=24).contains(&looks), "{looks}");
            drop(slow);
        }
    }

    #[test]
    fn a_connection_that_is_always_busy_stays() {
        let (activity, mut watch) = (Arc::new(Activity::default()), watch());
        let mut last = activity.begin(true);
        for _ in 0..1000 {
            assert_eq!(watch.look(&activity), None);
            last = activity.begin(true);
        }
        drop(last);
    }

    #[test]
    fn a_request_without_an_answer_counts_as_taken_back() {
        let activity = Arc::new(Activity::default());
        drop(activity.begin(true).answered());
        assert_eq!(activity.taken_back(), 0);
        drop(activity.begin(true));
        assert_eq!(activity.taken_back(), 1);
    }
}
