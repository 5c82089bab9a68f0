//! The two pages and the relay with which the transport between browsers is tried: one page of ours, one of js-libp2p, in
//! `target/interop`.

use crate::apt;
use crate::cache::remove;
use crate::run::{Run, find_program};
use crate::say::{OrSay, Outcome, doing};
use crate::stamp::Stamp;
use crate::toolchain::WASM;
use crate::workshop::Workshop;
use std::fs;
use std::path::{Path, PathBuf};

/// The crate of our page.
const CRATE: &str = "haggle-interop";

/// Where the sources of js-libp2p's page and relay stand, from the root of the checkout.
const SOURCES: &str = "tests/interop";

/// Where everything is that the tests need.
#[derive(Debug)]
pub(crate) struct Interop {
    /// The folder of our page.
    pub(crate) ours: PathBuf,
    /// The folder of js-libp2p's page.
    pub(crate) theirs: PathBuf,
    /// The program of js-libp2p's relay, for Node.
    pub(crate) relay: PathBuf,
}

/// Builds what has changed.
pub(crate) fn build(shop: &Workshop) -> Outcome<Interop> {
    let folder = shop.workspace.target.join("interop");
    let theirs = folder.join("js");
    build_ours(shop, &folder.join("rust"))?;
    build_theirs(shop, &theirs)?;
    Ok(Interop {
        ours: folder.join("rust"),
        relay: theirs.join("src/relay.mjs"),
        theirs: theirs.join("dist"),
    })
}

fn build_ours(shop: &Workshop, folder: &Path) -> Outcome {
    let root = &shop.workspace.root;
    let wasm_bindgen = shop.wasm_bindgen()?;
    let mut stamp = Stamp::new()
        .value(&shop.wasm()?.version()?)
        .value(&wasm_bindgen.to_string_lossy());
    for package in shop.workspace.sources_of(CRATE) {
        stamp = stamp.files(&package.folder, &["target", "tests", "benches", "fuzz"])?;
    }
    for file in ["Cargo.toml", "Cargo.lock", "crates/xtask/src/interop.rs"] {
        stamp = stamp.files(&root.join(file), &[])?;
    }
    let stamp = stamp.finish();
    let note = folder.join("stamp");
    if fs::read_to_string(&note).is_ok_and(|old| old == stamp) {
        return Ok(());
    }
    doing("compiling the page that tries the transport between browsers");
    shop.wasm()?
        .cargo()
        .args(["build", "--locked", "--release", "--target", WASM])
        .args(["--package", CRATE])
        .within(root)
        .openly()?;
    let compiled = shop.workspace.target.join("wasm").join(WASM);
    remove(folder)?;
    Run::new(wasm_bindgen.join("wasm-bindgen"))
        .args(["--target", "web", "--no-typescript"])
        .args(["--out-name", "haggle_interop", "--out-dir"])
        .arg(folder)
        .arg(compiled.join("release/haggle_interop.wasm"))
        .silently()?;
    for file in ["page.html", "page.js", "floor.js"] {
        let from = root.join(SOURCES).join("peer").join(file);
        fs::copy(&from, folder.join(file)).or_say(|| format!("copy {}", from.display()))?;
    }
    fs::write(&note, stamp).or_say(|| format!("write {}", note.display()))
}

fn build_theirs(shop: &Workshop, folder: &Path) -> Outcome {
    if find_program("node").is_none() || find_program("npm").is_none() {
        apt::install(
            &["nodejs", "npm"],
            "the transport between browsers is tried against js-libp2p, which is built with Node.js",
        )?;
    }
    let sources = shop.workspace.root.join(SOURCES);
    let files = ["package.json", "package-lock.json", ".npmrc"];
    let mut stamp = Stamp::new().files(&sources.join("src"), &[])?;
    for file in files {
        stamp = stamp.files(&sources.join(file), &[])?;
    }
    let stamp = stamp.finish();
    let note = folder.join("stamp");
    if fs::read_to_string(&note).is_ok_and(|old| old == stamp) {
        return Ok(());
    }
    doing("fetching js-libp2p through npm, to try the transport between browsers against it");
    remove(folder)?;
    let inner = folder.join("src");
    fs::create_dir_all(&inner).or_say(|| format!("create {}", inner.display()))?;
    for file in files {
        let from = sources.join(file);
        fs::copy(&from, folder.join(file)).or_say(|| format!("copy {}", from.display()))?;
    }
    let from = sources.join("src");
    let entries = fs::read_dir(&from).or_say(|| format!("read {}", from.display()))?;
    for entry in entries {
        let entry = entry.or_say(|| format!("read {}", from.display()))?;
        fs::copy(entry.path(), inner.join(entry.file_name()))
            .or_say(|| format!("copy {}", entry.path().display()))?;
    }
    Run::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .within(folder)
        .openly()?;
    Run::new("npm")
        .args(["run", "--silent", "build"])
        .within(folder)
        .openly()?;
    fs::write(&note, stamp).or_say(|| format!("write {}", note.display()))
}
