//! From the first message to the hand-over: what each message of an exchange brings about, on either side.
//!
//! A message is first looked at as a whole; if it is refused, nothing has changed. An order is confirmed once, its stock is
//! set aside once, and a message that comes twice changes nothing the second time, since it never gets here.

use haggle_protocol::intent::MAX_QUOTES_DEFAULT;
use haggle_protocol::limits::{CLOCK_SKEW, PRIVATE_LIFETIME_MAX};
use haggle_protocol::private::Body;
use haggle_protocol::quote::Quote;
use haggle_protocol::seal::Direction;
use haggle_protocol::trade::{Contact, Decline, DeclineReason, NotSelected, Order, OrderConfirm};
use haggle_protocol::{IntentId, MessageId, Money, Refusal, ThreadId, Timestamp};

use crate::batch::Batch;
use crate::command::{Complaint, Profile};
use crate::item::ItemId;
use crate::mail::Opened;
use crate::market::Market;
use crate::ranking::{self, Candidate, Wanted};
use crate::threads::{About, Deal, DealState, Offer, Over, Sort, Thread};
use crate::view::{AnswerState, IntentState, Role};

/// How long a buyer waits for a confirmation, in seconds: a person at a screen needs a few minutes.
const CONFIRM_WITHIN: u64 = 10 * 60;
/// The least time a seller is given to confirm, in seconds, even if his quote ends sooner.
const CONFIRM_LEAST: u64 = 2 * 60;
/// The longest time in which a seller still considers an order, in seconds, whatever its buyer wrote.
const CONFIRM_MOST: u64 = 24 * 60 * 60;
/// How long it is tried to bring a confirmation or a contact, in seconds: as long as any message lives.
const TRADE_FOR: u64 = PRIVATE_LIFETIME_MAX;
/// How long it is tried to bring a refusal, in seconds.
const REFUSAL_FOR: u64 = 24 * 60 * 60;
/// The least time for which it is tried to tell a seller that he was not selected, in seconds.
const NOT_SELECTED_FOR: u64 = 10 * 60;

impl Market {
    /// A message opened, and is new. Either it is refused and nothing has changed, or it had its effect.
    pub(crate) fn apply(
        &mut self,
        opened: &Opened,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        match opened.message.direction {
            Direction::ToBuyer => self.buyer_hears(opened, now, batch),
            Direction::ToSeller => self.seller_hears(opened, now, batch),
        }
    }

    fn buyer_hears(
        &mut self,
        opened: &Opened,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let (id, intent) = (opened.message.thread, opened.message.intent);
        match &opened.message.body {
            Body::Quote(quote) => {
                self.check_quote(id, intent, quote, now)?;
                self.begin_buyer(opened, Some(quote), now, batch)?;
                self.take_quote(opened, quote, batch);
            }
            Body::Moved => {
                self.begin_buyer(opened, None, now, batch)?;
            }
            Body::Decline(decline) => {
                self.check_decline(id, decline)?;
                self.begin_buyer(opened, None, now, batch)?;
                self.take_decline(id, decline, now, batch);
            }
            Body::OrderConfirm(confirm) => {
                let deal = self.deal(&id).filter(|deal| deal.message == confirm.order);
                match deal.ok_or(Refusal::WrongState)?.state {
                    DealState::Ordered | DealState::NotConfirmed | DealState::Confirmed => {}
                    DealState::Declined(_) => return Err(Refusal::WrongState),
                }
                self.took(opened, now, batch);
                self.take_confirm(id, confirm, now, batch);
            }
            Body::Contact(contact) => {
                self.check_contact(id, contact)?;
                self.took(opened, now, batch);
                self.take_contact(id, contact, batch);
            }
            Body::Order(_) | Body::NotSelected(_) | Body::Ack(_) => {
                return Err(Refusal::WrongState);
            }
        }
        Ok(())
    }

    fn seller_hears(
        &mut self,
        opened: &Opened,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let id = opened.message.thread;
        match &opened.message.body {
            Body::Order(order) => {
                self.check_order(id, order)?;
                self.took(opened, now, batch);
                self.take_order(opened, order, now, batch);
            }
            Body::NotSelected(not_selected) => {
                self.took(opened, now, batch);
                self.take_not_selected(id, not_selected.quote, now, batch);
            }
            Body::Contact(contact) => {
                self.check_contact(id, contact)?;
                self.took(opened, now, batch);
                self.take_contact(id, contact, batch);
            }
            Body::Moved => self.took(opened, now, batch),
            Body::Quote(_) | Body::Decline(_) | Body::OrderConfirm(_) | Body::Ack(_) => {
                return Err(Refusal::WrongState);
            }
        }
        Ok(())
    }

    fn deal(&self, id: &ThreadId) -> Option<&Deal> {
        self.threads.get(id)?.deal.as_ref()
    }

    fn deal_mut(&mut self, id: &ThreadId) -> Option<&mut Deal> {
        self.threads.get_mut(id)?.deal.as_mut()
    }

    // ---- the buyer: quotes ----

    fn check_quote(
        &self,
        id: ThreadId,
        intent: IntentId,
        quote: &Quote,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let mine = self.intents.get(&intent).ok_or(Refusal::UnknownRecipient)?;
        if !mine.is_open() {
            return Err(Refusal::Closed);
        }
        if quote.asset() != mine.intent.budget.asset() {
            return Err(Refusal::WrongUnit);
        }
        if !mine.frames.contains(&quote.answers) {
            return Err(Refusal::UnknownRevision);
        }
        if mine.intent.quotes_due < now {
            return Err(Refusal::TooLate);
        }
        if quote.valid_until <= now {
            return Err(Refusal::Expired);
        }
        match self.deal(&id).map(|deal| deal.state) {
            Some(DealState::Confirmed) => Err(Refusal::WrongState),
            Some(DealState::Ordered | DealState::Declined(_) | DealState::NotConfirmed) | None => {
                Ok(())
            }
        }
    }

    /// Takes a message into its thread, which it begins if it is a seller's first and there is room for him.
    fn begin_buyer(
        &mut self,
        opened: &Opened,
        quote: Option<&Quote>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let (id, intent) = (opened.message.thread, opened.message.intent);
        if !self.threads.contains_key(&id) {
            let mine = self.intents.get(&intent).ok_or(Refusal::UnknownRecipient)?;
            if !mine.is_open() {
                return Err(Refusal::Closed);
            }
            let key = self
                .pen
                .root
                .recognise(&mine.mark)
                .ok_or(Refusal::UnknownRecipient)?;
            let title = mine.intent.title.clone();
            let about = About {
                intent,
                title: &title,
                key: mine.key,
                seal: mine.seal_public,
            };
            if let Some(worst) = self.worst_of_too_many(intent, opened.id, quote, now)? {
                self.remove_thread(worst, now, batch);
            }
            let thread = Thread::buyer(self.pen.network, id, &about, &key, now, &mut self.pen.dice);
            self.threads.insert(id, thread);
            self.index_thread(id);
        }
        self.took(opened, now, batch);
        Ok(())
    }

    /// If an intent has as many quoters as it takes: the one that makes room for a newcomer.
    fn worst_of_too_many(
        &self,
        intent: IntentId,
        newcomer: MessageId,
        quote: Option<&Quote>,
        now: Timestamp,
    ) -> Result<Option<ThreadId>, Refusal> {
        let mine = self.intents.get(&intent).ok_or(Refusal::UnknownRecipient)?;
        let quoters = self.quoters.get(&intent);
        let most = usize::from(mine.intent.max_quotes.unwrap_or(MAX_QUOTES_DEFAULT));
        if quoters.is_none_or(|quoters| quoters.len() < most) {
            return Ok(None);
        }
        let threads = || {
            let ids = quoters.into_iter().flatten();
            ids.filter_map(|id| self.threads.get(id))
                .filter(|thread| thread.deal.is_none())
        };
        let idle = |thread: &&Thread| !thread.offer.as_ref().is_some_and(|offer| offer.stands(now));
        if let Some(thread) = threads().filter(idle).min_by_key(|thread| thread.since) {
            return Ok(Some(thread.id));
        }
        let quote = quote.ok_or(Refusal::TooManyQuotes)?;
        let offers: Vec<(ThreadId, &Offer)> = threads()
            .filter_map(|thread| Some((thread.id, thread.offer.as_ref()?)))
            .collect();
        let mut candidates: Vec<Candidate<'_>> = offers
            .iter()
            .map(|(_, offer)| candidate(offer, true))
            .collect();
        candidates.push(Candidate {
            message: newcomer,
            quote,
            standing: true,
            received: now,
        });
        let ranked = ranking::rank(&candidates, &wanted(mine));
        let last = ranked.last().map(|(at, _)| *at);
        let worst = last.and_then(|at| offers.get(at)).map(|(id, _)| *id);
        worst.map(Some).ok_or(Refusal::TooManyQuotes)
    }

    fn take_quote(&mut self, opened: &Opened, quote: &Quote, batch: &mut Batch) {
        let message = &opened.message;
        let Some(thread) = self.threads.get_mut(&message.thread) else {
            return;
        };
        // One that was overtaken by a newer one changes nothing.
        if thread
            .offer
            .as_ref()
            .is_some_and(|offer| offer.quote.number >= quote.number)
        {
            return;
        }
        thread.offer = Some(Offer {
            message: opened.id,
            quote: quote.clone(),
            trader: message.trader.map(|proof| proof.trader),
            at: message.created,
            item: None,
            automatic: false,
            over: None,
            lapsed: false,
        });
        batch.mine.insert(message.intent);
    }

    fn check_decline(&self, id: ThreadId, decline: &Decline) -> Result<(), Refusal> {
        let Some(order) = decline.order else {
            return Ok(());
        };
        let deal = self.deal(&id).filter(|deal| deal.message == order);
        match deal.ok_or(Refusal::WrongState)?.state {
            DealState::Ordered | DealState::Declined(_) | DealState::NotConfirmed => Ok(()),
            DealState::Confirmed => Err(Refusal::WrongState),
        }
    }

    fn take_decline(&mut self, id: ThreadId, decline: &Decline, now: Timestamp, batch: &mut Batch) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        batch.mine.insert(thread.intent);
        if decline.order.is_none() {
            if let Some(offer) = thread.offer.as_mut().filter(|offer| offer.over.is_none()) {
                offer.over = Some(Over::Withdrawn(decline.reason));
            }
            return;
        }
        if let Some(deal) = &mut thread.deal {
            let awaited = deal.state == DealState::Ordered;
            deal.state = DealState::Declined(decline.reason);
            batch.trades.insert(id);
            if awaited {
                self.reopen(id, now, batch);
            }
        }
    }

    /// An order came to nothing: its intent takes quotes and orders again, or is over by now.
    fn reopen(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        let Some(intent) = self.threads.get(&id).map(|thread| thread.intent) else {
            return;
        };
        let Some(mine) = self.intents.get_mut(&intent) else {
            return;
        };
        if mine.state != IntentState::Ordered || mine.taken != Some(id) {
            return;
        }
        mine.taken = None;
        mine.state = IntentState::Open;
        batch.intent(intent);
        if mine.until <= now {
            self.close(intent, IntentState::Expired, now, batch);
        }
    }

    // ---- the buyer: orders ----

    pub(crate) fn accept(
        &mut self,
        id: ThreadId,
        total: Money,
        note: Option<String>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let thread = self
            .threads
            .get(&id)
            .filter(|thread| thread.role == Role::Buyer);
        let thread = thread.ok_or_else(no_such_thread)?;
        let mine = self
            .intents
            .get(&thread.intent)
            .ok_or_else(no_such_thread)?;
        match mine.state {
            IntentState::Open => {}
            IntentState::Ordered => {
                let sentence = "You have ordered from another seller. Wait for his answer; if none comes in time, you can take this one.";
                return Err(Complaint::new("already-ordered", sentence));
            }
            IntentState::Awarded | IntentState::Withdrawn | IntentState::Expired => {
                return Err(Complaint::new(
                    "not-open",
                    "This request is over. Publish it anew if you still want it.",
                ));
            }
        }
        let offer = thread.offer.as_ref().ok_or_else(no_such_thread)?;
        let tried = thread
            .deal
            .as_ref()
            .is_some_and(|deal| deal.order.quote == offer.message);
        if offer.over.is_some() || tried {
            return Err(Complaint::new(
                "quote-gone",
                "This quote was withdrawn or declined. Take another one.",
            ));
        }
        if !offer.stands(now) {
            return Err(Complaint::new(
                "quote-expired",
                "This quote no longer holds. Take another one, or wait for a new one.",
            ));
        }
        if offer.quote.total != total {
            return Err(Complaint::about(
                "wrong-total",
                "total",
                "The seller has changed the quote meanwhile. Look at its total again.",
            ));
        }
        let line = offer.quote.lines.first().ok_or_else(no_such_thread)?;
        let latest = (now + CONFIRM_WITHIN).min(offer.quote.valid_until);
        let order = Order {
            quote: offer.message,
            total,
            quantity: line.quantity,
            delivery: offer.quote.delivery,
            confirm_by: latest.max(now + CONFIRM_LEAST),
            note,
        };
        if order.check().is_err() {
            return Err(Complaint::about(
                "bad-text",
                "note",
                "Keep the note below 600 letters, without spaces at its ends.",
            ));
        }
        let (quote, trader, intent) = (offer.quote.clone(), offer.trader, thread.intent);
        let sent = self.send(id, Body::Order(order.clone()), order.confirm_by, now, batch);
        let message = sent.map_err(unsent)?;
        if let Some(thread) = self.threads.get_mut(&id) {
            thread.deal = Some(Deal::ordered(message, order, quote, None, trader, now));
        }
        if let Some(mine) = self.intents.get_mut(&intent) {
            mine.state = IntentState::Ordered;
            mine.taken = Some(id);
        }
        batch.intent(intent);
        batch.trades.insert(id);
        Ok(())
    }

    fn take_confirm(
        &mut self,
        id: ThreadId,
        confirm: &OrderConfirm,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let Some(thread) = self.threads.get(&id) else {
            return;
        };
        let intent = thread.intent;
        let (Some(deal), Some(mine)) = (&thread.deal, self.intents.get(&intent)) else {
            return;
        };
        let wanted = match deal.state {
            DealState::Ordered => true,
            // It comes late: welcome if nobody else was asked meanwhile.
            DealState::NotConfirmed => mine.state == IntentState::Open,
            DealState::Confirmed | DealState::Declined(_) => return,
        };
        let (quote, trader) = (deal.order.quote, opened_trader(thread));
        if !wanted {
            let until = now + NOT_SELECTED_FOR;
            // If it cannot be said, the seller waits for a contact that never comes, as after any loss.
            let _ = self.send(
                id,
                Body::NotSelected(NotSelected { quote }),
                until,
                now,
                batch,
            );
            return;
        }
        if let Some(deal) = self.deal_mut(&id) {
            deal.state = DealState::Confirmed;
            deal.confirm = Some(confirm.clone());
            deal.trader = deal.trader.or(trader);
        }
        if let Some(mine) = self.intents.get_mut(&intent) {
            mine.taken = Some(id);
        }
        batch.thread(id);
        batch.trades.insert(id);
        self.introduce(id, now, batch);
        self.close(intent, IntentState::Awarded, now, batch);
    }

    /// Tells those whose quotes still stand that they are not needed. Reads the same whatever the reason.
    pub(crate) fn not_selected(&mut self, intent: IntentId, now: Timestamp, batch: &mut Batch) {
        let taken = self.intents.get(&intent).and_then(|mine| mine.taken);
        let quoters = self.quoters.get(&intent).cloned().unwrap_or_default();
        for id in quoters.into_iter().filter(|id| Some(*id) != taken) {
            let Some(thread) = self.threads.get_mut(&id) else {
                continue;
            };
            let Some(offer) = thread.offer.as_mut().filter(|offer| offer.stands(now)) else {
                continue;
            };
            offer.over = Some(Over::NotSelected);
            let quote = offer.message;
            let until = offer.quote.valid_until.max(now + NOT_SELECTED_FOR);
            batch.thread(id);
            // Silence says the same in the end.
            let _ = self.send(
                id,
                Body::NotSelected(NotSelected { quote }),
                until,
                now,
                batch,
            );
        }
    }

    // ---- the seller: orders ----

    fn check_order(&self, id: ThreadId, order: &Order) -> Result<(), Refusal> {
        let thread = self.threads.get(&id).ok_or(Refusal::UnknownRecipient)?;
        let busy = thread.deal.as_ref().is_some_and(|deal| match deal.state {
            DealState::Ordered | DealState::Confirmed => true,
            DealState::Declined(_) | DealState::NotConfirmed => false,
        });
        if busy {
            return Err(Refusal::WrongState);
        }
        let Some(offer) = thread
            .offer
            .as_ref()
            .filter(|offer| offer.message == order.quote)
        else {
            return Ok(());
        };
        if order.total.asset != offer.quote.asset() {
            return Err(Refusal::WrongUnit);
        }
        let line = offer.quote.lines.first().ok_or(Refusal::WrongState)?;
        if order.total != offer.quote.total || order.quantity != line.quantity {
            return Err(Refusal::WrongSum);
        }
        if order.delivery != offer.quote.delivery {
            return Err(Refusal::BadField);
        }
        Ok(())
    }

    fn take_order(&mut self, opened: &Opened, order: &Order, now: Timestamp, batch: &mut Batch) {
        let id = opened.message.thread;
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        let mut order = order.clone();
        order.confirm_by = order.confirm_by.min(now + CONFIRM_MOST);
        let trader = opened.message.trader.map(|proof| proof.trader);
        let newest = thread
            .offer
            .as_ref()
            .filter(|offer| offer.message == order.quote);
        let Some(offer) = newest else {
            // An order for a quote that a newer one has replaced, or that is long forgotten.
            self.decline_order(id, opened.id, DeclineReason::QuoteExpired, now, batch);
            return;
        };
        let (quote, item, firm) = (offer.quote.clone(), offer.item, offer.quote.firm);
        let standing = offer.over.is_none() && now <= quote.valid_until + CLOCK_SKEW;
        thread.deal = Some(Deal::ordered(opened.id, order, quote, item, trader, now));
        thread.answer = AnswerState::Ordered;
        batch.thread(id);
        batch.trades.insert(id);
        batch.open.insert(thread.intent);
        if !standing {
            self.fail_order(id, DeclineReason::QuoteExpired, now, batch);
        } else if !self.can_supply(&id) {
            self.fail_order(id, DeclineReason::NoStock, now, batch);
        } else if firm {
            let payment = self.stall.rules.payment.clone();
            // Fails only if too much waits for this buyer; then it is left to be confirmed by hand.
            let _ = self.confirm(id, payment, None, now, batch);
        }
    }

    /// Whether there is enough for a thread's order, what the thread itself holds included.
    fn can_supply(&self, id: &ThreadId) -> bool {
        let Some(thread) = self.threads.get(id) else {
            return false;
        };
        let Some(deal) = &thread.deal else {
            return false;
        };
        let Some(item) = deal.item else { return true };
        let Some(needed) = self.needed(item, &deal.quote) else {
            return true;
        };
        let own = thread
            .set_aside
            .filter(|held| held.item == item)
            .map_or(0, |held| held.micros);
        let free = self
            .stall
            .items()
            .get(&item)
            .and_then(|item| self.stall.free(item));
        free.is_none_or(|free| u128::from(needed.micros) <= free + u128::from(own))
    }

    fn confirm(
        &mut self,
        id: ThreadId,
        payment: Option<String>,
        note: Option<String>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let deal = self.deal(&id).ok_or(Refusal::WrongState)?;
        let (order, item) = (deal.message, deal.item);
        let needed = item.and_then(|item| self.needed(item, &deal.quote));
        let confirm = OrderConfirm {
            order,
            payment,
            note,
        };
        confirm.check()?;
        self.send(
            id,
            Body::OrderConfirm(confirm.clone()),
            now + TRADE_FOR,
            now,
            batch,
        )?;
        let Some(thread) = self.threads.get_mut(&id) else {
            return Ok(());
        };
        if let Some(held) = thread.set_aside.take() {
            self.stall.give_back(held.item, held.micros);
        }
        if let Some(held) = needed {
            self.stall.set_aside(held.item, held.micros);
        }
        thread.set_aside = needed;
        if let Some(deal) = &mut thread.deal {
            deal.state = DealState::Confirmed;
            deal.confirm = Some(confirm);
        }
        batch.thread(id);
        batch.stall = true;
        batch.trades.insert(id);
        self.introduce(id, now, batch);
        if let Some(item) = item {
            self.sold(item, now, batch);
        }
        Ok(())
    }

    /// Some of an item was sold: orders and quotes for more than is left end now, not at their deadline.
    fn sold(&mut self, item: ItemId, now: Timestamp, batch: &mut Batch) {
        let waiting = |thread: &&Thread| {
            thread
                .deal
                .as_ref()
                .is_some_and(|deal| deal.item == Some(item) && deal.state == DealState::Ordered)
        };
        let ordered: Vec<ThreadId> = self
            .threads
            .values()
            .filter(waiting)
            .map(|thread| thread.id)
            .collect();
        for id in ordered {
            if !self.can_supply(&id) {
                self.fail_order(id, DeclineReason::NoStock, now, batch);
            }
        }
        let quoted: Vec<ThreadId> = self
            .threads
            .values()
            .filter(|thread| thread.role == Role::Seller && thread.set_aside.is_none())
            .filter(|thread| !thread.deal.as_ref().is_some_and(Deal::under_way))
            .filter(|thread| {
                let offer = thread.offer.as_ref().filter(|offer| offer.stands(now));
                offer.is_some_and(|offer| {
                    offer.item == Some(item) && !self.has_enough(item, &offer.quote)
                })
            })
            .map(|thread| thread.id)
            .collect();
        for id in quoted {
            self.withdraw_offer(id, DeclineReason::NoStock, now, batch);
        }
    }

    fn has_enough(&self, item: ItemId, quote: &Quote) -> bool {
        let Some(needed) = self.needed(item, quote) else {
            return true;
        };
        let free = self
            .stall
            .items()
            .get(&item)
            .and_then(|item| self.stall.free(item));
        free.is_none_or(|free| u128::from(needed.micros) <= free)
    }

    /// An order is not confirmed: its buyer is told, and what was set aside is free.
    fn fail_order(
        &mut self,
        id: ThreadId,
        reason: DeclineReason,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let Some(deal) = self.deal_mut(&id) else {
            return;
        };
        deal.state = DealState::Declined(reason);
        let order = deal.message;
        self.end_offer(id, Over::Withdrawn(reason), batch);
        self.decline_order(id, order, reason, now, batch);
        self.release(id, now, batch);
    }

    fn decline_order(
        &mut self,
        id: ThreadId,
        order: MessageId,
        reason: DeclineReason,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let decline = Decline {
            reason,
            last: false,
            order: Some(order),
        };
        // If it cannot be said, the buyer's deadline says it.
        let _ = self.send(id, Body::Decline(decline), now + REFUSAL_FOR, now, batch);
        batch.trades.insert(id);
        batch.thread(id);
    }

    /// The quote of a failed order can no longer be taken; how far it got is told by its trade.
    fn end_offer(&mut self, id: ThreadId, over: Over, batch: &mut Batch) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        let ordered = thread.deal.as_ref().map(|deal| deal.order.quote);
        if let Some(offer) = thread
            .offer
            .as_mut()
            .filter(|offer| Some(offer.message) == ordered)
        {
            offer.over = offer.over.or(Some(over));
        }
        batch.open.insert(thread.intent);
        batch.thread(id);
    }

    pub(crate) fn confirm_by_hand(
        &mut self,
        id: ThreadId,
        payment: Option<String>,
        note: Option<String>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        self.awaiting_me(&id, now)?;
        if !self.can_supply(&id) {
            self.fail_order(id, DeclineReason::NoStock, now, batch);
            return Err(Complaint::new(
                "out-of-stock",
                "There is not enough of it left. The buyer was told so; put more into your stall and quote again.",
            ));
        }
        let payment = payment.or_else(|| self.stall.rules.payment.clone());
        self.confirm(id, payment, note, now, batch)
            .map_err(|refusal| match refusal {
                Refusal::BadText => Complaint::about(
                    "bad-text",
                    "note",
                    "Keep note and payment below 600 letters each, without spaces at their ends.",
                ),
                other => unsent(other),
            })
    }

    pub(crate) fn refuse(
        &mut self,
        id: ThreadId,
        reason: DeclineReason,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        self.awaiting_me(&id, now)?;
        self.fail_order(id, reason, now, batch);
        Ok(())
    }

    /// Whether an order in this thread waits for my word.
    fn awaiting_me(&self, id: &ThreadId, now: Timestamp) -> Result<(), Complaint> {
        let thread = self
            .threads
            .get(id)
            .filter(|thread| thread.role == Role::Seller);
        let deal = thread
            .and_then(|thread| thread.deal.as_ref())
            .ok_or_else(no_such_thread)?;
        match deal.state {
            DealState::Ordered if deal.order.confirm_by > now => Ok(()),
            DealState::Ordered | DealState::NotConfirmed => Err(Complaint::new(
                "too-late",
                "The buyer waited until the time he named, and no longer does.",
            )),
            DealState::Confirmed => Err(Complaint::new(
                "confirmed",
                "You have confirmed this order already.",
            )),
            DealState::Declined(_) => Err(Complaint::new(
                "declined",
                "You have declined this order already.",
            )),
        }
    }

    fn take_not_selected(
        &mut self,
        id: ThreadId,
        quote: MessageId,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        let intent = thread.intent;
        if let Some(deal) = thread
            .deal
            .as_mut()
            .filter(|deal| deal.order.quote == quote)
        {
            // My confirmation came too late, or the buyer no longer waits for it.
            match deal.state {
                DealState::Ordered | DealState::Confirmed => deal.state = DealState::NotConfirmed,
                DealState::Declined(_) | DealState::NotConfirmed => {}
            }
            batch.trades.insert(id);
        }
        let Some(offer) = thread.offer.as_mut().filter(|offer| offer.message == quote) else {
            return;
        };
        offer.over = offer.over.or(Some(Over::NotSelected));
        thread.answer = AnswerState::NotSelected;
        self.drop_outgoing(id, |waiting| match waiting.sort {
            Sort::Quote | Sort::OrderConfirm | Sort::Contact => true,
            Sort::Decline | Sort::Order | Sort::NotSelected | Sort::Moved => false,
        });
        batch.open.insert(intent);
        batch.thread(id);
        self.release(id, now, batch);
    }

    // ---- both: contact ----

    fn check_contact(&self, id: ThreadId, contact: &Contact) -> Result<(), Refusal> {
        let deal = self.deal(&id).filter(|deal| deal.message == contact.order);
        // A contact may overtake the confirmation it follows.
        match deal.ok_or(Refusal::WrongState)?.state {
            DealState::Confirmed | DealState::Ordered => Ok(()),
            DealState::Declined(_) | DealState::NotConfirmed => Err(Refusal::WrongState),
        }
    }

    fn take_contact(&mut self, id: ThreadId, contact: &Contact, batch: &mut Batch) {
        if let Some(deal) = self.deal_mut(&id) {
            deal.theirs = Some(contact.clone());
            batch.trades.insert(id);
        }
    }

    /// After a confirmation: says who I am, if I have said so to myself.
    fn introduce(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        let profile = self.stall.profile.clone();
        if !profile.name.is_empty() {
            // If it cannot be sent now, it can be by hand.
            let _ = self.send_contact(id, &profile, now, batch);
        }
    }

    pub(crate) fn send_contact(
        &mut self,
        id: ThreadId,
        profile: &Profile,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let deal = self.deal(&id).ok_or_else(no_such_thread)?;
        if deal.state != DealState::Confirmed {
            return Err(Complaint::new(
                "not-confirmed",
                "Who and where is said after the confirmation, not before.",
            ));
        }
        check_profile(profile)?;
        let contact = contact_of(deal.message, profile);
        self.drop_outgoing(id, |waiting| waiting.sort == Sort::Contact);
        let sent = self.send(id, Body::Contact(contact), now + TRADE_FOR, now, batch);
        let message = sent.map_err(unsent)?;
        if let Some(deal) = self.deal_mut(&id) {
            deal.mine = Some(profile.clone());
            deal.mine_message = Some(message);
            deal.mine_delivered = false;
        }
        batch.trades.insert(id);
        Ok(())
    }

    // ---- both: what becomes of what was sent, and of what waits ----

    /// A message of mine arrived and was kept.
    pub(crate) fn delivered(
        &mut self,
        id: ThreadId,
        message: MessageId,
        _now: Timestamp,
        batch: &mut Batch,
    ) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        if thread
            .offer
            .as_ref()
            .is_some_and(|offer| offer.message == message)
        {
            self.quote_delivered(id, batch);
            return;
        }
        if let Some(deal) = thread
            .deal
            .as_mut()
            .filter(|deal| deal.mine_message == Some(message))
        {
            deal.mine_delivered = true;
            batch.trades.insert(id);
        }
    }

    /// A message of mine is not taken, and would not be if it came again.
    pub(crate) fn refused(
        &mut self,
        id: ThreadId,
        message: MessageId,
        refusal: Refusal,
        now: Timestamp,
        batch: &mut Batch,
    ) {
        let Some(thread) = self.threads.get(&id) else {
            return;
        };
        // An order's deadline and a contact's missing acknowledgement speak for themselves.
        if thread.role == Role::Seller
            && thread.deal.is_none()
            && thread
                .offer
                .as_ref()
                .is_some_and(|offer| offer.message == message)
        {
            self.quote_refused(id, refusal, now, batch);
        }
    }

    pub(crate) fn lapse_thread(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        let Some(thread) = self.threads.get(&id) else {
            return;
        };
        if thread.outbox.iter().any(|waiting| waiting.expires <= now) {
            self.drop_outgoing(id, |waiting| waiting.expires <= now);
            batch.thread(id);
        }
        let Some(thread) = self.threads.get(&id) else {
            return;
        };
        let role = thread.role;
        if self.confirm_deadline(&id).is_some_and(|at| at <= now) {
            self.miss_confirmation(id, role, now, batch);
        }
        match role {
            Role::Buyer => self.lapse_quote(id, now, batch),
            Role::Seller => {
                self.lapse_offer(id, now, batch);
                if self.forget_at(&id).is_some_and(|at| at <= now) {
                    self.remove_thread(id, now, batch);
                }
            }
        }
        self.post(id, now, batch);
    }

    /// A buyer's quote lapses.
    fn lapse_quote(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        let intent = thread.intent;
        if let Some(offer) = &mut thread.offer
            && !offer.lapsed
            && offer.quote.valid_until <= now
        {
            offer.lapsed = true;
            batch.thread(id);
            batch.mine.insert(intent);
        }
    }

    fn miss_confirmation(&mut self, id: ThreadId, role: Role, now: Timestamp, batch: &mut Batch) {
        if let Some(deal) = self.deal_mut(&id) {
            deal.state = DealState::NotConfirmed;
        }
        batch.thread(id);
        batch.trades.insert(id);
        match role {
            Role::Buyer => {
                if let Some(thread) = self.threads.get(&id) {
                    batch.mine.insert(thread.intent);
                }
                self.reopen(id, now, batch);
            }
            Role::Seller => {
                self.end_offer(id, Over::Withdrawn(DeclineReason::QuoteExpired), batch);
                self.release(id, now, batch);
            }
        }
    }

    /// Until when a confirmation is waited for: a buyer grants what clocks differ by.
    fn confirm_deadline(&self, id: &ThreadId) -> Option<Timestamp> {
        let thread = self.threads.get(id)?;
        let deal = thread
            .deal
            .as_ref()
            .filter(|deal| deal.state == DealState::Ordered)?;
        Some(match thread.role {
            Role::Buyer => deal.order.confirm_by + CLOCK_SKEW,
            Role::Seller => deal.order.confirm_by,
        })
    }

    pub(crate) fn thread_deadline(&self, id: &ThreadId) -> Option<Timestamp> {
        let thread = self.threads.get(id)?;
        let can_send = !thread.ways.is_empty();
        let outbox = thread
            .outbox
            .iter()
            .flat_map(|waiting| [Some(waiting.expires), can_send.then_some(waiting.next)]);
        let offer = thread.offer.as_ref().filter(|offer| !offer.lapsed);
        let offer = match thread.role {
            Role::Buyer => offer,
            Role::Seller => offer.filter(|offer| offer.over.is_none()),
        };
        let seller = thread.role == Role::Seller;
        let later = [
            offer.map(|offer| offer.quote.valid_until),
            self.confirm_deadline(id),
            seller.then(|| self.release_at(id)).flatten(),
            seller.then(|| self.forget_at(id)).flatten(),
        ];
        outbox.chain(later).flatten().min()
    }
}

impl Deal {
    fn ordered(
        message: MessageId,
        order: Order,
        quote: Quote,
        item: Option<ItemId>,
        trader: Option<haggle_protocol::PublicKey>,
        now: Timestamp,
    ) -> Self {
        Self {
            message,
            order,
            quote,
            item,
            trader,
            at: now,
            state: DealState::Ordered,
            confirm: None,
            mine: None,
            mine_message: None,
            mine_delivered: false,
            theirs: None,
        }
    }
}

/// A quote as a candidate for a place.
pub(crate) fn candidate(offer: &Offer, standing: bool) -> Candidate<'_> {
    Candidate {
        message: offer.message,
        quote: &offer.quote,
        standing,
        received: offer.at,
    }
}

/// What the buyer of an intent looks for.
pub(crate) fn wanted(mine: &crate::intents::Mine) -> Wanted<'_> {
    Wanted {
        wishes: &mine.intent.wishes,
        quantity: mine.intent.quantity,
        limit: mine.limit(),
        taste: mine.draft.taste,
    }
}

fn opened_trader(thread: &Thread) -> Option<haggle_protocol::PublicKey> {
    thread.offer.as_ref().and_then(|offer| offer.trader)
}

fn contact_of(order: MessageId, profile: &Profile) -> Contact {
    Contact {
        order,
        name: profile.name.clone(),
        ways: profile.ways.clone(),
        address: profile.address.clone(),
        instructions: profile.instructions.clone(),
    }
}

/// Checks who one says one is as the other side will.
pub(crate) fn check_profile(profile: &Profile) -> Result<(), Complaint> {
    contact_of(MessageId([0; 32]), profile).check().map_err(|_| {
        Complaint::about(
            "bad-profile",
            "profile",
            "Give a name of one line, at most four ways to reach you (like phone or email), and keep address and instructions below 600 letters each.",
        )
    })
}

fn no_such_thread() -> Complaint {
    Complaint::about(
        "no-such-thread",
        "thread",
        "There is no such quote or order here.",
    )
}

fn unsent(refusal: Refusal) -> Complaint {
    Complaint::new(
        refusal.code(),
        "Too much waits for the other side already. Wait until he is reached, then try again.",
    )
}
