//! What one input brings about, gathered while it is worked through, and put in order at its end.
//!
//! Whoever changes a thing only says that it changed: what is saved and told is its state at the end, once. So a save
//! is always whole, always one, and always stands before everything that leaves this peer because of it.

use std::collections::{BTreeMap, BTreeSet};

use haggle_protocol::{FileId, IntentId, MessageId, ThreadId, Timestamp};

use crate::effect::{Effect, Record};
use crate::event::Event;
use crate::record::Key;
use crate::view::Match;

/// What changed and what is to be done, so far.
#[derive(Default)]
pub(crate) struct Batch {
    /// The verdict on a frame; it depends on nothing that is saved.
    pub(crate) verdict: Option<Effect>,
    /// Answers, broadcasts and whispers, in order.
    pub(crate) acts: Vec<Effect>,
    /// The answer to a command, last of all.
    pub(crate) reply: Option<Effect>,
    /// Events that are not the view of a changed thing.
    pub(crate) events: Vec<Event>,
    /// What to save, or to delete if it is no more.
    pub(crate) save: BTreeSet<Key>,
    /// Pieces of files to save or to delete: nobody keeps them but the store.
    pub(crate) pieces: Vec<Record>,
    /// What may have another deadline now.
    pub(crate) due: BTreeSet<Subject>,
    /// Views to tell.
    pub(crate) mine: BTreeSet<IntentId>,
    pub(crate) open: BTreeSet<IntentId>,
    pub(crate) trades: BTreeSet<ThreadId>,
    pub(crate) chats: BTreeSet<ThreadId>,
    pub(crate) cases: BTreeSet<MessageId>,
    pub(crate) stall: bool,
    /// What was found in the stall for an open intent; holds as long as the stall has not changed.
    pub(crate) found: BTreeMap<IntentId, Vec<Match>>,
}

impl Batch {
    /// Nobody is there yet to be told anything.
    pub(crate) fn tell_nothing(&mut self) {
        self.events.clear();
        self.mine.clear();
        self.open.clear();
        self.trades.clear();
        self.chats.clear();
        self.cases.clear();
        self.stall = false;
    }

    /// An intent of mine changed.
    pub(crate) fn intent(&mut self, id: IntentId) {
        self.save.insert(Key::Intent(id));
        self.due.insert(Subject::Mine(id));
        self.mine.insert(id);
    }

    /// Something that I decide for others changed.
    pub(crate) fn case(&mut self, order: MessageId) {
        self.save.insert(Key::Case(order));
        self.due.insert(Subject::Case(order));
        self.cases.insert(order);
    }

    /// A thread changed.
    pub(crate) fn thread(&mut self, id: ThreadId) {
        self.save.insert(Key::Thread(id));
        self.due.insert(Subject::Thread(id));
    }
}

/// Something that waits for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// An intent of mine: renewals, its end.
    Mine(IntentId),
    /// A thread: resends, quotes and orders that lapse.
    Thread(ThreadId),
    /// A file that comes piece by piece.
    File(FileId),
    /// Something that I decide for others: what a rail is asked, a ruling that is said again, its end.
    Case(MessageId),
    /// Frames that end.
    Book,
    /// Automatic quotes that waited for the next hour.
    Postponed,
}

/// What is due when: the one place for deadlines.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    by_time: BTreeSet<(Timestamp, Subject)>,
    of: BTreeMap<Subject, Timestamp>,
}

impl Calendar {
    /// This subject waits until then, or for nothing.
    pub(crate) fn set(&mut self, subject: Subject, at: Option<Timestamp>) {
        if let Some(before) = self.of.remove(&subject) {
            self.by_time.remove(&(before, subject));
        }
        if let Some(at) = at {
            self.of.insert(subject, at);
            self.by_time.insert((at, subject));
        }
    }

    /// The next time at which anything is due.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes out everything that is due.
    pub(crate) fn due(&mut self, now: Timestamp) -> Vec<Subject> {
        let mut due = Vec::new();
        while let Some((at, subject)) = self.by_time.first().copied().filter(|(at, _)| *at <= now) {
            self.by_time.remove(&(at, subject));
            self.of.remove(&subject);
            due.push(subject);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_waits_for_one_time_only_and_is_handed_out_once() {
        let mut calendar = Calendar::default();
        calendar.set(Subject::Book, Some(Timestamp(9)));
        calendar.set(Subject::Book, Some(Timestamp(5)));
        calendar.set(Subject::Postponed, Some(Timestamp(7)));
        assert_eq!(calendar.next(), Some(Timestamp(5)));
        assert_eq!(calendar.due(Timestamp(4)), vec![]);
        assert_eq!(
            calendar.due(Timestamp(8)),
            vec![Subject::Book, Subject::Postponed]
        );
        assert_eq!(calendar.next(), None);
        calendar.set(Subject::Book, Some(Timestamp(5)));
        calendar.set(Subject::Book, None);
        assert_eq!(calendar.next(), None);
    }
}
