//! A peer that says whatever a test wants: libp2p as everyone speaks it, and on top of it bytes written by hand. It
//! checks nothing, counts nothing and keeps to no rule; what it hears it remembers.
//!
//! It listens too, so that a peer under test can be told that it is a relay: everything that a malicious relay or a
//! malicious neighbour could send, it can send.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use haggle_protocol::keys::SigningKey;
use haggle_protocol::names::{PROTOCOL_BOOK, PROTOCOL_IDENTIFY, PROTOCOL_WHISPER, TOPIC_INTENTS};
use libp2p::identity::Keypair;
use libp2p::request_response::{self, OutboundRequestId, ProtocolSupport};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{
    Multiaddr, PeerId, StreamProtocol, Swarm, SwarmBuilder, identify, noise, relay, tcp, yamux,
};
use libp2p_gossipsub as gossipsub;
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::trouble::{Outcome, Trouble};

/// How long anything between two programs on one machine may take, on a busy day.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most that is read of one answer, in bytes.
const ANSWER_MAX: u64 = 4 << 20;

/// The most that this peer sends in one gossip message, in bytes: more than any honest one may.
const GOSSIP_MAX: usize = 1 << 20;

/// Questions that may wait for the loop.
const ASKS: usize = 64;

/// Which of the two protocols with a question and an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// `/haggle/whisper/1`.
    Whisper,
    /// `/haggle/book/1`.
    Book,
}

/// What this peer answers to a whisper: given the bytes as they came.
pub type Answering = Box<dyn Fn(&[u8]) -> Vec<u8> + Send>;

type Done<T> = oneshot::Sender<Result<T, String>>;

enum Ask {
    Dial(Multiaddr, Done<()>),
    HangUp(PeerId, Done<()>),
    Publish(Vec<u8>, Done<()>),
    Say(Channel, PeerId, Vec<u8>, Done<Vec<u8>>),
    Answer(Answering),
}

/// What this peer heard so far.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// Gossip messages, as they came.
    pub gossip: Vec<Vec<u8>>,
    /// Whispers, as they came.
    pub whispers: Vec<Vec<u8>>,
    /// Who is connected and listens to the topic.
    pub listeners: Vec<PeerId>,
}

/// A running peer; it ends when dropped.
#[derive(Debug)]
pub struct Raw {
    key: SigningKey,
    id: PeerId,
    address: Multiaddr,
    asks: mpsc::Sender<Ask>,
    heard: watch::Receiver<Heard>,
    task: JoinHandle<()>,
}

impl Raw {
    /// Starts a peer that listens on loopback, with a key made from this number.
    ///
    /// # Errors
    /// If it cannot.
    pub async fn start(number: u64) -> Outcome<Self> {
        let mut seed = [0x5a; 32];
        seed[..8].copy_from_slice(&number.to_be_bytes());
        let keys =
            Keypair::ed25519_from_bytes(seed).map_err(|error| Trouble::new(error.to_string()))?;
        let id = keys.public().to_peer_id();
        let mut swarm = swarm(keys)?;
        let loopback: Multiaddr = "/ip4/127.0.0.1/tcp/0".parse().map_err(trouble)?;
        swarm.listen_on(loopback).map_err(trouble)?;
        let address = timeout(PATIENCE, async {
            loop {
                if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                    return address;
                }
            }
        })
        .await?;
        swarm.add_external_address(address.clone());
        let (asks, questions) = mpsc::channel(ASKS);
        let (tell, heard) = watch::channel(Heard::default());
        let task = tokio::spawn(run(swarm, questions, tell));
        Ok(Self {
            key: SigningKey::from_seed(&seed),
            id,
            address,
            asks,
            heard,
            task,
        })
    }

    /// Its key, as Reach records sign with it.
    #[must_use]
    pub const fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Its peer id.
    #[must_use]
    pub const fn id(&self) -> PeerId {
        self.id
    }

    /// Where it listens, as a relay's address is written.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}/p2p/{}", self.address, self.id)
    }

    /// Where it listens, without its name.
    #[must_use]
    pub fn place(&self) -> String {
        self.address.to_string()
    }

    /// Connects to a peer and waits until it listens to the topic.
    ///
    /// # Errors
    /// If it does not within the time.
    pub async fn meet(&self, address: &str) -> Outcome<PeerId> {
        let address: Multiaddr = address.parse().map_err(trouble)?;
        let Some(libp2p::multiaddr::Protocol::P2p(peer)) = address.iter().last() else {
            return Err(Trouble::new(format!("no peer at the end of {address}")));
        };
        self.ask(|done| Ask::Dial(address, done)).await?;
        self.listened_to_by(&peer).await?;
        Ok(peer)
    }

    /// Closes every connection with a peer.
    ///
    /// # Errors
    /// If there is none.
    pub async fn hang_up(&self, peer: PeerId) -> Outcome {
        self.ask(|done| Ask::HangUp(peer, done)).await
    }

    /// Waits until this peer is connected and listens to the topic.
    ///
    /// # Errors
    /// If it does not within the time.
    pub async fn listened_to_by(&self, peer: &PeerId) -> Outcome {
        self.until("a listener", |heard| {
            heard.listeners.contains(peer).then_some(())
        })
        .await
    }

    /// Waits until what was heard has something.
    ///
    /// # Errors
    /// If it does not within the time.
    pub async fn until<T>(
        &self,
        what: &str,
        mut has: impl FnMut(&Heard) -> Option<T>,
    ) -> Outcome<T> {
        let mut heard = self.heard.clone();
        let mut found = None;
        let waited = timeout(
            PATIENCE,
            heard.wait_for(|heard| {
                found = has(heard);
                found.is_some()
            }),
        )
        .await;
        let held = matches!(waited, Ok(Ok(_)));
        drop(waited);
        found
            .filter(|_| held)
            .ok_or_else(|| Trouble::new(format!("waited in vain for {what}")))
    }

    /// What was heard so far.
    #[must_use]
    pub fn heard(&self) -> Heard {
        self.heard.borrow().clone()
    }

    /// Says these bytes by gossip to everyone who listens.
    ///
    /// # Errors
    /// If nobody does.
    pub async fn publish(&self, bytes: Vec<u8>) -> Outcome {
        self.ask(|done| Ask::Publish(bytes, done)).await
    }

    /// Opens a stream, writes these bytes, closes its own half, and reads what comes back.
    ///
    /// # Errors
    /// If the other side gives no answer; the text says how the stream ended.
    pub async fn say(&self, channel: Channel, peer: PeerId, bytes: Vec<u8>) -> Outcome<Vec<u8>> {
        self.ask(|done| Ask::Say(channel, peer, bytes, done)).await
    }

    /// From now on answers whispers so.
    ///
    /// # Errors
    /// If the peer has ended.
    pub async fn answer(&self, answering: Answering) -> Outcome {
        self.asks
            .send(Ask::Answer(answering))
            .await
            .map_err(|_| ended())
    }

    async fn ask<T>(&self, ask: impl FnOnce(Done<T>) -> Ask) -> Outcome<T> {
        let (done, told) = oneshot::channel();
        self.asks.send(ask(done)).await.map_err(|_| ended())?;
        let told = timeout(PATIENCE, told).await?.map_err(|_| ended())?;
        told.map_err(Trouble::new)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn ended() -> Trouble {
    Trouble::new("the test's own peer has ended")
}

fn trouble(error: impl core::fmt::Display) -> Trouble {
    Trouble::new(error.to_string())
}

#[derive(NetworkBehaviour)]
struct Behaviour {
    gossip: gossipsub::Behaviour,
    identify: identify::Behaviour,
    /// So that a peer that takes this one for a relay gets its place.
    relay: relay::Behaviour,
    whisper: request_response::Behaviour<Bytes>,
    book: request_response::Behaviour<Bytes>,
}

fn swarm(keys: Keypair) -> Outcome<Swarm<Behaviour>> {
    let swarm = SwarmBuilder::with_existing_identity(keys)
        .with_tokio()
        .with_tcp(
            tcp::Config::default().nodelay(true),
            noise::Config::new,
            yamux::Config::default,
        )
        .map_err(trouble)?
        .with_behaviour(|keys| {
            let config = gossipsub::ConfigBuilder::default()
                .max_transmit_size(GOSSIP_MAX)
                // By all bytes; the library's own way would take all messages without an author for one.
                .message_id_fn(|message| {
                    gossipsub::MessageId::from(Sha256::digest(&message.data).to_vec())
                })
                .heartbeat_initial_delay(Duration::from_millis(100))
                .validation_mode(gossipsub::ValidationMode::Anonymous)
                .build()?;
            let mut gossip =
                gossipsub::Behaviour::new(gossipsub::MessageAuthenticity::Anonymous, config)?;
            gossip.subscribe(&gossipsub::IdentTopic::new(TOPIC_INTENTS))?;
            let about = identify::Config::new(PROTOCOL_IDENTIFY.to_owned(), keys.public());
            let channel = |name: &'static str| {
                request_response::Behaviour::with_codec(
                    Bytes,
                    [(StreamProtocol::new(name), ProtocolSupport::Full)],
                    request_response::Config::default().with_request_timeout(PATIENCE),
                )
            };
            Ok(Behaviour {
                gossip,
                identify: identify::Behaviour::new(about),
                relay: relay::Behaviour::new(keys.public().to_peer_id(), relay::Config::default()),
                whisper: channel(PROTOCOL_WHISPER),
                book: channel(PROTOCOL_BOOK),
            })
        })
        .map_err(trouble)?
        .with_swarm_config(|config| config.with_idle_connection_timeout(PATIENCE * 20))
        .build();
    Ok(swarm)
}

// The library's events are not ours to list; those that matter to no test pass.
#[allow(clippy::wildcard_enum_match_arm)]
async fn run(
    mut swarm: Swarm<Behaviour>,
    mut asks: mpsc::Receiver<Ask>,
    tell: watch::Sender<Heard>,
) {
    let mut waiting: BTreeMap<(Channel, OutboundRequestId), Done<Vec<u8>>> = BTreeMap::new();
    let mut answering: Answering = Box::new(|_| b"\x01not-kept".to_vec());
    loop {
        tokio::select! {
            ask = asks.recv() => match ask {
                None => return,
                Some(Ask::Answer(new)) => answering = new,
                Some(Ask::Dial(address, done)) => {
                    drop(done.send(swarm.dial(address).map_err(|error| error.to_string())));
                }
                Some(Ask::HangUp(peer, done)) => {
                    let hung_up = swarm.disconnect_peer_id(peer);
                    drop(done.send(hung_up.map_err(|()| "not connected".to_owned())));
                }
                Some(Ask::Publish(bytes, done)) => {
                    let topic = gossipsub::IdentTopic::new(TOPIC_INTENTS);
                    let said = swarm.behaviour_mut().gossip.publish(topic, bytes);
                    drop(done.send(said.map(drop).map_err(|error| error.to_string())));
                }
                Some(Ask::Say(channel, peer, bytes, done)) => {
                    let behaviour = match channel {
                        Channel::Whisper => &mut swarm.behaviour_mut().whisper,
                        Channel::Book => &mut swarm.behaviour_mut().book,
                    };
                    let id = behaviour.send_request(&peer, bytes);
                    waiting.insert((channel, id), done);
                }
            },
            event = swarm.select_next_some() => match event {
                SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => hear(&tell, event),
                SwarmEvent::Behaviour(BehaviourEvent::Whisper(event)) => {
                    if let Some((bytes, channel)) = settle(Channel::Whisper, event, &mut waiting) {
                        let answer = answering(&bytes);
                        tell.send_modify(|heard| heard.whispers.push(bytes));
                        drop(swarm.behaviour_mut().whisper.send_response(channel, answer));
                    }
                }
                SwarmEvent::Behaviour(BehaviourEvent::Book(event)) => {
                    // A book that knows nothing: a map with cursor, more = 0 and no frames.
                    if let Some((_, channel)) = settle(Channel::Book, event, &mut waiting) {
                        let nothing = [0xa3, 2, 0x82, 1, 0, 4, 0, 6, 0x80];
                        let answer = [&9u32.to_be_bytes()[..], &nothing].concat();
                        drop(swarm.behaviour_mut().book.send_response(channel, answer));
                    }
                }
                _ => {}
            },
        }
    }
}

fn hear(tell: &watch::Sender<Heard>, event: gossipsub::Event) {
    tell.send_modify(|heard| match event {
        gossipsub::Event::Message { message, .. } => heard.gossip.push(message.data),
        gossipsub::Event::Subscribed { peer_id, .. } => heard.listeners.push(peer_id),
        gossipsub::Event::Unsubscribed { peer_id, .. } => {
            heard.listeners.retain(|known| *known != peer_id);
        }
        gossipsub::Event::GossipsubNotSupported { .. } | gossipsub::Event::SlowPeer { .. } => {}
    });
}

/// Hands an answer to the one who waits for it, and gives back a question with the way to answer it.
fn settle(
    channel: Channel,
    event: request_response::Event<Vec<u8>, Vec<u8>>,
    waiting: &mut BTreeMap<(Channel, OutboundRequestId), Done<Vec<u8>>>,
) -> Option<(Vec<u8>, request_response::ResponseChannel<Vec<u8>>)> {
    use request_response::{Event, Message};
    let (id, told) = match event {
        Event::Message {
            message: Message::Request {
                request, channel, ..
            },
            ..
        } => {
            return Some((request, channel));
        }
        Event::Message {
            message:
                Message::Response {
                    request_id,
                    response,
                },
            ..
        } => (request_id, Ok(response)),
        Event::OutboundFailure {
            request_id, error, ..
        } => (request_id, Err(error.to_string())),
        Event::InboundFailure { .. } | Event::ResponseSent { .. } => return None,
    };
    if let Some(done) = waiting.remove(&(channel, id)) {
        drop(done.send(told));
    }
    None
}

/// Bytes as they are, each side closing its half behind them.
#[derive(Clone, Copy, Debug)]
struct Bytes;

impl request_response::Codec for Bytes {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut bytes = Vec::new();
        io.take(ANSWER_MAX).read_to_end(&mut bytes).await?;
        Ok(bytes)
    }

    async fn read_response<T>(&mut self, name: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        self.read_request(name, io).await
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        io.write_all(&bytes).await?;
        io.close().await
    }

    async fn write_response<T>(
        &mut self,
        name: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        self.write_request(name, io, bytes).await
    }
}
