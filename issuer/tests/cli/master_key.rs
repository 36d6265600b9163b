//! `wardgate keys rotate-master`: from one master key to another, whatever interrupts it.

use std::path::Path;

use serde_json::Value;

use crate::support::{Answer, Wardgate};

/// An issuer with its keys and a person with an authenticator app.
fn furnished() -> Wardgate {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    let add = [
        "user",
        "add",
        "--email",
        "ada@example.org",
        "--name",
        "Ada",
        "--password-stdin",
    ];
    wardgate.run_with(&add, "Correct horse 7 battery").ok();
    let add = ["user", "add-totp", "--email", "ada@example.org", "--secret-stdin"];
    wardgate.run_with(&add, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").ok();
    wardgate
}

impl Wardgate {
    /// Runs a command with another master key than the configuration's.
    fn run_under(&self, key: &Path, arguments: &[&str]) -> Answer {
        let mut command = self.command(arguments);
        command.env("WARDGATE_KEYS__MASTER_KEY_FILE", key);
        Answer::of(command.output().unwrap())
    }

    fn rotate_master(&self, from: &Path, to: &Path) -> Answer {
        self.run_under(from, &["keys", "rotate-master", "--to", to.to_str().unwrap()])
    }

    fn opens_under(&self, key: &Path) -> bool {
        self.run_under(key, &["keys", "list"]).code == 0
    }
}

fn key_ids(listed: &Value) -> Vec<String> {
    let keys = listed.as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn everything_is_as_before_under_the_new_key_and_closed_under_the_old_one() {
    let wardgate = furnished();
    let (old, new) = (wardgate.path("master.key"), wardgate.path("next.key"));
    let before = key_ids(&wardgate.run(&["keys", "list", "--json"]).json());
    let said = wardgate.rotate_master(&old, &new).ok();
    assert!(
        said.contains("4 signing keys, 1 second factor, 1 key of the audit trail"),
        "{said}"
    );
    assert!(said.contains("start the server"), "what to do next: {said}");

    wardgate
        .run(&["keys", "list"])
        .refused(5, "configure the master key");
    wardgate.run(&["serve"]).refused(5, "configure the master key");
    let after = wardgate.run_under(&new, &["keys", "list", "--json"]).json();
    assert_eq!(key_ids(&after), before, "the same signing keys");
    wardgate.run_under(&new, &["audit", "verify"]).ok();
    // The configuration may also stay as it is.
    std::fs::rename(&new, &old).unwrap();
    assert_eq!(key_ids(&wardgate.run(&["keys", "list", "--json"]).json()), before);
}

#[cfg(unix)]
#[test]
fn the_new_key_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let wardgate = furnished();
    let new = wardgate.path("next.key");
    wardgate.rotate_master(&wardgate.path("master.key"), &new).ok();
    let mode = std::fs::metadata(&new).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_key_that_is_there_already_is_used_and_doing_it_twice_changes_nothing() {
    let wardgate = furnished();
    let (old, new) = (wardgate.path("master.key"), wardgate.path("next.key"));
    std::fs::write(&new, "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA\n").unwrap();
    make_private(&new);
    wardgate.rotate_master(&old, &new).ok();
    assert!(wardgate.opens_under(&new));
    let again = wardgate.rotate_master(&old, &new).ok();
    assert!(again.contains("already"), "{again}");
    let lines = wardgate.run_under(&new, &["audit", "export"]).ok();
    assert_eq!(lines.matches("master_key_rotation").count(), 1);
}

#[test]
fn what_makes_no_sense_is_refused_and_nothing_is_made() {
    let wardgate = furnished();
    let (old, new) = (wardgate.path("master.key"), wardgate.path("next.key"));
    let rotate = |to: &Path| wardgate.rotate_master(&old, to);
    rotate(&old).refused(2, "holds the master key that is configured");
    std::fs::write(&new, "no key").unwrap();
    make_private(&new);
    rotate(&new).refused(5, "master key");
    std::fs::remove_file(&new).unwrap();
    rotate(&wardgate.path("no-such-folder/next.key")).refused(5, "no-such-folder");
    // A server has the database open.
    let lock = std::fs::File::open(wardgate.path("wardgate.db.lock")).unwrap();
    lock.lock_shared().unwrap();
    rotate(&new).refused(3, "stop the server first");
    assert!(!new.exists());
    drop(lock);
    assert!(wardgate.opens_under(&old));
}

#[test]
fn a_key_that_fits_neither_before_nor_after_is_refused() {
    let wardgate = furnished();
    let (other, new) = (wardgate.path("other.key"), wardgate.path("next.key"));
    std::fs::write(&other, "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA\n").unwrap();
    make_private(&other);
    wardgate
        .rotate_master(&other, &new)
        .refused(5, "configure the master key");
    assert!(!new.exists());
}

/// Killed at every moment of its work: from the time at which the new key is there until it ends by itself.
#[test]
fn wherever_it_is_killed_the_database_is_whole_under_one_of_the_two_keys() {
    let wardgate = furnished();
    let before = key_ids(&wardgate.run(&["keys", "list", "--json"]).json());
    let mut current = wardgate.path("master.key");
    let (mut undone, mut done) = (0, 0);
    for attempt in 0_u32..60 {
        let next = wardgate.path(&format!("master-{attempt}.key"));
        let was_killed = rotate_and_kill(&wardgate, &current, &next, attempt * 40);
        let (under_old, under_new) = (
            wardgate.opens_under(&current),
            next.exists() && wardgate.opens_under(&next),
        );
        assert_ne!(under_old, under_new, "one of them, attempt {attempt}");
        if under_new {
            done += 1;
        } else {
            undone += 1;
            // The same command again goes on where the other was stopped.
            wardgate.rotate_master(&current, &next).ok();
        }
        current = next;
        let listed = wardgate.run_under(&current, &["keys", "list", "--json"]).json();
        assert_eq!(key_ids(&listed), before);
        wardgate.run_under(&current, &["audit", "verify"]).ok();
        if !was_killed && attempt > 0 {
            break;
        }
    }
    println!("killed before the change {undone} times; done {done} times");
    assert!(
        undone > 0 && done > 0,
        "{undone} times before, {done} times after"
    );
}

/// Begins, waits until the new key is there and then for `turns` more, and kills it. Whether that was before it ended.
fn rotate_and_kill(wardgate: &Wardgate, from: &Path, to: &Path, turns: u32) -> bool {
    let mut command = wardgate.command(&["keys", "rotate-master", "--to", to.to_str().unwrap()]);
    command.env("WARDGATE_KEYS__MASTER_KEY_FILE", from);
    let mut child = command.spawn().unwrap();
    while !to.exists() {
        assert_eq!(child.try_wait().unwrap(), None, "it makes the key first");
        std::thread::yield_now();
    }
    for _ in 0..turns {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        // A turn is as long as a look at the disk takes.
        let _ = std::fs::metadata(wardgate.path("wardgate.db-wal"));
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    true
}

#[cfg(unix)]
fn make_private(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}
