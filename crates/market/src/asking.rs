//! One question at a time to a rail, and how long the rail is left alone before the next: what is never saved, since whatever was asked
//! before a start is asked again.

use haggle_protocol::{ThreadId, Timestamp};
use rand_core::Rng as _;

use crate::batch::Batch;
use crate::effect::{Ask, Effect};
use crate::input::Job;
use crate::market::Market;

/// How long a rail is left alone after it could not tell, in seconds: doubled each time, up to the last.
const AGAIN: u64 = 5;
pub(crate) const AGAIN_MAX: u64 = 60 * 60;
/// How long it is waited before it is looked again whether somebody else has done his part, in seconds.
pub(crate) const LOOK_AGAIN: u64 = 6 * 60 * 60;

/// What a rail is being asked, and from when on it may be asked something.
#[derive(Clone, Default)]
pub(crate) struct Asking {
    asked: Option<(Job, Ask)>,
    tries: u32,
    next: Timestamp,
}

impl Asking {
    /// Whether nothing is to be asked now: a question is out, or it is too early.
    pub(crate) fn rests(&self, now: Timestamp) -> bool {
        self.asked.is_some() || self.next > now
    }

    /// When something can be asked; `None` while a question is out.
    pub(crate) fn may_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.asked.is_none().then(|| self.next.max(now))
    }

    /// Whether this question is out.
    pub(crate) fn is_out(&self, job: &Job) -> bool {
        self.asked.as_ref().is_some_and(|(asked, _)| asked == job)
    }

    /// This is asked now.
    pub(crate) fn asks(&mut self, job: Job, ask: Ask) {
        self.asked = Some((job, ask));
    }

    /// The rail has answered: what it was asked, if that is still waited for.
    pub(crate) fn answered(&mut self, job: &Job) -> Option<Ask> {
        let answered = self.asked.take_if(|(asked, _)| asked == job);
        answered.map(|(_, ask)| ask)
    }

    /// The rail could not tell, or not now: it is left alone, longer each time, for so many seconds at most.
    pub(crate) fn again(&mut self, most: u64, now: Timestamp) {
        let wait = AGAIN.checked_shl(self.tries).unwrap_or(most);
        self.tries = self.tries.saturating_add(1);
        self.next = now + wait.min(most);
    }

    /// It did what it was asked, and is left alone until it may have something new to say.
    pub(crate) fn look_again(&mut self, now: Timestamp) {
        self.next = now + LOOK_AGAIN;
    }

    /// What is to be asked next is asked at once.
    pub(crate) fn at_once(&mut self) {
        self.tries = 0;
        self.next = Timestamp(0);
    }
}

impl Market {
    /// Asks a rail. Gives by what its answer will be known.
    pub(crate) fn ask_rail(
        &mut self,
        thread: ThreadId,
        rail: String,
        ask: Ask,
        batch: &mut Batch,
    ) -> Job {
        let number = self.pen.dice.next_u64();
        let job = Job { thread, number };
        let ask = Box::new(ask);
        batch.acts.push(Effect::Pay { job, rail, ask });
        job
    }
}
