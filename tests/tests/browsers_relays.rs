//! Nothing central: two relays, one of which is killed; and a page from any static host.

use std::path::Path;
use std::time::Duration;

use haggle_protocol::quote::Quality;
use haggle_tests::browser::Driver;
use haggle_tests::data::Computers;
use haggle_tests::person::{Person, SURELY, Terms, named};
use haggle_tests::program::copy;
use haggle_tests::relay::Relay;
use haggle_tests::site::Host;
use haggle_tests::{Outcome, ensure, place};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::Instant;

/// Within which time the next intent must be quoted after a relay was killed.
const RECOVERED: Duration = Duration::from_secs(20);

const TERMS: Terms = Terms {
    quality: Quality::Good,
    days: 2,
    stock: 5,
};

/// The built site in a folder of its own, which names these relays.
fn site_with(relays: &[String]) -> Outcome<TempDir> {
    let folder = tempfile::tempdir()?;
    copy(&place::site()?, folder.path())?;
    write_relays(folder.path(), relays)?;
    Ok(folder)
}

fn write_relays(folder: &Path, relays: &[String]) -> Outcome {
    let list = json!({ "network": "haggle", "relays": relays });
    std::fs::write(folder.join("relays.json"), list.to_string())?;
    // A compressed copy would tell the old story.
    for packed in ["relays.json.br", "relays.json.gz"] {
        let packed = folder.join(packed);
        if packed.exists() {
            std::fs::remove_file(packed)?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_on_one_relay_is_quoted_by_a_seller_on_another_and_goes_on_when_his_own_is_killed()
-> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let mut a = Relay::start(None, &[])?;
    let b = Relay::start(None, &[a.address()])?;
    let (at_a, at_b) = (site_with(&[a.address()])?, site_with(&[b.address()])?);
    let (host_a, host_b) = (
        Host::serve(at_a.path(), "/")?,
        Host::serve(at_b.path(), "/")?,
    );

    let seller = Person::arrives(&driver, &host_b.url(), "seller").await?;
    seller.offers(&scene.cheap, TERMS).await?;
    seller.answers_by_rule("indicative").await?;
    let buyer = Person::arrives(&driver, &host_a.url(), "buyer").await?;
    buyer.drafts(&scene.want).await?;
    let first = buyer.publishes().await?;
    buyer.is_quoted(&first, 1, SURELY).await?;

    a.kill()?;
    let killed = Instant::now();
    buyer.drafts(&scene.want).await?;
    let second = buyer.publishes().await?;
    ensure(first != second, || "the same intent again".into())?;
    let published = Instant::now();
    buyer.is_quoted(&second, 1, RECOVERED).await?;
    println!(
        "after the relay was killed: published {:?} later, quoted {:?} after that",
        published.saturating_duration_since(killed),
        published.elapsed()
    );
    let blamed = buyer
        .browser
        .blamed_for(&["WebSocket connection", "ERR_CONNECTION_REFUSED"])
        .await?;
    ensure(blamed.is_empty(), || format!("{blamed:#?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_trades_from_another_port_and_a_sub_path_of_a_plain_static_host() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let relay = Relay::start(None, &[])?;
    let folder = site_with(&[relay.address()])?;
    let host = Host::serve(folder.path(), "/some/market/")?;

    let seller = Person::arrives(&driver, &host.url(), "seller").await?;
    seller.offers(&scene.cheap, TERMS).await?;
    seller
        .introduces_himself("Sofie Shop", "+1 555 0142")
        .await?;
    seller.answers_by_rule("firm").await?;
    let buyer = Person::arrives(&driver, &host.url(), "buyer").await?;
    buyer.introduces_himself("Bert Buy", "+1 555 0143").await?;
    buyer.drafts(&scene.want).await?;
    let intent = buyer.publishes().await?;
    buyer.is_quoted(&intent, 1, SURELY).await?;
    buyer.accepts(&intent, 1).await?;
    // A firm stall confirms by itself.
    buyer.knows("Sofie Shop").await?;
    seller.knows("Bert Buy").await?;
    for person in [&buyer, &seller] {
        let exchanged = format!("{}[data-state=\"contacts-exchanged\"]", named("trade-card"));
        person.browser.see(&exchanged, SURELY).await?;
        let blamed = person.browser.blamed_for(&[]).await?;
        ensure(blamed.is_empty(), || {
            format!("{}: {blamed:#?}", person.browser.name())
        })?;
    }
    Ok(())
}
