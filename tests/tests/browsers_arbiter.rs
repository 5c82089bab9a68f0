//! Two who do not agree, and a third whom both chose with the order: each at the page in a browser of his own, with a real mint.

use haggle_protocol::quote::Quality;
use haggle_tests::browser::Driver;
use haggle_tests::data::Computers;
use haggle_tests::mint::Mint;
use haggle_tests::person::{Person, SURELY, Terms, named};
use haggle_tests::relay::Relay;
use haggle_tests::{Outcome, ensure, place};

/// Whole dollars in the buyer's purse: more than any computer of that data costs.
const FILLED: u64 = 10_000;

const TERMS: Terms = Terms {
    quality: Quality::Fine,
    days: 2,
    stock: 3,
};

const CASE: &str = "[data-test=\"case-card\"]";
const ESCROW: &str = "[data-test=\"escrow-panel\"]";

#[tokio::test(flavor = "multi_thread")]
async fn a_third_shares_out_what_two_do_not_agree_on_while_one_of_them_is_away() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;
    let mut mint = Mint::start()?;
    let page = relay.url();

    let arbiter = Person::arrives(&driver, &page, "arbiter").await?;
    arbiter
        .offers_to_decide("I decide about computers", "2", 1)
        .await?;

    let seller = Person::arrives(&driver, &page, "seller").await?;
    seller
        .sells_through_escrow(&scene.cheap, TERMS, &mint.url())
        .await?;
    seller.takes_an_arbiter().await?;
    seller.answers_by_rule("indicative").await?;

    let buyer = Person::arrives(&driver, &page, "buyer").await?;
    buyer.comes_with_money(&mint.url(), FILLED).await?;
    buyer.orders_under_an_arbiter(&scene.want).await?;
    seller.confirms().await?;
    for person in [&buyer, &seller] {
        person.sees_escrow("locked").await?;
        person
            .browser
            .see(&named("escrow-arbiter-face"), SURELY)
            .await?;
    }

    // The seller shuts his computer, and the buyer asks for three tenths.
    let price = scene.cheap.price * 100;
    seller.browser.goto("about:blank").await?;
    let share = price * 3 / 10;
    buyer
        .asks_the_arbiter(share, "A key is missing; I would keep it for less.")
        .await?;
    // Whoever decides has never named this mint, and says himself that it may be asked.
    arbiter.browser.click(&named("case-trust"), SURELY).await?;
    arbiter.sees_a_case("open").await?;
    arbiter.writes(CASE, "Which key is it?").await?;
    buyer.is_told(ESCROW, "Which key is it?").await?;
    buyer
        .writes(ESCROW, "The one beside the space bar.")
        .await?;
    arbiter
        .is_told(CASE, "The one beside the space bar.")
        .await?;
    arbiter
        .decides(share, "It can be used, and is worth less.")
        .await?;

    let fee = price * 2 / 100;
    let rest = price - share - fee;
    buyer.reads_the_ruling(share, rest).await?;
    buyer.sees_escrow("shared").await?;
    buyer.holds(FILLED * 100 - price + share).await?;

    // Who was away finds his part when he is back.
    seller.comes_back().await?;
    seller.reads_the_ruling(share, rest).await?;
    seller.sees_escrow("shared").await?;
    seller.holds(rest).await?;
    // Whoever decides has his fee once he looks; his page looks again when it is opened.
    arbiter.reloads().await?;
    arbiter.holds(fee).await?;
    mint.has_out(FILLED * 100)?;
    for person in [&buyer, &seller, &arbiter] {
        let blamed = person.browser.blamed_for(&[]).await?;
        ensure(blamed.is_empty(), || {
            format!("{}: {blamed:#?}", person.browser.name())
        })?;
    }
    Ok(())
}
