//! The program: settings in, exit code out. 0 after a clean end, 1 when the node failed or was forced to end, 2 when it
//! could not start the way it was told to.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use kvnode::clock::Clock;
use kvnode::ctl;
use kvnode::logging;
use kvnode::node::{Ending, Node, runtime};
use kvnode::settings::machine::Machine;
use kvnode::settings::{Request, Settings, resolve};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the command line, a variable or a file got wrong, or a port that is taken.
const EXIT_WRONG_START: u8 = 2;

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|word| word == ctl::NAME) {
        return ctl::run(std::env::args_os());
    }
    let machine = Machine::read(Path::new("/"));
    match resolve(std::env::args_os(), &|name| std::env::var_os(name), &machine) {
        Ok(Request::Run(settings)) => run(*settings),
        Ok(Request::Show(text)) => {
            // A reader that closed the pipe has seen what it wanted.
            let _ = write!(std::io::stdout(), "{text}");
            ExitCode::SUCCESS
        }
        Err(error) => wrong_start(&error),
    }
}

fn run(settings: Settings) -> ExitCode {
    logging::start(&settings);
    logging::end_process_on_panic();
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return wrong_start(&error),
    };
    let ending = runtime.block_on(async {
        // Before anything listens, so that there is no moment in which a signal would end the node unheard.
        let stop = stop_signals()?;
        let node = start(settings)?;
        Ok::<_, Box<dyn std::error::Error>>(node.run(stop).await)
    });
    // The other threads may still hold connections when the end was forced; the process does not wait for them.
    runtime.shutdown_background();
    match ending {
        Ok(Ending::Drained) => ExitCode::SUCCESS,
        Ok(Ending::Forced | Ending::Failed) => ExitCode::FAILURE,
        Err(error) => wrong_start(error.as_ref()),
    }
}

fn start(settings: Settings) -> Result<Node, kvnode::node::StartError> {
    let (tenant, name, threads) = (settings.tenant.clone(), settings.name.clone(), settings.threads);
    let memory_limit_bytes = settings.memory_limit;
    let node = Node::start(settings, Clock::default())?;
    tracing::info!(
        tenant_id = tenant.as_str(),
        node = name.as_str(),
        address = %node.address(),
        resp_address = node.resp_addresses().plain.map(tracing::field::display),
        resp_cluster_address = node.resp_addresses().cluster.map(tracing::field::display),
        metrics_address = node.monitoring_address().map(tracing::field::display),
        threads,
        memory_limit_bytes,
        version = env!("CARGO_PKG_VERSION"),
        "listening"
    );
    Ok(node)
}

/// SIGTERM and SIGINT, in the order they come. They are caught explicitly, because a process with the number 1, as in
/// a container, does not end by itself from a signal.
fn stop_signals() -> std::io::Result<mpsc::Receiver<()>> {
    // The first drains, the second forces; nobody needs a third.
    const SIGNALS_MAX: usize = 2;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (stop, stopped) = mpsc::channel(SIGNALS_MAX);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if stop.send(()).await.is_err() {
                return;
            }
        }
    });
    Ok(stopped)
}

fn wrong_start(error: &dyn std::error::Error) -> ExitCode {
    // When even standard error is closed, the exit code has to say it all.
    let _ = writeln!(std::io::stderr(), "{error}");
    ExitCode::from(EXIT_WRONG_START)
}
