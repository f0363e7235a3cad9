//! Addresses: which are everybody's, and which only a grant can name.
//!
//! Owns the list. What isn't known to be public isn't.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// IPv4 addresses that are not globally reachable: IANA's registry of special-purpose addresses, and multicast.
const SPECIAL_V4: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The IPv6 addresses that are given out for use everywhere. Outside of it lie loopback, link-local, private, multicast, those
/// that hold an IPv4 address (`::ffff:0:0/96`) and those of NAT64 (`64:ff9b::/96`).
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What isn't public inside of that: protocols of the IETF with Teredo, documentation, 6to4.
const SPECIAL_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether an address is one of the internet's.
pub(super) fn is_public(address: IpAddr) -> bool {
    let lies_in = |(start, bits): (IpAddr, u8)| Network { start, bits }.contains(address);
    match address {
        IpAddr::V4(_) => !SPECIAL_V4.iter().any(|(start, bits)| lies_in(((*start).into(), *bits))),
        IpAddr::V6(_) => {
            let (start, bits) = GLOBAL_V6;
            lies_in((start.into(), bits)) && !SPECIAL_V6.iter().any(|(start, bits)| lies_in(((*start).into(), *bits)))
        }
    }
}

/// An address, or all that begin with the same bits: `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Network {
    start: IpAddr,
    bits: u8,
}

impl Network {
    /// One address alone.
    pub(super) const fn of(address: IpAddr) -> Network {
        Network { start: address, bits: if address.is_ipv4() { 32 } else { 128 } }
    }

    /// The machine itself, as IPv4 and IPv6 have it.
    pub(super) const LOOPBACK: [Network; 2] = [
        Network { start: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), bits: 8 },
        Network { start: IpAddr::V6(Ipv6Addr::LOCALHOST), bits: 128 },
    ];

    /// Of the same family, never across: an IPv4 address that is written as an IPv6 one is another.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        match (self.start, address) {
            (IpAddr::V4(start), IpAddr::V4(address)) => {
                let differ = u64::from(start.to_bits() ^ address.to_bits());
                differ >> 32_u8.saturating_sub(self.bits) == 0
            }
            (IpAddr::V6(start), IpAddr::V6(address)) => {
                let differ = start.to_bits() ^ address.to_bits();
                differ.checked_shr(128_u32.saturating_sub(self.bits.into())).unwrap_or_default() == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Network, ()> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let start = IpAddr::from_str(address).map_err(drop)?;
        let most = if start.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or(())?,
        };
        Ok(Network { start, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.start, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{Network, is_public};

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_not_public_is_known() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:1::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "3fff:fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "ffff::1",
        ] {
            assert!(!is_public(address(text)), "{text}");
        }
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "223.255.255.255",
            "2001:200::1",
            "2606:4700::1111",
            "2a00:1450::1",
            "3fff:1000::1",
        ] {
            assert!(is_public(address(text)), "{text}");
        }
    }

    #[test]
    fn a_network_is_its_first_bits() {
        let network = |text: &str| text.parse::<Network>();
        assert!(network("10.0.0.0/8").unwrap().contains(address("10.255.0.1")));
        assert!(!network("10.0.0.0/8").unwrap().contains(address("11.0.0.1")));
        assert!(network("10.0.0.1").unwrap().contains(address("10.0.0.1")));
        assert!(!network("10.0.0.1").unwrap().contains(address("10.0.0.2")));
        assert!(network("0.0.0.0/0").unwrap().contains(address("200.0.0.1")));
        assert!(!network("0.0.0.0/0").unwrap().contains(address("::ffff:10.0.0.1")));
        assert!(network("::/0").unwrap().contains(address("ff00::1")));
        assert!(network("fd00::/8").unwrap().contains(address("fd01::1")));
        assert!(!network("::1").unwrap().contains(address("::2")));
        for text in ["", "10", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/", "localhost"] {
            assert!(network(text).is_err(), "{text}");
        }
    }
}
