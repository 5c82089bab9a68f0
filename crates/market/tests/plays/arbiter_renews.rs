//! The arbiter decides that it counts as sent: the seller holds what is locked from then on, and the buyer can still object, until a new
//! deadline. For a seller who has sent it to somebody who does not say so.

use haggle_market::view::{CaseState, EscrowState, TradeStep};
use haggle_market::{Ask, Command};
use haggle_protocol::{Outcome, Refusal, Side, Timestamp};

use crate::arbitration::*;
use crate::escrow::{BUYER, DAY, PRICE, PURSE, SELLER, escrow, purses, say, states};
use crate::stage::*;

fn renew(stage: &mut Stage) -> Result<(), String> {
    let case = case(stage).order;
    let words = "The parcel's number says so.".to_owned();
    let said = stage.tell(ARBITER, Command::Renew { case, words });
    said.map(drop).map_err(|complaint| complaint.code)
}

/// It was sent to a buyer who is away, and the arbiter was asked.
fn sent_to_nobody() -> Stage {
    let (mut stage, _) = locked();
    leaves(&mut stage, BUYER);
    say(&mut stage, SELLER, TradeStep::Dispatched).unwrap();
    dispute(&mut stage, SELLER, 0).unwrap();
    stage
}

#[test]
fn a_seller_whose_buyer_is_away_holds_the_lock_by_the_arbiter_s_word_and_is_paid_at_the_new_deadline()
 {
    let mut stage = sent_to_nobody();
    let review = case(&stage).review.unwrap();
    let before = escrow(&stage, SELLER);
    assert_eq!((before.holder, before.review), (Side::Buyer, review));
    let until = stage.now + u64::from(review);
    renew(&mut stage).unwrap();
    stage.pass(60);
    assert_eq!(case(&stage).state, CaseState::Ruled);
    assert_eq!(
        case(&stage).ruling.as_ref().unwrap().held_until,
        Some(until)
    );
    let held = escrow(&stage, SELLER);
    assert_eq!(
        (held.state, held.holder, held.deadline),
        (EscrowState::Locked, Side::Seller, until)
    );
    let ruling = held.ruling.unwrap();
    assert_eq!(ruling.held_until, Some(until));
    assert!(ruling.words.is_some());
    assert_eq!(stage.bank.purses[&ARBITER], 0, "nothing was shared out");
    // The buyer comes back later and finds it so.
    waits(&mut stage, DAY);
    comes_back(&mut stage, BUYER);
    stage.pass(10 * 60);
    let found = escrow(&stage, BUYER);
    assert_eq!(
        (found.state, found.holder, found.deadline),
        (EscrowState::Locked, Side::Seller, until)
    );
    assert_eq!(found.ruling.unwrap().held_until, Some(until));
    waits_until(&mut stage, until + DAY);
    assert_eq!(states(&stage), [EscrowState::Released; 2]);
    assert_eq!(purses(&stage), [PURSE - PRICE, PURSE + PRICE]);
}

#[test]
fn a_buyer_who_comes_back_can_object_and_the_arbiter_decides_once_more() {
    let mut stage = sent_to_nobody();
    renew(&mut stage).unwrap();
    stage.pass(60);
    comes_back(&mut stage, BUYER);
    stage.pass(10 * 60);
    assert_eq!(rule(&mut stage, SHARE), Err("ruled".into()));
    dispute(&mut stage, BUYER, PRICE / 2).unwrap();
    stage.pass(60);
    assert_eq!(case(&stage).state, CaseState::Open);
    assert_eq!(
        (case(&stage).holder, case(&stage).review),
        (Side::Seller, None)
    );
    assert_eq!(renew(&mut stage), Err("held-by-seller".into()));
    rule(&mut stage, SHARE).unwrap();
    stage.pass(60);
    for who in [BUYER, SELLER] {
        waits(&mut stage, DAY);
        is_shared(&stage, who);
    }
    assert_eq!(purses(&stage), [PURSE - PRICE + SHARE, PURSE + REST]);
    assert_eq!(stage.bank.purses[&ARBITER], FEE);
}

#[test]
fn a_buyer_who_never_comes_back_or_only_after_the_new_deadline_loses_what_he_would_have_lost() {
    let mut stage = sent_to_nobody();
    renew(&mut stage).unwrap();
    stage.pass(60);
    let until = escrow(&stage, SELLER).deadline;
    waits_until(&mut stage, until + 3 * DAY);
    assert_eq!(escrow(&stage, SELLER).state, EscrowState::Released);
    assert_eq!(stage.bank.purses[&SELLER], PURSE + PRICE);
    comes_back(&mut stage, BUYER);
    waits(&mut stage, 8 * DAY);
    assert_eq!(escrow(&stage, BUYER).state, EscrowState::Released);
    assert_eq!(purses(&stage), [PURSE - PRICE, PURSE + PRICE]);
}

#[test]
fn the_lock_is_the_seller_s_whoever_is_cut_off_between_any_two_steps() {
    for done in [false, true] {
        for step in 0.. {
            let (mut stage, _) = locked();
            leaves(&mut stage, BUYER);
            say(&mut stage, SELLER, TradeStep::Dispatched).unwrap();
            let mut steps = 0;
            stage.fate = Box::new(move |post| match post {
                Post::Pay { .. } | Post::Cell { .. } | Post::Answered { .. } => {
                    steps += 1;
                    if steps == step + 1 {
                        Fate::Held
                    } else {
                        Fate::Arrives
                    }
                }
                Post::Frame { .. } | Post::Asked { .. } | Post::Piece { .. } => Fate::Arrives,
            });
            dispute(&mut stage, SELLER, 0).unwrap();
            let mut was_cut = cut_off(&mut stage, done);
            stage.pass(60);
            was_cut |= cut_off(&mut stage, done);
            stage.pass(60);
            renew(&mut stage).unwrap();
            for _ in 0..3 {
                was_cut |= cut_off(&mut stage, done);
                stage.pass(60);
            }
            comes_back(&mut stage, BUYER);
            for _ in 0..3 {
                was_cut |= cut_off(&mut stage, done);
                stage.pass(5 * 60);
            }
            for who in [BUYER, SELLER] {
                let held = escrow(&stage, who);
                assert_eq!(
                    (held.state, held.holder),
                    (EscrowState::Locked, Side::Seller),
                    "{who} after a cut at {step}, done: {done}"
                );
            }
            let until = escrow(&stage, SELLER).deadline;
            stage.fate = Box::new(|_| Fate::Arrives);
            waits_until(&mut stage, until + DAY);
            assert_eq!(purses(&stage), [PURSE - PRICE, PURSE + PRICE]);
            if !was_cut {
                assert!(step > 12, "{step} steps");
                break;
            }
        }
    }
}

#[test]
fn a_decision_that_is_none_of_the_arbiter_s_to_make_is_refused() {
    let renewed = |holder, deadline| Outcome::Renew { holder, deadline };
    for (holder, after) in [(Side::Buyer, 5 * DAY), (Side::Seller, 90 * DAY)] {
        let mut stage = sent_to_nobody();
        let until = stage.now + after;
        rules_falsely(&mut stage, |it| it.outcome = renewed(holder, until));
        assert!(stage.actors[SELLER].refused.contains(&Refusal::BadField));
        assert_eq!(escrow(&stage, SELLER).holder, Side::Buyer);
    }
    let mut stage = sent_to_nobody();
    rules_falsely(&mut stage, |it| {
        it.outcome = renewed(Side::Seller, Timestamp(1))
    });
    assert!(stage.actors[SELLER].refused.contains(&Refusal::BadField));
    // What his rail has never signed comes to nothing.
    let mut stage = sent_to_nobody();
    let until = stage.now + 5 * DAY;
    rules_falsely(&mut stage, |it| {
        it.salt = [7; 32];
        it.outcome = renewed(Side::Seller, until);
    });
    stage.pass(60);
    assert_eq!(escrow(&stage, SELLER).holder, Side::Buyer);
    let deadline = escrow(&stage, SELLER).deadline;
    comes_back(&mut stage, BUYER);
    waits_until(&mut stage, deadline + DAY);
    assert_eq!(stage.bank.locked(), 0);
}

#[test]
fn a_buyer_who_is_told_of_a_decision_that_nobody_made_keeps_what_is_locked() {
    let mut stage = sent_to_nobody();
    renew(&mut stage).unwrap();
    // The seller tells of it and has not carried it out.
    let is_execute = |ask: &Ask| matches!(ask, Ask::Execute { .. });
    stage.fate = questions(is_execute, Fate::Lost);
    stage.pass(60);
    comes_back(&mut stage, BUYER);
    stage.pass(60);
    stage.fate = Box::new(|_| Fate::Arrives);
    waits(&mut stage, DAY);
    let sides = [BUYER, SELLER].map(|who| escrow(&stage, who).holder);
    assert_eq!(sides[0], sides[1], "both see the same");
    let until = escrow(&stage, SELLER).deadline;
    waits_until(&mut stage, until + DAY);
    assert_eq!(stage.bank.locked(), 0);
}
