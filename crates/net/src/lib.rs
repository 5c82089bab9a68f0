#![doc = include_str!("../README.md")]

pub mod addr;
pub mod book;
pub mod bootstrap;
pub mod direct;
pub mod gossip;
pub mod kad;
pub mod mint;
pub mod whisper;

pub use addr::RelayAddr;
pub use bootstrap::RelayList;
pub use direct::{DirectOnly, RelayedOnly};
pub use gossip::Role;
