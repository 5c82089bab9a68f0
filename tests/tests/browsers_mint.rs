//! A trade at the page that is paid at a mint without a domain: only the relay that serves the page can reach it, and both pages ask it
//! over the connection that they have with that relay.

use haggle_protocol::quote::Quality;
use haggle_tests::browser::Driver;
use haggle_tests::data::Computers;
use haggle_tests::mint::Mint;
use haggle_tests::person::{Person, Terms};
use haggle_tests::relay::Relay;
use haggle_tests::{Outcome, ensure, place};

/// Whole dollars in the buyer's purse: more than any computer of that data costs.
const FILLED: u64 = 10_000;

const TERMS: Terms = Terms {
    quality: Quality::Fine,
    days: 2,
    stock: 3,
};

/// What a page has fetched of whoever's address contains one of these.
const ASKED: &str = "
    const asked = performance.getEntriesByType('resource').map(one => one.name);
    return asked.filter(name => [...arguments].some(part => name.includes(part)))";

#[tokio::test(flavor = "multi_thread")]
async fn two_pages_trade_at_a_mint_that_only_their_relay_can_reach() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let mut mint = Mint::start()?;
    let config = format!("mint = {:?}\n", mint.url());
    let relay = Relay::with_config(Some(&place::site()?), &config)?;
    let name = relay.mint()?;

    let seller = Person::arrives(&driver, &relay.url(), "seller").await?;
    seller
        .sells_through_escrow(&scene.cheap, TERMS, name.name())
        .await?;
    seller.answers_by_rule("indicative").await?;
    let buyer = Person::arrives(&driver, &relay.url(), "buyer").await?;
    buyer.comes_with_money(name.name(), FILLED).await?;
    buyer.orders_through_escrow(&scene.want).await?;

    seller.confirms().await?;
    for person in [&buyer, &seller] {
        person.sees_escrow("locked").await?;
        // Whoever loads the page again is another peer, and has the same purse.
        person.reloads().await?;
    }
    seller.reports("dispatched").await?;
    buyer.reports("received").await?;
    for person in [&buyer, &seller] {
        person.sees_escrow("released").await?;
    }
    let price = scene.cheap.price * 100;
    buyer.holds(FILLED * 100 - price).await?;
    seller.holds(price).await?;
    mint.has_out(FILLED * 100)?;

    for person in [&buyer, &seller] {
        let hidden = vec![mint.url().into(), ".alt".into()];
        let asked = person.browser.js(ASKED, hidden).await?;
        let nobody = asked.as_array().is_some_and(Vec::is_empty);
        ensure(nobody, || format!("{asked} was asked by HTTP"))?;
        let blamed = person.browser.blamed_for(&[]).await?;
        ensure(blamed.is_empty(), || {
            format!("{}: {blamed:#?}", person.browser.name())
        })?;
    }
    Ok(())
}
