//! What others want right now, what of it my stall answers, and my private answers below it.

use haggle_protocol::IntentId;
use haggle_protocol::attribute::Fit;
use haggle_protocol::category::Category;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::{desk, lang, sentence, w};
use crate::board::{Filter, is_dismissed, is_match};
use crate::categories;
use crate::node::{AnswerState, Command, Match, MyAnswer, OpenIntent};
use crate::route::Screen;
use crate::ui::chat::{self, Other, To};
use crate::ui::format;
use crate::ui::haggling;
use crate::ui::parts::{Icon, empty, face, heading, icon, in_parts, money, typed};
use crate::ui::quote_form;
use crate::ui::slip::{loud_mark, private_mark, slip};

/// The screen.
pub(crate) fn screen() -> AnyView {
    let desk = desk();
    let words = &w().market;
    let filter = RwSignal::new(Filter::default());
    let ids = Memo::new(move |_| {
        desk.board
            .with(|board| filter.with(|filter| board.market(filter)))
    });
    let any = Memo::new(move |_| desk.board.with(|board| board.wanted() > 0));
    let count = move || (words.count)(u64::try_from(ids.with(Vec::len)).unwrap_or(0));
    let (visible, more) = in_parts(ids, "market-more");
    view! {
        {heading(words.heading, words.lead)}
        <Show when=move || !any.get()>
            {empty(Icon::Market, words.empty_heading, words.empty, view! {
                <a class="button secondary" href=desk.href(Screen::Stall)>{w().nav.stall}</a>
            }.into_any())}
        </Show>
        <Show when=move || any.get()>
            {filters(filter)}
            <p class="count" role="status" data-test="market-count">{count}</p>
            <Show when=move || ids.with(Vec::is_empty)><p class="none">{words.none_found}</p></Show>
        </Show>
        <div class="stack two">
            <For each=visible key=|id| *id children=card />
        </div>
        {more}
    }
    .into_any()
}

fn filters(filter: RwSignal<Filter>) -> AnyView {
    let words = &w().market;
    let categories = categories::choices(lang());
    let category = (!categories.is_empty()).then(|| {
        let mut choices = vec![("0".to_owned(), words.all_categories.to_owned())];
        choices.extend(
            categories
                .into_iter()
                .map(|(code, name)| (code.to_string(), name)),
        );
        let start = filter.with_untracked(|filter| filter.category.0.to_string());
        crate::ui::parts::select(
            "market-category".into(),
            "market-category",
            words.category,
            choices,
            &start,
            move |code| {
                filter.update(|filter| filter.category = Category(code.parse().unwrap_or(0)));
            },
        )
    });
    view! {
        <search class="filters">
            <input type="search" aria-label=words.search placeholder=words.search data-test="market-search"
                prop:value=filter.with_untracked(|filter| filter.text.clone())
                on:input=move |event| filter.update(|filter| filter.text = typed(&event)) />
            {category}
            <label class="chip-choice">
                <input type="checkbox" data-test="market-matching"
                    prop:checked=filter.with_untracked(|filter| filter.matching)
                    on:change=move |event| filter.update(|filter| filter.matching = event_target_checked(&event)) />
                <span>{words.only_matching}</span>
            </label>
            <label class="chip-choice">
                <input type="checkbox" data-test="market-dismissed"
                    on:change=move |event| filter.update(|filter| filter.dismissed = event_target_checked(&event)) />
                <span>{words.show_dismissed}</span>
            </label>
        </search>
    }
    .into_any()
}

/// One request of somebody else.
fn card(id: IntentId) -> AnyView {
    let desk = desk();
    let open = Memo::new(move |_| desk.board.with(|board| board.open(&id).cloned()));
    let quoting = RwSignal::new(false);
    let matching = Memo::new(move |_| open.with(|open| open.as_ref().is_some_and(is_match)));
    let answer = move || {
        open.with(|open| {
            open.as_ref()
                .and_then(|open| open.answer.as_ref().map(|answer| answer.state))
        })
    };
    view! {
        <article class="request" class:matching=matching data-test="open-intent-card" data-intent=id.to_string()
            data-matches=move || matching.get().to_string() data-answer=move || answer().map(answer_name)>
            <section class="loud card">
                <div class="card-top">
                    {loud_mark(w().slip.wanted)}
                    {move || open.with(|open| open.as_ref().map(|open| view! {
                        <span class="quiet-text">{(w().market.since)(&format::time(open.created))}</span>
                    }))}
                    {face(&id.0)}
                </div>
                {move || open.with(|open| open.as_ref().map(|open| slip(&open.intent, desk.now.get_untracked())))}
            </section>
            <section class="private answers">
                {move || open.with(|open| open.as_ref().map(my_side))}
                <Show when=move || !quoting.get()>{actions(id, open, quoting)}</Show>
                {chat::panel(To::Owner(id), Other::Buyer)}
                <Show when=move || quoting.get()>
                    {move || open.with_untracked(|open| open.as_ref().map(|open| quote_form::form(open, quoting)))}
                </Show>
            </section>
        </article>
    }
    .into_any()
}

/// The name of a state for tests.
const fn answer_name(state: AnswerState) -> &'static str {
    match state {
        AnswerState::Sending => "sending",
        AnswerState::Delivered => "delivered",
        AnswerState::Ordered => "ordered",
        AnswerState::NotSelected => "not-selected",
        AnswerState::Expired => "expired",
        AnswerState::Dismissed => "dismissed",
        AnswerState::Refused => "refused",
    }
}

fn my_side(open: &OpenIntent) -> AnyView {
    let words = &w().market;
    let best = open.matches.first();
    let found = best.filter(|_| open.answer.is_none()).map(fit);
    let answer = open
        .answer
        .as_ref()
        .filter(|_| !is_dismissed(open))
        .map(my_answer);
    let hidden = is_dismissed(open).then(|| (words.answer_of)(AnswerState::Dismissed));
    let away = (!open.reachable).then_some(words.unreachable);
    view! {
        {found}
        {answer}
        {hidden.map(|text| view! { <p class="quiet-text">{text}</p> })}
        {away.map(|text| view! { <p class="quiet-text">{text}</p> })}
    }
    .into_any()
}

/// How an item of my stall fits.
fn fit(best: &Match) -> AnyView {
    let words = &w().market;
    let fits: Vec<_> = best
        .fits
        .iter()
        .map(|(key, fit)| {
            let (class, shape, text) = match fit {
                Fit::Yes => ("fit yes", Icon::Check, words.fit_yes),
                Fit::No => ("fit no", Icon::Cross, words.fit_no),
                Fit::Unknown => ("fit unknown", Icon::Dash, words.fit_unknown),
            };
            let name = crate::words::property(w(), key);
            view! { <li class=class>{icon(shape)}<span>{name}</span> " " <small>{text}</small></li> }
        })
        .collect();
    let heading = if best.complete {
        words.matches
    } else {
        words.partly
    };
    view! {
        <div class="match" data-test="match">
            {private_mark(heading)}
            <p class="match-item"><strong>{best.title.clone()}</strong> " " {(words.would_cost)(&format::money(best.total))}</p>
            {(!fits.is_empty()).then(|| view! { <ul class="fits" aria-label=words.fits>{fits}</ul> })}
        </div>
    }
    .into_any()
}

fn my_answer(answer: &MyAnswer) -> AnyView {
    let words = &w().market;
    let how = if answer.automatic {
        words.automatic
    } else {
        words.by_hand
    };
    let total = answer.quote.as_ref().map(|quote| quote.total);
    view! {
        <div class="my-answer" data-test="my-answer">
            {private_mark(words.my_quote)}
            {total.map(|total| view! { <p class="quote-total">{money(total)} <small>{how}</small></p> })}
            <p role="status" data-test="answer-state">{(words.answer_of)(answer.state)}</p>
            {haggling::theirs(answer)}
        </div>
    }
    .into_any()
}

fn actions(id: IntentId, open: Memo<Option<OpenIntent>>, quoting: RwSignal<bool>) -> AnyView {
    let desk = desk();
    let words = &w().market;
    let state = move || {
        open.with(|open| {
            open.as_ref()
                .and_then(|open| open.answer.as_ref())
                .map(|answer| answer.state)
        })
    };
    let quoted = move || match state() {
        Some(
            AnswerState::Sending
            | AnswerState::Delivered
            | AnswerState::Expired
            | AnswerState::Refused,
        ) => true,
        None | Some(AnswerState::Ordered | AnswerState::NotSelected | AnswerState::Dismissed) => {
            false
        }
    };
    let over = move || match state() {
        Some(AnswerState::Ordered | AnswerState::NotSelected) => true,
        None
        | Some(
            AnswerState::Sending
            | AnswerState::Delivered
            | AnswerState::Expired
            | AnswerState::Refused
            | AnswerState::Dismissed,
        ) => false,
    };
    let dismiss = move |_| {
        spawn_local(async move {
            let reason = None;
            if let Err(complaint) = desk.command(Command::Dismiss { intent: id, reason }).await {
                desk.note(&sentence(&complaint));
            }
        });
    };
    view! {
        <div class="card-actions">
            <Show when=move || !over()>
                <button type="button" class:primary=move || !quoted() class:secondary=quoted class="on-private" data-test="quote-open" on:click=move |_| quoting.set(true)>
                    {icon(Icon::Lock)} {move || if quoted() { words.quote_again } else { words.answer }}
                </button>
            </Show>
            <Show when=move || state().is_none()>
                <button type="button" class="quiet on-private" data-test="dismiss" on:click=dismiss>{words.dismiss}</button>
            </Show>
            <Show when=move || state() == Some(AnswerState::Ordered)>
                <a class="button secondary on-private" href=desk.href(Screen::Trades)>{w().requests.to_trade}</a>
            </Show>
        </div>
    }
    .into_any()
}
