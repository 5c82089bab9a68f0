//! Books: for those who come late, and between relays.

use haggle_net::RelayAddr;
use haggle_net::book::{Response, TOO_OFTEN, UNKNOWN_MODE, Want};
use haggle_relay::{Running, start};

use crate::peer::{Net, config, frame, front, metric_reaches};

const BOOK_FRAMES: &str = "haggle_book_frames";

fn frames(response: Response) -> Vec<Vec<u8>> {
    match response {
        Response::Frames { frames, .. } => frames,
        other => panic!("frames, not {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_late_reads_what_was_said_and_later_only_what_is_new() {
    let relay = start(config("late")).await.unwrap();
    let mut net = Net::of(2);
    net.join(0, &relay).await;
    let said: Vec<_> = (1..=3).map(|n| frame(n, b"said before")).collect();
    for frame in &said[..2] {
        net.peers[0].say(frame.bytes().to_vec());
    }
    metric_reaches(&mut net, &relay, BOOK_FRAMES, 2.0).await;

    net.connect(1, front(&relay)).await;
    let first = net.ask(1, &relay, Want::Frames(None)).await;
    let Response::Frames {
        cursor: Some(cursor),
        more: false,
        frames: read,
        notice,
    } = first
    else {
        panic!("two frames and a cursor, not {first:?}");
    };
    assert_eq!(read.len(), 2);
    // The one that spoke is still connected.
    assert_eq!(notice.others, Some(1));
    assert!(notice.now.is_some());
    assert!(
        said[..2]
            .iter()
            .all(|frame| read.contains(&frame.bytes().to_vec()))
    );

    net.peers[0].say(said[2].bytes().to_vec());
    metric_reaches(&mut net, &relay, BOOK_FRAMES, 3.0).await;
    let news = net.ask(1, &relay, Want::Frames(Some(cursor))).await;
    assert_eq!(frames(news), [said[2].bytes().to_vec()]);

    let ids = net.ask(1, &relay, Want::Ids(None)).await;
    let Response::Ids {
        ids, more: false, ..
    } = ids
    else {
        panic!("ids, not {ids:?}");
    };
    assert_eq!(ids.len(), 3);
    let by_id = net.ask(1, &relay, Want::ById(vec![said[0].id()])).await;
    assert_eq!(frames(by_id), [said[0].bytes().to_vec()]);

    assert_eq!(
        net.ask(1, &relay, Want::Other(3)).await,
        Response::refused(UNKNOWN_MODE)
    );
    relay.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_often_is_told_so_and_another_is_answered() {
    let relay = start(config("often")).await.unwrap();
    let mut net = Net::of(2);
    net.connect(0, front(&relay)).await;
    net.connect(1, front(&relay)).await;
    let mut refused = false;
    for _ in 0..200 {
        refused = net.ask(0, &relay, Want::Ids(None)).await == Response::refused(TOO_OFTEN);
        if refused {
            break;
        }
    }
    assert!(refused);
    assert!(matches!(
        net.ask(1, &relay, Want::Ids(None)).await,
        Response::Ids { .. }
    ));
    relay.shutdown().await;
}

async fn second(name: &str, first: &Running) -> Running {
    let mut config = config(name);
    config.relays = vec![RelayAddr::new(front(first).clone()).unwrap()];
    start(config).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_relay_fills_its_book_and_gossip_flows_through_both_ways() {
    let first = start(config("first")).await.unwrap();
    let mut net = Net::of(2);
    net.join(0, &first).await;
    let before: Vec<_> = (1..=3)
        .map(|n| frame(n, b"before the second relay").bytes().to_vec())
        .collect();
    for frame in &before {
        net.peers[0].say(frame.clone());
    }
    metric_reaches(&mut net, &first, BOOK_FRAMES, 3.0).await;

    let second = second("second", &first).await;
    metric_reaches(&mut net, &second, BOOK_FRAMES, 3.0).await;
    net.join(1, &second).await;
    let read = frames(net.ask(1, &second, Want::Frames(None)).await);
    assert!(before.iter().all(|frame| read.contains(frame)));
    assert!(
        net.peers[1].heard.is_empty(),
        "an old frame is asked for, not repeated"
    );

    let there = frame(10, b"from the first to the second").bytes().to_vec();
    net.peers[0].say(there.clone());
    net.until("it passes both relays", |net, _| {
        net.peers[1].heard.contains(&there).then_some(())
    })
    .await;
    let back = frame(11, b"from the second to the first").bytes().to_vec();
    net.peers[1].say(back.clone());
    net.until("and back", |net, _| {
        net.peers[0].heard.contains(&back).then_some(())
    })
    .await;
    first.shutdown().await;
    second.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_was_away_is_found_again_and_its_book_is_filled_anew() {
    let kept = config("away");
    let first = start(kept.clone()).await.unwrap();
    let mut again = kept;
    again.http.listen = first.http_addr;
    let second = second("stays", &first).await;
    // Each knows the other, as operators who agree would have it.
    again.relays = vec![RelayAddr::new(front(&second).clone()).unwrap()];
    let mut net = Net::of(1);
    net.join(0, &second).await;
    metric_reaches(&mut net, &second, "haggle_relays_connected", 1.0).await;
    first.shutdown().await;

    net.peers[0].say(frame(1, b"said while the first was away").bytes().to_vec());
    metric_reaches(&mut net, &second, BOOK_FRAMES, 1.0).await;
    let first = start(again).await.unwrap();
    metric_reaches(&mut net, &first, BOOK_FRAMES, 1.0).await;
    metric_reaches(&mut net, &second, "haggle_relays_connected", 1.0).await;
    first.shutdown().await;
    second.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_finds_through_its_relay_another_one_that_it_was_not_told_of() {
    use crate::peer::BehaviourEvent;
    use libp2p::kad::{Event, GetProvidersOk, QueryResult};
    use libp2p::swarm::SwarmEvent;

    let first = start(config("known")).await.unwrap();
    let second = second("found", &first).await;
    let mut net = Net::of(1);
    metric_reaches(&mut net, &second, "haggle_relays_connected", 1.0).await;
    let known = front(&first).clone();
    net.connect(0, &known).await;
    net.peers[0]
        .swarm
        .behaviour_mut()
        .kad
        .add_address(&first.peer_id, known);
    let key = haggle_net::kad::book_key(crate::peer::network());
    net.peers[0]
        .swarm
        .behaviour_mut()
        .kad
        .get_providers(key.clone());
    let (mut found, other) = (false, second.peer_id);
    net.until("the second relay is found", |net, event| {
        if let Some((
            0,
            SwarmEvent::Behaviour(BehaviourEvent::Kad(Event::OutboundQueryProgressed {
                result: QueryResult::GetProviders(result),
                step,
                ..
            })),
        )) = event
        {
            if let Ok(GetProvidersOk::FoundProviders { providers, .. }) = result {
                found |= providers.contains(&other);
            }
            // It may not have announced itself yet.
            if step.last && !found {
                net.peers[0]
                    .swarm
                    .behaviour_mut()
                    .kad
                    .get_providers(key.clone());
            }
        }
        found.then_some(())
    })
    .await;
    // By its id alone: Kademlia knows where it is.
    net.peers[0]
        .swarm
        .dial(libp2p::swarm::dial_opts::DialOpts::peer_id(other).build())
        .unwrap();
    net.until("it is reached", |_, event| {
        matches!(event, Some((0, SwarmEvent::ConnectionEstablished { peer_id, .. })) if *peer_id == other)
            .then_some(())
    })
    .await;
    first.shutdown().await;
    second.shutdown().await;
}
