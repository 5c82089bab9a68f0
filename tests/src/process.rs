//! A program that a test started and ends: by its own number, when it is dropped, also when the test panics.

use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::trouble::{Outcome, Trouble};

/// A running program.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    said: Arc<Said>,
}

/// What a program wrote to its standard output so far, by lines.
#[derive(Debug, Default)]
struct Said {
    lines: Mutex<(Vec<String>, bool)>,
    changed: Condvar,
}

impl Process {
    /// Starts a program. What it writes to standard error goes to the file.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(command: &mut Command, errors: &Path) -> Outcome<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            // Some programs end with it: nothing stays behind if this one is killed.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(errors)?)
            .spawn()
            .map_err(|error| Trouble::new(format!("{name} cannot be started: {error}")))?;
        let said = Arc::new(Said::default());
        if let Some(out) = child.stdout.take() {
            let said = Arc::clone(&said);
            thread::spawn(move || {
                for line in BufReader::new(out).lines().map_while(Result::ok) {
                    said.add(line);
                }
                said.end();
            });
        }
        Ok(Self { name, child, said })
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it writes a line that `wanted` makes something of.
    ///
    /// # Errors
    /// If it does not within the time, or ends before.
    pub fn until_it_says<T>(
        &self,
        wanted: impl Fn(&str) -> Option<T>,
        within: Duration,
    ) -> Outcome<T> {
        let lines = self
            .said
            .lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let found = |lines: &[String]| lines.iter().find_map(|line| wanted(line));
        let (lines, _) = self
            .said
            .changed
            .wait_timeout_while(lines, within, |(lines, ended)| {
                found(lines).is_none() && !*ended
            })
            .unwrap_or_else(PoisonError::into_inner);
        found(&lines.0).ok_or_else(|| {
            Trouble::new(format!(
                "{} did not say what was waited for, but: {:?}",
                self.name, lines.0
            ))
        })
    }

    /// All that it wrote to its standard output so far.
    #[must_use]
    pub fn output(&self) -> String {
        self.said
            .lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .join("\n")
    }

    /// Writes a line to its standard input.
    ///
    /// # Errors
    /// If it does not read any more.
    pub fn tell(&mut self, line: &str) -> Outcome {
        let input = self.child.stdin.as_mut();
        let input = input.ok_or_else(|| Trouble::new(format!("{} does not listen", self.name)))?;
        writeln!(input, "{line}")?;
        Ok(input.flush()?)
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn runs(&mut self) -> Outcome<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Ends it at once, as a power cut would.
    ///
    /// # Errors
    /// If the system does not let it.
    pub fn kill(&mut self) -> Outcome<ExitStatus> {
        self.child.kill()?;
        Ok(self.child.wait()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Ended already is as good.
        drop(self.kill());
    }
}

impl Said {
    fn add(&self, line: String) {
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .push(line);
        self.changed.notify_all();
    }

    fn end(&self) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_heard_and_ended_with_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo hello; sleep 600"]);
        let process = Process::start(&mut command, &folder.path().join("errors")).unwrap();
        let heard = process.until_it_says(
            |line| line.strip_prefix("hel").map(str::to_owned),
            Duration::from_secs(10),
        );
        assert_eq!(heard.unwrap(), "lo");
        let entry = format!("/proc/{}", process.id());
        assert!(Path::new(&entry).exists());
        drop(process);
        assert!(!Path::new(&entry).exists());
    }

    #[test]
    fn a_program_that_ends_without_a_word_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let process =
            Process::start(&mut Command::new("true"), &folder.path().join("errors")).unwrap();
        let heard = process.until_it_says(|_| Some(()), Duration::from_secs(60));
        assert!(heard.is_err());
    }
}
