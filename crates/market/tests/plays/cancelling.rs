//! Trades that end before their time: cancelled by one of the two, or by nobody going on.

use haggle_market::view::{IntentState, QuoteState, Role, TradeState, TradeStep};
use haggle_market::{Command, Complaint, Reply};
use haggle_protocol::ThreadId;
use haggle_protocol::trade::CancelReason;

use crate::stage::*;
use crate::steps::{confirm, ordered, report};

const BUYER: usize = 0;
const SELLER: usize = 1;
/// Seconds of a day.
const DAY: u64 = 24 * 60 * 60;

fn cancel(stage: &mut Stage, who: usize, thread: ThreadId) -> Result<Reply, Complaint> {
    let cancel = Command::Cancel {
        thread,
        reason: CancelReason::ChangedMind,
        note: Some("I found one nearby.".into()),
    };
    stage.tell(who, cancel)
}

const fn cancelled(by: Role) -> TradeState {
    let reason = CancelReason::ChangedMind;
    TradeState::Cancelled { by, reason }
}

fn states(stage: &Stage) -> [TradeState; 2] {
    [BUYER, SELLER].map(|who| stage.actors[who].trade().state)
}

fn reserved(stage: &Stage) -> u64 {
    let stall = stage.actors[SELLER].stall.as_ref().unwrap();
    stall.reserved.iter().map(|(_, micros)| micros).sum()
}

#[test]
fn an_order_is_cancelled_before_its_seller_confirms_and_another_can_be_taken() {
    for restless in [false, true] {
        let (mut stage, thread) = ordered();
        stage.restless = restless;
        let refused = cancel(&mut stage, SELLER, thread).unwrap_err();
        assert_eq!(refused.code, "not-confirmed");
        assert!(!stage.actors[SELLER].trade().can_cancel);
        assert!(stage.actors[BUYER].trade().can_cancel);
        cancel(&mut stage, BUYER, thread).unwrap();
        assert_eq!(states(&stage), [cancelled(Role::Buyer); 2]);
        let trade = stage.actors[SELLER].trade();
        assert_eq!(trade.cancel_note.as_deref(), Some("I found one nearby."));
        assert_eq!(trade.awaited, None);
        let mine = stage.actors[BUYER].mine.values().next().unwrap();
        assert_eq!(mine.state, IntentState::Open);
        assert_eq!(
            mine.quotes[0].state,
            QuoteState::Cancelled { by: Role::Buyer }
        );
        let late = stage.tell(SELLER, confirm(thread)).unwrap_err();
        assert_eq!(late.code, "cancelled");
        let again = cancel(&mut stage, BUYER, thread).unwrap_err();
        assert_eq!(again.code, "over");
    }
}

#[test]
fn a_confirmed_trade_is_cancelled_by_either_side_until_something_was_sent() {
    for by in [BUYER, SELLER] {
        for paid in [false, true] {
            let (mut stage, thread) = ordered();
            stage.tell(SELLER, confirm(thread)).unwrap();
            assert!(reserved(&stage) > 0);
            if paid {
                let paid = report(thread, TradeStep::Paid, None);
                stage.tell(BUYER, paid).unwrap();
            }
            cancel(&mut stage, by, thread).unwrap();
            let role = [Role::Buyer, Role::Seller][by];
            assert_eq!(states(&stage), [cancelled(role); 2]);
            // What was set aside is there for others again.
            assert_eq!(reserved(&stage), 0);
            let step = report(thread, TradeStep::Received, None);
            let over = stage.tell(BUYER, step).unwrap_err();
            assert_eq!(over.code, "not-confirmed");
        }
    }
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    let sent = report(thread, TradeStep::Dispatched, None);
    stage.tell(SELLER, sent).unwrap();
    for who in [BUYER, SELLER] {
        assert!(!stage.actors[who].trade().can_cancel);
        let refused = cancel(&mut stage, who, thread).unwrap_err();
        assert_eq!(refused.code, "dispatched");
    }
}

#[test]
fn a_cancel_does_not_count_if_the_other_side_has_gone_on_meanwhile() {
    // The seller has confirmed, and the buyer does not know it when he cancels.
    let (mut stage, thread) = ordered();
    stage.fate = Box::new(|_| Fate::Lost);
    stage.tell(SELLER, confirm(thread)).unwrap();
    cancel(&mut stage, BUYER, thread).unwrap();
    assert!(stage.actors[BUYER].trade().cancelling);
    let waiting = cancel(&mut stage, BUYER, thread).unwrap_err();
    assert_eq!(waiting.code, "cancelling");
    stage.fate = Box::new(|_| Fate::Arrives);
    stage.pass(90);
    let trade = stage.actors[BUYER].trade();
    assert!(trade.cancel_refused && !trade.cancelling);
    assert_eq!(states(&stage), [TradeState::ContactsExchanged; 2]);
    // Now he knows, and it counts.
    cancel(&mut stage, BUYER, thread).unwrap();
    assert_eq!(states(&stage), [cancelled(Role::Buyer); 2]);

    // The buyer has paid, and the seller does not know it when he cancels.
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    stage.fate = Box::new(|_| Fate::Lost);
    let paid = report(thread, TradeStep::Paid, None);
    stage.tell(BUYER, paid).unwrap();
    cancel(&mut stage, SELLER, thread).unwrap();
    stage.fate = Box::new(|_| Fate::Arrives);
    stage.pass(90);
    let trade = stage.actors[SELLER].trade();
    assert!(trade.cancel_refused && trade.state == TradeState::ContactsExchanged);
    assert_eq!(trade.steps.len(), 1);
}

/// Each cancels with a reason and words of his own.
fn cancel_in_own_words(stage: &mut Stage, who: usize, thread: ThreadId) {
    let (reason, note) = own_words(who);
    let note = Some(note.to_owned());
    let cancel = Command::Cancel {
        thread,
        reason,
        note,
    };
    stage.tell(who, cancel).unwrap();
}

const fn own_words(who: usize) -> (CancelReason, &'static str) {
    match who {
        BUYER => (CancelReason::ChangedMind, "I found one nearby."),
        _ => (CancelReason::NotPaid, "Nothing has come."),
    }
}

/// Both record that this one cancelled, with his reason and his words.
fn both_record(stage: &Stage, who: usize) {
    let (reason, note) = own_words(who);
    let by = [Role::Buyer, Role::Seller][who];
    assert_eq!(states(stage), [TradeState::Cancelled { by, reason }; 2]);
    for side in [BUYER, SELLER] {
        let trade = stage.actors[side].trade();
        assert_eq!(trade.cancel_note.as_deref(), Some(note));
        assert!(!trade.cancel_refused && !trade.cancelling);
    }
}

#[test]
fn when_both_cancel_at_once_both_record_the_buyers_word_whatever_comes_first() {
    // Whose cells and whose answers are held up: any of the four.
    for held in 0..16_u8 {
        let (mut stage, thread) = ordered();
        stage.tell(SELLER, confirm(thread)).unwrap();
        stage.fate = Box::new(|_| Fate::Lost);
        for who in [SELLER, BUYER] {
            cancel_in_own_words(&mut stage, who, thread);
        }
        stage.fate = Box::new(move |post| {
            let bit = match post {
                Post::Cell { from, .. } => *from,
                Post::Answered { to, .. } => 2 + *to,
                Post::Frame { .. } | Post::Asked { .. } | Post::Piece { .. } | Post::Pay { .. } => {
                    return Fate::Arrives;
                }
            };
            if held >> bit & 1 == 1 {
                Fate::Lost
            } else {
                Fate::Arrives
            }
        });
        stage.pass(120);
        stage.fate = Box::new(|_| Fate::Arrives);
        stage.pass(120);
        both_record(&stage, BUYER);
    }
}

#[test]
fn a_buyer_who_cancelled_before_he_knew_of_the_confirmation_records_the_sellers_cancel_as_the_seller_does()
 {
    for refused_before in [false, true] {
        let (mut stage, thread) = ordered();
        stage.fate = Box::new(|_| Fate::Lost);
        stage.tell(SELLER, confirm(thread)).unwrap();
        if refused_before {
            // The seller refuses the buyer's cancel, which the buyer does not hear.
            stage.fate = cells_of(BUYER, Fate::Arrives, Fate::Lost);
        }
        cancel_in_own_words(&mut stage, BUYER, thread);
        stage.fate = cells_of(BUYER, Fate::Lost, Fate::Arrives);
        cancel_in_own_words(&mut stage, SELLER, thread);
        stage.pass(60);
        stage.fate = Box::new(|_| Fate::Arrives);
        stage.pass(120);
        both_record(&stage, SELLER);
    }
}

#[test]
fn a_cancel_that_overtakes_its_order_holds_and_binds_nobody() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.put(SELLER, laptop(40_000, 3));
    stage.tell(SELLER, rules("firm")).unwrap();
    let id = stage.publish(BUYER, wants_laptop());
    // The order is held back on its way, and comes after all.
    let mut held = None;
    stage.fate = Box::new(|_| Fate::Lost);
    stage.accept(BUYER, id);
    let thread = stage.actors[BUYER].trade().thread;
    stage.fate = Box::new(move |post| {
        let first = matches!(post, Post::Cell { .. }) && held.replace(()).is_none();
        if first { Fate::Later } else { Fate::Arrives }
    });
    stage.now = stage.now + 3;
    stage.tick();
    cancel(&mut stage, BUYER, thread).unwrap();
    stage.pass(120);
    assert_eq!(stage.actors[BUYER].trade().state, cancelled(Role::Buyer));
    let sold = stage.actors[SELLER].trades.values();
    for trade in sold {
        assert_eq!(trade.state, cancelled(Role::Buyer));
    }
    assert_eq!(reserved(&stage), 0);
}

#[test]
fn a_cancel_survives_reloads_and_losses_and_its_trade_ends_even_if_nobody_takes_it() {
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    stage.actors[SELLER].online = false;
    cancel(&mut stage, BUYER, thread).unwrap();
    stage.reload(BUYER);
    let ends = stage.actors[BUYER].trade().ends.unwrap();
    let left = ends.since(stage.now);
    stage.pass(left - 1);
    assert!(stage.actors[BUYER].trade().cancelling);
    stage.pass(2);
    assert_eq!(stage.actors[BUYER].trade().state, TradeState::Lapsed);
    assert!(!stage.actors[BUYER].trade().cancelling);
    // So does the other side's, which has not heard of it and had the same time.
    stage.pass(30 * DAY);
    stage.actors[SELLER].online = true;
    stage.reload(SELLER);
    stage.settle();
    assert_eq!(states(&stage), [TradeState::Lapsed; 2]);
}

#[test]
fn a_cancel_reaches_who_comes_back_after_any_message_of_that_time_has_expired() {
    for by in [BUYER, SELLER] {
        for asleep in [false, true] {
            let (mut stage, thread) = ordered();
            stage.tell(SELLER, confirm(thread)).unwrap();
            let away = [SELLER, BUYER][by];
            stage.actors[away].online = false;
            cancel(&mut stage, by, thread).unwrap();
            stage.pass(6 * DAY);
            // Who was away himself when it expired writes it anew when he comes back.
            stage.actors[by].online = !asleep;
            stage.pass(3 * DAY);
            stage.actors[by].online = true;
            stage.tick();
            assert!(stage.actors[by].trade().cancelling);
            stage.actors[away].online = true;
            stage.reload(away);
            stage.pass(120);
            let role = [Role::Buyer, Role::Seller][by];
            assert_eq!(states(&stage), [cancelled(role); 2]);
            let note = stage.actors[away].trade().cancel_note.clone();
            assert_eq!(note.as_deref(), Some("I found one nearby."));
            assert_eq!(reserved(&stage), 0);
        }
    }
}

#[test]
fn a_cancel_written_anew_says_no_more_than_its_writer_knew_when_he_cancelled() {
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    // Nothing of the seller's arrives; what the buyer says comes through after a while.
    stage.fate = Box::new(|post| match post {
        Post::Cell { from: SELLER, .. } | Post::Answered { to: BUYER, .. } => Fate::Lost,
        Post::Cell { .. }
        | Post::Answered { .. }
        | Post::Frame { .. }
        | Post::Asked { .. }
        | Post::Piece { .. }
        | Post::Pay { .. } => Fate::Arrives,
    });
    cancel(&mut stage, SELLER, thread).unwrap();
    stage.pass(6 * DAY);
    let paid = report(thread, TradeStep::Paid, None);
    stage.tell(BUYER, paid).unwrap();
    stage.pass(3 * DAY);
    stage.fate = Box::new(|_| Fate::Arrives);
    stage.pass(120);
    let trade = stage.actors[SELLER].trade();
    assert!(trade.cancel_refused && !trade.cancelling);
    assert_eq!(states(&stage), [TradeState::ContactsExchanged; 2]);
}

#[test]
fn a_cancel_that_comes_when_its_trade_has_lapsed_over_there_holds_on_both_sides() {
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    let ends = stage.actors[BUYER].trade().ends.unwrap();
    stage.pass(ends.since(stage.now) - DAY);
    stage.fate = Box::new(|_| Fate::Lost);
    cancel(&mut stage, BUYER, thread).unwrap();
    stage.pass(DAY + 60);
    assert_eq!(states(&stage), [TradeState::Lapsed; 2]);
    stage.fate = Box::new(|_| Fate::Arrives);
    stage.pass(120);
    assert_eq!(states(&stage), [cancelled(Role::Buyer); 2]);
}

#[test]
fn every_confirmed_trade_ends_by_its_deadline_whoever_disappears() {
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    let ends = stage.actors[BUYER].trade().ends.unwrap();
    let lead = u64::from(stage.actors[BUYER].trade().quote.lead_time);
    assert_eq!(ends, stage.actors[BUYER].trade().ordered + lead + 14 * DAY);
    stage.reload(BUYER);
    let left = ends.since(stage.now);
    stage.pass(left - 1);
    assert_eq!(states(&stage), [TradeState::ContactsExchanged; 2]);
    stage.pass(2);
    assert_eq!(states(&stage), [TradeState::Lapsed; 2]);
    assert_eq!(stage.actors[BUYER].trade().ends, None);
    // Word that comes late is still word.
    let received = report(thread, TradeStep::Received, None);
    stage.tell(BUYER, received).unwrap();
    assert_eq!(states(&stage), [TradeState::Received; 2]);

    // After it was sent there is time for it to arrive.
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    stage.pass(DAY);
    let sent = report(thread, TradeStep::Dispatched, None);
    stage.tell(SELLER, sent).unwrap();
    let now = stage.now;
    assert_eq!(stage.actors[SELLER].trade().ends, Some(now + 14 * DAY));
    stage.pass(14 * DAY);
    assert_eq!(states(&stage), [TradeState::Lapsed; 2]);
}

#[test]
fn a_cancel_that_was_taken_holds_even_if_its_acknowledgement_comes_after_the_deadline() {
    let (mut stage, thread) = ordered();
    // The cancel arrives, its acknowledgement does not, and the buyer is away until nobody waits any more.
    stage.fate = Box::new(|post| {
        if matches!(post, Post::Answered { .. }) {
            Fate::Lost
        } else {
            Fate::Arrives
        }
    });
    cancel(&mut stage, BUYER, thread).unwrap();
    assert_eq!(stage.actors[SELLER].trade().state, cancelled(Role::Buyer));
    stage.actors[BUYER].online = false;
    stage.pass(3_600);
    stage.fate = Box::new(|_| Fate::Arrives);
    stage.actors[BUYER].online = true;
    stage.reload(BUYER);
    stage.settle();
    stage.pass(120);
    assert_eq!(states(&stage), [cancelled(Role::Buyer); 2]);
}

#[test]
fn what_nobody_paid_or_sent_is_there_for_others_when_its_trade_has_lapsed() {
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    assert!(reserved(&stage) > 0);
    let ends = stage.actors[SELLER].trade().ends.unwrap();
    let left = ends.since(stage.now);
    stage.pass(left + 1);
    assert_eq!(stage.actors[SELLER].trade().state, TradeState::Lapsed);
    assert_eq!(reserved(&stage), 0);
}
