//! Choosing a category: guessed from the title, shown, and changed by one press on a likely other. It matters, because
//! stalls that answer by themselves go by it, so a guess never stays unseen.

use leptos::prelude::*;

use crate::app::{lang, w};
use crate::categories;
use crate::forms::Faults;
use crate::ui::parts::{fault_line, typed};

/// Where a form keeps its category.
#[derive(Clone, Copy)]
pub(crate) struct Categorised<F: 'static> {
    /// Id of the field and its `data-test`.
    pub(crate) id: &'static str,
    /// What is wrong with the form.
    pub(crate) faults: RwSignal<Faults>,
    /// The form.
    pub(crate) form: RwSignal<F>,
    /// Title and category in it.
    pub(crate) read: fn(&F) -> (&str, u32),
    /// Sets the category, by a person's choice.
    pub(crate) choose: fn(&mut F, u32),
}

/// The field.
pub(crate) fn category<F: Send + Sync + 'static>(what: Categorised<F>) -> AnyView {
    let Categorised {
        id,
        faults,
        form,
        read,
        choose,
    } = what;
    let current = Memo::new(move |_| form.with(|form| read(form).1));
    let others = Memo::new(move |_| {
        form.with(|form| {
            let (title, current) = read(form);
            let likely = categories::suggestions(title, lang());
            likely
                .into_iter()
                .filter(|(code, _)| *code != current)
                .collect::<Vec<_>>()
        })
    });
    let options = move || {
        let current = current.get();
        let anything = (0, w().word.any_category.to_owned());
        core::iter::once(anything)
            .chain(categories::choices(lang()))
            .map(|(code, name)| view! { <option value=code.to_string() selected=code == current>{name}</option> })
            .collect_view()
    };
    let chips = move || {
        let chip = |(code, name): (u32, &'static str)| {
            view! {
                <button type="button" class="secondary small" data-test=format!("{id}-suggestion") data-category=code.to_string()
                    on:click=move |_| form.update(|form| choose(form, code))>
                    {name}
                </button>
            }
        };
        others.get().into_iter().map(chip).collect_view()
    };
    view! {
        <div class="field">
            <label for=id>{w().ask.category}</label>
            <select id=id data-test=id prop:value=move || current.get().to_string() aria-describedby=format!("{id}-hint")
                on:change=move |event| {
                    let code = typed(&event).parse().unwrap_or_default();
                    form.update(|form| choose(form, code));
                }>
                {options}
            </select>
            <div class="suggestions" role="group" aria-label=w().ask.category_or class:hidden=move || others.with(Vec::is_empty)>
                <span class="hint">{w().ask.category_or}</span>
                {chips}
            </div>
            <p class="hint" id=format!("{id}-hint")>{w().ask.category_hint}</p>
            {fault_line(id, faults, "category")}
        </div>
    }
    .into_any()
}
