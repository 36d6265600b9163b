//! Section `telemetry`: where traces are sent, and which. The variables that OpenTelemetry gives every program stand for keys of the
//! section that are not set otherwise (OpenTelemetry Environment Variable Specification).

mod tls;

use std::time::Duration;

use figment::value::{Dict, Value};
use http::{HeaderName, HeaderValue};
use wardgate_shared::secret::Secret;

use super::messages::Secrets;
use super::reader::Reader;

pub use tls::CollectorTls;

/// Where traces go.
#[derive(Clone, Debug)]
pub struct TelemetryConfig {
    /// Where they are sent by OTLP over HTTP.
    pub traces_url: String,
    /// What the collector asks for: names of headers, and their values.
    pub headers: Vec<(HeaderName, Secret<String>)>,
    /// Which traces are sent.
    pub sampling: Sampling,
    /// The name that the collector knows this service by.
    pub service_name: String,
    /// What else it is told of this service: names and values.
    pub resource_attributes: Vec<(String, String)>,
    /// How long the collector may take for an answer.
    pub timeout: Duration,
    /// How it and the issuer know each other.
    pub tls: CollectorTls,
}

/// Which traces are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Of those that begin here, which part: 0 to 1.
    pub ratio: f64,
    /// Whether a trace that a trusted proxy has begun is sent when, and only when, the proxy says so. Else it counts as begun here.
    pub follows_caller: bool,
}

const AUTHORIZATION: Secrets = Secrets {
    value: "telemetry.authorization",
    file: "telemetry.authorization_file",
};
const HEADERS: Secrets = Secrets {
    value: "telemetry.headers",
    file: "telemetry.headers_file",
};

/// The name where none is given.
const USUAL_NAME: &str = "wardgate-issuer";

/// The variables of OpenTelemetry and the keys that they stand for; of two for one key, the first that is there counts.
const VARIABLES: [(&str, &str); 18] = [
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "traces_url"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "otlp_endpoint"),
    ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "headers"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "headers"),
    ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "protocol"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "protocol"),
    ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "timeout_milliseconds"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "timeout_milliseconds"),
    ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "ca_file"),
    ("OTEL_EXPORTER_OTLP_CERTIFICATE", "ca_file"),
    (
        "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
        "client_certificate",
    ),
    ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "client_certificate"),
    ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "client_key"),
    ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "client_key"),
    ("OTEL_SERVICE_NAME", "service_name"),
    ("OTEL_RESOURCE_ATTRIBUTES", "resource_attributes"),
    ("OTEL_TRACES_SAMPLER", "sampler"),
    ("OTEL_TRACES_SAMPLER_ARG", "sample_ratio"),
];

/// The variables as keys of the section; empty ones count as absent, as their specification says. Where they say that there is to be
/// no telemetry, nothing else that they say counts, so that nothing else can be wrong.
pub(super) fn variables(environment: &[(String, String)]) -> Dict {
    let given = |name: &str| {
        let found = environment
            .iter()
            .find(|(own, text)| own == name && !text.is_empty());
        found.map(|(_, text)| text.as_str())
    };
    let is_disabled = given("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    // A list; what others than OTLP are called is nothing to us.
    let is_otlp = |list: &str| list.split(',').any(|exporter| exporter.trim() == "otlp");
    let has_other_exporter = given("OTEL_TRACES_EXPORTER").is_some_and(|list| !is_otlp(list));
    let mut members = Dict::new();
    let is_off = is_disabled || has_other_exporter;
    if is_off {
        members.insert("enabled".into(), Value::from(false));
    }
    for (name, key) in VARIABLES.into_iter().filter(|_| !is_off) {
        if let Some(text) = given(name)
            && !members.contains_key(key)
        {
            let number = match key {
                "sample_ratio" => text.parse::<f64>().map(Value::from).ok(),
                "timeout_milliseconds" => text.parse::<i64>().map(Value::from).ok(),
                _ => None,
            };
            members.insert(key.into(), number.unwrap_or_else(|| text.into()));
        }
    }
    if members.is_empty() {
        return Dict::new();
    }
    Dict::from([(String::from("telemetry"), Value::from(members))])
}

/// Section `telemetry`; none without a collector. Nothing is lost by `None` after a fault: there is no configuration then.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<TelemetryConfig> {
    let is_enabled = reader.flag("telemetry.enabled");
    let protocol = reader.parsed("telemetry.protocol", |text| match text {
        "http/json" | "http/protobuf" => Ok(()),
        _ => Err("must be http/json, or http/protobuf where the collector takes both at one address: gRPC is not spoken"),
    });
    let sampling = sampling(reader);
    let service_name = reader.text("telemetry.service_name");
    let mut resource_attributes = pairs_of(reader, "telemetry.resource_attributes");
    let traces_url = traces_url(reader);
    let headers = headers(reader);
    let timeout = reader.number("telemetry.timeout_milliseconds", 1..=60_000, "milliseconds");
    let tls = tls::read(reader);
    if reader.optional("telemetry.traces_url").is_none()
        && reader.optional("telemetry.otlp_endpoint").is_none()
    {
        for secrets in [AUTHORIZATION, HEADERS] {
            if secrets.is_given(reader) && !reader.is_of_open_telemetry(secrets.value) {
                reader.fault(secrets.value, "has no meaning without telemetry.otlp_endpoint");
            }
        }
        return None;
    }
    // A name of the service's own counts before one among the attributes, and that before the usual one.
    let mut service_name = service_name?;
    let attributes = resource_attributes.as_mut()?;
    for (_, value) in attributes.extract_if(.., |(name, _)| name == "service.name") {
        if service_name == USUAL_NAME {
            service_name = value;
        }
    }
    let config = TelemetryConfig {
        traces_url: traces_url?,
        headers: headers?,
        sampling: sampling?,
        service_name,
        resource_attributes: resource_attributes?,
        timeout: Duration::from_millis(timeout?.try_into().ok()?),
        tls: tls?,
    };
    protocol?;
    is_enabled?.then_some(config)
}

/// The address as it stands, or `/v1/traces` below that of the collector. What OpenTelemetry's variable says of the first stands back
/// behind what we are told of the second.
fn traces_url(reader: &mut Reader<'_>) -> Option<String> {
    let endpoint = reader.optional("telemetry.otlp_endpoint").is_some();
    let is_told = endpoint && !reader.is_of_open_telemetry("telemetry.otlp_endpoint");
    let endpoint = endpoint.then(|| url(reader, "telemetry.otlp_endpoint"));
    let stands_back = is_told && reader.is_of_open_telemetry("telemetry.traces_url");
    if reader.optional("telemetry.traces_url").is_some() && !stands_back {
        return url(reader, "telemetry.traces_url");
    }
    endpoint?.map(|url| format!("{}/v1/traces", url.trim_end_matches('/')))
}

fn url(reader: &mut Reader<'_>, key: &str) -> Option<String> {
    reader.parsed(key, |text| {
        let is_web = text.starts_with("https://") || text.starts_with("http://");
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains(['?', '#', '@']);
        if is_web && is_plain {
            Ok(String::from(text))
        } else {
            Err("must be an http or https URL without query and fragment, such as http://127.0.0.1:4318")
        }
    })
}

fn headers(reader: &mut Reader<'_>) -> Option<Vec<(HeaderName, Secret<String>)>> {
    let mut headers = Vec::new();
    if HEADERS.is_given(reader) {
        let text = HEADERS.read(reader)?;
        let Some(pairs) = pairs(text.expose()) else {
            reader.fault(HEADERS.value, PAIRS);
            return None;
        };
        for (name, value) in pairs {
            let (Ok(name), Ok(_)) = (HeaderName::try_from(&name), HeaderValue::try_from(&value)) else {
                // Neither is shown: it may be a secret at the wrong place.
                reader.fault(HEADERS.value, "must hold names and values that a header can have");
                return None;
            };
            headers.push((name, Secret::new(value)));
        }
    }
    if AUTHORIZATION.is_given(reader) {
        let value = AUTHORIZATION.read(reader)?;
        if HeaderValue::try_from(value.expose()).is_err() {
            reader.fault(AUTHORIZATION.value, "must be a value that a header can have");
            return None;
        }
        headers.retain(|(name, _)| name != http::header::AUTHORIZATION);
        headers.push((http::header::AUTHORIZATION, value));
    }
    Some(headers)
}

fn sampling(reader: &mut Reader<'_>) -> Option<Sampling> {
    let ratio = ratio(reader, "telemetry.sample_ratio");
    let named = reader.parsed("telemetry.sampler", |text| {
        let (follows_caller, own) = match text.strip_prefix("parentbased_") {
            Some(own) => (true, own),
            None => (false, text),
        };
        match own {
            "always_on" => Ok((follows_caller, Some(1.0))),
            "always_off" => Ok((follows_caller, Some(0.0))),
            "traceidratio" => Ok((follows_caller, None)),
            _ => Err("must be always_on, always_off or traceidratio, or one of them behind parentbased_"),
        }
    });
    let ((follows_caller, own), ratio) = (named?, ratio?);
    Some(Sampling {
        ratio: own.unwrap_or(ratio),
        follows_caller,
    })
}

fn ratio(reader: &mut Reader<'_>, key: &str) -> Option<f64> {
    let value = match reader.optional(key) {
        Some(Value::Num(_, number)) => number
            .to_f64()
            .or_else(|| {
                number
                    .to_i128()
                    .and_then(|whole| i32::try_from(whole).ok())
                    .map(f64::from)
            })
            .or_else(|| {
                number
                    .to_u128()
                    .and_then(|whole| u32::try_from(whole).ok())
                    .map(f64::from)
            }),
        _ => None,
    };
    let lawful = value.filter(|ratio| (0.0..=1.0).contains(ratio));
    if lawful.is_none() {
        reader.fault(key, "must be a number from 0 to 1");
    }
    lawful
}

const PAIRS: &str = "must be pairs, such as name=value,other=value, with %2C for a comma in a value";

fn pairs_of(reader: &mut Reader<'_>, key: &str) -> Option<Vec<(String, String)>> {
    if reader.optional(key).is_none() {
        return Some(Vec::new());
    }
    reader.parsed(key, |text| pairs(text).ok_or(PAIRS))
}

/// `name=value` pairs behind commas, both percent-encoded, as OpenTelemetry writes lists of them (after W3C Baggage). `None` for
/// anything else.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    text.split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let (name, value) = (percent_decoded(name.trim())?, percent_decoded(value.trim())?);
            (!name.is_empty()).then_some((name, value))
        })
        .collect()
}

/// The text with every `%` and two digits replaced by the byte that they stand for.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests;
