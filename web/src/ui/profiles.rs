//! Who I am in this window. Each name has its own keys and storage, so that one person can try both sides.

use leptos::prelude::*;

use crate::app::{desk, profiles, w};
use crate::browser;
use crate::route::{Route, Screen, profile_name};
use crate::ui::parts::{Icon, dialog, icon, typed};

/// What a profile is called on screen.
pub(crate) fn called(profile: &str) -> String {
    if profile.is_empty() {
        w().who.nameless.to_owned()
    } else {
        profile.to_owned()
    }
}

/// The chip in the header.
pub(crate) fn chip(open: RwSignal<bool>) -> AnyView {
    let desk = desk();
    let profile = move || desk.route.with(|route| route.profile.clone());
    view! {
        <button type="button" class="chip" data-test="profile-chip" aria-haspopup="dialog"
            aria-label=move || (w().who.you)(&called(&profile())) on:click=move |_| open.set(true)>
            {icon(Icon::Person)}
            <span class="chip-text">{move || called(&profile())}</span>
        </button>
    }
    .into_any()
}

/// A link to this page as somebody else, on the market: that is where the other side begins.
fn link(profile: &str) -> String {
    let route = Route {
        profile: profile.to_owned(),
        screen: Screen::Market,
        relay: None,
    };
    format!("{}{}", browser::page_address(), route.hash())
}

/// The dialog behind the chip.
pub(crate) fn details(open: RwSignal<bool>) -> AnyView {
    dialog(
        open,
        "profile-dialog",
        || w().who.heading.to_owned(),
        "",
        || {
            let desk = desk();
            let words = &w().who;
            let current = desk.route.with_untracked(|route| route.profile.clone());
            view! {
                <p>{words.lead}</p>
                <h3>{words.list}</h3>
                {list(&current)}
                <section class="try-both">
                    <h3>{words.try_both}</h3>
                    <p class="hint">{words.try_lead}</p>
                    {other("button primary")}
                </section>
            }
            .into_any()
        },
    )
}

/// Everybody who was used in this browser, each a link to a window of its own.
fn list(current: &str) -> AnyView {
    let words = &w().who;
    let mut names = profiles();
    if !names.iter().any(|name| name == current) {
        names.insert(0, current.to_owned());
    }
    let rows = names.into_iter().map(|name| {
        let here = name == current;
        let shown = called(&name);
        if here {
            view! { <li><span class="person">{icon(Icon::Person)}{shown}</span> <span class="badge">{words.here}</span></li> }.into_any()
        } else {
            view! {
                <li><a href=link(&name) target="_blank" rel="noopener" data-test="profile-link">
                    {icon(Icon::Person)} {shown}
                </a></li>
            }
            .into_any()
        }
    });
    view! { <ul class="profiles">{rows.collect_view()}</ul> }.into_any()
}

/// Opens a window as somebody else.
pub(crate) fn other(class: &'static str) -> AnyView {
    let words = &w().who;
    let name = RwSignal::new("Ben".to_owned());
    let href = move || link(&profile_name(&name.get()));
    view! {
        <div class="pair">
            <input type="text" aria-label=words.name data-test="profile-name-new" autocomplete="off"
                prop:value="Ben" on:input=move |event| name.set(typed(&event)) />
            <a class=class href=href target="_blank" rel="noopener" data-test="profile-open">
                {words.open} {icon(Icon::Arrow)}
            </a>
        </div>
    }
    .into_any()
}
