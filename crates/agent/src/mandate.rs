//! What may be bought in a day.
//!
//! Spent is what the trades say: every order of one's own within 24 hours that its seller has not declined or let lapse. So a restart forgets
//! nothing, and an order that came to nothing can be made again elsewhere.

use std::collections::BTreeMap;

use haggle_node::market::Trade;
use haggle_node::market::view::{Role, TradeState};
use haggle_protocol::{Asset, Money, ThreadId, Timestamp};

/// The span over which it is counted, in seconds.
const DAY: u64 = 24 * 60 * 60;

/// The most that may be bought within 24 hours, and what was.
#[derive(Debug, Default)]
pub struct Mandate {
    most: Option<Money>,
    orders: BTreeMap<ThreadId, (Money, Timestamp)>,
}

/// An order that would go beyond the mandate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Beyond {
    /// Nothing may be bought, because nothing is said in the file.
    #[error("Nothing may be bought: the file's [mandate] names no buy-per-day.")]
    Nothing,
    /// The mandate is in another currency.
    #[error("The mandate is in {0}, and two currencies never compare.")]
    Currency(Asset),
    /// This much is left of it.
    #[error("Of today's mandate {0} is left.")]
    Amount(Money),
}

impl Mandate {
    /// At most so much; `None` allows nothing.
    #[must_use]
    pub fn new(most: Option<Money>) -> Self {
        Self {
            most,
            orders: BTreeMap::new(),
        }
    }

    /// A trade was told of.
    pub fn see(&mut self, trade: &Trade) {
        if trade.role != Role::Buyer {
            return;
        }
        match trade.state {
            TradeState::Ordered
            | TradeState::Confirmed
            | TradeState::ContactsExchanged
            | TradeState::Dispatched
            | TradeState::Delivered
            | TradeState::Received
            | TradeState::Lapsed => {
                self.spend(trade.thread, trade.quote.total, trade.ordered);
            }
            TradeState::Declined(_) | TradeState::NotConfirmed | TradeState::Cancelled { .. } => {
                self.orders.remove(&trade.thread);
            }
        }
    }

    /// An order of so much is made.
    pub fn spend(&mut self, thread: ThreadId, total: Money, at: Timestamp) {
        self.orders.insert(thread, (total, at));
    }

    /// An order was not made after all.
    pub fn take_back(&mut self, thread: ThreadId) {
        self.orders.remove(&thread);
    }

    /// Whether so much may be ordered now.
    ///
    /// # Errors
    /// [`Beyond`] if not.
    pub fn allows(&self, total: Money, now: Timestamp) -> Result<(), Beyond> {
        let most = self.most.ok_or(Beyond::Nothing)?;
        if most.asset != total.asset {
            return Err(Beyond::Currency(most.asset));
        }
        let recent = self
            .orders
            .values()
            .filter(|(money, at)| money.asset == most.asset && *at + DAY > now);
        let spent = recent.fold(0_u64, |sum, (money, _)| sum.saturating_add(money.minor));
        let left = most.minor.saturating_sub(spent);
        if total.minor <= left {
            Ok(())
        } else {
            Err(Beyond::Amount(Money::new(left, most.asset)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn eur(minor: u64) -> Money {
        Money::new(minor, Asset::new("EUR").unwrap())
    }

    fn thread(number: u8) -> ThreadId {
        ThreadId([number; 32])
    }

    #[test]
    fn without_a_mandate_nothing_is_bought() {
        assert_eq!(Mandate::default().allows(eur(1), NOW), Err(Beyond::Nothing));
    }

    #[test]
    fn a_day_allows_its_amount_and_not_a_cent_more() {
        let mut mandate = Mandate::new(Some(eur(10_000)));
        mandate.spend(thread(1), eur(6_000), NOW);
        assert_eq!(mandate.allows(eur(4_000), NOW), Ok(()));
        assert_eq!(
            mandate.allows(eur(4_001), NOW),
            Err(Beyond::Amount(eur(4_000)))
        );
        assert_eq!(mandate.allows(eur(4_001), NOW + DAY), Ok(()));
    }

    #[test]
    fn an_order_that_came_to_nothing_is_not_counted_and_none_is_counted_twice() {
        let mut mandate = Mandate::new(Some(eur(10_000)));
        mandate.spend(thread(1), eur(6_000), NOW);
        mandate.spend(thread(1), eur(6_000), NOW);
        assert_eq!(mandate.allows(eur(4_000), NOW), Ok(()));
        mandate.take_back(thread(1));
        assert_eq!(mandate.allows(eur(10_000), NOW), Ok(()));
    }

    #[test]
    fn another_currency_is_never_within_the_mandate() {
        let mandate = Mandate::new(Some(eur(10_000)));
        let usd = Asset::new("USD").unwrap();
        assert_eq!(
            mandate.allows(Money::new(1, usd), NOW),
            Err(Beyond::Currency(eur(0).asset))
        );
    }
}
