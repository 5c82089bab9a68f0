//! `/webrtc-direct` (`webrtc/webrtc-direct.md`, version 1): from a browser to a server that needs neither a name nor a certificate authority,
//! because its address carries the hash of its certificate.
//!
//! The browser is told what the server would have answered: its address, and the hash. Both sides' ICE name and password are one random text that
//! the browser chose, written into its own description by hand. Then Noise on the first channel makes sure who both are, bound to both
//! certificates.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::AsyncWriteExt as _;
use futures::future::{BoxFuture, FutureExt as _};
use libp2p_core::multiaddr::{Multiaddr, Protocol};
use libp2p_core::transport::{DialOpts, ListenerId, TransportError, TransportEvent};
use libp2p_core::upgrade::{InboundConnectionUpgrade as _, UpgradeInfo as _};
use libp2p_identity::{Keypair, PeerId};
use send_wrapper::SendWrapper;
use web_sys::RtcSdpType;

use super::channel::Stream;
use super::connection::Connection;
use super::peer::Peer;
use crate::config::{Config, Shared};
use crate::error::Error;
use crate::halves::Acknowledge;
use crate::transport::within;

/// What the random text begins with, so that servers know the version.
const PREFIX: &str = "libp2p+webrtc+v1/";
/// Letters of the random text after it.
const LETTERS: usize = 32;
/// The code of SHA-256 in a multihash.
const SHA2_256: u64 = 0x12;
/// What Noise is bound to, before the two certificates.
const PROLOGUE: &[u8] = b"libp2p-webrtc-noise:";

/// Dials servers; a browser cannot listen.
#[derive(Debug)]
pub struct Transport {
    identity: Keypair,
    shared: Arc<Shared>,
}

impl Transport {
    /// For the peer of this identity. ICE servers are not asked: the server's address is known, and ours is of no interest.
    #[must_use]
    pub fn new(identity: Keypair, config: Config) -> Self {
        let config = Config {
            ice_servers: Vec::new(),
            ..config
        };
        Self {
            identity,
            shared: Shared::new(config),
        }
    }
}

/// What an address says of a server.
#[derive(Debug, PartialEq, Eq)]
struct Server {
    ip: IpAddr,
    port: u16,
    /// The SHA-256 of its certificate.
    fingerprint: [u8; 32],
    peer: Option<PeerId>,
}

// Whatever else an address may be made of is none of ours.
#[allow(clippy::wildcard_enum_match_arm)]
fn parse(address: &Multiaddr) -> Option<Server> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => IpAddr::V4(ip),
        Protocol::Ip6(ip) => IpAddr::V6(ip),
        _ => return None,
    };
    let Some(Protocol::Udp(port)) = parts.next() else {
        return None;
    };
    let Some(Protocol::WebRTCDirect) = parts.next() else {
        return None;
    };
    let Some(Protocol::Certhash(hash)) = parts.next() else {
        return None;
    };
    if hash.code() != SHA2_256 {
        return None;
    }
    let peer = match (parts.next(), parts.next()) {
        (None, None) => None,
        (Some(Protocol::P2p(peer)), None) => Some(peer),
        _ => return None,
    };
    Some(Server {
        ip,
        port,
        fingerprint: hash.digest().try_into().ok()?,
        peer,
    })
}

impl libp2p_core::Transport for Transport {
    type Output = (PeerId, Connection);
    type Error = Error;
    type ListenerUpgrade = BoxFuture<'static, Result<Self::Output, Error>>;
    type Dial = BoxFuture<'static, Result<Self::Output, Error>>;

    fn listen_on(
        &mut self,
        _: ListenerId,
        address: Multiaddr,
    ) -> Result<(), TransportError<Error>> {
        Err(TransportError::MultiaddrNotSupported(address))
    }

    fn remove_listener(&mut self, _: ListenerId) -> bool {
        false
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        opts: DialOpts,
    ) -> Result<Self::Dial, TransportError<Error>> {
        let server = match parse(&address) {
            Some(server) if !opts.role.is_listener() => server,
            Some(_) | None => return Err(TransportError::MultiaddrNotSupported(address)),
        };
        super::is_here().map_err(TransportError::Other)?;
        let (identity, shared) = (self.identity.clone(), Arc::clone(&self.shared));
        let limit = shared.config.limits.time;
        let dial = within(limit, SendWrapper::new(dial(server, identity, shared)));
        Ok(dial.boxed())
    }

    fn poll(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Error>> {
        Poll::Pending
    }
}

async fn dial(
    server: Server,
    identity: Keypair,
    shared: Arc<Shared>,
) -> Result<(PeerId, Connection), Error> {
    let peer = Peer::new(&shared, Acknowledge::WhenClosed).await?;
    // From here on dropped means closed.
    let connection = Connection::new(Rc::clone(&peer));
    let first = peer.open_first()?;
    let name = random_name()?;
    let offer = peer.make_offer().await?;
    let offer = rename(&offer, &name);
    let ours = fingerprint_of(&offer).ok_or_else(|| Error::Browser("no fingerprint".to_owned()))?;
    peer.describe_local(RtcSdpType::Offer, &offer).await?;
    peer.describe_remote(RtcSdpType::Answer, &answer(&server, &name))
        .await?;
    let id = shake_hands(Stream::new(first), &identity, ours, server.fingerprint).await?;
    if server.peer.is_some_and(|named| named != id) {
        return Err(Error::WrongPeer);
    }
    Ok((id, connection))
}

/// The browser takes the part of Noise's responder: the specification has it so, because a server may then speak first.
fn shake_hands(
    stream: Stream,
    identity: &Keypair,
    ours: [u8; 32],
    theirs: [u8; 32],
) -> impl Future<Output = Result<PeerId, Error>> + use<> {
    let prologue = [PROLOGUE, &multihash(ours), &multihash(theirs)].concat();
    let noise = libp2p_noise::Config::new(identity).map(|noise| noise.with_prologue(prologue));
    async move {
        let failed = |error: libp2p_noise::Error| Error::Carrier(error.to_string());
        let noise = noise.map_err(failed)?;
        let info = noise.protocol_info().next().ok_or(Error::Closed)?;
        let (peer, mut channel) = noise.upgrade_inbound(stream, info).await.map_err(failed)?;
        // It was needed for this only. If that cannot be said any more, the next stream shows it.
        let _ = channel.close().await;
        Ok(peer)
    }
}

fn multihash(digest: [u8; 32]) -> Vec<u8> {
    let mut bytes = vec![0x12, 32];
    bytes.extend_from_slice(&digest);
    bytes
}

fn random_name() -> Result<String, Error> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut dice = [0; LETTERS];
    getrandom::fill(&mut dice).map_err(|error| Error::Browser(error.to_string()))?;
    let letters = dice
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 64)));
    let letters = letters.map(|letter| char::from(*letter));
    Ok(PREFIX.chars().chain(letters).collect())
}

/// The description with this ICE name and password in place of the browser's own.
fn rename(description: &str, name: &str) -> String {
    let mut renamed = String::with_capacity(description.len() + 2 * name.len());
    for line in description.lines() {
        if line.starts_with("a=ice-ufrag:") {
            renamed.push_str("a=ice-ufrag:");
            renamed.push_str(name);
        } else if line.starts_with("a=ice-pwd:") {
            renamed.push_str("a=ice-pwd:");
            renamed.push_str(name);
        } else {
            renamed.push_str(line);
        }
        renamed.push_str("\r\n");
    }
    renamed
}

/// The SHA-256 fingerprint in a description (RFC 8122, section 5).
fn fingerprint_of(description: &str) -> Option<[u8; 32]> {
    let hex = description
        .lines()
        .find_map(|line| line.trim_end().strip_prefix("a=fingerprint:sha-256 "))?;
    let mut digest = [0; 32];
    let mut bytes = hex.split(':');
    for byte in &mut digest {
        *byte = u8::from_str_radix(bytes.next()?, 16).ok()?;
    }
    bytes.next().is_none().then_some(digest)
}

/// What the server would have answered.
fn answer(server: &Server, name: &str) -> String {
    let Server { ip, port, .. } = server;
    let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
    let fingerprint = server
        .fingerprint
        .map(|byte| format!("{byte:02X}"))
        .join(":");
    [
        "v=0".to_owned(),
        format!("o=- 0 0 IN {family} {ip}"),
        "s=-".to_owned(),
        "t=0 0".to_owned(),
        "a=ice-lite".to_owned(),
        format!("m=application {port} UDP/DTLS/SCTP webrtc-datachannel"),
        format!("c=IN {family} {ip}"),
        "a=mid:0".to_owned(),
        "a=ice-options:ice2".to_owned(),
        format!("a=ice-ufrag:{name}"),
        format!("a=ice-pwd:{name}"),
        format!("a=fingerprint:sha-256 {fingerprint}"),
        "a=setup:passive".to_owned(),
        "a=sctp-port:5000".to_owned(),
        "a=max-message-size:16384".to_owned(),
        format!("a=candidate:1 1 UDP 1 {ip} {port} typ host"),
        "a=end-of-candidates".to_owned(),
        String::new(),
    ]
    .join("\r\n")
}
