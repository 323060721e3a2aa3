//! `kvnode ctl`: what people and scripts do with a running node, over its HTTP interface, from the same file that is the
//! node; an image without a shell has these commands all the same. One file for each command.

mod check;
mod client;
mod del;
mod drain;
mod dump;
mod failure;
mod get;
mod gone;
mod health;
mod info;
mod keys;
mod monitor;
mod peers;
mod ping;
mod progress;
mod put;
mod recover;
mod restore;
mod status;
mod table;
mod target;
mod trust;
mod ttl;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand, ValueEnum};

use crate::node::runtime;
use client::Client;
use failure::{Failure, Kind};
use target::Target;

/// The word behind the program's name that leads here.
pub const NAME: &str = "ctl";

const AFTER_HELP: &str = "\
Examples:
  kvnode ctl status
  kvnode ctl put greeting '\"hello\"' --ttl 3600
  kvnode ctl get greeting
  kvnode ctl --url http://10.0.0.7:3000 --key-file key keys --prefix user:
  kubectl exec analytics-0 -- kvnode ctl keys

Exit codes: 0 done, 1 the node said no, 2 wrong command line or file, 3 no node answers, 4 the key is not accepted.";

/// Talks to a running node.
#[derive(Debug, Parser)]
#[command(name = "kvnode ctl", bin_name = "kvnode ctl", version, after_help = AFTER_HELP)]
struct Ctl {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Status(status::Status),
    Health(health::Health),
    Ping(ping::Ping),
    Info(info::Info),
    Peers(peers::Peers),
    Keys(keys::Keys),
    Get(get::Get),
    Put(put::Put),
    Del(del::Del),
    Ttl(ttl::Ttl),
    Monitor(monitor::Monitor),
    Drain(drain::Drain),
    Gone(gone::Gone),
    Recover(recover::Recover),
    Dump(dump::Dump),
    Restore(restore::Restore),
    Check(check::Check),
}

/// How an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people
    Table,
    /// As the node answers
    Json,
}

/// `arguments` begin with the program's name and [`NAME`].
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let ctl = match Ctl::try_parse_from(arguments.into_iter().skip(1)) {
        Ok(ctl) => ctl,
        Err(error) => return told(&error),
    };
    let done = match runtime() {
        Ok(runtime) => runtime.block_on(ctl.run()),
        Err(error) => Err(Failure::wrong_use(format!("No thread can be started: {error}."))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // When even standard error is closed, the exit code has to say it all.
            let _ = writeln!(std::io::stderr(), "{failure}");
            ExitCode::from(failure.kind as u8)
        }
    }
}

/// Help and version go to standard output; what is wrong is told in a few lines on standard error.
fn told(error: &clap::Error) -> ExitCode {
    // A reader that closed the pipe has seen what it wanted.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::from(Kind::WrongUse as u8),
    }
}

impl Ctl {
    async fn run(self) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        // A folder can be looked over where no node and no key is.
        if let Command::Check(check) = self.command {
            return check.run(&mut out);
        }
        let mut client = Client::new(&self.target)?;
        match self.command {
            Command::Check(check) => check.run(&mut out),
            Command::Status(status) => status.run(&mut client, &mut out).await,
            Command::Health(health) => health.run(&mut client, &mut out).await,
            Command::Ping(ping) => ping.run(&mut client, &mut out).await,
            Command::Info(info) => info.run(&mut client, &mut out).await,
            Command::Peers(peers) => peers.run(&mut client, &mut out).await,
            Command::Keys(keys) => keys.run(&mut client, &mut out).await,
            Command::Get(get) => get.run(&mut client, &mut out).await,
            Command::Put(put) => put.run(&mut client, &mut out).await,
            Command::Del(del) => del.run(&mut client, &mut out).await,
            Command::Ttl(ttl) => ttl.run(&mut client, &mut out).await,
            Command::Monitor(monitor) => monitor.run(&mut client, &mut out).await,
            Command::Drain(drain) => drain.run(&mut client, &mut out).await,
            Command::Gone(gone) => gone.run(&mut client, &mut out).await,
            Command::Recover(recover) => recover.run(&mut client, &mut out).await,
            Command::Dump(dump) => dump.run(&mut client, &mut out).await,
            Command::Restore(restore) => restore.run(&mut client, &mut out).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// clap looks for names that come twice and the like only when it is asked to.
    #[test]
    fn the_command_line_is_sound_and_every_command_teaches_by_example() {
        let command = Ctl::command();
        command.clone().debug_assert();
        for command in command.get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let name = command.get_name();
            assert!(help.contains(&format!("kvnode ctl {name}")), "{name} has no example of itself");
            assert!(command.get_about().is_some(), "{name} does not say what it does");
        }
    }
}
