//! Debian's package manager, used only after saying what is installed and why, and only where it
//! exists and we may: as root, or through a sudo that asks no password.

use crate::run::{Run, find_program};
use crate::say::{Outcome, Trouble, doing};

/// Installs packages, or says which command would.
pub(crate) fn install(packages: &[&str], why: &str) -> Outcome {
    let list = packages.join(" ");
    let Some(door) = door() else {
        return Err(Trouble::new(format!(
            "{why}; this program cannot install packages here, so please install them yourself \
             (on Debian: `apt-get install {list}`) and run it again"
        )));
    };
    doing(format!("installing {list} through apt-get, because {why}"));
    // The lists of a fresh container are empty, and old lists name versions that are gone.
    apt(door)
        .args(["update", "-qq"])
        .openly()
        .map_err(|trouble| no_network(&trouble, &list))?;
    apt(door)
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(packages)
        .openly()
        .map_err(|trouble| no_network(&trouble, &list))
}

/// How apt-get can be run here.
#[derive(Debug, Clone, Copy)]
enum Door {
    Root,
    Sudo,
}

fn door() -> Option<Door> {
    find_program("apt-get")?;
    let root = Run::new("id")
        .arg("-u")
        .silently()
        .is_ok_and(|said| said.trim() == "0");
    if root {
        Some(Door::Root)
    } else if find_program("sudo").is_some() && Run::new("sudo").args(["-n", "true"]).succeeds() {
        Some(Door::Sudo)
    } else {
        None
    }
}

fn apt(door: Door) -> Run {
    let run = match door {
        Door::Root => Run::new("apt-get"),
        Door::Sudo => Run::new("sudo").args(["-n", "--preserve-env=DEBIAN_FRONTEND", "apt-get"]),
    };
    run.env("DEBIAN_FRONTEND", "noninteractive")
}

fn no_network(trouble: &Trouble, list: &str) -> Trouble {
    Trouble::new(format!(
        "{trouble}; check the network and the package sources, or install {list} yourself"
    ))
}
