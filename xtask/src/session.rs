//! What every step needs: where the project is, the screen, and whether to go on.

use std::{fs, path::PathBuf};

use crate::{
    fault::{OrFault as _, Outcome},
    screen::Screen,
    stop::Stop,
    workspace::Workspace,
};

/// One run of the tool.
#[derive(Debug)]
pub(crate) struct Session<'run> {
    /// The project's folders.
    pub(crate) workspace: Workspace,
    /// Where progress is shown.
    pub(crate) screen: &'run Screen,
    /// Set by Ctrl-C.
    pub(crate) stop: &'run Stop,
}

impl<'run> Session<'run> {
    /// Prepares the folder for logs.
    pub(crate) fn new(workspace: Workspace, screen: &'run Screen, stop: &'run Stop) -> Outcome<Self> {
        let logs = workspace.root.join("target/xtask/logs");
        fs::create_dir_all(&logs).or_fault(|| format!("create {}", logs.display()))?;
        Ok(Self {
            workspace,
            screen,
            stop,
        })
    }

    /// The file that takes the full output of the step `name`.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.workspace
            .root
            .join("target/xtask/logs")
            .join(format!("{name}.log"))
    }
}
