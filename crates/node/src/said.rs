//! What this peer said out loud and still holds.
//!
//! A frame counts as out when gossip has handed it to at least one neighbour. What was said while nobody listened is kept
//! and said again when somebody does; when the first neighbour after a silence appears, everything that still holds is
//! offered once more (gossip itself drops what that network has heard from us already).

use std::collections::BTreeMap;

use haggle_protocol::{Frame, Kind, Network, PublicKey, Timestamp};

/// Frames kept; one's own intents with their reaches stay far below.
const KEPT_MAX: usize = 1_024;

/// What a frame replaces: the same slot of the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Slot(PublicKey, u8);

struct Kept {
    bytes: Vec<u8>,
    expires: Timestamp,
    out: bool,
}

/// What gossip made of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Somebody has it.
    Out,
    /// Nobody listens, or every queue is full.
    NotYet,
    /// It will never be taken.
    Never,
}

#[derive(Default)]
pub(crate) struct Said(BTreeMap<Slot, Kept>);

impl Said {
    /// Keeps a frame until it expires or is replaced.
    pub(crate) fn keep(&mut self, bytes: Vec<u8>, network: Network, now: Timestamp) {
        // The market made it: a frame that does not open would be refused by everybody.
        let Ok(frame) = Frame::open(&bytes, network, now) else {
            tracing::error!("the market said a frame that does not open");
            return;
        };
        let header = frame.header();
        let slot = match header.kind {
            Kind::Intent | Kind::IntentUpdate | Kind::IntentClose => 0,
            Kind::Reach => 1,
            Kind::Other(kind) => kind,
        };
        let expires = header.expires;
        let slot = Slot(header.key, slot);
        if self.0.len() >= KEPT_MAX && !self.0.contains_key(&slot) {
            let oldest = self.0.iter().min_by_key(|(_, kept)| kept.expires);
            let oldest = oldest.map(|(slot, _)| *slot);
            oldest.and_then(|slot| self.0.remove(&slot));
        }
        let out = false;
        self.0.insert(
            slot,
            Kept {
                bytes,
                expires,
                out,
            },
        );
    }

    /// Says what is not out yet; with `again`, everything.
    pub(crate) fn say(
        &mut self,
        again: bool,
        now: Timestamp,
        mut publish: impl FnMut(Vec<u8>) -> Sent,
    ) {
        self.0.retain(|_, kept| {
            if kept.expires <= now {
                return false;
            }
            if kept.out && !again {
                return true;
            }
            match publish(kept.bytes.clone()) {
                Sent::Out => kept.out = true,
                Sent::NotYet => {}
                Sent::Never => return false,
            }
            true
        });
    }

    /// Whether something waits for a listener.
    pub(crate) fn has_more(&self) -> bool {
        self.0.values().any(|kept| !kept.out)
    }
}

#[cfg(test)]
mod tests {
    use haggle_protocol::frame::Facets;
    use haggle_protocol::frame::Header;
    use haggle_protocol::keys::SigningKey;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn frame(seed: u8, kind: u8) -> Vec<u8> {
        let key = SigningKey::from_seed(&[seed; 32]);
        let header = Header {
            kind: Kind::from_wire(kind),
            network: Network::main(),
            created: NOW.to_minute(),
            expires: NOW.to_minute() + 600,
            key: key.public(),
            facets: Facets::default(),
        };
        let frame = Frame::sign(header, &[0xa0], &key, 0, 0);
        frame.unwrap().bytes().to_vec()
    }

    fn told(said: &mut Said, again: bool, now: Timestamp, sent: Sent) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        said.say(again, now, |bytes| {
            out.push(bytes);
            sent
        });
        out
    }

    #[test]
    fn what_nobody_heard_is_said_until_somebody_does_and_then_only_if_asked_for() {
        let mut said = Said::default();
        let expected = [frame(1, 200)];
        said.keep(expected[0].clone(), Network::main(), NOW);
        assert_eq!(told(&mut said, false, NOW, Sent::NotYet), expected);
        assert!(said.has_more());
        assert_eq!(told(&mut said, false, NOW, Sent::Out), expected);
        assert!(!said.has_more());
        assert!(told(&mut said, false, NOW, Sent::Out).is_empty());
        assert_eq!(told(&mut said, true, NOW, Sent::Out), expected);
    }

    #[test]
    fn a_newer_frame_takes_the_slot_of_the_older_and_expired_ones_are_forgotten() {
        let mut said = Said::default();
        said.keep(frame(1, 200), Network::main(), NOW);
        said.keep(frame(1, 200), Network::main(), NOW);
        said.keep(frame(1, 201), Network::main(), NOW);
        said.keep(frame(2, 200), Network::main(), NOW);
        assert_eq!(told(&mut said, true, NOW, Sent::Out).len(), 3);
        assert!(told(&mut said, true, NOW + 3_600, Sent::Out).is_empty());
    }
}
