//! Sections `metrics` and `health`: how the issuer is watched.

use std::net::SocketAddr;

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

const TOKEN: Secrets = Secrets {
    value: "metrics.token",
    file: "metrics.token_file",
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
