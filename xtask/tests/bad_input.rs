//! Bad input to `cargo xtask`: one clear sentence, and nothing is made.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn xtask(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command
        .args(arguments)
        .env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[track_caller]
fn refused(arguments: &[&str], code: i32) -> String {
    let output = xtask(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(said.starts_with("error: "), "{arguments:?}: {said}");
    assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
    said
}

#[test]
fn a_command_line_that_cannot_be_read_is_told_in_one_sentence() {
    assert!(refused(&["test", "--onyl", "fmt"], 2).contains("'--only'"));
    assert!(refused(&["soak", "--kils", "1"], 2).contains("`cargo xtask soak --help`"));
    assert!(refused(&["soak", "--kills", "none"], 2).contains("'none'"));
    assert!(refused(&["dance"], 2).contains("'dance'"));
}

#[test]
fn settings_that_cannot_be_read_are_named_and_no_folder_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("directory")).unwrap();
    std::fs::write(path("empty"), "").unwrap();
    std::fs::write(path("binary"), [0xff, 0, 0xfe]).unwrap();
    std::fs::write(path("words"), "these are\nno settings").unwrap();
    let out = path("out");
    for name in ["absent", "directory", "empty", "binary", "words"] {
        let file = path(name);
        let file = file.to_str().unwrap();
        let line = [
            "edge",
            "bundle",
            "--out",
            out.to_str().unwrap(),
            "--settings",
            file,
        ];
        assert!(refused(&line, 1).contains(file), "{name}");
        assert!(!out.exists(), "{name}");
    }
}

#[test]
fn a_folder_of_somebody_else_is_not_written_into() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes");
    std::fs::write(&file, "mine").unwrap();
    for out in [folder.path(), file.as_path()] {
        let said = refused(&["edge", "bundle", "--out", out.to_str().unwrap()], 1);
        assert!(said.contains("no folder that this command has written"), "{said}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(std::fs::read_to_string(Path::new(&file)).unwrap(), "mine");
}

#[test]
fn a_reader_who_has_gone_is_no_reason_to_panic() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["test", "--help"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
    assert_eq!(output.status.code(), Some(0));
}
