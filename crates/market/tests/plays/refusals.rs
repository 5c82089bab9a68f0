//! Malformed, forged and misplaced messages: each is refused under its own code, and its honest twin is taken.

use haggle_market::view::TradeState;
use haggle_market::{Command, Heard, Input, Ticket};
use haggle_protocol::private::Body;
use haggle_protocol::reach::Entry;
use haggle_protocol::seal::Direction;
use haggle_protocol::trade::{
    Ack, Counter, Decline, DeclineReason, NotSelected, Order, OrderConfirm, Step,
};
use haggle_protocol::{
    Asset, Custodian, EscrowPlan, FrameId, IntentId, MessageId, Money, Quantity, Refusal,
    SealPublic, ThreadId,
};

use crate::escrow::keeper;
use crate::forge::{FakeBuyer, Forger};
use crate::stage::*;

/// What actor 0 says to a cell: its refusal, or `None` if it was acknowledged.
pub(crate) fn says(stage: &mut Stage, at: usize, bytes: Vec<u8>) -> Option<Refusal> {
    let before = stage.actors[at].refused.len();
    stage.input(
        at,
        Input::Heard(Heard::Cell {
            bytes,
            ticket: Ticket(u64::MAX),
        }),
    );
    stage.settle();
    stage.actors[at].refused.get(before).copied()
}

pub(crate) fn forger(stage: &Stage, id: IntentId, seed: u8) -> Forger {
    let open = stage.actors[0].market.book().open(&id).unwrap();
    Forger::seller(seed, id, open.key, open.intent.seal.as_x25519().unwrap())
}

/// One way to get a quote wrong.
type Wrong = fn(&mut Forger, Body, haggle_protocol::Timestamp) -> Vec<u8>;

#[test]
fn a_buyer_refuses_each_wrong_quote_under_its_own_code_and_takes_its_honest_twin() {
    let table: Vec<(Refusal, Wrong)> = vec![
        (Refusal::CellSize, |_, _, _| vec![1; 100]),
        (Refusal::UnknownVersion, |f, body, now| {
            let message = f.message(body, now);
            let mut cell = f.sealed(&message);
            cell[0] = 9;
            cell
        }),
        (Refusal::UnknownRecipient, |f, body, now| {
            f.seal = SealPublic([9; 32]);
            let message = f.message(body, now);
            f.sealed(&message)
        }),
        (Refusal::SealBroken, |f, body, now| {
            let message = f.message(body, now);
            let mut cell = f.sealed(&message);
            cell[900] ^= 1;
            cell
        }),
        (Refusal::BadPadding, |f, _, _| {
            let mut plain = vec![0; 2_048 - 11 - 32 - 16];
            plain[1_000] = 1;
            f.raw(&plain)
        }),
        (Refusal::Truncated, |f, _, _| f.cell(&[0xa0; 20])),
        (Refusal::NotCanonical, |f, _, _| {
            // A map of one entry whose key is written in two bytes though one would do.
            let mut content = vec![0xa1, 0x18, 0x02, 0x01];
            content.extend_from_slice(&[0; 64]);
            f.cell(&content)
        }),
        (Refusal::MissingField, |f, _, _| {
            let mut content = vec![0xa0];
            content.extend_from_slice(&[0; 64]);
            f.cell(&content)
        }),
        (Refusal::WrongDirection, |f, body, now| {
            let mut message = f.message(body, now);
            message.direction = Direction::ToSeller;
            f.sealed(&message)
        }),
        (Refusal::WrongIntent, |f, body, now| {
            let mut message = f.message(body, now);
            message.intent = IntentId([9; 32]);
            f.sealed(&message)
        }),
        (Refusal::WrongThread, |f, body, now| {
            let mut message = f.message(body, now);
            message.thread = ThreadId([9; 32]);
            f.sealed(&message)
        }),
        (Refusal::WrongRecipient, |f, body, now| {
            let message = f.message(body, now);
            let (_, content) = message
                .sign(network(), &SealPublic([9; 32]), &f.key)
                .unwrap();
            f.cell(&content)
        }),
        (Refusal::Expired, |f, body, now| {
            let mut message = f.message(body, now);
            (message.created, message.expires) = (now - 600, now);
            f.sealed(&message)
        }),
        (Refusal::FromTheFuture, |f, body, now| {
            let mut message = f.message(body, now);
            message.created = now + 121;
            f.sealed(&message)
        }),
        (Refusal::BadSignature, |f, body, now| {
            let message = f.message(body, now);
            let (_, mut content) = message.sign(network(), &f.seal, &f.key).unwrap();
            let last = content.len() - 1;
            content[last] ^= 1;
            f.cell(&content)
        }),
        (Refusal::NoTrader, |f, body, now| {
            let Body::Quote(mut quote) = body else {
                unreachable!()
            };
            quote.firm = true;
            let message = f.message(Body::Quote(quote), now);
            f.sealed(&message)
        }),
        (Refusal::BadTraderProof, |f, body, now| {
            let mut message = f.message(body, now);
            let elsewhere = haggle_protocol::private::Message {
                thread: ThreadId([9; 32]),
                ..message.clone()
            };
            message.trader = Some(f.proof(&elsewhere));
            f.sealed(&message)
        }),
        (Refusal::BadReach, |f, body, now| {
            let mut message = f.message(body, now);
            let circuit = haggle_protocol::reach::Circuit {
                relay: f.trader.public(),
                address: String::new(),
                peer: f.trader.public(),
            };
            // The named peer agreed to be named by somebody else's key.
            let other = f.trader.public();
            let entry = Entry::agree(circuit, &f.trader, network(), &other, message.expires);
            message.reach = vec![entry];
            f.sealed(&message)
        }),
        (Refusal::BadKey, |f, body, now| {
            let mut message = f.message(body, now);
            message.reply = SealPublic([0; 32]);
            f.sealed(&message)
        }),
        (Refusal::WrongSum, |f, body, now| {
            let Body::Quote(mut quote) = body else {
                unreachable!()
            };
            quote.total.minor += 1;
            let message = f.message(Body::Quote(quote), now);
            f.sealed(&message)
        }),
        (Refusal::BadText, |f, body, now| {
            let Body::Quote(mut quote) = body else {
                unreachable!()
            };
            quote.lines[0].description = "png\u{202e}exe".into();
            let message = f.message(Body::Quote(quote), now);
            f.sealed(&message)
        }),
        (Refusal::BadField, |f, body, now| {
            let Body::Quote(mut quote) = body else {
                unreachable!()
            };
            quote.number = 0;
            let message = f.message(Body::Quote(quote), now);
            f.sealed(&message)
        }),
        (Refusal::WrongUnit, |f, body, now| {
            let Body::Quote(mut quote) = body else {
                unreachable!()
            };
            quote.total.asset = Asset::new("USD").unwrap();
            let message = f.message(Body::Quote(quote), now);
            f.sealed(&message)
        }),
        (Refusal::UnknownRevision, |f, body, now| {
            let Body::Quote(mut quote) = body else {
                unreachable!()
            };
            quote.answers = FrameId([9; 32]);
            let message = f.message(Body::Quote(quote), now);
            f.sealed(&message)
        }),
        (Refusal::WrongState, |f, _, now| {
            let ack = Body::Ack(Ack {
                message: MessageId([1; 32]),
            });
            let message = f.message(ack, now);
            f.sealed(&message)
        }),
        (Refusal::WrongState, |f, _, now| {
            let confirm = OrderConfirm {
                order: MessageId([1; 32]),
                payment: None,
                note: None,
                key: None,
            };
            let mut message = f.message(Body::OrderConfirm(confirm), now);
            message.trader = Some(f.proof(&message));
            f.sealed(&message)
        }),
    ];
    let mut stage = Stage::new(&["buyer"]);
    let id = stage.publish(0, wants_laptop());
    let now = stage.now;
    for (row, (code, wrong)) in (1u8..).zip(table) {
        let mut forger = forger(&stage, id, row);
        let body = Body::Quote(forger.quote(40_000 + u64::from(row), now));
        let cell = wrong(&mut forger, body.clone(), now);
        let kept = stage.actors[0].saved.clone();
        assert_eq!(says(&mut stage, 0, cell), Some(code), "row {row}");
        assert!(
            kept == stage.actors[0].saved,
            "row {row}: what is refused changes nothing"
        );

        let mut twin = self::forger(&stage, id, row);
        let message = twin.message(body, now);
        let cell = twin.sealed(&message);
        assert_eq!(
            says(&mut stage, 0, cell),
            None,
            "the honest twin of row {row}"
        );
    }
    assert_eq!(stage.actors[0].mine[&id].quotes.len(), 26);
}

#[test]
fn what_comes_again_is_acknowledged_again_and_what_pretends_to_be_it_is_not() {
    let mut stage = Stage::new(&["buyer"]);
    let id = stage.publish(0, wants_laptop());
    let mut seller = forger(&stage, id, 1);
    let first = seller.message(Body::Quote(seller.quote(40_000, stage.now)), stage.now);
    let cell = seller.sealed(&first);
    assert_eq!(says(&mut stage, 0, cell.clone()), None);
    let saved = stage.actors[0].saved.clone();
    assert_eq!(says(&mut stage, 0, cell), None);
    assert!(
        saved == stage.actors[0].saved,
        "the same cell again needs no new word"
    );
    // The same message in another cell had its effect already.
    let again = seller.sealed(&first);
    assert_eq!(says(&mut stage, 0, again), None);
    assert_eq!(stage.actors[0].mine[&id].quotes.len(), 1);
    // Another message under the same number.
    let mut other = first.clone();
    other.body = Body::Quote(seller.quote(39_000, stage.now));
    let cell = seller.sealed(&other);
    assert_eq!(says(&mut stage, 0, cell), Some(Refusal::Replayed));
    assert_eq!(
        stage.actors[0].mine[&id].quotes[0].quote.total.minor,
        40_000
    );
}

#[test]
fn quotes_are_taken_until_they_are_due_and_while_it_is_open() {
    let mut stage = Stage::new(&["buyer"]);
    let mut draft = wants_laptop();
    draft.quotes_for = Some(600);
    let id = stage.publish(0, draft);
    let mut early = forger(&stage, id, 1);
    let mut late = forger(&stage, id, 2);
    stage.pass(599);
    let message = early.message(Body::Quote(early.quote(40_000, stage.now)), stage.now);
    let cell = early.sealed(&message);
    assert_eq!(says(&mut stage, 0, cell), None);
    stage.pass(2);
    let message = late.message(Body::Quote(late.quote(40_000, stage.now)), stage.now);
    let cell = late.sealed(&message);
    assert_eq!(says(&mut stage, 0, cell.clone()), Some(Refusal::TooLate));
    stage.tell(0, Command::Withdraw { intent: id }).unwrap();
    assert_eq!(says(&mut stage, 0, cell.clone()), Some(Refusal::Closed));
    // A day later nothing that was sealed to it opens any more.
    stage.pass(24 * 60 * 60 + 1);
    assert_eq!(says(&mut stage, 0, cell), Some(Refusal::UnknownRecipient));
}

#[test]
fn a_flood_of_quotes_keeps_the_best_and_a_talkative_seller_is_slowed() {
    let mut stage = Stage::new(&["buyer"]);
    let id = stage.publish(0, wants_laptop());
    let now = stage.now;
    for seed in 1..=64 {
        let mut seller = forger(&stage, id, seed);
        let message = seller.message(Body::Quote(seller.quote(50_000, now)), now);
        let cell = seller.sealed(&message);
        assert_eq!(says(&mut stage, 0, cell), None, "{seed}");
    }
    let mut dear = forger(&stage, id, 70);
    let message = dear.message(Body::Quote(dear.quote(60_000, now)), now);
    let cell = dear.sealed(&message);
    assert_eq!(says(&mut stage, 0, cell), Some(Refusal::TooManyQuotes));
    let mut cheap = forger(&stage, id, 71);
    let message = cheap.message(Body::Quote(cheap.quote(40_000, now)), now);
    let cell = cheap.sealed(&message);
    assert_eq!(says(&mut stage, 0, cell), None);
    let quotes = &stage.actors[0].mine[&id].quotes;
    assert_eq!((quotes.len(), quotes[0].quote.total.minor), (64, 40_000));

    let mut refused = None;
    for number in 2..80 {
        let mut quote = cheap.quote(40_000, now);
        quote.number = number;
        let message = cheap.message(Body::Quote(quote), now);
        let cell = cheap.sealed(&message);
        refused = says(&mut stage, 0, cell);
        if refused.is_some() {
            break;
        }
    }
    assert_eq!(refused, Some(Refusal::WhisperRate));
    stage.pass(5);
    let mut quote = cheap.quote(39_000, stage.now);
    quote.number = 90;
    let message = cheap.message(Body::Quote(quote), stage.now);
    let cell = cheap.sealed(&message);
    assert_eq!(says(&mut stage, 0, cell), None);
}

#[test]
fn a_quote_that_made_room_for_a_better_one_does_not_come_back_by_a_cell_that_comes_twice() {
    let mut stage = Stage::new(&["buyer"]);
    let id = stage.publish(0, wants_laptop());
    let now = stage.now;
    let mut cells = Vec::new();
    let mut best = forger(&stage, id, 66);
    for seed in 1..=65 {
        let mut seller = forger(&stage, id, seed);
        let price = if seed == 65 { 40_000 } else { 50_000 };
        let message = seller.message(Body::Quote(seller.quote(price, now)), now);
        let cell = seller.sealed(&message);
        cells.push(cell.clone());
        assert_eq!(says(&mut stage, 0, cell), None, "{seed}");
        best = seller;
    }
    // The best one is taken back, so there is room; and the page was loaded again meanwhile.
    let decline = Decline {
        reason: DeclineReason::NoStock,
        last: true,
        order: None,
    };
    let message = best.message(Body::Decline(decline), now);
    let cell = best.sealed(&message);
    assert_eq!(says(&mut stage, 0, cell), None);
    stage.reload(0);
    let mut refused = Vec::new();
    for cell in cells {
        refused.extend(says(&mut stage, 0, cell));
    }
    assert_eq!(refused, [Refusal::TooManyQuotes]);
}

/// A house that is full of quotes, and the one that made it so.
fn full() -> (Stage, IntentId, Forger) {
    let mut stage = Stage::new(&["buyer"]);
    let id = stage.publish(0, wants_laptop());
    let now = stage.now;
    for seed in 1..64 {
        let mut seller = forger(&stage, id, seed);
        let message = seller.message(Body::Quote(seller.quote(50_000, now)), now);
        let cell = seller.sealed(&message);
        assert_eq!(says(&mut stage, 0, cell), None, "{seed}");
    }
    let mut last = forger(&stage, id, 64);
    let message = last.message(Body::Quote(last.quote(50_000, now)), now);
    let cell = last.sealed(&message);
    assert_eq!(says(&mut stage, 0, cell), None);
    (stage, id, last)
}

#[test]
fn a_quote_that_was_refused_for_good_is_not_taken_when_it_comes_again_and_there_is_room() {
    let (mut stage, id, mut last) = full();
    let now = stage.now;
    let mut dear = forger(&stage, id, 70);
    let message = dear.message(Body::Quote(dear.quote(60_000, now)), now);
    let refused = dear.sealed(&message);
    let said = says(&mut stage, 0, refused.clone());
    assert_eq!(said, Some(Refusal::TooManyQuotes));
    let decline = Decline {
        reason: DeclineReason::NoStock,
        last: true,
        order: None,
    };
    let message = last.message(Body::Decline(decline), now);
    let cell = last.sealed(&message);
    assert_eq!(says(&mut stage, 0, cell), None);
    stage.reload(0);
    let said = says(&mut stage, 0, refused.clone());
    assert_eq!(said, Some(Refusal::TooManyQuotes), "its seller heard so");
    // What he offers anew is another word.
    let mut quote = dear.quote(59_000, now);
    quote.number = 2;
    let message = dear.message(Body::Quote(quote), now);
    let cell = dear.sealed(&message);
    assert_eq!(says(&mut stage, 0, cell), None);
    let said = says(&mut stage, 0, refused);
    assert_eq!(said, Some(Refusal::TooManyQuotes));
    let quotes = &stage.actors[0].mine[&id].quotes;
    let prices: Vec<u64> = quotes.iter().map(|it| it.quote.total.minor).collect();
    assert!(prices.contains(&59_000) && !prices.contains(&60_000));
}

#[test]
fn whom_a_buyer_cannot_remember_to_have_refused_tries_again() {
    let (mut stage, id, _) = full();
    let now = stage.now;
    let mut said = Vec::new();
    for seed in 70..=198 {
        let mut dear = forger(&stage, id, seed);
        let message = dear.message(Body::Quote(dear.quote(60_000, now)), now);
        let cell = dear.sealed(&message);
        said.extend(says(&mut stage, 0, cell));
    }
    let last = said.pop();
    assert_eq!(said, [Refusal::TooManyQuotes; 128]);
    assert_eq!(last, Some(Refusal::WhisperRate), "refused, not for good");
    // What has expired need not be remembered.
    let kept = stage.actors[0].saved[&format!("intent/{id}")].len();
    stage.pass(2 * 60 * 60);
    let now = stage.now;
    let mut said = Vec::new();
    for seed in 129..=193 {
        let mut seller = forger(&stage, id, seed);
        let price = if seed == 193 { 60_000 } else { 50_000 };
        let message = seller.message(Body::Quote(seller.quote(price, now)), now);
        let cell = seller.sealed(&message);
        said.extend(says(&mut stage, 0, cell));
    }
    assert_eq!(said, [Refusal::TooManyQuotes]);
    assert!(stage.actors[0].saved[&format!("intent/{id}")].len() < kept);
}

#[test]
fn a_seller_refuses_each_wrong_order_under_its_own_code_and_takes_its_honest_twin() {
    let mut stage = Stage::new(&["seller", "somebody"]);
    let now = stage.now;
    stage.put(0, laptop(40_000, 50));
    let rules = serde_json::json!({
        "auto": "indicative", "validFor": 1_800, "perHour": 120, "keepers": [keeper("EUR")],
    });
    stage.tell(0, ruled(rules)).unwrap();
    let id = stage.publish(1, wants_laptop());
    let like = stage.actors[1].mine[&id].intent.clone();
    stage.actors[1].online = false;

    type Bend = fn(&mut FakeBuyer, &mut haggle_protocol::private::Message);
    let table: Vec<(Refusal, Bend)> = vec![
        (Refusal::NoIntentProof, |_, message| {
            message.intent_proof = None
        }),
        (Refusal::NoTrader, |_, message| message.trader = None),
        (Refusal::WrongSum, |_, message| {
            order(message).total.minor += 1
        }),
        (Refusal::WrongSum, |_, message| {
            order(message).quantity = Quantity::pieces(2)
        }),
        (Refusal::WrongUnit, |_, message| {
            let asset = Asset::new("USD").unwrap();
            order(message).total = Money::new(order(message).total.minor, asset);
        }),
        (Refusal::BadField, |_, message| {
            order(message).delivery = haggle_protocol::intent::Delivery::Pickup;
        }),
        (Refusal::WrongState, |_, message| {
            let confirm = OrderConfirm {
                order: MessageId([1; 32]),
                payment: None,
                note: None,
                key: None,
            };
            message.body = Body::OrderConfirm(confirm);
        }),
        // A counter that offers as much as is asked, and one in another currency.
        (Refusal::WrongSum, |_, message| {
            message.body = counter(order(message), "EUR", 0);
        }),
        (Refusal::WrongUnit, |_, message| {
            message.body = counter(order(message), "USD", 1);
        }),
        // What shall be locked: elsewhere, another sum, and when nobody could do it in time.
        (Refusal::BadField, |_, message| {
            let custodian = Custodian::new("https://elsewhere.example").unwrap();
            planned(order(message)).keeper.custodian = custodian;
        }),
        (Refusal::WrongSum, |_, message| {
            planned(order(message)).minor -= 1
        }),
        (Refusal::Expired, |_, message| {
            planned(order(message)).deadline = START + 2 * 24 * 60 * 60;
        }),
    ];
    for (row, (code, bend)) in (1u8..).zip(table) {
        let mut buyer = FakeBuyer::new(row, &like, now);
        let mut cells = Vec::new();
        let frames = [buyer.frame.clone(), buyer.reach(&stage.actors[1].peer, now)];
        for bytes in frames {
            let source = haggle_book::Source::Own;
            stage.input(0, Input::Heard(Heard::Frame { bytes, source }));
        }
        while let Some(post) = stage.queue.pop_front() {
            if let Post::Cell { bytes, .. } = post {
                cells.push(bytes);
            }
        }
        let read = buyer.open(cells.pop().expect("the seller quotes"), now);
        let Body::Quote(quote) = &read.message.body else {
            panic!("a quote")
        };
        let body = Body::Order(Order {
            quote: read.id,
            total: quote.total,
            quantity: Quantity::pieces(1),
            delivery: quote.delivery,
            confirm_by: now + 600,
            note: None,
            handover: None,
            reach_secret: None,
            escrow: None,
        });
        let honest = buyer.message(read.message.thread, body, now);
        let mut wrong = honest.clone();
        bend(&mut buyer, &mut wrong);
        let key = buyer.key.clone();
        let cell = buyer.sealed(&wrong, read.message.reply, &key);
        let kept = stage.actors[0].saved.clone();
        assert_eq!(says(&mut stage, 0, cell), Some(code), "row {row}");
        assert!(
            kept == stage.actors[0].saved,
            "row {row}: what is refused changes nothing"
        );
        let cell = buyer.sealed(&honest, read.message.reply, &key);
        assert_eq!(
            says(&mut stage, 0, cell),
            None,
            "the honest twin of row {row}"
        );

        // A second order while the first one waits, and one by another key than the thread's.
        let more = buyer.message(honest.thread, honest.body.clone(), now);
        let cell = buyer.sealed(&more, read.message.reply, &key);
        let reply = says(&mut stage, 0, cell);
        assert!(matches!(
            reply,
            Some(Refusal::WrongState | Refusal::UnknownRecipient)
        ));
        let mut other = buyer.message(honest.thread, Body::Moved, now);
        let stranger = haggle_protocol::keys::SigningKey::from_seed(&[row; 32]);
        other.from = stranger.public();
        other.intent_proof = Some(haggle_protocol::private::intent_proof(
            &buyer.intent_key,
            network(),
            &other.thread,
            &other.from,
        ));
        let cell = buyer.sealed(&other, read.message.reply, &stranger);
        assert_eq!(says(&mut stage, 0, cell), Some(Refusal::WrongSender));
    }
    assert_eq!(stage.actors[0].trades.len(), 12);
}

#[test]
fn a_buyer_who_has_the_confirmation_cannot_undo_it_by_saying_that_he_does_not_need_the_quote() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Shown {
        Nothing,
        Paid,
        Acknowledged,
        AcknowledgedLate,
    }
    let shown = [
        Shown::Nothing,
        Shown::Paid,
        Shown::Acknowledged,
        Shown::AcknowledgedLate,
    ];
    for (row, shown) in (1u8..).zip(shown) {
        let mut stage = Stage::new(&["seller", "somebody"]);
        stage.put(0, laptop(40_000, 50));
        stage.tell(0, rules("firm")).unwrap();
        let id = stage.publish(1, wants_laptop());
        let like = stage.actors[1].mine[&id].intent.clone();
        stage.actors[1].online = false;
        let mut buyer = FakeBuyer::new(row, &like, stage.now);
        let reach = buyer.reach(&stage.actors[1].peer, stage.now);
        for bytes in [buyer.frame.clone(), reach] {
            let source = haggle_book::Source::Own;
            stage.input(0, Input::Heard(Heard::Frame { bytes, source }));
        }
        let posts = stage.queue.drain(..).filter_map(|post| match post {
            Post::Cell { bytes, .. } => Some(bytes),
            Post::Frame { .. }
            | Post::Answered { .. }
            | Post::Asked { .. }
            | Post::Piece { .. }
            | Post::Pay { .. } => None,
        });
        let mut quoted: Vec<Vec<u8>> = posts.collect();
        let read = buyer.open(quoted.pop().expect("the seller quotes"), stage.now);
        let Body::Quote(quote) = &read.message.body else {
            panic!("a quote")
        };
        let (thread, to, key) = (read.message.thread, read.message.reply, buyer.key.clone());
        let body = Body::Order(Order {
            quote: read.id,
            total: quote.total,
            quantity: Quantity::pieces(1),
            delivery: quote.delivery,
            confirm_by: stage.now + 60,
            note: None,
            handover: None,
            reach_secret: None,
            escrow: None,
        });
        let ordered = buyer.message(thread, body, stage.now);
        let (order, _) = ordered.sign(network(), &to, &key).unwrap();
        let bytes = buyer.sealed(&ordered, to, &key);
        let ticket = Ticket(u64::MAX);
        stage.input(0, Input::Heard(Heard::Cell { bytes, ticket }));
        assert_eq!(stage.actors[0].trade().state, TradeState::Confirmed);
        let confirm = stage.queue.drain(..).find_map(|post| match post {
            Post::Cell { message, .. } => Some(message),
            Post::Frame { .. }
            | Post::Answered { .. }
            | Post::Asked { .. }
            | Post::Piece { .. }
            | Post::Pay { .. } => None,
        });
        match shown {
            Shown::Nothing => {}
            Shown::Paid => {
                let body = Body::PaymentProof(Step {
                    order,
                    note: None,
                    files: Vec::new(),
                });
                let paid = buyer.message(thread, body, stage.now);
                let cell = buyer.sealed(&paid, to, &key);
                assert_eq!(says(&mut stage, 0, cell), None);
            }
            Shown::Acknowledged | Shown::AcknowledgedLate => {
                let message = confirm.expect("the seller confirms");
                if shown == Shown::AcknowledgedLate {
                    stage.now = stage.now + 61;
                }
                let ack = buyer.message(thread, Body::Ack(Ack { message }), stage.now);
                let answer = Ok(buyer.sealed(&ack, to, &key));
                stage.input(0, Input::Heard(Heard::Answered { message, answer }));
            }
        }
        let body = Body::NotSelected(NotSelected { quote: read.id });
        let not = buyer.message(thread, body, stage.now);
        let cell = buyer.sealed(&not, to, &key);
        let (refused, state) = match shown {
            // Who has not shown that he had it in time may have given up waiting.
            Shown::Nothing | Shown::AcknowledgedLate => (None, TradeState::NotConfirmed),
            Shown::Paid | Shown::Acknowledged => (Some(Refusal::WrongState), TradeState::Confirmed),
        };
        assert_eq!(says(&mut stage, 0, cell), refused, "{shown:?}");
        assert_eq!(stage.actors[0].trade().state, state, "{shown:?}");
    }
}

/// A counter instead of an order, by so much below what it would pay.
fn counter(order: &Order, asset: &str, less: u64) -> Body {
    let asset = Asset::new(asset).unwrap();
    Body::Counter(Counter {
        quote: order.quote,
        total: Money::new(order.total.minor - less, asset),
        round: 1,
        note: None,
    })
}

/// What an order plans to lock, as it may be.
fn planned(order: &mut Order) -> &mut EscrowPlan {
    let plan = EscrowPlan {
        keeper: keeper("EUR"),
        minor: order.total.minor,
        deadline: START + 16 * 24 * 60 * 60,
        review: 14 * 24 * 60 * 60,
        arbiter: None,
    };
    order.escrow.insert(plan)
}

fn order(message: &mut haggle_protocol::private::Message) -> &mut Order {
    let Body::Order(order) = &mut message.body else {
        panic!("an order")
    };
    order
}
