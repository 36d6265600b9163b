//! What is only looked at when somebody asks: files, keys, queues in the database, the process.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Unit;

use crate::snapshots;
use crate::state::AppState;

use super::instruments::Labels;
use super::process;
use super::registrar::Registrar;

type Gauges<const N: usize> = Family<Labels<N>, Gauge>;
type CpuSeconds = Counter<f64, AtomicU64>;

#[derive(Debug, Default)]
pub(super) struct Observed {
    ready: Gauge,
    failed_checks: Gauges<1>,
    database_bytes: Gauge,
    wal_bytes: Gauge,
    free_bytes: Gauge,
    queued_messages: Gauge,
    queued_logouts: Gauge,
    snapshot_age: Gauges<0>,
    key_age: Gauges<1>,
    key_successor: Gauges<1>,
    key_rotation: Gauges<1>,
    certificate_expiry: Gauges<0>,
    build: Gauges<1>,
    start: Gauge,
    cpu: CpuSeconds,
    resident: Gauge,
    open_files: Gauge,
    most_open_files: Gauge,
}

impl Observed {
    pub(super) fn register(&self, registrar: &mut Registrar<'_>) {
        registrar.add("ready", "", "1 when `/health/ready` says 200", &self.ready);
        registrar.add(
            "check_failed",
            "check",
            "1 for a check of `/health/ready` that fails",
            &self.failed_checks,
        );
        registrar.add_in(
            "database_size",
            Unit::Bytes,
            "",
            "The database file",
            &self.database_bytes,
        );
        registrar.add_in(
            "wal_size",
            Unit::Bytes,
            "",
            "The log beside the database (-wal)",
            &self.wal_bytes,
        );
        registrar.add_in(
            "disk_free",
            Unit::Bytes,
            "",
            "What is free for the issuer where the database lies",
            &self.free_bytes,
        );
        registrar.add(
            "message_queue_depth",
            "",
            "Mails and short messages that are still to be sent",
            &self.queued_messages,
        );
        registrar.add(
            "logout_queue_depth",
            "",
            "Clients that are still to be told of the end of a session",
            &self.queued_logouts,
        );
        registrar.add_in(
            "snapshot_age",
            Unit::Seconds,
            "",
            "How old the newest scheduled copy of the database is; absent without `backup.folder` and before the first",
            &self.snapshot_age,
        );
        registrar.add_in(
            "signing_key_age",
            Unit::Seconds,
            "algorithm",
            "How long the key that signs now has been signing",
            &self.key_age,
        );
        registrar.add_in(
            "signing_key_successor_in",
            Unit::Seconds,
            "algorithm",
            "How long until a successor signs; absent as long as none was made",
            &self.key_successor,
        );
        registrar.add_in(
            "signing_key_rotation_in",
            Unit::Seconds,
            "algorithm",
            "How long until the schedule makes a successor, negative when it is late; absent with `keys.rotation_days = 0`",
            &self.key_rotation,
        );
        registrar.add_in(
            "tls_certificate_expiry_timestamp",
            Unit::Seconds,
            "",
            "When the issuer's own certificate expires, since 1970; absent where a proxy speaks TLS",
            &self.certificate_expiry,
        );
        registrar.add("build_info", "version", "1, with the version", &self.build);
        registrar.add_of_process(
            "process_start_time_seconds",
            "When the process began, since 1970",
            &self.start,
        );
        registrar.add_of_process("process_cpu_seconds", "Processor time used", &self.cpu);
        registrar.add_of_process("process_resident_memory_bytes", "Memory in use", &self.resident);
        registrar.add_of_process("process_open_fds", "Open files and connections", &self.open_files);
        registrar.add_of_process("process_max_fds", "How many there may be", &self.most_open_files);
    }

    pub(super) fn certificate_expires(&self, at_unix_seconds: i64) {
        self.certificate_expiry.get_or_create(&[]).set(at_unix_seconds);
    }

    pub(super) async fn look(&self, state: &AppState) {
        let now = state.now();
        self.build
            .get_or_create(&[("version", env!("CARGO_PKG_VERSION"))])
            .set(1);
        self.start.set(state.started_at().seconds());
        let health = state.readiness().check(state).await;
        self.ready.set(i64::from(health.is_ready()));
        for check in &health.checks {
            let labels = [("check", check.name)];
            self.failed_checks
                .get_or_create(&labels)
                .set(i64::from(check.problem.is_some()));
        }
        state.store().observe_queue();
        if let Ok(queued) = state.store().queued().await {
            self.queued_messages.set(queued.messages);
            self.queued_logouts.set(queued.logouts);
        }
        self.look_at_keys(state);
        let database = state.config().database.path.clone();
        let folder = state.config().backup.folder.clone();
        let look = move || Files::look(&database, folder.as_deref());
        let Ok((files, process)) = tokio::task::spawn_blocking(move || (look(), process::look())).await
        else {
            return;
        };
        set(&self.database_bytes, files.database_bytes);
        // The log is made with the first write, and gone after the last.
        self.wal_bytes
            .set(i64::try_from(files.wal_bytes.unwrap_or(0)).unwrap_or(i64::MAX));
        set(&self.free_bytes, files.free_bytes);
        match files.newest_snapshot {
            Some(made_at) => {
                self.snapshot_age.get_or_create(&[]).set(now.since(made_at));
            }
            None => self.snapshot_age.clear(),
        }
        set(&self.resident, process.resident_bytes);
        set(&self.open_files, process.open_files);
        set(&self.most_open_files, process.most_open_files);
        if let Some(seconds) = process.cpu_seconds {
            self.cpu.inner().store(seconds.to_bits(), Ordering::Relaxed);
        }
    }

    fn look_at_keys(&self, state: &AppState) {
        let (lives, now) = (state.keys().lives(), state.now());
        self.key_successor.clear();
        for key in lives.iter().filter(|key| key.may_sign(now)) {
            let labels = [("algorithm", key.algorithm.name())];
            self.key_age.get_or_create(&labels).set(now.since(key.signs_from));
            if let Some(until) = key.signs_until {
                self.key_successor.get_or_create(&labels).set(until.since(now));
            }
        }
        for algorithm in state.keys().algorithms() {
            if let Some(due) = state.keys().successor_due(algorithm) {
                let labels = [("algorithm", algorithm.name())];
                self.key_rotation.get_or_create(&labels).set(due.since(now));
            }
        }
    }
}

fn set(gauge: &Gauge, value: Option<u64>) {
    if let Some(value) = value {
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    }
}

/// What the disk says.
struct Files {
    database_bytes: Option<u64>,
    wal_bytes: Option<u64>,
    free_bytes: Option<u64>,
    newest_snapshot: Option<wardgate_shared::time::Timestamp>,
}

impl Files {
    fn look(database: &Path, snapshots: Option<&Path>) -> Self {
        let size = |path: &Path| std::fs::metadata(path).ok().map(|file| file.len());
        let mut wal = database.as_os_str().to_os_string();
        wal.push("-wal");
        Self {
            database_bytes: size(database),
            wal_bytes: size(&PathBuf::from(wal)),
            free_bytes: crate::readiness::free_bytes(database),
            newest_snapshot: snapshots.and_then(snapshots::newest),
        }
    }
}
