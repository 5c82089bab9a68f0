//! `bench webrtc`: the direct channel of two of our pages beside that of two of js-libp2p's, in one run, on the same machine and over the same
//! relay, ours; before them what the browser needs by itself.

use std::sync::Arc;

use haggle_tests::Outcome;
use haggle_tests::browser::Driver;
use haggle_tests::interop::{Kind, Page};
use haggle_tests::relay::Relay;
use serde_json::Value;

use crate::report::Report;

/// Dials that js-libp2p loses would wait for their whole time; this is enough for one that succeeds.
const GIVEN_UP_MS: u64 = 5_000;

/// Bytes of the one long transfer.
const LONG: u64 = 32 << 20;

/// Round trips of each kind in each run.
const ROUNDS: u64 = 50;

/// What one kind of pages came to.
#[derive(Default)]
struct Figures {
    cold: Vec<f64>,
    warm: Vec<f64>,
    open_small: Vec<f64>,
    fresh_small: Vec<f64>,
    open_large: Vec<f64>,
    fresh_large: Vec<f64>,
    throughput: Vec<f64>,
    cpu: Vec<f64>,
    lost: f64,
}

/// The names of a row for both kinds, its unit, and its figures.
type Row = (
    [&'static str; 2],
    &'static str,
    fn(&mut Figures) -> Vec<f64>,
);

pub(crate) async fn measure(runs: usize, report: &mut Report) -> Outcome {
    let driver = Driver::start()?;
    let (dials, transfers) = floor(&driver, runs).await?;
    report.add_with_tail("webrtc: the browser alone, dial to open", "ms", dials);
    report.add_with_tail("webrtc: the browser alone, 32 MiB", "MiB/s", transfers);
    let ours = of_kind(&driver, Kind::Rust, runs).await?;
    let theirs = of_kind(&driver, Kind::Js, runs).await?;
    let mut both = |names: [&'static str; 2],
                    unit: &'static str,
                    of: fn(&mut Figures) -> Vec<f64>,
                    figures: [&mut Figures; 2]| {
        for (name, figures) in names.into_iter().zip(figures) {
            report.add_with_tail(name, unit, of(figures));
        }
    };
    let (mut ours, mut theirs) = (ours, theirs);
    let rows: [Row; 9] = [
        (["webrtc: dial to open, cold", "  js-libp2p"], "ms", |f| {
            core::mem::take(&mut f.cold)
        }),
        (["webrtc: dial to open, warm", "  js-libp2p"], "ms", |f| {
            core::mem::take(&mut f.warm)
        }),
        (
            ["webrtc: 32 B there and back, open stream", "  js-libp2p"],
            "ms",
            |f| core::mem::take(&mut f.open_small),
        ),
        (
            ["webrtc: 32 B there and back, fresh stream", "  js-libp2p"],
            "ms",
            |f| core::mem::take(&mut f.fresh_small),
        ),
        (
            ["webrtc: 10 KiB there and back, open stream", "  js-libp2p"],
            "ms",
            |f| core::mem::take(&mut f.open_large),
        ),
        (
            ["webrtc: 10 KiB there and back, fresh stream", "  js-libp2p"],
            "ms",
            |f| core::mem::take(&mut f.fresh_large),
        ),
        (["webrtc: 32 MiB one way", "  js-libp2p"], "MiB/s", |f| {
            core::mem::take(&mut f.throughput)
        }),
        (
            ["webrtc: relay CPU of a cold dial", "  js-libp2p"],
            "ms",
            |f| core::mem::take(&mut f.cpu),
        ),
        (["webrtc: dials lost", "  js-libp2p"], "%", |f| vec![f.lost]),
    ];
    for (names, unit, of) in rows {
        both(names, unit, of, [&mut ours, &mut theirs]);
    }
    Ok(())
}

/// What the browser needs without any libp2p: milliseconds from nothing to an open channel between two connections of one page, and the
/// throughput between two pages.
async fn floor(driver: &Arc<Driver>, runs: usize) -> Outcome<(Vec<f64>, Vec<f64>)> {
    let relay = Relay::start(None, &[])?;
    let a = Page::open(driver, "a", Kind::Rust, &relay.address()).await?;
    let b = Page::open(driver, "b", Kind::Rust, &relay.address()).await?;
    let call = async |page: &Page, method: &str, argument: Value| {
        let script =
            "const [method, argument] = arguments; return await window.floor[method](argument)";
        let arguments = vec![method.into(), argument];
        page.browser().js_async(script, arguments).await
    };
    let number = |value: Value| value.as_f64().unwrap_or(f64::NAN);
    let mut dials = Vec::new();
    // The first one makes the certificate.
    call(&a, "dial", Value::Null).await?;
    for _ in 0..runs * 2 {
        dials.push(number(call(&a, "dial", Value::Null).await?));
    }
    let offer = call(&a, "offer", Value::Null).await?;
    let answer = call(&b, "answer", offer).await?;
    call(&a, "accept", answer).await?;
    let mut transfers = Vec::new();
    for _ in 0..runs {
        transfers.push(32_000.0 / number(call(&a, "send", LONG.into()).await?));
    }
    Ok((dials, transfers))
}

async fn of_kind(driver: &Arc<Driver>, kind: Kind, runs: usize) -> Outcome<Figures> {
    let relay = Relay::start(None, &[])?;
    let a = Page::open(driver, "a", kind, &relay.address()).await?;
    let b = Page::open(driver, "b", kind, &relay.address()).await?;
    let address = b.address().await?;
    let mut figures = Figures::default();
    let mut lost = 0_u32;
    let mut dials = 0_u32;
    let dial = |cold: bool| {
        let (a, b, address) = (&a, &b, &address);
        async move {
            a.hang_up(&b.peer, if cold { "all" } else { "webrtc" })
                .await?;
            let dialed = a
                .call("dial", &[address.clone().into(), GIVEN_UP_MS.into()])
                .await;
            Outcome::Ok(dialed.ok().and_then(|dialed| dialed["ms"].as_f64()))
        }
    };
    // The first one warms up caches that a page has only once.
    dial(true).await?;
    for _ in 0..runs * 2 {
        let before = processor_time(relay.id())?;
        let cold = dial(true).await?;
        figures.cpu.push(processor_time(relay.id())? - before);
        let warm = dial(false).await?;
        dials += 2;
        lost += u32::from(cold.is_none()) + u32::from(warm.is_none());
        figures.cold.extend(cold);
        figures.warm.extend(warm);
    }
    figures.lost = 100.0 * f64::from(lost) / f64::from(dials);
    // Whatever the last dial came to, there is a connection for the rest.
    while dial(true).await?.is_none() {}
    let peer: Value = b.peer.clone().into();
    let rounds = |size: u64, fresh: bool| {
        let arguments = [peer.clone(), size.into(), ROUNDS.into(), fresh.into()];
        let a = &a;
        async move {
            let times = a.call("roundtrips", &arguments).await?;
            let times = times.as_array().cloned().unwrap_or_default();
            Outcome::Ok(times.iter().filter_map(Value::as_f64).collect::<Vec<_>>())
        }
    };
    for _ in 0..runs {
        let sent = a.call("send", &[peer.clone(), LONG.into()]).await?;
        let took = sent["ms"].as_f64().unwrap_or(f64::NAN);
        figures.throughput.push(32_000.0 / took);
    }
    for _ in 0..runs.div_ceil(3) {
        figures.open_small.extend(rounds(32, false).await?);
        figures.fresh_small.extend(rounds(32, true).await?);
        figures.open_large.extend(rounds(10 * 1024, false).await?);
        figures.fresh_large.extend(rounds(10 * 1024, true).await?);
    }
    Ok(figures)
}

/// Milliseconds that a process has computed so far.
fn processor_time(id: u32) -> Outcome<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    // proc(5): after the name in brackets, user and system time are the 12th and 13th fields, in hundredths of a second.
    let after = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: f64 = after
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    Ok(ticks * 10.0)
}
