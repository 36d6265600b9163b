//! `wardgate audit`: check the audit trail, and take it out.

use std::io::{BufWriter, Write};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use wardgate_shared::time::Timestamp;

use crate::administration::audit_resource::audit_event_resource;
use crate::config::Config;
use crate::domain::audit_chain::{AuditHead, ChainReport};
use crate::domain::audit_search::RecordedEvent;
use crate::domain::instant;

use super::{Failure, opened, output};

/// Lines that are read at once.
const PORTION: usize = 5_000;
/// After how many lines the check says how far it is.
const PROGRESS_LINES: u64 = 100_000;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Check that no line was altered, removed, added or moved
    Verify(VerifyAudit),
    /// Print the trail, oldest line first, one JSON document a line
    Export(ExportAudit),
}

impl AuditCommand {
    pub(super) async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        match self {
            Self::Verify(command) => command.run(config, now).await,
            Self::Export(command) => command.run(config, now).await,
        }
    }
}

/// Arguments of `audit verify`.
#[derive(Debug, Args)]
pub(super) struct VerifyAudit {
    /// What an earlier check printed as the newest line: that line must still be there and be the same
    #[arg(long, value_name = "NUMBER:DIGEST")]
    expect: Option<String>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl VerifyAudit {
    async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let expected = self.expect.as_deref().map(|text| {
            AuditHead::parse(text).ok_or_else(|| {
                Failure::Usage(format!(
                    "--expect {text} is not a NUMBER:DIGEST as audit verify prints it"
                ))
            })
        });
        let expected = expected.transpose()?;
        let store = opened::store(config, now)?;
        let mut next = PROGRESS_LINES;
        let report = store.verify_audit_events(expected, |lines| {
            if lines >= next {
                output::remark(&format!("{lines} lines checked"));
                next = lines.saturating_add(PROGRESS_LINES);
            }
        });
        let report = report.await?;
        store.close().await;
        if self.json {
            output::json(&described(&report))?;
        } else if report.faults.is_empty() {
            output::result(&said(&report))?;
        }
        if report.faults.is_empty() {
            return Ok(());
        }
        let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
        Err(Failure::Damaged(format!(
            "the audit trail is not what was recorded: {}",
            faults.join("; ")
        )))
    }
}

fn said(report: &ChainReport) -> String {
    let retired = match report.retired_through {
        0 => String::new(),
        last => format!("; lines 1 to {last} were retired"),
    };
    format!(
        "{} lines are as they were recorded{retired}\nthe newest is {}\nkeep that elsewhere, and give it to --expect next time: it shows \
         that nothing was cut off",
        report.lines, report.head
    )
}

fn described(report: &ChainReport) -> Value {
    json!({
        "lines": report.lines,
        "retired_through": report.retired_through,
        "head": report.head.to_string(),
        "faults": report.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

/// In what form lines are printed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// The members of /v1/audit-events
    Json,
    /// FHIR R4 AuditEvent resources
    Fhir,
}

/// Arguments of `audit export`.
#[derive(Debug, Args)]
pub(super) struct ExportAudit {
    /// The form of the lines
    #[arg(long, value_enum, default_value = "json")]
    format: Form,
    /// Only lines from this instant on, as RFC 3339 writes it: 2027-01-15T08:00:00Z
    #[arg(long, value_name = "INSTANT", value_parser = read_instant)]
    from: Option<Timestamp>,
    /// Only lines before this instant
    #[arg(long, value_name = "INSTANT", value_parser = read_instant)]
    until: Option<Timestamp>,
}

fn read_instant(text: &str) -> Result<Timestamp, String> {
    instant::parse(text).ok_or_else(|| "is not an instant such as 2027-01-15T08:00:00Z".to_owned())
}

impl ExportAudit {
    async fn run(&self, config: &Config, now: Timestamp) -> Result<(), Failure> {
        let store = opened::store(config, now)?;
        let issuer = config.server.public_url.as_str();
        let mut out = BufWriter::new(std::io::stdout().lock());
        let closed =
            |error: std::io::Error| Failure::Other(format!("the trail could not be printed: {error}"));
        let mut after = 0;
        loop {
            let lines = store.audit_events_after(after, PORTION).await?;
            let Some(last) = lines.last() else { break };
            after = last.id;
            for line in lines.iter().filter(|line| self.wants(line)) {
                let document = match self.format {
                    Form::Json => line.document(),
                    Form::Fhir => audit_event_resource(line, issuer),
                };
                writeln!(out, "{document}").map_err(closed)?;
            }
        }
        out.flush().map_err(closed)?;
        store.close().await;
        Ok(())
    }

    fn wants(&self, line: &RecordedEvent) -> bool {
        self.from.is_none_or(|from| line.event.at >= from)
            && self.until.is_none_or(|until| line.event.at < until)
    }
}

#[cfg(test)]
mod tests;
