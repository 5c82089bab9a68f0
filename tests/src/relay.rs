//! The real relay, started as a process on loopback, as its operator starts it. It can be killed and started again with
//! its keys, and asked for its metrics.

use std::env;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use haggle_protocol::Custodian;
use libp2p::PeerId;
use tempfile::TempDir;

use crate::clock::set_ahead;
use crate::process::Process;
use crate::trouble::{Outcome, Trouble};

/// The name of its configuration beside its keys, if it has one.
const CONFIG: &str = "relay.toml";

/// How long a relay may take to be ready; it needs a fraction of it.
const START: Duration = Duration::from_secs(60);

/// How long what is asked of it in the background may take on a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// Its metrics are looked at again after this long.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A relay.
#[derive(Debug)]
pub struct Relay {
    process: Process,
    program: PathBuf,
    state: TempDir,
    port: u16,
    tcp_port: u16,
    site: Option<PathBuf>,
    others: Vec<String>,
    peer: String,
}

impl Relay {
    /// Starts a relay on a free port, with the site on it if one is given, that knows these other relays.
    ///
    /// # Errors
    /// If it does not become ready.
    pub fn start(site: Option<&Path>, others: &[String]) -> Outcome<Self> {
        Self::begin(site, others, None)
    }

    /// Starts a relay with this configuration.
    ///
    /// # Errors
    /// If it does not become ready.
    pub fn with_config(site: Option<&Path>, config: &str) -> Outcome<Self> {
        Self::begin(site, &[], Some(config))
    }

    fn begin(site: Option<&Path>, others: &[String], config: Option<&str>) -> Outcome<Self> {
        let program = env::var_os("HAGGLE_RELAY").map(PathBuf::from).ok_or_else(|| {
            Trouble::new(
                "HAGGLE_RELAY is not set: it names the relay's program; `cargo xtask test` builds it",
            )
        })?;
        let state = tempfile::tempdir()?;
        if let Some(config) = config {
            std::fs::write(state.path().join(CONFIG), config)?;
        }
        let tcp_port = free_port()?;
        let command = Command::new(&program);
        let (process, port, peer) = launch(command, state.path(), [0, tcp_port], site, others)?;
        Ok(Self {
            process,
            program,
            state,
            port,
            tcp_port,
            site: site.map(Path::to_path_buf),
            others: others.to_vec(),
            peer,
        })
    }

    /// Where the site is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// How peers reach it.
    #[must_use]
    pub fn address(&self) -> String {
        format!("/ip4/127.0.0.1/tcp/{}/ws/p2p/{}", self.port, self.peer)
    }

    /// The port of its pages.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The name of the mint behind it, if there is one.
    ///
    /// # Errors
    /// If its peer id is none.
    pub fn mint(&self) -> Outcome<Custodian> {
        let peer = self.peer.parse::<PeerId>().ok();
        let key = peer.and_then(|peer| haggle_net::addr::key_of(&peer));
        key.map(|key| Custodian::at_peer(&key))
            .ok_or_else(|| Trouble::new(format!("{} has no Ed25519 key", self.peer)))
    }

    /// How native peers reach it.
    #[must_use]
    pub fn tcp(&self) -> String {
        format!("/ip4/127.0.0.1/tcp/{}/p2p/{}", self.tcp_port, self.peer)
    }

    /// How browsers reach it without a name and a certificate authority, as its own list says.
    ///
    /// # Errors
    /// If it does not say.
    pub async fn webrtc_direct(&self) -> Outcome<String> {
        let at = (Ipv4Addr::LOCALHOST, self.port).into();
        let (_, list) = crate::http::get(at, "/relays.json").await?;
        let list: serde_json::Value = serde_json::from_str(&list)?;
        let all = list["relays"].as_array().cloned().unwrap_or_default();
        let direct = all.iter().filter_map(|one| one.as_str());
        let mut direct = direct.filter(|one| one.contains("/webrtc-direct/"));
        direct
            .next()
            .map(str::to_owned)
            .ok_or_else(|| Trouble::new(format!("no WebRTC-direct in {list}")))
    }

    /// How many connections others have opened to it, directly and over circuits.
    ///
    /// # Errors
    /// If it does not say.
    pub async fn came_in(&self) -> Outcome<(u64, u64)> {
        let at = (Ipv4Addr::LOCALHOST, self.port).into();
        let (_, metrics) = crate::http::get(at, "/metrics").await?;
        let incoming = metrics.lines().filter(|line| {
            line.starts_with("libp2p_swarm_connections_established_total")
                && line.contains("role=\"Listener\"")
        });
        let mut count = (0, 0);
        for line in incoming {
            let number = line.rsplit(' ').next().and_then(|n| n.parse::<u64>().ok());
            let number = number.ok_or_else(|| Trouble::new(line.to_owned()))?;
            // Of a circuit the library knows the other end's peer id, and no address.
            if line.contains("protocols=\"/p2p\"") {
                count.1 += number;
            } else {
                count.0 += number;
            }
        }
        Ok(count)
    }

    /// Waits until so many peers are reachable through it.
    ///
    /// # Errors
    /// If it does not come to that.
    pub async fn gives_places(&self, wanted: u64) -> Outcome {
        let at = (Ipv4Addr::LOCALHOST, self.port).into();
        let line = format!("haggle_reservations {wanted}");
        let held = async {
            loop {
                let (_, metrics) = crate::http::get(at, "/metrics").await?;
                if metrics.lines().any(|one| one == line) {
                    return Outcome::Ok(());
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        tokio::time::timeout(SOON, held).await?
    }

    /// The number of its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Everything that it logged so far.
    ///
    /// # Errors
    /// If its log cannot be read.
    pub fn log(&self) -> Outcome<String> {
        let errors = std::fs::read_to_string(errors(self.state.path()))?;
        Ok(format!("{}\n{errors}", self.process.output()))
    }

    /// Ends it without a word.
    ///
    /// # Errors
    /// If the system does not let it.
    pub fn kill(&mut self) -> Outcome {
        self.process.kill()?;
        Ok(())
    }

    /// Starts it again where it was, with the keys that it had.
    ///
    /// # Errors
    /// If it does not become ready.
    pub fn start_again(&mut self) -> Outcome {
        self.start_again_later(Duration::ZERO)
    }

    /// The same with a clock that is so much ahead.
    ///
    /// # Errors
    /// If it does not become ready, or `HAGGLE_FAKETIME` is not set.
    pub fn start_again_later(&mut self, by: Duration) -> Outcome {
        self.process.kill()?;
        let mut command = Command::new(&self.program);
        set_ahead(&mut command, by)?;
        let (process, _, peer) = launch(
            command,
            self.state.path(),
            [self.port, self.tcp_port],
            self.site.as_deref(),
            &self.others,
        )?;
        self.process = process;
        if peer == self.peer {
            Ok(())
        } else {
            Err(Trouble::new("the relay lost its key"))
        }
    }
}

fn errors(state: &Path) -> PathBuf {
    state.join("errors.log")
}

/// A port that nobody listens on at this moment: the relay says where its pages are, and not where its other doors are.
pub(crate) fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// The relay's process, its port, and its peer id, as it says when it is ready.
fn launch(
    mut command: Command,
    state: &Path,
    [port, tcp_port]: [u16; 2],
    site: Option<&Path>,
    others: &[String],
) -> Outcome<(Process, u16, String)> {
    command
        .arg("--http")
        .arg(format!("127.0.0.1:{port}"))
        .arg("--data")
        .arg(state)
        .arg("--tcp")
        .arg(format!("127.0.0.1:{tcp_port}"))
        .args(["--webrtc", "127.0.0.1:0"]);
    let config = state.join(CONFIG);
    if config.is_file() {
        command.arg("--config").arg(config);
    }
    if let Some(site) = site {
        command.arg("--site").arg(site);
    }
    for other in others {
        command.arg("--relay").arg(other);
    }
    let process = Process::start(&mut command, &errors(state))?;
    let ready = |line: &str| {
        let mut words = line.strip_prefix("ready ")?.split_whitespace();
        let (url, peer) = (words.next()?, words.next()?);
        let port = url
            .trim_end_matches('/')
            .rsplit(':')
            .next()?
            .parse::<u16>()
            .ok()?;
        Some((port, peer.to_owned()))
    };
    match process.until_it_says(ready, START) {
        Ok((port, peer)) => Ok((process, port, peer)),
        Err(trouble) => {
            let log = std::fs::read_to_string(errors(state)).unwrap_or_default();
            Err(trouble.while_doing(&format!("starting the relay, which logged:\n{log}\n")))
        }
    }
}
