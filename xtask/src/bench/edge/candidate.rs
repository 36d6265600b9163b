//! What is measured: JavaScript Workers that do less than ours, ours, and ours with a stage off.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use xtask::bundle::{self, Compatibility, Network, Settings, Variable};

use super::{
    super::served::{Served, free_port},
    Bench, Tokens,
};
use crate::{
    command,
    fault::{OrFault as _, Outcome},
    session::Session,
};

/// The audience of all tokens.
pub(super) const AUDIENCE: &str = "https://edge.example/fhir";
/// So many requests that nobody reaches it, and a window as long as no run is: what is asked of coordinators once a window
/// would weigh too much in turns of seconds.
const LIMIT: &str = r#"[{"name":"default","limit":100000000,"window_seconds":86400}]"#;
/// A limit that is reached, to count how often the coordinator is asked.
const LIMIT_OF_A_THOUSAND: &str = r#"[{"name":"default","limit":1000,"window_seconds":60}]"#;

/// A candidate under load.
pub(super) type Running = Served;

/// A candidate.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Candidate {
    /// Passes on.
    Passing,
    /// Makes the header edits and checks nothing.
    Twin,
    /// The twin with a line in the log for each request.
    LoggingTwin,
    /// npm jose, then the twin's edits.
    Jose,
    /// npm hono with its JWK middleware, then the twin's edits.
    Hono,
    /// npm jose and a call of a Durable Object, then the twin's edits.
    JoseCounting,
    /// The Worker with everything on.
    Ours,
    /// The Worker without limits.
    OursWithoutLimits,
    /// The Worker for tokens that name no status list.
    OursWithoutStatus,
    /// The Worker with a rule that asks for nothing in the place of FHIR scopes.
    OursWithoutScopes,
    /// The Worker without all three.
    OursWithoutAll,
    /// The Worker with a limit of 1,000 a minute whose coordinator says when it is asked. It is not under load.
    Counted,
}

impl Candidate {
    /// Those under load, in the order of their turns.
    pub(super) const ALL: [Self; 11] = [
        Self::Passing,
        Self::Twin,
        Self::LoggingTwin,
        Self::Jose,
        Self::Hono,
        Self::JoseCounting,
        Self::Ours,
        Self::OursWithoutLimits,
        Self::OursWithoutStatus,
        Self::OursWithoutScopes,
        Self::OursWithoutAll,
    ];

    /// The name for people.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Passing => "JS that passes on",
            Self::Twin => "its twin with our header edits",
            Self::LoggingTwin => "twin + a log line",
            Self::Jose => "jose + twin",
            Self::Hono => "hono jwk + twin",
            Self::JoseCounting => "jose + Durable Object + twin",
            Self::Ours => "Wardgate, everything on",
            Self::OursWithoutLimits => "Wardgate - limits",
            Self::OursWithoutStatus => "Wardgate - revocation",
            Self::OursWithoutScopes => "Wardgate - FHIR scopes",
            Self::OursWithoutAll => "Wardgate - all three",
            Self::Counted => "Wardgate, counted",
        }
    }

    /// Whether it refuses a request without a token.
    pub(super) const fn checks(self) -> bool {
        !matches!(self, Self::Passing | Self::Twin | Self::LoggingTwin)
    }

    /// What is asked for.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::OursWithoutScopes | Self::OursWithoutAll => "/plain/Patient/1",
            _ => "/fhir/Patient/1",
        }
    }

    /// Whether its tokens name no status list.
    pub(super) const fn has_tokens_without_status(self) -> bool {
        matches!(self, Self::OursWithoutStatus | Self::OursWithoutAll)
    }

    /// Whether these tokens make a difference to it that is worth the time.
    pub(super) const fn is_measured_with(self, tokens: Tokens) -> bool {
        match tokens {
            Tokens::Hot => true,
            Tokens::Hundred => matches!(self, Self::Twin | Self::Jose | Self::Ours),
            Tokens::New => matches!(self, Self::Jose | Self::Hono | Self::JoseCounting | Self::Ours),
        }
    }

    /// Whether its start is timed.
    pub(super) const fn is_started_often(self) -> bool {
        matches!(self, Self::Passing | Self::Jose | Self::Hono | Self::Ours)
    }

    /// Starts it, and waits for its first answer.
    pub(super) fn start(self, bench: &Bench<'_>) -> Outcome<Running> {
        let port = free_port()?;
        let folder = bench.folder.join(format!("{self:?}"));
        let what = || format!("write {}", folder.display());
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).or_fault(what)?;
        match self {
            Self::Passing | Self::Twin | Self::LoggingTwin => {
                let script = if self == Self::Passing { "passing" } else { "twin" };
                self.write_script(bench, script, port, &folder)?;
            }
            Self::Jose | Self::JoseCounting => self.write_script(bench, "jose", port, &folder)?,
            Self::Hono => self.write_script(bench, "hono", port, &folder)?,
            Self::Ours
            | Self::OursWithoutLimits
            | Self::OursWithoutStatus
            | Self::OursWithoutScopes
            | Self::OursWithoutAll
            | Self::Counted => self.write_ours(bench, port, &folder)?,
        }
        let mut command = Command::new(&bench.workerd);
        command.args(["serve", bundle::CONFIG]).current_dir(&folder);
        let name = format!("bench-{self:?}");
        Served::start(bench.session, &name, &mut command, port, "/health")
    }

    /// The configuration of a JavaScript Worker. It has the freedom of ours and no more.
    fn write_script(self, bench: &Bench<'_>, script: &str, port: u16, folder: &Path) -> Outcome<()> {
        let what = || format!("write {}", folder.display());
        let date = compatibility(bench.session)?.date;
        let upstream = bench.upstream.url();
        let log = if self == Self::LoggingTwin { "on" } else { "off" };
        let (binding, objects) = if self == Self::JoseCounting {
            (
                r#"(name = "COORDINATOR", durableObjectNamespace = "Coordinator"),"#,
                r#"durableObjectNamespaces = [
    (className = "Coordinator", uniqueKey = "coordinator", enableSql = true, preventEviction = true),
  ],
  durableObjectStorage = (localDisk = "storage"),"#,
            )
        } else {
            ("", "")
        };
        fs::copy(script_file(&bench.folder, script), folder.join("worker.js")).or_fault(what)?;
        fs::create_dir_all(folder.join("storage")).or_fault(what)?;
        let config = format!(
            r#"using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "storage", disk = (path = "storage", writable = true)),
    (name = "network", network = (allow = ["local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "worker")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "{date}",
  bindings = [
    {binding}
    (name = "UPSTREAM", text = "{upstream}"),
    (name = "ISSUER", text = "{upstream}"),
    (name = "JWKS_URL", text = "{upstream}/jwks.json"),
    (name = "AUDIENCE", text = "{AUDIENCE}"),
    (name = "LOG", text = "{log}"),
  ],
  {objects}
  globalOutbound = "network",
);
"#
        );
        fs::write(folder.join(bundle::CONFIG), config).or_fault(what)
    }

    /// The folder that `cargo xtask edge bundle` writes, with other settings.
    fn write_ours(self, bench: &Bench<'_>, port: u16, folder: &Path) -> Outcome<()> {
        let what = || format!("write {}", folder.display());
        let upstream = bench.upstream.url();
        let text = |name: &str, value: &str| (name.to_owned(), Variable::Text(value.to_owned()));
        let json = |name: &str, value: &str| (name.to_owned(), Variable::Json(value.to_owned()));
        let mut variables = vec![
            text("WARDGATE_ISSUER", &upstream),
            text("WARDGATE_JWKS_URL", &format!("{upstream}/jwks.json")),
            text("WARDGATE_PUBLIC_URL", "https://edge.example"),
        ];
        if matches!(self, Self::OursWithoutScopes | Self::OursWithoutAll) {
            let limits = if self == Self::OursWithoutAll {
                ""
            } else {
                r#""default""#
            };
            let api = format!(
                r#"[{{"name":"plain","kind":"plain","prefix":"/plain","upstream":"{upstream}","audiences":["{AUDIENCE}"],
                    "limits":[{limits}],"require":[{{"path":"/","scopes":[]}}]}}]"#
            );
            variables.push(json("WARDGATE_APIS", &api));
        } else {
            variables.push(text("WARDGATE_UPSTREAM", &upstream));
            variables.push(text("WARDGATE_AUDIENCES", AUDIENCE));
            if self == Self::OursWithoutLimits {
                variables.push(text("WARDGATE_LIMITED_BY", "none"));
            }
        }
        let limit = if self == Self::Counted {
            LIMIT_OF_A_THOUSAND
        } else {
            LIMIT
        };
        variables.push(json("WARDGATE_LIMITS", limit));
        let settings = Settings {
            address: format!("127.0.0.1:{port}"),
            networks: Network::parse("local").into_iter().collect(),
            variables,
        };
        let compatibility = compatibility(bench.session)?;
        bundle::write(folder, &bench.built, &compatibility, Some(&settings)).or_fault(what)?;
        if self == Self::Counted {
            let counting = bench.session.workspace.root.join("tests/bench/edge/counting.js");
            fs::copy(counting, folder.join("counting.js")).or_fault(what)?;
            let config = fs::read_to_string(folder.join(bundle::CONFIG)).or_fault(what)?;
            let entry = "modules = [\n    (name = \"counting.js\", esModule = embed \"counting.js\"),";
            let config = config.replacen("modules = [", entry, 1);
            fs::write(folder.join(bundle::CONFIG), config).or_fault(what)?;
        }
        Ok(())
    }
}

fn compatibility(session: &Session<'_>) -> Outcome<Compatibility> {
    let what = || "read wrangler.toml".to_owned();
    let text = fs::read_to_string(session.workspace.root.join("wrangler.toml")).or_fault(what)?;
    Compatibility::parse(&text).or_fault(what)
}

fn script_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.js"))
}

/// Each JavaScript Worker in one file with what it imports.
pub(super) fn bundle_scripts(
    session: &Session<'_>,
    esbuild: &Path,
    modules: &Path,
    folder: &Path,
) -> Outcome<()> {
    for name in ["passing", "twin", "jose", "hono"] {
        let mut bundle = Command::new(esbuild);
        bundle
            .arg(format!("tests/bench/edge/{name}.js"))
            .args([
                "--bundle",
                "--format=esm",
                "--conditions=worker",
                "--log-level=warning",
            ])
            .arg(format!("--outfile={}", script_file(folder, name).display()))
            .env("NODE_PATH", modules)
            .current_dir(&session.workspace.root);
        command::run(session, "bench-esbuild", &mut bundle, None)?
            .or_fault("a JavaScript Worker could not be bundled")?;
    }
    Ok(())
}
