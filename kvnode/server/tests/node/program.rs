//! The real program as a child process, its log lines read while it runs.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// Longer than anything here takes on a busy machine; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Program {
    child: Child,
    lines: Receiver<String>,
    pub(crate) address: SocketAddr,
    pub(crate) metrics_address: Option<SocketAddr>,
}

impl Program {
    /// Flags and variables beside the tenant `dev` on loopback.
    pub(crate) fn start(flags: &[&str], variables: &[(&str, &str)]) -> Self {
        let fixed = ["--tenant", "dev", "--bind", "127.0.0.1"];
        let mut child = command(&[&fixed, flags].concat(), variables)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program can be run");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut program = Self { child, lines, address: ([0, 0, 0, 0], 0).into(), metrics_address: None };
        let listening = program.wait_for_line("listening");
        let address = |name: &str| listening[name].as_str().map(|text| text.parse().expect("an address"));
        program.address = address("address").expect("the line says where");
        program.metrics_address = address("metrics_address");
        program
    }

    /// The next log line with this message.
    pub(crate) fn wait_for_line(&mut self, message: &str) -> Value {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("no line {message:?}: {error}"));
            let line: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"));
            if line["message"] == message {
                return line;
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let number = i32::try_from(self.child.id()).expect("a process number");
        kill(Pid::from_raw(number), signal).expect("the process is there");
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        // The channel closes when the process closes its output, which is when it ends.
        while self.lines.recv_timeout(PATIENCE).is_ok() {}
        self.child.wait().expect("it is our child")
    }

    /// The names of its threads.
    pub(crate) fn threads(&self) -> Vec<String> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("the process is there");
        let name = |task: std::io::Result<std::fs::DirEntry>| {
            std::fs::read_to_string(task.ok()?.path().join("comm")).ok().map(|name| name.trim().to_owned())
        };
        tasks.filter_map(name).collect()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Nothing to do when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the program to its end.
pub(crate) fn run(flags: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut child = command(flags, variables)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be run");
    let (sender, ended) = channel();
    let (mut output, mut errors) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    std::thread::spawn(move || {
        let mut text = (Vec::new(), Vec::new());
        let read = output.read_to_end(&mut text.0).and_then(|_| errors.read_to_end(&mut text.1));
        sender.send(read.map(|_| text))
    });
    let text = ended.recv_timeout(PATIENCE);
    // A program that did not end is ended, so that the test fails and not hangs.
    let _ = child.kill();
    let status = child.wait().expect("it is our child");
    let (stdout, stderr) = text.expect("the program ends by itself").expect("its output can be read");
    Output { status, stdout, stderr }
}

/// With few variables but the given ones, so that the machine the test runs on has no say.
fn command(flags: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kvnode"));
    // Other programs of the machine may have the ports that are open by default.
    let closed = [("RESP_PORT", "0"), ("RESP_CLUSTER_PORT", "0")];
    command.args(flags).env_clear().envs(closed).envs(variables.iter().copied());
    command
}
