//! Which addresses may be reached: public ones, and what the configuration names (the IANA special-purpose registries,
//! RFC 6890).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::config::OutboundConfig;

/// Whether a connection to `address` may be made.
pub(super) fn is_within_reach(address: IpAddr, config: &OutboundConfig) -> bool {
    // An IPv4 address in IPv6 clothes is what it maps to.
    let address = address.to_canonical();
    is_public(address)
        || config.allow_loopback_http && address.is_loopback()
        || config
            .private_networks
            .iter()
            .any(|network| network.contains(address))
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || matches!(
            address.octets(),
            // This network; shared address space; protocol assignments; 6to4 relays; benchmarks; reserved and broadcast.
            [0 | 240..=255, ..]
                | [100, 64..=127, ..]
                | [192, 0, 0, _]
                | [192, 88, 99, _]
                | [198, 18 | 19, ..]
        );
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // NAT64 reaches the IPv4 address in its last 32 bits (RFC 6052).
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            let [.., a, b, c, d] = address.octets();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Within global unicast: protocol assignments with Teredo, documentation, 6to4, documentation again.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => (0x2000..=0x3fff).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::is_within_reach;
    use crate::config::{IpNetwork, OutboundConfig};

    fn reaches(address: &str, config: &OutboundConfig) -> bool {
        is_within_reach(address.parse().unwrap(), config)
    }

    #[test]
    fn only_public_addresses_are_within_reach() {
        let config = OutboundConfig::default();
        for public in [
            "1.1.1.1",
            "100.63.255.255",
            "172.32.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
        ] {
            assert!(reaches(public, &config), "{public}");
        }
        for other in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "192.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
        ] {
            assert!(!reaches(other, &config), "{other}");
        }
    }

    #[test]
    fn the_configuration_widens_the_reach_by_what_it_names() {
        let config = OutboundConfig {
            allow_loopback_http: false,
            private_networks: vec![IpNetwork::parse("10.1.0.0/16").unwrap()],
        };
        assert!(reaches("10.1.2.3", &config) && reaches("::ffff:10.1.2.3", &config));
        assert!(!reaches("10.2.0.1", &config) && !reaches("127.0.0.1", &config));
        let config = OutboundConfig {
            allow_loopback_http: true,
            private_networks: Vec::new(),
        };
        assert!(reaches("127.0.0.1", &config) && reaches("::1", &config));
        assert!(!reaches("10.1.2.3", &config));
    }
}
