//! The front door: routes what happens to whoever knows what to do, and gathers what is to be done.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use haggle_book::{Book, Limits, Noun, Source};
use haggle_protocol::keys::{Root, SigningKey};
use haggle_protocol::phrase::Phrase;
use haggle_protocol::seal::{Hint, Sealer};
use haggle_protocol::{FileId, IntentId, MessageId, Network, ThreadId, Timestamp};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use crate::batch::{Batch, Calendar, Subject};
use crate::cases::{Case, Court};
use crate::command::{Command, Complaint, Reply};
use crate::effect::{Effect, Effects, Record};
use crate::event::Event;
use crate::files::File;
use crate::finding::{Expected, Searches};
use crate::input::{Heard, Input};
use crate::intents::Mine;
use crate::item::Item;
use crate::mail::{Lock, Pen};
use crate::quoting::DISMISSED_KEPT;
use crate::record::{self, Damaged, Key, PIECES, Seed};
use crate::stall::Stall;
use crate::steps::Said;
use crate::threads::Thread;

/// Bytes of entropy behind the trader key: as many as the twelve words of a phrase hold.
const ENTROPY: usize = 16;

/// What a market is given at its start.
pub struct Setup {
    /// Which market.
    pub network: Network,
    /// Seeds everything that is drawn at random: from the operating system in life, fixed in a test.
    pub dice: [u8; 32],
    /// This page load's libp2p identity (Ed25519), which consents to be named where I can be reached.
    pub peer: SigningKey,
    /// How cells are closed: [`haggle_protocol::seal::Hpke`] in life.
    pub sealer: Arc<dyn Sealer>,
    /// Bounds of the book.
    pub book: Limits,
    /// The rails by which money can be locked here.
    pub rails: Vec<RailFacts>,
}

/// What a market has to know of a rail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RailFacts {
    /// How it is called on the wire.
    pub name: String,
    /// The smallest amount that it locks, in minor units.
    pub floor: u64,
    /// The largest.
    pub ceiling: u64,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("network", &self.network)
            .finish_non_exhaustive()
    }
}

/// One trader's market.
pub struct Market {
    pub(crate) pen: Pen,
    pub(crate) seed: Seed,
    pub(crate) book: Book,
    pub(crate) intents: BTreeMap<IntentId, Mine>,
    pub(crate) threads: BTreeMap<ThreadId, Thread>,
    pub(crate) stall: Stall,
    /// What was named by one of the two sides of a thread.
    pub(crate) files: BTreeMap<FileId, File>,
    /// Which thread answers whose intent.
    pub(crate) answers: BTreeMap<IntentId, ThreadId>,
    /// Intents that I do not want to see.
    pub(crate) dismissed: BTreeMap<IntentId, Timestamp>,
    /// Which threads brought quotes for an intent of mine.
    pub(crate) quoters: BTreeMap<IntentId, BTreeSet<ThreadId>>,
    /// Which key a cell is sealed to.
    pub(crate) locks: BTreeMap<Hint, Lock>,
    /// In which thread a message waits for its acknowledgement.
    pub(crate) posted: BTreeMap<MessageId, ThreadId>,
    /// In which thread a cell was acknowledged.
    pub(crate) heard: BTreeMap<[u8; 32], ThreadId>,
    /// Open intents that were told of.
    pub(crate) shown: BTreeSet<IntentId>,
    /// Under which keys the other sides of trades may say where they are.
    pub(crate) expected: Expected,
    pub(crate) searches: Searches,
    pub(crate) rails: Vec<RailFacts>,
    /// What I decide for others.
    pub(crate) court: Court,
    pub(crate) calendar: Calendar,
}

impl fmt::Debug for Market {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Market")
            .field("intents", &self.intents.len())
            .field("threads", &self.threads.len())
            .field("items", &self.stall.items().len())
            .field("book", &self.book.len())
            .finish_non_exhaustive()
    }
}

impl Market {
    /// Starts a market from what was saved: nothing at a first start, everything at a restart. Of the records that hold the
    /// bytes of files ([`PIECES`]) only the names are looked at: their bytes may be left out, they themselves not.
    ///
    /// # Errors
    /// [`Damaged`] if a record cannot be read; nothing is overwritten then.
    pub fn restore(
        records: Vec<(String, Vec<u8>)>,
        setup: Setup,
        now: Timestamp,
    ) -> Result<(Self, Effects), Damaged> {
        let mut dice = ChaCha20Rng::from_seed(setup.dice);
        let mut batch = Batch::default();
        let records: BTreeMap<String, Vec<u8>> = records.into_iter().collect();
        let seed = match records.get("seed") {
            Some(bytes) => record::read("seed", bytes)?,
            None => {
                let mut entropy = vec![0; ENTROPY];
                dice.fill_bytes(&mut entropy);
                batch.save.insert(Key::Seed);
                Seed { entropy }
            }
        };
        let root = Root::from_entropy(&seed.entropy);
        let epoch = dice.next_u64();
        let mut market = Self {
            book: Book::new(setup.network, setup.book, epoch),
            pen: Pen {
                network: setup.network,
                peer: setup.peer,
                sealer: setup.sealer,
                trader: root.trader(0),
                root,
                dice,
                ways: Vec::new(),
            },
            seed,
            intents: BTreeMap::new(),
            threads: BTreeMap::new(),
            files: BTreeMap::new(),
            stall: Stall::default(),
            answers: BTreeMap::new(),
            dismissed: BTreeMap::new(),
            quoters: BTreeMap::new(),
            locks: BTreeMap::new(),
            posted: BTreeMap::new(),
            heard: BTreeMap::new(),
            shown: BTreeSet::new(),
            expected: Expected::default(),
            searches: Searches::default(),
            rails: setup.rails,
            court: Court::default(),
            calendar: Calendar::default(),
        };
        for (name, bytes) in &records {
            market.read(name, bytes)?;
        }
        if records.contains_key(&Key::Restored.name()) {
            market.begin_again(now, &mut batch);
        }
        let kept = records.into_keys();
        let kept = kept.filter(|name| name.starts_with(PIECES)).collect();
        market.begin(&kept, now, &mut batch);
        let effects = market.finish(batch, now);
        Ok((market, effects))
    }

    fn read(&mut self, name: &str, bytes: &[u8]) -> Result<(), Damaged> {
        match Key::parse(name) {
            Some(Key::Intent(id)) => {
                let mine: Mine = record::read(name, bytes)?;
                let recognised = self.pen.root.recognise(&mine.mark);
                if mine.id != id || recognised.map(|key| key.public()) != Some(mine.key) {
                    let why = "it belongs to another phrase than the saved one".to_owned();
                    return Err(Damaged {
                        key: name.to_owned(),
                        why,
                    });
                }
                self.intents.insert(id, mine);
            }
            Some(Key::Thread(id)) => {
                let thread: Thread = record::read(name, bytes)?;
                if thread.id != id {
                    let why = "it holds another exchange than its name says".to_owned();
                    return Err(Damaged {
                        key: name.to_owned(),
                        why,
                    });
                }
                self.threads.insert(id, thread);
            }
            Some(Key::Item(id)) => {
                let item: Item = record::read(name, bytes)?;
                self.stall.put(Item { id, ..item });
            }
            Some(Key::Rules) => self.stall.rules = record::read(name, bytes)?,
            Some(Key::Profile) => self.stall.profile = record::read(name, bytes)?,
            Some(Key::Dismissed(id)) => {
                self.dismissed.insert(id, record::read(name, bytes)?);
            }
            Some(Key::File(id)) => {
                self.files.insert(id, record::read(name, bytes)?);
            }
            Some(Key::Case(order)) => {
                let case: Case = record::read(name, bytes)?;
                self.court.cases.insert(order, case);
            }
            Some(Key::Seed | Key::Restored) | None => {}
        }
        Ok(())
    }

    /// Everything that was read becomes findable, and what fell due meanwhile is done.
    fn begin(&mut self, kept: &BTreeSet<String>, now: Timestamp, batch: &mut Batch) {
        let threads: Vec<ThreadId> = self.threads.keys().copied().collect();
        for id in threads {
            self.index_thread(id);
            batch.due.insert(Subject::Thread(id));
        }
        self.expect_all(now);
        self.begin_files(kept, batch);
        let intents: Vec<IntentId> = self.intents.keys().copied().collect();
        for id in intents {
            self.begin_intent(id, now);
            batch.due.insert(Subject::Mine(id));
        }
        batch
            .due
            .extend(self.court.cases.keys().copied().map(Subject::Case));
        let long_ago = |since: &Timestamp| *since + DISMISSED_KEPT <= now;
        let forgotten = self.dismissed.iter().filter(|(_, since)| long_ago(since));
        batch
            .save
            .extend(forgotten.map(|(id, _)| Key::Dismissed(*id)));
        self.dismissed.retain(|_, since| !long_ago(since));
        batch.due.insert(Subject::Book);
        self.schedule(batch, now);
        self.lapse(now, batch);
        // Faces ask for a snapshot; until then there is nobody to tell.
        batch.tell_nothing();
    }

    /// Works one thing through. What is to be done stands in the effects, in order.
    pub fn handle(&mut self, input: Input, now: Timestamp) -> Effects {
        let mut batch = Batch::default();
        // What is over is over, whether or not a tick came in between.
        self.lapse(now, &mut batch);
        match input {
            Input::Command(ticket, command) => {
                let reply = self.command(command, now, &mut batch);
                batch.reply = Some(Effect::Reply(ticket, reply));
            }
            Input::Heard(heard) => self.heard(heard, now, &mut batch),
            Input::Paid { job, answer } => self.paid(job, answer, now, &mut batch),
            Input::Tick => {}
        }
        self.finish(batch, now)
    }

    /// When to call [`Market::handle`] with [`Input::Tick`] if nothing happens before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.calendar.next()
    }

    /// The words that bring this trader back: his reputation, and what he has said out loud and is still open.
    #[must_use]
    pub fn phrase(&self) -> Option<Phrase> {
        Phrase::of(&self.seed.entropy)
    }

    /// What the keys of rails grow from.
    #[must_use]
    pub const fn root(&self) -> &Root {
        &self.pen.root
    }

    /// What was said out loud and is still open.
    #[must_use]
    pub const fn book(&self) -> &Book {
        &self.book
    }

    fn heard(&mut self, heard: Heard, now: Timestamp, batch: &mut Batch) {
        match heard {
            Heard::Frame { bytes, source } => self.hear_frame(&bytes, source, now, batch),
            Heard::Cell { bytes, ticket } => self.hear_cell(bytes, ticket, now, batch),
            Heard::Answered { message, answer } => self.hear_answer(message, answer, now, batch),
            Heard::Undelivered { message } => self.undelivered(message, now, batch),
            Heard::Piece { piece, answer } => self.hear_piece(piece, answer, now, batch),
            Heard::NoPiece { piece } => self.no_piece(piece, now, batch),
            Heard::NoRoom { piece } => self.no_room(piece, batch),
            Heard::Reachable(ways) => self.reachable(ways, now, batch),
        }
    }

    fn command(
        &mut self,
        command: Command,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<Reply, Complaint> {
        let done = |()| Reply::Done;
        match command {
            Command::Publish(draft) => self.publish(*draft, now, batch).map(Reply::Published),
            Command::Revise { intent, draft } => self
                .revise(intent, *draft, now, batch)
                .map(|()| Reply::Published(intent)),
            Command::Withdraw { intent } => self.withdraw(intent, now, batch).map(done),
            Command::PutItem(item) => self.put_item(*item, now, batch).map(Reply::Item),
            Command::PutItems(items) => self.put_items(items, now, batch).map(|_| Reply::Done),
            Command::RemoveItem { item } => self.remove_item(item, now, batch).map(done),
            Command::SetRules(rules) => self.set_rules(rules, now, batch).map(done),
            Command::SetProfile(profile) => self.set_profile(profile, batch).map(done),
            Command::Quote(draft) => self.quote_by_hand(*draft, now, batch).map(Reply::Quoted),
            Command::Dismiss { intent, reason } => {
                self.dismiss(intent, reason, now, batch).map(done)
            }
            Command::Accept {
                thread,
                total,
                note,
                escrow,
            } => self
                .accept(thread, total, note, escrow.as_ref(), now, batch)
                .map(done),
            Command::Pay { thread } => self.pay_again(thread, now, batch).map(done),
            Command::Settle { thread, buyer } => self.offer_split(thread, buyer, batch).map(done),
            Command::Agree { thread, buyer } => self.agree(thread, buyer, batch).map(done),
            Command::Dispute {
                thread,
                buyer,
                words,
            } => self
                .dispute(thread, buyer, words, now, batch)
                .map(Reply::Inquired),
            Command::Rule { case, buyer, words } => {
                self.rule(case, buyer, words, now, batch).map(done)
            }
            Command::Renew { case, words } => self.renew(case, words, now, batch).map(done),
            Command::Counter {
                thread,
                total,
                note,
            } => self.counter(thread, total, note, now, batch).map(done),
            Command::Meet { thread } => self.meet(thread, now, batch).map(done),
            Command::Inquire { intent, text } => {
                self.inquire(intent, text, now, batch).map(Reply::Inquired)
            }
            Command::Say {
                thread,
                text,
                files,
            } => self.talk(thread, text, files, now, batch).map(done),
            Command::Read { thread } => self.looked_at(thread, batch).map(done),
            Command::Fetch { file } => self.fetch(file, now, batch).map(done),
            Command::RemoveFile { file } => self.remove_file(file, batch).map(done),
            Command::Confirm {
                thread,
                payment,
                note,
            } => self
                .confirm_by_hand(thread, payment, note, now, batch)
                .map(done),
            Command::Refuse { thread, reason } => self.refuse(thread, reason, now, batch).map(done),
            Command::SendContact { thread, profile } => {
                self.send_contact(thread, &profile, now, batch).map(done)
            }
            Command::Report {
                thread,
                step,
                note,
                files,
                code,
            } => {
                let said = Said { note, files, code };
                self.report(thread, step, said, now, batch).map(done)
            }
            Command::Cancel {
                thread,
                reason,
                note,
            } => self.cancel(thread, reason, note, now, batch).map(done),
            Command::Snapshot => {
                self.snapshot(batch);
                Ok(Reply::Done)
            }
        }
    }

    fn hear_frame(&mut self, bytes: &[u8], source: Source, now: Timestamp, batch: &mut Batch) {
        let entered = self.book.enter(bytes, source, now);
        batch.due.insert(Subject::Book);
        let entered = match entered {
            Ok(entered) => entered,
            Err(refusal) => {
                batch.verdict = Some(Effect::Verdict(Err(refusal)));
                return;
            }
        };
        batch.verdict = Some(Effect::Verdict(Ok(())));
        match entered.noun {
            Noun::Intent { id, .. } => {
                self.recognise(id, now, batch);
                self.consider(id, now, batch);
            }
            Noun::Closed { id } => self.closed(id, now, batch),
            Noun::Reach { id, reach } => {
                let ways = reach
                    .entries
                    .into_iter()
                    .map(|entry| entry.circuit)
                    .collect();
                self.buyer_moved(id, ways, now, batch);
                self.consider(id, now, batch);
            }
            Noun::Opaque => self.hear_sealed(&entered.frame, now, batch),
        }
    }

    fn reachable(
        &mut self,
        mut ways: Vec<haggle_protocol::reach::Circuit>,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        // Nobody else's key can consent, so nobody else's way could be told.
        let me = self.pen.peer.public();
        ways.retain(|way| way.peer == me);
        if self.pen.ways == ways {
            return;
        }
        self.pen.ways = ways;
        self.announce_all(now, batch);
        let threads: Vec<ThreadId> = self.threads.keys().copied().collect();
        for id in threads {
            if self.threads.get(&id).is_some_and(Thread::is_sought) {
                self.tell_ways_anyway(id, now, batch);
            } else {
                self.tell_ways(id, now, batch);
            }
            self.seek(id, now, batch);
        }
    }

    /// Does everything that is due.
    fn lapse(&mut self, now: Timestamp, batch: &mut Batch) {
        for subject in self.calendar.due(now) {
            batch.due.insert(subject);
            match subject {
                Subject::Mine(id) => self.lapse_intent(id, now, batch),
                Subject::Thread(id) => self.lapse_thread(id, now, batch),
                Subject::File(id) => self.lapse_file(id, now, batch),
                Subject::Case(order) => self.judge(order, now, batch),
                Subject::Book => self.lapse_book(now, batch),
                Subject::Postponed => self.lapse_postponed(now, batch),
            }
        }
    }

    fn lapse_book(&mut self, now: Timestamp, batch: &mut Batch) {
        let ended = self.book.expire(now);
        // The book may also have let go of some to make room.
        let evicted = self
            .shown
            .iter()
            .filter(|id| self.book.open(id).is_none())
            .copied();
        let gone: BTreeSet<IntentId> = evicted.chain(ended).collect();
        for id in gone {
            self.gone(id, now, batch);
        }
    }

    fn schedule(&mut self, batch: &mut Batch, now: Timestamp) {
        for subject in core::mem::take(&mut batch.due) {
            let at = match subject {
                Subject::Mine(id) => self.intent_deadline(&id, now),
                Subject::Thread(id) => self.thread_deadline(&id, now),
                Subject::File(id) => self.file_deadline(&id),
                Subject::Case(order) => self.case_deadline(&order, now),
                Subject::Book => self.book.next_expiry(),
                Subject::Postponed => self.postponed_deadline(now),
            };
            self.calendar.set(subject, at);
        }
    }

    /// Whatever has changed in an exchange may be what its escrow waited for.
    fn pay_all(&mut self, batch: &mut Batch, now: Timestamp) {
        let changed = batch.save.iter().filter_map(|key| match key {
            Key::Thread(id) => Some(*id),
            Key::Seed
            | Key::Intent(_)
            | Key::Item(_)
            | Key::Rules
            | Key::Profile
            | Key::Dismissed(_)
            | Key::File(_)
            | Key::Case(_)
            | Key::Restored => None,
        });
        let changed: Vec<ThreadId> = changed.collect();
        for id in changed {
            self.pay(id, now, batch);
        }
    }

    /// Puts everything in order: what is saved first, then what leaves this peer, then what is told.
    fn finish(&mut self, mut batch: Batch, now: Timestamp) -> Effects {
        self.pay_all(&mut batch, now);
        self.schedule(&mut batch, now);
        let mut effects: Effects = batch.verdict.take().into_iter().collect();
        let mut records: Vec<Record> = batch.save.iter().map(|key| self.write(*key)).collect();
        records.append(&mut batch.pieces);
        if !records.is_empty() {
            effects.push(Effect::Save(records));
        }
        effects.append(&mut batch.acts);
        let events: Vec<Event> = self.events(&batch, now);
        effects.extend(events.into_iter().chain(batch.events).map(Effect::Tell));
        effects.extend(batch.reply);
        effects
    }

    /// The record of a thing as it is now, or its deletion if it is no more.
    fn write(&self, key: Key) -> Record {
        match key {
            Key::Seed => record::write(key, &self.seed),
            Key::Rules => record::write(key, &self.stall.rules),
            Key::Profile => record::write(key, &self.stall.profile),
            Key::Intent(id) => kept(key, self.intents.get(&id)),
            Key::Thread(id) => kept(key, self.threads.get(&id)),
            Key::Item(id) => kept(key, self.stall.items().get(&id)),
            Key::Dismissed(id) => kept(key, self.dismissed.get(&id)),
            Key::File(id) => kept(key, self.files.get(&id)),
            Key::Case(order) => kept(key, self.court.cases.get(&order)),
            // Once a market has started with it, a backup is no longer one.
            Key::Restored => record::delete(key),
        }
    }
}

fn kept<T: serde::Serialize>(key: Key, thing: Option<&T>) -> Record {
    thing.map_or_else(|| record::delete(key), |thing| record::write(key, thing))
}
