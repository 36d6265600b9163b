//! Signals of the operating system: to stop, to look at the certificate.

use tokio::sync::mpsc;

/// Signals of one purpose, one after the other.
#[derive(Debug)]
pub struct Signals(mpsc::Receiver<()>);

/// Signals cannot be received.
#[derive(Debug, thiserror::Error)]
#[error("signals cannot be received: {0}")]
pub struct SignalError(#[from] std::io::Error);

impl Signals {
    /// Waits for the next one.
    pub async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            // Whoever listens for them is gone: none will come.
            std::future::pending::<()>().await;
        }
    }
}

/// SIGINT and SIGTERM.
///
/// # Errors
/// [`SignalError`].
#[cfg(unix)]
pub fn terminations() -> Result<Signals, SignalError> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (tell, told) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if tell.send(()).await.is_err() {
                break;
            }
        }
    });
    Ok(Signals(told))
}

/// SIGHUP.
///
/// # Errors
/// [`SignalError`].
#[cfg(unix)]
pub fn hang_ups() -> Result<Signals, SignalError> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut hang_up = signal(SignalKind::hangup())?;
    let (tell, told) = mpsc::channel(1);
    tokio::spawn(async move {
        while hang_up.recv().await.is_some() {
            if tell.send(()).await.is_err() {
                break;
            }
        }
    });
    Ok(Signals(told))
}

/// Ctrl-C.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn terminations() -> Result<Signals, SignalError> {
    let (tell, told) = mpsc::channel(1);
    tokio::spawn(
        async move { while tokio::signal::ctrl_c().await.is_ok() && tell.send(()).await.is_ok() {} },
    );
    Ok(Signals(told))
}

/// None: there is no such signal.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn hang_ups() -> Result<Signals, SignalError> {
    let (_, told) = mpsc::channel(1);
    Ok(Signals(told))
}
