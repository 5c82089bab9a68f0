//! Trades that are paid through escrow in real browsers, one of which is killed at a request to the mint: before the mint has heard it, or
//! after it has answered and before the page hears that. Opened again, the trade goes on to its end, with every cent in its place by both
//! purses and by the mint's own books. And trades whose mint fails at a request by which money moves: it answers late, twice, or with an
//! error, or is gone for an hour.
//!
//! `HAGGLE_MONEY` says which of the requests are lived: all of them by `cargo xtask prove money` (or those of one story, if it names that:
//! `released`, `shared`, `refunded`; or `faults`, those at which the mint fails), a few in the test command.

use std::env;
use std::sync::Arc;
use std::time::Duration;

use haggle_protocol::Side;
use haggle_protocol::quote::Quality;
use haggle_tests::browser::Driver;
use haggle_tests::data::{Advertisement, Computers};
use haggle_tests::gate::{Fault, Gate};
use haggle_tests::mint::Mint;
use haggle_tests::person::{Person, SOON, SURELY, Terms, named};
use haggle_tests::relay::Relay;
use haggle_tests::{Outcome, ensure, place};
use tokio::time::Instant;

/// Whole dollars in the buyer's purse: enough for some fifty computers of that data.
const FILLED: u64 = 90_000;

const TERMS: Terms = Terms {
    quality: Quality::Fine,
    days: 2,
    stock: 1_000,
};

/// How long one step of a trade may take, of which a browser was killed in between: what could not be delivered meanwhile is tried again,
/// and a mint that was not heard is asked again.
const AT_LAST: Duration = Duration::from_secs(120);

/// For how long a mint is gone.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The trade whose money is locked: there is never more than one.
const LOCKED: &str =
    "[data-test=\"trade-card\"]:has([data-test=\"escrow-panel\"][data-state=\"locked\"])";

/// What becomes of the money of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Story {
    /// It is sent and received.
    Released,
    /// The two agree to share it out.
    Shared,
    /// The buyer gives the trade up before it is sent.
    Refunded,
}

/// What somebody at a page does for a trade. Whoever is interrupted looks what is there and does what is not done yet.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// The seller confirms, the buyer's page locks, the seller's checks it.
    Confirm,
    /// The seller says that he sent it, and the lock becomes his.
    Dispatch,
    /// The buyer says that he has it.
    Receive,
    /// The seller proposes how to share it out.
    Propose,
    /// The buyer agrees to that.
    Agree,
    /// The buyer gives it up.
    Cancel,
}

/// At which of the requests of a side its browser is killed, or the mint fails.
#[derive(Clone, Copy, Debug)]
struct Cut {
    story: Story,
    side: Side,
    /// With what those begin that count.
    only: &'static str,
    /// So many of them in a trade have passed before.
    pass: usize,
    fault: Fault,
}

impl Story {
    const ALL: [Self; 3] = [Self::Released, Self::Shared, Self::Refunded];

    /// What is done from the order on. What `Released` begins with, the others begin with too: there they are cut later.
    const fn acts(self) -> &'static [Act] {
        match self {
            Self::Released => &[Act::Confirm, Act::Dispatch, Act::Receive],
            Self::Shared => &[Act::Confirm, Act::Propose, Act::Agree],
            Self::Refunded => &[Act::Confirm, Act::Cancel],
        }
    }

    /// With how many of its acts requests begin to count.
    const fn counts_from(self) -> usize {
        match self {
            Self::Released => 0,
            Self::Shared | Self::Refunded => 1,
        }
    }

    const fn state(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Shared => "shared",
            Self::Refunded => "refunded",
        }
    }

    /// What the seller has of it in the end. Shared, seven tenths are the buyer's.
    const fn earns(self, price: u64) -> u64 {
        match self {
            Self::Released => price,
            Self::Shared => price - shared_with_buyer(price),
            Self::Refunded => 0,
        }
    }
}

const fn shared_with_buyer(price: u64) -> u64 {
    price / 10 * 7
}

/// Two people, each at a page of an origin of his own, and a mint behind a gate.
struct Market {
    driver: Arc<Driver>,
    relay: Relay,
    gate: Gate,
    mint: Mint,
    want: Advertisement,
    /// In cents, as everything that is counted here.
    price: u64,
    seller: Person,
    buyer: Person,
    intents: Vec<String>,
    /// How each trade ended so far.
    ended: Vec<Story>,
    earned: u64,
    /// What its browsers have said of what was to happen: no page is blamed for that.
    excused: Vec<&'static str>,
}

/// The page of a side. To a browser the two are of different origins.
fn page(relay: &Relay, side: Side) -> String {
    match side {
        Side::Buyer => relay.url(),
        Side::Seller => relay.url().replace("127.0.0.1", "localhost"),
    }
}

impl Market {
    async fn opens() -> Outcome<Self> {
        let scene = Computers::load()?.scene()?;
        let driver = Driver::start()?;
        let relay = Relay::start(Some(&place::site()?), &[])?;
        let mint = Mint::start()?;
        let gate = Gate::before(&mint.url())?;

        let seller = Person::arrives(&driver, &page(&relay, Side::Seller), "seller").await?;
        seller
            .sells_through_escrow(&scene.cheap, TERMS, &gate.url())
            .await?;
        seller.answers_by_rule("indicative").await?;

        let buyer = Person::arrives(&driver, &page(&relay, Side::Buyer), "buyer").await?;
        buyer.comes_with_money(&gate.url(), FILLED).await?;
        Ok(Self {
            driver,
            relay,
            gate,
            mint,
            price: scene.cheap.price * 100,
            want: scene.want,
            seller,
            buyer,
            intents: Vec::new(),
            ended: Vec::new(),
            earned: 0,
            excused: vec![REPEATED],
        })
    }

    /// Whether one more trade can be paid.
    const fn goes_on(&self) -> bool {
        self.earned + self.price <= FILLED * 100
    }

    /// The buyer asks, is quoted, and orders, to be paid through escrow.
    async fn orders(&mut self) -> Outcome {
        let buyer = &self.buyer;
        buyer.drafts(&self.want).await?;
        let intent = buyer.publishes_beside(&self.intents).await?;
        buyer.is_quoted(&intent, 1, SURELY).await?;
        buyer.accepts_through_escrow(&intent).await?;
        self.intents.push(intent);
        Ok(())
    }

    /// Lives a trade, with a browser killed where the cut says. Gives the market back with the act and the request at which it was;
    /// none if there was no such request.
    async fn lives(mut self, cut: Cut) -> Outcome<(Self, Option<(Act, String)>)> {
        let story = cut.story;
        self.orders().await?;
        let mut met = None;
        for (at, act) in story.acts().iter().enumerate() {
            if at == story.counts_from() {
                let page = page(&self.relay, cut.side);
                self.gate.set(&page, cut.only, cut.pass, cut.fault);
            }
            loop {
                tokio::select! {
                    request = self.gate.closes() => met = Some((*act, request)),
                    done = self.does(*act) => {
                        done.map_err(|trouble| trouble.while_doing(&format!("{act:?}")))?;
                        break;
                    }
                }
                if cut.fault == Fault::Gone {
                    self.an_hour_passes(cut.side).await?;
                } else {
                    self = self.kills(cut.side).await?;
                }
            }
            met = met.or_else(|| Some((*act, self.gate.struck()?)));
        }
        self.gate.open();
        self.ended.push(story);
        self.earned += story.earns(self.price);
        self.adds_up(cut.fault).await?;
        Ok((self, met))
    }

    /// Nobody is at the mint, somebody is told so, and an hour later it is back.
    async fn an_hour_passes(&self, side: Side) -> Outcome {
        let person = match side {
            Side::Buyer => &self.buyer,
            Side::Seller => &self.seller,
        };
        let unknown = format!("{}[data-trouble=\"unknown\"]", named("escrow-panel"));
        sees(person, &unknown).await?;
        for person in [&self.buyer, &self.seller] {
            person.browser.sets_ahead(HOUR).await?;
        }
        self.gate.open();
        Ok(())
    }

    /// Somebody's browser is killed, and opened again on what it left.
    async fn kills(mut self, side: Side) -> Outcome<Self> {
        let page = page(&self.relay, side);
        let again = async |driver: &Arc<Driver>, gate: &Gate, person: Person| {
            let name = person.browser.name().to_owned();
            let home = person.browser.crash()?;
            gate.open();
            Person::sits_down(driver.open_at(&name, home).await?, &page).await
        };
        match side {
            Side::Buyer => self.buyer = again(&self.driver, &self.gate, self.buyer).await?,
            Side::Seller => self.seller = again(&self.driver, &self.gate, self.seller).await?,
        }
        Ok(self)
    }

    async fn does(&self, act: Act) -> Outcome {
        let (buyer, seller) = (&self.buyer, &self.seller);
        let locked = |inside: &str| format!("{LOCKED} {inside}");
        match act {
            Act::Confirm => {
                let begun = named("escrow-panel");
                let begun =
                    ["planned", "locking", "locked"].map(|it| format!("{begun}[data-state={it}]"));
                let button = named("confirm-order");
                if has_still_to(seller, &button, &begun.join(",")).await? {
                    seller.clicks("confirm-order").await?;
                }
                for person in [buyer, seller] {
                    sees(person, &locked(&named("escrow-next"))).await?;
                }
                Ok(())
            }
            Act::Dispatch => {
                let said = locked("[data-step=\"dispatched\"]");
                let button = locked(&named("step-dispatched"));
                if has_still_to(seller, &button, &said).await? {
                    seller.browser.click(&button, SOON).await?;
                    seller.clicks("step-send").await?;
                    sees(seller, &said).await?;
                }
                let next = locked(&named("escrow-next"));
                for (person, says) in [
                    (seller, "in any case"),
                    (buyer, "The seller has said that he sent it"),
                ] {
                    person.goes_to("trades").await?;
                    person.browser.read(&next, &[says], AT_LAST).await?;
                }
                Ok(())
            }
            Act::Receive => {
                let said = format!(
                    "{},{}",
                    locked("[data-step=\"received\"]"),
                    self.ended_as(Story::Released)
                );
                let button = locked(&named("step-received"));
                if has_still_to(buyer, &button, &said).await? {
                    buyer.browser.click(&button, SOON).await?;
                    buyer.clicks("step-send").await?;
                }
                self.both_see_the_end(Story::Released).await
            }
            Act::Propose => {
                let offered = locked(&named("escrow-offer"));
                if has_still_to(seller, &locked(&named("share")), &offered).await? {
                    seller.would_share(shared_with_buyer(self.price)).await?;
                }
                Ok(())
            }
            Act::Agree => {
                let shared = self.ended_as(Story::Shared);
                let button = locked(&named("escrow-agree"));
                let offered = locked(&named("escrow-offer"));
                let agreed = format!("{offered}:not(:has({}))", named("escrow-agree"));
                if has_still_to(buyer, &button, &format!("{agreed},{shared}")).await? {
                    buyer.browser.click(&button, SOON).await?;
                }
                self.both_see_the_end(Story::Shared).await
            }
            Act::Cancel => {
                let refunded = self.ended_as(Story::Refunded);
                let cancelled = format!(
                    "{LOCKED}[data-state=\"cancelled\"],{LOCKED}:has({})",
                    named("cancel-told")
                );
                let button = locked(&named("cancel-trade"));
                if has_still_to(buyer, &button, &format!("{cancelled},{refunded}")).await? {
                    buyer.browser.click(&button, SOON).await?;
                    buyer.clicks("cancel-send").await?;
                }
                self.both_see_the_end(Story::Refunded).await
            }
        }
    }

    /// What fits once the trade that is under way has come to this end: one more than did before.
    fn ended_as(&self, story: Story) -> String {
        let before = self.ended.iter().filter(|it| **it == story).count();
        let state = story.state();
        let one = format!(
            "[data-test=\"trade-card\"]:has([data-test=\"escrow-panel\"][data-state=\"{state}\"])"
        );
        vec![one; before + 1].join("~")
    }

    async fn both_see_the_end(&self, story: Story) -> Outcome {
        for person in [&self.buyer, &self.seller] {
            sees(person, &self.ended_as(story)).await?;
        }
        Ok(())
    }

    /// Each has what is his, by the mint's own books nothing was made or lost, and no page can be blamed for anything.
    async fn adds_up(&mut self, fault: Fault) -> Outcome {
        let filled = FILLED * 100;
        self.buyer.holds(filled - self.earned).await?;
        if self.earned > 0 {
            self.seller.holds(self.earned).await?;
        }
        self.mint.has_out(filled)?;
        self.excused.extend(told_of(fault));
        for person in [&self.buyer, &self.seller] {
            let blamed = person.browser.blamed_for(&self.excused).await?;
            ensure(blamed.is_empty(), || {
                format!("{} is blamed: {blamed:?}", person.browser.name())
            })?;
        }
        Ok(())
    }
}

/// Whether somebody can do what a button offers; not if he sees that it is done.
async fn has_still_to(person: &Person, button: &str, done: &str) -> Outcome<bool> {
    person.goes_to("trades").await?;
    let look = "const seen = selector => [...document.querySelectorAll(selector)].some(it => it.checkVisibility());
        return seen(arguments[1]) ? 'done' : seen(arguments[0]) && 'open'";
    let arguments = vec![button.into(), done.into()];
    let found = person
        .browser
        .until(button, AT_LAST, look, arguments)
        .await?;
    Ok(found == "open")
}

/// Sees something among his trades.
async fn sees(person: &Person, selector: &str) -> Outcome {
    person.goes_to("trades").await?;
    person.browser.see(selector, AT_LAST).await.map(drop)
}

/// What a browser itself says of a mint that fails so.
const fn told_of(fault: Fault) -> Option<&'static str> {
    match fault {
        Fault::ErrorBefore | Fault::ErrorAfter => {
            Some("/v1/swap - Failed to load resource: the server responded with a status of 500")
        }
        Fault::Gone => Some("net::ERR_EMPTY_RESPONSE"),
        Fault::HeldBefore | Fault::HeldAfter | Fault::Late | Fault::Twice => None,
    }
}

/// What a browser itself says of a refusal to do twice what was done. Whoever has not heard that his part was brought in asks for that once more;
/// the mint refuses, and then says what it has signed.
const REPEATED: &str =
    "/v1/swap - Failed to load resource: the server responded with a status of 400";

/// The request by which money moves.
const SWAP: &str = "POST /v1/swap";

/// What every run lives: killed while the money is locked, becomes the seller's, is brought in by him, and is shared out; and a mint that
/// says twice that it is locked, answers the seller with an error, and is gone for an hour when the money comes back.
const SAMPLE: [Cut; 7] = [
    swap(Story::Released, Side::Buyer, 0, Fault::HeldAfter),
    swap(Story::Released, Side::Buyer, 1, Fault::HeldBefore),
    swap(Story::Released, Side::Seller, 1, Fault::HeldAfter),
    swap(Story::Shared, Side::Buyer, 0, Fault::HeldAfter),
    swap(Story::Released, Side::Buyer, 0, Fault::Twice),
    swap(Story::Released, Side::Seller, 1, Fault::ErrorAfter),
    swap(Story::Refunded, Side::Buyer, 0, Fault::Gone),
];

const fn swap(story: Story, side: Side, pass: usize, fault: Fault) -> Cut {
    Cut {
        story,
        side,
        only: SWAP,
        pass,
        fault,
    }
}

/// Trades that were cut, each a line of the table.
#[derive(Default)]
struct Table {
    market: Option<Market>,
    lived: usize,
    wrong: Vec<String>,
}

impl Table {
    /// Lives one trade with a cut; says whether there was such a request.
    #[allow(clippy::print_stdout, reason = "the table is read with --nocapture")]
    async fn lives(&mut self, cut: Cut) -> bool {
        let Cut {
            story,
            side,
            pass,
            fault,
            ..
        } = cut;
        let began = Instant::now();
        let outcome = async {
            let market = match self.market.take().filter(Market::goes_on) {
                Some(market) => market,
                None => Market::opens().await?,
            };
            market.lives(cut).await
        };
        let (met, told) = match outcome.await {
            Ok((market, met)) => {
                // Where an hour has passed it is no hour earlier again.
                self.market = Some(market).filter(|_| fault != Fault::Gone);
                let met = met.map(|(act, request)| format!("{act:?}: {request}"));
                (met, "ok".to_owned())
            }
            Err(trouble) => {
                self.wrong.push(format!("{cut:?}: {trouble:?}"));
                let text = trouble.to_string();
                let first = text.lines().next().unwrap_or_default().to_owned();
                (Some("?".to_owned()), first)
            }
        };
        let Some(request) = met else {
            println!("| {story:?} | {side:?} | {pass} and no more | | | {told} |");
            return false;
        };
        self.lived += 1;
        let took = began.elapsed().as_secs();
        println!(
            "| {story:?} | {side:?} | {} | {request} | {fault:?} | {told} | {took} s |",
            pass + 1
        );
        true
    }
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the table is read with --nocapture")]
async fn whoever_is_killed_at_a_request_to_the_mint_or_whose_mint_fails_there_loses_and_wins_nothing()
-> Outcome {
    let which = env::var("HAGGLE_MONEY").unwrap_or_default();
    let mut stories = Story::ALL.to_vec();
    stories.retain(|story| which == "all" || which == story.state());
    let mut table = Table::default();
    println!("| trade | whose request | number | at | what happens | outcome | time |");
    println!("|---|---|---|---|---|---|---|");
    for story in &stories {
        for side in [Side::Buyer, Side::Seller] {
            table.all_of(*story, side, "", &Fault::HELD).await;
        }
    }
    let faults = which == "all" || which == "faults";
    for story in Story::ALL.into_iter().filter(|_| faults) {
        for side in [Side::Buyer, Side::Seller] {
            table.all_of(story, side, SWAP, &Fault::SERVER).await;
        }
    }
    if stories.is_empty() && !faults {
        for cut in SAMPLE {
            if !table.lives(cut).await {
                table
                    .wrong
                    .push(format!("{cut:?}: there is no such request any more"));
            }
        }
    }
    let Table { lived, wrong, .. } = table;
    println!("{lived} trades were cut, {} went wrong", wrong.len());
    ensure(lived >= SAMPLE.len() && wrong.is_empty(), || {
        wrong.join("\n")
    })
}

/// More requests than one side has in a trade.
const ENOUGH: usize = 60;

impl Table {
    /// Lives a trade with each of these at each of the requests of a side that begin so, until one goes through with fewer.
    async fn all_of(&mut self, story: Story, side: Side, only: &'static str, faults: &[Fault]) {
        for pass in 0..ENOUGH {
            for &fault in faults {
                let cut = Cut {
                    story,
                    side,
                    only,
                    pass,
                    fault,
                };
                if !self.lives(cut).await {
                    return;
                }
            }
        }
        self.wrong
            .push(format!("{story:?}, {side:?}: more than {ENOUGH} requests"));
    }
}
