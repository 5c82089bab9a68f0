//! What every command works with: the workspace, the cache and the toolchains, each found or set up
//! the first time it is asked for, so that a command never sets up what it does not use.

use crate::browser::{self, Browser};
use crate::cache::Cache;
use crate::compilers;
use crate::data;
use crate::run::Run;
use crate::say::{Outcome, doing};
use crate::toolchain::Toolchain;
use crate::tools;
use crate::workspace::Workspace;
use std::cell::OnceCell;
use std::path::PathBuf;

/// The place where commands find their tools.
#[derive(Debug)]
pub(crate) struct Workshop {
    /// The crates of this repository.
    pub(crate) workspace: Workspace,
    /// Where slow things are kept.
    pub(crate) cache: Cache,
    wasm: OnceCell<Toolchain>,
    wasm_opt: OnceCell<Option<PathBuf>>,
    browser: OnceCell<Browser>,
}

impl Workshop {
    /// Looks around; sets nothing up yet.
    pub(crate) fn open() -> Outcome<Self> {
        Ok(Self {
            workspace: Workspace::of_this_checkout()?,
            cache: Cache::of_this_machine()?,
            wasm: OnceCell::new(),
            wasm_opt: OnceCell::new(),
            browser: OnceCell::new(),
        })
    }

    /// A native cargo in the checkout, told that Cargo.lock must hold as it is.
    pub(crate) fn cargo(&self, command: &str) -> Run {
        let run = Toolchain::native()
            .cargo()
            .within(&self.workspace.root)
            .arg(command);
        // `cargo fmt` resolves nothing and knows no such flag.
        if command == "fmt" {
            run
        } else {
            run.arg("--locked")
        }
    }

    /// A native cargo over everything that runs natively, which is the default members and what the page
    /// computes. It is always this very selection: the features that cargo turns on depend on it, and
    /// another selection would compile the network's crates a second time.
    pub(crate) fn cargo_for_all(&self, command: &str) -> Outcome<Run> {
        let run = self.cargo(command).env("PROTOC", compilers::protoc()?);
        let all = self
            .workspace
            .packages
            .iter()
            .filter(|p| p.is_tested_natively());
        Ok(all.fold(run, |run, package| run.args(["--package", &package.name])))
    }

    /// The toolchain for the browser.
    pub(crate) fn wasm(&self) -> Outcome<&Toolchain> {
        known_or(&self.wasm, || {
            Toolchain::wasm(&self.cache, &self.workspace.target.join("wasm"))
        })
    }

    /// `wasm-opt`, where it can be had.
    pub(crate) fn wasm_opt(&self) -> Option<&PathBuf> {
        self.wasm_opt
            .get_or_init(|| tools::wasm_opt(&self.cache))
            .as_ref()
    }

    /// The folder of wasm-bindgen's programs.
    pub(crate) fn wasm_bindgen(&self) -> Outcome<PathBuf> {
        tools::wasm_bindgen(&self.cache, &self.workspace)
    }

    /// The browser to test with.
    pub(crate) fn browser(&self) -> Outcome<&Browser> {
        known_or(&self.browser, browser::ready)
    }

    /// The folder of real advertisements to trade on.
    pub(crate) fn data(&self) -> Outcome<PathBuf> {
        data::ready(&self.cache)
    }

    /// Sets up everything now: what building needs, and what testing needs if that is wished.
    pub(crate) fn set_up(&self, tests_too: bool) -> Outcome {
        self.wasm()?;
        compilers::clang()?;
        self.wasm_bindgen()?;
        tools::trunk(&self.cache)?;
        self.wasm_opt();
        if tests_too {
            compilers::protoc()?;
            self.browser()?;
            self.data()?;
        }
        doing("everything is set up");
        Ok(())
    }
}

/// The value of a cell, made by `make` if it has none; a failure is not kept.
fn known_or<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Outcome<T>) -> Outcome<&T> {
    if let Some(known) = cell.get() {
        return Ok(known);
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made))
}
