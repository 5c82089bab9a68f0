//! Haggle without a page: the same peer, run by a program.
//!
//! [`stall`] reads what a shop offers from a file, [`mandate`] bounds what may be bought in a day, [`live`] runs the peer:
//! events come out as JSON lines, commands go in as JSON lines, each answered by one more line. What may be *promised* in a day stands in the
//! stall's rules and is held by the market itself.

pub mod args;
mod files;
pub mod live;
pub mod mandate;
mod money;
pub mod stall;
mod talk;

pub use args::{Options, Task};
pub use live::run;
pub use mandate::Mandate;
pub use stall::Shop;

/// Why the program ends without having done what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line cannot be understood.
    #[error("{0}; `haggle --help` says how it is used")]
    Usage(String),
    /// A file cannot be read or written.
    #[error("{path}: {why}")]
    File {
        /// Which.
        path: String,
        /// The system's reason.
        why: std::io::Error,
    },
    /// A stall's file, or a request's, says something that cannot be.
    #[error("{path}: {why}")]
    Content {
        /// Which.
        path: String,
        /// Where in it, what is wrong, and what would be right.
        why: String,
    },
    /// The records cannot be opened.
    #[error("{0}")]
    Store(#[from] haggle_node::store::Error),
    /// The peer cannot start.
    #[error("{0}")]
    Peer(#[from] haggle_node::Error),
    /// The market did not take something.
    #[error("{0}")]
    Complaint(#[from] haggle_node::market::Complaint),
    /// The peer ended by itself.
    #[error("{0}")]
    Stopped(String),
    /// Nothing can be printed any more, or the runtime does not start.
    #[error("{0}")]
    System(std::io::Error),
}
