//! What is said to a command line that cannot be read: one sentence, where clap would print paragraphs.

use std::process::ExitCode;

use clap::error::ErrorKind;

use crate::{fault::Fault, screen::Screen};

/// The exit code of a command line that cannot be read.
const USAGE: u8 = 2;

/// Says what there is to say, and gives the exit code. Help is clap's.
pub(crate) fn answer(error: &clap::Error, screen: &Screen) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // Nobody reads any more, or there is nobody to tell.
            drop(error.print());
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE))
        }
        _ => {
            screen.fault(&Fault::new(sentence(&error.render().to_string())));
            ExitCode::from(USAGE)
        }
    }
}

/// The sentence of one of clap's messages: its first paragraph, its tips, and where the usage can be read.
pub(crate) fn sentence(rendered: &str) -> String {
    let mut said = Vec::new();
    let mut command = String::from("cargo xtask");
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
