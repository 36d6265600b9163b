//! Rate limits with a stated bound: so many requests in a window of time, counted for one subject over all isolates.
//!
//! One [`Coordinator`] counts for one policy and one subject. Isolates are [`Holder`]s: each is leased units of the quota
//! and spends them without asking, so that few requests wait for the coordinator. Everything here is a pure state
//! machine: the time comes in as milliseconds, and messages and what is stored go out as values. The headers follow
//! draft-ietf-httpapi-ratelimit-headers-11 and the older custom of `X-RateLimit-*`.
//!
//! Windows are fixed and aligned: window `n` of `w` seconds begins `n * w` seconds after the Unix epoch. A client may
//! therefore be admitted twice the limit within less than a window's length, across the boundary of two; a second policy
//! with a short window bounds such bursts.
//!
//! # The theorem
//!
//! **Every admitted request is charged to one window, and no window is charged with more than the limit**, whichever
//! messages are lost, delayed, doubled or overtake one another, whichever holders and coordinators stop at any moment, and
//! whatever any clock says.
//!
//! *Why.* Let a coordinator's debit of a window be the units that it granted, less those credited. It grants from what the
//! limit leaves of the debit, so the debit never exceeds the limit. It remains to show that the debit is never less than
//! the units that were spent or may still be.
//! 1. *Granting* adds to the debit before the reply exists. A holder takes one reply to each question it asked, and spends
//!    each unit of it once. Lost replies and stopped holders leave units debited that nobody spends.
//! 2. *Crediting* happens on the word of the holder alone, when it names a grant that it took and how many units of it it
//!    will never spend, or a question whose reply it will never take. The coordinator credits no more than that grant was,
//!    and forgets the grant with it, so that a repeated message credits nothing. If the network doubled a question,
//!    several grants bear its name; the holder took at most one of them, the others are wholly unspent, and each is
//!    credited once at most, with no more than the holder did not spend of the one it took.
//! 3. *Stopping.* Before a reply leaves, a [`Reservation`] that is no less than the debit is durable. A coordinator that
//!    starts again takes all that was reserved as spent, and knows no grants, so that it credits none of the earlier ones.
//! 4. *Windows.* A coordinator never goes back to an earlier window, however its clock jumps, and the reservation names
//!    its window, so that no window's debit begins anew. Units of a window that is over are not credited to another.
//!
//! What it assumes: a coordinator is alone (the platform runs one Durable Object of a name); storage is in order, and
//! durable before the reply leaves; [`HolderId`]s are unique, and a holder uses a sequence number once.
//!
//! # When requests are admitted
//!
//! **If in addition clocks run evenly, no more requests are admitted during any window than the limit.** A request that
//! waited for the coordinator counts as admitted when the coordinator decided; any other, when its holder did. Clocks may
//! differ by any offset. The coordinator tells how many milliseconds a lease lasts, never past the window's end, and the
//! holder counts them from before it asked: delay shortens a lease. What is assumed is that a holder's clock, from asking
//! to spending, falls behind the coordinator's by no more than [`GUARD_MILLISECONDS`], by which every lease is cut short.
//! (The runtime's clock stands still while a request computes, so it does fall behind a little.) A clock that jumps
//! forward ends leases early. One that is seen to go back ends all of them.
//!
//! Time alone never brings a unit back: whether an isolate that fell silent spent its lease cannot be known. What such
//! leases cost is that fewer than the limit are admitted, until the window ends.
//!
//! # When the coordinator does not answer
//!
//! The policy's owner says what then. Either nothing is admitted, or each isolate admits a [`LocalShare`] of so many
//! requests in each window on its own account. With `k` isolates cut off, a window then admits no more than the limit and
//! `k` shares.

mod breaker;
mod coordinator;
mod headers;
mod holder;
mod local;
mod policy;
mod reservation;
mod wire;

pub use breaker::Breaker;
pub use coordinator::{Coordinator, Handled, PolicyMismatch};
pub use headers::{QuotaHeaders, Told, is_policy_name, quota_headers};
pub use holder::{Admission, Decision, Holder, Purpose, Received, Unit};
pub use local::LocalShare;
pub use policy::{GUARD_MILLISECONDS, MAXIMUM_LIMIT, MAXIMUM_WINDOW_SECONDS, Policy, PolicyError, Standing};
pub use reservation::Reservation;
pub use wire::{
    HolderId, LeaseReply, LeaseRequest, MAXIMUM_DENIALS, MAXIMUM_KNOWN, MAXIMUM_SETTLED, Settled, WireError,
};

#[cfg(test)]
mod tests;
