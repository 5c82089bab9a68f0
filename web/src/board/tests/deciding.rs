//! Those who decide for others, whom they decide for, and where each of that stands.

use haggle_protocol::{ArbiterTerms, DealKey};

use super::*;
use crate::node::{Arbitration, ClaimView, DisputeState, DisputeView, RulingView};

/// Somebody who says that he decides, taking so many thousandths.
fn arbiter(id: u8, fee: u16) -> (Event, Arbiter) {
    let terms = ArbiterTerms {
        rail: "cashu".into(),
        key: DealKey([2; DealKey::LEN]),
        fee,
        within: 86_400,
    };
    let mut event = open(id, "I decide about bicycles", 1_000, false, None);
    if let Event::Market(MarketEvent::OpenIntent(open)) = &mut event {
        open.intent.arbiter = Some(terms.clone());
    }
    let intent = IntentId([id; 32]);
    (event, Arbiter { intent, terms })
}

#[test]
fn whoever_decides_for_others_wants_nothing_and_is_known_by_his_terms() {
    let (said, one) = arbiter(1, 20);
    let (board, _) = told([said, open(2, "A road bike", 1_000, false, None), READY]);
    assert_eq!(board.market(&Filter::default()), [IntentId([2; 32])]);
    assert_eq!(board.wanted(), 1);
    let title = "I decide about bicycles";
    assert_eq!(board.arbiters("cashu"), [(one.clone(), title.to_owned())]);
    assert_eq!(board.arbiters("other"), []);
    assert_eq!(board.arbiter(&one), Some(title));
    // Others have agreed to other terms, or named somebody else.
    let (_, dearer) = arbiter(1, 30);
    let (_, other) = arbiter(3, 20);
    assert_eq!(
        (board.arbiter(&dearer), board.arbiter(&other)),
        (None, None)
    );
}

#[test]
fn what_i_decide_for_others_stands_apart_from_what_i_want() {
    let mut said = mine(1, IntentState::Open, 1_000, Vec::new());
    if let Event::Market(MarketEvent::MyIntent(mine)) = &mut said {
        mine.draft.arbiter = Some(Arbitration {
            rail: "cashu".into(),
            fee: 20,
            within: 86_400,
        });
    }
    let (mut board, _) = told([mine(2, IntentState::Open, 1_000, Vec::new()), READY]);
    assert!(!board.decides());
    board.apply(said);
    assert!(board.decides());
    assert_eq!(board.my_intents(), [IntentId([2; 32])]);
    assert_eq!(board.my_offers(), [IntentId([1; 32])]);

    let claim = |side| ClaimView {
        thread: ThreadId([1; 32]),
        side,
        trader: PublicKey([3; 32]),
        buyer: 300,
        words: "It is bent.".into(),
        at: Timestamp(1_500),
        told: false,
        refused: None,
    };
    let case_in = |state, claims, trouble: Option<&str>| {
        Event::Market(MarketEvent::Case(Box::new(Case {
            order: MessageId([5; 32]),
            intent: IntentId([1; 32]),
            keeper: keeper(),
            amount: Money::new(1_000, eur()),
            fee: 20,
            claims,
            holder: Side::Buyer,
            deadline: Timestamp(9_000),
            rule_by: Timestamp(8_000),
            state,
            review: None,
            ruling: None,
            earned: None,
            trouble: trouble.map(ToOwned::to_owned),
        })))
    };
    let case = |state, claims| case_in(state, claims, None);
    // Asked once, looked at, asked by the other side too, decided.
    let buyer = claim(Side::Buyer);
    let both = vec![buyer.clone(), claim(Side::Seller)];
    let looking = case(CaseState::Looking, vec![buyer.clone()]);
    assert_eq!(board.apply(looking), [News::Case]);
    assert_eq!(board.cases_waiting_for_me(), 0);
    // I have to say whether its mint may be asked.
    let unasked = case_in(CaseState::Looking, vec![buyer.clone()], Some("not-trusted"));
    assert_eq!(board.apply(unasked), []);
    assert_eq!(board.cases_waiting_for_me(), 1);
    assert_eq!(board.apply(case(CaseState::Open, vec![buyer])), []);
    assert_eq!((board.cases_waiting_for_me(), board.waiting()), (1, 1));
    let open = case(CaseState::Open, both.clone());
    assert_eq!(board.apply(open), [News::Case]);
    assert_eq!(board.case_threads().len(), 2);
    assert_eq!(board.apply(case(CaseState::Ruled, both)), []);
    assert_eq!((board.cases_waiting_for_me(), board.waiting()), (0, 0));
    // What is said about it waits there, and not among what I want.
    board.apply(unread(Role::Buyer));
    assert_eq!(board.unread_before_orders(Role::Buyer), 0);
    assert_eq!((board.cases_waiting_for_me(), board.waiting()), (1, 1));
}

#[test]
fn what_an_arbiter_says_waits_with_its_trade_and_his_ruling_is_news_once() {
    let asked = |ruling: Option<Option<&str>>| {
        let mut event = trade(Role::Buyer, TradeState::Confirmed, None, None);
        if let Event::Market(MarketEvent::Trade(trade)) = &mut event {
            trade.thread = ThreadId([2; 32]);
            let mut escrow = escrow();
            escrow.dispute = Some(DisputeView {
                thread: ThreadId([1; 32]),
                buyer: 300,
                words: "It is bent.".into(),
                at: Timestamp(1_500),
                state: DisputeState::Delivered,
            });
            escrow.ruling = ruling.map(|words| RulingView {
                buyer: 300,
                seller: 680,
                arbiter: 20,
                words: words.map(ToOwned::to_owned),
                held_until: None,
            });
            trade.escrow = Some(escrow);
        }
        event
    };
    let (mut board, _) = told([asked(None), READY]);
    board.apply(unread(Role::Seller));
    assert_eq!(board.unread_before_orders(Role::Seller), 0);
    assert_eq!((board.trades_waiting_for_me(), board.waiting()), (1, 1));
    let thread = ThreadId([2; 32]);
    // What only the other side says of it is none.
    assert_eq!(board.apply(asked(Some(None))), []);
    let told = asked(Some(Some("It can be used.")));
    assert_eq!(board.apply(told.clone()), [News::Ruled { thread }]);
    assert_eq!(board.apply(told), []);
}

#[test]
fn that_it_counts_as_sent_is_news_and_shares_out_nothing() {
    let until = Timestamp(9_000);
    let ruled = |words: Option<&str>, holder, deadline| {
        let mut event = trade(Role::Buyer, TradeState::Confirmed, None, None);
        if let Event::Market(MarketEvent::Trade(trade)) = &mut event {
            let ruling = RulingView {
                buyer: 0,
                seller: 0,
                arbiter: 0,
                words: words.map(ToOwned::to_owned),
                held_until: Some(until),
            };
            trade.escrow = Some(EscrowView {
                holder,
                deadline,
                ruling: Some(ruling),
                ..escrow()
            });
        }
        event
    };
    let is_news = |event: Event| {
        let before = trade(Role::Buyer, TradeState::Confirmed, None, None);
        let (mut board, _) = told([before, READY]);
        let news = board.apply(event);
        news.iter().any(|it| matches!(it, News::Ruled { .. }))
    };
    let of = |event: &Event| {
        let Event::Market(MarketEvent::Trade(trade)) = event else {
            panic!("a trade");
        };
        trade.escrow.clone().unwrap()
    };
    for (words, holder, deadline, stands) in [
        // The arbiter has told me; it is locked so; or only the other side says it.
        (Some("So."), Side::Buyer, Timestamp(1), true),
        (None, Side::Seller, until, true),
        (None, Side::Buyer, Timestamp(1), false),
        (None, Side::Seller, Timestamp(1), false),
    ] {
        let event = ruled(words, holder, deadline);
        assert_eq!(is_held_by_ruling(&of(&event)), stands);
        assert_eq!(decided(&of(&event)), None, "nothing is shared out");
        assert_eq!(is_news(event), stands);
    }
}
