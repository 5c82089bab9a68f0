//! Small parts that every screen is made of: icons, faces, fields with their faults, buttons that wait.

use std::rc::Rc;

use haggle_protocol::{Custodian, Money, PublicKey};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};

use crate::app::{called, desk, sentence, w};
use crate::forms::{Faults, Flaw, PropertyRow};
use crate::node::Complaint;
use crate::picture::{Picture, SIZE, words};
use crate::ui::format;
use crate::units::MEASURES;
use crate::{browser, forms};
use haggle_protocol::attribute::Comparison;

/// Drawings of one line width in a square of 24.
#[derive(Clone, Copy)]
pub(crate) enum Icon {
    Ask,
    Requests,
    Market,
    Stall,
    Trades,
    Lock,
    Loud,
    Clock,
    Truck,
    Place,
    Check,
    Cross,
    Plus,
    Person,
    Gear,
    Link,
    Arrow,
    Tag,
    Dash,
    Purse,
    Layers,
    File,
    Scales,
}

impl Icon {
    const fn path(self) -> &'static str {
        match self {
            Self::Ask | Self::Loud => {
                "M3 10v4h3l7 4V6l-7 4zM17 9a4 4 0 0 1 0 6M19.5 6.5a8 8 0 0 1 0 11"
            }
            Self::Requests => "M4 5h16v11H9l-5 4zM8 9h8M8 12h5",
            Self::Market => "M4 7h16M4 12h16M4 17h10",
            Self::Stall => {
                "M4 10v9h16v-9M3 10l2-5h14l2 5a3 3 0 0 1-6 0 3 3 0 0 1-6 0 3 3 0 0 1-6 0zM10 19v-5h4v5"
            }
            Self::Trades => "M4 8h13l-3-3M20 16H7l3 3",
            Self::Lock => "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3M12 14.5v2",
            Self::Clock => "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4l3 2",
            Self::Truck => {
                "M3 7h11v9H3zM14 10h4l3 3v3h-7M7 19a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6zM17 19a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6z"
            }
            Self::Place => {
                "M12 21c4-5 6-8 6-11a6 6 0 0 0-12 0c0 3 2 6 6 11zM12 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4z"
            }
            Self::Check => "M5 12.5l4.5 4.5L19 7.5",
            Self::Cross => "M6 6l12 12M18 6L6 18",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Person => "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM5 20c1-4 4-5 7-5s6 1 7 5",
            Self::Gear => "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
            Self::Link => {
                "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1"
            }
            Self::Arrow => "M5 12h14M13 6l6 6-6 6",
            Self::Layers => "M4 8l8-4 8 4-8 4zM4 12l8 4 8-4M4 16l8 4 8-4",
            Self::Dash => "M7 12h10",
            Self::Purse => {
                "M4 8h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2zM4 8a2.5 2.5 0 0 1 2.5-2.5H16V8M16.5 14h.01"
            }
            Self::File => "M6.5 3.5h7.5l4 4v13H6.5zM13.5 3.5V8H18",
            Self::Scales => {
                "M12 4v16M8 20h8M5 7h14M5 7l-2.5 6h5zM19 7l-2.5 6h5zM2.5 13a2.5 2.5 0 0 0 5 0M16.5 13a2.5 2.5 0 0 0 5 0"
            }
            Self::Tag => "M4 12.5L12.5 4H20v7.5L11.5 20zM15.8 8.2h.01",
        }
    }
}

/// A drawing; it says nothing to those who do not see it.
pub(crate) fn icon(icon: Icon) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d=icon.path() />
        </svg>
    }
}

/// The picture of an id.
pub(crate) fn face(id: &[u8; 32]) -> impl IntoView + use<> {
    let picture = Picture::of(id);
    view! {
        <svg class=format!("face hue-{}", picture.hue) viewBox=format!("0 0 {SIZE} {SIZE}")
            aria-hidden="true" focusable="false">
            <path class="ground" d=format!("M0 0h{SIZE}v{SIZE}H0z") />
            <path class="shape" d=picture.shapes />
            <path class=format!("shape hue-{}", picture.accent) d=picture.accents />
        </svg>
    }
}

/// A person: picture and four words.
pub(crate) fn person(key: &PublicKey, test: &'static str) -> AnyView {
    recognised(&key.0, test)
}

/// What one is recognised by: picture and four words.
pub(crate) fn recognised(id: &[u8; 32], test: &'static str) -> AnyView {
    view! {
        <span class="person" data-test=test>
            {face(id)}
            <span class="person-words">{words(id)}</span>
        </span>
    }
    .into_any()
}

/// An amount, in figures of one width.
pub(crate) fn money(amount: Money) -> impl IntoView {
    view! { <span class="money">{format::money(amount)}</span> }
}

/// An amount that a mint keeps, in figures of one width, and that it is play money, where it is.
pub(crate) fn kept(amount: Money, mint: &Custodian) -> impl IntoView + use<> {
    let badge = called(|play| play.is(mint)).then(|| {
        view! { " " <span class="badge play-badge" data-test="play-money">{w().play.label}</span> }
    });
    view! { {money(amount)} {badge} }
}

/// What play money is, beside whatever is about to be done with it; nothing for any other.
pub(crate) fn play_warning(mint: &Custodian, more: &'static str) -> Option<AnyView> {
    called(|play| play.is(mint)).then(|| {
        view! { <p class="play-warning" data-test="play-warning">{w().play.warning} " " {more}</p> }.into_any()
    })
}

/// A QR code (ISO/IEC 18004) as one path; none if the text is too long for one. Always dark on light, whatever the colours of the page:
/// cameras want it so.
pub(crate) fn qr(text: &str, label: &'static str, test: &'static str) -> Option<AnyView> {
    /// Empty modules around the code, as the standard asks for.
    const QUIET: i32 = 4;
    let code = qrcodegen::QrCode::encode_text(text, qrcodegen::QrCodeEcc::Medium).ok()?;
    let size = code.size();
    let mut path = String::new();
    for y in 0..size {
        for x in 0..size {
            if code.get_module(x, y) {
                path.push_str(&format!("M{} {}h1v1h-1z", x + QUIET, y + QUIET));
            }
        }
    }
    let side = size + 2 * QUIET;
    Some(
        view! {
            <svg class="qr" viewBox=format!("0 0 {side} {side}") role="img" aria-label=label data-test=test>
                <path class="qr-ground" d=format!("M0 0h{side}v{side}H0z") />
                <path class="qr-code" d=path />
            </svg>
        }
        .into_any(),
    )
}

/// A part that is drawn once somebody unfolds it, and is the only one of its name that is: so what stands in it has its ids for itself, however
/// many trades have such a part.
pub(crate) fn folded(
    name: &'static str,
    summary: &'static str,
    inside: impl Fn() -> AnyView + Send + Sync + 'static,
) -> AnyView {
    let place = NodeRef::<html::Details>::new();
    let open = RwSignal::new(false);
    let toggled = move |_| open.set(place.get_untracked().is_some_and(|it| it.open()));
    view! {
        <details class="breakdown" data-test=name name=name node_ref=place on:toggle=toggled>
            <summary>{summary}</summary>
            <Show when=move || open.get()>{inside()}</Show>
        </details>
    }
    .into_any()
}

/// A text to be taken elsewhere: to copy, and to scan if it is short enough.
pub(crate) fn handed(
    text: String,
    copy: &'static str,
    test: &'static str,
    code: Option<AnyView>,
) -> AnyView {
    let desk = desk();
    let copied = text.clone();
    let take = move |_| {
        let text = copied.clone();
        spawn_local(async move {
            if browser::copy(&text).await {
                desk.note(w().all.copied);
            }
        });
    };
    view! {
        <div class="share">
            <textarea readonly rows="3" class="code-text" aria-label=copy data-test=test prop:value=text></textarea>
            <button type="button" class="secondary small" on:click=take>{icon(Icon::Link)} {copy}</button>
            {code}
        </div>
    }
    .into_any()
}

/// What a part of the screen is called, and what it is for.
pub(crate) fn heading(title: &'static str, lead: &'static str) -> AnyView {
    view! {
        <header class="screen-head">
            <h1 tabindex="-1" id="screen-heading">{title}</h1>
            <p class="lead">{lead}</p>
        </header>
    }
    .into_any()
}

/// A screen with nothing on it yet, which teaches what would be.
pub(crate) fn empty(
    shape: Icon,
    title: &'static str,
    text: &'static str,
    action: AnyView,
) -> AnyView {
    view! {
        <div class="empty" data-test="empty">
            <span class="empty-icon">{icon(shape)}</span>
            <h2>{title}</h2>
            <p>{text}</p>
            {action}
        </div>
    }
    .into_any()
}

/// Everything that a field is, but its control.
pub(crate) struct Field {
    /// Its id and, prefixed by the form, its `data-test`.
    pub(crate) id: &'static str,
    /// What it is called.
    pub(crate) label: &'static str,
    /// What helps to fill it in.
    pub(crate) hint: &'static str,
    /// Under which name faults speak of it.
    pub(crate) name: &'static str,
    /// What is wrong with the form.
    pub(crate) faults: RwSignal<Faults>,
}

/// What is wrong with one field, in words.
pub(crate) fn fault(faults: RwSignal<Faults>, name: &'static str) -> Option<String> {
    faults.with(|faults| {
        let flaw = faults
            .flaw(name)
            .map(|wrong| (w().word.wrong)(wrong).to_owned());
        flaw.or_else(|| faults.complaint(name).map(sentence))
    })
}

/// A label, a control, a hint, and what is wrong.
pub(crate) fn field(field: &Field, control: AnyView) -> AnyView {
    let Field {
        id,
        label,
        hint,
        name,
        faults,
    } = *field;
    let optional = hint == w().all.optional;
    view! {
        <div class="field" class:wrong=move || fault(faults, name).is_some()>
            <label for=id>
                {label} {optional.then(|| view! { <small class="optional">" " {w().all.optional}</small> })}
            </label>
            {control}
            {(!hint.is_empty() && !optional).then(|| view! { <p class="hint" id=format!("{id}-hint")>{hint}</p> })}
            {fault_line(id, faults, name)}
        </div>
    }
    .into_any()
}

/// The line under a field that says what is wrong with it.
pub(crate) fn fault_line(
    id: &'static str,
    faults: RwSignal<Faults>,
    name: &'static str,
) -> AnyView {
    view! {
        <p class="fault" id=format!("{id}-fault") data-test=format!("{id}-fault")>
            {move || fault(faults, name)}
        </p>
    }
    .into_any()
}

/// What is wrong with a form as a whole.
pub(crate) fn form_fault(faults: RwSignal<Faults>, fields: &'static [&'static str]) -> AnyView {
    let text = move || faults.with(|faults| faults.general(fields).map(sentence));
    view! {
        <p class="fault form-fault" role="alert" data-test="form-fault">{text}</p>
    }
    .into_any()
}

fn described(id: &str) -> String {
    format!("{id}-fault {id}-hint")
}

/// The text in a control after something was typed into it.
pub(crate) fn typed(event: &web_sys::Event) -> String {
    let Some(target) = event.target() else {
        return String::new();
    };
    if let Some(input) = target.dyn_ref::<HtmlInputElement>() {
        return input.value();
    }
    if let Some(select) = target.dyn_ref::<HtmlSelectElement>() {
        return select.value();
    }
    target
        .dyn_ref::<HtmlTextAreaElement>()
        .map(HtmlTextAreaElement::value)
        .unwrap_or_default()
}

/// How a line is typed.
#[derive(Clone, Copy, Default)]
pub(crate) struct Line {
    /// Kind of the input; empty is text.
    pub(crate) kind: &'static str,
    /// Which keyboard a telephone shows.
    pub(crate) mode: &'static str,
    /// An example that is seen while nothing is typed.
    pub(crate) example: &'static str,
    /// The list of suggestions.
    pub(crate) list: &'static str,
    /// What the browser may fill in; empty is nothing.
    pub(crate) fill: &'static str,
    /// Whether it is one of several small ones in a row.
    pub(crate) narrow: bool,
}

/// A line to type in, with label, hint and fault.
pub(crate) fn line(
    what: &Field,
    how: Line,
    start: String,
    set: impl Fn(String) + 'static,
) -> AnyView {
    let Field {
        id, name, faults, ..
    } = *what;
    // Scripts and some keyboards that clear a field tell of it only at its end.
    let set = Rc::new(set);
    let heard = set.clone();
    let input = view! {
        <input id=id name=id data-test=id type=if how.kind.is_empty() { "text" } else { how.kind }
            class:narrow=how.narrow inputmode=(!how.mode.is_empty()).then_some(how.mode)
            placeholder=how.example list=(!how.list.is_empty()).then_some(how.list)
            autocomplete=if how.fill.is_empty() { "off" } else { how.fill }
            prop:value=start on:input=move |event| heard(typed(&event)) on:change=move |event| set(typed(&event))
            aria-describedby=described(id)
            aria-invalid=move || fault(faults, name).map(|_| "true") />
    };
    field(what, input.into_any())
}

/// Several lines to type in.
pub(crate) fn area(
    what: &Field,
    rows: u8,
    start: String,
    set: impl Fn(String) + 'static,
) -> AnyView {
    let Field {
        id, name, faults, ..
    } = *what;
    // Scripts and some keyboards that clear a field tell of it only at its end.
    let set = Rc::new(set);
    let heard = set.clone();
    let input = view! {
        <textarea id=id name=id data-test=id rows=rows.to_string() prop:value=start
            on:input=move |event| heard(typed(&event)) on:change=move |event| set(typed(&event)) aria-describedby=described(id)
            aria-invalid=move || fault(faults, name).map(|_| "true")></textarea>
    };
    field(what, input.into_any())
}

/// The choices of a select: the value of each and what it is called.
pub(crate) type Choices = Vec<(String, String)>;

/// A select among a few values with their names; each is called by its word. The signal has the first one to begin with.
pub(crate) fn select_of<T: Copy + Send + Sync + 'static>(
    test: &'static str,
    all: &'static [(&'static str, T)],
    word: fn(T) -> &'static str,
    chosen: RwSignal<T>,
) -> AnyView {
    let choices = all.iter();
    let choices = choices.map(|(name, value)| ((*name).to_owned(), word(*value).to_owned()));
    let first = all.first().map_or("", |(name, _)| name);
    select(
        String::new(),
        test,
        "",
        choices.collect(),
        first,
        move |name| {
            if let Some((_, value)) = all.iter().find(|(known, _)| *known == name) {
                chosen.set(*value);
            }
        },
    )
}

/// A select without label, for rows that have their own.
pub(crate) fn select(
    id: String,
    test: &'static str,
    label: &'static str,
    choices: Choices,
    start: &str,
    set: impl Fn(String) + 'static,
) -> AnyView {
    let options: Vec<_> = choices
        .into_iter()
        .map(|(value, text)| {
            let selected = value == start;
            view! { <option value=value selected=selected>{text}</option> }
        })
        .collect();
    let label = (!label.is_empty()).then_some(label);
    view! {
        <select id=id data-test=test aria-label=label on:change=move |event| set(typed(&event))>
            {options}
        </select>
    }
    .into_any()
}

/// A select with label, hint and fault.
pub(crate) fn choose(
    what: &Field,
    choices: Choices,
    start: &str,
    set: impl Fn(String) + 'static,
) -> AnyView {
    field(
        what,
        select(what.id.to_owned(), what.id, "", choices, start, set),
    )
}

/// One of several, each a card with a sentence.
pub(crate) struct Card {
    /// Its value.
    pub(crate) value: &'static str,
    /// What it is called.
    pub(crate) title: String,
    /// What it means; may be empty.
    pub(crate) means: String,
}

/// A choice of cards, of which one is chosen.
pub(crate) fn cards(
    name: &'static str,
    legend: &'static str,
    cards: Vec<Card>,
    start: &str,
    set: impl Fn(&'static str) + Copy + 'static,
) -> AnyView {
    let cards: Vec<_> = cards
        .into_iter()
        .map(|card| {
            let checked = card.value == start;
            view! {
                <label class="card-choice">
                    <input type="radio" name=name value=card.value checked=checked
                        data-test=format!("{name}-{}", card.value)
                        on:change=move |_| set(card.value) />
                    <span class="card-title">{card.title}</span>
                    {(!card.means.is_empty()).then(|| view! { <span class="card-means">{card.means}</span> })}
                </label>
            }
        })
        .collect();
    view! {
        <fieldset class="choice">
            <legend>{legend}</legend>
            <div class="card-choices">{cards}</div>
        </fieldset>
    }
    .into_any()
}

/// A box to tick.
pub(crate) fn tick(
    id: &'static str,
    label: impl Into<String>,
    hint: &'static str,
    start: bool,
    set: impl Fn(bool) + 'static,
) -> AnyView {
    view! {
        <label class="tick">
            <input type="checkbox" data-test=id prop:checked=start
                on:change=move |event| set(event_target_checked(&event)) />
            <span>{label.into()}{(!hint.is_empty()).then(|| view! { <small>{hint}</small> })}</span>
        </label>
    }
    .into_any()
}

/// Carries out what a button stands for, keeps the button from being pressed twice, and brings faults to their
/// fields.
pub(crate) fn carry_out<F, T>(
    busy: RwSignal<bool>,
    faults: RwSignal<Faults>,
    work: F,
    done: impl FnOnce(T) + 'static,
) where
    F: Future<Output = Result<T, Complaint>> + 'static,
    T: 'static,
{
    if busy.get_untracked() {
        return;
    }
    busy.set(true);
    let desk = desk();
    spawn_local(async move {
        let result = work.await;
        // The part of the page that asked may be gone by now.
        let _ = busy.try_set(false);
        match result {
            Ok(value) => {
                let _ = faults.try_set(Faults::default());
                done(value);
            }
            Err(complaint) => {
                desk.say(&sentence(&complaint));
                let _ = faults.try_set(Faults::said(complaint));
                browser::later(50, browser::focus_first_fault);
            }
        }
    });
}

/// Shows what was found wrong before anything was sent, and goes to the first of it.
pub(crate) fn show_flaws(faults: RwSignal<Faults>, flaws: Vec<Flaw>) {
    let first = flaws.first().map(|flaw| (w().word.wrong)(flaw.wrong));
    if let Some(first) = first {
        desk().say(first);
    }
    faults.set(Faults::found(flaws));
    browser::later(50, browser::focus_first_fault);
}

/// Looks again at a form whose faults are shown whenever it changes, so that what was mended is not held against it. What
/// the peer complained of is forgotten: only the peer can tell whether it still holds.
pub(crate) fn recheck<F: Send + Sync + 'static>(
    form: RwSignal<F>,
    faults: RwSignal<Faults>,
    flaws: impl Fn(&F) -> Vec<Flaw> + 'static,
) {
    Effect::new(move |_| {
        form.track();
        if !faults.with_untracked(Faults::is_empty) {
            faults.set(Faults::found(form.with_untracked(&flaws)));
        }
    });
}

/// What a list of rows is told.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    /// For each row that is shown a name that stays its own when others go.
    keys: RwSignal<Vec<u32>>,
    next: StoredValue<u32>,
}

impl Rows {
    /// So many rows.
    pub(crate) fn new(count: usize) -> Self {
        let count = u32::try_from(count).unwrap_or(0);
        Self {
            keys: RwSignal::new((0..count).collect()),
            next: StoredValue::new(count),
        }
    }

    /// One more at the end.
    pub(crate) fn push(self) {
        let key = self.next.get_value();
        self.next.set_value(key + 1);
        self.keys.update(|keys| keys.push(key));
    }

    /// The place of a row, if it is still there.
    pub(crate) fn place(self, key: u32) -> Option<usize> {
        self.keys
            .with_untracked(|keys| keys.iter().position(|found| *found == key))
    }

    /// Takes a row away and says where it stood.
    pub(crate) fn remove(self, key: u32) -> Option<usize> {
        let place = self.place(key)?;
        self.keys.update(|keys| {
            keys.remove(place);
        });
        Some(place)
    }

    /// Draws each row.
    pub(crate) fn draw<V: IntoView + 'static>(
        self,
        row: impl Fn(u32) -> V + Clone + Send + 'static,
    ) -> AnyView {
        view! { <For each=move || self.keys.get() key=|key| *key children=row /> }.into_any()
    }
}

/// How a list of properties is edited.
#[derive(Clone, Copy)]
pub(crate) struct Properties<F: 'static> {
    /// Prefix of the `data-test` of each control.
    pub(crate) test: &'static str,
    /// Whether they are wishes: compared, and some of them must hold.
    pub(crate) wishes: bool,
    /// The form.
    pub(crate) form: RwSignal<F>,
    /// Where the rows stand in the form.
    pub(crate) rows: fn(&mut F) -> &mut Vec<PropertyRow>,
}

/// Edits a list of properties.
pub(crate) fn properties<F: Clone + Send + Sync + 'static>(list: Properties<F>) -> AnyView {
    let Properties {
        test,
        wishes,
        form,
        rows: at,
    } = list;
    let words = &w().ask;
    let start = form.with_untracked(|form| at(&mut form.clone()).len());
    let rows = Rows::new(start);
    let change = move |key: u32, change: &dyn Fn(&mut PropertyRow)| {
        if let Some(place) = rows.place(key) {
            form.update(|form| {
                if let Some(row) = at(form).get_mut(place) {
                    change(row);
                }
            });
        }
    };
    let row = move |key: u32| {
        let place = rows.place(key).unwrap_or_default();
        let row = form.with_untracked(|form| {
            at(&mut form.clone())
                .get(place)
                .cloned()
                .unwrap_or_default()
        });
        let shown = RwSignal::new(row.name.clone());
        let comparisons = [Comparison::Is, Comparison::AtLeast, Comparison::AtMost];
        let name = |comparison| match comparison {
            Comparison::Is => "is",
            Comparison::AtLeast => "at-least",
            Comparison::AtMost => "at-most",
        };
        let compare = wishes.then(|| {
            let choices = comparisons.map(|found| {
                (
                    name(found).to_owned(),
                    (w().word.comparison)(found).to_owned(),
                )
            });
            select(
                String::new(),
                test_name(test, "how"),
                words.wish_how,
                choices.to_vec(),
                name(row.comparison),
                move |chosen| {
                    change(key, &|row| {
                        row.comparison = match chosen.as_str() {
                            "at-least" => Comparison::AtLeast,
                            "at-most" => Comparison::AtMost,
                            _ => Comparison::Is,
                        };
                    });
                },
            )
        });
        let mut units = vec![(String::new(), words.wish_no_unit.to_owned())];
        units.extend(MEASURES.into_iter().map(|code| {
            let text = (w().word.unit)(code, false).unwrap_or(code);
            (code.to_owned(), text.to_owned())
        }));
        let unit = select(
            String::new(),
            test_name(test, "unit"),
            words.wish_unit,
            units,
            &row.unit,
            move |code| {
                change(key, &|row| row.unit.clone_from(&code));
            },
        );
        let must = wishes.then(|| {
            view! {
                <label class="tick small">
                    <input type="checkbox" data-test=test_name(test, "must") prop:checked=row.must
                        on:change=move |event| {
                            let must = event_target_checked(&event);
                            change(key, &|row| row.must = must);
                        } />
                    <span>{words.wish_must}</span>
                </label>
            }
        });
        view! {
            <li class="property-row" class:wish=wishes>
                <input type="text" data-test=test_name(test, "name") aria-label=words.wish_name placeholder=words.wish_name
                    list="known-properties" prop:value=row.name autocomplete="off"
                    on:input=move |event| {
                        let text = typed(&event);
                        shown.set(text.clone());
                        change(key, &|row| row.name.clone_from(&text));
                    } />
                {compare}
                <input type="text" class="value" data-test=test_name(test, "value") aria-label=words.wish_value
                    placeholder=words.wish_value prop:value=row.value autocomplete="off"
                    on:input=move |event| {
                        let text = typed(&event);
                        change(key, &|row| row.value.clone_from(&text));
                    } />
                {unit}
                {must}
                <button type="button" class="quiet icon-only" aria-label=move || (words.wish_remove)(&shown.get())
                    data-test=test_name(test, "remove")
                    on:click=move |_| {
                        if let Some(place) = rows.remove(key) {
                            form.update(|form| { at(form).remove(place); });
                        }
                    }>
                    {icon(Icon::Cross)}
                </button>
            </li>
        }
    };
    view! {
        <ul class="property-rows">{rows.draw(row)}</ul>
        <button type="button" class="secondary small" data-test=test_name(test, "add")
            on:click=move |_| {
                form.update(|form| at(form).push(PropertyRow::default()));
                rows.push();
            }>
            {icon(Icon::Plus)} {words.wish_add}
        </button>
    }
    .into_any()
}

/// The `data-test` of a control in a row. The few that there are, so that they can be found by searching.
const fn test_name(list: &'static str, control: &'static str) -> &'static str {
    match (list.as_bytes(), control.as_bytes()) {
        (b"wish", b"name") => "wish-name",
        (b"wish", b"how") => "wish-how",
        (b"wish", b"value") => "wish-value",
        (b"wish", b"unit") => "wish-unit",
        (b"wish", b"must") => "wish-must",
        (b"wish", b"remove") => "wish-remove",
        (b"wish", b"add") => "wish-add",
        (_, b"name") => "item-attribute-name",
        (_, b"value") => "item-attribute-value",
        (_, b"unit") => "item-attribute-unit",
        (_, b"remove") => "item-attribute-remove",
        (_, b"add") => "item-attribute-add",
        _ => "item-attribute",
    }
}

/// Currencies, the one in use first if it is none of the usual.
pub(crate) fn currencies(used: &str) -> Choices {
    let usual = forms::CURRENCIES;
    let other = (!usual.contains(&used) && !used.is_empty()).then_some(used);
    let all = other.into_iter().chain(usual);
    all.map(|code| (code.to_owned(), code.to_owned())).collect()
}

/// Units for what is counted or worked.
pub(crate) fn quantities(used: &str) -> Choices {
    let usual = crate::units::QUANTITIES;
    let other = (!usual.contains(&used) && !used.is_empty()).then_some(used);
    let name = |code: &str| (w().word.unit)(code, false).unwrap_or_default().to_owned();
    let all = other.into_iter().chain(usual);
    all.map(|code| (code.to_owned(), name(code))).collect()
}

/// Cities, and anywhere.
pub(crate) fn cities() -> Choices {
    use crate::words::Lang;
    let german = crate::app::lang() == Lang::German;
    let mut cities: Vec<_> = crate::places::CITIES.iter().collect();
    if german {
        cities.sort_by_key(|city| city.german);
    }
    let anywhere = (String::new(), w().all.anywhere.to_owned());
    let named = cities.into_iter().map(|city| {
        let shown = if german { city.german } else { city.english };
        (city.english.to_owned(), shown.to_owned())
    });
    core::iter::once(anywhere).chain(named).collect()
}

/// A dialog over the page, opened and closed by a signal. The browser keeps the keyboard inside.
pub(crate) fn dialog(
    open: RwSignal<bool>,
    test: &'static str,
    title: impl Fn() -> String + Send + 'static,
    class: &'static str,
    inside: impl Fn() -> AnyView + Send + Sync + 'static,
) -> AnyView {
    let element = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(element) = element.get() else {
            return;
        };
        if open.get() {
            if !element.open() {
                let _ = element.show_modal();
            }
        } else if element.open() {
            element.close();
        }
    });
    view! {
        <dialog node_ref=element class=class data-test=test aria-labelledby=format!("{test}-title")
            on:close=move |_| open.set(false)
            on:click=move |event| {
                // A click on the backdrop is a click on the dialog itself, not on what is inside.
                let backdrop = event.target().is_some_and(|target| target.has_type::<web_sys::HtmlDialogElement>());
                if backdrop {
                    open.set(false);
                }
            }>
            <div class="dialog-inside">
                <header class="dialog-head">
                    <h2 id=format!("{test}-title")>{title}</h2>
                    <button type="button" class="quiet icon-only" aria-label=w().all.close
                        data-test="dialog-close" on:click=move |_| open.set(false)>
                        {icon(Icon::Cross)}
                    </button>
                </header>
                <Show when=move || open.get()>{inside()}</Show>
            </div>
        </dialog>
    }
    .into_any()
}

/// Things drawn at first and with each "more": a screenful on any device, quick to draw.
const PART: usize = 24;

/// A long list, drawn in parts: what of it is shown now, and the button that shows more.
pub(crate) fn in_parts<T>(
    all: Memo<Vec<T>>,
    test: &'static str,
) -> (impl Fn() -> Vec<T> + Copy + Send + Sync + 'static, AnyView)
where
    T: Copy + Send + Sync + 'static,
{
    let shown = RwSignal::new(PART);
    let visible = move || all.with(|all| all.iter().take(shown.get()).copied().collect());
    let hidden = move || all.with(Vec::len).saturating_sub(shown.get());
    let any_hidden = move || hidden() > 0;
    let more = view! {
        <Show when=any_hidden>
            <button type="button" class="secondary" data-test=test on:click=move |_| shown.update(|shown| *shown += PART)>
                {move || (w().all.more)(u64::try_from(hidden()).unwrap_or(0))}
            </button>
        </Show>
    };
    (visible, more.into_any())
}
