//! Weeks that pass between two starts: programs and browsers that are started again with a clock that is ahead. Nothing is built for it; a
//! program asks the system for the time and hears a later one (libfaketime), a page asks its browser.

use std::process::Command;
use std::time::Duration;

use crate::place;
use crate::trouble::Outcome;

/// Has a program that is about to start see the time so much ahead. What it measures with a clock that only runs stays as it is.
///
/// # Errors
/// If `HAGGLE_FAKETIME` is not set.
pub(crate) fn set_ahead(command: &mut Command, by: Duration) -> Outcome {
    if by.is_zero() {
        return Ok(());
    }
    command
        .env("LD_PRELOAD", place::faketime()?)
        .env("FAKETIME", format!("+{}s", by.as_secs()))
        .env("DONT_FAKE_MONOTONIC", "1");
    Ok(())
}

/// Runs in each page before its own scripts: its clock is so much ahead.
pub(crate) fn page_ahead(by: Duration) -> String {
    let milliseconds = by.as_millis();
    format!(
        "Date = class extends Date {{
            constructor(...given) {{ if (given.length) super(...given); else super(Date.now()) }}
            static now() {{ return super.now() + {milliseconds} }}
        }};"
    )
}
