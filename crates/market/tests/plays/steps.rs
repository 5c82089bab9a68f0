//! After the confirmation: paid, sent, received.

use haggle_market::Command;
use haggle_market::view::{Role, TradeState, TradeStep};
use haggle_protocol::ThreadId;

use crate::stage::*;

const BUYER: usize = 0;
const SELLER: usize = 1;

/// A stage on which the buyer has ordered.
pub(crate) fn ordered() -> (Stage, ThreadId) {
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.put(SELLER, laptop(40_000, 3));
    stage.tell(SELLER, rules("indicative")).unwrap();
    for (who, name) in [(BUYER, "Ada"), (SELLER, "Ben")] {
        stage.tell(who, Command::SetProfile(profile(name))).unwrap();
    }
    let id = stage.publish(BUYER, wants_laptop());
    let quote = stage.actors[BUYER].mine[&id].quotes[0].clone();
    let accept = Command::Accept {
        thread: quote.thread,
        total: quote.quote.total,
        note: None,
        escrow: None,
    };
    stage.tell(BUYER, accept).unwrap();
    (stage, quote.thread)
}

pub(crate) fn confirm(thread: ThreadId) -> Command {
    Command::Confirm {
        thread,
        payment: None,
        note: None,
    }
}

pub(crate) fn report(thread: ThreadId, step: TradeStep, note: Option<&str>) -> Command {
    Command::Report {
        thread,
        step,
        note: note.map(ToOwned::to_owned),
        files: Vec::new(),
        code: None,
    }
}

pub(crate) fn say(thread: ThreadId, text: &str) -> Command {
    Command::Say {
        thread,
        text: text.to_owned(),
        files: Vec::new(),
    }
}

/// A confirmed trade goes on to its receipt, with some time after each step.
pub(crate) fn to_the_receipt(stage: &mut Stage, thread: ThreadId, pause: u64) {
    for (who, step) in [
        (BUYER, TradeStep::Paid),
        (SELLER, TradeStep::Dispatched),
        (BUYER, TradeStep::Received),
    ] {
        stage.tell(who, report(thread, step, None)).unwrap();
        stage.pass(pause);
    }
}

/// The steps that one side knows of, with whether the other one knows them too.
fn steps(stage: &Stage, who: usize) -> Vec<(TradeStep, bool)> {
    let trade = stage.actors[who].trade();
    let steps = trade.steps.iter();
    steps.map(|taken| (taken.step, taken.delivered)).collect()
}

#[test]
fn a_confirmed_trade_goes_on_until_the_buyer_has_it_and_both_know() {
    for restless in [false, true] {
        let (mut stage, thread) = ordered();
        stage.restless = restless;
        stage.tell(SELLER, confirm(thread)).unwrap();
        let awaited = |stage: &Stage| stage.actors[BUYER].trade().awaited.map(|next| next.from);
        assert_eq!(awaited(&stage), Some(Role::Seller));

        let paid = report(thread, TradeStep::Paid, Some("Reference 17"));
        stage.tell(BUYER, paid).unwrap();
        let at_sellers = &stage.actors[SELLER].trade().steps[0];
        assert_eq!(at_sellers.note.as_deref(), Some("Reference 17"));
        stage
            .tell(SELLER, report(thread, TradeStep::Dispatched, None))
            .unwrap();
        for who in [BUYER, SELLER] {
            assert_eq!(stage.actors[who].trade().state, TradeState::Dispatched);
        }
        assert_eq!(awaited(&stage), Some(Role::Buyer));
        stage
            .tell(BUYER, report(thread, TradeStep::Received, None))
            .unwrap();
        for who in [BUYER, SELLER] {
            assert_eq!(stage.actors[who].trade().state, TradeState::Received);
            assert_eq!(
                steps(&stage, who),
                [
                    (TradeStep::Paid, true),
                    (TradeStep::Dispatched, true),
                    (TradeStep::Received, true)
                ]
            );
        }
        assert_eq!(awaited(&stage), None);
    }
}

#[test]
fn each_step_is_said_once_in_its_time_and_by_its_own_side() {
    let (mut stage, thread) = ordered();
    let code = |stage: &mut Stage, who: usize, step: TradeStep, note: Option<&str>| {
        let said = stage.tell(who, report(thread, step, note));
        said.map_err(|complaint| complaint.code).err()
    };
    let early = code(&mut stage, BUYER, TradeStep::Paid, None);
    assert_eq!(early.as_deref(), Some("not-confirmed"));
    stage.tell(SELLER, confirm(thread)).unwrap();
    let anothers = code(&mut stage, BUYER, TradeStep::Dispatched, None);
    assert_eq!(anothers.as_deref(), Some("not-yours"));
    let anothers = code(&mut stage, SELLER, TradeStep::Received, None);
    assert_eq!(anothers.as_deref(), Some("not-yours"));
    let long = "x".repeat(601);
    let long = code(&mut stage, BUYER, TradeStep::Received, Some(&long));
    assert_eq!(long.as_deref(), Some("bad-text"));
    assert_eq!(code(&mut stage, BUYER, TradeStep::Received, None), None);
    let twice = code(&mut stage, BUYER, TradeStep::Received, None);
    assert_eq!(twice.as_deref(), Some("said-already"));
    let late = code(&mut stage, SELLER, TradeStep::Dispatched, None);
    assert_eq!(late.as_deref(), Some("received"));
    // Cash may come after the goods.
    assert_eq!(code(&mut stage, BUYER, TradeStep::Paid, None), None);
    assert_eq!(stage.actors[SELLER].trade().state, TradeState::Received);
    let nobody = ThreadId([9; 32]);
    let unknown = stage.tell(BUYER, report(nobody, TradeStep::Paid, None));
    assert_eq!(unknown.unwrap_err().code, "no-such-thread");
}

#[test]
fn a_step_is_not_lost_when_everything_comes_twice_or_not_at_first_and_pages_are_reloaded() {
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    let all = [
        (BUYER, TradeStep::Paid),
        (SELLER, TradeStep::Dispatched),
        (BUYER, TradeStep::Received),
    ];
    for (who, step) in all {
        stage.fate = Box::new(|_| Fate::Lost);
        stage.tell(who, report(thread, step, None)).unwrap();
        assert_eq!(steps(&stage, who).last(), Some(&(step, false)));
        let other = 1 - who;
        assert!(!steps(&stage, other).iter().any(|(known, _)| *known == step));
        // What was said is saved: it goes on after a reload, of the one or of the other.
        let mut copies = 0;
        stage.fate = Box::new(move |_| {
            copies += 1;
            if copies < 40 && copies % 2 == 0 {
                Fate::Twice
            } else {
                Fate::Arrives
            }
        });
        stage.reload(who);
        stage.settle();
        stage.pass(90);
        stage.reload(other);
        stage.settle();
        stage.pass(90);
        for side in [who, other] {
            let known = steps(&stage, side);
            let of_it: Vec<_> = known.iter().filter(|(known, _)| *known == step).collect();
            assert_eq!(of_it, [&(step, true)], "{step:?} at {side}");
        }
    }
    for who in [BUYER, SELLER] {
        assert_eq!(stage.actors[who].trade().state, TradeState::Received);
    }
}

#[test]
fn a_dispatch_that_overtakes_the_confirmation_is_kept() {
    let (mut stage, thread) = ordered();
    stage.fate = Box::new(|_| Fate::Lost);
    stage.tell(SELLER, confirm(thread)).unwrap();
    stage.fate = Box::new(|_| Fate::Arrives);
    stage
        .tell(SELLER, report(thread, TradeStep::Dispatched, None))
        .unwrap();
    let early = stage.actors[BUYER].trade();
    assert_eq!(early.state, TradeState::Ordered);
    assert_eq!(steps(&stage, BUYER), [(TradeStep::Dispatched, true)]);
    stage.pass(90);
    for who in [BUYER, SELLER] {
        assert_eq!(stage.actors[who].trade().state, TradeState::Dispatched);
    }
}

#[test]
fn what_was_sent_to_a_buyer_who_no_longer_waited_is_known_to_both_and_they_can_talk() {
    for days in [0, 3] {
        let (mut stage, thread) = ordered();
        stage.fate = Box::new(|_| Fate::Lost);
        stage.tell(SELLER, confirm(thread)).unwrap();
        let sent = report(thread, TradeStep::Dispatched, None);
        stage.tell(SELLER, sent).unwrap();
        stage.pass(15 * 60);
        let state = |stage: &Stage, who: usize| stage.actors[who].trade().state;
        assert_eq!(state(&stage, BUYER), TradeState::NotConfirmed);
        assert_eq!(state(&stage, SELLER), TradeState::Dispatched);
        let intent = *stage.actors[BUYER].mine.keys().next().unwrap();
        stage.tell(BUYER, Command::Withdraw { intent }).unwrap();
        // The buyer hears all of it and nothing of his comes through at first.
        stage.fate = cells_of(BUYER, Fate::Lost, Fate::Arrives);
        stage.pass(days * 24 * 60 * 60);
        stage.fate = Box::new(|_| Fate::Arrives);
        stage.pass(120);
        for who in [BUYER, SELLER] {
            assert_eq!(state(&stage, who), TradeState::NotConfirmed);
            assert_eq!(steps(&stage, who), [(TradeStep::Dispatched, true)]);
            stage.tell(who, say(thread, "What now?")).unwrap();
        }
    }
}
