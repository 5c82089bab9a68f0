//! Reads the books of relays, so that who comes late knows what was said before.
//!
//! Gossip is subscribed to first; then one relay is asked for its frames and every other one only for ids, and what it
//! has and the first one kept back is fetched. A cursor a relay makes the next question a small one. Bookkeeping only:
//! the loop sends the questions and brings the answers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use haggle_book::Cursor;
use haggle_net::book::{IDS_ASKED_MAX, Response, Want};
use haggle_protocol::limits::CLOCK_SKEW;
use haggle_protocol::{FrameId, Timestamp};
use libp2p::PeerId;

use crate::clock::Instant;

/// Books are compared this often, to heal what gossip lost.
const COMPARE: Duration = Duration::from_secs(120);
/// After a question that failed, or was asked too often.
const AFTER_FAILURE: Duration = Duration::from_secs(10);
/// Questions to one relay in a row: a book of 16 MiB has 16 pages, and one that never ends shall not keep us for ever.
const QUESTIONS_MAX: u32 = 64;
/// Ids that are waited for at most; the rest is seen at the next comparison.
const MISSING_MAX: usize = 16_384;
/// A clock that differs by less, in seconds, does no harm: half of what the wire allows, and more than a slow answer takes.
const CLOCK_WORTH_TELLING: u64 = CLOCK_SKEW / 2;
/// Relays whose cursors are kept.
const RELAYS_MAX: usize = 64;

#[derive(Debug)]
struct Reading {
    cursor: Option<Cursor>,
    missing: VecDeque<FrameId>,
    due: Instant,
    asked: u32,
    waiting: Option<u64>,
    /// How many participants it last told of, while it is connected.
    others: Option<u32>,
    /// By how many seconds our clock was ahead of its.
    ahead: Option<i64>,
}

/// A question to a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// Names it in the answer.
    pub(crate) number: u64,
    pub(crate) peer: PeerId,
    pub(crate) want: Want,
}

/// What an answer brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Brought {
    /// Frames to be looked at.
    pub(crate) frames: Vec<Vec<u8>>,
    /// The code of a refusal.
    pub(crate) refused: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Sync {
    relays: BTreeMap<PeerId, Reading>,
    /// Who is being asked for frames, while nobody's book was read whole.
    reader: Option<PeerId>,
    /// Whether one book was read whole since the start.
    whole: bool,
    next: u64,
}

impl Sync {
    /// What to ask of these connected relays now. One question for each at a time.
    pub(crate) fn plan(
        &mut self,
        books: impl IntoIterator<Item = PeerId>,
        now: Instant,
    ) -> Vec<Question> {
        let mut questions = Vec::new();
        for peer in books {
            if self.relays.len() >= RELAYS_MAX && !self.relays.contains_key(&peer) {
                self.forget_one();
            }
            let reading = self.relays.entry(peer).or_insert(Reading {
                cursor: None,
                missing: VecDeque::new(),
                due: now,
                asked: 0,
                waiting: None,
                others: None,
                ahead: None,
            });
            if reading.waiting.is_some() || reading.due > now {
                continue;
            }
            let want = if reading.missing.is_empty() {
                if self.whole || self.reader.is_some_and(|reader| reader != peer) {
                    Want::Ids(reading.cursor)
                } else {
                    self.reader = Some(peer);
                    Want::Frames(reading.cursor)
                }
            } else {
                let some = reading.missing.len().min(IDS_ASKED_MAX);
                Want::ById(reading.missing.drain(..some).collect())
            };
            let number = self.next;
            self.next += 1;
            reading.asked += 1;
            reading.waiting = Some(number);
            questions.push(Question { number, peer, want });
        }
        questions
    }

    fn forget_one(&mut self) {
        let idle = self
            .relays
            .iter()
            .find(|(_, reading)| reading.waiting.is_none());
        if let Some(peer) = idle.map(|(peer, _)| *peer) {
            self.relays.remove(&peer);
        }
    }

    /// An answer came, when our clock showed `time`. `known` is asked only for ids.
    pub(crate) fn on_answer(
        &mut self,
        peer: &PeerId,
        number: u64,
        answer: Response,
        known: impl FnOnce() -> BTreeSet<FrameId>,
        now: Instant,
        time: Timestamp,
    ) -> Brought {
        let Some(reading) = self.relays.get_mut(peer) else {
            return Brought::default();
        };
        if reading.waiting != Some(number) {
            return Brought::default();
        }
        reading.waiting = None;
        let notice = answer.notice();
        reading.others = notice.others.or(reading.others);
        let ahead = notice.now.and_then(|theirs| {
            let (ours, theirs) = (i64::try_from(time.0).ok()?, i64::try_from(theirs.0).ok()?);
            Some(ours - theirs)
        });
        reading.ahead = ahead.or(reading.ahead);
        let is_reader = self.reader == Some(*peer);
        match answer {
            Response::Frames {
                cursor,
                more,
                frames,
                ..
            } => {
                // By id there is no cursor, and what is missing still says whether there is more.
                let by_id = cursor.is_none();
                reading.cursor = cursor.or(reading.cursor);
                let more = more && !by_id;
                reading.go_on(more, now);
                if is_reader && !by_id && !more {
                    self.whole = true;
                    self.reader = None;
                }
                Brought {
                    frames,
                    refused: None,
                }
            }
            Response::Ids {
                cursor, more, ids, ..
            } => {
                let known = known();
                reading.cursor = Some(cursor);
                let room = MISSING_MAX.saturating_sub(reading.missing.len());
                let missing = ids.into_iter().filter(|id| !known.contains(id));
                reading.missing.extend(missing.take(room));
                reading.go_on(more, now);
                Brought::default()
            }
            Response::Refused(code) => {
                self.on_failed(peer, number, now);
                Brought {
                    frames: Vec::new(),
                    refused: Some(code.as_str().to_owned()),
                }
            }
        }
    }

    /// No answer came.
    pub(crate) fn on_failed(&mut self, peer: &PeerId, number: u64, now: Instant) {
        if self.reader == Some(*peer) {
            // The next one is asked for frames instead.
            self.reader = None;
        }
        if let Some(reading) = self.relays.get_mut(peer)
            && reading.waiting.is_none_or(|waiting| waiting == number)
        {
            reading.waiting = None;
            reading.asked = 0;
            reading.due = now + AFTER_FAILURE;
        }
    }

    /// It is gone; its cursor is kept for when it comes back.
    pub(crate) fn on_disconnected(&mut self, peer: &PeerId, now: Instant) {
        if self.reader == Some(*peer) {
            self.reader = None;
        }
        if let Some(reading) = self.relays.get_mut(peer) {
            reading.waiting = None;
            reading.asked = 0;
            reading.due = now;
            reading.others = None;
            reading.ahead = None;
        }
    }

    /// How many other participants the connected relays tell of: the most that one of them says, because who is
    /// connected to several is counted by each.
    pub(crate) fn others(&self) -> Option<u32> {
        let told = self.relays.values().filter_map(|reading| reading.others);
        told.max()
    }

    /// By how many seconds our clock is ahead of the relays' (negative: behind), if that is worth telling. All relays that tell the
    /// time must agree on the direction, and the least of what they say is believed.
    pub(crate) fn clock_ahead(&self) -> Option<i64> {
        let told = || self.relays.values().filter_map(|reading| reading.ahead);
        let least = told().min_by_key(|ahead| ahead.unsigned_abs())?;
        let agreed = told().all(|ahead| ahead.signum() == least.signum());
        (agreed && least.unsigned_abs() >= CLOCK_WORTH_TELLING).then_some(least)
    }
}

impl Reading {
    fn go_on(&mut self, more: bool, now: Instant) {
        let more = more || !self.missing.is_empty();
        if more && self.asked < QUESTIONS_MAX {
            self.due = now;
        } else {
            self.asked = 0;
            self.due = now + COMPARE;
        }
    }
}

#[cfg(test)]
mod tests {
    use haggle_net::book::Notice;
    use libp2p::identity::Keypair;

    use super::*;
    use crate::clock;

    const TIME: Timestamp = Timestamp(1_800_000_000);

    fn peer(seed: u8) -> PeerId {
        let identity = Keypair::ed25519_from_bytes([seed; 32]).unwrap();
        identity.public().to_peer_id()
    }

    fn cursor(at: u64) -> Cursor {
        Cursor { epoch: 7, at }
    }

    fn frames(at: u64, more: bool) -> Response {
        Response::Frames {
            cursor: Some(cursor(at)),
            more,
            frames: vec![vec![1]],
            notice: Notice::default(),
        }
    }

    fn nothing() -> BTreeSet<FrameId> {
        BTreeSet::new()
    }

    #[test]
    fn one_relay_is_read_whole_and_what_another_has_beside_it_is_fetched() {
        let (a, b) = (peer(1), peer(2));
        let now = clock::instant();
        let mut sync = Sync::default();
        let first = sync.plan([a, b], now);
        assert_eq!(first[0].want, Want::Frames(None));
        assert_eq!(first[1].want, Want::Ids(None));
        assert!(
            sync.plan([a, b], now).is_empty(),
            "one question each at a time"
        );

        let brought = sync.on_answer(&a, first[0].number, frames(1, true), nothing, now, TIME);
        assert_eq!(brought.frames, [vec![1]]);
        let second = sync.plan([a, b], now);
        assert_eq!(second[0].want, Want::Frames(Some(cursor(1))));
        sync.on_answer(&a, second[0].number, frames(2, false), nothing, now, TIME);
        assert!(sync.plan([a], now).is_empty());

        let (known, hidden) = (FrameId([1; 32]), FrameId([2; 32]));
        let ids = Response::Ids {
            cursor: cursor(9),
            more: false,
            ids: vec![known, hidden],
            notice: Notice::default(),
        };
        sync.on_answer(&b, first[1].number, ids, || [known].into(), now, TIME);
        let third = sync.plan([a, b], now);
        assert_eq!(third.len(), 1);
        assert_eq!(third[0].want, Want::ById(vec![hidden]));
        let found = Response::Frames {
            cursor: None,
            more: false,
            frames: vec![vec![2]],
            notice: Notice::default(),
        };
        let brought = sync.on_answer(&b, third[0].number, found, nothing, now, TIME);
        assert_eq!(brought.frames, [vec![2]]);
        let compared = sync.plan([a, b], now + COMPARE);
        assert_eq!(compared[0].want, Want::Ids(Some(cursor(2))));
        assert_eq!(compared[1].want, Want::Ids(Some(cursor(9))));
    }

    #[test]
    fn what_relays_tell_of_others_is_the_most_that_a_connected_one_says() {
        let (a, b) = (peer(1), peer(2));
        let now = clock::instant();
        let mut sync = Sync::default();
        let asked = sync.plan([a, b], now);
        assert_eq!(sync.others(), None);
        for (question, count) in asked.iter().zip([4, 9]) {
            let answer = frames(1, false).with_notice(Notice {
                others: Some(count),
                now: None,
            });
            sync.on_answer(&question.peer, question.number, answer, nothing, now, TIME);
        }
        assert_eq!(sync.others(), Some(9));
        sync.on_disconnected(&b, now);
        assert_eq!(sync.others(), Some(4));
        sync.on_disconnected(&a, now);
        assert_eq!(sync.others(), None);
    }

    #[test]
    fn a_clock_is_wrong_if_all_relays_say_so_by_a_minute_or_more() {
        let (a, b) = (peer(1), peer(2));
        let now = clock::instant();
        let ahead = |of_a: i64, of_b: i64| {
            let mut sync = Sync::default();
            let asked = sync.plan([a, b], now);
            for (question, ahead) in asked.iter().zip([of_a, of_b]) {
                let theirs = TIME.0.checked_add_signed(-ahead).map(Timestamp);
                let answer = frames(1, false).with_notice(Notice {
                    others: None,
                    now: theirs,
                });
                sync.on_answer(&question.peer, question.number, answer, nothing, now, TIME);
            }
            sync.clock_ahead()
        };
        assert_eq!(ahead(300, 90), Some(90));
        assert_eq!(ahead(-300, -61), Some(-61));
        assert_eq!(ahead(300, 59), None);
        assert_eq!(
            ahead(300, -300),
            None,
            "one of them is wrong, and who knows which"
        );
    }

    #[test]
    fn when_the_first_relay_fails_another_one_is_asked_for_its_frames() {
        let (a, b) = (peer(1), peer(2));
        let now = clock::instant();
        let mut sync = Sync::default();
        let first = sync.plan([a], now);
        sync.on_failed(&a, first[0].number, now);
        assert_eq!(sync.plan([a, b], now)[0].want, Want::Frames(None));
        assert_eq!(sync.reader, Some(b));
    }

    #[test]
    fn after_a_reconnection_a_relay_is_asked_for_what_is_new_since_then() {
        let a = peer(1);
        let now = clock::instant();
        let mut sync = Sync::default();
        let first = sync.plan([a], now);
        sync.on_answer(&a, first[0].number, frames(5, false), nothing, now, TIME);
        sync.on_disconnected(&a, now);
        assert_eq!(sync.plan([a], now)[0].want, Want::Ids(Some(cursor(5))));
    }

    #[test]
    fn an_answer_to_a_question_that_was_not_asked_changes_nothing() {
        let a = peer(1);
        let now = clock::instant();
        let mut sync = Sync::default();
        let first = sync.plan([a], now);
        let brought = sync.on_answer(
            &a,
            first[0].number + 1,
            frames(5, false),
            nothing,
            now,
            TIME,
        );
        assert_eq!(brought, Brought::default());
        assert!(!sync.whole);
    }

    #[test]
    fn a_relay_whose_book_never_ends_is_left_alone_after_a_while() {
        let a = peer(1);
        let now = clock::instant();
        let mut sync = Sync::default();
        let mut asked = 0;
        while let [question] = &sync.plan([a], now)[..] {
            asked += 1;
            assert!(asked <= QUESTIONS_MAX);
            sync.on_answer(
                &a,
                question.number,
                frames(u64::from(asked), true),
                nothing,
                now,
                TIME,
            );
        }
        assert_eq!(asked, QUESTIONS_MAX);
    }
}
