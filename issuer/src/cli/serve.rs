//! `wardgate serve`: the issuer itself, from start to graceful stop.

mod metrics;

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use wardgate_shared::time::Timestamp;

use crate::backchannel_logout::Deliveries;
use crate::clock::Clock;
use crate::config::{Config, ConnectionsConfig, LogFormat, PublicUrl, TlsConfig};
use crate::domain::instant;
use crate::endpoints::reference;
use crate::keys::KeyError;
use crate::messages;
use crate::server::{
    Admission, Server, ServiceManager, Stage, Stop, StopSignals, Tls, listen, open_files, redirect, signals,
};
use crate::snapshots;
use crate::state::AppState;
use crate::store::StoreError;
use crate::telemetry::collect::is_exported;
use crate::telemetry::export::Exporter;

use super::{Failure, opened, output};

/// How often the key ring looks for keys that another process made or revoked, and for successors that are due.
const KEY_RELOAD: Duration = Duration::from_secs(5);
/// How often expired rows are deleted.
const PURGE: Duration = Duration::from_mins(5);
/// How often the audit trail is looked after.
const AUDIT: Duration = Duration::from_hours(1);
/// How often it is looked whether a copy of the database is due.
const SNAPSHOT: Duration = Duration::from_mins(1);
const DAY_SECONDS: i64 = 86_400;

/// Serves until Ctrl-C or SIGTERM, then lets requests under way finish and closes the database.
///
/// # Errors
/// [`Failure`].
pub(super) async fn serve(config: Config, clock: Arc<dyn Clock>) -> Result<(), Failure> {
    let exporter = start_log(&config)?;
    let server = config.server.clone();
    let now = clock.now();
    let tls = match &config.tls {
        Some(tls) => Some(Tls::new(tls.clone(), server.public_url.clone(), now)?),
        None => None,
    };
    let by_http = config.tls.clone();
    let mut limits = config.connections;
    limits.maximum = open_files::room_for(limits.maximum);
    let (store, keys) = opened::store_and_keys(&config, now).await?;
    keys.ensure_keys(&store, now).await?;
    let state = AppState::build(config, store.clone(), keys, clock)?;
    reference::client::bring_in_step(&state).await?;

    let manager = ServiceManager::of_environment();
    let listener = listen(server.listen).await.map_err(Failure::Network)?;
    let address = listener
        .local_addr()
        .map_err(|error| Failure::Network(error.to_string()))?;
    let admission = Admission::new(&limits, server.trusted_proxies.clone());
    let redirect = match by_http {
        Some(tls) => redirecting(tls, server.public_url.clone(), limits, admission.clone()).await?,
        None => None,
    };
    let stop = {
        let (state, manager) = (state.clone(), manager.clone());
        stop_on_signal(Duration::from_secs(server.drain_seconds), move || {
            tracing::info!("stopping");
            state.begin_stopping();
            manager.stopping();
        })?
    };
    let metrics = metrics::serve(&state).await?;
    let reload = tokio::spawn(reload_certificate(
        signals::hang_ups()?,
        tls.clone(),
        state.clone(),
    ));
    let upkeep = tokio::spawn(keep_up(state.clone()));
    let snapshots = tokio::spawn(take_snapshots(state.clone()));
    let deliveries = tokio::spawn(Deliveries::new(state.clone()).run(told(stop.clone())));
    let messages = tokio::spawn(messages::Deliveries::new(state.clone()).run(told(stop.clone())));
    output::result(&format!(
        "Wardgate {} serves {} on {address}; Ctrl-C stops it",
        env!("CARGO_PKG_VERSION"),
        server.public_url
    ))?;
    manager.ready();

    let grace = Duration::from_secs(server.shutdown_seconds);
    let main = Server {
        listener,
        app: crate::app(state.clone()),
        limits,
        admission,
        tls,
    };
    let redirected = async {
        match redirect {
            Some(redirect) => redirect.run(stop.clone(), grace).await,
            None => true,
        }
    };
    if let (false, _) | (_, false) = tokio::join!(main.run(stop.clone(), grace), redirected) {
        tracing::warn!("requests were still under way when the time for stopping was over");
    }
    for task in [upkeep, snapshots, reload] {
        task.abort();
    }
    // What is not told by then stays queued for the next start.
    let rest = async {
        if tokio::time::timeout(grace, deliveries).await.is_err() {
            tracing::warn!("logout tokens were still under way when the time for stopping was over");
        }
        if tokio::time::timeout(grace, messages).await.is_err() {
            tracing::warn!("messages were still under way when the time for stopping was over");
        }
        state.background().finish().await;
    };
    tokio::select! {
        () = rest => {}
        () = stop.reached(Stage::AtOnce) => tracing::warn!("told to stop again: nothing more is waited for"),
    }
    if let Some(metrics) = metrics {
        metrics.abort();
    }
    if let Some(exporter) = exporter {
        exporter.finish().await;
    }
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// The listener for those who come by http, where there is to be one.
async fn redirecting(
    tls: TlsConfig,
    public_url: PublicUrl,
    limits: ConnectionsConfig,
    admission: Arc<Admission>,
) -> Result<Option<Server>, Failure> {
    let Some(address) = tls.redirect_listen else {
        return Ok(None);
    };
    Ok(Some(Server {
        listener: listen(address).await.map_err(Failure::Network)?,
        app: redirect::router(public_url, tls.acme_webroot),
        limits,
        admission,
        tls: None,
    }))
}

/// Deletes what has expired and takes over rotated keys, for ever. A failure is logged and tried again next time.
async fn keep_up(state: AppState) {
    let mut reload = tokio::time::interval(KEY_RELOAD);
    let mut purge = tokio::time::interval(PURGE);
    let mut audit = tokio::time::interval(AUDIT);
    loop {
        tokio::select! {
            _ = reload.tick() => {
                if let Err(error) = keep_keys(&state).await {
                    tracing::error!(%error, "the signing keys could not be kept up to date");
                }
            }
            _ = purge.tick() => match state.store().purge_expired(state.now()).await {
                Ok(purged) => tracing::debug!(rows = purged.rows, "deleted expired rows"),
                Err(error) => tracing::error!(%error, "expired rows could not be deleted"),
            },
            _ = audit.tick() => {
                if let Err(error) = keep_audit_trail(&state).await {
                    tracing::error!(%error, "the audit trail could not be kept in order");
                }
            }
        }
    }
}

/// Takes over the keys that other processes made or revoked, and makes the successors that the schedule asks for.
async fn keep_keys(state: &AppState) -> Result<(), KeyError> {
    for key in state.keys().rotate_due(state.store(), state.now()).await? {
        tracing::info!(
            kid = key.key_id,
            algorithm = key.algorithm.name(),
            signs_from = instant::rfc3339(key.signs_from),
            "made a signing key, as scheduled"
        );
    }
    Ok(())
}

/// Copies the database whenever a copy is due, for ever. A failure is logged and tried again next time.
async fn take_snapshots(state: AppState) {
    let mut look = tokio::time::interval(SNAPSHOT);
    loop {
        look.tick().await;
        match snapshots::take_if_due(state.store(), &state.config().backup, state.now()).await {
            Ok(Some(file)) => {
                state.metrics().snapshot(true);
                tracing::info!(file = %file.display(), "copied the database");
            }
            Ok(None) => {}
            Err(error) => {
                state.metrics().snapshot(false);
                tracing::error!(%error, "the database could not be copied");
            }
        }
    }
}

/// Retires what is older than a line of the audit trail gets, and writes the newest line's digest to the log: there it is out of the reach of
/// whoever gets at the database.
async fn keep_audit_trail(state: &AppState) -> Result<(), StoreError> {
    let days = state.config().audit.retention_days;
    if days > 0 {
        // Whole days, so that this adds a line a day and not one each time.
        let oldest = state.now().minus(days.saturating_mul(DAY_SECONDS)).seconds();
        let oldest = Timestamp::from_seconds(oldest.saturating_sub(oldest.rem_euclid(DAY_SECONDS)));
        let mut retired = 0_usize;
        loop {
            match state.store().retire_audit_events(oldest, state.now()).await? {
                0 => break,
                lines => retired = retired.saturating_add(lines),
            }
        }
        if retired > 0 {
            tracing::info!(lines = retired, "retired the oldest lines of the audit trail");
        }
    }
    if let Some(head) = state.store().audit_head().await? {
        tracing::info!(%head, "the audit trail ends here; `wardgate audit verify --expect` compares");
    }
    Ok(())
}

/// Goes through the stages of a stop at signals; `tell` is called at the first.
fn stop_on_signal(drain: Duration, tell: impl FnOnce() + Send + 'static) -> Result<Stop, Failure> {
    let mut terminations = signals::terminations()?;
    let (signals, stop) = StopSignals::new();
    tokio::spawn(async move { signals.follow(&mut terminations, drain, tell).await });
    Ok(stop)
}

/// Comes when nothing new is to be begun.
async fn told(stop: Stop) {
    stop.reached(Stage::Stopping).await;
}

/// Replaces the certificate when its files change, and looks at once at SIGHUP.
async fn reload_certificate(mut hang_ups: signals::Signals, tls: Option<Tls>, state: AppState) {
    let Some(tls) = tls else {
        loop {
            hang_ups.next().await;
            tracing::info!("there is no certificate to reload; other settings are read at the start");
        }
    };
    let mut looks = tokio::time::interval(tls.cadence());
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            () = hang_ups.next() => {}
        }
        tls.reload(state.now()).await;
        state.metrics().certificate_expires(tls.ends_at());
    }
}

/// Sends the log to standard error, and traces to the collector, where there is one. A log that was started before, as in tests, stays.
fn start_log(config: &Config) -> Result<Option<Exporter>, Failure> {
    let json = match config.logging.format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Json => true,
        LogFormat::Text => false,
    };
    let (exporter, collector) = match &config.telemetry {
        Some(telemetry) => {
            let (exporter, collector) = Exporter::start(telemetry).map_err(Failure::Other)?;
            (
                Some(exporter),
                Some(collector.with_filter(filter_fn(is_exported).with_max_level_hint(LevelFilter::INFO))),
            )
        }
        None => (None, None),
    };
    // The filter was checked with the configuration.
    let filter = EnvFilter::builder().parse_lossy(&config.logging.filter);
    // A hint that hides nothing: without one every level would be looked at.
    let others = filter_fn(|metadata| !is_exported(metadata)).with_max_level_hint(LevelFilter::TRACE);
    let filter = filter.and(others);
    // A line that nobody takes any more is lost; to complain of it, where it was lost, would end the thread.
    let log = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    let log = if json {
        log.json().flatten_event(true).with_filter(filter).boxed()
    } else {
        log.with_ansi(std::io::stderr().is_terminal())
            .with_filter(filter)
            .boxed()
    };
    let _ = tracing_subscriber::registry()
        .with(log)
        .with(collector)
        .try_init();
    Ok(exporter)
}
