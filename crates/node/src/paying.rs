//! Rails: opened when one is first needed, asked in the background, and their answers brought to the market.
//!
//! The loop goes on while a custodian is asked. Only an answer comes back to it, as one turn among others; what was asked when this
//! peer stopped is asked again by the market at the next start, and a rail does nothing twice.

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
use haggle_payments::{Error, LockState, Rail};
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
/// never pays does not load it. What it keeps there is called `rail/<its name>/…`.
#[cfg(not(target_arch = "wasm32"))]
pub type Open = Arc<dyn Fn(Box<dyn Store>, Zeroizing<[u8; 64]>) -> Opening + Send + Sync>;
/// How a rail is opened, over the peer's own store and with the 64 bytes that the phrase gives it (docs/protocol.md, Keys): whoever
/// never pays does not load it. What it keeps there is called `rail/<its name>/…`.
#[cfg(target_arch = "wasm32")]
pub type Open = Arc<dyn Fn(Box<dyn Store>, Zeroizing<[u8; 64]>) -> Opening>;

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
    /// Whether what a cut-off left undone is being looked after.
    begun: bool,
}

/// How long an answer is waited for: a few requests to a custodian, each over a slow line. A rail that is cut off does nothing twice.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long after a deposit was asked for it is first looked whether it was paid. Each time it is half as long again, up to the last.
const LOOK: Duration = Duration::from_secs(2);
const LOOK_MAX: Duration = Duration::from_secs(60);
/// The longest pause before a purse that came out of a backup is compared with its custodian again, who did not answer.
const CATCH_UP_MAX: Duration = Duration::from_secs(60 * 60);
/// Deposits that are looked after at once: whoever asks for more collects the rest himself.
const DEPOSITS_MAX: usize = 16;

/// All rails, and what they are being asked.
pub(crate) struct Paying {
    store: Arc<dyn Store>,
    patience: Duration,
    slots: BTreeMap<String, Slot>,
    asking: FuturesUnordered<Asking>,
    deposits: Arc<()>,
}

impl Paying {
    pub(crate) fn new(rails: Vec<RailSetup>, store: Arc<dyn Store>) -> Self {
        let slot = |it: RailSetup| {
            let slot = Slot {
                open: it.open,
                rail: Arc::default(),
                begun: false,
            };
            (it.facts.name, slot)
        };
        Self {
            store,
            patience: PATIENCE,
            slots: rails.into_iter().map(slot).collect(),
            asking: FuturesUnordered::new(),
            deposits: Arc::default(),
        }
    }

    /// The rail, once it is open. The first who wants it opens it; and what was cut off when it was last used is brought to its end
    /// beside what is asked.
    fn rail(&mut self, root: &Root, name: &str) -> Waiting<OpenRail> {
        let Some(slot) = self.slots.get_mut(name) else {
            return Box::pin(core::future::ready(Err(Error::Unsupported)));
        };
        let first = !core::mem::replace(&mut slot.begun, true);
        let (open, held) = (Arc::clone(&slot.open), Arc::clone(&slot.rail));
        let (seed, store) = (root.rail(name), Arc::clone(&self.store));
        let rail: Waiting<OpenRail> = Box::pin(async move {
            let mut held = held.lock().await;
            if let Some(rail) = &*held {
                return Ok(Arc::clone(rail));
            }
            let rail = open(Box::new(store), seed).await?;
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

    /// Ends what was begun when a rail was last used, and brings it up to date if it comes out of a backup.
    fn look_after(&mut self, root: &Root, name: &str) {
        let rail = self.rail(root, name);
        let (name, store) = (name.to_owned(), Arc::clone(&self.store));
        self.asking.push(Box::pin(async move {
            let Ok(rail) = rail.await else {
                return Done::default();
            };
            let ended = rail.recover().await;
            let came = rail.collect().await;
            let mark = restored(&name);
            if matches!(store.get(&mark).await, Ok(Some(_))) {
                let mut pause = LOOK;
                while !rail.catch_up().await.is_ok_and(|all| all) {
                    Delay::new(pause).await;
                    pause = (pause * 2).min(CATCH_UP_MAX);
                }
                // If this is not saved, it is done once more at the next start.
                let _ = store.commit(vec![Write::delete(mark)]).await;
            }
            tracing::debug!(?ended, came = came.is_ok(), "what a rail had begun");
            Done {
                paid: None,
                view: view(&name, &rail).await,
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
        let counted =
            (Arc::strong_count(&self.deposits) <= DEPOSITS_MAX).then(|| Arc::clone(&self.deposits));
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
                    return Done::default();
                }
            };
            let expires = if let wallet::Reply::Deposit(deposit) = &reply {
                Some(deposit.expires)
            } else {
                None
            };
            let _ = answer.send(Ok(reply));
            if let (Some(expires), Some(_counted)) = (expires, counted) {
                until_paid(&rail, expires).await;
            }
            Done {
                paid: None,
                view: view(&name, &rail).await,
            }
        }));
    }

    /// What is over next.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Done> {
        match self.asking.poll_next_unpin(context) {
            Poll::Ready(Some(done)) => Poll::Ready(done),
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

/// Brings in what a deposit was made for, once it is paid, until it cannot be paid any more.
async fn until_paid(rail: &OpenRail, expires: Timestamp) {
    let mut pause = LOOK;
    while clock::now() <= expires + LOOK_MAX.as_secs() {
        Delay::new(pause).await;
        pause = (pause * 3 / 2).min(LOOK_MAX);
        if rail.collect().await.is_ok_and(|came| !came.is_empty()) {
            return;
        }
    }
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
    use futures::future::poll_fn;
    use haggle_payments::Direct;
    use haggle_protocol::{MessageId, Party, ThreadId};

    use super::*;

    fn key() -> Ask {
        Ask::Key {
            party: Party::Buyer,
            quote: MessageId([3; 32]),
        }
    }

    fn paying(rails: Vec<RailSetup>) -> Paying {
        Paying::new(rails, Arc::new(haggle_store::Memory::new()))
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
            Arc::new(|_, _| Box::pin(async { Ok(Arc::new(Direct) as OpenRail) })),
        );
        assert_eq!(answer_of(paying(vec![direct]), "direct"), unsupported);
    }

    #[test]
    fn a_rail_that_cannot_be_opened_now_is_asked_again_later() {
        let shut = setup(
            "cashu",
            Arc::new(|_, _| Box::pin(async { Err(Error::NotSaved("full".to_owned())) })),
        );
        let later = Err(Trouble::Later("not-saved".to_owned()));
        assert_eq!(answer_of(paying(vec![shut]), "cashu"), later);
    }

    #[test]
    fn a_rail_that_never_answers_is_unknown_after_a_while() {
        let silent = setup("cashu", Arc::new(|_, _| Box::pin(core::future::pending())));
        let mut silent = paying(vec![silent]);
        silent.patience = Duration::from_millis(1);
        let unknown = Err(Trouble::Later("unknown".to_owned()));
        assert_eq!(answer_of(silent, "cashu"), unknown);
    }
}
