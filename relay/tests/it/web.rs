//! Clients behind a proxy are counted by their own addresses, if the proxy is trusted.

use haggle_relay::proxy::Network;
use haggle_relay::{Running, start};
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::SwarmEvent;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::peer::{Net, config, metric_reaches};

/// A proxy in front of the relay, which says that everyone comes from `client`. Returns the address to dial.
async fn proxy(relay: &Running, client: &'static str) -> Multiaddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Multiaddr::from(listener.local_addr().unwrap().ip())
        .with(Protocol::Tcp(listener.local_addr().unwrap().port()))
        .with(Protocol::Ws("/".into()))
        .with(Protocol::P2p(relay.peer_id));
    let to = relay.http_addr;
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut to = TcpStream::connect(to).await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(from.read_u8().await.unwrap());
                }
                head.truncate(head.len() - 2);
                to.write_all(&head).await.unwrap();
                let line = format!("X-Forwarded-For: {client}\r\n\r\n");
                to.write_all(line.as_bytes()).await.unwrap();
                let _ = copy_bidirectional(&mut from, &mut to).await;
            });
        }
    });
    address
}

async fn established(net: &mut Net, at: usize, address: &Multiaddr) -> bool {
    net.peers[at].swarm.dial(address.clone()).unwrap();
    net.until("a connection or none", |_, event| match event {
        Some((who, SwarmEvent::ConnectionEstablished { .. })) if who == at => Some(true),
        Some((who, SwarmEvent::OutgoingConnectionError { .. })) if who == at => Some(false),
        _ => None,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxys_clients_are_counted_one_by_one() {
    let mut config = config("trusted");
    config.http.trusted_proxies = vec![Network::parse("127.0.0.1").unwrap()];
    config.limits.connections_per_address = 2;
    let relay = start(config).await.unwrap();
    let here = proxy(&relay, "203.0.113.7").await;
    let there = proxy(&relay, "203.0.113.8").await;
    let mut net = Net::of(4);
    assert!(established(&mut net, 0, &here).await);
    assert!(established(&mut net, 1, &here).await);
    assert!(
        !established(&mut net, 2, &here).await,
        "the third from one address"
    );
    let name = "haggle_connections_denied_total{code=\"one-address\"}";
    metric_reaches(&mut net, &relay, name, 1.0).await;
    assert!(
        established(&mut net, 3, &there).await,
        "another address has its own"
    );
    relay.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_word_about_his_address_counts_for_nothing() {
    let mut config = config("untrusted");
    config.limits.connections_per_address = 2;
    let relay = start(config).await.unwrap();
    let address = proxy(&relay, "203.0.113.7").await;
    let mut net = Net::of(4);
    for at in 0..4 {
        // All come from this machine, which is exempt; the header would have made them one crowded place.
        assert!(established(&mut net, at, &address).await);
    }
    relay.shutdown().await;
}
