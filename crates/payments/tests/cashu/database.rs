//! cdk's own laws for wallet databases, over our ledger.

use cdk_common::wallet_db_test;
use haggle_payments::cashu::Ledger;
use haggle_store::Memory;

async fn ledger(_: String) -> Ledger {
    Ledger::open(Box::new(Memory::new())).await.unwrap()
}

wallet_db_test!(ledger);
