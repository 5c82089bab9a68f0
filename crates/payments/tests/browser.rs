//! In a real browser: cdk's own laws for wallet databases over IndexedDB, which nothing but a browser has; what a wallet saved is there
//! for the next page; and the attacks on a mint, from here over HTTP to a mint that is a program of its own.
#![cfg(all(feature = "cashu", target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)] // Tests; the lint does not see that of their helpers.

mod attacks;

use std::sync::Arc;
use std::time::Duration;

use cdk::nuts::SecretKey;
use cdk::wallet::HttpClient;
use cdk_common::database::WalletDatabase as _;
use cdk_common::database::wallet::test;
use futures_timer::Delay;
use haggle_payments::cashu::{Cashu, Ledger, http};
use haggle_payments::{Purse, Rail as _};
use haggle_protocol::keys::Root;
use haggle_protocol::{Asset, Custodian};
use haggle_store::IndexedDb;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// A ledger over a database of its own; the browser starts each run with an empty folder.
async fn ledger(name: &str) -> Ledger {
    let store = IndexedDb::open(name).await.unwrap();
    Ledger::open(Box::new(store)).await.unwrap()
}

macro_rules! laws {
    ($($law:ident)*) => {
        $(
            #[wasm_bindgen_test]
            async fn $law() {
                test::$law(ledger(stringify!($law)).await).await;
            }
        )*
    };
}

// Those of `cdk_common::wallet_db_test!`, which is made for tokio.
laws! {
    add_and_get_mint
    add_mint_without_info
    remove_mint
    update_mint_url
    add_and_get_keysets
    get_keyset_by_id_in_transaction
    add_and_get_keys
    get_keys_in_transaction
    remove_keys
    add_and_get_mint_quote
    get_mint_quote_in_transaction
    remove_mint_quote
    add_and_get_melt_quote
    get_melt_quote_in_transaction
    remove_melt_quote
    add_mint_quote_optimistic_locking
    add_melt_quote_optimistic_locking
    add_and_get_proofs
    get_proofs_in_transaction
    update_proofs
    update_proofs_state
    filter_proofs_by_unit
    filter_proofs_by_state
    get_balance
    get_balance_by_state
    increment_keyset_counter
    keyset_counter_isolation
    increment_derivation_counter
    derivation_counters_are_independent
    derivation_counter_is_atomic
    add_and_get_transaction
    update_transaction_status
    same_proofs_in_different_sagas
    list_transactions
    filter_transactions_by_mint
    remove_transaction
    kvstore_write_and_read
    kvstore_list
    kvstore_update
    kvstore_remove
    kvstore_namespace_isolation
    add_and_get_saga
    update_saga_optimistic_locking
    delete_saga
    get_incomplete_sagas
    reserve_proofs
    release_proofs
    release_proofs_preserves_spent
    get_reserved_proofs
    reserve_proofs_already_reserved
    reserve_proofs_is_atomic
}

#[wasm_bindgen_test]
async fn what_a_wallet_counted_is_counted_on_by_the_next_page() {
    let place = "009a1f293253e41e".parse().unwrap();
    let first = ledger("reload").await;
    assert_eq!(first.increment_keyset_counter(&place, 7).await.unwrap(), 7);
    drop(first);
    let second = ledger("reload").await;
    assert_eq!(second.increment_keyset_counter(&place, 1).await.unwrap(), 8);
}

/// The mint, by its address.
const MINT: Option<&str> = option_env!("HAGGLE_TEST_MINT");

/// A mint that this page reaches by HTTP.
struct Page;

/// Somebody whom nobody has seen before: the mint remembers what it has signed for others.
async fn somebody(purse: &Purse) -> attacks::One {
    let secret = SecretKey::generate();
    let root = Root::from_entropy(&secret.as_secret_bytes()[..16]);
    // A part of its public key, as long as a profile's name may be, is a name that nobody else has.
    let profile = &secret.public_key().to_hex()[2..34];
    let store = IndexedDb::open(profile).await.unwrap();
    let rail = Cashu::open(Box::new(store), root.rail("cashu"), http());
    let rail = rail.await.unwrap();
    rail.trust(&purse.custodian).await.unwrap();
    #[allow(clippy::arc_with_non_send_sync, reason = "it is shared natively")]
    let rail = Arc::new(rail);
    attacks::One { root, rail }
}

impl attacks::Place for Page {
    async fn three(&self, minor: u64) -> attacks::Three {
        let url = MINT.expect("no mint is named by HAGGLE_TEST_MINT: `cargo xtask test --only wasm` starts one and sets it");
        let purse = Purse {
            custodian: Custodian::new(url).unwrap(),
            asset: Asset::new("sat").unwrap(),
        };
        let buyer = somebody(&purse).await;
        buyer.rail.deposit(&purse, minor).await.unwrap();
        let mut came = 0;
        // What is behind the mint takes every invoice for paid and says so a little later; the mint is asked until it has heard.
        for _ in 0..500 {
            let all = buyer.rail.collect().await.unwrap();
            came += all.iter().map(|(_, minor)| minor).sum::<u64>();
            if came == minor {
                break;
            }
            Delay::new(Duration::from_millis(10)).await;
        }
        assert_eq!(came, minor, "a deposit");
        attacks::Three {
            buyer,
            seller: somebody(&purse).await,
            arbiter: somebody(&purse).await,
            client: Arc::new(HttpClient::new(url.parse().unwrap(), None)),
            purse,
        }
    }
}

macro_rules! attacks_on_a_mint {
    ($($attack:ident)*) => {
        $( #[wasm_bindgen_test] async fn $attack() { attacks::$attack(&Page).await; } )*
    };
}

for_each_attack!(attacks_on_a_mint);
