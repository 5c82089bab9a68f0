//! What survives the loss of this device: the words on paper, a backup file, coming back with either, and erasing it all.
//! Each can be rehearsed: words are asked for, a file is opened and told of before anything is replaced.

use core::cell::RefCell;
use std::rc::Rc;

use haggle_protocol::Timestamp;
use haggle_protocol::phrase::Phrase;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::{Back, Desk, desk, sentence, w};
use crate::board::Board;
use crate::browser;
use crate::forms::Faults;
use crate::forms::safe::{asked, is_word};
use crate::node::{Backup, BackupError, Complaint, Secret, open_backup};
use crate::ui::format;
use crate::ui::parts::{
    Field, Icon, Line, carry_out, dialog, field, form_fault, icon, line, tick, typed,
};

/// The dialog.
pub(crate) fn details() -> AnyView {
    dialog(
        desk().safe_open,
        "safe-dialog",
        || w().safe.heading.to_owned(),
        "wide-dialog",
        || {
            desk().look_at_safe();
            view! {
                <p class="hint">{w().safe.lead}</p>
                {stays()}
                {words()}
                {file()}
                {back()}
                {erase()}
            }
            .into_any()
        },
    )
}

/// What stands in the dialog before a first order, as long as nothing would survive.
pub(crate) fn reminder(close: impl Fn() + Copy + Send + Sync + 'static) -> AnyView {
    let desk = desk();
    desk.look_at_safe();
    let missing = move || {
        desk.safe
            .with(|safe| safe.is_some_and(|safe| safe.phrase.is_none() && safe.file.is_none()))
    };
    let sentence = move || {
        if missing() {
            w().safe.reminder
        } else {
            w().safe.file_stale
        }
    };
    view! {
        <Show when=move || missing() || is_stale(desk)>
            <div class="reminder" data-test="safe-reminder">
                <p>{sentence}</p>
                <button type="button" class="secondary on-private small" data-test="safe-now"
                    on:click=move |_| { close(); desk.safe_open.set(true); }>{w().safe.reminder_do}</button>
            </div>
        </Show>
    }
    .into_any()
}

/// Whether there is a file, and an order that is not in it.
fn is_stale(desk: Desk) -> bool {
    let saved = desk.safe.with(|safe| safe.and_then(|safe| safe.file));
    let newest = desk.board.with(Board::newest_order);
    matches!((saved, newest), (Some(saved), Some(newest)) if newest > saved)
}

/// Whether the browser keeps what is here, or may throw it away.
fn stays() -> AnyView {
    let desk = desk();
    let told = move || {
        desk.stays.get().map(|stays| {
            let words = &w().safe;
            if stays {
                view! { <p class="safe-state" data-test="storage-stays">{icon(Icon::Check)} {words.stays}</p> }.into_any()
            } else {
                view! { <p class="hint" data-test="storage-may-go">{words.may_go}</p> }.into_any()
            }
        })
    };
    view! { {told} }.into_any()
}

/// Since when, or that it is not.
fn state(
    of: impl Fn() -> Option<Timestamp> + Send + Sync + 'static,
    test: &'static str,
) -> AnyView {
    let known = move || {
        let words = &w().safe;
        of().map_or_else(
            || view! { <p class="fault" data-test=test data-safe="no">{words.never}</p> }.into_any(),
            |at| {
                let told = (words.since)(&format::time(at));
                view! { <p class="safe-state" data-test=test data-safe="yes">{icon(Icon::Check)} {told}</p> }.into_any()
            },
        )
    };
    view! { {known} }.into_any()
}

/// How far the words are.
#[derive(Clone, PartialEq, Eq)]
enum Paper {
    Hidden,
    Shown,
    Asked(Vec<usize>),
}

/// The words, shown on wish, then asked for.
fn words() -> AnyView {
    let desk = desk();
    let paper = RwSignal::new(Paper::Hidden);
    let list = RwSignal::new(Vec::<&'static str>::new());
    let busy = RwSignal::new(false);
    let faults = RwSignal::new(Faults::default());
    let show = move |_| {
        carry_out(busy, faults, desk.phrase(), move |found| {
            list.set(found);
            paper.set(Paper::Shown);
        });
    };
    let inside = move || {
        let words = &w().safe;
        match paper.get() {
            Paper::Hidden => view! {
                <button type="button" class="secondary" data-test="words-show" disabled=move || busy.get() on:click=show>{words.words_show}</button>
            }
            .into_any(),
            Paper::Shown => {
                let rows = list.get().into_iter().map(|word| view! { <li><code>{word}</code></li> });
                view! {
                    <ol class="phrase" data-test="words">{rows.collect_view()}</ol>
                    <p class="hint">{words.words_paper}</p>
                    <button type="button" class="primary" data-test="words-written"
                        on:click=move |_| paper.set(Paper::Asked(asked(list.with(Vec::len), browser::dice())))>{words.words_written}</button>
                }
                .into_any()
            }
            Paper::Asked(places) => ask_for(places, list, paper, busy, faults),
        }
    };
    view! {
        <section data-test="safe-words">
            <h3>{w().safe.words}</h3>
            <p class="hint">{w().safe.words_lead}</p>
            {state(move || desk.safe.with(|safe| safe.and_then(|safe| safe.phrase)), "words-state")}
            {inside}
            {form_fault(faults, &[])}
        </section>
    }
    .into_any()
}

/// Asks for some of the words.
fn ask_for(
    places: Vec<usize>,
    list: RwSignal<Vec<&'static str>>,
    paper: RwSignal<Paper>,
    busy: RwSignal<bool>,
    faults: RwSignal<Faults>,
) -> AnyView {
    let desk = desk();
    let answers = RwSignal::new(vec![String::new(); places.len()]);
    let asked = places.clone();
    let check = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let right = list.with_untracked(|list| {
            answers.with_untracked(|answers| {
                let mut pairs = asked.iter().zip(answers);
                pairs.all(|(at, typed)| list.get(*at).is_some_and(|word| is_word(typed, word)))
            })
        });
        if !right {
            faults.set(Faults::said(complaint("phrase-slip", w().safe.words_wrong)));
            desk.say(w().safe.words_wrong);
            return;
        }
        carry_out(busy, faults, desk.written_down(), move |()| {
            list.set(Vec::new());
            paper.set(Paper::Hidden);
            desk.note(w().safe.words_right);
        });
    };
    let inputs = places.into_iter().enumerate().map(|(index, at)| {
        let number = u64::try_from(at + 1).unwrap_or(0);
        let label = (w().safe.word_number)(number);
        view! {
            <label class="field">{label}
                <input type="text" autocomplete="off" autocapitalize="none" spellcheck="false" data-test="word-asked" data-number=number.to_string()
                    on:input=move |event| answers.update(|answers| answers[index] = typed(&event)) />
            </label>
        }
    });
    view! {
        <form on:submit=check data-test="words-check">
            <div class="words-asked">{inputs.collect_view()}</div>
            <div class="dialog-actions">
                <button type="button" class="secondary" on:click=move |_| paper.set(Paper::Shown)>{w().all.back}</button>
                <button type="submit" class="primary" data-test="words-confirm" disabled=move || busy.get()>{w().safe.words_check}</button>
            </div>
        </form>
    }
    .into_any()
}

/// Saves a backup file.
fn file() -> AnyView {
    let desk = desk();
    let words = &w().safe;
    let passphrase = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let faults = RwSignal::new(Faults::default());
    let what = Field {
        id: "backup-passphrase",
        label: words.passphrase,
        hint: words.passphrase_hint,
        name: "passphrase",
        faults,
    };
    let how = Line {
        kind: "password",
        fill: "new-password",
        ..Line::default()
    };
    let save = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let secret = passphrase.with_untracked(|text| {
            let text = text.trim();
            (!text.is_empty()).then(|| text.to_owned())
        });
        carry_out(busy, faults, desk.backup(secret), move |bytes: Vec<u8>| {
            let day = browser::now().0;
            let name = desk.file_name(day);
            browser::download(&name, &bytes);
            desk.look_at_safe();
            desk.note(&(w().safe.file_saved)(&name));
        });
    };
    view! {
        <section data-test="safe-file">
            <h3>{words.file}</h3>
            <p class="hint">{words.file_lead}</p>
            {state(move || desk.safe.with(|safe| safe.and_then(|safe| safe.file)), "file-state")}
            <Show when=move || is_stale(desk)><p class="fault" data-test="file-stale">{w().safe.file_stale}</p></Show>
            <form novalidate on:submit=save>
                {line(&what, how, String::new(), move |text| passphrase.set(text))}
                {form_fault(faults, &["passphrase"])}
                <button type="submit" class="secondary" data-test="backup-save" disabled=move || busy.get()>
                    {move || if busy.get() { w().all.working } else { w().safe.file_save }}
                </button>
            </form>
        </section>
    }
    .into_any()
}

/// Checks a file or words, and on wish puts them in place of what is here.
pub(crate) fn back() -> AnyView {
    let desk = desk();
    let words = &w().safe;
    let chosen: Rc<RefCell<Option<web_sys::File>>> = Rc::default();
    let has_file = RwSignal::new(false);
    let secret = RwSignal::new(String::new());
    let found = StoredValue::new_local(None::<Back>);
    let told = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let faults = RwSignal::new(Faults::default());
    let pick = Field {
        id: "restore-file",
        label: words.back_file,
        hint: w().all.optional,
        name: "file",
        faults,
    };
    let what = Field {
        id: "restore-secret",
        label: words.back_secret,
        hint: words.back_secret_hint,
        name: "secret",
        faults,
    };
    let how = Line {
        kind: "password",
        ..Line::default()
    };
    let files = Rc::clone(&chosen);
    let control = view! {
        <input type="file" id="restore-file" data-test="restore-file"
            on:change=move |event| {
                let file = browser::file_of(&event);
                has_file.set(file.is_some());
                *files.borrow_mut() = file;
                told.set(None);
            } />
    };
    let check = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        told.set(None);
        let file = chosen.borrow().clone();
        let typed = secret.get_untracked();
        carry_out(
            busy,
            faults,
            async move {
                // The slow hash holds the page up for a moment: first it shows that it works.
                browser::wait(40).await;
                match file {
                    Some(file) => {
                        let bytes = browser::bytes_of(&file).await;
                        let bytes = bytes.ok_or(BackupError::Damaged)?;
                        let backup = open_backup(&bytes, &Secret::typed(&typed))?;
                        Ok(Back::File(backup))
                    }
                    None => Phrase::parse(&typed)
                        .map(Back::Phrase)
                        .map_err(|error| Complaint {
                            code: error.code().to_owned(),
                            field: Some("secret".to_owned()),
                            sentence: error.to_string(),
                        }),
                }
            },
            move |back: Back| {
                let sentence = match &back {
                    Back::File(backup) => tell(backup),
                    Back::Phrase(_) => w().safe.back_words.to_owned(),
                };
                desk.say(&sentence);
                told.set(Some(sentence));
                found.set_value(Some(back));
            },
        );
    };
    view! {
        <section data-test="safe-back">
            <h3>{words.back}</h3>
            <p class="hint">{words.back_lead}</p>
            <form novalidate on:submit=check>
                {field(&pick, control.into_any())}
                {line(&what, how, String::new(), move |text| { secret.set(text); told.set(None); })}
                {form_fault(faults, &["file", "secret"])}
                <button type="submit" class="secondary" data-test="restore-check" disabled=move || busy.get()>
                    {move || if busy.get() { w().all.working } else if has_file.get() { w().safe.back_check } else { w().safe.back_check_words }}
                </button>
            </form>
            {move || told.get().map(|told| replace(told, found))}
        </section>
    }
    .into_any()
}

/// What was found, and the last question before it takes the place of what is here.
fn replace(told: String, found: StoredValue<Option<Back>, LocalStorage>) -> AnyView {
    let desk = desk();
    let sure = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let faults = RwSignal::new(Faults::default());
    let go = move |_| {
        let Some(back) = found.try_update_value(Option::take).flatten() else {
            return;
        };
        carry_out(busy, faults, desk.come_back(back), |()| browser::reload());
    };
    view! {
        <div class="found" data-test="restore-found">
            <p>{icon(Icon::Check)} {told}</p>
            {tick("restore-sure", w().safe.back_sure, w().safe.back_once, false, move |on| sure.set(on))}
            {form_fault(faults, &[])}
            <button type="button" class="primary" data-test="restore-go" disabled=move || busy.get() || !sure.get() on:click=go>{w().safe.back_do}</button>
        </div>
    }
    .into_any()
}

fn tell(backup: &Backup) -> String {
    let summary = backup.summary();
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    (w().safe.back_found)(
        &format::time(summary.written),
        [summary.intents, summary.threads, summary.items].map(count),
    )
}

/// Erases everything of this profile.
fn erase() -> AnyView {
    let desk = desk();
    let words = &w().safe;
    let sure = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let faults = RwSignal::new(Faults::default());
    let running = move || desk.board.with(Board::trades_under_way);
    let warning = move || {
        let count = u64::try_from(running()).unwrap_or(u64::MAX);
        (count > 0).then(|| view! { <p class="fault">{(w().safe.erase_trades)(count)}</p> })
    };
    let go = move |_| {
        busy.set(true);
        spawn_local(async move {
            match desk.erase().await {
                Ok(()) => browser::reload(),
                Err(complaint) => {
                    let _ = busy.try_set(false);
                    desk.say(&sentence(&complaint));
                    let _ = faults.try_set(Faults::said(complaint));
                }
            }
        });
    };
    view! {
        <section data-test="safe-erase">
            <h3>{words.erase}</h3>
            <p class="hint">{words.erase_lead}</p>
            {warning}
            {tick("erase-sure", words.erase_sure, "", false, move |on| sure.set(on))}
            {form_fault(faults, &[])}
            <button type="button" class="secondary danger" data-test="erase-go" disabled=move || busy.get() || !sure.get() on:click=go>{words.erase_do}</button>
        </section>
    }
    .into_any()
}

fn complaint(code: &str, sentence: &str) -> Complaint {
    Complaint {
        code: code.to_owned(),
        field: None,
        sentence: sentence.to_owned(),
    }
}
