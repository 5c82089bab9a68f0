//! A product list that was read, beside what the stall holds already: what it would change.

use crate::node::{Item, ItemId};

/// What putting a list into the stall would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is to be put in: all but what is there already, as it is.
    pub put: Vec<Item>,
    /// How many are new, changed, and as before.
    pub counts: [u64; 3],
}

impl Plan {
    /// Compares a list with a stall.
    #[must_use]
    pub fn of(list: Vec<Item>, stall: &[Item]) -> Self {
        let known: std::collections::BTreeMap<ItemId, &Item> =
            stall.iter().map(|item| (item.id, item)).collect();
        let mut plan = Self::default();
        for item in list {
            let place = match known.get(&item.id) {
                None => 0,
                Some(before) if in_order(before) != in_order(&item) => 1,
                Some(_) => 2,
            };
            plan.counts[place] += 1;
            if place < 2 {
                plan.put.push(item);
            }
        }
        plan
    }
}

/// A table has its columns in an order of its own, so that of an item's properties says nothing.
fn in_order(item: &Item) -> Item {
    let mut item = item.clone();
    item.attributes
        .sort_by(|one, other| one.key.cmp(&other.key));
    item
}

#[cfg(test)]
mod tests {
    use super::*;
    use haggle_node::market::sheet;

    #[test]
    fn a_list_that_was_written_out_changes_nothing_when_it_is_read_again() {
        let table = "sku,title,category,price,currency,quality,deliveries,is size,is colour\n\
                     a,Lamp,0,5,EUR,good,pickup,tall,red\n\
                     b,Chair,0,9,EUR,good,pickup,,\n";
        let stall = sheet::read(table.as_bytes()).unwrap();
        let again = sheet::read(sheet::csv(&stall).unwrap().as_bytes()).unwrap();
        let plan = Plan::of(again, &stall);
        assert_eq!((plan.put.len(), plan.counts), (0, [0, 0, 2]));
        let dearer = table.replace(",9,", ",10,") + "c,Table,0,50,EUR,good,pickup,,\n";
        let plan = Plan::of(sheet::read(dearer.as_bytes()).unwrap(), &stall);
        let titles: Vec<_> = plan.put.iter().map(|item| item.title.as_str()).collect();
        assert_eq!((titles, plan.counts), (vec!["Chair", "Table"], [1, 1, 1]));
    }
}
