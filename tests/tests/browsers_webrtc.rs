//! The direct channel between browsers, tried out: ours with ours, and ours with js-libp2p's in both directions, over our relay and over
//! a relay of js-libp2p.

use haggle_tests::browser::Driver;
use haggle_tests::interop::{AnyRelay, Kind, Page};
use haggle_tests::list::{dials, must, whole_list};
use haggle_tests::{Outcome, Trouble, ensure};

async fn try_all(dialer: Kind, listener: Kind, relay: Kind) -> Outcome {
    let driver = Driver::start()?;
    let mut relay = AnyRelay::start(relay)?;
    let name = |kind: Kind, number: u8| format!("{kind:?} {number}");
    let a = Page::open(&driver, &name(dialer, 1), dialer, &relay.address()).await?;
    let b = Page::open(&driver, &name(listener, 2), listener, &relay.address()).await?;
    whole_list(&a, b, || relay.kill()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_our_pages_connect_directly_and_do_everything_over_it() -> Outcome {
    try_all(Kind::Rust, Kind::Rust, Kind::Rust).await
}

#[tokio::test(flavor = "multi_thread")]
async fn our_page_dials_one_of_js_libp2p_over_our_relay() -> Outcome {
    try_all(Kind::Rust, Kind::Js, Kind::Rust).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_js_libp2p_dials_ours_over_our_relay() -> Outcome {
    try_all(Kind::Js, Kind::Rust, Kind::Rust).await
}

#[tokio::test(flavor = "multi_thread")]
async fn our_page_dials_one_of_js_libp2p_over_its_relay() -> Outcome {
    try_all(Kind::Rust, Kind::Js, Kind::Js).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_js_libp2p_dials_ours_over_its_relay() -> Outcome {
    try_all(Kind::Js, Kind::Rust, Kind::Js).await
}

#[tokio::test(flavor = "multi_thread")]
async fn when_both_pages_dial_at_once_they_are_connected() -> Outcome {
    let driver = Driver::start()?;
    let relay = AnyRelay::start(Kind::Rust)?;
    let a = Page::open(&driver, "a", Kind::Rust, &relay.address()).await?;
    let b = Page::open(&driver, "b", Kind::Rust, &relay.address()).await?;
    let (at_a, at_b) = (a.address().await?, b.address().await?);
    for round in 0..dials() {
        let (one, other) = tokio::join!(a.dial(&at_b), b.dial(&at_a));
        // One of them may give way to the other; then the other's connection is there.
        ensure(one.is_ok() || other.is_ok(), || {
            let said =
                |it: Outcome<f64>| it.map_or_else(|trouble| trouble.to_string(), |_| "made".into());
            format!("round {round}: {}; {}", said(one), said(other))
        })?;
        must(&a, "echo", &[b.peer.clone().into(), 100.into()]).await?;
        must(&b, "echo", &[a.peer.clone().into(), 100.into()]).await?;
        a.hang_up(&b.peer, "all").await?;
        b.call("closedAt", &[a.peer.clone().into()]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_not_there_is_said_to_be_unreachable() -> Outcome {
    let driver = Driver::start()?;
    let relay = AnyRelay::start(Kind::Rust)?;
    let a = Page::open(&driver, "a", Kind::Rust, &relay.address()).await?;
    let absent = a.address().await?.replace(
        &a.peer,
        "12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X",
    );
    match a.dial(&absent).await {
        Ok(_) => Err(Trouble::new("dialed a peer that does not exist")),
        Err(trouble) => ensure(trouble.to_string().contains("through the relay"), || {
            trouble.to_string()
        }),
    }
}

/// Every seventh channel that another page opens to this one arrives open and falls back to "connecting" for good: what Chromium does to one
/// in some tens of thousands by itself.
const LOSES_CHANNELS: &str = "
    window.__lost = 0;
    let arrived = 0;
    const state = Object.getOwnPropertyDescriptor(RTCDataChannel.prototype, 'readyState').get;
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...options) {
            super(...options);
            this.addEventListener('datachannel', ({ channel }) => {
                if (channel.label === 'init' || ++arrived % 7 !== 0) return;
                let lost = false;
                channel.addEventListener('open', () => { lost = true; window.__lost += 1; });
                const now = () => lost && state.call(channel) === 'open' ? 'connecting' : state.call(channel);
                Object.defineProperty(channel, 'readyState', { get: now });
                channel.send = data => {
                    if (now() !== 'open') throw new DOMException('not open', 'InvalidStateError');
                    RTCDataChannel.prototype.send.call(channel, data);
                };
            });
        }
    };
    return true";

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_whose_channel_the_browser_loses_is_begun_again_and_loses_nothing() -> Outcome {
    let driver = Driver::start()?;
    let relay = AnyRelay::start(Kind::Rust)?;
    let a = Page::open(&driver, "a", Kind::Rust, &relay.address()).await?;
    let b = Page::open(&driver, "b", Kind::Rust, &relay.address()).await?;
    b.browser().js(LOSES_CHANNELS, vec![]).await?;
    must(&a, "dialAndBurst", &[b.address().await?.into(), 10.into()]).await?;
    must(&a, "sequence", &[b.peer.clone().into(), 20.into()]).await?;
    must(&a, "send", &[b.peer.clone().into(), 1_000_000.into()]).await?;
    must(&a, "parallel", &[b.peer.clone().into(), 30.into()]).await?;
    let lost = b.browser().js("return window.__lost", vec![]).await?;
    ensure(lost.as_u64() > Some(7), || {
        format!("{lost} channels were lost")
    })
}
