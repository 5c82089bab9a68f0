//! The canary: prices and texts of quotes, orders and contacts carry markers, and everything that anyone else could see
//! is recorded: every byte of every stream at the relay above the transport's encryption, every cell as it is handed to
//! the transport at both ends, every gossip message, every log line, everything that the other sellers were told and
//! keep. None of it may hold a marker in any form. Two controls show that the search would find one: the title of the
//! public intent is found, and with a sealer that does not seal the private markers are.

use std::io;
use std::time::Duration;

use haggle_market::Complaint;
use haggle_market::command::{Profile, QuoteDraft};
use haggle_market::view::{AnswerState, TradeState};
use haggle_node::Client;
use haggle_protocol::intent::{Delivery, Revision};
use haggle_protocol::quote::{Charge, ChargeKind, Line, Quality};
use haggle_protocol::reach::Circuit;
use haggle_protocol::trade::ContactWay;
use haggle_protocol::{Asset, IntentId, Money, Network, Quantity, ThreadId, Timestamp};
use haggle_store::Store;
use haggle_tests::forge::Forge;
use haggle_tests::peer::{Peer, Seen, plain_draft};
use haggle_tests::raw::Raw;
use haggle_tests::search::{Find, Marker, Recording};
use haggle_tests::witness::{Notebook, Witness, tapped_relay};
use haggle_tests::{Outcome, Trouble, ensure};

/// How long one step of a trade may take on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// What everybody may read: the control.
const TITLE: &str = "Canary 58c1f0e2: a desk lamp";

/// What one seller says to the buyer alone. All of it is different for each.
struct Offer {
    name: &'static str,
    unit_price: u64,
    fee: u64,
    note: &'static str,
    description: &'static str,
}

/// The one who is taken, the dearer one.
const WINNER: Offer = Offer {
    name: "winner",
    unit_price: 5_654_321_987_654_321,
    fee: 1_234_567_890_123_457,
    note: "winner-note-9b1d40aa",
    description: "winner-lamp-1f77c3e0",
};

/// The one who is not.
const LOSER: Offer = Offer {
    name: "loser",
    unit_price: 4_111_222_333_444_555,
    fee: 1_000_900_800_700_601,
    note: "loser-note-77aa21fe",
    description: "loser-lamp-c0ffe123",
};

const ORDER_NOTE: &str = "order-note-4e5d6c7b";
const PAYMENT: &str = "payment-31415926-iban";
const CONFIRM_NOTE: &str = "confirm-note-8badf00d";
const BUYER_NAME: &str = "Buyer-Name-a1b2c3d4";
const BUYER_PHONE: &str = "+49-555-90817263";
const BUYER_STREET: &str = "Street-of-the-buyer-17d";
const SELLER_NAME: &str = "Seller-Name-d4c3b2a1";
const SELLER_MAIL: &str = "seller-55aa@shop.example";

impl Offer {
    const fn total(&self) -> u64 {
        self.unit_price + self.fee
    }

    fn markers(&self) -> Vec<Marker> {
        let name = |what: &str| format!("{} {what}", self.name);
        vec![
            Marker::number(&name("unit price"), self.unit_price),
            Marker::number(&name("fee"), self.fee),
            Marker::number(&name("total"), self.total()),
            Marker::text(&name("note"), self.note),
            Marker::text(&name("description"), self.description),
        ]
    }

    fn draft(&self, intent: IntentId) -> Outcome<QuoteDraft> {
        Ok(QuoteDraft {
            intent,
            item: None,
            asset: Asset::new("EUR")?,
            lines: vec![Line {
                description: self.description.into(),
                quantity: Quantity::pieces(1),
                unit_price: self.unit_price,
                amount: self.unit_price,
                attributes: vec![],
            }],
            charges: vec![Charge {
                kind: ChargeKind::Delivery,
                label: "delivery".into(),
                amount: self.fee,
            }],
            firm: false,
            valid_for: 3_600,
            lead_time: 86_400,
            delivery: Delivery::Shipping,
            quality: Quality::Good,
            note: Some(self.note.into()),
        })
    }
}

/// What only the two sides of the trade may read.
fn trade_markers() -> Vec<Marker> {
    [
        ("order note", ORDER_NOTE),
        ("payment", PAYMENT),
        ("confirm note", CONFIRM_NOTE),
        ("buyer's name", BUYER_NAME),
        ("buyer's telephone", BUYER_PHONE),
        ("buyer's street", BUYER_STREET),
        ("seller's name", SELLER_NAME),
        ("seller's mail", SELLER_MAIL),
    ]
    .map(|(name, text)| Marker::text(name, text))
    .to_vec()
}

/// Everything private.
fn private() -> Vec<Marker> {
    [WINNER.markers(), LOSER.markers(), trade_markers()].concat()
}

fn said(complaint: Complaint) -> Trouble {
    Trouble::new(format!("{}: {}", complaint.code, complaint.sentence))
}

/// Everybody of one market.
struct Cast {
    buyer: Peer,
    winner: Peer,
    loser: Peer,
    bystander: Peer,
    /// Connected with the relay, it hears all gossip and speaks none.
    eavesdropper: Raw,
}

/// A whole trade, from the intent to the contacts, with everything recorded; `seals` as in life.
async fn trade(notebook: &Notebook, seals: bool) -> Outcome<Cast> {
    let (relay, _keys) = tapped_relay(notebook, None).await?;
    let address = relay.addresses().first().map(ToString::to_string);
    let address = address.ok_or_else(|| Trouble::new("the relay listens nowhere"))?;
    let start = |name: &'static str| {
        let sealer = Witness::of(name, notebook, seals);
        Peer::start(vec![address.clone()], Some(sealer))
    };
    let (buyer, winner) = (start("buyer").await?, start("winner").await?);
    let (loser, bystander) = (start("loser").await?, start("bystander").await?);
    let eavesdropper = Raw::start(7_000).await?;
    let tcp = relay.addresses().iter().map(ToString::to_string);
    let tcp = tcp.into_iter().find(|address| !address.contains("/ws"));
    eavesdropper
        .meet(&tcp.ok_or_else(|| Trouble::new("no TCP"))?)
        .await?;
    for peer in [&buyer, &winner, &loser, &bystander] {
        peer.online(SOON).await?;
    }
    buyer
        .client()
        .set_profile(buyer_profile())
        .await
        .map_err(said)?;
    winner
        .client()
        .set_profile(seller_profile())
        .await
        .map_err(said)?;

    let intent = publish(buyer.client()).await?;
    for (seller, offer) in [(&winner, &WINNER), (&loser, &LOSER)] {
        seller
            .until("the intent with a way to its owner", SOON, |seen| {
                seen.open
                    .get(&intent)
                    .filter(|open| open.reachable)
                    .map(drop)
            })
            .await?;
        seller
            .client()
            .quote(offer.draft(intent)?)
            .await
            .map_err(said)?;
    }
    let thread = buyer
        .until("both quotes", SOON, |seen| thread_of_winner(seen, &intent))
        .await?;
    let total = Money::new(WINNER.total(), Asset::new("EUR")?);
    let note = Some(ORDER_NOTE.to_owned());
    buyer
        .client()
        .accept(thread, total, note)
        .await
        .map_err(said)?;
    winner
        .until("the order", SOON, |seen| seen.trades.get(&thread).map(drop))
        .await?;
    let (payment, note) = (Some(PAYMENT.to_owned()), Some(CONFIRM_NOTE.to_owned()));
    winner
        .client()
        .confirm(thread, payment, note)
        .await
        .map_err(said)?;
    for peer in [&buyer, &winner] {
        peer.until("the contacts of both", SOON, |seen| {
            let trade = seen.trades.get(&thread)?;
            (trade.state == TradeState::ContactsExchanged).then_some(())
        })
        .await?;
    }
    // The loser learns that it is over, and nothing else.
    loser
        .until("the end of his quote", SOON, |seen| {
            let answer = seen.open.get(&intent).and_then(|open| open.answer.as_ref());
            let over = answer.is_none_or(|answer| answer.state == AnswerState::NotSelected);
            over.then_some(())
        })
        .await?;
    for gossip in eavesdropper.heard().gossip {
        notebook.add("gossip/eavesdropper", &gossip);
    }
    for (name, peer) in [("loser", &loser), ("bystander", &bystander)] {
        notebook.add(&format!("told/{name}"), peer.seen().told.as_bytes());
        let kept = peer
            .store()
            .load()
            .await
            .map_err(|error| Trouble::new(error.to_string()))?;
        for (key, value) in kept {
            notebook.add(
                &format!("kept/{name}"),
                &[key.as_bytes(), b" ", &value].concat(),
            );
        }
    }
    relay.shutdown().await;
    Ok(Cast {
        buyer,
        winner,
        loser,
        bystander,
        eavesdropper,
    })
}

fn buyer_profile() -> Profile {
    Profile {
        name: BUYER_NAME.into(),
        ways: vec![ContactWay {
            kind: "phone".into(),
            value: BUYER_PHONE.into(),
        }],
        address: Some(BUYER_STREET.into()),
        instructions: None,
    }
}

fn seller_profile() -> Profile {
    Profile {
        name: SELLER_NAME.into(),
        ways: vec![ContactWay {
            kind: "email".into(),
            value: SELLER_MAIL.into(),
        }],
        address: None,
        instructions: None,
    }
}

async fn publish(buyer: &Client) -> Outcome<IntentId> {
    let draft = plain_draft(TITLE)?;
    buyer.publish(draft).await.map_err(said)
}

/// The winner's thread, once both quotes are there.
fn thread_of_winner(seen: &Seen, intent: &IntentId) -> Option<ThreadId> {
    let quotes = &seen.mine.get(intent)?.quotes;
    let winner = quotes
        .iter()
        .find(|view| view.quote.total.minor == WINNER.total())?;
    (quotes.len() == 2).then_some(winner.thread)
}

/// Log lines of the whole process, at the finest level of our own crates.
#[derive(Clone)]
struct LogInto(Notebook);

impl io::Write for LogInto {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.add("log", bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn log_into(notebook: &Notebook) -> tracing::subscriber::DefaultGuard {
    let log = LogInto(notebook.clone());
    let filter = "debug,haggle_relay=trace,haggle_node=trace,haggle_net=trace,haggle_market=trace";
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(move || log.clone())
        .finish();
    tracing::subscriber::set_default(subscriber)
}

fn found(recording: &Recording, markers: &[Marker], beginning: &str) -> Vec<Find> {
    let finds = recording.find(markers).into_iter();
    finds
        .filter(|find| find.place.starts_with(beginning))
        .collect()
}

// One thread, so that every task logs into the recording.
#[tokio::test]
async fn nobody_but_the_two_sides_can_read_a_price_or_a_word_of_it() -> Outcome {
    let notebook = Notebook::default();
    let _log = log_into(&notebook);
    let cast = trade(&notebook, true).await?;
    let recording = notebook.read();

    // What could be seen was recorded at all.
    let cells = recording.len("cells/");
    ensure(cells >= 20 * 2_048, || {
        format!("only {cells} bytes of cells were recorded")
    })?;
    for place in [
        "relay/",
        "log",
        "gossip/",
        "told/loser",
        "told/bystander",
        "kept/loser",
    ] {
        ensure(!recording.is_empty(place), || {
            format!("nothing was recorded at {place}")
        })?;
    }
    let streams = recording
        .places()
        .filter(|(place, _)| place.starts_with("relay/"))
        .count();
    ensure(streams >= 20, || {
        format!("only {streams} streams at the relay")
    })?;

    // First control: what is public is found, on its way in, on its way out, and by whoever listens.
    let title = [Marker::text("title", TITLE)];
    for beginning in ["relay/", "gossip/", "told/loser", "told/bystander"] {
        ensure(!found(&recording, &title, beginning).is_empty(), || {
            beginning.to_owned()
        })?;
    }
    let finds = found(&recording, &title, "relay/");
    for way in ["/in", "/out"] {
        ensure(finds.iter().any(|find| find.place.ends_with(way)), || {
            format!("{finds:?}")
        })?;
    }

    // The canary lives.
    let mut leaks = Vec::new();
    for beginning in [
        "relay/",
        "cells/",
        "gossip/",
        "log",
        "told/bystander",
        "kept/bystander",
    ] {
        leaks.extend(found(&recording, &private(), beginning));
    }
    // The loser knows his own quote, and nothing of the other's, of the order, of anybody.
    let not_his = [WINNER.markers(), trade_markers()].concat();
    for beginning in ["told/loser", "kept/loser"] {
        leaks.extend(found(&recording, &not_his, beginning));
    }
    ensure(leaks.is_empty(), || format!("{leaks:#?}"))?;

    // Nor does he learn by name who won or that anyone else quoted: there is no field for it.
    let told = cast.loser.seen();
    let winner = cast
        .winner
        .seen()
        .stall
        .map(|stall| stall.trader.to_string());
    let winner = winner.ok_or_else(|| Trouble::new("the winner has no stall"))?;
    ensure(!told.told.contains(&winner), || {
        "the loser was told the winner's key".into()
    })?;
    ensure(told.trades.is_empty(), || format!("{:?}", told.trades))?;
    ensure(cast.bystander.seen().trades.is_empty(), || {
        "the bystander has a trade".into()
    })?;
    ensure(!cast.buyer.seen().trades.is_empty(), || {
        "the buyer has no trade".into()
    })?;
    ensure(!cast.eavesdropper.heard().gossip.is_empty(), || {
        "no gossip was heard".into()
    })
}

#[tokio::test]
async fn without_sealing_the_same_search_finds_every_marker() -> Outcome {
    let notebook = Notebook::default();
    drop(trade(&notebook, false).await?);
    let recording = notebook.read();
    for marker in private() {
        let finds = found(&recording, std::slice::from_ref(&marker), "cells/");
        for way in ["out", "in"] {
            let seen = finds.iter().any(|find| find.place.ends_with(way));
            ensure(seen, || {
                format!("{marker:?} was not found in the cells that go {way}")
            })?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_leaves_the_transport_at_the_other_end_is_a_sealed_cell() -> Outcome {
    for seals in [true, false] {
        let notebook = Notebook::default();
        // A buyer written by hand, who takes whispers as they come.
        let buyer = Raw::start(7_100).await?;
        let sealer = Witness::of("seller", &notebook, seals);
        let seller = Peer::start(vec![buyer.address()], Some(sealer)).await?;
        let id = seller
            .until("its id", SOON, |seen| seen.network.peer.parse().ok())
            .await?;
        buyer.listened_to_by(&id).await?;

        let mut forge = Forge::new(Network::main(), now()?, 7_100);
        let (key, seal) = (forge.key(), forge.seal());
        let intent = forge.intent(seal.public()?)?;
        let frame = forge.frame(&key, &intent);
        let name = IntentId::from(frame.id());
        let here = Circuit {
            relay: buyer.key().public(),
            address: buyer.place(),
            peer: buyer.key().public(),
        };
        let reach = forge.reach(
            &key,
            Revision {
                first: name,
                rev: 1,
            },
            here,
            buyer.key(),
        );
        buyer.publish(frame.bytes()).await?;
        buyer.publish(reach.bytes()).await?;
        seller
            .until("the intent", SOON, |seen| {
                seen.open.get(&name).filter(|open| open.reachable).map(drop)
            })
            .await?;
        seller
            .client()
            .quote(WINNER.draft(name)?)
            .await
            .map_err(said)?;
        let whisper = buyer
            .until("a whisper", |heard| heard.whispers.first().cloned())
            .await?;

        ensure(whisper.len() == 2_048, || {
            format!("a whisper of {} bytes", whisper.len())
        })?;
        // What came out of the transport is what was handed to it, byte for byte.
        let recorded = notebook.read();
        ensure(recorded.len("cells/seller/out") >= 2_048, || {
            "nothing was sealed".into()
        })?;
        let mut received = Recording::default();
        received.add("whisper", &whisper);
        let finds = received.find(&WINNER.markers());
        ensure(finds.is_empty() == seals, || {
            format!("sealed: {seals}, found: {finds:?}")
        })?;
    }
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "a test is where time comes from")]
fn now() -> Outcome<Timestamp> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since
        .map(|since| Timestamp(since.as_secs()))
        .map_err(|error| Trouble::new(error.to_string()))
}
