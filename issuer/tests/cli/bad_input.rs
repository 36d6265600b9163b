//! Bad input to every command: one clear sentence, an exit code by its kind, and nothing lost or half made.
//!
//! The commands are those of the program's own table, so a new one is not forgotten: it needs a line below.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::CommandFactory as _;
use rusqlite::Connection;
use wardgate_issuer::cli::{Arguments, EXIT_CODES};

use crate::support::{Answer, Wardgate};

/// A line for each command that it can read; what it is about need not exist. `FILE` is a path of the test's.
const LINES: &[&str] = &[
    "serve",
    "init",
    "check-config",
    "user add --email ada@example.org --name Ada --invite --print-link",
    "user list",
    "user change --email ada@example.org --name Ada",
    "user invite --email ada@example.org --print-link",
    "user sign-out --email ada@example.org",
    "user deactivate --email ada@example.org",
    "user reactivate --email ada@example.org",
    "user add-totp --email ada@example.org --secret-stdin",
    "user reset-factors --email ada@example.org",
    "user allow-local-sign-in --email ada@example.org",
    "user set-profile --email ada@example.org --profile FILE",
    "role add --name Reception --scope openid",
    "role list",
    "role change --name Reception --scope openid",
    "role remove --name Reception",
    "organization add --id clinic --name Clinic",
    "organization list",
    "client add --client-id app --name App --type confidential --grant client_credentials --scope system/*.rs",
    "client list",
    "client remove --client-id app",
    "client registration-token add --description Partner",
    "client registration-token list",
    "client registration-token revoke regtoken-1",
    "sso add --name Clinic --preset google --client-id app",
    "sso change clinic --name Clinic",
    "sso list",
    "sso remove clinic",
    "sso attest-mfa clinic",
    "sso enable clinic",
    "sso disable clinic",
    "sso add-domain clinic example.org",
    "sso verify-domain clinic example.org",
    "sso remove-domain clinic example.org",
    "sso unlink clinic somebody",
    "sso explain ada@example.org",
    "api-key add --name Integration --scope system/Patient.rs",
    "api-key list",
    "api-key rotate key-1",
    "api-key revoke key-1",
    "audit verify",
    "audit export",
    "backup --to FILE",
    "restore --from FILE",
    "migrate",
    "keys list",
    "keys rotate",
    "keys revoke key-1",
    "keys rotate-master --to FILE",
    "deny --subject somebody",
];

/// The commands that need no database.
const WITHOUT_DATABASE: [&str; 1] = ["check-config"];

/// Every command that does something, as words.
fn commands() -> BTreeSet<String> {
    fn walk(command: &clap::Command, words: &str, found: &mut BTreeSet<String>) {
        let mut is_leaf = true;
        for below in command
            .get_subcommands()
            .filter(|below| below.get_name() != "help")
        {
            is_leaf = false;
            walk(below, format!("{words} {}", below.get_name()).trim_start(), found);
        }
        if is_leaf {
            found.insert(words.to_owned());
        }
    }
    let mut found = BTreeSet::new();
    walk(&Arguments::command(), "", &mut found);
    found
}

/// The line of each command.
fn lines() -> BTreeMap<String, &'static str> {
    let commands = commands();
    let mut lines = BTreeMap::new();
    for line in LINES {
        let of: Vec<&String> = commands
            .iter()
            .filter(|command| *line == command.as_str() || line.starts_with(&format!("{command} ")))
            .collect();
        assert_eq!(of.len(), 1, "{line} is of one command");
        lines.insert(of.into_iter().next().unwrap().clone(), *line);
    }
    let missing: Vec<&String> = commands
        .iter()
        .filter(|command| !lines.contains_key(*command))
        .collect();
    assert!(
        missing.is_empty(),
        "these commands need a line in LINES: {missing:?}"
    );
    lines
}

/// The words of a line, with `file` in the place of `FILE`.
fn words<'a>(line: &'a str, file: &'a str) -> Vec<&'a str> {
    line.split(' ')
        .map(|word| if word == "FILE" { file } else { word })
        .collect()
}

/// Whatever lies in a folder: names, and what the files hold. What SQLite and the lock keep beside the database counts as nothing.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.to_str().unwrap();
            !["-wal", "-shm", ".lock"]
                .iter()
                .any(|ending| name.ends_with(ending))
        })
        .map(|path| (path.clone(), std::fs::read(&path).ok()))
        .collect()
}

/// One sentence of ours on standard error, nothing on standard output, and this exit code.
#[track_caller]
fn is_told(answer: &Answer, codes: &[i32], what: &str) {
    let said = &answer.stderr;
    assert!(
        codes.contains(&answer.code),
        "{what}: exit code {} and {said}",
        answer.code
    );
    assert!(
        said.starts_with("wardgate: ") && said.ends_with('\n'),
        "{what}: {said}"
    );
    assert_eq!(said.lines().count(), 1, "{what}: {said}");
    assert!(said.len() > 30 && !said.contains("panicked"), "{what}: {said}");
    assert_eq!(answer.stdout, "", "{what}");
}

/// Runs every command that needs a database over what `spoil` has made of one; `init` among them if `with_init`.
fn over_a_spoilt_database(with_init: bool, code: i32, said: &str, spoil: impl Fn(&Wardgate)) {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    let file = wardgate.path("file");
    std::fs::write(&file, "{}").unwrap();
    spoil(&wardgate);
    let before = contents(wardgate.folder());
    for (command, line) in lines() {
        let is_left_out = WITHOUT_DATABASE.contains(&command.as_str())
            // What is restored is looked at first; the database may well be spoilt.
            || command == "restore"
            || (command == "init" && !with_init);
        if is_left_out {
            continue;
        }
        let to = wardgate.path("new");
        let file = if command == "backup" { &to } else { &file };
        // Who reads a seed reads it first.
        let answer = wardgate.run_with(
            &words(line, file.to_str().unwrap()),
            "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        );
        is_told(&answer, &[code], line);
        assert!(answer.stderr.contains(said), "{line}: {}", answer.stderr);
        assert_eq!(contents(wardgate.folder()), before, "{line}");
    }
}

#[test]
fn every_command_refuses_a_flag_that_it_does_not_know() {
    let wardgate = Wardgate::new();
    let before = contents(wardgate.folder());
    for command in lines().keys() {
        let mut words: Vec<&str> = command.split(' ').collect();
        words.push("--no-such-flag");
        let answer = wardgate.run(&words);
        is_told(&answer, &[2], command);
        assert!(answer.stderr.contains("'--no-such-flag'"), "{}", answer.stderr);
        assert!(
            answer.stderr.contains(&format!("`wardgate {command} --help`")),
            "{}",
            answer.stderr
        );
    }
    assert_eq!(contents(wardgate.folder()), before);
}

#[test]
fn every_command_names_a_configuration_that_cannot_be_read() {
    let wardgate = Wardgate::new();
    std::fs::create_dir(wardgate.path("folder")).unwrap();
    std::fs::write(wardgate.path("binary"), [0, 159, 146, 150, 255]).unwrap();
    std::fs::write(wardgate.path("words"), "not a table").unwrap();
    let before = contents(wardgate.folder());
    for (place, (_, line)) in lines().iter().enumerate() {
        // Each command with one of them, in turn: they all read it by the same function, before anything else.
        let config = wardgate.path(["absent", "folder", "binary", "words"][place % 4]);
        let config = config.to_str().unwrap();
        let line = words(line, "file");
        let output = Command::new(env!("CARGO_BIN_EXE_wardgate"))
            .args(["--config", config])
            .args(&line)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let answer = Answer::of(output);
        is_told(&answer, &[2], &format!("{line:?} with {config}"));
        assert!(answer.stderr.contains(config), "{}", answer.stderr);
    }
    assert_eq!(contents(wardgate.folder()), before);
}

#[test]
fn every_command_names_a_database_that_is_not_there() {
    over_a_spoilt_database(false, 3, "run `wardgate init` first", |wardgate| {
        std::fs::remove_file(wardgate.path("wardgate.db")).unwrap();
    });
}

#[test]
fn every_command_takes_an_empty_file_for_no_database() {
    over_a_spoilt_database(false, 3, "run `wardgate init` first", |wardgate| {
        std::fs::write(wardgate.path("wardgate.db"), "").unwrap();
    });
}

#[test]
fn every_command_refuses_the_database_of_a_newer_program() {
    over_a_spoilt_database(true, 3, "use the newer program", |wardgate| {
        let connection = Connection::open(wardgate.path("wardgate.db")).unwrap();
        connection.pragma_update(None, "user_version", 1000).unwrap();
    });
}

#[test]
fn every_command_refuses_a_file_that_is_no_database() {
    over_a_spoilt_database(true, 3, "is not a database", |wardgate| {
        std::fs::write(wardgate.path("wardgate.db"), [7; 10_000]).unwrap();
    });
}

#[test]
fn every_command_refuses_the_database_of_another_program() {
    over_a_spoilt_database(true, 3, "of another program", |wardgate| {
        std::fs::remove_file(wardgate.path("wardgate.db")).unwrap();
        let connection = Connection::open(wardgate.path("wardgate.db")).unwrap();
        connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
    });
}

#[test]
fn every_command_refuses_a_directory_for_a_database() {
    over_a_spoilt_database(true, 3, "it is a directory", |wardgate| {
        std::fs::remove_file(wardgate.path("wardgate.db")).unwrap();
        std::fs::create_dir(wardgate.path("wardgate.db")).unwrap();
    });
}

#[test]
fn every_command_names_a_master_key_that_cannot_be_used() {
    over_a_spoilt_database(true, 5, "master key", |wardgate| {
        std::fs::write(wardgate.path("master.key"), "short").unwrap();
    });
}

#[test]
fn a_schema_that_is_damaged_is_told_by_every_command_as_damage() {
    over_a_spoilt_database(true, 7, "put a backup in its place", |wardgate| {
        let path = wardgate.path("wardgate.db");
        let mut bytes = std::fs::read(&path).unwrap();
        // The first page is the schema's; its first hundred bytes say that it is a database.
        bytes[100..4096].fill(0xff);
        std::fs::write(&path, bytes).unwrap();
    });
}

/// Every argument that names a file to be read: the command and the flag.
fn input_files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for command in commands() {
        let mut tree = Arguments::command();
        for word in command.split(' ') {
            tree = tree.find_subcommand(word).unwrap().clone();
        }
        for argument in tree.get_arguments() {
            let is_file = argument
                .get_value_names()
                .is_some_and(|names| names.iter().any(|name| name.as_str() == "FILE"));
            let flag = format!("--{}", argument.get_long().unwrap_or_default());
            if is_file && flag != "--config" && flag != "--to" {
                found.push((command.clone(), flag));
            }
        }
    }
    found
}

#[test]
fn files_that_cannot_be_what_they_are_meant_to_be_are_named_and_nothing_is_made() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    std::fs::create_dir(wardgate.path("folder")).unwrap();
    std::fs::write(wardgate.path("empty"), "").unwrap();
    std::fs::write(
        wardgate.path("binary"),
        (0..=255).cycle().take(5000).collect::<Vec<u8>>(),
    )
    .unwrap();
    let count = |table: &str| -> i64 {
        let connection = Connection::open(wardgate.path("wardgate.db")).unwrap();
        let query = format!("SELECT count(*) FROM {table}");
        connection.query_row(&query, [], |row| row.get(0)).unwrap()
    };
    let files = input_files();
    assert!(files.len() >= 5, "{files:?}");
    for (command, flag) in files {
        for name in ["absent", "folder", "empty", "binary"] {
            let before = (
                count("clients"),
                count("users"),
                contents(wardgate.folder()).len(),
            );
            let file = wardgate.path(name);
            let file = file.to_str().unwrap();
            let mut line: Vec<&str> = words(lines()[&command], file);
            if !line.contains(&flag.as_str()) {
                line.extend([flag.as_str(), file]);
            }
            if flag == "--jwks" {
                line.extend(["--auth", "private_key_jwt"]);
            }
            let answer = wardgate.run(&line);
            let codes: &[i32] = match (command.as_str(), name) {
                ("restore", "absent") => &[4],
                ("restore", "folder") => &[3],
                ("restore", _) => &[7],
                _ => &[2],
            };
            is_told(&answer, codes, &format!("{line:?}"));
            assert!(answer.stderr.contains(file), "{line:?}: {}", answer.stderr);
            let after = (
                count("clients"),
                count("users"),
                contents(wardgate.folder()).len(),
            );
            assert_eq!(after, before, "{line:?}");
        }
    }
}

#[test]
fn a_damaged_backup_is_refused_and_the_database_stays() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    let (copy, damaged) = (wardgate.path("copy.db"), wardgate.path("damaged.db"));
    wardgate.run(&["backup", "--to", copy.to_str().unwrap()]).ok();
    let sound = std::fs::read(&copy).unwrap();
    let half = sound.len() / 2;
    let page = half - half % 4096;
    let mut overwritten = sound.clone();
    overwritten[page..page + 4096].fill(0xaa);
    let before = wardgate.run(&["keys", "list", "--json"]).json();
    for (what, bytes) in [
        ("cut off", &sound[..half]),
        ("cut off within its head", &sound[..50]),
        ("overwritten", &overwritten[..]),
    ] {
        std::fs::write(&damaged, bytes).unwrap();
        for more in [&["--check"][..], &[]] {
            let line = [&["restore", "--from", damaged.to_str().unwrap()], more].concat();
            is_told(&wardgate.run(&line), &[7], what);
        }
    }
    assert_eq!(wardgate.run(&["keys", "list", "--json"]).json(), before);
    assert!(
        !wardgate
            .files()
            .iter()
            .any(|name| name.contains("restoring") || name.contains("before"))
    );
}

#[test]
fn a_backup_that_cannot_be_written_leaves_nothing_and_its_failure_is_recorded() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    std::fs::create_dir(wardgate.path("folder")).unwrap();
    let files = wardgate.files();
    for (to, code) in [
        ("folder", 4),
        ("wardgate.toml", 4),
        ("absent/copy.db", 3),
        ("wardgate.toml/copy.db", 3),
    ] {
        let path = wardgate.path(to);
        is_told(
            &wardgate.run(&["backup", "--to", path.to_str().unwrap()]),
            &[code],
            to,
        );
        assert_eq!(wardgate.files(), files, "{to}");
    }
    let trail = wardgate.run(&["audit", "export"]).ok();
    let failures = trail
        .lines()
        .filter(|line| line.contains("\"backup\"") && line.contains("\"failure\""))
        .count();
    assert_eq!(failures, 4, "{trail}");
    wardgate.run(&["audit", "verify"]).ok();
}

#[test]
fn a_reader_who_has_gone_is_told_to_whoever_is_left() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    let file = wardgate.path("file");
    for (command, line) in lines() {
        if command == "restore" {
            continue;
        }
        std::fs::write(&file, "{}").unwrap();
        let to = wardgate.path("new");
        let path = if command == "backup" { &to } else { &file };
        let mut process = wardgate.command(&words(line, path.to_str().unwrap()));
        let mut child = process
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let answer = Answer::of(child.wait_with_output().unwrap());
        // Some say nothing, or refuse before they do; none panics, and none claims that all is well when it is not heard.
        let last = answer.stderr.lines().last().unwrap_or_default().to_owned();
        assert!(
            answer.code != 101 && !answer.stderr.contains("panicked"),
            "{line}: {}",
            answer.stderr
        );
        if answer.code == 1 {
            assert!(last.contains("could not be printed"), "{line}: {last}");
        }
        if [
            "init",
            "user list",
            "keys list",
            "role list",
            "backup",
            "audit verify",
        ]
        .contains(&command.as_str())
        {
            assert_eq!(answer.code, 1, "{line}: {}", answer.stderr);
        }
    }
    wardgate.run(&["audit", "verify"]).ok();
}

#[test]
fn exit_codes_are_those_that_help_and_documents_say() {
    let wardgate = Wardgate::new();
    let help = wardgate
        .run(&["--help"])
        .ok()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let told: Vec<String> = EXIT_CODES
        .iter()
        .map(|(code, kind)| format!("{code} {kind}"))
        .collect();
    assert!(
        help.contains(&format!("Exit codes: {}.", told.join(", "))),
        "{help}"
    );
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/commands.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows: Vec<(u8, &str)> = page
        .lines()
        .filter_map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            Some((cells.next()?.parse().ok()?, cells.next()?))
        })
        .collect();
    assert_eq!(rows, EXIT_CODES);
}
