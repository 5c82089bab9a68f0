//! The command line. Flags overrule the file.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::{Long, Short};

use crate::config::{self, Config, ConfigError, nearest};

/// What is printed for `--help`.
const HELP: &str = "\
Haggle's relay: introduces browsers to each other, and serves the site.

Usage: haggle-relay [FLAGS]

  --config FILE       read this file first (see relay.example.toml)
  --http ADDR         the one port for browsers, as 127.0.0.1:8080; port 0 takes a free one
  --site DIR          serve this folder as the site
  --data DIR          keep the relay's key and certificate here
  --tcp ADDR          listen for libp2p over TCP (may be repeated)
  --quic ADDR         listen for libp2p over QUIC (may be repeated)
  --webrtc ADDR       listen for libp2p over WebRTC-direct (may be repeated)
  --stun ADDR         answer STUN over UDP (may be repeated)
  --relay MULTIADDR   stay connected with this relay (may be repeated)
  --external ADDR     announce this address, as /dns4/relay.example.org/tcp/443/wss (may be repeated)
  --network NAME      which market; \"haggle\" is the public one
  --print-config      print the configuration that results, and end
  --version, --help

When ready it prints one line: ready URL PEER-ID. Logs go to stderr; RUST_LOG chooses how many.
";

/// The flags, for the one that is nearest to a misspelt one.
const FLAGS: [&str; 14] = [
    "--config",
    "--http",
    "--site",
    "--data",
    "--tcp",
    "--quic",
    "--webrtc",
    "--stun",
    "--relay",
    "--external",
    "--network",
    "--print-config",
    "--version",
    "--help",
];

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Run so.
    Run(Box<Config>),
    /// Print this and end.
    Print(String),
}

/// Reads the command line, without the program's name.
///
/// # Errors
/// [`ConfigError`] with the flag or key and the fix.
pub fn read(args: impl IntoIterator<Item = OsString>) -> Result<Command, ConfigError> {
    let args: Vec<OsString> = args.into_iter().collect();
    let mut config = Config::default();
    // The file first, wherever its flag stands: flags overrule it.
    let mut parser = lexopt::Parser::from_args(args.iter().cloned());
    while let Ok(Some(arg)) = parser.next() {
        if arg == Long("config") {
            config = Config::from_file(&path(&mut parser, "--config")?)?;
        }
    }

    let mut print = false;
    let (mut relays, mut external) = (Vec::new(), Vec::new());
    let (mut tcp, mut quic, mut webrtc) = (Vec::new(), Vec::new(), Vec::new());
    let mut stun = Vec::new();
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next().map_err(|error| unreadable(&error))? {
        match arg {
            Long("config") => drop(path(&mut parser, "--config")?),
            Long("http") => config.http.listen = value(&mut parser, "--http", config::socket)?,
            Long("site") => config.http.site = Some(path(&mut parser, "--site")?),
            Long("data") => config.data = path(&mut parser, "--data")?,
            Long("tcp") => tcp.push(value(&mut parser, "--tcp", config::socket)?),
            Long("quic") => quic.push(value(&mut parser, "--quic", config::socket)?),
            Long("webrtc") => webrtc.push(value(&mut parser, "--webrtc", config::socket)?),
            Long("stun") => stun.push(value(&mut parser, "--stun", config::socket)?),
            Long("relay") => relays.push(value(&mut parser, "--relay", config::relay)?),
            Long("external") => external.push(value(&mut parser, "--external", config::external)?),
            Long("network") => {
                config.network = value(&mut parser, "--network", config::network_name)?;
            }
            Long("print-config") => print = true,
            Long("version") | Short('V') => {
                return Ok(Command::Print(format!(
                    "haggle-relay {}\n",
                    env!("CARGO_PKG_VERSION")
                )));
            }
            Long("help") | Short('h') => return Ok(Command::Print(HELP.to_owned())),
            Long(other) => return Err(unknown(&format!("--{other}"))),
            Short(other) => return Err(unknown(&format!("-{other}"))),
            lexopt::Arg::Value(other) => return Err(unknown(&other.to_string_lossy())),
        }
    }
    // A list given by flags replaces the file's.
    fn given<T>(flags: Vec<T>, list: &mut Vec<T>) {
        if !flags.is_empty() {
            *list = flags;
        }
    }
    given(relays, &mut config.relays);
    given(external, &mut config.external);
    given(tcp, &mut config.listen.tcp);
    given(quic, &mut config.listen.quic);
    given(webrtc, &mut config.listen.webrtc);
    given(stun, &mut config.listen.stun);
    Ok(if print {
        Command::Print(config.to_toml())
    } else {
        Command::Run(Box::new(config))
    })
}

fn value<T>(
    parser: &mut lexopt::Parser,
    flag: &'static str,
    read: impl Fn(&str) -> Result<T, config::Wrong>,
) -> Result<T, ConfigError> {
    let text = parser.value().map_err(|_| missing(flag))?;
    let text = text.to_string_lossy();
    read(&text).map_err(|(problem, fix)| ConfigError::new(flag, problem, fix))
}

fn path(parser: &mut lexopt::Parser, flag: &'static str) -> Result<PathBuf, ConfigError> {
    Ok(PathBuf::from(parser.value().map_err(|_| missing(flag))?))
}

fn missing(flag: &str) -> ConfigError {
    ConfigError::new(
        flag,
        "its value is missing",
        "Write the value behind it; --help shows how",
    )
}

fn unreadable(error: &lexopt::Error) -> ConfigError {
    ConfigError::new(
        "the command line",
        error.to_string(),
        "Write flags as --help shows them",
    )
}

fn unknown(flag: &str) -> ConfigError {
    let fix = nearest(flag, &FLAGS).map_or_else(
        || "--help shows what there is".to_owned(),
        |known| format!("Did you mean {known}?"),
    );
    ConfigError::new(flag, "there is no such flag", fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> Result<Command, ConfigError> {
        read(text.split_whitespace().map(OsString::from))
    }

    fn run(text: &str) -> Config {
        match args(text) {
            Ok(Command::Run(config)) => *config,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_overrule_the_defaults_and_repeat() {
        let peer = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
        let config = run(&format!(
            "--http 127.0.0.1:0 --site a --data b --network test --tcp 127.0.0.1:1 --tcp 127.0.0.1:2 \
             --relay /ip4/127.0.0.1/tcp/3/ws/p2p/{peer} --external /dns4/a.org/tcp/443/wss"
        ));
        assert_eq!(config.http.listen.port(), 0);
        assert_eq!(config.http.site, Some("a".into()));
        assert_eq!(config.data, PathBuf::from("b"));
        assert_eq!(config.network, "test");
        assert_eq!(config.listen.tcp.len(), 2);
        assert_eq!(config.relays.len(), 1);
        assert_eq!(config.external.len(), 1);
    }

    #[test]
    fn flags_overrule_the_file_wherever_it_is_named() {
        let file = std::env::temp_dir().join(format!("haggle-args-{}.toml", std::process::id()));
        std::fs::write(
            &file,
            "network = \"filed\"\n[listen]\ntcp = [\"127.0.0.1:9\"]",
        )
        .unwrap();
        let config = run(&format!("--network flagged --config {}", file.display()));
        assert_eq!(config.network, "flagged");
        assert_eq!(config.listen.tcp.len(), 1);
        std::fs::remove_file(file).unwrap();
    }

    #[test]
    fn mistakes_name_the_flag_and_the_fix() {
        for (text, key, says) in [
            ("--htp 1", "--htp", "Did you mean --http?"),
            ("--http eight", "--http", "127.0.0.1:8080"),
            ("--http", "--http", "value behind it"),
            ("--relay wss://a.org", "--relay", "/dns4/"),
            ("--network A", "--network", "a-z"),
            ("serve", "serve", "--help"),
            ("-x", "-x", "no such flag"),
        ] {
            let error = args(text).unwrap_err();
            assert_eq!(error.key, key, "{text}");
            assert!(error.to_string().contains(says), "{text} gave: {error}");
        }
    }

    #[test]
    fn what_is_printed_is_a_file_that_says_the_same() {
        let Ok(Command::Print(toml)) = args("--http 127.0.0.1:7 --print-config") else {
            panic!("it prints");
        };
        assert_eq!(Config::from_toml(&toml).unwrap().http.listen.port(), 7);
        assert!(
            matches!(args("--help"), Ok(Command::Print(help)) if FLAGS.iter().all(|flag| help.contains(flag)))
        );
    }
}
