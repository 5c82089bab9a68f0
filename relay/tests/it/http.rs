//! The HTTP port, as operators, pages and strangers meet it.

use std::time::Duration;

use haggle_net::RelayList;
use haggle_relay::{Running, start};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::peer::{config, exchange, folder, front, get, get_with};

async fn raw(relay: &Running, request: &[u8]) -> Option<crate::peer::Reply> {
    let stream = TcpStream::connect(relay.http_addr).await.unwrap();
    exchange(stream, request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn health_readiness_and_metrics_are_told_and_metrics_only_to_this_machine() {
    let relay = start(config("health")).await.unwrap();
    assert_eq!(get(&relay, "/healthz").await.status, 200);
    assert_eq!(get(&relay, "/readyz").await.status, 200);
    let metrics = get(&relay, "/metrics").await;
    assert_eq!(metrics.status, 200);
    for name in [
        "haggle_book_frames",
        "haggle_reservations",
        "process_resident_memory_bytes",
        "libp2p_swarm",
    ] {
        assert!(metrics.text().contains(name), "{name}");
    }
    // Somebody stands between: then nobody knows who asks.
    for line in [
        "X-Forwarded-For: 127.0.0.1\r\n",
        "Forwarded: for=127.0.0.1\r\n",
    ] {
        assert_eq!(
            get_with(&relay, "/metrics", line).await.status,
            403,
            "{line}"
        );
    }
    relay.shutdown().await;

    let mut open = config("open");
    open.http.metrics_public = true;
    let relay = start(open).await.unwrap();
    assert_eq!(
        get_with(&relay, "/metrics", "X-Forwarded-For: 203.0.113.7\r\n")
            .await
            .status,
        200
    );
    relay.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bootstrap_list_names_this_relay_as_the_asker_reached_it() {
    let mut config = config("list");
    config.stun = vec!["stun:relay.market.org:3478".to_owned()];
    let other = "/dns4/other.market.org/tcp/443/wss/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
    config.relays = vec![other.parse().unwrap()];
    let relay = start(config).await.unwrap();
    let port = relay.http_addr.port();
    let list = async |lines: &str| {
        let reply = get_with(&relay, "/relays.json", lines).await;
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        RelayList::from_json(&reply.body).unwrap()
    };
    let plain = list("").await;
    assert_eq!(plain.network, "test");
    assert_eq!(plain.stun.len(), 1);
    assert_eq!(plain.relays[0].address(), front(&relay));
    assert_eq!(plain.relays[1].to_string(), other);
    // A port that was mapped, a name, a proxy that speaks TLS.
    let own = relay.peer_id;
    for (lines, first) in [
        (
            "Host: 127.0.0.1:9999\r\n",
            format!("/ip4/127.0.0.1/tcp/9999/ws/p2p/{own}"),
        ),
        (
            "Host: localhost\r\n",
            format!("/dns/localhost/tcp/80/ws/p2p/{own}"),
        ),
        (
            "Host: relay.market.org\r\nX-Forwarded-Proto: https\r\n",
            format!("/dns/relay.market.org/tcp/443/wss/p2p/{own}"),
        ),
    ] {
        assert_eq!(list(lines).await.relays[0].to_string(), first);
    }
    assert_eq!(
        list("Host: a\"b\r\n").await.relays.len(),
        1,
        "nonsense names nobody"
    );
    assert_eq!(port, relay.http_addr.port());
    relay.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_operator_announces_comes_first_for_the_public() {
    let mut config = config("announced");
    config.external = vec![
        "/dns4/relay.market.org/tcp/443/wss".parse().unwrap(),
        "/dns4/relay.market.org/tcp/4001".parse().unwrap(),
    ];
    let relay = start(config).await.unwrap();
    let reply = get_with(&relay, "/relays.json", "Host: relay.market.org\r\n").await;
    let list = RelayList::from_json(&reply.body).unwrap();
    let own = relay.peer_id;
    let told: Vec<_> = list.relays.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [format!("/dns4/relay.market.org/tcp/443/wss/p2p/{own}")]
    );
    let local = RelayList::from_json(&get(&relay, "/relays.json").await.body).unwrap();
    assert_eq!(
        local.relays[0].address(),
        front(&relay),
        "nearest first on this machine"
    );
    assert_eq!(local.relays.len(), 2);
    relay.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_site_is_served_with_its_policy_its_types_and_its_compressed_neighbours() {
    let site = folder("site");
    let page = "<html><head><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'self' 'sha256-abc='\"></head>";
    std::fs::write(site.join("index.html"), page).unwrap();
    std::fs::write(site.join("app-0945f10d6afae09b.wasm"), b"\0asm-plain").unwrap();
    std::fs::write(site.join("app-0945f10d6afae09b.wasm.br"), b"brotli").unwrap();
    std::fs::write(
        site.join("relays.json"),
        "{\"network\":\"stale\",\"relays\":[]}",
    )
    .unwrap();
    let mut config = config("site-relay");
    config.http.site = Some(site);
    let relay = start(config).await.unwrap();

    let index = get(&relay, "/").await;
    assert_eq!((index.status, index.text().as_str()), (200, page));
    assert_eq!(index.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(
        index.header("content-security-policy"),
        "default-src 'none'; script-src 'self' 'sha256-abc='; frame-ancestors 'none'"
    );
    assert_eq!(index.header("cache-control"), "no-cache");
    for (name, value) in [
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert_eq!(index.header(name), value);
    }
    assert_eq!(
        index.header("strict-transport-security"),
        "",
        "only over TLS"
    );

    let path = "/app-0945f10d6afae09b.wasm";
    let wasm = get(&relay, path).await;
    assert_eq!(wasm.header("content-type"), "application/wasm");
    assert_eq!(wasm.body, b"\0asm-plain");
    assert!(wasm.header("cache-control").contains("immutable"));
    let small = get_with(&relay, path, "Accept-Encoding: gzip, br\r\n").await;
    assert_eq!(small.header("content-encoding"), "br");
    assert_eq!(small.header("content-type"), "application/wasm");
    assert_eq!(small.body, b"brotli");
    assert_ne!(small.header("etag"), wasm.header("etag"));
    let known = get_with(
        &relay,
        path,
        &format!("If-None-Match: {}\r\n", wasm.header("etag")),
    )
    .await;
    assert_eq!((known.status, known.body.len()), (304, 0));

    assert_eq!(get(&relay, "/nothing").await.status, 404);
    assert_eq!(get(&relay, "/../relay.key").await.status, 404);
    // The relay's own list, not the one that lies beside the page.
    assert!(
        get(&relay, "/relays.json")
            .await
            .text()
            .contains("\"test\"")
    );
    relay.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_site_there_is_a_short_plain_page() {
    let relay = start(config("plain")).await.unwrap();
    let page = get(&relay, "/").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Haggle relay"));
    assert!(
        page.header("content-security-policy")
            .contains("default-src 'none'")
    );
    assert_eq!(get(&relay, "/index.html").await.status, 404);
    relay.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_a_stranger_can_send_is_bounded() {
    let relay = start(config("stranger")).await.unwrap();
    // A method that brings a body, a head without end, too many lines, no HTTP at all, an upgrade without a key.
    let post = raw(
        &relay,
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\nxxxx",
    )
    .await
    .unwrap();
    assert_eq!(post.status, 405);
    let long = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
        "a".repeat(64 * 1_024)
    );
    assert!(
        raw(&relay, long.as_bytes())
            .await
            .is_none_or(|reply| reply.status == 431)
    );
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: a\r\n".repeat(500));
    assert!(
        raw(&relay, many.as_bytes())
            .await
            .is_none_or(|reply| reply.status == 431)
    );
    let _ = raw(&relay, b"\x16\x03\x01\x02\x00\x01\x00 not http\r\n\r\n").await;
    let keyless = raw(&relay, b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\n\r\n").await.unwrap();
    assert_eq!(keyless.status, 400);
    let old = raw(&relay, b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: a\r\n\r\n").await.unwrap();
    assert_eq!(old.status, 426);

    // A WebSocket frame that announces a gibibyte ends the connection; so does one that speaks no libp2p.
    for after in [
        &[0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4][..],
        b"\x82\x85\x00\x00\x00\x00hello",
    ] {
        let mut stream = TcpStream::connect(relay.http_addr).await.unwrap();
        let upgrade = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(upgrade).await.unwrap();
        let mut head = vec![0; 12];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!(head, b"HTTP/1.1 101");
        let _ = stream.write_all(after).await;
        let mut rest = Vec::new();
        let ended =
            tokio::time::timeout(Duration::from_secs(40), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "the relay ends it");
    }

    // Somebody who never finishes his request is let go.
    let mut slow = TcpStream::connect(relay.http_addr).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(40), slow.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "in time");

    assert_eq!(
        get(&relay, "/healthz").await.status,
        200,
        "and it goes on serving"
    );
    relay.shutdown().await;
}
