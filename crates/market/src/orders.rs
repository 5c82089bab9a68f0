//! From the first message to the hand-over: what each message of an exchange brings about, on either side.
//!
//! A message is first looked at as a whole; if it is refused, nothing has changed. An order is confirmed once, its stock is
//! set aside once, and a message that comes twice changes nothing the second time, since it never gets here.

use haggle_protocol::limits::{CLOCK_SKEW, PRIVATE_LIFETIME_MAX};
use haggle_protocol::private::Body;
use haggle_protocol::quote::Quote;
use haggle_protocol::seal::Direction;
use haggle_protocol::trade::{Contact, Decline, DeclineReason, Order, OrderConfirm};
use haggle_protocol::{MessageId, PublicKey, Refusal, ThreadId, Timestamp};

use crate::batch::Batch;
use crate::command::{Complaint, Profile};
use crate::escrow::Escrow;
use crate::item::ItemId;
use crate::mail::Opened;
use crate::market::Market;
use crate::threads::{Deal, DealState, Over, Sort, Thread};
use crate::view::{AnswerState, Role, TradeStep};

/// The longest time in which a seller still considers an order, in seconds, whatever its buyer wrote.
const CONFIRM_MOST: u64 = 24 * 60 * 60;
/// How long it is tried to bring a confirmation or a contact, in seconds: as long as any message lives.
const TRADE_FOR: u64 = PRIVATE_LIFETIME_MAX;
/// How long it is tried to bring a refusal, in seconds.
const REFUSAL_FOR: u64 = 24 * 60 * 60;

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
                self.take_quote(opened, quote, now, batch);
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
                self.check_confirm(opened, confirm)?;
                self.took(opened, now, batch);
                self.take_confirm(opened, confirm, now, batch);
            }
            Body::Contact(contact) => {
                self.check_contact(id, contact)?;
                self.took(opened, now, batch);
                self.take_contact(id, contact, batch);
            }
            Body::Dispatch(step) => {
                self.hear_step(TradeStep::Dispatched, opened, step, now, batch)?;
            }
            Body::Delivered(delivered) => self.hear_delivered(opened, delivered, now, batch)?,
            Body::Chat(chat) => self.hear_chat(opened, chat, now, batch)?,
            Body::Cancel(cancel) => self.hear_cancel(opened, cancel, now, batch)?,
            Body::Settle(settle) => self.hear_settle(opened, settle, now, batch)?,
            Body::Dispute(dispute) => self.hear_dispute(opened, dispute, now, batch)?,
            Body::Order(_)
            | Body::NotSelected(_)
            | Body::PaymentProof(_)
            | Body::Receipt(_)
            | Body::Counter(_)
            | Body::EscrowLock(_)
            | Body::Ruling(_)
            | Body::Ack(_) => {
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
                self.check_order(id, opened.id, order, now)?;
                self.took(opened, now, batch);
                self.take_order(opened, order, now, batch);
            }
            Body::NotSelected(not_selected) => {
                self.check_not_selected(id, not_selected.quote)?;
                self.took(opened, now, batch);
                self.take_not_selected(id, not_selected.quote, now, batch);
            }
            Body::Contact(contact) => {
                self.check_contact(id, contact)?;
                self.took(opened, now, batch);
                self.take_contact(id, contact, batch);
            }
            Body::PaymentProof(step) => {
                self.hear_step(TradeStep::Paid, opened, step, now, batch)?;
            }
            Body::Receipt(step) => {
                self.hear_step(TradeStep::Received, opened, step, now, batch)?;
            }
            Body::Counter(counter) => self.hear_counter(opened, counter, now, batch)?,
            Body::Chat(chat) => self.hear_chat(opened, chat, now, batch)?,
            Body::Cancel(cancel) => self.hear_cancel(opened, cancel, now, batch)?,
            Body::EscrowLock(lock) => self.hear_lock(opened, lock, now, batch)?,
            Body::Settle(settle) => self.hear_settle(opened, settle, now, batch)?,
            Body::Ruling(ruling) => self.hear_ruling(opened, ruling, now, batch)?,
            Body::Moved => self.took(opened, now, batch),
            Body::Quote(_)
            | Body::Decline(_)
            | Body::OrderConfirm(_)
            | Body::Dispatch(_)
            | Body::Delivered(_)
            | Body::Dispute(_)
            | Body::Ack(_) => {
                return Err(Refusal::WrongState);
            }
        }
        Ok(())
    }

    pub(crate) fn deal(&self, id: &ThreadId) -> Option<&Deal> {
        self.threads.get(id)?.deal.as_ref()
    }

    pub(crate) fn deal_mut(&mut self, id: &ThreadId) -> Option<&mut Deal> {
        self.threads.get_mut(id)?.deal.as_mut()
    }

    fn check_order(
        &self,
        id: ThreadId,
        message: MessageId,
        order: &Order,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let thread = self.threads.get(&id).ok_or(Refusal::UnknownRecipient)?;
        if thread.cancelled == Some(message) {
            return Err(Refusal::Closed);
        }
        let busy = thread.deal.as_ref().is_some_and(|deal| match deal.state {
            DealState::Ordered | DealState::Confirmed => true,
            DealState::Declined(_) | DealState::NotConfirmed | DealState::Cancelled { .. } => false,
        });
        if busy || self.holds_money(&id) {
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
        order
            .escrow
            .as_ref()
            .map_or(Ok(()), |plan| self.check_plan(id, plan, now))
    }

    fn take_order(&mut self, opened: &Opened, order: &Order, now: Timestamp, batch: &mut Batch) {
        let id = opened.message.thread;
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        let mut order = order.clone();
        let secret = order.reach_secret.take();
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
        let (quote, item) = (offer.quote.clone(), offer.item);
        let standing = offer.over.is_none() && now <= quote.valid_until + CLOCK_SKEW;
        let mut deal = Deal::ordered(opened.id, order, quote, item, trader, now);
        deal.keep_order(&opened.content);
        let before = thread.deal.replace(deal);
        thread.answer = AnswerState::Ordered;
        batch.thread(id);
        batch.trades.insert(id);
        batch.open.insert(thread.intent);
        // Under the secret of an earlier order nobody speaks any more.
        match secret {
            Some(secret) => self.share(id, secret, now),
            None => self.unshare(id),
        }
        let files: Vec<_> = before.iter().flat_map(Deal::file_ids).collect();
        self.forget_files(&files, batch);
        if !standing {
            self.fail_order(id, DeclineReason::QuoteExpired, now, batch);
        } else if !self.can_supply(&id) {
            self.fail_order(id, DeclineReason::NoStock, now, batch);
        } else {
            self.confirm_by_rule(id, now, batch);
        }
    }

    /// Confirms an order that binds me anyway, or whose buyer my rules trust, as soon as everything for it is there.
    pub(crate) fn confirm_by_rule(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
        let Some(deal) = self.deal(&id) else { return };
        let waits = deal.state == DealState::Ordered && deal.order.confirm_by > now;
        // The key of a deal with escrow comes from a rail.
        let ready = deal.order.escrow.is_none() || deal.key_to_confirm().is_some();
        let usual = deal.is_usual(now) && (deal.quote.firm || self.is_trusted(id, now));
        if waits && ready && usual && self.can_supply(&id) {
            let payment = self.usual_payment(&id);
            // Fails only if too much waits for this buyer; then it is left to be confirmed by hand.
            let _ = self.confirm(id, payment, None, now, batch);
        }
    }

    /// Whether my rules confirm this order by themselves though its quote bound nobody: its buyer has finished enough trades with
    /// me, the day's allowance has room for it, and I still sell it for that. A quote that I wrote by hand is confirmed by hand.
    fn is_trusted(&self, id: ThreadId, now: Timestamp) -> bool {
        let Some(least) = self.stall.rules.min_trust else {
            return false;
        };
        let Some(thread) = self.threads.get(&id) else {
            return false;
        };
        let automatic = thread.offer.as_ref().is_some_and(|offer| offer.automatic);
        let Some(deal) = thread.deal.as_ref().filter(|_| automatic) else {
            return false;
        };
        let Some(buyer) = deal.trader else {
            return false;
        };
        self.finished_with(&buyer) >= least as usize
            && self.stall.would_still(deal.item, &deal.quote)
            && self.has_room(Some(id), &deal.quote, now)
    }

    /// How many trades a buyer's trader has ended with a receipt of what I had said that I sent or handed over: a receipt alone costs him a word.
    fn finished_with(&self, buyer: &PublicKey) -> usize {
        let sold = self
            .threads
            .values()
            .filter(|thread| thread.role == Role::Seller && self.is_sold(thread));
        let deals = sold.filter_map(|thread| thread.deal.as_ref());
        deals
            .filter(|deal| deal.trader == Some(*buyer))
            .filter(|deal| deal.was_sent() && deal.has(TradeStep::Received))
            .count()
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

    /// How I am usually paid. What is locked is paid already, and nobody shall pay it twice.
    fn usual_payment(&self, id: &ThreadId) -> Option<String> {
        let direct = self.deal(id)?.order.escrow.is_none();
        self.stall.rules.payment.clone().filter(|_| direct)
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
        let key = deal.key_to_confirm();
        if deal.order.escrow.is_some() && key.is_none() {
            return Err(Refusal::WrongState);
        }
        let confirm = OrderConfirm {
            order,
            payment,
            note,
            key,
        };
        confirm.check()?;
        let body = Body::OrderConfirm(confirm.clone());
        let (_, content) = self.send_signed(id, body, now + TRADE_FOR, now, batch)?;
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
            deal.confirmed(Role::Seller, &confirm);
            deal.keep_confirm(&content);
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
            self.withdraw_offer(id, DeclineReason::NoStock, AnswerState::Expired, now, batch);
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
    pub(crate) fn end_offer(&mut self, id: ThreadId, over: Over, batch: &mut Batch) {
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
        let payment = payment.or_else(|| self.usual_payment(&id));
        let confirmed = self.confirm(id, payment, note, now, batch);
        confirmed.map_err(|refusal| {
            if refusal == Refusal::WrongState {
                let sentence = "The way of paying is not ready here yet. Try again in a moment, or refuse the order.";
                Complaint::new("rail-not-ready", sentence)
            } else if refusal == Refusal::BadText {
                let sentence =
                    "Keep note and payment below 600 letters each, without spaces at their ends.";
                Complaint::about("bad-text", "note", sentence)
            } else {
                unsent(refusal)
            }
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
        // A person said no: no rule says yes again.
        if let Some(thread) = self.threads.get_mut(&id) {
            thread.answer = AnswerState::Dismissed;
        }
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
            DealState::Cancelled { .. } => {
                Err(Complaint::new("cancelled", "This order was cancelled."))
            }
            DealState::Declined(_) => Err(Complaint::new(
                "declined",
                "You have declined this order already.",
            )),
        }
    }

    /// A buyer who gave up waiting for the confirmation says so when it comes. One who has taken it in time cannot: he would have to cancel.
    fn check_not_selected(&self, id: ThreadId, quote: MessageId) -> Result<(), Refusal> {
        let deal = self.deal(&id).filter(|deal| deal.order.quote == quote);
        match deal.map(|deal| (deal.state, deal.is_taken())) {
            Some((DealState::Confirmed, true)) => Err(Refusal::WrongState),
            Some((
                DealState::Ordered
                | DealState::Confirmed
                | DealState::Declined(_)
                | DealState::NotConfirmed
                | DealState::Cancelled { .. },
                _,
            ))
            | None => Ok(()),
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
                DealState::Declined(_) | DealState::NotConfirmed | DealState::Cancelled { .. } => {}
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
            // What is sent is sent: its buyer shall know that it comes.
            Sort::Dispatch
            | Sort::Delivered
            | Sort::Decline
            | Sort::Order
            | Sort::NotSelected
            | Sort::Moved
            | Sort::PaymentProof
            | Sort::Receipt
            | Sort::Counter
            | Sort::Chat
            | Sort::EscrowLock
            | Sort::Settle
            | Sort::Dispute
            | Sort::Ruling
            | Sort::Cancel => false,
        });
        batch.open.insert(intent);
        batch.thread(id);
        self.release(id, now, batch);
    }

    fn check_contact(&self, id: ThreadId, contact: &Contact) -> Result<(), Refusal> {
        let thread = self.threads.get(&id).ok_or(Refusal::WrongState)?;
        let deal = thread.deal.as_ref();
        let deal = deal.filter(|deal| deal.message == contact.order);
        match deal.ok_or(Refusal::WrongState)?.state {
            DealState::Confirmed | DealState::Ordered => Ok(()),
            // A seller's contact may overtake the confirmation that it follows, also one that comes late.
            DealState::NotConfirmed if thread.role == Role::Buyer => Ok(()),
            DealState::Declined(_) | DealState::NotConfirmed | DealState::Cancelled { .. } => {
                Err(Refusal::WrongState)
            }
        }
    }

    fn take_contact(&mut self, id: ThreadId, contact: &Contact, batch: &mut Batch) {
        if let Some(deal) = self.deal_mut(&id) {
            deal.theirs = Some(contact.clone());
            batch.trades.insert(id);
        }
    }

    /// After a confirmation: says who I am, if I have said so to myself.
    pub(crate) fn introduce(&mut self, id: ThreadId, now: Timestamp, batch: &mut Batch) {
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
}

impl Deal {
    /// Whether the buyer is known to hold it for confirmed, as its seller knows: he has said who he is, or gone on, or had the confirmation in time.
    fn is_taken(&self) -> bool {
        self.confirm_taken
            || self.theirs.is_some()
            || self.has(TradeStep::Paid)
            || self.has(TradeStep::Received)
    }

    /// Its seller has bound himself.
    pub(crate) fn confirmed(&mut self, role: Role, confirm: &OrderConfirm) {
        self.state = DealState::Confirmed;
        self.confirm = Some(confirm.clone());
        if role == Role::Buyer {
            self.learn_key(confirm.key);
        }
    }

    /// Who promised is who acts.
    pub(crate) fn check_trader(&self, opened: &Opened) -> Result<(), Refusal> {
        let trader = opened.message.trader.map(|proof| proof.trader);
        if self.trader.is_some() && self.trader != trader {
            return Err(Refusal::BadTraderProof);
        }
        Ok(())
    }

    pub(crate) fn ordered(
        message: MessageId,
        order: Order,
        quote: Quote,
        item: Option<ItemId>,
        trader: Option<PublicKey>,
        now: Timestamp,
    ) -> Self {
        let escrow = order.escrow.as_ref().map(|_| Escrow::default());
        Self {
            message,
            order,
            quote,
            item,
            trader,
            at: now,
            state: DealState::Ordered,
            confirm: None,
            confirm_taken: false,
            mine: None,
            mine_message: None,
            mine_delivered: false,
            theirs: None,
            steps: Vec::new(),
            cancelling: None,
            cancel_refused: false,
            cancel_note: None,
            ended: None,
            code: None,
            escrow,
        }
    }
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

pub(crate) fn bad_note() -> Complaint {
    let sentence = "Keep the note below 600 letters, without spaces at its ends.";
    Complaint::about("bad-text", "note", sentence)
}

pub(crate) fn no_such_thread() -> Complaint {
    Complaint::about(
        "no-such-thread",
        "thread",
        "There is no such quote or order here.",
    )
}

pub(crate) fn unsent(refusal: Refusal) -> Complaint {
    let sentence = if refusal == Refusal::WhisperRate {
        "Too much waits for the other side already. Wait until he is reached, then try again."
    } else if refusal == Refusal::TooLarge {
        "This is too long to be sent at once. Shorten it."
    } else {
        "This cannot be sent to the other side any more."
    };
    Complaint::new(refusal.code(), sentence)
}
