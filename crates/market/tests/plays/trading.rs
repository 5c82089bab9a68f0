//! From the intent to the hand-over.

use haggle_market::command::Taste;
use haggle_market::view::{AnswerState, IntentState, QuoteState, TradeState};
use haggle_market::{Command, Reason};
use haggle_protocol::attribute::Fit;

use crate::stage::*;

#[test]
fn a_buyer_asks_out_loud_is_quoted_in_private_takes_one_and_both_say_who_they_are() {
    let mut stage = Stage::new(&["buyer", "ben", "cleo"]);
    let (buyer, ben, cleo) = (0, 1, 2);
    stage.put(ben, laptop(40_000, 3));
    let mut finer = laptop(41_200, 2);
    finer.quality = haggle_protocol::quote::Quality::Finest;
    finer.deliveries[0].lead_time = 86_400;
    stage.put(cleo, finer);
    stage.tell(ben, rules("indicative")).unwrap();
    stage.tell(cleo, rules("indicative")).unwrap();
    for (who, name) in [(buyer, "Ada"), (cleo, "Cleo")] {
        stage.tell(who, Command::SetProfile(profile(name))).unwrap();
    }

    let id = stage.publish(buyer, wants_laptop());
    assert_eq!(
        stage.actors[ben].open[&id].matches[0].fits,
        vec![("ram".to_owned(), Fit::Yes)]
    );
    let quotes = &stage.actors[buyer].mine[&id].quotes;
    assert_eq!(quotes.len(), 2);
    // The best is not the cheapest, and says why.
    assert_eq!(quotes[0].quote.total.minor, 41_700);
    let why: Vec<String> = quotes[0].reasons.iter().map(ToString::to_string).collect();
    assert_eq!(
        why,
        [
            "12.00 EUR more than the cheapest",
            "Finest instead of Good",
            "1 day sooner",
            "Has everything you asked for"
        ]
    );
    assert_eq!(quotes[1].reasons[0], Reason::Cheapest);
    assert_eq!(
        stage.actors[ben].open[&id].answer.as_ref().unwrap().state,
        AnswerState::Delivered
    );

    let (thread, total) = (quotes[0].thread, quotes[0].quote.total);
    let accept = Command::Accept {
        thread,
        total,
        note: Some("Please ring twice.".into()),
    };
    stage.tell(buyer, accept).unwrap();
    assert_eq!(stage.actors[buyer].mine[&id].state, IntentState::Ordered);
    let order = stage.actors[cleo].trade();
    assert_eq!(order.state, TradeState::Ordered);
    assert_eq!(order.order_note.as_deref(), Some("Please ring twice."));
    assert!(stage.actors[ben].trades.is_empty());

    stage
        .tell(
            cleo,
            Command::Confirm {
                thread,
                payment: None,
                note: None,
            },
        )
        .unwrap();
    assert_eq!(stage.actors[buyer].mine[&id].state, IntentState::Awarded);
    for (who, other) in [(buyer, "Cleo"), (cleo, "Ada")] {
        let trade = stage.actors[who].trade();
        assert_eq!(
            trade.state,
            TradeState::ContactsExchanged,
            "{}",
            stage.actors[who].name
        );
        assert_eq!(trade.theirs.as_ref().unwrap().name, other);
        assert_eq!(
            trade.confirm.as_ref().unwrap().payment.as_deref(),
            Some("On delivery")
        );
    }
    assert_eq!(
        stage.actors[cleo].stall.as_ref().unwrap().reserved[0].1,
        1_000_000
    );
    let quotes = &stage.actors[buyer].mine[&id].quotes;
    assert_eq!(quotes[0].state, QuoteState::Confirmed);
    assert_eq!(quotes[1].state, QuoteState::NotSelected);
    assert!(stage.actors[ben].open.is_empty(), "a closed intent is gone");
    assert!(stage.next_deadline().is_some());
}

#[test]
fn a_person_who_looks_for_the_lowest_total_sees_it_first() {
    let mut stage = Stage::new(&["buyer", "ben", "cleo"]);
    stage.put(1, laptop(40_000, 3));
    let mut finer = laptop(41_200, 2);
    finer.quality = haggle_protocol::quote::Quality::Finest;
    stage.put(2, finer);
    stage.tell(1, rules("indicative")).unwrap();
    stage.tell(2, rules("indicative")).unwrap();
    let mut draft = wants_laptop();
    draft.taste = Taste::Cheapest;
    let id = stage.publish(0, draft);
    assert_eq!(
        stage.actors[0].mine[&id].quotes[0].quote.total.minor,
        40_500
    );
}
