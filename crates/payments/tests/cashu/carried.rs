//! A mint without a web address: it is named by a peer, and asked through whoever carries.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use haggle_payments::cashu::{http, over};
use haggle_payments::{Carrier, Error, NotCarried, Purse, Rail as _};
use haggle_protocol::mint::{Answer, Method, Request, Why};
use haggle_protocol::{Asset, Custodian, PublicKey};

use crate::support::{Mint, Person};

/// The peer that carries it.
const PEER: PublicKey = PublicKey([5; 32]);

/// How the way to the mint is.
const OPEN: usize = 0;
/// Requests arrive, answers do not.
const ANSWERS_LOST: usize = 1;
/// Whoever carries says no.
const REFUSED: usize = 2;

struct Way {
    mint: Mint,
    state: AtomicUsize,
    carried: AtomicUsize,
}

#[async_trait]
impl Carrier for Way {
    async fn carry(&self, mint: &PublicKey, request: Request) -> Result<Answer, NotCarried> {
        if *mint != PEER {
            return Err(NotCarried::Unreachable);
        }
        assert!(request.is_for_a_mint(), "{request:?}");
        if self.state.load(Ordering::SeqCst) == REFUSED {
            return Ok(Answer::Refused(Why::TooOften));
        }
        let method = match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let mint = self.mint.clone();
        let said = mint.deliver(method, &request.path, request.body).await;
        if self.state.load(Ordering::SeqCst) == ANSWERS_LOST {
            return Err(NotCarried::Lost);
        }
        self.carried.fetch_add(1, Ordering::SeqCst);
        let (status, body) = said;
        Ok(Answer::Said { status, body })
    }
}

fn purse() -> Purse {
    Purse {
        custodian: Custodian::at_peer(&PEER),
        asset: Asset::new("sat").unwrap(),
    }
}

async fn at_a_peer() -> (Arc<Way>, Person, Person) {
    let way = Arc::new(Way {
        mint: Mint::new("carried", 0).await,
        state: AtomicUsize::new(OPEN),
        carried: AtomicUsize::new(0),
    });
    let ana = Person::reaching(1, over(Arc::clone(&way) as _)).await;
    let ben = Person::reaching(2, over(Arc::clone(&way) as _)).await;
    for who in [&ana, &ben] {
        who.rail.trust(&purse().custodian).await.unwrap();
        let trusted = who.rail.trusted().await.unwrap();
        assert_eq!(trusted, [purse().custodian], "by its one name");
    }
    ana.earns(&purse(), 500).await;
    (way, ana, ben)
}

#[tokio::test]
async fn a_mint_behind_a_peer_is_one_like_any_other() {
    let (way, ana, ben) = at_a_peer().await;
    let text = ana.rail.give(&purse(), 120).await.unwrap();
    assert_eq!(ben.rail.take(&text).await.map(|came| came.minor), Ok(120));
    assert_eq!(ana.free(&purse()).await, 380);
    assert_eq!(ben.free(&purse()).await, 120);
    assert_eq!(way.mint.outstanding().await, 500);
    assert!(way.carried.load(Ordering::SeqCst) > 0);
}

#[tokio::test]
async fn what_is_lost_on_the_way_or_refused_by_it_is_unknown_and_loses_nothing() {
    let (way, ana, ben) = at_a_peer().await;
    let unknown = Error::Unknown(purse().custodian.name().to_owned());
    for state in [ANSWERS_LOST, REFUSED] {
        let text = ana.rail.give(&purse(), 50).await.unwrap();
        way.state.store(state, Ordering::SeqCst);
        assert_eq!(ben.rail.take(&text).await, Err(unknown.clone()), "{state}");
        way.state.store(OPEN, Ordering::SeqCst);
        let again = ben.rail.take(&text).await;
        assert_eq!(again.map(|came| came.minor), Ok(50), "{state}");
        assert_eq!(ben.rail.recover().await, Ok(true), "{state}");
    }
    assert_eq!(ben.free(&purse()).await, 100);
    assert_eq!(ana.free(&purse()).await, 400);
    assert_eq!(way.mint.outstanding().await, 500);
}

#[tokio::test]
async fn no_other_writing_of_such_a_name_is_taken_and_without_a_network_it_is_out_of_reach() {
    let (_, ana, _) = at_a_peer().await;
    let name = purse().custodian.name().to_owned();
    for wrong in [
        name.replace("http:", "https:"),
        format!("{name}:80"),
        format!("{name}:3338"),
        format!("{name}/mint"),
        name.replace("http://k", "http://K"),
        "http://mint.alt".to_owned(),
    ] {
        let wrong = Custodian::new(&wrong).unwrap();
        let taken = ana.rail.trust(&wrong).await;
        assert_eq!(taken, Err(Error::Damaged), "{wrong}");
    }
    let alone = Person::reaching(3, http()).await;
    alone.rail.trust(&purse().custodian).await.unwrap();
    let unknown = Error::Unknown(name);
    assert_eq!(alone.rail.deposit(&purse(), 5).await.err(), Some(unknown));
}
