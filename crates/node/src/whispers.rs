//! Cells on their way to their recipients, and questions for pieces of files.
//!
//! Either has up to three ways, each through one relay. A way that brings no answer within its time is given up and the
//! next one is tried; when none is left the market hears so, and tries again when it sees fit. Bookkeeping only: the
//! loop dials and sends.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use haggle_net::addr::peer_of;
use haggle_net::whisper::{CellBytes, Request};
use haggle_protocol::MessageId;
use haggle_protocol::attachment::Piece;
use haggle_protocol::reach::Circuit;
use libp2p::PeerId;

use crate::clock::Instant;
use crate::paths::Path;

/// How long one way of a cell may take, from the dial to the answer.
pub(crate) const WAY: Duration = Duration::from_secs(10);
/// How long one way of a piece of a file may take: 64 KiB at 20 kbit/s take twenty-six seconds.
pub(crate) const PIECE_WAY: Duration = Duration::from_secs(40);
/// Cells under way at the same time; each may hold a circuit at a relay.
const UNDER_WAY_MAX: usize = 16;
/// Cells that wait for one of these places. More are not delivered now, and the market comes back with them.
const WAITING_MAX: usize = 1_024;
/// Given-up ways whose late answer would still be heard.
const LATE_MAX: usize = 64;

/// What a delivery is about, for the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Matter {
    /// A message in its cell.
    Message(MessageId),
    /// A piece of a file that is asked for.
    Piece(Piece),
}

#[derive(Debug)]
struct Delivery {
    about: Matter,
    request: Request,
    ways: VecDeque<Circuit>,
    /// Whether a connection that was there already has been tried: it may be dead without having noticed.
    tried_open: bool,
    /// Whether the way in front was dialed for it.
    waited: bool,
}

enum Step {
    Send(PeerId, Path),
    Wait,
}

#[derive(Debug)]
struct UnderWay {
    delivery: Delivery,
    since: Instant,
}

/// One cell to be sent now.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// Names it in the report.
    pub(crate) number: u64,
    pub(crate) peer: PeerId,
    /// By which connection.
    pub(crate) path: Path,
    pub(crate) request: Request,
}

/// What is to be done with a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Go {
    /// Send over a connection that is there.
    Send(Path),
    /// It is being dialed.
    Wait,
    /// It leads nowhere.
    Nowhere,
}

#[derive(Debug, Default)]
pub(crate) struct Whispers {
    waiting: VecDeque<Delivery>,
    under_way: BTreeMap<u64, UnderWay>,
    late: BTreeMap<u64, Matter>,
    undelivered: Vec<Matter>,
    next: u64,
}

impl Whispers {
    /// Takes a cell to be delivered.
    pub(crate) fn send(&mut self, message: MessageId, ways: Vec<Circuit>, cell: Vec<u8>) {
        let about = Matter::Message(message);
        self.take(about, ways, CellBytes::new(cell).map(Request::Cell));
    }

    /// Takes a question for a piece of a file.
    pub(crate) fn fetch(&mut self, piece: Piece, ways: Vec<Circuit>) {
        self.take(Matter::Piece(piece), ways, Some(Request::Piece(piece)));
    }

    fn take(&mut self, about: Matter, ways: Vec<Circuit>, request: Option<Request>) {
        match request {
            Some(request) if self.waiting.len() < WAITING_MAX => self.waiting.push_back(Delivery {
                about,
                request,
                ways: ways.into(),
                tried_open: false,
                waited: false,
            }),
            Some(_) | None => self.undelivered.push(about),
        }
    }

    /// What to send now. `go` says what is to be done with a way, and dials it if need be.
    pub(crate) fn plan(
        &mut self,
        now: Instant,
        mut go: impl FnMut(&PeerId, &Circuit) -> Go,
    ) -> Vec<Attempt> {
        self.give_up_overdue(now);
        let mut attempts = Vec::new();
        let mut held = VecDeque::new();
        while self.under_way.len() + held.len() < UNDER_WAY_MAX
            && let Some(mut delivery) = self.waiting.pop_front()
        {
            match delivery.next_way(&mut go) {
                Some(Step::Send(peer, path)) => {
                    let number = self.next;
                    self.next += 1;
                    attempts.push(Attempt {
                        number,
                        peer,
                        path,
                        request: delivery.request.clone(),
                    });
                    let since = now;
                    self.under_way.insert(number, UnderWay { delivery, since });
                }
                Some(Step::Wait) => held.push_back(delivery),
                None => self.undelivered.push(delivery.about),
            }
        }
        held.append(&mut self.waiting);
        self.waiting = held;
        attempts
    }

    fn give_up_overdue(&mut self, now: Instant) {
        let overdue: Vec<u64> = self
            .under_way
            .iter()
            .filter(|(_, it)| now.saturating_duration_since(it.since) >= it.delivery.patience())
            .map(|(number, _)| *number)
            .collect();
        for number in overdue {
            if let Some(UnderWay { delivery, .. }) = self.under_way.remove(&number) {
                self.late.insert(number, delivery.about);
                self.waiting.push_front(delivery);
            }
        }
        while self.late.len() > LATE_MAX {
            self.late.pop_first();
        }
    }

    /// An answer came; what it is about.
    pub(crate) fn on_answer(&mut self, number: u64) -> Option<Matter> {
        let under_way = self.under_way.remove(&number);
        let about = under_way.map(|under_way| under_way.delivery.about);
        let about = about.or_else(|| self.late.remove(&number))?;
        // A late answer spares the ways that are still to come.
        self.waiting.retain(|delivery| delivery.about != about);
        Some(about)
    }

    /// This way failed.
    pub(crate) fn on_failed(&mut self, number: u64) {
        self.late.remove(&number);
        if let Some(UnderWay { delivery, .. }) = self.under_way.remove(&number) {
            self.waiting.push_front(delivery);
        }
    }

    /// What no way is left for.
    pub(crate) fn undelivered(&mut self) -> Vec<Matter> {
        core::mem::take(&mut self.undelivered)
    }

    /// Whether [`Whispers::plan`] has something to look at.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_empty() && self.undelivered.is_empty()
    }
}

impl Delivery {
    /// How long one of its ways may take.
    const fn patience(&self) -> Duration {
        match self.about {
            Matter::Message(_) => WAY,
            Matter::Piece(_) => PIECE_WAY,
        }
    }

    fn next_way(&mut self, mut go: impl FnMut(&PeerId, &Circuit) -> Go) -> Option<Step> {
        while let Some(way) = self.ways.front() {
            let Some(peer) = peer_of(&way.peer) else {
                self.ways.pop_front();
                continue;
            };
            match go(&peer, way) {
                Go::Wait => {
                    self.waited = true;
                    return Some(Step::Wait);
                }
                Go::Send(path) => {
                    let way = self.ways.pop_front();
                    // A connection that was there already may be dead without having noticed.
                    let fresh = core::mem::take(&mut self.waited);
                    if !fresh && !core::mem::replace(&mut self.tried_open, true) {
                        self.ways.extend(way);
                    }
                    return Some(Step::Send(peer, path));
                }
                Go::Nowhere => {
                    self.waited = false;
                    self.ways.pop_front();
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use haggle_protocol::PublicKey;
    use haggle_protocol::keys::SigningKey;

    use super::*;
    use crate::clock;

    fn key(seed: u8) -> PublicKey {
        SigningKey::from_seed(&[seed; 32]).public()
    }

    fn way(relay: u8, peer: u8) -> Circuit {
        Circuit {
            relay: key(relay),
            address: String::new(),
            peer: key(peer),
        }
    }

    fn cell() -> Vec<u8> {
        vec![0; haggle_protocol::limits::CELL_SMALL]
    }

    const M: MessageId = MessageId([1; 32]);

    fn plan(whispers: &mut Whispers, now: Instant) -> Vec<Attempt> {
        // As if each way had been dialed for it.
        assert!(whispers.plan(now, |_, _| Go::Wait).is_empty());
        whispers.plan(now, |_, _| Go::Send(Path::Relayed))
    }

    #[test]
    fn a_way_that_fails_is_followed_by_the_next_and_the_last_by_giving_up() {
        let now = clock::instant();
        let mut whispers = Whispers::default();
        whispers.send(M, vec![way(1, 9), way(2, 9)], cell());
        let first = plan(&mut whispers, now);
        assert_eq!(first.len(), 1);
        whispers.on_failed(first[0].number);
        let second = plan(&mut whispers, now);
        assert_eq!(second.len(), 1);
        whispers.on_failed(second[0].number);
        assert!(plan(&mut whispers, now).is_empty());
        assert_eq!(whispers.undelivered(), [Matter::Message(M)]);
        assert!(whispers.is_idle());
    }

    #[test]
    fn a_way_without_an_answer_is_given_up_after_its_time_and_a_late_answer_still_counts() {
        let now = clock::instant();
        let mut whispers = Whispers::default();
        whispers.send(M, vec![way(1, 9), way(2, 9)], cell());
        let first = plan(&mut whispers, now);
        assert!(plan(&mut whispers, now + WAY - Duration::from_millis(1)).is_empty());
        let second = plan(&mut whispers, now + WAY);
        assert_eq!(second.len(), 1);
        assert_eq!(
            whispers.on_answer(first[0].number),
            Some(Matter::Message(M))
        );
        assert_eq!(
            whispers.on_answer(second[0].number),
            Some(Matter::Message(M))
        );
        assert_eq!(whispers.on_answer(second[0].number), None);
    }

    #[test]
    fn an_open_connection_that_is_dead_does_not_use_up_the_only_way() {
        let now = clock::instant();
        let mut whispers = Whispers::default();
        whispers.send(M, vec![way(1, 9)], cell());
        let first = whispers.plan(now, |_, _| Go::Send(Path::Direct));
        assert_eq!(first[0].path, Path::Direct);
        whispers.on_failed(first[0].number);
        let second = plan(&mut whispers, now);
        assert_eq!(second[0].path, Path::Relayed);
        whispers.on_failed(second[0].number);
        assert!(plan(&mut whispers, now).is_empty());
    }

    #[test]
    fn only_so_many_are_under_way_at_once_and_the_rest_waits() {
        let now = clock::instant();
        let mut whispers = Whispers::default();
        for byte in 0..=255 {
            whispers.send(MessageId([byte; 32]), vec![way(1, 9)], cell());
        }
        let first = plan(&mut whispers, now);
        assert_eq!(first.len(), UNDER_WAY_MAX);
        whispers.on_answer(first[0].number);
        assert_eq!(plan(&mut whispers, now).len(), 1);
    }

    #[test]
    fn a_question_for_a_piece_takes_the_same_ways_and_is_reported_by_its_name() {
        let now = clock::instant();
        let mut whispers = Whispers::default();
        let piece = Piece {
            file: haggle_protocol::FileId([4; 32]),
            index: 2,
        };
        whispers.fetch(piece, vec![way(1, 9), way(2, 9)]);
        let first = plan(&mut whispers, now);
        assert_eq!(first[0].request, Request::Piece(piece));
        whispers.on_failed(first[0].number);
        let second = plan(&mut whispers, now);
        assert_eq!(
            whispers.on_answer(second[0].number),
            Some(Matter::Piece(piece))
        );
        whispers.fetch(piece, vec![way(1, 9)]);
        assert!(whispers.plan(now, |_, _| Go::Nowhere).is_empty());
        assert_eq!(whispers.undelivered(), [Matter::Piece(piece)]);
    }

    #[test]
    fn a_way_that_may_not_be_dialed_is_passed_over() {
        let mut whispers = Whispers::default();
        whispers.send(M, vec![way(1, 9)], cell());
        assert!(
            whispers
                .plan(clock::instant(), |_, _| Go::Nowhere)
                .is_empty()
        );
        assert_eq!(whispers.undelivered(), [Matter::Message(M)]);
    }

    #[test]
    fn a_cell_that_waits_for_a_dial_holds_up_no_other() {
        let now = clock::instant();
        let mut whispers = Whispers::default();
        let other = MessageId([2; 32]);
        whispers.send(M, vec![way(1, 9)], cell());
        whispers.send(other, vec![way(1, 8)], cell());
        let first = peer_of(&key(9)).unwrap();
        let go = |peer: &PeerId, _: &Circuit| {
            if *peer == first {
                Go::Wait
            } else {
                Go::Send(Path::Direct)
            }
        };
        let sent = whispers.plan(now, go);
        assert_eq!(sent.len(), 1);
        assert_ne!(sent[0].peer, first);
        assert_eq!(plan(&mut whispers, now).len(), 1);
        assert!(whispers.undelivered().is_empty());
    }
}
