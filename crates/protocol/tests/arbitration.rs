//! What is shown to an arbiter: taken as both have signed it, and refused with any part of it changed.

#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    reason = "a test ends at what it did not expect"
)]

mod common;

use common::{NOW, network};
use haggle_protocol::arbitration::{ArbiterTerms, Dispute, FEE_MAX, WITHIN_MAX, WITHIN_MIN};
use haggle_protocol::private::{Body, TraderProof};
use haggle_protocol::seal::Direction;
use haggle_protocol::settlement::EscrowPlan;
use haggle_protocol::trade::{Order, OrderConfirm};
use haggle_protocol::{Contract, DealKey, Intent, MessageId, PublicKey, Refusal, Side, ThreadId};

fn shown(change: impl FnOnce(&mut Dispute)) -> Result<(), Refusal> {
    let mut dispute = common::dispute();
    change(&mut dispute);
    dispute.shown(network()).map(|_| ())
}

/// The same dispute with this order in the place of the signed one, confirmed as the signed one was.
fn with_order(change: impl FnOnce(&mut Order)) -> Dispute {
    let mut order = common::arbitrated(MessageId([0xab; 32]));
    change(&mut order);
    let (id, content) = common::content(&common::message(Direction::ToSeller, Body::Order(order)));
    let confirm = OrderConfirm {
        order: id,
        payment: None,
        note: None,
        key: Some(DealKey([3; 33])),
    };
    let confirm = common::message(Direction::ToBuyer, Body::OrderConfirm(confirm));
    let mut dispute = common::dispute();
    dispute.order = content;
    dispute.confirm = common::content(&confirm).1;
    dispute.contract.order = id;
    dispute
}

#[test]
fn what_both_have_signed_shows_who_they_are_and_what_they_agreed_on() {
    let shown = common::dispute().shown(network()).unwrap();
    assert_eq!(shown.plan.arbiter, Some(common::arbiter()));
    let trader = common::seller_trader().public();
    // In the examples one person stands behind both sides, and is taken for the buyer.
    assert_eq!((shown.buyer, shown.seller), (trader, trader));
    assert_eq!(shown.side(&trader), Some(Side::Buyer));
    assert_eq!(shown.side(&PublicKey([9; 32])), None);
    assert!(with_order(|_| {}).shown(network()).is_ok());
}

#[test]
fn what_is_shown_is_taken_long_after_its_time() {
    let dispute = common::dispute();
    let now = NOW + 40 * 86_400;
    let way = common::way(Direction::ToSeller);
    let key = common::intent_key().0.public();
    let to = way.to.public().unwrap();
    let told =
        haggle_protocol::private::Message::open(&dispute.order, &way.context, &to, &key, now);
    assert_eq!(told.unwrap_err(), Refusal::Expired);
    assert!(dispute.shown(network()).is_ok());
}

#[test]
fn a_contract_that_does_not_follow_from_what_was_signed_is_refused() {
    let contract = common::dispute().contract;
    let later = contract.deadline + 60;
    let renewed = contract.renewed(Side::Seller, later);
    assert_eq!(shown(|it| it.contract = renewed), Ok(()), "it was renewed");
    for other in [
        contract.renewed(Side::Buyer, later),
        Contract {
            seller: DealKey([9; 33]),
            ..contract.clone()
        },
        Contract {
            arbiter: Some(DealKey([9; 33])),
            ..contract.clone()
        },
        Contract {
            arbiter: None,
            ..contract.clone()
        },
        Contract {
            order: MessageId([9; 32]),
            ..contract.clone()
        },
        Contract {
            amount: haggle_protocol::Money::new(38_501, contract.amount.asset),
            ..contract
        },
    ] {
        assert_eq!(shown(|it| it.contract = other), Err(Refusal::BadField));
    }
}

#[test]
fn what_one_of_the_two_has_not_signed_is_refused() {
    let flipped = |bytes: &mut Vec<u8>| bytes[40] ^= 1;
    assert!(shown(|it| flipped(&mut it.order)).is_err());
    assert!(shown(|it| flipped(&mut it.confirm)).is_err());
    let unsigned = |bytes: &mut Vec<u8>| {
        let last = bytes.len() - 1;
        bytes[last - 40] ^= 1;
    };
    assert_eq!(
        shown(|it| unsigned(&mut it.order)),
        Err(Refusal::BadSignature)
    );
    assert_eq!(
        shown(|it| unsigned(&mut it.confirm)),
        Err(Refusal::BadSignature)
    );
    let other = common::peer_key().public();
    assert_eq!(
        shown(|it| it.intent_key = other),
        Err(Refusal::NoIntentProof)
    );
    assert_eq!(
        shown(|it| it.order.clone_from(&it.confirm)),
        Err(Refusal::WrongDirection)
    );
    assert_eq!(
        shown(|it| it.confirm.clone_from(&it.order)),
        Err(Refusal::WrongDirection)
    );
}

#[test]
fn an_order_without_an_arbiter_or_without_a_confirmation_of_its_own_is_refused() {
    let without = |plan: &mut EscrowPlan| plan.arbiter = None;
    let mut dispute = with_order(|order| without(order.escrow.as_mut().unwrap()));
    dispute.contract.arbiter = None;
    assert_eq!(dispute.shown(network()).unwrap_err(), Refusal::BadField);
    let dispute = with_order(|order| order.escrow = None);
    assert_eq!(dispute.shown(network()).unwrap_err(), Refusal::BadField);
    // The confirmation of one order under another.
    let mut dispute = with_order(|order| order.note = Some("Another one.".into()));
    dispute.confirm = common::dispute().confirm;
    assert_eq!(dispute.shown(network()).unwrap_err(), Refusal::BadField);
}

#[test]
fn two_messages_of_different_exchanges_do_not_belong_together() {
    let mut order = common::message(
        Direction::ToSeller,
        Body::Order(common::arbitrated(MessageId([0xab; 32]))),
    );
    order.thread = ThreadId([9; 32]);
    let from = order.from;
    order.intent_proof = Some(haggle_protocol::private::intent_proof(
        &common::intent_key().0,
        network(),
        &order.thread,
        &from,
    ));
    let trader = common::seller_trader();
    order.trader = Some(TraderProof::new(
        &trader,
        network(),
        &order.thread,
        &from,
        Direction::ToSeller,
        order.expires,
    ));
    let (_, content) = common::content(&order);
    assert_eq!(shown(|it| it.order = content), Err(Refusal::WrongThread));
}

#[test]
fn an_arbiter_takes_no_more_than_he_says_and_names_bounds_that_can_be_kept() {
    let terms = common::terms();
    assert_eq!(terms.fee_of(38_500), 385);
    assert_eq!(terms.fee_of(99), 0, "rounded down");
    let most = ArbiterTerms {
        fee: FEE_MAX,
        ..terms.clone()
    };
    assert_eq!(most.fee_of(u64::MAX), u64::MAX / 10);
    for (fee, within, fine) in [
        (0, WITHIN_MIN, true),
        (FEE_MAX, WITHIN_MAX, true),
        (FEE_MAX + 1, WITHIN_MAX, false),
        (0, WITHIN_MIN - 1, false),
        (0, WITHIN_MAX + 1, false),
    ] {
        let terms = ArbiterTerms {
            fee,
            within,
            ..terms.clone()
        };
        assert_eq!(terms.check().is_ok(), fine, "{fee} {within}");
        let intent = Intent {
            arbiter: Some(terms),
            ..common::intent()
        };
        let read = Intent::from_body(&intent.to_body());
        assert_eq!(read.is_ok(), fine);
        assert!(!fine || read == Ok(intent));
    }
}

#[test]
fn an_arbiter_by_another_rail_than_the_keeper_s_is_refused() {
    let mut order = common::arbitrated(MessageId([0xab; 32]));
    let arbiter = order.escrow.as_mut().unwrap().arbiter.as_mut().unwrap();
    arbiter.terms.rail = "other".into();
    assert_eq!(order.check(), Err(Refusal::BadField));
}
