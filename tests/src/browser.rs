//! Real browsers: each [`Browser`] is a headless Chromium process of its own with a profile folder of its own, driven
//! through WebDriver. Two of them share nothing but the machine.
//!
//! The browser is started here and not by the driver, so that its number is known: it can be ended as a crash ends
//! it, opened again on the same profile, and measured. The driver only attaches.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, LoggingPrefsLogLevel, WindowHandle};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use crate::clock::page_ahead;
use crate::process::Process;
use crate::town::Space;
use crate::trouble::{Outcome, Trouble};

/// No window, no sandbox (tests often run as root, where it cannot be had), no graphics card, and none of the
/// traffic that Chromium starts by itself.
const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
    "--window-size=1280,900",
];

/// How long a program may take to start; on a busy machine a browser needs seconds.
pub(crate) const START: Duration = Duration::from_secs(60);

/// How often the driver is started when its port is taken: each try draws another one of some 28,000, so two are as good as sure.
const PORT_TRIES: usize = 5;

/// What the driver says when it ends for want of a port: it lets the system draw one on `::1` and then wants the same one on
/// 127.0.0.1, where it may belong to somebody else.
const PORT_IS_TAKEN: &str = "port not available";

/// How often a condition in a page is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// How long one script or one page load may take.
const STEP: Duration = Duration::from_secs(60);

/// Runs in each page before its own scripts: remembers what the page is blamed for.
const WITNESS: &str = r"
    window.__blamed = [];
    addEventListener('securitypolicyviolation', e => window.__blamed.push(
        `policy: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));
    addEventListener('error', e => window.__blamed.push(`error: ${e.message ?? e.target?.outerHTML}`), true);
    addEventListener('unhandledrejection', e => window.__blamed.push(`rejection: ${e.reason}`));
    window.__connections = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...given) { super(...given); window.__connections.push(this) }
    };
";

/// Keeps every byte that a page hands to a data channel, by channel.
const LISTENER: &str = r"
    window.__sent = [];
    const send = RTCDataChannel.prototype.send;
    RTCDataChannel.prototype.send = function (data) {
        const bytes = typeof data === 'string' ? new TextEncoder().encode(data)
            : data instanceof ArrayBuffer ? new Uint8Array(data.slice(0))
            : new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
        const known = window.__sent.find(([channel]) => channel === this);
        if (known) known[1].push(bytes); else window.__sent.push([this, [bytes]]);
        return send.call(this, data);
    };
";

/// The driver that all browsers of a test share.
#[derive(Debug)]
pub struct Driver {
    // Ended with the last browser.
    process: Arc<Process>,
    url: String,
    folder: TempDir,
    chromium: PathBuf,
    /// Where its browsers run, if not on this machine's own network.
    space: Option<String>,
    flags: Vec<String>,
    /// How much the clock of its browsers is ahead.
    ahead: Duration,
}

/// The profile of a browser: what stays when the process ends.
#[derive(Clone, Debug)]
pub struct Home(pub(crate) Arc<TempDir>);

/// A running browser.
#[derive(Debug)]
pub struct Browser {
    name: String,
    web: WebDriver,
    process: Process,
    home: Home,
    // The driver ends with the last browser that it drives.
    _driver: Arc<Process>,
    log: Mutex<Vec<String>>,
}

/// A size of the window and a preference for light or dark.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Its name in file names.
    pub name: &'static str,
    /// Width in CSS pixels.
    pub width: u32,
    /// Height in CSS pixels.
    pub height: u32,
    /// Whether the person prefers dark.
    pub dark: bool,
    /// Whether it is a telephone: touch, and no scroll bar that takes room.
    pub mobile: bool,
}

impl Look {
    /// Telephone and desk, light and dark.
    pub const ALL: [Self; 4] = [
        Self {
            name: "phone-light",
            width: 390,
            height: 844,
            dark: false,
            mobile: true,
        },
        Self {
            name: "phone-dark",
            width: 390,
            height: 844,
            dark: true,
            mobile: true,
        },
        Self {
            name: "desk-light",
            width: 1280,
            height: 900,
            dark: false,
            mobile: false,
        },
        Self {
            name: "desk-dark",
            width: 1280,
            height: 900,
            dark: true,
            mobile: false,
        },
    ];
}

impl Driver {
    /// Starts the driver on a free port.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start() -> Outcome<Arc<Self>> {
        Self::launch(None, &[], Duration::ZERO)
    }

    /// Starts the driver for browsers in whose pages it is so much later.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start_later(by: Duration) -> Outcome<Arc<Self>> {
        Self::launch(None, &[], by)
    }

    /// Starts the driver in a house, where its browsers take `safe` for as safe as a page by https: there is nobody to certify it.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start_in(house: &Space, safe: &str) -> Outcome<Arc<Self>> {
        let safe = safe.trim_end_matches('/');
        Self::launch(
            Some(house),
            &[format!("--unsafely-treat-insecure-origin-as-secure={safe}")],
            Duration::ZERO,
        )
    }

    fn launch(space: Option<&Space>, flags: &[String], ahead: Duration) -> Outcome<Arc<Self>> {
        let program = |name: &str, usual: &str| {
            env::var_os(name).map_or_else(|| PathBuf::from(usual), PathBuf::from)
        };
        let folder = tempfile::tempdir()?;
        let driver = program("HAGGLE_CHROMEDRIVER", "/usr/bin/chromedriver");
        let errors = folder.path().join("driver.log");
        let mut tries = PORT_TRIES;
        let (process, port) = loop {
            let mut command = match space {
                Some(space) => space.command(&driver),
                None => Command::new(&driver),
            };
            command.arg("--port=0");
            let process = Process::start(&mut command, &errors)?;
            let port = process.until_it_says(
                |line| {
                    let (_, port) = line.split_once("started successfully on port ")?;
                    port.trim_end_matches('.').parse::<u16>().ok()
                },
                START,
            );
            tries -= 1;
            match port {
                Ok(port) => break (process, port),
                Err(_) if tries > 0 && process.output().contains(PORT_IS_TAKEN) => {}
                Err(trouble) => return Err(trouble),
            }
        };
        Ok(Arc::new(Self {
            process: Arc::new(process),
            url: match space {
                Some(space) => format!("http://{}", space.door(Some(port))?),
                None => format!("http://127.0.0.1:{port}"),
            },
            space: space.map(|space| space.name().to_owned()),
            flags: flags.to_vec(),
            ahead,
            folder,
            chromium: program("HAGGLE_CHROMIUM", "/usr/bin/chromium"),
        }))
    }

    /// Opens a browser with a fresh profile.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn open(self: &Arc<Self>, name: &str) -> Outcome<Browser> {
        self.open_at(name, Home(Arc::new(tempfile::tempdir()?)))
            .await
    }

    /// Opens a private window: nothing of it is left when it is closed.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn open_privately(self: &Arc<Self>, name: &str) -> Outcome<Browser> {
        let home = Home(Arc::new(tempfile::tempdir()?));
        self.open_as(name, home, &["--incognito"]).await
    }

    /// Opens a browser on a profile that another one left.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn open_at(self: &Arc<Self>, name: &str, home: Home) -> Outcome<Browser> {
        self.open_as(name, home, &[]).await
    }

    async fn open_as(self: &Arc<Self>, name: &str, home: Home, flags: &[&str]) -> Outcome<Browser> {
        let note = home.0.path().join("DevToolsActivePort");
        if note.exists() {
            std::fs::remove_file(&note)?;
        }
        let mut command = match &self.space {
            Some(space) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", space]).arg(&self.chromium);
                command
            }
            None => Command::new(&self.chromium),
        };
        command
            .args(FLAGS)
            .args(&self.flags)
            .args(flags)
            .arg(format!("--user-data-dir={}", home.0.path().display()))
            .arg("about:blank");
        let mut process = Process::start(
            &mut command,
            &self.folder.path().join(format!("{name}.log")),
        )?;
        // Two lines: only then was the first one written to its end.
        let parse = |text: &str| text.split_once('\n')?.0.parse().ok();
        let port = debugging_port(&note, &mut process, name, parse).await?;

        let mut wish = ChromeCapabilities::new();
        wish.set_debugger_address(&format!("127.0.0.1:{port}"))?;
        wish.set_browser_log_level(LoggingPrefsLogLevel::All)?;
        let driver = (self.url.as_str(), Arc::clone(&self.process));
        let browser = Browser::attach(name, wish, driver, process, home).await?;
        browser.runs_first(WITNESS).await?;
        if !self.ahead.is_zero() {
            browser.runs_first(&page_ahead(self.ahead)).await?;
        }
        Ok(browser)
    }
}

/// The port that a browser opens for its driver and writes into a file. What makes a port of the file's text finds none until all of it is
/// there.
pub(crate) async fn debugging_port(
    note: &Path,
    process: &mut Process,
    name: &str,
    parse: impl Fn(&str) -> Option<u16>,
) -> Outcome<u16> {
    let deadline = Instant::now() + START;
    while Instant::now() < deadline {
        let text = std::fs::read_to_string(note).unwrap_or_default();
        if let Some(port) = parse(&text) {
            return Ok(port);
        }
        if !process.runs()? {
            break;
        }
        sleep(GLANCE).await;
    }
    Err(Trouble::new(format!("the browser of {name} did not start")))
}

impl Browser {
    /// Has a driver (its address, its process) attach to a browser that runs.
    pub(crate) async fn attach(
        name: &str,
        wish: impl Into<Capabilities>,
        driver: (&str, Arc<Process>),
        process: Process,
        home: Home,
    ) -> Outcome<Self> {
        let web = WebDriver::builder(driver.0, wish)
            .request_timeout(STEP * 2)
            .await?;
        web.set_script_timeout(STEP).await?;
        web.set_page_load_timeout(STEP).await?;
        Ok(Self {
            name: name.to_owned(),
            web,
            process,
            home,
            _driver: driver.1,
            log: Mutex::new(Vec::new()),
        })
    }

    /// Whose browser it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of the browser's main process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// For what has no method here.
    #[must_use]
    pub const fn web(&self) -> &WebDriver {
        &self.web
    }

    /// Opens an address; back when the page has loaded.
    ///
    /// # Errors
    /// If it does not load.
    pub async fn goto(&self, url: &str) -> Outcome {
        let gone = self.web.goto(url).await.map_err(Trouble::from);
        gone.map_err(|trouble| trouble.while_doing(&format!("{} opens {url}", self.name)))
    }

    /// Loads the page again, as a person does.
    ///
    /// # Errors
    /// If it does not load.
    pub async fn reload(&self) -> Outcome {
        self.keep_log().await?;
        Ok(self.web.refresh().await?)
    }

    /// Runs a script (a function body that returns) in the page.
    ///
    /// # Errors
    /// If it throws.
    pub async fn js(&self, script: &str, arguments: Vec<Value>) -> Outcome<Value> {
        Ok(self.web.execute(script, arguments).await?.json().clone())
    }

    /// Runs the body of an `async` function in the page and gives back what it resolves to.
    ///
    /// # Errors
    /// If it rejects.
    pub async fn js_async(&self, body: &str, arguments: Vec<Value>) -> Outcome<Value> {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             (async function () {{ {body} }}).apply(null, arguments).then(
                 value => done({{ value: value === undefined ? null : value }}),
                 error => done({{ error: `${{error?.code ?? ''}} ${{error?.message ?? error}}` }}))"
        );
        let told = self
            .web
            .execute_async(&script, arguments)
            .await?
            .json()
            .clone();
        match told.get("error").and_then(Value::as_str) {
            Some(error) => Err(Trouble::new(format!("{}: {error}", self.name))),
            None => Ok(told["value"].clone()),
        }
    }

    /// Waits until a script (a function body) returns something that is neither null, false, 0 nor empty, and
    /// gives that back.
    ///
    /// # Errors
    /// If it does not within the time: then with all that the page shows and said.
    pub async fn until(
        &self,
        what: &str,
        within: Duration,
        script: &str,
        arguments: Vec<Value>,
    ) -> Outcome<Value> {
        let deadline = Instant::now() + within;
        loop {
            let last = match self.web.execute(script, arguments.clone()).await {
                Ok(told) if is_truthy(told.json()) => return Ok(told.json().clone()),
                Ok(told) => told.json().to_string(),
                // The page is just being replaced, or not there yet.
                Err(error) => error.to_string(),
            };
            if Instant::now() >= deadline {
                return Err(self
                    .explain(&format!("waited {within:?} for {what}; last: {last}"))
                    .await);
            }
            sleep(GLANCE).await;
        }
    }

    /// What the browser itself says of each of the page's `RTCPeerConnection`s that stands: bytes that came over data channels, and the kinds
    /// of addresses at both ends.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn direct_connections(&self) -> Outcome<Vec<Value>> {
        let script = "const open = window.__connections.filter(c => c.connectionState === 'connected');
            return Promise.all(open.map(async connection => {
                const all = [...(await connection.getStats()).values()];
                // The transport says which pair it sends on; the remote may send on another one, so what came is counted over all.
                const transport = all.find(s => s.type === 'transport') ?? {};
                const pair = all.find(s => s.id === transport.selectedCandidatePairId) ?? {};
                const end = id => all.find(s => s.id === id)?.candidateType;
                const bytes = all.filter(s => s.type === 'data-channel').reduce((sum, s) => sum + s.bytesReceived, 0);
                return { received: transport.bytesReceived, bytes,
                    here: end(pair.localCandidateId), there: end(pair.remoteCandidateId) };
            }))";
        let told = self.js_async(script, vec![]).await?;
        Ok(told.as_array().cloned().unwrap_or_default())
    }

    /// How many `RTCPeerConnection`s the page has ever made.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn connections_made(&self) -> Outcome<u64> {
        let told = self
            .js("return window.__connections.length", vec![])
            .await?;
        Ok(told.as_u64().unwrap_or_default())
    }

    /// In the page that it shows it is so much later from now on; what waits there wakes when it would have.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn sets_ahead(&self, by: Duration) -> Outcome {
        self.js(&page_ahead(by), vec![]).await.map(drop)
    }

    /// From the next page on, keeps what the page hands to its data channels.
    ///
    /// # Errors
    /// If the browser refuses it.
    pub async fn listens_to_channels(&self) -> Outcome {
        self.runs_first(LISTENER).await
    }

    /// From the next page on, runs a script in each before its own.
    async fn runs_first(&self, script: &str) -> Outcome {
        let source = json!({ "source": script });
        self.devtools("Page.addScriptToEvaluateOnNewDocument", source)
            .await?;
        Ok(())
    }

    /// Every byte that the page has handed to each of its data channels.
    ///
    /// # Errors
    /// If the page does not answer, or was not listened to.
    pub async fn sent_on_channels(&self) -> Outcome<Vec<Vec<u8>>> {
        let script = r"
            const hex = bytes => [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('');
            return window.__sent.map(([, pieces]) => pieces.map(hex).join(''))";
        let told = self.js(script, vec![]).await?;
        let channels = told.as_array().map(Vec::as_slice).unwrap_or_default();
        let bytes = |channel: &Value| {
            let digits = channel.as_str().unwrap_or_default().as_bytes();
            let pair = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok();
            digits.chunks(2).map(pair).collect::<Option<Vec<u8>>>()
        };
        channels
            .iter()
            .map(|channel| bytes(channel).ok_or_else(|| Trouble::new("not hexadecimal")))
            .collect()
    }

    /// Waits until something that a person can see fits the selector; gives back its text.
    ///
    /// # Errors
    /// If nothing does within the time.
    pub async fn see(&self, selector: &str, within: Duration) -> Outcome<String> {
        let seen = "const found = [...document.querySelectorAll(arguments[0])]
                .find(element => element.checkVisibility());
            return found && (found.innerText || ' ')";
        let text = self
            .until(selector, within, seen, vec![selector.into()])
            .await?;
        Ok(text.as_str().unwrap_or_default().trim().to_owned())
    }

    /// Waits until the text of something that fits the selector contains all of these.
    ///
    /// # Errors
    /// If it does not within the time.
    pub async fn read(&self, selector: &str, texts: &[&str], within: Duration) -> Outcome<String> {
        // A number and its unit are kept on one line by a space that does not break.
        let script = "const plain = element => element.innerText.replace(/\\u00a0/g, ' ');
            const found = [...document.querySelectorAll(arguments[0])].find(element =>
                element.checkVisibility() && arguments[1].every(text => plain(element).includes(text)));
            return found && plain(found)";
        let what = format!("{selector} with {texts:?}");
        let text = self
            .until(&what, within, script, vec![selector.into(), json!(texts)])
            .await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// How many things fit the selector now.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn count(&self, selector: &str) -> Outcome<u64> {
        let script = "return document.querySelectorAll(arguments[0]).length";
        Ok(self
            .js(script, vec![selector.into()])
            .await?
            .as_u64()
            .unwrap_or_default())
    }

    /// Clicks on what fits the selector, as soon as it can be clicked.
    ///
    /// # Errors
    /// If it cannot be within the time.
    pub async fn click(&self, selector: &str, within: Duration) -> Outcome {
        let deadline = Instant::now() + within;
        loop {
            let clicked = match self.element(selector, within).await {
                Ok(element) => element.click().await.map_err(Trouble::from),
                Err(trouble) => return Err(trouble),
            };
            match clicked {
                Ok(()) => return Ok(()),
                // Redrawn or covered at this moment; a person would try again.
                Err(trouble) if Instant::now() >= deadline => {
                    return Err(self
                        .explain(&format!("click on {selector}: {trouble}"))
                        .await);
                }
                Err(_) => sleep(GLANCE).await,
            }
        }
    }

    /// Types a text into a field, in place of what stands there.
    ///
    /// # Errors
    /// If there is no such field within the time.
    pub async fn fill(&self, selector: &str, text: &str, within: Duration) -> Outcome {
        let element = self.element(selector, within).await?;
        element.clear().await?;
        element.send_keys(text).await?;
        Ok(())
    }

    /// Chooses a file of this machine in a field for files, which may be hidden behind its label.
    ///
    /// # Errors
    /// If there is no such field within the time.
    pub async fn hand_over(&self, selector: &str, file: &Path, within: Duration) -> Outcome {
        let element = self.element(selector, within).await?;
        element.send_keys(file.to_string_lossy()).await?;
        Ok(())
    }

    /// Chooses an option of a list by its value.
    ///
    /// # Errors
    /// If there is no such option within the time.
    pub async fn choose(&self, selector: &str, value: &str, within: Duration) -> Outcome {
        self.click(&format!("{selector} option[value=\"{value}\"]"), within)
            .await
    }

    /// Presses keys wherever the focus is.
    ///
    /// # Errors
    /// If the browser does not take them.
    pub async fn press(&self, keys: &str) -> Outcome {
        let focused = self.web.active_element().await?;
        Ok(focused.send_keys(keys).await?)
    }

    async fn element(&self, selector: &str, within: Duration) -> Outcome<WebElement> {
        self.until(
            &format!("{selector} that can be used"),
            within,
            "const found = document.querySelector(arguments[0]);
             return found && (found.tagName === 'OPTION' || found.checkVisibility()) && !found.disabled",
            vec![selector.into()],
        )
        .await?;
        Ok(self.web.find(By::Css(selector)).await?)
    }

    /// Everything that the page holds: the whole document as text.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn document(&self) -> Outcome<String> {
        let html = self
            .js("return document.documentElement.outerHTML", vec![])
            .await?;
        Ok(html.as_str().unwrap_or_default().to_owned())
    }

    /// Everything that the page's origin keeps: local and session storage, and each record of each database, bytes
    /// as text where they are text and as hexadecimal beside it.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn storage(&self) -> Outcome<String> {
        let script = r"
            const hex = bytes => [...bytes].map(b => b.toString(16).padStart(2, '0')).join('');
            const shown = value => {
                if (value instanceof ArrayBuffer) value = new Uint8Array(value);
                if (ArrayBuffer.isView(value)) {
                    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
                    return new TextDecoder().decode(bytes) + ' ' + hex(bytes);
                }
                return typeof value === 'string' ? value : JSON.stringify(value);
            };
            const asked = request => new Promise((yes, no) => {
                request.onsuccess = () => yes(request.result);
                request.onerror = () => no(request.error);
            });
            const out = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage })];
            for (const { name } of await indexedDB.databases()) {
                const database = await asked(indexedDB.open(name));
                for (const store of database.objectStoreNames) {
                    const open = database.transaction(store).objectStore(store);
                    const [keys, values] = [await asked(open.getAllKeys()), await asked(open.getAll())];
                    keys.forEach((key, at) => out.push(`${name}/${store}/${shown(key)}: ${shown(values[at])}`));
                }
                database.close();
            }
            return out.join('\n');";
        let dump = self.js_async(script, vec![]).await?;
        Ok(dump.as_str().unwrap_or_default().to_owned())
    }

    /// Fetches what was written to the console since, and keeps it: it would be lost with the page.
    async fn keep_log(&self) -> Outcome {
        let fresh = self.web.browser_log().await?;
        let mut log = self.log.lock().await;
        log.extend(
            fresh
                .into_iter()
                .map(|entry| format!("{}: {}", entry.level, entry.message)),
        );
        Ok(())
    }

    /// All that was written to the console so far.
    ///
    /// # Errors
    /// If the browser does not answer.
    pub async fn log(&self) -> Outcome<Vec<String>> {
        self.keep_log().await?;
        Ok(self.log.lock().await.clone())
    }

    /// What the page can be blamed for: errors on the console, exceptions that nobody caught, violations of its
    /// content-security policy. A connection that failed because a relay is gone is told on the console by the
    /// browser itself; `excused` names what such lines contain.
    ///
    /// # Errors
    /// If the browser does not answer.
    pub async fn blamed_for(&self, excused: &[&str]) -> Outcome<Vec<String>> {
        let blamed = self.js("return window.__blamed ?? []", vec![]).await?;
        let blamed = blamed.as_array().cloned().unwrap_or_default();
        let blamed = blamed
            .iter()
            .filter_map(|line| line.as_str().map(str::to_owned));
        let log = self.log().await?;
        let severe = log.into_iter().filter(|line| line.starts_with("SEVERE"));
        Ok(blamed
            .chain(severe)
            .filter(|line| !excused.iter().any(|part| line.contains(part)))
            .collect())
    }

    /// Gives the window a size and the person a preference.
    ///
    /// # Errors
    /// If the browser does not take it.
    pub async fn look(&self, look: Look) -> Outcome {
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({
                "width": look.width, "height": look.height,
                "deviceScaleFactor": 1, "mobile": look.mobile,
            }),
        )
        .await?;
        let scheme = if look.dark { "dark" } else { "light" };
        let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", feature).await?;
        Ok(())
    }

    /// Takes a picture of the whole page, from top to bottom.
    ///
    /// # Errors
    /// If the browser does not give one.
    pub async fn picture(&self, file: &Path) -> Outcome {
        let size = &self.devtools("Page.getLayoutMetrics", json!({})).await?["cssContentSize"];
        let clip = json!({
            "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1,
        });
        let wish = json!({ "captureBeyondViewport": true, "clip": clip });
        let told = self.devtools("Page.captureScreenshot", wish).await?;
        let data = told["data"]
            .as_str()
            .ok_or_else(|| Trouble::new("no picture"))?;
        std::fs::write(
            file,
            unbase64(data).ok_or_else(|| Trouble::new("not a picture"))?,
        )?;
        Ok(())
    }

    /// Puts the window away, so that nobody sees the page.
    ///
    /// # Errors
    /// If the page still thinks that it is seen.
    pub async fn is_put_away(&self) -> Outcome {
        self.web.minimize_window().await?;
        let hidden = "return document.hidden";
        self.until("a hidden page", GLANCE * 100, hidden, vec![])
            .await?;
        Ok(())
    }

    /// Opens one more window beside the one in front, and goes there. Gives the way back.
    ///
    /// # Errors
    /// If the browser opens none.
    pub async fn opens_another(&self, url: &str) -> Outcome<WindowHandle> {
        let before = self.web.window().await?;
        let another = self.web.new_tab().await?;
        self.web.switch_to_window(another).await?;
        self.web.goto(url).await?;
        Ok(before)
    }

    /// Goes to another window of this browser.
    ///
    /// # Errors
    /// If it is closed.
    pub async fn turns_to(&self, window: WindowHandle) -> Outcome {
        Ok(self.web.switch_to_window(window).await?)
    }

    /// A command of the DevTools protocol.
    ///
    /// # Errors
    /// If the browser refuses it.
    pub async fn devtools(&self, command: &str, arguments: Value) -> Outcome<Value> {
        Ok(self.web.cdp().send_raw(command, arguments).await?)
    }

    /// Ends the browser as a crash would, and leaves its profile.
    ///
    /// # Errors
    /// If the system does not let it.
    pub fn crash(mut self) -> Outcome<Home> {
        self.process.kill()?;
        Ok(self.home.clone())
    }

    /// Proportional memory of each renderer of this browser, in bytes: what its tabs cost.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn renderers(&self) -> Outcome<Vec<u64>> {
        let mut sizes = Vec::new();
        for id in descendants(self.process.id())? {
            let arguments = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&arguments).contains("--type=renderer") {
                sizes.push(proportional_size(id)?);
            }
        }
        Ok(sizes)
    }

    /// A trouble with all that helps to understand it.
    async fn explain(&self, sentence: &str) -> Trouble {
        let text = self
            .js(
                "return location.href + '\\n' + document.body.innerText",
                vec![],
            )
            .await;
        let text = text
            .ok()
            .and_then(|text| text.as_str().map(str::to_owned))
            .unwrap_or_default();
        let log = self.log().await.unwrap_or_default();
        let from = log.len().saturating_sub(40);
        Trouble::new(format!(
            "{}: {sentence}\n--- the page ---\n{text}\n--- its console ---\n{}\n---",
            self.name,
            log[from..].join("\n")
        ))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The session is not ended through the driver, which would wait for the browser: the process is ended.
        drop(self.web.clone().leak());
    }
}

fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(held) => *held,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(_) => true,
    }
}

/// All processes that a process started, and those that they did.
fn descendants(root: u32) -> Outcome<Vec<u32>> {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let Ok(id) = entry?.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let parent = status
            .lines()
            .find_map(|line| line.strip_prefix("PPid:"))
            .and_then(|parent| parent.trim().parse::<u32>().ok());
        parents.extend(parent.map(|parent| (id, parent)));
    }
    let mut family = vec![root];
    let mut at = 0;
    while let Some(parent) = family.get(at).copied() {
        family.extend(
            parents
                .iter()
                .filter(|(_, p)| *p == parent)
                .map(|(id, _)| *id),
        );
        at += 1;
    }
    Ok(family.split_off(1))
}

/// The proportional set size of a process, in bytes.
///
/// # Errors
/// If the system does not say.
pub fn proportional_size(id: u32) -> Outcome<u64> {
    let text = std::fs::read_to_string(format!("/proc/{id}/smaps_rollup"))?;
    let kilobytes = text
        .lines()
        .find_map(|line| line.strip_prefix("Pss:"))
        .and_then(|rest| {
            rest.trim()
                .trim_end_matches("kB")
                .trim()
                .parse::<u64>()
                .ok()
        });
    kilobytes
        .map(|kilobytes| kilobytes * 1024)
        .ok_or_else(|| Trouble::new(format!("no Pss of process {id}")))
}

/// Standard base64 with padding.
fn unbase64(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(u32::from(byte - b'A')),
        b'a'..=b'z' => Some(u32::from(byte - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let text = text.trim_end_matches('=').as_bytes();
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.chunks(4) {
        let bits = group
            .iter()
            .try_fold(0, |bits, byte| Some((bits << 6) | digit(*byte)?))?;
        let bits: u32 = bits << (6 * (4 - group.len()));
        out.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_every_length_is_read() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("aA==", b"h"),
            ("aGE=", b"ha"),
            ("aGFn", b"hag"),
            ("aGFnZw==", b"hagg"),
        ] {
            assert_eq!(unbase64(text).as_deref(), Some(bytes));
        }
        assert_eq!(unbase64("a*"), None);
    }

    #[test]
    fn a_condition_holds_by_what_it_brings() {
        for (value, holds) in [
            (json!(null), false),
            (json!(0), false),
            (json!(""), false),
            (json!([]), false),
            (json!(1), true),
            (json!("x"), true),
            (json!({}), true),
        ] {
            assert_eq!(is_truthy(&value), holds, "{value}");
        }
    }
}
