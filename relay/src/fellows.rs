//! The other relays that this one stays connected with: dialled again with growing pauses, and their books compared with ours.
//!
//! An empty book is filled by pages of frames. After that only ids are asked for, from where the last comparison ended, and
//! what is missing is fetched by id.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use haggle_book::Cursor;
use haggle_net::RelayAddr;
use haggle_net::book::{IDS_ASKED_MAX, Request, Response, Want};
use haggle_protocol::{FrameId, Network};
use libp2p::request_response::OutboundRequestId;
use libp2p::{Multiaddr, PeerId};

/// Between two comparisons with the same relay.
const COMPARE_EVERY: Duration = Duration::from_secs(60);
/// The first pause before a relay is dialled again, doubled each time …
const PAUSE_FIRST: Duration = Duration::from_secs(1);
/// … up to this.
const PAUSE_MOST: Duration = Duration::from_secs(60);
/// Questions in one comparison: a book of the largest size by ids and then by frames, several times over. A relay that always
/// says "more" does not hold us for ever.
const QUESTIONS_MAX: u32 = 512;

/// How long to wait after so many failures. `dice` is 0..=255 and moves the pause by up to a quarter either way, so that relays
/// that fell together do not rise together.
fn pause(failures: u32, dice: u8) -> Duration {
    let pause = PAUSE_FIRST
        .saturating_mul(1 << failures.min(10))
        .min(PAUSE_MOST);
    pause * (192 + u32::from(dice) / 2) / 256
}

/// Where a comparison stands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Comparison {
    asked: OutboundRequestId,
    questions: u32,
    /// Ids that are still to be fetched.
    wanted: VecDeque<FrameId>,
    /// Whether whole pages are read, because our book was empty.
    whole: bool,
    /// Where the next page begins, if there is one.
    next: Option<Cursor>,
}

#[derive(Debug)]
struct Fellow {
    addresses: Vec<Multiaddr>,
    connected: bool,
    failures: u32,
    dial_at: Instant,
    compare_at: Instant,
    comparison: Option<Comparison>,
    /// Where the last comparison ended.
    cursor: Option<Cursor>,
    /// Whether a comparison has ended since this relay started.
    compared: bool,
}

/// The other relays.
#[derive(Debug)]
pub(crate) struct Fellows {
    network: Network,
    fellows: BTreeMap<PeerId, Fellow>,
}

/// What an answer led to.
#[derive(Debug, Default)]
pub(crate) struct Learnt {
    /// Frames to be entered.
    pub(crate) frames: Vec<Vec<u8>>,
    /// Whether peers here may have missed them, so that they are worth a word in gossip.
    pub(crate) is_news: bool,
    /// The next question to the same relay.
    pub(crate) ask: Option<Request>,
}

impl Fellows {
    pub(crate) fn new(network: Network, relays: &[RelayAddr], own: PeerId, now: Instant) -> Self {
        let mut fellows: BTreeMap<PeerId, Fellow> = BTreeMap::new();
        for relay in relays.iter().filter(|relay| relay.peer() != own) {
            fellows
                .entry(relay.peer())
                .or_insert_with(|| Fellow {
                    addresses: Vec::new(),
                    connected: false,
                    failures: 0,
                    dial_at: now,
                    compare_at: now,
                    comparison: None,
                    cursor: None,
                    compared: false,
                })
                .addresses
                .push(relay.address().clone());
        }
        Self { network, fellows }
    }

    pub(crate) fn contains(&self, peer: &PeerId) -> bool {
        self.fellows.contains_key(peer)
    }

    /// Whether this one is connected.
    pub(crate) fn is_connected(&self, peer: &PeerId) -> bool {
        let fellow = self.fellows.get(peer);
        fellow.is_some_and(|fellow| fellow.connected)
    }

    /// How many are connected.
    pub(crate) fn connected(&self) -> usize {
        self.fellows
            .values()
            .filter(|fellow| fellow.connected)
            .count()
    }

    /// Whom to dial now, and where. Each is then left alone until its pause is over.
    pub(crate) fn due_dials(&mut self, now: Instant, dice: u8) -> Vec<(PeerId, Vec<Multiaddr>)> {
        let mut due = Vec::new();
        for (peer, fellow) in &mut self.fellows {
            if !fellow.connected && fellow.dial_at <= now {
                fellow.dial_at = now + pause(fellow.failures, dice);
                fellow.failures = fellow.failures.saturating_add(1);
                due.push((*peer, fellow.addresses.clone()));
            }
        }
        due
    }

    pub(crate) fn on_connected(&mut self, peer: &PeerId, now: Instant) {
        if let Some(fellow) = self.fellows.get_mut(peer) {
            fellow.connected = true;
            fellow.compare_at = now;
        }
    }

    pub(crate) fn on_disconnected(&mut self, peer: &PeerId, now: Instant, dice: u8) {
        if let Some(fellow) = self.fellows.get_mut(peer) {
            fellow.connected = false;
            fellow.comparison = None;
            fellow.failures = 0;
            fellow.dial_at = now + pause(0, dice);
        }
    }

    /// Whose book is due, and what to ask it first. The one who asks must tell by [`Fellows::asked`].
    pub(crate) fn due_questions(
        &mut self,
        now: Instant,
        book_is_empty: bool,
    ) -> Vec<(PeerId, Request)> {
        let mut due = Vec::new();
        for (peer, fellow) in &mut self.fellows {
            if fellow.connected && fellow.compare_at <= now {
                fellow.compare_at = now + COMPARE_EVERY;
                if fellow.comparison.is_none() {
                    // A relay that answered a whole minute ago and an empty book of ours: it was emptied or never filled.
                    let since = if book_is_empty { None } else { fellow.cursor };
                    let want = if book_is_empty {
                        Want::Frames(since)
                    } else {
                        Want::Ids(since)
                    };
                    due.push((*peer, Request::new(self.network, want)));
                }
            }
        }
        due
    }

    /// A question went out under this number.
    pub(crate) fn asked(&mut self, peer: &PeerId, asked: OutboundRequestId, request: &Request) {
        let Some(fellow) = self.fellows.get_mut(peer) else {
            return;
        };
        match &mut fellow.comparison {
            Some(comparison) => comparison.asked = asked,
            None => {
                fellow.comparison = Some(Comparison {
                    asked,
                    questions: 0,
                    wanted: VecDeque::new(),
                    whole: matches!(request.want, Want::Frames(_)),
                    next: None,
                });
            }
        }
    }

    /// Nothing came back.
    pub(crate) fn on_failure(&mut self, peer: &PeerId, asked: OutboundRequestId) {
        if let Some(fellow) = self.fellows.get_mut(peer)
            && fellow.comparison.as_ref().is_some_and(|c| c.asked == asked)
        {
            fellow.comparison = None;
        }
    }

    /// What came back. `known` are the ids in our book.
    pub(crate) fn on_answer(
        &mut self,
        peer: &PeerId,
        asked: OutboundRequestId,
        answer: Response,
        known: impl FnOnce() -> BTreeSet<FrameId>,
    ) -> Learnt {
        let network = self.network;
        let Some(fellow) = self.fellows.get_mut(peer) else {
            return Learnt::default();
        };
        let Some(mut comparison) = fellow.comparison.take_if(|c| c.asked == asked) else {
            return Learnt::default();
        };
        comparison.questions += 1;
        let mut learnt = Learnt {
            // What a first comparison brings, the peers here have heard before, or ask for themselves.
            is_news: fellow.compared,
            ..Learnt::default()
        };
        match answer {
            Response::Frames {
                cursor: Some(cursor),
                more,
                frames,
                ..
            } if comparison.whole => {
                let advanced = more && !frames.is_empty();
                learnt.frames = frames;
                fellow.cursor = Some(cursor);
                comparison.next = advanced.then_some(cursor);
            }
            Response::Frames { frames, .. } => learnt.frames = frames,
            Response::Ids {
                cursor, more, ids, ..
            } => {
                let advanced = more && !ids.is_empty();
                let known = known();
                comparison
                    .wanted
                    .extend(ids.into_iter().filter(|id| !known.contains(id)));
                fellow.cursor = Some(cursor);
                comparison.next = advanced.then_some(cursor);
            }
            // Not now: the next comparison begins where this one ended.
            Response::Refused(_) => return learnt,
        }
        if comparison.questions >= QUESTIONS_MAX {
            return learnt;
        }
        let want = if comparison.wanted.is_empty() {
            comparison.next.take().map(|next| {
                if comparison.whole {
                    Want::Frames(Some(next))
                } else {
                    Want::Ids(Some(next))
                }
            })
        } else {
            let count = comparison.wanted.len().min(IDS_ASKED_MAX);
            Some(Want::ById(comparison.wanted.drain(..count).collect()))
        };
        match want {
            None => fellow.compared = true,
            Some(want) => {
                learnt.ask = Some(Request::new(network, want));
                fellow.comparison = Some(comparison);
            }
        }
        learnt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_minute_and_never_agree_exactly() {
        let middle = |failures| pause(failures, 128).as_millis();
        assert_eq!(middle(0), 1_000);
        assert_eq!(middle(3), 8_000);
        assert_eq!(middle(6), 60_000);
        assert_eq!(middle(4_000_000), 60_000);
        assert!(pause(6, 0) >= Duration::from_secs(45));
        assert!(pause(6, 255) <= Duration::from_secs(75));
        assert_ne!(pause(2, 1), pause(2, 200));
    }

    #[test]
    // The schedule counts from any instant.
    #[allow(clippy::disallowed_methods)]
    fn a_relay_is_dialled_with_pauses_until_it_is_there_and_itself_never() {
        let own = PeerId::random();
        let address = |n: u8| {
            let key = haggle_protocol::keys::SigningKey::from_seed(&[n; 32]).public();
            let peer = haggle_net::addr::peer_of(&key).unwrap();
            RelayAddr::parse(&format!("/ip4/127.0.0.1/tcp/1/ws/p2p/{peer}")).unwrap()
        };
        let now = Instant::now();
        let network = Network::main();
        let other = address(1);
        let list = [other.clone(), other.clone(), address(2)];
        let mut fellows = Fellows::new(network, &list, address(2).peer(), now);
        assert!(!fellows.contains(&own));
        assert!(fellows.contains(&other.peer()) && !fellows.contains(&address(2).peer()));
        let due = fellows.due_dials(now, 128);
        assert_eq!(due.len(), 1);
        assert_eq!(due[0].1.len(), 2, "all its addresses at once");
        assert!(fellows.due_dials(now, 128).is_empty());
        assert_eq!(
            fellows.due_dials(now + Duration::from_secs(1), 128).len(),
            1
        );
        assert!(
            fellows
                .due_dials(now + Duration::from_secs(2), 128)
                .is_empty()
        );
        assert_eq!(
            fellows.due_dials(now + Duration::from_secs(3), 128).len(),
            1
        );
        fellows.on_connected(&other.peer(), now);
        assert_eq!(fellows.connected(), 1);
        assert!(
            fellows
                .due_dials(now + Duration::from_secs(900), 128)
                .is_empty()
        );
        assert_eq!(fellows.due_questions(now, true).len(), 1);
        assert!(
            fellows
                .due_questions(now + Duration::from_secs(59), true)
                .is_empty()
        );
        assert_eq!(
            fellows
                .due_questions(now + Duration::from_secs(60), false)
                .len(),
            1
        );
        fellows.on_disconnected(&other.peer(), now, 128);
        assert_eq!(
            fellows.due_dials(now + Duration::from_secs(1), 128).len(),
            1
        );
        assert!(
            fellows
                .due_questions(now + Duration::from_secs(600), false)
                .is_empty()
        );
    }
}
