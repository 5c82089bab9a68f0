//! Chromium and Firefox, each behind a router of its own, connect directly in both directions and do everything over it.
//!
//! Needs root, for the network namespaces: Firefox gives no candidate for a machine that has only itself.

use haggle_tests::Outcome;
use haggle_tests::browser::{Browser, Driver};
use haggle_tests::firefox;
use haggle_tests::interop::{Kind, Page};
use haggle_tests::list::whole_list;
use haggle_tests::town::{Nat, PUBLIC, PublicRelay, Town};

struct Scene {
    chromium: Page,
    firefox: Page,
    relay: PublicRelay,
    _town: Town,
}

async fn both_pages() -> Outcome<Scene> {
    let town = Town::build(&[Nat::Plain, Nat::Plain], None)?;
    let relay = PublicRelay::serve(&town, &Kind::Rust.folder()?)?;
    let url = format!("{}page.html", relay.url);
    let stun = format!("stun:{PUBLIC}:{}", PublicRelay::STUN);
    let driver = Driver::start_in(&town.houses[0].space, &relay.url)?;
    let open = async |browser: Browser| Page::open_in(browser, &url, &relay.address, &stun).await;
    Ok(Scene {
        chromium: open(driver.open("Chromium").await?).await?,
        firefox: open(firefox::open_in(&town.houses[1].space, "Firefox").await?).await?,
        relay,
        _town: town,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn chromium_dials_firefox_and_does_everything_over_the_connection() -> Outcome {
    let mut scene = both_pages().await?;
    whole_list(&scene.chromium, scene.firefox, || scene.relay.kill()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn firefox_dials_chromium_and_does_everything_over_the_connection() -> Outcome {
    let mut scene = both_pages().await?;
    whole_list(&scene.firefox, scene.chromium, || scene.relay.kill()).await
}
