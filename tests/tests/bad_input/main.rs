//! Everything that a stranger can send and that is wrong: each is refused by a running peer and by a running relay under
//! its own counted code, while its valid twin is taken; both go on serving afterwards. The table stands in
//! docs/threats.md too, and the last test here holds the two together.

mod private;
mod public;
mod target;

use std::time::Duration;

use haggle_book::Limits;
use haggle_market::item::{Auto, DeliveryOffer, Item, ItemId, Rules, Tier};
use haggle_protocol::category::Category;
use haggle_protocol::intent::{Delivery, Revision};
use haggle_protocol::private::{Body, Message};
use haggle_protocol::quote::Quality;
use haggle_protocol::reach::Circuit;
use haggle_protocol::seal::{Cell, Direction, Hpke};
use haggle_protocol::trade::Ack;
use haggle_protocol::{
    Asset, Frame, Intent, IntentId, MessageId, Network, Quantity, Refusal, Unit,
};
use haggle_tests::forge::{Forge, Pen, book_question, with_length};
use haggle_tests::peer::plain_draft;
use haggle_tests::raw::{Channel, Heard, Raw};
use haggle_tests::{Outcome, Trouble, ensure};

use private::{Bought, TO_BUYER, TO_SELLER, WRONG_SENDER, Wanted};
use public::{CASES, CROWDED, SMALL_BOOK, filling, half_a_book};
use target::{Target, now};
use tokio::time::Instant;

/// How long a refusal or an acceptance may take to show.
const SOON: Duration = Duration::from_secs(30);

/// Cells of one test peer before a fresh one takes over: half of what one peer may send at once.
const CELLS_PER_PEER: usize = 14;

/// A category of goods; a stall quotes by rule only within one.
const LAMPS: Category = Category(100_900);

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_in_public_a_peer_refuses_under_its_own_code() -> Outcome {
    said_out_loud(Target::peer().await?, Limits::peer()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_in_public_a_relay_refuses_under_its_own_code() -> Outcome {
    said_out_loud(Target::relay().await?, Limits::relay()).await
}

/// Sends every row of the public table to a target, and sees to it that a neighbour hears what was right and nothing of
/// what was wrong.
async fn said_out_loud(target: Target, limits: Limits) -> Outcome {
    let neighbour = Raw::start(1_000).await?;
    target.meet(&neighbour).await?;
    let flood = usize::try_from(limits.source_burst * 8 / 5).unwrap_or(usize::MAX);
    let mut wrong = Vec::new();
    let mut began = Instant::now();
    for (number, case) in (2_000..).zip(CASES) {
        let about = |trouble: Trouble| trouble.while_doing(case.what);
        // What is held against somebody is held against his peer id: each row has its own.
        let attacker = Raw::start(number).await?;
        target.meet(&attacker).await.map_err(about)?;
        let mut forge = Forge::new(Network::main(), now()?, number);
        let mut attempt = (case.make)(&mut forge).map_err(about)?;
        // Each costs work: no more are made than this target needs.
        while case.code == Refusal::SourceRate && attempt.bad.len() < flood {
            attempt.bad.push(forge.fresh()?.2.bytes());
        }
        let before = target.refusals().await?;
        for good in attempt.good {
            attacker.publish(good.clone()).await.map_err(about)?;
            let heard = neighbour.until("what is right being passed on", |heard| {
                heard.gossip.contains(&good).then_some(())
            });
            heard.await.map_err(about)?;
        }
        let taken = target.refusals().await?;
        ensure(taken == before, || {
            format!(
                "{}: what is right was refused: {before:?} and then {taken:?}",
                case.what
            )
        })?;
        began = Instant::now();
        for bad in attempt.bad {
            attacker.publish(bad.clone()).await.map_err(about)?;
            wrong.push(bad);
        }
        target
            .until_refused(case.code.code(), &before)
            .await
            .map_err(about)?;
        target.part(&attacker).await?;
    }

    // It goes on serving: one more that is right is taken, after all that was wrong.
    let last = Raw::start(3_000).await?;
    target.meet(&last).await?;
    let right = Forge::new(Network::main(), now()?, 3_000)
        .fresh()?
        .2
        .bytes();
    last.publish(right.clone()).await?;
    let heard = neighbour
        .until("the last word", |heard| {
            heard.gossip.contains(&right).then(|| heard.gossip.clone())
        })
        .await?;
    let passed = wrong.iter().filter(|bad| heard.contains(bad)).count();
    // Of the flood, which comes last, what came before the limit is right and is passed on.
    let allowed = limits.source_burst + limits.source_per_second * (1 + began.elapsed().as_secs());
    ensure(passed as u64 <= allowed, || {
        format!("{passed} of what is wrong was passed on")
    })?;
    target.serves().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowded_relay_asks_for_more_work_and_takes_what_shows_it() -> Outcome {
    let target = Target::relay_with(SMALL_BOOK).await?;
    let mut forge = Forge::new(Network::main(), now()?, 3_500);
    let neighbour = Raw::start(3_500).await?;
    target.meet(&neighbour).await?;
    let hears = async |bytes: &Vec<u8>| {
        let heard = |heard: &Heard| heard.gossip.contains(bytes).then_some(());
        neighbour
            .until("what is right being passed on", heard)
            .await
    };
    // One source alone is kept below half: what crosses the mark comes from another.
    let (first, second) = (Raw::start(3_501).await?, Raw::start(3_503).await?);
    target.meet(&first).await?;
    target.meet(&second).await?;
    let frames = half_a_book(&mut forge);
    let last = frames.len() - 1;
    for (at, frame) in frames.into_iter().enumerate() {
        let source = if at < last { &first } else { &second };
        source.publish(frame.clone()).await?;
        hears(&frame).await?;
    }
    let late = Raw::start(3_502).await?;
    target.meet(&late).await?;
    let before = target.refusals().await?;
    let (what, code) = CROWDED;
    late.publish(filling(&mut forge, 16, true).bytes()).await?;
    let refused = target.until_refused(code.code(), &before).await;
    refused.map_err(|trouble| trouble.while_doing(what))?;
    // Four bits above the floor are enough however full it is.
    let harder = filling(&mut forge, 20, false).bytes();
    late.publish(harder.clone()).await?;
    hears(&harder).await?;
    target.serves().await
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_in_a_quote_its_buyer_refuses_under_its_own_code() -> Outcome {
    let target = Target::peer().await?;
    let mut sender = Raw::start(4_000).await?;
    target.meet(&sender).await?;
    let (wanted, _) = wanted(&target, &sender).await?;
    let mut sent = 0;
    for (number, case) in (4_001..).zip(TO_BUYER) {
        let about = |trouble: Trouble| trouble.while_doing(case.what);
        let mut forge = Forge::new(Network::main(), now()?, number);
        let attempt = (case.make)(&mut forge, &wanted).map_err(about)?;
        sent += attempt.good.len() + attempt.bad.len();
        if sent > CELLS_PER_PEER {
            target.part(&sender).await?;
            sender = Raw::start(number).await?;
            target.meet(&sender).await?;
            sent = attempt.good.len() + attempt.bad.len();
        }
        let before = target.refusals().await?;
        for (message, cell) in attempt.good {
            let answer = sender
                .say(Channel::Whisper, target.id(), cell)
                .await
                .map_err(about)?;
            acknowledged(&forge, &attempt.pen, &wanted, message, &answer).map_err(about)?;
        }
        let mut refused = false;
        for bad in attempt.bad {
            let answer = sender
                .say(Channel::Whisper, target.id(), bad)
                .await
                .map_err(about)?;
            refused |= answer.strip_prefix(&[1]) == Some(case.code.code().as_bytes());
        }
        ensure(refused, || {
            format!("{} was not answered as {}", case.what, case.code)
        })?;
        target
            .until_refused(case.code.code(), &before)
            .await
            .map_err(about)?;
    }
    target.serves().await
}

/// Whether an answer is the acknowledgement of this message, sealed to the one who sent it.
fn acknowledged(
    forge: &Forge,
    pen: &Pen,
    wanted: &Wanted,
    message: MessageId,
    answer: &[u8],
) -> Outcome {
    let Some(cell) = answer.strip_prefix(&[0]) else {
        let text = String::from_utf8_lossy(answer);
        return Err(Trouble::new(format!("what is right was refused as {text}")));
    };
    let back = Pen {
        direction: Direction::ToSeller,
        in_thread: true,
        ..pen.clone()
    };
    let context = forge.context(&back);
    let cell = Cell::from_bytes(cell.to_vec())?;
    let content = cell.open(&Hpke, &pen.reply, &context)?;
    let to = pen.reply.public()?;
    let (_, ack) = Message::open(&content, &context, &to, &wanted.key, now()?)?;
    ensure(ack.body == Body::Ack(Ack { message }), || {
        "another message was acknowledged".into()
    })
}

/// Has the peer under test publish an intent, and hears it.
async fn wanted(target: &Target, sender: &Raw) -> Outcome<(Wanted, Intent)> {
    let client = target.client()?;
    let draft = plain_draft("A reading lamp for a desk")?;
    let id = client
        .publish(draft)
        .await
        .map_err(|complaint| Trouble::new(complaint.sentence))?;
    let at = now()?;
    let (frame, intent) = sender
        .until("the intent", |heard| {
            heard.gossip.iter().find_map(|bytes| {
                let frame = Frame::open(bytes, Network::main(), at).ok()?;
                let intent = Intent::from_frame(&frame).ok()?;
                (IntentId::from(frame.id()) == id).then_some((frame, intent))
            })
        })
        .await?;
    let seal = intent
        .seal
        .as_x25519()
        .ok_or_else(|| Trouble::new("no seal key"))?;
    let wanted = Wanted {
        id,
        frame: frame.id(),
        key: frame.header().key,
        seal,
    };
    Ok((wanted, intent))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_in_an_order_its_seller_refuses_under_its_own_code() -> Outcome {
    let target = Target::peer().await?;
    let client = target.client()?;
    let said = |complaint: haggle_market::Complaint| Trouble::new(complaint.sentence);
    let rules = Rules {
        auto: Auto::Indicative,
        ..Rules::default()
    };
    client.set_rules(rules).await.map_err(said)?;
    client.put_item(lamp()?).await.map_err(said)?;

    for (number, case) in (5_000..).zip(TO_SELLER) {
        let about = |trouble: Trouble| trouble.while_doing(case.what);
        let mut forge = Forge::new(Network::main(), now()?, number);
        let buyer = Raw::start(number).await?;
        target.meet(&buyer).await?;
        let bought = bought(&mut forge, &buyer).await.map_err(about)?;
        let bad = (case.make)(&mut forge, &bought).map_err(about)?;
        let before = target.refusals().await?;
        let answer = buyer
            .say(Channel::Whisper, target.id(), bad)
            .await
            .map_err(about)?;
        let refused = answer.strip_prefix(&[1]) == Some(case.code.code().as_bytes());
        let text = String::from_utf8_lossy(&answer).into_owned();
        ensure(refused, || {
            format!("{} was answered with {text}", case.what)
        })?;
        target
            .until_refused(case.code.code(), &before)
            .await
            .map_err(about)?;
        order(&mut forge, &buyer, &bought, &target)
            .await
            .map_err(about)?;
        target.part(&buyer).await?;
    }

    let (what, code) = WRONG_SENDER;
    let mut forge = Forge::new(Network::main(), now()?, 5_900);
    let buyer = Raw::start(5_900).await?;
    target.meet(&buyer).await?;
    let bought = bought(&mut forge, &buyer).await?;
    order(&mut forge, &buyer, &bought, &target).await?;
    let before = target.refusals().await?;
    let other = Bought {
        pen: Pen {
            key: forge.key(),
            ..bought.pen.clone()
        },
        ..bought
    };
    let moved = private::said(&mut forge, &other, Body::Moved)?;
    let (_, cell) = forge.sealed(&other.pen, &moved)?;
    let answer = buyer.say(Channel::Whisper, target.id(), cell).await?;
    ensure(
        answer.strip_prefix(&[1]) == Some(code.code().as_bytes()),
        || what.into(),
    )?;
    target.until_refused(code.code(), &before).await?;
    target.serves().await
}

/// The valid order, which is taken.
async fn order(forge: &mut Forge, buyer: &Raw, bought: &Bought, target: &Target) -> Outcome {
    let order = private::order(forge, bought)?;
    let (_, cell) = forge.sealed(&bought.pen, &order)?;
    let answer = buyer.say(Channel::Whisper, target.id(), cell).await?;
    let text = String::from_utf8_lossy(&answer).into_owned();
    ensure(answer.first() == Some(&0), || {
        format!("the valid order was refused as {text}")
    })
}

/// What the stall of the peer under test offers: as many lamps as anybody wants.
fn lamp() -> Outcome<Item> {
    Ok(Item {
        id: ItemId(0),
        sku: None,
        title: "Reading lamp".into(),
        category: LAMPS,
        attributes: vec![],
        unit: Unit::ONE,
        stock: None,
        asset: Asset::new("EUR")?,
        floor: None,
        tiers: vec![Tier {
            from: Quantity::pieces(1),
            unit_price: 2_500,
        }],
        quality: Quality::Good,
        deliveries: vec![DeliveryOffer {
            delivery: Delivery::Shipping,
            area: vec![],
            fee: 0,
            lead_time: 86_400,
        }],
        note: None,
        auto: None,
    })
}

/// Publishes an intent and is quoted by the stall under test.
async fn bought(forge: &mut Forge, buyer: &Raw) -> Outcome<Bought> {
    let (key, seal) = (forge.key(), forge.seal());
    let intent = Intent {
        category: LAMPS,
        ..forge.intent(seal.public()?)?
    };
    let frame = forge.frame(&key, &intent);
    let id = IntentId::from(frame.id());
    let here = Circuit {
        relay: buyer.key().public(),
        address: buyer.place(),
        peer: buyer.key().public(),
    };
    let reach = forge.reach(&key, Revision { first: id, rev: 1 }, here, buyer.key());
    buyer.publish(frame.bytes()).await?;
    buyer.publish(reach.bytes()).await?;
    let cell = buyer
        .until("a quote", |heard| heard.whispers.first().cloned())
        .await?;

    let first = Pen {
        key: forge.key(),
        reply: forge.seal(),
        direction: Direction::ToBuyer,
        intent: id,
        thread: haggle_protocol::ThreadId([0; 32]),
        to: seal.public()?,
        in_thread: false,
    };
    let context = forge.context(&first);
    let content = Cell::from_bytes(cell)?.open(&Hpke, &seal, &context)?;
    let (message, opened) =
        Message::open(&content, &context, &seal.public()?, &key.public(), now()?)?;
    let Body::Quote(quote) = opened.body else {
        return Err(Trouble::new("the first word was no quote"));
    };
    let pen = Pen {
        direction: Direction::ToSeller,
        thread: opened.thread,
        to: opened.reply,
        in_thread: true,
        ..first
    };
    Ok(Bought {
        intent_key: key,
        pen,
        message,
        quote,
    })
}

/// What is asked of a book, and the code that its answer names.
#[derive(Clone, Copy, Debug)]
struct Question {
    what: &'static str,
    code: &'static str,
    /// Under which label a relay counts its answers to it.
    counted: &'static str,
    /// How often it is asked; only the last one need be refused.
    times: usize,
    make: fn() -> Vec<u8>,
}

/// Every row to a book.
const QUESTIONS: &[Question] = &[
    Question {
        what: "a question in a mode that is not known",
        code: "unknown-mode",
        counted: "refused",
        times: 1,
        make: || book_question(Network::main(), 77, None),
    },
    Question {
        what: "a question about another market",
        code: "other-network",
        counted: "refused",
        times: 1,
        make: || book_question(Network::named("another"), 0, None),
    },
    Question {
        what: "forty questions in one breath",
        code: "too-often",
        counted: "too-often",
        times: 40,
        make: || book_question(Network::main(), 1, None),
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_in_a_question_a_book_refuses_under_its_own_code() -> Outcome {
    for target in [Target::peer().await?, Target::relay().await?] {
        for (number, question) in (6_000..).zip(QUESTIONS) {
            let about = |trouble: Trouble| trouble.while_doing(question.what);
            let asker = Raw::start(number).await?;
            target.meet(&asker).await?;
            let right = book_question(Network::main(), 0, None);
            let answer = asker
                .say(Channel::Book, target.id(), right)
                .await
                .map_err(about)?;
            ensure(names(&answer).is_none(), || {
                format!("{}: the twin was refused", question.what)
            })?;
            let before = target.book_answers().await?;
            let mut last = Vec::new();
            // A busy machine asks slower, and what is slow enough is allowed: it is asked on until it is too often.
            let most = if question.times == 1 {
                1
            } else {
                10 * question.times
            };
            for _ in 0..most {
                let asked = asker.say(Channel::Book, target.id(), (question.make)());
                last = asked.await.map_err(about)?;
                if names(&last).as_deref() == Some(question.code) {
                    break;
                }
            }
            ensure(names(&last).as_deref() == Some(question.code), || {
                format!("{} was answered with {:?}", question.what, names(&last))
            })?;
            if let Some(before) = before {
                target
                    .until_book_answers(question.counted, &before)
                    .await
                    .map_err(about)?;
            }
            target.part(&asker).await?;
        }
        target.serves().await?;
    }
    Ok(())
}

/// What is no question and no cell at all: there is nobody to answer, so the stream ends.
type Nonsense = (&'static str, Channel, fn() -> Vec<u8>);

const NONSENSE: &[Nonsense] = &[
    (
        "a question that announces four gibibytes",
        Channel::Book,
        || vec![0xff; 4],
    ),
    ("a question of 13 KiB", Channel::Book, || {
        with_length(&[0; 13 * 1_024])
    }),
    (
        "a question with a byte behind its end",
        Channel::Book,
        || {
            let question = book_question(Network::main(), 0, None);
            with_length(&[&question[4..], &[0]].concat())
        },
    ),
    ("a question cut short", Channel::Book, || {
        book_question(Network::main(), 0, None)[..9].to_vec()
    }),
    ("a cell one byte too short", Channel::Whisper, || {
        vec![1; 2_047]
    }),
    ("a cell one byte too long", Channel::Whisper, || {
        vec![1; 15_361]
    }),
    (
        "two mebibytes in the place of a cell",
        Channel::Whisper,
        || vec![1; 2 << 20],
    ),
    ("an empty whisper", Channel::Whisper, Vec::new),
];

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_ends_its_stream_and_nothing_else() -> Outcome {
    for target in [Target::peer().await?, Target::relay().await?] {
        let sender = Raw::start(6_500).await?;
        target.meet(&sender).await?;
        for (what, channel, make) in NONSENSE {
            // A relay has no whisper protocol, which ends the stream as well.
            let answer = sender.say(*channel, target.id(), make()).await;
            let ended = answer.as_ref().map_or(true, Vec::is_empty);
            ensure(ended, || format!("{what} was answered with {answer:?}"))?;
        }
        // The same connection goes on.
        let right = book_question(Network::main(), 0, None);
        let answer = sender.say(Channel::Book, target.id(), right).await?;
        ensure(names(&answer).is_none() && !answer.is_empty(), || {
            format!("{answer:?}")
        })?;
        target.serves().await?;
    }
    Ok(())
}

/// The code that an answer of a book names, if it is a refusal: a map of the one field 10.
fn names(answer: &[u8]) -> Option<String> {
    let text = answer.get(4..)?.strip_prefix(&[0xa1, 10])?;
    let text = text.get(1..)?;
    Some(String::from_utf8_lossy(text).into_owned())
}

/// The table as docs/threats.md shows it.
fn table() -> String {
    let mut rows = vec![
        "| what is sent | to | refused as |".to_owned(),
        "|---|---|---|".to_owned(),
    ];
    let mut row =
        |what: &str, to: &str, code: &str| rows.push(format!("| {what} | {to} | `{code}` |"));
    for case in CASES {
        row(case.what, "peer, relay", case.code.code());
    }
    row(CROWDED.0, "relay", CROWDED.1.code());
    for case in TO_BUYER {
        row(case.what, "buyer", case.code.code());
    }
    for case in TO_SELLER {
        row(case.what, "seller", case.code.code());
    }
    row(WRONG_SENDER.0, "seller", WRONG_SENDER.1.code());
    for question in QUESTIONS {
        row(question.what, "book of a peer, of a relay", question.code);
    }
    rows.join("\n")
}

#[test]
fn the_table_in_the_documentation_is_the_table_that_is_tested() {
    let text = include_str!("../../../docs/threats.md");
    let (_, rest) = text.split_once("<!-- table -->\n").unwrap();
    let (shown, _) = rest.split_once("\n<!-- end of table -->").unwrap();
    assert_eq!(
        shown,
        table(),
        "put this into docs/threats.md:\n{}",
        table()
    );
    assert!(table().lines().count() >= 27);
}
