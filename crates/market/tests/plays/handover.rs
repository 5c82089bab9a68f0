//! The hand-over code: the buyer tells it when he holds the goods, and the seller has a proof.

use haggle_market::view::{Role, TradeState, TradeStep};
use haggle_market::{Command, Complaint, Reply};
use haggle_protocol::ThreadId;
use haggle_protocol::handover::HandoverCode;

use crate::stage::*;
use crate::steps::{confirm, ordered, report};

const BUYER: usize = 0;
const SELLER: usize = 1;

fn delivered(stage: &mut Stage, thread: ThreadId, code: &str) -> Result<Reply, Complaint> {
    let report = Command::Report {
        thread,
        step: TradeStep::Delivered,
        note: None,
        files: Vec::new(),
        code: Some(code.to_owned()),
    };
    stage.tell(SELLER, report)
}

fn code(stage: &Stage) -> Option<String> {
    stage.actors[BUYER].trade().handover_code.clone()
}

#[test]
fn the_code_that_the_buyer_tells_shows_both_that_it_was_handed_over() {
    for restless in [false, true] {
        let (mut stage, thread) = ordered();
        stage.restless = restless;
        assert_eq!(code(&stage), None, "nobody is bound yet");
        stage.tell(SELLER, confirm(thread)).unwrap();
        let told = code(&stage).unwrap();
        let seller = stage.actors[SELLER].trade();
        assert_eq!(
            (seller.handover_code.clone(), seller.can_deliver),
            (None, true)
        );
        assert!(!stage.actors[BUYER].trade().can_deliver);

        // However he types it.
        let typed = told.to_lowercase().replace(' ', "-");
        delivered(&mut stage, thread, &typed).unwrap();
        for who in [BUYER, SELLER] {
            let trade = stage.actors[who].trade();
            assert_eq!(trade.state, TradeState::Delivered);
            assert_eq!(trade.awaited.map(|next| next.from), Some(Role::Buyer));
            assert_eq!(trade.handover_code, None, "it has done its work");
            assert!(!trade.can_deliver && !trade.can_cancel);
        }
        stage
            .tell(BUYER, report(thread, TradeStep::Received, None))
            .unwrap();
        for who in [BUYER, SELLER] {
            assert_eq!(stage.actors[who].trade().state, TradeState::Received);
        }
    }
}

#[test]
fn a_seller_without_the_code_cannot_say_it_and_cannot_find_it() {
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    let told = code(&stage).unwrap();
    let wrong = if told.starts_with('0') { "1" } else { "0" };
    let wrong = format!("{wrong}{}", &told[1..]);
    let complaint = |said: Result<Reply, Complaint>| said.unwrap_err().code;
    assert_eq!(
        complaint(delivered(&mut stage, thread, &wrong)),
        "wrong-code"
    );
    assert_eq!(
        complaint(delivered(&mut stage, thread, "12345")),
        "bad-code"
    );
    let none = stage.tell(SELLER, report(thread, TradeStep::Delivered, None));
    assert_eq!(complaint(none), "bad-code");
    let buyers = stage.tell(BUYER, report(thread, TradeStep::Delivered, None));
    assert_eq!(complaint(buyers), "not-yours");
    assert_eq!(
        stage.actors[BUYER].trade().state,
        TradeState::ContactsExchanged
    );

    // Nothing that he holds contains it.
    let bare = HandoverCode::parse(&told).unwrap();
    let seller = &stage.actors[SELLER];
    assert!(!seller.received_any(bare.as_str().as_bytes()));
    let holds = |bytes: &Vec<u8>| {
        let mut parts = bytes.windows(bare.as_str().len());
        parts.any(|part| part == bare.as_str().as_bytes())
    };
    assert!(!seller.saved.values().any(holds));
    assert!(stage.actors[BUYER].saved.values().any(holds));
}

#[test]
fn an_order_of_digital_goods_has_no_code() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    let mut item = laptop(900, 3);
    item.deliveries[0].delivery = haggle_protocol::intent::Delivery::Digital;
    stage.put(SELLER, item);
    stage.tell(SELLER, rules("indicative")).unwrap();
    let mut draft = wants_laptop();
    draft.deliveries = vec![haggle_protocol::intent::Delivery::Digital];
    let intent = stage.publish(BUYER, draft);
    let thread = stage.actors[BUYER].mine[&intent].quotes[0].thread;
    stage.accept(BUYER, intent);
    stage.tell(SELLER, confirm(thread)).unwrap();
    assert_eq!(code(&stage), None);
    assert!(!stage.actors[SELLER].trade().can_deliver);
    let said = delivered(&mut stage, thread, "0123456789").unwrap_err();
    assert_eq!(said.code, "no-code");
}

#[test]
fn a_trade_that_was_handed_over_ends_as_such_without_a_word_of_the_buyer() {
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    let told = code(&stage).unwrap();
    delivered(&mut stage, thread, &told).unwrap();
    stage.pass(15 * 24 * 60 * 60);
    for who in [BUYER, SELLER] {
        let trade = stage.actors[who].trade();
        assert_eq!((trade.state, trade.awaited), (TradeState::Delivered, None));
        assert_eq!(trade.ends, None);
    }
}
