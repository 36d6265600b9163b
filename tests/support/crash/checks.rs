//! What must be true of the files after a restart, whoever was told what.

use serde_json::Value;
use wardgate_issuer::store::check_integrity;

use super::Report;
use super::site::Site;

/// Everything that is wrong with the files.
pub(super) fn all(site: &Site, report: &mut Report) -> Vec<String> {
    let mut problems = Vec::new();
    if let Err(error) = check_integrity(&site.path("wardgate.db")) {
        problems.push(format!("the database: {error}"));
    }
    let output = site.run(&["audit", "verify", "--json"], "");
    let trail: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    if output.status.success() && trail["faults"].as_array().is_some_and(Vec::is_empty) {
        report.audit_lines = trail["lines"].as_u64().unwrap_or_default();
    } else {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        problems.push(format!("the audit trail: {trail} {said}"));
    }
    for entry in std::fs::read_dir(site.path("backups")).expect("a folder") {
        let file = entry.expect("an entry").path();
        // What has another name is what a killed copy left, and nobody takes it for a backup.
        if file.extension().is_some_and(|ending| ending == "db") {
            match check_integrity(&file) {
                Ok(()) => report.backups += 1,
                Err(error) => problems.push(format!("a backup: {error}")),
            }
        }
        std::fs::remove_file(&file).expect("the backup is removed");
    }
    problems
}
