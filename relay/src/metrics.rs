//! What the relay counts, as Prometheus reads it. No label holds a peer id, an address, or anything a stranger chose.

use libp2p::metrics as libp2p_metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// By which way a frame came and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct FrameLabels {
    pub(crate) source: &'static str,
    pub(crate) verdict: &'static str,
}

/// A stable code: of a refusal, of an answer, of a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Code {
    pub(crate) code: &'static str,
}

/// What was asked over HTTP and how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct HttpLabels {
    pub(crate) route: &'static str,
    pub(crate) status: u16,
}

/// The counters, and the registry that writes them.
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) libp2p: libp2p_metrics::Metrics,
    pub(crate) frames: Family<FrameLabels, Counter>,
    pub(crate) refusals: Family<Code, Counter>,
    pub(crate) book_frames: Gauge,
    pub(crate) book_bytes: Gauge,
    pub(crate) book_work: Gauge,
    pub(crate) book_requests: Family<Code, Counter>,
    pub(crate) mint_requests: Family<Code, Counter>,
    pub(crate) reservations: Gauge,
    pub(crate) reservations_denied: Counter,
    pub(crate) circuits: Gauge,
    pub(crate) circuits_denied: Counter,
    pub(crate) connections: Gauge,
    pub(crate) connections_denied: Family<Code, Counter>,
    pub(crate) relays_connected: Gauge,
    pub(crate) http: Family<HttpLabels, Counter>,
    pub(crate) stun: Family<Code, Counter>,
    memory: Gauge,
    files: Gauge,
}

impl Metrics {
    /// Registers everything; `more` adds what needs the registry itself (gossip's own metrics).
    pub(crate) fn new<T>(more: impl FnOnce(&mut Registry) -> T) -> (Self, T) {
        let mut registry = Registry::default();
        let libp2p = libp2p_metrics::Metrics::new(&mut registry);
        let more = more(registry.sub_registry_with_prefix("gossipsub"));

        let own = registry.sub_registry_with_prefix("haggle");
        own.register(
            "build",
            "Which relay this is",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        macro_rules! registered {
            ($name:literal, $help:literal) => {{
                let metric = Default::default();
                own.register($name, $help, Clone::clone(&metric));
                metric
            }};
        }
        let frames: Family<FrameLabels, Counter> = registered!(
            "frames",
            "Public frames looked at, by the way they came and the verdict"
        );
        let refusals: Family<Code, Counter> =
            registered!("refusals", "Public frames refused, by code");
        let book_frames: Gauge = registered!("book_frames", "Public frames in the book");
        let book_bytes: Gauge = registered!("book_bytes", "Memory of the book");
        let book_work: Gauge = registered!("book_work_bits", "Work asked of a new frame");
        let book_requests: Family<Code, Counter> =
            registered!("book_requests", "Questions to the book, by answer");
        let mint_requests: Family<Code, Counter> =
            registered!("mint_requests", "Requests to the mint, by answer");
        let reservations: Gauge = registered!("reservations", "Peers reachable through this relay");
        let reservations_denied: Counter =
            registered!("reservations_denied", "Reservations that were denied");
        let circuits: Gauge = registered!("circuits", "Circuits between peers");
        let circuits_denied: Counter = registered!("circuits_denied", "Circuits that were denied");
        let connections: Gauge = registered!("connections", "Established connections");
        let connections_denied: Family<Code, Counter> = registered!(
            "connections_denied",
            "Connections that were denied, by reason"
        );
        let relays_connected: Gauge =
            registered!("relays_connected", "Configured relays that are connected");
        let http: Family<HttpLabels, Counter> =
            registered!("http_requests", "HTTP requests, by route and status");

        let stun: Family<Code, Counter> = registered!(
            "stun_datagrams",
            "Datagrams to the STUN door, by what became of them"
        );

        let process = registry.sub_registry_with_prefix("process");
        let (memory, files) = (Gauge::default(), Gauge::default());
        process.register_with_unit(
            "resident_memory",
            "Memory in use",
            Unit::Bytes,
            memory.clone(),
        );
        process.register("open_fds", "Open files and sockets", files.clone());

        let metrics = Self {
            registry,
            libp2p,
            frames,
            refusals,
            book_frames,
            book_bytes,
            book_work,
            book_requests,
            mint_requests,
            reservations,
            reservations_denied,
            circuits,
            circuits_denied,
            connections,
            connections_denied,
            relays_connected,
            http,
            stun,
            memory,
            files,
        };
        (metrics, more)
    }

    /// Everything, as text (OpenMetrics).
    pub(crate) fn to_text(&self) -> String {
        self.memory.set(resident_bytes().unwrap_or(0));
        self.files.set(open_files().unwrap_or(0));
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Memory in use, as the kernel says it.
fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}

fn open_files() -> Option<i64> {
    i64::try_from(std::fs::read_dir("/proc/self/fd").ok()?.count()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_written_under_its_name() {
        let (metrics, ()) = Metrics::new(|_| ());
        metrics
            .refusals
            .get_or_create(&Code { code: "no-work" })
            .inc();
        metrics.book_frames.set(3);
        let text = metrics.to_text();
        assert!(
            text.contains("haggle_refusals_total{code=\"no-work\"} 1"),
            "{text}"
        );
        assert!(text.contains("haggle_book_frames 3"), "{text}");
        assert!(text.contains("process_resident_memory_bytes "), "{text}");
    }
}
