//! Money of a peer without a page: ecash at the mints that its file or its command line names.

use std::sync::Arc;

use haggle_node::market::RailFacts;
use haggle_node::payments::ECASH;
use haggle_node::payments::cashu::{Cashu, over};
use haggle_node::{OpenRail, RailSetup};
use haggle_protocol::Custodian;

/// How the rail is called on the wire.
pub(crate) const RAIL: &str = ECASH.name;

/// The mint at an address.
///
/// # Errors
/// What is wrong with the address.
pub(crate) fn mint(address: &str) -> Result<Custodian, String> {
    let web = address.starts_with("https://") || address.starts_with("http://");
    let mint = Custodian::new(address).ok().filter(|_| web);
    mint.ok_or_else(|| format!("{address:?} is no address of a mint like \"https://mint.example\""))
}

/// The rails of this program: ecash, with mints on the web and behind peers.
pub(crate) fn rails() -> Vec<RailSetup> {
    let facts = RailFacts {
        name: RAIL.to_owned(),
        floor: ECASH.floor,
        ceiling: ECASH.ceiling,
    };
    vec![RailSetup {
        facts,
        open: Arc::new(|store, seed, carrier| {
            Box::pin(async move {
                let cashu = Cashu::open(store, seed, over(carrier)).await?;
                Ok(Arc::new(cashu) as OpenRail)
            })
        }),
    }]
}
