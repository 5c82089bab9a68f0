//! What the page takes from the peer that it runs, under one roof: commands, events, nouns.

pub use haggle_node::backup::{
    Backup, Error as BackupError, Secret, open as open_backup, restore_phrase,
};
pub use haggle_node::market::command::{
    Arbitration, Command, Complaint, Draft, FILES_BYTES_MAX, NewFile, Payment, Preview, Profile,
    QuoteDraft, Reply, Taste,
};
pub use haggle_node::market::event::Event as MarketEvent;
pub use haggle_node::market::item::{Auto, DeliveryOffer, Item, ItemId, Rules, Tier};
pub use haggle_node::market::sheet::{self, Fault, Mistakes};
pub use haggle_node::market::usual_review;
pub use haggle_node::market::view::{
    AnswerState, Awaited, Case, CaseState, Chat, ChatLine, ChatState, ClaimView, CounterView,
    DisputeState, DisputeView, EscrowState, EscrowView, FileState, FileView, IntentState, Match,
    MyAnswer, MyIntent, OpenIntent, ProposalView, QuoteState, QuoteView, Reason, Role, RulingView,
    StallView, StepTaken, Trade, TradeState, TradeStep,
};
pub use haggle_node::payments::{
    Balance, Deposit, ECASH, ECASH_TEXT_MAX, ECASH_TYPE, Given, Moved, Purse, RECORDS, TIP_NAME,
    Way, Why,
};
pub use haggle_node::{
    Client, Config, Error as PeerError, Event, Link, NetworkView, Path, RelayState, RelayView,
    Safe, open, wallet,
};
#[cfg(target_arch = "wasm32")]
pub use haggle_node::{
    OpenRail, RailSetup,
    market::RailFacts,
    payments::Error as RailError,
    payments::carrier::{PublicKey, Request, SharedCarrier},
    payments::remote::{Remote, Wall},
    store::{Error as StoreError, IndexedDb, Store, Write},
};
