//! The two files that `workerd` reads, in Cap'n Proto's text form.
//!
//! `config.capnp` takes what differs between installations from `settings.capnp` by name, so that a new version replaces
//! the one and leaves the other alone.

use std::fmt::Write as _;

use super::{
    COORDINATOR_BINDING, MODULES, STORAGE, WORKER,
    settings::{Compatibility, Settings, Variable},
};

/// The configuration of `workerd`.
pub(super) fn config(compatibility: &Compatibility) -> String {
    let mut modules = String::new();
    for (name, kind) in MODULES {
        let path = quoted(&format!("{WORKER}/{name}"));
        put(
            &mut modules,
            format_args!("    (name = {}, {kind} = embed {path}),\n", quoted(name)),
        );
    }
    let flags: Vec<String> = compatibility.flags.iter().map(|flag| quoted(flag)).collect();
    format!(
        r#"# How workerd runs the Wardgate edge. Written by `cargo xtask edge bundle`, and replaced with each new version: what is
# to be decided here stands in settings.capnp.
using Workerd = import "/workerd/workerd.capnp";
using Settings = import "settings.capnp";

const config :Workerd.Config = (
  services = [
    (name = "edge", worker = .edge),
    (name = "{STORAGE}", disk = (path = "{STORAGE}", writable = true)),
    (name = "network", network = (allow = Settings.networks, tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = Settings.address, http = (), service = "edge")],
);

const edge :Workerd.Worker = (
  modules = [
{modules}  ],
  compatibilityDate = {date},
  compatibilityFlags = [{flags}],
  bindings = Settings.bindings,
  globalOutbound = "network",
  durableObjectNamespaces = [(className = "RateLimits", uniqueKey = "rate-limits", enableSql = true)],
  durableObjectStorage = (localDisk = "{STORAGE}"),
);
"#,
        date = quoted(&compatibility.date),
        flags = flags.join(", "),
    )
}

/// The settings of one installation.
pub(super) fn settings(settings: &Settings) -> String {
    let networks: Vec<String> = settings
        .networks
        .iter()
        .map(|network| quoted(network.name()))
        .collect();
    let mut variables = String::new();
    for (name, variable) in &settings.variables {
        let name = quoted(name);
        let value = match variable {
            Variable::Text(text) => format!("text = {}", quoted(text)),
            Variable::Json(text) => format!("json = {}", quoted(text)),
            Variable::Environment => format!("fromEnvironment = {name}"),
        };
        put(&mut variables, format_args!("  (name = {name}, {value}),\n"));
    }
    format!(
        r#"# Settings of this installation of the Wardgate edge. They are read when workerd starts.
@0xd3a51f0e5c7b9a42;
using Workerd = import "/workerd/workerd.capnp";

# Where requests are taken, as host:port. TLS is the affair of a proxy in front, so this is no public address.
const address :Text = {address};

# What the Worker may reach: "public", "private" (10.0.0.0/8 and the like), "local" (this machine), or ranges such as
# "10.1.2.0/24". Issuers and the servers behind must be within reach; name no more than they need.
const networks :List(Text) = [{networks}];

# The Worker's variables: docs/edge-configuration.md has them all. Texts are `text = "…"`, lists in JSON `json = "…"`, and a
# secret is `fromEnvironment = "NAME"`, which takes it from the environment of the process and keeps it out of this file.
const bindings :List(Workerd.Worker.Binding) = [
  # The counts of rate limits. This line stays.
  {COORDINATOR_BINDING}
{cache}{variables}];
"#,
        address = quoted(&settings.address),
        networks = networks.join(", "),
        cache = if settings.variables.iter().any(|(name, _)| name == PLATFORM_CACHE) {
            String::new()
        } else {
            format!(
                "  # Plain workerd has no cache that would have to be told to keep nothing.\n  (name = \"{PLATFORM_CACHE}\", text = \"absent\"),\n"
            )
        },
    )
}

/// The variable that says whether the platform has a cache.
const PLATFORM_CACHE: &str = "WARDGATE_PLATFORM_CACHE";

/// A text literal (Cap'n Proto takes C's escapes).
fn quoted(text: &str) -> String {
    let mut literal = String::from("\"");
    for one in text.chars() {
        match one {
            '"' | '\\' => literal.extend(['\\', one]),
            '\n' => literal.push_str("\\n"),
            one if one.is_ascii_control() => put(&mut literal, format_args!("\\x{:02x}", u32::from(one))),
            one => literal.push(one),
        }
    }
    literal.push('"');
    literal
}

/// Writing to a `String` cannot fail.
fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(what);
}

#[cfg(test)]
mod tests {
    use super::{Settings, Variable, quoted, settings};

    #[test]
    fn a_text_cannot_leave_its_quotes() {
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
        assert_eq!(quoted("a\nb\u{1}é"), "\"a\\nb\\x01é\"");
    }

    #[test]
    fn no_cache_is_bypassed_where_there_is_none_unless_it_is_said() {
        let mut own = Settings::default();
        assert!(settings(&own).contains(r#"(name = "WARDGATE_PLATFORM_CACHE", text = "absent"),"#));
        let said = (
            "WARDGATE_PLATFORM_CACHE".to_owned(),
            Variable::Text("bypassed".to_owned()),
        );
        own.variables.push(said);
        let text = settings(&own);
        assert!(text.contains(r#"(name = "WARDGATE_PLATFORM_CACHE", text = "bypassed"),"#));
        assert!(!text.contains("absent"));
    }

    #[test]
    fn the_value_of_a_secret_is_not_written() {
        let mut own = Settings::default();
        own.variables
            .push(("WARDGATE_SECRET".to_owned(), Variable::Environment));
        let text = settings(&own);
        assert!(text.contains(r#"(name = "WARDGATE_SECRET", fromEnvironment = "WARDGATE_SECRET"),"#));
    }
}
