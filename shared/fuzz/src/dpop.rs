//! Proofs of possession and the URLs they are made for.

use wardgate_shared::dpop::{ALGORITHMS, UnverifiedProof, is_same_target, is_thumbprint};

/// Lines: a DPoP proof as its header brings it, and two URLs.
pub fn dpop_proof(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let (proof, one, other) = (next(), next(), next());
    if let Ok(proof) = UnverifiedProof::parse(proof) {
        assert!(ALGORITHMS.contains(&proof.algorithm()));
        assert!(proof.key().permits(proof.algorithm()));
        assert!(is_thumbprint(&proof.key().thumbprint()));
    }
    let same = is_same_target(one, other);
    assert_eq!(same, is_same_target(other, one));
    if same {
        assert!(is_same_target(one, one) && is_same_target(other, other));
        let longer = format!("{one}?{other}");
        assert!(is_same_target(&longer, other), "a query does not count");
    }
}
