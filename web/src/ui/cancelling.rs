//! Ending a trade before its time: the button with its question, and what became of it.

use haggle_protocol::ThreadId;
use haggle_protocol::trade::CancelReason;
use leptos::prelude::*;

use crate::app::{desk, w};
use crate::forms::Faults;
use crate::node::{Command, Reply, Role, Trade, TradeState};
use crate::ui::parts::{Field, Icon, area, carry_out, form_fault, icon, select_of};
use crate::ui::{format, requests};

/// Reasons a person would give for it.
const REASONS: [(&str, CancelReason); 6] = [
    ("changed-mind", CancelReason::ChangedMind),
    ("not-paid", CancelReason::NotPaid),
    ("not-delivered", CancelReason::NotDelivered),
    ("not-as-agreed", CancelReason::NotAsAgreed),
    ("no-answer", CancelReason::NoAnswer),
    ("other", CancelReason::Other),
];

/// How a trade ended before its time, as a step of its story.
pub(crate) fn ended(trade: &Trade) -> Option<AnyView> {
    let words = &w().cancel;
    let what = match trade.state {
        TradeState::Cancelled { by, reason } => {
            let reason = (words.reason)(reason);
            match by {
                by if by == trade.role => (words.mine)(reason),
                Role::Buyer => (words.buyer)(reason),
                Role::Seller => (words.seller)(reason),
            }
        }
        TradeState::Lapsed => words.lapsed.to_owned(),
        TradeState::Ordered
        | TradeState::Confirmed
        | TradeState::ContactsExchanged
        | TradeState::Dispatched
        | TradeState::Delivered
        | TradeState::Received
        | TradeState::Declined(_)
        | TradeState::NotConfirmed => return None,
    };
    let note = trade.cancel_note.clone();
    Some(
        view! {
            <li class="step ended" data-test="trade-ended">
                {icon(Icon::Cross)}
                <span>{what} {note.map(|note| view! { <br/> <q>{note}</q> })}</span>
            </li>
        }
        .into_any(),
    )
}

/// When it ends by itself, what has become of my cancel, and the button.
pub(crate) fn section(thread: ThreadId, trade: Memo<Option<Trade>>) -> AnyView {
    let desk = desk();
    let words = &w().cancel;
    let told = move || {
        trade.with(|trade| {
            let trade = trade.as_ref()?;
            let refused = trade.cancel_refused && trade.awaited.is_some();
            let ends = trade.ends.map(|at| (words.ends)(&format::time(at)));
            let told = match (trade.cancelling, refused) {
                (true, _) => Some(words.on_its_way.to_owned()),
                (false, true) => Some(words.refused.to_owned()),
                (false, false) => None,
            };
            Some(view! {
                {told.map(|told| view! { <p role="status" data-test="cancel-told">{told}</p> })}
                {ends.map(|ends| view! { <p class="quiet-text" data-test="trade-ends">{ends}</p> })}
            })
        })
    };
    let can = Memo::new(move |_| trade.with(|it| it.as_ref().is_some_and(|it| it.can_cancel)));
    let ordered = Memo::new(move |_| {
        trade.with(|it| {
            it.as_ref()
                .is_some_and(|it| it.state == TradeState::Ordered)
        })
    });
    let asking = RwSignal::new(false);
    // Who has not got what he asked for can ask for it again.
    let came_to_nothing = |trade: &Trade| {
        trade.role == Role::Buyer
            && matches!(
                trade.state,
                TradeState::Cancelled { .. }
                    | TradeState::Lapsed
                    | TradeState::NotConfirmed
                    | TradeState::Declined(_)
            )
    };
    let mine = Memo::new(move |_| {
        let intent = trade.with(|trade| {
            let trade = trade.as_ref().filter(|it| came_to_nothing(it));
            trade.map(|trade| trade.intent)
        });
        intent.and_then(|intent| desk.board.with(|board| board.mine(&intent).cloned()))
    });
    view! {
        <div class="ending">
            {told}
            {requests::again(mine, "secondary on-private")}
            <Show when=move || can.get() && !asking.get()>
                <button type="button" class="quiet on-private" data-test="cancel-trade" on:click=move |_| asking.set(true)>{words.begin}</button>
            </Show>
            <Show when=move || can.get() && asking.get()>{question(thread, asking, ordered)}</Show>
        </div>
    }
    .into_any()
}

fn question(thread: ThreadId, asking: RwSignal<bool>, ordered: Memo<bool>) -> AnyView {
    let desk = desk();
    let words = &w().cancel;
    let reason = RwSignal::new(CancelReason::ChangedMind);
    let note = RwSignal::new(String::new());
    let (busy, faults) = (RwSignal::new(false), RwSignal::new(Faults::default()));
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let text = note.get_untracked().trim().to_owned();
        let command = Command::Cancel {
            thread,
            reason: reason.get_untracked(),
            note: (!text.is_empty()).then_some(text),
        };
        let work = async move { desk.command(command).await };
        carry_out(busy, faults, work, move |_: Reply| {
            let _ = asking.try_set(false);
        });
    };
    let field = Field {
        id: "cancel-note",
        label: words.note,
        hint: w().all.optional,
        name: "note",
        faults,
    };
    let means = move || {
        if ordered.get() {
            words.means_order
        } else {
            words.means_trade
        }
    };
    view! {
        <form novalidate class="decide" on:submit=send>
            <p class="quiet-text">{means}</p>
            <label class="field"><span>{words.why}</span>{select_of("cancel-reason", &REASONS, words.reason, reason)}</label>
            {area(&field, 2, String::new(), move |text| note.set(text))}
            <div class="card-actions">
                <button type="submit" class="primary on-private" data-test="cancel-send" disabled=move || busy.get()>
                    {move || if busy.get() { words.sending } else { words.send }}
                </button>
                <button type="button" class="quiet on-private" on:click=move |_| asking.set(false)>{w().all.back}</button>
            </div>
            {form_fault(faults, &["note"])}
        </form>
    }
    .into_any()
}
