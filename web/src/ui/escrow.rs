//! Money that is locked for a trade: how a buyer chooses it, what a seller takes, and what has become of it since.
//!
//! Wherever money can be locked it is said who keeps it, when it goes to whom, and what each of the two can do about it; wherever it is
//! not, that there is no escrow.

use haggle_protocol::{Arbiter, Custodian, Keeper, Money, ThreadId};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::{Desk, desk, play_mint, sentence, w};
use crate::board::{Board, decided};
use crate::forms::money::{KeeperRow, free, mint, payment, share};
use crate::forms::stall::RulesForm;
use crate::forms::{Faults, Flaw, Wrong};
use crate::node::{
    Command, ECASH, EscrowState, EscrowView, Payment, ProposalView, Reply, Role, Trade, TradeState,
    usual_review,
};
use crate::route::Screen;
use crate::ui::arbiter::{self, Choice};
use crate::ui::format;
use crate::ui::parts::{
    Card, Field, Icon, Line, cards, carry_out, fault_line, folded, form_fault, icon, kept, line,
    money, play_warning, show_flaws, tick,
};
use crate::ui::slip::private_mark;
use crate::ui::wallet::currency;
use crate::words::duration;

/// How an order is to be paid, as it is chosen in the dialog.
#[derive(Clone, Copy)]
pub(crate) struct Paying {
    total: Money,
    /// The places that the quote names and that this page can pay through.
    keepers: StoredValue<Vec<Keeper>>,
    /// Which of them; none if it is paid directly.
    way: RwSignal<Option<usize>>,
    /// How much of another currency.
    rate: RwSignal<String>,
    /// Whether the mint is trusted from now on.
    trusts: RwSignal<bool>,
    /// Who decides.
    arbiter: Choice,
    faults: RwSignal<Faults>,
    desk: Desk,
}

/// The names of the ways in the form: a quote names eight at most.
const WAYS: [&str; 8] = ["0", "1", "2", "3", "4", "5", "6", "7"];
/// The name of paying directly.
const DIRECT: &str = "direct";

impl Paying {
    /// For a quote. Where there is enough in a purse already, that is what is chosen to begin with.
    pub(crate) fn new(
        total: Money,
        keepers: &[Keeper],
        arbiters: &[Arbiter],
        faults: RwSignal<Faults>,
    ) -> Self {
        let ours = keepers.iter().filter(|it| it.rail == ECASH.name);
        let keepers: Vec<Keeper> = ours.take(WAYS.len()).cloned().collect();
        let desk = desk();
        let balances = desk.board.with_untracked(Board::balances);
        let enough = |it: &Keeper| {
            it.asset == total.asset && free(&balances, &it.custodian, it.asset) >= total.minor
        };
        let way = keepers.iter().position(enough);
        if !keepers.is_empty() {
            spawn_local(async move {
                // Whether one is trusted is asked of the program behind the money, which is loaded for that.
                let _ = desk.look_at_mints().await;
            });
        }
        Self {
            total,
            keepers: StoredValue::new(keepers),
            way: RwSignal::new(way),
            rate: RwSignal::new(String::new()),
            trusts: RwSignal::new(false),
            arbiter: Choice::new(arbiters),
            faults,
            desk,
        }
    }

    fn keeper(self) -> Option<Keeper> {
        let at = self.way.get()?;
        self.keepers.with_value(|all| all.get(at).cloned())
    }

    fn is_trusted(self, mint: &Custodian) -> bool {
        let known = self.desk.mints;
        known.with(|mints| mints.as_ref().is_some_and(|all| all.contains(mint)))
    }

    /// What is ordered for, as it is chosen now: the quote's total, and that it is paid in play money, where it is.
    pub(crate) fn total(self) -> String {
        match self.keeper().filter(|it| it.asset == self.total.asset) {
            Some(keeper) => format::kept(self.total, &keeper.custodian),
            None => format::money(self.total),
        }
    }

    /// The same large.
    pub(crate) fn large(self) -> AnyView {
        match self.keeper().filter(|it| it.asset == self.total.asset) {
            Some(keeper) => kept(self.total, &keeper.custodian).into_any(),
            None => money(self.total).into_any(),
        }
    }

    /// What was chosen, and the mint that is to be trusted for it.
    ///
    /// # Errors
    /// Every flaw that was found.
    pub(crate) fn read(self) -> Result<(Option<Payment>, Vec<Custodian>), Vec<Flaw>> {
        let Some(keeper) = untrack(|| self.keeper()) else {
            return Ok((None, Vec::new()));
        };
        let mut payment = self
            .rate
            .with_untracked(|text| payment(&keeper, self.total, text))?;
        payment.arbiter = self.arbiter.read();
        if untrack(|| self.is_trusted(&keeper.custodian)) {
            return Ok((Some(payment), Vec::new()));
        }
        if self.trusts.get_untracked() {
            return Ok((Some(payment), vec![keeper.custodian]));
        }
        Err(vec![Flaw {
            field: "trust",
            wrong: Wrong::Unticked,
        }])
    }

    /// The choice; nothing if the quote names no place that this page can pay through.
    pub(crate) fn draw(self) -> AnyView {
        if self.keepers.with_value(Vec::is_empty) {
            return view! { <p class="quiet-text" data-test="pay-direct-only">{w().escrow.direct_means}</p> }.into_any();
        }
        let words = &w().escrow;
        let start = self.way.get_untracked();
        let start = start.and_then(|at| WAYS.get(at)).copied();
        let mut choices = vec![Card {
            value: DIRECT,
            title: words.direct.to_owned(),
            means: words.direct_means.to_owned(),
        }];
        self.keepers.with_value(|keepers| {
            choices.extend(WAYS.iter().zip(keepers).map(|(value, keeper)| Card {
                value,
                title: through(keeper, self.total),
                means: (words.through_means)(&format::mint(&keeper.custodian)),
            }));
        });
        view! {
            {cards("pay-way", words.how, choices, start.unwrap_or(DIRECT), move |chosen| {
                self.way.set(WAYS.iter().position(|way| *way == chosen));
            })}
            {move || self.keeper().map(|keeper| self.plan(&keeper))}
        }
        .into_any()
    }

    /// What happens with the money, before anybody pays it.
    fn plan(self, keeper: &Keeper) -> AnyView {
        let words = &w().escrow;
        let asset = keeper.asset;
        let mint = keeper.custodian.clone();
        let other = asset != self.total.asset;
        let rate = other.then(|| {
            let hint = (words.rate_hint)(&format::money(self.total));
            let what = Field {
                id: "pay-rate",
                label: words.rate,
                hint: "",
                name: "minor",
                faults: self.faults,
            };
            let how = Line {
                mode: "decimal",
                ..Line::default()
            };
            view! {
                {line(&what, how, String::new(), move |text| self.rate.set(text))}
                <p class="hint">{hint} " " {asset.code().to_owned()}</p>
            }
        });
        let sum = move || {
            if other {
                self.rate.with(|text| Money::parse(text, asset))
            } else {
                Some(self.total)
            }
        };
        let (purse, leaves, holds) = (mint.clone(), mint.clone(), mint.clone());
        let warning = play_warning(&mint, "");
        let have = move || {
            let balances = self.desk.board.with(Board::balances);
            Money::new(free(&balances, &purse, asset), asset)
        };
        let (held, short_of) = (have.clone(), have);
        let lacks = move || sum().is_some_and(|sum| sum.minor > short_of().minor);
        let asked = mint;
        let trust = move || {
            (!self.is_trusted(&asked)).then(|| {
                let words = &w().escrow;
                let label = (words.trust)(&format::mint(&asked));
                view! {
                    {tick("pay-trust", label, words.trust_hint, self.trusts.get_untracked(), move |on| self.trusts.set(on))}
                    {fault_line("pay-trust", self.faults, "trust")}
                }
            })
        };
        let review = move || {
            let review = usual_review(self.arbiter.chosen().as_ref());
            (w().escrow.plan_review)(&duration(w(), u64::from(review)))
        };
        let alone = move || alone(self.arbiter.chosen().is_some());
        view! {
            <div class="plan" data-test="pay-plan">
                {warning}
                {rate}
                <ul class="terms">
                    <li>{move || sum().map(|sum| (w().escrow.plan)(&format::kept(sum, &leaves)))}</li>
                    <li>{words.plan_send}</li>
                    <li>{review}</li>
                    <li>{words.plan_have}</li>
                    <li>{alone}</li>
                </ul>
                <p class="quiet-text">{move || (w().escrow.purse)(&format::kept(held(), &holds))}</p>
                <Show when=lacks>
                    <p class="fault" data-test="pay-short">{w().escrow.short}</p>
                    <a class="button secondary on-private small" href=move || self.desk.href(Screen::Money)>{icon(Icon::Purse)} {w().escrow.fill}</a>
                </Show>
                {trust}
            </div>
            {self.arbiter.draw()}
            {fault_line("pay-arbiter", self.faults, "arbiter")}
        }
        .into_any()
    }
}

/// Who can move what is locked before its deadline.
fn alone(with_arbiter: bool) -> &'static str {
    let words = &w().escrow;
    if with_arbiter {
        words.alone_of_three
    } else {
        words.alone
    }
}

fn through(keeper: &Keeper, total: Money) -> String {
    let name = w().escrow.through;
    if keeper.asset == total.asset {
        name.to_owned()
    } else {
        format!("{name} ({})", keeper.asset.code())
    }
}

/// How an order is to be paid, to the seller who confirms it.
pub(crate) fn ordered(trade: &Trade) -> Option<AnyView> {
    let words = &w().escrow;
    let escrow = trade.escrow.as_ref()?;
    let mint = format::mint(&escrow.keeper.custodian);
    let amount = format::kept(escrow.amount, &escrow.keeper.custodian);
    let other = escrow.amount.asset != trade.quote.total.asset;
    Some(
        view! {
            <div class="plan" data-test="order-escrow">
                <p class="strong">{(words.ordered)(&amount, &mint)}</p>
                {other.then(|| view! { <p class="fault">{words.ordered_rate}</p> })}
                <p class="quiet-text">{(words.ordered_send)(&format::time(escrow.deadline))}</p>
                {escrow.arbiter.as_ref().map(|it| arbiter::chosen(it, false))}
            </div>
        }
        .into_any(),
    )
}

/// The name of a state for tests.
const fn state_name(state: EscrowState) -> &'static str {
    match state {
        EscrowState::Planned => "planned",
        EscrowState::Locking => "locking",
        EscrowState::Locked => "locked",
        EscrowState::Released => "released",
        EscrowState::Refunded => "refunded",
        EscrowState::Shared { .. } => "shared",
    }
}

/// Whether there is anything to tell: of an order that came to nothing, no money was ever locked.
fn is_told(trade: &Trade) -> bool {
    let planned = trade
        .escrow
        .as_ref()
        .is_none_or(|it| it.state == EscrowState::Planned);
    !planned
        || match trade.state {
            TradeState::Ordered => trade.role == Role::Buyer,
            TradeState::Confirmed
            | TradeState::ContactsExchanged
            | TradeState::Dispatched
            | TradeState::Delivered
            | TradeState::Received => true,
            TradeState::Declined(_)
            | TradeState::NotConfirmed
            | TradeState::Cancelled { .. }
            | TradeState::Lapsed => false,
        }
}

/// What has become of the money of a trade.
pub(crate) fn panel(id: ThreadId, trade: Memo<Option<Trade>>) -> AnyView {
    let now = Memo::new(move |_| {
        trade.with(|trade| {
            let told = trade.as_ref().filter(|trade| is_told(trade))?;
            Some((told.escrow.clone()?, told.role))
        })
    });
    // What is moved or decided already nobody shares out any more.
    let locked = Memo::new(move |_| {
        now.with(|now| {
            let (escrow, _) = now.as_ref()?;
            let open = decided(escrow).is_none() && !escrow.moved;
            let locked = (escrow.amount, escrow.keeper.custodian.clone());
            (open && escrow.state == EscrowState::Locked).then_some(locked)
        })
    });
    // What is typed outlives whatever happens to the trade meanwhile.
    let share_typed = RwSignal::new(String::new());
    let escrow = Memo::new(move |_| now.with(|now| now.as_ref().map(|(escrow, _)| escrow.clone())));
    let inside = move || now.with(|now| now.as_ref().map(|(escrow, role)| tell(id, escrow, *role)));
    view! {
        <Show when=move || now.with(Option::is_some)>
            <section class="handover escrow" data-test="escrow-panel"
                data-state=move || now.with(|now| now.as_ref().map(|(escrow, _)| state_name(escrow.state)))
                data-trouble=move || now.with(|now| now.as_ref().and_then(|(escrow, _)| escrow.trouble.clone()))>
                {private_mark(w().escrow.heading)}
                {inside}
                {move || locked.get().map(|(amount, mint)| share_out(id, amount, &mint, share_typed))}
                {arbiter::panel(id, escrow)}
            </section>
        </Show>
    }
    .into_any()
}

fn tell(id: ThreadId, escrow: &EscrowView, role: Role) -> AnyView {
    let words = &w().escrow;
    let time = format::time(escrow.deadline);
    let next = (escrow.state == EscrowState::Locked).then(|| {
        view! {
            <p data-test="escrow-next">{(words.next)(escrow.holder, role, &time)}</p>
            <p class="quiet-text">{alone(escrow.arbiter.is_some())}</p>
        }
    });
    let mint = &escrow.keeper.custodian;
    let amount = |minor| format::kept(Money::new(minor, escrow.amount.asset), mint);
    let shared = match escrow.state {
        EscrowState::Shared { buyer, seller } => {
            Some((words.shared)(&amount(buyer), &amount(seller)))
        }
        EscrowState::Planned
        | EscrowState::Locking
        | EscrowState::Locked
        | EscrowState::Released
        | EscrowState::Refunded => None,
    };
    let came = escrow.mine.filter(|mine| mine.minor > 0);
    let came = came.map(
        |mine| view! { <p class="strong" data-test="escrow-mine">{(words.came)(&format::kept(mine, mint))}</p> },
    );
    let trouble = escrow.trouble.as_deref().map(|code| trouble(id, code));
    let proposals = escrow.proposals.iter().filter(|_| !escrow.moved);
    let proposals = proposals.map(|it| proposal(id, escrow, it, role));
    view! {
        <p class="escrow-sum">{kept(escrow.amount, mint)} " " <small>{(words.kept_by)(&format::mint(mint))}</small></p>
        {play_warning(mint, "")}
        <p class="strong" data-test="escrow-state">{(words.state)(escrow.state, role)}</p>
        {shared.map(|shared| view! { <p>{shared}</p> })}
        {came}
        {next}
        {trouble}
        {proposals.collect_view()}
    }
    .into_any()
}

/// Why it does not go on, and what to do about it.
fn trouble(id: ThreadId, code: &str) -> AnyView {
    let desk = desk();
    let again = move |_| {
        spawn_local(async move {
            if let Err(complaint) = desk.command(Command::Pay { thread: id }).await {
                desk.note(&sentence(&complaint));
            }
        });
    };
    let purse = matches!(code, "not-enough" | "not-trusted");
    view! {
        <div class="plan" role="status" data-test="escrow-trouble">
            <p class="fault">{(w().escrow.trouble)(code)}</p>
            <div class="card-actions">
                {purse.then(|| view! {
                    <a class="button secondary on-private small" href=move || desk.href(Screen::Money)>{icon(Icon::Purse)} {w().escrow.fill}</a>
                })}
                <button type="button" class="secondary on-private small" data-test="escrow-again" on:click=again>{w().escrow.again}</button>
            </div>
        </div>
    }
    .into_any()
}

/// How one of the two would share it out.
fn proposal(id: ThreadId, escrow: &EscrowView, it: &ProposalView, role: Role) -> AnyView {
    let desk = desk();
    let words = &w().escrow;
    let mint = &escrow.keeper.custodian;
    let amount = |minor| format::kept(Money::new(minor, escrow.amount.asset), mint);
    let (buyer, seller) = (amount(it.buyer), amount(it.seller));
    let mine = it.by == role;
    let told = if mine {
        (words.offer_mine)(&buyer, &seller)
    } else {
        (words.offer_theirs)(&buyer, &seller)
    };
    let share = it.buyer;
    let agree = move |_| {
        spawn_local(async move {
            let command = Command::Agree {
                thread: id,
                buyer: share,
            };
            match desk.command(command).await {
                Ok(_) => desk.note(w().escrow.agreed),
                Err(complaint) => desk.note(&sentence(&complaint)),
            }
        });
    };
    view! {
        <div class="plan" data-test="escrow-offer">
            <p>{told}</p>
            {(!it.agreed).then(|| view! {
                <button type="button" class="primary on-private" data-test="escrow-agree" on:click=agree>{icon(Icon::Check)} {words.agree}</button>
            })}
        </div>
    }
    .into_any()
}

/// Proposes how to share it out.
fn share_out(id: ThreadId, locked: Money, mint: &Custodian, buyer: RwSignal<String>) -> AnyView {
    let desk = desk();
    let whole = format::kept(locked, mint);
    let words = &w().escrow;
    let (busy, faults) = (RwSignal::new(false), RwSignal::new(Faults::default()));
    let what = Field {
        id: "share-buyer",
        label: words.share_buyer,
        hint: "",
        name: "buyer",
        faults,
    };
    let how = Line {
        mode: "decimal",
        ..Line::default()
    };
    let go = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        match buyer.with_untracked(|text| share(locked, text)) {
            Ok(buyer) => {
                let command = Command::Settle { thread: id, buyer };
                let work = async move { desk.command(command).await };
                carry_out(busy, faults, work, move |_: Reply| {
                    desk.note(w().escrow.share_done)
                });
            }
            Err(flaws) => show_flaws(faults, flaws),
        }
    };
    let fields = move || {
        view! {
            <form novalidate class="decide" on:submit=go>
                <p class="quiet-text">{words.share_lead}</p>
                {line(&what, how, buyer.get_untracked(), move |text| buyer.set(text))}
                <p class="quiet-text">{(words.share_hint)(&whole)}</p>
                {form_fault(faults, &["buyer"])}
                <button type="submit" class="secondary on-private" data-test="share-go" disabled=move || busy.get()>{words.share_do}</button>
            </form>
        }
        .into_any()
    };
    folded("share", words.share, fields)
}

/// The mints that a stall takes, in its form of rules: those it has, and one more.
pub(crate) fn takes(form: RwSignal<RulesForm>, faults: RwSignal<Faults>) -> AnyView {
    let words = &w().escrow;
    let rows = Memo::new(move |_| form.with(|form| form.mints.clone()));
    // Drawn anew once it is added, so that the fields are empty for the next.
    let times = RwSignal::new(0u32);
    let add = move |_| match form.with_untracked(RulesForm::taken) {
        Ok(mints) => {
            form.update(|form| {
                form.mints = mints;
                form.next = KeeperRow::default();
            });
            times.update(|times| *times += 1);
        }
        Err(flaws) => show_flaws(faults, flaws),
    };
    let row = move |(at, row): (usize, KeeperRow)| {
        // Whatever is in this list was read as the address of a mint.
        let name = mint(&row.mint).map_or(row.mint, |mint| format::mint(&mint));
        let label = (w().escrow.takes_remove)(&name);
        let remove = move |_| {
            form.update(|form| {
                form.mints.remove(at);
            });
        };
        view! {
            <li class="mint" data-test="takes-row">
                <span class="relay-host">{name}" · "{row.currency}</span>
                <button type="button" class="quiet icon-only" aria-label=label on:click=remove>{icon(Icon::Cross)}</button>
            </li>
        }
    };
    let next = move || {
        times.track();
        let what = Field {
            id: "takes-mint",
            label: w().money.mint,
            hint: "",
            name: "keepers",
            faults,
        };
        let how = Line {
            kind: "url",
            example: "https://mint.example",
            ..Line::default()
        };
        let set_mint = move |text| form.update(|form| form.next.mint = text);
        let set_currency = move |text| form.update(|form| form.next.currency = text);
        let start = form.with_untracked(|form| form.next.currency.clone());
        view! {
            <div class="takes-row">
                {line(&what, how, String::new(), set_mint)}
                {currency("takes-currency", "takes-currencies", faults, "", &start, set_currency)}
            </div>
        }
    };
    view! {
        <fieldset class="choice" data-test="takes">
            <legend>{words.takes}</legend>
            <p class="hint">{words.takes_lead}</p>
            <ul class="mints">{move || rows.get().into_iter().enumerate().map(row).collect_view()}</ul>
            {next}
            <button type="button" class="quiet" data-test="takes-add" on:click=add>{icon(Icon::Plus)} {words.takes_add}</button>
            {try_it(form, rows)}
        </fieldset>
    }
    .into_any()
}

/// Takes play money with one click, where the page was served with a mint of such and it is not taken yet.
fn try_it(form: RwSignal<RulesForm>, rows: Memo<Vec<KeeperRow>>) -> Option<AnyView> {
    let row = KeeperRow {
        mint: play_mint()?.name().to_owned(),
        ..KeeperRow::default()
    };
    let offered = row.clone();
    let missing = move || rows.with(|rows| !rows.iter().any(|one| one.mint == offered.mint));
    let go = move |_| form.update(|form| form.mints.push(row.clone()));
    Some(
        view! {
            <Show when=missing>
                <div class="play-offer" data-test="play-takes-offer">
                    <p class="hint">{w().play.offer} ". " {w().play.warning}</p>
                    <button type="button" class="secondary small" data-test="play-takes" on:click=go.clone()>
                        {icon(Icon::Plus)} {w().play.takes_do}
                    </button>
                </div>
            </Show>
        }
        .into_any(),
    )
}
