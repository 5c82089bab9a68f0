//! Finds or installs the browsers that tests drive: Chromium with the ChromeDriver of the same version, and Firefox.

use crate::apt;
use crate::run::{Run, find_program};
use crate::say::{Outcome, Trouble};
use std::env;
use std::path::PathBuf;

/// The flags every test browser starts with: no window, no sandbox (tests often run as root, where
/// the sandbox cannot be had), no graphics card, and none of the traffic that Chromium starts by
/// itself.
pub(crate) const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser and its driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Browser {
    /// The program of the browser.
    pub(crate) chromium: PathBuf,
    /// The program that speaks WebDriver for it.
    pub(crate) chromedriver: PathBuf,
}

/// Names under which distributions install the browser, in order of preference.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Names under which distributions install Firefox.
const FIREFOXES: [&str; 2] = ["firefox-esr", "firefox"];

/// Names under which distributions install the driver.
const DRIVERS: [&str; 2] = ["chromedriver", "chromium.chromedriver"];

/// The browser to test with, installed if need be.
pub(crate) fn ready() -> Outcome<Browser> {
    if let Some(browser) = find() {
        return check(browser);
    }
    apt::install(
        &["chromium", "chromium-driver"],
        "the tests drive a real browser, headless, and its driver must be of the same version",
    )
    .map_err(|trouble| {
        Trouble::new(format!(
            "{trouble}; or name your own by HAGGLE_CHROMIUM and HAGGLE_CHROMEDRIVER"
        ))
    })?;
    match find() {
        Some(browser) => check(browser),
        None => Err(Trouble::new(
            "chromium was installed but is not in PATH; name it by HAGGLE_CHROMIUM and its driver by \
             HAGGLE_CHROMEDRIVER",
        )),
    }
}

/// The Firefox to test with, installed if need be.
pub(crate) fn firefox() -> Outcome<PathBuf> {
    if let Some(firefox) = find_firefox() {
        return Ok(firefox);
    }
    apt::install(
        &["firefox-esr"],
        "the direct channel is tried between Chromium and Firefox",
    )
    .map_err(|trouble| Trouble::new(format!("{trouble}; or name your own by HAGGLE_FIREFOX")))?;
    find_firefox().ok_or_else(|| {
        Trouble::new("firefox-esr was installed but is not in PATH; name it by HAGGLE_FIREFOX")
    })
}

fn find_firefox() -> Option<PathBuf> {
    given_or_found("HAGGLE_FIREFOX", &FIREFOXES)
}

fn find() -> Option<Browser> {
    Some(Browser {
        chromium: given_or_found("HAGGLE_CHROMIUM", &BROWSERS)?,
        chromedriver: given_or_found("HAGGLE_CHROMEDRIVER", &DRIVERS)?,
    })
}

/// What the variable names, or the first of these programs that is there.
fn given_or_found(variable: &str, names: &[&str]) -> Option<PathBuf> {
    let given = env::var_os(variable).map(PathBuf::from);
    given.or_else(|| names.iter().find_map(|name| find_program(name)))
}

/// A driver of another version refuses the browser with a message that few understand; better to
/// find out here.
fn check(browser: Browser) -> Outcome<Browser> {
    let version = |program: &PathBuf| {
        let said = Run::new(program).arg("--version").silently()?;
        major_version(&said).ok_or_else(|| {
            Trouble::new(format!(
                "{} does not say its version: {said}",
                program.display()
            ))
        })
    };
    let (ours, its) = (version(&browser.chromium)?, version(&browser.chromedriver)?);
    if ours == its {
        return Ok(browser);
    }
    Err(Trouble::new(format!(
        "{} is version {ours} and {} is version {its}; install the driver of the browser's version, \
         or name a matching pair by HAGGLE_CHROMIUM and HAGGLE_CHROMEDRIVER",
        browser.chromium.display(),
        browser.chromedriver.display(),
    )))
}

/// The first number of the first dotted version in a line like `Chromium 156.0.8078.79 built on …`.
fn major_version(said: &str) -> Option<u32> {
    let word = said
        .split_whitespace()
        .find(|word| word.contains('.') && word.chars().all(|c| c.is_ascii_digit() || c == '.'))?;
    word.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browser_and_driver_are_compared_by_their_major_version() {
        assert_eq!(
            major_version("Chromium 156.0.8078.79 built on Debian GNU/Linux 12"),
            Some(156)
        );
        assert_eq!(
            major_version("ChromeDriver 156.0.8078.79 (7f4f…-refs/heads/x)"),
            Some(156)
        );
        assert_eq!(major_version("no version here"), None);
    }
}
