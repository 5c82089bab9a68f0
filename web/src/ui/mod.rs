//! The page: header, navigation, the screen that the address names, dialogs, and the voice for those who do not see.

mod arbiter;
mod ask;
mod cancelling;
mod cases;
mod category;
mod chat;
mod connection;
mod escrow;
mod files;
pub(crate) mod format;
mod haggling;
mod history;
mod item_form;
mod market;
mod parts;
mod picker;
mod profiles;
mod quote_card;
mod quote_form;
mod requests;
mod safe;
mod slip;
mod stall;
mod stall_list;
mod steps;
mod stopped;
mod tip;
mod trades;
mod wallet;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::{Desk, desk, play_mint, w};
use crate::board::Board;
use crate::browser;
use crate::node::Role;
use crate::route::Screen;
use crate::ui::parts::{Icon, icon};
use crate::words::Lang;

/// The whole page; drawn anew when the language changes.
pub(crate) fn page() -> impl IntoView {
    let desk = desk();
    move || {
        desk.lang.track();
        frame()
    }
}

/// Which dialogs are open.
#[derive(Clone, Copy)]
struct Dialogs {
    link: RwSignal<bool>,
    who: RwSignal<bool>,
    settings: RwSignal<bool>,
}

fn frame() -> AnyView {
    let desk = desk();
    let dialogs = Dialogs {
        link: RwSignal::new(false),
        who: RwSignal::new(false),
        settings: RwSignal::new(false),
    };
    let viewer = files::Viewer::new();
    provide_context(viewer);
    let screen = Memo::new(move |_| desk.route.with(|route| route.screen));
    // Another screen is announced by its heading, which gets the keyboard; the first one is not, so that the page
    // begins where pages begin.
    Effect::new(move |before: Option<Screen>| {
        let now = screen.get();
        if before.is_some_and(|before| before != now) {
            browser::later(30, || browser::focus("screen-heading"));
        }
        now
    });
    view! {
        <a class="skip" href="#main" on:click=|event| { event.prevent_default(); browser::focus("screen-heading"); }>{w().all.skip}</a>
        {header(dialogs)}
        {play_banner()}
        {connection::banner(dialogs.link)}
        {move || desk.board.with(|board| board.stopped().map(stopped::banner))}
        <main id="main" data-test="main" data-screen=move || screen.get().name()>
            {move || {
                let stage = desk.stage.get();
                match stopped::instead(&stage) {
                    Some(instead) => instead,
                    None => draw(screen.get()),
                }
            }}
        </main>
        {footer()}
        {tabs(true)}
        {connection::details(dialogs.link)}
        {connection::offer()}
        {profiles::details(dialogs.who)}
        {settings(dialogs.settings)}
        {safe::details()}
        {files::larger(viewer)}
        <output class="visually-hidden" aria-live="polite" data-test="announcer">{move || desk.said.get()}</output>
        <Show when=move || desk.toast.with(Option::is_some)>
            <p class="toast" data-test="toast" aria-hidden="true">{move || desk.toast.get()}</p>
        </Show>
    }
    .into_any()
}

/// That this page was served with play money, on every screen.
fn play_banner() -> Option<AnyView> {
    let desk = desk();
    play_mint().map(|_| {
        view! {
            <aside class="play-banner" data-test="play-banner" aria-label=w().play.label>
                <p>{w().play.warning} " " <a href=move || desk.href(Screen::Money)>{w().play.open}</a></p>
            </aside>
        }
        .into_any()
    })
}

fn draw(screen: Screen) -> AnyView {
    match screen {
        Screen::Ask => ask::screen(),
        Screen::Requests => requests::screen(),
        Screen::Market => market::screen(),
        Screen::Stall => stall::screen(),
        Screen::Trades => trades::screen(),
        Screen::Money => wallet::screen(),
        Screen::Cases => cases::screen(),
    }
}

fn header(dialogs: Dialogs) -> AnyView {
    let desk = desk();
    view! {
        <header class="top">
            <a class="brand" href=move || desk.href(Screen::Ask)>
                {logo()}
                <span class="brand-name">"Haggle"</span>
            </a>
            {tabs(false)}
            <div class="top-right">
                {profiles::chip(dialogs.who)}
                {connection::pill(dialogs.link)}
                <button type="button" class="quiet icon-only" data-test="settings" aria-label=w().all.menu aria-haspopup="dialog"
                    on:click=move |_| dialogs.settings.set(true)>
                    {icon(Icon::Gear)}
                </button>
            </div>
        </header>
    }
    .into_any()
}

/// A voice in amber, and a keyhole in indigo over it.
fn logo() -> impl IntoView {
    view! {
        <svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <path class="logo-loud" d="M4 5h18a3 3 0 0 1 3 3v9a3 3 0 0 1-3 3h-9l-6 5v-5H4a3 3 0 0 1-3-3V8a3 3 0 0 1 3-3z" />
            <path class="logo-private" d="M17 13h11a3 3 0 0 1 3 3v9a3 3 0 0 1-3 3H17a3 3 0 0 1-3-3v-9a3 3 0 0 1 3-3z" />
            <path class="logo-hole" d="M22.5 17a2.2 2.2 0 0 1 1.2 4l.5 3h-3.4l.5-3a2.2 2.2 0 0 1 1.2-4z" />
        </svg>
    }
}

const fn icon_of(screen: Screen) -> Icon {
    match screen {
        Screen::Ask => Icon::Ask,
        Screen::Requests => Icon::Requests,
        Screen::Market => Icon::Market,
        Screen::Stall => Icon::Stall,
        Screen::Trades => Icon::Trades,
        Screen::Money => Icon::Purse,
        Screen::Cases => Icon::Scales,
    }
}

fn name_of(screen: Screen) -> &'static str {
    let words = &w().nav;
    match screen {
        Screen::Ask => words.ask,
        Screen::Requests => words.requests,
        Screen::Market => words.market,
        Screen::Stall => words.stall,
        Screen::Trades => words.trades,
        Screen::Money => w().money.open,
        Screen::Cases => w().decide.open,
    }
}

/// How many things on a screen wait for this person.
fn waiting(board: &Board, screen: Screen) -> usize {
    match screen {
        Screen::Ask | Screen::Stall | Screen::Money => 0,
        Screen::Requests => board.quotes_to_choose_from() + board.unread_before_orders(Role::Buyer),
        Screen::Market => board.matches_to_answer() + board.unread_before_orders(Role::Seller),
        Screen::Trades => board.trades_waiting_for_me(),
        Screen::Cases => board.cases_waiting_for_me(),
    }
}

/// The navigation: in the header on wide screens, at the bottom on telephones. Only one of them is ever shown.
fn tabs(bottom: bool) -> AnyView {
    let desk = desk();
    let class = if bottom { "tabs bottom" } else { "tabs" };
    // A telephone has room for five; there money is reached from the menu, and from where it is needed. What one decides for others is
    // shown to whoever does, and everybody can begin with it from the menu.
    let decides = Memo::new(move |_| desk.board.with(Board::decides));
    let links = move || {
        let shown = Screen::ALL.into_iter().filter(|screen| match screen {
            Screen::Money => !bottom,
            Screen::Cases => !bottom && decides.get(),
            Screen::Ask | Screen::Requests | Screen::Market | Screen::Stall | Screen::Trades => {
                true
            }
        });
        let links = shown.map(|screen| tab(desk, screen, bottom));
        links.collect_view()
    };
    view! { <nav class=class aria-label=w().all.nav><ul>{links}</ul></nav> }.into_any()
}

fn tab(desk: Desk, screen: Screen, bottom: bool) -> AnyView {
    let count = Memo::new(move |_| desk.board.with(|board| waiting(board, screen)));
    let current = move || {
        desk.route
            .with(|route| route.screen == screen)
            .then_some("page")
    };
    let prefix = if bottom { "tab" } else { "nav" };
    view! {
        <li>
            <a href=move || desk.href(screen) aria-current=current data-test=format!("{prefix}-{}", screen.name())>
                {icon(icon_of(screen))}
                <span>{name_of(screen)}</span>
                {badge(count)}
            </a>
        </li>
    }
    .into_any()
}

/// How many things wait behind a link or a button; nothing if none does.
fn badge(count: Memo<usize>) -> impl IntoView {
    move || {
        let count = u64::try_from(count.get()).unwrap_or(0);
        (count > 0).then(|| {
            let told = (w().nav.waiting)(count);
            let shown = if count > 99 { "99+".to_owned() } else { count.to_string() };
            view! { <span class="count-badge"><span aria-hidden="true">{shown}</span><span class="visually-hidden">{told}</span></span> }
        })
    }
}

fn footer() -> AnyView {
    view! { <footer class="foot"><p>{w().all.tagline}</p><p>{w().all.footer}</p></footer> }
        .into_any()
}

/// Whether news is told while another window is in front.
fn notices() -> AnyView {
    let words = &w().all;
    let desk = desk();
    let on = RwSignal::new(browser::gives_notices());
    let change = move |event| {
        if event_target_checked(&event) {
            spawn_local(async move {
                let gives = browser::want_notices().await;
                let _ = on.try_set(gives);
                if !gives {
                    browser::stop_notices();
                    desk.note(words.notices_denied);
                }
            });
        } else {
            browser::stop_notices();
            on.set(false);
        }
    };
    view! {
        <label class="tick">
            <input type="checkbox" data-test="notices" prop:checked=on on:change=change />
            <span>{words.notices}<small class="hint">{words.notices_hint}</small></span>
        </label>
    }
    .into_any()
}

/// Language and colours.
fn settings(open: RwSignal<bool>) -> AnyView {
    parts::dialog(
        open,
        "settings-dialog",
        || w().all.menu.to_owned(),
        "",
        move || {
            let desk = desk();
            let languages = Lang::ALL.map(|lang| (lang.tag().to_owned(), lang.name().to_owned()));
            let themes = [
                ("system".to_owned(), w().all.theme_system.to_owned()),
                ("light".to_owned(), w().all.theme_light.to_owned()),
                ("dark".to_owned(), w().all.theme_dark.to_owned()),
            ];
            let theme = browser::remembered("haggle/colours").unwrap_or_else(|| "system".into());
            let deciding = Memo::new(move |_| desk.board.with(Board::cases_waiting_for_me));
            view! {
            <div class="field">
                <label for="language">{w().all.language}</label>
                {parts::select("language".into(), "language", "", languages.into(), crate::app::lang().tag(), move |tag| desk.speak(Lang::of(&tag)))}
            </div>
            <div class="field">
                <label for="colours">{w().all.theme}</label>
                {parts::select("colours".into(), "colours", "", themes.into(), &theme, |theme| {
                    browser::remember("haggle/colours", &theme);
                    browser::set_theme(&theme);
                })}
            </div>
            {browser::knows_notices().then(notices)}
            <button type="button" class="secondary" data-test="money-open"
                on:click=move |_| { open.set(false); desk.go(Screen::Money); }>{icon(Icon::Purse)} {w().money.open}</button>
            <button type="button" class="secondary" data-test="cases-open"
                on:click=move |_| { open.set(false); desk.go(Screen::Cases); }>{icon(Icon::Scales)} {w().decide.open} {badge(deciding)}</button>
            <button type="button" class="secondary" data-test="safe-open"
                on:click=move |_| { open.set(false); desk.safe_open.set(true); }>{icon(Icon::Lock)} {w().safe.open}</button>
        }
        .into_any()
        },
    )
}
