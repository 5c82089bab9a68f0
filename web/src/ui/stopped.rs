//! When the page cannot start or go on: what happened, what is safe, what to do.

use leptos::prelude::*;

use crate::app::{Stage, desk, w};
use crate::board::Stopped;
use crate::browser;
use crate::ui::parts::{Icon, icon};
use crate::ui::{profiles, safe};

/// The screen that stands in place of the others, if the page cannot run.
pub(crate) fn instead(stage: &Stage) -> Option<AnyView> {
    match stage {
        Stage::Opening | Stage::Running => None,
        Stage::Busy => Some(busy()),
        Stage::Failed { code, sentence } => Some(failed(code, sentence)),
    }
}

/// The profile is open elsewhere.
fn busy() -> AnyView {
    let desk = desk();
    let words = &w().stop;
    let profile = desk.route.with_untracked(|route| route.profile.clone());
    let told = if profile.is_empty() {
        words.busy_you.to_owned()
    } else {
        (words.busy)(&profile)
    };
    view! {
        <section class="stop" data-test="profile-busy" role="alert">
            <span class="empty-icon">{icon(Icon::Person)}</span>
            <h1>{words.busy_heading}</h1>
            <p>{told}</p>
            <button type="button" class="primary" data-test="busy-take-over" on:click=move |_| desk.take_over()>{words.busy_take}</button>
            <p class="hint">{words.busy_take_hint}</p>
            <h2>{words.busy_other}</h2>
            {profiles::other("button secondary")}
        </section>
    }
    .into_any()
}

/// The store or the peer cannot start.
fn failed(code: &str, sentence: &str) -> AnyView {
    let words = &w().stop;
    view! {
        <section class="stop" data-test="stopped" data-code=code.to_owned() role="alert">
            <span class="empty-icon">{icon(Icon::Cross)}</span>
            <h1>{words.storage_heading}</h1>
            <p>{told(code, sentence)}</p>
            <button type="button" class="primary" on:click=|_| browser::reload()>{words.reload}</button>
            <p class="hint">{(words.code)(code)}</p>
            {matches!(code, "store-damaged" | "records-damaged").then(safe::back)}
        </section>
    }
    .into_any()
}

/// The sentence of the language that is set, or else the peer's own.
fn told(code: &str, sentence: &str) -> String {
    (w().stop.storage)(code).map_or_else(|| sentence.to_owned(), ToOwned::to_owned)
}

/// The line above everything when the peer has ended while the page is open: what is shown stays readable.
pub(crate) fn banner(stopped: &Stopped) -> AnyView {
    let words = &w().stop;
    view! {
        <div class="banner stopped" role="alert" data-test="stopped" data-code=stopped.code.clone()>
            <div>
                <p><strong>{words.stopped_heading}</strong></p>
                <p>{told(&stopped.code, &stopped.sentence)} " " {words.stopped_safe}</p>
                <p class="hint">{(words.code)(&stopped.code)}</p>
            </div>
            <button type="button" class="primary" on:click=|_| browser::reload()>{words.reload}</button>
        </div>
    }
    .into_any()
}
