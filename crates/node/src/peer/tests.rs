//! Who comes first when everything happens at once.

use std::sync::Arc;

use futures::poll;
use haggle_book::Limits;
use haggle_market::Setup;
use haggle_protocol::keys::SigningKey;
use haggle_protocol::seal::Hpke;
use haggle_store::Memory;
use libp2p::identity::Keypair;

use super::*;
use crate::client::Client;
use crate::swarm;

/// A peer without relays, not running: the test takes its turns.
fn peer() -> (Client, Peer) {
    peer_who_hides(None, &[])
}

/// The same, who hides and did so before from these, with these relays.
fn peer_who_hides(kept_off: Option<BTreeSet<PeerId>>, relays: &[String]) -> (Client, Peer) {
    let identity = SigningKey::from_seed(&[1; 32]);
    let keypair = Keypair::ed25519_from_bytes(identity.to_seed()).unwrap();
    let network = Network::main();
    let key = identity.public();
    let setup = Setup {
        network,
        dice: [2; 32],
        peer: identity,
        sealer: Arc::new(Hpke),
        book: Limits::peer(),
        rails: Vec::new(),
    };
    let (market, _) = Market::restore(Vec::new(), setup, clock::now()).unwrap();
    let (client, asks) = Client::new();
    let parts = Parts {
        swarm: swarm::build(keypair, "test".to_owned(), Vec::new()).unwrap(),
        market,
        store: Arc::new(Memory::new()),
        asks,
        network,
        key,
        hidden: kept_off.is_some(),
        kept_off: kept_off.unwrap_or_default(),
        safe: Safe::default(),
        rails: Vec::new(),
    };
    (client, Peer::new(parts, relays, &Remembered::default()))
}

fn flood(peer: &mut Peer) {
    let junk = (vec![1; 200], Source::Book(PublicKey([9; 32])));
    peer.backlog.extend(std::iter::repeat_n(junk, BACKLOG_MAX));
}

#[tokio::test]
async fn a_command_is_the_next_turn_however_many_frames_are_waiting() {
    let (client, mut peer) = peer();
    flood(&mut peer);
    for _ in 0..100 {
        let turn = peer.next_turn().await;
        peer.take(turn).await.unwrap();
    }
    let mut asked = Box::pin(client.command(Command::SetRules(haggle_market::Rules::default())));
    assert!(poll!(&mut asked).is_pending());
    let turn = peer.next_turn().await;
    assert!(matches!(turn, Turn::Ask(Some(_))));
    peer.take(turn).await.unwrap();
    assert!(matches!(poll!(&mut asked), Poll::Ready(Ok(_))));
}

#[tokio::test]
async fn whoever_asks_without_a_pause_does_not_silence_the_network() {
    let (client, mut peer) = peer();
    while let Some(turn) = peer.next_turn().now_or_never() {
        peer.take(turn).await.unwrap();
    }
    flood(&mut peer);
    let mut waiting = Vec::new();
    let mut asked = 0;
    loop {
        let rules = Command::SetRules(haggle_market::Rules::default());
        let client = client.clone();
        let mut ask = Box::pin(async move { client.command(rules).await });
        assert!(poll!(&mut ask).is_pending());
        waiting.push(ask);
        match peer.next_turn().await {
            Turn::Ask(_) => asked += 1,
            // Others had their turn, so a row of asks begins anew.
            turn @ (Turn::Alarm
            | Turn::Pulse
            | Turn::Own(_)
            | Turn::Rail(_)
            | Turn::Mint(_)
            | Turn::Swarm(_)) => {
                asked = 0;
                peer.take(turn).await.unwrap();
            }
            Turn::Backlog(..) => break,
        }
        assert!(asked <= ASKS_IN_A_ROW && waiting.len() < 10 * ASKS_IN_A_ROW);
    }
    assert_eq!(asked, ASKS_IN_A_ROW);
}

#[tokio::test]
async fn junk_out_of_a_book_is_counted_and_goes_nowhere() {
    let (_client, mut peer) = peer();
    let source = Source::Book(PublicKey([9; 32]));
    for bytes in [vec![], vec![1; 10], vec![7; 300], vec![1; 5_000]] {
        let turn = Turn::Backlog(bytes, source);
        assert!(matches!(peer.take(turn).await, Ok(Next::On)));
    }
    let counted: Vec<_> = peer
        .refusals
        .iter()
        .map(|(code, n)| (code.as_str(), *n))
        .collect();
    assert_eq!(
        counted,
        [("too-large", 1), ("truncated", 2), ("unknown-version", 1)]
    );
    assert_eq!(peer.market.book().len(), 0);
}

#[tokio::test]
async fn codes_that_nobody_knows_cannot_fill_the_memory() {
    let (_client, mut peer) = peer();
    for number in 0..10_000 {
        peer.count(&format!("code-{number}"));
    }
    assert!(peer.refusals.len() <= 256);
}

#[tokio::test]
async fn when_the_last_client_is_gone_the_peer_ends_and_its_listeners_hear_so() {
    let (client, peer) = peer();
    let mut events = client.events();
    drop(client);
    peer.live().await;
    let mut count = 0;
    while events.next().await.is_some() {
        count += 1;
    }
    assert!(count > 0, "the snapshot was told before the end");
}

#[tokio::test]
async fn who_hides_is_seen_by_what_he_takes_for_a_relay_of_his_own() {
    let id = |n: u8| Keypair::ed25519_from_bytes([n; 32]).unwrap().public();
    let [chosen, added, other] = [3, 4, 5].map(|n| id(n).to_peer_id());
    let address = |peer: PeerId| format!("/ip4/127.0.0.1/tcp/1/ws/p2p/{peer}");
    let kept_off = BTreeSet::from([chosen, added, other]);
    let (_client, mut peer) = peer_who_hides(Some(kept_off), &[address(chosen)]);
    let is_kept_off = |peer: &Peer, one| peer.swarm.behaviour().kad.keeps_off(one);
    assert!(!is_kept_off(&peer, &chosen), "the page comes with it now");
    assert!(is_kept_off(&peer, &added) && is_kept_off(&peer, &other));
    peer.add_relay(&address(added)).unwrap();
    assert!(!is_kept_off(&peer, &added) && is_kept_off(&peer, &other));
    peer.hide(false).await.unwrap();
    assert!(!is_kept_off(&peer, &other));
}
