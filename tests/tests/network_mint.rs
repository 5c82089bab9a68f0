//! A mint without a domain: a real relay carries to a real mint that only it can reach, and two programs `haggle` pay there. Each is a
//! process of its own.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures::StreamExt as _;
use haggle_net::mint as channel;
use haggle_protocol::mint::{Answer, Method, Request, Why};
use haggle_tests::agent::Agent;
use haggle_tests::bicycle::{self, FILLED, PRICE, both, buyer, deposit, holds, wanted};
use haggle_tests::mint::Mint;
use haggle_tests::relay::Relay;
use haggle_tests::{Outcome, Trouble, ensure, http};
use libp2p::request_response::{Event, Message, OutboundFailure};
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, Swarm, SwarmBuilder, noise, tcp, yamux};
use serde_json::{Value, json};
use tokio::time::timeout;

/// How long one answer may take on a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// A relay with this mint behind it.
fn carries(mint: &Mint, others: &[String]) -> Outcome<Relay> {
    let config = format!("mint = {:?}\nrelays = {others:?}\n", mint.url());
    Relay::with_config(None, &config)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_trade_at_a_mint_that_only_a_relay_can_reach() -> Outcome {
    let mut mint = Mint::start()?;
    let mut relay = carries(&mint, &[])?;
    let name = relay.mint()?;
    let name = name.name();
    let log = relay.log()?;
    ensure(log.contains("is a custodian") && log.contains(name), || log)?;

    let mut shop = bicycle::shop(&relay, name)?;
    let mut buyer = buyer(&relay, name)?;
    deposit(&mut buyer, name, FILLED)?;
    holds(&buyer, FILLED)?;

    buyer.tell(&json!({ "publish": wanted() }))?;
    let quote = buyer.says("my-intent", |mine| {
        mine["quotes"].as_array()?.first().cloned()
    })?;
    let keeper = quote["quote"]["keepers"][0].clone();
    ensure(keeper["custodian"] == name, || quote.to_string())?;
    let thread = quote["thread"].clone();
    buyer.tell(&json!({ "accept": {
        "thread": thread, "total": quote["quote"]["total"], "note": null,
        "escrow": { "keeper": keeper, "arbiter": null },
    } }))?;
    both([&buyer, &shop], |escrow| escrow["state"] == "locked")?;
    holds(&buyer, FILLED - PRICE)?;

    // The relay is away, and so is the mint: what is locked is still there when it is back.
    relay.kill()?;
    deposit(&mut buyer, name, 100)?;
    let told = buyer.says("complaint", |it| Some(it.clone()))?;
    ensure(told["code"] == "unknown", || told.to_string())?;
    relay.start_again()?;
    let report = |step: &str| json!({ "report": { "thread": thread, "step": step, "note": null } });
    shop.tell(&report("dispatched"))?;
    both([&buyer, &shop], |escrow| escrow["holder"] == "seller")?;
    buyer.tell(&report("received"))?;
    both([&buyer, &shop], |escrow| escrow["state"] == "released")?;
    holds(&shop, PRICE)?;
    holds(&buyer, FILLED - PRICE)?;
    mint.has_out(FILLED)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mint_is_found_behind_a_relay_that_nobody_has_named() -> Outcome {
    let mut mint = Mint::start()?;
    let known = Relay::start(None, &[])?;
    let second = Relay::start(None, &[known.address()])?;
    let both = ["live", "--relay", &second.address()];
    let mut buyer = Agent::start(&known, &both, &[])?;
    buyer.says("network", |network| {
        let relays = network["relays"].as_array()?.iter();
        let there = |relay: &&Value| relay["state"] == "connected" || relay["state"] == "reserved";
        let connected = relays.filter(there);
        (connected.count() == 2).then_some(())
    })?;
    // It has all the relays that it wants, so of this one it hears only when it looks for it.
    let behind = carries(&mint, &[known.address(), second.address()])?;
    let name = behind.mint()?;
    let custodian = name.name();
    buyer.tell(&json!({ "wallet": { "trust": { "custodian": custodian } } }))?;
    deposit(&mut buyer, custodian, 700)?;
    holds(&buyer, 700)?;
    mint.has_out(700)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hides_his_address_pays_at_a_mint_whose_operator_never_sees_it() -> Outcome {
    let mut mint = Mint::start()?;
    let known = Relay::start(None, &[])?;
    let mut behind = carries(&mint, &[known.address()])?;
    let name = behind.mint()?;
    let custodian = name.name();
    known.gives_places(1).await?;

    // He has fewer relays than he would like to have, and hears of the mint's.
    let live = ["live", "--hide", "yes"];
    let mut buyer = Agent::start(&known, &live, &[])?;
    buyer.tell(&json!({ "wallet": { "trust": { "custodian": custodian } } }))?;
    deposit(&mut buyer, custodian, 700)?;
    holds(&buyer, 700)?;
    mint.has_out(700)?;
    let count = behind.came_in().await?;
    ensure(count.0 == 0 && count.1 > 0, || format!("{count:?}"))?;

    // The mint's relay comes back, takes its place again, and is asked the same way; so does the buyer, who remembers from whom he hides.
    buyer.kill_and_start_again()?;
    behind.kill()?;
    behind.start_again()?;
    known.gives_places(2).await?;
    deposit(&mut buyer, custodian, 300)?;
    holds(&buyer, 1_000)?;
    let count = behind.came_in().await?;
    ensure(count.0 == 0 && count.1 > 0, || format!("{count:?}"))?;

    // Who does not hide comes himself.
    let mut open = Agent::start(&known, &["live"], &[])?;
    open.tell(&json!({ "wallet": { "trust": { "custodian": custodian } } }))?;
    deposit(&mut open, custodian, 500)?;
    holds(&open, 500)?;
    let count = behind.came_in().await?;
    ensure(count.0 > 0, || format!("{count:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hides_his_address_does_not_ask_where_no_relay_of_his_leads() -> Outcome {
    let mint = Mint::start()?;
    let known = Relay::start(None, &[])?;
    // It tells the others of itself, and holds no place there.
    let behind = carries(&mint, &[])?;
    let between = Relay::start(None, &[behind.address(), known.address()])?;
    let name = behind.mint()?;
    let custodian = name.name();
    let live = ["live", "--hide", "yes", "--relay", &between.address()];
    let mut buyer = Agent::start(&known, &live, &[])?;
    buyer.tell(&json!({ "wallet": { "trust": { "custodian": custodian } } }))?;
    deposit(&mut buyer, custodian, 700)?;
    let told = buyer.says("complaint", |it| Some(it.clone()))?;
    ensure(told["code"] == "unknown", || told.to_string())?;
    let refused = || async {
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, behind.port()));
        http::counts(at, "haggle_mint_requests_total").await
    };
    let asked = refused().await?;
    ensure(asked.is_empty(), || format!("{asked:?}"))?;

    // A relay of his own choice sees him anyway.
    let live = ["live", "--hide", "yes", "--relay", &behind.address()];
    let mut buyer = Agent::start(&known, &live, &[])?;
    buyer.tell(&json!({ "wallet": { "trust": { "custodian": custodian } } }))?;
    deposit(&mut buyer, custodian, 700)?;
    holds(&buyer, 700)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_without_a_mint_leaves_it_unknown_and_nothing_is_lost() -> Outcome {
    let relay = Relay::start(None, &[])?;
    let name = relay.mint()?;
    let mut buyer = buyer(&relay, name.name())?;
    deposit(&mut buyer, name.name(), 700)?;
    let told = buyer.says("complaint", |it| Some(it.clone()))?;
    ensure(told["code"] == "unknown", || told.to_string())
}

/// A peer that asks whatever it likes.
struct Asker {
    swarm: Swarm<channel::Behaviour>,
    relay: PeerId,
    address: Multiaddr,
}

impl Asker {
    fn of(relay: &Relay) -> Outcome<Self> {
        let swarm = SwarmBuilder::with_new_identity()
            .with_tokio()
            .with_tcp(
                tcp::Config::default(),
                noise::Config::new,
                yamux::Config::default,
            )
            .map_err(|error| Trouble::new(error.to_string()))?
            .with_behaviour(|_| channel::asking())
            .map_err(|error| Trouble::new(error.to_string()))?
            .build();
        let tcp = relay.tcp();
        let peer = tcp.rsplit('/').next().and_then(|peer| peer.parse().ok());
        let (Some(peer), Ok(address)) = (peer, tcp.parse()) else {
            return Err(Trouble::new(format!("{tcp} is no relay")));
        };
        Ok(Self {
            swarm,
            relay: peer,
            address,
        })
    }

    // What else happens to a connection is of no consequence here.
    #[allow(clippy::wildcard_enum_match_arm)]
    async fn asks(&mut self, path: &str, body: usize) -> Outcome<Result<Answer, OutboundFailure>> {
        let request = Request {
            method: if body > 0 { Method::Post } else { Method::Get },
            path: path.to_owned(),
            body: vec![b' '; body],
        };
        let addresses = vec![self.address.clone()];
        let behaviour = self.swarm.behaviour_mut();
        behaviour.send_request_with_addresses(&self.relay, request.into(), addresses);
        let answer = async {
            loop {
                match self.swarm.select_next_some().await {
                    SwarmEvent::Behaviour(Event::Message {
                        message: Message::Response { response, .. },
                        ..
                    }) => break Ok(response),
                    SwarmEvent::Behaviour(Event::OutboundFailure { error, .. }) => {
                        break Err(error);
                    }
                    _ => {}
                }
            }
        };
        Ok(timeout(SOON, answer).await?)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_carries_a_mint_s_own_paths_and_no_others() -> Outcome {
    let mut mint = Mint::start()?;
    let relay = carries(&mint, &[])?;
    let mut asker = Asker::of(&relay)?;
    let info = asker.asks("/v1/info", 0).await?;
    let said = |status: u16| move |answer: &Answer| matches!(answer, Answer::Said { status: it, .. } if *it == status);
    ensure(info.as_ref().is_ok_and(said(200)), || format!("{info:?}"))?;
    // The mint's own no is the mint's.
    let no = asker.asks("/v1/nothing", 0).await?;
    ensure(no.as_ref().is_ok_and(said(404)), || format!("{no:?}"))?;
    let elsewhere = [
        "/metrics",
        "/v1/../metrics",
        "http://127.0.0.1/v1/info",
        "/v1/%2e%2e",
    ];
    for path in elsewhere {
        let answer = asker.asks(path, 0).await?;
        let refused = matches!(answer, Ok(Answer::Refused(Why::NotAPath)));
        ensure(refused, || format!("{path}: {answer:?}"))?;
    }
    // Longer than any request may be: it does not even leave.
    let long = asker.asks("/v1/swap", 2 << 20).await?;
    let failed = matches!(long, Err(OutboundFailure::Io(_)));
    ensure(failed, || format!("{long:?}"))?;
    mint.kill()?;
    let silent = asker.asks("/v1/info", 0).await?;
    let refused = matches!(silent, Ok(Answer::Refused(Why::Silent)));
    ensure(refused, || format!("{silent:?}"))?;

    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, relay.port()));
    let counted = http::counts(at, "haggle_mint_requests_total").await?;
    let wanted = [
        ("said", 2),
        ("not-a-path", elsewhere.len() as u64),
        ("mint-silent", 1),
    ];
    let wanted: BTreeMap<_, _> = wanted.map(|(code, n)| (code.to_owned(), n)).into();
    ensure(counted == wanted, || format!("{counted:?}"))?;

    let none = Relay::start(None, &[])?;
    let answer = Asker::of(&none)?.asks("/v1/info", 0).await?;
    let unsupported = matches!(answer, Err(OutboundFailure::UnsupportedProtocols));
    ensure(unsupported, || format!("{answer:?}"))
}
