//! From the intent to the hand-over.

use haggle_market::command::Taste;
use haggle_market::view::{AnswerState, IntentState, QuoteState, TradeState};
use haggle_market::{Command, Reason};
use haggle_protocol::attribute::Fit;
use haggle_protocol::trade::DeclineReason;

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
        escrow: None,
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

#[test]
fn a_firm_quote_binds_sets_its_stock_aside_and_is_confirmed_by_itself() {
    let mut stage = Stage::new(&["buyer", "seller", "another"]);
    stage.put(1, laptop(40_000, 1));
    stage.tell(1, rules("firm")).unwrap();
    let id = stage.publish(0, wants_laptop());
    let quote = stage.actors[0].mine[&id].quotes[0].clone();
    assert!(quote.quote.firm && quote.trader.is_some());
    assert_eq!(
        stage.actors[1].stall.as_ref().unwrap().reserved[0].1,
        1_000_000
    );
    // What is promised to one is not offered to another.
    let second = stage.publish(2, wants_laptop());
    assert!(stage.actors[2].mine[&second].quotes.is_empty());
    let accept = Command::Accept {
        thread: quote.thread,
        total: quote.quote.total,
        note: None,
        escrow: None,
    };
    stage.tell(0, accept).unwrap();
    assert_eq!(stage.actors[0].mine[&id].state, IntentState::Awarded);
    assert_eq!(stage.actors[1].trade().state, TradeState::Confirmed);
    assert_eq!(
        stage.actors[1].stall.as_ref().unwrap().reserved[0].1,
        1_000_000
    );
}

#[test]
fn a_firm_quote_that_lapses_gives_its_stock_to_the_next_who_asks() {
    let mut stage = Stage::new(&["buyer", "seller", "another"]);
    stage.put(1, laptop(40_000, 1));
    stage.tell(1, rules("firm")).unwrap();
    let mut short = wants_laptop();
    short.quotes_for = Some(600);
    let id = stage.publish(0, short);
    let second = stage.publish(2, wants_laptop());
    assert!(stage.actors[2].mine[&second].quotes.is_empty());
    stage.pass(1_800);
    assert_eq!(
        stage.actors[0].mine[&id].quotes[0].state,
        QuoteState::Expired
    );
    stage.pass(121);
    assert_eq!(stage.actors[2].mine[&second].quotes.len(), 1);
}

#[test]
fn the_last_one_is_sold_once_and_the_second_buyer_is_told() {
    let mut stage = Stage::new(&["buyer", "another", "seller"]);
    stage.put(2, laptop(40_000, 1));
    stage.tell(2, rules("indicative")).unwrap();
    let ids = [
        stage.publish(0, wants_laptop()),
        stage.publish(1, wants_laptop()),
    ];
    for at in [0, 1] {
        let quote = stage.actors[at].mine[&ids[at]].quotes[0].clone();
        let accept = Command::Accept {
            thread: quote.thread,
            total: quote.quote.total,
            note: None,
            escrow: None,
        };
        stage.tell(at, accept).unwrap();
    }
    assert_eq!(stage.actors[2].trades.len(), 2);
    let thread = *stage.actors[0].trades.keys().next().unwrap();
    stage
        .tell(
            2,
            Command::Confirm {
                thread,
                payment: None,
                note: None,
            },
        )
        .unwrap();
    assert_eq!(stage.actors[0].trade().state, TradeState::Confirmed);
    assert_eq!(
        stage.actors[1].trade().state,
        TradeState::Declined(DeclineReason::NoStock)
    );
    assert_eq!(stage.actors[1].mine[&ids[1]].state, IntentState::Open);
    let quote = &stage.actors[1].mine[&ids[1]].quotes[0];
    assert_eq!(quote.state, QuoteState::Declined(DeclineReason::NoStock));
    let again = stage.tell(
        2,
        Command::Confirm {
            thread,
            payment: None,
            note: None,
        },
    );
    assert_eq!(again.unwrap_err().code, "confirmed");
    assert_eq!(
        stage.actors[2].stall.as_ref().unwrap().reserved[0].1,
        1_000_000
    );
}

#[test]
fn a_seller_who_does_not_confirm_in_time_is_passed_over_and_the_next_best_can_be_taken() {
    let mut stage = Stage::new(&["buyer", "sleepy", "awake"]);
    stage.put(1, laptop(40_000, 3));
    stage.put(2, laptop(42_000, 3));
    stage.tell(1, rules("indicative")).unwrap();
    stage.tell(2, rules("firm")).unwrap();
    let id = stage.publish(0, wants_laptop());
    let take = |stage: &mut Stage, at: usize| {
        let quote = stage.actors[0].mine[&id].quotes[at].clone();
        stage.tell(
            0,
            Command::Accept {
                thread: quote.thread,
                total: quote.quote.total,
                note: None,
                escrow: None,
            },
        )
    };
    take(&mut stage, 0).unwrap();
    assert_eq!(take(&mut stage, 1).unwrap_err().code, "already-ordered");
    let withdraw = stage.tell(0, Command::Withdraw { intent: id });
    assert_eq!(withdraw.unwrap_err().code, "ordered");
    stage.pass(601);
    assert_eq!(stage.actors[1].trade().state, TradeState::NotConfirmed);
    assert_eq!(
        stage.actors[0].mine[&id].state,
        IntentState::Ordered,
        "clocks differ a little"
    );
    stage.pass(120);
    assert_eq!(stage.actors[0].mine[&id].state, IntentState::Open);
    assert_eq!(stage.actors[0].trade().state, TradeState::NotConfirmed);
    let late = Command::Confirm {
        thread: stage.actors[1].trade().thread,
        payment: None,
        note: None,
    };
    assert_eq!(stage.tell(1, late).unwrap_err().code, "too-late");
    take(&mut stage, 0).unwrap();
    assert_eq!(stage.actors[0].mine[&id].state, IntentState::Awarded);
    assert_eq!(stage.actors[2].trade().state, TradeState::Confirmed);
}

#[test]
fn an_order_that_is_refused_opens_the_intent_again() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.put(1, laptop(40_000, 3));
    stage.tell(1, rules("indicative")).unwrap();
    let id = stage.publish(0, wants_laptop());
    let quote = stage.actors[0].mine[&id].quotes[0].clone();
    let accept = Command::Accept {
        thread: quote.thread,
        total: quote.quote.total,
        note: None,
        escrow: None,
    };
    stage.tell(0, accept.clone()).unwrap();
    let refuse = Command::Refuse {
        thread: quote.thread,
        reason: DeclineReason::Busy,
    };
    stage.tell(1, refuse).unwrap();
    assert_eq!(stage.actors[0].mine[&id].state, IntentState::Open);
    assert_eq!(
        stage.actors[0].trade().state,
        TradeState::Declined(DeclineReason::Busy)
    );
    assert_eq!(stage.tell(0, accept).unwrap_err().code, "quote-gone");
    // A better word in the same exchange, and a second order on it.
    let by_hand = hand_quote(id, 39_000);
    stage.tell(1, Command::Quote(Box::new(by_hand))).unwrap();
    let quote = stage.actors[0].mine[&id].quotes[0].clone();
    assert_eq!((quote.state, quote.quote.number), (QuoteState::Standing, 2));
    let accept = Command::Accept {
        thread: quote.thread,
        total: quote.quote.total,
        note: None,
        escrow: None,
    };
    stage.tell(0, accept).unwrap();
    stage
        .tell(
            1,
            Command::Confirm {
                thread: quote.thread,
                payment: None,
                note: None,
            },
        )
        .unwrap();
    assert_eq!(stage.actors[0].mine[&id].state, IntentState::Awarded);
}

fn hand_quote(intent: haggle_protocol::IntentId, price: u64) -> haggle_market::command::QuoteDraft {
    serde_json::from_value(serde_json::json!({
        "intent": intent,
        "asset": "EUR",
        "lines": [{
            "description": "Laptop, as discussed",
            "quantity": {"n": 1, "scale": 0, "unit": "C62"},
            "unit_price": price, "amount": 0, "attributes": [],
        }],
        "validFor": 3_600, "leadTime": 3_600, "delivery": "shipping", "quality": "good",
    }))
    .unwrap()
}

#[test]
fn a_quote_by_hand_replaces_the_one_before_and_an_order_for_the_old_one_cannot_be_sent_by_mistake()
{
    let mut stage = Stage::new(&["buyer", "seller"]);
    let id = stage.publish(0, wants_laptop());
    stage
        .tell(1, Command::Quote(Box::new(hand_quote(id, 40_000))))
        .unwrap();
    let old = stage.actors[0].mine[&id].quotes[0].clone();
    stage
        .tell(1, Command::Quote(Box::new(hand_quote(id, 43_000))))
        .unwrap();
    let quotes = &stage.actors[0].mine[&id].quotes;
    assert_eq!((quotes.len(), quotes[0].quote.total.minor), (1, 43_000));
    let accept = Command::Accept {
        thread: old.thread,
        total: old.quote.total,
        note: None,
        escrow: None,
    };
    assert_eq!(stage.tell(0, accept).unwrap_err().code, "wrong-total");
}

#[test]
fn an_intent_is_renewed_as_long_as_its_owner_wants_it_and_then_it_is_over() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.put(1, laptop(40_000, 3));
    stage.tell(1, rules("indicative")).unwrap();
    let id = stage.publish(0, wants_laptop());
    stage.pass(5 * 60 * 60);
    assert!(stage.actors[1].market.book().open(&id).is_some(), "renewed");
    assert!(
        stage.actors[1].open[&id].reachable,
        "and so is the way to its owner"
    );
    let quotes = &stage.actors[0].mine[&id].quotes;
    assert_eq!(quotes.len(), 1);
    assert_eq!(
        quotes[0].state,
        QuoteState::Standing,
        "a rule answers anew while it is asked"
    );
    assert!(quotes[0].quote.number > 5);
    stage.pass(60 * 60 + 60);
    assert_eq!(stage.actors[0].mine[&id].state, IntentState::Expired);
    assert!(stage.actors[1].open.is_empty());
    assert!(stage.actors[1].market.book().open(&id).is_none());
    // A day later both have forgotten what nobody needs.
    stage.pass(25 * 60 * 60);
    assert!(
        !stage.actors[0].kinds().contains("thread"),
        "{:?}",
        stage.actors[0].kinds()
    );
    assert!(!stage.actors[1].kinds().contains("thread"));
}

#[test]
fn an_owner_who_left_is_forgotten_within_half_an_hour() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    let id = stage.publish(0, wants_laptop());
    stage.actors[0].online = false;
    stage.pass(1_801);
    assert!(stage.actors[1].open.is_empty());
    // And back when he is back, under the same name.
    stage.actors[0].online = true;
    stage.reload(0);
    stage.settle();
    assert!(stage.actors[1].open.contains_key(&id));
}

#[test]
fn a_changed_wish_is_answered_anew_in_the_same_exchange() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.put(1, laptop(40_000, 3));
    stage.tell(1, rules("indicative")).unwrap();
    let id = stage.publish(0, wants_laptop());
    let mut more = wants_laptop();
    more.quantity.n = 2;
    stage.pass(10);
    stage
        .tell(
            0,
            Command::Revise {
                intent: id,
                draft: Box::new(more.clone()),
            },
        )
        .unwrap();
    let quotes = &stage.actors[0].mine[&id].quotes;
    assert_eq!((quotes.len(), quotes[0].quote.total.minor), (1, 80_500));
    assert_eq!(stage.actors[1].open[&id].intent.quantity.n, 2);
    more.budget =
        haggle_protocol::intent::Budget::Sealed(haggle_protocol::Asset::new("USD").unwrap());
    let other = stage.tell(
        0,
        Command::Revise {
            intent: id,
            draft: Box::new(more),
        },
    );
    assert_eq!(other.unwrap_err().code, "wrong-unit");
}

#[test]
fn a_seller_who_comes_late_finds_what_is_open_and_quotes() {
    let mut stage = Stage::new(&["buyer"]);
    let id = stage.publish(0, wants_laptop());
    stage.pass(60);
    let late = stage.enter("late");
    assert!(stage.actors[late].open.contains_key(&id));
    stage.put(late, laptop(40_000, 3));
    stage.tell(late, rules("indicative")).unwrap();
    assert_eq!(stage.actors[0].mine[&id].quotes.len(), 1);
}

#[test]
fn what_is_called_like_the_request_is_quoted_before_something_cheaper_of_its_kind() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    let titled = |title: &str, price: u64| haggle_market::Item {
        title: title.into(),
        ..laptop(price, 3)
    };
    stage.put(1, titled("A plain laptop", 30_000));
    stage.put(1, titled("A silver ultrabook", 40_000));
    stage.tell(1, rules("firm")).unwrap();
    let mut draft = wants_laptop();
    draft.title = "An ultrabook, silver if there is one".into();
    let id = stage.publish(0, draft);
    let quote = &stage.actors[0].mine[&id].quotes[0].quote;
    assert_eq!(quote.lines[0].description, "A silver ultrabook");
}

#[test]
fn a_rule_answers_only_so_many_an_hour_and_the_rest_in_the_next() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.put(1, laptop(40_000, 30));
    let two = serde_json::json!({"auto": "indicative", "perHour": 2, "validFor": 7_200});
    stage.tell(1, ruled(two)).unwrap();
    let ids: Vec<_> = (0..3).map(|_| stage.publish(0, wants_laptop())).collect();
    let quoted = |stage: &Stage| {
        ids.iter()
            .filter(|id| !stage.actors[0].mine[id].quotes.is_empty())
            .count()
    };
    assert_eq!(quoted(&stage), 2);
    stage.pass(3_599);
    assert_eq!(quoted(&stage), 2);
    stage.pass(2);
    assert_eq!(quoted(&stage), 3);
}

#[test]
fn a_rule_promises_no_more_a_day_than_it_may_and_goes_on_when_a_promise_ends() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.put(1, laptop(40_000, 30));
    let rules = |per_day: serde_json::Value| {
        let rules = serde_json::json!({"auto": "firm", "validFor": 7_200, "perDay": per_day});
        ruled(rules)
    };
    // Room for two laptops, and for something less than a third.
    let room = serde_json::json!({"minor": 119_999, "asset": "EUR"});
    stage.tell(1, rules(room)).unwrap();
    let ids: Vec<_> = (0..4).map(|_| stage.publish(0, wants_laptop())).collect();
    // How many quotes were written, later ones in the same thread included, and how many of them bind.
    let written = |stage: &Stage| {
        let quotes = ids.iter().flat_map(|id| &stage.actors[0].mine[id].quotes);
        quotes.clone().map(|quote| quote.quote.number).sum::<u32>()
    };
    let binding = |stage: &Stage| {
        let quotes = ids.iter().flat_map(|id| &stage.actors[0].mine[id].quotes);
        let binds = [QuoteState::Standing, QuoteState::Confirmed];
        quotes.filter(|quote| binds.contains(&quote.state)).count()
    };
    assert_eq!((written(&stage), binding(&stage)), (2, 2));

    // One of them is sold and counts for a day; the promise of the other one ends unused, and makes room for one.
    let quoted = |id: &&haggle_protocol::IntentId| !stage.actors[0].mine[*id].quotes.is_empty();
    let sold = *ids.iter().find(quoted).unwrap();
    stage.accept(0, sold);
    stage.pass(7_199);
    assert_eq!((written(&stage), binding(&stage)), (2, 2));
    stage.pass(2);
    assert_eq!((written(&stage), binding(&stage)), (3, 2));

    // Nor is anything promised in another currency than the bound is in, or when it is too low for even one.
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.put(1, laptop(40_000, 30));
    for room in [
        serde_json::json!({"minor": 119_999, "asset": "USD"}),
        serde_json::json!({"minor": 39_999, "asset": "EUR"}),
    ] {
        stage.tell(1, rules(room)).unwrap();
        let id = stage.publish(0, wants_laptop());
        stage.pass(7_201);
        assert!(stage.actors[0].mine[&id].quotes.is_empty());
    }
}

#[test]
fn every_complaint_names_its_field_and_says_what_to_do() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    type Bend = fn(&mut haggle_market::Draft);
    let table: Vec<(&str, Bend)> = vec![
        ("title", |draft| draft.title = " ".into()),
        ("details", |draft| draft.details = Some("x".repeat(1_001))),
        ("category", |draft| draft.category.0 = 1_000_000),
        ("wishes", |draft| draft.wishes[0].key = "RAM size".into()),
        ("quantity", |draft| draft.quantity.n = 0),
        ("budget", |draft| {
            draft.budget =
                haggle_protocol::intent::Budget::Public(haggle_protocol::Money::new(0, eur()));
        }),
        ("limit", |draft| {
            let asset = haggle_protocol::Asset::new("USD").unwrap();
            draft.limit = Some(haggle_protocol::Money::new(1, asset));
        }),
        ("deliveries", |draft| draft.deliveries.clear()),
        ("places", |draft| {
            draft.places = vec![haggle_protocol::place::Place {
                geohash: "u33dbf".into(),
                radius_m: 0,
            }];
        }),
        ("window", |draft| {
            draft.window = Some(haggle_protocol::intent::Window {
                from: START,
                to: START,
            });
        }),
        ("openFor", |draft| draft.open_for = Some(119)),
        ("quotesFor", |draft| draft.quotes_for = Some(59)),
        ("lang", |draft| draft.lang = Some("e n".into())),
    ];
    for (field, bend) in table {
        let mut draft = wants_laptop();
        bend(&mut draft);
        let previewed = stage.actors[0]
            .market
            .preview(&draft, stage.now)
            .unwrap_err();
        let complaint = stage
            .tell(0, Command::Publish(Box::new(draft)))
            .unwrap_err();
        assert_eq!(complaint, previewed);
        assert_eq!(complaint.field.as_deref(), Some(field), "{complaint}");
        assert!(complaint.sentence.ends_with('.'), "{complaint}");
    }
    assert!(stage.actors[0].mine.is_empty() && stage.air.is_empty());
    let preview = stage.actors[0]
        .market
        .preview(&wants_laptop(), stage.now)
        .unwrap();
    let id = stage.publish(0, wants_laptop());
    assert_eq!(
        preview.bytes,
        stage.air[0].len(),
        "the preview tells the truth"
    );
    assert_eq!(preview.public.title, stage.actors[1].open[&id].intent.title);
    assert!(preview.private.contains(&"budget".to_owned()));
}

#[test]
fn what_is_taken_out_of_the_stall_is_no_longer_offered_and_offered_again_when_it_is_back() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    let item = stage.put(1, laptop(40_000, 3));
    stage.tell(1, rules("indicative")).unwrap();
    let id = stage.publish(0, wants_laptop());
    stage.tell(1, Command::RemoveItem { item }).unwrap();
    let quote = &stage.actors[0].mine[&id].quotes[0];
    assert_eq!(quote.state, QuoteState::Declined(DeclineReason::NoStock));
    assert_eq!(
        stage.actors[1].open[&id].answer.as_ref().unwrap().state,
        AnswerState::Expired
    );
    stage.put(1, laptop(38_000, 3));
    let quote = &stage.actors[0].mine[&id].quotes[0];
    assert_eq!(
        (quote.state, quote.quote.total.minor),
        (QuoteState::Standing, 38_500)
    );
    // Many at once, or none.
    let mut broken = laptop(1, 1);
    broken.tiers.clear();
    let many = Command::PutItems(vec![laptop(37_000, 1), broken]);
    let complaint = stage.tell(1, many).unwrap_err();
    assert_eq!(complaint.field.as_deref(), Some("tiers"));
    assert_eq!(stage.actors[1].stall.as_ref().unwrap().items.len(), 1);
    stage
        .tell(
            1,
            Command::PutItems(vec![laptop(37_000, 1), laptop(36_000, 1)]),
        )
        .unwrap();
    assert_eq!(stage.actors[1].stall.as_ref().unwrap().items.len(), 3);
    assert_eq!(
        stage.actors[0].mine[&id].quotes[0].quote.total.minor,
        36_500
    );
}

#[test]
fn who_wakes_only_at_deadlines_does_everything_at_the_same_second_as_who_never_sleeps() {
    let live = |pass: fn(&mut Stage, u64)| {
        let mut stage = Stage::new(&["buyer", "seller", "sleepy", "absent"]);
        stage.put(1, laptop(40_000, 1));
        stage.put(2, laptop(39_000, 9));
        stage.tell(1, rules("firm")).unwrap();
        stage.tell(2, rules("indicative")).unwrap();
        // Nobody is there to take the answers to this one.
        stage.publish(3, wants_laptop());
        stage.actors[3].online = false;
        pass(&mut stage, 70);
        let mut draft = wants_laptop();
        draft.open_for = Some(5_000);
        draft.quotes_for = Some(3_000);
        let id = stage.publish(0, draft);
        pass(&mut stage, 1_000);
        let quote = stage.actors[0].mine[&id].quotes[0].clone();
        let accept = Command::Accept {
            thread: quote.thread,
            total: quote.quote.total,
            note: None,
            escrow: None,
        };
        stage.tell(0, accept).unwrap();
        pass(&mut stage, 6_000);
        stage.log
    };
    let (jumped, counted) = (live(Stage::pass), live(Stage::pass_by_seconds));
    assert!(jumped.len() > 60, "{}", jumped.len());
    assert_eq!(jumped, counted);
}
