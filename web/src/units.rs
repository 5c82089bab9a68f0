//! The units that a person can pick, by their codes in UN/CEFACT Recommendation 20. What they are called stands in
//! `words`; a stranger's unit that is not here is shown by its code.

use haggle_protocol::Unit;

/// For what a thing is counted, measured or worked in.
pub const QUANTITIES: [&str; 16] = [
    "C62", "HUR", "DAY", "WEE", "MON", "KGM", "GRM", "LTR", "MTR", "MTK", "KMT", "KWH", "SET",
    "PR", "TNE", "MIN",
];

/// For what it is like. One list with [`QUANTITIES`], longer.
pub const MEASURES: [&str; 26] = [
    "C62", "MMT", "CMT", "MTR", "INH", "KMT", "MTK", "GRM", "KGM", "TNE", "LTR", "MIN", "HUR",
    "DAY", "WEE", "MON", "ANN", "4L", "E34", "E35", "MHZ", "A86", "WTT", "KWH", "CEL", "P1",
];

/// The unit of a code that stands in this file.
#[must_use]
pub fn unit(code: &str) -> Unit {
    Unit::new(code).unwrap_or(Unit::ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_one() {
        for code in QUANTITIES.into_iter().chain(MEASURES) {
            assert_eq!(unit(code).code(), code);
        }
    }
}
