//! What a market wants done. The shell performs effects in order and awaits each `Save` before it goes on; when a
//! save fails, it stops and says so, since the market has already moved.

use haggle_protocol::attachment::Piece;
use haggle_protocol::reach::Circuit;
use haggle_protocol::settlement::Deal;
use haggle_protocol::{Contract, Locked, MessageId, Outcome, Party, Refusal, Settlement};

use crate::command::{Complaint, Reply};
use crate::event::Event;
use crate::input::{Job, Ticket};

/// Everything to be done after one input, in order.
pub type Effects = Vec<Effect>;

/// One thing to be done.
pub enum Effect {
    /// Write these records in one atomic, durable step.
    Save(Vec<Record>),
    /// What to think of the frame that was just heard: pass it on, or why not. Refusals are counted by their code.
    Verdict(Result<(), Refusal>),
    /// Say this frame to everybody.
    Broadcast(Vec<u8>),
    /// Bring this cell to a peer by one of these ways, best first, and report [`crate::Heard::Answered`] or
    /// [`crate::Heard::Undelivered`] for `message`.
    Whisper {
        /// Names the message in the report.
        message: MessageId,
        /// Where its recipient can be reached.
        to: Vec<Circuit>,
        /// The sealed bytes; a resend is byte-identical.
        cell: Vec<u8>,
    },
    /// Ask a peer for a piece of a file by one of these ways, best first, and report [`crate::Heard::Piece`] or
    /// [`crate::Heard::NoPiece`].
    Fetch {
        /// Which one.
        piece: Piece,
        /// Where the one who has it can be reached.
        to: Vec<Circuit>,
    },
    /// Answer the cell that was heard under this ticket. Stands behind the `Save` of what it acknowledges.
    Answer(Ticket, Answer),
    /// Ask the rail of this name, and report [`crate::Input::Paid`] with this job. What a rail has done it does not do twice, so the same may be
    /// asked again after a start.
    Pay {
        /// Names the question in the report.
        job: Job,
        /// Which rail.
        rail: String,
        /// What.
        ask: Box<Ask>,
    },
    /// Answer a command.
    Reply(Ticket, Result<Reply, Complaint>),
    /// Tell the faces.
    Tell(Event),
}

/// What a rail is asked: see the `Rail` trait of haggle-payments, whose questions these are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// My key for the deal about this quote. Answered by [`crate::input::Paid::Key`].
    Key {
        /// As whom.
        party: Party,
        /// The message that holds the quote.
        quote: MessageId,
    },
    /// Lock what the contract says, out of my purse. Answered by [`crate::input::Paid::Locked`].
    Lock {
        /// The terms, and who I am in them.
        deal: Deal,
    },
    /// Find what I may have locked, and lock nothing. Answered by [`crate::input::Paid::Found`].
    Find {
        /// The terms, and who I am in them.
        deal: Deal,
    },
    /// Check that it is locked as the contract says. Answered by [`crate::input::Paid::Done`].
    Verify {
        /// The terms.
        contract: Contract,
        /// What was told of it.
        locked: Locked,
    },
    /// Sign what should become of it. Answered by [`crate::input::Paid::Settlement`].
    Propose {
        /// The terms, and who I am in them.
        deal: Deal,
        /// What is locked.
        locked: Locked,
        /// What should become of it.
        outcome: Outcome,
    },
    /// Sign what another party has signed: I agree. Answered by [`crate::input::Paid::Settlement`].
    Cosign {
        /// The terms, and who I am in them.
        deal: Deal,
        /// What is locked.
        locked: Locked,
        /// What was proposed.
        settlement: Settlement,
    },
    /// Carry out what two have signed. Answered by [`crate::input::Paid::Executed`].
    Execute {
        /// The terms.
        contract: Contract,
        /// What is locked.
        locked: Locked,
        /// What was signed.
        settlement: Settlement,
    },
    /// Bring in my share of what was carried out. Answered by [`crate::input::Paid::Money`].
    Claim {
        /// The terms, and who I am in them.
        deal: Deal,
        /// What was locked.
        locked: Locked,
        /// What was signed.
        settlement: Settlement,
    },
    /// Take what is mine after the deadline. Answered by [`crate::input::Paid::Money`].
    Refund {
        /// The terms, and who I am in them.
        deal: Deal,
        /// What is locked.
        locked: Locked,
    },
    /// Whether it is still locked. Answered by [`crate::input::Paid::Moved`], or by [`crate::input::Paid::Done`] if it is.
    Status {
        /// The terms.
        contract: Contract,
        /// What is locked.
        locked: Locked,
    },
}

impl Ask {
    /// Its name, for logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Key { .. } => "key",
            Self::Lock { .. } => "lock",
            Self::Find { .. } => "find",
            Self::Verify { .. } => "verify",
            Self::Propose { .. } => "propose",
            Self::Cosign { .. } => "cosign",
            Self::Execute { .. } => "execute",
            Self::Claim { .. } => "claim",
            Self::Refund { .. } => "refund",
            Self::Status { .. } => "status",
        }
    }
}

/// The answer to a cell.
#[derive(PartialEq, Eq)]
pub enum Answer {
    /// It was kept: the acknowledgement, itself a sealed cell.
    Ack(Vec<u8>),
    /// It was not, and this is why. Counted by its code.
    Refused(Refusal),
}

/// One record of what must survive: written under `key`, or deleted.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Its name, unique; a path like `thread/3f…`.
    pub key: String,
    /// Its bytes, or `None` to delete it.
    pub value: Option<Vec<u8>>,
}

impl core::fmt::Debug for Effect {
    /// Names and sizes: what is saved, sealed or told stays out of every log.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Save(records) => f.debug_tuple("Save").field(records).finish(),
            Self::Verdict(verdict) => f.debug_tuple("Verdict").field(verdict).finish(),
            Self::Broadcast(frame) => write!(f, "Broadcast({} bytes)", frame.len()),
            Self::Whisper { message, to, cell } => f
                .debug_struct("Whisper")
                .field("message", message)
                .field("ways", &to.len())
                .field("cell", &cell.len())
                .finish(),
            Self::Fetch { piece, to } => f
                .debug_struct("Fetch")
                .field("piece", piece)
                .field("ways", &to.len())
                .finish(),
            Self::Answer(ticket, answer) => {
                f.debug_tuple("Answer").field(ticket).field(answer).finish()
            }
            Self::Reply(ticket, reply) => {
                f.debug_tuple("Reply").field(ticket).field(reply).finish()
            }
            Self::Pay { job, rail, ask } => write!(f, "Pay({job:?}, {rail}, {})", ask.name()),
            Self::Tell(event) => f.debug_tuple("Tell").field(event).finish(),
        }
    }
}

impl core::fmt::Debug for Answer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Ack(cell) => write!(f, "Ack({} bytes)", cell.len()),
            Self::Refused(refusal) => write!(f, "Refused({refusal})"),
        }
    }
}

impl core::fmt::Debug for Record {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let len = self.value.as_ref().map(Vec::len);
        f.debug_struct("Record")
            .field("key", &self.key)
            .field("len", &len)
            .finish()
    }
}
