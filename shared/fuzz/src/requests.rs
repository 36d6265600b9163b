//! FHIR requests: method, path, query, condition and search form, and the decision on them.

use wardgate_shared::scope::bundle::{self, EntryRequest, MAXIMUM_ENTRIES};
use wardgate_shared::scope::permits::{permits, permits_together};
use wardgate_shared::scope::{
    Decision, FhirRequest, GrantedScopes, Holder, Interaction, Operations, RawRequest, ScopeSet,
};

/// Lines: method, path, then optionally query, `If-None-Exist`, search form, scopes of the token. An absent or empty
/// line is an absent value.
pub fn interaction(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    let mut lines = text.split('\n');
    let mut next = || lines.next().filter(|line| !line.is_empty());
    let (method, path) = (next().unwrap_or_default(), next().unwrap_or_default());
    let raw = RawRequest {
        query: next(),
        if_none_exist: next(),
        search_form: next(),
        ..RawRequest::new(method, path)
    };
    let scopes = next()
        .and_then(|scopes| ScopeSet::parse(scopes).ok())
        .unwrap_or_default();
    let Ok(request) = FhirRequest::parse(&raw) else {
        return;
    };
    assert!(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].contains(&method));
    assert!(
        path.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._$*/".contains(&byte))
    );
    assert!(path.split('/').all(|segment| segment != "." && segment != ".."));
    assert!(path == "/" || !path.ends_with('/'));
    assert!(!path.contains("//"));

    let is_open = *request.interaction() == Interaction::Capabilities;
    for holder in [
        Holder::Client,
        Holder::User {
            patient: Some("own"),
            fhir_user: None,
        },
    ] {
        let allows = |scopes: &ScopeSet| {
            let granted = GrantedScopes::compile(scopes);
            matches!(
                permits(&request, &granted, &holder, &Operations::none()),
                Decision::Allow(_)
            )
        };
        assert_eq!(allows(&ScopeSet::empty()), is_open, "nothing is granted");
        let granted = GrantedScopes::compile(&scopes);
        if let Decision::Deny(denied) = permits(&request, &granted, &holder, &Operations::none())
            && let Some(needed) = denied.needed
        {
            assert!(
                allows(&scopes.union(&needed.to_scope_set())),
                "{needed} is enough"
            );
        }
    }
}

/// A batch or transaction.
pub fn bundle(data: &[u8]) {
    let Ok(entries) = bundle::entries(data) else {
        return;
    };
    assert!((1..=MAXIMUM_ENTRIES).contains(&entries.len()));
    let mut requests = Vec::new();
    for entry in &entries {
        match entry.as_ref().map(EntryRequest::request) {
            Ok(Ok(request)) => requests.push(request),
            Ok(Err(_)) | Err(_) => return,
        }
    }
    let together = |scopes: &str| {
        let granted = GrantedScopes::compile(&ScopeSet::parse(scopes).expect("scopes"));
        permits_together(&requests, &granted, &Holder::Client, &Operations::none()).is_ok()
    };
    let is_open = |request: &FhirRequest<'_>| *request.interaction() == Interaction::Capabilities;
    assert_eq!(
        together("openid"),
        requests.iter().all(is_open),
        "nothing is granted"
    );
    let granted = GrantedScopes::compile(&ScopeSet::parse("system/*.cruds").expect("scopes"));
    let each = requests.iter().all(|request| {
        let decision = permits(request, &granted, &Holder::Client, &Operations::none());
        matches!(decision, Decision::Allow(_))
    });
    assert_eq!(together("system/*.cruds"), each);
}
