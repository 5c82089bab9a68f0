//! What the numbers of [`crate::category`] are called: a core of everyday goods and services that every version
//! knows, in English and German.
//!
//! It is small on purpose: it goes into every page. A wish that fits no kind goes into its group, one that fits no
//! group is "anything"; what exactly is wanted stands in its title and its attributes.

mod nodes;

use crate::category::Category;

/// One kind, group or main group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its number, for ever.
    pub category: Category,
    /// Its short name for files and addresses: lower-case ASCII with hyphens.
    pub slug: &'static str,
    /// Its name in English.
    pub en: &'static str,
    /// Its name in German.
    pub de: &'static str,
    /// For goods, where Shopify's Standard Product Taxonomy has the same: `el-6-6` for
    /// `gid://shopify/TaxonomyCategory/el-6-6`.
    pub shopify: Option<&'static str>,
    /// More words by which people ask for it, in both languages.
    words: &'static str,
}

/// Every node, in the order of the numbers: each parent before its children.
pub const ALL: &[Node] = nodes::NODES;

/// How many suggestions are of use: what fits on one line of buttons.
pub const SUGGESTIONS_MAX: usize = 5;

/// The node of this number, if this version knows it.
#[must_use]
pub fn node(category: Category) -> Option<&'static Node> {
    let at = ALL.binary_search_by_key(&category.0, |node| node.category.0);
    at.ok().and_then(|at| ALL.get(at))
}

/// The node of this slug.
#[must_use]
pub fn by_slug(slug: &str) -> Option<&'static Node> {
    ALL.iter().find(|node| node.slug == slug)
}

/// The nodes right below this one, in order; the main groups below 0.
pub fn children(category: Category) -> impl Iterator<Item = &'static Node> {
    ALL.iter()
        .filter(move |node| node.category.parent() == Some(category))
}

/// The node of this number or, if this version does not know it, the nearest one above that it knows.
#[must_use]
pub fn nearest(category: Category) -> Option<&'static Node> {
    let mut at = Some(category);
    while let Some(category) = at {
        if let Some(node) = node(category) {
            return Some(node);
        }
        at = category.parent();
    }
    None
}

/// The categories that a text in English or German speaks of, the likeliest first, at most [`SUGGESTIONS_MAX`]; the
/// same text always gets the same ones, and a text that says nothing gets none.
#[must_use]
pub fn suggest(text: &str) -> Vec<Category> {
    let said = words(text);
    let score = |node: &Node| -> u32 {
        let (names, more) = ([node.en, node.de].map(words).concat(), words(node.words));
        let best = |word: &String, known: &[String]| -> u32 {
            let likeness = known.iter().map(|known| likeness(word, known));
            likeness.max().unwrap_or(0)
        };
        // A name counts double: "laptop with much memory" is a laptop, though memory is a part that is sold.
        said.iter()
            .map(|word| best(word, &more).max(2 * best(word, &names)))
            .sum()
    };
    let mut scored: Vec<_> = ALL
        .iter()
        .map(|node| (score(node), node.category))
        .filter(|(score, _)| *score > 0)
        .collect();
    // Among equals the more special one, then the smaller number.
    let depth = |category: &Category| {
        let levels = [10_000, 100, 1];
        levels
            .iter()
            .filter(|level| category.0.is_multiple_of(**level))
            .count()
    };
    scored
        .sort_by_key(|(score, category)| (core::cmp::Reverse(*score), depth(category), category.0));
    scored.truncate(SUGGESTIONS_MAX);
    scored.into_iter().map(|(_, category)| category).collect()
}

/// Words of a text that can tell something, each once, without case and accents.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        let word: String = word
            .chars()
            .flat_map(char::to_lowercase)
            .map(plain)
            .collect();
        let word = word.replace('ß', "ss");
        if word.len() >= WORD_MIN && !SAYS_NOTHING.contains(&&*word) && !words.contains(&word) {
            words.push(word);
        }
        // A title is short; what is pasted here may not be.
        if words.len() >= WORDS_MAX {
            break;
        }
    }
    words
}

/// "tv" and "pc" are words, single letters are sizes.
const WORD_MIN: usize = 2;
/// More words than a title has.
const WORDS_MAX: usize = 40;
/// Words of our own names that stand in every second title.
const SAYS_NOTHING: &[&str] = &[
    "and", "or", "of", "on", "the", "for", "to", "with", "und", "oder", "der", "die", "das", "auf",
    "fur", "mit", "zu", "zum", "zur", "ein", "eine", "einen", "in", "im", "up", "rund", "ums",
];

/// A letter without its accent, as far as European languages put them.
const fn plain(c: char) -> char {
    match c {
        'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        other => other,
    }
}

/// How alike two words are: the same, the same but for an ending, or a compound that ends in the known one.
fn likeness(said: &str, known: &str) -> u32 {
    let (short, long) = if said.len() < known.len() {
        (said, known)
    } else {
        (known, said)
    };
    if said == known {
        4
    } else if short.len() >= 4 && long.starts_with(short) && long.len() - short.len() <= 2 {
        3
    } else if known.len() >= 4 && said.ends_with(known) {
        2
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_ascend_slugs_differ_and_every_parent_is_there() {
        assert!(
            ALL.windows(2)
                .all(|pair| pair[0].category < pair[1].category)
        );
        let slugs: BTreeSet<_> = ALL.iter().map(|node| node.slug).collect();
        assert_eq!(slugs.len(), ALL.len());
        assert!((110..=200).contains(&ALL.len()), "{}", ALL.len());
        for entry in ALL {
            assert!((100_000..=Category::MAX).contains(&entry.category.0));
            let parent = entry.category.parent().unwrap();
            assert!(parent.0 == 0 || node(parent).is_some(), "{}", entry.slug);
            let mut depth = 0;
            let mut at = entry.category;
            while let Some(parent) = at.parent() {
                at = parent;
                depth += 1;
            }
            assert!((1..=3).contains(&depth));
            assert_eq!(node(entry.category), Some(entry));
            assert_eq!(by_slug(entry.slug), Some(entry));
        }
    }

    #[test]
    fn names_are_texts_that_may_stand_on_a_screen() {
        for node in ALL {
            assert!(text::line(node.en, 40).is_ok(), "{}", node.en);
            assert!(text::line(node.de, 40).is_ok(), "{}", node.de);
            assert!(
                node.slug
                    .bytes()
                    .all(|c| c.is_ascii_lowercase() || c == b'-')
            );
            if let Some(id) = node.shopify {
                let mut parts = id.split('-');
                assert_eq!(parts.next().unwrap().len(), 2);
                assert!(parts.all(|part| part.parse::<u16>().is_ok()), "{id}");
            }
        }
    }

    #[test]
    fn siblings_have_names_of_their_own_in_each_language() {
        for parent in core::iter::once(Category(0)).chain(ALL.iter().map(|node| node.category)) {
            let names: Vec<_> = children(parent).map(|node| (node.en, node.de)).collect();
            let en: BTreeSet<_> = names.iter().map(|(en, _)| en).collect();
            let de: BTreeSet<_> = names.iter().map(|(_, de)| de).collect();
            assert_eq!((en.len(), de.len()), (names.len(), names.len()));
        }
    }

    #[test]
    fn a_kind_that_only_a_newer_version_knows_is_found_under_its_parent() {
        assert_eq!(nearest(Category(100_299)).unwrap().slug, "computers");
        assert_eq!(nearest(Category(109_999)).unwrap().slug, "electronics");
        assert!(nearest(Category(990_000)).is_none());
        assert!(nearest(Category(0)).is_none());
    }

    #[test]
    fn what_people_type_in_either_language_is_recognised() {
        for (text, slug) in [
            ("a road bike, 56 cm", "bicycles"),
            ("Ein Rennrad, 56 cm", "bicycles"),
            ("Kinderfahrrad gesucht", "bicycles"),
            ("Laptop mit 16 GB RAM", "laptops"),
            ("used notebook", "laptops"),
            ("Desktop PC, 8 MB RAM, 500 MB disk", "desktop-computers"),
            ("Waschmaschine", "washing-machines"),
            ("Kaffee, 1 kg Bohnen", "coffee"),
            ("somebody to translate a letter", "translation"),
            ("Nachhilfe in Mathe, 9. Klasse", "tutoring"),
            ("Umzug von Köln nach Bonn", "moving"),
            ("Stühle für den Garten", "chairs"),
            ("Babysitter für Freitag", "childcare"),
            ("Schreibtischlampe", "lamps"),
            ("ferienwohnung am see", "holiday-homes"),
            ("API calls", "computing"),
        ] {
            let first = suggest(text).first().copied().unwrap();
            assert_eq!(node(first).unwrap().slug, slug, "{text}");
        }
    }

    #[test]
    fn a_text_that_says_nothing_gets_no_suggestion_and_a_long_one_no_more_than_the_most() {
        assert!(suggest("").is_empty());
        assert!(suggest("xyzzy 12345 !!").is_empty());
        let everything: String = ALL.iter().map(|node| node.en).collect::<Vec<_>>().join(" ");
        assert_eq!(suggest(&everything.repeat(10)).len(), SUGGESTIONS_MAX);
        assert_eq!(suggest(&everything), suggest(&everything));
    }
}
