//! Coming back from a backup, or from the phrase alone.
//!
//! Whoever comes back may have said things that the backup does not know of. So nothing is counted on from where it
//! stood: each exchange counts its messages in a new epoch, so that a number used twice convicts nobody, and each intent
//! goes on with a revision above all that its former self can have said. What may have been locked since is looked for. From the phrase alone one's own intents are
//! recognised by their marks as soon as they are heard; their seal keys were never derived from it, so each is said again
//! with a new one, and sellers answer to that.

use haggle_protocol::intent::SealKey;
use haggle_protocol::keys::SealSecret;
use haggle_protocol::seal::Hint;
use haggle_protocol::{IntentId, Timestamp};
use rand_core::Rng;

use crate::batch::Batch;
use crate::intents::Mine;
use crate::mail::Lock;
use crate::market::Market;
use crate::record::{Key, Opener};

/// How far above the present minute revisions go on after a restore, in seconds: the former self may have moved a few
/// times within this minute, each time by one.
const REVISION_LEAD: u64 = 60;

impl Market {
    /// Everything was read from a backup.
    pub(crate) fn begin_again(&mut self, now: Timestamp, batch: &mut Batch) {
        batch.save.insert(Key::Restored);
        for thread in self.threads.values_mut() {
            thread.count_anew(self.pen.dice.next_u64());
            if let Some(reach) = &mut thread.sealed_reach {
                reach.begin_again(now);
            }
            let role = thread.role;
            if let Some(deal) = &mut thread.deal {
                deal.may_have_locked(role);
            }
            batch.save.insert(Key::Thread(thread.id));
        }
        for mine in self.intents.values_mut() {
            mine.outrank(above(now));
            batch.save.insert(Key::Intent(mine.id));
        }
    }

    /// If an intent that was heard is one of mine that nothing is left of here, it is mine again.
    pub(crate) fn recognise(&mut self, id: IntentId, now: Timestamp, batch: &mut Batch) {
        if self.intents.contains_key(&id) {
            return;
        }
        let Some(open) = self.book.open(&id) else {
            return;
        };
        let Some(key) = self.pen.root.recognise(&open.intent.mark) else {
            return;
        };
        if key.public() != open.key {
            return;
        }
        let secret = SealSecret::random(&mut self.pen.dice);
        let Ok(seal) = secret.public() else { return };
        let mut intent = open.intent.clone();
        let heard = intent.revision.map_or(0, |revision| revision.rev);
        let reach = open.reach.map_or(0, |reach| reach.revision.rev);
        intent.seal = SealKey::x25519(seal);
        let mut mine = Mine::found(id, open.frame, intent, Opener(secret), seal);
        mine.outrank(above(now).max(heard).max(reach));
        self.intents.insert(id, mine);
        self.locks.insert(Hint::of(&seal), Lock::Intent(id));
        batch.intent(id);
        // What cannot be signed now is said at the next renewal.
        let _ = self.update(id, None, now, batch);
        self.announce(id, now, batch);
    }
}

const fn above(now: Timestamp) -> u64 {
    now.to_minute().0 + REVISION_LEAD
}
