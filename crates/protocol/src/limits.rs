//! Every bound on what is said, in one place. Each is checked before anything of its size is allocated.

/// A whole public frame, in bytes: room for a post-quantum seal key of 1,216 bytes beside a long text, and
/// small enough that gossip stays cheap.
pub const FRAME_MAX: usize = 4_096;
/// The header of a public frame, in bytes; frozen for ever.
pub const HEADER_LEN: usize = 64;
/// What surrounds a frame's body: header, body length, nonce, signature.
pub const FRAME_OVERHEAD: usize = HEADER_LEN + 2 + 8 + 64;
/// The body of a public frame, in bytes.
pub const BODY_MAX: usize = FRAME_MAX - FRAME_OVERHEAD;

/// The longest life of a public frame, in seconds. What should stay open longer is renewed under the same key.
pub const LIFETIME_MAX: u64 = 24 * 60 * 60;
/// The usual life of a public frame, in seconds: an owner who left is forgotten soon.
pub const LIFETIME_DEFAULT: u64 = 30 * 60;
/// How far ahead of ours a stranger's clock may be, in seconds. Consumer devices drift.
pub const CLOCK_SKEW: u64 = 120;
/// Leading zero bits every public frame must show: about 65,000 hashes, some 25 ms in a browser.
pub const POW_FLOOR: u32 = 16;

/// The small cell, in bytes: everything that fits goes into this size, so that sizes tell nothing.
pub const CELL_SMALL: usize = 2_048;
/// The large cell, in bytes; with its framing it still fits one 16 KiB WebRTC message.
pub const CELL_LARGE: usize = 15_360;

/// How deep CBOR may nest. Our own bodies need five.
pub const DEPTH_MAX: u8 = 8;

/// Title of an intent, in bytes of UTF-8.
pub const TITLE_MAX: usize = 120;
/// Free text of an intent, in bytes of UTF-8.
pub const DETAILS_MAX: usize = 1_000;
/// Attributes of one item.
pub const ATTRIBUTES_MAX: usize = 16;
/// Name of an attribute, in bytes.
pub const ATTRIBUTE_KEY_MAX: usize = 32;
/// Text value of an attribute, in bytes.
pub const ATTRIBUTE_TEXT_MAX: usize = 64;
/// Places of an intent: one, or two for a ride or a courier.
pub const PLACES_MAX: usize = 2;
/// Characters of a public geohash: five are a cell of about 4.9 by 4.9 km, coarse enough to hide a home.
pub const GEOHASH_MAX: usize = 5;
/// Ways of delivery one intent may accept.
pub const DELIVERIES_MAX: usize = 8;
/// Ways in one Reach record.
pub const REACH_ENTRIES_MAX: usize = 3;
/// One way of a Reach record, in bytes.
pub const REACH_ENTRY_MAX: usize = 320;
/// A relay's address inside a Reach record, in bytes.
pub const ADDRESS_MAX: usize = 128;
/// A seal key with its suite, in bytes: X-Wing's 1,216 must fit one day.
pub const SEAL_KEY_MAX: usize = 1_280;

/// Lines of one quote.
pub const QUOTE_LINES_MAX: usize = 8;
/// Charges of one quote beside its lines (delivery, tax, fee, discount).
pub const QUOTE_CHARGES_MAX: usize = 6;
/// A description or a label inside a quote, in bytes.
pub const LABEL_MAX: usize = 120;
/// A free note inside a private message, in bytes.
pub const NOTE_MAX: usize = 600;
/// One chat message, in bytes: with its envelope it still fits into a small cell.
pub const CHAT_MAX: usize = 800;
/// Files that go with one message.
pub const FILES_MAX: usize = 4;
/// One file, in bytes: a photo from any telephone, an album of music or a book, and small enough for a page to hold it
/// in memory while it is encrypted.
pub const FILE_BYTES_MAX: u32 = 8 * 1024 * 1024;
/// One piece of a file, in bytes; with its tag it is exactly 64 KiB.
pub const PIECE_LEN: usize = 64 * 1024 - 16;
/// What a file says it is (RFC 6838), in bytes.
pub const MEDIA_TYPE_MAX: usize = 64;
/// Ways of contact in one Contact message.
pub const CONTACT_WAYS_MAX: usize = 4;
/// One line of contact (an address line, a telephone number), in bytes.
pub const CONTACT_LINE_MAX: usize = 160;
/// A trader shown inside a message, in whatever way, in bytes.
pub const TRADER_SHOWN_MAX: usize = 320;
/// The longest life of a private message, in seconds: a week bridges an absence and bounds every replay list.
pub const PRIVATE_LIFETIME_MAX: u64 = 7 * 24 * 60 * 60;
