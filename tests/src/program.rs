//! A trader who is a program: a page of a few lines on a host of its own, which imports the JavaScript package as any
//! program would, and is told what to do through it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::{Browser, Driver};
use crate::place;
use crate::site::Host;
use crate::trouble::{Outcome, Trouble};

/// How long the package may take to be loaded and online on a busy machine.
const SOON: Duration = Duration::from_secs(60);

const PAGE: &str = r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A program</title>
    <link rel="icon" href="data:,"><script type="module" src="program.js"></script></head><body></body></html>"#;

/// Everything that the package tells is kept as it came.
const SCRIPT: &str = r#"
    import init, { Haggle } from "./pkg/haggle.js";
    window.told = [];
    await init();
    const relays = [decodeURIComponent(location.hash.slice(1))];
    window.peer = await Haggle.open({ relays, profile: "shop" });
    const types = ["quote", "my-intent", "open-intent", "gone", "trade", "stall", "ready", "network", "stopped"];
    for (const type of types) window.peer.on(type, value => {
        window.told.push({ type, value });
        if (type === "network") window.online = value.state === "online" &&
            value.relays.some(relay => relay.state === "reserved");
    });
"#;

/// The host of the program's page.
#[derive(Debug)]
pub struct Shop {
    host: Host,
    _folder: TempDir,
}

/// A running program.
#[derive(Debug)]
pub struct Program {
    /// Its browser.
    pub browser: Browser,
}

impl Shop {
    /// Puts page and package on a host.
    ///
    /// # Errors
    /// If `HAGGLE_JS` does not name the package.
    pub fn open() -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("index.html"), PAGE)?;
        std::fs::write(folder.path().join("program.js"), SCRIPT)?;
        copy(&place::js()?, &folder.path().join("pkg"))?;
        Ok(Self {
            host: Host::serve(folder.path(), "/shop/")?,
            _folder: folder,
        })
    }

    /// Starts the program in a browser of its own, with this relay.
    ///
    /// # Errors
    /// If it is not online in time.
    pub async fn starts(&self, driver: &Arc<Driver>, name: &str, relay: &str) -> Outcome<Program> {
        let browser = driver.open(name).await?;
        browser
            .goto(&format!("{}#{relay}", self.host.url()))
            .await?;
        let program = Program { browser };
        program.ready().await?;
        Ok(program)
    }
}

impl Program {
    async fn ready(&self) -> Outcome {
        self.browser
            .until(
                "the program being online",
                SOON,
                "return window.online",
                vec![],
            )
            .await?;
        Ok(())
    }

    /// Loads its page again, and waits until it is online.
    ///
    /// # Errors
    /// If it is not in time.
    pub async fn reloads(&self) -> Outcome {
        self.browser.reload().await?;
        self.ready().await
    }

    /// Calls a method of the package.
    ///
    /// # Errors
    /// What the method rejects with.
    pub async fn calls(&self, method: &str, arguments: Value) -> Outcome<Value> {
        let call = "return await window.peer[arguments[0]](...arguments[1])";
        self.browser
            .js_async(call, vec![method.into(), arguments])
            .await
    }

    /// Waits until something was told that a script (an expression over `type` and `value`) holds of; gives the newest
    /// such value.
    ///
    /// # Errors
    /// If it is not in time.
    pub async fn hears(&self, what: &str, holds: &str, within: Duration) -> Outcome<Value> {
        let script = format!("return window.told?.findLast(({{ type, value }}) => {holds})?.value");
        self.browser.until(what, within, &script, vec![]).await
    }

    /// Everything that was told, in JSON.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn told(&self) -> Outcome<String> {
        let told = self
            .browser
            .js("return JSON.stringify(window.told)", vec![])
            .await?;
        told.as_str()
            .map(str::to_owned)
            .ok_or_else(|| Trouble::new("nothing was told"))
    }

    /// Puts an item into its stall and lets it answer by rule.
    ///
    /// # Errors
    /// What the package rejects with.
    pub async fn offers(&self, item: &haggle_market::Item, rule: &str) -> Outcome {
        self.calls("setRules", json!([{ "auto": rule }])).await?;
        self.calls("putItem", json!([serde_json::to_value(item)?]))
            .await?;
        Ok(())
    }
}

/// Copies a folder with all that is in it.
///
/// # Errors
/// If it cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> Outcome {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
