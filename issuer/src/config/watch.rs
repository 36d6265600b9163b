//! Sections `metrics`, `health` and `telemetry`: how the issuer is watched.

use std::net::SocketAddr;

use figment::value::Value;
use wardgate_shared::secret::Secret;

use super::messages::Secrets;
use super::reader::Reader;

/// The listener for metrics and checks.
#[derive(Clone, Debug)]
pub struct MetricsConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// What whoever asks has to bring, if anything.
    pub token: Option<Secret<String>>,
}

/// What readiness asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthConfig {
    /// What has to be free on the disk of the database, in bytes.
    pub minimum_free_bytes: u64,
}

/// Where traces go.
#[derive(Clone, Debug)]
pub struct TelemetryConfig {
    /// The collector's base URL for OTLP over HTTP, without a slash at the end.
    pub otlp_endpoint: String,
    /// A header that the collector asks for: its name and value.
    pub authorization: Option<Secret<String>>,
    /// Which part of the traces that begin here is sent, 0 to 1.
    pub sample_ratio: f64,
    /// The name that the collector knows this service by.
    pub service_name: String,
}

const TOKEN: Secrets = Secrets {
    value: "metrics.token",
    file: "metrics.token_file",
};
const AUTHORIZATION: Secrets = Secrets {
    value: "telemetry.authorization",
    file: "telemetry.authorization_file",
};

/// Section `metrics`; none without an address. Nothing is lost by `None` after a fault: there is no configuration then.
pub(super) fn metrics(reader: &mut Reader<'_>) -> Option<MetricsConfig> {
    let has_token = TOKEN.is_given(reader);
    if reader.optional("metrics.listen").is_none() {
        if has_token {
            reader.fault("metrics.token", "has no meaning without metrics.listen");
        }
        return None;
    }
    let listen: Option<SocketAddr> = reader.parsed("metrics.listen", |text| {
        text.parse()
            .map_err(|_| "must be an IP address and a port, such as 127.0.0.1:9464")
    });
    let token = if has_token {
        Some(TOKEN.read(reader)?)
    } else {
        None
    };
    let listen = listen?;
    if token.is_none() && !listen.ip().is_loopback() {
        reader.fault(
            "metrics.token",
            "must be set, or metrics.token_file, since metrics.listen is reached from other machines",
        );
    }
    Some(MetricsConfig { listen, token })
}

pub(super) fn health(reader: &mut Reader<'_>) -> Option<HealthConfig> {
    let minimum_free_bytes = reader.number("health.minimum_free_bytes", 0..=i64::MAX, "bytes");
    Some(HealthConfig {
        minimum_free_bytes: minimum_free_bytes?.try_into().ok()?,
    })
}

/// Section `telemetry`; none without a collector.
pub(super) fn telemetry(reader: &mut Reader<'_>) -> Option<TelemetryConfig> {
    let sample_ratio = ratio(reader, "telemetry.sample_ratio");
    let service_name = reader.text("telemetry.service_name");
    let has_authorization = AUTHORIZATION.is_given(reader);
    if reader.optional("telemetry.otlp_endpoint").is_none() {
        if has_authorization {
            reader.fault(
                "telemetry.authorization",
                "has no meaning without telemetry.otlp_endpoint",
            );
        }
        return None;
    }
    let otlp_endpoint = reader.parsed("telemetry.otlp_endpoint", |text| {
        let is_web = text.starts_with("https://") || text.starts_with("http://");
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains(['?', '#', '@']);
        if is_web && is_plain {
            Ok(String::from(text.trim_end_matches('/')))
        } else {
            Err("must be an http or https URL without query and fragment, such as http://127.0.0.1:4318")
        }
    });
    let authorization = if has_authorization {
        Some(AUTHORIZATION.read(reader)?)
    } else {
        None
    };
    Some(TelemetryConfig {
        otlp_endpoint: otlp_endpoint?,
        authorization,
        sample_ratio: sample_ratio?,
        service_name: service_name?,
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
