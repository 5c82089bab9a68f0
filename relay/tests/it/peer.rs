//! A bare peer: the public protocols and nothing of a market.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures::StreamExt as _;
use haggle_net::{DirectOnly, Role, book, gossip, kad, whisper};
use haggle_protocol::frame::{Facets, Frame, Header, Kind};
use haggle_protocol::keys::SigningKey;
use haggle_protocol::{Network, Timestamp};
use haggle_relay::{Config, Running};
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::{Boxed, OrTransport};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{
    Multiaddr, PeerId, Swarm, Transport as _, dns, gossipsub, identify, noise, ping, quic, relay,
    tcp, websocket, yamux,
};

/// The longest that anything here may take.
const DEADLINE: Duration = Duration::from_secs(60);

#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) gossip: DirectOnly<gossip::Behaviour>,
    pub(crate) kad: kad::Behaviour,
    pub(crate) book: book::Behaviour,
    pub(crate) whisper: whisper::Behaviour,
    pub(crate) circuit: relay::client::Behaviour,
    pub(crate) identify: identify::Behaviour,
    pub(crate) ping: ping::Behaviour,
}

pub(crate) type Event = SwarmEvent<BehaviourEvent>;

/// A bare peer. It takes in every frame that its relay passes on.
pub(crate) struct Peer {
    pub(crate) swarm: Swarm<Behaviour>,
    /// Frames heard by gossip.
    pub(crate) heard: Vec<Vec<u8>>,
    /// Cells that came.
    pub(crate) whispers: Vec<whisper::Request>,
}

type Stack = Boxed<(PeerId, StreamMuxerBox)>;

impl Peer {
    pub(crate) fn new() -> Self {
        Self::with(websocket::tls::Config::client())
    }

    /// A peer that trusts what `tls` trusts.
    pub(crate) fn with(tls: websocket::tls::Config) -> Self {
        let key = Keypair::generate_ed25519();
        let (circuits, circuit) = relay::client::new(key.public().to_peer_id());
        let circuits = circuits
            .upgrade(Version::V1)
            .authenticate(noise::Config::new(&key).unwrap())
            .multiplex(yamux::Config::default())
            .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
        let transport = OrTransport::new(circuits, stack(&key, tls))
            .map(|either, _| either.into_inner())
            .boxed();
        let peer = key.public().to_peer_id();
        let behaviour = Behaviour {
            gossip: DirectOnly::new(gossip::behaviour(Role::Peer, [].into()).unwrap()),
            kad: kad::behaviour(Role::Peer, peer),
            book: book::behaviour(),
            whisper: whisper::behaviour(Duration::from_secs(20)),
            circuit,
            identify: identify::Behaviour::new(identify::Config::new(
                haggle_protocol::names::PROTOCOL_IDENTIFY.to_owned(),
                key.public(),
            )),
            ping: ping::Behaviour::default(),
        };
        let config = libp2p::swarm::Config::with_tokio_executor()
            .with_idle_connection_timeout(Duration::from_secs(120));
        Self {
            swarm: Swarm::new(transport, behaviour, peer, config),
            heard: Vec::new(),
            whispers: Vec::new(),
        }
    }

    pub(crate) fn id(&self) -> PeerId {
        *self.swarm.local_peer_id()
    }

    /// Whether gossip flows between us and the relay.
    pub(crate) fn is_in_mesh_with(&self, relay: &PeerId) -> bool {
        self.swarm
            .behaviour()
            .gossip
            .mesh_peers(&gossip::topic_hash())
            .any(|peer| peer == relay)
    }

    pub(crate) fn say(&mut self, bytes: Vec<u8>) {
        self.swarm
            .behaviour_mut()
            .gossip
            .publish(gossip::topic_hash(), bytes)
            .unwrap();
    }

    /// Takes up what every peer takes up; whispers are noted and answered by a refusal.
    fn note(&mut self, event: Event) -> Option<Event> {
        use libp2p::request_response::{Event as Rr, Message as RrMessage};
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            })) => {
                self.heard.push(message.data);
                let gossip = &mut self.swarm.behaviour_mut().gossip;
                gossip.report_message_validation_result(
                    &message_id,
                    &propagation_source,
                    gossipsub::MessageAcceptance::Accept,
                );
                None
            }
            SwarmEvent::Behaviour(BehaviourEvent::Whisper(Rr::Message {
                message:
                    RrMessage::Request {
                        request, channel, ..
                    },
                ..
            })) => {
                self.whispers.push(request);
                let answer = whisper::Answer::Refused(haggle_protocol::Refusal::NotKept.into());
                let _ = self
                    .swarm
                    .behaviour_mut()
                    .whisper
                    .send_response(channel, answer);
                None
            }
            other => Some(other),
        }
    }
}

fn stack(key: &Keypair, tls: websocket::tls::Config) -> Stack {
    let plain = || tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
    let mut web = websocket::Config::new(dns::tokio::Transport::system(plain()).unwrap());
    web.set_tls_config(tls);
    let noise = || noise::Config::new(key).unwrap();
    let streams = web
        .or_transport(plain())
        .upgrade(Version::V1)
        .authenticate(noise())
        .multiplex(yamux::Config::default())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let quic = quic::tokio::Transport::new(quic::Config::new(key))
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    OrTransport::new(quic, streams)
        .map(|either, _| either.into_inner())
        .boxed()
}

/// Several peers that run together.
pub(crate) struct Net {
    pub(crate) peers: Vec<Peer>,
}

impl Net {
    pub(crate) fn of(count: usize) -> Self {
        Self {
            peers: (0..count).map(|_| Peer::new()).collect(),
        }
    }

    /// Runs all until `done` says so, asked after each event and every 20 ms.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        mut done: impl FnMut(&mut Self, Option<(usize, &Event)>) -> Option<T>,
    ) -> T {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let run = async {
            loop {
                let next = tokio::select! {
                    event = next_event(&mut self.peers) => Some(event),
                    _ = ticks.tick() => None,
                };
                let next = next.and_then(|(at, event)| Some((at, self.peers[at].note(event)?)));
                if let Some(value) = done(self, next.as_ref().map(|(at, event)| (*at, event))) {
                    return value;
                }
            }
        };
        match tokio::time::timeout(DEADLINE, run).await {
            Ok(value) => value,
            Err(_) => panic!("in time: {what}"),
        }
    }

    /// Runs all while something else is waited for.
    pub(crate) async fn during<T>(&mut self, what: &str, other: impl Future<Output = T>) -> T {
        let run = async {
            tokio::pin!(other);
            loop {
                tokio::select! {
                    value = &mut other => return value,
                    (at, event) = next_event(&mut self.peers) => drop(self.peers[at].note(event)),
                }
            }
        };
        match tokio::time::timeout(DEADLINE, run).await {
            Ok(value) => value,
            Err(_) => panic!("in time: {what}"),
        }
    }

    /// Dials and waits until connected.
    pub(crate) async fn connect(&mut self, at: usize, address: &Multiaddr) {
        self.peers[at].swarm.dial(address.clone()).unwrap();
        self.until(
            &format!("peer {at} connects to {address}"),
            |_, event| match event {
                Some((who, SwarmEvent::ConnectionEstablished { .. })) if who == at => Some(()),
                Some((who, SwarmEvent::OutgoingConnectionError { error, .. })) if who == at => {
                    panic!("peer {at} to {address}: {error}")
                }
                _ => None,
            },
        )
        .await;
    }

    /// Connects and waits until gossip flows.
    pub(crate) async fn join(&mut self, at: usize, relay: &Running) {
        self.connect(at, front(relay)).await;
        let id = relay.peer_id;
        self.until("gossip flows", |net, _| {
            net.peers[at].is_in_mesh_with(&id).then_some(())
        })
        .await;
    }

    /// Asks a relay's book.
    pub(crate) async fn ask(
        &mut self,
        at: usize,
        relay: &Running,
        want: book::Want,
    ) -> book::Response {
        let request = book::Request::new(network(), want);
        let book = &mut self.peers[at].swarm.behaviour_mut().book;
        let asked = book.send_request(&relay.peer_id, request);
        self.until("the book answers", |_, event| {
            use libp2p::request_response::{Event as Rr, Message};
            match event {
                Some((who, SwarmEvent::Behaviour(BehaviourEvent::Book(event)))) if who == at => {
                    match event {
                        Rr::Message {
                            message:
                                Message::Response {
                                    request_id,
                                    response,
                                },
                            ..
                        } if *request_id == asked => Some(response.clone()),
                        Rr::OutboundFailure {
                            request_id, error, ..
                        } if *request_id == asked => {
                            panic!("the book did not answer: {error}")
                        }
                        _ => None,
                    }
                }
                _ => None,
            }
        })
        .await
    }
}

async fn next_event(peers: &mut [Peer]) -> (usize, Event) {
    std::future::poll_fn(|cx| {
        for (at, peer) in peers.iter_mut().enumerate() {
            if let Poll::Ready(Some(event)) = peer.swarm.poll_next_unpin(cx) {
                return Poll::Ready((at, event));
            }
        }
        Poll::Pending
    })
    .await
}

/// The market of these tests.
pub(crate) fn network() -> Network {
    Network::named("test")
}

/// A relay's configuration: loopback, free ports, its own folder.
pub(crate) fn config(name: &str) -> Config {
    let mut config = Config {
        network: "test".to_owned(),
        data: folder(name),
        ..Config::default()
    };
    config.http.listen = "127.0.0.1:0".parse().unwrap();
    config
}

/// A fresh folder under this name.
pub(crate) fn folder(name: &str) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("{name}-{}-{count}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The address of a relay's HTTP port.
pub(crate) fn front(relay: &Running) -> &Multiaddr {
    &relay.addresses()[0]
}

#[allow(clippy::disallowed_methods, reason = "real peers live in real time")]
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    Timestamp(since.as_secs())
}

/// A good frame of a kind that nobody reads, so that its body may say anything.
pub(crate) fn frame(seed: u8, body: &[u8]) -> Frame {
    frame_until(seed, body, now() + 600)
}

pub(crate) fn frame_until(seed: u8, body: &[u8], expires: Timestamp) -> Frame {
    let key = SigningKey::from_seed(&[seed; 32]);
    let header = Header {
        kind: Kind::Other(200),
        network: network(),
        created: Timestamp(expires.0 - 600),
        expires,
        key: key.public(),
        facets: Facets::default(),
    };
    Frame::sign(header, body, &key, 16, 0).unwrap()
}

/// One HTTP response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends raw bytes over a stream and reads the response until the other side closes.
pub(crate) async fn exchange<S>(mut stream: S, request: &[u8]) -> Option<Reply>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let _ = stream.write_all(request).await;
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut bytes)).await;
    assert!(read.is_ok(), "the server answers or closes in time");
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Some(Reply {
        status,
        headers,
        body: bytes[end + 4..].to_vec(),
    })
}

/// GETs a path with more header lines, each ending in CRLF.
pub(crate) async fn get_with(relay: &Running, path: &str, lines: &str) -> Reply {
    let stream = tokio::net::TcpStream::connect(relay.http_addr)
        .await
        .unwrap();
    let host = if lines.to_ascii_lowercase().contains("host:") {
        String::new()
    } else {
        format!("Host: {}\r\n", relay.http_addr)
    };
    let request = format!("GET {path} HTTP/1.1\r\n{host}{lines}Connection: close\r\n\r\n");
    exchange(stream, request.as_bytes())
        .await
        .expect("a response")
}

pub(crate) async fn get(relay: &Running, path: &str) -> Reply {
    get_with(relay, path, "").await
}

/// One line's value in `/metrics`.
pub(crate) async fn metric(relay: &Running, name: &str) -> f64 {
    let text = get(relay, "/metrics").await.text();
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
        .unwrap_or(0.0)
}

/// Waits until a metric has at least this value, while the peers run.
pub(crate) async fn metric_reaches(net: &mut Net, relay: &Running, name: &str, value: f64) {
    let reached = async {
        while metric(relay, name).await < value {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    net.during(&format!("{name} reaches {value}"), reached)
        .await;
}
