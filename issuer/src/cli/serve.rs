//! `wardgate serve`: the issuer itself, from start to graceful stop.

mod metrics;

use std::future::Future;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use wardgate_shared::time::Timestamp;

use crate::backchannel_logout::Deliveries;
use crate::clock::Clock;
use crate::config::{Config, LogFormat};
use crate::messages;
use crate::snapshots;
use crate::state::AppState;
use crate::store::StoreError;
use crate::telemetry::collect::is_exported;
use crate::telemetry::export::Exporter;

use super::{Failure, opened, output};

/// How often the key ring looks for keys that another process made. Far shorter than the shortest publishing lead.
const KEY_RELOAD: Duration = Duration::from_mins(1);
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
    let (listen, public_url) = (config.server.listen, config.server.public_url.clone());
    let grace = Duration::from_secs(config.server.shutdown_seconds);
    let now = clock.now();
    let (store, keys) = opened::store_and_keys(&config, now).await?;
    keys.ensure_keys(&store, now).await?;
    let state = AppState::build(config, store.clone(), keys, clock)?;

    let listener = TcpListener::bind(listen).await.map_err(|error| {
        Failure::Network(match error.kind() {
            std::io::ErrorKind::AddrInUse => format!("{listen} is taken: another program listens there"),
            _ => format!("{listen} cannot be listened on: {error}"),
        })
    })?;
    let address = listener
        .local_addr()
        .map_err(|error| Failure::Network(error.to_string()))?;
    let stop = stop_on_signal()?;
    let metrics = metrics::serve(&state).await?;
    let upkeep = tokio::spawn(keep_up(state.clone()));
    let snapshots = tokio::spawn(take_snapshots(state.clone()));
    let deliveries = tokio::spawn(Deliveries::new(state.clone()).run(told(stop.clone())));
    let messages = tokio::spawn(messages::Deliveries::new(state.clone()).run(told(stop.clone())));
    output::result(&format!(
        "Wardgate {} serves {public_url} on {address}; Ctrl-C stops it",
        env!("CARGO_PKG_VERSION")
    ))?;

    let background = state.clone();
    let service = crate::app(state).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(told(stop.clone()));
    let outcome = tokio::select! {
        outcome = async { server.await } => outcome.map_err(|error| Failure::Network(error.to_string())),
        () = async { told(stop).await; tokio::time::sleep(grace).await } => {
            tracing::warn!("requests were still under way when the time for stopping was over");
            Ok(())
        }
    };
    upkeep.abort();
    snapshots.abort();
    // What is not told by then stays queued for the next start.
    if tokio::time::timeout(grace, deliveries).await.is_err() {
        tracing::warn!("logout tokens were still under way when the time for stopping was over");
    }
    if tokio::time::timeout(grace, messages).await.is_err() {
        tracing::warn!("messages were still under way when the time for stopping was over");
    }
    background.background().finish().await;
    if let Some(metrics) = metrics {
        metrics.abort();
    }
    if let Some(exporter) = exporter {
        exporter.finish().await;
    }
    store.close().await;
    tracing::info!("stopped");
    outcome
}

/// Deletes what has expired and takes over rotated keys, for ever. A failure is logged and tried again next time.
async fn keep_up(state: AppState) {
    let mut reload = tokio::time::interval(KEY_RELOAD);
    let mut purge = tokio::time::interval(PURGE);
    let mut audit = tokio::time::interval(AUDIT);
    loop {
        tokio::select! {
            _ = reload.tick() => {
                if let Err(error) = state.keys().reload(state.store()).await {
                    tracing::error!(%error, "the signing keys could not be reloaded");
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

/// A value that becomes true at the first signal to stop.
fn stop_on_signal() -> Result<watch::Receiver<bool>, Failure> {
    let (tell, told) = watch::channel(false);
    let signal = first_signal()?;
    tokio::spawn(async move {
        signal.await;
        tracing::info!("stopping");
        // Nobody listening means that the server has stopped already.
        let _ = tell.send(true);
    });
    Ok(told)
}

#[cfg(unix)]
fn first_signal() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};

    let failed = |error: std::io::Error| Failure::Other(format!("signals cannot be received: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
        }
    })
}

#[cfg(not(unix))]
fn first_signal() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async {
        // Without signals the process ends when it is ended.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

async fn told(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // The sender lives until it has spoken; should it ever not, serving goes on.
        std::future::pending::<()>().await;
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
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
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
