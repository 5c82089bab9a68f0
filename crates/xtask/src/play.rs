//! Play money for `cargo xtask up --play-money`: the mint that tests pay at, whose Lightning backend takes every invoice for paid, beside the
//! page on this machine. The page is told which mint that is by a `<meta>`, and says "play money" wherever it names it or shows what is there.
//!
//! Nothing else starts that mint or writes that `<meta>`: a site for others (`cargo xtask site`) knows of no play money, and the page
//! takes such a mint on 127.0.0.1 only.

use crate::run::Run;
use crate::say::{OrSay, Outcome, Trouble};
use crate::site;
use serde_json::Value;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Child;

/// A demo's mint.
#[derive(Debug)]
pub(crate) struct Play {
    /// Where it listens: on the port after the page's. Purses are kept under the whole address, so it is the same the next time.
    pub(crate) address: SocketAddr,
    /// Where its books are, which a purse in a browser outlives only if it is left alone.
    folder: PathBuf,
}

impl Play {
    /// Beside a page on this port, with its books in a folder of `state`.
    pub(crate) fn beside(port: u16, state: &Path) -> Outcome<Self> {
        let port = port.checked_add(1).ok_or_else(|| {
            Trouble::new(
                "the mint of play money needs the port after the page's: choose a smaller `--port`",
            )
        })?;
        Ok(Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            folder: state.join("mint"),
        })
    }

    /// Its name as a custodian.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where what it says goes.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("mint.log")
    }

    /// Starts it. What it says goes into a file beside its books.
    pub(crate) fn start(&self, program: &Path) -> Outcome<Child> {
        fs::create_dir_all(&self.folder).or_say(|| format!("create {}", self.folder.display()))?;
        Run::new(program)
            .arg(&self.folder)
            .arg(self.address.to_string())
            .within(&self.folder)
            .into_file(&self.log())?
            .start()
    }

    /// A copy of the site in `state` that names this mint as one of play money.
    pub(crate) fn site(&self, site: &Path, state: &Path) -> Outcome<PathBuf> {
        let copy = state.join("site");
        site::with_play_money(site, &copy, &self.url())?;
        Ok(copy)
    }

    /// A copy of a sample stall's file in `folder` that takes escrow at this mint.
    pub(crate) fn stall(&self, file: &Path, folder: &Path) -> Outcome<PathBuf> {
        let text = fs::read_to_string(file).or_say(|| format!("read {}", file.display()))?;
        let copy = folder.join(file.file_name().unwrap_or_default());
        // A text in TOML is written like one in JSON.
        let mint = Value::from(self.url());
        fs::write(&copy, format!("{text}\n[[escrow]]\nmint = {mint}\n"))
            .or_say(|| format!("write {}", copy.display()))?;
        Ok(copy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mint_is_on_this_machine_on_the_port_after_the_pages() {
        let play = Play::beside(8787, Path::new("/state")).unwrap();
        assert_eq!(play.url(), "http://127.0.0.1:8788");
        let trouble = Play::beside(u16::MAX, Path::new("/state")).unwrap_err();
        assert!(trouble.to_string().contains("--port"), "{trouble}");
    }

    #[test]
    fn a_sample_stall_takes_escrow_there_in_a_copy_and_the_sample_itself_does_not() {
        let folder = std::env::temp_dir().join(format!("haggle-play-{}", std::process::id()));
        fs::create_dir_all(folder.join("copies")).unwrap();
        let sample = folder.join("lamps.toml");
        fs::write(&sample, "currency = \"EUR\"\n\n[[items]]\nsku = \"a\"").unwrap();
        let play = Play::beside(8787, &folder).unwrap();
        let copy = play.stall(&sample, &folder.join("copies")).unwrap();
        let text = fs::read_to_string(&copy).unwrap();
        assert!(
            text.ends_with("sku = \"a\"\n[[escrow]]\nmint = \"http://127.0.0.1:8788\"\n"),
            "{text}"
        );
        assert!(!fs::read_to_string(&sample).unwrap().contains("escrow"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
