//! The book against a plain model: a list of every frame it was shown, searched from end to end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use haggle_protocol::limits::POW_FLOOR;
use haggle_protocol::{Frame, FrameId, IntentId, Kind, PublicKey, Refusal, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;

use super::support::*;
use crate::{Book, Limits, Source};

/// What one author says of an intent; what a model needs to know of it.
struct Said {
    frame: Frame,
    of: IntentId,
    /// Above every revision for a close: it outranks them all.
    rank: u64,
}

const AUTHORS: u64 = 8;

/// All that is ever said in these tests; signed once, because work is work.
fn said() -> &'static [Said] {
    static SAID: OnceLock<Vec<Said>> = OnceLock::new();
    SAID.get_or_init(|| {
        let mut said = Vec::new();
        for number in 0..AUTHORS {
            let bits = POW_FLOOR + u32::try_from(number % 3).unwrap();
            let author = |after, life| Author {
                bits,
                after,
                life,
                ..Author::new(number)
            };
            let first = author(0, 1_200).first("a lamp");
            let of = id(&first);
            for (rank, frame) in [
                (0, first),
                (2, author(300, 1_200).update(of, 1, "a lamp, brass")),
                (4, author(600, 1_800).update(of, 3, "a lamp, tall")),
                (100, author(600, 1_800).close(of, 2)),
                (1, author(0, 2_400).reach(of, 1)),
                (2, author(0, 600).reach(of, 2)),
                (1, author(0, 900).unheard(40, b"one")),
                (2, author(120, 900).unheard(40, b"two")),
            ] {
                said.push(Said { frame, of, rank });
            }
        }
        said
    })
}

#[derive(Clone, Debug)]
enum Step {
    Show { which: usize, by: u8 },
    Wait { seconds: u64 },
    Read { max: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let count = usize::try_from(AUTHORS).unwrap() * 8;
    vec(
        prop_oneof![
            6 => (0..count, 0..6u8).prop_map(|(which, by)| Step::Show { which, by }),
            1 => (1..400u64).prop_map(|seconds| Step::Wait { seconds }),
            1 => (0..3_000usize).prop_map(|max| Step::Read { max }),
        ],
        1..120,
    )
}

/// What stands in one place: key and kind, where a first frame and its revisions share one.
fn place(frame: &Frame) -> (PublicKey, u8) {
    let kind = match frame.header().kind {
        Kind::Intent | Kind::IntentUpdate => Kind::Intent,
        other @ (Kind::IntentClose | Kind::Reach | Kind::Other(_)) => other,
    };
    (frame.header().key, kind.to_wire())
}

/// The plain model: it remembers all that was shown in time and derives what holds.
#[derive(Default)]
struct Model {
    live: Vec<usize>,
}

impl Model {
    fn show(&mut self, which: usize) -> Result<(), Refusal> {
        let new = &said()[which];
        let same_place = |other: &&usize| place(&said()[**other].frame) == place(&new.frame);
        if self.live.contains(&which) {
            return Err(Refusal::Duplicate);
        }
        let intent = place(&new.frame).1 == Kind::Intent.to_wire();
        let closed = self.live.iter().any(|other| {
            said()[*other].of == new.of && said()[*other].frame.header().kind == Kind::IntentClose
        });
        if intent && closed {
            return Err(Refusal::Closed);
        }
        if self
            .live
            .iter()
            .filter(same_place)
            .any(|other| said()[*other].rank >= new.rank)
        {
            return Err(Refusal::OlderRevision);
        }
        let close = new.frame.header().kind == Kind::IntentClose;
        self.live.retain(|other| {
            let other = &said()[*other];
            let ended =
                close && other.of == new.of && place(&other.frame).1 == Kind::Intent.to_wire();
            place(&other.frame) != place(&new.frame) && !ended
        });
        self.live.push(which);
        Ok(())
    }

    fn expire(&mut self, now: Timestamp) {
        self.live
            .retain(|which| said()[*which].frame.header().expires > now);
    }

    fn open(&self) -> BTreeMap<IntentId, FrameId> {
        let live = self.live.iter().map(|which| &said()[*which]);
        live.filter(|said| place(&said.frame).1 == Kind::Intent.to_wire())
            .map(|said| (said.of, said.frame.id()))
            .collect()
    }

    fn ids(&self) -> Vec<FrameId> {
        self.live
            .iter()
            .map(|which| said()[*which].frame.id())
            .collect()
    }
}

fn ids(frames: &[Vec<u8>]) -> Vec<FrameId> {
    let of = |bytes: &Vec<u8>| {
        let known = said().iter().find(|said| said.frame.bytes() == &bytes[..]);
        known.unwrap().frame.id()
    };
    frames.iter().map(of).collect()
}

fn in_time(which: usize, now: Timestamp) -> bool {
    let header = said()[which].frame.header();
    header.expires > now && header.created <= now + haggle_protocol::limits::CLOCK_SKEW
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn with_room_enough_the_book_says_and_holds_what_the_plain_model_does(steps in steps()) {
        let mut book = book(Limits::relay());
        let mut model = Model::default();
        let mut now = NOON;
        // A reader that walks along while frames enter.
        let (mut cursor, mut heard) = (None, BTreeSet::new());
        for step in steps {
            match step {
                Step::Show { which, by } => {
                    let source = Source::Book(PublicKey([by; 32]));
                    let took = book.enter(said()[which].frame.bytes(), source, now);
                    if !in_time(which, now) {
                        prop_assert!(took.is_err());
                    } else if !matches!(took, Err(Refusal::AuthorRate)) {
                        prop_assert_eq!(took.map(|_| ()), model.show(which));
                    }
                }
                Step::Wait { seconds } => {
                    now = now + seconds;
                    let before = model.open();
                    model.expire(now);
                    let after = model.open();
                    let ended: BTreeSet<_> = book.expire(now).into_iter().collect();
                    let gone = before.keys().filter(|id| !after.contains_key(*id)).copied();
                    prop_assert_eq!(ended, gone.collect::<BTreeSet<_>>());
                }
                Step::Read { max } => {
                    let page = book.page(cursor, max);
                    cursor = Some(page.cursor);
                    heard.extend(ids(&page.frames));
                }
            }
            book.check();
            let open: BTreeMap<_, _> =
                book.iter_open().map(|open| (open.id, open.frame.id())).collect();
            prop_assert_eq!(&open, &model.open());
            for (id, frame) in &open {
                prop_assert_eq!(book.open(id).unwrap().frame.id(), *frame);
            }
        }
        // A fresh reader gets exactly what holds, in the order of arrival; the one who walked along misses nothing.
        prop_assert_eq!(ids(&book.page(None, usize::MAX).frames), model.ids());
        heard.extend(ids(&book.page(cursor, usize::MAX).frames));
        for live in model.ids() {
            prop_assert!(heard.contains(&live));
        }
    }

    #[test]
    fn whatever_is_shown_in_whatever_order_the_bounds_hold(
        steps in steps(),
        room in 1..12usize,
        share in 1..60usize,
    ) {
        let limits = Limits {
            bytes: room * 2_000,
            source_share: share,
            ..Limits::relay()
        };
        let mut book = book(limits);
        let mut now = NOON;
        for step in steps {
            match step {
                Step::Show { which, by } => {
                    let source = match by {
                        0 => Source::Own,
                        1 => Source::Peer(PublicKey([1; 32])),
                        other => Source::Book(PublicKey([other; 32])),
                    };
                    let before = book.len();
                    let frame = &said()[which].frame;
                    match book.enter(frame.bytes(), source, now) {
                        Ok(entered) => {
                            prop_assert_eq!(entered.frame.id(), frame.id());
                            prop_assert_eq!(book.frames(&[frame.id()], 1).len(), 1);
                        }
                        Err(Refusal::Expired) => {}
                        Err(_) => prop_assert!(book.len() <= before),
                    }
                }
                Step::Wait { seconds } => {
                    now = now + seconds;
                    book.expire(now);
                }
                Step::Read { max } => {
                    let page = book.page(None, max);
                    prop_assert!(page.frames.len() <= book.len());
                }
            }
            book.check();
        }
    }

    #[test]
    fn two_books_that_heard_the_same_in_another_order_hold_the_same(
        order in Just((0..said().len()).collect::<Vec<_>>()).prop_shuffle(),
        count in 1..64usize,
    ) {
        let now = NOON + 590;
        let heard = &order[..count];
        let hold = |order: &mut dyn Iterator<Item = &usize>| {
            let mut book = Book::new(network(), Limits { author_burst: 100, ..Limits::relay() }, 1);
            for which in order {
                let _ = book.enter(said()[*which].frame.bytes(), Source::Own, now);
            }
            let (ids, _, _) = book.ids(None, usize::MAX);
            ids.into_iter().collect::<BTreeSet<_>>()
        };
        prop_assert_eq!(hold(&mut heard.iter()), hold(&mut heard.iter().rev()));
    }
}
