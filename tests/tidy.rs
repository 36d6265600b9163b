//! The design's invariants, held over the source tree: who may depend on whom, who may name what, and what no file of
//! this repository contains. ARCHITECTURE.md says why each of them is there.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use wardgate_tests::source::{Rust, files, has_word, read, root};

/// The packages that make up the product and its tools; tests are written more freely.
const PRODUCT: [&str; 4] = ["shared/", "edge/", "issuer/", "xtask/"];

/// What `shared` may be built from: formats, numbers and digests. Nothing here does I/O or knows a runtime.
const SHARED_MAY_DEPEND_ON: [&str; 12] = [
    "anyhow",
    "base64ct",
    "chrono",
    "jwt-compact",
    "miniz_oxide",
    "percent-encoding",
    "serde",
    "serde_json",
    "sha2",
    "subtle",
    "thiserror",
    "zeroize",
];

/// Packages that the project promises to stand on.
const CARD: [&str; 10] = [
    "axum",
    "getrandom",
    "jwt-compact",
    "rusqlite",
    "serde",
    "serde_json",
    "sha2",
    "tokio",
    "wasm-bindgen",
    "worker",
];

const LONGEST_FILE: usize = 450;

/// Every Rust file with its text.
fn rust_files() -> impl Iterator<Item = (String, String)> {
    files()
        .into_iter()
        .filter(|path| path.ends_with(".rs"))
        .map(|path| {
            let text = read(&path).unwrap_or_else(|| panic!("{path} is UTF-8"));
            (path, text)
        })
}

/// Every Rust file of the product, taken apart.
fn product_files() -> impl Iterator<Item = (String, Rust)> {
    rust_files()
        .filter(|(path, _)| PRODUCT.iter().any(|package| path.starts_with(package)))
        .map(|(path, text)| (path, Rust::parse(&text)))
}

fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.starts_with("tests/")
}

#[track_caller]
fn assert_none(rule: &str, offenders: impl IntoIterator<Item = String>) {
    let offenders: Vec<String> = offenders.into_iter().collect();
    assert!(
        offenders.is_empty(),
        "{rule}; offending:\n  {}",
        offenders.join("\n  ")
    );
}

/// The dependencies of each member by kind (`normal`, `dev`, `build`).
fn dependencies() -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let mut members: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let kinds = members.entry(text(&package["name"])).or_default();
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let kind = dependency["kind"].as_str().unwrap_or("normal").to_owned();
            kinds.entry(kind).or_default().insert(text(&dependency["name"]));
        }
    }
    members
}

/// Everything that `package` depends on, in whatever way, through the workspace's own packages.
fn reachable(package: &str) -> BTreeSet<String> {
    let members = dependencies();
    let mut found = BTreeSet::new();
    let mut open = vec![package.to_owned()];
    while let Some(next) = open.pop() {
        for dependency in members
            .get(&next)
            .into_iter()
            .flat_map(BTreeMap::values)
            .flatten()
        {
            if found.insert(dependency.clone()) {
                open.push(dependency.clone());
            }
        }
    }
    found
}

#[test]
fn edge_and_issuer_never_depend_on_each_other() {
    assert!(!reachable("wardgate-edge").contains("wardgate-issuer"));
    assert!(!reachable("wardgate-issuer").contains("wardgate-edge"));
    assert!(reachable("wardgate-edge").contains("wardgate-shared"));
    assert!(reachable("wardgate-issuer").contains("wardgate-shared"));
}

#[test]
fn shared_depends_on_no_runtime_no_network_and_no_storage() {
    let members = dependencies();
    let shared = &members["wardgate-shared"];
    assert_none(
        "shared depends on what the list allows, and nothing else",
        shared["normal"]
            .iter()
            .filter(|name| !SHARED_MAY_DEPEND_ON.contains(&name.as_str()))
            .cloned(),
    );
    assert!(!shared.contains_key("build"), "shared has no build script");
}

#[test]
fn shared_is_no_std() {
    let library = Rust::parse(&read("shared/src/lib.rs").expect("text"));
    let code: String = library.code.split_whitespace().collect();
    assert!(
        code.contains("#![no_std]"),
        "shared/src/lib.rs begins with #![no_std]"
    );
    assert_eq!(
        code.matches("externcratestd").count(),
        code.matches("#[cfg(test)]externcratestd").count(),
        "std is there for tests only"
    );
}

#[test]
fn every_package_of_the_card_is_in_use() {
    let members = dependencies();
    let direct: BTreeSet<&String> = members
        .values()
        .filter_map(|kinds| kinds.get("normal"))
        .flatten()
        .collect();
    assert_none(
        "a package of the card is a direct dependency of some member",
        CARD.into_iter()
            .filter(|name| !direct.contains(&(*name).to_owned()))
            .map(str::to_owned),
    );
    let sources: Vec<Rust> = product_files()
        .filter(|(path, _)| !is_test_file(path))
        .map(|(_, rust)| rust)
        .collect();
    assert_none(
        "a package of the card is named by the code of the product",
        CARD.into_iter()
            .filter(|name| {
                !sources
                    .iter()
                    .any(|rust| rust.has_path_from(&name.replace('-', "_")))
            })
            .map(str::to_owned),
    );
}

#[test]
fn only_the_platform_module_names_the_runtime_of_the_worker() {
    let runtime = [
        "worker",
        "web_sys",
        "js_sys",
        "wasm_bindgen",
        "wasm_bindgen_futures",
    ];
    let offenders = product_files()
        .filter(|(path, _)| !path.starts_with("edge/src/platform/") && path != "edge/src/platform.rs")
        .filter(|(_, rust)| runtime.iter().any(|name| rust.has_path_from(name)))
        .map(|(path, _)| path);
    assert_none(
        "only edge/src/platform names worker, web-sys, js-sys and wasm-bindgen",
        offenders,
    );
}

#[test]
fn only_the_store_holds_sql() {
    let statements = [
        "SELECT ",
        "INSERT ",
        "UPDATE ",
        "DELETE FROM ",
        "CREATE ",
        "DROP ",
        "ALTER ",
        "PRAGMA ",
        "BEGIN",
        "WITH ",
    ];
    let offenders = product_files()
        .filter(|(path, _)| !path.starts_with("issuer/src/store/") && path != "issuer/src/store.rs")
        // Tests look at files behind the store's back.
        .filter(|(path, _)| !is_test_file(path))
        .filter_map(|(path, rust)| {
            if rust.names("rusqlite") {
                return Some(format!("{path} names rusqlite"));
            }
            let sql = rust.strings.iter().find(|text| {
                let text = text.trim_start();
                statements.iter().any(|statement| text.starts_with(statement)) && !text.starts_with("BEGIN ")
                    || text.contains(" FROM ") && text.contains("SELECT")
            })?;
            Some(format!("{path}: {sql:?}"))
        });
    assert_none("only issuer/src/store holds SQL", offenders);
}

#[test]
fn no_module_is_called_mod_rs() {
    assert_none(
        "a module is `foo.rs` beside `foo/`",
        files()
            .into_iter()
            .filter(|path| path.rsplit('/').next() == Some("mod.rs")),
    );
}

#[test]
fn every_module_says_what_it_is_for() {
    let offenders = rust_files()
        .filter(|(path, _)| !path.ends_with("/tests.rs"))
        .filter(|(_, text)| {
            // What a program needs before everything else: `#![no_main]`.
            let first = text
                .lines()
                .find(|line| !line.is_empty() && !line.starts_with("#!["));
            !first.is_some_and(|line| line.starts_with("//! "))
        })
        .map(|(path, _)| path);
    assert_none("a file begins with a //! header", offenders);
}

#[test]
fn no_file_outgrows_a_readers_head() {
    let offenders = rust_files()
        .filter(|(path, _)| !is_test_file(path))
        .filter_map(|(path, text)| {
            // Tests at the end of a file are read apart from it.
            let lines = text
                .lines()
                .take_while(|line| !line.starts_with("mod tests {"))
                .count();
            (lines > LONGEST_FILE).then(|| format!("{path}: {lines} lines"))
        });
    assert_none(&format!("no file has more than {LONGEST_FILE} lines"), offenders);
}

#[test]
fn no_lint_is_switched_off_by_allow() {
    let offenders = rust_files()
        .filter(|(_, text)| {
            let code: String = Rust::parse(text).code.split_whitespace().collect();
            code.contains("#[allow(")
                || code.contains("#![allow(")
                || code.split("cfg_attr(").skip(1).any(|rest| {
                    rest.split(")]")
                        .next()
                        .is_some_and(|attribute| attribute.contains(",allow("))
                })
        })
        .map(|(path, _)| path);
    assert_none("a lint is set aside by `expect` with a reason", offenders);
}

#[test]
fn nothing_is_left_to_do() {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let offenders = files()
        .into_iter()
        .filter(|path| !path.ends_with("package-lock.json"))
        .filter_map(|path| {
            let text = read(&path)?;
            let line = text
                .lines()
                .position(|line| marks.iter().any(|mark| has_word(line, mark)))?;
            Some(format!("{path}:{}", line + 1))
        });
    assert_none("what is open stands in an issue, not in a comment", offenders);
}

#[test]
fn lock_files_record_no_download_addresses() {
    for path in files() {
        let text = || read(&path).expect("a lock file is text");
        if path.ends_with("package-lock.json") {
            assert!(!text().contains("\"resolved\""), "{path} has download addresses");
        }
        if path.ends_with("Cargo.lock") {
            let index = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
            assert_none(
                &format!("{path} takes everything from crates.io"),
                text()
                    .lines()
                    .filter(|line| line.starts_with("source = ") && *line != index)
                    .map(str::to_owned),
            );
        }
    }
}

#[test]
fn no_file_names_a_registry_host_or_a_place_of_one_machine() {
    let hosts = [
        concat!("registry.npmjs", ".org"),
        concat!("static.crates", ".io"),
        concat!("index.crates", ".io"),
        concat!("pypi", ".org"),
        concat!("pythonhosted", ".org"),
        concat!("deb.debian", ".org"),
    ];
    let places = [
        concat!("/ro", "ot"),
        concat!("/ho", "me"),
        concat!("/t", "mp"),
        concat!("/Us", "ers"),
    ];
    let offenders = files().into_iter().filter_map(|path| {
        let text = read(&path)?;
        let line = text.lines().position(|line| {
            hosts.iter().any(|host| line.contains(host))
                || places.iter().any(|place| {
                    line.match_indices(place).any(|(at, _)| {
                        // A place is absolute; `a/home/b` and a route called `/tmpl` are none.
                        let before = line[..at].chars().next_back();
                        let after = line[at + place.len()..].chars().next();
                        !before.is_some_and(|one| one.is_alphanumeric() || "_-.}/".contains(one))
                            && after == Some('/')
                    })
                })
        })?;
        Some(format!("{path}:{}", line + 1))
    });
    assert_none("files hold for every machine", offenders);
}

/// The parts of a Markdown text between backticks that look like paths of this repository, and the targets of relative
/// links.
fn paths_named_in(text: &str, top: &BTreeSet<String>) -> Vec<String> {
    let mut named: Vec<String> = Vec::new();
    for line in text.lines() {
        for code in line.split('`').skip(1).step_by(2) {
            let path = code.strip_suffix('/').unwrap_or(code);
            let plain = path
                .chars()
                .all(|one| one.is_ascii_alphanumeric() || "_-./".contains(one));
            let first = path.split('/').next().unwrap_or_default();
            if plain && path.contains('/') && top.contains(first) {
                named.push(path.to_owned());
            }
        }
        for link in line.split("](").skip(1) {
            let target = link.split([')', '#', ' ']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains(':') && !target.starts_with('/') {
                named.push(format!("./{target}"));
            }
        }
    }
    named
}

#[test]
fn documents_name_only_paths_that_exist() {
    let files = files();
    let top: BTreeSet<String> = files
        .iter()
        .filter_map(|path| Some(path.split_once('/')?.0.to_owned()))
        .collect();
    let mut offenders = Vec::new();
    for document in files.iter().filter(|path| path.ends_with(".md")) {
        let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
        for path in paths_named_in(&read(document).expect("Markdown is text"), &top) {
            let from_root = match path.strip_prefix("./") {
                Some(relative) => root().join(folder).join(relative),
                None => root().join(&path),
            };
            if !from_root.exists() {
                offenders.push(format!("{document}: {path}"));
            }
        }
    }
    assert_none("a document names only what is there", offenders);
}

#[test]
fn the_tables_of_threats_rules_and_compliance_name_only_tests_that_exist() {
    let tables: Vec<String> = files()
        .iter()
        .filter(|path| {
            ["docs/threats.md", "docs/authorization.md", "docs/compliance.md"].contains(&path.as_str())
        })
        .filter_map(|path| read(path))
        .collect();
    let sources: Vec<String> = rust_files().map(|(_, text)| text).collect();
    let mut offenders = Vec::new();
    for row in tables
        .iter()
        .flat_map(|table| table.lines())
        .filter(|line| line.starts_with('|'))
    {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        for name in cells
            .last()
            .into_iter()
            .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        {
            let function = name.rsplit("::").next().unwrap_or(name);
            let is_name = function.contains('_')
                && function
                    .chars()
                    .all(|one| one.is_ascii_alphanumeric() || one == '_');
            if is_name
                && !sources
                    .iter()
                    .any(|text| text.contains(&format!("fn {function}(")))
            {
                offenders.push(name.to_owned());
            }
        }
    }
    assert_none("every defence has the test that is named for it", offenders);
}

/// The anchors that a page offers: its headings as GitHub names them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in outside_of_blocks(text).filter(|line| line.starts_with('#')) {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let anchor: String = heading
            .chars()
            .filter(|one| one.is_alphanumeric() || " -_".contains(*one))
            .map(|one| if one == ' ' { '-' } else { one })
            .collect();
        let again = (1..).map(|number| format!("{anchor}-{number}"));
        let free = std::iter::once(anchor.clone())
            .chain(again)
            .find(|name| !found.contains(name));
        found.extend(free);
    }
    found
}

/// The lines of a Markdown text that are no code.
fn outside_of_blocks(text: &str) -> impl Iterator<Item = &str> {
    let mut is_inside = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_inside ^= is_fence;
        !is_inside && !is_fence
    })
}

/// The relative links of a Markdown text: file (empty for the page itself) and anchor.
fn links(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    outside_of_blocks(text)
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split([')', ' ']).next())
        .filter(|target| !target.contains(':') && !target.starts_with('/'))
        .map(|target| match target.split_once('#') {
            Some((file, anchor)) => (file, Some(anchor)),
            None => (target, None),
        })
}

#[test]
fn every_anchor_that_a_link_names_is_a_heading() {
    let mut offenders = Vec::new();
    for document in files().iter().filter(|path| path.ends_with(".md")) {
        let text = read(document).expect("Markdown is text");
        let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (file, anchor) in links(&text) {
            let Some(anchor) = anchor else { continue };
            let there = match file {
                "" => text.clone(),
                file => std::fs::read_to_string(root().join(folder).join(file)).unwrap_or_default(),
            };
            if !anchors(&there).contains(anchor) {
                offenders.push(format!("{document}: {file}#{anchor}"));
            }
        }
    }
    assert_none("a link leads to a heading that is there", offenders);
}

#[test]
fn headings_are_named_as_in_links() {
    let text = "# A `b` (c), d\n## A `b` (c), d\n```sh\n# no heading\n```\n### 1. `/x`";
    let expected = ["a-b-c-d", "a-b-c-d-1", "1-x"].map(str::to_owned);
    assert_eq!(anchors(text), BTreeSet::from(expected));
    let text = "[a](b.md#c) and [d](e.md), [f](#g), [h](https://i.example#j)\n```\n[k](l.md)\n```";
    let expected = [("b.md", Some("c")), ("e.md", None), ("", Some("g"))];
    assert!(links(text).eq(expected));
}

#[test]
fn the_index_leads_to_every_page() {
    let index = read("docs/README.md").expect("Markdown is text");
    let linked: BTreeSet<String> = links(&index).map(|(file, _)| file.to_owned()).collect();
    let offenders = files()
        .into_iter()
        .filter_map(|path| Some(path.strip_prefix("docs/")?.to_owned()))
        .filter(|page| page.ends_with(".md") && page != "README.md" && !linked.contains(page));
    assert_none("docs/README.md names every page of docs", offenders);
}

#[test]
fn what_guides_show_of_the_examples_stands_there() {
    let examples: String = files()
        .iter()
        .filter(|path| path.starts_with("examples/"))
        .filter_map(|path| read(path))
        .collect();
    let mut offenders = Vec::new();
    for guide in files().iter().filter(|path| path.starts_with("docs/guides/")) {
        let text = read(guide).expect("Markdown is text");
        for language in ["ts", "python"] {
            let fence = format!("```{language}\n");
            let shown = text.split(&fence).skip(1);
            let shown = shown.filter_map(|rest| rest.split("```").next());
            offenders.extend(
                shown
                    .filter(|block| !examples.contains(block))
                    .map(|block| format!("{guide}:\n{block}")),
            );
        }
    }
    assert_none("code in a guide is taken from an example", offenders);
}
