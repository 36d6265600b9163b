//! What is said to a command line that cannot be read: one sentence, as for every other failure.
//!
//! clap's own texts are paragraphs, with the usage of the command below. Here the first paragraph becomes the sentence, and where
//! the usage can be read is said instead of repeating it. Help and version are clap's.

use std::process::ExitCode;

use clap::error::ErrorKind;

use super::{Failure, output};

/// Prints what there is to say, and gives the exit code.
pub(super) fn answer(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // Nobody reads any more, or there is nobody to tell.
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
        _ => output::failure(&Failure::Usage(sentence(&error.render().to_string()))),
    }
}

/// The sentence of one of clap's messages.
fn sentence(rendered: &str) -> String {
    let mut said = Vec::new();
    let mut command = String::from("wardgate");
    for paragraph in rendered.split("\n\n") {
        let text = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(usage) = text.strip_prefix("Usage: ") {
            let words = usage
                .split(' ')
                .take_while(|word| word.starts_with(char::is_alphabetic));
            command = words.collect::<Vec<_>>().join(" ");
        } else if let Some(problem) = text.strip_prefix("error: ") {
            said.push(problem.to_owned());
        } else if text.starts_with("tip: ") || text.starts_with('[') {
            said.push(text);
        }
    }
    format!("{}; `{command} --help` says what there is", said.join("; "))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::sentence;
    use crate::cli::Arguments;

    fn said(line: &str) -> String {
        let words = std::iter::once("wardgate").chain(line.split_whitespace());
        sentence(&Arguments::try_parse_from(words).unwrap_err().render().to_string())
    }

    #[test]
    fn a_wrong_command_line_is_told_in_one_sentence() {
        assert_eq!(
            said("client list --jsn"),
            "unexpected argument '--jsn' found; tip: a similar argument exists: '--json'; `wardgate client list --help` says what \
             there is"
        );
        assert_eq!(
            said("backup"),
            "the following required arguments were not provided: --to <FILE>; `wardgate backup --help` says what there is"
        );
        for line in [
            "dance",
            "client add --type other",
            "registration-token",
            "user add --email",
            "audit export --from x",
        ] {
            let said = said(line);
            assert!(
                !said.contains('\n') && said.ends_with("says what there is"),
                "{said}"
            );
            assert!(!said.starts_with(';'), "{said}");
        }
    }
}
