//! Whether somebody really has his words on paper: a few of them are asked for by their number.

/// How many words are asked for: enough that nobody guesses, few enough that nobody minds.
pub const ASKED: usize = 3;

/// Which words are asked for, as places counted from 0, ascending and different, by a number that was drawn.
#[must_use]
pub fn asked(words: usize, mut dice: u32) -> Vec<usize> {
    let mut left: Vec<usize> = (0..words).collect();
    let mut chosen = Vec::new();
    for _ in 0..ASKED.min(words) {
        let sides = u32::try_from(left.len()).unwrap_or(1);
        let at = usize::try_from(dice % sides).unwrap_or(0);
        dice /= sides;
        chosen.push(left.remove(at));
    }
    chosen.sort_unstable();
    chosen
}

/// Whether what was typed is the word, however it was typed.
#[must_use]
pub fn is_word(typed: &str, word: &str) -> bool {
    typed.trim().eq_ignore_ascii_case(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn different_words_are_asked_for_and_any_of_them_can_be() {
        let mut seen = BTreeSet::new();
        for dice in 0..3_000 {
            let places = asked(12, dice);
            assert_eq!(places.len(), ASKED);
            assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
            seen.extend(places);
        }
        assert_eq!(seen, (0..12).collect());
        assert!(asked(0, 7).is_empty());
    }

    #[test]
    fn capitals_and_spaces_are_no_other_word() {
        assert!(is_word(" Zebra ", "zebra"));
        assert!(!is_word("", "zebra") && !is_word("zebr", "zebra"));
    }
}
