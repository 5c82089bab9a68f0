//! Coming back: with a backup the trade goes on, with the phrase alone one's requests and reputation are there again.

use std::collections::BTreeMap;

use haggle_market::Command;
use haggle_market::record;
use haggle_market::view::{IntentState, TradeState};
use haggle_protocol::phrase::Phrase;

use crate::stage::*;
use crate::steps::{confirm, ordered, to_the_receipt};

const BUYER: usize = 0;
const SELLER: usize = 1;

fn phrase(stage: &Stage, who: usize) -> Phrase {
    stage.actors[who].market.phrase().unwrap()
}

fn records_of(phrase: &Phrase) -> BTreeMap<String, Vec<u8>> {
    let records = record::of_phrase(phrase).into_iter();
    records
        .filter_map(|record| Some((record.key, record.value?)))
        .collect()
}

#[test]
fn a_trade_goes_on_to_its_receipt_from_the_backup_of_either_side() {
    for lost in [BUYER, SELLER] {
        let (mut stage, thread) = ordered();
        stage.tell(SELLER, confirm(thread)).unwrap();
        let backup = stage.actors[lost].saved.clone();
        stage.pass(3_600);
        stage.come_back(lost, backup);
        assert_eq!(stage.actors[lost].trade().thread, thread);
        to_the_receipt(&mut stage, thread, 120);
        for who in [BUYER, SELLER] {
            assert_eq!(stage.actors[who].trade().state, TradeState::Received);
            assert!(stage.actors[who].refused.is_empty(), "{lost} {who}");
        }
    }
}

#[test]
fn a_backup_older_than_the_last_word_convicts_nobody_of_saying_two_things() {
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    let backup = stage.actors[BUYER].saved.clone();
    let say = |text: &str| crate::steps::say(thread, text);
    stage.tell(BUYER, say("Is Friday fine?")).unwrap();
    stage.come_back(BUYER, backup);
    stage.tell(BUYER, say("Is Monday fine?")).unwrap();
    stage.pass(120);
    let heard = stage.actors[SELLER].chats[&thread].lines.iter();
    let heard: Vec<&str> = heard.map(|line| line.text.as_str()).collect();
    assert_eq!(heard, ["Is Friday fine?", "Is Monday fine?"]);
    assert!(stage.actors[SELLER].refused.is_empty());
}

#[test]
fn a_backup_counts_anew_only_once() {
    let (mut stage, _) = ordered();
    let backup = stage.actors[BUYER].saved.clone();
    stage.come_back(BUYER, backup);
    assert!(!stage.actors[BUYER].saved.contains_key("restored"));
}

#[test]
fn the_phrase_alone_brings_back_a_request_which_is_then_quoted_under_a_new_seal() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    let id = stage.publish(BUYER, wants_laptop());
    let words = phrase(&stage, BUYER);
    let before = stage.actors[BUYER]
        .market
        .book()
        .open(&id)
        .unwrap()
        .intent
        .seal
        .clone();
    stage.pass(300);
    stage.come_back(BUYER, records_of(&words));
    let mine = &stage.actors[BUYER].mine[&id];
    assert_eq!(mine.state, IntentState::Open);
    assert_eq!(mine.intent.title, "A laptop with 16 GB");
    let after = stage.actors[SELLER]
        .market
        .book()
        .open(&id)
        .unwrap()
        .intent
        .seal
        .clone();
    assert_ne!(
        before, after,
        "what was sealed to the lost key stays closed"
    );
    // A seller who comes now reaches the new device, and the trade is an ordinary one.
    stage.put(SELLER, laptop(40_000, 3));
    stage.tell(SELLER, rules("firm")).unwrap();
    stage.pass(60);
    stage.accept(BUYER, id);
    assert_eq!(stage.actors[SELLER].trade().state, TradeState::Confirmed);
}

#[test]
fn a_request_can_be_withdrawn_by_whoever_has_the_phrase_even_within_the_minute_of_its_last_word() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    let id = stage.publish(BUYER, wants_laptop());
    let words = phrase(&stage, BUYER);
    stage.come_back(BUYER, records_of(&words));
    stage.tell(BUYER, Command::Withdraw { intent: id }).unwrap();
    assert!(stage.actors[SELLER].market.book().open(&id).is_none());
}

#[test]
fn nobody_elses_request_is_taken_for_ones_own() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    let id = stage.publish(BUYER, wants_laptop());
    let words = phrase(&stage, SELLER);
    stage.come_back(SELLER, records_of(&words));
    assert!(stage.actors[SELLER].mine.is_empty());
    assert!(stage.actors[SELLER].open.contains_key(&id));
}

#[test]
fn the_phrase_brings_back_the_same_trader() {
    let (mut stage, _) = ordered();
    let words = phrase(&stage, BUYER);
    stage.come_back(BUYER, records_of(&words));
    assert_eq!(phrase(&stage, BUYER), words);
    assert!(
        stage.actors[BUYER].trades.is_empty(),
        "trades are in the file, not in the words"
    );
}

/// The same records as a version wrote them that knew less: of threads and items without what came later.
fn as_before(saved: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let mut older = saved.clone();
    for (name, value) in &mut older {
        let mut sheet: serde_json::Value = serde_json::from_slice(value).unwrap();
        let later: &[&str] = match name.split('/').next() {
            Some("thread") => &["sealed_reach", "told", "cancelled", "conceded", "chat"],
            Some("item") => &["sku", "note", "auto"],
            Some("rules") => &["concession", "perDay", "minTrust"],
            Some(_) | None => &[],
        };
        if let Some(content) = sheet["content"].as_object_mut() {
            for field in later {
                content.remove(*field);
            }
        }
        *value = serde_json::to_vec(&sheet).unwrap();
    }
    older
}

#[test]
fn what_an_older_version_saved_is_read_and_its_trade_goes_on_to_the_receipt() {
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    for who in [BUYER, SELLER] {
        let older = as_before(&stage.actors[who].saved);
        assert_ne!(older, stage.actors[who].saved);
        stage.actors[who].saved = older;
        stage.reload(who);
    }
    stage.pass(60);
    to_the_receipt(&mut stage, thread, 120);
    for who in [BUYER, SELLER] {
        assert_eq!(stage.actors[who].trade().state, TradeState::Received);
    }
}
