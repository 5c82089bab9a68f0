//! Addresses: how a relay is named, what counts as relayed, and whom we are willing to dial on a stranger's word.
//!
//! A peer id is accepted only if it holds an Ed25519 key in the clear (`12D3Koo…`): other kinds of keys bring decoders that
//! have been attacked before, and our Reach records need the key itself.

use haggle_protocol::PublicKey;
use haggle_protocol::reach::Circuit;
use libp2p::core::ConnectedPoint;
use libp2p::identity::{self, ed25519};
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// The longest address that is looked at, in bytes of text. A WebRTC-direct address with its certificate hash and two peer
/// ids takes about 260.
pub const ADDRESS_TEXT_MAX: usize = 512;

/// What is wrong with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Longer than [`ADDRESS_TEXT_MAX`].
    #[error("the address is too long: at most 512 characters")]
    TooLong,
    /// Not a multiaddr at all.
    #[error(
        "not an address of a relay: write it as /dns4/relay.example/tcp/443/wss/p2p/12D3Koo… or /ip4/127.0.0.1/tcp/8080/ws/p2p/12D3Koo…"
    )]
    NotAnAddress,
    /// No peer id at its end.
    #[error("the address must end in /p2p/ and the relay's peer id")]
    NoPeer,
    /// A peer id without an Ed25519 key in it.
    #[error("the peer id must be an Ed25519 one, which begins with 12D3Koo")]
    OtherKey,
    /// Goes through another relay.
    #[error("a relay's own address must not go through another relay (/p2p-circuit)")]
    Relayed,
    /// Names no host and port that could be dialled.
    #[error("the address must begin with a host and a port, as /dns4/relay.example/tcp/443")]
    NoHost,
}

impl AddressError {
    /// The stable name of this mistake.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "address-too-long",
            Self::NotAnAddress => "not-an-address",
            Self::NoPeer => "address-without-peer",
            Self::OtherKey => "address-with-other-key",
            Self::Relayed => "address-relayed",
            Self::NoHost => "address-without-host",
        }
    }
}

/// A relay's address, checked: host, port, transport, and an Ed25519 peer id at the end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RelayAddr {
    peer: PeerId,
    address: Multiaddr,
}

impl RelayAddr {
    /// Reads an address as people write it.
    ///
    /// # Errors
    /// An [`AddressError`] whose text says what to write instead.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.len() > ADDRESS_TEXT_MAX {
            return Err(AddressError::TooLong);
        }
        let address: Multiaddr = text.parse().map_err(|_| AddressError::NotAnAddress)?;
        Self::new(address)
    }

    /// Checks an address.
    ///
    /// # Errors
    /// As [`RelayAddr::parse`].
    pub fn new(address: Multiaddr) -> Result<Self, AddressError> {
        if address.iter().any(|part| part == Protocol::P2pCircuit) {
            return Err(AddressError::Relayed);
        }
        let Some(Protocol::P2p(peer)) = address.iter().last() else {
            return Err(AddressError::NoPeer);
        };
        if key_of(&peer).is_none() {
            return Err(AddressError::OtherKey);
        }
        let mut parts = address.iter();
        let host = parts.next().is_some_and(|part| is_host(&part));
        let port = matches!(parts.next(), Some(Protocol::Tcp(_) | Protocol::Udp(_)));
        if !host || !port {
            return Err(AddressError::NoHost);
        }
        Ok(Self { peer, address })
    }

    /// The relay's peer id.
    #[must_use]
    pub const fn peer(&self) -> PeerId {
        self.peer
    }

    /// The whole address, with `/p2p/…` at its end.
    #[must_use]
    pub const fn address(&self) -> &Multiaddr {
        &self.address
    }

    /// The address without the `/p2p/…` at its end, as a [`Circuit`] carries it.
    #[must_use]
    pub fn without_peer(&self) -> Multiaddr {
        let mut address = self.address.clone();
        address.pop();
        address
    }

    /// Where to listen in order to be reached through this relay.
    #[must_use]
    pub fn listen_address(&self) -> Multiaddr {
        self.address.clone().with(Protocol::P2pCircuit)
    }

    /// Whether a browser can dial it: WebSocket or WebRTC-direct.
    #[must_use]
    pub fn is_for_browsers(&self) -> bool {
        is_for_browsers(&self.address)
    }
}

impl core::fmt::Display for RelayAddr {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.address.fmt(f)
    }
}

impl core::str::FromStr for RelayAddr {
    type Err = AddressError;
    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl serde::Serialize for RelayAddr {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.address)
    }
}

impl<'de> serde::Deserialize<'de> for RelayAddr {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Whether a browser can dial this address.
#[must_use]
pub fn is_for_browsers(address: &Multiaddr) -> bool {
    address.iter().any(|part| {
        matches!(
            part,
            Protocol::Ws(_) | Protocol::Wss(_) | Protocol::WebRTCDirect
        )
    })
}

/// Whether bytes over this address pass through a relay: `/p2p-circuit` without a later `/webrtc`.
#[must_use]
pub fn is_relayed(address: &Multiaddr) -> bool {
    let mut relayed = false;
    for part in address {
        if part == Protocol::P2pCircuit {
            relayed = true;
        } else if part == Protocol::WebRTC {
            relayed = false;
        }
    }
    relayed
}

/// Whether bytes of this connection pass through a relay.
#[must_use]
pub fn is_relayed_endpoint(endpoint: &ConnectedPoint) -> bool {
    match endpoint {
        ConnectedPoint::Dialer { address, .. } => is_relayed(address),
        ConnectedPoint::Listener {
            local_addr,
            send_back_addr,
        } => is_relayed(local_addr) || is_relayed(send_back_addr),
    }
}

/// The Ed25519 key inside a peer id; `None` for ids of other keys and for hashed ones.
#[must_use]
pub fn key_of(peer: &PeerId) -> Option<PublicKey> {
    let bytes = peer.to_bytes();
    // The identity multihash: code 0, then the length, then the key in its protobuf envelope.
    let (&[0, len], envelope) = bytes.split_first_chunk::<2>()? else {
        return None;
    };
    if usize::from(len) != envelope.len() {
        return None;
    }
    let key = identity::PublicKey::try_decode_protobuf(envelope).ok()?;
    let key = PublicKey(key.try_into_ed25519().ok()?.to_bytes());
    // Only the one encoding that the library itself writes is the peer's name.
    (peer_of(&key)? == *peer).then_some(key)
}

/// The peer id of an Ed25519 key; `None` if the bytes are no key.
#[must_use]
pub fn peer_of(key: &PublicKey) -> Option<PeerId> {
    let key = ed25519::PublicKey::try_from_bytes(&key.0).ok()?;
    Some(identity::PublicKey::from(key).to_peer_id())
}

/// By which name a [`haggle_book::Source`] counts what this peer passes on: its Ed25519 key, or a hash of its id.
#[must_use]
pub fn source_key(peer: &PeerId) -> PublicKey {
    use sha2::Digest;
    key_of(peer).unwrap_or_else(|| PublicKey(sha2::Sha256::digest(peer.to_bytes()).into()))
}

/// Why a way to a peer is not dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The relay's address or a key in it is malformed.
    #[error("malformed way")]
    Malformed,
    /// Not a public `dns…/wss` address, and not a relay that we know.
    #[error("address of a stranger")]
    Stranger,
}

/// The address behind a [`Circuit`]: `<address>/p2p/<relay>/p2p-circuit/p2p/<peer>`; without an address only
/// `/p2p/<relay>/p2p-circuit/p2p/<peer>`, which reaches a relay that one is connected to or knows.
///
/// # Errors
/// [`Refused::Malformed`].
pub fn circuit_address(circuit: &Circuit) -> Result<Multiaddr, Refused> {
    let relay = peer_of(&circuit.relay).ok_or(Refused::Malformed)?;
    let peer = peer_of(&circuit.peer).ok_or(Refused::Malformed)?;
    let base: Multiaddr = if circuit.address.is_empty() {
        Multiaddr::empty()
    } else {
        circuit.address.parse().map_err(|_| Refused::Malformed)?
    };
    if base
        .iter()
        .any(|part| matches!(part, Protocol::P2pCircuit | Protocol::P2p(_)))
    {
        return Err(Refused::Malformed);
    }
    Ok(base
        .with(Protocol::P2p(relay))
        .with(Protocol::P2pCircuit)
        .with(Protocol::P2p(peer)))
}

/// The way that leads through a relay to `peer`, as a Reach record carries it. The address is left out if it does not fit
/// the record's bound: the relay is then found by its id alone, by those who know it.
#[must_use]
pub fn circuit_through(relay: &RelayAddr, peer: &PublicKey) -> Option<Circuit> {
    let address = relay.without_peer().to_string();
    Some(Circuit {
        relay: key_of(&relay.peer())?,
        address: if address.len() > haggle_protocol::limits::ADDRESS_MAX {
            String::new()
        } else {
            address
        },
        peer: *peer,
    })
}

/// Where we ourselves are, which decides what we dial on a stranger's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Here {
    /// On the public network.
    Public,
    /// On loopback: a demonstration or a test on one machine.
    Loopback,
}

/// Whether we dial this circuit, found in a stranger's Reach record, and where it leads.
///
/// A relay that we know (`known`) is dialled at the addresses that we know, whatever the stranger writes. Any other must be
/// a public name over `wss`: no IP literals, no private names, so that a forged record cannot make sellers knock at a
/// victim's door or at their own router's. On loopback, loopback addresses over `ws` are allowed as well.
///
/// # Errors
/// [`Refused`].
pub fn may_dial(
    circuit: &Circuit,
    here: Here,
    known: impl Fn(&PeerId) -> bool,
) -> Result<Multiaddr, Refused> {
    let relay = peer_of(&circuit.relay).ok_or(Refused::Malformed)?;
    if known(&relay) {
        return circuit_address(&Circuit {
            address: String::new(),
            ..circuit.clone()
        });
    }
    let address = circuit_address(circuit)?;
    if is_public_wss(&address) || (here == Here::Loopback && is_loopback_ws(&address)) {
        Ok(address)
    } else {
        Err(Refused::Stranger)
    }
}

/// Whether an address begins with a public name and TLS-protected WebSocket.
#[must_use]
pub fn is_public_wss(address: &Multiaddr) -> bool {
    let mut parts = address.iter();
    let named = match parts.next() {
        Some(Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name)) => {
            is_public_name(&name)
        }
        _ => false,
    };
    let port = matches!(parts.next(), Some(Protocol::Tcp(port)) if port != 0);
    let secure = match parts.next() {
        Some(Protocol::Wss(_)) => true,
        Some(Protocol::Tls) => matches!(parts.next(), Some(Protocol::Ws(_))),
        _ => false,
    };
    named && port && secure
}

/// Whether an address is WebSocket on this very machine.
#[must_use]
pub fn is_loopback_ws(address: &Multiaddr) -> bool {
    let mut parts = address.iter();
    is_loopback(address)
        && parts.next().is_some()
        && matches!(parts.next(), Some(Protocol::Tcp(port)) if port != 0)
        && matches!(parts.next(), Some(Protocol::Ws(_) | Protocol::Wss(_)))
}

/// Whether an address begins with this very machine.
#[must_use]
pub fn is_loopback(address: &Multiaddr) -> bool {
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => ip.is_loopback(),
        Some(Protocol::Ip6(ip)) => ip.is_loopback(),
        Some(Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name)) => {
            name.eq_ignore_ascii_case("localhost")
        }
        _ => false,
    }
}

/// A name with a dot in it that is no IP address and lies in no zone reserved for private use (RFC 6761, RFC 6762,
/// RFC 8375, RFC 9476, ICANN's `internal`).
fn is_public_name(name: &str) -> bool {
    const PRIVATE: [&str; 13] = [
        "localhost",
        "local",
        "internal",
        "intranet",
        "private",
        "corp",
        "home",
        "lan",
        "arpa",
        "test",
        "example",
        "invalid",
        "alt",
    ];
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let labels: Vec<&str> = name.split('.').collect();
    let plain = |label: &&str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || c == b'-')
    };
    let Some(top) = labels.last() else {
        return false;
    };
    name.len() <= 253
        && labels.len() >= 2
        && labels.iter().all(plain)
        // A name that ends in a number is read as an IP address by browsers.
        && top.bytes().any(|c| c.is_ascii_alphabetic())
        && !top.starts_with("0x")
        && !PRIVATE.contains(top)
}

fn is_host(part: &Protocol<'_>) -> bool {
    matches!(
        part,
        Protocol::Ip4(_)
            | Protocol::Ip6(_)
            | Protocol::Dns(_)
            | Protocol::Dns4(_)
            | Protocol::Dns6(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use haggle_protocol::keys::SigningKey;

    const PEER: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    fn address(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    fn key(n: u8) -> PublicKey {
        SigningKey::from_seed(&[n; 32]).public()
    }

    #[test]
    fn a_relay_is_named_by_host_port_transport_and_an_ed25519_peer() {
        for good in [
            format!("/ip4/127.0.0.1/tcp/8080/ws/p2p/{PEER}"),
            format!("  /dns4/relay.example.org/tcp/443/wss/p2p/{PEER}\n"),
            format!("/dns6/relay.example.org/udp/9/quic-v1/p2p/{PEER}"),
        ] {
            let relay = RelayAddr::parse(&good).unwrap();
            assert_eq!(relay.peer().to_string(), PEER);
            assert_eq!(relay.to_string(), good.trim());
            assert!(!relay.without_peer().to_string().contains(PEER));
            assert!(relay.listen_address().to_string().ends_with("/p2p-circuit"));
        }
    }

    #[test]
    fn every_mistake_in_a_relays_address_is_told_apart() {
        let sha = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";
        for (text, error) in [
            (
                format!("/ip4/1.2.3.4/tcp/1/ws{}", "/ws".repeat(200)),
                AddressError::TooLong,
            ),
            (
                "wss://relay.example.org".to_owned(),
                AddressError::NotAnAddress,
            ),
            (
                "/dns4/relay.example.org/tcp/443/wss".to_owned(),
                AddressError::NoPeer,
            ),
            (
                format!("/dns4/a.org/tcp/443/wss/p2p/{sha}"),
                AddressError::OtherKey,
            ),
            (
                format!("/dns4/a.org/tcp/443/wss/p2p/{PEER}/p2p-circuit/p2p/{PEER}"),
                AddressError::Relayed,
            ),
            (format!("/p2p/{PEER}"), AddressError::NoHost),
            (format!("/memory/5/p2p/{PEER}"), AddressError::NoHost),
        ] {
            assert_eq!(RelayAddr::parse(&text), Err(error), "{text}");
            assert!(!error.code().is_empty());
        }
    }

    #[test]
    fn a_direct_channel_arranged_through_a_relay_is_not_relayed() {
        let relay = format!("/dns4/a.org/tcp/443/wss/p2p/{PEER}/p2p-circuit");
        assert!(is_relayed(&address(&relay)));
        assert!(is_relayed(&address(&format!("{relay}/p2p/{PEER}"))));
        assert!(!is_relayed(&address(&format!("{relay}/webrtc/p2p/{PEER}"))));
        assert!(!is_relayed(&address("/ip4/1.2.3.4/udp/5/webrtc-direct")));
        // A circuit over such a channel is a circuit again.
        assert!(is_relayed(&address(&format!(
            "{relay}/webrtc/p2p/{PEER}/p2p-circuit"
        ))));
    }

    #[test]
    fn keys_and_peer_ids_are_two_spellings_of_one_thing() {
        let peer = peer_of(&key(1)).unwrap();
        assert!(peer.to_string().starts_with("12D3Koo"));
        assert_eq!(key_of(&peer), Some(key(1)));
        let hashed: PeerId = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"
            .parse()
            .unwrap();
        assert_eq!(key_of(&hashed), None);
        // About half of all byte strings are no point on the curve.
        assert!((0..=255).any(|n| peer_of(&PublicKey([n; 32])).is_none()));
    }

    #[test]
    fn a_circuit_becomes_an_address_and_a_smuggled_peer_is_refused() {
        let (relay, peer) = (key(1), key(2));
        let circuit = |address: &str| Circuit {
            relay,
            address: address.to_owned(),
            peer,
        };
        let (r, p) = (peer_of(&relay).unwrap(), peer_of(&peer).unwrap());
        assert_eq!(
            circuit_address(&circuit("/dns4/a.org/tcp/443/wss")).unwrap(),
            address(&format!(
                "/dns4/a.org/tcp/443/wss/p2p/{r}/p2p-circuit/p2p/{p}"
            ))
        );
        assert_eq!(
            circuit_address(&circuit("")).unwrap(),
            address(&format!("/p2p/{r}/p2p-circuit/p2p/{p}"))
        );
        for bad in ["not one", "/dns4/a.org/tcp/443/wss/p2p-circuit"] {
            assert_eq!(circuit_address(&circuit(bad)), Err(Refused::Malformed));
        }
        let smuggled = format!("/dns4/a.org/tcp/443/wss/p2p/{PEER}");
        assert_eq!(
            circuit_address(&circuit(&smuggled)),
            Err(Refused::Malformed)
        );
    }

    #[test]
    fn a_way_through_a_relay_survives_the_round_trip() {
        let relay = RelayAddr::parse(&format!(
            "/dns4/a.org/tcp/443/wss/p2p/{}",
            peer_of(&key(1)).unwrap()
        ))
        .unwrap();
        let circuit = circuit_through(&relay, &key(2)).unwrap();
        assert_eq!(
            circuit_address(&circuit).unwrap(),
            relay
                .listen_address()
                .with(Protocol::P2p(peer_of(&key(2)).unwrap()))
        );
    }

    #[test]
    fn a_stranger_cannot_send_us_to_a_private_door() {
        let circuit = |address: &str| Circuit {
            relay: key(1),
            address: address.to_owned(),
            peer: key(2),
        };
        let nobody = |_: &PeerId| false;
        for good in [
            "/dns4/relay.market.org/tcp/443/wss",
            "/dns/relay.market.org/tcp/8443/tls/ws",
        ] {
            assert!(
                may_dial(&circuit(good), Here::Public, nobody).is_ok(),
                "{good}"
            );
        }
        for bad in [
            "",
            "/ip4/93.184.216.34/tcp/443/wss",
            "/ip4/192.168.1.1/tcp/80/ws",
            "/ip4/127.0.0.1/tcp/80/ws",
            "/ip6/::1/tcp/80/ws",
            "/dns4/relay.market.org/tcp/80/ws",
            "/dns4/relay.market.org/tcp/443",
            "/dns4/router/tcp/443/wss",
            "/dns4/printer.local/tcp/443/wss",
            "/dns4/db.internal/tcp/443/wss",
            "/dns4/localhost/tcp/443/wss",
            "/dns4/10.0.0.1/tcp/443/wss",
            "/dns4/0x7f.0x1/tcp/443/wss",
            "/dns4/relay.market.org/udp/443/quic-v1",
            "/dns4/relay.market.org/tcp/0/wss",
        ] {
            assert!(
                may_dial(&circuit(bad), Here::Public, nobody).is_err(),
                "{bad}"
            );
        }
        for loopback in [
            "/ip4/127.0.0.1/tcp/80/ws",
            "/ip6/::1/tcp/80/ws",
            "/dns4/localhost/tcp/80/ws",
        ] {
            assert!(may_dial(&circuit(loopback), Here::Loopback, nobody).is_ok());
        }
        assert!(
            may_dial(
                &circuit("/ip4/192.168.1.1/tcp/80/ws"),
                Here::Loopback,
                nobody
            )
            .is_err()
        );
    }

    #[test]
    fn a_known_relay_is_dialled_where_we_know_it_and_not_where_a_stranger_says() {
        let circuit = Circuit {
            relay: key(1),
            address: "/ip4/192.168.1.1/tcp/80/ws".to_owned(),
            peer: key(2),
        };
        let known = peer_of(&key(1)).unwrap();
        let address = may_dial(&circuit, Here::Public, |peer| *peer == known).unwrap();
        assert!(address.to_string().starts_with("/p2p/"), "{address}");
    }
}
