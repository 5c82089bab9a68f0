//! Talking: a seller asks before he quotes, a buyer asks about a quote, both speak during a trade. Words change nothing but what was said.
//!
//! A buyer has not asked every seller to talk to him: until he answers or orders, a seller has three lines and no more.

use haggle_protocol::private::Body;
use haggle_protocol::trade::Chat as Said;
use haggle_protocol::{IntentId, Refusal, ThreadId, Timestamp};

use crate::batch::Batch;
use crate::command::{Complaint, NewFile};
use crate::files::Packed;
use crate::intents::no_such_intent;
use crate::mail::Opened;
use crate::market::Market;
use crate::orders::{no_such_thread, unsent};
use crate::threads::{DealState, Line, Over, Sort, Thread};
use crate::view::{Chat, ChatLine, ChatState, Role};

/// Lines kept of one exchange: older ones are forgotten.
const KEPT: usize = 100;
/// Lines that may wait for the other side: the rest of the outbox is for what a trade needs.
const WAITING: usize = 8;
/// Lines of a seller that a buyer has neither answered nor ordered after.
const UNANSWERED: usize = 3;
/// As many again may have crossed with what the buyer said last.
const UNANSWERED_HEARD: usize = 2 * UNANSWERED;
/// How long it is tried to bring a line, in seconds: three days, over a weekend.
pub(crate) const CHAT_FOR: u64 = 3 * 24 * 60 * 60;

impl Market {
    /// I ask the owner of an intent something before I quote.
    pub(crate) fn inquire(
        &mut self,
        intent: IntentId,
        text: String,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<ThreadId, Complaint> {
        let packed = Packed::default();
        let said = checked(text, &packed)?;
        if let Some(thread) = self.answers.get(&intent).copied() {
            return self
                .speak(thread, said, packed, now, batch)
                .map(|()| thread);
        }
        let wanted = self.wanted(&intent).ok_or_else(no_such_intent)?;
        let thread = self.thread_for(intent, &wanted, now).map_err(|refusal| {
            let sentence =
                "This request was made with a newer version of Haggle. Reload the page to get it.";
            Complaint::about(refusal.code(), "intent", sentence)
        })?;
        self.speak(thread, said, packed, now, batch)?;
        batch.open.insert(intent);
        Ok(thread)
    }

    /// I say something to the other side.
    pub(crate) fn talk(
        &mut self,
        id: ThreadId,
        text: String,
        files: Vec<NewFile>,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let packed = self.pack(files)?;
        let said = checked(text, &packed)?;
        self.speak(id, said, packed, now, batch)
    }

    fn speak(
        &mut self,
        id: ThreadId,
        said: Said,
        packed: Packed,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Complaint> {
        let thread = self.threads.get(&id).ok_or_else(no_such_thread)?;
        if !self.is_talkable(thread, now) {
            let sentence =
                "This exchange is over: the other side does not take words about it any more.";
            return Err(Complaint::new("closed", sentence));
        }
        if is_silenced(thread) {
            let sentence = "The buyer has three messages of yours. Wait until he answers.";
            return Err(Complaint::new("unanswered", sentence));
        }
        let waiting = thread.outbox.iter().filter(|it| it.sort == Sort::Chat);
        if waiting.count() >= WAITING {
            let sentence =
                "Eight messages wait for the other side already. Wait until he is reached.";
            return Err(Complaint::new("too-many-waiting", sentence));
        }
        let text = said.text.clone();
        let sent = self.send(id, Body::Chat(said), now + CHAT_FOR, now, batch);
        let message = sent.map_err(unsent)?;
        let line = Line {
            message,
            mine: true,
            text,
            at: now,
            delivered: false,
            files: self.shelve(id, packed, now, batch),
        };
        self.keep_line(id, line, batch);
        Ok(())
    }

    /// The other side says something.
    pub(crate) fn hear_chat(
        &mut self,
        opened: &Opened,
        said: &Said,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let id = opened.message.thread;
        self.check_files(id, &said.files)?;
        if let Some(thread) = self.threads.get(&id) {
            // A seller may not know yet, after a start, that the intent is still open.
            // What was not confirmed in time may still have been sent, and then there is something to talk about.
            let ordered = thread.deal.as_ref();
            let may_come = ordered.is_some_and(|deal| deal.state == DealState::NotConfirmed);
            if thread.role == Role::Buyer && !may_come && !self.is_talkable(thread, now) {
                return Err(Refusal::Closed);
            }
            // He waits for an answer, and tries again until then.
            let unanswered = last_lines(thread, false);
            if thread.role == Role::Buyer && !is_bound(thread) && unanswered >= UNANSWERED_HEARD {
                return Err(Refusal::WhisperRate);
            }
            self.took(opened, now, batch);
        } else {
            let mine = self.intents.get(&opened.message.intent);
            let stays_out = mine.is_some_and(|mine| mine.crowded_out.contains(&id));
            let begun = self.begin_buyer(opened, None, now, batch);
            begun.map_err(|refusal| {
                // There may be room later, and a copy of it may come then: he tries again, until the intent is over.
                let full = refusal == Refusal::TooManyQuotes && !stays_out;
                if full { Refusal::WhisperRate } else { refusal }
            })?;
        }
        let line = Line {
            message: opened.id,
            mine: false,
            text: said.text.clone(),
            at: now,
            delivered: true,
            files: self.learn_files(id, &said.files, now, batch),
        };
        self.keep_line(id, line, batch);
        Ok(())
    }

    /// I have looked at what the other side has said.
    pub(crate) fn looked_at(&mut self, id: ThreadId, batch: &mut Batch) -> Result<(), Complaint> {
        let thread = self.threads.get_mut(&id).ok_or_else(no_such_thread)?;
        let newest = thread.chat.iter().rev().find(|line| !line.mine);
        let newest = newest.map(|line| line.message);
        if newest != thread.read {
            thread.read = newest;
            batch.thread(id);
            batch.chats.insert(id);
        }
        Ok(())
    }

    fn keep_line(&mut self, id: ThreadId, line: Line, batch: &mut Batch) {
        let Some(thread) = self.threads.get_mut(&id) else {
            return;
        };
        let oldest = (thread.chat.len() >= KEPT).then(|| thread.chat.pop_front());
        thread.chat.push_back(line);
        if let Some(line) = oldest.flatten() {
            self.forget_files(&line.files, batch);
        }
        batch.thread(id);
        batch.chats.insert(id);
    }

    /// Whether there is still something to talk about: an order, or the hope of one.
    fn is_talkable(&self, thread: &Thread, now: Timestamp) -> bool {
        if is_bound(thread) {
            return true;
        }
        let over = thread.offer.as_ref().and_then(|offer| offer.over);
        let open = match thread.role {
            Role::Buyer => {
                let mine = self.intents.get(&thread.intent);
                mine.is_some_and(crate::intents::Mine::is_open)
            }
            Role::Seller => {
                let stands = thread.offer.as_ref().is_some_and(|it| it.stands(now));
                stands || self.book.open(&thread.intent).is_some()
            }
        };
        open && over != Some(Over::NotSelected)
    }

    /// What was said in a thread, if anything was.
    pub(crate) fn chat(&self, id: &ThreadId, now: Timestamp) -> Option<Chat> {
        let thread = self.threads.get(id).filter(|it| !it.chat.is_empty())?;
        let lines = thread.chat.iter().map(|line| ChatLine {
            message: line.message,
            mine: line.mine,
            text: line.text.clone(),
            at: line.at,
            state: state(thread, line),
            files: self.file_views(&line.files),
        });
        Some(Chat {
            thread: thread.id,
            intent: thread.intent,
            title: thread.title.clone(),
            role: thread.role,
            lines: lines.collect(),
            can_say: self.is_talkable(thread, now) && !is_silenced(thread),
            unread: unread(thread),
        })
    }
}

/// Whether the two have something to do with each other: an order that waits, or one that was confirmed or even sent, however it ended; or
/// one of them decides for the other.
fn is_bound(thread: &Thread) -> bool {
    let deal = thread.deal.as_ref();
    let ordered =
        deal.is_some_and(|deal| deal.under_way() || deal.confirm.is_some() || deal.was_sent());
    ordered || thread.judged.is_some()
}

/// Whether I am a seller who has said as much as he may before he is answered.
fn is_silenced(thread: &Thread) -> bool {
    thread.role == Role::Seller && !is_bound(thread) && last_lines(thread, true) >= UNANSWERED
}

/// How many lines the one side, me or the other, has said since the other one said something; what was lost was not said.
fn last_lines(thread: &Thread, mine: bool) -> usize {
    let last = thread.chat.iter().rev();
    let last = last.take_while(|line| line.mine == mine);
    last.filter(|line| state(thread, line) != ChatState::Lost)
        .count()
}

/// How many lines of the other side came after the one that was looked at last.
fn unread(thread: &Thread) -> u32 {
    let theirs = thread.chat.iter().rev().filter(|line| !line.mine);
    let new = theirs.take_while(|line| Some(line.message) != thread.read);
    u32::try_from(new.count()).unwrap_or(u32::MAX)
}

fn state(thread: &Thread, line: &Line) -> ChatState {
    match line.delivered {
        true => ChatState::Delivered,
        false if thread.waits(line.message) => ChatState::Sending,
        false => ChatState::Lost,
    }
}

fn checked(text: String, packed: &Packed) -> Result<Said, Complaint> {
    let files = packed.named();
    let said = Said { text, files };
    match said.check() {
        Ok(()) => Ok(said),
        Err(_) => {
            let sentence =
                "Write something, and at most 800 letters at once, without spaces at its ends.";
            Err(Complaint::about("bad-text", "text", sentence))
        }
    }
}
