//! `cargo xtask tidy`: what the architecture promises and no compiler checks. Each rule is a function
//! from values to findings, so that its test can show it a case that must fail; this file only
//! gathers the values.

mod absences;
mod arrows;
mod page;
mod texts;
mod wasm;

use crate::run::{Run, find_program};
use crate::say::{OrSay, Outcome, Trouble, doing};
use crate::stamp::collect;
use crate::toolchain::WASM;
use crate::workshop::Workshop;
use std::fs;
use std::path::{Path, PathBuf};

/// The platforms whose dependency trees are looked at: a crate may pull in JavaScript only for the
/// browser, and an async runtime only natively.
const PLATFORMS: [&str; 2] = ["x86_64-unknown-linux-gnu", WASM];

/// Gathers what a rule judges, and gives back its findings.
type Rule = fn(&Workshop) -> Outcome<Vec<String>>;

/// Runs every rule and prints every finding; fails if there is one.
pub(crate) fn run(shop: &Workshop) -> Outcome {
    let rules: [(&str, Rule); 6] = [
        ("arrows between crates", |shop| {
            Ok(arrows::findings(&shop.workspace))
        }),
        ("absences from dependency trees", absent_crates),
        ("texts", texts),
        ("the lock file", lock_file),
        ("imports of the built site", site_imports),
        ("docs/protocol.md", protocol_page),
    ];
    let mut findings = Vec::new();
    for (name, rule) in rules {
        let found = rule(shop)?;
        doing(format!("tidy: {name}: {}", verdict(found.len())));
        findings.extend(found);
    }
    for finding in &findings {
        println!("  {finding}");
    }
    if findings.is_empty() {
        return Ok(());
    }
    Err(Trouble::new(format!(
        "tidy has {} listed above",
        verdict(findings.len())
    )))
}

fn verdict(findings: usize) -> String {
    match findings {
        0 => "holds".into(),
        1 => "1 finding".into(),
        many => format!("{many} findings"),
    }
}

fn absent_crates(shop: &Workshop) -> Outcome<Vec<String>> {
    let mut findings = Vec::new();
    for rule in absences::RULES {
        if shop.workspace.package(rule.krate).is_none() {
            continue;
        }
        for platform in PLATFORMS {
            let tree = shop
                .cargo("tree")
                .args([
                    "--package",
                    rule.krate,
                    "--edges",
                    "normal",
                    "--prefix",
                    "none",
                ])
                .args(["--format", "{p}", "--target", platform])
                .silently()?;
            findings.extend(absences::in_tree(rule, platform, &tree));
        }
    }
    Ok(findings)
}

fn texts(shop: &Workshop) -> Outcome<Vec<String>> {
    let root = &shop.workspace.root;
    let mut findings = Vec::new();
    for path in own_files(root)? {
        // Not UTF-8: a picture or the like, with nothing for these rules.
        let Ok(text) = fs::read_to_string(root.join(&path)) else {
            continue;
        };
        let shown = path.to_string_lossy().replace('\\', "/");
        findings.extend(texts::findings(&shown, &text));
        findings.extend(absences::in_source(&shown, &text));
    }
    Ok(findings)
}

/// The files of the checkout that are ours: those that git follows or would follow, or, where there
/// is no git, all that do not lie in a folder of builds.
fn own_files(root: &Path) -> Outcome<Vec<PathBuf>> {
    if root.join(".git").exists() && find_program("git").is_some() {
        let said = Run::new("git")
            .args([
                "ls-files",
                "--cached",
                "--others",
                "--exclude-standard",
                "-z",
            ])
            .within(root)
            .silently()?;
        let files = said
            .split('\0')
            .filter(|file| !file.is_empty())
            .map(PathBuf::from);
        return Ok(files.filter(|file| root.join(file).is_file()).collect());
    }
    let mut found = Vec::new();
    collect(
        root,
        &[".git", "target", "node_modules", "dist"],
        &mut found,
    )?;
    Ok(found
        .iter()
        .filter_map(|f| f.strip_prefix(root).ok())
        .map(PathBuf::from)
        .collect())
}

/// Cargo.lock fits the manifests, and on a build machine it is the committed one: cargo would have
/// updated it silently before this program started.
fn lock_file(shop: &Workshop) -> Outcome<Vec<String>> {
    let mut findings = Vec::new();
    let root = &shop.workspace.root;
    let fits = shop
        .cargo("metadata")
        .args(["--format-version", "1"])
        .silently();
    if fits.is_err() {
        findings
            .push("Cargo.lock does not fit the manifests: run `cargo check` and commit it".into());
    }
    if std::env::var_os("CI").is_some() && root.join(".git").exists() {
        let changed = Run::new("git")
            .args(["status", "--porcelain", "--", "Cargo.lock"])
            .within(root)
            .silently()?;
        if !changed.trim().is_empty() {
            findings.push(
                "Cargo.lock was changed by this build: the committed one does not fit the manifests"
                    .into(),
            );
        }
    }
    Ok(findings)
}

fn site_imports(shop: &Workshop) -> Outcome<Vec<String>> {
    let mut files = Vec::new();
    collect(&shop.workspace.target.join("site"), &[], &mut files)?;
    collect(&shop.workspace.target.join("js/pkg"), &[], &mut files)?;
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "wasm")
    });
    let mut findings = Vec::new();
    for file in files {
        let bytes = fs::read(&file).or_say(|| format!("read {}", file.display()))?;
        findings.extend(wasm::findings(&file.display().to_string(), &bytes));
    }
    Ok(findings)
}

fn protocol_page(shop: &Workshop) -> Outcome<Vec<String>> {
    let root = &shop.workspace.root;
    let sources = root.join("crates/protocol/src");
    let text = |file: &Path| fs::read_to_string(file).or_say(|| format!("read {}", file.display()));
    let page = root.join("docs/protocol.md");
    if !page.is_file() || !sources.is_dir() {
        return Ok(Vec::new());
    }
    Ok(page::findings(
        &text(&page)?,
        &text(&sources.join("tag.rs"))?,
        &text(&sources.join("names.rs"))?,
        &text(&sources.join("refusal.rs"))?,
    ))
}
