//! A Node that wrangler runs on: the machine's own where it is new enough, else the one among the npm tools.

use std::{path::PathBuf, process::Command};

use crate::{
    fault::Outcome,
    tools::npm::NpmTools,
    versions::{OLDEST_NODE, OLDEST_NODE_23},
    workspace::which,
};

/// The path of a `node` that is new enough.
pub(crate) fn provide(tools: &NpmTools) -> Outcome<PathBuf> {
    if let Some(node) = which("node") {
        let version = Command::new(&node).arg("--version").output();
        let text = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        if text.is_ok_and(|text| parse(&text).is_some_and(is_new_enough)) {
            return Ok(node);
        }
    }
    tools.node()
}

fn is_new_enough(version: (u32, u32)) -> bool {
    version >= OLDEST_NODE && (version.0 != 23 || version >= OLDEST_NODE_23)
}

/// Major and minor of `v22.12.0`.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().strip_prefix('v')?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::{is_new_enough, parse};

    #[test]
    fn reads_what_node_prints() {
        assert_eq!(parse("v22.23.2\n"), Some((22, 23)));
        assert_eq!(parse("v9.0.0"), Some((9, 0)));
        assert_eq!(parse("nonsense"), None);
    }

    #[test]
    fn takes_a_node_that_runs_wrangler_and_typescript() {
        assert!([(22, 18), (23, 6), (24, 0)].into_iter().all(is_new_enough));
        assert!(![(20, 20), (22, 17), (23, 5)].into_iter().any(is_new_enough));
    }
}
