//! The keys of the sections `metrics`, `health` and `telemetry`: how the issuer is watched.

use super::{ConfigOption, option};

pub(super) const OPTIONS: &[ConfigOption] = &[
    option(
        "metrics.listen",
        None,
        "IP address and port, such as 127.0.0.1:9464; empty for none",
        "Where `/metrics` is served for Prometheus, and `/health/ready` with each check's outcome. Never the address that the world reaches.",
    ),
    option(
        "metrics.token",
        None,
        "text",
        "What whoever asks there has to bring as a bearer token. Must be set, this or `metrics.token_file`, unless `metrics.listen` is a \
         loopback address.",
    ),
    option(
        "metrics.token_file",
        None,
        "path of a file; relative to the configuration file's folder",
        "A file with that token.",
    ),
    option(
        "health.minimum_free_bytes",
        Some("67108864"),
        "bytes",
        "What has to be free on the disk of the database so that `/health/ready` says 200.",
    ),
    option(
        "telemetry.otlp_endpoint",
        None,
        "http or https URL, such as http://127.0.0.1:4318",
        "A collector that takes OpenTelemetry traces by OTLP over HTTP; they are sent to `/v1/traces` below it. Without it nothing is traced. \
         `OTEL_EXPORTER_OTLP_ENDPOINT` is honoured where this key is not set.",
    ),
    option(
        "telemetry.traces_url",
        None,
        "http or https URL",
        "Where traces are sent, as it stands, in place of `otlp_endpoint`. `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is honoured where this key is \
         not set.",
    ),
    option(
        "telemetry.enabled",
        Some("true"),
        "true or false",
        "False sends nothing, whatever else is set. So do `OTEL_SDK_DISABLED=true`, and `OTEL_TRACES_EXPORTER` without `otlp` in it, where \
         this key is not set.",
    ),
    option(
        "telemetry.protocol",
        Some("\"http/json\""),
        "http/json or http/protobuf",
        "JSON is sent in any case; with http/protobuf to a collector that takes both at one address, as most do. \
         `OTEL_EXPORTER_OTLP_PROTOCOL` is honoured where this key is not set.",
    ),
    option(
        "telemetry.headers",
        None,
        "name=value,name=value with values percent-encoded",
        "Headers that the collector asks for. `OTEL_EXPORTER_OTLP_HEADERS` is honoured where this key is not set.",
    ),
    option(
        "telemetry.headers_file",
        None,
        "path of a file; relative to the configuration file's folder",
        "A file with these headers.",
    ),
    option(
        "telemetry.resource_attributes",
        None,
        "name=value,name=value with values percent-encoded",
        "What else the collector is told of this service. `OTEL_RESOURCE_ATTRIBUTES` is honoured where this key is not set.",
    ),
    option(
        "telemetry.sampler",
        Some("\"parentbased_traceidratio\""),
        "always_on, always_off or traceidratio, alone or behind parentbased_",
        "How traces are chosen: all, none, or the part `sample_ratio`. With parentbased_ a trace that a trusted proxy has begun is sent when the \
         proxy says so. `OTEL_TRACES_SAMPLER` is honoured where this key is not set.",
    ),
    option(
        "telemetry.timeout_milliseconds",
        Some("5000"),
        "milliseconds, 1 to 60000",
        "How long the collector may take; then what was sent to it is given up. `OTEL_EXPORTER_OTLP_TIMEOUT` is honoured where this key is not \
         set.",
    ),
    option(
        "telemetry.ca_file",
        None,
        "path of a PEM file; relative to the configuration file's folder",
        "The certificate authorities that are trusted for the collector, in place of the machine's. `OTEL_EXPORTER_OTLP_CERTIFICATE` is \
         honoured where this key is not set.",
    ),
    option(
        "telemetry.client_certificate",
        None,
        "path of a PEM file; relative to the configuration file's folder",
        "The certificate that is shown to a collector that asks for one, then those between it and its authority. \
         `OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE` is honoured where this key is not set.",
    ),
    option(
        "telemetry.client_key",
        None,
        "path of a PEM file; relative to the configuration file's folder",
        "That certificate's private key. `OTEL_EXPORTER_OTLP_CLIENT_KEY` is honoured where this key is not set.",
    ),
    option(
        "telemetry.authorization",
        None,
        "text, such as Bearer and a token",
        "The header `Authorization` that the collector asks for.",
    ),
    option(
        "telemetry.authorization_file",
        None,
        "path of a file; relative to the configuration file's folder",
        "A file with that header's value.",
    ),
    option(
        "telemetry.sample_ratio",
        Some("1.0"),
        "number from 0 to 1",
        "Which part of the traces is sent by a sampler that sends a part. \
         `OTEL_TRACES_SAMPLER_ARG` is honoured where this key is not set.",
    ),
    option(
        "telemetry.service_name",
        Some("\"wardgate-issuer\""),
        "text",
        "The name that the collector knows this service by. `OTEL_SERVICE_NAME` is honoured where this key is not set.",
    ),
];
