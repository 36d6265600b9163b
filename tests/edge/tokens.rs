//! One token after another, and what becomes of it.

use std::collections::BTreeSet;

use serde_json::Value;
use wardgate_tests::edge::Edge;
use wardgate_tests::forge::access_header;

use crate::expect::{Challenge, assert_token_refused};

/// A resource that the ordinary token may read.
pub const PATH: &str = "/fhir/Patient/1";

/// What a token is told that cannot be read at all.
pub const MALFORMED: &str = "The token is malformed";

/// Every token that `forge` makes is refused with `invalid_token`, for this reason. Where the member under test is not
/// even of the right type, the token may be [`MALFORMED`] instead; not all of them are.
pub async fn refuses(reason: &str, forge: impl FnOnce(&Edge) -> Vec<String>) {
    let edge = Edge::start().await;
    let mut reasons = BTreeSet::new();
    for token in forge(&edge) {
        let answer = edge.get_with(PATH, &token).await;
        assert_token_refused(&edge, &answer, &token);
        let challenge = Challenge::of(&answer);
        let said = challenge
            .parameter("error_description")
            .expect("a description")
            .to_owned();
        assert!(
            [reason, MALFORMED].contains(&said.as_str()),
            "{said} instead of {reason}"
        );
        reasons.insert(said);
    }
    assert!(reasons.contains(reason), "{reasons:?} instead of {reason}");
    // The Worker refuses these tokens and not everything.
    assert_eq!(edge.get_with(PATH, &edge.token()).await.status, 200);
}

/// Every token that `forge` makes passes.
pub async fn accepts(forge: impl FnOnce(&Edge) -> Vec<String>) {
    let edge = Edge::start().await;
    let tokens = forge(&edge);
    for token in &tokens {
        let answer = edge.get_with(PATH, token).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(edge.upstream.received().len(), tokens.len());
}

/// Tokens that are right but for this claim.
pub fn claim_values(edge: &Edge, member: &str, values: impl IntoIterator<Item = Value>) -> Vec<String> {
    values
        .into_iter()
        .map(|value| edge.claims().with(member, value).sign(&edge.key))
        .collect()
}

/// Tokens that are right but for this member of the header.
pub fn header_values(edge: &Edge, member: &str, values: impl IntoIterator<Item = Value>) -> Vec<String> {
    let forge = |value| {
        let mut header = access_header(&edge.key);
        header[member] = value;
        edge.claims().sign_with_header(&edge.key, &header)
    };
    values.into_iter().map(forge).collect()
}
