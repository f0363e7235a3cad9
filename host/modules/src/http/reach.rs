//! Where grants lead to: for who opens sockets on behalf of a host, and trusts it no further than that.
//!
//! Owns that no more is told apart than addresses and ports: which paths and methods are allowed, and what a name's address is, only the
//! host knows.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use lunarium::Value;

use super::address::{Network, is_public};
use super::grant;

/// The addresses that requests may go to which some grants allow: for each port public ones, and those of these networks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Reach(BTreeMap<u16, BTreeSet<Network>>);

impl Reach {
    /// Of what was written as `http` of grants. What is no list of rules leads nowhere.
    pub fn of(written: impl IntoIterator<Item = Value>) -> Reach {
        let mut reach = Reach::default();
        for rule in written.into_iter().filter_map(|written| grant::read(&written).ok()).flatten() {
            reach.0.entry(rule.port()).or_default().extend(rule.networks());
        }
        reach
    }

    /// Whether it leads anywhere.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// From now on it leads also to where another one does.
    pub fn extend(&mut self, other: &Reach) {
        for (port, networks) in &other.0 {
            self.0.entry(*port).or_default().extend(networks);
        }
    }

    /// Whether a request may go there: to a port of a rule, and an address that is public, or that a rule of this port names.
    pub fn leads_to(&self, address: SocketAddr) -> bool {
        let (ip, port) = (address.ip(), address.port());
        self.0.get(&port).is_some_and(|networks| is_public(ip) || networks.iter().any(|network| network.contains(ip)))
    }
}

#[cfg(test)]
mod tests {
    use lunarium::Value;

    use super::Reach;

    fn reach(rules: &[(&str, Option<&str>)]) -> Reach {
        let rule = |(url, network): &(&str, Option<&str>)| {
            let network = network.map(|text| (Value::from("addresses"), Value::Array(vec![Value::from(text)])));
            Value::Map([(Value::from("url"), Value::from(*url))].into_iter().chain(network).collect())
        };
        Reach::of([Value::Array(rules.iter().map(rule).collect())])
    }

    #[test]
    fn a_grant_leads_to_its_port_at_public_addresses_and_at_those_that_it_names() {
        let reach = reach(&[
            ("https://api.example/v1/*", None),
            ("http://inside.example:8080/*", Some("10.1.0.0/16")),
            ("http://localhost:9000/", None),
            ("http://192.168.0.7/", None),
        ]);
        let leads_to = |address: &str| reach.leads_to(address.parse().unwrap());
        for address in
            ["1.1.1.1:443", "[2606:4700::1111]:443", "10.1.2.3:8080", "127.0.0.1:9000", "[::1]:9000", "192.168.0.7:80"]
        {
            assert!(leads_to(address), "{address}");
        }
        for address in [
            "1.1.1.1:22",
            "10.1.2.3:443",
            "10.2.0.1:8080",
            "127.0.0.1:443",
            "127.0.0.1:8080",
            "169.254.169.254:80",
            "192.168.0.7:443",
            "192.168.0.8:80",
        ] {
            assert!(!leads_to(address), "{address}");
        }
    }

    #[test]
    fn what_is_no_rule_leads_nowhere_and_others_to_where_each_does() {
        let public = "1.1.1.1:443".parse().unwrap();
        for written in [Value::Nil, Value::from("https://a.example/*"), Value::Array(Vec::new())] {
            let reach = Reach::of([written]);
            assert!(reach.is_empty() && !reach.leads_to(public));
        }
        let mut both = reach(&[("https://a.example/*", None)]);
        both.extend(&reach(&[("http://10.0.0.1/*", None)]));
        assert!(both.leads_to(public) && both.leads_to("10.0.0.1:80".parse().unwrap()));
        assert!(!both.leads_to("10.0.0.1:443".parse().unwrap()));
        let one_is_wrong = reach(&[("https://a.example/*", None), ("https://b.example/*", Some("all"))]);
        assert!(one_is_wrong.is_empty());
    }
}
