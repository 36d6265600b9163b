//! Scopes: the list grammar and the meaning of one scope.

use wardgate_shared::scope::{GrantedScopes, Scope, ScopeSet, ScopeToken, narrow};

/// A `scope` parameter or claim.
pub fn scope_set(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    let Ok(set) = ScopeSet::parse(text) else { return };
    let again = ScopeSet::parse(&set.to_string()).expect("a set reads what it writes");
    assert_eq!(set, again);
    assert_eq!(set.to_string(), again.to_string());
    assert!(text.split(' ').all(|scope| set.contains(scope)));
    assert!(set.len() <= ScopeSet::MAXIMUM_COUNT);
    let granted = narrow(&set, &set);
    assert!(granted.is_subset(&set));
    assert_eq!(narrow(&granted, &set), granted);
    assert!(narrow(&set, &ScopeSet::empty()).is_empty());
    let _ = GrantedScopes::compile(&set);
}

/// One scope, understood and written back.
pub fn smart_scope(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    let Ok(token) = ScopeToken::parse(text) else {
        return;
    };
    if let Ok(scope) = Scope::parse(&token) {
        assert_eq!(scope.to_string(), text);
        if let Scope::Smart(scope) = &scope {
            assert!(!scope.permissions().is_empty());
            assert_eq!(
                scope.share_of(scope),
                scope.permissions(),
                "a scope covers itself"
            );
        }
    }
}
