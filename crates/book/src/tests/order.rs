//! Revisions, closes and reaches of one intent, whatever order they arrive in.

use haggle_protocol::frame::Facets;
use haggle_protocol::{Kind, Refusal};

use super::support::*;
use crate::{Book, Limits, Noun, Source};

fn enter(book: &mut Book, frame: &haggle_protocol::Frame) -> Result<Noun, Refusal> {
    let source = Source::Book(haggle_protocol::PublicKey([1; 32]));
    let entered = book.enter(frame.bytes(), source, NOON + 60);
    book.check();
    entered.map(|entered| entered.noun)
}

#[test]
fn an_intent_that_was_entered_is_open_and_found_by_its_name() {
    let mut book = book(Limits::peer());
    let frame = Author::new(1).first("a road bike, 56 cm");
    let noun = enter(&mut book, &frame).unwrap();
    assert!(matches!(noun, Noun::Intent { id: named, .. } if named == id(&frame)));
    let open = book.open(&id(&frame)).unwrap();
    assert_eq!(open.intent.title, "a road bike, 56 cm");
    assert_eq!(open.key, Author::new(1).public());
    assert_eq!(open.frame, &frame);
    assert!(open.reach.is_none());
    assert_eq!(book.iter_open().count(), 1);
}

#[test]
fn the_same_frame_twice_is_a_duplicate_even_with_another_nonce() {
    let mut book = book(Limits::peer());
    let author = Author::new(1);
    let frame = author.first("a desk");
    enter(&mut book, &frame).unwrap();
    assert_eq!(enter(&mut book, &frame), Err(Refusal::Duplicate));
    let harder = Author { bits: 18, ..author }.first("a desk");
    assert_eq!(harder.id(), frame.id());
    assert_eq!(enter(&mut book, &harder), Err(Refusal::Duplicate));
}

#[test]
fn a_newer_revision_replaces_the_older_and_an_older_one_is_refused() {
    let mut book = book(Limits::peer());
    let author = Author::new(1);
    let first = author.first("a desk");
    let name = id(&first);
    enter(&mut book, &first).unwrap();
    enter(&mut book, &author.update(name, 5, "a desk, 160 cm")).unwrap();
    assert_eq!(book.len(), 1);
    assert_eq!(book.open(&name).unwrap().intent.title, "a desk, 160 cm");
    for rev in [4, 5] {
        let late = author.update(name, rev, "a desk, any");
        assert_eq!(enter(&mut book, &late), Err(Refusal::OlderRevision));
    }
    assert_eq!(enter(&mut book, &first), Err(Refusal::OlderRevision));
    assert_eq!(book.open(&name).unwrap().intent.title, "a desk, 160 cm");
}

#[test]
fn an_update_opens_an_intent_whose_first_frame_was_missed() {
    let mut book = book(Limits::peer());
    let author = Author::new(1);
    let first = author.first("a desk");
    enter(&mut book, &author.update(id(&first), 5, "a desk, 160 cm")).unwrap();
    assert!(book.open(&id(&first)).is_some());
    assert_eq!(enter(&mut book, &first), Err(Refusal::OlderRevision));
    assert_eq!(
        book.open(&id(&first)).unwrap().intent.title,
        "a desk, 160 cm"
    );
}

#[test]
fn a_key_speaks_for_one_intent_only() {
    let mut book = book(Limits::peer());
    let author = Author::new(1);
    let first = author.first("a desk");
    let other = author.first("a chair");
    enter(&mut book, &first).unwrap();
    for wrong in [
        other.clone(),
        author.update(id(&other), 5, "a chair"),
        author.close(id(&other), 5),
        author.reach(id(&other), 5),
    ] {
        assert_eq!(enter(&mut book, &wrong), Err(Refusal::WrongIntent));
    }
    assert_eq!(book.len(), 1);
}

#[test]
fn a_first_frame_that_arrives_after_an_update_of_another_intent_is_refused() {
    let mut book = book(Limits::peer());
    let author = Author::new(1);
    let first = author.first("a desk");
    enter(&mut book, &author.reach(id(&first), 1)).unwrap();
    assert_eq!(
        enter(&mut book, &author.first("a chair")),
        Err(Refusal::WrongIntent)
    );
    assert!(enter(&mut book, &first).is_ok());
}

#[test]
fn nobody_speaks_for_another_keys_intent() {
    let mut book = book(Limits::peer());
    let (author, thief) = (Author::new(1), Author::new(2));
    let first = author.first("a desk");
    let name = id(&first);
    enter(&mut book, &first).unwrap();
    for stolen in [
        thief.update(name, 9, "a desk, cash in advance"),
        thief.close(name, 9),
        thief.reach(name, 9),
    ] {
        assert_eq!(enter(&mut book, &stolen), Err(Refusal::WrongIntent));
    }
    assert_eq!(book.open(&name).unwrap().key, author.public());
}

#[test]
fn a_first_frame_silences_a_key_that_spoke_for_its_intent_before_it_was_seen() {
    let mut book = book(Limits::peer());
    let (author, thief) = (Author::new(1), Author::new(2));
    let first = author.first("a desk");
    let name = id(&first);
    enter(&mut book, &thief.update(name, 9, "a desk, cash in advance")).unwrap();
    enter(&mut book, &thief.reach(name, 9)).unwrap();
    enter(&mut book, &first).unwrap();
    let open = book.open(&name).unwrap();
    assert_eq!(open.key, author.public());
    assert_eq!(open.intent.title, "a desk");
    assert!(open.reach.is_none());
    assert_eq!(book.len(), 1);
}

#[test]
fn a_close_ends_an_intent_and_no_higher_revision_reopens_it() {
    let mut book = book(Limits::peer());
    let author = Author::new(1);
    let first = author.first("a desk");
    let name = id(&first);
    enter(&mut book, &first).unwrap();
    let noun = enter(&mut book, &author.close(name, 5)).unwrap();
    assert_eq!(noun, Noun::Closed { id: name });
    assert!(book.open(&name).is_none());
    assert_eq!(book.len(), 1);
    assert_eq!(enter(&mut book, &first), Err(Refusal::Closed));
    let update = author.update(name, 99, "a desk");
    assert_eq!(enter(&mut book, &update), Err(Refusal::Closed));
    assert_eq!(
        enter(&mut book, &author.close(name, 4)),
        Err(Refusal::OlderRevision)
    );
    assert!(enter(&mut book, &author.close(name, 6)).is_ok());
    assert_eq!(book.len(), 1);
}

#[test]
fn a_close_that_arrives_before_its_intent_keeps_it_closed() {
    let mut book = book(Limits::peer());
    let author = Author::new(1);
    let first = author.first("a desk");
    enter(&mut book, &author.close(id(&first), 5)).unwrap();
    assert_eq!(enter(&mut book, &first), Err(Refusal::Closed));
    assert!(book.open(&id(&first)).is_none());
}

#[test]
fn the_owner_of_a_closed_intent_can_still_move() {
    let mut book = book(Limits::peer());
    let author = Author::new(1);
    let first = author.first("a desk");
    let name = id(&first);
    enter(&mut book, &first).unwrap();
    enter(&mut book, &author.close(name, 5)).unwrap();
    let noun = enter(&mut book, &author.reach(name, 6)).unwrap();
    assert!(matches!(noun, Noun::Reach { id, .. } if id == name));
    assert!(book.open(&name).is_none());
}

#[test]
fn a_reach_is_shown_with_its_intent_and_the_newest_holds() {
    let mut book = book(Limits::peer());
    let author = Author::new(1);
    let first = author.first("a desk");
    let name = id(&first);
    enter(&mut book, &author.reach(name, 3)).unwrap();
    assert!(book.open(&name).is_none());
    enter(&mut book, &first).unwrap();
    assert_eq!(book.open(&name).unwrap().reach.unwrap().revision.rev, 3);
    enter(&mut book, &author.reach(name, 4)).unwrap();
    assert_eq!(
        enter(&mut book, &author.reach(name, 2)),
        Err(Refusal::OlderRevision)
    );
    assert_eq!(book.open(&name).unwrap().reach.unwrap().revision.rev, 4);
    assert_eq!(book.len(), 2);
}

#[test]
fn kinds_that_are_not_known_are_kept_the_newest_of_each_and_four_for_a_key() {
    let mut book = book(Limits::peer());
    let author = Author::new(1);
    let old = author.unheard(9, b"old");
    assert_eq!(enter(&mut book, &old), Ok(Noun::Opaque));
    // Said in the same minute: the first one heard stays.
    assert_eq!(
        enter(&mut book, &author.unheard(9, b"other")),
        Err(Refusal::OlderRevision)
    );
    let new = Author {
        after: 60,
        ..author
    }
    .unheard(9, b"new");
    assert_eq!(enter(&mut book, &new), Ok(Noun::Opaque));
    assert_eq!(enter(&mut book, &old), Err(Refusal::OlderRevision));
    assert_eq!(book.len(), 1);
    let author = Author::new(1);
    for kind in [10, 11, 12] {
        assert!(enter(&mut book, &author.unheard(kind, b"")).is_ok());
    }
    assert_eq!(
        enter(&mut book, &author.unheard(13, b"")),
        Err(Refusal::BookFull)
    );
    assert_eq!(book.len(), 4);
}

#[test]
fn a_body_that_is_wrong_is_refused_and_nothing_of_it_is_kept() {
    let mut book = book(Limits::peer());
    let author = Author::new(1);
    let first = author.first("a desk");
    for (wrong, refusal) in [
        (
            author.say(Kind::Intent, Facets::default(), b""),
            Refusal::Truncated,
        ),
        (
            author.say(Kind::Intent, Facets::default(), &[0xa0]),
            Refusal::MissingField,
        ),
        (
            author.say(Kind::IntentClose, Facets::default(), &[0x80]),
            Refusal::NotCanonical,
        ),
        (
            author.say(Kind::Reach, Facets::default(), first.body()),
            Refusal::NotCanonical,
        ),
        // The header says another category than the body.
        (
            author.say(Kind::Intent, Facets::default(), first.body()),
            Refusal::BadField,
        ),
        // A first frame may not claim to be a revision, nor a revision to be none.
        (
            author.say(
                Kind::IntentUpdate,
                intent("a desk", None).facets(),
                first.body(),
            ),
            Refusal::BadField,
        ),
    ] {
        assert_eq!(enter(&mut book, &wrong), Err(refusal), "{wrong:?}");
    }
    assert!(book.is_empty());
    assert_eq!(book.bytes(), 0);
    assert!(enter(&mut book, &first).is_ok());
}

#[test]
fn what_is_over_leaves_and_open_intents_that_ended_are_told() {
    let mut book = book(Limits::peer());
    let (short, long, closed) = (
        Author {
            life: 600,
            ..Author::new(1)
        },
        Author::new(2),
        Author {
            life: 600,
            ..Author::new(3)
        },
    );
    let frames = [
        short.first("a desk"),
        long.first("a chair"),
        closed.first("a lamp"),
    ];
    for frame in &frames {
        enter(&mut book, frame).unwrap();
    }
    enter(&mut book, &closed.close(id(&frames[2]), 1)).unwrap();
    assert_eq!(book.next_expiry(), Some(NOON + 600));
    assert!(book.expire(NOON + 599).is_empty());
    assert_eq!(book.len(), 3);
    assert_eq!(book.expire(NOON + 600), vec![id(&frames[0])]);
    book.check();
    assert_eq!(book.len(), 1);
    assert_eq!(book.next_expiry(), Some(NOON + LIFE));
    assert_eq!(book.expire(NOON + LIFE), vec![id(&frames[1])]);
    assert!(book.is_empty());
    assert_eq!(book.next_expiry(), None);
}

#[test]
fn an_intent_that_ended_while_another_entered_is_told_at_the_next_call() {
    let mut book = book(Limits::peer());
    let short = Author {
        life: 600,
        ..Author::new(1)
    };
    let first = short.first("a desk");
    enter(&mut book, &first).unwrap();
    let later = Author {
        after: 900,
        ..Author::new(2)
    }
    .first("a chair");
    book.enter(later.bytes(), peer(1), NOON + 900).unwrap();
    assert!(book.open(&id(&first)).is_none());
    assert_eq!(book.next_expiry(), Some(NOON + 900));
    assert_eq!(book.expire(NOON + 900), vec![id(&first)]);
    assert_eq!(book.next_expiry(), Some(NOON + 900 + LIFE));
}

#[test]
fn an_intent_outlives_its_first_frame_by_being_renewed() {
    let mut book = book(Limits::peer());
    let author = Author::new(1);
    let first = author.first("a desk");
    let name = id(&first);
    enter(&mut book, &first).unwrap();
    let renewed = Author {
        after: 1_200,
        ..author
    }
    .update(name, 2, "a desk");
    book.enter(renewed.bytes(), peer(1), NOON + 1_200).unwrap();
    assert!(book.expire(NOON + LIFE).is_empty());
    assert!(book.open(&name).is_some());
    assert_eq!(book.expire(NOON + 1_200 + LIFE), vec![name]);
}
