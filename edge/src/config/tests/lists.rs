//! Issuers, APIs and limits in JSON: what is accepted, and where each fault is said to be.

use serde_json::{Value, json};

use super::super::limits::{Counted, LimitPolicy, OnFailure};
use super::super::rules::Ruling;
use super::super::{ApiKind, Config, Given, PatientCompartment, Values};
use super::{faults, faults_of, values};

const PARTNER: &str = "https://partner.example";

/// A plain API with these members on top of the ordinary ones; null takes a member away.
fn api(changes: &Value) -> Value {
    let mut api = json!({
        "name": "reports",
        "prefix": "/reports",
        "upstream": "https://reports.example",
        "kind": "plain",
        "audiences": ["https://edge.example/reports"],
        "require": [{ "path": "/", "scopes": ["reports.read"] }],
    });
    merge(&mut api, changes);
    api
}

fn merge(object: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
    }
}

fn with_api(changes: &Value) -> Values {
    values(&[("WARDGATE_APIS", Some(&json!([api(changes)]).to_string()))])
}

/// The one fault of an API with these changes: the place below the API, and the problem.
#[track_caller]
fn fault(changes: &Value) -> (String, String) {
    let mut found = faults_of(&with_api(changes));
    assert_eq!(found.len(), 1, "{changes}: {found:?}");
    let (place, problem) = found.remove(0);
    (
        place
            .strip_prefix("WARDGATE_APIS[0]")
            .unwrap_or(&place)
            .to_owned(),
        problem,
    )
}

#[track_caller]
fn fault_at(changes: &Value, place: &str) {
    assert_eq!(fault(changes).0, place, "{changes}");
}

#[test]
fn keys_are_taken_where_an_issuer_that_is_trusted_exchanges_them() {
    let exchange = "https://partner.example/oauth2/token";
    let issuers = json!([{ "issuer": PARTNER, "api_keys_url": exchange }]).to_string();
    let api = |name: &str, issuers: Value| {
        json!({
            "name": name, "prefix": format!("/{name}"), "upstream": "https://up.example", "audiences": [name],
            "issuers": issuers,
        })
    };
    let own = "https://issuer.example";
    let apis = json!([api("both", json!([own, PARTNER])), api("own", json!([own]))]).to_string();
    let config = crate::testing::config_with(&[("WARDGATE_ISSUERS", &issuers), ("WARDGATE_APIS", &apis)]);
    let named = |name| config.apis.iter().find(|api| api.name == name).unwrap();
    assert_eq!(config.api_key_exchange(named("both")), Some((PARTNER, exchange)));
    assert!(!config.takes_api_keys(named("own")) && !config.takes_api_keys(named("fhir")));

    let config =
        crate::testing::config_with(&[("WARDGATE_API_KEYS_URL", "https://issuer.example/oauth2/token")]);
    assert!(config.takes_api_keys(&config.apis[0]));
    let config = crate::testing::config_with(&[("WARDGATE_API_KEYS_URL", "none")]);
    assert!(!config.takes_api_keys(&config.apis[0]));
    for url in [
        "http://issuer.example/oauth2/token",
        "nowhere",
        "https://issuer.example/token?x",
        "",
    ] {
        let found = faults(&[("WARDGATE_API_KEYS_URL", Some(url))]);
        assert_eq!(found[0].0, "WARDGATE_API_KEYS_URL", "{url}");
    }
}

#[test]
fn an_api_of_the_list_stands_beside_that_of_the_variables() {
    let config = Config::parse(&with_api(&json!({
        "token_types": ["JWT"], "limits": [], "upstream_timeout_milliseconds": 5000
    })))
    .unwrap();
    let names: Vec<&str> = config.apis.iter().map(|api| api.name.as_str()).collect();
    assert_eq!(names, ["reports", "fhir"], "the longest prefix first");
    let api = &config.apis[0];
    assert_eq!(
        api.issuers,
        ["https://issuer.example"],
        "the only one that is trusted"
    );
    assert_eq!(api.token_types, ["JWT"]);
    assert!(api.limits.is_empty());
    assert_eq!(api.upstream_timeout_milliseconds, 5_000);
    assert_eq!(api.resource, "https://edge.example/reports");
    assert_eq!(
        api.resource_metadata_url,
        "https://edge.example/.well-known/oauth-protected-resource/reports"
    );
    let ApiKind::Plain(rules) = &api.kind else {
        panic!("not plain")
    };
    assert_eq!(rules.require[0].scopes, ["reports.read"]);
}

#[test]
fn lists_alone_are_enough() {
    let lists: Values = [
        ("WARDGATE_PUBLIC_URL", "https://edge.example".to_owned()),
        ("WARDGATE_ISSUERS", json!([{ "issuer": PARTNER }]).to_string()),
        ("WARDGATE_APIS", json!([api(&json!({}))]).to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), Given::Text(value)))
    .into();
    let config = Config::parse(&lists).unwrap();
    assert_eq!(config.issuers[0].issuer, PARTNER);
    assert_eq!(config.apis.len(), 1);
    assert_eq!(config.error_uri, "https://partner.example/docs/errors");
    let mut arrays = lists.clone();
    let Given::Text(text) = &lists["WARDGATE_APIS"] else {
        panic!("text")
    };
    arrays.insert("WARDGATE_APIS".into(), Given::List(text.clone()));
    assert_eq!(
        Config::parse(&arrays).unwrap().apis,
        config.apis,
        "an array is the same"
    );
}

#[test]
fn the_longest_prefix_is_addressed() {
    let config = Config::parse(&with_api(&json!({ "prefix": "/fhir/reports" }))).unwrap();
    let name = |path| config.api_of(path).map(|api| api.name.as_str());
    assert_eq!(name("/fhir/reports"), Some("reports"));
    assert_eq!(name("/fhir/reports/1"), Some("reports"));
    assert_eq!(name("/fhir/reportsx"), Some("fhir"));
    assert_eq!(name("/fhir"), Some("fhir"));
    assert_eq!(name("/other"), None);
}

#[test]
fn one_thing_is_described_once() {
    assert_eq!(
        fault(&json!({ "prefix": "/fhir/" })),
        (".prefix".into(), "is the prefix of another API".into())
    );
    assert_eq!(
        fault(&json!({ "name": "fhir" })),
        (".name".into(), "is the name of another API".into())
    );
    let twice = json!([{ "issuer": PARTNER }, { "issuer": "https://issuer.example" }]).to_string();
    assert_eq!(
        faults(&[("WARDGATE_ISSUERS", Some(&twice))])[0],
        ("WARDGATE_ISSUERS[1].issuer".into(), "is trusted already".into())
    );
    let twice = json!([{ "name": "default", "limit": 1 }, { "name": "default", "limit": 2 }]).to_string();
    assert_eq!(
        faults(&[("WARDGATE_LIMITS", Some(&twice))])[0],
        (
            "WARDGATE_LIMITS[1].name".into(),
            "is the name of another limit".into()
        )
    );
}

#[test]
fn variables_of_the_fhir_api_need_its_upstream() {
    let apis = json!([api(&json!({}))]).to_string();
    let found = faults(&[("WARDGATE_UPSTREAM", None), ("WARDGATE_APIS", Some(&apis))]);
    assert_eq!(
        found,
        [(
            "WARDGATE_AUDIENCES".to_owned(),
            "needs WARDGATE_UPSTREAM, which is not set".to_owned()
        )]
    );
    let issuers = json!([{ "issuer": PARTNER }]).to_string();
    let found = faults(&[
        ("WARDGATE_ISSUER", None),
        ("WARDGATE_JWKS_URL", Some("https://issuer.example/keys")),
        ("WARDGATE_UPSTREAM", None),
        ("WARDGATE_AUDIENCES", None),
        ("WARDGATE_ISSUERS", Some(&issuers)),
        ("WARDGATE_APIS", Some(&apis)),
    ]);
    assert_eq!(found[0].0, "WARDGATE_JWKS_URL");
    let found = faults(&[("WARDGATE_ISSUER", None), ("WARDGATE_ISSUERS", Some(&issuers))]);
    assert_eq!(
        found[0],
        ("WARDGATE_ISSUER".into(), "is not set".into()),
        "the FHIR API of the variables trusts the issuer of the variables, and no other one by accident"
    );
}

#[test]
fn with_several_issuers_an_api_names_its_own() {
    let issuers = json!([{ "issuer": PARTNER, "jwks_url": "https://keys.example/partner" }]).to_string();
    let parse = |changes: &Value| {
        let mut values = with_api(changes);
        values.insert("WARDGATE_ISSUERS".into(), Given::Text(issuers.clone()));
        Config::parse(&values)
    };
    let config = parse(&json!({ "issuers": [PARTNER] })).unwrap();
    assert_eq!(config.issuers[1].jwks_url, "https://keys.example/partner");
    assert_eq!(config.apis[0].issuers, [PARTNER]);
    assert_eq!(config.apis[1].issuers, ["https://issuer.example"]);
    for (changes, problem) in [
        (json!({}), "is not set"),
        (json!({ "issuers": [] }), "must not be empty"),
        (
            json!({ "issuers": [PARTNER, "https://partner.example/"] }),
            "must be issuers that are trusted",
        ),
        (json!({ "issuers": PARTNER }), "must be a list of texts"),
    ] {
        let found = parse(&changes).unwrap_err();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (found[0].place.as_str(), found[0].problem.as_str()),
            ("WARDGATE_APIS[0].issuers", problem)
        );
    }
}

#[test]
fn what_is_no_list_of_objects_is_refused_as_a_whole() {
    for name in ["WARDGATE_ISSUERS", "WARDGATE_APIS", "WARDGATE_LIMITS"] {
        for text in ["", "x", "{}", "1", "[", "[]]", "null"] {
            assert_eq!(
                faults(&[(name, Some(text))]),
                [(name.to_owned(), "must be a list of objects, in JSON".to_owned())],
                "{text}"
            );
        }
        assert_eq!(
            faults(&[(name, Some("[1]"))])[0],
            (format!("{name}[0]"), "must be an object".to_owned())
        );
        assert_eq!(
            faults(&[(name, Some(r#"[{"a":{"b":1,"b":2}}]"#))]),
            [(name.to_owned(), "must not repeat a member's name".to_owned())]
        );
    }
}

#[test]
fn every_fault_of_an_api_has_its_place() {
    for (changes, place) in [
        (json!({ "name": null }), ".name"),
        (json!({ "name": "Reports" }), ".name"),
        (json!({ "name": "a\"b" }), ".name"),
        (json!({ "prefix": null }), ".prefix"),
        (json!({ "prefix": "reports" }), ".prefix"),
        (json!({ "prefix": "/" }), ".prefix"),
        (json!({ "prefix": "/.well-known/x" }), ".prefix"),
        (json!({ "prefix": "/health" }), ".prefix"),
        (json!({ "upstream": "http://reports.example" }), ".upstream"),
        (json!({ "upstream": 1 }), ".upstream"),
        (json!({ "kind": "rest" }), ".kind"),
        (json!({ "audiences": null }), ".audiences"),
        (json!({ "audiences": [] }), ".audiences"),
        (json!({ "audiences": [""] }), ".audiences"),
        (json!({ "audiences": "api" }), ".audiences"),
        (json!({ "token_types": [] }), ".token_types"),
        (json!({ "limits": ["burst"] }), ".limits"),
        (json!({ "limits": ["default", "default"] }), ".limits"),
        (
            json!({ "upstream_timeout_milliseconds": 1 }),
            ".upstream_timeout_milliseconds",
        ),
        (
            json!({ "upstream_timeout_milliseconds": "1000" }),
            ".upstream_timeout_milliseconds",
        ),
        (json!({ "audience": ["x"] }), ".audience"),
        (json!({ "https://user:hunter2@a": 1 }), ""),
        (json!({ "require": null }), ".require"),
        (json!({ "require": {} }), ".require"),
        (json!({ "require": [1] }), ".require[0]"),
        (json!({ "open": "/x" }), ".open"),
    ] {
        let mut found = faults_of(&with_api(&changes));
        // Rules that cannot be read are also rules that are missing.
        found.retain(|(_, problem)| found_is_cause(problem) || place == ".require");
        let (found, _) = found.remove(0);
        assert_eq!(found, format!("WARDGATE_APIS[0]{place}"), "{changes}");
    }
}

fn found_is_cause(problem: &str) -> bool {
    problem != "must have a rule"
}

#[test]
fn a_fhir_api_has_no_rules_of_its_own() {
    let changes = json!({ "kind": "fhir", "open": ["/x"] });
    let places: Vec<String> = faults_of(&with_api(&changes))
        .into_iter()
        .map(|(place, _)| place)
        .collect();
    assert_eq!(places, ["WARDGATE_APIS[0].open", "WARDGATE_APIS[0].require"]);
}

#[test]
fn the_patient_compartment_is_held_unless_an_api_leaves_it_to_its_server() {
    let fhir = |changes: Value| {
        let mut values = with_api(&json!({}));
        let mut api = json!({
            "name": "other", "prefix": "/other", "upstream": "https://other.example", "audiences": ["a"],
        });
        merge(&mut api, &changes);
        values.insert("WARDGATE_APIS".to_owned(), Given::Text(json!([api]).to_string()));
        values
    };
    for (changes, compartment) in [
        (json!({}), PatientCompartment::Enforced),
        (
            json!({ "patient_compartment": "enforced" }),
            PatientCompartment::Enforced,
        ),
        (
            json!({ "patient_compartment": "server" }),
            PatientCompartment::Server,
        ),
    ] {
        let mut values = fhir(changes);
        assert_eq!(
            Config::parse(&values).unwrap().apis[0].patient_compartment,
            compartment
        );
        let of_the_variables = |values: &Values| {
            let config = Config::parse(values).unwrap();
            let api = config.apis.iter().find(|api| api.name == "fhir");
            api.unwrap().patient_compartment
        };
        assert_eq!(
            of_the_variables(&values),
            PatientCompartment::Enforced,
            "each says its own"
        );
        let server = Given::Text("server".to_owned());
        values.insert("WARDGATE_PATIENT_COMPARTMENT".to_owned(), server);
        assert_eq!(of_the_variables(&values), PatientCompartment::Server);
    }
    for wrong in [json!("off"), json!(false), json!("")] {
        let faults = Config::parse(&fhir(json!({ "patient_compartment": wrong }))).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].place, "WARDGATE_APIS[0].patient_compartment");
    }
    // Its claims say nothing that an API of another kind could be held to.
    fault_at(
        &json!({ "patient_compartment": "server" }),
        ".patient_compartment",
    );
}

#[test]
fn every_fault_of_a_rule_has_its_place() {
    let rule = |changes: &Value| {
        let mut rule = json!({ "path": "/a", "scopes": ["x"] });
        merge(&mut rule, changes);
        json!({ "require": [rule] })
    };
    for (changes, place) in [
        (json!({ "path": null }), "path"),
        (json!({ "path": "a" }), "path"),
        (json!({ "path": "/a/../b" }), "path"),
        (json!({ "path": "/a%20b" }), "path"),
        (json!({ "path": "" }), "path"),
        (json!({ "methods": [] }), "methods"),
        (json!({ "methods": ["get"] }), "methods"),
        (json!({ "methods": ["GET", "TRACE"] }), "methods"),
        (json!({ "scopes": null }), "scopes"),
        (json!({ "scopes": ["a b"] }), "scopes"),
        (json!({ "scopes": ["a\"b"] }), "scopes"),
        (json!({ "scopes": ["a", "a"] }), "scopes"),
        (json!({ "claims": {} }), "claims"),
        (json!({ "claims": [] }), "claims"),
        (json!({ "claims": { "a": ["b"] } }), "claims"),
        (json!({ "claims": { "a": null } }), "claims"),
        (json!({ "scope": "x" }), "scope"),
    ] {
        let found = faults_of(&with_api(&rule(&changes)));
        assert_eq!(
            found[0].0,
            format!("WARDGATE_APIS[0].require[0].{place}"),
            "{changes}: {found:?}"
        );
    }
    for fine in [
        json!({ "scopes": [] }),
        json!({ "scopes": null, "claims": { "tenant": "a", "level": 2, "active": true } }),
        json!({ "methods": ["GET", "POST"] }),
    ] {
        assert!(Config::parse(&with_api(&rule(&fine))).is_ok(), "{fine}");
    }
}

#[test]
fn rules_that_are_never_reached_are_faults() {
    for (first, second) in [
        (json!({ "path": "/a" }), json!({ "path": "/a/" })),
        (
            json!({ "path": "/a" }),
            json!({ "path": "/a", "methods": ["GET"] }),
        ),
        (json!({ "path": "/a" }), json!({ "path": "/A" })),
    ] {
        let (mut first, mut second) = (first, second);
        first["scopes"] = json!([]);
        second["scopes"] = json!([]);
        fault_at(&json!({ "require": [first, second] }), ".require[1].path");
    }
    let fine = json!({ "require": [
        { "path": "/a", "methods": ["GET"], "scopes": ["read"] },
        { "path": "/a", "methods": ["POST"], "scopes": ["write"] },
        { "path": "/", "scopes": ["any"] },
    ] });
    assert!(Config::parse(&with_api(&fine)).is_ok());
}

#[test]
fn open_paths_that_take_something_from_a_rule_are_faults() {
    let require = json!([{ "path": "/", "scopes": ["x"] }, { "path": "/admin/users", "scopes": ["y"] }]);
    for open in ["/admin", "/admin/users", "/admin/users/"] {
        assert_eq!(
            fault(&json!({ "require": require, "open": [open] })),
            (".open[0]".into(), "opens what require[1] guards".into())
        );
    }
    fault_at(
        &json!({ "require": require, "open": ["/status", "/status/deep"] }),
        ".open[1]",
    );
    fault_at(
        &json!({ "require": [{ "path": "/a", "scopes": [] }], "open": ["b"] }),
        ".open[0]",
    );
    let found = faults_of(&with_api(&json!({ "open": ["/"] })));
    assert_eq!(found[0].1, "must not open the whole API");
    assert!(
        Config::parse(&with_api(
            &json!({ "require": require, "open": ["/admin/users/help", "/status"] })
        ))
        .is_ok()
    );
}

#[test]
fn the_longest_path_decides_whatever_the_order() {
    let config = Config::parse(&with_api(&json!({
        "require": [
            { "path": "/", "scopes": ["any"] },
            { "path": "/admin", "methods": ["GET"], "scopes": ["admin"] },
        ],
        "open": ["/admin/help"],
    })))
    .unwrap();
    let ApiKind::Plain(rules) = &config.apis[0].kind else {
        panic!("not plain")
    };
    let scope = |method, below| match rules.find(method, below) {
        Ruling::Guarded(rule) => rule.scopes[0].clone(),
        other => format!("{other:?}"),
    };
    assert_eq!(scope("GET", "/admin"), "admin");
    assert_eq!(scope("HEAD", "/admin/users/"), "admin");
    assert_eq!(scope("GET", "/administration"), "any");
    assert_eq!(scope("DELETE", "/other"), "any");
    assert_eq!(scope("GET", ""), "any");
    assert_eq!(
        scope("DELETE", "/admin/users"),
        "OtherMethods([\"GET\"])",
        "a rule for less is not a hole to the rule above"
    );
    assert_eq!(scope("GET", "/admin/help/me"), "Open");
    assert_eq!(scope("POST", "/admin/help"), "OtherMethods([\"GET\"])");
    for path in ["/Admin", "/ADMIN/users", "/adMin/help"] {
        assert_eq!(
            scope("GET", path),
            "Unknown",
            "a server that folds case would take {path} for what another rule guards"
        );
    }
}

#[test]
fn limits_are_added_replaced_and_switched_off() {
    let limits = json!([
        { "name": "burst", "counts": "network", "limit": 50, "window_seconds": 10, "on_failure": "local",
          "local_share": 5, "timeout_milliseconds": 100 },
        { "name": "default", "counts": "client", "limit": 20 },
    ])
    .to_string();
    let config = Config::parse(&values(&[
        ("WARDGATE_LIMITS", Some(&limits)),
        ("WARDGATE_LIMITED_BY", Some("burst default")),
        ("WARDGATE_CLIENT_ADDRESS", Some("cloudflare")),
    ]))
    .unwrap();
    assert_eq!(
        config.limits[0],
        LimitPolicy {
            name: "burst".into(),
            counts: Counted::Network,
            limit: 50,
            window_seconds: 10,
            lease_seconds: 10,
            on_failure: OnFailure::Local { share: 5 },
            timeout_milliseconds: 100,
        }
    );
    assert_eq!(
        (config.limits[1].counts, config.limits[1].limit),
        (Counted::Client, 20)
    );
    assert_eq!(config.limits.len(), 2);
    assert_eq!(config.limits_of(&config.apis[0]).count(), 2);
    let off = Config::parse(&values(&[("WARDGATE_LIMITED_BY", Some("none"))])).unwrap();
    assert_eq!(off.limits_of(&off.apis[0]).count(), 0);
}

#[test]
fn every_fault_of_a_limit_has_its_place() {
    for (changes, place) in [
        (json!({ "name": "A" }), ".name"),
        (json!({ "counts": "ip" }), ".counts"),
        (json!({ "limit": null }), ".limit"),
        (json!({ "limit": 0 }), ".limit"),
        (json!({ "limit": 1.5 }), ".limit"),
        (json!({ "limit": -1 }), ".limit"),
        (json!({ "window_seconds": 86_401 }), ".window_seconds"),
        (json!({ "on_failure": "open" }), ".on_failure"),
        (json!({ "on_failure": "local" }), ".local_share"),
        (
            json!({ "on_failure": "local", "local_share": 11 }),
            ".local_share",
        ),
        (json!({ "local_share": 1 }), ".local_share"),
        (json!({ "timeout_milliseconds": 9 }), ".timeout_milliseconds"),
        (json!({ "per": "minute" }), ".per"),
    ] {
        let mut limit = json!({ "name": "default", "limit": 10 });
        merge(&mut limit, &changes);
        let text = json!([limit]).to_string();
        let found = faults(&[("WARDGATE_LIMITS", Some(&text))]);
        assert_eq!(found[0].0, format!("WARDGATE_LIMITS[0]{place}"), "{changes}");
    }
    let unused = json!([{ "name": "burst", "limit": 10 }]).to_string();
    assert_eq!(
        faults(&[("WARDGATE_LIMITS", Some(&unused))]),
        [("WARDGATE_LIMITS[0]".to_owned(), "is named by no API".to_owned())]
    );
    assert_eq!(
        faults(&[("WARDGATE_LIMITED_BY", Some("burst"))])[0].0,
        "WARDGATE_LIMITED_BY"
    );
}

#[test]
fn faults_of_all_lists_come_together_and_say_no_value() {
    let found = faults(&[
        (
            "WARDGATE_ISSUERS",
            Some(r#"[{"issuer":"hunter2"},{"jwks_url":"hunter2"}]"#),
        ),
        (
            "WARDGATE_APIS",
            Some(r#"[{"name":"HUNTER2","prefix":"hunter2","kind":"hunter2"}]"#),
        ),
        ("WARDGATE_LIMITS", Some(r#"[{"name":"HUNTER2","hunter2":{}}]"#)),
    ]);
    let places: Vec<&str> = found.iter().map(|(place, _)| place.as_str()).collect();
    for place in [
        "WARDGATE_ISSUERS[0].issuer",
        "WARDGATE_ISSUERS[1].issuer",
        "WARDGATE_ISSUERS[1].jwks_url",
        "WARDGATE_APIS[0].name",
        "WARDGATE_APIS[0].prefix",
        "WARDGATE_APIS[0].kind",
        "WARDGATE_APIS[0].upstream",
        "WARDGATE_APIS[0].audiences",
        "WARDGATE_LIMITS[0].name",
        "WARDGATE_LIMITS[0].limit",
    ] {
        assert!(places.contains(&place), "{place} in {places:?}");
    }
    assert!(
        found
            .iter()
            .all(|(_, problem)| !problem.to_lowercase().contains("hunter2"))
    );
}

#[test]
fn networks_are_counted_only_where_addresses_can_be_believed() {
    let limits = r#"[{ "name": "burst", "counts": "network", "limit": 50 }]"#;
    let of = |source: &str| {
        Config::parse(&values(&[
            ("WARDGATE_LIMITS", Some(limits)),
            ("WARDGATE_LIMITED_BY", Some("burst")),
            ("WARDGATE_CLIENT_ADDRESS", Some(source)),
        ]))
    };
    let faults = of("none").unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!(faults[0].place, "WARDGATE_CLIENT_ADDRESS");
    assert!(of("cloudflare").is_ok());
}

#[test]
fn leases_last_a_second_at_least_and_a_window_at_most() {
    let of = |lease: Value| {
        let limits =
            json!([{ "name": "default", "limit": 50, "window_seconds": 20, "lease_seconds": lease }]);
        let limits = limits.to_string();
        Config::parse(&values(&[("WARDGATE_LIMITS", Some(&limits))]))
            .map(|config| config.limits[0].lease_seconds)
    };
    for lease in [1, 10, 20] {
        assert_eq!(of(json!(lease)), Ok(lease));
    }
    for lease in [json!(0), json!(21), json!("10"), json!(1.5)] {
        let found = of(lease).unwrap_err();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, "WARDGATE_LIMITS[0].lease_seconds");
    }
    let unsaid = json!([{ "name": "default", "limit": 50, "window_seconds": 20 }]).to_string();
    let config = Config::parse(&values(&[("WARDGATE_LIMITS", Some(&unsaid))])).unwrap();
    assert_eq!(config.limits[0].lease_seconds, 20, "until the window ends");
}
