//! Client programs in other languages, under `tests/clients`: they print JSON, a line each, and read what they are told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::worker::from_environment;

/// A client program that prints an authorization URL, waits for the callback, and prints tokens.
pub struct Program {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Program {
    /// Starts the script of this name under `tests/clients` with the program whose path stands in `variable`.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(variable: &str, script: &str, arguments: &[&str]) -> Self {
        let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
        let script = clients.join(script);
        let mut command = Command::new(from_environment(variable));
        if script.extension().is_some_and(|extension| extension == "mjs") {
            command.arg("--import").arg(clients.join("modules.mjs"));
        }
        let mut process = command
            .arg(script)
            .args(arguments)
            .env("AUTHLIB_INSECURE_TRANSPORT", "1")
            .env("NO_PROXY", "*")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the client starts");
        let input = process.stdin.take().expect("piped");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        Self {
            process,
            input,
            output,
        }
    }

    /// The next line it prints, as JSON.
    ///
    /// # Panics
    /// When it ends instead, or prints something else.
    #[track_caller]
    pub fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("text");
        serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("a line of JSON, not {line:?}; see its error output above"))
    }

    /// Hands it the callback's URL.
    ///
    /// # Panics
    /// When it does not read.
    pub fn come_back(&mut self, callback: &str) {
        writeln!(self.input, "{callback}").expect("the client reads");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only when the process has ended by itself.
        let _killed = self.process.kill();
        let _status = self.process.wait();
    }
}
