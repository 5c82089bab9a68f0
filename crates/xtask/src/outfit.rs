//! What end-to-end tests, proofs and benchmarks are given: the site, the relay, the JavaScript package,
//! a browser, real data, and a place to leave pictures, each named by a variable.

use crate::apt;
use crate::run::{Run, find_program};
use crate::say::{OrSay, Outcome, Trouble};
use crate::workshop::Workshop;
use crate::{browser, compilers, interop, js, site, tools};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The relay's program.
pub(crate) const RELAY: &str = "haggle-relay";

/// The program that trades without a page.
pub(crate) const AGENT: &str = "haggle";

/// The name of the mint's.
pub(crate) const MINT: &str = "haggle-mint";

/// How programs are compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speed {
    /// Like the tests themselves, from what they have compiled already.
    Dev,
    /// As people run it.
    Release,
}

/// A child that is told where everything is.
pub(crate) fn everything(shop: &Workshop, run: Run, speed: Speed) -> Outcome<Run> {
    let browser = shop.browser()?;
    networks()?;
    let interop = interop::build(shop)?;
    let (run, relay) = match speed {
        Speed::Dev => {
            let [relay, mint] = programs(shop, speed, [RELAY, MINT])?;
            let run = run.env("HAGGLE_MINT", mint);
            (run.env("HAGGLE_FAKETIME", faketime()?), relay)
        }
        // People run no mint of tests.
        Speed::Release => {
            let [relay] = programs(shop, speed, [RELAY])?;
            (run, relay)
        }
    };
    Ok(run
        .env("HAGGLE_INTEROP_RUST", interop.ours)
        .env("HAGGLE_INTEROP_JS", interop.theirs)
        .env("HAGGLE_INTEROP_RELAY", interop.relay)
        .env("HAGGLE_SITE", site::build(shop)?)
        .env("HAGGLE_JS", js::build(shop)?)
        .env("HAGGLE_RELAY", relay)
        .env("HAGGLE_DATA", shop.data()?)
        .env("HAGGLE_CHROMIUM", &browser.chromium)
        .env("HAGGLE_CHROMEDRIVER", &browser.chromedriver)
        .env("HAGGLE_ARTEFACTS", artefacts(shop)?))
}

/// A child that is told where Firefox and its driver are too.
pub(crate) fn firefox(shop: &Workshop, run: Run) -> Outcome<Run> {
    Ok(run
        .env("HAGGLE_FIREFOX", browser::firefox()?)
        .env("HAGGLE_GECKODRIVER", tools::geckodriver(&shop.cache)?))
}

/// Tests of routers build networks of their own, out of these programs.
fn networks() -> Outcome {
    let has = |program: &str| {
        find_program(program).is_some() || Path::new("/usr/sbin").join(program).is_file()
    };
    if has("ip") && has("nft") {
        return Ok(());
    }
    apt::install(
        &["iproute2", "nftables"],
        "browsers behind routers are tried in networks of the tests' own",
    )
}

/// The library by which tests start programs whose clock is ahead.
fn faketime() -> Outcome<PathBuf> {
    if let Some(given) = env::var_os("HAGGLE_FAKETIME") {
        return Ok(given.into());
    }
    let find = || {
        // One folder for each kind of processor.
        let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let mut files = folders.map(|one| one.path().join("faketime/libfaketimeMT.so.1"));
        files.find(|file| file.is_file())
    };
    if find().is_none() {
        apt::install(
            &["libfaketime"],
            "tests start a mint and a relay again weeks later, so to speak",
        )
        .map_err(|trouble| {
            Trouble::new(format!("{trouble}; or name your own by HAGGLE_FAKETIME"))
        })?;
    }
    find().ok_or_else(|| {
        Trouble::new("libfaketime was installed but is not found; name its libfaketimeMT.so.1 by HAGGLE_FAKETIME")
    })
}

/// Builds the programs, always together: by itself, each would have libp2p compiled once more with other features. For tests they are built
/// with the very selection of packages and targets that the tests are built with, so that it costs one link and no second compilation.
fn build(shop: &Workshop, speed: Speed) -> Outcome<Run> {
    Ok(match speed {
        Speed::Dev => shop.cargo_for_all("build")?.args(["--bins", "--tests"]),
        Speed::Release => shop
            .cargo("build")
            .args(["--release", "--package", "haggle-relay"])
            .args(["--package", "haggle-agent", "--bins"]),
    })
}

/// The programs of these names, built in one go.
pub(crate) fn programs<const N: usize>(
    shop: &Workshop,
    speed: Speed,
    names: [&str; N],
) -> Outcome<[PathBuf; N]> {
    found(build(shop, speed)?, names)
}

/// The mint of the tests, by itself: whoever tries the page with play money builds no tests, and nothing of it gets into what people run.
/// Not optimised, which would take longer than everything that such a mint ever does.
pub(crate) fn mint(shop: &Workshop) -> Outcome<PathBuf> {
    let run = shop
        .cargo("build")
        .env("PROTOC", compilers::protoc()?)
        .args(["--package", MINT, "--bins"]);
    let [mint] = found(run, [MINT])?;
    Ok(mint)
}

fn found<const N: usize>(build: Run, names: [&str; N]) -> Outcome<[PathBuf; N]> {
    let mut found = [const { None }; N];
    let well = build
        .arg("--message-format=json-render-diagnostics")
        .read_lines(|line| {
            for (name, place) in names.iter().zip(&mut found) {
                if let Some(file) = executable(line, name) {
                    *place = Some(file);
                }
            }
        })?;
    if !well {
        return Err(Trouble::new(format!(
            "{} does not compile; the reasons are printed above",
            names.join(" or ")
        )));
    }
    let mut files = Vec::new();
    for (name, file) in names.iter().zip(found) {
        files.push(file.ok_or_else(|| {
            Trouble::new(format!(
                "no crate of this workspace builds a program {name}"
            ))
        })?);
    }
    <[PathBuf; N]>::try_from(files).map_err(|_| Trouble::new("a program is missing"))
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

/// The folder for pictures and figures.
pub(crate) fn artefacts(shop: &Workshop) -> Outcome<PathBuf> {
    let folder = shop.workspace.target.join("artefacts");
    fs::create_dir_all(&folder).or_say(|| format!("create {}", folder.display()))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

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
