//! Orders and trades of either side: what happened, whose turn it is and until when, and how to reach each other.

use haggle_protocol::ThreadId;
use haggle_protocol::trade::{Contact, DeclineReason};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::{desk, sentence, trade_id, w};
use crate::board::{waits_for_me, was_confirmed};
use crate::forms::Faults;
use crate::node::{Awaited, Command, Profile, Reply, Role, Trade, TradeState};
use crate::route::Screen;
use crate::ui::cancelling;
use crate::ui::chat::{self, To};
use crate::ui::escrow;
use crate::ui::format;
use crate::ui::parts::{
    Field, Icon, area, carry_out, empty, form_fault, heading, icon, kept, money, person, select_of,
};
use crate::ui::quote_card::breakdown;
use crate::ui::slip::private_mark;
use crate::ui::stall::profile_form;
use crate::ui::steps;
use crate::ui::tip;
use crate::words::awaited;

/// The screen.
pub(crate) fn screen() -> AnyView {
    let desk = desk();
    let words = &w().trades;
    let ids = Memo::new(move |_| desk.board.with(crate::board::Board::trades));
    view! {
        {heading(words.heading, words.contact_hint_all)}
        <Show when=move || ids.with(Vec::is_empty)>
            {empty(Icon::Trades, words.empty_heading, words.empty, view! {
                <a class="button secondary" href=desk.href(Screen::Market)>{w().nav.market}</a>
            }.into_any())}
        </Show>
        <div class="stack">
            <For each=move || ids.get() key=|id| *id children=card />
        </div>
    }
    .into_any()
}

/// The name of a state for tests.
const fn state_name(state: TradeState) -> &'static str {
    match state {
        TradeState::Ordered => "ordered",
        TradeState::Confirmed => "confirmed",
        TradeState::ContactsExchanged => "contacts-exchanged",
        TradeState::Dispatched => "dispatched",
        TradeState::Delivered => "delivered",
        TradeState::Received => "received",
        TradeState::Declined(_) => "declined",
        TradeState::NotConfirmed => "not-confirmed",
        TradeState::Cancelled { .. } => "cancelled",
        TradeState::Lapsed => "lapsed",
    }
}

fn card(id: ThreadId) -> AnyView {
    let desk = desk();
    let whole = Memo::new(move |_| desk.board.with(|board| board.trade(&id).cloned()));
    // What comes of a file, bit by bit, is drawn by the file alone: all else stays as it is.
    let trade = Memo::new(move |_| whole.get().map(without_files));
    let fresh = move || desk.fresh.with(|fresh| fresh.contains(&id));
    let state = Memo::new(move |_| trade.with(|trade| trade.as_ref().map(|trade| trade.state)));
    let role = Memo::new(move |_| trade.with(|trade| trade.as_ref().map(|trade| trade.role)));
    let to_confirm = Memo::new(move |_| {
        state.get() == Some(TradeState::Ordered) && role.get() == Some(Role::Seller)
    });
    let to_send = Memo::new(move |_| {
        let bound = matches!(
            state.get(),
            Some(
                TradeState::Confirmed
                    | TradeState::ContactsExchanged
                    | TradeState::Dispatched
                    | TradeState::Delivered
                    | TradeState::Received
            )
        );
        bound && trade.with(|trade| trade.as_ref().is_some_and(|trade| trade.mine.is_none()))
    });
    let test = move || {
        if to_confirm.get() {
            "order-card"
        } else {
            "trade-card"
        }
    };
    view! {
        <article class="private card trade" class:fresh=fresh data-test=test id=trade_id(&id) tabindex="-1"
            data-state=move || state.get().map(state_name)
            data-role=move || role.get().map(|role| match role { Role::Buyer => "buyer", Role::Seller => "seller" })>
            {move || trade.with(|trade| trade.as_ref().map(head))}
            <Show when=move || to_confirm.get()>
                {move || trade.with_untracked(|trade| trade.as_ref().and_then(escrow::ordered))}
                {answer(id)}
            </Show>
            {steps::code(trade)}
            {escrow::panel(id, trade)}
            <div class="trade-body">
                <section>
                    <h3>{w().trades.timeline}</h3>
                    <ol class="timeline">
                        {move || trade.with(|trade| trade.as_ref().map(began))}
                        {steps::taken(whole)}
                        {move || trade.with(|trade| trade.as_ref().map(ahead))}
                    </ol>
                    {steps::report(id, trade)}
                    {cancelling::section(id, trade)}
                </section>
                <section>
                    {move || trade.with(|trade| trade.as_ref().map(contacts))}
                    <Show when=move || to_send.get()>{send_contact(id)}</Show>
                </section>
            </div>
            {move || role.get().map(|role| view! {
                {chat::panel(To::Thread(id), role.other().into())}
                {tip::section(id, tip::other(role))}
            })}
        </article>
    }
    .into_any()
}

/// A trade as it is without its files.
fn without_files(mut trade: Trade) -> Trade {
    for taken in &mut trade.steps {
        taken.files.clear();
    }
    trade
}

fn head(trade: &Trade) -> AnyView {
    let words = &w().trades;
    let side = match (trade.role, trade.state) {
        (Role::Seller, TradeState::Ordered) => words.order_in,
        (Role::Seller, _) => words.selling,
        (Role::Buyer, _) => words.buying,
    };
    let who = trade.trader.as_ref().map(|key| person(key, "trade-trader"));
    let mine = waits_for_me(trade);
    view! {
        <div class="card-top">
            {private_mark(side)}
            {mine.then(|| view! { <span class="badge turn-badge">{words.wait_me}</span> })}
            {who}
        </div>
        <h2 class="trade-title">{trade.title.clone()}</h2>
        <p class="quote-total">{total(trade)}</p>
        {trade.order_note.clone().map(|note| said(words.order_note, note))}
        {trade.confirm.as_ref().and_then(|confirm| confirm.note.clone()).map(|note| said(words.confirm_note, note))}
        {trade.confirm.as_ref().and_then(|confirm| confirm.payment.clone()).map(|text| view! {
            <p class="payment" data-test="trade-payment"><strong>{words.pay}</strong> " " {text}</p>
        })}
        <details class="breakdown"><summary>{w().requests.breakdown}</summary>{breakdown(&trade.quote)}</details>
    }
    .into_any()
}

/// What it is about, and that this is paid in play money, where it is.
fn total(trade: &Trade) -> AnyView {
    let total = trade.quote.total;
    let escrow = trade.escrow.as_ref();
    match escrow.filter(|escrow| escrow.amount.asset == total.asset) {
        Some(escrow) => kept(total, &escrow.keeper.custodian).into_any(),
        None => money(total).into_any(),
    }
}

fn said(who: &'static str, text: String) -> AnyView {
    view! { <blockquote class="note"><p class="note-who">{who}</p>{text}</blockquote> }.into_any()
}

/// Reasons a person would give for not confirming.
const REASONS: [(&str, DeclineReason); 5] = [
    ("no-stock", DeclineReason::NoStock),
    ("busy", DeclineReason::Busy),
    ("price", DeclineReason::Price),
    ("area", DeclineReason::Area),
    ("other", DeclineReason::Other),
];

/// Confirming or refusing an order.
fn answer(thread: ThreadId) -> AnyView {
    let desk = desk();
    let words = &w().trades;
    // What is paid through escrow needs no word on how.
    let (direct, usual) = desk.board.with_untracked(|board| {
        let direct = board.trade(&thread).is_none_or(|it| it.escrow.is_none());
        let usual = board.stall().and_then(|stall| stall.rules.payment.clone());
        (direct, usual.filter(|_| direct))
    });
    let payment = RwSignal::new(usual.unwrap_or_default());
    let note = RwSignal::new(String::new());
    let reason = RwSignal::new(DeclineReason::NoStock);
    let refusing = RwSignal::new(false);
    let faults = RwSignal::new(Faults::default());
    let busy = RwSignal::new(false);
    let text = |signal: RwSignal<String>| {
        let text = signal.get_untracked().trim().to_owned();
        (!text.is_empty()).then_some(text)
    };
    let send = move |command: Command| {
        carry_out(
            busy,
            faults,
            async move { desk.command(command).await },
            |_: Reply| {},
        );
    };
    let named = move |id, name, label| Field {
        id,
        label,
        hint: w().all.optional,
        name,
        faults,
    };
    view! {
        <section class="decide" data-test="order-decide">
            <p class="strong">{words.order_heading}</p>
            <Show when=move || !refusing.get()>
                <form novalidate on:submit=move |event| {
                    event.prevent_default();
                    send(Command::Confirm { thread, payment: text(payment), note: text(note) });
                }>
                    <p class="quiet-text">{words.confirm_body}</p>
                    {direct.then(|| area(&named("confirm-payment", "payment", words.payment), 2, payment.get_untracked(), move |text| payment.set(text)))}
                    {area(&named("confirm-note", "note", words.note), 2, note.get_untracked(), move |text| note.set(text))}
                    <div class="card-actions">
                        <button type="submit" class="primary on-private" data-test="confirm-order" disabled=move || busy.get()>
                            {icon(Icon::Check)} {move || if busy.get() { words.confirming } else { words.confirm }}
                        </button>
                        <button type="button" class="quiet on-private" data-test="refuse-order" on:click=move |_| refusing.set(true)>
                            {words.refuse}
                        </button>
                    </div>
                </form>
            </Show>
            <Show when=move || refusing.get()>
                <form novalidate on:submit=move |event| {
                    event.prevent_default();
                    send(Command::Refuse { thread, reason: reason.get_untracked() });
                }>
                    <label class="field"><span>{words.refuse_heading}</span>
                        {select_of("refuse-reason", &REASONS, w().word.decline, reason)}
                    </label>
                    <div class="card-actions">
                        <button type="submit" class="primary on-private" data-test="refuse-confirm" disabled=move || busy.get()>
                            {words.refuse}
                        </button>
                        <button type="button" class="quiet on-private" on:click=move |_| refusing.set(false)>{w().all.back}</button>
                    </div>
                </form>
            </Show>
            {form_fault(faults, &["payment", "note"])}
        </section>
    }
    .into_any()
}

/// What happened before the first step, in order.
fn began(trade: &Trade) -> AnyView {
    let words = &w().trades;
    let buyer = trade.role == Role::Buyer;
    let of = |mine, theirs, is_mine: bool| if is_mine { mine } else { theirs };
    let mut steps = vec![
        (words.did_quote.to_owned(), String::new()),
        (
            of(words.did_order_mine, words.did_order_theirs, buyer).to_owned(),
            (words.at)(&format::time(trade.ordered)),
        ),
    ];
    let confirmed = of(words.did_confirm_theirs, words.did_confirm_mine, buyer).to_owned();
    match trade.state {
        TradeState::Ordered => {}
        TradeState::Confirmed
        | TradeState::ContactsExchanged
        | TradeState::Dispatched
        | TradeState::Delivered
        | TradeState::Received => steps.push((confirmed, String::new())),
        TradeState::Declined(reason) => {
            steps.push((
                (words.did_decline)((w().word.decline)(reason)),
                String::new(),
            ));
        }
        TradeState::NotConfirmed => steps.push((words.did_lapse.to_owned(), String::new())),
        TradeState::Cancelled { .. } | TradeState::Lapsed => {
            steps.extend(trade.confirm.as_ref().map(|_| (confirmed, String::new())));
        }
    }
    if trade.mine.is_some() {
        let text = if trade.mine_delivered {
            words.did_contact_sent
        } else {
            words.did_contact_mine
        };
        steps.push((text.to_owned(), String::new()));
    }
    if trade.theirs.is_some() {
        steps.push((words.did_contact_theirs.to_owned(), String::new()));
    }
    let done = steps.into_iter().map(|(what, when)| {
        view! { <li class="step done">{icon(Icon::Check)}<span>{what} " " <small>{when}</small></span></li> }
    });
    done.collect_view().into_any()
}

/// How it ended, or what is awaited.
fn ahead(trade: &Trade) -> AnyView {
    let ended = cancelling::ended(trade);
    let awaited = trade.awaited.map(|Awaited { from, until }| {
        let what = awaited(w(), trade.state, from, trade.role);
        let until = until.map(|until| (w().trades.until)(&format::time(until)));
        view! {
            <li class="step next" data-test="trade-awaited">{icon(Icon::Clock)}<span>{what} " " <small>{until}</small></span></li>
        }
    });
    view! { {ended} {awaited} }.into_any()
}

/// Both sides' contact details, as far as they were said.
fn contacts(trade: &Trade) -> AnyView {
    let words = &w().trades;
    if !was_confirmed(trade.state) {
        return ().into_any();
    }
    let done = if trade.state == TradeState::Received {
        Some(words.received)
    } else if trade.state == TradeState::Delivered && trade.awaited.is_none() {
        Some(w().handover.done)
    } else {
        (trade.state == TradeState::ContactsExchanged).then_some(words.done)
    };
    let done = done.map(|done| view! { <p class="strong" data-test="trade-done">{done}</p> });
    let theirs = trade.theirs.as_ref().map_or_else(
        || view! { <p class="quiet-text">{words.contact_none}</p> }.into_any(),
        their_contact,
    );
    let mine = trade.mine.as_ref().map(|mine| {
        view! {
            <h3>{words.contact_mine}</h3>
            {my_contact(mine)}
        }
    });
    view! {
        {done}
        <h3>{words.contact_theirs}</h3>
        {theirs}
        {mine}
    }
    .into_any()
}

fn their_contact(contact: &Contact) -> AnyView {
    let ways = contact.ways.iter().map(|way| {
        let name = (w().trades.way)(&way.kind).map_or_else(|| way.kind.clone(), ToOwned::to_owned);
        let value = way.value.clone();
        let link = match way.kind.as_str() {
            "phone" => Some(format!("tel:{}", value.replace(' ', ""))),
            "email" => Some(format!("mailto:{value}")),
            _ => None,
        };
        let value = match link {
            Some(link) => view! { <a href=link>{value}</a> }.into_any(),
            None => value.into_any(),
        };
        view! { <div><dt>{name}</dt><dd>{value}</dd></div> }
    });
    view! {
        <dl class="contact" data-test="contact-theirs">
            <div><dt>{w().stall.name}</dt><dd data-test="contact-name">{contact.name.clone()}</dd></div>
            {ways.collect_view()}
            {contact.address.clone().map(|text| view! { <div><dt>{w().stall.address}</dt><dd class="lines" data-test="contact-address">{text}</dd></div> })}
            {contact.instructions.clone().map(|text| view! { <div><dt>{w().stall.instructions}</dt><dd class="lines">{text}</dd></div> })}
        </dl>
    }
    .into_any()
}

fn my_contact(profile: &Profile) -> AnyView {
    let ways: Vec<_> = profile.ways.iter().map(|way| way.value.clone()).collect();
    let lines = [
        Some(profile.name.clone()),
        (!ways.is_empty()).then(|| ways.join(" · ")),
        profile.address.clone(),
    ];
    let lines: Vec<_> = lines.into_iter().flatten().collect();
    view! { <p class="quiet-text lines" data-test="contact-mine">{lines.join("\n")}</p> }.into_any()
}

/// Says who I am for the first time; from then on it is sent by itself.
fn send_contact(thread: ThreadId) -> AnyView {
    let desk = desk();
    let words = &w().trades;
    let send = move |profile: Profile| {
        spawn_local(async move {
            match desk.command(Command::SendContact { thread, profile }).await {
                Ok(_) => desk.note(w().trades.contact_sent),
                Err(complaint) => desk.note(&sentence(&complaint)),
            }
        });
    };
    view! {
        <div class="send-contact" data-test="contact-form">
            <h3>{words.contact_send}</h3>
            {private_mark(words.contact_hint)}
            {profile_form(words.contact_send, "primary on-private", send)}
        </div>
    }
    .into_any()
}
