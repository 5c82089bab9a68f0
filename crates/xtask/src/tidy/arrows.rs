//! Who may depend on whom: the arrows of ARCHITECTURE.md, read from the manifests. An arrow that is
//! not in the table is a finding, and so is a crate that the table does not know.

use crate::workspace::Workspace;

/// What a crate may import from this repository. None of these runs up, so there is no circle.
const ALLOWED: [(&str, &[&str]); 17] = [
    ("haggle-protocol", &[]),
    ("haggle-book", &["haggle-protocol"]),
    ("haggle-market", &["haggle-book", "haggle-protocol"]),
    // A rail keeps what it knows of money as everything is kept: saved before it is said.
    ("haggle-payments", &["haggle-protocol", "haggle-store"]),
    // The page's ecash, a module of its own.
    ("haggle-money", &["haggle-payments", "haggle-store"]),
    ("haggle-net", &["haggle-book", "haggle-protocol"]),
    // Keys and bytes; they know nothing of markets.
    ("haggle-store", &[]),
    // Publishable on its own.
    ("haggle-webrtc", &[]),
    (
        "haggle-node",
        &[
            "haggle-market",
            "haggle-payments",
            "haggle-store",
            "haggle-webrtc",
            "haggle-net",
            "haggle-book",
            "haggle-protocol",
        ],
    ),
    // The faces: they use the node's client and the nouns, nothing else.
    ("haggle-web", &["haggle-node", "haggle-protocol"]),
    ("haggle-js", &["haggle-node", "haggle-protocol"]),
    ("haggle-agent", &["haggle-node", "haggle-protocol"]),
    (
        "haggle-relay",
        &["haggle-net", "haggle-book", "haggle-protocol"],
    ),
    ("haggle-xtask", &[]),
    // A page for tests.
    ("haggle-interop", &["haggle-net", "haggle-webrtc"]),
    // Somebody else's mint.
    ("haggle-mint", &[]),
    (WHOLE_SYSTEM, &[]),
];

/// The crate that tests the whole system: it may import everything, and nothing imports it.
const WHOLE_SYSTEM: &str = "haggle-tests";

/// Every arrow that should not be.
pub(super) fn findings(workspace: &Workspace) -> Vec<String> {
    let mut findings = Vec::new();
    for package in &workspace.packages {
        let name = package.name.as_str();
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
            findings.push(format!(
                "{name} is in no row of the arrows: say what it may import"
            ));
            continue;
        };
        for dependency in package.ours() {
            let imported = dependency.name.as_str();
            let fine = (name == WHOLE_SYSTEM && imported != name) || allowed.contains(&imported);
            if !fine {
                let what = if dependency.dev { "tests of " } else { "" };
                findings.push(format!(
                    "{what}{name} may not import {imported}: the arrows run the other way"
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Dependency, Package};

    fn workspace(arrows: &[(&str, &str)]) -> Workspace {
        let packages = arrows.iter().map(|(from, to)| Package {
            name: (*from).into(),
            version: String::new(),
            description: String::new(),
            license: String::new(),
            folder: "/repo".into(),
            native: true,
            dependencies: vec![Dependency {
                name: (*to).into(),
                dev: false,
                folder: to.starts_with("haggle-").then(|| "/repo".into()),
            }],
            targets: Vec::new(),
        });
        Workspace {
            root: "/repo".into(),
            target: "/repo/target".into(),
            packages: packages.collect(),
        }
    }

    #[test]
    fn arrows_that_run_down_are_fine() {
        let down = [
            ("haggle-web", "haggle-node"),
            ("haggle-node", "haggle-market"),
            ("haggle-market", "haggle-book"),
            ("haggle-relay", "haggle-net"),
            ("haggle-tests", "haggle-relay"),
            ("haggle-protocol", "serde"),
        ];
        assert_eq!(findings(&workspace(&down)), [""; 0]);
    }

    #[test]
    fn an_arrow_that_runs_up_or_across_is_found() {
        let wrong = [
            ("haggle-market", "haggle-node"),
            ("haggle-relay", "haggle-market"),
            ("haggle-web", "haggle-market"),
            ("haggle-web", "haggle-money"),
            ("haggle-webrtc", "haggle-protocol"),
            ("haggle-node", "haggle-tests"),
            ("haggle-protocol", "haggle-book"),
        ];
        for arrow in wrong {
            let found = findings(&workspace(&[arrow]));
            assert_eq!(found.len(), 1, "{arrow:?}: {found:?}");
            assert!(
                found[0].contains(arrow.0) && found[0].contains(arrow.1),
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        assert_eq!(findings(&workspace(&[("haggle-utils", "serde")])).len(), 1);
    }
}
