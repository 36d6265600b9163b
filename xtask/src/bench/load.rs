//! One scenario of load by wrk, and what came of it.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::Value;

use super::{Bench, CONNECTIONS};
use crate::{
    command,
    fault::{Fault, OrFault as _, Outcome},
    session::Session,
};

/// What is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scenario {
    /// A client's own token.
    ClientCredentials,
    /// A refresh token for the next.
    Refresh,
}

impl Scenario {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::Refresh => "refresh_token",
        }
    }

    const fn script(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials.lua",
            Self::Refresh => "refresh.lua",
        }
    }
}

/// How a server is asked.
pub(super) struct Load {
    /// The path of its token endpoint.
    pub(super) path: &'static str,
    /// The form of a request for a client's own token.
    pub(super) client_credentials: String,
    /// The form of a refresh, up to the token.
    pub(super) refresh: String,
    /// A file of refresh tokens, one a line.
    pub(super) refresh_tokens: PathBuf,
}

/// What wrk saw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    /// Answers.
    pub(super) requests: f64,
    /// Answers a second.
    pub(super) rate: f64,
    /// Half of the answers took no longer, in milliseconds.
    pub(super) p50: f64,
    /// Of a hundred answers, 99 took no longer, in milliseconds.
    pub(super) p99: f64,
}

impl Load {
    /// Runs a scenario. A refusal or a broken connection is a fault: the numbers would be worth nothing.
    pub(super) fn run(&self, bench: &Bench<'_>, scenario: Scenario, port: u16) -> Outcome<Measured> {
        let script = bench.scripts.join(scenario.script());
        let url = format!("http://127.0.0.1:{port}{}", self.path);
        let mut wrk = wrk(&bench.wrk, bench.seconds, &script, &url);
        match scenario {
            Scenario::ClientCredentials => wrk.arg(&self.client_credentials),
            Scenario::Refresh => wrk.arg(&self.refresh).arg(&self.refresh_tokens),
        };
        finish(bench.session, &mut wrk, bench.seconds)
    }
}

/// wrk with as many connections as everything here is asked by, and this script; arguments for the script follow.
pub(super) fn wrk(program: &Path, seconds: u32, script: &Path, url: &str) -> Command {
    let mut wrk = Command::new(program);
    wrk.args(["--threads", "1", "--connections", &CONNECTIONS.to_string()])
        .arg("--duration")
        .arg(format!("{seconds}s"))
        .arg("--script")
        .arg(script)
        .args([url, "--"]);
    wrk
}

/// Runs wrk. A refusal or a broken connection is a fault: the numbers would be worth nothing.
pub(super) fn finish(session: &Session<'_>, wrk: &mut Command, seconds: u32) -> Outcome<Measured> {
    let limit = Duration::from_secs(u64::from(seconds) + 30);
    let finished = command::run(session, "bench-wrk", wrk, Some(limit))?.or_fault("wrk failed")?;
    parse(&finished.output())
}

fn parse(output: &str) -> Outcome<Measured> {
    let line = output.lines().find_map(|line| line.strip_prefix("RESULT "));
    let line = line.ok_or_else(|| Fault::new(format!("wrk printed no result:\n{output}")))?;
    let result: Value = serde_json::from_str(line).or_fault(|| format!("read wrk's result {line}"))?;
    let number = |name: &str| {
        result
            .get(name)
            .and_then(Value::as_f64)
            .ok_or_else(|| Fault::new(format!("wrk's result has no {name}: {line}")))
    };
    let (refused, broken) = (number("refused")?, number("broken")?);
    if refused + broken > 0.0 {
        return Err(Fault::new(format!(
            "the load went wrong: {refused} requests were refused, {broken} connections broke"
        )));
    }
    let requests = number("requests")?;
    Ok(Measured {
        requests,
        rate: requests / number("microseconds")? * 1e6,
        p50: number("p50")? / 1e3,
        p99: number("p99")? / 1e3,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_the_line_of_the_script() {
        let output = "Running 1s test\nRESULT {\"requests\":3000,\"microseconds\":1500000,\"p50\":7100,\"p99\":20000,\
                      \"refused\":0,\"broken\":0}\n";
        let measured = parse(output).unwrap();
        assert!((measured.rate - 2000.0).abs() < 1e-6);
        assert!((measured.p50 - 7.1).abs() < 1e-9 && (measured.p99 - 20.0).abs() < 1e-9);
    }

    #[test]
    fn a_refused_request_is_a_fault() {
        let line = |refused| {
            format!(
                "RESULT {{\"requests\":1,\"microseconds\":1,\"p50\":1,\"p99\":1,\"refused\":{refused},\"broken\":0}}"
            )
        };
        assert!(parse(&line(0)).is_ok());
        assert!(
            parse(&line(1))
                .unwrap_err()
                .to_string()
                .contains("1 requests were refused")
        );
        assert!(parse("nothing").is_err());
    }
}
