//! Words between buyer and seller: before a quote, about one, during a trade.

use haggle_market::view::{AnswerState, ChatState};
use haggle_market::{Command, Complaint, Reply};
use haggle_protocol::private::Body;
use haggle_protocol::trade::Chat;
use haggle_protocol::{IntentId, Refusal, ThreadId};

use crate::refusals::{forger, says};
use crate::stage::*;
use crate::steps::confirm;

const BUYER: usize = 0;
const SELLER: usize = 1;
const OTHER: usize = 2;

fn asked() -> (Stage, IntentId) {
    let mut stage = Stage::new(&["buyer", "seller", "other"]);
    let id = stage.publish(BUYER, wants_laptop());
    (stage, id)
}

fn ask(stage: &mut Stage, intent: IntentId, text: &str) -> Result<Reply, Complaint> {
    let text = text.to_owned();
    stage.tell(SELLER, Command::Inquire { intent, text })
}

fn say(stage: &mut Stage, who: usize, thread: ThreadId, text: &str) -> Result<Reply, Complaint> {
    stage.tell(who, crate::steps::say(thread, text))
}

fn code(said: Result<Reply, Complaint>) -> String {
    said.unwrap_err().code
}

fn thread(stage: &Stage, who: usize) -> ThreadId {
    *stage.actors[who].chats.keys().next().unwrap()
}

/// What one side sees: who said what, and how far it got.
fn seen(stage: &Stage, who: usize) -> Vec<(bool, &str, ChatState)> {
    let chat = stage.actors[who].chats.values().next().unwrap();
    let lines = chat.lines.iter();
    lines
        .map(|line| (line.mine, line.text.as_str(), line.state))
        .collect()
}

#[test]
fn what_came_is_new_until_it_was_looked_at_and_the_other_side_never_learns_of_that() {
    let (mut stage, id) = asked();
    ask(&mut stage, id, "Is a scratch fine?").unwrap();
    ask(&mut stage, id, "At the back.").unwrap();
    let thread = thread(&stage, BUYER);
    let unread = |stage: &Stage, who: usize| stage.actors[who].chats[&thread].unread;
    assert_eq!((unread(&stage, BUYER), unread(&stage, SELLER)), (2, 0));
    let said = stage.log.iter().filter(|it| it.2 == "whisper").count();
    stage.tell(BUYER, Command::Read { thread }).unwrap();
    assert_eq!(unread(&stage, BUYER), 0);
    let after = stage.log.iter().filter(|it| it.2 == "whisper").count();
    assert_eq!(said, after);
    stage.reload(BUYER);
    assert_eq!(unread(&stage, BUYER), 0);
    say(&mut stage, BUYER, thread, "It is.").unwrap();
    ask(&mut stage, id, "Fine.").unwrap();
    assert_eq!((unread(&stage, BUYER), unread(&stage, SELLER)), (1, 1));
}

#[test]
fn a_seller_asks_before_he_quotes_and_only_the_buyer_hears_it() {
    for restless in [false, true] {
        let (mut stage, id) = asked();
        stage.restless = restless;
        let others = stage.actors[OTHER].received.len();
        ask(&mut stage, id, "Is a scratch\nat the back fine?").unwrap();
        let thread = thread(&stage, BUYER);
        say(&mut stage, BUYER, thread, "Yes, if the screen is fine.").unwrap();
        let delivered = ChatState::Delivered;
        assert_eq!(
            seen(&stage, SELLER),
            [
                (true, "Is a scratch\nat the back fine?", delivered),
                (false, "Yes, if the screen is fine.", delivered)
            ]
        );
        assert_eq!(
            seen(&stage, BUYER),
            [
                (false, "Is a scratch\nat the back fine?", delivered),
                (true, "Yes, if the screen is fine.", delivered)
            ]
        );
        // A restart tells everybody anew where one is; else nothing at all came to him.
        assert!(restless || stage.actors[OTHER].received.len() == others);
        assert!(stage.actors[OTHER].chats.is_empty());

        // A question is no answer: it still waits for one, and a rule gives it in the same exchange.
        assert!(stage.actors[SELLER].open[&id].answer.is_none());
        assert!(stage.actors[BUYER].mine[&id].quotes.is_empty());
        stage.put(SELLER, laptop(40_000, 1));
        stage.tell(SELLER, rules("indicative")).unwrap();
        let quotes = &stage.actors[BUYER].mine[&id].quotes;
        assert_eq!((quotes.len(), quotes[0].thread), (1, thread));
        let answer = stage.actors[SELLER].open[&id].answer.clone().unwrap();
        assert_eq!(answer.state, AnswerState::Delivered);
    }
}

#[test]
fn a_seller_says_three_things_until_he_is_answered() {
    let (mut stage, id) = asked();
    for text in ["one", "two", "three"] {
        ask(&mut stage, id, text).unwrap();
    }
    assert_eq!(code(ask(&mut stage, id, "four")), "unanswered");
    let thread = thread(&stage, SELLER);
    assert!(!stage.actors[SELLER].chats[&thread].can_say);
    say(&mut stage, BUYER, thread, "Slowly.").unwrap();
    assert!(stage.actors[SELLER].chats[&thread].can_say);
    say(&mut stage, SELLER, thread, "four").unwrap();
    // The buyer is in his own house.
    for number in 0..5 {
        say(&mut stage, BUYER, thread, &format!("{number}")).unwrap();
    }

    // One who does not keep to it is not listened to, and is heard once he is answered.
    let mut loud = forger(&stage, id, 7);
    let line = |text: &str| {
        Body::Chat(Chat {
            text: text.into(),
            files: Vec::new(),
        })
    };
    for text in ["a", "b", "c", "d", "e", "f"] {
        let message = loud.message(line(text), stage.now);
        let cell = loud.sealed(&message);
        assert_eq!(says(&mut stage, BUYER, cell), None);
    }
    let message = loud.message(line("g"), stage.now);
    let cell = loud.sealed(&message);
    let kept = stage.actors[BUYER].saved.clone();
    let refused = says(&mut stage, BUYER, cell.clone());
    assert_eq!(refused, Some(Refusal::WhisperRate));
    assert!(kept == stage.actors[BUYER].saved);
    let his = loud.thread();
    say(&mut stage, BUYER, his, "Yes?").unwrap();
    assert_eq!(says(&mut stage, BUYER, cell), None);
    assert_eq!(stage.actors[BUYER].chats[&his].lines.len(), 8);
}

#[test]
fn what_was_said_survives_a_lost_connection_and_a_reload_and_comes_once() {
    let (mut stage, id) = asked();
    stage.actors[BUYER].online = false;
    ask(&mut stage, id, "Is it for you?").unwrap();
    let sending = [(true, "Is it for you?", ChatState::Sending)];
    assert_eq!(seen(&stage, SELLER), sending);
    stage.reload(SELLER);
    assert_eq!(seen(&stage, SELLER), sending);
    stage.actors[BUYER].online = true;
    stage.reload(BUYER);
    let mut left = 60;
    stage.fate = Box::new(move |_| {
        left -= 1;
        if left > 0 { Fate::Twice } else { Fate::Arrives }
    });
    stage.pass(120);
    assert_eq!(seen(&stage, SELLER)[0].2, ChatState::Delivered);
    assert_eq!(
        seen(&stage, BUYER),
        [(false, "Is it for you?", ChatState::Delivered)]
    );
    stage.reload(BUYER);
    assert_eq!(seen(&stage, BUYER).len(), 1);
}

#[test]
fn what_found_no_way_in_three_days_is_told_as_lost_and_too_much_does_not_wait() {
    let (mut stage, id) = asked();
    stage.put(SELLER, laptop(40_000, 1));
    stage.tell(SELLER, rules("firm")).unwrap();
    stage.accept(BUYER, id);
    stage.actors[BUYER].online = false;
    let thread = stage.actors[SELLER].trade().thread;
    for number in 0..8 {
        say(&mut stage, SELLER, thread, &format!("{number}")).unwrap();
    }
    assert_eq!(
        code(say(&mut stage, SELLER, thread, "8")),
        "too-many-waiting"
    );
    stage.pass(3 * 24 * 60 * 60 + 1);
    let states = seen(&stage, SELLER);
    assert!(states.iter().all(|(.., state)| *state == ChatState::Lost));
    say(&mut stage, SELLER, thread, "Hello?").unwrap();
}

#[test]
fn one_talks_during_a_trade_and_not_after_a_quote_that_was_not_taken() {
    let (mut stage, id) = asked();
    for seller in [SELLER, OTHER] {
        stage.put(seller, laptop(40_000 + 1_000 * seller as u64, 1));
        stage.tell(seller, rules("indicative")).unwrap();
    }
    let quotes = stage.actors[BUYER].mine[&id].quotes.clone();
    let loser = quotes[1].thread;
    say(&mut stage, BUYER, loser, "Can you bring it?").unwrap();
    stage.accept(BUYER, id);
    let winner = quotes[0].thread;
    stage.tell(SELLER, confirm(winner)).unwrap();
    for text in ["one", "two", "three", "four"] {
        say(&mut stage, SELLER, winner, text).unwrap();
    }
    say(&mut stage, BUYER, winner, "At five, then.").unwrap();
    assert_eq!(code(say(&mut stage, OTHER, loser, "Why not me?")), "closed");
    assert_eq!(code(say(&mut stage, BUYER, loser, "Sorry.")), "closed");
    assert_eq!(
        code(say(&mut stage, BUYER, ThreadId([9; 32]), "?")),
        "no-such-thread"
    );
    let nobody = ask(&mut stage, IntentId([9; 32]), "?");
    assert_eq!(code(nobody), "no-such-intent");
    for text in ["", " spaced ", &"x".repeat(801)] {
        assert_eq!(code(say(&mut stage, BUYER, winner, text)), "bad-text");
    }
}

#[test]
fn a_question_and_its_answer_are_there_after_a_late_reload() {
    let (mut stage, id) = asked();
    ask(&mut stage, id, "Is it for you?").unwrap();
    let thread = thread(&stage, BUYER);
    stage.pass(2 * 60 * 60);
    stage.reload(SELLER);
    say(&mut stage, BUYER, thread, "For my son.").unwrap();
    stage.pass(120);
    assert_eq!(seen(&stage, SELLER).len(), 2);
    assert_eq!(seen(&stage, BUYER)[1].2, ChatState::Delivered);
}

#[test]
fn lines_that_never_arrived_do_not_silence_a_seller() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    let mut draft = wants_laptop();
    draft.open_for = Some(7 * 24 * 60 * 60);
    let id = stage.publish(BUYER, draft);
    stage.fate = Box::new(|post| match post {
        Post::Cell { .. } => Fate::Lost,
        Post::Answered { .. }
        | Post::Frame { .. }
        | Post::Asked { .. }
        | Post::Piece { .. }
        | Post::Pay { .. } => Fate::Arrives,
    });
    for text in ["one", "two", "three"] {
        ask(&mut stage, id, text).unwrap();
    }
    assert_eq!(code(ask(&mut stage, id, "four")), "unanswered");
    stage.pass(3 * 24 * 60 * 60 + 1);
    let thread = thread(&stage, SELLER);
    assert!(stage.actors[SELLER].chats[&thread].can_say);
    stage.fate = Box::new(|_| Fate::Arrives);
    for text in ["four", "five", "six"] {
        ask(&mut stage, id, text).unwrap();
    }
    assert_eq!(seen(&stage, BUYER).len(), 3);
    assert_eq!(code(ask(&mut stage, id, "seven")), "unanswered");
}

#[test]
fn what_a_full_house_did_not_take_is_not_lost_while_there_may_still_be_room() {
    for stays_open in [true, false] {
        let (mut stage, id) = asked();
        let now = stage.now;
        for seed in 1..=64 {
            let mut other = forger(&stage, id, seed);
            let message = other.message(Body::Quote(other.quote(50_000, now)), now);
            let cell = other.sealed(&message);
            assert_eq!(says(&mut stage, BUYER, cell), None);
        }
        ask(&mut stage, id, "Is a scratch fine?").unwrap();
        assert_eq!(seen(&stage, SELLER)[0].2, ChatState::Sending);
        let copy = stage.actors[BUYER].received.last().unwrap().clone();
        if !stays_open {
            let intent = id;
            stage.tell(BUYER, Command::Withdraw { intent }).unwrap();
            stage.pass(120);
            assert_eq!(seen(&stage, SELLER)[0].2, ChatState::Lost);
            assert!(says(&mut stage, BUYER, copy).is_some());
            assert!(stage.actors[BUYER].chats.is_empty());
            continue;
        }
        // The quotes lapse, and a copy of the line comes before it is said again.
        stage.pass(1_801);
        says(&mut stage, BUYER, copy);
        stage.pass(120);
        assert_eq!(seen(&stage, BUYER).len(), 1);
        assert_eq!(seen(&stage, SELLER)[0].2, ChatState::Delivered);
    }
}

#[test]
fn whoever_may_have_sent_something_is_listened_to_after_a_late_confirmation() {
    let (mut stage, thread) = crate::steps::ordered();
    // Nothing of the seller's arrives; he confirms and sends it.
    stage.fate = cells_of(SELLER, Fate::Held, Fate::Arrives);
    stage.tell(SELLER, confirm(thread)).unwrap();
    stage.pass(30 * 60);
    let state = stage.actors[BUYER].trade().state;
    assert_eq!(state, haggle_market::view::TradeState::NotConfirmed);
    let intent = *stage.actors[BUYER].mine.keys().next().unwrap();
    stage.tell(BUYER, Command::Withdraw { intent }).unwrap();
    stage.held.clear();
    say(&mut stage, SELLER, thread, "It is on its way.").unwrap();
    let line = stage.held.pop().unwrap();
    stage.fate = Box::new(|_| Fate::Arrives);
    stage.deliver(line);
    stage.settle();
    assert_eq!(
        seen(&stage, BUYER),
        [(false, "It is on its way.", ChatState::Delivered)]
    );
    assert_eq!(seen(&stage, SELLER)[0].2, ChatState::Delivered);
}
