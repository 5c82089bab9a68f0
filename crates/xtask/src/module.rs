//! A crate as a WebAssembly module for the browser, with the JavaScript around it: compiled by cargo, joined by wasm-bindgen. The page
//! itself is not made here but by Trunk.

use crate::compilers;
use crate::run::Run;
use crate::say::Outcome;
use crate::site::PROFILE;
use crate::toolchain::WASM;
use crate::workshop::Workshop;
use std::path::{Path, PathBuf};

/// What a module is made of and called.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Module<'a> {
    /// The crate.
    pub(crate) krate: &'a str,
    /// What the names of its files begin with.
    pub(crate) name: &'a str,
    /// Whether its types are described for TypeScript.
    pub(crate) typed: bool,
    /// Whether there is C in it.
    pub(crate) has_c: bool,
}

impl Module<'_> {
    /// Compiles it; where the program is then.
    pub(crate) fn compile(self, shop: &Workshop) -> Outcome<PathBuf> {
        let cargo = shop.wasm()?.cargo();
        let cargo = if self.has_c {
            compilers::around(cargo)?
        } else {
            cargo
        };
        cargo
            .args(["build", "--locked", "--profile", PROFILE])
            .args(["--target", WASM, "--package", self.krate])
            .within(&shop.workspace.root)
            .openly()?;
        let file = format!("{}.wasm", self.krate.replace('-', "_"));
        let compiled = shop.workspace.target.join("wasm").join(WASM);
        Ok(compiled.join(PROFILE).join(file))
    }

    /// Leaves `<name>.js`, `<name>_bg.wasm` and the types, if they are wished for, in a folder.
    pub(crate) fn bind(self, shop: &Workshop, compiled: &Path, folder: &Path) -> Outcome {
        let typed = if self.typed {
            "--typescript"
        } else {
            "--no-typescript"
        };
        Run::new(shop.wasm_bindgen()?.join("wasm-bindgen"))
            .args(["--target", "web", typed])
            .args(["--out-name", self.name, "--out-dir"])
            .arg(folder)
            .arg(compiled)
            .silently()?;
        Ok(())
    }
}
