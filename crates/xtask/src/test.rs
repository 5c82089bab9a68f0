//! `cargo xtask test`: every check and every test, the cheap ones first. Each runner's own summary
//! lines go to the screen; at the end stands a table of how many tests of each kind ran and how long
//! they took. What tests there are is read from the workspace: a new file of tests is found by itself.

use crate::browser::FLAGS;
use crate::run::Run;
use crate::say::{OrSay, Outcome, Stopwatch, Trouble, doing, how_long, skipped};
use crate::tally::Tally;
use crate::toolchain::WASM;
use crate::workshop::Workshop;
use crate::workspace::{Package, Workspace};
use crate::{js, site, tidy};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// What the command line asks for.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Only these kinds; all if empty.
    pub(crate) only: Vec<String>,
    /// Go on after a kind that fails.
    pub(crate) keep_going: bool,
}

/// One kind of check or test.
struct Kind {
    name: &'static str,
    about: &'static str,
    run: fn(&Workshop) -> Outcome<Report>,
}

/// What came of a kind.
enum Report {
    /// It held; it is not made of tests.
    Held,
    /// Test runners ran; whether all exited well, and what they counted.
    Ran(bool, Tally),
    /// The workspace has no tests of this kind.
    Absent,
}

/// Every kind, in the order in which they run.
const KINDS: [Kind; 12] = [
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

/// The relay's program.
const RELAY: &str = "haggle-relay";

/// Crates that are compiled for the browser.
const BROWSER_CRATES: [&str; 10] = [
    "haggle-protocol",
    "haggle-book",
    "haggle-market",
    "haggle-store",
    "haggle-payments",
    "haggle-webrtc",
    "haggle-net",
    "haggle-node",
    "haggle-js",
    "haggle-web",
];

/// Runs the kinds that are asked for and prints the table.
pub(crate) fn run(shop: &Workshop, options: &Options) -> Outcome {
    let kinds = chosen(&options.only)?;
    if options.only.is_empty() {
        shop.set_up(true)?;
    }
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for kind in kinds {
        if !failed.is_empty() && !options.keep_going {
            rows.push(Row {
                kind: kind.name,
                tally: None,
                verdict: "not run",
                took: None,
            });
            continue;
        }
        doing(format!("{}: {}", kind.name, kind.about));
        let watch = Stopwatch::start();
        let outcome = (kind.run)(shop);
        if let Err(trouble) = &outcome {
            eprintln!("haggle: {}: {trouble}", kind.name);
        }
        let row = Row::of(kind, &outcome, watch.elapsed());
        if row.verdict == FAILED || row.verdict == EMPTY {
            failed.push(kind.name);
        }
        rows.push(row);
    }
    print!("{}", table(&rows));
    if failed.is_empty() {
        return Ok(());
    }
    let again = failed
        .iter()
        .fold(String::new(), |all, kind| format!("{all} --only {kind}"));
    Err(Trouble::new(format!(
        "failed: {}; what went wrong is printed above, and `cargo xtask test{again}` runs only that",
        failed.join(", ")
    )))
}

/// The kinds that the names ask for, in their own order.
fn chosen(only: &[String]) -> Outcome<Vec<&'static Kind>> {
    if let Some(unknown) = only
        .iter()
        .find(|name| KINDS.iter().all(|kind| kind.name != **name))
    {
        let list: String = KINDS
            .iter()
            .map(|kind| format!("\n  {:<12} {}", kind.name, kind.about))
            .collect();
        return Err(Trouble::new(format!(
            "there is no kind \"{unknown}\" of test; there are{list}"
        )));
    }
    let wanted = |kind: &&Kind| only.is_empty() || only.iter().any(|name| name == kind.name);
    Ok(KINDS.iter().filter(wanted).collect())
}

/// How a kind that failed is marked in the table.
const FAILED: &str = "FAILED";

/// How a kind is marked whose test files ran without a single test in them.
const EMPTY: &str = "NO TESTS";

/// One line of the table.
struct Row {
    kind: &'static str,
    tally: Option<Tally>,
    verdict: &'static str,
    took: Option<Duration>,
}

impl Row {
    fn of(kind: &Kind, outcome: &Outcome<Report>, took: Duration) -> Self {
        let (tally, verdict) = match outcome {
            Ok(Report::Held) => (None, "ok"),
            Ok(Report::Absent) => (None, "none yet"),
            Ok(Report::Ran(well, tally)) if !well || tally.failed > 0 => (Some(*tally), FAILED),
            Ok(Report::Ran(_, tally)) if tally.ran() == 0 => (Some(*tally), EMPTY),
            Ok(Report::Ran(_, tally)) => (Some(*tally), "ok"),
            Err(_) => (None, FAILED),
        };
        Self {
            kind: kind.name,
            tally,
            verdict,
            took: Some(took),
        }
    }
}

fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "\n{:<12} {:>7} {:>7} {:>8}  {:<9} {:>12}\n",
        "kind", "passed", "failed", "ignored", "result", "time"
    );
    let mut sum = Tally::default();
    let mut total = Duration::ZERO;
    let line = |kind: &str, tally: Option<Tally>, verdict: &str, took: Option<Duration>| {
        let [passed, failed, ignored] = match tally {
            Some(t) => [t.passed, t.failed, t.ignored].map(|number| number.to_string()),
            None => ["-"; 3].map(String::from),
        };
        let took = took.map_or_else(|| "-".into(), how_long);
        format!("{kind:<12} {passed:>7} {failed:>7} {ignored:>8}  {verdict:<9} {took:>12}\n")
    };
    for row in rows {
        text.push_str(&line(row.kind, row.tally, row.verdict, row.took));
        sum = sum.and(row.tally.unwrap_or_default());
        total += row.took.unwrap_or_default();
    }
    text.push_str(&line("in all", Some(sum), "", Some(total)));
    text
}

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
    shop.cargo("clippy")
        .args(["--all-targets", "--", "-D", "warnings"])
        .openly()?;
    Ok(Report::Held)
}

fn clippy_wasm(shop: &Workshop) -> Outcome<Report> {
    let run = wasm_cargo(shop, "clippy")?;
    let run = browser_crates(&shop.workspace).fold(run, |run, name| run.args(["--package", name]));
    run.args(["--", "-D", "warnings"]).openly()?;
    Ok(Report::Held)
}

/// Everything native but the whole-system tests: libraries, programs, files of tests, and examples
/// in the documentation. Always the same selection of packages, whose features are then the same in
/// each step, so that nothing is compiled twice.
fn unit(shop: &Workshop) -> Outcome<Report> {
    let files = shop
        .workspace
        .packages
        .iter()
        .filter(|package| package.native && package.name != WHOLE_SYSTEM)
        .flat_map(|package| package.targets_of_kind("test"));
    let run = shop
        .cargo("test")
        .args(["--no-fail-fast", "--lib", "--bins"]);
    let run = files.fold(run, |run, file| run.args(["--test", file]));
    let (well, tally) = run.counted()?;
    let (docs_well, docs) = shop
        .cargo("test")
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
        .cargo("test")
        .arg("--no-fail-fast")
        .env("HAGGLE_DATA", shop.data()?);
    system_tests(run, &files, &[])
}

fn network(shop: &Workshop) -> Outcome<Report> {
    let files = system_files(&shop.workspace, Group::Network);
    if files.is_empty() {
        return Ok(Report::Absent);
    }
    let run = shop
        .cargo("test")
        .arg("--no-fail-fast")
        .env("HAGGLE_DATA", shop.data()?)
        .env("HAGGLE_ARTEFACTS", artefacts(shop)?)
        .env("HAGGLE_RELAY", relay(shop)?);
    system_tests(run, &files, &[])
}

fn browsers(shop: &Workshop) -> Outcome<Report> {
    in_browsers(shop, Group::Browsers)
}

fn system(shop: &Workshop) -> Outcome<Report> {
    in_browsers(shop, Group::Other)
}

fn in_browsers(shop: &Workshop, group: Group) -> Outcome<Report> {
    let files = system_files(&shop.workspace, group);
    if files.is_empty() {
        return Ok(Report::Absent);
    }
    let run = with_everything(shop, shop.cargo("test").arg("--no-fail-fast"))?;
    // One at a time: each starts several browsers, and their times are limits of liveness.
    system_tests(run, &files, &["--", "--test-threads=1"])
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
    let run = wasm_cargo(shop, "test")?
        .arg("--no-fail-fast")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", {
            shop.wasm_bindgen()?.join("wasm-bindgen-test-runner")
        })
        .env("CHROMEDRIVER", &chromium.chromedriver)
        .env("WASM_BINDGEN_TEST_ONLY_WEB", "1")
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

/// A child with all that end-to-end tests and benchmarks are told: the site, the relay, the package,
/// the browser, the data, and where to leave pictures.
pub(crate) fn with_everything(shop: &Workshop, run: Run) -> Outcome<Run> {
    let browser = shop.browser()?;
    Ok(run
        .env("HAGGLE_SITE", site::build(shop)?)
        .env("HAGGLE_JS", js::build(shop)?)
        .env("HAGGLE_RELAY", relay(shop)?)
        .env("HAGGLE_DATA", shop.data()?)
        .env("HAGGLE_CHROMIUM", &browser.chromium)
        .env("HAGGLE_CHROMEDRIVER", &browser.chromedriver)
        .env("HAGGLE_ARTEFACTS", artefacts(shop)?))
}

/// The relay as the tests use it: built like the tests themselves, with the same selection of
/// packages and targets, so that it costs one link.
fn relay(shop: &Workshop) -> Outcome<PathBuf> {
    program(shop.cargo("build").args(["--bins", "--tests"]), RELAY)
}

/// The program of this name that a `cargo build` leaves.
pub(crate) fn program(build: Run, name: &str) -> Outcome<PathBuf> {
    let mut found = None;
    let well = build
        .arg("--message-format=json-render-diagnostics")
        .read_lines(|line| {
            found = executable(line, name).or_else(|| found.take());
        })?;
    if !well {
        return Err(Trouble::new(format!(
            "{name} does not compile; the reasons are printed above"
        )));
    }
    found.ok_or_else(|| {
        Trouble::new(format!(
            "no crate of this workspace builds a program {name}"
        ))
    })
}

/// The file that a line of cargo's JSON says was built for a program; none for its unit tests.
fn executable(line: &str, name: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    let target = &message["target"];
    let program = target["kind"][0] == "bin" && target["name"] == name;
    if !program || message["profile"]["test"] == true {
        return None;
    }
    message["executable"].as_str().map(PathBuf::from)
}

fn artefacts(shop: &Workshop) -> Outcome<PathBuf> {
    let folder = shop.workspace.target.join("artefacts");
    fs::create_dir_all(&folder).or_say(|| format!("create {}", folder.display()))?;
    Ok(folder)
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
    let is_library = |kind: &str| ["lib", "cdylib", "rlib"].contains(&kind);
    workspace
        .package(name)
        .is_some_and(|p| p.targets.iter().any(|t| is_library(&t.kind)))
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
    /// A relay.
    Network,
    /// The site, the package and a browser.
    Browsers,
    /// Hours; run by `cargo xtask prove`.
    Proof,
    /// Not known, so it is given everything.
    Other,
}

impl Group {
    /// The group of a file, by the beginning of its name.
    fn of(file: &str) -> Self {
        let begins = |beginnings: &[&str]| beginnings.iter().any(|b| file.starts_with(b));
        if begins(&["market_day", "simulat", "fair"]) {
            Self::Simulation
        } else if begins(&["network", "relay", "refusals"]) {
            Self::Network
        } else if begins(&["browser", "screens"]) {
            Self::Browsers
        } else if begins(&["soak"]) {
            Self::Proof
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

    fn kind() -> &'static Kind {
        &KINDS[0]
    }

    fn tally(passed: u64, failed: u64) -> Tally {
        Tally {
            passed,
            failed,
            ignored: 0,
        }
    }

    #[test]
    fn a_kind_whose_test_files_hold_no_test_fails() {
        let row = |report| Row::of(kind(), &Ok(report), Duration::ZERO).verdict;
        assert_eq!(row(Report::Ran(true, tally(0, 0))), EMPTY);
        assert_eq!(row(Report::Ran(true, tally(3, 0))), "ok");
        assert_eq!(row(Report::Absent), "none yet");
    }

    #[test]
    fn a_runner_that_exits_badly_fails_whatever_its_summaries_say() {
        let row = |report| Row::of(kind(), &Ok(report), Duration::ZERO).verdict;
        assert_eq!(row(Report::Ran(false, tally(3, 0))), FAILED);
        assert_eq!(row(Report::Ran(true, tally(3, 1))), FAILED);
    }

    #[test]
    fn the_table_adds_up() {
        let row = |kind, tally| Row {
            kind,
            tally: Some(tally),
            verdict: "ok",
            took: Some(Duration::from_secs(20)),
        };
        let text = table(&[row("unit", tally(3, 0)), row("wasm", tally(4, 1))]);
        let last: Vec<_> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(last, ["in", "all", "7", "1", "0", "40", "s"]);
    }

    #[test]
    fn kinds_run_in_their_own_order_whatever_order_they_are_named_in() {
        let names: Vec<_> = chosen(&["wasm".into(), "fmt".into()])
            .unwrap()
            .iter()
            .map(|kind| kind.name)
            .collect();
        assert_eq!(names, ["fmt", "wasm"]);
        assert_eq!(chosen(&[]).unwrap().len(), KINDS.len());
    }

    #[test]
    fn an_unknown_kind_is_answered_with_the_list() {
        let Err(trouble) = chosen(&["help".into()]) else {
            panic!("there is no such kind");
        };
        assert!(trouble.to_string().contains("clippy-wasm"), "{trouble}");
    }

    #[test]
    fn whole_system_tests_are_grouped_by_what_they_need() {
        assert_eq!(Group::of("market_day"), Group::Simulation);
        assert_eq!(Group::of("network_two_relays"), Group::Network);
        assert_eq!(Group::of("browsers_trade"), Group::Browsers);
        assert_eq!(Group::of("soak"), Group::Proof);
        assert_eq!(Group::of("canary"), Group::Other);
    }

    #[test]
    fn the_relays_program_is_found_in_what_cargo_says_and_its_tests_are_not() {
        let line = |test: bool| {
            format!(
                "{{\"reason\":\"compiler-artifact\",\"target\":{{\"kind\":[\"bin\"],\
                 \"name\":\"haggle-relay\"}},\"profile\":{{\"test\":{test}}},\
                 \"executable\":\"/t/debug/haggle-relay\"}}"
            )
        };
        assert_eq!(
            executable(&line(false), RELAY).unwrap(),
            PathBuf::from("/t/debug/haggle-relay")
        );
        assert_eq!(executable(&line(true), RELAY), None);
        assert_eq!(executable(&line(false), "haggle"), None);
        assert_eq!(executable("not json", RELAY), None);
    }
}
