//! A range of IP addresses, for naming trusted proxies.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address and how many of its leading bits count (CIDR, RFC 4632).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpNetwork {
    address: IpAddr,
    prefix_bits: u32,
}

/// The text is neither an address nor an address and a prefix length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an IP address or a network such as 10.0.0.0/8")]
pub struct IpNetworkError;

impl IpNetwork {
    /// Reads `10.0.0.0/8`, `fd00::/8` or a single address.
    ///
    /// # Errors
    /// [`IpNetworkError`].
    pub fn parse(text: &str) -> Result<Self, IpNetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address = address.parse::<IpAddr>().map_err(|_| IpNetworkError)?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix {
            None => whole,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits
                .parse()
                .ok()
                .filter(|bits| *bits <= whole)
                .ok_or(IpNetworkError)?,
            Some(_) => return Err(IpNetworkError),
        };
        Ok(Self { address, prefix_bits })
    }

    /// Whether `address` lies in the network. An IPv4 address that comes mapped into IPv6, as a dual-stack socket shows
    /// it, counts as the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits_v4 = |address: Ipv4Addr| u128::from(u32::from(address)) << 96;
        let bits_v6 = |address: Ipv6Addr| u128::from(address);
        let (own, other) = match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (bits_v4(own), bits_v4(other)),
            (IpAddr::V6(own), IpAddr::V6(other)) => (bits_v6(own), bits_v6(other)),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
        };
        let mask = u128::MAX
            .checked_shl(128_u32.saturating_sub(self.prefix_bits))
            .unwrap_or(0);
        own & mask == other & mask
    }
}

#[cfg(test)]
mod tests {
    use super::IpNetwork;

    #[test]
    fn contains_what_shares_the_prefix() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.168.1.7", "192.168.1.7", "192.168.1.8"),
            ("0.0.0.0/0", "8.8.8.8", "::1"),
            ("fd00::/8", "fd12::1", "fe80::1"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3"),
            ("::1", "::1", "::2"),
        ] {
            let network = IpNetwork::parse(network).unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn refuses_what_is_no_network() {
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0/8",
            "example.org",
        ] {
            assert!(IpNetwork::parse(text).is_err(), "{text}");
        }
    }
}
