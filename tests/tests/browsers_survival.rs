//! A trade in real browsers whose pages or whole processes are ended right after a step of it was reached, on either side. It goes on to its
//! receipt as if nothing had happened: at each step of one trade, and, a trade for each, at every single one.
//!
//! `HAGGLE_ENDS` says which of the single ends are lived: all of them by `cargo xtask prove ends`, a few in the test command.

use std::env;
use std::sync::Arc;

use haggle_protocol::quote::Quality;
use haggle_tests::browser::Driver;
use haggle_tests::data::Computers;
use haggle_tests::person::{Person, SURELY, Terms, named};
use haggle_tests::relay::Relay;
use haggle_tests::{Outcome, ensure, place};
use serde_json::Value;

const TERMS: Terms = Terms {
    quality: Quality::Fine,
    days: 2,
    stock: 1,
};

/// What is reached in a trade, and by whom: each in turn, when its side learns of it.
const STEPS: [(&str, &str); 20] = [
    ("buyer", "published"),
    ("seller", "answered"),
    ("buyer", "quoted"),
    ("buyer", "haggled"),
    ("seller", "heard the counter"),
    ("seller", "met the counter"),
    ("buyer", "met"),
    ("buyer", "ordered"),
    ("seller", "ordered"),
    ("seller", "confirmed"),
    ("buyer", "confirmed, and who"),
    ("seller", "confirmed, and who"),
    ("buyer", "paid"),
    ("seller", "paid"),
    ("seller", "dispatched"),
    ("buyer", "dispatched"),
    ("seller", "delivered by the code"),
    ("buyer", "delivered by the code"),
    ("buyer", "received"),
    ("seller", "received"),
];

/// How somebody's page ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// It is loaded again.
    Page,
    /// The browser's process is killed, and started again on the same profile.
    Process,
}

/// At which steps somebody's page ends.
#[derive(Clone, Copy, Debug)]
enum Ends {
    Never,
    At(usize, End),
    Everywhere(End),
}

/// What becomes of whoever has just reached a step.
struct Fate {
    driver: Arc<Driver>,
    page: String,
    ends: Ends,
    /// How many steps were reached.
    reached: usize,
}

impl Fate {
    /// Somebody reached a step. Ends his page if it is time, and lets him begin again with what was saved.
    async fn strikes(&mut self, person: Person, what: &str) -> Outcome<Person> {
        let step = self.reached;
        self.reached += 1;
        let name = person.browser.name().to_owned();
        ensure(STEPS.get(step) == Some(&(&*name, what)), || {
            format!("{name} {what} is not step {step}")
        })?;
        match self.ends {
            Ends::Everywhere(end) => self.ends_it(person, end).await,
            Ends::At(at, end) if at == step => self.ends_it(person, end).await,
            Ends::At(..) | Ends::Never => Ok(person),
        }
    }

    async fn ends_it(&self, person: Person, end: End) -> Outcome<Person> {
        match end {
            End::Page => {
                person.reloads().await?;
                Ok(person)
            }
            End::Process => {
                let name = person.browser.name().to_owned();
                let home = person.browser.crash()?;
                let browser = self.driver.open_at(&name, home).await?;
                Person::sits_down(browser, &self.page).await
            }
        }
    }
}

/// What somebody's screen says of his trades in the end: role, state, price, other side, steps.
async fn told(person: &Person) -> Outcome<Value> {
    let script = "
        const texts = (element, selector) => [...element.querySelectorAll(selector)].map(it => it.textContent.trim());
        return [...document.querySelectorAll(arguments[0])].map(trade => [
            trade.dataset.role, trade.dataset.state, texts(trade, '.quote-total'), texts(trade, arguments[1]),
            [...trade.querySelectorAll(arguments[2])].map(step => [step.dataset.step, step.dataset.delivered])]);";
    let arguments = ["trade-card", "contact-name", "trade-step"].map(|name| named(name).into());
    person.browser.js(script, arguments.into()).await
}

/// Lives a trade from the request to the receipt, and tells how it ended for the buyer and for the seller.
async fn trade(ends: Ends) -> Outcome<[Value; 2]> {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;
    let page = relay.url();
    let mut seller = Person::arrives(&driver, &page, "seller").await?;
    seller.offers(&scene.dearer, TERMS).await?;
    seller
        .introduces_himself("Vera Verkauf", "+1 555 0100")
        .await?;
    seller.answers_by_rule("indicative").await?;
    let mut buyer = Person::arrives(&driver, &page, "buyer").await?;
    buyer.introduces_himself("Karl Kauf", "+1 555 0199").await?;
    let mut fate = Fate {
        driver,
        page,
        ends,
        reached: 0,
    };

    // Published, answered, quoted.
    buyer.drafts(&scene.want).await?;
    let intent = buyer.publishes().await?;
    buyer = fate.strikes(buyer, "published").await?;
    seller.goes_to("market").await?;
    let answered = format!("[data-intent=\"{intent}\"] {}", named("my-answer"));
    seller.browser.see(&answered, SURELY).await?;
    seller = fate.strikes(seller, "answered").await?;
    buyer.goes_to("requests").await?;
    buyer.is_quoted(&intent, 1, SURELY).await?;
    buyer = fate.strikes(buyer, "quoted").await?;

    // A counter, heard and met.
    let less = scene.dearer.price - 5;
    let card = format!("[data-intent=\"{intent}\"] {}", named("quote-card"));
    buyer.haggles(&intent, 1, &less.to_string()).await?;
    buyer = fate.strikes(buyer, "haggled").await?;
    seller.goes_to("market").await?;
    seller.browser.see(&named("their-counter"), SURELY).await?;
    seller = fate.strikes(seller, "heard the counter").await?;
    seller.meets(&intent, less * 100).await?;
    seller = fate.strikes(seller, "met the counter").await?;
    buyer.goes_to("requests").await?;
    let met = format!("{card}[data-total=\"{}\"]", less * 100);
    buyer.browser.see(&met, SURELY).await?;
    buyer = fate.strikes(buyer, "met").await?;

    // Ordered, heard of, confirmed; who and where.
    buyer.accepts(&intent, 1).await?;
    buyer = fate.strikes(buyer, "ordered").await?;
    seller.goes_to("trades").await?;
    seller.browser.see(&named("order-card"), SURELY).await?;
    seller = fate.strikes(seller, "ordered").await?;
    seller.confirms().await?;
    seller.browser.see(&named("trade-card"), SURELY).await?;
    seller = fate.strikes(seller, "confirmed").await?;
    buyer.knows("Vera Verkauf").await?;
    buyer = fate.strikes(buyer, "confirmed, and who").await?;
    seller.knows("Karl Kauf").await?;
    seller = fate.strikes(seller, "confirmed, and who").await?;

    // Paid, sent, handed over by the buyer's code, received; each said by one and then known to the other.
    buyer.says("paid").await?;
    buyer = fate.strikes(buyer, "paid").await?;
    seller.sees_step("paid").await?;
    seller = fate.strikes(seller, "paid").await?;
    seller.says("dispatched").await?;
    seller = fate.strikes(seller, "dispatched").await?;
    buyer.sees_step("dispatched").await?;
    buyer = fate.strikes(buyer, "dispatched").await?;
    buyer.goes_to("trades").await?;
    let code = buyer.browser.see(&named("handover-code"), SURELY).await?;
    seller.delivers(&code).await?;
    seller = fate.strikes(seller, "delivered by the code").await?;
    buyer.sees_step("delivered").await?;
    buyer = fate.strikes(buyer, "delivered by the code").await?;
    buyer.says("received").await?;
    buyer = fate.strikes(buyer, "received").await?;
    seller.sees_trade("received").await?;
    seller = fate.strikes(seller, "received").await?;

    // Each step is known to both, and nothing went wrong on the way.
    let known = format!("{}[data-delivered=\"true\"]", named("trade-step"));
    for person in [&buyer, &seller] {
        person.sees_trade("received").await?;
        let name = person.browser.name();
        let all = "return document.querySelectorAll(arguments[0]).length === 4";
        let arguments = vec![known.clone().into()];
        person
            .browser
            .until("four steps that both know", SURELY, all, arguments)
            .await?;
        let blamed = person.browser.blamed_for(&[]).await?;
        ensure(blamed.is_empty(), || format!("{name}: {blamed:#?}"))?;
    }
    ensure(fate.reached == STEPS.len(), || {
        format!("{} steps were reached", fate.reached)
    })?;
    Ok([told(&buyer).await?, told(&seller).await?])
}

/// A trade whose pages end everywhere comes out as one that nothing disturbs.
async fn goes_on(end: End) -> Outcome {
    let [buyer, seller] = trade(Ends::Everywhere(end)).await?;
    for (told, role, other) in [
        (buyer, "buyer", "Vera Verkauf"),
        (seller, "seller", "Karl Kauf"),
    ] {
        let one = told.as_array().is_some_and(|trades| trades.len() == 1);
        let text = told.to_string();
        let right = [role, "received", other]
            .iter()
            .all(|word| text.contains(word));
        ensure(one && right, || format!("the {role} is told {text}"))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_goes_on_to_its_receipt_though_every_page_is_reloaded_at_every_step() -> Outcome {
    goes_on(End::Page).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_goes_on_to_its_receipt_though_every_browser_is_killed_at_every_step() -> Outcome {
    goes_on(End::Process).await
}

/// Whether every run lives this single end: a seller whose page was loaded again when he had confirmed, and a buyer who was killed when he had
/// ordered.
fn is_sample(step: (&str, &str), end: End) -> bool {
    matches!(
        (step, end),
        (("seller", "confirmed"), End::Page) | (("buyer", "ordered"), End::Process)
    )
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the table is read with --nocapture")]
async fn a_trade_that_is_cut_once_comes_out_as_one_that_is_not_wherever_it_is_cut() -> Outcome {
    let every = env::var("HAGGLE_ENDS").is_ok_and(|which| which == "all");
    let undisturbed = trade(Ends::Never).await?;
    println!("undisturbed: {undisturbed:?}");
    println!("| who | has just learned of | end | outcome |");
    println!("|---|---|---|---|");
    let (mut lived, mut wrong) = (0, 0);
    let steps = STEPS.iter().enumerate();
    let all = [End::Page, End::Process].map(|end| steps.clone().map(move |step| (step, end)));
    for ((step, named), end) in all.into_iter().flatten() {
        if !every && !is_sample(*named, end) {
            continue;
        }
        let (who, what) = named;
        let outcome = match trade(Ends::At(step, end)).await {
            Ok(told) if told == undisturbed => "the same".to_owned(),
            Ok(told) => format!("another: {told:?}"),
            Err(trouble) => format!("none: {trouble}"),
        };
        lived += 1;
        wrong += usize::from(outcome != "the same");
        println!("| {who} | {what} | {end:?} | {outcome} |");
    }
    println!("{lived} trades were cut once, {wrong} came out otherwise");
    ensure(lived >= 2 && wrong == 0, || {
        format!("{wrong} of {lived} trades came out otherwise")
    })
}
