//! Secrets that people or scripts hand to a command: never as an argument, which other users of the machine could read.

use std::io::{IsTerminal, Read};

use wardgate_shared::secret::Secret;
use zeroize::Zeroizing;

use super::{Failure, output};

/// The longest secret that is read, in bytes.
const MAXIMUM_BYTES: u64 = 4096;

/// Reads a secret from standard input, without the line break at its end.
///
/// # Errors
/// [`Failure::Usage`], when there is none or it is not text.
pub(super) fn from_stdin(what: &str) -> Result<Secret<String>, Failure> {
    read(std::io::stdin().lock(), what)
}

/// Asks for a secret twice on the terminal, without showing it.
///
/// # Errors
/// [`Failure::Usage`], without a terminal or when the two answers differ.
pub(super) fn from_terminal(what: &str, flag: &str) -> Result<Secret<String>, Failure> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(Failure::Usage(format!(
            "there is no terminal to ask for the {what}: use {flag}"
        )));
    }
    let first = ask(&format!("{what}: "))?;
    let second = ask(&format!("{what}, again: "))?;
    if first == second {
        Ok(first)
    } else {
        Err(Failure::Usage(format!("the two answers for the {what} differ")))
    }
}

fn read(source: impl Read, what: &str) -> Result<Secret<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    source
        .take(MAXIMUM_BYTES)
        .read_to_string(&mut text)
        .map_err(|_| Failure::Usage(format!("the {what} on standard input is not UTF-8 text")))?;
    without_line_break(&text, what)
}

fn without_line_break(text: &str, what: &str) -> Result<Secret<String>, Failure> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(Failure::Usage(format!("no {what} was given")));
    }
    if line.contains(['\n', '\r']) {
        return Err(Failure::Usage(format!("the {what} must be one line")));
    }
    Ok(Secret::new(line.into()))
}

#[cfg(unix)]
fn ask(prompt: &str) -> Result<Secret<String>, Failure> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

    let stdin = std::io::stdin();
    let unusable = |error: rustix::io::Errno| Failure::Usage(format!("the terminal cannot be used: {error}"));
    let shown = tcgetattr(&stdin).map_err(unusable)?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    output::question(prompt);
    tcsetattr(&stdin, OptionalActions::Flush, &hidden).map_err(unusable)?;
    let mut line = Zeroizing::new(String::new());
    let read = stdin.read_line(&mut line);
    tcsetattr(&stdin, OptionalActions::Now, &shown).map_err(unusable)?;
    output::remark("");
    read.map_err(|_| Failure::Usage(String::from("the answer is not UTF-8 text")))?;
    without_line_break(&line, prompt.trim_end_matches([':', ' ']))
}

#[cfg(not(unix))]
fn ask(_: &str) -> Result<Secret<String>, Failure> {
    Err(Failure::Usage(String::from(
        "secrets cannot be asked for on this system: hand them over on standard input",
    )))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn takes_one_line_without_its_end() {
        for input in ["correct horse", "correct horse\n", "correct horse\r\n"] {
            assert_eq!(
                read(input.as_bytes(), "password").unwrap().expose(),
                "correct horse"
            );
        }
        assert_eq!(
            read(" spaces stay ".as_bytes(), "password").unwrap().expose(),
            " spaces stay "
        );
    }

    #[test]
    fn refuses_nothing_many_lines_and_what_is_no_text() {
        for input in [&b""[..], b"\n", b"one\ntwo\n", b"\xff\xfe"] {
            assert!(read(input, "password").is_err(), "{input:?}");
        }
    }
}
