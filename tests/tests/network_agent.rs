//! Shops without a page: the program `haggle`, run as a process as a shop would run it, trades over a real relay.

use std::path::Path;

use haggle_protocol::taxonomy;
use haggle_tests::agent::{Agent, program};
use haggle_tests::relay::Relay;
use haggle_tests::{Outcome, Trouble, ensure};
use serde_json::{Value, json};

const SHOP: &str = r#"
    currency = "EUR"

    [profile]
    name = "Bicycle shop"
    ways = { phone = "+49 30 555 0123" }

    [rules]
    answer = "firm"
    payment = "Cash on hand-over"

    [mandate]
    sell-per-day = "1000"

    [[items]]
    sku = "road-56"
    title = "Road bike, 56 cm"
    category = "bicycles"
    price = "380"
    stock = "2"
    quality = "good"
    deliveries = [{ way = "pickup", days = 1 }]
    is = { frame = { n = "56", unit = "CMT" } }
"#;

const BUYER: &str = r#"
    currency = "EUR"

    [mandate]
    buy-per-day = "400"
"#;

fn wants_bike() -> Value {
    json!({
        "title": "A road bike, 56 cm",
        "category": 150_101,
        "quantity": { "n": 1, "scale": 0, "unit": "C62" },
        "budget": { "sealed": "EUR" },
        "deliveries": ["pickup"],
        "wishes": [{
            "key": "frame", "comparison": "is", "must": true,
            "value": { "measure": { "n": 56, "scale": 0, "unit": "CMT" } },
        }],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_from_a_file_sells_to_a_program_and_a_power_cut_loses_nothing() -> Outcome {
    let relay = Relay::start(None, &[])?;
    let mut shop = Agent::start(&relay, &["stall", "shop.toml"], &[("shop.toml", SHOP)])?;
    let draft = wants_bike().to_string();
    let files = [("draft.json", draft.as_str()), ("buyer.toml", BUYER)];
    let ask = [
        "ask",
        "draft.json",
        "--take",
        "1",
        "--mandate",
        "buyer.toml",
    ];
    let mut buyer = Agent::start(&relay, &ask, &files)?;

    // The best quote is taken without anybody's doing, and confirmed without anybody's doing.
    let first = buyer.says("published", |id| id.as_str().map(str::to_owned))?;
    let taken = buyer.says("reply", |reply| reply.get("accepted").cloned())?;
    ensure(
        taken["total"] == json!({ "minor": 38_000, "asset": "EUR" }),
        || taken.to_string(),
    )?;
    let sold = shop.trade("confirmed")?;
    let bought = buyer.says("trade", |trade| {
        trade["theirs"]["name"].as_str().map(str::to_owned)
    })?;
    ensure(bought == "Bicycle shop", || bought.clone())?;

    // A power cut on both sides; each finds its trade again, and the request is not published twice.
    shop.kill_and_start_again()?;
    buyer.kill_and_start_again()?;
    let again = buyer.says("my-intent", |mine| mine["id"].as_str().map(str::to_owned))?;
    ensure(again == first, || format!("{again} instead of {first}"))?;

    let thread = sold["thread"].clone();
    shop.tell(&json!({ "report": { "thread": thread, "step": "dispatched", "note": null } }))?;
    buyer.trade("dispatched")?;
    buyer.tell(&json!({ "report": { "thread": thread, "step": "received", "note": null } }))?;
    shop.trade("received")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mandate_is_neither_overspent_nor_oversold() -> Outcome {
    let relay = Relay::start(None, &[])?;
    let dear = SHOP
        .replace("\"380\"", "\"410\"")
        .replace("\"1000\"", "\"500\"");
    let shop = Agent::start(&relay, &["stall", "shop.toml"], &[("shop.toml", &dear)])?;
    let buyer_files = [("buyer.toml", BUYER)];
    let mut buyer = Agent::start(&relay, &["live", "--mandate", "buyer.toml"], &buyer_files)?;

    buyer.tell(&json!({ "publish": wants_bike() }))?;
    let quote = buyer.says("my-intent", |mine| {
        let quotes = mine["quotes"].as_array()?;
        quotes.first().cloned()
    })?;
    let accept = json!({ "accept": {
        "thread": quote["thread"], "total": quote["quote"]["total"], "note": null,
    } });
    buyer.tell(&accept)?;
    let refused = buyer.says("complaint", |complaint| Some(complaint.clone()))?;
    ensure(refused["code"] == "beyond-mandate", || refused.to_string())?;
    let left = refused["sentence"].as_str().unwrap_or_default();
    ensure(left.contains("400.00 EUR"), || left.to_owned())?;

    // 410 are promised to this buyer. With 500 a day the next one hears nothing, until that promise has ended.
    let mut other = Agent::start(&relay, &["live"], &[])?;
    let mut second = wants_bike();
    second["title"] = json!("Another road bike, 56 cm");
    other.tell(&json!({ "publish": second }))?;
    let id = other.says("my-intent", |mine| mine["id"].as_str().map(str::to_owned))?;
    let first_told = shop.says("open-intent", |open| {
        (open["id"] == *id).then(|| open.clone())
    })?;
    ensure(first_told["matches"][0]["complete"] == true, || {
        first_told.to_string()
    })?;
    ensure(first_told["answer"].is_null(), || first_told.to_string())?;

    let asked = buyer.says("my-intent", |mine| mine["id"].as_str().map(str::to_owned))?;
    buyer.tell(&json!({ "withdraw": { "intent": asked } }))?;
    other.says("my-intent", |mine| {
        (mine["quotes"][0]["state"] == "standing").then_some(())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_is_said_and_nothing_else_happens() -> Outcome {
    let relay = Relay::start(None, &[])?;
    let mut agent = Agent::start(&relay, &["live"], &[])?;
    agent.process.tell("{\"fly\":{}}")?;
    let complaint = agent.says("complaint", |complaint| Some(complaint.clone()))?;
    ensure(complaint["code"] == "bad-command", || complaint.to_string())?;
    agent.tell(&json!("snapshot"))?;
    agent.says("reply", |reply| (reply == "done").then_some(()))?;

    let wrong = SHOP.replace("\"bicycles\"", "\"bikes\"");
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("shop.toml"), wrong)?;
    let mut check = program()?;
    let check = check
        .args(["check", "shop.toml"])
        .current_dir(folder.path());
    let output = check.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure(output.status.code() == Some(2), || said.to_string())?;
    ensure(
        said.contains("road-56") && said.contains("haggle categories"),
        || said.to_string(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_stalls_answer_what_somebody_alone_would_ask_for() -> Outcome {
    let relay = Relay::start(None, &[])?;
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/agent/stalls");
    let mut stalls = Vec::new();
    for file in std::fs::read_dir(samples)? {
        let text = std::fs::read_to_string(file?.path())?;
        let files = [("shop.toml", text.as_str())];
        stalls.push(Agent::start(&relay, &["stall", "shop.toml"], &files)?);
    }
    let wishes = [
        ("A bicycle for the city", "bicycles", "pickup"),
        ("A laptop with 16 GB", "laptops", "shipping"),
        ("A letter put into German", "translation", "digital"),
    ];
    for (title, category, delivery) in wishes {
        let node = taxonomy::by_slug(category).ok_or_else(|| Trouble::new(category))?;
        let mut draft = wants_bike();
        draft["title"] = json!(title);
        draft["category"] = json!(node.category);
        draft["deliveries"] = json!([delivery]);
        draft["wishes"] = json!([]);
        let mut buyer = Agent::start(&relay, &["live"], &[])?;
        buyer.tell(&json!({ "publish": draft }))?;
        buyer.says("my-intent", |mine| {
            (mine["quotes"][0]["state"] == "standing").then_some(())
        })?;
    }
    Ok(())
}
