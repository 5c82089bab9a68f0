//! Where the things are that tests need: told by environment variables, which `cargo xtask test` sets.

use std::env;
use std::path::PathBuf;

use crate::trouble::{Outcome, Trouble};

/// The path that a variable names.
///
/// # Errors
/// If the variable is not set, with a sentence that says who sets it.
#[track_caller]
pub fn from_environment(name: &str, what: &str) -> Outcome<PathBuf> {
    match env::var_os(name) {
        Some(path) => Ok(path.into()),
        None => Err(Trouble::new(format!(
            "{name} is not set: it names {what}; `cargo xtask test` makes it and sets the variable"
        ))),
    }
}

/// The built site.
///
/// # Errors
/// If `HAGGLE_SITE` is not set.
#[track_caller]
pub fn site() -> Outcome<PathBuf> {
    from_environment("HAGGLE_SITE", "the folder of the built site")
}

/// The JavaScript package.
///
/// # Errors
/// If `HAGGLE_JS` is not set.
#[track_caller]
pub fn js() -> Outcome<PathBuf> {
    from_environment("HAGGLE_JS", "the folder of the built JavaScript package")
}

/// The program that trades without a page.
///
/// # Errors
/// If `HAGGLE_AGENT` is not set.
#[track_caller]
pub fn agent() -> Outcome<PathBuf> {
    from_environment("HAGGLE_AGENT", "the program `haggle`")
}

/// The program of a mint.
///
/// # Errors
/// If `HAGGLE_MINT` is not set.
#[track_caller]
pub fn mint() -> Outcome<PathBuf> {
    from_environment("HAGGLE_MINT", "the program `haggle-mint`")
}

/// The library by which a program is started with a clock that is ahead.
///
/// # Errors
/// If `HAGGLE_FAKETIME` is not set.
#[track_caller]
pub fn faketime() -> Outcome<PathBuf> {
    from_environment("HAGGLE_FAKETIME", "the library libfaketimeMT")
}

/// Where pictures and figures are kept.
///
/// # Errors
/// If `HAGGLE_ARTEFACTS` is not set, or the folder cannot be made.
#[track_caller]
pub fn artefacts() -> Outcome<PathBuf> {
    let folder = from_environment("HAGGLE_ARTEFACTS", "the folder for pictures and figures")?;
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
