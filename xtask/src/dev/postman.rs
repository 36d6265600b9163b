//! The Postman collection of `docs/postman`: its environment filled in for this machine, and its run by newman.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use super::{
    data::{self, DevData},
    with_log,
};
use crate::{
    fault::{OrFault as _, Outcome},
    session::Session,
};

const FOLDER: &str = "docs/postman";
const COLLECTION: &str = "wardgate.postman_collection.json";
const ENVIRONMENT: &str = "development.postman_environment.json";

/// Where the filled environment is.
pub(super) fn environment_file(session: &Session<'_>) -> PathBuf {
    session.workspace.dev().join("postman_environment.json")
}

/// Writes the environment with this machine's secrets, for its owner only.
pub(super) fn write_environment(session: &Session<'_>, dev: &DevData) -> Outcome<()> {
    let template = session.workspace.root.join(FOLDER).join(ENVIRONMENT);
    let text = fs::read(&template).or_fault(|| format!("read {}", template.display()))?;
    let mut environment: Value =
        serde_json::from_slice(&text).or_fault(|| format!("read {}", template.display()))?;
    fill(&mut environment, dev);
    let text = serde_json::to_string_pretty(&environment).or_fault(|| "write JSON".to_owned())?;
    data::write_for_owner(&environment_file(session), &format!("{text}\n"))
}

fn fill(environment: &mut Value, dev: &DevData) {
    let (key, secret) = &dev.api_key;
    let known = [
        ("email", &dev.email),
        ("password", &dev.password),
        ("service_client_secret", &dev.service_secret),
        ("ehr_client_secret", &dev.ehr_secret),
        ("admin_client_secret", &dev.administration_secret),
        ("api_key", key),
        ("api_secret", secret),
    ];
    let values = environment.get_mut("values").and_then(Value::as_array_mut);
    for variable in values.into_iter().flatten() {
        let name = variable.get("key").and_then(Value::as_str).unwrap_or_default();
        let own = known.iter().find(|(known, _)| *known == name);
        if let (Some((_, value)), Some(members)) = (own, variable.as_object_mut()) {
            members.insert("value".to_owned(), Value::String((*value).clone()));
        }
    }
}

/// Has newman, of `modules`, send every request of the collection; true when each was answered as it says.
pub(super) fn run(session: &Session<'_>, node: &Path, modules: &Path) -> Outcome<bool> {
    session.screen.step("running the Postman collection");
    let report = session.workspace.dev().join("newman.json");
    let log = session.workspace.dev().join("logs/newman.log");
    drop(fs::remove_file(&report));
    let output = fs::File::create(&log).or_fault(|| format!("write {}", log.display()))?;
    let errors = output
        .try_clone()
        .or_fault(|| format!("write {}", log.display()))?;
    let status = Command::new(node)
        .arg(modules.join("newman/bin/newman.js"))
        .arg("run")
        .arg(session.workspace.root.join(FOLDER).join(COLLECTION))
        .arg("--environment")
        .arg(environment_file(session))
        .args([
            "--reporters",
            "cli,json",
            "--color",
            "off",
            "--timeout-request",
            "20000",
        ])
        .arg("--reporter-json-export")
        .arg(&report)
        .current_dir(&session.workspace.root)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .status()
        .or_fault(|| "start newman".to_owned())?;
    let text = fs::read(&report).map_err(|_| with_log("newman left no report", &log))?;
    let report: Value = serde_json::from_slice(&text).or_fault(|| format!("read {}", report.display()))?;
    let told = summary(&report);
    for failure in failures(&report) {
        session.screen.step(&format!("FAIL {failure}"));
    }
    let passed = status.success();
    session.screen.step(&format!(
        "{} the Postman collection: {told}",
        if passed { "ok  " } else { "FAIL" }
    ));
    Ok(passed)
}

fn summary(report: &Value) -> String {
    let count = |pointer| {
        report
            .pointer(pointer)
            .and_then(Value::as_u64)
            .unwrap_or_default()
    };
    format!(
        "{} requests, {} assertions, {} failed",
        count("/run/stats/requests/total"),
        count("/run/stats/assertions/total"),
        count("/run/stats/assertions/failed")
    )
}

/// What failed, each with its request.
fn failures(report: &Value) -> Vec<String> {
    let text = |failure: &Value, pointer| {
        let found = failure.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or("?").to_owned()
    };
    let failures = report.pointer("/run/failures").and_then(Value::as_array);
    failures
        .into_iter()
        .flatten()
        .map(|failure| {
            format!(
                "{}: {}: {}",
                text(failure, "/source/name"),
                text(failure, "/error/test"),
                text(failure, "/error/message")
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{failures, summary};

    #[test]
    fn a_report_is_told_in_a_line_and_each_failure_with_its_request() {
        let report = json!({ "run": {
            "stats": { "requests": { "total": 3 }, "assertions": { "total": 9, "failed": 1 } },
            "failures": [{ "source": { "name": "Refresh" }, "error": { "test": "answers 200", "message": "got 400" } }],
        }});
        assert_eq!(summary(&report), "3 requests, 9 assertions, 1 failed");
        assert_eq!(failures(&report), ["Refresh: answers 200: got 400"]);
        assert!(failures(&json!({})).is_empty());
    }
}
