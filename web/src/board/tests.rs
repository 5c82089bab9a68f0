//! The board, told every kind of event: once, twice, late, and all over again.

use haggle_protocol::attribute::Fit;
use haggle_protocol::ids::FrameId;
use haggle_protocol::intent::{Budget, Delivery, SealKey};
use haggle_protocol::keys::Mark;
use haggle_protocol::quote::{Line, Quality};
use haggle_protocol::trade::{CancelReason, Contact, DeclineReason};
use haggle_protocol::{
    Asset, Custodian, FileId, Intent, Keeper, MessageId, Money, PublicKey, Quantity, Quote,
    SealPublic, Side, Unit,
};

use super::*;
use crate::node::{
    Auto, Awaited, ChatLine, ChatState, CounterView, DeliveryOffer, Draft, EscrowState, FileState,
    FileView, Item, ItemId, Match, MyAnswer, Profile, Purse, RelayState, RelayView, Rules,
    StepTaken, Taste, Tier,
};

mod deciding;
mod thanking;

fn eur() -> Asset {
    Asset::new("EUR").unwrap()
}

pub(crate) fn intent(title: &str) -> Intent {
    Intent {
        title: title.into(),
        details: None,
        category: Category(0),
        wishes: Vec::new(),
        quantity: Quantity::pieces(1),
        budget: Budget::Sealed(eur()),
        deliveries: vec![Delivery::Pickup, Delivery::Shipping],
        places: Vec::new(),
        window: None,
        quotes_due: Timestamp(2_000),
        until: None,
        max_quotes: None,
        lang: None,
        seal: SealKey::x25519(SealPublic([9; 32])),
        mark: Mark([0; 20]),
        revision: None,
        arbiter: None,
    }
}

pub(crate) fn item() -> Item {
    Item {
        id: ItemId(7),
        sku: None,
        title: "Steel road bike".into(),
        category: Category(0),
        attributes: Vec::new(),
        unit: Unit::ONE,
        stock: Some(Quantity::pieces(2)),
        asset: eur(),
        tiers: vec![Tier {
            from: Quantity::pieces(1),
            unit_price: 36_990,
        }],
        floor: None,
        quality: Quality::Fine,
        deliveries: vec![DeliveryOffer {
            delivery: Delivery::Shipping,
            area: Vec::new(),
            fee: 1_200,
            lead_time: 172_800,
        }],
        note: None,
        auto: None,
    }
}

fn quote(thread: u8, message: u8, rank: u32, state: QuoteState) -> QuoteView {
    let total = Money::new(10_000 + u64::from(thread), eur());
    QuoteView {
        thread: ThreadId([thread; 32]),
        message: MessageId([message; 32]),
        quote: Quote {
            number: 1,
            answers: FrameId([1; 32]),
            firm: true,
            lines: vec![Line {
                description: "Bike".into(),
                quantity: Quantity::pieces(1),
                unit_price: total.minor,
                amount: total.minor,
                attributes: Vec::new(),
            }],
            charges: Vec::new(),
            total,
            valid_until: Timestamp(2_000),
            lead_time: 86_400,
            delivery: Delivery::Shipping,
            quality: Quality::Good,
            note: None,
            keepers: Vec::new(),
            arbiters: Vec::new(),
        },
        trader: Some(PublicKey([thread; 32])),
        received: Timestamp(1_000),
        state,
        rank,
        reasons: Vec::new(),
        counter: None,
        can_counter: true,
    }
}

fn mine(id: u8, state: IntentState, created: u64, quotes: Vec<QuoteView>) -> Event {
    let intent = intent("A road bike");
    Event::Market(MarketEvent::MyIntent(Box::new(MyIntent {
        id: IntentId([id; 32]),
        draft: Draft {
            title: intent.title.clone(),
            details: None,
            category: intent.category,
            wishes: Vec::new(),
            quantity: intent.quantity,
            budget: intent.budget,
            limit: None,
            deliveries: intent.deliveries.clone(),
            places: Vec::new(),
            window: None,
            open_for: None,
            quotes_for: None,
            lang: None,
            taste: Taste::Balanced,
            arbiter: None,
        },
        intent,
        state,
        created: Timestamp(created),
        until: Timestamp(3_000),
        said: true,
        quotes,
    })))
}

fn open(id: u8, title: &str, created: u64, matches: bool, answer: Option<AnswerState>) -> Event {
    let found = Match {
        item: ItemId(7),
        title: "Steel road bike".into(),
        fits: vec![("frame".into(), Fit::Yes)],
        total: Money::new(38_190, eur()),
        complete: true,
    };
    Event::Market(MarketEvent::OpenIntent(Box::new(OpenIntent {
        id: IntentId([id; 32]),
        intent: intent(title),
        created: Timestamp(created),
        expires: Timestamp(3_000),
        reachable: true,
        matches: if matches { vec![found] } else { Vec::new() },
        answer: answer.map(|state| MyAnswer {
            thread: None,
            quote: None,
            automatic: false,
            state,
            counter: None,
        }),
    })))
}

fn trade(role: Role, state: TradeState, awaited: Option<Role>, theirs: Option<&str>) -> Event {
    let order = MessageId([5; 32]);
    Event::Market(MarketEvent::Trade(Box::new(Trade {
        thread: ThreadId([1; 32]),
        order,
        intent: IntentId([1; 32]),
        title: "A road bike".into(),
        role,
        quote: quote(1, 1, 1, QuoteState::Ordered).quote,
        trader: None,
        order_note: None,
        ordered: Timestamp(1_100),
        state,
        confirm: None,
        mine: None,
        mine_delivered: false,
        theirs: theirs.map(|name| Contact {
            order,
            name: name.into(),
            ways: Vec::new(),
            address: None,
            instructions: None,
        }),
        steps: Vec::new(),
        awaited: awaited.map(|from| Awaited {
            from,
            until: Some(Timestamp(2_000)),
        }),
        ends: None,
        can_cancel: false,
        cancelling: false,
        cancel_refused: false,
        cancel_note: None,
        handover_code: None,
        can_deliver: false,
        escrow: None,
    })))
}

fn stepped(role: Role, steps: &[TradeStep]) -> Event {
    let event = trade(role, TradeState::Dispatched, None, None);
    let Event::Market(MarketEvent::Trade(mut trade)) = event else {
        unreachable!("a trade was made")
    };
    trade.steps = steps
        .iter()
        .map(|step| StepTaken {
            step: *step,
            at: Timestamp(1_500),
            note: None,
            delivered: true,
            files: Vec::new(),
        })
        .collect();
    Event::Market(MarketEvent::Trade(trade))
}

fn stall() -> Event {
    Event::Market(MarketEvent::Stall(Box::new(StallView {
        items: vec![item()],
        rules: Rules {
            auto: Auto::Firm,
            ..Rules::default()
        },
        reserved: Vec::new(),
        profile: Profile::default(),
        trader: PublicKey([3; 32]),
    })))
}

fn network(state: Link) -> Event {
    Event::Network(NetworkView {
        peer: "me".into(),
        state,
        relays: vec![RelayView {
            address: "/ip4/127.0.0.1/tcp/1/ws".into(),
            peer: "relay".into(),
            state: RelayState::Reserved,
            configured: true,
            reason: None,
        }],
        neighbours: 2,
        others: Some(12),
        book: 3,
        ..NetworkView::default()
    })
}

const READY: Event = Event::Market(MarketEvent::Ready);

fn told(events: impl IntoIterator<Item = Event>) -> (Board, Vec<News>) {
    let mut board = Board::default();
    let news = events.into_iter().flat_map(|event| board.apply(event));
    let news = news.collect();
    (board, news)
}

#[test]
fn another_counter_of_a_buyer_is_news_and_the_same_one_again_is_not() {
    let countered = |round: u8| {
        let mut event = open(1, "A bike", 1, true, Some(AnswerState::Delivered));
        let counter = CounterView {
            total: Money::new(30_000, eur()),
            round,
            note: None,
            at: Timestamp(5),
            delivered: true,
            lost: false,
            answered: false,
        };
        if let Event::Market(MarketEvent::OpenIntent(open)) = &mut event {
            open.answer.as_mut().unwrap().counter = Some(counter);
        }
        event
    };
    let mut board = Board::default();
    board.apply(Event::Market(MarketEvent::Ready));
    let is_counter = |news: Vec<News>| {
        let mut news = news.iter();
        news.any(|news| matches!(news, News::Counter { .. }))
    };
    assert!(is_counter(board.apply(countered(1))));
    assert!(!is_counter(board.apply(countered(1))));
    assert!(is_counter(board.apply(countered(2))));
}

fn chat(role: Role, lines: &[(u8, bool)]) -> Event {
    let lines = lines.iter().map(|(number, mine)| ChatLine {
        message: MessageId([*number; 32]),
        mine: *mine,
        text: "Is it for you?".into(),
        at: Timestamp(5),
        state: ChatState::Delivered,
        files: Vec::new(),
    });
    Event::Market(MarketEvent::Chat(Box::new(Chat {
        thread: ThreadId([1; 32]),
        intent: IntentId([1; 32]),
        title: "A bike".into(),
        role,
        lines: lines.collect(),
        can_say: true,
        unread: 0,
    })))
}

/// The same with a line that I have not looked at.
fn unread(role: Role) -> Event {
    let mut event = chat(role, &[(1, false)]);
    if let Event::Market(MarketEvent::Chat(chat)) = &mut event {
        chat.unread = 1;
    }
    event
}

#[test]
fn what_was_not_looked_at_waits_where_it_stands() {
    let (mut board, _) = told([unread(Role::Buyer), READY]);
    let thread = ThreadId([1; 32]);
    assert_eq!(board.unread(&thread), 1);
    let words =
        |board: &Board| [Role::Buyer, Role::Seller].map(|role| board.unread_before_orders(role));
    assert_eq!((words(&board), board.waiting()), ([1, 0], 1));
    board.apply(unread(Role::Seller));
    assert_eq!((words(&board), board.waiting()), ([0, 1], 1));
    // In a trade it waits there, once, whoever's turn it is.
    board.apply(trade(Role::Seller, TradeState::Confirmed, None, None));
    assert_eq!(words(&board), [0, 0]);
    assert_eq!((board.trades_waiting_for_me(), board.waiting()), (1, 1));
    board.apply(chat(Role::Seller, &[(1, false)]));
    assert_eq!(board.waiting(), 0);
}

#[test]
fn what_the_other_one_says_is_news_and_what_i_say_is_not() {
    let thread = ThreadId([1; 32]);
    let (mut board, _) = told([READY]);
    assert_eq!(board.apply(chat(Role::Buyer, &[(1, true)])), []);
    let news = board.apply(chat(Role::Buyer, &[(1, true), (2, false)]));
    assert_eq!(news, [News::Chat { thread }]);
    let again = board.apply(chat(Role::Buyer, &[(1, true), (2, false), (3, true)]));
    assert_eq!(again, []);
}

#[test]
fn a_question_stands_by_itself_until_its_seller_quotes() {
    let (thread, intent) = (ThreadId([1; 32]), IntentId([1; 32]));
    let (mut board, _) = told([
        mine(1, IntentState::Open, 1_000, Vec::new()),
        chat(Role::Buyer, &[(1, false)]),
        READY,
    ]);
    assert_eq!(board.questions(&intent), [thread]);
    assert!(board.chat_with_owner(&intent).is_none());
    let quotes = vec![quote(1, 1, 1, QuoteState::Standing)];
    board.apply(mine(1, IntentState::Open, 1_000, quotes));
    assert_eq!(board.questions(&intent), []);
    assert!(board.chat(&thread).is_some());
    board.apply(chat(Role::Seller, &[(1, false)]));
    assert!(board.chat_with_owner(&intent).is_some());
}

#[test]
fn each_event_is_found_again_where_the_screen_looks_for_it() {
    let (board, _) = told([
        mine(1, IntentState::Open, 1_000, Vec::new()),
        open(2, "A piano lesson", 1_000, false, None),
        trade(Role::Buyer, TradeState::Ordered, Some(Role::Seller), None),
        stall(),
        network(Link::Online),
    ]);
    assert!(!board.is_ready());
    assert_eq!(
        board.mine(&IntentId([1; 32])).unwrap().created,
        Timestamp(1_000)
    );
    assert_eq!(
        board.open(&IntentId([2; 32])).unwrap().intent.title,
        "A piano lesson"
    );
    assert_eq!(board.trade(&ThreadId([1; 32])).unwrap().role, Role::Buyer);
    assert_eq!(board.stall().unwrap().items.len(), 1);
    assert_eq!(board.link(), Link::Online);
    assert_eq!(board.network().unwrap().others, Some(12));
    assert_eq!(board.stopped(), None);
}

#[test]
fn a_peer_that_ended_says_why_and_what_was_known_stays() {
    let (board, _) = told([
        mine(1, IntentState::Open, 1_000, Vec::new()),
        Event::Stopped {
            code: "store-full".into(),
            sentence: "No room.".into(),
        },
    ]);
    assert_eq!(board.stopped().unwrap().code, "store-full");
    assert_eq!(board.my_intents().len(), 1);
}

#[test]
fn what_a_snapshot_tells_is_no_news_and_what_comes_after_it_is() {
    let quotes = vec![quote(1, 1, 1, QuoteState::Standing)];
    let (mut board, news) = told([
        mine(1, IntentState::Open, 1_000, quotes.clone()),
        open(2, "A road bike", 1_000, true, None),
        trade(Role::Seller, TradeState::Ordered, Some(Role::Seller), None),
        READY,
    ]);
    assert_eq!(news, []);
    let more = vec![quotes[0].clone(), quote(2, 2, 2, QuoteState::Standing)];
    let news = board.apply(mine(1, IntentState::Open, 1_000, more));
    let (intent, thread) = (IntentId([1; 32]), ThreadId([2; 32]));
    assert_eq!(news, [News::Quote { intent, thread }]);
}

#[test]
fn what_is_told_twice_is_news_once() {
    let (mut board, _) = told([READY]);
    let events = || {
        [
            mine(
                1,
                IntentState::Open,
                1_000,
                vec![quote(1, 1, 1, QuoteState::Standing)],
            ),
            open(2, "A road bike", 1_000, true, None),
            trade(Role::Seller, TradeState::Ordered, Some(Role::Seller), None),
        ]
    };
    let once: Vec<_> = events().into_iter().flat_map(|e| board.apply(e)).collect();
    assert_eq!(once.len(), 3, "{once:?}");
    let before = board.clone();
    let twice: Vec<_> = events().into_iter().flat_map(|e| board.apply(e)).collect();
    assert_eq!(twice, []);
    assert_eq!(board, before);
}

#[test]
fn a_better_quote_of_the_same_seller_is_news_again() {
    let (mut board, _) = told([READY]);
    board.apply(mine(
        1,
        IntentState::Open,
        1_000,
        vec![quote(1, 1, 1, QuoteState::Standing)],
    ));
    let news = board.apply(mine(
        1,
        IntentState::Open,
        1_000,
        vec![quote(1, 8, 1, QuoteState::Standing)],
    ));
    assert_eq!(news.len(), 1);
}

#[test]
fn the_order_in_which_different_things_are_told_does_not_matter() {
    let events = [
        mine(
            1,
            IntentState::Open,
            1_000,
            vec![quote(1, 1, 1, QuoteState::Standing)],
        ),
        open(2, "A road bike", 1_000, true, None),
        trade(Role::Seller, TradeState::Ordered, Some(Role::Seller), None),
        stall(),
        network(Link::Online),
    ];
    let (forwards, _) = told(events.clone());
    let (backwards, _) = told(events.into_iter().rev());
    assert_eq!(forwards, backwards);
}

#[test]
fn an_intent_that_is_over_goes_even_if_it_was_never_known() {
    let (mut board, _) = told([open(2, "A road bike", 1_000, false, None), READY]);
    let gone = Event::Market(MarketEvent::Gone(IntentId([2; 32])));
    assert_eq!(board.apply(gone.clone()), []);
    assert_eq!(board.wanted(), 0);
    assert_eq!(board.apply(gone), []);
}

#[test]
fn a_fresh_snapshot_forgets_what_ended_while_nobody_listened() {
    let (mut board, _) = told([
        open(1, "A road bike", 1_000, false, None),
        open(2, "A piano lesson", 1_000, false, None),
        READY,
    ]);
    board.apply(open(2, "A piano lesson", 1_000, false, None));
    assert_eq!(board.wanted(), 2, "a snapshot counts when it is whole");
    board.apply(READY);
    assert_eq!(board.market(&Filter::default()), [IntentId([2; 32])]);
    board.apply(open(2, "A piano lesson", 1_000, false, None));
    board.apply(READY);
    assert_eq!(board.wanted(), 1, "and the next one counts alike");
}

#[test]
fn orders_confirmations_and_contacts_are_news_each_once() {
    let (mut board, _) = told([READY]);
    let thread = ThreadId([1; 32]);
    let seller = |state, awaited, theirs| trade(Role::Seller, state, awaited, theirs);
    let steps = [
        (
            TradeState::Ordered,
            Some(Role::Seller),
            None,
            vec![News::Order { thread }],
        ),
        (
            TradeState::Confirmed,
            Some(Role::Buyer),
            None,
            vec![News::Confirmed { thread }],
        ),
        (
            TradeState::ContactsExchanged,
            None,
            Some("Ada"),
            vec![News::Contact { thread }],
        ),
        (TradeState::ContactsExchanged, None, Some("Ada"), vec![]),
        (
            TradeState::ContactsExchanged,
            None,
            Some("Ada B."),
            vec![News::Contact { thread }],
        ),
    ];
    for (state, awaited, theirs, expected) in steps {
        assert_eq!(board.apply(seller(state, awaited, theirs)), expected);
    }
}

#[test]
fn what_the_other_side_has_done_is_news_once_and_ones_own_steps_are_none() {
    use TradeStep::{Dispatched, Paid, Received};
    let (mut board, _) = told([READY]);
    let thread = ThreadId([1; 32]);
    board.apply(stepped(Role::Buyer, &[]));
    assert_eq!(board.apply(stepped(Role::Buyer, &[Paid])), []);
    let sent = News::Step {
        thread,
        step: Dispatched,
    };
    assert_eq!(
        board.apply(stepped(Role::Buyer, &[Paid, Dispatched])),
        [sent]
    );
    assert_eq!(board.apply(stepped(Role::Buyer, &[Paid, Dispatched])), []);
    assert_eq!(
        board.apply(stepped(Role::Buyer, &[Paid, Dispatched, Received])),
        []
    );
}

/// What can be said of a trade in this state.
fn said_of(
    role: Role,
    state: TradeState,
    steps: &[TradeStep],
    can_deliver: bool,
) -> Vec<TradeStep> {
    let event = stepped(role, steps);
    let Event::Market(MarketEvent::Trade(mut trade)) = event else {
        unreachable!("a trade was made")
    };
    (trade.state, trade.can_deliver) = (state, can_deliver);
    sayable(&trade)
}

#[test]
fn a_seller_can_say_by_the_code_that_he_has_handed_it_over_until_he_has_said_so() {
    use TradeStep::{Delivered, Dispatched, Received};
    let seller = |state, steps: &[TradeStep], can| said_of(Role::Seller, state, steps, can);
    let met = TradeState::ContactsExchanged;
    assert_eq!(seller(met, &[], true), [Dispatched, Delivered]);
    assert_eq!(seller(met, &[], false), [Dispatched], "no code to ask for");
    let sent = TradeState::Dispatched;
    assert_eq!(seller(sent, &[Dispatched], true), [Delivered]);
    assert_eq!(seller(TradeState::Delivered, &[Delivered], false), []);
    assert_eq!(seller(TradeState::Received, &[Received], false), []);
    assert_eq!(seller(TradeState::Ordered, &[], false), []);
}

#[test]
fn a_buyer_can_say_that_he_has_it_also_after_the_seller_has_shown_his_code() {
    use TradeStep::{Delivered, Paid, Received};
    let buyer = |state, steps: &[TradeStep]| said_of(Role::Buyer, state, steps, false);
    assert_eq!(buyer(TradeState::Confirmed, &[]), [Paid, Received]);
    let delivered = TradeState::Delivered;
    assert_eq!(buyer(delivered, &[Paid, Delivered]), [Received]);
    assert_eq!(buyer(TradeState::Received, &[Delivered, Received]), [Paid]);
    let declined = TradeState::Declined(DeclineReason::Busy);
    assert_eq!(buyer(declined, &[]), []);
}

#[test]
fn a_hand_over_with_the_code_is_news_once_to_its_buyer_and_none_to_its_seller() {
    let thread = ThreadId([1; 32]);
    let delivered = |role| {
        let event = stepped(role, &[TradeStep::Delivered]);
        let Event::Market(MarketEvent::Trade(mut trade)) = event else {
            unreachable!("a trade was made")
        };
        trade.state = TradeState::Delivered;
        Event::Market(MarketEvent::Trade(trade))
    };
    let (mut board, _) = told([stepped(Role::Buyer, &[]), READY]);
    let step = TradeStep::Delivered;
    assert_eq!(
        board.apply(delivered(Role::Buyer)),
        [News::Step { thread, step }]
    );
    assert_eq!(board.apply(delivered(Role::Buyer)), []);
    let (mut board, _) = told([stepped(Role::Seller, &[]), READY]);
    assert_eq!(board.apply(delivered(Role::Seller)), []);
}

#[test]
fn a_file_that_comes_bit_by_bit_is_no_news() {
    let with = |received| {
        let mut event = chat(Role::Buyer, &[(1, false)]);
        if let Event::Market(MarketEvent::Chat(chat)) = &mut event {
            chat.lines[0].files.push(FileView {
                id: FileId([4; 32]),
                name: "bike.jpg".into(),
                media_type: "image/jpeg".into(),
                bytes: 300_000,
                received,
                mine: false,
                photo: true,
                state: FileState::Coming,
            });
        }
        event
    };
    let thread = ThreadId([1; 32]);
    let (mut board, _) = told([READY]);
    assert_eq!(board.apply(with(0)), [News::Chat { thread }]);
    assert_eq!(board.apply(with(65_520)), []);
    let files = &board.chat(&thread).unwrap().lines[0].files;
    assert_eq!(files[0].received, 65_520);
}

#[test]
fn ones_own_order_is_no_news_and_a_seller_who_lets_one_down_is() {
    let (mut board, _) = told([READY]);
    let thread = ThreadId([1; 32]);
    assert_eq!(
        board.apply(trade(
            Role::Buyer,
            TradeState::Ordered,
            Some(Role::Seller),
            None
        )),
        []
    );
    let declined = TradeState::Declined(DeclineReason::NoStock);
    let news = board.apply(trade(Role::Buyer, declined, None, None));
    assert_eq!(news, [News::NotConfirmed { thread }]);
}

#[test]
fn a_cancel_of_the_other_one_is_news_and_so_is_that_mine_came_too_late() {
    let thread = ThreadId([1; 32]);
    let cancelled = |by| TradeState::Cancelled {
        by,
        reason: CancelReason::ChangedMind,
    };
    let (mut board, _) = told([READY]);
    let mine = trade(Role::Buyer, cancelled(Role::Buyer), None, None);
    assert_eq!(board.apply(mine), []);
    let theirs = trade(Role::Buyer, cancelled(Role::Seller), None, None);
    assert_eq!(board.apply(theirs), [News::Cancelled { thread }]);
    let lapsed = trade(Role::Buyer, TradeState::Lapsed, None, None);
    assert_eq!(board.apply(lapsed), [News::Lapsed { thread }]);

    let going = |cancelling: bool, refused: bool| {
        let mut event = trade(Role::Buyer, TradeState::Dispatched, None, None);
        if let Event::Market(MarketEvent::Trade(trade)) = &mut event {
            (trade.cancelling, trade.cancel_refused) = (cancelling, refused);
        }
        event
    };
    assert_eq!(board.apply(going(true, false)), []);
    assert_eq!(
        board.apply(going(false, true)),
        [News::CancelRefused { thread }]
    );
    assert_eq!(board.apply(going(false, true)), []);
}

#[test]
fn the_best_quote_is_the_first_that_can_be_taken() {
    let quotes = vec![
        quote(3, 3, 3, QuoteState::Standing),
        quote(1, 1, 1, QuoteState::Declined(DeclineReason::NoStock)),
        quote(2, 2, 2, QuoteState::Standing),
    ];
    let (board, _) = told([mine(1, IntentState::Open, 1_000, quotes.clone())]);
    let open = board.mine(&IntentId([1; 32])).unwrap();
    assert_eq!(best(open).unwrap().rank, 2);
    assert!(let_down(open));
    assert_eq!((answers(open), standing(open)), (3, 2));
    assert_eq!(board.quotes_to_choose_from(), 2);

    let (board, _) = told([mine(1, IntentState::Ordered, 1_000, quotes)]);
    assert_eq!(
        best(board.mine(&IntentId([1; 32])).unwrap()),
        None,
        "one was taken"
    );
    assert_eq!(board.quotes_to_choose_from(), 0);
}

#[test]
fn what_goes_on_stands_before_what_is_over_and_the_newer_before_the_older() {
    let (board, _) = told([
        mine(1, IntentState::Withdrawn, 9_000, Vec::new()),
        mine(2, IntentState::Open, 1_000, Vec::new()),
        mine(3, IntentState::Ordered, 2_000, Vec::new()),
    ]);
    let order: Vec<u8> = board.my_intents().iter().map(|id| id.0[0]).collect();
    assert_eq!(order, [3, 2, 1]);
}

#[test]
fn the_market_shows_what_the_filter_lets_through_and_matches_first() {
    let (board, _) = told([
        open(1, "A road bike", 1_000, false, None),
        open(2, "A touring bike", 500, true, None),
        open(3, "A piano lesson", 2_000, false, None),
        open(
            4,
            "A child's bike",
            3_000,
            true,
            Some(AnswerState::Dismissed),
        ),
    ]);
    let shown =
        |filter: Filter| -> Vec<u8> { board.market(&filter).iter().map(|id| id.0[0]).collect() };
    assert_eq!(shown(Filter::default()), [2, 3, 1]);
    let text = Filter {
        text: "BIKE road".into(),
        ..Filter::default()
    };
    assert_eq!(shown(text), [1]);
    let matching = Filter {
        matching: true,
        ..Filter::default()
    };
    assert_eq!(shown(matching), [2]);
    let dismissed = Filter {
        dismissed: true,
        ..Filter::default()
    };
    assert_eq!(shown(dismissed).len(), 4);
    assert_eq!(
        board.matches_to_answer(),
        1,
        "what was dismissed is answered"
    );
}

#[test]
fn a_trade_that_waits_for_me_is_counted_and_stands_first() {
    let (board, _) = told([trade(
        Role::Seller,
        TradeState::Ordered,
        Some(Role::Seller),
        None,
    )]);
    assert_eq!(board.trades_waiting_for_me(), 1);
    assert_eq!(board.waiting(), 1);
    assert!(waits_for_me(board.trade(&board.trades()[0]).unwrap()));
    let (board, _) = told([trade(
        Role::Buyer,
        TradeState::Ordered,
        Some(Role::Seller),
        None,
    )]);
    assert_eq!(board.trades_waiting_for_me(), 0);
}

#[test]
fn money_that_came_in_is_news_but_not_what_was_there_before_nor_what_went_out() {
    let purse = Purse {
        custodian: Custodian::new("https://mint.example").unwrap(),
        asset: eur(),
    };
    let view = |free, held| {
        Event::Wallet(wallet::View {
            rail: "cashu".into(),
            balances: vec![Balance {
                purse: purse.clone(),
                free,
                held,
            }],
        })
    };
    let mut board = Board::default();
    assert_eq!(board.apply(view(500, 0)), []);
    let came = |minor| {
        let purse = purse.clone();
        [News::CameIn { purse, minor }]
    };
    assert_eq!(board.apply(view(700, 0)), came(200));
    // Set aside and paid: neither is news.
    assert_eq!(board.apply(view(100, 600)), []);
    assert_eq!(board.apply(view(100, 0)), []);
    assert_eq!(board.apply(view(100, 50)), came(50));
    assert_eq!(board.balances()[0].free, 100);
}

#[test]
fn a_trade_is_found_by_its_order() {
    let (board, _) = told([trade(Role::Buyer, TradeState::Ordered, None, None)]);
    let found = board.trade_of(&MessageId([5; 32]));
    assert_eq!(found.map(|trade| trade.thread), Some(board.trades()[0]));
    assert!(board.trade_of(&MessageId([6; 32])).is_none());
}

#[test]
fn a_buyer_whose_money_is_locked_does_not_say_that_he_has_paid() {
    use TradeStep::{Paid, Received};
    let event = stepped(Role::Buyer, &[]);
    let Event::Market(MarketEvent::Trade(mut trade)) = event else {
        unreachable!("a trade was made")
    };
    trade.state = TradeState::ContactsExchanged;
    assert_eq!(sayable(&trade), [Paid, Received]);
    trade.escrow = Some(escrow());
    assert_eq!(sayable(&trade), [Received]);
}

#[test]
fn a_seller_has_no_more_to_say_of_the_goods_once_the_money_has_gone_its_way() {
    use TradeStep::{Delivered, Dispatched};
    let event = stepped(Role::Seller, &[]);
    let Event::Market(MarketEvent::Trade(mut trade)) = event else {
        unreachable!("a trade was made")
    };
    (trade.state, trade.can_deliver) = (TradeState::Lapsed, true);
    let mut said_when = |state| {
        trade.escrow = Some(EscrowView { state, ..escrow() });
        sayable(&trade)
    };
    assert_eq!(said_when(EscrowState::Locked), [Dispatched, Delivered]);
    let (buyer, seller) = (700, 300);
    for over in [
        EscrowState::Released,
        EscrowState::Refunded,
        EscrowState::Shared { buyer, seller },
    ] {
        assert_eq!(said_when(over), []);
    }
}

fn keeper() -> Keeper {
    Keeper {
        rail: "cashu".into(),
        custodian: Custodian::new("https://mint.example").unwrap(),
        asset: eur(),
    }
}

fn escrow() -> EscrowView {
    EscrowView {
        keeper: keeper(),
        amount: Money::new(1_000, eur()),
        state: EscrowState::Planned,
        holder: Side::Buyer,
        deadline: Timestamp(0),
        review: 1,
        trouble: None,
        mine: None,
        proposals: Vec::new(),
        moved: false,
        arbiter: None,
        ask_by: None,
        dispute: None,
        ruling: None,
    }
}

#[test]
fn whoever_takes_a_quote_is_cautioned_about_a_stranger_and_about_more_than_ever_before() {
    let [known, stranger] = [PublicKey([1; 32]), PublicKey([2; 32])];
    let euros = |minor| Money::new(minor, eur());
    let (mut board, _) = told([READY]);
    let cautions = |board: &Board, who: Option<&PublicKey>, total| board.cautions(who, total);
    assert_eq!(cautions(&board, None, euros(1)), [Caution::Unnamed]);
    assert_eq!(cautions(&board, Some(&known), euros(1)), [Caution::First]);
    let ended = |state| {
        let mut event = trade(Role::Buyer, state, None, None);
        if let Event::Market(MarketEvent::Trade(trade)) = &mut event {
            trade.trader = Some(known);
            trade.quote.total = euros(10_000);
        }
        event
    };
    // A trade that is under way tells nothing yet.
    board.apply(ended(TradeState::Dispatched));
    assert_eq!(cautions(&board, Some(&known), euros(1)), [Caution::First]);
    board.apply(ended(TradeState::Received));
    assert_eq!(cautions(&board, Some(&known), euros(10_000)), []);
    let more = euros(10_001);
    assert_eq!(cautions(&board, Some(&known), more), [Caution::Largest]);
    let both = [Caution::First, Caution::Largest];
    assert_eq!(cautions(&board, Some(&stranger), more), both);
    let dollars = Money::new(20_000, Asset::new("USD").unwrap());
    assert_eq!(cautions(&board, Some(&known), dollars), []);
}
