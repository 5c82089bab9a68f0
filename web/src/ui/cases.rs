//! What I decide for others: on which terms I offer to, what I was asked, and what I have decided.
//!
//! An offer is said out loud, so it stands on the ground of what everyone sees; a case is private.

use haggle_protocol::{Custodian, IntentId, MessageId, Money, ThreadId, Timestamp};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::{desk, lang, sentence, w};
use crate::board::{Board, Ruler, is_over, is_unasked};
use crate::forms::Faults;
use crate::forms::deciding::{OfferForm, ShareForm, reason};
use crate::node::{Case, CaseState, ClaimView, Command, IntentState, MyIntent, Reply};
use crate::ui::arbiter::{ruling, share_fields, terms};
use crate::ui::chat::{self, Other, To};
use crate::ui::format;
use crate::ui::parts::{
    Field, Icon, Line, area, carry_out, folded, form_fault, heading, icon, kept, line, person,
    play_warning, recheck, recognised, show_flaws,
};
use crate::ui::quote_form::lead;
use crate::ui::requests::withdrawing;
use crate::ui::slip::{loud_mark, private_mark};
use crate::words::duration;

/// The screen.
pub(crate) fn screen() -> AnyView {
    let desk = desk();
    let words = &w().decide;
    let cases = Memo::new(move |_| desk.board.with(Board::cases));
    let offers = Memo::new(move |_| desk.board.with(Board::my_offers));
    // The one that is being decided: a single form stands on the screen, so that nobody types into another case's.
    let deciding = RwSignal::new(None::<MessageId>);
    // One offer is enough for most; another one is folded away.
    let none = Memo::new(move |_| {
        desk.board.with(|board| {
            let offers = board.my_offers();
            let mut mine = offers.iter().filter_map(|id| board.mine(id));
            mine.all(|mine| is_over(mine.state))
        })
    });
    view! {
        {heading(words.heading, words.lead)}
        <p class="warn">{icon(Icon::Scales)} <span>{words.duty}</span></p>
        <div class="stall money-screen" data-test="cases">
            <div class="stall-side">
                <h2>{words.cases}</h2>
                <Show when=move || cases.with(Vec::is_empty)><p class="quiet-text">{w().decide.cases_none}</p></Show>
                <For each=move || cases.get() key=|order| *order children=move |order| case(order, deciding) />
            </div>
            <div class="stall-side">
                <For each=move || offers.get() key=|id| *id children=offered />
                {offer(none)}
            </div>
        </div>
    }
    .into_any()
}

/// What I have said of deciding.
fn offered(id: IntentId) -> AnyView {
    let desk = desk();
    let words = &w().decide;
    let mine = Memo::new(move |_| desk.board.with(|board| board.mine(&id).cloned()));
    let open = move || mine.with(|mine| mine.as_ref().is_some_and(|mine| !is_over(mine.state)));
    let questions = Memo::new(move |_| {
        desk.board.with(|board| {
            let about_cases = board.case_threads();
            let mut threads = board.questions(&id);
            threads.retain(|thread| !about_cases.contains(thread));
            threads
        })
    });
    // The same again, under the same name: it is open from now on for as long as at first.
    let longer = move |_| {
        let Some(draft) = mine.with_untracked(|mine| mine.as_ref().map(|mine| mine.draft.clone()))
        else {
            return;
        };
        spawn_local(async move {
            let command = Command::Revise {
                intent: id,
                draft: Box::new(draft),
            };
            match desk.command(command).await {
                Ok(_) => desk.note(w().decide.offered_longer),
                Err(complaint) => desk.note(&sentence(&complaint)),
            }
        });
    };
    let told = move |mine: &MyIntent| {
        let until = if mine.state == IntentState::Open {
            (words.until)(&format::time(mine.until))
        } else {
            words.over.to_owned()
        };
        view! {
            <h2 class="slip-title">{mine.intent.title.clone()}</h2>
            {mine.intent.details.clone().map(|details| view! { <p class="slip-details">{details}</p> })}
            <p>{mine.intent.arbiter.as_ref().map(terms)}</p>
            <p class="quiet-text">{until}</p>
        }
    };
    view! {
        <section class="loud card offer" class:over=move || !open() data-test="offer-card" data-intent=id.to_string()
            data-open=move || open().to_string()>
            <div class="card-top">{loud_mark(w().all.everyone_sees)}</div>
            {move || mine.with(|mine| mine.as_ref().map(told))}
            <Show when=open>
                {recognised(&id.0, "offer-face")}
                <p class="hint">{words.four}</p>
            </Show>
            <div class="card-actions">
                <Show when=open>
                    <button type="button" class="secondary" data-test="offer-longer" on:click=longer>{words.longer}</button>
                </Show>
                {withdrawing(id, mine, words.stop, words.stopping)}
            </div>
        </section>
        <Show when=move || questions.with(|threads| !threads.is_empty())>
            <section class="private card">
                <h3>{words.questions}</h3>
                <For each=move || questions.get() key=|thread| *thread
                    children=move |thread| chat::panel(To::Thread(thread), Other::Trader) />
            </section>
        </Show>
    }
    .into_any()
}

/// Offers to decide.
fn offer(unfolded: Memo<bool>) -> AnyView {
    let desk = desk();
    let words = &w().decide;
    let start = OfferForm::default();
    let form = RwSignal::new(start.clone());
    let (busy, faults) = (RwSignal::new(false), RwSignal::new(Faults::default()));
    // Drawn anew once it is said, so that the fields are empty for the next.
    let times = RwSignal::new(0u32);
    recheck(form, faults, |form| {
        form.read(lang().tag()).err().unwrap_or_default()
    });
    let go = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        match form.with_untracked(|form| form.read(lang().tag())) {
            Ok(draft) => {
                let work = async move { desk.offer_to_decide(draft).await };
                carry_out(busy, faults, work, move |_: Reply| {
                    desk.note(w().decide.offered);
                    form.set(OfferForm::default());
                    times.update(|times| *times += 1);
                });
            }
            Err(flaws) => show_flaws(faults, flaws),
        }
    };
    let named = move |id, name, label, hint| Field {
        id,
        label,
        hint,
        name,
        faults,
    };
    let fields = move || {
        times.track();
        let words = &w().decide;
        let called = Line {
            example: words.title_example,
            ..Line::default()
        };
        let number = Line {
            mode: "decimal",
            narrow: true,
            ..Line::default()
        };
        view! {
            {line(&named("offer-title", "title", words.title, words.title_hint), called, String::new(),
                move |text| form.update(|form| form.title = text))}
            {area(&named("offer-details", "details", words.details, words.details_hint), 3, String::new(),
                move |text| form.update(|form| form.details = text))}
            <div class="row">
                {line(&named("offer-fee", "fee", words.fee, words.fee_hint), number, start.fee.clone(),
                    move |text| form.update(|form| form.fee = text))}
                {lead(&named("offer-within", "within", words.within, words.within_hint), &start.within,
                    move |text| form.update(|form| form.within.count = text),
                    move |span| form.update(|form| form.within.span = span))}
            </div>
        }
    };
    view! {
        <details class="loud card offer-new" data-test="offer-new" prop:open=unfolded>
            <summary>{words.offer}</summary>
            {loud_mark(w().all.everyone_sees)}
            <form novalidate data-test="offer-form" on:submit=go>
                {fields}
                {form_fault(faults, &["title", "details", "fee", "within"])}
                <button type="submit" class="primary" data-test="offer-go" disabled=move || busy.get()>
                    {move || if busy.get() { w().decide.offering } else { w().decide.offer_do }}
                </button>
            </form>
        </details>
    }
    .into_any()
}

/// The name of a state for tests.
const fn state_name(state: CaseState) -> &'static str {
    match state {
        CaseState::Looking => "looking",
        CaseState::Open => "open",
        CaseState::Signing => "signing",
        CaseState::Ruled => "ruled",
        CaseState::Gone => "gone",
        CaseState::Missed => "missed",
    }
}

/// One case.
fn case(order: MessageId, deciding: RwSignal<Option<MessageId>>) -> AnyView {
    let desk = desk();
    let case = Memo::new(move |_| desk.board.with(|board| board.case(&order).cloned()));
    let state = Memo::new(move |_| case.with(|case| case.as_ref().map(|case| case.state)));
    let threads = Memo::new(move |_| {
        case.with(|case| {
            let claims = case.iter().flat_map(|case| &case.claims);
            claims.map(|claim| claim.thread).collect::<Vec<_>>()
        })
    });
    // What is left for the two, while there is something to decide.
    let shared = Memo::new(move |_| {
        case.with(|case| {
            let case = case.as_ref()?;
            let left = case.amount.minor.saturating_sub(case.fee);
            let left = Money::new(left, case.amount.asset);
            let shared = (left, case.keeper.custodian.clone(), case.review);
            (case.state == CaseState::Open).then_some(shared)
        })
    });
    // Once it is decided the form is put away; who is asked once more begins anew.
    Effect::new(move |_| {
        if shared.with(Option::is_none) && deciding.get_untracked() == Some(order) {
            deciding.set(None);
        }
    });
    view! {
        <article class="private card case" data-test="case-card" data-state=move || state.get().map(state_name)
            data-trouble=move || case.with(|case| case.as_ref().and_then(|case| case.trouble.clone()))>
            {move || case.with(|case| case.as_ref().map(|case| about(case, desk.now.get_untracked())))}
            <For each=move || threads.get() key=|thread| *thread children=move |thread| claim(thread, case) />
            {move || shared.get().map(|(shared, mint, review)| {
                if deciding.get() == Some(order) {
                    let counts_as_sent = review.map(|review| renew(order, review));
                    return view! { {rule(order, shared, &mint)} {counts_as_sent} }.into_any();
                }
                view! {
                    <button type="button" class="primary on-private" data-test="rule-begin" on:click=move |_| deciding.set(Some(order))>
                        {w().decide.rule}
                    </button>
                }
                .into_any()
            })}
        </article>
    }
    .into_any()
}

fn about(case: &Case, now: Timestamp) -> AnyView {
    let words = &w().decide;
    let mint = &case.keeper.custodian;
    let undecided = match case.state {
        CaseState::Looking | CaseState::Open => true,
        CaseState::Signing | CaseState::Ruled | CaseState::Gone | CaseState::Missed => false,
    };
    let time = undecided.then(|| {
        let fee = format::kept(Money::new(case.fee, case.amount.asset), mint);
        let by = (case.rule_by > now).then(|| (words.rule_by)(&format::time(case.rule_by)));
        view! {
            <ul class="terms">
                {by.map(|by| view! { <li>{by}</li> })}
                <li>{(words.deadline)(case.holder, &format::time(case.deadline))}</li>
                {(case.fee > 0).then(|| view! { <li>{(words.fee_of)(&fee)}</li> })}
            </ul>
        }
    });
    let state = if is_unasked(case) {
        words.unasked
    } else {
        (words.state)(case.state)
    };
    let earned = case.earned.filter(|earned| earned.minor > 0);
    let earned = earned.map(|earned| {
        view! { <p class="strong" data-test="case-earned">{(words.earned)(&format::kept(earned, mint))}</p> }
    });
    view! {
        {private_mark(w().all.private)}
        <p class="escrow-sum">{kept(case.amount, mint)} " " <small>{(w().escrow.kept_by)(&format::mint(mint))}</small></p>
        {play_warning(mint, "")}
        <p class="strong" data-test="case-state">{state}</p>
        {time}
        {case.ruling.as_ref().map(|it| ruling(it, Ruler::Me, case.amount, mint))}
        {earned}
        {case.trouble.as_deref().map(|code| trouble(code, case))}
    }
    .into_any()
}

/// Why it does not go on, and what to do about it.
fn trouble(code: &str, case: &Case) -> AnyView {
    let desk = desk();
    let words = &w().decide;
    if code != "not-trusted" {
        return view! { <p class="fault" role="status">{(w().escrow.trouble)(code)}</p> }
            .into_any();
    }
    let (mint, with) = (case.keeper.custodian.clone(), case.claims.first());
    let with = with.map(|claim| claim.thread);
    let name = format::mint(&mint);
    let trust = move |_| {
        let mint = mint.clone();
        spawn_local(async move {
            let asked = async {
                desk.trust(vec![mint]).await?;
                // It was given up for a while.
                if let Some(thread) = with {
                    desk.command(Command::Pay { thread }).await?;
                }
                Ok(())
            };
            if let Err(complaint) = asked.await {
                desk.note(&sentence(&complaint));
            }
        });
    };
    view! {
        <div class="plan" role="status">
            <p>{(words.trust_lead)(&name)}</p>
            <button type="button" class="secondary on-private small" data-test="case-trust" on:click=trust>{(words.trust)(&name)}</button>
        </div>
    }
    .into_any()
}

/// What one of the two wants, and the exchange with him.
fn claim(thread: ThreadId, case: Memo<Option<Case>>) -> AnyView {
    let words = &w().decide;
    let told = move || {
        case.with(|case| {
            let case = case.as_ref()?;
            let claim = case.claims.iter().find(|claim| claim.thread == thread)?;
            Some(wants(claim, case))
        })
    };
    let side = case.with_untracked(|case| {
        let mut claims = case.iter().flat_map(|case| &case.claims);
        claims.find(|it| it.thread == thread).map(|it| it.side)
    });
    view! {
        <section class="claim" data-test="claim" aria-label=side.map(words.side)>
            {told}
            {side.map(|side| chat::panel(To::Thread(thread), side.into()))}
        </section>
    }
    .into_any()
}

fn wants(claim: &ClaimView, case: &Case) -> AnyView {
    let words = &w().decide;
    let amount = Money::new(claim.buyer, case.amount.asset);
    let amount = format::kept(amount, &case.keeper.custodian);
    let told = match (&case.ruling, &claim.refused, claim.told) {
        (None, ..) => None,
        (Some(_), Some(_), _) => Some(words.not_taken),
        (Some(_), None, true) => Some(words.told),
        (Some(_), None, false) => Some(words.not_told),
    };
    view! {
        <div class="card-top">
            <strong>{(words.side)(claim.side)}</strong>
            {person(&claim.trader, "claim-trader")}
        </div>
        <p class="strong">{(words.claim)(claim.side, &amount)}</p>
        <blockquote class="note"><p class="note-who">{format::time(claim.at)}</p>{claim.words.clone()}</blockquote>
        {told.map(|told| view! { <p class="quiet-text" data-test="claim-told">{told}</p> })}
    }
    .into_any()
}

/// Decides.
fn rule(order: MessageId, shared: Money, mint: &Custodian) -> AnyView {
    let desk = desk();
    let whole = format::kept(shared, mint);
    let words = &w().decide;
    let form = RwSignal::new(ShareForm::default());
    let (busy, faults) = (RwSignal::new(false), RwSignal::new(Faults::default()));
    let go = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        match form.with_untracked(|form| form.read(shared)) {
            Ok((buyer, words)) => {
                let command = Command::Rule {
                    case: order,
                    buyer,
                    words,
                };
                let work = async move { desk.command(command).await };
                carry_out(busy, faults, work, move |_: Reply| {
                    desk.note(w().decide.rule_done);
                });
            }
            Err(flaws) => show_flaws(faults, flaws),
        }
    };
    view! {
        <form novalidate class="decide" data-test="rule" on:submit=go>
            <h3>{words.rule}</h3>
            <p class="quiet-text">{words.rule_lead}</p>
            {share_fields(("rule-buyer", words.rule_buyer), ("rule-words", words.rule_words, words.rule_words_hint), form, faults)}
            <p class="quiet-text">{(words.rule_hint)(&whole)}</p>
            {form_fault(faults, &["buyer", "words"])}
            <button type="submit" class="primary on-private" data-test="rule-go" disabled=move || busy.get()>{words.rule_do}</button>
        </form>
    }
    .into_any()
}

/// Decides that it counts as sent.
fn renew(order: MessageId, review: u32) -> AnyView {
    let desk = desk();
    let words = &w().decide;
    let typed = RwSignal::new(String::new());
    let (busy, faults) = (RwSignal::new(false), RwSignal::new(Faults::default()));
    let go = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        match typed.with_untracked(|typed| reason(typed)) {
            Ok(words) => {
                let command = Command::Renew { case: order, words };
                let work = async move { desk.command(command).await };
                carry_out(busy, faults, work, move |_: Reply| {
                    desk.note(w().decide.rule_done);
                });
            }
            Err(flaws) => show_flaws(faults, flaws),
        }
    };
    let form = move || {
        let what = Field {
            id: "renew-words",
            label: words.rule_words,
            hint: words.rule_words_hint,
            name: "words",
            faults,
        };
        view! {
            <form novalidate class="decide" on:submit=go>
                <p class="quiet-text">{(words.renew_lead)(&duration(w(), u64::from(review)))}</p>
                {area(&what, 3, typed.get_untracked(), move |text| typed.set(text))}
                {form_fault(faults, &["words"])}
                <button type="submit" class="secondary on-private" data-test="renew-go" disabled=move || busy.get()>{words.renew_do}</button>
            </form>
        }
        .into_any()
    };
    folded("renew", words.renew, form)
}
