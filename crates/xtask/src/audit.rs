//! `cargo xtask audit`: what we depend on is lawful, wanted, from where we expect it, and without
//! known holes. The rules stand in deny.toml.

use crate::run::Run;
use crate::say::{Outcome, Trouble, doing, skipped};
use crate::tools;
use crate::workshop::Workshop;
use std::ffi::OsString;

/// What needs no network.
const OFFLINE: [&str; 3] = ["licenses", "bans", "sources"];

/// Runs every check of cargo-deny; the one that needs the network is left out, and said to be, where
/// there is none.
pub(crate) fn run(shop: &Workshop) -> Outcome {
    let deny = tools::cargo_deny(&shop.cache)?.join("cargo-deny");
    doing("checking licences, bans and sources");
    check(shop, deny.as_os_str().to_owned(), &OFFLINE).openly()?;

    compatible(shop)?;

    doing("fetching the advisory database");
    let fetched = Run::new(&deny)
        .args(["fetch", "db"])
        .within(&shop.workspace.root)
        .silently();
    if let Err(trouble) = fetched {
        skipped(format!(
            "known vulnerabilities, because the advisory database cannot be had here: {trouble}"
        ));
        return Ok(());
    }
    doing("checking for known vulnerabilities");
    check(shop, deny.into_os_string(), &["advisories"])
        .openly()
        .map_err(|trouble| {
            Trouble::new(format!(
                "{trouble}; update what it names, or state in deny.toml why not"
            ))
        })
}

/// The crate that others may build on, whose public face must not break without a new version.
const PUBLISHED: &str = "haggle-webrtc";

/// Compares its public face with that of its last release, by cargo-semver-checks.
fn compatible(shop: &Workshop) -> Outcome {
    let tags = Run::new("git")
        .args(["tag", "--list", "--sort=-creatordate"])
        .arg(format!("{PUBLISHED}-v*"))
        .within(&shop.workspace.root)
        .silently()?;
    let Some(release) = tags.lines().next() else {
        skipped(format!(
            "comparing {PUBLISHED} with its last release, because there is none yet"
        ));
        return Ok(());
    };
    let tool = tools::cargo_semver_checks(&shop.cache)?.join("cargo-semver-checks");
    doing(format!("comparing {PUBLISHED} with {release}"));
    Run::new(tool)
        .args([
            "semver-checks",
            "--package",
            PUBLISHED,
            "--baseline-rev",
            release,
        ])
        .within(&shop.workspace.root)
        .openly()
}

fn check(shop: &Workshop, deny: OsString, checks: &[&str]) -> Run {
    Run::new(deny)
        .args([
            "--workspace",
            "--locked",
            "--all-features",
            "check",
            "--hide-inclusion-graph",
        ])
        .args(checks)
        .within(&shop.workspace.root)
}
