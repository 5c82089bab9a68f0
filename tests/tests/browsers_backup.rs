//! A person whose device is gone: what he saved brings him back in another browser, and his open trade goes on. And a person who wants
//! nothing of his to be left.

use std::path::{Path, PathBuf};

use haggle_protocol::quote::Quality;
use haggle_tests::browser::Driver;
use haggle_tests::data::Computers;
use haggle_tests::mint::Mint;
use haggle_tests::person::{Person, SOON, SURELY, Terms, named};
use haggle_tests::program::Shop;
use haggle_tests::relay::Relay;
use haggle_tests::{Outcome, ensure, place};

const TERMS: Terms = Terms {
    quality: Quality::Fine,
    days: 2,
    stock: 2,
};

const PASSPHRASE: &str = "seven green bicycles";

/// Opens the dialog about backups.
async fn looks_after_his_data(person: &Person) -> Outcome {
    person.clicks("settings").await?;
    person.clicks("safe-open").await?;
    person.browser.see(&named("safe-words"), SOON).await?;
    Ok(())
}

async fn closes(person: &Person) -> Outcome {
    let close = "document.querySelector('dialog[open]').close()";
    person.browser.js(close, vec![]).await?;
    Ok(())
}

/// Writes down the words, and shows that he has them.
async fn writes_down(person: &Person) -> Outcome<Vec<String>> {
    person.clicks("words-show").await?;
    person.browser.see(&named("words"), SOON).await?;
    let read =
        "return [...document.querySelectorAll(arguments[0])].map(word => word.innerText.trim())";
    let rows = format!("{} code", named("words"));
    let words = person.browser.js(read, vec![rows.into()]).await?;
    let words: Vec<String> = serde_json::from_value(words)?;
    ensure(words.len() == 12, || format!("{} words", words.len()))?;
    person.clicks("words-written").await?;
    let read = "return [...document.querySelectorAll(arguments[0])].map(field => Number(field.dataset.number))";
    person.browser.see(&named("word-asked"), SOON).await?;
    let asked = named("word-asked");
    let numbers = person.browser.js(read, vec![asked.into()]).await?;
    let numbers: Vec<usize> = serde_json::from_value(numbers)?;
    // A slip of the pen is noticed.
    for number in &numbers {
        person.browser.fill(&field(*number), "wrong", SOON).await?;
    }
    person.clicks("words-confirm").await?;
    person.browser.see(&refusal("safe-words"), SOON).await?;
    for number in &numbers {
        let word = format!(" {}", words[number - 1].to_uppercase());
        person.browser.fill(&field(*number), &word, SOON).await?;
    }
    person.clicks("words-confirm").await?;
    is_safe(person, "words-state").await?;
    Ok(words)
}

fn field(number: usize) -> String {
    format!("{}[data-number=\"{number}\"]", named("word-asked"))
}

/// The line that says what is wrong in a part of the dialog.
fn refusal(part: &str) -> String {
    format!("{} .fault:not(:empty)", named(part))
}

async fn is_safe(person: &Person, state: &str) -> Outcome {
    let safe = format!("{}[data-safe=\"yes\"]", named(state));
    person.browser.see(&safe, SOON).await?;
    Ok(())
}

/// Saves a backup file, and finds it among the downloads.
async fn saves_a_file(person: &Person, folder: &Path) -> Outcome<PathBuf> {
    person.saves_files_in(folder).await?;
    person.types("backup-passphrase", "short").await?;
    person.clicks("backup-save").await?;
    let weak = refusal("backup-passphrase-fault").replace(" .fault", "");
    person.browser.see(&weak, SOON).await?;
    person.types("backup-passphrase", PASSPHRASE).await?;
    person.clicks("backup-save").await?;
    is_safe(person, "file-state").await?;
    person.finds(folder, |name| name.ends_with(".backup")).await
}

/// Opens a file, or words without one, and sees whether they would work.
async fn checks(person: &Person, file: Option<&Path>, secret: &str) -> Outcome {
    if let Some(file) = file {
        let path = file.to_string_lossy().into_owned();
        person.types("restore-file", &path).await?;
    }
    person.types("restore-secret", secret).await?;
    person.clicks("restore-check").await
}

/// Goes on with what was found.
async fn comes_back(person: &Person) -> Outcome {
    person.browser.see(&named("restore-found"), SURELY).await?;
    person.clicks("restore-sure").await?;
    person.clicks("restore-go").await?;
    let loaded = "return !document.querySelector('dialog[open]')";
    person
        .browser
        .until("the page, loaded again", SURELY, loaded, vec![])
        .await?;
    person.ready().await
}

/// Erases everything, and finds nothing of his left.
async fn erases(person: &Person) -> Outcome {
    person.clicks("erase-sure").await?;
    person.clicks("erase-go").await?;
    let loaded = "return !document.querySelector('dialog[open]')";
    person
        .browser
        .until("the page, loaded again", SURELY, loaded, vec![])
        .await?;
    person.ready().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_trade_goes_on_in_another_browser_from_the_backup_file() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;
    let folder = tempfile::tempdir()?;
    let seller = Person::arrives(&driver, &relay.url(), "seller").await?;
    seller.offers(&scene.dearer, TERMS).await?;
    seller
        .introduces_himself("Vera Verkauf", "+1 555 0100")
        .await?;
    seller.answers_by_rule("indicative").await?;
    let buyer = Person::arrives(&driver, &relay.url(), "buyer").await?;
    buyer.introduces_himself("Karl Kauf", "+1 555 0199").await?;
    buyer.drafts(&scene.want).await?;
    let intent = buyer.publishes().await?;
    buyer.is_quoted(&intent, 1, SURELY).await?;

    // Asked before the first order, not before.
    let accept = format!("[data-intent=\"{intent}\"] {}", named("accept"));
    buyer.browser.click(&accept, SOON).await?;
    buyer.browser.see(&named("safe-reminder"), SOON).await?;
    buyer.clicks("safe-now").await?;
    buyer.browser.see(&named("safe-words"), SOON).await?;
    let words = writes_down(&buyer).await?;
    closes(&buyer).await?;
    buyer.browser.click(&accept, SOON).await?;
    buyer.browser.see(&named("accept-confirm"), SOON).await?;
    let reminded = buyer.browser.count(&named("safe-reminder")).await?;
    ensure(reminded == 0, || "reminded again".to_owned())?;
    closes(&buyer).await?;
    buyer.accepts(&intent, 1).await?;
    seller.confirms().await?;
    buyer.knows("Vera Verkauf").await?;
    seller.knows("Karl Kauf").await?;

    looks_after_his_data(&buyer).await?;
    let file = saves_a_file(&buyer, folder.path()).await?;
    let bytes = std::fs::read(&file)?;
    for secret in [
        "Vera Verkauf",
        words[0].as_str(),
        "thread/",
        intent.as_str(),
    ] {
        let shown = bytes
            .windows(secret.len())
            .any(|part| part == secret.as_bytes());
        ensure(!shown, || format!("{secret} stands in the file"))?;
    }
    // A wrong passphrase is said, a right one rehearses; nothing is changed by either.
    checks(&buyer, Some(&file), "seven green bicycle").await?;
    let wrong = format!("{}:not(:empty)", named("restore-secret-fault"));
    buyer.browser.see(&wrong, SURELY).await?;
    checks(&buyer, None, PASSPHRASE).await?;
    buyer.browser.see(&named("restore-found"), SURELY).await?;
    erases(&buyer).await?;
    buyer.goes_to("trades").await?;
    let left = buyer.browser.count(&named("trade-card")).await?;
    ensure(left == 0, || format!("{left} trades after erasing"))?;
    drop(buyer);

    // Another browser, another device for all that anybody can see.
    let again = Person::arrives(&driver, &relay.url(), "karl-again").await?;
    looks_after_his_data(&again).await?;
    checks(&again, Some(&file), PASSPHRASE).await?;
    comes_back(&again).await?;
    again.goes_to("trades").await?;
    again.browser.see(&named("trade-card"), SURELY).await?;
    again.says("paid").await?;
    seller.sees_step("paid").await?;
    seller.says("dispatched").await?;
    again.sees_step("dispatched").await?;
    again.says("received").await?;
    for person in [&again, &seller] {
        person.sees_trade("received").await?;
        let blamed = person.browser.blamed_for(&[]).await?;
        let name = person.browser.name();
        ensure(blamed.is_empty(), || format!("{name}: {blamed:#?}"))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_brings_back_locked_money_and_the_words_alone_a_purse() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;
    let mut mint = Mint::start()?;
    let folder = tempfile::tempdir()?;
    let (dollars, price) = (10_000, scene.dearer.price * 100);
    let seller = Person::arrives(&driver, &relay.url(), "seller").await?;
    seller
        .sells_through_escrow(&scene.dearer, TERMS, &mint.url())
        .await?;
    seller.answers_by_rule("indicative").await?;
    let buyer = Person::arrives(&driver, &relay.url(), "buyer").await?;
    buyer.comes_with_money(&mint.url(), dollars).await?;
    buyer.orders_through_escrow(&scene.want).await?;
    seller.confirms().await?;
    for person in [&buyer, &seller] {
        person.sees_escrow("locked").await?;
    }
    looks_after_his_data(&buyer).await?;
    let words = writes_down(&buyer).await?.join(" ");
    let file = saves_a_file(&buyer, folder.path()).await?;
    drop(buyer);

    // The file, in another browser: what is locked is there, and ends as it should.
    let again = Person::arrives(&driver, &relay.url(), "karl-again").await?;
    looks_after_his_data(&again).await?;
    checks(&again, Some(&file), PASSPHRASE).await?;
    comes_back(&again).await?;
    again.sees_escrow("locked").await?;
    again.holds(dollars * 100 - price).await?;
    seller.reports("dispatched").await?;
    again.says("received").await?;
    for person in [&again, &seller] {
        person.sees_escrow("released").await?;
    }
    seller.holds(price).await?;

    // The words alone, in a third one: what is in the purse is with the mint.
    let third = Person::arrives(&driver, &relay.url(), "karl-by-words").await?;
    looks_after_his_data(&third).await?;
    checks(&third, None, &words).await?;
    comes_back(&third).await?;
    third.trusts(&mint.url()).await?;
    third.finds_his_money("USD").await?;
    third.holds(dollars * 100 - price).await?;
    mint.has_out(dollars * 100)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_alone_bring_back_an_open_request_which_is_then_answered() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;
    let buyer = Person::arrives(&driver, &relay.url(), "buyer").await?;
    buyer.drafts(&scene.want).await?;
    let intent = buyer.publishes().await?;
    looks_after_his_data(&buyer).await?;
    let words = writes_down(&buyer).await?.join(" ");
    drop(buyer);

    let again = Person::arrives(&driver, &relay.url(), "again").await?;
    looks_after_his_data(&again).await?;
    let mut slip: Vec<&str> = words.split(' ').collect();
    slip.swap(0, 1);
    checks(&again, None, &slip[1..].join(" ")).await?;
    let wrong = format!("{}:not(:empty)", named("restore-secret-fault"));
    again.browser.see(&wrong, SURELY).await?;
    checks(&again, None, &words).await?;
    comes_back(&again).await?;
    again.goes_to("requests").await?;
    again
        .browser
        .see(&format!("[data-intent=\"{intent}\"]"), SURELY)
        .await?;
    let seller = Person::arrives(&driver, &relay.url(), "seller").await?;
    seller.offers(&scene.dearer, TERMS).await?;
    seller.answers_by_rule("indicative").await?;
    again.is_quoted(&intent, 1, SURELY).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_person_is_left_in_the_browser_after_he_erased_everything() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;
    let person = Person::arrives(&driver, &relay.url(), "person").await?;
    person.offers(&scene.dearer, TERMS).await?;
    person
        .introduces_himself("Vera Verkauf", "+1 555 0100")
        .await?;
    person.drafts(&scene.want).await?;
    let intent = person.publishes().await?;
    looks_after_his_data(&person).await?;
    let words = writes_down(&person).await?;
    erases(&person).await?;
    looks_after_his_data(&person).await?;
    let fresh = writes_down(&person).await?;
    ensure(words != fresh, || "the same words as before".to_owned())?;
    let kept = person.browser.storage().await?;
    for gone in [
        "Vera Verkauf",
        "+1 555 0100",
        intent.as_str(),
        &scene.want.wanted_title(),
    ] {
        ensure(!kept.contains(gone), || format!("{gone} is still kept"))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_takes_its_profile_elsewhere_in_a_file() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let (driver, shop) = (Driver::start()?, Shop::open()?);
    let relay = Relay::start(None, &[])?;
    let program = shop.starts(&driver, "program", &relay.address()).await?;
    program
        .offers(&scene.cheap.item(Quality::Fair, 2, 86_400)?, "indicative")
        .await?;
    let script = "
        const { Haggle } = await import(new URL('pkg/haggle.js', location.href).href);
        const words = await peer.phrase();
        const file = await peer.backup(arguments[0]);
        await peer.close();
        const code = await Haggle.restore('copy', file, 'nothing of the kind').then(() => null, error => error.code);
        await Haggle.restore('copy', file, words.join(' '));
        const again = await Haggle.open({ relays: [], profile: 'copy' });
        const stall = new Promise(done => again.on('stall', done));
        return { code, words, again: await again.phrase(), items: (await stall).items.length };";
    let told = program
        .browser
        .js_async(script, vec![PASSPHRASE.into()])
        .await?;
    ensure(told["code"] == "backup-secret", || told.to_string())?;
    ensure(told["words"] == told["again"], || {
        "another trader".to_owned()
    })?;
    ensure(told["items"] == 1, || told["items"].to_string())
}
