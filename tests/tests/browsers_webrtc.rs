//! The direct channel between browsers, tried out: ours with ours, and ours with js-libp2p's in both directions, over our relay and over
//! a relay of js-libp2p.
//!
//! `HAGGLE_DIALS` says how many dials are made of each kind; a few in the test command, a hundred by `cargo xtask prove dials`.

use std::env;
use std::io::Write as _;
use std::slice;
use std::time::Duration;

use haggle_tests::browser::Driver;
use haggle_tests::interop::{AnyRelay, Kind, Page};
use haggle_tests::{Outcome, Trouble, ensure};
use serde_json::{Value, json};
use tokio::time::Instant;

/// The dials of each kind in the test command.
const DIALS: usize = 5;

/// Within which time a page notices that the other one has gone.
const NOTICED: Duration = Duration::from_secs(15);

const MEBIBYTE: u64 = 1 << 20;

/// For whoever reads along.
fn say(line: &str) {
    // Nobody reads along if this fails.
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn dials() -> usize {
    let told = env::var("HAGGLE_DIALS").ok();
    told.and_then(|told| told.parse().ok()).unwrap_or(DIALS)
}

/// Streams one after another: a thousand where both sides are ours, and a sample of that with js-libp2p unless the whole is asked for.
fn sequence(dialer: Kind, listener: Kind) -> u64 {
    let both_ours = dialer == Kind::Rust && listener == Kind::Rust;
    if both_ours || dials() > DIALS {
        1_000
    } else {
        200
    }
}

async fn must(page: &Page, method: &str, arguments: &[Value]) -> Outcome {
    let came = page.call(method, arguments).await?;
    ensure(came["ok"] == true, || {
        format!("{method}({arguments:?}) came to {came}")
    })
}

/// The list of everything that two peers do with a connection.
async fn whole_list(dialer: Kind, listener: Kind, relay: Kind) -> Outcome {
    let driver = Driver::start()?;
    let mut relay = AnyRelay::start(relay)?;
    let a = Page::open(&driver, "a", dialer, &relay.address()).await?;
    let b = Page::open(&driver, "b", listener, &relay.address()).await?;
    let address = b.address().await?;
    let (to_b, to_a): (Value, Value) = (b.peer.clone().into(), a.peer.clone().into());

    // Every dial succeeds: those that first make the relayed connection, and those that find it there.
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for _ in 0..dials() {
        cold.push(a.dial(&address).await?);
        a.hang_up(&b.peer, "webrtc").await?;
        warm.push(a.dial(&address).await?);
        a.hang_up(&b.peer, "all").await?;
    }
    say(&format!(
        "{dialer:?} to {listener:?}: {} dials, none lost; cold {:.0} ms, warm {:.0} ms (medians)",
        cold.len() + warm.len(),
        median(&mut cold),
        median(&mut warm)
    ));

    // An early burst: streams are opened while the other side has barely got the connection.
    must(&a, "dialAndBurst", &[address.clone().into(), 10.into()]).await?;

    let identified = a.call("identify", slice::from_ref(&to_b)).await?;
    let speaks = |protocol: &str| {
        let all = identified["protocols"].as_array();
        all.is_some_and(|all| all.iter().any(|one| one == protocol))
    };
    ensure(speaks("/interop/echo/1"), || identified.to_string())?;
    let listens = identified["addresses"]
        .to_string()
        .contains("/p2p-circuit/webrtc");
    ensure(listens, || identified.to_string())?;
    a.call("ping", slice::from_ref(&to_b)).await?;

    must(&a, "echo", &[to_b.clone(), 100_000.into()]).await?;
    // js-libp2p keeps a connection that was closed on the other side for many seconds and may pick it, so nothing is begun from there
    // unless it is ours.
    let directions = if listener == Kind::Rust {
        vec![(&a, &to_b), (&b, &to_a)]
    } else {
        vec![(&a, &to_b)]
    };
    for (page, other) in directions {
        must(page, "send", &[other.clone(), MEBIBYTE.into()]).await?;
        must(page, "send", &[other.clone(), (32 * MEBIBYTE).into()]).await?;
    }
    must(
        &a,
        "sequence",
        &[to_b.clone(), sequence(dialer, listener).into()],
    )
    .await?;
    must(&a, "parallel", &[to_b.clone(), 64.into()]).await?;
    let reset = a.call("reset", slice::from_ref(&to_b)).await?;
    ensure(reset["seen"] == true, || reset.to_string())?;

    // The relay was needed to meet, and for nothing else.
    relay.kill()?;
    must(&a, "echo", &[to_b.clone(), 1000.into()]).await?;

    // A page that goes without a word is missed.
    if dialer == Kind::Rust {
        let began = Instant::now();
        b.crash()?;
        a.call("closedAt", &[to_b]).await?;
        let took = began.elapsed();
        ensure(took < NOTICED, || format!("noticed after {took:?}"))?;
        say(&format!(
            "a crash of the other page was noticed after {took:.1?}"
        ));
    }
    let log = a.call("log", &[]).await?;
    ensure(log == json!([]), || log.to_string())
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_our_pages_connect_directly_and_do_everything_over_it() -> Outcome {
    whole_list(Kind::Rust, Kind::Rust, Kind::Rust).await
}

#[tokio::test(flavor = "multi_thread")]
async fn our_page_dials_one_of_js_libp2p_over_our_relay() -> Outcome {
    whole_list(Kind::Rust, Kind::Js, Kind::Rust).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_js_libp2p_dials_ours_over_our_relay() -> Outcome {
    whole_list(Kind::Js, Kind::Rust, Kind::Rust).await
}

#[tokio::test(flavor = "multi_thread")]
async fn our_page_dials_one_of_js_libp2p_over_its_relay() -> Outcome {
    whole_list(Kind::Rust, Kind::Js, Kind::Js).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_js_libp2p_dials_ours_over_its_relay() -> Outcome {
    whole_list(Kind::Js, Kind::Rust, Kind::Js).await
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
