//! The steps of a trade after its confirmation: those that were taken, with their files; the form for the next one; and
//! the code by which goods change hands.

use haggle_protocol::ThreadId;
use haggle_protocol::intent::Delivery;
use leptos::prelude::*;

use crate::app::{desk, w};
use crate::board::sayable;
use crate::forms::Faults;
use crate::node::{Command, Reply, Trade, TradeStep};
use crate::ui::files;
use crate::ui::format;
use crate::ui::parts::{Field, Icon, area, carry_out, fault, field, form_fault, icon, typed};
use crate::ui::picker::{FILES, Picker};
use crate::ui::slip::private_mark;

/// The name of a step for tests.
const fn step_name(step: TradeStep) -> &'static str {
    match step {
        TradeStep::Paid => "paid",
        TradeStep::Dispatched => "dispatched",
        TradeStep::Delivered => "delivered",
        TradeStep::Received => "received",
    }
}

/// Those that were taken. Each is drawn once, so that its photos stay while other things change.
pub(crate) fn taken(trade: Memo<Option<Trade>>) -> AnyView {
    let steps = move || {
        trade.with(|trade| {
            let steps = trade.iter().flat_map(|trade| &trade.steps);
            steps.map(|taken| taken.step).collect::<Vec<_>>()
        })
    };
    view! { <For each=steps key=|step| step_name(*step) children=move |step| step_taken(step, trade) /> }
        .into_any()
}

fn step_taken(step: TradeStep, trade: Memo<Option<Trade>>) -> AnyView {
    let words = &w().trades;
    let now = move |trade: &Option<Trade>| {
        let mut steps = trade.iter().flat_map(|trade| &trade.steps);
        steps.find(|taken| taken.step == step).cloned()
    };
    let Some(taken) = trade.with_untracked(now) else {
        return ().into_any();
    };
    let role = trade.with_untracked(|trade| trade.as_ref().map(|trade| trade.role));
    let by_lock =
        trade.with_untracked(|trade| trade.as_ref().is_some_and(|it| it.escrow.is_some()));
    let mine = role == Some(step.role());
    let told = match (step == TradeStep::Paid && by_lock, mine) {
        (true, true) => w().escrow.paid_mine,
        (true, false) => w().escrow.paid_theirs,
        (false, true) => (words.step_mine)(step),
        (false, false) => (words.step_theirs)(step),
    };
    let known = Memo::new(move |_| trade.with(now).is_some_and(|taken| taken.delivered));
    let files = Memo::new(move |_| trade.with(now).map(|taken| taken.files).unwrap_or_default());
    let unknown = move || (!known.get()).then_some(words.step_unknown);
    view! {
        <li class="step done" data-test="trade-step" data-step=step_name(step) data-delivered=move || known.get().to_string()>
            {icon(Icon::Check)}
            <div class="step-told">
                <span>
                    {told} " " <small>{(words.at)(&format::time(taken.at))} " " {unknown}</small>
                    {taken.note.map(|note| view! { <br/> <q>{note}</q> })}
                </span>
                {files::list(files, files::entry)}
            </div>
        </li>
    }
    .into_any()
}

/// The buyer's code, which he keeps until he holds the goods.
pub(crate) fn code(trade: Memo<Option<Trade>>) -> AnyView {
    let code = Memo::new(move |_| trade.with(|trade| trade.as_ref()?.handover_code.clone()));
    let panel = move || {
        let words = &w().handover;
        let code = code.get()?;
        // Read out letter by letter.
        let spelled: Vec<String> = code.chars().map(String::from).collect();
        Some(view! {
            <section class="handover" aria-label=words.heading>
                {private_mark(words.heading)}
                <p class="handover-code" translate="no">
                    <span data-test="handover-code" aria-hidden="true">{code}</span>
                    <span class="visually-hidden">{spelled.join(" ")}</span>
                </p>
                <p>{words.body}</p>
            </section>
        })
    };
    view! { {panel} }.into_any()
}

/// Says that a step is taken; asked once more before it is said, because it cannot be taken back.
pub(crate) fn report(id: ThreadId, trade: Memo<Option<Trade>>) -> AnyView {
    let steps =
        Memo::new(move |_| trade.with(|trade| trade.as_ref().map(sayable).unwrap_or_default()));
    let digital = Memo::new(move |_| {
        trade.with(|trade| {
            let delivery = trade.as_ref().map(|trade| trade.quote.delivery);
            delivery == Some(Delivery::Digital)
        })
    });
    let chosen = RwSignal::new(None::<TradeStep>);
    let inside = move || match chosen.get() {
        Some(TradeStep::Delivered) => deliver(id, chosen),
        Some(step) => say(id, step, digital.get_untracked(), chosen),
        None => {
            let button = move |step| {
                view! {
                    <button type="button" class="secondary on-private" data-test=format!("step-{}", step_name(step))
                        on:click=move |_| chosen.set(Some(step))>{(w().trades.step_say)(step)}</button>
                }
            };
            view! {
                <div class="card-actions">{move || steps.get().into_iter().map(button).collect_view()}</div>
            }
            .into_any()
        }
    };
    view! {
        <Show when=move || steps.with(|steps| !steps.is_empty())>
            <h3>{w().trades.steps}</h3>
            {inside}
        </Show>
    }
    .into_any()
}

/// The form in which a step is said, with a word and files if one likes.
fn say(
    thread: ThreadId,
    step: TradeStep,
    digital: bool,
    chosen: RwSignal<Option<TradeStep>>,
) -> AnyView {
    let desk = desk();
    let words = &w().trades;
    let note = RwSignal::new(String::new());
    let (busy, faults) = (RwSignal::new(false), RwSignal::new(Faults::default()));
    let picker = Picker::new(faults, digital && step == TradeStep::Dispatched);
    let with_files = matches!(step, TradeStep::Paid | TradeStep::Dispatched);
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let text = note.get_untracked().trim().to_owned();
        let command = Command::Report {
            thread,
            step,
            note: (!text.is_empty()).then_some(text),
            files: picker.files(),
            code: None,
        };
        let work = async move { desk.command(command).await };
        carry_out(busy, faults, work, move |_: Reply| {
            let _ = chosen.try_set(None);
        });
    };
    let field = Field {
        id: "step-note",
        label: words.step_note,
        hint: w().all.optional,
        name: "note",
        faults,
    };
    view! {
        <form novalidate class="decide" on:submit=send>
            <p class="quiet-text">{(words.step_means)(step)}</p>
            {with_files.then(|| picker.draw("step-files"))}
            {area(&field, 2, String::new(), move |text| note.set(text))}
            {actions(move || busy.get() || picker.is_reading(), chosen)}
            {form_fault(faults, &["note", FILES])}
        </form>
    }
    .into_any()
}

/// The form in which a seller types the code that the buyer has told him.
fn deliver(thread: ThreadId, chosen: RwSignal<Option<TradeStep>>) -> AnyView {
    let desk = desk();
    let words = &w().handover;
    let code = RwSignal::new(String::new());
    let (busy, faults) = (RwSignal::new(false), RwSignal::new(Faults::default()));
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let command = Command::Report {
            thread,
            step: TradeStep::Delivered,
            note: None,
            files: Vec::new(),
            code: Some(code.get_untracked()),
        };
        // Comparing holds the page up for a moment: first it shows that it works.
        let work = async move {
            crate::browser::wait(40).await;
            desk.command(command).await
        };
        carry_out(busy, faults, work, move |_: Reply| {
            let _ = chosen.try_set(None);
        });
    };
    let what = Field {
        id: "step-code",
        label: words.code,
        hint: words.code_hint,
        name: "code",
        faults,
    };
    let input = view! {
        <input id="step-code" name="step-code" data-test="step-code" type="text" class="code" inputmode="text" autocomplete="off"
            autocapitalize="characters" spellcheck="false" placeholder="XXXXX XXXXX" prop:value=code
            on:input=move |event| code.set(typed(&event)) on:change=move |event| code.set(typed(&event))
            aria-describedby="step-code-fault step-code-hint" aria-invalid=move || fault(faults, "code").map(|_| "true") />
    };
    view! {
        <form novalidate class="decide" on:submit=send>
            <p class="quiet-text">{(w().trades.step_means)(TradeStep::Delivered)}</p>
            {field(&what, input.into_any())}
            {actions(move || busy.get(), chosen)}
            {form_fault(faults, &["code"])}
        </form>
    }
    .into_any()
}

/// To say it, or to go back.
fn actions(
    wait: impl Fn() -> bool + Send + 'static,
    chosen: RwSignal<Option<TradeStep>>,
) -> AnyView {
    view! {
        <div class="card-actions">
            <button type="submit" class="primary on-private" data-test="step-send" disabled=wait>
                {icon(Icon::Check)} {w().trades.step_send}
            </button>
            <button type="button" class="quiet on-private" on:click=move |_| chosen.set(None)>{w().all.back}</button>
        </div>
    }
    .into_any()
}
