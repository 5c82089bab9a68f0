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
