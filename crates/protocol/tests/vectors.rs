//! Golden vectors: what the protocol's bytes are, for ever, and for every other implementation.
//!
//! `vectors/*.json` is written from this file by `HAGGLE_BLESS=1 cargo test -p haggle-protocol --test vectors` and compared by
//! every other run. A difference means that the wire has changed: then peers out there no longer understand us. The
//! meaning of every field stands in `docs/protocol.md`.

#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    reason = "a test ends at what it did not expect"
)]

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;

use common::{LIFE, NOW, network};
use haggle_protocol::attachment::{Attachment, FileKey, Piece};
use haggle_protocol::cbor::Writer;
use haggle_protocol::frame::{Facets, Frame, Header};
use haggle_protocol::handover::HandoverCode;
use haggle_protocol::keys::{Root, SealSecret, SigningKey};
use haggle_protocol::limits::{CLOCK_SKEW, LIFETIME_MAX, PIECE_LEN};
use haggle_protocol::reach::Circuit;
use haggle_protocol::seal::{Cell, Context, Direction, Hint, Hpke, Sealer};
use haggle_protocol::sealed_reach::ReachSecret;
use haggle_protocol::tag::{Tag, hash, verify};
use haggle_protocol::{
    Asset, Contract, Custodian, DealKey, Intent, Kind, MessageId, Money, Network, PublicKey, Reach,
    Refusal, SealPublic, Side, Timestamp, pow,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

fn hex(bytes: impl AsRef<[u8]>) -> String {
    let digits = bytes.as_ref().iter().map(|byte| format!("{byte:02x}"));
    digits.collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// The same, with every object's keys in order: in a build with `serde_json/preserve_order` they stand as they were put in.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let ordered: BTreeMap<_, _> = members.iter().collect();
            let members = ordered
                .into_iter()
                .map(|(key, value)| (key.clone(), sorted(value)));
            Value::Object(members.collect())
        }
        Value::Array(values) => values.iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Compares with the file, or writes it.
fn golden(name: &str, value: &Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(name);
    let text = serde_json::to_string_pretty(&sorted(value)).unwrap() + "\n";
    if std::env::var_os("HAGGLE_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let held = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        held == text,
        "{name} differs: the wire has changed. If that is meant, run again with HAGGLE_BLESS=1 and say why in the \
         change; first difference at byte {}",
        held.bytes()
            .zip(text.bytes())
            .take_while(|(a, b)| a == b)
            .count()
    );
}

fn verdict_of<T>(result: Result<T, Refusal>) -> Value {
    match result {
        Ok(_) => json!("ok"),
        Err(refusal) => json!(refusal.code()),
    }
}

#[test]
fn networks_tags_hashes_and_signatures_are_as_they_were() {
    let key = SigningKey::from_seed(&[7; 32]);
    let parts: [&[u8]; 2] = [b"ask ", b"out loud"];
    let tags = Tag::ALL.iter().map(|tag| {
        let signature = key.sign(*tag, &parts);
        assert_eq!(verify(*tag, &key.public(), &parts, &signature), Ok(()));
        json!({
            "name": format!("{tag:?}"),
            "bytes": hex(tag.bytes()),
            "hash": hex(hash(*tag, &parts)),
            "signature": hex(signature.0),
        })
    });
    let networks = [Network::MAIN_NAME, "vectors", "test"]
        .map(|name| json!({ "name": name, "id": hex(Network::named(name).0) }));
    golden(
        "tags.json",
        &json!({
            "seed": hex([7; 32]),
            "public": hex(key.public().0),
            "covers": hex(parts.concat()),
            "tags": tags.collect::<Vec<_>>(),
            "networks": networks,
        }),
    );
}

#[test]
fn contracts_and_their_ids_are_as_they_were() {
    let key = |first: u8, rest: u8| {
        DealKey(core::array::from_fn(
            |at| if at == 0 { first } else { rest },
        ))
    };
    let whole = Contract {
        order: MessageId([0x0d; 32]),
        custodian: Custodian::new("https://mint.example.org").unwrap(),
        amount: Money::new(9_000, Asset::new("EUR").unwrap()),
        buyer: key(2, 0xb1),
        seller: key(3, 0x5e),
        arbiter: Some(key(2, 0xab)),
        holder: Side::Buyer,
        deadline: Timestamp(1_900_000_000),
    };
    let alone = Contract {
        arbiter: None,
        ..whole.renewed(Side::Seller, Timestamp(1_900_600_000))
    };
    let one = |contract: &Contract| {
        let mut writer = Writer::new();
        contract.write(&mut writer);
        json!({ "terms": contract, "bytes": hex(writer.into_bytes()), "id": hex(contract.id().0) })
    };
    golden("contracts.json", &json!([one(&whole), one(&alone)]));
}

#[test]
fn the_key_tree_is_as_it_was() {
    let trees = [vec![0x11; 16], vec![0x77; 32]].map(|entropy| {
        let root = Root::from_entropy(&entropy);
        let (key, mark) = root.intent(&mut common::Fixed((0x20..0x2c).collect()));
        let again = root.recognise(&mark).map(|key| key.public());
        assert_eq!(again, Some(key.public()));
        let trader = |persona: u32| {
            let key = root.trader(persona);
            json!({ "persona": persona, "seed": hex(key.to_seed()), "public": hex(key.public().0) })
        };
        json!({
            "entropy": hex(&entropy),
            "traders": [trader(0), trader(1), trader(u32::MAX)],
            "intent": {
                "salt": hex(&mark.0[..12]),
                "mark": hex(mark.0),
                "seed": hex(key.to_seed()),
                "public": hex(key.public().0),
            },
            "backup": hex(root.backup()),
            "rail": { "name": "cashu", "seed": hex(&root.rail("cashu")[..]) },
        })
    });
    golden("keys.json", &json!(trees));
}

/// One frame, as a row: what a peer with this clock says of it.
fn row(name: &str, bytes: &[u8], now: Timestamp) -> Value {
    let opened = Frame::open(bytes, network(), now);
    let mut row = json!({
        "name": name,
        "network": hex(network().0),
        "now": now.0,
        "frame": hex(bytes),
        "open": verdict_of(opened.clone()),
    });
    if let Ok(frame) = opened {
        let body = frame.body();
        let nonce = &bytes[bytes.len() - 72..bytes.len() - 64];
        row["id"] = json!(hex(frame.id().0));
        row["header"] = json!(hex(&bytes[..64]));
        row["body"] = json!(hex(body));
        row["nonce"] = json!(hex(nonce));
        row["work"] = json!(frame.work());
        let shown = u64::from_be_bytes(nonce.try_into().unwrap());
        assert_eq!(pow::bits(&frame.id(), shown), frame.work());
        let header = frame.header();
        row["read"] = match header.kind {
            Kind::Intent | Kind::IntentUpdate => verdict_of(Intent::from_frame(&frame)),
            Kind::IntentClose => verdict_of(haggle_protocol::intent::IntentClose::from_body(body)),
            Kind::Reach => verdict_of(Reach::from_body(
                body,
                network(),
                &header.key,
                header.expires,
            )),
            Kind::Other(_) => json!(Refusal::UnknownKind.code()),
        };
    }
    row
}

/// An intent's body with one field more.
fn with_field(key: u64) -> Vec<u8> {
    let mut body = common::intent().to_body();
    body[0] += 1;
    let mut field = Writer::new();
    field.uint(key);
    field.text("from a newer version");
    body.extend(field.into_bytes());
    body
}

/// A frame with other bytes in its header or its body, signed and worked for as they are.
fn resigned(change: impl FnOnce(&mut Vec<u8>), bits: u32) -> Vec<u8> {
    let mut bytes = common::intent_frame().bytes().to_vec();
    change(&mut bytes);
    let end = bytes.len() - 72;
    let body_hash: [u8; 32] = {
        use sha2::Digest;
        Sha256::digest(&bytes[66..end]).into()
    };
    let id = haggle_protocol::FrameId(hash(Tag::IdPublic, &[&bytes[..64], &body_hash]));
    let nonce = (0..)
        .find(|nonce| {
            let shown = pow::bits(&id, *nonce);
            if bits == 0 { shown < 16 } else { shown >= bits }
        })
        .unwrap();
    let signature = common::intent_key().0.sign(Tag::SigPublic, &[&id.0]);
    bytes[end..end + 8].copy_from_slice(&u64::to_be_bytes(nonce));
    bytes[end + 8..].copy_from_slice(&signature.0);
    bytes
}

#[test]
fn public_frames_are_as_they_were_and_refused_as_they_were() {
    let intent = common::intent();
    let first = common::intent_frame();
    let framed = |kind, facets, body: &[u8]| common::frame(kind, facets, body).bytes().to_vec();
    let update = common::update();
    let none = Facets::default();
    let mut rows = vec![
        row("an intent", first.bytes(), NOW),
        row(
            "its revision, with a public budget",
            &framed(Kind::IntentUpdate, update.facets(), &update.to_body()),
            NOW,
        ),
        row(
            "its close",
            &framed(Kind::IntentClose, none, &common::close().to_body()),
            NOW,
        ),
        row(
            "where its owner is",
            &framed(Kind::Reach, none, &common::reach().to_body()),
            NOW,
        ),
        row(
            "a kind that nobody knows yet: taken and passed on",
            &framed(Kind::Other(200), none, b"not even CBOR"),
            NOW,
        ),
        row(
            "reserved bytes that are not zero: taken and passed on",
            &resigned(|bytes| bytes[58..64].fill(0x5a), 16),
            NOW,
        ),
        row(
            "an unknown odd key: passed over",
            &framed(Kind::Intent, intent.facets(), &with_field(29)),
            NOW,
        ),
        row(
            "an unknown even key: the frame is sound, the body is not read",
            &framed(Kind::Intent, intent.facets(), &with_field(30)),
            NOW,
        ),
        row(
            "a header that says another category than the body",
            &framed(Kind::Intent, none, &intent.to_body()),
            NOW,
        ),
        row("as early as clocks differ", first.bytes(), NOW - CLOCK_SKEW),
        row("earlier", first.bytes(), NOW - CLOCK_SKEW - 1),
        row("in its last second", first.bytes(), NOW + LIFE - 1),
        row("over", first.bytes(), NOW + LIFE),
        row(
            "of another version",
            &resigned(|bytes| bytes[0] = 2, 16),
            NOW,
        ),
        row(
            "of another network",
            &resigned(|bytes| bytes[2] ^= 1, 16),
            NOW,
        ),
        row(
            "created within a minute",
            &resigned(|bytes| bytes[9] += 1, 16),
            NOW,
        ),
        row(
            "living a second too long",
            &resigned(
                |bytes| {
                    let end = NOW + LIFETIME_MAX + 1;
                    bytes[10..14].copy_from_slice(&end.to_wire().to_be_bytes());
                },
                16,
            ),
            NOW,
        ),
        row("with 15 bits of work or fewer", &resigned(|_| {}, 0), NOW),
        row(
            "under a key that it was not signed by",
            &resigned(
                |bytes| bytes[14..46].copy_from_slice(&common::peer_key().public().0),
                16,
            ),
            NOW,
        ),
        row(
            "under a key of small order",
            &resigned(
                |bytes| {
                    bytes[14..46].fill(0);
                    bytes[14] = 1;
                },
                16,
            ),
            NOW,
        ),
        row("cut short", &first.bytes()[..first.bytes().len() - 1], NOW),
        row(
            "with a byte behind its end",
            &[first.bytes(), &[0]].concat(),
            NOW,
        ),
        row("one byte too large", &[1; 4_097], NOW),
    ];
    let arbiter = Intent {
        arbiter: Some(common::terms()),
        ..common::intent()
    };
    rows.push(row(
        "an intent of somebody who decides for others",
        &framed(Kind::Intent, arbiter.facets(), &arbiter.to_body()),
        NOW,
    ));
    // Its parts, for whoever writes the header for the first time.
    let header: Header = *first.header();
    rows[0]["parts"] = json!({
        "kind": header.kind.to_wire(),
        "created": header.created.0,
        "expires": header.expires.0,
        "key": hex(header.key.0),
        "category": header.facets.category.0,
        "cell": header.facets.cell,
        "currency": header.facets.currency,
        "band": header.facets.band,
        "flags": header.facets.flags,
        "intent": intent,
    });
    golden("frames.json", &json!(rows));
}

#[test]
fn threads_and_private_messages_are_as_they_were_and_refused_as_they_were() {
    let of = |direction: Direction, name: &str, content: &[u8]| {
        let way = common::way(direction);
        let opened = common::open(content, direction);
        let mut row = json!({
            "name": name,
            "direction": direction.to_wire(),
            "now": NOW.0,
            "recipient": hex(way.to.public().unwrap().0),
            "content": hex(content),
            "open": verdict_of(opened.clone()),
        });
        if let Ok((id, message)) = opened {
            row["id"] = json!(hex(id.0));
            row["type"] = json!(message.body.name());
            row["trader"] = json!(message.trader.map(|proof| proof.trader));
        }
        row
    };
    let mut rows = Vec::new();
    for (direction, body) in common::bodies() {
        let name = body.name();
        let message = common::message(direction, body);
        rows.push(of(direction, name, &common::content(&message).1));
    }
    // A quote as a careless or a newer sender might write it.
    let (way, quote) = common::bodies().swap_remove(0);
    let (_, content) = common::content(&common::message(way, quote.clone()));
    let inner = &content[..content.len() - 64];
    let again = |inner: &[u8]| common::sign_inner(inner, way);
    let extended = |key: u64| {
        let mut field = Writer::new();
        field.uint(key);
        field.uint(1);
        let mut longer = inner.to_vec();
        assert_eq!(longer[0] >> 5, 5);
        longer[0] += 1;
        longer.extend(field.into_bytes());
        again(&longer)
    };
    rows.push(of(way, "an unknown odd key: passed over", &extended(33)));
    rows.push(of(way, "an unknown even key", &extended(34)));
    let mut unknown = inner.to_vec();
    assert_eq!(unknown[1..3], [2, 1]);
    unknown[2] = 23;
    rows.push(of(way, "a type that nobody knows yet", &again(&unknown)));
    let mut unsigned = content.clone();
    let last = unsigned.len() - 1;
    unsigned[last - 40] ^= 1;
    rows.push(of(way, "with another signature", &unsigned));
    let mut anonymous = common::message(way, quote);
    anonymous.trader = None;
    let anonymous = common::content(&anonymous).1;
    rows.push(of(way, "a firm quote by nobody", &anonymous));
    let other_way = of(Direction::ToSeller, "to the seller, of a quote", &content);
    assert_eq!(other_way["open"], "wrong-direction");
    rows.push(other_way);
    golden(
        "private.json",
        &json!({
            "network": hex(network().0),
            "intent": hex(common::first().0),
            "intent_key": hex(common::intent_key().0.public().0),
            "seller_thread_seed": hex(common::seller_thread_key().to_seed()),
            "seller_thread_key": hex(common::seller_thread_key().public().0),
            "buyer_thread_seed": hex(common::buyer_thread_key().to_seed()),
            "buyer_thread_key": hex(common::buyer_thread_key().public().0),
            "seller_trader": hex(common::seller_trader().public().0),
            "thread": hex(common::thread().0),
            "messages": rows,
        }),
    );
}

#[test]
fn cells_are_as_they_were() {
    let ikm = [0xe1; 32];
    let rows = [Direction::ToBuyer, Direction::ToSeller].map(|direction| {
        let way = common::way(direction);
        let to = way.to.public().unwrap();
        let (_, body) = common::bodies()
            .into_iter()
            .find(|(way, _)| *way == direction)
            .unwrap();
        let (_, content) = common::content(&common::message(direction, body));
        let mut dice = common::Fixed(ikm.to_vec());
        let cell = Cell::seal(&Hpke, &way.context, &to, &content, &mut dice).unwrap();
        assert_eq!(
            cell.open(&Hpke, &way.to, &way.context).as_ref(),
            Ok(&content)
        );
        assert_eq!(cell.hint(), Hint::of(&to));
        json!({
            "direction": direction.to_wire(),
            "intent": hex(way.context.intent.0),
            "thread": hex(way.context.thread.map_or([0; 32], |thread| thread.0)),
            "recipient_secret": hex(way.to.to_bytes()),
            "recipient": hex(to.0),
            "hint": hex(cell.hint().0),
            "ephemeral_ikm": hex(ikm),
            "content": hex(&content),
            "cell": hex(cell.as_bytes()),
        })
    });
    let large = {
        let way = common::way(Direction::ToBuyer);
        let to = way.to.public().unwrap();
        let content: Vec<u8> = (0..3_000u32).map(|at| (at % 251) as u8).collect();
        let mut dice = common::Fixed(ikm.to_vec());
        let cell = Cell::seal(&Hpke, &way.context, &to, &content, &mut dice).unwrap();
        json!({
            "content": "3,000 bytes, each its own index modulo 251",
            "length": cell.as_bytes().len(),
            "outer_and_enc": hex(&cell.as_bytes()[..43]),
            "sha256": hex(cell.digest()),
        })
    };
    golden(
        "cells.json",
        &json!({ "network": hex(network().0), "cells": rows, "large": large }),
    );
}

#[test]
fn sealed_reaches_are_as_they_were() {
    let secret = ReachSecret::from_bytes([0x31; 32]);
    let peer = SigningKey::from_seed(&[0x32; 32]);
    let way = |relay: u8, address: &str| Circuit {
        relay: SigningKey::from_seed(&[relay; 32]).public(),
        address: address.to_owned(),
        peer: peer.public(),
    };
    let ways = [way(0x33, "/dns4/relay.example/tcp/443/wss"), way(0x34, "")];
    let rows = [Direction::ToBuyer, Direction::ToSeller].map(|direction| {
        let mut dice = ChaCha20Rng::from_seed([direction.to_wire(); 32]);
        let side = secret.towards(network(), direction);
        let frame = side.seal(&ways, &peer, NOW, 16, 0, &mut dice).unwrap();
        assert_eq!(side.open(&frame), Ok(ways.to_vec()));
        json!({
            "direction": direction.to_wire(),
            "key": hex(side.key(NOW).0),
            "key_tomorrow": hex(side.key(NOW + 24 * 60 * 60).0),
            "frame": hex(frame.bytes()),
        })
    });
    let ways = ways.map(
        |way| json!({ "relay": hex(way.relay.0), "peer": hex(way.peer.0), "address": way.address }),
    );
    golden(
        "sealed_reach.json",
        &json!({
            "network": hex(network().0),
            "secret": hex(secret.to_bytes()),
            "ways": ways,
            "frames": rows,
        }),
    );
}

#[test]
fn files_and_handover_codes_are_as_they_were() {
    // Two pieces: the second one holds ten bytes.
    let content: Vec<u8> = (0..PIECE_LEN + 10).map(|at| (at % 251) as u8).collect();
    let key = FileKey::from_bytes([0x41; 32]);
    let file = Attachment::of("score.pdf".into(), "application/pdf".into(), &content, key);
    let file = file.unwrap();
    let id = file.id(network(), &common::thread());
    let pieces = [0, 1].map(|index| {
        let sealed = file.seal_piece(&id, index, &content).unwrap();
        let opened = file.open_piece(&id, index, &sealed).unwrap();
        assert_eq!(opened.len(), file.piece_len(index));
        json!({
            "asked_by": hex(Piece { file: id, index }.to_bytes()),
            "length": sealed.len(),
            "sha256": hex(Sha256::digest(&sealed)),
            "last": hex(&sealed[sealed.len() - 26..]),
        })
    });
    let code = HandoverCode::parse("7K3QX 9M2TB").unwrap();
    let quote = MessageId([0xab; 32]);
    golden(
        "files.json",
        &json!({
            "network": hex(network().0),
            "thread": hex(common::thread().0),
            "content": "byte n is n modulo 251, 65,530 bytes",
            "sha256": hex(file.hash),
            "key": hex(file.key.to_bytes()),
            "id": hex(id.0),
            "pieces": pieces,
            "handover": {
                "quote": hex(quote.0),
                "code": code.as_str(),
                "commitment": hex(code.commit(&quote).0),
            },
        }),
    );
}

#[test]
fn every_vector_of_a_cell_opens_from_the_file_alone() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/cells.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let bytes = |value: &Value| unhex(value.as_str().unwrap());
    let network = Network(bytes(&file["network"]).try_into().unwrap());
    for row in file["cells"].as_array().unwrap() {
        let fixed = |name: &str| -> [u8; 32] { bytes(&row[name]).try_into().unwrap() };
        let thread = fixed("thread");
        let context = Context {
            network,
            direction: match row["direction"].as_u64() {
                Some(1) => Direction::ToBuyer,
                _ => Direction::ToSeller,
            },
            intent: haggle_protocol::IntentId(fixed("intent")),
            thread: (thread != [0; 32]).then_some(haggle_protocol::ThreadId(thread)),
        };
        let secret = SealSecret::from_bytes(fixed("recipient_secret"));
        let cell = Cell::from_bytes(bytes(&row["cell"])).unwrap();
        let content = cell.open(&Hpke, &secret, &context).unwrap();
        assert_eq!(content, bytes(&row["content"]));
    }
}

#[test]
fn our_seal_is_hpke_as_rfc_9180_appendix_a_2_1_has_it() {
    // DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode, sequence number 0.
    let info = unhex("4f6465206f6e2061204772656369616e2055726e");
    let ikm_e = unhex("909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b");
    let enc = unhex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a");
    let recipient = unhex("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a");
    let secret = unhex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb");
    let plain = unhex("4265617574792069732074727574682c20747275746820626561757479");
    let aad = unhex("436f756e742d30");
    let sealed = unhex(
        "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28",
    );
    let secret = SealSecret::from_bytes(secret.try_into().unwrap());
    let recipient = SealPublic(recipient.try_into().unwrap());
    assert_eq!(secret.public(), Ok(recipient));
    let mut dice = common::Fixed(ikm_e);
    let ours = Hpke
        .seal(&recipient, &info, &aad, &plain, &mut dice)
        .unwrap();
    assert_eq!((&ours.0[..], &ours.1), (&enc[..], &sealed));
    let enc: [u8; 32] = enc.try_into().unwrap();
    assert_eq!(Hpke.open(&secret, &enc, &info, &aad, &sealed), Ok(plain));
}

#[test]
fn our_signatures_are_ed25519_as_rfc_8032_has_it() {
    // RFC 8032 §7.1, test 1: only the key; messages here are never without a tag.
    let seed = unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    let public = unhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    let key = SigningKey::from_seed(&seed.try_into().unwrap());
    assert_eq!(key.public(), PublicKey(public.try_into().unwrap()));
}
