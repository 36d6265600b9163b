//! `wardgate serve`: the issuer itself, from start to graceful stop.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use wardgate_shared::time::Timestamp;

use crate::backchannel_logout::Deliveries;
use crate::clock::Clock;
use crate::config::{Config, LogFormat, LoggingConfig};
use crate::endpoints::reference;
use crate::messages;
use crate::server::{
    Admission, Server, ServiceManager, Stage, Stop, StopSignals, Tls, listen, open_files, redirect, signals,
};
use crate::snapshots;
use crate::state::AppState;
use crate::store::StoreError;

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
    start_log(&config.logging);
    let server = config.server.clone();
    let now = clock.now();
    let tls = match &config.tls {
        Some(tls) => Some(Tls::new(tls.clone(), server.public_url.clone(), now)?),
        None => None,
    };
    let redirect = config.tls.as_ref().and_then(|tls| tls.redirect_listen);
    let mut limits = config.connections;
    limits.maximum = open_files::room_for(limits.maximum);
    let (store, keys) = opened::store_and_keys(&config, now).await?;
    keys.ensure_keys(&store, now).await?;
    let state = AppState::build(config, store.clone(), keys, clock.clone())?;
    reference::client::bring_in_step(&state).await?;

    let manager = ServiceManager::of_environment();
    let listener = listen(server.listen).await.map_err(Failure::Network)?;
    let address = listener
        .local_addr()
        .map_err(|error| Failure::Network(error.to_string()))?;
    let admission = Admission::new(&limits, server.trusted_proxies.clone());
    let redirect = match redirect {
        Some(address) => Some(Server {
            listener: listen(address).await.map_err(Failure::Network)?,
            app: redirect::router(server.public_url.clone()),
            limits,
            admission: admission.clone(),
            tls: None,
        }),
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
    let reload = tokio::spawn(reload_certificate(signals::hang_ups()?, tls.clone(), clock));
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
    store.close().await;
    tracing::info!("stopped");
    Ok(())
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
            Ok(Some(file)) => tracing::info!(file = %file.display(), "copied the database"),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "the database could not be copied"),
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
async fn reload_certificate(mut hang_ups: signals::Signals, tls: Option<Tls>, clock: Arc<dyn Clock>) {
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
        tls.reload(clock.now()).await;
    }
}

/// Sends the log to standard error. A log that was started before, as in tests, stays.
fn start_log(config: &LoggingConfig) {
    let json = match config.format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Json => true,
        LogFormat::Text => false,
    };
    // The filter was checked with the configuration.
    let filter = EnvFilter::builder().parse_lossy(&config.filter);
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let _ = if json {
        log.json().flatten_event(true).try_init()
    } else {
        log.with_ansi(std::io::stderr().is_terminal()).try_init()
    };
}
