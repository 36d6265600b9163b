//! The issuers that are trusted, and what an isolate keeps of each: its keys, its status lists and its SMART configuration.
//!
//! Nothing of one issuer is ever looked up in what is kept of another: a key is bound to the issuer that published it.

use std::cell::RefCell;
use std::rc::Rc;

use wardgate_shared::denial::{Denials, DenyBefore};

use crate::authenticate::Holder;
use crate::config::{Api, Config, TrustedIssuer};
use crate::error::Refusal;
use crate::gateway::Gateway;
use crate::jwks::KeyCache;
use crate::status::StatusLists;
use crate::well_known::KeptDocument;

/// An issuer; `K` is a key that verifies.
#[derive(Debug)]
pub struct Issuer<K> {
    /// Who it is and where its documents are.
    pub trusted: TrustedIssuer,
    /// How long a fetch may take, in milliseconds.
    pub timeout_milliseconds: u32,
    /// Its keys. Borrowed for moments only, never across an `await`.
    pub keys: RefCell<KeyCache<K>>,
    /// The clock difference tolerated in what it signs, in seconds.
    pub clock_skew_seconds: i64,
    /// Its status lists, likewise.
    pub status_lists: RefCell<StatusLists>,
    /// Whose tokens it denies, by the newest of its status lists, likewise.
    pub denials: RefCell<Denials>,
    /// Its SMART configuration, likewise.
    pub smart_configuration: RefCell<KeptDocument>,
}

impl<K: Clone> Issuer<K> {
    /// All issuers of the configuration, of which nothing was fetched yet.
    pub fn all(config: &Config) -> Vec<Rc<Self>> {
        let of = |trusted: &TrustedIssuer| Self {
            trusted: trusted.clone(),
            timeout_milliseconds: config.jwks_timeout_milliseconds,
            keys: RefCell::new(KeyCache::new(config.refresh)),
            clock_skew_seconds: config.clock_skew_seconds,
            status_lists: RefCell::new(StatusLists::new(config.status)),
            denials: RefCell::default(),
            smart_configuration: RefCell::new(KeptDocument::new(config.refresh)),
        };
        config
            .issuers
            .iter()
            .map(|trusted| Rc::new(of(trusted)))
            .collect()
    }
}

impl<K> Gateway<K> {
    /// The issuer of this `iss`, if `api` trusts it.
    pub fn issuer_for(&self, api: &Api, iss: &str) -> Option<&Rc<Issuer<K>>> {
        let trusted = api.issuers.iter().any(|issuer| issuer == iss);
        self.issuers
            .iter()
            .find(|issuer| trusted && issuer.trusted.issuer == iss)
    }

    /// What the issuer of a token denies of its holder, the token itself perhaps not.
    pub fn denials_meaning(&self, api: &Api, holder: &Holder) -> Vec<DenyBefore> {
        let issuer = self.issuer_for(api, &holder.claims().issuer);
        let denials = issuer.map(|issuer| issuer.denials.borrow());
        let denials = denials.filter(|denials| !denials.is_empty());
        denials
            .map(|denials| denials.meaning(holder.names()))
            .unwrap_or_default()
    }

    /// The issuer that `api` names first.
    ///
    /// # Errors
    /// [`Refusal::Internal`], which no configuration that was accepted leads to.
    pub fn first_issuer(&self, api: &Api) -> Result<&Rc<Issuer<K>>, Refusal> {
        api.issuers
            .first()
            .and_then(|iss| self.issuer_for(api, iss))
            .ok_or(Refusal::Internal)
    }
}
