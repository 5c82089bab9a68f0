//! The program as its operator runs it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use crate::peer::folder;

fn relay() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_haggle-relay"));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[test]
fn it_says_one_line_when_ready_and_stops_when_it_is_told() {
    let mut child = relay()
        .args(["--http", "127.0.0.1:0", "--network", "test", "--data"])
        .arg(folder("process"))
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let words: Vec<_> = line.split_whitespace().collect();
    assert_eq!(words.len(), 3, "{line}");
    assert_eq!(words[0], "ready");
    assert!(
        words[1].starts_with("http://127.0.0.1:") && words[1].ends_with('/'),
        "{line}"
    );
    assert!(words[2].starts_with("12D3Koo"), "{line}");

    let told = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(told.success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    let mut log = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut log)
        .unwrap();
    assert!(child.wait().unwrap().success(), "{log}");
    assert_eq!(rest, "", "nothing else on stdout");
    assert!(log.contains("stopping"), "{log}");
    assert!(
        !log.contains(words[2]) && !log.contains("127.0.0.1"),
        "no names in the log: {log}"
    );
}

#[test]
fn a_bad_configuration_ends_with_code_2_and_one_sentence() {
    let folder = folder("bad");
    let file = folder.join("relay.toml");
    std::fs::write(&file, "[http]\nlisen = \"127.0.0.1:0\"\n").unwrap();
    let out = relay().arg("--config").arg(&file).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    let said = String::from_utf8(out.stderr).unwrap();
    assert_eq!(
        said,
        "haggle-relay: http.lisen: there is no such key. Did you mean http.listen?\n"
    );
    assert!(out.stdout.is_empty());

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let out = relay()
        .arg("--data")
        .arg(&folder)
        .args(["--http", &taken.local_addr().unwrap().to_string()])
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(2));
    let said = String::from_utf8(out.stderr).unwrap();
    assert!(
        said.contains("http.listen: 127.0.0.1:") && said.contains("port that is free"),
        "{said}"
    );
}
