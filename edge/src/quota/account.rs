//! Who is counted by which limit, under which name.

use wardgate_shared::claims::AccessClaims;
use wardgate_shared::denial::DenyBefore;

use crate::config::limits::Counted;
use crate::config::{Api, Config, LimitPolicy};
use crate::headers;
use crate::log::subject_hash;
use crate::request::Incoming;

/// One count: a limit, and whose.
#[derive(Clone, Debug)]
pub struct Account<'a> {
    /// The limit.
    pub limit: &'a LimitPolicy,
    /// The coordinator's name. A limit that is changed is another one, so that its numbers are part of the name.
    pub name: String,
    /// What is known to be refused of those who are counted: their coordinator tells it to others.
    pub known: Vec<DenyBefore>,
}

impl<'a> Account<'a> {
    fn new(limit: &'a LimitPolicy, whose: &str) -> Self {
        let LimitPolicy {
            name,
            limit: most,
            window_seconds,
            lease_seconds,
            ..
        } = limit;
        let name = if lease_seconds == window_seconds {
            format!("{name}/{most}/{window_seconds}/{whose}")
        } else {
            format!("{name}/{most}/{window_seconds}-{lease_seconds}/{whose}")
        };
        let known = Vec::new();
        Self { limit, name, known }
    }
}

/// The counts of a request that its token permits. `subject` is the hash of `iss` and `sub`; `known` is what is denied of its holder.
pub fn accounts<'a>(
    config: &'a Config,
    api: &Api,
    claims: &AccessClaims,
    subject: &str,
    known: &[DenyBefore],
) -> Vec<Account<'a>> {
    let whose = |counts| match counts {
        Counted::Subject => Some(subject.to_owned()),
        Counted::Client => Some(subject_hash(&claims.issuer, &claims.client_id)),
        Counted::ApiKey => claims
            .api_key_id
            .as_ref()
            .map(|id| subject_hash(&claims.issuer, id)),
        // Networks have been counted before.
        Counted::Network => None,
    };
    let mut accounts = collect(config, api, &whose);
    if !known.is_empty() {
        for account in &mut accounts {
            account.known = known.to_vec();
        }
    }
    accounts
}

/// The counts of a request of which nothing but its origin is known.
pub fn network_accounts<'a>(config: &'a Config, api: &Api, request: &Incoming<'_>) -> Vec<Account<'a>> {
    // Without an address all share a count: whoever could leave it out would not be counted at all. Where no address can
    // be believed the configuration has no such limit.
    let address = headers::client_address(config.client_address, request).unwrap_or_default();
    let whose = |counts| (counts == Counted::Network).then(|| subject_hash("network", &network_of(address)));
    collect(config, api, &whose)
}

fn collect<'a>(config: &'a Config, api: &Api, whose: &dyn Fn(Counted) -> Option<String>) -> Vec<Account<'a>> {
    let mut accounts = Vec::new();
    for limit in &config.limits {
        if api.limits.contains(&limit.name)
            && let Some(whose) = whose(limit.counts)
        {
            accounts.push(Account::new(limit, &whose));
        }
    }
    accounts
}

/// The network of an address: an IPv4 address itself, of an IPv6 address the first 64 bits, which one customer has to
/// himself. The address is in the form of RFC 5952: `::` stands for two groups of zeros at least, so that what is before
/// it names the network wherever it stands among the first four (but for addresses that begin `a::`, whose networks count
/// together).
pub fn network_of(address: &str) -> String {
    let mut network = String::new();
    for group in address.split(':').take(4).take_while(|group| !group.is_empty()) {
        network.push_str(group);
        network.push(':');
    }
    network
}

#[cfg(test)]
mod tests {
    use super::network_of;

    #[test]
    fn an_ipv6_customer_is_one_network_however_many_addresses_he_has() {
        assert_ne!(network_of("192.0.2.7"), network_of("192.0.2.8"));
        assert_eq!(network_of("2001:db8:1:2::7"), network_of("2001:db8:1:2:ffff::1"));
        assert_ne!(network_of("2001:db8:1:2::7"), network_of("2001:db8:1:3::7"));
        assert_ne!(network_of("2001:db8:1::7"), network_of("2001:db8:1:3::7"));
        assert_eq!(network_of("2001:db8::7"), network_of("2001:db8::8"));
    }
}
