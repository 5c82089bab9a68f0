//! `docs/protocol.md` says what the code does: every refusal, tag, name and limit stands there as it is.

#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

use std::path::Path;

use haggle_protocol::limits;
use haggle_protocol::mint::{ANSWER_BODY_MAX, PATH_MAX, REQUEST_BODY_MAX};
use haggle_protocol::names::{
    Network, PROTOCOL_BOOK, PROTOCOL_IDENTIFY, PROTOCOL_KAD, PROTOCOL_MINT, PROTOCOL_WHISPER,
    TOPIC_INTENTS,
};
use haggle_protocol::seal::{CONTENT_LARGE, CONTENT_SMALL};
use haggle_protocol::tag::Tag;
use haggle_protocol::{Refusal, Verdict};

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol.md");
    std::fs::read_to_string(path).unwrap()
}

/// 15360 as the page writes it.
fn number(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[test]
fn every_refusal_stands_in_the_table_with_its_verdict_and_no_other_does() {
    let page = page();
    let (_, table) = page.split_once("## 12. Refusals").unwrap();
    let (table, _) = table.split_once("## 13.").unwrap();
    let rows: Vec<_> = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let code = cells.next().unwrap().trim_matches('`').to_owned();
            (code, cells.next().unwrap().to_owned())
        })
        .collect();
    let known: Vec<_> = Refusal::ALL
        .iter()
        .map(|refusal| {
            let verdict = match refusal.verdict() {
                Verdict::Accept => "accept",
                Verdict::Ignore => "ignore",
                Verdict::Reject => "reject",
            };
            (refusal.code().to_owned(), verdict.to_owned())
        })
        .collect();
    assert_eq!(rows, known);
}

#[test]
fn every_tag_stands_in_the_table_and_no_other_does() {
    let page = page();
    let (_, table) = page.split_once("## 2. Tags").unwrap();
    let (table, _) = table.split_once("## 3.").unwrap();
    let written: Vec<_> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|line| line.split('`').next().unwrap().to_owned())
        .collect();
    let known: Vec<_> = Tag::ALL
        .iter()
        .map(|tag| {
            let text = core::str::from_utf8(tag.bytes()).unwrap();
            text.trim_end_matches('\0').to_owned()
        })
        .collect();
    assert_eq!(written, known);
}

#[test]
fn names_and_the_main_network_are_the_ones_that_are_used() {
    let page = page();
    for name in [
        TOPIC_INTENTS,
        PROTOCOL_BOOK,
        PROTOCOL_WHISPER,
        PROTOCOL_MINT,
        PROTOCOL_KAD,
        PROTOCOL_IDENTIFY,
    ] {
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
    }
    let main: String = Network::main()
        .0
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let sentence = format!("called `{}`, which is `{main}`", Network::MAIN_NAME);
    assert!(page.contains(&sentence), "{sentence}");
}

#[test]
fn every_limit_stands_in_its_row() {
    let page = page();
    let (_, table) = page.split_once("## 13. Limits").unwrap();
    let seconds = |seconds: u64| number(usize::try_from(seconds).unwrap());
    for (row, said) in [
        (
            "public frame",
            format!("{} bytes", number(limits::FRAME_MAX)),
        ),
        ("its body", format!("{} bytes", number(limits::BODY_MAX))),
        (
            "its life",
            format!(
                "{} s (usual: {} s)",
                seconds(limits::LIFETIME_MAX),
                seconds(limits::LIFETIME_DEFAULT)
            ),
        ),
        (
            "clock of a stranger ahead of ours",
            format!("{} s", limits::CLOCK_SKEW),
        ),
        (
            "work of a public frame, at least",
            format!("{} bits", limits::POW_FLOOR),
        ),
        (
            "small and large cell",
            format!(
                "{} and {} bytes",
                number(limits::CELL_SMALL),
                number(limits::CELL_LARGE)
            ),
        ),
        (
            "life of a private message",
            format!("{} s", seconds(limits::PRIVATE_LIFETIME_MAX)),
        ),
        ("nesting of skipped CBOR", limits::DEPTH_MAX.to_string()),
        (
            "title, details",
            format!(
                "{}, {} bytes",
                limits::TITLE_MAX,
                number(limits::DETAILS_MAX)
            ),
        ),
        (
            "wishes of an intent, attributes of a line",
            limits::ATTRIBUTES_MAX.to_string(),
        ),
        (
            "name of an attribute, its text",
            format!(
                "{}, {} bytes",
                limits::ATTRIBUTE_KEY_MAX,
                limits::ATTRIBUTE_TEXT_MAX
            ),
        ),
        (
            "places, deliveries of an intent",
            format!("{}, {}", limits::PLACES_MAX, limits::DELIVERIES_MAX),
        ),
        ("geohash", format!("{} characters", limits::GEOHASH_MAX)),
        (
            "ways in a list, one way, a relay's address",
            format!(
                "{}, {} bytes, {} bytes",
                limits::REACH_ENTRIES_MAX,
                limits::REACH_ENTRY_MAX,
                limits::ADDRESS_MAX
            ),
        ),
        (
            "seal key of any suite",
            format!("{} bytes", number(limits::SEAL_KEY_MAX)),
        ),
        (
            "trader shown in any way",
            format!("{} bytes", limits::TRADER_SHOWN_MAX),
        ),
        (
            "lines, charges of a quote",
            format!("{}, {}", limits::QUOTE_LINES_MAX, limits::QUOTE_CHARGES_MAX),
        ),
        (
            "label, note",
            format!("{}, {} bytes", limits::LABEL_MAX, limits::NOTE_MAX),
        ),
        (
            "path of a request to a mint, its body, the answer's",
            format!(
                "{}, {}, {} bytes",
                PATH_MAX,
                number(REQUEST_BODY_MAX),
                number(ANSWER_BODY_MAX)
            ),
        ),
        (
            "ways of contact, one of them",
            format!(
                "{}, {} bytes",
                limits::CONTACT_WAYS_MAX,
                limits::CONTACT_LINE_MAX
            ),
        ),
    ] {
        let line = format!("| {row} | {said} |");
        assert!(table.contains(&line), "{line}");
    }
    for content in [CONTENT_SMALL, CONTENT_LARGE] {
        assert!(page.contains(&number(content)), "{content}");
    }
}
