//! Files that go with what is said: they come whole, once, across reloads and absences, and nobody else reads them.

use haggle_market::command::NewFile;
use haggle_market::record::PIECES;
use haggle_market::view::{FileState, FileView, TradeStep};
use haggle_market::{Command, Complaint, Heard, Input, Reply};
use haggle_protocol::attachment::{Attachment, FileKey, Piece};
use haggle_protocol::limits::PIECE_LEN;
use haggle_protocol::private::Body;
use haggle_protocol::trade::Chat;
use haggle_protocol::{FileId, Refusal, ThreadId};

use crate::refusals::{forger, says};
use crate::stage::*;
use crate::steps::{confirm, ordered, report, to_the_receipt};

const BUYER: usize = 0;
const SELLER: usize = 1;
const DAY: u64 = 24 * 60 * 60;

/// A file whose bytes are found again wherever they stand.
pub(crate) fn file(name: &str, kind: &str, len: usize) -> NewFile {
    let bytes = (0..len).map(|at| (at / 7 % 251) as u8).collect();
    NewFile {
        name: name.to_owned(),
        media_type: kind.to_owned(),
        bytes,
    }
}

const fn is_piece(post: &Post) -> bool {
    matches!(post, Post::Piece { .. })
}

fn say_with(
    stage: &mut Stage,
    who: usize,
    thread: ThreadId,
    files: Vec<NewFile>,
) -> Result<Reply, Complaint> {
    let text = String::new();
    let say = Command::Say {
        thread,
        text,
        files,
    };
    stage.tell(who, say)
}

/// What one side sees of the files of its talk.
fn seen(stage: &Stage, who: usize) -> Vec<FileView> {
    let chat = stage.actors[who].chats.values().next().unwrap();
    let files = chat.lines.iter().flat_map(|line| &line.files);
    files.cloned().collect()
}

/// What one side sees of the files of its trade's steps.
pub(crate) fn goods(stage: &Stage, who: usize) -> Vec<FileView> {
    let steps = &stage.actors[who].trade().steps;
    steps.iter().flat_map(|step| step.files.clone()).collect()
}

/// A file as its reader's shell would read it.
fn content(stage: &Stage, who: usize, id: &FileId) -> Option<Vec<u8>> {
    let actor = &stage.actors[who];
    let named = actor.market.file(id)?;
    let pieces = (0..named.pieces()).map(|index| {
        let kept = &actor.saved[&haggle_market::record::piece(id, index)];
        named.open_piece(id, index, kept).unwrap()
    });
    Some(pieces.flatten().collect())
}

fn pieces(stage: &Stage, who: usize) -> usize {
    let keys = stage.actors[who].saved.keys();
    keys.filter(|key| key.starts_with(PIECES)).count()
}

fn confirmed() -> (Stage, ThreadId) {
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    (stage, thread)
}

#[test]
fn a_photo_goes_with_what_is_said_and_comes_whole_and_only_to_its_reader() {
    for restless in [false, true] {
        let (mut stage, thread) = confirmed();
        let other = stage.enter("other");
        stage.restless = restless;
        let photo = file("lid.jpg", "image/jpeg", 2 * PIECE_LEN + 5);
        say_with(&mut stage, SELLER, thread, vec![photo.clone()]).unwrap();
        stage.pass(60);
        for (who, mine) in [(BUYER, false), (SELLER, true)] {
            let [view] = &seen(&stage, who)[..] else {
                panic!("one file")
            };
            assert_eq!((view.name.as_str(), view.mine), ("lid.jpg", mine));
            assert_eq!((view.state, view.received), (FileState::Here, view.bytes));
            assert!(view.photo);
            assert!(content(&stage, who, &view.id).unwrap() == photo.bytes);
        }
        for who in [BUYER, SELLER, other] {
            let actor = &stage.actors[who];
            assert!(
                !actor.received_any(&photo.bytes[1_000..1_050]),
                "{}",
                actor.name
            );
            assert!(!actor.received_any(b"lid.jpg"));
        }
    }
}

#[test]
fn digital_goods_come_with_the_dispatch_in_windows_of_ten_seconds_and_across_reloads() {
    let (mut stage, thread) = confirmed();
    let goods_sent = file("score.pdf", "application/pdf", 5 * PIECE_LEN);
    let dispatch = Command::Report {
        thread,
        step: TradeStep::Dispatched,
        note: None,
        files: vec![goods_sent.clone()],
        code: None,
    };
    // One piece gets through, and three answers are lost: more than a window has time for.
    let mut passed = 0;
    stage.fate = Box::new(move |post| {
        passed += u32::from(is_piece(post));
        let lost = is_piece(post) && passed % 4 != 1;
        if lost { Fate::Lost } else { Fate::Arrives }
    });
    stage.tell(SELLER, dispatch).unwrap();
    let mut windows = 0;
    while goods(&stage, BUYER)[0].state != FileState::Here {
        windows += 1;
        assert!(windows < 30, "it never comes: {:?}", goods(&stage, BUYER));
        for who in [BUYER, SELLER] {
            stage.actors[who].online = false;
        }
        stage.pass(3_600);
        for who in [BUYER, SELLER] {
            stage.actors[who].online = true;
            stage.reload(who);
        }
        stage.settle();
        stage.pass(10);
    }
    assert!(windows >= 2, "it came at once");
    let id = goods(&stage, BUYER)[0].id;
    assert!(content(&stage, BUYER, &id).unwrap() == goods_sent.bytes);
    to_end(&mut stage, thread);
}

fn to_end(stage: &mut Stage, thread: ThreadId) {
    let received = report(thread, TradeStep::Received, None);
    stage.tell(BUYER, received).unwrap();
}

#[test]
fn a_file_comes_once_however_often_its_pieces_do() {
    let (mut stage, thread) = confirmed();
    let mut count = 0;
    stage.fate = Box::new(move |post| {
        let about = is_piece(post) || matches!(post, Post::Asked { .. });
        count += u32::from(about);
        let twice = about && count % 3 == 0;
        if twice { Fate::Twice } else { Fate::Arrives }
    });
    let sent = file("plan.png", "image/png", 4 * PIECE_LEN);
    say_with(&mut stage, BUYER, thread, vec![sent.clone()]).unwrap();
    stage.pass(60);
    let view = seen(&stage, SELLER)[0].clone();
    assert_eq!(view.state, FileState::Here);
    assert!(content(&stage, SELLER, &view.id).unwrap() == sent.bytes);
    assert_eq!(pieces(&stage, SELLER), 4);
}

#[test]
fn what_came_is_not_what_was_said_is_told_and_not_kept() {
    let (mut stage, thread) = confirmed();
    let sent = file("a.jpg", "image/jpeg", 2 * PIECE_LEN);
    // Held up until it was altered.
    let mut lost = false;
    stage.fate = Box::new(move |post| {
        let first = is_piece(post) && !core::mem::replace(&mut lost, true);
        if first { Fate::Lost } else { Fate::Arrives }
    });
    say_with(&mut stage, SELLER, thread, vec![sent]).unwrap();
    let id = seen(&stage, BUYER)[0].id;
    let key = haggle_market::record::piece(&id, 1);
    let kept = stage.actors[SELLER].saved.get_mut(&key).unwrap();
    kept[77] ^= 1;
    stage.pass(60);
    assert_eq!(seen(&stage, BUYER)[0].state, FileState::Wrong);
    assert_eq!(pieces(&stage, BUYER), 0);
    // Once its seller has it whole again, it can be fetched from the start.
    let kept = stage.actors[SELLER].saved.get_mut(&key).unwrap();
    kept[77] ^= 1;
    stage.tell(BUYER, Command::Fetch { file: id }).unwrap();
    stage.pass(60);
    assert_eq!(seen(&stage, BUYER)[0].state, FileState::Here);
}

#[test]
fn a_stranger_brings_small_photos_unasked_and_nothing_else() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.put(SELLER, laptop(40_000, 3));
    stage.tell(SELLER, rules("indicative")).unwrap();
    let intent = stage.publish(BUYER, wants_laptop());
    let thread = stage.actors[BUYER].mine[&intent].quotes[0].thread;
    let files = vec![
        file("small.jpg", "image/jpeg", 9_000),
        file("large.jpg", "image/jpeg", 600_000),
        file("drawing.svg", "image/svg+xml", 900),
        file("sheet.pdf", "application/pdf", 900),
    ];
    say_with(&mut stage, SELLER, thread, files).unwrap();
    stage.pass(60);
    let states = |stage: &Stage| -> Vec<FileState> {
        let seen = seen(stage, BUYER);
        seen.iter().map(|view| view.state).collect()
    };
    use FileState::{Here, Offered};
    assert_eq!(states(&stage), [Here, Offered, Offered, Offered]);
    let photos: Vec<bool> = seen(&stage, BUYER).iter().map(|view| view.photo).collect();
    assert_eq!(photos, [true, true, false, false]);
    // What its reader wants comes.
    let pdf = seen(&stage, BUYER)[3].id;
    stage.tell(BUYER, Command::Fetch { file: pdf }).unwrap();
    stage.pass(60);
    assert_eq!(states(&stage), [Here, Offered, Offered, Here]);
}

/// How many bytes of files one side keeps or waits for.
fn room(stage: &Stage, who: usize) -> u64 {
    let chats = stage.actors[who]
        .chats
        .values()
        .flat_map(|chat| &chat.lines);
    let files = chats.flat_map(|line| &line.files);
    let taken = files.filter(|file| matches!(file.state, FileState::Here | FileState::Coming));
    taken.map(|file| u64::from(file.bytes)).sum()
}

#[test]
fn who_only_orders_takes_no_room_from_those_with_whom_something_is_agreed_on() {
    let mut stage = Stage::new(&["buyer", "seller", "honest"]);
    let honest = 2;
    stage.put(SELLER, laptop(40_000, 9));
    stage.tell(SELLER, rules("indicative")).unwrap();
    let order = |stage: &mut Stage, who: usize| {
        let intent = stage.publish(who, wants_laptop());
        let thread = stage.actors[who].mine[&intent].quotes[0].thread;
        stage.accept(who, intent);
        thread
    };
    // An order binds nobody but him who gives it, and he gives nothing that he names.
    let thread = order(&mut stage, BUYER);
    let other = order(&mut stage, honest);
    stage.fate = Box::new(|post| {
        let lost = matches!(
            post,
            Post::Asked {
                to: Some(BUYER),
                ..
            }
        );
        if lost { Fate::Lost } else { Fate::Arrives }
    });
    for _ in 0..2 {
        let four = vec![file("a.pdf", "application/pdf", 1024 * 1024); 4];
        say_with(&mut stage, BUYER, thread, four).unwrap();
        let photos = vec![file("a.jpg", "image/jpeg", 400_000); 4];
        say_with(&mut stage, BUYER, thread, photos).unwrap();
        stage.pass(60);
    }
    assert!(room(&stage, SELLER) <= 2 * 1024 * 1024);
    // Even whom the seller has confirmed takes no more than one message may hold.
    stage.tell(SELLER, confirm(thread)).unwrap();
    for _ in 0..3 {
        let two = vec![file("b.pdf", "application/pdf", 8 * 1024 * 1024); 2];
        say_with(&mut stage, BUYER, thread, two).unwrap();
        stage.pass(60);
    }
    assert!(room(&stage, SELLER) <= 18 * 1024 * 1024);

    stage.tell(SELLER, confirm(other)).unwrap();
    let proof = vec![file("transfer.pdf", "application/pdf", 3_000_000)];
    say_with(&mut stage, honest, other, proof).unwrap();
    stage.pass(60);
    let last = stage.actors[SELLER].chats[&other].lines.last().unwrap();
    assert_eq!(last.files[0].state, FileState::Here);
}

#[test]
fn of_many_files_a_few_pieces_are_asked_for_at_once_and_one_of_each_exchange() {
    let (mut stage, thread) = confirmed();
    // Whoever is asked never answers, and nobody says so.
    stage.fate = Box::new(|post| {
        let held = matches!(post, Post::Asked { .. });
        if held { Fate::Forgotten } else { Fate::Arrives }
    });
    for _ in 0..5 {
        let four = vec![file("a.jpg", "image/jpeg", 100); 4];
        say_with(&mut stage, SELLER, thread, four).unwrap();
    }
    stage.pass(170);
    let asked = stage.log.iter().filter(|it| it.2 == "fetch").count();
    assert_eq!(asked, 1, "twenty files wait, and one is asked for");
    stage.reload(SELLER);
    stage.fate = Box::new(|_| Fate::Arrives);
    stage.pass(240);
    let states: Vec<FileState> = seen(&stage, BUYER).iter().map(|it| it.state).collect();
    assert_eq!(states, [FileState::Here; 20]);
}

#[test]
fn what_a_backup_does_not_hold_is_fetched_again_and_what_nobody_has_is_not_said_to_be_here() {
    let (mut stage, thread) = confirmed();
    let sent = file("a.pdf", "application/pdf", 3 * PIECE_LEN);
    say_with(&mut stage, SELLER, thread, vec![sent.clone()]).unwrap();
    stage.pass(60);
    let without = |stage: &Stage, who: usize, kept: &str| {
        let mut saved = stage.actors[who].saved.clone();
        saved.retain(|key, _| !key.starts_with(PIECES) || key.ends_with(kept));
        saved
    };
    // Of the buyer's device one piece is left, in the middle.
    let backup = without(&stage, BUYER, "/1");
    stage.come_back(BUYER, backup);
    stage.pass(60);
    let view = seen(&stage, BUYER)[0].clone();
    assert_eq!(view.state, FileState::Here);
    assert!(content(&stage, BUYER, &view.id).unwrap() == sent.bytes);
    // The seller's copy is gone with his device; the buyer's is not.
    let backup = without(&stage, SELLER, "nothing");
    stage.come_back(SELLER, backup);
    assert_eq!(seen(&stage, SELLER)[0].state, FileState::Removed);
    assert_eq!(pieces(&stage, SELLER), 0);
    assert_eq!(pieces(&stage, BUYER), 3);
}

#[test]
fn a_reload_in_the_middle_goes_on_where_it_was_and_lets_go_of_what_nobody_names() {
    let (mut stage, thread) = confirmed();
    let mut passed = 0;
    stage.fate = Box::new(move |post| {
        passed += u32::from(is_piece(post));
        let lost = is_piece(post) && passed > 2;
        if lost { Fate::Lost } else { Fate::Arrives }
    });
    let sent = file("a.pdf", "application/pdf", 5 * PIECE_LEN);
    say_with(&mut stage, SELLER, thread, vec![sent.clone()]).unwrap();
    let id = seen(&stage, BUYER)[0].id;
    // Kept, but the peer ended before it was counted; and a trial that was never taken back.
    let (late, trial) = (
        haggle_market::record::piece(&id, 3),
        format!("{PIECES}trial"),
    );
    for key in [late, trial] {
        stage.actors[BUYER].saved.insert(key, vec![1; 99]);
    }
    let asks = stage.log.iter().filter(|it| it.2 == "fetch").count();
    stage.fate = Box::new(|_| Fate::Arrives);
    stage.reload(BUYER);
    assert_eq!(pieces(&stage, BUYER), 2);
    stage.pass(120);
    let more = stage.log.iter().filter(|it| it.2 == "fetch").count() - asks;
    assert_eq!(more, 3, "the first two are not fetched again");
    assert!(content(&stage, BUYER, &id).unwrap() == sent.bytes);
}

#[test]
fn a_full_store_makes_a_file_wait_and_stops_nothing() {
    let (mut stage, thread) = confirmed();
    stage.fate = Box::new(|post| {
        if is_piece(post) {
            Fate::Forgotten
        } else {
            Fate::Arrives
        }
    });
    let sent = file("a.jpg", "image/jpeg", 3_000);
    say_with(&mut stage, SELLER, thread, vec![sent]).unwrap();
    let file = seen(&stage, BUYER)[0].id;
    let piece = Piece { file, index: 0 };
    stage.input(BUYER, Input::Heard(Heard::NoRoom { piece }));
    assert_eq!(seen(&stage, BUYER)[0].state, FileState::Offered);
    stage.fate = Box::new(|_| Fate::Arrives);
    stage.pass(3_600);
    assert_eq!(seen(&stage, BUYER)[0].state, FileState::Offered);
    stage.tell(BUYER, Command::Fetch { file }).unwrap();
    stage.pass(60);
    assert_eq!(seen(&stage, BUYER)[0].state, FileState::Here);
}

#[test]
fn a_word_that_is_refused_takes_no_file_away() {
    let (mut stage, thread) = confirmed();
    for _ in 0..4 {
        let two = vec![file("a.pdf", "application/pdf", 8 * 1024 * 1024); 2];
        say_with(&mut stage, SELLER, thread, two).unwrap();
    }
    to_the_receipt(&mut stage, thread, 60);
    let one = || vec![file("b.pdf", "application/pdf", 1)];
    let report = Command::Report {
        thread,
        step: TradeStep::Dispatched,
        note: None,
        files: one(),
        code: None,
    };
    assert!(stage.tell(SELLER, report).is_err());
    let all = |stage: &Stage| {
        seen(stage, SELLER)
            .iter()
            .all(|it| it.state == FileState::Here)
    };
    assert!(all(&stage));
    say_with(&mut stage, SELLER, thread, one()).unwrap();
    assert!(!all(&stage), "now one of an ended trade has made room");
}

#[test]
fn what_went_with_an_order_that_is_given_anew_is_forgotten() {
    let (mut stage, thread) = ordered();
    stage.tell(SELLER, confirm(thread)).unwrap();
    let proof = Command::Report {
        thread,
        step: TradeStep::Paid,
        note: None,
        files: vec![file("transfer.pdf", "application/pdf", 3_000)],
        code: None,
    };
    stage.tell(BUYER, proof).unwrap();
    stage.pass(60);
    let cancel = Command::Cancel {
        thread,
        reason: haggle_protocol::trade::CancelReason::ChangedMind,
        note: None,
    };
    stage.tell(BUYER, cancel).unwrap();
    assert_eq!((pieces(&stage, BUYER), pieces(&stage, SELLER)), (1, 1));
    let intent = stage.actors[BUYER].trade().intent;
    stage.tell(SELLER, rules("indicative")).unwrap();
    let quotes = stage.actors[BUYER].mine[&intent].quotes.clone();
    let standing =
        |it: &&haggle_market::QuoteView| it.state == haggle_market::view::QuoteState::Standing;
    if let Some(quote) = quotes.iter().find(standing) {
        let total = quote.quote.total;
        let note = None;
        let again = Command::Accept {
            thread,
            total,
            note,
            escrow: None,
        };
        stage.tell(BUYER, again).unwrap();
        assert_eq!((pieces(&stage, BUYER), pieces(&stage, SELLER)), (0, 0));
    }
}

#[test]
fn a_removed_file_is_gone_for_both_and_the_other_side_is_told_so() {
    let (mut stage, thread) = confirmed();
    stage.actors[BUYER].online = false;
    let sent = file("a.jpg", "image/jpeg", 3_000);
    say_with(&mut stage, SELLER, thread, vec![sent]).unwrap();
    let id = seen(&stage, SELLER)[0].id;
    stage
        .tell(SELLER, Command::RemoveFile { file: id })
        .unwrap();
    assert_eq!(pieces(&stage, SELLER), 0);
    stage.actors[BUYER].online = true;
    stage.pass(300);
    assert_eq!(seen(&stage, SELLER)[0].state, FileState::Removed);
    assert_eq!(seen(&stage, BUYER)[0].state, FileState::Gone);
    stage.reload(BUYER);
    assert_eq!(seen(&stage, BUYER)[0].state, FileState::Gone);
}

#[test]
fn a_seller_who_never_comes_back_is_asked_for_a_week_and_then_no_more() {
    let (mut stage, thread) = confirmed();
    stage.fate = Box::new(|post| {
        let lost = matches!(post, Post::Asked { .. });
        if lost { Fate::Lost } else { Fate::Arrives }
    });
    let sent = file("a.pdf", "application/pdf", 3_000);
    say_with(&mut stage, SELLER, thread, vec![sent]).unwrap();
    stage.pass(2 * DAY);
    assert_eq!(seen(&stage, BUYER)[0].state, FileState::Coming);
    stage.pass(5 * DAY + 120);
    assert_eq!(seen(&stage, BUYER)[0].state, FileState::Offered);
    let asks = |stage: &Stage| stage.log.iter().filter(|it| it.2 == "fetch").count();
    let before = asks(&stage);
    stage.pass(DAY);
    assert_eq!(asks(&stage), before);
}

#[test]
fn files_are_forgotten_with_the_exchange_that_they_belonged_to() {
    let (mut stage, thread) = confirmed();
    let sent = file("a.jpg", "image/jpeg", 3_000);
    say_with(&mut stage, SELLER, thread, vec![sent]).unwrap();
    to_the_receipt(&mut stage, thread, 60);
    assert_eq!((pieces(&stage, BUYER), pieces(&stage, SELLER)), (1, 1));
    // A record without anything that names it is let go of at the next start.
    let orphan = stage.actors[BUYER].saved.clone();
    let rest: Vec<String> = orphan
        .keys()
        .filter(|key| key.starts_with("thread/"))
        .cloned()
        .collect();
    for key in rest {
        stage.actors[BUYER].saved.remove(&key);
    }
    stage.reload(BUYER);
    assert_eq!(pieces(&stage, BUYER), 0);
    assert!(!stage.actors[BUYER].kinds().contains("file"));
}

#[test]
fn what_cannot_be_sent_is_said_plainly_and_changes_nothing() {
    let (mut stage, thread) = confirmed();
    let jpeg = |len| file("a.jpg", "image/jpeg", len);
    let mut code = |files: Vec<NewFile>| {
        let said = say_with(&mut stage, BUYER, thread, files);
        assert!(stage.actors[BUYER].chats.is_empty());
        said.unwrap_err().code
    };
    assert_eq!(code(vec![]), "bad-text");
    assert_eq!(code(vec![jpeg(0)]), "bad-file");
    assert_eq!(code(vec![file("../a", "image/jpeg", 5)]), "bad-file");
    assert_eq!(code(vec![file("a", "no type", 5)]), "bad-file");
    assert_eq!(code(vec![jpeg(8 * 1024 * 1024 + 1)]), "file-too-large");
    assert_eq!(code(vec![jpeg(1); 5]), "too-many-files");
    let three = vec![jpeg(6 * 1024 * 1024); 3];
    assert_eq!(code(three), "file-too-large");
    assert_eq!(pieces(&stage, BUYER), 0);
    let unknown = Command::Fetch {
        file: FileId([1; 32]),
    };
    let complaint = stage.tell(BUYER, unknown).unwrap_err();
    assert_eq!(complaint.code, "no-such-file");
}

#[test]
fn a_full_shelf_takes_no_more_and_says_what_to_do() {
    let (mut stage, thread) = confirmed();
    for _ in 0..4 {
        let two = vec![file("a.pdf", "application/pdf", 8 * 1024 * 1024); 2];
        say_with(&mut stage, BUYER, thread, two).unwrap();
    }
    stage.pass(600);
    let one = vec![file("b.pdf", "application/pdf", 1)];
    let full = say_with(&mut stage, BUYER, thread, one.clone()).unwrap_err();
    assert_eq!(full.code, "files-full");
    // On the other side two have come, and the rest waits until it is wanted.
    let states = |stage: &Stage| -> Vec<FileState> {
        let seen = seen(stage, SELLER);
        seen.iter().map(|view| view.state).collect()
    };
    use FileState::{Here, Offered};
    let expected: Vec<FileState> = [Here; 2].into_iter().chain([Offered; 6]).collect();
    assert_eq!(states(&stage), expected);
    for view in seen(&stage, SELLER) {
        stage
            .tell(SELLER, Command::Fetch { file: view.id })
            .unwrap();
        stage.pass(60);
    }
    assert_eq!(states(&stage), [Here; 8]);
    let first = seen(&stage, BUYER)[0].id;
    stage
        .tell(BUYER, Command::RemoveFile { file: first })
        .unwrap();
    say_with(&mut stage, BUYER, thread, one).unwrap();
    stage.pass(60);
    let last = seen(&stage, SELLER).pop().unwrap();
    assert_eq!(last.state, Offered);
    let fetch = Command::Fetch { file: last.id };
    assert_eq!(
        stage.tell(SELLER, fetch.clone()).unwrap_err().code,
        "files-full"
    );
    stage
        .tell(SELLER, Command::RemoveFile { file: first })
        .unwrap();
    stage.tell(SELLER, fetch).unwrap();
    stage.pass(60);
    assert_eq!(seen(&stage, SELLER).pop().unwrap().state, Here);
}

#[test]
fn a_shop_goes_on_sending_goods_after_those_of_ended_trades_have_filled_its_shelf() {
    let mut stage = Stage::new(&["buyer", "seller"]);
    stage.put(SELLER, laptop(900, 50));
    stage.tell(SELLER, rules("firm")).unwrap();
    for who in [BUYER, SELLER] {
        stage
            .tell(who, Command::SetProfile(profile("Ada")))
            .unwrap();
    }
    let mut sold = Vec::new();
    for number in 0..10 {
        let intent = stage.publish(BUYER, wants_laptop());
        let thread = stage.actors[BUYER].mine[&intent].quotes[0].thread;
        stage.accept(BUYER, intent);
        let goods = file("album.zip", "application/zip", 8 * 1024 * 1024);
        let dispatch = Command::Report {
            thread,
            step: TradeStep::Dispatched,
            note: None,
            files: vec![goods],
            code: None,
        };
        stage.tell(SELLER, dispatch).unwrap();
        stage.pass(60);
        // The buyer saves it elsewhere, and has no need of it here.
        let id = stage.actors[BUYER].trades[&thread].steps[0].files[0].id;
        assert!(stage.actors[BUYER].market.file(&id).is_some(), "{number}");
        stage.tell(BUYER, Command::RemoveFile { file: id }).unwrap();
        stage
            .tell(BUYER, report(thread, TradeStep::Received, None))
            .unwrap();
        sold.push(thread);
    }
    let state = |thread: &ThreadId| {
        let trade = &stage.actors[SELLER].trades[thread];
        trade.steps[0].files[0].state
    };
    use FileState::{Here, Removed};
    let states: Vec<FileState> = sold.iter().map(state).collect();
    let expected: Vec<FileState> = [Removed; 2].into_iter().chain([Here; 8]).collect();
    assert_eq!(states, expected, "the oldest have made room");
    assert_eq!(pieces(&stage, SELLER), 8 * 129);
}

#[test]
fn a_file_that_is_named_twice_is_refused_and_costs_nothing() {
    let mut stage = Stage::new(&["buyer"]);
    let intent = stage.publish(BUYER, wants_laptop());
    let mut forger = forger(&stage, intent, 9);
    let key = FileKey::from_bytes([1; 32]);
    let photo = Attachment::of("a.jpg".into(), "image/jpeg".into(), &[1; 100], key).unwrap();
    let mut hear = |text: &str, files: Vec<Attachment>| {
        let text = text.to_owned();
        let message = forger.message(Body::Chat(Chat { text, files }), stage.now);
        let cell = forger.sealed(&message);
        says(&mut stage, BUYER, cell)
    };
    let twice = vec![photo.clone(), photo.clone()];
    assert_eq!(hear("", twice), Some(Refusal::WrongState));
    assert_eq!(hear("Here.", vec![photo.clone()]), None);
    let again = hear("And again.", vec![photo]);
    assert_eq!(again, Some(Refusal::WrongState));
    assert_eq!(seen(&stage, BUYER).len(), 1);
}
