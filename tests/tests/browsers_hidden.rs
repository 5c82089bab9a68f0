//! A page that hides its network address pays at a mint behind a relay, and whoever runs that never sees where the page is: it is asked through
//! another relay, in which the mint's has a place. In a real browser, at real relays and a real mint.

use std::net::{Ipv4Addr, SocketAddr};

use haggle_tests::browser::Driver;
use haggle_tests::mint::Mint;
use haggle_tests::person::{Person, SURELY, named};
use haggle_tests::relay::Relay;
use haggle_tests::{Outcome, ensure, http, place};

/// Whole dollars in the purse.
const FILLED: u64 = 120;

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_hides_its_address_fills_a_purse_at_a_mint_that_does_not_see_it() -> Outcome {
    let driver = Driver::start()?;
    let mut mint = Mint::start()?;
    let known = Relay::start(Some(&place::site()?), &[])?;
    let buyer = Person::arrives(&driver, &known.url(), "buyer").await?;
    buyer.hides_his_address().await?;
    // It comes when he hides already: before that it may be one more relay that his page finds.
    let config = format!(
        "mint = {:?}\nrelays = [{:?}]\n",
        mint.url(),
        known.address()
    );
    let behind = Relay::with_config(None, &config)?;
    let keeper = behind.mint()?.name().to_owned();
    known.gives_places(2).await?;

    buyer.trusts(&keeper).await?;
    let seen = buyer.browser.see(&named("mint-sees"), SURELY).await?;
    ensure(seen.contains("does not see"), || seen)?;
    buyer.fills_his_purse(FILLED, "USD").await?;
    mint.has_out(FILLED * 100)?;

    let count = behind.came_in().await?;
    ensure(count.0 == 0 && count.1 > 0, || format!("{count:?}"))?;
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, behind.port()));
    let said = http::counts(at, "haggle_mint_requests_total").await?;
    ensure(said.get("said").is_some_and(|n| *n > 0), || {
        format!("{said:?}")
    })?;
    let blamed = buyer.browser.blamed_for(&[]).await?;
    ensure(blamed.is_empty(), || format!("{blamed:#?}"))
}
