//! Trades that are paid through escrow: two programs `haggle`, a real relay between them and a real mint, each a process of its own.

use haggle_tests::agent::Agent;
use haggle_tests::bicycle::{self, FILLED, PRICE, both, deposit, holds, wanted};
use haggle_tests::mint::Mint;
use haggle_tests::relay::Relay;
use haggle_tests::{Outcome, ensure};
use serde_json::{Value, json};

/// Two people, a mint that both have named, and money in the buyer's purse.
struct Market {
    mint: Mint,
    shop: Agent,
    buyer: Agent,
    relay: Relay,
}

impl Market {
    fn open() -> Outcome<Self> {
        let relay = Relay::start(None, &[])?;
        let mint = Mint::start()?;
        let shop = bicycle::shop(&relay, &mint.url())?;
        let buyer = bicycle::buyer(&relay, &mint.url())?;
        let mut market = Self {
            mint,
            shop,
            buyer,
            relay,
        };
        deposit(&mut market.buyer, &market.mint.url(), FILLED)?;
        let invoice = market.buyer.says("reply", |reply| {
            let deposit = &reply["wallet"]["deposit"]["request"];
            deposit.as_str().map(str::to_owned)
        })?;
        ensure(invoice.starts_with("ln"), || invoice.clone())?;
        // This backend takes it for paid, and nobody has to say so.
        holds(&market.buyer, FILLED)?;
        Ok(market)
    }

    /// A request, its quote, and an order that is paid through escrow.
    fn order(&mut self) -> Outcome<Value> {
        self.order_under(Value::Null)
    }

    /// The same with somebody who decides if the two disagree.
    fn order_under(&mut self, arbiter: Value) -> Outcome<Value> {
        self.buyer.tell(&json!({ "publish": wanted() }))?;
        let quote = self.buyer.says("my-intent", |mine| {
            let quotes = mine["quotes"].as_array()?;
            quotes.first().cloned()
        })?;
        let keeper = quote["quote"]["keepers"][0].clone();
        ensure(keeper["custodian"] == json!(self.mint.url()), || {
            quote.to_string()
        })?;
        self.buyer.tell(&json!({ "accept": {
            "thread": quote["thread"], "total": quote["quote"]["total"], "note": null,
            "escrow": { "keeper": keeper, "arbiter": arbiter },
        } }))?;
        Ok(quote["thread"].clone())
    }

    /// The same with an order whose price is locked.
    fn locked() -> Outcome<(Self, Value)> {
        let mut market = Self::open()?;
        let thread = market.order()?;
        market.both(|escrow| escrow["state"] == "locked")?;
        Ok((market, thread))
    }

    /// Both sides see that their escrow has come so far.
    fn both(&self, wanted: impl Fn(&Value) -> bool) -> Outcome {
        both([&self.buyer, &self.shop], wanted)
    }

    /// Nothing was made or lost, by the mint's own books.
    fn adds_up(&mut self) -> Outcome {
        self.mint.has_out(FILLED)
    }
}

/// What has moved in somebody's purses, the newest first: why, which way, how much, and for which order.
fn history(who: &mut Agent) -> Outcome<Vec<[Value; 4]>> {
    who.tell(&json!({ "wallet": "history" }))?;
    who.says("reply", |reply| {
        let lines = reply["wallet"]["history"].as_array()?.iter();
        let told = lines.map(|line| ["why", "way", "minor", "order"].map(|of| line[of].clone()));
        Some(told.collect())
    })
}

fn report(thread: &Value, step: &str) -> Value {
    json!({ "report": { "thread": thread, "step": step, "note": null } })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_locked_at_a_mint_is_the_seller_s_once_it_was_received() -> Outcome {
    let (mut market, thread) = Market::locked()?;
    holds(&market.buyer, FILLED - PRICE)?;

    // A power cut on both sides, and at the mint: what is locked is still known, and still there.
    market.mint.kill()?;
    market.shop.kill_and_start_again()?;
    market.buyer.kill_and_start_again()?;
    market.mint.start_again()?;
    market.both(|escrow| escrow["state"] == "locked")?;

    market.shop.tell(&report(&thread, "dispatched"))?;
    market.both(|escrow| escrow["holder"] == "seller")?;
    market.buyer.tell(&report(&thread, "received"))?;
    market.both(|escrow| escrow["state"] == "released")?;
    holds(&market.shop, PRICE)?;
    holds(&market.buyer, FILLED - PRICE)?;
    let order = market.buyer.says("trade", |trade| {
        (trade["thread"] == thread).then(|| trade["order"].clone())
    })?;
    let filled = ["deposit".into(), "in".into(), FILLED.into(), Value::Null];
    let locked = ["locked".into(), "out".into(), PRICE.into(), order.clone()];
    let paid = ["paid".into(), "in".into(), PRICE.into(), order];
    for (who, expected) in [
        (&mut market.buyer, vec![locked, filled]),
        (&mut market.shop, vec![paid]),
    ] {
        let told = history(who)?;
        ensure(told == expected, || {
            format!("{told:?} and not {expected:?}")
        })?;
    }
    market.adds_up()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mint_that_is_away_delays_the_lock_and_a_cancel_gives_it_all_back() -> Outcome {
    let mut market = Market::open()?;
    market.mint.kill()?;
    let thread = market.order()?;
    let unknown = |trade: &Value| (trade["escrow"]["trouble"] == "unknown").then_some(());
    market.buyer.says("trade", unknown)?;
    market.shop.tell(&report(&thread, "dispatched"))?;
    let refused = market.shop.says("complaint", |it| Some(it.clone()))?;
    ensure(refused["code"] == "not-funded", || refused.to_string())?;

    market.mint.start_again()?;
    market.buyer.tell(&json!({ "pay": { "thread": thread } }))?;
    market.both(|escrow| escrow["state"] == "locked")?;
    market.buyer.tell(&json!({ "cancel": {
        "thread": thread, "reason": "changed-mind", "note": null,
    } }))?;
    market.both(|escrow| escrow["state"] == "refunded")?;
    market.buyer.kill_and_start_again()?;
    holds(&market.buyer, FILLED)?;
    market.adds_up()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_both_agree_on_is_how_a_mint_shares_it_out() -> Outcome {
    let (mut market, thread) = Market::locked()?;
    let buyer = PRICE * 3 / 10;
    market
        .shop
        .tell(&json!({ "settle": { "thread": thread, "buyer": buyer } }))?;
    market.buyer.says("trade", |trade| {
        let offers = trade["escrow"]["proposals"].as_array()?;
        offers.iter().any(|it| it["buyer"] == buyer).then_some(())
    })?;
    market
        .buyer
        .tell(&json!({ "agree": { "thread": thread, "buyer": buyer } }))?;
    market.both(|escrow| escrow["state"]["shared"]["buyer"] == buyer)?;
    holds(&market.shop, PRICE - buyer)?;
    holds(&market.buyer, FILLED - PRICE + buyer)?;
    market.adds_up()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_third_decides_comes_true_while_the_other_side_is_away() -> Outcome {
    let mut market = Market::open()?;
    let mint = market.mint.url();
    let live = ["live", "--escrow", mint.as_str()];
    let mut arbiter = Agent::start(&market.relay, &live, &[])?;
    // Two per cent of what is locked, and a day to decide.
    let offer = json!({ "publish": {
        "title": "I decide about bicycles", "category": 150_101,
        "quantity": { "n": 1, "scale": 0, "unit": "C62" },
        "budget": { "sealed": "EUR" }, "deliveries": ["digital"],
        "arbiter": { "rail": "cashu", "fee": 20, "within": 86_400 },
    } });
    arbiter.tell(&offer)?;
    // The first time its rail is only being opened.
    arbiter.says("complaint", |it| {
        (it["code"] == "rail-not-ready").then_some(())
    })?;
    arbiter.tell(&json!({ "wallet": "balances" }))?;
    arbiter.says("reply", |reply| {
        reply["wallet"]["balances"].is_array().then_some(())
    })?;
    arbiter.tell(&offer)?;
    let (intent, mut terms) = arbiter.says("my-intent", |mine| {
        let terms = &mine["intent"]["arbiter"];
        terms
            .is_object()
            .then(|| (mine["id"].clone(), terms.clone()))
    })?;
    terms["intent"] = intent.clone();
    market.shop.tell(&json!({ "set-rules": {
        "auto": "firm", "arbiters": [terms],
        "keepers": [{ "rail": "cashu", "custodian": mint, "asset": "EUR" }],
    } }))?;
    market
        .shop
        .says("reply", |reply| (reply == "done").then_some(()))?;
    market
        .buyer
        .says("open-intent", |open| (open["id"] == intent).then_some(()))?;
    let thread = market.order_under(intent)?;
    market.both(|escrow| escrow["state"] == "locked")?;

    // Three tenths for the buyer, less what the ruling costs: the seller is not there any more.
    market.shop.kill()?;
    let buyer = PRICE * 3 / 10;
    market.buyer.tell(&json!({ "dispute": {
        "thread": thread, "buyer": buyer, "words": "The frame is bent; I would keep it for less.",
    } }))?;
    let case = arbiter.says("case", |case| {
        (case["state"] == "open").then(|| case["order"].clone())
    })?;
    arbiter.tell(&json!({ "rule": {
        "case": case, "buyer": buyer, "words": "As the photos show.",
    } }))?;
    let shared =
        |trade: &Value| (trade["escrow"]["state"]["shared"]["buyer"] == buyer).then_some(());
    market.buyer.says("trade", shared)?;
    holds(&market.buyer, FILLED - PRICE + buyer)?;
    // Who was silent has his part when he is back.
    market.shop.start_again()?;
    market.shop.says("trade", shared)?;
    holds(&market.shop, PRICE - buyer - PRICE / 50)?;
    market.adds_up()
}

#[tokio::test(flavor = "multi_thread")]
async fn money_goes_from_hand_to_hand_as_text_and_only_to_whom_has_named_its_mint() -> Outcome {
    let mut market = Market::open()?;
    let purse = json!({ "custodian": market.mint.url(), "asset": "EUR" });
    market
        .buyer
        .tell(&json!({ "wallet": { "give": { "purse": purse, "minor": 1_250 } } }))?;
    let text = market.buyer.says("reply", |reply| {
        reply["wallet"]["text"].as_str().map(str::to_owned)
    })?;
    let take = json!({ "wallet": { "take": { "text": text } } });
    let distrust = json!({ "wallet": { "distrust": { "custodian": market.mint.url() } } });
    market.shop.tell(&distrust)?;
    market.shop.tell(&take)?;
    let refused = market.shop.says("complaint", |it| Some(it.clone()))?;
    ensure(refused["code"] == "not-trusted", || refused.to_string())?;
    let trust = json!({ "wallet": { "trust": { "custodian": market.mint.url() } } });
    market.shop.tell(&trust)?;
    market.shop.tell(&take)?;
    holds(&market.shop, 1_250)?;
    market.shop.tell(&take)?;
    market
        .shop
        .says("complaint", |it| (it["code"] == "spent").then_some(()))?;
    market.adds_up()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_brings_back_the_purse_and_what_is_locked_on_another_device() -> Outcome {
    let (mut market, thread) = Market::locked()?;
    let buyer = &mut market.buyer;
    buyer.tell(&json!("phrase"))?;
    let phrase = buyer.says("reply", |reply| reply["phrase"].as_str().map(str::to_owned))?;
    buyer.tell(&json!({ "backup": { "path": "all.backup" } }))?;
    buyer.says("reply", |reply| (reply == "done").then_some(()))?;
    // After it some is given away, which the backup does not know.
    let purse = json!({ "custodian": market.mint.url(), "asset": "EUR" });
    buyer.tell(&json!({ "wallet": { "give": { "purse": purse, "minor": 2_000 } } }))?;
    let text = buyer.says("reply", |reply| {
        reply["wallet"]["text"].as_str().map(str::to_owned)
    })?;
    market
        .shop
        .tell(&json!({ "wallet": { "take": { "text": text } } }))?;
    holds(&market.shop, 2_000)?;

    buyer.loses_everything_but("all.backup", &phrase)?;
    market.both(|escrow| escrow["state"] == "locked")?;
    holds(&market.buyer, FILLED - PRICE - 2_000)?;
    market.buyer.tell(&report(&thread, "received"))?;
    market.both(|escrow| escrow["state"] == "released")?;
    holds(&market.shop, PRICE + 2_000)?;
    market.adds_up()
}
