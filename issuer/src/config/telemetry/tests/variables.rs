//! Variables of OpenTelemetry beside what we are told ourselves, and files that they and the section name.

use std::path::PathBuf;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::{COLLECTOR, fault, headers, load, load_with};

const BY_VARIABLE: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");

/// Files in a folder of their own: `ca.pem`, `key.pem` that belongs to it, `other.pem` that does not, `bad.pem`.
fn files() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["issuer.test".into()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("ca.pem", &certificate.pem());
    write("key.pem", &key.serialize_pem());
    write("other.pem", &KeyPair::generate().unwrap().serialize_pem());
    write("damaged.pem", &certificate.pem().replacen('M', "?", 3));
    write("bad.pem", "none");
    write("headers", "api-key=of-file\n");
    folder
}

fn path(folder: &TempDir, name: &str) -> String {
    let path: PathBuf = folder.path().join(name);
    path.to_str().unwrap().into()
}

#[test]
fn what_we_are_told_ourselves_counts_before_a_variable_that_says_the_same_otherwise() {
    let folder = files();
    let environment = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4319/here"),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "Authorization=Bearer%20theirs,api-key=theirs",
        ),
    ];
    let text = format!("{COLLECTOR}headers_file = \"{}\"\n", path(&folder, "headers"));
    let config = load_with(&text, &environment).unwrap().unwrap();
    assert_eq!(config.traces_url, "http://127.0.0.1:4318/v1/traces");
    assert_eq!(headers(&config), [("api-key", "of-file")]);

    let text = format!("{COLLECTOR}authorization = \"Bearer ours\"\n");
    let config = load_with(&text, &environment).unwrap().unwrap();
    assert_eq!(
        headers(&config),
        [("api-key", "theirs"), ("authorization", "Bearer ours")]
    );

    // Among variables the more exact one counts.
    let both = [environment[0], BY_VARIABLE];
    let config = load_with("", &both).unwrap().unwrap();
    assert_eq!(config.traces_url, "http://127.0.0.1:4319/here");
    let both = format!(
        "{COLLECTOR}headers = \"a=b\"\nheaders_file = \"{}\"\n",
        path(&folder, "headers")
    );
    fault(&both, &[], "must not be set together with");
}

#[test]
fn variables_that_want_no_telemetry_cannot_be_wrong_otherwise() {
    for off in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_TRACES_EXPORTER", "console, zipkin"),
    ] {
        let environment = [BY_VARIABLE, off, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")];
        assert!(load_with("", &environment).unwrap().is_none(), "{off:?}");
    }
    let among_others = [BY_VARIABLE, ("OTEL_TRACES_EXPORTER", "console, otlp")];
    assert!(load_with("", &among_others).unwrap().is_some());
    // Headers for whoever sends something.
    let headers = [("OTEL_EXPORTER_OTLP_HEADERS", "api-key=x")];
    assert!(load_with("", &headers).unwrap().is_none());
}

#[test]
fn the_collector_is_given_as_long_as_the_variable_says() {
    let config = load(COLLECTOR).unwrap().unwrap();
    assert_eq!(config.timeout, Duration::from_secs(5));
    let of_all = ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500");
    let of_traces = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "1500");
    let config = load_with("", &[BY_VARIABLE, of_all]).unwrap().unwrap();
    assert_eq!(config.timeout, Duration::from_millis(2500));
    let config = load_with("", &[BY_VARIABLE, of_all, of_traces]).unwrap().unwrap();
    assert_eq!(config.timeout, Duration::from_millis(1500));
    for bad in ["0", "-1", "60001", "10s", "2.5"] {
        let variable = ("OTEL_EXPORTER_OTLP_TIMEOUT", bad);
        fault("", &[BY_VARIABLE, variable], "telemetry.timeout_milliseconds");
    }
}

#[test]
fn certificates_come_from_the_files_that_are_named() {
    let folder = files();
    let [ca, key] = ["ca.pem", "key.pem"].map(|name| path(&folder, name));
    let environment = [
        BY_VARIABLE,
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", &ca),
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", &ca),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", &key),
    ];
    let text =
        format!("{COLLECTOR}ca_file = \"{ca}\"\nclient_certificate = \"{ca}\"\nclient_key = \"{key}\"\n");
    for config in [load_with("", &environment), load(&text)] {
        let tls = config.unwrap().unwrap().tls;
        assert_eq!(tls.authorities.len(), 1);
        let identity = tls.identity.unwrap();
        assert!(identity.expose().contains("BEGIN CERTIFICATE"));
        assert!(identity.expose().contains("BEGIN PRIVATE KEY"));
    }
}

#[test]
fn a_file_that_does_not_hold_what_it_should_is_refused() {
    let folder = files();
    let path = |name: &str| path(&folder, name);
    for (name, problem) in [
        ("missing.pem", "cannot be read: entity not found"),
        ("bad.pem", "must hold certificates in PEM form"),
        ("damaged.pem", "must hold certificates in PEM form"),
        ("key.pem", "must hold certificates in PEM form"),
    ] {
        let said = format!("telemetry.ca_file (in the environment's OTEL_ variables) {problem}");
        let variable = ("OTEL_EXPORTER_OTLP_CERTIFICATE", &*path(name));
        fault("", &[BY_VARIABLE, variable], &said);
    }
    for (certificate, key, problem) in [
        (
            "bad.pem",
            "key.pem",
            "client_certificate (in /etc/wardgate.toml) must hold a certificate",
        ),
        (
            "ca.pem",
            "bad.pem",
            "client_key (in /etc/wardgate.toml) must hold a private key",
        ),
        (
            "ca.pem",
            "other.pem",
            "client_key (in /etc/wardgate.toml) must be the key of",
        ),
    ] {
        let (certificate, key) = (path(certificate), path(key));
        let text = format!("{COLLECTOR}client_certificate = \"{certificate}\"\nclient_key = \"{key}\"\n");
        fault(&text, &[], problem);
    }
    for (given, missing) in [
        ("client_certificate", "telemetry.client_key"),
        ("client_key", "telemetry.client_certificate"),
    ] {
        let text = format!("{COLLECTOR}{given} = \"x.pem\"\n");
        fault(
            &text,
            &[],
            &format!("{missing} must be set together with telemetry.{given}"),
        );
    }
}
