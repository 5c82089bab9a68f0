//! `cargo xtask up`: from a checkout to a page in the browser. Sets up, builds the site and the programs,
//! starts the relay on loopback with the site on it and a few sample stalls, waits until it is ready, and prints one address. If it is
//! asked to, also a mint of play money (`play`).

use crate::outfit::{self, Speed};
use crate::play::Play;
use crate::run::Run;
use crate::say::{OrSay, Outcome, Stopwatch, Trouble, doing};
use crate::workshop::Workshop;
use crate::{compilers, site};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Where the page is served unless the person says otherwise: free on most machines.
const PORT: u16 = 8787;

/// How long the relay may take to become ready; it needs a fraction of a second.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the relay may take to say goodbye to its peers before it is ended.
const FAREWELL: Duration = Duration::from_secs(10);

/// How often the relay, and the person's wish to stop, are looked at.
const GLANCE: Duration = Duration::from_millis(100);

/// How long one question about readiness may take, and how much of the answer matters: its first line.
const QUESTION: Duration = Duration::from_secs(2);
const FIRST_LINE: usize = 64;

/// The relay's list of addresses is a kilobyte; more is no list.
const LIST: usize = 64 * 1024;

/// Where the sample stalls are.
const STALLS: &str = "crates/agent/stalls";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Options {
    /// Where to serve the page.
    pub(crate) port: u16,
    /// The named profile that the printed address opens.
    pub(crate) profile: Option<String>,
    /// Without sample stalls.
    pub(crate) alone: bool,
    /// With a mint of play money.
    pub(crate) play_money: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: PORT,
            profile: None,
            alone: false,
            play_money: false,
        }
    }
}

/// Runs until the person stops it, or the relay ends.
pub(crate) fn run(shop: &Workshop, options: &Options) -> Outcome {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    is_free(address)?;
    let state = shop.workspace.target.join("up");
    let play = options
        .play_money
        .then(|| Play::beside(options.port, &state));
    let play = play.transpose()?;
    shop.set_up(false)?;
    if let Some(play) = &play {
        is_free(play.address)?;
        compilers::protoc()?;
    }
    let site = site::build(shop)?;
    doing("building the relay and the stalls' program");
    let names = [outfit::RELAY, outfit::AGENT];
    let [relay, agent] = outfit::programs(shop, Speed::Release, names)?;

    let demo = match &play {
        Some(play) => {
            doing("building the mint of play money (some minutes the first time)");
            Some((play, outfit::mint(shop)?))
        }
        None => None,
    };

    fs::create_dir_all(&state).or_say(|| format!("create {}", state.display()))?;
    let site = match &play {
        Some(play) => play.site(&site, &state)?,
        None => site,
    };
    let stop = wish_to_stop()?;
    doing(format!(
        "starting the relay on {address}, with the site on it"
    ));
    let config = state.join("relay.toml");
    fs::write(&config, configuration(address, &site, &state))
        .or_say(|| format!("write {}", config.display()))?;
    let mut child = Run::new(&relay)
        .arg("--config")
        .arg(&config)
        .within(&state)
        .start()?;
    let ready = wait_until_ready(&mut child, address, &stop);
    let (mut mints, mut stalls) = (Vec::new(), Vec::new());
    let opened = match (&ready, &demo) {
        (Ok(true), Some((play, program))) => open_mint(play, program, &stop, &mut mints),
        _ => Ok(()),
    };
    let opened = opened.and_then(|()| {
        if !matches!(ready, Ok(true)) || options.alone {
            return Ok(());
        }
        open_stalls(shop, &agent, address, &state, play.as_ref(), &mut stalls)
    });
    if matches!((&ready, &opened), (Ok(true), Ok(()))) {
        println!("\n    {}\n", url(address, options.profile.as_deref()));
        if !stalls.is_empty() {
            doing(format!(
                "{} sample stalls answer: ask for a bicycle, a laptop or a translation; what they say is in {}",
                stalls.len(),
                state.join("stalls").display()
            ));
        }
        if let Some(play) = &play {
            doing(format!(
                "play money comes from {}: it is worth nothing and buys nothing. The page offers it under \"Money\", and the stalls take it",
                play.url()
            ));
        }
        doing("open this address, in a second window as a second person; Ctrl-C stops everything");
        while !stop.load(Ordering::Relaxed) && is_running(&mut child) {
            std::thread::sleep(GLANCE);
        }
    }
    let asked = stop.load(Ordering::Relaxed);
    let running = is_running(&mut child);
    // All of them, also if one does not want to.
    let ended: Vec<Outcome> = stalls
        .iter_mut()
        .chain(&mut mints)
        .chain([&mut child])
        .map(end)
        .collect();
    ready?;
    opened?;
    ended.into_iter().collect::<Outcome>()?;
    if !asked && !running {
        return Err(Trouble::new(
            "the relay ended by itself; what it said is above",
        ));
    }
    doing("the relay is stopped");
    Ok(())
}

/// The relay's configuration as a newcomer needs it: on loopback only, with its keys in a folder of
/// this checkout, so that it is the same relay the next time.
fn configuration(address: SocketAddr, site: &Path, state: &Path) -> String {
    // A text in TOML is written like one in JSON.
    let text = |path: &Path| Value::from(path.to_string_lossy()).to_string();
    format!(
        "data = {}\n\n[http]\nlisten = \"{address}\"\nsite = {}\n",
        text(&state.join("relay")),
        text(site)
    )
}

/// What the person opens.
fn url(address: SocketAddr, profile: Option<&str>) -> String {
    match profile {
        Some(name) => format!("http://{address}/#as={name}"),
        None => format!("http://{address}/"),
    }
}

/// Someone else on the port is found out before minutes are spent on building.
fn is_free(address: SocketAddr) -> Outcome {
    TcpListener::bind(address).map(drop).map_err(|error| {
        Trouble::new(format!(
            "{address} cannot be used ({error}); stop what runs there, or choose another port: \
             `cargo xtask up --port {}`",
            address.port().wrapping_add(1).max(1024)
        ))
    })
}

/// Whether the relay became ready; false if the person did not want to wait for it.
fn wait_until_ready(child: &mut Child, address: SocketAddr, stop: &AtomicBool) -> Outcome<bool> {
    let watch = Stopwatch::start();
    while watch.elapsed() < PATIENCE {
        if stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        if !is_running(child) {
            return Err(Trouble::new(
                "the relay ended at once; the reason it gave is above",
            ));
        }
        if is_ready(address, "/readyz") {
            return Ok(true);
        }
        std::thread::sleep(GLANCE);
    }
    Err(Trouble::new(format!(
        "the relay did not become ready within {} s; what it says at http://{address}/readyz or above \
         tells why",
        PATIENCE.as_secs()
    )))
}

/// Starts the mint of play money and waits until it answers; it is in `running` even if it does not.
fn open_mint(play: &Play, program: &Path, stop: &AtomicBool, running: &mut Vec<Child>) -> Outcome {
    running.push(play.start(program)?);
    let watch = Stopwatch::start();
    while watch.elapsed() < PATIENCE && !stop.load(Ordering::Relaxed) {
        if is_ready(play.address, "/v1/info") {
            return Ok(());
        }
        if !running.iter_mut().all(is_running) {
            break;
        }
        std::thread::sleep(GLANCE);
    }
    if stop.load(Ordering::Relaxed) {
        return Ok(());
    }
    Err(Trouble::new(format!(
        "the mint of play money did not become ready; what it says is in {}",
        play.log().display()
    )))
}

/// Starts a peer for each sample stall; those that are running are in `running` even if another one fails.
fn open_stalls(
    shop: &Workshop,
    agent: &Path,
    address: SocketAddr,
    state: &Path,
    play: Option<&Play>,
    running: &mut Vec<Child>,
) -> Outcome {
    let list = get(address, "/relays.json", LIST).or_say(|| "ask the relay where it is".into())?;
    let relay = by_websocket(&list)
        .ok_or_else(|| Trouble::new("the relay does not say how a stall would reach it"))?;
    let records = state.join("stalls");
    fs::create_dir_all(&records).or_say(|| format!("create {}", records.display()))?;
    let folder = shop.workspace.root.join(STALLS);
    let files = fs::read_dir(&folder).or_say(|| format!("read {}", folder.display()))?;
    let mut files: Vec<_> = files.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    files.sort();
    for file in files {
        let name = file.file_stem().unwrap_or_default();
        let record = |end: &str| records.join(name).with_extension(end);
        let said = match play {
            Some(play) => play.stall(&file, &records)?,
            None => file.clone(),
        };
        let run = Run::new(agent)
            .arg("stall")
            .arg(&said)
            .args(["--relay", &relay])
            .arg("--data")
            .arg(record("redb"))
            .within(&records)
            .into_file(&record("log"))?;
        running.push(run.start()?);
    }
    Ok(())
}

/// The relay's own address for WebSockets, out of its list.
fn by_websocket(answer: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(answer);
    let (_, body) = text.split_once("\r\n\r\n")?;
    let list: Value = serde_json::from_str(body).ok()?;
    let all = list["relays"].as_array()?.iter();
    let mut all = all.filter_map(Value::as_str);
    all.find(|address| address.contains("/ws/"))
        .map(str::to_owned)
}

/// Whether this path is answered with 200 now.
fn is_ready(address: SocketAddr, path: &str) -> bool {
    get(address, path, FIRST_LINE).is_ok_and(|answer| says_ok(&answer))
}

/// The beginning of what is answered to a question for a path.
fn get(address: SocketAddr, path: &str, most: usize) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, QUESTION)?;
    stream.set_read_timeout(Some(QUESTION))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(most as u64).read_to_end(&mut answer)?;
    Ok(answer)
}

fn says_ok(answer: &[u8]) -> bool {
    let line = answer
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    line.starts_with(b"HTTP/1.") && line.get(8..12) == Some(b" 200")
}

fn is_running(child: &mut Child) -> bool {
    matches!(child.try_wait(), Ok(None))
}

/// Asks the relay to stop, waits for it, and ends it if it does not.
fn end(child: &mut Child) -> Outcome {
    if is_running(child) {
        // On Ctrl-C it has heard already; on a signal to this program alone it has not.
        Run::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .succeeds();
        let watch = Stopwatch::start();
        while is_running(child) && watch.elapsed() < FAREWELL {
            std::thread::sleep(GLANCE);
        }
    }
    if is_running(child) {
        child.kill().or_say(|| "end the relay".into())?;
        child.wait().or_say(|| "wait for the relay".into())?;
    }
    Ok(())
}

/// A flag that Ctrl-C and a polite request to terminate raise.
#[cfg(unix)]
fn wish_to_stop() -> Outcome<Arc<AtomicBool>> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&flag))
            .or_say(|| "listen for Ctrl-C".into())?;
    }
    Ok(flag)
}

/// Elsewhere Ctrl-C ends this program and the relay together.
#[cfg(not(unix))]
fn wish_to_stop() -> Outcome<Arc<AtomicBool>> {
    Ok(Arc::new(AtomicBool::new(false)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_of_200_means_ready() {
        assert!(says_ok(b"HTTP/1.1 200 OK\r\ncontent-length: 2"));
        assert!(!says_ok(b"HTTP/1.1 503 Service Unavailable\r\n"));
        assert!(!says_ok(b""));
    }

    #[test]
    fn a_port_that_is_taken_is_found_with_a_way_out() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let trouble = is_free(taken.local_addr().unwrap())
            .unwrap_err()
            .to_string();
        assert!(trouble.contains("--port"), "{trouble}");
    }

    #[test]
    fn the_relay_is_told_to_stay_on_this_machine() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
        let text = configuration(address, Path::new("/a \"b\"/site"), Path::new("/state"));
        assert!(text.contains("listen = \"127.0.0.1:8787\""), "{text}");
        assert!(text.contains("site = \"/a \\\"b\\\"/site\""), "{text}");
        assert!(text.contains("data = \"/state/relay\""), "{text}");
    }

    #[test]
    fn a_stall_reaches_the_relay_by_its_websocket() {
        let list = b"HTTP/1.1 200 OK\r\na: b\r\n\r\n{\"relays\":[\"/ip4/1.2.3.4/udp/1/webrtc-direct/p2p/x\",\
            \"/ip4/127.0.0.1/tcp/8787/ws/p2p/x\"]}";
        assert_eq!(
            by_websocket(list).as_deref(),
            Some("/ip4/127.0.0.1/tcp/8787/ws/p2p/x")
        );
        assert_eq!(
            by_websocket(b"HTTP/1.1 200 OK\r\n\r\n{\"relays\":[]}"),
            None
        );
        assert_eq!(by_websocket(b"nonsense"), None);
    }

    #[test]
    fn the_address_opens_the_profile_that_was_asked_for() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
        assert_eq!(url(address, None), "http://127.0.0.1:8787/");
        assert_eq!(url(address, Some("ben")), "http://127.0.0.1:8787/#as=ben");
    }

    #[cfg(unix)]
    #[test]
    fn a_child_that_is_asked_to_stop_is_not_left_behind() {
        let mut child = Run::new("sleep").arg("600").start().unwrap();
        assert!(is_running(&mut child));
        end(&mut child).unwrap();
        assert!(!is_running(&mut child));
    }

    #[test]
    fn a_relay_that_ends_at_once_is_not_waited_for() {
        let mut child = Run::new("true").start().unwrap();
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let outcome = wait_until_ready(&mut child, nowhere, &AtomicBool::new(false));
        assert!(outcome.unwrap_err().to_string().contains("ended at once"));
    }
}
