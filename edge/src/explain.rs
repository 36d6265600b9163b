//! Explain mode: what would be decided about a request, step by step, instead of an answer to it.
//!
//! Asked for by the header `X-Wardgate-Explain: 1`, and only where the configuration allows it (`WARDGATE_EXPLAIN`), since
//! it tells a stranger how the gateway is set up. Nothing is sent to the server behind and nothing is counted; keys are
//! fetched as for any request. An explanation holds no token, no claim that names a person, and no id of a FHIR resource:
//! of paths and queries it shows the parts that are the API's own words.

use std::fmt::Write as _;

use crate::answer::OwnAnswer;
use crate::config::{Api, Config};
use crate::error::Refusal;
use crate::proxy::Forward;
use crate::request::Incoming;
use crate::routes::{Asked, below_prefix};

/// The header that asks for an explanation.
const HEADER: &str = "x-wardgate-explain";

/// What is left out of a path or a query.
const LEFT_OUT: &str = "{}";

/// The steps of a decision and what each found; nothing is kept when nobody asked.
#[derive(Debug)]
pub struct Trail {
    is_followed: bool,
    /// The members of the step at hand and of those before it, in JSON.
    steps: String,
}

impl Trail {
    /// Followed if the request asks for an explanation and may have one.
    pub fn of(config: &Config, request: &Incoming<'_>) -> Self {
        Self {
            is_followed: config.explain && request.headers.get(HEADER) == Some("1"),
            steps: String::new(),
        }
    }

    /// Whether an explanation is wanted.
    pub const fn is_followed(&self) -> bool {
        self.is_followed
    }

    /// A step begins; the one before has ended well.
    pub fn step(&mut self, name: &str) {
        if !self.is_followed {
            return;
        }
        if !self.steps.is_empty() {
            self.steps.push_str(",\"verdict\":\"passed\"},");
        }
        self.steps.push_str("{\"step\":\"");
        self.steps.push_str(name);
        self.steps.push('"');
    }

    /// The step found something.
    pub fn found(&mut self, name: &str, value: &str) {
        if self.is_followed {
            put(&mut self.steps, name, value);
        }
    }

    /// The step found what would be sent to `api`.
    pub fn found_forward(
        &mut self,
        api: &Api,
        request: &Incoming<'_>,
        asked: &Asked<'_>,
        forward: &Forward<'_>,
    ) {
        if !self.is_followed {
            return;
        }
        let below = below_prefix(&api.prefix, request.path).unwrap_or_default();
        let path = match asked {
            Asked::Fhir(_) => fhir_path(below),
            Asked::Plain(rule) => plain_path(&rule.path, below),
        };
        self.found("url", &format!("{}{path}{}", api.upstream, query(request.query)));
        self.found("headers_removed", &forward.remove.join(", "));
        let mut set = String::new();
        for (name, _) in &forward.set {
            separate(&mut set, ", ");
            set.push_str(name);
        }
        self.found("headers_set", &set);
    }

    /// The explanation of what was decided: `outcome`, in the log's word, when nothing was refused.
    pub fn answer(mut self, outcome: &str, refusal: Option<&Refusal>) -> OwnAnswer {
        let mut body = String::from("{\"decision\":\"");
        match refusal {
            None => {
                body.push_str(outcome);
                self.steps.push_str(",\"verdict\":\"passed\"}");
            }
            Some(refusal) => {
                // Writing to a String cannot fail.
                let _ = write!(
                    body,
                    "{}\",\"status\":{},\"reason\":\"{}",
                    refusal.outcome(),
                    refusal.status(),
                    refusal.reason()
                );
                if let Some(needed) = refusal.needed_scope() {
                    self.found("needed_scope", needed);
                }
                self.steps.push_str(",\"verdict\":\"refused\"}");
            }
        }
        body.push_str("\",\"steps\":[");
        body.push_str(&self.steps);
        body.push_str("]}");
        OwnAnswer::new(200)
            .with("cache-control", "no-store")
            .with_body("application/json", body)
    }
}

/// One more member of an object in JSON.
fn put(json: &mut String, name: &str, value: &str) {
    // A text always serialises, and writing to a String cannot fail.
    let _ = write!(
        json,
        ",\"{name}\":{}",
        serde_json::to_string(value).unwrap_or_default()
    );
}

/// A FHIR path without ids: those stand in the second and the fourth place.
fn fhir_path(below: &str) -> String {
    let mut path = String::new();
    for (place, segment) in below.split('/').enumerate().skip(1) {
        path.push('/');
        path.push_str(match place {
            2 | 4 if !segment.starts_with(['_', '$']) => LEFT_OUT,
            _ => segment,
        });
    }
    path
}

fn separate(list: &mut String, separator: &str) {
    if !list.is_empty() {
        list.push_str(separator);
    }
}

/// A path as far as the configuration knows it.
fn plain_path(known: &str, below: &str) -> String {
    if below.len() > known.len() {
        format!("{known}/{LEFT_OUT}")
    } else {
        known.to_owned()
    }
}

/// A query without values, and without names that could hold an id.
fn query(query: Option<&str>) -> String {
    let mut names = String::new();
    for parameter in query.into_iter().flat_map(|query| query.split('&')) {
        let name = parameter.split('=').next().unwrap_or_default();
        let is_word = name
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || b"_-:.".contains(&byte));
        names.push(if names.is_empty() { '?' } else { '&' });
        names.push_str(if is_word { name } else { LEFT_OUT });
    }
    names
}

#[cfg(test)]
mod tests;
