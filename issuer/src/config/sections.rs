//! The sections of the configuration, each read whole: every key is looked at, whatever is wrong with the others.

use std::net::SocketAddr;

use base64ct::{Base64UrlUnpadded, Encoding};
use figment::value::Value;
use wardgate_shared::error_uri::{MUST_BE, is_error_uri_base};
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::secret::Secret;
use zeroize::Zeroizing;

use crate::domain::client::SecurityProfile;

use super::messages;
use super::network::IpNetwork;
use super::public_url::PublicUrl;
use super::reader::Reader;
use super::trusted_issuers;
use super::{
    Config, DatabaseConfig, DocumentationConfig, DpopConfig, DpopNonces, KeysConfig, LimitsConfig, LogFormat,
    LoggingConfig, MasterKeySource, OutboundConfig, PasswordsConfig, ProxyHeaders, Resource, SecurityConfig,
    ServerConfig, SessionsConfig, TokensConfig,
};

/// Reads every section before it looks at any outcome, so that all faults are found.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Config> {
    let server = server(reader);
    let database = database(reader);
    let keys = keys(reader);
    let security = security(reader);
    let tokens = tokens(reader);
    let dpop = dpop(reader);
    let sessions = sessions(reader);
    let resources = resources(reader);
    let documentation = documentation(reader, server.as_ref());
    let passwords = passwords(reader);
    let outbound = outbound(reader);
    let trusted_issuers = trusted_issuers::read(reader, outbound.as_ref());
    let registration = super::registration::read(reader);
    let api_keys = super::api_keys::read(reader);
    let audit = super::audit::read(reader);
    let backup = super::backup::read(reader);
    let console = super::console::read(reader);
    let connections = super::connections::read(reader);
    let tls = super::tls::read(reader, server.as_ref());
    let second_factor = super::second_factor::read(reader);
    let limits = limits(reader);
    let logging = logging(reader);
    let mail = messages::mail(reader);
    let sms = messages::sms(reader, outbound.as_ref());
    let links = messages::links(reader);
    let metrics = super::watch::metrics(reader);
    let health = super::watch::health(reader);
    let telemetry = super::telemetry::read(reader);
    let development = messages::development(reader, server.as_ref());
    Some(Config {
        server: server?,
        database: database?,
        keys: keys?,
        security: security?,
        tokens: tokens?,
        dpop: dpop?,
        sessions: sessions?,
        resources: resources?,
        trusted_issuers: trusted_issuers?,
        documentation: documentation?,
        passwords: passwords?,
        outbound: outbound?,
        registration: registration?,
        api_keys: api_keys?,
        audit: audit?,
        backup: backup?,
        console: console?,
        connections: connections?,
        tls: tls?,
        second_factor: second_factor?,
        limits: limits?,
        logging: logging?,
        mail,
        sms,
        links: links?,
        metrics,
        health: health?,
        telemetry,
        development: development?,
    })
}

fn server(reader: &mut Reader<'_>) -> Option<ServerConfig> {
    let listen = reader.parsed("server.listen", |text| {
        text.parse()
            .map_err(|_| "must be an IP address and a port, such as 127.0.0.1:8788")
    });
    let public_url = reader.parsed("server.public_url", PublicUrl::parse);
    let trusted_proxies = reader.list("server.trusted_proxies", IpNetwork::parse);
    let proxy_headers = reader.parsed("server.proxy_headers", |name| match name {
        "x-forwarded" => Ok(ProxyHeaders::XForwarded),
        "forwarded" => Ok(ProxyHeaders::Forwarded),
        _ => Err("must be x-forwarded or forwarded"),
    });
    let drain_seconds = reader.number("server.drain_seconds", 0..=3600, "seconds");
    let shutdown_seconds = reader.number("server.shutdown_seconds", 0..=3600, "seconds");
    if let (Some(listen), Some(public_url)) = (&listen, &public_url) {
        refuse_unnamed_proxy(reader, *listen, public_url);
    }
    Some(ServerConfig {
        listen: listen?,
        public_url: public_url?,
        trusted_proxies: trusted_proxies?,
        proxy_headers: proxy_headers?,
        drain_seconds: drain_seconds?.try_into().ok()?,
        shutdown_seconds: shutdown_seconds?.try_into().ok()?,
    })
}

/// An issuer without a certificate speaks http, so behind an https `public_url` stands a proxy. Where nothing names it, every visitor
/// would have its address, in the audit trail and where sign-ins are slowed down.
fn refuse_unnamed_proxy(reader: &mut Reader<'_>, listen: SocketAddr, public_url: &PublicUrl) {
    const KEY: &str = "server.trusted_proxies";
    let reached_by_a_proxy = listen.ip().is_loopback() || listen.ip().is_unspecified();
    if public_url.is_https() && reached_by_a_proxy && !super::tls::is_given(reader) && !reader.is_given(KEY) {
        reader.fault(
            KEY,
            "must be set, since server.public_url is https and a TLS proxy stands before the issuer: to the proxy's \
             address, such as [\"127.0.0.1\"], or to [] if there is none",
        );
    }
}

fn database(reader: &mut Reader<'_>) -> Option<DatabaseConfig> {
    let path = reader.path("database.path");
    let readers = reader.number("database.readers", 1..=64, "connections");
    Some(DatabaseConfig {
        path: path?,
        readers: readers?.try_into().ok()?,
    })
}

fn keys(reader: &mut Reader<'_>) -> Option<KeysConfig> {
    let master_key = master_key(reader);
    let algorithm = reader.parsed("keys.algorithm", |name| {
        SignatureAlgorithm::from_name(name).ok_or("must be one of RS256, RS384, PS256, ES256, ES384, EdDSA")
    });
    let publish_lead_seconds = reader.number("keys.publish_lead_seconds", 300..=604_800, "seconds");
    let rotation_days = reader.number("keys.rotation_days", 0..=3650, "days");
    // A successor that must be published longer than its predecessor signs would never be the newest.
    if let (Some(lead), Some(days @ 1..)) = (publish_lead_seconds, rotation_days)
        && days.saturating_mul(86_400) <= lead
    {
        reader.fault(
            "keys.rotation_days",
            "must be longer than keys.publish_lead_seconds, or 0",
        );
    }
    Some(KeysConfig {
        master_key: master_key?,
        algorithm: algorithm?,
        publish_lead_seconds: publish_lead_seconds?,
        rotation_days: rotation_days?,
    })
}

fn master_key(reader: &mut Reader<'_>) -> Option<MasterKeySource> {
    match (
        reader.optional("keys.master_key").is_some(),
        reader.optional("keys.master_key_file").is_some(),
    ) {
        (true, true) => {
            reader.fault(
                "keys.master_key",
                "must not be set together with keys.master_key_file",
            );
            None
        }
        (true, false) => reader
            .parsed("keys.master_key", parse_master_key)
            .map(MasterKeySource::Value),
        (false, true) => reader.path("keys.master_key_file").map(MasterKeySource::File),
        (false, false) => {
            reader.fault(
                "keys.master_key_file",
                "must be set to the path of the master key (`wardgate init` makes the file), or keys.master_key to the \
                 key itself",
            );
            None
        }
    }
}

/// A master key from its text: 32 bytes in base64url, white space around them ignored.
pub(crate) fn parse_master_key(text: &str) -> Result<Secret<[u8; 32]>, &'static str> {
    let decoded = Base64UrlUnpadded::decode_vec(text.trim())
        .map(Zeroizing::new)
        .unwrap_or_default();
    let key = <[u8; 32]>::try_from(decoded.as_slice());
    key.map(Secret::new)
        .map_err(|_| "must be 32 bytes in base64url: 43 characters from A-Z a-z 0-9 - _")
}

fn security(reader: &mut Reader<'_>) -> Option<SecurityConfig> {
    let profile = reader.parsed("security.profile", |name| {
        SecurityProfile::from_name(name).ok_or("must be standard or fapi2")
    });
    Some(SecurityConfig { profile: profile? })
}

fn tokens(reader: &mut Reader<'_>) -> Option<TokensConfig> {
    let access_token_seconds = reader.number("tokens.access_token_seconds", 60..=3600, "seconds");
    let client_credentials_seconds = reader.number("tokens.client_credentials_seconds", 60..=3600, "seconds");
    let refresh_token_seconds = reader.number("tokens.refresh_token_seconds", 300..=31_536_000, "seconds");
    let id_token_seconds = reader.number("tokens.id_token_seconds", 60..=3600, "seconds");
    let status_list_seconds = reader.number("tokens.status_list_seconds", 2..=300, "seconds");
    Some(TokensConfig {
        access_token_seconds: access_token_seconds?,
        client_credentials_seconds: client_credentials_seconds?,
        refresh_token_seconds: refresh_token_seconds?,
        id_token_seconds: id_token_seconds?,
        status_list_seconds: status_list_seconds?.try_into().ok()?,
    })
}

fn dpop(reader: &mut Reader<'_>) -> Option<DpopConfig> {
    let nonce = reader.parsed("dpop.nonce", |name| match name {
        "off" => Ok(DpopNonces::Off),
        "required" => Ok(DpopNonces::Required),
        _ => Err("must be off or required"),
    });
    Some(DpopConfig { nonce: nonce? })
}

fn sessions(reader: &mut Reader<'_>) -> Option<SessionsConfig> {
    let idle_seconds = reader.number("sessions.idle_seconds", 60..=2_592_000, "seconds");
    let absolute_seconds = reader.number("sessions.absolute_seconds", 60..=2_592_000, "seconds");
    let sessions = SessionsConfig {
        idle_seconds: idle_seconds?,
        absolute_seconds: absolute_seconds?,
    };
    if sessions.absolute_seconds < sessions.idle_seconds {
        reader.fault(
            "sessions.absolute_seconds",
            "must not be less than sessions.idle_seconds",
        );
        return None;
    }
    Some(sessions)
}

fn resources(reader: &mut Reader<'_>) -> Option<Vec<Resource>> {
    const KEY: &str = "resources";
    let Some(value) = reader.optional(KEY) else {
        reader.fault(
            KEY,
            "must name at least one API: [[resources]] with identifier = \"https://…\"",
        );
        return None;
    };
    let Value::Array(_, tables) = value else {
        reader.fault(KEY, "must be a list of tables: [[resources]]");
        return None;
    };
    let resources: Vec<Resource> = tables
        .iter()
        .enumerate()
        .filter_map(|(position, table)| resource(reader, position, table))
        .collect();
    if tables.is_empty() {
        reader.fault(KEY, "must name at least one API");
    }
    let names: Vec<&String> = resources
        .iter()
        .flat_map(|resource| std::iter::once(&resource.identifier).chain(&resource.aliases))
        .collect();
    let repeated = names.iter().enumerate().any(|(position, name)| {
        names
            .iter()
            .skip(position.saturating_add(1))
            .any(|other| other == name)
    });
    if repeated {
        reader.fault(KEY, "must not use one name twice among identifiers and aliases");
    }
    Some(resources)
}

fn resource(reader: &mut Reader<'_>, position: usize, value: &Value) -> Option<Resource> {
    let key = format!("resources[{position}]");
    let Value::Dict(_, table) = value else {
        reader.fault(&key, "must be a table with the key identifier");
        return None;
    };
    reader.refuse_unknown_members(&key, table, &["identifier", "aliases", "fhir", "search_url"]);
    let is_name = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let identifier = table
        .get("identifier")
        .and_then(Value::as_str)
        .filter(|text| is_name(text));
    if identifier.is_none() {
        reader.fault(
            &format!("{key}.identifier"),
            "must be a text without spaces, usually the API's URL",
        );
    }
    let aliases = match table.get("aliases") {
        None => Some(Vec::new()),
        Some(list) => list.as_array().and_then(|aliases| {
            aliases
                .iter()
                .map(|alias| alias.as_str().filter(|text| is_name(text)).map(String::from))
                .collect()
        }),
    };
    if aliases.is_none() {
        reader.fault(
            &format!("{key}.aliases"),
            "must be a list of texts without spaces",
        );
    }
    let fhir = match table.get("fhir") {
        None => Some(true),
        Some(flag) => flag.to_bool(),
    };
    if fhir.is_none() {
        reader.fault(&format!("{key}.fhir"), "must be true or false");
    }
    let search_url = match table.get("search_url") {
        None => Some(None),
        Some(url) => {
            let url = url.as_str().filter(|text| is_http_url(text));
            url.map(|url| Some(String::from(url)))
        }
    };
    if search_url.is_none() {
        reader.fault(
            &format!("{key}.search_url"),
            "must be an https URL, or an http one on this machine, without query and fragment",
        );
    }
    Some(Resource {
        search_url: search_url?,
        identifier: identifier?.into(),
        aliases: aliases?,
        fhir: fhir?,
    })
}

/// Whether `text` is the URL of a FHIR base. Whether it may be reached is said by `[outbound]`.
fn is_http_url(text: &str) -> bool {
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    is_web && text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains(['?', '#'])
}

fn documentation(reader: &mut Reader<'_>, server: Option<&ServerConfig>) -> Option<DocumentationConfig> {
    const KEY: &str = "documentation.error_uri";
    let try_it = reader.flag("documentation.try_it");
    if reader.optional(KEY).is_none() {
        return Some(DocumentationConfig {
            error_uri: server?.public_url.join("/docs/errors"),
            try_it: try_it?,
        });
    }
    let error_uri = reader.parsed(KEY, |text| {
        if is_error_uri_base(text) {
            Ok(String::from(text))
        } else {
            Err(MUST_BE)
        }
    });
    Some(DocumentationConfig {
        error_uri: error_uri?,
        try_it: try_it?,
    })
}

fn passwords(reader: &mut Reader<'_>) -> Option<PasswordsConfig> {
    let memory_kib = reader.number("passwords.memory_kib", 8192..=4_194_304, "KiB");
    let iterations = reader.number("passwords.iterations", 1..=64, "passes");
    let parallelism = reader.number("passwords.parallelism", 1..=16, "lanes");
    let concurrency = reader.number("passwords.concurrency", 0..=256, "computations");
    let minimum_length = reader.number("passwords.minimum_length", 8..=128, "characters");
    let minimum_classes = reader.number("passwords.minimum_classes", 3..=4, "classes");
    let refused = messages::lines(reader, "passwords.refused_file");
    let concurrency = match concurrency? {
        0 => std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
        given => given.try_into().ok()?,
    };
    Some(PasswordsConfig {
        memory_kib: memory_kib?.try_into().ok()?,
        iterations: iterations?.try_into().ok()?,
        parallelism: parallelism?.try_into().ok()?,
        concurrency,
        minimum_length: minimum_length?.try_into().ok()?,
        minimum_classes: minimum_classes?.try_into().ok()?,
        refused: refused?,
    })
}

fn outbound(reader: &mut Reader<'_>) -> Option<OutboundConfig> {
    let allow_loopback_http = reader.flag("outbound.allow_loopback_http");
    let private_networks = reader.list("outbound.private_networks", IpNetwork::parse);
    Some(OutboundConfig {
        allow_loopback_http: allow_loopback_http?,
        private_networks: private_networks?,
    })
}

fn limits(reader: &mut Reader<'_>) -> Option<LimitsConfig> {
    let mut per_minute = |key| reader.number(key, 0..=100_000_000, "calls a minute");
    let failures = per_minute("limits.failures_per_minute");
    let client_requests = per_minute("limits.client_requests_per_minute");
    let public_client_requests = per_minute("limits.public_client_requests_per_minute");
    Some(LimitsConfig {
        failures_per_minute: failures?.try_into().ok()?,
        client_requests_per_minute: client_requests?.try_into().ok()?,
        public_client_requests_per_minute: public_client_requests?.try_into().ok()?,
    })
}

fn logging(reader: &mut Reader<'_>) -> Option<LoggingConfig> {
    let format = reader.parsed("logging.format", |name| match name {
        "auto" => Ok(LogFormat::Auto),
        "json" => Ok(LogFormat::Json),
        "text" => Ok(LogFormat::Text),
        _ => Err("must be auto, json or text"),
    });
    let filter = reader.parsed(
        "logging.filter",
        |text| match tracing_subscriber::EnvFilter::builder().parse(text) {
            Ok(_) => Ok(String::from(text)),
            Err(_) => Err("must be a filter such as info or wardgate_issuer=debug,info"),
        },
    );
    Some(LoggingConfig {
        format: format?,
        filter: filter?,
    })
}
