//! A third who decides, for the two who chose him: whom a stall takes, whom a buyer chooses with his order, and how he is asked.

use haggle_protocol::arbitration::ARBITERS_MAX;
use haggle_protocol::{Arbiter, ArbiterTerms, Custodian, IntentId, Money, ThreadId, Timestamp};
use leptos::prelude::*;

use crate::app::{desk, w};
use crate::board::{Ruler, Thanked, decided, is_held_by_ruling, is_paid_out};
use crate::forms::Faults;
use crate::forms::deciding::ShareForm;
use crate::forms::stall::RulesForm;
use crate::node::{Command, DisputeState, ECASH, EscrowView, Reply, RulingView};
use crate::ui::chat::{self, Other, To};
use crate::ui::format;
use crate::ui::parts::{
    Card, Field, Icon, Line, area, cards, carry_out, folded, form_fault, icon, line, recognised,
    show_flaws,
};
use crate::ui::tip;
use crate::words::duration;

/// The names of the choices in the form: as many as a quote can name.
const NAMES: [&str; ARBITERS_MAX] = ["0", "1", "2", "3"];
/// The name of choosing none.
const NOBODY: &str = "nobody";

/// On which terms he decides.
pub(crate) fn terms(terms: &ArbiterTerms) -> String {
    let words = &w().decide;
    let time = duration(w(), u64::from(terms.within));
    match terms.fee {
        0 => (words.terms_free)(&time),
        fee => (words.terms)(&format::share(fee), &time),
    }
}

/// Who decides, as it is chosen in the dialog.
#[derive(Clone, Copy)]
pub(crate) struct Choice {
    /// Those whom the quote names, with the rail of this page.
    named: StoredValue<Vec<Arbiter>>,
    chosen: RwSignal<Option<usize>>,
}

impl Choice {
    /// Nobody, to begin with: whom one trusts with money nobody else can know.
    pub(crate) fn new(arbiters: &[Arbiter]) -> Self {
        let ours = arbiters.iter().filter(|it| it.terms.rail == ECASH.name);
        Self {
            named: StoredValue::new(ours.take(NAMES.len()).cloned().collect()),
            chosen: RwSignal::new(None),
        }
    }

    /// Whom he has chosen.
    pub(crate) fn read(self) -> Option<IntentId> {
        let at = self.chosen.get_untracked()?;
        self.named
            .with_value(|named| named.get(at).map(|it| it.intent))
    }

    /// The same, for what hangs on it.
    pub(crate) fn chosen(self) -> Option<Arbiter> {
        let at = self.chosen.get()?;
        self.named.with_value(|named| named.get(at).cloned())
    }

    /// The choice; nothing if the quote names nobody.
    pub(crate) fn draw(self) -> AnyView {
        if self.named.with_value(Vec::is_empty) {
            return ().into_any();
        }
        let desk = desk();
        // What each of them calls himself, if he is heard of.
        let heard = Memo::new(move |_| {
            desk.board.with(|board| {
                self.named.with_value(|named| {
                    let title = |one| board.arbiter(one).map(ToOwned::to_owned);
                    named.iter().map(title).collect::<Vec<_>>()
                })
            })
        });
        view! { {move || self.among(&heard.get())} }.into_any()
    }

    /// The choice among those who are heard of.
    fn among(self, titles: &[Option<String>]) -> AnyView {
        let words = &w().decide;
        let mut choices = vec![Card {
            value: NOBODY,
            title: words.nobody.to_owned(),
            means: words.nobody_means.to_owned(),
        }];
        self.named.with_value(|named| {
            let all = NAMES.iter().zip(named).zip(titles);
            choices.extend(all.filter_map(|((value, one), title)| {
                let four = crate::picture::words(&one.intent.0);
                Some(Card {
                    value,
                    title: title.clone()?,
                    means: format!("{four}. {}", terms(&one.terms)),
                })
            }));
        });
        let start = self.chosen.get_untracked();
        let start = start.and_then(|at| NAMES.get(at)).copied();
        let absent = titles.iter().filter(|title| title.is_none()).count();
        let absent = u64::try_from(absent).unwrap_or(0);
        view! {
            {cards("pay-arbiter", words.who, choices, start.unwrap_or(NOBODY), move |chosen| {
                self.chosen.set(NAMES.iter().position(|name| *name == chosen));
            })}
            {(absent > 0).then(|| view! { <p class="quiet-text" data-test="pay-arbiter-absent">{(words.absent)(absent)}</p> })}
            {move || self.chosen().map(|one| chosen(&one, false))}
            <p class="quiet-text">{words.careful}</p>
        }
        .into_any()
    }
}

/// Who decides about an order, to both of its sides, or has decided.
pub(crate) fn chosen(arbiter: &Arbiter, has_decided: bool) -> AnyView {
    let desk = desk();
    let words = &w().decide;
    let one = arbiter.clone();
    let who = move || {
        let title = desk
            .board
            .with(|board| board.arbiter(&one).map(ToOwned::to_owned));
        match (title, has_decided) {
            (Some(title), false) => (words.chosen)(&title),
            (None, false) => words.chosen_unknown.to_owned(),
            (Some(title), true) => (words.has_decided)(&title),
            (None, true) => words.has_decided_unknown.to_owned(),
        }
    };
    view! {
        <div class="arbiter" data-test="escrow-arbiter">
            <p>{who}</p>
            {recognised(&arbiter.intent.0, "escrow-arbiter-face")}
            <p class="quiet-text">{terms(&arbiter.terms)}</p>
        </div>
    }
    .into_any()
}

/// What was decided.
pub(crate) fn ruling(ruling: &RulingView, by: Ruler, locked: Money, mint: &Custodian) -> AnyView {
    let words = &w().decide;
    let amount = |minor| format::kept(Money::new(minor, locked.asset), mint);
    let fee = (ruling.arbiter > 0).then(|| (words.ruling_fee)(by, &amount(ruling.arbiter)));
    let why = ruling.words.clone().map(|text| {
        let who = (words.ruling_words)(by);
        view! { <blockquote class="note"><p class="note-who">{who}</p>{text}</blockquote> }
    });
    let told = match ruling.held_until {
        Some(until) => (words.held)(by, &format::time(until)),
        None => (words.ruling)(by, &amount(ruling.buyer), &amount(ruling.seller)),
    };
    let holds = ruling.held_until.is_some();
    view! {
        <div class="plan" data-test="ruling" data-holds=holds.to_string() data-buyer=ruling.buyer.to_string() data-seller=ruling.seller.to_string()>
            <p class="strong">{told} " " {fee}</p>
            {why}
        </div>
    }
    .into_any()
}

/// What a form for a dispute hangs on: once one of these changes it is drawn anew.
#[derive(Clone, PartialEq, Eq)]
struct Askable {
    /// Who keeps it.
    mint: Custodian,
    /// What is left for the two.
    shared: Money,
    /// What he takes.
    fee: Money,
    /// Until when he can be asked.
    by: Timestamp,
}

/// Who decides about a trade, what he was asked and what he has decided.
pub(crate) fn panel(id: ThreadId, escrow: Memo<Option<EscrowView>>) -> AnyView {
    let askable = Memo::new(move |_| {
        escrow.with(|escrow| {
            let escrow = escrow.as_ref()?;
            let by = escrow.ask_by.filter(|_| decided(escrow).is_none())?;
            let fee = escrow.arbiter.as_ref()?.terms.fee_of(escrow.amount.minor);
            let of = |minor| Money::new(minor, escrow.amount.asset);
            Some(Askable {
                mint: escrow.keeper.custodian.clone(),
                shared: of(escrow.amount.minor.saturating_sub(fee)),
                fee: of(fee),
                by,
            })
        })
    });
    // What is typed outlives whatever happens to the trade meanwhile.
    let form = RwSignal::new(ShareForm::default());
    let with = Memo::new(move |_| {
        escrow.with(|escrow| {
            let dispute = escrow.as_ref()?.dispute.as_ref()?;
            Some(dispute.thread)
        })
    });
    let told = move || {
        escrow.with(|escrow| {
            let escrow = escrow.as_ref()?;
            let arbiter = escrow.arbiter.as_ref()?;
            // Where the two were at one, there was nothing to decide.
            let unasked = escrow.dispute.is_none() && escrow.ruling.is_none();
            if unasked && is_paid_out(escrow.state) {
                return None;
            }
            let shared_out = decided(escrow).is_some();
            let by = match shared_out || is_held_by_ruling(escrow) {
                true => Ruler::Arbiter,
                false => Ruler::Said,
            };
            let arbiter = chosen(arbiter, shared_out);
            let ruling = escrow.ruling.as_ref();
            let ruling =
                ruling.map(|it| self::ruling(it, by, escrow.amount, &escrow.keeper.custodian));
            Some(view! { {arbiter} {asked(escrow)} {ruling} })
        })
    };
    view! {
        {told}
        {move || with.get().map(|thread| view! {
            <p class="quiet-text">{w().decide.talk}</p>
            {chat::panel(To::Thread(thread), Other::Arbiter)}
            {tip::section(id, Thanked::Arbiter)}
        })}
        {move || askable.get().map(|askable| ask(id, &askable, form))}
    }
    .into_any()
}

/// The name of a state for tests.
const fn state_name(state: &DisputeState) -> &'static str {
    match state {
        DisputeState::Sending => "sending",
        DisputeState::Delivered => "delivered",
        DisputeState::Refused(_) => "refused",
        DisputeState::Lost => "lost",
    }
}

/// What he was asked.
fn asked(escrow: &EscrowView) -> Option<AnyView> {
    let words = &w().decide;
    let dispute = escrow.dispute.as_ref()?;
    let amount = Money::new(dispute.buyer, escrow.amount.asset);
    let amount = format::kept(amount, &escrow.keeper.custodian);
    let state = decided(escrow).is_none();
    let state = state.then(|| (words.asked_state)(&dispute.state));
    Some(
        view! {
            <div class="plan" data-test="dispute" data-state=state_name(&dispute.state)>
                <p>{(words.asked)(&amount)}</p>
                <blockquote class="note"><p class="note-who">{w().chat.me}</p>{dispute.words.clone()}</blockquote>
                {state.map(|state| view! { <p class="quiet-text">{state}</p> })}
            </div>
        }
        .into_any(),
    )
}

/// Asks him to decide.
fn ask(id: ThreadId, askable: &Askable, form: RwSignal<ShareForm>) -> AnyView {
    let desk = desk();
    let words = &w().decide;
    let (shared, by) = (askable.shared, askable.by);
    let kept = |amount| format::kept(amount, &askable.mint);
    let (busy, faults) = (RwSignal::new(false), RwSignal::new(Faults::default()));
    let in_time = Memo::new(move |_| desk.now.get() < by);
    let go = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        match form.with_untracked(|form| form.read(shared)) {
            Ok((buyer, words)) => {
                let thread = id;
                let command = Command::Dispute {
                    thread,
                    buyer,
                    words,
                };
                let work = async move { desk.command(command).await };
                carry_out(busy, faults, work, move |_: Reply| {
                    desk.note(w().decide.ask_done);
                });
            }
            Err(flaws) => show_flaws(faults, flaws),
        }
    };
    let left = kept(shared);
    let takes = (askable.fee.minor > 0).then(|| (words.ask_fee)(&kept(askable.fee)));
    let fields = move || {
        let shared = share_fields(
            ("dispute-buyer", words.ask_buyer),
            ("dispute-words", words.ask_words, ""),
            form,
            faults,
        );
        view! {
            <form novalidate class="decide" on:submit=go>
                <p class="quiet-text">{words.ask_lead}</p>
                {shared}
                <p class="quiet-text">{(words.ask_hint)(&left)} " " {takes.clone()}</p>
                {form_fault(faults, &["buyer", "words"])}
                <button type="submit" class="secondary on-private" data-test="dispute-go" disabled=move || busy.get()>{words.ask_do}</button>
            </form>
        }
        .into_any()
    };
    let form = StoredValue::new(fields);
    let form = move || form.with_value(|fields| fields());
    view! {
        <Show when=move || in_time.get() fallback=move || view! { <p class="quiet-text">{w().decide.ask_late}</p> }>
            <p class="quiet-text">{(words.ask_by)(&format::time(by))}</p>
            {folded("dispute-ask", words.ask, form)}
        </Show>
    }
    .into_any()
}

/// The fields of a share with its reason: id and label of each, and what helps to fill the second in.
pub(crate) fn share_fields(
    (buyer, buyer_label): (&'static str, &'static str),
    (why, why_label, why_hint): (&'static str, &'static str, &'static str),
    form: RwSignal<ShareForm>,
    faults: RwSignal<Faults>,
) -> AnyView {
    let buyer = Field {
        id: buyer,
        label: buyer_label,
        hint: "",
        name: "buyer",
        faults,
    };
    let why = Field {
        id: why,
        label: why_label,
        hint: why_hint,
        name: "words",
        faults,
    };
    let how = Line {
        mode: "decimal",
        ..Line::default()
    };
    let start = form.get_untracked();
    view! {
        {line(&buyer, how, start.buyer, move |text| form.update(|form| form.buyer = text))}
        {area(&why, 3, start.words, move |text| form.update(|form| form.words = text))}
    }
    .into_any()
}

/// Whom a stall takes, in its form of rules: those it has, and those of whom it is heard.
pub(crate) fn takes(form: RwSignal<RulesForm>) -> AnyView {
    let desk = desk();
    let words = &w().decide;
    let taken = Memo::new(move |_| form.with(|form| form.arbiters.clone()));
    let heard = Memo::new(move |_| {
        let all = desk.board.with(|board| board.arbiters(ECASH.name));
        let new = |(one, _): &(Arbiter, String)| taken.with(|taken| !taken.contains(one));
        all.into_iter().filter(new).collect::<Vec<_>>()
    });
    let none = move || taken.with(Vec::is_empty) && heard.with(Vec::is_empty);
    let full = Memo::new(move |_| taken.with(|taken| taken.len() >= ARBITERS_MAX));
    // Drawn anew only if one of them comes, goes, or is heard of.
    let rows = Memo::new(move |_| {
        desk.board.with(|board| {
            let taken = taken.get().into_iter();
            let titled = taken.map(|one| (board.arbiter(&one).map(ToOwned::to_owned), one));
            titled.collect::<Vec<_>>()
        })
    });
    let row = move |(title, one): (Option<String>, Arbiter)| {
        let title = title.unwrap_or_else(|| w().decide.takes_away.to_owned());
        let label = (w().decide.takes_remove)(&title);
        let away = one.intent;
        let remove = move |_| form.update(|form| form.arbiters.retain(|it| it.intent != away));
        view! {
            <li class="mint" data-test="takes-arbiter">
                {about(&one, title)}
                <button type="button" class="quiet icon-only" aria-label=label on:click=remove>{icon(Icon::Cross)}</button>
            </li>
        }
    };
    let offer = move |(one, title): (Arbiter, String)| {
        let label = (w().decide.takes_add)(&title);
        let taken = one.clone();
        let add = move |_| form.update(|form| form.arbiters.push(taken.clone()));
        view! {
            <li class="mint" data-test="arbiter-heard">
                {about(&one, title)}
                <button type="button" class="quiet icon-only" data-test="takes-arbiter-add" aria-label=label on:click=add>{icon(Icon::Plus)}</button>
            </li>
        }
    };
    view! {
        <fieldset class="choice" data-test="takes-arbiters">
            <legend>{words.takes}</legend>
            <p class="hint">{words.takes_lead}</p>
            <ul class="mints">{move || rows.get().into_iter().map(row).collect_view()}</ul>
            <Show when=move || !full.get() fallback=move || view! { <p class="hint">{words.takes_full}</p> }>
                <ul class="mints">{move || heard.get().into_iter().map(offer).collect_view()}</ul>
            </Show>
            <Show when=none><p class="quiet-text">{words.takes_none}</p></Show>
        </fieldset>
    }
    .into_any()
}

fn about(one: &Arbiter, title: String) -> AnyView {
    view! {
        <span class="arbiter-row">
            <strong>{title}</strong>
            {recognised(&one.intent.0, "arbiter-face")}
            <small>{terms(&one.terms)}</small>
        </span>
    }
    .into_any()
}
