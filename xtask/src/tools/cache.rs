//! The per-user folder of installed tools, shared by all clones of the project.
//!
//! A tool is built in a temporary sibling folder and renamed into place: what is there is whole, and what was broken
//! off half-way is not there. A lock file keeps two clones from installing the same thing at once.

use std::{
    env,
    ffi::OsStr,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    process, thread,
    time::Duration,
};

use crate::{
    fault::{Fault, OrFault as _, Outcome},
    session::Session,
};

const POLL: Duration = Duration::from_millis(200);

/// The folder of installed tools.
#[derive(Debug)]
pub(crate) struct Cache {
    root: PathBuf,
}

impl Cache {
    /// `$WARDGATE_CACHE`, or `$XDG_CACHE_HOME/wardgate`, or `~/.cache/wardgate`.
    pub(crate) fn of_user() -> Outcome<Self> {
        let folder = |name: &str| {
            env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        folder("WARDGATE_CACHE")
            .or_else(|| folder("XDG_CACHE_HOME").map(|base| base.join("wardgate")))
            .or_else(|| folder("HOME").map(|home| home.join(".cache/wardgate")))
            .map(|root| Self { root })
            .ok_or_else(|| Fault::new("no folder for tools: set WARDGATE_CACHE to one"))
    }

    /// The place of `name`, there or not.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The folder `name`, made by `install` (which is given a temporary folder to fill) unless it is there.
    pub(crate) fn provide(
        &self,
        session: &Session<'_>,
        name: &str,
        install: impl FnOnce(&Path) -> Outcome<()>,
    ) -> Outcome<PathBuf> {
        let place = self.place(name);
        if place.exists() {
            return Ok(place);
        }
        let parent = place.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent).or_fault(|| format!("create {}", parent.display()))?;
        let _lock = self.lock(session, name)?;
        if place.exists() {
            return Ok(place);
        }
        let base = place.file_name().and_then(OsStr::to_str).unwrap_or("tool");
        let prefix = format!(".{base}.partial-");
        remove_leftovers(parent, &prefix)?;
        let partial = parent.join(format!("{prefix}{}", process::id()));
        fs::create_dir(&partial).or_fault(|| format!("create {}", partial.display()))?;
        let moved = install(&partial).and_then(|()| {
            fs::rename(&partial, &place).or_fault(|| format!("move {} into place", partial.display()))
        });
        if moved.is_err() {
            // The fault that matters is the installation's; what stays behind is removed by the next attempt.
            drop(fs::remove_dir_all(&partial));
        }
        moved.map(|()| place)
    }

    /// Holds the lock of `name` until the file is dropped; the system frees it when the holder dies.
    fn lock(&self, session: &Session<'_>, name: &str) -> Outcome<File> {
        let folder = self.root.join("locks");
        fs::create_dir_all(&folder).or_fault(|| format!("create {}", folder.display()))?;
        let path = folder.join(format!("{}.lock", name.replace('/', "-")));
        let file = File::create(&path).or_fault(|| format!("create {}", path.display()))?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => {
                    return Err(Fault::new(format!("could not lock {}: {error}", path.display())));
                }
                Err(TryLockError::WouldBlock) => {
                    if !told {
                        session
                            .screen
                            .step(&format!("waiting: another run is installing {name}"));
                        told = true;
                    }
                    session.stop.check()?;
                    thread::sleep(POLL);
                }
            }
        }
    }
}

/// Removes what a broken-off attempt has left; the caller holds the lock, so nobody is working there.
fn remove_leftovers(folder: &Path, prefix: &str) -> Outcome<()> {
    let entries = fs::read_dir(folder).or_fault(|| format!("read {}", folder.display()))?;
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            let path = entry.path();
            fs::remove_dir_all(&path).or_fault(|| format!("remove {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Cache;
    use crate::{fault::Fault, screen::Screen, session::Session, stop::Stop, workspace::Workspace};

    fn with_cache(test: impl FnOnce(&Cache, &Session<'_>)) {
        let folder = tempfile::tempdir().unwrap();
        let (screen, stop) = (Screen::new(), Stop::listen().unwrap());
        let root = folder.path().join("project");
        let workspace = Workspace {
            target: root.join("target"),
            root,
        };
        let session = Session::new(workspace, &screen, &stop).unwrap();
        test(
            &Cache {
                root: folder.path().join("cache"),
            },
            &session,
        );
    }

    #[test]
    fn installs_once() {
        with_cache(|cache, session| {
            let place = cache
                .provide(session, "tools/one-1", |folder| {
                    fs::write(folder.join("program"), "whole").unwrap();
                    Ok(())
                })
                .unwrap();
            let again = cache
                .provide(session, "tools/one-1", |_| panic!("a second installation"))
                .unwrap();
            assert_eq!(place, again);
            assert_eq!(fs::read_to_string(place.join("program")).unwrap(), "whole");
        });
    }

    #[test]
    fn failed_installation_leaves_nothing_in_place() {
        with_cache(|cache, session| {
            let fails = |folder: &std::path::Path| {
                fs::write(folder.join("half"), "x").unwrap();
                Err(Fault::new("the registry is away"))
            };
            let fault = cache.provide(session, "tools/two-1", fails).unwrap_err();
            assert_eq!(fault.to_string(), "the registry is away");
            assert!(!cache.place("tools/two-1").exists());
            assert_eq!(fs::read_dir(cache.place("tools")).unwrap().count(), 0);
        });
    }

    #[test]
    fn what_a_killed_run_left_is_removed_and_not_taken_for_the_tool() {
        with_cache(|cache, session| {
            let leftover = cache.place("tools/.three-1.partial-1");
            fs::create_dir_all(&leftover).unwrap();
            cache.provide(session, "tools/three-1", |_| Ok(())).unwrap();
            assert!(!leftover.exists());
        });
    }
}
