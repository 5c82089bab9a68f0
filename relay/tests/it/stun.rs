//! The STUN door, asked by somebody else's STUN, and by a crowd.

use std::net::SocketAddr;
use std::time::Duration;

use haggle_net::RelayList;
use haggle_relay::{Running, start};
use stun::agent::TransactionId;
use stun::message::{BINDING_REQUEST, Getter as _, Message};
use stun::xoraddr::XorMappedAddress;
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::peer::{config, get, metric};

/// How long an answer on loopback may take on a busy machine.
const SOON: Duration = Duration::from_secs(10);

async fn relay(name: &str, loopback_exempt: bool) -> Running {
    let mut config = config(name);
    config.listen.stun = vec!["127.0.0.1:0".parse().unwrap()];
    config.limits.loopback_exempt = loopback_exempt;
    start(config).await.unwrap()
}

fn request() -> Message {
    let mut request = Message::new();
    let parts: [Box<dyn stun::message::Setter>; 2] =
        [Box::new(TransactionId::new()), Box::new(BINDING_REQUEST)];
    request.build(&parts).unwrap();
    request
}

/// What the relay says where this socket is.
async fn asks(socket: &UdpSocket, at: SocketAddr) -> SocketAddr {
    let request = request();
    socket.send_to(&request.raw, at).await.unwrap();
    let mut buffer = [0; 600];
    let (len, from) = timeout(SOON, socket.recv_from(&mut buffer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(from, at);
    let mut reply = Message::new();
    reply.raw = buffer[..len].to_vec();
    reply.decode().unwrap();
    assert_eq!(reply.transaction_id, request.transaction_id);
    let mut told = XorMappedAddress::default();
    told.get_from(&reply).unwrap();
    SocketAddr::new(told.ip, told.port)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_is_told_where_he_is_and_the_bootstrap_list_says_whom_to_ask() {
    let relay = relay("stun", true).await;
    let list = RelayList::from_json(&get(&relay, "/relays.json").await.body).unwrap();
    let port = relay.stun_addrs[0].port();
    assert_eq!(list.stun, [format!("stun:127.0.0.1:{port}")]);
    for _ in 0..2 {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let told = asks(&socket, relay.stun_addrs[0]).await;
        assert_eq!(told, socket.local_addr().unwrap());
    }
    relay.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_and_junk_are_counted_and_not_answered_and_others_are_served_on() {
    let relay = relay("stun-crowd", false).await;
    let at = relay.stun_addrs[0];
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for junk in [&b""[..], b"hello", &[0xff; 548], &[0; 549], &[0; 20_000]] {
        socket.send_to(junk, at).await.unwrap();
    }
    let junk = async {
        let names = ["not-stun", "too-large"]
            .map(|code| format!("haggle_stun_datagrams_total{{code=\"{code}\"}}"));
        while metric(&relay, &names[0]).await < 3.0 || metric(&relay, &names[1]).await < 2.0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, junk).await.unwrap();
    // Far more than the burst, from one network.
    let too_often = "haggle_stun_datagrams_total{code=\"too-often\"}";
    let request = request();
    let refused = async {
        while metric(&relay, too_often).await < 1.0 {
            for _ in 0..50 {
                socket.send_to(&request.raw, at).await.unwrap();
            }
        }
    };
    timeout(SOON, refused).await.unwrap();
    assert_eq!(get(&relay, "/readyz").await.status, 200);
    relay.shutdown().await;
}
