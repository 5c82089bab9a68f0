//! An id as a person can tell it from another: a small picture and four plain words, never digits.
//!
//! The words come from the first four bytes and the picture from others, so that somebody who wants to look like
//! somebody else has to hit both. Ids are hashes or keys: their bytes are as good as dice.

/// Tiles on one side of the picture.
const SIDE: usize = 3;

/// Length of one side of a tile.
const TILE: usize = 8;

/// Length of one side of the whole picture, in the units of its paths.
pub const SIZE: usize = SIDE * TILE;

/// How many hues there are to choose from. Fewer than a circle has degrees: neighbours must look different.
const HUES: u8 = 12;

/// A picture: a ground and two layers of shapes, as SVG path data in a square of [`SIZE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Class of the ground and of the first layer: `hue-0` to `hue-11` in the style sheet.
    pub hue: u8,
    /// Class of the second layer, another hue.
    pub accent: u8,
    /// First layer.
    pub shapes: String,
    /// Second layer.
    pub accents: String,
}

impl Picture {
    /// The picture of an id.
    #[must_use]
    pub fn of(id: &[u8; 32]) -> Self {
        let hue = id[4] % HUES;
        // Three to nine steps round the circle: never a near neighbour.
        let accent = (hue + 3 + id[5] % 7) % HUES;
        let (mut shapes, mut accents) = (String::new(), String::new());
        for row in 0..SIDE {
            for column in 0..SIDE {
                let byte = id[6 + row * SIDE + column];
                let layer = if byte & 0b1000 == 0 {
                    &mut shapes
                } else {
                    &mut accents
                };
                layer.push_str(&tile(byte & 0b111, column * TILE, row * TILE));
            }
        }
        Self {
            hue,
            accent,
            shapes,
            accents,
        }
    }
}

/// One of eight shapes: four quarters of a disc, a disc, a lens, a triangle, a square's half.
fn tile(shape: u8, x: usize, y: usize) -> String {
    let (right, bottom, half) = (x + TILE, y + TILE, TILE / 2);
    match shape {
        0 => format!("M{x} {y}h8a8 8 0 0 1-8 8z"),
        1 => format!("M{right} {y}v8a8 8 0 0 1-8-8z"),
        2 => format!("M{right} {bottom}h-8a8 8 0 0 1 8-8z"),
        3 => format!("M{x} {bottom}v-8a8 8 0 0 1 8 8z"),
        4 => format!("M{x} {mid}a4 4 0 0 1 8 0a4 4 0 0 1-8 0z", mid = y + half),
        5 => format!("M{x} {y}a8 8 0 0 1 8 8a8 8 0 0 1-8-8z"),
        6 => format!("M{x} {bottom}l4-8l4 8z"),
        _ => format!("M{x} {mid}h8v4h-8z", mid = y + half),
    }
}

/// The four words of an id.
#[must_use]
pub fn words(id: &[u8; 32]) -> String {
    let word = |byte: u8| WORDS[usize::from(byte)];
    [word(id[0]), word(id[1]), word(id[2]), word(id[3])].join(" ")
}

/// 256 words of everyday English, three to eight letters, nothing that could offend, no two that sound alike.
const WORDS: [&str; 256] = [
    "acorn", "actor", "album", "alley", "almond", "amber", "anchor", "angle", "apple", "apron",
    "arch", "arrow", "atlas", "attic", "autumn", "badge", "bagel", "bakery", "ballet", "bamboo",
    "banjo", "barn", "basil", "basket", "beach", "beaver", "beetle", "bell", "bench", "berry",
    "birch", "bishop", "bottle", "branch", "bread", "brick", "bridge", "bronze", "brook", "broom",
    "bubble", "bucket", "butter", "cabin", "cactus", "camel", "camera", "canal", "candle", "canoe",
    "canvas", "carpet", "carrot", "castle", "cattle", "cedar", "cello", "chalk", "cherry", "chest",
    "circle", "circus", "clock", "cloud", "clover", "coast", "cobalt", "cocoa", "coffee", "comet",
    "copper", "coral", "cotton", "crane", "crayon", "cricket", "crown", "cube", "curtain", "daisy",
    "dance", "dawn", "desert", "desk", "dinner", "dolphin", "donkey", "dragon", "dream", "drum",
    "eagle", "easel", "echo", "elbow", "ember", "engine", "evening", "fabric", "falcon", "farm",
    "feather", "fence", "fern", "ferry", "fiddle", "field", "finch", "flag", "flame", "flute",
    "forest", "fossil", "fountain", "fox", "friend", "garden", "garlic", "gate", "gentle",
    "ginger", "giraffe", "glacier", "globe", "glove", "gold", "goose", "grape", "guitar", "hammer",
    "harbor", "harp", "harvest", "hazel", "hedge", "helmet", "heron", "hill", "hollow", "honey",
    "horizon", "house", "ice", "igloo", "indigo", "ink", "iris", "island", "ivory", "jacket",
    "jasmine", "jelly", "jewel", "jigsaw", "journey", "jungle", "kayak", "kettle", "kitchen",
    "kite", "kiwi", "ladder", "lagoon", "lake", "lantern", "lavender", "leaf", "lemon", "letter",
    "library", "lime", "linen", "lion", "lizard", "lotus", "lunch", "magnet", "mango", "maple",
    "marble", "market", "meadow", "melon", "meteor", "mint", "mirror", "mitten", "moon", "morning",
    "mosaic", "mountain", "muffin", "museum", "music", "napkin", "needle", "nest", "noodle",
    "north", "novel", "nutmeg", "oak", "oasis", "ocean", "olive", "onion", "opera", "orange",
    "orbit", "orchid", "otter", "owl", "oyster", "paddle", "palace", "panda", "paper", "parrot",
    "pasta", "peach", "pebble", "pencil", "pepper", "piano", "pigeon", "pillow", "pine", "planet",
    "plum", "pocket", "poem", "pond", "poppy", "potato", "prairie", "puzzle", "quartz", "quilt",
    "rabbit", "raccoon", "radio", "raft", "rainbow", "ribbon", "river", "robin", "rocket",
    "saddle", "saffron", "sailor", "salmon", "sandal", "silver", "spoon", "summer", "teapot",
    "tulip",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn there_are_256_different_words_of_plain_letters() {
        let different: BTreeSet<_> = WORDS.iter().collect();
        assert_eq!(different.len(), 256);
        for word in WORDS {
            assert!((3..=8).contains(&word.len()), "{word}");
            assert!(word.bytes().all(|c| c.is_ascii_lowercase()), "{word}");
        }
        assert!(WORDS.is_sorted());
    }

    #[test]
    fn one_changed_byte_changes_the_words_or_the_picture() {
        let id: [u8; 32] = core::array::from_fn(|at| u8::try_from(at * 7).unwrap());
        for at in 0..4 {
            let mut other = id;
            other[at] ^= 1;
            assert_ne!(words(&id), words(&other));
            assert_eq!(Picture::of(&id), Picture::of(&other));
        }
        for at in 6..15 {
            let mut other = id;
            other[at] ^= 1;
            assert_ne!(Picture::of(&id), Picture::of(&other));
            assert_eq!(words(&id), words(&other));
        }
    }

    #[test]
    fn the_two_hues_of_a_picture_are_never_near_each_other() {
        for hue in 0..=255 {
            for accent in 0..=255 {
                let mut id = [0; 32];
                (id[4], id[5]) = (hue, accent);
                let picture = Picture::of(&id);
                let apart = (picture.hue + HUES - picture.accent) % HUES;
                assert!((3..=9).contains(&apart));
            }
        }
    }

    #[test]
    fn every_shape_stays_inside_its_picture() {
        for shape in 0..8 {
            let path = tile(shape, 16, 16);
            assert!(path.starts_with('M') && path.ends_with('z'), "{path}");
        }
        assert_eq!(SIZE, 24);
    }
}
