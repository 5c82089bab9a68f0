//! docs/protocol.md is the specification: every tag, every name and every refusal code that the
//! protocol crate has must stand there, or another implementation could not be written from it.

/// What the sources have and the page lacks.
pub(super) fn findings(page: &str, tags: &str, names: &str, refusals: &str) -> Vec<String> {
    let tags = literals(tags).filter(|text| text.starts_with("haggle/"));
    let names = literals(names).filter(|text| text.starts_with("/haggle/"));
    let wanted = tags
        .map(|tag| ("tag", tag))
        .chain(names.map(|name| ("name", name)));
    let wanted = wanted.chain(codes(refusals).map(|code| ("refusal code", code)));
    wanted
        .filter(|(_, text)| !mentions(page, text))
        .map(|(what, text)| format!("docs/protocol.md: does not mention the {what} `{text}`"))
        .collect()
}

/// The string literals of a source file, outside comments.
fn literals(source: &str) -> impl Iterator<Item = &str> {
    source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split('"').skip(1).step_by(2))
}

/// The codes of lines like `TooLarge = "too-large", Reject;`.
fn codes(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| {
        let (_, rest) = line.split_once(" = \"")?;
        let (code, rest) = rest.split_once("\", ")?;
        rest.ends_with(';').then_some(code)
    })
}

/// Whether the page has the text by itself, not as a part of a longer word.
fn mentions(page: &str, text: &str) -> bool {
    let part_of_a_word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    page.match_indices(text).any(|(at, _)| {
        let before = page[..at].chars().next_back();
        let after = page[at + text.len()..].chars().next();
        !before.is_some_and(part_of_a_word) && !after.is_some_and(part_of_a_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGS: &str = "tags! {\n    /// An \"id\".\n    IdPublic = \"haggle/1/id/public\",\n}\n";
    const NAMES: &str = "pub const BOOK: &str = \"/haggle/book/1\";\n";
    const REFUSALS: &str = "refusals! {\n    /// Long.\n    TooLarge = \"too-large\", Reject;\n}\n";

    #[test]
    fn a_page_that_mentions_everything_is_fine() {
        let page = "`haggle/1/id/public`, `/haggle/book/1`, `too-large`";
        assert_eq!(findings(page, TAGS, NAMES, REFUSALS), [""; 0]);
    }

    #[test]
    fn each_thing_that_the_page_lacks_is_found() {
        let found = findings("nothing", TAGS, NAMES, REFUSALS);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].contains("haggle/1/id/public"));
        assert!(found[1].contains("/haggle/book/1"));
        assert!(found[2].contains("too-large"));
    }

    #[test]
    fn a_longer_word_is_no_mention() {
        let page = "`haggle/1/id/public-key` `/haggle/book/1` `much-too-large`";
        assert_eq!(findings(page, TAGS, NAMES, REFUSALS).len(), 2);
    }
}
