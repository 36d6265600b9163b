//! The way to a stop: told to, taking no more, at once.

use std::time::Duration;

use tokio::sync::watch;

use super::signals::Signals;

/// How far a stop has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// There is none.
    Serving,
    /// The process was told to stop. It says that it is not ready, and serves on until balancers have seen it.
    Told,
    /// No more connections are taken; what was begun is finished.
    Stopping,
    /// Nothing is waited for any more.
    AtOnce,
}

/// A view on the stage. Clones see the same.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<Stage>);

impl Stop {
    /// Waits until the stop has come as far as `stage`, or further.
    pub async fn reached(&self, stage: Stage) {
        if self.0.clone().wait_for(|now| *now >= stage).await.is_err() {
            // Whoever tells is gone without having told: serving goes on.
            std::future::pending::<()>().await;
        }
    }
}

/// Takes the process's signals to stop.
#[derive(Debug)]
pub struct StopSignals(watch::Sender<Stage>);

impl StopSignals {
    /// Nothing was told yet.
    pub fn new() -> (Self, Stop) {
        let (tell, told) = watch::channel(Stage::Serving);
        (Self(tell), Stop(told))
    }

    /// Goes through the stages: the first signal brings the stop, `drain` later no more is taken, the second signal ends all.
    /// `tell` is called with the first.
    pub async fn follow(self, signals: &mut Signals, drain: Duration, tell: impl FnOnce()) {
        signals.next().await;
        // First of all: what is told may fail with whoever listened to it.
        self.0.send_replace(Stage::Told);
        tell();
        let is_again = tokio::time::timeout(drain, signals.next()).await.is_ok();
        self.0.send_replace(Stage::Stopping);
        if !is_again {
            signals.next().await;
        }
        self.0.send_replace(Stage::AtOnce);
    }
}
