//! Peers reach each other through the relay, which sees that they do and not what they say.

use std::sync::{Arc, Mutex};

use haggle_net::whisper::{Answer, CellBytes, Code, Request};
use haggle_protocol::limits::CELL_LARGE;
use haggle_relay::{Running, Tap, TapEvent, start, start_with};
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use libp2p::request_response::{Event as Rr, Message};
use libp2p::swarm::SwarmEvent;

use crate::peer::{BehaviourEvent, Net, config, frame, front, metric, metric_reaches};

/// Peer 0 is reachable through the relay, and peer 1 is connected with it.
async fn reachable(net: &mut Net, relay: &Running) -> Multiaddr {
    let listen = front(relay).clone().with(Protocol::P2pCircuit);
    net.peers[0].swarm.listen_on(listen.clone()).unwrap();
    net.until("a reservation", |_, event| {
        matches!(
            event,
            Some((
                0,
                SwarmEvent::Behaviour(BehaviourEvent::Circuit(
                    libp2p::relay::client::Event::ReservationReqAccepted { .. }
                ))
            ))
        )
        .then_some(())
    })
    .await;
    listen.with(Protocol::P2p(net.peers[0].id()))
}

/// Peer 1 whispers to peer 0, who answers with a code.
async fn whisper(net: &mut Net, cell: CellBytes) {
    let to = net.peers[0].id();
    let asked = net.peers[1]
        .swarm
        .behaviour_mut()
        .whisper
        .send_request(&to, Request::Cell(cell));
    net.until("a whisper and its answer", |_, event| match event {
        Some((1, SwarmEvent::Behaviour(BehaviourEvent::Whisper(event)))) => match event {
            Rr::Message {
                message:
                    Message::Response {
                        request_id,
                        response,
                    },
                ..
            } if *request_id == asked => {
                assert_eq!(*response, Answer::Refused(Code::new("not-kept").unwrap()));
                Some(())
            }
            Rr::OutboundFailure { error, .. } => panic!("no answer: {error}"),
            _ => None,
        },
        _ => None,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_peers_whisper_through_the_relay_more_than_its_library_allows_by_itself() {
    let relay = start(config("circuit")).await.unwrap();
    let mut net = Net::of(2);
    let address = reachable(&mut net, &relay).await;
    metric_reaches(&mut net, &relay, "haggle_reservations", 1.0).await;
    net.connect(1, &address).await;
    // 20 large cells are 300 KiB; the library's own limit is 128 KiB.
    for n in 0..20 {
        whisper(&mut net, CellBytes::new(vec![n; CELL_LARGE]).unwrap()).await;
    }
    assert_eq!(net.peers[0].whispers.len(), 20);
    assert!((metric(&relay, "haggle_circuits").await - 1.0).abs() < 0.1);

    // Gossip keeps off the circuit: neither knows the other as a neighbour, though both know the relay.
    let (zero, one) = (net.peers[0].id(), net.peers[1].id());
    for (peer, other) in [(&net.peers[0], one), (&net.peers[1], zero)] {
        let gossip = &peer.swarm.behaviour().gossip;
        assert!(peer.swarm.is_connected(&other));
        assert!(gossip.sees(&relay.peer_id) && !gossip.sees(&other));
        assert!(gossip.all_peers().all(|(peer, _)| *peer != other));
    }
    net.peers[1].swarm.disconnect_peer_id(zero).unwrap();
    let closed = async {
        while metric(&relay, "haggle_circuits").await > 0.5 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    net.during("the circuit is given back", closed).await;
    relay.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tap_sees_what_is_public_and_nothing_of_a_whisper() {
    const PUBLIC: &[u8] = b"marker-of-the-public-frame";
    const PRIVATE: &[u8] = b"marker-of-the-private-cell";
    // Which stream, whether the relay received it, and what.
    type Seen = Vec<(u64, bool, Vec<u8>)>;
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let tap: Tap = {
        let seen = Arc::clone(&seen);
        Arc::new(move |event: TapEvent<'_>| {
            let incoming = event.direction == haggle_relay::Direction::In;
            seen.lock()
                .unwrap()
                .push((event.stream, incoming, event.bytes.to_vec()));
        })
    };
    let relay = start_with(config("tap"), Some(tap)).await.unwrap();
    let mut net = Net::of(2);
    let address = reachable(&mut net, &relay).await;
    net.join(1, &relay).await;
    net.connect(1, &address).await;
    // Not even sealed: the transport between the peers hides it from the relay.
    let mut cell = vec![0; CELL_LARGE];
    cell[100..100 + PRIVATE.len()].copy_from_slice(PRIVATE);
    whisper(&mut net, CellBytes::new(cell).unwrap()).await;
    let public = frame(1, PUBLIC).bytes().to_vec();
    net.peers[1].say(public.clone());
    net.until("the frame arrives", |net, _| {
        net.peers[0].heard.contains(&public).then_some(())
    })
    .await;

    // Streams are joined, each way, before they are searched: a marker may be cut by a read.
    let mut streams = std::collections::BTreeMap::<(u64, bool), Vec<u8>>::new();
    for (stream, incoming, bytes) in seen.lock().unwrap().iter() {
        streams
            .entry((*stream, *incoming))
            .or_default()
            .extend(bytes);
    }
    let holds = |marker: &[u8], incoming| {
        streams.iter().any(|((_, way), bytes)| {
            *way == incoming && bytes.windows(marker.len()).any(|window| window == marker)
        })
    };
    assert!(
        holds(PUBLIC, true) && holds(PUBLIC, false),
        "the search finds what is there"
    );
    assert!(!holds(PRIVATE, true) && !holds(PRIVATE, false));
    let carried: usize = streams.values().map(Vec::len).sum();
    assert!(
        carried > 2 * CELL_LARGE,
        "the whisper did pass: {carried} bytes"
    );
    relay.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reservations_of_one_place_run_out_when_loopback_counts_like_any_other() {
    let mut config = config("places");
    config.limits.loopback_exempt = false;
    config.limits.reservations_per_address = 2;
    let relay = start(config).await.unwrap();
    let mut net = Net::of(3);
    let listen = front(&relay).clone().with(Protocol::P2pCircuit);
    for at in 0..2 {
        net.peers[at].swarm.listen_on(listen.clone()).unwrap();
    }
    metric_reaches(&mut net, &relay, "haggle_reservations", 2.0).await;
    net.peers[2].swarm.listen_on(listen).unwrap();
    metric_reaches(&mut net, &relay, "haggle_reservations_denied_total", 1.0).await;
    assert!((metric(&relay, "haggle_reservations").await - 2.0).abs() < 0.1);
    relay.shutdown().await;
}
