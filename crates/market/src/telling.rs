//! What the faces are told: the views of everything that one input changed, each whole and once.

use haggle_protocol::{IntentId, ThreadId, Timestamp};

use crate::batch::Batch;
use crate::cancelling::may_cancel;
use crate::choosing::{candidate, wanted};
use crate::escrow::Escrow;
use crate::event::Event;
use crate::intents::Mine;
use crate::market::Market;
use crate::ranking;
use crate::threads::{DealState, Offer, Over, Taken, Thread};
use crate::view::{
    AnswerState, Awaited, CounterView, EscrowView, IntentState, MyAnswer, MyIntent, OpenIntent,
    QuoteState, QuoteView, Role, StallView, StepTaken, Trade, TradeState,
};

impl Market {
    /// Marks everything to be told, and the end of it.
    pub(crate) fn snapshot(&self, batch: &mut Batch) {
        batch.stall = true;
        batch.mine.extend(self.intents.keys());
        batch.open.extend(self.book.iter_open().map(|open| open.id));
        let traded = self.threads.values().filter(|thread| thread.deal.is_some());
        batch.trades.extend(traded.map(|thread| thread.id));
        let talked = self.threads.values().filter(|it| !it.chat.is_empty());
        batch.chats.extend(talked.map(|thread| thread.id));
        batch.cases.extend(self.court.cases.keys());
        batch.events.push(Event::Ready);
    }

    /// The views of what changed.
    pub(crate) fn events(&mut self, batch: &Batch, now: Timestamp) -> Vec<Event> {
        let mut events = Vec::new();
        if batch.stall {
            events.push(Event::Stall(Box::new(self.stall_view())));
        }
        let mine = batch.mine.iter().filter_map(|id| self.intents.get(id));
        events.extend(mine.map(|mine| Event::MyIntent(Box::new(self.my_intent(mine, now)))));
        for id in &batch.open {
            if let Some(view) = self.open_intent(id, batch, now) {
                self.shown.insert(*id);
                events.push(Event::OpenIntent(Box::new(view)));
            }
        }
        let trades = batch.trades.iter().filter_map(|id| self.trade(id));
        events.extend(trades.map(|trade| Event::Trade(Box::new(trade))));
        let chats = batch.chats.iter().filter_map(|id| self.chat(id, now));
        events.extend(chats.map(|chat| Event::Chat(Box::new(chat))));
        let cases = batch.cases.iter().filter_map(|case| self.case(case, now));
        events.extend(cases.map(|case| Event::Case(Box::new(case))));
        events
    }

    fn stall_view(&self) -> StallView {
        StallView {
            items: self.stall.items().values().cloned().collect(),
            rules: self.stall.rules.clone(),
            reserved: self.stall.all_set_aside(),
            profile: self.stall.profile.clone(),
            trader: self.pen.trader.public(),
        }
    }

    fn my_intent(&self, mine: &Mine, now: Timestamp) -> MyIntent {
        MyIntent {
            id: mine.id,
            intent: mine.intent.clone(),
            draft: mine.draft.clone(),
            state: mine.state,
            created: mine.created,
            until: mine.until,
            said: mine.said,
            quotes: self.quotes(mine, now),
        }
    }

    /// The quotes of an intent, in rank order, with their reasons.
    fn quotes(&self, mine: &Mine, now: Timestamp) -> Vec<QuoteView> {
        let quoters = self.quoters.get(&mine.id);
        let threads = quoters
            .into_iter()
            .flatten()
            .filter_map(|id| self.threads.get(id));
        let quoted: Vec<(&Thread, &Offer, QuoteState)> = threads
            .filter_map(|thread| {
                let offer = thread.offer.as_ref()?;
                Some((thread, offer, quote_state(mine, thread, offer, now)))
            })
            .collect();
        let candidates: Vec<_> = quoted
            .iter()
            .map(|(_, offer, state)| candidate(offer, is_standing(*state)))
            .collect();
        let ranked = ranking::rank(&candidates, &wanted(mine));
        ranked
            .into_iter()
            .zip(1..)
            .map(|((at, reasons), rank)| {
                let (thread, offer, state) = &quoted[at];
                QuoteView {
                    thread: thread.id,
                    message: offer.message,
                    quote: offer.quote.clone(),
                    trader: offer.trader,
                    received: offer.at,
                    state: *state,
                    rank,
                    reasons,
                    counter: counter(thread),
                    can_counter: self.can_counter(mine, thread, now),
                }
            })
            .collect()
    }

    fn open_intent(&self, id: &IntentId, batch: &Batch, now: Timestamp) -> Option<OpenIntent> {
        let open = self.book.open(id)?;
        if self.is_mine(id, &open.key, &open.intent.mark) {
            return None;
        }
        let found = batch.found.get(id).filter(|_| !batch.stall).cloned();
        let matches = found.unwrap_or_else(|| {
            let matches = self.stall.matches(open.intent, now);
            matches
                .iter()
                .map(|found| found.view(&open.intent.wishes))
                .collect()
        });
        let thread = self
            .answers
            .get(id)
            .and_then(|thread| self.threads.get(thread));
        let dismissed = self.dismissed.contains_key(id);
        Some(OpenIntent {
            id: *id,
            intent: open.intent.clone(),
            created: open.frame.header().created,
            expires: open.frame.header().expires,
            reachable: open.reach.is_some_and(|reach| !reach.entries.is_empty()),
            matches,
            // Who has only asked something has not answered yet.
            answer: match thread
                .filter(|it| it.offer.is_some() || it.answer != AnswerState::Sending)
            {
                Some(thread) => Some(answer(thread)),
                None if dismissed => Some(MyAnswer {
                    thread: None,
                    quote: None,
                    automatic: false,
                    state: AnswerState::Dismissed,
                    counter: None,
                }),
                None => None,
            },
        })
    }

    fn trade(&self, id: &ThreadId) -> Option<Trade> {
        let thread = self.threads.get(id)?;
        let deal = thread.deal.as_ref()?;
        let state = deal.view();
        let from = |role, until| Some(Awaited { from: role, until });
        let other = thread.role.other();
        // Once the two have shared it out, or it has gone to one of them, nobody has to do anything any more.
        let settled = deal.escrow.as_ref().is_some_and(Escrow::is_settled);
        Some(Trade {
            thread: thread.id,
            order: deal.message,
            intent: thread.intent,
            title: thread.title.clone(),
            role: thread.role,
            quote: deal.quote.clone(),
            trader: deal.trader,
            order_note: deal.order.note.clone(),
            ordered: deal.at,
            state,
            confirm: deal.confirm.clone(),
            mine: deal.mine.clone(),
            mine_delivered: deal.mine_delivered,
            theirs: deal.theirs.clone(),
            steps: deal.steps.iter().map(|it| self.step(it)).collect(),
            awaited: match state {
                _ if settled => None,
                TradeState::Ordered => from(Role::Seller, Some(deal.order.confirm_by)),
                TradeState::Confirmed if deal.mine.is_none() => from(thread.role, None),
                TradeState::Confirmed => from(other, None),
                TradeState::ContactsExchanged => from(
                    Role::Seller,
                    Some(deal.at + u64::from(deal.quote.lead_time)),
                ),
                TradeState::Dispatched => from(Role::Buyer, None),
                TradeState::Delivered if deal.ended.is_none() => from(Role::Buyer, None),
                TradeState::Delivered
                | TradeState::Received
                | TradeState::Declined(_)
                | TradeState::NotConfirmed
                | TradeState::Cancelled { .. }
                | TradeState::Lapsed => None,
            },
            ends: deal.deadline(),
            can_cancel: may_cancel(thread.role, deal).is_ok(),
            cancelling: deal.cancelling.is_some() && deal.under_way(),
            cancel_refused: deal.cancel_refused,
            cancel_note: deal.cancel_note.clone(),
            handover_code: deal.shown_code(thread.role),
            can_deliver: thread.role == Role::Seller && deal.may_deliver(),
            escrow: deal
                .escrow
                .as_ref()
                .zip(deal.order.escrow.as_ref())
                .map(|(escrow, plan)| EscrowView {
                    ask_by: self.may_ask_by(id),
                    dispute: self.dispute_view(id),
                    ..escrow.view(thread.role, plan)
                }),
        })
    }

    fn step(&self, taken: &Taken) -> StepTaken {
        StepTaken {
            step: taken.step,
            at: taken.at,
            note: taken.note.clone(),
            delivered: taken.delivered,
            files: self.file_views(&taken.files),
        }
    }
}

fn answer(thread: &Thread) -> MyAnswer {
    MyAnswer {
        thread: Some(thread.id),
        quote: thread.offer.as_ref().map(|offer| offer.quote.clone()),
        automatic: thread.offer.as_ref().is_some_and(|offer| offer.automatic),
        state: thread.answer,
        counter: counter(thread),
    }
}

/// What the buyer of a thread offered last.
fn counter(thread: &Thread) -> Option<CounterView> {
    let newest = thread.offer.as_ref().map(|offer| offer.message);
    thread.counter.as_ref().map(|said| CounterView {
        total: said.counter.total,
        round: said.counter.round,
        note: said.counter.note.clone(),
        at: said.at,
        delivered: said.delivered,
        lost: !said.delivered && !thread.waits(said.message),
        answered: newest != Some(said.counter.quote),
    })
}

/// What has become of a quote, for its buyer.
fn quote_state(mine: &Mine, thread: &Thread, offer: &Offer, now: Timestamp) -> QuoteState {
    if let Some(deal) = thread
        .deal
        .as_ref()
        .filter(|deal| deal.order.quote == offer.message)
    {
        return match deal.state {
            DealState::Ordered => QuoteState::Ordered,
            DealState::Confirmed => QuoteState::Confirmed,
            DealState::Declined(reason) => QuoteState::Declined(reason),
            DealState::NotConfirmed => QuoteState::NotConfirmed,
            DealState::Cancelled { by, .. } => QuoteState::Cancelled { by },
        };
    }
    match (offer.over, mine.state) {
        (Some(Over::Withdrawn(reason)), _) => QuoteState::Declined(reason),
        (Some(Over::NotSelected), _) => QuoteState::NotSelected,
        (None, _) if !offer.stands(now) => QuoteState::Expired,
        (None, IntentState::Open | IntentState::Ordered) => QuoteState::Standing,
        (None, IntentState::Awarded | IntentState::Withdrawn | IntentState::Expired) => {
            QuoteState::NotSelected
        }
    }
}

/// Whether a quote keeps its place among those that can be taken; one that was taken does.
const fn is_standing(state: QuoteState) -> bool {
    match state {
        QuoteState::Standing | QuoteState::Ordered | QuoteState::Confirmed => true,
        QuoteState::Declined(_)
        | QuoteState::NotConfirmed
        | QuoteState::Expired
        | QuoteState::NotSelected
        | QuoteState::Cancelled { .. } => false,
    }
}
