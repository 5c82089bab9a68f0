//! Rails: opened when one is first needed, asked in the background, and their answers brought to the market.
//!
//! The loop goes on while a custodian is asked. Only an answer comes back to it, as one turn among others; what was asked when this
//! peer stopped is asked again by the market at the next start, and a rail does nothing twice.
//!
//! Each rail that is open is looked after beside that: what a cut-off left undone is ended, and what was paid for a deposit is brought
//! in. A rail does not say whether anything is awaited, so it is looked for a day after each start and at least as long after each deposit.

use core::fmt;
use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::StreamExt as _;
use futures::channel::oneshot;
use futures::future::{Either, select};
use futures::lock::Mutex;
use futures::stream::FuturesUnordered;
use futures_timer::Delay;
use haggle_market::{Ask, Complaint, Job, Paid, RailFacts, Trouble};
use haggle_payments::{Error, LockState, Rail, SharedCarrier};
use haggle_protocol::Timestamp;
use haggle_protocol::keys::Root;
use haggle_store::{Store, Write};
use zeroize::Zeroizing;

use crate::config::restored;
use crate::{clock, wallet};

/// A rail that is open.
#[cfg(not(target_arch = "wasm32"))]
pub type OpenRail = Arc<dyn Rail + Send + Sync>;
/// A rail that is open.
#[cfg(target_arch = "wasm32")]
pub type OpenRail = Arc<dyn Rail>;

/// A rail on its way to be open.
#[cfg(not(target_arch = "wasm32"))]
pub type Opening = Pin<Box<dyn Future<Output = Result<OpenRail, Error>> + Send>>;
/// A rail on its way to be open.
#[cfg(target_arch = "wasm32")]
pub type Opening = Pin<Box<dyn Future<Output = Result<OpenRail, Error>>>>;

/// How a rail is opened, over the peer's own store and with the 64 bytes that the phrase gives it (docs/protocol.md, Keys): whoever
/// never pays does not load it. What it keeps there is called `rail/<its name>/…`. The carrier reaches mints that are behind peers.
#[cfg(not(target_arch = "wasm32"))]
pub type Open =
    Arc<dyn Fn(Box<dyn Store>, Zeroizing<[u8; 64]>, SharedCarrier) -> Opening + Send + Sync>;
/// How a rail is opened, over the peer's own store and with the 64 bytes that the phrase gives it (docs/protocol.md, Keys): whoever
/// never pays does not load it. What it keeps there is called `rail/<its name>/…`. The carrier reaches mints that are behind peers.
#[cfg(target_arch = "wasm32")]
pub type Open = Arc<dyn Fn(Box<dyn Store>, Zeroizing<[u8; 64]>, SharedCarrier) -> Opening>;

#[cfg(not(target_arch = "wasm32"))]
type Asking = Pin<Box<dyn Future<Output = Done> + Send>>;
#[cfg(target_arch = "wasm32")]
type Asking = Pin<Box<dyn Future<Output = Done>>>;

#[cfg(not(target_arch = "wasm32"))]
type Waiting<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;
#[cfg(target_arch = "wasm32")]
type Waiting<T> = Pin<Box<dyn Future<Output = Result<T, Error>>>>;

/// Where the answer to a person's question goes.
pub(crate) type Answer = oneshot::Sender<Result<wallet::Reply, Complaint>>;

/// Something was asked of a rail, and that is over.
#[derive(Default)]
pub(crate) struct Done {
    /// What the market wanted to know, if it was its question.
    pub(crate) paid: Option<(Job, Result<Paid, Trouble>)>,
    /// What there is with the rail now, if it is open.
    pub(crate) view: Option<wallet::View>,
    /// How the rail of this name is looked after from here on.
    next: Option<(String, Next)>,
}

/// What was learned about a rail.
enum Next {
    /// It could not be opened.
    Shut,
    /// It is open.
    Open(OpenRail),
    /// It was looked after; whether everything that a cut-off had left undone is done.
    Looked(OpenRail, bool),
    /// A deposit can be paid until then.
    Deposit(OpenRail, Timestamp),
    /// Something may have been left undone.
    Unsure,
}

/// A rail that a peer has.
pub struct RailSetup {
    /// What a market has to know of it.
    pub facts: RailFacts,
    /// How it is opened.
    pub open: Open,
}

impl fmt::Debug for RailSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RailSetup").field(&self.facts).finish()
    }
}

/// One rail, open or not.
struct Slot {
    open: Open,
    rail: Arc<Mutex<Option<OpenRail>>>,
    /// Whether it is being looked after, or will be as soon as it is open.
    begun: bool,
    looking: Looking,
}

/// How a rail is looked after.
#[derive(Default)]
struct Looking {
    /// Until when.
    until: Timestamp,
    /// How long it is waited before the next look.
    pause: Duration,
    /// Whether something may have been left undone since the last look began.
    undone: bool,
    /// Whether a look is under way.
    on: bool,
    /// Ends the wait before it, by being dropped.
    waiting: Option<oneshot::Sender<()>>,
    /// Whether there was a look since it was opened.
    looked: bool,
}

/// How long an answer is waited for: a few requests to a custodian, each over a slow line. A rail that is cut off does nothing twice.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long after a start or a deposit it is looked again. Each pause is an eighth longer than the one before, up to the last.
const LOOK: Duration = Duration::from_secs(2);
const LOOK_MAX: Duration = Duration::from_secs(5 * 60);
/// How long it is looked after a start or a deposit at least, whatever a custodian says of its end; and at most; in seconds.
const LOOK_FOR: u64 = 24 * 60 * 60;
const LOOK_FOR_MAX: u64 = 30 * LOOK_FOR;
/// The longest pause before a purse that came out of a backup is compared with its custodian again, who did not answer.
const CATCH_UP_MAX: Duration = Duration::from_secs(60 * 60);
/// How much more time than other answers that comparison is given at most, each time twice as much: a line may be slow.
const CATCH_UP_PATIENCE: u32 = 8;

/// All rails, and what they are being asked.
pub(crate) struct Paying {
    store: Arc<dyn Store>,
    carrier: SharedCarrier,
    patience: Duration,
    look: Duration,
    slots: BTreeMap<String, Slot>,
    asking: FuturesUnordered<Asking>,
}

impl Paying {
    pub(crate) fn new(
        rails: Vec<RailSetup>,
        store: Arc<dyn Store>,
        carrier: SharedCarrier,
    ) -> Self {
        let slot = |it: RailSetup| {
            let slot = Slot {
                open: it.open,
                rail: Arc::default(),
                begun: false,
                looking: Looking::default(),
            };
            (it.facts.name, slot)
        };
        Self {
            store,
            carrier,
            patience: PATIENCE,
            look: LOOK,
            slots: rails.into_iter().map(slot).collect(),
            asking: FuturesUnordered::new(),
        }
    }

    /// The rail, once it is open. The first who wants it opens it, and from then on it is looked after beside what is asked.
    fn rail(&mut self, root: &Root, name: &str) -> Waiting<OpenRail> {
        let Some(slot) = self.slots.get_mut(name) else {
            return Box::pin(core::future::ready(Err(Error::Unsupported)));
        };
        let first = !core::mem::replace(&mut slot.begun, true);
        let (open, held) = (Arc::clone(&slot.open), Arc::clone(&slot.rail));
        let (seed, store) = (root.rail(name), Arc::clone(&self.store));
        let carrier = Arc::clone(&self.carrier);
        let rail: Waiting<OpenRail> = Box::pin(async move {
            let mut held = held.lock().await;
            if let Some(rail) = &*held {
                return Ok(Arc::clone(rail));
            }
            let rail = open(Box::new(store), seed, carrier).await?;
            *held = Some(Arc::clone(&rail));
            Ok(rail)
        });
        if first {
            self.look_after(root, name);
        }
        rail
    }

    /// Opens a rail that was used before.
    pub(crate) fn begin(&mut self, root: &Root, name: &str) {
        // That is all: whoever is first has it looked after.
        drop(self.rail(root, name));
    }

    /// Looks after a rail as soon as it is open.
    fn look_after(&mut self, root: &Root, name: &str) {
        let rail = self.rail(root, name);
        let (name, patience) = (name.to_owned(), self.patience);
        self.asking.push(Box::pin(async move {
            let next = match in_time(rail, Some(patience), &name).await {
                Ok(rail) => Next::Open(rail),
                Err(_) => Next::Shut,
            };
            Done {
                next: Some((name, next)),
                ..Done::default()
            }
        }));
    }

    /// Goes on looking after a rail.
    fn go_on(&mut self, name: String, next: Next) {
        let Some(slot) = self.slots.get_mut(&name) else {
            return;
        };
        let (looking, now) = (&mut slot.looking, clock::now());
        match next {
            // Whoever wants it next tries again.
            Next::Shut => slot.begun = false,
            Next::Open(rail) => {
                looking.undone = true;
                looking.until = looking.until.max(now + LOOK_FOR);
                self.look(name, rail);
            }
            Next::Looked(rail, all_done) => {
                looking.on = false;
                looking.undone |= !all_done;
                if !core::mem::replace(&mut looking.looked, true) {
                    self.catch_up(name.clone(), Arc::clone(&rail));
                }
                self.look(name, rail);
            }
            Next::Deposit(rail, expires) => {
                looking.until = looking.until.max(look_until(expires, now));
                looking.pause = self.look;
                looking.waiting = None;
                self.look(name, rail);
            }
            Next::Unsure => {
                looking.undone = true;
                looking.until = looking.until.max(now + LOOK_FOR);
                looking.pause = self.look;
                // It is held by nobody for longer than it takes to look, once it is open.
                let rail = slot.rail.try_lock().and_then(|held| held.clone());
                if let Some(rail) = rail {
                    self.look(name, rail);
                }
            }
        }
    }

    /// Looks after a rail once more, after a pause, unless that is under way or its time is over.
    fn look(&mut self, name: String, rail: OpenRail) {
        let (patience, shortest) = (Some(self.patience), self.look);
        let Some(slot) = self.slots.get_mut(&name) else {
            return;
        };
        let looking = &mut slot.looking;
        if looking.on || clock::now() > looking.until {
            return;
        }
        looking.on = true;
        let pause = looking.pause;
        looking.pause = (pause * 9 / 8).clamp(shortest, LOOK_MAX);
        let undone = core::mem::take(&mut looking.undone);
        let (waiting, hurry) = oneshot::channel();
        looking.waiting = Some(waiting);
        self.asking.push(Box::pin(async move {
            select(Delay::new(pause), hurry).await;
            let all_done = !undone || in_time(rail.recover(), patience, &name).await == Ok(true);
            let came = in_time(rail.collect(), patience, &name).await;
            tracing::debug!(all_done, came = came.is_ok(), "a rail was looked after");
            Done {
                paid: None,
                view: view(&name, &rail).await,
                next: Some((name, Next::Looked(rail, all_done))),
            }
        }));
    }

    /// Brings a rail up to date if it comes out of a backup.
    fn catch_up(&mut self, name: String, rail: OpenRail) {
        let store = Arc::clone(&self.store);
        let (mut pause, mut patience) = (self.look, self.patience);
        let longest = patience * CATCH_UP_PATIENCE;
        self.asking.push(Box::pin(async move {
            let mark = restored(&name);
            if !matches!(store.get(&mark).await, Ok(Some(_))) {
                return Done::default();
            }
            while in_time(rail.catch_up(), Some(patience), &name).await != Ok(true) {
                Delay::new(pause).await;
                pause = (pause * 2).min(CATCH_UP_MAX);
                patience = (patience * 2).min(longest);
            }
            // If this is not saved, it is done once more at the next start.
            let _ = store.commit(vec![Write::delete(mark)]).await;
            Done {
                view: view(&name, &rail).await,
                ..Done::default()
            }
        }));
    }

    /// Asks a rail for the market.
    pub(crate) fn ask(&mut self, root: &Root, job: Job, name: &str, ask: Ask) {
        let rail = self.rail(root, name);
        let patience = self.patience;
        let name = name.to_owned();
        self.asking.push(Box::pin(async move {
            let asked = async {
                let rail = rail.await?;
                let answer = answer(&rail, ask).await;
                Ok((answer, view(&name, &rail).await))
            };
            let (answer, view) = match in_time(asked, Some(patience), &name).await {
                Ok(done) => done,
                Err(error) => (Err(error), None),
            };
            let answer = answer.map_err(|error| trouble(&error));
            Done {
                paid: Some((job, answer)),
                view,
                next: None,
            }
        }));
    }

    /// Asks a rail for a person.
    pub(crate) fn ask_for(
        &mut self,
        root: &Root,
        name: &str,
        command: wallet::Command,
        answer: Answer,
    ) {
        let rail = self.rail(root, name);
        let patience = command.is_bounded().then_some(self.patience);
        let name = name.to_owned();
        self.asking.push(Box::pin(async move {
            let asked = async {
                let rail = rail.await?;
                let reply = wallet::answer(&rail, command).await?;
                Ok((rail, reply))
            };
            let (rail, reply) = match in_time(asked, patience, &name).await {
                Ok(done) => done,
                Err(error) => {
                    // An error means that nobody waits any more.
                    let _ = answer.send(Err(wallet::complaint(&error)));
                    let unsure = matches!(error, Error::Unknown(_));
                    return Done {
                        next: unsure.then_some((name, Next::Unsure)),
                        ..Done::default()
                    };
                }
            };
            let next = if let wallet::Reply::Deposit(deposit) = &reply {
                let rail = Arc::clone(&rail);
                Some((name.clone(), Next::Deposit(rail, deposit.expires)))
            } else {
                None
            };
            let _ = answer.send(Ok(reply));
            Done {
                paid: None,
                view: view(&name, &rail).await,
                next,
            }
        }));
    }

    /// What is over next.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Done> {
        match self.asking.poll_next_unpin(context) {
            Poll::Ready(Some(mut done)) => {
                if let Some((name, next)) = done.next.take() {
                    self.go_on(name, next);
                }
                Poll::Ready(done)
            }
            // Nothing is asked.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

/// What there is with a rail.
async fn view(name: &str, rail: &OpenRail) -> Option<wallet::View> {
    let balances = rail.balance().await.ok()?;
    let rail = name.to_owned();
    Some(wallet::View { rail, balances })
}

/// An answer, or that it is unknown when it has not come in time.
async fn in_time<T>(
    asked: impl Future<Output = Result<T, Error>>,
    patience: Option<Duration>,
    name: &str,
) -> Result<T, Error> {
    let Some(patience) = patience else {
        return asked.await;
    };
    match select(pin!(asked), Delay::new(patience)).await {
        Either::Left((answer, _)) => answer,
        Either::Right(((), _)) => Err(Error::Unknown(name.to_owned())),
    }
}

/// Until when a deposit is looked after: somewhat longer than it can be paid, and long enough if its custodian names no end, or has
/// another clock.
fn look_until(expires: Timestamp, now: Timestamp) -> Timestamp {
    (expires + LOOK_MAX.as_secs()).clamp(now + LOOK_FOR, now + LOOK_FOR_MAX)
}

/// Puts a market's question to a rail.
async fn answer(rail: &OpenRail, ask: Ask) -> Result<Paid, Error> {
    Ok(match ask {
        Ask::Key { party, quote } => Paid::Key(rail.key(party, &quote)?),
        Ask::Lock { deal } => Paid::Locked(rail.lock(&deal).await?),
        Ask::Find { deal } => Paid::Found(rail.find(&deal).await?),
        Ask::Verify { contract, locked } => {
            rail.verify(&contract, &locked).await?;
            Paid::Done
        }
        Ask::Propose {
            deal,
            locked,
            outcome,
        } => Paid::Settlement(rail.propose(&deal, &locked, outcome).await?),
        Ask::Cosign {
            deal,
            locked,
            settlement,
        } => {
            let settlement = rail.contribute(&deal, settlement).await?;
            Paid::Settlement(rail.cosign(&deal, &locked, settlement).await?)
        }
        Ask::Execute {
            contract,
            locked,
            settlement,
        } => Paid::Executed(rail.execute(&contract, &locked, &settlement).await?),
        Ask::Claim {
            deal,
            locked,
            settlement,
        } => Paid::Money(rail.claim(&deal, &locked, &settlement).await?),
        Ask::Refund { deal, locked } => Paid::Money(rail.refund(&deal, &locked).await?),
        Ask::Status { contract, locked } => match rail.status(&contract, &locked).await? {
            LockState::Locked => Paid::Done,
            LockState::Moved => Paid::Moved,
            LockState::Unknown => {
                return Err(Error::Unknown(contract.custodian.name().to_owned()));
            }
        },
    })
}

/// What a rail's error means for a market: whether asking again is of use.
fn trouble(error: &Error) -> Trouble {
    let code = error.code().to_owned();
    match error {
        Error::Unknown(_)
        | Error::NotDone
        | Error::TooEarly
        | Error::NotSaved(_)
        // A custodian that says no may say yes later: it is busy, or changes its keys.
        | Error::Refused(_) => Trouble::Later(code),
        Error::Spent => Trouble::Spent,
        Error::Unsupported | Error::NotTrusted(_) | Error::NotEnough { .. } => {
            Trouble::Blocked(code)
        }
        Error::BelowFloor { .. }
        | Error::AboveCeiling { .. }
        | Error::Mismatch(_)
        | Error::Signature
        | Error::NotYours
        | Error::Damaged => Trouble::Never(code),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::atomic::{AtomicU64, Ordering};

    use async_trait::async_trait;
    use futures::FutureExt as _;
    use futures::future::poll_fn;
    use haggle_payments::{Balance, Deposit, Direct, Purse};
    use haggle_protocol::{Asset, Custodian, MessageId, Party, ThreadId};

    use super::*;

    fn key() -> Ask {
        Ask::Key {
            party: Party::Buyer,
            quote: MessageId([3; 32]),
        }
    }

    fn paying(rails: Vec<RailSetup>) -> Paying {
        let carrier = Arc::new(haggle_payments::carrier::Nobody);
        Paying::new(rails, Arc::new(haggle_store::Memory::new()), carrier)
    }

    fn answer_of(mut paying: Paying, rail: &str) -> Result<Paid, Trouble> {
        let root = Root::from_entropy(&[1; 16]);
        let job = Job {
            thread: ThreadId([7; 32]),
            number: 5,
        };
        paying.ask(&root, job, rail, key());
        loop {
            let next = poll_fn(|context| paying.poll_next(context));
            if let Some((answered, answer)) = futures::executor::block_on(next).paid {
                assert_eq!(answered, job);
                return answer;
            }
        }
    }

    fn setup(name: &str, open: Open) -> RailSetup {
        RailSetup {
            facts: RailFacts {
                name: name.to_owned(),
                floor: 0,
                ceiling: 1,
            },
            open,
        }
    }

    #[test]
    fn a_rail_that_is_not_here_and_one_that_cannot_do_it_say_so() {
        let unsupported = Err(Trouble::Blocked("unsupported".to_owned()));
        assert_eq!(answer_of(paying(Vec::new()), "cashu"), unsupported);
        let direct = setup(
            "direct",
            Arc::new(|_, _, _| Box::pin(async { Ok(Arc::new(Direct) as OpenRail) })),
        );
        assert_eq!(answer_of(paying(vec![direct]), "direct"), unsupported);
    }

    #[test]
    fn a_rail_that_cannot_be_opened_now_is_asked_again_later() {
        let shut = setup(
            "cashu",
            Arc::new(|_, _, _| Box::pin(async { Err(Error::NotSaved("full".to_owned())) })),
        );
        let later = Err(Trouble::Later("not-saved".to_owned()));
        assert_eq!(answer_of(paying(vec![shut]), "cashu"), later);
    }

    #[test]
    fn a_rail_that_never_answers_is_unknown_after_a_while() {
        let silent = setup(
            "cashu",
            Arc::new(|_, _, _| Box::pin(core::future::pending())),
        );
        let mut silent = paying(vec![silent]);
        silent.patience = Duration::from_millis(1);
        let unknown = Err(Trouble::Later("unknown".to_owned()));
        assert_eq!(answer_of(silent, "cashu"), unknown);
    }

    /// What a rail does when it is asked.
    #[derive(Clone, Copy)]
    enum Does<T> {
        Answer(T),
        Nothing,
    }

    /// A rail whose custodian does as it stands here, one by one, and then nothing more.
    #[derive(Default)]
    struct Till {
        expire: Steps<u64>,
        collect: Steps<u64>,
        recover: Steps<bool>,
        catch_up: Steps<bool>,
        free: AtomicU64,
        recovered: AtomicU64,
    }

    type Steps<T> = std::sync::Mutex<VecDeque<Does<T>>>;

    impl fmt::Debug for Till {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Till(..)")
        }
    }

    async fn step<T>(steps: &Steps<T>, usual: T) -> T {
        let next = steps.lock().unwrap().pop_front();
        match next {
            Some(Does::Answer(answer)) => answer,
            Some(Does::Nothing) => core::future::pending().await,
            None => usual,
        }
    }

    fn steps<T>(all: impl IntoIterator<Item = Does<T>>) -> Steps<T> {
        std::sync::Mutex::new(all.into_iter().collect())
    }

    fn purse() -> Purse {
        Purse {
            custodian: Custodian::new("https://mint.example").unwrap(),
            asset: Asset::new("EUR").unwrap(),
        }
    }

    #[async_trait]
    impl Rail for Till {
        fn capabilities(&self) -> haggle_payments::Capabilities {
            Direct.capabilities()
        }

        async fn balance(&self) -> Result<Vec<Balance>, Error> {
            Ok(vec![Balance {
                purse: purse(),
                free: self.free.load(Ordering::Relaxed),
                held: 0,
            }])
        }

        async fn deposit(&self, _: &Purse, _: u64) -> Result<Deposit, Error> {
            Ok(Deposit {
                id: "1".to_owned(),
                request: "lnbc1".to_owned(),
                expires: Timestamp(step(&self.expire, 0).await),
            })
        }

        async fn collect(&self) -> Result<Vec<(Purse, u64)>, Error> {
            let came = step(&self.collect, 0).await;
            self.free.fetch_add(came, Ordering::Relaxed);
            let came = (came > 0).then(|| (purse(), came));
            Ok(came.into_iter().collect())
        }

        async fn recover(&self) -> Result<bool, Error> {
            self.recovered.fetch_add(1, Ordering::Relaxed);
            Ok(step(&self.recover, true).await)
        }

        async fn catch_up(&self) -> Result<bool, Error> {
            Ok(step(&self.catch_up, true).await)
        }
    }

    /// All the rails there are: this one, in a hurry.
    fn with(till: &Arc<Till>) -> Paying {
        let till = Arc::clone(till);
        let open: Open = Arc::new(move |_, _, _| {
            let till = Arc::clone(&till) as OpenRail;
            Box::pin(async move { Ok(till) })
        });
        let mut paying = paying(vec![setup("cashu", open)]);
        paying.patience = Duration::from_millis(20);
        paying.look = Duration::from_millis(1);
        paying
    }

    fn root() -> Root {
        Root::from_entropy(&[1; 16])
    }

    fn begun(till: &Arc<Till>) -> Paying {
        let mut paying = with(till);
        paying.begin(&root(), "cashu");
        paying
    }

    fn ask_deposit(paying: &mut Paying) {
        let deposit = wallet::Command::Deposit {
            purse: purse(),
            minor: 5,
        };
        // Nobody waits for the answer.
        let (answer, _) = oneshot::channel();
        paying.ask_for(&root(), "cashu", deposit, answer);
    }

    /// Goes on until it is so, and says whether it came to that within a few seconds.
    fn comes(paying: &mut Paying, mut so: impl FnMut(&Done) -> bool) -> bool {
        let turns = async { while !so(&poll_fn(|context| paying.poll_next(context)).await) {} };
        let soon = Delay::new(Duration::from_secs(3));
        matches!(
            futures::executor::block_on(select(pin!(turns), soon)),
            Either::Left(_)
        )
    }

    fn has(done: &Done, sum: u64) -> bool {
        let balances = done.view.iter().flat_map(|view| &view.balances);
        balances.map(|balance| balance.free).sum::<u64>() == sum
    }

    #[test]
    fn what_an_answer_that_did_not_come_may_have_left_undone_is_ended() {
        let till = Arc::new(Till {
            expire: steps([Does::Nothing, Does::Nothing]),
            ..Till::default()
        });
        let recovered = || till.recovered.load(Ordering::Relaxed);
        let mut paying = begun(&till);
        ask_deposit(&mut paying);
        assert!(comes(&mut paying, |_| recovered() == 2));
        // Also when nothing else is looked after any more.
        paying.slots.get_mut("cashu").unwrap().looking.until = Timestamp(0);
        assert!(!comes(&mut paying, |_| false));
        assert_eq!(paying.asking.len(), 0);
        ask_deposit(&mut paying);
        assert!(comes(&mut paying, |_| recovered() == 3));
    }

    #[test]
    fn a_deposit_is_looked_after_for_a_day_at_least_and_not_for_ever() {
        let now = Timestamp(1_800_000_000);
        let day = 24 * 60 * 60;
        for end in [0, 1, now.0 + 600] {
            assert_eq!(look_until(Timestamp(end), now), now + day);
        }
        assert!(look_until(now + 7 * day, now) > now + 7 * day);
        assert_eq!(look_until(Timestamp(u64::MAX), now), now + 30 * day);
    }

    #[test]
    fn one_look_after_a_rail_goes_on_however_many_deposits_there_are() {
        let till = Arc::new(Till::default());
        let mut paying = begun(&till);
        for _ in 0..100 {
            ask_deposit(&mut paying);
        }
        let mut turns = 0;
        assert!(comes(&mut paying, |_| {
            turns += 1;
            turns > 130
        }));
        assert_eq!(paying.asking.len(), 1);
    }

    const NO: Does<u64> = Does::Answer(0);

    #[test]
    fn a_deposit_without_an_end_comes_in_once_it_is_paid() {
        let till = Arc::new(Till {
            expire: steps([Does::Answer(0)]),
            collect: steps([NO, NO, NO, Does::Answer(5)]),
            ..Till::default()
        });
        let mut paying = with(&till);
        ask_deposit(&mut paying);
        assert!(comes(&mut paying, |done| has(done, 5)));
    }

    #[test]
    fn a_deposit_that_comes_leaves_the_others_looked_after() {
        let later = clock::now().0 + 3_600;
        let till = Arc::new(Till {
            expire: steps([Does::Answer(later), Does::Answer(1)]),
            collect: steps([NO, NO, Does::Answer(5), NO, NO, NO, Does::Answer(2)]),
            ..Till::default()
        });
        let mut paying = with(&till);
        ask_deposit(&mut paying);
        ask_deposit(&mut paying);
        assert!(comes(&mut paying, |done| has(done, 7)));
    }

    #[test]
    fn what_is_paid_for_a_deposit_of_before_a_start_comes_in() {
        let till = Arc::new(Till {
            collect: steps([NO, NO, NO, Does::Answer(5)]),
            ..Till::default()
        });
        assert!(comes(&mut begun(&till), |done| has(done, 5)));
    }

    #[test]
    fn a_custodian_that_says_nothing_is_asked_again() {
        let till = Arc::new(Till {
            recover: steps([Does::Nothing]),
            collect: steps([Does::Nothing, Does::Nothing, Does::Answer(5)]),
            ..Till::default()
        });
        assert!(comes(&mut begun(&till), |done| has(done, 5)));
    }

    #[test]
    fn what_was_cut_off_is_ended_when_its_custodian_is_back() {
        let till = Arc::new(Till {
            recover: steps([Does::Answer(false), Does::Nothing, Does::Answer(true)]),
            collect: steps([NO, NO, NO, NO, NO, Does::Answer(5)]),
            ..Till::default()
        });
        assert!(comes(&mut begun(&till), |done| has(done, 5)));
        assert_eq!(till.recovered.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn a_purse_out_of_a_backup_is_compared_again_with_a_custodian_that_says_nothing() {
        let till = Arc::new(Till {
            catch_up: steps([Does::Nothing, Does::Answer(false), Does::Answer(true)]),
            ..Till::default()
        });
        let mut paying = with(&till);
        let mark = restored("cashu");
        let store = Arc::clone(&paying.store);
        let put = store.commit(vec![Write::put(mark.clone(), Vec::new())]);
        futures::executor::block_on(put).unwrap();
        paying.begin(&root(), "cashu");
        let gone = |_: &Done| {
            let mark = store.get(&mark).now_or_never();
            mark.is_some_and(|mark| mark == Ok(None))
        };
        assert!(comes(&mut paying, gone));
    }

    #[test]
    fn a_rail_that_could_not_be_opened_at_the_start_is_looked_after_once_it_is() {
        let till = Arc::new(Till {
            collect: steps([NO, Does::Answer(5)]),
            ..Till::default()
        });
        let mut paying = with(&till);
        let full = AtomicU64::new(1);
        let open: Open = Arc::new(move |_, _, _| {
            let full = full.fetch_and(0, Ordering::Relaxed) > 0;
            let till = Arc::clone(&till) as OpenRail;
            Box::pin(async move {
                if full {
                    return Err(Error::NotSaved("full".to_owned()));
                }
                Ok(till)
            })
        });
        paying.slots.get_mut("cashu").unwrap().open = open;
        paying.begin(&root(), "cashu");
        assert!(comes(&mut paying, |_| true));
        let (answer, _) = oneshot::channel();
        paying.ask_for(&root(), "cashu", wallet::Command::Balances, answer);
        assert!(comes(&mut paying, |done| has(done, 5)));
    }
}
