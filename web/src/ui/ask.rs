//! Asking out loud: the form on one side, and on the other what everyone will see and what stays private, as it is typed.

use haggle_protocol::intent::Delivery;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::{desk, lang, w};
use crate::browser;
use crate::categories;
use crate::forms::Faults;
use crate::forms::ask::{AskForm, FIELDS, OPEN_CHOICES, QUOTES_CHOICES, Say};
use crate::node::{Command, Draft, Preview, Reply, Taste};
use crate::route::Screen;
use crate::ui::category::{Categorised, category};
use crate::ui::connection::hide;
use crate::ui::format;
use crate::ui::parts::{
    Card, Field, Icon, Line, Properties, area, cards, carry_out, choose, cities, currencies,
    form_fault, heading, icon, line, properties, quantities, recheck, select, show_flaws,
};
use crate::ui::slip::{loud_mark, private_mark, slip};
use crate::words::duration;

/// How long nothing is typed before the preview is made anew, in milliseconds.
const PAUSE_MS: i32 = 180;

/// What the screen holds while it is shown.
#[derive(Clone, Copy)]
struct Asking {
    form: RwSignal<AskForm>,
    faults: RwSignal<Faults>,
    busy: RwSignal<bool>,
    preview: RwSignal<Option<Preview>>,
}

/// The screen.
pub(crate) fn screen() -> AnyView {
    let desk = desk();
    let asking = Asking {
        form: desk.ask,
        faults: RwSignal::new(Faults::default()),
        busy: RwSignal::new(false),
        preview: RwSignal::new(None),
    };
    keep_preview(asking);
    recheck(asking.form, asking.faults, |form| {
        read(form).err().unwrap_or_default()
    });
    let words = &w().ask;
    view! {
        <div class="ask">
            {heading(words.heading, words.lead)}
            <form class="ask-form" id="ask-form" novalidate data-test="publish-form"
                on:submit=move |event| {
                    event.prevent_default();
                    publish(asking);
                }>
                {first(asking)}
                {more(asking)}
            </form>
            {preview(asking)}
        </div>
    }
    .into_any()
}

fn read(form: &AskForm) -> Result<Draft, Vec<crate::forms::Flaw>> {
    let by = browser::end_of_day(&form.needed_by);
    form.read(browser::now(), by, lang().tag())
}

/// Makes the preview whenever the form has rested for a moment.
fn keep_preview(asking: Asking) {
    let desk = desk();
    let turn = StoredValue::new(0u64);
    Effect::new(move |_| {
        let form = asking.form.get();
        desk.stage.track();
        let mine = turn.get_value() + 1;
        turn.set_value(mine);
        browser::later(PAUSE_MS, move || {
            // The screen may be gone, or more was typed.
            if turn.try_get_value() != Some(mine) {
                return;
            }
            let Ok(draft) = read(&form) else {
                asking.preview.set(None);
                return;
            };
            spawn_local(async move {
                let made = desk.preview(draft).await.ok();
                if turn.try_get_value() == Some(mine) {
                    asking.preview.set(made);
                }
            });
        });
    });
}

fn publish(asking: Asking) {
    let desk = desk();
    let form = asking.form.get_untracked();
    let draft = match read(&form) {
        Ok(draft) => draft,
        Err(flaws) => {
            show_flaws(asking.faults, flaws);
            return;
        }
    };
    let work = async move { desk.command(Command::Publish(Box::new(draft))).await };
    carry_out(asking.busy, asking.faults, work, move |reply: Reply| {
        if let Reply::Published(_) = reply {
            desk.ask.update(|form| *form = AskForm::after(form));
            desk.note(w().ask.published);
            desk.go(Screen::Requests);
        }
    });
}

impl Asking {
    fn field(
        self,
        id: &'static str,
        name: &'static str,
        label: &'static str,
        hint: &'static str,
    ) -> Field {
        let faults = self.faults;
        Field {
            id,
            label,
            hint,
            name,
            faults,
        }
    }

    fn start<T>(self, read: impl Fn(&AskForm) -> T) -> T {
        self.form.with_untracked(read)
    }

    fn set(self, change: impl FnOnce(&mut AskForm)) {
        self.form.update(change);
    }
}

/// The few things that are enough to be answered.
fn first(asking: Asking) -> AnyView {
    let words = &w().ask;
    let what = Line {
        example: words.what_example,
        ..Line::default()
    };
    let number = Line {
        mode: "decimal",
        narrow: true,
        ..Line::default()
    };
    let title = asking.field("title", "title", words.what, words.what_hint);
    let quantity = asking.field("quantity", "quantity", words.how_much, "");
    let unit = asking.field("unit", "unit", words.unit, "");
    let limit = asking.field("limit", "limit", words.limit, words.limit_hint);
    let currency = asking.field("currency", "budget", words.currency, "");
    let unit_start = asking.start(|form| form.unit.clone());
    let currency_start = asking.start(|form| form.currency.clone());
    view! {
        <section class="sheet">
            <div class="big">
                {line(&title, what, asking.start(|form| form.title.clone()), move |text| {
                    asking.set(|form| {
                        if !form.category_chosen {
                            form.category = categories::suggest(&text).0;
                        }
                        form.title = text;
                    });
                })}
            </div>
            {category(Categorised {
                id: "category",
                faults: asking.faults,
                form: asking.form,
                read: |form: &AskForm| (&form.title, form.category),
                choose: |form, code| {
                    form.category = code;
                    form.category_chosen = true;
                },
            })}
            <div class="row">
                {line(&quantity, number, asking.start(|form| form.quantity.clone()),
                    move |text| asking.set(|form| form.quantity = text))}
                {choose(&unit, quantities(&unit_start), &unit_start,
                    move |code| asking.set(|form| form.unit = code))}
            </div>
            <div class="row private-row">
                {line(&limit, number, asking.start(|form| form.limit.clone()),
                    move |text| asking.set(|form| form.limit = text))}
                {choose(&currency, currencies(&currency_start), &currency_start,
                    move |code| asking.set(|form| form.currency = code))}
            </div>
            {say_of_money(asking)}
        </section>
    }
    .into_any()
}

fn say_of_money(asking: Asking) -> AnyView {
    let words = &w().ask;
    let all = [Say::Nothing, Say::Roughly, Say::All];
    let name = |say| match say {
        Say::Nothing => "nothing",
        Say::Roughly => "roughly",
        Say::All => "all",
    };
    let choices = all.map(|say| Card {
        value: name(say),
        title: (words.say)(say).to_owned(),
        means: (words.say_hint)(say).to_owned(),
    });
    let start = name(asking.start(|form| form.say));
    cards(
        "budget",
        words.say_heading,
        choices.into(),
        start,
        move |chosen| {
            asking.set(|form| {
                form.say = all
                    .into_iter()
                    .find(|say| name(*say) == chosen)
                    .unwrap_or_default();
            });
        },
    )
}

/// What can be said besides, folded away until it is wanted.
fn more(asking: Asking) -> AnyView {
    let words = &w().ask;
    let wishes = Properties {
        test: "wish",
        wishes: true,
        form: asking.form,
        rows: |form: &mut AskForm| &mut form.wishes,
    };
    let details = asking.field("details", "details", words.details, words.details_hint);
    let open = |has: bool| has.then_some("");
    view! {
        <details class="sheet fold" data-test="fold-wishes" open=open(asking.start(|form| !form.wishes.is_empty()))>
            <summary>{words.wishes}</summary>
            <p class="hint">{words.wishes_hint}</p>
            {properties(wishes)}
            {crate::ui::parts::fault_line("wishes", asking.faults, "wishes")}
        </details>
        <details class="sheet fold" data-test="fold-delivery" open=open(asking.start(|form| !form.place.is_empty()))>
            <summary>{words.delivery_heading}</summary>
            {where_and_how(asking)}
        </details>
        <details class="sheet fold" data-test="fold-when">
            <summary>{words.when}</summary>
            {when(asking)}
        </details>
        <details class="sheet fold" data-test="fold-details" open=open(asking.start(|form| !form.details.is_empty()))>
            <summary>{words.more_heading}</summary>
            {area(&details, 4, asking.start(|form| form.details.clone()),
                move |text| asking.set(|form| form.details = text))}
            {taste(asking)}
        </details>
        <datalist id="known-properties">
            {categories::properties(lang()).into_iter().map(|name| view! { <option value=name></option> }).collect_view()}
        </datalist>
    }
    .into_any()
}

fn where_and_how(asking: Asking) -> AnyView {
    let words = &w().ask;
    let ways = Delivery::ALL.map(|way| {
        let chosen = asking.start(|form| form.deliveries.contains(&way));
        view! {
            <label class="chip-choice">
                <input type="checkbox" prop:checked=chosen data-test=format!("delivery-{}", way_name(way))
                    on:change=move |event| {
                        let on = event_target_checked(&event);
                        asking.set(|form| {
                            form.deliveries.retain(|known| *known != way);
                            if on {
                                form.deliveries.push(way);
                            }
                        });
                    } />
                <span>{(w().word.delivery)(way)}</span>
            </label>
        }
    });
    let place = asking.field("place", "places", words.place, words.place_hint);
    let to = asking.field("place-to", "places", words.place_to, "");
    let travels = move || {
        asking
            .form
            .with(|form| form.deliveries.contains(&Delivery::Transport))
    };
    view! {
        <fieldset class="choice">
            <legend>{words.delivery}</legend>
            <div class="chip-choices">{ways.collect_view()}</div>
            {crate::ui::parts::fault_line("deliveries", asking.faults, "deliveries")}
        </fieldset>
        <div class="row">
            {choose(&place, cities(), &asking.start(|form| form.place.clone()),
                move |city| asking.set(|form| form.place = city))}
            <div class:hidden=move || !travels()>
                {choose(&to, cities(), &asking.start(|form| form.place_to.clone()),
                    move |city| asking.set(|form| form.place_to = city))}
            </div>
        </div>
    }
    .into_any()
}

/// The name of a way of delivery in forms and tests.
pub(crate) const fn way_name(way: Delivery) -> &'static str {
    match way {
        Delivery::Pickup => "pickup",
        Delivery::Shipping => "shipping",
        Delivery::OnSite => "on-site",
        Delivery::Digital => "digital",
        Delivery::Transport => "transport",
    }
}

fn when(asking: Asking) -> AnyView {
    let words = &w().ask;
    let spans = |all: &[u64]| {
        let named = |seconds: &u64| {
            let name = match seconds {
                0 => words.quotes_as_long.to_owned(),
                _ => duration(w(), *seconds),
            };
            (seconds.to_string(), name)
        };
        all.iter().map(named).collect::<Vec<_>>()
    };
    let by = asking.field("needed-by", "window", words.by, words.by_hint);
    let open_for = asking.field("open-for", "openFor", words.open_for, "");
    let quotes_for = asking.field("quotes-for", "quotesFor", words.quotes_for, "");
    let date = Line {
        kind: "date",
        ..Line::default()
    };
    view! {
        <div class="row">
            {line(&by, date, asking.start(|form| form.needed_by.clone()),
                move |text| asking.set(|form| form.needed_by = text))}
            {choose(&open_for, spans(&OPEN_CHOICES), &asking.start(|form| form.open_for.to_string()),
                move |text| asking.set(|form| form.open_for = text.parse().unwrap_or(form.open_for)))}
            {choose(&quotes_for, spans(&QUOTES_CHOICES), &asking.start(|form| form.quotes_for.to_string()),
                move |text| asking.set(|form| form.quotes_for = text.parse().unwrap_or(0)))}
        </div>
    }
    .into_any()
}

fn taste(asking: Asking) -> AnyView {
    let words = &w().ask;
    let all = [
        Taste::Balanced,
        Taste::Cheapest,
        Taste::Fastest,
        Taste::Best,
    ];
    let name = |taste| match taste {
        Taste::Balanced => "balanced",
        Taste::Cheapest => "cheapest",
        Taste::Fastest => "fastest",
        Taste::Best => "best",
    };
    let choices = all.map(|taste| (name(taste).to_owned(), (words.taste_of)(taste).to_owned()));
    let start = name(asking.start(|form| form.taste));
    let set = move |chosen: String| {
        asking.set(|form| {
            form.taste = all
                .into_iter()
                .find(|taste| name(*taste) == chosen)
                .unwrap_or_default();
        });
    };
    view! {
        <div class="field">
            <label for="taste">{words.taste}</label>
            {select("taste".into(), "taste", "", choices.into(), start, set)}
        </div>
    }
    .into_any()
}

/// What everyone will see, what stays private, what is good to know, and the one button.
fn preview(asking: Asking) -> AnyView {
    let words = &w().ask;
    let desk = desk();
    let opening = move || {
        desk.stage
            .with(|stage| *stage != crate::app::Stage::Running)
    };
    let flaws = move || {
        asking.faults.with(|faults| {
            let count = u64::try_from(faults.flaws.len()).unwrap_or(0);
            (count > 0).then(|| (words.flaws)(count))
        })
    };
    view! {
        <aside class="ask-preview" aria-label=words.preview>
            <section class="loud card" data-test="preview-public">
                {loud_mark(w().all.everyone_sees)}
                {move || {
                    let shown = asking.preview.get();
                    match shown {
                        Some(preview) => slip(&preview.public, desk.now.get_untracked()),
                        None => sketch(asking),
                    }
                }}
                <p class="hint slip-hint">{words.public_hint}</p>
            </section>
            <section class="private card" data-test="preview-private">
                {private_mark(w().all.only_you)}
                {move || private_list(asking)}
                <p class="quiet-text">{words.sellers_answer}</p>
            </section>
            {move || warnings(asking)}
            {hide()}
            {form_fault(asking.faults, &FIELDS)}
            <p class="fault" role="status">{flaws}</p>
            <button type="submit" form="ask-form" class="primary loud-button" data-test="publish"
                disabled=move || asking.busy.get() || opening()>
                {icon(Icon::Loud)}
                <span>{move || if asking.busy.get() { words.publishing } else { words.publish }}</span>
            </button>
            <p class="hint" role="status">{move || opening().then_some(w().stop.opening)}</p>
        </aside>
    }
    .into_any()
}

/// The slip while it is not whole yet.
fn sketch(asking: Asking) -> AnyView {
    let title = asking.form.with(|form| form.title.trim().to_owned());
    let empty = title.is_empty();
    view! {
        {(!empty).then(|| view! { <h2 class="slip-title">{title}</h2> })}
        <p class="slip-empty">{w().ask.preview_empty}</p>
    }
    .into_any()
}

fn private_list(asking: Asking) -> AnyView {
    let words = &w().ask;
    let codes = asking.preview.with(|preview| match preview {
        Some(preview) => preview.private.clone(),
        None => ["name", "address"].map(ToOwned::to_owned).to_vec(),
    });
    let limit = asking.preview.with(|preview| {
        // The limit itself is only in the form: the peer never hands it out again.
        preview.as_ref().and_then(|_| {
            asking
                .form
                .with(|form| read(form).ok())
                .and_then(|draft| draft.limit)
        })
    });
    let mut lines: Vec<String> = Vec::new();
    lines.extend(limit.map(|limit| (words.limit_of)(&format::money(limit))));
    for code in &codes {
        // Where the limit is named, what would be paid is told already.
        if limit.is_some() && (code == "limit" || code == "budget") {
            continue;
        }
        lines.extend((words.private_of)(code).map(ToOwned::to_owned));
    }
    lines.extend((words.private_of)("quotes").map(ToOwned::to_owned));
    let lines = lines
        .into_iter()
        .map(|line| view! { <li>{icon(Icon::Check)}<span>{line}</span></li> });
    view! { <ul class="private-list">{lines.collect_view()}</ul> }.into_any()
}

fn warnings(asking: Asking) -> Option<AnyView> {
    let codes = asking
        .preview
        .with(|preview| preview.as_ref().map(|preview| preview.warnings.clone()))?;
    let sentences: Vec<_> = codes
        .iter()
        .filter_map(|code| (w().ask.warning_of)(code))
        .collect();
    (!sentences.is_empty()).then(|| {
        let lines = sentences
            .into_iter()
            .map(|line| view! { <li>{line}</li> })
            .collect_view();
        view! {
            <details class="warnings" data-test="preview-warnings" open="">
                <summary>{w().ask.warnings}</summary>
                <ul>{lines}</ul>
            </details>
        }
        .into_any()
    })
}
