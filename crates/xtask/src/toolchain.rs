//! Which compiler builds what. Natively it is the cargo that started us. For the browser it is the
//! same one where rustup has, or may fetch, the wasm32 target; elsewhere (machines that set
//! `RUSTUP_AUTO_INSTALL=0`, machines without rustup) it is the distribution's compiler with a
//! sysroot that `sysroot.rs` lays out.

use crate::cache::Cache;
use crate::run::{Run, find_program};
use crate::say::{Outcome, Trouble, doing};
use crate::sysroot;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The target triple of the browser.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Variables by which a cargo tells its children which toolchain they belong to. A child of another
/// toolchain must not see them.
const BELONGING: [&str; 6] = [
    "CARGO",
    "RUSTC",
    "RUSTDOC",
    "RUSTUP_TOOLCHAIN",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUST_RECURSION_COUNT",
];

/// A compiler and the cargo that goes with it.
#[derive(Debug, Clone)]
pub(crate) struct Toolchain {
    /// The sysroot laid out by us; none for the toolchain that started us.
    sysroot: Option<PathBuf>,
    /// Where its builds go; none for cargo's own choice.
    target: Option<PathBuf>,
}

impl Toolchain {
    /// The toolchain that started us.
    pub(crate) fn native() -> Self {
        Self {
            sysroot: None,
            target: None,
        }
    }

    /// A toolchain that can build for the browser, set up if need be. Its builds go to `target`, away
    /// from the native ones, so that two compilers never invalidate each other's work.
    pub(crate) fn wasm(cache: &Cache, target: &Path) -> Outcome<Self> {
        let ready = |sysroot| Self {
            sysroot,
            target: Some(target.to_path_buf()),
        };
        if native_knows_wasm() {
            return Ok(ready(None));
        }
        if rustup_may_install() {
            doing(format!(
                "adding the {WASM} target through rustup, because the page and the JavaScript \
                 package are compiled for it"
            ));
            Run::new("rustup").args(["target", "add", WASM]).openly().map_err(|trouble| {
                Trouble::new(format!(
                    "{trouble}; run `rustup target add {WASM}` yourself when the network is back"
                ))
            })?;
            return Ok(ready(None));
        }
        Ok(ready(Some(sysroot::ready(cache)?)))
    }

    /// A child that runs this toolchain's cargo.
    pub(crate) fn cargo(&self) -> Run {
        let program = match &self.sysroot {
            Some(sysroot) => sysroot.join("bin/cargo").into_os_string(),
            None => env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")),
        };
        self.around(Run::new(program))
    }

    /// Makes a child (Trunk, say) find this toolchain when it runs cargo or rustc by name.
    pub(crate) fn around(&self, mut run: Run) -> Run {
        if let Some(target) = &self.target {
            run = run.env("CARGO_TARGET_DIR", target);
        }
        let Some(sysroot) = &self.sysroot else {
            return run;
        };
        for name in BELONGING {
            run = run.env_remove(name);
        }
        // Clippy's driver does not go through our rustc; it asks this variable.
        run.env("SYSROOT", sysroot)
            .path_first(&[sysroot.join("bin")])
    }

    /// The compiler's name and version, for stamps.
    pub(crate) fn version(&self) -> Outcome<String> {
        let rustc = match &self.sysroot {
            Some(sysroot) => sysroot.join("bin/rustc").into_os_string(),
            None => OsString::from("rustc"),
        };
        self.around(Run::new(rustc)).arg("-vV").silently()
    }
}

/// Whether the compiler that started us has the standard library for the browser.
fn native_knows_wasm() -> bool {
    Run::new("rustc")
        .args(["--print", "target-libdir", "--target", WASM])
        .silently()
        .is_ok_and(|said| holds_core(Path::new(said.trim())))
}

/// Whether a folder of libraries holds `core`, without which nothing compiles.
pub(crate) fn holds_core(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
}

/// Whether there is a rustup and it is allowed to fetch.
fn rustup_may_install() -> bool {
    find_program("rustup").is_some() && allows_install(env::var_os("RUSTUP_AUTO_INSTALL"))
}

/// What the variable `RUSTUP_AUTO_INSTALL` says; rustup itself installs unless told not to.
fn allows_install(value: Option<OsString>) -> bool {
    value.is_none_or(|value| value != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rustup_is_left_alone_where_the_machine_says_so() {
        assert!(!allows_install(Some("0".into())));
        assert!(allows_install(Some("1".into())));
        assert!(allows_install(None));
    }

    #[test]
    fn a_browser_toolchain_of_our_own_hides_the_one_that_started_us() {
        let toolchain = Toolchain {
            sysroot: Some("/c/s".into()),
            target: Some("/t/wasm".into()),
        };
        let run = Run::new("sh")
            .env("RUSTUP_TOOLCHAIN", "stable")
            .env("CARGO", "/r/cargo");
        let said = toolchain
            .around(run)
            .args([
                "-c",
                "echo $SYSROOT ${PATH%%:*} $CARGO_TARGET_DIR [$RUSTUP_TOOLCHAIN$CARGO]",
            ])
            .silently()
            .unwrap();
        assert_eq!(said, "/c/s /c/s/bin /t/wasm []\n");
    }
}
