//! Money that is locked between two of whom one lies, comes too late, or has a rail that does not do what it is asked.

use haggle_market::view::{EscrowState, TradeStep};
use haggle_market::{Ask, Command, Input, Paid, Trouble};
use haggle_protocol::limits::CLOCK_SKEW;
use haggle_protocol::trade::CancelReason;
use haggle_protocol::{Party, Side, Signed, ThreadId, Timestamp};
use serde_json::{Value, json};

use crate::escrow::{
    BUYER, DAY, PRICE, PURSE, SELLER, accept, escrow, keeper, locked, purses, quoted, say, states,
};
use crate::stage::*;

/// Changes what one side has saved of its escrow, as somebody would who lies, and starts it anew.
pub(crate) fn lie(
    stage: &mut Stage,
    who: usize,
    thread: ThreadId,
    change: impl FnOnce(&mut Value),
) {
    let saved = &mut stage.actors[who].saved;
    let kept = saved.get_mut(&format!("thread/{thread}")).unwrap();
    let mut record: Value = serde_json::from_slice(kept).unwrap();
    change(&mut record["content"]["deal"]["escrow"]);
    *kept = serde_json::to_vec(&record).unwrap();
    stage.reload(who);
    stage.settle();
}

fn split(stage: &mut Stage, who: usize, thread: ThreadId, buyer: u64) -> Result<(), String> {
    let said = stage.tell(who, Command::Settle { thread, buyer });
    said.map(drop).map_err(|complaint| complaint.code)
}

/// A day after the deadline all of it is the buyer's again.
fn is_refunded_at_the_deadline(stage: &mut Stage) {
    let deadline = escrow(stage, BUYER).deadline;
    stage.run_until(deadline + DAY);
    assert_eq!(escrow(stage, BUYER).state, EscrowState::Refunded);
    assert_eq!(purses(stage), [PURSE, PURSE]);
}

#[test]
fn a_second_lock_is_not_taken_for_the_one_that_was_checked() {
    let (mut stage, thread) = quoted("firm");
    let is_verify = |ask: &Ask| matches!(ask, Ask::Verify { .. });
    stage.fate = questions(is_verify, Fate::Held);
    let order = accept(&stage, thread, keeper("EUR"), None);
    stage.tell(BUYER, order).unwrap();
    // While the good one is being looked at, another one is told of.
    lie(&mut stage, BUYER, thread, |escrow| {
        escrow["lock"]["locked"] = json!([1, 2, 3]);
        escrow["lock"]["said"] = Value::Null;
    });
    stage.fate = Box::new(|_| Fate::Arrives);
    stage.release();
    assert_eq!(escrow(&stage, SELLER).trouble.as_deref(), Some("mismatch"));
    assert_eq!(
        say(&mut stage, SELLER, TradeStep::Dispatched),
        Err("not-funded".into())
    );
}

#[test]
fn whoever_is_told_that_it_was_carried_out_when_it_was_not_still_gets_his_refund() {
    let (mut stage, thread) = locked();
    split(&mut stage, BUYER, thread, 20_000).unwrap();
    stage.pass(60);
    lie(&mut stage, SELLER, thread, |escrow| {
        let proposal = &mut escrow["proposals"][0];
        proposal["done"] = json!(true);
        proposal["said"] = Value::Null;
        let signatures = proposal["settlement"]["signatures"].as_array_mut().unwrap();
        let mut forged = signatures[0].clone();
        forged["party"] = json!("seller");
        signatures.push(forged);
    });
    stage.pass(60);
    stage.actors[SELLER].online = false;
    is_refunded_at_the_deadline(&mut stage);
}

#[test]
fn whoever_is_told_so_again_and_again_gets_his_refund_at_its_time() {
    let (mut stage, thread) = locked();
    split(&mut stage, BUYER, thread, 20_000).unwrap();
    stage.pass(60);
    let deadline = escrow(&stage, BUYER).deadline;
    stage.run_until(deadline + CLOCK_SKEW - 10);
    for _ in 0..30 {
        lie(&mut stage, SELLER, thread, |escrow| {
            let proposal = &mut escrow["proposals"][0];
            proposal["done"] = json!(true);
            proposal["said"] = Value::Null;
            let signed = proposal["settlement"]["signatures"].as_array_mut().unwrap();
            let mut forged = signed[0].clone();
            forged["party"] = json!("seller");
            *signed = vec![forged];
        });
        stage.pass(2);
    }
    assert_eq!(escrow(&stage, BUYER).state, EscrowState::Refunded);
    assert_eq!(purses(&stage), [PURSE, PURSE]);
}

#[test]
fn a_signature_that_somebody_else_has_put_in_is_not_taken_for_one_s_own() {
    let (mut stage, thread) = locked();
    let is_propose = |ask: &Ask| matches!(ask, Ask::Propose { .. });
    stage.fate = questions(is_propose, Fate::Held);
    let cancel = Command::Cancel {
        thread,
        reason: CancelReason::ChangedMind,
        note: None,
    };
    stage.tell(SELLER, cancel).unwrap();
    let Some(Post::Pay { job, ask, .. }) = stage.held.pop() else {
        panic!("the seller proposes to give it back");
    };
    let Ok(Paid::Settlement(mut proposed)) = stage.bank.ask(SELLER, &ask, stage.now) else {
        panic!("the bank signs it");
    };
    for party in [Party::Buyer, Party::Arbiter] {
        let signature = vec![9];
        proposed.signatures.push(Signed { party, signature });
    }
    stage.fate = Box::new(|_| Fate::Arrives);
    let answer = Ok(Paid::Settlement(proposed));
    stage.input(SELLER, Input::Paid { job, answer });
    stage.pass(60);
    assert_eq!(states(&stage), [EscrowState::Refunded; 2]);
    assert_eq!(purses(&stage), [PURSE, PURSE]);
}

#[test]
fn what_was_to_be_locked_and_has_gone_elsewhere_is_neither_locked_nor_refunded() {
    let (mut stage, thread) = quoted("firm");
    let is_lock = |ask: &Ask| matches!(ask, Ask::Lock { .. });
    stage.fate = questions(is_lock, Fate::Held);
    let order = accept(&stage, thread, keeper("EUR"), None);
    stage.tell(BUYER, order).unwrap();
    let Some(Post::Pay { job, .. }) = stage.held.pop() else {
        panic!("a lock is asked for");
    };
    let answer = Err(Trouble::Spent);
    stage.input(BUYER, Input::Paid { job, answer });
    let told = escrow(&stage, BUYER);
    assert_eq!(told.state, EscrowState::Planned);
    assert_eq!(told.trouble.as_deref(), Some("spent"));
    stage.fate = Box::new(|_| Fate::Arrives);
    stage.tell(BUYER, Command::Pay { thread }).unwrap();
    assert_eq!(states(&stage), [EscrowState::Locked; 2]);
}

#[test]
fn nobody_sends_against_a_lock_that_its_holder_can_soon_take_back() {
    let (mut stage, _) = locked();
    let deadline = escrow(&stage, SELLER).deadline;
    stage.run_until(Timestamp(deadline.0 - DAY));
    assert_eq!(
        say(&mut stage, SELLER, TradeStep::Dispatched),
        Err("too-late".into())
    );
    let (mut stage, _) = locked();
    stage.run_until(Timestamp(deadline.0 - DAY - 60));
    say(&mut stage, SELLER, TradeStep::Dispatched).unwrap();
}

#[test]
fn a_renewal_is_signed_only_while_the_buyer_still_has_half_of_his_time() {
    let (mut stage, _) = locked();
    let is_cosign = |ask: &Ask| matches!(ask, Ask::Cosign { .. });
    stage.fate = questions(is_cosign, Fate::Lost);
    say(&mut stage, SELLER, TradeStep::Dispatched).unwrap();
    stage.pass(8 * DAY);
    stage.fate = Box::new(|_| Fate::Arrives);
    let deadline = escrow(&stage, BUYER).deadline;
    stage.run_until(deadline + 2 * DAY);
    assert_eq!(states(&stage), [EscrowState::Refunded; 2]);
    assert_eq!(purses(&stage), [PURSE, PURSE]);
}

#[test]
fn a_proposal_that_the_rail_never_writes_down_keeps_nobody_from_his_refund() {
    let (mut stage, thread) = locked();
    let is_propose = |ask: &Ask| matches!(ask, Ask::Propose { .. });
    stage.fate = questions(is_propose, Fate::Lost);
    split(&mut stage, BUYER, thread, 20_000).unwrap();
    is_refunded_at_the_deadline(&mut stage);
}

#[test]
fn offers_to_share_out_leave_room_for_what_the_trade_itself_says() {
    let (mut stage, thread) = locked();
    for who in [BUYER, SELLER] {
        for buyer in 1..=6 {
            split(&mut stage, who, thread, buyer).unwrap();
            stage.pass(60);
        }
        let refused = split(&mut stage, who, thread, 7);
        assert_eq!(refused, Err("too-many-offers".into()));
    }
    say(&mut stage, SELLER, TradeStep::Dispatched).unwrap();
    stage.pass(60);
    assert_eq!(escrow(&stage, BUYER).holder, Side::Seller, "it was renewed");
    say(&mut stage, BUYER, TradeStep::Received).unwrap();
    stage.pass(60);
    assert_eq!(states(&stage), [EscrowState::Released; 2]);
}

#[test]
fn what_the_buyer_said_he_has_is_not_taken_back_from_a_seller_who_was_away() {
    let (mut stage, _) = locked();
    stage.actors[SELLER].online = false;
    say(&mut stage, BUYER, TradeStep::Received).unwrap();
    let deadline = escrow(&stage, BUYER).deadline;
    stage.run_until(deadline + 20 * DAY);
    assert_eq!(escrow(&stage, BUYER).state, EscrowState::Locked);
    stage.actors[SELLER].online = true;
    stage.reload(SELLER);
    stage.pass(DAY);
    assert_eq!(states(&stage), [EscrowState::Released; 2]);
    assert_eq!(purses(&stage), [PURSE - PRICE, PURSE + PRICE]);

    // One who never comes freezes it for a month.
    let (mut stage, _) = locked();
    stage.actors[SELLER].online = false;
    say(&mut stage, BUYER, TradeStep::Received).unwrap();
    stage.run_until(deadline + 31 * DAY);
    assert_eq!(escrow(&stage, BUYER).state, EscrowState::Refunded);
    assert_eq!(purses(&stage), [PURSE, PURSE]);
}

#[test]
fn what_the_buyer_has_already_is_not_paid_for_any_more() {
    let (mut stage, thread) = quoted("firm");
    stage.bank.purses.insert(BUYER, 0);
    let order = accept(&stage, thread, keeper("EUR"), None);
    stage.tell(BUYER, order).unwrap();
    assert_eq!(escrow(&stage, BUYER).trouble.as_deref(), Some("not-enough"));
    say(&mut stage, BUYER, TradeStep::Received).unwrap();
    stage.bank.purses.insert(BUYER, PURSE);
    stage.tell(BUYER, Command::Pay { thread }).unwrap();
    stage.pass(DAY);
    assert_eq!(states(&stage), [EscrowState::Planned; 2]);
    assert_eq!(purses(&stage), [PURSE, PURSE]);
}

#[test]
fn a_lock_at_a_bank_that_the_seller_has_still_to_name_waits_for_him() {
    let (mut stage, thread) = quoted("firm");
    stage.bank.distrusted.insert(SELLER);
    let order = accept(&stage, thread, keeper("EUR"), None);
    stage.tell(BUYER, order).unwrap();
    stage.pass(DAY);
    let waits = escrow(&stage, SELLER);
    assert_eq!(waits.state, EscrowState::Locking);
    assert_eq!(waits.trouble.as_deref(), Some("not-trusted"));
    stage.bank.distrusted.clear();
    stage.tell(SELLER, Command::Pay { thread }).unwrap();
    assert_eq!(states(&stage), [EscrowState::Locked; 2]);
}

#[test]
fn a_lock_whose_holder_never_comes_is_not_looked_for_without_end() {
    let (mut stage, _) = locked();
    let deadline = escrow(&stage, SELLER).deadline;
    stage.actors[BUYER].online = false;
    stage.run_until(deadline + 61 * DAY);
    let before = stage.log.len();
    stage.pass(30 * DAY);
    let asked = stage.log[before..]
        .iter()
        .filter(|(_, _, what)| *what == "pay");
    assert_eq!(asked.count(), 0);
    // It is still the holder's.
    stage.actors[BUYER].online = true;
    stage.reload(BUYER);
    stage.pass(DAY);
    assert_eq!(purses(&stage), [PURSE, PURSE]);
}
