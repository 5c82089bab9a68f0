//! What may stand in a text that strangers show to each other: no control characters, no direction
//! overrides (they make `exe.gnp` look like `png.exe`), nothing hidden, no blanks at its ends, and something to see.

use crate::refusal::Refusal;

/// A short text on one line.
///
/// # Errors
/// [`Refusal::BadText`] if it is empty, longer than `max` bytes, or holds what it may not.
pub fn line(text: &str, max: usize) -> Result<String, Refusal> {
    checked(text, max, false)
}

/// A longer text that may have line breaks.
///
/// # Errors
/// As [`line()`].
pub fn paragraphs(text: &str, max: usize) -> Result<String, Refusal> {
    checked(text, max, true)
}

fn checked(text: &str, max: usize, breaks: bool) -> Result<String, Refusal> {
    let fine = |c: char| (breaks && c == '\n') || !(c.is_control() || overrides(c) || hides(c));
    let seen = |c: char| !(c.is_whitespace() || invisible(c));
    if text.len() > max || text.trim() != text || !text.chars().all(fine) || !text.chars().any(seen)
    {
        return Err(Refusal::BadText);
    }
    Ok(text.to_owned())
}

/// Bidirectional embeddings, overrides and isolates (Unicode UAX #9), line and paragraph separators, and the
/// byte order mark.
const fn overrides(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// What carries text that nobody sees: interlinear annotations, deprecated format characters, tag characters.
const fn hides(c: char) -> bool {
    matches!(c, '\u{206a}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// What has its uses inside a text (joiners, direction marks, variation selectors) but shows nothing by itself.
const fn invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}'
    )
}

/// A small name in lower-case ASCII: `ram-size`, `screen_in`.
///
/// # Errors
/// [`Refusal::BadText`] if it is empty, longer than `max` bytes or has other characters.
pub fn name(text: &str, max: usize) -> Result<String, Refusal> {
    let fine = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'_';
    if text.is_empty() || text.len() > max || !text.bytes().all(fine) {
        return Err(Refusal::BadText);
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_refuse_what_would_deceive_the_eye() {
        assert_eq!(
            line("Ein Rennrad, 56 cm", 120).as_deref(),
            Ok("Ein Rennrad, 56 cm")
        );
        assert_eq!(line("دراجة", 120).as_deref(), Ok("دراجة"));
        for bad in [
            "",
            "  ",
            " x",
            "a\nb",
            "a\u{202e}b",
            "a\u{7}b",
            "a\u{2066}b",
            "a\u{feff}",
        ] {
            assert_eq!(line(bad, 120), Err(Refusal::BadText), "{bad:?}");
        }
        assert_eq!(line(&"x".repeat(121), 120), Err(Refusal::BadText));
        assert!(paragraphs("one\n\ntwo", 120).is_ok());
    }

    #[test]
    fn a_text_of_nothing_that_can_be_seen_is_empty_and_hidden_text_is_refused() {
        for bad in [
            "\u{200b}",
            "\u{200e} \u{2060}",
            "\u{3164}",
            "\u{2800}",
            "\u{fe0f}\u{200d}",
            "lamp\u{e0041}\u{e0042}",
            "lamp\u{fff9}x",
            "lamp\u{206a}",
        ] {
            assert_eq!(line(bad, 120), Err(Refusal::BadText), "{bad:?}");
        }
        // Joiners and marks are part of how people write.
        for good in [
            "می\u{200c}خواهم",
            "❤\u{fe0f}",
            "👩\u{200d}🌾",
            "\u{200f}דירה",
        ] {
            assert!(line(good, 120).is_ok(), "{good:?}");
        }
    }
}
