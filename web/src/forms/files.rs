//! Files that go with a message: what they are called, what they are said to be, how many go together, and how large
//! they are in words. What the peer would refuse is found here before a file is read, so that nobody waits for nothing.

use haggle_protocol::limits::{FILE_BYTES_MAX, FILES_MAX, LABEL_MAX, MEDIA_TYPE_MAX};
use haggle_protocol::text;

use crate::node::{FILES_BYTES_MAX, NewFile};

/// What a file is said to be of which nothing is known.
const ANYTHING: &str = "application/octet-stream";
/// What a file is called whose own name cannot be said.
const NAMELESS: &str = "file";
/// An ending of a name that is longer is no ending, in bytes with its dot.
const ENDING_MAX: usize = 16;
/// Endings of pictures, which give way to that of what a picture becomes.
const PICTURES: [&str; 12] = [
    "jpg", "jpeg", "jpe", "jfif", "png", "webp", "heic", "heif", "avif", "bmp", "tif", "tiff",
];

/// Why a file does not go with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// As many as go together are chosen already.
    TooMany,
    /// Larger than a file may be.
    TooLarge,
    /// Larger than all files of a message may be together.
    TooMuch,
    /// There is nothing in it.
    Empty,
    /// The browser does not give what is in it.
    Unread,
    /// A photo that the browser cannot draw, so that it cannot be freed from what it tells beside its picture.
    Undrawn,
}

impl Unfit {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::TooMany,
        Self::TooLarge,
        Self::TooMuch,
        Self::Empty,
        Self::Unread,
        Self::Undrawn,
    ];

    /// Stable, for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooMany => "chosen-too-many",
            Self::TooLarge => "chosen-too-large",
            Self::TooMuch => "chosen-too-much",
            Self::Empty => "chosen-empty",
            Self::Unread => "chosen-unread",
            Self::Undrawn => "photo-undrawn",
        }
    }

    /// Whether it is about one file, and not about how many there are.
    #[must_use]
    pub const fn is_of_one(self) -> bool {
        match self {
            Self::TooMany | Self::TooMuch => false,
            Self::TooLarge | Self::Empty | Self::Unread | Self::Undrawn => true,
        }
    }
}

/// A file that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Stays its own when others go.
    pub key: u32,
    /// As it would be sent.
    pub file: NewFile,
}

/// The files that were chosen for one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pile {
    chosen: Vec<Chosen>,
    next: u32,
}

impl Pile {
    /// Whether one more of so many bytes goes with them.
    ///
    /// # Errors
    /// Why it does not.
    pub fn takes(&self, bytes: u64) -> Result<(), Unfit> {
        let all: u64 = self.chosen.iter().map(|it| len(&it.file)).sum();
        if self.chosen.len() >= FILES_MAX {
            return Err(Unfit::TooMany);
        }
        match bytes {
            0 => Err(Unfit::Empty),
            bytes if bytes > u64::from(FILE_BYTES_MAX) => Err(Unfit::TooLarge),
            bytes if all.saturating_add(bytes) > FILES_BYTES_MAX => Err(Unfit::TooMuch),
            _ => Ok(()),
        }
    }

    /// Adds one.
    ///
    /// # Errors
    /// As [`Pile::takes`].
    pub fn add(&mut self, file: NewFile) -> Result<(), Unfit> {
        self.takes(len(&file))?;
        self.chosen.push(Chosen {
            key: self.next,
            file,
        });
        self.next += 1;
        Ok(())
    }

    /// Takes one out again.
    pub fn remove(&mut self, key: u32) {
        self.chosen.retain(|it| it.key != key);
    }

    /// All of them, in the order in which they were chosen.
    #[must_use]
    pub fn chosen(&self) -> &[Chosen] {
        &self.chosen
    }

    /// A copy of all of them, to be sent.
    #[must_use]
    pub fn files(&self) -> Vec<NewFile> {
        self.chosen.iter().map(|it| it.file.clone()).collect()
    }
}

fn len(file: &NewFile) -> u64 {
    u64::try_from(file.bytes.len()).unwrap_or(u64::MAX)
}

/// The name under which a file can be sent: without a path, without what deceives the eye, and not too long.
#[must_use]
pub fn safe_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let fine = |c: &char| text::line(&format!("x{c}x"), LABEL_MAX).is_ok();
    let plain: String = last.chars().filter(fine).collect();
    let bare = plain.trim_start_matches(|c: char| c == '.' || c.is_whitespace());
    let name = cut(bare.trim_end());
    text::line(&name, LABEL_MAX).unwrap_or_else(|_| NAMELESS.to_owned())
}

/// What a photo is called once it is a JPEG.
#[must_use]
pub fn photo_name(name: &str) -> String {
    let stem = match name.rsplit_once('.') {
        Some((stem, ending)) if PICTURES.contains(&&*ending.to_ascii_lowercase()) => stem,
        _ => name,
    };
    cut(&format!("{stem}.jpg"))
}

/// At most as long as a name may be, with its ending.
fn cut(name: &str) -> String {
    if name.len() <= LABEL_MAX {
        return name.to_owned();
    }
    let dot = name
        .rfind('.')
        .filter(|at| name.len() - at <= ENDING_MAX && *at > 0);
    let (stem, ending) = name.split_at(dot.unwrap_or(name.len()));
    let stem = &stem[..stem.floor_char_boundary(LABEL_MAX - ending.len())];
    format!("{}{ending}", stem.trim_end())
}

/// What a file is said to be: what the browser says if that can be sent, and otherwise nothing in particular.
#[must_use]
pub fn safe_type(given: &str) -> String {
    let essence = given.split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    let fine = |c: u8| {
        c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'/' | b'.' | b'+' | b'-')
    };
    let both = essence.split_once('/');
    let both = both.is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty());
    if both && essence.len() <= MEDIA_TYPE_MAX && essence.bytes().all(fine) {
        essence
    } else {
        ANYTHING.to_owned()
    }
}

/// In what a size is told. A thousand of them are 1,024, as in the limits that the page names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Single bytes.
    Bytes,
    /// Thousands.
    Kilo,
    /// Millions.
    Mega,
}

const KILO: u64 = 1_024;
const MEGA: u64 = 1_024 * 1_024;

impl Scale {
    /// The one that tells a size well.
    #[must_use]
    pub const fn of(bytes: u32) -> Self {
        match bytes as u64 {
            0..KILO => Self::Bytes,
            // What would be rounded to 1,024 thousands is told in millions.
            KILO..1_048_064 => Self::Kilo,
            _ => Self::Mega,
        }
    }

    /// A size as a whole number and how many of its digits stand behind the point, rounded.
    #[must_use]
    pub const fn round(self, bytes: u32) -> (u64, u8) {
        match self {
            Self::Bytes => (bytes as u64, 0),
            Self::Kilo => ((bytes as u64 + KILO / 2) / KILO, 0),
            Self::Mega => ((bytes as u64 * 10 + MEGA / 2) / MEGA, 1),
        }
    }

    /// The same for a part of something: never more than is there.
    #[must_use]
    pub const fn floor(self, bytes: u32) -> (u64, u8) {
        match self {
            Self::Bytes => (bytes as u64, 0),
            Self::Kilo => (bytes as u64 / KILO, 0),
            Self::Mega => (bytes as u64 * 10 / MEGA, 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use haggle_protocol::attachment::{Attachment, FileKey};

    fn file(bytes: usize) -> NewFile {
        NewFile {
            name: "a.pdf".into(),
            media_type: "application/pdf".into(),
            bytes: vec![7; bytes],
        }
    }

    /// Whether the wire takes a file of this name and type.
    fn is_taken(name: &str, media_type: &str) -> bool {
        let key = FileKey::from_bytes([3; 32]);
        Attachment::of(name.to_owned(), media_type.to_owned(), &[1], key).is_ok()
    }

    #[test]
    fn any_name_becomes_one_that_the_wire_takes() {
        for (given, name) in [
            ("a photo.jpg", "a photo.jpg"),
            ("C:\\Users\\ada\\bike.png", "bike.png"),
            ("../../etc/passwd", "passwd"),
            (" .profile ", "profile"),
            ("a\nb\u{202e}gnp.exe", "abgnp.exe"),
            ("Größe – 名前.pdf", "Größe – 名前.pdf"),
            ("", "file"),
            ("...", "file"),
            ("\u{200b}\u{200b}", "file"),
            ("a/", "file"),
        ] {
            assert_eq!(safe_name(given), name, "{given:?}");
            assert!(is_taken(name, "text/plain"), "{name:?}");
        }
    }

    #[test]
    fn a_long_name_is_cut_in_the_middle_of_no_letter_and_keeps_its_ending() {
        let long = format!("{}.tar.gz", "ü".repeat(200));
        let name = safe_name(&long);
        assert!(name.len() <= LABEL_MAX && name.ends_with("ü.gz"), "{name}");
        let endless = safe_name(&format!("a.{}", "b".repeat(300)));
        assert!(endless.len() == LABEL_MAX && is_taken(&endless, "text/plain"));
        let photo = photo_name(&safe_name(&format!("{}.png", "x".repeat(200))));
        assert!(photo.len() <= LABEL_MAX && photo.ends_with("x.jpg"));
    }

    #[test]
    fn a_photo_is_called_by_what_it_becomes() {
        for (given, name) in [
            ("bike.png", "bike.jpg"),
            ("IMG_1.HEIC", "IMG_1.jpg"),
            ("bike.jpeg", "bike.jpg"),
            ("bike", "bike.jpg"),
            ("bike.v2", "bike.v2.jpg"),
        ] {
            assert_eq!(photo_name(given), name);
        }
    }

    #[test]
    fn any_type_becomes_one_that_the_wire_takes() {
        for (given, kind) in [
            ("image/jpeg", "image/jpeg"),
            ("Text/HTML; charset=utf-8", "text/html"),
            ("application/vnd.ms-excel", "application/vnd.ms-excel"),
            ("image/svg+xml", "image/svg+xml"),
            ("", ANYTHING),
            ("image", ANYTHING),
            ("/jpeg", ANYTHING),
            ("image/", ANYTHING),
            ("text/x_y", ANYTHING),
        ] {
            assert_eq!(safe_type(given), kind, "{given:?}");
            assert!(is_taken("a", kind), "{kind:?}");
        }
        let long = format!("text/{}", "x".repeat(80));
        assert_eq!(safe_type(&long), ANYTHING);
    }

    #[test]
    fn only_so_many_files_of_so_many_bytes_go_together() {
        let mut pile = Pile::default();
        assert_eq!(pile.add(file(0)), Err(Unfit::Empty));
        assert_eq!(pile.takes(9 * 1024 * 1024), Err(Unfit::TooLarge));
        for _ in 0..2 {
            assert_eq!(pile.add(file(6 * 1024 * 1024)), Ok(()));
        }
        assert_eq!(pile.takes(5 * 1024 * 1024), Err(Unfit::TooMuch));
        assert_eq!((pile.add(file(1)), pile.add(file(1))), (Ok(()), Ok(())));
        assert_eq!(pile.add(file(1)), Err(Unfit::TooMany));
        assert_eq!(pile.files().len(), FILES_MAX);
    }

    #[test]
    fn a_file_that_was_taken_out_leaves_the_others_their_names() {
        let mut pile = Pile::default();
        for bytes in [1, 2, 3] {
            assert_eq!(pile.add(file(bytes)), Ok(()));
        }
        pile.remove(1);
        assert_eq!(pile.add(file(4)), Ok(()));
        let left = pile.chosen().iter().map(|it| (it.key, len(&it.file)));
        let left: Vec<_> = left.collect();
        assert_eq!(left, [(0, 1), (2, 3), (3, 4)]);
    }

    #[test]
    fn sizes_are_told_in_the_unit_that_tells_them_well() {
        for (bytes, scale, number) in [
            (12, Scale::Bytes, (12, 0)),
            (1_023, Scale::Bytes, (1_023, 0)),
            (1_024, Scale::Kilo, (1, 0)),
            (348_160, Scale::Kilo, (340, 0)),
            (1_048_063, Scale::Kilo, (1_023, 0)),
            (1_048_064, Scale::Mega, (10, 1)),
            (2_202_009, Scale::Mega, (21, 1)),
            (FILE_BYTES_MAX, Scale::Mega, (80, 1)),
        ] {
            assert_eq!(Scale::of(bytes), scale, "{bytes}");
            assert_eq!(scale.round(bytes), number, "{bytes}");
        }
    }

    #[test]
    fn a_part_is_never_told_larger_than_it_is() {
        assert_eq!(Scale::Kilo.floor(2_047), (1, 0));
        assert_eq!(Scale::Kilo.round(2_047), (2, 0));
        assert_eq!(Scale::Mega.floor(8_388_607), (79, 1));
        assert_eq!(Scale::Bytes.floor(7), (7, 0));
    }
}
