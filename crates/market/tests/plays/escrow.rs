//! Money that is locked between the two: from the order to whoever gets it, whatever happens on the way.

use std::cell::RefCell;

use haggle_market::command::Payment;
use haggle_market::view::{EscrowState, EscrowView, TradeState, TradeStep};
use haggle_market::{Ask, Command};
use haggle_protocol::trade::CancelReason;
use haggle_protocol::{Asset, Custodian, Keeper, MessageId, Outcome, Side, ThreadId};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::bank::RAIL;
use crate::stage::*;
use crate::steps::{confirm, report};

pub(crate) const BUYER: usize = 0;
pub(crate) const SELLER: usize = 1;
/// What both have at the beginning.
pub(crate) const PURSE: u64 = 100_000;
/// What the laptop costs, with its shipping.
pub(crate) const PRICE: u64 = 40_500;
pub(crate) const DAY: u64 = 24 * 60 * 60;

pub(crate) fn keeper(asset: &str) -> Keeper {
    Keeper {
        rail: RAIL.to_owned(),
        custodian: Custodian::new("https://bank.example").unwrap(),
        asset: Asset::new(asset).unwrap(),
    }
}

/// A stage with two purses, a stall that takes what is locked, and a quote.
pub(crate) fn quoted(auto: &str) -> (Stage, ThreadId) {
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.bank.purses = [(BUYER, PURSE), (SELLER, PURSE)].into();
    stage.put(SELLER, laptop(40_000, 3));
    let rules = serde_json::json!({
        "auto": auto, "validFor": 1_800, "perHour": 120, "payment": "On delivery", "keepers": [keeper("EUR"), keeper("sat")],
    });
    stage.tell(SELLER, ruled(rules)).unwrap();
    for (who, name) in [(BUYER, "Ada"), (SELLER, "Ben")] {
        stage.tell(who, Command::SetProfile(profile(name))).unwrap();
    }
    let id = stage.publish(BUYER, wants_laptop());
    let thread = stage.actors[BUYER].mine[&id].quotes[0].thread;
    (stage, thread)
}

pub(crate) fn accept(
    stage: &Stage,
    thread: ThreadId,
    keeper: Keeper,
    minor: Option<u64>,
) -> Command {
    let mine = stage.actors[BUYER].mine.values();
    let mut quotes = mine.flat_map(|mine| &mine.quotes);
    let quote = quotes.find(|quote| quote.thread == thread).unwrap();
    Command::Accept {
        thread,
        total: quote.quote.total,
        note: None,
        escrow: Some(Payment {
            keeper,
            minor,
            arbiter: None,
        }),
    }
}

/// The same, ordered and confirmed: the money is locked.
pub(crate) fn locked() -> (Stage, ThreadId) {
    let (mut stage, thread) = quoted("firm");
    let order = accept(&stage, thread, keeper("EUR"), None);
    stage.tell(BUYER, order).unwrap();
    (stage, thread)
}

pub(crate) fn escrow(stage: &Stage, who: usize) -> EscrowView {
    stage.actors[who].trade().escrow.clone().unwrap()
}

pub(crate) fn states(stage: &Stage) -> [EscrowState; 2] {
    [BUYER, SELLER].map(|who| escrow(stage, who).state)
}

pub(crate) fn purses(stage: &Stage) -> [u64; 2] {
    [BUYER, SELLER].map(|who| stage.bank.purses[&who])
}

pub(crate) fn say(stage: &mut Stage, who: usize, step: TradeStep) -> Result<(), String> {
    let thread = stage.actors[who].trade().thread;
    let said = stage.tell(who, report(thread, step, None));
    said.map(drop).map_err(|complaint| complaint.code)
}

#[test]
fn the_money_is_locked_once_the_order_is_confirmed_and_the_seller_s_once_it_was_received() {
    for restless in [false, true] {
        let (mut stage, thread) = quoted("firm");
        stage.restless = restless;
        let order = accept(&stage, thread, keeper("EUR"), None);
        stage.tell(BUYER, order).unwrap();
        stage.pass(60);
        assert_eq!(states(&stage), [EscrowState::Locked; 2]);
        assert_eq!(purses(&stage), [PURSE - PRICE, PURSE]);
        assert_eq!(escrow(&stage, SELLER).holder, Side::Buyer);

        say(&mut stage, SELLER, TradeStep::Dispatched).unwrap();
        stage.pass(60);
        for who in [BUYER, SELLER] {
            let escrow = escrow(&stage, who);
            assert_eq!(escrow.holder, Side::Seller, "it is his if nothing is said");
            assert_eq!(escrow.state, EscrowState::Locked);
        }
        say(&mut stage, BUYER, TradeStep::Received).unwrap();
        stage.pass(60);
        assert_eq!(states(&stage), [EscrowState::Released; 2]);
        assert_eq!(purses(&stage), [PURSE - PRICE, PURSE + PRICE]);
        let earned = escrow(&stage, SELLER).mine.map(|it| it.minor);
        assert_eq!(earned, Some(PRICE));
    }
}

#[test]
fn what_was_not_sent_in_time_is_paid_back_without_the_seller() {
    let (mut stage, _) = locked();
    stage.actors[SELLER].online = false;
    let deadline = escrow(&stage, BUYER).deadline;
    stage.run_until(deadline);
    assert_eq!(purses(&stage)[BUYER], PURSE - PRICE, "not before its time");
    stage.pass(DAY);
    assert_eq!(escrow(&stage, BUYER).state, EscrowState::Refunded);
    assert_eq!(purses(&stage), [PURSE, PURSE]);
    stage.actors[SELLER].online = true;
    stage.reload(SELLER);
    stage.pass(2 * 60 * 60);
    assert_eq!(escrow(&stage, SELLER).state, EscrowState::Refunded);
}

#[test]
fn what_was_sent_is_paid_without_another_word_of_the_buyer() {
    let (mut stage, _) = locked();
    say(&mut stage, SELLER, TradeStep::Dispatched).unwrap();
    stage.actors[BUYER].online = false;
    let deadline = escrow(&stage, SELLER).deadline;
    stage.run_until(deadline);
    assert_eq!(
        purses(&stage)[SELLER],
        PURSE,
        "the buyer has time to object"
    );
    stage.pass(DAY);
    assert_eq!(escrow(&stage, SELLER).state, EscrowState::Released);
    assert_eq!(purses(&stage), [PURSE - PRICE, PURSE + PRICE]);
    stage.actors[BUYER].online = true;
    stage.reload(BUYER);
    stage.pass(2 * 60 * 60);
    assert_eq!(escrow(&stage, BUYER).state, EscrowState::Released);
}

#[test]
fn a_buyer_who_was_away_when_it_was_sent_keeps_his_refund() {
    let (mut stage, _) = locked();
    stage.actors[BUYER].online = false;
    say(&mut stage, SELLER, TradeStep::Dispatched).unwrap();
    let deadline = escrow(&stage, BUYER).deadline;
    stage.run_until(deadline + 10 * 60);
    assert_eq!(
        purses(&stage)[SELLER],
        PURSE,
        "nobody takes it with one signature"
    );
    stage.actors[BUYER].online = true;
    stage.reload(BUYER);
    stage.pass(DAY);
    assert_eq!(states(&stage), [EscrowState::Refunded; 2]);
    assert_eq!(purses(&stage), [PURSE, PURSE]);
}

#[test]
fn a_seller_who_was_never_told_that_it_was_locked_anew_finds_it_and_is_paid() {
    let (mut stage, _) = locked();
    // From now on the buyer hears and pays, and says nothing.
    stage.fate = cells_of(BUYER, Fate::Lost, Fate::Arrives);
    say(&mut stage, SELLER, TradeStep::Dispatched).unwrap();
    stage.pass(60);
    assert_eq!(escrow(&stage, BUYER).holder, Side::Seller);
    assert_eq!(
        escrow(&stage, SELLER).holder,
        Side::Buyer,
        "he does not know"
    );
    stage.actors[BUYER].online = false;
    for _ in 0..40 {
        stage.now = stage.now + DAY;
        stage.tick();
        stage.pass(20 * 60);
    }
    assert_eq!(escrow(&stage, SELLER).state, EscrowState::Released);
    assert_eq!(purses(&stage), [PURSE - PRICE, PURSE + PRICE]);
}

#[test]
fn a_cancelled_trade_gives_the_money_back_at_once() {
    for who in [BUYER, SELLER] {
        let (mut stage, thread) = locked();
        let cancel = Command::Cancel {
            thread,
            reason: CancelReason::ChangedMind,
            note: None,
        };
        stage.tell(who, cancel).unwrap();
        stage.pass(60);
        for who in [BUYER, SELLER] {
            let state = stage.actors[who].trade().state;
            assert!(matches!(state, TradeState::Cancelled { .. }));
        }
        assert_eq!(states(&stage), [EscrowState::Refunded; 2]);
        assert_eq!(purses(&stage), [PURSE, PURSE]);
    }
}

#[test]
fn what_both_agree_on_is_how_it_is_shared_out() {
    let (mut stage, thread) = locked();
    say(&mut stage, SELLER, TradeStep::Dispatched).unwrap();
    let (buyer, seller) = (12_150, 28_350);
    stage
        .tell(BUYER, Command::Settle { thread, buyer })
        .unwrap();
    stage.pass(60);
    assert_eq!(
        states(&stage),
        [EscrowState::Locked; 2],
        "one alone decides nothing"
    );
    let offered = escrow(&stage, SELLER).proposals[0];
    assert_eq!(
        (offered.buyer, offered.seller, offered.agreed),
        (buyer, seller, false)
    );
    let moved = |stage: &_| [BUYER, SELLER].map(|who| escrow(stage, who).moved);
    assert_eq!(moved(&stage), [false; 2]);
    let other = Command::Agree {
        thread,
        buyer: buyer + 1,
    };
    let refused = stage.tell(SELLER, other).unwrap_err();
    assert_eq!(refused.code, "no-such-offer");
    stage
        .tell(SELLER, Command::Agree { thread, buyer })
        .unwrap();
    stage.pass(60);
    assert_eq!(states(&stage), [EscrowState::Shared { buyer, seller }; 2]);
    assert_eq!(moved(&stage), [true; 2]);
    assert_eq!(purses(&stage), [PURSE - seller, PURSE + seller]);
    // Neither is told to wait for goods that the two have come to terms about.
    let awaited = [BUYER, SELLER].map(|who| stage.actors[who].trade().awaited);
    assert_eq!(awaited, [None; 2]);
}

#[test]
fn a_buyer_whose_money_is_locked_is_not_told_how_a_stall_is_usually_paid() {
    let (stage, _) = locked();
    let told = |who: usize| {
        let trade = stage.actors[who].trade();
        trade.confirm.as_ref().unwrap().payment.clone()
    };
    assert_eq!([told(BUYER), told(SELLER)], [None, None]);
}

#[test]
fn nobody_sends_before_he_has_seen_that_the_money_is_locked() {
    let (mut stage, thread) = quoted("indicative");
    stage.bank.purses.insert(BUYER, PRICE - 1);
    let order = accept(&stage, thread, keeper("EUR"), None);
    stage.tell(BUYER, order).unwrap();
    stage.tell(SELLER, confirm(thread)).unwrap();
    stage.pass(60);
    let short = escrow(&stage, BUYER);
    assert_eq!(short.trouble.as_deref(), Some("not-enough"));
    assert_eq!(states(&stage), [EscrowState::Planned; 2]);
    assert_eq!(
        say(&mut stage, SELLER, TradeStep::Dispatched),
        Err("not-funded".into())
    );
    assert_eq!(
        say(&mut stage, BUYER, TradeStep::Paid),
        Err("escrow-pays".into())
    );
    stage.bank.purses.insert(BUYER, PRICE);
    stage.tell(BUYER, Command::Pay { thread }).unwrap();
    assert_eq!(states(&stage), [EscrowState::Locked; 2]);
    say(&mut stage, SELLER, TradeStep::Dispatched).unwrap();
}

#[test]
fn a_payment_that_the_quote_does_not_name_or_the_rail_cannot_lock_is_refused_at_order_time() {
    let (mut stage, thread) = quoted("indicative");
    let mut other = keeper("EUR");
    other.custodian = Custodian::new("https://elsewhere.example").unwrap();
    for (keeper, minor, code) in [
        (other, None, "not-offered"),
        (keeper("EUR"), Some(PRICE - 1), "wrong-total"),
        (keeper("sat"), None, "no-rate"),
        (keeper("sat"), Some(99), "below-floor"),
        (keeper("sat"), Some(10_000_001), "above-ceiling"),
    ] {
        let order = accept(&stage, thread, keeper, minor);
        assert_eq!(stage.tell(BUYER, order).unwrap_err().code, code);
    }
    assert!(stage.actors[BUYER].trades.is_empty(), "nothing was ordered");
}

#[test]
fn a_rate_is_looked_at_by_a_person_and_stands_in_what_both_sign() {
    let (mut stage, thread) = quoted("firm");
    let order = accept(&stage, thread, keeper("sat"), Some(65_000));
    stage.tell(BUYER, order).unwrap();
    stage.pass(10);
    assert_eq!(stage.actors[SELLER].trade().state, TradeState::Ordered);
    assert_eq!(escrow(&stage, SELLER).amount.to_string(), "65000 sat");
    stage.tell(SELLER, confirm(thread)).unwrap();
    assert_eq!(states(&stage), [EscrowState::Locked; 2]);
    assert_eq!(purses(&stage)[BUYER], PURSE - 65_000);
}

#[test]
fn a_lock_that_the_rail_does_not_know_is_not_taken_for_money() {
    let (mut stage, thread) = quoted("indicative");
    let order = accept(&stage, thread, keeper("EUR"), None);
    stage.tell(BUYER, order).unwrap();
    // What is told of arrives before it is found that it was spent.
    let is_verify = |ask: &Ask| matches!(ask, Ask::Verify { .. });
    stage.fate = questions(is_verify, Fate::Lost);
    stage.tell(SELLER, confirm(thread)).unwrap();
    stage.pass(600);
    let unsure = escrow(&stage, SELLER);
    assert_eq!(unsure.state, EscrowState::Locking, "unknown is not locked");
    assert_eq!(unsure.trouble.as_deref(), Some("unknown"));
    assert_eq!(
        say(&mut stage, SELLER, TradeStep::Dispatched),
        Err("not-funded".into())
    );
    stage.bank.forget();
    stage.fate = Box::new(|_| Fate::Arrives);
    stage.pass(1_200);
    assert_eq!(escrow(&stage, SELLER).trouble.as_deref(), Some("mismatch"));
    assert_eq!(
        say(&mut stage, SELLER, TradeStep::Dispatched),
        Err("not-funded".into())
    );
}

/// One trade in which everything is drawn: what people do, what is lost on the way, what a rail does not do or does not say, and who starts anew.
fn any_trade(seed: u64) {
    let mut dice = ChaCha20Rng::seed_from_u64(seed);
    let mut drawn = move |below: u64| dice.next_u64() % below;
    let (mut stage, thread) = quoted(if drawn(2) == 0 { "firm" } else { "indicative" });
    let sum = stage.bank.sum();
    let order = accept(&stage, thread, keeper("EUR"), None);
    let fates = RefCell::new(ChaCha20Rng::seed_from_u64(!seed));
    stage.fate = Box::new(move |post| {
        let fate = fates.borrow_mut().next_u64() % 100;
        match post {
            Post::Pay { .. } if fate < 25 => Fate::Lost,
            Post::Pay { .. } if fate < 50 => Fate::Forgotten,
            Post::Cell { .. } | Post::Answered { .. } if fate < 15 => Fate::Lost,
            Post::Cell { .. } if fate < 25 => Fate::Twice,
            Post::Pay { .. } | Post::Cell { .. } if fate > 85 => Fate::Later,
            Post::Pay { .. }
            | Post::Cell { .. }
            | Post::Answered { .. }
            | Post::Frame { .. }
            | Post::Asked { .. }
            | Post::Piece { .. } => Fate::Arrives,
        }
    });
    stage.tell(BUYER, order).unwrap();
    for _ in 0..drawn(30) {
        let who = usize::try_from(drawn(2)).unwrap();
        let minor = drawn(PRICE);
        let _ = match drawn(12) {
            0 => stage.tell(SELLER, confirm(thread)),
            1 | 2 => stage.tell(SELLER, report(thread, TradeStep::Dispatched, None)),
            3 if drawn(3) == 0 => stage.tell(BUYER, report(thread, TradeStep::Received, None)),
            4 if drawn(3) == 0 => stage.tell(
                who,
                Command::Cancel {
                    thread,
                    reason: CancelReason::ChangedMind,
                    note: None,
                },
            ),
            5 => stage.tell(
                who,
                Command::Settle {
                    thread,
                    buyer: minor,
                },
            ),
            6 => {
                let trade = stage.actors[who].trades.get(&thread);
                let escrow = trade.and_then(|trade| trade.escrow.clone());
                let offered = escrow.and_then(|it| it.proposals.last().copied());
                let buyer = offered.map_or(0, |it| it.buyer);
                stage.tell(who, Command::Agree { thread, buyer })
            }
            7 => {
                stage.reload(who);
                stage.settle();
                continue;
            }
            8 => {
                stage.actors[who].online = !stage.actors[who].online;
                if stage.actors[who].online {
                    stage.reload(who);
                }
                continue;
            }
            _ => {
                let seconds = if drawn(4) == 0 {
                    drawn(8 * DAY)
                } else {
                    drawn(600)
                };
                stage.pass(seconds + 1);
                continue;
            }
        };
        assert_eq!(stage.bank.sum(), sum, "seed {seed}");
    }
    let absent = drawn(4);
    for who in [BUYER, SELLER] {
        // Now and then one of the two never comes back.
        stage.actors[who].online = absent != u64::try_from(who).unwrap();
        if stage.actors[who].online {
            stage.reload(who);
        }
    }
    // Machines that sleep most of the day, for as long as the longest deadline; and then most of the week, until what was released and
    // not fetched goes back.
    for days in [1; 45].into_iter().chain([7; 6]) {
        stage.now = stage.now + days * DAY;
        stage.tick();
        stage.pass(20 * 60);
    }
    assert_eq!(stage.bank.sum(), sum, "seed {seed}");
    assert_eq!(stage.bank.unsigned, 0, "seed {seed}");
    let ends: Vec<(&MessageId, &Vec<Outcome>)> = stage.bank.ends.iter().collect();
    assert!(ends.len() <= 1, "seed {seed}");
    for (order, moved) in ends {
        assert_eq!(
            moved.len(),
            1,
            "seed {seed}: both released and refunded: {order:?}"
        );
    }
    let both = absent >= 2;
    let Some(bought) = stage.actors[BUYER].trades.get(&thread) else {
        return;
    };
    let bought = bought.escrow.clone().unwrap();
    let ended = |state| {
        matches!(
            state,
            EscrowState::Planned
                | EscrowState::Released
                | EscrowState::Refunded
                | EscrowState::Shared { .. }
        )
    };
    if both {
        assert_eq!(stage.bank.locked(), 0, "seed {seed}: {bought:?}");
        assert!(ended(bought.state), "seed {seed}: {bought:?}");
        let sold = stage.actors[SELLER].trades.get(&thread);
        if let Some(sold) = sold.and_then(|sold| sold.escrow.clone()) {
            assert!(ended(sold.state), "seed {seed}: {sold:?}");
            assert_eq!(sold.state, bought.state, "seed {seed}");
        }
        assert_eq!(stage.bank.purses.values().sum::<u64>(), sum, "seed {seed}");
    } else {
        // What is the absent one's stays locked until he comes for it, and nobody else can take it.
        let there = if absent == 1 { BUYER } else { SELLER };
        let trade = stage.actors[there].trades.get(&thread);
        if let Some(mine) = trade.and_then(|trade| trade.escrow.clone())
            && mine.holder == [Side::Buyer, Side::Seller][there]
        {
            assert!(ended(mine.state), "seed {seed}: {mine:?}");
        }
    }
}

#[test]
fn money_moves_once_and_every_lock_ends_whatever_the_rail_and_the_network_do() {
    let seeds = std::env::var("HAGGLE_SEEDS").ok();
    let seeds = seeds.and_then(|seeds| {
        let (from, to) = seeds.split_once("..")?;
        Some(from.parse().ok()?..to.parse().ok()?)
    });
    for seed in seeds.unwrap_or(0..40) {
        any_trade(seed);
    }
}
