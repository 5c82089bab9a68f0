//! Pages that hold nothing but a libp2p peer: one of haggle-webrtc, one of js-libp2p, with the same methods, so that any two of them can be
//! tried against each other; and js-libp2p's relay beside ours.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::{Browser, Driver};
use crate::place::from_environment;
use crate::process::Process;
use crate::relay::Relay;
use crate::site::Host;
use crate::trouble::{Outcome, Trouble};

/// How long a page or a relay may take to be there.
const START: Duration = Duration::from_secs(60);

/// Whose libp2p.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// rust-libp2p with haggle-webrtc.
    Rust,
    /// js-libp2p with its own transport.
    Js,
}

impl Kind {
    /// Where the page of this kind is.
    ///
    /// # Errors
    /// If that is not told.
    pub fn folder(self) -> Outcome<PathBuf> {
        match self {
            Self::Rust => from_environment("HAGGLE_INTEROP_RUST", "the page of haggle-webrtc"),
            Self::Js => from_environment("HAGGLE_INTEROP_JS", "the page of js-libp2p"),
        }
    }
}

/// A relay of either kind.
#[derive(Debug)]
pub enum AnyRelay {
    /// Ours.
    Ours(Box<Relay>),
    /// js-libp2p's.
    Js(JsRelay),
}

impl AnyRelay {
    /// Starts one.
    ///
    /// # Errors
    /// If it does not become ready.
    pub fn start(kind: Kind) -> Outcome<Self> {
        Ok(match kind {
            Kind::Rust => Self::Ours(Box::new(Relay::start(None, &[])?)),
            Kind::Js => Self::Js(JsRelay::start()?),
        })
    }

    /// How pages reach it.
    #[must_use]
    pub fn address(&self) -> String {
        match self {
            Self::Ours(relay) => relay.address(),
            Self::Js(relay) => relay.address.clone(),
        }
    }

    /// Ends it without a word.
    ///
    /// # Errors
    /// If the system does not let it.
    pub fn kill(&mut self) -> Outcome {
        match self {
            Self::Ours(relay) => relay.kill(),
            Self::Js(relay) => relay.process.kill().map(drop),
        }
    }
}

/// js-libp2p's relay on Node.
#[derive(Debug)]
pub struct JsRelay {
    process: Process,
    address: String,
    _folder: TempDir,
}

impl JsRelay {
    fn start() -> Outcome<Self> {
        let program = from_environment("HAGGLE_INTEROP_RELAY", "the program of js-libp2p's relay")?;
        let folder = tempfile::tempdir()?;
        let mut command = Command::new("node");
        command.arg(program).current_dir(folder.path());
        let process = Process::start(&mut command, &folder.path().join("errors.log"))?;
        let address = process.until_it_says(
            |line| line.strip_prefix("LISTEN ").map(str::to_owned),
            START,
        )?;
        Ok(Self {
            process,
            address,
            _folder: folder,
        })
    }
}

/// A page with a peer in it.
#[derive(Debug)]
pub struct Page {
    browser: Browser,
    _host: Option<Host>,
    /// Whose libp2p it is.
    pub kind: Kind,
    /// Its peer id.
    pub peer: String,
}

impl Page {
    /// Opens a page of this kind in a browser of its own and starts its peer, which takes a place at the relay.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn open(driver: &Arc<Driver>, name: &str, kind: Kind, relay: &str) -> Outcome<Self> {
        Self::open_as(driver, name, kind, relay, false).await
    }

    /// The same; a page of ours may make no direct connections but to the relay, and do everything through it.
    ///
    /// # Errors
    /// As [`Page::open`].
    pub async fn open_as(
        driver: &Arc<Driver>,
        name: &str,
        kind: Kind,
        relay: &str,
        hide: bool,
    ) -> Outcome<Self> {
        let host = Host::serve(&kind.folder()?, "/")?;
        let browser = driver.open(name).await?;
        let options = json!({ "relay": relay, "iceServers": [], "reserve": true, "hide": hide });
        let url = format!("{}page.html", host.url());
        let mut page = Self::begin(browser, kind, &url, options).await?;
        page._host = Some(host);
        Ok(page)
    }

    /// Opens a page of ours in a browser that is there, which asks `stun` for its address.
    ///
    /// # Errors
    /// As [`Page::open`].
    pub async fn open_in(browser: Browser, url: &str, relay: &str, stun: &str) -> Outcome<Self> {
        let ice = json!([{ "urls": stun }]);
        let options = json!({ "relay": relay, "iceServers": ice, "reserve": true, "hide": false });
        Self::begin(browser, Kind::Rust, url, options).await
    }

    async fn begin(browser: Browser, kind: Kind, url: &str, options: Value) -> Outcome<Self> {
        browser.goto(url).await?;
        let there = "return Boolean(window.peer)";
        browser
            .until("the peer's methods", START, there, vec![])
            .await?;
        let mut page = Self {
            browser,
            _host: None,
            kind,
            peer: String::new(),
        };
        let started = page.call("start", &[options]).await?;
        page.peer = started["peer"].as_str().unwrap_or_default().to_owned();
        Ok(page)
    }

    /// The browser that it runs in.
    #[must_use]
    pub const fn browser(&self) -> &Browser {
        &self.browser
    }

    /// Ends its browser as a crash does.
    ///
    /// # Errors
    /// If the system does not let it.
    pub fn crash(self) -> Outcome {
        self.browser.crash().map(drop)
    }

    /// Calls one of its methods.
    ///
    /// # Errors
    /// If the method rejects.
    pub async fn call(&self, method: &str, arguments: &[Value]) -> Outcome<Value> {
        let called = self
            .browser
            .js_async(
                "const [method, ...rest] = arguments[0]; return await window.peer[method](...rest)",
                vec![Value::Array(
                    std::iter::once(&Value::from(method))
                        .chain(arguments)
                        .cloned()
                        .collect(),
                )],
            )
            .await;
        called.map_err(|trouble| trouble.while_doing(method))
    }

    /// Its own `/webrtc` address.
    ///
    /// # Errors
    /// If it has none.
    pub async fn address(&self) -> Outcome<String> {
        let all = self.call("addresses", &[]).await?;
        let first = all.get(0).and_then(Value::as_str);
        first
            .map(str::to_owned)
            .ok_or_else(|| Trouble::new("the page has no /webrtc address"))
    }

    /// Dials an address; how long it took, in milliseconds.
    ///
    /// # Errors
    /// If the connection cannot be made.
    pub async fn dial(&self, address: &str) -> Outcome<f64> {
        let dialed = self.call("dial", &[address.into()]).await?;
        let direct = dialed["remote"]
            .as_str()
            .is_some_and(|to| to.contains("/webrtc"));
        if !direct || dialed["limited"] == true {
            return Err(Trouble::new(format!("not a direct connection: {dialed}")));
        }
        dialed["ms"]
            .as_f64()
            .ok_or_else(|| Trouble::new(format!("no time in {dialed}")))
    }

    /// Closes the connections with a peer: `"webrtc"`, `"relayed"` or `"all"`.
    ///
    /// # Errors
    /// If they do not close.
    pub async fn hang_up(&self, peer: &str, only: &str) -> Outcome {
        self.call("hangUp", &[peer.into(), only.into()]).await?;
        Ok(())
    }
}
