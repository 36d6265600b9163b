//! Tokens, keys and the parameters that bind an authorization code.

use wardgate_shared::jwk::JwkSet;
use wardgate_shared::jwt::{MAXIMUM_JWT_BYTES, UnverifiedJwt};
use wardgate_shared::pkce::CodeChallenge;
use wardgate_shared::redirect_uri::RegisteredRedirectUri;
use wardgate_shared::status_list::{CompressedStatusList, StatusList};

/// A compact JWT as a bearer credential brings it.
pub fn jwt_compact(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    let Ok(token) = UnverifiedJwt::parse(text, MAXIMUM_JWT_BYTES) else {
        return;
    };
    assert!(text.as_bytes().starts_with(token.signing_input()));
    assert_eq!(text.bytes().filter(|byte| *byte == b'.').count(), 2);
    let _ = (
        token.key_id(),
        token.token_type(),
        token.issuer_hint(),
        token.signature(),
    );
}

/// A JWK set as an issuer or a client publishes it.
pub fn jwk_set(data: &[u8]) {
    let Ok(set) = JwkSet::parse(data) else { return };
    let written = set.to_json().to_string();
    let again = JwkSet::parse(written.as_bytes()).expect("a set reads what it writes");
    assert_eq!(set, again);
    for (key, same) in set.iter().zip(again.iter()) {
        assert_eq!(key.thumbprint(), same.thumbprint());
    }
}

/// Lines: code challenge, code verifier.
pub fn pkce(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    let (challenge, verifier) = text.split_once('\n').unwrap_or((text, ""));
    if let Ok(own) = CodeChallenge::of(verifier) {
        assert_eq!(own.verify(verifier), Ok(()));
        assert_eq!(CodeChallenge::parse(&own.encoded(), Some("S256")), Ok(own));
    }
    if let Ok(parsed) = CodeChallenge::parse(challenge, Some("S256")) {
        assert_eq!(parsed.encoded(), challenge);
        assert_eq!(
            parsed.verify(verifier).is_ok(),
            CodeChallenge::of(verifier) == Ok(parsed)
        );
    }
    assert!(CodeChallenge::parse(challenge, Some("plain")).is_err());
    assert!(CodeChallenge::parse(challenge, None).is_err());
}

/// Lines: registered redirect URI, redirect URI of the request, state.
pub fn redirect_uri(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let (registered, presented, state) = (next(), next(), next());
    let Ok(uri) = RegisteredRedirectUri::parse(registered) else {
        return;
    };
    assert_eq!(uri.as_str(), registered);
    assert!(uri.accept(registered).is_some());
    if let Some(target) = uri.accept(presented) {
        assert_eq!(target.as_str(), presented);
        let location = target.with_parameters([("state", state)]);
        assert!(location.starts_with(presented));
        assert!(
            location.bytes().all(|byte| byte.is_ascii_graphic()),
            "fit for a Location header"
        );
    }
}

/// The object `status_list` of a status list token.
pub fn status_list(data: &[u8]) {
    const MAXIMUM_BYTES: usize = 65_536;
    let Ok(compressed) = serde_json::from_slice::<CompressedStatusList>(data) else {
        return;
    };
    let Ok(mut list) = StatusList::decompress(&compressed, MAXIMUM_BYTES) else {
        return;
    };
    let entries = list.entries();
    assert!(entries <= 8 * MAXIMUM_BYTES as u64);
    assert_eq!(list.get(entries), None);
    if let Some(last) = entries.checked_sub(1) {
        let status = list.get(last).expect("a list holds its last entry");
        assert!(list.set(last, status));
    }
    let again = StatusList::decompress(&list.compress(), MAXIMUM_BYTES).expect("a list reads what it writes");
    assert_eq!(list, again);
}
