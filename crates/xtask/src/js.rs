//! `cargo xtask js`: the JavaScript package, built by wasm-bindgen for the web, with its types, in
//! `target/js/pkg`.

use crate::cache::remove;
use crate::module::Module;
use crate::say::{OrSay, Outcome, doing};
use crate::site::shrink;
use crate::stamp::Stamp;
use crate::workshop::Workshop;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// The crate of the package.
const CRATE: &str = "haggle-js";

/// The name of the package and of its files.
const NAME: &str = "haggle";

/// Builds the package if its sources changed, and gives back its folder.
pub(crate) fn build(shop: &Workshop) -> Outcome<PathBuf> {
    let folder = shop.workspace.target.join("js/pkg");
    let note = shop.workspace.target.join("js/stamp");
    let wasm_bindgen = shop.wasm_bindgen()?;
    let stamp = stamp(shop, &wasm_bindgen)?;
    if folder.join("package.json").is_file()
        && fs::read_to_string(&note).is_ok_and(|old| old == stamp)
    {
        doing("the JavaScript package is up to date");
        return Ok(folder);
    }

    doing("compiling the JavaScript package");
    let module = Module {
        krate: CRATE,
        name: NAME,
        typed: true,
        has_c: false,
    };
    let compiled = module.compile(shop)?;
    remove(&folder)?;
    module.bind(shop, &compiled, &folder)?;
    shrink(shop, &folder.join(format!("{NAME}_bg.wasm")))?;
    describe(shop, &folder)?;
    fs::write(&note, stamp).or_say(|| format!("write {}", note.display()))?;
    Ok(folder)
}

/// All that the package is made from.
fn stamp(shop: &Workshop, wasm_bindgen: &Path) -> Outcome<String> {
    let root = &shop.workspace.root;
    let mut stamp = Stamp::new().value(&shop.wasm()?.version()?);
    for package in shop.workspace.sources_of(CRATE) {
        stamp = stamp.files(&package.folder, &["target", "tests", "benches", "fuzz"])?;
    }
    for file in [
        ".cargo/config.toml",
        "Cargo.toml",
        "Cargo.lock",
        "crates/xtask/src/js.rs",
        "crates/xtask/src/module.rs",
        "crates/xtask/src/site.rs",
    ] {
        stamp = stamp.files(&root.join(file), &[])?;
    }
    let wasm_opt = shop.wasm_opt().map(|p| p.to_string_lossy().into_owned());
    Ok(stamp
        .value(&wasm_bindgen.to_string_lossy())
        .value(&wasm_opt.unwrap_or_default())
        .finish())
}

/// Writes package.json, and puts the crate's README beside it.
fn describe(shop: &Workshop, folder: &Path) -> Outcome {
    let Some(package) = shop.workspace.package(CRATE) else {
        return Ok(());
    };
    let manifest = json!({
        "name": NAME,
        "version": package.version,
        "description": package.description,
        "license": package.license,
        "type": "module",
        "main": format!("{NAME}.js"),
        "types": format!("{NAME}.d.ts"),
        "exports": {
            ".": format!("./{NAME}.js"),
            "./wasm": format!("./{NAME}_bg.wasm"),
        },
        "files": [
            format!("{NAME}.js"),
            format!("{NAME}.d.ts"),
            format!("{NAME}_bg.wasm"),
            format!("{NAME}_bg.wasm.d.ts"),
            "snippets",
        ],
        "sideEffects": ["./snippets/*"],
    });
    let file = folder.join("package.json");
    fs::write(&file, format!("{manifest:#}\n")).or_say(|| format!("write {}", file.display()))?;
    let readme = package.folder.join("README.md");
    if readme.is_file() {
        fs::copy(&readme, folder.join("README.md"))
            .or_say(|| "copy the package's README".into())?;
    }
    Ok(())
}
