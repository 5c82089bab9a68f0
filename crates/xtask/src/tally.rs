//! Counts what test runners claim. Both `cargo test` and the wasm test runner end each test program
//! with a line like `test result: ok. 3 passed; 0 failed; 1 ignored; …`; these lines are let through
//! to the screen and added up here.

/// How every summary line begins.
const SUMMARY: &str = "test result: ";

/// What the summary lines of one or more test programs add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed.
    pub(crate) failed: u64,
    /// Tests that were left out on purpose.
    pub(crate) ignored: u64,
}

impl Tally {
    /// Takes one line of output into account; lines that are no summary change nothing.
    pub(crate) fn read(&mut self, line: &str) {
        let Some((_, counts)) = line.split_once(SUMMARY) else {
            return;
        };
        // After the verdict ("ok." or "FAILED.") come the counts, each as "<number> <name>".
        for part in counts.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(number), Some(name)) = (words.next(), words.next()) else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match name {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }

    /// Tests that ran, whatever came of them.
    pub(crate) fn ran(self) -> u64 {
        self.passed + self.failed
    }

    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            ignored: self.ignored + other.ignored,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(text: &str) -> Tally {
        let mut tally = Tally::default();
        text.lines().for_each(|line| tally.read(line));
        tally
    }

    #[test]
    fn summary_lines_of_several_programs_add_up() {
        let text = "running 4 tests\n\
            test a ... ok\n\
            test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s\n\
            test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 12.34s\n";
        assert_eq!(
            tally(text),
            Tally {
                passed: 8,
                failed: 2,
                ignored: 1
            }
        );
        assert_eq!(tally(text).ran(), 10);
    }

    #[test]
    fn the_wasm_runners_summary_line_counts_too() {
        let text =
            "    test result: ok. 7 passed; 0 failed; 0 ignored; 0 filtered out; finished in 0.42s";
        assert_eq!(
            tally(text),
            Tally {
                passed: 7,
                failed: 0,
                ignored: 0
            }
        );
    }

    #[test]
    fn a_line_that_is_no_summary_counts_nothing() {
        assert_eq!(
            tally("3 passed; 4 failed\ntest three passed ... ok"),
            Tally::default()
        );
    }

    #[test]
    fn the_seconds_of_a_summary_are_not_taken_for_tests() {
        assert_eq!(
            tally("test result: ok. 0 passed; 0 failed; finished in 9 passed"),
            { Tally::default() }
        );
    }
}
