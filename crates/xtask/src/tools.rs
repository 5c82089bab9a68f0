//! The programs that builds and tests need beside the compiler, each in one pinned version, built or
//! fetched once into the cache.

use crate::cache::Cache;
use crate::run::{Run, find_program};
use crate::say::{Outcome, Trouble, doing, skipped};
use crate::toolchain::Toolchain;
use crate::workspace::Workspace;
use std::path::PathBuf;

/// Builds the page. Newer versions want a newer compiler than the one this project promises to work
/// with.
const TRUNK: Tool = Tool {
    krate: "trunk",
    folder: "trunk",
    programs: &["trunk"],
    why: "it turns web/index.html and the compiled page into a folder of files",
};

/// The version of Trunk.
const TRUNK_VERSION: &str = "0.21.14";

/// Makes what rustc compiles for wasm32 loadable by a browser; must match the library exactly.
const WASM_BINDGEN: Tool = Tool {
    krate: "wasm-bindgen-cli",
    folder: "wasm-bindgen",
    programs: &["wasm-bindgen", "wasm-bindgen-test-runner"],
    why: "it joins compiled Rust to JavaScript, and runs tests in a browser",
};

/// Checks licences, bans, sources and advisories.
const CARGO_DENY: Tool = Tool {
    krate: "cargo-deny",
    folder: "cargo-deny",
    programs: &["cargo-deny"],
    why: "it checks licences, bans, sources and advisories of everything we depend on",
};

/// The version of cargo-deny.
const CARGO_DENY_VERSION: &str = "0.20.2";

/// Drives libFuzzer.
const CARGO_FUZZ: Tool = Tool {
    krate: "cargo-fuzz",
    folder: "cargo-fuzz",
    programs: &["cargo-fuzz"],
    why: "it feeds the decoders what no person would think of",
};

/// The version of cargo-fuzz.
const CARGO_FUZZ_VERSION: &str = "0.13.2";

/// Compares the public face of a crate with that of its last release.
const CARGO_SEMVER_CHECKS: Tool = Tool {
    krate: "cargo-semver-checks",
    folder: "cargo-semver-checks",
    programs: &["cargo-semver-checks"],
    why: "others may build on crates/webrtc, and nothing they use shall break without a new version",
};

/// The version of cargo-semver-checks.
const CARGO_SEMVER_CHECKS_VERSION: &str = "0.51.0";

/// Speaks WebDriver for Firefox.
const GECKODRIVER: Tool = Tool {
    krate: "geckodriver",
    folder: "geckodriver",
    programs: &["geckodriver"],
    why: "it drives Firefox, against which the direct channel is tried too",
};

/// The version of geckodriver.
const GECKODRIVER_VERSION: &str = "0.36.0";

/// The package of wasm-opt that npm has; Debian's is too old for what rustc writes.
const BINARYEN_VERSION: &str = "132";

/// A program that `cargo install` can build.
#[derive(Debug)]
struct Tool {
    krate: &'static str,
    folder: &'static str,
    programs: &'static [&'static str],
    why: &'static str,
}

/// The folder that holds `trunk`.
pub(crate) fn trunk(cache: &Cache) -> Outcome<PathBuf> {
    TRUNK.ready(cache, TRUNK_VERSION, "three minutes")
}

/// The folder that holds `wasm-bindgen` and `wasm-bindgen-test-runner`.
pub(crate) fn wasm_bindgen(cache: &Cache, workspace: &Workspace) -> Outcome<PathBuf> {
    let version = workspace.locked_version("wasm-bindgen")?;
    WASM_BINDGEN.ready(cache, &version, "one minute")
}

/// The folder that holds `cargo-deny`.
pub(crate) fn cargo_deny(cache: &Cache) -> Outcome<PathBuf> {
    CARGO_DENY.ready(cache, CARGO_DENY_VERSION, "four minutes")
}

/// The folder that holds `cargo-semver-checks`.
pub(crate) fn cargo_semver_checks(cache: &Cache) -> Outcome<PathBuf> {
    CARGO_SEMVER_CHECKS.ready(cache, CARGO_SEMVER_CHECKS_VERSION, "six minutes")
}

/// The folder that holds `cargo-fuzz`.
pub(crate) fn cargo_fuzz(cache: &Cache) -> Outcome<PathBuf> {
    CARGO_FUZZ.ready(cache, CARGO_FUZZ_VERSION, "one minute")
}

/// The program `geckodriver`.
pub(crate) fn geckodriver(cache: &Cache) -> Outcome<PathBuf> {
    let bin = GECKODRIVER.ready(cache, GECKODRIVER_VERSION, "two minutes")?;
    Ok(bin.join("geckodriver"))
}

/// The program `wasm-opt`, where Node and npm are at hand. It makes the page about a third smaller
/// but changes nothing else, so its absence is said and not an error.
pub(crate) fn wasm_opt(cache: &Cache) -> Option<PathBuf> {
    let place = cache.tool("binaryen", BINARYEN_VERSION);
    let program = place.join("node_modules/binaryen/bin/wasm-opt");
    if find_program("node").is_none() || find_program("npm").is_none() {
        skipped("wasm-opt, because Node.js and npm are not installed; the page is larger for it");
        return None;
    }
    if program.is_file() {
        return Some(program);
    }
    doing(format!(
        "fetching binaryen {BINARYEN_VERSION} through npm (for wasm-opt), because it makes the page \
         about a third smaller"
    ));
    let fetched = Cache::make(&place, |draft| {
        Run::new("npm")
            .args([
                "install",
                "--no-audit",
                "--no-fund",
                "--no-save",
                "--ignore-scripts",
            ])
            .arg("--prefix")
            .arg(draft)
            .arg(format!("binaryen@{BINARYEN_VERSION}"))
            .within(draft)
            .silently()
            .map(drop)
    });
    match fetched {
        Ok(()) if program.is_file() => Some(program),
        Ok(()) => {
            skipped("wasm-opt, because the package from npm does not hold it");
            None
        }
        Err(trouble) => {
            skipped(format!(
                "wasm-opt, because {trouble}; the page is larger for it"
            ));
            None
        }
    }
}

impl Tool {
    /// The folder with the programs, built if need be.
    fn ready(&self, cache: &Cache, version: &str, about: &str) -> Outcome<PathBuf> {
        let place = cache.tool(self.folder, version);
        let bin = place.join("bin");
        if self
            .programs
            .iter()
            .all(|program| bin.join(program).is_file())
        {
            return Ok(bin);
        }
        let krate = format!("{}@{version}", self.krate);
        doing(format!(
            "building {krate} (about {about}, once), because {}; kept in {}",
            self.why,
            place.display()
        ));
        Cache::make(&place, |draft| {
            Toolchain::native()
                .cargo()
                // Unoptimised: it is run a few times, and built where people wait for it.
                .args(["install", "--debug", "--locked", "--root"])
                .arg(draft)
                .arg(&krate)
                // Its build must not be mixed with ours.
                .env_remove("CARGO_TARGET_DIR")
                .env_remove("CARGO_BUILD_TARGET")
                .openly()
        })
        .map_err(|trouble| {
            Trouble::new(format!(
                "{trouble}; if the network is away, come back when it is there: this is built once"
            ))
        })?;
        Ok(bin)
    }
}
