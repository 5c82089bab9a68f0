//! A real mint in the same process (cdk's own, with a Lightning backend that pays for nothing), reached through a pipe that loses,
//! repeats, delays and refuses as a test says; and people whose peers can be ended at any step and started again from what they saved.
//!
//! There is no network, so every step can be counted: each request is two (it leaves, its answer comes) and each commit is one.

use std::collections::{HashMap, HashSet};
use std::env;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use cdk::mint::{MintBuilder, MintMeltLimits, UnitConfig};
use cdk::mint_url::MintUrl;
use cdk::nuts::{AuthToken, CurrencyUnit, PaymentMethod, State};
use cdk::wallet::{BaseHttpClient, HttpTransport, MintConnector};
use cdk_common::common::FeeReserve;
use cdk_common::database::WalletDatabase as _;
use cdk_common::{HttpError, RawResponse};
use cdk_fake_wallet::FakeWallet;
use futures::future::{Either, select};
use haggle_payments::cashu::{Cashu, Connect, Ledger, within};
use haggle_payments::{Deal, Error, Locked, Moved, Outcome, Purse, Rail, Settlement, Way, Why};
use haggle_protocol::keys::Root;
use haggle_protocol::{
    Asset, Contract, Custodian, MessageId, Money, Party, Side, Split, Timestamp,
};
use haggle_store::{Answer, Memory, Record, Store, Write};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Barrier;
use tower::ServiceExt;
use url::Url;

use crate::laws;

/// A mint, and the only way to it.
#[derive(Clone)]
pub(crate) struct Mint {
    pub(crate) mint: Arc<cdk::Mint>,
    pub(crate) name: Custodian,
    router: Router,
    /// What its information says, changed on the way: a mint that lacks something.
    pub(crate) without: Arc<Mutex<HashSet<&'static str>>>,
    pub(crate) gone: Arc<AtomicBool>,
    /// It takes every request and answers none.
    pub(crate) silent: Arc<AtomicBool>,
    /// Requests to paths that contain one of these are lost.
    pub(crate) deaf: Arc<Mutex<Vec<&'static str>>>,
    /// What happens to the next request to a path that ends like this.
    trick: Arc<Mutex<Option<(&'static str, Fault)>>>,
    held: Arc<Mutex<Vec<Late>>>,
}

impl Mint {
    /// A mint for sat and eur that takes so much for a thousand inputs.
    pub(crate) async fn new(name: &str, fee_ppk: u64) -> Self {
        let db = Arc::new(cdk_sqlite::mint::memory::empty().await.unwrap());
        let mut builder = MintBuilder::new(db.clone());
        for unit in [CurrencyUnit::Sat, CurrencyUnit::Eur] {
            let config = UnitConfig {
                input_fee_ppk: fee_ppk,
                ..UnitConfig::default()
            };
            builder.configure_unit(unit.clone(), config).unwrap();
            let reserve = FeeReserve {
                min_fee_reserve: 1.into(),
                percent_fee_reserve: 0.0,
            };
            let backend = FakeWallet::new(reserve, HashMap::new(), HashSet::new(), 0, unit.clone());
            let limits = MintMeltLimits::new(1, 10_000_000);
            builder
                .add_payment_processor(unit, PaymentMethod::BOLT11, limits, Arc::new(backend))
                .await
                .unwrap();
        }
        // Another name, other keys.
        let seed = [name.bytes().fold(7, u8::wrapping_add); 64];
        let mint = Arc::new(builder.build_with_seed(db, &seed).await.unwrap());
        mint.start().await.unwrap();
        let router = cdk_axum::create_mint_router(mint.clone(), vec!["bolt11".into()])
            .await
            .unwrap();
        Self {
            mint,
            name: Custodian::new(&format!("https://{name}.example")).unwrap(),
            router,
            without: Arc::default(),
            gone: Arc::default(),
            silent: Arc::default(),
            deaf: Arc::default(),
            trick: Arc::default(),
            held: Arc::default(),
        }
    }

    /// What is said when it does not say what it was asked.
    pub(crate) fn unknown(&self) -> Error {
        Error::Unknown(self.name.name().to_owned())
    }

    /// Lets this happen to the next request to a path that ends like this.
    pub(crate) fn tricks(&self, path: &'static str, fault: Fault) {
        *self.trick.lock().unwrap() = Some((path, fault));
    }

    /// Requests that were held arrive now; says what became of each.
    pub(crate) async fn lets_in(&self) -> Vec<u16> {
        let held = std::mem::take(&mut *self.held.lock().unwrap());
        let mut all = Vec::new();
        for (method, path, body) in held {
            all.push(self.deliver(&method, &path, body).await.0);
        }
        all
    }

    /// Loses requests to paths that contain one of these, and hears all others.
    pub(crate) fn hears_all_but(&self, paths: &[&'static str]) {
        *self.deaf.lock().unwrap() = paths.to_vec();
    }

    pub(crate) fn purse(&self, asset: &str) -> Purse {
        Purse {
            custodian: self.name.clone(),
            asset: Asset::new(asset).unwrap(),
        }
    }

    /// New keys for a unit; with the old ones nothing is signed any more.
    pub(crate) async fn turns_its_keys(&self, unit: CurrencyUnit) {
        self.turns_to_keys_until(unit, None).await;
    }

    /// The same, with keys that are good for nothing after a time.
    pub(crate) async fn turns_to_keys_until(&self, unit: CurrencyUnit, end: Option<u64>) {
        let amounts = UnitConfig::default().amounts;
        let turned = self.mint.rotate_keyset(unit, amounts, 0, true, end).await;
        turned.unwrap();
    }

    /// What is out of this mint's hands, by its own books: everything it has signed, without what has come back.
    pub(crate) async fn outstanding(&self) -> u64 {
        let sum = |all: HashMap<cdk::nuts::Id, cdk::Amount>| -> u64 {
            all.into_values().map(u64::from).sum()
        };
        let issued = sum(self.mint.total_issued().await.unwrap());
        issued - sum(self.mint.total_redeemed().await.unwrap())
    }

    /// A way to it without any wallet.
    pub(crate) fn client(&self) -> impl MintConnector + use<> {
        let pipe = Pipe {
            mint: self.clone(),
            life: Arc::default(),
            late: Arc::default(),
        };
        BaseHttpClient::with_transport(self.name.name().parse().unwrap(), pipe, None)
    }

    pub(crate) async fn deliver(&self, method: &str, path: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .unwrap();
        self.answer(request).await
    }

    async fn answer(&self, request: Request<Body>) -> (u16, Vec<u8>) {
        let info = request.uri().path().ends_with("/v1/info");
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let mut body = to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap()
            .to_vec();
        let without = self.without.lock().unwrap().clone();
        if info && !without.is_empty() {
            let mut said: serde_json::Value = serde_json::from_slice(&body).unwrap();
            for nut in without {
                said["nuts"][nut]["supported"] = false.into();
            }
            body = serde_json::to_vec(&said).unwrap();
        }
        (status, body)
    }
}

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It never arrives.
    Lost,
    /// It arrives; its answer does not.
    AnswerLost,
    /// It arrives twice; the second answer is heard.
    Twice,
    /// It is given up, and arrives before the next one.
    Late,
    /// It is given up, and arrives when the test lets it in.
    Held,
    /// The mint stumbles before it looks at it.
    Stumble,
    /// The mint is busy and says that it will not look at it. Whoever asks hears a refusal, so no deal goes on by itself.
    Busy,
}

impl From<laws::Fault> for Fault {
    fn from(fault: laws::Fault) -> Self {
        match fault {
            laws::Fault::Lost => Self::Lost,
            laws::Fault::AnswerLost => Self::AnswerLost,
            laws::Fault::Twice => Self::Twice,
            laws::Fault::Late => Self::Late,
            laws::Fault::Stumble => Self::Stumble,
        }
    }
}

/// One life of a peer: what it has done so far, and what will happen to it.
#[derive(Debug, Default)]
pub(crate) struct Life {
    pub(crate) steps: AtomicUsize,
    pub(crate) requests: AtomicUsize,
    /// At which step it ends.
    pub(crate) ends_at: Option<usize>,
    /// What happens to which request, counted from 0.
    pub(crate) fault: Option<(usize, Fault)>,
    /// Before which request it waits, counted from 0: until somebody else has come to the barrier, and come there again.
    pub(crate) pause: Option<(usize, Arc<Barrier>)>,
    /// How long it waits for a mint, if not as long as it does by default.
    pub(crate) patience: Option<Duration>,
}

impl Life {
    /// One that waits before a request, and where somebody else comes to meanwhile.
    pub(crate) fn pausing(request: usize) -> (Self, Arc<Barrier>) {
        let barrier = Arc::new(Barrier::new(2));
        let life = Self {
            pause: Some((request, barrier.clone())),
            ..Self::default()
        };
        (life, barrier)
    }

    pub(crate) fn steps(&self) -> usize {
        self.steps.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Whether it is over, from this step on.
    fn over(&self) -> bool {
        let step = self.steps.fetch_add(1, Ordering::SeqCst);
        self.ends_at.is_some_and(|end| step >= end)
    }
}

/// Method, path and body of a request that arrives later.
type Late = (String, String, Vec<u8>);

#[derive(Clone)]
struct Pipe {
    mint: Mint,
    life: Arc<Life>,
    late: Arc<Mutex<Vec<Late>>>,
}

impl std::fmt::Debug for Pipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pipe")
    }
}

impl Pipe {
    async fn ask(&self, method: &str, url: &Url, body: Vec<u8>) -> Result<RawResponse, HttpError> {
        let lost = || HttpError::Connection("the pipe is cut".into());
        let late = std::mem::take(&mut *self.late.lock().unwrap());
        for (method, path, body) in late {
            self.mint.deliver(&method, &path, body).await;
        }
        if self.mint.silent.load(Ordering::SeqCst) {
            return std::future::pending().await;
        }
        if self.life.over() || self.mint.gone.load(Ordering::SeqCst) {
            return Err(lost());
        }
        let number = self.life.requests.fetch_add(1, Ordering::SeqCst);
        if let Some((at, barrier)) = &self.life.pause
            && *at == number
        {
            barrier.wait().await;
            barrier.wait().await;
        }
        let path = url.path().to_owned();
        let deaf = self.mint.deaf.lock().unwrap().clone();
        if deaf.iter().any(|one| path.contains(one)) {
            return Err(lost());
        }
        let trick = self
            .mint
            .trick
            .lock()
            .unwrap()
            .take_if(|(end, _)| path.ends_with(*end));
        let fault = self.life.fault.filter(|(at, _)| *at == number);
        let answer = match fault
            .or(trick.map(|(_, fault)| (number, fault)))
            .map(|(_, fault)| fault)
        {
            Some(Fault::Held) => {
                let request = (method.to_owned(), path, body);
                self.mint.held.lock().unwrap().push(request);
                return Err(HttpError::Timeout);
            }
            Some(Fault::Lost) => return Err(lost()),
            Some(Fault::Stumble) => return Ok(RawResponse::new(500, b"stumbled".to_vec())),
            Some(Fault::Busy) => return Ok(RawResponse::new(429, b"busy".to_vec())),
            Some(Fault::Late) => {
                let request = (method.to_owned(), path, body);
                self.late.lock().unwrap().push(request);
                return Err(HttpError::Timeout);
            }
            Some(Fault::AnswerLost) => {
                self.mint.deliver(method, &path, body).await;
                return Err(HttpError::Timeout);
            }
            Some(Fault::Twice) => {
                self.mint.deliver(method, &path, body.clone()).await;
                self.mint.deliver(method, &path, body).await
            }
            None => self.mint.deliver(method, &path, body).await,
        };
        if self.life.over() {
            return Err(lost());
        }
        Ok(RawResponse::new(answer.0, answer.1))
    }
}

#[async_trait]
impl HttpTransport for Pipe {
    fn with_proxy(&mut self, _: Url, _: Option<&str>, _: bool) -> Result<(), HttpError> {
        Err(HttpError::Other("a pipe has no proxy".into()))
    }

    async fn http_get<R>(&self, url: Url, auth: Option<AuthToken>) -> Result<R, HttpError>
    where
        R: DeserializeOwned,
    {
        self.http_get_raw(url, auth).await?.json_or_status_error()
    }

    async fn http_get_raw(&self, url: Url, _: Option<AuthToken>) -> Result<RawResponse, HttpError> {
        self.ask("GET", &url, Vec::new()).await
    }

    async fn http_post<P, R>(
        &self,
        url: Url,
        _: Option<AuthToken>,
        payload: &P,
    ) -> Result<R, HttpError>
    where
        P: Serialize + Send + Sync,
        R: DeserializeOwned,
    {
        let body = serde_json::to_vec(payload).unwrap();
        self.ask("POST", &url, body).await?.json_or_status_error()
    }

    async fn http_post_form_raw<P>(
        &self,
        _: Url,
        _: Option<AuthToken>,
        _: &P,
    ) -> Result<RawResponse, HttpError>
    where
        P: Serialize + Send + Sync,
    {
        Err(HttpError::Other("nobody sends forms to a mint".into()))
    }
}

/// A memory that a life writes to for as long as it lasts.
#[derive(Debug)]
struct Mortal {
    pub(crate) memory: Memory,
    life: Arc<Life>,
}

impl Store for Mortal {
    fn load(&self) -> Answer<'_, Vec<Record>> {
        self.memory.load()
    }

    fn bulky(&self) -> Answer<'_, Vec<String>> {
        self.memory.bulky()
    }

    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        self.memory.get(key)
    }

    fn commit(&self, batch: Vec<Write>) -> Answer<'_, ()> {
        if self.life.over() {
            return Box::pin(async { Err(haggle_store::Error::Closed) });
        }
        self.memory.commit(batch)
    }

    fn erase(&self) -> Answer<'_, ()> {
        self.memory.erase()
    }
}

/// Somebody with a wallet.
pub(crate) struct Person {
    pub(crate) root: Root,
    pub(crate) memory: Memory,
    mints: Vec<Mint>,
    pub(crate) life: Arc<Life>,
    pub(crate) rail: Arc<Cashu>,
}

impl Person {
    /// Somebody who trusts these mints.
    pub(crate) async fn new(number: u8, mints: &[Mint]) -> Self {
        let root = Root::from_entropy(&[number; 16]);
        let memory = Memory::new();
        let life = Arc::new(Life::default());
        let rail = open(&root, &memory, mints, &life).await;
        for mint in mints {
            rail.trust(&mint.name).await.unwrap();
        }
        Self {
            root,
            memory,
            mints: mints.to_vec(),
            life,
            rail,
        }
    }

    /// Somebody who reaches mints in this way, and trusts none yet.
    pub(crate) async fn reaching(number: u8, connect: Connect) -> Self {
        let root = Root::from_entropy(&[number; 16]);
        let memory = Memory::new();
        let rail = Cashu::open(Box::new(memory.clone()), root.rail("cashu"), connect);
        Self {
            rail: Arc::new(rail.await.unwrap()),
            root,
            memory,
            mints: Vec::new(),
            life: Arc::default(),
        }
    }

    /// Ends this person's peer and starts it again from what it saved, for a life like this.
    pub(crate) async fn restart(&mut self, life: Life) {
        self.life = Arc::new(life);
        self.rail = open(&self.root, &self.memory, &self.mints, &self.life).await;
    }

    /// The device is gone; another one begins with these records, which are a backup's.
    pub(crate) async fn comes_back(&mut self, records: Vec<Record>) {
        self.memory = Memory::new();
        let writes = records
            .into_iter()
            .map(|(key, value)| Write::put(key, value));
        self.memory.commit(writes.collect()).await.unwrap();
        self.restart(Life::default()).await;
    }

    /// The same words on another device.
    pub(crate) async fn elsewhere(&self) -> Self {
        let memory = Memory::new();
        let life = Arc::new(Life::default());
        let rail = open(&self.root, &memory, &self.mints, &life).await;
        for mint in &self.mints {
            rail.trust(&mint.name).await.unwrap();
        }
        Self {
            root: Root::from_entropy(&[0; 16]),
            memory,
            mints: self.mints.clone(),
            life,
            rail,
        }
    }

    /// Puts money into a purse by a deposit, which this mint takes for paid at once.
    pub(crate) async fn earns(&self, purse: &Purse, minor: u64) {
        self.rail.deposit(purse, minor).await.unwrap();
        let mut came = 0;
        // The backend says so by a channel of its own; the mint is asked until it has heard.
        for _ in 0..500 {
            came += self
                .rail
                .collect()
                .await
                .unwrap()
                .iter()
                .map(|(_, minor)| minor)
                .sum::<u64>();
            if came == minor {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{came} of {minor} arrived");
    }

    /// What is free in a purse. Whoever looks sees too that its history adds up to what is in it.
    pub(crate) async fn free(&self, purse: &Purse) -> u64 {
        self.adds_up(purse).await;
        let all = self.rail.balance().await.unwrap();
        all.iter()
            .find(|one| one.purse == *purse)
            .map_or(0, |one| one.free)
    }

    /// What has moved in a purse adds up to what is in it: free, set aside or given away, but for what others have sent and is still being
    /// brought in. That alone did not grow from this person's seed.
    async fn adds_up(&self, purse: &Purse) {
        let all = self.rail.balance().await.unwrap();
        let balance = all.iter().find(|one| one.purse == *purse);
        let there = balance.map_or(0, |one| one.free + one.held);
        let ledger = Ledger::open(Box::new(self.memory.clone())).await.unwrap();
        let pending = Some(vec![State::Pending]);
        let mut coming = ledger.get_proofs(None, None, pending, None).await.unwrap();
        coming.retain(|one| {
            one.derivation_index.is_none()
                && one.mint_url.to_string() == purse.custodian.name()
                && one
                    .unit
                    .to_string()
                    .eq_ignore_ascii_case(purse.asset.code())
        });
        let coming: u64 = coming.iter().map(|one| u64::from(one.proof.amount)).sum();
        let lines = self.tells(purse).await;
        let told = lines.iter().fold(0_i128, |sum, line| match line.way {
            Way::In => sum + i128::from(line.minor),
            Way::Out => sum - i128::from(line.minor),
        });
        assert_eq!(told + i128::from(coming), i128::from(there), "{lines:#?}");
    }

    /// What has moved in a purse, the oldest first.
    pub(crate) async fn tells(&self, purse: &Purse) -> Vec<Moved> {
        let mut lines = self.rail.history().await.unwrap();
        lines.retain(|line| line.purse == *purse);
        assert!(lines.iter().all(|line| line.minor > 0), "{lines:#?}");
        lines.reverse();
        lines
    }

    /// The same in short: why, and how much came or went.
    pub(crate) async fn tells_shortly(&self, purse: &Purse) -> Vec<(Why, i64)> {
        let lines = self.tells(purse).await;
        let short = lines.iter().map(|line| {
            let minor = i64::try_from(line.minor).unwrap();
            match line.way {
                Way::In => (line.why, minor),
                Way::Out => (line.why, -minor),
            }
        });
        short.collect()
    }

    /// The counters of the keysets' places in the seed's order, as they are saved.
    pub(crate) async fn counters(&self) -> Vec<Record> {
        let mut all = self.memory.load().await.unwrap();
        let of_keyset =
            |key: &str| key.starts_with("rail/cashu/counter/") && !key.contains("derivation");
        all.retain(|(key, _)| of_keyset(key));
        all.sort();
        all
    }

    pub(crate) async fn held(&self, purse: &Purse) -> u64 {
        let all = self.rail.balance().await.unwrap();
        all.iter()
            .find(|one| one.purse == *purse)
            .map_or(0, |one| one.held)
    }
}

async fn open(root: &Root, memory: &Memory, mints: &[Mint], life: &Arc<Life>) -> Arc<Cashu> {
    let store = Mortal {
        memory: memory.clone(),
        life: life.clone(),
    };
    let patience = life.patience;
    let (mints, life) = (mints.to_vec(), life.clone());
    let connect: Connect = Box::new(move |url: &MintUrl| {
        let mint = mints
            .iter()
            .find(|mint| mint.name.name() == url.to_string());
        let pipe = Pipe {
            mint: mint.expect("only named mints are asked").clone(),
            life: life.clone(),
            late: Arc::default(),
        };
        Arc::new(BaseHttpClient::with_transport(url.clone(), pipe, None))
            as Arc<dyn MintConnector + Send + Sync>
    });
    let connect = match patience {
        Some(limit) => within(connect, limit),
        None => connect,
    };
    let rail = Cashu::open(Box::new(store), root.rail("cashu"), connect);
    Arc::new(rail.await.unwrap())
}

/// Buyer, seller and arbiter, who agreed on something.
pub(crate) struct Three {
    pub(crate) mint: Mint,
    pub(crate) buyer: Person,
    pub(crate) seller: Person,
    pub(crate) arbiter: Person,
    pub(crate) purse: Purse,
}

/// The quote of the deal that tests are about.
pub(crate) const QUOTE: MessageId = MessageId([3; 32]);

impl Three {
    /// Three people at one mint; the buyer has this much.
    pub(crate) async fn new(asset: &str, fee_ppk: u64, minor: u64) -> Self {
        let mint = Mint::new("mint", fee_ppk).await;
        let mints = [mint.clone()];
        let three = Self {
            buyer: Person::new(1, &mints).await,
            seller: Person::new(2, &mints).await,
            arbiter: Person::new(3, &mints).await,
            purse: mint.purse(asset),
            mint,
        };
        three.buyer.earns(&three.purse, minor).await;
        three
    }

    /// A contract over this much, for the buyer to lock.
    pub(crate) fn contract(&self, minor: u64, deadline: u64) -> Contract {
        let key = |person: &Person, party| person.rail.key(party, &QUOTE).unwrap();
        Contract {
            order: MessageId([4; 32]),
            custodian: self.purse.custodian.clone(),
            amount: Money::new(minor, self.purse.asset),
            buyer: key(&self.buyer, Party::Buyer),
            seller: key(&self.seller, Party::Seller),
            arbiter: Some(key(&self.arbiter, Party::Arbiter)),
            holder: Side::Buyer,
            deadline: Timestamp(deadline),
        }
    }

    pub(crate) fn person(&self, party: Party) -> &Person {
        match party {
            Party::Buyer => &self.buyer,
            Party::Seller => &self.seller,
            Party::Arbiter => &self.arbiter,
        }
    }

    pub(crate) fn person_mut(&mut self, party: Party) -> &mut Person {
        match party {
            Party::Buyer => &mut self.buyer,
            Party::Seller => &mut self.seller,
            Party::Arbiter => &mut self.arbiter,
        }
    }

    /// What the three have free together.
    pub(crate) async fn free(&self) -> u64 {
        self.buyer.free(&self.purse).await
            + self.seller.free(&self.purse).await
            + self.arbiter.free(&self.purse).await
    }
}

/// What one of them is in a contract.
pub(crate) fn deal(contract: &Contract, party: Party) -> Deal {
    Deal {
        contract: contract.clone(),
        party,
        quote: QUOTE,
    }
}

/// What shares a lock out like this.
pub(crate) fn split(buyer: u64, seller: u64, arbiter: u64) -> Outcome {
    Outcome::Split(Split {
        buyer,
        seller,
        arbiter,
    })
}

/// One proposes and another cosigns.
pub(crate) async fn agree(
    three: &Three,
    contract: &Contract,
    locked: &Locked,
    outcome: Outcome,
    (first, second): (Party, Party),
) -> Result<Settlement, Error> {
    let rail = |party| &three.person(party).rail;
    let proposed = rail(first)
        .propose(&deal(contract, first), locked, outcome)
        .await?;
    rail(second)
        .cosign(&deal(contract, second), locked, proposed)
        .await
}

/// One proposes, another cosigns, and it is carried out by the second.
pub(crate) async fn settle(
    three: &Three,
    contract: &Contract,
    locked: &Locked,
    outcome: Outcome,
    pair: (Party, Party),
) -> Result<(Settlement, Option<Locked>), Error> {
    let signed = agree(three, contract, locked, outcome, pair).await?;
    let rail = &three.person(pair.1).rail;
    let next = rail.execute(contract, locked, &signed).await?;
    Ok((signed, next))
}

/// Every so-manieth of a table is enough for a quick look; `HAGGLE_MONEY=all` asks for all of it.
pub(crate) fn every(part: usize) -> usize {
    match env::var("HAGGLE_MONEY").as_deref() {
        Ok("all") => 1,
        _ => part,
    }
}

/// A time that has not come when any test ends.
pub(crate) const FAR: u64 = 4_000_000_000;
/// A time that has passed.
pub(crate) const PAST: u64 = 1_700_000_000;

/// Asks, and has something else happen in the middle, when the peer's life pauses; says both, or what was answered if it did not pause.
pub(crate) async fn in_the_middle<T, U>(
    barrier: &Barrier,
    ask: impl Future<Output = T>,
    happens: impl Future<Output = U>,
) -> (T, Option<U>) {
    let meanwhile = async {
        barrier.wait().await;
        let done = happens.await;
        barrier.wait().await;
        done
    };
    let (ask, meanwhile) = (Box::pin(ask), Box::pin(meanwhile));
    match select(ask, meanwhile).await {
        Either::Left((answer, _)) => (answer, None),
        Either::Right((done, ask)) => (ask.await, Some(done)),
    }
}
