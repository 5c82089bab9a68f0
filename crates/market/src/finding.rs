//! Finding each other again in a trade, when each side has moved and neither knows where the other one is.
//!
//! Whoever moves tells so in private, along the ways he knows. Only when that does not arrive he says it out loud, in a
//! frame that the other side alone can read ([`haggle_protocol::sealed_reach`]), and as long as something waits for the
//! other side. Whoever hears such a frame answers in private with where he is himself. So a trade whose two sides reach
//! each other leaves nothing in public, and one whose sides have lost each other needs only one of them to be heard.

use std::collections::BTreeMap;

use haggle_book::Source;
use haggle_protocol::limits::{LIFETIME_DEFAULT, PRIVATE_LIFETIME_MAX};
use haggle_protocol::reach::Circuit;
use haggle_protocol::sealed_reach::{self, DAY, ReachSecret};
use haggle_protocol::{Frame, PublicKey, ThreadId, Timestamp};
use rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::batch::{Batch, Subject};
use crate::effect::Effect;
use crate::market::Market;
use crate::record::Shared;
use crate::threads::{DealState, Sort, Thread};
use crate::view::Role;

/// How long the other side is listened for after the last word in a trade, in seconds: a question about what one has
/// bought is asked within weeks.
const LISTEN_FOR: u64 = 30 * 24 * 60 * 60;
/// After how many tries that reached nobody it is said out loud where I am. The first one may have met the other side in
/// the middle of a reload.
const TRIES: u32 = 2;
/// How many frames are made within so many seconds: each costs work, and relays take ten a second from one neighbour.
const AT_ONCE: u32 = 8;
const LATER: u64 = 5;
/// Books keep one frame of a key for each minute.
const MINUTE: u64 = 60;

/// By what the two sides of a trade find each other, and what I have said of it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SealedReach {
    secret: Shared,
    /// In which minute I said it last. Saved, since a book takes one in a minute and the next start must know.
    #[serde(default)]
    said: Timestamp,
    /// Which ways I said, and when they are to be said again.
    #[serde(skip)]
    holds: Option<(Vec<Circuit>, Timestamp)>,
    /// Until when other trades come first.
    #[serde(skip)]
    waits: Timestamp,
    /// Whether the other side has looked for me since this peer started.
    #[serde(skip)]
    sought: bool,
}

impl SealedReach {
    pub(crate) const fn new(secret: ReachSecret) -> Self {
        Self {
            secret: Shared(secret),
            said: Timestamp(0),
            holds: None,
            waits: Timestamp(0),
            sought: false,
        }
    }

    /// Another self may have spoken in this minute.
    pub(crate) const fn begin_again(&mut self, now: Timestamp) {
        self.said = now.to_minute();
    }

    /// When it is to be said again: not twice in a minute, and before it ends.
    fn again(&self, ways: &[Circuit]) -> Timestamp {
        let held = self.holds.as_ref().filter(|(said, _)| said == ways);
        let renewal = held.map_or(Timestamp(0), |(_, at)| *at);
        renewal.max(self.said + MINUTE).max(self.waits)
    }
}

/// How many frames were made within the last seconds.
#[derive(Debug, Default)]
pub(crate) struct Searches {
    since: Timestamp,
    made: u32,
}

impl Searches {
    /// Counts one more, or says until when it has to wait.
    fn one_more(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        // A clock that was set back begins anew.
        if now >= self.since + LATER || now < self.since {
            *self = Self {
                since: now,
                made: 0,
            };
        }
        if self.made >= AT_ONCE {
            return Err(self.since + LATER);
        }
        self.made += 1;
        Ok(())
    }
}

/// Under which keys the other sides of my trades may speak today.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    day: u64,
    threads: BTreeMap<PublicKey, ThreadId>,
}

impl Expected {
    /// A thread is no more.
    pub(crate) fn forget(&mut self, id: ThreadId) {
        self.threads.retain(|_, thread| *thread != id);
    }
}

impl Thread {
    /// Whether the other side has looked for me.
    pub(crate) fn is_sought(&self) -> bool {
        self.sealed_reach.as_ref().is_some_and(|it| it.sought)
    }

    /// Whether what I have to say does not arrive, or nobody is found to give what he has sent: `files` is how many tries
    /// in a row for one of those reached nobody.
    fn seeks(&self, files: u32) -> bool {
        // To somebody who has ordered and gone nobody is bound, and who does not have the order yet does not listen.
        let heard = match self.role {
            Role::Buyer => !self.outbox.iter().any(|it| it.sort == Sort::Order),
            Role::Seller => self
                .deal
                .as_ref()
                .is_some_and(|deal| deal.confirm.is_some()),
        };
        if !heard {
            return false;
        }
        let nowhere = self.ways.is_empty();
        let mut waiting = self.outbox.iter();
        files >= TRIES || waiting.any(|it| nowhere || it.unreached >= TRIES)
    }

    /// Whether the other side may still have something to say. Whoever bound himself may for weeks; whoever only ordered, or was only ordered from, as long as
    /// a word on that order lives; and after a refusal there is nothing to say.
    fn listens(&self, now: Timestamp) -> bool {
        let Some(deal) = &self.deal else {
            return false;
        };
        let span = match deal.state {
            DealState::Declined(_) => 0,
            _ if deal.confirm.is_some() => LISTEN_FOR,
            DealState::Ordered
            | DealState::Confirmed
            | DealState::NotConfirmed
            | DealState::Cancelled { .. } => PRIVATE_LIFETIME_MAX,
        };
        deal.under_way()
            || deal.holds_money()
            || !self.outbox.is_empty()
            || self.last_word() + span > now
    }

    /// When something was last said or done in its trade.
    fn last_word(&self) -> Timestamp {
        let deal = self.deal.iter();
        let done = deal.flat_map(|deal| {
            let steps = deal.steps.iter().map(|taken| taken.at);
            steps.chain([deal.at]).chain(deal.ended)
        });
        let said = self.chat.back().map(|line| line.at);
        done.chain(said).max().unwrap_or(self.since)
    }
}

impl Market {
    /// From now on the two sides of this trade can find each other.
    pub(crate) fn share(&mut self, id: ThreadId, secret: ReachSecret, now: Timestamp) {
        self.unshare(id);
        if let Some(thread) = self.threads.get_mut(&id) {
            thread.sealed_reach = Some(SealedReach::new(secret));
            self.expect(id, now);
        }
    }

    /// No longer by what was shared before.
    pub(crate) fn unshare(&mut self, id: ThreadId) {
        self.expected.forget(id);
        if let Some(thread) = self.threads.get_mut(&id) {
            thread.sealed_reach = None;
        }
    }

    /// Says out loud where I am, for the other side of a trade alone, if what I have to say does not arrive.
    pub(crate) fn seek(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        if self.public_until(&id, now).is_some() {
            return;
        }
        let files = self.files_unreached(id);
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        let (seeks, direction) = (thread.seeks(files), thread.direction());
        let Some(reach) = thread.sealed_reach.as_mut().filter(|_| seeks) else {
            return;
        };
        let ways = &self.pen.ways;
        // What was said by a clock that went ahead, nobody has taken.
        let ahead = reach.said > now;
        if ways.is_empty() || (!ahead && now < reach.again(ways)) {
            return;
        }
        if let Err(until) = self.searches.one_more(now) {
            reach.waits = until;
            batch.due.insert(Subject::Thread(id));
            return;
        }
        let bits = self.book.work_asked();
        let (start, dice) = (self.pen.dice.next_u64(), &mut self.pen.dice);
        let side = reach.secret.0.towards(self.pen.network, direction);
        let frame = side.seal(ways, &self.pen.peer, now, bits, start, dice);
        reach.said = now.to_minute();
        reach.holds = Some((ways.clone(), reach.said + LIFETIME_DEFAULT * 2 / 3));
        batch.thread(id);
        // Ways that are too long for a frame are too long for every message.
        let Ok(frame) = frame else { return };
        // My own book serves it to those who ask; what it thinks of it changes nothing for me.
        let _ = self.book.enter(frame.bytes(), Source::Own, now);
        batch.due.insert(Subject::Book);
        batch.acts.push(Effect::Broadcast(frame.bytes().to_vec()));
    }

    /// Until when everybody hears where I am, for the intent of this thread: he whom I would look for hears it too.
    fn public_until(&self, id: &ThreadId, now: Timestamp) -> Option<Timestamp> {
        let buyer = self.threads.get(id).filter(|it| it.role == Role::Buyer)?;
        let mine = self.intents.get(&buyer.intent)?;
        let public = mine.until > now && self.wants_reach(&buyer.intent, now);
        public.then_some(mine.until)
    }

    /// When a thread has to say again where I am.
    pub(crate) fn seek_deadline(&self, id: &ThreadId, now: Timestamp) -> Option<Timestamp> {
        let thread = self.threads.get(id)?;
        let reach = thread.sealed_reach.as_ref()?;
        let seeks = !self.pen.ways.is_empty() && thread.seeks(self.files_unreached(*id));
        let again = || {
            let public = self.public_until(id, now).unwrap_or_default();
            public.max(reach.again(&self.pen.ways))
        };
        seeks.then(again)
    }

    /// A frame of a kind that a book does not read: from the other side of a trade it says where he is.
    pub(crate) fn hear_sealed(&mut self, frame: &Frame, now: Timestamp, batch: &mut Batch) {
        if frame.header().kind != sealed_reach::KIND {
            return;
        }
        if self.expected.day != sealed_reach::day(now) {
            self.expect_all(now);
        }
        let key = &frame.header().key;
        let Some(id) = self.expected.threads.get(key).copied() else {
            return;
        };
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        let theirs = thread.direction().reverse();
        let Some(reach) = thread.sealed_reach.as_mut() else {
            return;
        };
        let side = reach.secret.0.towards(self.pen.network, theirs);
        // Only the other side can have signed it: what he gets wrong, he does to himself.
        let Ok(ways) = side.open(frame) else { return };
        reach.sought = true;
        if thread.learn_ways(ways) {
            // He looks for me: whatever he was told before, he does not have.
            thread.told.clear();
            batch.thread(id);
        }
        self.tell_ways_anyway(id, now, batch);
        self.post(id, now, batch);
    }

    /// Listens for the other side of every trade that is not long over, under the keys of these days.
    pub(crate) fn expect_all(&mut self, now: Timestamp) {
        self.expected = Expected {
            day: sealed_reach::day(now),
            threads: BTreeMap::new(),
        };
        let ids: Vec<ThreadId> = self.threads.keys().copied().collect();
        for id in ids {
            self.expect(id, now);
        }
    }

    fn expect(&mut self, id: ThreadId, now: Timestamp) {
        let Some(thread) = self.threads.get(&id).filter(|thread| thread.listens(now)) else {
            return;
        };
        let Some(reach) = &thread.sealed_reach else {
            return;
        };
        let theirs = thread.direction().reverse();
        let side = reach.secret.0.towards(self.pen.network, theirs);
        // A frame may be half an hour old, and its clock may be ahead of mine.
        for at in [Timestamp(now.0.saturating_sub(DAY)), now, now + DAY] {
            self.expected.threads.insert(side.key(at), id);
        }
    }
}
