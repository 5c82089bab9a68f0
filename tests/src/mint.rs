//! A real mint as a process on loopback (`tests/mint`): it can be ended as by a power cut and started again with its books.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::clock::set_ahead;
use crate::place;
use crate::process::Process;
use crate::relay::free_port;
use crate::trouble::{Outcome, Trouble, ensure};

/// How long a mint may take to be ready or to count.
const SOON: Duration = Duration::from_secs(60);

/// A mint.
#[derive(Debug)]
pub struct Mint {
    process: Process,
    program: PathBuf,
    folder: TempDir,
    port: u16,
    /// How often it was asked for its books, so that each answer is known for its own.
    asked: u32,
}

impl Mint {
    /// Starts a mint on a free port.
    ///
    /// # Errors
    /// If `HAGGLE_MINT` is not set, or it does not become ready.
    pub fn start() -> Outcome<Self> {
        let program = place::mint()?;
        let folder = tempfile::tempdir()?;
        let port = free_port()?;
        let process = launch(&program, folder.path(), port, Duration::ZERO)?;
        Ok(Self {
            process,
            program,
            folder,
            port,
            asked: 0,
        })
    }

    /// Its name as a custodian.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends it as a power cut would.
    ///
    /// # Errors
    /// If the system does not let it.
    pub fn kill(&mut self) -> Outcome {
        self.process.kill().map(drop)
    }

    /// Starts it again with its books, at the same address.
    ///
    /// # Errors
    /// If it does not become ready.
    pub fn start_again(&mut self) -> Outcome {
        self.start_again_later(Duration::ZERO)
    }

    /// The same with a clock that is so much ahead.
    ///
    /// # Errors
    /// If it does not become ready, or `HAGGLE_FAKETIME` is not set.
    pub fn start_again_later(&mut self, by: Duration) -> Outcome {
        self.kill()?;
        self.process = launch(&self.program, self.folder.path(), self.port, by)?;
        Ok(())
    }

    /// Sees that so much is out of its hands by its own books, in minor units of all kinds together.
    ///
    /// # Errors
    /// If it is more or less, or the mint does not say.
    pub fn has_out(&mut self, minor: u64) -> Outcome {
        self.asked += 1;
        let mine = format!("out {} ", self.asked);
        self.process.tell(&self.asked.to_string())?;
        let count = |line: &str| line.strip_prefix(&mine)?.parse().ok();
        let out: u64 = self.process.until_it_says(count, SOON)?;
        ensure(out == minor, || format!("{out} are out, not {minor}"))
    }
}

fn launch(program: &Path, folder: &Path, port: u16, ahead: Duration) -> Outcome<Process> {
    let mut command = Command::new(program);
    set_ahead(&mut command, ahead)?;
    command.arg(folder).arg(format!("127.0.0.1:{port}"));
    let process = Process::start(&mut command, &folder.join("errors.log"))?;
    let ready = |line: &str| line.strip_prefix("ready ").map(drop);
    process
        .until_it_says(ready, SOON)
        .map_err(|error| Trouble::new(format!("the mint: {error}")))?;
    Ok(process)
}
