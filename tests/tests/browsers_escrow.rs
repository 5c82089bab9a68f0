//! Each way in which locked money can end, at the page: a buyer, a seller and whom both chose to decide, each in a browser of his own. One
//! after the other it is released, shared out by agreement, shared out by a ruling while one of the two is away, held by the seller by a
//! ruling and shared out by a second one, and then two trades are left to their deadlines: one that was sent by somebody who is not heard
//! any more, and one about which nobody did anything. The weeks until then pass between two starts.
//!
//! All of it once at a mint that the pages ask by HTTP, and once at one that only their relay can reach, asked over the connection that
//! they have with that. In every case all purses and the mint's own books agree to the cent.

use std::sync::Arc;
use std::time::Duration;

use haggle_protocol::quote::Quality;
use haggle_tests::browser::Driver;
use haggle_tests::data::{Advertisement, Computers};
use haggle_tests::mint::Mint;
use haggle_tests::person::{Person, SOON, SURELY, Terms, named};
use haggle_tests::relay::Relay;
use haggle_tests::{Outcome, ensure, place};

/// Whole dollars in the buyer's purse: more than five computers of that data cost.
const FILLED: u64 = 20_000;

const TERMS: Terms = Terms {
    quality: Quality::Fine,
    days: 2,
    stock: 10,
};

/// What passes before those who are left come back: more than the two days of the quote and the two weeks that a buyer gives a seller to send
/// it, and than the two weeks that a seller gives a buyer to object.
const LATER: Duration = Duration::from_secs(17 * 24 * 60 * 60);

/// Whoever decides takes so much of it, in per cent.
const FEE: u64 = 2;

const CASE: &str = "[data-test=\"case-card\"]";
const ESCROW: &str = "[data-test=\"escrow-panel\"]";

/// What a page has fetched of whoever's address contains one of these.
const ASKED: &str = "
    const asked = performance.getEntriesByType('resource').map(one => one.name);
    return asked.filter(name => [...arguments].some(part => name.includes(part)))";

/// How many trades there are whose money has come to this.
const TRADES: &str = "
    const panel = `[data-test=\"escrow-panel\"][data-state=\"${arguments[0]}\"]`;
    return document.querySelectorAll(`[data-test=\"trade-card\"]:has(${panel})`).length === arguments[1]";

/// How pages reach the mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Http,
    Relay,
}

/// Three people, a relay and a mint.
struct Three {
    relay: Relay,
    mint: Mint,
    /// Its name.
    keeper: String,
    want: Advertisement,
    arbiter: Person,
    seller: Person,
    buyer: Person,
    intents: Vec<String>,
    /// In cents, as everything that is counted here.
    price: u64,
    /// What is the seller's and the arbiter's so far.
    earned: [u64; 2],
}

impl Three {
    async fn meet(driver: &Arc<Driver>, way: Way) -> Outcome<Self> {
        let scene = Computers::load()?.scene()?;
        let mint = Mint::start()?;
        let (relay, keeper) = match way {
            Way::Http => (Relay::start(Some(&place::site()?), &[])?, mint.url()),
            Way::Relay => {
                let config = format!("mint = {:?}\n", mint.url());
                let relay = Relay::with_config(Some(&place::site()?), &config)?;
                let name = relay.mint()?.name().to_owned();
                (relay, name)
            }
        };
        let page = relay.url();
        let arbiter = Person::arrives(driver, &page, "arbiter").await?;
        arbiter
            .offers_to_decide("I decide about computers", &FEE.to_string(), 1)
            .await?;
        let seller = Person::arrives(driver, &page, "seller").await?;
        seller
            .sells_through_escrow(&scene.cheap, TERMS, &keeper)
            .await?;
        seller.takes_an_arbiter().await?;
        seller.answers_by_rule("indicative").await?;
        let buyer = Person::arrives(driver, &page, "buyer").await?;
        buyer.comes_with_money(&keeper, FILLED).await?;
        Ok(Self {
            relay,
            mint,
            keeper,
            price: scene.cheap.price * 100,
            want: scene.want,
            arbiter,
            seller,
            buyer,
            intents: Vec::new(),
            earned: [0, 0],
        })
    }

    /// The buyer orders once more, and his money is locked; then so many locks stand.
    async fn locks(&mut self, with_arbiter: bool, stand: u64) -> Outcome {
        let buyer = &self.buyer;
        buyer.drafts(&self.want).await?;
        let intent = buyer.publishes_beside(&self.intents).await?;
        buyer.is_quoted(&intent, 1, SURELY).await?;
        if with_arbiter {
            buyer.accepts_under_an_arbiter(&intent).await?;
        } else {
            buyer.accepts_through_escrow(&intent).await?;
        }
        self.intents.push(intent);
        self.seller.confirms().await?;
        self.both_see("locked", stand).await
    }

    async fn both_see(&self, state: &str, trades: u64) -> Outcome {
        for person in [&self.buyer, &self.seller] {
            sees(person, state, trades).await?;
        }
        Ok(())
    }

    /// The seller says that he has sent the only thing that is locked, and the lock becomes his.
    async fn sends(&self) -> Outcome {
        let (seller, next) = (&self.seller, locked(&named("escrow-next")));
        seller.goes_to("trades").await?;
        let button = locked(&named("step-dispatched"));
        seller.browser.click(&button, SOON).await?;
        seller.clicks("step-send").await?;
        seller
            .browser
            .read(&next, &["in any case"], SURELY)
            .await
            .map(drop)
    }

    async fn released(&mut self) -> Outcome {
        self.locks(false, 1).await?;
        // Whoever loads the page again is another peer to the relay, and has the same purse and the same trade.
        for person in [&self.buyer, &self.seller] {
            person.reloads().await?;
        }
        self.sends().await?;
        let buyer = &self.buyer;
        buyer.goes_to("trades").await?;
        let button = locked(&named("step-received"));
        buyer.browser.click(&button, SURELY).await?;
        buyer.clicks("step-send").await?;
        self.both_see("released", 1).await?;
        self.earned[0] += self.price;
        self.adds_up().await
    }

    /// Seven tenths to the buyer.
    async fn shared(&mut self) -> Outcome {
        self.locks(false, 1).await?;
        let buyer = self.price / 10 * 7;
        self.seller.would_share(buyer).await?;
        self.buyer.agrees().await?;
        self.both_see("shared", 1).await?;
        self.earned[0] += self.price - buyer;
        self.adds_up().await
    }

    /// Three tenths to the buyer, by a ruling that the seller does not hear of until he is back.
    async fn ruled(&mut self) -> Outcome {
        self.locks(true, 1).await?;
        let (arbiter, seller, buyer) = (&self.arbiter, &self.seller, &self.buyer);
        for person in [buyer, seller] {
            let face = named("escrow-arbiter-face");
            person.browser.see(&face, SURELY).await?;
        }
        seller.browser.goto("about:blank").await?;
        let share = self.price * 3 / 10;
        buyer
            .asks_the_arbiter(share, "A key is missing; I would keep it for less.")
            .await?;
        // Whoever decides has never named this mint, and says himself that it may be asked.
        arbiter.browser.click(&named("case-trust"), SURELY).await?;
        arbiter.sees_a_case("open").await?;
        arbiter.writes(CASE, "Which key is it?").await?;
        buyer.is_told(ESCROW, "Which key is it?").await?;
        let answer = "The one beside the space bar.";
        buyer.writes(ESCROW, answer).await?;
        arbiter.is_told(CASE, answer).await?;
        arbiter
            .decides(share, "It can be used, and is worth less.")
            .await?;

        let fee = self.price * FEE / 100;
        let rest = self.price - share - fee;
        buyer.reads_the_ruling(share, rest).await?;
        sees(buyer, "shared", 2).await?;
        buyer.holds(self.left() - self.price + share).await?;

        seller.comes_back().await?;
        seller.reads_the_ruling(share, rest).await?;
        sees(seller, "shared", 2).await?;
        // His page looks for his fee when it is opened.
        arbiter.reloads().await?;
        self.earned[0] += rest;
        self.earned[1] += fee;
        self.adds_up().await
    }

    /// The seller has sent it to a buyer who does not say so, and holds the lock by the arbiter's word; the buyer comes back, objects, and gets
    /// four tenths by a second one.
    async fn counted_as_sent(&mut self) -> Outcome {
        self.locks(true, 1).await?;
        let (arbiter, seller, buyer) = (&self.arbiter, &self.seller, &self.buyer);
        buyer.browser.goto("about:blank").await?;
        seller.goes_to("trades").await?;
        let button = locked(&named("step-dispatched"));
        seller.browser.click(&button, SOON).await?;
        seller.clicks("step-send").await?;
        seller
            .asks_the_arbiter(0, "It is on its way; he does not answer.")
            .await?;
        arbiter.goes_to_his_cases().await?;
        arbiter.sees_a_case("open").await?;
        arbiter
            .counts_it_as_sent("The parcel's number says so.", 2)
            .await?;
        seller.reads_that_it_counts_as_sent().await?;
        let next = locked(&named("escrow-next"));
        seller.browser.read(&next, &["in any case"], SURELY).await?;

        buyer.comes_back().await?;
        buyer.reads_that_it_counts_as_sent().await?;
        let share = self.price * 4 / 10;
        buyer
            .asks_the_arbiter(share, "It came without a mouse.")
            .await?;
        arbiter.sees_a_case("open").await?;
        arbiter.decides(share, "A mouse costs less.").await?;
        for person in [buyer, seller] {
            sees(person, "shared", 3).await?;
        }
        arbiter.reloads().await?;
        let fee = self.price * FEE / 100;
        self.earned[0] += self.price - share - fee;
        self.earned[1] += fee;
        self.adds_up().await
    }

    /// One trade is sent, and one is not; then nobody is there until both deadlines are over. The seller comes back first.
    async fn left_alone(mut self) -> Outcome<Self> {
        self.locks(false, 1).await?;
        self.sends().await?;
        self.locks(false, 2).await?;
        self.blames_nobody(&[&self.arbiter, &self.seller, &self.buyer])
            .await?;
        let homes = [self.seller.browser.crash()?, self.buyer.browser.crash()?];
        self.mint.start_again_later(LATER)?;
        self.relay.start_again_later(LATER)?;
        let driver = Driver::start_later(LATER)?;
        let [seller, buyer] = homes;
        let page = self.relay.url();
        let seller = driver.open_at("seller", seller).await?;
        self.seller = Person::sits_down(seller, &page).await?;
        sees(&self.seller, "released", 2).await?;
        self.earned[0] += self.price;
        self.seller.holds(self.earned[0]).await?;

        let buyer = driver.open_at("buyer", buyer).await?;
        self.buyer = Person::sits_down(buyer, &page).await?;
        sees(&self.buyer, "refunded", 1).await?;
        sees(&self.buyer, "released", 2).await?;
        // Whom it concerned was told nothing, and asks the mint when his page is opened.
        self.seller.reloads().await?;
        sees(&self.seller, "refunded", 1).await?;
        self.adds_up().await?;
        Ok(self)
    }

    /// What the buyer has left, without what is locked.
    fn left(&self) -> u64 {
        FILLED * 100 - self.earned.iter().sum::<u64>()
    }

    /// Each has what is his, and by the mint's own books nothing was made or lost.
    async fn adds_up(&mut self) -> Outcome {
        self.buyer.holds(self.left()).await?;
        let [seller, arbiter] = self.earned;
        self.seller.holds(seller).await?;
        if arbiter > 0 {
            self.arbiter.holds(arbiter).await?;
        }
        self.mint.has_out(FILLED * 100)
    }

    /// No page can be blamed for anything, nor has one asked by HTTP for what it asks its relay.
    async fn blames_nobody(&self, people: &[&Person]) -> Outcome {
        for person in people {
            let blamed = person.browser.blamed_for(&[]).await?;
            ensure(blamed.is_empty(), || {
                format!("{}: {blamed:#?}", person.browser.name())
            })?;
            if self.keeper != self.mint.url() {
                let hidden = vec![self.mint.url().into(), ".alt".into()];
                let asked = person.browser.js(ASKED, hidden).await?;
                let nobody = asked.as_array().is_some_and(Vec::is_empty);
                ensure(nobody, || format!("{asked} was asked by HTTP"))?;
            }
        }
        Ok(())
    }
}

/// Within the only trade whose money is locked.
fn locked(inside: &str) -> String {
    format!("[data-test=\"trade-card\"]:has({ESCROW}[data-state=\"locked\"]) {inside}")
}

/// Somebody sees so many trades whose money has come to this.
async fn sees(person: &Person, state: &str, trades: u64) -> Outcome {
    person.goes_to("trades").await?;
    let what = format!("{trades} × {state}");
    let arguments = vec![state.into(), trades.into()];
    person
        .browser
        .until(&what, SURELY, TRADES, arguments)
        .await?;
    Ok(())
}

async fn all_ends(way: Way) -> Outcome {
    let driver = Driver::start()?;
    let mut three = Three::meet(&driver, way).await?;
    let told = |trouble: haggle_tests::Trouble, what: &str| trouble.while_doing(what);
    three.released().await.map_err(|it| told(it, "released"))?;
    three.shared().await.map_err(|it| told(it, "shared"))?;
    three.ruled().await.map_err(|it| told(it, "ruled"))?;
    let sent = three.counted_as_sent().await;
    sent.map_err(|it| told(it, "counted as sent"))?;
    let three = three.left_alone().await;
    let three = three.map_err(|it| told(it, "left alone"))?;
    three.blames_nobody(&[&three.seller, &three.buyer]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn locked_money_ends_in_each_of_its_ways_for_three_people_at_the_page() -> Outcome {
    all_ends(Way::Http).await
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_it_happens_at_a_mint_that_only_the_relay_of_the_three_can_reach() -> Outcome {
    all_ends(Way::Relay).await
}
