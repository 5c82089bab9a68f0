//! What a user can want done, and what comes back.

use haggle_protocol::attribute::Wish;
use haggle_protocol::category::Category;
use haggle_protocol::intent::{Budget, Delivery, Window};
use haggle_protocol::place::Place;
use haggle_protocol::quote::{Charge, Line, Quality};
use haggle_protocol::trade::{CancelReason, ContactWay, DeclineReason};
use haggle_protocol::{
    Asset, FileId, IntentId, Keeper, MessageId, Money, Quantity, ThreadId, Timestamp,
};

use crate::item::{Item, ItemId, Rules};
use crate::view::TradeStep;

/// What a user wants done.
#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Command {
    /// Say out loud what I want. Replies [`Reply::Published`].
    Publish(Box<Draft>),
    /// Change what I want; the same name, a new revision.
    Revise {
        /// Which intent.
        intent: IntentId,
        /// All of it again.
        draft: Box<Draft>,
    },
    /// I no longer want it.
    Withdraw {
        /// Which intent.
        intent: IntentId,
    },
    /// Put an item into my stall, or change the one of this id. Replies [`Reply::Item`].
    PutItem(Box<Item>),
    /// The same for many at once: all of them, or none if one will not do. Replies [`Reply::Done`].
    PutItems(Vec<Item>),
    /// Take an item out of my stall.
    RemoveItem {
        /// Which one.
        item: ItemId,
    },
    /// How my stall answers.
    SetRules(Rules),
    /// Who I am to the one I trade with; sealed, shown only after a confirmation.
    SetProfile(Profile),
    /// Answer an open intent by hand, or improve on my last quote. Replies [`Reply::Quoted`].
    Quote(Box<QuoteDraft>),
    /// Say no to an open intent, or stop seeing it.
    Dismiss {
        /// Which intent.
        intent: IntentId,
        /// Told to the buyer if given; silence is fine.
        reason: Option<DeclineReason>,
    },
    /// Take this seller's newest quote.
    Accept {
        /// Whose.
        thread: ThreadId,
        /// What is seen as its total, so that nobody orders by mistake.
        total: Money,
        /// Anything the seller should know.
        note: Option<String>,
        /// Through whom it is paid as soon as it is confirmed; none: as agreed between the two.
        #[serde(default)]
        escrow: Option<Payment>,
    },
    /// Ask a rail again now what it did not do: there is money now, or its custodian answers again.
    Pay {
        /// In which trade, or in which exchange with somebody who has asked me to decide.
        thread: ThreadId,
    },
    /// Offer to share out what is locked: so much to the buyer, the rest to the seller.
    Settle {
        /// In which trade.
        thread: ThreadId,
        /// To the buyer, in minor units of what is locked.
        buyer: u64,
    },
    /// Agree to what the other side has offered.
    Agree {
        /// In which trade.
        thread: ThreadId,
        /// To the buyer, as it was offered.
        buyer: u64,
    },
    /// Ask the arbiter whom both chose with the order, in good time before the deadline of what is locked. He sees the order and its confirmation
    /// as both have signed them. Replies [`Reply::Inquired`], with the exchange with him.
    Dispute {
        /// In which trade.
        thread: ThreadId,
        /// What the buyer shall get, in minor units of what is locked, as I would have it; the seller gets the rest, less the arbiter's fee.
        buyer: u64,
        /// Why: at most 600 bytes.
        words: String,
    },
    /// Decide between two who asked me.
    Rule {
        /// The order that they disagree about.
        case: MessageId,
        /// To the buyer, in minor units of what is locked; the seller gets the rest, less my fee.
        buyer: u64,
        /// Why: at most 600 bytes.
        words: String,
    },
    /// Decide between two who asked me that it counts as sent: the seller holds what is locked from now on, and the buyer has as long to object as
    /// both have agreed on. Only while the buyer holds it; whoever disagrees may ask me once more.
    Renew {
        /// The order that they disagree about.
        case: MessageId,
        /// Why: at most 600 bytes.
        words: String,
    },
    /// Say to this seller what I would pay instead. Three times at most, each time more.
    Counter {
        /// Whose quote.
        thread: ThreadId,
        /// In all; below the quote's total.
        total: Money,
        /// Anything the seller should know.
        note: Option<String>,
    },
    /// Quote anew at what the buyer has offered.
    Meet {
        /// In which exchange.
        thread: ThreadId,
    },
    /// Ask the owner of an open intent something before I quote. Replies [`Reply::Inquired`].
    Inquire {
        /// Whom.
        intent: IntentId,
        /// What.
        text: String,
    },
    /// Say something to the other side of an exchange.
    Say {
        /// In which exchange.
        thread: ThreadId,
        /// What; may be empty beside a file.
        text: String,
        /// What goes with it: at most four.
        #[serde(default)]
        files: Vec<NewFile>,
    },
    /// I have looked at what the other side has said so far. Nobody is told.
    Read {
        /// In which exchange.
        thread: ThreadId,
    },
    /// Fetch a file that the other side has named and that does not come by itself.
    Fetch {
        /// Which one.
        file: FileId,
    },
    /// Keep a file no more. What I have sent can then not be fetched any more.
    RemoveFile {
        /// Which one.
        file: FileId,
    },
    /// Bind myself to an order.
    Confirm {
        /// Which one.
        thread: ThreadId,
        /// How it is paid, as agreed.
        payment: Option<String>,
        /// Anything the buyer should know.
        note: Option<String>,
    },
    /// Do not confirm an order.
    Refuse {
        /// Which one.
        thread: ThreadId,
        /// Why.
        reason: DeclineReason,
    },
    /// Send who and where to the other side of a confirmed trade (again, if it changed).
    SendContact {
        /// Which one.
        thread: ThreadId,
        /// Who and where.
        profile: Profile,
    },
    /// Say that a step of mine in a confirmed trade is taken; each can be said once.
    Report {
        /// Which one.
        thread: ThreadId,
        /// Paid and received are the buyer's to say, dispatched and delivered are the seller's.
        step: TradeStep,
        /// Anything the other side should know.
        note: Option<String>,
        /// What goes with it, at most four: digital goods, a receipt of a payment. Nothing goes with delivered.
        #[serde(default)]
        files: Vec<NewFile>,
        /// The buyer's hand-over code, as it was typed: for delivered, and nothing else.
        #[serde(default)]
        code: Option<String>,
    },
    /// Do not go on with an order of mine, or with a confirmed trade of which nothing was sent or handed over yet. It counts unless the other side
    /// has gone on meanwhile.
    Cancel {
        /// Which one.
        thread: ThreadId,
        /// Why.
        reason: CancelReason,
        /// Anything the other side should know.
        note: Option<String>,
    },
    /// Tell everything that is known, as events, ending with [`crate::Event::Ready`].
    Snapshot,
}

/// What a buyer fills in. What he leaves out gets the usual.
#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Draft {
    /// In one line.
    pub title: String,
    /// In more words.
    #[serde(default)]
    pub details: Option<String>,
    /// Where it belongs; 0 is anything.
    #[serde(default)]
    pub category: Category,
    /// What it must or should be like.
    #[serde(default)]
    pub wishes: Vec<Wish>,
    /// How much of it.
    pub quantity: Quantity,
    /// What is public of the budget.
    pub budget: Budget,
    /// The most I pay: never said, used only to rank and to warn.
    #[serde(default)]
    pub limit: Option<Money>,
    /// How it may get here.
    pub deliveries: Vec<Delivery>,
    /// Coarsely where.
    #[serde(default)]
    pub places: Vec<Place>,
    /// When it is needed.
    #[serde(default)]
    pub window: Option<Window>,
    /// How long it stays open, in seconds from now: from [`OPEN_MIN`] to [`OPEN_MAX`], [`OPEN_DEFAULT`] if not said.
    #[serde(default)]
    pub open_for: Option<u64>,
    /// For how long quotes are taken, in seconds from now; as long as it is open if not said.
    #[serde(default)]
    pub quotes_for: Option<u64>,
    /// In which language I like to read.
    #[serde(default)]
    pub lang: Option<String>,
    /// What matters to me when quotes are ranked.
    #[serde(default)]
    pub taste: Taste,
    /// On which terms I decide for others: then I want nothing myself, and the rest says who I am and of what I know something. While the rail is
    /// still being asked for my key, this is not published yet (`rail-not-ready`): it is to be tried again in a moment.
    #[serde(default)]
    pub arbiter: Option<Arbitration>,
}

/// On which terms one decides for others who disagree.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Arbitration {
    /// By which rail.
    pub rail: String,
    /// What I take of what is locked if I rule, in thousandths: 0 to [`FEE_MAX`](haggle_protocol::arbitration::FEE_MAX).
    pub fee: u16,
    /// How long I need at most until I rule, in seconds: an hour to thirty days.
    pub within: u32,
}

/// How long one's own intent stays open if nothing is said, in seconds: a day, so that who asks in the evening is
/// answered in the morning.
pub const OPEN_DEFAULT: u64 = 24 * 60 * 60;

/// The shortest time an intent can stay open, in seconds: public times are cut to the minute, so less could be over
/// before anybody heard of it.
pub const OPEN_MIN: u64 = 2 * 60;

/// How long one's own intent can stay open, in seconds: thirty days of renewals.
pub const OPEN_MAX: u64 = 30 * 24 * 60 * 60;

/// What matters when quotes are ranked. Never public.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Taste {
    /// Price, quality and time together.
    #[default]
    Balanced,
    /// The total first.
    Cheapest,
    /// The time first.
    Fastest,
    /// The quality first.
    Best,
}

/// A quote made by hand.
#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuoteDraft {
    /// Which intent is answered.
    pub intent: IntentId,
    /// The item of my stall whose stock it takes, if it is one.
    #[serde(default)]
    pub item: Option<ItemId>,
    /// The currency of every amount.
    pub asset: Asset,
    /// What is offered; amounts are computed from quantity and unit price.
    pub lines: Vec<Line>,
    /// What is added or taken off.
    #[serde(default)]
    pub charges: Vec<Charge>,
    /// Whether an order in time binds me.
    #[serde(default)]
    pub firm: bool,
    /// How long it holds, in seconds from now.
    pub valid_for: u64,
    /// Seconds from the order until it is there.
    pub lead_time: u32,
    /// How it gets there.
    pub delivery: Delivery,
    /// How good it is.
    pub quality: Quality,
    /// Anything else.
    #[serde(default)]
    pub note: Option<String>,
}

/// Bytes of all files of one message: they are saved together with it, in one batch.
pub const FILES_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A file that shall go with a message.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewFile {
    /// What it is called: one line of at most 120 bytes, without a path.
    pub name: String,
    /// What it is (RFC 6838), in lower case: `image/jpeg`.
    pub media_type: String,
    /// All of it: from 1 byte to 8 MiB.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

impl core::fmt::Debug for NewFile {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "NewFile({} bytes)", self.bytes.len())
    }
}

/// Who I am to the one I trade with.
#[derive(Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// A name to ask for.
    pub name: String,
    /// How to reach me beside this channel.
    #[serde(default)]
    pub ways: Vec<ContactWay>,
    /// Where to bring or fetch it.
    #[serde(default)]
    pub address: Option<String>,
    /// Anything that helps the hand-over.
    #[serde(default)]
    pub instructions: Option<String>,
}

impl core::fmt::Debug for Profile {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Profile(..)")
    }
}

/// How a buyer pays through escrow.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    /// Who keeps the money: one of those that the quote names.
    pub keeper: Keeper,
    /// How much, in minor units, if that is not the quote's own currency.
    #[serde(default)]
    pub minor: Option<u64>,
    /// Who decides if we disagree: one of the arbiters that the quote names, by his intent. He has to be heard of here.
    #[serde(default)]
    pub arbiter: Option<IntentId>,
}

/// What a command brought.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// Done.
    Done,
    /// The intent is saved and on its way out, under this name.
    Published(IntentId),
    /// The item is in the stall under this id.
    Item(ItemId),
    /// The quote is saved and on its way, in this thread.
    Quoted(ThreadId),
    /// The question is saved and on its way, in this thread.
    Inquired(ThreadId),
}

/// Why a command was not carried out: a stable code, the field it is about, and a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Complaint {
    /// Stable, for programs: `bad-text`, `no-such-thread`, `quote-expired`, `out-of-stock`, …
    pub code: String,
    /// Which field of the command, if one.
    pub field: Option<String>,
    /// For people.
    pub sentence: String,
}

impl core::fmt::Display for Complaint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl core::error::Error for Complaint {}

/// What of a draft everybody will see, and what stays here: shown before it is published.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// The intent as it would be said out loud.
    pub public: haggle_protocol::Intent,
    /// Bytes of its frame.
    pub bytes: usize,
    /// When its first frame ends and is renewed.
    pub expires: Timestamp,
    /// What stays here, as codes that the screen has words for: `limit`, `budget`, `name`, `address`, `taste`, `reputation`.
    pub private: Vec<String>,
    /// What others can still conclude, as codes: `same-visit` (intents of one page load can be linked), `network-address` (relays see it).
    pub warnings: Vec<String>,
}

impl Command {
    /// Its name, for logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Publish(_) => "publish",
            Self::Revise { .. } => "revise",
            Self::Withdraw { .. } => "withdraw",
            Self::PutItem(_) => "put-item",
            Self::PutItems(_) => "put-items",
            Self::RemoveItem { .. } => "remove-item",
            Self::SetRules(_) => "set-rules",
            Self::SetProfile(_) => "set-profile",
            Self::Quote(_) => "quote",
            Self::Dismiss { .. } => "dismiss",
            Self::Accept { .. } => "accept",
            Self::Pay { .. } => "pay",
            Self::Settle { .. } => "settle",
            Self::Agree { .. } => "agree",
            Self::Dispute { .. } => "dispute",
            Self::Rule { .. } => "rule",
            Self::Renew { .. } => "renew",
            Self::Counter { .. } => "counter",
            Self::Meet { .. } => "meet",
            Self::Inquire { .. } => "inquire",
            Self::Say { .. } => "say",
            Self::Read { .. } => "read",
            Self::Fetch { .. } => "fetch",
            Self::RemoveFile { .. } => "remove-file",
            Self::Confirm { .. } => "confirm",
            Self::Refuse { .. } => "refuse",
            Self::SendContact { .. } => "send-contact",
            Self::Report { .. } => "report",
            Self::Cancel { .. } => "cancel",
            Self::Snapshot => "snapshot",
        }
    }
}

impl core::fmt::Debug for Command {
    /// Its name alone: limits, prices and addresses stay out of every log.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

impl core::fmt::Debug for Draft {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Draft")
            .field("title", &self.title)
            .finish_non_exhaustive()
    }
}

impl core::fmt::Debug for QuoteDraft {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("QuoteDraft")
            .field("intent", &self.intent)
            .finish_non_exhaustive()
    }
}

impl Complaint {
    /// A complaint about the command as a whole.
    pub(crate) fn new(code: &str, sentence: &str) -> Self {
        Self {
            code: code.into(),
            field: None,
            sentence: sentence.into(),
        }
    }

    /// A complaint about one field.
    pub(crate) fn about(code: &str, field: &str, sentence: &str) -> Self {
        Self {
            field: Some(field.into()),
            ..Self::new(code, sentence)
        }
    }
}
