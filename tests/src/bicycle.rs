//! A bicycle that programs `haggle` trade for and pay through escrow: its shop, who wants it, and what is in whose wallet.

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::relay::Relay;
use crate::trouble::{Outcome, Trouble};

/// What the buyer has, in cents.
pub const FILLED: u64 = 50_000;
/// What the bicycle costs, in cents.
pub const PRICE: u64 = 38_000;

/// Starts a shop that sells it, and takes what is locked at this mint.
///
/// # Errors
/// If the program does not start.
pub fn shop(at: &Relay, mint: &str) -> Outcome<Agent> {
    let stall = format!(
        r#"
            currency = "EUR"

            [profile]
            name = "Bicycle shop"
            ways = {{ phone = "+49 30 555 0123" }}

            [rules]
            answer = "firm"

            [[escrow]]
            mint = "{mint}"

            [[items]]
            sku = "road-56"
            title = "Road bike, 56 cm"
            category = "bicycles"
            price = "380"
            stock = "5"
            quality = "good"
            deliveries = [{{ way = "pickup", days = 1 }}]
        "#
    );
    Agent::start(at, &["stall", "shop.toml"], &[("shop.toml", &stall)])
}

/// Starts a buyer who may spend a thousand euros a day, and has named this mint.
///
/// # Errors
/// If the program does not start.
pub fn buyer(at: &Relay, mint: &str) -> Outcome<Agent> {
    let mandate = "currency = \"EUR\"\n[mandate]\nbuy-per-day = \"1000\"\n";
    let live = ["live", "--mandate", "buyer.toml", "--escrow", mint];
    Agent::start(at, &live, &[("buyer.toml", mandate)])
}

/// What such a buyer says that he wants.
#[must_use]
pub fn wanted() -> Value {
    json!({
        "title": "A road bike", "category": 150_101,
        "quantity": { "n": 1, "scale": 0, "unit": "C62" },
        "budget": { "sealed": "EUR" }, "deliveries": ["pickup"],
    })
}

/// Asks a mint for a deposit of so many cents.
///
/// # Errors
/// If the program hears nothing any more.
pub fn deposit(who: &mut Agent, mint: &str, minor: u64) -> Outcome {
    who.tell(&json!({ "wallet": { "deposit": {
        "purse": { "custodian": mint, "asset": "EUR" }, "minor": minor,
    } } }))
}

/// Waits until a wallet holds just so many cents, all of them free.
///
/// # Errors
/// If it does not come to that.
pub fn holds(who: &Agent, sum: u64) -> Outcome {
    let wanted = |wallet: &Value| {
        let balances = wallet["balances"].as_array()?.iter();
        let count = |what: &str| {
            let sums = balances.clone().filter_map(|it| it[what].as_u64());
            sums.sum::<u64>()
        };
        (count("free") == sum && count("held") == 0).then_some(())
    };
    who.says("wallet", wanted)
        .map_err(|error: Trouble| error.while_doing(&format!("a wallet with {sum}")))
}

/// Both sides see that their escrow has come so far.
///
/// # Errors
/// If one of them does not.
pub fn both(pair: [&Agent; 2], wanted: impl Fn(&Value) -> bool) -> Outcome {
    for who in pair {
        who.says("trade", |trade| wanted(&trade["escrow"]).then_some(()))?;
    }
    Ok(())
}
