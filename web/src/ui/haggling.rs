//! Haggling on both sides: the buyer's dialog and what became of his counter, and the seller's one button to meet it.

use haggle_protocol::ThreadId;
use leptos::prelude::*;

use crate::app::{desk, w};
use crate::forms::Faults;
use crate::forms::counter::CounterForm;
use crate::node::{Command, CounterView, MyAnswer, QuoteView, Reply};
use crate::ui::format;
use crate::ui::parts::{
    Field, Icon, Line, area, carry_out, dialog, form_fault, icon, line, money, show_flaws,
};
use crate::ui::quote_card::OverQuote;

/// The quote that is about to be haggled over.
pub(crate) type Countering = OverQuote<CounterForm>;

/// What I offered for a quote, and what became of it.
pub(crate) fn mine(view: &QuoteView) -> Option<AnyView> {
    let words = &w().haggling;
    let said = view.counter.as_ref()?;
    let state = if said.answered {
        words.answered
    } else if said.delivered {
        words.delivered
    } else if said.lost {
        words.lost
    } else {
        words.on_its_way
    };
    let left = u64::from(haggle_protocol::trade::Counter::ROUNDS.saturating_sub(said.round));
    Some(
        view! {
            <p class="counter" data-test="my-counter" data-round=said.round.to_string() data-answered=said.answered.to_string()
                data-delivered=said.delivered.to_string()
                data-total=said.total.minor.to_string()>
                {icon(Icon::Lock)}
                <span>{(words.mine)(&format::money(said.total))} " " {state} " " {(words.left)(left)}</span>
            </p>
        }
        .into_any(),
    )
}

/// The dialog in which a counter is written.
pub(crate) fn counter_dialog(countering: Countering) -> AnyView {
    let words = &w().haggling;
    dialog(
        countering.open,
        "counter-dialog",
        move || words.heading.to_owned(),
        "private-dialog",
        move || {
            let desk = desk();
            let Some((intent, thread)) = countering.what.get_untracked() else {
                return ().into_any();
            };
            let found = desk
                .board
                .with_untracked(|board| Some(board.quote(&intent, &thread)?.quote.total));
            let Some(asked) = found else {
                return ().into_any();
            };
            let Countering {
                open,
                form,
                busy,
                faults,
                ..
            } = countering;
            let send = move |event: leptos::ev::SubmitEvent| {
                event.prevent_default();
                match form.with_untracked(|form| form.read(thread, asked)) {
                    Ok(command) => {
                        let work = async move { desk.command(command).await };
                        carry_out(busy, faults, work, move |_: Reply| {
                            open.set(false);
                            desk.note(w().haggling.sent);
                        });
                    }
                    Err(flaws) => show_flaws(faults, flaws),
                }
            };
            let field = |id, label, hint, name| Field {
                id,
                label,
                hint,
                name,
                faults,
            };
            let decimal = Line {
                mode: "decimal",
                narrow: true,
                ..Line::default()
            };
            view! {
                <form novalidate on:submit=send>
                    <p class="dialog-total">{money(asked)}</p>
                    <p>{words.body}</p>
                    {line(&field("counter-total", words.total, "", "total"), decimal, String::new(),
                        move |text| form.update(|form| form.total = text))}
                    {area(&field("counter-note", w().requests.accept_note, w().all.optional, "note"), 2, String::new(),
                        move |text| form.update(|form| form.note = text))}
                    <p class="quiet-text">{icon(Icon::Lock)} {words.private}</p>
                    {form_fault(faults, &["total", "note"])}
                    <div class="dialog-actions">
                        <button type="button" class="secondary on-private" data-test="counter-cancel"
                            on:click=move |_| open.set(false)>{w().all.cancel}</button>
                        <button type="submit" class="primary on-private" data-test="counter-send" disabled=move || busy.get()>
                            {move || if busy.get() { words.sending } else { words.send }}
                        </button>
                    </div>
                </form>
            }
            .into_any()
        },
    )
}

/// What a buyer offered for my quote, and the button to meet it while it can be met.
pub(crate) fn theirs(answer: &MyAnswer) -> Option<AnyView> {
    let words = &w().haggling;
    let said = answer.counter.as_ref()?;
    let meet = answer.thread.filter(|_| !said.answered);
    Some(
        view! {
            <div class="counter-theirs" data-test="their-counter" data-total=said.total.minor.to_string()>
                <p class="strong">{icon(Icon::Lock)} " " {(words.theirs)(&format::money(said.total))}</p>
                {said.note.clone().map(|note| view! { <blockquote class="note"><p class="note-who">{words.buyer_note}</p>{note}</blockquote> })}
                {meet.map(|thread| meet_button(thread, said))}
            </div>
        }
        .into_any(),
    )
}

fn meet_button(thread: ThreadId, said: &CounterView) -> AnyView {
    let words = &w().haggling;
    let desk = desk();
    let (busy, faults) = (RwSignal::new(false), RwSignal::new(Faults::default()));
    let label = (words.meet)(&format::money(said.total));
    let meet = move |_| {
        let work = async move { desk.command(Command::Meet { thread }).await };
        carry_out(busy, faults, work, move |_: Reply| {
            desk.note(w().market.sent);
        });
    };
    view! {
        <button type="button" class="primary on-private" data-test="meet" disabled=move || busy.get() on:click=meet>{label}</button>
        {form_fault(faults, &[])}
    }
    .into_any()
}
