//! A market day: twenty traders, a hundred intents, virtual time, and a network that loses up to a quarter of everything.
//!
//! The laws in `stage/laws.rs` hold on every day. A few days are lived in every run; `HAGGLE_SEEDS=A..B` lives the days of
//! those seeds instead. A day on which a law breaks is named by its seed, and the same seed gives the same day again.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: what cannot be is a failed test"
)]

#[path = "../stage/mod.rs"]
mod stage;

use std::num::NonZero;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

use stage::laws;
use stage::town::{Plan, Tally, Town};

/// A day that one run can afford, and on which everything that can happen does.
const DAY: Plan = Plan {
    traders: 20,
    intents: 100,
    busy: 3 * 60 * 60,
    calm: 3 * 60 * 60,
    lost: 10,
    doubled: 10,
    misdelivered: 5,
    reloads: 60,
};

/// Days lived in every run.
const EVERY_RUN: Range<u64> = 0..2;

#[test]
#[allow(
    clippy::print_stdout,
    reason = "what a day was like is read with --nocapture"
)]
fn on_every_day_each_order_is_confirmed_once_and_nobody_hears_what_is_not_said_to_him() {
    // Days are lived side by side: each has its own town and dice.
    let seeds = Mutex::new(seeds());
    let next = || seeds.lock().unwrap().next();
    let hands = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..hands {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    println!("day {seed}: {:?}", lawful(seed));
                }
            });
        }
    });
}

/// Lives the day of a seed and holds it to the laws.
fn lawful(seed: u64) -> Tally {
    let Ok(tally) = catch_unwind(AssertUnwindSafe(|| live(seed))) else {
        panic!(
            "a law broke on the day of seed {seed}: HAGGLE_SEEDS={seed}..{}",
            seed + 1
        );
    };
    // A day without faults and trades would prove nothing.
    assert!(tally.published >= 80 && tally.quotes >= 60, "{tally:?}");
    assert!(tally.confirmed >= 15, "{tally:?}");
    assert!(tally.received >= 3 && tally.cancelled >= 3, "{tally:?}");
    assert!(tally.countered >= 3 && tally.lines >= 20, "{tally:?}");
    assert!(tally.lost >= 100 && tally.doubled >= 20, "{tally:?}");
    assert!(tally.strays >= 10 && tally.reloads >= 30, "{tally:?}");
    tally
}

#[test]
fn the_same_seed_gives_the_same_day() {
    let small = Plan {
        traders: 5,
        intents: 8,
        busy: 1_800,
        calm: 1_800,
        reloads: 6,
        ..DAY
    };
    let lived = |seed| {
        let mut town = Town::new(seed, small);
        town.live();
        let saved = town.traders.into_iter().map(|trader| trader.saved);
        (format!("{:?}", town.tally), saved.collect::<Vec<_>>())
    };
    let (first, second, other) = (lived(7), lived(7), lived(8));
    assert!(first == second);
    assert!(first.1 != other.1);
}

fn live(seed: u64) -> Tally {
    let mut town = Town::new(seed, weather(seed));
    town.live();
    laws::at_the_end(&mut town);
    town.tally
}

/// Some days are worse than others: the first is the usual one, and each seed has its own.
const fn weather(seed: u64) -> Plan {
    Plan {
        lost: 5 + (seed * 7 + 5) % 21,
        doubled: 5 + (seed * 3 + 5) % 16,
        reloads: 40 + (seed * 37 + 20) % 101,
        ..DAY
    }
}

/// `HAGGLE_SEEDS=A..B`, or the days of every run.
fn seeds() -> Range<u64> {
    let Ok(text) = std::env::var("HAGGLE_SEEDS") else {
        return EVERY_RUN;
    };
    let parts = text
        .split_once("..")
        .map(|(from, to)| (from.trim().parse(), to.trim().parse()));
    match parts {
        Some((Ok(from), Ok(to))) => from..to,
        Some(_) | None => panic!("HAGGLE_SEEDS is a range of numbers like 10..20, not {text:?}"),
    }
}
