//! The canary in browsers: a trade between pages whose prices and names carry markers, with every byte recorded that another could see: at the
//! relay, above the transport's encryption; on the data channels between the browsers, under the transport's encryption; all that the seller who was
//! not taken keeps and shows. None of it may hold a marker in any form.

use haggle_protocol::quote::Quality;
use haggle_tests::browser::Driver;
use haggle_tests::data::{Advertisement, Computers};
use haggle_tests::person::{Person, SURELY, Terms};
use haggle_tests::search::Marker;
use haggle_tests::witness::{Notebook, tapped_relay};
use haggle_tests::{Outcome, ensure, place};

const TERMS: Terms = Terms {
    quality: Quality::Good,
    days: 2,
    stock: 5,
};

/// Dollars, so many that no other number is the same by chance.
const BUDGET: u64 = 60_987_654_321_098;
const WINNERS: u64 = 40_123_456_789_012;
const LOSERS: u64 = 50_765_432_109_876;

const SELLER_NAME: &str = "Seller-Name-d4c3b2a1";
const SELLER_PHONE: &str = "+1 555 0100 8273645";
const BUYER_NAME: &str = "Buyer-Name-a1b2c3d4";
const BUYER_PHONE: &str = "+1 555 0199 9182736";

fn markers() -> Vec<Marker> {
    vec![
        Marker::number("the winner's price", WINNERS * 100),
        Marker::number("the loser's price", LOSERS * 100),
        Marker::text("the seller's name", SELLER_NAME),
        Marker::text("the seller's telephone", SELLER_PHONE),
        Marker::text("the buyer's name", BUYER_NAME),
        Marker::text("the buyer's telephone", BUYER_PHONE),
    ]
}

fn priced(ad: &Advertisement, price: u64) -> Advertisement {
    Advertisement {
        price,
        ..ad.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_price_and_no_name_shows_on_the_channels_between_browsers_or_at_the_relay() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let notebook = Notebook::default();
    let (relay, _keys) = tapped_relay(&notebook, Some(place::site()?)).await?;
    let driver = Driver::start()?;
    let url = relay.url();
    let arrives = async |name: &str| {
        let browser = driver.open(name).await?;
        browser.listens_to_channels().await?;
        Person::sits_down(browser, &url).await
    };
    let (winner, loser) = (arrives("winner").await?, arrives("loser").await?);
    for (seller, price) in [(&winner, WINNERS), (&loser, LOSERS)] {
        seller.offers(&priced(&scene.dearer, price), TERMS).await?;
        seller.answers_by_rule("indicative").await?;
    }
    winner.introduces_himself(SELLER_NAME, SELLER_PHONE).await?;
    let buyer = arrives("buyer").await?;
    buyer.introduces_himself(BUYER_NAME, BUYER_PHONE).await?;
    buyer.drafts(&priced(&scene.want, BUDGET)).await?;
    let intent = buyer.publishes().await?;
    buyer.is_quoted(&intent, 2, SURELY).await?;
    // The buyer may read both prices, and the search finds them at his.
    let quotes = buyer.browser.document().await?;
    buyer.accepts(&intent, 1).await?;
    winner.confirms().await?;
    buyer.knows(SELLER_NAME).await?;
    winner.knows(BUYER_NAME).await?;

    // Browsers that are connected tell each other what is public, too: the control.
    buyer.drafts(&priced(&scene.lacking, BUDGET)).await?;
    let second = buyer.publishes().await?;
    winner.goes_to("market").await?;
    let known = format!("[data-intent=\"{second}\"]");
    winner.browser.see(&known, SURELY).await?;

    // All of it went over data channels, and nothing through a relay.
    for person in [&buyer, &winner, &loser] {
        let (direct, relayed) = person.private_messages().await?;
        let name = person.browser.name();
        ensure(direct > 0 && relayed == 0, || {
            format!("{name}: {direct} directly, {relayed} relayed")
        })?;
        for (number, channel) in person.browser.sent_on_channels().await?.iter().enumerate() {
            notebook.add(&format!("channels/{name}/{number}"), channel);
        }
    }
    let kept = loser.browser.storage().await?;
    let shown = loser.browser.document().await?;
    let recording = notebook.read();
    let finds = recording.find(&markers());
    ensure(finds.is_empty(), || format!("{finds:#?}"))?;

    // What the loser keeps and shows holds his own price, and nothing else of it.
    let at_losers = Notebook::default();
    at_losers.add("keeps", kept.as_bytes());
    at_losers.add("shows", shown.as_bytes());
    let finds = at_losers.read().find(&markers());
    ensure(
        !finds.is_empty() && finds.iter().all(|find| find.marker == "the loser's price"),
        || format!("{finds:#?}"),
    )?;

    // The search would find them: the buyer's page shows them in a form that it knows, and what is public is found on both ways.
    let at_buyers = Notebook::default();
    at_buyers.add("quotes", quotes.as_bytes());
    at_buyers.add("trade", buyer.browser.storage().await?.as_bytes());
    let found = at_buyers.read().find(&markers());
    for marker in [
        "the winner's price",
        "the loser's price",
        "the seller's name",
        "the seller's telephone",
    ] {
        ensure(found.iter().any(|find| find.marker == marker), || {
            format!("{marker} is not found where it is: {found:#?}")
        })?;
    }
    let title = Marker::text("the title", &scene.lacking.wanted_title());
    let public = recording.find(std::slice::from_ref(&title));
    for way in ["relay/", "channels/"] {
        ensure(
            public.iter().any(|find| find.place.starts_with(way)),
            || format!("the public title is not found in {way}: {public:#?}"),
        )?;
    }
    println!(
        "searched {} bytes at the relay and {} bytes of data channels",
        recording.len("relay/"),
        recording.len("channels/")
    );
    relay.shutdown().await;
    Ok(())
}
