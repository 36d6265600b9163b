//! Requests that reach out, search forms, and scopes limited to a search.

use super::*;

#[test]
fn parameters_that_reach_out_need_all_types() {
    for parameter in [
        "_include=Observation:subject",
        "_include:iterate=*",
        "_revinclude=Provenance:target",
        "_has:Group:member:_id=1",
        "subject.name=ann",
        "_filter=a",
        "_list=1",
        "_query=x",
        "%5Finclude=*",
        "_unheard-of=1",
    ] {
        let line = format!("GET /Observation?code=1&{parameter}");
        decides(
            &line,
            "system/Observation.cruds",
            &CLIENT,
            "ReachesOtherTypes, needs system/*.rs",
        );
        decides(
            &line,
            "system/*.s",
            &CLIENT,
            "ReachesOtherTypes, needs system/*.rs",
        );
        decides(&line, "system/*.rs", &CLIENT, "System by system/*.rs");
        decides(&line, "", &CLIENT, "InsufficientScope, needs system/*.rs");
    }
}

#[test]
fn parameters_that_reach_out_are_judged_in_every_interaction() {
    decides(
        "GET /Task/1?_include=*",
        "system/Task.rs",
        &CLIENT,
        "ReachesOtherTypes, needs system/*.rs",
    );
    let denied = "ReachesOtherTypes, needs system/*.rds";
    decides(
        "DELETE /Task/1?_cascade=delete",
        "system/Task.ds",
        &CLIENT,
        denied,
    );
    decides(
        "DELETE /Task/1?_cascade=delete",
        "system/*.rs system/Task.d",
        &CLIENT,
        denied,
    );
    decides(
        "DELETE /Task/1?_cascade=delete",
        "system/*.rds",
        &CLIENT,
        "System by system/*.rds",
    );
    decides("DELETE /Task?owner.name=x", "system/Task.ds", &CLIENT, denied);
    let condition = RawRequest {
        if_none_exist: Some("owner.name=x"),
        ..split("POST /Task")
    };
    let found = outcome(&condition, "system/Task.cs", &CLIENT, &Operations::none());
    assert_eq!(found, "ReachesOtherTypes, needs system/*.crs");
}

#[test]
fn a_search_form_is_judged_and_an_unread_one_may_hold_anything() {
    let search = split("POST /Observation/_search");
    let ask = |raw: &RawRequest<'_>, scopes: &str| outcome(raw, scopes, &CLIENT, &Operations::none());
    assert_eq!(
        ask(&search, "system/Observation.rs"),
        "UnseenSearchForm, needs system/*.rs"
    );
    assert_eq!(ask(&search, "system/*.rs"), "System by system/*.rs");
    let harmless = RawRequest {
        search_form: Some("code=1"),
        ..search
    };
    assert_eq!(
        ask(&harmless, "system/Observation.s"),
        "System by system/Observation.s"
    );
    let include = RawRequest {
        search_form: Some("code=1&_include=*"),
        ..search
    };
    assert_eq!(
        ask(&include, "system/Observation.rs"),
        "ReachesOtherTypes, needs system/*.rs"
    );
}

#[test]
fn a_restricted_scope_counts_for_the_search_it_describes() {
    let scope = "system/Observation.rs?category=lab";
    let allowed = format!("System by {scope} strictly");
    decides("GET /Observation?category=lab", scope, &CLIENT, &allowed);
    decides(
        "GET /Observation?category=lab&code=1&_count=5",
        scope,
        &CLIENT,
        &allowed,
    );
    let form = RawRequest {
        search_form: Some("category=lab"),
        ..split("POST /Observation/_search")
    };
    assert_eq!(outcome(&form, scope, &CLIENT, &Operations::none()), allowed);
    decides(
        "GET /Observation?category=lab",
        "system/*.rs?category=lab",
        &CLIENT,
        "System by system/*.rs?category=lab strictly",
    );
}

#[test]
fn a_restricted_scope_counts_for_nothing_else() {
    let scope = "system/Observation.cruds?category=lab";
    for line in [
        "GET /Observation",
        "GET /Observation?category=vital",
        "GET /Observation?category=lab,vital",
        "GET /Observation?category=lab&category=vital",
        "GET /Observation?category:not=lab",
        "GET /Observation/1",
        "GET /Observation/1?category=lab",
        "GET /Observation/1/_history",
        "GET /Observation/_history?category=lab",
        "GET /Patient/1/Observation?category=lab",
        "POST /Observation",
        "PUT /Observation/1",
        "PUT /Observation?category=lab",
        "PATCH /Observation?category=lab",
        "DELETE /Observation/1",
        "DELETE /Observation?category=lab",
    ] {
        let found = outcome(&split(line), scope, &CLIENT, &Operations::none());
        assert!(
            found.starts_with("OutsideRestriction, needs system/Observation."),
            "{line}: {found}"
        );
    }
    let found = outcome(
        &split("GET /Observation?category=lab&_include=*"),
        scope,
        &CLIENT,
        &Operations::none(),
    );
    assert_eq!(found, "OutsideRestriction, needs system/*.rs");
}

#[test]
fn a_restricted_scope_for_all_types_does_not_open_what_a_search_includes() {
    let scope = "system/*.rs?category=lab";
    let expected = "OutsideRestriction, needs system/*.rs";
    decides(
        "GET /Observation?category=lab&_include=*",
        scope,
        &CLIENT,
        expected,
    );
    let search = split("POST /Observation/_search?category=lab");
    assert_eq!(outcome(&search, scope, &CLIENT, &Operations::none()), expected);
}

#[test]
fn several_restricted_scopes_are_alternatives_and_an_unrestricted_one_wins() {
    let scopes = "system/Observation.s?category=a system/Observation.s?category=b";
    decides(
        "GET /Observation?category=b",
        scopes,
        &CLIENT,
        "System by system/Observation.s?category=b strictly",
    );
    let scopes = "system/Observation.s?category=a system/Observation.rs";
    decides(
        "GET /Observation?category=a",
        scopes,
        &CLIENT,
        "System by system/Observation.rs",
    );
}
