//! What goes with words, and how goods change hands: a photo that tells nothing beside its picture, digital goods that come byte for byte over a
//! reload, and a code that the buyer reads aloud at the door.

use haggle_protocol::quote::Quality;
use haggle_tests::browser::Driver;
use haggle_tests::data::{Computers, Scene};
use haggle_tests::person::{Person, SOON, SURELY, Terms, named};
use haggle_tests::photo::{self, WHERE};
use haggle_tests::relay::Relay;
use haggle_tests::{Outcome, ensure, place};
use serde_json::Value;

const OFFER: Terms = Terms {
    quality: Quality::Good,
    days: 2,
    stock: 1,
};

/// A trade of two people, as far as their contacts.
async fn agreed(buyer: &Person, seller: &Person, scene: &Scene) -> Outcome {
    seller.offers(&scene.cheap, OFFER).await?;
    seller
        .introduces_himself("Vera Verkauf", "+1 555 0100")
        .await?;
    seller.answers_by_rule("firm").await?;
    buyer.introduces_himself("Karl Kauf", "+1 555 0199").await?;
    buyer.drafts(&scene.want).await?;
    let intent = buyer.publishes().await?;
    buyer.is_quoted(&intent, 1, SURELY).await?;
    buyer.accepts(&intent, 1).await?;
    for person in [buyer, seller] {
        person.sees_trade("contacts-exchanged").await?;
    }
    Ok(())
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|part| part == needle)
}

/// A file of this name, in this state.
fn file(name: &str, state: &str) -> String {
    format!(
        "{}[data-name=\"{name}\"][data-state=\"{state}\"]",
        named("file")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_without_its_secrets_and_goods_byte_for_byte_go_with_a_trade_that_ends_with_a_code()
-> Outcome {
    let scene = Computers::load()?.scene()?;
    let driver = Driver::start()?;
    let relay = Relay::start(Some(&place::site()?), &[])?;
    let folder = tempfile::tempdir()?;
    let saved = folder.path().join("saved");
    let seller = Person::arrives(&driver, &relay.url(), "seller").await?;
    let buyer = Person::arrives(&driver, &relay.url(), "buyer").await?;
    agreed(&buyer, &seller, &scene).await?;

    // A photo, with nothing to say.
    let taken = photo::taken(&seller, folder.path()).await?;
    seller.talks().await?;
    seller.attaches("chat-files", &taken).await?;
    seller
        .browser
        .read(&named("file-chip"), &["front.jpg"], SURELY)
        .await?;
    buyer.goes_to("ask").await?;
    seller.clicks("chat-send").await?;
    // Who looks at something else is told how much waits, until he has looked.
    let waits = format!("{} .count-badge", named("nav-trades"));
    buyer.browser.see(&waits, SURELY).await?;
    buyer.talks().await?;
    let read = format!("{}[data-unread=\"0\"][data-lines=\"1\"]", named("chat"));
    buyer.browser.see(&read, SURELY).await?;
    let waiting = buyer.browser.count(&waits).await?;
    ensure(waiting == 0, || "what was read still waits".to_owned())?;
    let here = file("front.jpg", "here");
    buyer.browser.see(&here, SURELY).await?;
    let shown = "const photo = document.querySelector(arguments[0]);
        return photo?.complete && photo.naturalWidth ? [photo.naturalWidth, photo.naturalHeight] : null";
    let arguments = vec![Value::from(named("file-photo"))];
    let size = buyer
        .browser
        .until("the photo", SURELY, shown, arguments)
        .await?;
    ensure(size == serde_json::json!([1_600, 1_200]), || {
        size.to_string()
    })?;
    buyer.saves_files_in(&saved).await?;
    buyer
        .browser
        .click(&format!("{here} {}", named("file-save")), SOON)
        .await?;
    let came = buyer.finds(&saved, |name| {
        name.starts_with("front") && name.ends_with(".jpg")
    });
    let came = std::fs::read(came.await?)?;
    let before = std::fs::read(&taken)?;
    ensure(
        holds(&before, WHERE) && came.starts_with(b"\xff\xd8"),
        || "no photo".to_owned(),
    )?;
    ensure(!holds(&came, b"Exif") && !holds(&came, b"Camera"), || {
        "the photo tells where it was taken".to_owned()
    })?;

    // What the browser cannot draw goes nowhere.
    let broken = folder.path().join("broken.jpg");
    std::fs::write(&broken, [&before[..400], &WHERE.repeat(9)].concat())?;
    seller.attaches("chat-files", &broken).await?;
    let told = named("files-fault");
    seller.browser.read(&told, &["broken.jpg"], SURELY).await?;
    let chips = seller.browser.count(&named("file-chip")).await?;
    ensure(chips == 0, || format!("{chips} files would go"))?;

    // Goods go as they are; their reader reloads as soon as he hears of them.
    let goods: Vec<u8> = (0..3_000_000_u32)
        .map(|at| at.to_be_bytes()[2] ^ at.to_be_bytes()[3])
        .collect();
    let score = folder.path().join("score.pdf");
    std::fs::write(&score, &goods)?;
    seller.clicks("step-dispatched").await?;
    seller.attaches("step-files", &score).await?;
    seller
        .browser
        .read(&named("file-chip"), &["score.pdf"], SURELY)
        .await?;
    seller.clicks("step-send").await?;
    buyer.sees_step("dispatched").await?;
    buyer.reloads().await?;
    buyer.goes_to("trades").await?;
    let here = file("score.pdf", "here");
    buyer.browser.see(&here, SURELY).await?;
    buyer.saves_files_in(&saved).await?;
    buyer
        .browser
        .click(&format!("{here} {}", named("file-save")), SOON)
        .await?;
    let came = buyer.finds(&saved, |name| name == "score.pdf").await?;
    ensure(std::fs::read(came)? == goods, || {
        "other goods came".to_owned()
    })?;

    // At the door: the buyer reads his code aloud.
    let code = buyer.browser.see(&named("handover-code"), SURELY).await?;
    ensure(code.len() == 11, || code.clone())?;
    seller.goes_to("trades").await?;
    seller.clicks("step-delivered").await?;
    let wrong = if code.starts_with('0') { "1" } else { "0" };
    seller
        .types("step-code", &format!("{wrong}{}", &code[1..]))
        .await?;
    seller.clicks("step-send").await?;
    let fault = format!("{}[aria-invalid=\"true\"]", named("step-code"));
    seller.browser.see(&fault, SURELY).await?;
    seller
        .types("step-code", &code.to_lowercase().replace(' ', "-"))
        .await?;
    seller.clicks("step-send").await?;
    for person in [&seller, &buyer] {
        person.sees_trade("delivered").await?;
    }
    buyer.reports("received").await?;
    for person in [&seller, &buyer] {
        person.sees_trade("received").await?;
        person.reloads().await?;
        person.sees_trade("received").await?;
        let blamed = person.browser.blamed_for(&[]).await?;
        let name = person.browser.name();
        ensure(blamed.is_empty(), || format!("{name}: {blamed:#?}"))?;
    }
    buyer
        .browser
        .see(&file("front.jpg", "here"), SURELY)
        .await?;
    Ok(())
}
