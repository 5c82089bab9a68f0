//! Real peers and real relays in one process, over loopback WebSockets: what the shell does on a network.
//!
//! Every wait is for something to happen and has a deadline.

// Helpers of tests stop a test by panicking.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use haggle_node::market::command::{Draft, NewFile, Profile, Taste};
use haggle_node::market::item::{Auto, DeliveryOffer, Tier};
use haggle_node::market::view::{
    FileState, FileView, IntentState, QuoteState, Role, StepTaken, TradeState, TradeStep,
};
use haggle_node::market::{Event as MarketEvent, Item, MyIntent, OpenIntent, Rules, Trade};
use haggle_node::protocol::category::Category;
use haggle_node::protocol::intent::{Budget, Delivery};
use haggle_node::protocol::quote::Quality;
use haggle_node::protocol::trade::{ContactWay, DeclineReason};
use haggle_node::protocol::{Asset, IntentId, Quantity, ThreadId, Unit};
use haggle_node::store::{Answer, Error as StoreError, Memory, Record, Store, Write};
use haggle_node::{Client, Config, Event, Events, Link, NetworkView, RelayState};
use haggle_relay::Running;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout_at};

/// How long anything that works may take on a busy machine, unless a test says less.
const SOON: Duration = Duration::from_secs(30);

/// A relay, with the folder of its key.
struct Relay {
    running: Running,
    folder: Arc<TempDir>,
}

impl Relay {
    async fn start(others: &[&Self]) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), folder, others).await
    }

    async fn start_at(listen: SocketAddr, folder: Arc<TempDir>, others: &[&Self]) -> Self {
        let mut config = haggle_relay::Config {
            data: folder.path().to_owned(),
            relays: others
                .iter()
                .map(|relay| relay.address().parse().unwrap())
                .collect(),
            ..haggle_relay::Config::default()
        };
        config.http.listen = listen;
        let running = haggle_relay::start(config).await.unwrap();
        Self { running, folder }
    }

    fn address(&self) -> String {
        self.running.addresses()[0].to_string()
    }

    async fn stop(self) -> (SocketAddr, Arc<TempDir>) {
        let listen = self.running.http_addr;
        self.running.shutdown().await;
        (listen, self.folder)
    }
}

/// What one screen knows: a fold over events.
struct Screen {
    client: Client,
    events: Events,
    network: NetworkView,
    mine: BTreeMap<IntentId, MyIntent>,
    open: BTreeMap<IntentId, OpenIntent>,
    trades: BTreeMap<(ThreadId, bool), Trade>,
    stopped: Option<String>,
    ready: bool,
}

impl Screen {
    async fn open(relays: &[&Relay], store: impl Store + 'static) -> Self {
        let relays = relays.iter().map(|relay| relay.address()).collect();
        let config = Config::new(relays, Box::new(store));
        let client = haggle_node::open(config).await.unwrap();
        let mut screen = Self {
            events: client.events(),
            client,
            network: NetworkView::default(),
            mine: BTreeMap::new(),
            open: BTreeMap::new(),
            trades: BTreeMap::new(),
            stopped: None,
            ready: false,
        };
        screen
            .until("the snapshot", SOON, |screen| screen.ready.then_some(()))
            .await;
        screen
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Network(view) => self.network = view,
            Event::Wallet(_) => {}
            Event::Stopped { code, .. } => self.stopped = Some(code),
            Event::Market(MarketEvent::MyIntent(mine)) => {
                self.mine.insert(mine.id, *mine);
            }
            Event::Market(MarketEvent::OpenIntent(open)) => {
                self.open.insert(open.id, *open);
            }
            Event::Market(MarketEvent::Gone(id)) => {
                self.open.remove(&id);
            }
            Event::Market(MarketEvent::Trade(trade)) => {
                self.trades
                    .insert((trade.thread, trade.role == Role::Buyer), *trade);
            }
            Event::Market(
                MarketEvent::Stall(_)
                | MarketEvent::Chat(_)
                | MarketEvent::Case(_)
                | MarketEvent::Forgotten(..),
            ) => {}
            Event::Market(MarketEvent::Ready) => self.ready = true,
        }
    }

    /// Folds events until `found` sees what it looks for.
    async fn until<T>(
        &mut self,
        what: &str,
        within: Duration,
        found: impl Fn(&Self) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + within;
        loop {
            if let Some(found) = found(self) {
                return found;
            }
            match timeout_at(deadline, self.events.next()).await {
                Ok(Some(event)) => self.take(event),
                Ok(None) => panic!(
                    "the peer ended while waiting for {what}: {:?}",
                    self.stopped
                ),
                Err(_) => panic!(
                    "no {what} within {within:?}; mine {:?}, open {}, trades {:?}, network {:?}",
                    self.mine
                        .values()
                        .map(|m| (m.state, m.quotes.len()))
                        .collect::<Vec<_>>(),
                    self.open.len(),
                    self.trades.values().map(|t| t.state).collect::<Vec<_>>(),
                    self.network,
                ),
            }
        }
    }

    async fn online(&mut self) {
        self.until("connection", SOON, |screen| {
            let reserved = |relay: &haggle_node::RelayView| relay.state == RelayState::Reserved;
            let through = screen.network.relays.iter().any(reserved);
            (screen.network.state == Link::Online && through).then_some(())
        })
        .await;
    }

    async fn publish(&self, title: &str) -> IntentId {
        self.client.publish(draft(title)).await.unwrap()
    }

    async fn quoted(&mut self, intent: IntentId, within: Duration) -> ThreadId {
        self.until("quote", within, |screen| {
            let quotes = &screen.mine.get(&intent)?.quotes;
            Some(
                quotes
                    .iter()
                    .find(|quote| quote.state == QuoteState::Standing)?
                    .thread,
            )
        })
        .await
    }

    async fn accept(&self, intent: IntentId, thread: ThreadId) {
        let quotes = &self.mine[&intent].quotes;
        let quote = quotes.iter().find(|quote| quote.thread == thread).unwrap();
        let note = Some("Please pack it well".to_owned());
        self.client
            .accept(thread, quote.quote.total, note)
            .await
            .unwrap();
    }

    async fn trade(&mut self, role: Role, state: TradeState) -> Trade {
        self.until(&format!("{role:?} with {state:?}"), SOON, |screen| {
            let mut trades = screen.trades.values();
            trades
                .find(|trade| trade.role == role && trade.state == state)
                .cloned()
        })
        .await
    }
}

fn euro() -> Asset {
    Asset::new("EUR").unwrap()
}

/// Some kind of thing; whoever says none is answered by nobody's rules.
const CATEGORY: Category = Category(200_101);

fn draft(title: &str) -> Draft {
    Draft {
        title: title.to_owned(),
        details: None,
        category: CATEGORY,
        wishes: Vec::new(),
        quantity: Quantity::pieces(1),
        budget: Budget::Sealed(euro()),
        limit: None,
        deliveries: vec![Delivery::Shipping],
        places: Vec::new(),
        window: None,
        open_for: Some(3_600),
        quotes_for: None,
        lang: None,
        taste: Taste::Balanced,
        arbiter: None,
    }
}

fn profile(name: &str) -> Profile {
    Profile {
        name: name.to_owned(),
        ways: vec![ContactWay {
            kind: "email".to_owned(),
            value: format!("{name}@mail.example"),
        }],
        address: Some("Market Square 1".to_owned()),
        instructions: None,
    }
}

/// A stall that answers everything by rule.
async fn stock(seller: &Screen, auto: Auto) {
    stock_of(seller, auto, 5).await;
}

/// The same with so many pieces.
async fn stock_of(seller: &Screen, auto: Auto, pieces: u64) {
    let item = Item {
        id: haggle_node::market::ItemId(0),
        sku: None,
        title: "Road bike, 56 cm".to_owned(),
        category: CATEGORY,
        attributes: Vec::new(),
        unit: Unit::ONE,
        stock: Some(Quantity::pieces(pieces)),
        asset: euro(),
        floor: None,
        tiers: vec![Tier {
            from: Quantity::pieces(1),
            unit_price: 39_900,
        }],
        quality: Quality::Good,
        deliveries: vec![DeliveryOffer {
            delivery: Delivery::Shipping,
            area: Vec::new(),
            fee: 500,
            lead_time: 86_400,
        }],
        note: None,
        auto: None,
    };
    seller.client.put_item(item).await.unwrap();
    let rules = Rules {
        auto,
        ..Rules::default()
    };
    seller.client.set_rules(rules).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_runs_from_the_question_out_loud_to_the_contacts_in_private() {
    let relay = Relay::start(&[]).await;
    let mut buyer = Screen::open(&[&relay], Memory::new()).await;
    let mut seller = Screen::open(&[&relay], Memory::new()).await;
    buyer.client.set_profile(profile("anna")).await.unwrap();
    seller.client.set_profile(profile("ben")).await.unwrap();
    stock(&seller, Auto::Indicative).await;
    buyer.online().await;
    seller.online().await;

    let intent = buyer.publish("A road bike, 56 cm").await;
    let thread = buyer.quoted(intent, SOON).await;
    buyer.accept(intent, thread).await;
    let ordered = seller.trade(Role::Seller, TradeState::Ordered).await;
    assert_eq!(ordered.order_note.as_deref(), Some("Please pack it well"));
    let payment = Some("Cash at the door".to_owned());
    seller
        .client
        .confirm(ordered.thread, payment, None)
        .await
        .unwrap();
    // Profiles go out by themselves once the order is confirmed.
    let bought = buyer
        .trade(Role::Buyer, TradeState::ContactsExchanged)
        .await;
    let sold = seller
        .trade(Role::Seller, TradeState::ContactsExchanged)
        .await;
    assert_eq!(bought.theirs.unwrap().name, "ben");
    assert_eq!(sold.theirs.unwrap().name, "anna");
    assert_eq!(bought.quote.total.minor, 40_400);
    assert_eq!(buyer.mine[&intent].state, IntentState::Awarded);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_buyers_who_order_the_last_piece_at_once_one_has_it_and_the_other_is_told_why_within_a_second()
 {
    let relay = Relay::start(&[]).await;
    let mut seller = Screen::open(&[&relay], Memory::new()).await;
    stock_of(&seller, Auto::Indicative, 1).await;
    seller.online().await;
    let mut buyers = Vec::new();
    for _ in 0..2 {
        let mut buyer = Screen::open(&[&relay], Memory::new()).await;
        buyer.online().await;
        let intent = buyer.publish("A road bike, 56 cm").await;
        let thread = buyer.quoted(intent, SOON).await;
        buyers.push((buyer, intent, thread));
    }
    let (mut one, intent, thread) = buyers.remove(0);
    let (mut two, other_intent, other_thread) = buyers.remove(0);
    futures::join!(
        one.accept(intent, thread),
        two.accept(other_intent, other_thread)
    );
    seller
        .until("both orders", SOON, |screen| {
            let ordered = |trade: &&Trade| trade.state == TradeState::Ordered;
            (screen.trades.values().filter(ordered).count() == 2).then_some(())
        })
        .await;
    seller.client.confirm(thread, None, None).await.unwrap();
    let second = Duration::from_secs(1);
    one.until("a confirmation", second, |screen| {
        let mut trades = screen.trades.values();
        trades.find(|trade| trade.state == TradeState::Confirmed)?;
        Some(())
    })
    .await;
    two.until("the reason", second, |screen| {
        let told = TradeState::Declined(DeclineReason::NoStock);
        let mut trades = screen.trades.values();
        trades.find(|trade| trade.state == told).map(drop)
    })
    .await;
    // And he is led on: his request takes quotes again.
    assert_eq!(two.mine[&other_intent].state, IntentState::Open);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_who_comes_late_finds_the_intent_in_the_book_and_quotes_within_five_seconds() {
    let relay = Relay::start(&[]).await;
    let mut buyer = Screen::open(&[&relay], Memory::new()).await;
    buyer.online().await;
    let intent = buyer.publish("A tent for two").await;
    buyer
        .until("word that it is out", SOON, |screen| {
            screen.mine.get(&intent)?.said.then_some(())
        })
        .await;

    let seller = Memory::new();
    let before = Screen::open(&[], seller.clone()).await;
    stock(&before, Auto::Firm).await;
    before.client.close().await;
    let mut seller = Screen::open(&[&relay], seller).await;
    seller
        .until("connection", SOON, |screen| {
            (screen.network.state == Link::Online).then_some(())
        })
        .await;
    let within = Duration::from_secs(5);
    buyer.quoted(intent, within).await;
    assert!(seller.network.book <= 1, "one intent was published");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_start_again_between_quote_and_order_and_go_on() {
    let relay = Relay::start(&[]).await;
    let (memory_a, memory_b) = (Memory::new(), Memory::new());
    let mut buyer = Screen::open(&[&relay], memory_a.clone()).await;
    let mut seller = Screen::open(&[&relay], memory_b.clone()).await;
    stock(&seller, Auto::Firm).await;
    buyer.online().await;
    seller.online().await;
    let intent = buyer.publish("Ten hours of gardening").await;
    let thread = buyer.quoted(intent, SOON).await;
    let (peer_a, peer_b) = (buyer.network.peer.clone(), seller.network.peer.clone());

    buyer.client.close().await;
    seller.client.close().await;
    let mut buyer = Screen::open(&[&relay], memory_a).await;
    let mut seller = Screen::open(&[&relay], memory_b).await;
    assert_ne!(
        buyer.network.peer, peer_a,
        "an identity lives for one sitting"
    );
    assert_ne!(
        seller.network.peer, peer_b,
        "an identity lives for one sitting"
    );
    assert_eq!(buyer.mine[&intent].quotes.len(), 1, "the quote was saved");
    buyer.accept(intent, thread).await;
    seller.trade(Role::Seller, TradeState::Confirmed).await;
    buyer.trade(Role::Buyer, TradeState::Confirmed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_of_a_trade_who_come_back_through_another_relay_find_each_other() {
    let (first, second) = (Relay::start(&[]).await, Relay::start(&[]).await);
    let (memory_a, memory_b) = (Memory::new(), Memory::new());
    let mut buyer = Screen::open(&[&first], memory_a.clone()).await;
    let mut seller = Screen::open(&[&first], memory_b.clone()).await;
    buyer.client.set_profile(profile("anna")).await.unwrap();
    seller.client.set_profile(profile("ben")).await.unwrap();
    stock(&seller, Auto::Firm).await;
    buyer.online().await;
    seller.online().await;
    let intent = buyer.publish("Ten hours of gardening").await;
    let thread = buyer.quoted(intent, SOON).await;
    buyer.accept(intent, thread).await;
    let exchanged = TradeState::ContactsExchanged;
    seller.trade(Role::Seller, exchanged).await;
    buyer.trade(Role::Buyer, exchanged).await;

    // The request is over, both are new, and where they were there is nobody to ask.
    buyer.client.close().await;
    seller.client.close().await;
    first.stop().await;
    let buyer = Screen::open(&[&second], memory_a).await;
    let mut seller = Screen::open(&[&second], memory_b).await;
    let paid = buyer
        .client
        .report(thread, TradeStep::Paid, None, Vec::new());
    paid.await.unwrap();
    let patient = Duration::from_secs(90);
    seller
        .until("word of the payment", patient, |screen| {
            let mut steps = screen.trades.values().flat_map(|trade| &trade.steps);
            let paid = |taken: &&StepTaken| taken.step == TradeStep::Paid;
            steps.find(paid).map(drop)
        })
        .await;
}

/// An order of digital goods that is confirmed.
async fn orders_a_score(buyer: &mut Screen, seller: &mut Screen) -> ThreadId {
    stock(seller, Auto::Firm).await;
    buyer.online().await;
    seller.online().await;
    let intent = buyer.publish("A score for four voices").await;
    let thread = buyer.quoted(intent, SOON).await;
    buyer.accept(intent, thread).await;
    seller.trade(Role::Seller, TradeState::Confirmed).await;
    thread
}

/// The goods.
fn score(bytes: Vec<u8>) -> NewFile {
    NewFile {
        name: "score.pdf".to_owned(),
        media_type: "application/pdf".to_owned(),
        bytes,
    }
}

/// The first file of a trade's steps.
fn goods(screen: &Screen) -> Option<FileView> {
    let mut steps = screen.trades.values().flat_map(|trade| &trade.steps);
    steps.find_map(|step| step.files.first().cloned())
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_larger_than_a_circuit_carries_come_whole_though_the_buyer_starts_again_meanwhile() {
    let relay = Relay::start(&[]).await;
    let memory = Memory::new();
    let mut buyer = Screen::open(&[&relay], memory.clone()).await;
    let mut seller = Screen::open(&[&relay], Memory::new()).await;
    let thread = orders_a_score(&mut buyer, &mut seller).await;

    // A circuit carries one mebibyte.
    let content: Vec<u8> = (0..2_600_000_u32)
        .map(|at| at.to_be_bytes()[2] ^ at.to_be_bytes()[3])
        .collect();
    let (dispatched, goods_sent) = (TradeStep::Dispatched, vec![score(content.clone())]);
    let sent = seller.client.report(thread, dispatched, None, goods_sent);
    sent.await.unwrap();
    let begun = |screen: &Screen| goods(screen).filter(|file| file.received > 300_000);
    let id = buyer.until("a part of the goods", SOON, begun).await.id;
    let early = buyer.client.file(id).await;
    assert!(early.is_ok() || early.is_err_and(|it| it.code == "no-such-file"));

    buyer.client.close().await;
    let mut buyer = Screen::open(&[&relay], memory.clone()).await;
    let kept = goods(&buyer).unwrap().received;
    assert!(kept > 300_000, "what had come is kept: {kept}");
    let patient = Duration::from_secs(60);
    let here = |screen: &Screen| goods(screen).filter(|file| file.state == FileState::Here);
    buyer.until("the goods", patient, here).await;
    let read = buyer.client.file(id).await.unwrap();
    assert!(read.bytes == content, "other bytes");
    assert_eq!(read.name, "score.pdf");
    // The next start reads none of it.
    let small = memory.load().await.unwrap();
    assert!(small.iter().all(|(_, value)| value.len() < 60_000));
    assert_eq!(memory.bulky().await.unwrap().len(), 40);

    buyer.client.remove_file(id).await.unwrap();
    assert_eq!(memory.bulky().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_relay_dies_the_next_intent_is_quoted_through_another_within_twenty_seconds() {
    let a = Relay::start(&[]).await;
    let b = Relay::start(&[&a]).await;
    let mut buyer = Screen::open(&[&a], Memory::new()).await;
    let mut seller = Screen::open(&[&b], Memory::new()).await;
    stock(&seller, Auto::Firm).await;
    buyer.online().await;
    seller.online().await;
    let first = buyer.publish("A sewing machine").await;
    buyer.quoted(first, SOON).await;
    // That there is another relay is told by Kademlia alone.
    let other = b.running.peer_id.to_string();
    buyer
        .until("a place at the other relay", SOON, |screen| {
            let mut relays = screen.network.relays.iter();
            let found = relays.find(|relay| relay.peer == other)?;
            (found.state == RelayState::Reserved && !found.configured).then_some(())
        })
        .await;

    a.stop().await;
    let second = buyer.publish("A sewing machine, a better one").await;
    buyer.quoted(second, Duration::from_secs(20)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_was_found_is_known_after_a_restart_without_the_first_one() {
    let a = Relay::start(&[]).await;
    let b = Relay::start(&[&a]).await;
    let memory = Memory::new();
    let mut buyer = Screen::open(&[&a], memory.clone()).await;
    let other = b.running.peer_id.to_string();
    buyer
        .until("a place at the other relay", SOON, |screen| {
            let mut relays = screen.network.relays.iter();
            let found = relays.find(|relay| relay.peer == other)?;
            (found.state == RelayState::Reserved).then_some(())
        })
        .await;
    buyer.client.close().await;
    let given = a.address();
    a.stop().await;
    let config = Config::new(vec![given], Box::new(memory));
    let client = haggle_node::open(config).await.unwrap();
    let mut events = client.events();
    let deadline = Instant::now() + SOON;
    loop {
        let event = timeout_at(deadline, events.next()).await.unwrap().unwrap();
        if let Event::Network(view) = event
            && view.state == Link::Online
        {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_while_offline_goes_out_when_a_relay_appears() {
    let relay = Relay::start(&[]).await;
    let address = relay.address();
    let (listen, folder) = relay.stop().await;
    let config = Config::new(vec![address.clone()], Box::new(Memory::new()));
    let buyer = haggle_node::open(config).await.unwrap();
    let intent = buyer.publish(draft("A lift to the station")).await.unwrap();

    let relay = Relay::start_at(listen, folder, &[]).await;
    assert_eq!(relay.address(), address);
    let mut seller = Screen::open(&[&relay], Memory::new()).await;
    seller
        .until("the intent, and where its owner is", SOON, |screen| {
            screen.open.get(&intent)?.reachable.then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_was_started_anew_learns_from_its_peers_what_is_still_open() {
    let relay = Relay::start(&[]).await;
    let mut buyer = Screen::open(&[&relay], Memory::new()).await;
    buyer.online().await;
    let intent = buyer.publish("A ladder for a weekend").await;
    let mut early = Screen::open(&[&relay], Memory::new()).await;
    early
        .until("the intent", SOON, |screen| {
            screen.open.get(&intent).map(|_| ())
        })
        .await;
    early.client.close().await;

    let (listen, folder) = relay.stop().await;
    let relay = Relay::start_at(listen, folder, &[]).await;
    let mut late = Screen::open(&[&relay], Memory::new()).await;
    late.until("the intent, and where its owner is", SOON, |screen| {
        screen.open.get(&intent)?.reachable.then_some(())
    })
    .await;
}

/// Passes bytes between peers and a relay until it is told to swallow them: a cable that was cut, of which neither end
/// hears anything.
async fn cable(to: SocketAddr, cut: Arc<AtomicBool>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(to).await.unwrap();
            let (near_in, near_out) = near.into_split();
            let (far_in, far_out) = far.into_split();
            tokio::spawn(pass(near_in, far_out, Arc::clone(&cut)));
            tokio::spawn(pass(far_in, near_out, Arc::clone(&cut)));
        }
    });
    here
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, cut: Arc<AtomicBool>) {
    let mut bytes = [0; 4_096];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if !cut.load(Ordering::SeqCst) && to.write_all(&bytes[..count]).await.is_err() {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_died_without_a_word_is_noticed_within_ninety_seconds() {
    let relay = Relay::start(&[]).await;
    let cut = Arc::new(AtomicBool::new(false));
    let cable = cable(relay.running.http_addr, Arc::clone(&cut)).await;
    let through = format!(
        "/ip4/127.0.0.1/tcp/{}/ws/p2p/{}",
        cable.port(),
        relay.running.peer_id
    );
    let mut peer = Screen::open(&[], Memory::new()).await;
    peer.client.add_relay(through).await.unwrap();
    peer.online().await;
    cut.store(true, Ordering::SeqCst);
    peer.until("word of the dead line", Duration::from_secs(90), |screen| {
        let relays = &screen.network.relays;
        let lost = |relay: &haggle_node::RelayView| {
            !matches!(relay.state, RelayState::Connected | RelayState::Reserved)
        };
        relays.iter().all(lost).then_some(())
    })
    .await;
    cut.store(false, Ordering::SeqCst);
    peer.until("the connection again", Duration::from_secs(60), |screen| {
        (screen.network.state == Link::Online).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_is_added_is_used_at_once_and_after_a_restart_and_can_be_removed() {
    let relay = Relay::start(&[]).await;
    let memory = Memory::new();
    let mut peer = Screen::open(&[], memory.clone()).await;
    let complaint = peer
        .client
        .add_relay("nonsense".to_owned())
        .await
        .unwrap_err();
    assert_eq!(complaint.code, "not-an-address");
    assert_eq!(complaint.field.as_deref(), Some("address"));
    peer.client.add_relay(relay.address()).await.unwrap();
    peer.online().await;
    peer.client.close().await;

    let mut peer = Screen::open(&[], memory.clone()).await;
    peer.online().await;
    peer.client.remove_relay(relay.address()).await.unwrap();
    peer.until("an empty list", SOON, |screen| {
        screen.network.relays.is_empty().then_some(())
    })
    .await;
    peer.client.close().await;
    let peer = Screen::open(&[], memory).await;
    assert!(peer.network.relays.is_empty());
}

/// Fails each commit of something under `only` once it is told to.
#[derive(Clone, Debug, Default)]
struct Failing {
    memory: Memory,
    broken: Arc<AtomicBool>,
    only: &'static str,
}

impl Store for Failing {
    fn load(&self) -> Answer<'_, Vec<Record>> {
        self.memory.load()
    }

    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        self.memory.get(key)
    }

    fn bulky(&self) -> Answer<'_, Vec<String>> {
        self.memory.bulky()
    }

    fn commit(&self, batch: Vec<Write>) -> Answer<'_, ()> {
        let hit = batch.iter().any(|write| match write {
            Write::Put { key, .. } => key.starts_with(self.only),
            Write::Delete { .. } => self.only.is_empty(),
        });
        if hit && self.broken.load(Ordering::SeqCst) {
            return Box::pin(async { Err(StoreError::Full) });
        }
        self.memory.commit(batch)
    }

    fn erase(&self) -> Answer<'_, ()> {
        self.memory.erase()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_cannot_save_says_nothing_more_and_says_why() {
    let relay = Relay::start(&[]).await;
    let store = Failing::default();
    let mut buyer = Screen::open(&[&relay], store.clone()).await;
    let mut seller = Screen::open(&[&relay], Memory::new()).await;
    buyer.online().await;
    seller.online().await;
    store.broken.store(true, Ordering::SeqCst);
    let complaint = buyer.client.publish(draft("A piano")).await.unwrap_err();
    assert_eq!(complaint.code, "peer-stopped");
    let code = buyer
        .until("the reason", SOON, |screen| screen.stopped.clone())
        .await;
    assert_eq!(code, "store-full");
    assert!(
        buyer.events.next().await.is_none(),
        "nothing comes after the end"
    );
    let again = buyer.client.withdraw(IntentId([0; 32])).await.unwrap_err();
    assert_eq!(again.code, "peer-stopped");
    assert!(
        buyer.client.events().next().await.is_some(),
        "a late listener is told as well"
    );

    // What another buyer says after that is all that anybody hears.
    let mut other = Screen::open(&[&relay], Memory::new()).await;
    other.online().await;
    let heard = other.publish("A piano stool").await;
    seller
        .until("the other intent", SOON, |screen| {
            screen.open.get(&heard).map(|_| ())
        })
        .await;
    assert_eq!(seller.open.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_for_which_there_is_no_room_are_refused_or_wait_and_stop_nobody() {
    let relay = Relay::start(&[]).await;
    let full = || Failing {
        only: haggle_node::store::BULK,
        ..Failing::default()
    };
    let (store_a, store_b) = (full(), full());
    let mut buyer = Screen::open(&[&relay], store_a.clone()).await;
    let mut seller = Screen::open(&[&relay], store_b.clone()).await;
    let thread = orders_a_score(&mut buyer, &mut seller).await;

    let send = || {
        let (dispatched, goods_sent) = (TradeStep::Dispatched, vec![score(vec![7; 100_000])]);
        seller.client.report(thread, dispatched, None, goods_sent)
    };
    store_b.broken.store(true, Ordering::SeqCst);
    assert_eq!(send().await.unwrap_err().code, "store-full");
    store_b.broken.store(false, Ordering::SeqCst);
    store_a.broken.store(true, Ordering::SeqCst);
    send().await.unwrap();
    let waits = |screen: &Screen| goods(screen).filter(|file| file.state == FileState::Offered);
    let file = buyer.until("a file that waits", SOON, waits).await;
    assert_eq!(file.received, 0);
    store_a.broken.store(false, Ordering::SeqCst);
    buyer.client.fetch(file.id).await.unwrap();
    let here = |screen: &Screen| goods(screen).filter(|file| file.state == FileState::Here);
    buyer.until("the file", SOON, here).await;
    assert_eq!(
        buyer.client.file(file.id).await.unwrap().bytes,
        [7; 100_000]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_save_at_the_start_is_an_error_of_the_start() {
    let store = Failing::default();
    store.broken.store(true, Ordering::SeqCst);
    let config = Config::new(Vec::new(), Box::new(store));
    let error = haggle_node::open(config).await.unwrap_err();
    assert_eq!(error.code(), "store-full");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_cannot_be_read_stop_the_start_and_are_left_as_they_are() {
    let memory = Memory::new();
    let garbage = vec![Write::put("node/relays", *b"not json")];
    memory.commit(garbage).await.unwrap();
    let error = haggle_node::open(Config::new(Vec::new(), Box::new(memory.clone()))).await;
    assert_eq!(error.unwrap_err().code(), "records-damaged");
    assert_eq!(
        memory.get("node/relays").await.unwrap().as_deref(),
        Some(&b"not json"[..])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_comes_late_is_told_everything_and_each_thing_once() {
    let peer = Screen::open(&[], Memory::new()).await;
    let intent = peer.publish("A cello lesson").await;
    let mut late = peer.client.events();
    let mut told = Vec::new();
    loop {
        match late.next().await.unwrap() {
            Event::Market(MarketEvent::MyIntent(mine)) => told.push(mine.id),
            Event::Market(MarketEvent::Ready) => break,
            Event::Market(_) | Event::Network(_) | Event::Wallet(_) | Event::Stopped { .. } => {}
        }
    }
    assert_eq!(told, [intent]);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_one_flat_list_of_types_in_json() {
    let peer = Screen::open(&[], Memory::new()).await;
    let mut events = peer.client.events();
    let mut types = Vec::new();
    loop {
        let event = events.next().await.unwrap();
        let json = serde_json::to_value(&event).unwrap();
        types.push(json["type"].as_str().unwrap().to_owned());
        if event == Event::Market(MarketEvent::Ready) {
            break;
        }
    }
    assert_eq!(types, ["network", "stall", "ready"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_printed_shows_what_a_person_entered() {
    let memory = Memory::new();
    let config = Config::new(Vec::new(), Box::new(memory));
    let printed = format!("{config:?}");
    assert!(printed.starts_with("Config"));
    let client = haggle_node::open(config).await.unwrap();
    client.set_profile(profile("anna")).await.unwrap();
    let printed = format!("{client:?} {:?}", client.events());
    assert!(!printed.contains("anna"), "{printed}");
}
