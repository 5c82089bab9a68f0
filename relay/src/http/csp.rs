//! The content-security policy of the site, as a header.
//!
//! The page carries its policy in a `<meta>` element, with the hashes of its inline scripts, because any static host must be
//! able to serve it. A `<meta>` cannot forbid framing, and a worker is ruled by the header of its own script; so the relay
//! reads the page's policy, sends it with every file, and adds what a header can say.

use hyper::header::HeaderValue;

/// What is sent when the page says nothing: enough for a WebAssembly page without inline scripts.
pub(crate) const DEFAULT: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data: blob:; font-src 'self'; connect-src 'self' ws: wss:; manifest-src 'self'; \
    worker-src 'self'; base-uri 'none'; form-action 'none'; object-src 'none'";
/// Nobody frames the page.
const FRAME: &str = "frame-ancestors 'none'";
/// The longest policy that is passed on, in bytes.
const POLICY_MAX: usize = 4_096;
/// How far into the page its policy is looked for, in bytes.
const LOOK_MAX: usize = 64 * 1_024;

/// The header for a page with this text.
pub(crate) fn header(page: &[u8]) -> HeaderValue {
    let page = &page[..page.len().min(LOOK_MAX)];
    let policy = policy_of(&String::from_utf8_lossy(page));
    let whole = format!("{}; {FRAME}", policy.as_deref().unwrap_or(DEFAULT));
    HeaderValue::from_str(&whole).unwrap_or_else(|_| strict())
}

/// The header for what is no part of a site.
pub(crate) const fn strict() -> HeaderValue {
    HeaderValue::from_static(
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    )
}

/// What the page's `<meta http-equiv="Content-Security-Policy" content="…">` says.
fn policy_of(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let mut from = 0;
    while let Some(start) = lower[from..].find("<meta").map(|at| from + at) {
        let end = tag_end(page, start)?;
        let tag = &page[start..end];
        from = end;
        let is_policy = attribute(tag, "http-equiv")
            .is_some_and(|value| value.eq_ignore_ascii_case("content-security-policy"));
        if is_policy {
            let policy = unescape(&attribute(tag, "content")?);
            let policy = policy.split_whitespace().collect::<Vec<_>>().join(" ");
            let policy = policy.trim_end_matches([';', ' ']).to_owned();
            let good = !policy.is_empty()
                && policy.len() <= POLICY_MAX
                && policy.bytes().all(|c| c.is_ascii_graphic() || c == b' ');
            return good.then_some(policy);
        }
    }
    None
}

/// Where the tag that starts here ends: at the first `>` outside quotes.
fn tag_end(page: &str, start: usize) -> Option<usize> {
    let mut quote = None;
    for (at, c) in page[start..].char_indices() {
        match (quote, c) {
            (None, '>') => return Some(start + at + 1),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None | Some(_), _) => {}
        }
    }
    None
}

/// The value of an attribute, in double or single quotes.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let mut from = 0;
    while let Some(at) = lower[from..].find(name).map(|at| from + at) {
        from = at + name.len();
        let before = tag[..at].chars().next_back()?;
        let rest = tag[from..].trim_start();
        let Some(rest) = rest.strip_prefix('=') else {
            continue;
        };
        if !before.is_whitespace() && before != '"' && before != '\'' {
            continue;
        }
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let value = &rest[1..];
        return value.find(quote).map(|end| value[..end].to_owned());
    }
    None
}

fn unescape(text: &str) -> String {
    text.replace("&#39;", "'")
        .replace("&apos;", "'")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(page: &str) -> String {
        header(page.as_bytes()).to_str().unwrap().to_owned()
    }

    #[test]
    fn the_pages_own_policy_is_sent_with_its_hashes_and_forbids_framing() {
        let page = r#"<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' 'wasm-unsafe-eval' 'sha256-abc='; object-src 'none'">"#;
        assert_eq!(
            sent(page),
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' 'sha256-abc='; object-src 'none'; frame-ancestors 'none'"
        );
    }

    #[test]
    fn other_spellings_of_the_element_are_read_too() {
        for page in [
            "<META CONTENT='default-src &#39;self&#39;;' HTTP-EQUIV='content-security-policy'/>",
            "<meta name=\"x\" content=\"a>b\"><meta\n http-equiv = \"Content-Security-Policy\"\n content =\n\"default-src\n 'self'\">",
        ] {
            assert_eq!(
                sent(page),
                "default-src 'self'; frame-ancestors 'none'",
                "{page}"
            );
        }
    }

    #[test]
    fn a_page_without_a_readable_policy_gets_the_default() {
        let long = format!(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">",
            "a".repeat(POLICY_MAX + 1)
        );
        for page in [
            "",
            "<meta",
            "<meta http-equiv=\"Content-Security-Policy\">",
            "<meta http-equiv=\"Content-Security-Policy\" content=\"é\">",
            &long,
        ] {
            assert!(
                sent(page).starts_with("default-src 'none'; script-src 'self'"),
                "{page}"
            );
            assert!(sent(page).ends_with("frame-ancestors 'none'"));
        }
    }
}
