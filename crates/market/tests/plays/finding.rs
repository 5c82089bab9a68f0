//! Two sides of a trade who have lost each other find each other again, and nobody else learns that there is a trade.

use std::cell::RefCell;
use std::rc::Rc;

use haggle_market::command::Draft;
use haggle_market::view::{FileState, TradeState, TradeStep};
use haggle_market::{Command, Heard, Input};
use haggle_protocol::keys::SigningKey;
use haggle_protocol::limits::POW_FLOOR;
use haggle_protocol::reach::Circuit;
use haggle_protocol::seal::Direction;
use haggle_protocol::sealed_reach::{self, ReachSecret};
use haggle_protocol::trade::DeclineReason;
use haggle_protocol::{Frame, Kind, PublicKey, ThreadId};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use crate::stage::*;
use crate::steps::{confirm, ordered, to_the_receipt};

const BUYER: usize = 0;
const SELLER: usize = 1;
const DAY: u64 = 24 * 60 * 60;

/// Everything that was said out loud since then, by kind.
fn said_since(stage: &Stage, since: usize) -> Vec<Kind> {
    let said = stage.air[since..].iter();
    said.map(|bytes| Kind::from_wire(bytes[1])).collect()
}

/// Neither is there, and when they come again neither is where he was.
fn both_away(stage: &mut Stage, seconds: u64) {
    for who in [BUYER, SELLER] {
        stage.actors[who].online = false;
    }
    stage.pass(seconds);
    for who in [BUYER, SELLER] {
        stage.actors[who].online = true;
        stage.reload(who);
    }
}

fn say(stage: &mut Stage, who: usize, text: &str) {
    let thread = stage.actors[who].trade().thread;
    stage.tell(who, crate::steps::say(thread, text)).unwrap();
}

fn heard(stage: &Stage, who: usize, text: &str) -> bool {
    let chats = stage.actors[who].chats.values();
    let mut lines = chats.flat_map(|chat| &chat.lines);
    lines.any(|line| line.text == text)
}

#[test]
fn both_sides_of_a_trade_who_moved_at_once_find_each_other_days_after_the_request_is_over() {
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    both_away(&mut stage, 2 * DAY);
    stage.pass(60);
    to_the_receipt(&mut stage, thread, 60);
    for who in [BUYER, SELLER] {
        assert_eq!(stage.actors[who].trade().state, TradeState::Received);
    }
}

#[test]
fn a_seller_whose_confirmation_met_nobody_learns_that_it_is_too_late_though_both_have_moved() {
    let (mut stage, thread) = ordered();
    stage.actors[BUYER].online = false;
    stage.tell(SELLER, confirm(thread)).unwrap();
    // Long enough for the order, and then for its request, to be over.
    both_away(&mut stage, 2 * DAY);
    stage.pass(10 * 60);
    for who in [BUYER, SELLER] {
        assert_eq!(stage.actors[who].trade().state, TradeState::NotConfirmed);
    }
}

#[test]
fn an_order_that_waits_does_not_keep_saying_where_its_buyer_is_once_his_request_is_over() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.put(SELLER, laptop(40_000, 3));
    stage.tell(SELLER, rules("indicative")).unwrap();
    let draft = Draft {
        open_for: Some(10 * 60),
        ..wants_laptop()
    };
    let id = stage.publish(BUYER, draft);
    stage.pass(8 * 60);
    stage.accept(BUYER, id);
    stage.pass(3 * 60);
    assert_eq!(stage.actors[BUYER].trade().state, TradeState::Ordered);
    let since = stage.air.len();
    stage.reload(BUYER);
    stage.pass(60);
    assert_eq!(said_since(&stage, since), []);
}

#[test]
fn nobody_is_looked_for_who_has_ordered_and_is_gone_and_is_owed_nothing() {
    let (mut stage, thread) = ordered();
    stage.actors[BUYER].online = false;
    let since = stage.air.len();
    let decline = Command::Refuse {
        thread,
        reason: DeclineReason::NoStock,
    };
    stage.tell(SELLER, decline).unwrap();
    stage.pass(2 * 60 * 60);
    stage.reload(SELLER);
    stage.pass(2 * 60 * 60);
    assert_eq!(said_since(&stage, since), []);
}

/// What the seller of an order could say to find its buyer, from another place, by the secret that came with the order.
fn sellers_frame(stage: &Stage, thread: ThreadId) -> Vec<u8> {
    let kept = &stage.actors[SELLER].saved[&format!("thread/{thread}")];
    let kept: serde_json::Value = serde_json::from_slice(kept).unwrap();
    let secret = kept["content"]["sealed_reach"]["secret"].clone();
    // As hex as a key is.
    let PublicKey(secret) = serde_json::from_value(secret).unwrap();
    let secret = ReachSecret::from_bytes(secret);
    let mut dice = ChaCha20Rng::from_seed([9; 32]);
    let peer = SigningKey::random(&mut dice);
    let ways = [Circuit {
        peer: peer.public(),
        ..stage.way(SELLER)
    }];
    let side = secret.towards(network(), Direction::ToBuyer);
    let frame = side.seal(&ways, &peer, stage.now, POW_FLOOR, 0, &mut dice);
    frame.unwrap().bytes().to_vec()
}

#[test]
fn a_buyer_says_where_he_is_to_whom_he_has_ordered_from_and_no_more_once_that_one_refused_him() {
    for refused in [false, true] {
        let (mut stage, thread) = ordered();
        if refused {
            let reason = DeclineReason::NoStock;
            let refuse = Command::Refuse { thread, reason };
            stage.tell(SELLER, refuse).unwrap();
        }
        stage.pass(2 * DAY);
        stage.reload(BUYER);
        stage.pass(60);
        let bytes = sellers_frame(&stage, thread);
        let source = haggle_book::Source::Peer(PublicKey([5; 32]));
        let before = stage.log.len();
        let frame = Heard::Frame { bytes, source };
        stage.input(BUYER, Input::Heard(frame));
        stage.settle();
        let mut since = stage.log[before..].iter();
        let answers = since.any(|(_, who, what)| *who == BUYER && *what == "whisper");
        assert_eq!(answers, !refused, "refused: {refused}");
    }
}

#[test]
fn whoever_asks_weeks_after_the_receipt_is_heard_though_both_have_moved() {
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    to_the_receipt(&mut stage, thread, 0);
    for (who, text) in [(BUYER, "The hinge is loose."), (SELLER, "Has it held?")] {
        let since = stage.air.len();
        both_away(&mut stage, 20 * DAY);
        stage.pass(60);
        assert_eq!(
            said_since(&stage, since),
            [],
            "nothing waits, so nobody looks for anybody"
        );
        say(&mut stage, who, text);
        stage.pass(60);
        assert!(heard(&stage, 1 - who, text), "{text}");
    }
}

#[test]
fn who_answers_a_straggler_has_told_nobody_where_he_is_and_is_found_all_the_same() {
    let (mut stage, thread) = ordered();
    let confirmation = Rc::new(RefCell::new(None));
    let kept = Rc::clone(&confirmation);
    stage.fate = Box::new(move |post| {
        if let Post::Cell { from: SELLER, .. } = post {
            kept.borrow_mut().get_or_insert_with(|| post.clone());
        }
        let asked = matches!(post, Post::Asked { .. });
        if asked {
            Fate::Forgotten
        } else {
            Fate::Arrives
        }
    });
    stage.tell(SELLER, confirm(thread)).unwrap();
    for (who, step, files) in [
        (BUYER, TradeStep::Paid, vec![]),
        (SELLER, TradeStep::Dispatched, vec![]),
        (
            BUYER,
            TradeStep::Received,
            vec![crate::files::file("box.jpg", "image/jpeg", 300)],
        ),
    ] {
        let report = Command::Report {
            thread,
            step,
            note: None,
            files,
            code: None,
        };
        stage.tell(who, report).unwrap();
        stage.pass(60);
    }
    let kept = confirmation.borrow_mut().take();
    // The seller has heard of a photo that came with the receipt, and nothing of it has come before its giver moved.
    let photo = crate::files::goods(&stage, SELLER);
    assert_eq!(photo[0].state, FileState::Coming);
    stage.pass(60 * 60);
    stage.reload(BUYER);
    stage.fate = Box::new(|_| Fate::Arrives);
    // His confirmation comes once more, late. What is said to it, he no longer waits for.
    let Some(Post::Cell {
        from,
        message,
        bytes,
        ..
    }) = kept
    else {
        panic!("the confirmation was not sent");
    };
    let to = Some(BUYER);
    stage.deliver(Post::Cell {
        from,
        to,
        message,
        bytes,
    });
    stage.settle();
    stage.pass(60 * 60);
    let photo = crate::files::goods(&stage, SELLER);
    assert_eq!(photo[0].state, FileState::Here);
}

#[test]
fn a_trade_whose_sides_reach_each_other_says_nothing_out_loud_after_its_confirmation() {
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    stage.pass(60);
    let since = stage.air.len();
    for who in [BUYER, SELLER, BUYER] {
        stage.reload(who);
        stage.pass(2 * 60 * 60);
        say(&mut stage, who, "Still there?");
    }
    assert_eq!(said_since(&stage, since), []);
}

#[test]
fn a_request_that_led_to_a_trade_ends_like_one_that_was_withdrawn() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.put(SELLER, laptop(40_000, 3));
    stage.tell(SELLER, rules("firm")).unwrap();
    let after = |stage: &mut Stage, end: &dyn Fn(&mut Stage)| {
        let since = stage.air.len();
        end(stage);
        stage.pass(60 * 60);
        stage.reload(BUYER);
        stage.pass(60 * 60);
        said_since(stage, since)
    };
    let withdrawn = stage.publish(BUYER, wants_laptop());
    let withdrawn = after(&mut stage, &|stage| {
        let withdraw = Command::Withdraw { intent: withdrawn };
        stage.tell(BUYER, withdraw).unwrap();
    });
    let traded = stage.publish(BUYER, wants_laptop());
    let traded = after(&mut stage, &|stage| stage.accept(BUYER, traded));
    assert_eq!(stage.actors[BUYER].trade().state, TradeState::Confirmed);
    assert_eq!(withdrawn, [Kind::IntentClose]);
    assert_eq!(traded, withdrawn);
}

#[test]
fn who_looks_for_the_other_side_says_so_at_most_once_a_minute_and_again_before_it_ends() {
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    stage.actors[SELLER].online = false;
    stage.pass(60);
    let since = stage.air.len();
    say(&mut stage, BUYER, "Are you there?");
    for _ in 0..6 {
        stage.reload(BUYER);
        stage.pass(10);
    }
    let frames: Vec<Frame> = stage.air[since..]
        .iter()
        .map(|bytes| Frame::open(bytes, network(), stage.now).unwrap())
        .collect();
    let minutes = frames.iter().map(|frame| frame.header().created);
    let mut minutes: Vec<_> = minutes.collect();
    let all = minutes.len();
    minutes.dedup();
    assert!(all > 0 && minutes.len() == all, "{minutes:?}");
    assert!(
        frames
            .iter()
            .all(|frame| frame.header().kind == sealed_reach::KIND)
    );
    // Whoever comes at any time within the next days hears one that still holds.
    for _ in 0..8 {
        stage.pass(8 * 60 * 60);
        let held = stage
            .air
            .iter()
            .any(|bytes| Frame::open(bytes, network(), stage.now).is_ok());
        assert!(held, "nothing holds at {}", stage.now);
    }
    // And when nothing waits any more, it is said no more.
    let since = stage.air.len();
    stage.actors[SELLER].online = true;
    stage.reload(SELLER);
    stage.pass(3 * 60 * 60);
    assert!(heard(&stage, SELLER, "Are you there?"));
    assert!(said_since(&stage, since).len() <= 1);
}

#[test]
fn a_side_that_comes_back_from_its_backup_is_found_by_one_that_moved_meanwhile() {
    for lost in [BUYER, SELLER] {
        let (mut stage, thread) = ordered();
        stage.tell(SELLER, confirm(thread)).unwrap();
        let backup = stage.actors[lost].saved.clone();
        stage.pass(60);
        stage.actors[lost].online = false;
        stage.reload(1 - lost);
        stage.pass(DAY);
        stage.actors[lost].online = true;
        stage.come_back(lost, backup);
        stage.pass(120);
        say(&mut stage, lost, "I am on another machine now.");
        stage.pass(60);
        assert!(
            heard(&stage, 1 - lost, "I am on another machine now."),
            "{lost}"
        );
    }
}

#[test]
fn a_stranger_who_hears_every_frame_finds_neither_side() {
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    let stranger = stage.enter("stranger");
    stage.put(stranger, laptop(40_000, 3));
    let before = stage.actors[stranger].saved.clone();
    let since = stage.air.len();
    both_away(&mut stage, 2 * DAY);
    stage.pass(60);
    let said = said_since(&stage, since);
    assert!(!said.is_empty(), "somebody was looked for");
    assert_eq!(stage.actors[stranger].saved, before);
    for who in [BUYER, SELLER] {
        let place = stage.actors[who].peer.public();
        let told = stage.air[since..]
            .iter()
            .any(|bytes| bytes.windows(32).any(|part| part == place.0));
        assert!(!told, "{who} can be found by anybody");
    }
}

#[test]
fn a_shop_that_has_lost_many_buyers_looks_for_a_few_of_them_at_a_time() {
    let names = ["shop"]
        .into_iter()
        .chain(core::iter::repeat_n("buyer", 20));
    let names: Vec<&'static str> = names.collect();
    let mut stage = Stage::new(&names);
    stage.put(0, laptop(40_000, 50));
    stage.tell(0, rules("firm")).unwrap();
    stage.tell(0, Command::SetProfile(profile("Shop"))).unwrap();
    for buyer in 1..names.len() {
        let id = stage.publish(buyer, wants_laptop());
        stage.accept(buyer, id);
        stage.actors[buyer].online = false;
    }
    stage.pass(60);
    let since = stage.air.len();
    stage.reload(0);
    let mut before = since;
    for _ in 0..60 {
        stage.pass_by_seconds(1);
        let said = stage.air.len() - before;
        assert!(said <= 8, "{said} frames in one second");
        before = stage.air.len();
    }
    let frames = stage.air[since..].iter();
    let keys = frames.map(|bytes| {
        Frame::open(bytes, network(), stage.now)
            .unwrap()
            .header()
            .key
    });
    let keys: std::collections::BTreeSet<_> = keys.collect();
    assert_eq!(keys.len(), 20, "each of them is looked for");
}

#[test]
fn who_is_reached_and_does_not_understand_is_not_looked_for() {
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    stage.pass(60);
    let since = stage.air.len();
    stage.fate = Box::new(|_| Fate::Arrives);
    // He has forgotten everything, and is where he was.
    let saved = core::mem::take(&mut stage.actors[BUYER].saved);
    let place = stage.actors[BUYER].peer.clone();
    stage.start_anew(BUYER, place);
    say(&mut stage, SELLER, "Is Monday fine?");
    stage.pass(2 * 60 * 60);
    assert_eq!(said_since(&stage, since), []);
    assert!(!saved.is_empty());
}

#[test]
fn a_seller_whose_confirmation_never_came_hears_that_it_is_too_late_though_the_buyer_has_moved() {
    let mut stage = Stage::new(&["buyer", "first", "second"]);
    for seller in [1, 2] {
        stage.put(
            seller,
            laptop(39_000 + 500 * u64::try_from(seller).unwrap(), 3),
        );
        stage.tell(seller, rules("indicative")).unwrap();
    }
    let id = stage.publish(BUYER, wants_laptop());
    stage.accept(BUYER, id);
    let thread = stage.actors[1].trade().thread;
    stage.actors[BUYER].online = false;
    stage.tell(1, confirm(thread)).unwrap();
    stage.actors[1].online = false;
    stage.actors[BUYER].online = true;
    stage.reload(BUYER);
    stage.pass(30 * 60);
    let second = stage.actors[BUYER].mine[&id]
        .quotes
        .iter()
        .find(|quote| quote.thread != thread)
        .unwrap()
        .clone();
    let accept = Command::Accept {
        thread: second.thread,
        total: second.quote.total,
        note: None,
        escrow: None,
    };
    stage.tell(BUYER, accept).unwrap();
    stage.tell(2, confirm(second.thread)).unwrap();
    stage.reload(BUYER);
    stage.pass(2 * 60 * 60);
    stage.actors[1].online = true;
    stage.reload(1);
    stage.pass(60);
    assert_eq!(stage.actors[1].trade().state, TradeState::NotConfirmed);
    assert_eq!(stage.actors[2].trade().state, TradeState::Confirmed);
}
