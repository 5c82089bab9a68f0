//! What a crate does not know, however far away: crates that may not stand in its dependency tree,
//! and words that may not stand in its source.

/// Crates that one of ours must never be built from.
#[derive(Debug)]
pub(super) struct Absence {
    /// Ours.
    pub(super) krate: &'static str,
    /// Lists of names, or of beginnings of names that end in `*`.
    absent: &'static [&'static [&'static str]],
    why: &'static str,
}

/// The network and what only runs with it.
const LIBP2P: &[&str] = &["libp2p*"];

/// Everything by which Rust talks to a browser.
const JAVASCRIPT: &[&str] = &["js-sys", "web-sys", "wasm-bindgen*", "gloo*"];

/// Runtimes and executors.
const RUNTIMES: &[&str] = &["tokio*", "async-std", "async-executor", "smol"];

pub(super) const RULES: &[Absence] = &[
    Absence {
        krate: "haggle-protocol",
        absent: &[LIBP2P, RUNTIMES, JAVASCRIPT, &["futures*", "getrandom"]],
        why: "the nouns are bytes: no network, no waiting, no browser, no dice",
    },
    Absence {
        krate: "haggle-book",
        absent: &[LIBP2P, RUNTIMES, JAVASCRIPT],
        why: "the book is pure: whoever owns it brings the network and the clock",
    },
    Absence {
        krate: "haggle-market",
        absent: &[LIBP2P, RUNTIMES, JAVASCRIPT],
        why: "the market is a pure machine: input and time in, effects out",
    },
    Absence {
        krate: "haggle-relay",
        absent: &[&["haggle-market", "haggle-node"]],
        why: "a relay introduces peers and remembers what was said out loud; it never trades",
    },
    Absence {
        krate: "haggle-web",
        absent: &[&["cdk*", "cashu", "secp256k1*", "haggle-money"]],
        why: "a page that never pays does not load ecash",
    },
    Absence {
        krate: "haggle-store",
        absent: &[&["haggle-*"]],
        why: "the store keeps keys and bytes, whatever they mean",
    },
    Absence {
        krate: "haggle-webrtc",
        absent: &[&["haggle-*"]],
        why: "the transport can be published and used on its own",
    },
];

/// Words that may not stand in the source below a folder: (folder, words, why).
const WORDS: [(&str, &[&str], &str); 2] = [
    (
        "crates/market/src/",
        &["async fn", "async move", ".await"],
        "the market never waits; it says in an effect what it waits for",
    ),
    (
        "crates/node/src/",
        &["JsValue", "web_sys"],
        "the node knows neither JavaScript values nor the page; that is what the faces are for",
    ),
];

/// Findings in what `cargo tree --prefix none --format {p}` printed for the rule's crate.
pub(super) fn in_tree(rule: &Absence, platform: &str, tree: &str) -> Vec<String> {
    let mut found: Vec<_> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != rule.krate)
        .filter(|name| {
            rule.absent
                .iter()
                .copied()
                .flatten()
                .any(|pattern| matches(pattern, name))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
        .iter()
        .map(|name| {
            format!(
                "{} is built from {name} on {platform}, but {}",
                rule.krate, rule.why
            )
        })
        .collect()
}

/// Findings in one file of source.
pub(super) fn in_source(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for (folder, words, why) in WORDS {
        if !path.starts_with(folder) || !path.ends_with(".rs") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for word in words.iter().filter(|word| holds_word(code, word)) {
                findings.push(format!("{path}:{}: `{word}`: {why}", number + 1));
            }
        }
    }
    findings
}

/// Whether the word stands in the code and does not go on as a longer one.
fn holds_word(code: &str, word: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word)
        .any(|(at, _)| !code[at + word.len()..].starts_with(goes_on))
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(krate: &str) -> &'static Absence {
        RULES.iter().find(|rule| rule.krate == krate).unwrap()
    }

    #[test]
    fn each_absence_is_found_when_it_is_broken() {
        let broken = [
            ("haggle-protocol", "getrandom v0.4.1"),
            ("haggle-protocol", "futures-core v0.3.31"),
            ("haggle-book", "libp2p-gossipsub v0.50.1"),
            ("haggle-market", "tokio v1.50.0"),
            ("haggle-market", "web-sys v0.3.85 (*)"),
            ("haggle-relay", "haggle-market v0.1.0 (/repo/crates/market)"),
            ("haggle-web", "cdk-common v0.18.3"),
            (
                "haggle-store",
                "haggle-protocol v0.1.0 (/repo/crates/protocol)",
            ),
            ("haggle-webrtc", "haggle-net v0.1.0 (/repo/crates/net)"),
        ];
        for (krate, line) in broken {
            let tree = format!("{krate} v0.1.0 (/repo)\nserde v1.0.0\n{line}\n{line}\n");
            let found = in_tree(rule(krate), "here", &tree);
            assert_eq!(found.len(), 1, "{krate}: {found:?}");
        }
    }

    #[test]
    fn a_tree_without_the_absent_is_fine() {
        let tree = "haggle-market v0.1.0 (/repo)\nhaggle-book v0.1.0 (/repo)\nserde v1.0.0\n";
        assert_eq!(in_tree(rule("haggle-market"), "here", tree), [""; 0]);
        let tree = "haggle-store v0.1.0 (/repo)\nwasm-bindgen v0.2.108\n";
        assert_eq!(in_tree(rule("haggle-store"), "here", tree), [""; 0]);
    }

    #[test]
    fn a_market_that_waits_is_found_and_one_that_speaks_of_waiting_is_not() {
        let found = in_source("crates/market/src/trade.rs", "fn a() {}\nasync fn b() {}\n");
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("crates/market/src/trade.rs:2:"),
            "{found:?}"
        );
        assert_eq!(
            in_source("crates/market/src/trade.rs", "a.send().await?;").len(),
            1
        );
        assert!(in_source("crates/market/src/trade.rs", "//! no async fn here\n").is_empty());
        assert!(in_source("crates/market/src/trade.rs", "self.awaiting_me()?;").is_empty());
        assert!(in_source("crates/node/src/client.rs", "async fn b() {}\n").is_empty());
    }

    #[test]
    fn a_node_that_touches_the_page_is_found() {
        assert_eq!(
            in_source("crates/node/src/a.rs", "use web_sys::Window;").len(),
            1
        );
        assert_eq!(
            in_source("crates/node/src/a.rs", "fn a(b: JsValue) {}").len(),
            1
        );
        assert!(in_source("crates/js/src/a.rs", "fn a(b: JsValue) {}").is_empty());
    }
}
