//! Messages between holders and coordinators: what is written is read, and nothing else is.

use std::vec;
use std::vec::Vec;

use proptest::collection::vec as list;
use proptest::prelude::*;

use super::{isolate, policy};
use crate::denial::{DenyBefore, DenyKind};
use crate::quota::{
    HolderId, LeaseReply, LeaseRequest, MAXIMUM_DENIALS, MAXIMUM_KNOWN, MAXIMUM_LIMIT, MAXIMUM_SETTLED,
    MAXIMUM_WINDOW_SECONDS, Policy, PolicyError, Settled, WireError,
};
use crate::time::Timestamp;

fn any_policy() -> impl Strategy<Value = Policy> {
    (
        1..=MAXIMUM_LIMIT,
        1..=MAXIMUM_WINDOW_SECONDS,
        1..=MAXIMUM_WINDOW_SECONDS,
    )
        .prop_map(|(limit, one, other)| {
            policy(limit, one.max(other))
                .with_leases_of(one.min(other))
                .expect("a policy")
        })
}

prop_compose! {
    fn any_request()(
        policy in any_policy(),
        holder in any::<[u8; 16]>(),
        sequence in any::<u32>(),
        need in any::<bool>(),
        wish in any::<u32>(),
        settled in list(any::<(u32, u32)>(), 0..=MAXIMUM_SETTLED),
        known in list(any_denial(), 0..=MAXIMUM_KNOWN),
    ) -> LeaseRequest {
        let settled = settled.into_iter().map(|(sequence, left)| Settled { sequence, left }).collect();
        LeaseRequest { policy, holder: HolderId(holder), sequence, need, wish, settled, known }
    }
}

fn any_denial() -> impl Strategy<Value = DenyBefore> {
    let kind = prop_oneof![
        Just(DenyKind::Subject),
        Just(DenyKind::Client),
        Just(DenyKind::ApiKey),
        Just(DenyKind::SigningKey)
    ];
    (kind, any::<[u8; 16]>(), any::<i64>()).prop_map(|(kind, id_hash, seconds)| DenyBefore {
        kind,
        id_hash,
        not_before: Timestamp::from_seconds(seconds),
    })
}

prop_compose! {
    fn any_reply()(
        numbers in any::<(u32, u32, u32)>(),
        admitted in any::<bool>(),
        end in any::<i64>(),
        times in any::<(u32, u32)>(),
        deny_before in list(any_denial(), 0..=MAXIMUM_DENIALS),
    ) -> LeaseReply {
        LeaseReply {
            sequence: numbers.0,
            admitted,
            units: numbers.1,
            pool: numbers.2,
            window_end: Timestamp::from_seconds(end),
            lease_milliseconds: times.0.min(times.1),
            reset_milliseconds: times.0.max(times.1),
            deny_before,
        }
    }
}

proptest! {
    #[test]
    fn a_question_reads_as_it_was_written(request in any_request()) {
        prop_assert_eq!(LeaseRequest::parse(&request.to_bytes()), Ok(request));
    }

    #[test]
    fn an_answer_reads_as_it_was_written(reply in any_reply()) {
        prop_assert_eq!(LeaseReply::parse(&reply.to_bytes()), Ok(reply));
    }

    #[test]
    fn no_bytes_panic_and_what_is_read_is_written_the_same(bytes in list(any::<u8>(), 0..200)) {
        if let Ok(request) = LeaseRequest::parse(&bytes) {
            prop_assert_eq!(request.to_bytes(), bytes.clone());
        }
        if let Ok(reply) = LeaseReply::parse(&bytes) {
            prop_assert_eq!(reply.to_bytes(), bytes);
        }
    }

    #[test]
    fn a_message_cut_short_or_made_longer_is_none(reply in any_reply(), request in any_request(), cut in 0_usize..40) {
        for mut bytes in [reply.to_bytes(), request.to_bytes()] {
            let shorter = bytes.len().saturating_sub(cut + 1);
            prop_assert!(LeaseReply::parse(&bytes[..shorter]).is_err() || LeaseRequest::parse(&bytes[..shorter]).is_err());
            bytes.push(0);
            prop_assert!(LeaseReply::parse(&bytes).is_err() && LeaseRequest::parse(&bytes).is_err());
        }
    }
}

fn request() -> LeaseRequest {
    LeaseRequest {
        policy: policy(1_000, 60),
        holder: isolate(7),
        sequence: 1,
        need: true,
        wish: 15,
        settled: vec![Settled { sequence: 0, left: 3 }],
        known: Vec::new(),
    }
}

/// The question's bytes with one of them changed.
fn spoiled(place: usize, byte: u8) -> Result<LeaseRequest, WireError> {
    let mut bytes = request().to_bytes();
    bytes[place] = byte;
    LeaseRequest::parse(&bytes)
}

#[test]
fn a_question_is_small() {
    assert_eq!(request().to_bytes().len(), 48);
}

#[test]
fn each_way_of_being_no_question_has_its_reason() {
    assert_eq!(spoiled(0, 1), Err(WireError::Version));
    assert_eq!(spoiled(1, 0xff), Err(WireError::Policy(PolicyError::Limit)));
    assert_eq!(spoiled(5, 0xff), Err(WireError::Policy(PolicyError::Window)));
    assert_eq!(spoiled(12, 61), Err(WireError::Policy(PolicyError::Lease)));
    assert_eq!(spoiled(33, 2), Err(WireError::Flag));
    assert_eq!(spoiled(38, 17), Err(WireError::TooMany));
    assert_eq!(spoiled(38, 2), Err(WireError::Length));
    assert_eq!(spoiled(38, 0), Err(WireError::Length));
    assert_eq!(spoiled(47, 9), Err(WireError::TooMany));
    assert_eq!(spoiled(47, 1), Err(WireError::Length));
    assert_eq!(LeaseRequest::parse(&[]), Err(WireError::Length));
}

#[test]
fn each_way_of_being_no_answer_has_its_reason() {
    let reply = LeaseReply {
        sequence: 1,
        admitted: true,
        units: 2,
        pool: 3,
        window_end: Timestamp::from_seconds(1_706_238_840),
        lease_milliseconds: 5,
        reset_milliseconds: 5,
        deny_before: vec![DenyBefore {
            kind: DenyKind::Client,
            id_hash: [9; 16],
            not_before: Timestamp::from_seconds(6),
        }],
    };
    let good = reply.to_bytes();
    assert_eq!(LeaseReply::parse(&good), Ok(reply));
    let spoiled = |place: usize, byte: u8| {
        let mut bytes: Vec<u8> = good.clone();
        bytes[place] = byte;
        LeaseReply::parse(&bytes)
    };
    assert_eq!(spoiled(0, 0), Err(WireError::Version));
    assert_eq!(spoiled(5, 9), Err(WireError::Flag));
    assert_eq!(spoiled(25, 6), Err(WireError::Lease));
    assert_eq!(spoiled(30, 33), Err(WireError::TooMany));
    assert_eq!(spoiled(31, 5), Err(WireError::Kind));
    assert_eq!(spoiled(31, 0), Err(WireError::Kind));
}
