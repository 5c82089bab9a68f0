//! What is known of a photo before it is drawn: whether a file is one, how large one is made before it is sent, and
//! whether one that came may be shown.
//!
//! A photo tells more than its picture: where and when it was taken, and with what. So what goes into a message is drawn
//! anew and written as a plain JPEG. A photo of somebody else is drawn by the browser, which needs four bytes for
//! each of its points however few bytes came; so how many points it has is read from its first bytes.

/// The longest side and the quality (0 to 1) with which a photo is written, best first: the first that is small enough is taken.
pub const TRIES: [(u32, f64); 7] = [
    (1_600, 0.85),
    (1_600, 0.7),
    (1_280, 0.7),
    (1_024, 0.7),
    (800, 0.65),
    (640, 0.6),
    (480, 0.5),
];

/// Bytes of a photo that is sent: less than what a peer fetches unasked.
pub const BYTES_MAX: usize = 480 * 1024;

/// How many bytes of a file tell whether it is a photo.
pub const START: i32 = 16;

/// Points of a photo that is shown: twice as many as an ordinary telephone takes, and 96 MB while it is drawn.
const POINTS_MAX: u64 = 24_000_000;

/// The types under which a photo may be shown. None of them can run anything.
const SHOWN: [&str; 4] = ["image/jpeg", "image/png", "image/webp", "image/gif"];

/// The type under which a photo is shown, if it is one of a few.
#[must_use]
pub fn shown_as(media_type: &str) -> Option<&'static str> {
    SHOWN.into_iter().find(|known| *known == media_type)
}

/// Whether a file is a photo, which may tell more than its picture: by its type, or by how it begins, since a type is
/// only a browser's guess from the name. Drawings (SVG) and little films (GIF) are none.
#[must_use]
pub fn is_photo(media_type: &str, start: &[u8]) -> bool {
    let named =
        media_type.starts_with("image/") && !matches!(media_type, "image/svg+xml" | "image/gif");
    named || begins_as_photo(start)
}

fn begins_as_photo(start: &[u8]) -> bool {
    let brand = start.get(4..12).unwrap_or_default();
    let brand = brand.strip_prefix(b"ftyp").unwrap_or_default();
    let brands: [&[u8]; 8] = [
        b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif",
    ];
    start.starts_with(b"\xff\xd8\xff")
        || start.starts_with(PNG)
        || start.starts_with(b"II*\0")
        || start.starts_with(b"MM\0*")
        || is_webp(start)
        || brands.contains(&brand)
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

fn is_webp(start: &[u8]) -> bool {
    start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP")
}

/// Width and height with this longest side at most; nothing is made larger.
#[must_use]
pub fn fitted((width, height): (u32, u32), longest: u32) -> (u32, u32) {
    let side = width.max(height);
    if side <= longest {
        return (width, height);
    }
    let scaled = |length: u32| {
        let scaled = u64::from(length) * u64::from(longest) / u64::from(side);
        u32::try_from(scaled).unwrap_or(longest).max(1)
    };
    (scaled(width), scaled(height))
}

/// Whether a photo that somebody sent may be drawn: its size can be read, and is no trap.
#[must_use]
pub fn may_be_shown(bytes: &[u8]) -> bool {
    dimensions(bytes).is_some_and(|(width, height)| {
        let points = u64::from(width) * u64::from(height);
        (1..=POINTS_MAX).contains(&points)
    })
}

/// Width and height, by the beginning of a JPEG, PNG, WebP or GIF.
#[must_use]
pub fn dimensions(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.starts_with(b"\xff\xd8") {
        of_jpeg(bytes)
    } else if bytes.starts_with(PNG) {
        let is_header = bytes.get(12..16)? == b"IHDR";
        is_header.then_some((long(bytes, 16)?, long(bytes, 20)?))
    } else if is_webp(bytes) {
        of_webp(bytes)
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        of_gif(bytes)
    } else {
        None
    }
}

/// Four bytes, the highest first.
fn long(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}

/// Two bytes, the highest first.
fn big(bytes: &[u8], at: usize) -> Option<u32> {
    let two = bytes.get(at..at.checked_add(2)?)?;
    Some(u32::from(u16::from_be_bytes(two.try_into().ok()?)))
}

/// Two bytes, the lowest first.
fn little(bytes: &[u8], at: usize) -> Option<u32> {
    let two = bytes.get(at..at.checked_add(2)?)?;
    Some(u32::from(u16::from_le_bytes(two.try_into().ok()?)))
}

/// From segment to segment to the one that begins a frame (ITU T.81, annex B).
fn of_jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xff {
            return None;
        }
        match *bytes.get(at + 1)? {
            // One more filling byte.
            0xff => at += 1,
            // Without a length.
            0x01 | 0xd0..=0xd8 => at += 2,
            // The picture itself, or its end.
            0xd9 | 0xda => return None,
            // Tables, which have their numbers among those of frames.
            0xc4 | 0xc8 | 0xcc => at = after(bytes, at)?,
            0xc0..=0xcf => return Some((big(bytes, at + 7)?, big(bytes, at + 5)?)),
            _ => at = after(bytes, at)?,
        }
    }
}

/// Where the next segment of a JPEG begins.
fn after(bytes: &[u8], at: usize) -> Option<usize> {
    let length = usize::try_from(big(bytes, at + 2)?).ok()?;
    (length >= 2).then(|| at + 2 + length)
}

/// By its first chunk (RFC 9649).
fn of_webp(bytes: &[u8]) -> Option<(u32, u32)> {
    let three = |at: usize| Some(little(bytes, at)? | u32::from(*bytes.get(at + 2)?) << 16);
    match bytes.get(12..16)? {
        b"VP8 " => Some((little(bytes, 26)? & 0x3fff, little(bytes, 28)? & 0x3fff)),
        b"VP8L" => {
            let both = little(bytes, 21)? | little(bytes, 23)? << 16;
            Some(((both & 0x3fff) + 1, (both >> 14 & 0x3fff) + 1))
        }
        b"VP8X" => Some((three(24)? + 1, three(27)? + 1)),
        _ => None,
    }
}

/// By its screen and its first picture, whichever is larger: some browsers go by the one, some by the other.
fn of_gif(bytes: &[u8]) -> Option<(u32, u32)> {
    let screen = (little(bytes, 6)?, little(bytes, 8)?);
    let mut at = 13 + table(*bytes.get(10)?);
    loop {
        match *bytes.get(at)? {
            0x21 => {
                at += 2;
                // Blocks follow, each with its length in front, and an empty one at their end.
                while *bytes.get(at)? != 0 {
                    at += 1 + usize::from(*bytes.get(at)?);
                }
                at += 1;
            }
            0x2c => {
                let [left, top, width, height] = [1, 3, 5, 7].map(|by| little(bytes, at + by));
                return Some((screen.0.max(left? + width?), screen.1.max(top? + height?)));
            }
            _ => return None,
        }
    }
}

/// The length of a GIF's table of colours.
const fn table(flags: u8) -> usize {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = PNG.to_vec();
        bytes.extend(b"\0\0\0\x0dIHDR");
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes
    }

    /// With a segment before its frame, and a filling byte.
    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = b"\xff\xd8\xff\xe1\x00\x06Exif\xff\xff\xc2\x00\x11\x08".to_vec();
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes
    }

    /// With a table of two colours and a block before its first picture.
    fn gif(screen: (u16, u16), picture: (u16, u16)) -> Vec<u8> {
        let mut bytes = b"GIF89a".to_vec();
        bytes.extend(screen.0.to_le_bytes());
        bytes.extend(screen.1.to_le_bytes());
        bytes.extend(b"\x80\0\0\0\0\0\xff\xff\xff\x21\xf9\x04\0\0\0\0\0\x2c\x01\0\x02\0");
        bytes.extend(picture.0.to_le_bytes());
        bytes.extend(picture.1.to_le_bytes());
        bytes
    }

    fn webp(chunk: &[u8]) -> Vec<u8> {
        [b"RIFF\0\0\0\0WEBP", chunk].concat()
    }

    #[test]
    fn the_size_of_each_kind_is_read() {
        assert_eq!(dimensions(&png(1_600, 900)), Some((1_600, 900)));
        assert_eq!(dimensions(&jpeg(1_600, 900)), Some((1_600, 900)));
        assert_eq!(dimensions(&gif((300, 200), (300, 200))), Some((301, 202)));
        let lossy = webp(b"VP8 \0\0\0\0\0\0\0\x9d\x01\x2a\x40\x06\x84\x43");
        assert_eq!(dimensions(&lossy), Some((1_600, 900)));
        // 1,599 | 899 << 14
        let lossless = webp(b"VP8L\0\0\0\0\x2f\x3f\xc6\xe0\x00");
        assert_eq!(dimensions(&lossless), Some((1_600, 900)));
        let extended = webp(b"VP8X\x0a\0\0\0\0\0\0\0\x3f\x06\0\x83\x03\0");
        assert_eq!(dimensions(&extended), Some((1_600, 900)));
    }

    #[test]
    fn what_is_cut_off_or_no_photo_has_no_size() {
        let all = [
            png(9, 9),
            jpeg(9, 9),
            gif((9, 9), (9, 9)),
            webp(b"VP8 \0\0\0\0\0\0\0\x9d\x01\x2a\x40\x06\x84\x43"),
            webp(b"VP8X\x0a\0\0\0\0\0\0\0\x3f\x06\0\x83\x03\0"),
        ];
        for whole in all {
            for end in 0..whole.len() {
                assert_eq!(dimensions(&whole[..end]), None);
            }
        }
        for no_photo in [
            b"<svg xmlns='http://www.w3.org/2000/svg'/>".as_slice(),
            b"%PDF-1.7",
            b"\xff\xd8\xff\xda\0\x08",
            b"\xff\xd8\xff\xe0\0\0\0\0\0\0",
        ] {
            assert_eq!(dimensions(no_photo), None);
        }
    }

    #[test]
    fn a_photo_that_would_fill_the_memory_is_not_shown() {
        assert!(may_be_shown(&png(6_000, 4_000)));
        assert!(!may_be_shown(&png(30_000, 30_000)));
        assert!(!may_be_shown(&png(u32::MAX, u32::MAX)));
        assert!(!may_be_shown(&jpeg(65_535, 65_535)));
        assert!(!may_be_shown(&gif((1, 1), (65_000, 65_000))));
        assert!(!may_be_shown(&png(0, 10)));
    }

    #[test]
    fn photos_are_known_by_their_type_or_by_how_they_begin() {
        for (media_type, start, photo) in [
            ("image/jpeg", b"".as_slice(), true),
            ("image/heic", b"", true),
            ("image/gif", b"GIF89a", false),
            ("image/svg+xml", b"<svg", false),
            ("application/pdf", b"%PDF-1.7", false),
            ("", b"\xff\xd8\xff\xe1", true),
            ("", b"\x89PNG\r\n\x1a\n", true),
            ("", b"RIFF\0\0\0\0WEBPVP8 ", true),
            (
                "application/octet-stream",
                b"\0\0\0\x18ftypheic\0\0\0\0",
                true,
            ),
            ("video/mp4", b"\0\0\0\x18ftypisom\0\0\0\0", false),
            ("", b"", false),
        ] {
            assert_eq!(is_photo(media_type, start), photo, "{media_type} {start:?}");
        }
    }

    #[test]
    fn only_pictures_that_run_nothing_are_shown() {
        assert_eq!(shown_as("image/webp"), Some("image/webp"));
        assert_eq!(shown_as("image/svg+xml"), None);
        assert_eq!(shown_as("text/html"), None);
    }

    #[test]
    fn a_photo_is_made_smaller_and_keeps_its_shape() {
        assert_eq!(fitted((4_000, 3_000), 1_600), (1_600, 1_200));
        assert_eq!(fitted((3_000, 4_000), 1_600), (1_200, 1_600));
        assert_eq!(fitted((640, 480), 1_600), (640, 480));
        assert_eq!(fitted((60_000, 2), 1_600), (1_600, 1));
        assert!(TRIES.is_sorted_by(|one, next| one.0 >= next.0 && one.1 >= next.1));
    }
}
