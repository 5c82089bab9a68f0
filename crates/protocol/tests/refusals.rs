//! Every check of the two doors, one at a time: the valid twin is taken, the altered one refused under its own code.

#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    reason = "a test ends at what it did not expect"
)]

mod common;

use common::{LIFE, NOW, network};
use haggle_protocol::cbor::Writer;
use haggle_protocol::frame::{Facets, Frame, Header};
use haggle_protocol::intent::{Budget, Intent, IntentClose};
use haggle_protocol::keys::SigningKey;
use haggle_protocol::limits::{BODY_MAX, CLOCK_SKEW, FRAME_MAX, LIFETIME_MAX, POW_FLOOR};
use haggle_protocol::private::{Body, Message, TraderProof};
use haggle_protocol::quote::Quote;
use haggle_protocol::seal::{Cell, Context, Direction, Hpke, Sealer};
use haggle_protocol::trade::{Contact, Order};
use haggle_protocol::{
    IntentId, Kind, Money, Network, PublicKey, Quantity, Refusal, SealPublic, ThreadId,
};

fn open(bytes: &[u8]) -> Result<Frame, Refusal> {
    Frame::open(bytes, network(), NOW)
}

fn signed(change: impl FnOnce(&mut Header)) -> Result<Frame, Refusal> {
    let mut header = common::header(Kind::Intent, common::intent().facets());
    change(&mut header);
    let (key, _) = common::intent_key();
    Frame::sign(header, &common::intent().to_body(), &key, POW_FLOOR, 0)
}

#[test]
fn a_frame_is_refused_for_its_size_its_version_its_network_and_its_times() {
    let frame = common::intent_frame();
    let good = frame.bytes();
    assert_eq!(open(good).as_ref(), Ok(&frame));
    assert_eq!(open(&[]), Err(Refusal::Truncated));
    assert_eq!(open(&good[..good.len() - 1]), Err(Refusal::Truncated));
    assert_eq!(open(&[good, &[0]].concat()), Err(Refusal::Truncated));
    assert_eq!(open(&vec![1; FRAME_MAX + 1]), Err(Refusal::TooLarge));
    let newer = [&[2], &good[1..]].concat();
    assert_eq!(open(&newer), Err(Refusal::UnknownVersion));
    assert_eq!(
        Frame::open(good, Network::main(), NOW),
        Err(Refusal::OtherNetwork)
    );
    assert_eq!(
        Frame::open(good, network(), NOW + LIFE),
        Err(Refusal::Expired)
    );
    assert!(Frame::open(good, network(), NOW - CLOCK_SKEW).is_ok());
    assert_eq!(
        Frame::open(good, network(), NOW - CLOCK_SKEW - 1),
        Err(Refusal::FromTheFuture)
    );
    // Not a full minute, and ends before it begins: what we do not sign, but others might.
    let mut odd = good.to_vec();
    odd[9] ^= 1;
    assert_eq!(open(&odd), Err(Refusal::BadField));
    let mut backwards = good.to_vec();
    backwards.copy_within(6..10, 10);
    assert_eq!(open(&backwards), Err(Refusal::BadField));
    let mut eternal = good.to_vec();
    eternal[10] = 0xff;
    assert_eq!(open(&eternal), Err(Refusal::LivesTooLong));
}

#[test]
fn a_frame_is_refused_for_its_work_its_key_and_its_signature() {
    let frame = common::intent_frame();
    let mut lazy = frame.bytes().to_vec();
    let nonce = lazy.len() - 72;
    lazy[nonce] ^= 0x80;
    assert_eq!(open(&lazy), Err(Refusal::NoWork));
    let mut forged = frame.bytes().to_vec();
    let last = forged.len() - 1;
    forged[last - 40] ^= 1;
    assert_eq!(open(&forged), Err(Refusal::BadSignature));

    // Another key's frame, with work of its own, under this signature; and a key of small order.
    let reworked = |key: PublicKey| {
        let header = Header {
            key,
            ..common::header(Kind::Intent, Facets::default())
        };
        let head = header.to_bytes();
        let stranger = SigningKey::from_seed(&[1; 32]);
        (0..)
            .map(|start| Frame::sign(header, &[start], &stranger, POW_FLOOR, 0).unwrap())
            .find_map(|frame| {
                let mut bytes = frame.bytes().to_vec();
                bytes[14..46].copy_from_slice(&head[14..46]);
                // The id changed with the key: look for the work again.
                let at = bytes.len() - 72;
                (0..1u64 << 24).find_map(|nonce| {
                    bytes[at..at + 8].copy_from_slice(&nonce.to_be_bytes());
                    match open(&bytes) {
                        Err(Refusal::NoWork) => None,
                        other => Some(other),
                    }
                })
            })
    };
    let (key, _) = common::intent_key();
    assert_eq!(reworked(key.public()), Some(Err(Refusal::BadSignature)));
    let mut identity = [0; 32];
    identity[0] = 1;
    assert_eq!(reworked(PublicKey(identity)), Some(Err(Refusal::BadKey)));
}

#[test]
fn what_would_be_refused_is_not_signed() {
    assert!(signed(|_| {}).is_ok());
    assert_eq!(
        signed(|header| header.expires = NOW + LIFETIME_MAX + 1),
        Err(Refusal::LivesTooLong)
    );
    assert_eq!(
        signed(|header| header.expires = NOW),
        Err(Refusal::BadField)
    );
    let (key, _) = common::intent_key();
    let header = common::header(Kind::Other(9), Facets::default());
    let body = vec![0; BODY_MAX + 1];
    assert_eq!(
        Frame::sign(header, &body, &key, POW_FLOOR, 0),
        Err(Refusal::TooLarge)
    );
    let largest = Frame::sign(header, &body[1..], &key, POW_FLOOR, 0).unwrap();
    assert_eq!(largest.bytes().len(), FRAME_MAX);
    assert!(open(largest.bytes()).is_ok());
}

#[test]
fn public_times_are_rounded_to_the_minute_whatever_the_clock_says() {
    let frame = signed(|header| header.created = NOW + 59).unwrap();
    assert_eq!(frame.header().created, NOW);
    assert!(open(frame.bytes()).is_ok());
}

#[test]
fn an_unknown_kind_and_reserved_bytes_are_taken_and_kept_as_they_are() {
    let frame = common::frame(Kind::Other(200), Facets::default(), b"not even CBOR");
    let heard = open(frame.bytes()).unwrap();
    assert_eq!(heard.header().kind, Kind::Other(200));
    assert_eq!(heard.bytes(), frame.bytes());
    assert_eq!(Intent::from_frame(&heard), Err(Refusal::UnknownKind));
}

#[test]
fn a_header_that_says_another_thing_than_its_body_is_refused() {
    let intent = common::intent();
    let said = |kind, change: &dyn Fn(&mut Facets)| {
        let mut facets = intent.facets();
        change(&mut facets);
        Intent::from_frame(&common::frame(kind, facets, &intent.to_body()))
    };
    assert_eq!(said(Kind::Intent, &|_| {}).as_ref(), Ok(&intent));
    let bad = Err(Refusal::BadField);
    assert_eq!(said(Kind::Intent, &|facets| facets.category.0 += 1), bad);
    assert_eq!(said(Kind::Intent, &|facets| facets.cell += 1), bad);
    assert_eq!(said(Kind::Intent, &|facets| facets.band = 9), bad);
    assert_eq!(said(Kind::IntentUpdate, &|_| {}), bad);
    // Reserved for later versions: not looked at.
    assert_eq!(
        said(Kind::Intent, &|facets| facets.flags = 9),
        Ok(intent.clone())
    );
    let update = common::update();
    let frame = common::frame(Kind::Intent, update.facets(), &update.to_body());
    assert_eq!(Intent::from_frame(&frame), bad);
}

#[test]
fn an_intent_is_refused_for_each_thing_that_it_may_not_say() {
    let refused = |refusal: Refusal, change: &dyn Fn(&mut Intent)| {
        let mut intent = common::intent();
        change(&mut intent);
        assert_eq!(intent.check(), Err(refusal));
        assert_eq!(Intent::from_body(&intent.to_body()), Err(refusal));
    };
    refused(Refusal::BadText, &|intent| intent.title = "  ".into());
    refused(Refusal::BadText, &|intent| {
        intent.title = "a\u{202e}b".into()
    });
    refused(Refusal::BadText, &|intent| {
        intent.details = Some(String::new())
    });
    refused(Refusal::BadText, &|intent| {
        intent.lang = Some("de_DE".into())
    });
    refused(Refusal::BadText, &|intent| {
        intent.wishes[0].key = "Frame".into()
    });
    let bad = Refusal::BadField;
    refused(bad, &|intent| intent.category.0 = 1_000_000);
    refused(bad, &|intent| intent.quantity.n = 0);
    refused(bad, &|intent| intent.quantity.scale = 7);
    refused(bad, &|intent| intent.deliveries.clear());
    refused(bad, &|intent| intent.deliveries.reverse());
    refused(bad, &|intent| {
        intent.deliveries = vec![intent.deliveries[0]; 2]
    });
    refused(bad, &|intent| intent.max_quotes = Some(0));
    refused(bad, &|intent| intent.places[0].geohash = "u3a".into());
    refused(bad, &|intent| intent.places[0].geohash = "u33dbf".into());
    refused(bad, &|intent| {
        intent.places = vec![intent.places[0].clone(); 3]
    });
    refused(bad, &|intent| {
        intent.wishes[1].comparison = intent.wishes[0].comparison
    });
    refused(bad, &|intent| {
        intent.wishes[2].comparison = intent.wishes[0].comparison
    });
    refused(bad, &|intent| {
        intent.wishes = vec![intent.wishes[0].clone(); 17]
    });
    refused(bad, &|intent| {
        let window = intent.window.as_mut().unwrap();
        core::mem::swap(&mut window.from, &mut window.to);
    });
    refused(bad, &|intent| intent.seal.key.truncate(31));
    refused(bad, &|intent| {
        intent.seal.suite = 9;
        intent.seal.key = vec![0; 1_281];
    });
    refused(Refusal::BadKey, &|intent| intent.seal.key = vec![0; 32]);
    let budget = |budget| move |intent: &mut Intent| intent.budget = budget;
    refused(bad, &budget(Budget::Band(common::eur(), 0)));
    refused(bad, &budget(Budget::Band(common::eur(), 54)));
    refused(bad, &budget(Budget::Public(Money::new(0, common::eur()))));
    refused(
        bad,
        &budget(Budget::Public(Money::new(Money::MAX + 1, common::eur()))),
    );
}

#[test]
fn a_ceiling_of_a_band_that_does_not_exist_is_still_a_number() {
    assert_eq!(Budget::Band(common::eur(), 5).ceiling(), Some(31));
    assert_eq!(Budget::Band(common::eur(), 200).ceiling(), Some(u64::MAX));
}

#[test]
fn a_required_field_that_is_missing_is_named_so() {
    assert_eq!(Intent::from_body(&[0xa0]), Err(Refusal::MissingField));
    assert_eq!(IntentClose::from_body(&[0xa0]), Err(Refusal::MissingField));
    // A revision without its number.
    let mut writer = Writer::new();
    writer.map(|map| map.field(2, |w| w.bytes(&[1; 32])));
    assert_eq!(
        IntentClose::from_body(&writer.into_bytes()),
        Err(Refusal::MissingField)
    );
}

#[test]
fn a_quote_that_does_not_add_up_is_refused() {
    let refused = |refusal: Refusal, change: &dyn Fn(&mut Quote)| {
        let mut quote = common::quote();
        change(&mut quote);
        assert_eq!(quote.check(), Err(refusal));
        let message = common::message(Direction::ToBuyer, Body::Quote(quote));
        let (_, content) = common::content(&message);
        assert_eq!(common::open(&content, Direction::ToBuyer), Err(refusal));
    };
    refused(Refusal::WrongSum, &|quote| quote.total.minor += 1);
    refused(Refusal::WrongSum, &|quote| quote.lines[0].amount += 1);
    refused(Refusal::WrongSum, &|quote| quote.lines[1].unit_price += 1);
    refused(Refusal::WrongSum, &|quote| {
        quote.charges[1].amount = 100_000
    });
    refused(Refusal::WrongSum, &|quote| {
        quote.charges[0].amount = Money::MAX
    });
    refused(Refusal::BadField, &|quote| quote.lines[0].quantity.n = 0);
    refused(Refusal::BadField, &|quote| quote.lines.clear());
    refused(Refusal::BadField, &|quote| quote.number = 0);
    refused(Refusal::BadField, &|quote| {
        let again = quote.lines[0].attributes[0].clone();
        quote.lines[0].attributes.push(again);
    });
    refused(Refusal::BadText, &|quote| {
        quote.lines[0].description = String::new()
    });
    refused(Refusal::BadText, &|quote| {
        quote.charges[0].label = "a\tb".into()
    });
    refused(Refusal::BadText, &|quote| quote.note = Some(" ".into()));
}

#[test]
fn an_order_and_a_contact_are_refused_for_what_they_may_not_say() {
    let opened = |body: Body| {
        let (_, content) = common::content(&common::message(Direction::ToSeller, body));
        common::open(&content, Direction::ToSeller).map(|_| ())
    };
    let order = |change: &dyn Fn(&mut Order)| {
        let Some((_, Body::Order(mut order))) = common::bodies().into_iter().nth(2) else {
            panic!("the third is an order");
        };
        change(&mut order);
        opened(Body::Order(order))
    };
    assert_eq!(order(&|_| {}), Ok(()));
    assert_eq!(
        order(&|order| order.quantity = Quantity::pieces(0)),
        Err(Refusal::BadField)
    );
    assert_eq!(
        order(&|order| order.total.minor = u64::MAX),
        Err(Refusal::BadField)
    );
    assert_eq!(
        order(&|order| order.note = Some("\u{7}".into())),
        Err(Refusal::BadText)
    );
    let contact = |change: &dyn Fn(&mut Contact)| {
        let Some((_, Body::Contact(mut contact))) = common::bodies().into_iter().nth(5) else {
            panic!("the sixth is a contact");
        };
        change(&mut contact);
        opened(Body::Contact(contact))
    };
    assert_eq!(contact(&|_| {}), Ok(()));
    assert_eq!(
        contact(&|contact| contact.name = String::new()),
        Err(Refusal::BadText)
    );
    assert_eq!(
        contact(&|contact| contact.ways[0].kind = "Phone".into()),
        Err(Refusal::BadText)
    );
    assert_eq!(
        contact(&|contact| contact.ways = vec![contact.ways[0].clone(); 5]),
        Err(Refusal::BadField)
    );
}

/// Opens what `change` made of an order by the buyer, in the context that `place` made of the right one.
fn to_seller(
    change: impl FnOnce(&mut Message),
    place: impl FnOnce(&mut Context),
) -> Result<(), Refusal> {
    let (direction, body) = common::bodies().swap_remove(2);
    let mut message = common::message(direction, body);
    change(&mut message);
    let way = common::way(direction);
    let to = way.to.public().unwrap();
    let (_, content) = message.sign(network(), &to, &way.from)?;
    let mut context = way.context;
    place(&mut context);
    let key = common::intent_key().0.public();
    Message::open(&content, &context, &to, &key, NOW).map(|_| ())
}

#[test]
fn a_message_is_refused_outside_the_place_it_was_written_for() {
    assert_eq!(to_seller(|_| {}, |_| {}), Ok(()));
    assert_eq!(
        to_seller(|_| {}, |context| context.direction = Direction::ToBuyer),
        Err(Refusal::WrongDirection)
    );
    assert_eq!(
        to_seller(|_| {}, |context| context.intent = IntentId([1; 32])),
        Err(Refusal::WrongIntent)
    );
    assert_eq!(
        to_seller(|_| {}, |context| context.thread = Some(ThreadId([1; 32]))),
        Err(Refusal::WrongThread)
    );
    // A seller knows his threads; without naming one he opens nothing.
    assert_eq!(
        to_seller(|_| {}, |context| context.thread = None),
        Err(Refusal::WrongThread)
    );
    let (_, content) = common::content(&common::message(
        Direction::ToBuyer,
        Body::Quote(common::quote()),
    ));
    let way = common::way(Direction::ToBuyer);
    let key = common::intent_key().0.public();
    let other = SealPublic([9; 32]);
    assert_eq!(
        Message::open(&content, &way.context, &other, &key, NOW).map(|_| ()),
        Err(Refusal::WrongRecipient)
    );
    let to = way.to.public().unwrap();
    let another = SigningKey::from_seed(&[3; 32]).public();
    assert_eq!(
        Message::open(&content, &way.context, &to, &another, NOW).map(|_| ()),
        Err(Refusal::WrongThread)
    );
    let elsewhere = Context {
        network: Network::main(),
        ..way.context
    };
    assert!(Message::open(&content, &elsewhere, &to, &key, NOW).is_err());
}

#[test]
fn a_message_is_refused_for_its_times() {
    let at = |created, expires| {
        to_seller(
            |message| {
                message.created = created;
                message.expires = expires;
                message.reach.clear();
            },
            |_| {},
        )
    };
    assert_eq!(at(NOW, NOW + 60), Ok(()));
    assert_eq!(at(NOW - 600, NOW), Err(Refusal::Expired));
    assert_eq!(at(NOW + CLOCK_SKEW, NOW + 600), Ok(()));
    assert_eq!(
        at(NOW + CLOCK_SKEW + 1, NOW + 600),
        Err(Refusal::FromTheFuture)
    );
    assert_eq!(at(NOW + 60, NOW + 60), Err(Refusal::BadField));
    assert_eq!(at(NOW, NOW + 8 * 86_400), Err(Refusal::LivesTooLong));
}

#[test]
fn a_message_is_refused_for_who_is_behind_it() {
    assert_eq!(
        to_seller(|message| message.intent_proof = None, |_| {}),
        Err(Refusal::NoIntentProof)
    );
    let stranger = SigningKey::from_seed(&[3; 32]);
    assert_eq!(
        to_seller(
            |message| {
                let proof = haggle_protocol::private::intent_proof;
                let of = (message.thread, message.from);
                message.intent_proof = Some(proof(&stranger, network(), &of.0, &of.1));
            },
            |_| {}
        ),
        Err(Refusal::NoIntentProof)
    );
    assert_eq!(
        to_seller(|message| message.trader = None, |_| {}),
        Err(Refusal::NoTrader)
    );
    // A proof that was shown in another thread, by another thread key, the other way, or whose time is over.
    let shown = |thread: ThreadId, from: Option<PublicKey>, direction, expires| {
        to_seller(
            |message| {
                let from = from.unwrap_or(message.from);
                let trader = common::seller_trader();
                let proof =
                    TraderProof::new(&trader, network(), &thread, &from, direction, expires);
                message.trader = Some(proof);
            },
            |_| {},
        )
    };
    let (thread, way) = (common::thread(), Direction::ToSeller);
    assert_eq!(shown(thread, None, way, NOW + 1), Ok(()));
    let bad = Err(Refusal::BadTraderProof);
    assert_eq!(shown(ThreadId([1; 32]), None, way, NOW + 1), bad);
    assert_eq!(shown(thread, Some(stranger.public()), way, NOW + 1), bad);
    assert_eq!(shown(thread, None, Direction::ToBuyer, NOW + 1), bad);
    assert_eq!(shown(thread, None, way, NOW), bad);
    assert_eq!(
        to_seller(|message| message.reply = SealPublic([0; 32]), |_| {}),
        Err(Refusal::BadKey)
    );
    assert_eq!(
        to_seller(|message| message.from = stranger.public(), |_| {}),
        Err(Refusal::WrongSender)
    );
}

#[test]
fn a_trader_shown_in_an_unknown_way_is_nobody_and_never_a_refusal_by_itself() {
    // A message of our own, with field 28 replaced by one of another kind.
    let said = |body: Body| {
        let mut message = common::message(Direction::ToBuyer, body);
        message.trader = Some(TraderProof::new(
            &common::seller_trader(),
            network(),
            &common::thread(),
            &message.from,
            Direction::ToBuyer,
            message.expires,
        ));
        let (_, content) = common::content(&message);
        let inner = &content[..content.len() - 64];
        let known = [0x18, 28, 0x82, 1, 0x58, 100];
        let at = inner.windows(6).position(|window| window == known).unwrap();
        let newer = [
            &inner[..at],
            &[0x18, 28, 0x82, 2, 0x42, 7, 7],
            &inner[at + 106..],
        ]
        .concat();
        common::open(
            &common::sign_inner(&newer, Direction::ToBuyer),
            Direction::ToBuyer,
        )
    };
    let decline = common::bodies().swap_remove(1).1;
    assert_eq!(said(decline).map(|(_, message)| message.trader), Ok(None));
    assert_eq!(said(Body::Quote(common::quote())), Err(Refusal::NoTrader));
}

#[test]
fn a_message_of_an_unknown_type_is_refused_as_such() {
    let (_, content) = common::content(&common::message(Direction::ToSeller, Body::Moved));
    let mut inner = content[..content.len() - 64].to_vec();
    assert_eq!(inner[1..3], [2, 8]);
    inner[2] = 23;
    let content = common::sign_inner(&inner, Direction::ToSeller);
    assert_eq!(
        common::open(&content, Direction::ToSeller),
        Err(Refusal::UnknownMessage)
    );
}

#[test]
fn a_cell_is_refused_for_its_size_its_version_and_its_padding() {
    let way = common::way(Direction::ToBuyer);
    let to = way.to.public().unwrap();
    let dice = || common::Fixed(vec![0xaa; 32]);
    let cell = Cell::seal(&Hpke, &way.context, &to, b"x", &mut dice()).unwrap();
    let bytes = cell.as_bytes();
    assert_eq!(
        Cell::from_bytes(bytes[1..].to_vec()),
        Err(Refusal::CellSize)
    );
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.to_vec();
        bytes[at] = byte;
        Cell::from_bytes(bytes)
    };
    assert_eq!(with(0, 2), Err(Refusal::UnknownVersion));
    assert_eq!(with(1, 2), Err(Refusal::UnknownVersion));
    assert_eq!(with(2, 1), Err(Refusal::CellSize));

    // A sender who hides bytes in the padding, and one whose length points beyond the end.
    #[derive(Debug)]
    struct Careless(usize, u8);
    impl Sealer for Careless {
        fn seal(
            &self,
            recipient: &SealPublic,
            info: &[u8],
            aad: &[u8],
            plain: &[u8],
            dice: &mut dyn rand_core::CryptoRng,
        ) -> Result<([u8; 32], Vec<u8>), Refusal> {
            let mut plain = plain.to_vec();
            plain[self.0] = self.1;
            Hpke.seal(recipient, info, aad, &plain, dice)
        }
        fn open(
            &self,
            secret: &haggle_protocol::keys::SealSecret,
            enc: &[u8; 32],
            info: &[u8],
            aad: &[u8],
            sealed: &[u8],
        ) -> Result<Vec<u8>, Refusal> {
            Hpke.open(secret, enc, info, aad, sealed)
        }
    }
    for careless in [Careless(900, 1), Careless(3, 1), Careless(0, 0xff)] {
        let cell = Cell::seal(&careless, &way.context, &to, b"x", &mut dice()).unwrap();
        assert_eq!(
            cell.open(&Hpke, &way.to, &way.context),
            Err(Refusal::BadPadding)
        );
    }
}
