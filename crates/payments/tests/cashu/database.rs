//! cdk's own laws for wallet databases, over our ledger.

use cdk::mint_url::MintUrl;
use cdk::nuts::{CurrencyUnit, Id, KeySetInfo};
use cdk_common::database::WalletDatabase as _;
use cdk_common::wallet_db_test;
use haggle_payments::cashu::Ledger;
use haggle_store::Memory;

async fn ledger(_: String) -> Ledger {
    Ledger::open(Box::new(Memory::new())).await.unwrap()
}

wallet_db_test!(ledger);

#[tokio::test]
async fn a_mint_that_names_another_one_s_keys_changes_nothing_about_them() {
    let ledger = ledger(String::new()).await;
    let id: Id = "009a1f293253e41e".parse().unwrap();
    let info = |active, input_fee_ppk| KeySetInfo {
        id,
        unit: CurrencyUnit::Sat,
        active,
        input_fee_ppk,
        final_expiry: None,
    };
    let own: MintUrl = "https://own.example".parse().unwrap();
    let other: MintUrl = "https://other.example".parse().unwrap();
    let saved = ledger.add_mint_keysets(own.clone(), vec![info(true, 1)]);
    saved.await.unwrap();
    let meddled = ledger.add_mint_keysets(other.clone(), vec![info(false, 999)]);
    meddled.await.unwrap();
    assert_eq!(
        ledger.get_mint_keysets(own.clone()).await.unwrap(),
        Some(vec![info(true, 1)])
    );
    assert_eq!(ledger.get_mint_keysets(other).await.unwrap(), None);
    let turned = ledger.add_mint_keysets(own.clone(), vec![info(false, 2)]);
    turned.await.unwrap();
    assert_eq!(
        ledger.get_mint_keysets(own).await.unwrap(),
        Some(vec![info(false, 2)])
    );
}
