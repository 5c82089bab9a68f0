//! Child processes. Everything this program does, it does by running other programs; here is the
//! one place that knows how: what of its own environment a child may see, what happens to its
//! output, and what is said when it fails.

use crate::say::{OrSay, Outcome, Trouble};
use crate::tally::Tally;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What cargo tells a program about itself when it runs it. A child that is another cargo, or runs
/// one, must not mistake these for its own.
const CARGO_TOLD_US: [&str; 6] = [
    "CARGO_BIN_",
    "CARGO_CRATE_NAME",
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "CARGO_PRIMARY_PACKAGE",
    "OUT_DIR",
];

/// Where the loader looks first; cargo prepends the folders of its own build to them.
const LOADER_PATHS: [&str; 2] = ["LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"];

/// How many of a silent child's last lines are shown when it fails: enough for one compiler error.
const LAST_WORDS: usize = 40;

/// A program about to be run.
#[derive(Debug)]
pub(crate) struct Run {
    command: Command,
    /// The program and its arguments as typed in a shell, for what is said about it.
    line: String,
}

impl Run {
    /// A child that sees our environment, less what cargo told only us.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref();
        let mut command = Command::new(program);
        command.stdin(Stdio::null());
        for (name, value) in env::vars_os() {
            let known = name.to_string_lossy();
            if CARGO_TOLD_US.iter().any(|prefix| known.starts_with(prefix)) {
                command.env_remove(&name);
            } else if LOADER_PATHS.contains(&known.as_ref()) {
                match without_build_folders(&value) {
                    Some(kept) => command.env(&name, kept),
                    None => command.env_remove(&name),
                };
            }
        }
        let line = Path::new(program)
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Self { command, line }
    }

    /// One more argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.line.push(' ');
        self.line.push_str(&arg.as_ref().to_string_lossy());
        self.command.arg(arg);
        self
    }

    /// More arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// The child's working folder.
    pub(crate) fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Sets a variable for the child.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Hides a variable from the child.
    pub(crate) fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Puts folders before the child's PATH, so that what they hold is found first.
    pub(crate) fn path_first<P: AsRef<Path>>(self, folders: &[P]) -> Self {
        let ours = self.command.get_envs().find(|(name, _)| *name == "PATH");
        let present = match ours {
            Some((_, value)) => value.map(OsStr::to_os_string),
            None => env::var_os("PATH"),
        };
        let mut all: Vec<_> = folders.iter().map(|f| f.as_ref().to_path_buf()).collect();
        all.extend(present.iter().flat_map(env::split_paths));
        match env::join_paths(all) {
            Ok(joined) => self.env("PATH", joined),
            // A folder whose name holds the separator cannot be in a PATH at all.
            Err(_) => self,
        }
    }

    /// Runs it with its output passed on, for steps whose progress people want to see.
    pub(crate) fn openly(mut self) -> Outcome {
        flush();
        let status = self
            .command
            .status()
            .or_say(|| format!("run `{}`", self.line))?;
        if status.success() {
            return Ok(());
        }
        Err(Trouble::new(format!(
            "`{}` failed ({status}); what it printed is above",
            self.line
        )))
    }

    /// Runs it silently and gives back its standard output; when it fails, its last lines are shown.
    pub(crate) fn silently(mut self) -> Outcome<String> {
        let output = self
            .command
            .output()
            .or_say(|| format!("run `{}`", self.line))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(said);
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<_> = said.lines().chain(complaint.lines()).collect();
        for line in lines.iter().skip(lines.len().saturating_sub(LAST_WORDS)) {
            eprintln!("    {line}");
        }
        Err(Trouble::new(format!(
            "`{}` failed ({})",
            self.line, output.status
        )))
    }

    /// Whether it runs and succeeds; nothing is shown either way.
    pub(crate) fn succeeds(mut self) -> bool {
        self.command.stdout(Stdio::null()).stderr(Stdio::null());
        self.command.status().is_ok_and(|status| status.success())
    }

    /// Runs a test runner: passes its lines through as they come and counts what its summary lines
    /// claim. The flag says whether it exited well.
    pub(crate) fn counted(self) -> Outcome<(bool, Tally)> {
        let mut tally = Tally::default();
        let well = self.read_lines(|line| {
            println!("{line}");
            tally.read(line);
        })?;
        Ok((well, tally))
    }

    /// Runs it, hands each line of its standard output to `each`, and says whether it exited well.
    pub(crate) fn read_lines(mut self, mut each: impl FnMut(&str)) -> Outcome<bool> {
        flush();
        self.command.stdout(Stdio::piped());
        let mut child = self
            .command
            .spawn()
            .or_say(|| format!("run `{}`", self.line))?;
        if let Some(stdout) = child.stdout.take() {
            let mut reader = BufReader::new(stdout);
            let mut line = Vec::new();
            // Bytes, not strings: a test may print what is not UTF-8.
            while reader.read_until(b'\n', &mut line).unwrap_or(0) > 0 {
                each(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
                line.clear();
            }
        }
        let status = child
            .wait()
            .or_say(|| format!("wait for `{}`", self.line))?;
        Ok(status.success())
    }

    /// What it says goes into this file, and nothing that was in it stays.
    pub(crate) fn into_file(mut self, path: &Path) -> Outcome<Self> {
        let file = File::create(path).or_say(|| format!("create {}", path.display()))?;
        let again = file
            .try_clone()
            .or_say(|| format!("write {}", path.display()))?;
        self.command.stdout(file).stderr(again);
        Ok(self)
    }

    /// Whoever starts it hears its standard output.
    pub(crate) fn heard(mut self) -> Self {
        self.command.stdout(Stdio::piped());
        self
    }

    /// Starts it and leaves it running, with its output passed on unless it goes elsewhere.
    pub(crate) fn start(mut self) -> Outcome<Child> {
        flush();
        self.command
            .spawn()
            .or_say(|| format!("start `{}`", self.line))
    }
}

/// Our own lines must not come after those of the child that follows them.
fn flush() {
    // A closed standard output is noticed by the next print; nothing is lost here.
    let _ = std::io::stdout().flush();
}

/// A loader path without the folders that cargo prepended for this program's own run; none if
/// nothing else was in it.
fn without_build_folders(value: &OsStr) -> Option<OsString> {
    let kept: Vec<_> = env::split_paths(value)
        .filter(|folder| {
            let folder = folder.to_string_lossy();
            !["/debug", "/release", "/toolchains/", "/rustlib/"]
                .iter()
                .any(|m| folder.contains(m))
        })
        .collect();
    if kept.is_empty() {
        return None;
    }
    env::join_paths(kept).ok()
}

/// Where a program lies in PATH, if it does.
pub(crate) fn find_program(name: &str) -> Option<std::path::PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_childs_loader_path_forgets_cargos_folders_and_keeps_the_users() {
        let mixed = OsStr::new("/repo/target/debug/deps:/opt/own/lib:/r/toolchains/stable/lib");
        assert_eq!(without_build_folders(mixed).unwrap(), "/opt/own/lib");
        assert!(without_build_folders(OsStr::new("/repo/target/debug")).is_none());
    }

    #[test]
    fn the_output_of_a_silent_child_comes_back() {
        assert_eq!(
            Run::new("echo").arg("two words").silently().unwrap(),
            "two words\n"
        );
    }

    #[test]
    fn a_child_that_fails_is_named_in_the_trouble() {
        let trouble = Run::new("sh")
            .args(["-c", "exit 3"])
            .silently()
            .unwrap_err();
        assert!(
            trouble.to_string().contains("`sh -c exit 3` failed"),
            "{trouble}"
        );
    }

    #[test]
    fn a_program_that_does_not_exist_is_named_in_the_trouble() {
        let trouble = Run::new("haggle-no-such-program").openly().unwrap_err();
        assert!(
            trouble.to_string().contains("haggle-no-such-program"),
            "{trouble}"
        );
    }

    #[test]
    fn folders_put_first_come_before_the_path_and_before_each_other() {
        let run = Run::new("sh").args(["-c", "echo $PATH"]);
        let said = run
            .path_first(&["/second"])
            .path_first(&["/first"])
            .silently()
            .unwrap();
        assert!(said.starts_with("/first:/second:"), "{said}");
    }
}
