//! Haggling: a buyer says what he would pay, and the seller's rule or his hand answers with a new quote, or not at all.
//!
//! A counter binds nobody. There are three in an exchange, each offering more than the one before, so that nobody finds out a seller's lowest price by
//! halving. A rule gives way by a third of what it may in each round: it meets a buyer who offers that much, and else comes towards him.
//! It never goes below an item's own floor.

use haggle_protocol::private::Body;
use haggle_protocol::quote::{Charge, ChargeKind, Quote};
use haggle_protocol::trade::Counter;
use haggle_protocol::{Money, Refusal, ThreadId, Timestamp};

use crate::batch::Batch;
use crate::command::Complaint;
use crate::intents::Mine;
use crate::item::ItemId;
use crate::mail::Opened;
use crate::market::Market;
use crate::orders::{bad_note, no_such_thread, unsent};
use crate::threads::{Countered, Sort, Thread};
use crate::view::{IntentState, Role};

impl Market {
    /// I tell a seller what I would pay.
    pub(crate) fn counter(
        &mut self,
        id: ThreadId,
        total: Money,
        note: Option<String>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let thread = self.threads.get(&id).filter(|it| it.role == Role::Buyer);
        let thread = thread.ok_or_else(no_such_thread)?;
        let mine = self.intents.get(&thread.intent);
        let mine = mine.ok_or_else(no_such_thread)?;
        let offer = thread.offer.as_ref().ok_or_else(no_such_thread)?;
        // After that time no new quote could come for it.
        let taken = mine.intent.quotes_due > now;
        if mine.state != IntentState::Open || !offer.stands(now) || !taken {
            let sentence = "This quote cannot be haggled over any more. Take another one, or wait for a new one.";
            return Err(Complaint::new("quote-gone", sentence));
        }
        let before = thread.counter.as_ref().map(|said| &said.counter);
        let round = before.map_or(0, |counter| counter.round) + 1;
        if round > Counter::ROUNDS {
            let sentence =
                "You have made three offers to this seller. Take his quote, or leave it.";
            return Err(Complaint::new("no-more-rounds", sentence));
        }
        let wrong = |sentence: &str| Err(Complaint::about("bad-counter", "total", sentence));
        if total.asset != offer.quote.asset() || total.minor == 0 || total >= offer.quote.total {
            return wrong(
                "Offer something above nothing and below the quote's total, in its currency.",
            );
        }
        if before.is_some_and(|counter| total.minor <= counter.total.minor) {
            return wrong("Offer more than the last time.");
        }
        let counter = Counter {
            quote: offer.message,
            total,
            round,
            note,
        };
        counter.check().map_err(|_| bad_note())?;
        let (intent, until) = (thread.intent, offer.quote.valid_until);
        let sent = self.send(id, Body::Counter(counter.clone()), until, now, batch);
        let message = sent.map_err(unsent)?;
        self.drop_outgoing(id, |waiting| {
            waiting.sort == Sort::Counter && waiting.message != message
        });
        if let Some(thread) = self.threads.get_mut(&id) {
            thread.counter = Some(Countered {
                message,
                count: counter.round,
                counter,
                at: now,
                delivered: false,
            });
        }
        batch.thread(id);
        batch.mine.insert(intent);
        Ok(())
    }

    /// Whether a counter to the newest quote of a thread would be taken now.
    pub(crate) fn can_counter(&self, mine: &Mine, thread: &Thread, now: Timestamp) -> bool {
        let before = thread.counter.as_ref().map(|said| &said.counter);
        let rounds = before.map_or(0, |counter| counter.round);
        let least = before.map_or(0, |counter| counter.total.minor) + 1;
        let offer = thread.offer.as_ref().filter(|offer| offer.stands(now));
        mine.state == IntentState::Open
            && mine.intent.quotes_due > now
            && offer.is_some_and(|offer| least < offer.quote.total.minor)
            && rounds < Counter::ROUNDS
    }

    /// A buyer says what he would pay.
    pub(crate) fn hear_counter(
        &mut self,
        opened: &Opened,
        counter: &Counter,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let id = opened.message.thread;
        let thread = self.threads.get(&id).ok_or(Refusal::UnknownRecipient)?;
        let offer = thread.offer.as_ref().ok_or(Refusal::WrongState)?;
        if thread.is_ordered() {
            return Err(Refusal::WrongState);
        }
        if counter.total.asset != offer.quote.asset() {
            return Err(Refusal::WrongUnit);
        }
        let newest = offer.message == counter.quote;
        if newest && counter.total.minor >= offer.quote.total.minor {
            return Err(Refusal::WrongSum);
        }
        if let Some(before) = &thread.counter {
            if counter.round <= before.counter.round {
                return Err(Refusal::WrongState);
            }
            if counter.total.minor <= before.counter.total.minor {
                return Err(Refusal::WrongSum);
            }
        }
        let intent = thread.intent;
        self.took(opened, now, batch);
        if let Some(thread) = self.threads.get_mut(&id) {
            let before = thread.counter.as_ref().map_or(0, |said| said.count);
            thread.counter = Some(Countered {
                message: opened.id,
                counter: counter.clone(),
                count: before.saturating_add(1),
                at: now,
                delivered: true,
            });
        }
        batch.thread(id);
        batch.open.insert(intent);
        // A rule answers it as it answers an intent: now, or as soon as it may and knows what is open.
        self.consider(intent, now, batch);
        Ok(())
    }

    /// I quote anew at what the buyer has offered.
    pub(crate) fn meet(
        &mut self,
        id: ThreadId,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let thread = self.threads.get(&id).filter(|it| it.role == Role::Seller);
        let thread = thread.ok_or_else(no_such_thread)?;
        let offer = thread.offer.as_ref().filter(|offer| offer.stands(now));
        let said = thread.counter.as_ref();
        let said = said.filter(|said| offer.is_some_and(|it| it.message == said.counter.quote));
        let Some(said) = said.filter(|_| !thread.is_ordered()) else {
            let sentence =
                "There is no offer of the buyer's to be met any more. Quote anew instead.";
            return Err(Complaint::new("no-counter", sentence));
        };
        let price = said.counter.total.minor;
        self.requote(id, price, now, batch).map_err(unmet)
    }

    /// The newest quote of a thread once more, for less.
    fn requote(
        &mut self,
        id: ThreadId,
        price: u64,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let thread = self.threads.get(&id).ok_or(Refusal::UnknownRecipient)?;
        let offer = thread.offer.as_ref().ok_or(Refusal::WrongState)?;
        let (intent, item) = (thread.intent, offer.item);
        let less = offer.quote.total.minor.checked_sub(price);
        let quote = discounted(&offer.quote, less.ok_or(Refusal::WrongSum)?);
        let wanted = self.wanted(&intent).ok_or(Refusal::Closed)?;
        if wanted.quotes_due() <= now {
            return Err(Refusal::TooLate);
        }
        let quote = Quote {
            answers: wanted.newest,
            valid_until: now + self.stall.rules.valid_for,
            ..quote.ok_or(Refusal::WrongSum)?
        };
        self.offer(intent, &wanted, quote, item, false, now, batch)
            .map(drop)
    }

    /// What a rule would quote in a thread in which it has given way before or is asked to, and by how much it gives way then: never by more
    /// than it may for what is asked now.
    pub(crate) fn conceding(
        &self,
        thread: Option<ThreadId>,
        item: ItemId,
        quote: Quote,
    ) -> (Quote, u64) {
        let thread = thread.and_then(|thread| self.threads.get(&thread));
        let list = quote.total.minor;
        let most = most(list, self.stall.rules.concession);
        let most = most.min(self.above_floor(item, &quote));
        let lowest = |round| list - in_round(most, round);
        let before = thread.map_or(0, |thread| thread.conceded.min(most));
        let asked = thread.and_then(Thread::asked_of_rule).map_or(0, |said| {
            list.saturating_sub(said.counter.total.minor.max(lowest(said.count)))
        });
        let less = before.max(asked);
        discounted(&quote, less).map_or((quote, 0), |quote| (quote, less))
    }
}

impl Market {
    /// By how much a quote can be lowered before its item costs less than its seller's floor; without one, by anything.
    fn above_floor(&self, item: ItemId, quote: &Quote) -> u64 {
        let floor = self.stall.items().get(&item).and_then(|item| item.floor);
        let (Some(floor), Some(line)) = (floor, quote.lines.first()) else {
            return u64::MAX;
        };
        let least = line.quantity.cost(Money::new(floor, quote.total.asset));
        line.amount
            .saturating_sub(least.map_or(line.amount, |least| least.minor))
    }
}

impl Thread {
    /// A counter to a quote of a rule that is not answered yet.
    fn asked_of_rule(&self) -> Option<&Countered> {
        let offer = self.offer.as_ref().filter(|offer| offer.automatic)?;
        let said = self.counter.as_ref();
        said.filter(|said| said.counter.quote == offer.message)
    }
}

/// Why a counter cannot be met.
fn unmet(refusal: Refusal) -> Complaint {
    let because = |sentence| Complaint::new(refusal.code(), sentence);
    if refusal == Refusal::Closed {
        because(
            "The buyer's request is over, or has not been heard of again since this peer started.",
        )
    } else if refusal == Refusal::TooLate {
        because("The buyer takes no more quotes for this.")
    } else if refusal == Refusal::WrongSum {
        because("This quote cannot be lowered so far by one more discount. Quote anew instead.")
    } else {
        unsent(refusal)
    }
}

/// By how much a rule gives way at most.
fn most(list: u64, concession: u8) -> u64 {
    let less = u128::from(list) * u128::from(concession) / 100;
    u64::try_from(less).map_or(list, |less| less.min(list))
}

/// By how much of it in a round: a third, two thirds, all.
fn in_round(most: u64, round: u8) -> u64 {
    let rounds = Counter::ROUNDS;
    let less = u128::from(most) * u128::from(round.min(rounds)) / u128::from(rounds);
    u64::try_from(less).unwrap_or(most)
}

/// The same quote for so much less, as one discount; `None` if that is all of it or it has too many charges.
fn discounted(quote: &Quote, less: u64) -> Option<Quote> {
    if less == 0 {
        return Some(quote.clone());
    }
    let mut quote = quote.clone();
    let is_ours =
        |charge: &&mut Charge| charge.kind == ChargeKind::Discount && charge.label.is_empty();
    match quote.charges.iter_mut().find(is_ours) {
        Some(charge) => charge.amount = charge.amount.checked_add(less)?,
        None => quote.charges.push(Charge {
            kind: ChargeKind::Discount,
            label: String::new(),
            amount: less,
        }),
    }
    quote.total.minor = quote.sum()?;
    quote.check().ok().filter(|()| quote.total.minor > 0)?;
    Some(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_gives_way_by_a_third_in_each_round_and_no_further() {
        let asked = |list, concession| {
            let most = most(list, concession);
            [1, 2, 3].map(|round| list - in_round(most, round))
        };
        assert_eq!(asked(40_000, 15), [38_000, 36_000, 34_000]);
        assert_eq!(asked(40_000, 0), [40_000; 3]);
        assert_eq!(asked(u64::MAX, 90)[2], u64::MAX / 10 + 1);
        assert_eq!(asked(100, 100)[2], 0);
    }
}
