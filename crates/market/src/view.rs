//! What the faces see: plain values, without keys and without anything that is not this person's to see.

use core::fmt;

use haggle_protocol::attribute::Fit;
use haggle_protocol::quote::Quality;
use haggle_protocol::trade::{CancelReason, Contact, DeclineReason, OrderConfirm};
use haggle_protocol::{
    Arbiter, FileId, Intent, IntentId, Keeper, MessageId, Money, PublicKey, Quote, Side, ThreadId,
    Timestamp,
};

use crate::command::{Draft, Profile};
use crate::item::{Item, ItemId, Rules};

/// One of my intents.
#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MyIntent {
    /// Its name.
    pub id: IntentId,
    /// As everybody sees it.
    pub intent: Intent,
    /// As I wrote it, with what only I know.
    pub draft: Draft,
    /// What has become of it.
    pub state: IntentState,
    /// When it was published.
    pub created: Timestamp,
    /// Until when it stays open.
    pub until: Timestamp,
    /// Whether it has been handed to the network since this peer started.
    pub said: bool,
    /// The quotes, best first.
    pub quotes: Vec<QuoteView>,
}

/// What has become of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntentState {
    /// Quotes are taken.
    Open,
    /// A quote was taken; its seller's confirmation is awaited.
    Ordered,
    /// A seller has confirmed.
    Awarded,
    /// I withdrew it.
    Withdrawn,
    /// Its time is over.
    Expired,
}

/// A quote, as its buyer sees it.
#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuoteView {
    /// Whose, within this intent.
    pub thread: ThreadId,
    /// The message that held it.
    pub message: MessageId,
    /// What it says.
    pub quote: Quote,
    /// Who stands behind it, if he showed himself.
    pub trader: Option<PublicKey>,
    /// When it came.
    pub received: Timestamp,
    /// What has become of it.
    pub state: QuoteState,
    /// Its place, from 1.
    pub rank: u32,
    /// Why this place.
    pub reasons: Vec<Reason>,
    /// What I offered for it last.
    pub counter: Option<CounterView>,
    /// Whether I can offer less for it now.
    pub can_counter: bool,
}

/// What a buyer offered for a quote.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CounterView {
    /// In all.
    pub total: Money,
    /// The how-maniest of this exchange.
    pub round: u8,
    /// What he said with it.
    pub note: Option<String>,
    /// When this side wrote it or learned of it.
    pub at: Timestamp,
    /// Whether the other side has it.
    pub delivered: bool,
    /// Whether it was not taken, or no way was found in time.
    pub lost: bool,
    /// Whether the seller has quoted anew since.
    pub answered: bool,
}

/// What was said in one exchange.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chat {
    /// In which exchange.
    pub thread: ThreadId,
    /// About which intent.
    pub intent: IntentId,
    /// The intent's title.
    pub title: String,
    /// Which side I am.
    pub role: Role,
    /// The newest lines, in the order in which this side learned of them.
    pub lines: Vec<ChatLine>,
    /// Whether I can say more now.
    pub can_say: bool,
    /// How many of his lines I have not looked at.
    pub unread: u32,
}

/// What one of the two has said.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatLine {
    /// Which message.
    pub message: MessageId,
    /// Whether I said it.
    pub mine: bool,
    /// What.
    pub text: String,
    /// When this side wrote it or learned of it.
    pub at: Timestamp,
    /// How far it got.
    pub state: ChatState,
    /// What goes with it.
    pub files: Vec<FileView>,
}

/// A file that goes with what was said.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileView {
    /// Its name here.
    pub id: FileId,
    /// What its sender calls it.
    pub name: String,
    /// What he says it is.
    pub media_type: String,
    /// Its size in bytes.
    pub bytes: u32,
    /// How much of it is here, in bytes.
    pub received: u32,
    /// Whether I sent it.
    pub mine: bool,
    /// Whether it can be shown as a picture.
    pub photo: bool,
    /// What has become of it.
    pub state: FileState,
}

/// What has become of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileState {
    /// All of it is here, and is what was said.
    Here,
    /// It comes, or waits until the other side is there.
    Coming,
    /// It can be fetched.
    Offered,
    /// What came is not what was said.
    Wrong,
    /// The other side does not have it any more.
    Gone,
    /// It is kept here no more: I have removed it, or it was mine and made room after its trade was at its end.
    Removed,
}

/// How far a line got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChatState {
    /// Saved; it waits for a way to the other side.
    Sending,
    /// The other side has it.
    Delivered,
    /// It was not taken, or nothing was heard of it in time: then it may have arrived all the same.
    Lost,
}

/// What has become of a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuoteState {
    /// It can be taken.
    Standing,
    /// It was taken; its seller has to confirm.
    Ordered,
    /// Its seller confirmed.
    Confirmed,
    /// Its seller did not confirm, or withdrew.
    Declined(DeclineReason),
    /// Its seller did not confirm in time.
    NotConfirmed,
    /// Its time is over.
    Expired,
    /// It was not taken.
    NotSelected,
    /// Its order was cancelled.
    Cancelled {
        /// By whom.
        by: Role,
    },
}

/// Why a quote ranks where it does: a code with its numbers, for which each language has a sentence. English is
/// built in by `Display`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(
    tag = "code",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Reason {
    /// The only one so far.
    Only,
    /// The lowest total.
    Cheapest,
    /// More than the lowest total by this much.
    DearerBy {
        /// The difference.
        by: Money,
    },
    /// The best quality of all.
    BestQuality {
        /// Which.
        quality: Quality,
    },
    /// Better than the cheapest one by so many grades.
    BetterThanCheapest {
        /// Its own quality.
        quality: Quality,
        /// The cheapest one's.
        cheapest: Quality,
    },
    /// There sooner than the cheapest one by so many seconds.
    SoonerThanCheapest {
        /// Seconds.
        seconds: u32,
    },
    /// A lower quality than the best by so many grades.
    LesserQuality {
        /// Its own quality.
        quality: Quality,
        /// The best one's.
        best: Quality,
    },
    /// There first.
    Fastest {
        /// Seconds from the order.
        lead_time: u32,
    },
    /// There later than the fastest by so many seconds.
    SlowerBy {
        /// Seconds.
        seconds: u32,
    },
    /// Everything that was wished for is there.
    AllWishes,
    /// So many wishes are not met or not stated.
    MissesWishes {
        /// How many.
        count: u32,
    },
    /// Above the limit that only I know.
    OverLimit {
        /// By how much.
        by: Money,
    },
    /// Binding, with the stock set aside.
    Firm,
    /// It can no longer be taken.
    NotStanding,
}

/// An open intent of somebody else.
#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenIntent {
    /// Its name.
    pub id: IntentId,
    /// As everybody sees it.
    pub intent: Intent,
    /// When its newest frame was made.
    pub created: Timestamp,
    /// When that ends, if it is not renewed.
    pub expires: Timestamp,
    /// Whether its owner has said where he can be reached.
    pub reachable: bool,
    /// The items of my stall that answer it, best first.
    pub matches: Vec<Match>,
    /// What I answered.
    pub answer: Option<MyAnswer>,
}

/// How an item of my stall answers an intent.
#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Match {
    /// Which item.
    pub item: ItemId,
    /// Its title.
    pub title: String,
    /// Each wish with how the item fits it.
    pub fits: Vec<(String, Fit)>,
    /// What it would cost by the item's tiers and delivery.
    pub total: Money,
    /// Whether it can be answered by rule: the category fits, nothing that must hold fails or is unknown.
    pub complete: bool,
}

/// What I answered to somebody else's intent.
#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MyAnswer {
    /// In which thread; `None` if I only dismissed it.
    pub thread: Option<ThreadId>,
    /// My newest quote.
    pub quote: Option<Quote>,
    /// Whether it was written by rule.
    pub automatic: bool,
    /// How far it got.
    pub state: AnswerState,
    /// What the buyer offered for it last.
    pub counter: Option<CounterView>,
}

/// How far my answer got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerState {
    /// Saved; it waits for a way to the buyer.
    Sending,
    /// The buyer has it.
    Delivered,
    /// The buyer ordered; see the trade.
    Ordered,
    /// The buyer does not need it any more.
    NotSelected,
    /// It lapsed.
    Expired,
    /// I said no.
    Dismissed,
    /// The buyer's peer did not take it.
    Refused,
}

/// An order or a confirmed trade.
#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trade {
    /// In which thread.
    pub thread: ThreadId,
    /// The order, by which a rail calls what it moves for this.
    pub order: MessageId,
    /// About which intent.
    pub intent: IntentId,
    /// The intent's title.
    pub title: String,
    /// Which side I am.
    pub role: Role,
    /// The quote that was taken.
    pub quote: Quote,
    /// Who the other one is, if he showed himself.
    pub trader: Option<PublicKey>,
    /// What the buyer said with the order.
    pub order_note: Option<String>,
    /// When it was ordered.
    pub ordered: Timestamp,
    /// How far it is.
    pub state: TradeState,
    /// The confirmation.
    pub confirm: Option<OrderConfirm>,
    /// What I have sent about me.
    pub mine: Option<Profile>,
    /// Whether the other side has it.
    pub mine_delivered: bool,
    /// Who and where the other one is.
    pub theirs: Option<Contact>,
    /// What happened after the confirmation, in the order in which this side learned of it.
    pub steps: Vec<StepTaken>,
    /// Until when the next step is awaited, and whose it is.
    pub awaited: Option<Awaited>,
    /// When it ends by itself, if nobody goes on with it.
    pub ends: Option<Timestamp>,
    /// Whether I can cancel it now.
    pub can_cancel: bool,
    /// Whether my cancel is on its way.
    pub cancelling: bool,
    /// Whether the other side had gone on when my cancel came, so that it did not count.
    pub cancel_refused: bool,
    /// What was said with the cancel.
    pub cancel_note: Option<String>,
    /// My hand-over code, for the buyer of a confirmed trade: to be told when he holds the goods, and not before.
    pub handover_code: Option<String>,
    /// Whether the seller, me, can say by the buyer's code that he has handed it over.
    pub can_deliver: bool,
    /// The money that is locked for it, if it is paid so.
    pub escrow: Option<EscrowView>,
}

/// The money that is, will be or was locked for a trade.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EscrowView {
    /// Who keeps it.
    pub keeper: Keeper,
    /// How much.
    pub amount: Money,
    /// What has become of it.
    pub state: EscrowState,
    /// Who gets it if nobody does anything until the deadline.
    pub holder: Side,
    /// Until when.
    pub deadline: Timestamp,
    /// How long its buyer has to object once it is said to be sent, in seconds.
    pub review: u32,
    /// Why the rail did not do what it was asked last: a code of the rail's own.
    pub trouble: Option<String>,
    /// What came to me in the end.
    pub mine: Option<Money>,
    /// How the two would share it out.
    pub proposals: Vec<ProposalView>,
    /// Whether my rail has found that it was moved: nothing else can come true any more.
    pub moved: bool,
    /// Who decides if they do not agree.
    pub arbiter: Option<Arbiter>,
    /// Until when he can be asked by me, if he can be at all: there is something to share out, and I have not asked about it yet.
    pub ask_by: Option<Timestamp>,
    /// What I have asked him.
    pub dispute: Option<DisputeView>,
    /// What he has decided, as far as is known here.
    pub ruling: Option<RulingView>,
}

/// What one of the two has asked the arbiter.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DisputeView {
    /// The exchange with him: what is said there he takes for evidence.
    pub thread: ThreadId,
    /// What the buyer shall get, in minor units.
    pub buyer: u64,
    /// Why.
    pub words: String,
    /// When I asked.
    pub at: Timestamp,
    /// How far it got.
    pub state: DisputeState,
}

/// How far a question to an arbiter got.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DisputeState {
    /// Saved; it waits for a way to him.
    Sending,
    /// He has it.
    Delivered,
    /// He does not take it, for this reason.
    Refused(String),
    /// No way was found in time.
    Lost,
}

/// What an arbiter has decided: how what is locked is shared out, in minor units, or that the seller holds it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RulingView {
    /// To the buyer.
    pub buyer: u64,
    /// To the seller.
    pub seller: u64,
    /// To himself.
    pub arbiter: u64,
    /// Why, if he has told this side himself.
    pub words: Option<String>,
    /// Where he shares out nothing yet: until when the seller holds it now, unless the buyer objects.
    #[serde(default)]
    pub held_until: Option<Timestamp>,
}

/// What two others disagree about, for me to decide.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Case {
    /// Their order, which names it.
    pub order: MessageId,
    /// In which intent of mine I have said that I decide.
    pub intent: IntentId,
    /// Who keeps the money.
    pub keeper: Keeper,
    /// How much is locked.
    pub amount: Money,
    /// What I take of it if I rule, in minor units.
    pub fee: u64,
    /// What each who asked me wants: one or two.
    pub claims: Vec<ClaimView>,
    /// Who gets it if nobody rules until the deadline.
    pub holder: Side,
    /// Until when it is locked: a later ruling changes nothing.
    pub deadline: Timestamp,
    /// Until when I have said that I rule.
    pub rule_by: Timestamp,
    /// How far it is.
    pub state: CaseState,
    /// How long the buyer would have to object, in seconds, if I decided now that it counts as sent; nothing where I cannot.
    pub review: Option<u32>,
    /// What I have decided.
    pub ruling: Option<RulingView>,
    /// What came to me in the end.
    pub earned: Option<Money>,
    /// Why the rail did not do what it was asked last: a code.
    pub trouble: Option<String>,
}

/// What one of two who disagree wants.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimView {
    /// The exchange with him.
    pub thread: ThreadId,
    /// Which of the two he is.
    pub side: Side,
    /// Who he is.
    pub trader: PublicKey,
    /// What he wants for the buyer, in minor units.
    pub buyer: u64,
    /// Why.
    pub words: String,
    /// When he asked.
    pub at: Timestamp,
    /// Whether he has my ruling.
    pub told: bool,
    /// Why he does not take it: a code.
    pub refused: Option<String>,
}

/// How far a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseState {
    /// The rail is asked whether the money is there.
    Looking,
    /// It is, and I can rule.
    Open,
    /// I have ruled, and the rail has still to sign it.
    Signing,
    /// I have ruled.
    Ruled,
    /// The money went another way, or was never there.
    Gone,
    /// The deadline was over before I ruled.
    Missed,
}

/// What has become of locked money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EscrowState {
    /// It will be locked once the order is confirmed.
    Planned,
    /// It is being locked, or looked at.
    Locking,
    /// It is locked.
    Locked,
    /// The seller has it.
    Released,
    /// The buyer has it back.
    Refunded,
    /// Each has his share.
    Shared {
        /// The buyer's, in minor units.
        buyer: u64,
        /// The seller's.
        seller: u64,
    },
}

/// How one of the two would share out what is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProposalView {
    /// Who.
    pub by: Role,
    /// To the buyer, in minor units.
    pub buyer: u64,
    /// To the seller.
    pub seller: u64,
    /// Whether I agree to it.
    pub agreed: bool,
}

/// A step after the confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TradeStep {
    /// The buyer has paid, as agreed.
    Paid,
    /// The seller has sent it or handed it over.
    Dispatched,
    /// The seller has handed it over, and has the buyer's code to show for it.
    Delivered,
    /// The buyer has it.
    Received,
}

impl TradeStep {
    /// Whose step it is.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::Paid | Self::Received => Role::Buyer,
            Self::Dispatched | Self::Delivered => Role::Seller,
        }
    }
}

/// A step that was taken.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepTaken {
    /// Which.
    pub step: TradeStep,
    /// When this side learned of it.
    pub at: Timestamp,
    /// What was said with it.
    pub note: Option<String>,
    /// Whether the other side knows of it.
    pub delivered: bool,
    /// What goes with it.
    pub files: Vec<FileView>,
}

/// Which side of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// I want it.
    Buyer,
    /// I offer it.
    Seller,
}

impl Role {
    /// The other side.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Buyer => Self::Seller,
            Self::Seller => Self::Buyer,
        }
    }
}

/// How far a trade is: named for what has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TradeState {
    /// The buyer has ordered.
    Ordered,
    /// The seller has confirmed.
    Confirmed,
    /// Both have said who and where.
    ContactsExchanged,
    /// The seller has sent it or handed it over.
    Dispatched,
    /// The seller has handed it over, and the buyer has told him his code.
    Delivered,
    /// The buyer has it: the trade is at its end.
    Received,
    /// The seller did not confirm, and said so.
    Declined(DeclineReason),
    /// The seller did not confirm in time.
    NotConfirmed,
    /// One of the two did not go on with it, and said so in time.
    Cancelled {
        /// Who.
        by: Role,
        /// Why.
        reason: CancelReason,
    },
    /// Nobody went on with it until its deadline.
    Lapsed,
}

/// Whose step is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Awaited {
    /// Whose.
    pub from: Role,
    /// Until when; after it the trade ends or goes on without it.
    pub until: Option<Timestamp>,
}

/// My stall.
#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StallView {
    /// What I offer.
    pub items: Vec<Item>,
    /// How it answers.
    pub rules: Rules,
    /// What is set aside or sold of each item, in steps of 10^−6 of its unit.
    pub reserved: Vec<(ItemId, u64)>,
    /// Who I am to the one I trade with.
    pub profile: Profile,
    /// My trader key: what ratings will belong to.
    pub trader: PublicKey,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Only => f.write_str("The only quote so far"),
            Self::Cheapest => f.write_str("The lowest total"),
            Self::DearerBy { by } => write!(f, "{by} more than the cheapest"),
            Self::BestQuality { quality } => write!(f, "The best quality of all: {quality:?}"),
            Self::BetterThanCheapest { quality, cheapest } => {
                write!(f, "{quality:?} instead of {cheapest:?}")
            }
            Self::SoonerThanCheapest { seconds } => write!(f, "{} sooner", Span(*seconds)),
            Self::LesserQuality { quality, best } => {
                write!(f, "{quality:?}, where the best is {best:?}")
            }
            Self::Fastest { lead_time: 0 } => f.write_str("There first: at once"),
            Self::Fastest { lead_time } => write!(f, "There first: in {}", Span(*lead_time)),
            Self::SlowerBy { seconds } => write!(f, "{} later than the fastest", Span(*seconds)),
            Self::AllWishes => f.write_str("Has everything you asked for"),
            Self::MissesWishes { count: 1 } => f.write_str("1 wish is not met or not stated"),
            Self::MissesWishes { count } => write!(f, "{count} wishes are not met or not stated"),
            Self::OverLimit { by } => write!(f, "{by} above your limit"),
            Self::Firm => f.write_str("Binding, with the stock set aside"),
            Self::NotStanding => f.write_str("Can no longer be taken"),
        }
    }
}

/// Seconds in the largest unit in which they are at least one, rounded to the nearest whole.
struct Span(u32);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u32, &str); 3] = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
        let seconds = self.0;
        let (length, name) = UNITS
            .into_iter()
            .find(|(length, _)| seconds >= *length)
            .unwrap_or((1, "second"));
        let count = (u64::from(seconds) + u64::from(length) / 2) / u64::from(length);
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "{count} {name}{plural}")
    }
}

macro_rules! short_debug {
    ($($name:ident, $field:ident;)*) => {
        $(impl fmt::Debug for $name {
            /// Which one, never what it says: prices and limits stay out of every log.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field(stringify!($field), &self.$field).finish_non_exhaustive()
            }
        })*
    };
}

short_debug! {
    MyIntent, id;
    QuoteView, message;
    OpenIntent, id;
    Match, item;
    MyAnswer, state;
    CounterView, round;
    Chat, thread;
    ChatLine, state;
    Trade, thread;
    Case, order;
    ClaimView, side;
    StepTaken, step;
    FileView, state;
    StallView, trader;
}
