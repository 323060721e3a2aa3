//! A program that uses a client. It is told where to connect, and with which secret, in variables. When it has done its work it prints
//! `restart`, waits for the line `restarted`, goes on with the connections that it has, and says at its end what was
//! `shown: `. Where something is not as it should be, it says so and ends with another status than 0.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::servers::Servers;

/// Between two lines of a program lies all its work, on a machine that does other things too.
const LINE_WITHIN: Duration = Duration::from_secs(180);

/// Of what a failed program said, as much as a person reads.
const LAST_LINES: usize = 30;

/// A command line, whole but for where to connect.
#[derive(Debug)]
pub(crate) struct Program(pub(crate) Command);

/// Ends with its guard.
struct Running(Child);

impl Program {
    /// What it says was shown.
    pub(crate) fn run(&mut self, servers: &mut Servers) -> Result<String> {
        let folder = tempfile::tempdir()?;
        let complaints = folder.path().join("stderr");
        let yes_or_no = |yes| if yes { "yes" } else { "no" };
        self.0
            .env("KVT_PLAIN", servers.plain.to_string())
            .env("KVT_CLUSTER", servers.cluster.to_string())
            .env("KVT_KEPT", yes_or_no(servers.keep))
            .env("KVT_IFEQ", yes_or_no(servers.have_ifeq));
        match servers.secret {
            Some(secret) => self.0.env("KVT_SECRET", secret),
            None => self.0.env_remove("KVT_SECRET"),
        };
        self.0.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(&complaints)?);
        let name = self.0.get_program().to_string_lossy().into_owned();
        let mut running = Running(self.0.spawn().with_context(|| format!("cannot start {name}"))?);
        let shown = running.converse(servers);
        let complaints = fs::read_to_string(&complaints).unwrap_or_default();
        shown.with_context(|| last_lines(&complaints))
    }
}

impl Running {
    fn converse(&mut self, servers: &mut Servers) -> Result<String> {
        let lines = self.lines()?;
        let mut shown = None;
        loop {
            match lines.recv_timeout(LINE_WITHIN) {
                Ok(line) if line == "restart" => {
                    servers.restart()?;
                    let input = self.0.stdin.as_mut().context("its input is a pipe")?;
                    input.write_all(b"restarted\n").context("it does not wait for the restart")?;
                }
                Ok(line) => shown = line.strip_prefix("shown: ").map(str::to_owned).or(shown),
                Err(RecvTimeoutError::Timeout) => bail!("it said nothing for {} s", LINE_WITHIN.as_secs()),
                // Its output ends with it.
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = self.0.wait()?;
        if !status.success() {
            bail!("it ended with {status}");
        }
        shown.context("it ended without a word of what was shown")
    }

    fn lines(&mut self) -> Result<Receiver<String>> {
        let output = BufReader::new(self.0.stdout.take().context("its output is a pipe")?);
        let (sender, lines) = channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Ok(lines)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nothing to do when it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}
