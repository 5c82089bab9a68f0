//! A relay without a name and without a certificate authority: pages reach it by WebRTC-direct, whole messages pass, and a
//! trade over it ends as one over WebSocket does.

use haggle_protocol::quote::Quality;
use haggle_tests::browser::Driver;
use haggle_tests::data::Computers;
use haggle_tests::interop::{Kind, Page};
use haggle_tests::person::{Person, SURELY, Terms};
use haggle_tests::program::copy;
use haggle_tests::relay::Relay;
use haggle_tests::site::Host;
use haggle_tests::{Outcome, ensure, place};
use serde_json::{Value, json};

/// Messages of each size.
const MESSAGES: u64 = 1_000;
/// Messages that one call to the page sends, which a browser's driver gives a minute.
const AT_ONCE: u64 = 200;

const TERMS: Terms = Terms {
    quality: Quality::Good,
    days: 2,
    stock: 5,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_messages_pass_a_relay_that_is_reached_by_webrtc_direct() -> Outcome {
    let driver = Driver::start()?;
    let relay = Relay::with_config(None, "[limits]\ncircuit_bytes = 1073741824\n")?;
    let address = relay.webrtc_direct().await?;
    // Both hide from each other, so that every byte goes to the relay and from it.
    let a = Page::open_as(&driver, "a", Kind::Rust, &address, true).await?;
    let b = Page::open_as(&driver, "b", Kind::Rust, &address, true).await?;
    let through = b.call("addresses", &[]).await?;
    let through = through[0].as_str().unwrap_or_default().to_owned();
    ensure(through.contains("/webrtc-direct/"), || through.clone())?;
    a.call("dial", &[through.into()]).await?;
    for size in [100_u64, 8 * 1024, 64 * 1024] {
        // Each comes back and is compared.
        for _ in 0..MESSAGES / AT_ONCE {
            let arguments: [Value; 4] = [
                b.peer.clone().into(),
                size.into(),
                AT_ONCE.into(),
                false.into(),
            ];
            let times = a.call("roundtrips", &arguments).await?;
            let count = times.as_array().map(|times| times.len() as u64);
            ensure(count == Some(AT_ONCE), || {
                format!("{size} bytes: {count:?}")
            })?;
        }
    }
    for page in [&a, &b] {
        let log = page.call("log", &[]).await?;
        ensure(log == json!([]), || log.to_string())?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_over_webrtc_direct_is_as_one_over_websocket() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let relay = Relay::start(None, &[])?;
    for address in [relay.address(), relay.webrtc_direct().await?] {
        let folder = tempfile::tempdir()?;
        copy(&place::site()?, folder.path())?;
        let list = json!({ "network": "haggle", "relays": [address] });
        std::fs::write(folder.path().join("relays.json"), list.to_string())?;
        let host = Host::serve(folder.path(), "/")?;
        let seller = Person::arrives(&driver, &host.url(), "seller").await?;
        seller
            .introduces_himself("Vera Verkauf", "+1 555 0100")
            .await?;
        seller.offers(&scene.dearer, TERMS).await?;
        seller.answers_by_rule("indicative").await?;
        let buyer = Person::arrives(&driver, &host.url(), "buyer").await?;
        buyer.introduces_himself("Karl Kauf", "+1 555 0199").await?;
        buyer.drafts(&scene.want).await?;
        let intent = buyer.publishes().await?;
        buyer.is_quoted(&intent, 1, SURELY).await?;
        buyer.accepts(&intent, 1).await?;
        seller.confirms().await?;
        buyer.knows("Vera Verkauf").await?;
        seller.knows("Karl Kauf").await?;
        // What is said while a busy machine still brings the two together may take the circuit.
        let (direct, relayed) = buyer.private_messages().await?;
        ensure(direct > 0, || {
            format!("{address}: {direct} directly, {relayed} relayed")
        })?;
        for person in [buyer, seller] {
            let blamed = person.browser.blamed_for(&[]).await?;
            ensure(blamed.is_empty(), || format!("{address}: {blamed:#?}"))?;
            person.browser.crash()?;
        }
    }
    Ok(())
}
