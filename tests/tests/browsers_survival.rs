//! A trade in real browsers whose pages, and then whose whole processes, are ended at every step of it, on either side, right after that step was
//! reached. It goes on to its receipt as if nothing had happened.

use std::sync::Arc;

use haggle_protocol::quote::Quality;
use haggle_tests::browser::Driver;
use haggle_tests::data::Computers;
use haggle_tests::person::{Person, SURELY, Terms, named};
use haggle_tests::relay::Relay;
use haggle_tests::{Outcome, ensure, place};

const TERMS: Terms = Terms {
    quality: Quality::Fine,
    days: 2,
    stock: 1,
};

/// How many steps there are, counted for each side that learns of one.
const ENDS: u32 = 19;

/// How somebody's page ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// It is loaded again.
    Page,
    /// The browser's process is killed, and started again on the same profile.
    Process,
}

/// Whoever has just reached a step, and how often his page has ended so far.
struct Fate {
    driver: Arc<Driver>,
    page: String,
    end: End,
    ends: u32,
}

impl Fate {
    /// Ends the page of somebody, and lets him begin again with what was saved.
    async fn strikes(&mut self, person: Person) -> Outcome<Person> {
        self.ends += 1;
        match self.end {
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

async fn a_trade_goes_on(end: End) -> Outcome {
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
        end,
        ends: 0,
    };

    // Published, answered, quoted.
    buyer.drafts(&scene.want).await?;
    let intent = buyer.publishes().await?;
    buyer = fate.strikes(buyer).await?;
    seller.goes_to("market").await?;
    let answered = format!("[data-intent=\"{intent}\"] {}", named("my-answer"));
    seller.browser.see(&answered, SURELY).await?;
    seller = fate.strikes(seller).await?;
    buyer.goes_to("requests").await?;
    buyer.is_quoted(&intent, 1, SURELY).await?;
    buyer = fate.strikes(buyer).await?;

    // A counter, heard and met.
    let less = scene.dearer.price - 5;
    let card = format!("[data-intent=\"{intent}\"] {}", named("quote-card"));
    buyer.haggles(&intent, 1, &less.to_string()).await?;
    buyer = fate.strikes(buyer).await?;
    seller.meets(&intent, less * 100).await?;
    seller = fate.strikes(seller).await?;
    buyer.goes_to("requests").await?;
    let met = format!("{card}[data-total=\"{}\"]", less * 100);
    buyer.browser.see(&met, SURELY).await?;
    buyer = fate.strikes(buyer).await?;

    // Ordered, heard of, confirmed; who and where.
    buyer.accepts(&intent, 1).await?;
    buyer = fate.strikes(buyer).await?;
    seller.goes_to("trades").await?;
    seller.browser.see(&named("order-card"), SURELY).await?;
    seller = fate.strikes(seller).await?;
    seller.confirms().await?;
    seller.browser.see(&named("trade-card"), SURELY).await?;
    seller = fate.strikes(seller).await?;
    buyer.knows("Vera Verkauf").await?;
    buyer = fate.strikes(buyer).await?;
    seller.knows("Karl Kauf").await?;
    seller = fate.strikes(seller).await?;

    // Paid, sent, handed over by the buyer's code, received; each said by one and then known to the other.
    buyer.says("paid").await?;
    buyer = fate.strikes(buyer).await?;
    seller.sees_step("paid").await?;
    seller = fate.strikes(seller).await?;
    seller.says("dispatched").await?;
    seller = fate.strikes(seller).await?;
    buyer.sees_step("dispatched").await?;
    buyer = fate.strikes(buyer).await?;
    buyer.goes_to("trades").await?;
    let code = buyer.browser.see(&named("handover-code"), SURELY).await?;
    seller.delivers(&code).await?;
    seller = fate.strikes(seller).await?;
    buyer.sees_step("delivered").await?;
    buyer = fate.strikes(buyer).await?;
    buyer.says("received").await?;
    buyer = fate.strikes(buyer).await?;
    seller.sees_trade("received").await?;
    seller = fate.strikes(seller).await?;

    // The same outcome for both: one trade at the price they met at, with each step once, known to both.
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
        let trades = person.browser.count(&named("trade-card")).await?;
        ensure(trades == 1, || format!("{name} has {trades} trades"))?;
        let blamed = person.browser.blamed_for(&[]).await?;
        ensure(blamed.is_empty(), || format!("{name}: {blamed:#?}"))?;
    }
    ensure(fate.ends == ENDS, || format!("ended {} times", fate.ends))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_goes_on_to_its_receipt_though_every_page_is_reloaded_at_every_step() -> Outcome {
    a_trade_goes_on(End::Page).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_goes_on_to_its_receipt_though_every_browser_is_killed_at_every_step() -> Outcome {
    a_trade_goes_on(End::Process).await
}
