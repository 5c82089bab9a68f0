//! Requests to mints that peers carry: from the rails, which know no network, to the loop, which has one.
//!
//! A [`Line`] is what a rail holds. What it is asked waits in a bounded queue for the loop, which sends it to the peer that the mint is
//! named by: over a connection that is there, or to where that peer is known to be. If nothing is known of it, Kademlia is asked first,
//! and a request waits a while for what comes of that. An error says that no answer came, and never what the mint did.
//!
//! Who hides his network address asks through the relays that he is connected with, if the mint's peer has a place there, and is connected
//! with that peer in no other way, unless it is a relay of his own choice.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use futures::channel::{mpsc, oneshot};
use futures::{SinkExt as _, StreamExt as _};
use haggle_net::addr::peer_of;
use haggle_net::mint::Asked;
use haggle_payments::{Carrier, NotCarried};
use haggle_protocol::PublicKey;
use haggle_protocol::mint::{Answer, Request};
use libp2p::PeerId;
use libp2p::request_response::{Event as Exchange, Message, OutboundFailure, OutboundRequestId};
use libp2p::swarm::ConnectionId;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};

use crate::behaviour::Behaviour;
use crate::clock::{self, Instant};
use crate::config::hide;
use crate::discovery::PROVIDERS_MAX;
use crate::peer::Peer;
use crate::relays::Relays;

/// Requests that wait for the loop: a rail asks one thing after another for each of a few purses.
const QUEUE: usize = 32;
/// Requests that wait for their peer to be found.
const SEEKING_MAX: usize = 32;
/// How long a peer is looked for: what Kademlia takes for a question, and a little more.
const SEEK: Duration = Duration::from_secs(25);
/// Requests under way with one peer at the same time. One that was given up is among them until its time is over, so that a peer that says
/// nothing holds up itself and no other.
const UNDER_WAY_MAX: usize = haggle_net::mint::STREAMS_MAX;

/// What goes through one circuit, in bytes, before the next request takes a new one. A relay cuts a circuit after a mebibyte both ways
/// together; what is cut off halfway is asked again, and a purse that is brought back asks more than that.
const CIRCUIT_BYTES: usize = 384 * 1_024;

type Reply = oneshot::Sender<Result<Answer, NotCarried>>;

/// A request on its way to the loop.
pub(crate) struct Carry {
    pub(crate) mint: PublicKey,
    request: Request,
    reply: Reply,
}

impl Carry {
    /// Tells whoever asked that it came to nothing.
    pub(crate) fn fails(self, why: NotCarried) {
        // An error means that he has gone.
        let _ = self.reply.send(Err(why));
    }
}

/// What rails hold to ask mints by.
#[derive(Clone)]
pub(crate) struct Line(mpsc::Sender<Carry>);

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line(..)")
    }
}

#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
impl Carrier for Line {
    async fn carry(&self, mint: &PublicKey, request: Request) -> Result<Answer, NotCarried> {
        let (reply, answer) = oneshot::channel();
        let carry = Carry {
            mint: *mint,
            request,
            reply,
        };
        let sent = self.0.clone().send(carry).await;
        sent.map_err(|_| NotCarried::Unreachable)?;
        // Whoever dropped it has ended.
        answer.await.unwrap_or(Err(NotCarried::Lost))
    }
}

/// A request whose peer is being looked for.
struct Sought {
    carry: Carry,
    peer: PeerId,
    until: Instant,
}

/// What the loop has to do with requests to mints.
pub(crate) struct Mints {
    line: Line,
    asked: mpsc::Receiver<Carry>,
    sought: VecDeque<Sought>,
    /// Whom we hide from and dial through relays just now.
    dialing: BTreeMap<ConnectionId, PeerId>,
    under_way: BTreeMap<OutboundRequestId, (PeerId, Reply)>,
    /// What has gone through the circuits to whom we hide from.
    through: BTreeMap<PeerId, usize>,
    /// Whose circuits are being closed.
    closing: BTreeSet<PeerId>,
}

impl Mints {
    pub(crate) fn new() -> Self {
        let (sender, asked) = mpsc::channel(QUEUE);
        Self {
            line: Line(sender),
            asked,
            sought: VecDeque::new(),
            dialing: BTreeMap::new(),
            under_way: BTreeMap::new(),
            through: BTreeMap::new(),
            closing: BTreeSet::new(),
        }
    }

    /// What a rail asks by.
    pub(crate) fn line(&self) -> Line {
        self.line.clone()
    }

    /// The next request.
    pub(crate) fn poll_asked(&mut self, context: &mut Context<'_>) -> Poll<Carry> {
        match self.asked.poll_next_unpin(context) {
            Poll::Ready(Some(carry)) => Poll::Ready(carry),
            // It does not end while this holds a sender.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    /// Whether [`Mints::found`] has nothing to look at.
    pub(crate) fn is_idle(&self) -> bool {
        self.sought.is_empty()
    }

    /// A request waits until its peer is found.
    pub(crate) fn seek(&mut self, carry: Carry, peer: PeerId, now: Instant) {
        if self.sought.len() < SEEKING_MAX {
            let until = now + SEEK;
            self.sought.push_back(Sought { carry, peer, until });
        } else {
            carry.fails(NotCarried::Busy);
        }
    }

    /// The requests whose peer `is_known` by now. Those that have waited too long hear so.
    pub(crate) fn found(
        &mut self,
        now: Instant,
        is_known: impl Fn(&PeerId) -> bool,
    ) -> Vec<(PeerId, Carry)> {
        let mut found = Vec::new();
        for one in core::mem::take(&mut self.sought) {
            if is_known(&one.peer) {
                found.push((one.peer, one.carry));
            } else if one.until <= now {
                one.carry.fails(NotCarried::Unreachable);
            } else if !one.carry.reply.is_canceled() {
                self.sought.push_back(one);
            }
        }
        found
    }

    /// Peers whose mints are being asked.
    pub(crate) fn peers(&self) -> BTreeSet<PeerId> {
        let sought = self.sought.iter().map(|one| one.peer);
        let under_way = self.under_way.values().map(|(peer, _)| *peer);
        sought.chain(under_way).collect()
    }

    /// Peers that are looked for and not being dialed for it.
    fn waits_for(&self) -> BTreeSet<PeerId> {
        let dialing: BTreeSet<_> = self.dialing.values().collect();
        let sought = self.sought.iter().map(|one| one.peer);
        sought.filter(|peer| !dialing.contains(peer)).collect()
    }

    /// A dial has succeeded or failed. What waited for a peer that cannot be reached hears so.
    pub(crate) fn dialed(&mut self, dial: ConnectionId, reached: bool) {
        if let Some(peer) = self.dialing.remove(&dial)
            && !reached
        {
            self.give_up(&peer);
        }
    }

    fn give_up(&mut self, peer: &PeerId) {
        for one in core::mem::take(&mut self.sought) {
            if one.peer == *peer {
                one.carry.fails(NotCarried::Unreachable);
            } else {
                self.sought.push_back(one);
            }
        }
    }

    /// So much has gone to a peer over a circuit, or come back.
    fn weigh(&mut self, peer: PeerId, bytes: usize) {
        let gone = self.through.entry(peer).or_default();
        *gone = gone.saturating_add(bytes);
    }

    /// Whether the circuit to a peer has carried enough and nothing is under way there. It is closed then, and not asked by any more.
    fn is_used_up(&mut self, peer: PeerId) -> bool {
        let is_idle = self.under_way.values().all(|(one, _)| *one != peer);
        let gone = self.through.get(&peer).copied().unwrap_or_default();
        let used_up = is_idle && gone >= CIRCUIT_BYTES;
        if used_up {
            self.closing.insert(peer);
        }
        used_up
    }

    /// The last circuit to a peer is gone.
    pub(crate) fn closed(&mut self, peer: &PeerId) {
        self.closing.remove(peer);
        self.through.remove(peer);
    }

    /// Sends a request to a peer by `send`, if not too many are under way there.
    pub(crate) fn send(
        &mut self,
        peer: PeerId,
        carry: Carry,
        send: impl FnOnce(Request) -> OutboundRequestId,
    ) {
        let there = self.under_way.values().filter(|(one, _)| *one == peer);
        if there.count() >= UNDER_WAY_MAX {
            carry.fails(NotCarried::Busy);
        } else if !carry.reply.is_canceled() {
            let id = send(carry.request);
            self.under_way.insert(id, (peer, carry.reply));
        }
    }

    /// An answer came, or none will.
    pub(crate) fn answered(&mut self, id: OutboundRequestId, answer: Result<Answer, NotCarried>) {
        if let Some((_, reply)) = self.under_way.remove(&id) {
            // As above.
            let _ = reply.send(answer);
        }
    }
}

/// Whether a mint's peer must not see where we are. A relay of the person's own choice sees it anyway.
fn hides_from(hidden: bool, relays: &Relays, peer: &PeerId) -> bool {
    hidden && !relays.is_chosen(peer)
}

/// Whether a peer can be asked now: it is connected or somewhere that is known; or, if we hide from it, it is connected through a relay
/// and not directly (any more).
fn within_reach(
    peer: &PeerId,
    hidden: bool,
    closing: bool,
    relays: &Relays,
    behaviour: &Behaviour,
) -> bool {
    let is_direct = behaviour.gossip.sees(peer);
    if hides_from(hidden, relays, peer) {
        !is_direct && !closing && behaviour.carried.sees(peer)
    } else {
        is_direct || relays.is_known(peer)
    }
}

/// What a failure of the network means for whoever asked.
pub(crate) fn not_carried(failure: &OutboundFailure) -> NotCarried {
    match failure {
        OutboundFailure::DialFailure => NotCarried::Unreachable,
        OutboundFailure::UnsupportedProtocols => NotCarried::NoMint,
        OutboundFailure::Timeout | OutboundFailure::ConnectionClosed | OutboundFailure::Io(_) => {
            NotCarried::Lost
        }
    }
}

impl Peer {
    /// A rail asks a mint behind a peer.
    ///
    /// # Errors
    /// If it cannot be saved from whom we hide.
    pub(crate) async fn carry(&mut self, carry: Carry) -> Result<(), haggle_store::Error> {
        let Some(peer) = peer_of(&carry.mint) else {
            carry.fails(NotCarried::Unreachable);
            return Ok(());
        };
        let hides = hides_from(self.hidden, &self.relays, &peer);
        if hides {
            let kad = &mut self.swarm.behaviour_mut().kad;
            let is_new = !kad.keeps_off(&peer);
            if !kad.keep_off(peer) {
                carry.fails(NotCarried::Busy);
                return Ok(());
            }
            if is_new {
                // The next time nobody dials it before it is asked.
                let write = hide(true, kad.kept_off());
                self.store.commit(vec![write]).await?;
            }
            if is_new || self.swarm.behaviour().gossip.sees(&peer) {
                // Others told of it, and it was taken for a relay, or is just being dialed as one. An error means that it is not.
                let _ = self.swarm.disconnect_peer_id(peer);
            }
        }
        let closing = self.mints.closing.contains(&peer);
        if within_reach(
            &peer,
            self.hidden,
            closing,
            &self.relays,
            self.swarm.behaviour(),
        ) {
            self.send_to_mint(peer, carry);
            return Ok(());
        }
        self.mints.seek(carry, peer, clock::instant());
        if hides {
            self.dial_mints();
            return Ok(());
        }
        // As with a relay that others told of: its addresses come with this query, and it is one more relay then.
        if self.providers.len() < PROVIDERS_MAX {
            self.providers.insert(peer);
            let _ = self.swarm.behaviour_mut().kad.get_closest_peers(peer);
        }
        Ok(())
    }

    /// Sends what waited for a peer that is known by now.
    pub(crate) fn look_after_mints(&mut self) {
        if self.mints.is_idle() {
            return;
        }
        let (relays, behaviour) = (&self.relays, self.swarm.behaviour());
        let closing = self.mints.closing.clone();
        let is_known = |peer: &PeerId| {
            within_reach(peer, self.hidden, closing.contains(peer), relays, behaviour)
        };
        for (peer, carry) in self.mints.found(clock::instant(), is_known) {
            self.send_to_mint(peer, carry);
        }
        self.dial_mints();
    }

    /// Dials those from whom we hide through the relays that are there.
    fn dial_mints(&mut self) {
        let (hidden, relays, behaviour) = (self.hidden, &self.relays, self.swarm.behaviour());
        let is_wanted = |peer: &PeerId| {
            hides_from(hidden, relays, peer)
                && !behaviour.gossip.sees(peer)
                && !behaviour.carried.sees(peer)
                && !relays.circuits_to(peer).is_empty()
        };
        let mut wanted = self.mints.waits_for();
        wanted.retain(is_wanted);
        for peer in wanted {
            // At these addresses, and nowhere else that anybody here may know of.
            let ways = self.relays.circuits_to(&peer);
            let options = DialOpts::peer_id(peer)
                .addresses(ways)
                .condition(PeerCondition::Disconnected)
                .build();
            let dial = options.connection_id();
            match self.swarm.dial(options) {
                Ok(()) => {
                    self.mints.dialing.insert(dial, peer);
                }
                Err(error) => {
                    tracing::debug!(%error, "a mint was not dialed");
                    self.mints.give_up(&peer);
                }
            }
        }
    }

    fn send_to_mint(&mut self, peer: PeerId, carry: Carry) {
        let addresses = if hides_from(self.hidden, &self.relays, &peer) {
            self.mints.weigh(peer, carry.request.body.len());
            // To a known address others would add more. It is connected; if not, this is not dialed at all.
            Vec::new()
        } else {
            self.relays.addresses(&peer)
        };
        let mint = &mut self.swarm.behaviour_mut().mint;
        self.mints.send(peer, carry, |request| {
            mint.send_request_with_addresses(&peer, request.into(), addresses)
        });
    }

    pub(crate) fn on_mint(&mut self, event: Exchange<Asked, Answer>) {
        match event {
            Exchange::Message {
                peer,
                message:
                    Message::Response {
                        request_id,
                        response,
                    },
                ..
            } => {
                let bytes = match &response {
                    Answer::Said { body, .. } => body.len(),
                    Answer::Refused(_) => 0,
                };
                self.mints.answered(request_id, Ok(response));
                if hides_from(self.hidden, &self.relays, &peer) {
                    self.mints.weigh(peer, bytes);
                    if self.mints.is_used_up(peer) {
                        let _ = self.swarm.disconnect_peer_id(peer);
                    }
                }
            }
            Exchange::OutboundFailure {
                request_id, error, ..
            } => {
                tracing::debug!(%error, "a request to a mint was not carried");
                self.mints.answered(request_id, Err(not_carried(&error)));
            }
            // Nobody is carried for here.
            Exchange::Message {
                message: Message::Request { .. },
                ..
            }
            | Exchange::InboundFailure { .. }
            | Exchange::ResponseSent { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use haggle_protocol::mint::Method;
    use libp2p::Multiaddr;

    use super::*;

    fn asked() -> (Carry, oneshot::Receiver<Result<Answer, NotCarried>>) {
        let (reply, answer) = oneshot::channel();
        let request = Request {
            method: Method::Get,
            path: "/v1/info".to_owned(),
            body: Vec::new(),
        };
        let mint = PublicKey([1; 32]);
        let carry = Carry {
            mint,
            request,
            reply,
        };
        (carry, answer)
    }

    fn said(
        answer: &mut oneshot::Receiver<Result<Answer, NotCarried>>,
    ) -> Option<Result<Answer, NotCarried>> {
        answer.try_recv().ok().flatten()
    }

    #[test]
    fn a_request_waits_a_while_for_its_peer_to_be_found() {
        let mut mints = Mints::new();
        let (peer, now) = (PeerId::random(), clock::instant());
        let (first, mut waits) = asked();
        let (second, mut gone) = asked();
        mints.seek(first, peer, now);
        mints.seek(second, peer, now);
        assert!(mints.found(now, |_| false).is_empty());
        gone.close();
        assert_eq!(mints.found(now, |known| *known == peer).len(), 2);
        let (third, mut late) = asked();
        mints.seek(third, peer, now);
        let almost = now + SEEK - Duration::from_millis(1);
        assert!(mints.found(almost, |_| false).is_empty());
        assert_eq!(said(&mut late), None);
        assert!(mints.found(now + SEEK, |_| false).is_empty());
        assert_eq!(said(&mut late), Some(Err(NotCarried::Unreachable)));
        assert!(mints.is_idle());
        assert_eq!(said(&mut waits), None, "it was sent on its way");
    }

    #[test]
    fn no_more_wait_for_a_peer_to_be_found_than_there_is_room_for() {
        let mut mints = Mints::new();
        let (peer, now) = (PeerId::random(), clock::instant());
        let mut waiting: Vec<_> = (0..=SEEKING_MAX)
            .map(|_| {
                let (carry, answer) = asked();
                mints.seek(carry, peer, now);
                answer
            })
            .collect();
        let last = waiting.last_mut().unwrap();
        assert_eq!(said(last), Some(Err(NotCarried::Busy)));
        assert_eq!(said(&mut waiting[0]), None);
    }

    #[test]
    fn who_cannot_be_reached_through_a_relay_is_dialed_once_and_not_waited_for() {
        let mut mints = Mints::new();
        let (peer, other, now) = (PeerId::random(), PeerId::random(), clock::instant());
        let (first, mut waits) = asked();
        let (second, mut others) = asked();
        mints.seek(first, peer, now);
        mints.seek(second, other, now);
        assert_eq!(mints.waits_for(), BTreeSet::from([peer, other]));
        let dial = ConnectionId::new_unchecked(1);
        mints.dialing.insert(dial, peer);
        assert_eq!(mints.waits_for(), BTreeSet::from([other]));
        mints.dialed(ConnectionId::new_unchecked(2), false);
        assert_eq!(said(&mut waits), None, "somebody else's dial");
        mints.dialed(dial, false);
        assert_eq!(said(&mut waits), Some(Err(NotCarried::Unreachable)));
        assert_eq!(said(&mut others), None);
        assert_eq!(mints.waits_for(), BTreeSet::from([other]));
        mints.dialing.insert(dial, other);
        mints.dialed(dial, true);
        assert_eq!(mints.found(now, |known| *known == other).len(), 1);
    }

    #[test]
    fn a_circuit_that_has_carried_enough_is_closed_once_nothing_is_under_way_there() {
        let mut mints = Mints::new();
        let mut network = haggle_net::mint::asking();
        let (peer, other) = (PeerId::random(), PeerId::random());
        mints.weigh(peer, CIRCUIT_BYTES - 1);
        assert!(!mints.is_used_up(peer));
        let (carry, _answer) = asked();
        let mut id = None;
        mints.send(peer, carry, |request| {
            let sent =
                network.send_request_with_addresses(&peer, request.into(), Vec::<Multiaddr>::new());
            *id.insert(sent)
        });
        mints.weigh(peer, 1);
        assert!(!mints.is_used_up(peer), "an answer is awaited there");
        mints.answered(id.unwrap(), Err(NotCarried::Lost));
        assert!(mints.is_used_up(peer));
        assert!(mints.closing.contains(&peer));
        assert!(!mints.is_used_up(other));
        mints.closed(&peer);
        assert!(!mints.is_used_up(peer), "the next one is new");
        assert!(mints.closing.is_empty());
    }

    #[test]
    fn a_peer_that_says_nothing_holds_up_itself_and_no_other() {
        let mut mints = Mints::new();
        let mut network = haggle_net::mint::asking();
        let (silent, other) = (PeerId::random(), PeerId::random());
        let mut send = |peer: PeerId| {
            let (carry, answer) = asked();
            mints.send(peer, carry, |request| {
                network.send_request_with_addresses(&peer, request.into(), Vec::<Multiaddr>::new())
            });
            answer
        };
        let mut under_way: Vec<_> = (0..UNDER_WAY_MAX).map(|_| send(silent)).collect();
        assert!(under_way.iter_mut().all(|answer| said(answer).is_none()));
        assert_eq!(said(&mut send(silent)), Some(Err(NotCarried::Busy)));
        assert_eq!(said(&mut send(other)), None);
    }
}
