//! The operator: watches KVTenants and keeps the objects of each as the plan says. Deciding happens in kvtenant-plan;
//! here is only what touches the network, the clock and the process. One pass over one tenant is `reconcile.rs`.

mod answer;
mod apply;
mod backoff;
mod cli;
mod clock;
mod connect;
mod connections;
mod context;
mod controller;
mod crd;
mod events;
mod http;
mod ledger;
mod logging;
mod metrics;
mod observe;
mod random;
mod readiness;
mod reconcile;
mod requests;
mod run;
mod status;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

/// What could not be started at all; what failed later ends with 1.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Crd => crd::print().map_err(|error| (error.to_string(), EXIT_USAGE)),
        Command::Run(options) => run_with_runtime(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err((sentence, code)) => {
            complain(&sentence);
            ExitCode::from(code)
        }
    }
}

fn run_with_runtime(options: &cli::RunOptions) -> Result<(), (String, u8)> {
    logging::start(options.log_format, &options.log_level).map_err(|error| (error.to_string(), EXIT_USAGE))?;
    // One thread: the operator waits for the network nearly all the time, and without parallelism a reconcile and a
    // watch never see each other's half-done work.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| (format!("the operator could not start its runtime: {error}"), EXIT_USAGE))?;
    runtime.block_on(run::run(options)).map_err(|error| (error.to_string(), error.exit_code()))
}

#[expect(clippy::print_stderr, reason = "the last word of a program that ends, where logs may not have begun")]
fn complain(sentence: &str) {
    eprintln!("{sentence}");
}
