//! Ctrl-C and its kin: a signal sets a flag, and whoever waits looks at it, stops its children and returns.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use signal_hook::{consts, flag};

use crate::fault::{Fault, OrFault as _, Outcome};

/// Whether someone has asked the tool to stop.
#[derive(Clone, Debug)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens for SIGINT (Ctrl-C), SIGTERM and SIGHUP (the terminal was closed).
    pub(crate) fn listen() -> Outcome<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [consts::SIGINT, consts::SIGTERM, consts::SIGHUP] {
            flag::register(signal, Arc::clone(&asked)).or_fault(|| "listen for signals".to_owned())?;
        }
        Ok(Self(asked))
    }

    /// True from the first signal on.
    pub(crate) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// A fault from the first signal on, for steps that simply give up.
    pub(crate) fn check(&self) -> Outcome<()> {
        if self.is_asked() {
            Err(Fault::new("stopped, as asked"))
        } else {
            Ok(())
        }
    }
}
