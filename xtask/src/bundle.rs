//! The folder that runs the Worker on any Linux server, with `workerd serve` and nothing else.
//!
//! | file | whose | what |
//! |---|---|---|
//! | `config.capnp` | ours | how `workerd` runs the Worker; the same in every installation |
//! | `settings.capnp` | the administrator's | variables, where it listens, what it may reach |
//! | `worker/` | ours | the built Worker |
//! | `workerd` | ours | the program, if it was put there |
//! | `storage/` | the Worker's | what Durable Objects store |
//! | `wardgate-edge.service`, `README.txt` | ours | a systemd unit; how to run it all |
//!
//! Only settings and storage are kept when a folder is written again. Nothing secret is written: the values of secrets
//! come from the environment of the process.

mod capnp;
mod settings;

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::Path,
};

pub use settings::{Compatibility, Network, Settings, SettingsFault, Variable};

/// How `workerd` runs the Worker.
pub const CONFIG: &str = "config.capnp";
/// The administrator's settings.
pub const SETTINGS: &str = "settings.capnp";
/// The folder of what Durable Objects store.
pub const STORAGE: &str = "storage";
/// The program, as the README calls it.
pub const WORKERD: &str = "workerd";
/// The systemd unit's file.
pub const UNIT: &str = "wardgate-edge.service";
/// The text that says how to run it.
pub const README: &str = "README.txt";
/// The folder of the built Worker.
pub const WORKER: &str = "worker";
/// The modules that `cargo xtask wasm` leaves behind, and what `workerd` calls their kinds; the first is the entry.
pub const MODULES: [(&str, &str); 2] = [("index.js", "esModule"), ("index_bg.wasm", "wasm")];
/// The binding, among the settings, by which the Worker reaches the coordinators of its limits.
pub const COORDINATOR_BINDING: &str = r#"(name = "RATE_LIMITS", durableObjectNamespace = "RateLimits"),"#;

const UNIT_TEXT: &str = include_str!("../bundle/wardgate-edge.service");
const README_TEXT: &str = include_str!("../bundle/README.txt");

/// Writes the folder, over an earlier one if there is one. `built` is the folder of the built Worker. The program
/// [`WORKERD`] is the caller's to put there.
///
/// `settings` are written when they are given; else those of the earlier folder stay.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write(
    folder: &Path,
    built: &Path,
    compatibility: &Compatibility,
    settings: Option<&Settings>,
) -> io::Result<()> {
    fs::create_dir_all(folder.join(WORKER))?;
    for (module, _) in MODULES {
        fs::copy(built.join(module), folder.join(WORKER).join(module))?;
    }
    fs::write(folder.join(CONFIG), capnp::config(compatibility))?;
    if let Some(settings) = settings {
        write_settings(folder, settings)?;
    }
    fs::write(folder.join(UNIT), UNIT_TEXT)?;
    fs::write(folder.join(README), README_TEXT)?;
    let storage = folder.join(STORAGE);
    if !storage.is_dir() {
        // Who was counted how often is nobody else's affair.
        DirBuilder::new().mode(0o700).create(storage)?;
    }
    Ok(())
}

/// Writes the settings into the folder, over earlier ones.
///
/// # Errors
/// When they cannot be written.
pub fn write_settings(folder: &Path, settings: &Settings) -> io::Result<()> {
    fs::write(folder.join(SETTINGS), capnp::settings(settings))
}

/// Copies the program into the folder, without touching one that runs from there.
///
/// # Errors
/// When it cannot be read or written.
pub fn add_program(folder: &Path, workerd: &Path) -> io::Result<()> {
    let partial = folder.join("workerd.partial");
    fs::copy(workerd, &partial)?;
    fs::set_permissions(&partial, fs::Permissions::from_mode(0o755))?;
    fs::rename(partial, folder.join(WORKERD))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{
        Compatibility, README_TEXT, SETTINGS, STORAGE, Settings, UNIT_TEXT, WORKER, add_program, write,
    };

    const DOCUMENT: &str = include_str!("../../docs/deploying-the-edge.md");

    #[test]
    fn the_document_shows_the_unit_as_it_is_written() {
        assert!(DOCUMENT.contains(UNIT_TEXT.trim_end()));
    }

    #[test]
    fn settings_and_storage_outlive_a_new_version() {
        let folder = tempfile::tempdir().unwrap();
        let (built, out) = (folder.path().join("built"), folder.path().join("out"));
        fs::create_dir(&built).unwrap();
        for version in ["one", "two"] {
            for module in ["index.js", "index_bg.wasm"] {
                fs::write(built.join(module), version).unwrap();
            }
            let settings = Settings::default();
            let first = (version == "one").then_some(&settings);
            write(&out, &built, &Compatibility::default(), first).unwrap();
            assert_eq!(
                fs::read_to_string(out.join(WORKER).join("index.js")).unwrap(),
                version
            );
            if version == "one" {
                fs::write(out.join(SETTINGS), "mine").unwrap();
                fs::write(out.join(STORAGE).join("counts"), "mine").unwrap();
            }
        }
        assert_eq!(fs::read_to_string(out.join(SETTINGS)).unwrap(), "mine");
        assert!(out.join(STORAGE).join("counts").is_file());
    }

    #[test]
    fn the_program_may_be_started() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        fs::write(&program, "#!/bin/sh\nexit 7\n").unwrap();
        add_program(folder.path(), &program).unwrap();
        let status = std::process::Command::new(folder.path().join("workerd")).status();
        assert_eq!(status.unwrap().code(), Some(7));
    }

    #[test]
    fn the_readme_names_no_file_that_is_not_written() {
        for name in [
            "config.capnp",
            "settings.capnp",
            "storage",
            "wardgate-edge.service",
        ] {
            assert!(README_TEXT.contains(name), "{name}");
        }
    }
}
