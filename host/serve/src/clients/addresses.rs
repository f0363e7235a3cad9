//! How many there are of each address.
//!
//! Owns what counts as one address: whoever has one of IPv6 has a network of them.

use std::collections::HashMap;
use std::net::IpAddr;

/// Of connections, or of requests.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    counts: HashMap<IpAddr, u32>,
    sum: u64,
}

/// One of them: what it leaves by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key(IpAddr);

impl Addresses {
    /// One more. None: of this address there are so many.
    pub(crate) fn enter(&mut self, address: IpAddr, most: u32) -> Option<Key> {
        let key = key(address);
        let count = self.counts.entry(key).or_default();
        if *count >= most {
            return None;
        }
        *count = count.saturating_add(1);
        self.sum = self.sum.saturating_add(1);
        Some(Key(key))
    }

    pub(crate) fn leave(&mut self, Key(key): Key) {
        let Some(count) = self.counts.get_mut(&key) else { return };
        *count = count.saturating_sub(1);
        self.sum = self.sum.saturating_sub(1);
        if *count == 0 {
            self.counts.remove(&key);
        }
    }

    /// Of all addresses.
    pub(crate) fn sum(&self) -> u64 {
        self.sum
    }
}

/// The first 64 bits of an address of IPv6.
fn key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << 64)).into()),
        address => address,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::Addresses;

    #[test]
    fn a_network_counts_as_one_address() {
        let mut all = Addresses::default();
        let mut enter = |address: &str| all.enter(address.parse().unwrap(), 2);
        let (one, two) = (enter("2001:db8::1").unwrap(), enter("2001:db8::2").unwrap());
        assert!(enter("2001:db8::3").is_none());
        let others = ["2001:db8:0:1::1", "10.0.0.1", "::ffff:10.0.0.1"].map(|other| enter(other).unwrap());
        assert!(enter("10.0.0.1").is_none());
        assert_eq!(all.sum(), 5);
        all.leave(one);
        assert!(all.enter("2001:db8::3".parse().unwrap(), 2).is_some());
        [two, two].into_iter().chain(others).for_each(|key| all.leave(key));
        assert!(all.counts.is_empty() && all.sum() == 0);
    }
}
