//! A quote, as its buyer sees it: the total, why it stands where it does, what it is made of, and the one thing to do.

use haggle_protocol::quote::{ChargeKind, Quality, Quote};
use haggle_protocol::{Custodian, IntentId, Money, ThreadId, Timestamp, limits};
use leptos::prelude::*;

use crate::app::{desk, w};
use crate::board::best;
use crate::forms::Faults;
use crate::node::{Command, ECASH, QuoteState, QuoteView, Reply};
use crate::ui::chat::{self, Other, To};
use crate::ui::escrow::Paying;
use crate::ui::format;
use crate::ui::haggling::{self, Countering};
use crate::ui::parts::{
    Field, Icon, area, carry_out, dialog, form_fault, icon, money, person, show_flaws,
};
use crate::ui::safe;

/// The quote over which a dialog stands, and what is typed there.
pub(crate) struct OverQuote<F: Send + Sync + 'static> {
    pub(crate) open: RwSignal<bool>,
    pub(crate) what: RwSignal<Option<(IntentId, ThreadId)>>,
    pub(crate) form: RwSignal<F>,
    pub(crate) busy: RwSignal<bool>,
    pub(crate) faults: RwSignal<Faults>,
}

impl<F: Send + Sync + 'static> Clone for OverQuote<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F: Send + Sync + 'static> Copy for OverQuote<F> {}

/// The quote that is about to be taken, with a note to its seller.
pub(crate) type Accepting = OverQuote<String>;

impl<F: Default + Send + Sync + 'static> OverQuote<F> {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self {
            open: RwSignal::new(false),
            what: RwSignal::new(None),
            form: RwSignal::new(F::default()),
            busy: RwSignal::new(false),
            faults: RwSignal::new(Faults::default()),
        }
    }

    /// Opens the dialog for a quote.
    pub(crate) fn ask(self, intent: IntentId, thread: ThreadId) {
        self.what.set(Some((intent, thread)));
        self.form.set(F::default());
        self.faults.set(Faults::default());
        self.open.set(true);
    }
}

/// One quote.
pub(crate) fn card(
    intent: IntentId,
    thread: ThreadId,
    accepting: Accepting,
    countering: Countering,
) -> AnyView {
    let desk = desk();
    let quote = Memo::new(move |_| {
        desk.board
            .with(|board| board.quote(&intent, &thread).cloned())
    });
    let is_best = Memo::new(move |_| {
        desk.board.with(|board| {
            board
                .mine(&intent)
                .and_then(best)
                .is_some_and(|best| best.thread == thread)
        })
    });
    let fresh = move || desk.fresh.with(|fresh| fresh.contains(&thread));
    let rank = move || quote.with(|quote| quote.as_ref().map(|quote| quote.rank.to_string()));
    let total = move || {
        quote.with(|quote| {
            quote
                .as_ref()
                .map(|quote| quote.quote.total.minor.to_string())
        })
    };
    let state = move || quote.with(|quote| quote.as_ref().map(|quote| quote.state));
    let past = move || {
        state().is_some_and(|state| match state {
            QuoteState::Standing | QuoteState::Ordered | QuoteState::Confirmed => false,
            QuoteState::Declined(_)
            | QuoteState::NotConfirmed
            | QuoteState::Expired
            | QuoteState::NotSelected
            | QuoteState::Cancelled { .. } => true,
        })
    };
    view! {
        <li class="quote" class:best=is_best class:fresh=fresh class:past=past data-test="quote-card"
            data-rank=rank data-total=total data-state=move || state().map(state_name)>
            {move || quote.with(|quote| quote.as_ref().map(inside))}
            {action(intent, thread, quote, is_best, accepting, countering)}
            {chat::panel(To::Thread(thread), Other::Seller)}
        </li>
    }
    .into_any()
}

/// The name of a state for tests.
const fn state_name(state: QuoteState) -> &'static str {
    match state {
        QuoteState::Standing => "standing",
        QuoteState::Ordered => "ordered",
        QuoteState::Confirmed => "confirmed",
        QuoteState::Declined(_) => "declined",
        QuoteState::NotConfirmed => "not-confirmed",
        QuoteState::Expired => "expired",
        QuoteState::NotSelected => "not-selected",
        QuoteState::Cancelled { .. } => "cancelled",
    }
}

fn inside(view: &QuoteView) -> AnyView {
    let words = &w().requests;
    let quote = &view.quote;
    let reasons: Vec<_> = view
        .reasons
        .iter()
        .map(|reason| {
            let sentence = (words.reason)(reason, &format::money);
            view! { <li data-test="quote-reason">{sentence}</li> }
        })
        .collect();
    let who = match &view.trader {
        Some(key) => person(key, "quote-trader"),
        None => view! { <span class="person">{icon(Icon::Person)}<span class="person-words">{words.unnamed}</span></span> }
            .into_any(),
    };
    let title = quote.lines.first().map(|line| line.description.clone());
    let (firm, firm_hint) = if quote.firm {
        (words.firm, words.firm_hint)
    } else {
        (words.indicative, words.indicative_hint)
    };
    view! {
        <div class="quote-head">
            <span class="rank">{(words.rank)(u64::from(view.rank))}</span>
            {who}
            <span class="badge" class:firm=quote.firm title=firm_hint>{firm}</span>
        </div>
        <p class="quote-title">{title}</p>
        <p class="quote-total">
            <span class="visually-hidden">{words.total}" "</span>
            {money(quote.total)}
        </p>
        <ul class="quote-facts">
            <li>{quality(quote.quality)}<span>{(w().word.quality)(quote.quality)}</span></li>
            <li>{icon(Icon::Clock)}<span>{(words.there)(&format::lead(quote.lead_time))}</span></li>
            <li>{icon(Icon::Truck)}<span>{(w().word.delivery)(quote.delivery)}</span></li>
            {holds(quote.valid_until, view.state)}
            {payable(quote)}
        </ul>
        <div class="why">
            <h3>{words.why}</h3>
            <ul>{reasons}</ul>
        </div>
        {quote.note.clone().map(|note| view! {
            <blockquote class="note"><p class="note-who">{words.seller_note}</p>{note}</blockquote>
        })}
        {haggling::mine(view)}
        <details class="breakdown">
            <summary>{words.breakdown}</summary>
            {breakdown(quote)}
        </details>
    }
    .into_any()
}

/// How good, as five dots beside the word.
pub(crate) fn quality(quality: Quality) -> AnyView {
    let dots = (1..=5u8).map(|grade| view! { <i class:on=grade <= quality.grade()></i> });
    view! { <span class="dots" aria-hidden="true">{dots.collect_view()}</span> }.into_any()
}

fn holds(until: Timestamp, state: QuoteState) -> Option<AnyView> {
    let desk = desk();
    (state == QuoteState::Standing).then(|| {
        let text = move || match until.since(desk.now.get()) {
            0 => w().word.over.to_owned(),
            seconds => (w().requests.holds)(&crate::words::duration(w(), seconds)),
        };
        view! { <li>{icon(Icon::Lock)}<span>{text}</span></li> }.into_any()
    })
}

/// Through which mints it can be paid by this page.
fn payable(quote: &Quote) -> AnyView {
    let ours = quote.keepers.iter().filter(|it| it.rail == ECASH.name);
    let mut mints: Vec<_> = ours.map(|it| &it.custodian).collect();
    mints.dedup();
    let line = |mint: &Custodian| {
        let told = (w().escrow.payable)(&format::mint(mint));
        view! { <li data-test="quote-escrow">{icon(Icon::Purse)}<span>{told}</span></li> }
    };
    mints.into_iter().map(line).collect_view().into_any()
}

/// Lines and charges, adding up to the total.
pub(crate) fn breakdown(quote: &Quote) -> AnyView {
    let asset = quote.total.asset;
    let lines = quote.lines.iter().map(|line| {
        let each = Money::new(line.unit_price, asset);
        let about = format!("{} × {}", format::quantity(line.quantity), format::money(each));
        let properties: Vec<_> = line
            .attributes
            .iter()
            .map(|found| {
                let name = crate::words::property(w(), &found.key);
                format!("{name} {}", format::value(&found.value))
            })
            .collect();
        view! {
            <tr>
                <th scope="row">
                    {line.description.clone()}
                    <small>{about}</small>
                    {(!properties.is_empty()).then(|| view! { <small>{properties.join(" · ")}</small> })}
                </th>
                <td>{money(Money::new(line.amount, asset))}</td>
            </tr>
        }
    });
    let charges = quote.charges.iter().map(|charge| {
        let label = if charge.label.is_empty() {
            (w().word.charge)(charge.kind).to_owned()
        } else {
            charge.label.clone()
        };
        let sign = if charge.kind == ChargeKind::Discount { "−" } else { "" };
        view! {
            <tr><th scope="row">{label}</th><td>{sign}{money(Money::new(charge.amount, asset))}</td></tr>
        }
    });
    view! {
        <table class="sum">
            <tbody>{lines.collect_view()}{charges.collect_view()}</tbody>
            <tfoot><tr><th scope="row">{w().requests.total}</th><td>{money(quote.total)}</td></tr></tfoot>
        </table>
    }
    .into_any()
}

/// The one thing to do with it.
fn action(
    intent: IntentId,
    thread: ThreadId,
    quote: Memo<Option<QuoteView>>,
    is_best: Memo<bool>,
    accepting: Accepting,
    countering: Countering,
) -> AnyView {
    let words = &w().requests;
    let desk = desk();
    let state = Memo::new(move |_| quote.with(|quote| quote.as_ref().map(|quote| quote.state)));
    let open = Memo::new(move |_| {
        desk.board
            .with(|board| board.mine(&intent).and_then(best).is_some())
    });
    let next = Memo::new(move |_| {
        desk.board
            .with(|board| board.mine(&intent).is_some_and(crate::board::let_down))
    });
    let haggles = Memo::new(move |_| {
        quote.with(|quote| quote.as_ref().is_some_and(|quote| quote.can_counter))
    });
    let can = move || open.get() && state.get() == Some(QuoteState::Standing);
    let label = move || match (is_best.get(), next.get()) {
        (true, true) => words.next_best,
        (true, false) => words.accept,
        (false, _) => words.accept_other,
    };
    view! {
        <div class="quote-action">
            <Show when=can>
                <button type="button" class:primary=is_best class:secondary=move || !is_best.get() class="on-private"
                    data-test="accept" on:click=move |_| accepting.ask(intent, thread)>
                    {label}
                </button>
            </Show>
            <Show when=move || can() && haggles.get()>
                <button type="button" class="quiet on-private" data-test="haggle" on:click=move |_| countering.ask(intent, thread)>
                    {w().haggling.begin}
                </button>
            </Show>
            <Show when=move || state.get().is_some_and(|state| state != QuoteState::Standing)>
                <p class="quote-state">{move || state.get().map(|state| (words.state_quote)(state))}</p>
            </Show>
        </div>
    }
    .into_any()
}

/// Asks once more before an order is sent, naming the total.
pub(crate) fn confirm_dialog(accepting: Accepting) -> AnyView {
    let words = &w().requests;
    dialog(
        accepting.open,
        "accept-dialog",
        move || words.accept_heading.to_owned(),
        "private-dialog",
        move || {
            let desk = desk();
            let Some((intent, thread)) = accepting.what.get_untracked() else {
                return ().into_any();
            };
            // The total as it is seen now: an order names it, so nobody orders by mistake.
            let found = desk.board.with_untracked(|board| {
                let view = board.quote(&intent, &thread)?;
                let title = board.mine(&intent)?.intent.title.clone();
                let cautions = board.cautions(view.trader.as_ref(), view.quote.total);
                Some((view.quote.clone(), title, cautions))
            });
            let Some((quote, title, cautions)) = found else {
                return ().into_any();
            };
            let total = quote.total;
            let paying = Paying::new(total, &quote.keepers, &quote.arbiters, accepting.faults);
            let accept = move |event: leptos::ev::SubmitEvent| {
                event.prevent_default();
                let (escrow, trusted) = match paying.read() {
                    Ok(chosen) => chosen,
                    Err(flaws) => return show_flaws(accepting.faults, flaws),
                };
                let note = accepting.form.get_untracked().trim().to_owned();
                let note = (!note.is_empty()).then_some(note);
                let command = Command::Accept {
                    thread,
                    total,
                    note,
                    escrow,
                };
                carry_out(
                    accepting.busy,
                    accepting.faults,
                    async move {
                        if !trusted.is_empty() {
                            desk.trust(trusted).await?;
                        }
                        desk.command(command).await
                    },
                    move |_: Reply| {
                        accepting.open.set(false);
                    },
                );
            };
            let note = Field {
                id: "accept-note",
                label: words.accept_note,
                hint: w().all.optional,
                name: "note",
                faults: accepting.faults,
            };
            view! {
            <form on:submit=accept>
                <p class="dialog-total">{move || paying.large()}</p>
                <p>{move || (words.accept_body)(&paying.total(), &title)}</p>
                {breakdown(&quote)}
                <ul class="terms" data-test="accept-cautions">
                    {cautions.into_iter().map(|it| view! { <li>{(w().escrow.caution)(it)}</li> }).collect_view()}
                </ul>
                {paying.draw()}
                {area(&note, 2, String::new(), move |text| {
                    accepting.form.set(text.chars().take(limits::NOTE_MAX).collect());
                })}
                <p class="quiet-text">{icon(Icon::Lock)} {words.accept_private}</p>
                {safe::reminder(move || accepting.open.set(false))}
                {form_fault(accepting.faults, &["note", "minor", "arbiter"])}
                <div class="dialog-actions">
                    <button type="button" class="secondary on-private" data-test="accept-cancel"
                        on:click=move |_| accepting.open.set(false)>{w().all.cancel}</button>
                    <button type="submit" class="primary on-private" data-test="accept-confirm" disabled=move || accepting.busy.get()>
                        {move || if accepting.busy.get() { words.accepting.to_owned() } else { (words.accept_do)(&paying.total()) }}
                    </button>
                </div>
            </form>
        }
        .into_any()
        },
    )
}
