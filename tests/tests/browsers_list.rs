//! A shop whose list stands in a spreadsheet: it is told every mistake before anything changes, puts hundreds of items into its stall with one
//! click, and gets the same list back.

use haggle_market::Item;
use haggle_market::sheet;
use haggle_protocol::quote::Quality;
use haggle_tests::browser::Driver;
use haggle_tests::data::Computers;
use haggle_tests::person::{Person, SOON, SURELY, named};
use haggle_tests::relay::Relay;
use haggle_tests::{Outcome, Trouble, ensure, place};

/// Items of the list: more than a screen draws at once.
const ITEMS: usize = 300;

/// Real computers, as their seller would list them.
fn listed() -> Outcome<Vec<Item>> {
    let computers = Computers::load()?;
    let ads = computers.offers.iter().take(ITEMS);
    ads.zip(0_u32..)
        .map(|(ad, number)| {
            let item = ad.item(Quality::Good, 2, 86_400)?;
            Ok(Item {
                sku: Some(format!("pc-{number}")),
                ..item
            })
        })
        .collect()
}

async fn reads(person: &Person, file: &std::path::Path) -> Outcome {
    person.clicks("stall-list").await?;
    let path = file.to_string_lossy().into_owned();
    person.types("list-file", &path).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_goes_into_a_stall_with_one_click_and_comes_out_again_as_it_was() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;
    let folder = tempfile::tempdir()?;
    let saved = folder.path().join("saved");
    let list = sheet::csv(&listed()?);
    let list = list.map_err(|fault| Trouble::new(fault.to_string()))?;
    let (right, wrong) = (
        folder.path().join("list.csv"),
        folder.path().join("wrong.csv"),
    );
    std::fs::write(&right, &list)?;
    std::fs::write(
        &wrong,
        list.replacen("good", "great", 2).replacen("USD", "$", 1),
    )?;

    let shop = Person::arrives(&driver, &relay.url(), "shop").await?;
    shop.goes_to("stall").await?;
    reads(&shop, &wrong).await?;
    shop.browser.see(&named("list-wrong"), SURELY).await?;
    let told = format!("{} li", named("list-mistakes"));
    let mistakes = shop.browser.count(&told).await?;
    ensure(mistakes == 3, || format!("{mistakes} mistakes"))?;
    shop.browser
        .read(&told, &["2", "currency", "$"], SOON)
        .await?;
    let put = shop.browser.count(&named("list-put")).await?;
    ensure(put == 0, || "a list with mistakes can be put in".to_owned())?;
    shop.clicks("dialog-close").await?;

    reads(&shop, &right).await?;
    shop.browser
        .read(&named("list-found"), &["300"], SURELY)
        .await?;
    shop.clicks("list-put").await?;
    shop.browser.see(&named("stall-more"), SURELY).await?;
    shop.reloads().await?;
    shop.goes_to("stall").await?;
    shop.browser.see(&named("stall-more"), SURELY).await?;

    shop.saves_files_in(&saved).await?;
    shop.clicks("stall-list").await?;
    for (button, ending) in [("list-csv", "csv"), ("list-json", "json")] {
        shop.clicks(button).await?;
        let file = shop
            .finds(&saved, |name| {
                name.starts_with("haggle-stall-") && name.ends_with(ending)
            })
            .await?;
        let items = sheet::read(&std::fs::read(&file)?);
        let titles = |items: &[Item]| {
            let named = items
                .iter()
                .map(|item| (item.sku.clone(), item.title.clone()));
            named.collect::<std::collections::BTreeSet<_>>()
        };
        let items = items.map_err(|mistakes| Trouble::new(mistakes.to_string()))?;
        ensure(titles(&items) == titles(&listed()?), || {
            format!("another list came back as {ending}")
        })?;
        shop.types("list-file", &file.to_string_lossy()).await?;
        shop.browser.see(&named("list-same"), SURELY).await?;
    }
    shop.clicks("dialog-close").await?;

    // And it is a stall like any other.
    shop.answers_by_rule("firm").await?;
    let buyer = Person::arrives(&driver, &relay.url(), "buyer").await?;
    buyer.drafts(&scene.want).await?;
    let intent = buyer.publishes().await?;
    buyer.is_quoted(&intent, 1, SURELY).await?;
    for person in [&shop, &buyer] {
        let blamed = person.browser.blamed_for(&[]).await?;
        let name = person.browser.name();
        ensure(blamed.is_empty(), || format!("{name}: {blamed:#?}"))?;
    }
    Ok(())
}
