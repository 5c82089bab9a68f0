//! `cargo xtask prove NAME`: proofs that take too long for every run.

use crate::outfit::{self, Speed};
use crate::say::{OrSay, Outcome, Trouble, doing, skipped};
use crate::test;
use crate::toolchain::Toolchain;
use crate::tools;
use crate::workshop::Workshop;
use crate::workspace::Workspace;
use lexopt::prelude::*;
use std::path::{Path, PathBuf};

/// What `cargo xtask prove` without a name prints.
const LIST: &str = "\
  fuzz [--seconds N] [--target T]   feeds each decoder random bytes for N seconds (60)
  dials [--count N]                 dials between pages N times (100) in each way, cold and warm
  ends                              ends one page, and then one browser, right after each step of a trade on either side, a trade for each
  fair [--seeds A..B] [--size SIZE] simulates a market day for each seed (0..100): SIZE is small (6 traders), day (20, if not
                                    said) or large (200 traders, 2,000 intents)
  money                             cuts a payment through escrow off at each step, lets each of its requests meet with each fault, and
                                    kills each side's browser at each request of its page to the mint, and has the mint fail there
  bugs [--only WORDS]               makes bugs on purpose, each of which the market day must catch
";

/// How long each fuzz target runs unless told otherwise: long enough to leave the easy paths.
const SECONDS: u64 = 60;

/// The crates with fuzz targets, from the root of the checkout.
const FUZZ: [&str; 2] = ["crates/protocol/fuzz", "crates/webrtc/fuzz"];

/// The program of the fuzz crate that writes valid inputs from the golden vectors.
const SEED_WRITER: &str = "seeds";

/// How many dials of each kind unless told otherwise.
const DIALS: u32 = 100;

/// The seeds of the simulated market days unless told otherwise.
const SEEDS: &str = "0..100";

/// Runs the proof that is named.
pub(crate) fn run(shop: &Workshop, mut args: lexopt::Parser) -> Outcome {
    let name = match args.next()? {
        Some(Value(name)) => name.string()?,
        Some(other) => return Err(other.unexpected().into()),
        None => String::new(),
    };
    match name.as_str() {
        "fuzz" => fuzz(shop, args),
        "fair" => fair(shop, args),
        "dials" => dials(shop, args),
        "ends" => ends(shop, args),
        "money" => money(shop, args),
        "bugs" => bugs(shop, args),
        "" => Err(Trouble::new(format!("name a proof; there are\n{LIST}"))),
        _ => Err(Trouble::new(format!(
            "there is no proof \"{name}\"; there are\n{LIST}"
        ))),
    }
}

fn fuzz(shop: &Workshop, mut args: lexopt::Parser) -> Outcome {
    let (mut seconds, mut only) = (SECONDS, None);
    while let Some(arg) = args.next()? {
        match arg {
            Long("seconds") => seconds = args.value()?.parse()?,
            Long("target") => only = Some(args.value()?.string()?),
            other @ (Short(_) | Long(_) | Value(_)) => return Err(other.unexpected().into()),
        }
    }
    let targets = fuzz_targets(shop, only.as_deref())?;
    let programs = tools::cargo_fuzz(&shop.cache)?;
    let builds = shop.workspace.target.join("fuzz");
    for folder in FUZZ.map(|folder| shop.workspace.root.join(folder)) {
        if folder
            .join("examples")
            .join(format!("{SEED_WRITER}.rs"))
            .is_file()
        {
            doing("writing what is valid, for the fuzzer to begin with");
            Toolchain::native()
                .cargo()
                .args(["run", "--quiet", "--locked", "--example", SEED_WRITER])
                .env("CARGO_TARGET_DIR", &builds)
                .within(&folder)
                .openly()?;
        }
    }
    let cargo_fuzz = |command: &str, folder: &Path, target: &str| {
        Toolchain::native()
            .cargo()
            .args(["fuzz", command, "--fuzz-dir"])
            .arg(folder)
            .arg(target)
            .path_first(std::slice::from_ref(&programs))
            // The sanitizer's switches are not stable; the compiler has them all the same.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_DIR", &builds)
            .within(folder)
    };
    for (folder, target) in &targets {
        doing(format!("fuzzing {target} for {seconds} s"));
        cargo_fuzz("build", folder, target).openly()?;
        let run = cargo_fuzz("run", folder, target)
            .arg("--")
            .arg(format!("-max_total_time={seconds}"));
        run.openly().map_err(|trouble| {
            let broken = folder.join("artifacts").join(target);
            Trouble::new(format!(
                "{trouble}; what broke {target} is in {}",
                broken.display()
            ))
        })?;
    }
    let names: Vec<&str> = targets.iter().map(|(_, target)| target.as_str()).collect();
    doing(format!(
        "none broke: {} ran for {seconds} s each",
        names.join(", ")
    ));
    Ok(())
}

/// The programs of the fuzz crates, each a workspace of its own, with the folder of the crate.
fn fuzz_targets(shop: &Workshop, only: Option<&str>) -> Outcome<Vec<(PathBuf, String)>> {
    let mut all = Vec::new();
    for folder in FUZZ.map(|folder| shop.workspace.root.join(folder)) {
        let said = Toolchain::native()
            .cargo()
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .arg("--manifest-path")
            .arg(folder.join("Cargo.toml"))
            .silently()?;
        let metadata =
            serde_json::from_str(&said).or_say(|| "read what cargo metadata said".into())?;
        let fuzz = Workspace::from_metadata(&metadata)?;
        for package in &fuzz.packages {
            let targets = package.targets_of_kind("bin");
            all.extend(targets.map(|target| (folder.clone(), target.to_owned())));
        }
    }
    let Some(name) = only else {
        return Ok(all);
    };
    let names: Vec<String> = all.iter().map(|(_, target)| target.clone()).collect();
    all.retain(|(_, target)| target == name);
    if all.is_empty() {
        return Err(Trouble::new(format!(
            "there is no fuzz target \"{name}\"; there are {}",
            names.join(", ")
        )));
    }
    Ok(all)
}

fn fair(shop: &Workshop, mut args: lexopt::Parser) -> Outcome {
    let mut seeds = SEEDS.to_owned();
    let mut size = "day".to_owned();
    while let Some(arg) = args.next()? {
        match arg {
            Long("seeds") => seeds = args.value()?.string()?,
            Long("size") => size = args.value()?.string()?,
            other @ (Short(_) | Long(_) | Value(_)) => return Err(other.unexpected().into()),
        }
    }
    if !is_range(&seeds) {
        return Err(Trouble::new(format!(
            "--seeds wants a range like 0..100, not \"{seeds}\""
        )));
    }
    let test = match size.as_str() {
        "small" => "on_a_hundred_small_days_the_same_laws_hold",
        "day" | "large" => {
            "on_every_day_each_order_is_confirmed_once_and_nobody_hears_what_is_not_said_to_him"
        }
        _ => {
            return Err(Trouble::new(format!(
                "--size is small, day or large, not \"{size}\""
            )));
        }
    };
    doing(format!(
        "simulating a market day ({size}) for each of the seeds {seeds}"
    ));
    shop.cargo("test")
        .args([
            "--release",
            "--package",
            "haggle-tests",
            "--test",
            "market_day",
            test,
            "--",
            "--nocapture",
        ])
        .env("HAGGLE_DAY", &size)
        .env("HAGGLE_SEEDS", &seeds)
        .env("HAGGLE_DATA", shop.data()?)
        .openly()
}

fn bugs(shop: &Workshop, mut args: lexopt::Parser) -> Outcome {
    let mut only = None;
    while let Some(arg) = args.next()? {
        match arg {
            Long("only") => only = Some(args.value()?.string()?),
            other @ (Short(_) | Long(_) | Value(_)) => return Err(other.unexpected().into()),
        }
    }
    crate::bugs::run(shop, only.as_deref())
}

fn dials(shop: &Workshop, mut args: lexopt::Parser) -> Outcome {
    let mut count = DIALS;
    while let Some(arg) = args.next()? {
        match arg {
            Long("count") => count = args.value()?.parse()?,
            other @ (Short(_) | Long(_) | Value(_)) => return Err(other.unexpected().into()),
        }
    }
    doing(format!("dialing {count} times in each way, cold and warm"));
    let mut run = shop
        .cargo_for_all("test")?
        .args(["--no-fail-fast", "--test", "browsers_webrtc"]);
    if test::is_root() {
        run = outfit::firefox(shop, run)?.args(["--test", "browsers_firefox"]);
    } else {
        skipped("Firefox, because only root may build networks of its own here");
    }
    let run = run
        .args(["--", "--test-threads=1", "--nocapture"])
        .env("HAGGLE_DIALS", count.to_string());
    outfit::everything(shop, run, Speed::Dev)?.openly()
}

fn ends(shop: &Workshop, mut args: lexopt::Parser) -> Outcome {
    if let Some(other) = args.next()? {
        return Err(other.unexpected().into());
    }
    doing("ending a page and a browser at each step of a trade, one trade for each");
    let run = shop
        .cargo_for_all("test")?
        .args(["--test", "browsers_survival"])
        .args(["a_trade_that_is_cut_once", "--", "--nocapture"])
        .env("HAGGLE_ENDS", "all");
    outfit::everything(shop, run, Speed::Dev)?.openly()
}

fn money(shop: &Workshop, mut args: lexopt::Parser) -> Outcome {
    if let Some(other) = args.next()? {
        return Err(other.unexpected().into());
    }
    doing(
        "cutting payments off at each step, a payment for each, and losing, repeating and delaying each of their requests",
    );
    shop.cargo_for_all("test")?
        .args(["--test", "cashu"])
        .args(["--", "lawful::ecash::", "finding", "--nocapture"])
        .env("HAGGLE_MONEY", "all")
        .openly()?;
    doing(
        "killing a browser at each of its requests to a mint in a trade, and failing the mint at each by which money moves, one trade for each",
    );
    let run = shop
        .cargo_for_all("test")?
        .args(["--test", "browsers_money_cuts", "--", "--nocapture"])
        .env("HAGGLE_MONEY", "all");
    outfit::everything(shop, run, Speed::Dev)?.openly()
}

/// Whether a text is two numbers around two dots, the second greater.
fn is_range(text: &str) -> bool {
    let Some((from, to)) = text.split_once("..") else {
        return false;
    };
    match (from.parse::<u64>(), to.parse::<u64>()) {
        (Ok(from), Ok(to)) => from < to,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range_that_is_not_empty() {
        assert!(is_range("0..100"));
        for wrong in ["", "7", "..", "5..5", "9..3", "a..b", "0..=4"] {
            assert!(!is_range(wrong), "{wrong}");
        }
    }
}
