//! Files and folders that may not be written or read: by the user who runs a command, or on a disk that takes no writes.
//!
//! Whoever is root may write everywhere, so there the commands run as somebody else.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Answer, Wardgate};

/// Nobody's number on every system.
const NOBODY: u32 = 65_534;

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}

/// Runs a command without the rights of root. The program lies beside the configuration, where everybody may run it.
fn run(wardgate: &Wardgate, arguments: &[&str]) -> Answer {
    let program = wardgate.path("wardgate");
    if !program.exists() {
        let built = env!("CARGO_BIN_EXE_wardgate");
        if std::fs::hard_link(built, &program).is_err() {
            std::fs::copy(built, &program).unwrap();
        }
    }
    let mut command = Command::new(program);
    command
        .arg("--config")
        .arg(wardgate.path("wardgate.toml"))
        .args(arguments);
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    Answer::of(command.stdin(Stdio::null()).output().unwrap())
}

/// An issuer whose folder everybody may look into, with a database in a folder of its own.
fn issuer() -> Wardgate {
    let wardgate = Wardgate::new();
    wardgate.configure("database.path = \"data/wardgate.db\"");
    std::fs::create_dir(wardgate.path("data")).unwrap();
    wardgate.run(&["init"]).ok();
    set_mode(wardgate.folder(), 0o755);
    if is_root() {
        std::os::unix::fs::chown(wardgate.path("master.key"), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    set_mode(&wardgate.path("data"), 0o755);
    for file in std::fs::read_dir(wardgate.path("data")).unwrap() {
        set_mode(&file.unwrap().path(), 0o644);
    }
    wardgate
}

const COMMANDS: [&[&str]; 6] = [
    &["serve"],
    &["user", "list"],
    &["keys", "rotate"],
    &["audit", "verify"],
    &["migrate"],
    &["init"],
];

#[test]
fn a_database_that_may_only_be_read_is_named_with_what_to_do() {
    let wardgate = issuer();
    if !is_root() {
        set_mode(&wardgate.path("data/wardgate.db"), 0o444);
    }
    for command in COMMANDS {
        run(&wardgate, command).refused(3, "give it and its folder to the user that runs wardgate");
    }
}

#[test]
fn a_database_that_may_not_even_be_seen_is_not_taken_for_absent() {
    let wardgate = issuer();
    set_mode(&wardgate.path("data"), if is_root() { 0o700 } else { 0o000 });
    for command in COMMANDS {
        run(&wardgate, command).refused(3, "permission denied");
    }
    set_mode(&wardgate.path("data"), 0o755);
}

#[test]
fn a_folder_in_which_nothing_can_be_made_is_named() {
    let wardgate = issuer();
    set_mode(&wardgate.path("data/wardgate.db"), 0o666);
    set_mode(&wardgate.path("data/wardgate.db.lock"), 0o666);
    if !is_root() {
        set_mode(&wardgate.path("data"), 0o555);
    }
    // SQLite keeps its log beside the database.
    for command in COMMANDS {
        let answer = run(&wardgate, command);
        assert!(answer.stderr.contains("folder"), "{command:?} {}", answer.stderr);
        answer.refused(3, "the user that runs wardgate");
    }
    if !is_root() {
        set_mode(&wardgate.path("data"), 0o755);
    }
    wardgate.run(&["audit", "verify"]).ok();
}

#[test]
fn a_backup_into_a_folder_of_somebody_else_is_refused() {
    let wardgate = issuer();
    for (path, mode) in [
        ("data", 0o777),
        ("data/wardgate.db", 0o666),
        ("data/wardgate.db.lock", 0o666),
    ] {
        set_mode(&wardgate.path(path), mode);
    }
    let folder = wardgate.path("backups");
    std::fs::create_dir(&folder).unwrap();
    set_mode(&folder, 0o555);
    let to = folder.join("copy.db");
    run(&wardgate, &["backup", "--to", to.to_str().unwrap()]).refused(3, "permission denied");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    set_mode(&folder, 0o755);
}

#[test]
fn a_master_key_of_somebody_else_is_named() {
    let wardgate = issuer();
    set_mode(&wardgate.path("master.key"), 0o000);
    run(&wardgate, &["keys", "list"]).refused(5, "master.key cannot be used: permission denied");
    run(&wardgate, &["check-config"]).refused(5, "permission denied");
}
