//! What goes wrong on a person's own device: a second window, a full disk, a damaged record, a wrong clock, a page that was frozen. Each ends
//! in plain words and with nothing lost that was confirmed.

use haggle_protocol::quote::Quality;
use haggle_tests::browser::Driver;
use haggle_tests::data::Computers;
use haggle_tests::person::{Person, SOON, SURELY, Terms, named};
use haggle_tests::relay::Relay;
use haggle_tests::{Outcome, ensure, place};
use serde_json::json;
use tokio::time::Instant;

const TERMS: Terms = Terms {
    quality: Quality::Fine,
    days: 2,
    stock: 2,
};

/// The page has stopped and says why.
fn stopped(code: &str) -> String {
    format!("{}[data-code=\"{code}\"]", named("stopped"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_window_says_that_the_first_one_is_open_and_goes_on_in_its_place_on_wish()
-> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;
    let person = Person::arrives(&driver, &relay.url(), "person").await?;
    person.drafts(&scene.want).await?;
    let intent = person.publishes().await?;
    let request = format!("[data-intent=\"{intent}\"]");

    let second = format!("{}#as=person&at=requests", relay.url());
    let first = person.browser.opens_another(&second).await?;
    person.browser.see(&named("profile-busy"), SURELY).await?;
    person.clicks("busy-take-over").await?;
    person.ready().await?;
    person.browser.see(&request, SURELY).await?;
    // The first one rests and says so, and can be taken up again.
    person.browser.turns_to(first).await?;
    person.browser.see(&named("profile-busy"), SURELY).await?;
    person.clicks("busy-take-over").await?;
    person.ready().await?;
    person.goes_to("requests").await?;
    person.browser.see(&request, SURELY).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_the_page_in_plain_words_and_loses_nothing_that_was_confirmed() -> Outcome
{
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;
    let person = Person::arrives(&driver, &relay.url(), "person").await?;
    person.offers(&scene.dearer, TERMS).await?;
    let origin = person.browser.js("return location.origin", vec![]).await?;
    let command = "Storage.overrideQuotaForOrigin";
    let full = json!({ "origin": origin.clone(), "quotaSize": 1 });
    person.browser.devtools(command, full).await?;
    // Chromium asks for the room that is left only now and then: he goes on working until it has noticed.
    let deadline = Instant::now() + SURELY;
    for rule in ["firm", "indicative"].into_iter().cycle() {
        if person.browser.count(&stopped("store-full")).await? > 0 {
            break;
        }
        ensure(Instant::now() < deadline, || {
            "the disk is full, and the page goes on".to_owned()
        })?;
        // Refused once the page has stopped, which is what is looked for.
        let _ = person.answers_by_rule(rule).await;
    }
    person
        .browser
        .devtools(command, json!({ "origin": origin }))
        .await?;
    person.reloads().await?;
    person.goes_to("stall").await?;
    person.browser.see(&named("stall-item"), SURELY).await?;
    person.drafts(&scene.want).await?;
    person.publishes().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_read_is_said_and_kept_and_there_is_a_way_back() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;
    let person = Person::arrives(&driver, &relay.url(), "person").await?;
    person.drafts(&scene.want).await?;
    person.publishes().await?;
    let damage = "
        const asked = request => new Promise((yes, no) => {
            request.onsuccess = () => yes(request.result);
            request.onerror = () => no(request.error);
        });
        const database = await asked(indexedDB.open('haggle/person'));
        const records = database.transaction('records', 'readwrite').objectStore('records');
        for (const key of await asked(records.getAllKeys())) {
            if (!new TextDecoder().decode(key).startsWith('intent/')) continue;
            const value = await asked(records.get(key));
            const text = new TextDecoder().decode(value).replace('\"version\":1', arguments[0]);
            await asked(records.put(new TextEncoder().encode(text), key));
        }
        database.close();";
    person
        .browser
        .js_async(damage, vec!["\"version\":9".into()])
        .await?;
    person.browser.reload().await?;
    person
        .browser
        .see(&stopped("records-damaged"), SURELY)
        .await?;
    person.browser.see(&named("safe-back"), SOON).await?;
    let kept = person.browser.storage().await?;
    ensure(kept.contains("\"version\":9"), || "overwritten".to_owned())?;
    // Anybody's words will do to see that the way back is one.
    let words = "legal winner thank year wave sausage worth useful legal winner thank yellow";
    person.types("restore-secret", words).await?;
    person.clicks("restore-check").await?;
    person.browser.see(&named("restore-found"), SURELY).await?;
    person.clicks("restore-sure").await?;
    person.clicks("restore-go").await?;
    person.ready().await
}

/// What the dialog about backups says of the browser's own promise.
async fn is_told(person: &Person, promise: &str) -> Outcome {
    person.clicks("settings").await?;
    person.clicks("safe-open").await?;
    person.browser.see(&named(promise), SURELY).await?;
    let close = "document.querySelector('dialog[open]').close()";
    person.browser.js(close, vec![]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_window_works_like_any_other_and_says_that_nothing_of_it_stays() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;
    let browser = driver.open_privately("private").await?;
    let person = Person::sits_down(browser, &relay.url()).await?;
    person.drafts(&scene.want).await?;
    let intent = person.publishes().await?;
    person.reloads().await?;
    person.goes_to("requests").await?;
    let request = format!("[data-intent=\"{intent}\"]");
    person.browser.see(&request, SURELY).await?;
    is_told(&person, "storage-may-go").await?;

    // Where a browser promises to keep it, that is said too.
    let keeper = Person::arrives(&driver, &relay.url(), "keeper").await?;
    let grant = json!({ "permissions": ["durableStorage"] });
    let command = "Browser.grantPermissions";
    keeper.browser.devtools(command, grant).await?;
    keeper.drafts(&scene.want).await?;
    keeper.publishes().await?;
    is_told(&keeper, "storage-stays").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_two_hours_wrong_is_told_of() -> Outcome {
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;
    let browser = driver.open("person").await?;
    let wrong = "const now = Date.now.bind(Date); Date.now = () => now() + 2 * 60 * 60 * 1000;";
    let script = json!({ "source": wrong });
    browser
        .devtools("Page.addScriptToEvaluateOnNewDocument", script)
        .await?;
    let person = Person::sits_down(browser, &relay.url()).await?;
    person.clicks("connection-pill").await?;
    let told = person.browser.see(&named("clock-off"), SURELY).await?;
    ensure(told.contains("2 hours"), || told.clone())
}

/// Before the scripts of a page: its clocks, the one on the wall and the steady one, stand where they stood an hour ago, until it has slept.
const AN_HOUR_AGO: &str = "
    const hour = 60 * 60 * 1000, wall = Date.now.bind(Date), steady = performance.now.bind(performance);
    window.__slept = 0;
    Date.now = () => wall() - hour + window.__slept;
    performance.now = () => steady() + window.__slept;";

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_slept_for_an_hour_hears_what_was_said_meanwhile_and_answers_it() -> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let mut relay = Relay::start(Some(&place::site()?), &[])?;
    let browser = driver.open("seller").await?;
    let script = json!({ "source": AN_HOUR_AGO });
    browser
        .devtools("Page.addScriptToEvaluateOnNewDocument", script)
        .await?;
    let seller = Person::sits_down(browser, &relay.url()).await?;
    seller.offers(&scene.dearer, TERMS).await?;
    seller.answers_by_rule("indicative").await?;
    let frozen = |state: &str| json!({ "state": state });
    let command = "Page.setWebLifecycleState";
    seller.browser.devtools(command, frozen("frozen")).await?;
    let slept = "const before = [Date.now(), performance.now()];
        window.__slept = 60 * 60 * 1000;
        return [Date.now() - before[0], performance.now() - before[1]].every(passed => passed >= window.__slept)";
    let passed = seller.browser.js(slept, vec![]).await?;
    ensure(passed == true, || "no hour has passed".to_owned())?;
    // What an hour of sleep does to connections: the other end has long forgotten them.
    relay.start_again()?;
    let buyer = Person::arrives(&driver, &relay.url(), "buyer").await?;
    buyer.drafts(&scene.want).await?;
    let intent = buyer.publishes().await?;
    buyer.reloads().await?;
    seller.browser.devtools(command, frozen("active")).await?;
    buyer.goes_to("requests").await?;
    buyer.is_quoted(&intent, 1, SURELY).await
}
