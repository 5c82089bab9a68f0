//! Who makes room for whom.
//!
//! Two bounds: the memory of the whole book, and, once the book is crowded, the share of one peer. A peer beyond
//! its share makes room among what it brought itself, so a flood by one peer, with however much work, drives out
//! its own frames only. Otherwise those go first that were brought by peers beyond their share, then those that
//! showed the least work, then the oldest. What showed more work than the newcomer stays, and so does one's own.

use haggle_protocol::{PublicKey, Refusal};

use crate::limits::{Limits, Source};
use crate::shelf::{Held, Shelf};

/// A frame that wants to stand on the shelf.
pub(crate) struct Newcomer<'a> {
    pub(crate) key: PublicKey,
    pub(crate) source: Source,
    pub(crate) work: u32,
    pub(crate) cost: usize,
    /// What goes anyway, because this frame takes its place.
    pub(crate) replaces: &'a [u64],
}

/// The frames that must go for it.
///
/// # Errors
/// [`Refusal::BookFull`] if those that may go are not enough.
pub(crate) fn victims(
    shelf: &Shelf,
    limits: &Limits,
    newcomer: &Newcomer<'_>,
) -> Result<Vec<u64>, Refusal> {
    let replaced = newcomer.replaces.iter().filter_map(|at| shelf.at(*at));
    let (mut freed, mut freed_of_source) = (0, 0);
    for held in replaced {
        freed += held.cost();
        if held.source.peer() == newcomer.source.peer() {
            freed_of_source += held.cost();
        }
    }
    let mut going = Going {
        shelf,
        key: newcomer.key,
        victims: Vec::new(),
    };
    // Every order begins with the least work, so what showed more ends it.
    let own = newcomer.source == Source::Own;
    let may_go = |(work, _): &(u32, u64)| own || *work <= newcomer.work;
    let share = limits.percent(limits.source_share);
    let after = shelf.bytes() - freed + newcomer.cost;

    // The share: beyond it a peer may not grow, but what it brought earlier at a quiet time is not taken from it.
    if let Some(peer) = newcomer.source.peer()
        && after > limits.percent(limits.crowded)
        && let Some(brought) = shelf.brought(&peer)
    {
        let grown = brought.bytes - freed_of_source + newcomer.cost;
        let excess = grown.saturating_sub(brought.bytes.max(share));
        going.free(excess, brought.order.iter().copied().take_while(may_go))?;
    }

    // The memory.
    let excess = after.saturating_sub(limits.bytes);
    let beyond_share = shelf
        .heaviest()
        .take_while(|brought| brought.bytes > share)
        .flat_map(|brought| brought.order.iter().copied().take_while(may_go));
    let all = shelf.order().take_while(may_go);
    going.free(excess, beyond_share.chain(all))?;
    Ok(going.victims)
}

struct Going<'a> {
    shelf: &'a Shelf,
    key: PublicKey,
    victims: Vec<u64>,
}

impl Going<'_> {
    /// Adds candidates, in their order, until all that go free `bytes` together.
    fn free(
        &mut self,
        bytes: usize,
        candidates: impl Iterator<Item = (u32, u64)>,
    ) -> Result<(), Refusal> {
        let shelf = self.shelf;
        let cost = |at: &u64| shelf.at(*at).map_or(0, Held::cost);
        let mut freed: usize = self.victims.iter().map(cost).sum();
        for (_, at) in candidates {
            if freed >= bytes {
                break;
            }
            // Frames under the newcomer's own key stay: they belong together.
            let together = shelf.at(at).is_none_or(|held| held.key() == self.key);
            if !together && !self.victims.contains(&at) {
                freed += cost(&at);
                self.victims.push(at);
            }
        }
        if freed >= bytes {
            Ok(())
        } else {
            Err(Refusal::BookFull)
        }
    }
}
