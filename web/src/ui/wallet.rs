//! Money: what is in which purse, the mints that are trusted, and how money comes in and goes out.
//!
//! Drawing this screen loads the program behind it for the first time; whoever never comes here, takes no mint and never opens a quote that
//! names one, does not.

use haggle_protocol::{Custodian, Money, Timestamp};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::{desk, play_mint, sentence, w};
use crate::board::Board;
use crate::forms::money::{SumForm, mint, out_of, unit};
use crate::forms::{CURRENCIES, Faults, Flaw};
use crate::node::wallet::{Command, Reply};
use crate::node::{Balance, Deposit, Given, Purse};
use crate::ui::connection::hidden;
use crate::ui::parts::{
    Choices, Field, Icon, Line, area, carry_out, choose, form_fault, handed, heading, icon, kept,
    line, play_warning, qr, recheck, show_flaws,
};
use crate::ui::{format, history};

/// The screen.
pub(crate) fn screen() -> AnyView {
    let desk = desk();
    let words = &w().money;
    let trouble = RwSignal::new(None::<String>);
    let look = move || {
        trouble.set(None);
        spawn_local(async move {
            if let Err(complaint) = desk.look_at_mints().await {
                let _ = trouble.try_set(Some(sentence(&complaint)));
            }
        });
    };
    look();
    let known = Memo::new(move |_| desk.mints.with(Option::is_some));
    let balances = Memo::new(move |_| desk.board.with(Board::balances));
    let filled = move || balances.with(|all| all.iter().any(|one| one.free > 0));
    let named = move || {
        desk.mints
            .with(|mints| mints.as_ref().is_some_and(|all| !all.is_empty()))
    };
    view! {
        {heading(words.heading, words.lead)}
        <p class="warn">{icon(Icon::Lock)} <span>{words.custodian}</span></p>
        {move || trouble.get().map(|trouble| view! {
            <div class="banner" role="alert" data-test="money-trouble">
                <p>{trouble}</p>
                <button type="button" class="secondary small" on:click=move |_| look()>{w().escrow.again}</button>
            </div>
        })}
        <Show when=move || !known.get() && trouble.with(Option::is_none)>
            <p class="waiting"><span class="loading-mark small" aria-hidden="true"></span>{w().all.working}</p>
        </Show>
        <Show when=move || known.get()>
            <div class="stall money-screen" data-test="money-ready">
                <div class="stall-side">
                    {try_it()}
                    {purses(balances)}
                    {history::section(balances)}
                    <Show when=named>{fill()} {take()}</Show>
                    <Show when=filled>{give(balances)} {pay_out(balances)}</Show>
                </div>
                <div class="stall-side">{mints()} <Show when=named>{find()}</Show></div>
            </div>
        </Show>
    }
    .into_any()
}

/// Names the mint of play money with one click, where the page was served with one and it is not named yet.
fn try_it() -> Option<AnyView> {
    let desk = desk();
    let mint = play_mint()?;
    let name = format::mint(&mint);
    let (busy, faults) = (RwSignal::new(false), RwSignal::new(Faults::default()));
    let offered = mint.clone();
    let missing = move || {
        desk.mints
            .with(|mints| mints.as_ref().is_some_and(|all| !all.contains(&offered)))
    };
    let go = move |_| {
        carry_out(busy, faults, desk.trust(vec![mint.clone()]), move |()| {
            desk.note(w().money.mint_added);
        });
    };
    Some(
        view! {
            <Show when=missing>
                <section class="sheet play-offer" aria-labelledby="play-heading" data-test="play-offer">
                    <h2 id="play-heading">{w().play.offer}</h2>
                    <p class="hint">{w().play.warning} " " {w().play.fill}</p>
                    <p class="relay-host">{name.clone()}</p>
                    {form_fault(faults, &[])}
                    <button type="button" class="primary" data-test="play-trust" disabled=move || busy.get() on:click=go.clone()>
                        {icon(Icon::Plus)} {w().play.offer_do}
                    </button>
                </section>
            </Show>
        }
        .into_any(),
    )
}

/// What there is.
fn purses(balances: Memo<Vec<Balance>>) -> AnyView {
    let words = &w().money;
    let used = move || {
        let all = balances.get();
        let used = all.into_iter().filter(|one| one.free > 0 || one.held > 0);
        used.collect::<Vec<_>>()
    };
    let row = |balance: Balance| {
        let Purse { custodian, asset } = balance.purse;
        let held = (balance.held > 0).then(|| {
            let held = format::kept(Money::new(balance.held, asset), &custodian);
            view! { <small data-test="purse-held">{(w().money.held)(&held)}</small> }
        });
        view! {
            <li class="purse" data-test="purse" data-free=balance.free.to_string() data-held=balance.held.to_string()>
                <span class="quote-total">{kept(Money::new(balance.free, asset), &custodian)}</span>
                {held}
                <small class="purse-mint">{(w().escrow.kept_by)(&format::mint(&custodian))}</small>
            </li>
        }
    };
    view! {
        <section class="private card" aria-labelledby="purses-heading">
            <h2 id="purses-heading">{words.purses}</h2>
            <Show when=move || used().is_empty()><p class="quiet-text">{w().money.purses_none}</p></Show>
            <ul class="purses">{move || used().into_iter().map(row).collect_view()}</ul>
        </section>
    }
    .into_any()
}

fn mint_choices(mints: &[Custodian]) -> Choices {
    let choice = |mint: &Custodian| (mint.name().to_owned(), format::mint(mint));
    mints.iter().map(choice).collect()
}

/// A purse as one chooses it.
fn purse_choices(balances: &[Balance]) -> Vec<(Purse, String)> {
    let filled = balances.iter().filter(|one| one.free > 0);
    let choice = |one: &Balance| {
        let amount = format::money(Money::new(one.free, one.purse.asset));
        let name = format!("{amount} · {}", format::mint(&one.purse.custodian));
        (one.purse.clone(), name)
    };
    filled.map(choice).collect()
}

/// The mints that are trusted, and one more.
fn mints() -> AnyView {
    let desk = desk();
    let words = &w().money;
    let typed = RwSignal::new(String::new());
    let (busy, faults) = (RwSignal::new(false), RwSignal::new(Faults::default()));
    // Drawn anew once a mint is added, so that the field is empty for the next.
    let times = RwSignal::new(0u32);
    let address = move || {
        times.track();
        let what = Field {
            id: "mint-address",
            label: w().money.mint,
            hint: w().money.mint_hint,
            name: "mint",
            faults,
        };
        let how = Line {
            kind: "url",
            ..Line::default()
        };
        line(&what, how, String::new(), move |text| typed.set(text))
    };
    let add = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        match mint(&typed.get_untracked()) {
            Ok(mint) => carry_out(busy, faults, desk.trust(vec![mint]), move |()| {
                typed.set(String::new());
                times.update(|times| *times += 1);
                desk.note(w().money.mint_added);
            }),
            Err(wrong) => show_flaws(
                faults,
                vec![Flaw {
                    field: "mint",
                    wrong,
                }],
            ),
        }
    };
    let remove = move |custodian: Custodian| {
        let work = async move {
            desk.wallet(Command::Distrust { custodian }).await?;
            desk.look_at_mints().await
        };
        carry_out(busy, faults, work, move |()| {
            desk.note(w().money.mint_removed)
        });
    };
    let hidden = hidden();
    let row = move |mint: Custodian| {
        let name = format::mint(&mint);
        let label = (w().money.mint_remove)(&name);
        let is_carried = mint.peer().is_some();
        let seen = move || {
            if hidden.get() && is_carried {
                w().money.mint_blind
            } else {
                w().money.mint_sees
            }
        };
        view! {
            <li class="mint" data-test="mint">
                <span class="mint-who"><span class="relay-host">{name}</span> <small data-test="mint-sees">{seen}</small></span>
                <button type="button" class="quiet icon-only" data-test="mint-remove" aria-label=label
                    on:click=move |_| remove(mint.clone())>{icon(Icon::Cross)}</button>
            </li>
        }
    };
    view! {
        <section class="sheet" aria-labelledby="mints-heading">
            <h2 id="mints-heading">{words.mints}</h2>
            <p class="hint">{words.mints_lead}</p>
            <ul class="mints">{move || desk.mints.get().unwrap_or_default().into_iter().map(row).collect_view()}</ul>
            <form novalidate data-test="mint-form" on:submit=add>
                {address}
                {form_fault(faults, &["mint"])}
                <button type="submit" class="secondary" data-test="mint-add" disabled=move || busy.get()>{icon(Icon::Plus)} {words.mint_add}</button>
            </form>
        </section>
    }
    .into_any()
}

/// One mint out of those that are trusted, drawn anew when there are others.
fn which_mint(
    id: &'static str,
    faults: RwSignal<Faults>,
    chosen: RwSignal<Option<Custodian>>,
) -> AnyView {
    let desk = desk();
    let draw = move || {
        let mints = desk.mints.get().unwrap_or_default();
        let kept = chosen.get_untracked().filter(|one| mints.contains(one));
        let first = kept.or_else(|| mints.first().cloned());
        let start = first.as_ref().map_or("", Custodian::name).to_owned();
        chosen.set(first);
        let what = Field {
            id,
            label: w().money.at,
            hint: "",
            name: "mint",
            faults,
        };
        let choices = mint_choices(&mints);
        choose(&what, choices, &start, move |name| {
            chosen.set(mints.iter().find(|mint| mint.name() == name).cloned());
        })
    };
    view! { {draw} }.into_any()
}

/// Currencies to choose from; a mint may have others, which are typed.
pub(crate) fn currency(
    id: &'static str,
    list: &'static str,
    faults: RwSignal<Faults>,
    name: &'static str,
    start: &str,
    set: impl Fn(String) + 'static,
) -> AnyView {
    let what = Field {
        id,
        label: w().money.currency,
        hint: "",
        name,
        faults,
    };
    let how = Line {
        list,
        narrow: true,
        ..Line::default()
    };
    // A mint on Lightning counts in sat before anything else.
    let all = core::iter::once("sat").chain(CURRENCIES);
    let options = all.map(|code| view! { <option value=code></option> });
    view! {
        {line(&what, how, start.to_owned(), set)}
        <datalist id=list>{options.collect_view()}</datalist>
    }
    .into_any()
}

/// How much.
pub(crate) fn amount(
    id: &'static str,
    faults: RwSignal<Faults>,
    set: impl Fn(String) + 'static,
) -> AnyView {
    let what = Field {
        id,
        label: w().money.amount,
        hint: "",
        name: "amount",
        faults,
    };
    let how = Line {
        mode: "decimal",
        narrow: true,
        ..Line::default()
    };
    line(&what, how, String::new(), set)
}

/// Asks a mint what to pay, and shows that.
fn fill() -> AnyView {
    let desk = desk();
    let words = &w().money;
    let form = RwSignal::new(SumForm::default());
    let chosen = RwSignal::new(None::<Custodian>);
    let asked = RwSignal::new(None::<(Purse, Money, Deposit)>);
    let (busy, faults) = (RwSignal::new(false), RwSignal::new(Faults::default()));
    recheck(form, faults, |form| form.read().err().unwrap_or_default());
    let ask = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        match (chosen.get_untracked(), form.with_untracked(SumForm::read)) {
            (Some(custodian), Ok(sum)) => {
                let purse = Purse {
                    custodian,
                    asset: sum.asset,
                };
                let into = purse.clone();
                let command = Command::Deposit {
                    purse,
                    minor: sum.minor,
                };
                carry_out(busy, faults, desk.wallet(command), move |reply| {
                    if let Reply::Deposit(deposit) = reply {
                        asked.set(Some((into, sum, deposit)));
                    }
                });
            }
            (_, Err(flaws)) => show_flaws(faults, flaws),
            (None, Ok(_)) => {}
        }
    };
    let start = SumForm::default().currency;
    view! {
        <section class="sheet" aria-labelledby="fill-heading">
            <h2 id="fill-heading">{words.fill}</h2>
            <p class="hint">{words.fill_lead}</p>
            <form novalidate data-test="fill-form" on:submit=ask>
                {which_mint("fill-mint", faults, chosen)}
                <div class="row">
                    {amount("fill-amount", faults, move |text| form.update(|form| form.amount = text))}
                    {currency("fill-currency", "fill-currencies", faults, "currency", &start, move |text| form.update(|form| form.currency = text))}
                </div>
                {form_fault(faults, &["mint", "amount", "currency"])}
                {go_button("primary", "fill-ask", busy, words.fill_do)}
            </form>
            {move || asked.get().map(|(purse, sum, deposit)| to_pay(&purse.custodian, sum, deposit))}
        </section>
    }
    .into_any()
}

fn to_pay(mint: &Custodian, sum: Money, deposit: Deposit) -> AnyView {
    let words = &w().money;
    let amount = format::kept(sum, mint);
    // An invoice of a mint that nobody pays is nothing to hold out to somebody.
    if let Some(warning) = play_warning(mint, w().play.fill) {
        return view! {
            <div class="found" data-test="fill-request">
                <p class="strong">{(w().play.came)(&amount)}</p>
                {warning}
            </div>
        }
        .into_any();
    }
    let code = qr(&deposit.request, words.qr, "fill-qr");
    let until = (deposit.expires > Timestamp(0))
        .then(|| (words.fill_until)(&format::time(deposit.expires)));
    view! {
        <div class="found" data-test="fill-request">
            <p class="strong">{(words.fill_pay)(&amount)}</p>
            {handed(deposit.request, w().all.copy, "fill-text", code)}
            <p class="quiet-text">{until} " " {words.fill_wait}</p>
        </div>
    }
    .into_any()
}

/// Ecash that came as text.
fn take() -> AnyView {
    let words = &w().money;
    let text = RwSignal::new(String::new());
    let (busy, faults) = (RwSignal::new(false), RwSignal::new(Faults::default()));
    // Drawn anew once it is taken, so that the field is empty for the next.
    let times = RwSignal::new(0u32);
    let form = move || {
        times.track();
        let what = Field {
            id: "take-text",
            label: w().money.take_text,
            hint: w().money.take_hint,
            name: "text",
            faults,
        };
        area(&what, 3, String::new(), move |typed| text.set(typed))
    };
    let go = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        take_text(busy, faults, text.get_untracked(), move || {
            text.set(String::new());
            times.update(|times| *times += 1);
        });
    };
    view! {
        <section class="sheet" aria-labelledby="take-heading">
            <h2 id="take-heading">{words.take}</h2>
            <form novalidate data-test="take-form" on:submit=go>
                {form}
                {form_fault(faults, &["text"])}
                {go_button("secondary", "take-go", busy, words.take_do)}
            </form>
        </section>
    }
    .into_any()
}

/// Takes ecash that is a text. How much that came to is said when it is in its purse.
fn take_text(
    busy: RwSignal<bool>,
    faults: RwSignal<Faults>,
    text: String,
    done: impl FnOnce() + 'static,
) {
    let desk = desk();
    let command = Command::Take { text };
    carry_out(busy, faults, desk.wallet(command), move |_: Reply| done());
}

/// The button of a form, which says that it works while it does.
pub(crate) fn go_button(
    class: &'static str,
    test: &'static str,
    busy: RwSignal<bool>,
    label: &'static str,
) -> AnyView {
    view! {
        <button type="submit" class=class data-test=test disabled=move || busy.get()>
            {move || if busy.get() { w().all.working } else { label }}
        </button>
    }
    .into_any()
}

/// One purse out of those that hold something.
pub(crate) fn which_purse(
    id: &'static str,
    faults: RwSignal<Faults>,
    balances: Memo<Vec<Balance>>,
    chosen: RwSignal<Option<Purse>>,
) -> AnyView {
    let draw = move || {
        let purses = balances.with(|all| purse_choices(all));
        let kept = chosen.get_untracked();
        let at = purses
            .iter()
            .position(|(one, _)| Some(one) == kept.as_ref());
        let at = at.unwrap_or(0);
        chosen.set(purses.get(at).map(|(purse, _)| purse.clone()));
        let what = Field {
            id,
            label: w().money.purse,
            hint: "",
            name: "purse",
            faults,
        };
        let names = purses.iter().enumerate();
        let choices = names.map(|(at, (_, name))| (at.to_string(), name.clone()));
        choose(&what, choices.collect(), &at.to_string(), move |at| {
            let found = at.parse().ok().and_then(|at: usize| purses.get(at));
            chosen.set(found.map(|(purse, _)| purse.clone()));
        })
    };
    view! { {draw} }.into_any()
}

/// Ecash as text, and what of it nobody has taken yet.
fn give(balances: Memo<Vec<Balance>>) -> AnyView {
    let desk = desk();
    let words = &w().money;
    let chosen = RwSignal::new(None::<Purse>);
    let sum = RwSignal::new(String::new());
    let made = RwSignal::new(None::<(Custodian, String)>);
    let given = RwSignal::new(Vec::<Given>::new());
    let (busy, faults) = (RwSignal::new(false), RwSignal::new(Faults::default()));
    let look = move || {
        spawn_local(async move {
            if let Ok(Reply::Given(all)) = desk.wallet(Command::Given).await {
                let _ = given.try_set(all);
            }
        });
    };
    look();
    let go = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let Some(purse) = chosen.get_untracked() else {
            return;
        };
        let all = balances.get_untracked();
        match out_of(&purse, &all, &sum.get_untracked()) {
            Ok(minor) => {
                let mint = purse.custodian.clone();
                let command = Command::Give { purse, minor };
                carry_out(busy, faults, desk.wallet(command), move |reply| {
                    if let Reply::Text(text) = reply {
                        made.set(Some((mint, text)));
                    }
                    look();
                });
            }
            Err(flaws) => show_flaws(faults, flaws),
        }
    };
    let back = move |text: String| {
        take_text(busy, faults, text, move || {
            made.set(None);
            look();
        });
    };
    let row = move |one: Given| {
        let Purse { custodian, asset } = one.purse;
        let amount = kept(Money::new(one.minor, asset), &custodian);
        let again = one.text.clone();
        let shown = move |_| made.set(Some((custodian.clone(), one.text.clone())));
        view! {
            <li class="mint" data-test="given">
                <span>{amount}</span>
                <span class="card-actions">
                    <button type="button" class="quiet" on:click=shown>{w().money.give_copy}</button>
                    <button type="button" class="secondary small" data-test="give-back" disabled=move || busy.get()
                        on:click=move |_| back(again.clone())>{w().money.give_back}</button>
                </span>
            </li>
        }
    };
    let shown = move || {
        let (mint, text) = made.get()?;
        let code = qr(&text, w().money.qr, "give-qr");
        let long = code.is_none().then_some(w().money.too_long);
        Some(view! {
            <div class="found">
                {play_warning(&mint, "")}
                {handed(text, w().money.give_copy, "give-text", code)}
                {long.map(|long| view! { <p class="hint">{long}</p> })}
            </div>
        })
    };
    view! {
        <section class="sheet" aria-labelledby="give-heading">
            <h2 id="give-heading">{words.give}</h2>
            <p class="hint">{words.give_lead}</p>
            <form novalidate data-test="give-form" on:submit=go>
                {which_purse("give-purse", faults, balances, chosen)}
                {amount("give-amount", faults, move |text| sum.set(text))}
                {form_fault(faults, &["purse", "amount"])}
                {go_button("secondary", "give-go", busy, words.give_do)}
            </form>
            {shown}
            <Show when=move || given.with(|all| !all.is_empty())>
                <h3>{w().money.given}</h3>
                <ul class="mints">{move || given.get().into_iter().map(row).collect_view()}</ul>
            </Show>
        </section>
    }
    .into_any()
}

/// Pays an invoice.
fn pay_out(balances: Memo<Vec<Balance>>) -> AnyView {
    let desk = desk();
    let words = &w().money;
    let chosen = RwSignal::new(None::<Purse>);
    let request = RwSignal::new(String::new());
    let (busy, faults) = (RwSignal::new(false), RwSignal::new(Faults::default()));
    let what = Field {
        id: "pay-invoice",
        label: words.invoice,
        hint: words.invoice_hint,
        name: "request",
        faults,
    };
    let go = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let Some(purse) = chosen.get_untracked() else {
            return;
        };
        let (mint, asset) = (purse.custodian.clone(), purse.asset);
        let request = request.get_untracked().trim().to_owned();
        let command = Command::Withdraw { purse, request };
        carry_out(busy, faults, desk.wallet(command), move |reply| {
            if let Reply::Withdrawn(done) = reply {
                let amount = |minor| format::kept(Money::new(minor, asset), &mint);
                desk.note(&(w().money.paid)(&amount(done.paid), &amount(done.cost)));
            }
        });
    };
    view! {
        <section class="sheet" aria-labelledby="pay-heading">
            <h2 id="pay-heading">{words.pay_out}</h2>
            <form novalidate data-test="pay-form" on:submit=go>
                {which_purse("pay-purse", faults, balances, chosen)}
                {move || chosen.with(|purse| purse.as_ref().and_then(|it| play_warning(&it.custodian, w().play.invoice)))}
                {area(&what, 3, String::new(), move |text| request.set(text))}
                {form_fault(faults, &["purse", "request"])}
                {go_button("secondary", "pay-go", busy, words.pay_do)}
            </form>
        </section>
    }
    .into_any()
}

/// What the words alone bring back.
fn find() -> AnyView {
    let desk = desk();
    let words = &w().money;
    let chosen = RwSignal::new(None::<Custodian>);
    let start = SumForm::default().currency;
    let typed = RwSignal::new(start.clone());
    let (busy, faults) = (RwSignal::new(false), RwSignal::new(Faults::default()));
    let go = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        match (
            chosen.get_untracked(),
            typed.with_untracked(|text| unit(text)),
        ) {
            (Some(custodian), Ok(asset)) => {
                let mint = custodian.clone();
                let purse = Purse { custodian, asset };
                let command = Command::Restore { purse };
                carry_out(busy, faults, desk.wallet(command), move |reply| {
                    if let Reply::Restored(minor) = reply {
                        let found = format::kept(Money::new(minor, asset), &mint);
                        desk.note(&(w().money.found)(&found));
                    }
                });
            }
            (_, Err(flaws)) => show_flaws(faults, flaws),
            (None, Ok(_)) => {}
        }
    };
    view! {
        <section class="sheet" aria-labelledby="find-heading">
            <h2 id="find-heading">{words.find}</h2>
            <p class="hint">{words.find_lead}</p>
            <form novalidate data-test="find-form" on:submit=go>
                {which_mint("find-mint", faults, chosen)}
                {currency("find-currency", "find-currencies", faults, "currency", &start, move |text| typed.set(text))}
                {form_fault(faults, &["mint", "currency"])}
                {go_button("secondary", "find-go", busy, words.find_do)}
            </form>
        </section>
    }
    .into_any()
}
