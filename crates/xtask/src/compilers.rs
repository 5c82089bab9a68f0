//! Compilers that crates of others call while they are built: `protoc`, for the mint that tests pay at (it can also run apart from
//! its keys, over an interface written in protobuf), and a C compiler for the browser, for the curve that ecash is made on.

use crate::apt;
use crate::run::{Run, find_program};
use crate::say::{Outcome, Trouble};
use std::env;
use std::path::PathBuf;

/// The protobuf compiler, found or installed. `PROTOC` names another one.
pub(crate) fn protoc() -> Outcome<PathBuf> {
    let find = || {
        env::var_os("PROTOC")
            .map(PathBuf::from)
            .or_else(|| find_program("protoc"))
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    apt::install(
        &["protobuf-compiler"],
        "the mint that tests pay at, and that play money comes from, is built with protoc",
    )
    .map_err(|trouble| Trouble::new(format!("{trouble}; or name your own by PROTOC")))?;
    find().ok_or_else(|| Trouble::new("protoc was installed but is not in PATH; name it by PROTOC"))
}

/// What `cc` asks for when it compiles C for the browser.
const CC: &str = "CC_wasm32_unknown_unknown";
/// And when it puts objects together.
const AR: &str = "AR_wasm32_unknown_unknown";

/// Makes a cargo for the browser find a C compiler that knows the browser's machine.
pub(crate) fn around(run: Run) -> Outcome<Run> {
    Ok(match clang()? {
        Some((clang, ar)) => run.env(CC, clang).env(AR, ar),
        None => run,
    })
}

/// The C compiler for the browser and what goes with it, found or installed. The two variables name others: on a Mac, whose own clang
/// does not know the browser's machine, those of Homebrew's llvm. Then there is nothing to find.
pub(crate) fn clang() -> Outcome<Option<(PathBuf, PathBuf)>> {
    if env::var_os(CC).is_some() {
        return Ok(None);
    }
    let find = || Some((find_program("clang")?, find_program("llvm-ar")?));
    if find().is_none() {
        apt::install(
            &["clang", "llvm"],
            "the curve that ecash is made on is written in C",
        )
        .map_err(|trouble| Trouble::new(format!("{trouble}; or name your own by {CC} and {AR}")))?;
    }
    let (clang, ar) = find().ok_or_else(|| {
        Trouble::new(format!(
            "clang and llvm-ar were installed but are not in PATH; name them by {CC} and {AR}"
        ))
    })?;
    let targets = Run::new(&clang).arg("--print-targets").silently()?;
    if !targets.contains("wasm32") {
        return Err(Trouble::new(format!(
            "{} does not know the browser's machine (wasm32); install another clang and name it by {CC}, its llvm-ar by {AR}",
            clang.display()
        )));
    }
    Ok(Some((clang, ar)))
}
