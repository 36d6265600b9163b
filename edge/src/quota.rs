//! The limits, as an isolate holds them: whose requests are counted, what it was leased for each of them, and when it asks
//! a coordinator.
//!
//! The arithmetic and its bound are in [`wardgate_shared::quota`]. Here is what keeps one [`Holder`] for each policy and
//! each one who is counted ([`kept`]), carries questions to coordinators by way of [`Outside`], and says the outcome. A coordinator's name holds a hash and no name of a person.
//!
//! A request is counted once it is known to be permitted, so that what is refused costs nobody's quota; networks are
//! counted before any credential is looked at.

mod account;
mod kept;

use std::rc::Rc;

use wardgate_shared::quota::{
    Admission, Decision, Holder, HolderId, LeaseReply, LeaseRequest, Policy, Purpose, Received, Standing,
    Told, Unit,
};

use crate::config::LimitPolicy;
use crate::config::limits::OnFailure;
use crate::error::Refusal;
use crate::outside::Outside;

pub use account::{Account, accounts, network_accounts, network_of};
use kept::Entry;
pub use kept::Quotas;

/// What one policy says.
enum Verdict {
    Admitted(Standing, Option<Unit>),
    Denied(Standing),
    /// The coordinator does not answer; try again after so many seconds.
    Unknown(i64),
}

/// Counts a request for each of these accounts, and adds to what its client is `told`. When one of them refuses, the
/// others are given back what they spent.
///
/// # Errors
/// [`Refusal::LimitReached`], [`Refusal::NotCounted`].
pub async fn count<'a, O: Outside>(
    quotas: &Rc<Quotas>,
    outside: &O,
    accounts: &[Account<'a>],
    told: &mut Vec<Told<'a>>,
) -> Result<(), Refusal> {
    let earlier = told.len();
    let mut spent = Vec::new();
    let mut refusal = None;
    for account in accounts {
        let policy = Policy::new(account.limit.limit, account.limit.window_seconds)
            .and_then(|policy| policy.with_leases_of(account.limit.lease_seconds));
        let Ok(policy) = policy else {
            refusal = Some(Refusal::Internal);
            break;
        };
        let (standing, refused) = match one(quotas, outside, account, policy).await {
            Verdict::Admitted(standing, unit) => {
                spent.extend(unit.map(|unit| (account, unit)));
                (standing, false)
            }
            Verdict::Denied(standing) => {
                refusal = Some(Refusal::LimitReached);
                (standing, true)
            }
            Verdict::Unknown(retry_after_seconds) => {
                refusal = Some(Refusal::NotCounted { retry_after_seconds });
                break;
            }
        };
        told.push(Told {
            name: &account.limit.name,
            standing,
            refused,
        });
        if refused {
            break;
        }
    }
    let Some(refusal) = refusal else { return Ok(()) };
    for (account, unit) in spent {
        quotas.with(account, |entry| entry.holder.take_back(unit));
    }
    for told in told.iter_mut().skip(earlier).filter(|told| !told.refused) {
        told.standing.remaining = told.standing.remaining.saturating_add(1);
    }
    Err(refusal)
}

/// Counts a request for one account.
async fn one<O: Outside>(quotas: &Rc<Quotas>, outside: &O, account: &Account<'_>, policy: Policy) -> Verdict {
    let now = outside.now_milliseconds();
    let decision = quotas.with(account, |entry| entry.holder.take(policy, now));
    let received = match decision {
        Decision::Admitted(admission) => Received::Admitted(admission),
        Decision::Denied(standing) => Received::Denied(standing),
        Decision::Ask => ask(quotas, outside, account, policy, Purpose::Admission).await,
    };
    match received {
        Received::Admitted(Admission {
            standing,
            unit,
            refill,
        }) => {
            if refill {
                refill_beside(quotas, outside, account, policy);
            }
            Verdict::Admitted(standing, Some(unit))
        }
        Received::Denied(standing) => Verdict::Denied(standing),
        Received::Refilled | Received::Void => {
            let now = outside.now_milliseconds();
            quotas.with(account, |entry| {
                unanswered(quotas, entry, account.limit, policy, now)
            })
        }
    }
}

/// What the policy says while its coordinator does not.
fn unanswered(quotas: &Quotas, entry: &mut Entry, limit: &LimitPolicy, policy: Policy, now: u64) -> Verdict {
    match limit.on_failure {
        OnFailure::Closed => {
            Verdict::Unknown(i64::try_from(quotas.rests_for(now).div_ceil(1_000)).unwrap_or(1))
        }
        OnFailure::Local { share } => match entry.local.take(policy, share, now) {
            Ok(standing) => Verdict::Admitted(standing, None),
            Err(standing) => Verdict::Denied(standing),
        },
    }
}

/// Asks the coordinator, unless none is asked just now, and takes what it answers.
async fn ask<O: Outside>(
    quotas: &Rc<Quotas>,
    outside: &O,
    account: &Account<'_>,
    policy: Policy,
    purpose: Purpose,
) -> Received {
    let Some(question) = question(quotas, outside, account, policy, purpose) else {
        return Received::Void;
    };
    let (sequence, patience) = (question.sequence, account.limit.timeout_milliseconds);
    let reply = outside
        .ask_coordinator(&account.name, &question.to_bytes(), patience)
        .await;
    let reply = reply.and_then(|bytes| LeaseReply::parse(&bytes).ok());
    let now = outside.now_milliseconds();
    quotas.answered(reply.is_some(), now);
    if let Some(reply) = &reply {
        quotas.hear(&reply.deny_before, outside.now());
    }
    quotas.with(account, |entry| {
        if let Some(reply) = reply {
            entry.holder.receive(policy, &reply, now)
        } else {
            entry.holder.give_up(sequence);
            Received::Void
        }
    })
}

fn question<O: Outside>(
    quotas: &Quotas,
    outside: &O,
    account: &Account<'_>,
    policy: Policy,
    purpose: Purpose,
) -> Option<LeaseRequest> {
    let now = outside.now_milliseconds();
    let (holder, sequence): (HolderId, u32) = quotas.may_ask(now, || outside.random_bytes())?;
    let ask = |holder_of: &mut Holder| holder_of.ask(policy, purpose, holder, sequence, now);
    let mut question = quotas.with(account, |entry| ask(&mut entry.holder));
    question.known.clone_from(&account.known);
    Some(question)
}

/// Asks for more beside the requests, which do not wait for it.
fn refill_beside<O: Outside>(quotas: &Rc<Quotas>, outside: &O, account: &Account<'_>, policy: Policy) {
    let (quotas, world) = (Rc::clone(quotas), outside.clone());
    let (limit, name, known) = (account.limit.clone(), account.name.clone(), account.known.clone());
    let work = async move {
        let account = Account {
            limit: &limit,
            name,
            known,
        };
        let _ = ask(&quotas, &world, &account, policy, Purpose::Refill).await;
    };
    // It goes on by itself; nothing here waits for its end.
    drop(outside.in_background(work));
}

#[cfg(test)]
mod tests;
