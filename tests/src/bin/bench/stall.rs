//! A headless stall of ten thousand real items, run as a shop would run it, and forty buyers who ask it twenty-five times each.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use haggle_market::{Item, sheet};
use haggle_protocol::quote::Quality;
use haggle_tests::data::Computers;
use haggle_tests::peer::Peer;
use haggle_tests::process::Process;
use haggle_tests::relay::Relay;
use haggle_tests::{Outcome, Trouble, place};
use tokio::time::{Instant, sleep};

use crate::native::{ITEMS, cheaper};
use crate::pages::resident;
use crate::report::Report;

/// Who asks. A buyer takes thirty whispers of one seller at once and then one in a second, and a peer holds 64 connections, so
/// that a thousand requests of one buyer, or of a thousand, would measure these bounds and nothing else.
const BUYERS: usize = 40;
/// How often it is asked: less often by each than his bound.
const ASKED: usize = 25 * BUYERS;
/// Between two requests, of one buyer after another.
const PAUSE: Duration = Duration::from_millis(100);
/// How often it is looked for answers in between.
const GLANCES: u32 = 10;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The list of the stall: ten thousand offers, each with a sku.
fn list(data: &Computers) -> Outcome<String> {
    let items: Outcome<Vec<Item>> = cheaper(&data.offers)
        .take(ITEMS)
        .zip(0_u32..)
        .map(|(ad, number)| {
            Ok(Item {
                sku: Some(format!("pc-{number}")),
                ..ad.item(Quality::Good, 1, 86_400)?
            })
        })
        .collect();
    sheet::csv(&items?).map_err(|fault| Trouble::new(fault.to_string()))
}

pub(crate) async fn measure(report: &mut Report) -> Outcome {
    let data = Computers::load()?;
    let relay = Relay::start(None, &[])?;
    let folder = tempfile::tempdir()?;
    let stall = "currency = \"USD\"\nitems-from = \"list.csv\"\n[rules]\nanswer = \"indicative\"\nper-hour = 100000\n";
    std::fs::write(folder.path().join("stall.toml"), stall)?;
    std::fs::write(folder.path().join("list.csv"), list(&data)?)?;
    let mut command = Command::new(place::agent()?);
    command
        .current_dir(folder.path())
        .args(["stall", "stall.toml", "--relay", &relay.address()]);
    let started = Instant::now();
    let shop = Process::start(&mut command, &folder.path().join("errors.log"))?;
    let stocked = |line: &str| line.contains(&format!("\"items\":{ITEMS}")).then_some(());
    shop.until_it_says(stocked, PATIENCE)?;
    let took = started.elapsed().as_secs_f64() * 1_000.0;
    report.add(
        "headless stall of 10,000 items, from its start",
        "ms",
        None,
        vec![took],
    );
    report.add(
        "its memory before it is asked (resident)",
        "MB",
        None,
        vec![resident(shop.id())?],
    );

    let mut buyers = Vec::new();
    for _ in 0..BUYERS {
        let buyer = Peer::start(vec![relay.address()], None).await?;
        buyer.online(PATIENCE).await?;
        buyers.push(buyer);
    }
    let mut asked: Vec<BTreeMap<_, _>> = vec![BTreeMap::new(); BUYERS];
    let mut waits = Vec::new();
    let mut glance = |asked: &mut Vec<BTreeMap<_, _>>| {
        for (buyer, asked) in buyers.iter().zip(asked) {
            waits.extend(answered(buyer, asked));
        }
    };
    for (number, want) in data.wants.iter().cycle().take(ASKED).enumerate() {
        let draft = want.draft()?;
        let (buyer, at) = (number % BUYERS, Instant::now());
        let published = buyers[buyer].client().publish(draft).await;
        let id = published.map_err(|complaint| Trouble::new(complaint.sentence))?;
        asked[buyer].insert(id, at);
        for _ in 0..GLANCES {
            sleep(PAUSE / GLANCES).await;
            glance(&mut asked);
        }
    }
    let deadline = Instant::now() + PATIENCE;
    let waiting = |asked: &[BTreeMap<_, _>]| asked.iter().map(BTreeMap::len).sum::<usize>();
    // Two of 625 wants are answered by nobody.
    while waiting(&asked) > ASKED / 200 && Instant::now() < deadline {
        sleep(Duration::from_millis(20)).await;
        glance(&mut asked);
    }
    let quoted = f64::from(u32::try_from(waits.len()).unwrap_or(u32::MAX));
    report.add(
        "of 1,000 requests to it, quoted by rule",
        "",
        None,
        vec![quoted],
    );
    report.add_with_tail("a request published until it has that quote", "ms", waits);
    report.add(
        "its memory afterwards (resident)",
        "MB",
        None,
        vec![resident(shop.id())?],
    );
    Ok(())
}

/// Takes out what has a quote now, with how long that took.
fn answered(buyer: &Peer, asked: &mut BTreeMap<haggle_protocol::IntentId, Instant>) -> Vec<f64> {
    let waiting: Vec<_> = asked.keys().copied().collect();
    let done: Vec<_> = buyer.look(|seen| {
        let has = |id: &haggle_protocol::IntentId| {
            seen.mine
                .get(id)
                .is_some_and(|mine| !mine.quotes.is_empty())
        };
        waiting.into_iter().filter(has).collect()
    });
    let waits = done.iter().filter_map(|id| asked.remove(id));
    waits
        .map(|at| at.elapsed().as_secs_f64() * 1_000.0)
        .collect()
}
