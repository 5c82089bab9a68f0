//! Putting something into my stall, or changing it.

use haggle_protocol::intent::Delivery;
use leptos::prelude::*;

use crate::app::{desk, lang, w};
use crate::categories;
use crate::forms::Faults;
use crate::forms::item::{DeliveryRow, FIELDS, ItemForm, ROWS_MAX, Span, TierRow};
use crate::node::{Command, Item, Reply};
use crate::ui::category::{Categorised, category};
use crate::ui::parts::{
    Field, Icon, Line, Properties, Rows, area, carry_out, choose, cities, currencies, fault_line,
    form_fault, icon, line, properties, quantities, recheck, select, show_flaws, typed,
};
use crate::ui::quote_form::{qualities, quality_of, way_of, ways};
use crate::ui::stall::{auto_name, auto_named};

/// What the form holds while it is shown.
#[derive(Clone, Copy)]
struct Editing {
    form: RwSignal<ItemForm>,
    faults: RwSignal<Faults>,
    busy: RwSignal<bool>,
}

/// The form for this item, or for a new one; `done` is called when it is saved or left.
pub(crate) fn form(item: Option<Item>, done: impl Fn() + Copy + 'static) -> AnyView {
    let desk = desk();
    let words = &w().stall;
    let new = item.is_none();
    let start = match &item {
        Some(item) => ItemForm::from_item(item),
        None => ItemForm::new(&last_currency()),
    };
    let editing = Editing {
        form: RwSignal::new(start.clone()),
        faults: RwSignal::new(Faults::default()),
        busy: RwSignal::new(false),
    };
    let Editing { form, faults, busy } = editing;
    recheck(form, faults, |form| form.read().err().unwrap_or_default());
    let save = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        match form.with_untracked(ItemForm::read) {
            Ok(item) => {
                let work = async move { desk.command(Command::PutItem(Box::new(item))).await };
                carry_out(busy, faults, work, move |_: Reply| {
                    desk.note(w().stall.saved);
                    done();
                });
            }
            Err(flaws) => show_flaws(faults, flaws),
        }
    };
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
    let attributes = Properties {
        test: "item-attribute",
        wishes: false,
        form,
        rows: |form: &mut ItemForm| &mut form.attributes,
    };
    let mut autos = vec![(String::new(), words.auto_as_stall.to_owned())];
    autos.extend(
        [
            crate::node::Auto::Off,
            crate::node::Auto::Indicative,
            crate::node::Auto::Firm,
        ]
        .map(|auto| (auto_name(auto).to_owned(), (words.auto_of)(auto).to_owned())),
    );
    view! {
        <form class="item-form sheet" novalidate data-test="item-form" on:submit=save>
            <h3>{if new { words.add_heading } else { words.edit_heading }}</h3>
            {line(&named("item-title", "title", words.title, ""), Line::default(), start.title.clone(), move |text| {
                form.update(|form| {
                    if !form.category_chosen {
                        form.category = categories::suggest(&text).0;
                    }
                    form.title = text;
                });
            })}
            {category(Categorised {
                id: "item-category",
                faults,
                form,
                read: |form: &ItemForm| (&form.title, form.category),
                choose: |form, code| {
                    form.category = code;
                    form.category_chosen = true;
                },
            })}
            <div class="row">
                {choose(&named("item-unit", "unit", words.unit, ""), quantities(&start.unit), &start.unit,
                    move |code| form.update(|form| form.unit = code))}
                {line(&named("item-stock", "stock", words.stock, words.stock_hint), number, start.stock.clone(),
                    move |text| form.update(|form| form.stock = text))}
                {choose(&named("item-currency", "asset", words.currency, ""), currencies(&start.currency), &start.currency,
                    move |code| form.update(|form| form.currency = code))}
            </div>
            {tiers(editing)}
            {line(&named("item-floor", "floor", words.floor, words.floor_hint), number, start.floor.clone(),
                move |text| form.update(|form| form.floor = text))}
            {choose(&named("item-quality", "quality", words.quality, ""), qualities(), &start.quality.grade().to_string(),
                move |choice| form.update(|form| form.quality = quality_of(&choice)))}
            <fieldset class="choice">
                <legend>{words.attributes}</legend>
                <p class="hint">{words.attributes_hint}</p>
                {properties(attributes)}
                {fault_line("item-attributes", faults, "attributes")}
                <datalist id="known-properties">
                    {categories::properties(lang()).into_iter().map(|name| view! { <option value=name></option> }).collect_view()}
                </datalist>
            </fieldset>
            {delivery_rows(editing)}
            {area(&named("item-note", "note", words.note, words.note_hint), 2, start.note.clone(),
                move |text| form.update(|form| form.note = text))}
            {choose(&named("item-auto", "auto", words.auto, ""), autos, start.auto.map_or("", auto_name),
                move |name| form.update(|form| form.auto = (!name.is_empty()).then(|| auto_named(&name))))}
            {form_fault(faults, &FIELDS)}
            <div class="card-actions">
                <button type="submit" class="primary" data-test="item-save" disabled=move || busy.get()>{w().all.save}</button>
                <button type="button" class="quiet" data-test="item-cancel" on:click=move |_| done()>{w().all.cancel}</button>
            </div>
        </form>
    }
    .into_any()
}

/// The currency of the newest item, so that a second one needs no choice.
fn last_currency() -> String {
    let desk = desk();
    let code = desk.board.with_untracked(|board| {
        let items = &board.stall()?.items;
        items.last().map(|item| item.asset.code().to_owned())
    });
    code.unwrap_or_else(|| desk.ask.with_untracked(|form| form.currency.clone()))
}

fn tiers(editing: Editing) -> AnyView {
    let words = &w().stall;
    let Editing { form, faults, .. } = editing;
    let rows = Rows::new(form.with_untracked(|form| form.tiers.len()));
    let row = move |key: u32| {
        let place = rows.place(key).unwrap_or_default();
        let start = form.with_untracked(|form| form.tiers.get(place).cloned().unwrap_or_default());
        let change = move |change: &dyn Fn(&mut TierRow)| {
            if let Some(place) = rows.place(key) {
                form.update(|form| form.tiers.get_mut(place).map(change).unwrap_or_default());
            }
        };
        view! {
            <li class="tier-row">
                <label><span>{words.tier_from}</span>
                    <input type="text" inputmode="decimal" class="narrow" data-test="item-tier-from" prop:value=start.from
                        autocomplete="off"
                        on:input=move |event| { let text = typed(&event); change(&|row| row.from.clone_from(&text)); } />
                </label>
                <label><span>{words.tier_price}</span>
                    <input type="text" inputmode="decimal" class="narrow" data-test="item-tier-price" prop:value=start.price
                        autocomplete="off"
                        on:input=move |event| { let text = typed(&event); change(&|row| row.price.clone_from(&text)); } />
                </label>
                <button type="button" class="quiet icon-only" aria-label=w().all.remove data-test="item-tier-remove"
                    on:click=move |_| { if let Some(place) = rows.remove(key) { form.update(|form| { form.tiers.remove(place); }); } }>
                    {icon(Icon::Cross)}
                </button>
            </li>
        }
    };
    view! {
        <fieldset class="choice">
            <legend>{words.tiers}</legend>
            <ul class="rows">{rows.draw(row)}</ul>
            <button type="button" class="secondary small" data-test="item-tier-add" on:click=move |_| {
                if form.with_untracked(|form| form.tiers.len() < ROWS_MAX) {
                    form.update(|form| form.tiers.push(TierRow::default()));
                    rows.push();
                }
            }>
                {icon(Icon::Plus)} {words.tier_add}
            </button>
            <p class="hint">{words.tiers_hint}</p>
            {fault_line("item-tiers", faults, "tiers")}
        </fieldset>
    }
    .into_any()
}

fn delivery_rows(editing: Editing) -> AnyView {
    let words = &w().stall;
    let Editing { form, faults, .. } = editing;
    let rows = Rows::new(form.with_untracked(|form| form.deliveries.len()));
    let row = move |key: u32| {
        let place = rows.place(key).unwrap_or_default();
        let start = form.with_untracked(|form| {
            let usual = || DeliveryRow::new(Delivery::Shipping);
            form.deliveries.get(place).cloned().unwrap_or_else(usual)
        });
        let change = move |change: &dyn Fn(&mut DeliveryRow)| {
            if let Some(place) = rows.place(key) {
                form.update(|form| {
                    form.deliveries
                        .get_mut(place)
                        .map(change)
                        .unwrap_or_default()
                });
            }
        };
        let spans =
            Span::ALL.map(|span| (span.name().to_owned(), (w().word.span)(span).to_owned()));
        view! {
            <li class="delivery-row">
                <label><span>{words.delivery_way}</span>
                    {select(String::new(), "item-delivery", "", ways(&Delivery::ALL), crate::ui::ask::way_name(start.delivery),
                        move |way| change(&|row| row.delivery = way_of(&way)))}
                </label>
                <label><span>{words.delivery_fee}</span>
                    <input type="text" inputmode="decimal" class="narrow" data-test="item-delivery-fee" placeholder=w().all.free
                        prop:value=start.fee autocomplete="off"
                        on:input=move |event| { let text = typed(&event); change(&|row| row.fee.clone_from(&text)); } />
                </label>
                <label><span>{words.delivery_time}</span>
                    <span class="pair">
                        <input type="text" inputmode="numeric" class="narrow" data-test="item-delivery-time" prop:value=start.lead.count
                            autocomplete="off"
                            on:input=move |event| { let text = typed(&event); change(&|row| row.lead.count.clone_from(&text)); } />
                        {select(String::new(), "item-delivery-span", words.delivery_time, spans.into(), start.lead.span.name(),
                            move |name| change(&|row| row.lead.span = Span::named(&name)))}
                    </span>
                </label>
                <label><span>{words.delivery_place}</span>
                    {select(String::new(), "item-delivery-place", "", cities(), &start.place,
                        move |city| change(&|row| row.place.clone_from(&city)))}
                </label>
                <button type="button" class="quiet icon-only" aria-label=w().all.remove data-test="item-delivery-remove"
                    on:click=move |_| { if let Some(place) = rows.remove(key) { form.update(|form| { form.deliveries.remove(place); }); } }>
                    {icon(Icon::Cross)}
                </button>
            </li>
        }
    };
    view! {
        <fieldset class="choice">
            <legend>{words.deliveries}</legend>
            <ul class="rows">{rows.draw(row)}</ul>
            <button type="button" class="secondary small" data-test="item-delivery-add" on:click=move |_| {
                if form.with_untracked(|form| form.deliveries.len() < ROWS_MAX) {
                    form.update(|form| form.deliveries.push(DeliveryRow::new(Delivery::Pickup)));
                    rows.push();
                }
            }>
                {icon(Icon::Plus)} {words.delivery_add}
            </button>
            {fault_line("item-deliveries", faults, "deliveries")}
        </fieldset>
    }
    .into_any()
}
