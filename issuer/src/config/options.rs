//! Every key of the configuration, with its default, its unit and its meaning: the one place that names them.

mod audit;
mod messages;
mod registration;
mod second_factor;
mod serving;
mod watch;

use std::fmt::Write;

/// A key and what is to be known of it.
#[derive(Clone, Copy)]
pub(super) struct ConfigOption {
    /// `section.key`.
    pub(super) key: &'static str,
    /// The default as a TOML value; none when the key has no default, or one that depends on other keys.
    pub(super) default: Option<&'static str>,
    /// What values it takes, with the unit.
    pub(super) takes: &'static str,
    /// What it does.
    pub(super) meaning: &'static str,
    /// What the example file shows, where that is not the default.
    pub(super) example: Option<&'static str>,
}

const fn option(
    key: &'static str,
    default: Option<&'static str>,
    takes: &'static str,
    meaning: &'static str,
) -> ConfigOption {
    ConfigOption {
        key,
        default,
        takes,
        meaning,
        example: None,
    }
}

const fn shown_as(option: ConfigOption, example: &'static str) -> ConfigOption {
    ConfigOption {
        example: Some(example),
        ..option
    }
}

/// Every key, section by section, in the order of the documentation.
pub(super) fn options() -> impl Iterator<Item = &'static ConfigOption> {
    [
        OPTIONS,
        serving::OPTIONS,
        registration::OPTIONS,
        messages::OPTIONS,
        second_factor::OPTIONS,
        audit::OPTIONS,
        watch::OPTIONS,
    ]
    .into_iter()
    .flatten()
}

const OPTIONS: &[ConfigOption] = &[
    option(
        "server.listen",
        Some("\"127.0.0.1:8788\""),
        "IP address and port",
        "The socket the issuer listens on.",
    ),
    option(
        "server.public_url",
        Some("\"http://localhost:8788\""),
        "https origin, or http on this machine; no slash at the end",
        "The issuer's URL as clients see it. It stands in every token as `iss`; changing it invalidates them all.",
    ),
    option(
        "server.trusted_proxies",
        Some("[]"),
        "list of IP addresses and networks such as 10.0.0.0/8",
        "Proxies that are believed when they say which address a request came from, and by which scheme. Must be given when \
         `server.public_url` is https, there is no `tls.certificate`, and the issuer listens on a loopback address or on all addresses; \
         `[]` says that there is no proxy.",
    ),
    option(
        "server.proxy_headers",
        Some("\"x-forwarded\""),
        "x-forwarded or forwarded",
        "In which headers they say it: X-Forwarded-For and X-Forwarded-Proto, or Forwarded (RFC 7239). The proxy must set or extend these \
         headers on every request; the others are ignored, since a client may have sent them. What came to a proxy by http is sent on to \
         https, or refused, when `server.public_url` is https.",
    ),
    option(
        "server.drain_seconds",
        Some("0"),
        "seconds, 0 to 3600",
        "How long the issuer serves on after it was told to stop, while `/health/ready` says 503, so that balancers stop sending. Nothing \
         is told to them with 0.",
    ),
    option(
        "server.shutdown_seconds",
        Some("10"),
        "seconds, 0 to 3600",
        "How long requests under way may take to finish when no more are taken. A second signal to stop ends them at once.",
    ),
    option(
        "database.path",
        Some("\"wardgate.db\""),
        "path of a file; relative to the configuration file's folder",
        "The database. Two companions ending in -wal and -shm live beside it.",
    ),
    option(
        "database.readers",
        Some("4"),
        "connections, 1 to 64",
        "How many connections read at once.",
    ),
    shown_as(
        option(
            "keys.master_key_file",
            None,
            "path of a file; relative to the configuration file's folder",
            "A file with the master key, 32 bytes in base64url; `wardgate init` makes it when absent. Keep a copy: \
             without it the signing keys are lost. Either this or `keys.master_key` must be set.",
        ),
        "\"wardgate-master.key\"",
    ),
    option(
        "keys.master_key",
        None,
        "32 bytes in base64url: 43 characters",
        "The master key itself; best given as the environment variable WARDGATE_KEYS__MASTER_KEY.",
    ),
    option(
        "keys.algorithm",
        Some("\"RS256\""),
        "RS256, RS384, PS256, ES256, ES384 or EdDSA",
        "What access tokens are signed with. ID tokens are signed as their client registered it \
         (`id_token_signed_response_alg`), with RS256 where it registered nothing.",
    ),
    option(
        "keys.publish_lead_seconds",
        Some("3600"),
        "seconds, 300 to 604800",
        "How long a rotated key is published before it signs, so that every cache of the key set has seen it.",
    ),
    option(
        "keys.rotation_days",
        Some("90"),
        "days, 0 to 3650",
        "How long a key signs until its successor does, which the server makes in time. With 0 keys are rotated by \
         `wardgate keys rotate` only.",
    ),
    option(
        "security.profile",
        Some("\"standard\""),
        "standard or fapi2",
        "fapi2 holds every client to the FAPI 2.0 Security Profile: pushed authorization requests, PKCE, private_key_jwt \
         by PS256, ES256 or EdDSA, access tokens bound to a key, https redirect URIs. Public clients and clients with a \
         secret are refused then. With standard each client is held to the profile it is registered with.",
    ),
    option(
        "tokens.access_token_seconds",
        Some("3600"),
        "seconds, 60 to 3600",
        "How long an access token in a person's name lives.",
    ),
    option(
        "tokens.client_credentials_seconds",
        Some("300"),
        "seconds, 60 to 3600",
        "How long an access token of a client that acts for itself lives; SMART advises at most 300.",
    ),
    option(
        "tokens.refresh_token_seconds",
        Some("2592000"),
        "seconds, 300 to 31536000",
        "How long a refresh token may lie unused; each use gives a new one.",
    ),
    option(
        "tokens.id_token_seconds",
        Some("300"),
        "seconds, 60 to 3600",
        "How long an ID token lives.",
    ),
    option(
        "tokens.status_list_seconds",
        Some("30"),
        "seconds, 2 to 300",
        "How long a copy of a status list counts: as long it can take until a revoked token is refused everywhere.",
    ),
    option(
        "dpop.nonce",
        Some("\"off\""),
        "off or required",
        "Whether DPoP proofs must hold a nonce that this server gave (RFC 9449 section 8): it costs clients a second request \
         now and then, and makes a proof useless that was made ahead of time. With off none is given, and none is looked at.",
    ),
    option(
        "sessions.idle_seconds",
        Some("3600"),
        "seconds, 60 to 2592000",
        "How long a person stays signed in without being seen.",
    ),
    option(
        "sessions.absolute_seconds",
        Some("43200"),
        "seconds, 60 to 2592000, not less than idle_seconds",
        "How long a person stays signed in at all.",
    ),
    shown_as(
        option(
            "resources",
            None,
            "list of tables with `identifier` (text), `aliases` (list of text, default none), `fhir` (default true), `search_url` \
             (URL, default the name that is one)",
            "The APIs that access tokens are for, at least one. `identifier` stands in `aud`; an alias is another name \
             that clients use for it. The first one serves requests that name none. At `search_url`, a FHIR base, the issuer \
             itself looks for the patients that health professionals choose from; `[outbound]` must let it.",
        ),
        "[{ identifier = \"http://localhost:8787/fhir\", aliases = [] }]",
    ),
    shown_as(
        option(
            "trusted_issuers",
            Some("[]"),
            "list of tables with `issuer` (URL), `uses` (list of `id_token` and `jwt-bearer`, default `[\"id_token\"]`), \
             `audiences` (list of text), `jwks_uri` (URL, default by discovery), `match_by` (`email`, `subject_email` or \
             `subject_user_id`, default `email`), `email_domains` (list of text, default any), `client_id` (text, default \
             none), `longest_age_seconds` (60 to 3600, default 300)",
            "Identity providers whose tokens become access tokens of this issuer; see `docs/token-exchange.md`. \
             `audiences` are the client ids that the provider knows this issuer's clients by; `client_id` is the public \
             client of ours for which requests are taken that name none.",
        ),
        "[]",
    ),
    option(
        "documentation.error_uri",
        None,
        "https or http URL of RFC 3986 characters, without a slash at the end",
        "Where `error_uri` of error answers points; the error code follows after a `#`, unless the URL has \
         a fragment of its own. Default: \
         `/docs/errors` under `server.public_url`, which has a page for each code: there it follows after a `/`.",
    ),
    option(
        "documentation.try_it",
        Some("false"),
        "true or false",
        "Whether people can sign in on the API reference (`/docs`) and try calls. The page has a public client of its own for it, \
         `wardgate-reference`, which is there as long as this is true.",
    ),
    option(
        "passwords.memory_kib",
        Some("19456"),
        "KiB, 8192 to 4194304",
        "Memory of one Argon2id computation. Raising it rehashes each password when its owner next signs in.",
    ),
    option(
        "passwords.iterations",
        Some("2"),
        "passes, 1 to 64",
        "Passes of Argon2id over its memory.",
    ),
    option(
        "passwords.parallelism",
        Some("1"),
        "lanes, 1 to 16",
        "Lanes of Argon2id.",
    ),
    option(
        "passwords.concurrency",
        Some("0"),
        "computations, 0 to 256; 0 means one for each processor",
        "How many Argon2id computations run at once; further sign-ins wait their turn.",
    ),
    option(
        "passwords.minimum_length",
        Some("8"),
        "characters, 8 to 128",
        "The shortest password that may be set. What was set before stays.",
    ),
    option(
        "passwords.minimum_classes",
        Some("3"),
        "classes, 3 to 4",
        "Of how many kinds of characters a new password must have one: small letters, capital letters, digits, others.",
    ),
    option(
        "passwords.refused_file",
        None,
        "path of a file; relative to the configuration file's folder",
        "Passwords that may not be set, one a line, beside those that the issuer knows to be common: an organization's name, \
         the names of its products.",
    ),
    option(
        "outbound.allow_loopback_http",
        Some("false"),
        "true or false",
        "Whether clients' key sets and logout URLs, and a resource's `search_url`, may be on this machine, and reached by http \
         then: for development.",
    ),
    option(
        "outbound.private_networks",
        Some("[]"),
        "list of IP addresses and networks such as 10.0.0.0/8",
        "Networks that are not public and on which clients' key sets and logout URLs, and a resource's `search_url`, may be \
         all the same.",
    ),
    option(
        "console.reauthenticate_seconds",
        Some("14400"),
        "seconds, 60 to 2592000",
        "How long after a sign-in `/admin` is open to an administrator; then it asks to sign in again.",
    ),
    option(
        "limits.failures_per_minute",
        Some("600"),
        "calls a minute, 0 to 100000000; 0 is no limit",
        "How many calls of programs from one network (an IPv4 address, an IPv6 /64) may fail at the token, revocation, \
         introspection, PAR, device, registration and launch endpoints. Beyond it that network is told to wait (429), except clients that \
         proved themselves from there within a day; the audit trail has one line for all that is turned away.",
    ),
    option(
        "limits.client_requests_per_minute",
        Some("60000"),
        "calls a minute, 0 to 100000000; 0 is no limit",
        "How many calls of one client with a secret or key may succeed at one of these endpoints.",
    ),
    option(
        "limits.public_client_requests_per_minute",
        Some("1200"),
        "calls a minute, 0 to 100000000; 0 is no limit",
        "How many calls of one client without a secret may succeed at one of these endpoints from one network.",
    ),
    option(
        "logging.format",
        Some("\"auto\""),
        "auto, json or text",
        "The form of a log line; auto is text on a terminal and JSON elsewhere.",
    ),
    option(
        "logging.filter",
        Some("\"info\""),
        "a filter of the tracing crate, such as \"wardgate_issuer=debug,info\"",
        "Which lines are written.",
    ),
];

/// The defaults as a TOML document, the lowest layer of every configuration.
pub(super) fn defaults() -> String {
    options()
        .filter_map(|option| {
            option
                .default
                .map(|default| format!("{} = {default}\n", option.key))
        })
        .collect()
}

/// A configuration file that says nothing but the defaults, with every key explained; where a key has no default, an
/// example stands in its place.
pub fn example_file() -> String {
    let mut text = String::from(
        "# Wardgate issuer configuration. Every key may also be set in the environment: WARDGATE_SECTION__KEY.\n",
    );
    // A TOML key without section must come before the first section.
    let (sectionless, sectioned): (Vec<&ConfigOption>, Vec<&ConfigOption>) =
        options().partition(|option| !option.key.contains('.'));
    let mut section = "";
    for option in sectionless.into_iter().chain(sectioned) {
        let (own_section, key) = option.key.split_once('.').unwrap_or(("", option.key));
        if own_section != section {
            put(&mut text, format_args!("\n[{own_section}]\n"));
            section = own_section;
        } else if section.is_empty() {
            text.push('\n');
        }
        put(
            &mut text,
            format_args!("# {} ({})\n", option.meaning, option.takes),
        );
        match (option.example, option.default) {
            (Some(example), _) => put(&mut text, format_args!("{key} = {example}\n")),
            (None, Some(default)) => put(&mut text, format_args!("{key} = {default}\n")),
            (None, None) => put(&mut text, format_args!("# {key} = …\n")),
        }
    }
    text
}

/// The page `docs/configuration.md`.
pub fn documentation() -> String {
    let mut text = String::from(INTRODUCTION);
    let mut section = None;
    for option in options() {
        let (own_section, key) = option.key.split_once('.').unwrap_or(("", option.key));
        if section != Some(own_section) {
            let title = if own_section.is_empty() {
                "Without a section".into()
            } else {
                format!("`[{own_section}]`")
            };
            put(
                &mut text,
                format_args!("\n## {title}\n\n| key | default | takes | meaning |\n|---|---|---|---|\n"),
            );
            section = Some(own_section);
        }
        let default = option
            .default
            .map_or_else(|| String::from("none"), |default| format!("`{default}`"));
        put(
            &mut text,
            format_args!(
                "| `{key}` | {default} | {} | {} |\n",
                option.takes, option.meaning
            ),
        );
    }
    text
}

/// Writing to a `String` cannot fail.
fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(what);
}

const INTRODUCTION: &str = "# Configuration of the issuer

`wardgate --config FILE …` reads a TOML file; each key may instead, or over it, be set in the environment as
`WARDGATE_SECTION__KEY` (two underscores between section and key). Lists are written `[a, b]` there.

Unknown keys are refused. `wardgate check-config` names every fault at once; `wardgate check-config --print-example`
prints a commented file with all keys to start from. Relative paths in the file, and in defaults, count from the file's
folder; those in the environment count from the working folder. This page is made from the table in
`issuer/src/config/options.rs`; a test keeps it in step.
";
