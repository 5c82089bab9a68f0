//! What a book does when it is asked for more than it can hold.

use haggle_protocol::frame::Facets;
use haggle_protocol::limits::POW_FLOOR;
use haggle_protocol::{Frame, Kind, PublicKey, Refusal, Verdict};

use super::support::*;
use crate::{Book, Limits, Source};

/// Room for so many frames of `first("a lamp")`, each peer's share a fifth of it once it is half full.
fn small(frames: usize) -> Limits {
    let one = Limits::cost(lamp(0, POW_FLOOR).bytes().len());
    Limits {
        // A percentage of it is rounded down.
        bytes: (one * frames).next_multiple_of(100),
        source_share: 20,
        ..Limits::relay()
    }
}

/// A long wish, so that a book of a few of them is not below the least size of a book.
fn lamp(author: u64, bits: u32) -> Frame {
    let author = Author {
        bits,
        ..Author::new(author)
    };
    long(&author)
}

fn long(author: &Author) -> Frame {
    let mut wanted = intent("a lamp", None);
    wanted.details = Some("brass ".repeat(166).trim().into());
    author.wants(&wanted)
}

/// As a book that was asked hands it over: without a rate, and without more work than the floor.
fn asked(number: u8) -> Source {
    Source::Book(PublicKey([number; 32]))
}

fn holds(book: &Book, frame: &Frame) -> bool {
    book.open(&id(frame)).is_some()
}

#[test]
fn a_flood_of_one_source_with_more_work_than_others_drives_out_only_its_own() {
    let mut book = book(small(20));
    let honest: Vec<_> = (0..12).map(|n| lamp(n, POW_FLOOR)).collect();
    for (n, frame) in honest.iter().enumerate() {
        book.enter(frame.bytes(), asked(n as u8), NOON).unwrap();
    }
    let flood: Vec<_> = (100..130).map(|n| lamp(n, POW_FLOOR + 2)).collect();
    let mut taken = 0;
    for frame in &flood {
        taken += usize::from(book.enter(frame.bytes(), asked(200), NOON).is_ok());
        book.check();
    }
    assert!(honest.iter().all(|frame| holds(&book, frame)));
    let kept = flood.iter().filter(|frame| holds(&book, frame)).count();
    assert!(kept <= 4, "a fifth of twenty, but {kept}");
    assert!(kept < taken, "newer ones of the flood replace older ones");
    // Others still enter.
    let other = lamp(500, POW_FLOOR);
    assert!(book.enter(other.bytes(), asked(201), NOON).is_ok());
}

#[test]
fn a_source_alone_may_fill_the_quiet_part_of_a_book_and_then_replaces_its_own() {
    let mut book = book(small(20));
    let frames: Vec<_> = (0..15).map(|n| lamp(n, POW_FLOOR)).collect();
    for frame in &frames {
        let _ = book.enter(frame.bytes(), asked(1), NOON);
        book.check();
    }
    assert!((9..=11).contains(&book.len()), "{}", book.len());
    // The least work went first; among equals the oldest.
    assert!(book.bytes() <= book.limits().bytes / 100 * 55);
}

#[test]
fn a_full_book_lets_the_least_work_go_and_then_the_oldest_but_never_more_than_the_newcomers() {
    let mut book = book(small(6));
    let old: Vec<_> = (0..6)
        .map(|n| lamp(n, POW_FLOOR + if n == 3 { 0 } else { 6 }))
        .collect();
    for (n, frame) in old.iter().enumerate() {
        book.enter(frame.bytes(), asked(n as u8), NOON).unwrap();
    }
    // Work is shown by chance above what was asked, so it is compared, not assumed.
    let weakest = old.iter().min_by_key(|frame| frame.work()).unwrap();
    let strong = lamp(50, POW_FLOOR + 6);
    book.enter(strong.bytes(), asked(50), NOON).unwrap();
    book.check();
    assert!(!holds(&book, weakest));
    let survivors: Vec<_> = old.iter().filter(|frame| holds(&book, frame)).collect();
    assert_eq!(survivors.len(), 5);
    let weak = (60..)
        .map(|n| lamp(n, POW_FLOOR))
        .find(|frame| frame.work() < POW_FLOOR + 6);
    assert_eq!(
        book.enter(weak.unwrap().bytes(), asked(51), NOON)
            .map(|_| ()),
        Err(Refusal::BookFull)
    );
    assert!(survivors.iter().all(|frame| holds(&book, frame)));
}

#[test]
fn what_is_over_makes_room_before_what_still_holds() {
    let mut book = book(small(4));
    let short = long(&Author {
        life: 600,
        bits: POW_FLOOR + 4,
        ..Author::new(1)
    });
    book.enter(short.bytes(), asked(1), NOON).unwrap();
    let rest: Vec<_> = (2..5).map(|n| lamp(n, POW_FLOOR)).collect();
    for (n, frame) in rest.iter().enumerate() {
        book.enter(frame.bytes(), asked(n as u8 + 2), NOON).unwrap();
    }
    let new = lamp(9, POW_FLOOR);
    book.enter(new.bytes(), asked(9), NOON + 700).unwrap();
    assert!(rest.iter().all(|frame| holds(&book, frame)));
    assert!(!holds(&book, &short));
}

#[test]
fn ones_own_is_never_driven_out_and_always_finds_room() {
    let mut book = book(small(5));
    let own = lamp(1, POW_FLOOR);
    book.enter(own.bytes(), Source::Own, NOON).unwrap();
    for n in 10..20 {
        let _ = book.enter(lamp(n, POW_FLOOR + 4).bytes(), asked(n as u8), NOON);
        book.check();
    }
    assert!(holds(&book, &own));
    let second = lamp(2, POW_FLOOR);
    book.enter(second.bytes(), Source::Own, NOON).unwrap();
    assert!(holds(&book, &own) && holds(&book, &second));
}

#[test]
fn work_gets_dearer_as_the_book_fills_except_for_a_close_and_for_what_was_asked_for() {
    let mut book = book(Limits {
        source_share: 100,
        ..small(8)
    });
    assert_eq!(book.work_asked(), POW_FLOOR);
    let frames: Vec<_> = (0..7).map(|n| lamp(n, POW_FLOOR)).collect();
    for frame in &frames {
        book.enter(frame.bytes(), asked(1), NOON).unwrap();
    }
    assert_eq!(book.work_asked(), POW_FLOOR + 3);
    let cheap = (50..)
        .map(|n| lamp(n, POW_FLOOR))
        .find(|frame| frame.work() < POW_FLOOR + 3);
    let cheap = cheap.unwrap();
    let refused = book.enter(cheap.bytes(), peer(1), NOON).unwrap_err();
    assert_eq!(refused, Refusal::TooLittleWork);
    assert_eq!(refused.verdict(), Verdict::Ignore);
    let close = Author::new(0).close(id(&frames[0]), 1);
    assert!(book.enter(close.bytes(), peer(1), NOON).is_ok());
    let refilled = book.enter(cheap.bytes(), asked(1), NOON);
    assert!(refilled.is_ok(), "{refilled:?}");
}

#[test]
fn an_author_may_say_six_things_at_once_and_then_one_every_twenty_seconds() {
    let mut book = book(Limits::relay());
    let author = Author::new(1);
    let first = author.first("a lamp");
    let update = |rev| author.update(id(&first), rev, "a lamp");
    book.enter(first.bytes(), peer(1), NOON).unwrap();
    for rev in 1..6 {
        book.enter(update(rev).bytes(), peer(1), NOON).unwrap();
    }
    let seventh = update(6);
    let refused = book.enter(seventh.bytes(), peer(2), NOON + 19).map(|_| ());
    assert_eq!(refused, Err(Refusal::AuthorRate));
    assert!(book.enter(seventh.bytes(), peer(2), NOON + 20).is_ok());
    let refused = book
        .enter(update(7).bytes(), peer(2), NOON + 20)
        .map(|_| ());
    assert_eq!(refused, Err(Refusal::AuthorRate));
    // At home there is no rate.
    assert!(
        book.enter(update(7).bytes(), Source::Own, NOON + 20)
            .is_ok()
    );
}

#[test]
fn showing_an_authors_old_frames_again_uses_up_nothing_of_his_rate() {
    let mut book = book(Limits::relay());
    let author = Author::new(1);
    let first = author.first("a lamp");
    book.enter(
        author.update(id(&first), 1, "a lamp").bytes(),
        peer(1),
        NOON,
    )
    .unwrap();
    for _ in 0..20 {
        let again = book.enter(first.bytes(), peer(2), NOON).map(|_| ());
        assert_eq!(again, Err(Refusal::OlderRevision));
    }
    assert!(
        book.enter(
            author.update(id(&first), 2, "a lamp").bytes(),
            peer(1),
            NOON
        )
        .is_ok()
    );
}

#[test]
fn a_source_may_pass_on_its_burst_and_then_so_many_a_second_while_others_go_on() {
    let limits = Limits {
        source_burst: 3,
        source_per_second: 1,
        ..Limits::relay()
    };
    let mut book = book(limits);
    let frames: Vec<_> = (0..8).map(|n| lamp(n, POW_FLOOR)).collect();
    for frame in &frames[..3] {
        book.enter(frame.bytes(), peer(1), NOON).unwrap();
    }
    let fourth = book.enter(frames[3].bytes(), peer(1), NOON).map(|_| ());
    assert_eq!(fourth, Err(Refusal::SourceRate));
    assert!(book.enter(frames[4].bytes(), peer(2), NOON).is_ok());
    assert!(book.enter(frames[5].bytes(), asked(1), NOON).is_ok());
    assert!(book.enter(frames[3].bytes(), peer(1), NOON + 1).is_ok());
    // A known frame is no burden: a mesh brings each one several times.
    let known = book.enter(frames[0].bytes(), peer(1), NOON + 1).map(|_| ());
    assert_eq!(known, Err(Refusal::Duplicate));
}

#[test]
fn the_rates_of_so_many_sources_are_remembered_and_rested_ones_make_room() {
    let mut book = book(Limits {
        sources: 2,
        ..Limits::relay()
    });
    let frames: Vec<_> = (0..3).map(|n| lamp(n, POW_FLOOR)).collect();
    book.enter(frames[0].bytes(), peer(1), NOON).unwrap();
    book.enter(frames[1].bytes(), peer(2), NOON).unwrap();
    let third = book.enter(frames[2].bytes(), peer(3), NOON).map(|_| ());
    assert_eq!(third, Err(Refusal::SourceRate));
    assert!(book.enter(frames[2].bytes(), peer(3), NOON + 1).is_ok());
    book.check();
}

#[test]
fn the_door_s_refusals_come_through() {
    let mut book = book(Limits::peer());
    let frame = lamp(1, POW_FLOOR);
    let mut enter = |bytes: &[u8], now| book.enter(bytes, peer(1), now).map(|_| ());
    assert_eq!(enter(&[], NOON), Err(Refusal::Truncated));
    assert_eq!(enter(&[1; 5_000], NOON), Err(Refusal::TooLarge));
    assert_eq!(enter(frame.bytes(), NOON + LIFE), Err(Refusal::Expired));
    let mut forged = frame.bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(enter(&forged, NOON), Err(Refusal::BadSignature));
    assert_eq!(enter(frame.bytes(), NOON), Ok(()));
}

#[test]
fn a_book_of_no_size_still_holds_one_frame_of_the_largest() {
    let mut book = book(Limits {
        bytes: 0,
        ..Limits::relay()
    });
    let body = vec![0; haggle_protocol::limits::BODY_MAX];
    let largest = Author::new(1).say(Kind::Other(200), Facets::default(), &body);
    assert!(book.enter(largest.bytes(), asked(1), NOON).is_ok());
    book.check();
}

#[test]
fn the_memory_that_is_counted_is_at_least_the_memory_that_is_used() {
    let body = |fill: u8| [fill; 40];
    let opaque = |n: u64| Author::new(n).unheard(200, &body(1));
    let shapes: [(&str, &dyn Fn(u64) -> Frame); 4] = [
        ("a short intent", &|n| Author::new(n).first("a lamp")),
        ("a long intent", &|n| lamp(n, POW_FLOOR)),
        ("a reach alone", &|n| {
            Author::new(n).reach(haggle_protocol::IntentId([n as u8; 32]), 1)
        }),
        ("something opaque", &opaque),
    ];
    for (what, shape) in shapes {
        let frames: Vec<_> = (0..60).map(shape).collect();
        let mut book = book(Limits::relay());
        let info = allocation_counter::measure(|| {
            for (n, frame) in frames.iter().enumerate() {
                let _ = book.enter(frame.bytes(), asked(n as u8), NOON);
            }
        });
        assert_eq!(book.len(), 60, "{what}");
        let used = usize::try_from(info.bytes_current).unwrap();
        assert!(
            used <= book.bytes() && book.bytes() <= 2 * used,
            "{what}: {used} used, {} counted",
            book.bytes()
        );
    }
}
