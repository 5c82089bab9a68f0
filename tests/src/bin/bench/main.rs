//! Measures what the budgets in docs/performance.md speak of: a page from its opening to being ready to trade, an intent
//! from its publication to the first quote on screen, what a tab costs under load, what an idle relay costs, and
//! natively how fast intents are matched and envelopes opened. `cargo xtask bench` builds everything and runs it.
//!
//! ```text
//! bench [--runs N] [--minutes N | --hour] [--only native|stall|pages|tab]
//! bench webrtc [--runs N]
//! bench money [--runs N]
//! ```

#![allow(clippy::print_stdout, reason = "its table is for people")]

mod money;
mod native;
mod pages;
mod report;
mod stall;
mod webrtc;

use haggle_tests::{Outcome, Trouble};

use report::Report;

/// Runs of each measurement unless said otherwise: enough for a median that one hiccup does not move.
const RUNS: usize = 11;

/// Minutes that a tab is watched under load unless said otherwise.
const MINUTES: u64 = 5;

/// What the command line asks for.
#[derive(Clone, Copy, Debug)]
struct Wish {
    runs: usize,
    minutes: u64,
    native: bool,
    pages: bool,
    tab: bool,
    webrtc: bool,
    money: bool,
    stall: bool,
}

impl Wish {
    fn read(mut arguments: impl Iterator<Item = String>) -> Outcome<Self> {
        let mut wish = Self {
            runs: RUNS,
            minutes: MINUTES,
            native: true,
            pages: true,
            tab: true,
            webrtc: false,
            money: false,
            stall: true,
        };
        while let Some(argument) = arguments.next() {
            let mut number = || {
                let given = arguments.next().and_then(|text| text.parse::<u64>().ok());
                given.ok_or_else(|| Trouble::new(format!("{argument} wants a number")))
            };
            match argument.as_str() {
                "--runs" => wish.runs = usize::try_from(number()?).unwrap_or(RUNS).max(1),
                "--minutes" => wish.minutes = number()?,
                "--hour" => wish.minutes = 60,
                "webrtc" | "money" => {
                    (wish.native, wish.pages, wish.tab, wish.stall) = (false, false, false, false);
                    wish.webrtc = argument == "webrtc";
                    wish.money = argument == "money";
                }
                "--only" => {
                    let only = arguments.next().unwrap_or_default();
                    wish.native = only == "native";
                    wish.pages = only == "pages";
                    wish.tab = only == "tab";
                    wish.stall = only == "stall";
                }
                _ => {
                    return Err(Trouble::new(format!(
                        "{argument} is not known; see the head of main.rs"
                    )));
                }
            }
        }
        Ok(wish)
    }
}

#[tokio::main]
async fn main() -> Outcome {
    let wish = Wish::read(std::env::args().skip(1))?;
    let mut report = Report::default();
    if wish.native {
        native::measure(wish.runs, &mut report)?;
    }
    if wish.stall {
        stall::measure(&mut report).await?;
    }
    if wish.pages {
        pages::measure(wish.runs, &mut report).await?;
    }
    if wish.tab {
        pages::tab_under_load(wish.minutes, &mut report).await?;
    }
    if wish.webrtc {
        webrtc::measure(wish.runs, &mut report).await?;
    }
    if wish.money {
        money::measure(wish.runs, &mut report).await?;
    }
    println!("{}", report.table());
    report.write()
}
