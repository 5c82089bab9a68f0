//! The two halves of a stream, as a machine without a browser: what a flag of the remote or a wish of ours means, which flag is
//! to be sent for it, and when the channel underneath can be closed and its number given back.
//!
//! ```text
//! writing:  Open ──close──▶ FinSent ──FIN_ACK──▶ Done          reading:  Open ──FIN──▶ Done   (we answer FIN_ACK)
//!            │                 ▲                                          │
//!            └─STOP_SENDING─▶ Unwanted ──close── (FIN)                    └─stop (STOP_SENDING)─▶ Unread ──FIN──▶ Done
//! either side:  RESET_STREAM ──▶ both Done, at once
//! ```

use crate::frame::Flag;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Open,
    /// We said that we read no more; what still arrives is dropped.
    Unread,
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    Open,
    /// The remote reads no more.
    Unwanted,
    FinSent,
    Done,
}

/// Who gave the stream up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetBy {
    /// We did, or our user.
    Us,
    /// The remote did.
    Remote,
}

/// The state of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halves {
    reading: Reading,
    writing: Writing,
    reset: Option<ResetBy>,
    acknowledge: Acknowledge,
    /// The remote's FIN was seen.
    ended: bool,
    /// The remote's FIN has not been answered yet.
    owed: bool,
}

/// When the remote's FIN is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acknowledge {
    /// As soon as it is seen; `/webrtc` peers wait for it.
    #[default]
    AtOnce,
    /// Once our own half is closed too: rust-libp2p's servers fail a read when FIN_ACK arrives, and by then read no more.
    WhenClosed,
}

/// What follows from something that arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reaction {
    /// The data of the frame is the reader's.
    pub deliver: bool,
    /// To be sent at once.
    pub reply: Option<Flag>,
}

/// The remote sent data after it had said that there would be none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("data after the end of the stream")]
pub struct AfterEnd;

impl Halves {
    /// A fresh stream.
    #[must_use]
    pub const fn new(acknowledge: Acknowledge) -> Self {
        Self {
            reading: Reading::Open,
            writing: Writing::Open,
            reset: None,
            acknowledge,
            ended: false,
            owed: false,
        }
    }

    /// A frame arrived. Its data comes before its flag.
    ///
    /// # Errors
    /// If there is data after the end; the stream is to be reset.
    pub fn on_frame(&mut self, has_data: bool, flag: Option<Flag>) -> Result<Reaction, AfterEnd> {
        let mut reaction = Reaction::default();
        if self.reset.is_some() {
            return Ok(reaction);
        }
        if has_data {
            match self.reading {
                Reading::Open => reaction.deliver = true,
                Reading::Unread => {}
                Reading::Done => return Err(AfterEnd),
            }
        }
        match flag {
            Some(Flag::Fin) => {
                self.reading = Reading::Done;
                self.ended = true;
                self.owed = true;
                reaction.reply = self.acknowledgement();
            }
            Some(Flag::FinAck) if self.writing == Writing::FinSent => self.writing = Writing::Done,
            Some(Flag::StopSending) if self.writing == Writing::Open => {
                self.writing = Writing::Unwanted;
            }
            Some(Flag::Reset) => self.reset_by(ResetBy::Remote),
            Some(Flag::FinAck | Flag::StopSending) | None => {}
        }
        Ok(reaction)
    }

    fn acknowledgement(&mut self) -> Option<Flag> {
        let now = match self.acknowledge {
            Acknowledge::AtOnce => true,
            Acknowledge::WhenClosed => matches!(self.writing, Writing::FinSent | Writing::Done),
        };
        (now && core::mem::take(&mut self.owed)).then_some(Flag::FinAck)
    }

    const fn reset_by(&mut self, by: ResetBy) {
        self.reset = Some(by);
        self.reading = Reading::Done;
        self.writing = Writing::Done;
        self.owed = false;
    }

    /// We write no more; the flags to send, in this order.
    pub fn close_writing(&mut self) -> [Option<Flag>; 2] {
        match self.writing {
            Writing::Open | Writing::Unwanted => {
                self.writing = Writing::FinSent;
                [Some(Flag::Fin), self.acknowledgement()]
            }
            Writing::FinSent | Writing::Done => [None, None],
        }
    }

    /// Our user has dropped the stream; the flag to send. A stream that was not closed is reset; one that was closed is read no more.
    pub const fn abandon(&mut self) -> Option<Flag> {
        match (self.writing, self.reading) {
            (Writing::Open, _) => {
                self.reset_by(ResetBy::Us);
                Some(Flag::Reset)
            }
            // The remote asked for the end of it, which is not a reset.
            (Writing::Unwanted, _) => {
                self.writing = Writing::FinSent;
                Some(Flag::Fin)
            }
            (Writing::FinSent | Writing::Done, Reading::Open) => {
                self.reading = Reading::Unread;
                Some(Flag::StopSending)
            }
            (Writing::FinSent | Writing::Done, Reading::Unread | Reading::Done) => None,
        }
    }

    /// We give the stream up; the flag to send.
    pub const fn reset(&mut self) -> Option<Flag> {
        if self.reset.is_some() {
            return None;
        }
        self.reset_by(ResetBy::Us);
        Some(Flag::Reset)
    }

    /// The channel underneath has gone.
    pub const fn on_channel_closed(&mut self) {
        self.reading = Reading::Done;
        self.writing = Writing::Done;
        self.owed = false;
    }

    /// Whether data may be written.
    #[must_use]
    pub const fn is_writable(&self) -> bool {
        matches!(self.writing, Writing::Open)
    }

    /// Whether no more data will arrive.
    #[must_use]
    pub const fn is_read_to_the_end(&self) -> bool {
        !matches!(self.reading, Reading::Open)
    }

    /// Whether the remote has said that there is no more.
    #[must_use]
    pub const fn is_ended_by_remote(&self) -> bool {
        self.ended
    }

    /// Whether our half is closed, acknowledged or not.
    #[must_use]
    pub const fn is_write_closed(&self) -> bool {
        matches!(self.writing, Writing::FinSent | Writing::Done)
    }

    /// Who gave the stream up, if somebody did.
    #[must_use]
    pub const fn reset_origin(&self) -> Option<ResetBy> {
        self.reset
    }

    /// Whether both sides know that it is over, so that the channel can be closed.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.reset.is_some()
            || (matches!(self.reading, Reading::Done)
                && matches!(self.writing, Writing::Done)
                && !self.owed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fresh() -> Halves {
        Halves::new(Acknowledge::AtOnce)
    }

    #[test]
    fn a_stream_is_over_when_both_ends_and_both_acknowledgements_were_seen() {
        let mut halves = fresh();
        assert_eq!(halves.close_writing(), [Some(Flag::Fin), None]);
        assert!(!halves.is_writable());
        assert!(!halves.is_over());
        let reaction = halves.on_frame(true, Some(Flag::Fin)).unwrap();
        assert_eq!(
            reaction,
            Reaction {
                deliver: true,
                reply: Some(Flag::FinAck)
            }
        );
        assert!(halves.is_read_to_the_end());
        assert!(!halves.is_over());
        halves.on_frame(false, Some(Flag::FinAck)).unwrap();
        assert!(halves.is_over());
        assert_eq!(halves.abandon(), None);
    }

    #[test]
    fn half_a_stream_can_still_be_written_after_the_remote_has_ended_its_half() {
        let mut halves = fresh();
        halves.on_frame(false, Some(Flag::Fin)).unwrap();
        assert!(halves.is_writable());
        assert!(halves.is_read_to_the_end());
    }

    #[test]
    fn the_acknowledgement_can_wait_for_our_own_end() {
        let mut halves = Halves::new(Acknowledge::WhenClosed);
        let reaction = halves.on_frame(false, Some(Flag::Fin)).unwrap();
        assert_eq!(reaction.reply, None);
        assert_eq!(
            halves.close_writing(),
            [Some(Flag::Fin), Some(Flag::FinAck)]
        );
    }

    #[test]
    fn who_drops_an_open_stream_resets_it_and_who_drops_a_closed_one_only_stops_reading() {
        let mut open = fresh();
        assert_eq!(open.abandon(), Some(Flag::Reset));
        assert!(open.is_over());
        let mut closed = fresh();
        closed.close_writing();
        assert_eq!(closed.abandon(), Some(Flag::StopSending));
        assert!(!closed.is_over());
        // Data that was under way is dropped without a complaint.
        assert_eq!(closed.on_frame(true, None), Ok(Reaction::default()));
        closed.on_frame(false, Some(Flag::Fin)).unwrap();
        closed.on_frame(false, Some(Flag::FinAck)).unwrap();
        assert!(closed.is_over());
    }

    #[test]
    fn stop_sending_ends_writing_and_is_not_answered_by_a_reset() {
        let mut halves = fresh();
        assert_eq!(
            halves
                .on_frame(false, Some(Flag::StopSending))
                .unwrap()
                .reply,
            None
        );
        assert!(!halves.is_writable());
        assert_eq!(halves.abandon(), Some(Flag::Fin));
    }

    #[test]
    fn a_reset_of_the_remote_ends_both_halves() {
        let mut halves = fresh();
        halves.on_frame(true, Some(Flag::Reset)).unwrap();
        assert_eq!(halves.reset_origin(), Some(ResetBy::Remote));
        assert!(halves.is_over());
        assert_eq!(halves.reset(), None);
    }

    #[test]
    fn data_after_the_end_is_a_violation() {
        let mut halves = fresh();
        halves.on_frame(false, Some(Flag::Fin)).unwrap();
        assert_eq!(halves.on_frame(true, None), Err(AfterEnd));
    }

    #[test]
    fn a_channel_that_closes_before_the_end_is_not_an_end() {
        let mut early = fresh();
        early.on_channel_closed();
        assert!(early.is_over() && !early.is_ended_by_remote());
        let mut late = fresh();
        late.on_frame(false, Some(Flag::Fin)).unwrap();
        late.on_channel_closed();
        assert!(late.is_ended_by_remote());
    }

    fn flags() -> impl Strategy<Value = Option<Flag>> {
        prop_oneof![
            Just(None),
            Just(Some(Flag::Fin)),
            Just(Some(Flag::FinAck)),
            Just(Some(Flag::StopSending)),
            Just(Some(Flag::Reset)),
        ]
    }

    proptest! {
        #[test]
        fn whatever_arrives_what_is_over_stays_over_and_no_fin_is_sent_twice(
            steps in proptest::collection::vec((0_u8..4, any::<bool>(), flags()), 0..40),
        ) {
            let mut halves = fresh();
            let mut fins = 0;
            let mut over = false;
            for (step, data, flag) in steps {
                let sent: Vec<Option<Flag>> = match step {
                    0 => halves.close_writing().to_vec(),
                    1 => vec![halves.abandon()],
                    2 => vec![halves.reset()],
                    _ => match halves.on_frame(data, flag) {
                        Ok(reaction) => vec![reaction.reply],
                        Err(AfterEnd) => vec![halves.reset()],
                    },
                };
                fins += sent.iter().filter(|flag| **flag == Some(Flag::Fin)).count();
                prop_assert!(!over || halves.is_over());
                over = halves.is_over();
            }
            prop_assert!(fins <= 1);
        }

        #[test]
        fn two_sides_that_both_close_are_both_over_whatever_the_order(order in proptest::collection::vec(any::<bool>(), 12)) {
            use std::collections::VecDeque;
            let mut sides = [fresh(), fresh()];
            let mut wires: [VecDeque<Flag>; 2] = Default::default();
            let mut closed = [false, false];
            for pick in order.into_iter().chain([true, false, true, false, true, false, true, false]) {
                let me = usize::from(pick);
                if closed[me] {
                    if let Some(flag) = wires[me].pop_front() {
                        let reaction = sides[me].on_frame(false, Some(flag)).unwrap();
                        wires[1 - me].extend(reaction.reply);
                    }
                } else {
                    closed[me] = true;
                    let sent = sides[me].close_writing();
                    wires[1 - me].extend(sent.into_iter().flatten());
                }
            }
            prop_assert!(sides[0].is_over() && sides[1].is_over());
        }
    }
}
