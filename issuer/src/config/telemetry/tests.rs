//! What the section and the variables of OpenTelemetry give, and what they must not be.

mod variables;

use std::path::Path;

use proptest::prelude::*;

use super::{Sampling, TelemetryConfig, pairs};
use crate::config::{Config, ConfigFaults};

const LEAST: &str =
    "keys.master_key_file = \"m\"\nresources = [{ identifier = \"https://api.example.org/fhir\" }]\n";
const COLLECTOR: &str = "[telemetry]\notlp_endpoint = \"http://127.0.0.1:4318/\"\n";

fn load_with(text: &str, environment: &[(&str, &str)]) -> Result<Option<TelemetryConfig>, ConfigFaults> {
    let text = format!("{LEAST}{text}");
    let environment = environment
        .iter()
        .map(|(name, value)| (String::from(*name), String::from(*value)));
    let config = Config::from_sources(Some((Path::new("/etc/wardgate.toml"), &text)), environment)?;
    Ok(config.telemetry)
}

fn load(text: &str) -> Result<Option<TelemetryConfig>, ConfigFaults> {
    load_with(text, &[])
}

#[track_caller]
fn fault(text: &str, environment: &[(&str, &str)], said: &str) {
    let faults = load_with(text, environment).unwrap_err().to_string();
    assert!(faults.contains(said), "{said} in {faults}");
}

fn headers(config: &TelemetryConfig) -> Vec<(&str, &str)> {
    let pairs = config.headers.iter();
    pairs
        .map(|(name, value)| (name.as_str(), value.expose().as_str()))
        .collect()
}

#[test]
fn nothing_is_sent_until_a_collector_is_named() {
    assert!(load("").unwrap().is_none());
    let config = load(COLLECTOR).unwrap().unwrap();
    assert_eq!(config.traces_url, "http://127.0.0.1:4318/v1/traces");
    let all = Sampling {
        ratio: 1.0,
        follows_caller: true,
    };
    assert_eq!(config.sampling, all);
    assert!(config.headers.is_empty() && config.resource_attributes.is_empty());
    assert!(load(&format!("{COLLECTOR}enabled = false\n")).unwrap().is_none());
    for key in ["authorization = \"Bearer x\"", "headers = \"a=b\""] {
        fault(&format!("[telemetry]\n{key}\n"), &[], "has no meaning without");
    }
}

#[test]
fn an_address_for_traces_is_taken_as_it_stands() {
    let config = load(&format!(
        "{COLLECTOR}traces_url = \"https://tempo.example/otlp\"\n"
    ));
    assert_eq!(config.unwrap().unwrap().traces_url, "https://tempo.example/otlp");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for bad in [
        "sample_ratio = 1.1",
        "sample_ratio = -0.1",
        "sample_ratio = \"all\"",
        "service_name = \"\"",
        "sampler = \"jaeger_remote\"",
        "protocol = \"grpc\"",
        "headers = \"api-key\"",
        "headers = \"api key=x\"",
        "headers = \"api-key=%0A\"",
        "headers = \"api-key=%4\"",
        "resource_attributes = \"=x\"",
        "authorization = \"a\\nb\"",
    ] {
        let key = format!("telemetry.{}", bad.split(' ').next().unwrap());
        fault(&format!("{COLLECTOR}{bad}\n"), &[], &key);
    }
    for bad in ["ftp://x", "collector:4318", "https://x/?y", "https://u@x"] {
        for key in ["otlp_endpoint", "traces_url"] {
            fault(
                &format!("[telemetry]\n{key} = \"{bad}\"\n"),
                &[],
                &format!("telemetry.{key}"),
            );
        }
    }
}

#[test]
fn a_fault_in_a_header_does_not_show_the_header() {
    let faults = load(&format!("{COLLECTOR}headers = \"api key=hush\"\n")).unwrap_err();
    assert!(!faults.to_string().contains("hush"), "{faults}");
}

#[test]
fn each_sampler_is_what_it_is_called() {
    let cases = [
        ("always_on", 1.0, false),
        ("always_off", 0.0, false),
        ("traceidratio", 0.25, false),
        ("parentbased_always_on", 1.0, true),
        ("parentbased_always_off", 0.0, true),
        ("parentbased_traceidratio", 0.25, true),
    ];
    for (name, ratio, follows_caller) in cases {
        let text = format!("{COLLECTOR}sample_ratio = 0.25\nsampler = \"{name}\"\n");
        let expected = Sampling {
            ratio,
            follows_caller,
        };
        assert_eq!(load(&text).unwrap().unwrap().sampling, expected, "{name}");
    }
}

#[test]
fn the_variables_of_open_telemetry_count_where_nothing_else_is_said() {
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%2Cb, x-scope=clinic"),
        ("OTEL_SERVICE_NAME", "from-environment"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment.name=production",
        ),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", ""),
    ];
    let config = load_with("", &environment).unwrap().unwrap();
    assert_eq!(config.traces_url, "http://127.0.0.1:4318/v1/traces");
    assert_eq!(headers(&config), [("api-key", "a,b"), ("x-scope", "clinic")]);
    assert_eq!(config.service_name, "from-environment");
    let attributes = [("deployment.environment.name".to_owned(), "production".to_owned())];
    assert_eq!(config.resource_attributes, attributes);
    assert!((config.sampling.ratio - 0.25).abs() < 1e-9);

    let in_attributes = [(
        "OTEL_RESOURCE_ATTRIBUTES",
        "service.name=here,service.namespace=clinic",
    )];
    let config = load_with(COLLECTOR, &in_attributes).unwrap().unwrap();
    assert_eq!(config.service_name, "here");
    assert_eq!(config.resource_attributes.len(), 1);
    let both = [in_attributes[0], ("OTEL_SERVICE_NAME", "own")];
    assert_eq!(load_with(COLLECTOR, &both).unwrap().unwrap().service_name, "own");

    let named = load_with("[telemetry]\nservice_name = \"from-file\"\n", &environment);
    assert_eq!(named.unwrap().unwrap().service_name, "from-file");
    // What is said of traces counts before what is said of everything.
    let of_traces = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4319/here"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "api-key=own"),
    ];
    let config = load_with("", &[&of_traces[..], &environment].concat())
        .unwrap()
        .unwrap();
    assert_eq!(config.traces_url, "http://127.0.0.1:4319/here");
    assert_eq!(headers(&config), [("api-key", "own")]);
}

#[test]
fn variables_that_want_no_telemetry_get_none() {
    let collector = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
    for off in [("OTEL_SDK_DISABLED", "True"), ("OTEL_TRACES_EXPORTER", "none")] {
        assert!(load_with("", &[collector, off]).unwrap().is_none(), "{off:?}");
        assert!(load_with(COLLECTOR, &[off]).unwrap().is_none(), "{off:?}");
    }
    let on = [
        collector,
        ("OTEL_SDK_DISABLED", "no"),
        ("OTEL_TRACES_EXPORTER", "otlp"),
    ];
    assert!(load_with("", &on).unwrap().is_some());
}

#[test]
fn a_variable_that_cannot_be_meant_is_named() {
    let collector = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
    for bad in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_TRACES_SAMPLER", "xray"),
        ("OTEL_TRACES_SAMPLER_ARG", "often"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "none"),
    ] {
        fault("", &[collector, bad], "OTEL_");
    }
}

fn encoded(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}

proptest! {
    #[test]
    fn no_list_of_pairs_is_too_strange(text in ".*") {
        let _ = pairs(&text);
    }

    #[test]
    fn a_pair_is_read_back_as_it_was_written(name in "[a-z.-]{1,12}", value in "[ -~é]{0,20}") {
        let encoded = encoded(&value);
        prop_assert_eq!(pairs(&format!("{name}={encoded}")), Some(vec![(name, value)]));
    }

    #[test]
    fn a_list_is_read_back_as_it_was_written(
        list in prop::collection::vec((".{1,8}", ".{0,8}"), 0..6),
        space in "[ \t]{0,2}",
    ) {
        let text: Vec<String> = list
            .iter()
            .map(|(name, value)| format!("{space}{}{space}={space}{}{space}", encoded(name), encoded(value)))
            .collect();
        prop_assert_eq!(pairs(&text.join(",")), Some(list));
    }
}
