//! The stall as a list: written out to a file, and read from one, with every mistake told before anything changes.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::{Desk, desk, w};
use crate::browser;
use crate::forms::Faults;
use crate::forms::list::Plan;
use crate::node::{Command, Item, Mistakes, Reply, sheet};
use crate::ui::parts::{Field, Icon, carry_out, dialog, field, form_fault, icon};

/// What became of the file that was chosen.
#[derive(Clone)]
enum Read {
    Nothing,
    Working,
    Unreadable,
    Wrong(Mistakes),
    Found(Plan),
}

/// The dialog.
pub(crate) fn details(open: RwSignal<bool>) -> AnyView {
    dialog(
        open,
        "list-dialog",
        || w().list.heading.to_owned(),
        "wide-dialog",
        move || {
            view! {
                <p class="hint">{w().list.lead}</p>
                {export()}
                {import(open)}
            }
            .into_any()
        },
    )
}

/// What is in the stall now; `desk` is handed in, because events come from outside the page's parts.
fn stall_items(desk: Desk) -> Vec<Item> {
    desk.board.with_untracked(|board| {
        let stall = board.stall();
        stall.map(|stall| stall.items.clone()).unwrap_or_default()
    })
}

fn export() -> AnyView {
    let desk = desk();
    let words = &w().list;
    let lead = move || {
        let count = desk.board.with(|board| {
            let items = board.stall().map_or(0, |stall| stall.items.len());
            u64::try_from(items).unwrap_or(u64::MAX)
        });
        (w().list.export_lead)(count)
    };
    let save = move |text: String, ending: &str| {
        let day = browser::day(browser::now());
        let name = format!("haggle-stall-{day}.{ending}");
        browser::download(&name, text.as_bytes());
        desk.note(&(w().list.saved)(&name));
    };
    // Spreadsheets take a table for UTF-8 only if it begins with the mark.
    let csv = move |_| match sheet::csv(&stall_items(desk)) {
        Ok(table) => save(format!("\u{feff}{table}"), "csv"),
        Err(_) => desk.note(w().list.too_wide),
    };
    let json = move |_| save(sheet::json(&stall_items(desk)), "json");
    view! {
        <section data-test="list-export">
            <h3>{words.export}</h3>
            <p class="hint">{lead}</p>
            <div class="card-actions">
                <button type="button" class="secondary" data-test="list-csv" on:click=csv>{words.csv}</button>
                <button type="button" class="secondary" data-test="list-json" on:click=json>{words.json}</button>
            </div>
        </section>
    }
    .into_any()
}

fn import(open: RwSignal<bool>) -> AnyView {
    let desk = desk();
    let words = &w().list;
    let read = RwSignal::new(Read::Nothing);
    let pick = Field {
        id: "list-file",
        label: words.file,
        hint: "",
        name: "file",
        faults: RwSignal::new(Faults::default()),
    };
    let chosen = move |event| {
        let Some(file) = browser::file_of(&event) else {
            read.set(Read::Nothing);
            return;
        };
        read.set(Read::Working);
        spawn_local(async move {
            // A long list holds the page up for a moment: first it shows that it works.
            browser::wait(40).await;
            let found = match browser::bytes_of(&file).await {
                None => Read::Unreadable,
                Some(bytes) => match sheet::read(&bytes) {
                    Ok(items) => Read::Found(Plan::of(items, &stall_items(desk))),
                    Err(mistakes) => Read::Wrong(mistakes),
                },
            };
            desk.say(&tell(&found));
            let _ = read.try_set(found);
        });
    };
    let control = view! {
        <input type="file" id="list-file" data-test="list-file" accept=".csv,.tsv,.txt,.json,text/csv,application/json" on:change=chosen />
    };
    view! {
        <section data-test="list-import">
            <h3>{words.import}</h3>
            <p class="hint">{words.import_lead}</p>
            {field(&pick, control.into_any())}
            {move || outcome(read, open)}
        </section>
    }
    .into_any()
}

/// In one sentence.
fn tell(read: &Read) -> String {
    let words = &w().list;
    match read {
        Read::Nothing => String::new(),
        Read::Working => w().all.working.to_owned(),
        Read::Unreadable => words.unread.to_owned(),
        Read::Wrong(mistakes) => {
            let count = mistakes.told.len().saturating_add(mistakes.more);
            (words.wrong)(u64::try_from(count).unwrap_or(u64::MAX))
        }
        Read::Found(plan) if plan.put.is_empty() => words.nothing_to_do.to_owned(),
        Read::Found(plan) => (words.found)(plan.counts),
    }
}

fn outcome(read: RwSignal<Read>, open: RwSignal<bool>) -> AnyView {
    let found = read.get();
    let told = tell(&found);
    match found {
        Read::Nothing => ().into_any(),
        Read::Working => view! { <p class="waiting">{told}</p> }.into_any(),
        Read::Unreadable => view! { <p class="fault" data-test="list-wrong">{told}</p> }.into_any(),
        Read::Wrong(mistakes) => wrong(told, &mistakes),
        Read::Found(plan) if plan.put.is_empty() => {
            view! { <p class="safe-state" data-test="list-same">{icon(Icon::Check)} {told}</p> }
                .into_any()
        }
        Read::Found(plan) => put(told, plan, open),
    }
}

fn wrong(told: String, mistakes: &Mistakes) -> AnyView {
    let words = &w().list;
    let rows = mistakes.told.iter().map(|mistake| {
        let line = (mistake.line > 0).then(|| (words.line)(mistake.line));
        let column = (!mistake.column.is_empty()).then(|| mistake.column.clone());
        let place: Vec<String> = line.into_iter().chain(column).collect();
        let place = (!place.is_empty()).then(|| {
            let place = place.join(", ");
            view! { <b>{place}": "</b> }
        });
        view! { <li data-code=mistake.fault.code().to_owned()>{place}{(words.fault)(&mistake.fault)}</li> }
    });
    let more = (mistakes.more > 0).then(|| {
        let more = (words.more)(u64::try_from(mistakes.more).unwrap_or(u64::MAX));
        view! { <li>{more}</li> }
    });
    view! {
        <p class="fault" data-test="list-wrong">{told}</p>
        <ul class="mistakes" data-test="list-mistakes" tabindex="0">{rows.collect_view()}{more}</ul>
    }
    .into_any()
}

fn put(told: String, plan: Plan, open: RwSignal<bool>) -> AnyView {
    let desk = desk();
    let busy = RwSignal::new(false);
    let faults = RwSignal::new(Faults::default());
    let count = u64::try_from(plan.put.len()).unwrap_or(u64::MAX);
    let items = StoredValue::new(plan.put);
    let go = move |_| {
        let work = async move { desk.command(Command::PutItems(items.get_value())).await };
        carry_out(busy, faults, work, move |_: Reply| {
            desk.note(&(w().list.put_done)(count));
            open.set(false);
        });
    };
    view! {
        <div class="found" data-test="list-found">
            <p>{icon(Icon::Check)} {told}</p>
            {form_fault(faults, &[])}
            <button type="button" class="primary" data-test="list-put" disabled=move || busy.get() on:click=go>{(w().list.put)(count)}</button>
        </div>
    }
    .into_any()
}
