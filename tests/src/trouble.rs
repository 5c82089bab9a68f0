//! What goes wrong in a test of the whole system: one sentence, and where it was noticed. A test that returns it
//! prints both, so nobody has to read a stack of futures.

use core::fmt;
use core::panic::Location;

/// What a step of a test brings.
pub type Outcome<T = ()> = Result<T, Trouble>;

/// A sentence and the line that noticed it.
pub struct Trouble {
    sentence: String,
    place: &'static Location<'static>,
}

impl Trouble {
    /// This sentence, noticed where it is called.
    #[track_caller]
    pub fn new(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            place: Location::caller(),
        }
    }

    /// The same trouble, with what was being done in front.
    #[must_use]
    pub fn while_doing(self, what: &str) -> Self {
        Self {
            sentence: format!("{what}: {}", self.sentence),
            ..self
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

// A test that returns an error prints its Debug.
impl fmt::Debug for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n    noticed at {}", self.sentence, self.place)
    }
}

macro_rules! from {
    ($($error:ty,)*) => {$(
        impl From<$error> for Trouble {
            #[track_caller]
            fn from(error: $error) -> Self {
                Self::new(error.to_string())
            }
        }
    )*};
}

from! {
    std::io::Error,
    serde_json::Error,
    thirtyfour::error::WebDriverError,
    tokio::time::error::Elapsed,
    haggle_protocol::Refusal,
}

/// Fails with the sentence unless it holds.
///
/// # Errors
/// The sentence, if it does not hold.
#[track_caller]
pub fn ensure(holds: bool, sentence: impl FnOnce() -> String) -> Outcome {
    if holds {
        Ok(())
    } else {
        Err(Trouble::new(sentence()))
    }
}
