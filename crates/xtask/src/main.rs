//! `cargo xtask …`: everything that a developer or a newcomer runs, in one program without any state
//! of its own. Each command is a file; `workshop.rs` finds and sets up what they work with, `run.rs`
//! starts the child processes that do the work.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what this program has to say, it says on the terminal"
)]

mod apt;
mod audit;
mod bench;
mod browser;
mod bugs;
mod cache;
mod compilers;
mod data;
mod interop;
mod js;
mod module;
mod outfit;
mod page;
mod play;
mod prove;
mod run;
mod say;
mod site;
mod stamp;
mod sysroot;
mod tally;
mod test;
mod tidy;
mod toolchain;
mod tools;
mod up;
mod workshop;
mod workspace;

use lexopt::prelude::*;
use say::{Outcome, Trouble, doing};
use std::path::PathBuf;
use std::process::ExitCode;
use workshop::Workshop;

/// What `cargo xtask help` prints.
const HELP: &str = "\
cargo xtask up [--port N] [--profile NAME] [--alone] [--play-money]
    Sets up what is missing, builds the site, the relay and the stalls' program, starts the relay
    on this machine with the site on it and, unless alone, a few sample stalls, and prints one
    address to open. Ctrl-C stops it. With --play-money also a mint on the port after the page's,
    whose money is worth nothing and buys nothing, to try paying through escrow.

cargo xtask test [--only KIND]... [--keep-going]
    Sets up what is missing and runs every check and every test, or only the kinds named.
    `--only help` lists the kinds. Stops after the first kind that fails, unless told to keep going.

cargo xtask site [--out DIR] [--relay MULTIADDR]... [--stun stun:HOST:PORT]... [--network NAME]
    Leaves a folder that any static host can serve, and prints the size of each file.

cargo xtask js
    Builds the JavaScript package into target/js/pkg.

cargo xtask tidy
    Checks what the architecture promises and no compiler checks.

cargo xtask audit
    Checks licences, bans, sources and known vulnerabilities of everything we depend on.

cargo xtask prove NAME [...]
    Runs a proof that takes too long for every run; without a name, lists them.

cargo xtask bench [--runs N] [--minutes N | --hour] [--only native|stall|pages|tab]
cargo xtask bench webrtc [--runs N]
cargo xtask bench money [--runs N]
    Measures, prints a table, and writes target/artefacts/bench.json.

cargo xtask setup [--tests]
    Only sets up what building needs, and with --tests what testing needs.

Slow tools are kept in $HAGGLE_CACHE, or else in the user's cache folder under haggle/.
";

fn main() -> ExitCode {
    match command(lexopt::Parser::from_env()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("haggle: {trouble}");
            ExitCode::FAILURE
        }
    }
}

fn command(mut args: lexopt::Parser) -> Outcome {
    let name = match args.next()? {
        Some(Value(name)) => name.to_string_lossy().into_owned(),
        None | Some(Short('h') | Long("help")) => "help".into(),
        Some(other) => return Err(other.unexpected().into()),
    };
    match name.as_str() {
        "help" => {
            print!("{HELP}");
            Ok(())
        }
        "up" => up::run(&Workshop::open()?, &up_options(args)?),
        "test" => test::run(&Workshop::open()?, &test_options(args)?),
        "site" => site(args),
        "js" => no_more(args)
            .and_then(|()| js::build(&Workshop::open()?))
            .map(|folder| {
                doing(format!("the JavaScript package is in {}", folder.display()));
            }),
        "tidy" => no_more(args).and_then(|()| tidy::run(&Workshop::open()?)),
        "audit" => no_more(args).and_then(|()| audit::run(&Workshop::open()?)),
        "prove" => prove::run(&Workshop::open()?, args),
        "bench" => bench::run(&Workshop::open()?, &rest(args)?),
        "setup" => set_up(args),
        _ => Err(Trouble::new(format!(
            "there is no command \"{name}\"; `cargo xtask help` lists the commands"
        ))),
    }
}

fn up_options(mut args: lexopt::Parser) -> Outcome<up::Options> {
    let mut options = up::Options::default();
    while let Some(arg) = args.next()? {
        match arg {
            Long("port") => options.port = args.value()?.parse()?,
            Long("profile") => options.profile = Some(args.value()?.string()?),
            Long("alone") => options.alone = true,
            Long("play-money") => options.play_money = true,
            other @ (Short(_) | Long(_) | Value(_)) => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

fn test_options(mut args: lexopt::Parser) -> Outcome<test::Options> {
    let mut options = test::Options::default();
    while let Some(arg) = args.next()? {
        match arg {
            Long("only") => options.only.push(args.value()?.string()?),
            Long("keep-going") => options.keep_going = true,
            other @ (Short(_) | Long(_) | Value(_)) => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

fn site(mut args: lexopt::Parser) -> Outcome {
    let (mut out, mut begin) = (None, site::Bootstrap::default());
    while let Some(arg) = args.next()? {
        match arg {
            Long("out") => out = Some(PathBuf::from(args.value()?)),
            Long("relay") => begin.relays.push(args.value()?.string()?),
            Long("stun") => begin.stun.push(args.value()?.string()?),
            Long("network") => begin.network = Some(args.value()?.string()?),
            other @ (Short(_) | Long(_) | Value(_)) => return Err(other.unexpected().into()),
        }
    }
    let folder = site::export(&Workshop::open()?, out.as_deref(), &begin)?;
    site::print_sizes(&folder)?;
    doing(format!(
        "the site is in {}; any static host can serve it",
        folder.display()
    ));
    if begin.relays.is_empty() {
        doing("it names no relay yet: give `--relay MULTIADDR`, or add addresses to relays.json");
    }
    Ok(())
}

fn set_up(mut args: lexopt::Parser) -> Outcome {
    let mut tests_too = false;
    while let Some(arg) = args.next()? {
        match arg {
            Long("tests") => tests_too = true,
            other @ (Short(_) | Long(_) | Value(_)) => return Err(other.unexpected().into()),
        }
    }
    Workshop::open()?.set_up(tests_too)
}

/// The arguments not read yet, for another program.
fn rest(mut args: lexopt::Parser) -> Outcome<Vec<String>> {
    let raw = args.raw_args()?;
    raw.map(|arg| Ok(arg.string()?)).collect()
}

fn no_more(mut args: lexopt::Parser) -> Outcome {
    match args.next()? {
        Some(other) => Err(other.unexpected().into()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(list: &[&str]) -> lexopt::Parser {
        lexopt::Parser::from_args(list)
    }

    #[test]
    fn an_unknown_command_is_answered_with_the_way_to_the_list() {
        let trouble = command(args(&["fly"])).unwrap_err().to_string();
        assert!(
            trouble.contains("\"fly\"") && trouble.contains("cargo xtask help"),
            "{trouble}"
        );
    }

    #[test]
    fn a_misspelt_option_is_an_error_and_not_ignored() {
        assert!(up_options(args(&["--prot", "1"])).is_err());
        assert!(up_options(args(&["--port", "eighty"])).is_err());
        assert!(test_options(args(&["--only"])).is_err());
    }

    #[test]
    fn options_are_read() {
        let options = up_options(args(&["--port", "4711", "--profile", "ben"])).unwrap();
        assert_eq!(options.port, 4711);
        assert_eq!(options.profile.as_deref(), Some("ben"));
        assert!(!options.play_money, "only whoever asks for it gets it");
        assert!(up_options(args(&["--play-money"])).unwrap().play_money);
        let options = test_options(args(&["--only", "unit", "--only=wasm"])).unwrap();
        assert_eq!(options.only, ["unit", "wasm"]);
        assert!(!options.keep_going);
    }

    #[test]
    fn the_help_names_every_command() {
        for name in [
            "up", "test", "site", "js", "tidy", "audit", "prove", "bench", "setup",
        ] {
            assert!(HELP.contains(&format!("cargo xtask {name}")), "{name}");
        }
    }
}
