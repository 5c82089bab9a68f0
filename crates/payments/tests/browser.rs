//! In a real browser: cdk's own laws for wallet databases over IndexedDB, which nothing but a browser has; what a wallet saved is there
//! for the next page.
#![cfg(all(feature = "cashu", target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)] // Tests; the lint does not see that of their helpers.

use cdk_common::database::WalletDatabase as _;
use cdk_common::database::wallet::test;
use haggle_payments::cashu::Ledger;
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
