//! `cargo xtask bench`: measures what the budgets in docs/performance.md speak of. The measuring is
//! done by the program `bench` of the whole-system tests, which prints a table and writes its figures;
//! the size of the page is measured here, where it is built.

use crate::outfit::{self, Speed};
use crate::say::{OrSay, Outcome, Trouble, doing};
use crate::site;
use crate::workshop::Workshop;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// The crate whose program measures.
const CRATE: &str = "haggle-tests";

/// Its name.
const PROGRAM: &str = "bench";

/// The part of the measurements that needs no browser, and so no page either.
const NATIVE: [&str; 2] = ["--only", "native"];

/// The part that needs the programs, and no browser.
const STALL: [&str; 2] = ["--only", "stall"];

/// The part that needs a mint.
const MONEY: &str = "money";

/// Runs the benchmarks, with these options for the program that measures; its figures and the sizes
/// stand in `target/artefacts/bench.json` afterwards.
pub(crate) fn run(shop: &Workshop, options: &[String]) -> Outcome {
    let has_program = shop
        .workspace
        .package(CRATE)
        .is_some_and(|package| package.targets_of_kind("bin").any(|name| name == PROGRAM));
    if !has_program {
        return Err(Trouble::new(format!(
            "this checkout has no program {PROGRAM} in {CRATE}"
        )));
    }
    let file = outfit::artefacts(shop)?.join("bench.json");
    let run = shop
        .cargo("run")
        .args(["--release", "--package", CRATE, "--bin", PROGRAM])
        .env("HAGGLE_BENCH_OUT", &file);
    if options.windows(2).any(|pair| pair == NATIVE) {
        doing("measuring (some minutes)");
        return run
            .env("HAGGLE_DATA", shop.data()?)
            .arg("--")
            .args(options)
            .openly();
    }
    if options.windows(2).any(|pair| pair == STALL) {
        let names = [outfit::RELAY, outfit::AGENT];
        let [relay, agent] = outfit::programs(shop, Speed::Release, names)?;
        let run = run
            .env("HAGGLE_RELAY", relay)
            .env("HAGGLE_AGENT", agent)
            .env("HAGGLE_DATA", shop.data()?);
        doing("measuring (five minutes)");
        return run.arg("--").args(options).openly();
    }
    let site = site::build(shop)?;
    doing("measuring the size of the page");
    site::print_sizes(&site)?;
    let [agent] = outfit::programs(shop, Speed::Release, [outfit::AGENT])?;
    let mut run = outfit::everything(shop, run, Speed::Release)?.env("HAGGLE_AGENT", agent);
    if options.iter().any(|one| one == MONEY) {
        let [mint] = outfit::programs(shop, Speed::Dev, [outfit::MINT])?;
        run = run.env("HAGGLE_MINT", mint);
    }
    doing("measuring (some minutes)");
    run.arg("--").args(options).openly()?;
    add_sizes(&file, &site)?;
    doing(format!("the figures are in {}", file.display()));
    Ok(())
}

/// Puts the sizes of the page's files beside what was measured.
fn add_sizes(file: &Path, site: &Path) -> Outcome {
    let mut figures = match fs::read_to_string(file) {
        Ok(text) => serde_json::from_str(&text).or_say(|| format!("read {}", file.display()))?,
        Err(_) => json!({}),
    };
    let sizes: Value = site::sizes(site)?
        .into_iter()
        .map(|(name, raw, brotli)| (name, json!({ "raw": raw, "brotli": brotli })))
        .collect::<serde_json::Map<_, _>>()
        .into();
    if let Value::Object(object) = &mut figures {
        object.insert("page_bytes".into(), sizes);
    }
    fs::write(file, format!("{figures:#}\n")).or_say(|| format!("write {}", file.display()))
}
