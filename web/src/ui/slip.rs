//! The amber slip: what everyone sees of an intent, and nothing else. The same slip stands in the preview, over my
//! requests and in the market, so that a person knows it again.

use haggle_protocol::intent::{Budget, Delivery};
use haggle_protocol::{Intent, Money, Timestamp};
use leptos::prelude::*;

use crate::app::{lang, w};
use crate::categories;
use crate::ui::format;
use crate::ui::parts::{Icon, icon};

/// A line of facts: a drawing, what it is about (for those who do not see the drawing), and the fact.
fn fact(shape: Icon, about: &'static str, text: String) -> AnyView {
    view! {
        <div class="fact">
            <dt>{icon(shape)}<span class="visually-hidden">{about}</span></dt>
            <dd>{text}</dd>
        </div>
    }
    .into_any()
}

/// What may be paid, as far as it is public.
pub(crate) fn budget(budget: &Budget) -> String {
    let words = &w().slip;
    match budget {
        Budget::Sealed(asset) => (words.budget_sealed)(asset.code()),
        Budget::Band(asset, band) => {
            let most = (1u64 << u32::from(*band).min(53)) - 1;
            (words.budget_band)(&format::money(Money::new(round(most), *asset)))
        }
        Budget::Public(most) => (words.budget_public)(&format::money(*most)),
    }
}

/// Two digits are enough for what is only roughly known.
const fn round(minor: u64) -> u64 {
    let mut power = 1;
    while minor / power >= 100 {
        power *= 10;
    }
    minor / power * power
}

/// Ways of delivery in one line.
pub(crate) fn deliveries(ways: &[Delivery]) -> String {
    let names: Vec<_> = ways.iter().map(|way| (w().word.delivery)(*way)).collect();
    names.join(" · ")
}

/// The slip of an intent: its title under `level`, then its facts.
pub(crate) fn slip(intent: &Intent, now: Timestamp) -> AnyView {
    let words = &w().slip;
    let wishes: Vec<_> = intent
        .wishes
        .iter()
        .map(|wish| {
            let kind = if wish.must { words.must } else { words.wish };
            view! {
                <li class="wish" class:must=wish.must>
                    {format::wish(wish)} " " <small>{kind}</small>
                </li>
            }
        })
        .collect();
    let category = categories::name(intent.category, lang());
    let quotes = if intent.quotes_due <= now {
        words.quotes_closed.to_owned()
    } else {
        (words.quotes_until)(&format::time(intent.quotes_due))
    };
    let by = intent
        .window
        .map(|window| (words.by_day)(&format::day(window.to)));
    view! {
        <h2 class="slip-title" data-test="slip-title">{intent.title.clone()}</h2>
        {category.map(|name| view! { <p class="slip-category">{name}</p> })}
        {(!wishes.is_empty()).then(|| view! { <ul class="wishes" aria-label=words.wishes>{wishes}</ul> })}
        {intent.details.clone().map(|details| view! { <p class="slip-details">{details}</p> })}
        <dl class="facts">
            {(intent.quantity != haggle_protocol::Quantity::pieces(1))
                .then(|| fact(Icon::Layers, words.quantity, format::quantity(intent.quantity)))}
            {fact(Icon::Tag, words.budget, budget(&intent.budget))}
            {fact(Icon::Truck, words.delivery, deliveries(&intent.deliveries))}
            {fact(Icon::Place, words.place, format::places(&intent.places))}
            {by.map(|by| fact(Icon::Clock, words.by, by))}
            {fact(Icon::Requests, words.quotes_until_label, quotes)}
        </dl>
    }
    .into_any()
}

/// The mark of what everyone sees.
pub(crate) fn loud_mark(text: &'static str) -> AnyView {
    view! { <p class="mark loud-mark">{icon(Icon::Loud)}<span>{text}</span></p> }.into_any()
}

/// The mark of what is private.
pub(crate) fn private_mark(text: &'static str) -> AnyView {
    view! { <p class="mark private-mark">{icon(Icon::Lock)}<span>{text}</span></p> }.into_any()
}
