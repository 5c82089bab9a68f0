//! What the page looks like, and whether those can use it who do not see it or have no mouse. The pictures are kept as
//! artefacts: somebody should look at them.

use std::path::Path;
use std::time::Duration;

use haggle_protocol::quote::Quality;
use haggle_tests::browser::{Driver, Look};
use haggle_tests::data::Computers;
use haggle_tests::mint::Mint;
use haggle_tests::person::{Person, SOON, SURELY, Terms, named};
use haggle_tests::photo;
use haggle_tests::relay::Relay;
use haggle_tests::site::Host;
use haggle_tests::{Outcome, Trouble, ensure, place};
use serde_json::Value;

const TERMS: Terms = Terms {
    quality: Quality::Fine,
    days: 2,
    stock: 5,
};

/// How long what moves may take to come to rest.
const REST: Duration = Duration::from_secs(10);

/// What stands wider than the window and can be scrolled to, as the page itself measures it.
const TOO_WIDE: &str = "
    const room = document.documentElement.clientWidth;
    if (document.scrollingElement.scrollWidth <= room) return [];
    return [...document.querySelectorAll('body *')]
        .filter(element => element.checkVisibility() && element.getBoundingClientRect().right > room + 1)
        .slice(0, 8).map(element => `${element.tagName}.${element.className} ${element.getBoundingClientRect().right}`)
        .concat(`scrollWidth ${document.scrollingElement.scrollWidth} in ${room}`)";

/// Controls that nobody could name.
const NAMELESS: &str = "
    const named = element => element.labels?.length || element.getAttribute('aria-label')?.trim()
        || (element.getAttribute('aria-labelledby') ?? '').split(' ').some(id => document.getElementById(id)?.innerText)
        || (element.tagName === 'BUTTON' || element.tagName === 'A' || element.tagName === 'SUMMARY')
            && element.textContent.trim();
    return [...document.querySelectorAll('input, select, textarea, button, a[href], summary')]
        .filter(element => element.checkVisibility() && !named(element))
        .map(element => element.outerHTML.slice(0, 120))";

/// Headings that skip a level, and pages without exactly one of the first.
const HEADINGS: &str = "
    const shown = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].filter(h => h.checkVisibility());
    const levels = shown.map(h => Number(h.tagName[1]));
    const wrong = levels.filter(level => level === 1).length === 1 ? [] : [`levels: ${levels}`];
    levels.forEach((level, at) => { if (at && level > levels[at - 1] + 1)
        wrong.push(`h${level} '${shown[at].innerText}' after h${levels[at - 1]} '${shown[at - 1].innerText}'`) });
    return wrong";

/// Texts with less contrast to what is behind them than WCAG 2.2 AA asks for (1.4.3), as far as the ground is one
/// plain colour.
const FAINT: &str = "
    const parse = text => (text.match(/[\\d.]+/g) ?? []).map(Number);
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgba = text => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data] };
    const light = ([r, g, b]) => { const f = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b) };
    const ground = element => { for (let at = element; at; at = at.parentElement) {
        const style = getComputedStyle(at);
        if (style.backgroundImage !== 'none' || style.opacity !== '1') return null;
        const color = rgba(style.backgroundColor);
        if (color[3] === 255) return color;
        if (color[3] !== 0) return null;
    } return rgba(getComputedStyle(document.documentElement).colorScheme.includes('dark') ? 'black' : 'white') };
    const faint = [];
    for (const element of document.querySelectorAll('body *')) {
        if (!element.checkVisibility() || ![...element.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
        if (element.disabled || element.closest('.visually-hidden, [disabled]')) continue;
        const style = getComputedStyle(element), behind = ground(element), front = rgba(style.color);
        if (!behind || front[3] !== 255) continue;
        const [a, b] = [light(front), light(behind)].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05), size = parseFloat(style.fontSize);
        const needed = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700 ? 3 : 4.5;
        if (ratio < needed) faint.push(`${ratio.toFixed(2)} '${element.innerText.slice(0, 40)}' ${element.className}`);
    }
    return [...new Set(faint)]";

/// What a script lists must be nothing.
async fn none(person: &Person, what: &str, script: &str) -> Outcome {
    let found = person.browser.js(script, vec![]).await?;
    let empty = found.as_array().is_some_and(Vec::is_empty);
    ensure(empty, || {
        format!("{}: {what}: {found:#}", person.browser.name())
    })
}

/// Shows a screen in every look, takes its picture, and checks what can be checked.
async fn shown(
    person: &Person,
    screen: &str,
    folder: &Path,
    problems: &mut Vec<String>,
) -> Outcome {
    for look in Look::ALL {
        person.browser.look(look).await?;
        // A picture of the whole page is taken from its top.
        person.browser.js("scrollTo(0, 0)", vec![]).await?;
        let scheme = "return scrollY === 0 && matchMedia('(prefers-color-scheme: dark)').matches === arguments[0]
            && innerWidth === arguments[1]
            && document.getAnimations().every(animation => animation.playState !== 'running'
                || animation.effect?.getComputedTiming().endTime === Infinity)";
        let arguments = vec![look.dark.into(), look.width.into()];
        person
            .browser
            .until("everything at rest", REST, scheme, arguments)
            .await?;
        person
            .browser
            .picture(&folder.join(format!("{screen}-{}.png", look.name)))
            .await?;
        for (what, script) in [
            ("wider than the window", TOO_WIDE),
            ("controls without a name", NAMELESS),
            ("headings out of order", HEADINGS),
            ("too faint to read", FAINT),
        ] {
            if let Err(trouble) = none(person, what, script).await {
                problems.push(format!("{screen}, {}: {trouble}", look.name));
            }
        }
    }
    person.browser.look(Look::ALL[2]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_screen_fits_every_window_and_can_be_read_in_light_and_dark() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;
    let folder = place::artefacts()?;
    let mut problems = Vec::new();

    let buyer = Person::arrives(&driver, &relay.url(), "buyer").await?;
    shown(&buyer, "ask-empty", &folder, &mut problems).await?;
    buyer.clicks("settings").await?;
    buyer.browser.see(&named("notices"), SOON).await?;
    shown(&buyer, "settings", &folder, &mut problems).await?;
    buyer.clicks("safe-open").await?;
    buyer.browser.see(&named("words-state"), SOON).await?;
    shown(&buyer, "backup", &folder, &mut problems).await?;
    buyer.clicks("words-show").await?;
    buyer.browser.see(&named("words"), SOON).await?;
    shown(&buyer, "backup-words", &folder, &mut problems).await?;
    let close = "document.querySelector('dialog[open]').close()";
    buyer.browser.js(close, vec![]).await?;
    buyer.introduces_himself("Karl Kauf", "+1 555 0199").await?;
    let seller = Person::arrives(&driver, &relay.url(), "seller").await?;
    seller.goes_to("market").await?;
    shown(&seller, "market-empty", &folder, &mut problems).await?;
    seller.offers(&scene.dearer, TERMS).await?;
    seller
        .introduces_himself("Vera Verkauf", "+1 555 0100")
        .await?;
    seller.answers_by_rule("indicative").await?;
    shown(&seller, "stall", &folder, &mut problems).await?;
    let lists = tempfile::tempdir()?;
    let right = "sku,title,category,price,currency,quality,deliveries\n\
                 lamp,Desk lamp,lamps,19.90,USD,good,pickup | shipping 4.90 2d\n\
                 chair,Office chair,0,1: 80 | 4: 70,USD,fine,shipping 20 5d\n";
    let wrong = right
        .replace("lamps", "lamp-shades")
        .replace("19.90", "19,90 $")
        .replace("fine", "superb");
    seller.clicks("stall-list").await?;
    for (name, text, seen) in [
        ("stall-list-wrong", wrong.as_str(), "list-mistakes"),
        ("stall-list", right, "list-put"),
    ] {
        let file = lists.path().join(format!("{name}.csv"));
        std::fs::write(&file, text)?;
        seller.types("list-file", &file.to_string_lossy()).await?;
        seller.browser.see(&named(seen), SOON).await?;
        shown(&seller, name, &folder, &mut problems).await?;
    }
    let close = "document.querySelector('dialog[open]').close()";
    seller.browser.js(close, vec![]).await?;
    let other = Person::arrives(&driver, &relay.url(), "other").await?;
    other
        .offers(
            &scene.cheap,
            Terms {
                quality: Quality::Fair,
                days: 9,
                stock: 1,
            },
        )
        .await?;
    other.answers_by_rule("firm").await?;

    buyer.drafts(&scene.want).await?;
    let wishes = ["at least 50 MHz", "at least 15 inches"];
    buyer
        .browser
        .read(&named("preview-public"), &wishes, SOON)
        .await?;
    shown(&buyer, "ask", &folder, &mut problems).await?;
    let intent = buyer.publishes().await?;
    buyer.is_quoted(&intent, 2, SURELY).await?;
    shown(&buyer, "requests", &folder, &mut problems).await?;
    seller.goes_to("market").await?;
    seller
        .browser
        .see(&format!("[data-intent=\"{intent}\"]"), SOON)
        .await?;
    shown(&seller, "market", &folder, &mut problems).await?;

    // He asks about the quote; somebody who has not quoted asks him.
    let asking = Person::arrives(&driver, &relay.url(), "asking").await?;
    asking.goes_to("market").await?;
    let open = format!("[data-intent=\"{intent}\"]");
    asking
        .writes(&open, "Would a scratch at the back be fine?")
        .await?;
    let question = format!("{open} {}", named("question"));
    buyer.is_told(&question, "scratch").await?;
    buyer
        .writes(&question, "Yes, if the screen is fine.")
        .await?;
    asking.is_told(&open, "screen").await?;
    let first = format!("{open} [data-test=\"quote-card\"][data-rank=\"1\"]");
    buyer
        .writes(&first, "Is the keyboard a German one?")
        .await?;
    seller.is_told(&open, "German").await?;
    seller.writes(&open, "No, an American one.\nI can add a German one for 20 dollars, which I would have to order first.").await?;
    buyer.is_told(&first, "American").await?;
    shown(&buyer, "requests-chat", &folder, &mut problems).await?;
    shown(&asking, "market-chat", &folder, &mut problems).await?;

    // He haggles, and the seller meets him.
    let offered = scene.dearer.price - 5;
    buyer.haggles(&intent, 1, &offered.to_string()).await?;
    shown(&buyer, "requests-haggling", &folder, &mut problems).await?;
    buyer.clicks("haggle").await?;
    buyer.browser.see(&named("counter-send"), SOON).await?;
    shown(&buyer, "haggle", &folder, &mut problems).await?;
    buyer.clicks("counter-cancel").await?;
    let their = format!("[data-intent=\"{intent}\"] {}", named("their-counter"));
    seller.browser.see(&their, SURELY).await?;
    shown(&seller, "market-haggling", &folder, &mut problems).await?;
    let minor = offered * 100;
    seller.meets(&intent, minor).await?;
    let met = format!("[data-test=\"quote-card\"][data-rank=\"1\"][data-total=\"{minor}\"]");
    buyer.browser.see(&met, SURELY).await?;

    buyer.accepts(&intent, 1).await?;
    shown(&buyer, "requests-ordered", &folder, &mut problems).await?;
    let winner = "return document.querySelector('[data-test=\"quote-card\"][data-state=\"ordered\"]')?.dataset.total";
    let total = buyer.browser.js(winner, vec![]).await?;
    ensure(total != Value::Null, || "no quote is ordered".into())?;
    seller.goes_to("trades").await?;
    seller.browser.see(&named("order-card"), SURELY).await?;
    shown(&seller, "trades-order", &folder, &mut problems).await?;
    seller.confirms().await?;
    buyer.knows("Vera Verkauf").await?;
    shown(&buyer, "trades", &folder, &mut problems).await?;
    let papers = tempfile::tempdir()?;
    let guide = papers.path().join("user guide.pdf");
    std::fs::write(&guide, vec![b'x'; 300_000])?;
    let front = photo::taken(&seller, papers.path()).await?;
    seller.talks().await?;
    for file in [&front, &guide] {
        seller.attaches("chat-files", file).await?;
    }
    let chips = "return document.querySelectorAll(arguments[0]).length === 2";
    let chip = vec![named("file-chip").into()];
    seller
        .browser
        .until("both files", SURELY, chips, chip)
        .await?;
    seller
        .types("chat-text", "As it stands here, and its guide.")
        .await?;
    shown(&seller, "trades-attach", &folder, &mut problems).await?;
    seller.clicks("chat-send").await?;
    buyer.browser.see(&named("file-photo"), SURELY).await?;
    shown(&buyer, "trades-files", &folder, &mut problems).await?;
    seller.clicks("step-delivered").await?;
    shown(&seller, "trades-code", &folder, &mut problems).await?;
    buyer.clicks("cancel-trade").await?;
    buyer.chooses("cancel-reason", "not-delivered").await?;
    buyer.types("cancel-note", "I need it today.").await?;
    shown(&buyer, "trades-cancel", &folder, &mut problems).await?;
    buyer.clicks("cancel-send").await?;
    for person in [&buyer, &seller] {
        person.sees_trade("cancelled").await?;
    }
    shown(&seller, "trades-cancelled", &folder, &mut problems).await?;
    // Who has not got it can ask for it again.
    buyer.clicks("ask-again").await?;
    let asks = "[data-test=\"main\"][data-screen=\"ask\"]";
    buyer.browser.see(asks, SOON).await?;
    let again = "return document.querySelector(arguments[0])?.value";
    let title = vec![named("title").into()];
    let title = buyer.browser.until("the title", SOON, again, title).await?;
    ensure(title == scene.want.wanted_title(), || title.to_string())?;
    buyer.clicks("connection-pill").await?;
    buyer.browser.see(&named("connection-sum"), SOON).await?;
    shown(&buyer, "connection", &folder, &mut problems).await?;

    for person in [&buyer, &seller, &other, &asking] {
        let blamed = person.browser.blamed_for(&[]).await?;
        if !blamed.is_empty() {
            problems.push(format!("{}: {blamed:#?}", person.browser.name()));
        }
    }
    ensure(problems.is_empty(), || problems.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn so_does_every_screen_that_is_about_money() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;
    let mut mint = Mint::start()?;
    let folder = place::artefacts()?;
    let mut problems = Vec::new();

    let arbiter = Person::arrives(&driver, &relay.url(), "arbiter").await?;
    arbiter.goes_to_his_cases().await?;
    shown(&arbiter, "cases-empty", &folder, &mut problems).await?;
    arbiter
        .offers_to_decide("I decide about computers", "2.5", 1)
        .await?;

    let seller = Person::arrives(&driver, &relay.url(), "seller").await?;
    seller
        .sells_through_escrow(&scene.dearer, TERMS, &mint.url())
        .await?;
    seller.takes_an_arbiter().await?;
    seller.answers_by_rule("indicative").await?;
    shown(&seller, "stall-escrow", &folder, &mut problems).await?;

    let buyer = Person::arrives(&driver, &relay.url(), "buyer").await?;
    buyer.introduces_himself("Karl Kauf", "+1 555 0199").await?;
    buyer.drafts(&scene.want).await?;
    let intent = buyer.publishes().await?;
    buyer.is_quoted(&intent, 1, SURELY).await?;
    // He has no money there yet, and has not named that mint.
    buyer.clicks("accept").await?;
    buyer.picks("pay-way-0").await?;
    buyer.browser.see(&named("pay-short"), SURELY).await?;
    shown(&buyer, "accept-escrow", &folder, &mut problems).await?;
    buyer.picks("pay-arbiter-0").await?;
    let face = named("escrow-arbiter-face");
    buyer.browser.see(&face, SOON).await?;
    let into_view = "document.querySelector(arguments[0]).scrollIntoView()";
    buyer.browser.js(into_view, vec![face.into()]).await?;
    shown(&buyer, "accept-arbiter", &folder, &mut problems).await?;
    let close = "document.querySelector('dialog[open]').close()";
    buyer.browser.js(close, vec![]).await?;
    buyer.opens_his_purse().await?;
    shown(&buyer, "money-empty", &folder, &mut problems).await?;
    buyer.trusts(&mint.url()).await?;
    buyer.fills_his_purse(10_000, "USD").await?;
    shown(&buyer, "money", &folder, &mut problems).await?;

    buyer.accepts_under_an_arbiter(&intent).await?;
    seller.goes_to("trades").await?;
    seller.browser.see(&named("order-escrow"), SURELY).await?;
    shown(&seller, "trades-order-escrow", &folder, &mut problems).await?;
    mint.kill()?;
    seller.confirms().await?;
    buyer.goes_to("trades").await?;
    buyer.browser.see(&named("escrow-again"), SURELY).await?;
    shown(&buyer, "trades-mint-away", &folder, &mut problems).await?;
    mint.start_again()?;
    buyer.asks_the_mint_again().await?;
    for person in [&buyer, &seller] {
        person.sees_escrow("locked").await?;
    }
    seller.would_share(10_000).await?;
    buyer.browser.see(&named("escrow-agree"), SURELY).await?;
    shown(&buyer, "trades-share", &folder, &mut problems).await?;
    shown(&seller, "trades-locked", &folder, &mut problems).await?;
    buyer.asks_the_arbiter(12_345, "A key is missing.").await?;
    shown(&buyer, "trades-dispute", &folder, &mut problems).await?;
    arbiter.browser.see(&named("case-trust"), SURELY).await?;
    shown(&arbiter, "cases-mint", &folder, &mut problems).await?;
    arbiter.clicks("case-trust").await?;
    arbiter.sees_a_case("open").await?;
    shown(&arbiter, "cases", &folder, &mut problems).await?;
    arbiter.decides(10_000, "It can be used.").await?;
    buyer.sees_escrow("shared").await?;
    shown(&buyer, "trades-ruling", &folder, &mut problems).await?;
    shown(&arbiter, "cases-ruled", &folder, &mut problems).await?;
    // Whoever is thankful to him gives him a tip. He does not keep what strangers send until he wants it.
    buyer.is_thankful("arbiter").await?;
    shown(&buyer, "trades-tip", &folder, &mut problems).await?;
    buyer.types("tip-amount", "1.50").await?;
    buyer.types("tip-words", "You were quick and fair.").await?;
    buyer.clicks("tip-go").await?;
    buyer.browser.see(&named("tip-given"), SURELY).await?;
    shown(&buyer, "trades-tip-given", &folder, &mut problems).await?;
    arbiter.goes_to_his_cases().await?;
    let came = "[data-test=\"case-card\"] [data-test=\"tip-file\"][data-state=\"offered\"]";
    arbiter.browser.see(came, SURELY).await?;
    shown(&arbiter, "cases-tip", &folder, &mut problems).await?;
    arbiter.takes_a_tip("[data-test=\"case-card\"]").await?;
    arbiter.browser.see(&named("tip-came"), SURELY).await?;
    shown(&arbiter, "cases-tip-taken", &folder, &mut problems).await?;
    buyer.sees_moved("returned", 10_000).await?;
    shown(&buyer, "money-history", &folder, &mut problems).await?;
    for person in [&buyer, &seller, &arbiter] {
        // A browser says so itself when a mint is away.
        let blamed = person
            .browser
            .blamed_for(&["ERR_CONNECTION_REFUSED"])
            .await?;
        if !blamed.is_empty() {
            problems.push(format!("{}: {blamed:#?}", person.browser.name()));
        }
    }
    ensure(problems.is_empty(), || problems.join("\n"))
}

/// A page with everything wrong that is looked for.
const WRONG: &str = r#"<!doctype html><html lang="en"><head><title>Wrong</title><link rel="icon" href="data:,">
    <meta name="viewport" content="width=device-width"></head><body style="background: white">
    <h1>One</h1><h3>Three</h3><input><p style="color: #999">faint</p>
    <div style="width: 5000px">wide</div></body></html>"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_looked_for_on_the_screens_would_be_seen() -> Outcome {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("index.html"), WRONG)?;
    let host = Host::serve(folder.path(), "/")?;
    let browser = Driver::start()?.open("wrong").await?;
    browser.goto(&host.url()).await?;
    for (what, script, sign) in [
        ("width", TOO_WIDE, "DIV"),
        ("names", NAMELESS, "<input>"),
        ("headings", HEADINGS, "h3 'Three' after h1 'One'"),
        ("contrast", FAINT, "2.8"),
    ] {
        let found = browser.js(script, vec![]).await?.to_string();
        ensure(found.contains(sign), || format!("{what}: {found}"))?;
    }
    Ok(())
}

/// What has the keyboard, by its name.
async fn focused(person: &Person) -> Outcome<String> {
    let script = "return document.activeElement?.dataset.test ?? ''";
    let name = person.browser.js(script, vec![]).await?;
    Ok(name.as_str().unwrap_or_default().to_owned())
}

/// Presses Tab until something has the keyboard.
async fn tabs_to(person: &Person, name: &str) -> Outcome {
    for _ in 0..80 {
        if focused(person).await? == name {
            return Ok(());
        }
        person.browser.press("\u{e004}").await?;
    }
    Err(Trouble::new(format!("the keyboard does not get to {name}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_is_published_and_a_quote_is_heard_of_without_mouse_and_screen() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;
    let seller = Person::arrives(&driver, &relay.url(), "seller").await?;
    seller.offers(&scene.dearer, TERMS).await?;
    seller.answers_by_rule("indicative").await?;

    let buyer = Person::arrives(&driver, &relay.url(), "buyer").await?;
    tabs_to(&buyer, "title").await?;
    buyer.browser.press(&scene.want.wanted_title()).await?;
    tabs_to(&buyer, "category").await?;
    // Typing into a list chooses by the beginning of the name.
    buyer.browser.press("Desktop").await?;
    tabs_to(&buyer, "limit").await?;
    buyer.browser.press(&scene.want.price.to_string()).await?;
    tabs_to(&buyer, "currency").await?;
    buyer.browser.press("USD").await?;
    tabs_to(&buyer, "publish").await?;
    buyer.browser.press("\u{e007}").await?;
    buyer
        .browser
        .see("[data-test=\"main\"][data-screen=\"requests\"]", SOON)
        .await?;
    // The heading of the new screen has the keyboard, so that a reader begins there.
    let heading = "return document.activeElement?.id === 'screen-heading'";
    buyer
        .browser
        .until("the heading", SOON, heading, vec![])
        .await?;

    // What arrives is said: the live region has words for it.
    buyer.browser.see(&named("quote-card"), SURELY).await?;
    let said = "const region = document.querySelector('[aria-live=\"polite\"]');
        return region?.innerText.trim() || region?.textContent.trim()";
    let said = buyer
        .browser
        .until("the announcement", SOON, said, vec![])
        .await?;
    println!("announced: {said}");

    // And it is taken by keys alone.
    tabs_to(&buyer, "accept").await?;
    buyer.browser.press("\u{e007}").await?;
    buyer.browser.see(&named("accept-confirm"), SOON).await?;
    tabs_to(&buyer, "accept-confirm").await?;
    buyer.browser.press("\u{e007}").await?;
    seller.confirms().await
}
