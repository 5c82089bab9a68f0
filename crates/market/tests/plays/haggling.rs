//! Counters: what a buyer would pay, and how a seller answers by hand and by rule.

use haggle_market::view::{QuoteState, QuoteView, TradeState};
use haggle_market::{Command, Complaint, Draft, Heard, Input, Reply};
use haggle_protocol::{IntentId, Money};

use crate::stage::*;

const BUYER: usize = 0;
const SELLER: usize = 1;

/// A stage on which a laptop for 400 EUR is quoted by these rules.
fn quoted(rules: serde_json::Value) -> (Stage, IntentId) {
    quoted_for(rules, wants_laptop())
}

/// The same for another request.
fn quoted_for(rules: serde_json::Value, draft: Draft) -> (Stage, IntentId) {
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.put(SELLER, laptop(40_000, 3));
    stage.tell(SELLER, ruled(rules)).unwrap();
    let id = stage.publish(BUYER, draft);
    (stage, id)
}

fn quote(stage: &Stage, id: IntentId) -> QuoteView {
    stage.actors[BUYER].mine[&id].quotes[0].clone()
}

fn offer(stage: &mut Stage, id: IntentId, minor: u64) -> Result<Reply, Complaint> {
    let counter = Command::Counter {
        thread: quote(stage, id).thread,
        total: Money::new(minor, eur()),
        note: Some("If I fetch it today?".into()),
    };
    stage.tell(BUYER, counter)
}

#[test]
fn a_seller_meets_a_counter_by_hand_and_the_buyer_takes_the_lower_quote() {
    for restless in [false, true] {
        let (mut stage, id) = quoted(serde_json::json!({ "auto": "indicative" }));
        stage.restless = restless;
        let asked = quote(&stage, id).quote.total.minor;
        offer(&mut stage, id, asked - 3_000).unwrap();

        // Both know of it, and nothing else has changed: a counter binds nobody.
        let mine = quote(&stage, id);
        let said = mine.counter.clone().unwrap();
        assert_eq!(
            (said.round, said.delivered, said.answered),
            (1, true, false)
        );
        assert_eq!(mine.quote.total.minor, asked);
        let heard = stage.actors[SELLER].open[&id].answer.clone().unwrap();
        let heard_counter = heard.counter.unwrap();
        assert_eq!(heard_counter.total.minor, asked - 3_000);
        assert_eq!(heard_counter.note.as_deref(), Some("If I fetch it today?"));

        let thread = mine.thread;
        stage.tell(SELLER, Command::Meet { thread }).unwrap();
        let met = quote(&stage, id);
        assert_eq!(met.quote.total.minor, asked - 3_000);
        assert_eq!(met.state, QuoteState::Standing);
        assert!(met.counter.unwrap().answered);
        // There is nothing to be met a second time.
        let again = stage.tell(SELLER, Command::Meet { thread });
        assert_eq!(again.unwrap_err().code, "no-counter");

        stage.accept(BUYER, id);
        let trade = stage.actors[SELLER].trade();
        assert_eq!(trade.state, TradeState::Ordered);
        assert_eq!(trade.quote.total.minor, asked - 3_000);
    }
}

#[test]
fn a_rule_gives_way_by_thirds_meets_who_offers_enough_and_never_goes_below_what_it_may() {
    let rules = serde_json::json!({ "auto": "firm", "validFor": 7_200, "concession": 15 });
    let (mut stage, id) = quoted(rules);
    let asked = quote(&stage, id).quote.total.minor;
    let less = |percent: u64| asked - asked * percent / 100;

    // Too low: it comes towards the buyer by a third of what it may.
    offer(&mut stage, id, less(50)).unwrap();
    assert_eq!(quote(&stage, id).quote.total.minor, less(5));
    // Within reach of the second round: it is met exactly.
    offer(&mut stage, id, less(8)).unwrap();
    let met = quote(&stage, id);
    assert_eq!(met.quote.total.minor, less(8));
    assert!(met.quote.firm);
    let sum = met.quote.sum();
    assert_eq!(sum, Some(met.quote.total.minor));
    // What was conceded stands when the rule looks at the request again.
    stage.tell(SELLER, rules_again()).unwrap();
    assert_eq!(quote(&stage, id).quote.total.minor, less(8));
    stage.pass(7_300);
    assert_eq!(quote(&stage, id).quote.total.minor, less(8));
    assert_eq!(quote(&stage, id).state, QuoteState::Standing);

    // The third and last, still too much asked for: no word, since it may not come further than it is asked.
    let third = offer(&mut stage, id, less(7));
    assert_eq!(third.unwrap_err().code, "bad-counter");
    assert_eq!(quote(&stage, id).quote.total.minor, less(8));
}

#[test]
fn a_rule_never_goes_below_the_floor_of_an_item_and_gives_way_to_it_by_thirds() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    let mut item = laptop(40_000, 3);
    item.floor = Some(40_001);
    let high = stage.tell(SELLER, Command::PutItem(Box::new(item.clone())));
    assert_eq!(high.unwrap_err().field.as_deref(), Some("floor"));
    item.floor = Some(38_500);
    stage.put(SELLER, item);
    let rules = serde_json::json!({ "auto": "indicative", "concession": 30 });
    stage.tell(SELLER, ruled(rules)).unwrap();
    let id = stage.publish(BUYER, wants_laptop());
    let delivery = quote(&stage, id).quote.total.minor - 40_000;
    for (asked, given) in [(30_000, 39_500), (35_000, 39_000), (38_000, 38_500)] {
        offer(&mut stage, id, asked + delivery).unwrap();
        assert_eq!(quote(&stage, id).quote.total.minor, given + delivery);
    }
    // What the buyer can see says nothing of it.
    let told = serde_json::to_string(&stage.actors[SELLER].stall).unwrap();
    assert!(told.contains("\"floor\":38500"));
    let seen = serde_json::to_string(&stage.actors[BUYER].mine[&id].quotes).unwrap();
    assert!(!seen.contains("floor"));
}

#[test]
fn a_rule_counts_the_rounds_itself() {
    let rules = serde_json::json!({ "auto": "firm", "validFor": 7_200, "concession": 15 });
    let (mut stage, id) = quoted(rules);
    let asked = quote(&stage, id).quote.total.minor;
    stage.actors[SELLER].online = false;
    offer(&mut stage, id, asked / 2).unwrap();
    offer(&mut stage, id, asked / 2 + 1).unwrap();
    stage.actors[SELLER].online = true;
    stage.pass(120);
    // Of two rounds the seller has heard one.
    let mine = quote(&stage, id);
    assert_eq!(mine.counter.unwrap().round, 2);
    assert_eq!(mine.quote.total.minor, asked - asked * 5 / 100);
}

#[test]
fn a_rule_gives_way_by_no_more_of_a_smaller_request() {
    let rules = serde_json::json!({ "auto": "firm", "validFor": 7_200, "concession": 15 });
    let mut draft = wants_laptop();
    draft.quantity = haggle_protocol::Quantity::pieces(3);
    let (mut stage, id) = quoted_for(rules, draft.clone());
    let three = quote(&stage, id).quote.total.minor;
    for round in 1..=3 {
        offer(&mut stage, id, three / 2 + round).unwrap();
    }
    assert_eq!(
        quote(&stage, id).quote.total.minor,
        three - three * 15 / 100
    );
    draft.quantity = haggle_protocol::Quantity::pieces(1);
    let draft = Box::new(draft);
    let revise = Command::Revise { intent: id, draft };
    stage.tell(BUYER, revise).unwrap();
    let one = quote(&stage, id).quote;
    let list = one.total.minor + one.charges.iter().map(|it| it.amount).max().unwrap();
    assert_eq!(one.total.minor, list - list * 15 / 100);
    // And all of it again when it is three again, not more.
    assert!(one.total.minor * 3 >= three - three * 15 / 100);
}

fn rules_again() -> Command {
    let rules = serde_json::json!({ "auto": "firm", "validFor": 7_200, "concession": 16 });
    ruled(rules)
}

#[test]
fn there_are_three_rounds_each_offers_more_and_none_as_much_as_is_asked() {
    let (mut stage, id) = quoted(serde_json::json!({ "auto": "indicative" }));
    let asked = quote(&stage, id).quote.total.minor;
    for wrong in [0, asked, asked + 1] {
        let complaint = offer(&mut stage, id, wrong).unwrap_err();
        assert_eq!(
            (complaint.code.as_str(), complaint.field.as_deref()),
            ("bad-counter", Some("total"))
        );
    }
    for (round, minor) in (1..).zip([30_000, 31_000, 32_000]) {
        offer(&mut stage, id, minor).unwrap();
        assert_eq!(quote(&stage, id).counter.unwrap().round, round);
        let less = offer(&mut stage, id, minor).unwrap_err();
        assert!(["bad-counter", "no-more-rounds"].contains(&less.code.as_str()));
    }
    assert!(!quote(&stage, id).can_counter);
    assert_eq!(
        offer(&mut stage, id, 33_000).unwrap_err().code,
        "no-more-rounds"
    );
    let heard = stage.actors[SELLER].open[&id].answer.clone().unwrap();
    assert_eq!(heard.counter.unwrap().round, 3);

    // Once it is ordered there is nothing to haggle over.
    stage.accept(BUYER, id);
    assert_eq!(
        offer(&mut stage, id, 33_000).unwrap_err().code,
        "quote-gone"
    );
    let thread = quote(&stage, id).thread;
    let meet = stage.tell(SELLER, Command::Meet { thread });
    assert_eq!(meet.unwrap_err().code, "no-counter");
}

#[test]
fn a_counter_survives_a_reload_of_either_side() {
    let (mut stage, id) = quoted(serde_json::json!({ "auto": "indicative" }));
    let asked = quote(&stage, id).quote.total.minor;
    stage.actors[SELLER].online = false;
    offer(&mut stage, id, asked - 1_000).unwrap();
    stage.reload(BUYER);
    stage.settle();
    assert!(!quote(&stage, id).counter.unwrap().delivered);
    stage.actors[SELLER].online = true;
    stage.reload(SELLER);
    stage.pass(120);
    assert!(quote(&stage, id).counter.unwrap().delivered);
    stage.reload(SELLER);
    stage.settle();
    let thread = quote(&stage, id).thread;
    stage.tell(SELLER, Command::Meet { thread }).unwrap();
    assert_eq!(quote(&stage, id).quote.total.minor, asked - 1_000);
}

#[test]
fn a_firm_quote_is_not_lost_by_a_counter_that_comes_too_late_or_that_waits() {
    // After the time for quotes no new one could come, so there is nothing to haggle for.
    let rules = serde_json::json!({ "auto": "firm", "validFor": 7_200, "concession": 15 });
    let mut draft = wants_laptop();
    draft.quotes_for = Some(600);
    let (mut stage, id) = quoted_for(rules, draft);
    stage.pass(700);
    let mine = quote(&stage, id);
    assert_eq!(mine.state, QuoteState::Standing);
    assert_eq!(
        offer(&mut stage, id, 30_000).unwrap_err().code,
        "quote-gone"
    );

    // Who takes the quote after all is not answered to the counter that still waits.
    let rules = serde_json::json!({ "auto": "firm", "validFor": 7_200, "concession": 15 });
    let (mut stage, id) = quoted(rules);
    let asked = quote(&stage, id).quote.total.minor;
    stage.actors[SELLER].online = false;
    offer(&mut stage, id, asked / 2).unwrap();
    stage.accept(BUYER, id);
    stage.actors[SELLER].online = true;
    stage.pass(120);
    let trade = stage.actors[BUYER].trade();
    assert_eq!(trade.quote.total.minor, asked);
    assert_eq!(trade.state, TradeState::Confirmed);
}

#[test]
fn there_is_nothing_to_haggle_for_between_what_was_offered_and_what_is_asked() {
    let (mut stage, id) = quoted(serde_json::json!({ "auto": "indicative" }));
    let asked = quote(&stage, id).quote.total.minor;
    offer(&mut stage, id, asked - 3_000).unwrap();
    let thread = quote(&stage, id).thread;
    stage.tell(SELLER, Command::Meet { thread }).unwrap();
    assert!(!quote(&stage, id).can_counter);
}

#[test]
fn a_rule_does_not_give_way_for_what_left_the_stall_or_while_it_is_off() {
    let firm = serde_json::json!({ "auto": "firm", "validFor": 7_200, "concession": 15 });
    let (mut stage, id) = quoted(firm.clone());
    let asked = quote(&stage, id);
    let item = stage.actors[SELLER].stall.as_ref().unwrap().items[0].id;
    stage.tell(SELLER, Command::RemoveItem { item }).unwrap();
    offer(&mut stage, id, asked.quote.total.minor / 2).unwrap();
    let now = quote(&stage, id);
    assert!(now.counter.unwrap().delivered);
    assert_eq!((now.message, now.state), (asked.message, asked.state));

    let (mut stage, id) = quoted(firm.clone());
    let asked = quote(&stage, id);
    let off = serde_json::json!({ "auto": "off", "validFor": 7_200, "concession": 15 });
    stage.tell(SELLER, ruled(off)).unwrap();
    offer(&mut stage, id, asked.quote.total.minor / 2).unwrap();
    assert_eq!(quote(&stage, id).message, asked.message);
    // Once there is a rule again, it answers.
    stage.tell(SELLER, ruled(firm)).unwrap();
    let total = asked.quote.total.minor;
    assert_eq!(quote(&stage, id).quote.total.minor, total - total * 5 / 100);
}

#[test]
fn a_rule_answers_a_counter_in_the_next_hour_if_this_one_is_used_up() {
    for valid in [7_200, 1_800] {
        let rules = serde_json::json!({ "auto": "firm", "validFor": valid, "concession": 15, "perHour": 1 });
        let (mut stage, id) = quoted(rules);
        let asked = quote(&stage, id).quote.total.minor;
        offer(&mut stage, id, asked / 2).unwrap();
        assert_eq!(quote(&stage, id).quote.total.minor, asked);
        stage.pass(60 * 60 + 1);
        let answered = quote(&stage, id);
        assert_eq!(answered.quote.total.minor, asked - asked * 5 / 100);
        assert_eq!(answered.state, QuoteState::Standing);
        assert!(answered.counter.unwrap().answered);
    }
}

#[test]
fn a_rule_answers_a_counter_that_came_before_it_knew_again_what_is_open() {
    let rules = serde_json::json!({ "auto": "firm", "validFor": 7_200, "concession": 15 });
    let (mut stage, id) = quoted(rules);
    let asked = quote(&stage, id).quote.total.minor;
    let air = core::mem::take(&mut stage.air);
    stage.reload(SELLER);
    stage.settle();
    offer(&mut stage, id, asked / 2).unwrap();
    assert!(quote(&stage, id).counter.unwrap().delivered);
    assert_eq!(quote(&stage, id).quote.total.minor, asked);
    for bytes in air {
        let source = haggle_book::Source::Own;
        stage.input(SELLER, Input::Heard(Heard::Frame { bytes, source }));
    }
    stage.settle();
    assert_eq!(quote(&stage, id).quote.total.minor, asked - asked * 5 / 100);
}

#[test]
fn a_counter_that_never_arrived_says_so() {
    let (mut stage, id) = quoted(serde_json::json!({ "auto": "indicative", "validFor": 1_800 }));
    stage.actors[SELLER].online = false;
    offer(&mut stage, id, 30_000).unwrap();
    assert!(!quote(&stage, id).counter.unwrap().lost);
    stage.pass(1_801);
    let said = quote(&stage, id).counter.unwrap();
    assert!(said.lost && !said.delivered);
    stage.reload(BUYER);
    assert!(quote(&stage, id).counter.unwrap().lost);
}

#[test]
fn who_cannot_meet_a_counter_is_told_why() {
    let meet = |stage: &mut Stage, id: IntentId| {
        let thread = quote(stage, id).thread;
        let complaint = stage.tell(SELLER, Command::Meet { thread }).unwrap_err();
        assert!(!complaint.sentence.contains("Too much"), "{complaint}");
        complaint.code
    };
    let rules = serde_json::json!({ "auto": "indicative", "validFor": 7_200 });
    let mut draft = wants_laptop();
    draft.quotes_for = Some(600);
    let (mut stage, id) = quoted_for(rules.clone(), draft);
    offer(&mut stage, id, 30_000).unwrap();
    stage.pass(700);
    assert_eq!(meet(&mut stage, id), "too-late");

    let (mut stage, id) = quoted(rules);
    offer(&mut stage, id, 30_000).unwrap();
    stage.air.clear();
    stage.reload(SELLER);
    stage.settle();
    assert_eq!(meet(&mut stage, id), "closed");
}
