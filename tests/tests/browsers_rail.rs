//! Each way in which locked money can end, in three browsers: a buyer, a seller and whom both chose to decide. Each has the program that
//! the page loads for money, the mint is a real one over HTTP, and in every case all purses and its own books agree to the cent.
//!
//! The programs are asked by themselves here, with deadlines of seconds; what the page does with them is in `browsers_escrow`.

use std::sync::atomic::{AtomicU8, Ordering};

use haggle_protocol::settlement::{Locked, Outcome as Fate};
use haggle_protocol::{Asset, Contract, Custodian, MessageId, Money, Party, Side, Split};
use haggle_tests::browser::{Browser, Driver};
use haggle_tests::gate::Gate;
use haggle_tests::mint::Mint;
use haggle_tests::rail::Rail;
use haggle_tests::site::Host;
use haggle_tests::{Outcome, Trouble, ensure, place};
use serde_json::json;

/// What the buyer has and what is locked each time, in cents.
const FILLED: u64 = 100_000;
const PRICE: u64 = 10_000;
/// A deadline that does not come during a test, in seconds, and one that does.
const FAR: u64 = 24 * 60 * 60;
const NEAR: u64 = 3;

/// Three people and a mint.
struct Three<'a> {
    buyer: Rail<'a>,
    seller: Rail<'a>,
    arbiter: Rail<'a>,
    mint: &'a mut Mint,
    /// Where they ask it.
    url: String,
    deals: AtomicU8,
}

impl<'a> Three<'a> {
    async fn meet(browsers: &'a [Browser; 3], mint: &'a mut Mint, url: String) -> Outcome<Self> {
        let [one, two, three] = browsers;
        let three = Self {
            buyer: Rail::open(one, Party::Buyer, &url, "USD").await?,
            seller: Rail::open(two, Party::Seller, &url, "USD").await?,
            arbiter: Rail::open(three, Party::Arbiter, &url, "USD").await?,
            mint,
            url,
            deals: AtomicU8::new(0),
        };
        three.buyer.fills(FILLED).await?;
        Ok(three)
    }

    /// A new deal, locked by the buyer until so many seconds from now and checked by the two others.
    async fn locked(&self, lasts: u64) -> Outcome<(Contract, MessageId, Locked)> {
        let quote = MessageId([self.deals.fetch_add(1, Ordering::Relaxed); 32]);
        let contract = Contract {
            order: quote,
            custodian: Custodian::new(&self.url)?,
            amount: Money::new(PRICE, Asset::new("USD")?),
            buyer: self.buyer.key(quote).await?,
            seller: self.seller.key(quote).await?,
            arbiter: Some(self.arbiter.key(quote).await?),
            holder: Side::Buyer,
            deadline: haggle_node::now() + lasts,
        };
        let deal = self.buyer.deal(&contract, quote);
        let locked: Locked = self.buyer.must(json!({ "lock": deal })).await?;
        for other in [&self.seller, &self.arbiter] {
            other
                .must::<()>(json!({ "verify": [contract, locked] }))
                .await?;
        }
        Ok((contract, quote, locked))
    }

    /// What the three hold is this, and by the mint's own books nothing was made or lost.
    async fn hold(&mut self, buyer: u64, seller: u64, arbiter: u64) -> Outcome {
        let held = [
            self.buyer.holds().await?,
            self.seller.holds().await?,
            self.arbiter.holds().await?,
        ];
        ensure(held == [buyer, seller, arbiter], || format!("{held:?}"))?;
        self.mint.has_out(FILLED)
    }
}

/// Three browsers that show the page, which none of them uses.
async fn browsers(host: &Host) -> Outcome<[Browser; 3]> {
    let driver = Driver::start()?;
    let mut open = Vec::new();
    for name in ["buyer", "seller", "arbiter"] {
        let browser = driver.open(name).await?;
        browser.goto(&host.url()).await?;
        open.push(browser);
    }
    <[Browser; 3]>::try_from(open).map_err(|_| Trouble::new("three browsers"))
}

#[tokio::test(flavor = "multi_thread")]
async fn locked_money_ends_in_each_of_its_ways_and_all_purses_add_up() -> Outcome {
    let host = Host::serve(&place::site()?, "/")?;
    let (browsers, mut mint) = (browsers(&host).await?, Mint::start()?);
    let url = mint.url();
    let mut three = Three::meet(&browsers, &mut mint, url).await?;

    // Released: the buyer says that he has it, and the seller takes it.
    let (contract, quote, locked) = three.locked(FAR).await?;
    let (mine, theirs) = (
        three.buyer.deal(&contract, quote),
        three.seller.deal(&contract, quote),
    );
    let all = Fate::Split(Split::all_to(Side::Seller, contract.amount));
    let proposed = three.buyer.proposes(&mine, &locked, all).await?;
    // One signature moves nothing.
    let alone = json!({ "execute": [contract, locked, proposed] });
    let why = three.seller.refuses(alone).await?;
    ensure(why == "signature", || why.to_string())?;
    let signed = three.seller.cosigns(&theirs, &locked, &proposed).await?;
    three.seller.executes(&contract, &locked, &signed).await?;
    three.seller.claims(&theirs, &locked, &signed).await?;
    three.hold(FILLED - PRICE, PRICE, 0).await?;
    // Spent is spent: no other way is left, and nobody is paid twice.
    let why = three
        .arbiter
        .refuses(json!({ "verify": [contract, locked] }))
        .await?;
    ensure(why == "spent", || why.to_string())?;
    three.seller.claims(&theirs, &locked, &signed).await?;
    three.hold(FILLED - PRICE, PRICE, 0).await?;

    // Nobody does anything: after the deadline it is the buyer's again, and before it is not.
    let (contract, quote, locked) = three.locked(NEAR).await?;
    let mine = three.buyer.deal(&contract, quote);
    three.buyer.takes_after_the_deadline(&mine, &locked).await?;
    three.hold(FILLED - PRICE, PRICE, 0).await?;

    // Sent: it is locked anew with the seller as its holder, and the buyer is not seen again.
    let (contract, quote, locked) = three.locked(FAR).await?;
    let (mine, theirs) = (
        three.buyer.deal(&contract, quote),
        three.seller.deal(&contract, quote),
    );
    let deadline = haggle_node::now() + NEAR;
    let renew = Fate::Renew {
        holder: Side::Seller,
        deadline,
    };
    let proposed = three.seller.proposes(&theirs, &locked, renew).await?;
    let signed = three.buyer.cosigns(&mine, &locked, &proposed).await?;
    let anew = three.buyer.executes(&contract, &locked, &signed).await?;
    let anew = anew.ok_or_else(|| Trouble::new("no new lock"))?;
    let renewed = contract.renewed(Side::Seller, deadline);
    three
        .seller
        .must::<()>(json!({ "verify": [renewed, anew] }))
        .await?;
    let theirs = three.seller.deal(&renewed, quote);
    three
        .seller
        .takes_after_the_deadline(&theirs, &anew)
        .await?;
    three.hold(FILLED - 2 * PRICE, 2 * PRICE, 0).await?;

    // Seven tenths to the seller, as the two agree.
    let (contract, quote, locked) = three.locked(FAR).await?;
    let (mine, theirs) = (
        three.buyer.deal(&contract, quote),
        three.seller.deal(&contract, quote),
    );
    let tenth = PRICE / 10;
    let shared = Fate::Split(Split {
        buyer: 3 * tenth,
        seller: 7 * tenth,
        arbiter: 0,
    });
    let proposed = three.seller.proposes(&theirs, &locked, shared).await?;
    let signed = three.buyer.cosigns(&mine, &locked, &proposed).await?;
    three.buyer.executes(&contract, &locked, &signed).await?;
    three.buyer.claims(&mine, &locked, &signed).await?;
    three.seller.claims(&theirs, &locked, &signed).await?;
    let seller = 2 * PRICE + 7 * tenth;
    three.hold(FILLED - seller, seller, 0).await?;

    // The same with a tenth for whom both chose, by his ruling, while the buyer is silent; he takes his part when he is back.
    let (contract, quote, locked) = three.locked(FAR).await?;
    let (theirs, third) = (
        three.seller.deal(&contract, quote),
        three.arbiter.deal(&contract, quote),
    );
    let ruling = Fate::Split(Split {
        buyer: 2 * tenth,
        seller: 7 * tenth,
        arbiter: tenth,
    });
    let ruled = three.arbiter.proposes(&third, &locked, ruling).await?;
    let signed = three.seller.cosigns(&theirs, &locked, &ruled).await?;
    three.seller.executes(&contract, &locked, &signed).await?;
    three.seller.claims(&theirs, &locked, &signed).await?;
    three.arbiter.claims(&third, &locked, &signed).await?;
    let mine = three.buyer.deal(&contract, quote);
    three.buyer.claims(&mine, &locked, &signed).await?;
    let seller = seller + 7 * tenth;
    three.hold(FILLED - seller - tenth, seller, tenth).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_locked_as_agreed_on_is_refused_in_a_browser_too() -> Outcome {
    let host = Host::serve(&place::site()?, "/")?;
    let (browsers, mut mint) = (browsers(&host).await?, Mint::start()?);
    let other = Mint::start()?;
    let gate = Gate::before(&mint.url())?;
    let mut three = Three::meet(&browsers, &mut mint, gate.url()).await?;
    let (contract, quote, locked) = three.locked(FAR).await?;
    three
        .seller
        .must::<()>(json!({ "trust": other.url() }))
        .await?;
    let refused = |wrong: Contract, why: &'static str| {
        let question = json!({ "verify": [wrong, locked] });
        let seller = &three.seller;
        async move {
            let told = seller.refuses(question).await?;
            ensure(told == json!({ "mismatch": why }), || {
                format!("{told} instead of {why}")
            })
        }
    };
    let stranger = three.buyer.key(MessageId([99; 32])).await?;
    ensure(stranger != contract.buyer, || "one key for all".to_owned())?;
    let with = |change: &dyn Fn(&mut Contract)| {
        let mut wrong = contract.clone();
        change(&mut wrong);
        wrong
    };
    let differing = [
        with(&|it| it.deadline = it.deadline + 1),
        with(&|it| it.holder = Side::Seller),
        with(&|it| it.arbiter = None),
        with(&|it| it.order = MessageId([98; 32])),
        with(&|it| it.buyer = stranger),
        with(&|it| core::mem::swap(&mut it.buyer, &mut it.seller)),
        with(&|it| it.amount.minor += 1),
    ];
    for wrong in differing {
        refused(wrong, "conditions").await?;
    }
    let (elsewhere, euro) = (Custodian::new(&other.url())?, Asset::new("EUR")?);
    refused(with(&|it| it.custodian = elsewhere.clone()), "conditions").await?;
    refused(with(&|it| it.amount.asset = euro), "purse").await?;

    // A mint that was never named is not asked at all, and what somebody has bent is no lock.
    let nowhere = Custodian::new("https://mint.example")?;
    let unnamed = with(&|it| it.custodian = nowhere.clone());
    let why = three
        .seller
        .refuses(json!({ "verify": [unnamed, locked] }))
        .await?;
    ensure(why["not-trusted"].is_string(), || why.to_string())?;
    let mut bent = locked.clone();
    if let Some(last) = bent.0.last_mut() {
        *last ^= 1;
    }
    let why = three
        .seller
        .refuses(json!({ "verify": [contract, bent] }))
        .await?;
    ensure(
        why == "damaged" || why == json!({ "mismatch": "conditions" }),
        || why.to_string(),
    )?;
    // The holder before his deadline, and a party that the contract does not name, get nothing.
    let mine = three.buyer.deal(&contract, quote);
    let why = three
        .buyer
        .refuses(json!({ "refund": [mine, locked] }))
        .await?;
    ensure(why == "too-early", || why.to_string())?;
    let theirs = three.seller.deal(&contract, quote);
    let why = three
        .seller
        .refuses(json!({ "refund": [theirs, locked] }))
        .await?;
    ensure(why == "not-yours", || why.to_string())?;

    // A mint that does not say any more that it keeps to locks (NUT-11): nobody sends anything for what is locked there, and nobody locks.
    gate.hides("11");
    let question = json!({ "verify": [contract, locked] });
    let why = three.seller.refuses(question).await?;
    ensure(why == json!({ "mismatch": "capability" }), || {
        why.to_string()
    })?;
    let next = Contract {
        order: MessageId([97; 32]),
        ..contract
    };
    let mine = three.buyer.deal(&next, quote);
    let why = three.buyer.refuses(json!({ "lock": mine })).await?;
    ensure(why == json!({ "mismatch": "capability" }), || {
        why.to_string()
    })?;
    three.hold(FILLED - PRICE, 0, 0).await
}
