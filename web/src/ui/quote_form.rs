//! Answering by hand: the form starts with what the stall would say, so mostly one press is enough.

use haggle_protocol::intent::Delivery;
use haggle_protocol::quote::Quality;
use leptos::prelude::*;

use crate::app::{desk, w};
use crate::forms::Faults;
use crate::forms::item::{Lead, Span};
use crate::forms::quote::{FIELDS, QuoteForm};
use crate::node::{Command, OpenIntent, Reply};
use crate::ui::connection::hide;
use crate::ui::parts::{
    Choices, Field, Line, area, carry_out, choose, field, form_fault, line, money, recheck, select,
    show_flaws, tick, typed,
};
use crate::ui::slip::private_mark;

/// Choices of a quality.
pub(crate) fn qualities() -> Choices {
    let word = &w().word;
    let all = Quality::ALL.into_iter().rev();
    all.map(|quality| {
        let name = (word.quality_grade)((word.quality)(quality), (word.quality_means)(quality));
        (quality.grade().to_string(), name)
    })
    .collect()
}

/// The quality of a choice.
pub(crate) fn quality_of(choice: &str) -> Quality {
    let grade = choice.parse().ok();
    grade.and_then(Quality::from_grade).unwrap_or(Quality::Good)
}

/// Choices of a way of delivery.
pub(crate) fn ways(offered: &[Delivery]) -> Choices {
    let name = |way: &Delivery| {
        (
            crate::ui::ask::way_name(*way).to_owned(),
            (w().word.delivery)(*way).to_owned(),
        )
    };
    offered.iter().map(name).collect()
}

/// The way of a choice.
pub(crate) fn way_of(choice: &str) -> Delivery {
    let mut all = Delivery::ALL.into_iter();
    all.find(|way| crate::ui::ask::way_name(*way) == choice)
        .unwrap_or(Delivery::Shipping)
}

/// A time as one types it, with label: a number and what it counts.
pub(crate) fn lead(
    what: &Field,
    start: &Lead,
    set_count: impl Fn(String) + 'static,
    set_span: impl Fn(Span) + 'static,
) -> AnyView {
    let spans = Span::ALL.map(|span| (span.name().to_owned(), (w().word.span)(span).to_owned()));
    let id = what.id;
    let unit = select(
        String::new(),
        "",
        what.label,
        spans.into(),
        start.span.name(),
        move |name| set_span(Span::named(&name)),
    );
    let control = view! {
        <span class="pair">
            <input id=id data-test=id type="text" inputmode="numeric" class="narrow" autocomplete="off"
                prop:value=start.count.clone() on:input=move |event| set_count(typed(&event)) />
            {unit}
        </span>
    };
    field(what, control.into_any())
}

/// The form that answers an intent.
pub(crate) fn form(open: &OpenIntent, shown: RwSignal<bool>) -> AnyView {
    let desk = desk();
    let words = &w().market;
    let item = open.matches.first().and_then(|found| {
        desk.board.with_untracked(|board| {
            let mut items = board.stall()?.items.iter();
            items.find(|item| item.id == found.item).cloned()
        })
    });
    let deliveries = open.intent.deliveries.clone();
    let start = QuoteForm::answering(open.id, &open.intent, item.as_ref());
    let form = RwSignal::new(start.clone());
    let faults = RwSignal::new(Faults::default());
    let busy = RwSignal::new(false);
    recheck(form, faults, |form| form.read().err().unwrap_or_default());
    let named = move |id, name, label, hint| Field {
        id,
        label,
        hint,
        name,
        faults,
    };
    let number = Line {
        mode: "decimal",
        narrow: true,
        ..Line::default()
    };
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let draft = match form.with_untracked(QuoteForm::read) {
            Ok((draft, _)) => draft,
            Err(flaws) => {
                show_flaws(faults, flaws);
                return;
            }
        };
        let work = async move { desk.command(Command::Quote(Box::new(draft))).await };
        carry_out(busy, faults, work, move |_: Reply| {
            desk.note(w().market.sent);
            let _ = shown.try_set(false);
        });
    };
    let total = move || {
        form.with(|form| form.read().ok())
            .map(|(_, total)| money(total))
    };
    let currency = start.currency.clone();
    let from = item.map(|item| (words.from_item)(&item.title));
    view! {
        <form class="quote-form" novalidate data-test="quote-form" on:submit=send>
            <h3>{words.form_heading}</h3>
            {private_mark(words.form_private)}
            {from.map(|from| view! { <p class="quiet-text">{from}</p> })}
            {line(&named("quote-description", "lines", words.description, ""), Line::default(), start.description.clone(),
                move |text| form.update(|form| form.description = text))}
            <div class="row">
                {line(&named("quote-quantity", "quantity", words.quantity, ""), number, start.quantity.clone(),
                    move |text| form.update(|form| form.quantity = text))}
                {line(&named("quote-price", "price", words.price, ""), number, start.price.clone(),
                    move |text| form.update(|form| form.price = text))}
                <span class="currency">{currency}</span>
            </div>
            <div class="row">
                {line(&named("quote-delivery-fee", "charges", words.delivery_fee, ""), number, start.delivery_fee.clone(),
                    move |text| form.update(|form| form.delivery_fee = text))}
                {line(&named("quote-tax", "tax", words.tax, ""), number, start.tax.clone(),
                    move |text| form.update(|form| form.tax = text))}
                {line(&named("quote-discount", "discount", words.discount, ""), number, start.discount.clone(),
                    move |text| form.update(|form| form.discount = text))}
            </div>
            <div class="row">
                {choose(&named("quote-delivery", "delivery", words.delivery, ""), ways(&deliveries),
                    crate::ui::ask::way_name(start.delivery), move |way| form.update(|form| form.delivery = way_of(&way)))}
                {choose(&named("quote-quality", "quality", words.quality, ""), qualities(), &start.quality.grade().to_string(),
                    move |choice| form.update(|form| form.quality = quality_of(&choice)))}
            </div>
            <div class="row">
                {lead(&named("quote-lead", "leadTime", words.lead_time, ""), &start.lead,
                    move |text| form.update(|form| form.lead.count = text),
                    move |span| form.update(|form| form.lead.span = span))}
                {lead(&named("quote-valid", "validFor", words.valid, ""), &start.valid,
                    move |text| form.update(|form| form.valid.count = text),
                    move |span| form.update(|form| form.valid.span = span))}
            </div>
            {area(&named("quote-note", "note", words.note, w().all.optional), 2, start.note.clone(),
                move |text| form.update(|form| form.note = text))}
            {tick("quote-firm", words.firm, words.firm_hint, start.firm,
                move |firm| form.update(|form| form.firm = firm))}
            {form_fault(faults, &FIELDS)}
            {hide()}
            <p class="form-total"><span>{words.total}</span> <output data-test="quote-total">{total}</output></p>
            <div class="card-actions">
                <button type="submit" class="primary on-private" data-test="quote-send" disabled=move || busy.get()>
                    {move || if busy.get() { words.sending } else { words.send }}
                </button>
                <button type="button" class="quiet on-private" data-test="quote-cancel" on:click=move |_| shown.set(false)>
                    {w().all.cancel}
                </button>
            </div>
        </form>
    }
    .into_any()
}
