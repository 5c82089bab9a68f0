//! A stranger's bytes cost no more memory than stated, whatever they claim about themselves.

#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    reason = "a test ends at what it did not expect"
)]

mod common;

use common::strategies;
use haggle_protocol::cbor::{Reader, Writer};
use haggle_protocol::intent::IntentClose;
use haggle_protocol::limits::{CELL_LARGE, FRAME_MAX};
use haggle_protocol::private::Body;
use haggle_protocol::seal::{CONTENT_LARGE, Cell, Direction, Hpke};
use haggle_protocol::{Frame, Intent, Reach};
use proptest::collection::vec;
use proptest::prelude::*;

/// All that one decoder may allocate for one input of at most 16 KiB, freed again or not, in bytes.
const BOUND: u64 = 64 * 1024;

fn within_bound<T>(what: &str, decode: impl FnOnce() -> T) {
    let mut result = None;
    let info = allocation_counter::measure(|| result = Some(decode()));
    assert!(
        info.bytes_total <= BOUND,
        "{what} allocated {} bytes",
        info.bytes_total
    );
}

fn every_reader(bytes: &[u8]) {
    let key = common::intent_key().0.public();
    let (network, now) = (common::network(), common::NOW);
    within_bound("frame", || Frame::open(bytes, network, now));
    within_bound("intent", || Intent::from_body(bytes));
    within_bound("close", || IntentClose::from_body(bytes));
    within_bound("reach", || Reach::from_body(bytes, network, &key, now));
    for direction in [Direction::ToBuyer, Direction::ToSeller] {
        let way = common::way(direction);
        let to = way.to.public().unwrap();
        within_bound("message", || {
            haggle_protocol::private::Message::open(bytes, &way.context, &to, &key, now)
        });
        let cell = bytes.to_vec();
        within_bound("cell", || {
            Cell::from_bytes(cell).and_then(|cell| cell.open(&Hpke, &way.to, &way.context))
        });
    }
    within_bound("skipping", || Reader::new(bytes).skip());
}

#[test]
fn the_counter_counts() {
    let info = allocation_counter::measure(|| drop(std::hint::black_box(vec![0u8; 100_000])));
    assert!(info.bytes_total >= 100_000);
}

#[test]
fn lengths_that_lie_allocate_nothing() {
    for head in [0x5b, 0x7b, 0x9b, 0xbb] {
        let huge = [&[head][..], &[0xff; 8], &[0; 100]].concat();
        every_reader(&huge);
        let inside = [&[0xa1, 0x06][..], &huge].concat();
        every_reader(&inside);
    }
    every_reader(&[0x81; 16 * 1024]);
    every_reader(&[0xa1; 16 * 1024]);
    every_reader(&[0; 16 * 1024]);
}

/// The most that a quote can hold: all its lines with all their attributes.
fn fullest_quote() -> Vec<u8> {
    let mut quote = common::quote();
    let attribute = quote.lines[0].attributes[0].clone();
    quote.lines = vec![quote.lines[0].clone(); 8];
    for line in &mut quote.lines {
        line.description = "x".repeat(120);
        line.attributes = (0..16)
            .map(|number| {
                let mut attribute = attribute.clone();
                attribute.key = format!("attribute-{number:-<20}");
                attribute.value = haggle_protocol::attribute::Value::Text("y".repeat(64));
                attribute
            })
            .collect();
    }
    quote.charges = vec![quote.charges[0].clone(); 6];
    quote.note = Some("z".repeat(600));
    quote.total.minor = quote.sum().unwrap();
    assert_eq!(quote.check(), Ok(()));
    let message = common::message(Direction::ToBuyer, Body::Quote(quote));
    common::content(&message).1
}

#[test]
fn the_fullest_quote_stays_within_the_bound() {
    let content = fullest_quote();
    assert!(content.len() > 12_000, "{}", content.len());
    assert!(common::open(&content, Direction::ToBuyer).is_ok());
    every_reader(&content);
}

#[test]
fn the_largest_cell_stays_within_the_bound() {
    let way = common::way(Direction::ToBuyer);
    let to = way.to.public().unwrap();
    let content = vec![7; CONTENT_LARGE];
    let mut dice = common::Fixed(vec![1; 32]);
    let cell = Cell::seal(&Hpke, &way.context, &to, &content, &mut dice).unwrap();
    assert_eq!(cell.as_bytes().len(), CELL_LARGE);
    assert!(cell.open(&Hpke, &way.to, &way.context).is_ok());
    every_reader(cell.as_bytes());
}

#[test]
fn the_fullest_frame_stays_within_the_bound() {
    let mut intent = common::intent();
    intent.details = Some("x".repeat(1_000));
    intent.wishes = (0..16)
        .map(|number| {
            let mut wish = intent.wishes[2].clone();
            wish.key = format!("wish-{number:-<25}");
            wish.value = haggle_protocol::attribute::Value::Text("y".repeat(64));
            wish
        })
        .collect();
    let body = intent.to_body();
    assert!(body.len() > 2_500);
    let frame = common::frame(haggle_protocol::Kind::Intent, intent.facets(), &body);
    assert!(frame.bytes().len() <= FRAME_MAX);
    within_bound("intent", || Intent::from_frame(&frame).unwrap());
    every_reader(frame.bytes());
    every_reader(&body);
}

proptest! {
    #![proptest_config(common::cases(200))]

    #[test]
    fn any_bytes_stay_within_the_bound(bytes in vec(any::<u8>(), 0..16 * 1024)) {
        every_reader(&bytes);
    }

    #[test]
    fn any_shape_stays_within_the_bound(shape in strategies::anything(), times in 1..400usize) {
        let mut writer = Writer::new();
        writer.array(times);
        for _ in 0..times {
            shape.write(&mut writer);
        }
        let mut bytes = writer.into_bytes();
        bytes.truncate(16 * 1024);
        every_reader(&bytes);
    }

    #[test]
    fn what_is_meant_stays_within_the_bound(
        intent in strategies::intent(),
        body in strategies::body(),
    ) {
        every_reader(&intent.to_body());
        let direction = Direction::ToBuyer;
        let (_, content) = common::content(&common::message(direction, body));
        prop_assume!(content.len() <= 16 * 1024);
        every_reader(&content);
    }
}
