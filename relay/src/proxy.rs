//! Who is really asking: the client's address behind proxies that are trusted, and only behind those.
//!
//! `X-Forwarded-For` is a list to which each proxy appends whom it heard. Anyone can send one, so it is read from the right,
//! only as long as the one who appended is a proxy of our own. `Forwarded` (RFC 7239) is not read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address or a network of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// From `10.0.0.0/8`, `fd00::/8`, or a single address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().ok()?;
        let most = match address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { address, bits })
    }

    /// Whether the address lies in it.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.address, ip.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(ip)) => cut4(own, self.bits) == cut4(ip, self.bits),
            (IpAddr::V6(own), IpAddr::V6(ip)) => cut6(own, self.bits) == cut6(ip, self.bits),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl core::fmt::Display for Network {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// The first `bits` bits.
#[must_use]
pub(crate) fn cut4(ip: Ipv4Addr, bits: u8) -> u32 {
    u32::from(ip)
        .checked_shr(32 - u32::from(bits.min(32)))
        .unwrap_or(0)
}

/// The first `bits` bits.
#[must_use]
pub(crate) fn cut6(ip: Ipv6Addr, bits: u8) -> u128 {
    u128::from(ip)
        .checked_shr(128 - u32::from(bits.min(128)))
        .unwrap_or(0)
}

/// How many entries of a list are looked at, from the right.
const HOPS_MAX: usize = 8;

/// The client's address: of the socket, or what trusted proxies say about it. `lists` are the `X-Forwarded-For` header's
/// values in the order in which they came.
#[must_use]
pub fn client<'a>(
    socket: IpAddr,
    lists: impl DoubleEndedIterator<Item = &'a str>,
    trusted: &[Network],
) -> IpAddr {
    let mut client = socket.to_canonical();
    let entries = lists.rev().flat_map(|list| list.rsplit(','));
    for entry in entries.take(HOPS_MAX) {
        if !trusted.iter().any(|network| network.contains(client)) {
            break;
        }
        // Something unreadable was not written by our proxy: what stands left of it proves nothing.
        let Some(next) = address(entry.trim()) else {
            break;
        };
        client = next.to_canonical();
    }
    client
}

/// An address with or without a port, as proxies write it.
fn address(text: &str) -> Option<IpAddr> {
    text.parse()
        .ok()
        .or_else(|| {
            text.parse::<std::net::SocketAddr>()
                .ok()
                .map(|socket| socket.ip())
        })
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn trusted(list: &[&str]) -> Vec<Network> {
        list.iter()
            .map(|text| Network::parse(text).unwrap())
            .collect()
    }

    #[test]
    fn a_strangers_header_is_not_believed() {
        let none = client(ip("203.0.113.7"), ["198.51.100.1"].into_iter(), &[]);
        assert_eq!(none, ip("203.0.113.7"));
        let other = client(
            ip("203.0.113.7"),
            ["127.0.0.1"].into_iter(),
            &trusted(&["10.0.0.0/8"]),
        );
        assert_eq!(other, ip("203.0.113.7"));
    }

    #[test]
    fn a_trusted_proxy_is_believed_about_its_client_and_no_further() {
        let proxies = trusted(&["10.0.0.0/8", "::1"]);
        let forged = ["127.0.0.1, 198.51.100.1"];
        assert_eq!(
            client(ip("10.1.2.3"), forged.into_iter(), &proxies),
            ip("198.51.100.1")
        );
        // Two proxies of our own, one behind the other; the header came in two lines.
        let two = ["127.0.0.1, 198.51.100.1", "10.9.9.9"];
        assert_eq!(
            client(ip("::1"), two.into_iter(), &proxies),
            ip("198.51.100.1")
        );
        assert_eq!(
            client(ip("10.1.2.3"), [].into_iter(), &proxies),
            ip("10.1.2.3")
        );
    }

    #[test]
    fn ports_brackets_and_mapped_addresses_are_understood_and_nonsense_ends_the_walk() {
        let proxies = trusted(&["127.0.0.1"]);
        let of = |list: &str| client(ip("::ffff:127.0.0.1"), [list].into_iter(), &proxies);
        assert_eq!(of("198.51.100.1:4711"), ip("198.51.100.1"));
        assert_eq!(of("[2001:db8::1]:4711"), ip("2001:db8::1"));
        assert_eq!(of("[2001:db8::1]"), ip("2001:db8::1"));
        assert_eq!(of("::ffff:198.51.100.1"), ip("198.51.100.1"));
        assert_eq!(of("198.51.100.1, unknown"), ip("127.0.0.1"));
    }

    #[test]
    fn a_long_list_is_looked_at_only_so_far() {
        let proxies = trusted(&["0.0.0.0/0"]);
        let list = format!("198.51.100.1{}", ", 10.0.0.1".repeat(1_000));
        assert_eq!(
            client(ip("10.0.0.2"), [list.as_str()].into_iter(), &proxies),
            ip("10.0.0.1")
        );
    }

    #[test]
    fn networks_are_read_and_compared_by_their_bits() {
        assert!(Network::parse("10.0.0.0/33").is_none());
        assert!(Network::parse("ten").is_none());
        let net = Network::parse("192.168.4.0/22").unwrap();
        assert!(net.contains(ip("192.168.7.255")));
        assert!(!net.contains(ip("192.168.8.0")));
        assert!(Network::parse("::/0").unwrap().contains(ip("2001:db8::1")));
        assert!(!Network::parse("::/0").unwrap().contains(ip("1.2.3.4")));
        assert_eq!(net.to_string(), "192.168.4.0/22");
    }
}
