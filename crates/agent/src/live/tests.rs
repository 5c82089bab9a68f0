//! What goes on while something does not come to its end.

use std::sync::Arc;

use async_trait::async_trait;
use haggle_node::market::RailFacts;
use haggle_node::payments::{Capabilities, Direct, Error as RailError, Purse, Rail, Withdrawal};
use haggle_node::store::{Memory, Store as _};
use haggle_node::{OpenRail, RailSetup};
use haggle_protocol::phrase::Phrase;
use haggle_protocol::{Asset, Timestamp};
use tokio::io::{AsyncWriteExt as _, DuplexStream, Lines, ReadHalf, WriteHalf, duplex, split};
use tokio::task::JoinHandle;

use super::*;

/// How long anything that works may take on a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// A rail that never pays out, and takes its time for everything else.
#[derive(Debug, Default)]
struct Silent {
    trusted: std::sync::Mutex<Vec<Custodian>>,
}

#[async_trait]
impl Rail for Silent {
    fn capabilities(&self) -> Capabilities {
        Direct.capabilities()
    }

    async fn trust(&self, custodian: &Custodian) -> Result<(), RailError> {
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.trusted.lock().unwrap().push(custodian.clone());
        Ok(())
    }

    async fn trusted(&self) -> Result<Vec<Custodian>, RailError> {
        Ok(self.trusted.lock().unwrap().clone())
    }

    async fn withdraw(&self, _: &Purse, _: &str) -> Result<Withdrawal, RailError> {
        std::future::pending().await
    }
}

async fn agent(mandate: Mandate, out: Out) -> Agent {
    let mut config = Config::new(Vec::new(), Box::new(Memory::new()));
    config.rails = vec![RailSetup {
        facts: RailFacts {
            name: money::RAIL.to_owned(),
            floor: 1,
            ceiling: 1_000_000,
        },
        open: Arc::new(|_, _, _| Box::pin(async { Ok(Arc::new(Silent::default()) as OpenRail) })),
    }];
    let client = haggle_node::open(config).await.unwrap();
    let mut agent = Agent::over(client, mandate, None, out);
    agent.begin().await.unwrap();
    agent
}

/// A peer that runs, and a program that talks to it.
struct Talk {
    to: WriteHalf<DuplexStream>,
    from: Lines<BufReader<ReadHalf<DuplexStream>>>,
    _running: JoinHandle<()>,
}

impl Talk {
    fn begin() -> Self {
        let (here, there) = duplex(1 << 16);
        let (from, to) = split(here);
        let (lines, out) = split(there);
        let _running = tokio::spawn(async move {
            let mut agent = agent(Mandate::default(), Out::to(out)).await;
            let _ = agent.live(None, BufReader::new(lines)).await;
        });
        let from = BufReader::new(from).lines();
        Self { to, from, _running }
    }

    async fn tell(&mut self, line: &Value) {
        let line = format!("{line}\n");
        self.to.write_all(line.as_bytes()).await.unwrap();
    }

    /// What is said next of this kind.
    async fn hears(&mut self, kind: &str) -> Value {
        let heard = async {
            loop {
                let line = self.from.next_line().await.unwrap().unwrap();
                let mut line: Value = serde_json::from_str(&line).unwrap();
                if line["type"] == kind {
                    return line["data"].take();
                }
            }
        };
        tokio::time::timeout(SOON, heard).await.expect(kind)
    }
}

fn withdraw() -> Value {
    let purse = json!({ "custodian": "https://mint.example", "asset": "EUR" });
    json!({ "wallet": { "withdraw": { "purse": purse, "request": "lnbc1" } } })
}

#[tokio::test]
async fn a_withdrawal_that_does_not_end_holds_up_neither_lines_nor_events() {
    let mut talk = Talk::begin();
    talk.tell(&withdraw()).await;
    talk.tell(&json!({ "wallet": "balances" })).await;
    assert_eq!(
        talk.hears("reply").await["wallet"],
        json!({ "balances": [] })
    );
    talk.tell(&json!("snapshot")).await;
    assert_eq!(talk.hears("reply").await, "done");
    talk.tell(&json!("snapshot")).await;
    talk.hears("stall").await;
}

#[tokio::test]
async fn more_questions_to_the_wallet_than_can_wait_are_refused_and_lines_go_on() {
    let mut talk = Talk::begin();
    for _ in 0..=WALLET_MAX {
        talk.tell(&withdraw()).await;
    }
    assert_eq!(talk.hears("complaint").await["code"], "wallet-busy");
    talk.tell(&json!("snapshot")).await;
    assert_eq!(talk.hears("reply").await, "done");
}

#[tokio::test]
async fn the_wallet_does_one_thing_after_the_other_and_waits_for_no_payout() {
    let mut talk = Talk::begin();
    let mint = "https://mint.example";
    talk.tell(&withdraw()).await;
    talk.tell(&json!({ "wallet": { "trust": { "custodian": mint } } }))
        .await;
    talk.tell(&json!({ "wallet": "custodians" })).await;
    assert_eq!(talk.hears("reply").await, json!({ "wallet": "done" }));
    let named = talk.hears("reply").await;
    assert_eq!(named, json!({ "wallet": { "custodians": [mint] } }));
}

#[tokio::test]
async fn lines_are_answered_in_their_order() {
    let mut talk = Talk::begin();
    let relay = "/dns4/relay.example/tcp/443";
    for line in [
        json!("snapshot"),
        json!("phrase"),
        json!({ "fly": relay }),
        json!("snapshot"),
    ] {
        talk.tell(&line).await;
    }
    assert_eq!(talk.hears("reply").await, "done");
    assert!(talk.hears("reply").await["phrase"].is_string());
    assert_eq!(talk.hears("complaint").await["code"], "bad-command");
    assert_eq!(talk.hears("reply").await, "done");
}

#[tokio::test]
async fn a_signal_ends_it_while_nobody_reads_its_lines() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        relays: Vec::new(),
        data: folder.path().join("haggle.redb"),
        network: None,
        mandate: None,
        escrow: None,
        hide: None,
    };
    // A pipe that is full at once.
    let (out, _nobody_reads) = duplex(16);
    let stop = tokio::time::sleep(Duration::from_millis(500));
    let ended = run_with(Task::Live, options, stop, Out::to(out));
    let ended = tokio::time::timeout(SOON, ended).await;
    assert!(matches!(ended, Ok(Ok(()))));
}

fn order(minor: u64) -> Order {
    Order {
        thread: ThreadId([7; 32]),
        intent: None,
        total: Money::new(minor, Asset::new("EUR").unwrap()),
        at: haggle_node::now(),
    }
}

/// Has a quote taken, and gives the code of the complaint about it.
async fn refused(agent: &mut Agent, total: Money, escrow: Option<Payment>) -> String {
    match agent.accept(ThreadId([7; 32]), total, None, escrow, Value::Null) {
        Err(complaint) => complaint.code,
        Ok(()) => {
            let (about, answer) = agent.asked.next().await.unwrap();
            agent.answered(&about, &answer).await.unwrap();
            answer.unwrap_err().code
        }
    }
}

#[tokio::test]
async fn nothing_is_locked_at_a_rate_that_no_mandate_bounds() {
    let most = order(10_000).total;
    let mut agent = agent(Mandate::new(Some(most)), Out::to(tokio::io::sink())).await;
    let payment = |code: &str| Payment {
        keeper: Keeper {
            rail: money::RAIL.to_owned(),
            custodian: Custodian::new("https://mint.example").unwrap(),
            asset: Asset::new(code).unwrap(),
        },
        minor: (code == "sat").then_some(1_000_000),
        arbiter: None,
    };
    let total = order(1_000).total;
    let code = refused(&mut agent, total, Some(payment("sat"))).await;
    assert_eq!(code, "other-currency");
    // In its own currency it is the peer that knows nothing of such a quote.
    let code = refused(&mut agent, total, Some(payment("EUR"))).await;
    assert_eq!(code, "no-such-thread");
}

#[tokio::test]
async fn an_order_that_is_refused_leaves_the_one_before_counted() {
    let most = order(10_000).total;
    let mut agent = agent(Mandate::new(Some(most)), Out::to(tokio::io::sink())).await;
    let before = order(6_000);
    agent.mandate.begin(before);
    agent.mandate.end(before, true);
    let code = refused(&mut agent, order(4_000).total, None).await;
    assert_eq!(code, "no-such-thread");
    let code = refused(&mut agent, order(4_001).total, None).await;
    assert_eq!(code, "beyond-mandate");
}

#[tokio::test]
async fn a_backup_that_cannot_be_put_back_leaves_no_file_in_the_way_of_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("haggle.data");
    let phrase = Phrase::of(&[7; 16]).unwrap();
    let backup = |records: &[(String, Vec<u8>)]| {
        let file = backup::seal(records, &phrase, None, Timestamp(1_800_000_000), [9; 64]);
        backup::open(&file.unwrap(), &backup::Secret::Phrase(phrase.clone())).unwrap()
    };
    let store = Memory::new();
    backup::restore_phrase(&store, &phrase).await.unwrap();
    let whole = store.load().await.unwrap();
    let broken: Vec<_> = whole
        .iter()
        .map(|(key, _)| (key.clone(), b"no record".to_vec()))
        .collect();
    assert!(put_back(backup(&broken), &data).await.is_err());
    assert!(!data.exists());
    put_back(backup(&whole), &data).await.unwrap();
    assert!(data.exists());
}
