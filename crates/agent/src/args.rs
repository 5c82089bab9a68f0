//! The command line.

use std::path::PathBuf;

use haggle_protocol::Custodian;
use lexopt::prelude::*;

use crate::Error;
use crate::money::mint;

/// What `haggle --help` prints.
pub const HELP: &str = "\
haggle stall FILE [options]    Runs the stall of a file until it is stopped.
haggle ask FILE [options]      Publishes the request of a JSON file, and prints the quotes as they come.
haggle live [options]          Runs a peer that does what it is told on standard input.
haggle restore FILE [options]  Puts a backup into a new data file. The phrase, or the passphrase of the backup, is read
                               from standard input.
haggle check FILE              Reads a stall's file and says what it offers, or what is wrong with it.
haggle categories [WORDS]      Lists the categories, or those that a text speaks of.

Events are printed as JSON lines, one each. Commands are read from standard input, a JSON line each, and answered by a
line of type \"reply\" or \"complaint\"; `ask` and `stall` take them too. When standard input ends, the peer goes on.

Options:
  --relay MULTIADDR   A relay to begin with; may be given several times.
  --data FILE         Where keys and trades are kept (haggle.redb). One program at a time.
  --network NAME      Another market than the public one.
  --mandate FILE      For ask and live: the stall file whose [mandate] says what may be bought.
  --take SECONDS      For ask: after so many seconds take the best quote, if the mandate allows it.
  --escrow MINT       For ask and live: a mint that you trust to keep what you lock. With --take, only quotes that can be paid
                      through it are taken.
  --hide yes|no       Whether a mint behind a relay is asked through other relays only, so that its operator does not see your
                      network address; remembered. A mint on the web sees it either way.

Exit codes: 0 stopped, or the request came to its end; 1 failed; 2 not understood.
";

/// Where keys and trades are kept unless said otherwise.
const DATA: &str = "haggle.redb";

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Print this and end.
    Print(String),
    /// Look into a stall's file.
    Check(PathBuf),
    /// Run a stall.
    Stall(PathBuf),
    /// Publish a request.
    Ask {
        /// The draft, as JSON.
        file: PathBuf,
        /// Take the best quote after so many seconds.
        take: Option<u64>,
    },
    /// Do what is told.
    Live,
    /// Put a backup back.
    Restore(PathBuf),
}

/// How a peer is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Relays to begin with.
    pub relays: Vec<String>,
    /// Where everything is kept.
    pub data: PathBuf,
    /// Which market.
    pub network: Option<String>,
    /// Whose mandate holds, if not that of the stall.
    pub mandate: Option<PathBuf>,
    /// A mint to lock money with.
    pub escrow: Option<Custodian>,
    /// Whether the network address is hidden, if that is said.
    pub hide: Option<bool>,
}

/// Reads the command line, without the program's name.
///
/// # Errors
/// [`Error::Usage`].
pub fn read(
    args: impl IntoIterator<Item = impl Into<std::ffi::OsString>>,
) -> Result<(Task, Options), Error> {
    let mut parser = lexopt::Parser::from_args(args);
    let mut options = Options {
        relays: Vec::new(),
        data: DATA.into(),
        network: None,
        mandate: None,
        escrow: None,
        hide: None,
    };
    let mut take = None;
    let mut words: Vec<String> = Vec::new();
    let usage = |error: lexopt::Error| Error::Usage(error.to_string());
    while let Some(arg) = parser.next().map_err(usage)? {
        match arg {
            Short('h') | Long("help") => return Ok((Task::Print(HELP.to_owned()), options)),
            Long("version") => {
                let version = concat!("haggle ", env!("CARGO_PKG_VERSION"), "\n");
                return Ok((Task::Print(version.to_owned()), options));
            }
            Long("relay") => {
                let relay = parser.value().and_then(ValueExt::string).map_err(usage)?;
                options.relays.push(relay);
            }
            Long("data") => options.data = parser.value().map_err(usage)?.into(),
            Long("network") => {
                let name = parser.value().and_then(ValueExt::string).map_err(usage)?;
                options.network = Some(name);
            }
            Long("escrow") => {
                let name = parser.value().and_then(ValueExt::string).map_err(usage)?;
                options.escrow = Some(mint(&name).map_err(Error::Usage)?);
            }
            Long("hide") => {
                let said = parser.value().and_then(ValueExt::string).map_err(usage)?;
                options.hide = Some(match said.as_str() {
                    "yes" => true,
                    "no" => false,
                    _ => return Err(Error::Usage("--hide takes yes or no".to_owned())),
                });
            }
            Long("mandate") => options.mandate = Some(parser.value().map_err(usage)?.into()),
            Long("take") => {
                let seconds = parser.value().and_then(|value| value.parse());
                take = Some(seconds.map_err(usage)?);
            }
            Value(word) => words.push(word.string().map_err(usage)?),
            other @ (Short(_) | Long(_)) => return Err(usage(other.unexpected())),
        }
    }
    let task = task(&words, take)?;
    Ok((task, options))
}

fn task(words: &[String], take: Option<u64>) -> Result<Task, Error> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let task = match words.as_slice() {
        [] => Task::Print(HELP.to_owned()),
        ["stall", file] => Task::Stall(file.into()),
        ["check", file] => Task::Check(file.into()),
        ["ask", file] => Task::Ask {
            file: file.into(),
            take,
        },
        ["live"] => Task::Live,
        ["restore", file] => Task::Restore(file.into()),
        ["categories", words @ ..] => Task::Print(categories(&words.join(" "))),
        ["stall" | "check" | "ask" | "restore", ..] => {
            return Err(Error::Usage("this takes the path of one file".to_owned()));
        }
        [other, ..] => return Err(Error::Usage(format!("there is no command \"{other}\""))),
    };
    if take.is_some() && !matches!(task, Task::Ask { .. }) {
        let why = "--take belongs to `haggle ask`".to_owned();
        return Err(Error::Usage(why));
    }
    Ok(task)
}

/// A line for each category: its slug, and its name.
fn categories(text: &str) -> String {
    use haggle_protocol::taxonomy;
    let line = |node: &taxonomy::Node| format!("{:28} {}\n", node.slug, node.en);
    if text.is_empty() {
        return taxonomy::ALL.iter().map(line).collect();
    }
    let found = taxonomy::suggest(text);
    found
        .into_iter()
        .filter_map(taxonomy::node)
        .map(line)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_run_with_its_relays_and_its_data() {
        let (task, options) = read([
            "stall",
            "bikes.toml",
            "--relay",
            "/a",
            "--relay=/b",
            "--data",
            "d",
        ])
        .unwrap();
        assert_eq!(task, Task::Stall("bikes.toml".into()));
        assert_eq!(options.relays, ["/a", "/b"]);
        assert_eq!(options.data, PathBuf::from("d"));
        assert_eq!(options.hide, None);
        let (_, options) = read(["live", "--hide", "yes"]).unwrap();
        assert_eq!(options.hide, Some(true));
    }

    #[test]
    fn what_cannot_be_understood_is_said_with_the_way_to_the_help() {
        for args in [
            &["stall"][..],
            &["fly"],
            &["stall", "a", "b"],
            &["live", "--take", "3"],
            &["ask", "a", "--take", "soon"],
            &["live", "--rely", "x"],
            &["live", "--escrow", "mint"],
            &["live", "--hide"],
            &["live", "--hide", "perhaps"],
        ] {
            let error = read(args.iter().copied()).unwrap_err().to_string();
            assert!(error.contains("haggle --help"), "{args:?}: {error}");
        }
    }

    #[test]
    fn categories_are_found_by_words() {
        assert!(categories("road bike").contains("bicycles"));
        assert!(categories("").lines().count() > 100);
    }
}
