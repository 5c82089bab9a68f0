//! The direct channel between browsers, tried out: ours with ours, and ours with js-libp2p's in both directions, over our relay and over
//! a relay of js-libp2p.

use haggle_tests::browser::Driver;
use haggle_tests::interop::{AnyRelay, Kind, Page};
use haggle_tests::list::{dials, must, streams, whole_list};
use haggle_tests::{Outcome, Trouble, ensure};

async fn try_all(dialer: Kind, listener: Kind, relay: Kind) -> Outcome {
    let driver = Driver::start()?;
    let mut relay = AnyRelay::start(relay)?;
    let name = |kind: Kind, number: u8| format!("{kind:?} {number}");
    let a = Page::open(&driver, &name(dialer, 1), dialer, &relay.address()).await?;
    let b = Page::open(&driver, &name(listener, 2), listener, &relay.address()).await?;
    whole_list(&a, b, streams(), || relay.kill()).await
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
