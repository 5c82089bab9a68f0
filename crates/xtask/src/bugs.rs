//! `cargo xtask prove bugs`: whether the simulated market day would notice. Each bug is made on purpose in a copy of the sources, and the laws
//! of the day must break; without a bug they must hold.

use crate::cache;
use crate::say::{OrSay, Outcome, Trouble, doing};
use crate::workshop::Workshop;
use std::fs;
use std::path::Path;

/// A text that stands once in a file, and what stands there instead.
struct Edit {
    file: &'static str,
    right: &'static str,
    wrong: &'static str,
}

/// Something that somebody could get wrong.
struct Bug {
    name: &'static str,
    edits: &'static [Edit],
}

const BUGS: [Bug; 10] = [
    Bug {
        name: "a change that is not saved",
        edits: &[Edit {
            file: "batch.rs",
            right: "        self.save.insert(Key::Thread(id));\n",
            wrong: "",
        }],
    },
    Bug {
        name: "spoken before it was saved",
        edits: &[Edit {
            file: "market.rs",
            right: "        if !records.is_empty() {\n            effects.push(Effect::Save(records));\n        }\n        effects.append(&mut batch.acts);\n",
            wrong: "        effects.append(&mut batch.acts);\n        if !records.is_empty() {\n            effects.push(Effect::Save(records));\n        }\n",
        }],
    },
    Bug {
        name: "a message that has its effect twice",
        edits: &[
            Edit {
                file: "threads.rs",
                right: "Some(seen) if seen.message == id => return Ok(false),",
                wrong: "Some(seen) if seen.message == id => {}",
            },
            Edit {
                file: "mail.rs",
                right: "        if let Some(ack) = self.ack_again(&digest, now, batch)? {\n            return Ok(ack);\n        }\n",
                wrong: "        if false {\n            let _ = self.ack_again(&digest, now, batch)?;\n        }\n",
            },
        ],
    },
    Bug {
        name: "a deadline that is forgotten",
        edits: &[Edit {
            file: "lapsing.rs",
            right: ".filter(|deal| deal.state == DealState::Ordered)?;",
            wrong: ".filter(|_| false)?;",
        }],
    },
    Bug {
        name: "stock that is never free again",
        edits: &[Edit {
            file: "quoting.rs",
            right: "        self.stall.give_back(held.item, held.micros);\n        batch.thread(id);\n        batch.stall = true;\n",
            wrong: "        batch.thread(id);\n        batch.stall = true;\n",
        }],
    },
    Bug {
        name: "stock that is promised twice",
        edits: &[Edit {
            file: "orders.rs",
            right: "        if let Some(held) = needed {\n            self.stall.set_aside(held.item, held.micros);\n        }\n",
            wrong: "",
        }],
    },
    Bug {
        name: "an outbox that tries only once",
        edits: &[Edit {
            file: "mail.rs",
            right: "            waiting.failed(reached, now);\n        }\n",
            wrong: "            waiting.failed(reached, now);\n        }\n        self.forget_outgoing(id, message, batch);\n",
        }],
    },
    Bug {
        name: "a key that is deleted while it is still written to",
        edits: &[Edit {
            file: "threads.rs",
            right: "self.replies.drain(..at.unwrap_or(0))",
            wrong: "self.replies.drain(..at.map_or(0, |at| at + 1))",
        }],
    },
    Bug {
        name: "an intent that waits for ever for a seller who did not confirm",
        edits: &[Edit {
            file: "lapsing.rs",
            right: "                self.reopen(id, now, batch);\n",
            wrong: "",
        }],
    },
    Bug {
        name: "a cancel that is taken and changes nothing",
        edits: &[Edit {
            file: "cancelling.rs",
            right: "        self.end_cancelled(id, by, reason, note, now, batch);\n",
            wrong: "        let _ = (by, reason, note);\n",
        }],
    },
];

/// Where the sources stand that are made wrong.
const MARKET: &str = "crates/market/src";

/// What the market day says when a law breaks.
const BROKEN: &str = "a law broke on the day of seed";

/// Seeds of the days on which a bug must show.
const SEEDS: &str = "0..4";

/// Makes each bug, or the one whose name has these words.
pub(crate) fn run(shop: &Workshop, only: Option<&str>) -> Outcome {
    let place = shop.workspace.target.join("bugs");
    let tree = place.join("tree");
    cache::remove(&tree)?;
    copy(shop, &tree)?;
    let log = place.join("day.log");
    if only.is_none() {
        doing("living days without a bug");
        if !lives(shop, &tree, &log)? {
            return Err(Trouble::new(format!(
                "a law breaks without any bug; see {}",
                log.display()
            )));
        }
    }
    let bugs: Vec<&Bug> = BUGS
        .iter()
        .filter(|bug| only.is_none_or(|words| bug.name.contains(words)))
        .collect();
    let mut unseen = Vec::new();
    for bug in &bugs {
        let right = make(bug, &tree)?;
        let held = lives(shop, &tree, &log)?;
        let said = fs::read_to_string(&log).or_say(|| format!("read {}", log.display()))?;
        if held {
            unseen.push(bug.name);
            doing(format!("NOT SEEN: {}", bug.name));
        } else if said.contains(BROKEN) {
            doing(format!("caught: {} ({})", bug.name, law(&said)));
        } else {
            return Err(Trouble::new(format!(
                "\"{}\" broke something else than a law; see {}",
                bug.name,
                log.display()
            )));
        }
        for (file, text) in right {
            fs::write(&file, text).or_say(|| format!("write {}", file.display()))?;
        }
    }
    if !unseen.is_empty() {
        return Err(Trouble::new(format!(
            "the laws did not notice: {}",
            unseen.join(", ")
        )));
    }
    doing(format!("all {} were caught", bugs.len()));
    Ok(())
}

/// What was said when the first law broke.
fn law(said: &str) -> &str {
    let mut lines = said.lines();
    let panics = |line: &&str| line.contains("panicked at") && !line.contains("market_day.rs");
    let found = lines.find(panics).and_then(|_| lines.next());
    found.unwrap_or("no words")
}

/// Makes the copy wrong; gives back what stood there.
fn make(bug: &Bug, tree: &Path) -> Outcome<Vec<(std::path::PathBuf, String)>> {
    let mut before = Vec::new();
    for edit in bug.edits {
        let file = tree.join(MARKET).join(edit.file);
        let text = fs::read_to_string(&file).or_say(|| format!("read {}", file.display()))?;
        if text.matches(edit.right).count() != 1 {
            return Err(Trouble::new(format!(
                "\"{}\" cannot be made any more: what it changes does not stand once in {}",
                bug.name, edit.file
            )));
        }
        let wrong = text.replacen(edit.right, edit.wrong, 1);
        fs::write(&file, wrong).or_say(|| format!("write {}", file.display()))?;
        before.push((file, text));
    }
    Ok(before)
}

/// Whether the laws hold in the copy; everything that is said goes into the log.
fn lives(shop: &Workshop, tree: &Path, log: &Path) -> Outcome<bool> {
    let mut child = shop
        .cargo("test")
        .args(["--package", "haggle-tests", "--test", "market_day"])
        .args(["--", "--nocapture", "on_every_day"])
        .env("CARGO_TARGET_DIR", tree.with_file_name("build"))
        .env("HAGGLE_SEEDS", SEEDS)
        .env("RUST_BACKTRACE", "0")
        .within(tree)
        .into_file(log)?
        .start()?;
    let status = child
        .wait()
        .or_say(|| "wait for the market day".to_owned())?;
    Ok(status.success())
}

/// Copies what is needed to build it: all but what was built.
fn copy(shop: &Workshop, tree: &Path) -> Outcome {
    let root = &shop.workspace.root;
    for name in ["crates", "relay", "web", "tests"] {
        copy_folder(&root.join(name), &tree.join(name))?;
    }
    for name in ["Cargo.toml", "Cargo.lock", "clippy.toml"] {
        let (from, to) = (root.join(name), tree.join(name));
        fs::copy(&from, &to).or_say(|| format!("copy {}", from.display()))?;
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Outcome {
    let say = || format!("copy {}", from.display());
    fs::create_dir_all(to).or_say(say)?;
    for entry in fs::read_dir(from).or_say(say)? {
        let entry = entry.or_say(say)?;
        let name = entry.file_name();
        let built = ["target", "node_modules", "corpus", "artifacts"];
        if built.iter().any(|built| name == *built) {
            continue;
        }
        let (from, to) = (entry.path(), to.join(&name));
        if entry.file_type().or_say(say)?.is_dir() {
            copy_folder(&from, &to)?;
        } else {
            fs::copy(&from, &to).or_say(|| format!("copy {}", from.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bug_can_still_be_made() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for bug in &BUGS {
            for edit in bug.edits {
                let file = root.join(MARKET).join(edit.file);
                let text = fs::read_to_string(&file).unwrap();
                let times = text.matches(edit.right).count();
                assert_eq!(times, 1, "{} in {}", bug.name, edit.file);
            }
        }
    }

    #[test]
    fn the_law_that_broke_is_what_the_first_panic_said() {
        let said = "running 1 test\nthread 'x' panicked at tests/stage/laws.rs:9:1:\nsold twice\n\
            thread 'y' panicked at tests/tests/market_day.rs:62:9:\na law broke on the day of seed 1\n";
        assert_eq!(law(said), "sold twice");
    }
}
