//! What the faces are told. Each event carries the whole of what it is about and replaces what was known under the
//! same name, so a face is a fold over events, and a late one starts from a snapshot in the same form.

use haggle_protocol::{IntentId, ThreadId};

use crate::view::{Case, Chat, MyIntent, OpenIntent, Role, StallView, Trade};

/// Something a person or a program may want to know.
#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "kebab-case")]
pub enum Event {
    /// One of my intents, with its quotes in rank order.
    MyIntent(Box<MyIntent>),
    /// An open intent of somebody else, with how it matches my stall and what I answered.
    OpenIntent(Box<OpenIntent>),
    /// An intent of somebody else is over.
    Gone(IntentId),
    /// An order or a confirmed trade, of either side.
    Trade(Box<Trade>),
    /// What was said in one exchange, of either side.
    Chat(Box<Chat>),
    /// What two others disagree about, for me to decide.
    Case(Box<Case>),
    /// An exchange is forgotten, with its trade and all that was said.
    Forgotten(ThreadId, Role),
    /// My stall.
    Stall(Box<StallView>),
    /// The end of a snapshot: everything known so far was told.
    Ready,
}

impl core::fmt::Debug for Event {
    /// What it is about, never what it says: events end up in logs, prices must not.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::MyIntent(mine) => write!(f, "MyIntent({})", mine.id.short()),
            Self::OpenIntent(open) => write!(f, "OpenIntent({})", open.id.short()),
            Self::Gone(id) => write!(f, "Gone({})", id.short()),
            Self::Trade(trade) => write!(f, "Trade({})", trade.thread.short()),
            Self::Chat(chat) => write!(f, "Chat({})", chat.thread.short()),
            Self::Case(case) => write!(f, "Case({})", case.order.short()),
            Self::Forgotten(thread, _) => write!(f, "Forgotten({})", thread.short()),
            Self::Stall(stall) => write!(f, "Stall({} items)", stall.items.len()),
            Self::Ready => f.write_str("Ready"),
        }
    }
}
