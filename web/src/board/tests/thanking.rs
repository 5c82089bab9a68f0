//! To whom a tip could be given, where that is offered, and that it is not before there is something to be thankful for.

use super::*;
use crate::node::{DisputeState, DisputeView, RulingView};

const TRADE: ThreadId = ThreadId([1; 32]);
const WITH_ARBITER: ThreadId = ThreadId([9; 32]);

/// A trade on this side, with what has become of its money, if any was locked.
fn traded(role: Role, state: TradeState, money: Option<EscrowState>) -> Event {
    let mut event = trade(role, state, None, None);
    if let Event::Market(MarketEvent::Trade(trade)) = &mut event {
        trade.escrow = money.map(|state| EscrowView { state, ..escrow() });
    }
    event
}

/// To the other side, and to the arbiter.
fn offered(events: impl IntoIterator<Item = Event>, other: Thanked) -> [Option<ThreadId>; 2] {
    let mut board = Board::default();
    for event in events {
        board.apply(event);
    }
    [other, Thanked::Arbiter].map(|whom| board.tip_to(&TRADE, whom))
}

#[test]
fn nobody_is_thanked_before_a_trade_is_over_nor_for_one_that_came_to_nothing() {
    let cancelled = TradeState::Cancelled {
        by: Role::Seller,
        reason: CancelReason::Other,
    };
    let none = [
        TradeState::Ordered,
        TradeState::Confirmed,
        TradeState::ContactsExchanged,
        TradeState::Dispatched,
        TradeState::Delivered,
        TradeState::Declined(DeclineReason::NoStock),
        TradeState::NotConfirmed,
        TradeState::Lapsed,
        cancelled,
    ];
    let unpaid = [
        None,
        Some(EscrowState::Planned),
        Some(EscrowState::Locking),
        Some(EscrowState::Locked),
        Some(EscrowState::Refunded),
    ];
    for state in none {
        for money in unpaid {
            let told = [traded(Role::Buyer, state, money)];
            assert_eq!(offered(told, Thanked::Seller), [None, None], "{state:?}");
        }
    }
    assert_eq!(offered([], Thanked::Seller), [None, None]);
}

#[test]
fn once_a_trade_is_over_its_other_side_can_be_thanked_and_nobody_thanks_himself() {
    let shared = EscrowState::Shared {
        buyer: 1,
        seller: 2,
    };
    let ended = [
        (TradeState::Received, None),
        (TradeState::Received, Some(EscrowState::Locked)),
        (TradeState::Dispatched, Some(EscrowState::Released)),
        (TradeState::Lapsed, Some(EscrowState::Released)),
        (TradeState::Dispatched, Some(shared)),
    ];
    for (state, money) in ended {
        let (buyer, seller) = (Role::Buyer, Role::Seller);
        let told = |role| [traded(role, state, money)];
        let there = [Some(TRADE), None];
        assert_eq!(offered(told(buyer), Thanked::Seller), there);
        assert_eq!(offered(told(seller), Thanked::Buyer), there);
        assert_eq!(offered(told(buyer), Thanked::Buyer), [None, None]);
        assert_eq!(offered(told(seller), Thanked::Seller), [None, None]);
    }
}

#[test]
fn where_no_more_is_said_no_tip_is_offered() {
    let ended = || traded(Role::Buyer, TradeState::Received, None);
    let open = chat(Role::Buyer, &[(1, true)]);
    let there = [Some(TRADE), None];
    assert_eq!(offered([ended(), open], Thanked::Seller), there);
    let mut over = chat(Role::Buyer, &[(1, true)]);
    if let Event::Market(MarketEvent::Chat(chat)) = &mut over {
        chat.can_say = false;
    }
    assert_eq!(offered([ended(), over], Thanked::Seller), [None, None]);
}

#[test]
fn an_arbiter_is_thanked_by_whoever_asked_him_once_what_he_decided_is_done() {
    let ruled = |asked: bool, told: bool, state| {
        let mut event = traded(Role::Buyer, TradeState::Dispatched, Some(state));
        if let Event::Market(MarketEvent::Trade(trade)) = &mut event
            && let Some(escrow) = &mut trade.escrow
        {
            escrow.dispute = asked.then(|| DisputeView {
                thread: WITH_ARBITER,
                at: Timestamp(1),
                buyer: 300,
                words: "A key is missing.".into(),
                state: DisputeState::Delivered,
            });
            escrow.ruling = told.then(|| RulingView {
                buyer: 300,
                seller: 680,
                arbiter: 20,
                words: Some("It is worth less.".into()),
                held_until: None,
            });
        }
        offered([event], Thanked::Seller)[1]
    };
    let shared = EscrowState::Shared {
        buyer: 300,
        seller: 680,
    };
    assert_eq!(ruled(true, true, shared), Some(WITH_ARBITER));
    // The two were at one before he had decided; it is not done yet; or the other side has asked him.
    assert_eq!(ruled(true, false, shared), None);
    assert_eq!(ruled(true, true, EscrowState::Locked), None);
    assert_eq!(ruled(false, true, shared), None);
}
