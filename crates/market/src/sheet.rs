//! A product list: a stall's items as a table that any spreadsheet opens (CSV), or as JSON.
//!
//! The first line of a table names its columns, in any order:
//!
//! | column | holds |
//! |---|---|
//! | `sku` | the seller's own name for it: a list that is read again changes the same items |
//! | `id` | the number of an item without one, as it was written out; empty for a new one |
//! | `title`, `category` | in one line; a category's name as in `road-bikes`, or its number |
//! | `price` | for one unit, `380`; or from quantities on, `1: 380 \| 10: 350` |
//! | `floor` | for one unit: below it no rule goes when a buyer haggles; empty if only the rules say how far |
//! | `currency`, `unit`, `stock` | an ISO 4217 code; a UN/CEFACT code, pieces if empty; how much there is, empty if it does not run out |
//! | `quality`, `answer`, `note` | basic to finest; off, indicative, firm, or as the stall's rules say; what is said with each quote |
//! | `deliveries` | `pickup \| shipping 4.90 2d u33d,u33e`: way, fee, time (`2d`, `36h`, `45m`, `10s`), places |
//! | `is …` | a property: `is colour` a text, `is frame [CMT]` a measure in that unit, `is lights [yes/no]` a flag |
//!
//! Cells are separated by commas, semicolons or tabs, whichever the first line has most of. A cell that a spreadsheet would
//! take for a formula is written behind an apostrophe, and read without it. Every mistake is named with its line and its
//! column, all at once: nothing is taken of a list that has one.

mod fault;
mod read;
mod write;

pub use fault::{Fault, Mistake, Mistakes};
pub use read::read;
pub use write::{csv, json};

use haggle_protocol::intent::Delivery;
use haggle_protocol::quote::Quality;

use crate::item::Auto;

/// A list may have so many bytes: 50,000 items of 1,300 bytes each.
pub const BYTES_MAX: usize = 64 * 1024 * 1024;
/// A table may have so many columns: its own, and the properties of a mixed shop.
const COLUMNS_MAX: usize = 4_096;
/// So many mistakes are told; more are counted.
const MISTAKES_TOLD: usize = 100;

/// What a cell is called that is always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    Sku,
    Id,
    Title,
    Category,
    Price,
    Floor,
    Currency,
    Unit,
    Stock,
    Quality,
    Answer,
    Deliveries,
    Note,
}

impl Column {
    const ALL: [Self; 13] = [
        Self::Sku,
        Self::Id,
        Self::Title,
        Self::Category,
        Self::Price,
        Self::Floor,
        Self::Currency,
        Self::Unit,
        Self::Stock,
        Self::Quality,
        Self::Answer,
        Self::Deliveries,
        Self::Note,
    ];
    /// Without these no item can be read.
    const NEEDED: [Self; 6] = [
        Self::Title,
        Self::Category,
        Self::Price,
        Self::Currency,
        Self::Quality,
        Self::Deliveries,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Sku => "sku",
            Self::Id => "id",
            Self::Title => "title",
            Self::Category => "category",
            Self::Price => "price",
            Self::Floor => "floor",
            Self::Currency => "currency",
            Self::Unit => "unit",
            Self::Stock => "stock",
            Self::Quality => "quality",
            Self::Answer => "answer",
            Self::Deliveries => "deliveries",
            Self::Note => "note",
        }
    }
}

/// How a property's column begins.
const PROPERTY: &str = "is ";
/// What stands in brackets behind the name of a property that an item has or has not.
const FLAG: &str = "yes/no";
const YES: &str = "yes";
const NO: &str = "no";

const WAYS: [(Delivery, &str); 5] = [
    (Delivery::Pickup, "pickup"),
    (Delivery::Shipping, "shipping"),
    (Delivery::OnSite, "on-site"),
    (Delivery::Digital, "digital"),
    (Delivery::Transport, "transport"),
];
const QUALITIES: [(Quality, &str); 5] = [
    (Quality::Basic, "basic"),
    (Quality::Fair, "fair"),
    (Quality::Good, "good"),
    (Quality::Fine, "fine"),
    (Quality::Finest, "finest"),
];
const ANSWERS: [(Auto, &str); 3] = [
    (Auto::Off, "off"),
    (Auto::Indicative, "indicative"),
    (Auto::Firm, "firm"),
];
/// Spans of time, the longest first, in seconds.
const SPANS: [(u32, char); 4] = [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')];

fn name_of<T: PartialEq>(names: &[(T, &'static str)], one: &T) -> &'static str {
    let found = names.iter().find(|(known, _)| known == one);
    found.map_or("", |(_, name)| name)
}

fn named<T: Copy>(names: &[(T, &'static str)], text: &str) -> Option<T> {
    let found = names
        .iter()
        .find(|(_, name)| name.eq_ignore_ascii_case(text));
    found.map(|(known, _)| *known)
}

/// What a spreadsheet takes for the beginning of a formula, and what hides that (OWASP, CSV injection).
const FORMULA: [char; 4] = ['=', '+', '-', '@'];
const HIDES: char = '\'';

#[cfg(test)]
mod tests;
