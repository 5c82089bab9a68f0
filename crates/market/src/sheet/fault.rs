//! What can be wrong with a list, and where.

use core::fmt;

use crate::command::Complaint;

/// What is wrong with a cell, a line or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not text in UTF-8.
    NotUtf8,
    /// It has more than [`super::BYTES_MAX`] bytes, a stall's worth of items or a few thousand columns.
    TooLarge,
    /// There is no item in it.
    Empty,
    /// It begins like JSON and is none, or holds something else than items; where and what.
    NotJson(String),
    /// Quotation marks that nothing closes, or the like.
    NotATable,
    /// A column that is needed is missing.
    NoColumn,
    /// A column that is not known and does not begin with `is`.
    UnknownColumn,
    /// The same column twice.
    ColumnTwice,
    /// A cell beyond the last column that has a name.
    NoSuchColumn,
    /// A cell that must say something.
    Missing,
    /// No category of this name.
    NoCategory(String),
    /// No price or fee in this currency.
    NotAnAmount(String),
    /// No quantity.
    NotAQuantity(String),
    /// No unit's code.
    NotAUnit(String),
    /// No currency's code.
    NotACurrency(String),
    /// None of the words that this column knows; those it does.
    NotAWord(String, Vec<&'static str>),
    /// No time like `2d`.
    NotATime(String),
    /// No number of an item.
    NotAnId(String),
    /// The same `sku` or `id` as in this line.
    Twice(u64),
    /// It can be read, but no stall takes it.
    Unfit(Complaint),
}

impl Fault {
    /// For programs and tables of words.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::NotUtf8 => "not-utf8",
            Self::TooLarge => "too-large",
            Self::Empty => "empty",
            Self::NotJson(_) => "not-json",
            Self::NotATable => "not-a-table",
            Self::NoColumn => "no-column",
            Self::UnknownColumn => "unknown-column",
            Self::ColumnTwice => "column-twice",
            Self::NoSuchColumn => "no-such-column",
            Self::Missing => "missing",
            Self::NoCategory(_) => "no-category",
            Self::NotAnAmount(_) => "not-an-amount",
            Self::NotAQuantity(_) => "not-a-quantity",
            Self::NotAUnit(_) => "not-a-unit",
            Self::NotACurrency(_) => "not-a-currency",
            Self::NotAWord(..) => "not-a-word",
            Self::NotATime(_) => "not-a-time",
            Self::NotAnId(_) => "not-an-id",
            Self::Twice(_) => "twice",
            Self::Unfit(complaint) => &complaint.code,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("this is not text in UTF-8: save it as “CSV UTF-8”"),
            Self::TooLarge => f.write_str("this is more than a stall can hold"),
            Self::Empty => f.write_str("there is no item in it"),
            Self::NotJson(why) => write!(f, "this is no list of items in JSON: {why}"),
            Self::NotATable => {
                f.write_str("this cannot be cut into cells; is a quotation mark missing?")
            }
            Self::NoColumn => {
                f.write_str("this column is needed, and the first line does not name it")
            }
            Self::UnknownColumn => f.write_str(
                "no column is called so; a property's begins with “is”, like “is colour”",
            ),
            Self::ColumnTwice => f.write_str("this column stands there twice"),
            Self::NoSuchColumn => {
                f.write_str("there is a cell behind the last column that has a name")
            }
            Self::Missing => f.write_str("this may not be empty"),
            Self::NoCategory(text) => write!(f, "there is no category {text:?}"),
            Self::NotAnAmount(text) => write!(f, "{text:?} is no amount like 399.90"),
            Self::NotAQuantity(text) => write!(f, "{text:?} is no quantity like 2 or 2.5"),
            Self::NotAUnit(text) => {
                write!(
                    f,
                    "{text:?} is no unit; C62 are pieces, HUR hours, KGM kilograms"
                )
            }
            Self::NotACurrency(text) => write!(f, "{text:?} is no currency like EUR"),
            Self::NotAWord(text, known) => write!(f, "{text:?} is none of {}", known.join(", ")),
            Self::NotATime(text) => write!(f, "{text:?} is no time like 2d, 36h or 45m"),
            Self::NotAnId(text) => write!(
                f,
                "{text:?} is no number of an item; leave it empty for a new one"
            ),
            Self::Twice(line) => write!(f, "this stands in line {line} already"),
            Self::Unfit(complaint) => f.write_str(&complaint.sentence),
        }
    }
}

/// Something wrong, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// In which line of the file, or which item of a JSON list, counted from 1; 0 for the whole of it.
    pub line: u64,
    /// In which column, as the file calls it; empty for the whole line.
    pub column: String,
    /// What.
    pub fault: Fault,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, ", self.line)?;
        }
        if !self.column.is_empty() {
            write!(f, "{}: ", self.column)?;
        }
        self.fault.fmt(f)
    }
}

/// Everything that is wrong with a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mistakes {
    /// The first hundred, in the order of the file.
    pub told: Vec<Mistake>,
    /// How many more there are.
    pub more: usize,
}

impl Mistakes {
    pub(super) fn of(fault: Fault) -> Self {
        let mut all = Self::default();
        all.add(0, "", fault);
        all
    }

    pub(super) fn add(&mut self, line: u64, column: &str, fault: Fault) {
        if self.told.len() < super::MISTAKES_TOLD {
            self.told.push(Mistake {
                line,
                column: column.to_owned(),
                fault,
            });
        } else {
            self.more += 1;
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.told.is_empty()
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mistake) in self.told.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            mistake.fmt(f)?;
        }
        if self.more > 0 {
            write!(f, "\nand {} more", self.more)?;
        }
        Ok(())
    }
}

impl core::error::Error for Mistakes {}
