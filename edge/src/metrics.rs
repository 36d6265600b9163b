//! What becomes of requests, counted: data points for the platform's Analytics Engine, and counters of one isolate for tests.
//!
//! Both are made from the log's [`Decision`] and say less: its route, API, outcome and reason, all of them words of fixed lists
//! or of the configuration, the status, and how long it took. Never a subject, a client, a path, or anything that a client
//! writes, so that there are few of them and none is about anybody.
//!
//! The reason's first word is the stage at which the request ended: `credential`, `token`, `scope`, `limit`, `upstream` ….

use std::fmt::Write as _;

use crate::answer::OwnAnswer;
use crate::gateway::Gateway;
use crate::log::Decision;
use crate::outside::Outside;

/// How many kinds of decisions are counted apart. There are fewer; a server behind that answers with every status there is must
/// not fill the memory.
const MOST: usize = 256;

/// What is counted apart.
type Kind = (Option<&'static str>, &'static str, Option<&'static str>, u16);

/// How often each kind of decision was made in this isolate.
#[derive(Debug, Default)]
pub struct Counters {
    kinds: Vec<(Kind, u64)>,
    /// Decisions of kinds beyond [`MOST`].
    others: u64,
}

impl Counters {
    fn count(&mut self, decision: &Decision<'_>) {
        let kind = (decision.route, decision.outcome, decision.reason, decision.status);
        let has_room = self.kinds.len() < MOST;
        match self.kinds.iter_mut().find(|(own, _)| *own == kind) {
            Some((_, count)) => *count = count.saturating_add(1),
            None if has_room => self.kinds.push((kind, 1)),
            None => self.others = self.others.saturating_add(1),
        }
    }

    /// The counters as a document in JSON. No word of theirs needs an escape.
    pub fn page(&self) -> OwnAnswer {
        let mut body = String::from("{\"decisions\":[");
        for (place, ((route, outcome, reason, status), count)) in self.kinds.iter().enumerate() {
            body.push_str(if place == 0 { "{" } else { ",{" });
            for (name, word) in [
                ("route", *route),
                ("outcome", Some(*outcome)),
                ("reason", *reason),
            ] {
                if let Some(word) = word {
                    // Writing to a String cannot fail.
                    let _ = write!(body, "\"{name}\":\"{word}\",");
                }
            }
            let _ = write!(body, "\"status\":{status},\"count\":{count}}}");
        }
        let _ = write!(body, "],\"others\":{}}}", self.others);
        OwnAnswer::new(200)
            .with("cache-control", "no-store")
            .with_body("application/json", body)
    }
}

/// When a request began, if anybody wants to know how long it took.
pub fn started<O: Outside>(gateway: &Gateway<O::Key>, outside: &O) -> Option<u64> {
    gateway
        .config
        .metrics
        .is_some()
        .then(|| outside.now_milliseconds())
}

/// Writes a decision to the log, and counts it where that is wanted.
pub fn record<O: Outside>(
    gateway: &Gateway<O::Key>,
    outside: &O,
    decision: &Decision<'_>,
    started: Option<u64>,
) {
    outside.log(&decision.line());
    let config = &gateway.config;
    if config.counters.is_some() {
        gateway.counters.borrow_mut().count(decision);
    }
    if let (Some(binding), Some(started)) = (&config.metrics, started) {
        let words = [
            decision.route.unwrap_or_default(),
            decision.api.unwrap_or_default(),
            decision.outcome,
            decision.reason.unwrap_or_default(),
        ];
        // A clock that went back measures nothing.
        let took = outside.now_milliseconds().saturating_sub(started);
        outside.write_data_point(binding, &words, u32::try_from(took).unwrap_or(u32::MAX));
    }
}

#[cfg(test)]
mod tests;
