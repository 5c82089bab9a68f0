//! The program `haggle-relay`: flags, logs, signals around [`haggle_relay::start`].

use std::io::Write as _;
use std::process::ExitCode;

use haggle_relay::{Command, Error, read_args, start};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Exit code for a configuration that cannot be.
const BAD_CONFIG: u8 = 2;
/// Threads that read files for the site; each has a stack of its own.
const FILE_THREADS: usize = 8;

fn main() -> ExitCode {
    let config = match read_args(std::env::args_os().skip(1)) {
        Ok(Command::Run(config)) => *config,
        Ok(Command::Print(text)) => {
            // Whoever closed the pipe has seen enough.
            let _ = std::io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(error) => return fail(&error),
    };
    // The library's own words hold peer ids and addresses: only its errors are shown unless asked for.
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("error,haggle_relay=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(FILE_THREADS)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    match runtime.block_on(run(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

async fn run(config: haggle_relay::Config) -> Result<(), Error> {
    // Before anybody is told that it runs: whoever waits for that may stop it at once.
    let signals = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
        signal(SignalKind::hangup()),
    );
    let mut relay = start(config).await?;
    tracing::info!(addresses = relay.addresses().len(), "ready");
    // The one line on stdout; tools wait for it.
    let line = format!("ready {} {}\n", relay.url(), relay.peer_id);
    let mut out = std::io::stdout();
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());

    let (Ok(mut term), Ok(mut interrupt), Ok(mut hangup)) = signals else {
        tracing::error!("signals cannot be received; the relay runs until it is killed");
        relay.wait().await;
        return Ok(());
    };
    loop {
        tokio::select! {
            _ = term.recv() => break,
            _ = interrupt.recv() => break,
            () = relay.wait() => break,
            _ = hangup.recv() => match relay.reload_tls() {
                Ok(()) => tracing::info!("the certificate was read again"),
                Err(error) => tracing::error!(%error, "the old certificate stays in use"),
            },
        }
    }
    tracing::info!("stopping");
    relay.shutdown().await;
    Ok(())
}

fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "haggle-relay: {error}");
    ExitCode::from(BAD_CONFIG)
}
