//! ICE candidates that a stranger names, looked at before the browser is sent there.
//!
//! A candidate makes a browser send packets to the address in it. So a remote must not be able to name the router, a service on this
//! machine or a multicast group: what is let through is a public address, a `.local` name (under which browsers hide
//! their own addresses; it is resolved by multicast on the line only), and a private or loopback address where the page itself
//! was loaded from one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where the page was loaded from, which decides which addresses it may be sent to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// A public host.
    #[default]
    Public,
    /// A private address: a relay or a site in one's own house.
    Private,
    /// This machine.
    Loopback,
}

impl Place {
    /// The place of a page from the host in its address (`location.hostname`).
    #[must_use]
    pub fn of_host(host: &str) -> Self {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host == "localhost" || host.ends_with(".localhost") {
            return Self::Loopback;
        }
        match host.parse::<IpAddr>().map(kind) {
            Ok(Kind::Loopback) => Self::Loopback,
            Ok(Kind::Private) => Self::Private,
            Ok(Kind::Public | Kind::Never) | Err(_) => Self::Public,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Public,
    Private,
    Loopback,
    /// Multicast, link-local, unspecified: never a peer.
    Never,
}

fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(address) => kind4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => kind4(address),
            None => kind6(address),
        },
    }
}

const fn kind4(address: Ipv4Addr) -> Kind {
    if address.is_loopback() {
        Kind::Loopback
    } else if address.is_private() {
        Kind::Private
    } else if address.is_unspecified()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.octets()[0] == 0
    {
        Kind::Never
    } else {
        Kind::Public
    }
}

const fn kind6(address: Ipv6Addr) -> Kind {
    if address.is_loopback() {
        Kind::Loopback
    } else if address.is_unique_local() {
        Kind::Private
    } else if address.is_unspecified() || address.is_unicast_link_local() || address.is_multicast()
    {
        Kind::Never
    } else {
        Kind::Public
    }
}

/// Ports below this belong to services, not to peers.
const PORT_MIN: u16 = 1024;

/// Whether a browser at this place may be sent to the candidate, which is the text of a `candidate` attribute
/// (RFC 8839, section 5.1) with or without `a=` before it. What is no candidate is not let through.
#[must_use]
pub fn may_use(candidate: &str, place: Place) -> bool {
    let line = candidate.trim();
    let line = line.strip_prefix("a=").unwrap_or(line);
    let Some(line) = line.strip_prefix("candidate:") else {
        return false;
    };
    let mut fields = line.split_ascii_whitespace();
    let (Some(_foundation), Some(_component), Some(transport), Some(_priority)) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return false;
    };
    let (Some(address), Some(port), Some("typ")) = (fields.next(), fields.next(), fields.next())
    else {
        return false;
    };
    let port = port.parse::<u16>().is_ok_and(|port| port >= PORT_MIN);
    // Data channels run over UDP; a TCP candidate would only open connections to wherever it says.
    if !transport.eq_ignore_ascii_case("udp") || !port {
        return false;
    }
    match address.parse::<IpAddr>() {
        Ok(address) => match kind(address) {
            Kind::Public => true,
            Kind::Private => place != Place::Public,
            Kind::Loopback => place == Place::Loopback,
            Kind::Never => false,
        },
        Err(_) => is_hidden_name(address),
    }
}

/// A name as browsers make them to hide an address: a UUID under `.local` (draft-ietf-mmusic-mdns-ice-candidates).
fn is_hidden_name(name: &str) -> bool {
    let Some(label) = name.strip_suffix(".local") else {
        return false;
    };
    label.len() == 36
        && label
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Takes the candidates that may not be used out of a session description. Returns it and how many candidates stay in it.
#[must_use]
pub fn strip(description: &str, place: Place) -> (String, usize) {
    let mut kept = String::with_capacity(description.len());
    let mut candidates = 0;
    for line in description.split_inclusive('\n') {
        if line.starts_with("a=candidate:") {
            if !may_use(line, place) {
                continue;
            }
            candidates += 1;
        }
        kept.push_str(line);
    }
    (kept, candidates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(address: &str, port: u16) -> String {
        format!("candidate:1 1 udp 2122260223 {address} {port} typ host generation 0 ufrag Ab/c")
    }

    #[test]
    fn a_public_address_and_a_hidden_name_are_let_through_everywhere() {
        let hidden = "4f9a3c7e-6f0b-4c60-9d2f-0123456789ab.local";
        for place in [Place::Public, Place::Private, Place::Loopback] {
            for address in ["198.51.100.7", "2001:db8::7", hidden] {
                assert!(may_use(&line(address, 50_000), place), "{address}");
            }
        }
    }

    #[test]
    fn nobody_is_sent_to_their_own_house_by_a_stranger() {
        let house = [
            "192.168.1.1",
            "10.0.0.1",
            "172.16.0.1",
            "fd00::1",
            "::ffff:10.0.0.1",
        ];
        for address in house {
            assert!(!may_use(&line(address, 50_000), Place::Public), "{address}");
            assert!(may_use(&line(address, 50_000), Place::Private), "{address}");
        }
        for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert!(
                !may_use(&line(address, 50_000), Place::Private),
                "{address}"
            );
            assert!(
                may_use(&line(address, 50_000), Place::Loopback),
                "{address}"
            );
        }
    }

    #[test]
    fn what_is_never_a_peer_is_never_let_through() {
        let never = [
            "0.0.0.0",
            "0.1.2.3",
            "169.254.1.1",
            "224.0.0.251",
            "255.255.255.255",
            "::",
            "fe80::1",
            "ff02::fb",
            "router.local",
            "example.org",
            "a.b.local",
            "",
        ];
        for address in never {
            assert!(
                !may_use(&line(address, 50_000), Place::Loopback),
                "{address}"
            );
        }
        assert!(!may_use(&line("198.51.100.7", 53), Place::Loopback));
        let tcp = line("198.51.100.7", 50_000).replace(" udp ", " tcp ");
        assert!(!may_use(&tcp, Place::Loopback));
        for nonsense in [
            "",
            "candidate:",
            "candidate:1 1 udp 1 198.51.100.7 50000",
            "hello",
        ] {
            assert!(!may_use(nonsense, Place::Loopback), "{nonsense}");
        }
    }

    #[test]
    fn candidates_inside_a_description_are_looked_at_too() {
        let description = format!(
            "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na={}\r\na={}\r\na=mid:0\r\n",
            line("192.168.1.1", 50_000),
            line("198.51.100.7", 50_000)
        );
        let (kept, candidates) = strip(&description, Place::Public);
        assert_eq!(candidates, 1);
        assert!(kept.contains("198.51.100.7") && !kept.contains("192.168.1.1"));
        assert!(kept.ends_with("a=mid:0\r\n"));
    }

    #[test]
    fn the_place_of_a_page_is_read_from_its_host() {
        assert_eq!(Place::of_host("haggle.example"), Place::Public);
        assert_eq!(Place::of_host("198.51.100.7"), Place::Public);
        assert_eq!(Place::of_host("192.168.1.20"), Place::Private);
        assert_eq!(Place::of_host("127.0.0.1"), Place::Loopback);
        assert_eq!(Place::of_host("[::1]"), Place::Loopback);
        assert_eq!(Place::of_host("localhost"), Place::Loopback);
        assert_eq!(Place::of_host(""), Place::Public);
    }
}
