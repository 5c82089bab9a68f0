//! The program `haggle`, run as a process as a shop or a bot would run it, with its files in a folder of its own.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::place;
use crate::process::Process;
use crate::relay::Relay;
use crate::trouble::Outcome;

/// How long anything that works may take on a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// A program `haggle` with its files.
#[derive(Debug)]
pub struct Agent {
    /// It.
    pub process: Process,
    folder: TempDir,
    args: Vec<String>,
}

impl Agent {
    /// Starts it with this relay; a file is its name and its text.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(relay: &Relay, task: &[&str], files: &[(&str, &str)]) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text)?;
        }
        let mut args: Vec<String> = task.iter().map(ToString::to_string).collect();
        args.extend(["--relay".to_owned(), relay.address()]);
        let process = launch(folder.path(), &args)?;
        Ok(Self {
            process,
            folder,
            args,
        })
    }

    /// Ends it as a power cut would, and starts it again with the same files.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn kill_and_start_again(&mut self) -> Outcome {
        self.kill()?;
        self.start_again()
    }

    /// Ends it as a power cut would.
    ///
    /// # Errors
    /// If the system does not let it.
    pub fn kill(&mut self) -> Outcome {
        self.process.kill().map(drop)
    }

    /// Starts it again with the same files.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start_again(&mut self) -> Outcome {
        self.process = launch(self.folder.path(), &self.args)?;
        Ok(())
    }

    /// Its device is gone: another one begins with this backup, which a phrase opens.
    ///
    /// # Errors
    /// If the backup is not taken.
    pub fn loses_everything_but(&mut self, backup: &str, phrase: &str) -> Outcome {
        self.process.kill()?;
        std::fs::remove_file(self.folder.path().join("haggle.redb"))?;
        let args = ["restore".to_owned(), backup.to_owned()];
        let mut restoring = launch(self.folder.path(), &args)?;
        restoring.tell(phrase)?;
        restoring.until_it_says(|line| line.contains("\"restored\"").then_some(()), SOON)?;
        drop(restoring);
        self.process = launch(self.folder.path(), &self.args)?;
        Ok(())
    }

    /// Waits for a line of this kind that `wanted` makes something of.
    ///
    /// # Errors
    /// If it does not come in time.
    pub fn says<T>(&self, kind: &str, wanted: impl Fn(&Value) -> Option<T>) -> Outcome<T> {
        let found = |line: &str| {
            let line: Value = serde_json::from_str(line).ok()?;
            (line["type"] == kind).then(|| wanted(&line["data"]))?
        };
        self.process.until_it_says(found, SOON)
    }

    /// Waits until a trade has come so far.
    ///
    /// # Errors
    /// If it does not in time.
    pub fn trade(&self, state: &str) -> Outcome<Value> {
        self.says("trade", |trade| {
            (trade["state"] == state).then(|| trade.clone())
        })
    }

    /// Writes a command to its standard input.
    ///
    /// # Errors
    /// If it does not read any more.
    pub fn tell(&mut self, command: &Value) -> Outcome {
        self.process.tell(&command.to_string())
    }
}

/// The program, to be given a command line.
///
/// # Errors
/// If nobody has said where it is.
pub fn program() -> Outcome<Command> {
    Ok(Command::new(place::agent()?))
}

fn launch(folder: &Path, args: &[String]) -> Outcome<Process> {
    let mut command = program()?;
    command.args(args).current_dir(folder);
    Process::start(&mut command, &folder.join("errors.log"))
}
