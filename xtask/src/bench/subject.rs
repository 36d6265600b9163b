//! The issuer, as it is released, with a database of its own.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use super::{
    Algorithm, Bench, FAMILIES,
    load::Load,
    served::{Served, free_port},
};
use crate::fault::{Fault, OrFault as _, Outcome};

const AUDIENCE: &str = "https://api.example/fhir";
const EMAIL: &str = "bench@example.org";
/// Of an account that exists for seconds, on loopback.
const PASSWORD: &str = "Correct-Horse-7-Battery";
const HEALTH: &str = "/health/live";

/// Starts the issuer with two clients and a person, who grants the app [`FAMILIES`] times.
pub(super) fn start(bench: &Bench<'_>, algorithm: Algorithm) -> Outcome<(Served, Load)> {
    let port = free_port()?;
    let folder = bench.folder.join(algorithm.name());
    let config = prepare(&folder, port, algorithm.name())?;
    let wardgate = |arguments: &[&str], input: &str| command(bench, &config, arguments, input);
    wardgate(&["init"], "")?;
    let mut service = vec![
        "client",
        "add",
        "--client-id",
        "service",
        "--name",
        "Service",
        "--json",
    ];
    service.extend(["--type", "confidential", "--grant", "client_credentials"]);
    service.extend(["--scope", "system/*.read"]);
    let service: Value = serde_json::from_str(&wardgate(&service, "")?)
        .or_fault(|| "read what `wardgate client add --json` printed".to_owned())?;
    let secret = service.get("client_secret").and_then(Value::as_str);
    let secret = secret.ok_or_else(|| Fault::new("`wardgate client add --json` printed no client_secret"))?;
    let mut app = vec![
        "client",
        "add",
        "--client-id",
        "app",
        "--name",
        "App",
        "--type",
        "public",
    ];
    app.extend(["--grant", "authorization_code", "--grant", "refresh_token"]);
    app.extend(["--redirect-uri", "https://app.example/callback"]);
    app.extend(["--scope", "patient/*.read offline_access"]);
    wardgate(&app, "")?;
    let mut person = vec![
        "user",
        "add",
        "--email",
        EMAIL,
        "--name",
        "Ada Example",
        "--password-stdin",
    ];
    person.extend(["--fhir-user", "Patient/1"]);
    wardgate(&person, PASSWORD)?;

    let mut serve = Command::new(bench.session.workspace.released_program("wardgate"));
    serve.arg("--config").arg(&config).arg("serve");
    let served = Served::start(bench.session, "bench-wardgate", &mut serve, port, HEALTH)?;
    let issuer = format!("http://127.0.0.1:{port}");
    let count = FAMILIES.to_string();
    let tokens = bench.support(&[
        "refresh-tokens",
        &issuer,
        AUDIENCE,
        EMAIL,
        PASSWORD,
        "app",
        &count,
    ])?;
    let refresh_tokens = folder.join("refresh-tokens");
    fs::write(&refresh_tokens, tokens).or_fault(|| format!("write {}", refresh_tokens.display()))?;
    let load = Load {
        path: "/oauth2/token",
        client_credentials: format!("grant_type=client_credentials&client_id=service&client_secret={secret}"),
        refresh: "grant_type=refresh_token&client_id=app&refresh_token=".to_owned(),
        refresh_tokens,
    };
    Ok((served, load))
}

/// How long the issuer takes from its start to its first answer: the middle one of several starts.
pub(super) fn first_answer(bench: &Bench<'_>, starts: usize) -> Outcome<Duration> {
    bench.session.screen.step("starting the issuer a few times");
    let port = free_port()?;
    let config = prepare(&bench.folder.join("starts"), port, Algorithm::Rs256.name())?;
    command(bench, &config, &["init"], "")?;
    let mut times = Vec::new();
    for _ in 0..starts {
        let mut serve = Command::new(bench.session.workspace.released_program("wardgate"));
        serve.arg("--config").arg(&config).arg("serve");
        times.push(Served::start(bench.session, "bench-start", &mut serve, port, HEALTH)?.first_answer);
    }
    times.sort_unstable();
    times
        .get(starts / 2)
        .copied()
        .ok_or_else(|| Fault::new("the issuer was not started once"))
}

fn prepare(folder: &Path, port: u16, algorithm: &str) -> Outcome<PathBuf> {
    fs::create_dir_all(folder).or_fault(|| format!("create {}", folder.display()))?;
    let config = folder.join("wardgate.toml");
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"http://127.0.0.1:{port}\"\n\
         [database]\npath = \"wardgate.db\"\n\
         [limits]\nclient_requests_per_minute = 0\n\
         [keys]\nmaster_key_file = \"master.key\"\nalgorithm = \"{algorithm}\"\n\
         [[resources]]\nidentifier = \"{AUDIENCE}\"\n"
    );
    fs::write(&config, text).or_fault(|| format!("write {}", config.display()))?;
    Ok(config)
}

/// Runs `wardgate --config … ARGUMENTS` with `input` on its standard input, and gives its standard output.
fn command(bench: &Bench<'_>, config: &Path, arguments: &[&str], input: &str) -> Outcome<String> {
    let what = || {
        format!(
            "run `wardgate {}`",
            arguments.first().copied().unwrap_or_default()
        )
    };
    let mut child = Command::new(bench.session.workspace.released_program("wardgate"))
        .arg("--config")
        .arg(config)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .or_fault(what)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).or_fault(what)?;
    }
    let output = child.wait_with_output().or_fault(what)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Fault::new(format!(
        "could not {}: {}",
        what(),
        String::from_utf8_lossy(&output.stderr).trim()
    )))
}
