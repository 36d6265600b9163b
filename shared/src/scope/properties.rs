//! Laws that hold for all scopes and all requests.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::{format, vec};

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::interaction::OperationTarget;
use super::operations::{OperationLevel, OperationRule, Touches};
use super::permits::permits;
use super::*;

const TYPES: &[&str] = &["Patient", "Observation", "Task", "Practitioner"];

/// Any text of the scope grammar.
fn any_token() -> impl Strategy<Value = String> {
    "[!#-\\[\\]-~]{1,20}"
}

/// Scopes that mean something, and some that nearly do.
fn likely_scope() -> impl Strategy<Value = String> {
    let level = select(vec!["patient", "user", "system", "Patient", "launch"]);
    let resource = select([TYPES, &["*", "patient", "Foo"]].concat());
    let letters = subsequence(vec!["c", "r", "u", "d", "s"], 1..=5).prop_map(|letters| letters.concat());
    let permission = prop_oneof![
        letters,
        select(vec!["read", "write", "*", "sr", ""]).prop_map(String::from)
    ];
    let query = select(vec![
        "",
        "",
        "",
        "?category=a",
        "?category=a%7Cb&status=c",
        "?",
        "?x",
    ]);
    let clinical = (level, resource, permission, query)
        .prop_map(|(level, resource, permission, query)| format!("{level}/{resource}.{permission}{query}"));
    let plain = select(vec![
        "openid",
        "fhirUser",
        "profile",
        "email",
        "address",
        "phone",
        "launch",
        "launch/patient",
        "launch/encounter?role=x",
        "offline_access",
        "online_access",
        "observation.read",
        "observation/*.write",
        "patient.*",
        "api:read",
    ]);
    prop_oneof![6 => clinical, 2 => plain.prop_map(String::from), 1 => any_token()]
}

fn scope_set() -> impl Strategy<Value = ScopeSet> {
    proptest::collection::vec(likely_scope(), 0..6).prop_map(|scopes| {
        scopes
            .iter()
            .map(|scope| ScopeToken::parse(scope).unwrap())
            .collect()
    })
}

/// Sets over few scopes and requests on few paths, so that many of them meet.
fn near_scope_set() -> impl Strategy<Value = ScopeSet> {
    let level = select(vec!["patient", "user", "system"]);
    let resource = select(vec!["Observation", "Patient", "*"]);
    let permission = select(vec!["read", "*", "rs", "r", "s", "us", "cud"]);
    let query = select(vec!["", "", "?category=a", "?category=a&code=b"]);
    let clinical = (level, resource, permission, query).prop_map(|(level, resource, permission, query)| {
        let query = if matches!(permission, "read" | "*") {
            ""
        } else {
            query
        };
        format!("{level}/{resource}.{permission}{query}")
    });
    let short = select(vec!["observation.read", "observation/*.*", "fhirUser"]).prop_map(String::from);
    proptest::collection::vec(prop_oneof![5 => clinical, 1 => short], 1..5).prop_map(|scopes| {
        scopes
            .iter()
            .map(|scope| ScopeToken::parse(scope).unwrap())
            .collect()
    })
}

fn near_request() -> impl Strategy<Value = OwnedRequest> {
    let line = select(vec![
        ("GET", "/Observation/1"),
        ("GET", "/Observation"),
        ("PUT", "/Observation/1"),
        ("PUT", "/Observation"),
        ("GET", "/Patient/own"),
        ("GET", "/Patient/other"),
        ("GET", "/"),
        ("GET", "/Patient/own/Observation"),
    ]);
    let query = select(vec![
        None,
        Some("category=a"),
        Some("category=a&code=b"),
        Some("category=a&_include=*"),
        Some("subject.name=x"),
    ]);
    (line, query).prop_map(|((method, path), query)| OwnedRequest {
        method,
        path: path.to_string(),
        query,
        if_none_exist: None,
        search_form: None,
    })
}

#[derive(Debug, Clone)]
struct OwnedRequest {
    method: &'static str,
    path: String,
    query: Option<&'static str>,
    if_none_exist: Option<&'static str>,
    search_form: Option<&'static str>,
}

impl OwnedRequest {
    fn raw(&self) -> RawRequest<'_> {
        RawRequest {
            method: self.method,
            path: &self.path,
            query: self.query,
            if_none_exist: self.if_none_exist,
            search_form: self.search_form,
        }
    }
}

fn path() -> impl Strategy<Value = String> {
    let one = select(
        [
            TYPES,
            &["_history", "_search", "metadata", "$everything", "$export"],
        ]
        .concat(),
    );
    let two = select(vec![
        "own",
        "other",
        "_history",
        "_search",
        "$everything",
        "$validate",
    ]);
    let three = select(vec![
        "_history",
        "_search",
        "$everything",
        "*",
        "Observation",
        "Patient",
    ]);
    let four = select(vec!["_search", "1"]);
    prop_oneof![
        1 => Just(String::new()),
        2 => one.clone().prop_map(|one| format!("/{one}")),
        4 => (one.clone(), two.clone()).prop_map(|(one, two)| format!("/{one}/{two}")),
        3 => (one.clone(), two.clone(), three.clone()).prop_map(|(a, b, c)| format!("/{a}/{b}/{c}")),
        2 => (one, two, three, four).prop_map(|(a, b, c, d)| format!("/{a}/{b}/{c}/{d}")),
    ]
}

fn request() -> impl Strategy<Value = OwnedRequest> {
    let parameters = || {
        let queries = [
            "",
            "category=a",
            "category=a%7Cb&status=c",
            "identifier=1&_count=2",
            "_include=*",
            "a.b=c",
        ];
        proptest::option::of(select(queries.to_vec()))
    };
    let method = select(vec!["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);
    (method, path(), parameters(), parameters(), parameters()).prop_map(
        |(method, path, query, if_none_exist, search_form)| OwnedRequest {
            method,
            path,
            query,
            if_none_exist,
            search_form,
        },
    )
}

fn holder() -> impl Strategy<Value = Holder<'static>> {
    let claims = vec![
        None,
        Some("Practitioner/own"),
        Some("Patient/own"),
        Some("Patient/other"),
    ];
    let fhir_user = select(claims).prop_map(|claim| claim.and_then(|claim| FhirUser::from_claim(claim, "")));
    let user = (select(vec![None, Some("own")]), fhir_user)
        .prop_map(|(patient, fhir_user)| Holder::User { patient, fhir_user });
    prop_oneof![3 => user, 1 => Just(Holder::Client)]
}

fn operations() -> Operations {
    let rule =
        |name, on| OperationRule::new(name, on, Permissions::READ_AND_SEARCH, Touches::ItsOwnType).unwrap();
    let any = ResourceSelector::Any;
    [
        rule("everything", OperationLevel::Instance(any)),
        rule("validate", OperationLevel::Type(any)),
        rule("export", OperationLevel::System),
    ]
    .into_iter()
    .collect()
}

/// Whether a request is allowed; `None` if it is none.
fn allowed(request: &OwnedRequest, scopes: &ScopeSet, holder: &Holder<'_>) -> Option<bool> {
    let raw = request.raw();
    let request = FhirRequest::parse(&raw).ok()?;
    let granted = GrantedScopes::compile(scopes);
    Some(matches!(
        permits(&request, &granted, holder, &operations()),
        Decision::Allow(_)
    ))
}

/// Writes an interaction's path again; `None` where method and path have more than one spelling.
fn path_of(interaction: &Interaction<'_>, path: &str) -> String {
    let search = if path.ends_with("/_search") {
        "/_search"
    } else {
        ""
    };
    match *interaction {
        Interaction::SearchSystem | Interaction::Batch => {
            if path == "/" {
                "/".to_string()
            } else {
                search.to_string()
            }
        }
        Interaction::Capabilities => "/metadata".to_string(),
        Interaction::HistorySystem => "/_history".to_string(),
        Interaction::HistoryType { resource_type } => format!("/{resource_type}/_history"),
        Interaction::SearchType { resource_type } => format!("/{resource_type}{search}"),
        Interaction::Create { resource_type }
        | Interaction::ConditionalCreate { resource_type }
        | Interaction::ConditionalUpdate { resource_type }
        | Interaction::ConditionalPatch { resource_type }
        | Interaction::ConditionalDelete { resource_type } => format!("/{resource_type}"),
        Interaction::Read { resource_type, id }
        | Interaction::Update { resource_type, id }
        | Interaction::Patch { resource_type, id }
        | Interaction::Delete { resource_type, id } => format!("/{resource_type}/{id}"),
        Interaction::HistoryInstance { resource_type, id }
        | Interaction::DeleteHistory {
            resource_type,
            id,
            version: None,
        } => format!("/{resource_type}/{id}/_history"),
        Interaction::VersionRead {
            resource_type,
            id,
            version,
        }
        | Interaction::DeleteHistory {
            resource_type,
            id,
            version: Some(version),
        } => {
            format!("/{resource_type}/{id}/_history/{version}")
        }
        Interaction::SearchCompartment {
            compartment,
            id,
            resource,
        } => match (resource, search) {
            (ResourceSelector::Any, "/_search") => format!("/{compartment}/{id}/_search"),
            (resource, search) => format!("/{compartment}/{id}/{resource}{search}"),
        },
        Interaction::Operation { on, name } => match on {
            OperationTarget::System => format!("/${name}"),
            OperationTarget::Type(resource_type) => format!("/{resource_type}/${name}"),
            OperationTarget::Instance(resource_type, id) => format!("/{resource_type}/{id}/${name}"),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_set_reads_what_it_writes(tokens in proptest::collection::vec(any_token(), 1..10)) {
        let set: ScopeSet = tokens.iter().map(|token| ScopeToken::parse(token).unwrap()).collect();
        let again = ScopeSet::parse(&set.to_string()).unwrap();
        prop_assert_eq!(again.to_string(), set.to_string());
        let texts = |set: &ScopeSet| set.iter().map(ToString::to_string).collect::<Vec<_>>();
        prop_assert_eq!(texts(&again), texts(&set));
    }

    #[test]
    fn a_set_without_repetition_keeps_its_text(text in "[!#-\\[\\]-~ ]{0,40}") {
        if let Ok(set) = ScopeSet::parse(&text) {
            let pieces: Vec<&str> = text.split(' ').collect();
            prop_assert!(pieces.iter().all(|piece| set.contains(piece)));
            if set.len() == pieces.len() {
                prop_assert_eq!(set.to_string(), text);
            }
        }
    }

    #[test]
    fn sets_obey_the_laws_of_sets(a in scope_set(), b in scope_set(), c in scope_set()) {
        prop_assert_eq!(a.union(&b), b.union(&a));
        prop_assert_eq!(a.intersection(&b), b.intersection(&a));
        prop_assert_eq!(a.union(&b).union(&c), a.union(&b.union(&c)));
        prop_assert_eq!(a.intersection(&b).intersection(&c), a.intersection(&b.intersection(&c)));
        prop_assert_eq!(a.intersection(&b.union(&c)), a.intersection(&b).union(&a.intersection(&c)));
        prop_assert_eq!(a.union(&a.intersection(&b)), a.clone());
        prop_assert_eq!(a.intersection(&a.union(&b)), a.clone());
        prop_assert_eq!(a.difference(&b).union(&a.intersection(&b)), a.clone());
        prop_assert!(a.difference(&b).intersection(&b).is_empty());
        prop_assert!(a.intersection(&b).is_subset(&a) && a.is_subset(&a.union(&b)));
        prop_assert_eq!(a.is_subset(&b), a.union(&b) == b);
    }

    #[test]
    fn a_scope_writes_what_it_read(text in likely_scope()) {
        if let Ok(scope) = Scope::parse(&ScopeToken::parse(&text).unwrap()) {
            prop_assert_eq!(scope.to_string(), text);
        }
    }

    #[test]
    fn narrowing_grants_no_scope_that_was_not_requested(requested in scope_set(), permitted in scope_set()) {
        let granted = narrow(&requested, &permitted);
        prop_assert!(granted.is_subset(&requested));
        prop_assert_eq!(narrow(&granted, &permitted), granted.clone());
        prop_assert!(granted.is_subset(&narrow(&requested, &permitted.union(&requested))));
    }

    #[test]
    fn narrowing_permits_nothing_that_was_not_allowed(
        requested in near_scope_set(), permitted in near_scope_set(), request in near_request(), holder in holder(),
    ) {
        let granted = narrow(&requested, &permitted);
        if allowed(&request, &granted, &holder) == Some(true) {
            prop_assert_eq!(allowed(&request, &permitted, &holder), Some(true));
        }
    }

    #[test]
    fn a_further_scope_never_denies(
        scopes in scope_set(), more in scope_set(), request in request(), holder in holder(),
    ) {
        if allowed(&request, &scopes, &holder) == Some(true) {
            prop_assert_eq!(allowed(&request, &scopes.union(&more), &holder), Some(true));
            prop_assert_eq!(allowed(&request, &more.union(&scopes), &holder), Some(true));
        }
    }

    #[test]
    fn a_further_near_scope_never_denies(
        scopes in near_scope_set(), more in near_scope_set(), request in near_request(), holder in holder(),
    ) {
        if allowed(&request, &scopes, &holder) == Some(true) {
            prop_assert_eq!(allowed(&request, &scopes.union(&more), &holder), Some(true));
        }
    }

    #[test]
    fn no_scope_opens_the_capabilities_only(request in request(), holder in holder()) {
        let open = request.path == "/metadata";
        if let Some(is_allowed) = allowed(&request, &ScopeSet::empty(), &holder) {
            prop_assert_eq!(is_allowed, open);
        }
    }

    #[test]
    fn the_needed_scope_is_enough(scopes in scope_set(), request in request(), holder in holder()) {
        let raw = request.raw();
        let Ok(parsed) = FhirRequest::parse(&raw) else { return Ok(()) };
        let granted = GrantedScopes::compile(&scopes);
        if let Decision::Deny(denied) = permits(&parsed, &granted, &holder, &operations())
            && let Some(needed) = denied.needed
        {
            let enough = scopes.union(&needed.to_scope_set());
            prop_assert_eq!(allowed(&request, &enough, &holder), Some(true), "{}", needed);
        }
    }

    #[test]
    fn an_accepted_path_has_one_spelling(request in request()) {
        let raw = request.raw();
        if let Ok(parsed) = FhirRequest::parse(&raw) {
            prop_assert_eq!(path_of(parsed.interaction(), &request.path), request.path.clone());
        }
    }

    #[test]
    fn no_request_panics_and_what_is_accepted_is_exact(
        method in "(GET|POST|PUT|.{0,5})", path in "(/Patient|/Task)?(/[A-Za-z0-9.%/;_$*\\\\-]{0,12}|.{0,20}){0,3}",
        query in proptest::option::of("([a-z_.:%&;=+]{0,10}|.{0,20}){0,3}"),
    ) {
        let raw = RawRequest { query: query.as_deref(), ..RawRequest::new(&method, &path) };
        if let Ok(parsed) = FhirRequest::parse(&raw) {
            prop_assert_eq!(path_of(parsed.interaction(), &path), path.clone());
            prop_assert!(!path.contains("..") || path.split('/').all(|segment| segment != ".."));
            prop_assert!(path.bytes().all(|byte| byte.is_ascii_graphic() && !b"%;\\".contains(&byte)));
        }
    }

    #[test]
    fn no_text_panics_as_a_scope(text in ".{0,60}") {
        let _ = ScopeSet::parse(&text).map(|set| GrantedScopes::compile(&set));
    }
}
