//! An issuer whose disk is full, whose database another process holds, or whose files were harmed: what callers see, and that
//! it goes on by itself.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use serde_json::{Value, json};
use wardgate_issuer::store::check_integrity;
use wardgate_tests::crash::Site;
use wardgate_tests::http::{Answer, client, send};
use wardgate_tests::worker::from_environment;

const ADMINISTRATION: &str = "__administration.read __administration.write system/*.rs";
/// More requests than fit into what is left of a disk that is said to be full.
const ATTEMPTS: usize = 3000;

/// A server with a client that may do everything.
struct Served {
    site: Site,
    secret: String,
}

impl Served {
    async fn start(mut site: Site) -> Self {
        let secret = site.add_service("administration", ADMINISTRATION);
        site.serve().await;
        Self { site, secret }
    }

    async fn get(&self, path: &str) -> Answer {
        send(client().get(format!("{}{path}", self.site.url()))).await
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        send(client().post(format!("{}{path}", self.site.url())).form(form)).await
    }

    async fn token(&self) -> Answer {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "administration"),
            ("client_secret", self.secret.as_str()),
        ];
        self.post("/oauth2/token", &form).await
    }

    async fn introspect(&self, token: &str) -> Answer {
        let form = [
            ("token", token),
            ("client_id", "administration"),
            ("client_secret", self.secret.as_str()),
        ];
        self.post("/oauth2/introspect", &form).await
    }

    async fn access_token(&self) -> String {
        let answer = self.token().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    /// What needs no write goes on.
    async fn still_shows(&self, token: &str) {
        for path in [
            "/.well-known/openid-configuration",
            "/.well-known/jwks.json",
            "/.well-known/smart-configuration",
            "/oauth2/status",
            "/health/live",
            "/docs/errors",
        ] {
            let answer = self.get(path).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        }
        let answer = self.introspect(token).await;
        assert_eq!(
            (answer.status, &answer.json()["active"]),
            (200, &json!(true)),
            "{}",
            answer.text()
        );
    }

    /// What must be stored is refused, in the form of its endpoint.
    async fn refuses_to_write(&self, token: &str) {
        let json = "application/json";
        let url = |path: &str| format!("{}{path}", self.site.url());
        let registration = json!({ "client_name": "App", "redirect_uris": ["https://app.example/cb"] });
        let account = json!({ "email": "eve@clinic.example", "name": "Eve", "roleId": "role-patient" });
        let authorize = "/oauth2/authorize?response_type=code&client_id=diary&redirect_uri=https://app.example/callback\
                         &scope=patient/*.read&aud=https://api.example/fhir&code_challenge_method=S256\
                         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let revocation = [
            ("token", token),
            ("client_id", "administration"),
            ("client_secret", &self.secret),
        ];
        let answers = [
            (self.token().await, json),
            (self.post("/oauth2/revoke", &revocation).await, json),
            (
                send(client().post(url("/oauth2/register")).json(&registration)).await,
                json,
            ),
            (
                send(
                    client()
                        .post(url("/auth/users"))
                        .bearer_auth(token)
                        .json(&account),
                )
                .await,
                "application/problem+json",
            ),
            (self.get(authorize).await, "text/html"),
        ];
        for (place, (answer, form)) in answers.iter().enumerate() {
            assert_eq!(answer.status, 503, "{place}: {}", answer.text());
            let seconds = answer.header("retry-after").expect("Retry-After").parse::<u32>();
            assert!(seconds.is_ok(), "{place}");
            let kind = answer.header("content-type").expect("a kind");
            assert!(kind.starts_with(form), "{place}: {kind}");
            if *form == json {
                assert_eq!(answer.json()["error"], "temporarily_unavailable", "{place}");
            }
        }
        // What was found a moment ago is told for a second.
        let mut ready = self.get("/health/ready").await.status;
        for _ in 0..250 {
            if ready == 503 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            ready = self.get("/health/ready").await.status;
        }
        assert_eq!(ready, 503);
    }

    /// Everything is as before, and nothing was lost or half done.
    async fn has_recovered(&mut self, told: &[String]) {
        self.site.ready().await;
        for token in told {
            let answer = self.introspect(token).await;
            assert_eq!(answer.json()["active"], true, "{}", answer.text());
        }
        self.access_token().await;
        let report: Value =
            serde_json::from_str(&self.site.ok(&["audit", "verify", "--json"], "")).expect("JSON");
        assert_eq!(report["faults"], json!([]));
    }
}

/// Lets a server run into a full disk, and makes room again.
async fn is_full_and_has_room_again(
    mut served: Served,
    database: &Path,
    fill: impl FnOnce(),
    meanwhile: impl FnOnce(&Site),
    make_room: impl FnOnce(),
) {
    let mut told = vec![served.access_token().await];
    fill();
    let mut refused = None;
    for _ in 0..ATTEMPTS {
        let answer = served.token().await;
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
        told.push(
            answer.json()["access_token"]
                .as_str()
                .expect("a token")
                .to_owned(),
        );
    }
    let refused = refused.expect("the disk is full");
    assert_eq!(refused.status, 503, "{}", refused.text());
    served.refuses_to_write(&told[0]).await;
    served.still_shows(&told[0]).await;
    meanwhile(&served.site);
    make_room();
    let last = told.len().saturating_sub(20);
    served.has_recovered(&told[last..]).await;
    check_integrity(database).expect("a sound database");
    let log = served.site.log_end();
    assert!(!log.contains("panicked"), "{log}");
}

/// The sentence of a command that fails with this exit code.
#[track_caller]
fn refused(site: &Site, arguments: &[&str], code: i32) -> String {
    let output = site.run(arguments, "");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(
        said.starts_with("wardgate: ") && said.lines().count() == 1,
        "{arguments:?}: {said}"
    );
    said
}

/// A disk of a few megabytes in memory, which is gone when this is dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` where this process may not mount.
    fn mount(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(folder.path())
            .output()
            .is_ok_and(|output| output.status.success());
        mounted.then_some(Self(folder))
    }

    fn remount(&self, options: &str) {
        let mut mount = Command::new("mount");
        let done = mount
            .args(["-o", &format!("remount,{options}")])
            .arg(self.0.path())
            .status();
        assert!(done.expect("mount runs").success());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn fill(&self) {
        let mut file = std::fs::File::create(self.path("filler")).expect("a file");
        // Smaller and smaller pieces, until not one byte fits.
        for size in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that ended a moment ago may still hold it.
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_disk_is_full_refuses_to_write_and_goes_on_when_there_is_room() {
    // Where nobody may mount, the next test shows the same with a limit of the process's.
    let Some(disk) = SmallDisk::mount("size=6m") else {
        return;
    };
    let database = disk.path("wardgate.db");
    let served = Served::start(Site::prepare_with(from_environment("WARDGATE_ISSUER"), &database)).await;
    let backup = |site: &Site| {
        let copy = disk.path("copy.db");
        let said = refused(site, &["backup", "--to", copy.to_str().expect("text")], 3);
        assert!(said.contains("no room") || said.contains("the disk"), "{said}");
        assert!(!copy.exists() && !disk.path("copy.db.partial").exists());
        let said = refused(site, &["client", "remove", "--client-id", "diary"], 3);
        assert!(said.contains("the disk"), "{said}");
    };
    let make_room = || std::fs::remove_file(disk.path("filler")).expect("room");
    is_full_and_has_room_again(served, &database, || disk.fill(), backup, make_room).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_files_may_not_grow_refuses_to_write_and_goes_on_when_they_may() {
    let mut site = Site::prepare(from_environment("WARDGATE_ISSUER"));
    site.shield();
    let database = site.path("wardgate.db");
    let served = Served::start(site).await;
    let process = served.site.process_id().to_string();
    let limit = |bytes: &str| {
        let mut prlimit = Command::new("prlimit");
        let done = prlimit
            .args(["--pid", &process, &format!("--fsize={bytes}:")])
            .status();
        assert!(done.expect("prlimit runs").success());
    };
    let log = database.with_extension("db-wal");
    // Not by a byte: what is smaller than a token would fit otherwise.
    let size = std::fs::metadata(&log).expect("a log").len();
    let fill = || limit(&size.to_string());
    is_full_and_has_room_again(served, &database, fill, |_| (), || limit("unlimited")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_no_writes_is_named_by_server_and_commands() {
    // Where nobody may mount, files and folders that may not be written stand for it (`issuer/tests/cli/permissions.rs`).
    let Some(disk) = SmallDisk::mount("size=16m") else {
        return;
    };
    let site = Site::prepare_with(from_environment("WARDGATE_ISSUER"), &disk.path("wardgate.db"));
    disk.remount("ro");
    for command in [&["serve"][..], &["client", "list"], &["migrate"], &["init"]] {
        let said = refused(&site, command, 3);
        assert!(said.contains("its disk is read-only"), "{said}");
    }
    disk.remount("rw");
    site.ok(&["audit", "verify"], "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_database_another_process_holds_refuses_to_write_and_goes_on_when_it_is_free() {
    let mut served = Served::start(Site::prepare(from_environment("WARDGATE_ISSUER"))).await;
    let told = vec![served.access_token().await];
    let other = Connection::open(served.site.path("wardgate.db")).expect("the database");
    other
        .execute_batch("BEGIN IMMEDIATE")
        .expect("nobody else writes now");
    let refused_command = std::thread::scope(|scope| {
        let command = scope.spawn(|| refused(&served.site, &["keys", "rotate"], 3));
        command.join().expect("a sentence")
    });
    assert!(
        refused_command.contains("another process holds it"),
        "{refused_command}"
    );
    let answer = served.token().await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.header("retry-after").is_some());
    assert_eq!(answer.json()["error"], "temporarily_unavailable");
    assert_eq!(served.get("/health/ready").await.status, 503);
    served.still_shows(&told[0]).await;
    other.execute_batch("ROLLBACK").expect("the database is free");
    served.has_recovered(&told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_missing_or_cut_off_is_survived_and_found_by_whoever_kept_the_head_of_the_trail() {
    for harm in [
        (|log: &Path| std::fs::remove_file(log).expect("a log")) as fn(&Path),
        |log| {
            let file = std::fs::File::options().write(true).open(log).expect("a log");
            let half = file.metadata().expect("a file").len() / 2;
            file.set_len(half).expect("a shorter log");
        },
    ] {
        let mut served = Served::start(Site::prepare(from_environment("WARDGATE_ISSUER"))).await;
        for _ in 0..40 {
            served.access_token().await;
        }
        let report: Value =
            serde_json::from_str(&served.site.ok(&["audit", "verify", "--json"], "")).expect("JSON");
        let head = report["head"].as_str().expect("a head").to_owned();
        served.site.kill();
        harm(&served.site.path("wardgate.db-wal"));
        served.site.serve().await;
        check_integrity(&served.site.path("wardgate.db")).expect("older, and sound");
        served.access_token().await;
        let output = served.site.run(&["audit", "verify", "--expect", &head], "");
        assert_eq!(
            output.status.code(),
            Some(7),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_are_damaged_are_told_as_damage_and_never_copied() {
    let site = Site::prepare(from_environment("WARDGATE_ISSUER"));
    let database = site.path("wardgate.db");
    site.ok(&["user", "list"], "");
    let sound = std::fs::read(&database).expect("the database");
    // The first page is left: it is what tells a database from other files.
    let mut damaged = sound.clone();
    damaged[8 * 4096..].fill(0xee);
    std::fs::write(&database, &damaged).expect("a damaged database");
    let copy = site.path("copy.db");
    for command in [
        &["serve"][..],
        &["audit", "verify"],
        &["backup", "--to", copy.to_str().expect("text")],
    ] {
        let said = refused(&site, command, 7);
        assert!(said.contains("restore"), "{said}");
    }
    assert!(!copy.exists());
    assert_eq!(
        std::fs::read(&database).expect("the database"),
        damaged,
        "nothing was made of it"
    );
}
