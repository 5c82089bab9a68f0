//! One of everything that is said, with fixed keys, for an ordinary market.
//!
//! Each test binary uses its own part of it.
#![allow(dead_code)]

pub(crate) mod strategies;

use haggle_protocol::amount::{Asset, Money, Quantity, Unit};
use haggle_protocol::arbitration::{Dispute, Ruling};
use haggle_protocol::attachment::{Attachment, FileKey};
use haggle_protocol::attribute::{Attribute, Comparison, Value, Wish};
use haggle_protocol::category::Category;
use haggle_protocol::frame::{Facets, Header};
use haggle_protocol::handover::HandoverCode;
use haggle_protocol::intent::{
    Budget, Delivery, Intent, IntentClose, Revision, SealKey, Window, intent_id,
};
use haggle_protocol::keys::{Root, SealSecret, SigningKey};
use haggle_protocol::limits::POW_FLOOR;
use haggle_protocol::place::Place;
use haggle_protocol::private::{Body, Message, TraderProof, intent_proof, thread_id};
use haggle_protocol::quote::{Charge, ChargeKind, Line, Quality, Quote};
use haggle_protocol::reach::{Circuit, Entry, Reach};
use haggle_protocol::seal::{Context, Direction};
use haggle_protocol::settlement::{EscrowLock, Settle};
use haggle_protocol::trade::{
    Ack, Cancel, CancelReason, Chat, Contact, ContactWay, Counter, Decline, DeclineReason,
    Delivered, NotSelected, Order, OrderConfirm, Progress, Step,
};
use haggle_protocol::{
    Arbiter, ArbiterTerms, ContractId, Custodian, DealKey, EscrowPlan, Frame, FrameId, IntentId,
    Keeper, Kind, Locked, MessageId, Network, Outcome, Party, PublicKey, SealPublic, Settlement,
    Side, Signed, Split, ThreadId, Timestamp,
};
use proptest::test_runner::{Config as ProptestConfig, FileFailurePersistence};
use rand_core::{Infallible, TryCryptoRng, TryRng};

/// A full minute.
pub(crate) const NOW: Timestamp = Timestamp(1_790_000_040);
/// An intent's usual life, in seconds.
pub(crate) const LIFE: u64 = 1_800;

pub(crate) fn network() -> Network {
    Network::named("vectors")
}

/// So many cases of a property; what fails is kept beside the test and tried first from then on.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    let kept = FileFailurePersistence::WithSource("regressions");
    ProptestConfig {
        cases,
        failure_persistence: Some(Box::new(kept)),
        ..ProptestConfig::default()
    }
}

/// Dice that always fall as given, and never twice as much.
#[derive(Debug)]
pub(crate) struct Fixed(pub(crate) Vec<u8>);

impl TryRng for Fixed {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(out.len());
        out.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}

impl TryCryptoRng for Fixed {}

pub(crate) fn eur() -> Asset {
    Asset::new("EUR").unwrap()
}

/// The buyer's side of every example.
pub(crate) fn buyer_root() -> Root {
    Root::from_entropy(&[0x11; 16])
}

pub(crate) fn intent_key() -> (SigningKey, haggle_protocol::keys::Mark) {
    buyer_root().intent(&mut Fixed(vec![0x22; 12]))
}

pub(crate) fn intent_seal() -> SealSecret {
    SealSecret::from_bytes([0x33; 32])
}

pub(crate) fn buyer_thread_key() -> SigningKey {
    SigningKey::from_seed(&[0x44; 32])
}

/// The seller's side of every example.
pub(crate) fn seller_thread_key() -> SigningKey {
    SigningKey::from_seed(&[0x55; 32])
}

pub(crate) fn seller_reply() -> SealSecret {
    SealSecret::from_bytes([0x66; 32])
}

pub(crate) fn buyer_reply() -> SealSecret {
    SealSecret::from_bytes([0x67; 32])
}

pub(crate) fn seller_trader() -> SigningKey {
    Root::from_entropy(&[0x77; 32]).trader(0)
}

pub(crate) fn peer_key() -> SigningKey {
    SigningKey::from_seed(&[0x88; 32])
}

pub(crate) fn intent() -> Intent {
    let measure = |n, unit: &str| {
        Value::Measure(Quantity {
            n,
            scale: 0,
            unit: Unit::new(unit).unwrap(),
        })
    };
    let wish = |key: &str, comparison, value, must| Wish {
        key: key.into(),
        comparison,
        value,
        must,
    };
    Intent {
        title: "Ein Rennrad, 56 cm".into(),
        details: Some("Für den Weg zur Arbeit.\nGern mit Schutzblechen.".into()),
        category: Category(150_101),
        wishes: vec![
            wish("frame", Comparison::AtLeast, measure(55, "CMT"), true),
            wish("frame", Comparison::AtMost, measure(57, "CMT"), true),
            wish(
                "brand",
                Comparison::Is,
                Value::Text("Bianchi".into()),
                false,
            ),
            wish("mudguards", Comparison::Is, Value::Flag(true), false),
        ],
        quantity: Quantity::pieces(1),
        budget: Budget::Sealed(eur()),
        deliveries: vec![Delivery::Pickup, Delivery::Shipping],
        places: vec![Place {
            geohash: "u33".into(),
            radius_m: 20_000,
        }],
        window: Some(Window {
            from: NOW,
            to: NOW + 4 * 86_400,
        }),
        quotes_due: NOW + LIFE,
        until: Some(NOW + 2 * 86_400),
        max_quotes: Some(20),
        lang: Some("de".into()),
        seal: SealKey::x25519(intent_seal().public().unwrap()),
        mark: intent_key().1,
        arbiter: None,
        revision: None,
    }
}

pub(crate) fn header(kind: Kind, facets: Facets) -> Header {
    Header {
        kind,
        network: network(),
        created: NOW,
        expires: NOW + LIFE,
        key: intent_key().0.public(),
        facets,
    }
}

pub(crate) fn frame(kind: Kind, facets: Facets, body: &[u8]) -> Frame {
    Frame::sign(header(kind, facets), body, &intent_key().0, POW_FLOOR, 0).unwrap()
}

pub(crate) fn intent_frame() -> Frame {
    frame(Kind::Intent, intent().facets(), &intent().to_body())
}

pub(crate) fn first() -> IntentId {
    // The id needs no work; signing anew for each use would.
    static FIRST: std::sync::OnceLock<FrameId> = std::sync::OnceLock::new();
    intent_id(*FIRST.get_or_init(|| intent_frame().id()), None)
}

pub(crate) fn revision() -> Revision {
    Revision {
        first: first(),
        rev: NOW.0 + 1,
    }
}

pub(crate) fn update() -> Intent {
    Intent {
        budget: Budget::Public(Money::new(40_000, eur())),
        revision: Some(revision()),
        ..intent()
    }
}

pub(crate) fn close() -> IntentClose {
    IntentClose {
        revision: revision(),
    }
}

pub(crate) fn circuit() -> Circuit {
    Circuit {
        relay: SigningKey::from_seed(&[0x99; 32]).public(),
        address: "/dns4/relay.example/tcp/443/wss".into(),
        peer: peer_key().public(),
    }
}

pub(crate) fn reach() -> Reach {
    let key = intent_key().0.public();
    let consent = Entry::agree(circuit(), &peer_key(), network(), &key, NOW + LIFE);
    Reach {
        revision: revision(),
        entries: vec![consent],
    }
}

pub(crate) fn quote() -> Quote {
    Quote {
        number: 1,
        answers: FrameId(first().0),
        firm: true,
        lines: vec![
            Line {
                description: "Bianchi Sprint, 56 cm, 2019".into(),
                quantity: Quantity::pieces(1),
                unit_price: 36_000,
                amount: 36_000,
                attributes: vec![
                    Attribute {
                        key: "brand".into(),
                        value: Value::Text("Bianchi".into()),
                    },
                    Attribute {
                        key: "frame".into(),
                        value: Value::Measure(Quantity {
                            n: 56,
                            scale: 0,
                            unit: Unit::new("CMT").unwrap(),
                        }),
                    },
                ],
            },
            Line {
                description: "Setting up, by the hour".into(),
                quantity: Quantity {
                    n: 15,
                    scale: 1,
                    unit: Unit::new("HUR").unwrap(),
                },
                unit_price: 1_333,
                amount: 2_000,
                attributes: Vec::new(),
            },
        ],
        charges: vec![
            Charge {
                kind: ChargeKind::Delivery,
                label: "by cargo bike".into(),
                amount: 900,
            },
            Charge {
                kind: ChargeKind::Discount,
                label: String::new(),
                amount: 400,
            },
        ],
        total: Money::new(38_500, eur()),
        valid_until: NOW + 3_600,
        lead_time: 86_400,
        delivery: Delivery::Shipping,
        quality: Quality::Good,
        note: Some("Fresh brake pads.".into()),
        keepers: Vec::new(),
        arbiters: Vec::new(),
    }
}

fn with_a_photo() -> Chat {
    let content = [0xfe; 70_000];
    let key = FileKey::from_bytes([0x5a; 32]);
    let photo = Attachment::of("bike.jpg".into(), "image/jpeg".into(), &content, key);
    Chat {
        text: String::new(),
        files: vec![photo.unwrap()],
    }
}

/// One of each body, with the way that it goes.
pub(crate) fn bodies() -> Vec<(Direction, Body)> {
    let said = MessageId([0xab; 32]);
    vec![
        (Direction::ToBuyer, Body::Quote(quote())),
        (
            Direction::ToBuyer,
            Body::Decline(Decline {
                reason: DeclineReason::NoStock,
                last: true,
                order: Some(said),
            }),
        ),
        (Direction::ToSeller, Body::Order(order(said))),
        (
            Direction::ToBuyer,
            Body::OrderConfirm(OrderConfirm {
                order: said,
                payment: Some("cash at the door".into()),
                note: None,
                key: None,
            }),
        ),
        (
            Direction::ToSeller,
            Body::NotSelected(NotSelected { quote: said }),
        ),
        (
            Direction::ToSeller,
            Body::Contact(Contact {
                order: said,
                name: "Ana".into(),
                ways: vec![ContactWay {
                    kind: "phone".into(),
                    value: "+49 30 5550100".into(),
                }],
                address: Some("Beispielweg 1\n10115 Berlin".into()),
                instructions: None,
            }),
        ),
        (Direction::ToBuyer, Body::Ack(Ack { message: said })),
        (Direction::ToSeller, Body::Moved),
        (
            Direction::ToSeller,
            Body::PaymentProof(Step {
                order: said,
                note: Some("Reference: bike, Ana".into()),
                files: Vec::new(),
            }),
        ),
        (
            Direction::ToBuyer,
            Body::Dispatch(Step {
                order: said,
                note: None,
                files: Vec::new(),
            }),
        ),
        (
            Direction::ToSeller,
            Body::Receipt(Step {
                order: said,
                note: None,
                files: Vec::new(),
            }),
        ),
        (
            Direction::ToSeller,
            Body::Counter(Counter {
                quote: said,
                total: Money::new(36_000, Asset::new("EUR").unwrap()),
                round: 1,
                note: Some("If I fetch it today?".into()),
            }),
        ),
        (
            Direction::ToBuyer,
            Body::Chat(Chat {
                text: "Is a scratch at the back fine?\nThe screen is as new.".into(),
                files: Vec::new(),
            }),
        ),
        (
            Direction::ToSeller,
            Body::Cancel(Cancel {
                order: said,
                progress: Progress::Confirmed,
                reason: CancelReason::NotDelivered,
                note: Some("It was needed last week.".into()),
            }),
        ),
        (
            Direction::ToBuyer,
            Body::Delivered(Delivered {
                order: said,
                code: HandoverCode::parse("7K3QX 9M2TB").unwrap(),
                note: None,
            }),
        ),
        (Direction::ToBuyer, Body::Chat(with_a_photo())),
        (
            Direction::ToBuyer,
            Body::Quote(Quote {
                keepers: vec![keeper()],
                ..quote()
            }),
        ),
        (
            Direction::ToSeller,
            Body::Order(Order {
                note: None,
                escrow: Some(EscrowPlan {
                    keeper: keeper(),
                    minor: 38_500,
                    deadline: NOW + 1_296_000,
                    review: 1_209_600,
                    arbiter: None,
                }),
                ..order(said)
            }),
        ),
        (
            Direction::ToBuyer,
            Body::OrderConfirm(OrderConfirm {
                order: said,
                payment: None,
                note: None,
                key: Some(DealKey([3; 33])),
            }),
        ),
        (
            Direction::ToSeller,
            Body::EscrowLock(EscrowLock {
                order: said,
                key: DealKey([2; 33]),
                contract: ContractId([0x44; 32]),
                locked: Locked(vec![0xab; 300]),
            }),
        ),
        (
            Direction::ToBuyer,
            settle(Outcome::Renew {
                holder: Side::Seller,
                deadline: NOW + 1_209_600,
            }),
        ),
        (
            Direction::ToSeller,
            settle(Outcome::Split(Split {
                buyer: 11_550,
                seller: 26_950,
                arbiter: 0,
            })),
        ),
        (
            Direction::ToBuyer,
            Body::Quote(Quote {
                keepers: vec![keeper()],
                arbiters: vec![arbiter()],
                ..quote()
            }),
        ),
        (Direction::ToSeller, Body::Order(arbitrated(said))),
        (Direction::ToBuyer, Body::Dispute(Box::new(dispute()))),
        (
            Direction::ToSeller,
            Body::Ruling(Ruling {
                settlement: Settlement {
                    contract: ContractId([0x44; 32]),
                    outcome: Outcome::Split(Split {
                        buyer: 11_550,
                        seller: 26_565,
                        arbiter: 385,
                    }),
                    salt: [0x55; 32],
                    signatures: vec![Signed {
                        party: Party::Arbiter,
                        signature: vec![0x66; 64],
                    }],
                },
                words: "The frame is scratched, and rides well.".into(),
            }),
        ),
    ]
}

/// Somebody who decides for others.
pub(crate) fn terms() -> ArbiterTerms {
    ArbiterTerms {
        rail: "cashu".into(),
        key: DealKey([4; 33]),
        fee: 10,
        within: 259_200,
    }
}

pub(crate) fn arbiter() -> Arbiter {
    Arbiter {
        intent: IntentId([0xa7; 32]),
        terms: terms(),
    }
}

/// An order whose money an arbiter can share out.
pub(crate) fn arbitrated(quote: MessageId) -> Order {
    Order {
        note: None,
        escrow: Some(EscrowPlan {
            keeper: keeper(),
            minor: 38_500,
            deadline: NOW + 1_296_000,
            review: 1_209_600,
            arbiter: Some(arbiter()),
        }),
        ..order(quote)
    }
}

/// What its buyer asks the arbiter, with what both have signed.
pub(crate) fn dispute() -> Dispute {
    let ordered = arbitrated(MessageId([0xab; 32]));
    let plan = ordered.escrow.clone().unwrap();
    let (id, order) = content(&message(Direction::ToSeller, Body::Order(ordered)));
    let seller = DealKey([3; 33]);
    let confirm = Body::OrderConfirm(OrderConfirm {
        order: id,
        payment: None,
        note: None,
        key: Some(seller),
    });
    let (_, confirm) = content(&message(Direction::ToBuyer, confirm));
    Dispute {
        contract: plan.contract(id, DealKey([2; 33]), seller),
        locked: Locked(vec![0xab; 300]),
        intent_key: intent_key().0.public(),
        order,
        confirm,
        buyer: 11_550,
        words: "There is a scratch on the frame.".into(),
    }
}

fn order(quote: MessageId) -> Order {
    Order {
        quote,
        total: Money::new(38_500, eur()),
        quantity: Quantity::pieces(1),
        delivery: Delivery::Shipping,
        confirm_by: NOW + 900,
        note: Some("The bell, too, please.".into()),
        handover: None,
        escrow: None,
        reach_secret: None,
    }
}

pub(crate) fn keeper() -> Keeper {
    Keeper {
        rail: "cashu".into(),
        custodian: Custodian::new("https://mint.example.org").unwrap(),
        asset: eur(),
    }
}

fn settle(outcome: Outcome) -> Body {
    Body::Settle(Settle {
        order: MessageId([0x22; 32]),
        settlement: Settlement {
            contract: ContractId([0x44; 32]),
            outcome,
            salt: [0x55; 32],
            signatures: vec![Signed {
                party: Party::Seller,
                signature: vec![0x66; 64],
            }],
        },
    })
}

pub(crate) fn thread() -> ThreadId {
    let buyer = intent_key().0.public();
    thread_id(network(), &first(), &buyer, &seller_thread_key().public())
}

/// Who signs what goes this way, to whom it is sealed, and in which context.
pub(crate) struct Way {
    pub(crate) from: SigningKey,
    pub(crate) to: SealSecret,
    pub(crate) reply: SealPublic,
    pub(crate) context: Context,
}

pub(crate) fn way(direction: Direction) -> Way {
    let context = Context {
        network: network(),
        direction,
        intent: first(),
        thread: None,
    };
    match direction {
        Direction::ToBuyer => Way {
            from: seller_thread_key(),
            to: intent_seal(),
            reply: seller_reply().public().unwrap(),
            context,
        },
        Direction::ToSeller => Way {
            from: buyer_thread_key(),
            to: seller_reply(),
            reply: buyer_reply().public().unwrap(),
            context: Context {
                thread: Some(thread()),
                ..context
            },
        },
    }
}

pub(crate) fn message(direction: Direction, body: Body) -> Message {
    let from = way(direction).from.public();
    let expires = NOW + 3_600;
    let entry = Entry::agree(circuit(), &peer_key(), network(), &from, expires);
    Message {
        thread: thread(),
        intent: first(),
        direction,
        epoch: 0x0123_4567_89ab_cdef,
        seq: 1,
        prev: matches!(direction, Direction::ToSeller).then_some(MessageId([0xcd; 32])),
        from,
        reply: way(direction).reply,
        created: NOW,
        expires,
        trader: body.needs_trader().then(|| {
            let trader = seller_trader();
            TraderProof::new(&trader, network(), &thread(), &from, direction, expires)
        }),
        intent_proof: matches!(direction, Direction::ToSeller)
            .then(|| intent_proof(&intent_key().0, network(), &thread(), &from)),
        reach: vec![entry],
        body,
    }
}

/// The content of a cell that holds this message, and its name.
pub(crate) fn content(message: &Message) -> (MessageId, Vec<u8>) {
    let way = way(message.direction);
    let to = way.to.public().unwrap();
    message.sign(network(), &to, &way.from).unwrap()
}

pub(crate) fn open(
    content: &[u8],
    direction: Direction,
) -> Result<(MessageId, Message), haggle_protocol::Refusal> {
    let way = way(direction);
    let to = way.to.public().unwrap();
    let key: PublicKey = intent_key().0.public();
    Message::open(content, &way.context, &to, &key, NOW)
}

/// Signs inner bytes as the sender of this way would, whatever they say.
pub(crate) fn sign_inner(inner: &[u8], direction: Direction) -> Vec<u8> {
    use haggle_protocol::tag::Tag;
    let signature = way(direction)
        .from
        .sign(Tag::SigPrivate, &[&network().0, inner]);
    [inner, &signature.0].concat()
}
