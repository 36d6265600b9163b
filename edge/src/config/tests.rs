//! Defaults, faults, and the page that documents them.

use super::limits::LimitPolicy;
use super::{ApiKind, ClientAddress, Config, ConfigFault, CorsOrigins, Given, Values, variables};

mod lists;

fn values(changes: &[(&str, Option<&str>)]) -> Values {
    let mut values: Values = [
        ("WARDGATE_ISSUER", "https://issuer.example"),
        ("WARDGATE_AUDIENCES", "https://edge.example/fhir api:his"),
        ("WARDGATE_UPSTREAM", "https://fhir.example/r4/"),
        ("WARDGATE_PUBLIC_URL", "https://edge.example"),
    ]
    .map(|(name, value)| (name.to_owned(), Given::Text(value.to_owned())))
    .into();
    for (name, value) in changes {
        match value {
            Some(value) => values.insert((*name).to_owned(), Given::Text((*value).to_owned())),
            None => values.remove(*name),
        };
    }
    values
}

fn faults(changes: &[(&str, Option<&str>)]) -> Vec<(String, String)> {
    faults_of(&values(changes))
}

fn faults_of(values: &Values) -> Vec<(String, String)> {
    Config::parse(values)
        .unwrap_err()
        .into_iter()
        .map(|ConfigFault { place, problem }| (place, problem))
        .collect()
}

#[test]
fn four_variables_are_enough_and_the_rest_has_the_declared_defaults() {
    let config = Config::parse(&values(&[])).unwrap();
    let [issuer] = config.issuers.as_slice() else {
        panic!("one issuer")
    };
    assert_eq!(issuer.jwks_url, "https://issuer.example/.well-known/jwks.json");
    assert_eq!(
        issuer.smart_configuration_url,
        "https://issuer.example/.well-known/smart-configuration"
    );
    let [api] = config.apis.as_slice() else {
        panic!("one API")
    };
    assert_eq!((api.name.as_str(), &api.kind), ("fhir", &ApiKind::Fhir));
    assert_eq!(api.issuers, ["https://issuer.example"]);
    assert_eq!(api.audiences, ["https://edge.example/fhir", "api:his"]);
    assert_eq!(api.token_types, ["at+jwt"]);
    assert_eq!(api.upstream, "https://fhir.example/r4");
    assert_eq!(api.prefix, "/fhir");
    assert_eq!(api.limits, ["default"]);
    assert_eq!(api.upstream_timeout_milliseconds, 30_000);
    assert_eq!(config.limits, [LimitPolicy::default_limit()]);
    assert_eq!(config.limits_of(api).count(), 1);
    assert_eq!(config.clock_skew_seconds, 30);
    assert_eq!(config.maximum_token_lifetime_seconds, 86_400);
    assert_eq!(config.refresh.fresh_seconds, 300);
    assert_eq!(config.refresh.stale_seconds, 3_600);
    assert_eq!(config.refresh.cooldown_seconds, 30);
    assert_eq!(config.refresh.attempt_seconds, 4);
    assert_eq!(config.jwks_timeout_milliseconds, 3_000);
    assert_eq!(config.client_address, ClientAddress::Unknown);
    assert_eq!(config.cors_origins, CorsOrigins::Any);
}

#[test]
fn resource_and_its_metadata_follow_the_public_url() {
    let config = Config::parse(&values(&[])).unwrap();
    assert_eq!(config.apis[0].resource, "https://edge.example/fhir");
    assert_eq!(
        config.apis[0].resource_metadata_url,
        "https://edge.example/.well-known/oauth-protected-resource/fhir"
    );
}

#[test]
fn refuses_a_public_url_with_a_path() {
    for url in ["https://edge.example/a", "https://edge.example/a/"] {
        let found = faults(&[("WARDGATE_PUBLIC_URL", Some(url))]);
        assert_eq!(
            found,
            [(
                "WARDGATE_PUBLIC_URL".to_owned(),
                "must be an origin: scheme, host and port without a path".to_owned()
            )]
        );
    }
    let root = values(&[("WARDGATE_PUBLIC_URL", Some("https://edge.example/"))]);
    assert_eq!(Config::parse(&root).unwrap().public_url, "https://edge.example");
}

#[test]
fn refuses_every_variable_that_is_no_text() {
    let lists = [variables::ISSUERS, variables::APIS, variables::LIMITS];
    for variable in variables::ALL {
        let mut values = values(&[]);
        values.insert(variable.name.to_owned(), Given::Other);
        let problem = if lists.contains(&variable) {
            "must be a list of objects, in JSON"
        } else {
            "must be text"
        };
        assert_eq!(
            faults_of(&values),
            [(variable.name.to_owned(), problem.to_owned())],
            "never ignored, never the default"
        );
        values.insert(variable.name.to_owned(), Given::List("[]".to_owned()));
        assert_eq!(
            Config::parse(&values).is_ok(),
            lists.contains(&variable),
            "{}",
            variable.name
        );
    }
    let mut unknown = values(&[]);
    unknown.insert("WARDGATE_OTHER".to_owned(), Given::Other);
    assert_eq!(faults_of(&unknown)[0].0, "WARDGATE_OTHER");
}

#[test]
fn a_client_s_address_is_believed_of_cloudflare_alone() {
    let config = Config::parse(&values(&[("WARDGATE_CLIENT_ADDRESS", Some("cloudflare"))])).unwrap();
    assert_eq!(config.client_address, ClientAddress::Cloudflare);
    for value in ["", "Cloudflare", "x-forwarded-for"] {
        let found = faults(&[("WARDGATE_CLIENT_ADDRESS", Some(value))]);
        assert_eq!(found.len(), 1, "{value}");
        assert_eq!(found[0].0, "WARDGATE_CLIENT_ADDRESS");
    }
}

#[test]
fn a_cache_is_bypassed_unless_there_is_none() {
    assert!(Config::parse(&values(&[])).unwrap().bypasses_cache);
    let absent = values(&[("WARDGATE_PLATFORM_CACHE", Some("absent"))]);
    assert!(!Config::parse(&absent).unwrap().bypasses_cache);
    for value in ["", "Absent", "none"] {
        let found = faults(&[("WARDGATE_PLATFORM_CACHE", Some(value))]);
        assert_eq!(found.len(), 1, "{value}");
        assert_eq!(found[0].0, "WARDGATE_PLATFORM_CACHE");
    }
}

#[test]
fn keeps_the_issuer_character_by_character() {
    let config = Config::parse(&values(&[("WARDGATE_ISSUER", Some("https://issuer.example/t/"))])).unwrap();
    assert_eq!(config.issuers[0].issuer, "https://issuer.example/t/");
    assert_eq!(
        config.issuers[0].jwks_url,
        "https://issuer.example/t/.well-known/jwks.json"
    );
}

#[test]
fn reports_all_faults_together() {
    let found = faults(&[
        ("WARDGATE_ISSUER", None),
        ("WARDGATE_AUDIENCES", Some("  ")),
        ("WARDGATE_UPSTREAM", Some("http://fhir.example")),
        ("WARDGATE_PREFIX", Some("/")),
        ("WARDGATE_CLOCK_SKEW_SECONDS", Some("61")),
        ("WARDGATE_JWKS_COOLDOWN_SECONDS", Some("soon")),
        ("WARDGATE_CORS_ORIGINS", Some("https://app.example/path")),
        ("WARDGATE_ISUER", Some("https://issuer.example")),
        ("OTHER", Some("not ours")),
    ]);
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "WARDGATE_ISSUER",
            "WARDGATE_AUDIENCES",
            "WARDGATE_UPSTREAM",
            "WARDGATE_PREFIX",
            "WARDGATE_CLOCK_SKEW_SECONDS",
            "WARDGATE_JWKS_COOLDOWN_SECONDS",
            "WARDGATE_CORS_ORIGINS",
            "WARDGATE_ISUER",
        ]
    );
    assert_eq!(found[0].1, "is not set");
    assert_eq!(found[1].1, "must not be empty");
    assert_eq!(found[4].1, "must be a whole number from 0 to 60");
}

#[test]
fn refuses_a_prefix_that_hides_the_open_documents_or_is_ambiguous() {
    for prefix in [
        "/health",
        "/health/",
        "/.well-known",
        "/.well-known/fhir",
        "/",
        "fhir",
        "/a//b",
        "/a/../b",
        "/a%62",
    ] {
        let found = faults(&[("WARDGATE_PREFIX", Some(prefix))]);
        assert_eq!(found.len(), 1, "{prefix}: {found:?}");
        assert_eq!(found[0].0, "WARDGATE_PREFIX");
    }
}

#[test]
fn a_fault_never_repeats_the_value() {
    for (_, problem) in faults(&[
        ("WARDGATE_UPSTREAM", Some("https://user:hunter2@fhir.example")),
        ("WARDGATE_JWKS_URL", Some("hunter2")),
        ("WARDGATE_CLOCK_SKEW_SECONDS", Some("hunter2")),
    ]) {
        assert!(!problem.contains("hunter2"), "{problem}");
    }
}

#[test]
fn listed_origins_are_kept() {
    let config = Config::parse(&values(&[(
        "WARDGATE_CORS_ORIGINS",
        Some("https://a.example http://localhost:3000"),
    )]))
    .unwrap();
    assert_eq!(
        config.cors_origins,
        CorsOrigins::Listed(vec!["https://a.example".into(), "http://localhost:3000".into()])
    );
}

#[test]
fn every_variable_is_declared_with_a_meaning_and_a_distinct_name() {
    for (index, variable) in variables::ALL.iter().enumerate() {
        assert!(
            variable.name.starts_with(variables::NAMESPACE),
            "{}",
            variable.name
        );
        assert!(variable.meaning.ends_with('.'), "{}", variable.name);
        assert!(
            variables::ALL
                .iter()
                .skip(index + 1)
                .all(|other| other.name != variable.name)
        );
    }
}

#[test]
fn the_documentation_lists_exactly_the_declared_variables() {
    let page = include_str!("../../../docs/edge-configuration.md");
    let documented: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| `WARDGATE_"))
        .collect();
    let declared: Vec<String> = variables::ALL
        .iter()
        .map(|variable| {
            let default = variable
                .default
                .map_or("must be set".to_owned(), |default| format!("`{default}`"));
            format!("| `{}` | {default} | {} |", variable.name, variable.meaning)
        })
        .collect();
    assert_eq!(documented, declared);
}

#[test]
fn the_error_page_may_have_a_fragment_and_no_unlawful_character() {
    for (given, kept) in [
        ("https://docs.example/e/", "https://docs.example/e"),
        ("https://docs.example/#e", "https://docs.example/#e"),
    ] {
        let config = Config::parse(&values(&[("WARDGATE_ERROR_URI", Some(given))])).unwrap();
        assert_eq!(config.error_uri, kept);
    }
    for wrong in [
        "docs.example",
        "https://docs.example/<e>",
        "https://docs.example/#a#b",
    ] {
        let found = faults(&[("WARDGATE_ERROR_URI", Some(wrong))]);
        assert_eq!(found.len(), 1, "{wrong}: {found:?}");
    }
}

#[test]
fn explain_mode_is_for_this_machine_unless_said_otherwise() {
    let explains =
        |changes: &[(&str, Option<&str>)]| Config::parse(&values(changes)).map(|config| config.explain);
    assert_eq!(explains(&[]), Ok(false));
    assert_eq!(explains(&[("WARDGATE_EXPLAIN", Some("off"))]), Ok(false));
    assert_eq!(explains(&[("WARDGATE_EXPLAIN", Some("on-public"))]), Ok(true));
    for url in [
        "http://localhost:8787",
        "http://127.0.0.1:8787",
        "http://[::1]:8787",
    ] {
        let changes = [
            ("WARDGATE_EXPLAIN", Some("on")),
            ("WARDGATE_PUBLIC_URL", Some(url)),
        ];
        assert_eq!(explains(&changes), Ok(true), "{url}");
    }
    for value in ["on", "ON", "1", "true", ""] {
        let found = faults(&[("WARDGATE_EXPLAIN", Some(value))]);
        assert_eq!(found.len(), 1, "{value}");
        assert_eq!(found[0].0, "WARDGATE_EXPLAIN");
    }
}

#[test]
fn bindings_are_named_or_there_are_none() {
    let none = Config::parse(&values(&[])).unwrap();
    assert_eq!(
        (none.unverified_limit.as_deref(), none.metrics.as_deref()),
        (None, None)
    );
    assert_eq!(none.unbound(|_, _| false), []);
    let config = Config::parse(&values(&[
        ("WARDGATE_UNVERIFIED_LIMIT", Some("FLOOD_1")),
        ("WARDGATE_METRICS", Some("METRICS")),
        ("WARDGATE_CLIENT_ADDRESS", Some("cloudflare")),
    ]))
    .unwrap();
    assert_eq!(config.unverified_limit.as_deref(), Some("FLOOD_1"));
    let bound = |name: &str, method: &str| {
        [("FLOOD_1", "limit"), ("METRICS", "writeDataPoint")].contains(&(name, method))
    };
    assert_eq!(config.unbound(bound), []);
    let missing = config.unbound(|name, _| name == "METRICS");
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].place, "WARDGATE_UNVERIFIED_LIMIT");
    for value in ["", "flood", "A B", "WARDGATE_LIMIT", "A-B", "é"] {
        let found = faults(&[("WARDGATE_METRICS", Some(value))]);
        assert_eq!(found.len(), 1, "{value}");
        assert_eq!(found[0].0, "WARDGATE_METRICS");
    }
}

#[test]
fn a_limit_by_network_of_the_platform_s_needs_addresses_too() {
    let found = faults(&[("WARDGATE_UNVERIFIED_LIMIT", Some("FLOOD"))]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "WARDGATE_CLIENT_ADDRESS");
}

#[test]
fn counters_are_for_this_machine_and_have_a_path_of_their_own() {
    let counters = |path: &str, url: &str| {
        let changes = [
            ("WARDGATE_COUNTERS", Some(path)),
            ("WARDGATE_PUBLIC_URL", Some(url)),
        ];
        Config::parse(&values(&changes)).map(|config| config.counters)
    };
    let here = "http://localhost:8787";
    assert_eq!(counters("off", here), Ok(None));
    assert_eq!(
        counters("/internal/counters", here),
        Ok(Some("/internal/counters".into()))
    );
    assert_eq!(counters("off", "https://edge.example"), Ok(None));
    for (path, url) in [
        ("/internal/counters", "https://edge.example"),
        ("/health", here),
        ("/fhir", here),
        ("/fhir/counters", here),
        ("counters", here),
        ("/%63", here),
        ("/Counters", here),
        ("/a?b", here),
        ("on", here),
    ] {
        let found = counters(path, url).unwrap_err();
        assert_eq!(found.len(), 1, "{path} {url}");
        assert_eq!(found[0].place, "WARDGATE_COUNTERS");
    }
}
