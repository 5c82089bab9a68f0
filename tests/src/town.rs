//! A small internet in network namespaces of the test's own: a public side with a relay in it, and houses, each behind a router that
//! masquerades. From house to house there is no route, and nothing of it touches the machine's own network.
//!
//! ```text
//!  house a 10.181.163.97 ── router a ── 198.51.100.11 ┐
//!                                                     ├── public side 198.51.100.1 (relay, STUN, site)
//!  house b 10.182.163.97 ── router b ── 198.51.100.12 ┘
//! ```
//!
//! It needs root, and the programs `ip` and `nft`.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockProtocol, SockType, recv, setsockopt, socket, sockopt,
};
use nix::sys::time::TimeVal;

use crate::cable::{Cable, Weather, now};
use crate::place::{self, from_environment};
use crate::process::Process;
use crate::trouble::{Outcome, Trouble};
use tempfile::TempDir;

/// Where the relay is, in a range that is reserved for documentation.
pub const PUBLIC: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

/// How a router chooses the ports under which it speaks for its house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nat {
    /// The same for everybody: most routers at home.
    Plain,
    /// Another one for each that is spoken to: some companies' and telephone networks.
    Symmetric,
}

/// A network namespace; it ends when dropped, with everything in it.
#[derive(Debug)]
pub struct Space {
    name: String,
}

impl Space {
    fn new(name: &str) -> Outcome<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hg{}-{number}-{name}", std::process::id());
        run("ip", &format!("netns add {name}"))?;
        let space = Self { name };
        space.run("ip link set lo up")?;
        Ok(space)
    }

    /// What the system calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs a command in it.
    fn run(&self, line: &str) -> Outcome {
        run("ip", &format!("netns exec {} {line}", self.name))
    }

    fn rules(&self, rules: &str) -> Outcome {
        let mut child = self
            .command("nft")
            .args(["-f", "-"])
            .stdin(std::process::Stdio::piped())
            .spawn()?;
        if let Some(mut into) = child.stdin.take() {
            into.write_all(rules.as_bytes())?;
        }
        if child.wait()?.success() {
            Ok(())
        } else {
            Err(Trouble::new("nft did not take the rules"))
        }
    }

    /// A command that will run in it.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    fn file(&self) -> PathBuf {
        PathBuf::from("/run/netns").join(&self.name)
    }

    /// How long it takes from here until a connection to an address stands.
    ///
    /// # Errors
    /// If none can be made.
    pub fn reaches(&self, to: SocketAddr) -> Outcome<Duration> {
        let took = within(&self.file(), move || {
            let began = now();
            TcpStream::connect(to)?;
            Ok(began.elapsed())
        });
        took.join()
            .map_err(|_| Trouble::new("connecting panicked"))?
    }

    /// A port of this machine behind which a port of the space's own loopback is; the same one, if none is named, for a program that minds by
    /// which port it is asked.
    ///
    /// # Errors
    /// If no port can be had.
    pub fn door(&self, to: Option<u16>) -> Outcome<SocketAddr> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let to = to.unwrap_or(address.port());
        let file = self.file();
        // Ends with the test's process; as long as that lives, somebody may still knock.
        thread::spawn(move || {
            for outer in listener.incoming().map_while(Result::ok) {
                let connected = within(&file, move || {
                    Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, to))?)
                });
                if let Ok(Ok(inner)) = connected.join() {
                    both_ways(outer, inner);
                }
            }
        });
        Ok(address)
    }
}

/// Does something on a thread that is in the space. Sockets that are opened there stay there.
pub(crate) fn within<T: Send + 'static>(
    space: &Path,
    act: impl FnOnce() -> Outcome<T> + Send + 'static,
) -> thread::JoinHandle<Outcome<T>> {
    let space = space.to_path_buf();
    thread::spawn(move || {
        let space = std::fs::File::open(&space)?;
        setns(space, CloneFlags::CLONE_NEWNET).map_err(|error| Trouble::new(error.to_string()))?;
        act()
    })
}

fn both_ways(outer: TcpStream, inner: TcpStream) {
    fn pour(mut from: TcpStream, mut into: TcpStream) {
        let mut piece = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut piece) {
            if into
                .write_all(piece.get(..count).unwrap_or_default())
                .is_err()
            {
                break;
            }
        }
        // Whoever was at the other end knows by now.
        let _ = into.shutdown(Shutdown::Write);
    }
    if let (Ok(outer_too), Ok(inner_too)) = (outer.try_clone(), inner.try_clone()) {
        thread::spawn(move || pour(outer, inner));
        thread::spawn(move || pour(inner_too, outer_too));
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        // What cannot be undone here is undone when the machine starts again.
        let _ = run("ip", &format!("netns del {}", self.name));
    }
}

fn run(program: &str, arguments: &str) -> Outcome {
    let made = Command::new(program)
        .args(arguments.split_ascii_whitespace())
        .output()
        .map_err(|error| Trouble::new(format!("{program} cannot be run: {error}")))?;
    if made.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&made.stderr).into_owned();
    Err(Trouble::new(format!("{program} {arguments}: {why}")))
}

/// A house behind its router.
#[derive(Debug)]
pub struct House {
    /// Where its browser runs.
    pub space: Space,
    /// Its own address.
    pub inside: Ipv4Addr,
    /// The address of its router, which the world sees.
    pub outside: Ipv4Addr,
    /// The line from its router to the public side, if there is weather over it.
    pub cable: Option<Cable>,
    _router: Space,
}

/// The small internet.
#[derive(Debug)]
pub struct Town {
    /// Where the relay runs.
    pub public: Space,
    /// The houses.
    pub houses: Vec<House>,
}

impl Town {
    /// Builds one with a house for each of these routers. `weather` comes over all that leaves a router.
    ///
    /// # Errors
    /// If this is not run as root, or a program is missing.
    pub fn build(routers: &[Nat], weather: Option<Weather>) -> Outcome<Self> {
        let public = Space::new("pub")?;
        public.run("ip link add br0 type bridge")?;
        public.run(&format!("ip addr add {PUBLIC}/24 dev br0"))?;
        public.run("ip link set br0 up")?;
        let mut houses = Vec::new();
        for (number, nat) in (1_u8..).zip(routers) {
            houses.push(house(&public, number, *nat, weather)?);
        }
        Ok(Self { public, houses })
    }
}

fn house(public: &Space, number: u8, nat: Nat, weather: Option<Weather>) -> Outcome<House> {
    let router = Space::new("router")?;
    let space = Space::new("house")?;
    let outside = Ipv4Addr::new(198, 51, 100, 10 + number);
    let (gateway, inside) = (
        Ipv4Addr::new(10, 180 + number, 163, 1),
        // No bytes that stand by chance in what is loaded.
        Ipv4Addr::new(10, 180 + number, 163, 97),
    );
    let (street, hall) = (&router.name, &space.name);
    let cable = match weather {
        Some(weather) => {
            let port = format!("p{number}");
            Some(Cable::lay(
                (router.file(), "wan"),
                (public.file(), &port),
                weather,
            )?)
        }
        None => {
            public.run(&format!(
                "ip link add p{number} type veth peer name wan netns {street}"
            ))?;
            None
        }
    };
    public.run(&format!("ip link set p{number} master br0 up"))?;
    router.run(&format!("ip addr add {outside}/24 dev wan"))?;
    router.run("ip link set wan up")?;
    router.run(&format!(
        "ip link add lan type veth peer name eth0 netns {hall}"
    ))?;
    router.run(&format!("ip addr add {gateway}/24 dev lan"))?;
    router.run("ip link set lan up")?;
    router.run("sysctl -qw net.ipv4.ip_forward=1")?;
    space.run(&format!("ip addr add {inside}/24 dev eth0"))?;
    space.run("ip link set eth0 up")?;
    space.run(&format!("ip route add default via {gateway}"))?;
    let how = match nat {
        Nat::Plain => "masquerade",
        Nat::Symmetric => "masquerade fully-random",
    };
    // What nobody inside has asked for does not come in, as with routers at home.
    router.rules(&format!(
        "table ip nat {{
            chain out {{ type nat hook postrouting priority 100; oifname \"wan\" {how}; }}
        }}
        table ip filter {{
            chain into {{
                type filter hook input priority 0;
                iifname \"wan\" ct state established,related accept;
                iifname \"wan\" drop;
            }}
            chain through {{
                type filter hook forward priority 0;
                iifname \"wan\" ct state established,related accept;
                iifname \"wan\" drop;
            }}
        }}\n"
    ))?;
    Ok(House {
        space,
        inside,
        outside,
        cable,
        _router: router,
    })
}

/// A relay on the public side, with STUN and a site.
#[derive(Debug)]
pub struct PublicRelay {
    process: Process,
    _state: TempDir,
    /// Where the site is.
    pub url: String,
    /// Its address as a peer.
    pub address: String,
}

impl PublicRelay {
    /// Its port.
    pub const PORT: u16 = 8080;
    /// Where it answers STUN.
    pub const STUN: u16 = 3478;

    /// Starts it with Haggle's site.
    ///
    /// # Errors
    /// If it does not become ready.
    pub fn start(town: &Town) -> Outcome<Self> {
        Self::serve(town, &place::site()?)
    }

    /// Starts it with a site.
    ///
    /// # Errors
    /// If it does not become ready.
    pub fn serve(town: &Town, site: &Path) -> Outcome<Self> {
        let program = from_environment("HAGGLE_RELAY", "the relay's program")?;
        let state = tempfile::tempdir()?;
        let mut command = town.public.command(program);
        command
            .args(["--http", &format!("{PUBLIC}:{}", Self::PORT)])
            .args(["--stun", &format!("{PUBLIC}:{}", Self::STUN)])
            .arg("--data")
            .arg(state.path())
            .arg("--site")
            .arg(site);
        let process = Process::start(&mut command, &state.path().join("errors.log"))?;
        let (url, peer) = process.until_it_says(
            |line| {
                let (url, rest) = line.strip_prefix("ready ")?.split_once(' ')?;
                Some((url.to_owned(), rest.split(' ').next()?.to_owned()))
            },
            Duration::from_secs(60),
        )?;
        Ok(Self {
            process,
            _state: state,
            url,
            address: format!("/ip4/{PUBLIC}/tcp/{}/ws/p2p/{peer}", Self::PORT),
        })
    }

    /// Ends it without a word.
    ///
    /// # Errors
    /// If the system does not let it.
    pub fn kill(&mut self) -> Outcome {
        self.process.kill().map(drop)
    }
}

/// Everything that passes an interface, until it is dropped.
#[derive(Debug)]
pub struct Capture {
    frames: Arc<Mutex<Vec<Vec<u8>>>>,
    stop: Arc<AtomicBool>,
}

impl Capture {
    /// Begins to listen on everything in a space.
    ///
    /// # Errors
    /// If that is not allowed.
    pub fn begin(space: &Space) -> Outcome<Self> {
        let frames = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (kept, stopped) = (Arc::clone(&frames), Arc::clone(&stop));
        let (ready, is_ready) = std::sync::mpsc::sync_channel(1);
        let trouble = |error: nix::Error| Trouble::new(format!("capturing: {error}"));
        within(&space.file(), move || {
            let listening = socket(
                AddressFamily::Packet,
                SockType::Raw,
                SockFlag::empty(),
                SockProtocol::EthAll,
            )
            .map_err(trouble)?;
            // So that the end is noticed.
            let soon = TimeVal::new(0, 100_000);
            setsockopt(&listening, sockopt::ReceiveTimeout, &soon).map_err(trouble)?;
            // Whoever began it waits for this.
            let _ = ready.send(());
            let mut frame = vec![0; 64 * 1024];
            while !stopped.load(Ordering::Relaxed) {
                let came = recv(
                    std::os::fd::AsRawFd::as_raw_fd(&listening),
                    &mut frame,
                    nix::sys::socket::MsgFlags::empty(),
                );
                if let Ok(count) = came {
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    kept.push(frame.get(..count).unwrap_or_default().to_vec());
                }
            }
            Ok(())
        });
        is_ready
            .recv_timeout(Duration::from_secs(5))
            .map_err(|_| Trouble::new("capturing did not begin"))?;
        Ok(Self { frames, stop })
    }

    /// How many frames passed, and how many of them hold this address, as bytes (in a header, or in a STUN message with its mask on) or as text.
    #[must_use]
    pub fn holding(&self, address: Ipv4Addr) -> (usize, usize) {
        let frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        let plain = address.octets();
        // RFC 8489, section 14.2: the address is masked by the magic cookie.
        let cookie = 0x2112_A442_u32.to_be_bytes();
        let mut masked = plain;
        masked
            .iter_mut()
            .zip(cookie)
            .for_each(|(byte, mask)| *byte ^= mask);
        let text = address.to_string();
        let holds = |frame: &&Vec<u8>| {
            [&plain[..], &masked[..], text.as_bytes()]
                .iter()
                .any(|mark| memchr::memmem::find(frame, mark).is_some())
        };
        (frames.len(), frames.iter().filter(holds).count())
    }

    /// The addresses from which IPv4 packets came.
    #[must_use]
    pub fn sources(&self) -> BTreeSet<Ipv4Addr> {
        let frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        frames
            .iter()
            .filter(|frame| frame.get(12..14) == Some(&[8, 0]))
            .filter_map(|frame| <[u8; 4]>::try_from(frame.get(26..30)?).ok())
            .map(Ipv4Addr::from)
            .collect()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
