//! What is said is understood as it was meant; whatever else arrives is refused as a value, never by a panic.

#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    reason = "a test ends at what it did not expect"
)]

mod common;

use common::strategies;
use haggle_protocol::cbor::{Fields, Reader, Writer};
use haggle_protocol::frame::{Facets, Header};
use haggle_protocol::intent::IntentClose;
use haggle_protocol::limits::{BODY_MAX, CELL_LARGE, CELL_SMALL, FRAME_MAX};
use haggle_protocol::private::Body;
use haggle_protocol::reach::Entry;
use haggle_protocol::seal::{CONTENT_LARGE, Cell, Direction, Hpke};
use haggle_protocol::{Frame, Intent, Kind, Reach, Refusal};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// A change to some bytes.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Flip(Index, u8),
    Cut(Index, Index),
    Put(Index, Vec<u8>),
    Repeat(Index, Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (any::<Index>(), 0..8u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Cut(from, to)),
        (any::<Index>(), vec(any::<u8>(), 1..9)).prop_map(|(at, put)| Change::Put(at, put)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Repeat(from, to)),
    ];
    vec(change, 1..4)
}

fn changed(bytes: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for change in changes {
        let ends = |from: &Index, to: &Index, len: usize| {
            let (from, to) = (from.index(len + 1), to.index(len + 1));
            (from.min(to), from.max(to))
        };
        match change {
            Change::Set(at, byte) if !out.is_empty() => {
                let at = at.index(out.len());
                out[at] = *byte;
            }
            Change::Flip(at, bit) if !out.is_empty() => {
                let at = at.index(out.len());
                out[at] ^= 1 << bit;
            }
            Change::Set(..) | Change::Flip(..) => {}
            Change::Cut(from, to) => {
                let (from, to) = ends(from, to, out.len());
                out.drain(from..to.min(from + 16));
            }
            Change::Put(at, put) => {
                let at = at.index(out.len() + 1);
                out.splice(at..at, put.iter().copied());
            }
            Change::Repeat(from, to) => {
                let (from, to) = ends(from, to, out.len());
                let again = out[from..to].to_vec();
                out.splice(to..to, again);
            }
        }
    }
    out
}

/// Whether a map has a key that this version does not know.
fn has_unknown_key(map: &[u8], known: &[u64]) -> bool {
    let mut reader = Reader::new(map);
    let mut fields = reader.map().unwrap();
    while let Some(key) = fields.next(&mut reader).unwrap() {
        if !known.contains(&key) {
            return true;
        }
        reader.skip().unwrap();
    }
    false
}

const INTENT_KEYS: [u64; 18] = [
    2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 14, 16, 18, 20, 22, 23, 26, 28,
];

/// What was accepted has one encoding; parts of a newer version may be missing from ours, nothing else.
fn same_or_newer(given: &[u8], ours: &[u8]) -> Result<(), TestCaseError> {
    prop_assert!(ours.len() <= given.len(), "longer than what was accepted");
    if ours.len() == given.len() {
        prop_assert_eq!(ours, given);
    }
    Ok(())
}

proptest! {
    #![proptest_config(common::cases(400))]

    #[test]
    fn an_intent_is_understood_as_it_was_meant(intent in strategies::intent()) {
        prop_assert_eq!(intent.check(), Ok(()));
        let body = intent.to_body();
        prop_assert!(body.len() <= BODY_MAX || intent.seal.suite != 1);
        prop_assert_eq!(Intent::from_body(&body), Ok(intent));
    }

    #[test]
    fn a_close_and_a_reach_are_understood_as_they_were_meant(revision in strategies::revision()) {
        let close = IntentClose { revision };
        prop_assert_eq!(IntentClose::from_body(&close.to_body()), Ok(close));
        let reach = Reach { revision, ..common::reach() };
        let key = common::intent_key().0.public();
        let expires = common::NOW + common::LIFE;
        let heard = Reach::from_body(&reach.to_body(), common::network(), &key, expires);
        prop_assert_eq!(heard, Ok(reach));
    }

    #[test]
    fn a_message_is_understood_as_it_was_meant_through_its_seal(
        body in strategies::body(),
        direction in select(vec![Direction::ToBuyer, Direction::ToSeller]),
        seed in any::<[u8; 32]>(),
    ) {
        let message = common::message(direction, body);
        let (id, content) = common::content(&message);
        if content.len() <= CONTENT_LARGE {
            let way = common::way(direction);
            let to = way.to.public().unwrap();
            let mut dice = ChaCha20Rng::from_seed(seed);
            let cell = Cell::seal(&Hpke, &way.context, &to, &content, &mut dice).unwrap();
            let cell = Cell::from_bytes(cell.into_bytes()).unwrap();
            let opened = cell.open(&Hpke, &way.to, &way.context);
            prop_assert_eq!(opened.as_deref(), Ok(&content[..]));
        }
        prop_assert_eq!(common::open(&content, direction), Ok((id, message)));
    }

    #[test]
    fn a_key_from_a_newer_version_is_passed_over_if_odd_and_refuses_if_even(
        intent in strategies::intent(),
        key in 29..1_000_000u64,
        value in strategies::anything(),
    ) {
        let mut body = intent.to_body();
        let mut field = Writer::new();
        field.uint(key);
        value.write(&mut field);
        // One more field at the end: our largest key is 28, so keys still ascend.
        prop_assert_eq!(body[0] >> 5, 5);
        prop_assume!(body[0] & 31 < 23);
        body[0] += 1;
        body.extend(field.into_bytes());
        let heard = Intent::from_body(&body);
        if key % 2 == 1 {
            prop_assert_eq!(heard, Ok(intent));
            prop_assert!(has_unknown_key(&body, &INTENT_KEYS));
        } else {
            prop_assert_eq!(heard, Err(Refusal::UnknownField));
        }
    }

    #[test]
    fn every_reader_takes_any_bytes_without_a_panic(
        bytes in prop_oneof![vec(any::<u8>(), 0..300), vec(any::<u8>(), 0..FRAME_MAX + 2)],
        direction in select(vec![Direction::ToBuyer, Direction::ToSeller]),
    ) {
        let key = common::intent_key().0.public();
        let _ = Frame::open(&bytes, common::network(), common::NOW);
        let _ = Intent::from_body(&bytes);
        let _ = IntentClose::from_body(&bytes);
        let _ = Reach::from_body(&bytes, common::network(), &key, common::NOW);
        let _ = common::open(&bytes, direction);
        let _ = Reader::new(&bytes).skip();
        let _ = Cell::from_bytes(bytes);
    }

    #[test]
    fn a_changed_intent_is_refused_or_says_one_thing_in_one_way(
        intent in strategies::intent(),
        changes in changes(),
    ) {
        let body = changed(&intent.to_body(), &changes);
        if let Ok(heard) = Intent::from_body(&body) {
            same_or_newer(&body, &heard.to_body())?;
            if !has_unknown_key(&body, &INTENT_KEYS) {
                prop_assert_eq!(heard.to_body(), body);
            }
            prop_assert_eq!(Intent::from_body(&heard.to_body()), Ok(heard));
        }
    }

    #[test]
    fn a_changed_close_or_reach_is_refused_or_says_one_thing_in_one_way(changes in changes()) {
        let key = common::intent_key().0.public();
        let expires = common::NOW + common::LIFE;
        let body = changed(&common::close().to_body(), &changes);
        if let Ok(heard) = IntentClose::from_body(&body) {
            same_or_newer(&body, &heard.to_body())?;
        }
        let body = changed(&common::reach().to_body(), &changes);
        if let Ok(heard) = Reach::from_body(&body, common::network(), &key, expires) {
            same_or_newer(&body, &heard.to_body())?;
        }
    }

    #[test]
    fn a_changed_message_signed_again_is_refused_or_says_one_thing_in_one_way(
        which in 0..8usize,
        changes in changes(),
    ) {
        let (direction, body) = common::bodies().swap_remove(which);
        let (_, content) = common::content(&common::message(direction, body));
        let inner = changed(&content[..content.len() - 64], &changes);
        let content = common::sign_inner(&inner, direction);
        if let Ok((_, heard)) = common::open(&content, direction) {
            let (_, ours) = common::content(&heard);
            let (ours, given) = (&ours[..ours.len() - 64], &content[..content.len() - 64]);
            prop_assert!(ours.len() <= given.len());
            // Reasons that we have no word for are one word to us.
            let unworded = matches!(
                &heard.body,
                Body::Decline(decline) if decline.reason == haggle_protocol::trade::DeclineReason::Other
            );
            if ours.len() == given.len() && !unworded {
                prop_assert_eq!(ours, given);
            }
        }
    }

    #[test]
    fn a_changed_message_that_is_not_signed_again_is_refused(
        which in 0..8usize,
        changes in changes(),
    ) {
        let (direction, body) = common::bodies().swap_remove(which);
        let (_, content) = common::content(&common::message(direction, body));
        let altered = changed(&content, &changes);
        prop_assume!(altered != content);
        prop_assert!(common::open(&altered, direction).is_err());
    }

    #[test]
    fn a_changed_frame_is_refused_or_its_nonce_alone_was_changed(changes in changes()) {
        static FRAME: std::sync::OnceLock<Frame> = std::sync::OnceLock::new();
        let frame = FRAME.get_or_init(common::intent_frame);
        let altered = changed(frame.bytes(), &changes);
        prop_assume!(altered != frame.bytes());
        if let Ok(heard) = Frame::open(&altered, common::network(), common::NOW) {
            // The nonce is not signed: another that shows the work is as good.
            prop_assert_eq!(heard.id(), frame.id());
            prop_assert_eq!(heard.body(), frame.body());
        }
    }

    #[test]
    fn a_cell_of_any_bytes_opens_for_nobody(
        large in any::<bool>(),
        head in any::<[u8; 48]>(),
        fill in any::<u8>(),
        direction in select(vec![Direction::ToBuyer, Direction::ToSeller]),
    ) {
        let mut bytes = vec![fill; if large { CELL_LARGE } else { CELL_SMALL }];
        bytes[..48].copy_from_slice(&head);
        bytes[..3].copy_from_slice(&[1, 1, u8::from(large)]);
        let way = common::way(direction);
        let cell = Cell::from_bytes(bytes).unwrap();
        prop_assert_eq!(cell.open(&Hpke, &way.to, &way.context), Err(Refusal::SealBroken));
    }
}

proptest! {
    // Work is as dear for the hundredth frame as for the first, so few are signed.
    #![proptest_config(common::cases(32))]

    #[test]
    fn a_frame_is_taken_again_as_it_was_signed(
        body in vec(any::<u8>(), 0..=BODY_MAX),
        kind in any::<u8>(),
        facets in any::<(u32, u32, u16, u8, u8)>(),
        life in 1..=86_400u64,
    ) {
        let header = Header {
            expires: common::NOW + life,
            ..common::header(Kind::from_wire(kind), Facets {
                category: haggle_protocol::category::Category(facets.0),
                cell: facets.1,
                currency: facets.2,
                band: facets.3,
                flags: facets.4,
            })
        };
        let (key, _) = common::intent_key();
        let frame = Frame::sign(header, &body, &key, 0, 0).unwrap();
        let heard = Frame::open(frame.bytes(), common::network(), common::NOW).unwrap();
        prop_assert_eq!(heard.header(), &header);
        prop_assert_eq!(heard.body(), &body[..]);
        prop_assert_eq!(heard, frame);
    }
}

#[test]
fn an_entry_of_an_unknown_kind_is_passed_over_and_an_empty_list_is_refused() {
    let key = common::intent_key().0.public();
    let expires = common::NOW + common::LIFE;
    let read = |entries: &dyn Fn(&mut Writer)| {
        let mut writer = Writer::new();
        writer.map(|map| {
            map.field(2, |w| w.bytes(&common::first().0));
            map.field(4, |w| w.uint(1));
            map.field(6, |w| entries(w));
        });
        let body = writer.into_bytes();
        Reach::from_body(&body, common::network(), &key, expires)
    };
    let newer = read(&|w| {
        w.array(1);
        w.bytes(&[2, 0, 3, 7, 7, 7]);
    });
    assert_eq!(newer.map(|reach| reach.entries), Ok(Vec::new()));
    assert_eq!(read(&|w| w.array(0)), Err(Refusal::BadField));
    let lying = read(&|w| {
        w.array(1);
        w.bytes(&[2, 0, 9, 7]);
    });
    assert_eq!(lying, Err(Refusal::BadField));
    let many = read(&|w| {
        w.array(4);
        for _ in 0..4 {
            w.bytes(&[2, 0, 0]);
        }
    });
    assert_eq!(many, Err(Refusal::BadField));
}

#[test]
fn a_way_without_its_peers_consent_is_refused() {
    let key = common::intent_key().0.public();
    let other = common::buyer_thread_key();
    let expires = common::NOW + common::LIFE;
    let heard = |entry: Entry, expires| {
        let reach = Reach {
            entries: vec![entry],
            ..common::reach()
        };
        Reach::from_body(&reach.to_body(), common::network(), &key, expires)
    };
    let entry = common::reach().entries.remove(0);
    assert!(heard(entry.clone(), expires).is_ok());
    // Agreed to until another time, for another key, on another market, by another peer.
    assert_eq!(heard(entry.clone(), expires + 60), Err(Refusal::BadReach));
    let agree = |network, key: &haggle_protocol::PublicKey| {
        Entry::agree(
            common::circuit(),
            &common::peer_key(),
            network,
            key,
            expires,
        )
    };
    let for_other = agree(common::network(), &other.public());
    assert_eq!(heard(for_other, expires), Err(Refusal::BadReach));
    let elsewhere = agree(haggle_protocol::Network::main(), &key);
    assert_eq!(heard(elsewhere, expires), Err(Refusal::BadReach));
    let mut victim = entry;
    victim.circuit.peer = other.public();
    assert_eq!(heard(victim, expires), Err(Refusal::BadReach));
}

#[test]
fn keys_that_are_unknown_follow_their_parity_at_every_depth_that_is_skipped() {
    let mut reader = Reader::new(&[0xa0]);
    assert_eq!(Fields::unknown(31, &mut reader), Ok(()));
    assert_eq!(Fields::unknown(30, &mut reader), Err(Refusal::UnknownField));
}
