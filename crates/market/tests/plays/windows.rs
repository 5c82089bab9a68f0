//! Two people who are hardly ever there at the same time: each acts while he is alone, and what he said reaches the other in the next ten
//! seconds that they share. Every time they come, their addresses are new.

use haggle_market::Command;
use haggle_market::view::{TradeState, TradeStep};

use crate::stage::*;
use crate::steps::{confirm, report};

const BUYER: usize = 0;
const SELLER: usize = 1;

/// For how long nobody is there after each visit, in seconds: an order and its answer take four visits, and a buyer waits ten minutes.
const APART: u64 = 2 * 60;
/// How long both are there, in seconds.
const TOGETHER: u64 = 10;

/// Both are there, newly come, for ten seconds; then neither is.
fn window(stage: &mut Stage) {
    for who in [BUYER, SELLER] {
        stage.actors[who].online = true;
        stage.reload(who);
    }
    stage.pass(TOGETHER);
    for who in [BUYER, SELLER] {
        stage.actors[who].online = false;
    }
    stage.pass(APART);
}

/// Somebody comes, acts with nobody there to hear it, and leaves.
fn alone(stage: &mut Stage, who: usize, act: impl FnOnce(&mut Stage)) {
    stage.actors[who].online = true;
    stage.reload(who);
    act(stage);
    stage.pass(TOGETHER);
    stage.actors[who].online = false;
    stage.pass(APART);
}

#[test]
fn a_trade_of_two_who_meet_for_ten_seconds_at_a_time_comes_to_its_receipt() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.put(SELLER, laptop(40_000, 3));
    stage.tell(SELLER, rules("indicative")).unwrap();
    for (who, name) in [(BUYER, "Ada"), (SELLER, "Ben")] {
        stage.tell(who, Command::SetProfile(profile(name))).unwrap();
        stage.actors[who].online = false;
    }
    let mut intent = None;
    alone(&mut stage, BUYER, |stage| {
        intent = Some(stage.publish(BUYER, wants_laptop()));
    });
    let intent = intent.unwrap();
    window(&mut stage);
    alone(&mut stage, BUYER, |stage| stage.accept(BUYER, intent));
    window(&mut stage);
    let thread = stage.actors[SELLER].trade().thread;
    for (who, act) in [
        (SELLER, confirm(thread)),
        (BUYER, report(thread, TradeStep::Paid, None)),
        (SELLER, report(thread, TradeStep::Dispatched, None)),
        (BUYER, report(thread, TradeStep::Received, None)),
    ] {
        alone(&mut stage, who, |stage| {
            stage.tell(who, act).unwrap();
        });
        window(&mut stage);
    }
    for who in [BUYER, SELLER] {
        let trade = stage.actors[who].trade();
        assert_eq!(trade.state, TradeState::Received);
        assert_eq!(trade.steps.len(), 3);
        assert!(trade.steps.iter().all(|taken| taken.delivered));
    }
}
