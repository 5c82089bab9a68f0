//! The workspace as cargo sees it: its crates, what each depends on, and what each builds. Read from
//! `cargo metadata` once per run; everything that needs a list of crates or tests derives it from
//! here, so that a new crate or test file is found without being written down twice.

use crate::run::Run;
use crate::say::{OrSay, Outcome, Trouble};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The crate of the page.
pub(crate) const PAGE: &str = "haggle-web";

/// The crate of the module by which the page pays, loaded when money is first used.
pub(crate) const MONEY: &str = "haggle-money";

/// All crates of this repository.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    /// The checkout.
    pub(crate) root: PathBuf,
    /// Where native builds go, and everything else we make.
    pub(crate) target: PathBuf,
    /// The members.
    pub(crate) packages: Vec<Package>,
}

/// One crate of this repository.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    /// Its name, `haggle-…`.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// One line about it.
    pub(crate) description: String,
    /// Its licence, as SPDX writes it.
    pub(crate) license: String,
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// Whether plain `cargo build` builds it, which is to say: whether it runs natively.
    pub(crate) native: bool,
    /// What it depends on, as written in its manifest.
    pub(crate) dependencies: Vec<Dependency>,
    /// What it builds.
    pub(crate) targets: Vec<Target>,
}

/// One line of a manifest's dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The name of the crate it asks for.
    pub(crate) name: String,
    /// Only for tests, benchmarks and examples.
    pub(crate) dev: bool,
    /// The folder it lies in, when it lies in this repository.
    pub(crate) folder: Option<PathBuf>,
}

/// Something cargo builds from a crate: its library, a program, a file of tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its name.
    pub(crate) name: String,
    /// `lib`, `cdylib`, `bin`, `test`, `bench`, …
    pub(crate) kind: String,
}

impl Workspace {
    /// Asks the cargo that started us (or the one in PATH) about the repository this file lies in.
    pub(crate) fn of_this_checkout() -> Outcome<Self> {
        // From the root: asked in a member's folder, cargo names that member as the only default one.
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let said = Run::new(cargo)
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .within(&root)
            .silently()?;
        let metadata =
            serde_json::from_str(&said).or_say(|| "read what cargo metadata said".into())?;
        Self::from_metadata(&metadata)
    }

    /// Reads the document that `cargo metadata --no-deps` prints.
    pub(crate) fn from_metadata(metadata: &Value) -> Outcome<Self> {
        let native: BTreeSet<_> = list(&metadata["workspace_default_members"])
            .filter_map(Value::as_str)
            .collect();
        let packages = list(&metadata["packages"])
            .map(|package| Package::from_metadata(package, &native))
            .collect::<Outcome<_>>()?;
        Ok(Self {
            root: text(metadata, "workspace_root")?.into(),
            target: text(metadata, "target_directory")?.into(),
            packages,
        })
    }

    /// The crate of this name, if there is one.
    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// A crate of ours and all crates of ours that it is built from, in no particular order. Crates
    /// that are only needed for its tests are left out.
    pub(crate) fn sources_of(&self, name: &str) -> Vec<&Package> {
        let mut found: Vec<&Package> = Vec::new();
        let mut open: Vec<&str> = vec![name];
        while let Some(name) = open.pop() {
            if found.iter().any(|package| package.name == name) {
                continue;
            }
            if let Some(package) = self.package(name) {
                found.push(package);
                open.extend(package.ours().filter(|d| !d.dev).map(|d| d.name.as_str()));
            }
        }
        found
    }

    /// The version of a crate in Cargo.lock. Tools that must match a library exactly take their
    /// version from here, so that the two cannot drift apart.
    pub(crate) fn locked_version(&self, name: &str) -> Outcome<String> {
        let file = self.root.join("Cargo.lock");
        let lock = std::fs::read_to_string(&file).or_say(|| format!("read {}", file.display()))?;
        version_in_lock(&lock, name).ok_or_else(|| {
            Trouble::new(format!(
                "Cargo.lock names no {name}; run `cargo check` once to update it"
            ))
        })
    }
}

impl Package {
    fn from_metadata(package: &Value, native: &BTreeSet<&str>) -> Outcome<Self> {
        let manifest = PathBuf::from(text(package, "manifest_path")?);
        let dependencies = list(&package["dependencies"])
            .map(|dependency| {
                Ok(Dependency {
                    name: text(dependency, "name")?.into(),
                    dev: dependency["kind"] == "dev",
                    folder: dependency["path"].as_str().map(PathBuf::from),
                })
            })
            .collect::<Outcome<_>>()?;
        let targets = list(&package["targets"])
            .map(|target| {
                let kind = list(&target["kind"]).next().and_then(Value::as_str);
                Ok(Target {
                    name: text(target, "name")?.into(),
                    kind: kind.unwrap_or_default().into(),
                })
            })
            .collect::<Outcome<_>>()?;
        Ok(Self {
            name: text(package, "name")?.into(),
            version: text(package, "version")?.into(),
            description: package["description"].as_str().unwrap_or_default().into(),
            license: package["license"].as_str().unwrap_or_default().into(),
            folder: manifest.parent().unwrap_or(&manifest).into(),
            native: native.contains(text(package, "id")?),
            dependencies,
            targets,
        })
    }

    /// Its dependencies that lie in this repository.
    pub(crate) fn ours(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies
            .iter()
            .filter(|dependency| dependency.folder.is_some())
    }

    /// Whether it has a library that Rust can link.
    pub(crate) fn has_library(&self) -> bool {
        ["lib", "rlib"]
            .iter()
            .any(|kind| self.targets_of_kind(kind).next().is_some())
    }

    /// Whether native tests are run on it: on all that runs natively, and on the page, whose library
    /// holds what it computes and knows no browser.
    pub(crate) fn is_tested_natively(&self) -> bool {
        self.native || (self.name == PAGE && self.has_library())
    }

    /// The names of its targets of one kind.
    pub(crate) fn targets_of_kind(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.targets
            .iter()
            .filter(move |t| t.kind == kind)
            .map(|t| t.name.as_str())
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Outcome<&'a str> {
    value[key]
        .as_str()
        .ok_or_else(|| Trouble::new(format!("cargo metadata has no text under \"{key}\"")))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Finds `version = "…"` after `name = "<name>"` in the text of a lock file. A lock file is written
/// by cargo alone, always in this shape, so it needs no parser of its own.
fn version_in_lock(lock: &str, name: &str) -> Option<String> {
    let mut lines = lock.lines();
    lines.find(|line| {
        line.strip_prefix("name = ")
            .is_some_and(|n| n.trim_matches('"') == name)
    })?;
    let version = lines.next()?.strip_prefix("version = ")?;
    Some(version.trim_matches('"').into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_crate_but_those_that_are_pages_only_is_tested_natively() {
        let checkout = Workspace::of_this_checkout().unwrap();
        let missed: Vec<_> = checkout
            .packages
            .iter()
            .filter(|package| !package.is_tested_natively())
            .map(|package| package.name.as_str())
            .collect();
        assert_eq!(missed, ["haggle-js", "haggle-money", "haggle-interop"]);
        assert!(checkout.packages.len() > 9);
    }

    fn workspace() -> Workspace {
        Workspace::from_metadata(&json!({
            "workspace_root": "/repo",
            "target_directory": "/repo/target",
            "workspace_default_members": ["path+file:///repo/crates/book#0.1.0"],
            "packages": [
                {
                    "name": "haggle-book", "version": "0.1.0", "id": "path+file:///repo/crates/book#0.1.0",
                    "manifest_path": "/repo/crates/book/Cargo.toml",
                    "targets": [
                        { "name": "haggle_book", "kind": ["lib"] },
                        { "name": "fair", "kind": ["test"] },
                    ],
                    "dependencies": [
                        { "name": "haggle-protocol", "kind": null, "path": "/repo/crates/protocol" },
                        { "name": "proptest", "kind": "dev" },
                    ],
                },
                {
                    "name": "haggle-protocol", "version": "0.1.0", "id": "path+file:///repo/crates/protocol#0.1.0",
                    "manifest_path": "/repo/crates/protocol/Cargo.toml",
                    "targets": [], "dependencies": [],
                },
            ],
        }))
        .unwrap()
    }

    #[test]
    fn metadata_tells_crates_dependencies_and_tests() {
        let workspace = workspace();
        let book = workspace.package("haggle-book").unwrap();
        assert_eq!(book.folder, Path::new("/repo/crates/book"));
        assert!(book.native);
        assert!(!workspace.package("haggle-protocol").unwrap().native);
        assert_eq!(
            book.ours().map(|d| d.name.as_str()).collect::<Vec<_>>(),
            ["haggle-protocol"]
        );
        assert!(
            book.dependencies
                .iter()
                .any(|d| d.name == "proptest" && d.dev)
        );
        assert_eq!(book.targets_of_kind("test").collect::<Vec<_>>(), ["fair"]);
    }

    #[test]
    fn the_sources_of_a_crate_include_what_it_is_built_from() {
        let names = |name| {
            workspace()
                .sources_of(name)
                .iter()
                .map(|p| p.name.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(names("haggle-book"), ["haggle-book", "haggle-protocol"]);
        assert_eq!(names("haggle-protocol"), ["haggle-protocol"]);
    }

    #[test]
    fn a_tools_version_is_read_from_the_lock_file() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.9.9\"\n\n\
            [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.108\"\n";
        assert_eq!(version_in_lock(lock, "wasm-bindgen").unwrap(), "0.2.108");
        assert_eq!(version_in_lock(lock, "trunk"), None);
    }
}
