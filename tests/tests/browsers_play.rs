//! Play money at the page: in a site that names a mint of such, nobody reads that mint's name or an amount that it keeps without "play
//! money" beside it; in any other site there is none.

use std::collections::BTreeSet;

use haggle_protocol::quote::Quality;
use haggle_tests::browser::Driver;
use haggle_tests::data::Computers;
use haggle_tests::mint::Mint;
use haggle_tests::person::{Person, SOON, SURELY, Terms, named};
use haggle_tests::relay::Relay;
use haggle_tests::{Outcome, ensure, place, play};
use serde_json::Value;

/// Whole dollars in the buyer's purse: more than any computer of that data costs.
const FILLED: u64 = 10_000;

const TERMS: Terms = Terms {
    quality: Quality::Fine,
    days: 2,
    stock: 3,
};

/// Where amounts are that the mint keeps, or its name stands: each has to be seen on the way, and each says "play money".
const PLACES: [&str; 27] = [
    "accept-confirm",
    "case-card",
    "case-earned",
    "dispute",
    "dispute-ask",
    "escrow-mine",
    "escrow-offer",
    "escrow-panel",
    "fill-mint",
    "fill-request",
    "find-mint",
    "give-purse",
    "given",
    "mint",
    "order-escrow",
    "pay-plan",
    "pay-purse",
    "play-offer",
    "purse",
    "quote-escrow",
    "rule",
    "ruling",
    "takes-row",
    "tip-came",
    "tip-form",
    "tip-given",
    "toast",
];

/// Texts with the mint's name, or with an amount in one of the places, that do not say what it is; and the places that were seen. An amount
/// in figures of one width says it by what stands behind it.
const WALK: &str = "
    const [host, label, places] = arguments, wrong = [], seen = new Set();
    const shown = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const amount = /[$€]\\s?[\\d.,]*\\d|\\d\\s?[$€]/;
    const says = element => element?.textContent.includes(label) || element?.getAttribute('aria-label')?.includes(label);
    while (shown.nextNode()) {
        const text = shown.currentNode, parent = text.parentElement;
        if (parent.closest('script, style, datalist')) continue;
        const place = parent.closest(places.map(name => `[data-test=\"${name}\"]`).join());
        const named = text.data.includes(host), counted = place && amount.test(text.data);
        if (!named && !counted) continue;
        if (text.data.includes(label)) continue;
        const figure = counted && !named && parent.closest('.money');
        if (figure && figure.nextElementSibling?.matches('[data-test=\"play-money\"]')) continue;
        wrong.push(`${place?.dataset.test ?? ''}: ${text.data}`);
    }
    for (const name of places)
        for (const place of document.querySelectorAll(`[data-test=\"${name}\"]`)) {
            // What is folded away shows no amount.
            if (!place.checkVisibility() || place.matches('details:not([open])')) continue;
            if (says(place)) seen.add(name); else if (name !== 'toast' && name !== 'accept-confirm') wrong.push(`${name} says nothing of it`);
        }
    for (const element of document.querySelectorAll('[aria-label]'))
        if (element.ariaLabel.includes(host) && !element.ariaLabel.includes(label)) wrong.push(element.ariaLabel);
    return [wrong, [...seen]]";

/// Everything that one could read, seen or not.
const TEXT: &str = "return document.body.textContent + [...document.querySelectorAll('[aria-label]')].map(e => e.ariaLabel).join()";

/// What is found on the way.
struct Walk {
    host: String,
    seen: BTreeSet<String>,
}

impl Walk {
    /// Looks at what a person has before him.
    async fn looks(&mut self, person: &Person) -> Outcome {
        self.reads(person, "play money").await
    }

    async fn reads(&mut self, person: &Person, label: &str) -> Outcome {
        let arguments = vec![
            self.host.clone().into(),
            label.into(),
            PLACES.map(Value::from).to_vec().into(),
        ];
        let found = person.browser.js(WALK, arguments).await?;
        let (wrong, seen): (Vec<String>, BTreeSet<String>) = serde_json::from_value(found)?;
        let name = person.browser.name();
        ensure(wrong.is_empty(), || format!("{name}: {wrong:#?}"))?;
        self.seen.extend(seen);
        person.browser.see(&named("play-banner"), SOON).await?;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_play_money_or_its_mint_stands_the_page_says_so() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let mut mint = Mint::start()?;
    let site = play::site(&mint.url())?;
    let relay = Relay::start(Some(site.path()), &[])?;
    let page = relay.url();
    let mut walk = Walk {
        host: mint.url().replace("http://", ""),
        seen: BTreeSet::new(),
    };

    let arbiter = Person::arrives(&driver, &page, "arbiter").await?;
    walk.looks(&arbiter).await?;
    arbiter
        .offers_to_decide("I decide about computers", "2.5", 1)
        .await?;

    // The seller takes it with one click; his goods are in dollars, so he says that once more.
    let seller = Person::arrives(&driver, &page, "seller").await?;
    seller.offers(&scene.cheap, TERMS).await?;
    seller
        .introduces_himself("Vera Verkauf", "+1 555 0100")
        .await?;
    seller.goes_to("stall").await?;
    seller.clicks("play-takes").await?;
    seller.browser.see(&named("takes-row"), SOON).await?;
    walk.looks(&seller).await?;
    let left = seller.browser.count(&named("play-takes")).await?;
    ensure(left == 0, || "it is offered though it is taken".into())?;
    let remove = format!("{} button", named("takes-row"));
    seller.browser.click(&remove, SOON).await?;
    seller.takes_escrow(&mint.url(), "USD").await?;
    seller.takes_an_arbiter().await?;
    seller.answers_by_rule("indicative").await?;

    // The buyer names the mint with one click, and fills his purse without paying anybody.
    let buyer = Person::arrives(&driver, &page, "buyer").await?;
    buyer.introduces_himself("Karl Kauf", "+1 555 0199").await?;
    buyer.opens_his_purse().await?;
    walk.looks(&buyer).await?;
    buyer.clicks("play-trust").await?;
    buyer.browser.see(&named("mint"), SURELY).await?;
    let left = buyer.browser.count(&named("play-trust")).await?;
    ensure(left == 0, || "it is offered though it is named".into())?;
    buyer.types("fill-amount", &FILLED.to_string()).await?;
    buyer.types("fill-currency", "USD").await?;
    buyer.clicks("fill-ask").await?;
    buyer.browser.see(&named("fill-request"), SURELY).await?;
    let invoices = buyer.browser.count(&named("fill-text")).await?;
    ensure(invoices == 0, || "an invoice for play money".into())?;
    walk.looks(&buyer).await?;
    buyer.browser.see(&named("purse"), SURELY).await?;
    buyer.browser.see(&named("toast"), SURELY).await?;
    walk.looks(&buyer).await?;
    buyer.holds(FILLED * 100).await?;
    walk.looks(&buyer).await?;
    buyer.types("give-amount", "5").await?;
    buyer.clicks("give-go").await?;
    buyer.browser.see(&named("given"), SURELY).await?;
    walk.looks(&buyer).await?;
    buyer.clicks("give-back").await?;
    buyer.holds(FILLED * 100).await?;

    buyer.drafts(&scene.want).await?;
    let intent = buyer.publishes().await?;
    buyer.is_quoted(&intent, 1, SURELY).await?;
    walk.looks(&buyer).await?;
    buyer.clicks("accept").await?;
    buyer.picks("pay-way-0").await?;
    buyer.browser.see(&named("pay-plan"), SOON).await?;
    buyer.browser.see(&named("pay-arbiter-0"), SURELY).await?;
    walk.looks(&buyer).await?;
    let close = "document.querySelector('dialog[open]').close()";
    buyer.browser.js(close, vec![]).await?;
    buyer.accepts_under_an_arbiter(&intent).await?;
    seller.goes_to("trades").await?;
    seller.browser.see(&named("order-escrow"), SURELY).await?;
    walk.looks(&seller).await?;
    seller.confirms().await?;
    for person in [&buyer, &seller] {
        person.sees_escrow("locked").await?;
        walk.looks(person).await?;
    }
    seller.would_share(10_000).await?;
    buyer.browser.see(&named("escrow-agree"), SURELY).await?;
    for person in [&buyer, &seller] {
        walk.looks(person).await?;
    }
    buyer.unfolds("dispute-ask").await?;
    buyer.browser.see(&named("dispute-words"), SOON).await?;
    walk.looks(&buyer).await?;
    buyer.goes_to("money").await?;
    buyer.asks_the_arbiter(12_345, "A key is missing.").await?;
    walk.looks(&buyer).await?;
    arbiter.browser.see(&named("case-trust"), SURELY).await?;
    walk.looks(&arbiter).await?;
    arbiter.clicks("case-trust").await?;
    arbiter.sees_a_case("open").await?;
    arbiter.clicks("rule-begin").await?;
    arbiter.browser.see(&named("rule-buyer"), SOON).await?;
    walk.looks(&arbiter).await?;
    arbiter.types("rule-buyer", "100").await?;
    arbiter.types("rule-words", "It can be used.").await?;
    arbiter.clicks("rule-go").await?;
    arbiter.sees_a_case("ruled").await?;
    buyer.sees_escrow("shared").await?;
    seller.sees_escrow("shared").await?;
    for person in [&buyer, &seller] {
        person.browser.see(&named("escrow-mine"), SURELY).await?;
        walk.looks(person).await?;
    }
    arbiter.browser.see(&named("case-earned"), SURELY).await?;
    walk.looks(&arbiter).await?;
    buyer.is_thankful("arbiter").await?;
    walk.looks(&buyer).await?;
    buyer.types("tip-amount", "1.50").await?;
    buyer.clicks("tip-go").await?;
    buyer.browser.see(&named("tip-given"), SURELY).await?;
    walk.looks(&buyer).await?;
    arbiter.takes_a_tip("[data-test=\"case-card\"]").await?;
    arbiter.browser.see(&named("tip-came"), SURELY).await?;
    walk.looks(&arbiter).await?;

    // So it does in another language, once what was said in the first one is gone.
    buyer.opens_his_purse().await?;
    let silent = "return !document.querySelector(arguments[0])";
    let toast = vec![named("toast").into()];
    buyer.browser.until("silence", SOON, silent, toast).await?;
    buyer.clicks("settings").await?;
    buyer.chooses("language", "de").await?;
    buyer.browser.see(&named("purse"), SURELY).await?;
    walk.reads(&buyer, "Spielgeld").await?;

    let missed: Vec<_> = PLACES
        .into_iter()
        .filter(|place| !walk.seen.contains(*place))
        .collect();
    ensure(missed.is_empty(), || format!("never seen: {missed:?}"))?;
    mint.has_out(FILLED * 100)?;
    for person in [&buyer, &seller, &arbiter] {
        let blamed = person.browser.blamed_for(&[]).await?;
        ensure(blamed.is_empty(), || {
            format!("{}: {blamed:#?}", person.browser.name())
        })?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_names_no_play_money_knows_none_whatever_mint_is_used() -> Outcome {
    let driver = Driver::start()?;
    let mint = Mint::start()?;
    // One that names a mint elsewhere names none: play money is on this machine only.
    let elsewhere = play::site("https://mint.example")?;
    for site in [place::site()?, elsewhere.path().to_path_buf()] {
        let relay = Relay::start(Some(&site), &[])?;
        let person = Person::arrives(&driver, &relay.url(), "plain").await?;
        person.goes_to("stall").await?;
        person.browser.see(&named("takes"), SOON).await?;
        let mut texts = vec![person.browser.js(TEXT, vec![]).await?];
        person.opens_his_purse().await?;
        texts.push(person.browser.js(TEXT, vec![]).await?);
        person.trusts(&mint.url()).await?;
        person.fills_his_purse(5, "USD").await?;
        texts.push(person.browser.js(TEXT, vec![]).await?);
        person.browser.see(&named("give-form"), SOON).await?;
        for text in texts {
            let text = text.as_str().unwrap_or_default().to_lowercase();
            let silent = !text.is_empty() && !text.contains("play money");
            ensure(silent, || text.clone())?;
        }
    }
    Ok(())
}
