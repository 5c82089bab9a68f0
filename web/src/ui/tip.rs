//! A tip, once a trade is over: what whoever is thankful opens to give one, and how it looks where it was said.
//!
//! Nothing is drawn, loaded or asked before somebody opens it. What came is a tip by its sender's word alone, so no sum stands beside it
//! until its mint has said what came in; and a mint that was never named is not asked.

use haggle_protocol::{Custodian, FileId, Money, ThreadId};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use web_sys::{HtmlDetailsElement, HtmlElement};

use crate::app::{Desk, desk, sentence, w};
use crate::board::{Board, Thanked};
use crate::forms::Faults;
use crate::forms::tip::{self, TipForm};
use crate::node::{Balance, Command, Complaint, FileState, FileView, Purse, Role, wallet};
use crate::route::Screen;
use crate::ui::files::{self, Keep};
use crate::ui::format;
use crate::ui::parts::{
    Field, Icon, area, carry_out, form_fault, icon, kept, play_warning, recheck, show_flaws,
};
use crate::ui::wallet::{amount, go_button, which_purse};

/// One tip is given at a time: browsers close what bears the same name.
const ONE: &str = "tip";

/// The other side of a trade.
pub(crate) const fn other(me: Role) -> Thanked {
    match me {
        Role::Buyer => Thanked::Seller,
        Role::Seller => Thanked::Buyer,
    }
}

/// The name of whom one thanks, for tests.
const fn name(whom: Thanked) -> &'static str {
    match whom {
        Thanked::Buyer => "buyer",
        Thanked::Seller => "seller",
        Thanked::Arbiter => "arbiter",
    }
}

/// What whoever is thankful for this trade opens; nothing while there is nobody to thank.
pub(crate) fn section(trade: ThreadId, whom: Thanked) -> AnyView {
    let desk = desk();
    let place = NodeRef::<html::Details>::new();
    let open = RwSignal::new(false);
    let to = Memo::new(move |_| {
        let to = desk.board.with(|board| board.tip_to(&trade, whom));
        to.filter(|_| crate::money::is_there())
    });
    let toggled = move |_| open.set(place.get_untracked().is_some_and(|it| it.open()));
    let close = move || {
        if let Some(place) = place.try_get_untracked().flatten() {
            fold(&place);
        }
    };
    view! {
        {move || to.get().map(|to| view! {
            <details class="breakdown tip" data-test="tip" data-to=name(whom) name=ONE node_ref=place on:toggle=toggled>
                <summary>{(w().tip.open)(whom)}</summary>
                <Show when=move || open.get()>{give(trade, to, close)}</Show>
            </details>
        })}
    }
    .into_any()
}

/// Folds it away again; what had the keyboard in it gives that to its summary.
fn fold(place: &HtmlDetailsElement) {
    let active = document().active_element();
    let inside = active.is_some_and(|active| place.contains(Some(&active)));
    place.set_open(false);
    let summary = place.query_selector("summary").ok().flatten();
    let summary = summary.and_then(|it| it.dyn_into::<HtmlElement>().ok());
    if let Some(summary) = summary.filter(|_| inside) {
        let _ = summary.focus();
    }
}

/// What has become of a tip that was to be given.
enum Given {
    /// It is on its way.
    Sent,
    /// It could not be said, for this reason, and is back in its purse.
    Back(Complaint),
    /// It could not be said, for this reason, and is among what was given away.
    Out(Complaint),
}

/// Takes a tip out of its purse and sends it. Cut off in between, it is among what was given away.
async fn send(
    desk: Desk,
    to: ThreadId,
    purse: Purse,
    minor: u64,
    text: String,
) -> Result<Option<Given>, Complaint> {
    let reply = desk.wallet(wallet::Command::Give { purse, minor }).await?;
    let wallet::Reply::Text(ecash) = reply else {
        return Ok(None);
    };
    let say = Command::Say {
        thread: to,
        text,
        files: vec![tip::file(&ecash)],
    };
    let Err(why) = desk.command(say).await else {
        return Ok(Some(Given::Sent));
    };
    let back = wallet::Command::Take { text: ecash };
    Ok(Some(match desk.wallet(back).await {
        Ok(_) => Given::Back(why),
        Err(_) => Given::Out(why),
    }))
}

/// The form. To begin with, the purse is the one out of which the trade was paid: the other side trusts its mint.
fn give(trade: ThreadId, to: ThreadId, close: impl Fn() + Copy + Send + Sync + 'static) -> AnyView {
    let desk = desk();
    let words = &w().tip;
    let paid = desk.board.with_untracked(|board| {
        let keeper = &board.trade(&trade)?.escrow.as_ref()?.keeper;
        Some(Purse {
            custodian: keeper.custodian.clone(),
            asset: keeper.asset,
        })
    });
    let chosen = RwSignal::new(paid);
    let balances = Memo::new(move |_| desk.board.with(Board::balances));
    let known = RwSignal::new(false);
    let look = async move { desk.wallet(wallet::Command::Balances).await };
    let (busy, faults) = (RwSignal::new(false), RwSignal::new(Faults::default()));
    carry_out(busy, faults, look, move |_| {
        let _ = known.try_set(true);
    });
    // The last of a purse may be on its way to be given.
    let shown = Memo::new(move |_| {
        let filled = balances.with(|all| all.iter().any(|one| one.free > 0));
        filled || (known.get() && busy.get())
    });
    let form = RwSignal::new(TipForm::default());
    let unsent = RwSignal::new(None::<String>);
    recheck(form, faults, move |form| {
        let purse = chosen.get_untracked();
        let read = purse.map(|purse| balances.with_untracked(|all| form.read(&purse, all)));
        read.and_then(Result::err).unwrap_or_default()
    });
    let go = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let Some(purse) = chosen.get_untracked() else {
            return;
        };
        let all: Vec<Balance> = balances.get_untracked();
        match form.with_untracked(|form| form.read(&purse, &all)) {
            Ok((minor, text)) => {
                let told = format::kept(Money::new(minor, purse.asset), &purse.custodian);
                let work = send(desk, to, purse, minor, text);
                carry_out(busy, faults, work, move |given| {
                    let words = &w().tip;
                    let why = match given {
                        Some(Given::Sent) => {
                            desk.note(&(words.done)(&told));
                            return close();
                        }
                        Some(Given::Back(why)) => (words.not_sent)(&sentence(&why)),
                        Some(Given::Out(why)) => (words.not_back)(&sentence(&why)),
                        None => return,
                    };
                    // Also to somebody who has folded it away meanwhile.
                    desk.note(&why);
                    let _ = unsent.try_set(Some(why));
                });
            }
            Err(flaws) => show_flaws(faults, flaws),
        }
    };
    let what = Field {
        id: "tip-words",
        label: words.words,
        hint: w().all.optional,
        name: "text",
        faults,
    };
    let fields = move || {
        // What is typed goes with its fields, so that nothing is given that nobody sees.
        form.set(TipForm::default());
        view! {
            <form novalidate class="decide" data-test="tip-form" on:submit=go>
                {which_purse("tip-purse", faults, balances, chosen)}
                {move || chosen.with(|purse| purse.as_ref().and_then(|it| play_warning(&it.custodian, "")))}
                {amount("tip-amount", faults, move |text| form.update(|form| form.amount = text))}
                {area(&what, 2, String::new(), move |text| form.update(|form| form.words = text))}
                {form_fault(faults, &["purse", "amount", "text"])}
                {go_button("secondary on-private", "tip-go", busy, w().tip.give)}
                <p class="quiet-text">{w().tip.back}</p>
            </form>
        }
    };
    view! {
        <p class="quiet-text">{words.lead} " " {words.same_mint}</p>
        <Show when=move || !known.get()>
            <Show when=move || busy.get()>
                <p class="waiting"><span class="loading-mark small" aria-hidden="true"></span>{w().all.working}</p>
            </Show>
            {form_fault(faults, &[])}
        </Show>
        <Show when=move || known.get() && !shown.get()>
            <p class="strong" data-test="tip-none">{w().tip.none}</p>
            {to_money()}
        </Show>
        <Show when=move || known.get() && shown.get()>{fields()}</Show>
        {move || unsent.get().map(|told| view! { <p class="fault" data-test="tip-not-sent">{told}</p> })}
    }
    .into_any()
}

fn to_money() -> AnyView {
    let desk = desk();
    view! {
        <a class="button secondary on-private small" data-test="tip-money" href=move || desk.href(Screen::Money)>
            {icon(Icon::Purse)} {w().tip.to_money}
        </a>
    }
    .into_any()
}

/// A file of a message: a tip if it says so, and otherwise one as any other.
pub(crate) fn entry(id: FileId, all: Memo<Vec<FileView>>) -> AnyView {
    let found = move |all: &Vec<FileView>| all.iter().find(|file| file.id == id).cloned();
    let takable = |file: &FileView| tip::is_tip(file) && crate::money::is_there();
    let Some(file) = all.with_untracked(found).filter(takable) else {
        return files::entry(id, all);
    };
    let now = move || all.with(found);
    let state = Memo::new(move |_| now().map(|file| file.state));
    let place = NodeRef::<html::Li>::new();
    let inside = if file.mine {
        mine(id, state)
    } else {
        let received = Memo::new(move |_| now().map_or(0, |file| file.received));
        theirs(&file, state, received, place)
    };
    view! {
        <li class="file tip-file" node_ref=place tabindex="-1" data-test="tip-file" data-mine=file.mine.to_string() data-state=move || state.get().map(files::state_name)>
            {inside}
        </li>
    }
    .into_any()
}

fn title(text: &'static str) -> AnyView {
    view! { <p class="file-line strong">{icon(Icon::Purse)} <span>{text}</span></p> }.into_any()
}

/// One that I gave. What it was stands in its own text, which this page has written.
fn mine(id: FileId, state: Memo<Option<FileState>>) -> AnyView {
    let desk = desk();
    let words = &w().tip;
    let told = RwSignal::new(None::<(Money, Custodian, bool)>);
    // Whenever something has moved, it may have been taken.
    let balances = Memo::new(move |_| desk.board.with(Board::balances));
    Effect::new(move |_| {
        balances.track();
        if state.get() != Some(FileState::Here) {
            return;
        }
        spawn_local(async move {
            // What is not known stays unsaid: the line itself says that it is a tip.
            if let Ok(known) = look_into(desk, id).await {
                let _ = told.try_set(known);
            }
        });
    });
    let body = move || {
        let (money, mint, waits) = told.get()?;
        let state = if waits { words.waiting } else { words.gone };
        Some(view! {
            <p data-test="tip-given" data-minor=money.minor.to_string() data-waits=waits.to_string()>
                {kept(money, &mint)} " " <small>{(w().escrow.kept_by)(&format::mint(&mint))}</small>
            </p>
            <p class="quiet-text">{state}</p>
            {waits.then(to_money)}
        })
    };
    view! { {title(words.mine)} {body} }.into_any()
}

/// What a tip of mine was, and whether it waits to be taken.
async fn look_into(desk: Desk, id: FileId) -> Result<Option<(Money, Custodian, bool)>, Complaint> {
    let ecash = tip::ecash(&desk.file(id).await?);
    let given = desk.wallet(wallet::Command::Given).await?;
    let waits = matches!(given, wallet::Reply::Given(all) if tip::is_waiting(&all, &ecash));
    let examine = wallet::Command::Examine { text: ecash };
    let wallet::Reply::Examined(purse, minor) = desk.wallet(examine).await? else {
        return Ok(None);
    };
    let money = Money::new(minor, purse.asset);
    Ok(Some((money, purse.custodian, waits)))
}

/// One that somebody says is a tip.
fn theirs(
    file: &FileView,
    state: Memo<Option<FileState>>,
    received: Memo<u32>,
    place: NodeRef<html::Li>,
) -> AnyView {
    let words = &w().tip;
    let keep = Keep::new(file.id);
    let came = RwSignal::new(None::<(Money, Custodian)>);
    let desk = desk();
    let press = move || {
        carry_out(
            keep.busy,
            keep.faults,
            take(desk, keep.id),
            move |taken: Option<(Money, Custodian)>| {
                let _ = came.try_set(taken);
                files::return_to(place);
            },
        );
    };
    // Who asked for it before it was here gets it once it is.
    Effect::new(move |_| match state.get() {
        Some(FileState::Here) if keep.wanted.get_untracked() => {
            keep.wanted.set(false);
            press();
        }
        Some(FileState::Wrong | FileState::Gone) => keep.wanted.set(false),
        _ => {}
    });
    let begin = move |_| {
        if state.get_untracked() == Some(FileState::Here) {
            return press();
        }
        keep.wanted.set(true);
        keep.command(Command::Fetch { file: keep.id }, move || {
            files::return_to(place);
        });
    };
    let button = move |label: &'static str| {
        view! {
            <button type="button" class="secondary on-private small" data-test="tip-take" disabled=move || keep.busy.get() on:click=begin>
                {move || if keep.busy.get() { w().all.working } else { label }}
            </button>
        }
    };
    let remove = move |_| {
        keep.command(Command::RemoveFile { file: keep.id }, move || {
            keep.desk.say(w().files.removed);
            files::return_to(place);
        });
    };
    let shown = file.clone();
    let unnamed = move || {
        let code = |faults: &Faults| {
            let complaint = faults.complaint.as_ref();
            complaint.is_some_and(|it| it.code == "not-trusted")
        };
        keep.faults.with(code).then(to_money)
    };
    let body = move || {
        let (words, files) = (&w().tip, &w().files);
        if let Some((money, mint)) = came.get() {
            let told = (words.came)(&format::kept(money, &mint), &format::mint(&mint));
            return Some(
                view! {
                    <p class="strong" role="status" data-test="tip-came" data-minor=money.minor.to_string()>{told}</p>
                    {play_warning(&mint, "")}
                }
                .into_any(),
            );
        }
        let again = |told: &'static str| {
            view! { <p class="quiet-text">{told}</p> {button(files.load_again)} }.into_any()
        };
        Some(match state.get()? {
            FileState::Here | FileState::Offered => view! {
                <p class="quiet-text">{words.claim}</p>
                <div class="file-actions">
                    {button(w().money.take_do)}
                    {(state.get() == Some(FileState::Here)).then(|| view! {
                        <button type="button" class="quiet on-private small" data-test="file-save" disabled=move || keep.busy.get()
                            on:click=move |_| keep.save()>{files.save}</button>
                        <button type="button" class="quiet on-private small" data-test="file-remove" disabled=move || keep.busy.get()
                            on:click=remove>{files.remove}</button>
                    })}
                </div>
            }
            .into_any(),
            FileState::Coming => files::coming(&shown, received),
            FileState::Wrong => again(files.wrong),
            FileState::Removed => again(words.taken),
            FileState::Gone => view! { <p class="quiet-text">{files.gone}</p> }.into_any(),
        })
    };
    view! {
        {title(words.theirs)}
        {body}
        {form_fault(keep.faults, &[])}
        {unnamed}
    }
    .into_any()
}

/// Takes a tip that is here, and says what came in by its mint's answer. The text is then worth nothing, and goes.
async fn take(desk: Desk, id: FileId) -> Result<Option<(Money, Custodian)>, Complaint> {
    let text = tip::ecash(&desk.file(id).await?);
    let examine = wallet::Command::Examine { text: text.clone() };
    let examined = desk.wallet(examine).await?;
    let taken = desk.wallet(wallet::Command::Take { text }).await?;
    // It has come in, whatever becomes of the file.
    let _ = desk.command(Command::RemoveFile { file: id }).await;
    Ok(match (examined, taken) {
        (wallet::Reply::Examined(purse, _), wallet::Reply::Taken(money)) => {
            Some((money, purse.custodian))
        }
        _ => None,
    })
}
