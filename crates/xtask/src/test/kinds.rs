//! The kinds of checks and tests, each a function, and what of the workspace belongs to which.

use super::mint::Mint;
use crate::browser::FLAGS;
use crate::compilers;
use crate::outfit::{self, Speed, artefacts};
use crate::run::Run;
use crate::say::{OrSay, Outcome, Trouble, skipped};
use crate::tally::Tally;
use crate::toolchain::WASM;
use crate::workshop::Workshop;
use crate::workspace::{Package, Workspace};
use crate::{js, site, tidy};
use std::fs;

/// One kind of check or test.
pub(super) struct Kind {
    /// How it is called on the command line and in the table.
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// Runs it.
    pub(super) run: fn(&Workshop) -> Outcome<Report>,
}

/// What came of a kind.
pub(super) enum Report {
    /// It held; it is not made of tests.
    Held,
    /// Test runners ran; whether all exited well, and what they counted.
    Ran(bool, Tally),
    /// The workspace has no tests of this kind.
    Absent,
}

/// Every kind, in the order in which they run.
pub(super) const KINDS: [Kind; 12] = [
    Kind {
        name: "fmt",
        about: "formatting",
        run: fmt,
    },
    Kind {
        name: "tidy",
        about: "what the architecture promises",
        run: tidy_up,
    },
    Kind {
        name: "clippy",
        about: "lints, native",
        run: clippy,
    },
    Kind {
        name: "clippy-wasm",
        about: "lints, for the browser",
        run: clippy_wasm,
    },
    Kind {
        name: "unit",
        about: "unit and property tests, native",
        run: unit,
    },
    Kind {
        name: "simulation",
        about: "simulated markets",
        run: simulation,
    },
    Kind {
        name: "wasm",
        about: "tests in a headless browser",
        run: wasm,
    },
    Kind {
        name: "network",
        about: "real peers and relays, native",
        run: network,
    },
    Kind {
        name: "site",
        about: "the site builds",
        run: build_site,
    },
    Kind {
        name: "js",
        about: "the JavaScript package builds",
        run: build_js,
    },
    Kind {
        name: "browsers",
        about: "end to end in real browsers",
        run: browsers,
    },
    Kind {
        name: "system",
        about: "every other test of the whole system",
        run: system,
    },
];

/// The crate of the whole-system tests.
const WHOLE_SYSTEM: &str = "haggle-tests";

/// How many seconds all tests of one file may take in the browser; the runner's own 20 are too few
/// for a machine that is busy with something else.
const WASM_PATIENCE: &str = "180";

/// Crates that are compiled for the browser.
const BROWSER_CRATES: [&str; 12] = [
    "haggle-protocol",
    "haggle-book",
    "haggle-market",
    "haggle-store",
    "haggle-payments",
    "haggle-webrtc",
    "haggle-net",
    "haggle-node",
    "haggle-js",
    "haggle-money",
    "haggle-web",
    "haggle-interop",
];

fn fmt(shop: &Workshop) -> Outcome<Report> {
    shop.cargo("fmt")
        .args(["--all", "--check"])
        .openly()
        .map_err(|trouble| Trouble::new(format!("{trouble}; `cargo fmt --all` puts it right")))?;
    Ok(Report::Held)
}

fn tidy_up(shop: &Workshop) -> Outcome<Report> {
    tidy::run(shop)?;
    Ok(Report::Held)
}

fn clippy(shop: &Workshop) -> Outcome<Report> {
    shop.cargo_for_all("clippy")?
        .args(["--all-targets", "--", "-D", "warnings"])
        .openly()?;
    Ok(Report::Held)
}

fn clippy_wasm(shop: &Workshop) -> Outcome<Report> {
    let run = compilers::around(wasm_cargo(shop, "clippy")?)?;
    let run = browser_crates(&shop.workspace).fold(run, |run, name| run.args(["--package", name]));
    run.args(["--", "-D", "warnings"]).openly()?;
    Ok(Report::Held)
}

/// Everything native but the whole-system tests: libraries, programs, files of tests, and examples in
/// the documentation.
fn unit(shop: &Workshop) -> Outcome<Report> {
    let files = shop
        .workspace
        .packages
        .iter()
        .filter(|package| package.is_tested_natively() && package.name != WHOLE_SYSTEM)
        .flat_map(|package| package.targets_of_kind("test"));
    let run = shop
        .cargo_for_all("test")?
        .args(["--no-fail-fast", "--lib", "--bins"])
        .env("HAGGLE_DATA", shop.data()?);
    let run = files.fold(run, |run, file| run.args(["--test", file]));
    let (well, tally) = run.counted()?;
    let (docs_well, docs) = shop
        .cargo_for_all("test")?
        .args(["--no-fail-fast", "--doc"])
        .counted()?;
    Ok(Report::Ran(well && docs_well, tally.and(docs)))
}

fn simulation(shop: &Workshop) -> Outcome<Report> {
    let files = system_files(&shop.workspace, Group::Simulation);
    if files.is_empty() {
        return Ok(Report::Absent);
    }
    let run = shop
        .cargo_for_all("test")?
        .arg("--no-fail-fast")
        .env("HAGGLE_DATA", shop.data()?);
    system_tests(run, &files, &[])
}

fn network(shop: &Workshop) -> Outcome<Report> {
    let files = system_files(&shop.workspace, Group::Network);
    if files.is_empty() {
        return Ok(Report::Absent);
    }
    let names = [outfit::AGENT, outfit::MINT, outfit::RELAY];
    let [agent, mint, relay] = outfit::programs(shop, Speed::Dev, names)?;
    let run = shop
        .cargo_for_all("test")?
        .arg("--no-fail-fast")
        .env("HAGGLE_DATA", shop.data()?)
        .env("HAGGLE_ARTEFACTS", artefacts(shop)?)
        .env("HAGGLE_AGENT", agent)
        .env("HAGGLE_MINT", mint)
        .env("HAGGLE_RELAY", relay);
    system_tests(run, &files, &[])
}

fn browsers(shop: &Workshop) -> Outcome<Report> {
    in_browsers(shop, Group::Browsers)
}

fn system(shop: &Workshop) -> Outcome<Report> {
    in_browsers(shop, Group::Other)
}

fn in_browsers(shop: &Workshop, group: Group) -> Outcome<Report> {
    let mut files = system_files(&shop.workspace, group);
    let needing_root = |file: &&str| ROUTERS.contains(file);
    if files.iter().any(needing_root) && !is_root() {
        skipped(format!(
            "{}, because only root may build networks of its own here",
            ROUTERS.join(" and ")
        ));
        files.retain(|file| !needing_root(file));
    }
    if files.is_empty() {
        return Ok(Report::Absent);
    }
    let mut run = shop.cargo_for_all("test")?.arg("--no-fail-fast");
    if files.contains(&FIREFOX) {
        run = outfit::firefox(shop, run)?;
    }
    let run = outfit::everything(shop, run, Speed::Dev)?;
    // One at a time: each starts several browsers, and their times are limits of liveness.
    system_tests(run, &files, &["--", "--test-threads=1"])
}

/// Browsers behind routers, in network namespaces.
const ROUTERS: [&str; 2] = [FIREFOX, "browsers_nat"];

/// Firefox beside Chromium.
const FIREFOX: &str = "browsers_firefox";

pub(crate) fn is_root() -> bool {
    Run::new("id")
        .arg("-u")
        .silently()
        .is_ok_and(|said| said.trim() == "0")
}

fn system_tests(run: Run, files: &[&str], more: &[&str]) -> Outcome<Report> {
    let run = files
        .iter()
        .fold(run, |run, file| run.args(["--test", file]));
    let (well, tally) = run.args(more).counted()?;
    Ok(Report::Ran(well, tally))
}

/// Tests that run in the browser itself, of every crate that has some.
fn wasm(shop: &Workshop) -> Outcome<Report> {
    let tested: Vec<_> = shop
        .workspace
        .packages
        .iter()
        .filter(|p| has_wasm_tests(p))
        .collect();
    if tested.is_empty() {
        return Ok(Report::Absent);
    }
    let capabilities = shop.workspace.target.join("webdriver.json");
    let chromium = shop.browser()?;
    let wish = serde_json::json!({
        "goog:chromeOptions": { "binary": chromium.chromium, "args": FLAGS },
    });
    fs::write(&capabilities, wish.to_string())
        .or_say(|| format!("write {}", capabilities.display()))?;
    // Ended when this kind is.
    let mint = Mint::start(shop)?;
    let run = compilers::around(wasm_cargo(shop, "test")?)?
        .arg("--no-fail-fast")
        // Compiled in: a test in a page sees no environment.
        .env("HAGGLE_TEST_MINT", &mint.url)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", {
            shop.wasm_bindgen()?.join("wasm-bindgen-test-runner")
        })
        .env("CHROMEDRIVER", &chromium.chromedriver)
        .env("WASM_BINDGEN_TEST_ONLY_WEB", "1")
        .env("WASM_BINDGEN_TEST_TIMEOUT", WASM_PATIENCE)
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", &capabilities);
    let run = tested
        .iter()
        .fold(run, |run, package| run.args(["--package", &package.name]));
    let (well, tally) = run.args(["--lib", "--tests"]).counted()?;
    Ok(Report::Ran(well, tally))
}

fn build_site(shop: &Workshop) -> Outcome<Report> {
    if !shop.workspace.root.join("web/index.html").is_file() {
        return Ok(Report::Absent);
    }
    site::build(shop)?;
    // Only now is there something to look into.
    tidy::run(shop)?;
    Ok(Report::Held)
}

fn build_js(shop: &Workshop) -> Outcome<Report> {
    if !has_library(&shop.workspace, "haggle-js") {
        return Ok(Report::Absent);
    }
    js::build(shop)?;
    Ok(Report::Held)
}

fn wasm_cargo(shop: &Workshop, command: &str) -> Outcome<Run> {
    let run = shop.wasm()?.cargo().within(&shop.workspace.root);
    Ok(run.args([command, "--locked", "--target", WASM]))
}

fn browser_crates(workspace: &Workspace) -> impl Iterator<Item = &'static str> {
    BROWSER_CRATES.into_iter().filter(|name| {
        let there = has_library(workspace, name);
        if !there && workspace.package(name).is_some() {
            skipped(format!("{name}, which has no library"));
        }
        there
    })
}

fn has_library(workspace: &Workspace, name: &str) -> bool {
    let library = |p: &Package| p.has_library() || p.targets_of_kind("cdylib").next().is_some();
    workspace.package(name).is_some_and(library)
}

fn has_wasm_tests(package: &Package) -> bool {
    package.name != WHOLE_SYSTEM
        && package
            .dependencies
            .iter()
            .any(|d| d.dev && d.name == "wasm-bindgen-test")
}

/// What a file of whole-system tests needs to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    /// Nothing but the data.
    Simulation,
    /// Real peers and relays, and the program of one.
    Network,
    /// The site, the package and a browser.
    Browsers,
    /// Not known, so it is given everything.
    Other,
}

impl Group {
    /// The group of a file, by the beginning of its name.
    fn of(file: &str) -> Self {
        let begins = |beginnings: &[&str]| beginnings.iter().any(|b| file.starts_with(b));
        if begins(&["market_day", "simulat", "fair"]) {
            Self::Simulation
        } else if begins(&["network", "relay", "bad_input", "canary"]) {
            Self::Network
        } else if begins(&["browser", "screens"]) {
            Self::Browsers
        } else {
            Self::Other
        }
    }
}

fn system_files(workspace: &Workspace, group: Group) -> Vec<&str> {
    let package = workspace.package(WHOLE_SYSTEM);
    package
        .into_iter()
        .flat_map(|package| package.targets_of_kind("test"))
        .filter(|file| Group::of(file) == group)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_system_tests_are_grouped_by_what_they_need() {
        assert_eq!(Group::of("market_day"), Group::Simulation);
        assert_eq!(Group::of("network_two_relays"), Group::Network);
        assert_eq!(Group::of("browsers_trade"), Group::Browsers);
        assert_eq!(Group::of("canary"), Group::Network);
        assert_eq!(Group::of("anything_else"), Group::Other);
    }
}
