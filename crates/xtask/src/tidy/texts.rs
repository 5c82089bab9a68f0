//! Rules about the text of single files: how long they may be, how they begin, and what may not stand
//! in them. The forbidden words are put together from pieces here, so that this file passes itself.

/// More than this many lines of Rust are too much to keep in one's head at once. Tests do not count:
/// a long list of cases is easy to read.
const MOST_LINES: usize = 1_000;

/// Kinds of files whose text is written by people. Data files may hold any word by accident.
const WRITTEN: [&str; 11] = [
    ".rs", ".toml", ".md", ".html", ".css", ".js", ".ts", ".sh", ".yml", ".yaml", ".ftl",
];

/// Every finding in a file, whose path is relative to the checkout.
pub(super) fn findings(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    if path.ends_with(".rs") {
        findings.extend(too_long(path, text));
        findings.extend(no_story(path, text));
    }
    findings.extend(registry_hosts(path, text));
    findings.extend(left_over(path, text));
    findings
}

fn too_long(path: &str, text: &str) -> Option<String> {
    let only_tests =
        path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("tests.rs");
    let lines = text
        .lines()
        .take_while(|line| *line != "#[cfg(test)]")
        .count();
    (lines > MOST_LINES && !only_tests)
        .then(|| format!("{path}: {lines} lines; more than {MOST_LINES} want to be two files"))
}

/// Each file of source begins with what it is for; a crate may tell it in its README.
fn no_story(path: &str, text: &str) -> Option<String> {
    let source = path.starts_with("src/") || path.contains("/src/");
    let told = text.starts_with("//!") || text.starts_with("#![doc = include_str!(");
    (source && !told).then(|| format!("{path}: does not begin with its story (`//!`)"))
}

/// Hosts of package registries: where packages come from is the business of each machine's set-up.
/// Cargo.lock names its registry by itself.
fn registry_hosts(path: &str, text: &str) -> Vec<String> {
    if path.ends_with("Cargo.lock") {
        return Vec::new();
    }
    let hosts = [
        ["crates", ".io"].concat(),
        ["npmjs", ".org"].concat(),
        ["npmjs", ".com"].concat(),
        ["pypi", ".org"].concat(),
        ["python", "hosted.org"].concat(),
        ["proxy.go", "lang.org"].concat(),
        ["rubygems", ".org"].concat(),
    ];
    lines_with(path, text, |line| {
        hosts
            .iter()
            .find(|host| line.contains(host.as_str()))
            .cloned()
    })
    .map(|(place, host)| {
        format!("{place}: names {host}; packages come from wherever a machine says")
    })
    .collect()
}

/// Notes to oneself and traces of debugging.
fn left_over(path: &str, text: &str) -> Vec<String> {
    if !WRITTEN.iter().any(|ending| path.ends_with(ending)) {
        return Vec::new();
    }
    let notes = [["TO", "DO"].concat(), ["FIX", "ME"].concat()];
    let calls = [
        ["dbg", "!("].concat(),
        ["todo", "!("].concat(),
        ["unimplemented", "!("].concat(),
    ];
    lines_with(path, text, |line| {
        let words = || line.split(|c: char| !c.is_alphanumeric() && c != '_');
        let note = notes
            .iter()
            .find(|note| words().any(|word| word == note.as_str()));
        let code = if path.ends_with(".rs") { line } else { "" };
        note.or_else(|| calls.iter().find(|call| code.contains(call.as_str())))
            .cloned()
    })
    .map(|(place, word)| format!("{place}: `{word}`: finish it, or open an issue"))
    .collect()
}

/// The place (`path:line`) and the hit of each line that has one.
fn lines_with<'a>(
    path: &'a str,
    text: &'a str,
    hit: impl Fn(&str) -> Option<String> + 'a,
) -> impl Iterator<Item = (String, String)> + 'a {
    text.lines()
        .enumerate()
        .filter_map(move |(number, line)| Some((format!("{path}:{}", number + 1), hit(line)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_source_that_is_too_long_is_found() {
        let long = format!("//! Story.\n{}", "fn a() {}\n".repeat(MOST_LINES));
        assert_eq!(findings("crates/node/src/a.rs", &long).len(), 1);
        assert!(
            findings("tests/tests/a.rs", &long).is_empty(),
            "tests may be long"
        );

        let tests = format!(
            "//! Story.\n#[cfg(test)]\n{}",
            "fn a() {}\n".repeat(MOST_LINES)
        );
        assert!(
            findings("crates/node/src/a.rs", &tests).is_empty(),
            "tests may be long"
        );
    }

    #[test]
    fn a_file_without_a_story_is_found() {
        assert_eq!(findings("web/src/a.rs", "fn a() {}\n").len(), 1);
        assert!(findings("web/src/a.rs", "//! Story.\nfn a() {}\n").is_empty());
        assert!(
            findings("build.rs", "fn main() {}\n").is_empty(),
            "only below src"
        );
    }

    #[test]
    fn a_registrys_host_is_found_in_any_file() {
        for host in [
            ["index.crates", ".io"],
            ["registry.npmjs", ".org"],
            ["pypi", ".org"],
        ] {
            let text = format!("first\nhttps://{}/x\n", host.concat());
            let found = findings("package-lock.json", &text);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with("package-lock.json:2:"), "{found:?}");
            assert!(findings("Cargo.lock", &text).is_empty(), "cargo writes it");
        }
    }

    #[test]
    fn left_over_notes_and_debugging_are_found() {
        let lines = [
            ["// TO", "DO: later"],
            ["// FIX", "ME"],
            ["    dbg", "!(x);"],
            ["    todo", "!()"],
        ];
        for line in lines {
            let text = format!("//! Story.\n{}\n", line.concat());
            assert_eq!(findings("relay/src/a.rs", &text).len(), 1, "{text}");
        }
        let word = ["MAST", "ODON and TO", "DOS"].concat();
        assert!(
            findings("README.md", &word).is_empty(),
            "only whole words count"
        );
    }
}
