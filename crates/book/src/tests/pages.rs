//! Reading a book by cursor.

use std::collections::BTreeSet;

use haggle_protocol::{Frame, FrameId};

use super::support::*;
use crate::{Book, Cursor, Limits, Source};

fn fill(book: &mut Book, authors: std::ops::Range<u64>) -> Vec<Frame> {
    let frames: Vec<_> = authors.map(|n| Author::new(n).first("a lamp")).collect();
    for frame in &frames {
        book.enter(frame.bytes(), Source::Own, NOON).unwrap();
    }
    frames
}

fn ids(frames: &[Vec<u8>]) -> Vec<FrameId> {
    let open = |bytes: &Vec<u8>| Frame::open(bytes, network(), NOON).unwrap().id();
    frames.iter().map(open).collect()
}

#[test]
fn a_walk_by_pages_yields_every_frame_once_in_the_order_of_arrival() {
    let mut book = book(Limits::peer());
    let frames = fill(&mut book, 0..7);
    let two = 2 * frames[0].bytes().len();
    let (mut cursor, mut walked, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = book.page(cursor, two);
        assert!(page.frames.iter().map(Vec::len).sum::<usize>() <= two);
        walked.extend(ids(&page.frames));
        cursor = Some(page.cursor);
        pages += 1;
        if !page.more {
            break;
        }
    }
    assert_eq!(pages, 4);
    assert_eq!(walked, frames.iter().map(Frame::id).collect::<Vec<_>>());
    assert!(book.page(cursor, two).frames.is_empty());
    let later = fill(&mut book, 7..8);
    assert_eq!(ids(&book.page(cursor, two).frames), vec![later[0].id()]);
}

#[test]
fn what_enters_during_a_walk_comes_at_its_end_and_what_was_replaced_is_left_out() {
    let mut book = book(Limits::peer());
    let frames = fill(&mut book, 0..4);
    let page = book.page(None, 2 * frames[0].bytes().len());
    assert_eq!(page.frames.len(), 2);
    // One that was read and one that was not are revised, and a new one enters.
    let renewed: Vec<_> = [0, 3]
        .map(|n: u64| Author::new(n).update(id(&frames[n as usize]), 1, "a lamp"))
        .into();
    for frame in &renewed {
        book.enter(frame.bytes(), Source::Own, NOON).unwrap();
    }
    let new = fill(&mut book, 9..10);
    let rest = book.page(Some(page.cursor), usize::MAX);
    assert!(!rest.more);
    assert_eq!(
        ids(&rest.frames),
        [
            frames[2].id(),
            renewed[0].id(),
            renewed[1].id(),
            new[0].id()
        ]
    );
}

#[test]
fn a_cursor_of_another_epoch_starts_over_and_one_from_beyond_the_end_yields_nothing() {
    let mut book = book(Limits::peer());
    fill(&mut book, 0..3);
    let end = book.page(None, usize::MAX).cursor;
    let foreign = Cursor {
        epoch: end.epoch + 1,
        ..end
    };
    assert_eq!(book.page(Some(foreign), usize::MAX).frames.len(), 3);
    let beyond = Cursor {
        at: u64::MAX,
        ..end
    };
    let page = book.page(Some(beyond), usize::MAX);
    assert!(page.frames.is_empty() && !page.more);
    assert_eq!(page.cursor, end);
}

#[test]
fn a_page_smaller_than_a_frame_still_moves_on() {
    let mut book = book(Limits::peer());
    fill(&mut book, 0..2);
    let page = book.page(None, 0);
    assert_eq!((page.frames.len(), page.more), (1, true));
    let (names, cursor, more) = book.ids(None, 0);
    assert_eq!((names.len(), more), (1, true));
    assert_eq!(cursor, page.cursor);
}

#[test]
fn names_are_walked_as_frames_are_and_fetch_what_somebody_hid() {
    let mut book = book(Limits::peer());
    let frames = fill(&mut book, 0..5);
    let (names, cursor, more) = book.ids(None, 3);
    assert!(more);
    let (rest, _, more) = book.ids(Some(cursor), 3);
    assert!(!more);
    let all: BTreeSet<_> = names.iter().chain(&rest).copied().collect();
    assert_eq!(all, frames.iter().map(Frame::id).collect());
    let unknown = FrameId([0; 32]);
    let asked = [frames[4].id(), unknown, frames[1].id()];
    let got = ids(&book.frames(&asked, usize::MAX));
    assert_eq!(got, [frames[4].id(), frames[1].id()]);
    assert_eq!(book.frames(&asked, 1).len(), 1);
    assert!(book.frames(&[unknown], 1_000).is_empty());
}
