//! The listener for metrics, where one is configured: it answers until the very end, so that a stop can be watched.

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::cli::Failure;
use crate::metrics::listener;
use crate::state::AppState;

/// Begins to serve; the task goes on until it is aborted.
///
/// # Errors
/// [`Failure::Network`], when the address cannot be listened on.
pub(super) async fn serve(state: &AppState) -> Result<Option<JoinHandle<()>>, Failure> {
    let Some(config) = &state.config().metrics else {
        return Ok(None);
    };
    let failed = |error: std::io::Error| {
        Failure::Network(format!(
            "{} cannot be listened on for metrics: {error}",
            config.listen
        ))
    };
    let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    tracing::info!(%address, "serves metrics");
    let router = listener::router(state.clone());
    Ok(Some(tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "metrics are not served any more");
        }
    })))
}
