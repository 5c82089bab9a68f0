//! Money of a peer without a page: ecash at the mints that its file or its command line names.

use std::sync::Arc;

use haggle_node::market::RailFacts;
use haggle_node::payments::cashu::{CAPABILITIES, Cashu, http};
use haggle_node::{OpenRail, RailSetup};

/// How the rail is called on the wire.
pub(crate) const RAIL: &str = CAPABILITIES.name;

/// The rails of this program: ecash, with mints reached by HTTP.
pub(crate) fn rails() -> Vec<RailSetup> {
    let facts = RailFacts {
        name: RAIL.to_owned(),
        floor: CAPABILITIES.floor,
        ceiling: CAPABILITIES.ceiling,
    };
    vec![RailSetup {
        facts,
        open: Arc::new(|store, seed| {
            Box::pin(async move {
                let cashu = Cashu::open(store, seed, http()).await?;
                Ok(Arc::new(cashu) as OpenRail)
            })
        }),
    }]
}
