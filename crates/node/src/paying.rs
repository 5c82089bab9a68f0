//! Rails: opened when one is first needed, asked in the background, and their answers brought to the market.
//!
//! The loop goes on while a custodian is asked. Only an answer comes back to it, as one turn among others; what was asked when this
//! peer stopped is asked again by the market at the next start, and a rail does nothing twice.

use core::fmt;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::StreamExt as _;
use futures::lock::Mutex;
use futures::stream::FuturesUnordered;
use haggle_market::{Ask, Job, Paid, RailFacts, Trouble};
use haggle_payments::{Error, LockState, Rail};
use haggle_protocol::keys::Root;
use zeroize::Zeroizing;

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

/// How a rail is opened, with the 64 bytes that the phrase gives it (docs/protocol.md, Keys): whoever never pays does not load it.
#[cfg(not(target_arch = "wasm32"))]
pub type Open = Arc<dyn Fn(Zeroizing<[u8; 64]>) -> Opening + Send + Sync>;
/// How a rail is opened, with the 64 bytes that the phrase gives it (docs/protocol.md, Keys): whoever never pays does not load it.
#[cfg(target_arch = "wasm32")]
pub type Open = Arc<dyn Fn(Zeroizing<[u8; 64]>) -> Opening>;

#[cfg(not(target_arch = "wasm32"))]
type Asking = Pin<Box<dyn Future<Output = Done> + Send>>;
#[cfg(target_arch = "wasm32")]
type Asking = Pin<Box<dyn Future<Output = Done>>>;

/// One answer.
type Done = (Job, Result<Paid, Trouble>);

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
}

/// All rails, and what they are being asked.
#[derive(Default)]
pub(crate) struct Paying {
    slots: BTreeMap<String, Slot>,
    asking: FuturesUnordered<Asking>,
}

impl Paying {
    pub(crate) fn new(rails: Vec<RailSetup>) -> Self {
        let slot = |it: RailSetup| {
            let rail = Arc::default();
            (
                it.facts.name,
                Slot {
                    open: it.open,
                    rail,
                },
            )
        };
        Self {
            slots: rails.into_iter().map(slot).collect(),
            asking: FuturesUnordered::new(),
        }
    }

    /// Asks a rail.
    pub(crate) fn ask(&self, root: &Root, job: Job, rail: &str, ask: Ask) {
        let Some(slot) = self.slots.get(rail) else {
            let none = Trouble::Never(Error::Unsupported.code().to_owned());
            self.asking
                .push(Box::pin(core::future::ready((job, Err(none)))));
            return;
        };
        let (open, held) = (Arc::clone(&slot.open), Arc::clone(&slot.rail));
        let seed = root.rail(rail);
        self.asking.push(Box::pin(async move {
            let rail = {
                let mut held = held.lock().await;
                match &*held {
                    Some(rail) => Ok(Arc::clone(rail)),
                    None => open(seed).await.inspect(|rail| {
                        *held = Some(Arc::clone(rail));
                    }),
                }
            };
            let answer = match rail {
                Ok(rail) => answer(&rail, ask).await,
                Err(error) => Err(error),
            };
            (job, answer.map_err(|error| trouble(&error)))
        }));
    }

    /// The next answer.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Done> {
        match self.asking.poll_next_unpin(context) {
            Poll::Ready(Some(done)) => Poll::Ready(done),
            // Nothing is asked.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

/// Puts a market's question to a rail.
async fn answer(rail: &OpenRail, ask: Ask) -> Result<Paid, Error> {
    Ok(match ask {
        Ask::Key { party, quote } => Paid::Key(rail.key(party, &quote)?),
        Ask::Lock { deal } => Paid::Locked(rail.lock(&deal).await?),
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
        Error::Unsupported
        | Error::NotTrusted(_)
        | Error::NotEnough { .. }
        | Error::BelowFloor { .. }
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

    fn answer_of(mut paying: Paying, rail: &str) -> Done {
        let root = Root::from_entropy(&[1; 16]);
        let job = Job {
            thread: ThreadId([7; 32]),
            number: 5,
        };
        paying.ask(&root, job, rail, key());
        futures::executor::block_on(poll_fn(|context| paying.poll_next(context)))
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
        let unsupported = Err(Trouble::Never("unsupported".to_owned()));
        assert_eq!(answer_of(Paying::default(), "cashu").1, unsupported);
        let direct = setup(
            "direct",
            Arc::new(|_| Box::pin(async { Ok(Arc::new(Direct) as OpenRail) })),
        );
        assert_eq!(
            answer_of(Paying::new(vec![direct]), "direct").1,
            unsupported
        );
    }

    #[test]
    fn a_rail_that_cannot_be_opened_now_is_asked_again_later() {
        let shut = setup(
            "cashu",
            Arc::new(|_| Box::pin(async { Err(Error::NotSaved("full".to_owned())) })),
        );
        let later = Err(Trouble::Later("not-saved".to_owned()));
        assert_eq!(answer_of(Paying::new(vec![shut]), "cashu").1, later);
    }
}
