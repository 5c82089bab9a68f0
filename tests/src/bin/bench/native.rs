//! Natively, in one thread: matching and opening.

use std::sync::Arc;
use std::time::Duration;

use haggle_book::{Limits, Source};
use haggle_market::input::{Heard, Input, Ticket};
use haggle_market::{Command, Effect, Event, Market, Setup};
use haggle_protocol::intent::SealKey;
use haggle_protocol::private::{Body, Message};
use haggle_protocol::quote::Quality;
use haggle_protocol::seal::{Cell, Hpke};
use haggle_protocol::{Frame, Intent, IntentId, Network, SealPublic, Timestamp};
use haggle_tests::data::{Advertisement, Computers};
use haggle_tests::forge::Forge;
use haggle_tests::{Outcome, Trouble, ensure};
use tokio::time::Instant;

use crate::report::Report;

/// Items in the stall.
pub(crate) const ITEMS: usize = 10_000;

/// Intents, frames and cells of one run.
const BATCH: usize = 250;

/// Any time will do: nothing here looks at a clock.
const NOW: Timestamp = Timestamp(1_800_000_000);

pub(crate) fn measure(runs: usize, report: &mut Report) -> Outcome {
    let data = Computers::load()?;
    let mut forge = Forge::new(Network::main(), NOW, 1);
    let mut matched = Vec::new();
    let mut market = stall_of(&data)?;
    for run in 0..runs {
        let frames = intents(&mut forge, &data, run * BATCH)?;
        let started = Instant::now();
        let mut with_match = 0;
        for bytes in frames {
            let source = Source::Book(haggle_protocol::PublicKey([7; 32]));
            let effects = market.handle(Input::Heard(Heard::Frame { bytes, source }), NOW);
            with_match += effects.iter().filter(|effect| is_match(effect)).count();
        }
        matched.push(per_second(BATCH, started.elapsed()));
        // Two of 625 wants are answered by nobody.
        ensure(with_match >= BATCH - 4, || {
            format!("only {with_match} of {BATCH} matched")
        })?;
    }
    report.add(
        "intents checked and matched against 10,000 items",
        "per s",
        None,
        matched,
    );

    let (mut frames_opened, mut cells_opened) = (Vec::new(), Vec::new());
    let frames = intents(&mut forge, &data, 0)?;
    let cells = cells(&mut forge)?;
    for _ in 0..runs {
        let started = Instant::now();
        for bytes in &frames {
            let frame = Frame::open(bytes, Network::main(), NOW)?;
            std::hint::black_box(Intent::from_frame(&frame)?);
        }
        frames_opened.push(per_second(frames.len(), started.elapsed()));
        let started = Instant::now();
        for sealed in &cells.cells {
            let cell = Cell::from_bytes(sealed.clone())?;
            let content = cell.open(&Hpke, &cells.secret, &cells.context)?;
            let to = cells.secret.public()?;
            let opened = Message::open(&content, &cells.context, &to, &cells.intent_key, NOW)?;
            std::hint::black_box(opened);
        }
        cells_opened.push(per_second(cells.cells.len(), started.elapsed()));
    }
    report.add(
        "public frames opened (work, signature, body)",
        "per s",
        None,
        frames_opened,
    );
    report.add(
        "private cells opened (seal, signature, body)",
        "per s",
        None,
        cells_opened,
    );
    Ok(())
}

fn per_second(count: usize, took: Duration) -> f64 {
    // Far below 2^52.
    count as f64 / took.as_secs_f64()
}

fn is_match(effect: &Effect) -> bool {
    matches!(effect, Effect::Tell(Event::OpenIntent(open)) if open.matches.iter().any(|m| m.complete))
}

/// A market with 10,000 items: every offer, and then again for ten dollars less.
fn stall_of(data: &Computers) -> Outcome<Market> {
    let mut forge = Forge::new(Network::main(), NOW, 2);
    let setup = Setup {
        network: Network::main(),
        dice: [3; 32],
        peer: forge.key(),
        sealer: Arc::new(Hpke),
        book: Limits::peer(),
        rails: Vec::new(),
    };
    let restored = Market::restore(Vec::new(), setup, NOW);
    let (mut market, _) = restored.map_err(|damaged| Trouble::new(damaged.why))?;
    let items: Outcome<Vec<_>> = cheaper(&data.offers)
        .take(ITEMS)
        .map(|ad| ad.item(Quality::Good, 1, 86_400))
        .collect();
    let command = Command::PutItems(items?);
    let effects = market.handle(Input::Command(Ticket(1), command), NOW);
    let refused = effects
        .iter()
        .any(|effect| matches!(effect, Effect::Reply(_, Err(_))));
    ensure(!refused, || "the items were refused".into())?;
    Ok(market)
}

/// The offers, and then again and again, each time for ten dollars less.
pub(crate) fn cheaper(offers: &[Advertisement]) -> impl Iterator<Item = Advertisement> {
    (0..).flat_map(move |round| {
        offers.iter().map(move |ad| Advertisement {
            price: ad.price - 10 * round,
            ..ad.clone()
        })
    })
}

/// Frames of intents, made from the wants in their order.
fn intents(forge: &mut Forge, data: &Computers, from: usize) -> Outcome<Vec<Vec<u8>>> {
    let wants = data
        .wants
        .iter()
        .cycle()
        .skip(from % data.wants.len())
        .take(BATCH);
    wants
        .map(|want| {
            let (key, seal) = (forge.key(), forge.seal().public()?);
            let draft = want.draft()?;
            let intent = Intent {
                title: draft.title,
                category: draft.category,
                wishes: draft.wishes,
                budget: haggle_protocol::intent::Budget::Sealed(draft.budget.asset()),
                deliveries: draft.deliveries,
                seal: SealKey::x25519(seal),
                ..forge.intent(seal)?
            };
            Ok(forge.frame(&key, &intent).bytes())
        })
        .collect()
}

/// Quotes of many sellers to one buyer.
struct Cells {
    cells: Vec<Vec<u8>>,
    secret: haggle_protocol::keys::SealSecret,
    context: haggle_protocol::seal::Context,
    intent_key: haggle_protocol::PublicKey,
}

fn cells(forge: &mut Forge) -> Outcome<Cells> {
    let (key, secret) = (forge.key(), forge.seal());
    let to: SealPublic = secret.public()?;
    let intent = forge.intent(to)?;
    let frame = forge.frame(&key, &intent);
    let id = IntentId::from(frame.id());
    let mut cells = Vec::new();
    let mut context = None;
    for _ in 0..BATCH {
        let pen = forge.seller(id, &key.public(), to);
        let quote = forge.quote(frame.id(), "EUR", 1_234)?;
        let message = forge.message(&pen, Body::Quote(quote))?;
        cells.push(forge.sealed(&pen, &message)?.1);
        context = Some(forge.context(&pen));
    }
    let context = context.ok_or_else(|| Trouble::new("no cells"))?;
    Ok(Cells {
        cells,
        secret,
        context,
        intent_key: key.public(),
    })
}
