//! Locks of which it is not known whether they were made: the answer was lost, or a backup knows nothing of it.

use haggle_market::view::{EscrowState, TradeStep};
use haggle_market::{Ask, Command, Input, Trouble};
use haggle_protocol::trade::CancelReason;
use haggle_protocol::{ThreadId, Timestamp};

use crate::escrow::{
    BUYER, DAY, PRICE, PURSE, accept, escrow, keeper, purses, quoted, say, states,
};
use crate::stage::*;

fn is_lock(ask: &Ask) -> bool {
    matches!(ask, Ask::Lock { .. })
}

/// An order that is confirmed, and what becomes of the question for its lock.
fn asked(fate: Fate) -> (Stage, ThreadId) {
    let (mut stage, thread) = quoted("firm");
    stage.fate = questions(is_lock, fate);
    let order = accept(&stage, thread, keeper("EUR"), None);
    stage.tell(BUYER, order).unwrap();
    (stage, thread)
}

fn cancel(stage: &mut Stage, thread: ThreadId) {
    let cancel = Command::Cancel {
        thread,
        reason: CancelReason::ChangedMind,
        note: None,
    };
    stage.tell(BUYER, cancel).unwrap();
}

/// Everything arrives from now on.
fn is_back(stage: &mut Stage) {
    stage.fate = Box::new(|_| Fate::Arrives);
    stage.pass(2 * 60 * 60);
}

/// Nothing was ever locked, and nothing is waited for any more.
fn was_never_locked(stage: &mut Stage) {
    assert_eq!(stage.bank.locked(), 0);
    assert!(stage.bank.ends.is_empty(), "{:?}", stage.bank.ends);
    assert_eq!(purses(stage), [PURSE, PURSE]);
    assert_eq!(states(stage), [EscrowState::Planned; 2]);
    let before = stage.log.len();
    stage.pass(60 * DAY);
    let pays = stage.log[before..].iter().filter(|it| it.2 == "pay");
    assert_eq!(pays.count(), 0, "nothing is asked without end");
}

#[test]
fn what_says_nothing_of_an_earlier_request_does_not_make_its_lock_forgotten() {
    for trouble in [
        Trouble::Blocked("not-trusted".to_owned()),
        Trouble::Never("damaged".to_owned()),
        Trouble::Spent,
    ] {
        let (mut stage, thread) = asked(Fate::Forgotten);
        assert_eq!(purses(&stage)[BUYER], PURSE - PRICE, "it was made");
        stage.fate = questions(is_lock, Fate::Held);
        stage.pass(60);
        let Some(Post::Pay { job, .. }) = stage.held.pop() else {
            panic!("it is asked for again");
        };
        let answer = Err(trouble.clone());
        stage.input(BUYER, Input::Paid { job, answer });
        let told = escrow(&stage, BUYER);
        assert_eq!(told.state, EscrowState::Locking, "{trouble:?}");
        cancel(&mut stage, thread);
        stage.reload(BUYER);
        is_back(&mut stage);
        assert_eq!(states(&stage), [EscrowState::Refunded; 2], "{trouble:?}");
        assert_eq!(purses(&stage), [PURSE, PURSE], "{trouble:?}");
    }
}

#[test]
fn a_lock_at_a_bank_that_is_trusted_no_more_is_found_once_it_is_again() {
    let (mut stage, thread) = asked(Fate::Forgotten);
    stage.bank.distrusted.insert(BUYER);
    is_back(&mut stage);
    assert_eq!(
        escrow(&stage, BUYER).trouble.as_deref(),
        Some("not-trusted")
    );
    cancel(&mut stage, thread);
    stage.pass(DAY);
    stage.bank.distrusted.clear();
    stage.tell(BUYER, Command::Pay { thread }).unwrap();
    stage.pass(60);
    assert_eq!(states(&stage), [EscrowState::Refunded; 2]);
    assert_eq!(purses(&stage), [PURSE, PURSE]);
}

#[test]
fn what_was_surely_not_locked_is_not_looked_for() {
    let (mut stage, thread) = quoted("firm");
    stage.bank.purses.insert(BUYER, PRICE - 1);
    let order = accept(&stage, thread, keeper("EUR"), None);
    stage.tell(BUYER, order).unwrap();
    stage.pass(60);
    cancel(&mut stage, thread);
    stage.bank.purses.insert(BUYER, PURSE);
    stage.reload(BUYER);
    was_never_locked(&mut stage);
}

#[test]
fn what_was_not_locked_before_the_trade_was_cancelled_is_not_locked_any_more() {
    let (mut stage, thread) = asked(Fate::Lost);
    stage.pass(60);
    cancel(&mut stage, thread);
    is_back(&mut stage);
    was_never_locked(&mut stage);
}

#[test]
fn what_was_locked_before_the_trade_was_cancelled_is_found_and_given_back_at_once() {
    let (mut stage, thread) = asked(Fate::Forgotten);
    cancel(&mut stage, thread);
    is_back(&mut stage);
    assert_eq!(states(&stage), [EscrowState::Refunded; 2]);
    assert_eq!(purses(&stage), [PURSE, PURSE]);
}

#[test]
fn what_was_not_locked_in_time_is_not_locked_any_more() {
    let (mut stage, _) = asked(Fate::Lost);
    let deadline = escrow(&stage, BUYER).deadline;
    stage.run_until(Timestamp(deadline.0 - DAY));
    is_back(&mut stage);
    was_never_locked(&mut stage);
}

#[test]
fn what_was_locked_in_time_is_found_late_and_comes_back_at_its_deadline() {
    let (mut stage, _) = asked(Fate::Forgotten);
    let deadline = escrow(&stage, BUYER).deadline;
    stage.run_until(Timestamp(deadline.0 - DAY));
    is_back(&mut stage);
    assert_eq!(escrow(&stage, BUYER).state, EscrowState::Locked);
    stage.run_until(deadline + DAY);
    assert_eq!(states(&stage), [EscrowState::Refunded; 2]);
    assert_eq!(purses(&stage), [PURSE, PURSE]);
}

#[test]
fn what_was_received_meanwhile_is_paid_by_a_lock_that_was_made_and_by_no_new_one() {
    let (mut stage, _) = asked(Fate::Lost);
    say(&mut stage, BUYER, TradeStep::Received).unwrap();
    is_back(&mut stage);
    was_never_locked(&mut stage);

    let (mut stage, _) = asked(Fate::Forgotten);
    say(&mut stage, BUYER, TradeStep::Received).unwrap();
    is_back(&mut stage);
    assert_eq!(states(&stage), [EscrowState::Released; 2]);
    assert_eq!(purses(&stage), [PURSE - PRICE, PURSE + PRICE]);
}

/// A backup from before the lock, since the purse was too small then.
fn backed_up() -> (Stage, ThreadId, std::collections::BTreeMap<String, Vec<u8>>) {
    let (mut stage, thread) = quoted("firm");
    stage.bank.purses.insert(BUYER, 0);
    let order = accept(&stage, thread, keeper("EUR"), None);
    stage.tell(BUYER, order).unwrap();
    let backup = stage.actors[BUYER].saved.clone();
    stage.bank.purses.insert(BUYER, PURSE);
    stage.tell(BUYER, Command::Pay { thread }).unwrap();
    assert_eq!(states(&stage), [EscrowState::Locked; 2]);
    (stage, thread, backup)
}

#[test]
fn a_lock_that_a_backup_does_not_know_is_found_even_after_its_deadline() {
    let (mut stage, _, backup) = backed_up();
    let deadline = escrow(&stage, BUYER).deadline;
    stage.actors[BUYER].online = false;
    stage.run_until(deadline + DAY);
    stage.actors[BUYER].online = true;
    stage.come_back(BUYER, backup);
    is_back(&mut stage);
    assert_eq!(states(&stage), [EscrowState::Refunded; 2]);
    assert_eq!(purses(&stage), [PURSE, PURSE]);
}

#[test]
fn a_lock_that_a_backup_does_not_know_is_found_when_the_trade_is_cancelled_before_the_bank_answers()
{
    let (mut stage, thread, backup) = backed_up();
    let too_little = questions(is_lock, Fate::Held);
    stage.fate = too_little;
    stage.come_back(BUYER, backup);
    stage.pass(60);
    let Some(Post::Pay { job, .. }) = stage.held.pop() else {
        panic!("it is asked for");
    };
    let answer = Err(Trouble::Blocked("not-enough".to_owned()));
    stage.input(BUYER, Input::Paid { job, answer });
    cancel(&mut stage, thread);
    is_back(&mut stage);
    assert_eq!(states(&stage), [EscrowState::Refunded; 2]);
    assert_eq!(purses(&stage), [PURSE, PURSE]);
}
