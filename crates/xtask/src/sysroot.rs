//! A compiler for the browser without rustup: Debian ships a recent compiler (the packages that end
//! in `-web`) and the sources of the standard library, but no library built for wasm32. It is
//! built here once, in about a minute, and laid out as a sysroot in the cache; from then on plain
//! `cargo build --target wasm32-unknown-unknown` works with `<sysroot>/bin` first in PATH.

use crate::apt;
use crate::cache::Cache;
use crate::run::Run;
use crate::say::{OrSay, Outcome, Trouble, doing};
use crate::toolchain::{WASM, holds_core};
use std::fs;
use std::path::{Path, PathBuf};

/// Debian's compiler, cargo, clippy and rustfmt in the version that its browsers are built with, the
/// sources of the standard library, and a linker for WebAssembly.
const PACKAGES: [&str; 6] = [
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "rust-web-clippy",
    "rustfmt-web",
    "lld-22",
];

/// Where these packages put things. `/usr/bin` is written out because a rustup in PATH would
/// otherwise be found first.
const RUSTC: &str = "/usr/bin/rustc";
const RUSTDOC: &str = "/usr/bin/rustdoc";
const CARGO: &str = "/usr/bin/cargo";
const CARGO_CLIPPY: &str = "/usr/bin/cargo-clippy";
const LLD: &str = "/usr/bin/lld-22";
const STD_SOURCES: &str = "/usr/lib/rustlib/src/rust/library/std/Cargo.toml";

/// The crates of the standard library that our builds link: `test` for tests in the browser,
/// `proc_macro` because cargo wants it beside std, `panic_abort` for the page's profile.
const STD_CRATES: &str = "build-std=std,panic_abort,test,proc_macro";

/// The crate whose build pulls in the standard library; itself it is empty.
const SEED: &str = "haggle-sysroot-seed";

/// The folder of the sysroot, made if need be.
pub(crate) fn ready(cache: &Cache) -> Outcome<PathBuf> {
    let needed = [RUSTC, CARGO, CARGO_CLIPPY, LLD, STD_SOURCES];
    if needed.iter().any(|file| !Path::new(file).is_file()) {
        apt::install(
            &PACKAGES,
            "rustup may not add the wasm32 target here, and the page cannot be compiled without one",
        )
        .map_err(|trouble| {
            Trouble::new(format!(
                "{trouble}; alternatively let rustup add the target: `rustup target add {WASM}`"
            ))
        })?;
    }
    let said = debian(RUSTC).arg("-vV").silently()?;
    let compiler = Compiler::from_version(&said)
        .ok_or_else(|| Trouble::new(format!("{RUSTC} does not say its version as expected")))?;
    let place = cache.wasm_sysroot(&compiler.release);
    if !is_whole(&place) {
        doing(format!(
            "building the standard library for {WASM} with Debian's compiler {} (about a minute, \
             once), because no package holds it; kept in {}",
            compiler.release,
            place.display()
        ));
        Cache::make(&place, |draft| lay_out(draft, &place, &compiler))?;
    }
    Ok(place)
}

/// What the layout depends on.
#[derive(Debug, PartialEq, Eq)]
struct Compiler {
    /// Its version, for example `1.96.0`.
    release: String,
    /// The triple it runs on.
    host: String,
}

impl Compiler {
    /// Reads what `rustc -vV` prints.
    fn from_version(said: &str) -> Option<Self> {
        let field = |name: &str| {
            let value = said.lines().find_map(|line| line.strip_prefix(name))?;
            Some(value.trim().to_owned())
        };
        Some(Self {
            release: field("release:")?,
            host: field("host:")?,
        })
    }
}

/// Whether a sysroot can be used as it stands.
fn is_whole(place: &Path) -> bool {
    holds_core(&libraries(place)) && place.join("bin/rustc").is_file()
}

fn libraries(place: &Path) -> PathBuf {
    place.join("lib/rustlib").join(WASM).join("lib")
}

/// Builds the standard library and lays the sysroot out in `draft`, which will be moved to `place`:
/// its scripts name the latter.
fn lay_out(draft: &Path, place: &Path, compiler: &Compiler) -> Outcome {
    let seed = draft.join("seed");
    write(&seed.join("Cargo.toml"), &seed_manifest())?;
    write(&seed.join("src/lib.rs"), "#![no_std]\n")?;
    debian(CARGO)
        .args(["build", "--release", "--target", WASM, "-Z", STD_CRATES])
        .within(&seed)
        .path_first(&["/usr/bin"])
        .env("CARGO_TARGET_DIR", seed.join("target"))
        // `-Z build-std` is not stable; the sources are those of this very compiler.
        .env("RUSTC_BOOTSTRAP", "1")
        // Fat LTO of the page reads bitcode, which a plain release build of std leaves out.
        .env("RUSTFLAGS", "-C embed-bitcode=yes")
        .openly()?;

    let libs = libraries(draft);
    create(&libs)?;
    let built = seed.join("target").join(WASM).join("release/deps");
    let entries = fs::read_dir(&built).or_say(|| format!("read {}", built.display()))?;
    for file in entries.flatten() {
        let name = file.file_name();
        let shown = name.to_string_lossy();
        if shown.ends_with(".rlib") && !shown.contains("haggle_sysroot_seed") {
            fs::copy(file.path(), libs.join(&name)).or_say(|| format!("copy {shown}"))?;
        }
    }
    crate::cache::remove(&seed)?;
    if !holds_core(&libs) {
        return Err(Trouble::new(
            "the build of the standard library left no libcore behind",
        ));
    }

    let host = draft.join("lib/rustlib").join(&compiler.host);
    create(&host)?;
    link(
        &Path::new("/usr/lib/rustlib")
            .join(&compiler.host)
            .join("lib"),
        &host.join("lib"),
    )?;
    script(&host.join("bin/rust-lld"), &format!("exec {LLD} \"$@\""))?;
    let sysroot = place.display();
    script(
        &draft.join("bin/rustc"),
        &format!("exec {RUSTC} --sysroot {sysroot} \"$@\""),
    )?;
    script(
        &draft.join("bin/rustdoc"),
        &format!("exec {RUSTDOC} --sysroot {sysroot} \"$@\""),
    )?;
    link(Path::new(CARGO), &draft.join("bin/cargo"))?;
    link(Path::new(CARGO_CLIPPY), &draft.join("bin/cargo-clippy"))
}

fn seed_manifest() -> String {
    format!(
        "[package]\nname = \"{SEED}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n"
    )
}

/// A child of Debian's toolchain, which must not hear of the one that started us.
fn debian(program: &str) -> Run {
    [
        "CARGO",
        "RUSTC",
        "RUSTDOC",
        "RUSTUP_TOOLCHAIN",
        "CARGO_ENCODED_RUSTFLAGS",
    ]
    .into_iter()
    .fold(Run::new(program), Run::env_remove)
}

fn create(folder: &Path) -> Outcome {
    fs::create_dir_all(folder).or_say(|| format!("create {}", folder.display()))
}

fn write(file: &Path, text: &str) -> Outcome {
    create(file.parent().unwrap_or(file))?;
    fs::write(file, text).or_say(|| format!("write {}", file.display()))
}

#[cfg(unix)]
fn script(file: &Path, line: &str) -> Outcome {
    use std::os::unix::fs::PermissionsExt;
    write(file, &format!("#!/bin/sh\n{line}\n"))?;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
        .or_say(|| format!("make {} executable", file.display()))
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> Outcome {
    std::os::unix::fs::symlink(to, at).or_say(|| format!("link {}", at.display()))
}

#[cfg(not(unix))]
fn script(_: &Path, _: &str) -> Outcome {
    Err(only_debian())
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> Outcome {
    Err(only_debian())
}

#[cfg(not(unix))]
fn only_debian() -> Trouble {
    Trouble::new(format!(
        "run `rustup target add {WASM}`: the page is compiled for that target"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sysroot_is_keyed_by_the_version_the_compiler_states() {
        let said = "rustc 1.96.0 (ac68faa20 2026-05-25)\nhost: x86_64-unknown-linux-gnu\n\
            release: 1.96.0\nLLVM version: 22.1.8\n";
        let compiler = Compiler::from_version(said).unwrap();
        assert_eq!(compiler.release, "1.96.0");
        assert_eq!(compiler.host, "x86_64-unknown-linux-gnu");
        assert_eq!(Compiler::from_version("rustc 1.96.0"), None);
    }

    #[test]
    fn a_sysroot_without_libraries_is_not_whole() {
        assert!(!is_whole(Path::new("/nonexistent/sysroot")));
    }
}
