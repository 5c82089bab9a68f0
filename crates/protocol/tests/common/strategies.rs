//! Everything that may be said, drawn at random within its bounds.

use haggle_protocol::amount::{Asset, Money, Quantity, Unit};
use haggle_protocol::arbitration::{
    ARBITERS_MAX, Dispute, FEE_MAX, Ruling, WITHIN_MAX, WITHIN_MIN,
};
use haggle_protocol::attachment::{Attachment, FileKey};
use haggle_protocol::attribute::{Attribute, Comparison, Value, Wish};
use haggle_protocol::category::Category;
use haggle_protocol::handover::HandoverCode;
use haggle_protocol::intent::{Budget, Delivery, Intent, Revision, SealKey, Window};
use haggle_protocol::keys::{Mark, check_seal_key};
use haggle_protocol::limits::{FILE_BYTES_MAX, FILES_MAX};
use haggle_protocol::place::Place;
use haggle_protocol::private::Body;
use haggle_protocol::quote::{Charge, ChargeKind, Line, Quality, Quote};
use haggle_protocol::sealed_reach::ReachSecret;
use haggle_protocol::settlement::{
    DEAL_SIGNATURE_MAX, EscrowLock, KEEPERS_MAX, REVIEW_MAX, Settle,
};
use haggle_protocol::trade::{
    Ack, Cancel, CancelReason, Chat, Contact, ContactWay, Counter, Decline, DeclineReason,
    Delivered, NotSelected, Order, OrderConfirm, Progress, Step,
};
use haggle_protocol::{
    Arbiter, ArbiterTerms, ContractId, Custodian, DealKey, EscrowPlan, FrameId, HandoverHash,
    IntentId, Keeper, Locked, MessageId, Outcome, Party, PublicKey, SealPublic, Settlement, Side,
    Signed, Split, Timestamp,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

fn text(max: usize) -> impl Strategy<Value = String> {
    let word = select(vec![
        "lamp",
        "Rennrad",
        "دراجة",
        "自転車",
        "ø 12 mm",
        "c'est ça",
        "…",
        "1/2",
        "\u{200f}אור",
    ]);
    vec(word, 1..6).prop_map(move |words| {
        let mut text = words.join(" ");
        while text.len() > max {
            text.pop();
        }
        text.trim().to_owned()
    })
}

fn note() -> impl Strategy<Value = Option<String>> {
    of(vec(text(100), 1..4).prop_map(|lines| lines.join("\n")))
}

fn name() -> impl Strategy<Value = String> {
    "[a-z0-9_-]{1,32}"
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<u32>().prop_map(Timestamp::from)
}

fn asset() -> impl Strategy<Value = Asset> {
    "[A-Za-z]{2,8}".prop_map(|code| Asset::new(&code).unwrap())
}

fn minor() -> impl Strategy<Value = u64> {
    prop_oneof![0..1_000_000u64, 0..=Money::MAX]
}

fn money() -> impl Strategy<Value = Money> {
    (minor(), asset()).prop_map(|(minor, asset)| Money { minor, asset })
}

fn quantity() -> impl Strategy<Value = Quantity> {
    let n = prop_oneof![1..1_000u64, 1..=Money::MAX];
    (n, 0..=Quantity::SCALE_MAX, "[A-Z0-9]{2,3}").prop_map(|(n, scale, unit)| Quantity {
        n,
        scale,
        unit: Unit::new(&unit).unwrap(),
    })
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        text(64).prop_map(Value::Text),
        quantity().prop_map(Value::Measure),
        any::<bool>().prop_map(Value::Flag),
    ]
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let comparison = select(vec![
        Comparison::Is,
        Comparison::AtLeast,
        Comparison::AtMost,
    ]);
    btree_map(name(), (comparison, value(), any::<bool>()), 0..=16).prop_map(|wishes| {
        let wish = |(key, (comparison, value, must))| Wish {
            key,
            comparison: match value {
                Value::Measure(_) => comparison,
                Value::Text(_) | Value::Flag(_) => Comparison::Is,
            },
            value,
            must,
        };
        wishes.into_iter().map(wish).collect()
    })
}

fn attributes() -> impl Strategy<Value = Vec<Attribute>> {
    btree_map(name(), value(), 0..=16).prop_map(|attributes| {
        let attribute = |(key, value)| Attribute { key, value };
        attributes.into_iter().map(attribute).collect()
    })
}

fn budget() -> impl Strategy<Value = Budget> {
    prop_oneof![
        asset().prop_map(Budget::Sealed),
        (asset(), 1..=53u8).prop_map(|(asset, band)| Budget::Band(asset, band)),
        money()
            .prop_filter("a public budget is not zero", |money| money.minor > 0)
            .prop_map(Budget::Public),
    ]
}

fn delivery() -> impl Strategy<Value = Delivery> {
    select(Delivery::ALL.to_vec())
}

fn seal_key() -> impl Strategy<Value = SealKey> {
    prop_oneof![
        any::<[u8; 32]>()
            .prop_map(SealPublic)
            .prop_filter("of large order", |key| check_seal_key(key).is_ok())
            .prop_map(SealKey::x25519),
        // A suite of another version.
        (2..=255u8, vec(any::<u8>(), 0..=1_280)).prop_map(|(suite, key)| SealKey { suite, key }),
    ]
}

pub(crate) fn revision() -> impl Strategy<Value = Revision> {
    (any::<[u8; 32]>(), 0..=Money::MAX).prop_map(|(first, rev)| Revision {
        first: IntentId(first),
        rev,
    })
}

pub(crate) fn intent() -> impl Strategy<Value = Intent> {
    let said = (
        text(120),
        note(),
        0..=Category::MAX,
        wishes(),
        quantity(),
        budget(),
    );
    let place = ("[0-9b-hjkmnp-z]{1,5}", any::<u32>())
        .prop_map(|(geohash, radius_m)| Place { geohash, radius_m });
    let how = (
        btree_set(delivery(), 1..=5),
        vec(place, 0..=2),
        of((time(), any::<u32>())),
        time(),
        of(time()),
        of(1..=u16::MAX),
        of("[A-Za-z0-9-]{1,8}"),
    );
    let who = (seal_key(), any::<[u8; 20]>(), of(revision()), of(terms()));
    (said, how, who).prop_map(|(said, how, (seal, mark, revision, arbiter))| Intent {
        title: said.0,
        details: said.1,
        category: Category(said.2),
        wishes: said.3,
        quantity: said.4,
        budget: said.5,
        deliveries: how.0.into_iter().collect(),
        places: how.1,
        window: how.2.map(|(from, span)| Window {
            from,
            to: Timestamp(u64::from((from + u64::from(span)).to_wire())),
        }),
        quotes_due: how.3,
        until: how.4,
        max_quotes: how.5,
        lang: how.6,
        seal,
        mark: Mark(mark),
        arbiter,
        revision,
    })
}

fn line() -> impl Strategy<Value = Line> {
    (text(120), quantity(), minor(), attributes()).prop_filter_map(
        "a line costs no more than there is",
        |(description, quantity, unit_price, attributes)| {
            let price = Money::new(unit_price, Asset::new("EUR").unwrap());
            let amount = quantity.cost(price)?.minor;
            Some(Line {
                description,
                quantity,
                unit_price,
                amount,
                attributes,
            })
        },
    )
}

fn charge() -> impl Strategy<Value = Charge> {
    let kind = select(vec![
        ChargeKind::Delivery,
        ChargeKind::Tax,
        ChargeKind::Fee,
        ChargeKind::Discount,
    ]);
    let label = prop_oneof![Just(String::new()), text(120)];
    (kind, label, 0..1_000_000u64).prop_map(|(kind, label, amount)| Charge {
        kind,
        label,
        amount,
    })
}

pub(crate) fn quote() -> impl Strategy<Value = Quote> {
    let what = (vec(line(), 1..=8), vec(charge(), 0..=6), asset(), note());
    let how = (
        1..=u32::MAX,
        any::<[u8; 32]>(),
        any::<bool>(),
        time(),
        any::<u32>(),
        delivery(),
        select(Quality::ALL.to_vec()),
        vec(keeper(), 0..=KEEPERS_MAX),
        vec(arbiter(), 0..=ARBITERS_MAX),
    );
    (what, how).prop_filter_map("a sum that there is", |(what, how)| {
        let mut quote = Quote {
            number: how.0,
            answers: FrameId(how.1),
            firm: how.2,
            lines: what.0,
            charges: what.1,
            total: Money::new(0, what.2),
            valid_until: how.3,
            lead_time: how.4,
            delivery: how.5,
            quality: how.6,
            note: what.3,
            keepers: how.7,
            arbiters: how.8,
        };
        quote.total.minor = quote.sum()?;
        Some(quote)
    })
}

fn said() -> impl Strategy<Value = MessageId> {
    any::<[u8; 32]>().prop_map(MessageId)
}

fn contact() -> impl Strategy<Value = Contact> {
    let way = (name(), text(160)).prop_map(|(kind, value)| ContactWay { kind, value });
    (said(), text(120), vec(way, 0..=4), note(), note()).prop_map(
        |(order, name, ways, address, instructions)| Contact {
            order,
            name,
            ways,
            address,
            instructions,
        },
    )
}

fn files() -> impl Strategy<Value = Vec<Attachment>> {
    let kind = select(vec![
        "image/jpeg",
        "application/vnd.oasis.opendocument.text",
    ]);
    let name = text(60).prop_map(|name| name.replace(['/', '\\', '.'], "x"));
    let bytes = 1..=FILE_BYTES_MAX;
    let file = (name, kind, bytes, any::<[u8; 32]>(), any::<[u8; 32]>()).prop_map(
        |(name, kind, bytes, hash, key)| Attachment {
            name,
            media_type: kind.to_owned(),
            bytes,
            hash,
            key: FileKey::from_bytes(key),
        },
    );
    vec(file, 0..=FILES_MAX)
}

fn delivered() -> impl Strategy<Value = Delivered> {
    (said(), "[0-9A-HJKMNP-TV-Z]{10}", note()).prop_map(|(order, code, note)| Delivered {
        order,
        code: HandoverCode::parse(&code).unwrap(),
        note,
    })
}

fn keeper() -> impl Strategy<Value = Keeper> {
    let asset = select(vec!["EUR", "sat"]).prop_map(|code| Asset::new(code).unwrap());
    ("[a-z0-9_-]{1,16}", "[!-.0-~]{1,128}", asset).prop_map(|(rail, custodian, asset)| Keeper {
        rail,
        custodian: Custodian::new(&custodian).unwrap(),
        asset,
    })
}

fn plan() -> impl Strategy<Value = EscrowPlan> {
    let sum = 1..=Money::MAX;
    (keeper(), sum, time(), 1..=REVIEW_MAX, of(arbiter())).prop_map(
        |(keeper, minor, deadline, review, arbiter)| EscrowPlan {
            arbiter: arbiter.map(|mut arbiter| {
                arbiter.terms.rail.clone_from(&keeper.rail);
                arbiter
            }),
            keeper,
            minor,
            deadline,
            review,
        },
    )
}

fn terms() -> impl Strategy<Value = ArbiterTerms> {
    let within = WITHIN_MIN..=WITHIN_MAX;
    ("[a-z0-9_-]{1,16}", any::<u8>(), 0..=FEE_MAX, within).prop_map(|(rail, key, fee, within)| {
        ArbiterTerms {
            rail,
            key: DealKey([key; 33]),
            fee,
            within,
        }
    })
}

fn arbiter() -> impl Strategy<Value = Arbiter> {
    (any::<[u8; 32]>(), terms()).prop_map(|(intent, terms)| Arbiter {
        intent: IntentId(intent),
        terms,
    })
}

fn dispute() -> impl Strategy<Value = Dispute> {
    let bytes = || vec(any::<u8>(), 0..=2_000);
    let shown = (bytes(), bytes(), bytes());
    (said(), plan(), shown, 0..=100u64, text(600)).prop_map(
        |(order, plan, (locked, ordered, confirm), part, words)| Dispute {
            buyer: plan.minor / 100 * part,
            contract: plan.contract(order, DealKey([7; 33]), DealKey([8; 33])),
            locked: Locked(locked),
            intent_key: PublicKey(order.0),
            order: ordered,
            confirm,
            words,
        },
    )
}

fn settlement() -> impl Strategy<Value = Settlement> {
    let sum = || 0..=Money::MAX;
    let outcome = prop_oneof![
        (sum(), sum(), sum()).prop_map(|(buyer, seller, arbiter)| Outcome::Split(Split {
            buyer,
            seller,
            arbiter,
        })),
        (any::<bool>(), time()).prop_map(|(buyer, deadline)| Outcome::Renew {
            holder: if buyer { Side::Buyer } else { Side::Seller },
            deadline,
        }),
        Just(Outcome::Expired),
    ];
    let parties = vec![Party::Arbiter, Party::Seller, Party::Buyer];
    let signers = proptest::sample::subsequence(parties, 0..=3);
    let signature = || vec(any::<u8>(), 0..=DEAL_SIGNATURE_MAX);
    (
        said(),
        outcome,
        any::<[u8; 32]>(),
        signers,
        vec(signature(), 3),
    )
        .prop_map(
            |(contract, outcome, salt, signers, signatures)| Settlement {
                contract: ContractId(contract.0),
                outcome,
                salt,
                signatures: signers
                    .into_iter()
                    .zip(signatures)
                    .map(|(party, signature)| Signed { party, signature })
                    .collect(),
            },
        )
}

fn step() -> impl Strategy<Value = Step> {
    (said(), note(), files()).prop_map(|(order, note, files)| Step { order, note, files })
}

fn counter() -> impl Strategy<Value = Counter> {
    let some = money().prop_filter("something", |money| money.minor > 0);
    (said(), some, 1..=Counter::ROUNDS, note()).prop_map(|(quote, total, round, note)| Counter {
        quote,
        total,
        round,
        note,
    })
}

fn chat() -> impl Strategy<Value = Chat> {
    (text(60), files()).prop_map(|(text, files)| Chat { text, files })
}

fn cancel() -> impl Strategy<Value = Cancel> {
    let progress = select(vec![Progress::Ordered, Progress::Confirmed, Progress::Paid]);
    let reason = select(vec![
        CancelReason::ChangedMind,
        CancelReason::NoAnswer,
        CancelReason::Other,
    ]);
    (said(), progress, reason, note()).prop_map(|(order, progress, reason, note)| Cancel {
        order,
        progress,
        reason,
        note,
    })
}

pub(crate) fn body() -> impl Strategy<Value = Body> {
    let reason = select(vec![
        DeclineReason::NoStock,
        DeclineReason::Price,
        DeclineReason::Area,
        DeclineReason::Policy,
        DeclineReason::Busy,
        DeclineReason::QuoteExpired,
        DeclineReason::Other,
    ]);
    let order = (
        said(),
        money(),
        quantity(),
        delivery(),
        time(),
        note(),
        of(any::<[u8; 32]>()),
        of(any::<[u8; 32]>()),
    )
        .prop_map(
            |(quote, total, quantity, delivery, confirm_by, note, handover, secret)| Order {
                quote,
                total,
                quantity,
                delivery,
                confirm_by,
                note,
                handover: handover.map(HandoverHash),
                escrow: None,
                reach_secret: secret.map(ReachSecret::from_bytes),
            },
        );
    prop_oneof![
        quote().prop_map(Body::Quote),
        (reason, any::<bool>(), of(said())).prop_map(|(reason, last, order)| Body::Decline(
            Decline {
                reason,
                last,
                order
            }
        )),
        order.prop_map(Body::Order),
        (said(), note(), note()).prop_map(|(order, payment, note)| Body::OrderConfirm(
            OrderConfirm {
                order,
                payment,
                note,
                key: None,
            }
        )),
        said().prop_map(|quote| Body::NotSelected(NotSelected { quote })),
        contact().prop_map(Body::Contact),
        said().prop_map(|message| Body::Ack(Ack { message })),
        Just(Body::Moved),
        step().prop_map(Body::PaymentProof),
        step().prop_map(Body::Dispatch),
        step().prop_map(Body::Receipt),
        counter().prop_map(Body::Counter),
        chat().prop_map(Body::Chat),
        cancel().prop_map(Body::Cancel),
        delivered().prop_map(Body::Delivered),
        (said(), plan()).prop_map(|(quote, plan)| Body::Order(Order {
            quote,
            total: plan.amount(),
            quantity: Quantity::pieces(1),
            delivery: Delivery::Digital,
            confirm_by: plan.deadline,
            note: None,
            handover: None,
            escrow: Some(plan),
            reach_secret: None,
        })),
        (said(), any::<u8>()).prop_map(|(order, key)| Body::OrderConfirm(OrderConfirm {
            order,
            payment: None,
            note: None,
            key: Some(DealKey([key; 33])),
        })),
        (
            said(),
            said(),
            any::<u8>(),
            vec(any::<u8>(), 0..=Locked::MAX)
        )
            .prop_map(
                |(order, contract, key, locked)| Body::EscrowLock(EscrowLock {
                    order,
                    key: DealKey([key; 33]),
                    contract: ContractId(contract.0),
                    locked: Locked(locked),
                })
            ),
        (said(), settlement())
            .prop_map(|(order, settlement)| Body::Settle(Settle { order, settlement })),
        dispute()
            .prop_filter("keys that are all different", |it| it
                .contract
                .check()
                .is_ok())
            .prop_map(|dispute| Body::Dispute(Box::new(dispute))),
        (settlement(), text(600))
            .prop_map(|(settlement, words)| Body::Ruling(Ruling { settlement, words })),
    ]
}

/// Deterministic CBOR of any shape, for keys that nobody knows yet.
pub(crate) fn anything() -> impl Strategy<Value = Anything> {
    let leaf = prop_oneof![
        any::<u64>().prop_map(Anything::Uint),
        vec(any::<u8>(), 0..20).prop_map(Anything::Bytes),
        text(30).prop_map(Anything::Text),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Anything::Array),
            btree_map(any::<u64>(), inner, 0..4)
                .prop_map(|map| Anything::Map(map.into_iter().collect())),
        ]
    })
}

/// A value of any shape.
#[derive(Clone, Debug)]
pub(crate) enum Anything {
    Uint(u64),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<Self>),
    Map(Vec<(u64, Self)>),
}

impl Anything {
    pub(crate) fn write(&self, writer: &mut haggle_protocol::cbor::Writer) {
        match self {
            Self::Uint(value) => writer.uint(*value),
            Self::Bytes(value) => writer.bytes(value),
            Self::Text(value) => writer.text(value),
            Self::Array(items) => {
                writer.array(items.len());
                for item in items {
                    item.write(writer);
                }
            }
            Self::Map(fields) => writer.map(|map| {
                for (key, value) in fields {
                    map.field(*key, |w| value.write(w));
                }
            }),
        }
    }
}
