//! The list of everything that two peers do with a direct connection, for any two pages that can be tried against each other.
//!
//! `HAGGLE_DIALS` says how many dials are made of each kind; a few in the test command, a hundred by `cargo xtask prove dials`.

use std::env;
use std::io::Write as _;
use std::slice;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::interop::{Kind, Page};
use crate::town::PUBLIC;
use crate::trouble::{Outcome, ensure};

/// The dials of each kind in the test command.
const DIALS: usize = 5;

/// Within which time a page notices that the other one has gone.
const NOTICED: Duration = Duration::from_secs(15);

/// Circuits that a relay lets one peer make at once; then one in [`CIRCUIT_EVERY`]. Nobody on the relay's own machine is counted.
const CIRCUITS_AT_ONCE: usize = 60;

/// How often a relay lets one peer make another circuit after that, and a little more.
const CIRCUIT_EVERY: Duration = Duration::from_millis(2_100);

const MEBIBYTE: u64 = 1 << 20;

/// For whoever reads along.
fn say(line: &str) {
    // Nobody reads along if this fails.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// How many dials of each kind are wanted.
#[must_use]
pub fn dials() -> usize {
    let told = env::var("HAGGLE_DIALS").ok();
    told.and_then(|told| told.parse().ok()).unwrap_or(DIALS)
}

/// How many streams are opened one after another.
const STREAMS: u64 = 1_000;

/// How often that is begun anew because Chromium lost a channel, where js-libp2p takes part: it begins no stream again. One in some tens of
/// thousands is lost.
const LOST_MAX: u32 = 3;

/// From now on counts the channels that other pages opened to this one and that the browser lost: they were open, and then say that they are
/// still connecting.
const COUNT_LOST: &str = "
    if (window.__lost) return true;
    const channels = new Set();
    let closed = 0;
    const lost = channel => channel.readyState === 'connecting';
    const watch = ({ channel }) => channel.addEventListener('open', () => channels.add(channel));
    const close = RTCDataChannel.prototype.close;
    RTCDataChannel.prototype.close = function () {
        if (channels.delete(this) && lost(this)) closed += 1;
        return close.call(this);
    };
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...options) { super(...options); this.addEventListener('datachannel', watch); }
    };
    window.__lost = () => closed + [...channels].filter(lost).length;
    return true";

/// Calls a method of a page that gives back whether it went well.
///
/// # Errors
/// If it did not.
pub async fn must(page: &Page, method: &str, arguments: &[Value]) -> Outcome {
    let came = page.call(method, arguments).await?;
    ensure(came["ok"] == true, || {
        format!("{method}({arguments:?}) came to {came}")
    })
}

/// How many channels the browser of a page has lost since it is counted.
async fn lost(page: &Page) -> Outcome<u64> {
    let lost = page.browser().js("return window.__lost()", vec![]).await?;
    Ok(lost.as_u64().unwrap_or_default())
}

/// Opens streams one after another. Between two of ours all of them come through; where js-libp2p takes part, one that its browser lost
/// excuses another try, and nothing else does.
async fn one_after_another(a: &Page, b: &Page) -> Outcome {
    let arguments = [b.peer.clone().into(), STREAMS.into()];
    let ours = a.kind == Kind::Rust && b.kind == Kind::Rust;
    for _ in 0..LOST_MAX {
        let before = lost(b).await?;
        let came = must(a, "sequence", &arguments).await;
        if ours || came.is_ok() || lost(b).await? == before {
            return came;
        }
        say("the browser lost a channel, and the streams are opened once more");
    }
    must(a, "sequence", &arguments).await
}

/// Has the first page dial the second one and do everything with it; in the end the relay is ended, and then the second page.
///
/// # Errors
/// Whatever does not come out as it should.
pub async fn whole_list(a: &Page, b: Page, end_relay: impl FnOnce() -> Outcome) -> Outcome {
    let (dialer, listener) = (a.kind, b.kind);
    let address = b.address().await?;
    b.browser().js(COUNT_LOST, vec![]).await?;
    let (to_b, to_a): (Value, Value) = (b.peer.clone().into(), a.peer.clone().into());

    // Every dial succeeds: those that first make the relayed connection, and those that find it there.
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    let counted = address.contains(&PUBLIC.to_string());
    for number in 0..dials() {
        if counted && number > CIRCUITS_AT_ONCE {
            tokio::time::sleep(CIRCUIT_EVERY).await;
        }
        cold.push(a.dial(&address).await?);
        a.hang_up(&b.peer, "webrtc").await?;
        warm.push(a.dial(&address).await?);
        a.hang_up(&b.peer, "all").await?;
    }
    say(&format!(
        "{} to {}: {} dials, none lost; cold {:.0} ms, warm {:.0} ms (medians)",
        a.browser().name(),
        b.browser().name(),
        cold.len() + warm.len(),
        median(&mut cold),
        median(&mut warm)
    ));

    // An early burst: streams are opened while the other side has barely got the connection.
    must(a, "dialAndBurst", &[address.clone().into(), 10.into()]).await?;

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

    must(a, "echo", &[to_b.clone(), 100_000.into()]).await?;
    // js-libp2p keeps a connection that was closed on the other side for many seconds and may pick it, so nothing is begun from there
    // unless it is ours.
    let directions = if listener == Kind::Rust {
        vec![(a, &to_b), (&b, &to_a)]
    } else {
        vec![(a, &to_b)]
    };
    for (page, other) in directions {
        must(page, "send", &[other.clone(), MEBIBYTE.into()]).await?;
        must(page, "send", &[other.clone(), (32 * MEBIBYTE).into()]).await?;
    }
    one_after_another(a, &b).await?;
    must(a, "parallel", &[to_b.clone(), 64.into()]).await?;
    let reset = a.call("reset", slice::from_ref(&to_b)).await?;
    ensure(reset["seen"] == true, || reset.to_string())?;

    // The relay was needed to meet, and for nothing else.
    end_relay()?;
    must(a, "echo", &[to_b.clone(), 1000.into()]).await?;

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
