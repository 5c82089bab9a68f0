//! The operator's mint: carries what peers ask it, so that it needs neither a domain nor a certificate.
//!
//! The mint is a program of its own on this machine, which knows nothing of the relay and is asked by HTTP. Whoever asks is a peer, whose
//! connection is encrypted and shows him that he speaks with the relay that the mint's name names. What is carried is looked at for
//! its path and its size and for nothing else, and is kept nowhere.
//!
//! A peer may ask so often, so many may be asking at the same time, and one place has a share of that; the rest is refused with a code.
//! Who comes through another relay is one of many from there, who have a larger share together. A place is taken until the answer has been sent, so that slow readers hold no more than all places' answers.

#[cfg(feature = "mint")]
mod http;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use haggle_net::addr::key_of;
use haggle_net::mint::Asked;
use haggle_protocol::Custodian;
use haggle_protocol::mint::{Answer, Why};
use libp2p::PeerId;
use libp2p::request_response::{InboundRequestId, ResponseChannel};

use crate::limits::{By, Rate, Who};

/// Requests that are carried or answered at the same time. Answers of the largest size together take 128 MiB.
const AT_ONCE: usize = 32;
/// Of those, from one place: a household with two purses, and what it has given up and is not over yet.
const AT_ONCE_OF_ONE: usize = 8;
/// Of those, through one other relay: half, so that one relay's crowd leaves room for everybody else.
const AT_ONCE_THROUGH_ONE: usize = 16;
/// Requests that one place may make at once: a trade makes some thirty, words that bring back a purse some fifty.
const BURST: u32 = 120;
/// How long until it has earned one more.
const EARNED: Duration = Duration::from_millis(500);
/// Those who come through one other relay are allowed together what so many places are.
const PLACES_BEHIND_ONE: u32 = 8;

/// Says at the start what the operator takes on, and how the mint is called.
pub(crate) fn warn(relay: &PeerId) {
    let name = key_of(relay).map(|key| Custodian::at_peer(&key));
    let name = name.as_ref().map_or("", Custodian::name);
    tracing::warn!(
        "this relay carries requests to a mint. Whoever runs a mint is a custodian: people give you their money and hold your word for \
         it. You owe all of it to them at any time; if the mint's keys or books are lost or stolen, their money is gone and you still \
         owe it; keeping other people's money needs a licence in many countries. If you do not want that, take `mint` out of the \
         configuration. The mint is called {name}"
    );
}

/// What came of a request.
pub(crate) struct Carried {
    pub(crate) channel: ResponseChannel<Answer>,
    pub(crate) answer: Answer,
}

/// The mint, and what is being asked there.
pub(crate) struct Mint {
    at: Option<SocketAddr>,
    places: Places,
    carrying: FuturesUnordered<Pin<Box<dyn Future<Output = Carried> + Send>>>,
}

impl Mint {
    /// The mint at this address; without one nothing is ever carried.
    pub(crate) fn new(at: Option<SocketAddr>) -> Self {
        Self {
            at,
            places: Places::new(),
            carrying: FuturesUnordered::new(),
        }
    }

    /// Carries a request, whose answer is then [`Mint::next`]'s.
    ///
    /// # Errors
    /// Why it is not carried, and where to say so.
    pub(crate) fn carry(
        &mut self,
        who: Who,
        id: InboundRequestId,
        asked: Asked,
        channel: ResponseChannel<Answer>,
        now: Instant,
    ) -> Result<(), (Why, ResponseChannel<Answer>)> {
        let Some(at) = self.at else {
            return Err((Why::Other, channel));
        };
        if !asked.request.is_for_a_mint() {
            return Err((Why::NotAPath, channel));
        }
        if let Err(why) = self.places.take(who, id, now) {
            return Err((why, channel));
        }
        self.carrying.push(Box::pin(async move {
            let answer = ask(at, asked).await;
            let answer = answer.unwrap_or_else(Answer::Refused);
            Carried { channel, answer }
        }));
        Ok(())
    }

    /// The next request that the mint has answered, or has not.
    pub(crate) async fn next(&mut self) -> Carried {
        match self.carrying.next().await {
            Some(carried) => carried,
            None => std::future::pending().await,
        }
    }

    /// A request's answer was sent, or cannot be any more.
    pub(crate) fn over(&mut self, id: &InboundRequestId) {
        self.places.free(id);
    }
}

#[cfg(feature = "mint")]
async fn ask(at: SocketAddr, asked: Asked) -> Result<Answer, Why> {
    http::ask(at, asked).await
}

// No configuration names a mint then.
#[cfg(not(feature = "mint"))]
async fn ask(_: SocketAddr, _: Asked) -> Result<Answer, Why> {
    std::future::ready(Err(Why::Other)).await
}

/// Who is being answered, and who has asked how often.
struct Places<Id = InboundRequestId> {
    taken: BTreeMap<Id, Who>,
    rate: Rate,
    rate_through: Rate,
}

impl<Id: Ord + Copy> Places<Id> {
    const fn new() -> Self {
        Self {
            taken: BTreeMap::new(),
            // Whoever is counted here has been told apart already.
            rate: Rate::new(By::Place, BURST, EARNED, false),
            rate_through: {
                let many = PLACES_BEHIND_ONE;
                let earned = EARNED.checked_div(many).expect("not by 0");
                Rate::new(By::Place, BURST * many, earned, false)
            },
        }
    }

    fn take(&mut self, who: Who, id: Id, now: Instant) -> Result<(), Why> {
        let of_one = self.taken.values().filter(|one| **one == who).count();
        let (share, rate) = match who {
            Who::Through(_) | Who::Behind(_) => (AT_ONCE_THROUGH_ONE, &mut self.rate_through),
            Who::Peer(_) | Who::Place(_) => (AT_ONCE_OF_ONE, &mut self.rate),
        };
        if self.taken.len() >= AT_ONCE || of_one >= share {
            return Err(Why::Busy);
        }
        if !rate.allow(who, now) {
            return Err(Why::TooOften);
        }
        self.taken.insert(id, who);
        Ok(())
    }

    fn free(&mut self, id: &Id) {
        self.taken.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use crate::limits::Place;

    fn at(n: u8) -> Who {
        Who::Place(Place::of([203, 0, 113, n].into()))
    }

    #[test]
    fn one_place_has_a_share_of_what_is_carried_at_once_and_all_have_it_together() {
        let mut places = Places::<u32>::new();
        let now = clock::instant();
        let mut ids = 0..;
        let mut take = |places: &mut Places<u32>, who| {
            let id = ids.next().unwrap();
            places.take(who, id, now).map(|()| id)
        };
        let first: Vec<_> = (0..AT_ONCE_OF_ONE)
            .map(|_| take(&mut places, at(1)).unwrap())
            .collect();
        assert_eq!(take(&mut places, at(1)), Err(Why::Busy));
        for n in 2..=4 {
            assert!((0..AT_ONCE_OF_ONE).all(|_| take(&mut places, at(n)).is_ok()));
        }
        assert_eq!(take(&mut places, at(5)), Err(Why::Busy), "all are taken");
        places.free(&first[0]);
        places.free(&first[0]);
        assert!(take(&mut places, at(5)).is_ok());
        assert_eq!(take(&mut places, at(5)), Err(Why::Busy));
        let peer = Who::Peer(PeerId::random());
        places.free(&first[1]);
        assert!(take(&mut places, peer).is_ok(), "who is at home here");
    }

    #[test]
    fn those_who_come_through_one_relay_have_a_share_together_that_leaves_room_for_others() {
        let mut places = Places::<u32>::new();
        let now = clock::instant();
        let through = Who::Through(PeerId::random());
        let many = 0..u32::try_from(AT_ONCE_THROUGH_ONE).unwrap();
        assert!(many.clone().all(|id| places.take(through, id, now).is_ok()));
        assert_eq!(places.take(through, many.end, now), Err(Why::Busy));
        assert_eq!(places.take(at(1), many.end, now), Ok(()));
        let mut asked = many.end;
        places.free(&0);
        while places.take(through, 0, now).is_ok() {
            places.free(&0);
            asked += 1;
        }
        assert_eq!(asked, BURST * PLACES_BEHIND_ONE);
        assert_eq!(places.take(through, 0, now), Err(Why::TooOften));
        assert_eq!(places.take(at(2), 0, now), Ok(()));
    }

    #[test]
    fn a_place_that_asks_too_often_waits_and_others_do_not() {
        let mut places = Places::<u32>::new();
        let start = clock::instant();
        let mut ask = |who, now| {
            let said = places.take(who, 1, now);
            places.free(&1);
            said
        };
        assert!((0..BURST).all(|_| ask(at(1), start).is_ok()));
        assert_eq!(ask(at(1), start), Err(Why::TooOften));
        assert_eq!(ask(at(2), start), Ok(()));
        assert_eq!(ask(at(1), start + EARNED), Ok(()));
        assert_eq!(ask(at(1), start + EARNED), Err(Why::TooOften));
    }
}
