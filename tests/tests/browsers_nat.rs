//! Two people behind routers that hide them from each other: what they say in private finds a direct way where there is one, and the relay's
//! where there is none or where one of them hides.
//!
//! Needs root, for the network namespaces.

use std::sync::Arc;
use std::time::Duration;

use haggle_protocol::quote::Quality;
use haggle_tests::browser::Driver;
use haggle_tests::cable::{Cable, Weather};
use haggle_tests::data::Computers;
use haggle_tests::person::{Person, SURELY, Terms, named};
use haggle_tests::town::{Capture, Nat, PUBLIC, PublicRelay, Town};
use haggle_tests::{Outcome, ensure};

const TERMS: Terms = Terms {
    quality: Quality::Good,
    days: 2,
    stock: 5,
};

/// Lines with bad weather are slow, and pages load over them.
const PATIENCE: Duration = Duration::from_secs(30);

struct Scene {
    buyer: Person,
    seller: Person,
    capture: Capture,
    town: Town,
    _relay: PublicRelay,
    _drivers: [Arc<Driver>; 2],
}

/// A buyer in the first house, who hides or not, is quoted by a seller in the second one; what passes the seller's own interface is kept.
async fn quoted(routers: [Nat; 2], weather: Option<Weather>, hides: bool) -> Outcome<Scene> {
    let ads = Computers::load()?.scene()?;
    let town = Town::build(&routers, weather)?;
    let relay = PublicRelay::start(&town)?;
    let drivers = [
        Driver::start_in(&town.houses[0].space, &relay.url)?,
        Driver::start_in(&town.houses[1].space, &relay.url)?,
    ];
    let buyer = Person::arrives(&drivers[0], &relay.url, "buyer").await?;
    if hides {
        buyer.hides_his_address().await?;
    }
    let capture = Capture::begin(&town.houses[1].space)?;
    let seller = Person::arrives(&drivers[1], &relay.url, "seller").await?;
    seller.offers(&ads.dearer, TERMS).await?;
    seller.answers_by_rule("indicative").await?;
    buyer.drafts(&ads.want).await?;
    let intent = buyer.publishes().await?;
    buyer.is_quoted(&intent, 1, PATIENCE).await?;
    Ok(Scene {
        buyer,
        seller,
        capture,
        town,
        _relay: relay,
        _drivers: drivers,
    })
}

impl Scene {
    async fn went(&self, direct: bool) -> Outcome {
        for person in [&self.buyer, &self.seller] {
            let told = person.private_messages().await?;
            let right = if direct {
                told.0 > 0 && told.1 == 0
            } else {
                told.0 == 0 && told.1 > 0
            };
            let connections = person.browser.direct_connections().await?;
            ensure(right, || {
                format!(
                    "{}: {told:?} private messages directly and relayed; {connections:?}",
                    person.browser.name()
                )
            })?;
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_browsers_behind_two_routers_trade_a_quote_directly() -> Outcome {
    let scene = quoted([Nat::Plain, Nat::Plain], None, false).await?;
    scene.went(true).await?;
    // What the other test looks for is there to be found.
    let outside = scene.town.houses[0].outside;
    let (all, holding) = scene.capture.holding(outside);
    ensure(
        holding > 0 && scene.capture.sources().contains(&outside),
        || format!("{holding} of {all} frames hold {outside}"),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn they_do_so_over_a_line_with_delay_and_loss() -> Outcome {
    let weather = Weather {
        delay: Duration::from_millis(80),
        loss: 3,
        dice: 3,
    };
    let scene = quoted([Nat::Plain, Nat::Plain], Some(weather), false).await?;
    for house in &scene.town.houses {
        let to_the_relay = house.space.reaches((PUBLIC, PublicRelay::PORT).into())?;
        let lost = house.cable.as_ref().map_or(0, Cable::lost);
        ensure(to_the_relay >= weather.delay && lost > 0, || {
            format!("{to_the_relay:?} to the relay, {lost} frames lost")
        })?;
    }
    scene.went(true).await
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_direct_way_exists_the_quote_comes_through_the_relay_and_the_page_says_so()
-> Outcome {
    let scene = quoted([Nat::Symmetric, Nat::Symmetric], None, false).await?;
    scene.went(false).await?;
    scene.buyer.clicks("connection-pill").await?;
    scene
        .buyer
        .browser
        .read(&named("connection-traders"), &["relayed"], SURELY)
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hides_shows_his_network_address_to_no_trader() -> Outcome {
    let scene = quoted([Nat::Plain, Nat::Plain], None, true).await?;
    scene.went(false).await?;
    for person in [&scene.buyer, &scene.seller] {
        let standing = person.browser.direct_connections().await?;
        ensure(standing.is_empty(), || format!("{standing:?}"))?;
    }
    let made = scene.buyer.browser.connections_made().await?;
    ensure(made == 0, || {
        format!("the hiding browser made {made} connections")
    })?;
    let house = &scene.town.houses[0];
    for address in [house.outside, house.inside] {
        let (all, holding) = scene.capture.holding(address);
        ensure(all > 50 && holding == 0, || {
            format!("{holding} of {all} frames hold {address}")
        })?;
    }
    Ok(())
}
