//! The relay's one loop: it owns the swarm and the book, and nothing else touches them.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use haggle_book::{Book, Source};
use haggle_net::mint::Asked;
use haggle_net::{addr, book, gossip, kad};
use haggle_protocol::mint::Answer;
use haggle_protocol::{FrameId, Network, Refusal, Verdict};
use libp2p::core::Endpoint;
use libp2p::gossipsub::{self, MessageAcceptance};
use libp2p::kad::{Event as KadEvent, InboundRequest};
use libp2p::metrics::Recorder as _;
use libp2p::request_response::{self, InboundRequestId, Message};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError, ListenError, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, identify, ping, relay};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::behaviour::{Behaviour, BehaviourEvent, is_relay, short};
use crate::clock;
use crate::fellows::Fellows;
use crate::limits::{Reservations, TooManyFromOnePlace, Who};
use crate::metrics::{Code, FrameLabels};
use crate::mint::{Carried, Mint};
use crate::places::Places;
use crate::state::State;

/// The loop turns at least this often: for health, for what expires, for relays to be dialled again.
const TICK: Duration = Duration::from_secs(1);
/// Addresses of another relay that Kademlia is told.
const KAD_ADDRESSES: usize = 4;
/// Memory of answers that are being sent, in bytes: slow readers must not hold more than this together.
const ANSWERING_MAX: usize = 32 << 20;
/// Frames of one answer that are worth a word in gossip: after a long split the rest is asked for by whoever misses it.
const NEWS_MAX: usize = 64;

/// The loop.
pub(crate) struct Work {
    pub(crate) swarm: Swarm<Behaviour>,
    pub(crate) book: Book,
    /// Whether the book is read to who asks.
    pub(crate) serves_book: bool,
    pub(crate) network: Network,
    pub(crate) rates: book::Rates,
    /// What is being sent to whom asked the book.
    pub(crate) answering: BTreeMap<InboundRequestId, usize>,
    pub(crate) reservations: Reservations,
    pub(crate) fellows: Fellows,
    pub(crate) state: Arc<State>,
    /// Whether other relays on loopback are told to Kademlia: only on loopback ourselves.
    pub(crate) is_local: bool,
    /// The operator's mint, if there is one.
    pub(crate) mint: Mint,
    /// Where else it can be asked.
    pub(crate) places: Option<Places>,
}

impl Work {
    /// Works until told to stop.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stop.changed() => break,
                event = self.swarm.select_next_some() => self.on_event(event),
                carried = self.mint.next() => self.on_carried(carried),
                _ = ticks.tick() => self.on_tick(),
            }
            self.state.turn();
        }
        self.state.set_ready(false);
        // Those who are connected are told, so that they need not wait for a timeout.
        let peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let _ = tokio::time::timeout(TICK, async {
            while self.swarm.connected_peers().next().is_some() {
                let _ = self.swarm.next().await;
            }
        })
        .await;
    }

    fn on_tick(&mut self) {
        let (now, instant) = (clock::now(), clock::instant());
        self.book.expire(now);
        for (peer, addresses) in self.fellows.due_dials(instant, rand::random()) {
            let options = DialOpts::peer_id(peer)
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .addresses(addresses)
                .build();
            if let Err(error) = self.swarm.dial(options) {
                tracing::debug!(relay = short(&peer), %error, "another relay was not dialled");
            }
        }
        for (peer, request) in self.fellows.due_questions(instant, self.book.is_empty()) {
            self.ask(peer, request);
        }
        self.take_places(instant);
        self.measure();
    }

    /// Asks the other relays that are there for places, as far as that is due.
    fn take_places(&mut self, now: Instant) {
        let Some(places) = &mut self.places else {
            return;
        };
        let fellows = &self.fellows;
        for (relay, address) in places.due(now, |relay| fellows.is_connected(relay)) {
            let listener = self.swarm.listen_on(address);
            if let Err(error) = &listener {
                tracing::debug!(relay = short(&relay), %error, "no place was asked for");
            }
            places.asked(&relay, listener.ok(), now);
        }
    }

    fn measure(&self) {
        let gauge = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let metrics = &self.state.metrics;
        metrics.book_frames.set(gauge(self.book.len()));
        metrics.book_bytes.set(gauge(self.book.bytes()));
        metrics.book_work.set(self.book.work_asked().into());
        metrics.reservations.set(gauge(self.reservations.count()));
        metrics
            .relays_connected
            .set(gauge(self.fellows.connected()));
        let counters = self.swarm.network_info();
        let counters = counters.connection_counters();
        metrics.connections.set(counters.num_established().into());
    }

    // The library's events are not ours to list; those that concern nobody here pass.
    #[allow(clippy::wildcard_enum_match_arm)]
    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        // Candidates for external addresses are a stranger's word, and would become labels.
        if !matches!(
            event,
            SwarmEvent::NewExternalAddrCandidate { .. } | SwarmEvent::NewExternalAddrOfPeer { .. }
        ) {
            self.state.metrics.libp2p.record(&event);
        }
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::ConnectionEstablished {
                peer_id,
                num_established: NonZeroU32::MIN,
                endpoint,
                ..
            } => self.on_connected(peer_id, endpoint.to_endpoint()),
            SwarmEvent::ConnectionClosed {
                peer_id,
                num_established: 0,
                ..
            } => {
                self.reservations.release(&peer_id);
                self.fellows
                    .on_disconnected(&peer_id, clock::instant(), rand::random());
            }
            SwarmEvent::IncomingConnectionError { error, .. } => self.on_denied(&error),
            SwarmEvent::OutgoingConnectionError {
                peer_id: Some(peer),
                error,
                ..
            } => self.on_dial_failed(&peer, &error),
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "a listener has a problem");
            }
            // The way through another relay: it is told to nobody, since who hides tries it at the relays that he knows.
            SwarmEvent::ExternalAddrConfirmed { address } if addr::is_relayed(&address) => {
                self.swarm.remove_external_address(&address);
            }
            SwarmEvent::ListenerClosed { listener_id, .. }
                if self
                    .places
                    .as_mut()
                    .is_some_and(|places| places.closed(listener_id, clock::instant())) => {}
            SwarmEvent::ListenerClosed { .. } => {
                self.state.set_ready(false);
                tracing::error!("a listener has closed; restart the relay");
            }
            _ => {}
        }
    }

    fn on_connected(&mut self, peer: PeerId, endpoint: Endpoint) {
        if !self.fellows.contains(&peer) {
            return;
        }
        tracing::info!(
            dialled = endpoint.is_dialer(),
            "connected with another relay"
        );
        self.fellows.on_connected(&peer, clock::instant());
        // Not an explicit peer: two explicit peers never mesh, so if only one of them were configured to know the other, frames
        // would flow one way. The score keeps it in the mesh, and the mesh always holds some whom we dialled.
        self.swarm
            .behaviour_mut()
            .gossip
            .set_application_score(&peer, gossip::KNOWN_RELAY_SCORE);
    }

    fn on_denied(&self, error: &ListenError) {
        let ListenError::Denied { cause } = error else {
            return;
        };
        let code = if cause.downcast_ref::<TooManyFromOnePlace>().is_some() {
            "one-address"
        } else {
            "total"
        };
        self.state
            .metrics
            .connections_denied
            .get_or_create(&Code { code })
            .inc();
    }

    fn on_dial_failed(&self, peer: &PeerId, error: &DialError) {
        if self.fellows.contains(peer) {
            tracing::debug!(relay = short(peer), %error, "another relay could not be reached");
        }
    }

    #[allow(clippy::wildcard_enum_match_arm)]
    fn on_behaviour(&mut self, event: BehaviourEvent) {
        let metrics = &self.state.metrics;
        match event {
            BehaviourEvent::Gossip(event) => {
                metrics.libp2p.record(&event);
                if let gossipsub::Event::Message {
                    propagation_source,
                    message_id,
                    message,
                } = event
                {
                    self.on_gossip(&propagation_source, &message_id, &message.data);
                }
            }
            BehaviourEvent::Book(event) => self.on_book(event),
            BehaviourEvent::Mint(event) => self.on_mint(event),
            BehaviourEvent::Reached(relay::client::Event::ReservationReqAccepted {
                relay_peer_id,
                renewal: false,
                ..
            }) => {
                let relay = short(&relay_peer_id);
                tracing::info!(relay, "the mint can be asked through another relay");
            }
            BehaviourEvent::Relay(event) => {
                metrics.libp2p.record(&event);
                self.on_relay(event);
            }
            BehaviourEvent::Kad(event) => {
                metrics.libp2p.record(&event);
                if let KadEvent::InboundRequest {
                    request:
                        InboundRequest::AddProvider {
                            record: Some(record),
                        },
                } = event
                {
                    kad::admit(&mut self.swarm.behaviour_mut().kad.0, record, self.network);
                }
            }
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.on_identified(peer_id, &info);
            }
            BehaviourEvent::Ping(event) => {
                metrics.libp2p.record(&event);
                self.on_ping(&event);
            }
            _ => {}
        }
    }

    fn on_gossip(&mut self, from: &PeerId, id: &gossipsub::MessageId, frame: &[u8]) {
        let source = Source::Peer(addr::source_key(from));
        let entered = self.book.enter(frame, source, clock::now()).map(|_| ());
        self.count("gossip", entered);
        let acceptance = match entered {
            Ok(()) => MessageAcceptance::Accept,
            Err(refusal) => gossip::acceptance(refusal.verdict()),
        };
        self.swarm
            .behaviour_mut()
            .gossip
            .report_message_validation_result(id, from, acceptance);
    }

    fn count(&self, source: &'static str, entered: Result<(), Refusal>) {
        let metrics = &self.state.metrics;
        let verdict = match entered {
            Ok(()) => Verdict::Accept,
            Err(refusal) => {
                let code = refusal.code();
                metrics.refusals.get_or_create(&Code { code }).inc();
                refusal.verdict()
            }
        };
        let verdict = match verdict {
            Verdict::Accept => "accept",
            Verdict::Ignore => "ignore",
            Verdict::Reject => "reject",
        };
        metrics
            .frames
            .get_or_create(&FrameLabels { source, verdict })
            .inc();
    }

    #[allow(clippy::wildcard_enum_match_arm)]
    fn on_book(&mut self, event: request_response::Event<book::Request, book::Response>) {
        match event {
            request_response::Event::Message { peer, message, .. } => match message {
                Message::Request {
                    request_id,
                    request,
                    channel,
                } => {
                    let response = self.answer(peer, &request);
                    self.answering.insert(request_id, response.weight());
                    let book = &mut self.swarm.behaviour_mut().book;
                    // If the asker has gone, so has his question.
                    if book.send_response(channel, response).is_err() {
                        self.answering.remove(&request_id);
                    }
                }
                Message::Response {
                    request_id,
                    response,
                } => {
                    let book = &self.book;
                    let learnt = self.fellows.on_answer(&peer, request_id, response, || {
                        let (ids, ..) = book.ids(None, usize::MAX);
                        ids.into_iter().collect::<BTreeSet<FrameId>>()
                    });
                    self.take_up(peer, learnt.frames, learnt.is_news);
                    if let Some(request) = learnt.ask {
                        self.ask(peer, request);
                    }
                }
            },
            request_response::Event::OutboundFailure {
                peer,
                request_id,
                error,
                ..
            } => {
                tracing::debug!(relay = short(&peer), %error, "a book was not read");
                self.fellows.on_failure(&peer, request_id);
            }
            request_response::Event::InboundFailure { request_id, .. } => {
                self.answering.remove(&request_id);
                self.count_answer("failed");
            }
            request_response::Event::ResponseSent { request_id, .. } => {
                self.answering.remove(&request_id);
            }
        }
    }

    fn answer(&mut self, peer: PeerId, request: &book::Request) -> book::Response {
        let response = if !self.rates.allow(peer, clock::now()) {
            book::Response::refused(book::TOO_OFTEN)
        } else if !self.serves_book {
            book::Response::refused(book::CLOSED)
        } else if self.answering.values().sum::<usize>() >= ANSWERING_MAX {
            book::Response::refused(book::BUSY)
        } else {
            book::answer(&self.book, self.network, request).with_notice(self.notice_for(&peer))
        };
        self.count_answer(match &response {
            book::Response::Frames { .. } => "frames",
            book::Response::Ids { .. } => "ids",
            book::Response::Refused(code) if code.as_str() == book::TOO_OFTEN => book::TOO_OFTEN,
            book::Response::Refused(code) if code.as_str() == book::BUSY => book::BUSY,
            book::Response::Refused(_) => "refused",
        });
        response
    }

    /// What a relay says of itself to a peer: how many others are here, and what time it is.
    fn notice_for(&self, asker: &PeerId) -> book::Notice {
        let is_other = |peer: &&PeerId| *peer != asker && !self.fellows.contains(peer);
        let others = self.swarm.connected_peers().filter(is_other).count();
        book::Notice {
            others: u32::try_from(others).ok(),
            now: Some(clock::now()),
        }
    }

    fn count_answer(&self, code: &'static str) {
        let requests = &self.state.metrics.book_requests;
        requests.get_or_create(&Code { code }).inc();
    }

    fn on_mint(&mut self, event: request_response::Event<Asked, Answer>) {
        match event {
            request_response::Event::Message {
                peer,
                connection_id,
                message:
                    Message::Request {
                        request_id,
                        request,
                        channel,
                    },
            } => {
                let place = self.swarm.behaviour().places.place(connection_id);
                let who = place.unwrap_or(Who::Peer(peer));
                let carry = self
                    .mint
                    .carry(who, request_id, request, channel, clock::instant());
                if let Err((why, channel)) = carry {
                    let answer = Answer::Refused(why);
                    self.on_carried(Carried { channel, answer });
                }
            }
            request_response::Event::InboundFailure { request_id, .. } => {
                self.mint.over(&request_id);
                self.count_mint("failed");
            }
            request_response::Event::ResponseSent { request_id, .. } => {
                self.mint.over(&request_id);
            }
            // Nothing is asked from here.
            request_response::Event::Message {
                message: Message::Response { .. },
                ..
            }
            | request_response::Event::OutboundFailure { .. } => {}
        }
    }

    fn on_carried(&mut self, Carried { channel, answer }: Carried) {
        self.count_mint(match &answer {
            Answer::Said { .. } => "said",
            Answer::Refused(why) => why.code(),
        });
        if let Some(mint) = self.swarm.behaviour_mut().mint.as_mut() {
            // If whoever asked has gone, that is heard as a failure.
            let _ = mint.send_response(channel, answer);
        }
    }

    fn count_mint(&self, code: &'static str) {
        let requests = &self.state.metrics.mint_requests;
        requests.get_or_create(&Code { code }).inc();
    }

    fn ask(&mut self, peer: PeerId, request: book::Request) {
        let behaviour = self.swarm.behaviour_mut();
        let asked = behaviour.book.send_request(&peer, request.clone());
        self.fellows.asked(&peer, asked, &request);
    }

    fn take_up(&mut self, from: PeerId, frames: Vec<Vec<u8>>, is_news: bool) {
        let source = Source::Book(addr::source_key(&from));
        let mut news = 0;
        for frame in frames {
            let entered = self.book.enter(&frame, source, clock::now()).map(|_| ());
            self.count("book", entered);
            if entered.is_ok() && is_news && news < NEWS_MAX {
                news += 1;
                let gossip = &mut self.swarm.behaviour_mut().gossip;
                // Whoever knows it already, or is not there, need not hear it.
                let _ = gossip.publish(gossip::topic_hash(), frame);
            }
        }
    }

    // Events that the library is about to drop are among these.
    #[allow(clippy::wildcard_enum_match_arm)]
    fn on_relay(&self, event: relay::Event) {
        let metrics = &self.state.metrics;
        match event {
            relay::Event::ReservationReqDenied { .. } => {
                metrics.reservations_denied.inc();
            }
            relay::Event::ReservationTimedOut { src_peer_id } => {
                self.reservations.release(&src_peer_id);
            }
            relay::Event::CircuitReqDenied { .. } => {
                metrics.circuits_denied.inc();
            }
            relay::Event::CircuitReqAccepted { .. } => {
                metrics.circuits.inc();
            }
            relay::Event::CircuitClosed { .. } => {
                metrics.circuits.dec();
            }
            _ => {}
        }
    }

    fn on_identified(&mut self, peer: PeerId, info: &identify::Info) {
        if !is_relay(info) {
            return;
        }
        let is_local = self.is_local;
        let usable = |address: &&Multiaddr| {
            !addr::is_relayed(address) && (is_local || !addr::is_loopback(address))
        };
        let kad = &mut self.swarm.behaviour_mut().kad.0;
        for address in info.listen_addrs.iter().filter(usable).take(KAD_ADDRESSES) {
            kad.add_address(&peer, address.clone());
        }
        // Somebody to tell it to: at the start there was nobody.
        if let Err(error) = kad.start_providing(kad::book_key(self.network)) {
            tracing::debug!(?error, "the book was not announced");
        }
    }

    fn on_ping(&mut self, event: &ping::Event) {
        let dead: Option<ConnectionId> = match &event.result {
            Err(ping::Failure::Timeout | ping::Failure::Other { .. }) => Some(event.connection),
            Ok(_) | Err(ping::Failure::Unsupported) => None,
        };
        if let Some(connection) = dead {
            self.swarm.close_connection(connection);
        }
    }
}
