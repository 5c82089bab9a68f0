//! In headless Chromium, with the real relay: times are taken inside the pages, at the moment when something shows, not
//! when a driver asks.

use std::time::Duration;

use haggle_protocol::quote::Quality;
use haggle_protocol::{Network, Timestamp};
use haggle_tests::browser::{Browser, Driver};
use haggle_tests::data::Computers;
use haggle_tests::forge::Forge;
use haggle_tests::person::{Person, SURELY, Terms};
use haggle_tests::raw::Raw;
use haggle_tests::relay::Relay;
use haggle_tests::{Outcome, Trouble, place};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::report::Report;

/// Notes when the page is ready, when something is published, and when a card of a quote appears for it.
const STOPWATCH: &str = r"
    window.__times = { ready: null, published: null, quoted: null };
    const look = () => {
        const times = window.__times, now = performance.now();
        if (times.ready === null && document.querySelector('[data-test=connection-pill][data-state=online]'))
            times.ready = now;
        if (times.published !== null && times.quoted === null) {
            const cards = document.querySelectorAll('[data-test=quote-card]').length;
            if (cards > times.cards) times.quoted = now;
        }
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
    addEventListener('submit', event => {
        if (event.target.id !== 'ask-form') return;
        window.__times.published = performance.now();
        window.__times.quoted = null;
        window.__times.cards = document.querySelectorAll('[data-test=quote-card]').length;
    }, true);
";

/// Memory that an idle relay may take, in MB.
const RELAY_BUDGET: f64 = 40.0;

/// Memory that a tab may take after an hour of one intent a second, in MB.
const TAB_BUDGET: f64 = 150.0;

/// How often the memory of a tab is read while it is under load.
const READING: Duration = Duration::from_secs(10);

pub(crate) async fn measure(runs: usize, report: &mut Report) -> Outcome {
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;

    let mut ready = Vec::new();
    for run in 0..runs {
        let browser = driver.open(&format!("visitor-{run}")).await?;
        watched(&browser, &format!("{}#as=visitor", relay.url())).await?;
        ready.push(time(&browser, "ready").await?);
    }
    report.add("page opened until ready to trade", "ms", None, ready);
    report.add(
        "memory of an idle relay (resident)",
        "MB",
        Some(RELAY_BUDGET),
        vec![resident(relay.id())?],
    );

    let scene = Computers::load()?.scene()?;
    let seller = Person::arrives(&driver, &relay.url(), "seller").await?;
    let terms = Terms {
        quality: Quality::Good,
        days: 2,
        stock: 1_000,
    };
    seller.offers(&scene.cheap, terms).await?;
    seller.answers_by_rule("indicative").await?;
    let buyer = Person::arrives(&driver, &relay.url(), "buyer").await?;
    watched(&buyer.browser, &format!("{}#as=buyer", relay.url())).await?;
    let mut quoted = Vec::new();
    for _ in 0..runs {
        buyer.goes_to("ask").await?;
        buyer.types("title", &scene.want.wanted_title()).await?;
        let desktops = haggle_tests::data::desktops()?.0.to_string();
        buyer.chooses("category", &desktops).await?;
        buyer.chooses("currency", "USD").await?;
        let intent = buyer.publishes().await?;
        buyer.is_quoted(&intent, 1, SURELY).await?;
        quoted
            .push(time(&buyer.browser, "quoted").await? - time(&buyer.browser, "published").await?);
    }
    report.add(
        "intent published until the first quote is on screen",
        "ms",
        None,
        quoted,
    );
    Ok(())
}

/// Watches a tab while a peer says an intent a second.
pub(crate) async fn tab_under_load(minutes: u64, report: &mut Report) -> Outcome {
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;
    let empty = driver.open("empty").await?;
    report.add(
        "memory of an empty tab, for comparison (PSS)",
        "MB",
        None,
        vec![tab(&empty)?],
    );
    drop(empty);
    let person = Person::arrives(&driver, &relay.url(), "watched").await?;
    report.add(
        "memory of a tab that is ready to trade (PSS)",
        "MB",
        None,
        vec![tab(&person.browser)?],
    );
    person.goes_to("market").await?;
    let crier = Raw::start(9_000).await?;
    crier.meet(&relay.tcp()).await?;

    let begin = Instant::now();
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut forge = Forge::new(Network::main(), now()?, 9_000);
    let (mut sizes, mut read) = (Vec::new(), begin);
    while begin.elapsed() < Duration::from_secs(minutes * 60) {
        second.tick().await;
        forge.now = now()?;
        crier.publish(forge.fresh()?.2.bytes()).await?;
        if read.elapsed() >= READING {
            read = Instant::now();
            sizes.push(tab(&person.browser)?);
        }
    }
    let shown = "return Number(document.querySelector('[data-test=market-count]')?.innerText.match(/\\d+/)?.[0] ?? 0)";
    let shown = person.browser.js(shown, vec![]).await?;
    println!("the tab shows {shown} open intents after {minutes} minutes");
    report.add(
        "memory of a tab under an intent a second (PSS)",
        "MB",
        Some(TAB_BUDGET),
        sizes.clone(),
    );
    let last = sizes.last().copied().unwrap_or_default();
    report.add(
        "memory of the same tab at the end (PSS)",
        "MB",
        Some(TAB_BUDGET),
        vec![last],
    );
    report.add(
        "memory of the relay behind it at the end (resident)",
        "MB",
        None,
        vec![resident(relay.id())?],
    );
    Ok(())
}

/// Loads a page with the stopwatch in it, and waits until it is ready.
async fn watched(browser: &Browser, url: &str) -> Outcome {
    let source = json!({ "source": STOPWATCH });
    browser
        .devtools("Page.addScriptToEvaluateOnNewDocument", source)
        .await?;
    // The same address again would only change what stands behind the `#`.
    browser.goto("about:blank").await?;
    browser.goto(url).await?;
    browser
        .until(
            "being ready",
            SURELY,
            "return window.__times?.ready",
            vec![],
        )
        .await?;
    Ok(())
}

async fn time(browser: &Browser, what: &str) -> Outcome<f64> {
    let script = "return window.__times[arguments[0]]";
    let told = browser
        .until(what, SURELY, script, vec![what.into()])
        .await?;
    told.as_f64()
        .ok_or_else(|| Trouble::new(format!("no time of {what}: {told}")))
}

/// Proportional memory of the tab's renderer, in MB. Chromium keeps a spare renderer ready beside it, which is smaller.
fn tab(browser: &Browser) -> Outcome<f64> {
    let largest = browser.renderers()?.into_iter().max();
    largest
        .map(megabytes)
        .ok_or_else(|| Trouble::new("there is no renderer"))
}

fn megabytes(bytes: u64) -> f64 {
    // Memory is far below 2^52 bytes.
    bytes as f64 / 1e6
}

/// Resident memory of a process, in MB.
pub(crate) fn resident(id: u32) -> Outcome<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| {
        line.trim()
            .trim_end_matches("kB")
            .trim()
            .parse::<u64>()
            .ok()
    });
    kilobytes
        .map(|kilobytes| megabytes(kilobytes * 1_024))
        .ok_or_else(|| Trouble::new("the system does not say how large a process is"))
}

#[allow(clippy::disallowed_methods, reason = "forged intents are made now")]
fn now() -> Outcome<Timestamp> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since
        .map(|since| Timestamp(since.as_secs()))
        .map_err(|error| Trouble::new(error.to_string()))
}
