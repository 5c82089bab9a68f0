//! The bootstrap list as a relay gives it: itself first, in the form in which the asker reached it.

use std::net::SocketAddr;

use haggle_net::{RelayAddr, RelayList};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

use super::{Body, Shared, text};

/// The longest `Host` that is looked at, in bytes.
const HOST_MAX: usize = 262;

/// The list, for whoever asks with these headers.
pub(super) fn respond(headers: &HeaderMap, shared: &Shared) -> Response<Body> {
    let settings = &shared.settings;
    let peer = shared.state.peer_id;
    let mut list = RelayList::empty(&settings.network);
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .and_then(Host::parse);
    let is_local = host.as_ref().is_none_or(Host::is_loopback);
    let announced = shared.state.external.iter().find(|at| is_websocket(at));
    let stun_host = match announced.filter(|_| !is_local).and_then(name_in) {
        Some(name) => Some(name),
        None => host
            .as_ref()
            .and_then(|host| name_in(&host.name.clone().into())),
    };
    list.stun = stun_host.map_or_else(Vec::new, |host| {
        own_stun(&host, is_local, &settings.stun_bound)
    });
    list.stun.extend(settings.stun.iter().cloned());
    list.stun.truncate(haggle_net::bootstrap::STUN_MAX);

    let mut own: Vec<Multiaddr> = Vec::new();
    // What the operator announces is for the public; on this very machine the port asked at is the nearest way.
    if is_local || shared.state.external.is_empty() {
        own.extend(host.map(|host| host.address(is_secure(headers, shared))));
    }
    own.extend(shared.state.external.iter().cloned());
    let direct = shared.state.direct.iter();
    let direct = direct.filter(|at| is_local || !haggle_net::addr::is_loopback(at));
    let named: Vec<Multiaddr> = direct.filter(|at| !own.contains(at)).cloned().collect();
    own.extend(named);
    list.relays = own
        .into_iter()
        .filter(is_for_pages)
        .filter_map(|address| RelayAddr::new(with_peer(address, peer)).ok())
        .chain(
            settings
                .relays
                .iter()
                .filter(|relay| is_for_pages(relay.address()))
                .filter(|relay| is_local || !haggle_net::addr::is_loopback(relay.address()))
                .cloned(),
        )
        .take(haggle_net::bootstrap::RELAYS_MAX)
        .collect();

    let Ok(json) = list.to_json() else {
        return text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The list could not be written.\n",
        );
    };
    let mut response = text(StatusCode::OK, &json);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    // Which relays there are is public, and pages of other origins may ask.
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    response
}

/// The host in an address, as it is written before a port.
fn name_in(address: &Multiaddr) -> Option<String> {
    // Any other beginning names no host.
    #[allow(clippy::wildcard_enum_match_arm)]
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.to_string()),
        Protocol::Ip6(ip) => Some(format!("[{ip}]")),
        Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) => {
            Some(name.into_owned())
        }
        _ => None,
    }
}

/// How this relay's own STUN is reached under the host by which the relay was reached. What is bound to loopback alone is told
/// only to who asks from there.
fn own_stun(host: &str, is_local: bool, bound: &[SocketAddr]) -> Vec<String> {
    let mut ports: Vec<u16> = Vec::new();
    for at in bound {
        if (is_local || !at.ip().is_loopback()) && !ports.contains(&at.port()) {
            ports.push(at.port());
        }
    }
    ports
        .iter()
        .map(|port| format!("stun:{host}:{port}"))
        .collect()
}

fn with_peer(address: Multiaddr, peer: PeerId) -> Multiaddr {
    address.with(Protocol::P2p(peer))
}

/// Whether pages can dial it: WebSocket, or WebRTC-direct with the hash of the certificate, without which nobody can.
fn is_for_pages(address: &Multiaddr) -> bool {
    let is_direct = address.iter().any(|part| part == Protocol::WebRTCDirect);
    let has_hash = address
        .iter()
        .any(|part| matches!(part, Protocol::Certhash(_)));
    is_websocket(address) || (is_direct && has_hash)
}

fn is_websocket(address: &Multiaddr) -> bool {
    address
        .iter()
        .any(|part| matches!(part, Protocol::Ws(_) | Protocol::Wss(_)))
}

/// Whether the asker speaks TLS: to us, or to a proxy that says so. A wrong word here misleads only him who says it.
fn is_secure(headers: &HeaderMap, shared: &Shared) -> bool {
    shared.is_tls
        || headers
            .get("x-forwarded-proto")
            .is_some_and(|proto| proto == "https")
}

/// The `Host` of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Host {
    name: Protocol<'static>,
    port: Option<u16>,
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        if text.len() > HOST_MAX {
            return None;
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, Some(port.parse().ok()?)),
            Some(_) | None => (text, None),
        };
        let bare = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'));
        let name = if let Some(ip) = bare {
            Protocol::Ip6(ip.parse().ok()?)
        } else if let Ok(ip) = name.parse() {
            Protocol::Ip4(ip)
        } else {
            let good = !name.is_empty()
                && name
                    .bytes()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-'));
            if !good {
                return None;
            }
            Protocol::Dns(name.to_ascii_lowercase().into())
        };
        Some(Self { name, port })
    }

    fn is_loopback(&self) -> bool {
        haggle_net::addr::is_loopback(&Multiaddr::from(self.name.clone()))
    }

    fn address(self, secure: bool) -> Multiaddr {
        let (port, transport) = if secure {
            (443, Protocol::Wss("/".into()))
        } else {
            (80, Protocol::Ws("/".into()))
        };
        Multiaddr::from(self.name)
            .with(Protocol::Tcp(self.port.unwrap_or(port)))
            .with(transport)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_that_was_asked_becomes_the_address_to_dial() {
        for (host, secure, address) in [
            ("127.0.0.1:8080", false, "/ip4/127.0.0.1/tcp/8080/ws"),
            ("localhost:9", false, "/dns/localhost/tcp/9/ws"),
            ("[::1]:8080", false, "/ip6/::1/tcp/8080/ws"),
            ("[::1]", false, "/ip6/::1/tcp/80/ws"),
            (
                "Relay.Market.org",
                true,
                "/dns/relay.market.org/tcp/443/wss",
            ),
        ] {
            let built = Host::parse(host).unwrap().address(secure).to_string();
            assert_eq!(built, address, "{host}");
        }
    }

    #[test]
    fn its_own_stun_is_named_by_the_host_that_was_asked() {
        let bound = ["0.0.0.0:3478", "[::]:3478", "127.0.0.1:3479"].map(|at| at.parse().unwrap());
        for (address, is_local, told) in [
            (
                "/dns4/relay.market.org/tcp/443/wss",
                false,
                vec!["stun:relay.market.org:3478"],
            ),
            (
                "/ip6/2001:db8::1/tcp/443/wss",
                false,
                vec!["stun:[2001:db8::1]:3478"],
            ),
            (
                "/ip4/127.0.0.1/tcp/80/ws",
                true,
                vec!["stun:127.0.0.1:3478", "stun:127.0.0.1:3479"],
            ),
        ] {
            let host = name_in(&address.parse().unwrap()).unwrap();
            assert_eq!(own_stun(&host, is_local, &bound), told);
        }
        assert_eq!(name_in(&"/memory/5".parse().unwrap()), None);
    }

    #[test]
    fn a_host_that_is_none_gives_no_address() {
        for bad in [
            "",
            "a/b",
            "a b",
            "a:99999",
            "a:",
            "[::1",
            "a\"b",
            &"a".repeat(300),
        ] {
            assert_eq!(Host::parse(bad), None, "{bad}");
        }
    }
}
