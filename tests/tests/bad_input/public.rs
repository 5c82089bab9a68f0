//! What can be wrong with what is said out loud. Every row goes to a running peer and to a running relay.

use haggle_book::Limits;
use haggle_protocol::cbor::Writer;
use haggle_protocol::intent::Revision;
use haggle_protocol::limits::{FRAME_MAX, FRAME_OVERHEAD};
use haggle_protocol::reach::Circuit;
use haggle_protocol::{Intent, IntentId, PublicKey, Refusal, SealPublic};
use haggle_tests::forge::{Forge, Public};
use haggle_tests::{Outcome, Trouble};

/// One row of the table.
pub(crate) struct Case {
    /// What is sent.
    pub(crate) what: &'static str,
    /// What it is refused as.
    pub(crate) code: Refusal,
    /// Makes it.
    pub(crate) make: fn(&mut Forge) -> Outcome<Attempt>,
}

/// Frames to be sent, in order.
pub(crate) struct Attempt {
    /// Each is taken: what must be said before, and the valid twin last.
    pub(crate) good: Vec<Vec<u8>>,
    /// All of it is refused, at least once.
    pub(crate) bad: Vec<Vec<u8>>,
}

/// The row that needs a relay whose book is more than half full.
pub(crate) const CROWDED: (&str, Refusal) = (
    "a frame with the least work when the book is more than half full",
    Refusal::TooLittleWork,
);

/// The room of a book that is soon crowded: the least that a relay takes.
pub(crate) const SMALL_BOOK: u64 = 1 << 16;

/// The length of frames of which one source may still bring one when the small book is crowded.
const FILLING: usize = 800;

/// So many frames that the small book is just crowded.
pub(crate) fn half_a_book(forge: &mut Forge) -> Vec<Vec<u8>> {
    let half = (SMALL_BOOK as usize) / 100 * Limits::relay().crowded;
    let frames = half / Limits::cost(FILLING) + 1;
    (0..frames)
        .map(|_| filling(forge, 16, false).bytes())
        .collect()
}

/// A frame with this work.
pub(crate) fn filling(forge: &mut Forge, bits: u32, exactly: bool) -> Public {
    let key = forge.key();
    let body = vec![7; FILLING - FRAME_OVERHEAD];
    Public {
        bits,
        exactly,
        ..forge.public(&key, OPAQUE, body)
    }
}

/// A kind of frame that nobody here can read: checked, kept and passed on.
const OPAQUE: u8 = 200;

/// Frames that one neighbour says in one breath: far more than a relay takes. For who takes more, more are made.
const FLOOD: usize = 120;

/// Every row.
pub(crate) const CASES: &[Case] = &[
    Case {
        what: "a frame one byte longer than a frame may be",
        code: Refusal::TooLarge,
        make: |forge| {
            let key = forge.key();
            let filled = |len: usize| forge.public(&key, OPAQUE, vec![7; len - FRAME_OVERHEAD]);
            Ok(attempt(&filled(FRAME_MAX), &filled(FRAME_MAX + 1)))
        },
    },
    Case {
        what: "an intent without its last byte",
        code: Refusal::Truncated,
        make: |forge| {
            bytes(forge, |bytes| {
                bytes.pop();
            })
        },
    },
    Case {
        what: "an intent with a byte behind its end",
        code: Refusal::Truncated,
        make: |forge| bytes(forge, |bytes| bytes.push(0)),
    },
    Case {
        what: "a number written longer than it need be",
        code: Refusal::NotCanonical,
        // Category 0, between its key and the key of the wishes.
        make: |forge| body(forge, |body| splice(body, &[4, 0, 6], &[4, 0x18, 0, 6])),
    },
    Case {
        what: "two fields in the wrong order",
        code: Refusal::NotCanonical,
        // Category and wishes.
        make: |forge| {
            body(forge, |body| {
                splice(body, &[4, 0, 6, 0x80], &[6, 0x80, 4, 0])
            })
        },
    },
    Case {
        what: "a frame that ends before it begins",
        code: Refusal::BadField,
        make: |forge| field(forge, |frame| frame.expires = frame.created),
    },
    Case {
        what: "a time that is no full minute and so shows the clock of a device",
        code: Refusal::BadField,
        make: |forge| field(forge, |frame| frame.created += 1),
    },
    Case {
        what: "a header that says another category than the body",
        code: Refusal::BadField,
        make: |forge| field(forge, |frame| frame.facets[3] = 9),
    },
    Case {
        what: "a title that turns the direction of writing",
        code: Refusal::BadText,
        make: |forge| intent(forge, |intent| intent.title = "lamp \u{202e}pmal".into()),
    },
    Case {
        what: "a title of 121 bytes",
        code: Refusal::BadField,
        make: |forge| intent(forge, |intent| intent.title = "a".repeat(121)),
    },
    Case {
        what: "an intent without a title",
        code: Refusal::MissingField,
        make: |forge| {
            body(forge, |body| {
                // One field less, without the first: its key, its head, its text.
                let text = usize::from(body[2] & 0x1f);
                body[0] -= 1;
                body.drain(1..3 + text);
                Ok(())
            })
        },
    },
    Case {
        what: "a field of a later version that says it must be understood",
        code: Refusal::UnknownField,
        make: |forge| {
            let with = |forge: &mut Forge, field: u8| {
                let (_, _, mut frame) = forge.fresh()?;
                frame.body[0] += 1;
                frame.body.extend_from_slice(&[0x18, field, 0]);
                Ok::<_, Trouble>(frame)
            };
            // The twin's odd field may be skipped.
            let (good, bad) = (with(forge, 101)?, with(forge, 100)?);
            Ok(attempt(&good, &bad))
        },
    },
    Case {
        what: "a frame of a later version",
        code: Refusal::UnknownVersion,
        make: |forge| field(forge, |frame| frame.version = 2),
    },
    Case {
        what: "a frame of another market",
        code: Refusal::OtherNetwork,
        make: |forge| field(forge, |frame| frame.network.0[0] ^= 1),
    },
    Case {
        what: "a frame whose time is over",
        code: Refusal::Expired,
        make: |forge| {
            field(forge, |frame| {
                frame.created -= 3_600;
                frame.expires -= 3_600;
            })
        },
    },
    Case {
        what: "a frame from ten minutes ahead",
        code: Refusal::FromTheFuture,
        make: |forge| {
            let (_, _, good) = forge.fresh()?;
            let (_, _, bad) = forge.fresh()?;
            let later = |frame: Public, by: u64| Public {
                created: frame.created + by,
                expires: frame.expires + by,
                ..frame
            };
            // A minute is within what clocks differ.
            Ok(attempt(&later(good, 60), &later(bad, 600)))
        },
    },
    Case {
        what: "a frame that lives a day and a minute",
        code: Refusal::LivesTooLong,
        make: |forge| {
            let (_, _, good) = forge.fresh()?;
            let (_, _, bad) = forge.fresh()?;
            let long = |frame: Public, life: u64| Public {
                expires: frame.created + life,
                ..frame
            };
            Ok(attempt(&long(good, 86_400), &long(bad, 86_460)))
        },
    },
    Case {
        what: "a frame with 15 bits of work instead of 16",
        code: Refusal::NoWork,
        make: |forge| {
            field(forge, |frame| {
                frame.bits = 15;
                frame.exactly = true;
            })
        },
    },
    Case {
        what: "a key of small order, under which any signature fits a lax check",
        code: Refusal::BadKey,
        make: |forge| {
            field(forge, |frame| {
                frame.shown = PublicKey([0; 32]);
                frame.shown.0[0] = 1;
            })
        },
    },
    Case {
        what: "an intent whose quotes would be sealed to a key that anybody can open",
        code: Refusal::BadKey,
        make: |forge| {
            let key = forge.key();
            let good = forge.fresh()?.2;
            let bad = forge.intent(SealPublic([0; 32]))?;
            Ok(attempt(&good, &forge.frame(&key, &bad)))
        },
    },
    Case {
        what: "an intent signed by another key than its own",
        code: Refusal::BadSignature,
        make: |forge| {
            let forger = forge.key();
            field(forge, |frame| frame.key = forger)
        },
    },
    Case {
        what: "a Reach record that names a peer who did not agree to it",
        code: Refusal::BadReach,
        make: |forge| {
            let (key, _, frame) = forge.fresh()?;
            let (victim, other) = (forge.key(), forge.key());
            let circuit = Circuit {
                relay: forge.key().public(),
                address: String::new(),
                peer: victim.public(),
            };
            let first = frame.id().into();
            let agreed = forge.reach(&key, Revision { first, rev: 1 }, circuit.clone(), &victim);
            let forged = forge.reach(&key, Revision { first, rev: 2 }, circuit, &other);
            Ok(Attempt {
                good: vec![frame.bytes(), agreed.bytes()],
                bad: vec![forged.bytes()],
            })
        },
    },
    Case {
        what: "the same intent again, with other work",
        code: Refusal::Duplicate,
        make: |forge| {
            let (_, _, frame) = forge.fresh()?;
            let again = Public {
                start: 1 << 40,
                ..frame.clone()
            };
            Ok(attempt(&frame, &again))
        },
    },
    Case {
        what: "a revision that was overtaken",
        code: Refusal::OlderRevision,
        make: |forge| {
            let (key, intent, frame) = forge.fresh()?;
            let first = frame.id().into();
            let revised = |rev| revised(forge, &key, &intent, first, rev);
            Ok(Attempt {
                good: vec![frame.bytes(), revised(10)],
                bad: vec![revised(9)],
            })
        },
    },
    Case {
        what: "a revision of an intent that another key published",
        code: Refusal::WrongIntent,
        make: |forge| {
            let (_, _, theirs) = forge.fresh()?;
            let (key, intent, frame) = forge.fresh()?;
            let revised = |first: IntentId| revised(forge, &key, &intent, first, 5);
            let good = vec![theirs.bytes(), frame.bytes(), revised(frame.id().into())];
            let bad = vec![revised(theirs.id().into())];
            Ok(Attempt { good, bad })
        },
    },
    Case {
        what: "a revision of an intent that its owner has closed",
        code: Refusal::Closed,
        make: |forge| {
            let (key, intent, frame) = forge.fresh()?;
            let first = frame.id().into();
            let close = forge.close(&key, Revision { first, rev: 5 });
            Ok(Attempt {
                good: vec![frame.bytes(), close.bytes()],
                bad: vec![revised(forge, &key, &intent, first, 6)],
            })
        },
    },
    Case {
        what: "a seventh frame under one key within seconds",
        code: Refusal::AuthorRate,
        make: |forge| {
            let (key, intent, frame) = forge.fresh()?;
            let first = frame.id().into();
            let mut good = vec![frame.bytes()];
            good.extend((1..6).map(|rev| revised(forge, &key, &intent, first, rev)));
            Ok(Attempt {
                good,
                bad: (6..9)
                    .map(|rev| revised(forge, &key, &intent, first, rev))
                    .collect(),
            })
        },
    },
    Case {
        what: "more frames from one neighbour in one breath than it may pass on",
        code: Refusal::SourceRate,
        make: |forge| {
            let good = vec![forge.fresh()?.2.bytes()];
            let mut bad = Vec::new();
            for _ in 0..FLOOD {
                bad.push(forge.fresh()?.2.bytes());
            }
            Ok(Attempt { good, bad })
        },
    },
];

fn attempt(good: &Public, bad: &Public) -> Attempt {
    Attempt {
        good: vec![good.bytes()],
        bad: vec![bad.bytes()],
    }
}

/// Two fresh intents, one of them with another field.
fn field(forge: &mut Forge, change: impl FnOnce(&mut Public)) -> Outcome<Attempt> {
    let (_, _, good) = forge.fresh()?;
    let (_, _, mut bad) = forge.fresh()?;
    change(&mut bad);
    Ok(attempt(&good, &bad))
}

/// Two fresh intents, one of them with other bytes.
fn bytes(forge: &mut Forge, change: impl FnOnce(&mut Vec<u8>)) -> Outcome<Attempt> {
    let good = forge.fresh()?.2.bytes();
    let mut bad = forge.fresh()?.2.bytes();
    change(&mut bad);
    Ok(Attempt {
        good: vec![good],
        bad: vec![bad],
    })
}

/// Two fresh intents, one of them saying something else.
fn intent(forge: &mut Forge, change: impl FnOnce(&mut Intent)) -> Outcome<Attempt> {
    let (_, _, good) = forge.fresh()?;
    let (key, mut said, _) = forge.fresh()?;
    change(&mut said);
    Ok(attempt(&good, &forge.frame(&key, &said)))
}

/// Two fresh intents, the body of one of them bent before it is signed.
fn body(forge: &mut Forge, change: impl FnOnce(&mut Vec<u8>) -> Outcome) -> Outcome<Attempt> {
    let (_, _, good) = forge.fresh()?;
    let (_, _, mut bad) = forge.fresh()?;
    change(&mut bad.body)?;
    Ok(attempt(&good, &bad))
}

fn revised(
    forge: &Forge,
    key: &haggle_protocol::keys::SigningKey,
    intent: &Intent,
    first: IntentId,
    rev: u64,
) -> Vec<u8> {
    let mut intent = intent.clone();
    intent.revision = Some(Revision { first, rev });
    forge.frame(key, &intent).bytes()
}

/// Puts other bytes in the place of the first such ones.
pub(crate) fn splice(bytes: &mut Vec<u8>, old: &[u8], new: &[u8]) -> Outcome {
    let at = bytes.windows(old.len()).position(|window| window == old);
    let at = at.ok_or_else(|| Trouble::new(format!("{old:?} is not there")))?;
    bytes.splice(at..at + old.len(), new.iter().copied());
    Ok(())
}

#[test]
fn a_splice_replaces_what_is_there_and_says_when_it_is_not() {
    let mut bytes = vec![1, 2, 3];
    splice(&mut bytes, &[2], &[8, 9]).unwrap();
    assert_eq!(bytes, [1, 8, 9, 3]);
    assert!(splice(&mut bytes, &[7], &[]).is_err());
    let mut writer = Writer::new();
    writer.uint(0);
    assert_eq!(writer.into_bytes(), [0]);
}
