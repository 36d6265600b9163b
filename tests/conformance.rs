//! `docs/conformance.md`: every rule that the conformance suites of OpenID Connect, FAPI 2.0 and SMART App Launch look at, and
//! the tests that hold it here. A test says above its attributes which rules it holds: `// OIDC-57`.
//!
//! The last column of the table is made from those comments. Set `WARDGATE_UPDATE_SNAPSHOTS` to write it anew.

use std::collections::{BTreeMap, BTreeSet};

use wardgate_tests::source::{files, read, root};

const DOCUMENT: &str = "docs/conformance.md";
const SUITES: [&str; 4] = ["OIDC-", "OUT-", "FAPI-", "SMART-"];
/// Begins the last cell of a rule that no test holds; the reason follows.
const UNTESTED: &str = "Not tested: ";
/// How many tests of a rule are named; more are counted.
const NAMED: usize = 3;

/// The rules that a comment names.
fn rules_in(line: &str) -> Vec<String> {
    line.split(|character: char| !(character.is_ascii_alphanumeric() || character == '-'))
        .filter(|word| {
            SUITES.iter().any(|suite| {
                word.strip_prefix(suite).is_some_and(|number| {
                    number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit())
                })
            })
        })
        .map(str::to_owned)
        .collect()
}

/// The name of the function that a line declares.
fn function_in(line: &str) -> Option<&str> {
    let declaration = line.trim_start().trim_start_matches("async ");
    declaration.strip_prefix("fn ")?.split('(').next()
}

/// The tests of each rule in one file.
fn tests_in(text: &str, found: &mut BTreeMap<String, BTreeSet<String>>) {
    let (mut rules, mut is_test) = (Vec::new(), false);
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with("//") {
            rules.extend(rules_in(line));
        } else if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        } else {
            if let Some(name) = function_in(line).filter(|_| is_test) {
                for rule in std::mem::take(&mut rules) {
                    found.entry(rule).or_default().insert(name.to_owned());
                }
            }
            rules.clear();
            is_test = false;
        }
    }
}

fn tests_by_rule() -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for path in files().iter().filter(|path| path.ends_with(".rs")) {
        tests_in(&read(path).expect("Rust is text"), &mut found);
    }
    found
}

/// The last cell of a rule's row.
fn cell(tests: &BTreeSet<String>) -> String {
    let mut named: Vec<String> = tests.iter().take(NAMED).map(|test| format!("`{test}`")).collect();
    if tests.len() > NAMED {
        named.push(format!("and {} more", tests.len() - NAMED));
    }
    named.join(", ")
}

/// The table as it should be, and the rules that have neither a test nor a reason.
fn completed(document: &str, tests: &BTreeMap<String, BTreeSet<String>>) -> (String, Vec<String>) {
    let (mut lines, mut missing) = (Vec::new(), Vec::new());
    for line in document.lines() {
        let cells: Vec<&str> = line.split(" | ").collect();
        let rule = cells.first().and_then(|cell| cell.strip_prefix("| "));
        let (Some(rule), Some(statement), true) = (
            rule.filter(|rule| rules_in(rule).len() == 1),
            cells.get(1),
            line.starts_with("| "),
        ) else {
            lines.push(line.to_owned());
            continue;
        };
        let reason = cells
            .get(2)
            .map(|cell| cell.trim_end_matches(" |"))
            .filter(|cell| cell.starts_with(UNTESTED));
        let last = match (tests.get(rule), reason) {
            (Some(tests), _) => cell(tests),
            (None, Some(reason)) => reason.to_owned(),
            (None, None) => {
                missing.push(rule.to_owned());
                String::from("—")
            }
        };
        lines.push(format!("| {rule} | {statement} | {last} |"));
    }
    (lines.join("\n") + "\n", missing)
}

#[test]
fn every_rule_of_the_suites_has_a_test_or_a_reason() {
    let document = read(DOCUMENT).expect("Markdown is text");
    let (completed, missing) = completed(&document, &tests_by_rule());
    if std::env::var_os("WARDGATE_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(root().join(DOCUMENT), &completed).expect("the document is written");
    } else {
        assert!(
            document == completed,
            "{DOCUMENT} is out of date: run this test with WARDGATE_UPDATE_SNAPSHOTS=1"
        );
    }
    assert!(
        missing.is_empty(),
        "rules without a test or a reason: {missing:?}"
    );
}

#[test]
fn every_rule_that_a_test_names_stands_in_the_document() {
    let document = read(DOCUMENT).expect("Markdown is text");
    let unknown: Vec<String> = tests_by_rule()
        .into_keys()
        .filter(|rule| !document.contains(&format!("| {rule} |")))
        .collect();
    assert!(unknown.is_empty(), "no such rules: {unknown:?}");
}

#[test]
fn a_rule_belongs_to_the_test_below_it() {
    let text = "// OIDC-01, SMART-22: why\n#[tokio::test]\nasync fn one() {\n    // OIDC-09\n}\n\n// OUT-01\nfn helper() {}\n\
                \n#[test]\nfn two() {}\n";
    let mut found = BTreeMap::new();
    tests_in(text, &mut found);
    let one = BTreeSet::from([String::from("one")]);
    assert_eq!(
        found,
        BTreeMap::from([("OIDC-01".into(), one.clone()), ("SMART-22".into(), one)])
    );
}
