//! What was measured: a table for people, a file for programs.

use std::path::PathBuf;

use haggle_tests::{Outcome, place};
use serde_json::{Map, Value, json};

/// Figures, in the order in which they were measured.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: &'static str,
    unit: &'static str,
    sorted: Vec<f64>,
    budget: Option<f64>,
    tail: bool,
}

impl Report {
    /// Adds the figures of one measurement; at most `budget`, if one stands in docs/performance.md.
    pub(crate) fn add(
        &mut self,
        name: &'static str,
        unit: &'static str,
        budget: Option<f64>,
        mut figures: Vec<f64>,
    ) {
        figures.sort_by(f64::total_cmp);
        self.rows.push(Row {
            name,
            unit,
            sorted: figures,
            budget,
            tail: false,
        });
    }

    /// Adds figures of which the slow end matters as much: beside the median the 95th percentile is printed for them.
    pub(crate) fn add_with_tail(
        &mut self,
        name: &'static str,
        unit: &'static str,
        figures: Vec<f64>,
    ) {
        self.add(name, unit, None, figures);
        if let Some(row) = self.rows.last_mut() {
            row.tail = true;
        }
    }

    /// The table.
    pub(crate) fn table(&self) -> String {
        let head = format!(
            "{:<58} {:>12} {:>12} {:>12} {:>5}  {:<10} budget",
            "", "median", "least", "most", "runs", "unit"
        );
        let rows = self.rows.iter().map(|row| {
            let at = |place: usize| row.sorted.get(place).copied().unwrap_or_default();
            let last = row.sorted.len().saturating_sub(1);
            let budget = row.budget.map_or_else(String::new, |budget| {
                let held = if row.median() <= budget {
                    "held"
                } else {
                    "NOT held"
                };
                format!("{budget} ({held})")
            });
            let budget = if row.tail {
                format!("95th percentile {:.1}", at(last * 95 / 100))
            } else {
                budget
            };
            format!(
                "{:<58} {:>12.1} {:>12.1} {:>12.1} {:>5}  {:<10} {budget}",
                row.name,
                row.median(),
                at(0),
                at(last),
                row.sorted.len(),
                row.unit
            )
        });
        std::iter::once(head)
            .chain(rows)
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Writes the file: where `HAGGLE_BENCH_OUT` says, else among the artefacts.
    pub(crate) fn write(&self) -> Outcome {
        let file = match std::env::var_os("HAGGLE_BENCH_OUT") {
            Some(file) => PathBuf::from(file),
            None => place::artefacts()?.join("bench.json"),
        };
        let figures: Map<String, Value> = self
            .rows
            .iter()
            .map(|row| {
                let value = json!({
                    "unit": row.unit, "median": row.median(), "runs": row.sorted,
                    "budget": row.budget,
                });
                (row.name.to_owned(), value)
            })
            .collect();
        Ok(std::fs::write(
            file,
            format!("{:#}\n", Value::Object(figures)),
        )?)
    }
}

impl Row {
    /// The middle, or the mean of the two middles.
    fn median(&self) -> f64 {
        let len = self.sorted.len();
        let at = |place: usize| self.sorted.get(place).copied().unwrap_or_default();
        if len.is_multiple_of(2) && len > 0 {
            f64::midpoint(at(len / 2 - 1), at(len / 2))
        } else {
            at(len / 2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_of_the_sorted() {
        let median = |figures: &[f64]| {
            let mut report = Report::default();
            report.add("x", "ms", None, figures.to_vec());
            report.rows[0].median()
        };
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < 1e-9);
    }
}
