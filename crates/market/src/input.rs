//! What can happen to a market: its user commands, a peer is heard, time passes.

use haggle_book::Source;
use haggle_protocol::attachment::Piece;
use haggle_protocol::reach::Circuit;
use haggle_protocol::{DealKey, Locked, MessageId, Money, Refusal, Settlement, ThreadId};

use crate::command::Command;

/// One thing that happened.
#[derive(Debug)]
pub enum Input {
    /// My user wants something done. The ticket comes back with the reply.
    Command(Ticket, Command),
    /// Something came from the network.
    Heard(Heard),
    /// A rail has answered a [`crate::Effect::Pay`].
    Paid {
        /// Which question.
        job: Job,
        /// What it did, or why it did not.
        answer: Result<Paid, Trouble>,
    },
    /// The time of [`crate::Market::next_deadline`] has come.
    Tick,
}

/// Names one open question between the shell and the market, chosen by the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Names one question to a rail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Job {
    /// In which exchange.
    pub thread: ThreadId,
    /// Drawn for this question.
    pub number: u64,
}

/// What a rail has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Paid {
    /// The key.
    Key(DealKey),
    /// It is locked, and this is how it is told of.
    Locked(Locked),
    /// The lock, or that there is none, and none any more by what was asked before.
    Found(Option<Locked>),
    /// It is as it should be.
    Done,
    /// It is signed.
    Settlement(Settlement),
    /// It was carried out. After a renewal: how the new lock is told of.
    Executed(Option<Locked>),
    /// So much came in.
    Money(Money),
    /// It is locked no more.
    Moved,
}

/// Why a rail has not done what it was asked; the codes are the rail's own, for people to be told in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is not known whether it was done, or it is too early for it: ask again.
    Later(String),
    /// The money has gone another way already.
    Spent,
    /// It was not done, and will not be before somebody here has changed something: money is missing, or a custodian is not trusted yet.
    Blocked(String),
    /// It was not done and never will be.
    Never(String),
}

impl Trouble {
    /// What a person is told of it.
    pub(crate) fn into_code(self) -> String {
        match self {
            Self::Later(code) | Self::Blocked(code) | Self::Never(code) => code,
            Self::Spent => "spent".to_owned(),
        }
    }
}

/// What came from the network.
pub enum Heard {
    /// A public frame, by gossip or from a book. Answered by exactly one [`crate::Effect::Verdict`].
    Frame {
        /// The bytes as they came.
        bytes: Vec<u8>,
        /// By way of whom.
        source: Source,
    },
    /// A sealed cell from some peer. Answered by exactly one [`crate::Effect::Answer`] with this ticket.
    Cell {
        /// The bytes as they came, of any length.
        bytes: Vec<u8>,
        /// To be answered under.
        ticket: Ticket,
    },
    /// The answer to a [`crate::Effect::Whisper`]: an acknowledgement in a sealed cell, or a refusal.
    Answered {
        /// Which whisper.
        message: MessageId,
        /// The acknowledging cell as it came, or why it was refused there.
        answer: Result<Vec<u8>, Refusal>,
    },
    /// A [`crate::Effect::Whisper`] found no way to its recipient.
    Undelivered {
        /// Which whisper.
        message: MessageId,
    },
    /// The answer to a [`crate::Effect::Fetch`]: the piece as it came, kept by the shell under [`crate::record::piece`] if
    /// [`crate::Market::wants`] it, or why it is not given.
    Piece {
        /// Which one.
        piece: Piece,
        /// Its bytes, still encrypted, or why it was refused there.
        answer: Result<Vec<u8>, Refusal>,
    },
    /// A piece came that could not be kept, because the store is full.
    NoRoom {
        /// Which one.
        piece: Piece,
    },
    /// A [`crate::Effect::Fetch`] found no way to the one who has it.
    NoPiece {
        /// Which one.
        piece: Piece,
    },
    /// Where this peer can be reached has changed: these relays hold a place for it now (maybe none), best first.
    Reachable(Vec<Circuit>),
}

impl core::fmt::Debug for Heard {
    /// Sizes and names; the bytes are a stranger's.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Frame { bytes, .. } => write!(f, "Frame({} bytes)", bytes.len()),
            Self::Cell { bytes, ticket } => write!(f, "Cell({} bytes, {ticket:?})", bytes.len()),
            Self::Answered { message, answer } => {
                let refused = answer.as_ref().err();
                write!(f, "Answered({}, refused: {refused:?})", message.short())
            }
            Self::Undelivered { message } => write!(f, "Undelivered({})", message.short()),
            Self::Piece { piece, answer } => {
                let refused = answer.as_ref().err();
                write!(f, "Piece({piece:?}, refused: {refused:?})")
            }
            Self::NoRoom { piece } => write!(f, "NoRoom({piece:?})"),
            Self::NoPiece { piece } => write!(f, "NoPiece({piece:?})"),
            Self::Reachable(ways) => write!(f, "Reachable({} ways)", ways.len()),
        }
    }
}
