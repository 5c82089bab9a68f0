//! Least trust: whose orders a stall confirms by itself though its quote bound nobody.

use haggle_market::Command;
use haggle_market::view::{QuoteState, TradeState, TradeStep};
use haggle_protocol::IntentId;

use crate::stage::*;
use crate::steps::{confirm, report, to_the_receipt};

const BUYER: usize = 0;
const SELLER: usize = 1;
const STRANGER: usize = 2;

/// A stall that confirms by itself what this rule lets it, and has sold one laptop to the buyer, who has it.
fn sold_once(rules: serde_json::Value) -> Stage {
    let mut stage = Stage::new(&["buyer", "seller", "stranger"]);
    stage.put(SELLER, laptop(40_000, 9));
    stage.tell(SELLER, ruled(rules)).unwrap();
    let id = orders(&mut stage, BUYER);
    assert_eq!(state(&stage, id), TradeState::Ordered, "he is a stranger");
    let thread = stage.actors[BUYER].mine[&id].quotes[0].thread;
    stage.tell(SELLER, confirm(thread)).unwrap();
    to_the_receipt(&mut stage, thread, 60);
    stage
}

/// Somebody wants a laptop, and orders it.
fn orders(stage: &mut Stage, who: usize) -> IntentId {
    let id = stage.publish(who, wants_laptop());
    stage.accept(who, id);
    id
}

/// How the trade of this intent stands for the seller.
fn state(stage: &Stage, id: IntentId) -> TradeState {
    let mut trades = stage.actors[SELLER].trades.values();
    trades.find(|trade| trade.intent == id).unwrap().state
}

#[test]
fn whoever_has_finished_enough_trades_with_me_is_confirmed_by_rule_and_a_stranger_is_not() {
    let mut stage = sold_once(serde_json::json!({ "auto": "indicative", "minTrust": 1 }));
    let again = orders(&mut stage, BUYER);
    assert_eq!(state(&stage, again), TradeState::Confirmed);
    let thread = stage.actors[BUYER].mine[&again].quotes[0].thread;
    assert_eq!(
        stage.actors[BUYER].trades[&thread].state,
        TradeState::Confirmed
    );
    let first = orders(&mut stage, STRANGER);
    assert_eq!(state(&stage, first), TradeState::Ordered);

    // What is on its way is not finished.
    let rules = serde_json::json!({ "auto": "indicative", "minTrust": 2 });
    stage.tell(SELLER, ruled(rules)).unwrap();
    let third = orders(&mut stage, BUYER);
    assert_eq!(state(&stage, third), TradeState::Ordered);
    for (who, step) in [
        (SELLER, TradeStep::Dispatched),
        (BUYER, TradeStep::Received),
    ] {
        stage.tell(who, report(thread, step, None)).unwrap();
    }
    let fourth = orders(&mut stage, BUYER);
    assert_eq!(state(&stage, fourth), TradeState::Confirmed);
}

#[test]
fn trust_outlives_a_reload_and_ends_where_no_rule_asks_for_it() {
    let mut stage = sold_once(serde_json::json!({ "auto": "indicative", "minTrust": 1 }));
    stage.reload(SELLER);
    stage.reload(BUYER);
    let again = orders(&mut stage, BUYER);
    assert_eq!(state(&stage, again), TradeState::Confirmed);
    stage.tell(SELLER, rules("indicative")).unwrap();
    let by_hand = orders(&mut stage, BUYER);
    assert_eq!(state(&stage, by_hand), TradeState::Ordered);
}

#[test]
fn a_receipt_for_what_was_never_sent_buys_no_trust() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.put(SELLER, laptop(40_000, 9));
    let mut cheap = laptop(30_000, 9);
    cheap.auto = Some(haggle_market::item::Auto::Firm);
    let cheap = stage.put(SELLER, cheap);
    let rules = serde_json::json!({ "auto": "indicative", "minTrust": 1 });
    stage.tell(SELLER, ruled(rules)).unwrap();
    let first = orders(&mut stage, BUYER);
    assert_eq!(state(&stage, first), TradeState::Confirmed, "firm for all");
    let thread = stage.actors[BUYER].mine[&first].quotes[0].thread;
    let received = report(thread, TradeStep::Received, None);
    stage.tell(BUYER, received).unwrap();
    let remove = Command::RemoveItem { item: cheap };
    stage.tell(SELLER, remove).unwrap();
    let second = orders(&mut stage, BUYER);
    assert_eq!(state(&stage, second), TradeState::Ordered);
}

#[test]
fn nobody_is_trusted_with_what_is_no_longer_sold_for_that() {
    let given = serde_json::json!({ "auto": "indicative", "minTrust": 1, "validFor": 7_200 });
    for change in ["off", "gone", "dearer"] {
        let mut stage = sold_once(given.clone());
        let id = stage.publish(BUYER, wants_laptop());
        let item = stage.actors[SELLER].stall.as_ref().unwrap().items[0].clone();
        // What was quoted stands, since the hour allows no other word.
        let mut now = given.clone();
        now["perHour"] = 1.into();
        if change == "off" {
            now["auto"] = change.into();
        }
        stage.tell(SELLER, ruled(now)).unwrap();
        match change {
            "dearer" => {
                let mut dearer = item;
                dearer.tiers[0].unit_price += 1_000;
                let put = Command::PutItem(Box::new(dearer));
                stage.tell(SELLER, put).unwrap();
            }
            "gone" => {
                let remove = Command::RemoveItem { item: item.id };
                stage.tell(SELLER, remove).unwrap();
            }
            _ => {}
        }
        let quotes = &stage.actors[BUYER].mine[&id].quotes;
        if quotes
            .iter()
            .any(|quote| quote.state == QuoteState::Standing)
        {
            stage.accept(BUYER, id);
            assert_eq!(state(&stage, id), TradeState::Ordered, "{change}");
        } else {
            assert_eq!(change, "gone", "this quote goes with its item");
        }
    }
}

#[test]
fn what_a_person_quoted_a_person_confirms() {
    let mut stage = sold_once(serde_json::json!({ "auto": "indicative", "minTrust": 1 }));
    let id = stage.publish(BUYER, wants_laptop());
    let quote = stage.actors[BUYER].mine[&id].quotes[0].quote.clone();
    let draft = serde_json::json!({
        "intent": id, "asset": "EUR", "firm": false, "lines": quote.lines, "charges": quote.charges, "validFor": 3_600,
        "leadTime": quote.lead_time, "delivery": quote.delivery, "quality": quote.quality, "note": null,
    });
    let draft = serde_json::from_value(draft).unwrap();
    stage.tell(SELLER, Command::Quote(Box::new(draft))).unwrap();
    stage.accept(BUYER, id);
    assert_eq!(state(&stage, id), TradeState::Ordered);
}

#[test]
fn nobody_is_trusted_with_more_than_may_be_promised_a_day() {
    let mut stage = sold_once(serde_json::json!({
        "auto": "indicative", "minTrust": 1,
        // The first trade and half of the next.
        "perDay": { "asset": "EUR", "minor": 60_000 },
    }));
    let again = orders(&mut stage, BUYER);
    assert_eq!(state(&stage, again), TradeState::Ordered);
    stage.pass(24 * 60 * 60);
    let tomorrow = orders(&mut stage, BUYER);
    assert_eq!(state(&stage, tomorrow), TradeState::Confirmed);
}

#[test]
fn a_rule_asks_for_one_to_a_thousand_finished_trades() {
    let mut stage = Stage::new(&["seller"]);
    for wrong in [0, 1_001] {
        let rules = serde_json::json!({ "auto": "indicative", "minTrust": wrong });
        let complaint = stage.tell(0, ruled(rules)).unwrap_err();
        assert_eq!(
            (complaint.code.as_str(), complaint.field.as_deref()),
            ("bad-rules", Some("minTrust"))
        );
    }
}
