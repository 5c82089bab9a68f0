//! My stall: what I offer, how it answers, and who I am to the one I trade with.

use haggle_protocol::{Money, Quantity};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::{desk, sentence, w};
use crate::forms::Faults;
use crate::forms::stall::{ProfileForm, RulesForm, mints_of};
use crate::node::{Auto, Command, Item, ItemId, Reply, Rules, StallView};
use crate::ui::format;
use crate::ui::item_form;
use crate::ui::parts::{
    Card, Field, Icon, Line, area, cards, carry_out, empty, form_fault, heading, icon, in_parts,
    line, person, recheck, show_flaws,
};
use crate::ui::quote_card::quality;
use crate::ui::quote_form::lead;
use crate::ui::slip::{deliveries, private_mark};
use crate::ui::stall_list;
use crate::ui::{arbiter, escrow};

/// Which item is being edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Editing {
    Nothing,
    New,
    Old(ItemId),
}

/// The screen.
pub(crate) fn screen() -> AnyView {
    let desk = desk();
    let words = &w().stall;
    let known = Memo::new(move |_| desk.board.with(|board| board.stall().is_some()));
    view! {
        {heading(words.heading, words.lead)}
        <Show when=move || known.get() fallback=|| view! { <p class="waiting">{w().all.working}</p> }>
            <div class="stall">
                {items()}
                <div class="stall-side">{rules()}{profile()}</div>
            </div>
        </Show>
    }
    .into_any()
}

fn items() -> AnyView {
    let desk = desk();
    let words = &w().stall;
    let editing = RwSignal::new(Editing::Nothing);
    let ids = Memo::new(move |_| {
        desk.board.with(|board| {
            board
                .stall()
                .map(|stall| stall.items.iter().map(|item| item.id).collect::<Vec<_>>())
                .unwrap_or_default()
        })
    });
    let listing = RwSignal::new(false);
    let (visible, more) = in_parts(ids, "stall-more");
    let none = move || ids.with(Vec::is_empty) && editing.get() == Editing::Nothing;
    view! {
        <section class="stall-items" aria-labelledby="stall-items-heading">
            <div class="section-head">
                <h2 id="stall-items-heading">{words.items}</h2>
                <Show when=move || editing.get() == Editing::Nothing>
                    <div class="card-actions">
                        <button type="button" class="quiet" data-test="stall-list" on:click=move |_| listing.set(true)>{w().list.open}</button>
                        <button type="button" class="primary" data-test="stall-item-add" on:click=move |_| editing.set(Editing::New)>
                            {icon(Icon::Plus)} {words.add}
                        </button>
                    </div>
                </Show>
            </div>
            <Show when=move || editing.get() == Editing::New>{item_form::form(None, move || editing.set(Editing::Nothing))}</Show>
            <Show when=none>{empty(Icon::Stall, words.empty_heading, words.empty, ().into_any())}</Show>
            <ul class="items">
                <For each=visible key=|id| *id children=move |id| item_card(id, editing) />
            </ul>
            {more}
            {stall_list::details(listing)}
        </section>
    }
    .into_any()
}

fn item_card(id: ItemId, editing: RwSignal<Editing>) -> AnyView {
    let desk = desk();
    let item = Memo::new(move |_| {
        desk.board.with(|board| {
            let stall = board.stall()?;
            let item = stall.items.iter().find(|item| item.id == id)?.clone();
            Some((item, taken(stall, id)))
        })
    });
    let edited = move || editing.get() == Editing::Old(id);
    let edit = move || {
        let item = item.get_untracked().map(|(item, _)| item);
        item_form::form(item, move || editing.set(Editing::Nothing))
    };
    let asking = RwSignal::new(false);
    let question = move || {
        let title = item.with(|item| item.as_ref().map(|(item, _)| item.title.clone()));
        (w().stall.remove_ask)(&title.unwrap_or_default())
    };
    let remove = move |_| {
        asking.set(false);
        spawn_local(async move {
            if let Err(complaint) = desk.command(Command::RemoveItem { item: id }).await {
                desk.note(&sentence(&complaint));
            }
        });
    };
    view! {
        <li class="item sheet" data-test="stall-item">
            <Show when=move || !edited() fallback=edit>
                {move || item.with(|item| item.as_ref().map(|(item, taken)| shown(item, *taken)))}
                <div class="card-actions">
                    <button type="button" class="secondary small" data-test="stall-item-edit" on:click=move |_| editing.set(Editing::Old(id))>
                        {w().all.edit}
                    </button>
                    <Show when=move || !asking.get()>
                        <button type="button" class="quiet small" data-test="stall-item-remove" on:click=move |_| asking.set(true)>
                            {w().all.remove}
                        </button>
                    </Show>
                </div>
                <Show when=move || asking.get()>
                    <div class="sure" role="alert">
                        <p>{question}</p>
                        <div class="card-actions">
                            <button type="button" class="secondary small" data-test="stall-item-remove-confirm" on:click=remove>{w().all.remove}</button>
                            <button type="button" class="quiet small" on:click=move |_| asking.set(false)>{w().all.cancel}</button>
                        </div>
                    </div>
                </Show>
            </Show>
        </li>
    }
    .into_any()
}

/// How much of an item is set aside or sold, in steps of 10^−6 of its unit.
fn taken(stall: &StallView, id: ItemId) -> u64 {
    let mut reserved = stall.reserved.iter();
    reserved
        .find(|(item, _)| *item == id)
        .map_or(0, |(_, taken)| *taken)
}

fn shown(item: &Item, taken: u64) -> AnyView {
    let words = &w().stall;
    let stock = match item.stock {
        None => words.stock_endless.to_owned(),
        Some(all) => {
            let left = all.micros().saturating_sub(u128::from(taken));
            let left = Quantity {
                n: u64::try_from(left).unwrap_or(u64::MAX),
                scale: Quantity::SCALE_MAX,
                unit: all.unit,
            };
            (words.stock_left)(&format::quantity(left), &format::quantity(all))
        }
    };
    let unit = format::unit(item.unit, true);
    let prices: Vec<_> = item
        .tiers
        .iter()
        .map(|tier| {
            let price = format::money(Money::new(tier.unit_price, item.asset));
            let each = format!("{price} {}", (words.each)(&unit));
            if tier.from.n <= 1 {
                each
            } else {
                (words.from_quantity)(&format::quantity(tier.from), &each)
            }
        })
        .map(|line| view! { <li class="money">{line}</li> })
        .collect();
    let properties: Vec<_> = item
        .attributes
        .iter()
        .map(|found| {
            let text = format!(
                "{} {}",
                crate::words::property(w(), &found.key),
                format::value(&found.value)
            );
            view! { <li>{text}</li> }
        })
        .collect();
    let ways: Vec<_> = item.deliveries.iter().map(|offer| offer.delivery).collect();
    let auto = item.auto.map(|auto| (words.auto_of)(auto));
    view! {
        <h3>{item.title.clone()}</h3>
        <ul class="prices">{prices}</ul>
        <p class="item-facts">
            {quality(item.quality)} <span>{(w().word.quality)(item.quality)}</span>
            <span>{stock}</span>
            <span>{deliveries(&ways)}</span>
            {auto.map(|auto| view! { <span class="badge">{auto}</span> })}
        </p>
        {(!properties.is_empty()).then(|| view! { <ul class="wishes plain">{properties}</ul> })}
    }
    .into_any()
}

fn rules() -> AnyView {
    let desk = desk();
    let words = &w().stall;
    let start = desk.board.with_untracked(|board| {
        let rules = board.stall().map(|stall| stall.rules.clone());
        RulesForm::from_rules(&rules.unwrap_or_else(Rules::default))
    });
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
    let save = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        match form.with_untracked(RulesForm::read) {
            Ok(rules) => {
                let mints = mints_of(&rules);
                let work = async move {
                    if !mints.is_empty() {
                        desk.trust(mints).await?;
                    }
                    desk.command(Command::SetRules(rules)).await
                };
                carry_out(busy, faults, work, move |_: Reply| {
                    desk.note(w().stall.saved)
                });
            }
            Err(flaws) => show_flaws(faults, flaws),
        }
    };
    let all = [Auto::Off, Auto::Indicative, Auto::Firm];
    let choices = all.map(|auto| Card {
        value: auto_name(auto),
        title: (words.auto_of)(auto).to_owned(),
        means: (words.auto_means)(auto).to_owned(),
    });
    let number = Line {
        mode: "numeric",
        narrow: true,
        ..Line::default()
    };
    view! {
        <section class="sheet" aria-labelledby="rules-heading">
            <h2 id="rules-heading">{words.rules}</h2>
            <form novalidate data-test="rules-form" on:submit=save>
                {cards("rules-auto", words.rules_lead, choices.into(), auto_name(start.auto), move |chosen| {
                    form.update(|form| form.auto = auto_named(chosen));
                })}
                <div class="row">
                    {lead(&named("rules-valid", "validFor", words.valid, ""), &start.valid,
                        move |text| form.update(|form| form.valid.count = text),
                        move |span| form.update(|form| form.valid.span = span))}
                    {line(&named("rules-per-hour", "perHour", words.per_hour, words.per_hour_hint), number, start.per_hour.clone(),
                        move |text| form.update(|form| form.per_hour = text))}
                    {line(&named("rules-concession", "concession", words.concession, words.concession_hint), number, start.concession.clone(),
                        move |text| form.update(|form| form.concession = text))}
                    {line(&named("rules-min-trust", "minTrust", words.min_trust, words.min_trust_hint), number, start.min_trust.clone(),
                        move |text| form.update(|form| form.min_trust = text))}
                </div>
                {area(&named("rules-payment", "payment", words.payment, words.payment_hint), 2, start.payment,
                    move |text| form.update(|form| form.payment = text))}
                {escrow::takes(form, faults)}
                {arbiter::takes(form)}
                {form_fault(faults, &["validFor", "perHour", "concession", "minTrust", "payment", "keepers"])}
                <button type="submit" class="secondary" data-test="rules-save" disabled=move || busy.get()>{w().all.save}</button>
            </form>
        </section>
    }
    .into_any()
}

/// The name of a way to answer in forms and tests.
pub(crate) const fn auto_name(auto: Auto) -> &'static str {
    match auto {
        Auto::Off => "off",
        Auto::Indicative => "indicative",
        Auto::Firm => "firm",
    }
}

/// The way to answer of this name.
pub(crate) fn auto_named(name: &str) -> Auto {
    match name {
        "firm" => Auto::Firm,
        "indicative" => Auto::Indicative,
        _ => Auto::Off,
    }
}

fn profile() -> AnyView {
    let desk = desk();
    let words = &w().stall;
    let trader = move || {
        desk.board.with(|board| {
            board
                .stall()
                .map(|stall| person(&stall.trader, "my-trader"))
        })
    };
    view! {
        <section class="private card" aria-labelledby="profile-heading">
            {private_mark(words.profile_lead)}
            <h2 id="profile-heading">{words.profile}</h2>
            {profile_form(w().all.save, "secondary on-private", move |_| desk.note(w().stall.saved))}
            <div class="recognise">
                <p class="quiet-text">{words.trader}</p>
                {trader}
                <p class="hint">{words.trader_hint}</p>
            </div>
        </section>
    }
    .into_any()
}

/// Edits who I am, and saves it; `done` is told what it has become.
pub(crate) fn profile_form(
    button: &'static str,
    class: &'static str,
    done: impl Fn(crate::node::Profile) + Clone + 'static,
) -> AnyView {
    let desk = desk();
    let words = &w().stall;
    let start = untrack(|| ProfileForm::from_profile(&desk.profile()));
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
    let save = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        match form.with_untracked(ProfileForm::read) {
            Ok(profile) => {
                let done = done.clone();
                let told = profile.clone();
                let work = async move { desk.command(Command::SetProfile(profile)).await };
                carry_out(busy, faults, work, move |_: Reply| done(told));
            }
            Err(flaws) => show_flaws(faults, flaws),
        }
    };
    let fill = |fill, kind| Line {
        fill,
        kind,
        ..Line::default()
    };
    view! {
        <form novalidate data-test="profile-form" on:submit=save>
            {line(&named("profile-name", "name", words.name, ""), fill("name", ""), start.name.clone(),
                move |text| form.update(|form| form.name = text))}
            <div class="row">
                {line(&named("profile-phone", "ways", words.phone, ""), fill("tel", "tel"), start.phone.clone(),
                    move |text| form.update(|form| form.phone = text))}
                {line(&named("profile-email", "email", words.email, ""), fill("email", "email"), start.email.clone(),
                    move |text| form.update(|form| form.email = text))}
            </div>
            {area(&named("profile-address", "address", words.address, ""), 3, start.address.clone(),
                move |text| form.update(|form| form.address = text))}
            {area(&named("profile-instructions", "instructions", words.instructions, words.instructions_hint), 2, start.instructions,
                move |text| form.update(|form| form.instructions = text))}
            {form_fault(faults, &["name", "ways", "address", "instructions"])}
            <button type="submit" class=class data-test="profile-save" disabled=move || busy.get()>{button}</button>
        </form>
    }
    .into_any()
}
