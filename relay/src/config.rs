//! The one file that says how a relay runs, and the flags that overrule it.
//!
//! A mistake gets one sentence that names the key and the fix, and exit code 2. A key that is not known is refused, with
//! the nearest known one named: a limit that was misspelt is a limit that does not hold.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use haggle_net::RelayAddr;
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use toml::{Table, Value};

use crate::proxy::Network as IpNetwork;

/// What is wrong with a configuration: a sentence for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}. {}", full_stop(.fix))]
pub struct ConfigError {
    /// Which key or flag.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do about it.
    pub fix: String,
}

/// A sentence ends once.
fn full_stop(fix: &str) -> String {
    let ended = fix.ends_with(['.', '?', '!']);
    format!("{fix}{}", if ended { "" } else { "." })
}

impl ConfigError {
    pub(crate) fn new(
        key: impl Into<String>,
        problem: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            key: key.into(),
            problem: problem.into(),
            fix: fix.into(),
        }
    }
}

/// How a relay runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The name of the market.
    pub network: String,
    /// The folder that holds the relay's key and its WebRTC certificate.
    pub data: PathBuf,
    /// Addresses under which the public reaches this relay, without `/p2p/…`. Empty: what it listens on, as far as
    /// that is public or was bound by name.
    pub external: Vec<Multiaddr>,
    /// Other relays to stay connected with.
    pub relays: Vec<RelayAddr>,
    /// STUN servers to name in the bootstrap list beside its own.
    pub stun: Vec<String>,
    /// The operator's mint on this machine, to which requests of peers are carried. Only with the feature `mint`.
    pub mint: Option<SocketAddr>,
    /// The door for browsers.
    pub http: Http,
    /// The doors for native peers and for WebRTC-direct.
    pub listen: Listen,
    /// What is too much.
    pub limits: Limits,
}

/// The HTTP port: site, health, metrics, bootstrap list, WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// A folder to serve as the site.
    pub site: Option<PathBuf>,
    /// A certificate of its own.
    pub tls: Option<Tls>,
    /// Proxies in front whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNetwork>,
    /// Whether `/metrics` is shown to everyone and not only to this machine.
    pub metrics_public: bool,
}

/// Certificate chain and key, as PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The chain, the relay's own certificate first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Further doors. Empty lists close them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listen {
    /// libp2p over TCP.
    pub tcp: Vec<SocketAddr>,
    /// libp2p over QUIC (UDP).
    pub quic: Vec<SocketAddr>,
    /// libp2p over WebRTC-direct (UDP).
    pub webrtc: Vec<SocketAddr>,
    /// STUN (UDP): tells browsers under which address the world sees them.
    pub stun: Vec<SocketAddr>,
}

/// What is too much. The defaults fit one small machine (1 CPU, 1 GiB).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Established connections in all.
    pub connections: u32,
    /// Connections from one IPv4 address or one IPv6 /56, established or not yet.
    pub connections_per_address: u32,
    /// Reservations held in all.
    pub reservations: u32,
    /// Reservations held from one IPv4 address or one IPv6 /56; four times as many from one IPv6 /48.
    pub reservations_per_address: u32,
    /// How long a reservation lasts without renewal. Tabs die without saying so.
    pub reservation_time: Duration,
    /// Circuits in all.
    pub circuits: u32,
    /// Circuits that one peer dials.
    pub circuits_per_peer: u32,
    /// How long a circuit lasts. The usual two minutes are meant for arranging a direct connection; here quotes
    /// themselves may travel over a circuit, for those who hide their address.
    pub circuit_time: Duration,
    /// What one circuit carries, in bytes, each way: some five hundred small cells.
    pub circuit_bytes: u64,
    /// Memory of the book, in bytes.
    pub book_bytes: u64,
    /// Whether the book is read to who asks. A relay without it still passes requests on; newcomers learn older ones elsewhere.
    pub serve_book: bool,
    /// Whether limits per address leave out this very machine, so that a demonstration may open many windows.
    pub loopback_exempt: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            connections_per_address: 32,
            reservations: 2_000,
            reservations_per_address: 16,
            reservation_time: Duration::from_secs(30 * 60),
            circuits: 1_024,
            circuits_per_peer: 64,
            circuit_time: Duration::from_secs(30 * 60),
            circuit_bytes: 1 << 20,
            book_bytes: 16 << 20,
            serve_book: true,
            loopback_exempt: true,
        }
    }
}

/// The port used if none is said.
const DEFAULT_PORT: u16 = 8_080;

impl Default for Config {
    fn default() -> Self {
        Self {
            network: haggle_protocol::Network::MAIN_NAME.to_owned(),
            data: PathBuf::from("haggle-relay-data"),
            external: Vec::new(),
            relays: Vec::new(),
            stun: Vec::new(),
            mint: None,
            http: Http {
                listen: SocketAddr::from(([127, 0, 0, 1], DEFAULT_PORT)),
                site: None,
                tls: None,
                trusted_proxies: Vec::new(),
                metrics_public: false,
            },
            listen: Listen::default(),
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigError`] with the key and the fix.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            ConfigError::new(
                "--config",
                format!("{} cannot be read ({error})", path.display()),
                "Name a file that exists and that this user may read",
            )
        })?;
        Self::from_toml(&text)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// [`ConfigError`] with the key and the fix.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| {
                1 + text[..span.start.min(text.len())].matches('\n').count()
            });
            ConfigError::new(
                format!("line {line}"),
                format!("not TOML ({})", error.message()),
                "Write `key = value`, with texts in double quotes",
            )
        })?;
        let mut config = Self::default();
        let mut root = Section::new("", table);

        root.text("network", &mut config.network, network_name)?;
        root.text("data", &mut config.data, |text| Ok(text.into()))?;
        root.list("external", &mut config.external, external)?;
        root.list("relays", &mut config.relays, relay)?;
        root.list("stun", &mut config.stun, stun)?;
        root.text("mint", &mut config.mint, |text| mint(text).map(Some))?;

        let mut http = root.section("http")?;
        http.text("listen", &mut config.http.listen, socket)?;
        let mut site = None;
        http.text("site", &mut site, |text| Ok(Some(PathBuf::from(text))))?;
        config.http.site = site;
        let (mut certificate, mut key) = (None, None);
        http.text("tls_certificate", &mut certificate, |text| {
            Ok(Some(PathBuf::from(text)))
        })?;
        http.text("tls_key", &mut key, |text| Ok(Some(PathBuf::from(text))))?;
        config.http.tls = match (certificate, key) {
            (Some(certificate), Some(key)) => Some(Tls { certificate, key }),
            (None, None) => None,
            (Some(_), None) => return Err(half("http.tls_key", "http.tls_certificate")),
            (None, Some(_)) => return Err(half("http.tls_certificate", "http.tls_key")),
        };
        http.list("trusted_proxies", &mut config.http.trusted_proxies, proxy)?;
        http.flag("metrics_public", &mut config.http.metrics_public)?;
        http.finish()?;

        let mut listen = root.section("listen")?;
        listen.list("tcp", &mut config.listen.tcp, socket)?;
        listen.list("quic", &mut config.listen.quic, socket)?;
        listen.list("webrtc", &mut config.listen.webrtc, socket)?;
        listen.list("stun", &mut config.listen.stun, socket)?;
        listen.finish()?;

        let mut limits = root.section("limits")?;
        let l = &mut config.limits;
        limits.number("connections", &mut l.connections, 1..=100_000)?;
        limits.number(
            "connections_per_address",
            &mut l.connections_per_address,
            1..=100_000,
        )?;
        limits.number("reservations", &mut l.reservations, 0..=100_000)?;
        limits.number(
            "reservations_per_address",
            &mut l.reservations_per_address,
            1..=100_000,
        )?;
        limits.minutes("reservation_minutes", &mut l.reservation_time)?;
        limits.number("circuits", &mut l.circuits, 0..=100_000)?;
        limits.number("circuits_per_peer", &mut l.circuits_per_peer, 1..=10_000)?;
        limits.minutes("circuit_minutes", &mut l.circuit_time)?;
        limits.number("circuit_bytes", &mut l.circuit_bytes, 16_384..=1 << 30)?;
        limits.number("book_bytes", &mut l.book_bytes, 1 << 16..=1 << 30)?;
        limits.flag("serve_book", &mut l.serve_book)?;
        limits.flag("loopback_exempt", &mut l.loopback_exempt)?;
        limits.finish()?;

        root.finish()?;
        Ok(config)
    }

    /// Writes the configuration as a file would say it.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let texts =
            |items: Vec<String>| Value::Array(items.into_iter().map(Value::String).collect());
        fn all<T: ToString>(items: &[T]) -> Vec<String> {
            items.iter().map(ToString::to_string).collect()
        }
        let path = |path: &Path| Value::String(path.display().to_string());
        let number = |n: u64| Value::Integer(i64::try_from(n).unwrap_or(i64::MAX));
        let minutes = |time: Duration| number(time.as_secs() / 60);

        let mut root = Table::new();
        root.insert("network".into(), Value::String(self.network.clone()));
        root.insert("data".into(), path(&self.data));
        root.insert("external".into(), texts(all(&self.external)));
        root.insert("relays".into(), texts(all(&self.relays)));
        root.insert("stun".into(), texts(self.stun.clone()));
        if let Some(at) = &self.mint {
            root.insert("mint".into(), Value::String(format!("{MINT_SCHEME}{at}")));
        }

        let mut http = Table::new();
        http.insert("listen".into(), Value::String(self.http.listen.to_string()));
        if let Some(site) = &self.http.site {
            http.insert("site".into(), path(site));
        }
        if let Some(tls) = &self.http.tls {
            http.insert("tls_certificate".into(), path(&tls.certificate));
            http.insert("tls_key".into(), path(&tls.key));
        }
        http.insert(
            "trusted_proxies".into(),
            texts(all(&self.http.trusted_proxies)),
        );
        http.insert(
            "metrics_public".into(),
            Value::Boolean(self.http.metrics_public),
        );
        root.insert("http".into(), Value::Table(http));

        let mut listen = Table::new();
        listen.insert("tcp".into(), texts(all(&self.listen.tcp)));
        listen.insert("quic".into(), texts(all(&self.listen.quic)));
        listen.insert("webrtc".into(), texts(all(&self.listen.webrtc)));
        listen.insert("stun".into(), texts(all(&self.listen.stun)));
        root.insert("listen".into(), Value::Table(listen));

        let l = &self.limits;
        let mut limits = Table::new();
        limits.insert("connections".into(), number(l.connections.into()));
        limits.insert(
            "connections_per_address".into(),
            number(l.connections_per_address.into()),
        );
        limits.insert("reservations".into(), number(l.reservations.into()));
        limits.insert(
            "reservations_per_address".into(),
            number(l.reservations_per_address.into()),
        );
        limits.insert("reservation_minutes".into(), minutes(l.reservation_time));
        limits.insert("circuits".into(), number(l.circuits.into()));
        limits.insert(
            "circuits_per_peer".into(),
            number(l.circuits_per_peer.into()),
        );
        limits.insert("circuit_minutes".into(), minutes(l.circuit_time));
        limits.insert("circuit_bytes".into(), number(l.circuit_bytes));
        limits.insert("book_bytes".into(), number(l.book_bytes));
        limits.insert("serve_book".into(), Value::Boolean(l.serve_book));
        limits.insert("loopback_exempt".into(), Value::Boolean(l.loopback_exempt));
        root.insert("limits".into(), Value::Table(limits));
        root.to_string()
    }
}

fn half(missing: &str, given: &str) -> ConfigError {
    ConfigError::new(
        missing,
        format!("missing, while {given} is given"),
        "Give both the certificate and its key, or neither",
    )
}

/// Why a text is not what its key wants, and what to write.
pub(crate) type Wrong = (String, &'static str);

pub(crate) fn socket(text: &str) -> Result<SocketAddr, Wrong> {
    text.parse().map_err(|_| {
        (
            format!("\"{text}\" is not an address and a port"),
            "Write an IP address and a port, as \"127.0.0.1:8080\" or \"[::]:443\"",
        )
    })
}

pub(crate) fn relay(text: &str) -> Result<RelayAddr, Wrong> {
    RelayAddr::parse(text).map_err(|error| {
        (
            format!("\"{text}\" is not a relay: {error}"),
            "Write the whole address, as \"/dns4/relay.example.org/tcp/443/wss/p2p/12D3Koo…\"",
        )
    })
}

pub(crate) fn external(text: &str) -> Result<Multiaddr, Wrong> {
    let fix =
        "Write host, port and transport, as \"/dns4/relay.example.org/tcp/443/wss\", without /p2p";
    let address: Multiaddr = text
        .parse()
        .map_err(|_| (format!("\"{text}\" is not a multiaddr"), fix))?;
    let hosted = matches!(
        address.iter().next(),
        Some(
            Protocol::Ip4(_)
                | Protocol::Ip6(_)
                | Protocol::Dns(_)
                | Protocol::Dns4(_)
                | Protocol::Dns6(_)
        )
    );
    let foreign = address
        .iter()
        .any(|part| matches!(part, Protocol::P2p(_) | Protocol::P2pCircuit));
    if !hosted || foreign {
        return Err((format!("\"{text}\" is not an address of this relay"), fix));
    }
    Ok(address)
}

pub(crate) fn network_name(text: &str) -> Result<String, Wrong> {
    let good = !text.is_empty()
        && text.len() <= 32
        && text
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
    if good {
        Ok(text.to_owned())
    } else {
        Err((
            format!("\"{text}\" is not the name of a network"),
            "Use 1 to 32 of a-z, 0-9 and '-'; the public market is \"haggle\"",
        ))
    }
}

fn stun(text: &str) -> Result<String, Wrong> {
    if text.starts_with("stun:") && text.len() <= 256 && text.bytes().all(|c| c.is_ascii_graphic())
    {
        Ok(text.to_owned())
    } else {
        Err((
            format!("\"{text}\" is not a STUN server"),
            "Write it as \"stun:relay.example.org:3478\"",
        ))
    }
}

/// How a mint on this machine is asked.
const MINT_SCHEME: &str = "http://";

/// Requests hold ecash, which whoever reads it can spend: in the open they never leave this machine.
fn mint(text: &str) -> Result<SocketAddr, Wrong> {
    if !cfg!(feature = "mint") {
        return Err((
            "this program was built without it".to_owned(),
            "Build it with `--features mint`, or leave this key out; relay/README.md says what running a mint means",
        ));
    }
    let at = text.strip_prefix(MINT_SCHEME).and_then(|rest| {
        let at: SocketAddr = rest.trim_end_matches('/').parse().ok()?;
        at.ip().to_canonical().is_loopback().then_some(at)
    });
    at.ok_or_else(|| {
        (
            format!("\"{text}\" is not a mint on this machine"),
            "Write its address on this machine, as \"http://127.0.0.1:3338\"; what goes there is not encrypted, so no other machine will do",
        )
    })
}

fn proxy(text: &str) -> Result<IpNetwork, Wrong> {
    IpNetwork::parse(text).ok_or_else(|| {
        (
            format!("\"{text}\" is not an address or a network"),
            "Write an IP address, as \"127.0.0.1\", or a network, as \"10.0.0.0/8\"",
        )
    })
}

/// One table of the file. What is taken is removed, so that what is left at the end is unknown.
struct Section {
    name: &'static str,
    table: Table,
    known: Vec<&'static str>,
}

impl Section {
    const fn new(name: &'static str, table: Table) -> Self {
        Self {
            name,
            table,
            known: Vec::new(),
        }
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        }
    }

    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.table.remove(key)
    }

    fn wrong(&self, key: &str, (problem, fix): Wrong) -> ConfigError {
        ConfigError::new(self.path(key), problem, fix)
    }

    fn text<T>(
        &mut self,
        key: &'static str,
        into: &mut T,
        read: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Result<(), ConfigError> {
        match self.take(key) {
            None => Ok(()),
            Some(Value::String(text)) => {
                *into = read(&text).map_err(|wrong| self.wrong(key, wrong))?;
                Ok(())
            }
            Some(other) => Err(self.shape(key, &other, "Write a text in double quotes")),
        }
    }

    fn list<T>(
        &mut self,
        key: &'static str,
        into: &mut Vec<T>,
        read: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Result<(), ConfigError> {
        let fix = "Write a list of texts, as [\"one\", \"two\"]";
        let items = match self.take(key) {
            None => return Ok(()),
            Some(Value::Array(items)) => items,
            Some(other) => return Err(self.shape(key, &other, fix)),
        };
        let mut list = Vec::with_capacity(items.len());
        for item in items {
            let Value::String(text) = item else {
                return Err(self.shape(key, &item, fix));
            };
            list.push(read(&text).map_err(|wrong| self.wrong(key, wrong))?);
        }
        *into = list;
        Ok(())
    }

    fn number<T: TryFrom<u64> + Copy + Into<u64>>(
        &mut self,
        key: &'static str,
        into: &mut T,
        range: core::ops::RangeInclusive<u64>,
    ) -> Result<(), ConfigError> {
        let (least, most) = (*range.start(), *range.end());
        let wrong = |problem: String, section: &Self| {
            ConfigError::new(
                section.path(key),
                problem,
                format!("Write a whole number from {least} to {most}"),
            )
        };
        match self.take(key) {
            None => Ok(()),
            Some(Value::Integer(number)) => {
                let value = u64::try_from(number)
                    .ok()
                    .filter(|value| range.contains(value))
                    .and_then(|value| T::try_from(value).ok());
                *into = value.ok_or_else(|| wrong(format!("{number} is out of range"), self))?;
                Ok(())
            }
            Some(other) => Err(wrong(
                format!("{} is not a whole number", kind(&other)),
                self,
            )),
        }
    }

    fn minutes(&mut self, key: &'static str, into: &mut Duration) -> Result<(), ConfigError> {
        let mut minutes = into.as_secs() / 60;
        self.number(key, &mut minutes, 1..=1_440)?;
        *into = Duration::from_secs(minutes * 60);
        Ok(())
    }

    fn flag(&mut self, key: &'static str, into: &mut bool) -> Result<(), ConfigError> {
        match self.take(key) {
            None => Ok(()),
            Some(Value::Boolean(flag)) => {
                *into = flag;
                Ok(())
            }
            Some(other) => Err(self.shape(key, &other, "Write true or false")),
        }
    }

    fn section(&mut self, key: &'static str) -> Result<Self, ConfigError> {
        match self.take(key) {
            None => Ok(Self::new(key, Table::new())),
            Some(Value::Table(table)) => Ok(Self::new(key, table)),
            Some(other) => Err(ConfigError::new(
                key,
                format!("{} where a section is meant", kind(&other)),
                format!("Write [{key}] on a line of its own and its keys below"),
            )),
        }
    }

    fn shape(&self, key: &str, value: &Value, fix: &str) -> ConfigError {
        ConfigError::new(
            self.path(key),
            format!("{} does not fit here", kind(value)),
            fix,
        )
    }

    fn finish(self) -> Result<(), ConfigError> {
        let Some((key, _)) = self.table.iter().next() else {
            return Ok(());
        };
        let fix = nearest(key, &self.known).map_or_else(
            || format!("Known here are: {}", self.known.join(", ")),
            |known| format!("Did you mean {}?", self.path(known)),
        );
        Err(ConfigError::new(
            self.path(key),
            "there is no such key",
            fix.trim_end_matches('.'),
        ))
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a number",
        Value::Float(_) => "a fraction",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
    }
}

/// The known word that differs least, if it differs little.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|other| (distance(word, other), *other))
        .filter(|(distance, other)| *distance <= other.len().max(3) / 2)
        .min()
        .map(|(_, other)| other)
}

/// How many letters must be changed, added or taken away (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

/// Whether everything that listens is bound to this very machine.
#[must_use]
pub fn is_loopback_only(config: &Config) -> bool {
    let all = [
        &config.listen.tcp,
        &config.listen.quic,
        &config.listen.webrtc,
        &config.listen.stun,
    ];
    all.into_iter()
        .flatten()
        .chain([&config.http.listen])
        .all(|socket| match socket.ip() {
            IpAddr::V4(ip) => ip.is_loopback(),
            IpAddr::V6(ip) => ip.is_loopback(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../relay.example.toml");
    const PEER: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    #[test]
    fn the_example_file_is_read_and_documents_every_key() {
        let config = Config::from_toml(EXAMPLE).unwrap();
        assert_eq!(config.listen.webrtc.len(), 1);
        assert_eq!(
            config.limits,
            Limits::default(),
            "the example states the defaults"
        );
        for line in Config::default().to_toml().lines() {
            if let Some((key, _)) = line.split_once(" = ") {
                assert!(
                    EXAMPLE.contains(&format!("{key} =")),
                    "{key} is not explained"
                );
            }
        }
        for key in ["site", "tls_certificate", "tls_key", "mint"] {
            assert!(
                EXAMPLE.contains(&format!("{key} =")),
                "{key} is not explained"
            );
        }
    }

    #[test]
    fn what_is_printed_is_read_again() {
        let mut config = Config::from_toml(EXAMPLE).unwrap();
        config.relays = vec![relay(&format!("/dns4/a.org/tcp/443/wss/p2p/{PEER}")).unwrap()];
        config.http.tls = Some(Tls {
            certificate: "a.pem".into(),
            key: "b.pem".into(),
        });
        config.http.site = Some("site".into());
        config.http.trusted_proxies = vec![proxy("10.0.0.0/8").unwrap()];
        assert_eq!(Config::from_toml(&config.to_toml()), Ok(config));
    }

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(Config::from_toml(""), Ok(Config::default()));
    }

    #[test]
    fn every_mistake_names_its_key_and_the_fix() {
        for (text, key, says) in [
            ("[http]\nlisten = \"8080\"", "http.listen", "127.0.0.1:8080"),
            ("[http]\nlisten = 8080", "http.listen", "double quotes"),
            (
                "[http]\nlistn = \"1.2.3.4:5\"",
                "http.listn",
                "Did you mean http.listen?",
            ),
            ("[http]\ntls_key = \"k\"", "http.tls_certificate", "both"),
            (
                "[http]\nmetrics_public = \"no\"",
                "http.metrics_public",
                "true or false",
            ),
            (
                "[http]\ntrusted_proxies = [\"all\"]",
                "http.trusted_proxies",
                "10.0.0.0/8",
            ),
            (
                "[http]\ntrusted_proxies = \"10.0.0.1\"",
                "http.trusted_proxies",
                "list",
            ),
            (
                "[limits]\nreservation = 5",
                "limits.reservation",
                "Did you mean limits.reservations?",
            ),
            ("[limits]\ncircuits = -1", "limits.circuits", "from 0 to"),
            (
                "[limits]\ncircuits = 1.5",
                "limits.circuits",
                "whole number",
            ),
            (
                "[limits]\ncircuit_minutes = 0",
                "limits.circuit_minutes",
                "from 1 to",
            ),
            ("relays = [\"wss://a.org\"]", "relays", "/dns4/"),
            (
                "external = [\"/dns4/a.org/tcp/443/wss/p2p-circuit\"]",
                "external",
                "without /p2p",
            ),
            ("external = [\"example.org\"]", "external", "/dns4/"),
            ("network = \"Haggle!\"", "network", "a-z"),
            ("stun = [\"turn:x\"]", "stun", "stun:"),
            ("http = 5", "http", "[http]"),
            ("zzzzzzzz = 1", "zzzzzzzz", "Known here are: network"),
            ("network = haggle", "line 1", "double quotes"),
            ("\n\n[http\n", "line 3", "TOML"),
        ] {
            let error = Config::from_toml(text).unwrap_err();
            assert_eq!(error.key, key, "{text}");
            let sentence = error.to_string();
            assert!(sentence.contains(says), "{text} gave: {sentence}");
            assert!(!sentence.contains('\n'), "one sentence: {sentence}");
        }
    }

    #[cfg(feature = "mint")]
    #[test]
    fn a_mint_is_on_this_machine_and_nowhere_else() {
        for (text, at) in [
            ("http://127.0.0.1:3338", "127.0.0.1:3338"),
            ("http://127.0.0.1:3338/", "127.0.0.1:3338"),
            ("http://[::1]:80", "[::1]:80"),
        ] {
            let config = Config::from_toml(&format!("mint = \"{text}\"")).unwrap();
            assert_eq!(config.mint, Some(at.parse().unwrap()));
            assert_eq!(Config::from_toml(&config.to_toml()), Ok(config));
        }
        for text in [
            "",
            "127.0.0.1:3338",
            "https://127.0.0.1:3338",
            "http://localhost:3338",
            "http://127.0.0.1",
            "http://127.0.0.1:3338/mint",
            "http://10.0.0.2:3338",
            "http://93.184.216.34:3338",
            "http://mint.example:3338",
            "http://0.0.0.0:3338",
        ] {
            let error = Config::from_toml(&format!("mint = \"{text}\"")).unwrap_err();
            assert_eq!(error.key, "mint", "{text}");
            assert!(error.to_string().contains("127.0.0.1:3338"), "{error}");
        }
    }

    #[cfg(not(feature = "mint"))]
    #[test]
    fn a_relay_that_was_built_without_it_carries_to_no_mint_and_says_so() {
        let error = Config::from_toml("mint = \"http://127.0.0.1:3338\"").unwrap_err();
        assert_eq!(error.key, "mint");
        assert!(error.to_string().contains("--features mint"), "{error}");
    }

    #[test]
    fn a_missing_file_names_the_flag() {
        let error = Config::from_file(Path::new("/nowhere/relay.toml")).unwrap_err();
        assert_eq!(error.key, "--config");
    }

    #[test]
    fn only_loopback_is_told_apart() {
        let mut config = Config::default();
        assert!(is_loopback_only(&config));
        config.listen.quic = vec!["0.0.0.0:4001".parse().unwrap()];
        assert!(!is_loopback_only(&config));
    }
}
