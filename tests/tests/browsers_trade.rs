//! The market as people use it: in real browsers, each a process of its own, trading computers that people once
//! advertised.

use std::time::Duration;

use haggle_protocol::quote::Quality;
use haggle_tests::browser::Driver;
use haggle_tests::data::{Advertisement, Computers, Scene};
use haggle_tests::person::{Person, SOON, SURELY, Terms, named};
use haggle_tests::program::{Program, Shop};
use haggle_tests::relay::Relay;
use haggle_tests::{Outcome, Trouble, ensure, place};
use serde_json::{Value, json};
use tokio::time::Instant;

/// Seconds of a day.
const DAY: u32 = 86_400;

/// Within which time a seller who comes late must have quoted, once he is connected.
const LATE: Duration = Duration::from_secs(5);

/// A dearer offer that is better: its seller is there tomorrow, with something as good as new.
const BETTER: Terms = Terms {
    quality: Quality::Finest,
    days: 1,
    stock: 3,
};

/// How the page writes dollars: `$1,234.00` in English.
fn dollars(ad: &Advertisement) -> String {
    let (thousands, rest) = (ad.price / 1_000, ad.price % 1_000);
    if thousands > 0 {
        format!("{thousands},{rest:03}")
    } else {
        rest.to_string()
    }
}

/// A program that sells this, cheaply, used, in ten days.
async fn cheap_program(
    shop: &Shop,
    driver: &std::sync::Arc<Driver>,
    relay: &Relay,
    scene: &Scene,
) -> Outcome<Program> {
    let program = shop.starts(driver, "program", &relay.address()).await?;
    program
        .offers(&scene.cheap.item(Quality::Fair, 2, 10 * DAY)?, "indicative")
        .await?;
    Ok(program)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_takes_the_better_of_two_quotes_and_the_other_seller_never_learns_of_it() -> Outcome
{
    let scene = Computers::load()?.scene()?;
    let (driver, shop) = (Driver::start()?, Shop::open()?);
    let relay = Relay::start(Some(&place::site()?), &[])?;
    let page = relay.url();

    // One seller by the page, one by the package, one who cannot fulfil it.
    let seller = Person::arrives(&driver, &page, "seller").await?;
    seller.offers(&scene.dearer, BETTER).await?;
    seller
        .introduces_himself("Vera Verkauf", "+1 555 0100")
        .await?;
    seller.answers_by_rule("indicative").await?;
    let program = cheap_program(&shop, &driver, &relay, &scene).await?;
    let silent = Person::arrives(&driver, &page, "silent").await?;
    silent.offers(&scene.lacking, BETTER).await?;
    silent.answers_by_rule("indicative").await?;

    let buyer = Person::arrives(&driver, &page, "buyer").await?;
    buyer.introduces_himself("Karl Kauf", "+1 555 0199").await?;
    buyer.drafts(&scene.want).await?;
    let public = buyer.browser.see(&named("preview-public"), SOON).await?;
    ensure(public.contains(&scene.want.wanted_title()), || {
        public.clone()
    })?;
    let intent = buyer.publishes().await?;

    // Exactly two quotes; the better one, which is not the cheapest, stands first and says why.
    buyer.is_quoted(&intent, 2, SURELY).await?;
    let card = |rank: u32| format!("{}[data-rank=\"{rank}\"]", named("quote-card"));
    let first = buyer
        .browser
        .read(&card(1), &[&dollars(&scene.dearer)], SOON)
        .await?;
    let second = buyer
        .browser
        .read(&card(2), &[&dollars(&scene.cheap)], SOON)
        .await?;
    ensure(scene.dearer.price > scene.cheap.price, || {
        format!("{first}\n{second}")
    })?;
    let reason = buyer
        .browser
        .see(&format!("{} {}", card(1), named("quote-reason")), SOON)
        .await?;
    ensure(!reason.is_empty(), || first.clone())?;
    let reasons = "return [...document.querySelectorAll(arguments[0])].map(reason => reason.innerText).join('; ')";
    let selector = format!("{} {}", card(1), named("quote-reason"));
    let reasons = buyer.browser.js(reasons, vec![selector.into()]).await?;
    println!("the first quote's reasons: {reasons}");

    // What was said in private went from browser to browser, and nothing of it through the relay.
    for person in [&buyer, &seller] {
        println!("{}", went_directly(person).await?);
    }

    // Everyone reloads once between quote and acceptance, and goes on.
    for person in [&buyer, &seller, &silent] {
        person.reloads().await?;
    }
    program.reloads().await?;
    buyer.goes_to("requests").await?;
    buyer.is_quoted(&intent, 2, SURELY).await?;

    buyer.accepts(&intent, 1).await?;
    seller.confirms().await?;
    // The trade does not end in a dead end: both know whom to call.
    buyer.knows("Vera Verkauf").await?;
    seller.knows("Karl Kauf").await?;
    let exchanged = format!("{}[data-state=\"contacts-exchanged\"]", named("trade-card"));
    buyer.browser.see(&exchanged, SURELY).await?;
    seller.browser.see(&exchanged, SURELY).await?;

    for person in [&buyer, &seller] {
        println!("{}", went_directly(person).await?);
    }

    // It goes on to its end, and both keep the receipt, also over a reload.
    seller.reports("dispatched").await?;
    buyer.reports("paid").await?;
    buyer.reports("received").await?;
    let received = format!("{}[data-state=\"received\"]", named("trade-card"));
    for person in [&buyer, &seller] {
        person.browser.see(&received, SURELY).await?;
        person.reloads().await?;
        person.goes_to("trades").await?;
        person.browser.see(&received, SURELY).await?;
        let steps = person.browser.count(&named("trade-step")).await?;
        ensure(steps == 3, || format!("{steps} steps"))?;
    }

    // The other seller hears that he is not needed, and nothing else.
    let over =
        "type === 'open-intent' && value.answer?.state === 'not-selected' || type === 'gone'";
    program.hears("the end of the quote", over, SURELY).await?;
    nothing_of_it_is_at(&program, &seller, &scene).await?;

    // The third stayed silent, and knows that he did.
    silent.goes_to("market").await?;
    let own = format!("[data-intent=\"{intent}\"][data-answer]");
    ensure(silent.browser.count(&own).await? == 0, || {
        "the silent seller has answered".into()
    })?;

    for (name, browser) in [
        ("buyer", &buyer.browser),
        ("seller", &seller.browser),
        ("silent", &silent.browser),
    ] {
        let blamed = browser.blamed_for(&[]).await?;
        ensure(blamed.is_empty(), || format!("{name}: {blamed:#?}"))?;
    }
    let blamed = program.browser.blamed_for(&[]).await?;
    ensure(blamed.is_empty(), || format!("program: {blamed:#?}"))
}

/// Nothing private of this person has passed through a relay since the page was loaded: so the page says, and the browser's own
/// statistics show the connection that it went over.
async fn went_directly(person: &Person) -> Outcome<String> {
    let name = person.browser.name();
    let (direct, relayed) = person.private_messages().await?;
    ensure(direct > 0 && relayed == 0, || {
        format!("{name}: {direct} private messages went directly, {relayed} through a relay")
    })?;
    let connections = person.browser.direct_connections().await?;
    let received = |of: &Value| of["received"].as_u64().unwrap_or_default();
    ensure(connections.iter().any(|c| received(c) > 2_048), || {
        format!("{name}: {connections:?}")
    })?;
    Ok(format!(
        "{name}: {direct} private messages, all of them directly; {connections:?}"
    ))
}

/// Looks through all that the loser's page shows, was told and keeps, for anything of the one who won.
async fn nothing_of_it_is_at(program: &Program, winner: &Person, scene: &Scene) -> Outcome {
    let told = program.told().await?;
    let kept = program.browser.storage().await?;
    let shown = program.browser.document().await?;
    ensure(kept.len() > 1_000, || {
        format!("the program keeps nothing: {kept}")
    })?;
    ensure(told.contains("open-intent"), || {
        format!("the program was told nothing: {told}")
    })?;
    // By these words the page shows who somebody is.
    winner.goes_to("stall").await?;
    let words = winner.browser.see(&named("my-trader"), SOON).await?;
    let price = scene.dearer.price;
    let marks = [
        format!("{}", price * 100),
        format!("{price}"),
        dollars(&scene.dearer),
        "Vera Verkauf".into(),
        "555 0100".into(),
        "Karl Kauf".into(),
        "555 0199".into(),
        scene.dearer.title(),
        words,
    ];
    // A number of four digits may stand in the middle of a key in hexadecimal: there it says nothing.
    let stands_alone = |text: &str, mark: &str| {
        text.match_indices(mark).any(|(at, _)| {
            let beside = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
            !beside(text[..at].chars().next_back())
                && !beside(text[at + mark.len()..].chars().next())
        })
    };
    for (place, text) in [("was told", &told), ("keeps", &kept), ("shows", &shown)] {
        for mark in &marks {
            ensure(!stands_alone(text, mark), || {
                format!("the other seller {place} {mark}")
            })?;
        }
    }
    // Nor was he told of any trader but himself.
    let stall = program.hears("his stall", "type === 'stall'", SOON).await?;
    let all: Value = serde_json::from_str(&told)?;
    let traders = traders_in(&all);
    ensure(
        traders.iter().all(|trader| stall["trader"] == **trader),
        || format!("{traders:?}"),
    )?;
    // Its own quote is there: the search would have found another's.
    let own = format!("{}", scene.cheap.price * 100);
    ensure(stands_alone(&told, &own), || {
        Trouble::new("its own quote is not there").to_string()
    })
}

/// Every trader that is named anywhere in a value.
fn traders_in(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(list) => list.iter().flat_map(traders_in).collect(),
        Value::Object(fields) => {
            let named = fields.get("trader").and_then(Value::as_str);
            fields.values().flat_map(traders_in).chain(named).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![],
    }
}

/// Keeps what the page's notices say.
const KEEP_NOTICES: &str = "
    window.__notices = [];
    const Real = Notification;
    window.Notification = class extends Real {
        constructor(title, options) {
            super(title, options);
            window.__notices.push([options.body, document.hidden]);
        }
    };";

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_elsewhere_is_told_of_a_quote_by_a_notice_without_its_price() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;
    let buyer = Person::arrives(&driver, &relay.url(), "buyer").await?;
    let origin = relay.url().trim_end_matches('/').to_owned();
    let grant = json!({ "origin": origin, "permissions": ["notifications"] });
    buyer
        .browser
        .devtools("Browser.grantPermissions", grant)
        .await?;
    buyer.clicks("settings").await?;
    buyer.clicks("notices").await?;
    let on = "return document.querySelector(arguments[0])?.checked
        && localStorage.getItem('haggle/notices') === 'on'";
    let tick = vec![named("notices").into()];
    buyer.browser.until("the tick", SOON, on, tick).await?;
    let close = "document.querySelector('dialog[open]').close()";
    buyer.browser.js(close, vec![]).await?;
    buyer.browser.js(KEEP_NOTICES, vec![]).await?;
    buyer.drafts(&scene.want).await?;
    let intent = buyer.publishes().await?;
    buyer.browser.is_put_away().await?;

    let seller = Person::arrives(&driver, &relay.url(), "seller").await?;
    seller.offers(&scene.dearer, BETTER).await?;
    seller.answers_by_rule("indicative").await?;
    seller.goes_to("market").await?;
    let delivered = format!("[data-intent=\"{intent}\"][data-answer=\"delivered\"]");
    seller.browser.see(&delivered, SURELY).await?;

    let told = buyer
        .browser
        .until(
            "a notice",
            SOON,
            "return window.__notices.length && window.__notices",
            vec![],
        )
        .await?;
    ensure(told.as_array().is_some_and(|told| told.len() == 1), || {
        told.to_string()
    })?;
    let said = told[0][0].as_str().unwrap_or_default();
    ensure(said.contains("quote") && told[0][1] == true, || {
        told.to_string()
    })?;
    ensure(!said.contains(&dollars(&scene.dearer)), || said.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_who_comes_late_finds_the_intent_and_quotes_within_five_seconds() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;

    // He has set up his stall before, and is not there now.
    let late = Person::arrives(&driver, &relay.url(), "late").await?;
    late.offers(&scene.another, BETTER).await?;
    late.answers_by_rule("indicative").await?;
    let home = late.browser.crash()?;

    let buyer = Person::arrives(&driver, &relay.url(), "buyer").await?;
    buyer.drafts(&scene.want).await?;
    let intent = buyer.publishes().await?;
    ensure(
        buyer.browser.count(&named("quote-card")).await? == 0,
        || "a quote by nobody".into(),
    )?;

    let browser = driver.open_at("late", home).await?;
    let url = format!("{}#as=late", relay.url());
    let connected = async {
        browser.goto(&url).await?;
        browser
            .see(
                "[data-test=\"connection-pill\"][data-state=\"online\"]",
                SURELY,
            )
            .await?;
        Outcome::Ok(Instant::now())
    };
    let quoted = async {
        buyer.is_quoted(&intent, 1, SURELY * 2).await?;
        Outcome::Ok(Instant::now())
    };
    let (connected, quoted) = tokio::try_join!(connected, quoted)?;
    let took = quoted.saturating_duration_since(connected);
    println!("a late seller quoted {took:?} after he was connected");
    ensure(took <= LATE, || format!("it took him {took:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_seller_learns_the_open_intents_from_another_browsers_book() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let site = place::site()?;
    let relay = Relay::with_config(Some(&site), "[limits]\nserve_book = false\n")?;
    let neighbour = Person::arrives(&driver, &relay.url(), "neighbour").await?;
    let buyer = Person::arrives(&driver, &relay.url(), "buyer").await?;
    buyer.drafts(&scene.want).await?;
    let first = buyer.publishes().await?;
    neighbour.goes_to("market").await?;
    let known = format!("[data-intent=\"{first}\"]");
    neighbour.browser.see(&known, SURELY).await?;

    // Nobody tells him: the relay reads its book to no one.
    let late = Person::arrives(&driver, &relay.url(), "late").await?;
    late.offers(&scene.dearer, BETTER).await?;
    late.answers_by_rule("indicative").await?;
    late.goes_to("market").await?;
    ensure(late.browser.count(&known).await? == 0, || {
        "he knows it already".into()
    })?;

    // He hears a new intent, quotes it directly, and so meets a browser that was there before.
    neighbour.goes_to("ask").await?;
    neighbour.drafts(&scene.want).await?;
    let second = neighbour.publishes().await?;
    neighbour.is_quoted(&second, 1, SURELY).await?;
    buyer.is_quoted(&first, 1, SURELY).await?;
    late.browser.see(&known, SURELY).await?;
    Ok(())
}
