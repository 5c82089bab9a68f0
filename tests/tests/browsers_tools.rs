//! The tools of the other tests, tried out on a page that is known: a test must be able to see what it looks for.

use std::time::Duration;

use haggle_tests::browser::{Driver, Look};
use haggle_tests::site::Host;
use haggle_tests::{Outcome, ensure};

const SOON: Duration = Duration::from_secs(20);

const PAGE: &str = r#"<!doctype html><html lang="en"><head>
    <meta http-equiv="Content-Security-Policy" content="script-src 'self'">
    <meta name="viewport" content="width=device-width">
    <link rel="icon" href="data:,"><title>Known</title><script src="known.js" defer></script></head>
    <body><label>Name <input id="name"></label>
    <select id="size"><option value="s">small</option><option value="l">large</option></select>
    <button disabled>Go</button><p id="told" hidden></p></body></html>"#;

const SCRIPT: &str = r#"
    const button = document.querySelector('button');
    document.querySelector('#name').addEventListener('input', () => { button.disabled = false });
    button.addEventListener('click', () => {
        const told = document.querySelector('#told');
        told.textContent = document.querySelector('#name').value + document.querySelector('#size').value;
        told.hidden = false;
        localStorage.setItem('told', told.textContent);
        const request = indexedDB.open('known', 1);
        request.onupgradeneeded = () => request.result.createObjectStore('records');
        request.onsuccess = () => {
            const change = request.result.transaction('records', 'readwrite');
            change.objectStore('records').put(new TextEncoder().encode('bytes of ' + told.textContent), 'key');
            change.oncomplete = () => { told.dataset.kept = 'yes' };
        };
    });"#;

fn known() -> Outcome<(tempfile::TempDir, Host)> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("index.html"), PAGE)?;
    std::fs::write(folder.path().join("known.js"), SCRIPT)?;
    let host = Host::serve(folder.path(), "/sub/path/")?;
    Ok((folder, host))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_browser_shows_keeps_and_loses_is_seen() -> Outcome {
    let (_folder, host) = known()?;
    let driver = Driver::start()?;
    let browser = driver.open("ann").await?;
    browser.goto(&host.url()).await?;
    browser.fill("#name", "Grüße", SOON).await?;
    browser.choose("#size", "l", SOON).await?;
    browser.click("button", SOON).await?;
    assert_eq!(browser.see("#told", SOON).await?, "Grüßel");
    browser.see("#told[data-kept]", SOON).await?;
    let kept = browser.storage().await?;
    ensure(
        kept.contains("known/records/key: bytes of Grüßel"),
        || kept.clone(),
    )?;
    ensure(kept.contains("\"told\":\"Grüßel\""), || kept)?;
    assert_eq!(browser.blamed_for(&[]).await?, Vec::<String>::new());

    // What was not there within the time is a trouble that says what was.
    let missing = browser.see("#elsewhere", Duration::from_millis(300)).await;
    ensure(
        missing.is_err_and(|trouble| trouble.to_string().contains("Name")),
        || "seen".into(),
    )?;

    // After a crash the same profile has kept what was committed.
    let id = browser.id();
    let home = browser.crash()?;
    assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
    let again = driver.open_at("ann", home).await?;
    again.goto(&host.url()).await?;
    ensure(again.storage().await?.contains("Grüßel"), || {
        "lost".into()
    })?;

    // Another browser shares nothing with it.
    let other = driver.open("ben").await?;
    other.goto(&host.url()).await?;
    ensure(!other.storage().await?.contains("Grüßel"), || {
        "shared".into()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_page_is_to_be_blamed_for_is_noticed() -> Outcome {
    let (_folder, host) = known()?;
    let driver = Driver::start()?;
    let browser = driver.open("ann").await?;
    browser.goto(&host.url()).await?;
    let inject = "const bad = document.createElement('script'); bad.textContent = '1';
        document.body.append(bad); console.error('said aloud');
        setTimeout(() => { throw new Error('uncaught') });";
    browser.js(inject, vec![]).await?;
    browser
        .until(
            "three faults",
            SOON,
            "return window.__blamed.length >= 2",
            vec![],
        )
        .await?;
    let blamed = browser.blamed_for(&[]).await?.join("\n");
    for fault in [
        "policy: script-src",
        "said aloud",
        "Uncaught Error: uncaught",
    ] {
        ensure(blamed.contains(fault), || {
            format!("{fault} is not in {blamed}")
        })?;
    }
    ensure(
        browser.renderers()?.iter().any(|size| *size > 1 << 20),
        || "no renderer".into(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_has_the_size_and_the_colours_that_were_asked_for() -> Outcome {
    let (folder, host) = known()?;
    let driver = Driver::start()?;
    let browser = driver.open("ann").await?;
    browser.goto(&host.url()).await?;
    for look in Look::ALL {
        browser.look(look).await?;
        let seen = "return innerWidth === arguments[0] &&
            matchMedia('(prefers-color-scheme: dark)').matches === arguments[1]";
        browser
            .until(
                "the look",
                SOON,
                seen,
                vec![look.width.into(), look.dark.into()],
            )
            .await?;
        let file = folder.path().join(look.name);
        browser.picture(&file).await?;
        let bytes = std::fs::read(&file)?;
        assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(bytes[16..20], look.width.to_be_bytes());
    }
    Ok(())
}
