//! What isolates and the coordinators of rate limits send one another.

use wardgate_shared::quota::{Coordinator, Holder, LeaseReply, LeaseRequest, Policy, Purpose, Reservation};

/// A message, taken for a question, an answer, and for what a coordinator stored.
pub fn quota(data: &[u8]) {
    const NOW: u64 = 1_706_238_780_000;
    let stored = Reservation::from_bytes(data);
    if let Some(reservation) = stored {
        assert_eq!(reservation.to_bytes(), data);
    }
    if let Ok(request) = LeaseRequest::parse(data) {
        assert_eq!(request.to_bytes(), data);
        let limit = request.policy.limit();
        let mut coordinator = Coordinator::new(request.policy, stored);
        for _ in 0..3 {
            let handled = coordinator
                .handle(&request, NOW)
                .expect("the coordinator is of that policy");
            let reply = handled.reply;
            assert!(u64::from(reply.units) + u64::from(reply.pool) <= u64::from(limit));
            assert_eq!(LeaseReply::parse(&reply.to_bytes()), Ok(reply));
        }
    }
    if let Ok(reply) = LeaseReply::parse(data) {
        assert_eq!(reply.to_bytes(), data);
        let policy = Policy::new(1_000, 60).expect("a policy");
        let mut holder = Holder::default();
        let id = wardgate_shared::quota::HolderId([7; 16]);
        let _ = holder.ask(policy, Purpose::Admission, id, reply.sequence, NOW);
        let _ = holder.receive(policy, &reply, NOW);
        let _ = holder.take(policy, NOW);
    }
}
