//! What can be wrong with what is said in private: to a buyer by those who quote, to a seller by those who order.

use haggle_protocol::attachment::{Attachment, FileKey, Piece};
use haggle_protocol::keys::SigningKey;
use haggle_protocol::private::{Body, Message, intent_proof};
use haggle_protocol::quote::{Charge, ChargeKind};
use haggle_protocol::reach::{Circuit, Entry};
use haggle_protocol::seal::Direction;
use haggle_protocol::trade::{Chat, Order, OrderConfirm};
use haggle_protocol::{
    Asset, FileId, FrameId, IntentId, MessageId, Money, PublicKey, Quote, Refusal, SealPublic,
    ThreadId,
};
use haggle_tests::Outcome;
use haggle_tests::forge::{Forge, Pen};

use crate::public::splice;

/// The intent of the peer under test.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Its name.
    pub(crate) id: IntentId,
    /// Its frame.
    pub(crate) frame: FrameId,
    /// Its key.
    pub(crate) key: PublicKey,
    /// What quotes are sealed to.
    pub(crate) seal: SealPublic,
}

/// One row of the table, to a buyer.
pub(crate) struct ToBuyer {
    /// What is sent.
    pub(crate) what: &'static str,
    /// What it is refused as.
    pub(crate) code: Refusal,
    /// Makes it.
    pub(crate) make: fn(&mut Forge, &Wanted) -> Outcome<Attempt>,
}

/// Cells to be sent, in order.
pub(crate) struct Attempt {
    /// Each is acknowledged: which message, in which cell, to be read by whom.
    pub(crate) good: Vec<(MessageId, Vec<u8>)>,
    /// Who reads the acknowledgements.
    pub(crate) pen: Pen,
    /// All of it is refused, at least once.
    pub(crate) bad: Vec<Vec<u8>>,
}

/// Messages that one seller says in one breath: more than any may.
const FLOOD: u32 = 60;

/// Every row to a buyer.
pub(crate) const TO_BUYER: &[ToBuyer] = &[
    ToBuyer {
        what: "a cell that says it is of the other size",
        code: Refusal::CellSize,
        make: |forge, wanted| cell(forge, wanted, |cell| cell[2] = 1),
    },
    ToBuyer {
        what: "a cell of a later version",
        code: Refusal::UnknownVersion,
        make: |forge, wanted| cell(forge, wanted, |cell| cell[0] = 2),
    },
    ToBuyer {
        what: "a cell for a key that is not this peer's",
        code: Refusal::UnknownRecipient,
        make: |forge, wanted| cell(forge, wanted, |cell| cell[3] ^= 1),
    },
    ToBuyer {
        what: "a cell with one flipped bit",
        code: Refusal::SealBroken,
        make: |forge, wanted| cell(forge, wanted, |cell| cell[1_000] ^= 1),
    },
    ToBuyer {
        what: "a cell with something where only padding may be",
        code: Refusal::BadPadding,
        make: |forge, wanted| {
            let (pen, message, good) = first(forge, wanted)?;
            let (_, content) = forge.content(&pen, &message)?;
            let bad = vec![forge.cell_with_padding(&pen, &content, 1)?];
            Ok(Attempt { good, pen, bad })
        },
    },
    ToBuyer {
        what: "a message shorter than its signature",
        code: Refusal::Truncated,
        make: |forge, wanted| content(forge, wanted, |_, _, content| Ok(content[..40].to_vec())),
    },
    ToBuyer {
        what: "a private number written longer than it need be",
        code: Refusal::NotCanonical,
        make: |forge, wanted| {
            content(forge, wanted, |forge, pen, content| {
                // The sequence number, between its key and the sender's.
                forge.bent(pen, content, |inner| {
                    splice(inner, &[12, 1, 16], &[12, 0x18, 1, 16])
                })
            })
        },
    },
    ToBuyer {
        what: "a private field of a later version that says it must be understood",
        code: Refusal::UnknownField,
        make: |forge, wanted| {
            content(forge, wanted, |forge, pen, content| {
                forge.bent(pen, content, |inner| {
                    inner[0] += 1;
                    inner.extend_from_slice(&[0x18, 100, 0]);
                    Ok(())
                })
            })
        },
    },
    ToBuyer {
        what: "a message of a type that is not known",
        code: Refusal::UnknownMessage,
        make: |forge, wanted| {
            content(forge, wanted, |forge, pen, content| {
                forge.bent(pen, content, |inner| {
                    inner[2] = 23;
                    Ok(())
                })
            })
        },
    },
    ToBuyer {
        what: "a message that was written for the other side, played back",
        code: Refusal::WrongDirection,
        make: |forge, wanted| message(forge, wanted, |m| m.direction = Direction::ToSeller),
    },
    ToBuyer {
        what: "a message about another intent, sealed to this one",
        code: Refusal::WrongIntent,
        make: |forge, wanted| message(forge, wanted, |m| m.intent = IntentId([9; 32])),
    },
    ToBuyer {
        what: "a message in a thread that its keys do not make",
        code: Refusal::WrongThread,
        make: |forge, wanted| message(forge, wanted, |m| m.thread = ThreadId([9; 32])),
    },
    ToBuyer {
        what: "a quote that was signed for another buyer, sealed anew",
        code: Refusal::WrongRecipient,
        make: |forge, wanted| {
            let other = forge.seal().public()?;
            let (pen, message, good) = first(forge, wanted)?;
            let elsewhere = Pen {
                to: other,
                ..pen.clone()
            };
            let (_, content) = forge.content(&elsewhere, &message)?;
            let bad = vec![forge.cell(&pen, &content)?];
            Ok(Attempt { good, pen, bad })
        },
    },
    ToBuyer {
        what: "a message with a signature that does not fit",
        code: Refusal::BadSignature,
        make: |forge, wanted| {
            content(forge, wanted, |_, _, content| {
                let mut content = content.to_vec();
                let last = content.len() - 1;
                content[last] ^= 1;
                Ok(content)
            })
        },
    },
    ToBuyer {
        what: "a message whose time is over",
        code: Refusal::Expired,
        make: |forge, wanted| {
            let past = forge.now - 100;
            message(forge, wanted, |m| {
                m.created = past - 600;
                m.expires = past;
            })
        },
    },
    ToBuyer {
        what: "a message from ten minutes ahead",
        code: Refusal::FromTheFuture,
        make: |forge, wanted| {
            let ahead = forge.now + 600;
            message(forge, wanted, |m| {
                m.created = ahead;
                m.expires = ahead + 600;
            })
        },
    },
    ToBuyer {
        what: "a message that lives longer than a week",
        code: Refusal::LivesTooLong,
        make: |forge, wanted| {
            let end = forge.now.to_wire().saturating_add(600);
            content(forge, wanted, |forge, pen, content| {
                let field = |time: u32| [&[0x18, 24, 0x1a][..], &time.to_be_bytes()].concat();
                forge.bent(pen, content, |inner| {
                    splice(inner, &field(end), &field(end + 8 * 86_400))
                })
            })
        },
    },
    ToBuyer {
        what: "a firm quote by nobody",
        code: Refusal::NoTrader,
        make: |forge, wanted| quote(forge, wanted, |quote| quote.firm = true),
    },
    ToBuyer {
        what: "a trader's proof from another thread",
        code: Refusal::BadTraderProof,
        make: |forge, wanted| {
            let (_, mut elsewhere, _) = first(forge, wanted)?;
            forge.show_trader(&mut elsewhere);
            let proof = elsewhere.trader;
            message(forge, wanted, |m| m.trader = proof)
        },
    },
    ToBuyer {
        what: "a way to a peer who did not agree to it",
        code: Refusal::BadReach,
        make: |forge, wanted| {
            let (victim, other, expires) = (forge.key(), forge.key(), forge.now + 600);
            let circuit = Circuit {
                relay: victim.public(),
                address: String::new(),
                peer: victim.public(),
            };
            let network = forge.network;
            message(forge, wanted, |m| {
                m.reach = vec![Entry::agree(circuit, &other, network, &m.from, expires)];
            })
        },
    },
    ToBuyer {
        what: "a quote that does not add up",
        code: Refusal::WrongSum,
        make: |forge, wanted| quote(forge, wanted, |quote| quote.total.minor -= 1),
    },
    ToBuyer {
        what: "a quote with a charge whose label turns the direction of writing",
        code: Refusal::BadText,
        make: |forge, wanted| {
            quote(forge, wanted, |quote| {
                quote.charges.push(Charge {
                    kind: ChargeKind::Delivery,
                    label: "by \u{202e}tsop".into(),
                    amount: 0,
                });
            })
        },
    },
    ToBuyer {
        what: "a quote in another currency than was asked for",
        code: Refusal::WrongUnit,
        make: |forge, wanted| {
            let dollars = Asset::new("USD")?;
            quote(forge, wanted, |quote| quote.total.asset = dollars)
        },
    },
    ToBuyer {
        what: "an answer to a revision that was never published",
        code: Refusal::UnknownRevision,
        make: |forge, wanted| quote(forge, wanted, |quote| quote.answers = FrameId([9; 32])),
    },
    ToBuyer {
        what: "another quote under a number that was used",
        code: Refusal::Replayed,
        make: |forge, wanted| {
            let (pen, first, good) = first(forge, wanted)?;
            let dearer = forge.quote(wanted.frame, "EUR", 9_999)?;
            let again = Message {
                body: Body::Quote(Quote {
                    number: 2,
                    ..dearer
                }),
                ..first
            };
            let bad = vec![forge.sealed(&pen, &again)?.1];
            Ok(Attempt { good, pen, bad })
        },
    },
    ToBuyer {
        what: "the confirmation of an order that was never given",
        code: Refusal::WrongState,
        make: |forge, wanted| {
            let (pen, first, good) = first(forge, wanted)?;
            let body = Body::OrderConfirm(OrderConfirm {
                order: MessageId([9; 32]),
                payment: None,
                note: None,
                key: None,
            });
            let mut confirm = Message {
                seq: 2,
                body,
                ..first
            };
            forge.show_trader(&mut confirm);
            let bad = vec![forge.sealed(&pen, &confirm)?.1];
            Ok(Attempt { good, pen, bad })
        },
    },
    ToBuyer {
        what: "a file whose name is a path",
        code: Refusal::BadText,
        make: |forge, wanted| {
            attached(forge, wanted, |file| {
                file.name = "../../start.sh".to_owned()
            })
        },
    },
    ToBuyer {
        what: "a file of nine mebibytes",
        code: Refusal::TooLarge,
        make: |forge, wanted| attached(forge, wanted, |file| file.bytes = 9 << 20),
    },
    ToBuyer {
        what: "the name of a file's piece that is not kept here",
        code: Refusal::NoSuchFile,
        make: |forge, wanted| {
            let piece = Piece {
                file: FileId([9; 32]),
                index: 0,
            };
            let (pen, _, good) = first(forge, wanted)?;
            let bad = vec![piece.to_bytes().to_vec()];
            Ok(Attempt { good, pen, bad })
        },
    },
    ToBuyer {
        what: "sixty messages of one seller in one breath",
        code: Refusal::WhisperRate,
        make: |forge, wanted| {
            let (pen, first, good) = first(forge, wanted)?;
            let mut bad = Vec::new();
            for seq in 2..FLOOD {
                let moved = Message {
                    seq,
                    body: Body::Moved,
                    ..first.clone()
                };
                bad.push(forge.sealed(&pen, &moved)?.1);
            }
            Ok(Attempt { good, pen, bad })
        },
    },
];

/// A word of a seller with a file that is not as it may be, behind his valid quote.
fn attached(
    forge: &mut Forge,
    wanted: &Wanted,
    spoil: impl FnOnce(&mut Attachment),
) -> Outcome<Attempt> {
    let (pen, first, good) = first(forge, wanted)?;
    let mut file = Attachment {
        name: "lamp.jpg".to_owned(),
        media_type: "image/jpeg".to_owned(),
        bytes: 1_000,
        hash: [1; 32],
        key: FileKey::from_bytes([2; 32]),
    };
    spoil(&mut file);
    let message = Message {
        seq: 1,
        body: Body::Chat(Chat {
            text: "As it is.".to_owned(),
            files: vec![file],
        }),
        ..first
    };
    let bad = vec![forge.sealed(&pen, &message)?.1];
    Ok(Attempt { good, pen, bad })
}

/// A seller's pen and his valid first quote.
#[allow(clippy::type_complexity, reason = "named where it is taken apart")]
fn first(forge: &mut Forge, wanted: &Wanted) -> Outcome<(Pen, Message, Vec<(MessageId, Vec<u8>)>)> {
    let pen = forge.seller(wanted.id, &wanted.key, wanted.seal);
    let quote = forge.quote(wanted.frame, "EUR", 1_234)?;
    let message = forge.message(&pen, Body::Quote(quote))?;
    let good = vec![forge.sealed(&pen, &message)?];
    Ok((pen, message, good))
}

/// Two valid first quotes of two sellers: one to be sent, one to be changed.
fn twins(forge: &mut Forge, wanted: &Wanted) -> Outcome<(Attempt, Pen, Message)> {
    let (pen, _, good) = first(forge, wanted)?;
    let (other, message, _) = first(forge, wanted)?;
    let bad = Vec::new();
    Ok((Attempt { good, pen, bad }, other, message))
}

fn cell(forge: &mut Forge, wanted: &Wanted, change: impl FnOnce(&mut Vec<u8>)) -> Outcome<Attempt> {
    let (mut attempt, pen, message) = twins(forge, wanted)?;
    let (_, mut cell) = forge.sealed(&pen, &message)?;
    change(&mut cell);
    attempt.bad.push(cell);
    Ok(attempt)
}

fn content(
    forge: &mut Forge,
    wanted: &Wanted,
    change: impl FnOnce(&Forge, &Pen, &[u8]) -> Outcome<Vec<u8>>,
) -> Outcome<Attempt> {
    let (mut attempt, pen, message) = twins(forge, wanted)?;
    let (_, content) = forge.content(&pen, &message)?;
    let changed = change(forge, &pen, &content)?;
    attempt.bad.push(forge.cell(&pen, &changed)?);
    Ok(attempt)
}

fn message(
    forge: &mut Forge,
    wanted: &Wanted,
    change: impl FnOnce(&mut Message),
) -> Outcome<Attempt> {
    let (mut attempt, pen, mut message) = twins(forge, wanted)?;
    change(&mut message);
    attempt.bad.push(forge.sealed(&pen, &message)?.1);
    Ok(attempt)
}

fn quote(forge: &mut Forge, wanted: &Wanted, change: impl FnOnce(&mut Quote)) -> Outcome<Attempt> {
    let mut changed = forge.quote(wanted.frame, "EUR", 1_234)?;
    change(&mut changed);
    message(forge, wanted, |message| message.body = Body::Quote(changed))
}

/// What a buyer knows who got a quote: his side of the thread.
#[derive(Clone, Debug)]
pub(crate) struct Bought {
    /// The key of his intent.
    pub(crate) intent_key: SigningKey,
    /// His pen in the thread.
    pub(crate) pen: Pen,
    /// The message that held the quote.
    pub(crate) message: MessageId,
    /// What it said.
    pub(crate) quote: Quote,
}

/// One row of the table, to a seller.
pub(crate) struct ToSeller {
    /// What is sent.
    pub(crate) what: &'static str,
    /// What it is refused as.
    pub(crate) code: Refusal,
    /// Makes it.
    pub(crate) make: fn(&mut Forge, &Bought) -> Outcome<Vec<u8>>,
}

/// Every row to a seller. The valid order is sent behind each of them.
pub(crate) const TO_SELLER: &[ToSeller] = &[
    ToSeller {
        what: "an order by somebody who does not own the intent",
        code: Refusal::NoIntentProof,
        make: |forge, bought| {
            let mut order = order(forge, bought)?;
            let stranger = forge.key();
            order.intent_proof = Some(intent_proof(
                &stranger,
                forge.network,
                &order.thread,
                &order.from,
            ));
            Ok(forge.sealed(&bought.pen, &order)?.1)
        },
    },
    ToSeller {
        what: "an order at another price than the quote's",
        code: Refusal::WrongSum,
        make: |forge, bought| {
            changed(forge, bought, |order| {
                order.total = Money::new(order.total.minor - 1, order.total.asset);
            })
        },
    },
    ToSeller {
        what: "a quote to somebody who sells",
        code: Refusal::WrongState,
        make: |forge, bought| {
            let message = said(forge, bought, Body::Quote(bought.quote.clone()))?;
            Ok(forge.sealed(&bought.pen, &message)?.1)
        },
    },
    ToSeller {
        what: "an order in another currency than the quote's",
        code: Refusal::WrongUnit,
        make: |forge, bought| {
            let dollars = Asset::new("USD")?;
            changed(forge, bought, |order| order.total.asset = dollars)
        },
    },
];

/// The row that needs a message of the right buyer before it.
pub(crate) const WRONG_SENDER: (&str, Refusal) = (
    "a message under another key in a thread that has one",
    Refusal::WrongSender,
);

/// A valid order.
pub(crate) fn order(forge: &mut Forge, bought: &Bought) -> Outcome<Message> {
    let body = Body::Order(Order {
        quote: bought.message,
        total: bought.quote.total,
        quantity: bought.quote.lines[0].quantity,
        delivery: bought.quote.delivery,
        confirm_by: forge.now + 300,
        note: None,
        handover: None,
        reach_secret: None,
        escrow: None,
    });
    said(forge, bought, body)
}

/// A message of the buyer, with the proof that he is the one.
pub(crate) fn said(forge: &mut Forge, bought: &Bought, body: Body) -> Outcome<Message> {
    let mut message = forge.message(&bought.pen, body)?;
    message.intent_proof = Some(intent_proof(
        &bought.intent_key,
        forge.network,
        &message.thread,
        &message.from,
    ));
    forge.show_trader(&mut message);
    Ok(message)
}

fn changed(
    forge: &mut Forge,
    bought: &Bought,
    change: impl FnOnce(&mut Order),
) -> Outcome<Vec<u8>> {
    let mut message = order(forge, bought)?;
    if let Body::Order(order) = &mut message.body {
        change(order);
    }
    Ok(forge.sealed(&bought.pen, &message)?.1)
}
