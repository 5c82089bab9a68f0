//! What has moved in one's purses, and for which trade.
//!
//! The list is asked for again whenever something in a purse has changed. It tells only what is over, so it adds up to what the purses
//! hold.

use haggle_protocol::{MessageId, Money};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::{desk, w};
use crate::board::Board;
use crate::node::wallet::{Command, Reply};
use crate::node::{Balance, Moved, Way, Why};
use crate::route::Screen;
use crate::ui::format;

/// How many movements stand open; what is older is behind one click. So many fit beside the purses on a small screen.
const OPEN: usize = 6;

/// The section; nothing as long as nothing has moved.
pub(crate) fn section(balances: Memo<Vec<Balance>>) -> AnyView {
    let desk = desk();
    let moved = RwSignal::new(Vec::<Moved>::new());
    Effect::new(move || {
        balances.track();
        spawn_local(async move {
            if let Ok(Reply::History(all)) = desk.wallet(Command::History).await {
                let _ = moved.try_set(all);
            }
        });
    });
    let newest = move || moved.with(|all| rows(all.iter().take(OPEN)));
    let older = move || {
        moved.with(|all| {
            let count = all.len().saturating_sub(OPEN);
            (count > 0).then(|| {
                let count = u64::try_from(count).unwrap_or(u64::MAX);
                view! {
                    <details class="breakdown" data-test="history-older">
                        <summary>{(w().money.history_older)(count)}</summary>
                        <ol class="history">{rows(all.iter().skip(OPEN))}</ol>
                    </details>
                }
            })
        })
    };
    view! {
        <Show when=move || moved.with(|all| !all.is_empty())>
            <section class="sheet" aria-labelledby="history-heading" data-test="history">
                <h2 id="history-heading">{w().money.history}</h2>
                <ol class="history">{newest}</ol>
                {older}
            </section>
        </Show>
    }
    .into_any()
}

fn rows<'a>(moved: impl Iterator<Item = &'a Moved>) -> Vec<AnyView> {
    moved.map(row).collect()
}

/// The name of a reason for tests.
const fn why_name(why: Why) -> &'static str {
    match why {
        Why::Deposit => "deposit",
        Why::Withdrawal => "withdrawal",
        Why::Given => "given",
        Why::Taken => "taken",
        Why::TakenBack => "taken-back",
        Why::Locked => "locked",
        Why::Unlocked => "unlocked",
        Why::Paid => "paid",
        Why::Returned => "returned",
        Why::Refunded => "refunded",
        Why::Decided => "decided",
        Why::Found => "found",
        Why::Elsewhere => "elsewhere",
        Why::Other => "other",
        Why::Earlier => "earlier",
    }
}

fn row(one: &Moved) -> AnyView {
    let words = &w().money;
    let asset = one.purse.asset;
    let sign = match one.way {
        Way::In => '+',
        Way::Out => '\u{2212}',
    };
    let custodian = &one.purse.custodian;
    let kept = |minor| format::kept(Money::new(minor, asset), custodian);
    let amount = format!("{sign}{}", kept(one.minor));
    let cost = (one.cost > 0).then(|| (words.history_cost)(&kept(one.cost)));
    let open = one.open.then_some(words.history_open);
    let what = (words.history_why)(one.why);
    let mint = format::mint(custodian);
    view! {
        <li class="moved" data-test="moved" data-why=why_name(one.why) data-minor=one.minor.to_string()
            class:came=one.way == Way::In>
            <span>{what}</span>
            <span class="money">{amount}</span>
            {one.order.map(about)}
            <small class="quiet-text">
                <span>{format::time(one.when)}</span>
                <span>{mint}</span>
                {cost.map(|cost| view! { <span>{cost}</span> })}
                {open.map(|open| view! { <span>{open}</span> })}
            </small>
        </li>
    }
    .into_any()
}

/// The trade or the case that an order is, as far as it is known here.
fn about(order: MessageId) -> AnyView {
    let desk = desk();
    let found = desk.board.with_untracked(|board| {
        let trade = board.trade_of(&order);
        trade.map(|trade| (trade.thread, trade.title.clone()))
    });
    if let Some((thread, title)) = found {
        let show = move |event: leptos::ev::MouseEvent| {
            event.prevent_default();
            desk.show_trade(thread);
        };
        return view! {
            <a class="moved-for" href=desk.href(Screen::Trades) data-test="moved-for" on:click=show>{title}</a>
        }
        .into_any();
    }
    let case = desk
        .board
        .with_untracked(|board: &Board| board.case(&order).is_some());
    let link = case.then(|| {
        view! {
            <a class="moved-for" href=desk.href(Screen::Cases) data-test="moved-for">{w().decide.heading}</a>
        }
    });
    view! { {link} }.into_any()
}
