//! What the network says: connections to relays and their places, further relays through Kademlia, books, whispers.

use std::collections::BTreeSet;
use std::num::NonZeroU8;
use std::time::Duration;

use haggle_book::Source;
use haggle_market::input::Heard;
use haggle_market::{Input, record};
use haggle_net::addr::{is_relayed_endpoint, key_of, may_dial};
use haggle_net::book::{self, Request, Response};
use haggle_net::whisper::{self, Code, PieceBytes};
use haggle_net::{RelayAddr, gossip, kad};
use haggle_protocol::attachment::Piece;
use haggle_protocol::names::{PROTOCOL_BOOK, PROTOCOL_KAD};
use haggle_protocol::reach::Circuit;
use haggle_protocol::{MessageId, Refusal};
use haggle_store::Write;
use haggle_webrtc::addr::{is_webrtc, webrtc_through};
use libp2p::core::transport::TransportError;
use libp2p::kad::{Event as KadEvent, GetClosestPeersOk, GetProvidersOk, QueryResult};
use libp2p::multiaddr::Protocol;
use libp2p::request_response::{Event as Exchange, Message, ResponseChannel};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError, ListenError, SwarmEvent};
use libp2p::{Multiaddr, PeerId, StreamProtocol, gossipsub, identify, ping, relay};

use crate::behaviour::BehaviourEvent;
use crate::clock::{self, Instant};
use crate::config::{RELAYS, hide};
use crate::event::TraderView;
use crate::paths::{Choice, Lines, Path};
use crate::peer::{Peer, complaint, jitter};
use crate::perform::About;
use crate::relays::Step;
use crate::swarm::{DIRECT, can_dial};
use crate::whispers::{Attempt, Go, Matter};

/// While there are too few relays, further ones are looked for after this long, then after twice as long, …
const LOOK_FIRST: Duration = Duration::from_secs(2);
/// … up to this: a network of one relay is not asked for a second one all the time.
const LOOK_LAST: Duration = Duration::from_secs(60);
/// Providers whose addresses are waited for, and peers that told of themselves before it was known what they are.
pub(crate) const PROVIDERS_MAX: usize = 16;
/// A new neighbour is offered what was said before at most this often, unless it is the only one: relays that were
/// started together come together.
const OFFER_AGAIN: Duration = Duration::from_secs(60);
/// Addresses of a relay that are dialed at the same time.
const ONE: NonZeroU8 = NonZeroU8::MIN;
/// Browsers whose books are read, beside those of relays.
const KEEPERS_MAX: usize = 16;
/// Addresses that are looked at of those that a peer says it listens on.
const LISTENING_MAX: usize = 16;
/// Relays that only strangers named, dialed in one minute at most.
const STRANGERS_A_MINUTE: u32 = 2;

impl Peer {
    /// One event of the swarm.
    ///
    /// # Errors
    /// If something could not be saved.
    // The swarm has events beside these that nothing here depends on.
    #[allow(clippy::wildcard_enum_match_arm)]
    pub(crate) async fn on_swarm(
        &mut self,
        event: SwarmEvent<BehaviourEvent>,
    ) -> Result<(), haggle_store::Error> {
        match event {
            SwarmEvent::Behaviour(event) => return self.on_behaviour(event).await,
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => {
                self.paths
                    .on_dialed(&peer_id, connection_id, true, clock::instant());
                self.mints.dialed(connection_id, true);
                if !is_relayed_endpoint(&endpoint) && self.swarm.behaviour().kad.keeps_off(&peer_id)
                {
                    // It was being dialed when its mint was asked for.
                    let _ = self.swarm.close_connection(connection_id);
                }
                if is_webrtc(endpoint.get_remote_address()) {
                    self.on_browser(peer_id, connection_id);
                }
                if !is_relayed_endpoint(&endpoint) {
                    self.on_direct(&peer_id);
                }
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => {
                self.direct.remove(&connection_id);
                if !self.swarm.behaviour().carried.sees(&peer_id) {
                    self.mints.closed(&peer_id);
                }
                if !is_relayed_endpoint(&endpoint) {
                    self.on_gone(&peer_id);
                }
            }
            SwarmEvent::OutgoingConnectionError {
                peer_id: Some(peer),
                connection_id,
                error,
            } => {
                let ours = self
                    .paths
                    .on_dialed(&peer, connection_id, false, clock::instant());
                self.mints.dialed(connection_id, false);
                if !ours {
                    self.on_dial_error(&peer, &error);
                }
            }
            SwarmEvent::IncomingConnectionError {
                error: ListenError::Transport(TransportError::Other(error)),
                ..
            } => self.on_refused_offer(&error),
            SwarmEvent::NewListenAddr { .. } => self.tend = true,
            SwarmEvent::ListenerClosed { listener_id, .. } => {
                if self
                    .relays
                    .on_listener_closed(listener_id, clock::instant())
                {
                    self.tell_reach();
                }
                self.tend = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn on_direct(&mut self, peer: &PeerId) {
        if self.relays.is_known(peer) {
            self.relays.on_connected(peer);
            self.swarm
                .behaviour_mut()
                .gossip
                .set_application_score(peer, gossip::KNOWN_RELAY_SCORE);
        }
        self.tend = true;
    }

    fn on_gone(&mut self, peer: &PeerId) {
        if self.swarm.behaviour().gossip.sees(peer) {
            return;
        }
        let now = clock::instant();
        self.identified.remove(peer);
        self.keepers.remove(peer);
        self.relays.on_disconnected(peer, now, jitter());
        self.sync.on_disconnected(peer, now);
        self.tell_reach();
        self.look_soon();
        self.tend = true;
    }

    /// Relays have come or gone: looks for further ones at once, if there are too few.
    fn look_soon(&mut self) {
        if self.relays.too_few() {
            self.looks = 0;
            self.look_at = clock::instant();
        }
    }

    fn on_dial_error(&mut self, peer: &PeerId, error: &DialError) {
        if matches!(error, DialError::DialPeerConditionFalse(_)) {
            // Somebody else is dialing it already, and what comes of that is heard too.
            return;
        }
        let now = clock::instant();
        self.relays
            .on_dial_failed(peer, reason_of(error), now, jitter());
        self.tend = true;
    }

    async fn on_behaviour(&mut self, event: BehaviourEvent) -> Result<(), haggle_store::Error> {
        match event {
            BehaviourEvent::Gossip(event) => self.on_gossip(event).await,
            BehaviourEvent::Book(event) => {
                self.on_book(event);
                Ok(())
            }
            BehaviourEvent::Whisper(event) => self.on_whisper(event, Path::Direct).await,
            BehaviourEvent::Carried(event) => self.on_whisper(event, Path::Relayed).await,
            BehaviourEvent::Webrtc(haggle_webrtc::Event::Refused { why, .. }) => {
                self.count(why.code());
                Ok(())
            }
            // What a later version may tell.
            BehaviourEvent::Webrtc(_) => Ok(()),
            BehaviourEvent::Identify(event) => self.on_identify(event).await,
            BehaviourEvent::Mint(event) => {
                self.on_mint(event);
                Ok(())
            }
            BehaviourEvent::Kad(event) => self.on_kad(event).await,
            BehaviourEvent::Relay(event) => {
                self.on_relay(&event);
                Ok(())
            }
            BehaviourEvent::Ping(ping::Event {
                connection,
                result: Err(ping::Failure::Timeout | ping::Failure::Other { .. }),
                ..
            }) => {
                // Twice without an answer: the line is dead, and nobody else would say so for minutes.
                let _ = self.swarm.close_connection(connection);
                Ok(())
            }
            BehaviourEvent::Ping(_) => Ok(()),
        }
    }

    async fn on_gossip(&mut self, event: gossipsub::Event) -> Result<(), haggle_store::Error> {
        match event {
            gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            } => {
                let source = source_of(&propagation_source, Source::Peer);
                let bytes = message.data;
                let input = Input::Heard(Heard::Frame { bytes, source });
                let about = About::Gossip(message_id, propagation_source);
                self.handle(input, about).await?;
            }
            gossipsub::Event::Subscribed { .. } => {
                let now = clock::instant();
                let alone = self.neighbours() == 1;
                if alone || now.saturating_duration_since(self.offered) >= OFFER_AGAIN {
                    self.offered = now;
                    self.said.offer_again();
                }
                self.say();
                self.tend = true;
            }
            gossipsub::Event::Unsubscribed { .. } => self.tend = true,
            gossipsub::Event::GossipsubNotSupported { .. } | gossipsub::Event::SlowPeer { .. } => {}
        }
        Ok(())
    }

    /// Peers with whom public frames are exchanged.
    pub(crate) fn neighbours(&self) -> usize {
        let topic = gossip::topic_hash();
        self.swarm
            .behaviour()
            .gossip
            .all_peers()
            .filter(|(_, topics)| topics.contains(&&topic))
            .count()
    }

    async fn on_identify(&mut self, event: identify::Event) -> Result<(), haggle_store::Error> {
        let identify::Event::Received { peer_id, info, .. } = event else {
            return Ok(());
        };
        if !self.swarm.behaviour().gossip.sees(&peer_id) {
            return Ok(());
        }
        let protocols = info.protocols;
        let listening = info.listen_addrs.into_iter().take(LISTENING_MAX).collect();
        if self.relays.is_known(&peer_id) {
            return self
                .on_relay_identified(peer_id, protocols, listening)
                .await;
        }
        let keeps_a_book = protocols.iter().any(|p| p.as_ref() == PROTOCOL_BOOK);
        let is_browser = self.direct.values().any(|known| *known == peer_id);
        if is_browser && keeps_a_book && self.keepers.len() < KEEPERS_MAX {
            self.keepers.insert(peer_id);
            self.tend = true;
            return Ok(());
        }
        // Kademlia connects on its own way to whom it asks; that this one keeps a book may be told only later.
        if self.identified.len() < PROVIDERS_MAX {
            self.identified.insert(peer_id, (protocols, listening));
        }
        self.adopt(peer_id, Vec::new()).await
    }

    /// Takes up a relay that Kademlia told of, if it did and somewhere to dial it is known.
    async fn adopt(
        &mut self,
        peer: PeerId,
        addresses: Vec<Multiaddr>,
    ) -> Result<(), haggle_store::Error> {
        if !self.providers.contains(&peer) {
            return Ok(());
        }
        let identified = self.identified.get(&peer).cloned();
        let listening = identified.iter().flat_map(|(_, listening)| listening);
        let addresses = addresses.into_iter().chain(listening.cloned());
        self.relays.found(peer, addresses);
        if !self.relays.is_known(&peer) {
            return Ok(());
        }
        self.providers.remove(&peer);
        self.identified.remove(&peer);
        self.tend = true;
        if self.swarm.behaviour().gossip.sees(&peer) {
            self.on_direct(&peer);
            if let Some((protocols, listening)) = identified {
                return self.on_relay_identified(peer, protocols, listening).await;
            }
        }
        Ok(())
    }

    async fn on_relay_identified(
        &mut self,
        peer: PeerId,
        protocols: Vec<StreamProtocol>,
        listening: Vec<Multiaddr>,
    ) -> Result<(), haggle_store::Error> {
        let changed = self.relays.on_identified(&peer, &protocols, &listening);
        let speaks_kad = protocols.iter().any(|p| p.as_ref() == PROTOCOL_KAD);
        if speaks_kad && let Some(address) = self.relays.address(&peer) {
            let address = address.address().clone();
            let _ = self.swarm.behaviour_mut().kad.add_address(&peer, address);
            self.look_soon();
        }
        self.tend = true;
        self.remember_relays(changed).await
    }

    fn on_relay(&mut self, event: &relay::client::Event) {
        match event {
            relay::client::Event::ReservationReqAccepted { relay_peer_id, .. } => {
                if self.relays.on_place(relay_peer_id) {
                    self.tell_reach();
                    self.tend = true;
                }
            }
            relay::client::Event::OutboundCircuitEstablished { .. }
            | relay::client::Event::InboundCircuitEstablished { .. } => {}
        }
    }

    /// Where we can be reached has changed, perhaps.
    fn tell_reach(&mut self) {
        let places = self.relays.places(&self.key);
        if places != self.reach {
            self.reach.clone_from(&places);
            self.own.push_back(Input::Heard(Heard::Reachable(places)));
        }
    }

    /// Dials relays and asks them for places, as far as that is due.
    pub(crate) fn tend_relays(&mut self) {
        let now = clock::instant();
        for step in self.relays.plan(now) {
            match step {
                Step::Dial(peer, addresses) => {
                    let options = DialOpts::peer_id(peer)
                        .addresses(addresses)
                        // One after another: the first is the most dependable, and a second connection would only be dropped.
                        .override_dial_concurrency_factor(ONE)
                        .condition(PeerCondition::DisconnectedAndNotDialing)
                        .build();
                    if let Err(error) = self.swarm.dial(options) {
                        if self.swarm.behaviour().gossip.sees(&peer) {
                            self.on_direct(&peer);
                        } else {
                            self.on_dial_error(&peer, &error);
                        }
                    }
                }
                Step::Reserve(peer, address) => {
                    let listener = self.swarm.listen_on(address).ok();
                    self.relays.on_asked(&peer, listener, now);
                }
            }
        }
        let here = self.relays.here();
        self.swarm.behaviour_mut().kad.set_here(here);
    }

    /// Asks Kademlia who else keeps a book, as far as that is due.
    pub(crate) fn look_for_relays(&mut self) {
        let now = clock::instant();
        if self.look_at > now || self.relays.connected() == 0 {
            return;
        }
        let wait = if self.relays.too_few() {
            let wait = LOOK_FIRST.saturating_mul(1 << self.looks.min(10));
            self.looks += 1;
            wait.min(LOOK_LAST)
        } else {
            kad::LOOK_AGAIN
        };
        self.look_at = now + wait;
        let key = kad::book_key(self.network);
        let _ = self.swarm.behaviour_mut().kad.get_providers(key);
    }

    // Kademlia has events beside these that nothing here depends on.
    #[allow(clippy::wildcard_enum_match_arm)]
    async fn on_kad(&mut self, event: KadEvent) -> Result<(), haggle_store::Error> {
        let KadEvent::OutboundQueryProgressed { result, .. } = event else {
            return Ok(());
        };
        match result {
            QueryResult::GetProviders(Ok(GetProvidersOk::FoundProviders { providers, .. })) => {
                for provider in providers {
                    let news = provider != *self.swarm.local_peer_id()
                        && !self.relays.is_known(&provider)
                        && self.providers.len() < PROVIDERS_MAX;
                    if news && self.providers.insert(provider) {
                        self.adopt(provider, Vec::new()).await?;
                    }
                    if self.providers.contains(&provider) {
                        // Its addresses come with this query.
                        let kad = &mut self.swarm.behaviour_mut().kad;
                        let _ = kad.get_closest_peers(provider);
                    }
                }
            }
            QueryResult::GetClosestPeers(Ok(GetClosestPeersOk { key, peers })) => {
                for info in peers {
                    self.adopt(info.peer_id, info.addrs).await?;
                }
                // Whoever was not found is asked for again with the next look.
                if let Ok(provider) = PeerId::from_bytes(&key) {
                    self.providers.remove(&provider);
                }
            }
            QueryResult::GetClosestPeers(Err(_)) => self.providers.clear(),
            _ => {}
        }
        Ok(())
    }

    /// Asks connected relays and browsers for what their books hold and ours does not.
    pub(crate) fn read_books(&mut self) {
        if !self.backlog.is_empty() {
            return;
        }
        // Relays first: they hear more. Another browser's book is as good where theirs are closed to us.
        let relays = self.relays.books();
        let books: Vec<PeerId> = relays.chain(self.keepers.iter().copied()).collect();
        for question in self.sync.plan(books, clock::instant()) {
            let request = Request::new(self.network, question.want);
            let book = &mut self.swarm.behaviour_mut().book;
            let id = book.send_request(&question.peer, request);
            self.readings.insert(id, question.number);
        }
    }

    fn on_book(&mut self, event: Exchange<Request, Response>) {
        let now = clock::instant();
        match event {
            Exchange::Message { peer, message, .. } => match message {
                Message::Request {
                    request, channel, ..
                } => {
                    let answer = if self.readers.allow(peer, self.now()) {
                        book::answer(self.market.book(), self.network, &request)
                    } else {
                        Response::refused(book::TOO_OFTEN)
                    };
                    // An error means that it has gone.
                    let _ = self
                        .swarm
                        .behaviour_mut()
                        .book
                        .send_response(channel, answer);
                }
                Message::Response {
                    request_id,
                    response,
                } => {
                    let Some(number) = self.readings.remove(&request_id) else {
                        return;
                    };
                    let market = &self.market;
                    let known = || market.book().ids(None, usize::MAX).0.into_iter().collect();
                    let time = self.now();
                    let brought = self
                        .sync
                        .on_answer(&peer, number, response, known, now, time);
                    if let Some(code) = brought.refused {
                        tracing::debug!(%code, "a relay does not show its book");
                    }
                    let source = source_of(&peer, Source::Book);
                    let room = self.backlog_room();
                    let frames = brought.frames.into_iter().take(room);
                    self.backlog.extend(frames.map(|bytes| (bytes, source)));
                    self.tend = true;
                }
            },
            Exchange::OutboundFailure {
                peer, request_id, ..
            } => {
                if let Some(number) = self.readings.remove(&request_id) {
                    self.sync.on_failed(&peer, number, now);
                    self.tend = true;
                }
            }
            Exchange::InboundFailure { .. } | Exchange::ResponseSent { .. } => {}
        }
    }

    /// Tries what ways there are for cells that wait.
    pub(crate) fn send_whispers(&mut self) {
        if self.whispers.is_idle() {
            return;
        }
        let now = clock::instant();
        let here = self.relays.here();
        let (swarm, relays, strangers) = (&mut self.swarm, &self.relays, &mut self.strangers);
        let paths = &mut self.paths;
        let attempts = self.whispers.plan(now, |peer, way| {
            let behaviour = swarm.behaviour();
            let lines = Lines {
                direct: behaviour.whisper.sees(peer),
                relayed: behaviour.carried.sees(peer),
                may_be_direct: DIRECT && behaviour.webrtc.is_enabled(),
            };
            let path = match paths.choose(peer, lines, now) {
                Choice::Send(path) => return Go::Send(path),
                Choice::Wait => return Go::Wait,
                Choice::GiveUp => return Go::Nowhere,
                Choice::Dial(path) => path,
            };
            let mut address = || {
                let address = may_dial(way, here, |relay| relays.is_known(relay)).ok()?;
                let relay = haggle_net::addr::peer_of(&way.relay)?;
                let circuit = match relays.address(&relay) {
                    Some(known) => through(known, way),
                    None if swarm.is_connected(&relay) => address,
                    None => stranger(strangers, now).then_some(address)?,
                };
                match path {
                    Path::Direct => webrtc_through(&circuit, *peer),
                    Path::Relayed => Some(circuit),
                }
            };
            let Some(address) = address() else {
                return Go::Nowhere;
            };
            // There may be a connection of the other kind, or a dial that makes one.
            let dial = DialOpts::peer_id(*peer)
                .condition(PeerCondition::Always)
                .addresses(vec![address])
                .build();
            paths.on_dialing(*peer, path, dial.connection_id(), now);
            if swarm.dial(dial).is_err() {
                paths.on_refused(*peer, path, now);
            }
            Go::Wait
        });
        for attempt in attempts {
            let Attempt {
                number,
                peer,
                path,
                request,
            } = attempt;
            let behaviour = self.swarm.behaviour_mut();
            let id = match path {
                Path::Direct => behaviour.whisper.send_request(&peer, request),
                Path::Relayed => behaviour.carried.send_request(&peer, request),
            };
            self.sendings.insert((path, id), number);
        }
        for about in self.whispers.undelivered() {
            self.own.push_back(Input::Heard(match about {
                Matter::Message(message) => Heard::Undelivered { message },
                Matter::Piece(piece) => Heard::NoPiece { piece },
            }));
        }
    }

    async fn on_whisper(
        &mut self,
        event: Exchange<whisper::Request, whisper::Answer>,
        path: Path,
    ) -> Result<(), haggle_store::Error> {
        match event {
            Exchange::Message { peer, message, .. } => match message {
                Message::Request {
                    request, channel, ..
                } => {
                    let answer = match request {
                        whisper::Request::Cell(cell) => {
                            *self.private.entry(path).or_default() += 1;
                            if self.whisperers.allow(peer, self.now()) {
                                return self.take_cell(cell.into_bytes(), channel).await;
                            }
                            self.refuse(Refusal::WhisperRate)
                        }
                        whisper::Request::Piece(piece) => self.piece(peer, piece).await?,
                    };
                    // An error means that it has gone.
                    let _ = self
                        .swarm
                        .behaviour_mut()
                        .whisper
                        .send_response(channel, answer);
                    Ok(())
                }
                Message::Response {
                    request_id,
                    response,
                } => {
                    let number = self.sendings.remove(&(path, request_id));
                    match number.and_then(|number| self.whispers.on_answer(number)) {
                        Some(Matter::Message(message)) => {
                            *self.private.entry(path).or_default() += 1;
                            self.on_answered(message, response).await
                        }
                        Some(Matter::Piece(piece)) => self.on_piece(piece, response).await,
                        None => Ok(()),
                    }
                }
            },
            Exchange::OutboundFailure { request_id, .. } => {
                if let Some(number) = self.sendings.remove(&(path, request_id)) {
                    self.whispers.on_failed(number);
                }
                Ok(())
            }
            Exchange::InboundFailure { .. } | Exchange::ResponseSent { .. } => Ok(()),
        }
    }

    async fn take_cell(
        &mut self,
        bytes: Vec<u8>,
        channel: ResponseChannel<whisper::Answer>,
    ) -> Result<(), haggle_store::Error> {
        let ticket = self.ticket();
        let input = Input::Heard(Heard::Cell { bytes, ticket });
        self.handle(input, About::Cell(ticket, Some(channel))).await
    }

    async fn on_answered(
        &mut self,
        message: MessageId,
        answer: whisper::Answer,
    ) -> Result<(), haggle_store::Error> {
        let answer = match answer {
            whisper::Answer::Cell(cell) => Ok(cell.into_bytes()),
            whisper::Answer::Piece(_) => Err(Refusal::NotKept),
            whisper::Answer::Refused(code) => Err(refusal_of(&code)),
        };
        let input = Input::Heard(Heard::Answered { message, answer });
        self.handle(input, About::Nothing).await
    }

    async fn on_piece(
        &mut self,
        piece: Piece,
        answer: whisper::Answer,
    ) -> Result<(), haggle_store::Error> {
        let answer = match answer {
            whisper::Answer::Piece(bytes) => Ok(bytes.into_bytes()),
            whisper::Answer::Cell(_) => Err(Refusal::NotKept),
            whisper::Answer::Refused(code) => Err(refusal_of(&code)),
        };
        if let Ok(bytes) = &answer {
            if !self.market.wants(&piece) {
                return Ok(());
            }
            let key = record::piece(&piece.file, piece.index);
            let kept = self
                .store
                .commit(vec![Write::put(key, bytes.clone())])
                .await;
            match kept {
                Ok(()) => {}
                // What somebody else has sent must not stop what is mine.
                Err(haggle_store::Error::Full) => {
                    let input = Input::Heard(Heard::NoRoom { piece });
                    return self.handle(input, About::Nothing).await;
                }
                Err(error) => return Err(error),
            }
        }
        let input = Input::Heard(Heard::Piece { piece, answer });
        self.handle(input, About::Nothing).await
    }

    /// A piece of a file, for whoever knows its name.
    async fn piece(
        &mut self,
        peer: PeerId,
        piece: Piece,
    ) -> Result<whisper::Answer, haggle_store::Error> {
        if !self.fetchers.allow(peer, self.now()) {
            return Ok(self.refuse(Refusal::WhisperRate));
        }
        let Some(key) = self.market.piece(&piece) else {
            return Ok(self.refuse(Refusal::NoSuchFile));
        };
        let kept = self.kept(&key).await?;
        Ok(match kept.and_then(PieceBytes::new) {
            Some(bytes) => whisper::Answer::Piece(bytes),
            None => self.refuse(Refusal::NoSuchFile),
        })
    }

    fn refuse(&mut self, refusal: Refusal) -> whisper::Answer {
        self.count(refusal.code());
        whisper::Answer::Refused(Code::from(refusal))
    }

    fn on_browser(&mut self, peer: PeerId, connection: ConnectionId) {
        self.direct.insert(connection, peer);
        if self.hidden {
            // It was being made when the choice fell.
            let _ = self.swarm.close_connection(connection);
        }
    }

    /// Somebody's offer of a direct connection came to nothing; what was wrong with it is counted.
    fn on_refused_offer(&mut self, error: &std::io::Error) {
        let mut cause: Option<&(dyn core::error::Error + 'static)> = Some(error);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<haggle_webrtc::Error>() {
                self.count(error.code());
                return;
            }
            cause = error.source();
        }
    }

    /// Hides the network address from other traders, or shows it again. Saved first: what was promised holds after a reload.
    ///
    /// # Errors
    /// If it cannot be saved.
    pub(crate) async fn hide(&mut self, hidden: bool) -> Result<(), haggle_store::Error> {
        if hidden == self.hidden {
            return Ok(());
        }
        let mut kept_off = self.mints.peers();
        kept_off.retain(|peer| !self.relays.is_chosen(peer));
        self.store.commit(vec![hide(hidden, &kept_off)]).await?;
        self.hidden = hidden;
        self.relays.set_hides(hidden);
        let kad = &mut self.swarm.behaviour_mut().kad;
        kad.set_quiet(hidden);
        kad.let_in_all();
        if hidden {
            for peer in kept_off {
                kad.keep_off(peer);
            }
        }
        self.paths.forget();
        self.swarm.behaviour_mut().webrtc.set_enabled(!hidden);
        if hidden {
            for connection in self.direct.keys() {
                let _ = self.swarm.close_connection(*connection);
            }
        }
        self.tell_network();
        Ok(())
    }

    /// This peer's own `/webrtc` addresses.
    pub(crate) fn addresses(&self) -> Vec<String> {
        if self.hidden {
            return Vec::new();
        }
        let all = self.swarm.listeners().filter(|address| is_webrtc(address));
        all.map(ToString::to_string).collect()
    }

    /// Peers, relays and what is asked for a mint left out, with whom there is a connection.
    pub(crate) fn traders(&self) -> Vec<TraderView> {
        let behaviour = self.swarm.behaviour();
        let direct = self.direct.values().collect::<BTreeSet<_>>();
        let relayed = behaviour.carried.peers();
        let relayed =
            relayed.filter(|peer| !direct.contains(peer) && !behaviour.kad.keeps_off(peer));
        let view = |peer: &PeerId, path| TraderView {
            peer: peer.to_string(),
            path,
        };
        let all = direct.iter().map(|peer| view(peer, Path::Direct));
        all.chain(relayed.map(|peer| view(peer, Path::Relayed)))
            .collect()
    }

    pub(crate) fn add_relay(&mut self, text: &str) -> Result<(), haggle_market::Complaint> {
        let address = RelayAddr::parse(text)
            .map_err(|error| complaint(error.code(), &sentence(&error.to_string())))?;
        if !can_dial(&address) {
            return Err(complaint(
                "unsupported-address",
                "This address cannot be dialed from here. In a browser use one with /ws or /wss.",
            ));
        }
        let peer = address.peer();
        if !self.relays.add(address) {
            return Err(complaint(
                "too-many-relays",
                "So many relays are not needed. Remove one first.",
            ));
        }
        self.tend = true;
        // His own choice sees him, also if he has hidden from it. It is read back as one that is chosen.
        self.swarm.behaviour_mut().kad.let_in(&peer);
        Ok(())
    }

    pub(crate) fn remove_relay(&mut self, text: &str) -> Result<(), haggle_market::Complaint> {
        let Some(peer) = self.relays.remove(text) else {
            return Err(complaint(
                "no-such-relay",
                "This relay is not among yours. Look at the list again.",
            ));
        };
        if let Some(peer) = peer {
            // An error means that there is no connection.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        self.tell_reach();
        self.tend = true;
        Ok(())
    }

    /// Writes down which relays to begin with the next time.
    ///
    /// # Errors
    /// If it cannot be saved.
    pub(crate) async fn remember_relays(
        &mut self,
        changed: bool,
    ) -> Result<(), haggle_store::Error> {
        if !changed {
            return Ok(());
        }
        let bytes = serde_json::to_vec(&self.relays.remembered()).unwrap_or_default();
        self.store.commit(vec![Write::put(RELAYS, bytes)]).await
    }
}

/// What a code means; one of a later version says only that it was not kept.
fn refusal_of(code: &Code) -> Refusal {
    Refusal::from_code(code.as_str()).unwrap_or(Refusal::NotKept)
}

/// The way through a relay at the address that we know of it.
fn through(relay: &RelayAddr, way: &Circuit) -> Multiaddr {
    let address = relay.listen_address();
    match haggle_net::addr::peer_of(&way.peer) {
        Some(peer) => address.with(Protocol::P2p(peer)),
        None => address,
    }
}

/// Whether one more relay that only a stranger named may be dialed in this minute.
fn stranger((since, count): &mut (Instant, u32), now: Instant) -> bool {
    if now.saturating_duration_since(*since) >= Duration::from_secs(60) {
        (*since, *count) = (now, 0);
    }
    *count += 1;
    *count <= STRANGERS_A_MINUTE
}

/// By which peer a frame came. A peer without an Ed25519 key in its id shares one name with all others of its kind.
fn source_of(peer: &PeerId, source: impl FnOnce(haggle_protocol::PublicKey) -> Source) -> Source {
    source(key_of(peer).unwrap_or(haggle_protocol::PublicKey([0; 32])))
}

/// Why a relay could not be dialed, as a stable code.
const fn reason_of(error: &DialError) -> &'static str {
    match error {
        DialError::WrongPeerId { .. } => "wrong-peer",
        DialError::LocalPeerId { .. } => "own-address",
        DialError::NoAddresses => "bad-address",
        DialError::Denied { .. } => "denied",
        DialError::Aborted => "closed",
        DialError::DialPeerConditionFalse(_) | DialError::Transport(_) => "unreachable",
    }
}

/// A sentence of its own out of a part of one.
fn sentence(part: &str) -> String {
    let mut letters = part.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
