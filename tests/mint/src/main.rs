//! A real mint, cdk's, as a process of its own that a test can end at any moment: over HTTP on loopback, with its books in a file, and
//! with a Lightning backend that takes every invoice for paid. Its ecash stands for nothing, so it exists for tests
//! and for trying the page with play money (`cargo xtask up --play-money`), and nowhere else.
//!
//! `haggle-mint FOLDER ADDRESS` prints `ready URL`. A line on standard input is answered by that line and the sum that is out of its
//! hands, by its own books: everything that it has signed, without what has come back.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, Write as _};
use std::sync::Arc;

use cdk::mint::{MintBuilder, MintMeltLimits, UnitConfig};
use cdk::nuts::{CurrencyUnit, Id, PaymentMethod};
use cdk_common::common::FeeReserve;
use cdk_fake_wallet::FakeWallet;
use cdk_sqlite::mint::MintSqliteDatabase;
use tokio::net::TcpListener;

/// The largest payment in or out, in minor units.
const LARGEST: u64 = 10_000_000;

/// Whatever goes wrong: its test prints it.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, address] = args.as_slice() else {
        return Err("haggle-mint FOLDER ADDRESS".into());
    };
    let books = format!("{folder}/mint.sqlite");
    let db = Arc::new(MintSqliteDatabase::new(books.as_str()).await?);
    let mint = mint(db).await?;
    let router = cdk_axum::create_mint_router(Arc::clone(&mint), vec!["bolt11".into()]).await?;
    let listener = TcpListener::bind(address).await?;
    say(&format!("ready http://{}", listener.local_addr()?))?;
    let asked = tokio::runtime::Handle::current();
    std::thread::spawn(move || {
        for question in std::io::stdin().lock().lines().map_while(Result::ok) {
            let sum = asked.block_on(outstanding(&mint));
            let line = sum.map_or_else(
                |error| format!("error {error}"),
                |sum| format!("out {question} {sum}"),
            );
            if say(&line).is_err() {
                break;
            }
        }
    });
    Ok(axum::serve(listener, router).await?)
}

async fn mint(db: Arc<MintSqliteDatabase>) -> Outcome<Arc<cdk::Mint>> {
    let mut builder = MintBuilder::new(Arc::clone(&db) as _);
    for unit in [CurrencyUnit::Sat, CurrencyUnit::Eur, CurrencyUnit::Usd] {
        builder.configure_unit(unit.clone(), UnitConfig::default())?;
        let reserve = FeeReserve {
            min_fee_reserve: 1.into(),
            percent_fee_reserve: 0.0,
        };
        let backend = FakeWallet::new(reserve, HashMap::new(), HashSet::new(), 0, unit.clone());
        let limits = MintMeltLimits::new(1, LARGEST);
        builder
            .add_payment_processor(unit, PaymentMethod::BOLT11, limits, Arc::new(backend))
            .await?;
    }
    let mint = Arc::new(builder.build_with_seed(db, &[7; 64]).await?);
    mint.start().await?;
    Ok(mint)
}

async fn outstanding(mint: &cdk::Mint) -> Result<u64, cdk::Error> {
    let sum = |all: HashMap<Id, cdk::Amount>| -> u64 { all.into_values().map(u64::from).sum() };
    let issued = sum(mint.total_issued().await?);
    Ok(issued - sum(mint.total_redeemed().await?))
}

fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
