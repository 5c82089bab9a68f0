//! The attacks on a mint, at one in the same process.

use std::sync::Arc;

use haggle_protocol::keys::Root;

use crate::attacks::{self, One, Place};
use crate::for_each_attack;
use crate::support::{Person, Three};

/// A mint in this process.
struct Here;

impl Place for Here {
    async fn three(&self, minor: u64) -> attacks::Three {
        let three = Three::new("sat", 0, minor).await;
        let one = |person: &Person, number| One {
            root: Root::from_entropy(&[number; 16]),
            rail: Arc::clone(&person.rail),
        };
        attacks::Three {
            buyer: one(&three.buyer, 1),
            seller: one(&three.seller, 2),
            arbiter: one(&three.arbiter, 3),
            client: Arc::new(three.mint.client()),
            purse: three.purse,
        }
    }
}

macro_rules! here {
    ($($attack:ident)*) => { $( #[tokio::test] async fn $attack() { attacks::$attack(&Here).await; } )* };
}

for_each_attack!(here);
