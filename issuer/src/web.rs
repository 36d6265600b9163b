//! What handlers share beyond [`AppState`]: state of the web layer alone, kept in memory.

use std::sync::Arc;

use axum::extract::FromRef;

use crate::login::forgotten_password::ResetThrottle;
use crate::login::throttle::SignInThrottle;
use crate::state::AppState;

/// The router's state. Handlers take the part they need.
#[derive(Clone)]
pub struct Web {
    state: AppState,
    throttle: Arc<SignInThrottle>,
    reset_throttle: ResetThrottle,
}

impl Web {
    /// The web layer over `state`, with empty counters.
    pub fn new(state: AppState) -> Self {
        Self {
            state,
            throttle: Arc::new(SignInThrottle::default()),
            reset_throttle: ResetThrottle::default(),
        }
    }
}

impl FromRef<Web> for AppState {
    fn from_ref(web: &Web) -> Self {
        web.state.clone()
    }
}

impl FromRef<Web> for Arc<SignInThrottle> {
    fn from_ref(web: &Web) -> Self {
        Arc::clone(&web.throttle)
    }
}

impl FromRef<Web> for ResetThrottle {
    fn from_ref(web: &Web) -> Self {
        web.reset_throttle.clone()
    }
}

#[cfg(test)]
pub(crate) mod testing;
