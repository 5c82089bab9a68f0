//! What a buyer types when he would pay less than a quote asks.

use haggle_protocol::{Money, ThreadId, limits};

use super::{Flaw, Reading, Wrong};
use crate::node::Command;

/// A counter, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CounterForm {
    /// In all.
    pub total: String,
    /// Anything the seller should know.
    pub note: String,
}

impl CounterForm {
    /// The counter to a quote of this total.
    ///
    /// # Errors
    /// Every flaw that was found.
    pub fn read(&self, thread: ThreadId, asked: Money) -> Result<Command, Vec<Flaw>> {
        let mut reading = Reading::default();
        let total = reading.money("total", &self.total, asked.asset);
        if reading.flaws.is_empty() && total.minor == 0 {
            reading.wrong("total", Wrong::Zero);
        }
        if reading.flaws.is_empty() && total >= asked {
            reading.wrong("total", Wrong::NotLess);
        }
        let note = reading.optional("note", &self.note, limits::NOTE_MAX);
        reading.end(Command::Counter {
            thread,
            total,
            note,
        })
    }
}

#[cfg(test)]
mod tests {
    use haggle_protocol::Asset;

    use super::*;

    fn asked() -> Money {
        Money::new(40_000, Asset::new("EUR").unwrap())
    }

    fn read(total: &str) -> Result<Command, Vec<Flaw>> {
        let form = CounterForm {
            total: total.into(),
            note: " ".into(),
        };
        form.read(ThreadId([1; 32]), asked())
    }

    #[test]
    fn less_than_is_asked_is_a_counter() {
        let Ok(Command::Counter { total, note, .. }) = read("350,50") else {
            panic!("a counter")
        };
        assert_eq!((total.minor, note), (35_050, None));
    }

    #[test]
    fn nothing_as_much_and_nonsense_are_flaws_of_the_total() {
        for (text, wrong) in [
            ("", Wrong::Missing),
            ("much", Wrong::NotANumber),
            ("0", Wrong::Zero),
            ("400", Wrong::NotLess),
            ("400.01", Wrong::NotLess),
        ] {
            let flaws = read(text).unwrap_err();
            assert_eq!(
                flaws,
                [Flaw {
                    field: "total",
                    wrong
                }],
                "{text}"
            );
        }
    }
}
