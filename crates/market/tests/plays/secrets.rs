//! What must not be seen: secrets in logs, one seller's quote at another, who won.

use std::sync::Arc;

use haggle_market::{Command, Effect, Heard, Input, Ticket};
use haggle_protocol::Refusal;
use haggle_protocol::SealPublic;
use haggle_protocol::keys::SealSecret;
use haggle_protocol::seal::{Hpke, Sealer};
use haggle_protocol::trade::DeclineReason;

use crate::stage::*;

/// A total that is found wherever it is printed.
const MARKED: u64 = 7_654_321;

#[test]
fn no_key_no_price_and_no_address_stands_in_anything_that_is_printed() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    let mut item = laptop(MARKED - 500, 3);
    item.deliveries[0].fee = 500;
    let mut draft = wants_laptop();
    draft.limit = Some(haggle_protocol::Money::new(MARKED + 1, eur()));
    let mut printed = String::new();
    let mut effects_of = |stage: &mut Stage, at: usize, input: Input| {
        printed.push_str(&format!("{input:?}\n"));
        let now = stage.now;
        let effects = stage.actors[at].market.handle(input, now);
        printed.push_str(&format!("{effects:?}\n{:?}\n", stage.actors[at].market));
        effects
    };
    for (at, command) in [
        (1, Command::PutItem(Box::new(item))),
        (1, rules("firm")),
        (1, Command::SetProfile(profile("Cleo"))),
        (0, Command::SetProfile(profile("Ada"))),
        (0, Command::Publish(Box::new(draft))),
        (1, Command::Snapshot),
    ] {
        effects_of(&mut stage, at, Input::Command(Ticket(1), command));
    }
    // Everything that either side writes, until the trade is made.
    let mut records = Vec::new();
    let mut stage2 = Stage::new(&["buyer", "seller"]);
    stage2.put(1, laptop(MARKED - 500, 3));
    stage2.tell(1, rules("firm")).unwrap();
    let id = stage2.publish(0, wants_laptop());
    let quote = stage2.actors[0].mine[&id].quotes[0].clone();
    let accept = Command::Accept {
        thread: quote.thread,
        total: quote.quote.total,
        note: None,
        escrow: None,
    };
    let effects = effects_of(&mut stage2, 0, Input::Command(Ticket(2), accept));
    for effect in effects {
        match effect {
            Effect::Save(saved) => records.extend(saved),
            Effect::Whisper { cell, .. } => {
                let heard = Heard::Cell {
                    bytes: cell,
                    ticket: Ticket(3),
                };
                effects_of(&mut stage2, 1, Input::Heard(heard));
            }
            Effect::Verdict(_)
            | Effect::Fetch { .. }
            | Effect::Pay { .. }
            | Effect::Broadcast(_)
            | Effect::Answer(..)
            | Effect::Reply(..)
            | Effect::Tell(_) => {}
        }
    }
    for actor in &stage2.actors {
        printed.push_str(&format!(
            "{:?}{:?}{:?}",
            actor.events, actor.mine, actor.trades
        ));
    }
    printed.push_str(&format!("{records:?}"));
    let saved: Vec<String> = stage2
        .actors
        .iter()
        .flat_map(|actor| actor.saved.values())
        .map(|value| String::from_utf8(value.clone()).unwrap())
        .collect();
    // The control: what is saved does hold them, so the search below would find them.
    assert!(saved.iter().any(|text| text.contains(&MARKED.to_string())));
    assert!(!printed.contains(&MARKED.to_string()), "a price is printed");
    assert!(
        !printed.contains("Long Street") && !printed.contains("123456"),
        "an address is printed"
    );
    let mut secrets = 0;
    for text in &saved {
        for name in [
            "\"entropy\":\"",
            "\"secret\":\"",
            "\"key\":\"",
            "\"seal\":\"",
        ] {
            for (at, _) in text.match_indices(name) {
                let secret = &text[at + name.len()..][..32];
                if name != "\"key\":\"" || text.contains("\"intent_seal\"") {
                    secrets += 1;
                    assert!(!printed.contains(&secret[..12]), "{name} is printed");
                }
            }
        }
    }
    assert!(
        secrets >= 6,
        "the search found only {secrets} secrets to look for"
    );
}

/// What one seller gets to see of a market in which another one wins, and of one in which nobody does.
fn loser_sees(won: bool) -> (Vec<usize>, Vec<String>) {
    let mut stage = Stage::new(&["buyer", "loser", "winner"]);
    stage.put(1, laptop(50_000, 3));
    stage.tell(1, rules("indicative")).unwrap();
    let id = if won {
        stage.put(2, laptop(40_000, 3));
        stage.tell(2, rules("firm")).unwrap();
        let id = stage.publish(0, wants_laptop());
        let best = stage.actors[0].mine[&id].quotes[0].clone();
        let accept = Command::Accept {
            thread: best.thread,
            total: best.quote.total,
            note: None,
            escrow: None,
        };
        stage.tell(0, accept).unwrap();
        assert_eq!(stage.actors[2].trades.len(), 1);
        id
    } else {
        let id = stage.publish(0, wants_laptop());
        stage.tell(0, Command::Withdraw { intent: id }).unwrap();
        id
    };
    stage.pass(60);
    assert!(stage.actors[1].trades.is_empty());
    assert!(!stage.actors[1].open.contains_key(&id));
    let loser = &stage.actors[1];
    let sizes = loser.received.iter().map(Vec::len).collect();
    let told = loser.events.iter().map(|event| format!("{event:?}"));
    let names = told.map(|event| event.split('(').next().unwrap_or_default().to_owned());
    (sizes, names.collect())
}

#[test]
fn who_lost_sees_the_same_as_who_answered_an_intent_that_was_withdrawn() {
    assert_eq!(loser_sees(true), loser_sees(false));
}

/// No sealing at all: the control that shows what sealing hides.
#[derive(Debug)]
struct Glass;

impl Sealer for Glass {
    fn seal(
        &self,
        _: &SealPublic,
        _: &[u8],
        _: &[u8],
        plain: &[u8],
        _: &mut dyn rand_core::CryptoRng,
    ) -> Result<([u8; 32], Vec<u8>), Refusal> {
        let mut sealed = plain.to_vec();
        sealed.extend_from_slice(&[0; 16]);
        Ok(([0; 32], sealed))
    }

    fn open(
        &self,
        _: &SealSecret,
        _: &[u8; 32],
        _: &[u8],
        _: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        Ok(sealed[..sealed.len() - 16].to_vec())
    }
}

fn note_is_readable(sealer: Arc<dyn Sealer>) -> bool {
    let mut stage = Stage::seeded(&["buyer", "seller"], 0, sealer);
    let mut item = laptop(40_000, 3);
    item.note = Some("marker-of-the-note".into());
    stage.put(1, item);
    stage.tell(1, rules("indicative")).unwrap();
    let id = stage.publish(0, wants_laptop());
    assert_eq!(stage.actors[0].mine[&id].quotes.len(), 1);
    stage.actors[0].received_any(b"marker-of-the-note")
}

#[test]
fn nothing_of_a_quote_can_be_read_on_its_way_and_the_search_would_find_it() {
    assert!(!note_is_readable(Arc::new(Hpke)));
    assert!(note_is_readable(Arc::new(Glass)));
}

#[test]
fn a_seller_who_cannot_fulfil_stays_silent() {
    type Bend = fn(&mut haggle_market::Item, &mut haggle_market::Draft);
    let table: Vec<(&str, Bend)> = vec![
        ("another category", |item, _| item.category.0 = 200_101),
        ("a wider category", |item, draft| {
            item.category.0 = 100_200;
            draft.category.0 = 100_201;
        }),
        ("no category asked", |_, draft| draft.category.0 = 0),
        ("nothing left", |item, _| {
            item.stock = Some(haggle_protocol::Quantity::pieces(0))
        }),
        ("not enough left", |_, draft| draft.quantity.n = 4),
        ("another unit", |item, _| {
            item.unit = haggle_protocol::Unit::new("KGM").unwrap();
            item.stock = None;
            item.tiers[0].from.unit = item.unit;
        }),
        ("another currency", |item, _| {
            item.asset = haggle_protocol::Asset::new("USD").unwrap()
        }),
        ("above the budget", |_, draft| {
            draft.budget =
                haggle_protocol::intent::Budget::Public(haggle_protocol::Money::new(40_499, eur()));
        }),
        ("another way of delivery", |_, draft| {
            draft.deliveries = vec![haggle_protocol::intent::Delivery::Pickup];
        }),
        ("another area", |item, draft| {
            let place = |geohash: &str| haggle_protocol::place::Place {
                geohash: geohash.into(),
                radius_m: 0,
            };
            item.deliveries[0].area = vec![place("u33")];
            draft.places = vec![place("u2e")];
        }),
        ("too late", |_, draft| {
            let window = haggle_protocol::intent::Window {
                from: START,
                to: START + 172_799,
            };
            draft.window = Some(window);
        }),
        ("a property that fails", |item, _| {
            item.attributes = serde_json::from_value(serde_json::json!([
                {"key": "ram", "value": {"measure": {"n": 8, "scale": 0, "unit": "E34"}}}
            ]))
            .unwrap()
        }),
        ("a property that is not stated", |item, _| {
            item.attributes.clear()
        }),
        ("less than is sold at once", |item, _| {
            item.tiers[0].from.n = 2
        }),
    ];
    for (name, bend) in table {
        let mut stage = Stage::new(&["buyer", "seller"]);
        let (mut item, mut draft) = (laptop(40_000, 3), wants_laptop());
        bend(&mut item, &mut draft);
        stage.put(1, item);
        stage.tell(1, rules("firm")).unwrap();
        let id = stage.publish(0, draft);
        stage.pass(120);
        assert!(
            stage.actors[0].mine[&id].quotes.is_empty(),
            "{name}: a quote"
        );
        assert!(
            stage.actors[1].open[&id]
                .matches
                .iter()
                .all(|found| !found.complete),
            "{name}"
        );
        // The twin that can.
        stage.put(1, laptop(39_000, 3));
        let id = stage.publish(0, wants_laptop());
        assert_eq!(
            stage.actors[0].mine[&id].quotes.len(),
            1,
            "{name}: the twin is silent"
        );
    }
}

#[test]
fn a_dismissed_intent_is_declined_or_left_in_silence_as_its_reader_likes() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.put(1, laptop(40_000, 3));
    let id = stage.publish(0, wants_laptop());
    let dismiss = |reason| Command::Dismiss { intent: id, reason };
    stage.tell(1, dismiss(None)).unwrap();
    assert!(stage.actors[0].received.is_empty());
    stage.tell(1, dismiss(Some(DeclineReason::Busy))).unwrap();
    assert_eq!(stage.actors[0].received.len(), 1);
    assert!(stage.actors[0].mine[&id].quotes.is_empty());
}
