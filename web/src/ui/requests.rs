//! My requests: what I said, and below it the private answers, the best first.

use haggle_protocol::{IntentId, Timestamp};
use leptos::prelude::*;

use crate::app::{desk, w};
use crate::board::{answers, best, is_over, let_down};
use crate::forms::ask::AskForm;
use crate::node::{IntentState, MyIntent, QuoteState, RelayState};
use crate::route::Screen;
use crate::ui::haggling::{self, Countering};
use crate::ui::parts::{Icon, empty, face, heading, icon};
use crate::ui::quote_card::{self, Accepting};
use crate::ui::slip::{loud_mark, slip};
use crate::ui::{chat, format};
use crate::words::duration;

/// After so many seconds without a quote the page says what helps.
const SLOW_SECONDS: u64 = 30;

/// The screen.
pub(crate) fn screen() -> AnyView {
    let desk = desk();
    let words = &w().requests;
    let ids = Memo::new(move |_| desk.board.with(crate::board::Board::my_intents));
    let accepting = Accepting::new();
    let countering = Countering::new();
    view! {
        {heading(words.heading, words.stay)}
        <Show when=move || ids.with(Vec::is_empty)>
            {empty(Icon::Requests, words.empty_heading, words.empty, view! {
                <a class="button primary" href=desk.href(Screen::Ask) data-test="empty-ask">{words.empty_do}</a>
            }.into_any())}
        </Show>
        <div class="stack">
            <For each=move || ids.get() key=|id| *id children=move |id| card(id, accepting, countering) />
        </div>
        {quote_card::confirm_dialog(accepting)}
        {haggling::counter_dialog(countering)}
    }
    .into_any()
}

/// One request with its quotes.
fn card(id: IntentId, accepting: Accepting, countering: Countering) -> AnyView {
    let desk = desk();
    let mine = Memo::new(move |_| desk.board.with(|board| board.mine(&id).cloned()));
    let state = move || mine.with(|mine| mine.as_ref().map(|mine| mine.state));
    let threads = Memo::new(move |_| {
        let of = |mine: &MyIntent| {
            let mut quotes: Vec<_> = mine
                .quotes
                .iter()
                .map(|quote| (quote.rank, quote.thread))
                .collect();
            quotes.sort_unstable();
            quotes
                .into_iter()
                .map(|(_, thread)| thread)
                .collect::<Vec<_>>()
        };
        mine.with(|mine| mine.as_ref().map(of).unwrap_or_default())
    });
    let over = move || state().is_some_and(is_over);
    view! {
        <article class="request" class:over=over data-test="intent-card"
            data-state=move || state().map(state_name) data-intent=id.to_string()
            data-quotes=move || threads.with(Vec::len).to_string()>
            <section class="loud card">
                <div class="card-top">
                    {loud_mark(w().all.everyone_sees)}
                    {move || state().map(|state| view! {
                        <span class="badge" class:open=state == IntentState::Open data-test="intent-state">
                            {(w().requests.state)(state)}
                        </span>
                    })}
                    {face(&id.0)}
                </div>
                {move || mine.with(|mine| mine.as_ref().map(|mine| slip(&mine.intent, desk.now.get_untracked())))}
                {move || mine.with(|mine| mine.as_ref().map(story))}
                {leave(id, mine)}
            </section>
            <section class="private answers" aria-label=w().requests.quotes data-test="quotes">
                {move || mine.with(|mine| mine.as_ref().map(above_quotes))}
                <ol class="quotes">
                    <For each=move || threads.get() key=|thread| *thread
                        children=move |thread| quote_card::card(id, thread, accepting, countering) />
                </ol>
                {chat::questions(id)}
            </section>
        </article>
    }
    .into_any()
}

/// The name of a state for tests.
const fn state_name(state: IntentState) -> &'static str {
    match state {
        IntentState::Open => "open",
        IntentState::Ordered => "ordered",
        IntentState::Awarded => "awarded",
        IntentState::Withdrawn => "withdrawn",
        IntentState::Expired => "expired",
    }
}

/// What happens meanwhile, with real numbers.
fn story(mine: &MyIntent) -> AnyView {
    let desk = desk();
    let words = &w().requests;
    let (state, due, created, said) = (mine.state, mine.intent.quotes_due, mine.created, mine.said);
    let count = answers(mine);
    if is_over(state) {
        return ().into_any();
    }
    let since = if said {
        (words.out_since)(&format::time(created))
    } else {
        words.not_out.to_owned()
    };
    let through = move || {
        let connected = desk.board.with(|board| {
            let relays = board.network().map(|network| network.relays.iter());
            relays
                .into_iter()
                .flatten()
                .filter(|relay| is_connected(relay.state))
                .count()
        });
        match connected {
            0 => words.no_relay.to_owned(),
            _ => (words.through)(u64::try_from(connected).unwrap_or(0)),
        }
    };
    let answered = (words.answered)(u64::try_from(count).unwrap_or(0));
    let taken = move || match due.since(desk.now.get()) {
        0 => words.quotes_over.to_owned(),
        seconds => (words.quotes_left)(&duration(w(), seconds)),
    };
    view! {
        <ul class="story" data-test="intent-story">
            <li>{since}</li>
            <li>{through}</li>
            <li class="strong" data-test="intent-answers">{answered}</li>
            <li>{taken}</li>
        </ul>
    }
    .into_any()
}

/// Whether a relay carries something now.
pub(crate) const fn is_connected(state: RelayState) -> bool {
    match state {
        RelayState::Connected | RelayState::Reserved => true,
        RelayState::Connecting | RelayState::Waiting { .. } | RelayState::Refused => false,
    }
}

/// What stands above the quotes: nothing yet, how it went on, or what helps.
fn above_quotes(mine: &MyIntent) -> AnyView {
    let words = &w().requests;
    let desk = desk();
    if mine.quotes.is_empty() {
        if is_over(mine.state) {
            return ().into_any();
        }
        let created = mine.created;
        let slow = Memo::new(move |_| desk.now.with(|now| now.since(created) >= SLOW_SECONDS));
        return view! {
            <p class="waiting"><span class="pulse" aria-hidden="true"></span>{words.quotes_none}</p>
            <Show when=move || slow.get()>{slow_help(created)}</Show>
        }
        .into_any();
    }
    let taken = mine.quotes.iter().find(|quote| match quote.state {
        QuoteState::Ordered | QuoteState::Confirmed => true,
        QuoteState::Standing
        | QuoteState::Declined(_)
        | QuoteState::NotConfirmed
        | QuoteState::Expired
        | QuoteState::NotSelected
        | QuoteState::Cancelled { .. } => false,
    });
    let message = match (
        taken.map(|quote| (quote.state, quote.thread)),
        let_down(mine),
    ) {
        (Some((QuoteState::Confirmed, _)), _) => Some(words.confirmed.to_owned()),
        (Some((_, thread)), _) => {
            let until = desk.board.with(|board| {
                board
                    .trade(&thread)
                    .and_then(|trade| trade.awaited)
                    .and_then(|awaited| awaited.until)
            });
            Some(until.map_or_else(
                || words.ordered_no_time.to_owned(),
                |until| (words.ordered)(&format::time(until)),
            ))
        }
        (None, true) => Some(lost(mine)),
        (None, false) => None,
    };
    let trade = taken.is_some();
    message
        .map(|message| {
            view! {
                <div class="turn" role="status" data-test="intent-turn">
                    <p>{message}</p>
                    {trade.then(|| view! {
                        <a class="button secondary on-private" href=desk.href(Screen::Trades) data-test="to-trade">
                            {words.to_trade} {icon(Icon::Arrow)}
                        </a>
                    })}
                </div>
            }
        })
        .into_any()
}

/// Why the seller that was taken did not become one, and that there is a next best.
fn lost(mine: &MyIntent) -> String {
    let words = &w().requests;
    let mut reasons = mine.quotes.iter().filter_map(|quote| match quote.state {
        QuoteState::Declined(reason) => Some((words.declined)((w().word.decline)(reason))),
        QuoteState::NotConfirmed => Some(words.not_confirmed.to_owned()),
        QuoteState::Standing
        | QuoteState::Ordered
        | QuoteState::Confirmed
        | QuoteState::Expired
        | QuoteState::NotSelected
        | QuoteState::Cancelled { .. } => None,
    });
    let mut sentence = reasons.next_back().unwrap_or_default();
    if best(mine).is_some() {
        sentence.push(' ');
        sentence.push_str(words.next_best_hint);
    }
    sentence
}

/// What helps when nobody answers.
fn slow_help(_created: Timestamp) -> AnyView {
    let words = &w().requests;
    let desk = desk();
    view! {
        <div class="help" data-test="slow-help">
            <h3>{words.slow_heading}</h3>
            <ul>
                <li>{words.slow_time}</li>
                <li>{words.slow_widen}</li>
                <li><a href=desk.href(Screen::Market)>{words.slow_book}</a></li>
            </ul>
        </div>
    }
    .into_any()
}

/// Asking once more for what an intent of mine that is over asked for.
pub(crate) fn again(mine: Memo<Option<MyIntent>>, class: &'static str) -> AnyView {
    let desk = desk();
    let over = move || mine.with(|mine| mine.as_ref().is_some_and(|mine| is_over(mine.state)));
    let ask = move |_| {
        let draft = mine.with_untracked(|mine| mine.as_ref().map(|mine| mine.draft.clone()));
        if let Some(draft) = draft {
            desk.ask.set(AskForm::from_draft(&draft));
            desk.go(Screen::Ask);
        }
    };
    view! {
        <Show when=over>
            <button type="button" class=class data-test="ask-again" on:click=ask>{w().requests.again}</button>
        </Show>
    }
    .into_any()
}

/// Withdrawing with a way back, or asking again.
fn leave(id: IntentId, mine: Memo<Option<MyIntent>>) -> AnyView {
    let words = &w().requests;
    view! {
        <div class="card-actions">{withdrawing(id, mine, words.withdraw, words.withdrawing)} {again(mine, "quiet")}</div>
    }
    .into_any()
}

/// Withdrawing with a way back, and what comes of it.
pub(crate) fn withdrawing(
    id: IntentId,
    mine: Memo<Option<MyIntent>>,
    label: &'static str,
    means: &'static str,
) -> AnyView {
    let desk = desk();
    let words = &w().requests;
    let leaving = move || desk.leaving.with(|leaving| leaving.get(&id).copied());
    let open =
        move || mine.with(|mine| mine.as_ref().map(|mine| mine.state)) == Some(IntentState::Open);
    view! {
        <Show when=move || open() && leaving().is_none()>
            <button type="button" class="quiet" data-test="withdraw" on:click=move |_| desk.withdraw(id)>{label}</button>
        </Show>
        <Show when=move || leaving().is_some()>
            <p class="undo" role="status" data-test="withdrawing">
                {means}
                <span class="money">{move || leaving().map(|until| until.since(desk.now.get()).to_string())}</span>
                <button type="button" class="secondary small" data-test="withdraw-undo"
                    on:click=move |_| desk.leaving.update(|leaving| { leaving.remove(&id); })>
                    {words.withdrawn_undo}
                </button>
            </p>
        </Show>
    }
    .into_any()
}
