//! Every way in and out: the HTTP port's WebSockets, TCP, QUIC, WebRTC-direct; outward also WebSocket with and without TLS, to
//! reach other relays. A relay that carries to a mint is reached through other relays too.

use std::time::Duration;

use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::{Boxed, OptionalTransport, OrTransport};
use libp2p::core::upgrade::Version;
use libp2p::dns::{ResolverConfig, ResolverOpts};
use libp2p::identity::Keypair;
use libp2p::{PeerId, Transport as _, dns, noise, quic, relay, tcp, websocket, yamux};
use libp2p_webrtc::tokio::{Certificate, Transport as WebRtc};

use crate::door::Door;
use crate::separate::SeparateMuxer;
use crate::tap::{Tapped, tapped};

/// Whoever has not shown his key by then is turned away.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);
/// Streams on one connection: a peer's circuits and some more.
const STREAMS_MAX: usize = 256;

/// What the swarm works with.
pub(crate) type Transport = Boxed<(PeerId, StreamMuxerBox)>;

/// The library could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The key does not fit Noise, which an Ed25519 key does.
    #[error("the encryption could not be set up: {0}")]
    Noise(#[from] noise::Error),
    /// The system's resolver stopped answering while it was set up.
    #[error("names could not be resolved: {0}")]
    Resolver(#[from] std::io::Error),
}

/// Puts all transports together. `certificate` opens WebRTC-direct, `circuits` the way through other relays.
///
/// # Errors
/// [`SetupError`].
pub(crate) fn transport(
    key: &Keypair,
    door: Door,
    certificate: Option<Certificate>,
    circuits: Option<relay::client::Transport>,
    tap: Option<&Tapped>,
) -> Result<Transport, SetupError> {
    let plain_tcp = || tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
    let mut multiplexer = yamux::Config::default();
    multiplexer.set_max_num_streams(STREAMS_MAX);

    // First, since others would take the beginning of such an address for theirs.
    let circuits = circuits.map_or_else(OptionalTransport::none, OptionalTransport::some);
    let circuits = circuits
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(key)?)
        .multiplex(multiplexer.clone())
        .timeout(HANDSHAKE_TIMEOUT)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));

    // WebSocket resolves its names itself: it needs them for TLS.
    let browsers = OrTransport::new(door, websocket::Config::new(named(plain_tcp())?))
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(key)?)
        .multiplex(multiplexer.clone())
        .timeout(HANDSHAKE_TIMEOUT)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));

    let tcp = plain_tcp()
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(key)?)
        .multiplex(multiplexer)
        .timeout(HANDSHAKE_TIMEOUT)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let mut config = quic::Config::new(key);
    config.handshake_timeout = HANDSHAKE_TIMEOUT;
    let quic = quic::tokio::Transport::new(config)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let native = tcp.or_transport(quic).map(|either, _| either.into_inner());
    let native = match certificate {
        None => named(native.boxed())?,
        Some(certificate) => {
            let webrtc = WebRtc::new(key.clone(), certificate)
                .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(SeparateMuxer(muxer))));
            let all = native.or_transport(webrtc);
            named(all.map(|either, _| either.into_inner()).boxed())?
        }
    };

    let tap = tap.cloned();
    let direct = browsers
        .or_transport(native)
        .map(|either, _| either.into_inner());
    Ok(circuits
        .or_transport(direct)
        .map(|either, _| either.into_inner())
        .map(move |(peer, muxer), _| (peer, tapped(tap.as_ref(), peer, muxer)))
        .boxed())
}

/// Resolves names as the system does. Where the system does not say how (a bare container), names fail when they are dialled,
/// and addresses work.
fn named<T>(transport: T) -> Result<dns::tokio::Transport<T>, SetupError> {
    let has_resolver = dns::tokio::Transport::system(()).is_ok();
    if has_resolver {
        return Ok(dns::tokio::Transport::system(transport)?);
    }
    tracing::warn!("the system names no resolver: only addresses in numbers can be dialled");
    Ok(dns::tokio::Transport::custom(
        transport,
        ResolverConfig::default(),
        ResolverOpts::default(),
    ))
}
