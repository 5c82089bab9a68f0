//! Trades that are paid through escrow, at the page: each side in a browser of its own, and a real mint that both trust.

use haggle_protocol::quote::Quality;
use haggle_tests::browser::Driver;
use haggle_tests::data::Computers;
use haggle_tests::mint::Mint;
use haggle_tests::person::{Person, SOON, SURELY, Terms, named};
use haggle_tests::relay::Relay;
use haggle_tests::{Outcome, ensure, place};

/// Whole dollars in the buyer's purse: more than any computer of that data costs.
const FILLED: u64 = 10_000;

const TERMS: Terms = Terms {
    quality: Quality::Fine,
    days: 2,
    stock: 3,
};

/// What of the program behind the money a page has fetched, and whether it has ever asked this mint.
const FETCHED: &str = "
    const asked = performance.getEntriesByType('resource').map(one => one.name);
    return [asked.filter(name => name.includes('haggle-money')).length, asked.filter(name => name.startsWith(arguments[0])).length]";

/// Two people, a mint that both name, and an order that waits for its confirmation.
struct Market {
    mint: Mint,
    seller: Person,
    buyer: Person,
    /// In cents.
    price: u64,
    /// What was asked for.
    title: String,
    _relay: Relay,
}

impl Market {
    async fn ordered() -> Outcome<Self> {
        let scene = Computers::load()?.scene()?;
        let driver = Driver::start()?;
        let relay = Relay::start(Some(&place::site()?), &[])?;
        let mint = Mint::start()?;
        let page = relay.url();

        let seller = Person::arrives(&driver, &page, "seller").await?;
        seller.offers(&scene.cheap, TERMS).await?;
        seller
            .introduces_himself("Vera Verkauf", "+1 555 0100")
            .await?;
        let fetched = fetched(&seller, &mint).await?;
        ensure(fetched == [0, 0], || {
            format!("{fetched:?} fetched by one who does not use money")
        })?;
        seller.takes_escrow(&mint.url(), "USD").await?;
        seller.answers_by_rule("indicative").await?;

        let buyer = Person::arrives(&driver, &page, "buyer").await?;
        buyer.comes_with_money(&mint.url(), FILLED).await?;
        buyer.orders_through_escrow(&scene.want).await?;
        Ok(Self {
            mint,
            seller,
            buyer,
            price: scene.cheap.price * 100,
            title: scene.want.wanted_title(),
            _relay: relay,
        })
    }

    async fn locked() -> Outcome<Self> {
        let market = Self::ordered().await?;
        market.seller.goes_to("trades").await?;
        market
            .seller
            .browser
            .see(&named("order-escrow"), SURELY)
            .await?;
        market.seller.confirms().await?;
        market.both_see("locked").await?;
        Ok(market)
    }

    async fn both_see(&self, state: &str) -> Outcome {
        for person in [&self.buyer, &self.seller] {
            person.sees_escrow(state).await?;
        }
        Ok(())
    }

    /// Each has what is his, and by the mint's own books nothing was made or lost.
    async fn adds_up(&mut self, seller: u64) -> Outcome {
        let filled = FILLED * 100;
        self.buyer.holds(filled - seller).await?;
        if seller > 0 {
            self.seller.holds(seller).await?;
        }
        self.mint.has_out(filled)?;
        for person in [&self.buyer, &self.seller] {
            // A browser says so itself when a mint is away.
            let excused = ["ERR_CONNECTION_REFUSED"];
            let blamed = person.browser.blamed_for(&excused).await?;
            ensure(blamed.is_empty(), || {
                format!("{}: {blamed:#?}", person.browser.name())
            })?;
        }
        Ok(())
    }
}

async fn fetched(person: &Person, mint: &Mint) -> Outcome<[u64; 2]> {
    let told = person.browser.js(FETCHED, vec![mint.url().into()]).await?;
    Ok(serde_json::from_value(told)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_s_money_is_locked_at_a_mint_and_is_the_seller_s_once_he_has_it() -> Outcome {
    let mut market = Market::locked().await?;
    // Whoever loads the page again finds it locked still.
    for person in [&market.buyer, &market.seller] {
        person.reloads().await?;
    }
    market.both_see("locked").await?;
    for person in [&market.buyer, &market.seller] {
        let offered = tips(person).await?;
        ensure(offered == [0, 0], || {
            format!("{offered:?} tips before it is over")
        })?;
    }

    market.seller.reports("dispatched").await?;
    market.buyer.reports("received").await?;
    market.both_see("released").await?;
    market.adds_up(market.price).await?;

    // Each can look up what has moved, and for which trade.
    market.buyer.sees_moved("deposit", FILLED * 100).await?;
    for (person, why) in [(&market.buyer, "locked"), (&market.seller, "paid")] {
        let line = person.sees_moved(why, market.price).await?;
        ensure(line.contains(&market.title), || line.clone())?;
        let lines = "return document.querySelectorAll(arguments[0]).length";
        let all = person.browser.js(lines, vec![named("moved").into()]);
        let expected = if why == "locked" { 2 } else { 1 };
        let all = all.await?;
        ensure(all == expected, || format!("{all} lines"))?;
        person.clicks("moved-for").await?;
        let there = "return document.activeElement?.matches('[data-test=\"trade-card\"]')";
        person
            .browser
            .until("the trade has the keyboard", SOON, there, vec![])
            .await?;
    }
    let told = a_tip_is_taken_once(market).await;
    told.map_err(|trouble| trouble.while_doing("a tip"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mint_that_is_away_is_said_to_be_and_a_cancel_gives_everything_back() -> Outcome {
    let mut market = Market::ordered().await?;
    market.mint.kill()?;
    market.seller.confirms().await?;
    let unknown = "[data-test=\"escrow-panel\"][data-trouble=\"unknown\"]";
    market.buyer.goes_to("trades").await?;
    market.buyer.browser.see(unknown, SURELY).await?;
    // Nobody sends anything for money that is not there.
    market.seller.goes_to("trades").await?;
    market.seller.clicks("step-dispatched").await?;
    market.seller.clicks("step-send").await?;
    let refused = format!("{}:not(:empty)", named("form-fault"));
    market.seller.browser.see(&refused, SOON).await?;

    market.mint.start_again()?;
    market.buyer.asks_the_mint_again().await?;
    market.both_see("locked").await?;
    market.buyer.cancels().await?;
    market.both_see("refunded").await?;
    market.adds_up(0).await
}

/// A tip, in cents.
const TIP: u64 = 250;

/// The file in which it came.
const CAME: &str = "[data-test=\"trade-card\"] [data-test=\"tip-file\"][data-mine=\"false\"]";

/// What a page shows of tips: how many can be given, and how many of them somebody has opened.
const TIPS: &str = "
    const tips = [...document.querySelectorAll('[data-test=\"tip\"]')];
    return [tips.length, tips.filter(tip => tip.open || tip.children.length > 1).length]";

async fn tips(person: &Person) -> Outcome<[u64; 2]> {
    Ok(serde_json::from_value(
        person.browser.js(TIPS, vec![]).await?,
    )?)
}

/// What a page says is wrong with taking a tip.
async fn refused(person: &Person, told: &[&str]) -> Outcome {
    let fault = format!("{CAME} {}:not(:empty)", named("form-fault"));
    person.browser.read(&fault, told, SURELY).await.map(drop)
}

/// Whoever is thankful gives a tip, which is taken once; nobody else is asked for one.
async fn a_tip_is_taken_once(mut market: Market) -> Outcome {
    let (buyer, seller) = (&market.buyer, &market.seller);
    buyer.tips("seller", TIP, "Well packed, thank you!").await?;
    let given = format!("[data-test=\"tip-given\"][data-minor=\"{TIP}\"][data-waits=\"true\"]");
    buyer.browser.see(&given, SURELY).await?;

    // It is his to take, and until then it is a tip by somebody's word.
    seller.goes_to("trades").await?;
    let here = format!("{CAME}[data-state=\"here\"]");
    let shown = seller.browser.see(&here, SURELY).await?;
    ensure(!shown.contains(|c: char| c.is_ascii_digit()), || {
        format!("a sum before its mint was asked: {shown}")
    })?;
    // A mint that he names no more is not asked, whatever came from there.
    seller.opens_his_purse().await?;
    seller.clicks("mint-remove").await?;
    seller.browser.see(&named("toast"), SOON).await?;
    seller.goes_to("trades").await?;
    seller.takes_a_tip(CAME).await?;
    let host = market.mint.url().replace("http://", "");
    refused(seller, &["You have not named", &host]).await?;
    seller.trusts(&market.mint.url()).await?;
    seller.goes_to("trades").await?;
    seller.takes_a_tip(CAME).await?;
    let came = format!("{CAME} [data-test=\"tip-came\"][data-minor=\"{TIP}\"]");
    seller.browser.read(&came, &["2.50", &host], SURELY).await?;

    // Its giver hears of it when he asks that mint again, and all of it adds up.
    buyer.reloads().await?;
    buyer.goes_to("trades").await?;
    let gone = given.replace("true", "false");
    buyer.browser.see(&gone, SURELY).await?;
    for person in [buyer, seller] {
        let offered = tips(person).await?;
        ensure(offered == [1, 0], || {
            format!("{}: {offered:?} of tips", person.browser.name())
        })?;
    }
    market.adds_up(market.price + TIP).await?;

    // The same text once more is worth nothing.
    let (buyer, seller) = (&market.buyer, &market.seller);
    seller.reloads().await?;
    seller.goes_to("trades").await?;
    let removed = format!("{CAME}[data-state=\"removed\"]");
    seller.browser.see(&removed, SURELY).await?;
    seller.takes_a_tip(CAME).await?;
    refused(seller, &["Somebody has taken this money already."]).await?;
    seller.holds(market.price + TIP).await?;

    // What cannot be said is not given: so much waits for one who is away that no more goes with it.
    seller.browser.goto("about:blank").await?;
    buyer.talks().await?;
    for line in 0..8 {
        buyer
            .types("chat-text", &format!("Still there? ({line})"))
            .await?;
        buyer.clicks("chat-send").await?;
        let said = format!("[data-test=\"chat\"][data-lines=\"{}\"]", line + 2);
        buyer.browser.see(&said, SOON).await?;
    }
    buyer.tips("seller", TIP, "").await?;
    let told = ["back in your purse", "Eight messages wait"];
    buyer
        .browser
        .read(&named("tip-not-sent"), &told, SURELY)
        .await?;
    let lines = buyer.browser.count(&named("tip-file")).await?;
    ensure(lines == 1, || format!("{lines} tips were said"))?;
    buyer.holds(FILLED * 100 - market.price - TIP).await?;
    market.mint.has_out(FILLED * 100)
}
