//! A peer that breaks every rule of signalling and of the framing of streams, and the page that it does this to, which goes on serving others.
//!
//! The signals come from a native peer over a circuit, written by hand; the frames from a page whose connection was made by js-libp2p and is then
//! written to past it.

use std::time::Duration;

use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use haggle_tests::browser::Driver;
use haggle_tests::interop::{AnyRelay, Kind, Page};
use haggle_tests::{Outcome, Trouble, ensure};
use haggle_webrtc::Limits;
use haggle_webrtc::signal::{PROTOCOL, Signal};
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId, SwarmBuilder, noise, relay, tcp, yamux};
use serde_json::{Value, json};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

const SDP: &str = "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";

#[derive(libp2p::swarm::NetworkBehaviour)]
struct Behaviour {
    relay: relay::client::Behaviour,
    streams: libp2p_stream::Behaviour,
}

/// A native peer that is connected with a page over a circuit and opens streams to it.
async fn stranger(relay: &Multiaddr, page: PeerId) -> Outcome<libp2p_stream::Control> {
    let trouble = |error: String| Trouble::new(error);
    let mut swarm = SwarmBuilder::with_existing_identity(Keypair::generate_ed25519())
        .with_tokio()
        .with_tcp(
            tcp::Config::default(),
            noise::Config::new,
            yamux::Config::default,
        )
        .map_err(|error| trouble(error.to_string()))?
        .with_relay_client(noise::Config::new, yamux::Config::default)
        .map_err(|error| trouble(error.to_string()))?
        .with_behaviour(|_, relay| Behaviour {
            relay,
            streams: libp2p_stream::Behaviour::new(),
        })
        .map_err(|error| trouble(error.to_string()))?
        .with_swarm_config(|config| config.with_idle_connection_timeout(PATIENCE * 4))
        .build();
    let control = swarm.behaviour().streams.new_control();
    let circuit = relay
        .clone()
        .with(libp2p::multiaddr::Protocol::P2pCircuit)
        .with(libp2p::multiaddr::Protocol::P2p(page));
    swarm
        .dial(circuit)
        .map_err(|error| trouble(error.to_string()))?;
    let (connected, is_connected) = tokio::sync::oneshot::channel();
    let mut connected = Some(connected);
    tokio::spawn(async move {
        loop {
            let event = swarm.select_next_some().await;
            if let libp2p::swarm::SwarmEvent::ConnectionEstablished { peer_id, .. } = event
                && peer_id == page
                && let Some(connected) = connected.take()
            {
                let _ = connected.send(());
            }
        }
    });
    timeout(PATIENCE, is_connected)
        .await?
        .map_err(|_| trouble("no circuit to the page".into()))?;
    Ok(control)
}

fn framed(signal: Signal) -> Vec<u8> {
    let body = signal.encode();
    let mut buffer = [0; 10];
    let mut length = body.len();
    let mut used = 0;
    while length >= 0x80 {
        buffer[used] = u8::try_from(length & 0x7f).unwrap_or(0) | 0x80;
        length >>= 7;
        used += 1;
    }
    buffer[used] = u8::try_from(length).unwrap_or(0);
    [&buffer[..=used], &body].concat()
}

fn candidate(text: &str) -> Vec<u8> {
    framed(Signal::Candidate(
        json!({ "candidate": text, "sdpMid": "0" }).to_string(),
    ))
}

/// A description that a browser takes; nobody is behind it.
fn description() -> String {
    let fingerprint = ["AB"; 32].join(":");
    [
        "v=0",
        "o=- 1 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:abcdefghijklmnopqrstuvwx",
        "a=ice-options:trickle",
        &format!("a=fingerprint:sha-256 {fingerprint}"),
        "a=setup:actpass",
        "a=mid:0",
        "a=sctp-port:5000",
        "",
    ]
    .join("\r\n")
}

/// Everything that a signalling stream must not carry, by name, and whether it begins with an offer that is answered.
fn violations() -> Vec<(&'static str, bool, Vec<u8>)> {
    let limits = Limits::default();
    let offer = framed(Signal::Offer(description()));
    let after = |more: Vec<u8>| [offer.clone(), more].concat();
    let public = candidate("candidate:1 1 udp 1 198.51.100.7 50000 typ host");
    let router = candidate("candidate:1 1 udp 1 192.168.1.1 50000 typ host");
    let larger = format!("{SDP}{}", "a".repeat(limits.description));
    let call = "v=0\r\nm=audio 9 RTP/AVP 0\r\n";
    let before = |bytes: Vec<u8>| (false, bytes);
    let (answer, empty) = (Signal::Answer(SDP.into()), Signal::Offer(String::new()));
    let all = [
        ("no message", before(vec![5, 0xff, 0xff, 0xff, 0xff, 0xff])),
        (
            "a length of four gigabytes",
            before(vec![0xff, 0xff, 0xff, 0xff, 0x0f, 0]),
        ),
        ("a length without an end", before(vec![0xff; 16])),
        ("a kind that there is not", before(vec![2, 8, 9])),
        ("an empty stream", before(vec![])),
        ("an answer first", before(framed(answer))),
        ("a candidate first", before(public.clone())),
        (
            "an offer larger than any",
            before(framed(Signal::Offer(larger))),
        ),
        ("an offer of nothing", before(framed(empty))),
        (
            "an offer of a telephone call",
            before(framed(Signal::Offer(call.into()))),
        ),
        (
            "an offer that no browser takes",
            before(framed(Signal::Offer(SDP.into()))),
        ),
        ("two offers", (true, after(offer.clone()))),
        (
            "candidates without end",
            (true, after(public.repeat(limits.messages + 10))),
        ),
        (
            "a candidate larger than any",
            (true, after(candidate(&"x".repeat(limits.candidate)))),
        ),
        (
            "nonsense and the router as candidates",
            (true, after([candidate("hello"), router].concat())),
        ),
    ];
    let all = all.into_iter();
    all.map(|(name, (answered, bytes))| (name, answered, bytes))
        .collect()
}

/// Whether the page still serves an honest one.
async fn still_serves(honest: &Page, page: &Page) -> Outcome {
    let address = page.address().await?;
    honest.hang_up(&page.peer, "all").await?;
    honest.dial(&address).await?;
    let came = honest
        .call("echo", &[page.peer.clone().into(), 1_000.into()])
        .await?;
    ensure(came["ok"] == true, || came.to_string())?;
    let log = page.call("log", &[]).await?;
    ensure(log == json!([]), || log.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_survives_every_violation_of_signalling_and_serves_others() -> Outcome {
    let driver = Driver::start()?;
    let AnyRelay::Ours(relay) = AnyRelay::start(Kind::Rust)? else {
        return Err(Trouble::new("not our relay"));
    };
    let page = Page::open(&driver, "page", Kind::Rust, &relay.address()).await?;
    let honest = Page::open(&driver, "honest", Kind::Rust, &relay.address()).await?;
    let at: Multiaddr = relay
        .tcp()
        .parse()
        .map_err(|_| Trouble::new("no address"))?;
    let id: PeerId = page.peer.parse().map_err(|_| Trouble::new("no peer"))?;
    for (name, answered, bytes) in violations() {
        let control = stranger(&at, id).await?;
        let opened = timeout(PATIENCE, control.clone().open_stream(id, PROTOCOL)).await?;
        let mut stream = opened.map_err(|error| Trouble::new(format!("{name}: {error}")))?;
        // The page may hang up before all is written.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.close().await;
        let mut answer = Vec::new();
        let read = timeout(
            PATIENCE,
            (&mut stream).take(1 << 20).read_to_end(&mut answer),
        )
        .await;
        ensure(read.is_ok(), || {
            format!("{name}: the page keeps the stream")
        })?;
        let text = String::from_utf8_lossy(&answer);
        ensure(text.contains("a=fingerprint") == answered, || {
            format!("{name}: the page said {text}")
        })?;
    }
    still_serves(&honest, &page).await?;

    // Many at once: those that come to nothing do not stand in the way of one that comes to something.
    let mut silent = Vec::new();
    for _ in 0..Limits::default().at_once + 4 {
        let control = stranger(&at, id).await?;
        let opened = timeout(PATIENCE, control.clone().open_stream(id, PROTOCOL)).await?;
        silent.extend(opened.ok().map(|stream| (control, stream)));
    }
    drop(silent);
    still_serves(&honest, &page).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_survives_every_violation_of_framing_and_serves_others() -> Outcome {
    let driver = Driver::start()?;
    let relay = AnyRelay::start(Kind::Rust)?;
    let page = Page::open(&driver, "page", Kind::Rust, &relay.address()).await?;
    let bad = Page::open(&driver, "bad", Kind::Js, &relay.address()).await?;
    let honest = Page::open(&driver, "honest", Kind::Rust, &relay.address()).await?;
    bad.dial(&page.address().await?).await?;
    let fill = "0x41,".repeat(16_000);
    let frames: [(&str, String); 9] = [
        ("no length", "[0xff,0xff,0xff,0xff]".into()),
        ("a frame larger than any", "[0x81,0x80,0x01]".into()),
        ("no frame", "[2,0x12,9]".into()),
        ("a flag that there is not", "[2,8,9]".into()),
        ("an end and then data", "[2,8,0,3,0x12,1,0x41]".into()),
        ("an acknowledgement of nothing", "[2,8,3]".into()),
        ("a reset at once", "[2,8,2]".into()),
        (
            "more bytes than a message may have",
            format!("[{fill}0x41]"),
        ),
        ("a text", "'hello'".into()),
    ];
    for (name, bytes) in &frames {
        let script = format!(
            "const connection = window.__connections.filter(c => c.connectionState === 'connected').at(-1);
             const channel = connection.createDataChannel('');
             await new Promise(open => {{ channel.onopen = open }});
             const what = {bytes};
             channel.send(typeof what === 'string' ? what : new Uint8Array(what));
             return true"
        );
        let sent = bad.browser().js_async(&script, vec![]).await;
        sent.map_err(|trouble| trouble.while_doing(name))?;
    }
    // Streams without end, none of which says a word.
    let flood = "const connection = window.__connections.filter(c => c.connectionState === 'connected').at(-1);
        let opened = 0;
        try { for (; opened < 600; opened++) connection.createDataChannel('') } catch {}
        return opened";
    let opened = bad.browser().js_async(flood, vec![]).await?;
    ensure(opened.as_u64() > Some(100), || format!("opened {opened}"))?;
    still_serves(&honest, &page).await?;
    let memory: Value = page
        .browser()
        .js("return performance.memory?.usedJSHeapSize ?? 0", vec![])
        .await?;
    ensure(memory.as_u64() < Some(200 << 20), || {
        format!("{memory} bytes")
    })
}
