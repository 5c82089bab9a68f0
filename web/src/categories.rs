//! The categories and properties that a person can pick, in his language, and a guess from what he types.

use haggle_protocol::category::Category;
use haggle_protocol::taxonomy::{self, Node};

use crate::words::Lang;

/// Properties that are worth suggesting: common ones, by the names that the wire has for them.
pub const PROPERTIES: [&str; 15] = [
    "brand",
    "size",
    "frame",
    "colour",
    "condition",
    "year",
    "material",
    "weight",
    "ram",
    "hd",
    "screen",
    "speed",
    "cd",
    "multi",
    "premium",
];

/// What stands before a node's name for each level that it lies below the main groups.
const INDENT: char = '\u{2003}';

const fn called(node: &Node, lang: Lang) -> &'static str {
    match lang {
        Lang::English => node.en,
        Lang::German => node.de,
    }
}

/// What a category is called, or the nearest one above it that this version knows; nothing for "anything".
#[must_use]
pub fn name(category: Category, lang: Lang) -> Option<&'static str> {
    taxonomy::nearest(category).map(|node| called(node, lang))
}

/// All of them in order, each with its number, indented by its level.
#[must_use]
pub fn choices(lang: Lang) -> Vec<(u32, String)> {
    let choice = |node: &Node| {
        let level = match node.category.0 {
            code if code % 10_000 == 0 => 0,
            code if code % 100 == 0 => 1,
            _ => 2,
        };
        let indent: String = core::iter::repeat_n(INDENT, level).collect();
        (node.category.0, format!("{indent}{}", called(node, lang)))
    };
    taxonomy::ALL.iter().map(choice).collect()
}

/// The category that a title most likely speaks of, or anything.
#[must_use]
pub fn suggest(title: &str) -> Category {
    taxonomy::suggest(title)
        .first()
        .copied()
        .unwrap_or_default()
}

/// The categories that a title may speak of, the likeliest first, each with its number and what it is called.
#[must_use]
pub fn suggestions(title: &str, lang: Lang) -> Vec<(u32, &'static str)> {
    let found = taxonomy::suggest(title).into_iter();
    found
        .filter_map(|category| Some((category.0, called(taxonomy::node(category)?, lang))))
        .collect()
}

/// What the suggested properties are called.
#[must_use]
pub fn properties(lang: Lang) -> Vec<&'static str> {
    let name = |key: &&'static str| (lang.words().word.attribute)(key).unwrap_or(key);
    PROPERTIES.iter().map(name).collect()
}

/// The wire's name of a property that has a name in any language of the page, so that `Arbeitsspeicher` and
/// `memory` meet.
#[must_use]
pub fn property_key(name: &str) -> Option<&'static str> {
    let name = name.trim().to_lowercase();
    let says = |lang: Lang, key: &str| {
        let known = (lang.words().word.attribute)(key);
        known.is_some_and(|known| known.to_lowercase() == name)
    };
    let mut keys = PROPERTIES.into_iter();
    keys.find(|key| *key == name || Lang::ALL.into_iter().any(|lang| says(lang, key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_guessed_alike_in_both_languages() {
        let (english, german) = (suggest("a laptop"), suggest("ein Laptop"));
        assert_ne!(english, Category(0));
        assert_eq!(english, german);
        assert_eq!(suggest("xyzzy"), Category(0));
        let first = suggestions("a laptop", Lang::English)[0];
        assert_eq!(
            (first.0, Some(first.1)),
            (english.0, name(english, Lang::English))
        );
        assert!(name(english, Lang::German).is_some());
        assert_eq!(name(Category(0), Lang::English), None);
    }

    #[test]
    fn every_category_can_be_picked_and_lies_below_its_group() {
        let choices = choices(Lang::English);
        assert_eq!(choices.len(), taxonomy::ALL.len());
        assert!(!choices[0].1.starts_with(INDENT));
        assert!(choices.iter().any(|(_, name)| name.starts_with(INDENT)));
    }

    #[test]
    fn a_property_is_the_same_whatever_language_it_is_typed_in() {
        assert_eq!(property_key("Arbeitsspeicher"), Some("ram"));
        assert_eq!(property_key(" Memory"), Some("ram"));
        assert_eq!(property_key("RAM"), Some("ram"));
        assert_eq!(property_key("Größe"), Some("size"));
        assert_eq!(property_key("wingspan"), None);
    }

    #[test]
    fn no_two_suggested_properties_are_called_alike() {
        for lang in Lang::ALL {
            let names: std::collections::BTreeSet<_> = properties(lang).into_iter().collect();
            assert_eq!(names.len(), PROPERTIES.len());
        }
    }
}
