//! What may be bought in a day.
//!
//! Spent is what the trades say: every order of one's own within 24 hours that its seller has not declined or let lapse. So a restart forgets
//! nothing, and an order that came to nothing can be made again elsewhere. An order that is on its way is counted as well, beside what the
//! trade of the same exchange says: if it is not taken, that one still holds.

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
    orders: BTreeMap<ThreadId, Order>,
    begun: Vec<Order>,
}

/// An order that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// In which exchange.
    pub thread: ThreadId,
    /// Of how much.
    pub total: Money,
    /// When.
    pub at: Timestamp,
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
    /// What would be locked is counted in something else.
    #[error(
        "The mandate counts {0}, and {1} would be locked at a rate that it does not bound. Name a mint that keeps {0}, or pay without escrow."
    )]
    Rate(Asset, Asset),
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
            ..Self::default()
        }
    }

    /// A trade was told of.
    pub fn see(&mut self, trade: &Trade) {
        if trade.role != Role::Buyer {
            return;
        }
        let counts = match trade.state {
            TradeState::Ordered
            | TradeState::Confirmed
            | TradeState::ContactsExchanged
            | TradeState::Dispatched
            | TradeState::Delivered
            | TradeState::Received
            | TradeState::Lapsed => true,
            TradeState::Declined(_) | TradeState::NotConfirmed | TradeState::Cancelled { .. } => {
                false
            }
        };
        let order = Order {
            thread: trade.thread,
            total: trade.quote.total,
            at: trade.ordered,
        };
        self.told(order, counts);
    }

    fn told(&mut self, order: Order, counts: bool) {
        let known = self.orders.get(&order.thread);
        if known.is_some_and(|known| known.at > order.at) {
            // News of an order before that one.
            return;
        }
        if counts {
            self.orders.insert(order.thread, order);
        } else {
            self.orders.remove(&order.thread);
            // Its end can be told before its beginning is answered.
            let is_it = |begun: &Order| begun.thread == order.thread && begun.at <= order.at;
            self.begun.retain(|begun| !is_it(begun));
        }
    }

    /// An order is on its way, until [`Mandate::end`].
    pub fn begin(&mut self, order: Order) {
        self.begun.push(order);
    }

    /// An order was made, or was not.
    pub fn end(&mut self, order: Order, made: bool) {
        let place = self.begun.iter().position(|begun| *begun == order);
        let begun = place.map(|place| self.begun.swap_remove(place));
        if made && let Some(order) = begun {
            self.told(order, true);
        }
    }

    /// Whether what is locked for an order may be counted in this.
    ///
    /// # Errors
    /// [`Beyond::Rate`] if that is not what its total is counted in.
    pub fn allows_lock(total: Money, locked: Asset) -> Result<(), Beyond> {
        if total.asset == locked {
            Ok(())
        } else {
            Err(Beyond::Rate(total.asset, locked))
        }
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
            .chain(&self.begun)
            .filter(|order| order.total.asset == most.asset && order.at + DAY > now);
        let spent = recent.fold(0_u64, |sum, order| sum.saturating_add(order.total.minor));
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

    fn order(thread: u8, minor: u64, at: Timestamp) -> Order {
        Order {
            thread: ThreadId([thread; 32]),
            total: eur(minor),
            at,
        }
    }

    fn left(mandate: &Mandate, minor: u64) {
        assert_eq!(mandate.allows(eur(minor), NOW), Ok(()));
        let more = mandate.allows(eur(minor + 1), NOW);
        assert_eq!(more, Err(Beyond::Amount(eur(minor))));
    }

    #[test]
    fn without_a_mandate_nothing_is_bought() {
        assert_eq!(Mandate::default().allows(eur(1), NOW), Err(Beyond::Nothing));
    }

    #[test]
    fn a_day_allows_its_amount_and_not_a_cent_more() {
        let mut mandate = Mandate::new(Some(eur(10_000)));
        mandate.begin(order(1, 6_000, NOW));
        left(&mandate, 4_000);
        mandate.end(order(1, 6_000, NOW), true);
        left(&mandate, 4_000);
        assert_eq!(mandate.allows(eur(4_001), NOW + DAY), Ok(()));
    }

    #[test]
    fn an_order_that_came_to_nothing_is_not_counted_and_none_is_counted_twice() {
        let mut mandate = Mandate::new(Some(eur(10_000)));
        let first = order(1, 6_000, NOW);
        mandate.begin(first);
        mandate.end(first, true);
        mandate.told(first, true);
        left(&mandate, 4_000);
        mandate.told(first, false);
        left(&mandate, 10_000);
        mandate.begin(first);
        mandate.end(first, false);
        left(&mandate, 10_000);
    }

    #[test]
    fn an_order_that_is_not_taken_leaves_the_one_before_counted() {
        let mut mandate = Mandate::new(Some(eur(10_000)));
        mandate.told(order(1, 6_000, NOW - 100), true);
        let again = order(1, 3_000, NOW);
        mandate.begin(again);
        left(&mandate, 1_000);
        mandate.end(again, false);
        left(&mandate, 4_000);
    }

    #[test]
    fn what_became_of_an_order_before_says_nothing_of_the_next_one_with_the_same_seller() {
        let mut mandate = Mandate::new(Some(eur(10_000)));
        let (before, next) = (order(1, 6_000, NOW - 100), order(1, 5_000, NOW));
        mandate.begin(next);
        mandate.told(before, false);
        left(&mandate, 5_000);
        mandate.end(next, true);
        mandate.told(before, false);
        left(&mandate, 5_000);
        mandate.told(next, false);
        left(&mandate, 10_000);
    }

    #[test]
    fn an_order_that_is_declined_before_it_is_known_to_be_made_is_not_counted() {
        let mut mandate = Mandate::new(Some(eur(10_000)));
        let order = order(1, 6_000, NOW);
        mandate.begin(order);
        mandate.told(order, false);
        mandate.end(order, true);
        left(&mandate, 10_000);
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
