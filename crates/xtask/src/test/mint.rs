//! A mint for the tests that run in a browser: `haggle-mint` as a process on loopback, with empty books, for as long as its owner lives.

use crate::outfit;
use crate::run::Run;
use crate::say::{OrSay, Outcome, Trouble};
use crate::workshop::Workshop;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Child;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long it may take to be ready; it needs a second, or some on a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running mint.
pub(super) struct Mint {
    child: Child,
    /// Where it is asked.
    pub(super) url: String,
}

impl Mint {
    /// Builds the program and starts it on a free port.
    pub(super) fn start(shop: &Workshop) -> Outcome<Self> {
        let [program] = outfit::programs(shop, outfit::Speed::Dev, [outfit::MINT])?;
        let books = shop.workspace.target.join("mint-of-wasm-tests");
        if books.exists() {
            fs::remove_dir_all(&books).or_say(|| format!("remove {}", books.display()))?;
        }
        fs::create_dir_all(&books).or_say(|| format!("create {}", books.display()))?;
        Self::launch(&program, &books)
    }

    fn launch(program: &Path, books: &Path) -> Outcome<Self> {
        let run = Run::new(program).arg(books).arg("127.0.0.1:0").heard();
        let mut mint = Self {
            child: run.start()?,
            url: String::new(),
        };
        let (tell, told) = mpsc::channel();
        if let Some(out) = mint.child.stdout.take() {
            thread::spawn(move || {
                let first = BufReader::new(out).lines().next();
                // Nobody listens any more if it took too long.
                let _ = tell.send(first);
            });
        }
        let line = match told.recv_timeout(PATIENCE) {
            Ok(Some(Ok(line))) => line,
            Ok(_) => {
                return Err(Trouble::new(
                    "the mint ended by itself; what it said is above",
                ));
            }
            Err(_) => return Err(Trouble::new("the mint does not become ready")),
        };
        let url = line.strip_prefix("ready ");
        url.ok_or_else(|| Trouble::new(format!("the mint is not ready, but says: {line}")))?
            .clone_into(&mut mint.url);
        Ok(mint)
    }
}

impl Drop for Mint {
    fn drop(&mut self) {
        // Ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    /// A program that does this.
    fn program(name: &str, does: &str) -> std::path::PathBuf {
        let folder =
            std::env::temp_dir().join(format!("haggle-mint-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let program = folder.join("mint");
        fs::write(&program, format!("#!/bin/sh\n{does}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        program
    }

    #[test]
    fn a_mint_is_named_by_what_it_says_and_ends_with_its_owner() {
        let program = program("good", "echo ready http://$2; exec sleep 600");
        let mint = Mint::launch(&program, Path::new("/nowhere")).unwrap();
        assert_eq!(mint.url, "http://127.0.0.1:0");
        let entry = format!("/proc/{}", mint.child.id());
        let ran = Path::new(&entry).exists();
        drop(mint);
        assert!(!ran || !Path::new(&entry).exists());
        fs::remove_dir_all(program.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_mint_that_ends_or_says_something_else_is_none() {
        for (name, does) in [("gone", "exit 1"), ("odd", "echo hello; exec sleep 600")] {
            let program = program(name, does);
            assert!(
                Mint::launch(&program, Path::new("/nowhere")).is_err(),
                "{name}"
            );
            fs::remove_dir_all(program.parent().unwrap()).unwrap();
        }
    }
}
