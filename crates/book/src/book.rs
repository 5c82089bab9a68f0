//! The book itself: one slot for each intent key, and what may stand in it.

use core::fmt;
use std::collections::BTreeMap;
use std::sync::Arc;

use haggle_protocol::intent::{IntentClose, intent_id};
use haggle_protocol::limits::POW_FLOOR;
use haggle_protocol::{
    Frame, FrameId, Intent, IntentId, Kind, Network, PublicKey, Reach, Refusal, Timestamp,
};

use crate::limits::{Limits, Source, Used};
use crate::room::{self, Newcomer};
use crate::shelf::{Held, Read, Shelf};

/// How far somebody has read in one book. It means nothing to another book, nor to this one after a restart: then
/// the epoch differs and reading starts over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Which book: drawn at random when it was opened.
    pub epoch: u64,
    /// The last arrival that was read.
    pub at: u64,
}

/// A part of the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Frames as they were signed, in the order of their arrival.
    pub frames: Vec<Vec<u8>>,
    /// From where to go on.
    pub cursor: Cursor,
    /// Whether there is more to be read now.
    pub more: bool,
}

/// What a frame turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noun {
    /// A new intent, or a newer revision of one.
    Intent {
        /// Its name, the same for all revisions.
        id: IntentId,
        /// What is wanted.
        intent: Box<Intent>,
    },
    /// An intent ended.
    Closed {
        /// Its name.
        id: IntentId,
    },
    /// An intent's owner can be reached, or moved.
    Reach {
        /// The intent's name.
        id: IntentId,
        /// By which ways.
        reach: Box<Reach>,
    },
    /// A kind that a newer version reads: kept and passed on.
    Opaque,
}

/// A frame that was taken.
#[derive(Clone, Debug)]
pub struct Entered {
    /// The frame.
    pub frame: Arc<Frame>,
    /// What it says.
    pub noun: Noun,
}

/// An intent that is open now.
#[derive(Clone, Copy, Debug)]
pub struct Open<'a> {
    /// Its name.
    pub id: IntentId,
    /// The key that speaks for it.
    pub key: PublicKey,
    /// The frame of its newest revision.
    pub frame: &'a Frame,
    /// What that says.
    pub intent: &'a Intent,
    /// Where its owner can be reached, if he said so.
    pub reach: Option<&'a Reach>,
}

/// What one intent key has said. Numbers are places on the shelf.
#[derive(Debug, Default)]
struct Slot {
    /// The intent that this key speaks for.
    first: Option<IntentId>,
    intent: Option<u64>,
    close: Option<u64>,
    reach: Option<u64>,
    opaque: BTreeMap<u8, u64>,
    used: Used,
}

impl Slot {
    fn is_empty(&self) -> bool {
        self.intent.is_none()
            && self.close.is_none()
            && self.reach.is_none()
            && self.opaque.is_empty()
    }

    fn forget(&mut self, at: u64) {
        for place in [&mut self.intent, &mut self.close, &mut self.reach] {
            if *place == Some(at) {
                *place = None;
            }
        }
        self.opaque.retain(|_, place| *place != at);
    }
}

/// The public frames that still hold.
pub struct Book {
    network: Network,
    limits: Limits,
    epoch: u64,
    shelf: Shelf,
    slots: BTreeMap<PublicKey, Slot>,
    /// Which key speaks for an intent.
    speakers: BTreeMap<IntentId, PublicKey>,
    sources: BTreeMap<PublicKey, Used>,
    /// Intents whose time ended while something else was done, and since when; told by the next [`Book::expire`].
    ended: Vec<IntentId>,
    swept: Timestamp,
}

impl Book {
    /// An empty book. `epoch` is drawn at random at each start, so that a reader's cursor from before the start is
    /// recognised as foreign.
    #[must_use]
    pub fn new(network: Network, limits: Limits, epoch: u64) -> Self {
        let limits = Limits {
            bytes: limits.bytes.max(Limits::LEAST_BYTES),
            ..limits
        };
        Self {
            network,
            limits,
            epoch,
            shelf: Shelf::default(),
            slots: BTreeMap::new(),
            speakers: BTreeMap::new(),
            sources: BTreeMap::new(),
            ended: Vec::new(),
            swept: Timestamp::default(),
        }
    }

    /// Takes a frame, or refuses it.
    ///
    /// The order of the checks: size, version, network, times, work and signature ([`Frame::open`]), known already,
    /// the source's rate, work asked at the present load, the author's rate, body, revision, room.
    /// What a frame replaces leaves at once; what it drives out for room is counted by nobody but the bounds.
    ///
    /// # Errors
    /// The [`Refusal`] of the first check that fails. [`Refusal::verdict`] says what gossip does with it.
    pub fn enter(
        &mut self,
        bytes: &[u8],
        source: Source,
        now: Timestamp,
    ) -> Result<Entered, Refusal> {
        let frame = Frame::open(bytes, self.network, now)?;
        self.sweep(now);
        if self.shelf.knows(&frame.id()) {
            return Err(Refusal::Duplicate);
        }
        self.count_source(source, now)?;
        self.check_work(&frame, source)?;
        let header = *frame.header();
        let slot = self.slots.get(&header.key);
        let author = self.limits.author();
        if source != Source::Own && slot.is_some_and(|slot| !slot.used.allows(author, now)) {
            return Err(Refusal::AuthorRate);
        }
        if slot.is_some_and(|slot| slot.close.is_some())
            && matches!(header.kind, Kind::Intent | Kind::IntentUpdate)
        {
            return Err(Refusal::Closed);
        }

        let (read, id) = self.read(&frame)?;
        if let Some(id) = id {
            self.check_speaker(id, &frame)?;
        }
        let replaces = self.replaces(&frame, &read)?;
        let newcomer = Newcomer {
            key: header.key,
            source,
            work: frame.work(),
            cost: Limits::cost(frame.bytes().len()),
            replaces: &replaces,
        };
        let victims = room::victims(&self.shelf, &self.limits, &newcomer)?;
        for at in victims {
            self.remove(at);
        }
        let noun = noun(&read, id);
        let frame = Arc::new(frame);
        self.place(&frame, read, id, source, now, &replaces);
        Ok(Entered { frame, noun })
    }

    /// Lets go of everything whose time is over.
    ///
    /// Returns the intents that were open and ended by it. Call it when [`Book::next_expiry`] says so.
    pub fn expire(&mut self, now: Timestamp) -> Vec<IntentId> {
        self.sweep(now);
        core::mem::take(&mut self.ended)
    }

    /// When [`Book::expire`] has something to do next.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Timestamp> {
        if self.ended.is_empty() {
            self.shelf.next_expiry().map(|(expires, _)| expires)
        } else {
            Some(self.swept)
        }
    }

    /// The intent of this name; `None` if it is closed or over, or if only a reach of it is known.
    #[must_use]
    pub fn open(&self, id: &IntentId) -> Option<Open<'_>> {
        let key = self.speakers.get(id)?;
        self.open_slot(*key, self.slots.get(key)?)
    }

    /// Every open intent, in the order of their keys.
    pub fn iter_open(&self) -> impl Iterator<Item = Open<'_>> {
        let slots = self.slots.iter();
        slots.filter_map(|(key, slot)| self.open_slot(*key, slot))
    }

    /// The frames that arrived after `since`, as many as fit `max_bytes` and at least one if there is one, so that
    /// a walk always ends. Without a cursor, or with one of another epoch, from the beginning.
    ///
    /// Frames that arrive during a walk come at its end; those that were replaced or ended are left out.
    #[must_use]
    pub fn page(&self, since: Option<Cursor>, max_bytes: usize) -> Page {
        let mut frames: Vec<Vec<u8>> = Vec::new();
        let mut left = max_bytes;
        let (cursor, more) = self.walk(since, |held| {
            let bytes = held.frame.bytes();
            if bytes.len() > left && !frames.is_empty() {
                return false;
            }
            left = left.saturating_sub(bytes.len());
            frames.push(bytes.to_vec());
            true
        });
        Page {
            frames,
            cursor,
            more,
        }
    }

    /// The names of the frames that arrived after `since`, at most `max` of them and at least one if there is one:
    /// from where to go on, and whether there is more.
    #[must_use]
    pub fn ids(&self, since: Option<Cursor>, max: usize) -> (Vec<FrameId>, Cursor, bool) {
        let mut ids = Vec::new();
        let (cursor, more) = self.walk(since, |held| {
            let room = ids.len() < max.max(1);
            if room {
                ids.push(held.frame.id());
            }
            room
        });
        (ids, cursor, more)
    }

    /// Those of the named frames that are known, in the given order, as many as fit `max_bytes` and at least one.
    #[must_use]
    pub fn frames(&self, ids: &[FrameId], max_bytes: usize) -> Vec<Vec<u8>> {
        let mut frames: Vec<Vec<u8>> = Vec::new();
        let mut left = max_bytes;
        for held in ids.iter().filter_map(|id| self.shelf.find(id)) {
            let bytes = held.frame.bytes();
            if bytes.len() > left && !frames.is_empty() {
                break;
            }
            left = left.saturating_sub(bytes.len());
            frames.push(bytes.to_vec());
        }
        frames
    }

    /// How many frames it holds, of all kinds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shelf.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The memory it uses, in bytes, as [`Limits::cost`] counts it.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.shelf.bytes()
    }

    /// How much it takes.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Leading zero bits of work asked of a new frame now: the floor, and up to four more as the book fills (each
    /// doubles the work), so that room gets dearer before it runs out.
    #[must_use]
    pub fn work_asked(&self) -> u32 {
        let floor = self.limits.min_work.max(POW_FLOOR);
        let load = [50, 70, 85, 95];
        let filled = |percent: &&usize| self.bytes() > self.limits.percent(**percent);
        let raised = load.iter().filter(filled).count();
        floor + u32::try_from(raised).unwrap_or(0)
    }

    fn check_work(&self, frame: &Frame, source: Source) -> Result<(), Refusal> {
        // A close makes room and never asks for any, so load does not make it dearer.
        let closes = frame.header().kind == Kind::IntentClose
            && self.slots.contains_key(&frame.header().key);
        let asked = match source {
            Source::Peer(_) if !closes => self.work_asked(),
            Source::Own | Source::Peer(_) | Source::Book(_) => self.limits.min_work,
        };
        if frame.work() < asked {
            return Err(Refusal::TooLittleWork);
        }
        Ok(())
    }

    fn count_source(&mut self, source: Source, now: Timestamp) -> Result<(), Refusal> {
        let Source::Peer(peer) = source else {
            return Ok(());
        };
        let rate = self.limits.source();
        if !self.sources.contains_key(&peer) && self.sources.len() >= self.limits.sources {
            self.sources.retain(|_, used| !used.rested(rate, now));
            if self.sources.len() >= self.limits.sources {
                return Err(Refusal::SourceRate);
            }
        }
        let used = self.sources.entry(peer).or_default();
        if !used.allows(rate, now) {
            return Err(Refusal::SourceRate);
        }
        used.count(rate, now);
        Ok(())
    }

    /// The body of a known kind, and the intent that it belongs to.
    fn read(&self, frame: &Frame) -> Result<(Read, Option<IntentId>), Refusal> {
        let header = frame.header();
        Ok(match header.kind {
            Kind::Intent | Kind::IntentUpdate => {
                let intent = Intent::from_frame(frame)?;
                let id = intent_id(frame.id(), intent.revision);
                let rev = intent.revision.map(|revision| revision.rev);
                let intent = Box::new(intent);
                (Read::Intent { rev, intent }, Some(id))
            }
            Kind::IntentClose => {
                let revision = IntentClose::from_body(frame.body())?.revision;
                (Read::Close { rev: revision.rev }, Some(revision.first))
            }
            Kind::Reach => {
                let (network, expires) = (self.network, header.expires);
                let reach = Reach::from_body(frame.body(), network, &header.key, expires)?;
                let first = reach.revision.first;
                (Read::Reach(Box::new(reach)), Some(first))
            }
            Kind::Other(_) => (Read::Opaque, None),
        })
    }

    /// One key speaks for one intent, and one intent has one key. A first frame proves its key, because its id
    /// covers it; until it is seen, the key that spoke first is believed.
    fn check_speaker(&self, id: IntentId, frame: &Frame) -> Result<(), Refusal> {
        let header = frame.header();
        let slot = self.slots.get(&header.key);
        if slot
            .and_then(|slot| slot.first)
            .is_some_and(|first| first != id)
        {
            return Err(Refusal::WrongIntent);
        }
        match self.speakers.get(&id) {
            Some(speaker) if *speaker != header.key && header.kind != Kind::Intent => {
                Err(Refusal::WrongIntent)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// What goes when this frame is taken.
    fn replaces(&self, frame: &Frame, read: &Read) -> Result<Vec<u64>, Refusal> {
        let header = frame.header();
        let Some(slot) = self.slots.get(&header.key) else {
            return Ok(Vec::new());
        };
        let known = |place: Option<u64>| place.and_then(|at| self.shelf.at(at));
        let older = match read {
            Read::Intent { rev, .. } => known(slot.intent)
                .is_some_and(|held| matches!(&held.read, Read::Intent { rev: known, .. } if known >= rev)),
            Read::Close { rev } => known(slot.close)
                .is_some_and(|held| matches!(&held.read, Read::Close { rev: known } if known >= rev)),
            Read::Reach(reach) => known(slot.reach).is_some_and(|held| {
                matches!(&held.read, Read::Reach(known) if known.revision.rev >= reach.revision.rev)
            }),
            Read::Opaque => known(slot.opaque.get(&header.kind.to_wire()).copied())
                .is_some_and(|held| held.frame.header().created >= header.created),
        };
        if older {
            return Err(Refusal::OlderRevision);
        }
        let places = match read {
            Read::Intent { .. } => [slot.intent, None],
            // A close ends the intent whatever its number: whoever holds the key has said that it is over.
            Read::Close { .. } => [slot.close, slot.intent],
            Read::Reach(_) => [slot.reach, None],
            Read::Opaque => {
                let kind = header.kind.to_wire();
                let most = self.limits.live_per_key.saturating_sub(KNOWN_PLACES);
                let same = slot.opaque.get(&kind).copied();
                if same.is_none() && slot.opaque.len() >= most {
                    return Err(Refusal::BookFull);
                }
                [same, None]
            }
        };
        Ok(places.into_iter().flatten().collect())
    }

    fn place(
        &mut self,
        frame: &Arc<Frame>,
        read: Read,
        id: Option<IntentId>,
        source: Source,
        now: Timestamp,
        replaces: &[u64],
    ) {
        let header = *frame.header();
        // A first frame silences whoever spoke for its intent under another key.
        if let Some(id) = id
            && let Some(other) = self.speakers.get(&id).copied()
            && other != header.key
        {
            self.silence(&other);
        }
        for at in replaces {
            self.shelf.remove(*at);
        }
        let intent = matches!(read, Read::Intent { .. });
        let close = matches!(read, Read::Close { .. });
        let reach = matches!(read, Read::Reach(_));
        let at = self.shelf.put(Held {
            frame: Arc::clone(frame),
            read,
            source,
        });
        let slot = self.slots.entry(header.key).or_default();
        for replaced in replaces {
            slot.forget(*replaced);
        }
        if intent {
            slot.intent = Some(at);
        } else if close {
            slot.close = Some(at);
        } else if reach {
            slot.reach = Some(at);
        } else {
            slot.opaque.insert(header.kind.to_wire(), at);
        }
        if let Some(id) = id {
            slot.first = Some(id);
            self.speakers.insert(id, header.key);
        }
        if source != Source::Own {
            // Counted when it is taken, not when it is shown: else anybody could use up an author's rate by
            // showing his old frames again.
            slot.used.count(self.limits.author(), now);
        }
    }

    fn silence(&mut self, key: &PublicKey) {
        let Some(slot) = self.slots.get(key) else {
            return;
        };
        let places: Vec<u64> = [slot.intent, slot.close, slot.reach]
            .into_iter()
            .flatten()
            .chain(slot.opaque.values().copied())
            .collect();
        for at in places {
            self.remove(at);
        }
    }

    /// Takes a frame off the shelf and out of its slot, and the slot away when it was the last.
    fn remove(&mut self, at: u64) {
        let Some(held) = self.shelf.remove(at) else {
            return;
        };
        let key = held.key();
        let Some(slot) = self.slots.get_mut(&key) else {
            return;
        };
        slot.forget(at);
        if slot.is_empty() {
            if let Some(first) = slot.first {
                self.speakers.remove(&first);
            }
            self.slots.remove(&key);
        }
    }

    fn sweep(&mut self, now: Timestamp) {
        while let Some((expires, at)) = self.shelf.next_expiry()
            && expires <= now
        {
            let held = self.shelf.at(at);
            let ended = held
                .and_then(|held| self.open_slot(held.key(), self.slots.get(&held.key())?))
                .filter(|_| held.is_some_and(|held| matches!(held.read, Read::Intent { .. })));
            if let Some(open) = ended {
                let id = open.id;
                self.swept = now;
                // Bounded by what was ever open at once, unless nobody asks; then the oldest are told first.
                if self.ended.len() < ENDED_MAX {
                    self.ended.push(id);
                }
            }
            self.remove(at);
        }
    }

    fn open_slot<'a>(&'a self, key: PublicKey, slot: &Slot) -> Option<Open<'a>> {
        let (None, Some(id)) = (slot.close, slot.first) else {
            return None;
        };
        let held = self.shelf.at(slot.intent?)?;
        let Read::Intent { intent, .. } = &held.read else {
            return None;
        };
        let reach = slot.reach.and_then(|at| self.shelf.at(at));
        Some(Open {
            id,
            key,
            frame: &held.frame,
            intent,
            reach: reach.and_then(|held| match &held.read {
                Read::Reach(reach) => Some(&**reach),
                Read::Intent { .. } | Read::Close { .. } | Read::Opaque => None,
            }),
        })
    }

    /// Shows frames in the order of their arrival until `take` has enough.
    fn walk(&self, since: Option<Cursor>, mut take: impl FnMut(&Held) -> bool) -> (Cursor, bool) {
        let mut read = match since {
            Some(cursor) if cursor.epoch == self.epoch => cursor.at,
            Some(_) | None => 0,
        };
        for (at, held) in self.shelf.after(read) {
            if !take(held) {
                return (self.cursor(read), true);
            }
            read = at;
        }
        (self.cursor(self.shelf.last()), false)
    }

    const fn cursor(&self, at: u64) -> Cursor {
        Cursor {
            epoch: self.epoch,
            at,
        }
    }

    /// Panics unless everything agrees with everything, and every bound holds.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        self.shelf.check();
        assert!(self.shelf.bytes() <= self.limits.bytes);
        assert!(self.sources.len() <= self.limits.sources);
        let mut places = 0;
        for (key, slot) in &self.slots {
            let own = [slot.intent, slot.close, slot.reach];
            let all = own
                .into_iter()
                .flatten()
                .chain(slot.opaque.values().copied());
            let mut here = 0;
            for at in all {
                assert_eq!(self.shelf.at(at).unwrap().key(), *key);
                here += 1;
            }
            assert!((1..=self.limits.live_per_key).contains(&here));
            assert!(slot.close.is_none() || slot.intent.is_none());
            if let Some(first) = slot.first {
                assert_eq!(self.speakers.get(&first), Some(key));
            }
            places += here;
        }
        assert_eq!(places, self.shelf.len());
        let speaking = self.slots.values().filter(|slot| slot.first.is_some());
        assert_eq!(speaking.count(), self.speakers.len());
    }
}

/// Places of a slot for the kinds that we know.
const KNOWN_PLACES: usize = 3;
/// Ended intents that are remembered for the next [`Book::expire`]: more than a peer's book holds.
const ENDED_MAX: usize = 16_384;

fn noun(read: &Read, id: Option<IntentId>) -> Noun {
    match (read, id) {
        (Read::Intent { intent, .. }, Some(id)) => Noun::Intent {
            id,
            intent: intent.clone(),
        },
        (Read::Close { .. }, Some(id)) => Noun::Closed { id },
        (Read::Reach(reach), Some(id)) => Noun::Reach {
            id,
            reach: reach.clone(),
        },
        (Read::Opaque, _) | (_, None) => Noun::Opaque,
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book")
            .field("frames", &self.len())
            .field("bytes", &self.bytes())
            .field("keys", &self.slots.len())
            .finish_non_exhaustive()
    }
}
