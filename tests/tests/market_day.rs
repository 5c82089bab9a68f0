//! A market day: traders, intents, virtual time, and a network that loses up to a quarter of everything and is in two parts for a while.
//!
//! The laws in `stage/laws.rs` hold on every day. A hundred small days and a few of twenty traders are lived in every run; `HAGGLE_SEEDS=A..B`
//! lives the days of those seeds instead, and `HAGGLE_DAY=large` makes them days of two hundred traders and two thousand intents. A
//! day on which a law breaks is named by its seed, and the same seed gives the same day again.

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
    parted: 30 * 60,
};

/// A morning of a few people, of which a run can afford many.
const SMALL: Plan = Plan {
    traders: 6,
    intents: 10,
    busy: 30 * 60,
    reloads: 8,
    parted: 5 * 60,
    ..DAY
};

/// A whole town, for hours of proving.
const LARGE: Plan = Plan {
    traders: 200,
    intents: 2_000,
    reloads: 600,
    ..DAY
};

/// Days lived in every run.
const EVERY_RUN: Range<u64> = 0..2;
/// Small days lived in every run.
const EVERY_SMALL: Range<u64> = 0..100;

#[test]
#[allow(
    clippy::print_stdout,
    reason = "what a day was like is read with --nocapture"
)]
fn on_every_day_each_order_is_confirmed_once_and_nobody_hears_what_is_not_said_to_him() {
    let plan = match std::env::var("HAGGLE_DAY").as_deref() {
        Ok("large") => LARGE,
        Ok(_) | Err(_) => DAY,
    };
    for (seed, tally) in lived(seeds(EVERY_RUN), plan) {
        println!("day {seed}: {tally:?}");
        eventful(&tally);
    }
}

#[test]
#[allow(
    clippy::print_stdout,
    reason = "what the days were like is read with --nocapture"
)]
fn on_a_hundred_small_days_the_same_laws_hold() {
    let days = lived(seeds(EVERY_SMALL), SMALL);
    let all = |count: fn(&Tally) -> u64| days.iter().map(|(_, tally)| count(tally)).sum::<u64>();
    let lived = u64::try_from(days.len()).unwrap();
    println!(
        "{lived} small days: {} confirmed, {} received, {} cancelled, {} lost, {} did not cross, {} files, {} delivered; locks: {} released, {} refunded, {} shared",
        all(|it| it.confirmed),
        all(|it| it.received),
        all(|it| it.cancelled),
        all(|it| it.lost),
        all(|it| it.uncrossed),
        all(|it| it.files),
        all(|it| it.delivered),
        all(|it| it.released),
        all(|it| it.refunded),
        all(|it| it.shared),
    );
    // One small day may be dull; on many of them everything happens.
    assert!(lived < 50 || all(|it| it.confirmed) >= lived, "few trades");
    assert!(lived < 50 || all(|it| it.received.min(it.cancelled)) > 0);
    assert!(lived < 50 || all(|it| it.uncrossed) >= lived);
    assert!(lived < 50 || all(|it| it.files.min(it.delivered)) > 0);
    assert!(lived < 50 || all(|it| it.released.min(it.refunded)) >= lived / 10);
    assert!(lived < 50 || all(|it| it.shared) > 0);
}

/// Lives the days of some seeds, side by side: each has its own town and dice.
fn lived(seeds: Range<u64>, plan: Plan) -> Vec<(u64, Tally)> {
    let seeds = Mutex::new(seeds);
    let next = || seeds.lock().unwrap().next();
    let days = Mutex::new(Vec::new());
    let hands = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..hands {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    let tally = lawful(seed, plan);
                    days.lock().unwrap().push((seed, tally));
                }
            });
        }
    });
    let mut days = days.into_inner().unwrap();
    days.sort_by_key(|(seed, _)| *seed);
    days
}

/// Lives the day of a seed and holds it to the laws.
fn lawful(seed: u64, plan: Plan) -> Tally {
    catch_unwind(AssertUnwindSafe(|| live(seed, plan))).unwrap_or_else(|_| {
        panic!(
            "a law broke on the day of seed {seed} with {} traders: HAGGLE_SEEDS={seed}..{}",
            plan.traders,
            seed + 1
        )
    })
}

/// A day without faults and trades would prove nothing.
fn eventful(tally: &Tally) {
    assert!(tally.published >= 80 && tally.quotes >= 60, "{tally:?}");
    assert!(tally.confirmed >= 15, "{tally:?}");
    assert!(tally.received >= 3 && tally.cancelled >= 3, "{tally:?}");
    assert!(tally.countered >= 3 && tally.lines >= 20, "{tally:?}");
    assert!(tally.lost >= 100 && tally.doubled >= 20, "{tally:?}");
    assert!(tally.strays >= 10 && tally.reloads >= 30, "{tally:?}");
    assert!(tally.uncrossed >= 100, "{tally:?}");
    assert!(tally.files >= 3 && tally.delivered >= 1, "{tally:?}");
    assert!(tally.released >= 1 && tally.refunded >= 1, "{tally:?}");
}

#[test]
fn the_same_seed_gives_the_same_day() {
    let small = Plan {
        traders: 5,
        intents: 8,
        busy: 1_800,
        calm: 1_800,
        reloads: 6,
        ..SMALL
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

fn live(seed: u64, plan: Plan) -> Tally {
    let mut town = Town::new(seed, weather(seed, plan));
    town.live();
    laws::at_the_end(&mut town);
    laws::every_lock_moves_once_and_ends(&mut town);
    town.tally
}

/// Some days are worse than others: the first is the usual one, and each seed has its own.
const fn weather(seed: u64, plan: Plan) -> Plan {
    Plan {
        lost: 5 + (seed * 7 + 5) % 21,
        doubled: 5 + (seed * 3 + 5) % 16,
        reloads: plan.reloads * (40 + (seed * 37 + 20) % 101) / 60,
        ..plan
    }
}

/// `HAGGLE_SEEDS=A..B`, or the days of every run.
fn seeds(every_run: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var("HAGGLE_SEEDS") else {
        return every_run;
    };
    let parts = text
        .split_once("..")
        .map(|(from, to)| (from.trim().parse(), to.trim().parse()));
    match parts {
        Some((Ok(from), Ok(to))) => from..to,
        Some(_) | None => panic!("HAGGLE_SEEDS is a range of numbers like 10..20, not {text:?}"),
    }
}
