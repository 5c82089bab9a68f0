//! `cargo xtask test`: every check and every test, the cheap ones first. Each runner's own summary
//! lines go to the screen; at the end stands a table of how many tests of each kind ran and how long
//! they took. What tests there are is read from the workspace: a new file of tests is found by itself.

mod kinds;
mod mint;

use crate::say::{Outcome, Stopwatch, Trouble, doing, how_long};
use crate::tally::Tally;
use crate::workshop::Workshop;
pub(crate) use kinds::is_root;
use kinds::{KINDS, Kind, Report};
use std::time::Duration;

/// What the command line asks for.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Only these kinds; all if empty.
    pub(crate) only: Vec<String>,
    /// Go on after a kind that fails.
    pub(crate) keep_going: bool,
}

/// Runs the kinds that are asked for and prints the table.
pub(crate) fn run(shop: &Workshop, options: &Options) -> Outcome {
    let kinds = chosen(&options.only)?;
    if options.only.is_empty() {
        shop.set_up(true)?;
    }
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for kind in kinds {
        if !failed.is_empty() && !options.keep_going {
            rows.push(Row {
                kind: kind.name,
                tally: None,
                verdict: "not run",
                took: None,
            });
            continue;
        }
        doing(format!("{}: {}", kind.name, kind.about));
        let watch = Stopwatch::start();
        let outcome = (kind.run)(shop);
        if let Err(trouble) = &outcome {
            eprintln!("haggle: {}: {trouble}", kind.name);
        }
        let row = Row::of(kind, &outcome, watch.elapsed());
        if row.verdict == FAILED || row.verdict == EMPTY {
            failed.push(kind.name);
        }
        rows.push(row);
    }
    print!("{}", table(&rows));
    if failed.is_empty() {
        return Ok(());
    }
    let again = failed
        .iter()
        .fold(String::new(), |all, kind| format!("{all} --only {kind}"));
    Err(Trouble::new(format!(
        "failed: {}; what went wrong is printed above, and `cargo xtask test{again}` runs only that",
        failed.join(", ")
    )))
}

/// The kinds that the names ask for, in their own order.
fn chosen(only: &[String]) -> Outcome<Vec<&'static Kind>> {
    if let Some(unknown) = only
        .iter()
        .find(|name| KINDS.iter().all(|kind| kind.name != **name))
    {
        let list: String = KINDS
            .iter()
            .map(|kind| format!("\n  {:<12} {}", kind.name, kind.about))
            .collect();
        return Err(Trouble::new(format!(
            "there is no kind \"{unknown}\" of test; there are{list}"
        )));
    }
    let wanted = |kind: &&Kind| only.is_empty() || only.iter().any(|name| name == kind.name);
    Ok(KINDS.iter().filter(wanted).collect())
}

/// How a kind that failed is marked in the table.
const FAILED: &str = "FAILED";

/// How a kind is marked whose test files ran without a single test in them.
const EMPTY: &str = "NO TESTS";

/// One line of the table.
struct Row {
    kind: &'static str,
    tally: Option<Tally>,
    verdict: &'static str,
    took: Option<Duration>,
}

impl Row {
    fn of(kind: &Kind, outcome: &Outcome<Report>, took: Duration) -> Self {
        let (tally, verdict) = match outcome {
            Ok(Report::Held) => (None, "ok"),
            Ok(Report::Absent) => (None, "none yet"),
            Ok(Report::Ran(well, tally)) if !well || tally.failed > 0 => (Some(*tally), FAILED),
            Ok(Report::Ran(_, tally)) if tally.ran() == 0 => (Some(*tally), EMPTY),
            Ok(Report::Ran(_, tally)) => (Some(*tally), "ok"),
            Err(_) => (None, FAILED),
        };
        Self {
            kind: kind.name,
            tally,
            verdict,
            took: Some(took),
        }
    }
}

fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "\n{:<12} {:>7} {:>7} {:>8}  {:<9} {:>12}\n",
        "kind", "passed", "failed", "ignored", "result", "time"
    );
    let mut sum = Tally::default();
    let mut total = Duration::ZERO;
    let line = |kind: &str, tally: Option<Tally>, verdict: &str, took: Option<Duration>| {
        let [passed, failed, ignored] = match tally {
            Some(t) => [t.passed, t.failed, t.ignored].map(|number| number.to_string()),
            None => ["-"; 3].map(String::from),
        };
        let took = took.map_or_else(|| "-".into(), how_long);
        format!("{kind:<12} {passed:>7} {failed:>7} {ignored:>8}  {verdict:<9} {took:>12}\n")
    };
    for row in rows {
        text.push_str(&line(row.kind, row.tally, row.verdict, row.took));
        sum = sum.and(row.tally.unwrap_or_default());
        total += row.took.unwrap_or_default();
    }
    text.push_str(&line("in all", Some(sum), "", Some(total)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind() -> &'static Kind {
        &KINDS[0]
    }

    fn tally(passed: u64, failed: u64) -> Tally {
        Tally {
            passed,
            failed,
            ignored: 0,
        }
    }

    #[test]
    fn a_kind_whose_test_files_hold_no_test_fails() {
        let row = |report| Row::of(kind(), &Ok(report), Duration::ZERO).verdict;
        assert_eq!(row(Report::Ran(true, tally(0, 0))), EMPTY);
        assert_eq!(row(Report::Ran(true, tally(3, 0))), "ok");
        assert_eq!(row(Report::Absent), "none yet");
    }

    #[test]
    fn a_runner_that_exits_badly_fails_whatever_its_summaries_say() {
        let row = |report| Row::of(kind(), &Ok(report), Duration::ZERO).verdict;
        assert_eq!(row(Report::Ran(false, tally(3, 0))), FAILED);
        assert_eq!(row(Report::Ran(true, tally(3, 1))), FAILED);
    }

    #[test]
    fn the_table_adds_up() {
        let row = |kind, tally| Row {
            kind,
            tally: Some(tally),
            verdict: "ok",
            took: Some(Duration::from_secs(20)),
        };
        let text = table(&[row("unit", tally(3, 0)), row("wasm", tally(4, 1))]);
        let last: Vec<_> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(last, ["in", "all", "7", "1", "0", "40", "s"]);
    }

    #[test]
    fn kinds_run_in_their_own_order_whatever_order_they_are_named_in() {
        let names: Vec<_> = chosen(&["wasm".into(), "fmt".into()])
            .unwrap()
            .iter()
            .map(|kind| kind.name)
            .collect();
        assert_eq!(names, ["fmt", "wasm"]);
        assert_eq!(chosen(&[]).unwrap().len(), KINDS.len());
    }

    #[test]
    fn an_unknown_kind_is_answered_with_the_list() {
        let Err(trouble) = chosen(&["help".into()]) else {
            panic!("there is no such kind");
        };
        assert!(trouble.to_string().contains("clippy-wasm"), "{trouble}");
    }
}
