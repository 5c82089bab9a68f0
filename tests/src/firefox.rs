//! A real Firefox beside the Chromiums of [`browser`](crate::browser): headless, with a profile of its own, in a house of a [`Town`](crate::town::Town), and driven
//! through geckodriver, which attaches to it as the other driver does.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use thirtyfour::FirefoxCapabilities;

use crate::browser::{Browser, Home, START, debugging_port};
use crate::place::from_environment;
use crate::process::Process;
use crate::town::Space;
use crate::trouble::Outcome;

/// Where Debian has the browser.
const USUAL: &str = "/usr/bin/firefox-esr";

/// A free port for the driver, and none of the traffic that Firefox starts by itself. Nothing of WebRTC is set: it is as people have it.
const PREFERENCES: &str = r#"
user_pref("marionette.port", 0);
user_pref("app.normandy.enabled", false);
user_pref("app.update.disabledForTesting", true);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("extensions.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "");
user_pref("toolkit.telemetry.enabled", false);
"#;

/// Opens a Firefox with a fresh profile in a house.
///
/// # Errors
/// If it or its driver does not start.
pub async fn open_in(house: &Space, name: &str) -> Outcome<Browser> {
    let home = Home(Arc::new(tempfile::tempdir()?));
    let profile = home.0.path();
    std::fs::write(profile.join("user.js"), PREFERENCES)?;
    let firefox = env::var_os("HAGGLE_FIREFOX").map_or_else(|| PathBuf::from(USUAL), PathBuf::from);
    let mut process = Process::start(
        inside(house, &firefox, profile)
            .args(["--headless", "--marionette", "--no-remote", "--profile"])
            .arg(profile),
        &profile.join("errors.log"),
    )?;
    let note = profile.join("MarionetteActivePort");
    let parse = |text: &str| text.trim().parse().ok();
    let marionette = debugging_port(&note, &mut process, name, parse).await?;

    let gecko = from_environment("HAGGLE_GECKODRIVER", "the program geckodriver")?;
    let door = house.door(None)?;
    let driver = Process::start(
        inside(house, &gecko, profile)
            .args(["--port", &door.port().to_string()])
            .args(["--connect-existing", "--marionette-port"])
            .arg(marionette.to_string()),
        &profile.join("driver.log"),
    )?;
    driver
        .until_it_says(|line| line.contains("Listening on").then_some(()), START)
        .map_err(|trouble| trouble.while_doing("starting geckodriver"))?;
    let url = format!("http://{door}");
    let driver = (url.as_str(), Arc::new(driver));
    Browser::attach(name, FirefoxCapabilities::new(), driver, process, home).await
}

/// A command in a house whose program finds nothing of the person who runs the tests.
fn inside(house: &Space, program: &Path, home: &Path) -> Command {
    let mut command = house.command(program);
    command.env("HOME", home);
    command
}
