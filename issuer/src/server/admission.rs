//! Who may connect: so many in all, so many from one network.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::{ConnectionsConfig, IpNetwork};
use crate::throttle::network_of;

/// How many of those who are refused are waited for at once, so that they can read why.
const LEAVES: usize = 64;

/// Why a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There are too many.
    Everybody,
    /// There are too many from that network.
    Network,
}

/// Counts of open connections.
#[derive(Debug)]
pub struct Admission {
    maximum: usize,
    maximum_per_network: usize,
    exempt: Vec<IpNetwork>,
    counts: Mutex<Counts>,
    refused: AtomicU64,
    leaves: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_network: HashMap<u128, usize>,
}

impl Admission {
    /// Nobody is connected yet. Only the maximum of all holds for addresses in `exempt`.
    pub fn new(limits: &ConnectionsConfig, exempt: Vec<IpNetwork>) -> Arc<Self> {
        Arc::new(Self {
            maximum: limits.maximum,
            maximum_per_network: limits.maximum_per_address,
            exempt,
            counts: Mutex::default(),
            refused: AtomicU64::new(0),
            leaves: Arc::new(Semaphore::new(LEAVES)),
        })
    }

    /// Counts a connection from `peer`, until the slot is dropped.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<Slot, Refused> {
        let is_exempt = self.exempt.iter().any(|network| network.contains(peer));
        let network = (!is_exempt).then(|| network_of(peer));
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = counts.take(network, self.maximum, self.maximum_per_network);
        drop(counts);
        match outcome {
            Ok(()) => Ok(Slot {
                admission: self.clone(),
                network,
            }),
            Err(refused) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                Err(refused)
            }
        }
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).all
    }

    /// The right to be waited for after a refusal, while not too many have it.
    pub(super) fn leave(&self) -> Option<OwnedSemaphorePermit> {
        self.leaves.clone().try_acquire_owned().ok()
    }

    /// Writes to the log how many were refused since the last time, if any were: one line for however many.
    pub(super) fn tell_of_refusals(&self) {
        let refused = self.refused.swap(0, Ordering::Relaxed);
        if refused > 0 {
            let open = self.open();
            tracing::warn!(
                refused,
                open,
                "connections were refused: there are too many, or too many from one address"
            );
        }
    }
}

impl Counts {
    fn take(&mut self, network: Option<u128>, maximum: usize, per_network: usize) -> Result<(), Refused> {
        if self.all >= maximum {
            return Err(Refused::Everybody);
        }
        if let Some(network) = network {
            let count = self.by_network.entry(network).or_default();
            if *count >= per_network {
                return Err(Refused::Network);
            }
            *count = count.saturating_add(1);
        }
        self.all = self.all.saturating_add(1);
        Ok(())
    }

    fn give_back(&mut self, network: Option<u128>) {
        self.all = self.all.saturating_sub(1);
        let Some(network) = network else { return };
        if let Some(count) = self.by_network.get_mut(&network) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_network.remove(&network);
            }
        }
    }
}

/// The place of one connection.
#[derive(Debug)]
pub struct Slot {
    admission: Arc<Admission>,
    network: Option<u128>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self
            .admission
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        counts.give_back(self.network);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Admission, Refused};
    use crate::config::{ConnectionsConfig, IpNetwork};

    fn limits(maximum: usize, maximum_per_address: usize) -> ConnectionsConfig {
        ConnectionsConfig {
            maximum,
            maximum_per_address,
            handshake: Duration::from_secs(1),
            header: Duration::from_secs(1),
            idle: Duration::from_secs(1),
            body: Duration::from_secs(1),
            body_bytes_per_second: 1,
            request: Duration::from_secs(1),
            header_bytes: 8192,
            header_count: 100,
            streams: 1,
            resets: 1,
        }
    }

    #[test]
    fn one_network_cannot_have_all_places() {
        let admission = Admission::new(&limits(4, 2), vec![]);
        let admit = |peer: &str| admission.admit(peer.parse().unwrap());
        let first = admit("192.0.2.1").unwrap();
        let _second = admit("::ffff:192.0.2.1").unwrap();
        assert_eq!(admit("192.0.2.1").unwrap_err(), Refused::Network);
        let _third = admit("2001:db8::1").unwrap();
        let _fourth = admit("2001:db8::ffff").unwrap();
        assert_eq!(admit("192.0.2.2").unwrap_err(), Refused::Everybody);
        assert_eq!(admission.open(), 4);
        drop(first);
        assert_eq!(admit("2001:db8::2").unwrap_err(), Refused::Network);
        assert!(admit("192.0.2.1").is_ok());
    }

    #[test]
    fn a_trusted_proxy_may_have_all_places_and_no_more() {
        let proxy = IpNetwork::parse("10.0.0.0/8").unwrap();
        let admission = Admission::new(&limits(3, 1), vec![proxy]);
        let admit = |peer: &str| admission.admit(peer.parse().unwrap());
        let places: Vec<_> = (0..3).map(|_| admit("10.1.1.1").unwrap()).collect();
        assert_eq!(admit("10.1.1.1").unwrap_err(), Refused::Everybody);
        drop(places);
        assert_eq!(admission.open(), 0);
        assert!(admission.counts.lock().unwrap().by_network.is_empty());
    }
}
