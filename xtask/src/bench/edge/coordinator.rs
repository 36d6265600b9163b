//! How often the Worker asks the coordinator of a limit of 1,000 a minute, counted at the coordinator.

use std::fs;

use super::{
    Bench, Tokens,
    candidate::{Candidate, Running},
    upstream::status_of,
};
use crate::fault::{Fault, OrFault as _, Outcome};

/// Requests that are sent: as many as the limit admits.
pub(super) const REQUESTS: u32 = 1_000;

/// How often the coordinator was asked for [`REQUESTS`] requests of one subject, one after the other. They may fall into two
/// windows, which costs a few questions more.
pub(super) fn asked_for_a_thousand(bench: &Bench<'_>) -> Outcome<usize> {
    let server: Running = Candidate::Counted.start(bench)?;
    let token = fs::read_to_string(super::token_file(bench, Candidate::Counted, Tokens::Hot))
        .or_fault(|| "read a token".to_owned())?;
    for _ in 0..REQUESTS {
        bench.session.stop.check()?;
        let status = status_of(server.port, Candidate::Counted.path(), Some(token.trim()))?;
        if status != 200 {
            return Err(Fault::new(format!(
                "a request within the limit was answered {status}"
            )));
        }
    }
    let log = fs::read_to_string(&server.log).or_fault(|| format!("read {}", server.log.display()))?;
    Ok(log.matches("COORDINATOR ASKED").count())
}
