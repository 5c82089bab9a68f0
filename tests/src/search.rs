//! Looks for something secret in what was recorded: in every form in which a program could have let it out.
//!
//! A marker is a text or a number that nothing else in a recording can hold by chance. It is looked for raw, as
//! hexadecimal of either case, as base64 of either alphabet at each of the three alignments, as UTF-16; a number also
//! as eight bytes of either order, as CBOR, as decimal digits with and without separators. What is searched is whole
//! streams, not packets, so that a marker that was cut in two is found too.

use std::collections::BTreeMap;

/// The least length of a marker in bytes: eight bytes come up by chance once in 2^64 places.
pub const MARKER_MIN: usize = 8;

/// Something that must not be found, in all its forms.
#[derive(Clone, Debug)]
pub struct Marker {
    name: String,
    forms: Vec<(&'static str, Vec<u8>)>,
}

/// Where a marker was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Find {
    /// Which marker.
    pub marker: String,
    /// In which form.
    pub form: &'static str,
    /// In which part of the recording.
    pub place: String,
    /// At which byte of that part.
    pub at: usize,
}

/// What was recorded, by place; what comes in pieces is put together.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    parts: BTreeMap<String, Vec<u8>>,
}

impl Marker {
    /// A text of at least [`MARKER_MIN`] bytes.
    ///
    /// # Panics
    /// If it is shorter: then the search would prove nothing.
    #[must_use]
    pub fn text(name: &str, text: &str) -> Self {
        assert!(
            text.len() >= MARKER_MIN,
            "{name} is too short to be a marker"
        );
        let mut forms = forms_of(text.as_bytes());
        forms.push((
            "utf-16",
            text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ));
        Self {
            name: name.to_owned(),
            forms,
        }
    }

    /// A number that takes more than four bytes, so that CBOR writes it in eight.
    ///
    /// # Panics
    /// If it is smaller: then the search would prove nothing.
    #[must_use]
    pub fn number(name: &str, number: u64) -> Self {
        assert!(number > 1 << 40, "{name} is too small to be a marker");
        let digits = number.to_string();
        let mut forms = forms_of(&number.to_be_bytes());
        forms.extend(forms_of(&[&[0x1b], &number.to_be_bytes()[..]].concat()));
        forms.push(("little-endian", number.to_le_bytes().to_vec()));
        forms.extend(forms_of(digits.as_bytes()));
        // As a person reads it: with a point before the cents, with separators of thousands.
        let (major, minor) = digits.split_at(digits.len() - 2);
        for separator in [",", ".", "\u{a0}", "\u{202f}", "'", " ", "_"] {
            forms.push(("grouped", grouped(major, separator).into_bytes()));
        }
        forms.push(("major units", format!("{major}.{minor}").into_bytes()));
        Self {
            name: name.to_owned(),
            forms,
        }
    }
}

fn forms_of(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let lower: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![
        ("raw", bytes.to_vec()),
        ("upper-case hexadecimal", lower.to_uppercase().into_bytes()),
        ("hexadecimal", lower.into_bytes()),
    ];
    for alphabet in [STANDARD, URL_SAFE] {
        for before in 0..3 {
            forms.push(("base64", base64_inside(bytes, before, alphabet)));
        }
    }
    forms
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The digits of base64 that depend on `bytes` alone when `before` bytes (mod 3) stand in front of them.
fn base64_inside(bytes: &[u8], before: usize, alphabet: &[u8; 64]) -> Vec<u8> {
    let (first, end) = ((before * 8).div_ceil(6), (before + bytes.len()) * 8 / 6);
    let bit = |at: usize| {
        let at = at - before * 8;
        usize::from(bytes[at / 8] >> (7 - at % 8) & 1)
    };
    let digit = |place: usize| (0..6).fold(0, |value, step| value << 1 | bit(place * 6 + step));
    (first..end).map(|place| alphabet[digit(place)]).collect()
}

fn grouped(digits: &str, separator: &str) -> String {
    let first = digits.len() % 3;
    let groups = digits.as_bytes()[first..]
        .chunks(3)
        .map(String::from_utf8_lossy);
    let head = (first > 0).then(|| digits[..first].into());
    head.into_iter()
        .chain(groups)
        .collect::<Vec<_>>()
        .join(separator)
}

impl Recording {
    /// Adds bytes behind what was recorded at the same place.
    pub fn add(&mut self, place: &str, bytes: &[u8]) {
        match self.parts.get_mut(place) {
            Some(part) => part.extend_from_slice(bytes),
            None => drop(self.parts.insert(place.to_owned(), bytes.to_vec())),
        }
    }

    /// Bytes recorded at places whose name begins so.
    #[must_use]
    pub fn len(&self, beginning: &str) -> usize {
        let parts = self
            .parts
            .iter()
            .filter(|(place, _)| place.starts_with(beginning));
        parts.map(|(_, bytes)| bytes.len()).sum()
    }

    /// Whether nothing was recorded at such places.
    #[must_use]
    pub fn is_empty(&self, beginning: &str) -> bool {
        self.len(beginning) == 0
    }

    /// The places with what was recorded there, in bytes.
    pub fn places(&self) -> impl Iterator<Item = (&str, usize)> {
        self.parts
            .iter()
            .map(|(place, bytes)| (place.as_str(), bytes.len()))
    }

    /// Everything that is found; each marker and form once a place.
    #[must_use]
    pub fn find(&self, markers: &[Marker]) -> Vec<Find> {
        let mut finds = Vec::new();
        for marker in markers {
            for (form, bytes) in &marker.forms {
                let finder = memchr::memmem::Finder::new(bytes);
                finds.extend(self.parts.iter().filter_map(|(place, part)| {
                    finder.find(part).map(|at| Find {
                        marker: marker.name.clone(),
                        form,
                        place: place.clone(),
                        at,
                    })
                }));
            }
        }
        finds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICE: u64 = 7_654_321_987_654_321;

    fn found(part: &[u8]) -> Vec<&'static str> {
        let mut recording = Recording::default();
        // In two pieces, and not at the beginning.
        let (a, b) = part.split_at(part.len() / 2);
        recording.add("x", b"?!");
        recording.add("x", a);
        recording.add("x", b);
        recording.add("x", b"...");
        let markers = [
            Marker::text("text", "Kanarienvogel"),
            Marker::number("price", PRICE),
        ];
        recording
            .find(&markers)
            .into_iter()
            .map(|find| find.form)
            .collect()
    }

    #[test]
    fn a_text_is_found_in_every_form() {
        assert_eq!(found(b"Kanarienvogel"), ["raw"]);
        assert_eq!(found(b"4b616e617269656e766f67656c"), ["hexadecimal"]);
        assert_eq!(
            found(b"4B616E617269656E766F67656C"),
            ["upper-case hexadecimal"]
        );
        // base64 of "Kanarienvogel", "xKanarienvogel!", "xyKanarienvogel".
        for text in [
            "S2FuYXJpZW52b2dlbA==",
            "eEthbmFyaWVudm9nZWwh",
            "eHlLYW5hcmllbnZvZ2Vs",
        ] {
            assert!(found(text.as_bytes()).contains(&"base64"), "{text}");
        }
        let wide: Vec<u8> = "Kanarienvogel"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(found(&wide), ["utf-16"]);
    }

    #[test]
    fn a_number_is_found_in_every_form() {
        let cbor = [&[0x1b], &PRICE.to_be_bytes()[..]].concat();
        assert_eq!(found(&cbor), ["raw", "raw"]);
        assert_eq!(found(&PRICE.to_le_bytes()), ["little-endian"]);
        assert_eq!(found(b"{\"minor\":7654321987654321}"), ["raw"]);
        assert_eq!(found(b"76543219876543.21 USD"), ["major units"]);
        assert_eq!(found("76,543,219,876,543.21".as_bytes()), ["grouped"]);
        assert_eq!(
            found("76\u{202f}543\u{202f}219\u{202f}876\u{202f}543".as_bytes()),
            ["grouped"]
        );
        assert!(found(b"001b31835a67c4b1").is_empty(), "another number");
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        assert!(found(b"Kanarienvoge1 7654321987654320").is_empty());
    }
}
