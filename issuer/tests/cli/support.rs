//! The binary `wardgate` over a folder of its own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with a configuration, and the binary to run over it.
pub(crate) struct Wardgate {
    folder: TempDir,
}

/// What a command answered.
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Wardgate {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wardgate = Self { folder };
        wardgate.configure("");
        wardgate
    }

    /// Writes the configuration, with `more` at its end. The least that the configuration takes for Argon2.
    pub(crate) fn configure(&self, more: &str) {
        let text = format!(
            "server.listen = \"127.0.0.1:0\"\nkeys.master_key_file = \"master.key\"\nkeys.algorithm = \"ES256\"\n\
             passwords.memory_kib = 8192\npasswords.iterations = 1\n\
             resources = [{{ identifier = \"https://api.example.org/fhir\" }}]\n{more}\n"
        );
        std::fs::write(self.path("wardgate.toml"), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wardgate"));
        command
            .env_clear()
            .arg("--config")
            .arg(self.path("wardgate.toml"))
            .args(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Answer {
        let mut child = self.command(arguments).spawn().unwrap();
        // A command that refuses its arguments does not read its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Answer::of(child.wait_with_output().unwrap())
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Answer {
        self.run_with(arguments, "")
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The names of the files in the folder, in order.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Answer {
    /// What a process that has ended answered.
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{}", self.stdout);
        self.stdout
    }

    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.ok()).unwrap()
    }

    /// Checks the exit code, and that one sentence on standard error holds `said`.
    #[track_caller]
    pub(crate) fn refused(self, code: i32, said: &str) {
        assert_eq!(self.code, code, "{}", self.stderr);
        assert!(
            self.stderr.starts_with("wardgate: ") && self.stderr.contains(said),
            "{}",
            self.stderr
        );
        assert_eq!(self.stdout, "");
    }
}
