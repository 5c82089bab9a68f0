//! The program `haggle`: command line, logs and signals around [`haggle_agent::run`].

use std::io::Write as _;
use std::process::ExitCode;

use haggle_agent::{Error, args, run};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Exit code for a command line or a file that cannot be understood.
const NOT_UNDERSTOOD: u8 = 2;

fn main() -> ExitCode {
    let (task, options) = match args::read(std::env::args_os().skip(1)) {
        Ok(read) => read,
        Err(error) => return fail(&error),
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Error::System(error)),
    };
    let outcome = runtime.block_on(async {
        // Before anything is printed: whoever reads it may stop this at once.
        let signals = (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
        );
        let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
            let why = std::io::Error::other("signals cannot be received");
            return Err(Error::System(why));
        };
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        run(task, options, stop).await
    });
    // A thread may still wait for standard input.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &Error) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "haggle: {error}");
    match error {
        Error::Usage(_) | Error::File { .. } | Error::Content { .. } => {
            ExitCode::from(NOT_UNDERSTOOD)
        }
        Error::Store(_)
        | Error::Peer(_)
        | Error::Complaint(_)
        | Error::Stopped(_)
        | Error::System(_) => ExitCode::FAILURE,
    }
}
