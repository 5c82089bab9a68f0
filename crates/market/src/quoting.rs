//! The seller's side before an order: what an open intent finds in my stall, and how it is answered.
//!
//! A rule answers only what it can fulfil, once for each thing it would say, and within the hour's allowance; whoever cannot
//! fulfil stays silent. A firm quote sets its stock aside until it lapses, so that two buyers are never promised one thing.

use haggle_protocol::intent::Intent;
use haggle_protocol::private::Body;
use haggle_protocol::quote::{Line, Quote};
use haggle_protocol::reach::Circuit;
use haggle_protocol::trade::{Decline, DeclineReason};
use haggle_protocol::{Asset, FrameId, IntentId, Money, PublicKey, Refusal, ThreadId, Timestamp};

use crate::batch::{Batch, Subject};
use crate::command::{Complaint, Profile, QuoteDraft};
use crate::event::Event;
use crate::intents::no_such_intent;
use crate::item::{Auto, Item, ItemId, Rules};
use crate::market::Market;
use crate::matching::Found;
use crate::record::Key;
use crate::stall::{ITEMS_MAX, Stall, VALID_MAX, VALID_MIN, check_item, check_rules};
use crate::threads::{About, Deal, DealState, Offer, Outgoing, Over, SetAside, Sort, Thread};
use crate::view::{AnswerState, Role};

/// The span over which a rule's quotes are counted, in seconds.
const HOUR: u64 = 60 * 60;
/// The span over which it is counted what was promised, in seconds.
const DAY: u64 = 24 * HOUR;
/// Intents that wait for the next hour's or day's allowance. More are answered when they are renewed.
const POSTPONED_MAX: usize = 256;
/// How long a refusal by hand is brought to the buyer, in seconds.
const DECLINE_FOR: u64 = 24 * 60 * 60;
/// How long a dismissed intent stays dismissed, in seconds: as long as one can stay open.
pub(crate) const DISMISSED_KEPT: u64 = crate::command::OPEN_MAX;

/// What of an open intent is needed to answer it.
pub(crate) struct Wanted {
    intent: Intent,
    key: PublicKey,
    pub(crate) newest: FrameId,
    ways: Vec<Circuit>,
}

impl Wanted {
    /// Until when its buyer takes quotes.
    pub(crate) const fn quotes_due(&self) -> Timestamp {
        self.intent.quotes_due
    }
}

impl Market {
    pub(crate) fn wanted(&self, id: &IntentId) -> Option<Wanted> {
        let open = self.book.open(id)?;
        if self.is_mine(id, &open.key, &open.intent.mark) {
            return None;
        }
        let ways = open
            .reach
            .map(|reach| &reach.entries[..])
            .unwrap_or_default();
        Some(Wanted {
            intent: open.intent.clone(),
            key: open.key,
            newest: open.frame.id(),
            ways: ways.iter().map(|entry| entry.circuit.clone()).collect(),
        })
    }

    /// An open intent is new or changed, or my stall is: it is shown, and answered if a rule says so.
    pub(crate) fn consider(&mut self, id: IntentId, now: Timestamp, batch: &mut Batch) {
        if self.dismissed.contains_key(&id) {
            return;
        }
        let Some(wanted) = self.wanted(&id) else {
            return;
        };
        batch.open.insert(id);
        let thread = self.answers.get(&id).copied();
        // What this very thread holds back is free for its own next quote.
        let held = thread.and_then(|thread| self.threads.get(&thread)?.set_aside);
        if let Some(held) = held {
            self.stall.give_back(held.item, held.micros);
        }
        let matches = self.stall.matches(&wanted.intent, now);
        let best = self.best_by_rule(&wanted, &matches, now);
        if held.is_none() {
            // Told as they are, unless something changes them until the end.
            let views = matches
                .iter()
                .map(|found| found.view(&wanted.intent.wishes));
            batch.found.insert(id, views.collect());
        }
        if let Some(held) = held {
            self.stall.set_aside(held.item, held.micros);
        }
        let Some((item, quote)) = best else { return };
        let (quote, less) = self.conceding(thread, item, quote);
        if !self.is_worth_saying(thread, &quote, now) {
            return;
        }
        let known_ways = thread.and_then(|thread| self.threads.get(&thread));
        if wanted.ways.is_empty() && known_ways.is_none_or(|thread| thread.ways.is_empty()) {
            return;
        }
        let may_ever = self.stall.rules.per_hour > 0 && self.is_within_a_day(&quote);
        if !self.hour_allows(now) || !self.day_allows(thread, &quote, now) {
            if may_ever && self.stall.postponed.len() < POSTPONED_MAX {
                self.stall.postponed.insert(id);
                batch.due.insert(Subject::Postponed);
            }
            return;
        }
        if let Ok(thread) = self.offer(id, &wanted, quote, Some(item), true, now, batch) {
            self.stall.quoted.push_back(now);
            if let Some(thread) = self.threads.get_mut(&thread) {
                thread.conceded = less;
            }
        }
    }

    /// The quote that a rule would write: of the best match that may be quoted on.
    fn best_by_rule(
        &self,
        wanted: &Wanted,
        matches: &[Found<'_>],
        now: Timestamp,
    ) -> Option<(ItemId, Quote)> {
        if wanted.intent.quotes_due <= now {
            return None;
        }
        let rules = &self.stall.rules;
        matches
            .iter()
            .filter(|found| found.complete)
            .find_map(|found| {
                let firm = match found.item.auto.unwrap_or(rules.auto) {
                    Auto::Off => return None,
                    Auto::Indicative => false,
                    Auto::Firm => true,
                };
                let quote =
                    found.quote(&wanted.intent, wanted.newest, firm, now + rules.valid_for)?;
                Some((found.item.id, quote))
            })
    }

    /// Whether a rule's quote says something that this thread has not said, or that no longer holds.
    fn is_worth_saying(&self, thread: Option<ThreadId>, quote: &Quote, now: Timestamp) -> bool {
        let Some(thread) = thread.and_then(|thread| self.threads.get(&thread)) else {
            return true;
        };
        if thread.is_ordered() {
            return false;
        }
        let Some(offer) = &thread.offer else {
            return thread.answer != AnswerState::Dismissed;
        };
        let revised = offer.quote.answers != quote.answers;
        match offer.over {
            Some(Over::NotSelected) => return false,
            // What I had no more of is worth another word as soon as there is some again.
            Some(Over::Withdrawn(_)) if thread.answer == AnswerState::Expired => return true,
            // Once it is over, only a changed intent is worth another word, and only if no person ended it.
            Some(Over::Withdrawn(_)) => return revised && thread.answer != AnswerState::Dismissed,
            None if thread.answer == AnswerState::Refused => return revised,
            None => {}
        }
        if !offer.stands(now) {
            return true;
        }
        offer.automatic && !says_the_same(&offer.quote, quote)
    }

    pub(crate) fn is_sold(&self, thread: &Thread) -> bool {
        let confirmed = DealState::Confirmed;
        thread
            .deal
            .as_ref()
            .is_some_and(|deal| deal.state == confirmed)
    }

    pub(crate) fn hour_allows(&mut self, now: Timestamp) -> bool {
        let quoted = &mut self.stall.quoted;
        while quoted.front().is_some_and(|at| *at + HOUR <= now) {
            quoted.pop_front();
        }
        quoted.len() < self.stall.rules.per_hour as usize
    }

    /// Whether a rule may promise this much if nothing else is promised.
    fn is_within_a_day(&self, quote: &Quote) -> bool {
        let most = self.stall.rules.per_day.filter(|_| quote.firm);
        most.is_none_or(|most| most.asset == quote.asset() && quote.total.minor <= most.minor)
    }

    /// Whether a rule may promise this much beside all that is promised and was sold within a day, its own thread left out.
    fn day_allows(&self, thread: Option<ThreadId>, quote: &Quote, now: Timestamp) -> bool {
        !quote.firm || self.has_room(thread, quote, now)
    }

    /// The same for what would bind me now, whatever its quote did.
    pub(crate) fn has_room(&self, thread: Option<ThreadId>, quote: &Quote, now: Timestamp) -> bool {
        let Some(most) = self.stall.rules.per_day else {
            return true;
        };
        let promised = self.promised(most.asset, now);
        let promised = promised.filter(|(other, ..)| Some(*other) != thread);
        let sum = promised.fold(u128::from(quote.total.minor), |sum, (_, minor, _)| {
            sum + u128::from(minor)
        });
        most.asset == quote.asset() && sum <= u128::from(most.minor)
    }

    /// What binds me in this currency: in which thread, how much in minor units, and until when it is counted.
    fn promised(
        &self,
        asset: Asset,
        now: Timestamp,
    ) -> impl Iterator<Item = (ThreadId, u64, Timestamp)> {
        let sellers = self.threads.values().filter(|t| t.role == Role::Seller);
        let bound = sellers.filter_map(move |thread| {
            let deal = thread.deal.as_ref().and_then(|deal| match deal.state {
                DealState::Confirmed => Some((deal.quote.total, deal.at + DAY)),
                DealState::Ordered => Some((deal.quote.total, deal.order.confirm_by)),
                DealState::Declined(_) | DealState::NotConfirmed | DealState::Cancelled { .. } => {
                    None
                }
            });
            let offer = thread.offer.as_ref();
            let offer = offer.filter(|offer| offer.stands(now) && offer.quote.firm);
            let offer = offer.map(|offer| (offer.quote.total, offer.quote.valid_until));
            let (total, until) = deal.or(offer)?;
            Some((thread.id, total, until))
        });
        bound
            .filter(move |(_, total, until)| total.asset == asset && *until > now)
            .map(|(thread, total, until)| (thread, total.minor, until))
    }

    /// When the next allowance of an hour or a day may be there, if something waits for it.
    pub(crate) fn postponed_deadline(&self, now: Timestamp) -> Option<Timestamp> {
        if self.stall.postponed.is_empty() {
            return None;
        }
        let hour = self.stall.quoted.front().map(|at| *at + HOUR);
        let most = self.stall.rules.per_day;
        let promised = most.into_iter().flat_map(|m| self.promised(m.asset, now));
        let ends = promised.map(|(.., until)| until);
        ends.chain(hour).filter(|at| *at > now).min()
    }

    pub(crate) fn lapse_postponed(&mut self, now: Timestamp, batch: &mut Batch) {
        for id in core::mem::take(&mut self.stall.postponed) {
            self.consider(id, now, batch);
        }
    }

    /// Writes a quote into the thread of its intent, which it begins if there is none.
    #[allow(
        clippy::too_many_arguments,
        reason = "the parts of one saying; each is named where it is called"
    )]
    pub(crate) fn offer(
        &mut self,
        id: IntentId,
        wanted: &Wanted,
        mut quote: Quote,
        item: Option<ItemId>,
        automatic: bool,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<ThreadId, Refusal> {
        let thread = self.thread_for(id, wanted, now)?;
        let before = self
            .threads
            .get(&thread)
            .and_then(|thread| thread.offer.as_ref());
        quote.number = before.map_or(1, |offer| offer.quote.number.saturating_add(1));
        quote.keepers.clone_from(&self.stall.rules.keepers);
        quote.arbiters.clone_from(&self.stall.rules.arbiters);
        let expires = quote.valid_until;
        let sent = self.send(thread, Body::Quote(quote.clone()), expires, now, batch)?;
        self.drop_outgoing(thread, |waiting| {
            waiting.sort == Sort::Quote && waiting.message != sent
        });
        self.give_back(thread, batch);
        let set_aside = item
            .filter(|_| quote.firm)
            .and_then(|item| self.needed(item, &quote));
        if let Some(held) = set_aside {
            self.stall.set_aside(held.item, held.micros);
            batch.stall = true;
        }
        if let Some(thread) = self.threads.get_mut(&thread) {
            let trader = quote.firm.then(|| self.pen.trader.public());
            let offer = Offer {
                message: sent,
                quote,
                trader,
                at: now,
                item,
                automatic,
                over: None,
                lapsed: false,
            };
            thread.offer = Some(offer);
            thread.answer = AnswerState::Sending;
            thread.set_aside = set_aside;
        }
        batch.thread(thread);
        batch.open.insert(id);
        Ok(thread)
    }

    /// The thread in which I answer an intent, begun if there is none.
    pub(crate) fn thread_for(
        &mut self,
        id: IntentId,
        wanted: &Wanted,
        now: Timestamp,
    ) -> Result<ThreadId, Refusal> {
        if let Some(thread) = self.answers.get(&id) {
            return Ok(*thread);
        }
        let seal = wanted
            .intent
            .seal
            .as_x25519()
            .ok_or(Refusal::UnknownVersion)?;
        let about = About {
            intent: id,
            title: &wanted.intent.title,
            key: wanted.key,
            seal,
        };
        let (network, ways) = (self.pen.network, wanted.ways.clone());
        let thread = Thread::seller(network, &about, ways, now, &mut self.pen.dice);
        let name = thread.id;
        self.threads.insert(name, thread);
        self.index_thread(name);
        Ok(name)
    }

    /// What a quote takes of an item's stock; `None` if it does not run out.
    pub(crate) fn needed(&self, item: ItemId, quote: &Quote) -> Option<SetAside> {
        self.stall.items().get(&item)?.stock?;
        let micros = u64::try_from(quote.lines.first()?.quantity.micros()).ok()?;
        Some(SetAside { item, micros })
    }

    /// Ends waiting messages that something newer made pointless.
    pub(crate) fn drop_outgoing(&mut self, id: ThreadId, pointless: impl Fn(&Outgoing) -> bool) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        for waiting in thread.outbox.iter().filter(|waiting| pointless(waiting)) {
            self.posted.remove(&waiting.message);
        }
        thread.outbox.retain(|waiting| !pointless(waiting));
    }

    /// What a thread has set aside is free again; gives which item.
    fn give_back(&mut self, id: ThreadId, batch: &mut Batch) -> Option<ItemId> {
        let held = self.threads.get_mut(&id)?.set_aside.take()?;
        self.stall.give_back(held.item, held.micros);
        batch.thread(id);
        batch.stall = true;
        Some(held.item)
    }

    /// What a thread has set aside is free again, for whoever still wants it.
    pub(crate) fn release(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        if let Some(item) = self.give_back(id, batch)
            && let Some(item) = self.stall.items().get(&item).cloned()
        {
            self.reconsider(&item, now, batch);
        }
    }

    /// Looks again at the open intents that an item could answer.
    fn reconsider(&mut self, item: &Item, now: Timestamp, batch: &mut Batch) {
        let concerned: Vec<IntentId> = self
            .book
            .iter_open()
            .filter(|open| Stall::concerns(item, open.intent))
            .map(|open| open.id)
            .collect();
        for id in concerned {
            self.consider(id, now, batch);
        }
    }

    pub(crate) fn put_item(
        &mut self,
        item: Item,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<ItemId, Complaint> {
        self.put_items(vec![item], now, batch)
            .map(|ids| ids.first().copied().unwrap_or_default())
    }

    /// Puts all of them, or none if one will not do.
    pub(crate) fn put_items(
        &mut self,
        items: Vec<Item>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<Vec<ItemId>, Complaint> {
        for item in &items {
            check_item(item)?;
        }
        let new = items
            .iter()
            .filter(|item| !self.stall.items().contains_key(&item.id));
        if self.stall.items().len() + new.count() > ITEMS_MAX {
            let sentence = "This stall is full: take something out of it first.";
            return Err(Complaint::new("stall-full", sentence));
        }
        let in_threads = self
            .threads
            .values()
            .filter_map(|thread| thread.offer.as_ref()?.item);
        let in_stall = self.stall.items().keys().next_back().copied();
        let mut last = in_threads.chain(in_stall).max().unwrap_or_default();
        let mut put = Vec::with_capacity(items.len());
        for mut item in items {
            if item.id == ItemId(0) {
                let next = || ItemId(last.0 + 1);
                item.id = item.sku.as_deref().map_or_else(next, ItemId::of_sku);
            }
            last = last.max(item.id);
            put.push(item.id);
            batch.save.insert(Key::Item(item.id));
            let before = self.stall.remove(item.id);
            self.stall.put(item.clone());
            batch.stall = true;
            if let Some(before) = before {
                self.reconsider(&before, now, batch);
            }
            self.reconsider(&item, now, batch);
        }
        Ok(put)
    }

    pub(crate) fn remove_item(
        &mut self,
        id: ItemId,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let no_such = || {
            Complaint::about(
                "no-such-item",
                "item",
                "There is no such item in your stall.",
            )
        };
        let item = self.stall.remove(id).ok_or_else(no_such)?;
        batch.save.insert(Key::Item(id));
        batch.stall = true;
        // What was not promised is no longer offered either.
        let offered = self.threads.values().filter(|thread| {
            let offer = thread
                .offer
                .as_ref()
                .filter(|offer| offer.stands(now) && !offer.quote.firm);
            offer.is_some_and(|offer| offer.item == Some(id))
                && !thread.deal.as_ref().is_some_and(Deal::under_way)
        });
        let offered: Vec<ThreadId> = offered.map(|thread| thread.id).collect();
        for thread in offered {
            self.withdraw_offer(
                thread,
                DeclineReason::NoStock,
                AnswerState::Expired,
                now,
                batch,
            );
        }
        self.reconsider(&item, now, batch);
        Ok(())
    }

    pub(crate) fn set_rules(
        &mut self,
        rules: Rules,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        check_rules(&rules)?;
        self.stall.rules = rules;
        batch.save.insert(Key::Rules);
        batch.stall = true;
        let open: Vec<IntentId> = self.book.iter_open().map(|open| open.id).collect();
        for id in open {
            self.consider(id, now, batch);
        }
        Ok(())
    }

    pub(crate) fn set_profile(
        &mut self,
        profile: Profile,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        if profile != Profile::default() {
            crate::orders::check_profile(&profile)?;
        }
        self.stall.profile = profile;
        batch.save.insert(Key::Profile);
        batch.stall = true;
        Ok(())
    }

    pub(crate) fn quote_by_hand(
        &mut self,
        draft: QuoteDraft,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<ThreadId, Complaint> {
        let id = draft.intent;
        let wanted = self.wanted(&id).ok_or_else(no_such_intent)?;
        let about =
            |code: &str, field: &str, sentence: &str| Complaint::about(code, field, sentence);
        if wanted.intent.arbiter.is_some() {
            let sentence = "This person decides for others who disagree, and wants nothing else. Name him in the rules of your stall.";
            return Err(about("not-wanted", "intent", sentence));
        }
        if wanted.intent.quotes_due <= now {
            return Err(about(
                "too-late",
                "intent",
                "The buyer takes no more quotes for this.",
            ));
        }
        if draft.asset != wanted.intent.budget.asset() {
            return Err(about(
                "wrong-unit",
                "asset",
                "Quote in the currency that the buyer asked for.",
            ));
        }
        if !(VALID_MIN..=VALID_MAX).contains(&draft.valid_for) {
            return Err(about(
                "bad-field",
                "validFor",
                "Let the quote hold for at least a minute and at most a week.",
            ));
        }
        if let Some(thread) = self
            .answers
            .get(&id)
            .and_then(|thread| self.threads.get(thread))
            && thread.is_ordered()
        {
            return Err(about(
                "ordered",
                "intent",
                "The buyer has ordered already: confirm that order, or refuse it first.",
            ));
        }
        let quote = quote_of(&draft, wanted.newest, now)?;
        if let Some(item) = draft.item {
            let Some(stocked) = self.stall.items().get(&item) else {
                return Err(about(
                    "no-such-item",
                    "item",
                    "There is no such item in your stall.",
                ));
            };
            let unit = quote.lines.first().map(|line| line.quantity.unit);
            if unit != Some(stocked.unit) {
                return Err(about(
                    "wrong-unit",
                    "lines",
                    "Count the first line in the unit of the item that it takes.",
                ));
            }
            if draft.firm && !self.has_stock(&id, item, &quote) {
                return Err(about(
                    "out-of-stock",
                    "item",
                    "There is not enough of it left to promise it. Quote without binding yourself, or offer less.",
                ));
            }
        }
        let sent = self.offer(id, &wanted, quote, draft.item, false, now, batch);
        let thread = sent.map_err(|refusal| {
            Complaint::new(refusal.code(), "This quote is too long to be sent, or too many wait for this buyer. Shorten it, or wait until he is reached.")
        })?;
        self.undismiss(id, batch);
        Ok(thread)
    }

    /// Whether there is enough of an item for a quote, not counting what the same thread holds already.
    fn has_stock(&self, id: &IntentId, item: ItemId, quote: &Quote) -> bool {
        let Some(needed) = self.needed(item, quote) else {
            return true;
        };
        let own = self
            .answers
            .get(id)
            .and_then(|thread| self.threads.get(thread)?.set_aside);
        let own = own
            .filter(|held| held.item == item)
            .map_or(0, |held| held.micros);
        let free = self
            .stall
            .items()
            .get(&item)
            .and_then(|item| self.stall.free(item));
        free.is_none_or(|free| u128::from(needed.micros) <= free + u128::from(own))
    }

    pub(crate) fn dismiss(
        &mut self,
        id: IntentId,
        reason: Option<DeclineReason>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let wanted = self.wanted(&id);
        let thread = self.answers.get(&id).copied();
        if wanted.is_none() && thread.is_none() {
            return Err(no_such_intent());
        }
        if let Some(thread) = thread.and_then(|thread| self.threads.get(&thread))
            && thread.deal.as_ref().is_some_and(Deal::under_way)
        {
            let sentence = "The buyer has ordered: confirm that order, or refuse it.";
            return Err(Complaint::about("ordered", "intent", sentence));
        }
        self.dismissed.insert(id, now);
        self.stall.postponed.remove(&id);
        batch.save.insert(Key::Dismissed(id));
        batch.open.insert(id);
        if let Some(thread) = thread {
            let reason = reason.unwrap_or(DeclineReason::Other);
            self.withdraw_offer(thread, reason, AnswerState::Dismissed, now, batch);
        } else if let (Some(reason), Some(wanted)) = (reason, wanted)
            && let Ok(thread) = self.thread_for(id, &wanted, now)
        {
            if let Some(thread) = self.threads.get_mut(&thread) {
                thread.answer = AnswerState::Dismissed;
            }
            let decline = Decline {
                reason,
                last: true,
                order: None,
            };
            // A courtesy: if it cannot be sent, silence says the same.
            let _ = self.send(
                thread,
                Body::Decline(decline),
                now + DECLINE_FOR,
                now,
                batch,
            );
            batch.thread(thread);
        }
        Ok(())
    }

    /// Takes a standing quote back, and tells its buyer.
    pub(crate) fn withdraw_offer(
        &mut self,
        id: ThreadId,
        reason: DeclineReason,
        answer: AnswerState,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        thread.answer = answer;
        batch.open.insert(thread.intent);
        batch.thread(id);
        let Some(offer) = thread.offer.as_mut().filter(|offer| offer.stands(now)) else {
            return;
        };
        offer.over = Some(Over::Withdrawn(reason));
        let until = offer.quote.valid_until;
        self.drop_outgoing(id, |waiting| waiting.sort == Sort::Quote);
        let decline = Decline {
            reason,
            last: true,
            order: None,
        };
        // Fails only if a dozen messages wait already; then the quote lapses, and an order for it is declined.
        let _ = self.send(id, Body::Decline(decline), until, now, batch);
        self.release(id, now, batch);
    }

    fn undismiss(&mut self, id: IntentId, batch: &mut Batch) {
        if self.dismissed.remove(&id).is_some() {
            batch.save.insert(Key::Dismissed(id));
        }
    }

    /// The buyer of an intent says where he can be reached now.
    pub(crate) fn buyer_moved(
        &mut self,
        id: IntentId,
        ways: Vec<Circuit>,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let Some(name) = self.answers.get(&id).copied() else {
            return;
        };
        let Some(thread) = self.threads.get_mut(&name) else {
            return;
        };
        if thread.learn_ways(ways) {
            let sold = self
                .threads
                .get(&name)
                .is_some_and(|thread| self.is_sold(thread));
            batch.thread(name);
            if sold {
                // He goes on being found for a trade: his last word may not have come through.
                self.tell_ways_anyway(name, now, batch);
            } else {
                self.tell_ways(name, now, batch);
            }
            self.post(name, now, batch);
        }
    }

    /// An intent of somebody else is closed: its buyer needs no more quotes.
    pub(crate) fn closed(&mut self, id: IntentId, now: Timestamp, batch: &mut Batch) {
        let name = self.answers.get(&id).copied().filter(|name| {
            // Whoever has the order is not told by this that he lost it.
            let thread = self.threads.get(name);
            thread.is_some_and(|thread| !thread.is_ordered())
        });
        if let Some(name) = name
            && let Some(thread) = self.threads.get_mut(&name)
        {
            if let Some(offer) = thread.offer.as_mut().filter(|offer| offer.stands(now)) {
                offer.over = Some(Over::NotSelected);
                thread.answer = AnswerState::NotSelected;
            }
            self.drop_outgoing(name, |waiting| waiting.sort == Sort::Quote);
            batch.thread(name);
            self.release(name, now, batch);
        }
        self.gone(id, now, batch);
    }

    /// An intent of somebody else is no longer in the book.
    pub(crate) fn gone(&mut self, id: IntentId, now: Timestamp, batch: &mut Batch) {
        self.undismiss(id, batch);
        self.stall.postponed.remove(&id);
        if let Some(thread) = self.answers.get(&id).copied() {
            batch.due.insert(Subject::Thread(thread));
            // Its time may have been over while the intent was still there.
            self.forget(thread, now, batch);
        }
        if self.shown.remove(&id) {
            batch.events.push(Event::Gone(id));
        }
    }

    /// A quote reached its buyer.
    pub(crate) fn quote_delivered(&mut self, id: ThreadId, batch: &mut Batch) {
        if let Some(thread) = self.threads.get_mut(&id)
            && thread.answer == AnswerState::Sending
        {
            thread.answer = AnswerState::Delivered;
            batch.open.insert(thread.intent);
        }
    }

    /// The buyer's peer does not take a quote.
    pub(crate) fn quote_refused(
        &mut self,
        id: ThreadId,
        refusal: Refusal,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        thread.answer = if refusal == Refusal::Closed {
            AnswerState::NotSelected
        } else {
            AnswerState::Refused
        };
        if let Some(offer) = &mut thread.offer {
            offer.over = Some(Over::NotSelected)
                .filter(|_| refusal == Refusal::Closed)
                .or(offer.over);
        }
        batch.open.insert(thread.intent);
        batch.thread(id);
        self.release(id, now, batch);
    }
}

/// Whether two quotes offer the same.
fn says_the_same(one: &Quote, other: &Quote) -> bool {
    let neutral = |quote: &Quote| Quote {
        number: 0,
        answers: FrameId([0; 32]),
        valid_until: Timestamp(0),
        keepers: Vec::new(),
        arbiters: Vec::new(),
        ..quote.clone()
    };
    neutral(one) == neutral(other)
}

/// The quote of a draft, with every amount computed.
fn quote_of(draft: &QuoteDraft, answers: FrameId, now: Timestamp) -> Result<Quote, Complaint> {
    let unfit = |field: &str, sentence: &str| Complaint::about("bad-quote", field, sentence);
    let mut lines = Vec::with_capacity(
        draft
            .lines
            .len()
            .min(haggle_protocol::limits::QUOTE_LINES_MAX),
    );
    for line in draft
        .lines
        .iter()
        .take(haggle_protocol::limits::QUOTE_LINES_MAX + 1)
    {
        let cost = line.quantity.cost(Money::new(line.unit_price, draft.asset));
        let cost = cost.ok_or_else(|| unfit("lines", "A price is too large."))?;
        lines.push(Line {
            amount: cost.minor,
            ..line.clone()
        });
    }
    let mut quote = Quote {
        number: 1,
        answers,
        firm: draft.firm,
        lines,
        charges: draft.charges.clone(),
        total: Money::new(0, draft.asset),
        valid_until: now + draft.valid_for,
        lead_time: draft.lead_time,
        delivery: draft.delivery,
        quality: draft.quality,
        note: draft.note.clone(),
        keepers: Vec::new(),
        arbiters: Vec::new(),
    };
    let sum = quote.sum().ok_or_else(|| {
        unfit(
            "charges",
            "The discounts are larger than the prices, or the sum is too large.",
        )
    })?;
    quote.total = Money::new(sum, draft.asset);
    quote.check().map_err(|_| {
        unfit("lines", "Give one to eight lines with a short description and a quantity above nothing, and keep the texts short.")
    })?;
    Ok(quote)
}
