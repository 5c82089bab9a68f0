//! What is done to index.html after Trunk has written it: the names and integrity hashes of the
//! shrunk files, those of the module that it loads later, and a content-security policy. Text in,
//! text out.
//!
//! The policy stands in a `<meta>` because a plain static host sends no headers of ours. Trunk starts
//! the page by an inline module script; the policy allows exactly that text by its hash.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256, Sha384};

/// The name of the policy's meta element.
const POLICY: &str = "Content-Security-Policy";

/// The name of the meta element that names a mint of play money.
pub(crate) const PLAY_MONEY: &str = "haggle-play-money";

/// `integrity` value of a file: SHA-384, as Trunk writes it.
pub(crate) fn integrity(bytes: &[u8]) -> String {
    format!("sha384-{}", STANDARD.encode(Sha384::digest(bytes)))
}

/// Gives every `<link>` to `file` this integrity hash.
pub(crate) fn with_integrity(html: &str, file: &str, integrity: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find("<link") {
        let end = rest[start..]
            .find('>')
            .map_or(rest.len(), |length| start + length);
        let tag = &rest[start..end];
        out.push_str(&rest[..start]);
        match attribute(tag, "href") {
            Some(href) if file_name(href) == file => out.push_str(&with_attribute(tag, integrity)),
            _ => out.push_str(tag),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// Makes the start script fetch the program under its integrity hash: a preload link alone does not
/// bind the request that wasm-bindgen makes.
pub(crate) fn with_checked_fetch(html: &str, wasm: &str, integrity: &str) -> String {
    let plain = format!("module_or_path: './{wasm}'");
    let checked = format!("module_or_path: fetch('./{wasm}', {{ integrity: '{integrity}' }})");
    html.replace(&plain, &checked)
}

/// A module that the page loads when it first needs it: its files, each with its integrity hash.
#[derive(Debug)]
pub(crate) struct Later {
    /// The JavaScript around the program.
    pub(crate) js: (String, String),
    /// The program.
    pub(crate) wasm: (String, String),
}

/// The page with a `<meta>` by which it finds the module of this name. Nothing is loaded by that.
pub(crate) fn with_later(html: &str, name: &str, later: &Later) -> Result<String, &'static str> {
    let [js, wasm] = [&later.js, &later.wasm].map(|(file, _)| format!("./{file}"));
    let content = serde_json::json!({
        "js": js,
        "js_integrity": later.js.1,
        "wasm": wasm,
        "integrity": later.wasm.1,
    });
    insert_early(html, &format!("<meta name=\"{name}\" content='{content}'>"))
}

/// The page with a `<meta>` by which it knows the mint of play money that it is served with.
pub(crate) fn with_play_money(html: &str, mint: &str) -> Result<String, &'static str> {
    let meta = format!("<meta name=\"{PLAY_MONEY}\" content=\"{mint}\">");
    insert_early(html, &meta)
}

/// The page with an import map that gives each module its integrity hash. A preload link alone does
/// not bind the import that follows it; browsers that do not know this part of import maps pass it over.
pub(crate) fn with_checked_modules(html: &str) -> Result<String, &'static str> {
    let modules = promised(html)
        .into_iter()
        .filter(|(file, _)| file.ends_with(".js"));
    let integrity: serde_json::Map<_, _> = modules
        .map(|(file, hash)| (format!("./{file}"), hash.into()))
        .collect();
    let map = serde_json::json!({ "integrity": integrity });
    insert_early(html, &format!("<script type=\"importmap\">{map}</script>"))
}

/// The page with a policy that allows its own files and the inline scripts it holds now, and
/// connections to relays. Whatever changes a script must come before this.
pub(crate) fn with_policy(html: &str) -> Result<String, &'static str> {
    if html.contains(POLICY) {
        return Err(
            "it has a policy already; leave that to `cargo xtask site`, which knows the hashes",
        );
    }
    let meta = format!(
        "<meta http-equiv=\"{POLICY}\" content=\"{}\">",
        policy(html)
    );
    insert_early(html, &meta)
}

/// Puts something before everything else in the head, but after the declaration of the character set,
/// which must stand within the first kilobyte.
fn insert_early(html: &str, what: &str) -> Result<String, &'static str> {
    let at = end_of_tag(html, "<meta charset")
        .or_else(|| end_of_tag(html, "<head"))
        .ok_or("it has no <head>")?;
    Ok(format!("{}{what}{}", &html[..at], &html[at..]))
}

/// The policy itself.
///
/// - `wasm-unsafe-eval` lets WebAssembly compile; it does not let JavaScript `eval`.
/// - `ws:` and `wss:` to anywhere, because anyone may run a relay and anyone may add one.
/// - `https:` to anywhere, because anyone may run a mint and a person names those that he trusts;
///   without TLS only on this machine, for a mint of one's own.
/// - No `require-trusted-types-for`: the page's framework builds elements from templates by
///   `innerHTML`, and wasm-bindgen has no policy of its own.
fn policy(html: &str) -> String {
    let mut scripts = String::from("'self' 'wasm-unsafe-eval'");
    for script in inline_scripts(html) {
        let hash = STANDARD.encode(Sha256::digest(script));
        scripts.push_str(&format!(" 'sha256-{hash}'"));
    }
    [
        "default-src 'none'",
        &format!("script-src {scripts}"),
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self' https: http://localhost:* http://127.0.0.1:* ws: wss:",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "object-src 'none'",
    ]
    .join("; ")
}

/// The texts of the scripts that stand in the page itself.
fn inline_scripts(html: &str) -> Vec<&str> {
    let mut scripts = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find("<script") {
        let Some(open) = rest[start..].find('>').map(|length| start + length) else {
            break;
        };
        let Some(close) = rest[open..].find("</script").map(|length| open + length) else {
            break;
        };
        if attribute(&rest[start..open], "src").is_none() {
            scripts.push(&rest[open + 1..close]);
        }
        rest = &rest[close..];
    }
    scripts
}

/// Every file that the page names together with an integrity hash: in links, in its import map, and
/// for modules that it loads later.
pub(crate) fn promised(html: &str) -> Vec<(String, String)> {
    let mut promised = Vec::new();
    let mut promise = |file: &str, integrity: &str| {
        promised.push((file.trim_start_matches("./").into(), integrity.into()));
    };
    for tag in html
        .split('<')
        .map(|rest| rest.split('>').next().unwrap_or_default())
    {
        let file = attribute(tag, "href").or_else(|| attribute(tag, "src"));
        if let (Some(file), Some(integrity)) = (file, attribute(tag, "integrity")) {
            promise(file, integrity);
        }
        let content = attribute(tag, "content").and_then(|text| serde_json::from_str(text).ok());
        let content: serde_json::Value = content.unwrap_or_default();
        for (file, integrity) in [("js", "js_integrity"), ("wasm", "integrity")] {
            if let (Some(file), Some(integrity)) =
                (content[file].as_str(), content[integrity].as_str())
            {
                promise(file, integrity);
            }
        }
    }
    for script in inline_scripts(html) {
        let map = serde_json::from_str(script).unwrap_or_default();
        let serde_json::Value::Object(map) = map else {
            continue;
        };
        let modules = map.get("integrity").and_then(serde_json::Value::as_object);
        for (file, integrity) in modules.into_iter().flatten() {
            promise(file, integrity.as_str().unwrap_or_default());
        }
    }
    promised
}

/// The value of an attribute in the text of a tag, quoted in either way.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (start, end) = value_range(tag, name)?;
    Some(&tag[start..end])
}

/// Where the value of an attribute stands.
fn value_range(tag: &str, name: &str) -> Option<(usize, usize)> {
    for quote in ['"', '\''] {
        for before in [' ', '\n', '\t'] {
            let Some(at) = tag.find(&format!("{before}{name}={quote}")) else {
                continue;
            };
            let start = at + name.len() + 3;
            if let Some(length) = tag[start..].find(quote) {
                return Some((start, start + length));
            }
        }
    }
    None
}

fn with_attribute(tag: &str, integrity: &str) -> String {
    match value_range(tag, "integrity") {
        Some((start, end)) => format!("{}{integrity}{}", &tag[..start], &tag[end..]),
        None => format!("{} integrity=\"{integrity}\"", tag.trim_end_matches('/')),
    }
}

fn file_name(href: &str) -> &str {
    href.rsplit('/').next().unwrap_or(href)
}

/// The place just behind the first tag that begins so.
fn end_of_tag(html: &str, beginning: &str) -> Option<usize> {
    let start = html.to_ascii_lowercase().find(beginning)?;
    let length = html[start..].find('>')?;
    Some(start + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<!DOCTYPE html><html><head><meta charset=\"utf-8\">\
        <link rel=\"modulepreload\" href=\"./app-1.js\" integrity=\"sha384-js\">\
        <link rel=\"preload\" href=\"./app-1_bg.wasm\" integrity=\"sha384-old\" as=\"fetch\">\
        </head><body><script type=\"module\">\nawait init({ module_or_path: './app-1_bg.wasm' });\n\
        </script><script src=\"./other.js\"></script></body></html>";

    #[test]
    fn only_the_link_to_the_file_gets_the_new_integrity_hash() {
        let html = with_integrity(PAGE, "app-1_bg.wasm", "sha384-new");
        assert_eq!(
            promised(&html),
            [
                ("app-1.js".to_owned(), "sha384-js".to_owned()),
                ("app-1_bg.wasm".to_owned(), "sha384-new".to_owned())
            ]
        );
        assert_eq!(
            html.replace("sha384-new", "sha384-old"),
            PAGE,
            "nothing else changed"
        );
    }

    #[test]
    fn a_link_without_an_integrity_hash_gets_one() {
        let html = with_integrity("<link href='a.css' rel='x'/>", "a.css", "sha384-new");
        assert_eq!(html, "<link href='a.css' rel='x' integrity=\"sha384-new\">");
    }

    #[test]
    fn the_program_is_fetched_under_its_integrity_hash() {
        let html = with_checked_fetch(PAGE, "app-1_bg.wasm", "sha384-new");
        assert!(
            html.contains("fetch('./app-1_bg.wasm', { integrity: 'sha384-new' })"),
            "{html}"
        );
    }

    #[test]
    fn each_module_is_imported_under_its_integrity_hash() {
        let html = with_checked_modules(PAGE).unwrap();
        let map = "{\"integrity\":{\"./app-1.js\":\"sha384-js\"}}";
        let at = html.find(map).unwrap();
        assert!(
            at < html.find("await init").unwrap(),
            "an import map must come before all modules"
        );
        let html = with_policy(&html).unwrap();
        assert_eq!(
            html.matches("'sha256-").count(),
            2,
            "the policy must allow the map as well"
        );
    }

    fn later() -> Later {
        let file = |name: &str, hash: &str| (name.to_owned(), hash.to_owned());
        Later {
            js: file("money-1.js", "sha384-mjs"),
            wasm: file("money-1_bg.wasm", "sha384-mwasm"),
        }
    }

    #[test]
    fn a_module_for_later_is_named_with_its_hashes_and_not_loaded() {
        let html = with_later(PAGE, "money", &later()).unwrap();
        let all = promised(&html);
        assert_eq!(all.len(), promised(PAGE).len() + 2);
        for promise in [later().js, later().wasm] {
            assert!(all.contains(&promise), "{promise:?}");
        }
        let before = |text: &str| [html.matches(text).count(), PAGE.matches(text).count()];
        for loading in ["<link", "<script", "import(", "fetch("] {
            let [now, then] = before(loading);
            assert_eq!(now, then, "{loading}");
        }
    }

    #[test]
    fn a_module_for_later_is_imported_under_its_integrity_hash() {
        let html = with_later(PAGE, "money", &later()).unwrap();
        let html = with_checked_modules(&html).unwrap();
        assert!(html.contains("\"./money-1.js\":\"sha384-mjs\""), "{html}");
        let twice = |wanted: &str| promised(&html).iter().filter(|(f, _)| f == wanted).count();
        assert_eq!(twice("money-1.js"), 2, "named for later, and in the map");
    }

    #[test]
    fn the_policy_lets_the_page_reach_mints_by_tls_or_on_this_machine() {
        let html = with_policy("<head></head>").unwrap();
        let from = html.find("connect-src ").unwrap();
        let sources = html[from..].split(';').next().unwrap();
        let sources: Vec<_> = sources.split(' ').skip(1).collect();
        let local = ["http://localhost:*", "http://127.0.0.1:*"];
        assert_eq!(sources[..2], ["'self'", "https:"]);
        assert_eq!(sources[2..4], local);
        assert_eq!(sources[4..], ["ws:", "wss:"]);
    }

    #[test]
    fn the_policy_allows_exactly_the_inline_scripts_of_the_page() {
        let html = with_policy("<head></head><script>alert(1)</script>").unwrap();
        // printf 'alert(1)' | openssl dgst -sha256 -binary | base64
        let hash = "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='";
        assert!(html.contains(hash), "{html}");
        assert_eq!(html.matches("'sha256-").count(), 1);
        assert!(!html.contains("unsafe-inline"));

        let other = with_policy("<head></head><script>alert(2)</script>").unwrap();
        assert!(!other.contains(hash));
    }

    #[test]
    fn scripts_with_a_source_of_their_own_are_not_inline() {
        assert_eq!(inline_scripts(PAGE).len(), 1);
        assert!(inline_scripts(PAGE)[0].starts_with("\nawait init("));
    }

    #[test]
    fn the_policy_stands_before_everything_it_governs() {
        let html = with_policy(PAGE).unwrap();
        let policy = html.find(POLICY).unwrap();
        assert!(policy < html.find("<link").unwrap());
        assert!(policy > html.find("charset").unwrap());
    }

    #[test]
    fn a_page_that_cannot_hold_a_policy_is_refused() {
        assert!(with_policy("<p>no head</p>").is_err());
        let twice = with_policy(&with_policy(PAGE).unwrap());
        assert!(twice.is_err());
    }

    #[test]
    fn integrity_is_sha384_in_base64() {
        // FIPS 180-4, the message "abc".
        let abc = "sha384-ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2AhgcroefMI1i67KE0yCWn";
        assert_eq!(integrity(b"abc"), abc);
    }
}
