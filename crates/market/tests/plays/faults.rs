//! What goes wrong on the way: reloads, crashes, lost, doubled and reordered messages, absences.

use std::collections::BTreeMap;

use haggle_market::view::{AnswerState, IntentState, QuoteState, TradeState};
use haggle_market::{Command, Market, Setup};
use haggle_protocol::keys::SigningKey;

use crate::stage::*;

/// What has come of a play, as far as anybody on the stage can tell.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    intent: IntentState,
    quotes: Vec<(u64, QuoteState)>,
    trades: Vec<Vec<(TradeState, Option<String>)>>,
    reserved: Vec<u64>,
}

fn outcome(stage: &Stage) -> Outcome {
    let mine = stage.actors[0].mine.values().next().unwrap();
    let quotes = mine
        .quotes
        .iter()
        .map(|quote| (quote.quote.total.minor, quote.state));
    let trades = stage.actors.iter().map(|actor| {
        let trades = actor.trades.values();
        let known = |trade: &haggle_market::Trade| {
            (
                trade.state,
                trade.theirs.as_ref().map(|contact| contact.name.clone()),
            )
        };
        trades.map(known).collect()
    });
    let stalls = stage.actors[1..].iter().map(|actor| {
        let stall = actor.stall.as_ref().unwrap();
        stall.reserved.iter().map(|(_, micros)| micros).sum()
    });
    Outcome {
        intent: mine.state,
        quotes: quotes.collect(),
        trades: trades.collect(),
        reserved: stalls.collect(),
    }
}

/// One buyer, two sellers, the dearer and better one is taken, and confirms by hand.
fn play(stage: &mut Stage) -> Outcome {
    let mut finer = laptop(41_200, 2);
    finer.quality = haggle_protocol::quote::Quality::Finest;
    stage.put(1, laptop(40_000, 3));
    stage.put(2, finer);
    for (at, name) in [(0, "Ada"), (1, "Ben"), (2, "Cleo")] {
        stage.tell(at, Command::SetProfile(profile(name))).unwrap();
    }
    stage.tell(1, rules("firm")).unwrap();
    stage.tell(2, rules("indicative")).unwrap();
    let id = stage.publish(0, wants_laptop());
    stage.pass(200);
    let best = stage.actors[0].mine[&id].quotes[0].clone();
    let accept = Command::Accept {
        thread: best.thread,
        total: best.quote.total,
        note: None,
        escrow: None,
    };
    stage.tell(0, accept).unwrap();
    stage.pass(200);
    let confirm = Command::Confirm {
        thread: best.thread,
        payment: None,
        note: None,
    };
    stage.tell(2, confirm).unwrap();
    stage.pass(400);
    outcome(stage)
}

fn cast() -> Stage {
    Stage::new(&["buyer", "ben", "cleo"])
}

fn expected() -> Outcome {
    let met = |name: &str| vec![(TradeState::ContactsExchanged, Some(name.to_owned()))];
    Outcome {
        intent: IntentState::Awarded,
        quotes: vec![
            (41_700, QuoteState::Confirmed),
            (40_500, QuoteState::NotSelected),
        ],
        trades: vec![met("Cleo"), vec![], met("Ada")],
        reserved: vec![0, 1_000_000],
    }
}

#[test]
fn without_faults_the_play_ends_as_it_should() {
    assert_eq!(play(&mut cast()), expected());
}

#[test]
fn a_restart_after_every_single_step_changes_nothing() {
    let mut stage = cast();
    stage.restless = true;
    assert_eq!(play(&mut stage), expected());
}

#[test]
fn what_is_lost_the_first_time_on_either_way_is_brought_again_and_has_its_effect_once() {
    let mut stage = cast();
    let mut tried: BTreeMap<(bool, [u8; 32]), u32> = BTreeMap::new();
    stage.fate = Box::new(move |post| {
        let key = match post {
            Post::Cell { message, .. } => (false, message.0),
            Post::Answered { message, .. } => (true, message.0),
            Post::Frame { .. } | Post::Asked { .. } | Post::Piece { .. } | Post::Pay { .. } => {
                return Fate::Arrives;
            }
        };
        let times = tried.entry(key).or_default();
        *times += 1;
        if *times <= 2 {
            Fate::Lost
        } else {
            Fate::Arrives
        }
    });
    assert_eq!(play(&mut stage), expected());
}

#[test]
fn what_comes_twice_or_late_has_its_effect_once() {
    for offset in 0..3_u32 {
        let mut stage = cast();
        let mut count = offset;
        stage.fate = Box::new(move |_| {
            count = count.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match count >> 30 {
                0 => Fate::Twice,
                1 => Fate::Later,
                _ => Fate::Arrives,
            }
        });
        assert_eq!(play(&mut stage), expected(), "{offset}");
    }
}

#[test]
fn everybody_reloads_between_quote_and_acceptance_and_goes_on() {
    // In every order, since each order has another one who knows nothing of the others' new ways.
    for order in [[0, 1, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut stage = cast();
        stage.put(1, laptop(40_000, 3));
        stage.put(2, laptop(41_200, 2));
        for at in [1, 2] {
            stage.tell(at, rules("indicative")).unwrap();
        }
        let id = stage.publish(0, wants_laptop());
        let thread = stage.actors[0].mine[&id].quotes[0].thread;
        let total = stage.actors[0].mine[&id].quotes[0].quote.total;
        // All are away at once, so that no old way leads anywhere.
        for at in order {
            stage.actors[at].online = false;
        }
        for at in order {
            stage.actors[at].online = true;
            stage.reload(at);
            stage.settle();
        }
        stage
            .tell(
                0,
                Command::Accept {
                    thread,
                    total,
                    note: None,
                    escrow: None,
                },
            )
            .unwrap();
        stage.pass(5);
        assert_eq!(
            stage.actors[1].trade().state,
            TradeState::Ordered,
            "{order:?}"
        );
        for at in order {
            stage.reload(at);
            stage.settle();
        }
        stage
            .tell(
                1,
                Command::Confirm {
                    thread,
                    payment: None,
                    note: None,
                },
            )
            .unwrap();
        stage.pass(5);
        assert_eq!(
            stage.actors[0].trade().state,
            TradeState::Confirmed,
            "{order:?}"
        );
        // The intent is closed by now; its owner can still be found for its trade.
        for at in order {
            stage.actors[at].online = false;
        }
        for at in order {
            stage.actors[at].online = true;
            stage.reload(at);
            stage.settle();
        }
        for (at, name) in [(0, "Ada"), (1, "Ben")] {
            let command = Command::SendContact {
                thread,
                profile: profile(name),
            };
            stage.tell(at, command).unwrap();
        }
        stage.pass(5);
        for at in [0, 1] {
            assert_eq!(
                stage.actors[at].trade().state,
                TradeState::ContactsExchanged
            );
        }
    }
}

#[test]
fn a_buyer_who_is_away_gets_the_quote_when_he_is_back_under_another_address() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.put(1, laptop(40_000, 3));
    let id = stage.publish(0, wants_laptop());
    stage.actors[0].online = false;
    stage.tell(1, rules("indicative")).unwrap();
    stage.pass(30);
    assert_eq!(
        stage.actors[1].open[&id].answer.as_ref().unwrap().state,
        AnswerState::Sending
    );
    stage.actors[0].online = true;
    stage.reload(0);
    stage.settle();
    assert_eq!(stage.actors[0].mine[&id].quotes.len(), 1);
    assert_eq!(
        stage.actors[1].open[&id].answer.as_ref().unwrap().state,
        AnswerState::Delivered
    );
}

#[test]
fn a_record_that_cannot_be_read_stops_the_start_and_is_named() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.put(1, laptop(40_000, 3));
    stage.tell(1, rules("indicative")).unwrap();
    stage.publish(0, wants_laptop());
    let saved = stage.actors[1].saved.clone();
    assert_eq!(
        stage.actors[1].kinds().into_iter().collect::<Vec<_>>(),
        ["item", "rules", "seed", "thread"]
    );
    let start = |saved: &BTreeMap<String, Vec<u8>>| {
        let setup = Setup {
            network: network(),
            dice: [3; 32],
            peer: SigningKey::from_seed(&[3; 32]),
            sealer: std::sync::Arc::clone(&stage.sealer),
            book: haggle_book::Limits::peer(),
            rails: Vec::new(),
        };
        Market::restore(saved.clone().into_iter().collect(), setup, stage.now).map(|_| ())
    };
    assert_eq!(start(&saved), Ok(()));
    for key in saved.keys() {
        for bytes in [
            &b""[..],
            b"{}",
            b"{\"version\":9,\"content\":{}}",
            b"\xff\xfe",
        ] {
            let mut broken = saved.clone();
            broken.insert(key.clone(), bytes.to_vec());
            assert_eq!(&start(&broken).unwrap_err().key, key);
        }
    }
    let mut more = saved;
    more.insert("relays".into(), b"not ours".to_vec());
    assert_eq!(start(&more), Ok(()));
    // An intent of another phrase is not silently adopted.
    let mut foreign = stage.actors[0].saved.clone();
    foreign.remove("seed");
    let damaged = start(&foreign).unwrap_err();
    assert!(damaged.key.starts_with("intent/"), "{damaged}");
}

#[test]
fn a_seller_whose_new_address_never_arrived_is_found_when_the_buyer_is_back() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.put(1, laptop(40_000, 3));
    let id = stage.publish(0, wants_laptop());
    let quote = serde_json::from_value(serde_json::json!({
        "intent": id, "asset": "EUR",
        "lines": [{"description": "Laptop", "quantity": {"n": 1, "scale": 0, "unit": "C62"},
            "unit_price": 40_000, "amount": 0, "attributes": []}],
        "validFor": 5 * 60 * 60, "leadTime": 3_600, "delivery": "shipping", "quality": "good",
    }));
    stage
        .tell(1, Command::Quote(Box::new(quote.unwrap())))
        .unwrap();
    stage.actors[0].online = false;
    stage.reload(1);
    // Longer than it is tried to tell him.
    stage.pass(2 * 60 * 60);
    stage.actors[0].online = true;
    stage.reload(0);
    stage.pass(5);
    let quote = stage.actors[0].mine[&id].quotes[0].clone();
    let accept = Command::Accept {
        thread: quote.thread,
        total: quote.quote.total,
        note: None,
        escrow: None,
    };
    stage.tell(0, accept).unwrap();
    assert_eq!(stage.actors[1].trade().state, TradeState::Ordered);
}

#[test]
fn both_know_that_all_is_said_even_if_the_last_word_was_lost_and_both_were_away() {
    // Whose last acknowledgement is lost.
    for deaf in [0, 1] {
        let mut stage = Stage::new(&["buyer", "seller"]);
        stage.put(1, laptop(40_000, 3));
        stage.tell(1, rules("indicative")).unwrap();
        for (at, name) in [(0, "Ada"), (1, "Ben")] {
            stage.tell(at, Command::SetProfile(profile(name))).unwrap();
        }
        let id = stage.publish(0, wants_laptop());
        let quote = stage.actors[0].mine[&id].quotes[0].clone();
        let thread = quote.thread;
        let accept = Command::Accept {
            thread,
            total: quote.quote.total,
            note: None,
            escrow: None,
        };
        stage.tell(0, accept).unwrap();
        stage.fate = Box::new(move |post| match post {
            Post::Answered { to, .. } if *to == deaf => Fate::Lost,
            Post::Answered { .. }
            | Post::Cell { .. }
            | Post::Frame { .. }
            | Post::Asked { .. }
            | Post::Piece { .. }
            | Post::Pay { .. } => Fate::Arrives,
        });
        stage
            .tell(
                1,
                Command::Confirm {
                    thread,
                    payment: None,
                    note: None,
                },
            )
            .unwrap();
        assert_eq!(stage.actors[deaf].trade().state, TradeState::Confirmed);
        assert_eq!(
            stage.actors[1 - deaf].trade().state,
            TradeState::ContactsExchanged
        );
        stage.fate = Box::new(|_| Fate::Arrives);
        for at in [0, 1] {
            stage.actors[at].online = false;
        }
        stage.now = stage.now + 3 * 60 * 60;
        for at in [1, 0] {
            stage.actors[at].online = true;
            stage.reload(at);
        }
        stage.pass(120);
        assert_eq!(
            stage.actors[deaf].trade().state,
            TradeState::ContactsExchanged,
            "{deaf}"
        );
    }
}

#[test]
fn a_contact_that_overtakes_a_confirmation_which_comes_late_is_kept() {
    let (mut stage, thread) = crate::steps::ordered();
    stage.fate = Box::new(|post| match post {
        Post::Cell { .. } => Fate::Lost,
        Post::Answered { .. }
        | Post::Frame { .. }
        | Post::Asked { .. }
        | Post::Piece { .. }
        | Post::Pay { .. } => Fate::Arrives,
    });
    stage.tell(1, crate::steps::confirm(thread)).unwrap();
    // The buyer no longer waits, and has not asked anybody else.
    stage.pass(30 * 60);
    assert_eq!(stage.actors[0].trade().state, TradeState::NotConfirmed);
    let mut first = true;
    stage.fate = Box::new(move |post| match post {
        // Of the two that the seller sends again, the confirmation is the first.
        Post::Cell { from: 1, .. } if core::mem::take(&mut first) => Fate::Lost,
        Post::Cell { .. }
        | Post::Answered { .. }
        | Post::Frame { .. }
        | Post::Asked { .. }
        | Post::Piece { .. }
        | Post::Pay { .. } => Fate::Arrives,
    });
    stage.pass(10 * 60);
    for who in [0, 1] {
        let trade = stage.actors[who].trade();
        assert_eq!(trade.state, TradeState::ContactsExchanged, "{who}");
    }
}
