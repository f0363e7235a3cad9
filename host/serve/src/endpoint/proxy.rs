//! Who a request comes from: the other end of its connection, or whom a proxy names that is believed.
//!
//! Owns networks as they are written, and how far a list of addresses is believed. Believes nobody by itself.

use std::fmt;
use std::net::IpAddr;

use hyper::HeaderMap;

/// Addresses that begin alike: `10.0.0.0/8`, `::1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// How many bits count.
    bits: u32,
}

/// What is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an address nor a network such as `10.0.0.0/8`")]
pub struct NetworkError(String);

impl Network {
    /// Reads an address or a network.
    ///
    /// Errors: it is neither.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError(text.chars().take(60).collect());
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address = address.parse::<IpAddr>().map_err(|_| wrong())?.to_canonical();
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(most), |bits| bits.parse().ok()).filter(|bits| *bits <= most).ok_or_else(wrong)?;
        Ok(Self { address, bits })
    }

    /// Whether an address is one of it.
    pub fn has(&self, address: IpAddr) -> bool {
        let differing = match (self.address, address.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            _ => return false,
        };
        differing >= self.bits
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

pub(super) fn is_believed(address: IpAddr, proxies: &[Network]) -> bool {
    proxies.iter().any(|network| network.has(address))
}

/// Who has sent a request, given who has connected: the last address in the list that no believed proxy has. What stands before that, its
/// sender may have made up.
pub(super) fn remote(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let peer = peer.to_canonical();
    if !is_believed(peer, proxies) {
        return peer;
    }
    let values: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    let mut remote = peer;
    for item in values.iter().rev().flat_map(|value| value.rsplit(',')) {
        let Some(address) = address(item.trim()) else { break };
        remote = address;
        if !is_believed(address, proxies) {
            break;
        }
    }
    remote
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(text, |(inner, _)| inner);
    let address = bare.parse().ok().or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use hyper::HeaderMap;
    use hyper::header::HeaderValue;

    use super::{Network, remote};

    #[test]
    fn a_network_has_the_addresses_that_begin_like_it() {
        let has = |network: &str, address: &str| Network::parse(network).unwrap().has(address.parse().unwrap());
        assert!(has("10.0.0.0/8", "10.1.2.3") && !has("10.0.0.0/8", "11.0.0.0"));
        assert!(has("::1", "::1") && !has("::1", "::2") && has("0.0.0.0/0", "1.2.3.4") && !has("0.0.0.0/0", "::1"));
        assert!(has("192.168.1.1", "::ffff:192.168.1.1"));
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "host", "10.0.0.0/"] {
            let told = format!("`{wrong}` is neither an address nor a network such as `10.0.0.0/8`");
            assert_eq!(Network::parse(wrong).unwrap_err().to_string(), told);
        }
    }

    #[test]
    fn a_list_is_believed_as_far_as_it_comes_from_proxies() {
        let proxies = [Network::parse("10.0.0.0/8").unwrap()];
        let of = |peer: &str, lists: &[&str]| {
            let mut headers = HeaderMap::new();
            for list in lists {
                headers.append("x-forwarded-for", HeaderValue::from_str(list).unwrap());
            }
            remote(peer.parse().unwrap(), &headers, &proxies).to_string()
        };
        assert_eq!(of("203.0.113.9", &["1.1.1.1"]), "203.0.113.9");
        assert_eq!(of("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &["6.6.6.6, 203.0.113.9, 10.0.0.2"]), "203.0.113.9");
        assert_eq!(of("10.0.0.1", &["6.6.6.6", "203.0.113.9:4711"]), "203.0.113.9");
        assert_eq!(of("10.0.0.1", &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(of("10.0.0.1", &["6.6.6.6, unknown"]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
    }
}
