//! `cargo xtask prove NAME`: proofs that take too long for every run.

use crate::outfit::{self, Speed};
use crate::say::{OrSay, Outcome, Trouble, doing};
use crate::toolchain::Toolchain;
use crate::tools;
use crate::workshop::Workshop;
use crate::workspace::Workspace;
use lexopt::prelude::*;

/// What `cargo xtask prove` without a name prints.
const LIST: &str = "\
  fuzz [--seconds N] [--target T]   feeds each decoder random bytes for N seconds (60)
  dials [--count N]                 dials between pages N times (100) in each way, cold and warm
  fair [--seeds A..B]               simulates a market day for each seed (0..100)
";

/// How long each fuzz target runs unless told otherwise: long enough to leave the easy paths.
const SECONDS: u64 = 60;

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
    let folder = shop.workspace.root.join("crates/protocol/fuzz");
    if !folder.join("Cargo.toml").is_file() {
        return Err(Trouble::new(format!(
            "there are no fuzz targets in {}",
            folder.display()
        )));
    }
    let targets = fuzz_targets(shop, only.as_deref())?;
    let programs = tools::cargo_fuzz(&shop.cache)?;
    let builds = shop.workspace.target.join("fuzz");
    doing("writing what is valid, for the fuzzer to begin with");
    Toolchain::native()
        .cargo()
        .args(["run", "--quiet", "--locked", "--example", SEED_WRITER])
        .env("CARGO_TARGET_DIR", &builds)
        .within(&folder)
        .openly()?;
    let cargo_fuzz = |command: &str, target: &str| {
        Toolchain::native()
            .cargo()
            .args(["fuzz", command, "--fuzz-dir"])
            .arg(&folder)
            .arg(target)
            .path_first(std::slice::from_ref(&programs))
            // The sanitizer's switches are not stable; the compiler has them all the same.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_DIR", &builds)
            .within(&folder)
    };
    for target in &targets {
        doing(format!("fuzzing {target} for {seconds} s"));
        cargo_fuzz("build", target).openly()?;
        let run = cargo_fuzz("run", target)
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
    doing(format!(
        "none broke: {} ran for {seconds} s each",
        targets.join(", ")
    ));
    Ok(())
}

/// The programs of the fuzz crate, which is a workspace of its own.
fn fuzz_targets(shop: &Workshop, only: Option<&str>) -> Outcome<Vec<String>> {
    let manifest = shop.workspace.root.join("crates/protocol/fuzz/Cargo.toml");
    let said = Toolchain::native()
        .cargo()
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--manifest-path",
        ])
        .arg(manifest)
        .silently()?;
    let metadata = serde_json::from_str(&said).or_say(|| "read what cargo metadata said".into())?;
    let fuzz = Workspace::from_metadata(&metadata)?;
    let all: Vec<String> = fuzz
        .packages
        .iter()
        .flat_map(|package| package.targets_of_kind("bin").map(str::to_owned))
        .collect();
    match only {
        None => Ok(all),
        Some(name) if all.iter().any(|target| target == name) => Ok(vec![name.into()]),
        Some(name) => Err(Trouble::new(format!(
            "there is no fuzz target \"{name}\"; there are {}",
            all.join(", ")
        ))),
    }
}

fn fair(shop: &Workshop, mut args: lexopt::Parser) -> Outcome {
    let mut seeds = SEEDS.to_owned();
    while let Some(arg) = args.next()? {
        match arg {
            Long("seeds") => seeds = args.value()?.string()?,
            other @ (Short(_) | Long(_) | Value(_)) => return Err(other.unexpected().into()),
        }
    }
    if !is_range(&seeds) {
        return Err(Trouble::new(format!(
            "--seeds wants a range like 0..100, not \"{seeds}\""
        )));
    }
    doing(format!(
        "simulating a market day for each of the seeds {seeds}"
    ));
    shop.cargo("test")
        .args([
            "--release",
            "--package",
            "haggle-tests",
            "--test",
            "market_day",
        ])
        .env("HAGGLE_SEEDS", &seeds)
        .env("HAGGLE_DATA", shop.data()?)
        .openly()
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
    let run = shop
        .cargo_for_all("test")
        .args(["--no-fail-fast", "--test", "browsers_webrtc"])
        .args(["--", "--test-threads=1", "--nocapture"])
        .env("HAGGLE_DIALS", count.to_string());
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
