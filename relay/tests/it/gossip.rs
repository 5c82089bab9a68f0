//! Frames pass the relay if they are good, and only then.

use haggle_relay::start;

use crate::peer::{Net, config, frame, frame_until, get, metric, metric_reaches, now};

#[tokio::test(flavor = "multi_thread")]
async fn a_good_frame_reaches_the_other_peer_and_junk_is_counted_and_goes_no_further() {
    let relay = start(config("gossip")).await.unwrap();
    let mut net = Net::of(2);
    net.join(0, &relay).await;
    net.join(1, &relay).await;

    // Provably wrong: the signature; more than a frame may be. Not now: its time is over; another version.
    let mut forged = frame(1, b"forged").bytes().to_vec();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let late = frame_until(
        2,
        b"late",
        haggle_protocol::Timestamp(now().0 / 60 * 60 - 60),
    );
    let mut newer = frame(3, b"newer").bytes().to_vec();
    newer[0] = 2;
    net.peers[0].say(forged);
    net.peers[0].say(vec![1; haggle_protocol::limits::FRAME_MAX + 1]);
    net.peers[0].say(late.bytes().to_vec());
    net.peers[0].say(newer);
    for code in ["bad-signature", "too-large", "expired", "unknown-version"] {
        let name = format!("haggle_refusals_total{{code=\"{code}\"}}");
        metric_reaches(&mut net, &relay, &name, 1.0).await;
    }

    let good = frame(1, b"good").bytes().to_vec();
    net.peers[0].say(good.clone());
    net.until("the good frame arrives", |net, _| {
        net.peers[1].heard.contains(&good).then_some(())
    })
    .await;
    assert_eq!(net.peers[1].heard, [good], "and nothing else did");
    assert!(
        (metric(&relay, "haggle_book_frames").await - 1.0).abs() < 0.1 || {
            metric_reaches(&mut net, &relay, "haggle_book_frames", 1.0).await;
            true
        }
    );

    // What is counted names nobody.
    let text = get(&relay, "/metrics").await.text();
    for peer in &net.peers {
        assert!(!text.contains(&peer.id().to_string()));
    }
    assert!(!text.contains(&relay.peer_id.to_string()) && !text.contains("127.0.0.1"));
    relay.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_frames_does_not_break_the_stream() {
    // More than one read buffer at once: with the library's bound at the size of a frame, this would cut the peer off.
    let relay = start(config("burst")).await.unwrap();
    let mut net = Net::of(2);
    net.join(0, &relay).await;
    net.join(1, &relay).await;
    let frames: Vec<_> = (0..40u8)
        .map(|n| frame(n, &[n; 900]).bytes().to_vec())
        .collect();
    for frame in &frames {
        net.peers[0].say(frame.clone());
    }
    net.until("all of them arrive", |net, _| {
        frames
            .iter()
            .all(|frame| net.peers[1].heard.contains(frame))
            .then_some(())
    })
    .await;
    relay.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_wrong_frames_is_not_listened_to_any_more_and_the_others_are() {
    let relay = start(config("graylist")).await.unwrap();
    let mut net = Net::of(3);
    for at in 0..3 {
        net.join(at, &relay).await;
    }
    for n in 0..5u8 {
        let mut forged = frame(n, b"forged").bytes().to_vec();
        let last = forged.len() - 1;
        forged[last] ^= 1;
        net.peers[0].say(forged);
    }
    let name = "haggle_refusals_total{code=\"bad-signature\"}";
    metric_reaches(&mut net, &relay, name, 4.0).await;
    let ignored = frame(20, b"from the banished").bytes().to_vec();
    let good = frame(21, b"from the honest").bytes().to_vec();
    net.peers[0].say(ignored.clone());
    net.peers[1].say(good.clone());
    net.until("the honest one is heard", |net, _| {
        net.peers[2].heard.contains(&good).then_some(())
    })
    .await;
    assert!(!net.peers[2].heard.contains(&ignored));
    relay.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_dozen_peers_with_no_other_neighbour_than_the_relay_everyone_hears_everything() {
    let relay = start(config("crowd")).await.unwrap();
    let mut net = Net::of(24);
    for at in 0..net.peers.len() {
        net.join(at, &relay).await;
    }
    let frames: Vec<_> = (0..5u8)
        .map(|n| frame(n, b"to all").bytes().to_vec())
        .collect();
    for (at, frame) in frames.iter().enumerate() {
        net.peers[at].say(frame.clone());
    }
    net.until("everyone has heard what the others said", |net, _| {
        net.peers
            .iter()
            .enumerate()
            .all(|(at, peer)| {
                frames
                    .iter()
                    .enumerate()
                    .all(|(from, frame)| from == at || peer.heard.contains(frame))
            })
            .then_some(())
    })
    .await;
    relay.shutdown().await;
}
