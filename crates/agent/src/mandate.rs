//! What may be bought in a day.
//!
//! Spent is what the trades say: every order of one's own within 24 hours that its seller has not declined and nobody has cancelled. So a
//! restart forgets nothing, and an order that came to nothing can be made again elsewhere. One that was not confirmed in time counts on, since
//! its seller may still do so, until somebody else is asked for the same request: then he cannot. An order that is on its way is counted as
//! well, beside what the trade of the same exchange says: if it is not taken, that one still holds.

use std::collections::BTreeMap;

use haggle_node::market::Trade;
use haggle_node::market::view::{Role, TradeState};
use haggle_protocol::{Asset, IntentId, Money, ThreadId, Timestamp};

/// The span over which it is counted, in seconds.
const DAY: u64 = 24 * 60 * 60;

/// The most that may be bought within 24 hours, and what was.
#[derive(Debug, Default)]
pub struct Mandate {
    most: Option<Money>,
    orders: BTreeMap<ThreadId, Made>,
    begun: Vec<Order>,
}

/// An order that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// In which exchange.
    pub thread: ThreadId,
    /// For which request of one's own, if that is known.
    pub intent: Option<IntentId>,
    /// Of how much.
    pub total: Money,
    /// When.
    pub at: Timestamp,
}

/// An order that was made.
#[derive(Clone, Copy, Debug)]
struct Made {
    order: Order,
    /// Its seller has not confirmed it in time.
    late: bool,
}

/// What a trade says of its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    /// It binds, or may in a moment.
    Yes,
    /// It was not confirmed in time.
    Late,
    /// It came to nothing.
    No,
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
        let stands = match trade.state {
            TradeState::Ordered
            | TradeState::Confirmed
            | TradeState::ContactsExchanged
            | TradeState::Dispatched
            | TradeState::Delivered
            | TradeState::Received
            | TradeState::Lapsed => Stands::Yes,
            TradeState::NotConfirmed => Stands::Late,
            TradeState::Declined(_) | TradeState::Cancelled { .. } => Stands::No,
        };
        let order = Order {
            thread: trade.thread,
            intent: Some(trade.intent),
            total: trade.quote.total,
            at: trade.ordered,
        };
        self.told(order, stands);
    }

    fn told(&mut self, order: Order, stands: Stands) {
        let known = self.orders.get(&order.thread);
        if known.is_some_and(|known| known.order.at > order.at) {
            // News of an order before that one.
            return;
        }
        if stands != Stands::No {
            let late = stands == Stands::Late;
            self.orders.insert(order.thread, Made { order, late });
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
            self.told(order, Stands::Yes);
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

    /// Whether so much may be ordered now, for this request. Of what was ordered for the same one before, an order that was not confirmed in
    /// time makes room.
    ///
    /// # Errors
    /// [`Beyond`] if not.
    pub fn allows(
        &self,
        total: Money,
        intent: Option<IntentId>,
        now: Timestamp,
    ) -> Result<(), Beyond> {
        let most = self.most.ok_or(Beyond::Nothing)?;
        if most.asset != total.asset {
            return Err(Beyond::Currency(most.asset));
        }
        let asked = || {
            let standing = self.orders.values().filter(|made| !made.late);
            standing.map(|made| &made.order).chain(&self.begun)
        };
        // Whoever else is asked for the same, now or before: the first one's confirmation is not taken any more.
        let gives_way = |made: &Made| {
            let same = |order: Option<IntentId>| order.is_some() && order == made.order.intent;
            made.late && (same(intent) || asked().any(|order| same(order.intent)))
        };
        let recent = self
            .orders
            .values()
            .filter(|made| !gives_way(made))
            .map(|made| &made.order)
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
    const REQUEST: IntentId = IntentId([1; 32]);
    const OTHER: IntentId = IntentId([2; 32]);

    fn eur(minor: u64) -> Money {
        Money::new(minor, Asset::new("EUR").unwrap())
    }

    fn order(thread: u8, minor: u64, at: Timestamp) -> Order {
        Order {
            thread: ThreadId([thread; 32]),
            intent: Some(REQUEST),
            total: eur(minor),
            at,
        }
    }

    fn left(mandate: &Mandate, minor: u64) {
        assert_eq!(mandate.allows(eur(minor), Some(OTHER), NOW), Ok(()));
        let more = mandate.allows(eur(minor + 1), Some(OTHER), NOW);
        assert_eq!(more, Err(Beyond::Amount(eur(minor))));
    }

    #[test]
    fn without_a_mandate_nothing_is_bought() {
        assert_eq!(
            Mandate::default().allows(eur(1), Some(OTHER), NOW),
            Err(Beyond::Nothing)
        );
    }

    #[test]
    fn a_day_allows_its_amount_and_not_a_cent_more() {
        let mut mandate = Mandate::new(Some(eur(10_000)));
        mandate.begin(order(1, 6_000, NOW));
        left(&mandate, 4_000);
        mandate.end(order(1, 6_000, NOW), true);
        left(&mandate, 4_000);
        assert_eq!(mandate.allows(eur(4_001), Some(OTHER), NOW + DAY), Ok(()));
    }

    #[test]
    fn an_order_that_came_to_nothing_is_not_counted_and_none_is_counted_twice() {
        let mut mandate = Mandate::new(Some(eur(10_000)));
        let first = order(1, 6_000, NOW);
        mandate.begin(first);
        mandate.end(first, true);
        mandate.told(first, Stands::Yes);
        left(&mandate, 4_000);
        mandate.told(first, Stands::No);
        left(&mandate, 10_000);
        mandate.begin(first);
        mandate.end(first, false);
        left(&mandate, 10_000);
    }

    #[test]
    fn an_order_that_is_not_taken_leaves_the_one_before_counted() {
        let mut mandate = Mandate::new(Some(eur(10_000)));
        mandate.told(order(1, 6_000, NOW - 100), Stands::Yes);
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
        mandate.told(before, Stands::No);
        left(&mandate, 5_000);
        mandate.end(next, true);
        mandate.told(before, Stands::No);
        left(&mandate, 5_000);
        mandate.told(next, Stands::No);
        left(&mandate, 10_000);
    }

    #[test]
    fn an_order_that_is_declined_before_it_is_known_to_be_made_is_not_counted() {
        let mut mandate = Mandate::new(Some(eur(10_000)));
        let order = order(1, 6_000, NOW);
        mandate.begin(order);
        mandate.told(order, Stands::No);
        mandate.end(order, true);
        left(&mandate, 10_000);
    }

    #[test]
    fn an_order_that_was_not_confirmed_in_time_counts_until_somebody_else_is_asked_for_the_same() {
        let mut mandate = Mandate::new(Some(eur(10_000)));
        let late = order(1, 6_000, NOW);
        mandate.told(late, Stands::Late);
        left(&mandate, 4_000);
        assert_eq!(mandate.allows(eur(10_000), Some(REQUEST), NOW), Ok(()));
        let next = order(2, 7_000, NOW + 1);
        mandate.begin(next);
        mandate.end(next, true);
        // His confirmation is not taken any more, and the market says nothing more of him.
        left(&mandate, 3_000);
        let more = mandate.allows(eur(3_001), Some(REQUEST), NOW);
        assert_eq!(more, Err(Beyond::Amount(eur(3_000))));
        mandate.told(next, Stands::No);
        left(&mandate, 4_000);
        mandate.told(late, Stands::Yes);
        let confirmed = mandate.allows(eur(4_001), Some(REQUEST), NOW);
        assert_eq!(confirmed, Err(Beyond::Amount(eur(4_000))));
    }

    #[test]
    fn another_currency_is_never_within_the_mandate() {
        let mandate = Mandate::new(Some(eur(10_000)));
        let usd = Asset::new("USD").unwrap();
        assert_eq!(
            mandate.allows(Money::new(1, usd), Some(OTHER), NOW),
            Err(Beyond::Currency(eur(0).asset))
        );
    }
}
