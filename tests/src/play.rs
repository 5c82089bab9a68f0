//! A site as `cargo xtask up --play-money` serves it: the built one, which names a mint of play money besides.

use std::path::Path;

use tempfile::TempDir;

use crate::place;
use crate::trouble::{Outcome, Trouble};

/// What has to stand first in a page's head.
const FIRST: &str = "<meta charset";

/// A copy of the built site that names this mint. It is gone once that is dropped.
///
/// # Errors
/// If `HAGGLE_SITE` is not set, or the site there has no head.
pub fn site(mint: &str) -> Outcome<TempDir> {
    let copy = tempfile::tempdir()?;
    copy_into(&place::site()?, copy.path())?;
    let index = copy.path().join("index.html");
    let html = std::fs::read_to_string(&index)?;
    let first = html.find(FIRST);
    let end = first.and_then(|at| html.get(at..)?.find('>').map(|length| at + length + 1));
    let halves = end.and_then(|at| html.split_at_checked(at));
    let (before, after) =
        halves.ok_or_else(|| Trouble::new("the site's page has no head to name a mint in"))?;
    let meta = format!("<meta name=\"haggle-play-money\" content=\"{mint}\">");
    std::fs::write(&index, format!("{before}{meta}{after}"))?;
    // It says what the page was before.
    let twin = copy.path().join("index.html.br");
    if twin.is_file() {
        std::fs::remove_file(twin)?;
    }
    Ok(copy)
}

fn copy_into(from: &Path, to: &Path) -> Outcome {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let (from, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if from.is_dir() {
            copy_into(&from, &to.join(name))?;
        } else {
            std::fs::copy(&from, to.join(name))?;
        }
    }
    Ok(())
}
