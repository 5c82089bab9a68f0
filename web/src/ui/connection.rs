//! The connection in plain words, as far as it is known: a pill in the header, and behind it the relays, how to add,
//! remove and share one, and for the curious what was refused.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::{desk, sentence, w};
use crate::browser;
use crate::forms::Faults;
use crate::node::{Link, NetworkView, Path, RelayState, RelayView};
use crate::route::relay_hash;
use crate::ui::format;
use crate::ui::parts::{Field, Icon, Line, carry_out, dialog, form_fault, icon, line, qr};
use crate::ui::requests::is_connected;

/// Being offline is told after so many seconds: shorter ones mend themselves.
const ALARM_SECONDS: u64 = 5;

/// The name of a state for tests.
const fn link_name(link: Link) -> &'static str {
    match link {
        Link::Connecting => "connecting",
        Link::Online => "online",
        Link::Offline => "offline",
    }
}

/// The pill.
pub(crate) fn pill(open: RwSignal<bool>) -> AnyView {
    let desk = desk();
    let link = Memo::new(move |_| desk.board.with(crate::board::Board::link));
    let text = move || match link.get() {
        Link::Connecting => w().link.connecting,
        Link::Online => w().link.online,
        Link::Offline => w().link.offline,
    };
    view! {
        <button type="button" class="pill" data-test="connection-pill" data-state=move || link_name(link.get())
            aria-haspopup="dialog" on:click=move |_| open.set(true)>
            <span class=move || format!("lamp {}", link_name(link.get())) aria-hidden="true"></span>
            <span>{text}</span>
        </button>
    }
    .into_any()
}

/// One calm line when the page has been offline for a while.
pub(crate) fn banner(open: RwSignal<bool>) -> AnyView {
    let desk = desk();
    let since = RwSignal::new(None);
    Effect::new(move |_| {
        let offline = desk.board.with(crate::board::Board::link) == Link::Offline;
        let known = since.get_untracked();
        if offline && known.is_none() {
            since.set(Some(desk.now.get_untracked()));
        } else if !offline && known.is_some() {
            since.set(None);
        }
    });
    let long = Memo::new(move |_| {
        since
            .get()
            .is_some_and(|since| desk.now.with(|now| now.since(since) >= ALARM_SECONDS))
    });
    view! {
        <Show when=move || long.get()>
            <div class="banner" role="status" data-test="offline-banner">
                <p><strong>{w().link.offline_banner}</strong> " " {w().link.offline_safe}</p>
                <button type="button" class="secondary small" on:click=move |_| open.set(true)>{w().link.heading}</button>
            </div>
        </Show>
    }
    .into_any()
}

/// The dialog behind the pill.
pub(crate) fn details(open: RwSignal<bool>) -> AnyView {
    dialog(
        open,
        "connection-dialog",
        || w().link.heading.to_owned(),
        "wide-dialog",
        || {
            let desk = desk();
            let network = Memo::new(move |_| desk.board.with(|board| board.network().cloned()));
            view! {
            {move || network.with(|network| network.as_ref().map(summary))}
            {hide()}
            <section>
                <h3>{w().link.relays}</h3>
                <p class="hint">{w().link.relays_lead}</p>
                {move || desk.relays_missing.get().then(|| view! { <p class="fault">{w().stop.no_relays_file}</p> })}
                {relays(network)}
                {add()}
            </section>
            {move || network.with(|network| network.as_ref().map(curious))}
        }
        .into_any()
        },
    )
}

/// The story in a few sentences.
fn summary(network: &NetworkView) -> AnyView {
    let words = &w().link;
    let connected = network
        .relays
        .iter()
        .filter(|relay| is_connected(relay.state))
        .count();
    let sum = (words.sum)(u64::try_from(connected).unwrap_or(0));
    let others = network
        .others
        .filter(|others| *others > 0)
        .map(|others| (words.others)(u64::from(others)));
    let neighbours =
        (network.neighbours > 0).then(|| (words.neighbours)(u64::from(network.neighbours)));
    let book = (words.book)(u64::from(network.book));
    // Below this the difference decides nothing that a person sees.
    let clock = network.clock_ahead.map(|ahead| {
        let difference = crate::words::duration(w(), ahead.unsigned_abs());
        view! { <p class="fault" role="status" data-test="clock-off">{(words.clock)(&difference)}</p> }
    });
    let with = |path| {
        let all = network.traders.iter().filter(|trader| trader.path == path);
        u64::try_from(all.count()).unwrap_or(0)
    };
    let told =
        |number: u64, say: fn(u64) -> String| (number > 0).then(|| format!("{} ", say(number)));
    let traders = [
        told(with(Path::Direct), words.directly),
        told(with(Path::Relayed), words.through_relay),
        told(network.private_direct, words.messages_directly),
        told(network.private_relayed, words.messages_relayed),
    ];
    let traders: String = traders.into_iter().flatten().collect();
    view! {
        <p class="connection-sum" data-test="connection-sum">{sum} " " {others}</p>
        <p class="quiet-text">{neighbours} " " {book}</p>
        <p data-test="connection-traders" data-direct=network.private_direct.to_string()
            data-relayed=network.private_relayed.to_string()>{traders}</p>
        {clock}
    }
    .into_any()
}

/// Whether the person hides the network address.
pub(crate) fn hidden() -> Memo<bool> {
    let desk = desk();
    Memo::new(move |_| {
        desk.board
            .with(|board| board.network().is_some_and(|network| network.hidden))
    })
}

/// The choice who may see the network address, which stands wherever it matters.
pub(crate) fn hide() -> AnyView {
    let desk = desk();
    let hidden = hidden();
    let possible = Memo::new(move |_| {
        desk.board
            .with(|board| board.network().is_none_or(|network| network.can_be_direct))
    });
    let change = move |event: leptos::ev::Event| {
        let hide = event_target_checked(&event);
        spawn_local(async move {
            match desk.hide(hide).await {
                Ok(()) if hide => desk.note(w().link.hidden_now),
                Ok(()) => desk.note(w().link.shown_now),
                Err(complaint) => desk.note(&sentence(&complaint)),
            }
        });
    };
    view! {
        <div class="hide-address">
            <label class="tick">
                <input type="checkbox" data-test="hide-address" prop:checked=move || hidden.get() on:change=change />
                <span>{w().link.hide} <small>{move || if possible.get() { w().link.hide_hint } else { w().link.hide_off }} " " {w().link.hide_mints}</small></span>
            </label>
        </div>
    }
    .into_any()
}

fn relays(network: Memo<Option<NetworkView>>) -> AnyView {
    let list = move || {
        network.with(|network| {
            network
                .as_ref()
                .map(|network| network.relays.clone())
                .unwrap_or_default()
        })
    };
    let none = move || {
        network.with(|network| {
            network
                .as_ref()
                .is_some_and(|network| network.relays.is_empty())
        })
    };
    view! {
        <Show when=none><p class="quiet-text">{w().link.no_relays}</p></Show>
        <ul class="relays">
            <For each=list key=|relay| relay.address.clone() children=move |relay| relay_row(relay.address, network) />
        </ul>
    }
    .into_any()
}

fn relay_row(address: String, network: Memo<Option<NetworkView>>) -> AnyView {
    let desk = desk();
    let words = &w().link;
    let shared = RwSignal::new(false);
    let known = address.clone();
    let relay = Memo::new(move |_| {
        network.with(|network| {
            let mut relays = network.as_ref()?.relays.iter();
            relays.find(|relay| relay.address == known).cloned()
        })
    });
    let (removed, link) = (
        address.clone(),
        format!("{}{}", browser::page_address(), relay_hash(&address)),
    );
    let remove = move |_| {
        let address = removed.clone();
        spawn_local(async move {
            match desk.remove_relay(address).await {
                Ok(()) => desk.note(w().link.removed),
                Err(complaint) => desk.note(&sentence(&complaint)),
            }
        });
    };
    let state = move || relay.with(|relay| relay.as_ref().map(relay_state));
    let lamp = move || {
        relay.with(|relay| match relay.as_ref().map(|relay| relay.state) {
            Some(RelayState::Connected | RelayState::Reserved) => "lamp online",
            Some(RelayState::Connecting) => "lamp connecting",
            Some(RelayState::Waiting { .. } | RelayState::Refused) | None => "lamp offline",
        })
    };
    view! {
        <li class="relay" data-test="relay">
            <div class="relay-head">
                <span class=lamp aria-hidden="true"></span>
                <div>
                    <p class="relay-host">{host(&address)}</p>
                    <p class="quiet-text" data-test="relay-state">{state}</p>
                </div>
                <button type="button" class="quiet small" data-test="relay-share" aria-expanded=move || shared.get().to_string()
                    on:click=move |_| shared.update(|shared| *shared = !*shared)>{words.share}</button>
                <button type="button" class="quiet small" data-test="relay-remove" on:click=remove>{w().all.remove}</button>
            </div>
            <Show when=move || shared.get()>{share(link.clone())}</Show>
        </li>
    }
    .into_any()
}

/// The part of a relay's address that a person knows: its name or number.
fn host(address: &str) -> String {
    let parts: Vec<_> = address.split('/').collect();
    let after = |names: &[&str]| {
        let at = parts.iter().position(|part| names.contains(part))?;
        parts.get(at + 1).copied()
    };
    let host = after(&["dns", "dns4", "dns6", "dnsaddr", "ip4", "ip6"]).unwrap_or(address);
    match after(&["tcp", "udp"]) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn relay_state(relay: &RelayView) -> String {
    let words = &w().link;
    let mut text = (words.state)(relay.state).to_owned();
    let reason = relay
        .reason
        .as_deref()
        .and_then(|code| (words.reason)(code));
    if let Some(reason) = reason {
        text = format!("{text}: {reason}");
    }
    if let RelayState::Waiting { retry_in } = relay.state {
        text = format!("{text}; {}", (words.retry)(retry_in));
    }
    text
}

/// A relay as a link and as a picture of that link.
fn share(link: String) -> AnyView {
    let desk = desk();
    let words = &w().link;
    let copied = link.clone();
    let copy = move |_| {
        let link = copied.clone();
        spawn_local(async move {
            if browser::copy(&link).await {
                desk.note(w().all.copied);
            }
        });
    };
    view! {
        <div class="share">
            <p class="hint">{words.share_lead}</p>
            <div class="pair">
                <input type="text" readonly aria-label=words.link data-test="relay-link" prop:value=link.clone() />
                <button type="button" class="secondary small" on:click=copy>{icon(Icon::Link)} {w().all.copy}</button>
            </div>
            {qr(&link, w().link.qr, "relay-qr")}
        </div>
    }
    .into_any()
}

fn add() -> AnyView {
    let desk = desk();
    let words = &w().link;
    let address = RwSignal::new(String::new());
    let faults = RwSignal::new(Faults::default());
    let busy = RwSignal::new(false);
    let what = Field {
        id: "relay-address",
        label: words.address,
        hint: words.add_hint,
        name: "address",
        faults,
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let typed = address.get_untracked().trim().to_owned();
        carry_out(
            busy,
            faults,
            async move { desk.add_relay(typed).await },
            move |()| desk.note(w().link.added),
        );
    };
    view! {
        <form class="add-relay" novalidate on:submit=submit>
            {line(&what, Line::default(), String::new(), move |text| address.set(text))}
            {form_fault(faults, &["address"])}
            <button type="submit" class="secondary" data-test="relay-add" disabled=move || busy.get()>{icon(Icon::Plus)} {words.add}</button>
        </form>
    }
    .into_any()
}

/// What only some want to know.
fn curious(network: &NetworkView) -> AnyView {
    let words = &w().link;
    // Several codes share a sentence: what a person wants to know is how often, and roughly why.
    let mut counted = std::collections::BTreeMap::new();
    for (code, times) in &network.refusals {
        *counted.entry((words.refusal)(code)).or_insert(0u64) += times;
    }
    let rows: Vec<_> = counted
        .into_iter()
        .map(|(sentence, times)| {
            view! { <tr><th scope="row">{sentence}</th><td class="money">{format::count(times)}</td></tr> }
        })
        .collect();
    let refused = if rows.is_empty() {
        view! { <p class="quiet-text">{words.refused_none}</p> }.into_any()
    } else {
        view! { <table class="sum"><caption>{words.refused}</caption><tbody>{rows}</tbody></table> }
            .into_any()
    };
    let direct: Vec<_> = network
        .addresses
        .iter()
        .map(
            |address| view! { <p class="address" data-test="webrtc-address">{address.clone()}</p> },
        )
        .collect();
    let direct = (!direct.is_empty()).then(|| view! { <p>{words.dial_me}</p> {direct} });
    view! {
        <details class="breakdown" data-test="connection-curious">
            <summary>{words.curious}</summary>
            <p>{words.mine}</p>
            <p class="address">{network.peer.clone()}</p>
            <p class="hint">{words.mine_hint} " " {words.see_address}</p>
            {direct}
            {refused}
        </details>
    }
    .into_any()
}

/// Asks whether the relay that a link names should be used.
pub(crate) fn offer() -> AnyView {
    let desk = desk();
    let relay = Memo::new(move |_| desk.route.with(|route| route.relay.clone()));
    let open = RwSignal::new(false);
    Effect::new(move |_| open.set(relay.with(Option::is_some)));
    let leave = move || {
        open.set(false);
        let hash = desk.route.with_untracked(|route| route.hash());
        browser::replace_hash(&hash);
        desk.route.update(|route| route.relay = None);
    };
    dialog(
        open,
        "relay-offer",
        || w().link.offer_heading.to_owned(),
        "",
        move || {
            let address = relay.get_untracked().unwrap_or_default();
            let (shown, used) = (host(&address), address);
            let faults = RwSignal::new(Faults::default());
            let busy = RwSignal::new(false);
            let accept = move |_| {
                let address = used.clone();
                carry_out(
                    busy,
                    faults,
                    async move { desk.add_relay(address).await },
                    move |()| {
                        desk.note(w().link.added);
                        leave();
                    },
                );
            };
            view! {
            <p class="relay-host">{shown}</p>
            <p>{w().link.offer}</p>
            {form_fault(faults, &[])}
            <div class="dialog-actions">
                <button type="button" class="secondary" on:click=move |_| leave()>{w().link.offer_not}</button>
                <button type="button" class="primary" data-test="relay-offer-accept" disabled=move || busy.get() on:click=accept>{w().link.offer_add}</button>
            </div>
        }
        .into_any()
        },
    )
}
