//! What paying through escrow costs in a browser: the program that the page loads for it, at a real mint on loopback.

use haggle_protocol::settlement::{Locked, Outcome as Fate};
use haggle_protocol::{Asset, Contract, Custodian, MessageId, Money, Party, Side, Split};
use haggle_tests::browser::Driver;
use haggle_tests::mint::Mint;
use haggle_tests::rail::Rail;
use haggle_tests::site::Host;
use haggle_tests::{Outcome, place};
use serde_json::{Value, json};

use crate::report::Report;

/// What is locked each time, in cents: six pieces of ecash.
const PRICE: u64 = 9_875;

pub(crate) async fn measure(runs: usize, report: &mut Report) -> Outcome {
    let host = Host::serve(&place::site()?, "/")?;
    let (driver, mint) = (Driver::start()?, Mint::start()?);
    let browser = driver.open("payer").await?;
    browser.goto(&host.url()).await?;
    let begun = tokio::time::Instant::now();
    let buyer = Rail::open(&browser, Party::Buyer, &mint.url(), "USD").await?;
    let opened = begun.elapsed().as_secs_f64() * 1_000.0;
    let seller = Rail::open(&browser, Party::Seller, &mint.url(), "USD").await?;
    let all = PRICE * u64::try_from(runs + 1).unwrap_or(u64::MAX);
    buyer.fills(all).await?;

    let (mut lock, mut verify, mut release) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..=runs {
        let quote = MessageId([u8::try_from(run).unwrap_or(u8::MAX); 32]);
        let contract = Contract {
            order: quote,
            custodian: Custodian::new(&mint.url())?,
            amount: Money::new(PRICE, Asset::new("USD")?),
            buyer: buyer.key(quote).await?,
            seller: seller.key(quote).await?,
            arbiter: None,
            holder: Side::Buyer,
            deadline: haggle_node::now() + 30 * 24 * 60 * 60,
        };
        let (mine, theirs) = (buyer.deal(&contract, quote), seller.deal(&contract, quote));
        let (locking, locked): (f64, Locked) = buyer.timed(json!({ "lock": mine })).await?;
        let (looking, ()) = seller
            .timed(json!({ "verify": [contract, locked] }))
            .await?;
        let fate = Fate::Split(Split::all_to(Side::Seller, contract.amount));
        let mut took = 0.0;
        let mut step = |(time, it): (f64, Value)| {
            took += time;
            it
        };
        let proposed = step(
            buyer
                .timed(json!({ "propose": [mine, locked, fate] }))
                .await?,
        );
        let signed = step(
            seller
                .timed(json!({ "cosign": [theirs, locked, proposed] }))
                .await?,
        );
        step(
            seller
                .timed(json!({ "execute": [contract, locked, signed] }))
                .await?,
        );
        step(
            seller
                .timed(json!({ "claim": [theirs, locked, signed] }))
                .await?,
        );
        // The first one asks for the mint's keys too.
        if run > 0 {
            lock.push(locking);
            verify.push(looking);
            release.push(took);
        }
    }
    report.add(
        "the program for money: fetched, compiled and opened",
        "ms",
        None,
        vec![opened],
    );
    report.add_with_tail("locked", "ms", lock);
    report.add_with_tail("checked", "ms", verify);
    report.add_with_tail(
        "released: proposed, signed, carried out, brought in",
        "ms",
        release,
    );
    Ok(())
}
