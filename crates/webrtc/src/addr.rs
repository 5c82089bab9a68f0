//! Addresses of the form `<relay>/p2p-circuit/webrtc/p2p/<peer>`: the way to the peer through a relay, and the wish to get from there
//! to a direct connection.

use libp2p_core::Multiaddr;
use libp2p_core::multiaddr::Protocol;
use libp2p_identity::PeerId;

/// Whether the address names a direct connection between browsers, arranged or to be arranged through a relay.
#[must_use]
pub fn is_webrtc(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::WebRTC)
}

/// Whether what is sent to this address passes through a relay. An address with `/p2p-circuit` and `/webrtc` is only
/// *arranged* through one.
#[must_use]
pub fn is_relayed(address: &Multiaddr) -> bool {
    !is_webrtc(address) && address.iter().any(|part| part == Protocol::P2pCircuit)
}

/// The peer that a `/webrtc` address names and its address on the relay (ending in `/p2p/<peer>`); `None` for every other address.
#[must_use]
pub fn parse(address: &Multiaddr) -> Option<(PeerId, Multiaddr)> {
    let mut carrier = Multiaddr::empty();
    let mut parts = address.iter();
    let mut circuit = false;
    for part in parts.by_ref() {
        if part == Protocol::WebRTC {
            break;
        }
        circuit |= part == Protocol::P2pCircuit;
        carrier.push(part);
    }
    match (circuit, parts.next(), parts.next()) {
        (true, Some(Protocol::P2p(peer)), None) => Some((peer, carrier.with(Protocol::P2p(peer)))),
        _ => None,
    }
}

/// The `/webrtc` address of a peer from its address on a relay, with or without `/p2p/<peer>` at its end; `None` if that is none.
#[must_use]
pub fn webrtc_through(relayed: &Multiaddr, peer: PeerId) -> Option<Multiaddr> {
    let mut address = relayed.clone();
    if address.iter().last() == Some(Protocol::P2p(peer)) {
        address.pop();
    }
    (address.iter().last() == Some(Protocol::P2pCircuit))
        .then(|| address.with(Protocol::WebRTC).with(Protocol::P2p(peer)))
}

/// What of an address on a relay is the relay's, `/p2p-circuit` included; nothing of any other address.
pub(crate) fn up_to_circuit(address: &Multiaddr) -> Multiaddr {
    let mut relay = Multiaddr::empty();
    for part in address {
        let circuit = part == Protocol::P2pCircuit;
        relay.push(part);
        if circuit {
            return relay;
        }
    }
    Multiaddr::empty()
}

/// Whether it is the address to listen on: `/webrtc`, alone or behind a relay's.
pub(crate) fn is_to_listen_on(address: &Multiaddr) -> bool {
    address.iter().last() == Some(Protocol::WebRTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELAY: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
    const PEER: &str = "12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X";

    #[test]
    fn an_address_is_cut_into_the_peer_and_the_way_to_it() {
        let carrier = format!("/ip4/127.0.0.1/tcp/9/ws/p2p/{RELAY}/p2p-circuit");
        let peer: PeerId = PEER.parse().unwrap();
        let address: Multiaddr = format!("{carrier}/webrtc/p2p/{PEER}").parse().unwrap();
        let relayed: Multiaddr = format!("{carrier}/p2p/{PEER}").parse().unwrap();
        assert_eq!(parse(&address), Some((peer, relayed.clone())));
        assert_eq!(webrtc_through(&relayed, peer), Some(address.clone()));
        assert_eq!(
            webrtc_through(&carrier.parse().unwrap(), peer),
            Some(address.clone())
        );
        assert_eq!(up_to_circuit(&relayed).to_string(), carrier);
        assert!(up_to_circuit(&carrier.replace("/p2p-circuit", "").parse().unwrap()).is_empty());
        assert!(is_webrtc(&address) && !is_relayed(&address));
        assert!(is_relayed(&relayed) && !is_webrtc(&relayed));
    }

    #[test]
    fn other_addresses_are_not_dialed() {
        let none = [
            "/webrtc".to_owned(),
            format!("/webrtc/p2p/{PEER}"),
            format!("/ip4/127.0.0.1/tcp/9/ws/p2p/{RELAY}/p2p-circuit/p2p/{PEER}/webrtc"),
            format!("/ip4/127.0.0.1/tcp/9/ws/p2p/{RELAY}/p2p-circuit/webrtc"),
            format!("/ip4/127.0.0.1/tcp/9/ws/p2p/{RELAY}/webrtc/p2p/{PEER}"),
            format!(
                "/ip4/127.0.0.1/tcp/9/ws/p2p/{RELAY}/p2p-circuit/webrtc/p2p/{PEER}/p2p-circuit"
            ),
        ];
        for text in none {
            assert_eq!(parse(&text.parse().unwrap()), None, "{text}");
        }
    }
}
